//! Files of evidence, from their node by way of a checked copy.

use axum::{
    body::Body,
    extract::{Path, Request, State},
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
};
use parapet_core::{EvidenceRole, Permission};
use parapet_store::StoredEvidence;
use tower_http::services::ServeFile;

use super::{
    App,
    incident::found,
    problem::{ApiError, Problem},
    shape,
};
use crate::caller::Caller;

/// A file of evidence. Its bytes match the hash that was registered for it, or there is no answer; who may not see pictures
/// clear gets a blurred picture, and no clip. Ranges are served, so that a clip can be wound.
#[utoipa::path(
    get, path = "/api/incidents/{id}/evidence/{role}", tag = "incidents",
    params(
        ("id" = String, Path, description = "the incident's id"),
        ("role" = shape::EvidenceRole, Path, description = "what the file shows"),
    ),
    responses(
        (status = 200, content_type = "application/octet-stream", body = Vec<u8>),
        (status = 206, content_type = "application/octet-stream", body = Vec<u8>),
        (status = 403, body = Problem, content_type = "application/problem+json"),
        (status = 404, body = Problem, content_type = "application/problem+json"),
        (status = 410, body = Problem, content_type = "application/problem+json"),
        (status = 502, body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn file(
    State(app): State<App>,
    caller: Caller,
    Path((id, role)): Path<(String, String)>,
    request: Request,
) -> Result<Response, ApiError> {
    let detail = found(&app, &caller, Permission::See, &id).await?;
    let role: shape::EvidenceRole =
        serde_json::from_value(serde_json::Value::String(role)).map_err(|_| ApiError::NotFound)?;
    let role = EvidenceRole::from(role);
    // A structure has pictures of each survey in which it changed: the latest are shown.
    let stored =
        detail.evidence.iter().rfind(|stored| stored.item.role == role).ok_or(ApiError::NoEvidence)?;
    let (site, camera) = (&detail.incident.site, &detail.incident.camera);
    let clear = caller.access.may(Permission::SeeClear, Some(site), Some(camera));
    let is_picture = matches!(stored.item.media_type.as_str(), "image/jpeg" | "image/png");
    if !clear && !is_picture {
        return Err(ApiError::Forbidden);
    }
    let (path, media_type, tag) = if clear {
        let id = detail.incident.id.to_string();
        app.people.saw(&caller, "incident_picture", &id, role_name(role)).await?;
        let tag = stored.item.sha256.clone();
        (app.evidence.copy(stored).await?, stored.item.media_type.as_str(), tag)
    } else {
        let tag = format!("{}-blurred", stored.item.sha256);
        (app.evidence.blurred(stored).await?, "image/jpeg", tag)
    };
    let extension =
        std::path::Path::new(&stored.item.path).extension().and_then(|e| e.to_str()).unwrap_or("bin");
    let name = format!("{}-{}.{extension}", &detail.incident.id.to_string()[..8], role_name(role));
    let mut response = send(request, &path, media_type, &tag).await;
    if let Ok(name) = HeaderValue::from_str(&format!("inline; filename=\"{name}\"")) {
        response.headers_mut().insert(header::CONTENT_DISPOSITION, name);
    }
    Ok(response)
}

/// The bytes of a picture of an incident for a document: clear, on record, or blurred, as the caller may see it. `None` if it
/// cannot be had.
pub(super) async fn bytes_for(
    app: &App,
    caller: &Caller,
    incident: parapet_core::IncidentId,
    sha256: &str,
) -> Option<Vec<u8>> {
    let detail = app.store.incident(incident).await.ok()??;
    let of = &detail.incident;
    let stored = detail.evidence.iter().find(|stored| stored.item.sha256 == sha256)?;
    let path = if caller.access.may(Permission::SeeClear, Some(&of.site), Some(&of.camera)) {
        app.people
            .saw(caller, "incident_picture", &of.id.to_string(), role_name(stored.item.role))
            .await
            .ok()?;
        app.evidence.copy(stored).await.ok()?
    } else {
        app.evidence.blurred(stored).await.ok()?
    };
    tokio::fs::read(path).await.ok()
}

/// A small picture of an incident, cut round what it is about.
#[utoipa::path(
    get, path = "/api/incidents/{id}/thumbnail.jpg", tag = "incidents",
    params(("id" = String, Path, description = "the incident's id")),
    responses(
        (status = 200, content_type = "image/jpeg", body = Vec<u8>),
        (status = 403, body = Problem, content_type = "application/problem+json"),
        (status = 404, body = Problem, content_type = "application/problem+json"),
        (status = 410, body = Problem, content_type = "application/problem+json"),
        (status = 502, body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn thumbnail(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
    request: Request,
) -> Result<Response, ApiError> {
    let detail = found(&app, &caller, Permission::See, &id).await?;
    let stored = clearest(&detail.evidence).ok_or(ApiError::NoEvidence)?;
    let (site, camera) = (&detail.incident.site, &detail.incident.camera);
    let clear = caller.access.may(Permission::SeeClear, Some(site), Some(camera));
    let path = app.evidence.thumbnail(stored, detail.incident.bbox, clear).await?;
    let tag = format!("{}-thumbnail{}", stored.item.sha256, if clear { "" } else { "-blurred" });
    Ok(send(request, &path, "image/jpeg", &tag).await)
}

/// The picture that shows best what is suspected.
fn clearest(evidence: &[StoredEvidence]) -> Option<&StoredEvidence> {
    [EvidenceRole::Annotated, EvidenceRole::Snapshot, EvidenceRole::After]
        .iter()
        .find_map(|role| evidence.iter().rfind(|stored| stored.item.role == *role))
}

pub(super) fn role_name(role: EvidenceRole) -> &'static str {
    match role {
        EvidenceRole::Snapshot => "snapshot",
        EvidenceRole::Annotated => "annotated",
        EvidenceRole::Before => "before",
        EvidenceRole::After => "after",
        EvidenceRole::Clip => "clip",
    }
}

/// Types that a browser shows and cannot run; anything else is only downloaded.
fn shown(media_type: &str) -> &'static str {
    match media_type {
        "image/jpeg" => "image/jpeg",
        "image/png" => "image/png",
        "video/mp4" => "video/mp4",
        _ => "application/octet-stream",
    }
}

async fn send(request: Request, path: &std::path::Path, media_type: &str, tag: &str) -> Response {
    let etag = HeaderValue::from_str(&format!("\"{tag}\"")).ok();
    if etag.is_some() && request.headers().get(header::IF_NONE_MATCH) == etag.as_ref() {
        return axum::http::StatusCode::NOT_MODIFIED.into_response();
    }
    let mut request = request;
    // The hash decides, not the time of the copy.
    request.headers_mut().remove(header::IF_MODIFIED_SINCE);
    let file = ServeFile::new(path).try_call(request).await;
    let mut response = match file {
        Ok(response) => response.map(Body::new),
        Err(source) => {
            return ApiError::Evidence(crate::evidence::EvidenceError::Cache {
                path: path.to_owned(),
                source,
            })
            .into_response();
        }
    };
    let headers = response.headers_mut();
    headers.remove(header::LAST_MODIFIED);
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(shown(media_type)));
    // Asked for anew each time, for who may see what can change; the tag spares sending it again.
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
    if let Some(etag) = etag {
        headers.insert(header::ETAG, etag);
    }
    response
}
