//! The TOML file, and the limits that are shipped.

use super::item::Item;
use super::reading::{ChannelTable, Reading, RulingTable, cell, text_of};
use super::text::{clock, day};
use super::{Timetable, sheet};
use crate::finding::{Finding, Rule, Spot};
use crate::place::Place;
use crate::plan::{ChannelId, Document, MAX_CHANNELS, MAX_DOCUMENTS, is_issued};
use crate::policy::Ruling;
use crate::time::Zone;
use jiff::civil::Date;
use package::{Grade, LessonId};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::sync::Arc;
use toml::{Spanned, Value};

/// Grades before an examination, unless the file says otherwise: 初三, 高三.
const EXAM_GRADES: [u8; 2] = [9, 12];
/// When nodes fetch, unless the file says otherwise: the network is empty and the bell is far.
const FILL_WINDOW: (u32, u32) = (0, 7 * 3_600);
/// The most policies and limits.
const MAX_RULINGS: usize = 5_000;

/// A channel, as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChannelEntry {
    /// Where.
    pub spot: Spot,
    /// Its name.
    pub id: ChannelId,
    /// What a list shows.
    pub title: String,
    /// Whose items it shows, in order; empty: only those that name it.
    pub grades: Vec<Grade>,
}

/// Documents and the limits that they set.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Shipped {
    /// The documents.
    pub documents: Vec<Document>,
    /// The limits.
    pub rulings: Vec<Ruling>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    date: Option<Spanned<Value>>,
    zone: Option<Zone>,
    place: Option<Place>,
    exam_grades: Option<Spanned<Value>>,
    bells: Option<Spanned<Vec<String>>>,
    fill: Option<Window>,
    slate: Option<LessonId>,
    items: Option<Spanned<String>>,
    #[serde(default)]
    channel: Vec<ChannelTable>,
    #[serde(default)]
    document: Vec<Document>,
    #[serde(default)]
    policy: Vec<RulingTable>,
    #[serde(default)]
    item: Vec<Spanned<BTreeMap<Spanned<String>, Value>>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LimitsFile {
    #[serde(default)]
    document: Vec<Document>,
    #[serde(default)]
    limit: Vec<RulingTable>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Window {
    from: Spanned<String>,
    until: Spanned<String>,
}

impl Shipped {
    /// The limits of official documents that come with this release: `config/limits.toml`.
    ///
    /// # Panics
    /// Never: the file is tested.
    pub fn built_in() -> Self {
        let text = include_str!("../../../../config/limits.toml");
        Self::read("config/limits.toml", text.as_bytes()).expect("the shipped file is tested")
    }

    /// Reads a file of documents and limits.
    ///
    /// # Errors
    /// What cannot be read.
    pub fn read(name: &str, bytes: &[u8]) -> Result<Self, Vec<Finding>> {
        let spot = Spot { file: Arc::from(name), line: 1 };
        let mut findings = Vec::new();
        let shipped = text_of(&spot, bytes, &mut findings).and_then(|text| {
            let mut reading = Reading { spot: &spot, text, findings: &mut findings };
            let LimitsFile { document, limit } = reading.parse()?;
            let rulings = reading.rulings(limit);
            Some(Self { documents: document, rulings })
        });
        match shipped {
            Some(shipped) if findings.is_empty() => Ok(shipped),
            _ => Err(findings),
        }
    }
}

/// A timetable in which nothing stands yet.
pub(super) fn plain(spot: &Spot, shipped: &Shipped) -> Timetable {
    Timetable {
        spot: spot.clone(),
        place: Place::Nation,
        zone: Zone::CHINA,
        exam_grades: EXAM_GRADES.iter().filter_map(|&year| Grade::try_from(year).ok()).collect(),
        fill_window: FILL_WINDOW,
        bells: Vec::new(),
        slate: None,
        channels: Vec::new(),
        rulings: shipped.rulings.clone(),
        documents: shipped.documents.clone(),
        items: Vec::new(),
    }
}

/// The channels that a sheet names, each by its own name: there is nobody who could say more about them.
pub(super) fn channels_of(items: &[Item]) -> Vec<ChannelEntry> {
    let named: BTreeMap<_, _> =
        items.iter().filter_map(|item| Some((item.channel.as_ref()?, &item.spot))).collect();
    let entry = |(id, spot): (&ChannelId, &Spot)| ChannelEntry {
        spot: spot.clone(),
        id: id.clone(),
        title: id.to_string(),
        grades: Vec::new(),
    };
    named.into_iter().map(entry).collect()
}

/// Reads the TOML file; `None` when it is none.
pub(super) fn read(
    spot: &Spot,
    bytes: &[u8],
    shipped: &Shipped,
    fetch: impl FnOnce(&str) -> Result<(String, Vec<u8>), String>,
    findings: &mut Vec<Finding>,
) -> Option<Timetable> {
    let text = text_of(spot, bytes, findings)?;
    let mut reading = Reading { spot, text, findings };
    let file: File = reading.parse()?;
    let mut timetable = plain(spot, shipped);
    timetable.place = file.place.unwrap_or(Place::Nation);
    timetable.zone = file.zone.unwrap_or(Zone::CHINA);
    timetable.slate = file.slate;
    let date = file.date.map(|date| {
        // One that is none is told here, and not again for each item that relies on it.
        reading.value(&date, "a day such as 2026-09-01", |value| day(&cell(value)?)).unwrap_or(Date::ZERO)
    });
    if let Some(grades) = file.exam_grades {
        timetable.exam_grades = reading.grades(&grades).unwrap_or_default();
    }
    if let Some(bells) = file.bells {
        timetable.bells = reading.value(&bells, "times such as 08:30", |all| {
            let mut bells = all.iter().map(|text| clock(text)).collect::<Option<Vec<_>>>()?;
            bells.sort_unstable();
            Some(bells)
        })?;
    }
    if let Some(Window { from, until }) = file.fill {
        let from = reading.value(&from, "a time such as 00:00", |text: &String| clock(text));
        let last = reading.value(&until, "a later time such as 07:00", |text: &String| {
            clock(text).filter(|&until| from.is_none_or(|from| from < until))
        });
        timetable.fill_window = from.zip(last).unwrap_or(FILL_WINDOW);
    }
    for document in file.document.iter().filter(|document| !is_issued(&document.issued)) {
        let text = format!(
            "document `{}`: issued is a day, a month or a year such as 2020-08, or empty",
            document.id
        );
        reading.findings.push(spot.error(Rule::Syntax, text));
    }
    if file.channel.len() > MAX_CHANNELS
        || file.document.len() > MAX_DOCUMENTS
        || file.policy.len() > MAX_RULINGS
    {
        let most =
            format!("more than {MAX_CHANNELS} channels, {MAX_DOCUMENTS} documents or {MAX_RULINGS} policies");
        reading.findings.push(spot.error(Rule::Syntax, format!("{most}, take some away")));
        return None;
    }
    timetable.channels = file.channel.into_iter().filter_map(|channel| reading.channel(channel)).collect();
    // A document of the same name in the file is the author's word about it.
    timetable.documents.retain(|shipped| file.document.iter().all(|own| own.id != shipped.id));
    timetable.documents.extend(file.document);
    let own = reading.rulings(file.policy);
    timetable.rulings.extend(own);
    timetable.items = reading.items(file.item, date);
    if let Some(named) = file.items {
        let line = reading.line(named.span().start);
        match fetch(named.get_ref()) {
            Ok((name, bytes)) => {
                let sheet = Spot { file: Arc::from(name), line: 1 };
                timetable.items.extend(sheet::items(&sheet, &bytes, date, findings));
            }
            Err(problem) => findings.push(spot.at(line).error(Rule::Syntax, problem)),
        }
    }
    Some(timetable)
}
