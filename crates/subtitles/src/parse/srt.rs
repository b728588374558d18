//! SubRip. There is no standard, only habits: the time line is what counts; numbers may be missing or wrong, and texts
//! may hold empty lines.

use super::push;
use crate::cue::Cue;
use crate::error::{ParseError, Problem};
use crate::markup::Markup;
use crate::time::parse_span;

pub(super) fn parse(text: &str) -> Result<Vec<Cue>, ParseError> {
    let mut cues = Vec::new();
    // The line, times and text of the cue that is being read.
    let mut reading: Option<(usize, (u64, u64), Vec<&str>)> = None;
    for (number, line) in (1..).zip(text.lines()) {
        if line.contains("-->") {
            let span = parse_span(line).ok_or_else(|| Problem::Timing(Problem::quoted(line)).at(number))?;
            if let Some((line, span, mut text)) = reading.replace((number, span, Vec::new())) {
                drop_number(&mut text);
                push(&mut cues, line, span, &text.join("\n"), Markup::Srt)?;
            }
        } else if let Some((_, _, text)) = &mut reading {
            text.push(line);
        } else if !line.trim().is_empty() && !is_number(line) {
            return Err(Problem::Timing(Problem::quoted(line)).at(number));
        }
    }
    if let Some((line, span, text)) = reading {
        push(&mut cues, line, span, &text.join("\n"), Markup::Srt)?;
    }
    Ok(cues)
}

/// The next cue's number stands at the end of this one's lines, behind an empty one.
fn drop_number(text: &mut Vec<&str>) {
    while text.last().is_some_and(|line| line.trim().is_empty()) {
        text.pop();
    }
    if let [.., before, last] = text[..]
        && before.trim().is_empty()
        && is_number(last)
    {
        text.pop();
    } else if let [only] = text[..]
        && is_number(only)
    {
        // A cue without text, and the number of the next.
        text.pop();
    }
}

fn is_number(line: &str) -> bool {
    let line = line.trim();
    !line.is_empty() && line.bytes().all(|byte| byte.is_ascii_digit())
}
