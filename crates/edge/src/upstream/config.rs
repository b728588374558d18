//! Groups of servers, checked.

mod group;

use super::address::Address;
use super::options::{GroupOptions, ServerOptions};
use group::GroupReader;
use http::{HeaderValue, Uri};
use parents::route::{Hosts, Routes, Rule};
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use settings::SettingsError;
use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

/// Where answers come from.
#[derive(Debug, Clone)]
pub struct Upstreams {
    pub(super) routes: Routes,
    pub(super) groups: Vec<GroupConfig>,
    /// Which group plans come from, the last, where they have one of their own. No request finds it.
    pub(super) plans: Option<usize>,
}

/// One group of servers. Two that are equal need not be told apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct GroupConfig {
    pub(super) name: String,
    pub(super) tiers: Vec<Vec<ServerConfig>>,
    pub(super) peers: Vec<ServerConfig>,
    pub(super) host: HostHeader,
    pub(super) check: Option<CheckConfig>,
    pub(super) retry_percent: u32,
    pub(super) hedge: bool,
}

/// One server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ServerConfig {
    pub(super) name: String,
    pub(super) address: Address,
    pub(super) weight: u16,
    /// For https.
    pub(super) tls: Option<Tls>,
}

/// How a server is spoken to over TLS.
#[derive(Debug, Clone)]
pub(super) struct Tls {
    pub(super) config: Arc<ClientConfig>,
    /// What its certificate must have.
    pub(super) name: ServerName<'static>,
    /// Of the files that say whom to believe and who we are.
    pub(super) mark: u64,
}

impl PartialEq for Tls {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name && self.mark == other.mark
    }
}

impl Eq for Tls {}

/// What Host says towards a group's servers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum HostHeader {
    /// What the client asked.
    Client,
    /// Each server's own name.
    Upstream,
    /// Always this.
    Fixed(HeaderValue),
}

/// How a group's servers are checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct CheckConfig {
    pub(super) path: Uri,
    pub(super) every: Duration,
    /// The host that is asked for, where servers are told the client's; `None`: each one's own.
    pub(super) host: Option<String>,
}

/// The group of those that are named by `upstream` alone.
const DEFAULT_GROUP: &str = "default";
/// The group of the node that plans come from.
const PLANS_GROUP: &str = "day-plans";
/// Groups: more is a mistake of whatever wrote the file.
const MAX_GROUPS: usize = 256;
/// Hosts times paths of a group: every miss looks through them.
const MAX_RULES: usize = 256;

impl Upstreams {
    /// `upstream`, the simple form, is a group for whatever no other group is for.
    ///
    /// # Errors
    /// The first key that cannot be, with its group.
    pub(crate) fn resolve(upstream: &[String], groups: &[GroupOptions]) -> Result<Self, SettingsError> {
        if upstream.is_empty() && groups.is_empty() {
            let problem = "is missing; give the origin, for example http://127.0.0.1:8090";
            return Err(SettingsError::value("upstream", problem));
        }
        if groups.len() > MAX_GROUPS {
            return Err(SettingsError::value("group", format!("stands there more than {MAX_GROUPS} times")));
        }
        let mut resolved = Vec::with_capacity(groups.len() + 1);
        let mut rules = Vec::new();
        for group in groups {
            rules.extend(rules_of(group, resolved.len())?);
            resolved.push(GroupReader { group, simple: false }.read()?);
        }
        if !upstream.is_empty() {
            let url = |url: &String| ServerOptions { url: url.clone(), ..ServerOptions::default() };
            let tiers = vec![upstream.iter().map(url).collect()];
            let group = GroupOptions { name: DEFAULT_GROUP.to_owned(), tiers, ..GroupOptions::default() };
            rules.push(Rule { hosts: Hosts::Any, prefix: "/".to_owned(), group: resolved.len() });
            resolved.push(GroupReader { group: &group, simple: true }.read()?);
        }
        let mut names = HashSet::new();
        if let Some(twice) = resolved.iter().find(|group| !names.insert(group.name.as_str())) {
            let problem = format!("{:?} stands there twice; give each group a name of its own", twice.name);
            return Err(SettingsError::value("group.name", problem));
        }
        let routes = Routes::new(rules).map_err(|clash| {
            let (one, other) = (&resolved[clash.groups.0].name, &resolved[clash.groups.1].name);
            let prefix = clash.prefix;
            SettingsError::value(
                "group.paths",
                format!("of {one:?} and of {other:?} are both {prefix:?} for the same hosts; make one of them narrower"),
            )
        })?;
        Ok(Self { routes, groups: resolved, plans: None })
    }

    /// Whether any of its groups is another one than `before` has, by what is written or by what the files are that it names.
    pub(crate) fn differs_from(&self, before: &Self) -> bool {
        self.groups.iter().any(|group| !before.groups.contains(group))
    }

    /// Has plans come from a server of their own.
    ///
    /// # Errors
    /// When the URL cannot be, or a group has the name that this one gets.
    pub(crate) fn plans_from(&mut self, url: &str) -> Result<(), SettingsError> {
        if self.groups.iter().any(|group| group.name == PLANS_GROUP) {
            return Err(SettingsError::value(
                "group.name",
                format!("{PLANS_GROUP:?} is taken; give another"),
            ));
        }
        let server = ServerOptions { url: url.to_owned(), ..ServerOptions::default() };
        let tiers = vec![vec![server]];
        let group = GroupOptions { name: PLANS_GROUP.to_owned(), tiers, ..GroupOptions::default() };
        self.plans = Some(self.groups.len());
        self.groups.push(GroupReader { group: &group, simple: false }.read()?);
        Ok(())
    }

    /// The same, but that plans come from where they come from by `begun`: who follows them does not change at work.
    pub(crate) fn with_plans_of(mut self, begun: &Self) -> Self {
        // It stands last.
        if let Some(at) = self.plans.take() {
            self.groups.truncate(at);
        }
        if let Some(plans) = begun.plans.and_then(|at| begun.groups.get(at)) {
            self.plans = Some(self.groups.len());
            self.groups.push(plans.clone());
        }
        self
    }

    /// Groups and their servers, for the log.
    pub(crate) fn names(&self) -> String {
        let group = |group: &GroupConfig| {
            let servers = group.tiers.iter().flatten().map(|server| server.name.as_str());
            format!("{}: {}", group.name, servers.collect::<Vec<_>>().join(" "))
        };
        self.groups.iter().map(group).collect::<Vec<_>>().join("; ")
    }
}

fn rules_of(group: &GroupOptions, at: usize) -> Result<Vec<Rule>, SettingsError> {
    let name = &group.name;
    let of_group = |key, problem: String| SettingsError::value(key, format!("of {name:?} {problem}"));
    let hosts: Vec<_> = if group.hosts.is_empty() {
        vec![Hosts::Any]
    } else {
        let read = |host: &String| Hosts::parse(host).map_err(|problem| of_group("group.hosts", problem));
        group.hosts.iter().map(read).collect::<Result<_, _>>()?
    };
    let everything = ["/".to_owned()];
    let paths = if group.paths.is_empty() { &everything[..] } else { &group.paths };
    if let Some(bad) = paths.iter().find(|path| !path.starts_with('/') || path.contains(['?', '#', ' '])) {
        return Err(of_group(
            "group.paths",
            format!("has {bad:?}; give what a path begins with, as \"/lessons/\""),
        ));
    }
    if hosts.len() * paths.len() > MAX_RULES {
        return Err(of_group("group.paths", format!("times its hosts are more than {MAX_RULES}")));
    }
    let rule =
        |hosts: &Hosts, prefix: &String| Rule { hosts: hosts.clone(), prefix: prefix.clone(), group: at };
    Ok(hosts.iter().flat_map(|hosts| paths.iter().map(move |prefix| rule(hosts, prefix))).collect())
}

#[cfg(test)]
mod tests;
