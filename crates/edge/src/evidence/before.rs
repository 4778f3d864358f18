//! What a view looked like a while ago: small pictures of the past, thinner the older they are.

use std::{collections::VecDeque, sync::Arc};

use parapet_core::{Frame, Timestamp, time::seconds_between};

use super::jpeg;

/// Pictures are kept at most this large.
const SIZE: (usize, usize) = (960, 960);
/// Up to this age in seconds, pictures at least this many seconds apart are kept.
const KEPT: [(f64, f64); 4] = [(30.0, 1.0), (300.0, 10.0), (3600.0, 60.0), (6.0 * 3600.0, 600.0)];

/// A picture of the past.
#[derive(Debug, Clone)]
pub(crate) struct PastPicture {
    /// When it was taken.
    pub(crate) captured_at: Timestamp,
    /// The encoded picture.
    pub(crate) jpeg: Arc<Vec<u8>>,
}

/// The past of one view. About 120 pictures at most.
#[derive(Debug, Default)]
pub(crate) struct PastPictures(VecDeque<PastPicture>);

impl PastPictures {
    /// Takes the frame in if the latest picture is old enough.
    pub(crate) fn offer(&mut self, frame: &Frame) {
        let at = frame.captured_at;
        if self.0.back().is_some_and(|last| seconds_between(last.captured_at, at) < KEPT[0].1) {
            return;
        }
        let Ok(jpeg) = jpeg::encode(&frame.picture.fitted(SIZE.0, SIZE.1), 80) else { return };
        self.0.push_back(PastPicture { captured_at: at, jpeg: Arc::new(jpeg) });
        self.thin_out(at);
    }

    /// The latest picture that is not younger than `at`, or the oldest there is.
    pub(crate) fn at(&self, at: Timestamp) -> Option<&PastPicture> {
        self.0.iter().rev().find(|picture| picture.captured_at <= at).or(self.0.front())
    }

    fn thin_out(&mut self, now: Timestamp) {
        let mut kept: Option<Timestamp> = None;
        let gap_at = |age: f64| KEPT.iter().find(|(limit, _)| age <= *limit).map(|(_, gap)| *gap);
        self.0.retain(|picture| {
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
        assert!(past.0.len() < 250, "{}", past.0.len());
        for (ago, tolerance) in [(20u64, 2.0), (200, 12.0), (3000, 70.0), (7000, 700.0)] {
            let wanted = end - Duration::from_secs(ago);
            let found = past.at(wanted).unwrap().captured_at;
            assert!((0.0..=tolerance).contains(&seconds_between(found, wanted)), "{ago}: {found} {wanted}");
        }
    }
}
