//! What a view looked like a while ago: small pictures of the past, thinner the older they are.

use std::{collections::VecDeque, sync::Arc};

use parapet_core::{Frame, Timestamp, time::seconds_between};

use super::jpeg;

/// Which pictures are kept.
#[derive(Debug, Clone, Copy)]
struct Kept {
    /// At most this large.
    size: usize,
    quality: u8,
    /// Up to this age in seconds, those at least this many seconds apart.
    gaps: &'static [(f64, f64)],
}

/// Of a camera that is watched all the time. About 120 pictures at most.
const WATCHED: Kept = Kept {
    size: 960,
    quality: 80,
    gaps: &[(30.0, 2.0), (300.0, 10.0), (3600.0, 60.0), (6.0 * 3600.0, 600.0)],
};
/// Of one among hundreds on patrol: some 60 smaller ones at most, one of each visit.
const PATROLLED: Kept =
    Kept { size: 640, quality: 75, gaps: &[(300.0, 4.0), (3600.0, 300.0), (6.0 * 3600.0, 1800.0)] };

/// A picture of the past.
#[derive(Debug, Clone)]
pub(crate) struct PastPicture {
    /// When it was taken.
    pub(crate) captured_at: Timestamp,
    /// The encoded picture.
    pub(crate) jpeg: Arc<Vec<u8>>,
}

/// The past of one view.
#[derive(Debug)]
pub(crate) struct PastPictures {
    pictures: VecDeque<PastPicture>,
    kept: Kept,
}

impl Default for PastPictures {
    fn default() -> Self {
        Self { pictures: VecDeque::new(), kept: WATCHED }
    }
}

impl PastPictures {
    /// The past of a view that is looked at now and then.
    pub(crate) fn of_visits() -> Self {
        Self { kept: PATROLLED, ..Self::default() }
    }

    /// Takes the frame in if the latest picture is old enough.
    pub(crate) fn offer(&mut self, frame: &Frame) {
        let at = frame.captured_at;
        if self
            .pictures
            .back()
            .is_some_and(|last| seconds_between(last.captured_at, at) < self.kept.gaps[0].1)
        {
            return;
        }
        let Kept { size, quality, .. } = self.kept;
        let Ok(jpeg) = jpeg::encode(&frame.picture.fitted(size, size), quality) else { return };
        self.pictures.push_back(PastPicture { captured_at: at, jpeg: Arc::new(jpeg) });
        self.thin_out(at);
    }

    /// The latest picture that is not younger than `at`, or the oldest there is.
    pub(crate) fn at(&self, at: Timestamp) -> Option<&PastPicture> {
        self.pictures.iter().rev().find(|picture| picture.captured_at <= at).or(self.pictures.front())
    }

    fn thin_out(&mut self, now: Timestamp) {
        let mut kept: Option<Timestamp> = None;
        let gaps = self.kept.gaps;
        let gap_at = |age: f64| gaps.iter().find(|(limit, _)| age <= *limit).map(|(_, gap)| *gap);
        self.pictures.retain(|picture| {
            let Some(gap) = gap_at(seconds_between(picture.captured_at, now)) else { return false };
            // Half a gap of tolerance: a picture must not vanish because its neighbour was a little early.
            let keep = kept.is_none_or(|last| seconds_between(last, picture.captured_at) >= gap * 0.5);
            if keep {
                kept = Some(picture.captured_at);
            }
            keep
        });
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use parapet_core::{Picture, RunId};

    use super::*;

    #[test]
    fn the_past_is_kept_thinner_the_older_it_is() {
        let picture = Arc::new(Picture::from_rgb(8, 8, &[7; 192]).unwrap());
        let start: Timestamp = "2026-11-22T00:00:00Z".parse().unwrap();
        let mut past = PastPictures::default();
        for i in 0..4 * 3600u64 {
            past.offer(&Frame {
                camera: "gate".parse().unwrap(),
                preset: None,
                run: RunId::derive(&["r"]),
                sequence: i,
                captured_at: start + Duration::from_millis(i * 500),
                picture: picture.clone(),
            });
        }
        let end = start + Duration::from_hours(2);
        assert!(past.pictures.len() < 250, "{}", past.pictures.len());
        for (ago, tolerance) in [(20u64, 2.0), (200, 12.0), (3000, 70.0), (7000, 700.0)] {
            let wanted = end - Duration::from_secs(ago);
            let found = past.at(wanted).unwrap().captured_at;
            assert!((0.0..=tolerance).contains(&seconds_between(found, wanted)), "{ago}: {found} {wanted}");
        }
    }

    #[test]
    fn of_visits_little_is_kept() {
        let picture = Arc::new(Picture::from_rgb(8, 8, &[7; 192]).unwrap());
        let start: Timestamp = "2026-11-22T00:00:00Z".parse().unwrap();
        let mut past = PastPictures::of_visits();
        for i in 0..8 * 240u64 {
            past.offer(&Frame {
                camera: "gate".parse().unwrap(),
                preset: None,
                run: RunId::derive(&["r"]),
                sequence: i,
                // Two looks, a second apart, every half minute.
                captured_at: start + Duration::from_secs(i / 2 * 30 + i % 2),
                picture: picture.clone(),
            });
        }
        assert!((25..70).contains(&past.pictures.len()), "{}", past.pictures.len());
        let end = start + Duration::from_hours(8);
        let before = past.at(end - Duration::from_secs(45)).unwrap().captured_at;
        assert!((0.0..=30.0).contains(&seconds_between(before, end - Duration::from_secs(45))), "{before}");
    }
}
