//! Sequences of a dataset: from their label files to frames and incidents, and what of them can be scored.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use parapet_core::CameraId;

use crate::scenario::{Split, WatchSpec};

use super::{
    files::{PICTURES, check_whole, directories, named_files, picture_size},
    item::{Coverage, FrameTruth, Labelled, LeftOut, SequenceSource, SequenceTruth},
    load::{Loader, labelled_of},
    manifest::{
        BoxesConfig, FramesConfig, IncidentConfig, MotConfig, ScenariosConfig, SequenceConfig,
        TrackFolderConfig, TruthConfig,
    },
    problem::Fault,
    reader::{self, LabelFile, Tracks, boxes_csv, check_rect, events, mot, scenario, uavdt, visdrone},
};
use crate::truth::TruthIncident;

/// The pictures of a sequence.
struct Frames {
    source: SequenceSource,
    size: (u32, u32),
    /// Frames a second.
    rate: Option<f64>,
    /// How many there are; for a video about so many.
    count: Option<u64>,
    /// Seconds.
    length: Option<f64>,
}

/// A sequence in the making.
struct Draft<'a> {
    name: &'a str,
    frames: Frames,
    start: f64,
    length: Option<f64>,
    pipeline: Option<(PathBuf, CameraId)>,
    labelled: Labelled,
    /// The label file of its boxes, what it holds, and whether frames that it does not name are labelled, as empty.
    boxes: Option<(PathBuf, Tracks, bool)>,
    /// Its incidents, each with the file and line where it stands.
    incidents: Vec<(PathBuf, Option<usize>, IncidentConfig)>,
    /// Why its boxes cannot be scored.
    boxes_lost: Option<String>,
    /// Why its incidents cannot be scored.
    events_lost: Option<String>,
    /// What a scenario's truth says of who watches it, and of its half of the set.
    watch: Option<WatchSpec>,
    split: Option<Split>,
}

impl Loader {
    /// Reads all sequences: those of the folder that `truth` names, and those of the manifest.
    pub(super) fn sequences(&mut self, truth: Option<&TruthConfig>) {
        let (mut events, events_file) = (events::Events::default(), self.events_file());
        if let Some(path) = &events_file {
            match self.files.read(path, &mut self.problems) {
                Some(text) => {
                    let file = LabelFile { path, classes: &self.classes, size: None };
                    events = events::read(&text, &file, &mut self.problems);
                }
                None => events.lost_lines = 1,
            }
        }
        let events_file = events_file.unwrap_or_default();
        match truth {
            Some(TruthConfig::Mot(config)) => self.mot(config, &mut events, &events_file),
            Some(TruthConfig::VisdroneSequences(config)) => {
                self.track_folder(config, false, &mut events, &events_file);
            }
            Some(TruthConfig::Uavdt(config)) => self.track_folder(config, true, &mut events, &events_file),
            Some(TruthConfig::Scenarios(config)) => self.scenarios(config, &mut events, &events_file),
            _ => {}
        }
        for (name, config) in self.dataset.manifest.sequences.clone() {
            self.listed(&name, &config, &mut events, &events_file);
        }
        let unknown = std::mem::take(&mut events.of);
        for (name, incidents) in unknown {
            if self.dataset.left_out.iter().any(|left| left.name == name) {
                continue;
            }
            for (line, _) in incidents {
                let fault = Fault::new(
                    format!("there is no sequence \"{name}\""),
                    "use a name of the manifest's sequences",
                );
                self.problems.add(&events_file, line, fault);
            }
        }
    }

    fn events_file(&self) -> Option<PathBuf> {
        self.dataset.manifest.events.as_ref().map(|events| self.files.root().join(&events.file))
    }

    fn leave_out(&mut self, name: &str, why: &str) {
        self.dataset.left_out.push(LeftOut::new(name, why));
    }

    /// A sequence of the manifest.
    fn listed(
        &mut self,
        name: &str,
        config: &SequenceConfig,
        events: &mut events::Events,
        events_file: &Path,
    ) {
        let root = self.files.root().to_owned();
        let frames = match &config.frames {
            FramesConfig::Video(file) => self.video(&root.join(file)),
            FramesConfig::Images(folder) => {
                self.frame_folder(&root.join(&folder.folder), folder.frames_per_second)
            }
        };
        let Some(frames) = frames else { return self.leave_out(name, "its pictures cannot be read") };
        let labelled = match &config.labelled {
            Some(labelled) => labelled_of(labelled, &self.classes),
            None => self.dataset.labelled.clone(),
        };
        let manifest = self.dataset.manifest_path.clone();
        let mut draft = Draft {
            name,
            start: config.start_seconds,
            length: config.length_seconds,
            pipeline: self.pipeline(config.pipeline.as_deref(), config.camera.as_ref()),
            labelled,
            boxes: None,
            incidents: config.incidents.iter().map(|i| (manifest.clone(), None, i.clone())).collect(),
            boxes_lost: None,
            events_lost: None,
            watch: None,
            split: None,
            frames,
        };
        if let Some(boxes) = &config.boxes {
            self.boxes(boxes, &root, &mut draft);
        }
        self.finish(draft, events, events_file);
    }

    fn boxes(&mut self, config: &BoxesConfig, root: &Path, draft: &mut Draft<'_>) {
        let path = match config {
            BoxesConfig::Csv(csv) => root.join(&csv.file),
            BoxesConfig::Mot(file) | BoxesConfig::Scenario(file) => root.join(file),
        };
        let Some(text) = self.files.read(&path, &mut self.problems) else {
            draft.boxes_lost = Some("its label file cannot be read".into());
            if matches!(config, BoxesConfig::Scenario(_)) {
                draft.events_lost = Some("its truth cannot be read".into());
            }
            return;
        };
        let size = Some(draft.frames.size);
        match config {
            BoxesConfig::Csv(csv) => {
                let file = LabelFile { path: &path, classes: &self.classes, size };
                let form =
                    boxes_csv::BoxesForm { frames_per_second: draft.frames.rate, one_thing: csv.one_thing };
                let tracks = boxes_csv::read(&text, &file, form, &mut self.problems);
                draft.boxes = Some((path, tracks, csv.every_frame));
            }
            BoxesConfig::Mot(_) => {
                let file = LabelFile { path: &path, classes: &self.classes, size };
                draft.boxes = Some((path.clone(), mot::read(&text, &file, &mut self.problems), true));
            }
            BoxesConfig::Scenario(_) => self.scenario_truth(&path, &text, draft),
        }
    }

    fn scenario_truth(&mut self, path: &Path, text: &str, draft: &mut Draft<'_>) {
        let by_name = self.classes.clone().or_by_name();
        let file = LabelFile { path, classes: &by_name, size: Some(draft.frames.size) };
        let Some(truth) = scenario::read(text, &file, &mut self.problems) else {
            draft.boxes_lost = Some("its truth cannot be read".into());
            draft.events_lost = Some("its truth cannot be read".into());
            return;
        };
        if truth.size != draft.frames.size {
            let fault = Fault::new(
                format!("made at {} × {}, but the clip has another size", truth.size.0, truth.size.1),
                "make the scenario anew",
            );
            self.problems.add(path, None, fault);
            draft.boxes_lost = Some("its truth is that of another clip".into());
            draft.events_lost.clone_from(&draft.boxes_lost);
            return;
        }
        draft.frames.rate = Some(truth.frames_per_second);
        draft.frames.count = Some(truth.tracks.frames.len() as u64);
        draft.frames.length = Some(truth.tracks.frames.len() as f64 / truth.frames_per_second);
        if draft.labelled.classes.is_empty() {
            let met = truth.tracks.frames.values().flat_map(|frame| &frame.boxes).map(|b| b.label.clone());
            draft.labelled.classes = met.collect();
            draft.labelled.classes.sort();
            draft.labelled.classes.dedup();
        }
        draft.incidents.extend(truth.incidents.into_iter().map(|i| (path.to_owned(), None, i)));
        draft.boxes = Some((path.to_owned(), truth.tracks, true));
        draft.watch = truth.watch;
        draft.split = truth.split;
    }

    /// What a video's head says.
    fn video(&mut self, path: &Path) -> Option<Frames> {
        if !self.is_there(path) {
            return None;
        }
        if let Err(fault) = check_whole(path) {
            self.problems.add(path, None, fault);
            return None;
        }
        match parapet_ingest::probe(path) {
            Ok(info) => Some(Frames {
                source: SequenceSource::Video(path.to_owned()),
                size: (info.width, info.height),
                count: info.frames(),
                rate: info.frames_per_second,
                length: info.duration.map(|duration| duration.as_secs_f64()),
            }),
            Err(error) => {
                let fault = Fault::new(error.to_string(), "play the file to see whether it is whole");
                self.problems.add(path, None, fault);
                None
            }
        }
    }

    /// Pictures of a directory, of which the first one tells the size.
    fn frame_folder(&mut self, folder: &Path, frames_per_second: f64) -> Option<Frames> {
        let listing = named_files(folder, &PICTURES, &mut self.problems)?;
        if !listing.twins.is_empty() {
            return None;
        }
        let files: Vec<PathBuf> = listing.files.into_values().collect();
        let Some(first) = files.first() else {
            self.problems.add(folder, None, Fault::new("no pictures", "fetch the frames"));
            return None;
        };
        match picture_size(first) {
            Ok(size) => Some(Frames {
                size,
                rate: Some(frames_per_second),
                count: Some(files.len() as u64),
                length: Some(files.len() as f64 / frames_per_second),
                source: SequenceSource::Images(files),
            }),
            Err(fault) => {
                self.problems.add(first, None, fault);
                None
            }
        }
    }

    fn pipeline(&mut self, file: Option<&Path>, camera: Option<&CameraId>) -> Option<(PathBuf, CameraId)> {
        let path = self.manifest_dir.join(file?);
        self.is_there(&path).then(|| camera.map(|camera| (path, camera.clone())))?
    }

    fn mot(&mut self, config: &MotConfig, events: &mut events::Events, events_file: &Path) {
        let folder = self.files.root().join(&config.sequences);
        for (name, directory) in directories(&folder, &mut self.problems) {
            let info_file = directory.join("seqinfo.ini");
            let info = self.files.read(&info_file, &mut self.problems);
            let info = info.and_then(|text| mot::read_info(&text, &info_file, &mut self.problems));
            let Some(info) = info else {
                self.leave_out(&name, "its seqinfo.ini cannot be read");
                continue;
            };
            let source = directory.join(&info.frames);
            let frames = if source.is_dir() {
                self.frame_folder(&source, info.frames_per_second)
            } else {
                self.video(&source)
            };
            let Some(mut frames) = frames else {
                self.leave_out(&name, "its pictures cannot be read");
                continue;
            };
            if frames.size != (info.width, info.height) {
                let (width, height) = frames.size;
                let what =
                    format!("{} × {}, but the pictures have {width} × {height}", info.width, info.height);
                self.problems.add(&info_file, None, Fault::new(what, "use the pictures that were labelled"));
                self.leave_out(&name, "its pictures have another size than its labels");
                continue;
            }
            let exact = matches!(frames.source, SequenceSource::Images(_));
            if exact && frames.count != Some(info.length) {
                let what = format!(
                    "seqLength is {}, but there are {:?} pictures",
                    info.length,
                    frames.count.unwrap_or(0)
                );
                self.problems.add(&info_file, None, Fault::new(what, "fetch the missing pictures"));
            }
            frames.rate = Some(info.frames_per_second);
            frames.count = Some(frames.count.map_or(info.length, |count| count.min(info.length)));
            let label_file = directory.join("gt").join("gt.txt");
            let tracks = self.files.read(&label_file, &mut self.problems).map(|text| {
                let file = LabelFile { path: &label_file, classes: &self.classes, size: Some(frames.size) };
                mot::read(&text, &file, &mut self.problems)
            });
            self.folder_sequence(
                &name,
                frames,
                tracks.map(|tracks| (label_file, tracks)),
                events,
                events_file,
            );
        }
    }

    fn track_folder(
        &mut self,
        config: &TrackFolderConfig,
        is_uavdt: bool,
        events: &mut events::Events,
        events_file: &Path,
    ) {
        let root = self.files.root().to_owned();
        let labels = root.join(&config.labels);
        for (name, directory) in directories(&root.join(&config.sequences), &mut self.problems) {
            let Some(frames) = self.frame_folder(&directory, config.frames_per_second) else {
                self.leave_out(&name, "its pictures cannot be read");
                continue;
            };
            let suffix = if is_uavdt { "_gt_whole" } else { "" };
            let path = labels.join(format!("{name}{suffix}.txt"));
            let size = Some(frames.size);
            let mut tracks = self.files.read(&path, &mut self.problems).map(|text| {
                let file = LabelFile { path: &path, classes: &self.classes, size };
                if is_uavdt {
                    uavdt::read(&text, &file, &mut self.problems)
                } else {
                    visdrone::read_sequence(&text, &file, &mut self.problems)
                }
            });
            let regions_file = labels.join(format!("{name}_gt_ignore.txt"));
            if is_uavdt
                && regions_file.is_file()
                && let Some(tracks) = &mut tracks
                && let Some(text) = self.files.read(&regions_file, &mut self.problems)
            {
                let file = LabelFile { path: &regions_file, classes: &self.classes, size };
                let regions = uavdt::read_regions(&text, &file, &mut self.problems);
                tracks.lost_lines += regions.lost_lines;
                tracks.bad_frames.extend(regions.bad_frames);
                for (frame, labels) in regions.frames {
                    tracks.frames.entry(frame).or_default().regions.extend(labels.regions);
                }
            }
            self.folder_sequence(&name, frames, tracks.map(|tracks| (path, tracks)), events, events_file);
        }
    }

    fn folder_sequence(
        &mut self,
        name: &str,
        frames: Frames,
        tracks: Option<(PathBuf, Tracks)>,
        events: &mut events::Events,
        events_file: &Path,
    ) {
        let boxes_lost = tracks.is_none().then(|| "its label file cannot be read".to_owned());
        let draft = Draft {
            name,
            frames,
            start: 0.0,
            length: None,
            pipeline: None,
            labelled: self.dataset.labelled.clone(),
            boxes: tracks.map(|(path, tracks)| (path, tracks, true)),
            incidents: Vec::new(),
            boxes_lost,
            events_lost: None,
            watch: None,
            split: None,
        };
        self.finish(draft, events, events_file);
    }

    fn scenarios(&mut self, config: &ScenariosConfig, events: &mut events::Events, events_file: &Path) {
        let folder = self.files.root().join(&config.folder);
        let Some(listing) = named_files(&folder, &["json"], &mut self.problems) else { return };
        for (name, path) in listing.files {
            let Some(name) = name.strip_suffix(".truth").map(str::to_owned) else { continue };
            let Some(frames) = self.video(&folder.join(format!("{name}.mp4"))) else {
                self.leave_out(&name, "its clip cannot be read");
                continue;
            };
            let mut draft = Draft {
                name: &name,
                frames,
                start: 0.0,
                length: None,
                pipeline: None,
                labelled: self.dataset.labelled.clone(),
                boxes: None,
                incidents: Vec::new(),
                boxes_lost: None,
                events_lost: None,
                watch: None,
                split: None,
            };
            if let Some(text) = self.files.read(&path, &mut self.problems) {
                self.scenario_truth(&path, &text, &mut draft);
            } else {
                draft.boxes_lost = Some("its truth cannot be read".into());
                draft.events_lost = Some("its truth cannot be read".into());
            }
            if config.split.is_some() && draft.split.is_some() && draft.split != config.split {
                continue;
            }
            if let (Some(specs), Some(watch)) = (&config.specs, &draft.watch) {
                let camera = watch.camera.parse().ok();
                draft.pipeline = self.pipeline(Some(&specs.join(&watch.pipeline)), camera.as_ref());
            }
            self.finish(draft, events, events_file);
        }
    }

    /// Puts a sequence into the dataset.
    fn finish(&mut self, mut draft: Draft<'_>, events: &mut events::Events, events_file: &Path) {
        let listed = events.of.remove(draft.name).unwrap_or_default();
        draft.incidents.extend(listed.into_iter().map(|(line, i)| (events_file.to_owned(), line, i)));
        if events.lost_lines > 0 {
            draft.events_lost = Some("the event list has lines that may be its".into());
        } else if events.bad.iter().any(|bad| bad == draft.name) {
            draft.events_lost = Some("the event list has a mistake in one of its lines".into());
        }
        if self.dataset.sequences.iter().any(|sequence| sequence.name == draft.name) {
            let what = format!("the sequence \"{}\" is there twice", draft.name);
            self.problems.add(&self.dataset.manifest_path, None, Fault::new(what, "give it another name"));
            return self.leave_out(draft.name, "another sequence has its name");
        }
        let rest = draft.frames.length.map(|length| (length - draft.start).max(0.0));
        let length = match (draft.length, rest) {
            (Some(wanted), Some(rest)) => Some(wanted.min(rest)),
            (wanted, rest) => wanted.or(rest),
        };
        let (incidents, events) = self.incidents(&draft, length);
        let (frames, boxes) = self.frames(&mut draft, length);
        self.dataset.sequences.push(SequenceTruth {
            name: draft.name.to_owned(),
            source: draft.frames.source,
            width: draft.frames.size.0,
            height: draft.frames.size.1,
            frames_per_second: draft.frames.rate,
            start: draft.start,
            length,
            pipeline: draft.pipeline,
            labelled: draft.labelled,
            frames,
            boxes,
            incidents,
            events,
        });
    }

    fn incidents(&mut self, draft: &Draft<'_>, length: Option<f64>) -> (Vec<TruthIncident>, Coverage) {
        let mut incidents = Vec::new();
        let mut lost = draft.events_lost.clone();
        for (file, line, config) in &draft.incidents {
            let limit = config
                .limit_seconds
                .or_else(|| self.dataset.manifest.limits_seconds.get(&config.kind).copied());
            match incident(config, limit, draft, length) {
                Ok(Some(incident)) => incidents.push(incident),
                Ok(None) => {}
                Err(fault) => {
                    self.problems.add(file, *line, fault);
                    lost.get_or_insert_with(|| "one of its incidents has a mistake".into());
                }
            }
        }
        incidents.sort_by(|a, b| a.since.total_cmp(&b.since));
        match lost {
            Some(why) => (Vec::new(), Coverage::Not(why)),
            None if draft.labelled.incidents.is_empty() => (Vec::new(), Coverage::Unlabelled),
            None => (incidents, Coverage::Whole),
        }
    }

    fn frames(&mut self, draft: &mut Draft<'_>, length: Option<f64>) -> (Vec<FrameTruth>, Coverage) {
        if let Some(why) = draft.boxes_lost.take() {
            return (Vec::new(), Coverage::Not(why));
        }
        let Some((path, tracks, every_frame)) = draft.boxes.take() else {
            return (Vec::new(), Coverage::Unlabelled);
        };
        if tracks.lost_lines > 0 {
            let why = format!("{} lines of its label file may belong to any frame", tracks.lost_lines);
            return (Vec::new(), Coverage::Not(why));
        }
        let Some(rate) = draft.frames.rate else {
            let fault = Fault::new("the frame rate is unknown", "convert the video to MP4");
            self.problems.add(&path, None, fault);
            return (Vec::new(), Coverage::Not("its frame rate is unknown".into()));
        };
        // A container's length is rounded: a video may have a frame or two more than it tells.
        let slack = if matches!(draft.frames.source, SequenceSource::Video(_)) { 2 } else { 0 };
        let mut frames_left_out = tracks.bad_frames.len();
        let mut frames: BTreeMap<u64, reader::Labels> = tracks.frames;
        if let Some(count) = draft.frames.count {
            let beyond: Vec<u64> = frames.range(count + slack..).map(|(number, _)| *number).collect();
            if let (Some(first), Some(last)) = (beyond.first(), beyond.last()) {
                let fault = Fault::new(
                    format!("labels for frames {first} to {last} (from 0), but there are {count} frames"),
                    "the pictures may be cut short: fetch them anew",
                );
                self.problems.add(&path, None, fault);
                frames_left_out += beyond.iter().filter(|n| !tracks.bad_frames.contains(n)).count();
                frames.retain(|number, _| *number < count + slack);
            }
            if every_frame {
                for number in 0..count {
                    frames.entry(number).or_default();
                }
            }
        } else if every_frame {
            let fault = Fault::new("the number of frames is unknown", "convert the video to MP4");
            self.problems.add(&path, None, fault);
            return (Vec::new(), Coverage::Not("its number of frames is unknown".into()));
        }
        let mut kept = Vec::new();
        for (number, labels) in frames {
            let at = number as f64 / rate - draft.start;
            let inside = at >= -1e-9 && draft.length.is_none_or(|_| length.is_none_or(|length| at < length));
            if !inside || tracks.bad_frames.contains(&number) {
                continue;
            }
            let mut boxes = labels.boxes;
            boxes.retain(|labelled| draft.labelled.has_class(&labelled.label));
            kept.push(FrameTruth { number, at: at.max(0.0), boxes, regions: labels.regions });
        }
        let coverage = match frames_left_out {
            0 => Coverage::Whole,
            _ if kept.is_empty() => Coverage::Not("all its frames have mistakes".into()),
            frames_left_out => Coverage::Partly { frames_left_out },
        };
        (kept, coverage)
    }
}

/// An incident in the time of the sequence; `None` if it is over before that begins.
fn incident(
    config: &IncidentConfig,
    limit: Option<f64>,
    draft: &Draft<'_>,
    length: Option<f64>,
) -> Result<Option<TruthIncident>, Fault> {
    let kind = config.kind;
    if !draft.labelled.incidents.contains(&kind) {
        return Err(Fault::new(
            format!("an incident of a kind that is not labelled: {}", kind.as_str()),
            "add the kind to labelled.incidents in the manifest",
        ));
    }
    let limit = limit.ok_or_else(|| {
        Fault::new(
            format!("no limit for an incident of kind {}", kind.as_str()),
            "give limit_seconds, or the kind in the manifest's [limits_seconds]",
        )
    })?;
    let rect = config.rect.map(|[x0, y0, x1, y1]| reader::between(x0, y0, x1, y1));
    let rect = rect.map(|rect| check_rect(rect, Some(draft.frames.size))).transpose()?;
    let since = config.since_seconds - draft.start;
    let until = config.until_seconds.map(|until| until - draft.start);
    if until.is_some_and(|until| until <= 0.0) && draft.start > 0.0 {
        return Ok(None);
    }
    if let Some(length) = length
        && since >= length
    {
        if draft.length.is_some() {
            return Ok(None);
        }
        return Err(Fault::new(
            format!(
                "it begins at {} s, but the video ends at {:.1} s",
                config.since_seconds,
                length + draft.start
            ),
            "the video may be cut short: fetch it anew",
        ));
    }
    Ok(Some(TruthIncident {
        kind,
        zone: config.zone.clone(),
        since,
        // What ends with the video or after it is still there when the sequence ends.
        until: until.filter(|until| length.is_none_or(|length| *until < length)),
        due: since + limit,
        rect,
    }))
}
