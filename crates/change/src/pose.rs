//! Where a camera that comes back to a view looks this time: the picture is laid on the view's reference, which tells
//! how far beside it the camera looks, and the picture as the reference would see it.
//!
//! A coarse search over shifts, each taken for a turn of the camera (a pan of 10° is no shift: the edges move a third
//! more than the middle), then [`crate::baseline`]'s homography. Pictures of a fixed lens only: no zoom is looked for.

use parapet_core::{BBox, Picture, Plane, Point};

use crate::{
    align::Homography,
    baseline::align::Target,
    raster::{Size, halved},
    register::flat,
    small::{Small, working_size},
};

/// Width in pixels at which pictures are compared.
const WIDTH: usize = 640;
/// The picture is halved for the coarse search until it is at most so wide.
const COARSE_WIDTH: usize = 100;
/// Least part of the reference that must be in sight for a place in the coarse search.
const LEAST_OVERLAP: f32 = 0.3;
/// Places of the coarse search that are looked at closely.
const STARTS: usize = 3;
/// A picture that lies nearer than this to the reference, in widths, is left as it is.
const NEGLIGIBLE: f64 = 0.002;

/// A view that a camera comes back to. Holds a small picture and prepares it at each look: a dome has many presets and
/// looks at one.
#[derive(Debug, Clone)]
pub struct ReferenceView {
    picture: Picture,
    field_of_view_degrees: f32,
}

impl ReferenceView {
    /// The view that `picture` shows with a lens of this horizontal field of view.
    pub fn new(picture: &Picture, field_of_view_degrees: f32) -> Self {
        let size = working_size(picture, WIDTH);
        Self { picture: picture.resized(size.w, size.h), field_of_view_degrees }
    }

    /// How the picture lies to the reference if it was taken no more than `reach_degrees` beside it; `None` where no
    /// place gives structure to compare. [`Pose::fit`] says how far to believe it.
    pub fn locate(&self, picture: &Picture, reach_degrees: f32) -> Option<Pose> {
        Prepared::new(self).locate(picture, reach_degrees)
    }
}

struct Prepared {
    size: Size,
    target: Target,
    coarse: Vec<f32>,
    coarse_size: Size,
    /// Focal length in widths.
    focal: f64,
}

impl Prepared {
    fn new(view: &ReferenceView) -> Self {
        let size = Size { w: view.picture.width(), h: view.picture.height() };
        let small = Small::new(&view.picture, size);
        let (coarse, coarse_size) = coarsened(&small.y, size);
        let half = f64::from(view.field_of_view_degrees.clamp(1.0, 150.0)).to_radians() / 2.0;
        Self { size, target: Target::new(small, size), coarse, coarse_size, focal: 0.5 / half.tan() }
    }

    fn locate(&self, picture: &Picture, reach_degrees: f32) -> Option<Pose> {
        let current = Small::new(picture, self.size);
        let nothing = vec![false; self.size.len()];
        let reach = self.focal * f64::from(reach_degrees.clamp(0.0, 60.0)).to_radians().tan();
        let turned = |(dx, dy): (f64, f64)| {
            Homography::of_rotation(-(dx / self.focal).atan(), -(dy / self.focal).atan(), self.focal)
        };
        // The middle first: a dome that came back well is not looked for elsewhere.
        let middle = self.target.align_from(&current, &nothing, turned((0.0, 0.0)), reach as f32);
        let best = match middle {
            Some(found) if found.1 > 0.8 => Some(found),
            middle => self
                .starts(&current, reach)
                .into_iter()
                .filter_map(|start| {
                    // The corners move farther than the middle.
                    self.target.align_from(&current, &nothing, turned(start), 2.0 * reach as f32)
                })
                .chain(middle)
                .max_by(|a, b| a.1.total_cmp(&b.1)),
        };
        best.map(|(homography, fit)| Pose { homography, size: self.size, focal: self.focal, fit })
    }

    /// The shifts of best correlation, in widths, best first.
    fn starts(&self, current: &Small, reach: f64) -> Vec<(f64, f64)> {
        let (coarse, size) = coarsened(&current.y, self.size);
        let limit = |n: usize| ((1.0 - LEAST_OVERLAP) * n as f32) as i32;
        let steps = (reach * size.w as f64).ceil() as i32;
        let (across, down) = (steps.min(limit(size.w)), steps.min(limit(size.h)));
        let mut scored = Vec::new();
        for dy in -down..=down {
            for dx in -across..=across {
                scored.push((self.correlation(&coarse, dx, dy), dx, dy));
            }
        }
        scored.sort_by(|a, b| b.0.total_cmp(&a.0));
        let mut kept: Vec<(i32, i32)> = Vec::new();
        for (_, dx, dy) in scored {
            if kept.iter().all(|(x, y)| (x - dx).abs().max((y - dy).abs()) > 2) {
                kept.push((dx, dy));
            }
            if kept.len() == STARTS {
                break;
            }
        }
        let width = size.w as f64;
        kept.into_iter().map(|(dx, dy)| (f64::from(dx) / width, f64::from(dy) / width)).collect()
    }

    /// Correlation under a shift over what both show, less where that is little: chance is kinder to small pieces.
    fn correlation(&self, coarse: &[f32], dx: i32, dy: i32) -> f32 {
        let (w, h) = (self.coarse_size.w as i32, self.coarse_size.h as i32);
        let overlap = ((w - dx.abs()) * (h - dy.abs())) as f32 / (w * h) as f32;
        if overlap < LEAST_OVERLAP {
            return f32::MIN;
        }
        let (mut rr, mut cc, mut rc) = (1e-3f32, 1e-3f32, 0.0f32);
        for y in (-dy).max(0)..(h - dy).min(h) {
            let reference = (y * w + (-dx).max(0)) as usize;
            let length = (w - dx.abs()) as usize;
            let moved = ((y + dy) * w + dx.max(0)) as usize;
            for (r, c) in self.coarse[reference..][..length].iter().zip(&coarse[moved..][..length]) {
                rr += r * r;
                cc += c * c;
                rc += r * c;
            }
        }
        rc / (rr * cc).sqrt() * overlap.sqrt()
    }
}

fn coarsened(luma: &[f32], size: Size) -> (Vec<f32>, Size) {
    let (mut values, mut size) = (luma.to_vec(), size);
    while size.w > COARSE_WIDTH {
        (values, size) = halved(&values, size);
    }
    (flat(&values, size, 4), size)
}

/// How a picture lies to its reference.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pose {
    homography: Homography,
    size: Size,
    focal: f64,
    /// Share of the reference's structure that the picture shows where it should, 0..=1.
    pub fit: f32,
}

impl Pose {
    /// How far beside the reference the camera looks, in degrees: to the right and downwards.
    pub fn beside_degrees(&self) -> (f64, f64) {
        let (x, y, _) = self.homography.at(0.0, 0.0);
        (-(x / self.focal).atan().to_degrees(), -(y / self.focal).atan().to_degrees())
    }

    /// The angle between the two directions, in degrees.
    pub fn offset_degrees(&self) -> f64 {
        let (x, y, _) = self.homography.at(0.0, 0.0);
        (x.hypot(y) / self.focal).atan().to_degrees()
    }

    /// Whether the picture lies on the reference as it is.
    pub fn is_negligible(&self) -> bool {
        let moved = |p: Point| f64::from(self.in_picture(p).distance(p));
        BBox::new(0.0, 0.0, 1.0, 1.0)
            .is_some_and(|frame| frame.corners().into_iter().all(|p| moved(p) < NEGLIGIBLE))
    }

    /// Where a point of the reference is in the picture; both normalized.
    pub fn in_picture(&self, p: Point) -> Point {
        self.homography.map(self.size, p)
    }

    /// The picture as the reference would see it. What lies outside of it repeats its edge; [`Self::unseen`] says where.
    #[must_use]
    pub fn straightened(&self, picture: &Picture) -> Picture {
        let plane = |plane: &Plane| self.straightened_plane(plane);
        Picture::new(plane(picture.y()), plane(picture.u()), plane(picture.v()), picture.color())
            .expect("planes keep their sizes")
    }

    fn straightened_plane(&self, plane: &Plane) -> Plane {
        let (w, h) = (plane.width(), plane.height());
        let (wf, hf) = (w as f32, h as f32);
        let aspect = self.size.h as f64 / self.size.w as f64;
        let down = hf / aspect as f32;
        let mut out = Vec::with_capacity(w * h);
        for row in 0..h {
            let y = ((row as f64 + 0.5) / h as f64 - 0.5) * aspect;
            let [u, v, d] = self.homography.along(y);
            for column in 0..w {
                let x = (column as f32 + 0.5) / wf - 0.5;
                let part = 1.0 / (d[0] + d[1] * x);
                let sx = (u[0] + u[1] * x) * part * wf + (wf / 2.0 - 0.5);
                let sy = (v[0] + v[1] * x) * part * down + (hf / 2.0 - 0.5);
                let (sx, sy) = (sx.clamp(0.0, wf - 1.0), sy.clamp(0.0, hf - 1.0));
                let (x0, y0) = (sx as usize, sy as usize);
                let (x1, y1) = ((x0 + 1).min(w - 1), (y0 + 1).min(h - 1));
                let (fx, fy) = (sx - x0 as f32, sy - y0 as f32);
                let between = |row: &[u8]| {
                    let (left, right) = (f32::from(row[x0]), f32::from(row[x1]));
                    left + (right - left) * fx
                };
                let (top, bottom) = (between(plane.row(y0)), between(plane.row(y1)));
                out.push((top + (bottom - top) * fy + 0.5) as u8);
            }
        }
        Plane::new(w, h, out).expect("as many samples as before")
    }

    /// Strips along the edges of the reference's view that the picture does not show, normalized.
    pub fn unseen(&self) -> Vec<BBox> {
        const CELLS: (usize, usize) = (64, 36);
        let (w, h) = CELLS;
        let seen = |x: usize, y: usize| {
            let p = self.in_picture(Point::new((x as f32 + 0.5) / w as f32, (y as f32 + 0.5) / h as f32));
            (0.0..=1.0).contains(&p.x) && (0.0..=1.0).contains(&p.y)
        };
        // The seen part is made a rectangle: as long as its border shows something unseen, the worst side gives way.
        let (mut left, mut right, mut top, mut bottom) = (0, w, 0, h);
        while left < right && top < bottom {
            let column =
                |x: usize| (top..bottom).filter(|y| !seen(x, *y)).count() as f32 / (bottom - top) as f32;
            let row =
                |y: usize| (left..right).filter(|x| !seen(*x, y)).count() as f32 / (right - left) as f32;
            let sides = [column(left), column(right - 1), row(top), row(bottom - 1)];
            let worst =
                (0..4).max_by(|a, b| sides[*a].total_cmp(&sides[*b])).filter(|side| sides[*side] > 0.0);
            match worst {
                Some(0) => left += 1,
                Some(1) => right -= 1,
                Some(2) => top += 1,
                Some(_) => bottom -= 1,
                None => break,
            }
        }
        let (left, right) = (left as f32 / w as f32, right as f32 / w as f32);
        let (top, bottom) = (top as f32 / h as f32, bottom as f32 / h as f32);
        [(0.0, 0.0, left, 1.0), (right, 0.0, 1.0, 1.0), (0.0, 0.0, 1.0, top), (0.0, bottom, 1.0, 1.0)]
            .into_iter()
            .filter_map(|(x0, y0, x1, y1)| BBox::new(x0, y0, x1, y1))
            .filter(|strip| strip.area() > 0.0)
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIELD_OF_VIEW: f32 = 60.0;

    /// What a camera sees of a town painted on a sphere round it, looking `pan` to the right and `tilt` down of its
    /// middle, in degrees; `gain` times as bright.
    fn town(pan: f64, tilt: f64, gain: f64) -> Picture {
        let (w, h) = (640usize, 360usize);
        let focal = 0.5 / (f64::from(FIELD_OF_VIEW).to_radians() / 2.0).tan();
        let ((sp, cp), (st, ct)) = (pan.to_radians().sin_cos(), tilt.to_radians().sin_cos());
        let hash = |a: i64, b: i64| {
            let n = (a.wrapping_mul(0x9E37_79B9) ^ b.wrapping_mul(0x85EB_CA6B)).wrapping_mul(0xC2B2_AE35);
            ((n >> 13) & 0x7F) as f64
        };
        let rgb = (0..w * h)
            .flat_map(|i| {
                let x = ((i % w) as f64 + 0.5) / w as f64 - 0.5;
                let y = ((i / w) as f64 + 0.5 - h as f64 / 2.0) / w as f64;
                // Tilt first, then pan: back from the camera into the world.
                let (y, z) = (y * ct + focal * st, focal * ct - y * st);
                let (x, z) = (x * cp + z * sp, z * cp - x * sp);
                let (azimuth, height) = (x.atan2(z).to_degrees(), (y / x.hypot(z)).atan().to_degrees());
                let houses = hash((azimuth / 2.3).floor() as i64, (height / 1.9).floor() as i64);
                let windows = hash((azimuth / 0.6).floor() as i64, (height / 0.5).floor() as i64 + 999);
                [((50.0 + houses + 0.3 * windows) * gain).clamp(0.0, 255.0) as u8; 3]
            })
            .collect::<Vec<u8>>();
        Picture::from_rgb(w, h, &rgb).unwrap()
    }

    #[test]
    fn a_camera_beside_its_view_is_found_and_its_picture_straightened() {
        let reference_picture = town(0.0, 0.0, 1.0);
        let reference = ReferenceView::new(&reference_picture, FIELD_OF_VIEW);
        for (pan, tilt) in [(0.0, 0.0), (2.0, 0.0), (-1.2, 1.6), (6.0, -3.0), (-10.0, 0.0), (20.0, 0.0)] {
            let picture = town(pan, tilt, 0.8);
            let pose = reference.locate(&picture, 25.0).unwrap();
            let (right, down) = pose.beside_degrees();
            assert!(pose.fit > 0.8, "({pan}, {tilt}): {pose:?}");
            assert!((right - pan).hypot(down - tilt) < 0.1, "({pan}, {tilt}): found ({right}, {down})");
            let straight = pose.straightened(&picture);
            let unseen = pose.unseen();
            let (mut off, mut n) = (0.0, 0);
            for y in (0..360).step_by(3) {
                for x in (0..640).step_by(3) {
                    let p = Point::new((x as f32 + 0.5) / 640.0, (y as f32 + 0.5) / 360.0);
                    if !unseen.iter().any(|strip| strip.contains(p)) {
                        let (a, b) = (reference_picture.y().row(y)[x], straight.y().row(y)[x]);
                        off += (f64::from(a) * 0.8 - f64::from(b)).abs();
                        n += 1;
                    }
                }
            }
            assert!(n > 4000, "({pan}, {tilt}): {unseen:?}");
            assert!(off / f64::from(n) < 6.0, "({pan}, {tilt}): {}", off / f64::from(n));
        }
        assert!(reference.locate(&town(0.0, 0.0, 0.9), 25.0).unwrap().is_negligible());
    }

    #[test]
    fn another_place_does_not_fit() {
        let reference = ReferenceView::new(&town(0.0, 0.0, 1.0), FIELD_OF_VIEW);
        let fit = reference.locate(&town(120.0, 0.0, 1.0), 25.0).map_or(0.0, |pose| pose.fit);
        assert!(fit < 0.35, "{fit}");
    }

    #[test]
    fn what_the_picture_does_not_show_is_a_strip_on_the_side_that_it_turned_from() {
        let reference = ReferenceView::new(&town(0.0, 0.0, 1.0), FIELD_OF_VIEW);
        let unseen = reference.locate(&town(5.0, 0.0, 1.0), 25.0).unwrap().unseen();
        let left = unseen.iter().find(|strip| strip.x_min() == 0.0 && strip.height() == 1.0).unwrap();
        assert!((0.07..0.12).contains(&left.width()), "{unseen:?}");
        assert!(
            unseen.iter().all(|strip| strip == left || strip.width().min(strip.height()) < 0.05),
            "{unseen:?}"
        );
    }
}
