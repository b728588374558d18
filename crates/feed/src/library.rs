//! Segments of packages, from an edge, an origin or a directory.

use crate::line::Piece;
use conformance::{Ask, Bearer, Fetch, FetchError, Folder, Http, HttpOptions, Url};
use mpegts::{RemuxError, Tracks};
use multiplex::{Media, MediaError};
use package::{AudioSlot, ObjectPath, PackageId, Rendition, Slot};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// For one object to come whole. Longer than that and the slate is due.
pub(crate) const ANSWER: Duration = Duration::from_secs(3);

/// Why a segment cannot be had.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LibraryError {
    #[error("{path} {source}")]
    Fetch { path: String, source: FetchError },
    #[error("init section of {rendition}: {source}")]
    Init { rendition: Rendition, source: RemuxError },
    #[error("{path}: {source}")]
    Media { path: String, source: MediaError },
}

impl LibraryError {
    /// Another try may help: not when what came is wrong.
    pub(crate) fn may_pass(&self) -> bool {
        matches!(self, Self::Fetch { .. })
    }
}

/// Where packages are.
pub(crate) struct Library {
    fetch: Box<dyn Fetch + Send>,
    base: Url,
    /// Of the package that was read last: the next segment is nearly always of the same.
    tracks: Option<((PackageId, Slot, AudioSlot), Tracks)>,
}

/// No place for packages.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NoLibrary {
    #[error("`{0}` is neither an address nor a directory; give http://…, https://… or the path of a store")]
    Address(String),
    #[error("{0}; give a PEM file that can be read, and a token of visible characters")]
    Client(#[source] FetchError),
}

/// A reader for `text`, an address or a path, and its base. The token is shown to that server alone.
pub(crate) fn open(
    text: &str,
    cacert: Option<PathBuf>,
    token: Option<String>,
) -> Result<(Box<dyn Fetch + Send>, Url), NoLibrary> {
    let none = || NoLibrary::Address(text.to_owned());
    match Url::parse(text) {
        Ok(mut url) if matches!(url.scheme(), "http" | "https") => {
            if !url.path().ends_with('/') {
                url.set_path(&format!("{}/", url.path()));
            }
            let bearer = token.map(|token| Bearer { server: url.clone(), token });
            let options = HttpOptions { cacert, timeout: ANSWER, user_agent: "airclass-feed", bearer };
            Ok((Box::new(Http::new(&options).map_err(NoLibrary::Client)?), url))
        }
        _ => {
            let folder = Path::new(text).canonicalize().ok().filter(|path| path.is_dir()).ok_or_else(none)?;
            Ok((Box::new(Folder), Url::from_directory_path(folder).map_err(|()| none())?))
        }
    }
}

impl Library {
    pub(crate) fn new((fetch, base): (Box<dyn Fetch + Send>, Url)) -> Self {
        Self { fetch, base, tracks: None }
    }

    /// The media of `piece`: two objects, and two more at the beginning of a package.
    pub(crate) fn media(&mut self, piece: &Piece) -> Result<Media, LibraryError> {
        let Piece { package, video, audio, segment } = *piece;
        let key = (package, video, audio);
        let (pictures, sound) = (Rendition::Video(video), Rendition::Audio(audio));
        if self.tracks.as_ref().is_none_or(|(held, _)| *held != key) {
            let inits = (self.object(package, &pictures.init())?, self.object(package, &sound.init())?);
            let tracks = Tracks::new(&inits.0, &inits.1);
            let tracks = tracks.map_err(|source| LibraryError::Init { rendition: pictures, source })?;
            self.tracks = Some((key, tracks));
        }
        let path = pictures.segment(segment);
        let (video, audio) = (self.object(package, &path)?, self.object(package, &sound.segment(segment))?);
        let Some((_, tracks)) = &self.tracks else { unreachable!("they have just been read") };
        Media::of(tracks, segment.0, &video, &audio)
            .map_err(|source| LibraryError::Media { path: path.as_str().to_owned(), source })
    }

    fn object(&self, package: PackageId, path: &ObjectPath) -> Result<Vec<u8>, LibraryError> {
        let path = package.object(path);
        let failed = |source| LibraryError::Fetch { path: path.as_str().to_owned(), source };
        let url =
            self.base.join(path.as_str()).map_err(|error| failed(FetchError::Address(error.to_string())))?;
        Ok(self.fetch.get(&Ask::media(&url, None)).map_err(failed)?.body)
    }
}
