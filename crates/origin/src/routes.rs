//! What a path asks for, decided before any work.

use crate::list::Listing;
use crate::metrics::Class;
use package::front::FRONT;
use package::{CacheClass, MediaType, StorePath};

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Route {
    /// The player's page.
    Page,
    /// A file of the player, by its path with the slash in front.
    Asset(String),
    /// The catalogue as plain HTML.
    List(Listing),
    /// The addresses of all that comes before a lesson.
    Front,
    /// Something in the store.
    Object(Addressed),
}

/// An object that may be served, if it is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Addressed {
    pub(crate) path: StorePath,
    pub(crate) cache: CacheClass,
    pub(crate) media_type: MediaType,
}

/// Why a path asks for nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NoRoute {
    /// It could be a path, but nothing of ours is there.
    Nothing,
    /// It is no path a client makes by mistake; it is refused before anything is looked at.
    Malformed,
}

/// The longest path looked at; ours are below 100.
const MAX_PATH: usize = 1_024;

/// The route of a request target's path, percent-encoded as it came.
pub(crate) fn route(raw: &str) -> Result<Route, NoRoute> {
    if raw.len() > MAX_PATH {
        return Err(NoRoute::Malformed);
    }
    let decoded = decode(raw).ok_or(NoRoute::Malformed)?;
    let Some(path) = decoded.strip_prefix('/') else { return Err(NoRoute::Malformed) };
    if !is_harmless(path) {
        return Err(NoRoute::Malformed);
    }
    if path.is_empty() {
        return Ok(Route::Page);
    }
    // A service worker minds what lies below its own address: the whole page.
    if path == "worker.js" {
        return Ok(Route::Asset("/assets/worker.js".to_owned()));
    }
    if decoded == FRONT {
        return Ok(Route::Front);
    }
    if path.starts_with("assets/") {
        return Ok(Route::Asset(decoded));
    }
    if let Some(listing) = path.strip_prefix("list/") {
        return Listing::parse(listing).map(Route::List).ok_or(NoRoute::Nothing);
    }
    object(path).map(Route::Object).ok_or(NoRoute::Nothing)
}

/// Only names that [`StorePath`] can spell, only folders that are public, only kinds that we know.
fn object(path: &str) -> Option<Addressed> {
    let path = StorePath::parse(path).ok()?;
    Some(Addressed { cache: CacheClass::of(&path)?, media_type: path.media_type()?, path })
}

/// RFC 3986 §2.1. `None` for a `%` without two digits, for what is no UTF-8, and for an encoded slash: a path that means
/// something else decoded than encoded is nobody's mistake.
fn decode(raw: &str) -> Option<String> {
    if !raw.contains('%') {
        return Some(raw.to_owned());
    }
    let mut bytes = Vec::with_capacity(raw.len());
    let mut rest = raw.as_bytes();
    while let Some((&byte, tail)) = rest.split_first() {
        if byte != b'%' {
            bytes.push(byte);
            rest = tail;
            continue;
        }
        let (digits, tail) = tail.split_at_checked(2)?;
        let value = hex(digits[0])? << 4 | hex(digits[1])?;
        if value == b'/' {
            return None;
        }
        bytes.push(value);
        rest = tail;
    }
    String::from_utf8(bytes).ok()
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok())
}

/// No step up or in place, no empty part but the last, no control characters, no backslash.
fn is_harmless(path: &str) -> bool {
    !path.contains("//")
        && !path.starts_with('/')
        && !path.split('/').any(|part| part == "." || part == "..")
        && !path.contains(|c: char| c.is_control() || c == '\\')
}

/// An address of each kind that this server answers, for tests of what must be true of all.
pub fn addresses() -> Vec<String> {
    let package = "p/0123456789abcdef0123456789abcdef01234567/main.m3u8";
    let objects = [
        package,
        "lessons/a/main.m3u8",
        "catalogue/version.json",
        "timetable/days.json",
        "guide/a.xml",
        "resources/index.json",
        "r/0123.pdf",
    ];
    let fixed = [
        "",
        "worker.js",
        "front.json",
        "list/",
        "list/primary-3",
        "list/resources",
        "channels/a/main.m3u8",
        "plans/2026-09-01.json",
    ];
    let assets = player::asset_paths();
    objects.into_iter().chain(fixed).map(|path| format!("/{path}")).chain(assets).collect()
}

impl Route {
    /// For metrics.
    pub(crate) fn class(&self) -> Class {
        match self {
            Self::Page => Class::Page,
            Self::Asset(_) => Class::Asset,
            Self::List(_) | Self::Front => Class::Catalogue,
            Self::Object(object) => match object.path.as_str().split('/').next() {
                Some("p" | "r") => Class::Package,
                Some("lessons") => Class::Lesson,
                _ => Class::Catalogue,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_that_lead_somewhere() {
        let id = "0123456789abcdef0123456789abcdef01234567";
        for (path, class, cache) in [
            (format!("/p/{id}/main.m3u8"), Class::Package, CacheClass::Immutable),
            (format!("/p/{id}/s0/00000.m4s"), Class::Package, CacheClass::Immutable),
            (format!("/p/{id}/audio/hi/init.mp4"), Class::Package, CacheClass::Immutable),
            ("/lessons/maths-3/main.m3u8".to_owned(), Class::Lesson, CacheClass::Pointer),
            ("/lessons/%6Daths/lesson.json".to_owned(), Class::Lesson, CacheClass::Pointer),
            ("/catalogue/version.json".to_owned(), Class::Catalogue, CacheClass::Pointer),
            ("/catalogue/primary-3-0a1b2c3d.json".to_owned(), Class::Catalogue, CacheClass::Immutable),
        ] {
            let route = route(&path).unwrap();
            assert_eq!(route.class(), class, "{path}");
            let Route::Object(object) = route else { panic!("{path}") };
            assert_eq!(object.cache, cache, "{path}");
        }
        assert_eq!(route("/"), Ok(Route::Page));
        assert_eq!(route("/list/"), Ok(Route::List(Listing::Home)));
        assert_eq!(route("/front.json"), Ok(Route::Front));
        assert_eq!(route("/assets/main-C3W676FP.js"), Ok(Route::Asset("/assets/main-C3W676FP.js".into())));
    }

    #[test]
    fn every_kind_is_among_the_addresses() {
        let all: Vec<_> = addresses().iter().filter_map(|path| route(path).ok()).collect();
        let classes: std::collections::BTreeSet<_> = all.iter().map(|route| route.class() as usize).collect();
        for class in [Class::Page, Class::Asset, Class::Catalogue, Class::Package, Class::Lesson] {
            assert!(classes.contains(&(class as usize)), "{class:?}");
        }
        // Whoever adds a kind adds an address of it.
        assert!(all.iter().all(|route| match route {
            Route::Page | Route::Asset(_) | Route::List(_) | Route::Front | Route::Object(_) => true,
        }));
    }

    #[test]
    fn paths_that_lead_nowhere() {
        for path in [
            "/ingests/0123.json",
            "/history/maths.json",
            "/.airclass-store",
            "/.airclass-swap.lock",
            "/lessons/.hidden/main.m3u8",
            "/lessons/a/main.m3u8%231",
            "/p/a/main.m3u8#1",
            "/p",
            "/p/",
            "/lessons/a/",
            "/lessons/%E8%AF%BE/main.m3u8",
            "/p/a/secret.txt",
            "/p/a/noextension",
            "/index.html",
            "/list",
            "/list/a/b",
            "/favicon.ico",
            "/etc/passwd",
        ] {
            assert_eq!(route(path), Err(NoRoute::Nothing), "{path}");
        }
    }

    #[test]
    fn work_that_is_not_finished_is_not_served() {
        let id: package::PackageId = "0123456789abcdef0123456789abcdef01234567".parse().unwrap();
        for name in ["survey.json", "o/s2/00000.m4s"] {
            let path = format!("/{}", id.word(name).as_str());
            assert_eq!(route(&path), Err(NoRoute::Nothing), "{path}");
        }
    }

    #[test]
    fn paths_nobody_makes_by_mistake() {
        let long = format!("/{}", "a".repeat(MAX_PATH));
        for path in [
            "",
            "*",
            "p/a/main.m3u8",
            "/../etc/passwd",
            "/p/../ingests/0123.json",
            "/p/a/..",
            "/p/./a",
            "//p/a/main.m3u8",
            "/p//a",
            "/p/%2e%2e/ingests/x.json",
            "/p/%2E./x.json",
            "/p%2fa/main.m3u8",
            "/p/a%00.json",
            "/p/a\\..\\b.json",
            "/p/a%5c..%5cb.json",
            "/p/%",
            "/p/%2",
            "/p/%zz",
            "/p/%ff%fe",
            "/p/a%0d%0ab",
            "/assets/../index.html",
            "/assets/%2e%2e/index.html",
            &long,
        ] {
            assert_eq!(route(path), Err(NoRoute::Malformed), "{path}");
        }
    }
}
