//! One frame from pixels to events: the verbs in their order, synchronous. Edge, eval, tests and benches call this one.

mod looks;

use std::{collections::BTreeMap, sync::Arc};

use parapet_core::{
    BBox, CameraId, ChangeDetector, DetectError, Detection, Detector, EndReason, Frame, IncidentEvent, Line,
    PresetId, RuleId, RunId, SceneChange, Timestamp, Track, TrackId, Zone, ZoneId, geo::GroundMap,
    time::seconds_between,
};

use crate::{
    Gate, GateConfig, Group, IncidentBook, LineCrossing, Look, Movement, OpenIncident, PresenceConfig,
    RuleConfig, Seconds, StandingConfig, StandingMemory, Stir, Tracker, TrackerConfig,
    line::LineWatch,
    rule::{Findings, Rule, SELDOM_SECONDS},
    runners::Runners,
    scene::Scene,
    zone::{ZonePresence, is_ignored},
};

/// All that analytics must know about one view.
#[derive(Debug, Clone, PartialEq)]
pub struct PipelineConfig {
    /// The camera.
    pub camera: CameraId,
    /// The preset of a dome.
    pub preset: Option<PresetId>,
    /// Where the view's picture shows the ground, if that is known.
    pub ground: Option<GroundMap>,
    /// The view's zones. What lies in a zone with the purpose `ignore` is left out of everything.
    pub zones: Vec<Zone>,
    /// Lines whose crossings are reported, by name.
    pub lines: BTreeMap<ZoneId, Line>,
    /// How objects are followed.
    pub tracker: TrackerConfig,
    /// What counts as standing.
    pub standing: StandingConfig,
    /// When something is in a zone.
    pub presence: PresenceConfig,
    /// The rules, by name.
    pub rules: BTreeMap<RuleId, RuleConfig>,
    /// Which frames the model looks at; all of them when left out.
    pub gate: Option<GateConfig>,
    /// The view is looked at by visits of a few frames, at most so long apart; without it, all the time. Whatever forgets
    /// with time (the tracker, the memory of what stands, the book) waits for another visit before it does.
    pub longest_gap: Option<Seconds>,
}

impl PipelineConfig {
    /// A view without zones and rules, with the usual settings.
    pub fn new(camera: CameraId) -> Self {
        Self {
            camera,
            preset: None,
            ground: None,
            zones: Vec::new(),
            lines: BTreeMap::new(),
            tracker: TrackerConfig::default(),
            standing: StandingConfig::default(),
            presence: PresenceConfig::default(),
            rules: BTreeMap::new(),
            gate: None,
            longest_gap: None,
        }
    }
}

/// What came of one frame.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// The engine was behind: nobody looked at this frame, and nothing was concluded from it.
    pub shed: bool,
    /// The model did not look at all of the frame: nothing moves, and what the latest look found holds on at this frame's
    /// time; or the frame was there for what runs about alone, and nothing new does.
    pub held: bool,
    /// What the model saw, without what lies in ignored zones.
    pub detections: Vec<Detection>,
    /// All tracks. The tracker works on in the same memory if this is dropped before the next step, and copies it if not.
    pub tracks: Arc<Vec<Track>>,
    /// Tracks and places that were in this frame taken for standing things, by track.
    pub standing: Vec<TrackId>,
    /// What is new in the view.
    pub change: SceneChange,
    /// Lines crossed in this frame.
    pub crossings: Vec<LineCrossing>,
    /// What happened to incidents.
    pub events: Vec<IncidentEvent>,
    /// Incidents that go on.
    pub open: Vec<OpenIncident>,
}

impl Step {
    /// What comes of a frame that is not analysed: nothing. `open` incidents go on.
    pub fn unlooked(open: Vec<OpenIncident>) -> Self {
        Self {
            shed: false,
            held: false,
            detections: Vec::new(),
            tracks: Arc::default(),
            standing: Vec::new(),
            change: SceneChange::unknown(),
            crossings: Vec::new(),
            events: Vec::new(),
            open,
        }
    }
}

/// Of the longest time between two visits, the part after which a frame belongs to another visit.
const VISIT_PART: f64 = 0.5;

/// Watches one view.
pub struct Pipeline {
    zones: Vec<Zone>,
    detector: Box<dyn Detector>,
    change: Option<Box<dyn ChangeDetector>>,
    tracker: Tracker,
    standing: StandingMemory,
    lines: LineWatch,
    track_zones: ZonePresence<TrackId>,
    thing_zones: ZonePresence<u64>,
    rules: Vec<Rule>,
    book: IncidentBook,
    run: Option<RunId>,
    gate: Option<(Gate, Stir)>,
    /// In the latest frame.
    movement: Option<Movement>,
    /// A frame that comes so many seconds after the one before begins a visit.
    visit_after: Option<f64>,
    /// Time of the latest frame.
    latest_at: Option<Timestamp>,
    /// Time of the latest frame that was not passed over for the rules' hours.
    awake_at: Option<Timestamp>,
    /// Somebody follows the live picture.
    followed: bool,
    /// Of the standing things that rules are about.
    groups: Vec<Group>,
    /// At least so often a look is needed; `None`: at every frame.
    look_seconds: Option<f64>,
    runners: Runners,
    /// What the latest look found new in the view, and until when that holds.
    latest_change: (Timestamp, SceneChange),
    /// Used again at each frame.
    findings: Findings,
    occupied: Vec<BBox>,
}

impl std::fmt::Debug for Pipeline {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pipeline").field("book", &self.book).finish_non_exhaustive()
    }
}

impl Pipeline {
    /// A pipeline that has seen nothing.
    pub fn new(
        config: PipelineConfig,
        detector: Box<dyn Detector>,
        change: Option<Box<dyn ChangeDetector>>,
    ) -> Self {
        let zones = config.zones;
        let visit_after = config.longest_gap.map(|gap| VISIT_PART * gap.as_f64());
        let look_seconds = config
            .lines
            .is_empty()
            .then(|| config.rules.values().map(RuleConfig::look_seconds).fold(SELDOM_SECONDS, f64::min));
        let runners = Runners::new(config.rules.values());
        // How far apart looks may be for all but what runs about: a view that is visited has its own times.
        let of_what_stands = config.rules.values().filter(|rule| rule.runners().is_none());
        let apart = of_what_stands.map(RuleConfig::look_seconds).fold(SELDOM_SECONDS, f64::min);
        let glances = (look_seconds.is_some() && visit_after.is_none()).then_some(apart);
        let gate = config.gate.map(|config| {
            let gate = Gate::new(&config);
            (glances.into_iter().fold(gate, Gate::with_glances), Stir::new(&config))
        });
        let groups = config.rules.values().filter_map(RuleConfig::group).collect();
        let rules = config.rules.into_iter().map(|(id, rule)| Rule::new(id, rule, &zones)).collect();
        Self {
            detector,
            change,
            tracker: Tracker::new(config.tracker),
            standing: StandingMemory::new(config.standing, visit_after.is_some()),
            lines: LineWatch::new(config.lines),
            track_zones: ZonePresence::new(config.presence.clone(), &zones),
            thing_zones: ZonePresence::new(config.presence, &zones),
            rules,
            book: IncidentBook::new(config.camera, config.preset, config.ground)
                .waiting(visit_after.unwrap_or_default()),
            run: None,
            gate,
            movement: None,
            visit_after,
            latest_at: None,
            awake_at: None,
            followed: false,
            groups,
            look_seconds,
            runners,
            latest_change: (Timestamp::MIN, SceneChange::unknown()),
            findings: Findings::default(),
            occupied: Vec::new(),
            zones,
        }
    }

    /// A new connection: track numbers start again, what stands and what is open stays. A frame of another run does
    /// this by itself.
    pub fn begin_run(&mut self, run: RunId) {
        if self.run.replace(run).is_none_or(|before| before == run) {
            return;
        }
        self.restart_gate();
        self.awake_at = None;
        self.tracker.restart();
        self.standing.begin_run();
        self.lines.restart();
        self.track_zones.clear();
        self.rules.iter_mut().for_each(Rule::begin_run);
        if let Some(change) = &mut self.change {
            change.begin_run();
        }
    }

    /// The camera looks here again after it looked elsewhere: a dome back at its preset. Tracks begin anew, what stands and
    /// what is open stays and must be found again. `unseen` are the parts of the view that cannot be seen this time.
    pub fn begin_visit(&mut self, unseen: Vec<BBox>) {
        self.restart_gate();
        self.awake_at = None;
        self.tracker.forget();
        self.standing.begin_visit(unseen);
        self.lines.restart();
        self.track_zones.clear();
        self.rules.iter_mut().for_each(Rule::begin_run);
        if let Some(change) = &mut self.change {
            change.begin_run();
        }
    }

    /// The first frame after a pause begins a visit, in a view that is looked at by visits: who stands there now must look
    /// like who stood there, and what moves is somebody else.
    fn notice_visit(&mut self, at: Timestamp) {
        let before = self.latest_at.replace(at);
        let (Some(pause), Some(before)) = (self.visit_after, before) else { return };
        if seconds_between(before, at) > pause {
            self.restart_gate();
            self.tracker.forget();
            self.standing.look_again();
            self.lines.restart();
            self.track_zones.clear();
            self.rules.iter_mut().for_each(Rule::begin_run);
        }
    }

    /// Whether somebody follows the live picture: then it does not rest out of the rules' hours, since boxes and the blur over
    /// persons hang on what it sees.
    pub fn set_followed(&mut self, followed: bool) {
        self.followed = followed;
    }

    /// Looks at the next frame.
    ///
    /// # Errors
    /// What the detector says, but for [`DetectError::Shed`]: then tracks coast and nothing is concluded.
    pub fn step(&mut self, frame: &Frame) -> Result<Step, DetectError> {
        self.begin_run(frame.run);
        let at = frame.captured_at;
        self.notice_visit(at);
        if !self.followed && self.rests(at) {
            return Ok(Step { held: true, ..Step::unlooked(Vec::new()) });
        }
        self.awake_at = Some(at);
        let aspect = frame.picture.width() as f32 / frame.picture.height() as f32;
        match self.look(frame) {
            Look::Held => return Ok(self.hold(frame, aspect)),
            Look::Glance => match self.glance(frame) {
                Ok(false) => return Ok(self.pass_over()),
                Ok(true) => {}
                Err(DetectError::Shed) => return Ok(self.coast(at)),
                Err(error) => return Err(error),
            },
            Look::Full => {}
        }
        let mut detections = match self.detector.detect(frame) {
            Ok(detections) => {
                if let Some((gate, _)) = &mut self.gate {
                    gate.looked(at);
                }
                detections
            }
            Err(DetectError::Shed) => return Ok(self.coast(at)),
            Err(error) => return Err(error),
        };
        detections.retain(|d| self.is_wanted(d));
        self.runners.look(&detections, at);
        let tracks = self.tracker.update(&detections, at, aspect);
        let crossings = self.lines.update(tracks);
        self.standing.attach(tracks, frame);
        let change = self.change.as_mut().map_or_else(SceneChange::unknown, |change| {
            self.standing.find_occupied(tracks, at, &mut self.occupied);
            change.update(frame, &self.occupied)
        });
        self.standing.judge(tracks, frame, &change);
        if self.gate.is_some() {
            self.latest_change = (at, change.clone());
        }
        Ok(Step { detections, ..self.conclude(frame, aspect, change, crossings) })
    }

    /// What the rules say, and what comes of it.
    fn conclude(
        &mut self,
        frame: &Frame,
        aspect: f32,
        change: SceneChange,
        crossings: Vec<LineCrossing>,
    ) -> Step {
        let at = frame.captured_at;
        self.look_at_zones(at);
        let scene = Scene {
            at,
            aspect,
            zones: &self.zones,
            tracks: self.tracker.tracks(),
            standing: &self.standing,
            change: &change,
            crossings: &crossings,
            track_zones: &self.track_zones,
            thing_zones: &self.thing_zones,
        };
        let mut standing = Vec::with_capacity(self.standing.things().len());
        standing.extend(scene.standing_things().filter_map(|t| t.track));
        let mut events = Vec::new();
        // A shifted view says nothing: no finding is stated, and none counts as not stated.
        for rule in self.rules.iter_mut().filter(|_| !change.view_shifted) {
            let open = rule.evaluate(&scene, &mut self.findings);
            let findings = open.then(|| self.findings.now.drain(..));
            events.extend(self.book.apply(rule.facts(), findings, at, frame.run));
        }
        let is_known = |id: &RuleId| self.rules.iter().any(|rule| rule.facts().id == *id);
        events.extend(self.book.end_strangers(is_known, at, frame.run));
        Step {
            shed: false,
            held: false,
            detections: Vec::new(),
            tracks: self.tracker.shared_tracks(),
            standing,
            change,
            crossings,
            events,
            open: self.book.open_incidents(),
        }
    }

    fn is_wanted(&self, detection: &Detection) -> bool {
        let Detection { label, bbox, .. } = detection;
        !is_ignored(&self.zones, label, *bbox) && !self.standing.is_unseen(*bbox)
    }

    /// The frame was there for what runs about alone, and nothing does: for all else it is as if it had not come.
    fn pass_over(&self) -> Step {
        let tracks = self.tracker.shared_tracks();
        Step { held: true, tracks, ..Step::unlooked(self.book.open_incidents()) }
    }

    /// Nothing moves: time goes on for all that the latest look saw, and evidence does not grow.
    fn hold(&mut self, frame: &Frame, aspect: f32) -> Step {
        let at = frame.captured_at;
        self.tracker.hold(at);
        self.standing.hold(frame);
        let (before, change) = &mut self.latest_change;
        change.hold(*before, at);
        *before = at;
        let change = change.clone();
        Step { held: true, ..self.conclude(frame, aspect, change, Vec::new()) }
    }

    /// Ends all open incidents: the camera was changed or removed, or the recording is over.
    pub fn end_all(&mut self, reason: EndReason, at: Timestamp) -> Vec<IncidentEvent> {
        self.book.end_all(reason, at)
    }

    /// Takes over incidents of this view that another node, or an earlier run, has left open: see
    /// [`IncidentBook::adopt`].
    pub fn adopt(&mut self, events: impl IntoIterator<Item = IncidentEvent>) {
        self.book.adopt(events);
    }

    /// Incidents that go on.
    pub fn open_incidents(&self) -> Vec<OpenIncident> {
        self.book.open_incidents()
    }

    fn look_at_zones(&mut self, at: Timestamp) {
        let tracks = self.tracker.tracks();
        self.track_zones.retain(|id| tracks.binary_search_by_key(&id, |t| t.id).is_ok());
        for track in tracks.iter().filter(|t| t.last_seen_at == at) {
            self.track_zones.look(track.id, &self.zones, &track.label, track.bbox, at);
        }
        let things = self.standing.things();
        self.thing_zones.retain(|n| things.binary_search_by_key(&n, |t| t.number).is_ok());
        for thing in things.iter().filter(|t| t.seen_at == at) {
            self.thing_zones.look(thing.number, &self.zones, &thing.label, thing.bbox, at);
        }
    }

    fn coast(&mut self, at: Timestamp) -> Step {
        if let Some((gate, _)) = &mut self.gate {
            gate.missed();
        }
        self.tracker.coast(at);
        let tracks = self.tracker.shared_tracks();
        Step { shed: true, tracks, ..Step::unlooked(self.book.open_incidents()) }
    }
}
