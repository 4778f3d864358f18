//! What an administrator sets up about cases: kinds, departments, settings.

use axum::{
    Json,
    extract::{Path, State, rejection::JsonRejection},
};
use parapet_core::Permission;
use parapet_store::{DepartmentRow, KindRow};
use serde_json::Value;

use super::{
    App,
    case_shape::{CatalogueKind, Department, DepartmentData},
    incident::{NAME, parsed},
    problem::{ApiError, Problem},
    shape::Kind,
};
use crate::caller::Caller;

fn kind(row: KindRow) -> Kind {
    Kind {
        code: row.code.into(),
        data: CatalogueKind {
            name_zh: row.name_zh,
            name_en: row.name_en,
            category_code: row.category_code,
            category_zh: row.category_zh,
            category_en: row.category_en,
            class_code: row.class_code,
            basis_zh: row.basis_zh,
            basis_en: row.basis_en,
            deadline_amount: row.deadline_amount,
            deadline_unit: row.deadline_unit.into(),
            enabled: row.enabled,
        },
    }
}

/// Refuses a text that is shorter or longer than it may be, in characters.
pub(super) fn bounded(field: &'static str, text: &str, least: usize, most: usize) -> Result<(), ApiError> {
    let length = text.chars().count();
    let hint = if least == 1 { "1–100" } else { "≤ 500" };
    if (least..=most).contains(&length) { Ok(()) } else { Err(ApiError::Invalid { field, hint }) }
}

/// The catalogue of kinds.
#[utoipa::path(
    get, path = "/api/kinds", tag = "catalogue",
    responses(
        (status = 200, body = Vec<Kind>),
        (status = 403, body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn kinds(State(app): State<App>, caller: Caller) -> Result<Json<Vec<Kind>>, ApiError> {
    caller.require_somewhere(Permission::See)?;
    Ok(Json(app.store.kinds().await?.into_iter().map(kind).collect()))
}

/// Adds a kind or changes it.
#[utoipa::path(
    put, path = "/api/kinds/{code}", tag = "catalogue",
    params(("code" = String, Path, description = "1–64: a-z 0-9 _")),
    request_body = CatalogueKind,
    responses(
        (status = 200, body = Kind),
        (status = 400, body = Problem, content_type = "application/problem+json"),
        (status = 403, body = Problem, content_type = "application/problem+json"),
        (status = 422, body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn put_kind(
    State(app): State<App>,
    caller: Caller,
    Path(code): Path<String>,
    body: Result<Json<CatalogueKind>, JsonRejection>,
) -> Result<Json<Kind>, ApiError> {
    caller.require(Permission::Configure, None, None)?;
    let code = code.parse().map_err(|_| ApiError::Invalid { field: "code", hint: "1–64: a-z 0-9 _" })?;
    let Json(data) = body.map_err(|rejection| ApiError::Body(rejection.body_text()))?;
    bounded("name_zh", &data.name_zh, 1, 100)?;
    bounded("name_en", &data.name_en, 1, 100)?;
    let rest = [
        ("category_code", &data.category_code),
        ("category_zh", &data.category_zh),
        ("category_en", &data.category_en),
        ("class_code", &data.class_code),
        ("basis_zh", &data.basis_zh),
        ("basis_en", &data.basis_en),
    ];
    for (field, text) in rest {
        bounded(field, text, 0, 500)?;
    }
    if !(1..=10_000).contains(&data.deadline_amount) {
        return Err(ApiError::Invalid { field: "deadline_amount", hint: "1–10000" });
    }
    let row = KindRow {
        code,
        name_zh: data.name_zh,
        name_en: data.name_en,
        category_code: data.category_code,
        category_zh: data.category_zh,
        category_en: data.category_en,
        class_code: data.class_code,
        basis_zh: data.basis_zh,
        basis_en: data.basis_en,
        deadline_amount: data.deadline_amount,
        deadline_unit: data.deadline_unit.into(),
        enabled: data.enabled,
    };
    app.store.put_kind(&row, &caller.name, app.clock.now()).await?;
    Ok(Json(kind(row)))
}

fn department(row: DepartmentRow) -> Department {
    Department {
        id: row.id.into(),
        data: DepartmentData {
            name_zh: row.name_zh,
            name_en: row.name_en,
            level: row.level.into(),
            parent: row.parent.map(Into::into),
            sites: row.sites.into_iter().map(Into::into).collect(),
            webhook: row.webhook,
            enabled: row.enabled,
        },
    }
}

/// The offices that handle cases. Where their orders are posted to is told to administrators only.
#[utoipa::path(
    get, path = "/api/departments", tag = "catalogue",
    responses(
        (status = 200, body = Vec<Department>),
        (status = 403, body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn departments(
    State(app): State<App>,
    caller: Caller,
) -> Result<Json<Vec<Department>>, ApiError> {
    caller.require_somewhere(Permission::See)?;
    let sees_addresses = caller.access.may(Permission::Configure, None, None);
    let shown = |mut row: DepartmentRow| {
        row.webhook = row.webhook.filter(|_| sees_addresses);
        department(row)
    };
    Ok(Json(app.store.departments().await?.into_iter().map(shown).collect()))
}

/// Adds an office or changes it.
#[utoipa::path(
    put, path = "/api/departments/{id}", tag = "catalogue",
    params(("id" = String, Path, description = "1–64: a-z 0-9 - _")),
    request_body = DepartmentData,
    responses(
        (status = 200, body = Department),
        (status = 400, body = Problem, content_type = "application/problem+json"),
        (status = 403, body = Problem, content_type = "application/problem+json"),
        (status = 422, body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn put_department(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
    body: Result<Json<DepartmentData>, JsonRejection>,
) -> Result<Json<Department>, ApiError> {
    caller.require(Permission::Configure, None, None)?;
    let Json(data) = body.map_err(|rejection| ApiError::Body(rejection.body_text()))?;
    bounded("name_zh", &data.name_zh, 1, 100)?;
    bounded("name_en", &data.name_en, 1, 100)?;
    let invalid = |field, hint| ApiError::Invalid { field, hint };
    let id = id.parse().map_err(|_| invalid("id", NAME))?;
    let parent = parsed(data.parent, "parent", NAME)?;
    if let Some(parent) = &parent {
        let above = app.store.departments().await?.into_iter().find(|row| row.id == *parent);
        let above = above.ok_or(invalid("parent", "see /api/departments"))?;
        if above.level <= data.level.into() {
            return Err(invalid("parent", "grid < community < street < department"));
        }
    }
    if let Some(address) = &data.webhook {
        let fits = reqwest::Url::parse(address).is_ok_and(|url| matches!(url.scheme(), "http" | "https"));
        if !fits || address.len() > 500 {
            return Err(invalid("webhook", "https://…"));
        }
    }
    let sites = data.sites.iter().map(|site| site.parse()).collect::<Result<_, _>>();
    let row = DepartmentRow {
        id,
        name_zh: data.name_zh,
        name_en: data.name_en,
        level: data.level.into(),
        parent,
        sites: sites.map_err(|_| invalid("sites", NAME))?,
        webhook: data.webhook,
        enabled: data.enabled,
    };
    app.store.put_department(&row, &caller.name, app.clock.now()).await?;
    Ok(Json(department(row)))
}

/// What was chosen about working time, steps, filing by rule and scores.
#[utoipa::path(
    get, path = "/api/settings", tag = "catalogue",
    responses(
        (status = 200, body = Object),
        (status = 403, body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn settings(State(app): State<App>, caller: Caller) -> Result<Json<Value>, ApiError> {
    caller.require_somewhere(Permission::See)?;
    Ok(Json(serde_json::to_value(app.cases.settings()).unwrap_or_default()))
}

/// Changes a part of the settings: `calendar`, `steps`, `filing`, `scores` or `reopen_days`. Cases that are open keep the
/// deadlines that they have.
#[utoipa::path(
    put, path = "/api/settings/{name}", tag = "catalogue",
    params(("name" = String, Path, description = "the part")),
    request_body(content = Object, description = "the part as GET /api/settings gives it"),
    responses(
        (status = 200, body = Object),
        (status = 403, body = Problem, content_type = "application/problem+json"),
        (status = 422, body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn put_setting(
    State(app): State<App>,
    caller: Caller,
    Path(name): Path<String>,
    body: Result<Json<Value>, JsonRejection>,
) -> Result<Json<Value>, ApiError> {
    caller.require(Permission::Configure, None, None)?;
    let Json(document) = body.map_err(|rejection| ApiError::Body(rejection.body_text()))?;
    let settings = app.cases.set(&name, document, &caller.name).await?;
    Ok(Json(serde_json::to_value(settings).unwrap_or_default()))
}
