//! Puts the frames of a scenario together: the scene, what is in it from far to near, light, air, and the camera.

use std::path::Path;

use image::RgbImage;
use parapet_core::{BBox, Label};
use serde::Serialize;

use super::{
    atmosphere::{curve_at, fog, light, rain},
    backdrop::{Backdrop, open_picture},
    frame::{Frame, Owners},
    noise::Noise,
    spec::{KeySpec, LookSpec, ScenarioError, ScenarioSpec, ThingSpec},
    sprite::{Placement, Sprite},
};

/// The words that every composite carries, drawn once and kept with the code: 合成画面 COMPOSITE.
const MARK: &[u8] = include_bytes!("../../../../fixtures/scenarios/composite-mark.png");

/// Makes the frames of one scenario.
pub struct Composer {
    spec: ScenarioSpec,
    backdrop: Backdrop,
    things: Vec<(String, Sprite)>,
    mark: Sprite,
}

/// A thing in a frame.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PlacedThing {
    /// Its name in the specification.
    pub name: String,
    /// Its number, the same in all frames.
    pub track: u64,
    /// What it is; `None` for scenery.
    pub label: Option<Label>,
    /// Where it is in the frame, normalized; what covers it is not taken off.
    pub bbox: BBox,
    /// Share of it that can be seen, 0 to 1: less where something covers it or the frame ends.
    pub visibility: f32,
    /// Where that share is.
    pub visible: Option<BBox>,
}

/// What is in front and where, in one frame.
struct Drawn {
    index: usize,
    seen: Option<[f32; 4]>,
    area: u32,
}

fn sprite(look: &LookSpec, pictures: &Path, still: &RgbImage) -> Result<Sprite, ScenarioError> {
    let mut parts = Vec::new();
    for part in &look.parts {
        let sprite = match &part.cutout {
            Some(cut) => match &cut.picture {
                Some(picture) => Sprite::cut(&open_picture(pictures, picture)?, cut),
                None => Sprite::cut(still, cut),
            },
            None => Sprite::render(&part.faces),
        };
        parts.push((sprite, part.offset));
    }
    let joined = Sprite::join(&parts);
    Ok(if look.turn_degrees == 0.0 { joined } else { joined.turned(look.turn_degrees) })
}

impl Composer {
    /// Reads the pictures of a scenario, which lie below `pictures`.
    ///
    /// # Errors
    /// When a picture or video is missing or broken.
    pub fn new(spec: ScenarioSpec, pictures: &Path) -> Result<Self, ScenarioError> {
        let backdrop = Backdrop::open(&spec.background, pictures)?;
        let (width, height) = (backdrop.still.width as u32, backdrop.still.height as u32);
        let still = RgbImage::from_raw(width, height, backdrop.still.to_rgb()).expect("a frame has its size");
        let mut things = Vec::new();
        for (name, thing) in &spec.things {
            let mut sprite = sprite(thing.look(), pictures, &still)?;
            sprite.expose(thing.look().contrast, thing.look().gain * thing.gain);
            things.push((name.clone(), sprite));
        }
        let mark = image::load_from_memory(MARK).expect("the committed mark is a PNG").to_rgba8();
        Ok(Self { spec, backdrop, things, mark: Sprite::of(&mark, [8.0, 8.0]) })
    }

    /// The specification.
    pub fn spec(&self) -> &ScenarioSpec {
        &self.spec
    }

    /// `(width, height)` of the frames in pixels.
    pub fn size(&self) -> (usize, usize) {
        (self.backdrop.still.width, self.backdrop.still.height)
    }

    /// The scene with nothing in it but scenery that is always there: what an approved baseline shows. Interleaved
    /// RGB, row by row.
    pub fn clean_plate(&self) -> Vec<u8> {
        let mut frame = self.backdrop.still.clone();
        let mut owners = Owners::nobody(frame.pixels.len());
        for (index, (name, sprite)) in self.things.iter().enumerate() {
            let thing = &self.spec.things[name];
            let (first, last) = (thing.keys[0], thing.keys[thing.keys.len() - 1]);
            let always = first.at_seconds <= 0.0 && last.at_seconds >= self.spec.duration_seconds;
            if always && (thing.scenery || thing.look().label.is_none()) {
                let at = self.placement(thing, sprite, first);
                frame.paste(sprite, at, &mut owners, index as u16);
            }
        }
        frame.to_rgb()
    }

    fn placement(&self, thing: &ThingSpec, sprite: &Sprite, key: KeySpec) -> Placement {
        let own = sprite.foot();
        let Some(foot) = key.foot else {
            let foot = [own[0] + key.offset[0], own[1] + key.offset[1]];
            return Placement { foot, scale: key.scale, mirror: thing.mirror };
        };
        let natural = match (self.spec.background.ground, thing.look().height_meters) {
            (Some(ground), Some(meters)) => ground.pixels_per_meter_at(foot[1]) * meters / sprite.height(),
            _ => 1.0,
        };
        Placement { foot, scale: natural * key.scale, mirror: thing.mirror }
    }

    /// What is there at an instant, from far to near.
    fn placed(&self, at: f64) -> Vec<(usize, Placement)> {
        let mut there: Vec<(i32, usize, Placement)> = Vec::new();
        for (index, (name, sprite)) in self.things.iter().enumerate() {
            let thing = &self.spec.things[name];
            if let Some(key) = key_at(&thing.keys, at) {
                there.push((thing.layer, index, self.placement(thing, sprite, key)));
            }
        }
        let known = self.spec.background.ground.is_some();
        there.sort_by(|a, b| {
            let near = if known { a.2.foot[1].total_cmp(&b.2.foot[1]) } else { std::cmp::Ordering::Equal };
            a.0.cmp(&b.0).then(near).then(a.1.cmp(&b.1))
        });
        there.into_iter().map(|(_, index, place)| (index, place)).collect()
    }

    /// Frame `number`: interleaved RGB, row by row, and what is in it. Quickest in order, where a video plays behind.
    ///
    /// # Errors
    /// When the video behind cannot be read.
    pub fn frame(&mut self, number: u64) -> Result<(Vec<u8>, Vec<PlacedThing>), ScenarioError> {
        let at = number as f64 / f64::from(self.spec.frames_per_second);
        let mut noise = Noise::of_frame(self.spec.seed, number);
        let scene = self.backdrop.at(at)?;
        let mut frame = scene.clone();
        let mut owners = Owners::nobody(frame.pixels.len());
        let night = curve_at(&self.spec.light.night, at, 0.0).clamp(0.0, 1.0);
        let mut feet = vec![f32::INFINITY; self.things.len()];
        let mut drawn = Vec::new();
        for (index, place) in self.placed(at) {
            let (name, sprite) = &self.things[index];
            let look = self.spec.things[name].look();
            if let Some(sun) = self.spec.background.sun
                && look.shadow > 0.0
            {
                frame.cast_shadow(sprite, place, sun.reach, sun.darkness * (1.0 - night));
            }
            if look.shadow > 0.0 {
                frame.contact_shadow(sprite.content_at(place), look.shadow);
            }
            feet[index] = place.foot[1];
            let (seen, area) = frame.paste(sprite, place, &mut owners, index as u16);
            drawn.push(Drawn { index, seen, area });
        }
        self.backdrop.bring_forward(&scene, &mut frame, &mut owners, &feet);
        light(&mut frame, &self.spec.light, at);
        if let Some(spec) = &self.spec.weather.fog {
            fog(&mut frame, spec, self.spec.background.ground.map(|g| g.horizon_y), night, at);
        }
        rain(&mut frame, curve_at(&self.spec.weather.rain, at, 0.0), night, &mut noise);
        let shift = self.photograph(&mut frame, at, night, &mut noise);
        drawn.sort_by_key(|d| d.index);
        let placed = drawn.iter().filter_map(|d| self.truth(d, &owners, shift)).collect();
        Ok((frame.to_rgb(), placed))
    }

    /// Shake, exposure, noise and the mark; returns how far the picture moved.
    fn photograph(&self, frame: &mut Frame, at: f64, night: f32, noise: &mut Noise) -> [f32; 2] {
        let camera = &self.spec.camera;
        let mut shift = [0.0; 2];
        if camera.shake_pixels > 0.0 {
            shift =
                [noise.uniform(), noise.uniform()].map(|v| ((v * 2.0 - 1.0) * camera.shake_pixels).round());
            frame.shift(shift);
        }
        let gain = curve_at(&camera.light, at, 1.0);
        let deviation = camera.noise * (1.0 + 1.5 * night);
        for pixel in &mut frame.pixels {
            let grain = deviation * noise.normal();
            for channel in pixel {
                *channel = *channel * gain + grain;
            }
        }
        let at = Placement { foot: self.mark.foot(), scale: 1.0, mirror: false };
        frame.paste(&self.mark, at, &mut Owners::nobody(frame.pixels.len()), 0);
        shift
    }

    fn truth(&self, drawn: &Drawn, owners: &Owners, shift: [f32; 2]) -> Option<PlacedThing> {
        let (width, height) = self.size();
        let name = &self.things[drawn.index].0;
        let thing = &self.spec.things[name];
        let normalized = |b: [f32; 4]| {
            let x = |v: f32| ((v + shift[0]) / width as f32).clamp(0.0, 1.0);
            let y = |v: f32| ((v + shift[1]) / height as f32).clamp(0.0, 1.0);
            BBox::new(x(b[0]), y(b[1]), x(b[2]), y(b[3]))
        };
        let (visible, area) = owners.visible(width, drawn.index as u16);
        Some(PlacedThing {
            name: name.clone(),
            track: drawn.index as u64 + 1,
            label: thing.look().label.clone().filter(|_| !thing.scenery),
            bbox: normalized(drawn.seen?)?,
            visibility: area as f32 / drawn.area.max(1) as f32,
            visible: visible.and_then(normalized),
        })
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
            let both = |a: [f32; 2], b: [f32; 2]| [mix(a[0], b[0]), mix(a[1], b[1])];
            Some(KeySpec {
                at_seconds: at,
                foot: a.foot.zip(b.foot).map(|(a, b)| both(a, b)),
                offset: both(a.offset, b.offset),
                scale: mix(a.scale, b.scale),
            })
        }
        None => keys.last().filter(|k| k.at_seconds >= at).copied(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thing_is_there_from_its_first_key_until_its_last() {
        let key = |at_seconds, x| KeySpec { at_seconds, foot: None, offset: [x, 0.0], scale: 1.0 };
        let keys = [key(1.0, 0.0), key(3.0, 10.0)];
        assert_eq!(key_at(&keys, 0.9), None);
        assert_eq!(key_at(&keys, 2.0).unwrap().offset, [5.0, 0.0]);
        assert_eq!(key_at(&keys, 3.0).unwrap().offset, [10.0, 0.0]);
        assert_eq!(key_at(&keys, 3.1), None);
    }
}
