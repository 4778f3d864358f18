//! Light, air and camera of a scenario.

use serde::Deserialize;

/// How the camera sees the scene.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CameraSpec {
    /// Standard deviation of the sensor noise, in grey levels.
    #[serde(default)]
    pub noise: f32,
    /// Brightness over time, as `[seconds, gain]`: what an automatic exposure does.
    #[serde(default)]
    pub light: Vec<[f64; 2]>,
    /// Largest shift of the camera by wind.
    #[serde(default)]
    pub shake_pixels: f32,
    /// Quantizer of the H.264 encoder, 0 (lossless) to 51; higher shows more of the compression. 23 if left out.
    pub quantizer: Option<u32>,
}

/// Where the sun stands, as seen in the shadows.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SunSpec {
    /// Where the shadow of a point falls, for each pixel of its height: right and down in the picture. The second may
    /// not be 0.
    pub reach: [f32; 2],
    /// Darkness of a shadow, 0 to 1.
    pub darkness: f32,
}

/// What light falls on the scene.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LightSpec {
    /// How far night has come, as `[seconds, 0..=1]`: darker, flatter, bluer, and noisier.
    #[serde(default)]
    pub night: Vec<[f64; 2]>,
    /// Lamps, headlights, clouds.
    #[serde(default)]
    pub patches: Vec<LightPatchSpec>,
}

/// A soft ellipse in which there is more light, or less.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LightPatchSpec {
    /// Half its width and half its height.
    pub radius: [f32; 2],
    /// Share of the radius over which it fades, 0 (hard edge) to 1.
    #[serde(default = "super::one")]
    pub softness: f32,
    /// Colour of the light, as factors of red, green and blue.
    #[serde(default = "white")]
    pub color: [f32; 3],
    /// Where it is and how strong over time; none before the first key and after the last.
    pub keys: Vec<LightKeySpec>,
}

/// A patch of light at an instant; in between it moves and changes evenly.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LightKeySpec {
    /// When.
    pub at_seconds: f64,
    /// Its middle.
    pub at: [f32; 2],
    /// Light added in the middle, where 1 is full daylight; negative for the shadow of a cloud.
    pub level: f32,
}

/// What is in the air.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WeatherSpec {
    /// Rain over time, as `[seconds, 0..=1]`.
    #[serde(default)]
    pub rain: Vec<[f64; 2]>,
    /// Fog.
    pub fog: Option<FogSpec>,
}

/// Fog: what is far pales into grey.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FogSpec {
    /// Share of what is far that is grey, as `[seconds, 0..=1]`.
    pub density: Vec<[f64; 2]>,
    /// Share of that at the lower edge of the picture, where things are near.
    #[serde(default = "half")]
    pub near: f32,
}

fn white() -> [f32; 3] {
    [1.0; 3]
}

fn half() -> f32 {
    0.5
}
