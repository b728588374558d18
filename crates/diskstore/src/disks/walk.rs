//! Walking over all that lies on a disk, a few objects at a time, beside those who ask for something.

use super::{Disks, Generation};
use crate::index::SHARDS;
use crate::volume::Fronts;
use bytes::Bytes;
use tokio::sync::oneshot;

/// Objects looked at by one thread in one go: what a look-up behind it waits for on a hard disk is a fifth of a second.
const AT_ONCE: usize = 24;

/// Where a walk over one disk is. It goes round for ever, part by part.
#[derive(Debug)]
pub struct Walk {
    /// The disk's place among those that are configured.
    disk: usize,
    /// Parts that it has been through, seen or not.
    passed: u64,
    /// What is left of the part; `None` between parts.
    left: Option<Vec<u64>>,
}

/// What one step of a walk came to.
#[derive(Debug)]
pub enum Step {
    /// These are there.
    Seen {
        /// In any order.
        objects: Vec<Seen>,
        /// Objects that could not be read, whatever they were: they are gone, over a restart once the disk is settled.
        lost: usize,
    },
    /// A part is through.
    PartEnds,
    /// The disk is away, busy or fails: what lies in this part has not been seen.
    Away,
}

/// An object that a walk has come by.
#[derive(Debug)]
pub struct Seen {
    /// What it lies under.
    pub key: Bytes,
    /// The caller's own words about it.
    pub head: Bytes,
    /// Which version it is.
    pub generation: Generation,
}

impl Walk {
    /// Parts in a round.
    pub const PARTS: u64 = SHARDS as u64;

    /// Over the disk at this place among those that are configured.
    pub fn over(disk: usize) -> Self {
        Self { disk, passed: 0, left: None }
    }

    /// Parts that it has been through, seen or not.
    pub fn passed(&self) -> u64 {
        self.passed
    }

    /// The next part of which it sees all, counted as [`Walk::passed`] does.
    pub fn next_part(&self) -> u64 {
        self.passed + u64::from(self.left.is_some())
    }

    /// Which of the index's shards its part is.
    fn shard(&self) -> usize {
        usize::try_from(self.passed % Self::PARTS).unwrap_or_default()
    }

    fn ends(&mut self, step: Step) -> Step {
        self.left = None;
        self.passed += 1;
        step
    }
}

impl Disks {
    /// Takes one step. An object that is there when its part begins is seen, unless it is replaced or removed meanwhile.
    ///
    /// The caller bounds the wait: a disk may hang.
    pub async fn walk_on(&self, walk: &mut Walk) -> Step {
        let Some(placed) = self.disks.get(walk.disk) else { return Step::Away };
        let disk = &placed.disk;
        let volume = disk.volume().filter(|_| disk.is_readable());
        let Some(volume) = volume else {
            return walk.ends(Step::Away);
        };
        let shard = walk.shard();
        let left = walk.left.get_or_insert_with(|| volume.in_part(shard));
        let batch = left.split_off(left.len().saturating_sub(AT_ONCE));
        if batch.is_empty() {
            return walk.ends(Step::PartEnds);
        }
        let (answer, answered) = oneshot::channel();
        let store = volume.name();
        drop(volume);
        let queued = disk.read(Box::new(move |volume| {
            // The disk may have been away since, and another store be there: what these prints stand for in it is another matter.
            let fronts = (volume.name() == store).then(|| volume.fronts(&batch));
            let failed = fronts.as_ref().is_some_and(|fronts| fronts.failed);
            let _ = answer.send(fronts);
            if failed { Err(()) } else { Ok(()) }
        }));
        let fronts = if queued { answered.await.ok().flatten() } else { None };
        let Some(Fronts { read, lost, .. }) = fronts else {
            return walk.ends(Step::Away);
        };
        if lost > 0 {
            tracing::error!(disk = disk.label, lost, "what cannot be read on a disk is given up");
        }
        let objects = read.into_iter().map(|front| Seen {
            key: front.key,
            head: front.head,
            generation: Generation { store, number: front.generation },
        });
        Step::Seen { objects: objects.filter(|seen| !disk.is_hidden(&seen.key)).collect(), lost }
    }
}
