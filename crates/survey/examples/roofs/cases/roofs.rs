//! Roofs of cases, compared and ready to be judged by any measure.

use parapet_change::survey::{Fused, Head, MIDDLE_METERS, Measure, Thing, ThingKind, ThingOptions, things};
use parapet_core::geo::{GroundPoint, GroundPolygon};
use parapet_survey::{
    Change, CompareOptions, Examined, NetworkFeatures, RoofState, Tools, compare,
    measure::{Found, TrueChange},
};

use super::Case;

/// One roof of a pair of flights.
pub(crate) struct Roof {
    pub(crate) name: String,
    pub(crate) fused: Fused,
    /// The places of the patch's corner, and of one pixel to the right and down of it.
    place: [GroundPoint; 3],
    pub(crate) meters_per_pixel: f32,
    uncertainty: f32,
    pub(crate) truths: Vec<TrueChange>,
    pub(crate) harmless: Vec<(String, GroundPolygon)>,
}

impl Roof {
    /// A roof that is no place on the earth: its pixels are metres apart from its upper left corner.
    pub(crate) fn of_pixels(
        name: String,
        fused: Fused,
        meters_per_pixel: f32,
        truths: Vec<TrueChange>,
    ) -> Self {
        let step = f64::from(meters_per_pixel);
        let place = [(0.0, 0.0), (step, 0.0), (0.0, -step)].map(|(east, north)| GroundPoint { east, north });
        Self { name, fused, place, meters_per_pixel, uncertainty: 0.0, truths, harmless: Vec::new() }
    }

    /// The place of a point of the patch.
    pub(crate) fn at(&self, x: f64, y: f64) -> GroundPoint {
        let [o, r, d] = self.place;
        GroundPoint {
            east: o.east + (r.east - o.east) * x + (d.east - o.east) * y,
            north: o.north + (r.north - o.north) * x + (d.north - o.north) * y,
        }
    }

    pub(crate) fn polygon(&self, thing: &Thing) -> Option<GroundPolygon> {
        GroundPolygon::new(thing.outline.iter().map(|p| self.at(f64::from(p.x), f64::from(p.y))).collect())
            .ok()
    }

    pub(crate) fn things(&self, measure: Measure<'_>, (seed, grow): (f32, f32)) -> Vec<Thing> {
        let options = ThingOptions { seed, grow, min_area: 2.0, meters_per_pixel: self.meters_per_pixel };
        things(&self.fused, measure, &options)
    }

    /// What the head finds at least this sure, of cells with these scores (see [`CompareOptions::cells`]).
    pub(crate) fn found(&self, head: &Head, confidence: f32, cells: (f32, f32)) -> Vec<Found> {
        let things = self.things(Measure::Head(head), cells);
        self.as_found(things.into_iter().filter(|t| t.confidence >= confidence))
    }

    /// What a measure without a head finds where its score is at least this.
    pub(crate) fn found_by(&self, measure: Measure<'_>, score: f32) -> Vec<Found> {
        self.as_found(self.things(measure, (score, score)).into_iter())
    }

    fn as_found(&self, things: impl Iterator<Item = Thing>) -> Vec<Found> {
        things
            .filter(|t| t.looks_seen * 2 >= t.looks_asked)
            .filter_map(|thing| {
                Some(Found {
                    change: match thing.kind {
                        ThingKind::New => Change::New,
                        ThingKind::Gone => Change::Removed,
                        ThingKind::Grown => Change::Grown,
                    },
                    footprint: self.polygon(&thing)?,
                    area: (thing.area, thing.area_error),
                    uncertainty: self.uncertainty.hypot(MIDDLE_METERS),
                    confidence: thing.confidence,
                })
            })
            .collect()
    }
}

/// Compares a case's flights. Roofs that are not judged are told, with their true changes.
pub(crate) fn roofs(
    mut case: Case,
    features: &mut NetworkFeatures<'_>,
    options: &CompareOptions,
    refused: &mut dyn FnMut(String, &[TrueChange]),
) -> Vec<Roof> {
    let blank = Head::untrained();
    let mut roofs = Vec::new();
    let (name, truths, harmless) = (&case.name, &case.truths, &case.harmless);
    let truths_of = |id: &parapet_core::BuildingId| -> Vec<TrueChange> {
        truths.iter().filter(|(b, _)| b == id).map(|(_, t)| t.clone()).collect()
    };
    let mut examined = |e: &Examined<'_>| {
        let place = [(0.0, 0.0), (1.0, 0.0), (0.0, 1.0)].map(|(x, y)| (e.place)(x, y));
        roofs.push(Roof {
            name: format!("{name} {}", e.building.id),
            fused: e.fused.clone(),
            place,
            meters_per_pixel: place[0].distance(place[1]) as f32,
            uncertainty: e.uncertainty as f32,
            truths: truths_of(&e.building.id),
            harmless: harmless.clone(),
        });
    };
    let mut tools = Tools { features, head: &blank, occupied: None, examined: Some(&mut examined) };
    let survey =
        compare(case.before.as_mut(), case.after.as_mut(), &case.site, &mut tools, options, &mut |_| {})
            .expect("the flights can be read");
    for roof in &survey.report.roofs {
        if let RoofState::NotJudged { reason } = roof.state {
            refused(format!("{name} {}: {reason:?}", roof.building), &truths_of(&roof.building));
        }
    }
    roofs
}
