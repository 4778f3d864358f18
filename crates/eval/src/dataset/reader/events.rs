//! Lists of incidents, our own form: a header and a line for each. Columns in any order: `sequence`, `kind`,
//! `start_seconds`, and if known `end_seconds` (empty: still there at the end), `limit_seconds`, `zone`, the edges `x_min`,
//! `y_min`, `x_max`, `y_max` in pixels, and `note`. Tabs or commas between them; times are those of the video.

use std::collections::BTreeMap;

use csv::StringRecord;
use parapet_core::{IncidentKind, ZoneId};

use super::{
    LabelFile,
    boxes_csv::{csv_fault, line_of},
    number,
};
use crate::dataset::{
    manifest::IncidentConfig,
    problem::{Fault, Problems},
};

/// The columns that a list can have.
pub const COLUMNS: [&str; 11] = [
    "sequence",
    "kind",
    "start_seconds",
    "end_seconds",
    "limit_seconds",
    "zone",
    "x_min",
    "y_min",
    "x_max",
    "y_max",
    "note",
];

/// What a list holds.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Events {
    /// Incidents by sequence, each with its line.
    pub of: BTreeMap<String, Vec<(Option<usize>, IncidentConfig)>>,
    /// Sequences with a mistake in one of their lines: their incidents cannot be scored.
    pub bad: Vec<String>,
    /// Lines of which not even the sequence can be told: with one of these, no sequence can be trusted.
    pub lost_lines: usize,
}

/// Reads a list.
pub fn read(text: &str, file: &LabelFile<'_>, problems: &mut Problems) -> Events {
    let mut events = Events::default();
    let tabs = text.lines().next().is_some_and(|header| header.contains('\t'));
    let mut reader = csv::ReaderBuilder::new()
        .flexible(true)
        .delimiter(if tabs { b'\t' } else { b',' })
        // Notes in lists with tabs hold quotes as they please.
        .quoting(!tabs)
        .from_reader(text.as_bytes());
    let header = match reader.headers().map_err(|e| csv_fault(&e)).and_then(check_header) {
        Ok(header) => header,
        Err(fault) => {
            problems.add(file.path, 1, fault);
            events.lost_lines += 1;
            return events;
        }
    };
    for row in reader.records() {
        let row = match row {
            Ok(row) => row,
            Err(error) => {
                problems.add(file.path, error.position().map(line_of), csv_fault(&error));
                events.lost_lines += 1;
                continue;
            }
        };
        let line = row.position().map(line_of);
        let row = Fields { header: &header, row: &row };
        let sequence = row.text("sequence");
        if sequence.is_empty() {
            problems.add(file.path, line, Fault::new("a line without a sequence", "name the sequence"));
            events.lost_lines += 1;
            continue;
        }
        match row.incident() {
            Ok(incident) => events.of.entry(sequence.to_owned()).or_default().push((line, incident)),
            Err(fault) => {
                problems.add(file.path, line, fault);
                events.bad.push(sequence.to_owned());
            }
        }
    }
    events
}

fn check_header(header: &StringRecord) -> Result<Vec<String>, Fault> {
    let header: Vec<String> = header.iter().map(|name| name.trim().to_owned()).collect();
    if let Some(name) = header.iter().find(|name| !COLUMNS.contains(&name.as_str())) {
        return Err(Fault::new(
            format!("there is no column \"{name}\""),
            format!("the columns are {}", COLUMNS.join(", ")),
        ));
    }
    if let Some(name) = header.iter().enumerate().find(|(i, name)| header[..*i].contains(name)) {
        return Err(Fault::new(format!("the column \"{}\" is there twice", name.1), "take one out"));
    }
    for name in &COLUMNS[..3] {
        if !header.iter().any(|column| column == name) {
            return Err(Fault::new(format!("the column \"{name}\" is missing"), "add it"));
        }
    }
    Ok(header)
}

struct Fields<'a> {
    header: &'a [String],
    row: &'a StringRecord,
}

impl Fields<'_> {
    fn text(&self, name: &str) -> &str {
        let column = self.header.iter().position(|column| column == name);
        column.and_then(|column| self.row.get(column)).unwrap_or_default().trim()
    }

    fn optional(&self, name: &str) -> Result<Option<f64>, Fault> {
        match self.text(name) {
            "" => Ok(None),
            text => number(text, name).map(Some),
        }
    }

    fn incident(&self) -> Result<IncidentConfig, Fault> {
        if self.row.len() != self.header.len() {
            return Err(Fault::new(
                format!("{} fields where {} belong", self.row.len(), self.header.len()),
                "give each column of the header a field, empty if unknown",
            ));
        }
        let kind = self.text("kind");
        let kind = IncidentKind::ALL.into_iter().find(|k| k.as_str() == kind).ok_or_else(|| {
            let kinds: Vec<&str> = IncidentKind::ALL.iter().map(|k| k.as_str()).collect();
            Fault::new(format!("there is no kind \"{kind}\""), format!("the kinds are {}", kinds.join(", ")))
        })?;
        let zone = match self.text("zone") {
            "" => None,
            zone => Some(zone.parse::<ZoneId>().map_err(|_| {
                Fault::new(format!("\"{zone}\" is no name of a zone"), "use a-z, 0-9, \"-\" and \"_\"")
            })?),
        };
        let edges = ["x_min", "y_min", "x_max", "y_max"].map(|name| self.optional(name));
        let [x0, y0, x1, y1] = edges;
        let rect = match (x0?, y0?, x1?, y1?) {
            (Some(x0), Some(y0), Some(x1), Some(y1)) => Some([x0, y0, x1, y1]),
            (None, None, None, None) => None,
            _ => return Err(Fault::new("a box with fewer than four edges", "give all four or none")),
        };
        let incident = IncidentConfig {
            kind,
            since_seconds: number(self.text("start_seconds"), "start_seconds")?,
            until_seconds: self.optional("end_seconds")?,
            limit_seconds: self.optional("limit_seconds")?,
            zone,
            rect,
        };
        incident.check()?;
        Ok(incident)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::reader::fixture::with_file;

    #[test]
    fn tabs_and_commas_are_read_and_columns_stand_in_any_order() {
        let tabs = "sequence\tkind\tstart_seconds\tend_seconds\tzone\tx_min\ty_min\tx_max\ty_max\tnote\n\
                    gate\tstray_dog\t3.5\t\tlane\t1\t2\t3\t4\ta \"big\" one, brown\n";
        let (events, told) = with_file("e.tsv", None, |file, problems| read(tabs, file, problems));
        assert!(told.is_empty(), "{told:?}");
        let (line, incident) = &events.of["gate"][0];
        assert_eq!(*line, Some(2));
        assert_eq!((incident.kind, incident.since_seconds), (IncidentKind::StrayDog, 3.5));
        assert_eq!((incident.until_seconds, incident.rect), (None, Some([1.0, 2.0, 3.0, 4.0])));
        assert_eq!(incident.zone.as_ref().map(ZoneId::as_str), Some("lane"));
        let commas = "kind,start_seconds,note,sequence,limit_seconds\nstray_dog,1,\"a, b\",gate,5\n";
        let (events, told) = with_file("e.csv", None, |file, problems| read(commas, file, problems));
        assert!(told.is_empty(), "{told:?}");
        assert_eq!(events.of["gate"][0].1.limit_seconds, Some(5.0));
    }

    #[test]
    fn each_mistake_is_told_with_its_line() {
        let text = "sequence,kind,start_seconds,end_seconds,x_min,y_min,x_max,y_max\n\
                    gate,stray_cat,1,2,,,,\ngate,stray_dog,5,2,,,,\nlane,stray_dog,1,2,1,2,,\n\
                    ,stray_dog,1,2,,,,\nlane,stray_dog,inf,2,,,,\nlane,stray_dog,1\n";
        let (events, told) = with_file("e.csv", None, |file, problems| read(text, file, problems));
        assert_eq!((events.of.len(), events.lost_lines), (0, 1));
        assert_eq!(events.bad, ["gate", "gate", "lane", "lane", "lane"]);
        assert_eq!(
            told,
            [
                "e.csv:2: there is no kind \"stray_cat\"; hint: the kinds are rooftop_structure, occupied_roadway, \
                 stray_dog, misparked_ebike",
                "e.csv:3: it ends at 2 before it begins at 5; hint: exchange the times",
                "e.csv:4: a box with fewer than four edges; hint: give all four or none",
                "e.csv:5: a line without a sequence; hint: name the sequence",
                "e.csv:6: start_seconds \"inf\" is not a number; hint: give a finite number",
                "e.csv:7: 3 fields where 8 belong; hint: give each column of the header a field, empty if unknown",
            ]
        );
        let (_, told) =
            with_file("e.csv", None, |file, problems| read("sequence,kind,begin\n", file, problems));
        assert!(
            told[0].starts_with("e.csv:1: there is no column \"begin\"; hint: the columns are "),
            "{told:?}"
        );
    }
}
