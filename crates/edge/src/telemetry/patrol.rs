//! Metrics of the cameras on patrol, from which the promise can be checked.

use std::time::Duration;

use metrics::{counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram};
use parapet_core::{CameraId, HealthEvent, HealthState, Timestamp};
use tracing::{info, warn};

use super::name;

pub(super) fn describe() {
    describe_histogram!("parapet_patrol_interval_seconds", "Time between two looks at one camera on patrol");
    describe_gauge!(
        "parapet_patrol_longest_seconds",
        "Longest time for which a camera on patrol that answers has not been looked at, at present"
    );
    describe_gauge!("parapet_patrol_longest_ever_seconds", "The same, at the worst since the start");
    describe_gauge!(
        "parapet_patrol_promise_seconds",
        "Longest time between two looks that is promised for a camera on patrol"
    );
    describe_gauge!(
        "parapet_patrol_stretch",
        "Factor by which all intervals are longer than asked for, because more is configured than the machine can look at"
    );
    describe_gauge!("parapet_patrol_cameras", "Cameras on patrol, by whether they answered last time");
    describe_gauge!("parapet_patrol_need_cores", "Processors that the intervals asked for would need");
    describe_gauge!("parapet_patrol_room_cores", "Processors that visits may take");
    describe_gauge!("parapet_patrol_looked_timestamp_seconds", "When the camera was looked at last");
    describe_counter!("parapet_patrol_late_total", "Looks that came later than promised");
    describe_counter!("parapet_patrol_visits_total", "Visits, by outcome");
    describe_histogram!("parapet_patrol_visit_seconds", "Time of a visit, from its turn to its end");
    describe_histogram!(
        "parapet_patrol_visit_cpu_seconds",
        "Processor time of a visit, without the model's own thread"
    );
}

/// How the patrol is doing.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PatrolState {
    pub(crate) longest: Duration,
    pub(crate) longest_ever: Duration,
    pub(crate) promised: Duration,
    pub(crate) stretch: f64,
    pub(crate) answering: usize,
    pub(crate) failing: usize,
}

pub(crate) fn patrol(state: &PatrolState) {
    gauge!("parapet_patrol_longest_seconds").set(state.longest.as_secs_f64());
    gauge!("parapet_patrol_longest_ever_seconds").set(state.longest_ever.as_secs_f64());
    gauge!("parapet_patrol_promise_seconds").set(state.promised.as_secs_f64());
    gauge!("parapet_patrol_stretch").set(state.stretch);
    for (answers, n) in [("yes", state.answering), ("no", state.failing)] {
        gauge!("parapet_patrol_cameras", "answers" => answers).set(n as f64);
    }
    // There from the start.
    counter!("parapet_patrol_late_total").increment(0);
}

pub(crate) fn patrol_need(need_cores: f64, room_cores: f64) {
    gauge!("parapet_patrol_need_cores").set(need_cores);
    gauge!("parapet_patrol_room_cores").set(room_cores);
}

pub(crate) fn patrol_looked(camera: &CameraId, at: Timestamp, interval: Duration, late: bool) {
    histogram!("parapet_patrol_interval_seconds").record(interval.as_secs_f64());
    gauge!("parapet_patrol_looked_timestamp_seconds", "camera" => name(camera))
        .set(at.as_microsecond() as f64 / 1e6);
    counter!("parapet_patrol_late_total").increment(u64::from(late));
}

pub(crate) fn patrol_visited(saw: bool, cpu_seconds: f64, wall_seconds: f64) {
    let outcome = if saw { "ok" } else { "failed" };
    counter!("parapet_patrol_visits_total", "outcome" => outcome).increment(1);
    histogram!("parapet_patrol_visit_seconds").record(wall_seconds);
    histogram!("parapet_patrol_visit_cpu_seconds").record(cpu_seconds);
}

/// A camera on patrol is in another state than on the visit before.
pub(crate) fn camera_state(camera: &CameraId, state: HealthState, event: HealthEvent, detail: Option<&str>) {
    let streams = state == HealthState::Streaming;
    gauge!("parapet_camera_streaming", "camera" => name(camera)).set(f64::from(u8::from(streams)));
    let detail = detail.unwrap_or_default();
    if streams {
        info!(%camera, ?event, detail, "camera answers");
    } else {
        warn!(%camera, ?state, ?event, detail, "camera is in trouble");
    }
}
