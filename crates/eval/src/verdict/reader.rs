//! Reads labelled event sets, as `parapet verdicts export` and the center's `/api/verdicts` write them (the form is in
//! [`parapet_core::verdict`]). Columns may stand in any order, and further ones are passed over. A line with a mistake is
//! told with its place and left out; the others count.

use std::{borrow::Cow, path::Path, str::FromStr};

use parapet_core::{
    BBox, JudgedIncident, Severity, Verdict,
    verdict::{COLUMNS, NAME_COLUMNS, unescaped},
};

use crate::dataset::{Fault, Problems};

/// Reads a set; the judged incidents in the order of the file, and how many lines there are below the header.
pub fn read(text: &str, path: &Path, problems: &mut Problems) -> (Vec<JudgedIncident>, usize) {
    let mut lines = text.lines().enumerate().filter(|(_, line)| !line.is_empty());
    let header = match lines.next().map(|(_, line)| line).map_or_else(|| Err(empty()), check_header) {
        Ok(header) => header,
        Err(fault) => {
            problems.add(path, 1, fault);
            return (Vec::new(), 0);
        }
    };
    let (mut judged, mut count) = (Vec::new(), 0);
    for (index, line) in lines {
        count += 1;
        match (Fields { header: &header, fields: line.split('\t').collect() }).incident() {
            Ok(incident) => judged.push(incident),
            Err(fault) => problems.add(path, index + 1, fault),
        }
    }
    (judged, count)
}

fn empty() -> Fault {
    Fault::new("the file is empty", "export it again: a set without verdicts has its header all the same")
}

fn check_header(line: &str) -> Result<Vec<&str>, Fault> {
    let header: Vec<&str> = line.split('\t').map(str::trim).collect();
    for name in COLUMNS {
        match header.iter().filter(|column| **column == name).count() {
            0 => {
                return Err(Fault::new(
                    format!("the column \"{name}\" is missing"),
                    "a labelled event set is made by `parapet verdicts export`, with tabs between its fields",
                ));
            }
            1 => {}
            _ => return Err(Fault::new(format!("the column \"{name}\" is there twice"), "take one out")),
        }
    }
    Ok(header)
}

struct Fields<'a> {
    header: &'a [&'a str],
    fields: Vec<&'a str>,
}

impl<'a> Fields<'a> {
    fn text(&self, name: &str) -> Result<Cow<'a, str>, Fault> {
        let column = self.header.iter().position(|column| *column == name);
        let field = column.and_then(|column| self.fields.get(column)).copied().unwrap_or_default();
        unescaped(field).ok_or_else(|| {
            Fault::new(format!("{name} has a backslash that means nothing"), "write a backslash as two")
        })
    }

    /// A value, or `None` for an empty field.
    fn optional<T: FromStr>(&self, name: &str, form: &str) -> Result<Option<T>, Fault> {
        let text = self.text(name)?;
        if text.is_empty() {
            return Ok(None);
        }
        text.parse().map(Some).map_err(|_| {
            let start: String = text.chars().take(80).collect();
            Fault::new(format!("{name} \"{start}\" cannot be read"), format!("it is {form}"))
        })
    }

    fn value<T: FromStr>(&self, name: &str, form: &str) -> Result<T, Fault> {
        self.optional(name, form)?
            .ok_or_else(|| Fault::new(format!("{name} is empty"), format!("it is {form}")))
    }

    fn number(&self, name: &str) -> Result<f32, Fault> {
        let text = self.text(name)?;
        text.parse()
            .ok()
            .filter(|value: &f32| value.is_finite())
            .ok_or_else(|| Fault::new(format!("{name} \"{text}\" is not a number"), "give a finite number"))
    }

    fn words(&self, name: &str) -> Result<Option<String>, Fault> {
        Ok(Some(self.text(name)?.into_owned()).filter(|text| !text.is_empty()))
    }

    fn incident(&self) -> Result<JudgedIncident, Fault> {
        const NAME: &str = "a name of a-z, 0-9, \"-\" and \"_\"";
        const TIME: &str = "a time such as 2026-11-22T08:00:00+08:00";
        if self.fields.len() != self.header.len() {
            return Err(Fault::new(
                format!("{} fields where {} belong", self.fields.len(), self.header.len()),
                "give each column of the header a field, empty if unknown",
            ));
        }
        let score = self.number("score")?;
        if !(0.0..=1.0).contains(&score) {
            return Err(Fault::new(
                format!("score {score} is not in 0 to 1"),
                "give it as a share, not per cent",
            ));
        }
        let [x0, y0, x1, y1] = ["x_min", "y_min", "x_max", "y_max"].map(|name| self.number(name));
        let bbox = BBox::new(x0?, y0?, x1?, y1?)
            .ok_or_else(|| Fault::new("the edges make no box", "x_min ≤ x_max and y_min ≤ y_max"))?;
        let [by, note] = NAME_COLUMNS;
        Ok(JudgedIncident {
            incident: self.value("incident", "a UUID")?,
            site: self.value("site", NAME)?,
            node: self.value("node", NAME)?,
            camera: self.value("camera", NAME)?,
            preset: self.optional("preset", NAME)?,
            rule: self.value("rule", NAME)?,
            kind: self.value("kind", "a code of a-z, 0-9 and \"_\"")?,
            zone: self.optional("zone", NAME)?,
            label: self.words("label")?,
            severity: severity(&self.text("severity")?)?,
            score,
            since: self.value("since", TIME)?,
            started_at: self.value("started_at", TIME)?,
            ended_at: self.optional("ended_at", TIME)?,
            bbox,
            verdict: verdict(&self.text("verdict")?)?,
            reason: self.words("reason")?,
            judged_at: self.value("judged_at", TIME)?,
            judged_by: self.words(by)?,
            note: self.words(note)?,
        })
    }
}

fn severity(text: &str) -> Result<Severity, Fault> {
    match text {
        "low" => Ok(Severity::Low),
        "medium" => Ok(Severity::Medium),
        "high" => Ok(Severity::High),
        other => Err(Fault::new(format!("there is no severity \"{other}\""), "it is low, medium or high")),
    }
}

fn verdict(text: &str) -> Result<Verdict, Fault> {
    [Verdict::Confirmed, Verdict::Dismissed]
        .into_iter()
        .find(|verdict| verdict.as_str() == text)
        .ok_or_else(|| Fault::new(format!("there is no verdict \"{text}\""), "it is confirmed or dismissed"))
}

#[cfg(test)]
mod tests {
    use parapet_core::verdict::header;
    use proptest::prelude::*;

    use super::*;
    use crate::verdict::fixture::judged;

    fn read_all(text: &str) -> (Vec<JudgedIncident>, usize, Vec<String>) {
        let mut problems = Problems::default();
        let (judged, lines) = read(text, Path::new("v.tsv"), &mut problems);
        (judged, lines, problems.finish().iter().map(ToString::to_string).collect())
    }

    #[test]
    fn what_was_written_is_read_back() {
        let mut first = judged("a", Verdict::Dismissed, 0.3);
        first.judged_by = Some("li-wei".to_owned());
        first.note = Some("a\ttab, \"quotes\" and \\\r\n lines 导盲犬".to_owned());
        first.ended_at = Some(first.started_at);
        first.label = Some("dog".to_owned());
        let mut second = judged("b", Verdict::Confirmed, 0.123_456_79);
        second.preset = Some("east".parse().unwrap());
        let text = header(true) + &first.line(true) + &second.line(true);
        assert_eq!(read_all(&text), (vec![first.clone(), second], 2, Vec::new()));
        // As a spreadsheet on another system would save it.
        let text = format!("\u{feff}{}", text.replace('\n', "\r\n"));
        let text = crate::dataset::reader::text_of(text.as_bytes());
        assert_eq!(read_all(&text).0[0], first);
        (first.judged_by, first.note) = (None, None);
        assert_eq!(read_all(&(header(false) + &first.line(false))).0, [first]);
    }

    #[test]
    fn each_mistake_is_told_with_its_line_and_the_others_count() {
        let line = judged("a", Verdict::Dismissed, 0.35).line(false);
        let with = |from: &str, to: &str| {
            assert!(line.contains(from), "{line}");
            line.replacen(from, to, 1)
        };
        let text = header(false)
            + &with("\tdismissed\t", "\tmaybe\t")
            + &line
            + "\n"
            + &with("\t0.35\t", "\t35\t")
            + &with("\tgate\t", "\tNorth gate\t")
            + &with("\tgate\t", "\t\t")
            + &with("\tgate\t", "\ta\\b\t")
            + "one\ttwo\n"
            + &with("2026-11-22T08:00:00Z", "yesterday")
            + &with("\t0.1\t0.2\t", "\t0.9\t0.2\t")
            + &with("\tmedium\t", "\turgent\t")
            + &with("\t0.35\t", "\tNaN\t");
        let (read, lines, told) = read_all(&text);
        assert_eq!((read.len(), lines), (1, 11));
        let expected = [
            "v.tsv:2: there is no verdict \"maybe\"; hint: it is confirmed or dismissed",
            "v.tsv:5: score 35 is not in 0 to 1; hint: give it as a share, not per cent",
            "v.tsv:6: camera \"North gate\" cannot be read; hint: it is a name of a-z, 0-9, \"-\" and \"_\"",
            "v.tsv:7: camera is empty; hint: it is a name of a-z, 0-9, \"-\" and \"_\"",
            "v.tsv:8: camera has a backslash that means nothing; hint: write a backslash as two",
            "v.tsv:9: 2 fields where 21 belong; hint: give each column of the header a field, empty if unknown",
            "v.tsv:10: since \"yesterday\" cannot be read; hint: it is a time such as 2026-11-22T08:00:00+08:00",
            "v.tsv:11: the edges make no box; hint: x_min ≤ x_max and y_min ≤ y_max",
            "v.tsv:12: there is no severity \"urgent\"; hint: it is low, medium or high",
            "v.tsv:13: score \"NaN\" is not a number; hint: give a finite number",
        ];
        assert_eq!(told, expected);
    }

    #[test]
    fn a_file_that_is_no_labelled_set_is_refused_as_a_whole() {
        for (text, what) in [
            ("", "v.tsv:1: the file is empty"),
            ("incident,site\n1,2\n", "v.tsv:1: the column \"incident\" is missing"),
            (
                &header(false).replace("\tzone\t", "\tcamera\t"),
                "v.tsv:1: the column \"camera\" is there twice",
            ),
        ] {
            let (read, _, told) = read_all(text);
            assert!(read.is_empty() && told.len() == 1 && told[0].starts_with(what), "{told:?}");
        }
        assert_eq!(read_all(&header(false)), (Vec::new(), 0, Vec::new()), "nobody has judged yet");
    }

    proptest! {
        /// Whatever the bytes are, each line is either counted or told.
        #[test]
        fn any_text_is_counted_or_told(body in "\\PC*", tail in any::<Vec<u8>>()) {
            let bytes = [header(true).as_bytes(), body.as_bytes(), &tail].concat();
            let mut problems = Problems::default();
            let text = crate::dataset::reader::text_of(&bytes);
            let (read, lines) = read(&text, Path::new("v.tsv"), &mut problems);
            prop_assert_eq!(read.len() + problems.count(), lines);
        }

        #[test]
        fn a_line_with_some_bytes_changed_is_read_or_told(
            changes in proptest::collection::vec((0_usize..4000, any::<u8>()), 1..6),
        ) {
            let mut incident = judged("a", Verdict::Dismissed, 0.35);
            incident.note = Some("words\\\t".to_owned());
            let head = header(true);
            let mut bytes = (head.clone() + &incident.line(true).repeat(3)).into_bytes();
            let body = bytes.len() - head.len();
            for (at, byte) in changes {
                bytes[head.len() + at % body] = byte;
            }
            let mut problems = Problems::default();
            let (read, lines) = read(&String::from_utf8_lossy(&bytes), Path::new("v.tsv"), &mut problems);
            prop_assert_eq!(read.len() + problems.count(), lines);
            prop_assert!(read.iter().all(|incident| (0.0..=1.0).contains(&incident.score)));
        }

        #[test]
        fn any_text_of_people_survives(
            note in any::<String>(), by in any::<String>(), label in any::<String>(), score in 0.0_f32..=1.0,
        ) {
            let mut incident = judged("a", Verdict::Dismissed, score);
            let some = |text: String| Some(text).filter(|text| !text.is_empty());
            (incident.note, incident.judged_by, incident.label) = (some(note), some(by), some(label));
            let (read, _, told) = read_all(&(header(true) + &incident.line(true)));
            prop_assert!(told.is_empty(), "{:?}", told);
            prop_assert_eq!(read, vec![incident]);
        }
    }
}
