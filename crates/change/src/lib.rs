//! What is new in a view: background model for fixed cameras, registered comparison with a baseline.

mod background;
mod config;
mod raster;
mod register;
mod small;

pub use background::{Background, Standing};
pub use config::{BackgroundConfig, BaselineConfig, ChangeConfig};
