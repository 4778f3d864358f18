//! What an administrator chooses (kinds, departments, settings), and what goes out to other platforms.

use parapet_core::{DepartmentId, Timestamp};
use serde_json::Value;
use sqlx::{Row, types::Json};

use super::{Database, Db, people::insert_audit};
use crate::{
    AuditEntry, DeliveryRow, DepartmentRow, KindRow, SettingRow, StoreError,
    choice::{choice, instant, micros, name, number, storable, text},
    error::Attempt,
};

impl Database {
    pub(crate) async fn kinds(&self) -> Result<Vec<KindRow>, StoreError> {
        let rows = sqlx::query::<Db>("SELECT * FROM kinds ORDER BY category_code, class_code, code")
            .fetch_all(&self.reader)
            .await
            .attempt("read the kinds")?;
        let mut kinds = Vec::with_capacity(rows.len());
        for row in &rows {
            let words = |column| row.try_get::<String, _>(column).attempt("read a kind");
            let amount: i32 = row.try_get("deadline_amount").attempt("read a kind")?;
            kinds.push(KindRow {
                code: text("code", &words("code")?)?,
                name_zh: words("name_zh")?,
                name_en: words("name_en")?,
                category_code: words("category_code")?,
                category_zh: words("category_zh")?,
                category_en: words("category_en")?,
                class_code: words("class_code")?,
                basis_zh: words("basis_zh")?,
                basis_en: words("basis_en")?,
                deadline_amount: number("deadline_amount", i64::from(amount))?,
                deadline_unit: choice("deadline_unit", &words("deadline_unit")?)?,
                enabled: row.try_get("enabled").attempt("read a kind")?,
            });
        }
        Ok(kinds)
    }

    pub(crate) async fn put_kind(
        &self,
        kind: &KindRow,
        actor: &str,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        sqlx::query::<Db>(
            "INSERT INTO kinds (code, name_zh, name_en, deadline_amount, deadline_unit, enabled, category_code, \
             category_zh, category_en, class_code, basis_zh, basis_en) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) \
             ON CONFLICT (code) DO UPDATE SET name_zh = excluded.name_zh, name_en = excluded.name_en, \
             deadline_amount = excluded.deadline_amount, deadline_unit = excluded.deadline_unit, \
             enabled = excluded.enabled, category_code = excluded.category_code, category_zh = excluded.category_zh, \
             category_en = excluded.category_en, class_code = excluded.class_code, basis_zh = excluded.basis_zh, \
             basis_en = excluded.basis_en",
        )
        .bind(kind.code.as_str())
        .bind(storable(&kind.name_zh))
        .bind(storable(&kind.name_en))
        .bind(i32::try_from(kind.deadline_amount).unwrap_or(i32::MAX))
        .bind(name(kind.deadline_unit))
        .bind(kind.enabled)
        .bind(storable(&kind.category_code))
        .bind(storable(&kind.category_zh))
        .bind(storable(&kind.category_en))
        .bind(storable(&kind.class_code))
        .bind(storable(&kind.basis_zh))
        .bind(storable(&kind.basis_en))
        .execute(&mut *tx)
        .await
        .attempt("store a kind")?;
        let detail = serde_json::to_value(kind).unwrap_or_default();
        insert_audit(
            &mut tx,
            &AuditEntry::new(at, actor, "catalogue.kind", "kind", kind.code.as_str(), detail),
        )
        .await?;
        tx.commit().await.attempt("commit a kind")
    }

    pub(crate) async fn departments(&self) -> Result<Vec<DepartmentRow>, StoreError> {
        let action = "read a department";
        let rows = sqlx::query::<Db>("SELECT * FROM departments ORDER BY id")
            .fetch_all(&self.reader)
            .await
            .attempt(action)?;
        let mut departments = Vec::with_capacity(rows.len());
        for row in &rows {
            let words = |column| row.try_get::<String, _>(column).attempt(action);
            let parent: Option<String> = row.try_get("parent").attempt(action)?;
            departments.push(DepartmentRow {
                id: text("id", &words("id")?)?,
                name_zh: words("name_zh")?,
                name_en: words("name_en")?,
                level: choice("level", &words("level")?)?,
                parent: parent.map(|parent| text("parent", &parent)).transpose()?,
                sites: row.try_get::<Json<_>, _>("sites").attempt(action)?.0,
                webhook: row.try_get("webhook").attempt(action)?,
                enabled: row.try_get("enabled").attempt(action)?,
            });
        }
        Ok(departments)
    }

    pub(crate) async fn put_department(
        &self,
        department: &DepartmentRow,
        actor: &str,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        sqlx::query::<Db>(
            "INSERT INTO departments (id, name_zh, name_en, level, parent, sites, webhook, enabled) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8) \
             ON CONFLICT (id) DO UPDATE SET name_zh = excluded.name_zh, name_en = excluded.name_en, \
             level = excluded.level, parent = excluded.parent, sites = excluded.sites, webhook = excluded.webhook, \
             enabled = excluded.enabled",
        )
        .bind(department.id.as_str())
        .bind(storable(&department.name_zh))
        .bind(storable(&department.name_en))
        .bind(name(department.level))
        .bind(department.parent.as_ref().map(DepartmentId::as_str))
        .bind(Json(&department.sites))
        .bind(department.webhook.as_deref().map(storable))
        .bind(department.enabled)
        .execute(&mut *tx)
        .await
        .attempt("store a department")?;
        let detail = serde_json::json!({
            "name_zh": department.name_zh, "level": department.level, "parent": department.parent,
            "sites": department.sites, "webhook": department.webhook, "enabled": department.enabled,
        });
        let id = department.id.as_str();
        insert_audit(&mut tx, &AuditEntry::new(at, actor, "catalogue.department", "department", id, detail))
            .await?;
        tx.commit().await.attempt("commit a department")
    }

    pub(crate) async fn settings(&self) -> Result<Vec<SettingRow>, StoreError> {
        let action = "read the settings";
        let rows = sqlx::query::<Db>("SELECT * FROM settings ORDER BY name")
            .fetch_all(&self.reader)
            .await
            .attempt(action)?;
        let setting = |row: &<Db as sqlx::Database>::Row| {
            Ok(SettingRow {
                name: row.try_get("name").attempt(action)?,
                document: row.try_get::<Json<Value>, _>("document").attempt(action)?.0,
                changed_at: instant("changed_at", row.try_get("changed_at").attempt(action)?)?,
                changed_by: row.try_get("changed_by").attempt(action)?,
            })
        };
        rows.iter().map(setting).collect()
    }

    pub(crate) async fn put_setting(&self, setting: &SettingRow) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        sqlx::query::<Db>(
            "INSERT INTO settings (name, document, changed_at, changed_by) VALUES ($1, $2, $3, $4) \
             ON CONFLICT (name) DO UPDATE SET document = excluded.document, changed_at = excluded.changed_at, \
             changed_by = excluded.changed_by",
        )
        .bind(&setting.name)
        .bind(Json(&setting.document))
        .bind(micros(setting.changed_at))
        .bind(storable(&setting.changed_by))
        .execute(&mut *tx)
        .await
        .attempt("store a setting")?;
        let SettingRow { name, document, changed_at, changed_by } = setting;
        insert_audit(
            &mut tx,
            &AuditEntry::new(*changed_at, changed_by, "settings.changed", "setting", name, document.clone()),
        )
        .await?;
        tx.commit().await.attempt("commit a setting")
    }

    /// What is due to go out, oldest first.
    pub(crate) async fn deliveries(
        &self,
        now: Timestamp,
        limit: u32,
    ) -> Result<Vec<DeliveryRow>, StoreError> {
        let action = "read what is to be delivered";
        let rows = sqlx::query::<Db>(
            "SELECT * FROM deliveries WHERE delivered_at IS NULL AND next_at <= $1 ORDER BY next_at, id LIMIT $2",
        )
        .bind(micros(now))
        .bind(i64::from(limit))
        .fetch_all(&self.reader)
        .await
        .attempt(action)?;
        let delivery = |row: &<Db as sqlx::Database>::Row| {
            Ok(DeliveryRow {
                id: row.try_get("id").attempt(action)?,
                created_at: instant("created_at", row.try_get("created_at").attempt(action)?)?,
                target: row.try_get("target").attempt(action)?,
                document: row.try_get::<Json<Value>, _>("document").attempt(action)?.0,
                attempts: number("attempts", row.try_get("attempts").attempt(action)?)?,
                error: row.try_get("error").attempt(action)?,
            })
        };
        rows.iter().map(delivery).collect()
    }

    /// What came of an attempt: delivered at a time, or an error and when to try again.
    pub(crate) async fn delivery_tried(
        &self,
        id: i64,
        at: Timestamp,
        failure: Option<(&str, Timestamp)>,
    ) -> Result<(), StoreError> {
        sqlx::query::<Db>(
            "UPDATE deliveries SET attempts = attempts + 1, delivered_at = $2, error = $3, next_at = $4 WHERE id = $1",
        )
        .bind(id)
        .bind(failure.is_none().then(|| micros(at)))
        .bind(failure.map(|(error, _)| storable(error)))
        .bind(micros(failure.map_or(at, |(_, next)| next)))
        .execute(&self.writer)
        .await
        .attempt("note a delivery")?;
        Ok(())
    }
}
