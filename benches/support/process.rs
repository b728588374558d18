//! Programs the bench starts, each in a process group of its own, and what they cost.

use crate::{cleanup, clock};
use anyhow::{Context, Result, bail, ensure};
use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::signal::{Signal, killpg};
use nix::sys::time::TimeValLike;
use nix::unistd::Pid;
use serde::{Deserialize, Serialize};
use std::ffi::OsString;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// From asking a program to stop to killing it.
const STOP_WITHIN: Duration = Duration::from_secs(3);

/// A running program. Dropped, it and its children are killed.
pub(crate) struct Process {
    child: Child,
    name: String,
}

impl Process {
    /// Starts it with its output going to `log`, which is quoted when the program ends too early.
    pub(crate) fn start(mut command: Command, log: &Path) -> Result<Self> {
        let name = command.get_program().to_string_lossy().into_owned();
        let output = std::fs::File::create(log).with_context(|| format!("cannot write {}", log.display()))?;
        let child = command
            .stdin(Stdio::null())
            .stdout(output.try_clone()?)
            .stderr(output)
            .process_group(0)
            .spawn()
            .with_context(|| format!("cannot start {name}"))?;
        let process = Self { child, name };
        cleanup::started(process.group());
        Ok(process)
    }

    /// Itself, all its children and theirs.
    pub(crate) fn tree(&self) -> Vec<u32> {
        tree(self.child.id())
    }

    /// Fails when it has ended.
    pub(crate) fn check(&mut self, log: &Path) -> Result<()> {
        if let Some(status) = self.child.try_wait()? {
            let said = std::fs::read_to_string(log).unwrap_or_default();
            bail!("{} ended ({status}): {}", self.name, said.trim());
        }
        Ok(())
    }

    /// Its number, and its group's.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Ends it as a power cut does.
    pub(crate) fn kill(mut self) -> Result<()> {
        killpg(self.group(), Signal::SIGKILL)?;
        self.child.wait()?;
        Ok(())
    }

    /// Waits for its end.
    pub(crate) fn wait(&mut self, limit: Duration) -> Result<std::process::ExitStatus> {
        let ended = clock::wait_until(limit, || matches!(self.child.try_wait(), Ok(Some(_)) | Err(_)));
        ensure!(ended, "{} did not end within {limit:?}", self.name);
        Ok(self.child.wait()?)
    }

    fn group(&self) -> Pid {
        Pid::from_raw(self.child.id().cast_signed())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = killpg(self.group(), Signal::SIGTERM);
        if !clock::wait_until(STOP_WITHIN, || matches!(self.child.try_wait(), Ok(Some(_)) | Err(_))) {
            let _ = killpg(self.group(), Signal::SIGKILL);
            let _ = self.child.wait();
        }
        cleanup::stopped(self.group());
    }
}

/// `root` and its descendants, by asking every process for its parent.
fn tree(root: u32) -> Vec<u32> {
    let parents: Vec<(u32, u32)> = std::fs::read_dir("/proc")
        .into_iter()
        .flatten()
        .filter_map(|entry| {
            let pid = entry.ok()?.file_name().to_str()?.parse().ok()?;
            let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
            Some((pid, parent_in(&stat)?))
        })
        .collect();
    let mut tree = vec![root];
    let mut next = 0;
    while let Some(&parent) = tree.get(next) {
        tree.extend(parents.iter().filter(|(_, of)| *of == parent).map(|(pid, _)| *pid));
        next += 1;
    }
    tree
}

/// The parent in `/proc/PID/stat`: the second word behind the name, which may hold blanks and brackets itself.
fn parent_in(stat: &str) -> Option<u32> {
    stat.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse().ok()
}

/// What a program that has ended has cost.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct Cost {
    pub(crate) wall_s: f64,
    /// User and system together, of it and its children.
    pub(crate) cpu_s: f64,
    /// Largest resident set of any one of its processes.
    pub(crate) peak_rss_bytes: u64,
}

/// Runs `command` to its end under a copy of this program, whose children are then only that command: the kernel's
/// account of "all children that have ended" is its account alone. Gives what it printed, too.
pub(crate) fn run(command: &Command, directory: &Path, limit: Duration) -> Result<(Cost, String)> {
    let name = command.get_program().to_string_lossy().into_owned();
    let (cost, log) = (directory.join("cost.json"), directory.join("output.log"));
    let _ = std::fs::remove_file(&cost);
    let mut watched = Command::new(std::env::current_exe()?);
    watched.arg("--measure").arg(&cost).arg(command.get_program()).args(command.get_args());
    watched.envs(command.get_envs().filter_map(|(key, value)| Some((key, value?))));
    let mut process = Process::start(watched, &log)?;
    let ended = clock::wait_until(limit, || matches!(process.child.try_wait(), Ok(Some(_)) | Err(_)));
    ensure!(ended, "{name} did not end within {limit:?}");
    let said = std::fs::read_to_string(&log).unwrap_or_default();
    let status = process.child.wait()?;
    ensure!(status.success(), "{name} failed ({status}): {}", last_lines(&said));
    let cost = std::fs::read(&cost).with_context(|| format!("{name} left no account"))?;
    Ok((serde_json::from_slice(&cost)?, said))
}

fn last_lines(said: &str) -> String {
    const LINES: usize = 8;
    let lines: Vec<_> = said.lines().rev().take(LINES).collect();
    lines.into_iter().rev().collect::<Vec<_>>().join("\n")
}

/// The other half of [`run`]: `errand` is the file to write and the command.
pub(crate) fn measured(errand: &[OsString]) -> Result<()> {
    let [file, program, arguments @ ..] = errand else { bail!("--measure wants a file and a command") };
    let began = clock::now();
    let status = Command::new(program).args(arguments).status();
    let wall = began.elapsed();
    let status = status.with_context(|| format!("cannot start {}", Path::new(program).display()))?;
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN)?;
    let micros = usage.user_time().num_microseconds() + usage.system_time().num_microseconds();
    let cost = Cost {
        wall_s: wall.as_secs_f64(),
        cpu_s: Duration::from_micros(micros.unsigned_abs()).as_secs_f64(),
        peak_rss_bytes: usage.max_rss().unsigned_abs() * 1_024,
    };
    std::fs::write(file, serde_json::to_vec(&cost)?)?;
    ensure!(status.success(), "{} ended with {status}", Path::new(program).display());
    Ok(())
}

/// A program of ours: as given, or beside this one.
pub(crate) fn sibling(given: Option<&PathBuf>, name: &str, build: &str) -> Result<PathBuf> {
    let path = match given {
        Some(path) => path.clone(),
        None => std::env::current_exe()?.with_file_name(name),
    };
    ensure!(
        path.is_file(),
        "{} is not there; build it with `{build}` or name it with --{name}",
        path.display()
    );
    Ok(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parent_stands_behind_a_name_with_blanks_and_brackets() {
        assert_eq!(parent_in("123 (a) b (c)) S 45 123 123 0"), Some(45));
        assert_eq!(parent_in("123 (a"), None);
    }

    #[test]
    fn we_are_among_the_children_of_our_parent() {
        let parent = parent_in(&std::fs::read_to_string("/proc/self/stat").unwrap()).unwrap();
        assert!(tree(parent).contains(&std::process::id()));
    }
}
