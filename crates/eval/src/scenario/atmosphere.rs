//! Light and air between a scene and its camera: dusk and night, lamps and clouds, fog and rain.

use super::{
    frame::Frame,
    noise::Noise,
    spec::{FogSpec, LightPatchSpec, LightSpec},
};

/// What is left of daylight in the darkest night, per channel: dark and bluish.
const NIGHT: [f32; 3] = [0.13, 0.15, 0.21];
/// Grey of fog and of the veil that rain draws, of 255.
const GREY: f32 = 188.0;
/// Streaks of the heaviest rain, for each million pixels.
const STREAKS: f32 = 1800.0;

/// The value of a curve `[seconds, value]` at an instant; `otherwise` without one.
pub(super) fn curve_at(curve: &[[f64; 2]], at: f64, otherwise: f32) -> f32 {
    let Some(next) = curve.iter().position(|l| l[0] > at) else {
        return curve.last().map_or(otherwise, |l| l[1] as f32);
    };
    if next == 0 {
        return curve[0][1] as f32;
    }
    let ([t0, v0], [t1, v1]) = (curve[next - 1], curve[next]);
    (v0 + (v1 - v0) * (at - t0) / (t1 - t0)) as f32
}

/// Lights a scene that was taken by day.
pub(super) fn light(frame: &mut Frame, spec: &LightSpec, at: f64) {
    let night = curve_at(&spec.night, at, 0.0).clamp(0.0, 1.0);
    let ambient = NIGHT.map(|n| 1.0 + (n - 1.0) * night);
    let patches: Vec<Lit> = spec.patches.iter().filter_map(|p| Lit::of(p, at)).collect();
    if night == 0.0 && patches.is_empty() {
        return;
    }
    for y in 0..frame.height {
        for x in 0..frame.width {
            let mut light = ambient;
            for patch in &patches {
                let level = patch.level_at([x as f32 + 0.5, y as f32 + 0.5]);
                for (channel, color) in light.iter_mut().zip(patch.color) {
                    *channel += level * color;
                }
            }
            let pixel = &mut frame.pixels[y * frame.width + x];
            let grey = pixel.iter().sum::<f32>() / 3.0;
            for (channel, light) in pixel.iter_mut().zip(light) {
                // The eye of a camera loses colour in the dark.
                let pale = *channel + (grey - *channel) * 0.45 * night;
                *channel = pale * light.max(0.0);
            }
        }
    }
}

struct Lit {
    at: [f32; 2],
    level: f32,
    radius: [f32; 2],
    softness: f32,
    color: [f32; 3],
}

impl Lit {
    fn of(spec: &LightPatchSpec, at: f64) -> Option<Self> {
        let keys = &spec.keys;
        let next = keys.iter().position(|k| k.at_seconds > at);
        let (a, b) = match next {
            Some(0) => return None,
            Some(i) => (keys[i - 1], keys[i]),
            None => keys.last().filter(|k| k.at_seconds >= at).map(|k| (*k, *k))?,
        };
        let t = ((at - a.at_seconds) / (b.at_seconds - a.at_seconds).max(1e-9)) as f32;
        let mix = |a: f32, b: f32| a + (b - a) * t;
        Some(Self {
            at: [mix(a.at[0], b.at[0]), mix(a.at[1], b.at[1])],
            level: mix(a.level, b.level),
            radius: spec.radius,
            softness: spec.softness.clamp(0.01, 1.0),
            color: spec.color,
        })
    }

    fn level_at(&self, p: [f32; 2]) -> f32 {
        let d = ((p[0] - self.at[0]) / self.radius[0]).hypot((p[1] - self.at[1]) / self.radius[1]);
        let t = ((1.0 - d) / self.softness).clamp(0.0, 1.0);
        self.level * t * t * (3.0 - 2.0 * t)
    }
}

/// Pales what is far. Without a horizon, all is as far as the fog is thick.
pub(super) fn fog(frame: &mut Frame, spec: &FogSpec, horizon_y: Option<f32>, night: f32, at: f64) {
    let density = curve_at(&spec.density, at, 0.0).clamp(0.0, 1.0);
    if density == 0.0 {
        return;
    }
    let grey = GREY * (1.0 - 0.8 * night);
    let bottom = frame.height as f32;
    for y in 0..frame.height {
        let near = horizon_y.map_or(1.0, |h| ((y as f32 - h) / (bottom - h)).clamp(0.0, 1.0));
        let a = density * (1.0 + (spec.near - 1.0) * near);
        for pixel in &mut frame.pixels[y * frame.width..(y + 1) * frame.width] {
            for channel in pixel {
                *channel += (grey - *channel) * a;
            }
        }
    }
}

/// Draws falling streaks and the veil behind them.
pub(super) fn rain(frame: &mut Frame, amount: f32, night: f32, noise: &mut Noise) {
    if amount <= 0.0 {
        return;
    }
    let bright = (GREY + 30.0) * (1.0 - 0.75 * night);
    let veil = 0.12 * amount;
    for channel in frame.pixels.iter_mut().flatten() {
        *channel = *channel * (1.0 - 0.1 * amount) * (1.0 - veil) + bright * 0.8 * veil;
    }
    let streaks = (amount * STREAKS * frame.pixels.len() as f32 / 1e6) as usize;
    for _ in 0..streaks {
        let (x, y) = (noise.uniform() * frame.width as f32, noise.uniform() * frame.height as f32);
        // Near drops are longer, brighter and faster.
        let near = noise.uniform();
        let (length, a) = (8.0 + 26.0 * near * near, 0.14 + 0.24 * near);
        for step in 0..length as usize {
            let (sx, sy) = (x - 0.12 * step as f32, y + step as f32);
            if sx < 0.0 || sy >= frame.height as f32 {
                break;
            }
            for channel in &mut frame.pixels[sy as usize * frame.width + sx as usize] {
                *channel += (bright - *channel) * a;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{super::spec::LightKeySpec, *};

    fn grey() -> Frame {
        Frame { width: 40, height: 30, pixels: vec![[120.0; 3]; 1200] }
    }

    #[test]
    fn a_curve_is_held_before_and_after_its_points() {
        let curve = [[10.0, 0.2], [20.0, 0.6]];
        assert_eq!(curve_at(&curve, 0.0, 1.0), 0.2);
        assert!((curve_at(&curve, 15.0, 1.0) - 0.4).abs() < 1e-6);
        assert_eq!(curve_at(&curve, 99.0, 1.0), 0.6);
        assert_eq!(curve_at(&[], 5.0, 1.0), 1.0);
    }

    #[test]
    fn a_lamp_lights_its_place_at_night_and_a_cloud_darkens_it_by_day() {
        let patch = |level| LightPatchSpec {
            radius: [10.0, 10.0],
            softness: 1.0,
            color: [1.0; 3],
            keys: [0.0, 5.0].map(|at_seconds| LightKeySpec { at_seconds, at: [20.0, 15.0], level }).to_vec(),
        };
        let mut dark = grey();
        light(&mut dark, &LightSpec { night: vec![[0.0, 1.0]], patches: vec![patch(0.7)] }, 2.0);
        let (lit, away) = (dark.pixels[15 * 40 + 20], dark.pixels[0]);
        assert!(away[0] < 20.0 && away[2] > away[0], "night is dark and blue: {away:?}");
        assert!(lit[0] > 80.0, "{lit:?}");
        let mut day = grey();
        light(&mut day, &LightSpec { night: vec![], patches: vec![patch(-0.5)] }, 2.0);
        assert!(day.pixels[15 * 40 + 20][0] < 70.0);
        assert_eq!(day.pixels[0], [120.0; 3]);
        let mut after = grey();
        light(&mut after, &LightSpec { night: vec![], patches: vec![patch(-0.5)] }, 6.0);
        assert_eq!(after.pixels, grey().pixels, "a patch is there from its first key until its last");
    }

    #[test]
    fn fog_hides_the_far_more_than_the_near() {
        let mut frame = grey();
        fog(&mut frame, &FogSpec { density: vec![[0.0, 0.8]], near: 0.25 }, Some(5.0), 0.0, 1.0);
        let (far, near) = (frame.pixels[0][0], frame.pixels[29 * 40][0]);
        assert!((far - (120.0 + 68.0 * 0.8)).abs() < 0.1, "{far}");
        assert!(near < 140.0, "{near}");
    }

    #[test]
    fn more_rain_has_more_streaks() {
        let streaks = |amount| {
            let mut frame = grey();
            rain(&mut frame, amount, 0.0, &mut Noise::new(3));
            let base = frame.pixels.iter().map(|p| p[0]).fold(f32::INFINITY, f32::min);
            frame.pixels.iter().filter(|p| p[0] > base + 5.0).count()
        };
        assert_eq!(streaks(0.0), 0);
        assert!(streaks(1.0) > streaks(0.3) && streaks(0.5) > 0, "{} {}", streaks(1.0), streaks(0.5));
    }
}
