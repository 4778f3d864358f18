//! From the planes of a picture into the network's input in one pass: cut, resize, colour, normalisation.
//!
//! Shrinking takes the mean over the area of each new pixel, enlarging is bilinear; each of the three planes goes to the
//! final size directly, so that chroma is never resized twice. No intermediate picture exists.

use std::ops::Range;

use parapet_core::{Picture, Plane};

use crate::letterbox::Placement;

/// What becomes of a pixel value 0..=255: `(pixel · scale − mean) / std`, by plane of the input.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Normalization {
    /// Planes go blue, green, red; otherwise red, green, blue.
    pub bgr: bool,
    /// Factor for all planes.
    pub scale: f32,
    /// Subtracted, in the order of the planes.
    pub mean: [f32; 3],
    /// Divisor, in the order of the planes.
    pub std: [f32; 3],
    /// Pixel value of the padding.
    pub pad: f32,
}

impl Normalization {
    /// `(factor, offset)` for red, green and blue, and where their planes are: `value = pixel · factor + offset`.
    fn by_color(&self) -> [(usize, f32, f32); 3] {
        let plane = |i: usize| (i, self.scale / self.std[i], -self.mean[i] / self.std[i]);
        if self.bgr { [plane(2), plane(1), plane(0)] } else { [plane(0), plane(1), plane(2)] }
    }
}

/// A rectangle of a picture, in its pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Region {
    /// Left edge.
    pub x: usize,
    /// Upper edge.
    pub y: usize,
    /// Width, at least 1.
    pub width: usize,
    /// Height, at least 1.
    pub height: usize,
}

impl Region {
    /// All of a picture.
    pub fn whole(picture: &Picture) -> Self {
        Self { x: 0, y: 0, width: picture.width(), height: picture.height() }
    }
}

/// Fills `tensor`, `[3, height, width]` of an `input` (width, height), with a region of a picture at its `place`;
/// the rest becomes padding.
///
/// # Panics
/// If `tensor` is not of that size or the region or place reach beyond their bounds: both come from this crate.
pub fn fill_tensor(
    tensor: &mut [f32],
    input: (usize, usize),
    picture: &Picture,
    region: Region,
    place: Placement,
    normalization: &Normalization,
) {
    let (width, height) = input;
    assert_eq!(tensor.len(), 3 * width * height, "the slot has the size of the input");
    assert!(region.x + region.width <= picture.width() && region.y + region.height <= picture.height());
    assert!(place.left + place.width <= width && place.top + place.height <= height);

    let (size, at) = ((place.width, place.height), region);
    let mut luma =
        Scaler::new(picture.y(), at.x as f64, at.y as f64, at.width as f64, at.height as f64, size);
    let half = |plane| {
        let (x, y, w, h) = (at.x as f64, at.y as f64, at.width as f64, at.height as f64);
        Scaler::new(plane, x / 2.0, y / 2.0, w / 2.0, h / 2.0, size)
    };
    let (mut blue_difference, mut red_difference) = (half(picture.u()), half(picture.v()));

    let color = picture.color();
    let (kr, kb) = color.coefficients();
    let kg = 1.0 - kr - kb;
    let (black, luma_scale, chroma_scale) =
        if color.full_range { (0.0, 1.0, 1.0) } else { (16.0, 255.0 / 219.0, 255.0 / 224.0) };
    let (v_red, u_blue) = (2.0 * (1.0 - kr) * chroma_scale, 2.0 * (1.0 - kb) * chroma_scale);
    let (u_green, v_green) = (u_blue * kb / kg, v_red * kr / kg);

    let colors = normalization.by_color();
    let (first, rest) = tensor.split_at_mut(width * height);
    let (second, third) = rest.split_at_mut(width * height);
    let mut planes = [first, second, third];
    for (i, plane) in planes.iter_mut().enumerate() {
        let (_, factor, offset) = colors.into_iter().find(|c| c.0 == i).expect("each plane has its colour");
        let padding = normalization.pad * factor + offset;
        plane[..place.top * width].fill(padding);
        plane[(place.top + place.height) * width..].fill(padding);
        for row in plane[place.top * width..(place.top + place.height) * width].chunks_exact_mut(width) {
            row[..place.left].fill(padding);
            row[place.left + place.width..].fill(padding);
        }
    }
    for row in 0..place.height {
        let (ys, us, vs) = (luma.row(row), blue_difference.row(row), red_difference.row(row));
        let start = (place.top + row) * width + place.left;
        let here = start..start + place.width;
        let mut write = |(plane, factor, offset): (usize, f32, f32), u_gain: f32, v_gain: f32| {
            let target = &mut planes[plane][here.clone()];
            for (((out, y), u), v) in target.iter_mut().zip(ys).zip(us).zip(vs) {
                let value = (y - black) * luma_scale + (u - 128.0) * u_gain + (v - 128.0) * v_gain;
                *out = value.clamp(0.0, 255.0) * factor + offset;
            }
        };
        write(colors[0], 0.0, v_red);
        write(colors[1], -u_green, -v_green);
        write(colors[2], u_blue, 0.0);
    }
}

/// Brings one plane's region to the size of the content, row by row.
struct Scaler<'p> {
    plane: &'p Plane,
    rows: Taps,
    columns: Taps,
    /// The columns of the plane that are needed.
    needed: Range<usize>,
    /// A row of the needed columns, averaged downwards, in 1/256.
    sums: Vec<u16>,
    /// The finished row.
    out: Vec<f32>,
}

impl<'p> Scaler<'p> {
    fn new(plane: &'p Plane, x: f64, y: f64, width: f64, height: f64, size: (usize, usize)) -> Self {
        let columns = Taps::new(x, width, plane.width(), size.0);
        let needed = columns.sources();
        let sums = vec![0; needed.len()];
        let rows = Taps::new(y, height, plane.height(), size.1);
        Self { plane, rows, columns, needed, sums, out: vec![0.0; size.0] }
    }

    fn row(&mut self, row: usize) -> &[f32] {
        let (first, weights) = self.rows.of(row);
        for (i, weight) in weights.iter().enumerate() {
            let samples = &self.plane.row(first + i)[self.needed.clone()];
            // Weights sum to 256, so a sum is at most 255 · 256 and fits in 16 bits: nothing ever wraps, but asking whether
            // it does would keep the development profile, which the demo runs in, from using vector instructions.
            if i == 0 {
                for (sum, sample) in self.sums.iter_mut().zip(samples) {
                    *sum = u16::from(*sample).wrapping_mul(*weight);
                }
            } else {
                for (sum, sample) in self.sums.iter_mut().zip(samples) {
                    *sum = sum.wrapping_add(u16::from(*sample).wrapping_mul(*weight));
                }
            }
        }
        let (sums, start) = (&self.sums, self.needed.start);
        match self.columns.alike {
            Some(2) => self.columns.write::<2>(sums, start, &mut self.out),
            Some(3) => self.columns.write::<3>(sums, start, &mut self.out),
            Some(4) => self.columns.write::<4>(sums, start, &mut self.out),
            _ => {
                for (column, out) in self.out.iter_mut().enumerate() {
                    let (first, weights) = self.columns.of(column);
                    *out = mean(&sums[first - start..][..weights.len()], weights);
                }
            }
        }
        &self.out
    }
}

/// For each new sample, the first old one that it is made of and their weights, which sum to 256.
struct Taps {
    spans: Vec<(u32, u32)>,
    weights: Vec<u16>,
    /// How many old samples each new one is made of, if that is the same for all.
    alike: Option<usize>,
}

/// The weighted mean of sums of 256 parts each, by weights that sum to 256.
#[inline]
fn mean(sums: &[u16], weights: &[u16]) -> f32 {
    let products = sums.iter().zip(weights).map(|(s, w)| u32::from(*s).wrapping_mul(u32::from(*w)));
    products.fold(0, u32::wrapping_add) as f32 * (1.0 / 65536.0)
}

impl Taps {
    /// `to` samples over the stretch `from .. from + extent` of `limit` old ones.
    fn new(from: f64, extent: f64, limit: usize, to: usize) -> Self {
        let scale = extent / to as f64;
        let (mut spans, mut weights) = (Vec::with_capacity(to), Vec::new());
        let mut parts: Vec<f64> = Vec::new();
        for i in 0..to {
            parts.clear();
            let first = if scale >= 1.0 {
                let (begin, end) = (from + i as f64 * scale, from + (i + 1) as f64 * scale);
                let first = (begin.floor() as usize).min(limit - 1);
                let last = ((end - 1e-9).floor() as usize).clamp(first, limit - 1);
                for source in first..=last {
                    parts.push((end.min((source + 1) as f64) - begin.max(source as f64)).max(0.0));
                }
                first
            } else {
                let center = (from + (i as f64 + 0.5) * scale - 0.5).clamp(0.0, (limit - 1) as f64);
                let first = (center.floor() as usize).min(limit.saturating_sub(2));
                parts.push(1.0 - (center - first as f64));
                if first + 1 < limit {
                    parts.push(center - first as f64);
                }
                first
            };
            spans.push((first as u32, weights.len() as u32));
            // Rounding the running total keeps the sum at exactly 256.
            let total: f64 = parts.iter().sum();
            let (mut running, mut given) = (0.0, 0u16);
            for part in &parts {
                running += part;
                let until = (running / total * 256.0).round() as u16;
                weights.push(until - given);
                given = until;
            }
        }
        spans.push((0, weights.len() as u32));
        let count = weights.len() / to;
        let alike = spans.windows(2).all(|pair| (pair[1].1 - pair[0].1) as usize == count);
        Self { spans, weights, alike: alike.then_some(count) }
    }

    /// The new samples where each is made of `N` old ones; `start`: the number of the first of `sums`.
    fn write<const N: usize>(&self, sums: &[u16], start: usize, out: &mut [f32]) {
        for ((out, (first, _)), weights) in
            out.iter_mut().zip(&self.spans).zip(self.weights.as_chunks::<N>().0)
        {
            let first = *first as usize - start;
            *out = mean(&sums[first..first + N], weights);
        }
    }

    fn of(&self, i: usize) -> (usize, &[u16]) {
        let (first, start) = self.spans[i];
        (first as usize, &self.weights[start as usize..self.spans[i + 1].1 as usize])
    }

    /// From the first old sample that is needed to the last.
    fn sources(&self) -> Range<usize> {
        let ends = (0..self.spans.len() - 1).map(|i| self.of(i));
        let (mut low, mut high) = (usize::MAX, 0);
        for (first, weights) in ends {
            low = low.min(first);
            high = high.max(first + weights.len());
        }
        low..high
    }
}

#[cfg(test)]
mod tests {
    use parapet_core::ColorSpace;
    use proptest::prelude::*;

    use super::*;
    use crate::letterbox::Fit;

    const PLAIN: Normalization =
        Normalization { bgr: false, scale: 1.0, mean: [0.0; 3], std: [1.0; 3], pad: 114.0 };

    fn gray(width: usize, height: usize, samples: Vec<u8>) -> Picture {
        let chroma = Plane::new(
            width.div_ceil(2),
            height.div_ceil(2),
            vec![128; width.div_ceil(2) * height.div_ceil(2)],
        );
        let chroma = chroma.unwrap();
        let luma = Plane::new(width, height, samples).unwrap();
        Picture::new(luma, chroma.clone(), chroma, ColorSpace::JPEG).unwrap()
    }

    fn tensor_of(
        picture: &Picture,
        input: (usize, usize),
        fit: Fit,
        normalization: &Normalization,
    ) -> Vec<f32> {
        let mut tensor = vec![f32::NAN; 3 * input.0 * input.1];
        let place = Placement::new((picture.width(), picture.height()), input, fit);
        fill_tensor(&mut tensor, input, picture, Region::whole(picture), place, normalization);
        tensor
    }

    #[test]
    fn channels_mean_and_std_follow_the_manifest() {
        let picture = Picture::from_rgb(2, 2, &[200, 100, 50].repeat(4)).unwrap();
        let normalization =
            Normalization { bgr: true, scale: 2.0, mean: [10.0, 20.0, 30.0], std: [1.0, 2.0, 4.0], pad: 0.0 };
        let tensor = tensor_of(&picture, (2, 2), Fit::Stretch, &normalization);
        for (plane, expected) in [(0, 90.0), (1, 90.0), (2, 92.5)] {
            for value in &tensor[plane * 4..plane * 4 + 4] {
                assert!((value - expected).abs() < 4.0, "plane {plane}: {value} is not {expected}");
            }
        }
    }

    #[test]
    fn padding_surrounds_the_picture() {
        let tensor = tensor_of(&gray(4, 2, vec![0; 8]), (4, 4), Fit::Centred, &PLAIN);
        let rows: Vec<f32> = tensor[..16].chunks(4).map(|row| row[0]).collect();
        assert_eq!(rows, [114.0, 0.0, 0.0, 114.0]);
        let tensor = tensor_of(&gray(2, 4, vec![0; 8]), (4, 4), Fit::TopLeft, &PLAIN);
        assert_eq!(tensor[..4], [0.0, 0.0, 114.0, 114.0]);
    }

    #[test]
    fn shrinking_takes_the_mean_and_enlarging_interpolates() {
        let mean =
            tensor_of(&gray(4, 2, vec![0, 100, 200, 200, 0, 100, 100, 100]), (2, 1), Fit::Stretch, &PLAIN);
        assert_eq!(mean[..2], [50.0, 150.0]);
        let ramp = tensor_of(&gray(2, 1, vec![0, 100]), (4, 1), Fit::Stretch, &PLAIN);
        assert_eq!(ramp[..4], [0.0, 25.0, 75.0, 100.0]);
    }

    #[test]
    fn a_region_sees_nothing_of_its_surroundings() {
        let mut samples = vec![255; 8 * 8];
        for y in 2..6 {
            for x in 4..8 {
                samples[y * 8 + x] = 7;
            }
        }
        let mut tensor = vec![f32::NAN; 3 * 4];
        let region = Region { x: 4, y: 2, width: 4, height: 4 };
        let place = Placement { left: 0, top: 0, width: 2, height: 2 };
        fill_tensor(&mut tensor, (2, 2), &gray(8, 8, samples), region, place, &PLAIN);
        assert_eq!(tensor, [7.0; 12]);
    }

    proptest! {
        #[test]
        fn a_flat_colour_stays_what_it_was(
            rgb in proptest::array::uniform3(0u8..), w in 1usize..40, h in 1usize..40,
            input in (1usize..40, 1usize..40), bt709 in any::<bool>(), full_range in any::<bool>(),
        ) {
            let color = ColorSpace { bt709, full_range };
            let jpeg = Picture::from_rgb(w, h, &rgb.repeat(w * h)).unwrap();
            let picture = Picture::new(jpeg.y().clone(), jpeg.u().clone(), jpeg.v().clone(), color).unwrap();
            let expected = picture.to_rgb();
            let tensor = tensor_of(&picture, input, Fit::Stretch, &PLAIN);
            for (plane, value) in tensor.chunks(input.0 * input.1).enumerate() {
                for v in value {
                    prop_assert!((v - f32::from(expected[plane])).abs() <= 1.0, "{v} {expected:?}");
                }
            }
        }

        #[test]
        fn the_mean_survives_shrinking(samples in proptest::collection::vec(0u8.., 48 * 30), w in 1usize..48, h in 1usize..30) {
            let mean = |s: &[f32]| s.iter().map(|v| f64::from(*v)).sum::<f64>() / s.len() as f64;
            let before = samples.iter().map(|s| f64::from(*s)).sum::<f64>() / samples.len() as f64;
            let after = tensor_of(&gray(48, 30, samples), (w, h), Fit::Stretch, &PLAIN);
            prop_assert!((mean(&after[..w * h]) - before).abs() < 1.5);
        }
    }
}
