//! Brings a picture into the light of the reference: gain and offset of luma, the same gain and an offset of chroma, fitted over what is
//! background.

use crate::small::Small;

/// The light of a frame against the reference: `current = gain * reference + offset`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Light {
    gain: f32,
    offset: f32,
    u: f32,
    v: f32,
}

impl Light {
    /// Fits over every third pixel that is not `skipped`, twice, the second time without what does not fit.
    pub(crate) fn between(reference: &Small, current: &Small, skipped: impl Fn(usize) -> bool) -> Self {
        let mut light = Self { gain: 1.0, offset: 0.0, u: 0.0, v: 0.0 };
        // Start from the medians' difference: means follow large foreground.
        let mut differences = Vec::with_capacity(reference.y.len() / 7 + 1);
        for i in (0..reference.y.len()).step_by(7) {
            if !skipped(i) {
                differences.push(current.y[i] - reference.y[i]);
            }
        }
        if differences.len() < 50 {
            return light;
        }
        let middle = differences.len() / 2;
        light.offset = *differences.select_nth_unstable_by(middle, f32::total_cmp).1;
        for limit in [30.0f32, 15.0] {
            let [mut n, mut r, mut c, mut rr, mut rc, mut u, mut v] = [0.0f64; 7];
            for i in (0..reference.y.len()).step_by(3) {
                let (a, b) = (reference.y[i], current.y[i]);
                if skipped(i) || (b - light.gain * a - light.offset).abs() > limit {
                    continue;
                }
                let (a, b) = (f64::from(a), f64::from(b));
                n += 1.0;
                r += a;
                c += b;
                rr += a * a;
                rc += a * b;
                let tint = |c: f32, r: f32| f64::from((c - light.gain * r).clamp(-12.0, 12.0));
                u += tint(current.u[i], reference.u[i]);
                v += tint(current.v[i], reference.v[i]);
            }
            if n < 100.0 {
                return light;
            }
            // A little weight for "no gain", for views without contrast.
            let ridge = 25.0;
            let gain = ((rc / n - r * c / n / n + ridge) / (rr / n - r * r / n / n + ridge)).clamp(0.4, 2.5);
            light.gain = gain as f32;
            light.offset = (c / n - gain * r / n) as f32;
            light.u = (u / n) as f32;
            light.v = (v / n) as f32;
        }
        light
    }

    /// `current` in the reference's light.
    pub(crate) fn normalized(self, current: &Small) -> Small {
        let scale = 1.0 / self.gain;
        let plane = |plane: &[f32], offset: f32| plane.iter().map(|s| (s - offset) * scale).collect();
        Small {
            y: plane(&current.y, self.offset),
            u: plane(&current.u, self.u),
            v: plane(&current.v, self.v),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gain_and_offset_are_found_beside_a_large_foreground() {
        let reference = Small {
            y: (0..6000).map(|i| 60.0 + (i * 37 % 101) as f32).collect(),
            u: vec![3.0; 6000],
            v: vec![-2.0; 6000],
        };
        let mut current = reference.clone();
        for i in 0..6000 {
            current.y[i] = if i < 1800 { 10.0 } else { reference.y[i] * 1.2 - 15.0 };
            current.u[i] = 1.2 * reference.u[i] + 2.0;
        }
        let light = Light::between(&reference, &current, |_| false);
        let current = light.normalized(&current);
        for i in 1800..6000 {
            assert!((current.y[i] - reference.y[i]).abs() < 2.0, "{light:?}");
        }
        assert!((current.u[0] - 3.0).abs() < 0.5);
    }
}
