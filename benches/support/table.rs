//! The result as a person at a terminal reads it.

use crate::line::{Bar, Figure, Line};
use crate::statistics::Spread;

const COLUMNS: usize = 7;
const HEADS: [&str; COLUMNS] = ["", "ours", "peer", "unit", "ratio", "bar", ""];

/// One row a figure and a peer, columns aligned; medians, and behind them the least and the most of several rounds.
pub(crate) fn render<'a>(lines: impl Iterator<Item = &'a Line>) -> String {
    // Each row, and what is said below it.
    let mut rows = vec![(HEADS.map(str::to_owned), "")];
    for line in lines {
        rows.extend(rows_of(line).into_iter().map(|row| (row, "")));
        if let Some((_, note)) = rows.last_mut() {
            *note = &line.note;
        }
    }
    let width = |column: usize| rows.iter().map(|(row, _)| row[column].chars().count()).max().unwrap_or(0);
    let widths: [usize; COLUMNS] = std::array::from_fn(width);
    let mut text = String::new();
    for (row, note) in &rows {
        let cells: Vec<String> =
            row.iter().zip(widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
        text.push_str(cells.join("  ").trim_end());
        text.push('\n');
        if !note.is_empty() {
            text.push_str(&format!("    {note}\n"));
        }
    }
    text
}

/// Our figure with the first peer's in its row, other peers below.
fn rows_of(line: &Line) -> Vec<[String; COLUMNS]> {
    let mut rows: Vec<[String; COLUMNS]> = Vec::new();
    if line.peers.is_empty() || line.bar.is_some() {
        let mut row = [const { String::new() }; COLUMNS];
        row[3].clone_from(&line.unit);
        row[5] = line.bar.map(bar).unwrap_or_default();
        row[6] = met(line.met_alone()).to_owned();
        rows.push(row);
    }
    for peer in &line.peers {
        rows.push(match &peer.figure {
            Figure::Measured(theirs) => [
                String::new(),
                String::new(),
                format!("{} {}", peer.name, figure(theirs)),
                line.unit.clone(),
                peer.ratio(&line.ours).map(|ratio| format!("{ratio:.2} x")).unwrap_or_default(),
                peer.bar.map(bar).unwrap_or_default(),
                met(peer.met(&line.ours)).to_owned(),
            ],
            Figure::Missing(why) => {
                let mut row = [const { String::new() }; COLUMNS];
                row[2] = format!("{}: {why}", peer.name);
                row
            }
        });
    }
    if let Some(first) = rows.first_mut() {
        first[0].clone_from(&line.what);
        first[1] = figure(&line.ours);
    }
    rows
}

const fn met(met: Option<bool>) -> &'static str {
    match met {
        Some(true) => "met",
        Some(false) => "NOT MET",
        None => "",
    }
}

pub(crate) fn bar(bar: Bar) -> String {
    match bar {
        Bar::RatioAtMost(most) => format!("<= {} x", number(most)),
        Bar::RatioBelow(limit) => format!("< {} x", number(limit)),
        Bar::AtMost(most) => format!("<= {}", number(most)),
        Bar::Exactly(figure) => format!("= {}", number(figure)),
    }
}

pub(crate) fn figure(spread: &Spread) -> String {
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
        let line = Line::ours("plain", "s/GB", spread(0.27), None)
            .against("nginx", spread(0.3), Some(Bar::RatioAtMost(0.5)))
            .without("Varnish", "has none")
            .note("why");
        let text = render([&line].into_iter());
        assert!(
            text.contains("plain  0.270  nginx 0.300        s/GB  0.90 x  <= 0.500 x  NOT MET"),
            "{text}"
        );
        assert!(text.ends_with("Varnish: has none\n    why\n"), "{text}");
    }
}
