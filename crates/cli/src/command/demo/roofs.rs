//! The demo's drone surveys: three rendered flights over one compound, each compared with the one before.

use std::path::Path;

use anyhow::Context;
use jiff::tz::TimeZone;
use parapet_core::{IncidentKind, StructureState, geo::PoseError};
use parapet_ingest::flight::{FlightOptions, SiteArea};
use parapet_store::Store;
use parapet_survey::{CompareOptions, Recorded, write};

use crate::command::survey::{compare_with, read_site};

/// The compound, below the repository's root.
const COMPOUND: &str = "fixtures/compound/small/willow-court";
/// Its flights, the oldest first.
const FLIGHTS: [&str; 3] = ["2026-03-14", "2026-06-18", "2026-09-20"];
/// The name under which its incidents are raised, as in the demo's pipeline file.
pub(super) const CAMERA: &str = "drone";

/// Compares each flight with the one before and puts the reports into `out`, where the node looks for them.
pub(super) fn compare_all(home: &Path, out: &Path) -> anyhow::Result<()> {
    let compound = home.join(COMPOUND);
    let site = read_site(&compound.join("site.geojson"))?;
    let time_zone = TimeZone::get("Asia/Shanghai").context("the time zones are built in")?;
    let how = FlightOptions { site: Some(SiteArea::of(&site)), time_zone, ..FlightOptions::default() };
    let open = |name: &str| Recorded::open(&compound.join(name), &how, PoseError::CONSUMER_DRONE);
    for pair in FLIGHTS.windows(2) {
        let (mut before, mut after) = (open(pair[0])?, open(pair[1])?);
        let survey = compare_with(home, None, &mut before, &mut after, &site, &CompareOptions::default())?;
        // Under another name until it is whole: the node tells a report as soon as it sees it.
        let (part, whole) = (out.join(format!(".{}", pair[1])), out.join(pair[1]));
        write(&survey, &part)?;
        std::fs::rename(&part, &whole).with_context(|| format!("cannot move {}", part.display()))?;
        tracing::info!(
            before = pair[0],
            after = pair[1],
            findings = survey.report.findings.len(),
            "flights compared"
        );
    }
    Ok(())
}

/// What the center lacks of what the flights show, for the completeness of the demo: one new structure,
/// one that stood already, and one that is gone.
pub(super) async fn missing(store: &Store) -> anyhow::Result<Vec<String>> {
    let roofs = store.roofs(None, &parapet_core::Scope::All).await?;
    let states: Vec<StructureState> =
        roofs.iter().flat_map(|roof| roof.history.structures.iter().map(|s| s.state)).collect();
    let kind = IncidentKind::RooftopStructure.as_str();
    let wanted = [
        (StructureState::FirstSign, "one that is new"),
        (StructureState::Built, "one that stands unchanged"),
        (StructureState::Removed, "one that is gone"),
    ];
    let lacking = wanted.iter().filter(|(state, _)| !states.contains(state));
    Ok(lacking.map(|(_, what)| format!("{kind}: the surveys have not told of {what}")).collect())
}
