//! The result as a page: `RESULTS.md`, made from the JSON files beside it and from nothing else.

use crate::line::{Bar, Figure, Line, Peer};
use crate::options::Part;
use crate::report::{self, Measured, Report};
use crate::table;
use anyhow::{Context, Result};
use clap::ValueEnum;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

fn file() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("RESULTS.md")
}

/// Makes the page anew from the results that are there, and says where it is.
pub(crate) fn write() -> Result<PathBuf> {
    let (text, file) = (render(&report::read_all(&report::directory())?)?, file());
    std::fs::write(&file, text).with_context(|| format!("cannot write {}", file.display()))?;
    Ok(file)
}

const HEAD: &str = "# Results

Made by `bench` from the newest full run of each part in [results](results) (a `--quick` one where there is no other);
`cargo run --release -p benches -- --page` makes it anew. [README.md](README.md) says what is measured and how.

A figure is the median of its rounds, with the least and the most behind it. Under a peer stands its figure, then ours
divided by it (below 1 we need less), and the bar where there is one. **Bold** is what misses its bar.
";

/// The page for `reports`, oldest first.
fn render(reports: &[Report]) -> Result<String> {
    let mut text = HEAD.to_owned();
    for &part in Part::value_variants() {
        let of_part = |report: &&Report| report.parts.iter().any(|measured| measured.part == part);
        let newest = |quick| reports.iter().rev().filter(of_part).find(|report| report.quick == quick);
        let Some(report) = newest(false).or_else(|| newest(true)) else { continue };
        for measured in report.parts.iter().filter(|measured| measured.part == part) {
            section(&mut text, report, measured)?;
        }
    }
    Ok(text)
}

fn section(text: &mut String, report: &Report, measured: &Measured) -> Result<()> {
    let about = measured.part.to_possible_value();
    let help = about.as_ref().and_then(|value| value.get_help()).map(ToString::to_string);
    let name = about.as_ref().map_or("", |value| value.get_name());
    let at = jiff::Timestamp::from_second(report.made_at_unix_s.cast_signed())?;
    writeln!(text, "\n## {name}: {}\n", help.unwrap_or_default())?;
    writeln!(text, "{}, `{}`{}  ", at.strftime("%Y-%m-%d %H:%M UTC"), report.command, quick(report))?;
    writeln!(text, "{}\n", report.machine)?;

    let mut peers: Vec<&str> = Vec::new();
    for peer in measured.lines.iter().flat_map(|line| &line.peers) {
        if !peers.contains(&peer.name.as_str()) {
            peers.push(&peer.name);
        }
    }
    writeln!(text, "| | unit | ours |{}", peers.iter().map(|name| format!(" {name} |")).collect::<String>())?;
    writeln!(text, "|---|---|---|{}", "---|".repeat(peers.len()))?;
    let mut notes: Vec<&str> = Vec::new();
    for line in &measured.lines {
        let cells: String = peers.iter().map(|name| format!(" {} |", of_peer(line, name))).collect();
        let mark = if line.note.is_empty() {
            String::new()
        } else {
            format!(" ({})", number(&mut notes, &line.note))
        };
        writeln!(text, "| {}{mark} | {} | {} |{cells}", line.what, line.unit, of_ours(line))?;
    }
    if !notes.is_empty() {
        writeln!(text)?;
    }
    for (index, note) in notes.into_iter().enumerate() {
        writeln!(text, "{}. {note}", index + 1)?;
    }
    Ok(())
}

/// Which of the notes it is, counted from 1; a new one is added.
fn number<'a>(notes: &mut Vec<&'a str>, note: &'a str) -> usize {
    let known = notes.iter().position(|known| *known == note);
    known.unwrap_or_else(|| {
        notes.push(note);
        notes.len() - 1
    }) + 1
}

fn quick(report: &Report) -> &'static str {
    if report.quick { ": a quick look, not a result" } else { "" }
}

fn of_ours(line: &Line) -> String {
    judged(table::figure(&line.ours), line.bar, line.met_alone())
}

fn of_peer(line: &Line, name: &str) -> String {
    let Some(peer) = line.peers.iter().find(|peer| peer.name == name) else { return String::new() };
    let Peer { figure: Figure::Measured(figure), bar, .. } = peer else {
        let Figure::Missing(why) = &peer.figure else { return String::new() };
        return format!("— {why}");
    };
    let ratio = peer.ratio(&line.ours).map(|ratio| format!("{ratio:.2} x")).unwrap_or_default();
    format!("{} → {}", table::figure(figure), judged(ratio, *bar, peer.met(&line.ours)))
}

fn judged(figure: String, bar: Option<Bar>, met: Option<bool>) -> String {
    let figure = match bar {
        Some(bar) => format!("{figure} ({})", table::bar(bar)),
        None => figure,
    };
    if met == Some(false) { format!("**{figure}**") } else { figure }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_shows_the_results_that_are_there() {
        let page = std::fs::read_to_string(file()).unwrap();
        let made = render(&report::read_all(&report::directory()).unwrap()).unwrap();
        assert!(page == made, "make it anew: cargo run --release -p benches -- --page");
    }
}
