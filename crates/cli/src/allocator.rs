//! Whose memory this is: jemalloc's.
//!
//! An edge's connections take 8 and 16 KiB buffers when they are active and give them back when they are parked, each
//! time with a few small things left between them. glibc's heap then keeps all of it: 12.7 kB for each of 10,000 parked
//! connections, of which 1.1 kB are in use. jemalloc keeps sizes apart, so that what was given back is whole pages.

use tikv_jemallocator::Jemalloc;

#[global_allocator]
static ALLOCATOR: Jemalloc = Jemalloc;

/// A core that has gone quiet frees nothing any more, so a thread of jemalloc's own gives its pages back, half a second
/// after they were last used: the bell's memory is free before the next item of the timetable.
#[expect(unsafe_code, reason = "jemalloc reads its options from a symbol of this name")]
// SAFETY: the name is jemalloc's alone, and what stands behind it is a pointer to a C string for ever.
#[unsafe(export_name = "_rjem_malloc_conf")]
#[used]
static OPTIONS: &[u8; 84] =
    b"background_thread:true,max_background_threads:1,dirty_decay_ms:500,muzzy_decay_ms:0\0";
