//! A picture at the working size, as numbers to calculate with.

use parapet_core::Picture;

use crate::raster::Size;

/// Luma from black = 0 and chroma from grey = 0, all at one size.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Small {
    pub(crate) y: Vec<f32>,
    pub(crate) u: Vec<f32>,
    pub(crate) v: Vec<f32>,
}

/// The size at which a picture is worked on: at most `width` across, its shape kept.
pub(crate) fn working_size(picture: &Picture, width: usize) -> Size {
    let w = width.clamp(32, 4096).min(picture.width());
    let h = (picture.height() * w + picture.width() / 2) / picture.width();
    Size { w, h: h.max(1) }
}

impl Small {
    pub(crate) fn new(picture: &Picture, size: Size) -> Self {
        let black = if picture.color().full_range { 0.0 } else { 16.0 };
        let plane = |plane: &parapet_core::Plane, zero: f32| {
            let mut values = Vec::with_capacity(size.len());
            for row in plane.resized(size.w, size.h).rows() {
                values.extend(row.iter().map(|s| f32::from(*s) - zero));
            }
            values
        };
        Self { y: plane(picture.y(), black), u: plane(picture.u(), 128.0), v: plane(picture.v(), 128.0) }
    }
}
