//! Reports and timelines as files: JSON, GeoJSON (RFC 7946), CSV and KML 2.2, and pictures as JPEG.

use std::{
    fmt::Write as _,
    fs, io,
    path::{Path, PathBuf},
};

use image::{ExtendedColorType, ImageEncoder as _, codecs::jpeg::JpegEncoder};
use parapet_core::{
    Language, Picture,
    geo::{GeoPoint, GroundPoint, LocalFrame},
};
use serde_json::{Value, json};

use crate::{
    compare::Survey,
    objects::{GroundObject, ObjectReport},
    report::{Finding, REPORT_VERSION, SurveyReport},
    timeline::{History, Timeline},
};

/// Why a report cannot be written or read.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// A file cannot be written or read.
    #[error("cannot {what} \"{}\"", path.display())]
    File {
        /// What was tried.
        what: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A picture cannot be encoded.
    #[error("cannot encode picture \"{}\"", path.display())]
    Picture {
        /// The file.
        path: PathBuf,
        /// What the encoder said.
        source: image::ImageError,
    },
    /// Not a report.
    #[error("\"{}\" is no survey report; hint: name the report.json that `survey compare` wrote", path.display())]
    NotAReport {
        /// The file.
        path: PathBuf,
        /// What the parser said.
        source: serde_json::Error,
    },
    /// A report of another version.
    #[error("\"{}\" is a report of version {found}, this program reads version {REPORT_VERSION}", path.display())]
    Version {
        /// The file.
        path: PathBuf,
        /// Its version.
        found: u32,
    },
}

/// Writes a survey into a folder, which is made: `report.json`, `findings.geojson`, `findings.csv`, `findings.kml`, and
/// the pictures that the report names.
///
/// # Errors
/// When a file cannot be written.
pub fn write(survey: &Survey, folder: &Path) -> Result<(), WriteError> {
    let report = &survey.report;
    for (name, picture) in &survey.pictures {
        save(
            &folder.join(name),
            &jpeg(picture).map_err(|source| WriteError::Picture { path: name.into(), source })?,
        )?;
    }
    let rows: Vec<Row> = report.findings.iter().map(Row::of_finding).collect();
    write_rows(folder, "findings", &rows)?;
    // Last, so that a folder with a report is complete.
    save_json(&folder.join("report.json"), report)
}

/// Writes a timeline into a folder, which is made: `timeline.json`, `.geojson`, `.csv` (a row for each sighting) and
/// `.kml`.
///
/// # Errors
/// When a file cannot be written.
pub fn write_timeline(timeline: &Timeline, folder: &Path) -> Result<(), WriteError> {
    let rows: Vec<Row> = timeline.histories.iter().map(Row::of_history).collect();
    write_rows(folder, "timeline", &rows)?;
    let sightings: Vec<Row> = timeline.histories.iter().flat_map(Row::of_sightings).collect();
    save(&folder.join("timeline.csv"), csv(&sightings).as_bytes())?;
    save_json(&folder.join("timeline.json"), timeline)
}

/// Writes what a flight showed on the ground into a folder, which is made: `objects.json`, `.geojson`, `.csv` and `.kml`.
///
/// # Errors
/// When a file cannot be written.
pub fn write_objects(report: &ObjectReport, folder: &Path) -> Result<(), WriteError> {
    let rows: Vec<Row> = report.objects.iter().map(Row::of_object).collect();
    write_rows(folder, "objects", &rows)?;
    save_json(&folder.join("objects.json"), report)
}

/// Reads a report.
///
/// # Errors
/// When it is no report of this version.
pub fn read_report(path: &Path) -> Result<SurveyReport, WriteError> {
    let text = fs::read_to_string(path).map_err(|source| WriteError::File {
        what: "read",
        path: path.to_owned(),
        source,
    })?;
    let not_a_report = |source| WriteError::NotAReport { path: path.to_owned(), source };
    let value: Value = serde_json::from_str(&text).map_err(not_a_report)?;
    if let Some(found) =
        value.get("version").and_then(Value::as_u64).filter(|v| *v != u64::from(REPORT_VERSION))
    {
        return Err(WriteError::Version { path: path.to_owned(), found: found as u32 });
    }
    serde_json::from_value(value).map_err(not_a_report)
}

/// A place with what is told of it: one feature on a map, one line of a list.
struct Row {
    name: String,
    polygon: Vec<GeoPoint>,
    fields: Vec<(&'static str, Value)>,
}

impl Row {
    fn of_finding(finding: &Finding) -> Self {
        let at = finding.position.point;
        Self {
            name: format!(
                "{} {} {:.0} m²",
                finding.building,
                finding.change.text(Language::ZhCn),
                finding.area_m2
            ),
            polygon: finding.polygon.clone(),
            fields: vec![
                ("id", json!(finding.id)),
                ("building", json!(finding.building)),
                ("change", json!(finding.change)),
                ("latitude", degrees(at.latitude)),
                ("longitude", degrees(at.longitude)),
                ("uncertainty_meters", rounded(finding.position.uncertainty_meters)),
                ("area_m2", rounded(finding.area_m2)),
                ("area_error_m2", rounded(finding.area_error_m2)),
                ("confidence", rounded(finding.confidence)),
                ("looks_seen", json!(finding.looks_seen)),
                ("looks_asked", json!(finding.looks_asked)),
            ],
        }
    }

    fn of_object(object: &GroundObject) -> Self {
        let at = object.position.point;
        let frame = LocalFrame::at(at);
        let half = f64::from(object.length_meters) / 2.0;
        let corner =
            |east: f64, north: f64| frame.geo(GroundPoint { east: east * half, north: north * half });
        Self {
            name: object.label.to_string(),
            polygon: [(-1.0, -1.0), (1.0, -1.0), (1.0, 1.0), (-1.0, 1.0)].map(|(e, n)| corner(e, n)).to_vec(),
            fields: vec![
                ("label", json!(object.label)),
                ("latitude", degrees(at.latitude)),
                ("longitude", degrees(at.longitude)),
                ("uncertainty_meters", rounded(object.position.uncertainty_meters)),
                ("length_meters", rounded(object.length_meters)),
                ("score", rounded(object.score)),
                ("sightings", json!(object.sightings)),
                ("first_seen_at", json!(object.first_seen_at)),
                ("last_seen_at", json!(object.last_seen_at)),
                ("zone", json!(object.zone)),
                ("building", json!(object.building)),
            ],
        }
    }

    fn of_history(history: &History) -> Self {
        let last = history.sightings.last();
        let area = last.map_or(0.0, |s| s.area_m2);
        let mut fields = history_fields(history);
        fields.extend([
            ("milestone", json!(history.milestone)),
            ("first_sign_at", json!(history.sightings.first().and_then(|s| s.at))),
            ("unchanged_since", json!(history.unchanged_since)),
            ("area_m2", rounded(area)),
        ]);
        let areas: Vec<Value> =
            history.sightings.iter().map(|s| json!({ "at": s.at, "area_m2": rounded(s.area_m2) })).collect();
        fields.push(("areas", Value::Array(areas)));
        Self {
            name: format!("{} {} {area:.0} m²", history.building, history.milestone.text(Language::ZhCn)),
            polygon: history.polygon.clone(),
            fields,
        }
    }

    fn of_sightings(history: &History) -> Vec<Self> {
        let row = |sighting: &crate::timeline::Sighting| {
            let mut fields = history_fields(history);
            fields.extend([
                ("survey", json!(sighting.survey)),
                ("at", json!(sighting.at)),
                ("milestone", json!(sighting.milestone)),
                ("area_m2", rounded(sighting.area_m2)),
                ("area_error_m2", rounded(sighting.area_error_m2)),
                ("confidence", rounded(sighting.confidence)),
                ("unchanged_since", json!(history.unchanged_since)),
            ]);
            Self { name: String::new(), polygon: Vec::new(), fields }
        };
        history.sightings.iter().map(row).collect()
    }
}

fn history_fields(history: &History) -> Vec<(&'static str, Value)> {
    let at = history.position.point;
    vec![
        ("id", json!(history.id)),
        ("building", json!(history.building)),
        ("latitude", degrees(at.latitude)),
        ("longitude", degrees(at.longitude)),
        ("uncertainty_meters", rounded(history.position.uncertainty_meters)),
    ]
}

/// Hundredths: no list needs more, and an `f32` written as `f64` has a tail.
fn rounded(value: f32) -> Value {
    json!((f64::from(value) * 100.0).round() / 100.0)
}

/// A centimetre.
fn degrees(value: f64) -> Value {
    json!((value * 1e7).round() / 1e7)
}

fn write_rows(folder: &Path, name: &str, rows: &[Row]) -> Result<(), WriteError> {
    save_json(&folder.join(format!("{name}.geojson")), &geojson(rows))?;
    save(&folder.join(format!("{name}.csv")), csv(rows).as_bytes())?;
    save(&folder.join(format!("{name}.kml")), kml(name, rows).as_bytes())
}

fn geojson(rows: &[Row]) -> Value {
    let features: Vec<Value> = rows
        .iter()
        .map(|row| {
            let properties: serde_json::Map<String, Value> =
                row.fields.iter().map(|(k, v)| ((*k).to_owned(), v.clone())).collect();
            json!({
                "type": "Feature",
                "geometry": { "type": "Polygon", "coordinates": [ring(&row.polygon)] },
                "properties": properties,
            })
        })
        .collect();
    json!({ "type": "FeatureCollection", "features": features })
}

/// The polygon closed and counter-clockwise, longitude first (RFC 7946, 3.1.6).
fn ring(polygon: &[GeoPoint]) -> Vec<[Value; 2]> {
    let n = polygon.len();
    let twice: f64 = (0..n)
        .map(|i| (polygon[i], polygon[(i + 1) % n]))
        .map(|(a, b)| a.longitude * b.latitude - b.longitude * a.latitude)
        .sum();
    let mut ring: Vec<_> = polygon.iter().map(|p| [degrees(p.longitude), degrees(p.latitude)]).collect();
    if twice < 0.0 {
        ring.reverse();
    }
    ring.extend(ring.first().cloned());
    ring
}

fn text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn csv(rows: &[Row]) -> String {
    let mut writer = csv::Writer::from_writer(Vec::new());
    // Writing into memory cannot fail, and every row has the same columns.
    if let Some(row) = rows.first() {
        let _ = writer.write_record(columns(row).map(|(k, _)| *k));
    }
    for row in rows {
        let _ = writer.write_record(columns(row).map(|(_, v)| text(v)));
    }
    writer.into_inner().ok().and_then(|bytes| String::from_utf8(bytes).ok()).unwrap_or_default()
}

/// What fits into a list: no lists within it.
fn columns(row: &Row) -> impl Iterator<Item = &(&'static str, Value)> {
    row.fields.iter().filter(|(_, v)| !v.is_array())
}

fn kml(name: &str, rows: &[Row]) -> String {
    let mut out = String::from(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<kml xmlns=\"http://www.opengis.net/kml/2.2\">\n<Document>\n",
    );
    let _ = writeln!(out, "<name>{}</name>", escaped(name));
    for row in rows {
        let _ = writeln!(out, "<Placemark>\n<name>{}</name>\n<ExtendedData>", escaped(&row.name));
        for (key, value) in columns(row) {
            let value = escaped(&text(value));
            let _ = writeln!(out, "<Data name=\"{key}\"><value>{value}</value></Data>");
        }
        out.push_str("</ExtendedData>\n<Polygon><outerBoundaryIs><LinearRing><coordinates>");
        for [longitude, latitude] in ring(&row.polygon) {
            let _ = write!(out, "{longitude},{latitude} ");
        }
        out.push_str("</coordinates></LinearRing></outerBoundaryIs></Polygon>\n</Placemark>\n");
    }
    out.push_str("</Document>\n</kml>\n");
    out
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

fn jpeg(picture: &Picture) -> image::ImageResult<Vec<u8>> {
    const QUALITY: u8 = 88;
    let mut bytes = Vec::new();
    JpegEncoder::new_with_quality(&mut bytes, QUALITY).write_image(
        &picture.to_rgb(),
        picture.width() as u32,
        picture.height() as u32,
        ExtendedColorType::Rgb8,
    )?;
    Ok(bytes)
}

fn save_json(path: &Path, value: &impl serde::Serialize) -> Result<(), WriteError> {
    let bytes = serde_json::to_vec_pretty(value).map_err(|e| WriteError::File {
        what: "write",
        path: path.to_owned(),
        source: e.into(),
    })?;
    save(path, &bytes)
}

fn save(path: &Path, bytes: &[u8]) -> Result<(), WriteError> {
    let file = |source| WriteError::File { what: "write", path: path.to_owned(), source };
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(file)?;
    }
    fs::write(path, bytes).map_err(file)
}
