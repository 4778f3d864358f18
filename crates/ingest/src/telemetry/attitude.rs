//! Platform and gimbal angles composed into one direction of the camera, by rotations.

use parapet_core::geo::Attitude;

/// Rows of a rotation, or three vectors.
type Matrix = [[f64; 3]; 3];

/// Intrinsic rotations in the order z, y, x by degrees, as aircraft count: yaw, pitch, roll in a frame of forward,
/// right, down (MISB ST 0601, item 18 to 20: azimuth, elevation, roll of the sensor in the platform's frame).
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Turn {
    pub(crate) yaw: f64,
    pub(crate) pitch: f64,
    pub(crate) roll: f64,
}

/// Where a camera looks that is turned by `sensor` against a platform that is turned by `platform` against north,
/// east, down.
pub(crate) fn composed(platform: Turn, sensor: Turn) -> Attitude {
    let r = product(matrix(platform), matrix(sensor));
    // Columns are the camera's forward, right and down in north, east, down; here in east, north, up.
    let column = |i: usize| [r[1][i], r[0][i], -r[2][i]];
    of_axes(column(0), column(1))
}

/// The attitude of a camera with these axes in east, north, up; both of length 1.
fn of_axes(forward: [f64; 3], right: [f64; 3]) -> Attitude {
    let level = forward[0].hypot(forward[1]);
    let pitch = forward[2].atan2(level);
    // Straight up or down there is no heading of the line of sight: all of the turn counts as yaw.
    let yaw = if level > 1e-9 { forward[0].atan2(forward[1]) } else { (-right[1]).atan2(right[0]) };
    let level_right = [yaw.cos(), -yaw.sin(), 0.0];
    let level_down = [
        forward[1] * level_right[2] - forward[2] * level_right[1],
        forward[2] * level_right[0] - forward[0] * level_right[2],
        forward[0] * level_right[1] - forward[1] * level_right[0],
    ];
    let roll = dot(right, level_down).atan2(dot(right, level_right));
    Attitude { yaw: yaw.to_degrees(), pitch: pitch.to_degrees(), roll: roll.to_degrees() }
}

fn matrix(turn: Turn) -> Matrix {
    let [(sy, cy), (sp, cp), (sr, cr)] = [turn.yaw, turn.pitch, turn.roll].map(|a| a.to_radians().sin_cos());
    [
        [cy * cp, cy * sp * sr - sy * cr, cy * sp * cr + sy * sr],
        [sy * cp, sy * sp * sr + cy * cr, sy * sp * cr - cy * sr],
        [-sp, cp * sr, cp * cr],
    ]
}

fn product(a: Matrix, b: Matrix) -> Matrix {
    [0, 1, 2].map(|i| [0, 1, 2].map(|j| (0..3).map(|k| a[i][k] * b[k][j]).sum()))
}

fn dot(a: [f64; 3], b: [f64; 3]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// The same direction in −180..=180.
pub(crate) fn wrapped(degrees: f64) -> f64 {
    let turned = (degrees + 180.0).rem_euclid(360.0) - 180.0;
    if turned == -180.0 { 180.0 } else { turned }
}

/// Between two angles, the shorter way round.
pub(crate) fn between(a: f64, b: f64, t: f64) -> f64 {
    wrapped(a + wrapped(b - a) * t)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const LEVEL: Turn = Turn { yaw: 0.0, pitch: 0.0, roll: 0.0 };

    fn near(a: Attitude, yaw: f64, pitch: f64, roll: f64) -> bool {
        [(a.yaw, yaw), (a.pitch, pitch), (a.roll, roll)].iter().all(|(a, b)| wrapped(a - b).abs() < 1e-6)
    }

    #[test]
    fn a_level_platform_adds_its_heading() {
        let platform = Turn { yaw: 30.0, ..LEVEL };
        assert!(near(composed(platform, Turn { yaw: 60.0, pitch: -45.0, roll: 5.0 }), 90.0, -45.0, 5.0));
        assert!(near(composed(platform, Turn { yaw: 350.0, pitch: -90.0, roll: 0.0 }), 20.0, -90.0, 0.0));
    }

    #[test]
    fn a_banked_platform_turns_its_camera_sideways() {
        // Banked 30° to the right, a camera fixed to the belly looks to the left.
        let banked = composed(Turn { roll: 30.0, ..LEVEL }, Turn { pitch: -90.0, ..LEVEL });
        assert!(near(banked, -90.0, -60.0, 90.0), "{banked:?}");
        // Nose up by 10°: a camera that looks 90° to the right rolls, but stays at the horizon.
        let side = composed(Turn { pitch: 10.0, ..LEVEL }, Turn { yaw: 90.0, ..LEVEL });
        assert!(near(side, 90.0, 0.0, 10.0) || near(side, 90.0, 0.0, -10.0), "{side:?}");
    }

    #[test]
    fn angles_go_the_short_way() {
        assert_eq!(between(170.0, -170.0, 0.5), 180.0);
        assert_eq!(between(-10.0, 10.0, 0.25), -5.0);
    }

    proptest! {
        #[test]
        fn an_attitude_comes_back(yaw in -180.0f64..180.0, pitch in -89.0f64..45.0, roll in -90.0f64..90.0) {
            let attitude = composed(LEVEL, Turn { yaw, pitch, roll });
            prop_assert!(near(attitude, yaw, pitch, roll), "{attitude:?}");
        }
    }
}
