//! Approved pictures of views, listed and judged by a person: the same shelves as `parapet baseline`.

use std::fs;

use axum::{
    Json,
    extract::{Path, Query, State},
    http::header,
    response::{IntoResponse, Response},
};
use parapet_core::{PresetId, Timestamp};
use serde::{Deserialize, Serialize};

use super::{
    Desk, Setup,
    camera::OfPreset,
    refusal::Refusal,
    routes::{Body, blocking, body},
};
use crate::baselines::{Act, Actor, Baseline, BaselineError, Shelf, Standing};

/// The pictures of a view.
#[derive(Serialize)]
pub(super) struct View {
    preset: Option<PresetId>,
    /// The view was seen, and can be put up.
    can_propose: bool,
    baselines: Vec<Listed>,
}

#[derive(Serialize)]
pub(super) struct Listed {
    baseline: String,
    captured_at: Timestamp,
    season: String,
    part_of_day: String,
    standing: &'static str,
    at: Timestamp,
    by: String,
    act: Act,
    reason: String,
}

impl From<Baseline> for Listed {
    fn from(baseline: Baseline) -> Self {
        let Baseline { id, captured_at, light, standing, latest } = baseline;
        let light = light.to_string();
        let (season, part_of_day) = light.split_once(' ').unwrap_or((&light, ""));
        Self {
            baseline: id,
            captured_at,
            season: season.to_owned(),
            part_of_day: part_of_day.to_owned(),
            standing: match standing {
                Standing::Proposed => "proposed",
                Standing::InForce => "in_force",
                Standing::Replaced => "replaced",
                Standing::Rejected => "rejected",
            },
            at: latest.at,
            by: latest.by,
            act: latest.act,
            reason: latest.reason,
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct JudgeAsked {
    #[serde(default)]
    preset: Option<PresetId>,
    act: Asked,
    #[serde(default)]
    baseline: Option<String>,
    by: String,
    #[serde(default)]
    reason: String,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Asked {
    Propose,
    Approve,
    Reject,
}

impl Desk {
    /// The shelves of a camera's views.
    fn shelves(&self, camera: &str) -> Result<Vec<(Option<PresetId>, Shelf)>, Refusal> {
        let pipeline = self.in_force()?;
        let (id, config) =
            pipeline.cameras.iter().find(|(id, _)| id.as_str() == camera).ok_or(Refusal::NotFound)?;
        let (root, zone) = (pipeline.baselines_dir(), &pipeline.node.time_zone);
        let shelf = |preset: Option<&PresetId>| (preset.cloned(), Shelf::of(&root, id, preset, zone.clone()));
        Ok(config.views().map(|(preset, _)| shelf(preset)).collect())
    }

    fn shelf(&self, camera: &str, preset: Option<&PresetId>) -> Result<Shelf, Refusal> {
        let found = self.shelves(camera)?.into_iter().find(|(of, _)| of.as_ref() == preset);
        found.map(|(_, shelf)| shelf).ok_or(Refusal::NotFound)
    }
}

#[expect(clippy::needless_pass_by_value, reason = "for map_err")]
fn refused(error: BaselineError) -> Refusal {
    let en = error.to_string();
    match error {
        BaselineError::NoCandidate => Refusal::refused("此画面尚未被看到，无法提交基准图", en),
        BaselineError::AlreadyProposed(_) => Refusal::refused("这张图片已经提交过", en),
        BaselineError::NotPending { .. } => Refusal::refused("这张图片不能这样处理", en),
        BaselineError::Nobody(_) => Refusal::refused("没有写明由谁决定", en),
        BaselineError::Altered { .. } => Refusal::refused("图片已与提交时不同", en),
        BaselineError::Disk { .. } | BaselineError::Line { .. } | BaselineError::Picture { .. } => {
            Refusal::Failed(crate::node::chain(&error))
        }
    }
}

pub(super) async fn list(
    State(setup): State<Setup>,
    Path(camera): Path<String>,
) -> Result<Json<Vec<View>>, Refusal> {
    let listed = blocking(&setup, move |desk| {
        let view = |(preset, shelf): (Option<PresetId>, Shelf)| {
            let baselines = shelf.baselines().map_err(refused)?.into_iter().map(Listed::from).collect();
            Ok(View { preset, can_propose: shelf.has_latest(), baselines })
        };
        desk.shelves(&camera)?.into_iter().map(view).collect()
    });
    listed.await.map(Json)
}

pub(super) async fn picture(
    State(setup): State<Setup>,
    Path((camera, baseline)): Path<(String, String)>,
    Query(OfPreset { preset }): Query<OfPreset>,
) -> Result<Response, Refusal> {
    let read = blocking(&setup, move |desk| {
        let shelf = desk.shelf(&camera, preset.as_ref())?;
        let known = shelf.baselines().map_err(refused)?;
        let known = known.iter().find(|known| known.id == baseline).ok_or(Refusal::NotFound)?;
        fs::read(shelf.picture_path(&known.id)).map_err(|_| Refusal::NotFound)
    });
    Ok(([(header::CONTENT_TYPE, "image/jpeg")], read.await?).into_response())
}

pub(super) async fn judge(
    State(setup): State<Setup>,
    Path(camera): Path<String>,
    asked: Body<JudgeAsked>,
) -> Result<Json<Listed>, Refusal> {
    let JudgeAsked { preset, act, baseline, by, reason } = body(asked)?;
    let judged = blocking(&setup, move |desk| {
        let shelf = desk.shelf(&camera, preset.as_ref())?;
        let actor = Actor { by: &by, reason: &reason, at: desk.clock.now() };
        let named = || baseline.as_deref().ok_or(Refusal::NotFound);
        let id = match act {
            Asked::Propose => shelf.propose(actor, None).map_err(refused)?,
            Asked::Approve => shelf.approve(named()?, actor).map_err(refused)?.id,
            Asked::Reject => shelf.reject(named()?, actor).map_err(refused)?.id,
        };
        let known = shelf.baselines().map_err(refused)?;
        known.into_iter().find(|known| known.id == id).map(Listed::from).ok_or(Refusal::NotFound)
    });
    judged.await.map(Json)
}
