//! `airclass feedback …`: what pages have reported to a node, for those who look after it.

mod log;
mod spool;

use ::feedback::{Entry, ReportId};
use clap::{Args, Subcommand};
use faults::{AnyFault, Blame, Fault, say};
use settings::SettingsError;
use spool::Spool;
use std::io;
use std::path::PathBuf;

/// What to do.
#[derive(Subcommand)]
pub(crate) enum FeedbackCommand {
    /// Open reports, the oldest first
    List(ListOptions),
    /// One report: what it says, the line of the access log that it means, whose node it is
    Show(ShowOptions),
    /// Close reports that have been seen to; they are listed no more
    Close(CloseOptions),
}

/// Where reports and logs are.
#[derive(Args)]
struct Place {
    /// The node's own configuration, which says where its reports and logs are and whose it is
    #[arg(long, env = "AIRCLASS_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
    /// The folder that the edge writes (--feedback)
    #[arg(long, env = "AIRCLASS_FEEDBACK", value_name = "DIR")]
    spool: Option<PathBuf>,
    /// The folder of its access log (--access-log)
    #[arg(long, env = "AIRCLASS_ACCESS_LOG", value_name = "DIR")]
    log: Option<PathBuf>,
}

/// Which.
#[derive(Args)]
pub(crate) struct ListOptions {
    #[command(flatten)]
    place: Place,
    /// Closed ones as well
    #[arg(long)]
    all: bool,
    /// As JSON, one a line
    #[arg(long)]
    json: bool,
}

/// Which one.
#[derive(Args)]
pub(crate) struct ShowOptions {
    /// Its number, such as K7P-3WQM
    id: ReportId,
    #[command(flatten)]
    place: Place,
}

/// Which ones.
#[derive(Args)]
pub(crate) struct CloseOptions {
    /// Their numbers
    #[arg(required = true)]
    ids: Vec<ReportId>,
    #[command(flatten)]
    place: Place,
}

/// Why nothing can be told.
#[derive(Debug, thiserror::Error)]
enum FeedbackFault {
    #[error("cannot read {}: {source}; give the folder that an edge writes (--feedback)", path.display())]
    Unreadable { path: PathBuf, source: io::Error },
    #[error("cannot write {}: {source}; run as who may write there", path.display())]
    Unwritable { path: PathBuf, source: io::Error },
    #[error("there is no report {0} here; `airclass feedback list --all` has those that there are")]
    Unknown(ReportId),
}

impl Fault for FeedbackFault {
    fn code(&self) -> &'static str {
        match self {
            Self::Unreadable { .. } => "FEEDBACK_UNREADABLE",
            Self::Unwritable { .. } => "OUTPUT",
            Self::Unknown(_) => "FEEDBACK_UNKNOWN",
        }
    }

    fn blame(&self) -> Blame {
        Blame::Input
    }
}

/// A node's reports, its log, and whose it is.
struct Node {
    spool: Spool,
    log: Option<PathBuf>,
    owner: Option<String>,
}

impl Place {
    fn node(&self) -> Result<Node, AnyFault> {
        let told: edge::Options = settings::layered(&edge::Options::default(), self.config.as_deref())?;
        let Some(folder) = self.spool.clone().or(told.feedback) else {
            let problem = "is not set; give --spool DIR, or --config FILE of an edge that takes reports";
            return Err(SettingsError::value("feedback", problem).into());
        };
        let edge::NodeOptions { owner, province, carrier, site, .. } = told.node;
        let whose: Vec<_> = [owner, province, carrier, site].into_iter().flatten().collect();
        let owner = (!whose.is_empty()).then(|| whose.join(" · "));
        Ok(Node { spool: Spool::open(folder)?, log: self.log.clone().or(told.access_log.dir), owner })
    }
}

/// `airclass feedback`
pub(crate) fn feedback(command: &FeedbackCommand) -> Result<(), AnyFault> {
    match command {
        FeedbackCommand::List(options) => list(options),
        FeedbackCommand::Show(options) => show(options),
        FeedbackCommand::Close(options) => Ok(options.place.node()?.spool.close(&options.ids)?),
    }
}

fn list(ListOptions { place, all, json }: &ListOptions) -> Result<(), AnyFault> {
    let spool = place.node()?.spool;
    let entries = spool.entries();
    let shown: Vec<_> = entries.iter().filter(|entry| *all || !spool.is_closed(entry.id)).collect();
    for entry in &shown {
        if *json {
            faults::say::text(&String::from_utf8_lossy(&entry.to_line()));
        } else {
            say!("{}", line(entry, spool.is_closed(entry.id)));
        }
    }
    if !json {
        say!("{} reports, {} of them shown", entries.len(), shown.len());
    }
    Ok(())
}

fn line(entry: &Entry, closed: bool) -> String {
    let report = &entry.report;
    let text = |word: &Option<String>| word.clone().unwrap_or_else(|| "-".to_owned());
    let lesson = report.lesson.as_ref().map_or("-", |lesson| lesson.as_str());
    format!(
        "{} {} {:<8} {:<11} {lesson} {} {} {}{}",
        entry.id,
        entry.at,
        report.kind.as_str(),
        report.fault.as_str(),
        text(&report.rung),
        text(&report.node),
        text(&report.trace),
        if closed { " closed" } else { "" }
    )
}

fn show(ShowOptions { id, place }: &ShowOptions) -> Result<(), AnyFault> {
    let node = place.node()?;
    let entries = node.spool.entries();
    let entry = entries.iter().find(|entry| entry.id == *id).ok_or(FeedbackFault::Unknown(*id))?;
    say!("{}", line(entry, node.spool.is_closed(*id)));
    let report = &entry.report;
    say!(
        "  status {}  build {}  waited {} min on the device",
        report.status.map_or_else(|| "-".to_owned(), |status| status.to_string()),
        report.build.as_deref().unwrap_or("-"),
        report.waited_min
    );
    say!("  node of {}", node.owner.as_deref().unwrap_or("(nobody has said: [node] in its configuration)"));
    let found = match (&report.trace, &node.log) {
        (None, _) => "(the report names none)".to_owned(),
        (_, None) => "(no access log: give --log DIR)".to_owned(),
        (Some(trace), Some(folder)) => log::find(folder, trace)
            .map_err(|source| FeedbackFault::Unreadable { path: folder.clone(), source })?
            .unwrap_or_else(|| "(not found: another node's, or no longer kept)".to_owned()),
    };
    say!("  line {found}");
    Ok(())
}
