//! Cut-outs: colours with coverage, made of real pictures or flat faces, and sampled at any size.

use image::RgbImage;

use super::{
    outline::{bounds, coverage},
    spec::{CutoutSpec, FaceSpec},
};

/// A cut-out, in the coordinates of its source picture.
#[derive(Debug, Clone)]
pub(super) struct Sprite {
    /// Place of the upper left pixel in the source picture.
    pub(super) origin: [f32; 2],
    /// The cut-out, and halves of it, for sampling without aliasing. Never empty.
    levels: Vec<Level>,
    /// `[x_min, y_min, x_max, y_max]` of what covers, in the source picture.
    content: [f32; 4],
}

#[derive(Debug, Clone)]
struct Level {
    width: usize,
    height: usize,
    /// `[r, g, b, coverage]`.
    pixels: Vec<[f32; 4]>,
}

/// Where a cut-out lies in a frame.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Placement {
    /// Middle of the lower edge, in pixels of the frame.
    pub(super) foot: [f32; 2],
    /// Pixels of the frame for each pixel of the source picture.
    pub(super) scale: f32,
    /// Left and right exchanged.
    pub(super) mirror: bool,
}

impl Sprite {
    fn new(origin: [f32; 2], width: usize, height: usize, pixels: Vec<[f32; 4]>) -> Self {
        let mut content: Option<[f32; 4]> = None;
        for (i, _) in pixels.iter().enumerate().filter(|(_, p)| p[3] > 0.5) {
            let (x, y) = (origin[0] + (i % width) as f32, origin[1] + (i / width) as f32);
            let c = content.get_or_insert([x, y, x + 1.0, y + 1.0]);
            *c = [c[0].min(x), c[1].min(y), c[2].max(x + 1.0), c[3].max(y + 1.0)];
        }
        let whole = [origin[0], origin[1], origin[0] + width as f32, origin[1] + height as f32];
        let mut levels = vec![Level { width, height, pixels }];
        while let Some(last) = levels.last().filter(|l| l.width > 8 && l.height > 8) {
            let half = last.halved();
            levels.push(half);
        }
        Self { origin, levels, content: content.unwrap_or(whole) }
    }

    /// A picture with coverage of its own, as it is.
    pub(super) fn of(picture: &image::RgbaImage, origin: [f32; 2]) -> Self {
        let pixels =
            picture.pixels().map(|p| [p[0] as f32, p[1] as f32, p[2] as f32, p[3] as f32 / 255.0]).collect();
        Self::new(origin, picture.width() as usize, picture.height() as usize, pixels)
    }

    /// Cuts an outline out of a picture.
    pub(super) fn cut(picture: &RgbImage, cut: &CutoutSpec) -> Self {
        let b = bounds(cut.outline.iter(), cut.feather_pixels);
        let (x0, y0) = (b[0].max(0.0), b[1].max(0.0));
        let (x1, y1) = (b[2].min(picture.width() as f32), b[3].min(picture.height() as f32));
        let (width, height) = ((x1 - x0).max(1.0) as usize, (y1 - y0).max(1.0) as usize);
        let mut pixels = Vec::with_capacity(width * height);
        for y in 0..height {
            for x in 0..width {
                let p = [x0 + x as f32 + 0.5, y0 + y as f32 + 0.5];
                let hidden =
                    cut.without.iter().map(|o| coverage(o, cut.feather_pixels, p)).fold(0.0, f32::max);
                let rgb = picture
                    .get_pixel(
                        (p[0] as u32).min(picture.width() - 1),
                        (p[1] as u32).min(picture.height() - 1),
                    )
                    .0
                    .map(f32::from);
                let keyed = cut
                    .key_out
                    .iter()
                    .map(|k| keyed_out(rgb, k.color.map(f32::from), k.tolerance))
                    .fold(0.0, f32::max);
                let a = coverage(&cut.outline, cut.feather_pixels, p) * (1.0 - hidden) * (1.0 - keyed);
                pixels.push([rgb[0], rgb[1], rgb[2], a]);
            }
        }
        Self::new([x0, y0], width, height, pixels)
    }

    /// Draws flat faces, back to front, with upright ribs if asked for.
    pub(super) fn render(faces: &[FaceSpec]) -> Self {
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
                    let color = face.color.map(|c| (c as f32 * shade).min(255.0));
                    over(&mut pixels[y * width + x], color, a);
                }
            }
        }
        Self::new([x0, y0], width, height, pixels)
    }

    /// Puts parts over one another, each moved by its offset, into one cut-out.
    pub(super) fn join(parts: &[(Self, [f32; 2])]) -> Self {
        let mut b = [f32::INFINITY, f32::INFINITY, f32::NEG_INFINITY, f32::NEG_INFINITY];
        for (part, offset) in parts {
            let (l, t) = (part.origin[0] + offset[0], part.origin[1] + offset[1]);
            let (r, d) = (l + part.levels[0].width as f32, t + part.levels[0].height as f32);
            b = [b[0].min(l), b[1].min(t), b[2].max(r), b[3].max(d)];
        }
        let (width, height) = ((b[2] - b[0]).ceil() as usize, (b[3] - b[1]).ceil() as usize);
        let mut pixels = vec![[0.0; 4]; width * height];
        for (part, offset) in parts {
            let level = &part.levels[0];
            let (dx, dy) = (part.origin[0] + offset[0] - b[0], part.origin[1] + offset[1] - b[1]);
            for y in 0..height {
                for x in 0..width {
                    let [r, g, b, a] = level.sample(x as f32 + 0.5 - dx, y as f32 + 0.5 - dy);
                    if a > 0.0 {
                        over(&mut pixels[y * width + x], [r, g, b], a);
                    }
                }
            }
        }
        Self::new([b[0], b[1]], width, height, pixels)
    }

    /// Turned clockwise about its middle.
    pub(super) fn turned(&self, degrees: f32) -> Self {
        let level = &self.levels[0];
        let (sin, cos) = degrees.to_radians().sin_cos();
        let (w, h) = (level.width as f32, level.height as f32);
        let (width, height) =
            ((w * cos.abs() + h * sin.abs()).ceil(), (w * sin.abs() + h * cos.abs()).ceil());
        let mut pixels = Vec::with_capacity((width * height) as usize);
        for y in 0..height as usize {
            for x in 0..width as usize {
                let (dx, dy) = (x as f32 + 0.5 - width / 2.0, y as f32 + 0.5 - height / 2.0);
                pixels.push(level.sample(w / 2.0 + dx * cos + dy * sin, h / 2.0 - dx * sin + dy * cos));
            }
        }
        let origin = [self.origin[0] + (w - width) / 2.0, self.origin[1] + (h - height) / 2.0];
        Self::new(origin, width as usize, height as usize, pixels)
    }

    /// Stretches the colours away from white, then multiplies them.
    pub(super) fn expose(&mut self, contrast: f32, gain: f32) {
        for pixel in self.levels.iter_mut().flat_map(|l| &mut l.pixels) {
            for channel in &mut pixel[..3] {
                *channel = ((255.0 - (255.0 - *channel) * contrast).max(0.0) * gain).min(255.0);
            }
        }
    }

    /// Middle of the lower edge of what covers, in the source picture.
    pub(super) fn foot(&self) -> [f32; 2] {
        [f32::midpoint(self.content[0], self.content[2]), self.content[3]]
    }

    /// Height of what covers, in pixels of the source picture.
    pub(super) fn height(&self) -> f32 {
        self.content[3] - self.content[1]
    }

    /// `[x_min, y_min, x_max, y_max]` in the frame of what covers.
    pub(super) fn content_at(&self, at: Placement) -> [f32; 4] {
        let half = (self.content[2] - self.content[0]) * at.scale / 2.0;
        [at.foot[0] - half, at.foot[1] - self.height() * at.scale, at.foot[0] + half, at.foot[1]]
    }

    /// `[x_min, y_min, x_max, y_max]` in the frame of all pixels.
    pub(super) fn extent_at(&self, at: Placement) -> [f32; 4] {
        let (foot, whole) = (self.foot(), &self.levels[0]);
        let mut left = (self.origin[0] - foot[0]) * at.scale;
        let mut right = left + whole.width as f32 * at.scale;
        if at.mirror {
            (left, right) = (-right, -left);
        }
        let top = (self.origin[1] - foot[1]) * at.scale;
        let bottom = top + whole.height as f32 * at.scale;
        [at.foot[0] + left, at.foot[1] + top, at.foot[0] + right, at.foot[1] + bottom]
    }

    /// Colour and coverage at a point of the frame; `blur` levels coarser than its size asks for.
    pub(super) fn sample_at(&self, at: Placement, point: [f32; 2], blur: usize) -> [f32; 4] {
        let fitting = (1.0 / at.scale).log2().round().max(0.0) as usize + blur;
        let n = fitting.min(self.levels.len() - 1);
        let foot = self.foot();
        let mut dx = (point[0] - at.foot[0]) / at.scale;
        if at.mirror {
            dx = -dx;
        }
        let u = foot[0] - self.origin[0] + dx;
        let v = foot[1] - self.origin[1] + (point[1] - at.foot[1]) / at.scale;
        let half = (1u32 << n) as f32;
        self.levels[n].sample(u / half, v / half)
    }
}

/// How much of a pixel is the background of this colour, by chroma: 0 (the thing itself) to 1.
fn keyed_out(rgb: [f32; 3], key: [f32; 3], tolerance: f32) -> f32 {
    let luma = |c: [f32; 3]| 0.299 * c[0] + 0.587 * c[1] + 0.114 * c[2];
    let chroma = |c: [f32; 3]| [0.564 * (c[2] - luma(c)), 0.713 * (c[0] - luma(c))];
    // A shaded piece of the background has the same hue with less of everything.
    let ratio = luma(rgb) / luma(key).max(1.0);
    if ratio < 0.5 {
        return 0.0;
    }
    let (p, k) = (chroma(rgb), chroma(key).map(|v| v * ratio.min(1.2)));
    let distance = (p[0] - k[0]).hypot(p[1] - k[1]);
    (1.5 - distance / tolerance.max(0.1)).clamp(0.0, 1.0).min(((ratio - 0.5) / 0.1).min(1.0))
}

fn over(under: &mut [f32; 4], color: [f32; 3], a: f32) {
    let total = a + under[3] * (1.0 - a);
    let behind = under[3] * (1.0 - a);
    for (channel, color) in under.iter_mut().zip(color) {
        *channel = (color * a + *channel * behind) / total.max(1e-6);
    }
    under[3] = total;
}

impl Level {
    /// Bilinear; nothing outside.
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

    fn halved(&self) -> Self {
        let (width, height) = (self.width.div_ceil(2), self.height.div_ceil(2));
        let mut pixels = Vec::with_capacity(width * height);
        for y in 0..height {
            for x in 0..width {
                let mut sum = [0.0; 4];
                for (dx, dy) in [(0, 0), (1, 0), (0, 1), (1, 1)] {
                    let (sx, sy) = (x * 2 + dx, y * 2 + dy);
                    if sx < self.width && sy < self.height {
                        let p = self.pixels[sy * self.width + sx];
                        for c in 0..3 {
                            sum[c] += p[c] * p[3];
                        }
                        sum[3] += p[3];
                    }
                }
                let a = sum[3];
                for channel in &mut sum[..3] {
                    *channel /= a.max(1e-6);
                }
                sum[3] = a / 4.0;
                pixels.push(sum);
            }
        }
        Self { width, height, pixels }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn face(outline: Vec<[f32; 2]>) -> FaceSpec {
        FaceSpec { outline, color: [200, 100, 50], rib_pixels: None }
    }

    #[test]
    fn a_thing_lies_on_its_foot_at_any_size() {
        let sprite = Sprite::render(&[face(vec![[10.0, 20.0], [50.0, 20.0], [50.0, 100.0], [10.0, 100.0]])]);
        let at = Placement { foot: [300.0, 200.0], scale: 0.5, mirror: false };
        assert_eq!(sprite.content_at(at), [290.0, 160.0, 310.0, 200.0]);
        assert!(sprite.sample_at(at, [300.0, 180.0], 0)[3] > 0.99);
        assert!(sprite.sample_at(at, [300.0, 203.0], 0)[3] < 0.01);
    }

    #[test]
    fn a_mirrored_thing_keeps_its_place() {
        let outline = vec![[10.0, 20.0], [50.0, 100.0], [10.0, 100.0]];
        let sprite = Sprite::render(&[face(outline)]);
        let at = Placement { foot: [300.0, 200.0], scale: 1.0, mirror: false };
        let mirrored = Placement { mirror: true, ..at };
        let left = [284.0, 170.0];
        let right = [316.0, 170.0];
        assert!(sprite.sample_at(at, left, 0)[3] > 0.9 && sprite.sample_at(at, right, 0)[3] < 0.1);
        assert!(
            sprite.sample_at(mirrored, right, 0)[3] > 0.9 && sprite.sample_at(mirrored, left, 0)[3] < 0.1
        );
        assert_eq!(sprite.content_at(at), sprite.content_at(mirrored));
    }

    #[test]
    fn what_is_seen_through_a_thing_is_cut_away_in_sun_and_shade() {
        let wall = [200.0, 190.0, 40.0];
        assert!(keyed_out(wall, wall, 20.0) > 0.99);
        assert!(keyed_out(wall.map(|c| c * 0.7), wall, 20.0) > 0.9, "a shaded wall");
        assert!(keyed_out([30.0, 30.0, 32.0], wall, 20.0) < 0.01, "a tyre");
        assert!(keyed_out([190.0, 30.0, 40.0], wall, 20.0) < 0.01, "a red frame");
    }
}
