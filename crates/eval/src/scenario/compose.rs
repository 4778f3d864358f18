//! Puts the frames of a scenario together.

use std::path::{Path, PathBuf};

use image::RgbImage;
use parapet_core::{BBox, Label};
use serde::Serialize;

use super::{
    canvas::{Frame, Sprite},
    spec::{KeySpec, ScenarioError, ScenarioSpec},
};

/// The words that every composite carries, drawn once and kept with the code: 合成画面 COMPOSITE.
const MARK: &[u8] = include_bytes!("../../../../fixtures/scenarios/composite-mark.png");

/// Makes the frames of one scenario.
pub struct Composer {
    spec: ScenarioSpec,
    background: Frame,
    things: Vec<(String, Sprite)>,
    mark: Sprite,
}

/// A thing in a frame.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PlacedThing {
    /// Its name in the specification.
    pub name: String,
    /// What it is; `None` for scenery.
    pub label: Option<Label>,
    /// Where it can be seen, normalized; what covers it is not taken off.
    pub bbox: BBox,
}

fn open(pictures: &Path, name: &Path) -> Result<RgbImage, ScenarioError> {
    let path: PathBuf = pictures.join(name);
    image::open(&path).map(|p| p.to_rgb8()).map_err(|source| ScenarioError::Picture { path, source })
}

impl Composer {
    /// Reads the pictures of a scenario, which lie below `pictures`.
    ///
    /// # Errors
    /// When a picture is missing or broken.
    pub fn new(spec: ScenarioSpec, pictures: &Path) -> Result<Self, ScenarioError> {
        let mut background = Frame::of(&open(pictures, &spec.background.picture)?);
        for patch in &spec.background.clone {
            background.clone_patch(patch.rectangle, patch.from, patch.feather_pixels);
        }
        let mut things = Vec::new();
        for (name, thing) in &spec.things {
            let mut sprite = match &thing.cutout {
                Some(c) => {
                    Sprite::cut(&open(pictures, &c.picture)?, &c.outline, &c.without, c.feather_pixels)
                }
                None => Sprite::render(&thing.faces),
            };
            sprite.brighten(thing.gain);
            things.push((name.clone(), sprite));
        }
        let mark = image::load_from_memory(MARK).expect("the committed mark is a PNG").to_rgba8();
        let mark = Sprite {
            width: mark.width() as usize,
            height: mark.height() as usize,
            origin: [8.0, 8.0],
            pixels: mark
                .pixels()
                .map(|p| [p[0] as f32, p[1] as f32, p[2] as f32, p[3] as f32 / 255.0])
                .collect(),
        };
        Ok(Self { spec, background, things, mark })
    }

    /// The specification.
    pub fn spec(&self) -> &ScenarioSpec {
        &self.spec
    }

    /// `(width, height)` of the frames in pixels.
    pub fn size(&self) -> (usize, usize) {
        (self.background.width, self.background.height)
    }

    /// The scene with nothing in it but scenery that is always there: what an approved baseline shows. Interleaved
    /// RGB, row by row.
    pub fn clean_plate(&self) -> Vec<u8> {
        let mut frame = self.background.clone();
        for (name, sprite) in &self.things {
            let thing = &self.spec.things[name];
            if thing.label.is_none() {
                sprite.paste(&mut frame, thing.keys[0].offset, thing.keys[0].scale);
            }
        }
        frame.to_rgb()
    }

    /// Frame `number`: interleaved RGB, row by row, and what is in it.
    pub fn frame(&self, number: u64) -> (Vec<u8>, Vec<PlacedThing>) {
        let at = number as f64 / f64::from(self.spec.frames_per_second);
        let mut noise = Noise::new(self.spec.seed ^ number.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let mut frame = self.background.clone();
        let mut placed = Vec::new();
        for (name, sprite) in &self.things {
            let thing = &self.spec.things[name];
            let Some(key) = key_at(&thing.keys, at) else { continue };
            if thing.shadow > 0.0 {
                frame.cast_shadow(sprite.place(key.offset, key.scale), thing.shadow);
            }
            if let Some([x0, y0, x1, y1]) = sprite.paste(&mut frame, key.offset, key.scale) {
                let (w, h) = (frame.width as f32, frame.height as f32);
                let bbox = BBox::new(x0 / w, y0 / h, x1 / w, y1 / h).expect("a pasted box is in order");
                placed.push(PlacedThing { name: name.clone(), label: thing.label.clone(), bbox });
            }
        }
        let camera = &self.spec.camera;
        if camera.shake_pixels > 0.0 {
            let shift =
                [noise.uniform(), noise.uniform()].map(|v| ((v * 2.0 - 1.0) * camera.shake_pixels).round());
            let (width, height) = (frame.width as f32, frame.height as f32);
            frame.clone_patch([0.0, 0.0, width, height], shift, 0.5);
        }
        let gain = gain_at(&camera.light, at);
        for pixel in &mut frame.pixels {
            let grain = camera.noise * noise.normal();
            for channel in pixel {
                *channel = *channel * gain + grain;
            }
        }
        self.mark.paste(&mut frame, [0.0, 0.0], 1.0);
        (frame.to_rgb(), placed)
    }
}

fn key_at(keys: &[KeySpec], at: f64) -> Option<KeySpec> {
    let next = keys.iter().position(|k| k.at_seconds > at);
    match next {
        Some(0) => None,
        Some(i) => {
            let (a, b) = (keys[i - 1], keys[i]);
            let t = ((at - a.at_seconds) / (b.at_seconds - a.at_seconds)) as f32;
            let mix = |a: f32, b: f32| a + (b - a) * t;
            Some(KeySpec {
                at_seconds: at,
                offset: [mix(a.offset[0], b.offset[0]), mix(a.offset[1], b.offset[1])],
                scale: mix(a.scale, b.scale),
            })
        }
        None => keys.last().filter(|k| k.at_seconds >= at).copied(),
    }
}

fn gain_at(light: &[[f64; 2]], at: f64) -> f32 {
    let Some(next) = light.iter().position(|l| l[0] > at) else {
        return light.last().map_or(1.0, |l| l[1] as f32);
    };
    if next == 0 {
        return light[0][1] as f32;
    }
    let ([t0, g0], [t1, g1]) = (light[next - 1], light[next]);
    (g0 + (g1 - g0) * (at - t0) / (t1 - t0)) as f32
}

/// `SplitMix64` (Steele, Lea and Flood 2014): small, seeded, the same on every machine.
struct Noise(u64);

impl Noise {
    fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// 0..1.
    fn uniform(&mut self) -> f32 {
        (self.next() >> 40) as f32 / (1u64 << 24) as f32
    }

    /// About standard normal: the sum of four uniform bytes, scaled.
    fn normal(&mut self) -> f32 {
        let bits = self.next();
        let sum: u64 = (0..4).map(|i| (bits >> (16 * i)) & 0xffff).sum();
        (sum as f32 / 65535.0 - 2.0) * 1.732
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(at_seconds: f64, x: f32) -> KeySpec {
        KeySpec { at_seconds, offset: [x, 0.0], scale: 1.0 }
    }

    #[test]
    fn a_thing_is_there_from_its_first_key_until_its_last() {
        let keys = [key(1.0, 0.0), key(3.0, 10.0)];
        assert_eq!(key_at(&keys, 0.9), None);
        assert_eq!(key_at(&keys, 2.0).unwrap().offset, [5.0, 0.0]);
        assert_eq!(key_at(&keys, 3.0).unwrap().offset, [10.0, 0.0]);
        assert_eq!(key_at(&keys, 3.1), None);
    }

    #[test]
    fn the_noise_is_seeded_and_about_normal() {
        let mut noise = Noise::new(7);
        let samples: Vec<f32> = (0..20_000).map(|_| noise.normal()).collect();
        let mean = samples.iter().sum::<f32>() / samples.len() as f32;
        let variance = samples.iter().map(|s| (s - mean).powi(2)).sum::<f32>() / samples.len() as f32;
        assert!(mean.abs() < 0.03 && (variance - 1.0).abs() < 0.05, "{mean} {variance}");
        assert_eq!(Noise::new(7).next(), Noise::new(7).next());
    }
}
