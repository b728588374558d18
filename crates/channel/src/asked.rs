//! What a path under `/channels/` asks for.
//!
//! ```text
//! /channels/<channel>/main.m3u8                            what is on air: what there is to choose from
//! /channels/<channel>/<s0…s5|hi|lo>.m3u8                   the last quarter of an hour of it
//! /channels/<channel>/<pictures|subs-LANGUAGE>.m3u8        the same, single pictures or text
//! /channels/<channel>/programmes/<date>/<item>/main.m3u8   one programme from its beginning: start-over, catch-up
//! /channels/<channel>/programmes/<date>/<item>/<…>.m3u8
//! ```
//! With `_HLS_skip=YES` behind it: what is new of it (RFC 8216bis §6.2.5.1).

use jiff::civil::Date;
use package::{AudioSlot, Rendition, Slot};
use std::borrow::Cow;

/// Where all of it lies.
pub const CHANNELS: &str = "/channels/";

/// The folder of single programmes in a channel's.
const PROGRAMMES: &str = "programmes";
/// The multivariant playlist.
const MAIN: &str = "main";
/// Single pictures.
const PICTURES: &str = "pictures";
/// Text, in front of its language.
const SUBTITLES: &str = "subs-";
/// The directive for an update, and what it may ask for; updates of date ranges too (`v2`) are answered as others.
const SKIP: &str = "_HLS_skip";
const SKIPS: [&str; 2] = ["YES", "v2"];

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Asked<'a> {
    /// The channel's name, as the path spells it.
    pub channel: &'a str,
    /// A programme of it, by its day and its item's name; `None`: what is on air.
    pub programme: Option<(Date, &'a str)>,
    /// Which playlist.
    pub which: Which<'a>,
    /// Whether who asks has an older version, and wants what is new of it.
    pub update: bool,
}

/// Which playlist of a channel or programme.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which<'a> {
    /// What there is to choose from.
    Main,
    /// The segments of one rendition.
    Media(Rendition),
    /// Single pictures, for quick seeking.
    Pictures,
    /// Text in this language.
    Subtitles(&'a str),
}

impl<'a> Asked<'a> {
    /// Reads a request's path and query; `None` when it is none of a channel's.
    pub fn of(target: &'a str) -> Option<Self> {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let skip =
            |part: &str| part.split_once('=').is_some_and(|(name, how)| name == SKIP && SKIPS.contains(&how));
        let update = query.split('&').any(skip);
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
        sound.then_some(Self { channel, programme, which, update })
    }
}

impl<'a> Which<'a> {
    fn of(name: &'a str) -> Option<Self> {
        match name {
            MAIN => return Some(Self::Main),
            PICTURES => return Some(Self::Pictures),
            _ => {}
        }
        if let Some(language) = name.strip_prefix(SUBTITLES) {
            return (!language.is_empty()).then_some(Self::Subtitles(language));
        }
        let video = Slot::H264.into_iter().find(|slot| slot.as_str() == name).map(Rendition::Video);
        let sound = || AudioSlot::ALL.into_iter().find(|slot| slot.as_str() == name).map(Rendition::Audio);
        video.or_else(sound).map(Self::Media)
    }
}

/// A playlist, seen from the main one beside it.
pub(crate) fn file(which: Which<'_>) -> String {
    match which {
        Which::Main => format!("{MAIN}.m3u8"),
        Which::Media(Rendition::Video(slot)) => format!("{slot}.m3u8"),
        Which::Media(Rendition::Audio(slot)) => format!("{slot}.m3u8"),
        Which::Pictures | Which::Media(Rendition::Trick) => format!("{PICTURES}.m3u8"),
        Which::Subtitles(language) => format!("{SUBTITLES}{language}.m3u8"),
    }
}

impl Asked<'_> {
    /// What stands for all questions that get the same answer: the path, and behind it whether an update is wanted.
    pub(crate) fn name<'t>(&self, target: &'t str) -> Cow<'t, str> {
        let path = target.split('?').next().unwrap_or(target);
        if self.update { Cow::Owned(format!("{path}?{SKIP}")) } else { Cow::Borrowed(path) }
    }

    /// The way from the playlist's folder to the folder of everything.
    pub(crate) const fn root(&self) -> &'static str {
        match self.programme {
            None => "../../",
            Some(_) => "../../../../../",
        }
    }
}
