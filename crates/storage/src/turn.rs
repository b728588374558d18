//! Those who publish a package and those who remove it take turns.
//!
//! In a directory by a lock. In a bucket by words left below `work/<package>/`, each side writing its own before it looks
//! for the other's, so that at least one of two sees the other: who publishes waits until the remover is done, who
//! removes leaves a package that somebody is pointing to.

use crate::directory::lock::{Held, Lock};
use crate::error::StoreError;
use crate::publish::PublishError;
use crate::store::{Place, Store};
use crate::swap::Swapped;
use crate::verify::are_there;
use bytes::Bytes;
use package::{Lesson, Manifest, PackageId, StorePath};
use std::hash::{BuildHasher, Hasher, RandomState};
use std::io;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

/// "Somebody points a lesson to this package", told by when it was written.
const POINTED: &str = "pointed";
/// "This package is being removed."
const CONDEMNED: &str = "condemned";
/// How far clocks of publishers, removers and the store may be apart.
const CLOCK_SKEW: Duration = Duration::from_secs(10 * 60);
/// After this a remover has been killed: it takes minutes for a package.
const REMOVING_FOR: Duration = Duration::from_secs(60 * 60);
/// How long a publisher waits for a remover.
const WAIT: Duration = Duration::from_secs(30);
/// How often it looks.
const LOOK_EVERY: Duration = Duration::from_millis(250);

/// A publisher's turn; a directory's ends when this is dropped and the last object given to [`Publishing::put`] is written.
#[derive(Debug)]
pub(crate) struct Publishing {
    package: PackageId,
    held: Option<Arc<Held>>,
}

/// A remover's turn.
#[derive(Debug)]
pub(crate) struct Removing {
    package: PackageId,
    held: Option<Held>,
}

impl Store {
    /// Clears what killed uploads of this lesson left behind; gives their number. A bucket never shows any.
    pub(crate) async fn clear_leftovers(&self, lesson: &Lesson) -> Result<usize, StoreError> {
        let Place::Directory(directory) = &self.place else { return Ok(0) };
        let folders = [
            lesson.package.folder().to_string(),
            format!("lessons/{}", lesson.listed.lesson),
            "catalogue".to_owned(),
            "history".to_owned(),
            "ingests".to_owned(),
        ];
        directory.sweep(&folders).await
    }

    /// From here on nobody removes `package`.
    pub(crate) async fn begin_publishing(&self, package: PackageId) -> Result<Publishing, StoreError> {
        let held = match &self.place {
            Place::Directory(directory) => Some(Arc::new(directory.lock_shared(Lock::Uploads).await?)),
            Place::Bucket(_) => None,
        };
        let turn = Publishing { package, held };
        turn.say(self).await?;
        Ok(turn)
    }

    /// The right to remove `package`; `None` when somebody is publishing, or has pointed to it since `began`, when the
    /// remover began to look who needs what.
    pub(crate) async fn begin_removing(
        &self,
        package: PackageId,
        began: SystemTime,
    ) -> Result<Option<Removing>, StoreError> {
        let held = match &self.place {
            Place::Directory(directory) => match directory.try_lock_exclusive(Lock::Uploads).await? {
                Some(held) => Some(held),
                None => return Ok(None),
            },
            Place::Bucket(_) => {
                if !self.condemn(package, began).await? {
                    return Ok(None);
                }
                None
            }
        };
        let turn = Removing { package, held };
        match self.head(&package.word(POINTED)).await? {
            Some(pointed) if pointed.modified + CLOCK_SKEW > began => {
                turn.end(self).await?;
                Ok(None)
            }
            _ => Ok(Some(turn)),
        }
    }

    /// Leaves the remover's word. Not when another remover's is there, unless that one has been killed.
    ///
    /// No two removers' words are the same: a put that fails against the very bytes it would have written counts as done,
    /// because its first try may have arrived unheard ([`Store::swap`]).
    async fn condemn(&self, package: PackageId, now: SystemTime) -> Result<bool, StoreError> {
        let word = package.word(CONDEMNED);
        for _ in 0..2 {
            let mine = format!("being removed by {:016x}\n", RandomState::new().build_hasher().finish());
            let swapped = self.swap(&word, None, mine.into()).await?;
            if let Swapped::Done(_) = swapped {
                return Ok(true);
            }
            match self.head(&word).await? {
                Some(theirs) if theirs.modified + REMOVING_FOR > now => return Ok(false),
                _ => self.delete(&word).await?,
            }
        }
        Ok(false)
    }
}

impl Publishing {
    /// [`Store::put_unsettled`] within this turn, even when the caller does not wait for its end: a publisher that gives up
    /// leaves uploads behind that the disk is still busy with, and whoever clears leftovers must not take them for dead.
    pub(crate) async fn put(&self, store: &Store, path: StorePath, bytes: Bytes) -> Result<(), StoreError> {
        let (to, held, what) = (store.clone(), self.held.clone(), path.to_string());
        let put = tokio::spawn(async move {
            let put = to.put_unsettled(&path, bytes).await;
            drop(held);
            put
        });
        put.await.unwrap_or_else(|lost| Err(StoreError::write(store.name(), what, io::Error::other(lost))))
    }

    /// Says again that somebody points to the package, and sees to it that it is still whole.
    pub(crate) async fn renew(&self, store: &Store, manifest: &Manifest) -> Result<(), PublishError> {
        if let Place::Directory(_) = store.place {
            return Ok(());
        }
        self.say(store).await?;
        if are_there(store, self.package, manifest).await? {
            Ok(())
        } else {
            Err(PublishError::NoPackage(self.package))
        }
    }

    async fn say(&self, store: &Store) -> Result<(), StoreError> {
        let (pointed, condemned) = (self.package.word(POINTED), self.package.word(CONDEMNED));
        store.put(&pointed, Bytes::from_static(b"somebody points here\n")).await?;
        if let Place::Directory(_) = store.place {
            return Ok(());
        }
        let tries = WAIT.as_millis() / LOOK_EVERY.as_millis();
        for _ in 0..tries {
            let Some(theirs) = store.head(&condemned).await? else { return Ok(()) };
            // Both by the store's own clock.
            let ours = store.head(&pointed).await?.map_or(theirs.modified, |ours| ours.modified);
            if ours > theirs.modified + REMOVING_FOR {
                return store.delete(&condemned).await;
            }
            tokio::time::sleep(LOOK_EVERY).await;
            // A remover that came later sees this one's date.
            store.put(&pointed, Bytes::from_static(b"somebody points here\n")).await?;
        }
        Err(StoreError::Busy { lock: format!("{}/{condemned}", store.name()), waited: WAIT })
    }
}

impl Removing {
    /// Lets others have their turn.
    pub(crate) async fn end(self, store: &Store) -> Result<(), StoreError> {
        match self.held {
            Some(held) => {
                drop(held);
                Ok(())
            }
            None => store.delete(&self.package.word(CONDEMNED)).await,
        }
    }
}
