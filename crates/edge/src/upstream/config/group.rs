//! One `[[group]]`, key by key.

use super::{CheckConfig, GroupConfig, HostHeader, ServerConfig, Tls};
use crate::upstream::address::Address;
use crate::upstream::options::{GroupOptions, ServerOptions};
use crate::upstream::tls::{self, Client};
use http::{HeaderValue, Uri};
use parents::route::Hosts;
use rustls::pki_types::ServerName;
use settings::SettingsError;
use std::cell::OnceCell;
use std::collections::HashSet;
use std::time::Duration;

/// Servers of a tier, and tiers of a group: each server has its own metrics and connections.
const MAX_SERVERS: usize = 64;
const MAX_TIERS: usize = 8;
/// A fifth more questions than clients have is what servers in trouble can bear.
const RETRY_PERCENT: u32 = 20;
/// Soon enough that a lesson does not begin on a server that is gone, seldom enough to be no load.
const CHECK_EVERY: Duration = Duration::from_secs(5);
const LEAST_CHECK_EVERY: Duration = Duration::from_millis(100);

/// A group as it is read.
pub(super) struct GroupReader<'a> {
    pub(super) group: &'a GroupOptions,
    /// It was not written as a group, but as `upstream`.
    pub(super) simple: bool,
}

impl GroupReader<'_> {
    /// # Errors
    /// The first key that cannot be.
    pub(super) fn read(&self) -> Result<GroupConfig, SettingsError> {
        let group = self.group;
        if !crate::options::is_token(&group.name) {
            let problem = format!("is {:?}; give letters, digits, `-`, `_` and `.`, at most 64", group.name);
            return Err(SettingsError::value("group.name", problem));
        }
        let tls = OnceCell::new();
        let tiers = group.tiers.iter().map(|tier| self.servers("group.tiers", tier, &tls));
        let tiers: Vec<_> = tiers.collect::<Result<_, _>>()?;
        if tiers.is_empty() || tiers.len() > MAX_TIERS || tiers.iter().any(Vec::is_empty) {
            let problem = format!(
                "must be one to {MAX_TIERS} lists of servers, as [[\"http://parent\"], [\"http://origin\"]]"
            );
            return Err(self.problem("group.tiers", problem));
        }
        let peers = self.servers("group.peers", &group.peers, &tls)?;
        let mut names = HashSet::new();
        if let Some(twice) = tiers.iter().flatten().chain(&peers).find(|server| !names.insert(&server.name)) {
            let problem = format!("names {:?} twice; give one of them a `name`", twice.name);
            return Err(self.problem("group.tiers", problem));
        }
        if tls.get().is_none() && (group.ca.is_some() || group.cert.is_some() || group.server_name.is_some())
        {
            let problem = "and its like do nothing without a server whose URL begins with https".to_owned();
            return Err(self.problem("group.ca", problem));
        }
        Ok(GroupConfig {
            name: group.name.clone(),
            tiers,
            peers,
            host: self.host()?,
            check: self.check()?,
            retry_percent: self.retry_percent()?,
            hedge: group.hedge.unwrap_or(true),
        })
    }

    fn problem(&self, key: &'static str, problem: String) -> SettingsError {
        if self.simple {
            SettingsError::value("upstream", problem)
        } else {
            SettingsError::value(key, format!("of {:?} {problem}", self.group.name))
        }
    }

    fn servers(
        &self,
        key: &'static str,
        servers: &[ServerOptions],
        tls: &OnceCell<Client>,
    ) -> Result<Vec<ServerConfig>, SettingsError> {
        if servers.len() > MAX_SERVERS {
            return Err(self.problem(key, format!("has more than {MAX_SERVERS} servers in one list")));
        }
        servers.iter().map(|server| self.server(key, server, tls)).collect()
    }

    fn server(
        &self,
        key: &'static str,
        server: &ServerOptions,
        tls: &OnceCell<Client>,
    ) -> Result<ServerConfig, SettingsError> {
        let address = Address::parse(&server.url)
            .map_err(|problem| self.problem(key, format!("{:?} {problem}", server.url)))?;
        let weight = server.weight.unwrap_or(1);
        if weight == 0 {
            return Err(
                self.problem(key, format!("gives {:?} the weight 0; leave it out instead", server.url))
            );
        }
        let name = server.name.clone().unwrap_or_else(|| address.authority_str().to_owned());
        if name.is_empty() {
            return Err(self.problem(key, format!("gives {:?} an empty name", server.url)));
        }
        let tls = if address.is_tls() {
            // Read once a group, however many servers it has.
            let Client { config, mark } = match tls.get() {
                Some(client) => client.clone(),
                None => {
                    let client = self.tls_client()?;
                    tls.get_or_init(|| client).clone()
                }
            };
            Some(Tls { config, name: self.server_name(&address)?, mark })
        } else {
            None
        };
        Ok(ServerConfig { name, address, weight, tls })
    }

    fn tls_client(&self) -> Result<Client, SettingsError> {
        let identity = match (&self.group.cert, &self.group.key) {
            (None, None) => None,
            (Some(cert), Some(key)) => Some((cert.as_path(), key.as_path())),
            _ => {
                return Err(
                    self.problem("group.cert", "and key do nothing alone; give both or neither".to_owned())
                );
            }
        };
        tls::client(self.group.ca.as_deref(), identity).map_err(|(key, problem)| self.problem(key, problem))
    }

    fn server_name(&self, address: &Address) -> Result<ServerName<'static>, SettingsError> {
        match &self.group.server_name {
            Some(name) => ServerName::try_from(name.clone()).map_err(|_| {
                self.problem("group.server_name", format!("is {name:?}, which no certificate can have"))
            }),
            None => address.server_name().ok_or_else(|| {
                let host = address.authority_str();
                self.problem("group.tiers", format!("names {host:?}, which no certificate can have"))
            }),
        }
    }

    /// The client's host where the group names the hosts that it is for, each server's own otherwise: a host that nobody
    /// has vouched for is not passed on.
    fn host(&self) -> Result<HostHeader, SettingsError> {
        match self.group.host_header.as_deref() {
            None if self.group.hosts.is_empty() => Ok(HostHeader::Upstream),
            None | Some("client") => Ok(HostHeader::Client),
            Some("upstream") => Ok(HostHeader::Upstream),
            Some(host) => {
                let is_host =
                    host.parse::<http::uri::Authority>().is_ok_and(|host| !host.as_str().contains('@'));
                match HeaderValue::from_str(host) {
                    Ok(value) if is_host => Ok(HostHeader::Fixed(value)),
                    _ => {
                        let problem = format!("is {host:?}; give \"client\", \"upstream\" or a host");
                        Err(self.problem("group.host_header", problem))
                    }
                }
            }
        }
    }

    fn check(&self) -> Result<Option<CheckConfig>, SettingsError> {
        let interval = self.group.health_interval.map(|span| span.0);
        if interval.is_some_and(|every| every < LEAST_CHECK_EVERY) {
            return Err(self.problem("group.health_interval", "is too short; give at least 100ms".to_owned()));
        }
        match &self.group.health_path {
            None if interval.is_some() => {
                Err(self.problem("group.health_interval", "does nothing without health_path".to_owned()))
            }
            None => Ok(None),
            Some(path) => {
                match path.parse::<Uri>() {
                    Ok(uri) if path.starts_with('/') && uri.authority().is_none() => {
                        let (every, host) = (interval.unwrap_or(CHECK_EVERY), self.first_host());
                        Ok(Some(CheckConfig { path: uri, every, host }))
                    }
                    _ => Err(self
                        .problem("group.health_path", format!("is {path:?}; give a path, as \"/healthz\""))),
                }
            }
        }
    }

    /// The first host that the group names whole: as a client, the check asks for what there is.
    fn first_host(&self) -> Option<String> {
        self.group.hosts.iter().find_map(|host| match Hosts::parse(host) {
            Ok(Hosts::Exactly(host)) => Some(host),
            _ => None,
        })
    }

    fn retry_percent(&self) -> Result<u32, SettingsError> {
        match self.group.retry_percent {
            Some(percent) if percent > 100 => {
                Err(self.problem("group.retry_percent", "is above 100; 20 is usual, 0 is none".to_owned()))
            }
            percent => Ok(percent.unwrap_or(RETRY_PERCENT)),
        }
    }
}
