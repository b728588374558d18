//! A command line that is not understood, told in one line like every other fault.

use crate::{advice, papers, version};
use clap::error::{ContextKind, ContextValue, Error, ErrorKind};
use clap::{Command, Parser};
use faults::Fault;
use std::path::Path;

/// Flags, variables or words that are not understood.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct UsageError(String);

impl Fault for UsageError {
    fn code(&self) -> &'static str {
        "USAGE"
    }
}

impl UsageError {
    /// A file that a program was to write could not be.
    pub(crate) fn of(path: &Path, error: &std::io::Error) -> Self {
        Self(format!("{}: {error}; give a folder that can be written to", path.display()))
    }
}

/// What this process, of this [`version!`](crate::version!), was started with. Where that is help, the version or
/// [papers](crate::papers), they are given and the process ends.
///
/// # Errors
/// It is not understood.
pub fn arguments<Arguments: Parser>(version: &'static str) -> Result<Arguments, UsageError> {
    version::runs(version);
    let program = Arguments::command().version(version);
    if let Some(folder) = papers::wanted(std::env::args_os().skip(1)) {
        papers::write(program, &folder)?;
        std::process::exit(0);
    }
    let matches = program.clone().try_get_matches();
    matches.and_then(|matches| Arguments::from_arg_matches(&matches)).map_err(|error| match error.kind() {
        ErrorKind::DisplayHelp
        | ErrorKind::DisplayVersion
        | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => error.exit(),
        _ => {
            let words = std::env::args_os().skip(1).map(|word| word.to_string_lossy().into_owned());
            UsageError(line(&error, program, words))
        }
    })
}

/// What is wrong with `words`, of which `root` has made `error`.
fn line(error: &Error, mut root: Command, words: impl Iterator<Item = String>) -> String {
    root.build();
    let command = words.fold(&root, |command, word| command.find_subcommand(word).unwrap_or(command));
    let text = error.render().to_string();
    let mut problem = String::new();
    // Usage, which comes behind, is what the end of the line leads to.
    let said = text.lines().map(str::trim).filter(|line| !line.is_empty());
    for said in said.take_while(|line| !line.starts_with("Usage:") && !line.starts_with("For more")) {
        problem += match problem.chars().last() {
            None => "",
            Some(':') => " ",
            Some(_) => "; ",
        };
        problem += said.strip_prefix("error: ").unwrap_or(said);
    }
    if let Some(ContextValue::String(flag)) = error.get(ContextKind::InvalidArg)
        && let Some(argument) = command.get_arguments().find(|argument| argument.to_string() == *flag)
        && let Some(variable) = argument.get_env()
    {
        let flag = format!("'{flag}'");
        problem = problem.replacen(&flag, &format!("{flag} (or {})", variable.display()), 1);
    }
    let advice = advice(&problem).map(|advice| format!("; {advice}")).unwrap_or_default();
    format!("{problem}{advice}; see `{} --help`", command.get_bin_name().unwrap_or(command.get_name()))
}
