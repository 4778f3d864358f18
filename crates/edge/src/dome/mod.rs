//! A dome at work: its patrol, the check of its aim, and one pipeline for each of its presets. Nothing is analysed but
//! frames that show a preset, laid on its reference picture.
//!
//! Frames are warped to the reference rather than zones to the frame: standing things, background and baseline live in
//! one place for as long as the preset exists, and the next visit has another error. A hidden edge is the price.

mod control;
mod patrol;
#[cfg(test)]
mod simulated;
#[cfg(test)]
mod tests;

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use parapet_analytics::{OpenIncident, Pipeline as View, Seconds, Step};
use parapet_change::{Motion, Pose, ReferenceView};
use parapet_core::{
    CameraId, DetectError, EndReason, Frame, HealthEvent, IncidentEvent, Picture, PresetId, RunId, Timestamp,
    time::seconds_between,
};
use tracing::info;

pub(crate) use control::{DomeControl, OnvifControl, Unled};
pub(crate) use patrol::Plan;
use patrol::{News, Order, Patrol, Round, Sight, State};

use crate::{
    baselines::BaselineInUse,
    config::{CameraConfig, DomeConfig},
    watch::{Looked, WatchNote, WatchedView},
};

/// How far beside its preset a dome is looked for, to say how far it is off.
const SEARCH_DEGREES: f32 = 25.0;
/// The view that later ones are compared with, to see whether the dome moves, is renewed so often: the light changes.
const ANCHOR_SECONDS: f64 = 10.0;

/// A preset as the dome needs it.
pub(crate) struct DomePreset {
    pub(crate) id: PresetId,
    /// What the dome calls it.
    pub(crate) token: String,
    pub(crate) field_of_view_degrees: f32,
    pub(crate) references: Vec<Arc<Picture>>,
    pub(crate) view: WatchedView,
}

/// A dome.
pub(crate) struct Dome {
    camera: CameraId,
    patrol: Patrol,
    control: Box<dyn DomeControl>,
    motion: Motion,
    anchored_at: Option<Timestamp>,
    places: BTreeMap<PresetId, Place>,
    max_offset_degrees: f64,
    min_fit: f32,
    run: Option<RunId>,
    /// The preset whose visit goes on.
    visiting: Option<PresetId>,
}

/// A preset with what it is known by.
struct Place {
    token: String,
    field_of_view_degrees: f32,
    references: Vec<ReferenceView>,
    /// The view as it was found last: knows it in a light that no reference shows.
    remembered: Option<ReferenceView>,
    /// How the dome looks at it on this visit.
    pose: Option<Pose>,
    /// Where it looked instead, last time.
    beside: Option<Pose>,
    pipeline: View,
    baseline: BaselineInUse,
}

impl Plan {
    /// The plan of a camera's presets and patrols. `unled`: nobody can send the dome.
    pub(crate) fn new(camera: &CameraConfig, dome: &DomeConfig, unled: bool) -> Self {
        let seconds = |seconds: Seconds| Duration::from_secs_f64(seconds.as_f64());
        let stop = |stop: &crate::config::StopConfig| {
            let preset = camera.presets.get(&stop.preset)?;
            Some((stop.preset.clone(), seconds(stop.dwell_seconds.unwrap_or(preset.dwell_seconds))))
        };
        let rounds = camera.patrols.values().filter(|_| !unled).map(|patrol| Round {
            stops: patrol.stops.iter().filter_map(stop).collect(),
            schedule: patrol.schedule.clone(),
        });
        Self {
            presets: camera.presets.iter().map(|(id, p)| (id.clone(), seconds(p.settle_seconds))).collect(),
            rounds: rounds.filter(|round: &Round| !round.stops.is_empty()).collect(),
            overdue: seconds(dome.overdue_seconds),
            takeover: seconds(dome.takeover_seconds),
            recheck: seconds(dome.recheck_seconds),
            return_within: seconds(dome.return_within_seconds),
        }
    }
}

impl Dome {
    /// A dome that has seen nothing.
    pub(crate) fn new(
        camera: CameraId,
        config: &DomeConfig,
        plan: Plan,
        presets: Vec<DomePreset>,
        control: Box<dyn DomeControl>,
    ) -> Self {
        let place = |preset: DomePreset| {
            let view = |picture: &Arc<Picture>| ReferenceView::new(picture, preset.field_of_view_degrees);
            let place = Place {
                references: preset.references.iter().map(view).collect(),
                token: preset.token,
                field_of_view_degrees: preset.field_of_view_degrees,
                remembered: None,
                pose: None,
                beside: None,
                pipeline: preset.view.pipeline,
                baseline: preset.view.baseline,
            };
            (preset.id, place)
        };
        Self {
            camera,
            patrol: Patrol::new(plan),
            control,
            motion: Motion::new(),
            anchored_at: None,
            places: presets.into_iter().map(place).collect(),
            max_offset_degrees: f64::from(config.max_offset_degrees),
            min_fit: config.min_fit.as_f32(),
            run: None,
            visiting: None,
        }
    }

    /// Looks at the next frame: sees whether the dome stands, tells it where to go, and analyses what shows a preset.
    pub(crate) fn step(&mut self, frame: &Frame) -> Result<Looked, DetectError> {
        if self.run.replace(frame.run).is_some_and(|before| before != frame.run) {
            // A new connection tells of its own health: what is still wrong is told again.
            self.patrol.forget_lost();
        }
        let sight =
            Sight { at: frame.captured_at, still: self.is_still(frame), moving: self.control.told().moving };
        match self.patrol.step(sight) {
            Some(Order::GoTo(preset)) => self.control.go_to(&self.places[&preset].token),
            Some(Order::Check(presets)) => {
                let found = self.find(&frame.picture, &presets);
                self.patrol.placed(frame.captured_at, found);
            }
            None => {}
        }
        let State::Watching { preset } = self.patrol.state() else {
            self.visiting = None;
            // What is open at the presets would be drawn over another view.
            let step = Step::unlooked(Vec::new());
            return Ok(Looked { frame: frame.clone(), step, watched: false, notes: self.notes() });
        };
        let place = self.places.get_mut(&preset).expect("the patrol knows its presets");
        let pose = place.pose.filter(|pose| !pose.is_negligible());
        let picture = pose.map(|pose| Arc::new(pose.straightened(&frame.picture)));
        let picture = picture.unwrap_or_else(|| frame.picture.clone());
        if self.visiting.as_ref() != Some(&preset) {
            place.pipeline.begin_visit(pose.map(|pose| pose.unseen()).unwrap_or_default());
            place.remembered = Some(ReferenceView::new(&picture, place.field_of_view_degrees));
            self.visiting = Some(preset.clone());
        }
        let frame = Frame { preset: Some(preset), picture, ..frame.clone() };
        let step = place.pipeline.step(&frame)?;
        Ok(Looked { frame, step, watched: true, notes: self.notes() })
    }

    /// Ends all open incidents of all presets.
    pub(crate) fn end_all(&mut self, reason: EndReason, at: Timestamp) -> Vec<IncidentEvent> {
        self.places.values_mut().flat_map(|place| place.pipeline.end_all(reason, at)).collect()
    }

    /// Takes over incidents that were left open, each at its preset; gives back those of presets that there are not.
    pub(crate) fn adopt(&mut self, events: Vec<IncidentEvent>) -> Vec<IncidentEvent> {
        let mut strange = Vec::new();
        for event in events {
            match event.preset.as_ref().and_then(|preset| self.places.get_mut(preset)) {
                Some(place) => place.pipeline.adopt([event]),
                None => strange.push(event),
            }
        }
        strange
    }

    /// Incidents that go on, of all presets.
    pub(crate) fn open_incidents(&self) -> Vec<OpenIncident> {
        self.places.values().flat_map(|place| place.pipeline.open_incidents()).collect()
    }

    /// The approved picture that a preset's view is compared with at present.
    pub(crate) fn baseline(&self, preset: &PresetId) -> Option<Arc<Picture>> {
        self.places.get(preset)?.baseline.get()
    }

    fn is_still(&mut self, frame: &Frame) -> bool {
        let at = frame.captured_at;
        let still = self.motion.is_still(&frame.picture);
        let old = self.anchored_at.is_none_or(|since| seconds_between(since, at) >= ANCHOR_SECONDS);
        if still && old {
            self.motion.drop_anchor(&frame.picture);
        }
        if !still || old {
            self.anchored_at = Some(at);
        }
        still
    }

    /// Which of the presets the picture shows, near enough to be made good: the one that it fits best.
    fn find(&mut self, picture: &Picture, presets: &[PresetId]) -> Option<PresetId> {
        let mut best: Option<(&PresetId, Pose)> = None;
        for id in presets {
            let Some(place) = self.places.get_mut(id) else { continue };
            let Some(pose) = place.locate(picture, self.min_fit) else {
                place.beside = None;
                continue;
            };
            let near = pose.offset_degrees() <= self.max_offset_degrees;
            place.beside = (!near).then_some(pose);
            if near && best.is_none_or(|(_, other)| other.fit < pose.fit) {
                best = Some((id, pose));
            }
        }
        let (id, pose) = best?;
        let place = self.places.get_mut(id)?;
        let (right, down) = pose.beside_degrees();
        if self.visiting.as_ref() != Some(id) {
            info!(camera = %self.camera, preset = %id, right, down, fit = pose.fit, "dome is at a preset");
        }
        place.pose = Some(pose);
        Some(id.clone())
    }

    /// News of the patrol as somebody should hear it.
    fn notes(&mut self) -> Vec<WatchNote> {
        let news = self.patrol.take_news();
        for news in &news {
            if *news == News::WentAway {
                info!(camera = %self.camera, "dome looks elsewhere: nothing is analysed");
            }
        }
        if news.iter().all(|news| *news == News::WentAway) {
            return Vec::new();
        }
        let lost: Vec<String> = self.patrol.lost().iter().map(|preset| self.missing(preset)).collect();
        let event = if lost.is_empty() { HealthEvent::OnPreset } else { HealthEvent::OffPreset };
        vec![WatchNote { event, detail: (!lost.is_empty()).then(|| lost.join("; ")) }]
    }

    /// Why a preset is not watched.
    fn missing(&self, preset: &PresetId) -> String {
        let trouble = self.control.told().trouble;
        let beside = self.places.get(preset).and_then(|place| place.beside);
        let why = match (beside, trouble) {
            (_, Some(trouble)) => trouble,
            (Some(pose), None) => {
                let (right, down) = pose.beside_degrees();
                let across = if right >= 0.0 { "right" } else { "left" };
                let along = if down >= 0.0 { "down" } else { "up" };
                format!(
                    "it looks {:.1}° beside it ({:.1}° {across}, {:.1}° {along})",
                    pose.offset_degrees(),
                    right.abs(),
                    down.abs()
                )
            }
            (None, None) => "its view does not look like its reference pictures".to_owned(),
        };
        format!("does not come back to preset \"{preset}\": {why}")
    }
}

impl Place {
    /// How the picture lies to the preset's view, if it shows it: by the references, or else as it was found last.
    fn locate(&self, picture: &Picture, min_fit: f32) -> Option<Pose> {
        let best = |views: &mut dyn Iterator<Item = &ReferenceView>| {
            let poses = views.filter_map(|view| view.locate(picture, SEARCH_DEGREES));
            poses.max_by(|a, b| a.fit.total_cmp(&b.fit)).filter(|pose| pose.fit >= min_fit)
        };
        best(&mut self.references.iter()).or_else(|| best(&mut self.remembered.iter()))
    }
}
