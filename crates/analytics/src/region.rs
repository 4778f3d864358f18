//! Memory of regions that the change detector reports: re-attached by number or by place, and gone only when they
//! were looked for and not found.

use std::sync::Arc;

use parapet_core::{BBox, Point, Timestamp, time::seconds_between};

/// Overlap from which a region under a new number is the one that was there.
const SAME_PLACE_IOU: f32 = 0.4;

/// A region as the change detector sees it now.
#[derive(Debug, Clone)]
pub(crate) struct Seen<'a> {
    pub(crate) number: u64,
    pub(crate) bbox: BBox,
    pub(crate) outline: &'a [Point],
    pub(crate) area: f32,
    pub(crate) score: f32,
    pub(crate) since: Timestamp,
    pub(crate) last_seen_at: Timestamp,
}

/// A remembered region.
#[derive(Debug, Clone)]
pub(crate) struct Region {
    /// Number in this memory, never reused.
    pub(crate) number: u64,
    reported_as: u64,
    pub(crate) bbox: BBox,
    pub(crate) outline: Arc<[Point]>,
    pub(crate) area: f32,
    pub(crate) score: f32,
    pub(crate) since: Timestamp,
    /// When the detector last saw it.
    pub(crate) seen_at: Timestamp,
    /// Looks that found it.
    pub(crate) visits: u32,
    missing_since: Option<Timestamp>,
    missing_looks: u32,
}

/// All regions of one view.
#[derive(Debug)]
pub(crate) struct RegionMemory {
    gone_seconds: f64,
    gone_looks: u32,
    next: u64,
    regions: Vec<Region>,
}

impl RegionMemory {
    /// A memory that lets a region go after so many looks over so long that did not find it.
    pub(crate) fn new(gone_seconds: f64, gone_looks: u32) -> Self {
        Self { gone_seconds, gone_looks, next: 1, regions: Vec::new() }
    }

    /// By rising number.
    pub(crate) fn regions(&self) -> &[Region] {
        &self.regions
    }

    /// Takes in one look. `fresh`: the detector compared in this frame, so that a visit counts and absence means
    /// something; otherwise only places are brought up to date.
    pub(crate) fn update(&mut self, seen: &[Seen<'_>], fresh: bool, at: Timestamp) {
        let mut taken = vec![false; self.regions.len()];
        for region in seen {
            let known = self
                .regions
                .iter()
                .position(|r| r.reported_as == region.number)
                .filter(|i| !taken[*i])
                .or_else(|| self.nearest(region.bbox, &taken));
            let Some(index) = known else {
                self.regions.push(Region {
                    number: self.next,
                    reported_as: region.number,
                    bbox: region.bbox,
                    outline: region.outline.into(),
                    area: region.area,
                    score: region.score,
                    since: region.since,
                    seen_at: region.last_seen_at,
                    visits: 1,
                    missing_since: None,
                    missing_looks: 0,
                });
                self.next += 1;
                taken.push(true);
                continue;
            };
            taken[index] = true;
            let known = &mut self.regions[index];
            known.reported_as = region.number;
            known.bbox = region.bbox;
            if *known.outline != *region.outline {
                known.outline = region.outline.into();
            }
            known.area = region.area;
            known.score = region.score;
            known.seen_at = known.seen_at.max(region.last_seen_at);
            known.missing_since = None;
            known.missing_looks = 0;
            known.visits = known.visits.saturating_add(u32::from(fresh));
        }
        if !fresh {
            return;
        }
        for (region, _) in self.regions.iter_mut().zip(&taken).filter(|(_, taken)| !**taken) {
            region.missing_since.get_or_insert(at);
            region.missing_looks += 1;
        }
        let (seconds, looks) = (self.gone_seconds, self.gone_looks);
        self.regions.retain(|r| {
            let missing = r.missing_since.map_or(0.0, |since| seconds_between(since, at));
            r.missing_since.is_none() || missing < seconds || r.missing_looks < looks
        });
    }

    fn nearest(&self, bbox: BBox, taken: &[bool]) -> Option<usize> {
        (0..self.regions.len())
            .filter(|i| !taken[*i])
            .map(|i| (i, self.regions[i].bbox.iou(bbox)))
            .filter(|(_, iou)| *iou >= SAME_PLACE_IOU)
            .max_by(|a, b| a.1.total_cmp(&b.1).then(b.0.cmp(&a.0)))
            .map(|(i, _)| i)
    }
}
