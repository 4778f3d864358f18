//! Draws what the background model finds in a clip, one picture each few seconds:
//! `cargo run -p parapet-change --example watch -- CLIP OUT_DIR [every_seconds]`
#![expect(clippy::print_stdout, reason = "a tool for the eye")]
#![expect(clippy::unwrap_used, reason = "a tool for the eye")]

#[path = "../tests/support/mod.rs"]
mod support;

use std::path::PathBuf;

use parapet_change::{Background, BackgroundConfig};

fn main() {
    let mut arguments = std::env::args().skip(1);
    let clip = PathBuf::from(arguments.next().unwrap());
    let out = PathBuf::from(arguments.next().unwrap());
    let every: f64 = arguments.next().map_or(3.0, |s| s.parse().unwrap());
    std::fs::create_dir_all(&out).unwrap();
    let stem = clip.file_stem().unwrap().to_str().unwrap().to_owned();
    let persons = support::persons(&stem);
    let mut background = Background::new(BackgroundConfig::default(), &[]);
    let mut known = std::collections::BTreeSet::new();
    let mut next = 0.0;
    for (i, picture) in support::decode(&clip, 5.0).into_iter().enumerate() {
        let seconds = i as f64 / 5.0;
        let boxes = persons.get(i).cloned().unwrap_or_default();
        let standing = background.update(&picture, support::at(seconds), &boxes);
        let new = standing.regions.iter().any(|r| known.insert(r.number));
        if standing.light_changed || standing.view_shifted || standing.moving_fraction > 0.2 {
            println!(
                "{seconds:6.1} light {} shifted {} moving {:.2}",
                standing.light_changed, standing.view_shifted, standing.moving_fraction
            );
        }
        if new {
            for r in &standing.regions {
                let (w, h) = (picture.width() as f32, picture.height() as f32);
                println!(
                    "{seconds:6.1} region {} box {:.0},{:.0},{:.0},{:.0} since {:.1}",
                    r.number,
                    r.bbox.x_min() * w,
                    r.bbox.y_min() * h,
                    r.bbox.x_max() * w,
                    r.bbox.y_max() * h,
                    parapet_core::time::seconds_between(support::at(0.0), r.since)
                );
            }
        }
        if new || seconds >= next {
            next = seconds + every;
            let (w, h) = (picture.width(), picture.height());
            let mut image = image::RgbImage::from_raw(w as u32, h as u32, picture.to_rgb()).unwrap();
            let mut dot = |x: f32, y: f32, color: [u8; 3]| {
                let (x, y) = ((x * w as f32) as i64, (y * h as f32) as i64);
                if x >= 0 && y >= 0 && (x as usize) < w && (y as usize) < h {
                    image.put_pixel(x as u32, y as u32, image::Rgb(color));
                }
            };
            let mut line = |a: parapet_core::Point, b: parapet_core::Point, color: [u8; 3]| {
                for k in 0..=400 {
                    let t = k as f32 / 400.0;
                    dot(a.x + (b.x - a.x) * t, a.y + (b.y - a.y) * t, color);
                    dot(a.x + (b.x - a.x) * t + 1.0 / w as f32, a.y + (b.y - a.y) * t, color);
                }
            };
            for (points, color) in standing
                .regions
                .iter()
                .map(|r| (r.outline.clone(), [255, 0, 0]))
                .chain(boxes.iter().map(|b| (b.corners().to_vec(), [0, 255, 0])))
            {
                for i in 0..points.len() {
                    line(points[i], points[(i + 1) % points.len()], color);
                }
            }
            image.save(out.join(format!("{stem}_{seconds:05.1}.png"))).unwrap();
        }
    }
}
