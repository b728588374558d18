//! What a person writes: a TOML file, or items in a spreadsheet's CSV.
//!
//! Both become texts, each with the line that it stands on, and only then items: so a mistake is told in the same words
//! wherever it was made, and all mistakes at once.

mod document;
mod encoding;
mod field;
mod item;
mod reading;
mod sheet;
mod text;

pub use document::{ChannelEntry, Shipped};
pub use item::Item;
pub(crate) use text::{clock_text, grades_text};

use crate::finding::{Finding, Spot, sorted};
use crate::place::Place;
use crate::plan::Document;
use crate::policy::Ruling;
use crate::time::Zone;
use jiff::civil::Date;
use package::{Grade, LessonId};
use std::sync::Arc;

/// The largest file read.
pub const MAX_FILE_BYTES: usize = 8 << 20;
/// The most items of all days.
pub const MAX_ITEMS: usize = 20_000;

/// A timetable of one or more days, as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Timetable {
    /// Its file, for findings about the whole.
    pub spot: Spot,
    /// Whom it is for.
    pub place: Place,
    /// Its clock.
    pub zone: Zone,
    /// Grades before an examination.
    pub exam_grades: Vec<Grade>,
    /// Nodes fetch the day's packages from this second of the day to that.
    pub fill_window: (u32, u32),
    /// Seconds of the day at which lessons begin; empty: wherever they stand.
    pub bells: Vec<u32>,
    /// What channels show between items.
    pub slate: Option<LessonId>,
    /// Television.
    pub channels: Vec<ChannelEntry>,
    /// Policies and limits, those of the shipped documents among them.
    pub rulings: Vec<Ruling>,
    /// Where limits come from.
    pub documents: Vec<Document>,
    /// What is when.
    pub items: Vec<Item>,
}

/// A file that was given, and where it came from.
#[derive(Debug, Clone, Copy)]
pub struct Given<'a> {
    /// Its name, for findings.
    pub name: &'a str,
    /// What is in it.
    pub bytes: &'a [u8],
}

impl Timetable {
    /// Reads a timetable. A name that ends in `.toml` is TOML, everything else a sheet.
    ///
    /// `sheet` fetches the file that TOML names by `items`; the caller knows where it lies.
    ///
    /// # Errors
    /// Everything that cannot be read, in order of lines.
    pub fn read(
        file: Given<'_>,
        shipped: &Shipped,
        sheet: impl FnOnce(&str) -> Result<(String, Vec<u8>), String>,
    ) -> Result<Self, Vec<Finding>> {
        let spot = Spot { file: Arc::from(file.name), line: 1 };
        let mut findings = Vec::new();
        let timetable = if is_sheet(file.name) {
            let mut timetable = document::plain(&spot, shipped);
            timetable.items = sheet::items(&spot, file.bytes, None, &mut findings);
            timetable.channels = document::channels_of(&timetable.items);
            Some(timetable)
        } else {
            document::read(&spot, file.bytes, shipped, sheet, &mut findings)
        };
        match timetable {
            Some(mut timetable) if findings.is_empty() => {
                item::name_all(&mut timetable.items, &mut findings);
                if findings.is_empty() { Ok(timetable) } else { Err(sorted(findings)) }
            }
            _ => Err(sorted(findings)),
        }
    }

    /// One without items, for the nation, with the limits of `shipped`. `name` is for findings.
    pub fn empty(name: &str, shipped: &Shipped) -> Self {
        document::plain(&Spot { file: Arc::from(name), line: 1 }, shipped)
    }

    /// Whether it was a sheet alone, which has items and says nothing about the whole.
    pub(crate) fn is_sheet(&self) -> bool {
        is_sheet(&self.spot.file)
    }

    /// The days that it has items for, in order.
    pub fn days(&self) -> Vec<Date> {
        let mut days: Vec<_> = self.items.iter().map(|item| item.date).collect();
        days.sort();
        days.dedup();
        days
    }

    /// The items of `date`, in order of their start, grades and names: the order in the file means nothing.
    pub(crate) fn day(&self, date: Date) -> Vec<&Item> {
        let mut items: Vec<_> = self.items.iter().filter(|item| item.date == date).collect();
        items.sort_by_key(|item| (item.start, &item.grades, &item.id));
        items
    }
}

fn is_sheet(name: &str) -> bool {
    !name.to_ascii_lowercase().ends_with(".toml")
}

#[cfg(test)]
mod tests;
