//! For spreadsheets.

use crate::publish::{Cell, ClassCoverage};
use std::fmt::Write as _;

/// One line a lesson and minute, with a byte order mark, which spreadsheets want before Chinese. Minutes count from 1, as
/// people do.
pub fn csv(coverage: &ClassCoverage) -> String {
    let mut text = "\u{feff}班级码,日期,课,分钟,看过,回看\r\n".to_owned();
    for lesson in &coverage.lessons {
        for minute in 0..lesson.seen.len().max(lesson.again.len()) {
            let cell = |cells: &[Cell]| cells.get(minute).copied().unwrap_or(Cell::Few);
            let (seen, again) = (word(cell(&lesson.seen)), word(cell(&lesson.again)));
            // A name of a class, a date and a lesson's name have nothing that must be quoted.
            let _ = write!(
                text,
                "{},{},{},{},{seen},{again}\r\n",
                coverage.class,
                coverage.day,
                lesson.lesson,
                minute + 1
            );
        }
    }
    text
}

fn word(cell: Cell) -> String {
    match cell {
        Cell::Few => "少于5".to_owned(),
        Cell::About(count) => format!("约{count}"),
        Cell::NearlyAll => "几乎全部".to_owned(),
    }
}
