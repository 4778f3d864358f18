//! Options of a camera that looks at several places in turn: a PTZ dome with its presets and patrols.

use std::{collections::BTreeMap, path::PathBuf};

use parapet_analytics::{Fraction, RuleConfig, Schedule, Seconds};
use parapet_change::ChangeConfig;
use parapet_core::{
    PresetId, RuleId, ZoneId,
    geo::{GroundMap, GroundReference},
};
use serde::Deserialize;

use super::{LineConfig, ViewOptions, ZoneConfig};

/// A dome. What it sees belongs to its presets: zones, lines, rules, change and baselines stand there, not at the
/// camera. Nothing is analysed while it turns, while an operator has it, or while it does not look where it should.
#[derive(Debug, Clone, PartialEq, Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct DomeConfig {
    /// How the dome is told where to look. Without this table nobody tells it: its patrol is its own, and the preset is
    /// recognised from the picture.
    pub onvif: Option<OnvifConfig>,
    /// Largest aiming error that is made good. A dome that looks further beside its preset is reported, and nothing is
    /// analysed there.
    pub max_offset_degrees: f32,
    /// Share of a reference picture's structure that must be found again for the view to be that of the preset.
    pub min_fit: Fraction,
    /// How long a dome may take to arrive. It is told twice; then the preset is reported and left out this time.
    pub overdue_seconds: Seconds,
    /// After an operator moved the dome, it must have stood still for so long before its patrol goes on.
    pub takeover_seconds: Seconds,
    /// Time between two checks of the aim while the dome stands.
    pub recheck_seconds: Seconds,
    /// A dome with a patrol of its own is reported when it has not been seen at a preset for so long.
    pub return_within_seconds: Seconds,
}

impl Default for DomeConfig {
    fn default() -> Self {
        Self {
            onvif: None,
            max_offset_degrees: 10.0,
            min_fit: Fraction::percent(50),
            overdue_seconds: Seconds::whole(20),
            takeover_seconds: Seconds::whole(120),
            recheck_seconds: Seconds::whole(60),
            return_within_seconds: Seconds::whole(3600),
        }
    }
}

/// A dome that speaks ONVIF (PTZ service, version 2).
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OnvifConfig {
    /// Address of its device service, as `http://10.0.0.8/onvif/device_service`.
    pub url: String,
    /// User name at the dome.
    pub username: Option<String>,
    /// File whose first line is the password.
    pub password_file: Option<PathBuf>,
    /// Environment variable that holds the password.
    pub password_env: Option<String>,
    /// Token of the media profile that turns the dome; by default the first that can.
    pub profile: Option<String>,
}

/// A place to which a dome returns, with what a fixed camera has at its head.
#[derive(Debug, Clone, PartialEq, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PresetConfig {
    /// Its name for people.
    pub name: Option<String>,
    /// The dome's own token of the preset (`GetPresets`); by default the name of this table.
    pub token: Option<String>,
    /// Pictures of the view as it should be, one for each light that differs much (a lamp-lit night needs one of its
    /// own), all of one aim: zones are drawn on the first, and the aim is checked against all.
    pub reference_pictures: Vec<PathBuf>,
    /// Horizontal field of view at this preset's zoom.
    #[serde(default = "default_field_of_view_degrees")]
    pub field_of_view_degrees: f32,
    /// How long a patrol watches here where it says nothing else.
    #[serde(default = "default_dwell_seconds")]
    pub dwell_seconds: Seconds,
    /// How long the picture must have stood still before it is looked at.
    #[serde(default = "default_settle_seconds")]
    pub settle_seconds: Seconds,
    /// Areas of the view, by name. Masks are zones with the purpose `ignore`, or `private` for people's eyes only.
    #[serde(default)]
    pub zones: BTreeMap<ZoneId, ZoneConfig>,
    /// Lines whose crossing is counted, by name.
    #[serde(default)]
    pub lines: BTreeMap<ZoneId, LineConfig>,
    /// What may not happen, by name.
    #[serde(default)]
    pub rules: BTreeMap<RuleId, RuleConfig>,
    /// Detection of what is new in the view, whatever it is.
    #[serde(default)]
    pub change: ChangeConfig,
    /// Pictures that `change.baseline` compares with as long as none is approved with `parapet baseline`.
    #[serde(default)]
    pub baseline_pictures: Vec<PathBuf>,
    /// Where the view shows the ground, as for a fixed camera.
    #[schemars(with = "Option<Vec<GroundReference>>")]
    pub ground: Option<GroundMap>,
}

fn default_field_of_view_degrees() -> f32 {
    60.0
}

fn default_dwell_seconds() -> Seconds {
    Seconds::whole(60)
}

fn default_settle_seconds() -> Seconds {
    Seconds::whole(2)
}

/// The order in which a dome visits its presets, again and again. Where several patrols are in force at once, the first
/// by name leads; where none is, the dome is left alone, and what it looks at is recognised from the picture.
#[derive(Debug, Clone, PartialEq, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PatrolConfig {
    /// The presets in order: `[{ preset = "gate" }, { preset = "roof", dwell_seconds = 20 }]`.
    pub stops: Vec<StopConfig>,
    /// When the patrol is in force.
    #[serde(default)]
    pub schedule: Schedule,
}

/// One stop of a patrol.
#[derive(Debug, Clone, PartialEq, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StopConfig {
    /// Where to look.
    pub preset: PresetId,
    /// How long to watch; by default what the preset says.
    pub dwell_seconds: Option<Seconds>,
}

impl PresetConfig {
    /// What is watched there, and for what.
    pub fn view(&self) -> ViewOptions<'_> {
        ViewOptions {
            zones: &self.zones,
            lines: &self.lines,
            rules: &self.rules,
            change: &self.change,
            baseline_pictures: &self.baseline_pictures,
            ground: self.ground.as_ref(),
        }
    }
}
