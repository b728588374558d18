//! One fill, many readers: a body that is read while it comes.
//!
//! ```text
//! upstream ──► GrowingWriter ──► pieces ──► GrowingReader ──► client
//!                                      └──► GrowingReader ──► client
//! ```
//! As a rule neither a slow client nor one that leaves changes the fill; only what is worth no more than its readers' wishes comes as
//! the foremost of them takes it. A reader has the pieces that have come, by reference, and is woken by the next. When the body breaks
//! off, every reader learns it as an error, so that no client takes the part for the whole.

mod reader;
mod writer;

pub(crate) use reader::GrowingReader;
pub(crate) use writer::GrowingWriter;

use super::body::BLOCK;
use super::wait_list::{self, WaitList};
use bytes::Bytes;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Waker;

/// The shared part.
#[derive(Debug)]
pub(crate) struct Growing {
    /// As the upstream stated it.
    length: Option<u64>,
    /// It comes from near, as fast as it is read: readers take what there is, and none has to step back for another.
    at_hand: bool,
    /// Nobody is to be given what lies further than so many bytes behind what has come, or the first block: all before it would have
    /// to be fetched for that.
    reach: Option<u64>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    pieces: Vec<Piece>,
    received: u64,
    end: Option<End>,
    waiting: WaitList,
    /// How many readers want it up to where: one beyond their last byte.
    wanted: BTreeMap<u64, usize>,
    /// One beyond the last byte that a reader has taken, or does not want because it wants what is behind.
    taken: u64,
    /// The writer, where it waits for readers.
    pacing: Option<Waker>,
}

impl State {
    /// Whether a reader wants more than has come, however slowly it takes that.
    fn is_wanted(&self) -> bool {
        self.wanted.last_key_value().is_some_and(|(&end, _)| end > self.received)
    }

    /// A reader has come so far. Gives who is to be woken.
    fn takes(&mut self, until: u64) -> Option<Waker> {
        if until <= self.taken {
            return None;
        }
        self.taken = until;
        self.pacing.take()
    }
}

#[derive(Debug, Clone)]
struct Piece {
    /// Where in the body it begins.
    at: u64,
    bytes: Bytes,
}

/// A piece that is shorter grows with what comes behind it, as far as its block goes: an upstream that sends single bytes must
/// not make each of them a piece.
const SHORT: usize = 1_024;

impl Piece {
    fn end(&self) -> u64 {
        self.at + self.bytes.len() as u64
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Complete,
    BrokenOff,
}

impl Growing {
    /// A body of `length` bytes, where known, of which nothing has come.
    pub(crate) fn start(length: Option<u64>) -> (Arc<Self>, GrowingWriter) {
        Self::begin(length, false, None)
    }

    /// The same where parts of it are for who wants them at most `reach` bytes behind what has come.
    pub(crate) fn near(length: Option<u64>, reach: u64) -> (Arc<Self>, GrowingWriter) {
        Self::begin(length, false, Some(reach))
    }

    /// The same of a body that is read from a disk.
    pub(crate) fn at_hand(length: u64) -> (Arc<Self>, GrowingWriter) {
        Self::begin(Some(length), true, None)
    }

    fn begin(length: Option<u64>, at_hand: bool, reach: Option<u64>) -> (Arc<Self>, GrowingWriter) {
        let growing = Arc::new(Self { length, at_hand, reach, state: Mutex::default() });
        let writer = GrowingWriter::of(&growing);
        (growing, writer)
    }

    /// Known from the start, or when all has come.
    pub(crate) fn length(&self) -> Option<u64> {
        self.length.or_else(|| {
            let state = self.state();
            (state.end == Some(End::Complete)).then_some(state.received)
        })
    }

    /// Whether the byte `at` lies further behind what has come than anybody is to be given.
    pub(crate) fn is_far(&self, at: u64) -> bool {
        self.reach.is_some_and(|reach| at > self.state().received.max(BLOCK as u64).saturating_add(reach))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing that holds the lock can panic half way through a change.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        let woken = {
            let mut state = self.state();
            change(&mut state);
            state.waiting.take_all()
        };
        wait_list::wake(woken);
    }
}

#[cfg(test)]
mod tests {
    use super::reader::{FIRST_BYTES, POLLS_OF_A_TURN};
    use super::*;
    use proptest::prelude::*;
    use std::io;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::task::{Context, Poll, Wake};

    #[derive(Default)]
    struct Woken(AtomicBool);

    impl Wake for Woken {
        fn wake(self: Arc<Self>) {
            self.0.store(true, Ordering::Relaxed);
        }
    }

    /// Reads until there is nothing more; a reader that has woken itself is polled again, as a runtime would.
    fn drain(reader: &mut GrowingReader, into: &mut Vec<u8>) -> Poll<Option<io::Result<()>>> {
        let woken = Arc::new(Woken::default());
        let waker = Waker::from(Arc::clone(&woken));
        let mut cx = Context::from_waker(&waker);
        loop {
            match reader.poll_piece(&mut cx) {
                Poll::Ready(Some(Ok(bytes))) => into.extend_from_slice(&bytes),
                Poll::Ready(Some(Err(error))) => return Poll::Ready(Some(Err(error))),
                Poll::Ready(None) => return Poll::Ready(None),
                Poll::Pending if woken.0.swap(false, Ordering::Relaxed) => {}
                Poll::Pending => return Poll::Pending,
            }
        }
    }

    #[test]
    fn everybody_has_first_bytes_before_anybody_has_more() {
        let (growing, mut writer) = Growing::start(Some(10_000));
        writer.push(&[7; 10_000]);
        let mut reader = GrowingReader::new(growing, None);
        let mut cx = Context::from_waker(Waker::noop());
        let mut piece = || match reader.poll_piece(&mut cx) {
            Poll::Ready(Some(Ok(bytes))) => Some(bytes.len() as u64),
            _ => None,
        };
        assert_eq!(piece(), Some(FIRST_BYTES));
        assert_eq!([piece(), piece()], [None; POLLS_OF_A_TURN as usize]);
        assert_eq!(piece(), Some(10_000 - FIRST_BYTES));
    }

    #[test]
    fn a_body_that_breaks_off_is_an_error_and_not_an_end() {
        let (growing, mut writer) = Growing::start(Some(10));
        let mut reader = GrowingReader::new(growing, None);
        let mut read = Vec::new();
        writer.push(b"12345");
        assert!(drain(&mut reader, &mut read).is_pending());
        drop(writer);
        assert!(matches!(drain(&mut reader, &mut read), Poll::Ready(Some(Err(_)))));
        assert_eq!(read, b"12345");
    }

    #[test]
    fn the_length_of_an_unstated_body_is_known_at_its_end() {
        let (growing, mut writer) = Growing::start(None);
        writer.push(b"12345");
        assert_eq!(growing.length(), None);
        assert_eq!(writer.finish().length(), 5);
        assert_eq!(growing.length(), Some(5));
    }

    #[test]
    fn what_every_reader_has_or_has_left_is_not_wanted() {
        let (growing, mut writer) = Growing::start(Some(10));
        assert!(!writer.is_wanted());
        let near = [(); 2].map(|()| GrowingReader::new(Arc::clone(&growing), Some(0..3)));
        let far = GrowingReader::new(Arc::clone(&growing), None);
        writer.push(b"123");
        assert!(writer.is_wanted());
        drop(far);
        assert!(!writer.is_wanted(), "slow readers have theirs here");
        drop(near);
        let _unstated = GrowingReader::new(growing, Some(0..4));
        assert!(writer.is_wanted());
    }

    #[test]
    fn a_writer_that_waits_for_readers_goes_on_when_the_foremost_has_come_or_all_have_left() {
        let (growing, mut writer) = Growing::start(Some(40_000));
        let reader = |range| GrowingReader::new(Arc::clone(&growing), range);
        writer.push(&[7; 10_000]);
        assert!(!writer.is_ahead(0), "nobody wants any");
        let (mut slow, mut quick) = (reader(None), reader(Some(2_000..40_000)));
        let woken = Arc::new(Woken::default());
        let waker = Waker::from(Arc::clone(&woken));
        let come = |writer: &GrowingWriter, most| {
            std::pin::pin!(writer.let_readers_come(most)).poll(&mut Context::from_waker(&waker)).is_ready()
        };
        assert!(writer.is_ahead(7_999) && !writer.is_ahead(8_000));
        assert!(come(&writer, 8_000) && !come(&writer, 100));
        let mut read = Vec::new();
        assert!(drain(&mut slow, &mut read).is_pending() && woken.0.swap(false, Ordering::Relaxed));
        assert!(come(&writer, 100));
        writer.push(&[7; 10_000]);
        assert!(!come(&writer, 100));
        assert!(drain(&mut quick, &mut read).is_pending() && woken.0.swap(false, Ordering::Relaxed));
        assert!(come(&writer, 100));
        writer.push(&[7; 10_000]);
        assert!(!come(&writer, 100));
        drop((slow, quick));
        assert!(woken.0.swap(false, Ordering::Relaxed) && come(&writer, 100));
    }

    #[test]
    fn single_bytes_are_not_a_piece_each() {
        let (growing, mut writer) = Growing::start(None);
        let (mut reader, mut read) = (GrowingReader::new(Arc::clone(&growing), None), Vec::new());
        for _ in 0..10_000 {
            writer.push(b"1");
            let _ = drain(&mut reader, &mut read);
        }
        assert_eq!((read.len(), growing.state().pieces.len()), (10_000, 10_000_usize.div_ceil(SHORT)));
        assert_eq!(writer.finish().length(), 10_000);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]
        #[test]
        fn every_reader_reads_its_range_whenever_it_comes(
            pushes in prop::collection::vec(prop_oneof![1..BLOCK, 1..SHORT, 1..5_usize], 1..9),
            stated: bool,
            ranges in prop::collection::vec((0..3 * BLOCK, 0..3 * BLOCK), 1..4),
        ) {
            let length: usize = pushes.iter().sum();
            let bytes: Vec<u8> = (0..length).map(|i| (i % 251) as u8).collect();
            let (growing, mut writer) = Growing::start(stated.then_some(length as u64));
            let mut readers: Vec<_> = ranges.iter().map(|&(from, span)| {
                let (from, to) = (from.min(length), (from + span).min(length));
                let range = from as u64..to as u64;
                (GrowingReader::new(Arc::clone(&growing), Some(range)), from..to, Vec::new())
            }).collect();
            let mut at = 0;
            for push in pushes {
                writer.push(&bytes[at..at + push]);
                at += push;
                for (reader, _, read) in &mut readers {
                    let _ = drain(reader, read);
                }
            }
            let blocks = writer.finish();
            prop_assert_eq!(blocks.length(), length as u64);
            prop_assert_eq!(blocks.blocks().concat(), &bytes[..]);
            for (mut reader, range, mut read) in readers {
                prop_assert!(matches!(drain(&mut reader, &mut read), Poll::Ready(None)));
                prop_assert_eq!(&read, &bytes[range]);
            }
            let mut late = Vec::new();
            prop_assert!(matches!(drain(&mut GrowingReader::new(growing, None), &mut late), Poll::Ready(None)));
            prop_assert_eq!(late, bytes);
        }
    }
}
