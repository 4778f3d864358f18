//! A roof's history to the fields of [`v1::Roof`] and back.

use parapet_core::{RoofHistory, RoofLook, RoofStructure, StructureSighting, geo::GeoPoint, site::Name};

use super::{
    DecodeError, Roof,
    convert::{Fields, name, storable},
    v1,
};

const F: Fields = Fields(v1::ROOF);

fn corners(points: &[GeoPoint]) -> Vec<[f64; 2]> {
    points.iter().map(|p| [p.longitude, p.latitude]).collect()
}

fn places(field: &'static str, corners: &[[f64; 2]]) -> Result<Vec<GeoPoint>, DecodeError> {
    let place = |[longitude, latitude]: &[f64; 2]| {
        GeoPoint::new(*latitude, *longitude)
            .map_err(|reason| F.refuse(field, &format!("{longitude}, {latitude}"), reason))
    };
    corners.iter().map(place).collect()
}

impl From<&Roof> for v1::Roof {
    fn from(m: &Roof) -> Self {
        let h = &m.history;
        Self {
            schema: v1::ROOF.to_owned(),
            site: m.site.to_string(),
            node: m.node.to_string(),
            at: m.at.to_string(),
            building: h.building.to_string(),
            name_zh: h.name.zh.clone(),
            name_en: h.name.en.clone(),
            footprint: corners(&h.footprint),
            height_meters: h.height_meters,
            looks: h.looks.iter().map(Into::into).collect(),
            structures: h.structures.iter().map(Into::into).collect(),
        }
    }
}

impl From<&RoofLook> for v1::RoofLook {
    fn from(look: &RoofLook) -> Self {
        Self {
            survey: look.survey.to_string(),
            flown_at: look.flown_at.to_string(),
            refused: look
                .refused
                .as_ref()
                .map(|words| v1::Words { zh: words.zh.clone(), en: words.en.clone() }),
        }
    }
}

impl From<&RoofStructure> for v1::RoofStructure {
    fn from(structure: &RoofStructure) -> Self {
        let sighting = |s: &StructureSighting| v1::StructureSighting {
            survey: s.survey.to_string(),
            at: s.at.to_string(),
            area_square_meters: s.area_square_meters,
            area_error_square_meters: s.area_error_square_meters,
            confidence: s.confidence,
        };
        Self {
            incident_id: structure.incident.map(|id| id.to_string()),
            outline: corners(&structure.outline),
            state: name(structure.state),
            unchanged_since: structure.unchanged_since.map(|at| at.to_string()),
            sightings: structure.sightings.iter().map(sighting).collect(),
        }
    }
}

impl TryFrom<v1::Roof> for Roof {
    type Error = DecodeError;

    fn try_from(m: v1::Roof) -> Result<Self, DecodeError> {
        Ok(Self {
            site: F.text("site", &m.site)?,
            node: F.text("node", &m.node)?,
            at: F.text("at", &m.at)?,
            history: RoofHistory {
                building: F.text("building", &m.building)?,
                name: Name { zh: m.name_zh.map(storable), en: m.name_en.map(storable) },
                footprint: places("footprint", &m.footprint)?,
                height_meters: F.length("height_meters", m.height_meters)?,
                looks: m.looks.into_iter().map(look).collect::<Result<_, _>>()?,
                structures: m.structures.into_iter().map(structure).collect::<Result<_, _>>()?,
            },
        })
    }
}

fn look(m: v1::RoofLook) -> Result<RoofLook, DecodeError> {
    Ok(RoofLook {
        survey: F.text("looks.survey", &m.survey)?,
        flown_at: F.text("looks.flown_at", &m.flown_at)?,
        refused: m.refused.map(|words| Name { zh: words.zh.map(storable), en: words.en.map(storable) }),
    })
}

fn structure(m: v1::RoofStructure) -> Result<RoofStructure, DecodeError> {
    let sighting = |s: v1::StructureSighting| {
        Ok(StructureSighting {
            survey: F.text("sightings.survey", &s.survey)?,
            at: F.text("sightings.at", &s.at)?,
            area_square_meters: F.length("sightings.area_square_meters", s.area_square_meters)?,
            area_error_square_meters: F
                .length("sightings.area_error_square_meters", s.area_error_square_meters)?,
            confidence: F.fraction("sightings.confidence", s.confidence)?,
        })
    };
    Ok(RoofStructure {
        incident: m.incident_id.map(|v| F.text("structures.incident_id", &v)).transpose()?,
        outline: places("structures.outline", &m.outline)?,
        state: F.choice("structures.state", &m.state)?,
        unchanged_since: m.unchanged_since.map(|v| F.text("structures.unchanged_since", &v)).transpose()?,
        sightings: m.sightings.into_iter().map(sighting).collect::<Result<_, _>>()?,
    })
}
