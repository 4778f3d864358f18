//! The REST API, described as OpenAPI at `/api/openapi.json`.

mod audit;
mod camera;
mod case;
pub(crate) mod case_shape;
mod catalogue;
mod evidence;
mod hold;
mod incident;
mod live;
pub(crate) mod live_shape;
mod operation;
mod people_shape;
pub(crate) mod problem;
mod report;
mod roof;
mod room;
pub(crate) mod session;
mod setup;
pub(crate) mod setup_shape;
pub(crate) mod shape;
mod site;
mod token;
mod trial;
mod trial_shape;
mod user;
mod verdict;

use std::sync::Arc;

use axum::{Json, Router, extract::DefaultBodyLimit, middleware, routing::get};
use metrics_exporter_prometheus::PrometheusHandle;
use parapet_core::Clock;
use parapet_store::Store;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use utoipa::OpenApi;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    caller::admit,
    cases::Cases,
    claims::Claims,
    evidence::EvidenceCache,
    live::{Feeds, Hub},
    mutes::Mutes,
    node::NodeClient,
    page,
    people::{Oidc, People},
    proof::Keeper,
    roster::Roster,
    uploads::{MOST_BYTES, MOST_PICTURES},
    vault::Vault,
};

/// Everything that answers are made from.
#[derive(Debug, Clone)]
pub(crate) struct App {
    pub(crate) store: Store,
    pub(crate) roster: Arc<Roster>,
    pub(crate) hub: Hub,
    pub(crate) feeds: Feeds,
    pub(crate) client: NodeClient,
    pub(crate) evidence: Arc<EvidenceCache>,
    pub(crate) vault: Vault,
    pub(crate) people: People,
    pub(crate) oidc: Option<Arc<Oidc>>,
    pub(crate) cases: Cases,
    pub(crate) claims: Arc<Claims>,
    pub(crate) mutes: Arc<Mutes>,
    pub(crate) keeper: Keeper,
    pub(crate) cookies: session::Cookies,
    /// Addresses of callers are a proxy's word.
    pub(crate) behind_proxy: bool,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) metrics: Option<PrometheusHandle>,
    pub(crate) shutdown: CancellationToken,
    pub(crate) sessions: TaskTracker,
}

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Parapet center",
        description = "Incidents of residential compounds and streets, for the command center. Every incident that a \
            model raised is a suspicion until a person has checked it.",
        license(name = "Apache-2.0", identifier = "Apache-2.0"),
    ),
    components(schemas(
        live_shape::LiveMessage,
        live_shape::LiveRequest,
        live_shape::FrameHeader,
        problem::Problem,
    )),
    tags(
        (name = "incidents", description = "Suspicions, their proof, and what people say about them"),
        (name = "room", description = "The review queue, claims and mutes"),
        (name = "cases", description = "What becomes of confirmed incidents: steps, hand-over orders, answers"),
        (name = "catalogue", description = "Kinds, departments and settings"),
        (name = "sites", description = "Sites, their plans, nodes and cameras"),
        (name = "setup", description = "Pipeline files of nodes, cameras by address, baselines, trials on recordings"),
        (name = "reports", description = "Scores of a month, lists as files"),
        (name = "roofs", description = "What drone surveys have told of roofs"),
        (name = "cameras", description = "Cameras, nodes and live pictures"),
        (name = "people", description = "Signing in, and what people and programs may do"),
        (name = "proof", description = "Who did what, and what proves it"),
        (name = "operation", description = "For those who run the center"),
    )
)]
struct Description;

/// What takes pictures and plans: larger bodies than the rest.
fn uploads() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(case::answer_order))
        .routes(routes!(site::plan, site::put_plan))
        .routes(routes!(site::plan_picture, site::put_plan_picture))
        .layer(DefaultBodyLimit::max(MOST_PICTURES * MOST_BYTES + 100_000))
}

fn parts() -> (Router<App>, utoipa::openapi::OpenApi) {
    OpenApiRouter::with_openapi(Description::openapi())
        .routes(routes!(camera::cameras))
        .routes(routes!(camera::nodes))
        .routes(routes!(camera::picture))
        .routes(routes!(incident::incidents))
        .routes(routes!(incident::incident))
        .routes(routes!(incident::verdict))
        .routes(routes!(verdict::verdicts))
        .routes(routes!(incident::stats))
        .routes(routes!(room::next))
        .routes(routes!(room::claim, room::release))
        .routes(routes!(room::history_of_place))
        .routes(routes!(room::mutes, room::mute))
        .routes(routes!(room::unmute))
        .routes(routes!(case::cases, case::report))
        .routes(routes!(case::case))
        .routes(routes!(case::act))
        .routes(routes!(case::picture))
        .routes(routes!(case::archive))
        .routes(routes!(case::order_page))
        .routes(routes!(case::order_pdf))
        .routes(routes!(catalogue::kinds))
        .routes(routes!(catalogue::put_kind))
        .routes(routes!(catalogue::departments))
        .routes(routes!(catalogue::put_department))
        .routes(routes!(catalogue::settings))
        .routes(routes!(catalogue::put_setting))
        .routes(routes!(site::sites))
        .routes(routes!(site::put_site))
        .merge(uploads())
        .merge(setup::routes())
        .routes(routes!(report::month))
        .routes(routes!(report::month_file))
        .routes(routes!(report::incidents))
        .routes(routes!(report::cases))
        .routes(routes!(roof::roofs))
        .routes(routes!(evidence::file))
        .routes(routes!(evidence::thumbnail))
        .routes(routes!(hold::hold_incident, hold::release_incident))
        .routes(routes!(hold::hold_case, hold::release_case))
        .routes(routes!(hold::ask, hold::withdraw))
        .routes(routes!(hold::approve))
        .routes(routes!(hold::deletions))
        .routes(routes!(live::connect))
        .routes(routes!(session::ways))
        .routes(routes!(session::session, session::sign_in, session::sign_out))
        .routes(routes!(session::password))
        .routes(routes!(session::leave))
        .routes(routes!(session::come_back))
        .routes(routes!(user::users, user::add))
        .routes(routes!(user::change))
        .routes(routes!(token::tokens, token::add))
        .routes(routes!(token::delete))
        .routes(routes!(audit::audit))
        .routes(routes!(audit::ledger))
        .routes(routes!(operation::healthz))
        .routes(routes!(operation::readyz))
        .routes(routes!(operation::metrics))
        .split_for_parts()
}

/// The OpenAPI description of the center.
pub fn description() -> utoipa::openapi::OpenApi {
    parts().1
}

/// API and page, behind the door but without the guard.
pub(crate) fn router(app: App) -> Router {
    let (router, description) = parts();
    router
        .route("/api/openapi.json", get(async move || Json(description)))
        .route("/api/{*rest}", axum::routing::any(async || problem::ApiError::NotFound))
        .fallback(page::serve)
        .layer(middleware::from_fn_with_state(app.clone(), admit))
        .with_state(app)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The page's types are made from this file; `INSTA_UPDATE=always` or copying the new one brings it up to date.
    #[test]
    fn the_description_in_the_repository_is_the_one_that_is_served() {
        let served = description().to_pretty_json().unwrap();
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/openapi.json");
        if std::env::var("INSTA_UPDATE").is_ok_and(|how| how == "always") {
            std::fs::write(path, format!("{served}\n")).unwrap();
        }
        let kept = std::fs::read_to_string(path).unwrap_or_default();
        assert!(
            kept.trim_end() == served,
            "openapi.json is not up to date; hint: INSTA_UPDATE=always cargo test -p parapet-center"
        );
    }
}
