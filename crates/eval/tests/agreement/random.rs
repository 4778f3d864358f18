//! Seeded chance.

use parapet_eval::truth::Rect;

/// `SplitMix64`.
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^ (bits >> 31)
    }

    /// 0 to 1.
    pub(crate) fn share(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    pub(crate) fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.share()
    }

    /// 0 to `limit` − 1.
    pub(crate) fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit as u64) as usize
    }

    pub(crate) fn chance(&mut self, share: f64) -> bool {
        self.share() < share
    }

    /// A box of any of COCO's sizes; on whole pixels, if wished, so that overlaps tie.
    pub(crate) fn rect(&mut self, whole: bool, no_area: f64) -> Rect {
        let mut size = || 4.0 * 75.0_f64.powf(self.share());
        let (width, height) = (size(), size());
        let mut rect = Rect { x: self.between(-5.0, 300.0), y: self.between(-5.0, 300.0), width, height };
        if whole {
            rect = rounded(rect);
        }
        if self.chance(no_area) {
            rect.width = 0.0;
        }
        rect
    }

    /// The box, moved and resized by up to `share` of its size.
    pub(crate) fn jittered(&mut self, rect: &Rect, share: f64, whole: bool) -> Rect {
        let mut by = |size: f64| size * self.between(-share, share);
        let jittered = Rect {
            x: rect.x + by(rect.width),
            y: rect.y + by(rect.height),
            width: rect.width + by(rect.width),
            height: rect.height + by(rect.height),
        };
        if whole { rounded(jittered) } else { jittered }
    }
}

fn rounded(rect: Rect) -> Rect {
    Rect { x: rect.x.round(), y: rect.y.round(), width: rect.width.round(), height: rect.height.round() }
}
