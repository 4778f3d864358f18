//! Lines, boxes and captions on an RGB picture: what the annotated snapshot and the annotated video show.

use image::{Rgb, RgbImage};
use parapet_core::{BBox, Picture, Point, Severity};

use super::font;

/// A colour.
pub(crate) type Color = [u8; 3];

/// Outlines of zones.
pub(crate) const ZONE: Color = [255, 214, 10];
/// Tracks that nothing is wrong with.
pub(crate) const TRACK: Color = [100, 210, 255];
/// Regions that are new in the view.
pub(crate) const REGION: Color = [191, 90, 242];

/// The colour of a suspicion.
pub(crate) fn of_severity(severity: Severity) -> Color {
    match severity {
        Severity::Low => [255, 159, 10],
        Severity::Medium => [255, 99, 50],
        Severity::High => [255, 45, 60],
    }
}

/// A picture to draw on.
pub(crate) struct Canvas {
    image: RgbImage,
    /// Pixels of a stroke: grows with the picture, so that it is seen on a 4K still too.
    stroke: i32,
}

impl Canvas {
    /// A copy of the picture.
    pub(crate) fn new(picture: &Picture) -> Self {
        let (width, height) = (picture.width() as u32, picture.height() as u32);
        let image = RgbImage::from_raw(width, height, picture.to_rgb()).expect("a picture is not empty");
        Self { stroke: (height / 240).max(1).cast_signed(), image }
    }

    /// The drawn picture.
    pub(crate) fn into_image(self) -> RgbImage {
        self.image
    }

    /// A closed outline.
    pub(crate) fn outline(&mut self, points: &[Point], color: Color) {
        for (i, a) in points.iter().enumerate() {
            self.line(*a, points[(i + 1) % points.len()], color);
        }
    }

    /// A box with a caption above it, or inside where there is no room above.
    pub(crate) fn labelled_box(&mut self, bbox: BBox, caption: &str, color: Color) {
        self.outline(&bbox.clamped().corners(), color);
        let (x, y) = self.pixel(Point::new(bbox.clamped().x_min(), bbox.clamped().y_min()));
        let height = self.caption_height();
        self.caption(x, if y >= height { y - height } else { y }, caption, color);
    }

    /// A caption in the lower left corner.
    pub(crate) fn footer(&mut self, text: &str) {
        let y = self.image.height().cast_signed() - self.caption_height();
        self.caption(0, y, text, [235, 235, 235]);
    }

    fn caption_height(&self) -> i32 {
        (font::HEIGHT + 4) * self.stroke
    }

    /// Dark text on a filled strip whose upper left corner is at `(x, y)`, moved to stay in the picture.
    fn caption(&mut self, x: i32, y: i32, text: &str, color: Color) {
        let scale = self.stroke;
        let advance = (font::WIDTH + 1) * scale;
        let width = advance * text.chars().map(|_| 1).sum::<i32>() + 3 * scale;
        let x = x.min(self.image.width().cast_signed() - width).max(0);
        self.fill(x, y, width, self.caption_height(), color);
        for (i, c) in (0i32..).zip(text.chars()) {
            for (row, bits) in (0i32..).zip(font::glyph(c)) {
                for column in 0..font::WIDTH {
                    if bits >> (font::WIDTH - 1 - column) & 1 == 1 {
                        let left = x + 2 * scale + i * advance + column * scale;
                        self.fill(left, y + (2 + row) * scale, scale, scale, [20, 20, 20]);
                    }
                }
            }
        }
    }

    fn line(&mut self, a: Point, b: Point, color: Color) {
        let ((x0, y0), (x1, y1)) = (self.pixel(a), self.pixel(b));
        let steps = (x1 - x0).abs().max((y1 - y0).abs()).max(1);
        let half = self.stroke / 2;
        for step in 0..=steps {
            let at =
                |from: i32, to: i32| from + ((to - from) as f32 * step as f32 / steps as f32).round() as i32;
            self.fill(at(x0, x1) - half, at(y0, y1) - half, self.stroke, self.stroke, color);
        }
    }

    fn fill(&mut self, x: i32, y: i32, width: i32, height: i32, color: Color) {
        let (w, h) = (self.image.width().cast_signed(), self.image.height().cast_signed());
        for py in y.max(0)..(y + height).min(h) {
            for px in x.max(0)..(x + width).min(w) {
                self.image.put_pixel(px as u32, py as u32, Rgb(color));
            }
        }
    }

    fn pixel(&self, p: Point) -> (i32, i32) {
        let at = |v: f32, n: u32| (v * n as f32).clamp(0.0, n as f32 - 1.0) as i32;
        (at(p.x, self.image.width()), at(p.y, self.image.height()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gray() -> Picture {
        Picture::from_rgb(320, 240, &[90u8; 3].repeat(320 * 240)).unwrap()
    }

    #[test]
    fn a_box_is_drawn_on_its_edge_and_not_inside() {
        let mut canvas = Canvas::new(&gray());
        canvas.labelled_box(BBox::new(0.25, 0.5, 0.75, 0.9).unwrap(), "dog", REGION);
        let image = canvas.into_image();
        assert_eq!(image.get_pixel(80, 150).0, REGION);
        assert_ne!(image.get_pixel(160, 170).0, REGION);
    }

    #[test]
    fn nothing_is_drawn_outside_and_long_captions_do_not_panic() {
        let mut canvas = Canvas::new(&gray());
        canvas.labelled_box(BBox::new(-0.5, -0.5, 1.5, 1.5).unwrap(), &"北门 x".repeat(60), ZONE);
        canvas.footer("2026-11-22T02:31:32Z");
        assert_eq!(canvas.into_image().dimensions(), (320, 240));
    }
}
