//! Named regions of a camera's view, drawn by an installer.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::{Label, Polygon, PresetId, ZoneId};

/// What the ground in a zone is for. Rules select zones by it.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum ZonePurpose {
    /// Marked bays in which bikes may stand.
    Bay,
    /// Nothing may stand here.
    Forbidden,
    /// Carriageway.
    Roadway,
    /// Sidewalk.
    Sidewalk,
    /// Lane kept free for fire engines.
    FireLane,
    /// A roof, as seen from this view.
    Roof,
    /// Any other area of interest.
    Area,
    /// Left out of everything: a waving tree, a clock in the picture.
    Ignore,
    /// What the camera cannot help seeing and people are not to see: windows, balconies, gardens. No rule is about it,
    /// detection goes on in it, and pictures show it as a mosaic to all but those who may unseal it.
    Private,
}

/// When an object is in a zone.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, schemars::JsonSchema, Default)]
#[serde(rename_all = "snake_case")]
pub enum Membership {
    /// The middle of the box's lower edge is inside: where the object touches the ground.
    #[default]
    FootPoint,
    /// At least this fraction of the box is inside, 0..=1.
    Overlap(f32),
}

/// What is private in one view of a camera.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PrivateView {
    /// The preset of a dome; `None` for a fixed camera.
    pub preset: Option<PresetId>,
    /// The outlines, normalized; none where nothing of this view is private.
    pub areas: Vec<Polygon>,
}

/// What is private in the pictures of a camera, by view.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(from = "Vec<PrivateView>", into = "Vec<PrivateView>")]
pub struct PrivateAreas(Vec<PrivateView>);

impl PrivateAreas {
    /// The areas of all views of a camera, those without any as well. Nothing is kept where nothing at all is private.
    pub fn new(views: Vec<PrivateView>) -> Self {
        if views.iter().all(|view| view.areas.is_empty()) { Self::default() } else { Self(views) }
    }

    /// The views; none when nothing is private.
    pub fn views(&self) -> &[PrivateView] {
        &self.0
    }

    /// Whether nothing is private.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What is private in a picture from this view. Of a view that is not known (a dome that turns, a preset that was
    /// taken out since) it is all that is private in any.
    pub fn of(&self, preset: Option<&PresetId>) -> Vec<Polygon> {
        match self.0.iter().find(|view| view.preset.as_ref() == preset) {
            Some(view) => view.areas.clone(),
            None => self.all(),
        }
    }

    /// What is private in any view.
    pub fn all(&self) -> Vec<Polygon> {
        self.0.iter().flat_map(|view| view.areas.iter().cloned()).collect()
    }
}

impl From<Vec<PrivateView>> for PrivateAreas {
    fn from(views: Vec<PrivateView>) -> Self {
        Self::new(views)
    }
}

impl From<PrivateAreas> for Vec<PrivateView> {
    fn from(areas: PrivateAreas) -> Self {
        areas.0
    }
}

/// A zone.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Zone {
    /// Its name.
    pub id: ZoneId,
    /// What it is for.
    pub purpose: ZonePurpose,
    /// Its outline, normalized.
    pub polygon: Polygon,
    /// When an object is in it.
    pub membership: Membership,
    /// Only these classes count; `None` lets all count.
    pub labels: Option<BTreeSet<Label>>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::BBox;

    fn view(preset: Option<&str>, boxes: &[[f32; 4]]) -> PrivateView {
        let area = |bbox: &[f32; 4]| Polygon::from_bbox(BBox::try_from(*bbox).unwrap()).unwrap();
        let preset = preset.map(|preset| preset.parse().unwrap());
        PrivateView { preset, areas: boxes.iter().map(area).collect() }
    }

    #[test]
    fn a_known_view_hides_its_own_areas_and_an_unknown_one_all() {
        let areas = PrivateAreas::new(vec![
            view(Some("gate"), &[]),
            view(Some("roof"), &[[0.0, 0.0, 0.2, 0.2]]),
            view(Some("yard"), &[[0.5, 0.5, 0.7, 0.7], [0.8, 0.0, 1.0, 0.4]]),
        ]);
        let of = |preset: &str| areas.of(Some(&preset.parse().unwrap())).len();
        assert_eq!((of("gate"), of("roof"), of("yard")), (0, 1, 2));
        assert_eq!((of("gone"), areas.of(None).len(), areas.all().len()), (3, 3, 3));
        let again: PrivateAreas = serde_json::from_str(&serde_json::to_string(&areas).unwrap()).unwrap();
        assert_eq!(again, areas);
    }

    #[test]
    fn where_nothing_is_private_nothing_is_kept() {
        let areas = PrivateAreas::new(vec![view(None, &[])]);
        assert!(areas.is_empty() && areas.all().is_empty());
        assert_eq!(serde_json::to_string(&areas).unwrap(), "[]");
    }
}
