//! `airclass-ingest doctor`: which protections hold on this machine, which libraries open media, what is known of them.
//!
//! Nothing is taken from a table that can be tried: every protection is met by a worker that does its best against it.

mod holes;
mod libraries;
mod trials;

pub use holes::{Hole, holes};
pub use libraries::Libraries;
pub use trials::Trial;

use crate::cli::Doctor;
use crate::ffmpeg::{self, Verbosity};
use crate::worker::{Confinement, Program};
use faults::say;
use serde::Serialize;
use std::process::ExitCode;

/// What the doctor found.
#[derive(Debug, Serialize)]
pub struct Report {
    /// Everything that is required holds, and no known hole can be reached.
    pub ok: bool,
    /// What workers tried.
    pub trials: Vec<Trial>,
    /// What they had put up; `None` when none came that far.
    pub confinement: Option<Confinement>,
    /// The media libraries.
    pub libraries: Libraries,
    /// What is known of this version.
    pub known_vulnerabilities: Vec<Hole>,
}

/// Runs it.
pub fn run(options: &Doctor) -> ExitCode {
    ffmpeg::set_up(Verbosity::Silent);
    let report = examine(&Program::own());
    let text = match options.json {
        true => serde_json::to_string_pretty(&report).unwrap_or_default() + "\n",
        false => report.text(),
    };
    say!("{}", text.trim_end());
    ExitCode::from(u8::from(!report.ok))
}

/// Tries everything in workers of `program`.
pub fn examine(program: &Program) -> Report {
    let (trials, confinement) = trials::all(&program.clone().attempting());
    let libraries = Libraries::linked();
    let known_vulnerabilities = holes(&libraries.ffmpeg);
    let held = trials.iter().all(|trial| trial.holds || !trial.required);
    let confined = confinement.as_ref().is_some_and(|confinement| confinement.check().is_ok());
    let reachable = known_vulnerabilities.iter().any(|hole| hole.is_open());
    Report { ok: held && confined && !reachable, trials, confinement, libraries, known_vulnerabilities }
}

impl Report {
    fn text(&self) -> String {
        let mut lines = vec!["Protections of media workers, each tried in one".to_owned()];
        for Trial { name, holds, required, found } in &self.trials {
            lines.push(format!("  {:8} {name}: {found}", verdict(*holds, *required)));
        }
        lines.push("What a worker puts up".to_owned());
        match &self.confinement {
            None => lines.push("  MISSING  no worker came far enough to say".to_owned()),
            Some(Confinement { held, missing, landlock_abi }) => {
                for protection in held {
                    let abi = landlock_abi.filter(|_| protection.as_str() == "landlock");
                    let abi = abi.map_or(String::new(), |abi| format!(" (interface version {abi})"));
                    lines.push(format!("  {:8} {protection}{abi}", verdict(true, true)));
                }
                for (protection, why) in missing {
                    lines.push(format!(
                        "  {:8} {protection}: {why}",
                        verdict(false, protection.is_required())
                    ));
                }
            }
        }
        let Libraries { ffmpeg, build, x264, svt_av1 } = &self.libraries;
        let or_none = |version: &Option<String>| version.clone().unwrap_or_else(|| "not found".to_owned());
        lines.push("Libraries".to_owned());
        lines.push(format!("  FFmpeg {ffmpeg} ({build})"));
        lines.push(format!("  x264 {}, SVT-AV1 {}", or_none(x264), or_none(svt_av1)));
        lines.push("Known vulnerabilities".to_owned());
        for hole in &self.known_vulnerabilities {
            lines.push(format!("  {:8} {} {}: {}", hole.verdict(), hole.id, hole.part, hole.why));
        }
        lines.push(match self.ok {
            true => "All that is required holds.".to_owned(),
            false => "DOCTOR: a protection is missing; media must not be opened on this machine as it is."
                .to_owned(),
        });
        lines.join("\n") + "\n"
    }
}

fn verdict(holds: bool, required: bool) -> &'static str {
    match (holds, required) {
        (true, _) => "ok",
        (false, true) => "MISSING",
        (false, false) => "absent",
    }
}
