//! How sure a figure is: percentile bootstrap over units (sequences, pictures) after Efron and Tibshirani, "An
//! Introduction to the Bootstrap" (1993), and the paired one for the difference of two runs over the same units. Seeded:
//! the same run gives the same interval on every machine. A figure that is not a mean (AP over many classes with few truths
//! each) is biased under resampling: its estimate may lie near an end of its interval.

use super::quantile;
use serde::{Deserialize, Serialize};

/// How to resample.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bootstrap {
    /// How many multisets of units are drawn.
    pub resamples: usize,
    /// Share of the resampled figures that lie in the interval, 0 to 1.
    pub confidence: f64,
    /// Where the draw begins.
    pub seed: u64,
}

impl Default for Bootstrap {
    fn default() -> Self {
        Self { resamples: 1000, confidence: 0.95, seed: 1 }
    }
}

/// A figure and the interval that it lies in.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Interval {
    /// Of all units, once each.
    pub estimate: f64,
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

/// By how much a run's figure differs from another's.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Difference {
    /// Second less first, and the interval.
    pub interval: Interval,
    /// How likely a difference of this sign or the other would come from the choice of units alone: two-sided,
    /// `2·(1 + resamples on the rarer side of 0) / (1 + resamples)`, at most 1.
    pub p_value: f64,
}

impl Bootstrap {
    /// The interval of one figure. `figure` gets how often each unit was drawn. None if the figure is, or with less than
    /// two units. Resamples without a figure are left out.
    pub fn interval(&self, units: usize, mut figure: impl FnMut(&[u32]) -> Option<f64>) -> Option<Interval> {
        self.intervals(units, |times| vec![figure(times)]).pop().flatten()
    }

    /// The intervals of several figures that come from one summing-up. `figures` gives as many at each call.
    pub fn intervals(
        &self,
        units: usize,
        mut figures: impl FnMut(&[u32]) -> Vec<Option<f64>>,
    ) -> Vec<Option<Interval>> {
        let estimates = figures(&vec![1; units]);
        if units < 2 {
            return vec![None; estimates.len()];
        }
        let mut drawn = vec![Vec::with_capacity(self.resamples); estimates.len()];
        self.draw(units, |times| {
            for (drawn, figure) in drawn.iter_mut().zip(figures(times)) {
                drawn.extend(figure);
            }
        });
        estimates.into_iter().zip(drawn).map(|(estimate, drawn)| self.around(estimate?, drawn)).collect()
    }

    /// Several figures on all units and on each resample, kept: for intervals and for paired differences of two runs over
    /// the same units, without summing up anew.
    pub fn samples(&self, units: usize, mut figures: impl FnMut(&[u32]) -> Vec<Option<f64>>) -> Samples {
        let estimates = figures(&vec![1; units]);
        let mut drawn = Vec::with_capacity(self.resamples);
        if units >= 2 {
            self.draw(units, |times| drawn.push(figures(times)));
        }
        Samples { bootstrap: *self, estimates, drawn }
    }

    /// By how much the second run's figure differs from the first's on the same units. None as for [`Self::interval`].
    pub fn difference(
        &self,
        units: usize,
        mut first: impl FnMut(&[u32]) -> Option<f64>,
        mut second: impl FnMut(&[u32]) -> Option<f64>,
    ) -> Option<Difference> {
        let once = vec![1; units];
        let estimate = second(&once)? - first(&once)?;
        if units < 2 {
            return None;
        }
        let mut drawn = Vec::with_capacity(self.resamples);
        self.draw(units, |times| {
            if let (Some(first), Some(second)) = (first(times), second(times)) {
                drawn.push(second - first);
            }
        });
        self.difference_of(estimate, drawn)
    }

    fn difference_of(&self, estimate: f64, drawn: Vec<f64>) -> Option<Difference> {
        let below = drawn.iter().filter(|difference| **difference <= 0.0).count();
        let above = drawn.iter().filter(|difference| **difference >= 0.0).count();
        let p_value = (2.0 * (1 + below.min(above)) as f64 / (1 + drawn.len()) as f64).min(1.0);
        Some(Difference { interval: self.around(estimate, drawn)?, p_value })
    }

    fn around(&self, estimate: f64, mut drawn: Vec<f64>) -> Option<Interval> {
        let outside = (1.0 - self.confidence) / 2.0;
        let low = quantile(&mut drawn, outside)?;
        let high = quantile(&mut drawn, 1.0 - outside)?;
        Some(Interval { estimate, low, high })
    }

    fn draw(&self, units: usize, mut each: impl FnMut(&[u32])) {
        let mut random = SplitMix(self.seed);
        let mut times = vec![0; units];
        for _ in 0..self.resamples {
            times.fill(0);
            for _ in 0..units {
                times[random.below(units)] += 1;
            }
            each(&times);
        }
    }
}

/// Figures of one run on all its units and on each resample.
#[derive(Debug, Clone, PartialEq)]
pub struct Samples {
    bootstrap: Bootstrap,
    estimates: Vec<Option<f64>>,
    /// Resample by resample.
    drawn: Vec<Vec<Option<f64>>>,
}

impl Samples {
    /// Figure `index` on all units.
    pub fn estimate(&self, index: usize) -> Option<f64> {
        self.estimates[index]
    }

    /// Its interval; none as for [`Bootstrap::interval`].
    pub fn interval(&self, index: usize) -> Option<Interval> {
        let drawn = self.drawn.iter().filter_map(|figures| figures[index]).collect();
        self.bootstrap.around(self.estimates[index]?, drawn)
    }

    /// By how much figure `index` differs from figure `of_first` of the first run, which had the same units, resamples
    /// and seed. None as for [`Bootstrap::difference`].
    pub fn difference(&self, index: usize, first: &Self, of_first: usize) -> Option<Difference> {
        let estimate = self.estimates[index]? - first.estimates[of_first]?;
        if self.drawn.is_empty() || self.drawn.len() != first.drawn.len() {
            return None;
        }
        let pairs = self.drawn.iter().zip(&first.drawn);
        let drawn = pairs.filter_map(|(second, first)| Some(second[index]? - first[of_first]?)).collect();
        self.bootstrap.difference_of(estimate, drawn)
    }
}

/// `SplitMix64` (Steele, Lea and Flood, 2014).
struct SplitMix(u64);

impl SplitMix {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^ (bits >> 31)
    }

    /// 0 to `limit` − 1, alike likely (but for 2⁻⁶⁴·limit).
    fn below(&mut self, limit: usize) -> usize {
        ((u128::from(self.next()) * limit as u128) >> 64) as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn weighted_mean(values: &[f64]) -> impl Fn(&[u32]) -> Option<f64> + '_ {
        |times| {
            let sum: f64 = values.iter().zip(times).map(|(value, times)| value * f64::from(*times)).sum();
            Some(sum / f64::from(times.iter().sum::<u32>()))
        }
    }

    #[test]
    fn the_interval_of_a_mean_is_about_two_standard_errors_wide_on_each_side() {
        let values: Vec<f64> = (0..100).map(f64::from).collect();
        let interval = Bootstrap::default().interval(100, weighted_mean(&values)).unwrap();
        // Standard deviation 28.87, standard error 2.887, 1.96 of it 5.66.
        assert_eq!(interval.estimate, 49.5);
        assert!((interval.low - 43.84).abs() < 0.6, "{interval:?}");
        assert!((interval.high - 55.16).abs() < 0.6, "{interval:?}");
    }

    #[test]
    fn the_same_seed_gives_the_same_interval_and_another_one_another() {
        let values: Vec<f64> = (0..20).map(|value| f64::from(value * value)).collect();
        let of = |seed| Bootstrap { seed, ..Bootstrap::default() }.interval(20, weighted_mean(&values));
        assert_eq!(of(7), of(7));
        assert_ne!(of(7), of(8));
    }

    #[test]
    fn each_resample_has_as_many_units_as_there_are() {
        Bootstrap { resamples: 50, ..Bootstrap::default() }.interval(9, |times| {
            assert_eq!(times.iter().sum::<u32>(), 9);
            Some(1.0)
        });
    }

    #[test]
    fn a_figure_that_some_resamples_lack_is_judged_by_the_others() {
        let only_first = |times: &[u32]| (times[0] > 0).then_some(2.0);
        let interval = Bootstrap::default().interval(3, only_first).unwrap();
        assert_eq!((interval.low, interval.high), (2.0, 2.0));
    }

    #[test]
    fn one_unit_tells_nothing_of_how_sure_a_figure_is() {
        assert_eq!(Bootstrap::default().interval(1, |_| Some(0.5)), None);
    }

    #[test]
    fn a_steady_gain_is_significant_and_a_mixed_one_is_not() {
        let before: Vec<f64> = (0..30).map(f64::from).collect();
        let after: Vec<f64> = before.iter().map(|value| value + 1.0).collect();
        let mixed: Vec<f64> =
            before.iter().map(|value| value + if value % 2.0 == 0.0 { 1.0 } else { -1.0 }).collect();
        let bootstrap = Bootstrap::default();
        let gain = bootstrap.difference(30, weighted_mean(&before), weighted_mean(&after)).unwrap();
        assert!((gain.interval.low - 1.0).abs() < 1e-9 && gain.p_value < 0.01, "{gain:?}");
        let none = bootstrap.difference(30, weighted_mean(&before), weighted_mean(&mixed)).unwrap();
        assert!(none.p_value > 0.5 && none.interval.low < 0.0 && none.interval.high > 0.0, "{none:?}");
    }

    #[test]
    fn kept_samples_give_the_same_intervals_and_differences() {
        let (first, second) = ([0.1, 0.4, 0.2, 0.9, 0.5], [0.2, 0.5, 0.2, 0.8, 0.9]);
        let bootstrap = Bootstrap { resamples: 200, ..Bootstrap::default() };
        let kept = |values: &[f64]| bootstrap.samples(5, |times| vec![None, weighted_mean(values)(times)]);
        let (a, b) = (kept(&first), kept(&second));
        assert_eq!(a.interval(0), None);
        assert_eq!(a.interval(1), bootstrap.interval(5, weighted_mean(&first)));
        let difference = bootstrap.difference(5, weighted_mean(&first), weighted_mean(&second));
        assert_eq!(b.difference(1, &a, 1), difference);
    }
}
