//! Where a dome should look, and whether it does: the state machine of its patrol. Pure: it is told the time and what
//! was seen, and says what to do next. It neither moves a dome nor looks at a picture.
//!
//! ```text
//!           told            still, and the view is the preset's
//! (start) ──────▶ Slewing ▶ Settling ─────────────────────────▶ Watching ──▶ (dwell over: told the next stop)
//!                    ▲  overdue twice: reported, next stop          │ moves, or shows something else
//!                    └──────────── stood still for long ── Away ◀───┘  (an operator has it, or something hides the view)
//! ```
//! Without a patrol in force nobody tells the dome anything: `Away`, until the view is recognised as that of a preset.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use parapet_analytics::Schedule;
use parapet_core::{PresetId, Timestamp, time::seconds_between};

/// Times that a dome is told to go to a preset before it is reported.
const ATTEMPTS: u32 = 2;
/// Longest wait between two looks at a view that nothing recognises.
const LONGEST_LOOK_SECONDS: f64 = 30.0;

/// What a patrol must know of its dome.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    /// Every preset, with how long the picture must have stood still there.
    pub(crate) presets: BTreeMap<PresetId, Duration>,
    /// The rounds; the first that is in force leads.
    pub(crate) rounds: Vec<Round>,
    /// How long the dome may take to arrive.
    pub(crate) overdue: Duration,
    /// How long a dome that an operator moved must have stood still before its round goes on.
    pub(crate) takeover: Duration,
    /// Time between two checks of the aim while it stands.
    pub(crate) recheck: Duration,
    /// Longest absence from a preset of a dome that nobody leads.
    pub(crate) return_within: Duration,
}

/// An order of presets, each with how long to watch there.
#[derive(Debug, Clone)]
pub(crate) struct Round {
    pub(crate) stops: Vec<(PresetId, Duration)>,
    pub(crate) schedule: Schedule,
}

/// What is known at one frame.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sight {
    pub(crate) at: Timestamp,
    /// The picture shows the same view as the one before.
    pub(crate) still: bool,
    /// Whether the dome says that it moves; `None` where it does not say.
    pub(crate) moving: Option<bool>,
}

/// What the dome does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum State {
    /// It was told to go to a preset and has not arrived.
    Slewing { to: PresetId },
    /// Its picture stands still, but not yet long enough.
    Settling { to: Option<PresetId> },
    /// It looks where it should: the only state in which frames are analysed.
    Watching { preset: PresetId },
    /// It looks elsewhere, and nobody here told it to.
    Away,
}

/// What is to be done next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Order {
    /// Send the dome there.
    GoTo(PresetId),
    /// Say with [`Patrol::placed`] whether the view is that of one of these.
    Check(Vec<PresetId>),
}

/// What somebody should know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum News {
    /// The dome does not come back to a preset.
    Lost(PresetId),
    /// It does again.
    Found(PresetId),
    /// It was moved without being told, or its view is hidden.
    WentAway,
}

#[derive(Debug, Clone)]
enum Phase {
    Sent(Journey),
    Watching { preset: PresetId, since: Timestamp, checked_at: Timestamp },
    Away { looks: u32, looked_at: Option<Timestamp> },
}

/// On the way to a preset.
#[derive(Debug, Clone)]
struct Journey {
    to: PresetId,
    told_at: Timestamp,
    /// Times that it was told.
    attempt: u32,
    /// Looks since then that did not show the preset.
    looks: u32,
    looked_at: Option<Timestamp>,
}

/// A dome's patrol.
#[derive(Debug)]
pub(crate) struct Patrol {
    plan: Plan,
    phase: Phase,
    /// The round that leads and the stop on it that the dome was sent to last.
    stop: Option<(usize, usize)>,
    still_since: Option<Timestamp>,
    /// When the view last moved without being told to.
    strayed_at: Option<Timestamp>,
    seen_at: BTreeMap<PresetId, Timestamp>,
    lost: BTreeSet<PresetId>,
    news: Vec<News>,
}

impl Patrol {
    /// A patrol that has told the dome nothing.
    pub(crate) fn new(plan: Plan) -> Self {
        Self {
            plan,
            phase: Phase::Away { looks: 0, looked_at: None },
            stop: None,
            still_since: None,
            strayed_at: None,
            seen_at: BTreeMap::new(),
            lost: BTreeSet::new(),
            news: Vec::new(),
        }
    }

    /// What the dome does as of the latest frame.
    pub(crate) fn state(&self) -> State {
        match (&self.phase, self.still_since) {
            (Phase::Watching { preset, .. }, _) => State::Watching { preset: preset.clone() },
            (Phase::Sent(journey), Some(_)) => State::Settling { to: Some(journey.to.clone()) },
            (Phase::Sent(journey), None) => State::Slewing { to: journey.to.clone() },
            (Phase::Away { looks: 0, .. }, Some(_)) => State::Settling { to: None },
            (Phase::Away { .. }, _) => State::Away,
        }
    }

    /// The presets that the dome does not come back to.
    pub(crate) fn lost(&self) -> &BTreeSet<PresetId> {
        &self.lost
    }

    /// What happened since this was last asked.
    pub(crate) fn take_news(&mut self) -> Vec<News> {
        std::mem::take(&mut self.news)
    }

    /// Forgets what was reported, so that it is reported again if it still holds.
    pub(crate) fn forget_lost(&mut self) {
        self.lost.clear();
    }

    /// Takes in a frame and says what to do.
    pub(crate) fn step(&mut self, sight: Sight) -> Option<Order> {
        let at = sight.at;
        let still = sight.still && sight.moving != Some(true);
        if still {
            self.still_since.get_or_insert(at);
        } else {
            self.still_since = None;
        }
        self.miss_presets(at);
        let leads = self.plan.rounds.iter().position(|round| round.schedule.is_open(at));
        match self.phase.clone() {
            Phase::Sent(_) if leads.is_none() => {
                self.go_away();
                None
            }
            Phase::Sent(journey) => self.arrive(at, journey, leads),
            Phase::Watching { .. } if !still => {
                self.strayed_at = Some(at);
                self.news.push(News::WentAway);
                self.go_away();
                None
            }
            Phase::Watching { preset, since, checked_at } => self.watch(at, preset, since, checked_at, leads),
            Phase::Away { looks, looked_at } => {
                let (looks, looked_at) = if still { (looks, looked_at) } else { (0, None) };
                self.phase = Phase::Away { looks, looked_at };
                if !still {
                    self.strayed_at = self.strayed_at.map(|_| at);
                }
                self.find_way(at, looks, looked_at, leads)
            }
        }
    }

    /// The answer to [`Order::Check`]: which of the presets the view is that of, if any.
    pub(crate) fn placed(&mut self, at: Timestamp, found: Option<PresetId>) {
        match (found, &mut self.phase) {
            (Some(preset), Phase::Watching { .. }) => drop(self.seen_at.insert(preset, at)),
            (Some(preset), _) => {
                self.strayed_at = None;
                self.seen_at.insert(preset.clone(), at);
                if self.lost.remove(&preset) {
                    self.news.push(News::Found(preset.clone()));
                }
                self.phase = Phase::Watching { preset, since: at, checked_at: at };
            }
            (None, Phase::Watching { .. }) => {
                self.news.push(News::WentAway);
                // It did not move: what hides the view may go, and the round goes on in the meantime.
                self.go_away();
            }
            (None, Phase::Sent(_) | Phase::Away { .. }) => {}
        }
    }

    fn arrive(&mut self, at: Timestamp, mut journey: Journey, leads: Option<usize>) -> Option<Order> {
        let told_for = seconds_between(journey.told_at, at);
        let to = journey.to.clone();
        if told_for >= self.plan.overdue.as_secs_f64() {
            // One that was lost before is tried once: the others wait for it.
            if journey.attempt < ATTEMPTS && !self.lost.contains(&to) {
                let attempt = journey.attempt + 1;
                self.phase =
                    Phase::Sent(Journey { attempt, told_at: at, looks: 0, looked_at: None, ..journey });
                return Some(Order::GoTo(to));
            }
            self.lose(to);
            return leads.map(|leads| self.go_on(at, leads));
        }
        let wait = self.settle_of(&to);
        // Right after the order it still stands where it stood: looking then does no harm, it only does not fit.
        if self.still_for(at) >= wait
            && told_for >= wait
            && is_due(journey.looked_at, journey.looks, wait, at)
        {
            (journey.looks, journey.looked_at) = (journey.looks + 1, Some(at));
            self.phase = Phase::Sent(journey);
            return Some(Order::Check(vec![to]));
        }
        None
    }

    fn watch(
        &mut self,
        at: Timestamp,
        preset: PresetId,
        since: Timestamp,
        checked_at: Timestamp,
        leads: Option<usize>,
    ) -> Option<Order> {
        if let Some(leads) = leads {
            let dwell = self.stop.filter(|(round, _)| *round == leads).map(|(_, stop)| {
                let (to, dwell) = &self.plan.rounds[leads].stops[stop];
                if *to == preset { dwell.as_secs_f64() } else { 0.0 }
            });
            if seconds_between(since, at) >= dwell.unwrap_or(0.0) {
                return Some(self.go_on(at, leads));
            }
        }
        if seconds_between(checked_at, at) >= self.plan.recheck.as_secs_f64() {
            self.phase = Phase::Watching { preset: preset.clone(), since, checked_at: at };
            return Some(Order::Check(vec![preset]));
        }
        None
    }

    fn find_way(
        &mut self,
        at: Timestamp,
        looks: u32,
        looked_at: Option<Timestamp>,
        leads: Option<usize>,
    ) -> Option<Order> {
        let quiet =
            self.strayed_at.is_none_or(|last| seconds_between(last, at) >= self.plan.takeover.as_secs_f64());
        if let Some(leads) = leads.filter(|_| quiet) {
            self.strayed_at = None;
            // The stop that was left is taken up again.
            return Some(match self.stop.filter(|(round, _)| *round == leads) {
                Some((round, stop)) => self.send(at, round, stop),
                None => self.go_on(at, leads),
            });
        }
        let candidates: Vec<PresetId> = match (leads, self.stop) {
            (Some(_), Some((round, stop))) => vec![self.plan.rounds[round].stops[stop].0.clone()],
            _ => self.plan.presets.keys().cloned().collect(),
        };
        let wait = candidates.iter().map(|preset| self.settle_of(preset)).fold(0.0, f64::max);
        if self.still_for(at) >= wait && is_due(looked_at, looks, wait, at) {
            self.phase = Phase::Away { looks: looks + 1, looked_at: Some(at) };
            return Some(Order::Check(candidates));
        }
        None
    }

    /// To the stop after the present one; to the first of a round that has just taken the lead.
    fn go_on(&mut self, at: Timestamp, leads: usize) -> Order {
        let stops = &self.plan.rounds[leads].stops;
        let next = match self.stop {
            Some((round, stop)) if round == leads => (stop + 1) % stops.len(),
            _ => 0,
        };
        if let Phase::Watching { preset, since, checked_at } = &mut self.phase
            && *preset == stops[next].0
        {
            // It is there already.
            (*since, *checked_at) = (at, at);
            let preset = preset.clone();
            self.stop = Some((leads, next));
            return Order::Check(vec![preset]);
        }
        self.send(at, leads, next)
    }

    fn send(&mut self, at: Timestamp, round: usize, stop: usize) -> Order {
        let to = self.plan.rounds[round].stops[stop].0.clone();
        self.stop = Some((round, stop));
        self.phase =
            Phase::Sent(Journey { to: to.clone(), told_at: at, attempt: 1, looks: 0, looked_at: None });
        Order::GoTo(to)
    }

    fn go_away(&mut self) {
        self.phase = Phase::Away { looks: 0, looked_at: None };
    }

    fn lose(&mut self, preset: PresetId) {
        if self.lost.insert(preset.clone()) {
            self.news.push(News::Lost(preset));
        }
    }

    /// Presets that a dome with a patrol of its own has not come back to for long.
    fn miss_presets(&mut self, at: Timestamp) {
        if !self.plan.rounds.is_empty() {
            return;
        }
        let limit = self.plan.return_within.as_secs_f64();
        for preset in self.plan.presets.keys().cloned().collect::<Vec<_>>() {
            let seen_at = *self.seen_at.entry(preset.clone()).or_insert(at);
            let here = matches!(&self.phase, Phase::Watching { preset: watched, .. } if *watched == preset);
            if !here && seconds_between(seen_at, at) >= limit {
                self.lose(preset);
            }
        }
    }

    fn still_for(&self, at: Timestamp) -> f64 {
        self.still_since.map_or(-1.0, |since| seconds_between(since, at))
    }

    fn settle_of(&self, preset: &PresetId) -> f64 {
        self.plan.presets.get(preset).map_or(0.0, Duration::as_secs_f64)
    }
}

/// Whether it is time to look at a view again that was not recognised: each time after twice as long.
fn is_due(looked_at: Option<Timestamp>, looks: u32, wait: f64, at: Timestamp) -> bool {
    let pause = (wait.max(1.0) * f64::from(1u32 << looks.saturating_sub(1).min(5))).min(LONGEST_LOOK_SECONDS);
    looked_at.is_none_or(|looked_at| seconds_between(looked_at, at) >= pause)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn preset(name: &str) -> PresetId {
        name.parse().unwrap()
    }

    fn at(seconds: f64) -> Timestamp {
        Timestamp::UNIX_EPOCH + jiff::SignedDuration::from_secs_f64(seconds)
    }

    fn plan(rounds: &[&[(&str, u64)]]) -> Plan {
        let stops = |stops: &[(&str, u64)]| {
            stops.iter().map(|(name, dwell)| (preset(name), Duration::from_secs(*dwell))).collect()
        };
        Plan {
            presets: ["gate", "roof"].map(|name| (preset(name), Duration::from_secs(2))).into(),
            rounds: rounds
                .iter()
                .map(|round| Round { stops: stops(round), schedule: Schedule::default() })
                .collect(),
            overdue: Duration::from_secs(20),
            takeover: Duration::from_secs(30),
            recheck: Duration::from_mins(1),
            return_within: Duration::from_mins(10),
        }
    }

    /// Steps four times a second from `from` to `to`; `looks_at` says what the dome shows, `None` while it turns.
    fn run(
        patrol: &mut Patrol,
        from: f64,
        to: f64,
        looks_at: &dyn Fn(f64) -> Option<&'static str>,
    ) -> Vec<(f64, String)> {
        let mut log = Vec::new();
        for i in 0..((to - from) * 4.0) as u32 {
            let t = from + f64::from(i) / 4.0;
            let shown = looks_at(t);
            let order = patrol.step(Sight { at: at(t), still: shown.is_some(), moving: None });
            log.extend(patrol.take_news().into_iter().map(|news| (t, format!("{news:?}"))));
            match order {
                Some(Order::GoTo(to)) => log.push((t, format!("go to {to}"))),
                Some(Order::Check(of)) => {
                    let found = of.into_iter().find(|preset| Some(preset.as_str()) == shown);
                    patrol.placed(at(t), found);
                }
                None => {}
            }
            log.extend(patrol.take_news().into_iter().map(|news| (t, format!("{news:?}"))));
        }
        log
    }

    #[test]
    fn a_round_goes_from_stop_to_stop_and_watches_only_what_has_settled() {
        let mut patrol = Patrol::new(plan(&[&[("gate", 10), ("roof", 5)]]));
        // Told at 0; turns from 1 to 4.
        let log = run(&mut patrol, 0.0, 5.75, &|t| {
            if t < 1.0 { Some("yard") } else { (t >= 4.0).then_some("gate") }
        });
        assert_eq!(log, [(0.0, "go to gate".to_owned())]);
        assert_eq!(patrol.state(), State::Settling { to: Some(preset("gate")) });
        let log = run(&mut patrol, 5.75, 17.0, &|_| Some("gate"));
        assert_eq!(log, [(16.0, "go to roof".to_owned())]);
        let log = run(&mut patrol, 17.0, 30.0, &|t| (t >= 19.0).then_some("roof"));
        assert_eq!(log, [(26.0, "go to gate".to_owned())]);
    }

    #[test]
    fn a_dome_that_does_not_arrive_is_told_twice_then_reported_once_and_the_round_goes_on() {
        let mut patrol = Patrol::new(plan(&[&[("gate", 10), ("roof", 5)]]));
        let log = run(&mut patrol, 0.0, 45.0, &|t| if t < 41.0 { Some("yard") } else { Some("roof") });
        let told: Vec<&str> = log.iter().map(|(_, what)| what.as_str()).collect();
        assert_eq!(told, ["go to gate", "go to gate", "Lost(PresetId(gate))", "go to roof"]);
        assert_eq!(patrol.state(), State::Watching { preset: preset("roof") });
        // The next time it is tried once and not reported again; when it is there, that is told.
        let log = run(&mut patrol, 45.0, 71.0, &|t| if t < 48.0 { Some("roof") } else { Some("yard") });
        let told: Vec<&str> = log.iter().map(|(_, what)| what.as_str()).collect();
        assert_eq!(told, ["go to gate", "go to roof"]);
        let log = run(&mut patrol, 71.0, 110.0, &|t| if t < 76.0 { Some("roof") } else { Some("gate") });
        assert!(log.iter().any(|(_, what)| what == "Found(PresetId(gate))"), "{log:?}");
        assert!(patrol.lost().is_empty());
    }

    #[test]
    fn an_operators_hand_stops_the_round_until_the_dome_has_stood_still_for_long() {
        let mut patrol = Patrol::new(plan(&[&[("gate", 100), ("roof", 5)]]));
        run(&mut patrol, 0.0, 10.0, &|t| (t > 2.0).then_some("gate"));
        assert_eq!(patrol.state(), State::Watching { preset: preset("gate") });
        // Moved from 10 to 20, then left at the bins.
        let log = run(&mut patrol, 10.0, 60.0, &|t| (t >= 20.0).then_some("bins"));
        let told: Vec<(f64, &str)> = log.iter().map(|(t, what)| (*t, what.as_str())).collect();
        assert_eq!(told, [(10.0, "WentAway"), (49.75, "go to gate")]);
    }

    #[test]
    fn an_operator_who_brings_the_dome_back_is_not_waited_for() {
        let mut patrol = Patrol::new(plan(&[&[("gate", 100), ("roof", 5)]]));
        run(&mut patrol, 0.0, 10.0, &|t| (t > 2.0).then_some("gate"));
        run(&mut patrol, 10.0, 26.0, &|t| if t < 12.0 { None } else { Some("bins") });
        assert_eq!(patrol.state(), State::Away);
        run(&mut patrol, 26.0, 31.0, &|t| if t < 28.0 { None } else { Some("gate") });
        assert_eq!(patrol.state(), State::Watching { preset: preset("gate") });
    }

    #[test]
    fn what_the_dome_says_of_its_motion_counts_as_much_as_the_picture() {
        let mut patrol = Patrol::new(plan(&[&[("gate", 100), ("roof", 5)]]));
        run(&mut patrol, 0.0, 10.0, &|t| (t > 2.0).then_some("gate"));
        patrol.step(Sight { at: at(10.0), still: true, moving: Some(true) });
        assert_eq!(patrol.state(), State::Away);
    }

    #[test]
    fn a_dome_with_its_own_patrol_is_recognised_and_missed() {
        let mut patrol = Patrol::new(plan(&[]));
        let shows = |t: f64| {
            let part = t % 40.0;
            if part < 15.0 {
                Some("gate")
            } else if part < 20.0 {
                None
            } else {
                Some("yard")
            }
        };
        let log = run(&mut patrol, 0.0, 700.0, &shows);
        assert!(log.iter().all(|(_, what)| !what.starts_with("go to")), "{log:?}");
        assert!(log.contains(&(600.0, "Lost(PresetId(roof))".to_owned())), "{log:?}");
        assert!(!patrol.lost().contains(&preset("gate")));
        run(&mut patrol, 700.0, 720.0, &|t| if t < 702.0 { None } else { Some("roof") });
        assert_eq!(patrol.state(), State::Watching { preset: preset("roof") });
        assert!(patrol.lost().is_empty());
    }

    #[test]
    fn outside_its_hours_a_patrol_tells_nothing() {
        let mut night = plan(&[&[("gate", 10), ("roof", 5)]]);
        night.rounds[0].schedule.hours = Some(vec!["22:00-06:00".parse().unwrap()]);
        night.rounds[0].schedule.time_zone = "UTC".parse().unwrap();
        let mut patrol = Patrol::new(night);
        let six = 6.0 * 3600.0;
        let log = run(&mut patrol, six - 20.0, six - 5.0, &|_| Some("gate"));
        assert_eq!(log.len(), 2, "{log:?}");
        let log = run(&mut patrol, six - 5.0, six + 60.0, &|_| Some("gate"));
        assert!(log.iter().all(|(t, _)| *t < six), "{log:?}");
        assert_eq!(patrol.state(), State::Watching { preset: preset("gate") });
    }
}
