//! What nodes say: events, evidence, health. Each record counts once, however often and in whatever order it comes.

use std::collections::BTreeMap;

use parapet_core::{IncidentId, Label, Phase, PresetId, Timestamp, ZoneId, geo::Place};
use sqlx::{QueryBuilder, Row, Transaction, types::Json};
use uuid::Uuid;

use super::{
    Database, Db, ROWS_IN_STATEMENT,
    ledger::{self, EVENT_COLUMNS, EVIDENCE_COLUMNS},
    search,
};
use crate::{
    Applied, EventRecord, EvidenceRecord, HealthRecord, StoreError,
    choice::{EVENT_VERSION, column, instant, micros, name},
    error::Attempt,
    sighting::{GAP_SECONDS, LARGEST_UNCERTAINTY_METERS, Sighting},
};

impl Database {
    /// Stores what is new of the events, and lets each incident's row show its latest one, in one transaction.
    pub(crate) async fn apply_events(
        &self,
        records: &[EventRecord],
        received_at: Timestamp,
    ) -> Result<Vec<Applied>, StoreError> {
        let mut tx = self.begin().await?;
        // In the order of their ids, so that two writers never wait for each other's rows in a circle.
        let mut ordered: BTreeMap<Uuid, &EventRecord> = BTreeMap::new();
        for record in records {
            ordered.entry(record.event.event_id.0).or_insert(record);
        }
        let ordered: Vec<_> = ordered.into_values().collect();
        let mut new: BTreeMap<Uuid, ledger::Entry> = BTreeMap::new();
        for part in ordered.chunks(ROWS_IN_STATEMENT) {
            insert_events(&mut tx, part, received_at, &mut new).await?;
        }
        let mut latest: BTreeMap<IncidentId, &EventRecord> = BTreeMap::new();
        for record in ordered.into_iter().filter(|record| new.contains_key(&record.event.event_id.0)) {
            let shown = latest.entry(record.event.incident_id).or_insert(record);
            if rank(record) > rank(shown) {
                *shown = record;
            }
        }
        let latest: Vec<_> = latest.into_values().collect();
        let started = records.iter().filter(|record| {
            let event = &record.event;
            event.phase == Phase::Started && event.place.is_some() && new.contains_key(&event.event_id.0)
        });
        for part in latest.chunks(ROWS_IN_STATEMENT) {
            show(&mut tx, part, received_at).await?;
        }
        let names = self.names.others(search::names_of(&latest));
        search::keep_names(&mut tx, &names).await?;
        for record in started {
            join_sighting(&mut tx, record).await?;
        }
        let entries: Vec<_> = new.values().cloned().collect();
        ledger::append(&mut tx, &entries).await?;
        tx.commit().await.attempt("commit incident events")?;
        self.names.add(names);
        // The first of equal events in the batch is the new one.
        Ok(records
            .iter()
            .map(|record| {
                if new.remove(&record.event.event_id.0).is_some() { Applied::New } else { Applied::Duplicate }
            })
            .collect())
    }

    pub(crate) async fn apply_evidence(
        &self,
        record: &EvidenceRecord,
        received_at: Timestamp,
    ) -> Result<Applied, StoreError> {
        if record.items.is_empty() {
            return Ok(Applied::Duplicate);
        }
        let mut query = QueryBuilder::<Db>::new(
            "INSERT INTO evidence (incident_id, role, path, media_type, bytes, sha256, site, node, camera, base_url, at, received_at) ",
        );
        query.push_values(&record.items, |mut row, item| {
            row.push_bind(record.incident.0)
                .push_bind(name(item.role))
                .push_bind(&item.path)
                .push_bind(&item.media_type)
                .push_bind(column(item.bytes))
                .push_bind(&item.sha256)
                .push_bind(record.site.as_str())
                .push_bind(record.node.as_str())
                .push_bind(record.camera.as_str())
                .push_bind(record.base_url.as_deref())
                .push_bind(micros(record.at))
                .push_bind(micros(received_at));
        });
        query.push(" ON CONFLICT (incident_id, role, path) DO NOTHING RETURNING ").push(EVIDENCE_COLUMNS);
        let mut tx = self.begin().await?;
        let rows = query.build().persistent(false).fetch_all(&mut *tx).await.attempt("store evidence")?;
        let entries = rows.iter().map(ledger::Entry::of_evidence).collect::<Result<Vec<_>, _>>()?;
        ledger::append(&mut tx, &entries).await?;
        tx.commit().await.attempt("commit evidence")?;
        Ok(if entries.is_empty() { Applied::Duplicate } else { Applied::New })
    }

    pub(crate) async fn apply_health(
        &self,
        record: &HealthRecord,
        received_at: Timestamp,
    ) -> Result<Applied, StoreError> {
        let HealthRecord { site, node, health } = record;
        let done = sqlx::query::<Db>(
            "INSERT INTO health_events (site, node, camera, at, event, state, run, reconnects, detail, received_at) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT (site, node, camera, at, event) DO NOTHING",
        )
        .bind(site.as_str())
        .bind(node.as_str())
        .bind(health.camera.as_str())
        .bind(micros(health.at))
        .bind(name(health.event))
        .bind(name(health.state))
        .bind(health.run.map(|run| run.0))
        .bind(column(health.reconnects))
        .bind(&health.detail)
        .bind(micros(received_at))
        .execute(&self.writer)
        .await
        .attempt("store a camera's health")?;
        Ok(if done.rows_affected() > 0 { Applied::New } else { Applied::Duplicate })
    }
}

/// The event that an incident's row shows is the one with the highest rank, so the row does not depend on the order of
/// arrival, not even if a node gave one number to two events.
fn rank(record: &EventRecord) -> (u32, Uuid) {
    (record.event.sequence, record.event.event_id.0)
}

async fn insert_events(
    tx: &mut Transaction<'static, Db>,
    records: &[&EventRecord],
    received_at: Timestamp,
    new: &mut BTreeMap<Uuid, ledger::Entry>,
) -> Result<(), StoreError> {
    let mut query = QueryBuilder::<Db>::new(
        "INSERT INTO incident_events (event_id, incident_id, sequence, site, node, at, received_at, version, document) ",
    );
    query.push_values(records, |mut row, record| {
        let event = &record.event;
        row.push_bind(event.event_id.0)
            .push_bind(event.incident_id.0)
            .push_bind(i64::from(event.sequence))
            .push_bind(record.site.as_str())
            .push_bind(record.node.as_str())
            .push_bind(micros(event.at))
            .push_bind(micros(received_at))
            .push_bind(EVENT_VERSION)
            .push_bind(Json(event));
    });
    query.push(" ON CONFLICT (event_id) DO NOTHING RETURNING ").push(EVENT_COLUMNS);
    let rows = query.build().persistent(false).fetch_all(&mut **tx).await.attempt("store incident events")?;
    for row in rows {
        let entry = ledger::Entry::of_event(&row)?;
        new.insert(entry.subject, entry);
    }
    Ok(())
}

async fn show(
    tx: &mut Transaction<'static, Db>,
    records: &[&EventRecord],
    received_at: Timestamp,
) -> Result<(), StoreError> {
    let mut query = QueryBuilder::<Db>::new(
        "INSERT INTO incidents (incident_id, event_id, sequence, site, node, camera, preset, run, rule, zone, kind, \
         severity, phase, since, started_at, updated_at, ended_at, end_reason, label, track, bbox, outline, count, score, \
         covered, place, latitude, longitude, received_at) ",
    );
    query.push_values(records, |mut row, EventRecord { site, node, event: e }| {
        // An end without a time of its own ended when it was decided.
        let ended_at = (e.phase == Phase::Ended).then(|| e.ended_at.unwrap_or(e.at));
        row.push_bind(e.incident_id.0)
            .push_bind(e.event_id.0)
            .push_bind(i64::from(e.sequence))
            .push_bind(site.as_str())
            .push_bind(node.as_str())
            .push_bind(e.camera.as_str())
            .push_bind(e.preset.as_ref().map(PresetId::as_str))
            .push_bind(e.run.0)
            .push_bind(e.rule.as_str())
            .push_bind(e.zone.as_ref().map(ZoneId::as_str))
            .push_bind(e.kind.as_str())
            .push_bind(name(e.severity))
            .push_bind(name(e.phase))
            .push_bind(micros(e.since))
            .push_bind(micros(e.started_at))
            .push_bind(micros(e.at))
            .push_bind(ended_at.map(micros))
            .push_bind(e.end_reason.map(name))
            .push_bind(e.label.as_ref().map(Label::as_str))
            .push_bind(e.track.map(|track| track.0.cast_signed()))
            .push_bind(Json(e.bbox))
            .push_bind(e.outline.as_ref().map(Json))
            .push_bind(i64::from(e.count))
            .push_bind(e.score)
            .push_bind(e.covered)
            .push_bind(e.place.as_ref().map(Json))
            .push_bind(e.place.as_ref().map(|place| place.position.point.latitude))
            .push_bind(e.place.as_ref().map(|place| place.position.point.longitude))
            .push_bind(micros(received_at));
    });
    query.push(
        " ON CONFLICT (incident_id) DO UPDATE SET event_id = excluded.event_id, sequence = excluded.sequence, \
         site = excluded.site, node = excluded.node, camera = excluded.camera, preset = excluded.preset, \
         run = excluded.run, rule = excluded.rule, zone = excluded.zone, kind = excluded.kind, \
         severity = excluded.severity, phase = excluded.phase, since = excluded.since, \
         started_at = excluded.started_at, updated_at = excluded.updated_at, ended_at = excluded.ended_at, \
         end_reason = excluded.end_reason, label = excluded.label, track = excluded.track, bbox = excluded.bbox, \
         outline = excluded.outline, count = excluded.count, score = excluded.score, covered = excluded.covered, \
         place = excluded.place, latitude = excluded.latitude, longitude = excluded.longitude \
         WHERE (excluded.sequence, excluded.event_id) > (incidents.sequence, incidents.event_id)",
    );
    query.build().persistent(false).execute(&mut **tx).await.attempt("store incidents")?;
    Ok(())
}

/// A thing that another camera or drone has told of before is one incident: the earlier one goes on, this is a sighting
/// of it. Which one is the earlier is decided by arrival.
async fn join_sighting(tx: &mut Transaction<'static, Db>, record: &EventRecord) -> Result<(), StoreError> {
    let EventRecord { site, event, .. } = record;
    let Some(place) = &event.place else { return Ok(()) };
    let position = place.position;
    let this = Sighting { kind: event.kind, position, since: event.since, ended_at: None };
    let reach = this.reach_degrees(LARGEST_UNCERTAINTY_METERS);
    let rows = sqlx::query::<Db>(
        "SELECT incident_id, place, since, ended_at FROM incidents \
         WHERE site = $1 AND kind = $2 AND latitude BETWEEN $3 AND $4 AND same_as IS NULL \
         AND incident_id <> $5 AND camera <> $6 AND COALESCE(ended_at, 9223372036854775807) >= $7 \
         AND NOT EXISTS (SELECT 1 FROM incidents AS other WHERE other.same_as = $5) \
         ORDER BY started_at, incident_id LIMIT 1000",
    )
    .bind(site.as_str())
    .bind(event.kind.as_str())
    .bind(position.point.latitude - reach)
    .bind(position.point.latitude + reach)
    .bind(event.incident_id.0)
    .bind(event.camera.as_str())
    .bind(micros(event.since) - GAP_SECONDS * 1_000_000)
    .fetch_all(&mut **tx)
    .await
    .attempt("look for other sightings of an incident")?;
    for row in rows {
        let place: Json<Place> = row.try_get("place").attempt("read an incident's place")?;
        let ended_at: Option<i64> = row.try_get("ended_at").attempt("read an incident's end")?;
        let earlier = Sighting {
            kind: event.kind,
            position: place.0.position,
            since: instant("since", row.try_get("since").attempt("read an incident's beginning")?)?,
            ended_at: ended_at.map(|at| instant("ended_at", at)).transpose()?,
        };
        if this.continues(&earlier) {
            let first: Uuid = row.try_get("incident_id").attempt("read an incident's id")?;
            sqlx::query::<Db>("UPDATE incidents SET same_as = $1 WHERE incident_id = $2")
                .bind(first)
                .bind(event.incident_id.0)
                .execute(&mut **tx)
                .await
                .attempt("join two sightings")?;
            break;
        }
    }
    Ok(())
}
