//! COCO JSON (Lin et al., "Microsoft COCO: Common Objects in Context", arXiv 1405.0312): instances as truth, results as
//! findings. Outlines are not read. Each record is parsed by itself, so that a bad one costs its picture and not the file.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use parapet_core::Label;
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use super::{LabelFile, Labels, check_rect};
use crate::{
    dataset::{
        classes::Meaning,
        problem::{Fault, Problems},
    },
    truth::{FoundBox, Rect},
};

/// What an instances file holds.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Instances {
    /// Pictures by their number.
    pub images: BTreeMap<u64, CocoImage>,
    /// What categories mean, by their number.
    pub categories: Categories,
    /// Pictures with a mistake in their labels: they cannot be scored.
    pub bad_images: BTreeSet<u64>,
    /// Records of which not even the picture can be told: with one of these, no picture can be trusted.
    pub lost_records: usize,
}

/// A picture.
#[derive(Debug, Clone, PartialEq)]
pub struct CocoImage {
    /// Its file, relative to the picture directory.
    pub file_name: String,
    /// Its size, where the file tells.
    pub size: Option<(u32, u32)>,
    /// Its labels.
    pub labels: Labels,
}

/// What categories mean, by their number.
pub type Categories = BTreeMap<u64, Meaning>;

/// What was found, by the number of the picture.
pub type FoundImages = BTreeMap<u64, Vec<FoundBox>>;

#[derive(Deserialize)]
struct File<'a> {
    #[serde(borrow)]
    images: Vec<&'a RawValue>,
    #[serde(borrow)]
    annotations: Vec<&'a RawValue>,
    #[serde(borrow)]
    categories: Vec<&'a RawValue>,
}

#[derive(Deserialize)]
struct ImageRecord {
    id: u64,
    file_name: String,
    width: Option<u32>,
    height: Option<u32>,
}

#[derive(Deserialize)]
struct CategoryRecord {
    id: u64,
    name: String,
}

#[derive(Deserialize)]
struct AnnotationRecord {
    image_id: u64,
    category_id: u64,
    bbox: [f64; 4],
    area: Option<f64>,
    #[serde(default, deserialize_with = "mark")]
    iscrowd: bool,
    #[serde(default, deserialize_with = "mark")]
    ignore: bool,
}

/// The least that is needed to know which picture a bad record spoils.
#[derive(Deserialize)]
struct OfImage {
    image_id: u64,
}

#[derive(Deserialize)]
struct ResultRecord {
    image_id: u64,
    category_id: u64,
    bbox: [f64; 4],
    score: f64,
}

/// 0, 1, false, true.
fn mark<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    match serde_json::Value::deserialize(deserializer)? {
        serde_json::Value::Bool(mark) => Ok(mark),
        serde_json::Value::Number(n) if n.as_u64() == Some(0) => Ok(false),
        serde_json::Value::Number(n) if n.as_u64() == Some(1) => Ok(true),
        other => Err(serde::de::Error::custom(format!("{other} is neither 0 nor 1"))),
    }
}

/// Finds lines of records; counts newlines once, and only when something is wrong.
struct Lines<'a> {
    text: &'a str,
    starts: Option<Vec<usize>>,
}

impl Lines<'_> {
    /// Line of a record plus the lines into it.
    fn of(&mut self, record: &RawValue, into: usize) -> usize {
        let text = self.text;
        let starts = self.starts.get_or_insert_with(|| text.match_indices('\n').map(|(at, _)| at).collect());
        // Raw values borrow from the text that they were read from.
        let at = (record.get().as_ptr() as usize).saturating_sub(text.as_ptr() as usize);
        starts.partition_point(|newline| *newline < at) + 1 + into
    }
}

fn not_readable(error: &serde_json::Error) -> Fault {
    let message = error.to_string();
    let message = message.split(" at line ").next().unwrap_or_default();
    Fault::new(format!("not a COCO record: {message}"), "compare with the form on cocodataset.org")
}

/// Reads an instances file. The class map is asked for the category's number first, then for its name.
pub fn read(text: &str, file: &LabelFile<'_>, problems: &mut Problems) -> Instances {
    let mut instances = Instances::default();
    let records: File<'_> = match serde_json::from_str(text) {
        Ok(records) => records,
        Err(error) => {
            problems.add(
                file.path,
                Some(error.line()).filter(|line| *line > 0),
                whole_file(&error, "instances"),
            );
            instances.lost_records = 1;
            return instances;
        }
    };
    let mut lines = Lines { text, starts: None };
    for raw in records.categories {
        match serde_json::from_str::<CategoryRecord>(raw.get()) {
            Ok(CategoryRecord { id, name }) => match file.classes.named_or_numbered(&name, id) {
                Ok(meaning) => {
                    if instances.categories.insert(id, meaning).is_some() {
                        let fault = Fault::new(format!("category {id} is there twice"), "number them anew");
                        problems.add(file.path, lines.of(raw, 0), fault);
                        instances.lost_records += 1;
                    }
                }
                Err(fault) => {
                    problems.add(file.path, lines.of(raw, 0), fault);
                    instances.lost_records += 1;
                }
            },
            Err(error) => {
                problems.add(file.path, lines.of(raw, error.line().saturating_sub(1)), not_readable(&error));
                instances.lost_records += 1;
            }
        }
    }
    for raw in records.images {
        match serde_json::from_str::<ImageRecord>(raw.get()) {
            Ok(ImageRecord { id, file_name, width, height }) => {
                let size = width.zip(height).filter(|(w, h)| *w > 0 && *h > 0);
                let image = CocoImage { file_name, size, labels: Labels::default() };
                if instances.images.insert(id, image).is_some() {
                    let fault = Fault::new(format!("picture {id} is there twice"), "number them anew");
                    problems.add(file.path, lines.of(raw, 0), fault);
                    instances.bad_images.insert(id);
                }
            }
            Err(error) => {
                problems.add(file.path, lines.of(raw, error.line().saturating_sub(1)), not_readable(&error));
            }
        }
    }
    for raw in records.annotations {
        let record = match serde_json::from_str::<AnnotationRecord>(raw.get()) {
            Ok(record) => record,
            Err(error) => {
                problems.add(file.path, lines.of(raw, error.line().saturating_sub(1)), not_readable(&error));
                match serde_json::from_str::<OfImage>(raw.get()) {
                    Ok(of) => drop(instances.bad_images.insert(of.image_id)),
                    Err(_) => instances.lost_records += 1,
                }
                continue;
            }
        };
        let image_id = record.image_id;
        if let Err(fault) = add(&record, &mut instances) {
            problems.add(file.path, lines.of(raw, 0), fault);
            instances.bad_images.insert(image_id);
        }
    }
    instances
}

fn add(record: &AnnotationRecord, instances: &mut Instances) -> Result<(), Fault> {
    let image = instances.images.get_mut(&record.image_id).ok_or_else(|| no_image(record.image_id))?;
    let meaning =
        instances.categories.get(&record.category_id).ok_or_else(|| no_category(record.category_id))?;
    let rect = rect_of(record.bbox, image.size)?;
    let area = record.area.unwrap_or_else(|| rect.area());
    if !(area.is_finite() && area >= 0.0) {
        return Err(Fault::new(format!("the area is {area}"), "give square pixels, 0 or more"));
    }
    let before = image.labels.boxes.len();
    image.labels.add(meaning.clone(), rect, None, record.ignore);
    if let Some(last) = image.labels.boxes.get_mut(before) {
        last.area = area;
        last.crowd = record.iscrowd;
    }
    Ok(())
}

/// COCO itself has a few boxes without width or height: they stay, as in its own evaluation.
fn rect_of([x, y, width, height]: [f64; 4], size: Option<(u32, u32)>) -> Result<Rect, Fault> {
    let rect = Rect { x, y, width, height };
    let flat = width >= 0.0 && height >= 0.0 && (width == 0.0 || height == 0.0);
    if flat && [x, y, width, height].iter().all(|v| v.is_finite()) {
        return Ok(rect);
    }
    check_rect(rect, size)
}

fn no_image(id: u64) -> Fault {
    Fault::new(format!("picture {id} is not in \"images\""), "add the picture or take the record out")
}

fn no_category(id: u64) -> Fault {
    Fault::new(format!("category {id} is not in \"categories\""), "add the category or take the record out")
}

fn whole_file(error: &serde_json::Error, what: &str) -> Fault {
    let message = error.to_string();
    let message = message.split(" at line ").next().unwrap_or_default();
    Fault::new(
        format!("not COCO {what}: {message} (column {})", error.column()),
        "mend the JSON; NaN and Infinity are no JSON",
    )
}

/// Reads a results file, whose pictures and categories are those of an instances file. Findings of categories that the
/// class map ignores or does not use are left out.
pub fn read_found(
    text: &str,
    path: &Path,
    images: &BTreeSet<u64>,
    categories: &Categories,
    problems: &mut Problems,
) -> FoundImages {
    let mut found = FoundImages::new();
    let records: Vec<&RawValue> = match serde_json::from_str(text) {
        Ok(records) => records,
        Err(error) => {
            problems.add(path, Some(error.line()).filter(|line| *line > 0), whole_file(&error, "results"));
            return found;
        }
    };
    let mut lines = Lines { text, starts: None };
    for raw in records {
        let read = |raw: &RawValue| -> Result<(u64, Option<FoundBox>), (usize, Fault)> {
            let record: ResultRecord = serde_json::from_str(raw.get())
                .map_err(|error| (error.line().saturating_sub(1), not_readable(&error)))?;
            if !images.contains(&record.image_id) {
                return Err((0, no_image(record.image_id)));
            }
            let meaning = categories.get(&record.category_id);
            let meaning = meaning.ok_or_else(|| (0, no_category(record.category_id)))?;
            let rect = rect_of(record.bbox, None).map_err(|fault| (0, fault))?;
            let label: Option<Label> =
                if let Meaning::Class(label) = meaning { Some(label.clone()) } else { None };
            let score = record.score;
            Ok((record.image_id, label.map(|label| FoundBox { label, rect, score, track: None })))
        };
        match read(raw) {
            Ok((image, Some(finding))) => found.entry(image).or_default().push(finding),
            Ok((_, None)) => {}
            Err((into, fault)) => problems.add(path, lines.of(raw, into), fault),
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::reader::fixture::with_names;

    const GOOD: &str = r#"{"info": {"year": 2017}, "images": [
{"id": 1, "file_name": "a.jpg", "width": 100, "height": 50, "license": 3},
{"id": 2, "file_name": "b.jpg", "width": 100, "height": 50}],
"annotations": [
{"id": 10, "image_id": 1, "category_id": 18, "bbox": [1.5, 2, 10, 20], "area": 120.5, "iscrowd": 0, "segmentation": [[1, 2, 3, 4]]},
{"id": 11, "image_id": 1, "category_id": 1, "bbox": [0, 0, 100, 50], "area": 4000, "iscrowd": 1, "segmentation": {"counts": [1, 2], "size": [50, 100]}},
{"id": 12, "image_id": 2, "category_id": 1, "bbox": [0, 0, 5, 0], "ignore": 1}],
"categories": [{"id": 1, "name": "person", "supercategory": "person"}, {"id": 18, "name": "dog"}]}"#;

    #[test]
    fn instances_are_read_with_area_crowd_and_ignore() {
        let (instances, told) = with_names(None, |file, problems| read(GOOD, file, problems));
        assert!(told.is_empty(), "{told:?}");
        let boxes = &instances.images[&1].labels.boxes;
        assert_eq!(boxes[0].rect, Rect { x: 1.5, y: 2.0, width: 10.0, height: 20.0 });
        assert_eq!((boxes[0].label.as_str(), boxes[0].area, boxes[0].crowd), ("dog", 120.5, false));
        assert_eq!((boxes[1].crowd, boxes[1].ignored), (true, false));
        let flat = &instances.images[&2].labels.boxes[0];
        assert_eq!((flat.ignored, flat.area), (true, 0.0));
    }

    #[test]
    fn a_bad_record_costs_its_picture_and_no_other() {
        let bad = GOOD
            .replace("[1.5, 2, 10, 20]", "[1.5, 2, -10, 20]")
            .replace("\"image_id\": 2, \"category_id\": 1", "\"image_id\": 3, \"category_id\": 1");
        let (instances, told) = with_names(None, |file, problems| read(&bad, file, problems));
        assert_eq!(instances.bad_images.iter().copied().collect::<Vec<_>>(), [1, 3]);
        assert_eq!(instances.lost_records, 0);
        assert_eq!(
            told,
            [
                "a:5: the box has no area: -10 × 20; hint: width and height must be above 0",
                "a:7: picture 3 is not in \"images\"; hint: add the picture or take the record out",
            ]
        );
        let bad = GOOD
            .replace("\"bbox\": [0, 0, 5, 0], ", "")
            .replace("\"image_id\": 1, \"category_id\": 18", "\"x\": 1");
        let (instances, told) = with_names(None, |file, problems| read(&bad, file, problems));
        assert_eq!(instances.lost_records, 1);
        assert_eq!(instances.bad_images.iter().copied().collect::<Vec<_>>(), [2]);
        assert_eq!(
            told[0],
            "a:5: not a COCO record: missing field `image_id`; hint: compare with the form on cocodataset.org"
        );
    }

    #[test]
    fn nan_is_no_json_and_is_told_with_its_line() {
        let bad = GOOD.replace("[0, 0, 100, 50]", "[0, 0, NaN, 50]");
        let (instances, told) = with_names(None, |file, problems| read(&bad, file, problems));
        assert_eq!(instances.lost_records, 1);
        assert!(told[0].starts_with("a:6: not COCO instances: "), "{told:?}");
    }

    #[test]
    fn results_refer_to_the_instances() {
        let (instances, _) = with_names(None, |file, problems| read(GOOD, file, problems));
        let numbers = instances.images.keys().copied().collect();
        let text = r#"[{"image_id": 1, "category_id": 18, "bbox": [1, 2, 3, 4], "score": 0.5},
{"image_id": 9, "category_id": 18, "bbox": [1, 2, 3, 4], "score": 0.5},
{"image_id": 1, "category_id": 2, "bbox": [1, 2, 3, 4], "score": 0.5},
{"image_id": 1, "category_id": 1, "bbox": [1, 2, 3], "score": 0.5}]"#;
        let mut problems = Problems::default();
        let found = read_found(text, Path::new("r"), &numbers, &instances.categories, &mut problems);
        assert_eq!(found[&1].len(), 1);
        assert_eq!((found[&1][0].label.as_str(), found[&1][0].score), ("dog", 0.5));
        let lines: Vec<_> = problems.finish().iter().map(|p| p.line).collect();
        assert_eq!(lines, [Some(2), Some(3), Some(4)]);
    }

    #[test]
    fn a_thousand_pictures_with_36_annotations_each_are_read() {
        use std::fmt::Write as _;
        let mut text = String::from("{\"images\": [");
        for id in 0..1000 {
            let comma = if id == 0 { "" } else { ", " };
            write!(
                text,
                "{comma}{{\"id\": {id}, \"file_name\": \"{id}.jpg\", \"width\": 640, \"height\": 480}}"
            )
            .unwrap();
        }
        text.push_str("], \"annotations\": [");
        for id in 0..36_000 {
            let comma = if id == 0 { "" } else { ", " };
            let (image, x) = (id % 1000, f64::from(id % 600) + 0.37);
            let outline = "[[510.66, 423.01, 511.72, 420.03, 510.45, 416.0, 510.34, 413.02, 510.77, 410.26, 510.77, 407.5]]";
            write!(
                text,
                "{comma}{{\"segmentation\": {outline}, \"area\": 702.1057499999998, \"iscrowd\": 0, \"image_id\": \
                 {image}, \"bbox\": [{x}, 12.25, 30.5, 40.12], \"category_id\": 1, \"id\": {id}}}"
            )
            .unwrap();
        }
        text.push_str("], \"categories\": [{\"id\": 1, \"name\": \"person\"}]}");
        let (instances, told) = with_names(None, |file, problems| read(&text, file, problems));
        assert!(told.is_empty(), "{told:?}");
        assert!(instances.images.values().all(|image| image.labels.boxes.len() == 36));
    }
}
