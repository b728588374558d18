//! Sending without a copy: blocks of stored bodies go to the kernel as the pages that they lie on, by way of a pipe (vmsplice(2),
//! splice(2)). What may be lent, and how it stays as it is meanwhile, is [`lendable`]'s.

mod pipe;
mod trial;

use pipe::Pipe;
use prometheus::IntCounter;
use rustix::net::{SendAncillaryBuffer, SendFlags, sendmsg};
use std::cell::RefCell;
use std::io::{self, IoSlice};
use std::os::fd::{AsFd, BorrowedFd};
use std::rc::Rc;
use trial::{Trial, Way};

/// Fewer bytes than these are copied: for one block both ways cost the same.
pub(super) const LEAST: usize = 2 * lendable::BLOCK;

/// What the connections of one core lend with.
#[derive(Debug)]
pub(crate) struct Lending {
    tools: RefCell<Tools>,
    /// Bytes that were lent.
    lent: IntCounter,
}

#[derive(Debug, Default)]
struct Tools {
    /// Empty between two sendings.
    pipe: Option<Pipe>,
    trial: Trial,
}

/// What one connection lends with.
#[derive(Debug, Clone)]
pub(crate) struct Lender {
    lending: Rc<Lending>,
    /// Without asking whether it pays.
    always: bool,
}

impl Lender {
    /// For a connection whose listener says `zero_copy`; `None` where it says no.
    pub(super) fn new(lending: &Rc<Lending>, zero_copy: Option<bool>) -> Option<Self> {
        let always = zero_copy == Some(true);
        (zero_copy != Some(false)).then(|| Self { lending: Rc::clone(lending), always })
    }

    /// Sends what `slices` have in front, where that is much and may be lent: what comes before the first block, and blocks. Gives how
    /// many bytes the kernel has taken; `None` where they are to be copied as always.
    ///
    /// # Errors
    /// As `sendmsg(2)` for what comes before the blocks; `WouldBlock` where it has taken none.
    pub(super) fn send(&self, socket: &impl AsFd, slices: &[IoSlice<'_>]) -> Option<io::Result<usize>> {
        self.lending.send(socket, slices, self.always)
    }

    /// So many bytes of what [`send`](Self::send) is for have been copied.
    pub(super) fn copied(&self, bytes: usize) {
        if let Ok(mut tools) = self.lending.tools.try_borrow_mut() {
            tools.trial.took(bytes);
        }
    }
}

impl Lending {
    pub(crate) fn new(lent: IntCounter) -> Self {
        Self { tools: RefCell::default(), lent }
    }

    fn send(&self, socket: &impl AsFd, slices: &[IoSlice<'_>], always: bool) -> Option<io::Result<usize>> {
        let run = Run::of(slices)?;
        let mut tools = self.tools.try_borrow_mut().ok()?;
        let Tools { pipe, trial } = &mut *tools;
        if !always && trial.next(|| rustix::time::clock_gettime(CPU_TIME)) == Way::Copy {
            return None;
        }
        // Out of descriptors, for example: there is the other way.
        let mut filled = pipe.take().or_else(|| Pipe::open().ok())?;
        let mut sent = 0;
        let outcome = run.send(socket.as_fd(), &mut filled, &mut sent, &self.lent);
        trial.took(sent);
        // What is left in it nobody takes out again; a new one costs less.
        *pipe = filled.is_empty().then_some(filled);
        match outcome {
            Ok(()) if sent == 0 => None,
            Err(error) if sent == 0 => Some(Err(error)),
            _ => Some(Ok(sent)),
        }
    }
}

/// What this thread has used.
const CPU_TIME: rustix::time::ClockId = rustix::time::ClockId::ThreadCPUTime;

/// The slices in front that are sent together.
struct Run<'a, 'b> {
    heads: &'a [IoSlice<'b>],
    blocks: &'a [IoSlice<'b>],
    /// Whether something follows at once.
    more: bool,
}

impl<'a, 'b> Run<'a, 'b> {
    fn of(slices: &'a [IoSlice<'b>]) -> Option<Self> {
        let heads = slices.iter().take_while(|slice| !lendable::is_offered(slice)).count();
        let (heads, rest) = slices.split_at(heads);
        let blocks = rest.iter().take_while(|slice| lendable::is_offered(slice)).count();
        let (blocks, behind) = rest.split_at(blocks);
        let run = Self { heads, blocks, more: !behind.is_empty() };
        (run.bytes() >= LEAST).then_some(run)
    }

    /// Bytes of the blocks.
    fn bytes(&self) -> usize {
        self.blocks.iter().map(|block| block.len()).sum()
    }

    /// Counts to `sent` what the kernel takes.
    fn send(
        &self,
        socket: BorrowedFd<'_>,
        pipe: &mut Pipe,
        sent: &mut usize,
        lent: &IntCounter,
    ) -> io::Result<()> {
        let before: usize = self.heads.iter().map(|head| head.len()).sum();
        if before > 0 {
            // The first packet is to have more than a head.
            let flags = SendFlags::MORE | SendFlags::NOSIGNAL | SendFlags::DONTWAIT;
            *sent = sendmsg(socket, self.heads, &mut SendAncillaryBuffer::default(), flags)?;
            if *sent < before {
                return Ok(());
            }
        }
        let (all, mut gone) = (self.bytes(), 0);
        while gone < all {
            // Not the socket's fault, and nothing to wait for: there is the other way.
            let Ok(filled) = pipe.fill(self.behind(gone).take_while(|part| lendable::lend(part))) else {
                break;
            };
            let taken = match pipe.empty_into(socket, self.more || gone + filled < all) {
                // Where the call is forbidden there is the other way; what is wrong with the socket is told there as well.
                Err(error) if error.kind() != io::ErrorKind::WouldBlock => break,
                taken => taken?,
            };
            *sent += taken;
            lent.inc_by(taken as u64);
            gone += taken;
            if filled == 0 || taken < filled {
                break;
            }
        }
        Ok(())
    }

    /// What of the blocks is behind so many bytes.
    fn behind(&self, mut gone: usize) -> impl Iterator<Item = &[u8]> {
        self.blocks.iter().filter_map(move |block| {
            let skipped = gone.min(block.len());
            gone -= skipped;
            (skipped < block.len()).then(|| &block[skipped..])
        })
    }
}

#[cfg(test)]
mod tests;
