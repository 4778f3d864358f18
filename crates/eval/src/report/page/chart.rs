//! Line charts as SVG: one small frame, a line for each subject.

use maud::{Markup, html};

use super::{both, line_class};
use crate::report::catalogue::Text;

const WIDTH: f64 = 270.0;
const HEIGHT: f64 = 190.0;
const LEFT: f64 = 30.0;
const RIGHT: f64 = 14.0;
const TOP: f64 = 8.0;
const BOTTOM: f64 = 34.0;

/// An axis: from a share of 0 to 1, or by powers of ten.
#[derive(Debug, Clone, Copy)]
pub(super) enum Scale {
    /// 0 to 1, written as such.
    Unit,
    /// Powers of ten; the first tick stands for itself and everything below it.
    Decades {
        /// Exponent of the left end.
        from: i32,
        /// Exponent of the right end.
        to: i32,
    },
}

impl Scale {
    /// Where `value` lies along the axis, 0 to 1.
    fn place(self, value: f64) -> f64 {
        match self {
            Self::Unit => value.clamp(0.0, 1.0),
            Self::Decades { from, to } => {
                let exponent = value.max(10f64.powi(from)).log10();
                ((exponent - f64::from(from)) / f64::from(to - from)).clamp(0.0, 1.0)
            }
        }
    }

    fn ticks(self) -> Vec<(f64, String)> {
        match self {
            Self::Unit => [0.0, 0.25, 0.5, 0.75, 1.0].map(|at| (at, format!("{at}"))).into(),
            Self::Decades { from, to } => (from..=to)
                .map(|exponent| {
                    let value = 10f64.powi(exponent);
                    (value, format!("{}{value}", if exponent == from { "≤" } else { "" }))
                })
                .collect(),
        }
    }
}

/// A subject's line, with points to mark.
pub(super) struct Line {
    pub(super) subject: usize,
    pub(super) points: Vec<(f64, f64)>,
    /// A point to mark, and what to say about it.
    pub(super) mark: Option<((f64, f64), String)>,
}

/// What a chart shows, and along which axes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Frame {
    pub(super) title: Text,
    pub(super) x: (Text, Scale),
    pub(super) y: (Text, Scale),
}

/// The chart; points that are not finite are left out.
pub(super) fn lines(frame: &Frame, lines: &[Line]) -> Markup {
    let x = |value: f64| LEFT + frame.x.1.place(value) * (WIDTH - LEFT - RIGHT);
    let y = |value: f64| HEIGHT - BOTTOM - frame.y.1.place(value) * (HEIGHT - TOP - BOTTOM);
    let path = |points: &[(f64, f64)]| {
        let placed =
            points.iter().filter(|(a, b)| a.is_finite() && b.is_finite()).map(|(a, b)| (x(*a), y(*b)));
        outline(placed)
    };
    html! {
        figure.chart {
            figcaption { (both(frame.title)) }
            svg viewBox={ "0 0 " (WIDTH) " " (HEIGHT) } role="img" {
                @for (value, text) in frame.x.1.ticks() {
                    line.grid x1=(px(x(value))) x2=(px(x(value))) y1=(px(TOP)) y2=(px(HEIGHT - BOTTOM)) {}
                    text.tick x=(px(x(value))) y=(px(HEIGHT - BOTTOM + 12.0)) text-anchor="middle" { (text) }
                }
                @for (value, text) in frame.y.1.ticks() {
                    line.grid x1=(px(LEFT)) x2=(px(WIDTH - RIGHT)) y1=(px(y(value))) y2=(px(y(value))) {}
                    text.tick x=(px(LEFT - 4.0)) y=(px(y(value) + 3.5)) text-anchor="end" { (text) }
                }
                text.axis x=(px(f64::midpoint(LEFT, WIDTH - RIGHT))) y=(px(HEIGHT - 6.0)) text-anchor="middle" {
                    tspan lang="en" { (frame.x.0.en) } tspan lang="zh-CN" { (frame.x.0.zh) }
                }
                @for line in lines {
                    @let d = path(&line.points);
                    @if !d.is_empty() { path.curve.(line_class(line.subject)) d=(d) { title { (line.subject + 1) } } }
                }
                @for line in lines {
                    @if let Some(((a, b), words)) = &line.mark {
                        @if a.is_finite() && b.is_finite() {
                            circle.mark.(line_class(line.subject)) cx=(px(x(*a))) cy=(px(y(*b))) r="3.2" { title { (words) } }
                        }
                    }
                }
            }
        }
    }
}

/// Path through `points`, without those that move the pen by less than half a unit.
fn outline(points: impl Iterator<Item = (f64, f64)>) -> String {
    let mut path = String::new();
    let mut last: Option<(f64, f64)> = None;
    let mut skipped = None;
    let step = |path: &mut String, (x, y): (f64, f64)| {
        path.push_str(if path.is_empty() { "M" } else { "L" });
        path.push_str(&px(x));
        path.push(' ');
        path.push_str(&px(y));
    };
    for point in points {
        if last.is_some_and(|(x, y)| (point.0 - x).abs() < 0.5 && (point.1 - y).abs() < 0.5) {
            skipped = Some(point);
            continue;
        }
        step(&mut path, point);
        last = Some(point);
        skipped = None;
    }
    if let Some(point) = skipped {
        step(&mut path, point);
    }
    path
}

/// A length in the picture's units, one decimal at most.
pub(super) fn px(value: f64) -> String {
    let text = format!("{value:.1}");
    text.strip_suffix(".0").map_or_else(|| text.clone(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outline_keeps_its_ends_and_drops_what_no_eye_sees() {
        let points = (0..1000).map(|i| (f64::from(i) * 0.01, 5.0));
        let path = outline(points);
        assert!(path.starts_with("M0 5") && path.ends_with("L10 5"), "{path}");
        assert!(path.matches('L').count() < 25, "{path}");
        assert_eq!(outline(std::iter::empty()), "");
    }

    #[test]
    fn decades_take_zero_to_the_left_end() {
        let scale = Scale::Decades { from: -1, to: 3 };
        assert_eq!(scale.place(0.0), 0.0);
        assert!((scale.place(10.0) - 0.5).abs() < 1e-12);
        assert_eq!(scale.place(1e9), 1.0);
        assert_eq!(scale.ticks()[0].1, "≤0.1");
    }
}
