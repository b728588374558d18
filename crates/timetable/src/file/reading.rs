//! Tables of TOML to entries, each mistake with its line.

use super::document::ChannelEntry;
use super::field::Field;
use super::item::{self, Item, MAX_SHOWN, Written};
use super::text::grade_list;
use super::{MAX_FILE_BYTES, MAX_ITEMS};
use crate::finding::{Finding, MAX_FINDINGS, Rule, Spot};
use crate::place::Place;
use crate::plan::{ChannelId, DocumentId};
use crate::policy::Ruling;
use jiff::civil::Date;
use package::Grade;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use std::collections::BTreeMap;
use toml::{Spanned, Value};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ChannelTable {
    id: Spanned<ChannelId>,
    title: String,
    grades: Option<Spanned<Value>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RulingTable {
    place: Spanned<Value>,
    grades: Option<Spanned<Value>>,
    document: Option<DocumentId>,
    stagger_minutes: Option<u32>,
    admit_after_minutes: Option<u32>,
    admit_window_minutes: Option<u32>,
    term_start: Option<Date>,
    day_minutes: Option<u32>,
    sitting_minutes: Option<u32>,
    break_minutes: Option<u32>,
    lessons_a_day: Option<u32>,
}

/// Lines of offsets, and where findings go.
pub(super) struct Reading<'a> {
    pub(super) spot: &'a Spot,
    pub(super) text: &'a str,
    pub(super) findings: &'a mut Vec<Finding>,
}

pub(super) fn text_of<'a>(spot: &Spot, bytes: &'a [u8], findings: &mut Vec<Finding>) -> Option<&'a str> {
    let text = std::str::from_utf8(bytes).ok().filter(|_| bytes.len() <= MAX_FILE_BYTES);
    if text.is_none() {
        findings.push(spot.error(Rule::Syntax, "is no TOML of at most 8 MiB in UTF-8, save it as that"));
    }
    text.map(|text| text.strip_prefix('\u{feff}').unwrap_or(text))
}

impl Reading<'_> {
    pub(super) fn parse<T: DeserializeOwned>(&mut self) -> Option<T> {
        match toml::from_str(self.text) {
            Ok(file) => Some(file),
            Err(error) => {
                let line = self.line(error.span().map_or(0, |span| span.start));
                let text = format!("{}, see config/timetable.toml", error.message());
                self.findings.push(self.spot.at(line).error(Rule::Syntax, text));
                None
            }
        }
    }

    pub(super) fn line(&self, offset: usize) -> usize {
        let before = self.text.as_bytes().get(..offset).unwrap_or_default();
        before.iter().filter(|&&byte| byte == b'\n').count() + 1
    }

    pub(super) fn value<T, V>(
        &mut self,
        written: &Spanned<T>,
        like: &str,
        parse: impl Fn(&T) -> Option<V>,
    ) -> Option<V> {
        let value = parse(written.get_ref());
        if value.is_none() {
            let spot = self.spot.at(self.line(written.span().start));
            let shown = self.text.get(written.span()).unwrap_or_default().trim_matches('"');
            let shown: String = shown.chars().take(MAX_SHOWN).collect();
            self.findings.push(spot.error(Rule::Syntax, format!("`{shown}` cannot be read, write {like}")));
        }
        value
    }

    pub(super) fn grades(&mut self, written: &Spanned<Value>) -> Option<Vec<Grade>> {
        self.value(written, "grades such as [7, 8], \"7-9\" or \"all\"", |value| match value {
            Value::Array(none) if none.is_empty() => Some(Vec::new()),
            some => grade_list(&cell(some)?),
        })
    }

    pub(super) fn channel(&mut self, table: ChannelTable) -> Option<ChannelEntry> {
        let spot = self.spot.at(self.line(table.id.span().start));
        let grades = match table.grades {
            None => Vec::new(),
            Some(grades) => self.grades(&grades)?,
        };
        Some(ChannelEntry { spot, id: table.id.into_inner(), title: table.title, grades })
    }

    pub(super) fn rulings(&mut self, tables: Vec<RulingTable>) -> Vec<Ruling> {
        let mut rulings = Vec::new();
        for table in tables {
            let spot = self.spot.at(self.line(table.place.span().start));
            let grades = match &table.grades {
                None => crate::school::grades().collect(),
                Some(grades) => self.grades(grades).unwrap_or_default(),
            };
            let places = self.value(
                &table.place,
                "nation, a province such as hubei, PROVINCE/CITY or a list",
                |value| {
                    let names = cell(value)?;
                    names.split(',').map(|name| name.trim().parse::<Place>().ok()).collect::<Option<Vec<_>>>()
                },
            );
            let seconds = |minutes: Option<u32>| minutes.map(|minutes| minutes.min(24 * 60) * 60);
            rulings.extend(places.unwrap_or_default().into_iter().map(|place| Ruling {
                spot: spot.clone(),
                place,
                grades: grades.clone(),
                document: table.document.clone(),
                stagger_s: seconds(table.stagger_minutes),
                admit_after_s: seconds(table.admit_after_minutes),
                admit_window_s: seconds(table.admit_window_minutes),
                term_start: table.term_start,
                day_minutes: table.day_minutes,
                sitting_minutes: table.sitting_minutes,
                break_minutes: table.break_minutes,
                lessons_a_day: table.lessons_a_day,
            }));
        }
        rulings
    }

    pub(super) fn items(
        &mut self,
        tables: Vec<Spanned<BTreeMap<Spanned<String>, Value>>>,
        date: Option<Date>,
    ) -> Vec<Item> {
        if tables.len() > MAX_ITEMS {
            let text = format!("more than {MAX_ITEMS} items, give fewer days");
            self.findings.push(self.spot.error(Rule::Syntax, text));
            return Vec::new();
        }
        let mut items = Vec::new();
        for table in tables {
            if self.findings.len() >= MAX_FINDINGS {
                break;
            }
            let table = table.into_inner();
            let lines = table.keys().map(|key| self.line(key.span().start));
            let spot = self.spot.at(lines.min().unwrap_or(1));
            let mut fields = BTreeMap::new();
            for (key, value) in table {
                let line = self.line(key.span().start);
                match (Field::key(key.get_ref()), cell(&value)) {
                    (Some(field), Some(text)) => {
                        fields.insert(field, (text, line));
                    }
                    (Some(field), None) => {
                        let text = format!(
                            "`{}` is a table or a fraction, write a text, a number or a list",
                            field.name()
                        );
                        self.findings.push(self.spot.at(line).error(Rule::Syntax, text));
                    }
                    (None, _) => {
                        let text =
                            format!("`{}` is nothing an item has, write {}", key.get_ref(), Field::keys());
                        self.findings.push(self.spot.at(line).error(Rule::Syntax, text));
                    }
                }
            }
            items.extend(item::read(&Written { spot, fields }, date, self.findings));
        }
        items
    }
}

/// A value as a cell of a sheet would hold it.
pub(super) fn cell(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Integer(number) => Some(number.to_string()),
        Value::Datetime(moment) => Some(moment.to_string()),
        Value::Array(values) => {
            let cells: Option<Vec<_>> = values.iter().map(cell).collect();
            Some(cells?.join(","))
        }
        Value::Float(_) | Value::Boolean(_) | Value::Table(_) => None,
    }
}
