//! From a manifest to a dataset: finds the files, has them read, and leaves out what has a mistake.

use std::path::{Path, PathBuf};

use parapet_core::Label;

use super::{
    Dataset, DatasetError, DatasetManifest,
    classes::{ClassMap, Meaning},
    files::{LabelFiles, PICTURES, cannot_read, named_files, picture_size},
    item::{ImageTruth, Labelled, LeftOut},
    manifest::{LabelledConfig, MasksConfig, TruthConfig},
    problem::{Fault, Problem, Problems},
    reader::{LabelFile, Labels, coco, masks, visdrone, voc, yolo},
};

/// A dataset in the making.
pub(super) struct Loader {
    pub(super) dataset: Dataset,
    pub(super) manifest_dir: PathBuf,
    pub(super) classes: ClassMap,
    pub(super) files: LabelFiles,
    pub(super) problems: Problems,
}

/// A folder of pictures with a label file for each.
struct Folder<'a> {
    images: &'a Path,
    labels: &'a Path,
    extension: &'static str,
    missing_is_empty: bool,
    without: &'a [String],
}

/// See [`Dataset::load`].
pub(super) fn load(manifest_path: &Path, data_dir: &Path) -> Result<(Dataset, Vec<Problem>), DatasetError> {
    let (manifest, bytes) = DatasetManifest::load(manifest_path)?;
    let manifest_dir = manifest_path.parent().unwrap_or(Path::new("")).to_owned();
    let root = manifest.directory(manifest_path, data_dir);
    if !root.is_dir() {
        return Err(DatasetError::NoData { name: manifest.name, root });
    }
    let classes = manifest.class_map();
    let labelled = labelled_of(&manifest.labelled, &classes);
    let mut loader = Loader {
        files: LabelFiles::new(root.clone()),
        problems: Problems::default(),
        classes,
        manifest_dir,
        dataset: Dataset {
            manifest,
            manifest_path: manifest_path.to_owned(),
            root,
            labelled,
            images: Vec::new(),
            pairs: Vec::new(),
            sequences: Vec::new(),
            left_out: Vec::new(),
            label_hash: String::new(),
            categories: coco::Categories::new(),
        },
    };
    loader.read();
    let Loader { mut dataset, files, problems, .. } = loader;
    dataset.label_hash = files.hash(&bytes);
    Ok((dataset, problems.finish()))
}

/// What is labelled; without a list of classes, all that the map can yield (and later all that is met, if label files
/// name their classes).
pub(super) fn labelled_of(config: &LabelledConfig, classes: &ClassMap) -> Labelled {
    let mut of: Vec<Label> = config.classes.clone().unwrap_or_else(|| classes.labels());
    of.sort();
    of.dedup();
    let mut incidents = config.incidents.clone();
    incidents.sort();
    incidents.dedup();
    Labelled { classes: of, every_instance: config.every_instance, incidents }
}

impl Loader {
    fn read(&mut self) {
        let truth = self.dataset.manifest.truth.clone();
        let root = self.files.root().to_owned();
        match &truth {
            Some(TruthConfig::Coco(config)) => {
                self.coco(&root.join(&config.file), &root.join(&config.images));
            }
            Some(TruthConfig::Yolo(c) | TruthConfig::Visdrone(c)) => {
                let folder = Folder {
                    images: &root.join(&c.images),
                    labels: &root.join(&c.labels),
                    extension: "txt",
                    missing_is_empty: c.missing_is_empty,
                    without: &c.without,
                };
                let read =
                    if matches!(truth, Some(TruthConfig::Yolo(_))) { yolo::read } else { visdrone::read };
                self.folder(&folder, read);
            }
            Some(TruthConfig::Voc(c)) => {
                let folder = Folder {
                    images: &root.join(&c.images),
                    labels: &root.join(&c.labels),
                    extension: "xml",
                    missing_is_empty: c.missing_is_empty,
                    without: &c.without,
                };
                let from_one = c.pixels_from_one;
                self.folder(&folder, |text, file, problems| voc::read(text, file, from_one, problems));
            }
            Some(TruthConfig::Masks(config)) => self.masks(&root, config),
            Some(
                TruthConfig::Mot(_)
                | TruthConfig::VisdroneSequences(_)
                | TruthConfig::Uavdt(_)
                | TruthConfig::Scenarios(_),
            )
            | None => {}
        }
        self.keep_labelled_classes();
        self.sequences(truth.as_ref());
        self.dataset.sequences.sort_by(|a, b| a.name.cmp(&b.name));
    }

    fn folder(&mut self, folder: &Folder<'_>, read: impl Fn(&str, &LabelFile<'_>, &mut Problems) -> Labels) {
        let problems = &mut self.problems;
        let Some(mut images) = named_files(folder.images, &PICTURES, problems) else { return };
        let Some(labels) = named_files(folder.labels, &[folder.extension], problems) else { return };
        let twins = |name: &String| LeftOut::new(name, "two pictures have its name");
        self.dataset.left_out.extend(images.twins.iter().map(twins));
        for (name, label_file) in &labels.files {
            let known = images.files.contains_key(name) || images.twins.contains(name);
            // Labelling programs put the list of classes beside the labels.
            if !known && name != "classes" && !folder.without.contains(name) {
                let what = format!("labels without a picture in {}", folder.images.display());
                problems.add(label_file, None, Fault::new(what, "fetch the picture or take the file away"));
            }
        }
        for (name, path) in std::mem::take(&mut images.files) {
            if folder.without.contains(&name) {
                self.dataset.left_out.push(LeftOut::new(&name, "the manifest says so"));
                continue;
            }
            let (width, height) = match picture_size(&path) {
                Ok(size) => size,
                Err(fault) => {
                    self.problems.add(&path, None, fault);
                    self.dataset.left_out.push(LeftOut::new(&name, "its picture cannot be read"));
                    continue;
                }
            };
            let mut of_image = Labels::default();
            match labels.files.get(&name) {
                Some(label_file) => {
                    let before = self.problems.count();
                    if let Some(text) = self.files.read(label_file, &mut self.problems) {
                        let size = Some((width, height));
                        let file = LabelFile { path: label_file, classes: &self.classes, size };
                        of_image = read(&text, &file, &mut self.problems);
                    }
                    if self.problems.count() > before {
                        self.dataset.left_out.push(LeftOut::new(&name, "its labels have a mistake"));
                        continue;
                    }
                }
                None if folder.missing_is_empty => {}
                None => {
                    let missing = folder.labels.join(format!("{name}.{}", folder.extension));
                    let what = format!("no label file {}", missing.display());
                    let hint = "fetch it, or set missing_is_empty if that means nothing is there";
                    self.problems.add(&path, None, Fault::new(what, hint));
                    self.dataset.left_out.push(LeftOut::new(&name, "it has no label file"));
                    continue;
                }
            }
            let file_name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let Labels { boxes, regions } = of_image;
            self.dataset.images.push(ImageTruth {
                name: file_name,
                path,
                width,
                height,
                id: None,
                boxes,
                regions,
            });
        }
    }

    fn coco(&mut self, path: &Path, images: &Path) {
        let Some(text) = self.files.read(path, &mut self.problems) else { return };
        let file = LabelFile { path, classes: &self.classes, size: None };
        let instances = coco::read(&text, &file, &mut self.problems);
        if self.dataset.manifest.labelled.classes.is_none() {
            let classes = instances.categories.values().filter_map(|meaning| match meaning {
                Meaning::Class(label) => Some(label.clone()),
                _ => None,
            });
            self.dataset.labelled.classes = classes.collect();
            self.dataset.labelled.classes.sort();
            self.dataset.labelled.classes.dedup();
        }
        let mut files_seen = std::collections::BTreeSet::new();
        for (id, image) in instances.images {
            let picture = images.join(&image.file_name);
            let mut leave_out = |why: &str| {
                self.dataset.left_out.push(LeftOut { id: Some(id), ..LeftOut::new(&image.file_name, why) });
            };
            if instances.lost_records > 0 {
                leave_out("the label file has a record that may be its");
                continue;
            }
            if instances.bad_images.contains(&id) {
                leave_out("its labels have a mistake");
                continue;
            }
            if !files_seen.insert(image.file_name.clone()) {
                let what = format!("picture {id} has the file of another: {}", image.file_name);
                self.problems.add(path, None, Fault::new(what, "list each file once"));
                leave_out("its file is listed twice");
                continue;
            }
            let size = picture_size(&picture).and_then(|size| match image.size {
                Some((width, height)) if (width, height) != size => Err(Fault::new(
                    format!("{} × {}, but labelled at {width} × {height}", size.0, size.1),
                    "use the picture that was labelled",
                )),
                _ => Ok(size),
            });
            match size {
                Ok((width, height)) => self.dataset.images.push(ImageTruth {
                    name: image.file_name,
                    path: picture,
                    width,
                    height,
                    id: Some(id),
                    boxes: image.labels.boxes,
                    regions: image.labels.regions,
                }),
                Err(fault) => {
                    self.problems.add(&picture, None, fault);
                    leave_out("its picture cannot be used");
                }
            }
        }
        self.dataset.categories = instances.categories;
    }

    fn masks(&mut self, root: &Path, config: &MasksConfig) {
        let mut list = |directory: &Path| {
            let listing = named_files(&root.join(directory), &PICTURES, &mut self.problems)?;
            let twins = |name: &String| LeftOut::new(name, "two pictures have its name");
            self.dataset.left_out.extend(listing.twins.iter().map(twins));
            Some(listing.files)
        };
        let lists = [list(&config.before), list(&config.after), list(&config.masks)];
        let [Some(before), Some(after), Some(masks)] = lists else { return };
        self.dataset.pairs = masks::pair(
            [&before, &after, &masks],
            &config.without,
            picture_size,
            &mut self.problems,
            &mut self.dataset.left_out,
        );
    }

    /// Takes out boxes of classes that are not labelled; where label files name their classes and the manifest lists
    /// none, all that were met are.
    fn keep_labelled_classes(&mut self) {
        let dataset = &mut self.dataset;
        if dataset.manifest.labelled.classes.is_none() && self.classes.is_by_name() {
            let met = dataset.images.iter().flat_map(|image| &image.boxes).map(|b| b.label.clone());
            dataset.labelled.classes.extend(met);
            dataset.labelled.classes.sort();
            dataset.labelled.classes.dedup();
        }
        for image in &mut dataset.images {
            image.boxes.retain(|labelled| dataset.labelled.has_class(&labelled.label));
        }
    }

    /// A file that must be there.
    pub(super) fn is_there(&mut self, path: &Path) -> bool {
        match std::fs::metadata(path) {
            Ok(about) if about.is_file() => true,
            Ok(_) => {
                self.problems.add(path, None, Fault::new("not a file", "mend the path in the manifest"));
                false
            }
            Err(error) => {
                self.problems.add(path, None, cannot_read(&error));
                false
            }
        }
    }
}
