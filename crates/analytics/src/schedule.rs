//! When a rule or a patrol is in force: weekdays, hours (over midnight too) and holidays in the site's own time.

use std::{collections::BTreeSet, fmt, str::FromStr, sync::LazyLock};

use jiff::{
    Timestamp, ToSpan,
    civil::{Date, DateTime, Time},
    tz::{TimeZone, TimeZoneDatabase},
};
use serde::{Deserialize, Serialize};

/// When a rule or a patrol is in force. Without any option: always.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Schedule {
    /// IANA name of the site's time zone.
    pub time_zone: Zone,
    /// Days of the week on which it is in force; all when left out.
    pub weekdays: Option<BTreeSet<Weekday>>,
    /// Hours of the day, as `"07:00-19:00"`; `"22:00-06:00"` goes over midnight and belongs to the day on which it
    /// begins. All when left out.
    pub hours: Option<Vec<Hours>>,
    /// Days that are holidays, as `"2026-10-01"`.
    #[schemars(with = "BTreeSet<String>")]
    pub holidays: BTreeSet<Date>,
    /// What a holiday changes.
    pub on_holidays: OnHolidays,
    /// Make-up working days: in force whatever the weekday is.
    #[schemars(with = "BTreeSet<String>")]
    pub extra_days: BTreeSet<Date>,
}

impl Default for Schedule {
    fn default() -> Self {
        Self {
            time_zone: Zone::default(),
            weekdays: None,
            hours: None,
            holidays: BTreeSet::new(),
            on_holidays: OnHolidays::Closed,
            extra_days: BTreeSet::new(),
        }
    }
}

/// What a holiday changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OnHolidays {
    /// It rests.
    #[default]
    Closed,
    /// It is in force at its hours, whatever the weekday is.
    Open,
    /// It is in force on holidays only.
    Only,
}

/// A day of the week.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "the names say it")]
pub enum Weekday {
    Mon,
    Tue,
    Wed,
    Thu,
    Fri,
    Sat,
    Sun,
}

impl Schedule {
    /// Whether the rule is in force at an instant.
    pub fn is_open(&self, at: Timestamp) -> bool {
        let local = self.time_zone.local(at);
        let (date, time) = (local.date(), local.time());
        let Some(hours) = &self.hours else { return self.is_open_day(date) };
        hours.iter().any(|h| {
            if h.from < h.to {
                (h.from..h.to).contains(&Minute::of(time)) && self.is_open_day(date)
            } else {
                let began_today = Minute::of(time) >= h.from && self.is_open_day(date);
                let yesterday = || date.checked_sub(1.day()).is_ok_and(|day| self.is_open_day(day));
                began_today || (Minute::of(time) < h.to && yesterday())
            }
        })
    }

    fn is_open_day(&self, date: Date) -> bool {
        let holiday = self.holidays.contains(&date);
        match self.on_holidays {
            OnHolidays::Only => return holiday,
            OnHolidays::Closed if holiday => return false,
            OnHolidays::Open if holiday => return true,
            OnHolidays::Closed | OnHolidays::Open => {}
        }
        let weekday = match date.weekday() {
            jiff::civil::Weekday::Monday => Weekday::Mon,
            jiff::civil::Weekday::Tuesday => Weekday::Tue,
            jiff::civil::Weekday::Wednesday => Weekday::Wed,
            jiff::civil::Weekday::Thursday => Weekday::Thu,
            jiff::civil::Weekday::Friday => Weekday::Fri,
            jiff::civil::Weekday::Saturday => Weekday::Sat,
            jiff::civil::Weekday::Sunday => Weekday::Sun,
        };
        self.extra_days.contains(&date) || self.weekdays.as_ref().is_none_or(|days| days.contains(&weekday))
    }
}

/// A time zone by its IANA name, out of the database inside the program.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(try_from = "String", into = "String")]
pub struct Zone {
    time_zone: TimeZone,
    name: String,
}

static DATABASE: LazyLock<TimeZoneDatabase> = LazyLock::new(TimeZoneDatabase::bundled);

impl Zone {
    /// What clocks there show at an instant.
    pub fn local(&self, at: Timestamp) -> DateTime {
        self.time_zone.to_datetime(at)
    }
}

impl Default for Zone {
    fn default() -> Self {
        "Asia/Shanghai".parse().expect("in the database")
    }
}

/// There is no such time zone.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no time zone \"{0}\"; hint: an IANA name such as \"Asia/Shanghai\" or \"UTC\"")]
pub struct UnknownZone(pub String);

impl FromStr for Zone {
    type Err = UnknownZone;
    fn from_str(name: &str) -> Result<Self, UnknownZone> {
        let time_zone = DATABASE.get(name).map_err(|_| UnknownZone(name.to_owned()))?;
        Ok(Self { time_zone, name: name.to_owned() })
    }
}

impl TryFrom<String> for Zone {
    type Error = UnknownZone;
    fn try_from(name: String) -> Result<Self, UnknownZone> {
        name.parse()
    }
}

impl From<Zone> for String {
    fn from(zone: Zone) -> Self {
        zone.name
    }
}

/// Minutes since midnight, 0..=1440.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Minute(u16);

impl Minute {
    fn of(time: Time) -> Self {
        Self(time.hour() as u16 * 60 + time.minute() as u16)
    }

    fn parse(text: &str) -> Option<Self> {
        let (hour, minute) = text.trim().split_once(':')?;
        let (hour, minute): (u16, u16) = (hour.parse().ok()?, minute.parse().ok()?);
        (minute < 60 && hour * 60 + minute <= 1440 && hour <= 24).then_some(Self(hour * 60 + minute))
    }
}

/// A span of the day; one whose end is not after its beginning goes over midnight.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(try_from = "String", into = "String")]
pub struct Hours {
    from: Minute,
    to: Minute,
}

/// The text is no span of the day.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("\"{0}\" is not a span of hours; hint: \"07:00-19:00\", or \"22:00-06:00\" over midnight")]
pub struct InvalidHours(pub String);

impl FromStr for Hours {
    type Err = InvalidHours;
    fn from_str(text: &str) -> Result<Self, InvalidHours> {
        let parse = || {
            let (from, to) = text.split_once('-')?;
            let hours = Self { from: Minute::parse(from)?, to: Minute::parse(to)? };
            (hours.from != hours.to && hours.from.0 < 1440).then_some(hours)
        };
        parse().ok_or_else(|| InvalidHours(text.to_owned()))
    }
}

impl TryFrom<String> for Hours {
    type Error = InvalidHours;
    fn try_from(text: String) -> Result<Self, InvalidHours> {
        text.parse()
    }
}

impl fmt::Display for Hours {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (from, to) = (self.from.0, self.to.0);
        write!(f, "{:02}:{:02}-{:02}:{:02}", from / 60, from % 60, to / 60, to % 60)
    }
}

impl From<Hours> for String {
    fn from(hours: Hours) -> Self {
        hours.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open(schedule: &str, at: &str) -> bool {
        let schedule: Schedule = toml::from_str(schedule).unwrap();
        schedule.is_open(at.parse().unwrap())
    }

    #[test]
    fn without_options_it_is_always_open() {
        assert!(open("", "2026-11-22T03:00:00Z"));
    }

    #[test]
    fn hours_are_the_sites_own() {
        let day = r#"hours = ["07:00-19:00"]"#;
        assert!(open(day, "2026-11-22T07:00:00+08:00"));
        assert!(open(day, "2026-11-22T18:59:59+08:00"));
        assert!(!open(day, "2026-11-22T19:00:00+08:00"));
        assert!(!open(day, "2026-11-22T18:00:00Z"));
    }

    #[test]
    fn a_night_belongs_to_the_day_on_which_it_begins() {
        let friday_night = r#"
            weekdays = ["fri"]
            hours = ["22:00-06:00"]"#;
        assert!(!open(friday_night, "2026-11-20T05:00:00+08:00"), "friday's morning is thursday's night");
        assert!(open(friday_night, "2026-11-20T22:00:00+08:00"));
        assert!(open(friday_night, "2026-11-21T05:59:00+08:00"));
        assert!(!open(friday_night, "2026-11-21T06:00:00+08:00"));
        assert!(!open(friday_night, "2026-11-21T23:00:00+08:00"));
        assert!(open(r#"hours = ["20:00-24:00"]"#, "2026-11-21T23:59:00+08:00"));
    }

    #[test]
    fn holidays_and_make_up_days_come_before_weekdays() {
        let working = r#"
            weekdays = ["mon", "tue", "wed", "thu", "fri"]
            holidays = ["2026-10-01"]
            extra_days = ["2026-10-10"]"#;
        assert!(!open(working, "2026-10-01T12:00:00+08:00"), "thursday, but a holiday");
        assert!(open(working, "2026-10-10T12:00:00+08:00"), "saturday, but made up");
        assert!(!open(working, "2026-10-11T12:00:00+08:00"));
        let only = "holidays = [\"2026-10-01\"]\non_holidays = \"only\"";
        assert!(open(only, "2026-10-01T12:00:00+08:00"));
        assert!(!open(only, "2026-10-02T12:00:00+08:00"));
    }

    #[test]
    fn summer_time_moves_with_the_zone() {
        let berlin = "time_zone = \"Europe/Berlin\"\nhours = [\"08:00-09:00\"]";
        assert!(open(berlin, "2026-07-01T06:30:00Z"));
        assert!(open(berlin, "2026-12-01T07:30:00Z"));
        assert!(!open(berlin, "2026-12-01T06:30:00Z"));
    }

    #[test]
    fn mistakes_are_named_with_a_hint() {
        for (bad, says) in [
            ("hours = [\"25:00-26:00\"]", "hint: \"07:00-19:00\""),
            ("hours = [\"07:00-07:00\"]", "is not a span of hours"),
            ("time_zone = \"Asia/Nantong\"", "hint: an IANA name"),
            ("weekdays = [\"montag\"]", "expected one of `mon`"),
            ("hour = []", "unknown field `hour`"),
        ] {
            let error = toml::from_str::<Schedule>(bad).unwrap_err().to_string();
            assert!(error.contains(says), "{error}");
        }
    }
}
