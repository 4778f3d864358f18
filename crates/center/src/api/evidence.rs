//! Files of evidence, from their node by way of a checked copy.

use std::path::PathBuf;

use axum::{
    body::Body,
    extract::{Path, Request, State},
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
};
use parapet_core::{EvidenceItem, EvidenceRole, IncidentId, Permission};
use parapet_store::{IncidentRow, StoredEvidence};
use tower_http::services::ServeFile;

use super::{
    App,
    incident::found,
    problem::{ApiError, Problem},
    shape,
};
use crate::{caller::Caller, evidence::made_for, privacy::Sight};

/// A file of evidence. Its bytes match the hash that was registered for it, or there is no answer; who may not see pictures
/// clear gets a blurred picture, and no clip. What is private in a picture is a mosaic for who may not unseal it, and clips of
/// a camera that sees such things are not for them. Ranges are served, so that a clip can be wound.
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
    let sight = sight_of(&app, &caller, &detail.incident, &stored.item);
    if !is_picture(&stored.item) {
        match sight {
            Sight::Clear | Sight::Unsealed => {}
            Sight::Masked(_) => return Err(ApiError::Sealed),
            Sight::Blurred => return Err(ApiError::Forbidden),
        }
    }
    let path = look(&app, &caller, detail.incident.id, stored, &sight).await?;
    let made = made_for(&sight);
    let media_type = if made.is_none() { stored.item.media_type.as_str() } else { "image/jpeg" };
    let tag = format!("{}{}", stored.item.sha256, made.unwrap_or_default());
    let extension =
        std::path::Path::new(&stored.item.path).extension().and_then(|e| e.to_str()).unwrap_or("bin");
    let name = format!("{}-{}.{extension}", &detail.incident.id.to_string()[..8], role_name(role));
    let mut response = send(request, &path, media_type, &tag).await;
    if let Ok(name) = HeaderValue::from_str(&format!("inline; filename=\"{name}\"")) {
        response.headers_mut().insert(header::CONTENT_DISPOSITION, name);
    }
    Ok(response)
}

/// How the caller sees a file of an incident. What is private in a clip is so from whichever view: a dome turns in it.
pub(super) fn sight_of(app: &App, caller: &Caller, of: &IncidentRow, item: &EvidenceItem) -> Sight {
    let private = app.roster.private_areas(&of.site, &of.camera);
    let areas = if is_picture(item) { private.of(of.preset.as_ref()) } else { private.all() };
    Sight::of(&caller.access, &of.site, &of.camera, areas)
}

/// Whether nothing of an incident's files is hidden from the caller.
pub(super) fn sees_all_of(app: &App, caller: &Caller, of: &IncidentRow) -> bool {
    let areas = app.roster.private_areas(&of.site, &of.camera).all();
    let sight = Sight::of(&caller.access, &of.site, &of.camera, areas);
    matches!(sight, Sight::Clear | Sight::Unsealed)
}

pub(super) fn is_picture(item: &EvidenceItem) -> bool {
    matches!(item.media_type.as_str(), "image/jpeg" | "image/png")
}

/// The file as the caller sees it; on record, if that is as it was taken.
async fn look(
    app: &App,
    caller: &Caller,
    incident: IncidentId,
    stored: &StoredEvidence,
    sight: &Sight,
) -> Result<PathBuf, ApiError> {
    let (id, what) = (incident.to_string(), role_name(stored.item.role));
    app.people.looked(caller, sight, "incident_picture", &id, what).await?;
    Ok(app.evidence.seen(stored, sight).await?)
}

/// The bytes of a picture of an incident for a document: clear, on record, or with what the caller may not see as a mosaic.
/// `None` if it cannot be had.
pub(super) async fn bytes_for(
    app: &App,
    caller: &Caller,
    incident: IncidentId,
    sha256: &str,
) -> Option<Vec<u8>> {
    let detail = app.store.incident(incident).await.ok()??;
    let stored = detail.evidence.iter().find(|stored| stored.item.sha256 == sha256)?;
    let sight = sight_of(app, caller, &detail.incident, &stored.item);
    if !is_picture(&stored.item) {
        return None;
    }
    let path = look(app, caller, incident, stored, &sight).await.ok()?;
    tokio::fs::read(path).await.ok()
}

/// A small picture of an incident, cut round what it is about. What is private is a mosaic in it for everybody.
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
    let of = &detail.incident;
    let areas = app.roster.private_areas(&of.site, &of.camera).of(of.preset.as_ref());
    let sight = Sight::of_list(&caller.access, &of.site, &of.camera, areas);
    let path = app.evidence.thumbnail(stored, of.bbox, &sight).await?;
    let tag = format!("{}-thumbnail{}", stored.item.sha256, made_for(&sight).unwrap_or_default());
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
