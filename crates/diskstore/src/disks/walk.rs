//! Walking over all that lies on the disks, a few objects at a time, beside those who ask for something.

use super::{Disks, Generation};
use crate::index::SHARDS;
use bytes::Bytes;
use tokio::sync::oneshot;

/// Objects looked at by one thread in one go: what a look-up behind it waits for on a hard disk is a fifth of a second.
const AT_ONCE: usize = 24;

/// Where a walk is. It goes round for ever.
#[derive(Debug, Default)]
pub struct Walk {
    part: usize,
    /// What is left of the part; `None` between parts.
    left: Option<Vec<u64>>,
}

/// What one step of a walk came to.
#[derive(Debug)]
pub enum Step {
    /// These are there.
    Seen(Vec<Seen>),
    /// A part is through.
    PartEnds,
    /// The disk of this part is away, busy or fails: what lies there has not been seen.
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
    /// Whether it stands in the middle of a part.
    pub fn is_inside(&self) -> bool {
        self.left.is_some()
    }
}

impl Disks {
    /// Into how many parts a walk divides them.
    pub fn parts(&self) -> usize {
        self.disks.len() * SHARDS
    }

    /// Takes one step. An object that is there when its part begins is seen, unless it is replaced or removed meanwhile.
    ///
    /// The caller bounds the wait: a disk may hang.
    pub async fn walk_on(&self, walk: &mut Walk) -> Step {
        walk.part %= self.parts().max(1);
        let Some(placed) = self.disks.get(walk.part / SHARDS) else { return Step::Away };
        let disk = &placed.disk;
        let volume = disk.volume().filter(|_| disk.is_readable());
        let Some(volume) = volume else {
            return walk.ends(Step::Away);
        };
        let left = walk.left.get_or_insert_with(|| volume.in_part(walk.part % SHARDS));
        let batch = left.split_off(left.len().saturating_sub(AT_ONCE));
        if batch.is_empty() {
            return walk.ends(Step::PartEnds);
        }
        let (answer, answered) = oneshot::channel();
        let store = volume.name();
        drop(volume);
        let queued = disk.read(Box::new(move |volume| {
            let seen = volume.fronts(&batch);
            let failed = seen.is_err();
            let _ = answer.send(seen.ok().filter(|_| volume.name() == store));
            if failed { Err(()) } else { Ok(()) }
        }));
        let seen = if queued { answered.await.ok().flatten() } else { None };
        let Some(seen) = seen else {
            return walk.ends(Step::Away);
        };
        let seen = seen.into_iter().map(|front| Seen {
            key: front.key,
            head: front.head,
            generation: Generation { store, number: front.generation },
        });
        Step::Seen(seen.filter(|seen| !disk.is_hidden(&seen.key)).collect())
    }
}

impl Walk {
    fn ends(&mut self, step: Step) -> Step {
        self.left = None;
        self.part += 1;
        step
    }
}
