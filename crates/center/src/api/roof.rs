//! Roofs: what surveys have told of each, structure by structure.

use axum::{
    Json,
    extract::{Query, State, rejection::QueryRejection},
};
use parapet_core::{self as core, Permission, Timestamp, geo::GeoPoint};
use parapet_store::RoofRow;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{
    App,
    incident::{NAME, parsed},
    problem::{ApiError, Problem},
};
use crate::caller::Caller;

/// Which roofs.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct RoofsQuery {
    /// Of this site only.
    site: Option<String>,
}

/// What surveys have told of one building's roof.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Roof {
    /// The site.
    site: String,
    /// The node that keeps the surveys.
    node: String,
    /// When it said so.
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    /// The building.
    building: String,
    /// Its name in Chinese.
    #[schema(required)]
    name_zh: Option<String>,
    /// Its name in English.
    #[schema(required)]
    name_en: Option<String>,
    /// Its outline: `[longitude, latitude]` corners.
    footprint: Vec<[f64; 2]>,
    /// Its roof's height above the ground of the site, metres.
    height_meters: f32,
    /// The surveys in which the roof was looked at, oldest first.
    looks: Vec<RoofLook>,
    /// What came up, grew or went between surveys.
    structures: Vec<RoofStructure>,
}

/// One survey's look at a roof.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RoofLook {
    /// The survey.
    survey: String,
    /// When it was flown.
    #[schema(value_type = String, format = DateTime)]
    flown_at: Timestamp,
    /// Why nothing can be said about the roof in this survey, in Chinese; `null` when it was compared.
    #[schema(required)]
    refused_zh: Option<String>,
    /// The same in English.
    #[schema(required)]
    refused_en: Option<String>,
}

/// One structure: a suspicion to be checked by a person.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RoofStructure {
    /// Its incident, with its pictures; `null` for what has gone without having been raised before.
    #[schema(required)]
    incident: Option<String>,
    /// Its outline: `[longitude, latitude]` corners.
    outline: Vec<[f64; 2]>,
    /// What became of it by the latest survey.
    state: StructureState,
    /// The survey after which nothing of it changed any more.
    #[schema(value_type = Option<String>, format = DateTime, required)]
    unchanged_since: Option<Timestamp>,
    /// How it was seen, oldest first.
    sightings: Vec<StructureSighting>,
}

/// What became of a structure.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum StructureState {
    /// New: what becomes of it is not known yet.
    FirstSign,
    /// There is more of it than before.
    Grown,
    /// It stands, and a later survey showed no change.
    Built,
    /// Gone.
    Removed,
}

/// One survey's measure of a structure.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct StructureSighting {
    /// The survey.
    survey: String,
    /// When it was flown.
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    /// Its area; 0 once it is gone.
    area_square_meters: f32,
    /// Standard deviation of the area.
    area_error_square_meters: f32,
    /// Confidence, 0..=1.
    confidence: f32,
}

/// Roofs that surveys have looked at, with their history.
#[utoipa::path(
    get, path = "/api/roofs", tag = "roofs", params(RoofsQuery),
    responses(
        (status = 200, body = Vec<Roof>),
        (status = 400, body = Problem, content_type = "application/problem+json"),
        (status = 403, body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn roofs(
    State(app): State<App>,
    caller: Caller,
    query: Result<Query<RoofsQuery>, QueryRejection>,
) -> Result<Json<Vec<Roof>>, ApiError> {
    let scope = caller.scope(Permission::See)?;
    let Query(query) =
        query.map_err(|_| ApiError::Invalid { field: "query", hint: "see /api/openapi.json" })?;
    let site = parsed(query.site, "site", NAME)?;
    let rows = app.store.roofs(site.as_ref(), &scope).await?;
    Ok(Json(rows.into_iter().map(Into::into).collect()))
}

fn corners(points: Vec<GeoPoint>) -> Vec<[f64; 2]> {
    points.into_iter().map(|p| [p.longitude, p.latitude]).collect()
}

impl From<RoofRow> for Roof {
    fn from(row: RoofRow) -> Self {
        let RoofRow { site, node, at, history } = row;
        let look = |look: core::RoofLook| RoofLook {
            survey: look.survey.into(),
            flown_at: look.flown_at,
            refused_zh: look.refused.as_ref().and_then(|words| words.zh.clone()),
            refused_en: look.refused.and_then(|words| words.en),
        };
        Self {
            site: site.into(),
            node: node.into(),
            at,
            building: history.building.into(),
            name_zh: history.name.zh,
            name_en: history.name.en,
            footprint: corners(history.footprint),
            height_meters: history.height_meters,
            looks: history.looks.into_iter().map(look).collect(),
            structures: history.structures.into_iter().map(Into::into).collect(),
        }
    }
}

impl From<core::RoofStructure> for RoofStructure {
    fn from(structure: core::RoofStructure) -> Self {
        let sighting = |s: core::StructureSighting| StructureSighting {
            survey: s.survey.into(),
            at: s.at,
            area_square_meters: s.area_square_meters,
            area_error_square_meters: s.area_error_square_meters,
            confidence: s.confidence,
        };
        Self {
            incident: structure.incident.map(|id| id.to_string()),
            outline: corners(structure.outline),
            state: structure.state.into(),
            unchanged_since: structure.unchanged_since,
            sightings: structure.sightings.into_iter().map(sighting).collect(),
        }
    }
}

impl From<core::StructureState> for StructureState {
    fn from(state: core::StructureState) -> Self {
        match state {
            core::StructureState::FirstSign => Self::FirstSign,
            core::StructureState::Grown => Self::Grown,
            core::StructureState::Built => Self::Built,
            core::StructureState::Removed => Self::Removed,
        }
    }
}
