//! Whose memory this is: jemalloc's.
//!
//! An edge's connections take 8 and 16 KiB buffers when they are active and give them back when they are parked, each
//! time with a few small things left between them. glibc's heap then keeps all of it: 12.7 kB for each of 10,000 parked
//! connections, of which 1.1 kB are in use. jemalloc keeps sizes apart, so that what was given back is whole pages.
//!
//! What is given back is wiped: a device's word and all that its client said of itself are in nobody's memory once they are
//! answered, in whatever buffer of whichever library they came.

use std::alloc::{GlobalAlloc, Layout};
use tikv_jemallocator::Jemalloc;

/// Bytes of the largest block that is wiped: heads and small bodies come in less, segments in more.
const WIPED: usize = 16 * 1_024;

#[global_allocator]
static ALLOCATOR: Wiping = Wiping;

struct Wiping;

#[expect(unsafe_code, reason = "an allocator's trait is unsafe as a whole")]
// SAFETY: all of it is jemalloc's; a block is written to only between its owner's giving it back and jemalloc's taking it, and
// no further than its layout says.
unsafe impl GlobalAlloc for Wiping {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        unsafe { Jemalloc.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        unsafe { Jemalloc.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        if layout.size() <= WIPED {
            unsafe { block.write_bytes(0, layout.size()) };
        }
        unsafe { Jemalloc.dealloc(block, layout) };
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        if layout.size() > WIPED {
            return unsafe { Jemalloc.realloc(block, layout, size) };
        }
        let moved = unsafe { Jemalloc.alloc(Layout::from_size_align_unchecked(size, layout.align())) };
        if !moved.is_null() {
            unsafe { moved.copy_from_nonoverlapping(block, size.min(layout.size())) };
            unsafe { self.dealloc(block, layout) };
        }
        moved
    }
}

/// A core that has gone quiet frees nothing any more, so a thread of jemalloc's own gives its pages back, half a second
/// after they were last used: the bell's memory is free before the next item of the timetable.
#[expect(unsafe_code, reason = "jemalloc reads its options from a symbol of this name")]
// SAFETY: the name is jemalloc's alone, and what stands behind it is a pointer to a C string for ever.
#[unsafe(export_name = "_rjem_malloc_conf")]
#[used]
static OPTIONS: &[u8; 84] =
    b"background_thread:true,max_background_threads:1,dirty_decay_ms:500,muzzy_decay_ms:0\0";
