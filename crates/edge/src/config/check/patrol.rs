//! What a camera on patrol cannot do. It is told, and not found out by what never comes.

use parapet_analytics::RuleConfig;
use parapet_ingest::SrtMode;

use super::{Checker, below};
use crate::config::{CameraConfig, tree::Step};

/// Longest interval: with longer ones a thing is not known again.
const LONGEST_SECONDS: f64 = 600.0;

impl Checker<'_, '_> {
    /// The camera at `at`, if it is on patrol.
    pub(super) fn check_patrol(&mut self, at: &[Step], camera: &CameraConfig) {
        let Some(patrol) = &camera.patrol else { return };
        let every = patrol.every_seconds.as_f64();
        let at_patrol = below(at, &["patrol"]);
        if !(5.0..=LONGEST_SECONDS).contains(&every) {
            let message = format!("{every} is out of range");
            self.tell(&at_patrol, "every_seconds", &message, "5 to 600; 30 is a good choice");
        }
        if !(1..=10).contains(&patrol.looks) {
            let message = format!("{} is out of range", patrol.looks);
            self.tell(&at_patrol, "looks", &message, "1 to 10; 2 tell what stands from what passes");
        }
        let patience = patrol.patience_seconds.as_f64();
        if !(1.0..=every / 2.0).contains(&patience) {
            let message = format!("{patience} is out of range");
            self.tell(&at_patrol, "patience_seconds", &message, "1 to half of every_seconds");
        }
        self.check_patrolled_source(at, camera);
        for (table, is_there, why, hint) in [
            (
                "dome",
                camera.dome.is_some(),
                "a dome turns by itself",
                "watch it all the time: remove its table patrol",
            ),
            (
                "gate",
                camera.gate.is_some(),
                "a visit is too short to see that nothing moves",
                "remove one of the two",
            ),
            (
                "recording",
                camera.recording.is_some(),
                "of a camera on patrol there are only looks",
                "remove one of the two",
            ),
            (
                "lines",
                !camera.lines.is_empty(),
                "who crosses a line is not seen on patrol",
                "watch the camera all the time, or remove the lines",
            ),
        ] {
            if is_there {
                self.tell(at, table, why, hint);
            }
        }
        for (id, rule) in &camera.rules {
            let at_rule = below(at, &["rules", id.as_str(), rule.kind().as_str()]);
            if matches!(rule, RuleConfig::StrayDog(_)) {
                let hint =
                    "dogs are followed at every frame: watch the camera all the time, or remove the rule";
                self.tell(&at_rule, "", "a dog that runs about is not seen on patrol", hint);
                continue;
            }
            for (option, of, limit) in rule.limits() {
                let limit = limit.as_f64();
                if limit < every {
                    let message =
                        format!("{limit} s pass between two looks, which are up to {every} s apart");
                    let (at, option) =
                        of.map_or((at_rule.clone(), option), |of| (below(&at_rule, &[option]), of));
                    self.tell(&at, option, &message, "at least the camera's patrol.every_seconds");
                }
            }
        }
    }

    /// Only what can be opened again and again, and then shows the present.
    fn check_patrolled_source(&mut self, at: &[Step], camera: &CameraConfig) {
        let (source, at_source) = (&camera.source, below(at, &["source"]));
        if source.keyframes_when_enough {
            let message = "on patrol only keyframes are decoded anyway";
            self.tell(&at_source, "keyframes_when_enough", message, "remove it");
        }
        let listens = source.srt.as_ref().is_some_and(|srt| srt.mode == SrtMode::Listener);
        let hint = "only live cameras that can be called are: rtsp, rtmp, srt as caller, device";
        for (table, is_there, why) in [
            ("file", source.file.is_some(), "a recording cannot be on patrol"),
            ("images", source.images.is_some(), "pictures cannot be on patrol"),
            (
                "test.frames",
                source.test.as_ref().is_some_and(|test| test.frames.is_some()),
                "a recording cannot be on patrol",
            ),
            ("srt.mode", listens, "who is called cannot be visited"),
        ] {
            if is_there {
                self.tell(&at_source, table, why, hint);
            }
        }
    }
}
