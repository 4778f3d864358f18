//! Reports and lists to take away: the month's scores, incidents and cases as CSV, XLSX and PDF.

use axum::{
    Json,
    extract::{Path, Query, State, rejection::QueryRejection},
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
};
use jiff::ToSpan as _;
use parapet_core::{Language, Permission};
use parapet_paper::Template;
use parapet_store::{CaseRow, IncidentRow, KindRow};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::{IntoParams, ToSchema};

use super::{
    App,
    case::CasesQuery,
    incident::{IncidentsQuery, NAME, parsed},
    problem::{ApiError, Problem},
};
use crate::{
    caller::Caller,
    cases::order::{either, written},
    report::{self, List, Month, SiteMonth},
    table::{Cell, Form, Table},
};

/// Which month.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct MonthQuery {
    /// `2026-11`; the present one without it.
    month: Option<String>,
    /// Only this site.
    site: Option<String>,
    /// Of a file: `zh-CN` (without it) or `en`.
    #[param(value_type = Option<String>)]
    language: Option<Language>,
}

/// On which list a site is.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum ListName {
    /// Praised.
    Red,
    /// Blamed.
    Black,
    /// On none.
    None,
}

/// So many of a kind.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct KindCount {
    /// Code of the kind.
    kind: String,
    /// How many were confirmed.
    count: u64,
}

/// So many on a day.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct DayCount {
    /// The day.
    #[schema(format = Date)]
    day: String,
    /// How many were confirmed that began on it.
    count: u64,
}

/// A site's month.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct SiteScore {
    /// The site.
    site: String,
    /// Its name in Chinese.
    name_zh: String,
    /// Its name in English.
    name_en: String,
    /// By the formula.
    score: f64,
    /// On which list that puts it.
    list: ListName,
    /// Incidents that people confirmed.
    confirmed: u64,
    /// Incidents that people dismissed.
    dismissed: u64,
    /// Incidents that nobody has judged.
    open: u64,
    /// Cases that were reported.
    cases: u64,
    /// Of those, that are open.
    open_cases: u64,
    /// Of those, that have passed a deadline.
    late: u64,
    /// Of those, that were closed in time.
    on_time: u64,
    /// Confirmed ones by kind.
    by_kind: Vec<KindCount>,
    /// Confirmed ones by day.
    by_day: Vec<DayCount>,
}

/// The month of all sites, best first.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct MonthReport {
    /// The month.
    month: String,
    /// How scores are made; `scores` of the settings.
    #[schema(value_type = Object)]
    formula: serde_json::Value,
    /// The formula in words.
    formula_zh: String,
    /// The formula in words.
    formula_en: String,
    /// The sites.
    sites: Vec<SiteScore>,
}

struct Asked {
    month: Month,
    months: Vec<SiteMonth>,
    formula: crate::cases::settings::ScoreFormula,
    language: Language,
}

async fn asked(
    app: &App,
    caller: &Caller,
    query: Result<Query<MonthQuery>, QueryRejection>,
) -> Result<Asked, ApiError> {
    let scope = caller.scope(Permission::See)?;
    let Query(query) =
        query.map_err(|_| ApiError::Invalid { field: "query", hint: "see /api/openapi.json" })?;
    let zone = app.cases.zone();
    let month = match query.month {
        Some(text) => Month::parse(&text).ok_or(ApiError::Invalid { field: "month", hint: "2026-11" })?,
        None => Month::of(app.clock.now(), &zone),
    };
    let site: Option<parapet_core::SiteId> = parsed(query.site, "site", NAME)?;
    let formula = app.cases.settings().scores;
    let mut months = report::month(&app.store, month, &zone, &scope, &formula, app.clock.now()).await?;
    months.retain(|one| site.as_ref().is_none_or(|site| one.site == *site));
    Ok(Asked { month, months, formula, language: query.language.unwrap_or_default() })
}

/// The month of the sites that the caller sees as a whole, with scores and lists.
#[utoipa::path(
    get, path = "/api/reports/month", tag = "reports", params(MonthQuery),
    responses(
        (status = 200, body = MonthReport),
        (status = 400, body = Problem, content_type = "application/problem+json"),
        (status = 403, body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn month(
    State(app): State<App>,
    caller: Caller,
    query: Result<Query<MonthQuery>, QueryRejection>,
) -> Result<Json<MonthReport>, ApiError> {
    let Asked { month, months, formula, .. } = asked(&app, &caller, query).await?;
    let first: jiff::civil::Date = format!("{month}-01").parse().unwrap_or_default();
    let day = |(index, count): (usize, u64)| DayCount {
        day: first.saturating_add(i64::try_from(index).unwrap_or(0).days()).to_string(),
        count,
    };
    let site = |one: SiteMonth| SiteScore {
        site: one.site.into(),
        name_zh: one.name_zh,
        name_en: one.name_en,
        score: (one.score * 10.0).round() / 10.0,
        list: match one.list {
            List::Red => ListName::Red,
            List::Black => ListName::Black,
            List::None => ListName::None,
        },
        confirmed: one.confirmed,
        dismissed: one.dismissed,
        open: one.new,
        cases: one.cases.cases,
        open_cases: one.cases.open,
        late: one.cases.late,
        on_time: one.cases.on_time,
        by_kind: one.by_kind.into_iter().map(|(kind, count)| KindCount { kind, count }).collect(),
        by_day: one.by_day.into_iter().enumerate().map(day).collect(),
    };
    Ok(Json(MonthReport {
        month: month.to_string(),
        formula: serde_json::to_value(formula).unwrap_or_default(),
        formula_zh: formula.words(true),
        formula_en: formula.words(false),
        sites: months.into_iter().map(site).collect(),
    }))
}

fn form_of(file: &str, name: &str) -> Result<Form, ApiError> {
    let extension = file.strip_prefix(name).and_then(|rest| rest.strip_prefix('.'));
    extension.and_then(Form::parse).ok_or(ApiError::NotFound)
}

fn kind_name(kinds: &[KindRow], code: &str, language: Language) -> String {
    let row = kinds.iter().find(|row| row.code.as_str() == code);
    row.map_or_else(|| code.to_owned(), |row| either(language, &row.name_zh, &row.name_en).to_owned())
}

/// The same as a file: `month.csv`, `month.xlsx` or `month.pdf`.
#[utoipa::path(
    get, path = "/api/reports/{file}", tag = "reports",
    params(("file" = String, Path, description = "month.csv, month.xlsx or month.pdf"), MonthQuery),
    responses(
        (status = 200, content_type = "application/octet-stream", body = Vec<u8>),
        (status = 400, body = Problem, content_type = "application/problem+json"),
        (status = 403, body = Problem, content_type = "application/problem+json"),
        (status = 404, body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn month_file(
    State(app): State<App>,
    caller: Caller,
    Path(file): Path<String>,
    query: Result<Query<MonthQuery>, QueryRejection>,
) -> Result<Response, ApiError> {
    caller.require_somewhere(Permission::See)?;
    let form = form_of(&file, "month")?;
    let Asked { month, months, formula, language } = asked(&app, &caller, query).await?;
    let zh = language == Language::ZhCn;
    let kinds = app.store.kinds().await?;
    let name = |one: &SiteMonth| either(language, &one.name_zh, &one.name_en).to_owned();
    let codes: Vec<&KindRow> = kinds
        .iter()
        .filter(|k| months.iter().any(|m| m.by_kind.iter().any(|(c, _)| c == k.code.as_str())))
        .collect();
    let of_kind = |one: &SiteMonth, code: &str| {
        one.by_kind.iter().find(|(kind, _)| kind == code).map_or(0, |(_, count)| *count)
    };
    if form == Form::Pdf {
        let site = |one: &SiteMonth| {
            let list = match one.list {
                List::Red => "red",
                List::Black => "black",
                List::None => "none",
            };
            json!({
                "name": name(one), "score": format!("{:.1}", one.score), "list": list, "confirmed": one.confirmed,
                "dismissed": one.dismissed, "open": one.new, "cases": one.cases.cases, "late": one.cases.late,
                "on_time": one.cases.on_time,
                "by_kind": codes.iter().map(|kind| of_kind(one, kind.code.as_str())).collect::<Vec<_>>(),
            })
        };
        let facts = json!({
            "language": language, "month": month.to_string(), "formula": formula.words(zh),
            "kinds": codes.iter().map(|kind| either(language, &kind.name_zh, &kind.name_en)).collect::<Vec<_>>(),
            "sites": months.iter().map(site).collect::<Vec<_>>(),
        });
        let cases = app.cases.clone();
        let pdf =
            tokio::task::spawn_blocking(move || cases.press().pdf(Template::Report, &facts, Vec::new()))
                .await;
        let pdf = pdf.map_err(|_| ApiError::Unprintable)?.map_err(ApiError::Paper)?;
        return Ok(file_answer(pdf, Form::Pdf, &format!("month-{month}")));
    }
    let words = |zh: &str, en: &str| either(language, zh, en).to_owned();
    let mut columns = vec![
        words("小区", "Site"),
        words("得分", "Score"),
        words("榜单", "List"),
        words("确认", "Confirmed"),
        words("排除", "Dismissed"),
        words("待核查", "To check"),
        words("案件", "Cases"),
        words("未结案件", "Open cases"),
        words("超期案件", "Late cases"),
        words("按期结案", "Closed in time"),
    ];
    columns.extend(codes.iter().map(|kind| either(language, &kind.name_zh, &kind.name_en).to_owned()));
    let row = |one: &SiteMonth| {
        let list = match one.list {
            List::Red => words("红榜", "red"),
            List::Black => words("黑榜", "black"),
            List::None => String::new(),
        };
        let tally = &one.cases;
        let mut cells =
            vec![Cell::text(name(one)), Cell::Number((one.score * 10.0).round() / 10.0), Cell::text(list)];
        let counts =
            [one.confirmed, one.dismissed, one.new, tally.cases, tally.open, tally.late, tally.on_time];
        cells.extend(counts.map(Cell::count));
        cells.extend(codes.iter().map(|kind| Cell::count(of_kind(one, kind.code.as_str()))));
        cells
    };
    let title = words("小区月度考核", "Monthly score of the sites");
    let table = Table { title, columns, rows: months.iter().map(row).collect() };
    answer(&app, table, form, language, &format!("month-{month}"), String::new()).await
}

/// Writes a table in a form, away from the threads that serve.
async fn answer(
    app: &App,
    table: Table,
    form: Form,
    language: Language,
    name: &str,
    narrowed: String,
) -> Result<Response, ApiError> {
    let cases = app.cases.clone();
    let made = tokio::task::spawn_blocking(move || match form {
        Form::Csv => table.csv().map_err(|_| ApiError::Unprintable),
        Form::Xlsx => table.xlsx().map_err(|_| ApiError::Unprintable),
        Form::Pdf => table.pdf(cases.press(), language, &narrowed).map_err(ApiError::Paper),
    });
    let bytes = made.await.map_err(|_| ApiError::Unprintable)??;
    Ok(file_answer(bytes, form, name))
}

pub(super) fn file_answer(bytes: Vec<u8>, form: Form, name: &str) -> Response {
    let shown = if form == Form::Pdf { "inline" } else { "attachment" };
    let mut response = ([(header::CONTENT_TYPE, form.media_type())], bytes).into_response();
    let disposition = format!("{shown}; filename=\"{name}.{}\"", form.extension());
    if let Ok(value) = HeaderValue::from_str(&disposition) {
        response.headers_mut().insert(header::CONTENT_DISPOSITION, value);
    }
    response
}

/// Incidents as a file: the newest 100,000 that the query finds as CSV or XLSX, the newest 500 as PDF.
#[utoipa::path(
    get, path = "/api/export/incidents/{file}", tag = "reports",
    params(("file" = String, Path, description = "incidents.csv, incidents.xlsx or incidents.pdf"), IncidentsQuery),
    responses(
        (status = 200, content_type = "application/octet-stream", body = Vec<u8>),
        (status = 400, body = Problem, content_type = "application/problem+json"),
        (status = 403, body = Problem, content_type = "application/problem+json"),
        (status = 404, body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn incidents(
    State(app): State<App>,
    caller: Caller,
    Path(file): Path<String>,
    query: Result<Query<IncidentsQuery>, QueryRejection>,
) -> Result<Response, ApiError> {
    let scope = caller.scope(Permission::See)?;
    let form = form_of(&file, "incidents")?;
    let Query(query) =
        query.map_err(|_| ApiError::Invalid { field: "query", hint: "see /api/openapi.json" })?;
    let language = query.language();
    let mut query = query.into_query(scope)?;
    query.limit = 500;
    let mut rows: Vec<IncidentRow> = Vec::new();
    while rows.len() < form.most_rows() {
        let page = app.store.incidents(&query).await?;
        rows.extend(page.incidents);
        query.cursor = page.next;
        if query.cursor.is_none() {
            break;
        }
    }
    let (kinds, zone) = (app.store.kinds().await?, app.cases.zone());
    let words = |zh: &str, en: &str| either(language, zh, en).to_owned();
    let row = |row: &IncidentRow| {
        let time = |at: Option<parapet_core::Timestamp>| at.map(|at| written(at, &zone)).unwrap_or_default();
        let (zh, en) = super::problem::status_name(row.status);
        let position = row.place.as_ref().map(|place| place.position.point);
        vec![
            Cell::text(row.id.to_string()),
            Cell::text(kind_name(&kinds, row.kind.as_str(), language)),
            Cell::text(row.site.to_string()),
            Cell::text(row.camera.to_string()),
            Cell::text(row.zone.as_ref().map(ToString::to_string).unwrap_or_default()),
            Cell::text(time(Some(row.started_at))),
            Cell::text(time(row.ended_at)),
            Cell::text(words(zh, en)),
            Cell::text(row.judged_by.clone().unwrap_or_default()),
            Cell::text(row.reason.clone().unwrap_or_default()),
            Cell::Number((f64::from(row.score) * 100.0).round() / 100.0),
            Cell::text(
                position.map_or_else(String::new, |p| format!("{:.6}, {:.6}", p.latitude, p.longitude)),
            ),
        ]
    };
    let columns = [
        ("编号", "Id"),
        ("类别", "Kind"),
        ("小区", "Site"),
        ("摄像机", "Camera"),
        ("区域", "Zone"),
        ("开始", "Started"),
        ("结束", "Ended"),
        ("状态", "Status"),
        ("核查人", "Judged by"),
        ("理由", "Reason"),
        ("置信度", "Confidence"),
        ("坐标", "Coordinates"),
    ];
    let table = Table {
        title: words("疑似事件清单", "Suspected incidents"),
        columns: columns.map(|(zh, en)| words(zh, en)).to_vec(),
        rows: rows.iter().take(form.most_rows()).map(row).collect(),
    };
    answer(&app, table, form, language, "incidents", String::new()).await
}

/// Cases as a file: the newest 100,000 that the query finds as CSV or XLSX, the newest 500 as PDF.
#[utoipa::path(
    get, path = "/api/export/cases/{file}", tag = "reports",
    params(("file" = String, Path, description = "cases.csv, cases.xlsx or cases.pdf"), CasesQuery),
    responses(
        (status = 200, content_type = "application/octet-stream", body = Vec<u8>),
        (status = 400, body = Problem, content_type = "application/problem+json"),
        (status = 403, body = Problem, content_type = "application/problem+json"),
        (status = 404, body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn cases(
    State(app): State<App>,
    caller: Caller,
    Path(file): Path<String>,
    query: Result<Query<CasesQuery>, QueryRejection>,
) -> Result<Response, ApiError> {
    caller.require_somewhere(Permission::See)?;
    let form = form_of(&file, "cases")?;
    let Query(query) =
        query.map_err(|_| ApiError::Invalid { field: "query", hint: "see /api/openapi.json" })?;
    let language = query.language();
    let now = app.clock.now();
    let mut query = query.into_query(&caller, now)?;
    query.limit = 500;
    let mut rows: Vec<CaseRow> = Vec::new();
    while rows.len() < form.most_rows() {
        let page = app.store.cases(&query).await?;
        rows.extend(page.cases);
        query.cursor = page.next;
        if query.cursor.is_none() {
            break;
        }
    }
    let (kinds, zone) = (app.store.kinds().await?, app.cases.zone());
    let words = |zh: &str, en: &str| either(language, zh, en).to_owned();
    let row = |row: &CaseRow| {
        let case = &row.case;
        let time = |at: Option<parapet_core::Timestamp>| at.map(|at| written(at, &zone)).unwrap_or_default();
        let (zh, en) = super::problem::step_name(case.step);
        let late = match case.lateness(now) {
            parapet_core::case::Lateness::OnTime => words("正常", "on time"),
            parapet_core::case::Lateness::Warning => words("即将超期", "nearly due"),
            parapet_core::case::Lateness::Overdue => words("超期", "overdue"),
        };
        vec![
            Cell::text(case.number.to_string()),
            Cell::text(kind_name(&kinds, case.kind.as_str(), language)),
            Cell::text(case.site.to_string()),
            Cell::text(words(zh, en)),
            Cell::text(late),
            Cell::text(case.department.as_ref().map(ToString::to_string).unwrap_or_default()),
            Cell::text(time(Some(case.opened_at))),
            Cell::text(case.opened_by.clone()),
            Cell::text(time(case.step_due)),
            Cell::text(time(case.closed_at)),
            Cell::text(row.order.as_ref().map(ToString::to_string).unwrap_or_default()),
            Cell::text(case.place_text.clone().or_else(|| case.note.clone()).unwrap_or_default()),
        ]
    };
    let columns = [
        ("编号", "Number"),
        ("类别", "Kind"),
        ("小区", "Site"),
        ("环节", "Step"),
        ("时限", "Deadline"),
        ("承办单位", "Department"),
        ("上报时间", "Reported"),
        ("上报人", "By"),
        ("环节截止", "Step due"),
        ("结束", "Closed"),
        ("交办单", "Order"),
        ("地点", "Place"),
    ];
    let table = Table {
        title: words("案件清单", "Cases"),
        columns: columns.map(|(zh, en)| words(zh, en)).to_vec(),
        rows: rows.iter().take(form.most_rows()).map(row).collect(),
    };
    answer(&app, table, form, language, "cases", String::new()).await
}
