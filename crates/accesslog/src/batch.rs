//! What cores hand over: batches of answers, one that each core fills while the writer empties others.
//!
//! ```text
//! core 0 ─► batch 0 ┐
//! core 1 ─► batch 1 ├─► taken in exchange for an empty one ─► lines
//!    (both) batch 2 ┘   (while its own is being taken a core fills the next that is free)
//! ```
//! So a core waits for nobody, allocates nothing and calls nobody: an answer costs it one copy into memory that was there.

use crate::entry::{Entry, Facts};
use crate::words::{Ends, Words, place};
use std::sync::{Mutex, PoisonError, TryLockError};

/// Answers that wait in a batch: eight looks' worth of a core that gives 50,000 a second.
pub(crate) const MOST_WAITING: usize = 8_192;
/// Bytes of words that wait in all batches together, while a disk stands still. Shared among them: with 64 cores each has 1 MB.
const MOST_TEXT: usize = 64 << 20;

/// Answers in the order in which a core had them, and all their words one behind the other.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    answers: Vec<(Facts, Ends)>,
    text: String,
    /// Nobody will empty it any more.
    closed: bool,
}

impl Batch {
    /// Takes a copy of it, or has no room for it.
    fn push(&mut self, entry: &Entry, most_text: usize) -> bool {
        let Words { text, ends } = &entry.words;
        let fits = self.answers.len() < MOST_WAITING && self.text.len() + text.len() <= most_text;
        if fits && !self.closed {
            self.answers.push((entry.facts, *ends));
            self.text.push_str(text);
        }
        fits && !self.closed
    }

    /// What is in it.
    pub(crate) fn entries(&self) -> impl Iterator<Item = Entry<&str>> {
        let mut rest = self.text.as_str();
        self.answers.iter().map(move |(facts, ends)| {
            let (text, behind) = rest.split_at_checked(place(ends[ends.len() - 1])).unwrap_or_default();
            rest = behind;
            Entry { facts: *facts, words: Words { text, ends: *ends } }
        })
    }

    /// Empties it. Its memory stays, for the next.
    pub(crate) fn clear(&mut self) {
        self.answers.clear();
        self.text.clear();
    }
}

/// A batch by itself in its cache lines: cores do not slow each other down.
#[derive(Debug, Default)]
#[repr(align(128))]
struct Place(Mutex<Batch>);

/// All batches: one for each core and one more.
#[derive(Debug)]
pub(crate) struct Batches {
    places: Box<[Place]>,
    most_text: usize,
}

impl Batches {
    pub(crate) fn new(cores: usize) -> Self {
        let places: Box<[Place]> = (0..=cores).map(|_| Place::default()).collect();
        Self { most_text: MOST_TEXT / places.len(), places }
    }

    pub(crate) fn count(&self) -> usize {
        self.places.len()
    }

    /// Copies it into batch `first`, or, where that is being taken at this moment, into the next. Whether there was room. Never
    /// waits: as each core and the writer have one at most, one is free.
    pub(crate) fn push(&self, first: usize, entry: &Entry) -> bool {
        let (before, from) = self.places.split_at(first.min(self.places.len()));
        for Place(batch) in from.iter().chain(before) {
            let mut batch = match batch.try_lock() {
                Ok(batch) => batch,
                Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
                Err(TryLockError::WouldBlock) => continue,
            };
            return batch.push(entry, self.most_text);
        }
        false
    }

    /// Takes batch `at` in exchange for `empty`. `closes`: it is the last that is taken there.
    pub(crate) fn take(&self, at: usize, empty: &mut Batch, closes: bool) {
        let mut batch = self.places[at].0.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::swap(&mut *batch, empty);
        batch.closed = closes;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::line::tests::entry;

    fn paths(batch: &Batch) -> Vec<String> {
        batch.entries().map(|entry| entry.words.path().to_owned()).collect()
    }

    #[test]
    fn what_is_taken_is_what_was_handed_over() {
        let batches = Batches::new(2);
        for number in 0..3 {
            assert!(batches.push(1, &entry(&format!("/{number}?q"))));
        }
        assert!(batches.push(0, &entry("/other")));
        let mut taken = Batch::default();
        batches.take(1, &mut taken, false);
        assert_eq!(paths(&taken), ["/0", "/1", "/2"]);
        let (one, said) = (entry("/0?q"), taken.entries().next().unwrap());
        assert_eq!(said.facts, one.facts);
        assert_eq!((said.words.target(), said.words.content_type()), ("/0?q", one.words.content_type()));
        taken.clear();
        batches.take(0, &mut taken, false);
        assert_eq!(paths(&taken), ["/other"]);
    }

    #[test]
    fn nobody_waits_for_a_batch_that_another_has() {
        let batches = Batches::new(1);
        let held = batches.places[0].0.lock().unwrap();
        assert!(batches.push(0, &entry("/next")));
        let held_too = batches.places[1].0.lock().unwrap();
        assert!(!batches.push(0, &entry("/none")));
        drop((held, held_too));
        let mut taken = Batch::default();
        batches.take(1, &mut taken, false);
        assert_eq!(paths(&taken), ["/next"]);
    }

    #[test]
    fn a_batch_has_an_end_in_answers_and_in_words() {
        let batches = Batches::new(1);
        let took = (0..=MOST_WAITING).filter(|_| batches.push(0, &entry("/a"))).count();
        assert_eq!(took, MOST_WAITING);
        let long = entry(&format!("/{}", "a".repeat(1 << 20)));
        let took = (0..64).filter(|_| batches.push(1, &long)).count();
        assert_eq!(took, 31, "of 32 MiB");
        let mut taken = Batch::default();
        batches.take(1, &mut taken, true);
        assert!(!batches.push(1, &entry("/behind-the-end")));
    }
}
