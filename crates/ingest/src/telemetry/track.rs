//! Samples checked against what drones can do, and poses interpolated between those that hold.

use std::time::Duration;

use parapet_core::{
    Timestamp,
    geo::{Attitude, GeoPoint, GroundPoint, LocalFrame, Pose},
};

use super::{
    Reading, Sample,
    attitude::{between, wrapped},
    report::{TelemetryReport, Trouble},
};

/// Metres a second that no survey drone flies (DJI's fastest reach 21 to 28 m/s).
const TOP_SPEED: f64 = 40.0;
/// Metres by which two positions may differ without any way between them: the accuracy of satellite positions, ±1.5 m,
/// at either end.
const POSITION_NOISE: f64 = 3.0;
/// Receivers write a position again until they have the next one: longest such time.
const HOLD: Duration = Duration::from_secs(1);
/// A position that stands still for longer, to the last digit, is suspect.
const FROZEN: Duration = Duration::from_secs(5);
/// Fewer equal samples in that time say nothing.
const FROZEN_SAMPLES: usize = 10;
/// Heights above the ground that a survey has, metres.
const HEIGHTS: std::ops::RangeInclusive<f64> = 0.0..=1500.0;
/// A survey's camera looks at most this far up, degrees.
const HIGHEST_PITCH: f64 = 45.0;
/// Before the first and after the last sample a pose holds for this long: some frames.
const EDGE: Duration = Duration::from_millis(100);
/// A course over the ground is measured over at most this time, before and after.
const LONGEST_COURSE: Duration = Duration::from_secs(10);
/// Competing tracks that are kept while it is open which one the drone flew.
const MAX_CHAINS: usize = 8;

/// What has to be known to make poses of samples.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TrackOptions {
    /// Altitude of the site's ground, metres above the same zero as the drone's altitudes. Needed where there are no
    /// heights above the take-off place.
    pub ground_altitude: Option<f64>,
    /// The take-off place above the site's ground, metres: of a roof, say.
    pub take_off_height: f64,
    /// Where a record has no angles of the camera: it looks ahead over the ground, this far up in degrees (−90 is straight
    /// down). Without it such a record gives no poses.
    pub assumed_pitch: Option<f64>,
    /// Longest time between samples over which poses are interpolated.
    pub max_gap: Duration,
    /// How coarse the samples' times are: 1 s for most stills, 0 for videos.
    pub time_resolution: Duration,
}

impl Default for TrackOptions {
    fn default() -> Self {
        Self {
            ground_altitude: None,
            take_off_height: 0.0,
            assumed_pitch: None,
            max_gap: Duration::from_secs(2),
            time_resolution: Duration::ZERO,
        }
    }
}

/// A sample that holds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Fix {
    /// From the beginning of the recording.
    pub at: Duration,
    /// By the drone's clock.
    pub recorded_at: Option<Timestamp>,
    /// Where.
    pub position: GeoPoint,
    /// Metres above the site's ground.
    pub height: Option<f64>,
    /// Where the camera looks.
    pub attitude: Option<Attitude>,
    /// Focal length in picture widths.
    pub focal: Option<f64>,
}

impl Fix {
    /// The pose, where height and direction are known.
    pub fn pose(&self) -> Option<Pose> {
        Some(Pose { position: self.position, height: self.height?, attitude: self.attitude? })
    }
}

/// For each sample what holds of it, `None` where nothing does; and what was found.
pub fn check(reading: &Reading, options: &TrackOptions) -> (Vec<Option<Fix>>, TelemetryReport) {
    let samples = &reading.samples;
    let heights: Vec<Option<f64>> = samples.iter().map(|s| height_of(s, options)).collect();
    let mut verdicts: Vec<Option<Trouble>> =
        samples.iter().zip(&heights).map(|(sample, height)| impossible(sample, *height)).collect();
    mark_backwards(samples, &mut verdicts);
    mark_jumps(samples, options, &mut verdicts);
    // Where the last digit is metres, a drone in the wind stands still too.
    if reading.resolution.is_none() {
        mark_frozen(samples, &heights, &mut verdicts);
    }

    let mut fixes: Vec<Option<Fix>> = samples
        .iter()
        .zip(&heights)
        .zip(&verdicts)
        .map(|((sample, height), verdict)| {
            let Sample { at, recorded_at, attitude, focal, .. } = *sample;
            let position = sample.position.filter(|_| verdict.is_none())?;
            Some(Fix { at, recorded_at, position, height: *height, attitude, focal })
        })
        .collect();
    let assumed = options.assumed_pitch.map_or(0, |pitch| look_ahead(&mut fixes, pitch));
    let lacks = fixes.iter().map(|fix| {
        let fix = fix.as_ref()?;
        match (fix.height, fix.attitude) {
            (None, _) => Some(Trouble::NoHeight),
            (_, None) => Some(Trouble::NoDirection),
            _ => None,
        }
    });
    let lacks: Vec<Option<Trouble>> = lacks.collect();
    let used = fixes.iter().flatten().filter(|fix| fix.pose().is_some()).count();
    let mut report = TelemetryReport { samples: samples.len(), used, problems: Vec::new() };
    add_stretches(&mut report, samples, &verdicts);
    add_stretches(&mut report, samples, &lacks);
    add_gaps(&mut report, samples, &verdicts, options.max_gap);
    for at in &reading.unreadable {
        match report.problems.last_mut() {
            Some(last) if last.trouble == Trouble::Unreadable => {
                last.to = last.to.max(*at);
                last.samples += 1;
            }
            _ => report.add(Trouble::Unreadable, *at, *at, 1),
        }
    }
    if let (Some(meters), Some(first), Some(last)) = (reading.resolution, samples.first(), samples.last()) {
        report.add(Trouble::Coarse(meters), first.at, last.at, samples.len());
    }
    if let (1.., Some(first), Some(last)) = (assumed, samples.first(), samples.last()) {
        report.add(Trouble::AssumedDirection, first.at, last.at, assumed);
    }
    report.problems.sort_by_key(|p| (p.from, p.to));
    (fixes, report)
}

/// Height above the site's ground.
fn height_of(sample: &Sample, options: &TrackOptions) -> Option<f64> {
    let by_take_off = sample.height.map(|height| height + options.take_off_height);
    by_take_off.or_else(|| Some(sample.altitude? - options.ground_altitude?))
}

fn impossible(sample: &Sample, height: Option<f64>) -> Option<Trouble> {
    let nowhere = |p: GeoPoint| p.latitude.abs() < 1e-6 && p.longitude.abs() < 1e-6;
    if sample.position.is_none_or(nowhere) {
        return Some(Trouble::NoPosition);
    }
    if let Some(height) = height.filter(|h| !HEIGHTS.contains(h)) {
        return Some(Trouble::ImpossibleHeight(height));
    }
    let pitch = sample.attitude.map(|a| a.pitch).filter(|p| *p > HIGHEST_PITCH);
    pitch.map(Trouble::LooksUp)
}

fn mark_backwards(samples: &[Sample], verdicts: &mut [Option<Trouble>]) {
    let mut last: Option<Duration> = None;
    for i in 0..samples.len() {
        let at = samples[i].at;
        let is_back = last.is_some_and(|last| at < last);
        // One time that runs ahead must not cost all that follows.
        let next = samples.get(i + 1).map(|s| s.at);
        let is_ahead = next.is_some_and(|next| next < at && last.is_some_and(|last| next >= last));
        if is_back || is_ahead {
            verdicts[i] = verdicts[i].or(Some(Trouble::TimeBackwards));
        } else {
            last = Some(at);
        }
    }
}

/// A track that may be the true one.
struct Chain {
    members: Vec<usize>,
    position: GroundPoint,
    /// When the last position was first written.
    since: Duration,
    at: Duration,
}

/// Splits the samples into tracks that a drone can fly and keeps the longest: so neither a single wild position nor a
/// wrong beginning costs the rest.
fn mark_jumps(samples: &[Sample], options: &TrackOptions, verdicts: &mut [Option<Trouble>]) {
    let good: Vec<(usize, GeoPoint)> = samples
        .iter()
        .enumerate()
        .filter(|(i, _)| verdicts[*i].is_none())
        .filter_map(|(i, sample)| Some((i, sample.position?)))
        .collect();
    let Some((_, origin)) = good.first() else { return };
    let frame = LocalFrame::at(*origin);
    let mut chains: Vec<Chain> = Vec::new();
    for &(i, place) in &good {
        let (at, position) = (samples[i].at, frame.local(place));
        let reaches = |chain: &Chain| {
            // A position that is written again is as old as its first writing, but not older than a hold.
            let since = chain.since.max(chain.at.saturating_sub(HOLD));
            let time = at.saturating_sub(since).saturating_add(options.time_resolution);
            chain.position.distance(position) <= POSITION_NOISE + TOP_SPEED * time.as_secs_f64()
        };
        let longest = (0..chains.len())
            .filter(|c| reaches(&chains[*c]))
            .max_by_key(|c| (chains[*c].members.len(), usize::MAX - c));
        if let Some(c) = longest {
            let chain = &mut chains[c];
            chain.members.push(i);
            chain.at = at;
            if chain.position != position {
                (chain.position, chain.since) = (position, at);
            }
            continue;
        }
        if chains.len() == MAX_CHAINS
            && let Some(shortest) = (0..MAX_CHAINS).min_by_key(|c| chains[*c].members.len())
        {
            chains.remove(shortest);
        }
        chains.push(Chain { members: vec![i], position, since: at, at });
    }
    let longest = (0..chains.len()).max_by_key(|c| (chains[*c].members.len(), usize::MAX - c));
    let Some(kept) = longest.map(|c| chains.swap_remove(c).members) else { return };
    for &(i, place) in &good {
        let Err(after) = kept.binary_search(&i) else { continue };
        let neighbour = kept.get(after.wrapping_sub(1)).or(kept.get(after));
        let from = neighbour.and_then(|n| samples[*n].position).unwrap_or(place);
        let meters = frame.local(place).distance(frame.local(from));
        verdicts[i] = Some(Trouble::Jump(meters));
    }
}

/// Marks stretches in which the position is the same to the last digit for more than [`FROZEN`], though the drone
/// climbs, turns, or is elsewhere as soon as the position moves again.
fn mark_frozen(samples: &[Sample], heights: &[Option<f64>], verdicts: &mut [Option<Trouble>]) {
    let good: Vec<usize> = (0..samples.len()).filter(|i| verdicts[*i].is_none()).collect();
    let mut start = 0;
    for run in good.chunk_by(|a, b| samples[*a].position == samples[*b].position) {
        let next = good.get(start + run.len());
        start += run.len();
        let (first, last) = (run[0], run[run.len() - 1]);
        if run.len() < FROZEN_SAMPLES || samples[last].at.saturating_sub(samples[first].at) <= FROZEN {
            continue;
        }
        let climb = run
            .iter()
            .filter_map(|i| heights[*i])
            .fold((f64::MAX, f64::MIN), |(low, high), h| (low.min(h), high.max(h)));
        let yaw = |i: usize| samples[i].attitude.map(|a| a.yaw);
        let turn = run.iter().filter_map(|i| Some(wrapped(yaw(*i)? - yaw(first)?).abs())).fold(0.0, f64::max);
        let step = next.and_then(|next| {
            let soon = samples[*next].at.saturating_sub(samples[last].at) < HOLD;
            let frame = LocalFrame::at(samples[last].position?);
            soon.then(|| {
                frame
                    .local(samples[*next].position.unwrap_or(frame.origin()))
                    .distance(GroundPoint::default())
            })
        });
        if climb.1 - climb.0 >= 1.0 || turn >= 10.0 || step.is_some_and(|meters| meters > 5.0) {
            for i in run {
                verdicts[*i] = Some(Trouble::Frozen);
            }
        }
    }
}

/// Gives fixes without an attitude the one of a camera that looks along the way over the ground; how many. A drone that
/// hovers has no way, and gets none.
fn look_ahead(fixes: &mut [Option<Fix>], pitch: f64) -> usize {
    let good: Vec<(usize, Fix)> =
        fixes.iter().enumerate().filter_map(|(i, fix)| Some((i, (*fix)?))).collect();
    // The nearest fix, one way or the other, that is farther than the positions' noise.
    let apart = |from: &Fix, others: &mut dyn Iterator<Item = &(usize, Fix)>| {
        let frame = LocalFrame::at(from.position);
        others
            .map(|(_, fix)| fix)
            .take_while(|fix| fix.at.abs_diff(from.at) <= LONGEST_COURSE)
            .map(|fix| frame.local(fix.position))
            .find(|way| way.distance(GroundPoint::default()) > POSITION_NOISE)
    };
    let mut count = 0;
    for (n, (i, fix)) in good.iter().enumerate().filter(|(_, (_, fix))| fix.attitude.is_none()) {
        let before = apart(fix, &mut good[..n].iter().rev());
        let after = apart(fix, &mut good[n + 1..].iter());
        if before.is_none() && after.is_none() {
            continue;
        }
        let (from, to) = (before.unwrap_or_default(), after.unwrap_or_default());
        let yaw = (to.east - from.east).atan2(to.north - from.north).to_degrees();
        if let Some(fix) = &mut fixes[*i] {
            fix.attitude = Some(Attitude { yaw, pitch, roll: 0.0 });
            count += 1;
        }
    }
    count
}

/// One problem for each run of samples with the same kind of trouble.
fn add_stretches(report: &mut TelemetryReport, samples: &[Sample], verdicts: &[Option<Trouble>]) {
    let kind = |i: usize| verdicts[i].as_ref().map(std::mem::discriminant);
    let mut start = 0;
    while start < samples.len() {
        let length = (start..samples.len()).take_while(|i| kind(*i) == kind(start)).count();
        if let Some(trouble) = verdicts[start] {
            let times = samples[start..start + length].iter().map(|s| s.at);
            let (from, to) = (times.clone().min(), times.max());
            report.add(trouble, from.unwrap_or_default(), to.unwrap_or_default(), length);
        }
        start += length;
    }
}

fn add_gaps(
    report: &mut TelemetryReport,
    samples: &[Sample],
    verdicts: &[Option<Trouble>],
    max_gap: Duration,
) {
    let in_time = (0..samples.len()).filter(|i| verdicts[*i] != Some(Trouble::TimeBackwards));
    let times: Vec<Duration> = in_time.map(|i| samples[i].at).collect();
    for pair in times.windows(2).filter(|p| p[1].saturating_sub(p[0]) > max_gap) {
        report.add(Trouble::Gap, pair[0], pair[1], 0);
    }
}

/// Poses by time.
#[derive(Debug, Clone, PartialEq)]
pub struct PoseTrack {
    fixes: Vec<Fix>,
    max_gap: Duration,
    report: TelemetryReport,
}

impl PoseTrack {
    /// The track of what holds in a record.
    pub fn new(reading: &Reading, options: &TrackOptions) -> Self {
        let (fixes, mut report) = check(reading, options);
        let mut fixes: Vec<Fix> = fixes.into_iter().flatten().collect();
        fixes.dedup_by_key(|fix| fix.at);
        if fixes.len() < 2 {
            let span = |pick: fn(&[Sample]) -> Option<&Sample>| {
                pick(&reading.samples).map_or(Duration::ZERO, |s| s.at)
            };
            report.add(Trouble::TooFew, span(<[_]>::first), span(<[_]>::last), fixes.len());
            report.used = 0;
            fixes.clear();
        }
        spread_holds(&mut fixes);
        Self { fixes, max_gap: options.max_gap, report }
    }

    /// What was found.
    pub fn report(&self) -> &TelemetryReport {
        &self.report
    }

    /// The samples that hold, in the order of time.
    pub fn fixes(&self) -> &[Fix] {
        &self.fixes
    }

    /// Position, height, direction and lens at a time: linear between the samples around it, angles the shorter way
    /// round. `None` where the samples are farther apart than the longest gap.
    pub fn fix(&self, at: Duration) -> Option<Fix> {
        let after = self.fixes.partition_point(|fix| fix.at <= at);
        let (before, next) = (after.checked_sub(1).map(|i| &self.fixes[i]), self.fixes.get(after));
        match (before, next) {
            (Some(a), _) if a.at == at => Some(*a),
            (Some(a), Some(b)) if b.at.saturating_sub(a.at) <= self.max_gap => Some(interpolated(a, b, at)),
            (Some(a), None) => (at.saturating_sub(a.at) <= EDGE).then_some(Fix { at, ..*a }),
            (None, Some(b)) => (b.at.saturating_sub(at) <= EDGE).then_some(Fix { at, ..*b }),
            _ => None,
        }
    }

    /// The pose at a time, see [`PoseTrack::fix`].
    pub fn pose(&self, at: Duration) -> Option<Pose> {
        self.fix(at)?.pose()
    }
}

fn interpolated(a: &Fix, b: &Fix, at: Duration) -> Fix {
    let since = at.saturating_sub(a.at);
    let t = since.as_secs_f64() / b.at.saturating_sub(a.at).as_secs_f64();
    let mix = |a: f64, b: f64| a + (b - a) * t;
    let attitude = a.attitude.zip(b.attitude).map(|(a, b)| Attitude {
        yaw: between(a.yaw, b.yaw, t),
        pitch: between(a.pitch, b.pitch, t),
        roll: between(a.roll, b.roll, t),
    });
    Fix {
        at,
        recorded_at: a.recorded_at.and_then(|time| time.checked_add(since).ok()),
        position: along(a.position, b.position, t),
        height: a.height.zip(b.height).map(|(a, b)| mix(a, b)),
        attitude,
        focal: a.focal.zip(b.focal).map(|(a, b)| mix(a, b)),
    }
}

fn along(a: GeoPoint, b: GeoPoint, t: f64) -> GeoPoint {
    let frame = LocalFrame::at(a);
    let way = frame.local(b);
    frame.geo(GroundPoint { east: way.east * t, north: way.north * t })
}

/// Spreads positions that a receiver held (a record of 30 a second over positions of 5 or 10 a second) evenly over the
/// way to the next one; otherwise a drone at 10 m/s is up to 2 m behind itself.
fn spread_holds(fixes: &mut [Fix]) {
    let mut start = 0;
    while start < fixes.len() {
        let held = fixes[start].position;
        let next = (start + 1..fixes.len()).find(|i| fixes[*i].position != held).unwrap_or(fixes.len());
        if next < fixes.len() {
            let (from, to) = (fixes[start], fixes[next]);
            let time = to.at.saturating_sub(from.at);
            if time <= HOLD {
                for fix in &mut fixes[start + 1..next] {
                    let t = fix.at.saturating_sub(from.at).as_secs_f64() / time.as_secs_f64();
                    fix.position = along(held, to.position, t);
                }
            }
        }
        start = next;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const HOME: GeoPoint = GeoPoint { latitude: 30.53, longitude: 120.68 };

    fn place(east: f64, north: f64) -> GeoPoint {
        LocalFrame::at(HOME).geo(GroundPoint { east, north })
    }

    /// Flies north at 8 m/s and 60 m, ten samples a second.
    fn flight(seconds: u64) -> Vec<Sample> {
        (0..seconds * 10)
            .map(|n| Sample {
                at: Duration::from_millis(n * 100),
                recorded_at: None,
                position: Some(place(0.0, n as f64 * 0.8)),
                height: Some(60.0),
                altitude: Some(75.0),
                attitude: Some(Attitude { yaw: 0.0, pitch: -90.0, roll: 0.0 }),
                focal: Some(0.7),
            })
            .collect()
    }

    fn track(samples: Vec<Sample>) -> PoseTrack {
        PoseTrack::new(&Reading { samples, ..Reading::default() }, &TrackOptions::default())
    }

    fn north(track: &PoseTrack, seconds: f64) -> Option<f64> {
        let pose = track.pose(Duration::from_secs_f64(seconds))?;
        Some(LocalFrame::at(HOME).local(pose.position).north)
    }

    fn troubles(track: &PoseTrack) -> Vec<(Trouble, f64, f64, usize)> {
        let seconds = Duration::as_secs_f64;
        track
            .report()
            .problems
            .iter()
            .map(|p| (p.trouble, seconds(&p.from), seconds(&p.to), p.samples))
            .collect()
    }

    #[test]
    fn poses_lie_between_samples() {
        let mut samples = flight(3);
        samples[10].attitude = Some(Attitude { yaw: 170.0, pitch: -80.0, roll: 0.0 });
        samples[11].attitude = Some(Attitude { yaw: -170.0, pitch: -90.0, roll: 0.0 });
        let track = track(samples);
        assert!(troubles(&track).is_empty(), "{:?}", track.report());
        assert!((north(&track, 1.05).unwrap() - 8.4).abs() < 1e-6);
        let attitude = track.pose(Duration::from_millis(1050)).unwrap().attitude;
        assert_eq!((attitude.yaw, attitude.pitch), (180.0, -85.0));
        assert!(north(&track, 2.95).is_some(), "a frame after the last sample");
        assert_eq!(north(&track, 4.0), None);
        assert_eq!(track.report().used, 30);
    }

    #[test]
    fn a_hole_has_no_pose_and_is_told() {
        let mut samples = flight(10);
        samples.drain(30..60);
        let track = track(samples);
        assert_eq!(troubles(&track), [(Trouble::Gap, 2.9, 6.0, 0)]);
        assert_eq!(north(&track, 4.0), None);
        assert!(north(&track, 6.05).is_some());
    }

    #[test]
    fn wild_positions_are_out_wherever_they_are() {
        let mut spike = flight(10);
        spike[40].position = Some(place(500.0, 0.0));
        let track_of_spike = track(spike);
        let [(Trouble::Jump(meters), from, to, 1)] = troubles(&track_of_spike)[..] else { panic!() };
        assert!((meters - 500.9).abs() < 1.0 && from == 4.0 && to == 4.0, "{meters}");
        assert!((north(&track_of_spike, 4.0).unwrap() - 32.0).abs() < 1e-6, "interpolated over the hole");

        let mut beginning = flight(20);
        beginning[..30].iter_mut().for_each(|s| s.position = Some(place(9000.0, 0.0)));
        let track = track(beginning);
        assert!(matches!(troubles(&track)[..], [(Trouble::Jump(_), 0.0, 2.9, 30)]), "{:?}", troubles(&track));
        assert_eq!(north(&track, 1.0), None);
        assert!(north(&track, 3.5).is_some());
    }

    #[test]
    fn impossible_values_are_out() {
        let mut samples = flight(5);
        samples[10].position = Some(GeoPoint { latitude: 0.0, longitude: 0.0 });
        samples[20].height = Some(-5.0);
        samples[30].height = Some(2400.0);
        samples[40].attitude = Some(Attitude { yaw: 0.0, pitch: 60.0, roll: 0.0 });
        assert_eq!(
            troubles(&track(samples)),
            [
                (Trouble::NoPosition, 1.0, 1.0, 1),
                (Trouble::ImpossibleHeight(-5.0), 2.0, 2.0, 1),
                (Trouble::ImpossibleHeight(2400.0), 3.0, 3.0, 1),
                (Trouble::LooksUp(60.0), 4.0, 4.0, 1)
            ]
        );
    }

    #[test]
    fn time_that_goes_back_costs_only_what_goes_back() {
        let mut samples = flight(5);
        samples[20].at = Duration::from_millis(500);
        samples[30].at = Duration::from_secs(999);
        let track = track(samples);
        assert_eq!(
            troubles(&track),
            [(Trouble::TimeBackwards, 0.5, 0.5, 1), (Trouble::TimeBackwards, 999.0, 999.0, 1)]
        );
        assert_eq!(track.fixes().len(), 48);
    }

    #[test]
    fn a_position_that_stands_while_the_drone_moves_is_frozen() {
        let mut frozen = flight(20);
        let stuck = frozen[50].position;
        frozen[50..120].iter_mut().for_each(|s| s.position = stuck);
        let track_of_frozen = track(frozen.clone());
        let found = troubles(&track_of_frozen);
        assert_eq!(found[0], (Trouble::Frozen, 5.0, 11.9, 70));
        // Where it thaws, 56 m on, it takes a moment until the way is one that can be flown.
        assert!(matches!(found[1..], [(Trouble::Jump(_), 12.0, _, 3)]), "{found:?}");
        assert_eq!(north(&track_of_frozen, 8.0), None);
        // The very same without anything that moves is a drone that hovers.
        frozen.truncate(120);
        assert!(troubles(&track(frozen.clone())).is_empty());
        frozen[119].height = Some(70.0);
        assert_eq!(troubles(&track(frozen))[0].0, Trouble::Frozen);
    }

    #[test]
    fn positions_that_a_receiver_holds_are_no_jumps_and_are_spread() {
        // One position a second, written ten times, at 20 m/s.
        let mut samples = flight(6);
        for (n, sample) in samples.iter_mut().enumerate() {
            sample.position = Some(place(0.0, (n / 10) as f64 * 20.0));
        }
        let track = track(samples);
        assert!(troubles(&track).is_empty(), "{:?}", troubles(&track));
        assert!((north(&track, 2.25).unwrap() - 45.0).abs() < 1e-3);
    }

    #[test]
    fn what_is_not_known_gives_no_pose() {
        let mut samples = flight(3);
        for sample in &mut samples {
            sample.height = None;
        }
        let reading = Reading { samples, ..Reading::default() };
        let without = PoseTrack::new(&reading, &TrackOptions::default());
        assert_eq!(troubles(&without), [(Trouble::NoHeight, 0.0, 2.9, 30)]);
        assert_eq!(without.pose(Duration::from_secs(1)), None);
        assert!(without.fix(Duration::from_secs(1)).is_some());
        let options = TrackOptions { ground_altitude: Some(15.0), ..TrackOptions::default() };
        let with = PoseTrack::new(&reading, &options);
        assert_eq!(with.pose(Duration::from_secs(1)).unwrap().height, 60.0);
        assert!(with.report().problems.is_empty());
    }

    #[test]
    fn a_camera_without_angles_looks_where_it_flies_if_that_is_assumed() {
        let mut samples = flight(10);
        for (n, sample) in samples.iter_mut().enumerate() {
            // North, then east, then hovering for long.
            let east = n.saturating_sub(50) as f64 * 0.8;
            sample.position = Some(place(east, n.min(50) as f64 * 0.8));
            sample.attitude = None;
        }
        let end = samples[99];
        samples.extend((100..400).map(|n| Sample { at: Duration::from_millis(n * 100), ..end }));
        assert!(troubles(&track(samples.clone())).iter().any(|(t, ..)| *t == Trouble::NoDirection));
        let options = TrackOptions { assumed_pitch: Some(-90.0), ..TrackOptions::default() };
        let track = PoseTrack::new(&Reading { samples, ..Reading::default() }, &options);
        let attitude = |seconds| track.pose(Duration::from_secs(seconds)).map(|p| p.attitude);
        let (north, east) = (attitude(2).unwrap(), attitude(8).unwrap());
        assert!(north.yaw.abs() < 0.1 && (east.yaw - 90.0).abs() < 0.1, "{north:?} {east:?}");
        assert_eq!((north.pitch, attitude(30)), (-90.0, None));
        assert!(track.report().has(|t| *t == Trouble::AssumedDirection));
    }

    #[test]
    fn coarse_positions_are_told_but_not_called_frozen() {
        // Steps of 11 m, as the Matrice 300 writes them while it climbs.
        let mut samples = flight(20);
        for (n, sample) in samples.iter_mut().enumerate() {
            (sample.position, sample.height) = (Some(HOME), Some(n as f64 * 0.3));
        }
        let reading = Reading { samples, resolution: Some(11.1), ..Reading::default() };
        let track = PoseTrack::new(&reading, &TrackOptions::default());
        assert_eq!(troubles(&track), [(Trouble::Coarse(11.1), 0.0, 19.9, 200)]);
        assert!(track.pose(Duration::from_secs(9)).is_some());
    }

    #[test]
    fn one_sample_is_no_track() {
        let track = track(flight(1)[..1].to_vec());
        assert_eq!(troubles(&track), [(Trouble::TooFew, 0.0, 0.0, 1)]);
        assert_eq!(track.pose(Duration::ZERO), None);
        assert_eq!(self::track(Vec::new()).report().problems.len(), 1);
    }

    proptest! {
        #[test]
        fn any_samples_make_a_track_whose_poses_are_possible(
            raw in proptest::collection::vec(
                (0u64..20_000, -90.0f64..=90.0, -180.0f64..=180.0, -100.0f64..2000.0, -180.0f64..180.0), 0..60)
        ) {
            let samples = raw.into_iter().map(|(at, latitude, longitude, height, pitch)| Sample {
                at: Duration::from_millis(at),
                position: GeoPoint::new(latitude, longitude).ok(),
                height: Some(height),
                attitude: Some(Attitude { yaw: pitch, pitch, roll: 0.0 }),
                ..Sample::default()
            }).collect();
            let track = track(samples);
            prop_assert!(track.fixes().windows(2).all(|p| p[0].at < p[1].at));
            for ms in (0..21_000).step_by(130) {
                if let Some(pose) = track.pose(Duration::from_millis(ms)) {
                    prop_assert!(HEIGHTS.contains(&pose.height));
                    prop_assert!(GeoPoint::new(pose.position.latitude, pose.position.longitude).is_ok());
                }
            }
        }
    }
}
