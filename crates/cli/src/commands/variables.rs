//! Variables of the environment that were meant to be options.

use clap::{Arg, Command, CommandFactory};

/// How variables of ours begin.
const OURS: &str = "AIRCLASS_";

/// A line for each variable of this process that reads like an option and is none: misspelt, or of another version. A flag or a key of
/// a file would be refused; whose a variable is, its name alone tells, so that these are only told of.
pub(crate) fn strange() -> impl Iterator<Item = String> {
    let set = std::env::vars_os().filter_map(|(name, _)| name.into_string().ok());
    let strange = unread(&crate::Arguments::command(), set);
    strange
        .into_iter()
        .map(|name| format!("{name} is set and means nothing here: no option of --help is set by it"))
}

fn unread(program: &Command, set: impl Iterator<Item = String>) -> Vec<String> {
    let mut unread: Vec<_> = set.filter(|name| name.starts_with(OURS) && !reads(program, name)).collect();
    unread.sort_unstable();
    unread
}

fn reads(command: &Command, variable: &str) -> bool {
    let is_read = |argument: &Arg| argument.get_env().is_some_and(|name| name == variable);
    command.get_arguments().any(is_read) || command.get_subcommands().any(|command| reads(command, variable))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A misspelt one in `edge.env` was passed over, and the edge ran with what it is without it.
    #[test]
    fn variables_that_no_command_reads_are_found() {
        let program = crate::Arguments::command();
        for (set, found) in [
            (&[][..], &[][..]),
            (&["AIRCLASS_RAM", "AIRCLASS_DOCTOR_PATH", "AIRCLASS_CONTROL_LISTEN", "PATH", "AIRCLASS"], &[]),
            (
                &["AIRCLASS_RAMM", "AIRCLASS_RAM", "AIRCLASS_", "airclass_ram"],
                &["AIRCLASS_", "AIRCLASS_RAMM"],
            ),
        ] {
            assert_eq!(unread(&program, set.iter().map(|name| (*name).to_owned())), found, "{set:?}");
        }
    }
}
