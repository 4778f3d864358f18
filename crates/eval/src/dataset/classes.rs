//! What the ids and names of a label file mean. The tables of well-known sets are built in; a manifest can say otherwise
//! for each id.

use std::collections::BTreeMap;

use parapet_core::Label;
use parapet_infer::COCO80;
use serde::{Deserialize, Serialize};

use super::problem::Fault;

/// A table that is built in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClassTable {
    /// COCO's 80 classes, numbered 0 to 79 without gaps, as YOLO label files do.
    Coco80,
    /// `VisDrone`: pedestrian and people are `person`, car and van are `car`, motor is `motorcycle`; `ignored regions`
    /// (0) are regions; `others` (11) is unused.
    Visdrone,
    /// UAVDT: 1 car, 2 truck, 3 bus.
    Uavdt,
    /// MOT Challenge: pedestrian (1) is `person`; persons on vehicles, static persons, distractors, reflections and
    /// crowds are ignored persons; car, bicycle, motorbike are `car`, `bicycle`, `motorcycle`; the rest is unused.
    Mot,
}

/// What an id means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Meaning {
    /// An object of this class.
    Class(Label),
    /// Like this class, but neither to be found nor held against who finds it.
    Ignored(Label),
    /// A part of the picture in which nothing is labelled.
    Region,
    /// Not read.
    Unused,
}

impl ClassTable {
    fn meanings(self) -> BTreeMap<String, Meaning> {
        let class = |name: &str| Meaning::Class(Label::new(name));
        let ignored = || Meaning::Ignored(Label::new("person"));
        let listed =
            |list: Vec<(u32, Meaning)>| list.into_iter().map(|(id, m)| (id.to_string(), m)).collect();
        match self {
            Self::Coco80 => {
                COCO80.iter().enumerate().map(|(id, name)| (id.to_string(), class(name))).collect()
            }
            Self::Visdrone => listed(vec![
                (0, Meaning::Region),
                (1, class("person")),
                (2, class("person")),
                (3, class("bicycle")),
                (4, class("car")),
                (5, class("car")),
                (6, class("truck")),
                (7, class("tricycle")),
                (8, class("awning-tricycle")),
                (9, class("bus")),
                (10, class("motorcycle")),
                (11, Meaning::Unused),
            ]),
            Self::Uavdt => listed(vec![(1, class("car")), (2, class("truck")), (3, class("bus"))]),
            Self::Mot => listed(vec![
                (1, class("person")),
                (2, ignored()),
                (3, class("car")),
                (4, class("bicycle")),
                (5, class("motorcycle")),
                (6, Meaning::Unused),
                (7, ignored()),
                (8, ignored()),
                (9, Meaning::Unused),
                (10, Meaning::Unused),
                (11, Meaning::Unused),
                (12, ignored()),
                (13, ignored()),
            ]),
        }
    }
}

/// From the ids and names of label files to classes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ClassMap {
    meanings: BTreeMap<String, Meaning>,
    /// Names that are not in the map mean themselves.
    named: bool,
}

impl ClassMap {
    /// The table, if any, with `own` over it.
    pub fn new(table: Option<ClassTable>, own: impl IntoIterator<Item = (String, Meaning)>) -> Self {
        let mut meanings = table.map(ClassTable::meanings).unwrap_or_default();
        meanings.extend(own);
        Self { meanings, named: false }
    }

    /// The same map, in which names that it does not hold mean the class of that name: for files that name their
    /// classes themselves (COCO, VOC, scenarios).
    #[must_use]
    pub fn or_by_name(mut self) -> Self {
        self.named = true;
        self
    }

    /// What `id` means.
    ///
    /// # Errors
    /// The map does not hold it.
    pub fn meaning(&self, id: &str) -> Result<Meaning, Fault> {
        match self.meanings.get(id) {
            Some(meaning) => Ok(meaning.clone()),
            None if self.named && !id.is_empty() => Ok(Meaning::Class(Label::new(id))),
            None => Err(Fault::new(
                format!("the class \"{id}\" is not in the manifest's class map"),
                format!("add `\"{id}\" = \"…\"` to [classes], or \"{id}\" to unused_classes"),
            )),
        }
    }

    /// What a category with a number and a name means: the number is looked up first, then the name.
    ///
    /// # Errors
    /// The map holds neither.
    pub fn named_or_numbered(&self, name: &str, number: u64) -> Result<Meaning, Fault> {
        match self.meanings.get(&number.to_string()) {
            Some(meaning) => Ok(meaning.clone()),
            None => self.meaning(name),
        }
    }

    /// Classes that the map can yield, in order, each once.
    pub fn labels(&self) -> Vec<Label> {
        let mut labels: Vec<Label> = self
            .meanings
            .values()
            .filter_map(
                |meaning| if let Meaning::Class(label) = meaning { Some(label.clone()) } else { None },
            )
            .collect();
        labels.sort();
        labels.dedup();
        labels
    }

    /// Whether names that are not in the map mean themselves.
    pub fn is_by_name(&self) -> bool {
        self.named
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manifest_can_overrule_a_table() {
        let map = ClassMap::new(
            Some(ClassTable::Visdrone),
            [("5".to_owned(), Meaning::Class(Label::new("van"))), ("11".to_owned(), Meaning::Region)],
        );
        assert_eq!(map.meaning("5"), Ok(Meaning::Class(Label::new("van"))));
        assert_eq!(map.meaning("4"), Ok(Meaning::Class(Label::new("car"))));
        assert_eq!(map.meaning("11"), Ok(Meaning::Region));
        let fault = map.meaning("12").unwrap_err();
        assert_eq!(fault.what, "the class \"12\" is not in the manifest's class map");
    }

    #[test]
    fn coco_has_80_different_classes() {
        let map = ClassMap::new(Some(ClassTable::Coco80), []);
        assert_eq!(map.labels().len(), 80);
        assert_eq!(map.meaning("16"), Ok(Meaning::Class(Label::new("dog"))));
    }
}
