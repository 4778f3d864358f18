//! When offices work, and when a deadline that is counted in their time runs out.
//!
//! Hours and days by the clock are counted as they pass; working hours only while an office is open; working days from the
//! day after the one on which the time begins, and they end when the office closes on the last of them. (The day on
//! which a period begins is not counted, and a period that is tied to business hours ends with them: Civil Code of the
//! PRC, articles 201 and 203.)

use std::collections::BTreeSet;

use jiff::{
    SignedDuration, ToSpan as _, Zoned,
    civil::{Date, Time, Weekday},
    tz::TimeZone,
};
use serde::{Deserialize, Serialize};

use crate::Timestamp;

/// In what a deadline is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum DeadlineUnit {
    /// Hours by the clock.
    Hours,
    /// Hours in which offices work.
    WorkingHours,
    /// Days of the calendar.
    Days,
    /// Days on which offices work.
    WorkingDays,
}

/// How long something may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Allowance {
    /// How many.
    pub amount: u32,
    /// Of what.
    pub unit: DeadlineUnit,
}

/// When an office is open on a working day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OfficeHours {
    /// It opens.
    pub from: Time,
    /// It closes; later than it opens.
    pub to: Time,
}

/// The working time of offices: weekdays, hours, holidays, and the weekend days on which holidays are made up for.
#[derive(Debug, Clone, PartialEq)]
pub struct WorkCalendar {
    zone: TimeZone,
    hours: Vec<OfficeHours>,
    holidays: BTreeSet<Date>,
    make_up_days: BTreeSet<Date>,
}

/// Why a calendar cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidCalendar {
    /// No hours, or hours that overlap or end before they begin.
    #[error(
        "the office hours do not follow each other; hint: list them in order, as 08:30 to 12:00 and 13:30 to 17:30"
    )]
    Hours,
    /// A day is both.
    #[error("{0} is a holiday and a make-up working day; hint: take it out of one of the lists")]
    Both(Date),
}

impl WorkCalendar {
    /// A calendar whose working days are Monday to Friday without the holidays, and the make-up days.
    ///
    /// # Errors
    /// See [`InvalidCalendar`].
    pub fn new(
        zone: TimeZone,
        hours: Vec<OfficeHours>,
        holidays: BTreeSet<Date>,
        make_up_days: BTreeSet<Date>,
    ) -> Result<Self, InvalidCalendar> {
        let follow = hours.windows(2).all(|w| w[0].to <= w[1].from);
        if hours.is_empty() || !follow || hours.iter().any(|h| h.from >= h.to) {
            return Err(InvalidCalendar::Hours);
        }
        if let Some(day) = holidays.intersection(&make_up_days).next() {
            return Err(InvalidCalendar::Both(*day));
        }
        Ok(Self { zone, hours, holidays, make_up_days })
    }

    /// The zone in which its days begin.
    pub fn zone(&self) -> &TimeZone {
        &self.zone
    }

    /// Whether offices work on a day.
    pub fn is_working_day(&self, day: Date) -> bool {
        let weekend = matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday);
        if weekend { self.make_up_days.contains(&day) } else { !self.holidays.contains(&day) }
    }

    /// When an allowance that begins at `from` runs out; `None` beyond the years that a calendar can tell.
    pub fn deadline(&self, from: Timestamp, allowance: Allowance) -> Option<Timestamp> {
        let amount = i64::from(allowance.amount);
        match allowance.unit {
            DeadlineUnit::Hours => from.checked_add(SignedDuration::from_hours(amount)).ok(),
            DeadlineUnit::Days => {
                let zoned = from.to_zoned(self.zone.clone()).checked_add(amount.days()).ok()?;
                Some(zoned.timestamp())
            }
            DeadlineUnit::WorkingHours => self.after_working_time(from, SignedDuration::from_hours(amount)),
            DeadlineUnit::WorkingDays => {
                let begin = from.to_zoned(self.zone.clone()).date();
                let day = self.working_days_after(begin).nth(allowance.amount.checked_sub(1)? as usize)?;
                self.at(day, self.hours.last()?.to)
            }
        }
    }

    /// Working time between two instants; zero when `to` is not after `from`.
    pub fn working_time(&self, from: Timestamp, to: Timestamp) -> SignedDuration {
        let mut sum = SignedDuration::ZERO;
        for (open, close) in self.openings(from) {
            if open >= to {
                break;
            }
            sum += close.min(to).duration_since(open.max(from));
        }
        sum
    }

    /// A deadline after the clock stood still from `from` to `to`: as much of what it is counted in is left as before. `None`
    /// beyond the years that a calendar can tell.
    pub fn shifted(
        &self,
        due: Timestamp,
        from: Timestamp,
        to: Timestamp,
        unit: DeadlineUnit,
    ) -> Option<Timestamp> {
        match unit {
            DeadlineUnit::Hours | DeadlineUnit::Days => due.checked_add(to.duration_since(from)).ok(),
            DeadlineUnit::WorkingHours => self.after_working_time(to, self.working_time(from, due)),
            DeadlineUnit::WorkingDays => {
                let date = |at: Timestamp| at.to_zoned(self.zone.clone()).date();
                let passed = self.working_days_after(date(from)).take_while(|day| *day <= date(to)).count();
                let Some(last) = passed.checked_sub(1) else { return Some(due) };
                let due = due.to_zoned(self.zone.clone());
                self.at(self.working_days_after(due.date()).nth(last)?, due.time())
            }
        }
    }

    /// The instant at which so much working time has passed since `from`.
    pub fn after_working_time(&self, from: Timestamp, time: SignedDuration) -> Option<Timestamp> {
        let mut left = time;
        for (open, close) in self.openings(from) {
            let begin = open.max(from);
            let here = close.duration_since(begin);
            if left <= here {
                return begin.checked_add(left).ok();
            }
            left -= here;
        }
        None
    }

    /// Openings that end after `from`, in order, for ten years.
    fn openings(&self, from: Timestamp) -> impl Iterator<Item = (Timestamp, Timestamp)> {
        let first = from.to_zoned(self.zone.clone()).date();
        let days = first.series(1.day()).take(3653).filter(|day| self.is_working_day(*day));
        days.flat_map(move |day| {
            self.hours.iter().filter_map(move |h| Some((self.at(day, h.from)?, self.at(day, h.to)?)))
        })
        .filter(move |(open, close)| *close > from && close > open)
    }

    fn working_days_after(&self, day: Date) -> impl Iterator<Item = Date> {
        day.series(1.day()).skip(1).take(36_530).filter(|day| self.is_working_day(*day))
    }

    /// A time of day that a change of the clock skips is the instant after the gap.
    fn at(&self, day: Date, time: Time) -> Option<Timestamp> {
        let zoned: Zoned = day.to_datetime(time).to_zoned(self.zone.clone()).ok()?;
        Some(zoned.timestamp())
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::{date, time};
    use proptest::prelude::*;

    use super::*;

    fn hours() -> Vec<OfficeHours> {
        vec![
            OfficeHours { from: time(8, 30, 0, 0), to: time(12, 0, 0, 0) },
            OfficeHours { from: time(13, 30, 0, 0), to: time(17, 30, 0, 0) },
        ]
    }

    fn days(days: &[(i16, i8, i8)]) -> BTreeSet<Date> {
        days.iter().map(|&(y, m, d)| date(y, m, d)).collect()
    }

    /// National Day of 2026: 1 to 7 October off, Sunday 20 September and Saturday 10 October made up for.
    fn china() -> WorkCalendar {
        let holidays = (1..=7).map(|d| date(2026, 10, d)).collect();
        let zone = TimeZone::get("Asia/Shanghai").unwrap();
        WorkCalendar::new(zone, hours(), holidays, days(&[(2026, 9, 20), (2026, 10, 10)])).unwrap()
    }

    fn local(calendar: &WorkCalendar, text: &str) -> Timestamp {
        text.parse::<jiff::civil::DateTime>().unwrap().to_zoned(calendar.zone.clone()).unwrap().timestamp()
    }

    #[test]
    fn deadlines_fall_where_the_table_says() {
        use DeadlineUnit::{Days, Hours, WorkingDays, WorkingHours};
        let calendar = china();
        for (from, amount, unit, due, why) in [
            ("2026-11-20T16:30", 4, Hours, "2026-11-20T20:30", "the clock knows no office"),
            (
                "2026-11-20T16:30",
                4,
                WorkingHours,
                "2026-11-23T11:30",
                "over a weekend: 1 h on Friday, 3 on Monday",
            ),
            ("2026-11-20T11:00", 2, WorkingHours, "2026-11-20T14:30", "over noon"),
            ("2026-11-20T11:00", 1, WorkingHours, "2026-11-20T12:00", "up to noon"),
            ("2026-11-21T03:00", 8, WorkingHours, "2026-11-24T09:00", "from a night: Monday has 7.5 h"),
            (
                "2026-11-20T09:00",
                1,
                WorkingDays,
                "2026-11-23T17:30",
                "the day of the beginning does not count",
            ),
            ("2026-11-21T09:00", 1, WorkingDays, "2026-11-23T17:30", "nor does a Saturday"),
            ("2026-09-30T17:00", 1, WorkingHours, "2026-10-08T09:00", "over the National Day"),
            (
                "2026-09-30T10:00",
                3,
                WorkingDays,
                "2026-10-10T17:30",
                "8, 9 and the made-up Saturday 10 October",
            ),
            ("2026-09-18T17:00", 1, WorkingHours, "2026-09-20T09:00", "a made-up Sunday is a working day"),
            ("2026-09-28T10:00", 6, WorkingDays, "2026-10-12T17:30", "29, 30, then 8, 9, 10, and Monday 12"),
            ("2026-09-30T10:00", 2, Days, "2026-10-02T10:00", "days of the calendar have no holidays"),
            ("2026-02-26T10:00", 20, WorkingDays, "2026-03-26T17:30", "a demolition's twenty working days"),
        ] {
            let allowance = Allowance { amount, unit };
            let expected = local(&calendar, due);
            assert_eq!(calendar.deadline(local(&calendar, from), allowance), Some(expected), "{from}: {why}");
        }
    }

    #[test]
    fn a_change_of_the_clock_neither_gives_nor_takes_working_time() {
        let zone = TimeZone::get("Europe/Berlin").unwrap();
        let night = vec![OfficeHours { from: time(1, 0, 0, 0), to: time(5, 0, 0, 0) }];
        let sundays = days(&[(2026, 3, 29), (2026, 10, 25)]);
        let calendar = WorkCalendar::new(zone, night, BTreeSet::new(), sundays).unwrap();
        let due = |from: &str, amount| {
            let allowance = Allowance { amount, unit: DeadlineUnit::WorkingHours };
            calendar.deadline(local(&calendar, from), allowance).unwrap()
        };
        // On 29 March 2 o'clock is 3 o'clock: three hours pass between 1 and 5. On 25 October it is five.
        assert_eq!(due("2026-03-29T01:00", 3), local(&calendar, "2026-03-29T05:00"));
        assert_eq!(due("2026-03-29T01:00", 4), local(&calendar, "2026-03-30T02:00"));
        assert_eq!(due("2026-10-25T01:00", 5), local(&calendar, "2026-10-25T05:00"));
        let day = Allowance { amount: 1, unit: DeadlineUnit::Days };
        let noon = calendar.deadline(local(&calendar, "2026-03-28T12:00"), day).unwrap();
        assert_eq!(noon, local(&calendar, "2026-03-29T12:00"), "the same time of day, 23 hours later");
    }

    #[test]
    fn a_calendar_that_contradicts_itself_is_refused() {
        let zone = TimeZone::UTC;
        let both = days(&[(2026, 10, 1)]);
        assert_eq!(
            WorkCalendar::new(zone.clone(), hours(), both.clone(), both),
            Err(InvalidCalendar::Both(date(2026, 10, 1)))
        );
        let mut turned = hours();
        turned.reverse();
        for bad in [vec![], turned] {
            assert_eq!(
                WorkCalendar::new(zone.clone(), bad, BTreeSet::new(), BTreeSet::new()),
                Err(InvalidCalendar::Hours)
            );
        }
    }

    proptest! {
        #[test]
        fn a_deadline_in_working_hours_holds_just_that_working_time(minutes in 0i64..525_600, amount in 0u32..80) {
            let calendar = china();
            let from = local(&calendar, "2026-01-01T00:00") + SignedDuration::from_mins(minutes);
            let allowance = Allowance { amount, unit: DeadlineUnit::WorkingHours };
            let due = calendar.deadline(from, allowance).unwrap();
            prop_assert_eq!(calendar.working_time(from, due), SignedDuration::from_hours(i64::from(amount)));
        }
    }
}
