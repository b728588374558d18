//! How cores hand answers over.

use crate::batch::Batches;
use crate::entry::Entry;
use crate::metrics::{Lost, Metrics};
use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// A core's way into the log. Cheap to clone, so that every answer on its way has one: what is counted is the core's own.
#[derive(Debug, Clone)]
pub struct Pen(Rc<Held>);

#[derive(Debug)]
struct Held {
    door: Arc<Door>,
    /// The batch that it fills.
    batch: usize,
    /// Entries that were handed over, for the next: their memory is in the core's cache.
    #[expect(clippy::vec_box, reason = "an answer on its way has the box, which is handed back as it is")]
    spare: RefCell<Vec<Box<Entry>>>,
}

/// Entries that are kept for the next: those of as many answers as a core may end in one go.
const MOST_SPARE: usize = 64;
/// Bytes of words beyond which an entry is not kept.
const MOST_KEPT: usize = 4_096;

/// What all pens write into.
#[derive(Debug)]
pub(crate) struct Door {
    batches: Batches,
    /// How many pens there are.
    pens: AtomicUsize,
    pub(crate) metrics: Metrics,
}

impl Door {
    pub(crate) fn new(batches: Batches, metrics: Metrics) -> Self {
        Self { batches, pens: AtomicUsize::new(0), metrics }
    }

    pub(crate) fn batches(&self) -> &Batches {
        &self.batches
    }
}

impl Pen {
    pub(crate) fn of(door: &Arc<Door>) -> Self {
        let batch = door.pens.fetch_add(1, Ordering::Relaxed) % door.batches.count();
        Self(Rc::new(Held { door: Arc::clone(door), batch, spare: RefCell::default() }))
    }

    /// An entry to be filled, in memory that was one before, where there is some.
    pub fn blank(&self) -> Box<Entry> {
        self.0.spare.borrow_mut().pop().unwrap_or_default()
    }

    /// Hands an entry over, or counts it as lost. Never waits.
    pub fn write(&self, entry: Box<Entry>) {
        let Held { door, batch, spare } = &*self.0;
        if !door.batches.push(*batch, &entry) {
            door.metrics.lost(Lost::Queue, 1);
        }
        let mut spare = spare.borrow_mut();
        if spare.len() < MOST_SPARE && entry.words.text.capacity() <= MOST_KEPT {
            spare.push(entry);
        }
    }
}
