//! Which pictures of two flights show a roof best together: whole, from above, and from the same side.

use parapet_core::{geo::GroundPoint, site::Building};

use crate::{flight::Projection, report::Reason};

/// One picture as a look at one roof.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Look {
    /// The picture's index in its flight.
    pub(crate) picture: usize,
    /// Share of the roof in the frame.
    share: f64,
    /// Degrees from straight down.
    slant: f64,
    /// From the roof's middle to the eye.
    direction: [f64; 3],
    /// Metres for one pixel of the picture on the roof.
    pub(crate) meters_per_pixel: f64,
}

/// What looks are good enough.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// Most looks at a roof from each flight.
    pub(crate) looks: usize,
    /// Least share of the roof in the frame.
    pub(crate) min_share: f64,
    /// Farthest from straight down, degrees.
    pub(crate) max_slant: f64,
}

/// Looks nearer to each other than this, degrees, are the same look: frames of a video that follow each other.
const SAME_LOOK: f64 = 3.0;
/// Candidates of one flight that are weighed against the other's.
const CANDIDATES: usize = 24;

/// The best looks at a roof before and after, the best pair first in each.
pub(crate) fn chosen(
    building: &Building,
    before: &[(Projection, usize)],
    after: &[(Projection, usize)],
    limits: &Limits,
) -> Result<(Vec<Look>, Vec<Look>), Reason> {
    let before = candidates(building, before, limits)?;
    let after = candidates(building, after, limits)?;
    let mut pairs: Vec<(f64, &Look, &Look)> = before
        .iter()
        .flat_map(|b| after.iter().map(move |a| (cost(b) + cost(a) + angle(b.direction, a.direction), b, a)))
        .collect();
    pairs.sort_by(|p, q| p.0.total_cmp(&q.0));
    let mut best = (Vec::<Look>::new(), Vec::<Look>::new());
    for (_, b, a) in pairs {
        for (chosen, look) in [(&mut best.0, b), (&mut best.1, a)] {
            if chosen.len() < limits.looks && !chosen.contains(look) {
                chosen.push(*look);
            }
        }
    }
    Ok(best)
}

/// Degrees that a look loses for what it does not show and for its slant.
fn cost(look: &Look) -> f64 {
    30.0 * (1.0 - look.share) + 0.25 * look.slant
}

fn candidates(
    building: &Building,
    pictures: &[(Projection, usize)],
    limits: &Limits,
) -> Result<Vec<Look>, Reason> {
    let samples = samples(building);
    let middle = building.footprint.centroid();
    let mut looks: Vec<Look> = pictures
        .iter()
        .enumerate()
        .filter_map(|(picture, (projection, width))| {
            let inside = samples.iter().filter(|p| {
                projection
                    .project(**p, building.height)
                    .is_some_and(|p| (0.0..1.0).contains(&p.x) && (0.0..1.0).contains(&p.y))
            });
            let share = inside.count() as f64 / samples.len() as f64;
            let direction = projection.towards_eye(middle, building.height);
            let meters_per_pixel = projection.meters_per_width(middle, building.height)? / *width as f64;
            let slant = direction[2].clamp(-1.0, 1.0).acos().to_degrees();
            Some(Look { picture, share, slant, direction, meters_per_pixel })
        })
        .collect();
    let most = looks.iter().map(|l| l.share).fold(0.0, f64::max);
    looks.retain(|l| l.share >= limits.min_share);
    if looks.is_empty() {
        return Err(Reason::NotSeen { share: most as f32 });
    }
    let least = looks.iter().map(|l| l.slant).fold(f64::INFINITY, f64::min);
    looks.retain(|l| l.slant <= limits.max_slant);
    if looks.is_empty() {
        return Err(Reason::TooOblique { degrees: least as f32 });
    }
    looks.sort_by(|a, b| cost(a).total_cmp(&cost(b)).then(a.picture.cmp(&b.picture)));
    let mut kept: Vec<Look> = Vec::new();
    for look in looks {
        if kept.len() < CANDIDATES && kept.iter().all(|k| angle(k.direction, look.direction) > SAME_LOOK) {
            kept.push(look);
        }
    }
    Ok(kept)
}

/// Places spread over the roof, and its corners.
fn samples(building: &Building) -> Vec<GroundPoint> {
    const STEPS: u32 = 9;
    let (low, high) = building.footprint.bounds();
    let at = |a: f64, b: f64, k: u32| a + (b - a) * (f64::from(k) + 0.5) / f64::from(STEPS);
    let grid = (0..STEPS * STEPS).map(|i| GroundPoint {
        east: at(low.east, high.east, i % STEPS),
        north: at(low.north, high.north, i / STEPS),
    });
    let inside = grid.filter(|p| building.footprint.contains(*p));
    inside.chain(building.footprint.corners().iter().copied()).collect()
}

fn angle(a: [f64; 3], b: [f64; 3]) -> f64 {
    (0..3).map(|i| a[i] * b[i]).sum::<f64>().clamp(-1.0, 1.0).acos().to_degrees()
}
