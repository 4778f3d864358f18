//! A frame in the making, and the strokes that compositing needs.

use image::RgbImage;

use super::{
    outline::coverage,
    sprite::{Placement, Sprite},
};

/// A frame in the making: RGB as floats, 0..=255.
#[derive(Debug, Clone)]
pub(super) struct Frame {
    pub(super) width: usize,
    pub(super) height: usize,
    pub(super) pixels: Vec<[f32; 3]>,
}

/// Which thing is in front at each pixel; `NOBODY` where the background is.
#[derive(Debug, Clone)]
pub(super) struct Owners(pub(super) Vec<u16>);

pub(super) const NOBODY: u16 = u16::MAX;

fn reach(v: f32, n: usize) -> usize {
    v.clamp(0.0, n as f32) as usize
}

impl Frame {
    pub(super) fn of(picture: &RgbImage) -> Self {
        Self {
            width: picture.width() as usize,
            height: picture.height() as usize,
            pixels: picture.pixels().map(|p| p.0.map(f32::from)).collect(),
        }
    }

    pub(super) fn of_rgb(width: usize, height: usize, rgb: &[u8]) -> Self {
        let pixels = rgb.chunks_exact(3).map(|p| [p[0], p[1], p[2]].map(f32::from)).collect();
        Self { width, height, pixels }
    }

    /// Fills a rectangle, softly, with what lies `from` away.
    pub(super) fn clone_patch(&mut self, rectangle: [f32; 4], from: [f32; 2], feather: f32) {
        let [l, t, r, b] = rectangle;
        let outline = [[l, t], [r, t], [r, b], [l, b]];
        let before = self.pixels.clone();
        for y in reach(t - feather, self.height)..reach(b + feather, self.height) {
            for x in reach(l - feather, self.width)..reach(r + feather, self.width) {
                let a = coverage(&outline, feather * 2.0, [x as f32 + 0.5, y as f32 + 0.5]);
                let sx = (x as f32 + from[0]).clamp(0.0, self.width as f32 - 1.0) as usize;
                let sy = (y as f32 + from[1]).clamp(0.0, self.height as f32 - 1.0) as usize;
                let source = before[sy * self.width + sx];
                for (under, over) in self.pixels[y * self.width + x].iter_mut().zip(source) {
                    *under = *under * (1.0 - a) + over * a;
                }
            }
        }
    }

    /// Moves the whole picture by whole pixels; what comes in at an edge repeats it.
    pub(super) fn shift(&mut self, by: [f32; 2]) {
        let before = self.pixels.clone();
        let (dx, dy) = (by[0] as isize, by[1] as isize);
        for y in 0..self.height {
            let sy = y.saturating_add_signed(-dy).min(self.height - 1);
            for x in 0..self.width {
                let sx = x.saturating_add_signed(-dx).min(self.width - 1);
                self.pixels[y * self.width + x] = before[sy * self.width + sx];
            }
        }
    }

    /// Darkens a soft ellipse on the ground under a thing that stands in the box `[x_min, y_min, x_max, y_max]`.
    pub(super) fn contact_shadow(&mut self, over: [f32; 4], darkness: f32) {
        let [l, _, r, bottom] = over;
        let (rx, ry) = ((r - l) * 0.56, ((r - l) * 0.09).max(3.0));
        let (cx, cy) = (f32::midpoint(l, r), bottom - ry * 0.35);
        for y in reach(cy - ry, self.height)..reach(cy + ry + 1.0, self.height) {
            for x in reach(cx - rx, self.width)..reach(cx + rx + 1.0, self.width) {
                let d = ((x as f32 - cx) / rx).powi(2) + ((y as f32 - cy) / ry).powi(2);
                let shade = 1.0 - darkness * (1.0 - d).max(0.0);
                for channel in &mut self.pixels[y * self.width + x] {
                    *channel *= shade;
                }
            }
        }
    }

    /// Darkens the ground where the outline of a thing falls, laid down from its foot: a point that is `h` pixels above
    /// the foot falls `h × to` from below it.
    pub(super) fn cast_shadow(&mut self, sprite: &Sprite, at: Placement, to: [f32; 2], darkness: f32) {
        let [l, t, r, _] = sprite.extent_at(at);
        let tallest = at.foot[1] - t;
        let far = at.foot[1] + tallest * to[1];
        let (y0, y1) = (far.min(at.foot[1]) - 1.0, far.max(at.foot[1]) + 1.0);
        let lean = tallest * to[0];
        let (x0, x1) = (l + lean.min(0.0) - 1.0, r + lean.max(0.0) + 1.0);
        for y in reach(y0, self.height)..reach(y1, self.height) {
            let h = (y as f32 + 0.5 - at.foot[1]) / to[1];
            for x in reach(x0, self.width)..reach(x1, self.width) {
                let source = [x as f32 + 0.5 - h * to[0], at.foot[1] - h];
                let shade = 1.0 - darkness * sprite.sample_at(at, source, 1)[3];
                for channel in &mut self.pixels[y * self.width + x] {
                    *channel *= shade;
                }
            }
        }
    }

    /// Pastes a cut-out; `owner` becomes who is in front where it covers. Returns the box that it has in the frame, in
    /// pixels, with nothing taken off for what covers it later, and its area in pixels, outside of the frame included.
    pub(super) fn paste(
        &mut self,
        sprite: &Sprite,
        at: Placement,
        owners: &mut Owners,
        owner: u16,
    ) -> (Option<[f32; 4]>, u32) {
        let [x0, y0, x1, y1] = sprite.extent_at(at);
        let (mut seen, mut area): (Option<[f32; 4]>, u32) = (None, 0);
        for y in y0.floor() as isize..y1.ceil() as isize {
            for x in x0.floor() as isize..x1.ceil() as isize {
                let [r, g, b, a] = sprite.sample_at(at, [x as f32 + 0.5, y as f32 + 0.5], 0);
                area += u32::from(a > 0.5);
                if a <= 0.0
                    || x < 0
                    || y < 0
                    || x >= self.width.cast_signed()
                    || y >= self.height.cast_signed()
                {
                    continue;
                }
                let place = y as usize * self.width + x as usize;
                for (under, over) in self.pixels[place].iter_mut().zip([r, g, b]) {
                    *under = *under * (1.0 - a) + over * a;
                }
                if a > 0.5 {
                    owners.0[place] = owner;
                    let (x, y) = (x as f32, y as f32);
                    let s = seen.get_or_insert([x, y, x + 1.0, y + 1.0]);
                    *s = [s[0].min(x), s[1].min(y), s[2].max(x + 1.0), s[3].max(y + 1.0)];
                }
            }
        }
        (seen, area)
    }

    pub(super) fn to_rgb(&self) -> Vec<u8> {
        self.pixels.iter().flat_map(|p| p.map(|c| (c + 0.5).clamp(0.0, 255.0) as u8)).collect()
    }
}

impl Owners {
    pub(super) fn nobody(pixels: usize) -> Self {
        Self(vec![NOBODY; pixels])
    }

    /// What of an owner is in front: its box in pixels and its area.
    pub(super) fn visible(&self, width: usize, owner: u16) -> (Option<[f32; 4]>, u32) {
        let (mut seen, mut area): (Option<[f32; 4]>, u32) = (None, 0);
        for (i, _) in self.0.iter().enumerate().filter(|(_, o)| **o == owner) {
            let (x, y) = ((i % width) as f32, (i / width) as f32);
            let s = seen.get_or_insert([x, y, x + 1.0, y + 1.0]);
            *s = [s[0].min(x), s[1].min(y), s[2].max(x + 1.0), s[3].max(y + 1.0)];
            area += 1;
        }
        (seen, area)
    }
}
