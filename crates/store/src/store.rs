//! The center's store: one face, two databases.

use std::collections::HashMap;

use parapet_core::{
    CameraId, CaseId, EvidenceRole, IncidentId, Scope, SiteId, Timestamp, UserName,
    case::{Case, CaseAction, CaseRules, Deed, Number, Report},
};
use uuid::Uuid;

use crate::{
    Applied, AuditEntry, AuditQuery, AuditRow, CameraRow, CaseCount, CaseDetail, CaseExtra, CasePage,
    CaseQuery, CaseRow, CaseTally, Count, DayCount, DeadLetterRow, DeliveryRow, DepartmentRow, EventRecord,
    EvidenceRecord, HealthRecord, IncidentDetail, IncidentQuery, IncidentRow, KindRow, MuteRow, NodeRow,
    OrderRow, Page, PostgresDatabase, RoofRow, SecretHash, SessionRow, SettingRow, SiteRow, SqliteDatabase,
    StatusChange, StoreError, TokenRow, UserChange, UserRow, VerdictPage, VerdictQuery,
};

/// A store. Cloning shares its connections.
#[derive(Debug, Clone)]
pub enum Store {
    /// In a file.
    Sqlite(SqliteDatabase),
    /// At a server.
    Postgres(PostgresDatabase),
}

macro_rules! either {
    ($store:ident, $database:ident => $result:expr) => {
        match $store {
            $crate::Store::Sqlite($database) => $result.await,
            $crate::Store::Postgres($database) => $result.await,
        }
    };
}
pub(crate) use either;

impl Store {
    /// Opens the store at `sqlite://PATH` (made if it is not there) or `postgres://USER@HOST/DATABASE`, and brings its
    /// tables up to date.
    ///
    /// # Errors
    /// `UnknownAddress`, `Open` or `Migrate`.
    pub async fn open(url: &str) -> Result<Self, StoreError> {
        Self::open_or_create(url, true).await
    }

    /// Opens a store as [`open`](Self::open) does, but makes none.
    ///
    /// # Errors
    /// `UnknownAddress`, `Open` (also when an SQLite file is not there) or `Migrate`.
    pub async fn open_existing(url: &str) -> Result<Self, StoreError> {
        Self::open_or_create(url, false).await
    }

    async fn open_or_create(url: &str, create: bool) -> Result<Self, StoreError> {
        let store = match url.split_once(':') {
            Some(("sqlite", _)) => SqliteDatabase::open(url, create).await.map(Self::Sqlite),
            Some(("postgres" | "postgresql", _)) => PostgresDatabase::open(url).await.map(Self::Postgres),
            _ => Err(StoreError::UnknownAddress(url.to_owned())),
        }?;
        let opened = &store;
        either!(opened, database => database.complete_chains())?;
        Ok(store)
    }

    /// Opens a store as it is, to be looked at: nothing in it is brought up to date, and nothing can be written.
    ///
    /// # Errors
    /// `UnknownAddress` or `Open`.
    pub async fn open_read_only(url: &str) -> Result<Self, StoreError> {
        match url.split_once(':') {
            Some(("sqlite", _)) => SqliteDatabase::open_read_only(url).await.map(Self::Sqlite),
            Some(("postgres" | "postgresql", _)) => {
                PostgresDatabase::open_read_only(url).await.map(Self::Postgres)
            }
            _ => Err(StoreError::UnknownAddress(url.to_owned())),
        }
    }

    /// Opens a center's store for a node that shares cameras in it: as it is, with few connections.
    ///
    /// # Errors
    /// `UnknownAddress` or `Open` (also when an SQLite file is not there).
    pub async fn attach(url: &str) -> Result<Self, StoreError> {
        match url.split_once(':') {
            Some(("sqlite", _)) => SqliteDatabase::attach(url).await.map(Self::Sqlite),
            Some(("postgres" | "postgresql", _)) => PostgresDatabase::attach(url).await.map(Self::Postgres),
            _ => Err(StoreError::UnknownAddress(url.to_owned())),
        }
    }

    /// Waits for what is under way and closes all connections, of all clones.
    pub async fn close(&self) {
        either!(self, database => database.close());
    }

    /// Whether the database answers.
    ///
    /// # Errors
    /// When it does not.
    pub async fn ping(&self) -> Result<(), StoreError> {
        either!(self, database => database.ping())
    }

    /// Stores an event; see [`apply_events`](Self::apply_events).
    ///
    /// # Errors
    /// When the database fails.
    pub async fn apply_event(
        &self,
        record: &EventRecord,
        received_at: Timestamp,
    ) -> Result<Applied, StoreError> {
        let applied = self.apply_events(std::slice::from_ref(record), received_at).await?;
        Ok(applied[0])
    }

    /// Stores events in one transaction, and answers for each whether it was new. Idempotent by event id, and the order
    /// of arrival does not matter: an incident's row shows its event with the highest sequence.
    ///
    /// # Errors
    /// When the database fails; then none is stored.
    pub async fn apply_events(
        &self,
        records: &[EventRecord],
        received_at: Timestamp,
    ) -> Result<Vec<Applied>, StoreError> {
        if records.is_empty() {
            return Ok(Vec::new());
        }
        let applied = either!(self, database => database.apply_events(records, received_at))?;
        let new = applied.iter().filter(|applied| **applied == Applied::New).count();
        metrics::counter!("parapet_store_events_total", "applied" => "new").increment(new as u64);
        metrics::counter!("parapet_store_events_total", "applied" => "duplicate")
            .increment((applied.len() - new) as u64);
        Ok(applied)
    }

    /// Indexes files of evidence; `Duplicate` when all were known. The incident need not be known yet.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn apply_evidence(
        &self,
        record: &EvidenceRecord,
        received_at: Timestamp,
    ) -> Result<Applied, StoreError> {
        either!(self, database => database.apply_evidence(record, received_at))
    }

    /// Stores a change in a camera's health.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn apply_health(
        &self,
        record: &HealthRecord,
        received_at: Timestamp,
    ) -> Result<Applied, StoreError> {
        either!(self, database => database.apply_health(record, received_at))
    }

    /// Replaces a camera's present state. The latest call counts, whatever its time: the bus keeps the order, and a last
    /// will is older than what it follows.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn put_camera(&self, row: &CameraRow) -> Result<(), StoreError> {
        either!(self, database => database.put_camera(row))
    }

    /// Replaces a node's present state. The latest call counts.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn put_node(&self, row: &NodeRow) -> Result<(), StoreError> {
        either!(self, database => database.put_node(row))
    }

    /// All cameras that are configured, by site, node and name.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn cameras(&self) -> Result<Vec<CameraRow>, StoreError> {
        either!(self, database => database.cameras())
    }

    /// All cameras that ever were, the longest unheard of first: what was private in their pictures stays so.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn all_cameras(&self) -> Result<Vec<CameraRow>, StoreError> {
        either!(self, database => database.all_cameras())
    }

    /// All nodes, by site and name.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn nodes(&self) -> Result<Vec<NodeRow>, StoreError> {
        either!(self, database => database.nodes())
    }

    /// Replaces what is known of a roof. The latest call counts.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn put_roof(&self, row: &RoofRow) -> Result<(), StoreError> {
        either!(self, database => database.put_roof(row))
    }

    /// What is known of the roofs of one site or of all, as far as the reader may see whole sites, by site and building.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn roofs(&self, site: Option<&SiteId>, scope: &Scope) -> Result<Vec<RoofRow>, StoreError> {
        either!(self, database => database.roofs(site, scope))
    }

    /// Changes in the health of one camera or of all, newest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn health(
        &self,
        camera: Option<&CameraId>,
        limit: u32,
    ) -> Result<Vec<HealthRecord>, StoreError> {
        either!(self, database => database.health(camera, limit))
    }

    /// A page of incidents, newest start first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn incidents(&self, query: &IncidentQuery) -> Result<Page, StoreError> {
        either!(self, database => database.incidents(query))
    }

    /// An incident with its events and evidence.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn incident(&self, id: IncidentId) -> Result<Option<IncidentDetail>, StoreError> {
        either!(self, database => database.incident(id))
    }

    /// How many incidents there are for each kind, status, and open or ended; `limit` and `cursor` do not matter.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn counts(&self, query: &IncidentQuery) -> Result<Vec<Count>, StoreError> {
        either!(self, database => database.counts(query))
    }

    /// A page of what people have judged, as a labelled event set holds it: oldest start first, withdrawn verdicts left
    /// out. One statement for a page, however large the set is.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn verdicts(&self, query: &VerdictQuery) -> Result<VerdictPage, StoreError> {
        either!(self, database => database.verdicts(query))
    }

    /// Which files of evidence there are of each of these incidents, each role once and in order; incidents without any
    /// are left out. One statement.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn evidence_roles(
        &self,
        incidents: &[IncidentId],
    ) -> Result<HashMap<IncidentId, Vec<EvidenceRole>>, StoreError> {
        if incidents.is_empty() {
            return Ok(HashMap::new());
        }
        either!(self, database => database.evidence_roles(incidents))
    }

    /// Changes an incident's status and puts it on record, in one transaction.
    ///
    /// # Errors
    /// `NoIncident`, `NoOperator`, `Transition` when the change may not follow the present status (also when another
    /// operator was faster), or when the database fails.
    pub async fn set_status(&self, id: IncidentId, change: &StatusChange) -> Result<IncidentRow, StoreError> {
        either!(self, database => database.set_status(id, change))
    }

    /// The catalogue of kinds.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn kinds(&self) -> Result<Vec<KindRow>, StoreError> {
        either!(self, database => database.kinds())
    }

    /// Reports a new case about these incidents (or about none, if a person saw it), which nobody may have filed before;
    /// they are confirmed by that, if nobody judged them. All in one transaction, and on record.
    ///
    /// # Errors
    /// `NoIncident`, `AlreadyFiled`, `Transition` for a dismissed incident, or when the database fails.
    pub async fn open_case(
        &self,
        report: Report,
        incidents: &[IncidentId],
        rules: &CaseRules<'_>,
    ) -> Result<CaseRow, StoreError> {
        either!(self, database => database.open_case(report, incidents, rules))
    }

    /// Does a deed to a case with what goes with it, in one transaction, and puts it on record. The case's incidents
    /// follow.
    ///
    /// # Errors
    /// `NoCase`, `Case` when the deed does not follow, `CaseChanged` when somebody was faster, `CannotMerge`, the errors of
    /// [`open_case`](Self::open_case) about an incident, or when the database fails.
    pub async fn change_case(
        &self,
        id: CaseId,
        deed: &Deed,
        extra: &CaseExtra,
        rules: &CaseRules<'_>,
    ) -> Result<Case, StoreError> {
        either!(self, database => database.change_case(id, deed, extra, rules))
    }

    /// Open cases whose warning or whistle is due, and which of the two, those that have waited longest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn cases_to_tell(
        &self,
        now: Timestamp,
        limit: u32,
    ) -> Result<Vec<(CaseId, CaseAction)>, StoreError> {
        either!(self, database => database.cases_to_tell(now, limit))
    }

    /// A case with everything that belongs to it.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn case(&self, id: CaseId) -> Result<Option<CaseDetail>, StoreError> {
        either!(self, database => database.case(id))
    }

    /// Incidents of the same site at the same place (by its coordinates, or in the same camera's picture), newest first, at
    /// most `limit`; this one is left out.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn incidents_at_place_of(
        &self,
        incident: &IncidentRow,
        limit: usize,
    ) -> Result<Vec<IncidentRow>, StoreError> {
        either!(self, database => database.incidents_at_place_of(incident, limit))
    }

    /// The case of this kind at this place that was worked on last: an open one if there is one; rejected ones do not count.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn case_at_place_of(&self, incident: &IncidentRow) -> Result<Option<Case>, StoreError> {
        either!(self, database => database.case_at_place_of(incident))
    }

    /// A page of cases, newest report first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn cases(&self, query: &CaseQuery) -> Result<CasePage, StoreError> {
        either!(self, database => database.cases(query))
    }

    /// How many cases stand how at which step; the query's own step, lateness, limit and cursor do not matter.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn case_counts(&self, query: &CaseQuery) -> Result<Vec<CaseCount>, StoreError> {
        either!(self, database => database.case_counts(query))
    }

    /// A hand-over order by its number.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn order(&self, number: &Number) -> Result<Option<OrderRow>, StoreError> {
        either!(self, database => database.order(number))
    }

    /// Adds a kind to the catalogue or changes it, on record.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn put_kind(&self, kind: &KindRow, actor: &str, at: Timestamp) -> Result<(), StoreError> {
        either!(self, database => database.put_kind(kind, actor, at))
    }

    /// The departments, by id.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn departments(&self) -> Result<Vec<DepartmentRow>, StoreError> {
        either!(self, database => database.departments())
    }

    /// Adds a department or changes it, on record.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn put_department(
        &self,
        department: &DepartmentRow,
        actor: &str,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        either!(self, database => database.put_department(department, actor, at))
    }

    /// What was chosen in the settings; parts that nobody touched are not there.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn settings(&self) -> Result<Vec<SettingRow>, StoreError> {
        either!(self, database => database.settings())
    }

    /// Changes a part of the settings, on record.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn put_setting(&self, setting: &SettingRow) -> Result<(), StoreError> {
        either!(self, database => database.put_setting(setting))
    }

    /// What is due to go out to other platforms, oldest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn deliveries(&self, now: Timestamp, limit: u32) -> Result<Vec<DeliveryRow>, StoreError> {
        either!(self, database => database.deliveries(now, limit))
    }

    /// Notes what came of an attempt to deliver: done, or why not and when to try again.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn delivery_tried(
        &self,
        id: i64,
        at: Timestamp,
        failure: Option<(&str, Timestamp)>,
    ) -> Result<(), StoreError> {
        either!(self, database => database.delivery_tried(id, at, failure))
    }

    /// Makes a mute, on record.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn put_mute(&self, mute: &MuteRow) -> Result<(), StoreError> {
        either!(self, database => database.put_mute(mute))
    }

    /// The mutes in force, those that end first first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn mutes(&self, now: Timestamp) -> Result<Vec<MuteRow>, StoreError> {
        either!(self, database => database.mutes(now))
    }

    /// Ends a mute, on record; whether it was in force.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn end_mute(&self, id: Uuid, by: &str, now: Timestamp) -> Result<bool, StoreError> {
        either!(self, database => database.end_mute(id, by, now))
    }

    /// Keeps an incident out of the queue.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn mute_incident(&self, incident: IncidentId, mute: Uuid) -> Result<(), StoreError> {
        either!(self, database => database.mute_incident(incident, mute))
    }

    /// Replaces what is known of a site, on record.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn put_site(&self, site: &SiteRow, by: &str, at: Timestamp) -> Result<(), StoreError> {
        either!(self, database => database.put_site(site, by, at))
    }

    /// The sites of which something is known beside what their nodes say.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn sites(&self) -> Result<Vec<SiteRow>, StoreError> {
        either!(self, database => database.sites())
    }

    /// How many incidents began in a time, each thing once: by site, kind, day, status and severity.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn day_counts(&self, from: Timestamp, to: Timestamp) -> Result<Vec<DayCount>, StoreError> {
        either!(self, database => database.day_counts(from, to))
    }

    /// How the cases that were reported in a time stand at its end, or now if that is earlier, by site.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn case_tallies(
        &self,
        from: Timestamp,
        to: Timestamp,
        now: Timestamp,
    ) -> Result<Vec<CaseTally>, StoreError> {
        either!(self, database => database.case_tallies(from, to, now))
    }

    /// Puts a deed on record.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn record_audit(&self, entry: &AuditEntry) -> Result<(), StoreError> {
        either!(self, database => database.record_audit(entry))
    }

    /// Deeds on record, newest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn audit(&self, query: &AuditQuery) -> Result<Vec<AuditRow>, StoreError> {
        either!(self, database => database.audit(query))
    }

    /// Keeps a payload that is no message.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn dead_letter(
        &self,
        topic: &str,
        payload: &[u8],
        error: &str,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        either!(self, database => database.dead_letter(topic, payload, error, at))
    }

    /// The payloads that were no messages, newest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn dead_letters(&self, limit: u32) -> Result<Vec<DeadLetterRow>, StoreError> {
        either!(self, database => database.dead_letters(limit))
    }

    /// Adds a person and puts it on record; `false` if the name or the subject is taken.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn add_user(&self, user: &UserRow, entry: &AuditEntry) -> Result<bool, StoreError> {
        either!(self, database => database.add_user(user, entry))
    }

    /// Changes a person and puts it on record; `None` if there is no such person.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn change_user(
        &self,
        name: &UserName,
        change: &UserChange,
        entry: &AuditEntry,
    ) -> Result<Option<UserRow>, StoreError> {
        either!(self, database => database.change_user(name, change, entry))
    }

    /// All people, by name.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn users(&self) -> Result<Vec<UserRow>, StoreError> {
        either!(self, database => database.users())
    }

    /// One person.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn user(&self, name: &UserName) -> Result<Option<UserRow>, StoreError> {
        either!(self, database => database.user(name))
    }

    /// The person with this subject at the identity provider.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn user_of_subject(&self, subject: &str) -> Result<Option<UserRow>, StoreError> {
        either!(self, database => database.user_of_subject(subject))
    }

    /// Keeps that a browser is signed in.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn add_session(&self, session: &SessionRow) -> Result<(), StoreError> {
        either!(self, database => database.add_session(session))
    }

    /// The session with this secret, however old, and whose it is.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn session(&self, hash: SecretHash) -> Result<Option<(SessionRow, UserRow)>, StoreError> {
        either!(self, database => database.session(hash))
    }

    /// Marks a session as used and its person as seen.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn touch_session(
        &self,
        hash: SecretHash,
        user: &UserName,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        either!(self, database => database.touch_session(hash, user, at))
    }

    /// Ends a session.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn end_session(&self, hash: SecretHash) -> Result<(), StoreError> {
        either!(self, database => database.end_session(hash))
    }

    /// Ends the sessions of a person, but for one.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn end_sessions(&self, user: &UserName, but: Option<SecretHash>) -> Result<(), StoreError> {
        either!(self, database => database.end_sessions(user, but))
    }

    /// Forgets sessions that are over; how many.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn forget_sessions(
        &self,
        unused_since: Timestamp,
        begun_before: Timestamp,
    ) -> Result<u64, StoreError> {
        either!(self, database => database.forget_sessions(unused_since, begun_before))
    }

    /// Adds a program's token and puts it on record.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn add_token(&self, token: &TokenRow, entry: &AuditEntry) -> Result<(), StoreError> {
        either!(self, database => database.add_token(token, entry))
    }

    /// Deletes a token and puts it on record; `false` if there is no such token.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn delete_token(&self, id: Uuid, entry: &AuditEntry) -> Result<bool, StoreError> {
        either!(self, database => database.delete_token(id, entry))
    }

    /// All tokens, oldest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn tokens(&self) -> Result<Vec<TokenRow>, StoreError> {
        either!(self, database => database.tokens())
    }

    /// The token with this secret, also when it has expired.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn token(&self, hash: SecretHash) -> Result<Option<TokenRow>, StoreError> {
        either!(self, database => database.token(hash))
    }

    /// Marks a token as used.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn touch_token(&self, id: Uuid, at: Timestamp) -> Result<(), StoreError> {
        either!(self, database => database.touch_token(id, at))
    }
}
