//! How good findings are against known truth: structures found, false findings, pixels and areas.

use parapet_core::geo::{GroundPoint, GroundPolygon};

use crate::report::Change;

/// A structure that truly changed.
#[derive(Debug, Clone, PartialEq)]
pub struct TrueChange {
    /// What happened.
    pub change: Change,
    /// Where, in the site's plane.
    pub footprint: GroundPolygon,
}

/// A finding as it is measured.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    /// What it says happened.
    pub change: Change,
    /// Where, in the site's plane.
    pub footprint: GroundPolygon,
    /// The area that it gives and its standard deviation, square metres.
    pub area: (f32, f32),
    /// Standard deviation of its place, metres.
    pub uncertainty: f32,
    /// How sure it is.
    pub confidence: f32,
}

/// Counts, to be summed over roofs.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Tally {
    /// Roofs.
    pub roofs: usize,
    /// Roofs that were not judged.
    pub refused: usize,
    /// True changes.
    pub truths: usize,
    /// True changes that a finding covers.
    pub found: usize,
    /// Of these, with the right kind of change.
    pub right_kind: usize,
    /// Findings that cover no true change.
    pub wrong: usize,
    /// Findings.
    pub findings: usize,
    /// Square metres that are changed and were found; only found; only changed.
    pub square_meters: [f64; 3],
    /// For each change that was found: the error of its area as a share of it, signed.
    pub area_errors: Vec<f32>,
    /// For each change that was found: the error of its area in stated deviations, signed.
    pub area_deviations: Vec<f32>,
    /// For each change that was found: from its middle to the finding's, metres, and that in stated deviations.
    pub distances: Vec<(f32, f32)>,
    /// Confidence of each finding and whether it was right.
    pub trust: Vec<(f32, bool)>,
}

/// A finding and a change are one when they share this much of the ground that either covers (intersection over union):
/// the finding is where the change is and about as large.
const SHARED: f64 = 0.2;
/// Metres across a cell in which areas are counted.
const STEP: f64 = 0.15;

impl Tally {
    /// Adds a roof's findings.
    pub fn add(&mut self, truths: &[TrueChange], findings: &[Found]) {
        self.roofs += 1;
        self.truths += truths.len();
        self.findings += findings.len();
        let shared: Vec<Vec<f64>> = truths
            .iter()
            .map(|t| findings.iter().map(|f| shared(&t.footprint, &f.footprint)).collect())
            .collect();
        let is_one = |t: usize, f: usize| {
            let either = truths[t].footprint.area() + findings[f].footprint.area() - shared[t][f];
            shared[t][f] >= SHARED * either
        };
        for (t, truth) in truths.iter().enumerate() {
            let best = (0..findings.len())
                .filter(|f| is_one(t, *f))
                .max_by(|a, b| shared[t][*a].total_cmp(&shared[t][*b]));
            let Some(best) = best else { continue };
            self.found += 1;
            self.right_kind += usize::from(findings[best].change == truth.change);
            let distance = truth.footprint.centroid().distance(findings[best].footprint.centroid()) as f32;
            self.distances.push((distance, distance / findings[best].uncertainty.max(1e-3)));
            // Two findings on one structure have one area.
            let all = (0..findings.len()).filter(|f| is_one(t, *f));
            let (area, error) = all
                .fold((0.0, 0.0f32), |sum, f| (sum.0 + findings[f].area.0, sum.1.hypot(findings[f].area.1)));
            let true_area = truth.footprint.area() as f32;
            self.area_errors.push(area / true_area - 1.0);
            self.area_deviations.push((area - true_area) / error.max(1e-3));
        }
        for (f, finding) in findings.iter().enumerate() {
            let right = (0..truths.len()).any(|t| is_one(t, f));
            self.wrong += usize::from(!right);
            self.trust.push((finding.confidence, right));
        }
        self.add_areas(truths, findings);
    }

    fn add_areas(&mut self, truths: &[TrueChange], findings: &[Found]) {
        let polygons = truths.iter().map(|t| &t.footprint).chain(findings.iter().map(|f| &f.footprint));
        let bounds: Vec<_> = polygons.map(GroundPolygon::bounds).collect();
        for i in cells(&bounds) {
            let truth = truths.iter().any(|t| t.footprint.contains(i));
            let found = findings.iter().any(|f| f.footprint.contains(i));
            let kind = match (truth, found) {
                (true, true) => 0,
                (false, true) => 1,
                (true, false) => 2,
                (false, false) => continue,
            };
            self.square_meters[kind] += STEP * STEP;
        }
    }

    /// Adds another tally.
    pub fn merge(&mut self, other: &Self) {
        self.roofs += other.roofs;
        self.refused += other.refused;
        self.truths += other.truths;
        self.found += other.found;
        self.right_kind += other.right_kind;
        self.wrong += other.wrong;
        self.findings += other.findings;
        self.square_meters.iter_mut().zip(other.square_meters).for_each(|(a, b)| *a += b);
        self.area_errors.extend(&other.area_errors);
        self.area_deviations.extend(&other.area_deviations);
        self.distances.extend(&other.distances);
        self.trust.extend(&other.trust);
    }

    /// Share of true changes that were found; `None` without any.
    pub fn recall(&self) -> Option<f64> {
        share(self.found, self.truths)
    }

    /// Share of findings that are right; `None` without any.
    pub fn precision(&self) -> Option<f64> {
        share(self.findings - self.wrong, self.findings)
    }

    /// Harmonic mean of both; `None` without truth and findings.
    pub fn f1(&self) -> Option<f64> {
        let (r, p) = (self.recall().unwrap_or(0.0), self.precision().unwrap_or(0.0));
        (self.truths + self.findings > 0).then(|| if r + p > 0.0 { 2.0 * r * p / (r + p) } else { 0.0 })
    }

    /// F1 of square metres.
    pub fn pixel_f1(&self) -> Option<f64> {
        let [both, found, truth] = self.square_meters;
        (both + found + truth > 0.0).then(|| 2.0 * both / (2.0 * both + found + truth))
    }

    /// False findings for each roof that was judged.
    pub fn wrong_per_roof(&self) -> Option<f64> {
        share(self.wrong, self.roofs)
    }

    /// Median of the areas' errors without their sign.
    pub fn area_error(&self) -> Option<f32> {
        let mut errors: Vec<f32> = self.area_errors.iter().map(|e| e.abs()).collect();
        errors.sort_by(f32::total_cmp);
        errors.get(errors.len() / 2).copied()
    }

    /// Share of these whose area is within two stated deviations.
    pub fn area_within(&self) -> Option<f64> {
        share(self.area_deviations.iter().filter(|d| d.abs() <= 2.0).count(), self.area_deviations.len())
    }

    /// Median distance from changes to their findings, metres.
    pub fn distance(&self) -> Option<f32> {
        let mut distances: Vec<f32> = self.distances.iter().map(|d| d.0).collect();
        distances.sort_by(f32::total_cmp);
        distances.get(distances.len() / 2).copied()
    }

    /// Share of these that are within 2.45 stated deviations: 95 % of places in a plane are.
    pub fn distance_within(&self) -> Option<f64> {
        share(self.distances.iter().filter(|d| d.1 <= 2.45).count(), self.distances.len())
    }

    /// How far confidence is from the share that is right, on the mean over five bins of confidence (expected
    /// calibration error, Guo et al. 2017).
    pub fn calibration_error(&self) -> Option<f64> {
        let mut bins = [(0usize, 0.0f64, 0usize); 5];
        for (confidence, right) in &self.trust {
            let bin = &mut bins[((confidence * 5.0) as usize).min(4)];
            *bin = (bin.0 + 1, bin.1 + f64::from(*confidence), bin.2 + usize::from(*right));
        }
        let n = self.trust.len() as f64;
        (n > 0.0).then(|| bins.iter().map(|(_, sum, right)| (sum - *right as f64).abs()).sum::<f64>() / n)
    }
}

fn share(part: usize, of: usize) -> Option<f64> {
    (of > 0).then(|| part as f64 / of as f64)
}

/// Square metres that two polygons share.
fn shared(a: &GroundPolygon, b: &GroundPolygon) -> f64 {
    let cells = cells(&[a.bounds()]);
    cells.filter(|p| a.contains(*p) && b.contains(*p)).count() as f64 * STEP * STEP
}

/// The middles of the cells of the box around some boxes.
fn cells(bounds: &[(GroundPoint, GroundPoint)]) -> impl Iterator<Item = GroundPoint> + use<> {
    let fold = |pick: fn(f64, f64) -> f64, start: f64, value: &dyn Fn(&(GroundPoint, GroundPoint)) -> f64| {
        bounds.iter().map(value).fold(start, pick)
    };
    let (west, south) =
        (fold(f64::min, f64::INFINITY, &|b| b.0.east), fold(f64::min, f64::INFINITY, &|b| b.0.north));
    let (east, north) =
        (fold(f64::max, f64::NEG_INFINITY, &|b| b.1.east), fold(f64::max, f64::NEG_INFINITY, &|b| b.1.north));
    let count = |low: f64, high: f64| if high > low { ((high - low) / STEP).ceil() as usize } else { 0 };
    let (across, down) = (count(west, east), count(south, north));
    (0..across * down).map(move |i| GroundPoint {
        east: west + ((i % across) as f64 + 0.5) * STEP,
        north: south + ((i / across) as f64 + 0.5) * STEP,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn square(east: f64, side: f64) -> GroundPolygon {
        let corners = [(0.0, 0.0), (side, 0.0), (side, side), (0.0, side)];
        GroundPolygon::new(corners.map(|(x, y)| GroundPoint { east: east + x, north: y }).to_vec()).unwrap()
    }

    #[test]
    fn findings_are_counted_against_truth() {
        let truths = [0.0, 20.0].map(|east| TrueChange { change: Change::New, footprint: square(east, 3.0) });
        let found = |east, confidence| Found {
            change: Change::New,
            footprint: square(east, 3.0),
            area: (9.0, 1.0),
            uncertainty: 0.5,
            confidence,
        };
        let mut tally = Tally::default();
        tally.add(&truths, &[found(0.6, 0.9), found(40.0, 0.3)]);
        assert_eq!((tally.truths, tally.found, tally.wrong, tally.right_kind), (2, 1, 1, 1));
        assert_eq!((tally.recall(), tally.precision(), tally.f1()), (Some(0.5), Some(0.5), Some(0.5)));
        assert!(tally.area_error().unwrap() < 1e-6 && tally.area_within() == Some(1.0));
        let [both, only_found, only_true] = tally.square_meters;
        assert!(
            (both - 7.2).abs() < 0.5 && (only_found - 10.8).abs() < 0.5 && (only_true - 10.8).abs() < 0.5
        );
        assert!((tally.distance().unwrap() - 0.6).abs() < 1e-3 && tally.distance_within() == Some(1.0));
        assert!((tally.calibration_error().unwrap() - 0.2).abs() < 1e-6);
    }
}
