//! What only the read values of a dome show.

use std::path::Path;

use super::{Checker, below, choice};
use crate::config::{CameraConfig, DomeConfig, OnvifConfig, PresetConfig, tree::Step};

impl Checker<'_, '_> {
    /// The dome at `at`; of a fixed camera, that it has no presets.
    pub(super) fn check_dome(&mut self, at: &[Step], camera: &CameraConfig) {
        let Some(dome) = &camera.dome else {
            let tables = [("presets", camera.presets.is_empty()), ("patrols", camera.patrols.is_empty())];
            for (table, _) in tables.into_iter().filter(|(_, empty)| !empty) {
                self.tell(at, table, "the camera is no dome", "add a table [cameras.….dome]");
            }
            return;
        };
        if camera.presets.is_empty() && !self.is_written(at, "presets") {
            self.tell(at, "dome", "the dome has no presets", "add a table [cameras.….presets.NAME]");
        }
        let of_views = [
            ("zones", camera.zones.is_empty()),
            ("lines", camera.lines.is_empty()),
            ("rules", camera.rules.is_empty()),
            ("change", camera.change == parapet_change::ChangeConfig::default()),
            ("baseline_pictures", camera.baseline_pictures.is_empty()),
            ("ground", camera.ground.is_none()),
        ];
        for (table, _) in of_views.into_iter().filter(|(_, empty)| !empty) {
            let hint = format!("move it to [cameras.….presets.NAME.{table}]");
            self.tell(at, table, "what a dome sees belongs to its presets", &hint);
        }
        self.check_aim(&below(at, &["dome"]), dome);
        match &dome.onvif {
            Some(onvif) => self.check_onvif(&below(at, &["dome", "onvif"]), onvif),
            None if !camera.patrols.is_empty() => {
                let hint = "add a table [cameras.….dome.onvif], or leave the patrols to the dome";
                self.tell(at, "patrols", "nobody can send the dome on them", hint);
            }
            None => {}
        }
        for (id, preset) in &camera.presets {
            self.check_preset(&below(at, &["presets", id.as_str()]), preset);
        }
        self.check_patrols(at, camera);
    }

    fn check_aim(&mut self, at: &[Step], dome: &DomeConfig) {
        if !(0.1..=30.0).contains(&dome.max_offset_degrees) {
            let message = format!("{} is out of range", dome.max_offset_degrees);
            self.tell(at, "max_offset_degrees", &message, "0.1 to 30; 10 is a good choice");
        }
        if dome.min_fit.as_f32() < 0.2 {
            let message = format!("{} lets any view pass for any other", dome.min_fit.as_f32());
            self.tell(at, "min_fit", &message, "0.2 to 1; 0.5 is a good choice");
        }
        let times = [
            ("overdue_seconds", dome.overdue_seconds),
            ("takeover_seconds", dome.takeover_seconds),
            ("recheck_seconds", dome.recheck_seconds),
            ("return_within_seconds", dome.return_within_seconds),
        ];
        for (field, _) in times.into_iter().filter(|(_, time)| time.as_f64() < 1.0) {
            self.tell(at, field, "is too short to tell anything", "at least 1 second");
        }
    }

    fn check_onvif(&mut self, at: &[Step], onvif: &OnvifConfig) {
        let parsed = reqwest::Url::parse(&onvif.url).ok();
        match parsed.filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host()) {
            None => {
                let message = format!("\"{}\" is no address of a web service", onvif.url);
                self.tell(at, "url", &message, "http://HOST/onvif/device_service");
            }
            Some(url) if !url.username().is_empty() || url.password().is_some() => {
                self.tell(at, "url", "it holds a user name", "they belong into username and password_file");
            }
            Some(_) => {}
        }
        if onvif.password_file.is_some() && onvif.password_env.is_some() {
            self.tell(at, "password_env", "stands beside password_file", "keep one of them");
        }
        let has_password = onvif.password_file.is_some() || onvif.password_env.is_some();
        if has_password != onvif.username.is_some() {
            let (field, hint) = if has_password {
                ("username", "a password needs its user name")
            } else {
                ("password_file", "a user name needs its password: a file, or password_env")
            };
            self.tell(at, field, "is missing", hint);
        }
        self.check_files(at, "password_file", &onvif.password_file);
    }

    fn check_preset(&mut self, at: &[Step], preset: &PresetConfig) {
        if preset.reference_pictures.is_empty() {
            let hint = "add a picture of the view: reference_pictures = [\"…\"]";
            self.tell(at, "reference_pictures", "nothing says what the view should show", hint);
        }
        self.check_files(at, "reference_pictures", &preset.reference_pictures);
        let unread = preset.reference_pictures.iter().filter(|path| path.exists());
        for path in unread.filter(|path| !is_picture(path)).collect::<Vec<_>>() {
            let message = format!("cannot read {} as a picture", path.display());
            self.tell(at, "reference_pictures", &message, "JPEG or PNG");
        }
        if !(1.0..=150.0).contains(&preset.field_of_view_degrees) {
            let message = format!("{} is out of range", preset.field_of_view_degrees);
            self.tell(
                at,
                "field_of_view_degrees",
                &message,
                "1 to 150; the dome's sheet says it for each zoom",
            );
        }
        if preset.dwell_seconds.as_f64() < 1.0 {
            self.tell(at, "dwell_seconds", "nothing can be seen in so short a time", "at least 1 second");
        }
    }

    fn check_patrols(&mut self, at: &[Step], camera: &CameraConfig) {
        let names: Vec<String> = camera.presets.keys().map(ToString::to_string).collect();
        for (name, patrol) in &camera.patrols {
            let at_patrol = below(at, &["patrols", name]);
            if patrol.stops.is_empty() {
                self.tell(&at_patrol, "stops", "the patrol goes nowhere", "add { preset = \"…\" }");
            }
            for (index, stop) in patrol.stops.iter().enumerate() {
                let mut at_stop = at_patrol.clone();
                at_stop.extend([Step::Key("stops".into()), Step::Index(index)]);
                let written = below(at, &["presets"]);
                if !camera.presets.contains_key(&stop.preset)
                    && !self.is_written(&written, stop.preset.as_str())
                {
                    let hint = choice(stop.preset.as_str(), &names, "add a table [cameras.….presets.NAME]");
                    let message = format!("the dome has no preset \"{}\"", stop.preset);
                    self.tell(&at_stop, "preset", &message, &hint);
                }
                if stop.dwell_seconds.is_some_and(|dwell| dwell.as_f64() < 1.0) {
                    let message = "nothing can be seen in so short a time";
                    self.tell(&at_stop, "dwell_seconds", message, "at least 1 second");
                }
            }
        }
    }

    pub(super) fn tell(&mut self, at: &[Step], field: &str, message: &str, hint: &str) {
        self.note_field(at, field, message.to_owned(), Some(hint.to_owned()));
    }

    /// Whether the file has the entry, though it may have had a mistake and be gone from what was read.
    fn is_written(&self, at: &[Step], key: &str) -> bool {
        crate::config::tree::at(self.tree, &below(at, &[key])).is_some()
    }
}

/// Whether the head of the file is that of a picture.
fn is_picture(path: &Path) -> bool {
    image::ImageReader::open(path)
        .and_then(image::ImageReader::with_guessed_format)
        .is_ok_and(|reader| reader.into_dimensions().is_ok())
}
