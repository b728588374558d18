//! Items from a spreadsheet: comma, semicolon or tab, Chinese or English headings, any order of columns.

use super::encoding::decode;
use super::field::Field;
use super::item::{self, Item, Written};
use super::text::{clock, day, day_cell};
use super::{MAX_FILE_BYTES, MAX_ITEMS};
use crate::finding::{Finding, MAX_FINDINGS, Rule, Spot};
use csv::{Position, ReaderBuilder, StringRecord};
use jiff::civil::Date;
use std::collections::BTreeMap;

/// Rows above the headings that may say what the sheet is, as those of schools do: 2026年9月1日课表.
const MAX_TITLES: usize = 5;

/// The items of a sheet. `date` is the day of rows that name none.
pub(super) fn items(spot: &Spot, bytes: &[u8], date: Option<Date>, findings: &mut Vec<Finding>) -> Vec<Item> {
    let wrong = |text: &str| spot.error(Rule::Syntax, text);
    if bytes.len() > MAX_FILE_BYTES {
        findings.push(wrong("is larger than 8 MiB, give the rows of a few days"));
        return Vec::new();
    }
    let Some(text) = decode(bytes) else {
        findings.push(wrong("is no text in UTF-8, UTF-16 or GBK, save the sheet as CSV"));
        return Vec::new();
    };
    let mut reader = ReaderBuilder::new()
        .delimiter(delimiter(&text))
        .has_headers(false)
        .flexible(true)
        .from_reader(text.as_bytes());
    let mut columns: Option<Vec<Option<Field>>> = None;
    let (mut titles, mut first) = (0, None);
    // Merged cells are saved with their text in the first row alone: a day stands for the rows below it.
    let mut above = date;
    let mut items = Vec::new();
    for record in reader.records() {
        let record = match record {
            Ok(record) => record,
            Err(error) => {
                let line = error.position().map_or(1, |position| line_of(&text, position));
                findings
                    .push(spot.at(line).error(Rule::Syntax, "is no row of a sheet, save it as CSV again"));
                break;
            }
        };
        let line = record.position().map_or(1, |position| line_of(&text, position));
        if record.iter().all(|cell| cell.trim().is_empty()) {
            continue;
        }
        let Some(columns) = &columns else {
            if titles < MAX_TITLES && record.iter().all(|cell| Field::heading(cell).is_none()) {
                titles += 1;
                first.get_or_insert((line, record));
                continue;
            }
            match headings(&spot.at(line), &record, findings) {
                Some(found) => columns = Some(found),
                None => return Vec::new(),
            }
            continue;
        };
        // Sheets of several days are put below each other with their headings.
        if record.iter().map(Field::heading).eq(columns.iter().copied()) {
            continue;
        }
        if findings.len() >= MAX_FINDINGS {
            break;
        }
        if items.len() == MAX_ITEMS {
            findings.push(
                spot.at(line).error(Rule::Syntax, format!("has more than {MAX_ITEMS} rows, give fewer days")),
            );
            break;
        }
        match remark(columns, &record) {
            Some(Remark::Day(day)) => {
                above = Some(day);
                continue;
            }
            Some(Remark::Text) => continue,
            None => {}
        }
        let cells = columns.iter().zip(&record).filter(|(_, cell)| !cell.trim().is_empty());
        let fields: BTreeMap<_, _> =
            cells.filter_map(|(field, cell)| field.map(|field| (field, (cell.to_owned(), line)))).collect();
        if let Some(day) = fields.get(&Field::Date).and_then(|(text, _)| day_cell(text)) {
            above = Some(day);
        }
        items.extend(item::read(&Written { spot: spot.at(line), fields }, above, findings));
    }
    match (&columns, first) {
        (Some(_), _) => {}
        // Which of them were to be headings nobody knows; the first one as a rule.
        (None, Some((line, record))) => drop(headings(&spot.at(line), &record, findings)),
        (None, None) => findings
            .push(wrong("has no headings, write date, start, minutes, grade, lesson … above the columns")),
    }
    items
}

/// A row of one cell, as sheets have them between items and below them.
enum Remark {
    /// The day of the rows that follow.
    Day(Date),
    /// For people: 注：…, 午休.
    Text,
}

/// What a row is that is no item; `None`: it is one, or was meant so.
fn remark(columns: &[Option<Field>], record: &StringRecord) -> Option<Remark> {
    let mut cells = record.iter().enumerate().filter(|(_, cell)| !cell.trim().is_empty());
    let (at, cell) = cells.next()?;
    if cells.next().is_some() {
        return None;
    }
    let field = columns.get(at).copied().flatten();
    match (field, if field == Some(Field::Date) { day_cell(cell) } else { day(cell) }) {
        (None | Some(Field::Date), Some(day)) => Some(Remark::Day(day)),
        (None, None) => Some(Remark::Text),
        (Some(_), _) if at > 0 || clock(cell).is_some() => None,
        (Some(_), _) => Some(Remark::Text),
    }
}

/// Which column is which field. Columns of other names are the author's own.
fn headings(spot: &Spot, record: &StringRecord, findings: &mut Vec<Finding>) -> Option<Vec<Option<Field>>> {
    let columns: Vec<_> = record.iter().map(Field::heading).collect();
    let known: Vec<_> = columns.iter().flatten().collect();
    if let Some(twice) = known.iter().enumerate().find(|(at, field)| known[..*at].contains(field)) {
        let text = format!("two columns are `{}`, take one away", twice.1.name());
        findings.push(spot.error(Rule::Syntax, text));
        return None;
    }
    for needed in [Field::Start, Field::Grades] {
        if !known.contains(&&needed) {
            let text = format!(
                "no column is `{}`, name the columns by {} or in Chinese (日期, 开始, 分钟, 年级, 学科, 课程编号 …)",
                needed.name(),
                Field::keys()
            );
            findings.push(spot.error(Rule::Syntax, text));
            return None;
        }
    }
    Some(columns)
}

/// The line of a record: the reader's place is in front of empty lines, and the record behind them.
fn line_of(text: &str, position: &Position) -> usize {
    let place = usize::try_from(position.byte()).unwrap_or(usize::MAX);
    let ahead = text.as_bytes().get(place..).unwrap_or_default();
    let empty =
        ahead.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).filter(|&&byte| byte == b'\n').count();
    usize::try_from(position.line()).unwrap_or(1).saturating_add(empty)
}

/// What the first lines, titles and headings, have most of.
fn delimiter(text: &str) -> u8 {
    let first = || text.lines().filter(|line| !line.trim().is_empty()).take(MAX_TITLES + 1);
    let count = |byte: u8| first().flat_map(str::bytes).filter(|&b| b == byte).count();
    [b',', b'\t', b';'].into_iter().rev().max_by_key(|&byte| count(byte)).unwrap_or(b',')
}
