//! In what light a picture was taken, as far as the calendar and the clock tell: part of the day and season at the site.

use std::fmt;

use jiff::civil::DateTime;
use parapet_analytics::schedule;
use parapet_core::Timestamp;

/// A quarter of the day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum PartOfDay {
    /// 05:00 to 10:00.
    Morning,
    /// 10:00 to 15:00.
    Midday,
    /// 15:00 to 20:00.
    Evening,
    /// 20:00 to 05:00.
    Night,
}

/// A quarter of the year, as meteorologists of the northern hemisphere divide it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Season {
    /// March to May.
    Spring,
    /// June to August.
    Summer,
    /// September to November.
    Autumn,
    /// December to February.
    Winter,
}

/// The light of a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Light {
    /// Quarter of the year.
    pub season: Season,
    /// Quarter of the day.
    pub part_of_day: PartOfDay,
}

impl Light {
    /// The light at an instant.
    pub fn at(at: Timestamp, time_zone: &schedule::Zone) -> Self {
        let local = time_zone.local(at);
        let part_of_day = match local.hour() {
            5..10 => PartOfDay::Morning,
            10..15 => PartOfDay::Midday,
            15..20 => PartOfDay::Evening,
            _ => PartOfDay::Night,
        };
        let season = match local.month() {
            3..=5 => Season::Spring,
            6..=8 => Season::Summer,
            9..=11 => Season::Autumn,
            _ => Season::Winter,
        };
        Self { season, part_of_day }
    }
}

impl fmt::Display for Light {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let season = match self.season {
            Season::Spring => "spring",
            Season::Summer => "summer",
            Season::Autumn => "autumn",
            Season::Winter => "winter",
        };
        let part = match self.part_of_day {
            PartOfDay::Morning => "morning",
            PartOfDay::Midday => "midday",
            PartOfDay::Evening => "evening",
            PartOfDay::Night => "night",
        };
        write!(f, "{season} {part}")
    }
}

/// How different the light of two instants is: three hours of the day count as much as 45 days of the year, in which
/// the sun's path changes about as much.
pub(super) fn distance(a: Timestamp, b: Timestamp, time_zone: &schedule::Zone) -> f64 {
    let (a, b) = (time_zone.local(a), time_zone.local(b));
    let hour = |t: DateTime| f64::from(t.hour()) + f64::from(t.minute()) / 60.0;
    let day = |t: DateTime| f64::from(t.date().day_of_year());
    let around = |difference: f64, turn: f64| difference.abs().min(turn - difference.abs());
    around(hour(a) - hour(b), 24.0) / 3.0 + around(day(a) - day(b), 365.25) / 45.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn light_goes_round_with_the_day_and_the_year() {
        let zone: schedule::Zone = "UTC".parse().unwrap();
        let far = |a: &str, b: &str| distance(a.parse().unwrap(), b.parse().unwrap(), &zone);
        assert!(far("2026-01-01T23:30:00Z", "2026-01-01T00:30:00Z") < 0.4);
        assert!(far("2026-12-31T12:00:00Z", "2026-01-01T12:00:00Z") < 0.05);
        assert!((far("2026-06-01T12:00:00Z", "2026-06-01T00:00:00Z") - 4.0).abs() < 1e-9);
        let light = Light::at("2026-11-22T04:00:00Z".parse().unwrap(), &"Asia/Shanghai".parse().unwrap());
        assert_eq!(light.to_string(), "autumn midday");
    }
}
