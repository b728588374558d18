//! `airclass-ingest enqueue`.

use super::intake::{Intake, told};
use super::options::Enqueue;
use crate::run;
use faults::{AnyFault, Blame, note, say};
use queue::{Added, Moment, Policy, Priority, Repeat};
use std::process::ExitCode;

/// Runs it: files that cannot be used are told and do not keep the others back.
pub fn run(options: &Enqueue) -> ExitCode {
    match begin(options) {
        Ok(status) => status,
        Err(fault) => fault.report(),
    }
}

fn begin(options: &Enqueue) -> Result<ExitCode, AnyFault> {
    let lessons = run::lessons(&options.files, options.lesson.as_ref())?;
    let intake = Intake::new(&options.wish)?;
    let queue = super::open(options.at.queue.as_deref(), Policy::default())?;
    let mut worst = 0;
    for (file, lesson) in options.files.iter().zip(&lessons) {
        match intake.job(file, Some(lesson), options.meta.as_deref()) {
            Ok(mut job) => {
                if let Some(airs) = options.airs {
                    job.priority = Priority::AirsNext;
                    job.airs_at = Some(Moment(u64::try_from(airs.as_millisecond()).unwrap_or(0)));
                }
                for added in queue.add(std::slice::from_ref(&job), Repeat::Allowed)? {
                    say!("{}", told(&job, &added));
                    if let Added::SetAside(_) = added {
                        worst = worst.max(Blame::Input.exit_status());
                    }
                }
            }
            Err(fault) => {
                note!("{}", fault.line());
                worst = worst.max(fault.blame().exit_status());
            }
        }
    }
    Ok(ExitCode::from(worst))
}
