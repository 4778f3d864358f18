//! Kalman filter of a box: centre and size, each with its own velocity (SORT, Bewley et al. 2016), with noise scaled
//! by elapsed time instead of by frames, so that 1 and 25 frames a second behave alike.
//!
//! The four coordinates are independent in this model, so the 8-state filter is four filters of two states.
//! A velocity fades with [`MEMORY_SECONDS`]: nothing is thrown out of the frame after a long gap.

use parapet_core::BBox;

/// Time constant with which a velocity fades.
const MEMORY_SECONDS: f32 = 3.0;
/// Spectral density of acceleration, squares of the box size per cubic second.
const ACCELERATION: f32 = 0.5;
/// Jitter of a detected box, in box sizes.
const JITTER: f32 = 0.05;

/// One coordinate and its velocity with their covariance.
#[derive(Debug, Clone, Copy)]
struct Axis {
    value: f32,
    rate: f32,
    p00: f32,
    p01: f32,
    p11: f32,
}

impl Axis {
    fn new(value: f32, unit: f32, speed: f32) -> Self {
        Self { value, rate: 0.0, p00: (JITTER * unit).powi(2), p01: 0.0, p11: (speed * unit).powi(2) }
    }

    fn predict(&mut self, seconds: f32, unit: f32) {
        let fade = (-seconds / MEMORY_SECONDS).exp();
        let reach = MEMORY_SECONDS * (1.0 - fade);
        let q = ACCELERATION * unit * unit;
        let t = seconds.min(MEMORY_SECONDS);
        self.value += reach * self.rate;
        self.rate *= fade;
        self.p00 += reach * (2.0 * self.p01 + reach * self.p11) + q * t * t * t / 3.0;
        self.p01 = fade * (self.p01 + reach * self.p11) + q * t * t / 2.0;
        self.p11 = fade * fade * self.p11 + q * t;
    }

    fn correct(&mut self, measured: f32, unit: f32) {
        let s = self.p00 + (JITTER * unit).powi(2);
        if s <= 0.0 {
            self.value = measured;
            return;
        }
        let (k0, k1) = (self.p00 / s, self.p01 / s);
        let off = measured - self.value;
        self.value += k0 * off;
        self.rate += k1 * off;
        self.p11 -= k1 * self.p01;
        self.p01 *= 1.0 - k0;
        self.p00 *= 1.0 - k0;
    }
}

/// The filtered box of a track.
#[derive(Debug, Clone, Copy)]
pub(crate) struct BoxFilter {
    x: Axis,
    y: Axis,
    width: Axis,
    height: Axis,
    aspect: f32,
}

/// Side of the square with the box's area, in frame heights, for a frame `aspect` times as wide as high.
pub(crate) fn size_of(bbox: BBox, aspect: f32) -> f32 {
    (bbox.area() * aspect).sqrt().max(1e-4)
}

impl BoxFilter {
    /// A box seen once, of a thing whose speed is likely below `speed` box sizes per second.
    pub(crate) fn new(bbox: BBox, aspect: f32, speed: f32) -> Self {
        let unit = size_of(bbox, aspect);
        let c = bbox.center();
        Self {
            x: Axis::new(c.x, unit / aspect, speed),
            y: Axis::new(c.y, unit, speed),
            width: Axis::new(bbox.width(), unit / aspect, speed / 4.0),
            height: Axis::new(bbox.height(), unit, speed / 4.0),
            aspect,
        }
    }

    /// Moves on by a time.
    pub(crate) fn predict(&mut self, seconds: f32) {
        let unit = self.unit();
        let wide = unit / self.aspect;
        self.x.predict(seconds, wide);
        self.y.predict(seconds, unit);
        // Sizes change far more slowly than places.
        self.width.predict(seconds, wide / 4.0);
        self.height.predict(seconds, unit / 4.0);
        self.width.value = self.width.value.max(1e-4);
        self.height.value = self.height.value.max(1e-4);
    }

    /// Takes in a detected box.
    pub(crate) fn correct(&mut self, bbox: BBox) {
        let unit = self.unit();
        let wide = unit / self.aspect;
        let c = bbox.center();
        self.x.correct(c.x, wide);
        self.y.correct(c.y, unit);
        self.width.correct(bbox.width(), wide);
        self.height.correct(bbox.height(), unit);
        self.width.value = self.width.value.max(1e-4);
        self.height.value = self.height.value.max(1e-4);
    }

    /// The present estimate.
    pub(crate) fn bbox(&self) -> BBox {
        let (w, h) = (self.width.value / 2.0, self.height.value / 2.0);
        let (x, y) = (self.x.value, self.y.value);
        BBox::new(x - w, y - h, x + w, y + h).expect("finite measurements and a positive size")
    }

    /// Velocity of the centre, frame widths and heights per second.
    pub(crate) fn velocity(&self) -> [f32; 2] {
        [self.x.rate, self.y.rate]
    }

    /// How far the centre may be off, as a standard deviation in box sizes, on the worse axis.
    pub(crate) fn uncertainty(&self) -> f32 {
        let unit = self.unit();
        (self.x.p00.max(0.0).sqrt() * self.aspect).max(self.y.p00.max(0.0).sqrt()) / unit
    }

    /// How ill a detected box fits: squared distance of the centres in standard deviations, on the worse axis.
    pub(crate) fn misfit(&self) -> impl Fn(BBox) -> f32 + '_ {
        let unit = self.unit();
        let spread = |axis: &Axis, unit: f32| axis.p00.max(0.0) + (JITTER * unit).powi(2);
        let (wide, high) = (spread(&self.x, unit / self.aspect), spread(&self.y, unit));
        move |bbox| {
            let c = bbox.center();
            ((c.x - self.x.value).powi(2) / wide).max((c.y - self.y.value).powi(2) / high)
        }
    }

    fn unit(&self) -> f32 {
        (self.width.value * self.height.value * self.aspect).max(0.0).sqrt().max(1e-4)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn follow(fps: f32) -> BoxFilter {
        let at = |t: f32| BBox::new(0.1 + 0.05 * t, 0.4, 0.2 + 0.05 * t, 0.6).unwrap();
        let mut filter = BoxFilter::new(at(0.0), 1.0, 1.0);
        for i in 1..=(6.0 * fps) as u32 {
            filter.predict(1.0 / fps);
            filter.correct(at(i as f32 / fps));
        }
        filter
    }

    #[test]
    fn the_frame_rate_does_not_change_what_is_learned() {
        for fps in [1.0, 2.0, 5.0, 25.0] {
            let filter = follow(fps);
            assert!((filter.velocity()[0] - 0.05).abs() < 0.012, "{fps} fps: {:?}", filter.velocity());
            assert!((filter.bbox().x_min() - 0.4).abs() < 0.02, "{fps} fps: {:?}", filter.bbox());
        }
    }

    #[test]
    fn a_long_gap_throws_nothing_away() {
        let mut filter = follow(5.0);
        filter.predict(600.0);
        assert!(filter.bbox().x_min() < 0.4 + 0.05 * MEMORY_SECONDS + 0.01);
        assert!(filter.uncertainty().is_finite());
    }
}
