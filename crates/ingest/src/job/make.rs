//! The units of a lesson, done and put together.

use super::{Ended, Job, Workshop};
use crate::assemble::Pieces;
use crate::chunk::Chunk;
use crate::crew::{Crew, CrewError};
use crate::encode::slides::Merger;
use crate::fault::MediaError;
use crate::plan::Plan;
use crate::progress::{Follow, Report, Stage};
use crate::spool::Spool;
use crate::survey::Survey;
use crate::task::{Header, Task};
use crate::unit::{Record, Unit};
use grid::SEGMENT;
use package::ingest::IngestKey;
use package::{Codec, Digest, Rendition, layout};
use std::collections::BTreeMap;
use std::fs::File;

/// The work a lesson consists of. Sound first: it is the longest that cannot be divided.
fn units(survey: &Survey, plan: &Plan) -> Vec<Unit> {
    let made = |codec: &Codec| plan.rungs.iter().any(|rung| rung.slot.codec() == *codec);
    let pictures = |codec| Chunk::of(survey.segments).map(move |chunk| Unit::Pictures(chunk, codec));
    std::iter::once(Unit::Sound).chain(Codec::ALL.into_iter().filter(made).flat_map(pictures)).collect()
}

/// What the units made, put together: the same init section from every chunk, and all segments.
pub(super) fn pieces(records: &[Record]) -> Result<Pieces, MediaError> {
    let mut pieces = Pieces::default();
    let mut inits: BTreeMap<Rendition, Digest> = BTreeMap::new();
    let mut merger = Merger::default();
    for piece in records.iter().flat_map(|record| &record.pieces) {
        match &piece.header {
            Header::Init { rendition, codecs } => match inits.get(rendition) {
                None => {
                    inits.insert(*rendition, piece.written.sha256);
                    pieces.init(*rendition, codecs.clone(), piece.written);
                }
                Some(first) if *first == piece.written.sha256 => {}
                Some(_) => {
                    let problem = "a chunk's init section is not that of the first".to_owned();
                    return Err(MediaError::Nonconformant { rendition: rendition.to_string(), problem });
                }
            },
            Header::Segment { rendition, number, stills } => {
                pieces.segment(*rendition, *number, stills, piece.written);
            }
            Header::Sheet { sheet } => pieces.object(layout::thumbs_sheet(*sheet), piece.written),
            Header::Slide(slide) => {
                if merger.keeps(slide) {
                    pieces.object(layout::slide(slide.at_ms), piece.written);
                }
            }
            Header::Progress { .. } | Header::Survey | Header::Trial => {}
        }
    }
    Ok(pieces)
}

impl Job<'_> {
    /// Does all units that nobody did yet.
    pub(super) fn make(
        &self,
        file: &File,
        plan: &Plan,
        survey: &Survey,
        key: &IngestKey,
        spool: &Spool<'_>,
        report: &mut dyn Report,
    ) -> Result<Vec<Record>, Ended> {
        let renditions = (plan.rungs.len() + plan.sounds.len()) as u64;
        let total = u64::from(survey.segments.0) * renditions;
        let task = |unit: &Unit| match unit {
            Unit::Sound => Task::Sound { plan: Box::new(plan.clone()), segments: survey.segments },
            Unit::Pictures(chunk, codec) => Task::Pictures {
                plan: Box::new(plan.clone()),
                codec: *codec,
                chunk: *chunk,
                entry: survey.entries[chunk.index as usize].clone(),
            },
        };
        let mut follow = Follow::begin(report, Stage::Transcode);
        let mut progress = |done: u64| {
            let media = SEGMENT * u32::try_from(done / renditions).unwrap_or(u32::MAX);
            follow.at(done, total, Some(media));
        };
        let Workshop { workers, ref limits, cancel, .. } = *self.workshop;
        let published = || Ok(!self.damaged && self.is_published(key)?);
        let crew = Crew { file, spool, workers, limits, published: &published, cancel };
        let records = crew.work(&units(survey, plan), &task, &mut progress).map_err(|error| match error {
            CrewError::Media(error) => self.ended(error),
            CrewError::Store(error) => error.into(),
            CrewError::Overtaken => MediaError::Stopped.into(),
        })?;
        self.stopped()?;
        follow.end();
        Ok(records)
    }
}
