//! Charts as SVG, drawn of few elements: they open anywhere and need nothing.

use std::fmt::Write;

/// A chart's place for its curves.
const WIDTH: f64 = 880.0;
const HEIGHT: f64 = 180.0;
/// Room for what stands at the axes.
const LEFT: f64 = 80.0;
const BELOW: f64 = 24.0;
/// Points of a curve: more than a screen has columns show nothing more.
const POINTS: usize = 880;

/// One curve.
pub(super) struct Curve<'a> {
    /// A class of the page's style.
    pub(super) class: &'static str,
    pub(super) values: &'a [u64],
}

/// Curves over seconds, on one scale. `unit` writes what stands at the highest line.
pub(super) fn over_time(curves: &[Curve<'_>], unit: impl Fn(u64) -> String) -> String {
    let highest = curves.iter().flat_map(|curve| curve.values).copied().max().unwrap_or(0).max(1);
    let length = curves.iter().map(|curve| curve.values.len()).max().unwrap_or(0);
    let mut svg = begin();
    for (share, value) in [(0.0, highest), (0.5, highest / 2), (1.0, 0)] {
        let y = share * HEIGHT;
        line(&mut svg, y);
        label(&mut svg, LEFT - 6.0, y + 4.0, "end", &unit(value));
    }
    for curve in curves {
        let part = curve.values.len().div_ceil(POINTS).max(1);
        let count = curve.values.len().div_ceil(part).max(2) - 1;
        let mut points = String::new();
        for (at, values) in curve.values.chunks(part).enumerate() {
            let value = values.iter().copied().max().unwrap_or(0);
            let x = LEFT + WIDTH * at as f64 / count as f64;
            let y = HEIGHT * (1.0 - value as f64 / highest as f64);
            let _ = write!(points, "{x:.1},{y:.1} ");
        }
        let _ = write!(svg, "<polyline class=\"{}\" points=\"{}\"/>", curve.class, points.trim_end());
    }
    label(&mut svg, LEFT, HEIGHT + 16.0, "start", "0 s");
    label(&mut svg, LEFT + WIDTH, HEIGHT + 16.0, "end", &format!("{length} s"));
    svg.push_str("</svg>");
    svg
}

/// One bar beside the other.
pub(super) fn columns(bars: &[(String, u64)]) -> String {
    let highest = bars.iter().map(|(_, value)| *value).max().unwrap_or(0).max(1);
    let step = WIDTH / bars.len().max(1) as f64;
    let mut svg = begin();
    line(&mut svg, HEIGHT);
    for (at, (name, value)) in bars.iter().enumerate() {
        let height = (HEIGHT - 20.0) * *value as f64 / highest as f64;
        let (x, y) = (LEFT + step * at as f64, HEIGHT - height);
        let _ = write!(
            svg,
            "<rect class=\"bar\" x=\"{:.1}\" y=\"{y:.1}\" width=\"{:.1}\" height=\"{height:.1}\"/>",
            x + step * 0.1,
            step * 0.8
        );
        if *value > 0 {
            label(&mut svg, x + step / 2.0, y - 4.0, "middle", &value.to_string());
        }
        label(&mut svg, x + step / 2.0, HEIGHT + 16.0, "middle", name);
    }
    svg.push_str("</svg>");
    svg
}

fn begin() -> String {
    let (width, height) = (LEFT + WIDTH + 16.0, HEIGHT + BELOW + 8.0);
    format!("<svg viewBox=\"0 -8 {width} {height}\" role=\"img\">")
}

fn line(svg: &mut String, y: f64) {
    let _ = write!(svg, "<line x1=\"{LEFT}\" x2=\"{}\" y1=\"{y:.1}\" y2=\"{y:.1}\"/>", LEFT + WIDTH);
}

fn label(svg: &mut String, x: f64, y: f64, anchor: &str, text: &str) {
    let text = super::page::escaped(text);
    let _ = write!(svg, "<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\">{text}</text>");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chart_is_well_formed_whatever_it_shows() {
        for values in [&[][..], &[0], &[1, 2, 3], &[u64::MAX; 3_000]] {
            let chart = over_time(&[Curve { class: "a", values }], |value| format!("{value} <&>"));
            assert!(chart.starts_with("<svg ") && chart.ends_with("</svg>"));
            assert!(
                !chart.contains("NaN") && !chart.contains("inf") && chart.contains("&lt;&amp;&gt;"),
                "{chart}"
            );
            assert!(chart.len() < 20_000);
        }
        let bars = columns(&[("≤ 50 ms".to_owned(), 3), ("> 50 ms".to_owned(), 0)]);
        assert_eq!(bars.matches("<rect").count(), 2);
        assert!(columns(&[]).ends_with("</svg>"));
    }
}
