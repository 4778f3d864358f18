//! What an administrator chooses about cases: working time, steps, filing by rule, scores. Each part is a document in the
//! store; what nobody touched has the defaults here.

use std::collections::BTreeSet;

use jiff::{
    civil::{Date, Time},
    tz::TimeZone,
};
use parapet_core::{
    CameraId, DepartmentId, InvalidCalendar, KindCode, OfficeHours, SiteId, Timestamp, WorkCalendar, ZoneId,
    case::StepAllowances,
};
use parapet_store::{Store, StoreError};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// When offices work.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CalendarSetting {
    /// Name of the time zone (`Asia/Shanghai`).
    pub(crate) zone: String,
    /// Office hours of a working day, in order.
    pub(crate) hours: Vec<OfficeHours>,
    /// Weekdays on which nobody works.
    pub(crate) holidays: BTreeSet<Date>,
    /// Weekend days on which everybody works.
    pub(crate) make_up_days: BTreeSet<Date>,
}

impl Default for CalendarSetting {
    /// China: 8:30 to 12:00 and 13:30 to 17:30, and the State Council's calendar of 2026.
    fn default() -> Self {
        let days = |list: &[(i8, i8, i8)]| {
            let each = list.iter().flat_map(|&(month, from, to)| (from..=to).map(move |day| (month, day)));
            each.filter_map(|(month, day)| Date::new(2026, month, day).ok()).collect::<BTreeSet<_>>()
        };
        let hours = |from: (i8, i8), to: (i8, i8)| OfficeHours {
            from: Time::constant(from.0, from.1, 0, 0),
            to: Time::constant(to.0, to.1, 0, 0),
        };
        Self {
            zone: "Asia/Shanghai".to_owned(),
            hours: vec![hours((8, 30), (12, 0)), hours((13, 30), (17, 30))],
            holidays: days(&[
                (1, 1, 3),
                (2, 15, 23),
                (4, 4, 6),
                (5, 1, 5),
                (6, 19, 21),
                (9, 25, 27),
                (10, 1, 7),
            ]),
            make_up_days: days(&[(1, 4, 4), (2, 14, 14), (2, 28, 28), (5, 9, 9), (9, 20, 20), (10, 10, 10)]),
        }
    }
}

/// Why a choice cannot be taken.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub(crate) enum SettingError {
    #[error("there is no setting of this name; hint: calendar, steps, filing, scores or reopen_days")]
    Name,
    #[error("{0}")]
    Form(String),
    #[error("\"{0}\" is no time zone; hint: a name as Asia/Shanghai")]
    Zone(String),
    #[error(transparent)]
    Calendar(#[from] InvalidCalendar),
    #[error("{0} must be from {1} to {2}")]
    Range(&'static str, i64, i64),
}

impl CalendarSetting {
    pub(crate) fn calendar(&self) -> Result<WorkCalendar, SettingError> {
        let zone = TimeZone::get(&self.zone).map_err(|_| SettingError::Zone(self.zone.clone()))?;
        let (holidays, make_up) = (self.holidays.clone(), self.make_up_days.clone());
        Ok(WorkCalendar::new(zone, self.hours.clone(), holidays, make_up)?)
    }
}

/// Incidents that become a case without a person's word. What is `None` does not narrow.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct FilingRule {
    pub(crate) kind: Option<KindCode>,
    pub(crate) site: Option<SiteId>,
    pub(crate) camera: Option<CameraId>,
    pub(crate) zone: Option<ZoneId>,
    /// Least confidence, 0..=1.
    pub(crate) min_score: f32,
    /// Only between these times of the day; the second may be earlier than the first (over midnight).
    pub(crate) hours: Option<DayHours>,
    pub(crate) enabled: bool,
    /// The case is accepted and sent there at once; without it a dispatcher takes it from the report on.
    #[serde(default)]
    pub(crate) department: Option<DepartmentId>,
}

/// A part of each day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct DayHours {
    pub(crate) from: Time,
    pub(crate) to: Time,
}

impl FilingRule {
    pub(crate) fn files(&self, incident: &parapet_store::IncidentRow, zone: &TimeZone) -> bool {
        let fits = |wanted: Option<&str>, is: Option<&str>| wanted.is_none_or(|wanted| is == Some(wanted));
        let time = incident.started_at.to_zoned(zone.clone()).time();
        let in_hours = self.hours.is_none_or(|h| {
            if h.from <= h.to { (h.from..h.to).contains(&time) } else { time >= h.from || time < h.to }
        });
        self.enabled
            && incident.score >= self.min_score
            && in_hours
            && fits(self.kind.as_ref().map(KindCode::as_str), Some(incident.kind.as_str()))
            && fits(self.site.as_ref().map(SiteId::as_str), Some(incident.site.as_str()))
            && fits(self.camera.as_ref().map(CameraId::as_str), Some(incident.camera.as_str()))
            && fits(self.zone.as_ref().map(ZoneId::as_str), incident.zone.as_ref().map(ZoneId::as_str))
    }
}

/// How a site's month is scored: from `base` so much off for each of these, never below 0 or above `base` + bonus.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ScoreFormula {
    pub(crate) base: f64,
    /// Off for each confirmed violation.
    pub(crate) per_confirmed: f64,
    /// Off for each of high severity, on top.
    pub(crate) per_high_severity: f64,
    /// Off for each case that is still open at the end of the month.
    pub(crate) per_open: f64,
    /// Off for each case that passed its deadline.
    pub(crate) per_late_case: f64,
    /// On top for each case that was closed in time.
    pub(crate) bonus_on_time: f64,
    /// Counts of violations are taken per so many households, where a site's number of them is known; `None`: as they are.
    pub(crate) per_households: Option<f64>,
    /// Red list (praised) from this score on.
    pub(crate) red_from: f64,
    /// Black list below this score.
    pub(crate) black_below: f64,
}

impl Default for ScoreFormula {
    fn default() -> Self {
        Self {
            base: 100.0,
            per_confirmed: 1.0,
            per_high_severity: 1.0,
            per_open: 0.5,
            per_late_case: 3.0,
            bonus_on_time: 0.2,
            per_households: None,
            red_from: 90.0,
            black_below: 60.0,
        }
    }
}

/// All of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Settings {
    pub(crate) calendar: CalendarSetting,
    pub(crate) steps: StepAllowances,
    pub(crate) filing: Vec<FilingRule>,
    pub(crate) scores: ScoreFormula,
    /// A new sighting at the place of a case that was closed at most so many days ago opens that case again.
    pub(crate) reopen_days: u32,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            calendar: CalendarSetting::default(),
            steps: StepAllowances::default(),
            filing: Vec::new(),
            scores: ScoreFormula::default(),
            reopen_days: 30,
        }
    }
}

impl Settings {
    /// As they are in the store. A document that is no longer understood is named in the log and left at its default.
    pub(crate) async fn load(store: &Store) -> Result<Self, StoreError> {
        let mut settings = Self::default();
        for row in store.settings().await? {
            if let Err(error) = settings.set(&row.name, row.document) {
                tracing::error!(setting = row.name, %error, "a setting in the store is not understood, its default holds");
            }
        }
        Ok(settings)
    }

    /// Takes a part over, if it holds together.
    pub(crate) fn set(&mut self, name: &str, document: Value) -> Result<(), SettingError> {
        fn read<T: serde::de::DeserializeOwned>(document: Value) -> Result<T, SettingError> {
            serde_json::from_value(document).map_err(|error| SettingError::Form(error.to_string()))
        }
        match name {
            "calendar" => {
                let calendar: CalendarSetting = read(document)?;
                calendar.calendar()?;
                self.calendar = calendar;
            }
            "steps" => {
                let steps: StepAllowances = read(document)?;
                if steps.warn_percent > 100 {
                    return Err(SettingError::Range("warn_percent", 0, 100));
                }
                let all = [steps.accept, steps.dispatch, steps.check, steps.close, steps.escalate_every];
                if all.into_iter().chain(steps.handle).any(|a| !(1..=10_000).contains(&a.amount)) {
                    return Err(SettingError::Range("amount", 1, 10_000));
                }
                self.steps = steps;
            }
            "filing" => {
                let filing: Vec<FilingRule> = read(document)?;
                if filing.iter().any(|rule| !(0.0..=1.0).contains(&rule.min_score)) {
                    return Err(SettingError::Range("min_score", 0, 1));
                }
                self.filing = filing;
            }
            "scores" => self.scores = read(document)?,
            "reopen_days" => {
                let days: u32 = read(document)?;
                if days > 3650 {
                    return Err(SettingError::Range("reopen_days", 0, 3650));
                }
                self.reopen_days = days;
            }
            _ => return Err(SettingError::Name),
        }
        Ok(())
    }

    /// A part as the store keeps it.
    pub(crate) fn part(&self, name: &str) -> Option<Value> {
        serde_json::to_value(self).ok()?.get(name).cloned()
    }

    /// The first rule that files an incident, and its number, from 1.
    pub(crate) fn rule_for(&self, incident: &parapet_store::IncidentRow) -> Option<(usize, &FilingRule)> {
        let zone = TimeZone::get(&self.calendar.zone).unwrap_or(TimeZone::UTC);
        (1..).zip(&self.filing).find(|(_, rule)| rule.files(incident, &zone))
    }

    /// Whether a case that was closed then is opened again by a sighting now.
    pub(crate) fn reopens(&self, closed_at: Timestamp, now: Timestamp) -> bool {
        now.duration_since(closed_at).as_hours() <= i64::from(self.reopen_days) * 24
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_defaults_hold_together_and_survive_the_store() {
        let settings = Settings::default();
        settings.calendar.calendar().unwrap();
        let mut again = Settings { reopen_days: 1, ..Settings::default() };
        for name in ["calendar", "steps", "filing", "scores", "reopen_days"] {
            again.set(name, settings.part(name).unwrap()).unwrap();
        }
        assert_eq!(again, settings);
    }

    #[test]
    fn what_does_not_hold_together_is_refused_with_a_reason() {
        let mut settings = Settings::default();
        let mut calendar = settings.part("calendar").unwrap();
        calendar["zone"] = json!("Asia/Nowhere");
        assert_eq!(settings.set("calendar", calendar), Err(SettingError::Zone("Asia/Nowhere".to_owned())));
        let mut steps = settings.part("steps").unwrap();
        steps["accept"]["amount"] = json!(0);
        assert_eq!(settings.set("steps", steps), Err(SettingError::Range("amount", 1, 10_000)));
        assert_eq!(settings.set("colour", json!(1)), Err(SettingError::Name));
        assert!(matches!(settings.set("scores", json!({ "base": 1 })), Err(SettingError::Form(_))));
        assert_eq!(settings, Settings::default());
    }
}
