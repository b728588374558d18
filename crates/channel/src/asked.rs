//! What a path under `/channels/` asks for.
//!
//! ```text
//! /channels/<channel>/main.m3u8                            what is on air: what there is to choose from
//! /channels/<channel>/<s0…s5|hi|lo>.m3u8                   the last quarter of an hour of it
//! /channels/<channel>/programmes/<date>/<item>/main.m3u8   one programme from its beginning: start-over, catch-up
//! /channels/<channel>/programmes/<date>/<item>/<…>.m3u8
//! ```

use jiff::civil::Date;
use package::{AudioSlot, Rendition, Slot};

/// Where all of it lies.
pub const CHANNELS: &str = "/channels/";

/// The folder of single programmes in a channel's.
const PROGRAMMES: &str = "programmes";
/// The multivariant playlist.
const MAIN: &str = "main";

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Asked<'a> {
    /// The channel's name, as the path spells it.
    pub channel: &'a str,
    /// A programme of it, by its day and its item's name; `None`: what is on air.
    pub programme: Option<(Date, &'a str)>,
    /// Which playlist.
    pub which: Which,
}

/// Which playlist of a channel or programme.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which {
    /// What there is to choose from.
    Main,
    /// The segments of one rendition.
    Media(Rendition),
}

impl<'a> Asked<'a> {
    /// Reads a request's path; `None` when it is none of a channel's.
    pub fn of(path: &'a str) -> Option<Self> {
        let (channel, rest) = path.strip_prefix(CHANNELS)?.split_once('/')?;
        let (programme, name) = match rest.rsplit_once('/') {
            None => (None, rest),
            Some((folder, name)) => {
                let (date, item) = folder.strip_prefix(PROGRAMMES)?.strip_prefix('/')?.split_once('/')?;
                // One spelling of a date, or one programme would have many addresses.
                let read: Date = date.parse().ok().filter(|read: &Date| read.to_string() == date)?;
                (Some((read, item)), name)
            }
        };
        let which = Which::of(name.strip_suffix(".m3u8")?)?;
        let plain = |name: &str| !name.is_empty() && !name.contains('/');
        let sound = plain(channel) && programme.is_none_or(|(_, item)| plain(item));
        sound.then_some(Self { channel, programme, which })
    }
}

impl Which {
    fn of(name: &str) -> Option<Self> {
        if name == MAIN {
            return Some(Self::Main);
        }
        let video = Slot::H264.into_iter().find(|slot| slot.as_str() == name).map(Rendition::Video);
        let sound = || AudioSlot::ALL.into_iter().find(|slot| slot.as_str() == name).map(Rendition::Audio);
        video.or_else(sound).map(Self::Media)
    }
}

/// The playlist of `rendition`, seen from the main one beside it.
pub(crate) fn file(rendition: Rendition) -> String {
    match rendition {
        Rendition::Video(slot) => format!("{slot}.m3u8"),
        Rendition::Audio(slot) => format!("{slot}.m3u8"),
        Rendition::Trick => format!("{rendition}.m3u8"),
    }
}

impl Asked<'_> {
    /// The way from the playlist's folder to the folder of everything.
    pub(crate) const fn root(&self) -> &'static str {
        match self.programme {
            None => "../../",
            Some(_) => "../../../../../",
        }
    }
}
