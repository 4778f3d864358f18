//! The figures: one module a metric. Each works in two steps, because matching is dear and adding up is cheap: a unit
//! (picture, sequence) is matched once, and any multiset of units is then summed up, as the bootstrap of [`interval`]
//! asks for a thousand times.

pub mod assignment;
pub mod change;
pub mod detection;
pub mod incident;
pub mod interval;
pub mod tracking;

/// Matched, surplus and missed, and what follows from the three.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
pub struct Counts {
    /// True things that were found.
    pub hits: u64,
    /// Findings of nothing.
    pub false_alarms: u64,
    /// True things that were not found.
    pub misses: u64,
}

impl Counts {
    /// Share of the findings that are true; none without a finding.
    pub fn precision(&self) -> Option<f64> {
        ratio(self.hits, self.hits + self.false_alarms)
    }

    /// Share of the true things that were found; none without a true thing.
    pub fn recall(&self) -> Option<f64> {
        ratio(self.hits, self.hits + self.misses)
    }

    /// Harmonic mean of precision and recall, `2·hits / (2·hits + false alarms + misses)`; none if there was nothing to
    /// find and nothing was found.
    pub fn f1(&self) -> Option<f64> {
        ratio(2 * self.hits, 2 * self.hits + self.false_alarms + self.misses)
    }

    /// Intersection over union (Jaccard), `hits / (hits + false alarms + misses)`; none if there was nothing to find
    /// and nothing was found.
    pub fn iou(&self) -> Option<f64> {
        ratio(self.hits, self.hits + self.false_alarms + self.misses)
    }
}

impl std::ops::AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.hits += other.hits;
        self.false_alarms += other.false_alarms;
        self.misses += other.misses;
    }
}

impl std::iter::Sum for Counts {
    fn sum<I: Iterator<Item = Self>>(all: I) -> Self {
        all.fold(Self::default(), |mut sum, one| {
            sum += one;
            sum
        })
    }
}

/// `part / whole`; none if the whole is nothing.
fn ratio(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

/// The `share` quantile (0 to 1) of unsorted values, linear between ranks as `numpy.quantile` does; none of nothing.
pub(crate) fn quantile(values: &mut [f64], share: f64) -> Option<f64> {
    if values.is_empty() {
        return None;
    }
    values.sort_by(f64::total_cmp);
    let place = share.clamp(0.0, 1.0) * (values.len() - 1) as f64;
    let (below, above) = (place.floor() as usize, place.ceil() as usize);
    Some(values[below] + (values[above] - values[below]) * (place - below as f64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_follow_from_the_three_counts() {
        let counts = Counts { hits: 6, false_alarms: 2, misses: 4 };
        assert_eq!(counts.precision(), Some(0.75));
        assert_eq!(counts.recall(), Some(0.6));
        assert_eq!(counts.f1(), Some(12.0 / 18.0));
        assert_eq!(counts.iou(), Some(0.5));
    }

    #[test]
    fn a_figure_of_nothing_is_none_rather_than_zero() {
        assert_eq!(Counts::default().precision(), None);
        assert_eq!(Counts::default().f1(), None);
        assert_eq!(Counts { misses: 1, ..Counts::default() }.recall(), Some(0.0));
        assert_eq!(Counts { misses: 1, ..Counts::default() }.precision(), None);
    }

    #[test]
    fn quantiles_are_linear_between_ranks() {
        assert_eq!(quantile(&mut [4.0, 1.0, 3.0, 2.0], 0.5), Some(2.5));
        assert_eq!(quantile(&mut [1.0, 2.0, 3.0], 1.0), Some(3.0));
        assert_eq!(quantile(&mut [], 0.5), None);
    }
}
