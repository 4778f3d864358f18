//! What surveys have told of roofs: the latest word on each.

use parapet_core::{Scope, SiteId};
use sqlx::{QueryBuilder, Row, types::Json};

use super::{Database, Db, scope::within_sites};
use crate::{
    RoofRow, StoreError,
    choice::{instant, micros, text},
    error::Attempt,
};

impl Database {
    pub(crate) async fn put_roof(&self, row: &RoofRow) -> Result<(), StoreError> {
        sqlx::query::<Db>(
            "INSERT INTO roofs (site, building, node, at, document) VALUES ($1, $2, $3, $4, $5) \
             ON CONFLICT (site, building) DO UPDATE SET node = excluded.node, at = excluded.at, \
             document = excluded.document",
        )
        .bind(row.site.as_str())
        .bind(row.history.building.as_str())
        .bind(row.node.as_str())
        .bind(micros(row.at))
        .bind(Json(&row.history))
        .execute(&self.writer)
        .await
        .attempt("store a roof's history")?;
        Ok(())
    }

    pub(crate) async fn roofs(
        &self,
        site: Option<&SiteId>,
        scope: &Scope,
    ) -> Result<Vec<RoofRow>, StoreError> {
        let mut query = QueryBuilder::<Db>::new("SELECT site, node, at, document FROM roofs WHERE TRUE");
        if let Some(site) = site {
            query.push(" AND site = ").push_bind(site.as_str());
        }
        within_sites(&mut query, scope);
        query.push(" ORDER BY site, building");
        let action = "read a roof's history";
        let rows = query.build().fetch_all(&self.reader).await.attempt(action)?;
        let roof = |row: &<Db as sqlx::Database>::Row| {
            Ok(RoofRow {
                site: text("site", &row.try_get::<String, _>("site").attempt(action)?)?,
                node: text("node", &row.try_get::<String, _>("node").attempt(action)?)?,
                at: instant("at", row.try_get("at").attempt(action)?)?,
                history: row.try_get::<Json<_>, _>("document").attempt(action)?.0,
            })
        };
        rows.iter().map(roof).collect()
    }
}
