//! Setting nodes up: their pipeline files, cameras by address, baselines. The node does it; here it is decided who may,
//! and put on record who did. Passwords are passed on and neither kept, shown nor put on record.

use std::time::Duration;

use axum::{
    Json,
    extract::{
        Path, Query, State,
        rejection::{JsonRejection, QueryRejection},
    },
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
};
use parapet_core::{Permission, SiteId};
use parapet_store::AuditEntry;
use reqwest::Method;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    App,
    catalogue::bounded,
    problem::{ApiError, Problem},
    setup_shape::{
        Baseline, BaselineAsked, BaselineToldTo, BaselineView, Device, DiscoverAsked, Discovered, Draft,
        DraftAsked, Earlier, OfPreset, ProbeAsked, SaveAsked, Saved, SetupFile, StillAsked,
    },
};
use crate::{caller::Caller, node::NodeQuestion};

/// A question that is answered from the disk.
pub(super) const QUICK: Duration = Duration::from_secs(15);
/// A question that a camera or a network must answer first.
const PATIENT: Duration = Duration::from_secs(40);
/// Bodies hold a pipeline file, escaped.
const MOST_BODY: usize = 2_200_000;

/// All routes of this page and of [`super::trial`].
pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(file, save))
        .routes(routes!(draft))
        .routes(routes!(version))
        .routes(routes!(discover))
        .routes(routes!(probe))
        .routes(routes!(still))
        .routes(routes!(reference))
        .routes(routes!(baselines, judge))
        .routes(routes!(baseline_picture))
        .routes(routes!(super::trial::recording))
        .routes(routes!(super::trial::trial, super::trial::start, super::trial::cancel))
        .routes(routes!(super::trial::picture))
        .layer(axum::extract::DefaultBodyLimit::max(MOST_BODY))
}

/// A node that the caller may set up.
pub(super) struct OfNode<'a> {
    app: &'a App,
    caller: &'a Caller,
    name: String,
    base: String,
}

impl<'a> OfNode<'a> {
    /// The node, if it is there and the caller may set it up.
    pub(super) fn find(app: &'a App, caller: &'a Caller, site: &str, node: &str) -> Result<Self, ApiError> {
        caller.require_somewhere(Permission::Configure)?;
        let id: SiteId = site.parse().map_err(|_| ApiError::NotFound)?;
        caller.require(Permission::Configure, Some(&id), None)?;
        let base = app.roster.url_of_node(site, node).ok_or(ApiError::NotFound)?;
        let base = base.ok_or(ApiError::NodeUnreachable)?;
        Ok(Self { app, caller, name: format!("{site}/{node}"), base })
    }

    pub(super) async fn ask<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &[&str],
        body: Option<&(impl Serialize + Sync)>,
        patience: Duration,
    ) -> Result<Json<T>, ApiError> {
        let answer = self.app.client.ask(&self.base, question(method, path, &[], body, patience)?).await?;
        serde_json::from_slice(&answer.body).map(Json).map_err(|error| {
            tracing::warn!(node = self.name, %error, "a node's answer is not understood");
            ApiError::NodeUnreachable
        })
    }

    /// Asks for a picture; it is passed on as such, whatever the node calls it.
    pub(super) async fn picture(
        &self,
        method: Method,
        path: &[&str],
        query: &[(&str, &str)],
        body: Option<&(impl Serialize + Sync)>,
    ) -> Result<Response, ApiError> {
        let answer = self.app.client.ask(&self.base, question(method, path, query, body, PATIENT)?).await?;
        if !answer.body.starts_with(&[0xff, 0xd8]) {
            return Err(ApiError::NodeUnreachable);
        }
        let mut response = ([(header::CONTENT_TYPE, "image/jpeg")], answer.body).into_response();
        for name in ["x-captured-at", "x-width", "x-height"] {
            if let Some(value) = answer.headers.get(name)
                && let Ok(value) = HeaderValue::from_bytes(value.as_bytes())
            {
                response.headers_mut().insert(name, value);
            }
        }
        Ok(response)
    }

    /// Asks for a picture of a preset, or of a fixed camera's only view.
    async fn picture_of_preset(
        &self,
        path: &[&str],
        query: Result<Query<OfPreset>, QueryRejection>,
    ) -> Result<Response, ApiError> {
        let wrong = |_| ApiError::Invalid { field: "preset", hint: "?preset=NAME" };
        let Query(OfPreset { preset }) = query.map_err(wrong)?;
        let query: Vec<_> = preset.as_deref().map(|preset| ("preset", preset)).into_iter().collect();
        self.picture(Method::GET, path, &query, NOTHING).await
    }

    /// Puts on record what the caller did here.
    pub(super) async fn record(&self, action: &str, detail: Value) -> Result<(), ApiError> {
        let now = self.app.clock.now();
        let deed = AuditEntry::new(now, &self.caller.name, action, "node", &self.name, detail);
        Ok(self.app.store.record_audit(&deed).await?)
    }
}

fn question(
    method: Method,
    path: &[&str],
    query: &[(&str, &str)],
    body: Option<&(impl Serialize + Sync)>,
    patience: Duration,
) -> Result<NodeQuestion, ApiError> {
    let owned = |text: &&str| (*text).to_owned();
    let body = body.map(serde_json::to_vec).transpose().map_err(|_| ApiError::NodeUnreachable)?;
    Ok(NodeQuestion {
        method,
        path: std::iter::once("setup".to_owned()).chain(path.iter().map(owned)).collect(),
        query: query.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect(),
        body,
        patience,
    })
}

pub(super) fn of_body<T>(body: Result<Json<T>, JsonRejection>) -> Result<T, ApiError> {
    body.map(|Json(body)| body).map_err(|rejection| ApiError::Body(rejection.body_text()))
}

/// The host of an address that a person gave, for the record: nothing else of it.
fn host_of(address: &str) -> String {
    let rest = address.split_once("://").map_or(address, |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    authority.rsplit('@').next().unwrap_or_default().chars().take(200).collect()
}

/// Nothing to send.
pub(super) const NOTHING: Option<&()> = None;

/// The pipeline file of a node, what is wrong with it and what it says.
#[utoipa::path(
    get, path = "/api/sites/{site}/nodes/{node}/setup", tag = "setup",
    params(("site" = String, Path, description = "the site"), ("node" = String, Path, description = "the node")),
    responses(
        (status = 200, body = SetupFile),
        (status = 403, body = Problem, content_type = "application/problem+json"),
        (status = 404, body = Problem, content_type = "application/problem+json"),
        (status = 409, body = Problem, content_type = "application/problem+json"),
        (status = 502, body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn file(
    State(app): State<App>,
    caller: Caller,
    Path((site, node)): Path<(String, String)>,
) -> Result<Json<SetupFile>, ApiError> {
    OfNode::find(&app, &caller, &site, &node)?.ask(Method::GET, &[], NOTHING, QUICK).await
}

/// Puts a text in force that has no mistakes and is based on the file as it is.
#[utoipa::path(
    put, path = "/api/sites/{site}/nodes/{node}/setup", tag = "setup",
    params(("site" = String, Path, description = "the site"), ("node" = String, Path, description = "the node")),
    request_body = SaveAsked,
    responses(
        (status = 200, body = Saved),
        (status = 400, body = Problem, content_type = "application/problem+json"),
        (status = 403, body = Problem, content_type = "application/problem+json"),
        (status = 404, body = Problem, content_type = "application/problem+json"),
        (status = 409, body = Problem, content_type = "application/problem+json"),
        (status = 422, body = Problem, content_type = "application/problem+json"),
        (status = 502, body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn save(
    State(app): State<App>,
    caller: Caller,
    Path((site, node)): Path<(String, String)>,
    body: Result<Json<SaveAsked>, JsonRejection>,
) -> Result<Json<Saved>, ApiError> {
    let node = OfNode::find(&app, &caller, &site, &node)?;
    let asked = of_body(body)?;
    bounded("reason", asked.reason.as_deref().unwrap_or_default(), 0, 500)?;
    let saved: Json<Saved> = node.ask(Method::PUT, &[], Some(&asked), QUICK).await?;
    let Saved { revision, previous, version } = &saved.0;
    let detail = json!({ "before": previous, "after": revision, "version": version, "reason": asked.reason });
    node.record("setup.save", detail).await?;
    Ok(saved)
}

/// A text after edits that keep its comments and layout, and what is wrong with it. The file stays as it is.
#[utoipa::path(
    post, path = "/api/sites/{site}/nodes/{node}/setup/draft", tag = "setup",
    params(("site" = String, Path, description = "the site"), ("node" = String, Path, description = "the node")),
    request_body = DraftAsked,
    responses(
        (status = 200, body = Draft),
        (status = 403, body = Problem, content_type = "application/problem+json"),
        (status = 404, body = Problem, content_type = "application/problem+json"),
        (status = 409, body = Problem, content_type = "application/problem+json"),
        (status = 422, body = Problem, content_type = "application/problem+json"),
        (status = 502, body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn draft(
    State(app): State<App>,
    caller: Caller,
    Path((site, node)): Path<(String, String)>,
    body: Result<Json<DraftAsked>, JsonRejection>,
) -> Result<Json<Draft>, ApiError> {
    let node = OfNode::find(&app, &caller, &site, &node)?;
    let asked = of_body(body)?;
    node.ask(Method::POST, &["draft"], Some(&asked), QUICK).await
}

/// An earlier text of a node's pipeline file.
#[utoipa::path(
    get, path = "/api/sites/{site}/nodes/{node}/setup/versions/{version}", tag = "setup",
    params(
        ("site" = String, Path, description = "the site"), ("node" = String, Path, description = "the node"),
        ("version" = String, Path, description = "its name"),
    ),
    responses(
        (status = 200, body = Earlier),
        (status = 403, body = Problem, content_type = "application/problem+json"),
        (status = 404, body = Problem, content_type = "application/problem+json"),
        (status = 409, body = Problem, content_type = "application/problem+json"),
        (status = 502, body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn version(
    State(app): State<App>,
    caller: Caller,
    Path((site, node, version)): Path<(String, String, String)>,
) -> Result<Json<Earlier>, ApiError> {
    let node = OfNode::find(&app, &caller, &site, &node)?;
    node.ask(Method::GET, &["versions", &version], NOTHING, QUICK).await
}

/// Looks for ONVIF devices on the networks of a node.
#[utoipa::path(
    post, path = "/api/sites/{site}/nodes/{node}/setup/discover", tag = "setup",
    params(("site" = String, Path, description = "the site"), ("node" = String, Path, description = "the node")),
    request_body = DiscoverAsked,
    responses(
        (status = 200, body = Discovered),
        (status = 403, body = Problem, content_type = "application/problem+json"),
        (status = 404, body = Problem, content_type = "application/problem+json"),
        (status = 409, body = Problem, content_type = "application/problem+json"),
        (status = 422, body = Problem, content_type = "application/problem+json"),
        (status = 502, body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn discover(
    State(app): State<App>,
    caller: Caller,
    Path((site, node)): Path<(String, String)>,
    body: Result<Json<DiscoverAsked>, JsonRejection>,
) -> Result<Json<Discovered>, ApiError> {
    let node = OfNode::find(&app, &caller, &site, &node)?;
    let asked = of_body(body)?;
    if !(1..=10).contains(&asked.seconds) {
        return Err(ApiError::Invalid { field: "seconds", hint: "1–10" });
    }
    node.record("setup.discover", json!({ "seconds": asked.seconds })).await?;
    node.ask(Method::POST, &["discover"], Some(&asked), PATIENT).await
}

/// Asks an ONVIF device what it is and where its streams are.
#[utoipa::path(
    post, path = "/api/sites/{site}/nodes/{node}/setup/probe", tag = "setup",
    params(("site" = String, Path, description = "the site"), ("node" = String, Path, description = "the node")),
    request_body = ProbeAsked,
    responses(
        (status = 200, body = Device),
        (status = 403, body = Problem, content_type = "application/problem+json"),
        (status = 404, body = Problem, content_type = "application/problem+json"),
        (status = 409, body = Problem, content_type = "application/problem+json"),
        (status = 422, body = Problem, content_type = "application/problem+json"),
        (status = 502, body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn probe(
    State(app): State<App>,
    caller: Caller,
    Path((site, node)): Path<(String, String)>,
    body: Result<Json<ProbeAsked>, JsonRejection>,
) -> Result<Json<Device>, ApiError> {
    let node = OfNode::find(&app, &caller, &site, &node)?;
    let asked = of_body(body)?;
    node.record("setup.probe", json!({ "host": host_of(&asked.address) })).await?;
    node.ask(Method::POST, &["probe"], Some(&asked), PATIENT).await
}

/// What a camera shows that is not there yet: the first picture of an address, or of a camera in a draft.
#[utoipa::path(
    post, path = "/api/sites/{site}/nodes/{node}/setup/still", tag = "setup",
    params(("site" = String, Path, description = "the site"), ("node" = String, Path, description = "the node")),
    request_body = StillAsked,
    responses(
        (status = 200, content_type = "image/jpeg", body = Vec<u8>),
        (status = 403, body = Problem, content_type = "application/problem+json"),
        (status = 404, body = Problem, content_type = "application/problem+json"),
        (status = 409, body = Problem, content_type = "application/problem+json"),
        (status = 422, body = Problem, content_type = "application/problem+json"),
        (status = 502, body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn still(
    State(app): State<App>,
    caller: Caller,
    Path((site, node)): Path<(String, String)>,
    body: Result<Json<StillAsked>, JsonRejection>,
) -> Result<Response, ApiError> {
    let node = OfNode::find(&app, &caller, &site, &node)?;
    let asked = of_body(body)?;
    let host = asked.url.as_deref().map(host_of);
    node.record("setup.still", json!({ "host": host, "camera": asked.camera })).await?;
    node.picture(Method::POST, &["still"], &[], Some(&asked)).await
}

/// The picture that the zones of a preset are drawn on.
#[utoipa::path(
    get, path = "/api/sites/{site}/nodes/{node}/setup/cameras/{camera}/reference.jpg", tag = "setup",
    params(
        ("site" = String, Path, description = "the site"), ("node" = String, Path, description = "the node"),
        ("camera" = String, Path, description = "the dome"), OfPreset,
    ),
    responses(
        (status = 200, content_type = "image/jpeg", body = Vec<u8>),
        (status = 400, body = Problem, content_type = "application/problem+json"),
        (status = 403, body = Problem, content_type = "application/problem+json"),
        (status = 404, body = Problem, content_type = "application/problem+json"),
        (status = 409, body = Problem, content_type = "application/problem+json"),
        (status = 502, body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn reference(
    State(app): State<App>,
    caller: Caller,
    Path((site, node, camera)): Path<(String, String, String)>,
    query: Result<Query<OfPreset>, QueryRejection>,
) -> Result<Response, ApiError> {
    let node = OfNode::find(&app, &caller, &site, &node)?;
    node.picture_of_preset(&["cameras", &camera, "reference.jpg"], query).await
}

/// The approved pictures of a camera's views, and those that wait to be.
#[utoipa::path(
    get, path = "/api/sites/{site}/nodes/{node}/setup/cameras/{camera}/baselines", tag = "setup",
    params(
        ("site" = String, Path, description = "the site"), ("node" = String, Path, description = "the node"),
        ("camera" = String, Path, description = "the camera"),
    ),
    responses(
        (status = 200, body = Vec<BaselineView>),
        (status = 403, body = Problem, content_type = "application/problem+json"),
        (status = 404, body = Problem, content_type = "application/problem+json"),
        (status = 409, body = Problem, content_type = "application/problem+json"),
        (status = 502, body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn baselines(
    State(app): State<App>,
    caller: Caller,
    Path((site, node, camera)): Path<(String, String, String)>,
) -> Result<Json<Vec<BaselineView>>, ApiError> {
    let node = OfNode::find(&app, &caller, &site, &node)?;
    node.ask(Method::GET, &["cameras", &camera, "baselines"], NOTHING, QUICK).await
}

/// A picture of a camera's view.
#[utoipa::path(
    get, path = "/api/sites/{site}/nodes/{node}/setup/cameras/{camera}/baselines/{baseline}/picture.jpg",
    tag = "setup",
    params(
        ("site" = String, Path, description = "the site"), ("node" = String, Path, description = "the node"),
        ("camera" = String, Path, description = "the camera"),
        ("baseline" = String, Path, description = "the picture's name"), OfPreset,
    ),
    responses(
        (status = 200, content_type = "image/jpeg", body = Vec<u8>),
        (status = 400, body = Problem, content_type = "application/problem+json"),
        (status = 403, body = Problem, content_type = "application/problem+json"),
        (status = 404, body = Problem, content_type = "application/problem+json"),
        (status = 409, body = Problem, content_type = "application/problem+json"),
        (status = 502, body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn baseline_picture(
    State(app): State<App>,
    caller: Caller,
    Path((site, node, camera, baseline)): Path<(String, String, String, String)>,
    query: Result<Query<OfPreset>, QueryRejection>,
) -> Result<Response, ApiError> {
    let node = OfNode::find(&app, &caller, &site, &node)?;
    node.picture_of_preset(&["cameras", &camera, "baselines", &baseline, "picture.jpg"], query).await
}

/// Puts a view up for approval, or decides about a picture of it.
#[utoipa::path(
    post, path = "/api/sites/{site}/nodes/{node}/setup/cameras/{camera}/baselines", tag = "setup",
    params(
        ("site" = String, Path, description = "the site"), ("node" = String, Path, description = "the node"),
        ("camera" = String, Path, description = "the camera"),
    ),
    request_body = BaselineAsked,
    responses(
        (status = 200, body = Baseline),
        (status = 400, body = Problem, content_type = "application/problem+json"),
        (status = 403, body = Problem, content_type = "application/problem+json"),
        (status = 404, body = Problem, content_type = "application/problem+json"),
        (status = 409, body = Problem, content_type = "application/problem+json"),
        (status = 422, body = Problem, content_type = "application/problem+json"),
        (status = 502, body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn judge(
    State(app): State<App>,
    caller: Caller,
    Path((site, node, camera)): Path<(String, String, String)>,
    body: Result<Json<BaselineAsked>, JsonRejection>,
) -> Result<Json<Baseline>, ApiError> {
    let node = OfNode::find(&app, &caller, &site, &node)?;
    let asked = of_body(body)?;
    bounded("reason", &asked.reason, 0, 500)?;
    let told = BaselineToldTo {
        preset: asked.preset.as_deref(),
        act: asked.act,
        baseline: asked.baseline.as_deref(),
        by: &caller.name,
        reason: &asked.reason,
    };
    let judged: Json<Baseline> =
        node.ask(Method::POST, &["cameras", &camera, "baselines"], Some(&told), QUICK).await?;
    let detail = json!({
        "camera": camera, "preset": asked.preset, "act": asked.act, "baseline": judged.0.baseline,
        "reason": asked.reason,
    });
    node.record("setup.baseline", detail).await?;
    Ok(judged)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_record_has_the_host_and_nothing_else_of_an_address() {
        for address in ["rtsp://admin:p@ss:w@10.0.0.5:554/main?x=y", "10.0.0.5:554", "http://10.0.0.5:554"] {
            assert_eq!(host_of(address), "10.0.0.5:554", "{address}");
        }
    }
}
