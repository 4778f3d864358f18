//! Present states of cameras and nodes, the history of health, and what was no message.

use parapet_core::{CameraHealth, CameraId, PrivateAreas, RunId, Timestamp};
use sqlx::{QueryBuilder, Row, types::Json};

use super::{Database, Db};
use crate::{
    CameraRow, DeadLetterRow, HealthRecord, NodeRow, StoreError,
    choice::{choice, column, instant, micros, name, number, storable, text},
    error::Attempt,
};

impl Database {
    pub(crate) async fn ping(&self) -> Result<(), StoreError> {
        sqlx::query::<Db>("SELECT 1").execute(&self.reader).await.attempt("answer")?;
        Ok(())
    }

    pub(crate) async fn put_camera(&self, row: &CameraRow) -> Result<(), StoreError> {
        sqlx::query::<Db>(
            "INSERT INTO cameras (site, node, camera, name, state, at, run, reconnects, detail, analysed_fps, width, \
             height, synthetic, removed, private) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15) \
             ON CONFLICT (site, node, camera) DO UPDATE SET name = excluded.name, state = excluded.state, \
             at = excluded.at, run = excluded.run, reconnects = excluded.reconnects, detail = excluded.detail, \
             analysed_fps = excluded.analysed_fps, width = excluded.width, height = excluded.height, \
             synthetic = excluded.synthetic, removed = excluded.removed, private = excluded.private",
        )
        .bind(row.site.as_str())
        .bind(row.node.as_str())
        .bind(row.camera.as_str())
        .bind(&row.name)
        .bind(name(row.state))
        .bind(micros(row.at))
        .bind(row.run.map(|run| run.0))
        .bind(column(row.reconnects))
        .bind(&row.detail)
        .bind(row.analysed_fps)
        .bind(row.width.map(i64::from))
        .bind(row.height.map(i64::from))
        .bind(row.synthetic)
        .bind(row.removed)
        .bind(Json(&row.private))
        .execute(&self.writer)
        .await
        .attempt("store a camera's state")?;
        Ok(())
    }

    pub(crate) async fn put_node(&self, row: &NodeRow) -> Result<(), StoreError> {
        sqlx::query::<Db>(
            "INSERT INTO nodes (site, node, online, at, started_at, version, base_url, cameras) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8) \
             ON CONFLICT (site, node) DO UPDATE SET online = excluded.online, at = excluded.at, \
             started_at = excluded.started_at, version = excluded.version, base_url = excluded.base_url, \
             cameras = excluded.cameras",
        )
        .bind(row.site.as_str())
        .bind(row.node.as_str())
        .bind(row.online)
        .bind(micros(row.at))
        .bind(micros(row.started_at))
        .bind(&row.version)
        .bind(&row.base_url)
        .bind(Json(&row.cameras))
        .execute(&self.writer)
        .await
        .attempt("store a node's state")?;
        Ok(())
    }

    pub(crate) async fn cameras(&self) -> Result<Vec<CameraRow>, StoreError> {
        self.cameras_where("SELECT * FROM cameras WHERE NOT removed ORDER BY site, node, camera").await
    }

    pub(crate) async fn all_cameras(&self) -> Result<Vec<CameraRow>, StoreError> {
        self.cameras_where("SELECT * FROM cameras ORDER BY at, site, node, camera").await
    }

    async fn cameras_where(&self, query: &'static str) -> Result<Vec<CameraRow>, StoreError> {
        let rows = sqlx::query::<Db>(query).fetch_all(&self.reader).await.attempt("list cameras")?;
        let mut cameras = Vec::with_capacity(rows.len());
        for row in &rows {
            let action = "read a camera";
            let pixels = |field| -> Result<Option<u32>, StoreError> {
                let value: Option<i64> = row.try_get(field).attempt(action)?;
                value.map(|value| number(field, value)).transpose()
            };
            cameras.push(CameraRow {
                site: text("site", &row.try_get::<String, _>("site").attempt(action)?)?,
                node: text("node", &row.try_get::<String, _>("node").attempt(action)?)?,
                camera: text("camera", &row.try_get::<String, _>("camera").attempt(action)?)?,
                name: row.try_get("name").attempt(action)?,
                state: choice("state", &row.try_get::<String, _>("state").attempt(action)?)?,
                at: instant("at", row.try_get("at").attempt(action)?)?,
                run: row.try_get::<Option<_>, _>("run").attempt(action)?.map(RunId),
                reconnects: number("reconnects", row.try_get("reconnects").attempt(action)?)?,
                detail: row.try_get("detail").attempt(action)?,
                analysed_fps: row.try_get("analysed_fps").attempt(action)?,
                width: pixels("width")?,
                height: pixels("height")?,
                synthetic: row.try_get("synthetic").attempt(action)?,
                removed: row.try_get("removed").attempt(action)?,
                private: row.try_get::<Json<PrivateAreas>, _>("private").attempt(action)?.0,
            });
        }
        Ok(cameras)
    }

    pub(crate) async fn nodes(&self) -> Result<Vec<NodeRow>, StoreError> {
        let rows = sqlx::query::<Db>("SELECT * FROM nodes ORDER BY site, node")
            .fetch_all(&self.reader)
            .await
            .attempt("list nodes")?;
        let mut nodes = Vec::with_capacity(rows.len());
        for row in &rows {
            let action = "read a node";
            nodes.push(NodeRow {
                site: text("site", &row.try_get::<String, _>("site").attempt(action)?)?,
                node: text("node", &row.try_get::<String, _>("node").attempt(action)?)?,
                online: row.try_get("online").attempt(action)?,
                at: instant("at", row.try_get("at").attempt(action)?)?,
                started_at: instant("started_at", row.try_get("started_at").attempt(action)?)?,
                version: row.try_get("version").attempt(action)?,
                base_url: row.try_get("base_url").attempt(action)?,
                cameras: row.try_get::<Json<Vec<CameraId>>, _>("cameras").attempt(action)?.0,
            });
        }
        Ok(nodes)
    }

    pub(crate) async fn health(
        &self,
        camera: Option<&CameraId>,
        limit: u32,
    ) -> Result<Vec<HealthRecord>, StoreError> {
        let mut query = QueryBuilder::<Db>::new("SELECT * FROM health_events WHERE TRUE");
        if let Some(camera) = camera {
            query.push(" AND camera = ").push_bind(camera.as_str());
        }
        query.push(" ORDER BY at DESC, site, node, camera, event LIMIT ").push_bind(i64::from(limit));
        let rows = query.build().fetch_all(&self.reader).await.attempt("list changes in health")?;
        let mut health = Vec::with_capacity(rows.len());
        for row in &rows {
            let action = "read a change in health";
            health.push(HealthRecord {
                site: text("site", &row.try_get::<String, _>("site").attempt(action)?)?,
                node: text("node", &row.try_get::<String, _>("node").attempt(action)?)?,
                health: CameraHealth {
                    camera: text("camera", &row.try_get::<String, _>("camera").attempt(action)?)?,
                    state: choice("state", &row.try_get::<String, _>("state").attempt(action)?)?,
                    event: choice("event", &row.try_get::<String, _>("event").attempt(action)?)?,
                    at: instant("at", row.try_get("at").attempt(action)?)?,
                    run: row.try_get::<Option<_>, _>("run").attempt(action)?.map(RunId),
                    reconnects: number("reconnects", row.try_get("reconnects").attempt(action)?)?,
                    detail: row.try_get("detail").attempt(action)?,
                },
            });
        }
        Ok(health)
    }

    pub(crate) async fn dead_letter(
        &self,
        topic: &str,
        payload: &[u8],
        error: &str,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        sqlx::query::<Db>(
            "INSERT INTO dead_letters (received_at, topic, payload, error) VALUES ($1, $2, $3, $4)",
        )
        .bind(micros(at))
        .bind(storable(topic))
        .bind(payload)
        .bind(storable(error))
        .execute(&self.writer)
        .await
        .attempt("keep a payload that is no message")?;
        Ok(())
    }

    pub(crate) async fn dead_letters(&self, limit: u32) -> Result<Vec<DeadLetterRow>, StoreError> {
        let rows = sqlx::query::<Db>("SELECT * FROM dead_letters ORDER BY id DESC LIMIT $1")
            .bind(i64::from(limit))
            .fetch_all(&self.reader)
            .await
            .attempt("list payloads that are no messages")?;
        let mut letters = Vec::with_capacity(rows.len());
        for row in &rows {
            let action = "read a payload that is no message";
            letters.push(DeadLetterRow {
                id: row.try_get("id").attempt(action)?,
                received_at: instant("received_at", row.try_get("received_at").attempt(action)?)?,
                topic: row.try_get("topic").attempt(action)?,
                payload: row.try_get("payload").attempt(action)?,
                error: row.try_get("error").attempt(action)?,
            });
        }
        Ok(letters)
    }
}
