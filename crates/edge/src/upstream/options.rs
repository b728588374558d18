//! A group of servers as the configuration file writes it.

use crate::policy::CacheOptions;
use serde::de::value::MapAccessDeserializer;
use serde::de::{self, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use std::fmt;
use std::path::PathBuf;
use units::Span;

/// A table `[[group]]`.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct GroupOptions {
    /// Its name in metrics and logs: letters, digits, `-`, `_`, `.`.
    pub name: String,
    /// Hosts it answers for; none: every host.
    pub hosts: Vec<String>,
    /// Path prefixes it answers for; none: every path.
    pub paths: Vec<String>,
    /// Its servers, nearest tier first.
    pub tiers: Vec<Vec<ServerOptions>>,
    /// Neighbours that are asked, for what they hold only, before the tiers.
    pub peers: Vec<ServerOptions>,
    /// Host towards its servers: `client`, `upstream`, or a host.
    pub host_header: Option<String>,
    /// Certificate authorities of its https servers, PEM; none: the system's.
    pub ca: Option<PathBuf>,
    /// The certificate by which this node shows who it is to them, PEM.
    pub cert: Option<PathBuf>,
    /// Its key, PEM.
    pub key: Option<PathBuf>,
    /// The name that their certificates must have; none: each server's host.
    pub server_name: Option<String>,
    /// What is asked for to see whether a server is well; none: requests alone tell.
    pub health_path: Option<String>,
    /// How often.
    pub health_interval: Option<Span>,
    /// Retries and hedges that a hundred requests allow.
    pub retry_percent: Option<u32>,
    /// Whether a second server is asked when one is slower than usual.
    pub hedge: Option<bool>,
    /// How long a stale response may be used when its servers fail; none: as the node.
    pub stale_on_error: Option<Span>,
    /// What is kept of it and how long; what it does not say is as for the node.
    pub cache: Option<CacheOptions>,
}

/// A server: its URL, or a table with more.
#[derive(Debug, Clone, Default, Serialize)]
pub struct ServerOptions {
    /// Where it is.
    pub url: String,
    /// Its name in metrics, and what keys hold on to when it moves; none: host and port.
    pub name: Option<String>,
    /// Its part compared with the others of its tier; none: 1.
    pub weight: Option<u16>,
}

impl<'de> Deserialize<'de> for ServerOptions {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(UrlOrTable)
    }
}

struct UrlOrTable;

impl<'de> Visitor<'de> for UrlOrTable {
    type Value = ServerOptions;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a URL, or a table with `url`, `name`, `weight`")
    }

    fn visit_str<E: de::Error>(self, url: &str) -> Result<ServerOptions, E> {
        Ok(ServerOptions { url: url.to_owned(), ..ServerOptions::default() })
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<ServerOptions, A::Error> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Table {
            url: String,
            name: Option<String>,
            weight: Option<u16>,
        }
        let Table { url, name, weight } = Table::deserialize(MapAccessDeserializer::new(map))?;
        Ok(ServerOptions { url, name, weight })
    }
}

/// `upstream`: a URL or several.
///
/// # Errors
/// When it is neither.
pub(crate) fn one_or_several<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Vec<String>>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged, expecting = "a URL or a list of URLs")]
    enum OneOrSeveral {
        One(String),
        Several(Vec<String>),
    }
    Ok(Some(match OneOrSeveral::deserialize(deserializer)? {
        OneOrSeveral::One(url) => vec![url],
        OneOrSeveral::Several(urls) => urls,
    }))
}
