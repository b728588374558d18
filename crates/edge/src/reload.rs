//! The configuration read again at work: all of it has to be right, and what may change without a restart does.

use crate::options::{Config, Options};
use faults::AnyFault;
use serve::Running;
use settings::SettingsError;

/// Reads the options anew: flags over environment over file.
pub type Read<'a> = Box<dyn FnMut() -> Result<Options, AnyFault> + 'a>;

/// Keys of our own that may change at work; those of `[serve]` are told by [`serve::is_live`].
const LIVE: &[&str] = &["log.log"];

/// What the process began with and what is in force.
pub(crate) struct Reload<'a> {
    read: Read<'a>,
    begun: Options,
    now: Options,
}

impl<'a> Reload<'a> {
    pub(crate) fn new(options: Options, read: Read<'a>) -> Self {
        Self { read, begun: options.clone(), now: options }
    }

    /// Brings what was written since into force; says in one line what that is, and what waits for a restart.
    ///
    /// # Errors
    /// As [`Config::resolve`], and for a certificate that cannot be used. Then nothing has changed.
    pub(crate) fn again(&mut self, running: &Running) -> Result<String, AnyFault> {
        let options = (self.read)()?;
        let config = Config::resolve(&options)?;
        telemetry::check(&options.log).map_err(|problem| SettingsError::value("log", problem))?;
        let changed = settings::changes(&self.now, &options)?;
        let waiting = settings::changes(&self.begun, &options)?;
        // The last thing that can fail.
        running.reconfigure(&config.serve)?;
        if changed.iter().any(|key| key == "log.log")
            && let Err(problem) = telemetry::refilter(&options.log)
        {
            tracing::warn!(problem, "the log stays as it was");
        }
        self.now = options;
        let in_force = list(&changed, true).unwrap_or_else(|| "nothing has changed".to_owned());
        Ok(match list(&waiting, false) {
            Some(waiting) => format!("{in_force}; only a restart brings into force {waiting}"),
            None => in_force,
        })
    }
}

/// The keys that are live, or those that are not; `None` for none.
fn list(keys: &[String], live: bool) -> Option<String> {
    let keys: Vec<&str> = keys.iter().map(String::as_str).filter(|key| is_live(key) == live).collect();
    (!keys.is_empty()).then(|| if live { format!("in force: {}", keys.join(", ")) } else { keys.join(", ") })
}

fn is_live(key: &str) -> bool {
    LIVE.contains(&key) || key.strip_prefix("serve.").is_some_and(serve::is_live)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_change_at_work_is_told_from_what_may_not() {
        let keys: Vec<String> = ["log.log", "ram", "serve.cert", "serve.limits.idle_timeout", "serve.listen"]
            .map(str::to_owned)
            .into();
        assert_eq!(list(&keys, true).unwrap(), "in force: log.log, serve.cert, serve.limits.idle_timeout");
        assert_eq!(list(&keys, false).unwrap(), "ram, serve.listen");
        assert_eq!(list(&keys[1..2], true), None);
    }
}
