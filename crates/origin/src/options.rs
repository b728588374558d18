//! What can be set about an origin, and what it is when nothing is set.

use dayplan::{Place, PlanConfig, PlanOptions};
use feedback::{Support, SupportOptions};
use serde::{Deserialize, Serialize};
use settings::SettingsError;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;
use storage::Store;
use telemetry::LogOptions;
use units::{ByteCount, Span};

/// As typed: flags, environment or file.
#[derive(Debug, Clone, Default, Serialize, Deserialize, clap::Args)]
#[serde(deny_unknown_fields, default)]
pub struct Options {
    /// Where the lessons are: a directory, a file:// URL or s3://BUCKET/PREFIX (with the AWS_ variables)
    #[arg(long, env = "AIRCLASS_STORE", value_name = "URL")]
    pub store: Option<String>,
    /// Memory for gzip-encoded playlists and catalogue files [default: 64MiB]
    #[arg(long, env = "AIRCLASS_TEXT_CACHE", value_name = "SIZE")]
    pub text_cache: Option<ByteCount>,
    /// Longest wait for the store to open an object or to give its next block [default: 10s]
    #[arg(long, env = "AIRCLASS_STORE_TIMEOUT", value_name = "TIME")]
    pub store_timeout: Option<Span>,
    /// Whom people may ask for help, on every error page and in the player; in the file the table `[support]`
    #[command(flatten)]
    pub support: SupportOptions,
    /// Which day plans are followed; in the file the table `[plan]`
    #[command(flatten)]
    pub plan: PlanOptions,
    /// Listeners; in the file the table `[serve]`
    #[command(flatten)]
    pub serve: serve::Options,
    /// Logs; in the file the table `[log]`
    #[command(flatten)]
    pub log: LogOptions,
}

/// Checked and complete.
#[derive(Debug, Clone)]
pub struct Config {
    /// Address of the store.
    pub store: String,
    /// Room for encoded texts.
    pub text_cache: ByteCount,
    /// For every single wait for the store.
    pub store_timeout: Duration,
    /// Whom people may ask for help.
    pub support: Support,
    /// Which day plans are followed.
    pub plan: Option<PlanConfig>,
    /// Listeners.
    pub serve: serve::Config,
}

const LISTEN: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8_090);
const ADMIN: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 9_100);
/// Some 6,000 playlists in both forms, a thousand lessons' worth.
const TEXT_CACHE: ByteCount = ByteCount::mib(64);
/// Longer than a disk that has to spin up, shorter than an edge waits for us.
const STORE_TIMEOUT: Duration = Duration::from_secs(10);

impl Config {
    /// `options` checked, defaults filled in.
    ///
    /// # Errors
    /// The first option that cannot be, by name.
    pub fn resolve(options: &Options) -> Result<Self, SettingsError> {
        let missing = || {
            SettingsError::value("store", "is missing; give the directory or bucket that ingest publishes to")
        };
        let store = options.store.clone().ok_or_else(missing)?;
        let store_timeout = options.store_timeout.map_or(STORE_TIMEOUT, |span| span.0);
        if store_timeout.is_zero() {
            return Err(SettingsError::value("store_timeout", "is zero; every wait needs a limit above it"));
        }
        let mut serve = serve::Config::resolve(&options.serve, LISTEN, ADMIN)?.serving_all()?;
        serve.sandbox.reads.extend(settings::paths(options)?.into_iter().map(|(_, path)| path));
        // A store in a directory; a bucket is no path. Its locks are files that are opened for writing.
        serve.sandbox.writes.extend(Store::directory_at(&store));
        let plan = PlanConfig::resolve(&options.plan)?;
        if let Some(plan) = &plan {
            if let Place::Url(url) = &plan.place {
                let problem = format!("is {url:?}; an origin takes plans from its store, a folder or a file");
                return Err(SettingsError::value("plan.source", problem));
            }
            serve.sandbox.reads.extend(plan.reads());
            serve.sandbox.writes.extend(plan.writes());
        }
        let text_cache = options.text_cache.unwrap_or(TEXT_CACHE);
        let support = Support::resolve(&options.support)?;
        Ok(Self { store, support, text_cache, store_timeout, plan, serve })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    const SHIPPED: &str = include_str!("../../../config/origin.toml");

    #[test]
    fn the_shipped_file_is_accepted_and_says_the_defaults() {
        let file: Options = settings::parse(SHIPPED, Path::new("origin.toml")).unwrap();
        let told = Config::resolve(&file).unwrap();
        let bare = Options { store: file.store.clone(), ..Options::default() };
        let default = Config::resolve(&bare).unwrap();
        assert_eq!((told.text_cache, told.store_timeout), (default.text_cache, default.store_timeout));
        assert_eq!((told.serve.listeners, told.serve.admin), (default.serve.listeners, default.serve.admin));
    }

    #[test]
    fn every_key_is_in_the_shipped_file() {
        // Uncommented, each of its lines must be a known key, and no key may be missing.
        let uncommented: String = SHIPPED
            .lines()
            .filter_map(|line| match line.strip_prefix("# ") {
                Some(rest) if rest.split_once(" = ").is_some_and(|(key, _)| is_key(key)) => Some(rest),
                Some(_) => None,
                None => Some(line),
            })
            .map(|line| format!("{line}\n"))
            .collect();
        let all: Options = settings::parse(&uncommented, Path::new("origin.toml")).unwrap();
        let all = serde_json::to_value(&all).unwrap();
        let unset = nulls("", &all);
        assert!(unset.is_empty(), "not in config/origin.toml: {unset:?}");
    }

    fn is_key(text: &str) -> bool {
        text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
    }

    fn nulls(path: &str, value: &serde_json::Value) -> Vec<String> {
        match value {
            serde_json::Value::Null => vec![path.to_owned()],
            serde_json::Value::Object(fields) => {
                fields.iter().flat_map(|(key, value)| nulls(&format!("{path}.{key}"), value)).collect()
            }
            _ => Vec::new(),
        }
    }

    /// Of a URL nothing was opened any more once the process was held: every lesson was answered with 503.
    #[test]
    fn the_directory_of_a_store_stays_open_however_it_is_named() {
        for (store, directory) in [
            ("/srv/my store", Some("/srv/my store")),
            ("file:///srv/my%20store", Some("/srv/my store")),
            ("file://localhost/srv/store", Some("/srv/store")),
            ("s3://lessons/north", None),
        ] {
            let options = Options { store: Some(store.into()), ..Options::default() };
            let writes = Config::resolve(&options).unwrap().serve.sandbox.writes;
            assert_eq!(writes, directory.map(Path::new).into_iter().collect::<Vec<_>>(), "{store}");
        }
    }

    #[test]
    fn what_cannot_be_is_named() {
        let error = Config::resolve(&Options::default()).unwrap_err();
        assert!(error.to_string().starts_with("`store` is missing"), "{error}");
        let zero =
            Options { store: Some("/".into()), store_timeout: Some(Span::secs(0)), ..Options::default() };
        assert!(Config::resolve(&zero).unwrap_err().to_string().contains("store_timeout"));
        let error = settings::parse::<Options>("stoer = \"x\"\n", Path::new("origin.toml")).unwrap_err();
        assert!(error.to_string().starts_with("origin.toml:1: unknown field `stoer`"), "{error}");
    }
}
