//! Whose turn it is: the camera whose promise runs out first, among those whose time has come. Pure: times are handed in.

use std::{collections::BTreeMap, time::Duration};

use parapet_core::CameraId;

/// A camera is visited again when this part of its interval is left, and the time that opening a stream takes.
pub(super) const SLACK: f64 = 0.12;
/// Of the longest openings of late; the rest of the interval must be left for waiting.
const MOST_LEAD: f64 = 0.4;
/// With each visit the longest opening is forgotten by this much.
const FORGET: f64 = 0.01;
/// First visits are spread over this part of the interval.
const SPREAD: f64 = 0.9;
/// Successive multiples of it, modulo one, fill the interval evenly however many cameras there are.
const GOLDEN: f64 = 0.618_033_988_749_895;
/// Of the visits at once, cameras that did not answer last time get one in so many, and one at least.
const DOUBTFUL_ONE_IN: usize = 4;

/// The cameras with what was promised for each, on the scale of a monotonic clock.
#[derive(Debug)]
pub(super) struct Schedule {
    at_once: usize,
    seats: BTreeMap<CameraId, Seat>,
    added: u32,
    /// What a stream took to open, at the longest, of late.
    opening: Duration,
}

#[derive(Debug)]
struct Seat {
    every: Duration,
    /// Of the latest look; before the first one, when the camera came.
    looked_at: Duration,
    /// Longest time to the next look, as it was when the latest one was taken.
    promised: Duration,
    /// Not visited before.
    release: Duration,
    visit: Option<Duration>,
    /// The latest visit saw nothing.
    failing: bool,
}

impl Seat {
    fn due(&self) -> Duration {
        self.looked_at + self.promised
    }
}

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Turn {
    /// Visit this camera, now.
    Visit(CameraId),
    /// Nothing for so long; without a time, until something changes.
    Wait(Option<Duration>),
}

/// A look at a camera.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Looked {
    /// Time since the look before, at the first since the camera came; `None` after the camera did not answer.
    pub(super) interval: Option<Duration>,
    /// It came later than promised.
    pub(super) late: bool,
    /// The interval that is asked for.
    pub(super) asked: Duration,
}

impl Schedule {
    pub(super) fn new(at_once: usize) -> Self {
        Self { at_once, seats: BTreeMap::new(), added: 0, opening: Duration::from_millis(500) }
    }

    /// A camera that is to be looked at at least `every` so long, or what became of that by `stretch`.
    pub(super) fn add(&mut self, camera: CameraId, every: Duration, stretch: f64, now: Duration) {
        let phase = (f64::from(self.added) * GOLDEN).fract() * SPREAD;
        self.added += 1;
        let promised = every.mul_f64(stretch);
        let lead = self.lead(promised);
        let release = now + promised.saturating_sub(lead).mul_f64(phase);
        let seat = Seat { every, looked_at: now, promised, release, visit: None, failing: false };
        self.seats.insert(camera, seat);
    }

    pub(super) fn remove(&mut self, camera: &CameraId) {
        self.seats.remove(camera);
    }

    /// Whose turn it is. A camera that is named is being visited until [`Self::ended`].
    pub(super) fn next(&mut self, now: Duration) -> Turn {
        let busy = self.seats.values().filter(|seat| seat.visit.is_some());
        let (all, doubtful) =
            busy.fold((0, 0), |(all, doubtful), seat| (all + 1, doubtful + usize::from(seat.failing)));
        if all >= self.at_once {
            return Turn::Wait(None);
        }
        // Who does not answer must not keep the others waiting.
        let has_room = |seat: &Seat| !seat.failing || doubtful < (self.at_once / DOUBTFUL_ONE_IN).max(1);
        let waiting = || self.seats.iter().filter(|(_, seat)| seat.visit.is_none() && has_room(seat));
        let first = waiting().filter(|(_, seat)| seat.release <= now).min_by_key(|(_, seat)| seat.due());
        let Some(camera) = first.map(|(camera, _)| camera.clone()) else {
            let release = waiting().map(|(_, seat)| seat.release).min();
            return Turn::Wait(release.map(|release| release.saturating_sub(now)));
        };
        if let Some(seat) = self.seats.get_mut(&camera) {
            seat.visit = Some(now);
        }
        Turn::Visit(camera)
    }

    /// A picture of the camera was looked at.
    pub(super) fn looked(&mut self, camera: &CameraId, stretch: f64, now: Duration) -> Option<Looked> {
        let seat = self.seats.get_mut(camera)?;
        let interval = now.saturating_sub(seat.looked_at);
        let looked = Looked {
            interval: (!seat.failing).then_some(interval),
            late: !seat.failing && interval > seat.promised,
            asked: seat.every,
        };
        if let Some(begun) = seat.visit.filter(|begun| *begun >= seat.looked_at) {
            self.opening = self.opening.mul_f64(1.0 - FORGET).max(now.saturating_sub(begun));
        }
        (seat.looked_at, seat.promised, seat.failing) = (now, seat.every.mul_f64(stretch), false);
        Some(looked)
    }

    /// A visit is over; `saw` nothing: the camera has its next turn after its interval like any other.
    pub(super) fn ended(&mut self, camera: &CameraId, saw: bool, stretch: f64, now: Duration) {
        let lead = self.seats.get(camera).map(|seat| self.lead(seat.promised));
        let (Some(seat), Some(lead)) = (self.seats.get_mut(camera), lead) else { return };
        seat.visit = None;
        seat.failing = !saw;
        if !saw {
            (seat.looked_at, seat.promised) = (now, seat.every.mul_f64(stretch));
        }
        seat.release = seat.due().saturating_sub(lead);
    }

    /// How long before its promise runs out a camera gets its turn.
    fn lead(&self, promised: Duration) -> Duration {
        (promised.mul_f64(SLACK) + self.opening.mul_f64(1.5)).min(promised.mul_f64(MOST_LEAD))
    }

    /// The longest time for which a camera that answers has not been looked at, and what was promised at most.
    pub(super) fn longest(&self, now: Duration) -> (Duration, Duration) {
        let answering = || self.seats.values().filter(|seat| !seat.failing);
        let longest = answering().map(|seat| now.saturating_sub(seat.looked_at)).max();
        let promised = self.seats.values().map(|seat| seat.promised).max();
        (longest.unwrap_or_default(), promised.unwrap_or_default())
    }

    /// Cameras in all, and those of them that did not answer last time.
    pub(super) fn count(&self) -> (usize, usize) {
        (self.seats.len(), self.seats.values().filter(|seat| seat.failing).count())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EVERY: Duration = Duration::from_secs(30);

    fn camera(n: usize) -> CameraId {
        format!("c{n:03}").parse().unwrap()
    }

    /// What a simulated round came to.
    #[derive(Debug, Default)]
    struct Round {
        intervals: Vec<f64>,
        late: u32,
        visits: u32,
        longest: f64,
        most_at_once: usize,
    }

    /// Cameras with visits of so long, some of which never answer, for a time, in steps of 25 ms.
    fn run(cameras: usize, at_once: usize, visit: f64, dead: usize, patience: f64, seconds: u64) -> Round {
        let mut schedule = Schedule::new(at_once);
        for n in 0..cameras {
            schedule.add(camera(n), EVERY, 1.0, Duration::ZERO);
        }
        let mut round = Round::default();
        // Visits that run: who, when it looks, when it ends.
        let mut running: Vec<(CameraId, Option<Duration>, Duration)> = Vec::new();
        for step in 0..seconds * 40 {
            let now = Duration::from_millis(step * 25);
            for (camera, look, _) in &mut running {
                if look.is_some_and(|at| at <= now) {
                    *look = None;
                    let looked = schedule.looked(camera, 1.0, now).unwrap();
                    round.intervals.extend(looked.interval.map(|i| i.as_secs_f64()));
                    round.late += u32::from(looked.late);
                }
            }
            for (camera, _, _) in running.extract_if(.., |(_, _, end)| *end <= now) {
                let saw = camera.as_str() >= format!("c{dead:03}").as_str();
                schedule.ended(&camera, saw, 1.0, now);
            }
            while let Turn::Visit(next) = schedule.next(now) {
                let dead = next.as_str() < format!("c{dead:03}").as_str();
                let took = Duration::from_secs_f64(if dead { patience } else { visit });
                running.push((next, (!dead).then(|| now + took.mul_f64(0.4)), now + took));
                round.visits += 1;
            }
            round.most_at_once = round.most_at_once.max(running.len());
            round.longest = round.longest.max(schedule.longest(now).0.as_secs_f64());
        }
        round
    }

    #[test]
    fn a_compound_is_looked_at_within_its_interval_and_not_much_more_often() {
        let round = run(364, 32, 1.6, 0, 5.0, 600);
        assert_eq!(round.late, 0);
        assert!(round.longest <= 30.0, "{}", round.longest);
        let mean = round.intervals.iter().sum::<f64>() / round.intervals.len() as f64;
        assert!((22.0..30.0).contains(&mean), "{mean}");
        assert!(round.most_at_once <= 32, "{}", round.most_at_once);
        // Evenly over the interval, or there would be more at once.
        assert!(round.most_at_once <= 30, "{}", round.most_at_once);
    }

    #[test]
    fn cameras_that_do_not_answer_keep_no_other_waiting() {
        let round = run(200, 24, 1.6, 100, 5.0, 400);
        assert_eq!(round.late, 0, "{:?}", round.longest);
        assert!(round.longest <= 30.0, "{}", round.longest);
    }

    #[test]
    fn the_camera_whose_promise_runs_out_first_comes_first() {
        let mut schedule = Schedule::new(1);
        let at = Duration::from_secs;
        schedule.add(camera(0), at(60), 1.0, at(0));
        schedule.add(camera(1), at(10), 1.0, at(0));
        assert_eq!(schedule.next(at(60)), Turn::Visit(camera(1)));
        assert_eq!(schedule.next(at(60)), Turn::Wait(None), "one at once");
        let looked = schedule.looked(&camera(1), 1.0, at(61)).unwrap();
        assert_eq!(looked, Looked { interval: Some(at(61)), late: true, asked: at(10) });
        schedule.ended(&camera(1), true, 1.0, at(62));
        assert_eq!(schedule.next(at(62)), Turn::Visit(camera(0)));
    }

    #[test]
    fn a_stretched_promise_holds_from_the_next_look_on() {
        let mut schedule = Schedule::new(1);
        let at = Duration::from_secs;
        schedule.add(camera(0), EVERY, 1.0, at(0));
        assert_eq!(schedule.next(at(1)), Turn::Visit(camera(0)));
        schedule.looked(&camera(0), 2.0, at(2));
        schedule.ended(&camera(0), true, 2.0, at(3));
        assert_eq!(schedule.longest(at(40)), (at(38), at(60)));
        let Turn::Wait(Some(wait)) = schedule.next(at(3)) else { panic!("it was just looked at") };
        assert!((at(40)..at(59)).contains(&wait), "{wait:?}");
        let late = |seconds| schedule_looked(&schedule, seconds);
        assert!(!late(62) && late(63));
    }

    fn schedule_looked(schedule: &Schedule, seconds: u64) -> bool {
        let seat = &schedule.seats[&camera(0)];
        Duration::from_secs(seconds) > seat.due()
    }

    #[test]
    fn a_camera_that_fails_is_tried_again_after_its_interval_and_counts_no_interval() {
        let mut schedule = Schedule::new(2);
        let at = Duration::from_secs;
        schedule.add(camera(0), EVERY, 1.0, at(0));
        assert_eq!(schedule.next(at(0)), Turn::Visit(camera(0)));
        schedule.ended(&camera(0), false, 1.0, at(5));
        assert_eq!(schedule.longest(at(6)).0, Duration::ZERO);
        assert_eq!(schedule.count(), (1, 1));
        let Turn::Wait(Some(wait)) = schedule.next(at(5)) else { panic!("it was just tried") };
        assert!(wait <= EVERY && wait >= EVERY / 2, "{wait:?}");
        assert_eq!(schedule.next(at(35)), Turn::Visit(camera(0)));
        let looked = schedule.looked(&camera(0), 1.0, at(36)).unwrap();
        assert_eq!(looked, Looked { interval: None, late: false, asked: EVERY });
        schedule.ended(&camera(0), true, 1.0, at(37));
        assert_eq!(schedule.count(), (1, 0));
        assert_eq!(schedule.longest(at(40)).0, at(4));
    }
}
