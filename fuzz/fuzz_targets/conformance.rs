//! Any bytes: the gate's readers of playlists, boxes, pictures, sound and papers end, and do not panic.
#![no_main]

use conformance::{Reader, reads};
use libfuzzer_sys::fuzz_target;

const READERS: [Reader; 8] = [
    Reader::Playlist,
    Reader::Init,
    Reader::Segment,
    Reader::Transport,
    Reader::Av1,
    Reader::Text,
    Reader::Mpd,
    Reader::Jpeg,
];

fuzz_target!(|bytes: &[u8]| {
    // The first byte chooses, so that what is learnt of one form is not spent on another.
    let Some((choice, rest)) = bytes.split_first() else { return };
    reads(READERS[usize::from(*choice) % READERS.len()], rest);
});
