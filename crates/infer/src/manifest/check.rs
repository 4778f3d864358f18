//! What types cannot say about a manifest: values that fit each other and the world.

use std::{collections::BTreeSet, path::Path};

use super::{Classes, Document, Problem, parse::Located};
use crate::{
    family::{Detr, Family, NanodetOutputs},
    letterbox::Fit,
};

/// Adds everything that is wrong with `document`, which lies in `directory`.
pub(super) fn check(
    document: &Document,
    directory: &Path,
    located: &Located<'_>,
    problems: &mut Vec<Problem>,
) {
    let mut report = |path: &[&str], message: String| {
        problems.push(Problem { line: located.line(path), message });
    };

    if document.format != 1 {
        let message = format!("format {} is not known; hint: this program reads format 1", document.format);
        report(&["format"], message);
    }
    let folder = directory.file_name().map(|n| n.to_string_lossy().into_owned());
    if folder.as_deref().is_some_and(|f| f != document.name) {
        let folder = folder.unwrap_or_default();
        report(
            &["name"],
            format!("name \"{}\" is not the folder's; hint: name = \"{folder}\"", document.name),
        );
    }
    for (key, text) in [("description", &document.description), ("licence", &document.licence)] {
        if text.trim().is_empty() {
            report(&[key], format!("{key} is empty"));
        }
    }
    if document.source.url.trim().is_empty() && document.source.package.is_none() {
        report(&["source", "url"], "the source is empty; hint: say where the weights came from".into());
    }
    if document.source.sha256.as_deref().is_some_and(|s| !is_sha256(s)) {
        report(&["source", "sha256"], not_a_hash());
    }

    let variants = &document.variants;
    let named = [("fp32", &variants.fp32), ("fp16", &variants.fp16), ("int8", &variants.int8)];
    if named.iter().all(|(_, v)| v.is_none()) {
        report(&["variants"], "there are no weights; hint: add [variants.fp32]".into());
    }
    for (name, variant) in named {
        let Some(variant) = variant else { continue };
        if !is_inside(&variant.file) {
            report(
                &["variants", name, "file"],
                format!(
                    "\"{}\" leaves the model's folder; hint: a relative path without \"..\"",
                    variant.file
                ),
            );
        }
        if !is_sha256(&variant.sha256) {
            report(&["variants", name, "sha256"], not_a_hash());
        }
        if variant.bytes == 0 {
            report(&["variants", name, "bytes"], "a file of weights is not empty".into());
        }
    }

    let input = &document.input;
    let step = input.multiple_of.unwrap_or(1);
    if step == 0 {
        report(&["input", "multiple_of"], "multiple_of must be at least 1".into());
    } else if input.size.iter().any(|s| *s == 0 || s % step != 0) {
        report(&["input", "size"], format!("size {:?} must be of positive multiples of {step}", input.size));
    }
    if input.std.iter().any(|s| *s == 0.0 || !s.is_finite()) {
        report(&["input", "std"], "std must be finite and not 0".into());
    }
    if input.mean.iter().any(|m| !m.is_finite()) {
        report(&["input", "mean"], "mean must be finite".into());
    }
    if !input.scale.is_finite() || input.scale == 0.0 {
        report(&["input", "scale"], "scale must be finite and not 0".into());
    }
    match input.pad {
        Some(_) if input.fit == Fit::Stretch => {
            report(&["input", "pad"], "nothing is padded with fit = \"stretch\"; hint: remove pad".into());
        }
        Some(pad) if !(0.0..=255.0).contains(&pad) => {
            report(&["input", "pad"], format!("pad {pad} is no pixel value; hint: 0 to 255"));
        }
        _ => {}
    }

    let detects = !matches!(document.family, Family::Features(_));
    check_family(&document.family, &mut report);
    match (&document.classes, detects) {
        (None, true) => report(
            &["classes"],
            "a detector needs its classes; hint: classes = { set = \"coco80\" } or { names = [...] }".into(),
        ),
        (Some(_), false) => report(&["classes"], "feature maps have no classes; hint: remove classes".into()),
        (Some(Classes::Names(names)), true) => {
            let mut seen = BTreeSet::new();
            let twice: Vec<_> = names.iter().filter(|n| !seen.insert(n.as_str())).collect();
            if names.is_empty() || names.iter().any(|n| n.trim().is_empty()) {
                report(&["classes"], "every class needs a name".into());
            }
            if !twice.is_empty() {
                report(&["classes"], format!("these classes are named twice: {twice:?}"));
            }
        }
        _ => {}
    }
    match (&document.thresholds, detects) {
        (None, true) => {
            report(&["thresholds"], "a detector needs thresholds; hint: [thresholds] score = 0.35".into());
        }
        (Some(_), false) => {
            report(&["thresholds"], "feature maps have no thresholds; hint: remove [thresholds]".into());
        }
        (Some(t), true) => {
            if !(0.0..=1.0).contains(&t.score) {
                report(&["thresholds", "score"], format!("score {} is not within 0..1", t.score));
            }
            if t.nms_iou.is_some_and(|iou| !(0.0..=1.0).contains(&iou)) {
                report(&["thresholds", "nms_iou"], "nms_iou is not within 0..1".into());
            }
        }
        _ => {}
    }
    for result in document.accuracy.iter().flat_map(|a| &a.results) {
        for (name, value) in &result.values {
            if !(0.0..=1.0).contains(value) {
                report(
                    &["accuracy", "results"],
                    format!("{name} = {value} on \"{}\" is not within 0..1", result.set),
                );
            }
        }
    }
}

fn check_family(family: &Family, report: &mut impl FnMut(&[&str], String)) {
    let path = ["family", family.name()];
    if family.outputs().iter().any(String::is_empty) {
        report(&path, "an output has no name".into());
    }
    let strides: Option<&[usize]> = match family {
        Family::Nanodet(f) => Some(&f.strides),
        Family::Yolox(f) => Some(&f.strides),
        Family::Yolo(_) | Family::Detr(_) | Family::Features(_) => None,
    };
    if strides.is_some_and(|s| s.is_empty() || s.contains(&0)) {
        report(&[path[0], path[1], "strides"], "strides must be positive numbers; hint: [8, 16, 32]".into());
    }
    match family {
        Family::Nanodet(f) => {
            if f.reg_max == 0 {
                report(&[path[0], path[1], "reg_max"], "reg_max must be at least 1".into());
            }
            if !f.centre.is_finite() {
                report(&[path[0], path[1], "centre"], "centre must be finite; hint: 0.5 or 0".into());
            }
            if let NanodetOutputs::PerStride { scores, distances } = &f.outputs
                && f.strides.len() > 1
                && !(scores.contains("{stride}") && distances.contains("{stride}"))
            {
                report(
                    &[path[0], path[1], "outputs"],
                    "names of outputs for each stride must contain \"{stride}\"".into(),
                );
            }
        }
        Family::Detr(Detr::Selected { sizes: Some(sizes), .. }) if sizes.is_empty() => {
            report(&[path[0], path[1], "selected"], "sizes has no name; hint: leave it out".into());
        }
        Family::Features(f) => {
            if f.outputs.is_empty() {
                report(&[path[0], path[1], "outputs"], "there is no feature map".into());
            }
            if f.outputs.iter().any(|o| o.stride == 0 || o.channels == 0) {
                report(&[path[0], path[1], "outputs"], "stride and channels must be positive".into());
            }
        }
        Family::Yolox(_) | Family::Yolo(_) | Family::Detr(_) => {}
    }
}

fn is_sha256(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
}

fn not_a_hash() -> String {
    "sha256 must be 64 digits of lower-case hex; hint: `sha256sum FILE`".into()
}

fn is_inside(path: &str) -> bool {
    use std::path::Component;
    !path.is_empty() && Path::new(path).components().all(|c| matches!(c, Component::Normal(_)))
}
