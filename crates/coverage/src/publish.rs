//! What teachers get.

use crate::code::ClassCode;
use crate::round::NoiseKey;
use crate::tally::{Table, Tally};
use jiff::civil::Date;
use package::LessonId;
use serde::Serialize;

/// Of fewer devices nothing is told, and no number tells apart groups of fewer.
pub const MIN_CLASS: u32 = 5;

/// A number as it is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Cell {
    /// Fewer than [`MIN_CLASS`], or none.
    Few,
    /// About so many: a multiple of [`MIN_CLASS`], rounded at random.
    About(u32),
    /// All of those who have begun, or all but fewer than [`MIN_CLASS`]: who was *not* there is nobody's business either.
    NearlyAll,
}

/// What a class has seen of a lesson.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LessonCoverage {
    /// Which lesson.
    pub lesson: LessonId,
    /// About how many devices have begun it.
    pub began: u32,
    /// For each minute.
    pub seen: Vec<Cell>,
    /// For each minute.
    pub again: Vec<Cell>,
}

/// What a class has seen in a day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ClassCoverage {
    /// Which class.
    pub class: ClassCode,
    /// Which day.
    pub day: Date,
    /// Lessons that enough have begun, by name.
    pub lessons: Vec<LessonCoverage>,
}

/// What may be told of `tally`: classes and lessons that at least [`MIN_CLASS`] devices have begun, in coarse numbers.
///
/// There are no sums over classes: a class that is left out could be had from them by subtraction. Within a lesson, minutes are
/// no parts of a whole, so nothing follows from one about another; what follows from the whole, how many did not see a minute,
/// is left out like what is small ([`Cell::NearlyAll`]).
pub fn publish(tally: &Tally, noise: &NoiseKey) -> Vec<ClassCoverage> {
    let told = tally.classes.iter().filter_map(|(class, lessons)| {
        let enough = lessons.iter().filter(|(_, table)| table.began >= MIN_CLASS);
        let lessons: Vec<_> = enough
            .map(|(lesson, table)| tell(table, lesson, &format!("{}/{class}/{lesson}", tally.day), noise))
            .collect();
        (!lessons.is_empty()).then_some(ClassCoverage { class: *class, day: tally.day, lessons })
    });
    told.collect()
}

fn tell(table: &Table, lesson: &LessonId, name: &str, noise: &NoiseKey) -> LessonCoverage {
    let cells = |counts: &[u32], what: &str| {
        let cell = |(minute, &count): (usize, &u32)| {
            // More than have begun: a device that said a minute and not its beginning. It does not count for less.
            if count < MIN_CLASS {
                Cell::Few
            } else if count.saturating_add(MIN_CLASS) > table.began {
                Cell::NearlyAll
            } else {
                Cell::About(noise.round(count, MIN_CLASS, &format!("{name}/{what}/{minute}")))
            }
        };
        counts.iter().enumerate().map(cell).collect()
    };
    LessonCoverage {
        lesson: lesson.clone(),
        // Never to below what is told of at all.
        began: noise.round(table.began, MIN_CLASS, &format!("{name}/began")).max(MIN_CLASS),
        seen: cells(&table.seen, "seen"),
        again: cells(&table.again, "again"),
    }
}
