//! Lays one patch of a roof on another: corners, a homography that most of them agree on (RANSAC, Fischler and Bolles
//! 1981, with the cost of Torr and Zisserman 2000), refinement over all pixels, and gates. What does not pass them is
//! refused, with the reason.

use parapet_core::Point;

use super::{
    corner::{Corner, Pair, corners, pairs},
    patch::{Look, Patch},
};
use crate::{
    align::{Homography, Level, normalized},
    raster::{Size, eroded},
    register::Flattened,
    small::Small,
};

/// What a registration must have to be used. The defaults were set on rendered training flights.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Gates {
    /// Least share of the roof that both patches show.
    pub min_seen: f32,
    /// Least standard deviation of luma on the roof, levels: a picture with less shows nothing.
    pub min_contrast: f32,
    /// Least sharpness of one roof's picture relative to the other's: with less it is blurred or in fog.
    pub min_relative_sharpness: f32,
    /// Fewest corners on a roof.
    pub min_corners: usize,
    /// Fewest corners that agree.
    pub min_inliers: usize,
    /// Least spread of these over the roof along its worse axis: 1 is as far as the roof itself spreads.
    pub min_spread: f32,
    /// Farthest that corners that agree lie from each other in the middle of their order, pixels.
    pub max_residual_pixels: f32,
    /// Least share of the roof's structure that then fits.
    pub min_agreement: f32,
}

impl Default for Gates {
    fn default() -> Self {
        Self {
            min_seen: 0.3,
            min_contrast: 4.0,
            min_relative_sharpness: 0.35,
            min_corners: 40,
            min_inliers: 14,
            min_spread: 0.3,
            max_residual_pixels: 2.0,
            min_agreement: 0.2,
        }
    }
}

/// How two patches may lie to each other.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Prior {
    /// Farthest that a point of one lies from the same point of the other, pixels.
    pub reach_pixels: f32,
    /// They may be turned against each other by any angle.
    pub turned: bool,
}

/// Why two patches are not compared.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
pub enum Refusal {
    /// Too little of the roof is in both.
    #[error("only {:.0} % of the roof is seen; hint: fly so that the whole roof is in a picture", share * 100.0)]
    NotSeen {
        /// Of the roof.
        share: f32,
    },
    /// Nothing is to be seen in one of them.
    #[error(
        "the picture is blank (contrast {contrast:.1} levels); hint: lens cap, black or overexposed video"
    )]
    Blank {
        /// Standard deviation of luma, levels.
        contrast: f32,
    },
    /// One is much less clear than the other.
    #[error(
        "the roof has {:.0} % of the other picture's sharpness; hint: fog, blur or a dirty lens: fly again in clear air", sharpness * 100.0
    )]
    TooFoggy {
        /// Relative to the other.
        sharpness: f32,
    },
    /// There is nothing on the roof to hold on to.
    #[error("the roof has {found} corners and {wanted} are needed; hint: fly lower or in better light")]
    TooFewFeatures {
        /// Corners.
        found: usize,
        /// Needed.
        wanted: usize,
    },
    /// The two do not show the same roof.
    #[error(
        "the two pictures do not show the same roof ({inliers} common corners, {:.0} % of the structure fits); hint: another site, or a pose that is wrong", agreement * 100.0
    )]
    NotSamePlace {
        /// Corners that agree.
        inliers: usize,
        /// Share of structure that fits.
        agreement: f32,
    },
    /// They agree in a corner of the roof only.
    #[error("the two pictures agree only in a part of the roof (spread {spread:.2})")]
    TooLocal {
        /// 1 is as far as the roof spreads.
        spread: f32,
    },
    /// They agree, but not well.
    #[error("the two pictures lie {residual_pixels:.1} pixels apart at best")]
    TooRough {
        /// Median distance, pixels.
        residual_pixels: f32,
    },
}

/// How one patch lies on another.
#[derive(Debug, Clone, PartialEq)]
pub struct Registration {
    pub(super) homography: Homography,
    size: Size,
    /// Corners that were paired.
    pub pairs: usize,
    /// Corners that agree.
    pub inliers: usize,
    /// Their spread over the roof: 1 is as far as the roof itself spreads.
    pub spread: f32,
    /// Median distance of these after registration, pixels.
    pub residual_pixels: f32,
    /// Share of the roof's structure that fits.
    pub agreement: f32,
}

impl Registration {
    /// Where the second patch shows what the first shows at a place; pixels from the upper left corner.
    pub fn second(&self, x: f64, y: f64) -> (f64, f64) {
        let (u, v) = self.homography.pixel(self.size, x - 0.5, y - 0.5);
        (u + 0.5, v + 0.5)
    }
}

/// A patch prepared for registration with others.
pub struct Reference {
    patch: Patch,
    roof: Vec<bool>,
    look: Look,
    corners: Vec<Corner>,
    level: Level,
    flattened: Flattened,
    prior: Prior,
}

/// Corners for each patch.
const CORNERS: usize = 700;

impl Reference {
    /// Prepares a patch; `roof` says which pixels are on the roof's plane.
    pub fn new(patch: Patch, roof: &[bool], prior: Prior) -> Self {
        let size = patch.size();
        let small = patch.small();
        Self {
            look: patch.look(roof),
            corners: corners(&small.y, size, &inner(&patch, roof), CORNERS, prior.turned),
            level: Level::new(&small.y, size),
            flattened: Flattened::new(&small.y, size),
            patch,
            roof: roof.to_vec(),
            prior,
        }
    }

    /// Its patch.
    pub fn patch(&self) -> &Patch {
        &self.patch
    }

    /// How `second`, a patch of the same size, lies on this one.
    ///
    /// # Errors
    /// See [`Refusal`].
    pub fn register(&self, second: &Patch, gates: &Gates) -> Result<Registration, Refusal> {
        let size = self.patch.size();
        for patch in [&self.patch, second] {
            let share = patch.share_seen(&self.roof);
            if share < gates.min_seen {
                return Err(Refusal::NotSeen { share });
            }
        }
        let look = second.look(&self.roof);
        let contrast = self.look.contrast.min(look.contrast);
        if contrast < gates.min_contrast {
            return Err(Refusal::Blank { contrast });
        }
        let sharpness = (look.sharpness / self.look.sharpness).min(self.look.sharpness / look.sharpness);
        if sharpness < gates.min_relative_sharpness {
            return Err(Refusal::TooFoggy { sharpness });
        }
        let small = second.small();
        // The roof may lie elsewhere in the second patch: its corners may be anywhere that is seen.
        let theirs = corners(&small.y, size, second.seen(), CORNERS, self.prior.turned);
        let found = self.corners.len().min(theirs.len());
        if found < gates.min_corners {
            return Err(Refusal::TooFewFeatures { found, wanted: gates.min_corners });
        }
        let pairs = pairs(&self.corners, &theirs, self.prior.reach_pixels);
        let agreed = agreed(&pairs, size, self.prior.turned)
            .ok_or(Refusal::NotSamePlace { inliers: 0, agreement: 0.0 })?;
        let inliers = near(&agreed, &pairs, size, INLIER_PIXELS);
        if inliers.len() < gates.min_inliers {
            return Err(Refusal::NotSamePlace { inliers: inliers.len(), agreement: 0.0 });
        }
        let hidden: Vec<bool> = self.roof.iter().zip(self.patch.seen()).map(|(r, s)| !r || !s).collect();
        let (homography, agreement) = self.refined(agreed, &small, second, &hidden);
        if agreement < gates.min_agreement {
            return Err(Refusal::NotSamePlace { inliers: inliers.len(), agreement });
        }
        let spread = spread(&inliers, &self.roof, size);
        if spread < gates.min_spread {
            return Err(Refusal::TooLocal { spread });
        }
        let residual_pixels = residual(&homography, &inliers, size);
        if residual_pixels > gates.max_residual_pixels {
            return Err(Refusal::TooRough { residual_pixels });
        }
        Ok(Registration {
            homography,
            size,
            pairs: pairs.len(),
            inliers: inliers.len(),
            spread,
            residual_pixels,
            agreement,
        })
    }

    /// The homography refined over all pixels, or as it was where that fits better.
    fn refined(
        &self,
        start: Homography,
        small: &Small,
        second: &Patch,
        hidden: &[bool],
    ) -> (Homography, f32) {
        let size = self.patch.size();
        // Corners leave less than a pixel, so that the whole size is enough.
        let fine = self.level.refined(&normalized(&small.y, size), hidden, start, 8, 10);
        [start, fine]
            .into_iter()
            .map(|h| {
                let (aligned, inside) = h.aligned(small, size);
                let masked: Vec<bool> = (0..size.len())
                    .map(|i| hidden[i] || !inside[i] || !seen_at(&h, second, size, i))
                    .collect();
                (h, self.flattened.share_of_fitting_blocks(&aligned.y, &masked).unwrap_or(0.0))
            })
            .max_by(|a, b| a.1.total_cmp(&b.1))
            .unwrap_or((start, 0.0))
    }

    /// `second` as the first patch would show it.
    pub fn laid(&self, second: &Patch, registration: &Registration) -> Patch {
        let size = self.patch.size();
        let (width, height) = second.dimensions();
        Patch::cut(second.picture(), (size.w, size.h), 1.0, |x, y| {
            let (u, v) = registration.second(x, y);
            let inside = u >= 0.0 && v >= 0.0 && u < width as f64 && v < height as f64;
            (inside && second.seen()[v as usize * width + u as usize])
                .then(|| Point::new((u / width as f64) as f32, (v / height as f64) as f32))
        })
        .expect("a patch of the reference's size has pixels")
    }
}

/// The parts of the roof that are seen and far enough from what is not to be described.
fn inner(patch: &Patch, roof: &[bool]) -> Vec<bool> {
    let bits: Vec<bool> = roof.iter().zip(patch.seen()).map(|(r, s)| *r && *s).collect();
    eroded(&bits, patch.size(), 3)
}

fn seen_at(h: &Homography, second: &Patch, size: Size, i: usize) -> bool {
    let (u, v) = h.pixel(size, (i % size.w) as f64, (i / size.w) as f64);
    let (x, y) = ((u.max(0.0) as usize).min(size.w - 1), (v.max(0.0) as usize).min(size.h - 1));
    second.seen()[y * size.w + x]
}

/// Corners agree when they lie this near.
const INLIER_PIXELS: f64 = 4.0;

fn distance(h: &Homography, pair: &Pair, size: Size) -> f64 {
    let (x, y) = h.pixel(size, pair.from.0, pair.from.1);
    (x - pair.to.0).hypot(y - pair.to.1)
}

fn near(h: &Homography, pairs: &[Pair], size: Size, limit: f64) -> Vec<Pair> {
    pairs.iter().filter(|p| distance(h, p, size) < limit).copied().collect()
}

/// The homography that most pairs agree on. Patches that are not turned against each other differ by little more than
/// a shift: then two pairs make a guess, and few right ones among many wrong are enough.
fn agreed(pairs: &[Pair], size: Size, turned: bool) -> Option<Homography> {
    /// Enough for a sample of four right pairs with 99 % when 23 % of the pairs are right, or of two when 5 % are.
    const ROUNDS: usize = 1800;
    if pairs.len() < 6 {
        return None;
    }
    let cost = |h: &Homography| -> f64 {
        pairs.iter().map(|p| distance(h, p, size).min(INLIER_PIXELS).powi(2)).sum()
    };
    let plausible = |h: &Homography| {
        let (w, b) = (size.w as f64, size.h as f64);
        [(0.0, 0.0), (w, 0.0), (0.0, b), (w, b), (w / 2.0, b / 2.0)]
            .iter()
            .all(|(x, y)| (0.1..10.0).contains(&h.magnification(size, *x, *y)))
    };
    let fit = |chosen: &[Pair]| Homography::fitted(size, chosen.iter().map(|p| (p.from, p.to, 1.0)));
    let mut best: Option<(f64, Homography)> = None;
    let mut draw = Draw(0x5EED);
    for _ in 0..ROUNDS {
        let guess = if turned {
            let sample = [0; 4].map(|_| pairs[draw.below(pairs.len())]);
            // Points on a line give a fit that misses them.
            fit(&sample).filter(|h| sample.iter().all(|p| distance(h, p, size) < 0.5))
        } else {
            similar(&pairs[draw.below(pairs.len())], &pairs[draw.below(pairs.len())], size)
        };
        let Some(h) = guess.filter(&plausible) else { continue };
        let found = cost(&h);
        if best.as_ref().is_none_or(|(least, _)| found < *least) {
            best = Some((found, h));
        }
    }
    let (mut least, mut h) = best?;
    for limit in [2.0, 1.5, 1.0, 1.0] {
        let around = near(&h, pairs, size, limit * INLIER_PIXELS);
        if around.len() < 8 {
            break;
        }
        let Some(next) = fit(&around).filter(&plausible) else { break };
        let found = cost(&next);
        if found < least {
            (least, h) = (found, next);
        }
    }
    Some(h)
}

/// The shift, small turn and small zoom that two pairs ask for; `None` when telemetry cannot be wrong by so much.
fn similar(p: &Pair, q: &Pair, size: Size) -> Option<Homography> {
    /// 4°: yaw and compass of a consumer drone at three deviations.
    const MOST_TURN: f64 = 0.07;
    /// A roof's height that is wrong by 2 m at 40 m.
    const MOST_ZOOM: f64 = 0.07;
    let (a, b) = ((q.from.0 - p.from.0, q.from.1 - p.from.1), (q.to.0 - p.to.0, q.to.1 - p.to.1));
    let length = a.0 * a.0 + a.1 * a.1;
    if length < 400.0 {
        return None;
    }
    let (cos, sin) = ((a.0 * b.0 + a.1 * b.1) / length, (a.0 * b.1 - a.1 * b.0) / length);
    if (cos - 1.0).abs() > MOST_ZOOM || sin.abs() > MOST_TURN {
        return None;
    }
    let carried = |x: f64, y: f64| {
        let (dx, dy) = (x - p.from.0, y - p.from.1);
        (p.to.0 + cos * dx - sin * dy, p.to.1 + sin * dx + cos * dy)
    };
    let (w, h) = (size.w as f64, size.h as f64);
    let corners = [(0.0, 0.0), (w, 0.0), (0.0, h), (w, h)];
    Homography::fitted(size, corners.into_iter().map(|(x, y)| ((x, y), carried(x, y), 1.0)))
}

/// A sequence of numbers that is the same each time (`SplitMix`, Steele et al. 2014).
struct Draw(u64);

impl Draw {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((z ^ (z >> 31)) % n as u64) as usize
    }
}

/// Standard deviation of the pairs' places over that of the roof, along the worse of the two axes.
fn spread(inliers: &[Pair], roof: &[bool], size: Size) -> f32 {
    let deviation = |values: &mut dyn Iterator<Item = f64>| {
        let (mut n, mut sum, mut squares) = (0.0, 0.0, 0.0);
        for v in values {
            n += 1.0;
            sum += v;
            squares += v * v;
        }
        (squares / n - (sum / n) * (sum / n)).max(0.0f64).sqrt()
    };
    let on_roof = || (0..size.len()).step_by(7).filter(|i| roof[*i]);
    let x = deviation(&mut inliers.iter().map(|p| p.from.0))
        / deviation(&mut on_roof().map(|i| (i % size.w) as f64)).max(1.0);
    let y = deviation(&mut inliers.iter().map(|p| p.from.1))
        / deviation(&mut on_roof().map(|i| (i / size.w) as f64)).max(1.0);
    x.min(y) as f32
}

fn residual(h: &Homography, inliers: &[Pair], size: Size) -> f32 {
    let mut distances: Vec<f64> = inliers.iter().map(|p| distance(h, p, size)).collect();
    let middle = distances.len() / 2;
    *distances.select_nth_unstable_by(middle, f64::total_cmp).1 as f32
}

#[cfg(test)]
mod tests {
    use parapet_core::Picture;

    use super::*;

    const W: usize = 320;
    const H: usize = 192;

    /// Tiles of many greys with a fine grain, seen turned by `turn`, shifted, and in other light.
    fn look(seed: u32, turn: f64, shift: (f64, f64), light: (f64, f64)) -> Patch {
        let (sin, cos) = turn.sin_cos();
        let hash = |a: i64, b: i64| {
            let mut h = (a as u32).wrapping_mul(0x9E37_79B9) ^ (b as u32).wrapping_mul(0x85EB_CA6B) ^ seed;
            h ^= h >> 15;
            h = h.wrapping_mul(0x2C1B_3C6D);
            f64::from(h >> 24)
        };
        let rgb: Vec<u8> = (0..W * H)
            .flat_map(|i| {
                let (x, y) = ((i % W) as f64 - 160.0 - shift.0, (i / W) as f64 - 96.0 - shift.1);
                let (u, v) = (x * cos + y * sin + 500.37, y * cos - x * sin + 500.61);
                let tile = hash((u / 17.0) as i64, (v / 13.0) as i64);
                let grain = hash((u / 4.0) as i64, 7 + (v / 4.0) as i64);
                let value = 40.0 + 0.4 * tile + 0.15 * grain;
                [(value * light.0 + light.1).clamp(0.0, 255.0) as u8; 3]
            })
            .collect();
        Patch::whole(Picture::from_rgb(W, H, &rgb).unwrap())
    }

    fn reference(turned: bool) -> Reference {
        let prior = Prior { reach_pixels: 60.0, turned };
        Reference::new(look(1, 0.0, (0.0, 0.0), (1.0, 0.0)), &vec![true; W * H], prior)
    }

    #[test]
    fn a_shifted_and_turned_look_in_other_light_is_laid_back() {
        for (turn, shift, turned) in [(0.02, (25.0, -14.0), false), (0.5, (12.0, 8.0), true)] {
            let second = look(1, turn, shift, (0.7, 30.0));
            let found = reference(turned).register(&second, &Gates::default()).unwrap();
            assert!(found.agreement > 0.5 && found.residual_pixels < 1.5, "{found:?}");
            let (sin, cos) = turn.sin_cos();
            for (x, y) in [(90.0, 60.0), (230.0, 130.0), (160.0, 96.0)] {
                let (dx, dy) = (x - 160.5, y - 96.5);
                let truth = (dx * cos - dy * sin + 160.5 + shift.0, dx * sin + dy * cos + 96.5 + shift.1);
                let (u, v) = found.second(x, y);
                assert!((u - truth.0).hypot(v - truth.1) < 0.8, "{:?} {truth:?}", (u, v));
            }
            let laid = reference(turned).laid(&second, &found);
            assert_eq!(laid.dimensions(), (W, H));
        }
    }

    #[test]
    fn what_cannot_be_compared_is_refused_with_its_reason() {
        let gates = Gates::default();
        let other = reference(false).register(&look(2, 0.0, (0.0, 0.0), (1.0, 0.0)), &gates);
        assert!(matches!(other, Err(Refusal::NotSamePlace { .. } | Refusal::TooLocal { .. })), "{other:?}");
        let fog = reference(false).register(&look(1, 0.0, (0.0, 0.0), (0.25, 150.0)), &gates);
        assert!(matches!(fog, Err(Refusal::TooFoggy { .. })), "{fog:?}");
        let blank = reference(false).register(&look(1, 0.0, (0.0, 0.0), (0.01, 20.0)), &gates);
        assert!(matches!(blank, Err(Refusal::Blank { .. })), "{blank:?}");
        let hidden = Patch::cut(look(1, 0.0, (0.0, 0.0), (1.0, 0.0)).picture(), (W, H), 1.0, |x, y| {
            (x < 40.0).then(|| Point::new((x / W as f64) as f32, (y / H as f64) as f32))
        });
        let hidden = reference(false).register(&hidden.unwrap(), &gates);
        assert!(matches!(hidden, Err(Refusal::NotSeen { share }) if share < 0.2), "{hidden:?}");
    }
}
