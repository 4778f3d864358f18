//! Options of change detection, as they stand in the pipeline file.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What is followed in a view. Each part runs only where its table is present.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ChangeConfig {
    /// Things of any kind that were put down and stay (background model). Needs a camera that does not move.
    pub background: Option<BackgroundConfig>,
    /// Differences to the approved baseline pictures, inside roof zones.
    pub baseline: Option<BaselineConfig>,
}

/// The background model. Sizes are fractions of the frame, times are of the footage.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct BackgroundConfig {
    /// Width in pixels at which the model works. More finds smaller things and costs more time (with its square).
    pub width: usize,
    /// How long the model looks before it says anything. What stands there in this time is part of the view.
    pub bootstrap_seconds: f32,
    /// How long a thing must stand still before it is reported. Limits of rules count from when it came to rest.
    pub settle_seconds: f32,
    /// How long the place of a thing must look empty before it is taken for gone.
    pub removal_seconds: f32,
    /// Time constant with which the clean view follows slow changes of light.
    pub reference_seconds: f32,
    /// How long what is no thing of its own (a shadow, a sunny patch, something too small) must stay before it
    /// becomes part of the view.
    pub heal_seconds: f32,
    /// Smallest thing that is reported, as a fraction of the frame.
    pub min_area: f32,
    /// Largest thing that is reported, as a fraction of the frame.
    pub max_area: f32,
    /// Difference of brightness (of 255) beyond the noise of a pixel that makes it foreground.
    pub luma_difference: f32,
    /// Difference of colour (of 255) that makes a pixel foreground.
    pub chroma_difference: f32,
    /// Whether darker or brighter patches that keep colour and texture of the ground are left out.
    pub ignore_shadows: bool,
    /// Largest shake or drift that is made good, as a fraction of the frame's width. Beyond it the view has shifted.
    pub max_shift: f32,
    /// How long another view must stand before the model begins anew with it.
    pub new_view_seconds: f32,
    /// How long exactly the same picture may repeat before time stops counting: a frozen stream proves nothing.
    pub freeze_seconds: f32,
}

impl Default for BackgroundConfig {
    fn default() -> Self {
        Self {
            width: 320,
            bootstrap_seconds: 6.0,
            settle_seconds: 6.0,
            removal_seconds: 3.0,
            reference_seconds: 40.0,
            heal_seconds: 60.0,
            min_area: 0.001,
            max_area: 0.4,
            luma_difference: 14.0,
            chroma_difference: 9.0,
            ignore_shadows: true,
            max_shift: 0.05,
            new_view_seconds: 20.0,
            freeze_seconds: 2.0,
        }
    }
}

/// The comparison with approved baseline pictures.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct BaselineConfig {
    /// Width in pixels at which pictures are compared.
    pub width: usize,
    /// Time between comparisons.
    pub interval_seconds: f32,
    /// In how many comparisons in a row a difference must be seen before it is reported, and missed before it is
    /// taken for gone.
    pub confirm_comparisons: u32,
    /// Smallest difference that is reported, as a fraction of the frame.
    pub min_area: f32,
    /// Structural difference that counts, 0..=1: 0 is the same, 1 has nothing in common.
    pub min_score: f32,
    /// Difference of colour (of 255) that counts where structure says nothing.
    pub chroma_difference: f32,
    /// Difference of brightness (of 255), after the light is made equal, that counts where structure says nothing.
    pub luma_difference: f32,
    /// Share of the view's structure that must fit the baseline for a comparison to count, 0..=1.
    pub min_fit: f32,
    /// Largest aiming error that is made good, as a fraction of the frame's width.
    pub max_shift: f32,
    /// Whether darker or brighter patches that keep colour and texture of the roof are left out.
    pub ignore_shadows: bool,
}

impl Default for BaselineConfig {
    fn default() -> Self {
        Self {
            width: 640,
            interval_seconds: 60.0,
            confirm_comparisons: 3,
            min_area: 0.0015,
            min_score: 0.55,
            chroma_difference: 14.0,
            luma_difference: 28.0,
            min_fit: 0.5,
            max_shift: 0.08,
            ignore_shadows: true,
        }
    }
}
