//! Where a playlist leads: paths of the same server.

use crate::outcome::ErrorKind;
use http::uri::PathAndQuery;
use url::Url;

/// A playlist's own address, to which what is in it is relative. Which node a player asks is no matter of the playlist's.
pub(crate) struct Base(Url);

/// Stands for whichever node the player has.
const ANY_NODE: &str = "http://node.invalid";

impl Base {
    pub(crate) fn new(path: &PathAndQuery) -> Result<Self, ErrorKind> {
        let url = Url::parse(&format!("{ANY_NODE}{path}")).map_err(|_| ErrorKind::Playlist)?;
        Ok(Self(url))
    }

    /// The path of `uri`.
    ///
    /// # Errors
    /// [`ErrorKind::Elsewhere`] for another server's.
    pub(crate) fn join(&self, uri: &str) -> Result<PathAndQuery, ErrorKind> {
        let url = self.0.join(uri).map_err(|_| ErrorKind::Playlist)?;
        if url.origin() != self.0.origin() {
            return Err(ErrorKind::Elsewhere);
        }
        let target = &url[url::Position::BeforePath..url::Position::AfterQuery];
        target.parse().map_err(|_| ErrorKind::Playlist)
    }
}

/// What a rendition is called in reports: its playlist's name, or its folder's where the name says nothing.
pub(crate) fn name(path: &PathAndQuery) -> &str {
    let mut parts = path.path().rsplit('/');
    let file = parts.next().unwrap_or_default();
    let stem = file.rsplit_once('.').map_or(file, |(stem, _)| stem);
    match stem {
        "index" | "main" | "playlist" | "prog_index" | "" => parts.next().unwrap_or_default(),
        stem => stem,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn playlists_lead_to_paths_of_the_same_server() {
        let base = Base::new(&"/lessons/a/main.m3u8?x=1".parse().unwrap()).unwrap();
        for (uri, target) in [
            ("../../p/abc/s0/index.m3u8", Ok("/p/abc/s0/index.m3u8")),
            ("/p/abc/s0/00000.m4s?token=a%20b", Ok("/p/abc/s0/00000.m4s?token=a%20b")),
            ("seg 0.ts", Ok("/lessons/a/seg%200.ts")),
            ("http://elsewhere.example/a", Err(ErrorKind::Elsewhere)),
            ("//elsewhere.example/a", Err(ErrorKind::Elsewhere)),
            ("data:text/plain,x", Err(ErrorKind::Elsewhere)),
        ] {
            assert_eq!(base.join(uri), target.map(|target| target.parse().unwrap()), "{uri}");
        }
    }

    #[test]
    fn renditions_have_names() {
        for (path, called) in [
            ("/p/abc/s2/index.m3u8", "s2"),
            ("/channels/one/s2.m3u8?a=b", "s2"),
            ("/p/abc/audio/hi/index.m3u8", "hi"),
            ("/index.m3u8", ""),
        ] {
            assert_eq!(name(&path.parse().unwrap()), called);
        }
    }
}
