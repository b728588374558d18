//! A lesson's pointer: its package's main playlist, as seen from the lesson's folder.

use super::PublishError;
use crate::store::Store;
use bytes::Bytes;
use package::{LessonId, PackageId};

/// A package's name, in characters.
const ID_DIGITS: usize = 40;

/// The package's playlist as seen from a lesson's folder.
pub(super) async fn pointer(store: &Store, package: PackageId) -> Result<Bytes, PublishError> {
    let path = package.main();
    let main = store.get(&path, hls::MAX_PLAYLIST_BYTES).await?.ok_or(PublishError::NoPackage(package))?;
    let main = hls::MultivariantPlaylist::parse(&String::from_utf8_lossy(&main.bytes))
        .map_err(|source| PublishError::Playlist { path, source })?;
    Ok(main.rebased(&package.seen_from_lesson()).render().into())
}

/// The package that a lesson's pointer names; `None` when there is no pointer, or one that names none.
pub(crate) async fn pointed(store: &Store, lesson: &LessonId) -> Result<Option<PackageId>, PublishError> {
    let found = store.get(&lesson.pointer(), hls::MAX_PLAYLIST_BYTES).await?;
    Ok(found.and_then(|found| named(&String::from_utf8_lossy(&found.bytes))))
}

/// The package whose folder a text names first. Read as text, so that no change of what playlists say hides it.
fn named(pointer: &str) -> Option<PackageId> {
    pointer.split("/p/").skip(1).find_map(|rest| rest.get(..ID_DIGITS)?.parse().ok())
}
