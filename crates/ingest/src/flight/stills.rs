//! A folder of stills as a flight.

use std::{fs::File, io::BufReader, path::Path, time::Duration};

use parapet_core::{Timestamp, geo::Lens};

use super::{FlightError, FlightKind, FlightOptions, Opened, Shot, Sight, Skipped, Source, captured_at};
use crate::{
    images::sort_key,
    telemetry::{
        Reading, TrackOptions, Trouble, check,
        still::{self, Edit, StillMetadata},
    },
};

/// A still with a usable head.
struct Still {
    name: String,
    metadata: StillMetadata,
    lens: Lens,
}

pub(super) fn open(folder: &Path, options: &FlightOptions) -> Result<Opened, FlightError> {
    let failed = |source| FlightError::Read { path: folder.to_owned(), source };
    let mut names = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        let extension = path.extension().map(|e| e.to_string_lossy().to_lowercase()).unwrap_or_default();
        if matches!(extension.as_str(), "jpg" | "jpeg")
            && let Some(name) = path.file_name()
        {
            names.push(name.to_string_lossy().into_owned());
        }
    }
    if names.is_empty() {
        return Err(FlightError::UnknownKind { path: folder.to_owned() });
    }
    names.sort_by_key(|name| sort_key(name));
    let (mut stills, mut skipped) = (Vec::new(), Vec::new());
    for name in names {
        match read(&folder.join(&name), options) {
            Ok((metadata, lens)) => stills.push(Still { name, metadata, lens }),
            Err(reason) => skipped.push(Skipped { name, reason }),
        }
    }
    // Stable: stills without a time, or of the same second, stay in the order of their names.
    stills.sort_by_key(|s| s.metadata.sample.recorded_at.unwrap_or(Timestamp::MAX));
    let begin = stills.first().and_then(|s| s.metadata.sample.recorded_at);
    let mut reading = Reading::default();
    let mut at = Duration::ZERO;
    for still in &stills {
        let since =
            begin.zip(still.metadata.sample.recorded_at).map(|(begin, time)| time.duration_since(begin));
        at = since.and_then(|since| since.try_into().ok()).unwrap_or(at);
        reading.samples.push(crate::telemetry::Sample { at, ..still.metadata.sample });
    }
    let is_timed = stills.iter().all(|s| s.metadata.sample.recorded_at.is_some());
    let track = TrackOptions {
        max_gap: Duration::MAX,
        // EXIF counts whole seconds; without times nothing can be said about speed.
        time_resolution: if is_timed { Duration::from_secs(1) } else { Duration::MAX },
        ..options.track()
    };
    let (fixes, mut report) = check(&reading, &track);
    for (edit, trouble) in [(Edit::UpsideDown, Trouble::UpsideDown), (Edit::Saved, Trouble::Edited)] {
        let mut start = 0;
        for run in stills.chunk_by(|a, b| (a.metadata.edit == edit) == (b.metadata.edit == edit)) {
            let end = start + run.len();
            if run[0].metadata.edit == edit {
                report.add(trouble, reading.samples[start].at, reading.samples[end - 1].at, run.len());
            }
            start = end;
        }
    }
    let positions = fixes.iter().flatten().map(|fix| fix.position).collect();
    let files = stills.iter().map(|s| folder.join(&s.name)).collect();
    let shots = stills.into_iter().zip(&reading.samples).zip(&fixes).map(|((still, sample), fix)| {
        let pose = fix.and_then(|fix| fix.pose());
        let time = sample.recorded_at.and_then(|time| time.checked_add(options.clock_correction).ok());
        Shot {
            name: still.name,
            at: sample.at,
            captured_at: captured_at(fix.as_ref(), options).or(time),
            size: still.metadata.size,
            sight: Sight::Camera { pose, lens: still.lens },
        }
    });
    Ok(Opened {
        kind: FlightKind::Stills,
        shots: shots.collect(),
        skipped,
        report,
        source: Source::Files(files),
        positions,
    })
}

/// Metadata and lens, or the reason why the still is left out.
fn read(path: &Path, options: &FlightOptions) -> Result<(StillMetadata, Lens), String> {
    let file = File::open(path).map_err(|e| still::StillError::from(e).to_string())?;
    let metadata = still::read(&mut BufReader::new(file), &options.time_zone).map_err(|e| e.to_string())?;
    if metadata.edit == Edit::Reshaped {
        return Err(
            "it was cropped or turned, so its pose does not fit its pixels; hint: take the drone's own file"
                .to_owned(),
        );
    }
    let focal = options.focal.or(metadata.sample.focal).ok_or(
        "its focal length is unknown; hint: keep EXIF when pictures are resized, or give it in picture widths",
    )?;
    let aspect = f64::from(metadata.size.1) / f64::from(metadata.size.0);
    let lens = Lens::new(focal, aspect).map_err(|e| e.to_string())?;
    Ok((metadata, lens))
}
