//! What else there was at an incident's place.

use parapet_core::case::{Case, CaseStep};
use sqlx::QueryBuilder;

use super::{Database, Db, case_reading::case_by_id, reading::incident_row};
use crate::{
    IncidentRow, StoreError,
    error::Attempt,
    sighting::{at_one_place, reach_degrees},
};

/// How many of the latest incidents of a camera, or of a strip of latitude, are looked at.
const LOOKED_AT: i64 = 500;

impl Database {
    /// Incidents of the same site at the same place, newest first, this one left out.
    pub(crate) async fn incidents_at_place_of(
        &self,
        incident: &IncidentRow,
        limit: usize,
    ) -> Result<Vec<IncidentRow>, StoreError> {
        let mut query = QueryBuilder::<Db>::new("SELECT * FROM incidents WHERE camera = ");
        query.push_bind(incident.camera.as_str());
        query.push(" AND site = ").push_bind(incident.site.as_str());
        query.push(" ORDER BY started_at DESC, incident_id DESC LIMIT ").push_bind(LOOKED_AT);
        let action = "look for what else there was at a place";
        let mut rows = query.build().fetch_all(&self.reader).await.attempt(action)?;
        if let Some(place) = &incident.place {
            let (latitude, reach) = (place.position.point.latitude, reach_degrees(incident));
            let mut query = QueryBuilder::<Db>::new("SELECT * FROM incidents WHERE site = ");
            query.push_bind(incident.site.as_str());
            query.push(" AND latitude BETWEEN ").push_bind(latitude - reach);
            query.push(" AND ").push_bind(latitude + reach);
            query.push(" AND camera <> ").push_bind(incident.camera.as_str());
            query.push(" ORDER BY started_at DESC, incident_id DESC LIMIT ").push_bind(LOOKED_AT);
            rows.extend(query.build().fetch_all(&self.reader).await.attempt(action)?);
        }
        let mut found = Vec::new();
        for row in &rows {
            let other = incident_row(row)?;
            if other.id != incident.id && at_one_place(incident, &other) {
                found.push(other);
            }
        }
        found.sort_by_key(|row| std::cmp::Reverse((row.started_at, row.id)));
        found.truncate(limit);
        Ok(found)
    }

    /// The case of this kind at this place that was worked on last, if there is one that was not rejected.
    pub(crate) async fn case_at_place_of(&self, incident: &IncidentRow) -> Result<Option<Case>, StoreError> {
        let others = self.incidents_at_place_of(incident, LOOKED_AT as usize).await?;
        let mut found: Option<Case> = None;
        for id in others.iter().filter(|other| other.kind == incident.kind).filter_map(|other| other.case) {
            if found.as_ref().is_some_and(|case| case.id == id) {
                continue;
            }
            let Some(case) = case_by_id(&self.reader, id).await? else { continue };
            if matches!(case.step, CaseStep::Rejected | CaseStep::Merged) {
                continue;
            }
            let rank = |case: &Case| (case.step.is_open(), case.updated_at);
            if found.as_ref().is_none_or(|known| rank(known) < rank(&case)) {
                found = Some(case);
            }
        }
        Ok(found)
    }
}
