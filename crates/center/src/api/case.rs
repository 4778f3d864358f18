//! Cases: reading them, and every deed to them.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::Write,
};

use axum::{
    Json,
    extract::{Multipart, Path, Query, State, rejection::JsonRejection, rejection::QueryRejection},
    http::header,
    response::{IntoResponse, Response},
};
use parapet_core::{
    CaseId, Permission, Scope, Timestamp,
    case::{CaseAction, Deed, Number, Report},
    geo::{GeoPoint, Place, Position},
};
use parapet_paper::{Picture, Template};
use parapet_store::{CaseExtra, CaseQuery, IncidentRow, NewAnswer, OrderRow};
use serde::Deserialize;
use utoipa::IntoParams;

use super::{
    App,
    case_shape::{
        ActionRequest, Answer, AnswerPicture, Case, CaseCount, CaseDeed, CaseDetail, CasePage, CaseStep,
        Lateness, NewCase, Order,
    },
    incident::{NAME, found, parsed, text},
    problem::{ApiError, Problem},
    shape::Incident,
};
use crate::{
    archive::{Registered, Selection, write_archive_without},
    caller::Caller,
    cases::{
        CasesError, Request,
        order::{Facts, OrderDocument},
    },
    privacy::Sight,
    uploads::{self, MOST_PICTURES},
};

/// How well a place is known that a person set on a map, metres.
const BY_HAND_METERS: f32 = 5.0;

/// Which cases; what is left out does not narrow.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct CasesQuery {
    /// The site.
    site: Option<String>,
    /// Code of the kind.
    kind: Option<String>,
    /// Where it is in the work.
    step: Option<CaseStep>,
    /// The department that has it.
    department: Option<String>,
    /// How it stands against its deadline.
    lateness: Option<Lateness>,
    /// Only those that somebody has to work on, or only those that are over.
    open: Option<bool>,
    /// Reported at or after this time.
    #[param(value_type = Option<String>, format = DateTime)]
    from: Option<Timestamp>,
    /// Reported before this time.
    #[param(value_type = Option<String>, format = DateTime)]
    to: Option<Timestamp>,
    /// With this text in its number, place, note, camera or site.
    #[param(max_length = 200)]
    text: Option<String>,
    /// At most so many.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<u32>,
    /// Where to go on: `next` of the page before.
    cursor: Option<String>,
    /// Of a file: `zh-CN` (without it) or `en`.
    #[param(value_type = Option<String>)]
    language: Option<parapet_core::Language>,
}

const CURSOR: &str = "the \"next\" of the page before";

/// A place in the list of cases, as the page got it.
fn cursor_from(text: &str) -> Option<(i64, CaseId)> {
    let (at, id) = text.split_once('.')?;
    Some((at.parse().ok()?, id.parse().ok()?))
}

impl CasesQuery {
    /// In which language a file is wanted.
    pub(super) fn language(&self) -> parapet_core::Language {
        self.language.unwrap_or_default()
    }

    pub(super) fn into_query(self, caller: &Caller, now: Timestamp) -> Result<CaseQuery, ApiError> {
        let limit = self.limit.unwrap_or(50);
        if !(1..=500).contains(&limit) {
            return Err(ApiError::Invalid { field: "limit", hint: "1–500" });
        }
        if self.text.as_ref().is_some_and(|text| text.chars().count() > 200) {
            return Err(ApiError::Invalid { field: "text", hint: "≤ 200" });
        }
        let cursor = self
            .cursor
            .map(|text| cursor_from(&text).ok_or(ApiError::Invalid { field: "cursor", hint: CURSOR }));
        Ok(CaseQuery {
            site: parsed(self.site, "site", NAME)?,
            scope: caller.scope(Permission::See)?,
            kind: parsed(self.kind, "kind", "1–64: a-z 0-9 _")?,
            step: self.step.map(Into::into),
            department: parsed(self.department, "department", NAME)?,
            lateness: self.lateness.map(Into::into),
            open: self.open,
            from: self.from,
            to: self.to,
            text: self.text,
            now,
            limit,
            cursor: cursor.transpose()?,
        })
    }
}

/// Cases, newest report first.
#[utoipa::path(
    get, path = "/api/cases", tag = "cases", params(CasesQuery),
    responses(
        (status = 200, body = CasePage),
        (status = 400, body = Problem, content_type = "application/problem+json"),
        (status = 403, body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn cases(
    State(app): State<App>,
    caller: Caller,
    query: Result<Query<CasesQuery>, QueryRejection>,
) -> Result<Json<CasePage>, ApiError> {
    let Query(query) =
        query.map_err(|_| ApiError::Invalid { field: "query", hint: "see /api/openapi.json" })?;
    let now = app.clock.now();
    let query = query.into_query(&caller, now)?;
    let page = app.store.cases(&query).await?;
    let counts = app.store.case_counts(&query).await?;
    let count = |count: parapet_store::CaseCount| CaseCount {
        step: count.step.into(),
        lateness: count.lateness.into(),
        count: count.count,
    };
    Ok(Json(CasePage {
        cases: page.cases.into_iter().map(|row| Case::new(row, now)).collect(),
        next: page.next.map(|(at, id)| format!("{at}.{id}")),
        counts: counts.into_iter().map(count).collect(),
    }))
}

/// The case with this id, if the caller may do this to it.
pub(super) async fn case_for(
    app: &App,
    caller: &Caller,
    permission: Permission,
    id: &str,
) -> Result<parapet_store::CaseDetail, ApiError> {
    caller.require_somewhere(permission)?;
    let id: CaseId = id.parse().map_err(|_| ApiError::NotFound)?;
    let detail = app.store.case(id).await?.ok_or(ApiError::NotFound)?;
    caller.require(permission, Some(&detail.case.site), detail.case.camera.as_ref())?;
    Ok(detail)
}

/// What it takes to do something to a case.
pub(super) fn permission_for(action: CaseAction) -> Permission {
    match action {
        CaseAction::Answer | CaseAction::Return => Permission::Answer,
        CaseAction::Comment | CaseAction::Link | CaseAction::Report | CaseAction::Merge => Permission::File,
        _ => Permission::Dispatch,
    }
}

async fn shown(
    app: &App,
    caller: &Caller,
    detail: parapet_store::CaseDetail,
) -> Result<Json<CaseDetail>, ApiError> {
    let now = app.clock.now();
    let mut incidents = Vec::with_capacity(detail.incidents.len());
    for id in &detail.incidents {
        if let Some(stored) = app.store.incident(*id).await? {
            incidents.push(Incident::new(stored.incident, &stored.evidence));
        }
    }
    let case = &detail.case;
    let may = |action: &CaseAction| {
        let permitted = caller.access.may(permission_for(*action), Some(&case.site), case.camera.as_ref());
        permitted && case.allows(*action).is_ok()
    };
    let mut actions: Vec<_> = CaseAction::BY_PEOPLE.into_iter().filter(may).map(Into::into).collect();
    if may(&CaseAction::Comment) {
        actions.push(CaseAction::Comment.into());
    }
    let answered = |order: &OrderRow| {
        detail.answers.iter().filter(|answer| answer.order == order.number).map(|answer| answer.at).max()
    };
    let order = |order: &OrderRow| Order {
        number: order.number.to_string(),
        department: order.department.to_string(),
        issued_at: order.issued_at,
        issued_by: order.issued_by.clone(),
        due: order.due,
        instruction: order.instruction.clone(),
        answered_at: answered(order),
    };
    let orders: Vec<Order> = detail.orders.iter().map(order).collect();
    let row = detail.row();
    let holds = super::hold::holds_on(app, None, Some(detail.case.id)).await?;
    let related = detail.related.into_iter().map(|row| Case::new(row, now)).collect();
    Ok(Json(CaseDetail {
        case: Case::new(row, now),
        incidents,
        history: detail.history.into_iter().map(deed).collect(),
        orders,
        answers: detail.answers.into_iter().map(answer).collect(),
        related,
        actions,
        holds,
    }))
}

fn deed(row: parapet_store::HistoryRow) -> CaseDeed {
    CaseDeed {
        sequence: row.sequence,
        at: row.at,
        actor: row.actor,
        action: row.action.into(),
        from: row.from.map(Into::into),
        to: row.to.into(),
        reason: row.reason,
        department: row.department.map(Into::into),
        level: row.level.into(),
        due: row.due,
        detail: row.detail,
    }
}

fn answer(row: parapet_store::AnswerRow) -> Answer {
    let picture = |picture: parapet_store::PictureRow| AnswerPicture {
        id: picture.id.to_string(),
        media_type: picture.media_type,
        bytes: picture.bytes,
        sha256: picture.sha256,
    };
    Answer {
        id: row.id.to_string(),
        order: row.order.to_string(),
        at: row.at,
        actor: row.actor,
        text: row.text,
        pictures: row.pictures.into_iter().map(picture).collect(),
    }
}

/// One case with everything that belongs to it.
#[utoipa::path(
    get, path = "/api/cases/{id}", tag = "cases",
    params(("id" = String, Path, description = "the case's id")),
    responses(
        (status = 200, body = CaseDetail),
        (status = 403, body = Problem, content_type = "application/problem+json"),
        (status = 404, body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn case(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Json<CaseDetail>, ApiError> {
    let detail = case_for(&app, &caller, Permission::See, &id).await?;
    shown(&app, &caller, detail).await
}

/// Reports a case: of incidents, or of what a person saw. An incident at the place of an open case becomes a part of that
/// one; at the place of a case that was closed of late, that case is opened again.
#[utoipa::path(
    post, path = "/api/cases", tag = "cases", request_body = NewCase,
    responses(
        (status = 200, body = CaseDetail),
        (status = 403, body = Problem, content_type = "application/problem+json"),
        (status = 404, body = Problem, content_type = "application/problem+json"),
        (status = 409, body = Problem, content_type = "application/problem+json", description = "an incident is a part of a case already, or was dismissed"),
        (status = 422, body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn report(
    State(app): State<App>,
    caller: Caller,
    body: Result<Json<NewCase>, JsonRejection>,
) -> Result<Json<CaseDetail>, ApiError> {
    caller.require_somewhere(Permission::File)?;
    let Json(new) = body.map_err(|rejection| ApiError::Body(rejection.body_text()))?;
    let note = text("note", new.note, 2000)?;
    if !new.incidents.is_empty() {
        if new.incidents.len() > 50 {
            return Err(ApiError::Invalid { field: "incidents", hint: "1–50" });
        }
        let mut rows: Vec<IncidentRow> = Vec::with_capacity(new.incidents.len());
        for id in &new.incidents {
            let row = found(&app, &caller, Permission::File, id).await?.incident;
            if rows.iter().all(|known| known.id != row.id) {
                rows.push(row);
            }
        }
        let detail = app.cases.file(&rows, note, &caller.name).await?;
        return shown(&app, &caller, detail).await;
    }
    let site = parsed(new.site, "site", NAME)?.ok_or(ApiError::Invalid { field: "site", hint: NAME })?;
    let kind = parsed(new.kind, "kind", "1–64: a-z 0-9 _")?;
    let kind = kind.ok_or(ApiError::Invalid { field: "kind", hint: "see /api/kinds" })?;
    let camera = parsed(new.camera, "camera", NAME)?;
    caller.require(Permission::File, Some(&site), camera.as_ref())?;
    let known = app.roster.nodes(&Scope::All).iter().any(|node| node.site == site.as_str());
    if !known {
        return Err(ApiError::Invalid { field: "site", hint: "see /api/nodes" });
    }
    let point = match (new.latitude, new.longitude) {
        (Some(latitude), Some(longitude)) => {
            let point = GeoPoint::new(latitude, longitude);
            Some(
                point
                    .map_err(|_| ApiError::Invalid { field: "latitude", hint: "−90–90, −180–180" })?,
            )
        }
        (None, None) => None,
        _ => return Err(ApiError::Invalid { field: "longitude", hint: "with latitude" }),
    };
    let place = point.map(|point| Place {
        position: Position { point, uncertainty_meters: BY_HAND_METERS },
        building: None,
        area_square_meters: None,
    });
    let place_text = text("place_text", new.place_text, 300)?;
    let (by, at) = (caller.name.clone(), app.clock.now());
    let report = Report { site, camera, kind, place, place_text, note, follows: None, by, at };
    let detail = app.cases.report(report).await?;
    shown(&app, &caller, detail).await
}

/// Does a deed to a case. Answers go to `/api/cases/{id}/answers`.
#[utoipa::path(
    post, path = "/api/cases/{id}/actions", tag = "cases",
    params(("id" = String, Path, description = "the case's id")),
    request_body = ActionRequest,
    responses(
        (status = 200, body = CaseDetail),
        (status = 403, body = Problem, content_type = "application/problem+json"),
        (status = 404, body = Problem, content_type = "application/problem+json"),
        (status = 409, body = Problem, content_type = "application/problem+json", description = "it does not follow the present state"),
        (status = 422, body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn act(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
    body: Result<Json<ActionRequest>, JsonRejection>,
) -> Result<Json<CaseDetail>, ApiError> {
    let detail = case_for(&app, &caller, Permission::File, &id).await?;
    let Json(request) = body.map_err(|rejection| ApiError::Body(rejection.body_text()))?;
    let action: CaseAction = request.action.into();
    if matches!(action, CaseAction::Report | CaseAction::Answer | CaseAction::Link | CaseAction::Warn) {
        let hint = "accept, reject, dispatch, return, check_pass, check_fail, close, reopen, suspend, resume, extend, \
            merge, escalate, remind, comment";
        return Err(ApiError::Invalid { field: "action", hint });
    }
    caller.require(permission_for(action), Some(&detail.case.site), detail.case.camera.as_ref())?;
    if request.allowance.is_some_and(|allowance| !(1..=10_000).contains(&allowance.amount)) {
        return Err(ApiError::Invalid { field: "allowance", hint: "1–10000" });
    }
    let into: Option<CaseId> = match request.into {
        Some(into) => Some(case_for(&app, &caller, permission_for(action), &into).await?.case.id),
        None => None,
    };
    let deed = Deed {
        reason: text("reason", request.reason, 2000)?,
        department: parsed(request.department, "department", NAME)?,
        allowance: request.allowance.map(Into::into),
        into,
        ..Deed::new(action, &caller.name, app.clock.now())
    };
    let instruction = text("instruction", request.instruction, 2000)?;
    let request = Request { deed, instruction, extra: CaseExtra::None };
    let detail = app.cases.act(detail.case.id, request).await?;
    shown(&app, &caller, detail).await
}

/// What a department answers: `text`, and up to nine times `picture` (JPEG or PNG, up to 10 MB).
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "describes the form for OpenAPI")]
pub(super) struct AnswerForm {
    #[schema(min_length = 1, max_length = 2000)]
    text: String,
    #[schema(content_media_type = "application/octet-stream")]
    picture: Vec<Vec<u8>>,
}

/// Answers the order of a case.
#[utoipa::path(
    post, path = "/api/cases/{id}/answers", tag = "cases",
    params(("id" = String, Path, description = "the case's id")),
    request_body(content = AnswerForm, content_type = "multipart/form-data"),
    responses(
        (status = 200, body = CaseDetail),
        (status = 403, body = Problem, content_type = "application/problem+json"),
        (status = 404, body = Problem, content_type = "application/problem+json"),
        (status = 409, body = Problem, content_type = "application/problem+json", description = "there is no order to answer"),
        (status = 422, body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn answer_order(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
    form: Result<Multipart, axum::extract::multipart::MultipartRejection>,
) -> Result<Json<CaseDetail>, ApiError> {
    let detail = case_for(&app, &caller, Permission::Answer, &id).await?;
    detail.case.allows(CaseAction::Answer).map_err(ApiError::Case)?;
    let mut form = form.map_err(|rejection| ApiError::Body(rejection.body_text()))?;
    let (mut words, mut pictures) = (None, Vec::new());
    let broken = |error: axum::extract::multipart::MultipartError| ApiError::Body(error.body_text());
    while let Some(field) = form.next_field().await.map_err(broken)? {
        match field.name() {
            Some("text") => words = Some(field.text().await.map_err(broken)?),
            Some("picture") if pictures.len() < MOST_PICTURES => {
                let bytes = field.bytes().await.map_err(broken)?;
                pictures.push(uploads::keep(app.cases.answers(), bytes).await?);
            }
            Some("picture") => return Err(ApiError::Invalid { field: "picture", hint: "≤ 9" }),
            _ => return Err(ApiError::Invalid { field: "form", hint: "text, picture" }),
        }
    }
    let words = text("text", words, 2000)?.ok_or(ApiError::Invalid { field: "text", hint: "1–2000" })?;
    let request = Request {
        deed: Deed::new(CaseAction::Answer, &caller.name, app.clock.now()),
        instruction: None,
        extra: CaseExtra::Answer(NewAnswer { text: words, pictures }),
    };
    let detail = app.cases.act(detail.case.id, request).await?;
    shown(&app, &caller, detail).await
}

/// A picture of an answer.
#[utoipa::path(
    get, path = "/api/cases/{id}/answers/{answer}/pictures/{picture}", tag = "cases",
    params(
        ("id" = String, Path, description = "the case's id"),
        ("answer" = String, Path, description = "the answer's id"),
        ("picture" = String, Path, description = "the picture's id"),
    ),
    responses(
        (status = 200, content_type = "image/jpeg", body = Vec<u8>),
        (status = 403, body = Problem, content_type = "application/problem+json"),
        (status = 404, body = Problem, content_type = "application/problem+json"),
        (status = 502, body = Problem, content_type = "application/problem+json", description = "the file is not what was kept"),
    )
)]
pub(super) async fn picture(
    State(app): State<App>,
    caller: Caller,
    Path((id, answer, picture)): Path<(String, String, String)>,
) -> Result<Response, ApiError> {
    let detail = case_for(&app, &caller, Permission::See, &id).await?;
    let answer = detail.answers.iter().find(|row| row.id.to_string() == answer).ok_or(ApiError::NotFound)?;
    let picture = answer.pictures.iter().find(|row| row.id.to_string() == picture);
    let picture = picture.ok_or(ApiError::NotFound)?;
    let bytes = uploads::read(app.cases.answers(), picture).await?;
    let media_type = if picture.media_type == "image/png" { "image/png" } else { "image/jpeg" };
    Ok(([(header::CONTENT_TYPE, media_type)], bytes).into_response())
}

/// In which language a document is wanted.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct DocumentQuery {
    /// `zh-CN` (without it) or `en`.
    #[param(value_type = Option<String>)]
    pub(super) language: Option<parapet_core::Language>,
}

/// An order of a case, with the pictures that can be had, as it reads in a language.
async fn facts(
    app: &App,
    caller: &Caller,
    (id, number): &(String, String),
    query: Result<Query<DocumentQuery>, QueryRejection>,
) -> Result<(Facts, OrderDocument), ApiError> {
    let Query(query) = query.map_err(|_| ApiError::Invalid { field: "language", hint: "zh-CN, en" })?;
    let detail = case_for(app, caller, Permission::See, id).await?;
    let number = Number::stored(number.clone());
    let order = detail.orders.iter().find(|order| order.number == number).ok_or(ApiError::NotFound)?;
    let document: OrderDocument =
        serde_json::from_value(order.document.clone()).map_err(|_| ApiError::NotFound)?;
    let facts = Facts::new(order, &document, query.language.unwrap_or_default(), &app.cases.zone());
    Ok((facts, document))
}

/// A hand-over order as a page to be printed.
#[utoipa::path(
    get, path = "/api/cases/{id}/orders/{number}/document.html", tag = "cases",
    params(
        ("id" = String, Path, description = "the case's id"),
        ("number" = String, Path, description = "the order's number"),
        DocumentQuery,
    ),
    responses(
        (status = 200, content_type = "text/html", body = String),
        (status = 403, body = Problem, content_type = "application/problem+json"),
        (status = 404, body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn order_page(
    State(app): State<App>,
    caller: Caller,
    Path(path): Path<(String, String)>,
    query: Result<Query<DocumentQuery>, QueryRejection>,
) -> Result<Response, ApiError> {
    let (facts, document) = facts(&app, &caller, &path, query).await?;
    let plan = document.plan(&app.store, facts.language).await?;
    let address = |item: &crate::cases::order::OrderEvidence| {
        format!("/api/incidents/{}/evidence/{}", item.incident, super::evidence::role_name(item.role))
    };
    let pictures: Vec<String> = document.pictures().map(address).collect();
    Ok(axum::response::Html(facts.html(&pictures, plan)).into_response())
}

/// A hand-over order as PDF.
#[utoipa::path(
    get, path = "/api/cases/{id}/orders/{number}/document.pdf", tag = "cases",
    params(
        ("id" = String, Path, description = "the case's id"),
        ("number" = String, Path, description = "the order's number"),
        DocumentQuery,
    ),
    responses(
        (status = 200, content_type = "application/pdf", body = Vec<u8>),
        (status = 403, body = Problem, content_type = "application/problem+json"),
        (status = 404, body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn order_pdf(
    State(app): State<App>,
    caller: Caller,
    Path(path): Path<(String, String)>,
    query: Result<Query<DocumentQuery>, QueryRejection>,
) -> Result<Response, ApiError> {
    let name = path.1.clone();
    let (mut facts, document) = facts(&app, &caller, &path, query).await?;
    let mut files = Vec::new();
    for item in document.pictures() {
        files.push(super::evidence::bytes_for(&app, &caller, item.incident, &item.sha256).await);
    }
    let mut pictures = facts.keep_pictures(files);
    if let Some(plan) = document.plan(&app.store, facts.language).await? {
        facts.plan = Some("plan.svg".to_owned());
        pictures.push(Picture { name: "plan.svg".to_owned(), bytes: plan.into_bytes() });
    }
    let cases = app.cases.clone();
    let pdf = tokio::task::spawn_blocking(move || cases.press().pdf(Template::Order, &facts, pictures)).await;
    let pdf = pdf.map_err(|_| ApiError::Unprintable)?.map_err(ApiError::Paper)?;
    Ok(super::report::file_answer(pdf, crate::table::Form::Pdf, &name))
}

/// A case as an archive that `parapet evidence verify` can check anywhere: its incidents' events and evidence with their
/// places in the signed chains, and the case as this API tells it in `case.json`. Files in which something is private are
/// left out for who may not unseal them; pictures of them are in `masked/` with that as a mosaic.
#[utoipa::path(
    get, path = "/api/cases/{id}/archive.zip", tag = "cases",
    params(("id" = String, Path, description = "the case's id")),
    responses(
        (status = 200, content_type = "application/zip", body = Vec<u8>),
        (status = 403, body = Problem, content_type = "application/problem+json"),
        (status = 404, body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn archive(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Response, ApiError> {
    let detail = case_for(&app, &caller, Permission::SeeClear, &id).await?;
    let (number, incidents) = (detail.case.number.to_string(), detail.incidents.clone());
    // What somebody may see is named, not what they may not: older files of an incident are in the ledger only.
    let (mut sealed, mut open) = (BTreeSet::new(), BTreeSet::new());
    let (mut masked, mut unsealed) = (BTreeMap::new(), false);
    for incident in &incidents {
        let Some(stored) = app.store.incident(*incident).await? else { continue };
        if !super::evidence::sees_all_of(&app, &caller, &stored.incident) {
            sealed.insert(incident.to_string().replace('-', ""));
        }
        for file in &stored.evidence {
            let sight = super::evidence::sight_of(&app, &caller, &stored.incident, &file.item);
            unsealed |= sight == Sight::Unsealed;
            // What cannot be had is missing in the archive, which says so.
            if matches!(sight, Sight::Clear | Sight::Unsealed) {
                open.insert(file.item.sha256.clone());
                drop(app.evidence.copy(file).await);
            } else if super::evidence::is_picture(&file.item)
                && let Ok(path) = app.evidence.seen(file, &sight).await
            {
                masked.insert(file.item.sha256.clone(), path);
            }
        }
    }
    let case = detail.case.id.to_string();
    if unsealed {
        app.people.unsealed(&caller, "case_archive", &case, &number).await?;
    } else {
        app.people.saw(&caller, "case_archive", &case, &number).await?;
    }
    let told = shown(&app, &caller, detail).await?.0;
    let mut zip = std::io::Cursor::new(Vec::new());
    let selection = Selection::Incidents(incidents);
    let evidence = [app.evidence.directory().to_owned()];
    // What was done last is to be under a signature, too.
    app.keeper.sign(true).await.map_err(|_| ApiError::Unprintable)?;
    let is_sealed = |file: &Registered| sealed.contains(&file.incident) && !open.contains(&file.sha256);
    let written = write_archive_without(&app.store, &selection, &evidence, &is_sealed, &mut zip).await;
    written.map_err(ApiError::Archive)?;
    let mut zip = zip::ZipWriter::new_append(zip).map_err(|error| ApiError::Archive(error.into()))?;
    let added = zip.start_file("case.json", zip::write::SimpleFileOptions::default());
    added.map_err(|error| ApiError::Archive(error.into()))?;
    serde_json::to_writer_pretty(&mut zip, &told).map_err(|_| ApiError::Unprintable)?;
    for (sha256, path) in masked {
        let Ok(picture) = tokio::fs::read(path).await else { continue };
        let added = zip.start_file(format!("masked/{sha256}.jpg"), zip::write::SimpleFileOptions::default());
        added.map_err(|error| ApiError::Archive(error.into()))?;
        zip.write_all(&picture).map_err(|error| ApiError::Archive(error.into()))?;
    }
    let zip = zip.finish().map_err(|error| ApiError::Archive(error.into()))?.into_inner();
    let name = format!("attachment; filename=\"{number}.zip\"");
    Ok(([(header::CONTENT_TYPE, "application/zip".to_owned()), (header::CONTENT_DISPOSITION, name)], zip)
        .into_response())
}

impl From<CasesError> for ApiError {
    fn from(error: CasesError) -> Self {
        match error {
            CasesError::Store(error) => error.into(),
            CasesError::NoIncidents => Self::Invalid { field: "incidents", hint: "1–50" },
            CasesError::Mixed => Self::Invalid { field: "incidents", hint: "one site, one kind" },
            CasesError::UnknownKind(_) => Self::Invalid { field: "kind", hint: "see /api/kinds" },
            CasesError::UnknownDepartment(_) => {
                Self::Invalid { field: "department", hint: "see /api/departments" }
            }
            CasesError::Setting(error) => Self::Body(error.to_string()),
        }
    }
}
