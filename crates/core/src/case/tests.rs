use std::collections::BTreeSet;

use jiff::{
    civil::{date, time},
    tz::TimeZone,
};
use proptest::prelude::*;

use super::*;
use crate::{Allowance, DeadlineUnit, OfficeHours, WorkCalendar};

/// Office hours from 8:30 to 12:00 and 13:30 to 17:30 in Shanghai; 1 to 7 October off, Saturday 10 October made up for.
fn calendar() -> WorkCalendar {
    let hours = vec![
        OfficeHours { from: time(8, 30, 0, 0), to: time(12, 0, 0, 0) },
        OfficeHours { from: time(13, 30, 0, 0), to: time(17, 30, 0, 0) },
    ];
    let holidays = (1..=7).map(|day| date(2026, 10, day)).collect();
    let zone = TimeZone::get("Asia/Shanghai").unwrap();
    WorkCalendar::new(zone, hours, holidays, BTreeSet::from([date(2026, 10, 10)])).unwrap()
}

fn at(text: &str) -> Timestamp {
    let local: jiff::civil::DateTime = text.parse().unwrap();
    local.to_zoned(TimeZone::get("Asia/Shanghai").unwrap()).unwrap().timestamp()
}

const DEMOLITION: Allowance = Allowance { amount: 20, unit: DeadlineUnit::WorkingDays };
const EIGHT_HOURS: Allowance = Allowance { amount: 8, unit: DeadlineUnit::WorkingHours };

struct Office {
    calendar: WorkCalendar,
    steps: StepAllowances,
    handle: Allowance,
}

impl Office {
    fn new(handle: Allowance) -> Self {
        Self { calendar: calendar(), steps: StepAllowances::default(), handle }
    }

    fn rules(&self) -> CaseRules<'_> {
        CaseRules { calendar: &self.calendar, steps: &self.steps, handle: self.handle }
    }

    fn reported(&self, when: &str) -> Case {
        let report = Report {
            site: "willow-court".parse().unwrap(),
            camera: None,
            kind: "rooftop_structure".parse().unwrap(),
            place: None,
            place_text: Some("3 号楼楼顶".to_owned()),
            note: None,
            follows: None,
            by: "li".to_owned(),
            at: at(when),
        };
        Case::report(Number::of_case(2026, 12), report, &self.rules())
    }

    fn go(&self, case: &Case, action: CaseAction, when: &str) -> Result<Case, CaseError> {
        let mut deed = Deed::new(action, "wang", at(when)).because("现场核实");
        deed.department = Some("street-office".parse().unwrap());
        deed.level = Some(Level::Street);
        deed.allowance = Some(Allowance { amount: 2, unit: DeadlineUnit::WorkingDays })
            .filter(|_| action == CaseAction::Extend);
        deed.into = Some(CaseId::derive(&["AJ2026-000001"]));
        case.after(&deed, &self.rules())
    }
}

#[test]
fn a_case_goes_all_the_way_and_each_step_has_its_deadline() {
    use CaseAction::{Accept, Answer, CheckPass, Close, Dispatch};
    let office = Office::new(EIGHT_HOURS);
    let mut case = office.reported("2026-11-20T16:30");
    for (action, when, step, due) in [
        (None, "", CaseStep::Reported, Some("2026-11-20T17:30")),
        (Some(Accept), "2026-11-20T17:00", CaseStep::Accepted, Some("2026-11-23T09:00")),
        (Some(Dispatch), "2026-11-23T08:40", CaseStep::Dispatched, Some("2026-11-24T09:10")),
        (Some(Answer), "2026-11-23T15:00", CaseStep::Handled, Some("2026-11-24T15:30")),
        (Some(CheckPass), "2026-11-24T09:00", CaseStep::Verified, Some("2026-11-25T09:30")),
        (Some(Close), "2026-11-24T09:30", CaseStep::Closed, None),
    ] {
        if let Some(action) = action {
            case = office.go(&case, action, when).unwrap();
        }
        assert_eq!((case.step, case.step_due), (step, due.map(at)), "{action:?}");
    }
    assert_eq!(case.closed_at, Some(at("2026-11-24T09:30")));
    assert_eq!((case.sequence, case.level), (6, Level::Street));
    assert_eq!(case.due, None);
}

#[test]
fn a_case_is_closed_only_after_a_check() {
    use CaseAction::{Accept, Answer, CheckFail, Close, Dispatch};
    let office = Office::new(EIGHT_HOURS);
    let mut case = office.reported("2026-11-20T09:00");
    for action in [Accept, Dispatch, Answer] {
        assert!(matches!(office.go(&case, Close, "2026-11-20T10:00"), Err(CaseError::NotNow { .. })));
        case = office.go(&case, action, "2026-11-20T10:00").unwrap();
    }
    assert!(office.go(&case, Close, "2026-11-20T10:00").is_err());
    let back = office.go(&case, CheckFail, "2026-11-20T11:00").unwrap();
    assert_eq!(back.step, CaseStep::Dispatched);
    assert_eq!(back.department.as_ref().map(crate::DepartmentId::as_str), Some("street-office"));
}

#[test]
fn a_demolition_has_its_twenty_working_days() {
    let office = Office::new(DEMOLITION);
    let accepted =
        office.go(&office.reported("2026-09-30T09:00"), CaseAction::Accept, "2026-09-30T09:10").unwrap();
    let sent = office.go(&accepted, CaseAction::Dispatch, "2026-09-30T10:00").unwrap();
    // 8, 9, the made-up 10, then 12 to 16, 19 to 23, 26 to 30 October (18 days), and 2 and 3 November.
    assert_eq!(sent.step_due, Some(at("2026-11-03T17:30")));
    assert!(sent.due >= sent.step_due, "the whole case is not due before its step");
}

#[test]
fn lateness_is_told_before_and_after_the_deadline() {
    let office = Office::new(EIGHT_HOURS);
    let case = office.reported("2026-11-20T09:00");
    assert_eq!(case.step_due, Some(at("2026-11-20T10:00")));
    assert_eq!(case.warn_at, Some(at("2026-11-20T09:45")));
    assert_eq!(case.lateness(at("2026-11-20T09:44")), Lateness::OnTime);
    assert_eq!(case.lateness(at("2026-11-20T09:45")), Lateness::Warning);
    assert_eq!(case.lateness(at("2026-11-20T10:00")), Lateness::Overdue);
}

#[test]
fn each_whistle_calls_the_next_level_until_there_is_none() {
    let office = Office::new(EIGHT_HOURS);
    let mut case = office.reported("2026-11-20T09:00");
    assert_eq!(case.escalate_at, case.step_due);
    for (when, level, next) in [
        ("2026-11-20T10:00", Level::Community, Some("2026-11-23T10:30")),
        ("2026-11-23T10:30", Level::Street, Some("2026-11-24T11:00")),
        ("2026-11-24T11:00", Level::Department, None),
    ] {
        case = office.go(&case, CaseAction::Escalate, when).unwrap();
        assert_eq!((case.level, case.escalate_at), (level, next.map(at)));
    }
    assert_eq!(office.go(&case, CaseAction::Escalate, "2026-11-25T09:00"), Err(CaseError::NobodyAbove));
}

#[test]
fn while_a_case_is_suspended_its_clocks_stand_still() {
    use CaseAction::{Accept, Answer, Dispatch, Resume, Suspend};
    let office = Office::new(EIGHT_HOURS);
    let accepted = office.go(&office.reported("2026-11-18T09:00"), Accept, "2026-11-18T09:00").unwrap();
    let sent = office.go(&accepted, Dispatch, "2026-11-18T09:00").unwrap();
    assert_eq!(sent.step_due, Some(at("2026-11-19T09:30")));
    let still = office.go(&sent, Suspend, "2026-11-18T15:00").unwrap();
    assert_eq!(still.lateness(at("2026-11-30T09:00")), Lateness::OnTime);
    assert_eq!(office.go(&still, Answer, "2026-11-20T09:00"), Err(CaseError::Suspended));
    // 2.5 h of Wednesday and 1 h of Thursday were left.
    let on = office.go(&still, Resume, "2026-11-21T12:00").unwrap();
    assert_eq!(on.step_due, Some(at("2026-11-23T12:00")));
    let days = Office::new(DEMOLITION);
    let mut case = days.go(&days.reported("2026-11-02T09:00"), Accept, "2026-11-02T09:00").unwrap();
    case = days.go(&case, Dispatch, "2026-11-02T10:00").unwrap();
    assert_eq!(case.step_due, Some(at("2026-11-30T17:30")));
    case = days.go(&case, Suspend, "2026-11-06T10:00").unwrap();
    case = days.go(&case, Resume, "2026-11-10T10:00").unwrap();
    assert_eq!(
        case.step_due,
        Some(at("2026-12-02T17:30")),
        "Monday and Tuesday were lost, the weekend was not"
    );
}

#[test]
fn more_time_counts_from_the_deadline_or_from_now() {
    let office = Office::new(EIGHT_HOURS);
    let case = office.reported("2026-11-20T09:00");
    let early = office.go(&case, CaseAction::Extend, "2026-11-20T09:30").unwrap();
    assert_eq!(early.step_due, Some(at("2026-11-24T17:30")));
    let late = office.go(&case, CaseAction::Extend, "2026-11-23T09:30").unwrap();
    assert_eq!(late.step_due, Some(at("2026-11-25T17:30")));
    assert_eq!(late.lateness(at("2026-11-23T10:00")), Lateness::OnTime);
}

#[test]
fn a_deed_that_must_say_why_says_why() {
    let office = Office::new(EIGHT_HOURS);
    let case = office.reported("2026-11-20T09:00");
    let deed = Deed::new(CaseAction::Reject, "wang", at("2026-11-20T09:10"));
    assert_eq!(case.after(&deed, &office.rules()), Err(CaseError::NoReason(CaseAction::Reject)));
    assert!(case.after(&deed.clone().because("  "), &office.rules()).is_err());
    let rejected = case.after(&deed.because("已批准"), &office.rules()).unwrap();
    assert_eq!((rejected.step, rejected.escalate_at), (CaseStep::Rejected, None));
    let reopened = office.go(&rejected, CaseAction::Reopen, "2026-11-23T09:00").unwrap();
    assert_eq!((reopened.step, reopened.reopened), (CaseStep::Accepted, 1));
    assert_eq!(reopened.closed_at, None);
}

#[test]
fn a_number_tells_its_year_and_serial() {
    let order = Number::of_order(2026, 3);
    assert_eq!((order.as_str(), order.year_and_serial()), ("JB2026-000003", Some((2026, 3))));
}

fn any_action() -> impl Strategy<Value = CaseAction> {
    prop::sample::select(&CaseAction::BY_PEOPLE[..])
}

proptest! {
    /// Whatever people do: an open case that is not suspended has a deadline, a closed one has none, and no step is skipped.
    #[test]
    fn no_row_of_deeds_leaves_a_case_without_a_next_step(actions in prop::collection::vec(any_action(), 0..40)) {
        let office = Office::new(EIGHT_HOURS);
        let mut case = office.reported("2026-11-02T09:00");
        let mut now = case.opened_at;
        for action in actions {
            now += jiff::SignedDuration::from_hours(3);
            let mut deed = Deed::new(action, "wang", now).because("原因");
            deed.department = Some("street-office".parse().unwrap());
            deed.allowance = Some(EIGHT_HOURS);
            deed.into = Some(CaseId::derive(&["other"]));
            let before = case.clone();
            if let Ok(next) = case.after(&deed, &office.rules()) {
                prop_assert_eq!(next.sequence, before.sequence + 1);
                case = next;
            }
            prop_assert_eq!(case.step.is_open(), case.step_due.is_some());
            prop_assert_eq!(case.step.is_open(), case.closed_at.is_none());
            prop_assert!(case.step != CaseStep::Closed || matches!(before.step, CaseStep::Verified | CaseStep::Closed));
            prop_assert!(case.step != CaseStep::Dispatched || case.department.is_some());
            let can_go_on = CaseAction::BY_PEOPLE.iter().any(|action| case.allows(*action).is_ok());
            prop_assert!(can_go_on || case.step == CaseStep::Merged);
        }
    }
}
