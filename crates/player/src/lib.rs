//! The page that plays a lesson, built by npm and embedded.
//!
//! One HTML page and a handful of files under `/assets/` whose names carry a hash of their bytes. The page itself names
//! the current ones and may change; a hashed file never does, so a pupil's browser fetches it once.
//!
//! The sources are in `page/`, `build.mjs` bundles them, `build.rs` runs that. What knows no modules gets the whole page as one
//! script in ES5 (`page/legacy.ts`). What the page reads from its address:
//! `/catalogue/version.json` and the files it lists, `/timetable/days.json` and today's guide, `/timetable/limits.json`,
//! `/resources/support.json`, `/lessons/<id>/lesson.json`, `/lessons/<id>/main.m3u8` and what that leads to. Nothing else, from nowhere else; and what it says, where somebody wishes it, are the papers at `/coverage` and
//! `/feedback`.

use std::borrow::Cow;

use rust_embed::{EmbeddedFile, RustEmbed};

#[derive(RustEmbed)]
#[folder = "dist/"]
struct Dist;

/// A file of the page, ready to be served.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asset {
    /// The bytes as they are.
    pub bytes: Cow<'static, [u8]>,
    /// The same compressed with gzip at its best, for clients that accept it; `None` where that saves nothing.
    /// An answer that uses it says `Content-Encoding: gzip` and, like the other one, `Vary: Accept-Encoding`.
    pub gzip: Option<Cow<'static, [u8]>>,
    /// `Content-Type`.
    pub media_type: &'static str,
    /// The name carries a hash of the bytes: may be cached for ever.
    pub immutable: bool,
    /// A strong entity tag of `bytes`, quotes included (RFC 9110 §8.8.3). The compressed form is another
    /// representation and needs another tag: [`Asset::gzip_etag`].
    pub etag: String,
}

impl Asset {
    /// The strong entity tag of the compressed form.
    pub fn gzip_etag(&self) -> String {
        format!("{}-gzip\"", self.etag.trim_end_matches('"'))
    }
}

/// The page. Served at `/`; must be revalidated, for it names the current assets.
pub fn index() -> Asset {
    load("index.html").expect("the build always makes index.html, and a test opens it")
}

/// A file of the page by its URL path (`/assets/main-….js`), or by its name below `/assets/`. `None` where the current
/// page has no such file.
pub fn asset(path: &str) -> Option<Asset> {
    let path = path.strip_prefix('/').unwrap_or(path);
    let name = path.strip_prefix("assets/").unwrap_or(path);
    if name.ends_with(COMPRESSED) {
        return None;
    }
    load(&format!("assets/{name}"))
}

/// The URL paths of all assets.
pub fn asset_paths() -> impl Iterator<Item = String> {
    Dist::iter()
        .filter(|path| path.starts_with("assets/") && !path.ends_with(COMPRESSED))
        .map(|path| format!("/{path}"))
}

/// What the name of a compressed twin ends in.
const COMPRESSED: &str = ".gz";

fn load(path: &str) -> Option<Asset> {
    let EmbeddedFile { data: bytes, metadata } = Dist::get(path)?;
    let gzip = Dist::get(&format!("{path}{COMPRESSED}")).map(|twin| twin.data);
    let digest: String = metadata.sha256_hash()[..16].iter().map(|byte| format!("{byte:02x}")).collect();
    Some(Asset {
        bytes,
        gzip,
        media_type: media_type(path),
        immutable: is_hashed(path),
        etag: format!("\"{digest}\""),
    })
}

/// `Content-Type` by the end of the name. Text is always UTF-8.
fn media_type(path: &str) -> &'static str {
    match path.rsplit_once('.').map(|(_, extension)| extension) {
        Some("html") => "text/html; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("svg") => "image/svg+xml",
        Some("txt") => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

/// Whether a name carries the eight characters of a content hash: `main-C3W676FP.js`.
fn is_hashed(path: &str) -> bool {
    path.rsplit_once('.').and_then(|(stem, _)| stem.rsplit_once('-')).is_some_and(|(_, hash)| {
        hash.len() == 8 && hash.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit())
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::io::{Read, Write};

    use flate2::Compression;
    use flate2::read::GzDecoder;
    use flate2::write::GzEncoder;

    use super::*;

    /// All script of the page together, compressed, in bytes: what a pupil on a slow line waits for. The same for the one script
    /// of old browsers.
    const SCRIPT_BUDGET_BYTES: usize = 150_000;

    /// Page, style, first script and the parts that it begins with, compressed, in bytes: what the list of lessons takes.
    const LIST_BUDGET_BYTES: usize = 50_000;

    fn text(asset: &Asset) -> &str {
        std::str::from_utf8(&asset.bytes).unwrap()
    }

    fn gzipped(bytes: &[u8]) -> usize {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap().len()
    }

    fn is_legacy(path: &str) -> bool {
        path.contains("/legacy-")
    }

    /// Every `/assets/…` between quotes.
    fn references(html: &str) -> BTreeSet<String> {
        html.split('"').filter(|part| part.starts_with("/assets/")).map(str::to_owned).collect()
    }

    /// What a module imports before it runs, not what it imports on demand.
    fn imports(module: &str) -> BTreeSet<String> {
        let quoted: Vec<_> = module.split('"').collect();
        let statements =
            quoted.windows(2).filter(|pair| pair[0].ends_with("from") || pair[0].ends_with("import"));
        statements
            .map(|pair| pair[1])
            .filter(|path| path.starts_with("/assets/"))
            .map(str::to_owned)
            .collect()
    }

    #[test]
    fn the_page_names_only_assets_that_exist() {
        let index = index();
        let references = references(text(&index));
        assert_eq!(
            references.iter().filter(|path| !path.contains("/chunk-")).count(),
            5,
            "style, icon, script, the script for old browsers, and what fetches it: {references:?}"
        );
        for path in references {
            let asset = asset(&path).unwrap_or_else(|| panic!("{path} is named but not there"));
            assert!(asset.immutable, "{path}");
        }
    }

    #[test]
    fn scripts_find_the_chunks_they_import() {
        let scripts: Vec<_> = asset_paths().filter(|path| path.ends_with(".js")).collect();
        let imported: BTreeSet<_> =
            scripts.iter().flat_map(|path| references(text(&asset(path).unwrap()))).collect();
        for path in imported.iter().filter(|path| path.ends_with(".js")) {
            assert!(asset(path).is_some(), "{path} is imported but not there");
        }
        assert!(imported.iter().any(|path| path.contains("/engine-hls-")), "{imported:?}");
    }

    /// What is learned only from a script that has come begins a round trip later.
    #[test]
    fn the_page_names_all_that_its_script_begins_with() {
        let named = references(text(&index()));
        let scripts = named.iter().filter(|path| path.ends_with(".js") && !is_legacy(path));
        let needed: BTreeSet<_> =
            scripts.clone().flat_map(|path| imports(text(&asset(path).unwrap()))).collect();
        assert!(!needed.is_empty(), "the script has parts");
        assert_eq!(needed.difference(&named).collect::<Vec<_>>(), Vec::<&String>::new());
        let parts: BTreeSet<_> = named.iter().filter(|path| path.contains("/chunk-")).collect();
        assert_eq!(parts, needed.iter().collect(), "and nothing that it does not need yet");
    }

    #[test]
    fn what_an_engine_begins_with_is_there() {
        let named = references(text(&index()));
        for engine in asset_paths().filter(|path| path.contains("/engine-")) {
            let late: Vec<_> = imports(text(&asset(&engine).unwrap()))
                .into_iter()
                .filter(|part| !named.contains(part))
                .collect();
            assert!(late.is_empty(), "{engine} waits for {late:?}");
        }
    }

    #[test]
    fn all_script_keeps_within_its_budget() {
        let scripts: Vec<_> = asset_paths().filter(|path| path.ends_with(".js")).collect();
        assert!(
            scripts.iter().any(|path| path.contains("engine-hls-")),
            "hls.js is a chunk of its own: {scripts:?}"
        );
        let (legacy, modern): (Vec<_>, Vec<_>) = scripts.iter().partition(|path| is_legacy(path));
        assert_eq!(legacy.len(), 1, "one script for old browsers");
        for (what, paths) in [("script", modern), ("script for old browsers", legacy)] {
            let total: usize = paths.iter().map(|path| gzipped(&asset(path).unwrap().bytes)).sum();
            assert!(total <= SCRIPT_BUDGET_BYTES, "{total} bytes of {what}, gzipped");
            println!("{what}: {total} bytes gzipped");
        }
    }

    #[test]
    fn the_list_of_lessons_does_not_wait_for_the_player() {
        let index = index();
        let first: usize = references(text(&index))
            .iter()
            .filter(|path| !is_legacy(path))
            .map(|path| gzipped(&asset(path).unwrap().bytes))
            .sum();
        let total = first + gzipped(&index.bytes);
        assert!(total <= LIST_BUDGET_BYTES, "{total} bytes, gzipped");
    }

    #[test]
    fn the_page_keeps_to_itself() {
        let index = index();
        let html = text(&index);
        assert!(html.contains("default-src 'none'; script-src 'self'; style-src 'self'"), "a strict policy");
        assert!(html.contains(r#"<meta name="referrer" content="no-referrer">"#));
        assert!(html.contains("<noscript>"));
        for forbidden in ["http://", "https://", "<style", " style=", "onload=", "onclick="] {
            assert!(!html.contains(forbidden), "{forbidden}");
        }
        assert_eq!(
            html.matches("<script").count(),
            html.matches(r#"src="/assets/"#).count(),
            "no inline script"
        );
    }

    #[test]
    fn media_types_and_caching_follow_the_name() {
        for (path, media_type, immutable) in [
            ("index.html", "text/html; charset=utf-8", false),
            ("assets/main-C3W676FP.js", "text/javascript; charset=utf-8", true),
            ("assets/style-IILC6WFL.css", "text/css; charset=utf-8", true),
            ("assets/icon-M4BRZIKQ.svg", "image/svg+xml", true),
            ("assets/licences.txt", "text/plain; charset=utf-8", false),
            ("assets/engine-hls.js", "text/javascript; charset=utf-8", false),
            ("assets/worker.js", "text/javascript; charset=utf-8", false),
            ("assets/unknown", "application/octet-stream", false),
        ] {
            assert_eq!((super::media_type(path), is_hashed(path)), (media_type, immutable), "{path}");
        }
    }

    #[test]
    fn an_asset_is_found_by_path_and_by_name_and_no_other_file_is() {
        let path = asset_paths().find(|path| path.contains("/main-")).unwrap();
        assert_eq!(asset(&path), asset(path.trim_start_matches("/assets/")));
        for stranger in
            ["", "/", "index.html", "../index.html", "/assets/../index.html", "/assets/main.js", "licences"]
        {
            assert!(asset(stranger).is_none(), "{stranger}");
        }
        assert!(asset(&format!("{path}.gz")).is_none(), "the compressed twin is not an address of its own");
    }

    #[test]
    fn the_compressed_form_holds_the_same_bytes_under_another_tag() {
        let mut twins = 0;
        for asset in asset_paths().filter_map(|path| asset(&path)).chain([index()]) {
            let Some(gzip) = &asset.gzip else { continue };
            let mut bytes = Vec::new();
            GzDecoder::new(&gzip[..]).read_to_end(&mut bytes).unwrap();
            assert!(bytes == asset.bytes[..] && gzip.len() < bytes.len());
            assert_ne!(asset.etag, asset.gzip_etag());
            twins += 1;
        }
        assert!(twins >= 4, "page, style and scripts are compressed: {twins}");
    }

    #[test]
    fn entity_tags_tell_files_apart() {
        let tags: BTreeSet<_> =
            asset_paths().map(|path| asset(&path).unwrap().etag).chain([index().etag]).collect();
        assert_eq!(tags.len(), asset_paths().count() + 1);
        assert!(tags.iter().all(|tag| tag.len() == 34 && tag.starts_with('"') && tag.ends_with('"')));
    }
}
