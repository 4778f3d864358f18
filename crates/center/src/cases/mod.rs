//! The work on cases: reporting, deeds, orders, deadlines and rules that file by themselves. What may follow what is core's;
//! this brings it together with the store, the catalogue and the pages.

mod delivery;
pub(crate) mod order;
mod plan;
pub(crate) mod settings;

use std::{
    path::PathBuf,
    sync::{Arc, OnceLock, PoisonError, RwLock},
    time::Duration,
};

use jiff::tz::TimeZone;
use parapet_core::{
    Allowance, CaseId, Clock, IncidentId, KindCode, Timestamp, WorkCalendar,
    case::{CaseAction, CaseRules, CaseStep, Deed, Report, StepAllowances},
};
use parapet_paper::Press;
use parapet_store::{
    CaseDetail, CaseExtra, DepartmentRow, IncidentRow, KindRow, NewOrder, SettingRow, Store, StoreError,
};
use serde_json::Value;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tracing::{debug, error, info};

pub(crate) use self::delivery::Courier;
use self::settings::{SettingError, Settings};
use crate::{
    api::{case_shape, live_shape::LiveMessage},
    live::Hub,
};

/// The working time of offices by default: China's, with the holidays of 2026.
///
/// # Panics
/// Never: the default holds together.
pub fn office_calendar() -> WorkCalendar {
    settings::CalendarSetting::default().calendar().expect("the calendar by default holds together")
}

/// Who does what the clock does.
const CLOCK: &str = "clock";
/// How often passing deadlines and deliveries are looked for.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// What is done in one look; the rest comes with the next.
const AT_ONCE: u32 = 100;

/// Why something about a case was not done.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CasesError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("no incident was named; hint: name at least one in \"incidents\"")]
    NoIncidents,
    #[error("the incidents are of several sites or kinds; hint: one case for each")]
    Mixed,
    #[error("there is no kind \"{0}\" in the catalogue that can be filed; hint: see /api/kinds")]
    UnknownKind(String),
    #[error("there is no department \"{0}\" that takes cases of this site; hint: see /api/departments")]
    UnknownDepartment(String),
    #[error(transparent)]
    Setting(#[from] SettingError),
}

/// The rules about time for one kind, as they are now.
#[derive(Debug, Clone)]
pub(crate) struct Rules {
    calendar: Arc<WorkCalendar>,
    steps: StepAllowances,
    handle: Allowance,
}

impl Rules {
    pub(crate) fn of(&self) -> CaseRules<'_> {
        CaseRules { calendar: &self.calendar, steps: &self.steps, handle: self.handle }
    }
}

/// What a person (or a rule) asks to be done to a case.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) deed: Deed,
    /// What the department is to do, with an order.
    pub(crate) instruction: Option<String>,
    pub(crate) extra: CaseExtra,
}

/// What people see in a setting's place.
#[derive(Debug, Clone)]
struct Present {
    settings: Settings,
    calendar: Arc<WorkCalendar>,
}

/// The office where cases are worked on. Cloning shares it.
#[derive(Debug, Clone)]
pub(crate) struct Cases {
    store: Store,
    hub: Hub,
    clock: Arc<dyn Clock>,
    present: Arc<RwLock<Present>>,
    press: Arc<OnceLock<Press>>,
    courier: Courier,
    answers: PathBuf,
    /// The vault is to look: the evidence of open cases must stay.
    vault: Arc<Notify>,
}

impl Cases {
    /// `answers` is the directory for pictures that departments send.
    pub(crate) async fn open(
        store: Store,
        hub: Hub,
        clock: Arc<dyn Clock>,
        courier: Courier,
        answers: PathBuf,
        vault: Arc<Notify>,
    ) -> Result<Self, StoreError> {
        let settings = Settings::load(&store).await?;
        let present = Arc::new(RwLock::new(Present::new(settings)));
        Ok(Self { store, hub, clock, present, press: Arc::default(), courier, answers, vault })
    }

    pub(crate) fn settings(&self) -> Settings {
        self.present.read().unwrap_or_else(PoisonError::into_inner).settings.clone()
    }

    /// Whether any rule files by itself, so that nothing need be read for them if not.
    pub(crate) fn has_filing_rules(&self) -> bool {
        let present = self.present.read().unwrap_or_else(PoisonError::into_inner);
        present.settings.filing.iter().any(|rule| rule.enabled)
    }

    /// Changes a part of the settings, on record.
    pub(crate) async fn set(&self, name: &str, document: Value, by: &str) -> Result<Settings, CasesError> {
        let mut settings = self.settings();
        settings.set(name, document)?;
        let document = settings.part(name).ok_or(SettingError::Name)?;
        let row = SettingRow {
            name: name.to_owned(),
            document,
            changed_at: self.clock.now(),
            changed_by: by.to_owned(),
        };
        self.store.put_setting(&row).await?;
        *self.present.write().unwrap_or_else(PoisonError::into_inner) = Present::new(settings.clone());
        info!(setting = name, by, "a setting was changed");
        Ok(settings)
    }

    /// The zone in which people read times.
    pub(crate) fn zone(&self) -> TimeZone {
        self.present.read().unwrap_or_else(PoisonError::into_inner).calendar.zone().clone()
    }

    /// Where pictures of answers are kept.
    pub(crate) fn answers(&self) -> &std::path::Path {
        &self.answers
    }

    /// The typesetter; the first call looks through the machine's fonts.
    pub(crate) fn press(&self) -> &Press {
        self.press.get_or_init(Press::new)
    }

    /// The rules for a kind of the catalogue, and the kind.
    async fn rules(&self, kind: &KindCode) -> Result<(Rules, KindRow), CasesError> {
        let kinds = self.store.kinds().await?;
        let row = kinds.into_iter().find(|row| row.code == *kind);
        let row = row.ok_or_else(|| CasesError::UnknownKind(kind.to_string()))?;
        let present = self.present.read().unwrap_or_else(PoisonError::into_inner);
        let handle = Allowance { amount: row.deadline_amount, unit: row.deadline_unit };
        let rules = Rules { calendar: Arc::clone(&present.calendar), steps: present.settings.steps, handle };
        Ok((rules, row))
    }

    /// Files incidents as one case. Where a case of the same kind at the same place is open, they become a part of that
    /// one; where one was closed of late, it is opened again; an older one is named as the one before.
    pub(crate) async fn file(
        &self,
        incidents: &[IncidentRow],
        note: Option<String>,
        by: &str,
    ) -> Result<CaseDetail, CasesError> {
        let first = incidents.first().ok_or(CasesError::NoIncidents)?;
        if incidents.iter().any(|row| row.site != first.site || row.kind != first.kind) {
            return Err(CasesError::Mixed);
        }
        let now = self.clock.now();
        let (rules, kind) = self.rules(&first.kind).await?;
        if !kind.enabled {
            return Err(CasesError::UnknownKind(first.kind.to_string()));
        }
        let earlier = match incidents {
            [only] => self.store.case_at_place_of(only).await?,
            _ => None,
        };
        if let Some(case) = &earlier {
            let action = match case.closed_at {
                None => Some(CaseAction::Link),
                Some(at) if case.step == CaseStep::Closed && self.settings().reopens(at, now) => {
                    Some(CaseAction::Reopen)
                }
                Some(_) => None,
            };
            if let Some(action) = action {
                let reason =
                    note.unwrap_or_else(|| "同一地点再次发现 / seen again at the same place".to_owned());
                let deed = Deed::new(action, by, now).because(reason);
                let extra = CaseExtra::Incident(first.id);
                let id = case.id;
                self.store.change_case(id, &deed, &extra, &rules.of()).await?;
                return self.told(id).await;
            }
        }
        let report = Report {
            site: first.site.clone(),
            camera: Some(first.camera.clone()),
            kind: first.kind.clone(),
            place: first.place.clone(),
            place_text: None,
            note,
            follows: earlier.map(|case| case.id),
            by: by.to_owned(),
            at: now,
        };
        let ids: Vec<IncidentId> = incidents.iter().map(|row| row.id).collect();
        let row = self.store.open_case(report, &ids, &rules.of()).await?;
        metrics::counter!("parapet_center_cases_total", "kind" => first.kind.to_string()).increment(1);
        self.told(row.case.id).await
    }

    /// Files what a person saw, without an incident.
    pub(crate) async fn report(&self, mut report: Report) -> Result<CaseDetail, CasesError> {
        let (rules, kind) = self.rules(&report.kind).await?;
        if !kind.enabled {
            return Err(CasesError::UnknownKind(report.kind.to_string()));
        }
        report.at = self.clock.now();
        let row = self.store.open_case(report, &[], &rules.of()).await?;
        self.told(row.case.id).await
    }

    /// Does a deed, with the order if it sends the case to a department.
    pub(crate) async fn act(&self, id: CaseId, mut request: Request) -> Result<CaseDetail, CasesError> {
        let detail = self.store.case(id).await?.ok_or(StoreError::NoCase(id))?;
        let (rules, kind) = self.rules(&detail.case.kind).await?;
        request.deed.at = self.clock.now();
        if request.deed.action == CaseAction::Dispatch {
            let wanted = request.deed.department.as_ref().ok_or(parapet_core::case::CaseError::NoDepartment);
            let wanted = wanted.map_err(StoreError::from)?.clone();
            let department = self.department(&wanted, &detail.case.site).await?;
            request.deed.level = Some(department.level);
            let document = order::document(&self.store, &detail, &kind, &department).await?;
            let targets = Courier::targets(&department);
            request.extra =
                CaseExtra::Order(NewOrder { instruction: request.instruction, document, targets });
        }
        self.store.change_case(id, &request.deed, &request.extra, &rules.of()).await?;
        info!(case = %detail.case.number, action = ?request.deed.action, by = request.deed.actor, "a case was worked on");
        self.told(id).await
    }

    async fn department(
        &self,
        id: &parapet_core::DepartmentId,
        site: &parapet_core::SiteId,
    ) -> Result<DepartmentRow, CasesError> {
        let departments = self.store.departments().await?;
        let takes = |row: &DepartmentRow| {
            row.id == *id && row.enabled && (row.sites.is_empty() || row.sites.contains(site))
        };
        departments.into_iter().find(takes).ok_or_else(|| CasesError::UnknownDepartment(id.to_string()))
    }

    /// Files an incident that has just started, if a rule says so. What cannot be filed stays for a person.
    pub(crate) async fn file_by_rule(&self, incident: &IncidentRow) {
        let settings = self.settings();
        let Some((number, rule)) = settings.rule_for(incident) else { return };
        let by = format!("rule:{number}");
        let filed = match self.file(std::slice::from_ref(incident), None, &by).await {
            Ok(detail) => {
                info!(case = %detail.case.number, incident = %incident.id, by, "filed by rule");
                self.send_by_rule(detail, rule.department.clone(), &by).await
            }
            Err(error) => Err(error),
        };
        match filed {
            // Done; or told again, or a person was faster.
            Ok(())
            | Err(CasesError::Store(StoreError::AlreadyFiled { .. } | StoreError::Transition { .. })) => {}
            Err(error) => error!(%error, incident = %incident.id, by, "a rule cannot file an incident"),
        }
    }

    /// Takes a case that a rule has just filed to the rule's department.
    async fn send_by_rule(
        &self,
        detail: CaseDetail,
        department: Option<parapet_core::DepartmentId>,
        by: &str,
    ) -> Result<(), CasesError> {
        if department.is_none() || detail.case.step != CaseStep::Reported {
            return Ok(());
        }
        for action in [CaseAction::Accept, CaseAction::Dispatch] {
            let deed = Deed { department: department.clone(), ..Deed::new(action, by, self.clock.now()) };
            self.act(detail.case.id, Request { deed, instruction: None, extra: CaseExtra::None }).await?;
        }
        Ok(())
    }

    /// Warns of deadlines and calls the next level, for all that is due.
    pub(crate) async fn look_at_deadlines(&self, now: Timestamp) -> Result<usize, StoreError> {
        let due = self.store.cases_to_tell(now, AT_ONCE).await?;
        for (id, action) in &due {
            let Some(detail) = self.store.case(*id).await? else { continue };
            let rules = match self.rules(&detail.case.kind).await {
                Ok((rules, _)) => rules,
                Err(CasesError::Store(error)) => return Err(error),
                Err(error) => {
                    error!(%error, case = %detail.case.number, "a case's deadline cannot be told");
                    continue;
                }
            };
            let deed = Deed::new(*action, CLOCK, now);
            match self.store.change_case(*id, &deed, &CaseExtra::None, &rules.of()).await {
                Ok(case) => {
                    info!(case = %case.number, ?action, level = ?case.level, "a deadline passes");
                    metrics::counter!("parapet_center_deadlines_total", "told" => if *action == CaseAction::Warn { "warning" } else { "escalation" })
                        .increment(1);
                    drop(self.told(*id).await);
                }
                // A person was faster; the next look sees what is left to tell.
                Err(StoreError::Case(_) | StoreError::CaseChanged(_)) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(due.len())
    }

    /// Watches deadlines and brings orders to other platforms, until `stop`. A platform that is slow delays no deadline.
    pub(crate) async fn run(self, stop: CancellationToken) {
        let deadlines = async {
            let mut every = looks();
            while stop.run_until_cancelled(every.tick()).await.is_some() {
                if let Err(error) = self.look_at_deadlines(self.clock.now()).await {
                    debug!(%error, "deadlines cannot be looked at; trying again");
                }
            }
        };
        let deliveries = async {
            let mut every = looks();
            while stop.run_until_cancelled(every.tick()).await.is_some() {
                if let Err(error) = self.courier.deliver(&self.store, self.clock.now()).await {
                    debug!(%error, "deliveries cannot be looked at; trying again");
                }
            }
        };
        tokio::join!(deadlines, deliveries);
    }

    /// The case as it stands, told to the pages and to the vault.
    async fn told(&self, id: CaseId) -> Result<CaseDetail, CasesError> {
        self.vault.notify_one();
        let detail = self.store.case(id).await?.ok_or(StoreError::NoCase(id))?;
        if !self.hub.has_listeners() {
            return Ok(detail);
        }
        let case = case_shape::Case::new(detail.row(), self.clock.now());
        self.hub.tell(&LiveMessage::Case { case: Box::new(case) });
        for incident in &detail.incidents {
            let Some(stored) = self.store.incident(*incident).await? else { continue };
            let incident = crate::api::shape::Incident::new(stored.incident, &stored.evidence);
            self.hub.tell(&LiveMessage::Incident { incident: Box::new(incident) });
        }
        Ok(detail)
    }
}

/// When to look, again and again.
fn looks() -> tokio::time::Interval {
    let mut every = tokio::time::interval(LOOK_EVERY);
    every.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    every
}

impl Present {
    fn new(settings: Settings) -> Self {
        let calendar = settings.calendar.calendar().unwrap_or_else(|_| office_calendar());
        Self { settings, calendar: Arc::new(calendar) }
    }
}
