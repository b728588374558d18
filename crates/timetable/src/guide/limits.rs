//! 限时限量: the limits that hold in each place, with the documents that they come from, as the page reads them.

use crate::compile::policies;
use crate::file::{Shipped, Timetable};
use crate::place::{Place, Region};
use crate::plan::{Document, Plan, Policy, Show};
use crate::school::Kind;
use package::LessonId;
use serde::Serialize;
use std::collections::BTreeMap;

/// The limits of every province and of what has rules of its own. The nearest place to a pupil counts; its rows hold
/// everything, also what they have from further up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LimitTable {
    kind: &'static str,
    /// Provinces in Chinese, by their names in `place`.
    pub names: BTreeMap<&'static str, &'static str>,
    /// The limits.
    pub policies: Vec<Policy>,
    /// Where they come from.
    pub documents: Vec<Document>,
    /// 眼保健操: the clip for a rest of the eyes; `None` where the plan has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exercise: Option<LessonId>,
}

impl LimitTable {
    /// As a plan has them.
    pub fn of(plan: &Plan) -> Self {
        let programmes = plan.channels.iter().flat_map(|channel| &channel.programmes);
        let exercise =
            programmes.filter(|programme| programme.kind == Kind::EyeExercise).find_map(|programme| {
                match &programme.show {
                    Show::Clip(clip) => Some(clip.clone()),
                    Show::Lesson(_) | Show::Nothing => None,
                }
            });
        Self::new(plan.policies.clone(), plan.documents.clone(), exercise)
    }

    /// As the documents have them that come with the program: where nobody has published a plan.
    pub fn shipped() -> Self {
        let shipped = Shipped::built_in();
        let policies = policies(&Timetable::empty("config/limits.toml", &shipped));
        Self::new(policies, shipped.documents, None)
    }

    fn new(policies: Vec<Policy>, documents: Vec<Document>, exercise: Option<LessonId>) -> Self {
        let region = |policy: &Policy| match policy.place {
            Place::Nation => None,
            Place::Region(region) | Place::City(region, _) | Place::School(region, ..) => Some(region),
        };
        let names = policies.iter().filter_map(region).map(|region: Region| (region.as_str(), region.name()));
        Self { kind: "airclass-limits/1", names: names.collect(), policies, documents, exercise }
    }

    /// As stored.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes =
            serde_json::to_vec(self).expect("our types have string keys and no failing serializer");
        bytes.push(b'\n');
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the page's own tests run through, with a clock of theirs. `AIRCLASS_RENEW=1` writes it anew.
    const FOR_THE_PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../player/test/limits.json");

    #[test]
    fn the_page_is_tested_with_the_limits_that_are_shipped() {
        let table = LimitTable::shipped().to_bytes();
        if std::env::var_os("AIRCLASS_RENEW").is_some() {
            std::fs::write(FOR_THE_PAGE, &table).unwrap();
        }
        let tested = std::fs::read(FOR_THE_PAGE).unwrap();
        assert!(tested == table, "AIRCLASS_RENEW=1 writes crates/player/test/limits.json anew");
    }

    #[test]
    fn every_limit_has_its_document() {
        let table = LimitTable::shipped();
        let wanted = Region::ALL.into_iter().filter(|region| region.has_the_nations_schools()).count();
        assert_eq!((table.names.len(), wanted), (32, 32));
        for limit in table.policies.iter().flat_map(|policy| policy.limits.all()) {
            let id = limit.document.as_ref().unwrap();
            assert!(table.documents.iter().any(|document| document.id == *id), "{id}");
        }
    }
}
