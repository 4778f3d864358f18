//! Looks at pictures with a model: prints what it finds and writes an annotated PNG beside each, for checking a model
//! or a setting by eye.
//!
//! `cargo run -p parapet-infer --example detect -- [--key=value …] MODEL_FOLDER PICTURE… `; keys: `out` (folder of the
//! PNGs), `long_side`, `score`, `tiles` (columns x rows), `precision`, `provider`.

use std::{
    collections::BTreeMap,
    error::Error,
    io::Write,
    path::{Path, PathBuf},
    sync::Arc,
};

use image::{Rgb, RgbImage};
use parapet_core::{Detector, Frame, Picture, RunId, Timestamp};
use parapet_infer::{DetectorOptions, Engine, EngineConfig, InputSize, Manifest, Tiling};

fn main() -> Result<(), Box<dyn Error>> {
    let (keys, paths): (Vec<_>, Vec<_>) = std::env::args().skip(1).partition(|a| a.starts_with("--"));
    let keys: BTreeMap<&str, &str> = keys.iter().filter_map(|k| k[2..].split_once('=')).collect();
    let [model, pictures @ ..] = &paths[..] else { return Err("name a model's folder and pictures".into()) };

    let text = |key: &str| keys.get(key).map(|v| format!("{key} = \"{v}\"\n")).unwrap_or_default();
    let config: EngineConfig = toml::from_str(&(text("precision") + &text("provider")))?;
    let number = |key: &str| keys.get(key).map(|v| v.parse::<usize>()).transpose();
    let tiles = match keys.get("tiles").and_then(|t| t.split_once('x')) {
        Some((columns, rows)) => {
            Some(Tiling { columns: columns.parse()?, rows: rows.parse()?, overlap: 0.2, whole: true })
        }
        None => None,
    };
    let options = DetectorOptions {
        input: number("long_side")?.map(InputSize::LongSide),
        score_threshold: keys.get("score").map(|v| v.parse()).transpose()?,
        tiles,
        ..DetectorOptions::default()
    };
    let engine = Engine::start(&Manifest::load(Path::new(model))?, &config)?;
    let camera = "example".parse()?;
    let mut detector = engine.detector(&camera, options)?;
    let mut out = std::io::stdout();
    writeln!(out, "{:?}", engine.info())?;
    for path in pictures {
        let mut rgb = image::open(path)?.to_rgb8();
        let (width, height) = (rgb.width() as usize, rgb.height() as usize);
        let picture = Picture::from_rgb(width, height, &rgb).ok_or("an empty picture")?;
        let frame = Frame {
            camera: camera.clone(),
            preset: None,
            run: RunId::derive(&["example"]),
            sequence: 0,
            captured_at: Timestamp::UNIX_EPOCH,
            picture: Arc::new(picture),
        };
        let found = detector.detect(&frame)?;
        writeln!(out, "{path} ({width}x{height}, input {:?})", detector.input_size((width, height)))?;
        for (i, detection) in found.iter().enumerate() {
            let b: [f32; 4] = detection.bbox.into();
            let color = COLORS[i % COLORS.len()];
            let pixels =
                [b[0] * width as f32, b[1] * height as f32, b[2] * width as f32, b[3] * height as f32];
            writeln!(
                out,
                "  {:.3} {:<14} {pixels:.0?} {color:?}",
                detection.score,
                detection.label.as_str()
            )?;
            draw(&mut rgb, pixels, color);
        }
        if let Some(folder) = keys.get("out") {
            let name = Path::new(path).file_stem().unwrap_or_default();
            rgb.save(PathBuf::from(folder).join(name).with_extension("png"))?;
        }
    }
    Ok(())
}

const COLORS: [[u8; 3]; 6] =
    [[255, 40, 40], [40, 255, 40], [80, 120, 255], [255, 230, 0], [255, 0, 255], [0, 255, 255]];

fn draw(rgb: &mut RgbImage, [x1, y1, x2, y2]: [f32; 4], color: [u8; 3]) {
    let (width, height) = (rgb.width().cast_signed(), rgb.height().cast_signed());
    let thickness = (width.max(height) / 300).max(2);
    for y in y1 as i32..=y2 as i32 {
        for x in x1 as i32..=x2 as i32 {
            let edge = (x - x1 as i32).min(x2 as i32 - x).min(y - y1 as i32).min(y2 as i32 - y);
            if edge < thickness && (0..width).contains(&x) && (0..height).contains(&y) {
                rgb.put_pixel(x as u32, y as u32, Rgb(color));
            }
        }
    }
}
