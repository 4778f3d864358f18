//! Small images as flat vectors: means, gradients, morphology, connected components and outlines. All rows first,
//! all of one [`Size`]; nothing here knows what the values mean.

use parapet_core::{BBox, Point, Polygon};

/// Width and height of a working image, in its pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Size {
    pub(crate) w: usize,
    pub(crate) h: usize,
}

impl Size {
    pub(crate) fn len(self) -> usize {
        self.w * self.h
    }

    /// The pixels whose middle lies in the box, as ranges of columns and rows.
    pub(crate) fn pixels_in(self, bbox: BBox) -> (std::ops::Range<usize>, std::ops::Range<usize>) {
        let range = |low: f32, high: f32, n: usize| {
            let at = |v: f32| ((v * n as f32 - 0.5).ceil().max(0.0) as usize).min(n);
            at(low)..at(high).max(at(low))
        };
        (range(bbox.x_min(), bbox.x_max(), self.w), range(bbox.y_min(), bbox.y_max(), self.h))
    }

    /// Which pixels have their middle in any of the polygons.
    pub(crate) fn fill(self, polygons: &[Polygon]) -> Vec<bool> {
        let mut bits = vec![false; self.len()];
        for polygon in polygons {
            for (bit, inside) in
                bits.iter_mut().zip(parapet_core::Mask::of_polygon(self.w, self.h, polygon).cells())
            {
                *bit |= inside;
            }
        }
        bits
    }
}

/// A running sum waits for itself at each step, so that many rows are summed side by side.
const ROWS: usize = 4;

/// Mean over the `2r + 1` square around each pixel, cut at the border.
pub(crate) fn box_mean(values: &[f32], size: Size, r: usize) -> Vec<f32> {
    let Size { w, h } = size;
    let mut across = vec![0.0; size.len()];
    let (many, rest) = values.split_at(h / ROWS * ROWS * w);
    let (many_out, rest_out) = across.split_at_mut(many.len());
    for (rows, out) in many.chunks_exact(ROWS * w).zip(many_out.chunks_exact_mut(ROWS * w)) {
        running_sums::<ROWS>(rows, out, w, r);
    }
    for (row, out) in rest.chunks_exact(w).zip(rest_out.chunks_exact_mut(w)) {
        running_sums::<1>(row, out, w, r);
    }
    let counts: Vec<f32> =
        (0..w).map(|x| ((x + r).min(w - 1) + 1 - x.saturating_sub(r).min(w - 1)) as f32).collect();
    for out in across.chunks_exact_mut(w) {
        for (sum, n) in out.iter_mut().zip(&counts) {
            *sum /= n;
        }
    }
    let mut result = vec![0.0; size.len()];
    let mut sums = vec![0.0f32; w];
    let mut n = 0usize;
    for y in 0..r.min(h) {
        add(&mut sums, &across[y * w..(y + 1) * w], 1.0);
        n += 1;
    }
    for y in 0..h {
        if y + r < h {
            add(&mut sums, &across[(y + r) * w..(y + r + 1) * w], 1.0);
            n += 1;
        }
        if y > r {
            add(&mut sums, &across[(y - r - 1) * w..(y - r) * w], -1.0);
            n -= 1;
        }
        let scale = 1.0 / n as f32;
        for (out, sum) in result[y * w..(y + 1) * w].iter_mut().zip(&sums) {
            *out = sum * scale;
        }
    }
    result
}

/// For each pixel of `N` rows the sum over the `2r + 1` pixels around it in its row.
fn running_sums<const N: usize>(rows: &[f32], out: &mut [f32], w: usize, r: usize) {
    let rows: [&[f32]; N] = std::array::from_fn(|k| &rows[k * w..(k + 1) * w]);
    let mut outs = out.chunks_exact_mut(w);
    let outs: [&mut [f32]; N] = std::array::from_fn(|_| outs.next().expect("as many rows"));
    let mut sums: [f32; N] = std::array::from_fn(|k| rows[k][..r.min(w)].iter().sum());
    let mut step = |x: usize, comes: bool, goes: bool| {
        for k in 0..N {
            if comes {
                sums[k] += rows[k][x + r];
            }
            if goes {
                sums[k] -= rows[k][x - r - 1];
            }
            outs[k][x] = sums[k];
        }
    };
    let (left, right) = ((r + 1).min(w), w.saturating_sub(r));
    for x in 0..left.min(right) {
        step(x, true, false);
    }
    for x in right..left {
        step(x, false, false);
    }
    for x in left..right {
        step(x, true, true);
    }
    for x in right.max(left)..w {
        step(x, false, true);
    }
}

fn add(sums: &mut [f32], row: &[f32], sign: f32) {
    for (sum, v) in sums.iter_mut().zip(row) {
        *sum += v * sign;
    }
}

/// Central differences across and down; 0 at the border.
pub(crate) fn gradients(values: &[f32], size: Size) -> (Vec<f32>, Vec<f32>) {
    let Size { w, h } = size;
    let (mut gx, mut gy) = (vec![0.0; size.len()], vec![0.0; size.len()]);
    for y in 1..h.saturating_sub(1) {
        let (above, row, below) =
            (&values[(y - 1) * w..y * w], &values[y * w..(y + 1) * w], &values[(y + 1) * w..(y + 2) * w]);
        for x in 1..w.saturating_sub(1) {
            gx[y * w + x] = (row[x + 1] - row[x - 1]) * 0.5;
            gy[y * w + x] = (below[x] - above[x]) * 0.5;
        }
    }
    (gx, gy)
}

/// Half the size: each pixel the mean of four.
pub(crate) fn halved(values: &[f32], size: Size) -> (Vec<f32>, Size) {
    let half = Size { w: (size.w / 2).max(1), h: (size.h / 2).max(1) };
    let mut out = Vec::with_capacity(half.len());
    for y in 0..half.h {
        for x in 0..half.w {
            let (x0, y0) = (2 * x, 2 * y);
            let (x1, y1) = ((x0 + 1).min(size.w - 1), (y0 + 1).min(size.h - 1));
            let at = |x: usize, y: usize| values[y * size.w + x];
            out.push((at(x0, y0) + at(x1, y0) + at(x0, y1) + at(x1, y1)) * 0.25);
        }
    }
    (out, half)
}

/// The same as [`sample`] at a place that is known to be inside, with a pixel to spare to the right and below.
#[inline]
pub(crate) fn sample_inside(values: &[f32], w: usize, x: f32, y: f32) -> f32 {
    let (x0, y0) = (x as usize, y as usize);
    let (fx, fy) = (x - x0 as f32, y - y0 as f32);
    let (above, below) = (&values[y0 * w + x0..][..2], &values[(y0 + 1) * w + x0..][..2]);
    let top = above[0] + (above[1] - above[0]) * fx;
    let bottom = below[0] + (below[1] - below[0]) * fx;
    top + (bottom - top) * fy
}

/// Bilinear sample at a place inside the image (clamped to it).
pub(crate) fn sample(values: &[f32], size: Size, x: f32, y: f32) -> f32 {
    let x = x.clamp(0.0, (size.w - 1) as f32);
    let y = y.clamp(0.0, (size.h - 1) as f32);
    let (x0, y0) = (x as usize, y as usize);
    let (x1, y1) = ((x0 + 1).min(size.w - 1), (y0 + 1).min(size.h - 1));
    let (fx, fy) = (x - x0 as f32, y - y0 as f32);
    let at = |x: usize, y: usize| values[y * size.w + x];
    let top = at(x0, y0) + (at(x1, y0) - at(x0, y0)) * fx;
    let bottom = at(x0, y1) + (at(x1, y1) - at(x0, y1)) * fx;
    top + (bottom - top) * fy
}

/// The pixels that have a set one within `r` pixels across and down.
pub(crate) fn dilated(bits: &[bool], size: Size, r: usize) -> Vec<bool> {
    let Size { w, h } = size;
    let mut across = bits.to_vec();
    for (row, out) in bits.chunks_exact(w).zip(across.chunks_exact_mut(w)) {
        for d in 1..=r.min(w - 1) {
            join(&mut out[..w - d], &row[d..]);
            join(&mut out[d..], &row[..w - d]);
        }
    }
    let mut result = across.clone();
    for d in 1..=r.min(h - 1) {
        let n = (h - d) * w;
        join(&mut result[..n], &across[d * w..]);
        join(&mut result[d * w..], &across[..n]);
    }
    result
}

fn join(bits: &mut [bool], others: &[bool]) {
    for (bit, other) in bits.iter_mut().zip(others) {
        *bit |= other;
    }
}

pub(crate) fn eroded(bits: &[bool], size: Size, r: usize) -> Vec<bool> {
    let inverse: Vec<bool> = bits.iter().map(|b| !b).collect();
    let mut result = dilated(&inverse, size, r);
    for bit in &mut result {
        *bit = !*bit;
    }
    result
}

/// Pixels joined by an edge or a corner.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Component {
    /// Indices, in the order of discovery.
    pub(crate) pixels: Vec<u32>,
}

/// The connected components (8 neighbours) of the set bits, from the top.
pub(crate) fn components(bits: &[bool], size: Size) -> Vec<Component> {
    let Size { w, h } = size;
    let mut left = bits.to_vec();
    let mut found = Vec::new();
    for start in 0..left.len() {
        if !left[start] {
            continue;
        }
        left[start] = false;
        let mut pixels = vec![start as u32];
        let mut next = 0;
        while next < pixels.len() {
            let i = pixels[next] as usize;
            next += 1;
            let (x, y) = (i % w, i / w);
            for ny in y.saturating_sub(1)..=(y + 1).min(h - 1) {
                for nx in x.saturating_sub(1)..=(x + 1).min(w - 1) {
                    let j = ny * w + nx;
                    if left[j] {
                        left[j] = false;
                        pixels.push(j as u32);
                    }
                }
            }
        }
        found.push(Component { pixels });
    }
    found
}

/// Sets what the bits enclose: unset areas that do not reach the border of the image, across edges or corners.
pub(crate) fn fill_holes(bits: &mut [bool], size: Size) {
    let Size { w, h } = size;
    // What is reached from the border, swept down and up until nothing is added.
    let mut outside = vec![false; size.len()];
    for y in 0..h {
        for x in 0..w {
            if y == 0 || y + 1 == h || x == 0 || x + 1 == w {
                outside[y * w + x] = !bits[y * w + x];
            }
        }
    }
    let mut spread = |y: usize, from: usize| {
        let mut added = false;
        let mut reach = |outside: &mut [bool], x: usize, near: bool| {
            let i = y * w + x;
            if near && !outside[i] && !bits[i] {
                outside[i] = true;
                added = true;
            }
        };
        for x in 0..w {
            let above = &outside[from * w + x.saturating_sub(1)..from * w + (x + 2).min(w)];
            let near = above.iter().any(|o| *o) || (x > 0 && outside[y * w + x - 1]);
            reach(&mut outside, x, near);
        }
        for x in (0..w - 1).rev() {
            let near = outside[y * w + x + 1];
            reach(&mut outside, x, near);
        }
        added
    };
    loop {
        let down = (1..h).fold(false, |added, y| spread(y, y - 1) | added);
        let up = (0..h - 1).rev().fold(false, |added, y| spread(y, y + 1) | added);
        if !(down || up) {
            break;
        }
    }
    for (bit, outside) in bits.iter_mut().zip(outside) {
        *bit = !outside;
    }
}

/// Smallest box around the pixels, normalized, counting whole pixels.
pub(crate) fn bbox_of(pixels: &[u32], size: Size) -> BBox {
    let mut low = (size.w, size.h);
    let mut high = (0, 0);
    for i in pixels {
        let (x, y) = (*i as usize % size.w, *i as usize / size.w);
        low = (low.0.min(x), low.1.min(y));
        high = (high.0.max(x + 1), high.1.max(y + 1));
    }
    let (w, h) = (size.w as f32, size.h as f32);
    BBox::new(low.0 as f32 / w, low.1 as f32 / h, high.0 as f32 / w, high.1 as f32 / h)
        .unwrap_or_else(|| BBox::new(0.0, 0.0, 0.0, 0.0).expect("an empty box is a box"))
}

/// The outline of the largest part of the pixels, normalized: its border followed along pixel edges and simplified
/// (Douglas and Peucker 1973) to about a pixel; the convex hull where that would cross itself.
pub(crate) fn outline_of(pixels: &[u32], size: Size) -> Vec<Point> {
    let mut bits = vec![false; size.len()];
    for i in pixels {
        bits[*i as usize] = true;
    }
    let Some(largest) = components(&bits, size).into_iter().max_by_key(|c| c.pixels.len()) else {
        return Vec::new();
    };
    bits.fill(false);
    for i in &largest.pixels {
        bits[*i as usize] = true;
    }
    let corners = border(&bits, size, largest.pixels[0] as usize);
    let normalize = |(x, y): (i32, i32)| Point::new(x as f32 / size.w as f32, y as f32 / size.h as f32);
    let simple: Vec<Point> = simplified(&corners, 1.0).into_iter().map(normalize).collect();
    if Polygon::new(simple.clone()).is_ok() {
        return simple;
    }
    hull(corners).into_iter().map(normalize).collect()
}

/// Follows the border of the component clockwise along pixel edges from the upper left corner of its first pixel
/// (the topmost, and there the leftmost).
fn border(bits: &[bool], size: Size, first: usize) -> Vec<(i32, i32)> {
    let set = |x: i32, y: i32| {
        x >= 0
            && y >= 0
            && (x as usize) < size.w
            && (y as usize) < size.h
            && bits[y as usize * size.w + x as usize]
    };
    let start = ((first % size.w) as i32, (first / size.w) as i32);
    let mut corners = Vec::new();
    let (mut at, mut step) = (start, (1, 0));
    loop {
        // The pixels ahead on the left and right of the step; the region is kept on the right.
        let (dx, dy) = step;
        let cell = |side: i32| {
            let (px, py) = (-dy * side, dx * side);
            (at.0 + (dx + px - 1).div_euclid(2), at.1 + (dy + py - 1).div_euclid(2))
        };
        let (right, left) = (cell(1), cell(-1));
        let turned = if set(left.0, left.1) {
            Some((dy, -dx))
        } else if set(right.0, right.1) {
            None
        } else {
            Some((-dy, dx))
        };
        if let Some(turned) = turned {
            if corners.last() != Some(&at) {
                corners.push(at);
            }
            step = turned;
        }
        at = (at.0 + step.0, at.1 + step.1);
        if at == start || corners.len() > 4 * size.len() {
            corners.push(at);
            corners.dedup();
            if corners.len() > 1 && corners.first() == corners.last() {
                corners.pop();
            }
            return corners;
        }
    }
}

fn simplified(corners: &[(i32, i32)], tolerance: f32) -> Vec<(i32, i32)> {
    if corners.len() < 4 {
        return corners.to_vec();
    }
    // Cut the ring at the corner farthest from the first.
    let distance = |a: (i32, i32), b: (i32, i32)| ((a.0 - b.0) as f32).hypot((a.1 - b.1) as f32);
    let far = (0..corners.len())
        .max_by(|a, b| distance(corners[0], corners[*a]).total_cmp(&distance(corners[0], corners[*b])))
        .unwrap_or(0);
    let mut ring = corners[..=far].to_vec();
    let mut kept = peucker(&ring, tolerance);
    ring = corners[far..].to_vec();
    ring.push(corners[0]);
    let back = peucker(&ring, tolerance);
    kept.extend(&back[1..back.len() - 1]);
    kept
}

fn peucker(line: &[(i32, i32)], tolerance: f32) -> Vec<(i32, i32)> {
    let (a, b) = (line[0], line[line.len() - 1]);
    let length = ((b.0 - a.0) as f32).hypot((b.1 - a.1) as f32).max(1e-6);
    let off = |p: (i32, i32)| (((b.0 - a.0) * (p.1 - a.1) - (b.1 - a.1) * (p.0 - a.0)) as f32).abs() / length;
    let worst = (1..line.len() - 1).max_by(|i, j| off(line[*i]).total_cmp(&off(line[*j])));
    match worst {
        Some(i) if off(line[i]) > tolerance => {
            let mut kept = peucker(&line[..=i], tolerance);
            kept.pop();
            kept.extend(peucker(&line[i..], tolerance));
            kept
        }
        _ => vec![a, b],
    }
}

/// Convex hull (Andrew 1979).
fn hull(mut points: Vec<(i32, i32)>) -> Vec<(i32, i32)> {
    points.sort_unstable();
    points.dedup();
    let turn =
        |a: (i32, i32), b: (i32, i32), c: (i32, i32)| (b.0 - a.0) * (c.1 - a.1) - (b.1 - a.1) * (c.0 - a.0);
    let half = |points: &mut dyn Iterator<Item = (i32, i32)>| {
        let mut chain: Vec<(i32, i32)> = Vec::new();
        for p in points {
            while chain.len() > 1 && turn(chain[chain.len() - 2], chain[chain.len() - 1], p) <= 0 {
                chain.pop();
            }
            chain.push(p);
        }
        chain.pop();
        chain
    };
    let mut lower = half(&mut points.iter().copied());
    lower.extend(half(&mut points.iter().rev().copied()));
    lower
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SIZE: Size = Size { w: 24, h: 18 };

    fn block(x: std::ops::Range<usize>, y: std::ops::Range<usize>) -> Vec<bool> {
        (0..SIZE.len()).map(|i| x.contains(&(i % SIZE.w)) && y.contains(&(i / SIZE.w))).collect()
    }

    fn pixels(bits: &[bool]) -> Vec<u32> {
        (0..bits.len()).filter(|i| bits[*i]).map(|i| i as u32).collect()
    }

    #[test]
    fn a_block_has_its_four_corners_as_outline() {
        let outline = outline_of(&pixels(&block(3..9, 4..10)), SIZE);
        assert_eq!(outline.len(), 4);
        let area = Polygon::new(outline).unwrap().area();
        assert!((area - 36.0 / SIZE.len() as f32).abs() < 1e-5);
    }

    #[test]
    fn a_dilation_is_undone_by_an_erosion_on_a_block() {
        let bits = block(5..12, 5..12);
        assert_eq!(eroded(&dilated(&bits, SIZE, 2), SIZE, 2), bits);
        assert_eq!(dilated(&bits, SIZE, 2), block(3..14, 3..14));
    }

    #[test]
    fn a_ring_is_filled_and_a_bay_is_not() {
        let mut ring = block(3..10, 3..10);
        for i in pixels(&block(5..8, 5..8)) {
            ring[i as usize] = false;
        }
        let mut bay = ring.clone();
        for i in pixels(&block(3..6, 6..7)) {
            bay[i as usize] = false;
        }
        fill_holes(&mut ring, SIZE);
        assert_eq!(ring, block(3..10, 3..10));
        let before = bay.clone();
        fill_holes(&mut bay, SIZE);
        // The bay is joined to the outside only along edges of pixels.
        assert_eq!(bay, before);
    }

    proptest! {
        #[test]
        fn an_outline_is_a_simple_polygon_around_about_the_same_area(
            blocks in proptest::collection::vec((0usize..20, 0usize..14, 2usize..8, 2usize..8), 1..5)
        ) {
            let mut bits = vec![false; SIZE.len()];
            for (x, y, w, h) in blocks {
                for i in pixels(&block(x..x + w, y..y + h)) {
                    bits[i as usize] = true;
                }
            }
            let largest = components(&bits, SIZE).into_iter().max_by_key(|c| c.pixels.len()).unwrap();
            let mut only = vec![false; SIZE.len()];
            for i in &largest.pixels { only[*i as usize] = true; }
            fill_holes(&mut only, SIZE);
            let polygon = Polygon::new(outline_of(&largest.pixels, SIZE)).unwrap();
            let area = pixels(&only).len() as f32 / SIZE.len() as f32;
            prop_assert!(polygon.area() > area * 0.6, "{} {}", polygon.area(), area);
        }
    }
}
