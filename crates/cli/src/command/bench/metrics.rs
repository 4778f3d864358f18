//! Reads what `/metrics` says (Prometheus' text format).

use std::collections::BTreeMap;

/// Series and their values.
#[derive(Debug, Default)]
pub(super) struct Metrics(Vec<Series>);

#[derive(Debug, Clone, PartialEq)]
struct Series {
    name: String,
    labels: BTreeMap<String, String>,
    value: f64,
}

impl Metrics {
    /// Lines that are none of a series are left out.
    pub(super) fn parse(text: &str) -> Self {
        Self(text.lines().filter_map(Series::parse).collect())
    }

    /// What was added to counters between two looks; a series that is new began at nothing.
    pub(super) fn between(before: &Self, after: &Self) -> Self {
        let was = |series: &Series| {
            let same = before.0.iter().find(|old| old.name == series.name && old.labels == series.labels);
            same.map_or(0.0, |old| old.value)
        };
        Self(
            after
                .0
                .iter()
                .map(|series| Series { value: series.value - was(series), ..series.clone() })
                .collect(),
        )
    }

    /// Over all series of this name with these labels.
    pub(super) fn sum(&self, name: &str, labels: &[(&str, &str)]) -> f64 {
        let fits = |series: &&Series| {
            series.name == name
                && labels.iter().all(|(key, value)| series.labels.get(*key).is_some_and(|v| v == value))
        };
        self.0.iter().filter(fits).map(|series| series.value).sum()
    }

    /// Sums by the value of one label.
    pub(super) fn by_label(&self, name: &str, label: &str) -> BTreeMap<&str, f64> {
        let mut sums = BTreeMap::new();
        for series in self.0.iter().filter(|series| series.name == name) {
            if let Some(value) = series.labels.get(label) {
                *sums.entry(value.as_str()).or_default() += series.value;
            }
        }
        sums
    }

    /// A quantile of a histogram, all its labels together, as if what lies in a bucket lay evenly in it; NaN if it is empty,
    /// infinite beyond the last limit.
    pub(super) fn quantile(&self, name: &str, q: f64) -> f64 {
        let mut counts: Vec<(f64, f64)> = self
            .by_label(&format!("{name}_bucket"), "le")
            .into_iter()
            .filter_map(|(limit, count)| Some((limit.parse::<f64>().ok()?, count)))
            .collect();
        counts.sort_by(|a, b| a.0.total_cmp(&b.0));
        let all = counts.last().map_or(0.0, |(_, count)| *count);
        if all <= 0.0 {
            return f64::NAN;
        }
        let (mut low, mut below) = (0.0, 0.0);
        for (limit, count) in counts {
            if count >= q * all && count > below {
                return low + (q * all - below) / (count - below) * (limit - low);
            }
            (low, below) = (limit, count);
        }
        f64::INFINITY
    }
}

impl Series {
    fn parse(line: &str) -> Option<Self> {
        let (series, value) = line.rsplit_once(' ').filter(|_| !line.starts_with('#'))?;
        let value = value.parse().ok()?;
        let (name, labels) = match series.split_once('{') {
            Some((name, labels)) => (name, labels.strip_suffix('}')?),
            None => (series, ""),
        };
        // Ids and names of stages hold no quotes and commas.
        let labels = labels
            .split(',')
            .filter_map(|pair| pair.split_once('='))
            .map(|(key, value)| (key.to_owned(), value.trim_matches('"').to_owned()))
            .collect();
        Some(Self { name: name.to_owned(), labels, value })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BEFORE: &str =
        "# TYPE frames counter\nframes{camera=\"a\",stage=\"model\"} 3\nframes{camera=\"b\"} 5\n";
    const AFTER: &str = "# TYPE frames counter\nframes{camera=\"a\",stage=\"model\"} 10\nframes{camera=\"b\"} 5\nframes{camera=\"c\"} 2\nup 1\n\
        t_bucket{camera=\"a\",le=\"0.1\"} 50\nt_bucket{camera=\"a\",le=\"0.2\"} 90\nt_bucket{camera=\"a\",le=\"+Inf\"} 100\n\
        t_bucket{camera=\"b\",le=\"0.1\"} 50\nt_bucket{camera=\"b\",le=\"0.2\"} 100\nt_bucket{camera=\"b\",le=\"+Inf\"} 100\n";

    #[test]
    fn counters_are_read_by_what_was_added() {
        let spent = Metrics::between(&Metrics::parse(BEFORE), &Metrics::parse(AFTER));
        assert_eq!(spent.sum("frames", &[]), 9.0);
        assert_eq!(spent.sum("frames", &[("stage", "model")]), 7.0);
        assert_eq!(spent.by_label("frames", "camera"), BTreeMap::from([("a", 7.0), ("b", 0.0), ("c", 2.0)]));
        assert_eq!(spent.sum("up", &[]), 1.0);
        assert_eq!(spent.sum("absent", &[]), 0.0);
    }

    #[test]
    fn quantiles_are_between_the_limits_of_their_bucket() {
        let metrics = Metrics::parse(AFTER);
        assert_eq!(metrics.quantile("t", 0.25), 0.05);
        assert!((metrics.quantile("t", 0.95) - 0.2).abs() < 1e-9);
        assert_eq!(metrics.quantile("t", 0.99), f64::INFINITY);
        assert!(metrics.quantile("absent", 0.5).is_nan());
    }
}
