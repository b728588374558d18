//! The step that decides what a lesson is: its description is swapped, against what was there when the caller was last asked.
//!
//! ```text
//! look ─► may it still be published? (the caller: is the lease ours?) ─► note ─► swap if nothing has changed since the look
//! ```
//! Uploading takes minutes, in which a worker can lose its job to another one. Had that one published before the look, the caller
//! would say no; had it done so after, the swap finds another description, and the caller is asked again.

use super::history::{self, Change};
use super::progress::Track;
use super::{PublishError, SWAP_ATTEMPTS, agree};
use crate::store::Store;
use crate::swap::{MAX_PAPER_BYTES, Swapped};
use bytes::Bytes;
use package::Lesson;

/// Makes `lesson` what its description says, unless the caller of publishing stops.
pub(super) async fn describe(
    store: &Store,
    lesson: &Lesson,
    track: &mut Track<'_>,
) -> Result<(), PublishError> {
    let name = &lesson.listed.lesson;
    let (path, new) = (name.description(), Bytes::from(lesson.to_bytes()));
    for round in 0..SWAP_ATTEMPTS {
        let current = store.get(&path, MAX_PAPER_BYTES).await?;
        if let Err(stopped) = track.tell() {
            if round > 0 {
                // What was noted for it has not come to be.
                agree(store, name, Some(lesson)).await?;
            }
            return Err(stopped);
        }
        history::note(store, name, Change::To(lesson.package)).await?;
        if current.as_ref().is_some_and(|current| current.bytes == new) {
            return Ok(());
        }
        let expected = current.map(|current| current.version);
        if let Swapped::Done(_) = store.swap(&path, expected.as_ref(), new.clone()).await? {
            return Ok(());
        }
    }
    Err(PublishError::Contended(path))
}
