//! A dataset with mistakes: each is told with file and line, what it spoils is left out and named, the rest is scored.

#![expect(clippy::unwrap_used, reason = "helpers of tests, outside of test functions")]

use std::{fs, path::Path};

use parapet_core::Picture;
use parapet_eval::dataset::{Coverage, Dataset, DatasetError, LeftOut, MediaHashes, SequenceSource};
use parapet_ingest::{VideoOptions, VideoWriter};

const HEAD: &str = "name = \"set\"\ntitle = \"A set\"\nkind = \"real\"\nlicence = \"CC0\"\nsource = \"made here\"\nroot_of = \"manifest\"\n";

/// Writes files below a directory; pictures and videos by their extension.
fn write(directory: &Path, files: &[(&str, &str)]) {
    for (name, content) in files {
        let path = directory.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        match path.extension().and_then(|extension| extension.to_str()) {
            Some("png" | "jpg") => image::RgbImage::new(64, 48).save(&path).unwrap(),
            Some("mp4") => {
                let options = VideoOptions::at_fps(10.0);
                let mut writer = VideoWriter::create(&path, options).unwrap();
                for _ in 0..20 {
                    writer.push(&Picture::from_rgb(64, 48, &[90; 64 * 48 * 3]).unwrap()).unwrap();
                }
                writer.finish().unwrap();
            }
            _ => fs::write(&path, content).unwrap(),
        }
    }
}

/// Reads the dataset of `set.toml`, with the problems as text relative to the directory.
fn load(directory: &Path) -> (Dataset, Vec<String>) {
    let (dataset, problems) = Dataset::load(&directory.join("set.toml"), directory).unwrap();
    let prefix = format!("{}/", directory.display());
    (dataset, problems.iter().map(|problem| problem.to_string().replace(&prefix, "")).collect())
}

fn left_out(name: &str, why: &str) -> LeftOut {
    LeftOut { name: name.into(), id: None, why: why.into() }
}

#[test]
fn a_bad_label_file_costs_its_picture_and_no_other() {
    let directory = tempfile::tempdir().unwrap();
    let manifest = format!("{HEAD}[classes]\n2 = \"car\"\n[truth.yolo]\nimages = \"i\"\nlabels = \"l\"\n");
    write(
        directory.path(),
        &[
            ("set.toml", manifest.as_str()),
            ("i/good.png", ""),
            ("i/class.jpg", ""),
            ("i/bare.png", ""),
            ("i/twin.png", ""),
            ("i/twin.jpg", ""),
            ("i/empty.png", ""),
            ("l/good.txt", "2 0.5 0.5 0.5 0.5\n"),
            ("l/class.txt", "2 0.5 0.5 0.5 0.5\n7 0.5 0.5 0.1 0.1\n"),
            ("l/twin.txt", ""),
            ("l/empty.txt", ""),
            ("l/orphan.txt", ""),
            ("l/classes.txt", "car\n"),
        ],
    );
    fs::write(directory.path().join("i/broken.png"), "no picture at all, though long enough").unwrap();
    fs::write(directory.path().join("l/broken.txt"), "").unwrap();
    let (dataset, problems) = load(directory.path());
    assert_eq!(
        problems,
        [
            "i/twin.png: the same name as twin.jpg; hint: labels belong to a name: keep one of the two",
            "l/orphan.txt: labels without a picture in i; hint: fetch the picture or take the file away",
            "i/bare.png: no label file l/bare.txt; hint: fetch it, or set missing_is_empty if that means nothing is \
             there",
            "i/broken.png: not a JPEG or PNG picture; hint: convert it or fetch it anew",
            "l/class.txt:2: the class \"7\" is not in the manifest's class map; hint: add `\"7\" = \"…\"` to \
             [classes], or \"7\" to unused_classes",
        ]
    );
    let names: Vec<&str> = dataset.images.iter().map(|image| image.name.as_str()).collect();
    assert_eq!(names, ["empty.png", "good.png"]);
    assert_eq!((dataset.images[1].width, dataset.images[1].height), (64, 48));
    assert_eq!(
        dataset.left_out,
        [
            left_out("twin", "two pictures have its name"),
            left_out("bare", "it has no label file"),
            left_out("broken", "its picture cannot be read"),
            left_out("class", "its labels have a mistake"),
        ]
    );
}

#[test]
fn a_jpeg_tells_its_size_by_its_head() {
    let directory = tempfile::tempdir().unwrap();
    let manifest = format!("{HEAD}class_table = \"coco80\"\n[truth.yolo]\nimages = \"i\"\nlabels = \"l\"\n");
    write(
        directory.path(),
        &[("set.toml", manifest.as_str()), ("i/a.jpg", ""), ("l/a.txt", "16 0.5 0.5 1 1\n")],
    );
    let (dataset, problems) = load(directory.path());
    assert!(problems.is_empty(), "{problems:?}");
    assert_eq!((dataset.images[0].width, dataset.images[0].height), (64, 48));
    assert_eq!(dataset.images[0].boxes[0].area, 64.0 * 48.0);
    assert_eq!(dataset.labelled.classes.len(), 80);
}

#[test]
fn mistakes_of_a_manifest_are_told_with_their_lines() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("set.toml");
    let told = |text: String| {
        fs::write(&path, text).unwrap();
        let error = Dataset::load(&path, directory.path()).unwrap_err();
        assert!(matches!(error, DatasetError::Manifest { .. }), "{error}");
        error.to_string().replace(&format!("{}/", directory.path().display()), "")
    };
    assert_eq!(
        told(format!(
            "{HEAD}[labelled]\nclasses = [\"dog\"]\n[limits_seconds]\nstray_dog = -1\n[sequences.a]\n\
             frames.video = \"a.mp4\"\ncamera = \"gate\"\n[[sequences.a.incidents]]\nkind = \"occupied_roadway\"\n\
             since_seconds = 5\nuntil_seconds = 4\n"
        )),
        "the dataset manifest is not valid:\n  \
         set.toml:8: \"dog\" is labelled, but no id means it; hint: add it to [classes] or name a class_table\n  \
         set.toml:10: the limit is no time; hint: give seconds, 0 or more\n  \
         set.toml:11: pipeline and camera belong together; hint: give both or neither\n  \
         set.toml:14: it ends at 4 before it begins at 5; hint: exchange the times\n  \
         set.toml:14: an incident of a kind that is not labelled: occupied_roadway; hint: add the kind to \
         labelled.incidents\n  \
         set.toml:14: no limit for an incident of kind occupied_roadway; hint: give limit_seconds, or the kind in \
         [limits_seconds]"
    );
    let unknown = told(format!("{HEAD}[labelled]\nclases = [\"dog\"]\n"));
    assert!(unknown.contains("set.toml:8: unknown field `clases`"), "{unknown}");
    let two = told(format!(
        "{HEAD}[truth.yolo]\nimages = \"i\"\nlabels = \"l\"\n[truth.coco]\nfile = \"x\"\nimages = \"i\"\n"
    ));
    assert!(two.contains("set.toml:"), "{two}");
    assert!(told(HEAD.to_owned()).contains("it has neither labels nor sequences"));
    let error = Dataset::load(&directory.path().join("no.toml"), directory.path()).unwrap_err();
    assert!(error.to_string().ends_with("no.toml; hint: check the path"), "{error}");
}

#[test]
fn a_bad_sequence_does_not_stop_the_others() {
    let directory = tempfile::tempdir().unwrap();
    let manifest = format!(
        "{HEAD}[labelled]\nclasses = [\"car\"]\nincidents = [\"stray_dog\", \"occupied_roadway\"]\n[classes]\n\
         2 = \"car\"\n[limits_seconds]\nstray_dog = 0.5\n[events]\nfile = \"events.tsv\"\n\
         [sequences.good]\nframes.video = \"good.mp4\"\nboxes.csv = {{ file = \"good.csv\", one_thing = true }}\n\
         [sequences.late]\nframes.video = \"good.mp4\"\nstart_seconds = 1\nboxes.csv = {{ file = \"good.csv\" }}\n\
         [sequences.partly]\nframes.images = {{ folder = \"frames\", frames_per_second = 2 }}\n\
         boxes.csv = {{ file = \"partly.csv\", every_frame = true }}\n\
         [sequences.lost]\nframes.video = \"good.mp4\"\nboxes.csv = {{ file = \"lost.csv\" }}\n\
         [sequences.cut]\nframes.video = \"cut.mp4\"\n\
         [sequences.gone]\nframes.video = \"gone.mp4\"\n"
    );
    write(
        directory.path(),
        &[
            ("set.toml", manifest.as_str()),
            ("good.mp4", ""),
            ("good.csv", "frame,xmin,ymin,xmax,ymax,label\n3,1,1,9,9,2\n15,1,1,9,9,2\n"),
            ("partly.csv", "frame,xmin,ymin,xmax,ymax,label\n0,1,1,9,9,2\n1,1,1,9,1,2\n5,1,1,9,9,2\n"),
            ("lost.csv", "frame,xmin,ymin,xmax,ymax,label\nfirst,1,1,9,9,2\n"),
            ("frames/1.png", ""),
            ("frames/2.png", ""),
            ("frames/3.png", ""),
            (
                "events.tsv",
                "sequence\tkind\tstart_seconds\tend_seconds\n\
                 good\tstray_dog\t1.2\t1.5\npartly\toccupied_roadway\t0.5\t\nlost\tstray_dog\t1\tx\n\
                 late\tstray_dog\t1.2\t9\nlate\tstray_dog\t0.2\t0.5\nnobody\tstray_dog\t1\t2\ncut\tstray_dog\t1\t2\n",
            ),
        ],
    );
    let whole = fs::read(directory.path().join("good.mp4")).unwrap();
    fs::write(directory.path().join("cut.mp4"), &whole[..whole.len() / 3]).unwrap();
    let (dataset, problems) = load(directory.path());
    assert_eq!(problems.len(), 8, "{problems:#?}");
    let told = problems.join("\n");
    for expected in [
        "events.tsv:4: end_seconds \"x\" is not a number; hint: give a finite number",
        "events.tsv:3: no limit for an incident of kind occupied_roadway; hint: give limit_seconds, or the kind in \
         the manifest's [limits_seconds]",
        "events.tsv:7: there is no sequence \"nobody\"; hint: use a name of the manifest's sequences",
        "gone.mp4: there is no such file; hint: fetch it, or mend the path in the manifest",
        "lost.csv:2: frame \"first\" is not a whole number; hint: give a whole number",
        "partly.csv:3: the box has no area: 8 × 0; hint: width and height must be above 0",
        "partly.csv: labels for frames 5 to 5 (from 0), but there are 3 frames; hint: the pictures may be cut short: \
         fetch them anew",
        "cut.mp4: the file is cut short: ",
    ] {
        assert!(told.contains(expected), "{expected}\nis not in\n{told}");
    }
    assert_eq!(
        dataset.left_out,
        [left_out("cut", "its pictures cannot be read"), left_out("gone", "its pictures cannot be read")]
    );
    let names: Vec<&str> = dataset.sequences.iter().map(|sequence| sequence.name.as_str()).collect();
    assert_eq!(names, ["good", "late", "lost", "partly"]);
    let [good, late, lost, partly] = &dataset.sequences[..] else { panic!("four sequences") };

    assert_eq!((&good.boxes, &good.events), (&Coverage::Whole, &Coverage::Whole));
    assert_eq!((good.width, good.height, good.frames_per_second), (64, 48, Some(10.0)));
    assert_eq!(
        good.frames.iter().map(|frame| (frame.number, frame.at)).collect::<Vec<_>>(),
        [(3, 0.3), (15, 1.5)]
    );
    assert_eq!(good.frames[0].boxes[0].track, Some(1));
    let incident = &good.incidents[0];
    assert_eq!((incident.since, incident.until, incident.due), (1.2, Some(1.5), 1.7));

    // It begins a second later: what was before is not there, and what is not over when the video ends never is.
    assert_eq!(late.frames.iter().map(|frame| (frame.number, frame.at)).collect::<Vec<_>>(), [(15, 0.5)]);
    assert_eq!(late.incidents.len(), 1);
    assert!((late.incidents[0].since - 0.2).abs() < 1e-9 && late.incidents[0].until.is_none());

    assert_eq!(lost.boxes, Coverage::Not("1 lines of its label file may belong to any frame".into()));
    assert_eq!(lost.events, Coverage::Not("the event list has a mistake in one of its lines".into()));

    assert_eq!(partly.boxes, Coverage::Partly { frames_left_out: 2 });
    assert_eq!(partly.frames.iter().map(|frame| frame.number).collect::<Vec<_>>(), [0, 2]);
    assert_eq!(partly.events, Coverage::Not("one of its incidents has a mistake".into()));
    assert!(matches!(&partly.source, SequenceSource::Images(files) if files.len() == 3));
}

#[test]
fn folders_of_mot_visdrone_and_uavdt_are_sequences() {
    let info =
        "[Sequence]\nname=a\nimDir=img1\nframeRate=5\nseqLength=2\nimWidth=64\nimHeight=48\nimExt=.png\n";
    let files = [
        ("mot/a/seqinfo.ini", info),
        ("mot/a/gt/gt.txt", "1,1,1,1,9,9,1,1,1\n2,1,2,1,9,9,1,1,1\n2,2,2,1,9,9,0,1,1\n"),
        ("mot/a/img1/000001.png", ""),
        ("mot/a/img1/000002.png", ""),
        ("mot/b/seqinfo.ini", info),
        ("mot/b/img1/000001.png", ""),
        ("mot/c/gt/gt.txt", ""),
        ("vis/s1/0000001.png", ""),
        ("visl/s1.txt", "1,0,1,1,9,9,1,4,0,0\n1,0,20,20,9,9,0,0,0,0\n"),
        ("uav/M1/img000001.png", ""),
        ("uavl/M1_gt_whole.txt", "1,1,1,1,9,9,1,1,2\n"),
        ("uavl/M1_gt_ignore.txt", "1,-1,9,9,9,9,1,-1,-1\n"),
    ];
    let directory = tempfile::tempdir().unwrap();
    write(directory.path(), &files);
    let with = |truth: &str| {
        fs::write(directory.path().join("set.toml"), format!("{HEAD}{truth}")).unwrap();
        load(directory.path())
    };
    let (dataset, problems) = with("[labelled]\nclasses = [\"person\"]\n[truth.mot]\nsequences = \"mot\"\n");
    assert_eq!(
        problems,
        [
            "mot/b/seqinfo.ini: seqLength is 2, but there are 1 pictures; hint: fetch the missing pictures",
            "mot/b/gt/gt.txt: there is no such file; hint: fetch it, or mend the path in the manifest",
            "mot/c/seqinfo.ini: there is no such file; hint: fetch it, or mend the path in the manifest",
        ]
    );
    assert_eq!(dataset.left_out, [left_out("c", "its seqinfo.ini cannot be read")]);
    assert_eq!(dataset.sequences[0].boxes, Coverage::Whole);
    assert_eq!(dataset.sequences[0].frames[1].boxes.len(), 2);
    assert_eq!(dataset.sequences[0].frames[1].at, 0.2);
    assert_eq!(dataset.sequences[1].boxes, Coverage::Not("its label file cannot be read".into()));

    let (dataset, problems) =
        with("[truth.visdrone_sequences]\nsequences = \"vis\"\nlabels = \"visl\"\nframes_per_second = 30\n");
    assert!(problems.is_empty(), "{problems:?}");
    let frame = &dataset.sequences[0].frames[0];
    assert_eq!((frame.boxes[0].label.as_str(), frame.boxes[0].track), ("car", Some(0)));
    assert_eq!(frame.regions.len(), 1);

    let (dataset, problems) =
        with("[truth.uavdt]\nsequences = \"uav\"\nlabels = \"uavl\"\nframes_per_second = 30\n");
    assert!(problems.is_empty(), "{problems:?}");
    let frame = &dataset.sequences[0].frames[0];
    assert_eq!((frame.boxes[0].label.as_str(), frame.regions.len()), ("truck", 1));
}

#[test]
fn results_of_another_program_are_findings_of_the_pictures() {
    let directory = tempfile::tempdir().unwrap();
    let manifest =
        format!("{HEAD}[labelled]\nclasses = [\"dog\"]\n[truth.coco]\nfile = \"t.json\"\nimages = \"i\"\n");
    let truth = r#"{"images": [{"id": 4, "file_name": "a.png", "width": 64, "height": 48},
{"id": 5, "file_name": "b.png", "width": 64, "height": 48}, {"id": 6, "file_name": "c.png", "width": 60, "height": 48}],
"annotations": [{"image_id": 4, "category_id": 1, "bbox": [1, 1, 9, 9]}, {"image_id": 4, "category_id": 2, "bbox": [1, 1, 9, 9]}],
"categories": [{"id": 1, "name": "dog"}, {"id": 2, "name": "cat"}]}"#;
    let results = r#"[{"image_id": 5, "category_id": 1, "bbox": [1, 1, 9, 9], "score": 0.5},
{"image_id": 5, "category_id": 2, "bbox": [1, 1, 9, 9], "score": 0.5},
{"image_id": 6, "category_id": 1, "bbox": [1, 1, 9, 9], "score": 0.5}]"#;
    write(
        directory.path(),
        &[
            ("set.toml", manifest.as_str()),
            ("t.json", truth),
            ("r.json", results),
            ("i/a.png", ""),
            ("i/b.png", ""),
            ("i/c.png", ""),
        ],
    );
    let (dataset, problems) = load(directory.path());
    assert_eq!(
        problems,
        ["i/c.png: 64 × 48, but labelled at 60 × 48; hint: use the picture that was labelled"]
    );
    assert_eq!(dataset.left_out.iter().map(|left| left.id).collect::<Vec<_>>(), [Some(6)]);
    assert_eq!(dataset.images.iter().map(|image| image.boxes.len()).collect::<Vec<_>>(), [1, 0]);
    let (found, problems) = dataset.found_coco(&directory.path().join("r.json"));
    assert!(problems.is_empty(), "{problems:?}");
    assert_eq!(found.iter().map(Vec::len).collect::<Vec<_>>(), [0, 1]);
    assert_eq!(found[1][0].label.as_str(), "dog");
}

#[test]
fn the_hash_changes_with_the_labels_and_the_manifest() {
    let directory = tempfile::tempdir().unwrap();
    let manifest = format!("{HEAD}[classes]\n2 = \"car\"\n[truth.yolo]\nimages = \"i\"\nlabels = \"l\"\n");
    write(
        directory.path(),
        &[("set.toml", manifest.as_str()), ("i/a.png", ""), ("l/a.txt", "2 0.5 0.5 0.5 0.5\n")],
    );
    let first = load(directory.path()).0.label_hash;
    assert_eq!(first.len(), 64);
    assert_eq!(load(directory.path()).0.label_hash, first);
    write(directory.path(), &[("l/a.txt", "2 0.5 0.5 0.5 0.4\n")]);
    let second = load(directory.path()).0.label_hash;
    assert_ne!(second, first);
    write(directory.path(), &[("set.toml", &manifest.replace("A set", "The set"))]);
    assert_ne!(load(directory.path()).0.label_hash, second);
    let mut hashes = MediaHashes::default();
    let path = directory.path().join("abc");
    fs::write(&path, "abc").unwrap();
    // FIPS 180-2, appendix B.1.
    let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    assert_eq!(hashes.of(&path).unwrap(), abc);
    fs::write(&path, "abcd").unwrap();
    assert_ne!(hashes.of(&path).unwrap(), abc);
}
