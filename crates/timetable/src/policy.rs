//! Policies in layers: nation > province > city > school, the nearest wins, each field by itself.

use crate::finding::{Finding, Rule, Spot};
use crate::place::Place;
use crate::plan::{Document, DocumentId, Limit, Limits};
use crate::school::grades;
use jiff::civil::Date;
use package::Grade;
use std::collections::{BTreeMap, BTreeSet};

/// What one place says for some grades. Whatever it does not say, it has from further up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ruling {
    /// Where it is written.
    pub spot: Spot,
    /// Whose it is.
    pub place: Place,
    /// For whom, in order.
    pub grades: Vec<Grade>,
    /// The document that sets its limits.
    pub document: Option<DocumentId>,
    /// Items begin so much later for these grades. Counts at the place that the timetable is for.
    pub stagger_s: Option<u32>,
    /// New sessions are let in so much behind a lesson's release.
    pub admit_after_s: Option<u32>,
    /// And spread over so much.
    pub admit_window_s: Option<u32>,
    /// The term begins.
    pub term_start: Option<Date>,
    /// Minutes of lessons a day at most.
    pub day_minutes: Option<u32>,
    /// Minutes of one lesson at most.
    pub sitting_minutes: Option<u32>,
    /// Minutes between lessons at least.
    pub break_minutes: Option<u32>,
    /// Lessons a day at most.
    pub lessons_a_day: Option<u32>,
}

/// All rulings, ready to be asked.
#[derive(Debug, Clone, Copy)]
pub struct Policies<'a> {
    rulings: &'a [Ruling],
    documents: &'a [Document],
}

/// What holds for a grade of a place.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Effective {
    /// Items begin so much later.
    pub stagger_s: u32,
    /// New sessions are let in so much behind the release.
    pub admit_after_s: u32,
    /// And spread over so much.
    pub admit_window_s: u32,
    /// The term begins.
    pub term_start: Option<Date>,
    /// Each with where it comes from.
    pub limits: Limits,
}

/// New sessions of one slot are spread over a quarter of an hour, unless a policy says otherwise.
pub const DEFAULT_WINDOW_S: u32 = 900;

impl<'a> Policies<'a> {
    /// Over these rulings and the documents that they name.
    pub fn new(rulings: &'a [Ruling], documents: &'a [Document]) -> Self {
        Self { rulings, documents }
    }

    /// What holds for `grade` in `place`: for each field the nearest place that says something about it. Where one place
    /// says two things, the newer document counts, and the timetable's own word before any.
    pub fn effective(&self, place: &Place, grade: Grade) -> Effective {
        let limit = |field: fn(&Ruling) -> Option<u32>| {
            self.nearest(place, grade, field).map(|(value, ruling)| Limit {
                value,
                place: ruling.place.clone(),
                document: ruling.document.clone(),
            })
        };
        let value =
            |field: fn(&Ruling) -> Option<u32>| self.nearest(place, grade, field).map(|(value, _)| value);
        Effective {
            stagger_s: self.stagger(place, grade),
            admit_after_s: value(|ruling| ruling.admit_after_s).unwrap_or(0),
            admit_window_s: value(|ruling| ruling.admit_window_s).unwrap_or(DEFAULT_WINDOW_S),
            term_start: self.nearest(place, grade, |ruling| ruling.term_start).map(|(start, _)| start),
            limits: Limits {
                day_minutes: limit(|ruling| ruling.day_minutes),
                sitting_minutes: limit(|ruling| ruling.sitting_minutes),
                break_minutes: limit(|ruling| ruling.break_minutes),
                lessons_a_day: limit(|ruling| ruling.lessons_a_day),
            },
        }
    }

    /// How much later the items of `grade` begin in a timetable for `place`.
    pub fn stagger(&self, place: &Place, grade: Grade) -> u32 {
        self.nearest(place, grade, |ruling| ruling.stagger_s).map_or(0, |(stagger, _)| stagger)
    }

    /// Every place that says something of its own, in order.
    pub fn places(&self) -> BTreeSet<&'a Place> {
        self.rulings.iter().map(|ruling| &ruling.place).collect()
    }

    fn nearest<T: Ord>(
        &self,
        place: &Place,
        grade: Grade,
        field: impl Fn(&Ruling) -> Option<T>,
    ) -> Option<(T, &'a Ruling)> {
        let said =
            self.rulings.iter().filter(|ruling| ruling.grades.contains(&grade) && ruling.place.covers(place));
        let said = said.filter_map(|ruling| Some((field(ruling)?, ruling)));
        // The last step only makes the order of the file mean nothing; `check` refuses two that differ in it.
        said.max_by(|(a, left), (b, right)| self.rank(left).cmp(&self.rank(right)).then_with(|| b.cmp(a)))
    }

    /// Nearer, then newer; what is said without a document is the author's word of today.
    fn rank(&self, ruling: &Ruling) -> (u8, bool, &'a str) {
        let document = ruling.document.as_ref();
        let named = document.and_then(|id| self.documents.iter().find(|document| document.id == *id));
        (ruling.place.depth(), document.is_none(), named.map_or("", |document| document.issued.as_str()))
    }

    /// Limits without a document, documents that are not described, and two words of one place about one thing.
    pub(crate) fn check(&self, findings: &mut Vec<Finding>) {
        type Field = (&'static str, fn(&Ruling) -> Option<i64>);
        let limits: [Field; 4] = [
            ("day_minutes", |ruling| ruling.day_minutes.map(i64::from)),
            ("sitting_minutes", |ruling| ruling.sitting_minutes.map(i64::from)),
            ("break_minutes", |ruling| ruling.break_minutes.map(i64::from)),
            ("lessons_a_day", |ruling| ruling.lessons_a_day.map(i64::from)),
        ];
        let others: [Field; 4] = [
            ("stagger_minutes", |ruling| ruling.stagger_s.map(i64::from)),
            ("admit_after_minutes", |ruling| ruling.admit_after_s.map(i64::from)),
            ("admit_window_minutes", |ruling| ruling.admit_window_s.map(i64::from)),
            ("term_start", |ruling| {
                ruling.term_start.map(|day| i64::from(day.year()) * 400 + i64::from(day.day_of_year()))
            }),
        ];
        for ruling in self.rulings {
            let limited = limits.iter().find(|(_, field)| field(ruling).is_some());
            match &ruling.document {
                None => {
                    if let Some((name, _)) = limited {
                        let text = format!("`{name}` comes from no document, name it by document = \"…\"");
                        findings.push(ruling.spot.error(Rule::Undocumented, text));
                    }
                }
                Some(id) if self.documents.iter().all(|document| document.id != *id) => {
                    let text = format!(
                        "document `{id}` is not described, add a [[document]] with title, authority, date, source"
                    );
                    findings.push(ruling.spot.error(Rule::Undocumented, text));
                }
                Some(_) => {}
            }
        }
        for (name, field) in limits.into_iter().chain(others) {
            for grade in grades() {
                let mut said: BTreeMap<(&Place, bool, &str), (i64, &Ruling)> = BTreeMap::new();
                for ruling in self.rulings.iter().filter(|ruling| ruling.grades.contains(&grade)) {
                    let Some(value) = field(ruling) else { continue };
                    let (_, own, issued) = self.rank(ruling);
                    let (other, first) = *said.entry((&ruling.place, own, issued)).or_insert((value, ruling));
                    if other != value {
                        let text = format!(
                            "`{name}` of {} for grade {} is said otherwise at {}, leave one of them",
                            ruling.place,
                            grade.year(),
                            first.spot
                        );
                        findings.push(ruling.spot.error(Rule::Ambiguous, text));
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;
