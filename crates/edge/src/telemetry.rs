//! Names of the metrics. All start with `parapet_`; those of a camera have the label `camera`.

mod patrol;

use std::{
    sync::{Arc, OnceLock},
    thread,
    time::Duration,
};

use metrics::{counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use parapet_core::{CameraId, Clock, IncidentKind};

pub(crate) use self::patrol::{
    PatrolState, camera_state, patrol, patrol_looked, patrol_need, patrol_visited,
};
use crate::assembly::ModelTime;

/// Values of histograms are folded into their buckets so often.
const FOLD_EVERY: Duration = Duration::from_secs(5);

/// Upper bounds of the step-time histogram, in seconds.
const STEP_BUCKETS: [f64; 10] = [0.005, 0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 5.0];

/// Upper bounds of the histogram of times from a picture to its decision, in seconds.
const DECISION_BUCKETS: [f64; 13] = [0.02, 0.04, 0.06, 0.08, 0.1, 0.13, 0.16, 0.2, 0.3, 0.5, 1.0, 2.0, 5.0];

/// Upper bounds of the histogram of times between two looks on patrol, in seconds.
const INTERVAL_BUCKETS: [f64; 10] = [2.0, 5.0, 10.0, 15.0, 20.0, 25.0, 30.0, 45.0, 60.0, 120.0];

/// Starts collecting metrics in this process and gives what `/metrics` renders. Later calls give the same.
pub fn install() -> PrometheusHandle {
    static HANDLE: OnceLock<PrometheusHandle> = OnceLock::new();
    HANDLE
        .get_or_init(|| {
            let recorder = PrometheusBuilder::new()
                .set_buckets_for_metric(Matcher::Suffix("_seconds".into()), &STEP_BUCKETS)
                .and_then(|builder| {
                    let interval = Matcher::Full("parapet_patrol_interval_seconds".into());
                    builder.set_buckets_for_metric(interval, &INTERVAL_BUCKETS)
                })
                .and_then(|builder| {
                    let decision = Matcher::Full("parapet_decision_seconds".into());
                    builder.set_buckets_for_metric(decision, &DECISION_BUCKETS)
                })
                .expect("the lists of buckets are not empty")
                .build_recorder();
            let handle = recorder.handle();
            if metrics::set_global_recorder(recorder).is_err() {
                tracing::warn!("another recorder of metrics is installed: /metrics stays empty");
            }
            describe();
            keep_small(handle.clone());
            handle
        })
        .clone()
}

/// Histograms keep each value until somebody asks for `/metrics`. Nobody may ever.
fn keep_small(metrics: PrometheusHandle) {
    let fold = move || {
        loop {
            thread::sleep(FOLD_EVERY);
            metrics.run_upkeep();
        }
    };
    if let Err(error) = thread::Builder::new().name("metrics".into()).spawn(fold) {
        tracing::warn!(%error, "metrics take more memory, the longer nobody reads them");
    }
}

fn describe() {
    describe_counter!("parapet_frames_analysed_total", "Frames that went through the pipeline");
    describe_counter!(
        "parapet_frames_held_total",
        "Of those, frames that the model did not look at as a whole, because nothing new moved"
    );
    describe_counter!("parapet_frames_total", "Frames that the source offered to analysis");
    describe_counter!(
        "parapet_frames_dropped_total",
        "Frames that were not analysed, by the stage that was behind (elsewhere: a dome did not look at a preset)"
    );
    describe_histogram!(
        "parapet_step_seconds",
        "Time of one pipeline step: detector, tracker, change, rules"
    );
    describe_histogram!(
        "parapet_decision_seconds",
        "Time from when a picture was taken to when its events are on their way"
    );
    describe_counter!(
        "parapet_stage_microseconds_total",
        "Wall time of the camera thread by stage: wait (source), infer (the model, with its queue), analyse, rest"
    );
    patrol::describe();
    describe_counter!("parapet_incidents_started_total", "Incidents that started, by kind");
    describe_gauge!("parapet_incidents_open", "Incidents that are open");
    describe_gauge!("parapet_camera_streaming", "1 while frames come and change");
    describe_counter!("parapet_reconnects_total", "Times that a source was opened again");
    describe_counter!("parapet_camera_crashes_total", "Panics of a camera's thread");
    describe_gauge!("parapet_outbox_pending", "Messages that the broker has not acknowledged");
    describe_counter!("parapet_outbox_errors_total", "Failed writes to the outbox; each is tried again");
    describe_counter!("parapet_evidence_written_bytes_total", "Bytes of evidence written");
    describe_counter!(
        "parapet_evidence_skipped_total",
        "Incidents whose evidence could not be written, by reason"
    );
    describe_gauge!("parapet_evidence_bytes", "Bytes of evidence kept");
    describe_gauge!("parapet_evidence_degraded", "1 while no evidence can be written");
    describe_gauge!("parapet_disk_free_bytes", "Free space where evidence is kept");
    describe_gauge!("parapet_leases_held", "Cameras that this node holds a lease of");
    describe_counter!(
        "parapet_lease_lost_total",
        "Leases that ran out or were taken by another node while the camera was watched"
    );
    describe_counter!(
        "parapet_config_reloads_total",
        "Times that the pipeline file was read again, by result"
    );
}

pub(crate) fn leases_held(n: usize) {
    gauge!("parapet_leases_held").set(n as f64);
}

pub(crate) fn leases_lost(n: usize) {
    counter!("parapet_lease_lost_total").increment(n as u64);
}

fn name(camera: &CameraId) -> String {
    camera.as_str().to_owned()
}

pub(crate) fn frame_dropped(camera: &CameraId, stage: &'static str) {
    counter!("parapet_frames_dropped_total", "camera" => name(camera), "stage" => stage).increment(1);
}

/// Where the time of one frame went.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct StageTimes {
    pub(crate) wait: Duration,
    pub(crate) infer: Duration,
    pub(crate) analyse: Duration,
    pub(crate) rest: Duration,
}

pub(crate) fn frame_analysed(camera: &CameraId, times: StageTimes) {
    counter!("parapet_frames_analysed_total", "camera" => name(camera)).increment(1);
    histogram!("parapet_step_seconds", "camera" => name(camera))
        .record((times.infer + times.analyse).as_secs_f64());
    for (stage, time) in
        [("wait", times.wait), ("infer", times.infer), ("analyse", times.analyse), ("rest", times.rest)]
    {
        counter!("parapet_stage_microseconds_total", "camera" => name(camera), "stage" => stage)
            .increment(time.as_micros() as u64);
    }
}

pub(crate) fn decided_after(camera: &CameraId, seconds: f64) {
    histogram!("parapet_decision_seconds", "camera" => name(camera)).record(seconds.max(0.0));
}

pub(crate) fn frame_held(camera: &CameraId) {
    counter!("parapet_frames_held_total", "camera" => name(camera)).increment(1);
}

pub(crate) fn incident_started(camera: &CameraId, kind: IncidentKind) {
    counter!("parapet_incidents_started_total", "camera" => name(camera), "kind" => kind.as_str())
        .increment(1);
}

pub(crate) fn incidents_open(camera: &CameraId, n: usize) {
    gauge!("parapet_incidents_open", "camera" => name(camera)).set(n as f64);
}

pub(crate) fn camera_crashed(camera: &CameraId) {
    counter!("parapet_camera_crashes_total", "camera" => name(camera)).increment(1);
}

pub(crate) fn outbox_pending(n: u64) {
    gauge!("parapet_outbox_pending").set(n as f64);
}

pub(crate) fn outbox_error() {
    counter!("parapet_outbox_errors_total").increment(1);
}

pub(crate) fn evidence_written(camera: &CameraId, bytes: u64) {
    counter!("parapet_evidence_written_bytes_total", "camera" => name(camera)).increment(bytes);
}

pub(crate) fn evidence_skipped(camera: &CameraId, reason: &'static str) {
    counter!("parapet_evidence_skipped_total", "camera" => name(camera), "reason" => reason).increment(1);
}

pub(crate) fn evidence_kept(bytes: u64) {
    gauge!("parapet_evidence_bytes").set(bytes as f64);
}

pub(crate) fn evidence_degraded(degraded: bool) {
    gauge!("parapet_evidence_degraded").set(f64::from(u8::from(degraded)));
}

pub(crate) fn disk_free(bytes: u64) {
    gauge!("parapet_disk_free_bytes").set(bytes as f64);
}

pub(crate) fn config_reloaded(result: &'static str) {
    counter!("parapet_config_reloads_total", "result" => result).increment(1);
}

/// Measures where the time of each frame goes.
pub(crate) struct StageTimer {
    clock: Arc<dyn Clock>,
    model: ModelTime,
    model_before: Duration,
    done: Duration,
    came: Duration,
    stepped: Duration,
}

impl StageTimer {
    pub(crate) fn new(clock: Arc<dyn Clock>, model: ModelTime) -> Self {
        let now = clock.monotonic();
        Self { clock, model, model_before: Duration::ZERO, done: now, came: now, stepped: now }
    }

    pub(crate) fn frame_came(&mut self) {
        self.came = self.clock.monotonic();
        self.model_before = self.model.total();
    }

    pub(crate) fn step_done(&mut self) {
        self.stepped = self.clock.monotonic();
    }

    /// Times of this frame; the next one begins.
    pub(crate) fn finish(&mut self) -> StageTimes {
        let now = self.clock.monotonic();
        let infer = self.model.total().saturating_sub(self.model_before);
        let step = self.stepped.saturating_sub(self.came);
        let times = StageTimes {
            wait: self.came.saturating_sub(self.done),
            infer,
            analyse: step.saturating_sub(infer),
            rest: now.saturating_sub(self.stepped),
        };
        self.done = now;
        times
    }
}
