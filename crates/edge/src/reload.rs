//! The configuration read again at work: all of it has to be right, and what may change without a restart does.

use crate::edge::Settings;
use crate::options::{Config, Options};
use faults::AnyFault;
use serve::Running;
use settings::SettingsError;
use tokio::sync::watch;

/// Reads the options anew: flags over environment over file.
pub type Read<'a> = Box<dyn FnMut() -> Result<Options, AnyFault> + 'a>;

/// Keys of our own that may change at work, or tables of which all may; those of `[serve]` are told by [`serve::is_live`].
/// [`Settings::succeeded_by`] takes them.
const LIVE: &[&str] = &[
    "log.log",
    "upstream",
    "group",
    "cache",
    "stale_on_error",
    "connect_timeout",
    "upstream_rate",
    "response_timeout",
    "body_timeout",
    "client_connections",
    "client_requests",
    "client_rate",
    "client_rate_refused",
    "client_burst",
    "client_exempt",
    "resource_rate",
    "resources_at_once",
];

/// What the process began with and what is in force.
pub(crate) struct Reload<'a> {
    read: Read<'a>,
    begun: Options,
    now: Options,
    settings: watch::Sender<Settings>,
}

impl<'a> Reload<'a> {
    pub(crate) fn new(options: Options, read: Read<'a>, settings: watch::Sender<Settings>) -> Self {
        Self { read, begun: options.clone(), now: options, settings }
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
        let tls = running.speaks_tls() && config.serve.tls.is_some();
        // The last thing that can fail.
        let has_new_certificates = running.reconfigure(&config.serve)?;
        // Also when no key has changed: a file that one names may have.
        let has_new_upstreams = config.upstream.differs_from(&self.settings.borrow().config.upstream);
        self.settings.send_modify(|now| *now = now.succeeded_by(config));
        if changed.iter().any(|key| key == "log.log")
            && let Err(problem) = telemetry::refilter(&options.log)
        {
            tracing::warn!(problem, "the log stays as it was");
        }
        self.now = options;
        let in_force = in_force(&changed, tls, has_new_upstreams, has_new_certificates);
        Ok(match list(&waiting, false, tls) {
            Some(waiting) => format!("{in_force}; only a restart brings into force {waiting}"),
            None => in_force,
        })
    }
}

/// What has come into force: keys that are written otherwise, and files that others name. Whoever has renewed a certificate reads whether
/// it was taken.
fn in_force(changed: &[String], tls: bool, has_new_upstreams: bool, has_new_certificates: bool) -> String {
    let says = |keys: &[&str]| changed.iter().any(|changed| keys.contains(&changed.as_str()));
    let upstreams = has_new_upstreams && !says(&["group", "upstream"]);
    let certificates = has_new_certificates && !says(&["serve.cert", "serve.key", "serve.ticket_keys"]);
    let files = [
        upstreams.then(|| "the files of group".to_owned()),
        certificates.then(|| "certificates and ticket keys".to_owned()),
    ];
    let all: Vec<_> = list(changed, true, tls).into_iter().chain(files.into_iter().flatten()).collect();
    if all.is_empty() { "nothing has changed".to_owned() } else { format!("in force: {}", all.join(", ")) }
}

/// The keys that are live, or those that are not; `None` for none.
fn list(keys: &[String], live: bool, tls: bool) -> Option<String> {
    let keys: Vec<&str> = keys.iter().map(String::as_str).filter(|key| is_live(key, tls) == live).collect();
    (!keys.is_empty()).then(|| keys.join(", "))
}

fn is_live(key: &str, tls: bool) -> bool {
    let below =
        |live: &str| key.strip_prefix(live).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'));
    LIVE.iter().any(|live| below(live))
        || key.strip_prefix("serve.").is_some_and(|key| serve::is_live(key, tls))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_change_at_work_is_told_from_what_may_not() {
        let live = ["log.log", "serve.cert", "serve.limits.idle_timeout", "group", "cache.negative_ttl"];
        let others = ["ram", "serve.listen", "upstream_connections", "groups", "log.log_format"];
        let keys: Vec<String> = live.into_iter().chain(others).map(str::to_owned).collect();
        assert_eq!(list(&keys, true, true).unwrap(), live.join(", "));
        assert_eq!(list(&keys, false, true).unwrap(), others.join(", "));
        assert_eq!(list(&keys[live.len()..], true, true), None);
        // A plain edge that is given its first certificate needs a listener for it.
        let first = ["serve.cert", "serve.key", "serve.tls_listen"].map(str::to_owned);
        assert_eq!(list(&first, true, false), None);
        assert_eq!(list(&first, false, false).unwrap(), first.join(", "));
    }

    /// An authority's renewed certificate was believed from then on, and the answer was that nothing had changed.
    #[test]
    fn files_that_were_written_anew_are_told_with_the_keys() {
        let cache = ["cache.negative_ttl".to_owned()];
        for (changed, upstreams, certificates, told) in [
            (&[][..], false, false, "nothing has changed"),
            (&[], true, false, "in force: the files of group"),
            (&[], false, true, "in force: certificates and ticket keys"),
            (
                &cache,
                true,
                true,
                "in force: cache.negative_ttl, the files of group, certificates and ticket keys",
            ),
            (&["group".to_owned()], true, false, "in force: group"),
            (&["serve.cert".to_owned()], false, true, "in force: serve.cert"),
            (&["ram".to_owned()], false, false, "nothing has changed"),
        ] {
            assert_eq!(in_force(changed, true, upstreams, certificates), told);
        }
    }
}
