//! Blocks of memory that the kernel may send from without a copy (vmsplice(2)).
//!
//! What is lent is sent from where it lies, and may be sent once more when a packet is lost: long after whoever lent it has heard
//! that it is sent. So it must not change until nobody on the way holds it, and nobody says when that is. The way out: a block that was
//! lent loses its pages when it is given back to the allocator, or when its owner wants it for something else ([`withdraw`]). The kernel
//! keeps those for as long as it needs them, and who writes to the block next has new ones.
//!
//! ```text
//!           took            offer           lend
//! nobody's ──────► a block ──────► offered ──────► lent
//!     ▲               └───────────────┴─────────────┘
//!     └──────────────────── reclaim ──────────────────
//! ```
//!
//! The allocator says [`took`] and [`reclaim`]; without it nothing is lent. Whoever keeps a block as it is until its end offers it;
//! whoever sends asks whether it may [`lend`].

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU8, Ordering};

/// Bytes of a block, and where one may begin: at a multiple of it.
pub const BLOCK: usize = 256 * 1_024;

/// One address space's blocks: 47 bits of x86-64, 48 of ARM.
const ADDRESSES: usize = 1 << 48;

/// What a block is. One that is nobody's is zero, as new memory.
const NOBODYS: u8 = 0;
const TAKEN: u8 = 1;
const OFFERED: u8 = 2;
const LENT: u8 = 3;

/// A byte for each block of the address space, 1 GiB of it, of which a page is there for each GiB that is used.
static STATES: OnceLock<Option<&'static [AtomicU8]>> = OnceLock::new();

fn state(address: usize) -> Option<&'static AtomicU8> {
    STATES.get()?.as_ref()?.get(address / BLOCK)
}

/// The table, made by the first who takes a block. Takes no memory of the allocator, which asks for it.
#[expect(unsafe_code, reason = "memory for a table of which next to nothing is used")]
fn table() -> Option<&'static [AtomicU8]> {
    const LENGTH: usize = ADDRESSES / BLOCK;
    let (rights, flags) =
        (libc::PROT_READ | libc::PROT_WRITE, libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE);
    // SAFETY: new memory, wherever the kernel has room.
    let made = unsafe { libc::mmap(std::ptr::null_mut(), LENGTH, rights, flags, -1, 0) };
    if made == libc::MAP_FAILED {
        return None;
    }
    // SAFETY: so many zeroed bytes, which nobody else knows of and nobody unmaps.
    Some(unsafe { std::slice::from_raw_parts(made.cast::<AtomicU8>(), LENGTH) })
}

/// By the allocator: somebody has taken this block, all of it, and will give it back as one.
pub fn took(block: *const u8) {
    if block.is_null() {
        return;
    }
    STATES.get_or_init(table);
    if let Some(state) = state(block.addr()) {
        state.store(TAKEN, Ordering::Relaxed);
    }
}

/// By the allocator: nobody uses this block any more. Whether it may be used again; if not it has to stay where it is for ever.
///
/// # Safety
/// It is a whole block that was [`took`], and what is in it is nobody's.
#[expect(unsafe_code, reason = "takes the block's pages away")]
pub unsafe fn reclaim(block: *mut u8) -> bool {
    let Some(state) = state(block.addr()) else { return true };
    if state.swap(NOBODYS, Ordering::Relaxed) != LENT {
        return true;
    }
    // SAFETY: as the caller says.
    unsafe { take_pages(block) }
}

/// Says of a block that nobody will write to it until it is given back to the allocator, and not before
/// [`withdraw`] has allowed it. Of what is no whole block this says nothing.
pub fn offer(block: &[u8]) {
    if block.len() == BLOCK
        && block.as_ptr().addr().is_multiple_of(BLOCK)
        && let Some(state) = state(block.as_ptr().addr())
    {
        let _ = state.compare_exchange(TAKEN, OFFERED, Ordering::Relaxed, Ordering::Relaxed);
    }
}

/// Takes that back, of a block whose bytes nobody wants any more. Whether it may be written to; `false`: it has to go back to the
/// allocator. One that was lent has new pages from then on, all zeros: what was on them stays the kernel's.
#[expect(unsafe_code, reason = "takes the block's pages away")]
pub fn withdraw(block: &mut [u8]) -> bool {
    let Some(state) = state(block.as_ptr().addr()) else { return true };
    let _ = state.compare_exchange(OFFERED, TAKEN, Ordering::Relaxed, Ordering::Relaxed);
    if state.load(Ordering::Relaxed) != LENT {
        return true;
    }
    let is_whole = block.len() == BLOCK && block.as_ptr().addr().is_multiple_of(BLOCK);
    // SAFETY: a whole block, of bytes that are the caller's alone; zeros are bytes as well.
    let has_new_pages = is_whole && unsafe { take_pages(block.as_mut_ptr()) };
    if has_new_pages {
        state.store(TAKEN, Ordering::Relaxed);
    }
    has_new_pages
}

/// Gives a block new pages, all zeros.
///
/// # Safety
/// It is a whole block, and what is in it nobody wants.
#[expect(unsafe_code, reason = "takes the block's pages away")]
unsafe fn take_pages(block: *mut u8) -> bool {
    // SAFETY: as the caller says. Private memory reads as new from here on, and the kernel's pages are its own.
    unsafe { libc::madvise(block.cast(), BLOCK, libc::MADV_DONTNEED) == 0 }
}

/// Whether these bytes may be lent: they lie in a block that was offered.
pub fn is_offered(bytes: &[u8]) -> bool {
    of(bytes).is_some_and(|state| state.load(Ordering::Relaxed) >= OFFERED)
}

/// Notes that the kernel is given these bytes to send. `false`: it must not.
#[must_use]
pub fn lend(bytes: &[u8]) -> bool {
    of(bytes).is_some_and(|state| match state.load(Ordering::Relaxed) {
        LENT => true,
        OFFERED => {
            state.store(LENT, Ordering::Relaxed);
            true
        }
        _ => false,
    })
}

/// The block that all of these bytes lie in.
fn of(bytes: &[u8]) -> Option<&'static AtomicU8> {
    let first = bytes.as_ptr().addr();
    let last = first + bytes.len().checked_sub(1)?;
    (first / BLOCK == last / BLOCK).then(|| state(first))?
}

#[cfg(test)]
mod tests;
