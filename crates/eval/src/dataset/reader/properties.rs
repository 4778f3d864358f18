//! Properties of all readers: no bytes make them panic, every line is either read or told, and what is written out is
//! read back.

use std::fmt::Write as _;

use proptest::prelude::*;

use super::{
    boxes_csv::{self, BoxesForm},
    coco, events,
    fixture::{with_file, with_mot, with_names, with_table},
    mot, scenario, text_of, uavdt, visdrone, voc, yolo,
};
use crate::dataset::ClassTable;

/// Text that resembles label files more than plain noise does.
fn nearly_labels() -> impl Strategy<Value = String> {
    let word = prop_oneof![
        Just("1".to_owned()),
        Just("-1".to_owned()),
        Just("nan".to_owned()),
        Just("1e400".to_owned()),
        Just("9223372036854775807".to_owned()),
        Just("-9223372036854775808".to_owned()),
        Just("\"".to_owned()),
        Just("é北".to_owned()),
        Just("frame".to_owned()),
        Just("sequence".to_owned()),
        Just("kind".to_owned()),
        Just("start_seconds".to_owned()),
        Just("xmin".to_owned()),
        Just("<object>".to_owned()),
        Just("{\"images\":[".to_owned()),
        any::<f64>().prop_map(|v| v.to_string()),
        any::<i16>().prop_map(|v| v.to_string()),
    ];
    let separator = prop_oneof![Just(","), Just("\t"), Just(" "), Just("\n"), Just("\r\n"), Just("=")];
    prop::collection::vec((word, separator), 0..120)
        .prop_map(|parts| parts.into_iter().map(|(word, separator)| word + separator).collect())
}

fn read_with_all(text: &str) {
    let size = Some((640, 480));
    let form = BoxesForm { frames_per_second: Some(25.0), one_thing: false };
    with_file("a", size, |file, problems| yolo::read(text, file, problems));
    with_file("a", size, |file, problems| boxes_csv::read(text, file, form, problems));
    let header = "t_s,xmin,ymin,xmax,ymax,label,track\n".to_owned() + text;
    with_file("a", size, |file, problems| boxes_csv::read(&header, file, form, problems));
    with_file("a", size, |file, problems| events::read(text, file, problems));
    let header = "sequence,kind,start_seconds\n".to_owned() + text;
    with_file("a", size, |file, problems| events::read(&header, file, problems));
    with_mot(|file, problems| mot::read(text, file, problems));
    with_mot(|file, problems| mot::read_info(text, file.path, problems));
    with_mot(|file, problems| {
        mot::read_found(text, file.path, &parapet_core::Label::new("person"), problems)
    });
    with_table(ClassTable::Visdrone, size, |file, problems| visdrone::read(text, file, problems));
    with_table(ClassTable::Visdrone, size, |file, problems| visdrone::read_sequence(text, file, problems));
    with_table(ClassTable::Uavdt, size, |file, problems| uavdt::read(text, file, problems));
    with_table(ClassTable::Uavdt, size, |file, problems| uavdt::read_regions(text, file, problems));
    with_names(size, |file, problems| voc::read(text, file, true, problems));
    with_names(size, |file, problems| coco::read(text, file, problems));
    with_names(size, |file, problems| scenario::read(text, file, problems));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_bytes_make_a_reader_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        read_with_all(&text_of(&bytes));
    }

    #[test]
    fn no_near_miss_makes_a_reader_panic(text in nearly_labels()) {
        read_with_all(&text);
    }

    #[test]
    fn every_line_of_a_label_file_is_read_or_told(text in nearly_labels()) {
        let (labels, told) =
            with_file("a", None, |file, problems| yolo::read(&text, file, problems));
        let lines = text.lines().filter(|line| !line.trim().is_empty()).count();
        // The fixture's map has no unused class among the words.
        prop_assert!(labels.boxes.len() + labels.regions.len() + told.len() >= lines.min(20));
    }

    #[test]
    fn mot_files_are_read_back(
        boxes in prop::collection::btree_map((1u64..50, 0u64..20), (-50i32..500, -50i32..500, 1i32..300, 1i32..300, any::<bool>()), 0..60)
    ) {
        let mut text = String::new();
        for ((frame, id), (x, y, w, h, considered)) in &boxes {
            writeln!(text, "{frame},{id},{}.5,{y},{w},{h},{},1,1", x, u8::from(*considered)).expect("a text grows");
        }
        let (tracks, told) = with_mot(|file, problems| mot::read(&text, file, problems));
        prop_assert!(told.is_empty(), "{:?}", told);
        let mut back = String::new();
        for (frame, labels) in &tracks.frames {
            for b in &labels.boxes {
                let r = b.rect;
                writeln!(
                    back, "{},{},{:.1},{},{},{},{},1,1",
                    frame + 1, b.track.expect("tracks have ids"), r.x, r.y, r.width, r.height, u8::from(!b.ignored)
                ).expect("a text grows");
            }
        }
        prop_assert_eq!(back.replace("-0.5", "0.5"), text.replace("-0.5", "0.5"));
    }

    #[test]
    fn yolo_files_are_read_back(
        boxes in prop::collection::vec((0u32..64, 0u32..48, 1u32..64, 1u32..48), 0..40)
    ) {
        let mut text = String::new();
        let (width, height) = (64.0, 48.0);
        for (x, y, w, h) in &boxes {
            let (x, y, w, h) = (f64::from(*x), f64::from(*y), f64::from(*w).min(width), f64::from(*h).min(height));
            let (w, h) = (w.min(width - x), h.min(height - y));
            writeln!(text, "2 {} {} {} {}", (x + w / 2.0) / width, (y + h / 2.0) / height, w / width, h / height)
                .expect("a text grows");
        }
        let (labels, told) =
            with_file("a", Some((64, 48)), |file, problems| yolo::read(&text, file, problems));
        prop_assert!(told.is_empty(), "{:?}", told);
        for (read, (x, y, ..)) in labels.boxes.iter().zip(&boxes) {
            prop_assert!((read.rect.x - f64::from(*x)).abs() < 1e-9);
            prop_assert!((read.rect.y - f64::from(*y)).abs() < 1e-9);
        }
        prop_assert_eq!(labels.boxes.len(), boxes.len());
    }

    #[test]
    fn coco_files_are_read_back(
        boxes in prop::collection::vec((1u64..9, 0.0f64..600.0, 0.0f64..400.0, 0.5f64..300.0, 0.5f64..300.0, any::<bool>()), 0..40)
    ) {
        let images: Vec<_> = (1..9)
            .map(|id| serde_json::json!({"id": id, "file_name": format!("{id}.jpg"), "width": 640, "height": 480}))
            .collect();
        let annotations: Vec<_> = boxes.iter().map(|(image, x, y, w, h, crowd)| serde_json::json!({
            "image_id": image, "category_id": 3, "bbox": [x, y, w, h], "area": w * h, "iscrowd": u8::from(*crowd)
        })).collect();
        let file = serde_json::json!({
            "images": images, "annotations": annotations, "categories": [{"id": 3, "name": "car"}]
        });
        let (instances, told) = with_names(None, |f, problems| coco::read(&file.to_string(), f, problems));
        prop_assert!(told.is_empty(), "{:?}", told);
        for id in 1..9 {
            let read: Vec<_> = instances.images[&id].labels.boxes.iter()
                .map(|b| (b.rect.x, b.rect.y, b.rect.width, b.rect.height, b.crowd)).collect();
            let written: Vec<_> = boxes.iter().filter(|b| b.0 == id).map(|b| (b.1, b.2, b.3, b.4, b.5)).collect();
            prop_assert_eq!(read, written);
        }
    }
}
