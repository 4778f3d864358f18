//! Sites: their names, households, plans, and the tree of nodes and cameras.

use axum::{
    Json,
    body::Bytes,
    extract::{
        Path, State,
        rejection::{BytesRejection, JsonRejection},
    },
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use parapet_core::{Permission, Scope, SiteId, site::Site as Plan};
use parapet_store::{AuditEntry, SiteRow};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::{
    App,
    catalogue::bounded,
    incident::NAME,
    problem::{ApiError, Problem},
};
use crate::caller::Caller;

/// A plan is no larger, bytes.
const MOST_BYTES: usize = 5_000_000;

/// A node of a site.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct SiteNode {
    /// Its id.
    node: String,
    /// Connected.
    online: bool,
    /// Its cameras that the caller may see.
    cameras: Vec<String>,
}

/// A site.
#[derive(Debug, Serialize, ToSchema)]
#[expect(clippy::struct_field_names, reason = "the names of the JSON")]
pub(super) struct Site {
    /// Its id.
    site: String,
    /// Its name in Chinese; the id if nobody named it.
    name_zh: String,
    /// Its name in English.
    name_en: String,
    /// How many households live there.
    #[schema(required)]
    households: Option<u32>,
    /// Its nodes.
    nodes: Vec<SiteNode>,
    /// Whether there is a plan of it.
    plan: bool,
}

/// What an administrator says of a site.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SiteData {
    /// Its name in Chinese.
    #[schema(min_length = 1, max_length = 100)]
    name_zh: String,
    /// Its name in English.
    #[schema(min_length = 1, max_length = 100)]
    name_en: String,
    /// How many households live there.
    #[serde(default)]
    #[schema(required, maximum = 1_000_000)]
    households: Option<u32>,
}

fn site_id(text: &str) -> Result<SiteId, ApiError> {
    text.parse().map_err(|_| ApiError::NotFound)
}

/// All sites that a scope reaches into.
async fn all(app: &App, scope: &Scope) -> Result<Vec<Site>, ApiError> {
    let mut sites: Vec<Site> = Vec::new();
    let cameras = app.roster.cameras(scope);
    for node in app.roster.nodes(&Scope::All) {
        let of_node = cameras.iter().filter(|camera| camera.node == node.node && camera.site == node.site);
        let seen: Vec<String> = of_node.map(|camera| camera.camera.clone()).collect();
        if seen.is_empty() && !scope.contains(Some(&node.site), None) {
            continue;
        }
        let here = SiteNode { node: node.node, online: node.online, cameras: seen };
        match sites.iter_mut().find(|site| site.site == node.site) {
            Some(site) => site.nodes.push(here),
            None => sites.push(Site {
                name_zh: node.site.clone(),
                name_en: node.site.clone(),
                site: node.site,
                households: None,
                nodes: vec![here],
                plan: false,
            }),
        }
    }
    for row in app.store.sites().await? {
        let id = row.site.to_string();
        match sites.iter_mut().find(|site| site.site == id) {
            Some(site) => {
                site.name_zh = row.name_zh;
                site.name_en = row.name_en;
                site.households = row.households;
                site.plan = row.plan.is_some();
            }
            None if scope.contains(Some(&id), None) => sites.push(Site {
                site: id,
                name_zh: row.name_zh,
                name_en: row.name_en,
                households: row.households,
                nodes: Vec::new(),
                plan: row.plan.is_some(),
            }),
            None => {}
        }
    }
    sites.sort_by(|a, b| a.site.cmp(&b.site));
    Ok(sites)
}

/// The site, if the caller sees anything of it.
async fn visible(app: &App, caller: &Caller, site: &str) -> Result<SiteId, ApiError> {
    let scope = caller.scope(Permission::See)?;
    let id = site_id(site)?;
    let seen = all(app, &scope).await?.iter().any(|site| site.site == id.as_str());
    if seen { Ok(id) } else { Err(ApiError::NotFound) }
}

/// The sites with their nodes and cameras.
#[utoipa::path(
    get, path = "/api/sites", tag = "sites",
    responses(
        (status = 200, body = Vec<Site>),
        (status = 403, body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn sites(State(app): State<App>, caller: Caller) -> Result<Json<Vec<Site>>, ApiError> {
    let scope = caller.scope(Permission::See)?;
    Ok(Json(all(&app, &scope).await?))
}

async fn row_of(app: &App, id: &SiteId) -> Result<SiteRow, ApiError> {
    let known = app.store.sites().await?.into_iter().find(|row| row.site == *id);
    Ok(known.unwrap_or_else(|| SiteRow {
        site: id.clone(),
        name_zh: id.to_string(),
        name_en: id.to_string(),
        households: None,
        plan: None,
    }))
}

/// Names a site.
#[utoipa::path(
    put, path = "/api/sites/{site}", tag = "sites",
    params(("site" = String, Path, description = "1–64: a-z 0-9 - _")),
    request_body = SiteData,
    responses(
        (status = 204),
        (status = 400, body = Problem, content_type = "application/problem+json"),
        (status = 403, body = Problem, content_type = "application/problem+json"),
        (status = 422, body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn put_site(
    State(app): State<App>,
    caller: Caller,
    Path(site): Path<String>,
    body: Result<Json<SiteData>, JsonRejection>,
) -> Result<StatusCode, ApiError> {
    caller.require(Permission::Configure, None, None)?;
    let id: SiteId = site.parse().map_err(|_| ApiError::Invalid { field: "site", hint: NAME })?;
    let Json(data) = body.map_err(|rejection| ApiError::Body(rejection.body_text()))?;
    bounded("name_zh", &data.name_zh, 1, 100)?;
    bounded("name_en", &data.name_en, 1, 100)?;
    if data.households.is_some_and(|count| count > 1_000_000) {
        return Err(ApiError::Invalid { field: "households", hint: "≤ 1000000" });
    }
    let row = SiteRow {
        name_zh: data.name_zh,
        name_en: data.name_en,
        households: data.households,
        ..row_of(&app, &id).await?
    };
    app.store.put_site(&row, &caller.name, app.clock.now()).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A site's plan: its outline, buildings, zones and cameras as GeoJSON.
#[utoipa::path(
    get, path = "/api/sites/{site}/plan", tag = "sites",
    params(("site" = String, Path, description = "the site")),
    responses(
        (status = 200, body = Object, content_type = "application/geo+json"),
        (status = 403, body = Problem, content_type = "application/problem+json"),
        (status = 404, body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn plan(
    State(app): State<App>,
    caller: Caller,
    Path(site): Path<String>,
) -> Result<Json<Value>, ApiError> {
    let id = visible(&app, &caller, &site).await?;
    Ok(Json(row_of(&app, &id).await?.plan.ok_or(ApiError::NotFound)?))
}

/// Where the pictures of plans are, as what a person sent.
fn picture_of(app: &App, id: &SiteId) -> std::path::PathBuf {
    app.cases.answers().with_file_name("plans").join(format!("{id}.png"))
}

/// A picture to lie under a site's plan, from corner to corner of its outline.
#[utoipa::path(
    get, path = "/api/sites/{site}/plan.png", tag = "sites",
    params(("site" = String, Path, description = "the site")),
    responses(
        (status = 200, content_type = "image/png", body = Vec<u8>),
        (status = 403, body = Problem, content_type = "application/problem+json"),
        (status = 404, body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn plan_picture(
    State(app): State<App>,
    caller: Caller,
    Path(site): Path<String>,
) -> Result<Response, ApiError> {
    let id = visible(&app, &caller, &site).await?;
    let bytes = tokio::fs::read(picture_of(&app, &id)).await.map_err(|_| ApiError::NotFound)?;
    Ok(([(header::CONTENT_TYPE, "image/png")], bytes).into_response())
}

/// Replaces the picture under a site's plan: JPEG or PNG, up to 10 MB; it is kept as PNG.
#[utoipa::path(
    put, path = "/api/sites/{site}/plan.png", tag = "sites",
    params(("site" = String, Path, description = "the site")),
    request_body(content = Vec<u8>, content_type = "image/png"),
    responses(
        (status = 204),
        (status = 403, body = Problem, content_type = "application/problem+json"),
        (status = 404, body = Problem, content_type = "application/problem+json"),
        (status = 422, body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn put_plan_picture(
    State(app): State<App>,
    caller: Caller,
    Path(site): Path<String>,
    body: Result<Bytes, BytesRejection>,
) -> Result<StatusCode, ApiError> {
    caller.require(Permission::Configure, None, None)?;
    let id = site_id(&site)?;
    let body = body.map_err(|rejection| ApiError::Body(rejection.body_text()))?;
    crate::uploads::keep_as_png(&picture_of(&app, &id), body).await?;
    let (now, id) = (app.clock.now(), id.as_str());
    let deed = AuditEntry::new(now, &caller.name, "catalogue.plan_picture", "site", id, Value::Null);
    app.store.record_audit(&deed).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Replaces a site's plan. Every mistake in it is named at once.
#[utoipa::path(
    put, path = "/api/sites/{site}/plan", tag = "sites",
    params(("site" = String, Path, description = "the site")),
    request_body(content = Object, content_type = "application/json"),
    responses(
        (status = 204),
        (status = 403, body = Problem, content_type = "application/problem+json"),
        (status = 404, body = Problem, content_type = "application/problem+json"),
        (status = 422, body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn put_plan(
    State(app): State<App>,
    caller: Caller,
    Path(site): Path<String>,
    body: Result<Json<Value>, JsonRejection>,
) -> Result<StatusCode, ApiError> {
    caller.require(Permission::Configure, None, None)?;
    let id = site_id(&site)?;
    let Json(plan) = body.map_err(|rejection| ApiError::Body(rejection.body_text()))?;
    let text = plan.to_string();
    if text.len() > MOST_BYTES {
        return Err(ApiError::Body("≤ 5 MB".to_owned()));
    }
    let read = Plan::from_geojson(&text).map_err(|error| ApiError::Body(error.to_string()))?;
    if read.id != id {
        return Err(ApiError::Body(format!("the plan is of \"{}\"", read.id)));
    }
    let row = SiteRow { plan: Some(plan), ..row_of(&app, &id).await? };
    app.store.put_site(&row, &caller.name, app.clock.now()).await?;
    Ok(StatusCode::NO_CONTENT)
}
