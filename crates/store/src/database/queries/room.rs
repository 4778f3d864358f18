//! Mutes, sites, and the figures of a month.

use parapet_core::{BBox, IncidentId, Timestamp};
use serde_json::Value;
use sqlx::types::Json;
use uuid::Uuid;

use super::{Database, Db, people::insert_audit, reading::get};
use crate::{
    AuditEntry, CaseTally, DayCount, MuteRow, SiteRow, StoreError,
    choice::{choice, instant, micros, number, storable, text},
    error::Attempt,
};

type DbRow = <Db as sqlx::Database>::Row;

impl Database {
    pub(crate) async fn put_mute(&self, mute: &MuteRow) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        sqlx::query::<Db>(
            "INSERT INTO mutes (mute_id, site, camera, preset, kind, zone, bbox, incident_id, at, until, made_by, reason) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
        )
        .bind(mute.id)
        .bind(mute.site.as_str())
        .bind(mute.camera.as_str())
        .bind(mute.preset.as_ref().map(parapet_core::PresetId::as_str))
        .bind(mute.kind.as_str())
        .bind(mute.zone.as_ref().map(parapet_core::ZoneId::as_str))
        .bind(Json(mute.bbox))
        .bind(mute.incident.0)
        .bind(micros(mute.at))
        .bind(micros(mute.until))
        .bind(storable(&mute.by))
        .bind(mute.reason.as_deref().map(storable))
        .execute(&mut *tx)
        .await
        .attempt("store a mute")?;
        let detail = serde_json::json!({
            "camera": mute.camera, "kind": mute.kind, "incident": mute.incident, "until": mute.until,
            "reason": mute.reason.as_deref().map(storable),
        });
        insert_audit(
            &mut tx,
            &AuditEntry::new(mute.at, &mute.by, "mute.made", "mute", &mute.id.to_string(), detail),
        )
        .await?;
        tx.commit().await.attempt("commit a mute")
    }

    pub(crate) async fn mutes(&self, now: Timestamp) -> Result<Vec<MuteRow>, StoreError> {
        let rows = sqlx::query::<Db>("SELECT * FROM mutes WHERE until > $1 ORDER BY until, mute_id")
            .bind(micros(now))
            .fetch_all(&self.reader)
            .await
            .attempt("read the mutes")?;
        let mute = |row: &DbRow| {
            let optional = |column| get::<Option<String>>(row, column);
            Ok(MuteRow {
                id: get(row, "mute_id")?,
                site: text("site", &get::<String>(row, "site")?)?,
                camera: text("camera", &get::<String>(row, "camera")?)?,
                preset: optional("preset")?.map(|v| text("preset", &v)).transpose()?,
                kind: text("kind", &get::<String>(row, "kind")?)?,
                zone: optional("zone")?.map(|v| text("zone", &v)).transpose()?,
                bbox: get::<Json<BBox>>(row, "bbox")?.0,
                incident: IncidentId(get(row, "incident_id")?),
                at: instant("at", get(row, "at")?)?,
                until: instant("until", get(row, "until")?)?,
                by: get(row, "made_by")?,
                reason: optional("reason")?,
            })
        };
        rows.iter().map(mute).collect()
    }

    /// Ends a mute now; whether there was one in force.
    pub(crate) async fn end_mute(&self, id: Uuid, by: &str, now: Timestamp) -> Result<bool, StoreError> {
        let mut tx = self.begin().await?;
        let ended = sqlx::query::<Db>("UPDATE mutes SET until = $2 WHERE mute_id = $1 AND until > $2")
            .bind(id)
            .bind(micros(now))
            .execute(&mut *tx)
            .await
            .attempt("end a mute")?;
        if ended.rows_affected() == 0 {
            return Ok(false);
        }
        insert_audit(&mut tx, &AuditEntry::new(now, by, "mute.ended", "mute", &id.to_string(), Value::Null))
            .await?;
        tx.commit().await.attempt("commit the end of a mute")?;
        Ok(true)
    }

    pub(crate) async fn mute_incident(&self, incident: IncidentId, mute: Uuid) -> Result<(), StoreError> {
        sqlx::query::<Db>("UPDATE incidents SET muted_by = $2 WHERE incident_id = $1")
            .bind(incident.0)
            .bind(mute)
            .execute(&self.writer)
            .await
            .attempt("keep an incident out of the queue")?;
        Ok(())
    }

    pub(crate) async fn put_site(&self, site: &SiteRow, by: &str, at: Timestamp) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        sqlx::query::<Db>(
            "INSERT INTO sites (site, name_zh, name_en, households, plan) VALUES ($1, $2, $3, $4, $5) \
             ON CONFLICT (site) DO UPDATE SET name_zh = excluded.name_zh, name_en = excluded.name_en, \
             households = excluded.households, plan = excluded.plan",
        )
        .bind(site.site.as_str())
        .bind(storable(&site.name_zh))
        .bind(storable(&site.name_en))
        .bind(site.households.map(i64::from))
        .bind(site.plan.as_ref().map(Json))
        .execute(&mut *tx)
        .await
        .attempt("store a site")?;
        let detail = serde_json::json!({
            "name_zh": storable(&site.name_zh), "name_en": storable(&site.name_en), "households": site.households,
            "plan": site.plan.is_some(),
        });
        insert_audit(&mut tx, &AuditEntry::new(at, by, "catalogue.site", "site", site.site.as_str(), detail))
            .await?;
        tx.commit().await.attempt("commit a site")
    }

    pub(crate) async fn sites(&self) -> Result<Vec<SiteRow>, StoreError> {
        let rows = sqlx::query::<Db>("SELECT * FROM sites ORDER BY site")
            .fetch_all(&self.reader)
            .await
            .attempt("read the sites")?;
        let site = |row: &DbRow| {
            Ok(SiteRow {
                site: text("site", &get::<String>(row, "site")?)?,
                name_zh: get(row, "name_zh")?,
                name_en: get(row, "name_en")?,
                households: get::<Option<i64>>(row, "households")?
                    .map(|n| number("households", n))
                    .transpose()?,
                plan: get::<Option<Json<Value>>>(row, "plan")?.map(|plan| plan.0),
            })
        };
        rows.iter().map(site).collect()
    }

    /// Incidents that began in a time, each thing once, by site, kind, day, status and severity.
    pub(crate) async fn day_counts(
        &self,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<Vec<DayCount>, StoreError> {
        let rows = sqlx::query::<Db>(
            "SELECT site, kind, (started_at - $1) / 86400000000 AS day, status, severity, COUNT(*) AS incidents \
             FROM incidents WHERE started_at >= $1 AND started_at < $2 AND same_as IS NULL \
             GROUP BY 1, 2, 3, 4, 5 ORDER BY 1, 2, 3, 4, 5",
        )
        .bind(micros(from))
        .bind(micros(to))
        .fetch_all(&self.reader)
        .await
        .attempt("count the incidents of a month")?;
        let count = |row: &DbRow| {
            Ok(DayCount {
                site: text("site", &get::<String>(row, "site")?)?,
                kind: text("kind", &get::<String>(row, "kind")?)?,
                day: number("day", get(row, "day")?)?,
                status: choice("status", &get::<String>(row, "status")?)?,
                severity: choice("severity", &get::<String>(row, "severity")?)?,
                count: number("incidents", get(row, "incidents")?)?,
            })
        };
        rows.iter().map(count).collect()
    }

    /// How the cases that were reported in a time stand at its end, or now if that is earlier.
    pub(crate) async fn case_tallies(
        &self,
        from: Timestamp,
        to: Timestamp,
        now: Timestamp,
    ) -> Result<Vec<CaseTally>, StoreError> {
        let rows = sqlx::query::<Db>(
            "SELECT site, COUNT(*) AS cases, SUM(CASE WHEN is_open THEN 1 ELSE 0 END) AS open_cases, \
             SUM(CASE WHEN was_late THEN 1 ELSE 0 END) AS late, \
             SUM(CASE WHEN step = 'closed' AND NOT is_open AND NOT was_late THEN 1 ELSE 0 END) AS on_time FROM ( \
                 SELECT site, step, (closed_at IS NULL OR closed_at >= $2) AS is_open, \
                 (COALESCE(step_due < $3, FALSE) OR EXISTS (SELECT 1 FROM case_history AS h WHERE h.case_id = cases.case_id \
                     AND h.action = 'escalate' AND h.actor = 'clock' AND h.at < $3)) AS was_late \
                 FROM cases WHERE opened_at >= $1 AND opened_at < $2 AND step NOT IN ('merged', 'rejected') \
             ) AS tally GROUP BY site ORDER BY site",
        )
        .bind(micros(from))
        .bind(micros(to))
        .bind(micros(to.min(now)))
        .fetch_all(&self.reader)
        .await
        .attempt("count the cases of a month")?;
        let tally = |row: &DbRow| {
            Ok(CaseTally {
                site: text("site", &get::<String>(row, "site")?)?,
                cases: number("cases", get(row, "cases")?)?,
                open: number("open_cases", get(row, "open_cases")?)?,
                late: number("late", get(row, "late")?)?,
                on_time: number("on_time", get(row, "on_time")?)?,
            })
        };
        rows.iter().map(tally).collect()
    }
}
