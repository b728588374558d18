//! A store that is a bucket of an S3 server: AWS, or one of one's own.
//!
//! What a directory does with locks is done here with conditional puts (`If-Match`, `If-None-Match`), which AWS has had
//! since 2024 and most servers since; [`Bucket::create`] finds out by trying, since a server without them obeys and
//! lets two writers overwrite each other.
//!
//! A bucket has no folders, so nothing tells an empty store from a misspelt one. A marker does: the first who publishes
//! writes it, and whoever opens the store looks for it.

mod body;
mod connect;
mod http;
pub(crate) mod said;
mod taken;

use crate::error::StoreError;
use crate::swap::{Swapped, Version};
use ::http::StatusCode;
use bytes::Bytes;
use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey, S3ConditionalPut};
use object_store::path::Path as Key;
use object_store::prefix::PrefixStore;
use object_store::{
    BackoffConfig, Error, ObjectStore, ObjectStoreExt, PutMode, PutOptions, PutPayload, RetryConfig,
    UpdateVersion,
};
use said::said;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// How often a request is sent again when the server is unwell or the line breaks.
const RETRIES: usize = 3;
/// The first wait before sending again; doubles each time.
const RETRY_WAIT: Duration = Duration::from_millis(100);
/// The longest wait before sending again.
const MAX_RETRY_WAIT: Duration = Duration::from_secs(2);
/// After this, no request is sent again: a publisher may wait so long, and an origin's own limit is shorter.
const RETRY_FOR: Duration = Duration::from_secs(30);
/// How long a bucket that was seen to be a store counts as one: so long at most "there is none" is believed of one that has gone
/// since. Made-up addresses cost one question more each second, not one more each.
pub(crate) const SEEN_FOR: Duration = Duration::from_secs(1);
/// Says "this is a store". No object path starts with a dot, so it cannot be asked for.
const MARKER: &str = ".airclass-store";
/// Written over and over to see whether conditions are heeded.
const PROBE: &str = ".airclass-probe";

/// A bucket and a prefix in it.
#[derive(Debug, Clone)]
pub(crate) struct Bucket {
    pub(crate) objects: Arc<dyn ObjectStore>,
    /// The address.
    name: Arc<str>,
    /// When it was last seen to be a store; `None` where it was not the last time. Clones share it.
    seen: Arc<Mutex<Option<Instant>>>,
}

impl Bucket {
    /// Takes endpoint, region and keys from the environment. Reads and writes nothing.
    pub(crate) fn open(address: &str, bucket: &str, prefix: &Key) -> Result<Self, StoreError> {
        Self::configured(AmazonS3Builder::from_env(), address, bucket, prefix)
    }

    /// As [`Bucket::open`], the settings being those of `builder`.
    pub(crate) fn configured(
        builder: AmazonS3Builder,
        address: &str,
        bucket: &str,
        prefix: &Key,
    ) -> Result<Self, StoreError> {
        let wrong = |problem: String| StoreError::Settings { store: address.to_owned(), problem };
        check(&builder).map_err(wrong)?;
        let connector = http::Connector::new().map_err(wrong)?;
        let backoff = BackoffConfig { init_backoff: RETRY_WAIT, max_backoff: MAX_RETRY_WAIT, base: 2.0 };
        let retry = RetryConfig { backoff, max_retries: RETRIES, retry_timeout: RETRY_FOR };
        let server = builder
            .with_bucket_name(bucket)
            .with_http_connector(connector)
            .with_retry(retry)
            .with_conditional_put(S3ConditionalPut::ETagMatch)
            .build()
            .map_err(|error| wrong(said(&error)))?;
        let objects: Arc<dyn ObjectStore> = match prefix.as_ref() {
            "" => Arc::new(server),
            _ => Arc::new(PrefixStore::new(server, prefix.clone())),
        };
        Ok(Self { objects, name: address.trim_end_matches('/').into(), seen: Arc::default() })
    }

    /// Marks the bucket as a store, after making sure that the server can be written to and heeds conditions.
    pub(crate) async fn create(&self) -> Result<(), StoreError> {
        self.check_writable().await?;
        let marker = Key::from(MARKER);
        let options = PutOptions::from(PutMode::Create);
        match self.objects.put_opts(&marker, PutPayload::from_static(b"airclass\n"), options).await {
            Ok(_) | Err(Error::AlreadyExists { .. }) => Ok(()),
            Err(error) => Err(self.unwritten("the store's marker", &error)),
        }
    }

    /// Writes, and sees to it that a write with a condition that does not hold is refused.
    pub(crate) async fn check_writable(&self) -> Result<(), StoreError> {
        let probe = Key::from(PROBE);
        let put = |mode: PutMode| {
            let options = PutOptions::from(mode);
            self.objects.put_opts(&probe, PutPayload::from_static(b"probe\n"), options)
        };
        put(PutMode::Overwrite).await.map_err(|error| self.unwritten("a probe", &error))?;
        let never =
            UpdateVersion { e_tag: Some("\"00000000000000000000000000000000\"".into()), version: None };
        for mode in [PutMode::Create, PutMode::Update(never)] {
            match put(mode).await {
                Err(Error::AlreadyExists { .. } | Error::Precondition { .. }) => {}
                Ok(_) => return Err(self.unconditional("ignores conditions")),
                // 501, as S3 says it of a header that it does not know.
                Err(error) if said::status(&error) == Some(StatusCode::NOT_IMPLEMENTED) => {
                    return Err(self.unconditional("refuses conditions"));
                }
                Err(error) => return Err(self.unwritten("a probe", &error)),
            }
        }
        Ok(())
    }

    /// Whether the server answers, knows the bucket and our keys, and a store is there.
    pub(crate) async fn check_readable(&self) -> Result<(), StoreError> {
        let looked = self.look_for_marker().await;
        let seen = looked.is_ok().then(Instant::now);
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner) = seen;
        looked
    }

    async fn look_for_marker(&self) -> Result<(), StoreError> {
        // A copy of a directory has no marker.
        let version = package::catalogue::version_path();
        for key in [MARKER, version.as_str()] {
            match self.objects.head(&Key::from(key)).await {
                Ok(_) => return Ok(()),
                Err(Error::NotFound { .. }) => {}
                Err(error) => return Err(self.not_there(&error)),
            }
        }
        let source = io::Error::new(io::ErrorKind::NotFound, "no store is there, or no such bucket");
        Err(StoreError::NotThere { store: self.name(), source })
    }

    fn was_just_seen(&self) -> bool {
        let seen = *self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.is_some_and(|seen| seen.elapsed() < SEEN_FOR)
    }

    /// `None` where there is no such object; an error where that cannot be told from a bucket that is gone.
    pub(crate) async fn absent<T>(&self, result: object_store::Result<T>) -> Result<Option<T>, StoreError> {
        match result {
            Ok(found) => Ok(Some(found)),
            Err(Error::NotFound { .. }) if self.was_just_seen() => Ok(None),
            Err(Error::NotFound { .. }) => self.check_readable().await.map(|()| None),
            Err(error) => Err(self.not_there(&error)),
        }
    }

    /// Puts `new` where `expected` is, or where nothing is.
    pub(crate) async fn swap(
        &self,
        key: &Key,
        expected: Option<&Version>,
        new: Bytes,
    ) -> Result<Option<Version>, StoreError> {
        let mode = match expected {
            None => PutMode::Create,
            Some(version) => {
                // A version of another kind of store is no version of anything here.
                let Some(tag) = version.tag() else { return Ok(None) };
                PutMode::Update(UpdateVersion { e_tag: Some(tag.to_owned()), version: None })
            }
        };
        let options = PutOptions::from(mode);
        match self.objects.put_opts(key, PutPayload::from_bytes(new), options).await {
            Ok(put) => match put.e_tag {
                Some(tag) => Ok(Some(Version::tagged(tag))),
                None => Err(self.unconditional("gives no ETag")),
            },
            Err(Error::AlreadyExists { .. } | Error::Precondition { .. }) => Ok(None),
            Err(error) => Err(self.unwritten(key, &error)),
        }
    }

    pub(crate) fn name(&self) -> String {
        self.name.to_string()
    }

    pub(crate) fn unwritten(&self, what: impl ToString, error: &Error) -> StoreError {
        StoreError::write(&self.name, what, said::io_error(error))
    }

    /// What the server's refusal of a reader means: the whole store is out of reach.
    pub(crate) fn not_there(&self, error: &Error) -> StoreError {
        StoreError::NotThere { store: self.name(), source: said::io_error(error) }
    }

    fn unconditional(&self, what: &'static str) -> StoreError {
        StoreError::NoConditionalPut { store: self.name(), what }
    }
}

/// What would fail later and be harder to understand.
fn check(builder: &AmazonS3Builder) -> Result<(), String> {
    let told = |key| builder.get_config_value(&key).filter(|value| !value.is_empty());
    let endpoint = told(AmazonS3ConfigKey::S3Endpoint).or_else(|| told(AmazonS3ConfigKey::Endpoint));
    if let Some(endpoint) = &endpoint
        && !endpoint.starts_with("http://")
        && !endpoint.starts_with("https://")
    {
        return Err(format!("AWS_ENDPOINT_URL `{endpoint}` is no http:// or https:// URL"));
    }
    let (key, secret) = (told(AmazonS3ConfigKey::AccessKeyId), told(AmazonS3ConfigKey::SecretAccessKey));
    let signs = told(AmazonS3ConfigKey::SkipSignature).as_deref() != Some("true");
    match (key, secret) {
        (Some(_), None) => Err("AWS_ACCESS_KEY_ID is set and AWS_SECRET_ACCESS_KEY is not".to_owned()),
        (None, Some(_)) => Err("AWS_SECRET_ACCESS_KEY is set and AWS_ACCESS_KEY_ID is not".to_owned()),
        // On AWS the machine itself may have a role; a server of one's own has no such service.
        (None, None) if endpoint.is_some() && signs => Err(
            "AWS_ENDPOINT_URL names a server, but AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are not set"
                .to_owned(),
        ),
        _ => Ok(()),
    }
}

/// What a swap that was refused came to: somebody else's, or our own, which was sent again because its answer got lost.
pub(crate) fn settled(new: &[u8], found: Option<(Bytes, Version)>) -> Swapped {
    match found {
        Some((bytes, version)) if bytes == new => Swapped::Done(version),
        found => Swapped::Conflict(found.map(|(_, version)| version)),
    }
}
