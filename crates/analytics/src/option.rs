//! Values of options that are right once they exist.

use serde::{Deserialize, Serialize};

/// A span of time in an option whose name ends in `_seconds`: finite and not negative.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(try_from = "f64", into = "f64")]
pub struct Seconds(f64);

/// The number is no span of time.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
#[error("{0} is not a number of seconds; hint: 0 or more")]
pub struct InvalidSeconds(pub f64);

impl Seconds {
    /// A span of whole seconds.
    pub const fn whole(seconds: u32) -> Self {
        Self(seconds as f64)
    }

    /// The number of seconds.
    pub const fn as_f64(self) -> f64 {
        self.0
    }
}

impl TryFrom<f64> for Seconds {
    type Error = InvalidSeconds;
    fn try_from(value: f64) -> Result<Self, InvalidSeconds> {
        if value.is_finite() && value >= 0.0 { Ok(Self(value)) } else { Err(InvalidSeconds(value)) }
    }
}

impl From<Seconds> for f64 {
    fn from(seconds: Seconds) -> Self {
        seconds.0
    }
}

/// A part of a whole, 0..=1.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(try_from = "f32", into = "f32")]
pub struct Fraction(f32);

/// The number is no part of a whole.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
#[error("{0} is not a fraction; hint: 0 to 1")]
pub struct InvalidFraction(pub f32);

impl Fraction {
    /// So many hundredths; at most 100.
    pub const fn percent(percent: u8) -> Self {
        assert!(percent <= 100, "a fraction is at most a whole");
        Self(percent as f32 / 100.0)
    }

    /// The number.
    pub const fn as_f32(self) -> f32 {
        self.0
    }
}

impl TryFrom<f32> for Fraction {
    type Error = InvalidFraction;
    fn try_from(value: f32) -> Result<Self, InvalidFraction> {
        if (0.0..=1.0).contains(&value) { Ok(Self(value)) } else { Err(InvalidFraction(value)) }
    }
}

impl From<Fraction> for f32 {
    fn from(fraction: Fraction) -> Self {
        fraction.0
    }
}
