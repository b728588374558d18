//! Whose memory this is: jemalloc's.
//!
//! An edge's connections take 8 and 16 KiB buffers when they are active and give them back when they are parked, each
//! time with a few small things left between them. glibc's heap then keeps all of it: 12.7 kB for each of 10,000 parked
//! connections, of which 1.1 kB are in use. jemalloc keeps sizes apart, so that what was given back is whole pages.
//!
//! What is given back is wiped: a device's word and all that its client said of itself are in nobody's memory once they are
//! answered, in whatever buffer of whichever library they came.
//!
//! Blocks of bodies lie at multiples of their size, and what becomes of their pages is minded ([`lendable`]).

use lendable::BLOCK;
use std::alloc::{GlobalAlloc, Layout};
use tikv_jemallocator::Jemalloc;

/// Bytes of the largest block that is wiped: heads and small bodies come in less, segments in more.
const WIPED: usize = 16 * 1_024;

#[global_allocator]
static ALLOCATOR: Ours = Ours;

struct Ours;

/// Where a block of a body lies is known by its address, so that parts of it are known, too.
fn placed(layout: Layout) -> Layout {
    if layout.size() != BLOCK {
        return layout;
    }
    layout.align_to(BLOCK).unwrap_or(layout)
}

fn noted(block: *mut u8, layout: Layout) -> *mut u8 {
    if layout.size() == BLOCK {
        lendable::took(block);
    }
    block
}

#[expect(unsafe_code, reason = "an allocator's trait is unsafe as a whole")]
// SAFETY: all of it is jemalloc's; a block is written to only between its owner's giving it back and jemalloc's taking it, and
// no further than its layout says. One of a size has the same layout when it comes as when it goes.
unsafe impl GlobalAlloc for Ours {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        noted(unsafe { Jemalloc.alloc(placed(layout)) }, layout)
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        noted(unsafe { Jemalloc.alloc_zeroed(placed(layout)) }, layout)
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        if layout.size() <= WIPED {
            unsafe { block.write_bytes(0, layout.size()) };
        }
        // Where the kernel keeps what it was lent, whoever gets the block next would write into it.
        if layout.size() == BLOCK && !unsafe { lendable::reclaim(block) } {
            return;
        }
        unsafe { Jemalloc.dealloc(block, placed(layout)) };
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        if layout.size() > WIPED && layout.size() != BLOCK && size != BLOCK {
            return unsafe { Jemalloc.realloc(block, layout, size) };
        }
        let moved = unsafe { self.alloc(Layout::from_size_align_unchecked(size, layout.align())) };
        if !moved.is_null() {
            unsafe { moved.copy_from_nonoverlapping(block, size.min(layout.size())) };
            unsafe { self.dealloc(block, layout) };
        }
        moved
    }
}

/// A core that has gone quiet frees nothing any more, so a thread of jemalloc's own gives its pages back, half a second
/// after they were last used: the bell's memory is free before the next item of the timetable.
///
/// No pages of 2 MiB, where a system has them for all memory: a slow reader to whom a piece of one is lent would hold all of it.
#[expect(unsafe_code, reason = "jemalloc reads its options from a symbol of this name")]
// SAFETY: the name is jemalloc's alone, and what stands behind it is a pointer to a C string for ever.
#[unsafe(export_name = "_rjem_malloc_conf")]
#[used]
static OPTIONS: &[u8; 94] =
    b"background_thread:true,max_background_threads:1,dirty_decay_ms:500,muzzy_decay_ms:0,thp:never\0";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_memory_is_in_pages_of_which_a_block_is_a_part() {
        // A system that has them for nobody has no flag for who wants none.
        let enabled =
            std::fs::read_to_string("/sys/kernel/mm/transparent_hugepage/enabled").unwrap_or_default();
        if enabled.is_empty() || enabled.contains("[never]") {
            return;
        }
        let block = vec![1_u8; BLOCK];
        let place = block.as_ptr().addr();
        let smaps = std::fs::read_to_string("/proc/self/smaps").unwrap();
        let is_of_it = |line: &&str| {
            let range = line.split_whitespace().next().and_then(|range| range.split_once('-'));
            let bound = |text| usize::from_str_radix(text, 16);
            range.is_some_and(|(from, to)| {
                bound(from).is_ok_and(|from| from <= place) && bound(to).is_ok_and(|to| place < to)
            })
        };
        let flags =
            smaps.lines().skip_while(|line| !is_of_it(line)).find(|line| line.starts_with("VmFlags:"));
        assert!(flags.unwrap().split_whitespace().any(|flag| flag == "nh"), "{flags:?}");
    }
}
