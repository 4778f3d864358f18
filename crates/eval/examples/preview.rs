//! Writes single frames of a scenario as PNG: `preview SPEC PICTURES OUT_PREFIX SECONDS…`.

use std::path::Path;

use parapet_eval::scenario::{Composer, ScenarioSpec};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [spec, pictures, prefix, times @ ..] = arguments.as_slice() else {
        return Err("usage: preview SPEC PICTURES OUT_PREFIX SECONDS…".into());
    };
    let mut composer = Composer::new(ScenarioSpec::load(Path::new(spec))?, Path::new(pictures))?;
    let (width, height) = composer.size();
    for time in times {
        let number = (time.parse::<f64>()? * f64::from(composer.spec().frames_per_second)) as u64;
        let (rgb, _) = composer.frame(number)?;
        image::save_buffer(
            format!("{prefix}{time}.png"),
            &rgb,
            width as u32,
            height as u32,
            image::ColorType::Rgb8,
        )?;
    }
    Ok(())
}
