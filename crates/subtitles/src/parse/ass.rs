//! Advanced SubStation Alpha: lines of fields, named by a Format line. Text alone is read.

use super::push;
use crate::cue::Cue;
use crate::error::{ParseError, Problem};
use crate::markup::Markup;
use crate::time;

/// Places of the fields that count.
#[derive(Clone, Copy)]
struct Fields {
    start: usize,
    end: usize,
    text: usize,
}

pub(super) fn parse(text: &str) -> Result<Vec<Cue>, ParseError> {
    let mut cues = Vec::new();
    let mut in_events = false;
    let mut fields = None;
    for (number, line) in (1..).zip(text.lines()) {
        let line = line.trim();
        if line.starts_with('[') {
            in_events = line.eq_ignore_ascii_case("[events]");
        } else if !in_events {
        } else if let Some(format) = line.strip_prefix("Format:") {
            fields = Fields::of(format);
        } else if let Some(dialogue) = line.strip_prefix("Dialogue:") {
            let fields: Fields = fields.ok_or_else(|| Problem::NoFormat.at(number))?;
            let malformed = || Problem::Timing(Problem::quoted(line)).at(number);
            let (span, text) = fields.read(dialogue).ok_or_else(malformed)?;
            push(&mut cues, number, span, text, Markup::Ass)?;
        }
    }
    Ok(cues)
}

impl Fields {
    fn of(format: &str) -> Option<Self> {
        let names: Vec<&str> = format.split(',').map(str::trim).collect();
        let place = |name: &str| names.iter().position(|other| other.eq_ignore_ascii_case(name));
        let fields = Self { start: place("Start")?, end: place("End")?, text: place("Text")? };
        // Text holds commas, so it is the last.
        (fields.text + 1 == names.len()).then_some(fields)
    }

    fn read(self, dialogue: &str) -> Option<((u64, u64), &str)> {
        let values: Vec<&str> = dialogue.splitn(self.text + 1, ',').collect();
        let time = |place: usize| time::parse(values.get(place)?.trim());
        Some(((time(self.start)?, time(self.end)?), values.get(self.text)?))
    }
}
