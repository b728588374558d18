//! W3C WebVTT: blocks between empty lines.

use super::push;
use crate::cue::Cue;
use crate::error::{ParseError, Problem};
use crate::markup::Markup;
use crate::time::parse_span;

pub(super) fn parse(text: &str) -> Result<Vec<Cue>, ParseError> {
    let mut lines = (1..).zip(text.lines());
    let first = lines.next().map_or("", |(_, line)| line);
    if first != "WEBVTT" && !first.starts_with("WEBVTT ") && !first.starts_with("WEBVTT\t") {
        return Err(Problem::NotWebVtt.at(1));
    }
    let mut cues = Vec::new();
    let mut block: Vec<(usize, &str)> = Vec::new();
    let mut header = true;
    for (number, line) in lines.chain([(usize::MAX, "")]) {
        if !line.trim().is_empty() {
            block.push((number, line));
            continue;
        }
        // What follows the first line up to an empty one is the header.
        if !std::mem::take(&mut header) {
            self::block(&block, &mut cues)?;
        }
        block.clear();
    }
    Ok(cues)
}

fn block(block: &[(usize, &str)], cues: &mut Vec<Cue>) -> Result<(), ParseError> {
    let Some(&(number, first)) = block.first() else { return Ok(()) };
    let name = first.split_whitespace().next().unwrap_or_default();
    if ["NOTE", "STYLE", "REGION"].contains(&name) && !first.contains("-->") {
        return Ok(());
    }
    // The time line is the first, or the second behind an identifier.
    let place = block.iter().take(2).position(|(_, line)| line.contains("-->"));
    let Some(place) = place else { return Err(Problem::Timing(Problem::quoted(first)).at(number)) };
    let (number, line) = block[place];
    let span = parse_span(line).ok_or_else(|| Problem::Timing(Problem::quoted(line)).at(number))?;
    let text: Vec<&str> = block[place + 1..].iter().map(|&(_, line)| line).collect();
    push(cues, number, span, &text.join("\n"), Markup::WebVtt)
}
