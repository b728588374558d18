//! What is found out about a source before anything is made of it: the survey, and what each rung needs.

use super::{Ended, Job, Workshop};
use crate::fault::MediaError;
use crate::plan::Plan;
use crate::progress::{Follow, Report, Stage};
use crate::spool::Spool;
use crate::survey::Survey;
use crate::task::{Answer, Header, Task};
use crate::title::{self, Content, Part, Pass, Tried};
use crate::worker;
use std::fs::File;
use std::time::Duration;

/// Under this name the survey is kept beside the units' records.
const SURVEY: &str = "survey";
/// And under this one what came of trying.
const TRIED: &str = "tried";

impl Job<'_> {
    /// Decodes the source once, or takes what that gave before.
    pub(super) fn survey(
        &self,
        file: &File,
        spool: &Spool<'_>,
        report: &mut dyn Report,
    ) -> Result<Survey, Ended> {
        if let Some(survey) = spool.paper(SURVEY)? {
            return Ok(survey);
        }
        let mut follow = Follow::begin(report, Stage::Survey);
        let mut found = None;
        let mut sink = |answer: Answer| {
            match answer.header {
                Header::Progress { media_ms, of_ms } => {
                    follow.at(media_ms, of_ms.unwrap_or(0), Some(Duration::from_millis(media_ms)));
                }
                Header::Survey => found = serde_json::from_slice(&answer.body).ok(),
                // A worker that was sent to look makes nothing; what it says beside is not listened to.
                Header::Trial
                | Header::Init { .. }
                | Header::Segment { .. }
                | Header::Sheet { .. }
                | Header::Slide(_) => {}
            }
            Ok(())
        };
        let Workshop { limits, cancel, .. } = self.workshop;
        worker::retried(|| worker::perform(&Task::Survey, file, limits, &mut sink, cancel))
            .map_err(|error| self.ended(error))?;
        let survey: Survey = found.ok_or(MediaError::Crashed("survey"))?;
        follow.end();
        spool.keep(SURVEY, &survey)?;
        Ok(survey)
    }

    /// The plan with what this lesson needs, found by trying excerpts of it or by what that gave before.
    pub(super) fn own_rates(
        &self,
        file: &File,
        plan: Plan,
        survey: &Survey,
        spool: &Spool<'_>,
        report: &mut dyn Report,
    ) -> Result<Plan, Ended> {
        let Workshop { ladder, limits, cancel, .. } = self.workshop;
        let content = Content::of(&survey.activity);
        let excerpts = title::excerpts(&ladder.title, survey.segments, &survey.entries, &survey.activity);
        let tried: Vec<Tried> = match spool.paper(TRIED)? {
            Some(tried) => tried,
            None if excerpts.is_empty() || content == Content::Film => Vec::new(),
            None => {
                let mut follow = Follow::begin(report, Stage::Trial);
                let mut parts: Vec<Part> = Vec::new();
                let passes = Pass::of(&plan).into_iter();
                let tries: Vec<_> =
                    passes.flat_map(|pass| excerpts.iter().map(move |excerpt| (pass, excerpt))).collect();
                for (done, &(pass, excerpt)) in tries.iter().enumerate() {
                    let task = Task::Trial {
                        plan: Box::new(plan.clone()),
                        ladder: Box::new((*ladder).clone()),
                        content,
                        pass,
                        excerpt: excerpt.clone(),
                    };
                    let mut found: Option<Vec<Part>> = None;
                    let mut sink = |answer: Answer| {
                        found = serde_json::from_slice(&answer.body).ok();
                        Ok(())
                    };
                    worker::retried(|| worker::perform(&task, file, limits, &mut sink, cancel))
                        .map_err(|error| self.ended(error))?;
                    parts.extend(found.ok_or(MediaError::Crashed("trial"))?);
                    follow.at(done as u64 + 1, tries.len() as u64, None);
                }
                let tried = title::tried(parts);
                follow.end();
                spool.keep(TRIED, &tried)?;
                tried
            }
        };
        let chosen = title::choose(&plan.slots(), ladder, content, &tried);
        Ok(plan.spending(ladder, content, chosen))
    }
}
