//! The order of work: the address, its playlists, their segments, and then what must agree between them.

mod across;
mod delivery;
mod iframes;
mod init;
mod live;
mod multivariant;
mod papers;
mod playlist;
mod rates;
mod run;
mod segment;
mod text;

use crate::fetch::{Answer, Ask, Fetch, FetchError};
use crate::read::{init::Init, m3u8};
use crate::report::{Judge, Place, Report, Volume};
use crate::rule::{formats, rfc};
use faults::{Blame, Fault};
use segment::Facts;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use url::Url;

/// How deep to look.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// Every which segment is opened; of the others only that they are there, and their length.
    pub sample: usize,
    /// How long a live window is watched; not at all when `None`.
    pub live: Option<Duration>,
}

impl Default for Options {
    /// All of it, once.
    fn default() -> Self {
        Self { sample: 1, live: None }
    }
}

/// The address itself cannot be looked at.
#[derive(Debug, thiserror::Error)]
pub enum Unreadable {
    /// It cannot be had.
    #[error("{url} {source}; give the address of a playlist, or a folder with a main.m3u8")]
    Fetch {
        /// The address.
        url: String,
        /// Why not.
        source: FetchError,
    },
    /// It is neither a playlist nor an MPD.
    #[error("{0} is no playlist and no MPD; give the address of one")]
    Kind(String),
}

impl Fault for Unreadable {
    fn code(&self) -> &'static str {
        match self {
            Self::Fetch { .. } => "CHECK_UNREACHABLE",
            Self::Kind(_) => "CHECK_NO_PLAYLIST",
        }
    }

    fn blame(&self) -> Blame {
        Blame::Input
    }
}

/// What everything that looks needs.
pub(crate) struct Inspection<'a> {
    fetch: &'a dyn Fetch,
    judge: Judge,
    options: Options,
    /// What was asked for; other papers of a package are looked at beside it.
    address: &'a Url,
    /// An Airclass package, which promises more.
    ours: bool,
    follow: &'a (dyn Fn(usize, usize) + Sync),
}

/// What a playlist is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Role {
    Video,
    Audio,
    Text,
    Iframes,
}

/// A media playlist and what it lists.
struct Medium {
    url: Url,
    list: m3u8::Playlist,
    role: Role,
    inits: BTreeMap<m3u8::Map, Init>,
    /// One for each segment.
    facts: Vec<Facts>,
}

/// A multivariant playlist and all that it leads to.
struct Presentation {
    url: Url,
    list: m3u8::Playlist,
    media: Vec<Medium>,
}

/// Papers that may lie beside `main.m3u8` in a package of ours.
const PAPERS: [&str; 4] = ["audio.m3u8", "ts.m3u8", "slides.m3u8", "main.mpd"];

/// Checks what `address` leads to. `follow` is told how many segments of how many are done.
///
/// # Errors
/// When nothing can be said: the address cannot be had or is something else.
pub fn check(
    fetch: &dyn Fetch,
    address: &Url,
    options: Options,
    follow: &(dyn Fn(usize, usize) + Sync),
) -> Result<Report, Unreadable> {
    let ours = package_of(fetch, address);
    let inspection =
        Inspection { fetch, judge: Judge::default(), options, address, ours: ours.is_some(), follow };
    let mut volume = Volume::default();
    let main = inspection.document(address, &mut volume)?;
    if let Some(folder) = ours
        && let Some(main) = main
    {
        inspection.papers(&folder, address, &main, &mut volume);
    }
    Ok(inspection.judge.report(address.to_string(), inspection.ours, volume))
}

/// Checks a package that is not published yet, handed out by path.
///
/// # Errors
/// When it has no `main.m3u8` that can be read.
pub fn check_package(
    object: impl Fn(&str) -> std::io::Result<Vec<u8>> + Sync,
    follow: &(dyn Fn(usize, usize) + Sync),
) -> Result<Report, Unreadable> {
    let address = crate::fetch::staged_address("main.m3u8");
    check(&crate::fetch::Staged(object), &address, Options::default(), follow)
}

/// The folder of the package of ours that `address` leads to: itself, or what a lesson's pointer names.
fn package_of(fetch: &dyn Fetch, address: &Url) -> Option<Url> {
    let text = fetch.get(&Ask::text(address)).ok()?.body;
    let list = m3u8::read(std::str::from_utf8(&text).ok()?);
    let media = address.join(list.variants.first()?.uri.as_deref()?).ok()?;
    let folder = media.join("..").ok()?;
    if folder.scheme() == "package" {
        return Some(folder);
    }
    let manifest = fetch.get(&Ask::text(&folder.join("manifest.json").ok()?)).ok()?;
    let manifest = String::from_utf8(manifest.body).ok()?;
    (manifest.contains("\"segment_ms\"") && manifest.contains("\"recipe\"")).then_some(folder)
}

impl Inspection<'_> {
    /// A playlist or MPD on its own.
    fn document(&self, address: &Url, volume: &mut Volume) -> Result<Option<Presentation>, Unreadable> {
        let failed = |source| Unreadable::Fetch { url: address.to_string(), source };
        let answer = self.fetch.get(&Ask::text(address)).map_err(failed)?;
        let Some(text) = self.text(address, &answer) else {
            return Err(Unreadable::Kind(address.to_string()));
        };
        if text.contains("<MPD") {
            self.dash(address, &text, None);
            return Ok(None);
        }
        let list = m3u8::read(&text);
        if !list.has_header && list.target.is_none() && !list.is_multivariant() {
            return Err(Unreadable::Kind(address.to_string()));
        }
        self.playlist_delivery(address, &answer);
        let media = if list.is_multivariant() {
            self.multivariant(address, &list);
            self.media(address, &list)
        } else {
            let role = if list.iframes_only { Role::Iframes } else { Role::Video };
            vec![Medium {
                url: address.clone(),
                list: list.clone(),
                role,
                inits: BTreeMap::new(),
                facts: Vec::new(),
            }]
        };
        let mut shown = Presentation { url: address.clone(), list, media };
        for medium in &shown.media {
            self.playlist(medium);
        }
        self.segments(&mut shown);
        volume.variants += shown.list.variants.len();
        volume.playlists += shown.media.len();
        volume.segments += shown.media.iter().map(|medium| medium.list.segments.len()).sum::<usize>();
        volume.live |= shown.media.iter().any(|medium| medium.list.is_live());
        for medium in &shown.media {
            self.run(medium);
        }
        self.across(&shown);
        self.rates(&shown);
        if let Some(time) = self.options.live {
            self.watch(&shown, time);
        }
        Ok(Some(shown))
    }

    /// The text of an answer; what is no UTF-8 is told.
    fn text(&self, url: &Url, answer: &Answer) -> Option<String> {
        self.judge.fetched(answer.body.len());
        let text = std::str::from_utf8(&answer.body).map(str::to_owned).ok();
        self.judge
            .demand(&rfc::R4_1, text.is_some(), || (Place::whole(url.as_str()), "other bytes", "UTF-8"));
        text
    }

    /// All media playlists, each once.
    fn media(&self, base: &Url, list: &m3u8::Playlist) -> Vec<Medium> {
        let mut wanted: Vec<(Url, Role)> = Vec::new();
        let sound_alone = list.variants.iter().all(|variant| variant.attributes.size().is_none());
        let variant = if sound_alone { Role::Audio } else { Role::Video };
        let variants = list.variants.iter().map(|stream| (stream, variant));
        let renditions = list.renditions.iter().filter_map(|stream| {
            let role = match stream.attributes.get("TYPE")? {
                "AUDIO" => Role::Audio,
                "SUBTITLES" => Role::Text,
                "VIDEO" => Role::Video,
                _ => return None,
            };
            Some((stream, role))
        });
        let iframes = list.iframes.iter().map(|stream| (stream, Role::Iframes));
        for (stream, role) in variants.chain(renditions).chain(iframes) {
            let Some(uri) = &stream.uri else { continue };
            match base.join(uri) {
                Ok(url) if wanted.iter().all(|(known, _)| *known != url) => wanted.push((url, role)),
                Ok(_) => {}
                Err(_) => self.judge.broken(
                    &rfc::R6_2_1_M6,
                    Place::line(base.as_str(), stream.line),
                    format!("`{uri}`"),
                    "an address",
                ),
            }
        }
        let fetched = self.each(&wanted, |(url, role)| {
            let answer = self.get(Ask::text(url))?;
            self.playlist_delivery(url, &answer);
            let list = m3u8::read(&self.text(url, &answer)?);
            Some(Medium { url: url.clone(), list, role: *role, inits: BTreeMap::new(), facts: Vec::new() })
        });
        fetched.into_iter().flatten().collect()
    }

    /// What is listed and has to be there.
    fn get(&self, ask: Ask<'_>) -> Option<Answer> {
        match self.fetch.get(&ask) {
            Ok(answer) => {
                self.judge.looked(&rfc::R6_2_1_M6);
                self.judge.fetched(answer.body.len());
                Some(answer)
            }
            Err(error) => {
                let rule = match error {
                    FetchError::Tls(_) => &crate::rule::delivery::A12_1,
                    _ => &rfc::R6_2_1_M6,
                };
                self.judge.broken(rule, Place::whole(ask.url.as_str()), format!("it {error}"), "an object");
                None
            }
        }
    }

    /// Does something with each of many, as many at once as is useful, and returns the results in order.
    fn each<T: Sync, R: Send>(&self, items: &[T], work: impl Fn(&T) -> R + Sync) -> Vec<R> {
        let next = AtomicUsize::new(0);
        let workers = self.fetch.parallel().min(items.len()).max(1);
        let mut done: Vec<(usize, R)> = std::thread::scope(|scope| {
            let worker = || {
                let mut mine = Vec::new();
                while let place = next.fetch_add(1, Ordering::Relaxed)
                    && let Some(item) = items.get(place)
                {
                    mine.push((place, work(item)));
                }
                mine
            };
            let threads: Vec<_> = (0..workers).map(|_| scope.spawn(worker)).collect();
            threads.into_iter().filter_map(|thread| thread.join().ok()).flatten().collect()
        });
        done.sort_by_key(|(place, _)| *place);
        done.into_iter().map(|(_, result)| result).collect()
    }

    /// The other papers of a package of ours.
    fn papers(&self, folder: &Url, address: &Url, main: &Presentation, volume: &mut Volume) {
        for name in PAPERS {
            let Ok(url) = folder.join(name) else { continue };
            if url == *address || self.fetch.get(&Ask::head(&url)).is_err() {
                continue;
            }
            if name.ends_with(".mpd") {
                if let Some(text) = self.get(Ask::text(&url)).and_then(|answer| self.text(&url, &answer)) {
                    self.dash(&url, &text, Some(main));
                }
                continue;
            }
            let read = self.document(&url, volume);
            self.judge.demand(&formats::PACKAGE, read.is_ok(), || {
                (
                    Place::whole(url.as_str()),
                    read.as_ref().err().map_or_else(String::new, ToString::to_string),
                    "a playlist",
                )
            });
        }
        self.storyboard(folder, main);
    }
}
