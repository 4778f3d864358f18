//! What tests of readers share: a label file with a class map, and the problems as text.

use std::path::Path;

use parapet_core::Label;

use super::LabelFile;
use crate::dataset::{
    classes::{ClassMap, ClassTable, Meaning},
    problem::Problems,
};

/// Person, car and dog by their COCO ids; 5 is a region, 6 is unused.
pub(crate) fn classes() -> ClassMap {
    let class = |name| Meaning::Class(Label::new(name));
    ClassMap::new(
        None,
        [
            ("0", class("person")),
            ("2", class("car")),
            ("16", class("dog")),
            ("5", Meaning::Region),
            ("6", Meaning::Unused),
        ]
        .map(|(id, meaning)| (id.to_owned(), meaning)),
    )
}

pub(crate) fn messages(problems: Problems) -> Vec<String> {
    problems.finish().iter().map(ToString::to_string).collect()
}

fn with<T>(
    path: &str,
    classes: &ClassMap,
    size: Option<(u32, u32)>,
    read: impl FnOnce(&LabelFile<'_>, &mut Problems) -> T,
) -> (T, Vec<String>) {
    let mut problems = Problems::default();
    let of = read(&LabelFile { path: Path::new(path), classes, size }, &mut problems);
    (of, messages(problems))
}

pub(crate) fn with_file<T>(
    path: &str,
    size: Option<(u32, u32)>,
    read: impl FnOnce(&LabelFile<'_>, &mut Problems) -> T,
) -> (T, Vec<String>) {
    with(path, &classes(), size, read)
}

pub(crate) fn with_table<T>(
    table: ClassTable,
    size: Option<(u32, u32)>,
    read: impl FnOnce(&LabelFile<'_>, &mut Problems) -> T,
) -> (T, Vec<String>) {
    with("a", &ClassMap::new(Some(table), []), size, read)
}

pub(crate) fn with_mot<T>(read: impl FnOnce(&LabelFile<'_>, &mut Problems) -> T) -> (T, Vec<String>) {
    with("gt.txt", &ClassMap::new(Some(ClassTable::Mot), []), None, read)
}

pub(crate) fn with_names<T>(
    size: Option<(u32, u32)>,
    read: impl FnOnce(&LabelFile<'_>, &mut Problems) -> T,
) -> (T, Vec<String>) {
    with("a", &ClassMap::default().or_by_name(), size, read)
}
