//! Answers over HTTP, made once for each version of a playlist and kept until the next.

use crate::asked::Asked;
use crate::days::Days;
use crate::text::{Playlist, Shown, show};
use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use http::header::{self, HeaderMap, HeaderValue};
use http::{Method, Response, StatusCode};
use httpcache::accept_encoding::{Coding, choose};
use httpcache::conditional::{Verdict, evaluate};
use httpcache::etag::Etag;
use jiff::Timestamp;
use package::Digest;
use std::collections::HashMap;
use std::io::Write;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, SystemTime};

/// Playlists kept at once: every rendition of 64 channels, whole and as updates, and some of single programmes. One is some 30 kB.
const MAX_KEPT: usize = 1_024;
/// Level 6: level 9 is a third slower for a hundredth less. One release of the compressor makes one text of it; another node
/// may have another, so the two forms have tags of their own.
const LEVEL: Compression = Compression::new(6);
const PLAYLIST: HeaderValue = HeaderValue::from_static("application/vnd.apple.mpegurl");
const GZIP: HeaderValue = HeaderValue::from_static("gzip");
const NOSNIFF: HeaderValue = HeaderValue::from_static("nosniff");
const ANYBODY: HeaderValue = HeaderValue::from_static("*");
const EXPOSED: HeaderValue =
    HeaderValue::from_static("Age, Cache-Status, Content-Length, Content-Range, Date, ETag");

/// What a node says about a path under `/channels/`.
#[derive(Debug)]
pub enum Answer {
    /// A playlist, or that the client has it already.
    Playlist(Response<Bytes>),
    /// The programme begins at this instant.
    Ahead(Timestamp),
}

/// Playlists as they were made for the clients before. Shared by all cores.
#[derive(Debug, Default)]
pub struct Kept(RwLock<HashMap<String, Arc<Version>>>);

/// One version of a playlist.
#[derive(Debug)]
struct Version {
    /// Of which plans.
    plans: u64,
    plain: Form,
    gzip: Form,
    since: Timestamp,
    until: Timestamp,
}

#[derive(Debug)]
struct Form {
    bytes: Bytes,
    etag: Etag,
}

impl Kept {
    /// Answers GET or HEAD of `target`, a path and its query, at `now`. `plans` is a number that changes with the plans which `days` gives.
    ///
    /// `None` when the plans know nothing of it, or the method is another: then it is not ours to answer.
    pub fn answer<'a>(
        &self,
        (method, target, request): (&Method, &str, &HeaderMap),
        plans: u64,
        days: impl FnOnce() -> Days<'a>,
        now: Timestamp,
    ) -> Option<Answer> {
        if method != Method::GET && method != Method::HEAD {
            return None;
        }
        let asked = Asked::of(target)?;
        let name = asked.name(target);
        let version = match self.get(&name, plans, now) {
            Some(version) => version,
            None => match show(&days(), &asked, now)? {
                Shown::Ahead(begins) => return Some(Answer::Ahead(begins)),
                Shown::Playlist(playlist) => self.keep(&name, plans, playlist, now)?,
            },
        };
        Some(Answer::Playlist(version.respond(method, request, now)))
    }

    fn get(&self, name: &str, plans: u64, now: Timestamp) -> Option<Arc<Version>> {
        let kept = self.0.read().unwrap_or_else(PoisonError::into_inner);
        kept.get(name)
            .filter(|version| version.plans == plans && (version.since..version.until).contains(&now))
            .map(Arc::clone)
    }

    fn keep(&self, name: &str, plans: u64, playlist: Playlist, now: Timestamp) -> Option<Arc<Version>> {
        let version = Arc::new(Version::of(plans, playlist)?);
        let mut kept = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= MAX_KEPT && !kept.contains_key(name) {
            kept.retain(|_, version| version.plans == plans && version.until > now);
        }
        // Whoever asks for more programmes at once than this has each made anew.
        if kept.len() < MAX_KEPT || kept.contains_key(name) {
            kept.insert(name.to_owned(), Arc::clone(&version));
        }
        Some(version)
    }
}

impl Version {
    /// `None` when memory refuses, which compressing into it does not.
    fn of(plans: u64, playlist: Playlist) -> Option<Self> {
        let Playlist { text, since, until } = playlist;
        let mut encoder = GzEncoder::new(Vec::with_capacity(text.len() / 8), LEVEL);
        encoder.write_all(text.as_bytes()).ok()?;
        let (plain, gzip) = (Form::of(text.into_bytes())?, Form::of(encoder.finish().ok()?)?);
        Some(Self { plans, plain, gzip, since, until })
    }

    fn respond(&self, method: &Method, request: &HeaderMap, now: Timestamp) -> Response<Bytes> {
        let coding = choose(request);
        let form = match coding {
            Coding::Gzip => &self.gzip,
            Coding::Identity => &self.plain,
        };
        let seconds = u64::try_from(self.since.as_second()).unwrap_or(0);
        let since = SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
        let mut response = Response::new(Bytes::new());
        let fields = response.headers_mut();
        fields.insert(header::CACHE_CONTROL, self.counts(now));
        fields.insert(header::ETAG, form.etag.value().clone());
        fields.insert(header::LAST_MODIFIED, date(since));
        fields.insert(header::VARY, HeaderValue::from_name(header::ACCEPT_ENCODING));
        fields.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, ANYBODY);
        fields.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED);
        match evaluate(method, request, Some(&form.etag), Some(since)) {
            Verdict::Proceed => {}
            Verdict::NotModified => {
                *response.status_mut() = StatusCode::NOT_MODIFIED;
                return response;
            }
            Verdict::PreconditionFailed => {
                *response.status_mut() = StatusCode::PRECONDITION_FAILED;
                return response;
            }
        }
        let fields = response.headers_mut();
        fields.insert(header::CONTENT_TYPE, PLAYLIST);
        fields.insert(header::X_CONTENT_TYPE_OPTIONS, NOSNIFF);
        fields.insert(header::CONTENT_LENGTH, HeaderValue::from(form.bytes.len()));
        if coding == Coding::Gzip {
            fields.insert(header::CONTENT_ENCODING, GZIP);
        }
        if method == Method::GET {
            *response.body_mut() = form.bytes.clone();
        }
        response
    }

    /// Whole seconds until the next version, rounded down: nobody keeps this one beyond.
    fn counts(&self, now: Timestamp) -> HeaderValue {
        let left = self.until.duration_since(now).as_secs().max(0);
        HeaderValue::try_from(format!("public, max-age={left}"))
            .unwrap_or(HeaderValue::from_static("no-cache"))
    }
}

impl Form {
    fn of(bytes: Vec<u8>) -> Option<Self> {
        let etag = Etag::strong(&Digest::of(&bytes).to_string()[..32])?;
        Some(Self { bytes: bytes.into(), etag })
    }
}

fn date(moment: SystemTime) -> HeaderValue {
    HeaderValue::try_from(httpdate::fmt_http_date(moment)).unwrap_or(HeaderValue::from_static(""))
}
