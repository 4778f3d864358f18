//! The verdicts as a labelled event set, to be downloaded: what `parapet verdicts score` reads.

use axum::{
    body::{Body, Bytes},
    extract::{Query, State},
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
};
use futures::{StreamExt, stream};
use parapet_core::{Permission, Scope, Timestamp, verdict};
use parapet_store::{StoreError, VerdictPage, VerdictQuery};
use serde::Deserialize;
use tracing::error;
use utoipa::IntoParams;

use super::{
    App,
    incident::{NAME, parsed},
    problem::{ApiError, Problem},
};
use crate::caller::Caller;

/// Which verdicts; what is left out does not narrow.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct VerdictsQuery {
    /// Code of the kind.
    kind: Option<String>,
    /// The site.
    site: Option<String>,
    /// The node.
    node: Option<String>,
    /// The camera.
    camera: Option<String>,
    /// On incidents that were raised at or after this time.
    #[param(value_type = Option<String>, format = DateTime)]
    from: Option<Timestamp>,
    /// On incidents that were raised before this time.
    #[param(value_type = Option<String>, format = DateTime)]
    to: Option<Timestamp>,
}

impl VerdictsQuery {
    fn into_query(self, scope: Scope) -> Result<VerdictQuery, ApiError> {
        Ok(VerdictQuery {
            kind: parsed(self.kind, "kind", "1–64: a-z 0-9 _")?,
            site: parsed(self.site, "site", NAME)?,
            node: parsed(self.node, "node", NAME)?,
            camera: parsed(self.camera, "camera", NAME)?,
            from: self.from,
            to: self.to,
            scope,
            ..VerdictQuery::default()
        })
    }
}

/// All that people have confirmed or dismissed, as a labelled event set: a header and a line for each incident, tabs between
/// the fields, oldest first. Withdrawn verdicts are not in it, nor are operators' names and notes.
#[utoipa::path(
    get, path = "/api/verdicts", tag = "incidents", params(VerdictsQuery),
    responses(
        (
            status = 200, content_type = "text/tab-separated-values", body = String,
            description = "columns: incident, site, node, camera, preset, rule, kind, zone, label, severity, score, since, \
                started_at, ended_at, x_min, y_min, x_max, y_max, verdict, reason, judged_at; a body that breaks off is \
                not complete",
        ),
        (status = 400, body = Problem, content_type = "application/problem+json"),
        (status = 403, body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn verdicts(
    State(app): State<App>,
    caller: Caller,
    query: Result<Query<VerdictsQuery>, axum::extract::rejection::QueryRejection>,
) -> Result<Response, ApiError> {
    let scope = caller.scope(Permission::See)?;
    let Query(query) =
        query.map_err(|_| ApiError::Invalid { field: "query", hint: "see /api/openapi.json" })?;
    let query = query.into_query(scope)?;
    // A database that fails at once is told as a problem; one that fails later can only break the body off.
    let first = app.store.verdicts(&query).await?;
    let head = stream::iter([Ok(Bytes::from(verdict::header(false)))]);
    let store = app.store;
    let pages = stream::try_unfold(Some(Step::Read(first)), move |step| {
        let (store, query) = (store.clone(), query.clone());
        async move {
            let page = match step {
                None => return Ok(None),
                Some(Step::Read(page)) => page,
                Some(Step::After(cursor)) => store
                    .verdicts(&VerdictQuery { cursor: Some(cursor), ..query })
                    .await
                    .inspect_err(|error| {
                        error!(error = error as &dyn std::error::Error, "an export of verdicts broke off");
                    })?,
            };
            let lines: String = page.verdicts.iter().map(|judged| judged.line(false)).collect();
            Ok::<_, StoreError>(Some((Bytes::from(lines), page.next.map(Step::After))))
        }
    });
    let mut response = Body::from_stream(head.chain(pages)).into_response();
    let headers = response.headers_mut();
    headers
        .insert(header::CONTENT_TYPE, HeaderValue::from_static("text/tab-separated-values; charset=utf-8"));
    headers.insert(
        header::CONTENT_DISPOSITION,
        HeaderValue::from_static("attachment; filename=\"verdicts.tsv\""),
    );
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}

/// Where the download stands: with a page in hand, or after one.
enum Step {
    Read(VerdictPage),
    After(parapet_store::Cursor),
}
