//! Pictures in linear float RGB with coverage, and the few strokes that compositing needs.

use image::RgbImage;

/// A cut-out: colours and how much each pixel covers, 0..=1.
#[derive(Debug, Clone)]
pub(super) struct Sprite {
    pub(super) width: usize,
    pub(super) height: usize,
    /// Place of the upper left pixel in the source picture.
    pub(super) origin: [f32; 2],
    /// `[r, g, b, coverage]`.
    pub(super) pixels: Vec<[f32; 4]>,
}

/// Coverage of an outline, softened over about `feather` pixels: positive inside.
fn coverage(outline: &[[f32; 2]], feather: f32, p: [f32; 2]) -> f32 {
    let mut inside = false;
    let mut nearest = f32::INFINITY;
    for i in 0..outline.len() {
        let (a, b) = (outline[i], outline[(i + 1) % outline.len()]);
        if (a[1] > p[1]) != (b[1] > p[1]) && p[0] < (b[0] - a[0]) * (p[1] - a[1]) / (b[1] - a[1]) + a[0] {
            inside = !inside;
        }
        let d = [b[0] - a[0], b[1] - a[1]];
        let length = d[0] * d[0] + d[1] * d[1];
        let t = if length > 0.0 { ((p[0] - a[0]) * d[0] + (p[1] - a[1]) * d[1]) / length } else { 0.0 };
        let t = t.clamp(0.0, 1.0);
        nearest = nearest.min((a[0] + t * d[0] - p[0]).hypot(a[1] + t * d[1] - p[1]));
    }
    let signed = if inside { nearest } else { -nearest };
    (signed / feather.max(0.5) + 0.5).clamp(0.0, 1.0)
}

fn bounds<'a>(points: impl Iterator<Item = &'a [f32; 2]>, margin: f32) -> [f32; 4] {
    let mut b = [f32::INFINITY, f32::INFINITY, f32::NEG_INFINITY, f32::NEG_INFINITY];
    for p in points {
        b = [b[0].min(p[0]), b[1].min(p[1]), b[2].max(p[0]), b[3].max(p[1])];
    }
    [(b[0] - margin).floor(), (b[1] - margin).floor(), (b[2] + margin).ceil(), (b[3] + margin).ceil()]
}

impl Sprite {
    /// Cuts an outline, less the outlines in `without`, out of a picture.
    pub(super) fn cut(
        picture: &RgbImage,
        outline: &[[f32; 2]],
        without: &[Vec<[f32; 2]>],
        feather: f32,
    ) -> Self {
        let b = bounds(outline.iter(), feather);
        let (x0, y0) = (b[0].max(0.0), b[1].max(0.0));
        let (x1, y1) = (b[2].min(picture.width() as f32), b[3].min(picture.height() as f32));
        let (width, height) = ((x1 - x0).max(1.0) as usize, (y1 - y0).max(1.0) as usize);
        let mut pixels = Vec::with_capacity(width * height);
        for y in 0..height {
            for x in 0..width {
                let p = [x0 + x as f32 + 0.5, y0 + y as f32 + 0.5];
                let hidden = without.iter().map(|o| coverage(o, feather, p)).fold(0.0, f32::max);
                let [r, g, b] = picture
                    .get_pixel(
                        (p[0] as u32).min(picture.width() - 1),
                        (p[1] as u32).min(picture.height() - 1),
                    )
                    .0;
                pixels.push([r as f32, g as f32, b as f32, coverage(outline, feather, p) * (1.0 - hidden)]);
            }
        }
        Self { width, height, origin: [x0, y0], pixels }
    }

    /// Draws flat faces, back to front, with upright ribs if asked for.
    pub(super) fn render(faces: &[super::spec::FaceSpec]) -> Self {
        let [x0, y0, x1, y1] = bounds(faces.iter().flat_map(|f| f.outline.iter()), 1.0);
        let (width, height) = ((x1 - x0).max(1.0) as usize, (y1 - y0).max(1.0) as usize);
        let mut pixels = vec![[0.0; 4]; width * height];
        for face in faces {
            let [_, top, _, bottom] = bounds(face.outline.iter(), 0.0);
            for y in 0..height {
                for x in 0..width {
                    let p = [x0 + x as f32 + 0.5, y0 + y as f32 + 0.5];
                    let a = coverage(&face.outline, 1.0, p);
                    if a <= 0.0 {
                        continue;
                    }
                    // Light from above, and ribs that catch it on one side.
                    let mut shade = 1.08 - 0.16 * (p[1] - top) / (bottom - top).max(1.0);
                    if let Some(rib) = face.rib_pixels {
                        shade *= 1.0 + 0.12 * (p[0] / rib * std::f32::consts::TAU).sin();
                    }
                    let under = &mut pixels[y * width + x];
                    for (channel, color) in under.iter_mut().zip(face.color) {
                        *channel = *channel * (1.0 - a) + (color as f32 * shade).min(255.0) * a;
                    }
                    under[3] = under[3].max(a);
                }
            }
        }
        Self { width, height, origin: [x0, y0], pixels }
    }

    /// Multiplies the colours.
    pub(super) fn brighten(&mut self, gain: f32) {
        for pixel in &mut self.pixels {
            for channel in &mut pixel[..3] {
                *channel = (*channel * gain).min(255.0);
            }
        }
    }

    /// Colour and coverage at a place of the sprite, in its own pixels, bilinear; nothing outside.
    fn sample(&self, x: f32, y: f32) -> [f32; 4] {
        let (fx, fy) = (x - 0.5, y - 0.5);
        let (x0, y0) = (fx.floor(), fy.floor());
        let (tx, ty) = (fx - x0, fy - y0);
        let mut sum = [0.0; 4];
        for (dx, dy, weight) in [
            (0.0, 0.0, (1.0 - tx) * (1.0 - ty)),
            (1.0, 0.0, tx * (1.0 - ty)),
            (0.0, 1.0, (1.0 - tx) * ty),
            (1.0, 1.0, tx * ty),
        ] {
            let (sx, sy) = (x0 + dx, y0 + dy);
            if weight > 0.0 && sx >= 0.0 && sy >= 0.0 && sx < self.width as f32 && sy < self.height as f32 {
                let p = self.pixels[sy as usize * self.width + sx as usize];
                // Colours weigh by their coverage, or the edges darken.
                for c in 0..3 {
                    sum[c] += p[c] * p[3] * weight;
                }
                sum[3] += p[3] * weight;
            }
        }
        if sum[3] > 0.0 {
            for c in 0..3 {
                sum[c] /= sum[3];
            }
        }
        sum
    }

    /// Where the sprite comes to lie: `[x_min, y_min, x_max, y_max]` in pixels of the frame.
    pub(super) fn place(&self, offset: [f32; 2], scale: f32) -> [f32; 4] {
        let foot = [self.origin[0] + self.width as f32 / 2.0, self.origin[1] + self.height as f32];
        let at = |p: f32, axis: usize| foot[axis] + (p - foot[axis]) * scale + offset[axis];
        let (right, bottom) = (self.origin[0] + self.width as f32, self.origin[1] + self.height as f32);
        [at(self.origin[0], 0), at(self.origin[1], 1), at(right, 0), at(bottom, 1)]
    }

    /// Pastes the sprite, moved by `offset` and scaled about the middle of its lower edge, onto a frame of float RGB.
    /// Returns the box of what became visible, in pixels of the frame.
    pub(super) fn paste(&self, frame: &mut Frame, offset: [f32; 2], scale: f32) -> Option<[f32; 4]> {
        let [x0, y0, x1, y1] = self.place(offset, scale);
        let clip = |v: f32, n: usize| v.clamp(0.0, n as f32) as usize;
        let mut seen: Option<[f32; 4]> = None;
        for y in clip(y0.floor(), frame.height)..clip(y1.ceil(), frame.height) {
            for x in clip(x0.floor(), frame.width)..clip(x1.ceil(), frame.width) {
                let (u, v) = ((x as f32 + 0.5 - x0) / scale, (y as f32 + 0.5 - y0) / scale);
                let [r, g, b, a] = self.sample(u, v);
                if a <= 0.0 {
                    continue;
                }
                let pixel = &mut frame.pixels[y * frame.width + x];
                for (under, over) in pixel.iter_mut().zip([r, g, b]) {
                    *under = *under * (1.0 - a) + over * a;
                }
                if a > 0.5 {
                    let (x, y) = (x as f32, y as f32);
                    let s = seen.get_or_insert([x, y, x + 1.0, y + 1.0]);
                    *s = [s[0].min(x), s[1].min(y), s[2].max(x + 1.0), s[3].max(y + 1.0)];
                }
            }
        }
        seen
    }
}

/// A frame in the making: RGB as floats, 0..=255.
#[derive(Debug, Clone)]
pub(super) struct Frame {
    pub(super) width: usize,
    pub(super) height: usize,
    pub(super) pixels: Vec<[f32; 3]>,
}

impl Frame {
    pub(super) fn of(picture: &RgbImage) -> Self {
        Self {
            width: picture.width() as usize,
            height: picture.height() as usize,
            pixels: picture.pixels().map(|p| p.0.map(f32::from)).collect(),
        }
    }

    /// Fills a rectangle, softly, with what lies `from` away.
    pub(super) fn clone_patch(&mut self, rectangle: [f32; 4], from: [f32; 2], feather: f32) {
        let [l, t, r, b] = rectangle;
        let outline = [[l, t], [r, t], [r, b], [l, b]];
        let before = self.pixels.clone();
        let reach = |v: f32, n: usize| v.clamp(0.0, n as f32) as usize;
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

    /// Darkens a soft ellipse on the ground under a thing that stands in the box `[x_min, y_min, x_max, y_max]`.
    pub(super) fn cast_shadow(&mut self, over: [f32; 4], darkness: f32) {
        let [l, _, r, bottom] = over;
        let (rx, ry) = ((r - l) * 0.56, ((r - l) * 0.09).max(3.0));
        let (cx, cy) = (f32::midpoint(l, r), bottom - ry * 0.35);
        let clip = |v: f32, n: usize| v.clamp(0.0, n as f32) as usize;
        for y in clip(cy - ry, self.height)..clip(cy + ry + 1.0, self.height) {
            for x in clip(cx - rx, self.width)..clip(cx + rx + 1.0, self.width) {
                let d = ((x as f32 - cx) / rx).powi(2) + ((y as f32 - cy) / ry).powi(2);
                let shade = 1.0 - darkness * (1.0 - d).max(0.0);
                for channel in &mut self.pixels[y * self.width + x] {
                    *channel *= shade;
                }
            }
        }
    }

    pub(super) fn to_rgb(&self) -> Vec<u8> {
        self.pixels.iter().flat_map(|p| p.map(|c| (c + 0.5).clamp(0.0, 255.0) as u8)).collect()
    }
}
