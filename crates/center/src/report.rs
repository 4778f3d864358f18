//! The month of a site: what was found, how its cases went, and the score by the formula that an administrator chose.

use jiff::{ToSpan as _, civil::Date, tz::TimeZone};
use parapet_core::{Scope, Severity, SiteId, Status, Timestamp};
use parapet_store::{CaseTally, DayCount, Store, StoreError};

use crate::cases::settings::ScoreFormula;

/// A month, by the calendar of the offices.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Month {
    first: Date,
}

impl Month {
    /// `2026-11`.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (year, month) = text.split_once('-')?;
        let sound = year.len() == 4 && month.len() == 2;
        let first = Date::new(year.parse().ok()?, month.parse().ok()?, 1).ok()?;
        sound.then_some(Self { first })
    }

    /// The one that a time falls into.
    pub(crate) fn of(at: Timestamp, zone: &TimeZone) -> Self {
        Self { first: at.to_zoned(zone.clone()).date().first_of_month() }
    }

    /// When it begins and ends.
    pub(crate) fn span(self, zone: &TimeZone) -> Option<(Timestamp, Timestamp)> {
        let at = |day: Date| Some(day.to_zoned(zone.clone()).ok()?.timestamp());
        Some((at(self.first)?, at(self.first.checked_add(1.month()).ok()?)?))
    }

    /// How many days it has.
    pub(crate) fn days(self) -> usize {
        usize::try_from(self.first.days_in_month()).unwrap_or(31)
    }
}

impl std::fmt::Display for Month {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:04}-{:02}", self.first.year(), self.first.month())
    }
}

/// Praised, blamed, or neither.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum List {
    Red,
    Black,
    None,
}

/// A site's month.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct SiteMonth {
    pub(crate) site: SiteId,
    pub(crate) name_zh: String,
    pub(crate) name_en: String,
    pub(crate) score: f64,
    pub(crate) list: List,
    pub(crate) confirmed: u64,
    pub(crate) dismissed: u64,
    /// Nobody has judged them.
    pub(crate) new: u64,
    pub(crate) cases: CaseTally,
    /// Confirmed ones by code of the kind.
    pub(crate) by_kind: Vec<(String, u64)>,
    /// Confirmed ones on each day.
    pub(crate) by_day: Vec<u64>,
}

/// The months of all sites that a scope holds as a whole, best first.
pub(crate) async fn month(
    store: &Store,
    month: Month,
    zone: &TimeZone,
    scope: &Scope,
    formula: &ScoreFormula,
    now: Timestamp,
) -> Result<Vec<SiteMonth>, StoreError> {
    let Some((from, to)) = month.span(zone) else { return Ok(Vec::new()) };
    let counts = store.day_counts(from, to).await?;
    let tallies = store.case_tallies(from, to, now).await?;
    let known = store.sites().await?;
    let mut ids: Vec<&SiteId> = counts.iter().map(|count| &count.site).collect();
    ids.extend(tallies.iter().map(|tally| &tally.site));
    ids.extend(known.iter().map(|row| &row.site));
    ids.sort();
    ids.dedup();
    let mut months = Vec::new();
    for site in ids.into_iter().filter(|site| scope.contains(Some(site.as_str()), None)) {
        let row = known.iter().find(|row| row.site == *site);
        let tally = tallies.iter().find(|tally| tally.site == *site).cloned();
        let tally = tally.unwrap_or(CaseTally { site: site.clone(), cases: 0, open: 0, late: 0, on_time: 0 });
        let of_site: Vec<&DayCount> = counts.iter().filter(|count| count.site == *site).collect();
        let mut one = tallied(site, month, &of_site, tally);
        one.name_zh = row.map_or_else(|| site.to_string(), |row| row.name_zh.clone());
        one.name_en = row.map_or_else(|| site.to_string(), |row| row.name_en.clone());
        let high =
            of_site.iter().filter(|count| is_confirmed(count.status) && count.severity == Severity::High);
        one.score =
            formula.score(&one, high.map(|count| count.count).sum(), row.and_then(|row| row.households));
        one.list = formula.list(one.score);
        months.push(one);
    }
    months.sort_by(|a, b| b.score.total_cmp(&a.score).then_with(|| a.site.cmp(&b.site)));
    Ok(months)
}

fn is_confirmed(status: Status) -> bool {
    !matches!(status, Status::New | Status::Dismissed)
}

fn tallied(site: &SiteId, month: Month, counts: &[&DayCount], cases: CaseTally) -> SiteMonth {
    let mut by_kind: Vec<(String, u64)> = Vec::new();
    let mut by_day = vec![0; month.days()];
    let (mut confirmed, mut dismissed, mut new) = (0, 0, 0);
    for count in counts {
        match count.status {
            Status::New => new += count.count,
            Status::Dismissed => dismissed += count.count,
            _ => {
                confirmed += count.count;
                if let Some(day) = by_day.get_mut(count.day as usize) {
                    *day += count.count;
                }
                match by_kind.iter_mut().find(|(kind, _)| kind == count.kind.as_str()) {
                    Some((_, known)) => *known += count.count,
                    None => by_kind.push((count.kind.to_string(), count.count)),
                }
            }
        }
    }
    let (site, name) = (site.clone(), String::new());
    let (score, list) = (0.0, List::None);
    SiteMonth {
        name_zh: name.clone(),
        name_en: name,
        site,
        score,
        list,
        confirmed,
        dismissed,
        new,
        cases,
        by_kind,
        by_day,
    }
}

impl ScoreFormula {
    fn score(&self, month: &SiteMonth, high: u64, households: Option<u32>) -> f64 {
        let share = match (self.per_households, households) {
            (Some(per), Some(households)) if households > 0 => per / f64::from(households),
            _ => 1.0,
        };
        let [confirmed, high, open, late, on_time] =
            [month.confirmed, high, month.cases.open, month.cases.late, month.cases.on_time]
                .map(|n| n as f64);
        let off = share * (self.per_confirmed * confirmed + self.per_high_severity * high)
            + self.per_open * open
            + self.per_late_case * late;
        (self.base - off + self.bonus_on_time * on_time).max(0.0)
    }

    fn list(&self, score: f64) -> List {
        if score < self.black_below {
            List::Black
        } else if score >= self.red_from {
            List::Red
        } else {
            List::None
        }
    }

    /// The formula for people.
    pub(crate) fn words(&self, zh: bool) -> String {
        let Self { base, per_confirmed, per_high_severity, per_open, per_late_case, bonus_on_time, .. } =
            self;
        let (red, black) = (self.red_from, self.black_below);
        if zh {
            let per = self.per_households.map_or_else(String::new, |n| format!("（按每 {n} 户折算）"));
            format!(
                "{base} − {per_confirmed} × 确认数{per} − {per_high_severity} × 紧急数{per} − {per_open} × 未结案件 \
                 − {per_late_case} × 超期案件 + {bonus_on_time} × 按期结案；{red} 分及以上红榜，{black} 分以下黑榜"
            )
        } else {
            let per = self.per_households.map_or_else(String::new, |n| format!(" (per {n} households)"));
            format!(
                "{base} − {per_confirmed} × confirmed{per} − {per_high_severity} × of high severity{per} − {per_open} × open \
                 cases − {per_late_case} × late cases + {bonus_on_time} × closed in time; red list from {red}, black list \
                 below {black}"
            )
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn month_of(confirmed: u64, cases: (u64, u64, u64)) -> SiteMonth {
        let site: SiteId = "willow-court".parse().unwrap();
        let (open, late, on_time) = cases;
        let tally = CaseTally { site: site.clone(), cases: open + late + on_time, open, late, on_time };
        SiteMonth { confirmed, ..tallied(&site, Month::parse("2026-11").unwrap(), &[], tally) }
    }

    #[test]
    fn a_score_is_what_the_formula_says() {
        let formula = ScoreFormula::default();
        let score = formula.score(&month_of(10, (2, 1, 5)), 3, None);
        assert!((score - (100.0 - 10.0 - 3.0 - 1.0 - 3.0 + 1.0)).abs() < 1e-9);
        assert_eq!(formula.list(score), List::None);
        assert_eq!((formula.list(90.0), formula.list(59.9)), (List::Red, List::Black));
        assert!(formula.score(&month_of(500, (0, 0, 0)), 0, None).abs() < 1e-9, "never below nothing");
        let shared = ScoreFormula { per_households: Some(1000.0), ..formula };
        let score = shared.score(&month_of(10, (0, 0, 0)), 0, Some(2000));
        assert!((score - 95.0).abs() < 1e-9);
    }

    #[test]
    fn a_month_begins_and_ends_where_the_offices_are() {
        let month = Month::parse("2026-02").unwrap();
        let (from, to) = month.span(&TimeZone::get("Asia/Shanghai").unwrap()).unwrap();
        assert_eq!(
            (from.to_string(), to.to_string()),
            ("2026-01-31T16:00:00Z".into(), "2026-02-28T16:00:00Z".into())
        );
        assert_eq!((month.days(), month.to_string()), (28, "2026-02".to_owned()));
        for bad in ["2026", "2026-13", "2026-1", "26-01", "x"] {
            assert_eq!(Month::parse(bad), None, "{bad}");
        }
    }
}
