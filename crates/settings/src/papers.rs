//! What a package brings beside a program: a manual page of each command, and what shells complete.

use super::UsageError;
use clap::Command;
use clap_complete::Shell;
use clap_mangen::Man;
use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};

/// The word behind which a program writes them into a folder. No command: packages are made with it, and nobody else needs it.
const WORD: &str = "papers";

/// Where they are wanted, if that is what `words` say.
pub(crate) fn wanted(words: impl Iterator<Item = OsString>) -> Option<PathBuf> {
    match &words.collect::<Vec<_>>()[..] {
        [word, folder] if word == WORD => Some(folder.into()),
        _ => None,
    }
}

/// Writes those of `program` into `folder`, made where it is not there: `NAME.1`, `NAME-COMMAND.1`, and the scripts for bash, fish and zsh.
///
/// # Errors
/// One cannot be written; the line names it.
pub(crate) fn write(mut program: Command, folder: &Path) -> Result<(), UsageError> {
    std::fs::create_dir_all(folder).map_err(|error| UsageError::of(folder, &error))?;
    let name = program.get_name().to_owned();
    for shell in [Shell::Bash, Shell::Fish, Shell::Zsh] {
        let mut script = Vec::new();
        clap_complete::generate(shell, &mut program, &name, &mut script);
        put(folder, &clap_complete::Generator::file_name(&shell, &name), &script)?;
    }
    program.build();
    pages(&program, folder)
}

fn pages(command: &Command, folder: &Path) -> Result<(), UsageError> {
    let (page, mut text) = (Man::new(command.clone()), Vec::new());
    page.render(&mut text).map_err(|error| UsageError::of(folder, &error))?;
    put(folder, &page.get_filename(), &text)?;
    let mut commands = command.get_subcommands().filter(|command| command.get_name() != "help");
    commands.try_for_each(|command| pages(command, folder))
}

/// All of it or nothing: whoever packs at the same time finds it whole.
fn put(folder: &Path, name: &str, text: &[u8]) -> Result<(), UsageError> {
    let (path, new) = (folder.join(name), folder.join(format!(".{name}.{}", std::process::id())));
    let written: io::Result<()> = std::fs::write(&new, text).and_then(|()| std::fs::rename(&new, &path));
    written.map_err(|error| UsageError::of(&path, &error))
}
