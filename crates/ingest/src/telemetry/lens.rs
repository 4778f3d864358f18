//! Focal lengths in picture widths, from the ways in which cameras tell them.

/// Width of the 35 mm picture, millimetres.
const FILM_WIDTH: f64 = 36.0;

/// From a 35 mm equivalent in millimetres, for a picture that is as wide as the sensor.
pub(crate) fn of_35mm(millimeters: f64) -> Option<f64> {
    plausible(millimeters / FILM_WIDTH)
}

/// From the horizontal field of view in degrees.
pub(crate) fn of_field_of_view(degrees: f64) -> Option<f64> {
    (0.1..179.0).contains(&degrees).then(|| 0.5 / (degrees.to_radians() / 2.0).tan()).and_then(plausible)
}

/// The range that `core::geo::Lens` takes.
pub(crate) fn plausible(widths: f64) -> Option<f64> {
    (0.1..=100.0).contains(&widths).then_some(widths)
}

/// The focal length of cameras whose 35 mm equivalent is known to be off, by EXIF's `Model`; for pictures that are as
/// wide as the sensor.
pub(crate) fn of_model(model: &str) -> Option<f64> {
    match model.trim() {
        // Phantom 3 Professional, "20 mm": self-calibrated by OpenSfM (opensfm/data/camera_calibration.yaml, BSD-2).
        "FC300S" => Some(0.5931),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn focal_lengths_are_in_widths() {
        assert_eq!(of_35mm(36.0), Some(1.0));
        assert!((of_field_of_view(90.0).unwrap() - 0.5).abs() < 1e-12);
        assert_eq!((of_35mm(0.0), of_field_of_view(0.0), of_field_of_view(180.0)), (None, None, None));
        assert_eq!(of_35mm(f64::NAN), None);
    }
}
