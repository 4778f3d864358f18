//! What the monitoring room keeps beside incidents: mutes, sites, and the figures of a month.

use parapet_core::{
    BBox, CameraId, IncidentId, KindCode, PresetId, Severity, SiteId, Status, Timestamp, ZoneId,
};
use serde_json::Value;
use uuid::Uuid;

use crate::IncidentRow;

/// One kind at one place of one view that nobody wants to hear of for a while.
#[derive(Debug, Clone, PartialEq)]
pub struct MuteRow {
    /// Its identity.
    pub id: Uuid,
    /// The site.
    pub site: SiteId,
    /// The camera.
    pub camera: CameraId,
    /// The preset of a dome.
    pub preset: Option<PresetId>,
    /// The kind.
    pub kind: KindCode,
    /// The zone.
    pub zone: Option<ZoneId>,
    /// The place in the picture, normalized.
    pub bbox: BBox,
    /// The incident that it was made at.
    pub incident: IncidentId,
    /// Since when.
    pub at: Timestamp,
    /// Until when.
    pub until: Timestamp,
    /// Who made it.
    pub by: String,
    /// Why.
    pub reason: Option<String>,
}

/// Overlap of boxes (intersection over union) from which they mean the muted place.
const SAME_PLACE: f32 = 0.3;

impl MuteRow {
    /// Whether it keeps an incident out of the queue.
    pub fn covers(&self, incident: &IncidentRow) -> bool {
        self.camera == incident.camera
            && self.site == incident.site
            && self.preset == incident.preset
            && self.kind == incident.kind
            && (self.at..self.until).contains(&incident.started_at)
            && self.bbox.iou(incident.bbox) >= SAME_PLACE
    }
}

/// What is known of a site beside what its nodes say.
#[derive(Debug, Clone, PartialEq)]
pub struct SiteRow {
    /// The site.
    pub site: SiteId,
    /// Its name in Chinese.
    pub name_zh: String,
    /// Its name in English.
    pub name_en: String,
    /// How many households live there.
    pub households: Option<u32>,
    /// Its plan as GeoJSON.
    pub plan: Option<Value>,
}

/// How many incidents of a site and kind began on a day and became what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DayCount {
    /// The site.
    pub site: SiteId,
    /// The kind.
    pub kind: KindCode,
    /// Number of the day from the beginning of the time asked for, from 0.
    pub day: u32,
    /// What people made of them.
    pub status: Status,
    /// How pressing they were.
    pub severity: Severity,
    /// How many.
    pub count: u64,
}

/// How the cases of a site that were reported in a time stand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CaseTally {
    /// The site.
    pub site: SiteId,
    /// All of them, but those that became a part of another one.
    pub cases: u64,
    /// Those that were open at the end of the time.
    pub open: u64,
    /// Those for which a deadline has passed at some time.
    pub late: u64,
    /// Those that were closed, and never late.
    pub on_time: u64,
}
