//! Pixels in memory: planar YUV 4:2:0 as decoders give it, in their own memory. Models and change detection read the planes
//! directly.

use bytes::Bytes;

/// How YUV is to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ColorSpace {
    /// BT.709 coefficients (HD); otherwise BT.601.
    pub bt709: bool,
    /// Luma 0..=255 (JPEG); otherwise 16..=235.
    pub full_range: bool,
}

impl ColorSpace {
    /// What JPEG files and most webcams use.
    pub const JPEG: Self = Self { bt709: false, full_range: true };

    /// What an unmarked video of this height is taken for: BT.601 below 720 lines, else BT.709; limited range.
    pub fn of_video(height: usize) -> Self {
        Self { bt709: height >= 720, full_range: false }
    }

    /// `(kr, kb)` of the matrix.
    pub fn coefficients(self) -> (f32, f32) {
        if self.bt709 { (0.2126, 0.0722) } else { (0.299, 0.114) }
    }
}

/// One 8-bit plane. Its memory is shared: a clone copies nothing.
#[derive(Clone)]
pub struct Plane {
    width: usize,
    height: usize,
    /// Bytes from one row to the next.
    stride: usize,
    rows: Bytes,
}

impl PartialEq for Plane {
    fn eq(&self, other: &Self) -> bool {
        (self.width, self.height) == (other.width, other.height) && self.rows().eq(other.rows())
    }
}

impl Eq for Plane {}

impl std::fmt::Debug for Plane {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Plane")
            .field("width", &self.width)
            .field("height", &self.height)
            .finish_non_exhaustive()
    }
}

impl Plane {
    /// A plane of these samples, row by row; `None` unless there are `width * height` of them and at least one.
    pub fn new(width: usize, height: usize, samples: Vec<u8>) -> Option<Self> {
        if samples.len() != width * height {
            return None;
        }
        Self::from_strided(width, height, width, samples.into())
    }

    /// A plane whose rows lie `stride` bytes apart in memory that it shares; `None` if that is too short, or a side is 0.
    pub fn from_strided(width: usize, height: usize, stride: usize, rows: Bytes) -> Option<Self> {
        let fits = width > 0 && height > 0 && stride >= width && rows.len() >= stride * (height - 1) + width;
        fits.then_some(Self { width, height, stride, rows })
    }

    /// Samples across.
    pub fn width(&self) -> usize {
        self.width
    }
    /// Rows.
    pub fn height(&self) -> usize {
        self.height
    }
    /// All rows, from the top.
    pub fn rows(&self) -> impl ExactSizeIterator<Item = &[u8]> {
        self.rows.chunks(self.stride).take(self.height).map(|row| &row[..self.width])
    }
    /// One row.
    #[inline]
    pub fn row(&self, y: usize) -> &[u8] {
        &self.rows[y * self.stride..][..self.width]
    }

    /// The plane in memory of its own: to be kept for long, where a decoder would be left without its buffer.
    #[must_use]
    pub fn copied(&self) -> Self {
        let mut samples = Vec::with_capacity(self.width * self.height);
        self.rows().for_each(|row| samples.extend_from_slice(row));
        Self { width: self.width, height: self.height, stride: self.width, rows: samples.into() }
    }

    /// The plane at another size: each new sample is the mean over the area that it covers (box filter), which
    /// does not alias when shrinking; enlarging repeats samples. Both sizes at least 1.
    #[must_use]
    pub fn resized(&self, width: usize, height: usize) -> Self {
        let (width, height) = (width.max(1), height.max(1));
        if (width, height) == (self.width, self.height) {
            return self.clone();
        }
        let columns = Taps::new(self.width, width);
        let rows = Taps::new(self.height, height);
        let mut samples = Vec::with_capacity(width * height);
        // Weights sum to 256 in each axis: 255 * 256 fits in 16 bits, and a sixteenth of it times 256 in 32. Nothing ever wraps,
        // but asking whether it does would keep the development profile from using vector instructions.
        let mut sums = vec![0u16; self.width];
        for y in 0..height {
            let (first, weights) = rows.of(y);
            sums.fill(8);
            for (i, weight) in weights.iter().enumerate() {
                for (sum, sample) in sums.iter_mut().zip(self.row(first + i)) {
                    *sum = sum.wrapping_add(u16::from(*sample).wrapping_mul(*weight));
                }
            }
            for sum in &mut sums {
                *sum >>= 4;
            }
            match (self.width / width, self.width % width) {
                (2, 0) => samples.extend(means_of_alike::<2>(&sums, columns.of(0).1)),
                (3, 0) => samples.extend(means_of_alike::<3>(&sums, columns.of(0).1)),
                (4, 0) => samples.extend(means_of_alike::<4>(&sums, columns.of(0).1)),
                (6, 0) => samples.extend(means_of_alike::<6>(&sums, columns.of(0).1)),
                _ => samples.extend((0..width).map(|x| {
                    let (first, weights) = columns.of(x);
                    mean(&sums[first..first + weights.len()], weights)
                })),
            }
        }
        Self { width, height, stride: width, rows: samples.into() }
    }
}

/// The weighted mean of sums of a sixteenth of 256 parts each, by weights that sum to 256.
#[inline]
fn mean(sums: &[u16], weights: &[u16]) -> u8 {
    let products = sums.iter().zip(weights).map(|(s, w)| u32::from(*s).wrapping_mul(u32::from(*w)));
    (products.fold(1u32 << 11, u32::wrapping_add) >> 12).min(255) as u8
}

/// The means of all groups of `N` sums where a whole number of them make one sample: each group has the same weights.
fn means_of_alike<const N: usize>(sums: &[u16], weights: &[u16]) -> impl Iterator<Item = u8> {
    let weights: [u16; N] = std::array::from_fn(|i| weights.get(i).copied().unwrap_or_default());
    sums.as_chunks::<N>().0.iter().map(move |group| mean(group, &weights))
}

/// For each output sample of a box filter, which inputs it covers and how much, in 1/256.
struct Taps {
    /// The first input, and where its weights begin.
    spans: Vec<(u32, u32)>,
    weights: Vec<u16>,
}

impl Taps {
    fn new(from: usize, to: usize) -> Self {
        let scale = from as f64 / to as f64;
        let mut spans = Vec::with_capacity(to + 1);
        let mut weights = Vec::new();
        for i in 0..to {
            let (begin, end) = (i as f64 * scale, (i + 1) as f64 * scale);
            let last = ((end - 1e-9).floor() as usize).min(from - 1);
            spans.push((begin.floor() as u32, weights.len() as u32));
            let mut given = 0;
            for source in begin.floor() as usize..=last {
                // Rounding the running sum, not each weight, keeps the total at 256 without a bias to either side.
                let covered = (end.min((source + 1) as f64) - begin) / (end - begin);
                let sum = (covered * 256.0).round() as u16;
                weights.push(sum - given);
                given = sum;
            }
        }
        spans.push((0, weights.len() as u32));
        Self { spans, weights }
    }

    fn of(&self, i: usize) -> (usize, &[u16]) {
        let (first, start) = self.spans[i];
        (first as usize, &self.weights[start as usize..self.spans[i + 1].1 as usize])
    }
}

/// A picture: full-size luma, half-size chroma (rounded up).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    y: Plane,
    u: Plane,
    v: Plane,
    color: ColorSpace,
}

impl Picture {
    /// A picture of these planes; `None` unless both chroma planes are half the luma's size, rounded up.
    pub fn new(y: Plane, u: Plane, v: Plane, color: ColorSpace) -> Option<Self> {
        let chroma = (y.width.div_ceil(2), y.height.div_ceil(2));
        ((u.width, u.height) == chroma && (v.width, v.height) == chroma).then_some(Self { y, u, v, color })
    }

    /// A picture from interleaved 8-bit RGB, row by row, as full-range BT.601; `None` unless `rgb` has
    /// `width * height * 3` bytes and at least one pixel.
    pub fn from_rgb(width: usize, height: usize, rgb: &[u8]) -> Option<Self> {
        if width == 0 || height == 0 || rgb.len() != width * height * 3 {
            return None;
        }
        let color = ColorSpace::JPEG;
        let (kr, kb) = color.coefficients();
        let luma = |p: &[u8]| kr * p[0] as f32 + (1.0 - kr - kb) * p[1] as f32 + kb * p[2] as f32;
        let y = rgb.chunks_exact(3).map(|p| (luma(p) + 0.5) as u8).collect();
        let (cw, ch) = (width.div_ceil(2), height.div_ceil(2));
        let (mut u, mut v) = (Vec::with_capacity(cw * ch), Vec::with_capacity(cw * ch));
        for cy in 0..ch {
            for cx in 0..cw {
                let (mut blue, mut red, mut n) = (0.0, 0.0, 0.0);
                for y in 2 * cy..(2 * cy + 2).min(height) {
                    for x in 2 * cx..(2 * cx + 2).min(width) {
                        let p = &rgb[(y * width + x) * 3..][..3];
                        blue += (p[2] as f32 - luma(p)) / (2.0 * (1.0 - kb));
                        red += (p[0] as f32 - luma(p)) / (2.0 * (1.0 - kr));
                        n += 1.0;
                    }
                }
                u.push((blue / n + 128.5).clamp(0.0, 255.0) as u8);
                v.push((red / n + 128.5).clamp(0.0, 255.0) as u8);
            }
        }
        Self::new(Plane::new(width, height, y)?, Plane::new(cw, ch, u)?, Plane::new(cw, ch, v)?, color)
    }

    /// Pixels across.
    pub fn width(&self) -> usize {
        self.y.width
    }
    /// Pixels down.
    pub fn height(&self) -> usize {
        self.y.height
    }
    /// Luma.
    pub fn y(&self) -> &Plane {
        &self.y
    }
    /// Blue difference.
    pub fn u(&self) -> &Plane {
        &self.u
    }
    /// Red difference.
    pub fn v(&self) -> &Plane {
        &self.v
    }
    /// How to read the planes.
    pub fn color(&self) -> ColorSpace {
        self.color
    }

    /// Interleaved 8-bit RGB, row by row; chroma is repeated, not interpolated.
    pub fn to_rgb(&self) -> Vec<u8> {
        let (kr, kb) = self.color.coefficients();
        let kg = 1.0 - kr - kb;
        let (offset, luma_scale, chroma_scale) =
            if self.color.full_range { (0.0, 1.0, 1.0) } else { (16.0, 255.0 / 219.0, 255.0 / 224.0) };
        let fixed = |v: f32| (v * 65536.0).round() as i32;
        let (ky, kv_r) = (fixed(luma_scale), fixed(2.0 * (1.0 - kr) * chroma_scale));
        let ku_b = fixed(2.0 * (1.0 - kb) * chroma_scale);
        let ku_g = fixed(2.0 * (1.0 - kb) * kb / kg * chroma_scale);
        let kv_g = fixed(2.0 * (1.0 - kr) * kr / kg * chroma_scale);
        let mut rgb = vec![0; self.width() * self.height() * 3];
        for (row, pixels) in rgb.chunks_exact_mut(3 * self.width()).enumerate() {
            let (us, vs) = (self.u.row(row / 2), self.v.row(row / 2));
            let pairs = pixels.chunks_mut(6).zip(self.y.row(row).chunks(2));
            for ((pixels, luma), (u, v)) in pairs.zip(us.iter().zip(vs)) {
                let (u, v) = (i32::from(*u) - 128, i32::from(*v) - 128);
                let chroma = [v * kv_r, -u * ku_g - v * kv_g, u * ku_b];
                for (pixel, luma) in pixels.chunks_exact_mut(3).zip(luma) {
                    let y = (i32::from(*luma) - offset as i32) * ky + 32768;
                    for (channel, chroma) in pixel.iter_mut().zip(chroma) {
                        *channel = ((y + chroma) >> 16).clamp(0, 255) as u8;
                    }
                }
            }
        }
        rgb
    }

    /// The picture in memory of its own (see [`Plane::copied`]).
    #[must_use]
    pub fn copied(&self) -> Self {
        Self { y: self.y.copied(), u: self.u.copied(), v: self.v.copied(), color: self.color }
    }

    /// The picture at another size, by box filter (see [`Plane::resized`]).
    #[must_use]
    pub fn resized(&self, width: usize, height: usize) -> Self {
        let (width, height) = (width.max(1), height.max(1));
        let (cw, ch) = (width.div_ceil(2), height.div_ceil(2));
        Self {
            y: self.y.resized(width, height),
            u: self.u.resized(cw, ch),
            v: self.v.resized(cw, ch),
            color: self.color,
        }
    }

    /// The picture scaled down, keeping its shape, so that it is at most `width` × `height`; unchanged if it is.
    #[must_use]
    pub fn fitted(&self, width: usize, height: usize) -> Self {
        let scale = (width as f32 / self.width() as f32).min(height as f32 / self.height() as f32);
        if scale >= 1.0 {
            return self.clone();
        }
        let size = |n: usize| ((n as f32 * scale).round() as usize).max(1);
        self.resized(size(self.width()), size(self.height()))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn planes_of_the_wrong_size_make_no_picture() {
        let plane = |w, h| Plane::new(w, h, vec![0; w * h]).unwrap();
        assert!(Picture::new(plane(5, 3), plane(3, 2), plane(3, 2), ColorSpace::JPEG).is_some());
        assert!(Picture::new(plane(5, 3), plane(2, 1), plane(2, 1), ColorSpace::JPEG).is_none());
        assert!(Plane::new(2, 2, vec![0; 3]).is_none());
        assert!(Plane::from_strided(4, 2, 8, vec![0; 11].into()).is_none());
        assert!(Plane::from_strided(0, 2, 8, vec![0; 99].into()).is_none());
        let padded = Plane::from_strided(2, 2, 3, vec![1, 2, 9, 3, 4].into()).unwrap();
        assert_eq!((padded.row(1), padded.rows().len()), (&[3, 4][..], 2));
        assert_eq!(padded, Plane::new(2, 2, vec![1, 2, 3, 4]).unwrap());
        assert_eq!((padded.copied().stride, padded.copied()), (2, padded));
    }

    #[test]
    fn shrinking_takes_the_mean() {
        let plane = Plane::new(4, 2, vec![0, 100, 200, 200, 0, 100, 100, 100]).unwrap();
        assert_eq!(plane.resized(2, 1).row(0), [50, 150]);
        assert_eq!(plane.resized(1, 1).row(0), [100]);
    }

    proptest! {
        #[test]
        fn a_flat_colour_stays_what_it_was(rgb in proptest::array::uniform3(0u8..), w in 1usize..9, h in 1usize..9) {
            let picture = Picture::from_rgb(w, h, &rgb.repeat(w * h)).unwrap();
            for pixel in picture.resized(3, 5).to_rgb().chunks(3) {
                for (a, b) in pixel.iter().zip(rgb) {
                    prop_assert!(a.abs_diff(b) <= 3, "{pixel:?} {rgb:?}");
                }
            }
        }

        #[test]
        fn the_mean_survives_resizing(samples in proptest::collection::vec(0u8.., 48 * 30), w in 1usize..20, h in 1usize..20) {
            let plane = Plane::new(48, 30, samples).unwrap();
            let mean = |p: &Plane| {
                p.rows().flatten().map(|s| *s as f64).sum::<f64>() / (p.width() * p.height()) as f64
            };
            prop_assert!((mean(&plane) - mean(&plane.resized(w, h))).abs() < 2.0);
        }
    }
}
