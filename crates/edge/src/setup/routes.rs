//! The node's routes for setting it up. They stand behind the node's token; without one, only programs of this machine
//! that are no pages of a browser are answered.

use axum::{
    Json, Router,
    extract::{DefaultBodyLimit, Path, Request, State, rejection::JsonRejection},
    http::header,
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    Desk, Setup, baseline, camera,
    draft::{Draft, Examined, Saved, name_of},
    edit::Edit,
    file::Version,
    model::Model,
    refusal::Refusal,
    trial,
};

/// A pipeline file is no larger, bytes.
const MOST_TEXT: usize = 1_000_000;
/// Edits of one draft.
const MOST_EDITS: usize = 200;

/// A body that may be no JSON.
pub(super) type Body<T> = Result<Json<T>, JsonRejection>;

/// The routes; `by_token`: a token is asked for before.
pub(crate) fn router(setup: Setup, by_token: bool) -> Router {
    let router = Router::new()
        .route("/setup", get(current).put(save))
        .route("/setup/draft", post(draft))
        .route("/setup/versions/{version}", get(version))
        .route("/setup/discover", post(camera::discover))
        .route("/setup/probe", post(camera::probe))
        .route("/setup/still", post(camera::still))
        .route("/setup/cameras/{camera}/reference.jpg", get(camera::reference))
        .route("/setup/cameras/{camera}/baselines", get(baseline::list).post(baseline::judge))
        .route("/setup/cameras/{camera}/baselines/{baseline}/picture.jpg", get(baseline::picture))
        .route("/setup/cameras/{camera}/recording", get(trial::recording))
        .route("/setup/trial", get(trial::trial).post(trial::start).delete(trial::cancel))
        .route("/setup/trial/{trial}/{number}/picture.jpg", get(trial::picture))
        .layer(DefaultBodyLimit::max(2 * MOST_TEXT + 200_000))
        .with_state(setup);
    if by_token { router } else { router.layer(middleware::from_fn(no_pages)) }
}

/// Refuses what a page of a browser sends or a foreign name for this machine.
async fn no_pages(request: Request, next: Next) -> Response {
    let headers = request.headers();
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    let here = name == "localhost"
        || name.trim_start_matches('[').trim_end_matches(']').parse::<std::net::IpAddr>().is_ok();
    if headers.contains_key(header::ORIGIN) || !(here || host.is_empty()) {
        return Refusal::NotFound.into_response();
    }
    next.run(request).await
}

#[derive(Serialize)]
struct Current {
    file: String,
    #[serde(flatten)]
    examined: Examined,
    hot_reload: bool,
    schema: Value,
    versions: Vec<Version>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DraftAsked {
    text: String,
    #[serde(default)]
    edits: Vec<Edit>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SaveAsked {
    base: String,
    text: String,
}

#[derive(Serialize)]
struct Earlier {
    version: String,
    saved_at: parapet_core::Timestamp,
    revision: String,
    text: String,
    problems: Vec<super::draft::Told>,
    model: Option<Model>,
}

/// Does something that reads and writes files where it holds nobody up.
pub(super) async fn blocking<T: Send + 'static>(
    setup: &Setup,
    work: impl FnOnce(&Desk) -> Result<T, Refusal> + Send + 'static,
) -> Result<T, Refusal> {
    let desk = setup.0.clone();
    let done = tokio::task::spawn_blocking(move || work(&desk)).await;
    done.unwrap_or_else(|error| Err(Refusal::Failed(error.to_string())))
}

pub(super) fn body<T>(body: Body<T>) -> Result<T, Refusal> {
    body.map(|Json(body)| body).map_err(|rejection| {
        let text = rejection.body_text();
        Refusal::refused(format!("请求内容无效：{text}"), format!("the body is not valid: {text}"))
    })
}

fn bounded(text: &str) -> Result<(), Refusal> {
    if text.len() <= MOST_TEXT {
        return Ok(());
    }
    Err(Refusal::refused("配置文件超过 1 MB", "the text is larger than 1 MB"))
}

async fn current(State(setup): State<Setup>) -> Result<Json<Current>, Refusal> {
    let current = blocking(&setup, |desk| {
        let (examined, versions) = desk.current()?;
        let (file, hot_reload) = (name_of(desk.file.path()), desk.hot_reload);
        Ok(Current { file, examined, hot_reload, schema: crate::config::schema(), versions })
    });
    current.await.map(Json)
}

async fn draft(State(setup): State<Setup>, asked: Body<DraftAsked>) -> Result<Json<Draft>, Refusal> {
    let DraftAsked { text, edits } = body(asked)?;
    bounded(&text)?;
    if edits.len() > MOST_EDITS {
        return Err(Refusal::refused("一次最多 200 处更改", "at most 200 edits at once"));
    }
    blocking(&setup, move |desk| desk.draft(&text, &edits)).await.map(Json)
}

async fn save(State(setup): State<Setup>, asked: Body<SaveAsked>) -> Result<Json<Saved>, Refusal> {
    let SaveAsked { base, text } = body(asked)?;
    bounded(&text)?;
    let _alone = setup.0.saving.lock().await;
    blocking(&setup, move |desk| desk.save(&base, &text, desk.clock.now())).await.map(Json)
}

async fn version(State(setup): State<Setup>, Path(name): Path<String>) -> Result<Json<Earlier>, Refusal> {
    let (version, examined) = blocking(&setup, move |desk| desk.earlier(&name)).await?;
    let Examined { text, problems, model, .. } = examined;
    let Version { version, saved_at, revision, .. } = version;
    Ok(Json(Earlier { version, saved_at, revision, text, problems, model }))
}
