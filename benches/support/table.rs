//! The result as a person reads it.

use crate::line::{Bar, Line};
use crate::statistics::Spread;

const HEADS: [&str; 7] = ["", "ours", "peer", "unit", "ratio", "bar", ""];

/// One row a figure, columns aligned; medians, and behind them the least and the most of several rounds.
pub(crate) fn render(lines: &[Line]) -> String {
    let mut rows = vec![HEADS.map(str::to_owned)];
    rows.extend(lines.iter().map(row));
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: [usize; 7] = std::array::from_fn(width);
    let mut text = String::new();
    for (index, row) in rows.iter().enumerate() {
        let cells: Vec<String> =
            row.iter().zip(widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
        text.push_str(cells.join("  ").trim_end());
        text.push('\n');
        if let Some(note) =
            index.checked_sub(1).map(|index| &lines[index].note).filter(|note| !note.is_empty())
        {
            text.push_str(&format!("    {note}\n"));
        }
    }
    text
}

fn row(line: &Line) -> [String; 7] {
    let peer = line.peer.as_ref();
    [
        line.what.clone(),
        figure(&line.ours),
        peer.map(|peer| format!("{} {}", peer.name, figure(&peer.figure))).unwrap_or_default(),
        line.unit.to_owned(),
        line.ratio().map(|ratio| format!("{ratio:.2} x")).unwrap_or_default(),
        line.bar.map(bar).unwrap_or_default(),
        match line.met() {
            Some(true) => "met".to_owned(),
            Some(false) => "NOT MET".to_owned(),
            None => String::new(),
        },
    ]
}

fn bar(bar: Bar) -> String {
    match bar {
        Bar::RatioAtMost(most) => format!("<= {} x", number(most)),
        Bar::AtMost(most) => format!("<= {}", number(most)),
        Bar::Exactly(figure) => format!("= {}", number(figure)),
    }
}

fn figure(spread: &Spread) -> String {
    if spread.rounds == 1 || spread.least == spread.most {
        return number(spread.median);
    }
    format!("{} ({}-{})", number(spread.median), number(spread.least), number(spread.most))
}

/// Three digits that count; whole numbers as they are.
fn number(figure: f64) -> String {
    if figure.fract() == 0.0 {
        return format!("{figure:.0}");
    }
    let digits = match figure.abs() {
        size if size >= 100.0 => 0,
        size if size >= 10.0 => 1,
        size if size >= 1.0 => 2,
        _ => 3,
    };
    format!("{figure:.digits$}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_the_digits_that_count() {
        for (figure, text) in [
            (10_000.0, "10000"),
            (123.4, "123"),
            (12.34, "12.3"),
            (1.234, "1.23"),
            (0.1234, "0.123"),
            (0.9, "0.900"),
        ] {
            assert_eq!(number(figure), text);
        }
    }

    #[test]
    fn a_row_says_whether_the_bar_is_met() {
        let spread = |figure| Spread::of(&[figure]).unwrap();
        let line = Line::ours("plain", "s/GB", spread(0.27), Some(Bar::RatioAtMost(0.5)))
            .against("nginx", spread(0.3))
            .note("why");
        let text = render(&[line]);
        assert!(text.contains("nginx 0.300  s/GB  0.90 x  <= 0.500 x  NOT MET"), "{text}");
        assert!(text.ends_with("\n    why\n"), "{text}");
    }
}
