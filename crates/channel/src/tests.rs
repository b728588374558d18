//! A school day on one channel, and the next one.

mod answers;
mod day;
mod sample;
mod windows;

use crate::*;
use sample::{at, days_of, plan};

fn text(days: &Days, path: &str, moment: jiff::Timestamp) -> Option<String> {
    match show(days, &Asked::of(path)?, moment)? {
        Shown::Playlist(list) => Some(list.text),
        Shown::Ahead(_) => None,
    }
}

fn media(days: &Days, path: &str, moment: jiff::Timestamp) -> hls::MediaPlaylist {
    let text = text(days, path, moment).unwrap_or_else(|| panic!("{path} at {moment}"));
    hls::MediaPlaylist::parse(&text).unwrap()
}
