//! The pipe that pages go through on their way to a socket.

use rustix::io::Errno;
use rustix::pipe::{IoSliceRaw, PipeFlags, SpliceFlags, fcntl_setpipe_size, pipe_with, splice, vmsplice};
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

/// Pages that it holds, in bytes: as many as the kernel gives who is not the superuser (`fs.pipe-max-size`), and four blocks.
const ROOM: usize = 4 * lendable::BLOCK;
/// Pieces that are taken at once.
const MOST_PARTS: usize = 8;

#[derive(Debug)]
pub(super) struct Pipe {
    reader: OwnedFd,
    writer: OwnedFd,
    /// Bytes in it.
    holds: usize,
}

impl Pipe {
    pub(super) fn open() -> io::Result<Self> {
        let (reader, writer) = pipe_with(PipeFlags::CLOEXEC | PipeFlags::NONBLOCK)?;
        fcntl_setpipe_size(&writer, ROOM)?;
        Ok(Self { reader, writer, holds: 0 })
    }

    pub(super) fn is_empty(&self) -> bool {
        self.holds == 0
    }

    /// Takes the pages that what is `lent` lies on, as far as there is room. They stay as they are until nobody has them (see
    /// [`lendable`]).
    #[expect(unsafe_code, reason = "the pages are the kernel's, too, from here on")]
    pub(super) fn fill<'a>(&mut self, lent: impl Iterator<Item = &'a [u8]>) -> io::Result<usize> {
        let mut parts = [(); MOST_PARTS].map(|()| IoSliceRaw::from_slice(&[]));
        let mut count = 0;
        for (part, bytes) in parts.iter_mut().zip(lent) {
            *part = IoSliceRaw::from_slice(bytes);
            count += 1;
        }
        // SAFETY: they were lent: nobody writes to these pages any more.
        let filled = unsafe { vmsplice(&self.writer, &parts[..count], SpliceFlags::NONBLOCK) }?;
        self.holds += filled;
        Ok(filled)
    }

    /// Hands them on, as many as the socket takes; 0 where it takes none. `more` follow at once.
    pub(super) fn empty_into(&mut self, socket: BorrowedFd<'_>, more: bool) -> io::Result<usize> {
        let mut flags = SpliceFlags::NONBLOCK;
        flags.set(SpliceFlags::MORE, more);
        let before = self.holds;
        while self.holds > 0 {
            match splice(self.reader.as_fd(), None, socket, None, self.holds, flags) {
                Ok(taken) if taken > 0 => self.holds -= taken,
                Ok(_) => break,
                Err(Errno::INTR) => {}
                Err(_) if self.holds < before => break,
                Err(error) => return Err(error.into()),
            }
        }
        Ok(before - self.holds)
    }
}
