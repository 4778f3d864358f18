//! Two flights over a site, compared roof by roof.
//!
//! Telemetry says which pictures show a roof; each flight's pictures are then read once, in order, and only the roofs'
//! patches are kept. All looks at a roof are laid on one of them; what does not lie on it well enough is left out, and
//! a roof with nothing left is not judged.

use std::collections::BTreeMap;

use parapet_change::survey::{
    Eye, Fused, Gates, Head, MIDDLE_METERS, Measure, Patch, Prior, Reference, Refusal, Registration, Thing,
    ThingKind, ThingOptions, View, things,
};
use parapet_core::{
    BBox, DetectError, Picture, Point, Timestamp,
    geo::{GeoPoint, GroundPoint, Position},
    site::{Building, Site},
};

use crate::{
    deep::DeepFeatures,
    flight::{Flight, FlightError, Projection, SurveyPicture},
    plan::{Limits, Look, chosen},
    report::{
        Change, Crops, Finding, FindingId, FlightSummary, REPORT_VERSION, Reason, RoofOutcome, RoofPictures,
        RoofState, SurveyReport,
    },
    roof::RoofGrid,
};

/// How flights are compared. The defaults were set on rendered training flights.
#[derive(Debug, Clone, PartialEq)]
pub struct CompareOptions {
    /// Most looks at a roof from each flight.
    pub looks: usize,
    /// Least share of a roof that a picture must show.
    pub min_share: f64,
    /// Farthest from straight down that a roof is looked at, degrees.
    pub max_slant: f64,
    /// Metres across a pixel of a patch, unless the pictures are coarser.
    pub meters_per_pixel: f64,
    /// What a registration must have.
    pub gates: Gates,
    /// By what cells are judged.
    pub judge: Judge,
    /// A finding has cells of at least the first score, and all cells of at least the second that are joined to them.
    /// For the head only.
    pub cells: (f32, f32),
    /// Changes smaller than this are left out, square metres.
    pub min_area: f32,
    /// Findings less likely than this are left out.
    pub min_confidence: f32,
    /// Farther apart than this, two flights do not show one site, metres.
    pub reach: f64,
    /// Without it, looks are laid on each other by telemetry alone (for measuring what registration is worth).
    pub register: bool,
    /// Without it, everything in the grid around a roof is compared (for measuring what roof polygons are worth).
    pub roofs_only: bool,
    /// Without it, looks are compared on the roof's plane alone and no heights are told (for measuring what they are
    /// worth).
    pub heights: bool,
}

impl Default for CompareOptions {
    fn default() -> Self {
        Self {
            looks: 4,
            min_share: 0.6,
            max_slant: 40.0,
            meters_per_pixel: 0.08,
            gates: Gates::default(),
            judge: Judge::Head,
            cells: (0.2, 0.12),
            min_area: 2.0,
            min_confidence: 0.4,
            reach: 6.0,
            register: true,
            roofs_only: true,
            heights: true,
        }
    }
}

/// By what cells are judged: the learnt head, or one of the baselines that it is measured against, with the score from
/// which a cell has changed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Judge {
    /// All cues, weighed.
    Head,
    /// Difference of brightness and colour.
    Pixels(f32),
    /// Local correlation.
    Correlation(f32),
    /// Deep features alone.
    Deep(f32),
}

/// Finds the boxes of vehicles and people in a picture.
pub type Occupied<'a> = &'a mut dyn FnMut(&Picture) -> Vec<BBox>;

/// What the comparison works with.
pub struct Tools<'a> {
    /// Deep features of patches.
    pub features: &'a mut dyn DeepFeatures,
    /// The weights that weigh the cues.
    pub head: &'a Head,
    /// Boxes of vehicles and people in a picture: these places are not compared. `None`: nothing is known of them, and
    /// only what stands in most looks is a finding.
    pub occupied: Option<Occupied<'a>>,
    /// Is shown each roof as it is judged: for learning and measuring.
    pub examined: Option<&'a mut dyn FnMut(&Examined<'_>)>,
}

/// A roof as it is judged.
pub struct Examined<'a> {
    /// The building.
    pub building: &'a Building,
    /// All looks together.
    pub fused: &'a Fused,
    /// What has changed, with what is too unsure to be a finding.
    pub things: &'a [Thing],
    /// The place of a point of the patch (pixels from its upper left corner).
    pub place: &'a dyn Fn(f64, f64) -> GroundPoint,
    /// Standard deviation of these places, metres.
    pub uncertainty: f64,
}

/// What is being done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// The earlier flight's pictures are read.
    Before,
    /// The later flight's.
    After,
    /// Roofs are compared.
    Roofs,
}

/// How far the comparison is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// What is being done.
    pub stage: Stage,
    /// Pictures or roofs done.
    pub done: usize,
    /// Of so many.
    pub of: usize,
}

/// Why no comparison could be made at all. A flight that is no use is not an error: the report says so.
#[derive(Debug, thiserror::Error)]
pub enum CompareError {
    /// A picture cannot be read.
    #[error(transparent)]
    Flight(#[from] FlightError),
    /// The network failed.
    #[error("cannot compare the roof of building \"{building}\"")]
    Features {
        /// The building.
        building: String,
        /// What the network said.
        source: DetectError,
    },
}

/// A report and its pictures, still in memory.
#[derive(Debug, Clone)]
pub struct Survey {
    /// What was found.
    pub report: SurveyReport,
    /// The pictures by the paths that the report gives.
    pub pictures: BTreeMap<String, Picture>,
}

/// One building with its looks.
struct Roof<'a> {
    building: &'a Building,
    grid: RoofGrid,
    before: Vec<Held>,
    after: Vec<Held>,
}

/// A look and its patch.
struct Held {
    look: Look,
    projection: Projection,
    patch: Option<Patch>,
}

/// Compares two flights over a site.
///
/// # Errors
/// When pictures cannot be read or the network fails.
pub fn compare(
    before: &mut dyn Flight,
    after: &mut dyn Flight,
    site: &Site,
    tools: &mut Tools<'_>,
    options: &CompareOptions,
    progress: &mut dyn FnMut(Progress),
) -> Result<Survey, CompareError> {
    let placed = [projections(before.pictures(), site), projections(after.pictures(), site)];
    let mut flights = [summary(before), summary(after)];
    let mut survey = Survey {
        report: SurveyReport {
            version: REPORT_VERSION,
            site: site.id.clone(),
            before: flights[0].clone(),
            after: flights[1].clone(),
            roofs: Vec::new(),
            findings: Vec::new(),
        },
        pictures: BTreeMap::new(),
    };
    let mut outcomes: BTreeMap<usize, RoofOutcome> = BTreeMap::new();
    let mut roofs = Vec::new();
    let limits = Limits { looks: options.looks, min_share: options.min_share, max_slant: options.max_slant };
    for (k, building) in site.buildings.iter().enumerate() {
        match chosen(building, &placed[0], &placed[1], &limits) {
            Ok((b, a)) => roofs.push((k, roof(building, b, a, &placed, options))),
            Err(reason) => {
                outcomes.insert(k, not_judged(building, reason));
            }
        }
    }
    for (flight, placed) in flights.iter_mut().zip(&placed) {
        flight.refused = refused_by_place(placed, site);
    }
    if flights.iter().any(|f| f.refused.is_some()) {
        roofs.clear();
    }
    let mut all: Vec<&mut Roof<'_>> = roofs.iter_mut().map(|(_, r)| r).collect();
    flights[0].looked_at = cut(before, &mut all, |r| &mut r.before, tools, &mut |done, of| {
        progress(Progress { stage: Stage::Before, done, of });
    })?;
    flights[1].looked_at = cut(after, &mut all, |r| &mut r.after, tools, &mut |done, of| {
        progress(Progress { stage: Stage::After, done, of });
    })?;
    let of = roofs.len();
    for (done, (k, roof)) in roofs.into_iter().enumerate() {
        let building = roof.building;
        match compared(&roof, tools, options)? {
            Ok(found) => {
                outcomes.insert(k, found.into_report(&mut survey, building, site, &flights));
            }
            Err(reason) => {
                tracing::info!(building = %building.id, ?reason, "roof is not judged");
                outcomes.insert(k, not_judged(building, reason));
            }
        }
        progress(Progress { stage: Stage::Roofs, done: done + 1, of });
    }
    let reason = flights.iter().find_map(|f| f.refused);
    survey.report.roofs = site
        .buildings
        .iter()
        .enumerate()
        .map(|(k, b)| {
            outcomes.remove(&k).unwrap_or_else(|| not_judged(b, reason.unwrap_or(Reason::NoTelemetry)))
        })
        .collect();
    if flights[1].refused.is_none() {
        flights[1].refused = refused_by_roofs(&survey.report.roofs);
    }
    [survey.report.before, survey.report.after] = flights;
    survey.report.findings.sort_by(|a, b| b.confidence.total_cmp(&a.confidence).then(a.id.cmp(&b.id)));
    Ok(survey)
}

fn projections(pictures: &[SurveyPicture], site: &Site) -> Vec<(Projection, usize)> {
    pictures.iter().map(|p| (Projection::new(&p.georeference, &site.frame), p.width)).collect()
}

fn summary(flight: &dyn Flight) -> FlightSummary {
    let times: Vec<Timestamp> = flight.pictures().iter().filter_map(|p| p.captured_at).collect();
    FlightSummary {
        name: flight.name().to_owned(),
        from: times.iter().min().copied(),
        until: times.iter().max().copied(),
        pictures: flight.pictures().len(),
        looked_at: 0,
        refused: None,
    }
}

/// A flight without telemetry, or one whose every picture looks at another place.
fn refused_by_place(pictures: &[(Projection, usize)], site: &Site) -> Option<Reason> {
    /// A drone at 120 m that looks ahead sees a site from this far outside.
    const NEAR: f64 = 150.0;
    if pictures.is_empty() {
        return Some(Reason::NoTelemetry);
    }
    let meters = pictures.iter().map(|(p, _)| p.distance(site)).fold(f64::INFINITY, f64::min);
    (meters > NEAR).then_some(Reason::OtherPlace { meters: meters as f32 })
}

/// What most roofs were refused for, when none was judged and it is the flight's own fault.
fn refused_by_roofs(roofs: &[RoofOutcome]) -> Option<Reason> {
    let mut reasons = Vec::new();
    for roof in roofs {
        match roof.state {
            RoofState::Judged { .. } => return None,
            RoofState::NotJudged { reason: Reason::NotSeen { .. } | Reason::TooOblique { .. } } => {}
            RoofState::NotJudged { reason } => reasons.push(reason),
        }
    }
    let same = |a: &Reason, b: &Reason| std::mem::discriminant(a) == std::mem::discriminant(b);
    reasons.iter().copied().max_by_key(|r| reasons.iter().filter(|o| same(r, o)).count())
}

fn not_judged(building: &Building, reason: Reason) -> RoofOutcome {
    RoofOutcome { building: building.id.clone(), state: RoofState::NotJudged { reason }, pictures: None }
}

fn roof<'a>(
    building: &'a Building,
    before: Vec<Look>,
    after: Vec<Look>,
    placed: &[Vec<(Projection, usize)>; 2],
    options: &CompareOptions,
) -> Roof<'a> {
    let coarsest = before.iter().chain(&after).map(|l| l.meters_per_pixel).fold(0.0, f64::max);
    let held = |looks: Vec<Look>, placed: &[(Projection, usize)]| {
        looks.into_iter().map(|look| Held { look, projection: placed[look.picture].0, patch: None }).collect()
    };
    Roof {
        building,
        grid: RoofGrid::new(building, options.meters_per_pixel.max(coarsest)),
        before: held(before, &placed[0]),
        after: held(after, &placed[1]),
    }
}

/// Reads a flight's pictures once and cuts all roofs' patches from them.
fn cut(
    flight: &mut dyn Flight,
    roofs: &mut [&mut Roof<'_>],
    side: impl for<'r, 's> Fn(&'r mut Roof<'s>) -> &'r mut Vec<Held>,
    tools: &mut Tools<'_>,
    progress: &mut dyn FnMut(usize, usize),
) -> Result<usize, FlightError> {
    let mut wanted: Vec<usize> =
        roofs.iter_mut().flat_map(|r| side(r).iter().map(|h| h.look.picture).collect::<Vec<_>>()).collect();
    wanted.sort_unstable();
    wanted.dedup();
    let of = wanted.len();
    let mut done = 0;
    flight.visit(&wanted, &mut |index, picture| {
        let occupied = tools.occupied.as_mut().map(|f| f(picture)).unwrap_or_default();
        for roof in roofs.iter_mut() {
            let (grid, up) = (roof.grid.clone(), roof.grid.up);
            for held in side(roof).iter_mut().filter(|h| h.look.picture == index) {
                let projection = held.projection;
                let shrink = grid.meters_per_pixel / held.look.meters_per_pixel;
                let mut patch = Patch::cut(picture, (grid.width, grid.height), shrink, |x, y| {
                    projection
                        .project(grid.ground(x, y), up)
                        .filter(|p| !occupied.iter().any(|b| b.contains(*p)))
                });
                std::mem::swap(&mut held.patch, &mut patch);
            }
        }
        done += 1;
        progress(done, of);
    })?;
    Ok(done)
}

/// What was found on one roof.
struct Found {
    grid: RoofGrid,
    state: RoofState,
    before: Picture,
    after: Picture,
    findings: Vec<Draft>,
}

/// A finding without its id.
struct Draft {
    thing: Thing,
    change: Change,
    confidence: f32,
    position: GroundPoint,
    uncertainty: f64,
    polygon: Vec<GroundPoint>,
}

/// A look that lies on the reference.
struct Laid {
    patch: Patch,
    projection: Projection,
    /// From a place on the roof by the reference's telemetry to the same place by this look's.
    offset: (f64, f64),
    residual: f64,
}

fn compared(
    roof: &Roof<'_>,
    tools: &mut Tools<'_>,
    options: &CompareOptions,
) -> Result<Result<Found, Reason>, CompareError> {
    let (before, after) = match laid(roof, options) {
        Ok(laid) => laid,
        Err(reason) => return Ok(Err(reason)),
    };
    let correction = Correction::new(&before, &after, roof);
    let grid = &roof.grid;
    let is_roof = grid.mask(|place| {
        let place = correction.moved(place);
        !options.roofs_only || roof.building.footprint.contains(place)
    });
    let judged = grid.mask(|place| {
        let place = correction.moved(place);
        (!options.roofs_only || roof.building.footprint.contains(place))
            && roof.building.approved.iter().all(|a| a.footprint.distance(place) > APPROVED_MARGIN)
    });
    let mut view = |laid: &Laid| -> Result<View, CompareError> {
        let features = tools
            .features
            .features(laid.patch.picture())
            .map_err(|source| CompareError::Features { building: roof.building.id.to_string(), source })?;
        Ok(View::new(&laid.patch, features, laid.eye(grid).filter(|_| options.heights)))
    };
    let views_before = before.iter().map(&mut view).collect::<Result<Vec<_>, _>>()?;
    let views_after = after.iter().map(&mut view).collect::<Result<Vec<_>, _>>()?;
    let fused = Fused::new(views_before, views_after, &judged, grid.meters_per_pixel)
        .expect("each side has a look, all of one size");
    let (measure, seed, grow) = match options.judge {
        Judge::Head => (Measure::Head(tools.head), options.cells.0, options.cells.1),
        Judge::Pixels(limit) => (Measure::Pixels, limit, limit),
        Judge::Correlation(limit) => (Measure::Correlation, limit, limit),
        Judge::Deep(limit) => (Measure::Deep, limit, limit),
    };
    let thing_options = ThingOptions {
        seed,
        grow,
        min_area: options.min_area,
        meters_per_pixel: grid.meters_per_pixel as f32,
    };
    let things = things(&fused, measure, &thing_options);
    let cell = (parapet_change::survey::CELL_PIXELS as f64 * grid.meters_per_pixel).powi(2);
    let area = is_roof.iter().filter(|r| **r).count() as f64 * grid.meters_per_pixel.powi(2);
    let judged_area = fused.judged() as f64 * cell;
    let changed: f64 = things.iter().map(|t| f64::from(t.area)).sum();
    if changed > MOST_CHANGED * judged_area {
        return Ok(Err(Reason::TooMuchChanged { share: (changed / judged_area.max(1e-6)) as f32 }));
    }
    if let Some(examined) = &mut tools.examined {
        let place = |x: f64, y: f64| correction.moved(grid.ground(x, y));
        examined(&Examined {
            building: roof.building,
            fused: &fused,
            things: &things,
            place: &place,
            uncertainty: correction.uncertainty,
        });
    }
    let findings = things
        .into_iter()
        .map(|thing| draft(thing, grid, &correction))
        .filter(|d| !matches!(options.judge, Judge::Head) || d.confidence >= options.min_confidence)
        .filter(|d| d.thing.looks_seen * 2 >= d.thing.looks_asked)
        .collect();
    let worst = before.iter().chain(&after).map(|l| l.residual).fold(0.0, f64::max);
    Ok(Ok(Found {
        grid: grid.clone(),
        state: RoofState::Judged {
            share: (judged_area / area.max(1e-6)).min(1.0) as f32,
            looks_before: before.len(),
            looks_after: after.len(),
            residual_meters: (worst * grid.meters_per_pixel) as f32,
            flights_apart_meters: correction.apart as f32,
        },
        before: before[0].patch.picture().clone(),
        after: after[0].patch.picture().clone(),
        findings,
    }))
}

/// Parallax moves a hut's edge by this much, metres, beyond its footprint.
const APPROVED_MARGIN: f64 = 0.6;
/// More of a roof than this cannot be structures that came or went.
const MOST_CHANGED: f64 = 0.6;

/// Lays all looks on the best one of the earlier flight that works.
fn laid(roof: &Roof<'_>, options: &CompareOptions) -> Result<(Vec<Laid>, Vec<Laid>), Reason> {
    let grid = &roof.grid;
    let mask = grid.mask(|place| roof.building.footprint.contains(place));
    let prior = Prior { reach_pixels: (options.reach / grid.meters_per_pixel) as f32, turned: false };
    let mut why: Vec<Refusal> = Vec::new();
    let (before, after) = (with_patches(&roof.before), with_patches(&roof.after));
    for &(first, patch) in before.iter().take(2) {
        let reference = Reference::new(patch.clone(), &mask, prior);
        let mut laid = (Vec::new(), Vec::new());
        for (side, looks) in [(&mut laid.1, &after), (&mut laid.0, &before)] {
            for &(held, patch) in looks {
                if std::ptr::eq(held, first) {
                    side.insert(0, Laid::reference(patch, held.projection));
                    continue;
                }
                if !options.register {
                    side.push(Laid::reference(patch, held.projection));
                    continue;
                }
                match reference.register(patch, &options.gates) {
                    Ok(registration) => {
                        side.push(Laid::new(&reference, patch, &registration, held.projection, grid));
                    }
                    Err(refusal) => {
                        tracing::debug!(building = %roof.building.id, picture = held.look.picture, %refusal, "look is left out");
                        why.push(refusal);
                    }
                }
            }
            if side.is_empty() {
                break;
            }
        }
        if !laid.0.is_empty() && !laid.1.is_empty() {
            return Ok(laid);
        }
    }
    let same = |a: &Refusal, b: &Refusal| std::mem::discriminant(a) == std::mem::discriminant(b);
    let most = why.iter().copied().max_by_key(|r| why.iter().filter(|o| same(r, o)).count());
    Err(most.map_or(Reason::NotSeen { share: 0.0 }, Reason::from))
}

fn with_patches(side: &[Held]) -> Vec<(&Held, &Patch)> {
    side.iter().filter_map(|h| Some((h, h.patch.as_ref()?))).collect()
}

impl Laid {
    fn reference(patch: &Patch, projection: Projection) -> Self {
        Self { patch: patch.clone(), projection, offset: (0.0, 0.0), residual: 0.0 }
    }

    fn new(
        reference: &Reference,
        patch: &Patch,
        registration: &Registration,
        projection: Projection,
        grid: &RoofGrid,
    ) -> Self {
        let (x, y) = (grid.width as f64 / 2.0, grid.height as f64 / 2.0);
        let (u, v) = registration.second(x, y);
        let (here, there) = (grid.ground(x, y), grid.ground(u, v));
        Self {
            patch: reference.laid(patch, registration),
            projection,
            offset: (there.east - here.east, there.north - here.north),
            residual: f64::from(registration.residual_pixels),
        }
    }
}

impl Laid {
    /// Where the camera was over the reference's grid; `None` for maps, which lean nowhere.
    fn eye(&self, grid: &RoofGrid) -> Option<Eye> {
        let Projection::Camera(view, _) = &self.projection else { return None };
        let foot = view.foot();
        let (east, north) = (foot.east - self.offset.0, foot.north - self.offset.1);
        Some(Eye {
            foot: grid.pixel(GroundPoint { east, north }),
            height: (view.pose().height - grid.up) / grid.meters_per_pixel,
        })
    }
}

/// Where the reference's grid really lies: between where both flights' telemetry puts it, each weighed by its own
/// uncertainty. Errors within a flight go together, so that more looks do not make a flight surer.
struct Correction {
    east: f64,
    north: f64,
    /// Standard deviation, metres.
    uncertainty: f64,
    /// Between the two flights, metres.
    apart: f64,
}

impl Correction {
    fn new(before: &[Laid], after: &[Laid], roof: &Roof<'_>) -> Self {
        let middle = roof.building.footprint.centroid();
        let flight = |looks: &[Laid]| {
            let n = looks.len() as f64;
            let east = looks.iter().map(|l| l.offset.0).sum::<f64>() / n;
            let north = looks.iter().map(|l| l.offset.1).sum::<f64>() / n;
            let sigma =
                looks.iter().filter_map(|l| l.projection.uncertainty(middle, roof.grid.up)).sum::<f64>() / n;
            (east, north, sigma.max(0.05))
        };
        let (b, a) = (flight(before), flight(after));
        let (wb, wa) = (b.2.powi(-2), a.2.powi(-2));
        let share = wb / (wb + wa);
        let mix = |b: f64, a: f64| share * b + (1.0 - share) * a;
        let apart = (b.0 - a.0).hypot(b.1 - a.1);
        // When the flights disagree more than they say, they are less sure than they say.
        let uncertainty = (1.0 / (wb + wa)).sqrt().max(apart / 2.0);
        Self { east: mix(b.0, a.0), north: mix(b.1, a.1), uncertainty, apart }
    }

    fn moved(&self, place: GroundPoint) -> GroundPoint {
        GroundPoint { east: place.east + self.east, north: place.north + self.north }
    }
}

fn draft(thing: Thing, grid: &RoofGrid, correction: &Correction) -> Draft {
    let place = |p: Point| correction.moved(grid.ground(f64::from(p.x), f64::from(p.y)));
    let polygon: Vec<_> = thing.outline.iter().map(|p| place(*p)).collect();
    Draft {
        change: match thing.kind {
            ThingKind::New => Change::New,
            ThingKind::Gone => Change::Removed,
            ThingKind::Grown => Change::Grown,
        },
        confidence: thing.confidence,
        position: place(thing.middle),
        uncertainty: correction.uncertainty.hypot(MIDDLE_METERS.into()),
        polygon,
        thing,
    }
}

impl Found {
    fn into_report(
        self,
        survey: &mut Survey,
        building: &Building,
        site: &Site,
        flights: &[FlightSummary; 2],
    ) -> RoofOutcome {
        let pictures = RoofPictures {
            before: format!("roofs/{}-before.jpg", building.id),
            after: format!("roofs/{}-after.jpg", building.id),
        };
        for draft in self.findings {
            let geo = |p: &GroundPoint| -> GeoPoint { site.frame.geo(*p) };
            let at = |v: f64| format!("{v:.1}");
            let id = FindingId::derive(&[
                site.id.as_str(),
                building.id.as_str(),
                &flights[0].name,
                &flights[1].name,
                draft.change.as_str(),
                &at(draft.position.east),
                &at(draft.position.north),
            ]);
            let crops = Crops {
                before: format!("findings/{id}-before.jpg"),
                after: format!("findings/{id}-after.jpg"),
            };
            for (path, picture) in [(&crops.before, &self.before), (&crops.after, &self.after)] {
                if let Some(crop) = crop(picture, &draft.thing, self.grid.meters_per_pixel) {
                    survey.pictures.insert(path.clone(), crop);
                }
            }
            survey.report.findings.push(Finding {
                id,
                building: building.id.clone(),
                change: draft.change,
                position: Position {
                    point: geo(&draft.position),
                    uncertainty_meters: draft.uncertainty as f32,
                },
                polygon: draft.polygon.iter().map(geo).collect(),
                outline: draft
                    .thing
                    .outline
                    .iter()
                    .map(|p| self.grid.normalized(f64::from(p.x), f64::from(p.y)))
                    .collect(),
                area_m2: draft.thing.area,
                area_error_m2: draft.thing.area_error,
                confidence: draft.confidence,
                looks_asked: draft.thing.looks_asked,
                looks_seen: draft.thing.looks_seen,
                crops: Some(crops),
            });
        }
        survey.pictures.insert(pictures.before.clone(), self.before);
        survey.pictures.insert(pictures.after.clone(), self.after);
        RoofOutcome { building: building.id.clone(), state: self.state, pictures: Some(pictures) }
    }
}

/// A thing with this much around it, metres.
const CROP_MARGIN: f64 = 4.0;

fn crop(picture: &Picture, thing: &Thing, meters_per_pixel: f64) -> Option<Picture> {
    let margin = (CROP_MARGIN / meters_per_pixel) as f32;
    let bounds = BBox::around(thing.outline.iter().copied())?;
    // Even corners, so that chroma is cut where luma is.
    let low = |v: f32| (v - margin).max(0.0) as usize / 2 * 2;
    let high = |v: f32, most: usize| ((v + margin) as usize).min(most);
    let (x, y) = (low(bounds.x_min()), low(bounds.y_min()));
    let (w, h) = (high(bounds.x_max(), picture.width()) - x, high(bounds.y_max(), picture.height()) - y);
    let part = |plane: &parapet_core::Plane, (x, y, w, h): (usize, usize, usize, usize)| {
        let samples = (y..y + h).flat_map(|row| plane.row(row)[x..x + w].iter().copied()).collect();
        parapet_core::Plane::new(w, h, samples)
    };
    let half = (x / 2, y / 2, w.div_ceil(2), h.div_ceil(2));
    Picture::new(
        part(picture.y(), (x, y, w, h))?,
        part(picture.u(), half)?,
        part(picture.v(), half)?,
        picture.color(),
    )
}
