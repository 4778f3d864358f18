//! A roof seen straight from above: the part of a picture that shows it, laid on a grid of equal metres.

use parapet_core::{ColorSpace, Picture, Plane, Point};

use crate::{
    raster::{Size, eroded},
    small::Small,
};

/// A roof's pixels on its grid, and which of them the picture shows.
#[derive(Debug, Clone, PartialEq)]
pub struct Patch {
    picture: Picture,
    seen: Vec<bool>,
}

impl Patch {
    /// The patch of `width` × `height` pixels whose pixel `(x, y)` (its middle; continuous, from the upper left
    /// corner) the picture shows at `place(x, y)`, normalized; `None` where it cannot be seen. `shrink` is how many
    /// pixels of the picture fall on one of the patch: the picture is first made smaller by its whole part, so that
    /// nothing aliases. `None` when the patch has no pixels.
    pub fn cut(
        picture: &Picture,
        (width, height): (usize, usize),
        shrink: f64,
        place: impl Fn(f64, f64) -> Option<Point>,
    ) -> Option<Self> {
        let by = (shrink.round().max(1.0)) as usize;
        let smaller;
        let source = if by > 1 {
            smaller = picture.resized(picture.width() / by, picture.height() / by);
            &smaller
        } else {
            picture
        };
        let mut seen = vec![false; width * height];
        let mut luma = vec![0u8; width * height];
        let (cw, ch) = (width.div_ceil(2), height.div_ceil(2));
        let (mut u, mut v) = (vec![128u8; cw * ch], vec![128u8; cw * ch]);
        let (levels, scale) = if source.color().full_range { (0.0, 1.0) } else { (16.0, 255.0 / 219.0) };
        let chroma_scale = if source.color().full_range { 1.0 } else { 255.0 / 224.0 };
        let inside = |p: Point| (0.0..1.0).contains(&p.x) && (0.0..1.0).contains(&p.y);
        for y in 0..height {
            for x in 0..width {
                let Some(p) = place(x as f64 + 0.5, y as f64 + 0.5).filter(|p| inside(*p)) else { continue };
                let i = y * width + x;
                seen[i] = true;
                luma[i] = ((bilinear(source.y(), p) - levels) * scale + 0.5).clamp(0.0, 255.0) as u8;
                if x % 2 == 0 && y % 2 == 0 {
                    let at = |plane| (bilinear(plane, p) - 128.0) * chroma_scale + 128.5;
                    u[y / 2 * cw + x / 2] = at(source.u()).clamp(0.0, 255.0) as u8;
                    v[y / 2 * cw + x / 2] = at(source.v()).clamp(0.0, 255.0) as u8;
                }
            }
        }
        let color = ColorSpace { full_range: true, ..source.color() };
        let picture = Picture::new(
            Plane::new(width, height, luma)?,
            Plane::new(cw, ch, u)?,
            Plane::new(cw, ch, v)?,
            color,
        )?;
        Some(Self { picture, seen })
    }

    /// A picture as it is: every pixel is seen.
    pub fn whole(picture: Picture) -> Self {
        Self { seen: vec![true; picture.width() * picture.height()], picture }
    }

    /// Its pixels; black where nothing is seen.
    pub fn picture(&self) -> &Picture {
        &self.picture
    }

    /// Which pixels the picture shows, row by row.
    pub fn seen(&self) -> &[bool] {
        &self.seen
    }

    /// Pixels across and down.
    pub fn dimensions(&self) -> (usize, usize) {
        (self.picture.width(), self.picture.height())
    }

    pub(super) fn size(&self) -> Size {
        Size { w: self.picture.width(), h: self.picture.height() }
    }

    pub(super) fn small(&self) -> Small {
        let size = self.size();
        let mut small = Small::new(&self.picture, size);
        // `Small` repeats chroma in blocks of two; bilinear chroma keeps its edges where luma has them.
        smooth_chroma(&mut small, &self.picture, size);
        small
    }

    /// The share of the pixels of `roof` that the picture shows.
    pub fn share_seen(&self, roof: &[bool]) -> f32 {
        let (mut all, mut seen) = (0usize, 0usize);
        for (r, s) in roof.iter().zip(&self.seen) {
            all += usize::from(*r);
            seen += usize::from(*r && *s);
        }
        seen as f32 / all.max(1) as f32
    }

    /// What can be judged by its pixels: where `roof` is set and seen.
    pub fn look(&self, roof: &[bool]) -> Look {
        let size = self.size();
        let bits: Vec<bool> = roof.iter().zip(&self.seen).map(|(r, s)| *r && *s).collect();
        let inner = eroded(&bits, size, 1);
        let luma = self.picture.y();
        let at = |x: usize, y: usize| f64::from(luma.row(y)[x]);
        let (mut n, mut sum, mut squares, mut slope) = (0.0f64, 0.0f64, 0.0f64, 0.0f64);
        let within = |x: usize, y: usize| x > 0 && y > 0 && x + 1 < size.w && y + 1 < size.h;
        let places = (0..size.len()).filter(|i| inner[*i]).map(|i| (i % size.w, i / size.w));
        for (x, y) in places.filter(|(x, y)| within(*x, *y)) {
            let value = at(x, y);
            n += 1.0;
            sum += value;
            squares += value * value;
            let dx = at(x + 1, y) - at(x - 1, y);
            let dy = at(x, y + 1) - at(x, y - 1);
            slope += dx.hypot(dy) / 2.0;
        }
        if n < 1.0 {
            return Look { mean: 0.0, contrast: 0.0, sharpness: 0.0 };
        }
        let mean = sum / n;
        Look {
            mean: mean as f32,
            contrast: (squares / n - mean * mean).max(0.0).sqrt() as f32,
            sharpness: (slope / n) as f32,
        }
    }
}

fn smooth_chroma(small: &mut Small, picture: &Picture, size: Size) {
    for (out, plane) in [(&mut small.u, picture.u()), (&mut small.v, picture.v())] {
        for y in 0..size.h {
            for x in 0..size.w {
                let p = Point::new((x as f32 + 0.5) / size.w as f32, (y as f32 + 0.5) / size.h as f32);
                out[y * size.w + x] = bilinear(plane, p) - 128.0;
            }
        }
    }
}

/// What a look at a roof is worth.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Look {
    /// Mean luma, levels.
    pub mean: f32,
    /// Standard deviation of luma, levels.
    pub contrast: f32,
    /// Mean slope of luma, levels a pixel.
    pub sharpness: f32,
}

fn bilinear(plane: &Plane, p: Point) -> f32 {
    let (w, h) = (plane.width(), plane.height());
    let x = (p.x * w as f32 - 0.5).clamp(0.0, (w - 1) as f32);
    let y = (p.y * h as f32 - 0.5).clamp(0.0, (h - 1) as f32);
    let (x0, y0) = (x as usize, y as usize);
    let (x1, y1) = ((x0 + 1).min(w - 1), (y0 + 1).min(h - 1));
    let (fx, fy) = (x - x0 as f32, y - y0 as f32);
    let (above, below) = (plane.row(y0), plane.row(y1));
    let mix = |a: u8, b: u8| f32::from(a) + (f32::from(b) - f32::from(a)) * fx;
    let (top, bottom) = (mix(above[x0], above[x1]), mix(below[x0], below[x1]));
    top + (bottom - top) * fy
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ramp() -> Picture {
        let rgb: Vec<u8> =
            (0..64 * 48).flat_map(|i| [(i % 64 * 4) as u8, (i % 64 * 4) as u8, (i % 64 * 4) as u8]).collect();
        Picture::from_rgb(64, 48, &rgb).unwrap()
    }

    #[test]
    fn a_patch_shows_what_the_picture_shows_there() {
        let patch = Patch::cut(&ramp(), (16, 16), 2.0, |x, y| {
            Some(Point::new((20.0 + 2.0 * x as f32) / 64.0, (10.0 + 2.0 * y as f32) / 48.0))
        })
        .unwrap();
        // Pixel 3 lies over pixels 26 and 27 of the ramp.
        assert!(patch.picture().y().row(5)[3].abs_diff(106) <= 1, "{:?}", patch.picture().y().row(5));
        assert_eq!(patch.share_seen(&[true; 256]), 1.0);
    }

    #[test]
    fn what_lies_outside_the_picture_is_not_seen() {
        let patch = Patch::cut(&ramp(), (16, 8), 1.0, |x, y| {
            Some(Point::new((x as f32 - 8.0) / 64.0, y as f32 / 48.0))
        })
        .unwrap();
        assert_eq!(patch.share_seen(&[true; 128]), 0.5);
        assert!(!patch.seen()[0] && patch.seen()[8]);
    }

    #[test]
    fn a_blank_picture_has_no_contrast() {
        let blank = Picture::from_rgb(32, 32, &[90; 32 * 32 * 3]).unwrap();
        let look = Patch::whole(blank).look(&[true; 1024]);
        assert!((look.mean - 90.0).abs() < 1.0 && look.contrast < 0.1 && look.sharpness < 0.1, "{look:?}");
        assert!(Patch::whole(ramp()).look(&[true; 64 * 48]).contrast > 50.0);
    }
}
