//! What an operator can choose about caching, and what it is when nothing is chosen.

use super::query::QueryPolicy;
use http::HeaderName;
use httpcache::policy::{Policy, SetCookie, UnreadableAge};
use serde::{Deserialize, Serialize};
use settings::SettingsError;
use std::time::Duration;
use units::Span;

/// As typed: flags, environment or the table `[cache]`; for one group the table `[group.cache]`.
#[derive(Debug, Clone, Default, Serialize, Deserialize, clap::Args)]
#[serde(deny_unknown_fields, default)]
#[group(id = "cache")]
#[command(next_help_heading = "What is kept and how long [cache]")]
pub struct CacheOptions {
    /// What a client's reload (no-cache, max-age, min-fresh, max-stale) does: ignore it, or honour it for all but
    /// immutable responses [default: ignore]
    #[arg(long, env = "AIRCLASS_CLIENT_RELOAD", value_enum)]
    pub client_reload: Option<ClientReload>,
    /// What becomes of responses that set cookies: refuse to keep them, or store them as any other [default: refuse]
    #[arg(long, env = "AIRCLASS_SET_COOKIE", value_enum)]
    pub set_cookie: Option<SetCookieChoice>,
    /// What an Age field that cannot be read means: ignore it, or take the response as stale [default: ignore]
    #[arg(long, env = "AIRCLASS_UNREADABLE_AGE", value_enum)]
    pub unreadable_age: Option<UnreadableAgeChoice>,
    /// Longest freshness guessed from Last-Modified where a response names none; 0s never guesses [default: 24h]
    #[arg(long, env = "AIRCLASS_HEURISTIC_TTL", value_name = "TIME")]
    pub heuristic_ttl: Option<Span>,
    /// How long a 404, 405, 410, 414 or 501 is kept that says nothing itself; 0s not at all [default: 1s]
    #[arg(long, env = "AIRCLASS_NEGATIVE_TTL", value_name = "TIME")]
    pub negative_ttl: Option<Span>,
    /// Longest freshness of any error (4xx, 5xx), whatever it says [default: 60s]
    #[arg(long, env = "AIRCLASS_ERROR_TTL", value_name = "TIME")]
    pub error_ttl: Option<Span>,
    /// Cache-Control fields for this cache, the most specific first [default: Airclass-Cache-Control, CDN-Cache-Control]
    #[arg(long, env = "AIRCLASS_CONTROL_FIELDS", value_name = "NAME", value_delimiter = ',')]
    pub control_fields: Option<Vec<String>>,
    /// Query parameters that mean nothing to the origin, `*` at the end for all that begin so: taken out of key and
    /// request [default: utm_*, CMCD]
    #[arg(long, env = "AIRCLASS_IGNORE_QUERY", value_name = "NAME", value_delimiter = ',')]
    pub ignore_query: Option<Vec<String>>,
    /// Whether the order of query parameters, and one that is there twice, mean nothing to the origin [default: true]
    #[arg(long, env = "AIRCLASS_SORT_QUERY", value_name = "BOOL", num_args = 0..=1, default_missing_value = "true")]
    pub sort_query: Option<bool>,
}

/// What a client's reload does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum ClientReload {
    /// Nothing: a classroom that presses F5 must not reach the origin.
    #[default]
    Ignore,
    /// What RFC 9111 §5.2.1 says, but not for what will not change (RFC 8246).
    Honour,
}

/// See [`SetCookie`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum SetCookieChoice {
    /// Never kept.
    Refuse,
    /// Kept as any other.
    Store,
}

/// See [`UnreadableAge`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum UnreadableAgeChoice {
    /// As absent.
    Ignore,
    /// As too old.
    Stale,
}

/// Checked and complete.
#[derive(Debug, Clone)]
pub(crate) struct CachePolicy {
    /// The rules of storing and reuse.
    pub(crate) rules: Policy,
    /// What a client's reload does.
    pub(crate) client_reload: ClientReload,
    /// Which queries are the same.
    pub(crate) query: QueryPolicy,
    /// How long a stale response may stand in for a failing upstream where it does not say itself.
    pub(crate) stale_on_error: Duration,
}

/// Named by an origin that means this system and no other.
const AIRCLASS_CACHE_CONTROL: &str = "airclass-cache-control";

impl CacheOptions {
    /// These, and what they do not say as `others` have it.
    pub(crate) fn over(&self, others: &Self) -> Self {
        Self {
            client_reload: self.client_reload.or(others.client_reload),
            set_cookie: self.set_cookie.or(others.set_cookie),
            unreadable_age: self.unreadable_age.or(others.unreadable_age),
            heuristic_ttl: self.heuristic_ttl.or(others.heuristic_ttl),
            negative_ttl: self.negative_ttl.or(others.negative_ttl),
            error_ttl: self.error_ttl.or(others.error_ttl),
            control_fields: self.control_fields.clone().or_else(|| others.control_fields.clone()),
            ignore_query: self.ignore_query.clone().or_else(|| others.ignore_query.clone()),
            sort_query: self.sort_query.or(others.sort_query),
        }
    }
}

impl CachePolicy {
    /// `options` checked, defaults filled in.
    ///
    /// # Errors
    /// The first option that cannot be, by name.
    pub(super) fn resolve(options: &CacheOptions, stale_on_error: Duration) -> Result<Self, SettingsError> {
        let rules = Policy::default();
        let targets = match &options.control_fields {
            None => [vec![HeaderName::from_static(AIRCLASS_CACHE_CONTROL)], rules.targets.clone()].concat(),
            Some(names) => names
                .iter()
                .map(|name| name.parse().map_err(|_| not_a_field(name)))
                .collect::<Result<_, _>>()?,
        };
        let ttl = |given: Option<Span>, default| given.map_or(default, |span| span.0);
        Ok(Self {
            rules: Policy {
                heuristic_ttl: ttl(options.heuristic_ttl, rules.heuristic_ttl),
                negative_ttl: ttl(options.negative_ttl, rules.negative_ttl),
                error_ttl: ttl(options.error_ttl, rules.error_ttl),
                unreadable_age: match options.unreadable_age {
                    Some(UnreadableAgeChoice::Stale) => UnreadableAge::Stale,
                    Some(UnreadableAgeChoice::Ignore) | None => UnreadableAge::Ignore,
                },
                set_cookie: match options.set_cookie {
                    Some(SetCookieChoice::Store) => SetCookie::Store,
                    Some(SetCookieChoice::Refuse) | None => SetCookie::Refuse,
                },
                targets,
            },
            client_reload: options.client_reload.unwrap_or_default(),
            query: QueryPolicy::new(options.ignore_query.as_deref(), options.sort_query.unwrap_or(true))?,
            stale_on_error,
        })
    }
}

fn not_a_field(name: &str) -> SettingsError {
    SettingsError::value("control_fields", format!("has {name:?}, which is no field name"))
}
