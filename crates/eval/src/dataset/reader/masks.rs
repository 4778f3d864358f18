//! Pairs of pictures before and after with a mask of what changed, as LEVIR-CD (Chen & Shi, "A Spatial-Temporal
//! Attention-Based Method", Remote Sensing 2020) and DSIFN keep them: the same file name in three directories.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use crate::dataset::{
    item::{ChangePair, LeftOut},
    problem::{Fault, Problems},
};

/// Files of a directory by their name without extension.
pub type Named = BTreeMap<String, PathBuf>;

/// Matches the files of three directories. `size` reads a picture's size. What does not match is told and left out.
pub fn pair(
    [before, after, masks]: [&Named; 3],
    without: &[String],
    size: impl Fn(&Path) -> Result<(u32, u32), Fault>,
    problems: &mut Problems,
    left_out: &mut Vec<LeftOut>,
) -> Vec<ChangePair> {
    let mut names: Vec<&String> = before.keys().chain(after.keys()).chain(masks.keys()).collect();
    names.sort();
    names.dedup();
    let mut pairs = Vec::new();
    for name in names {
        if without.contains(name) {
            left_out.push(LeftOut::new(name, "the manifest says so"));
            continue;
        }
        let files =
            [("before", before), ("after", after), ("mask", masks)].map(|(what, of)| (what, of.get(name)));
        let there = files.iter().find_map(|(_, file)| *file);
        let [(_, Some(before)), (_, Some(after)), (_, Some(mask))] = files else {
            let missing: Vec<&str> =
                files.iter().filter(|(_, file)| file.is_none()).map(|(what, _)| *what).collect();
            let fault = Fault::new(
                format!("the pair \"{name}\" has no {}", missing.join(" and no ")),
                "fetch the file, or name the pair in `without`",
            );
            problems.add(there.map_or(Path::new(""), PathBuf::as_path), None, fault);
            left_out.push(LeftOut::new(name, "a picture of the pair is missing"));
            continue;
        };
        match sizes([before, after, mask], &size) {
            Ok((width, height)) => pairs.push(ChangePair {
                name: name.clone(),
                before: before.clone(),
                after: after.clone(),
                mask: mask.clone(),
                width,
                height,
            }),
            Err((file, fault)) => {
                problems.add(&file, None, fault);
                left_out.push(LeftOut::new(name, "its pictures do not fit together"));
            }
        }
    }
    pairs
}

fn sizes(
    files: [&PathBuf; 3],
    size: &impl Fn(&Path) -> Result<(u32, u32), Fault>,
) -> Result<(u32, u32), (PathBuf, Fault)> {
    let first = size(files[0]).map_err(|fault| (files[0].clone(), fault))?;
    for file in &files[1..] {
        let (width, height) = size(file).map_err(|fault| ((*file).clone(), fault))?;
        if (width, height) != first {
            return Err((
                (*file).clone(),
                Fault::new(
                    format!("{width} × {height}, but the picture before has {} × {}", first.0, first.1),
                    "all three pictures of a pair must have one size",
                ),
            ));
        }
    }
    Ok(first)
}
