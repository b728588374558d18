//! Any text: what is read as a playlist is rendered as a playlist, and rendering it again changes nothing.
#![no_main]

use hls::{MediaPlaylist, MultivariantPlaylist};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    if let Ok(playlist) = MediaPlaylist::parse(text) {
        let rendered = playlist.render();
        let again = MediaPlaylist::parse(&rendered).expect("what is rendered can be read");
        assert_eq!(again.render(), rendered);
    }
    if let Ok(playlist) = MultivariantPlaylist::parse(text) {
        let rendered = playlist.render();
        let again = MultivariantPlaylist::parse(&rendered).expect("what is rendered can be read");
        assert_eq!(again.render(), rendered);
    }
});
