//! Outlines: what is inside, softly.

/// Coverage of an outline, softened over about `feather` pixels: positive inside.
pub(super) fn coverage(outline: &[[f32; 2]], feather: f32, p: [f32; 2]) -> f32 {
    let mut inside = false;
    let mut nearest = f32::INFINITY;
    for i in 0..outline.len() {
        let (a, b) = (outline[i], outline[(i + 1) % outline.len()]);
        if (a[1] > p[1]) != (b[1] > p[1]) && p[0] < (b[0] - a[0]) * (p[1] - a[1]) / (b[1] - a[1]) + a[0] {
            inside = !inside;
        }
        let d = [b[0] - a[0], b[1] - a[1]];
        let length = d[0] * d[0] + d[1] * d[1];
        let t = if length > 0.0 { ((p[0] - a[0]) * d[0] + (p[1] - a[1]) * d[1]) / length } else { 0.0 };
        let t = t.clamp(0.0, 1.0);
        nearest = nearest.min((a[0] + t * d[0] - p[0]).hypot(a[1] + t * d[1] - p[1]));
    }
    let signed = if inside { nearest } else { -nearest };
    (signed / feather.max(0.5) + 0.5).clamp(0.0, 1.0)
}

/// `[x_min, y_min, x_max, y_max]` of points, with a margin, in whole pixels.
pub(super) fn bounds<'a>(points: impl Iterator<Item = &'a [f32; 2]>, margin: f32) -> [f32; 4] {
    let mut b = [f32::INFINITY, f32::INFINITY, f32::NEG_INFINITY, f32::NEG_INFINITY];
    for p in points {
        b = [b[0].min(p[0]), b[1].min(p[1]), b[2].max(p[0]), b[3].max(p[1])];
    }
    [(b[0] - margin).floor(), (b[1] - margin).floor(), (b[2] + margin).ceil(), (b[3] + margin).ceil()]
}
