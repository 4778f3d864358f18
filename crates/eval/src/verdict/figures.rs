//! What verdicts come to: precision by kind, rule, camera, hour and score, each with its interval. Verdicts tell of what was
//! raised, never of what was missed: there is no recall in here.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{Timestamp, tz::TimeZone};
use parapet_core::{JudgedIncident, Verdict};
use serde::{Deserialize, Serialize};

use crate::metric::interval::Interval;

/// 0.975 quantile of the normal distribution: intervals hold with 95 % confidence.
const Z: f64 = 1.959_963_984_540_054;

/// Steps of the score, 0 to 1.
pub const STEPS: u32 = 20;

/// The share `successes / trials` and the interval in which it lies with 95 % confidence: the score interval of Wilson,
/// "Probable inference, the law of succession, and statistical inference", Journal of the American Statistical Association
/// 22 (1927), 209–212. Right for few trials and for shares of 0 and 1, too. It takes the trials as independent; alarms that
/// come in swarms (the same tree, the same afternoon) tell less than their number. `None` without trials.
pub fn wilson(successes: u64, trials: u64) -> Option<Interval> {
    if trials == 0 {
        return None;
    }
    let n = trials as f64;
    let estimate = successes as f64 / n;
    let spread = Z * Z / n;
    let middle = (estimate + spread / 2.0) / (1.0 + spread);
    let half = Z / (1.0 + spread) * (estimate * (1.0 - estimate) / n + spread / (4.0 * n)).sqrt();
    // Where none or all succeeded, the end is exact.
    let low = if successes == 0 { 0.0 } else { middle - half };
    let high = if successes == trials { 1.0 } else { middle + half };
    Some(Interval { estimate, low, high })
}

/// Verdicts, counted.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Share {
    /// Violations.
    pub confirmed: u64,
    /// No violations.
    pub dismissed: u64,
    /// Confirmed among all judged, with its 95 % interval; none if nothing was judged.
    pub precision: Option<Interval>,
}

impl Share {
    fn new(confirmed: u64, dismissed: u64) -> Self {
        Self { confirmed, dismissed, precision: wilson(confirmed, confirmed + dismissed) }
    }

    fn of<'a>(judged: impl IntoIterator<Item = &'a JudgedIncident>) -> Self {
        let mut counts = [0, 0];
        for incident in judged {
            counts[usize::from(incident.verdict == Verdict::Dismissed)] += 1;
        }
        Self::new(counts[0], counts[1])
    }

    /// All that were judged.
    pub fn judged(&self) -> u64 {
        self.confirmed + self.dismissed
    }
}

/// Verdicts that have something in common.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Group {
    /// What: a code, a name, or `site/node/camera`, to which `/rule` may be added.
    pub name: String,
    /// The verdicts.
    pub share: Share,
    /// For a camera over a span that was named: dismissed incidents for each day of it.
    pub false_alarms_per_day: Option<f64>,
}

/// Dismissals for one reason.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Reason {
    /// The reason's code; none where none was given.
    pub code: Option<String>,
    /// How many.
    pub dismissed: u64,
    /// Their share of all judged incidents, with its 95 % interval.
    pub of_judged: Interval,
}

/// Verdicts by score, so that a threshold can be chosen.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ScoreCurve {
    /// Code of the kind; none for all kinds together.
    pub kind: Option<String>,
    /// [`STEPS`] steps of equal width; a score of 1 is in the last.
    pub steps: Vec<ScoreStep>,
}

/// One step of the score.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ScoreStep {
    /// The least score of the step.
    pub score: f64,
    /// Confirmed with a score in this step.
    pub confirmed: u64,
    /// Dismissed with a score in this step.
    pub dismissed: u64,
    /// What a threshold of [`score`](Self::score) would leave of what was judged.
    pub at_least: Share,
    /// Share of the confirmed that this threshold would keep; none if none was confirmed.
    pub confirmed_kept: Option<f64>,
}

/// All figures. Groups stand by falling number of dismissals: what costs the operators most comes first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Figures {
    /// The span that was named, from its first moment …
    pub from: Option<Timestamp>,
    /// … to before this one.
    pub to: Option<Timestamp>,
    /// Start of the first judged incident.
    pub first_started_at: Option<Timestamp>,
    /// Start of the last one.
    pub last_started_at: Option<Timestamp>,
    /// All together.
    pub all: Share,
    /// Dismissed incidents for each day of the named span and each camera with a verdict in it; none without a span, for
    /// the time from the first to the last verdict is not the time that was watched.
    pub false_alarms_per_camera_day: Option<f64>,
    /// By kind.
    pub kinds: Vec<Group>,
    /// By name of the rule, over all cameras.
    pub rules: Vec<Group>,
    /// By camera.
    pub cameras: Vec<Group>,
    /// By rule of a camera: what can be tuned.
    pub camera_rules: Vec<Group>,
    /// By hour of the day at which the alarm came, 0 to 23.
    pub hours: Vec<Share>,
    /// Reasons of dismissals.
    pub reasons: Vec<Reason>,
    /// By score: all kinds, then each kind.
    pub scores: Vec<ScoreCurve>,
}

/// Which verdicts count, and when it is which hour.
#[derive(Debug, Clone)]
pub struct Scope {
    /// Incidents that started at or after.
    pub from: Option<Timestamp>,
    /// Incidents that started before.
    pub to: Option<Timestamp>,
    /// Where the hours are those of the clock on the wall.
    pub time_zone: TimeZone,
}

impl Scope {
    /// Whether an incident counts.
    pub fn holds(&self, incident: &JudgedIncident) -> bool {
        self.from.is_none_or(|from| incident.started_at >= from)
            && self.to.is_none_or(|to| incident.started_at < to)
    }

    /// Length of the span in days, if both of its ends are named.
    fn days(&self) -> Option<f64> {
        let seconds = self.to?.duration_since(self.from?).as_secs_f64();
        (seconds > 0.0).then_some(seconds / 86_400.0)
    }
}

impl Figures {
    /// The figures of those incidents that `scope` holds; each incident is to be there once.
    pub fn of(judged: &[JudgedIncident], scope: &Scope) -> Self {
        let judged: Vec<&JudgedIncident> = judged.iter().filter(|incident| scope.holds(incident)).collect();
        let all = Share::of(judged.iter().copied());
        let camera = |i: &JudgedIncident| format!("{}/{}/{}", i.site, i.node, i.camera);
        let mut cameras = groups(&judged, &camera);
        let days = scope.days();
        for group in &mut cameras {
            group.false_alarms_per_day = days.map(|days| group.share.dismissed as f64 / days);
        }
        let camera_days = days.filter(|_| !cameras.is_empty()).map(|days| days * cameras.len() as f64);
        let mut hours = vec![[0, 0]; 24];
        for incident in &judged {
            let hour = incident.started_at.to_zoned(scope.time_zone.clone()).hour();
            hours[hour as usize][usize::from(incident.verdict == Verdict::Dismissed)] += 1;
        }
        let kinds: BTreeSet<&str> = judged.iter().map(|incident| incident.kind.as_str()).collect();
        let mut scores = vec![curve(None, &judged)];
        scores.extend(kinds.into_iter().map(|kind| {
            let of_kind: Vec<_> = judged.iter().copied().filter(|i| i.kind.as_str() == kind).collect();
            curve(Some(kind), &of_kind)
        }));
        Self {
            from: scope.from,
            to: scope.to,
            first_started_at: judged.iter().map(|incident| incident.started_at).min(),
            last_started_at: judged.iter().map(|incident| incident.started_at).max(),
            all,
            false_alarms_per_camera_day: camera_days.map(|days| all.dismissed as f64 / days),
            kinds: groups(&judged, &|i| i.kind.to_string()),
            rules: groups(&judged, &|i| i.rule.to_string()),
            cameras,
            camera_rules: groups(&judged, &|i| format!("{}/{}", camera(i), i.rule)),
            hours: hours.into_iter().map(|[confirmed, dismissed]| Share::new(confirmed, dismissed)).collect(),
            reasons: reasons(&judged),
            scores,
        }
    }
}

fn groups(judged: &[&JudgedIncident], name: &dyn Fn(&JudgedIncident) -> String) -> Vec<Group> {
    let mut of: BTreeMap<String, Vec<&JudgedIncident>> = BTreeMap::new();
    for incident in judged {
        of.entry(name(incident)).or_default().push(incident);
    }
    let mut groups: Vec<Group> = of
        .into_iter()
        .map(|(name, judged)| Group { name, share: Share::of(judged), false_alarms_per_day: None })
        .collect();
    groups.sort_by_key(|group| std::cmp::Reverse(group.share.dismissed));
    groups
}

fn reasons(judged: &[&JudgedIncident]) -> Vec<Reason> {
    let mut counts: BTreeMap<Option<&str>, u64> = BTreeMap::new();
    for incident in judged.iter().filter(|incident| incident.verdict == Verdict::Dismissed) {
        *counts.entry(incident.reason.as_deref()).or_default() += 1;
    }
    let mut reasons: Vec<Reason> = counts
        .into_iter()
        .filter_map(|(code, dismissed)| {
            let of_judged = wilson(dismissed, judged.len() as u64)?;
            Some(Reason { code: code.map(str::to_owned), dismissed, of_judged })
        })
        .collect();
    reasons.sort_by_key(|reason| std::cmp::Reverse(reason.dismissed));
    reasons
}

fn curve(kind: Option<&str>, judged: &[&JudgedIncident]) -> ScoreCurve {
    let mut counts = [[0_u64; 2]; STEPS as usize];
    for incident in judged {
        // A threshold is compared in the numbers that incidents have: 0.35 is at least 0.35.
        let step = (0..STEPS).rev().find(|step| incident.score >= lower_edge(*step) as f32).unwrap_or(0);
        counts[step as usize][usize::from(incident.verdict == Verdict::Dismissed)] += 1;
    }
    let all_confirmed: u64 = counts.iter().map(|[confirmed, _]| confirmed).sum();
    let mut steps = Vec::with_capacity(counts.len());
    for step in 0..STEPS {
        let above = &counts[step as usize..];
        let [confirmed, dismissed] = counts[step as usize];
        let at_least = Share::new(above.iter().map(|c| c[0]).sum(), above.iter().map(|c| c[1]).sum());
        let confirmed_kept = (all_confirmed > 0).then(|| at_least.confirmed as f64 / all_confirmed as f64);
        steps.push(ScoreStep { score: lower_edge(step), confirmed, dismissed, at_least, confirmed_kept });
    }
    ScoreCurve { kind: kind.map(str::to_owned), steps }
}

fn lower_edge(step: u32) -> f64 {
    f64::from(step) / f64::from(STEPS)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verdict::fixture::judged;
    use Verdict::{Confirmed, Dismissed};

    fn everything() -> Scope {
        Scope { from: None, to: None, time_zone: TimeZone::UTC }
    }

    #[track_caller]
    fn close(interval: Option<Interval>, [estimate, low, high]: [f64; 3]) {
        let i = interval.unwrap();
        for (is, should) in [(i.estimate, estimate), (i.low, low), (i.high, high)] {
            assert!((is - should).abs() < 5e-5, "{i:?} is not {estimate} {low}–{high}");
        }
    }

    #[test]
    fn the_interval_is_the_one_of_wilson() {
        // Newcombe, "Two-sided confidence intervals for the single proportion", Statistics in Medicine 17 (1998),
        // table I, method 3: 81/263, 15/148, 0/20, 1/29.
        close(wilson(81, 263), [0.30798, 0.2553, 0.3662]);
        close(wilson(15, 148), [0.10135, 0.0624, 0.1605]);
        close(wilson(0, 20), [0.0, 0.0, 0.1611]);
        close(wilson(1, 29), [0.03448, 0.0061, 0.1718]);
        close(wilson(20, 20), [1.0, 0.8389, 1.0]);
        assert_eq!(wilson(0, 0), None);
    }

    #[test]
    fn precision_is_counted_by_kind_rule_camera_and_reason() {
        let mut set = vec![
            judged("a", Confirmed, 0.9),
            judged("b", Dismissed, 0.5),
            judged("c", Dismissed, 0.5),
            judged("d", Confirmed, 0.5),
            judged("e", Dismissed, 0.4),
        ];
        set[3].camera = "yard".parse().unwrap();
        set[4].camera = "yard".parse().unwrap();
        set[4].rule = "bikes".parse().unwrap();
        set[4].kind = "misparked_ebike".parse().unwrap();
        set[4].reason = None;
        let figures = Figures::of(&set, &everything());
        let counts = |groups: &[Group]| -> Vec<(String, u64, u64)> {
            groups.iter().map(|g| (g.name.clone(), g.share.confirmed, g.share.dismissed)).collect()
        };
        let named = |name: &str, confirmed, dismissed| (name.to_owned(), confirmed, dismissed);
        assert_eq!((figures.all.confirmed, figures.all.dismissed, figures.all.judged()), (2, 3, 5));
        close(figures.all.precision, [0.4, 0.1176, 0.7693]);
        assert_eq!(counts(&figures.kinds), [named("stray_dog", 2, 2), named("misparked_ebike", 0, 1)]);
        assert_eq!(counts(&figures.rules), [named("dogs", 2, 2), named("bikes", 0, 1)]);
        assert_eq!(
            counts(&figures.cameras),
            [named("harbour/n1/gate", 1, 2), named("harbour/n1/yard", 1, 1)]
        );
        assert_eq!(
            counts(&figures.camera_rules),
            [
                named("harbour/n1/gate/dogs", 1, 2),
                named("harbour/n1/yard/bikes", 0, 1),
                named("harbour/n1/yard/dogs", 1, 0)
            ]
        );
        let reasons: Vec<_> = figures.reasons.iter().map(|r| (r.code.as_deref(), r.dismissed)).collect();
        assert_eq!(reasons, [(Some("wrong_object"), 2), (None, 1)]);
        close(Some(figures.reasons[0].of_judged), [0.4, 0.1176, 0.7693]);
    }

    #[test]
    fn the_hour_is_that_of_the_place() {
        let mut late = judged("late", Dismissed, 0.5);
        late.started_at = "2026-11-22T17:59:59.999Z".parse().unwrap();
        let mut early = judged("early", Confirmed, 0.5);
        early.started_at = "2026-11-22T18:00:00Z".parse().unwrap();
        let set = [late, early];
        let hours = |zone: &str| {
            let scope = Scope { time_zone: crate::verdict::time_zone(zone).unwrap(), ..everything() };
            let hours = Figures::of(&set, &scope).hours;
            assert_eq!(hours.len(), 24);
            let some = hours.iter().enumerate().filter(|(_, share)| share.judged() > 0);
            some.map(|(hour, share)| (hour, share.confirmed, share.dismissed)).collect::<Vec<_>>()
        };
        assert_eq!(hours("UTC"), [(17, 0, 1), (18, 1, 0)]);
        assert_eq!(hours("Asia/Shanghai"), [(1, 0, 1), (2, 1, 0)]);
        assert_eq!(hours("Asia/Kolkata"), [(23, 1, 1)]);
    }

    #[test]
    fn a_named_span_narrows_and_gives_false_alarms_for_each_camera_day() {
        let at = |name: &str, verdict, text: &str, camera: &str| {
            let mut incident = judged(name, verdict, 0.5);
            (incident.started_at, incident.camera) = (text.parse().unwrap(), camera.parse().unwrap());
            incident
        };
        let set = [
            at("before", Dismissed, "2026-11-01T00:00:00Z", "gate"),
            at("first", Dismissed, "2026-11-02T00:00:00Z", "gate"),
            at("second", Dismissed, "2026-11-03T12:00:00Z", "gate"),
            at("third", Confirmed, "2026-11-03T13:00:00Z", "yard"),
            at("after", Dismissed, "2026-11-06T00:00:00Z", "gate"),
        ];
        let span = Scope {
            from: Some("2026-11-02T00:00:00Z".parse().unwrap()),
            to: Some("2026-11-06T00:00:00Z".parse().unwrap()),
            ..everything()
        };
        let figures = Figures::of(&set, &span);
        assert_eq!((figures.all.confirmed, figures.all.dismissed), (1, 2));
        assert_eq!(figures.first_started_at, Some(set[1].started_at));
        assert_eq!(figures.last_started_at, Some(set[3].started_at));
        // Two in four days of two cameras.
        assert_eq!(figures.false_alarms_per_camera_day, Some(0.25));
        let by_camera: Vec<_> = figures.cameras.iter().map(|camera| camera.false_alarms_per_day).collect();
        assert_eq!(by_camera, [Some(0.5), Some(0.0)]);
        let open = Figures::of(&set, &Scope { to: None, ..span });
        assert_eq!((open.all.judged(), open.false_alarms_per_camera_day), (4, None));
        assert!(open.cameras.iter().all(|camera| camera.false_alarms_per_day.is_none()));
    }

    #[test]
    fn a_threshold_can_be_chosen() {
        let set = [
            judged("a", Dismissed, 0.0),
            judged("b", Dismissed, 0.349_999),
            judged("c", Dismissed, 0.35),
            judged("d", Confirmed, 0.35),
            judged("e", Confirmed, 0.95),
            judged("f", Confirmed, 1.0),
        ];
        let figures = Figures::of(&set, &everything());
        assert_eq!(figures.scores.len(), 2);
        assert_eq!(figures.scores[1].kind.as_deref(), Some("stray_dog"));
        assert_eq!(figures.scores[0].steps, figures.scores[1].steps);
        let steps = &figures.scores[0].steps;
        assert_eq!(steps.len(), 20);
        let in_step = |n: usize| (steps[n].score, steps[n].confirmed, steps[n].dismissed);
        assert_eq!(in_step(0), (0.0, 0, 1));
        assert_eq!(in_step(6), (0.3, 0, 1));
        assert_eq!(in_step(7), (0.35, 1, 1));
        assert_eq!(in_step(19), (0.95, 2, 0));
        let precision = |n: usize| steps[n].at_least.precision.unwrap().estimate;
        assert_eq!((precision(0), precision(7), precision(8)), (0.5, 0.75, 1.0));
        assert_eq!((steps[7].confirmed_kept, steps[8].confirmed_kept), (Some(1.0), Some(2.0 / 3.0)));
    }

    #[test]
    fn nothing_judged_gives_no_figure() {
        let figures = Figures::of(&[], &everything());
        assert_eq!((figures.all.precision, figures.first_started_at), (None, None));
        assert!(figures.cameras.is_empty() && figures.reasons.is_empty());
        assert_eq!(figures.scores.len(), 1);
        assert_eq!(figures.scores[0].steps[0].confirmed_kept, None);
        assert_eq!(figures.false_alarms_per_camera_day, None);
    }
}
