//! A camera in the air with a known pose: what it sees where, and how sure that is.

use serde::{Deserialize, Serialize};

use super::{GeoPoint, GroundPoint, LocalFrame};
use crate::Point;

/// Where a camera looks, degrees, as gimbals tell it: yaw clockwise from true north, pitch 0 at the horizon and −90
/// straight down, roll clockwise about the line of sight.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Attitude {
    /// Clockwise from true north.
    pub yaw: f64,
    /// −90 is straight down.
    pub pitch: f64,
    /// Clockwise about the line of sight.
    pub roll: f64,
}

/// Where a camera is and looks.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Pose {
    /// Above this place.
    pub position: GeoPoint,
    /// Metres above the ground of the site.
    pub height: f64,
    /// Where it looks.
    pub attitude: Attitude,
}

/// A pinhole without distortion, in widths of the picture: one value for every size of the same picture.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Lens {
    /// Focal length, in picture widths (35 mm equivalent / 36 for a whole sensor's width).
    pub focal: f64,
    /// Height of the picture divided by its width.
    pub aspect: f64,
    /// Principal point, normalized; the middle is (0.5, 0.5).
    pub center: (f64, f64),
}

/// Why numbers make no lens.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
#[error(
    "a focal length of {focal} picture widths and an aspect of {aspect} make no lens; hint: 24 mm equivalent is 0.67 widths, a 16:9 picture has the aspect 0.5625"
)]
pub struct InvalidLens {
    focal: f64,
    aspect: f64,
}

impl Lens {
    /// A lens whose principal point is the middle.
    ///
    /// # Errors
    /// When the focal length is not in 0.1..=100 widths or the aspect not in 0.1..=10.
    pub fn new(focal: f64, aspect: f64) -> Result<Self, InvalidLens> {
        if (0.1..=100.0).contains(&focal) && (0.1..=10.0).contains(&aspect) {
            Ok(Self { focal, aspect, center: (0.5, 0.5) })
        } else {
            Err(InvalidLens { focal, aspect })
        }
    }
}

/// Standard deviations of a pose.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct PoseError {
    /// Of the position east and of the position north, metres.
    pub horizontal_meters: f64,
    /// Of the height, metres.
    pub height_meters: f64,
    /// Of the yaw, degrees.
    pub yaw_degrees: f64,
    /// Of pitch and of roll, degrees.
    pub tilt_degrees: f64,
}

impl PoseError {
    /// What a consumer drone with single-band GNSS reports at best: DJI states ±1.5 m horizontally and ±0.5 m
    /// vertically (hovering accuracy with GNSS), and ±1° for the compass and 0.3° for the gimbal are usual.
    pub const CONSUMER_DRONE: Self =
        Self { horizontal_meters: 1.5, height_meters: 0.5, yaw_degrees: 1.0, tilt_degrees: 0.3 };
}

/// One picture's pose and lens over one site's plane.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct View {
    pose: Pose,
    lens: Lens,
    foot: GroundPoint,
    /// Rows: right, down and forward of the camera in east, north, up.
    axes: [[f64; 3]; 3],
}

impl View {
    /// The view of a camera with this pose and lens, over the plane of `frame`.
    pub fn new(pose: Pose, lens: Lens, frame: &LocalFrame) -> Self {
        let a = pose.attitude;
        let (sy, cy) = a.yaw.to_radians().sin_cos();
        let (sp, cp) = a.pitch.to_radians().sin_cos();
        let (sr, cr) = a.roll.to_radians().sin_cos();
        let forward = [sy * cp, cy * cp, sp];
        let level_right = [cy, -sy, 0.0];
        let level_down = cross(forward, level_right);
        let mix = |a: [f64; 3], x: f64, b: [f64; 3], y: f64| [0, 1, 2].map(|i| a[i] * x + b[i] * y);
        let axes = [mix(level_right, cr, level_down, sr), mix(level_down, cr, level_right, -sr), forward];
        Self { pose, lens, foot: frame.local(pose.position), axes }
    }

    /// The pose that it was made from.
    pub fn pose(&self) -> &Pose {
        &self.pose
    }

    /// The lens that it was made from.
    pub fn lens(&self) -> &Lens {
        &self.lens
    }

    /// The place on the plane under the camera.
    pub fn foot(&self) -> GroundPoint {
        self.foot
    }

    /// Where a place at `up` metres above the ground appears, normalized, in or out of the frame; `None` behind the
    /// camera.
    pub fn project(&self, place: GroundPoint, up: f64) -> Option<Point> {
        let d = [place.east - self.foot.east, place.north - self.foot.north, up - self.pose.height];
        let [x, y, z] = self.axes.map(|axis| dot(axis, d));
        (z > 1e-6).then(|| {
            let (cx, cy) = self.lens.center;
            Point::new(
                (cx + self.lens.focal * x / z) as f32,
                (cy + self.lens.focal * y / z / self.lens.aspect) as f32,
            )
        })
    }

    /// The place at `up` metres above the ground that appears at a point of the frame; `None` when the line of sight
    /// does not come down there, or farther than 20 heights away, where a tenth of a degree is worth 10 m and more.
    pub fn ground(&self, p: Point, up: f64) -> Option<GroundPoint> {
        let (cx, cy) = self.lens.center;
        let ray = [
            (f64::from(p.x) - cx) / self.lens.focal,
            (f64::from(p.y) - cy) * self.lens.aspect / self.lens.focal,
            1.0,
        ];
        let d = [0, 1, 2].map(|i| (0..3).map(|row| self.axes[row][i] * ray[row]).sum::<f64>());
        let drop = up - self.pose.height;
        let t = drop / d[2];
        let (east, north) = (d[0] * t, d[1] * t);
        (drop < -0.1 && d[2] < 0.0 && east.hypot(north) <= 20.0 * -drop)
            .then_some(GroundPoint { east: self.foot.east + east, north: self.foot.north + north })
    }

    /// Metres on the plane at `up` for one picture width at a point of the frame: the size of what is seen there.
    pub fn meters_per_width(&self, p: Point, up: f64) -> Option<f64> {
        let step = 1e-3;
        let here = self.ground(p, up)?;
        let side = self.ground(Point::new(p.x + step, p.y), up)?;
        Some(here.distance(side) / f64::from(step))
    }

    /// Standard deviation, metres and in the worse direction, of the place that [`View::ground`] gives, when the pose
    /// has these errors: each error is carried through the projection by its derivative (first-order propagation),
    /// and they are taken as independent.
    pub fn ground_error(&self, p: Point, up: f64, error: &PoseError) -> Option<f64> {
        let here = self.ground(p, up)?;
        let moved = |change: &dyn Fn(&mut Pose)| {
            let mut pose = self.pose;
            change(&mut pose);
            let place =
                Self { foot: self.foot, ..Self::new(pose, self.lens, &LocalFrame::at(pose.position)) };
            let there = place.ground(p, up)?;
            Some((there.east - here.east, there.north - here.north))
        };
        let by_height = moved(&|pose| pose.height += 0.1)?;
        let by_yaw = moved(&|pose| pose.attitude.yaw += 0.05)?;
        let by_pitch = moved(&|pose| pose.attitude.pitch += 0.05)?;
        let by_roll = moved(&|pose| pose.attitude.roll += 0.05)?;
        let terms = [
            ((1.0, 0.0), error.horizontal_meters),
            ((0.0, 1.0), error.horizontal_meters),
            (by_height, error.height_meters / 0.1),
            (by_yaw, error.yaw_degrees / 0.05),
            (by_pitch, error.tilt_degrees / 0.05),
            (by_roll, error.tilt_degrees / 0.05),
        ];
        let (mut ee, mut nn, mut en) = (0.0, 0.0, 0.0);
        for ((east, north), sigma) in terms {
            let (east, north) = (east * sigma, north * sigma);
            ee += east * east;
            nn += north * north;
            en += east * north;
        }
        Some((f64::midpoint(ee, nn) + ((ee - nn) / 2.0).hypot(en)).sqrt())
    }
}

fn dot(a: [f64; 3], b: [f64; 3]) -> f64 {
    a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
}

fn cross(a: [f64; 3], b: [f64; 3]) -> [f64; 3] {
    [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]]
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const HERE: GeoPoint = GeoPoint { latitude: 30.53, longitude: 120.68 };

    fn view(height: f64, yaw: f64, pitch: f64, roll: f64) -> View {
        let pose = Pose { position: HERE, height, attitude: Attitude { yaw, pitch, roll } };
        View::new(pose, Lens::new(0.7, 0.5625).unwrap(), &LocalFrame::at(HERE))
    }

    fn near(a: GroundPoint, east: f64, north: f64) -> bool {
        a.distance(GroundPoint { east, north }) < 1e-3
    }

    #[test]
    fn straight_down_the_top_of_the_picture_is_where_the_drone_heads() {
        let (top, right) = (Point::new(0.5, 0.0), Point::new(1.0, 0.5));
        let half_width = 60.0 * 0.5 / 0.7;
        let north = view(60.0, 0.0, -90.0, 0.0);
        assert!(near(north.ground(Point::new(0.5, 0.5), 0.0).unwrap(), 0.0, 0.0));
        assert!(near(north.ground(top, 0.0).unwrap(), 0.0, half_width * 0.5625));
        assert!(near(north.ground(right, 0.0).unwrap(), half_width, 0.0));
        let east = view(60.0, 90.0, -90.0, 0.0);
        assert!(near(east.ground(top, 0.0).unwrap(), half_width * 0.5625, 0.0));
        assert!(near(east.ground(right, 0.0).unwrap(), 0.0, -half_width));
        // A roof at a third of the height is seen at two thirds of the scale.
        assert!(near(north.ground(right, 20.0).unwrap(), half_width * 2.0 / 3.0, 0.0));
    }

    #[test]
    fn an_oblique_view_looks_ahead() {
        let view = view(60.0, 90.0, -45.0, 0.0);
        assert!(near(view.ground(Point::new(0.5, 0.5), 0.0).unwrap(), 60.0, 0.0));
        assert_eq!(view.project(GroundPoint { east: -300.0, north: 0.0 }, 0.0), None);
        assert_eq!(self::view(60.0, 90.0, 0.0, 0.0).ground(Point::new(0.5, 0.5), 0.0), None, "the horizon");
    }

    #[test]
    fn a_roll_to_the_right_lowers_the_right_side() {
        let rolled = view(60.0, 0.0, -45.0, 10.0);
        let (left, right) = (Point::new(0.3, 0.5), Point::new(0.7, 0.5));
        let far = |p| rolled.ground(p, 0.0).unwrap().north;
        assert!(far(left) > far(right), "what is lower in the world is nearer");
    }

    #[test]
    fn the_error_of_a_place_grows_with_height_and_slant() {
        let middle = Point::new(0.5, 0.5);
        let error = PoseError::CONSUMER_DRONE;
        let low = view(30.0, 0.0, -90.0, 0.0).ground_error(middle, 0.0, &error).unwrap();
        let high = view(120.0, 0.0, -90.0, 0.0).ground_error(middle, 0.0, &error).unwrap();
        let slant = view(30.0, 0.0, -30.0, 0.0).ground_error(middle, 0.0, &error).unwrap();
        assert!((low - 1.5f64.hypot(30.0 * 0.3f64.to_radians())).abs() < 0.01, "{low}");
        assert!(low < high && low < slant, "{low} {high} {slant}");
    }

    proptest! {
        #[test]
        fn what_is_projected_comes_down_where_it_was(
            east in -40.0f64..40.0, north in -40.0f64..40.0, up in 0.0f64..25.0,
            height in 40.0f64..120.0, yaw in -180.0f64..180.0, pitch in -90.0f64..-60.0, roll in -5.0f64..5.0
        ) {
            let view = view(height, yaw, pitch, roll);
            let place = GroundPoint { east, north };
            if let Some(p) = view.project(place, up) {
                prop_assume!(p.x.abs() < 3.0 && p.y.abs() < 3.0);
                let back = view.ground(p, up).unwrap();
                prop_assert!(back.distance(place) < 0.02, "{back:?}");
            }
        }
    }
}
