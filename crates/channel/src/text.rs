//! A request's playlist as text, and how long it counts.

use crate::asked::{Asked, Which};
use crate::days::Days;
use crate::programme::Part;
use crate::{live, main_playlist, programme};
use hls::MediaPlaylist;
use jiff::{SignedDuration, Timestamp};
use timetable::AirSegment;

/// How long what a player chooses from counts: the day's, and a plan may change at any time.
const MAIN_COUNTS: SignedDuration = SignedDuration::from_secs(60);
/// How long a programme that is over counts. Nothing is added to it any more.
const WHOLE_COUNTS: SignedDuration = SignedDuration::from_hours(1);

/// What is shown of what was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Shown {
    /// A playlist.
    Playlist(Playlist),
    /// The programme has not begun; it does at this instant.
    Ahead(Timestamp),
}

/// A playlist as it counts for a while.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Playlist {
    /// The text.
    pub text: String,
    /// When it became what it is; the same on every node.
    pub since: Timestamp,
    /// Until when it counts.
    pub until: Timestamp,
}

/// What `asked` is at `now`; `None` when the plans know no such channel or programme, or nothing is on air.
pub fn show(days: &Days, asked: &Asked, now: Timestamp) -> Option<Shown> {
    let air = AirSegment::at(now);
    match (asked.which, asked.programme) {
        (Which::Main, None) => {
            let (plan, channel) = days.channel(asked.channel, air)?;
            let text = main_playlist::playlist(plan, channel)?.render();
            main(text, now)
        }
        (which, None) => {
            let (plan, channel) = days.channel(asked.channel, air)?;
            main_playlist::offers(plan, channel, which).then_some(())?;
            let list = live::playlist(days, asked.channel, which, asked.root(), air)?;
            moving(rendered(&list, asked), air)
        }
        (which, Some((date, item))) => match programme::part(days, asked.channel, date, item, air)? {
            Part::Ahead(begins) => Some(Shown::Ahead(begins)),
            Part::Begun { last, count, over } => match which {
                Which::Main => {
                    let (plan, channel, _) = days.programme(asked.channel, date, item)?;
                    main(main_playlist::playlist(plan, channel)?.render(), now)
                }
                which => {
                    let (plan, channel, _) = days.programme(asked.channel, date, item)?;
                    main_playlist::offers(plan, channel, which).then_some(())?;
                    let part = (last, count, over);
                    let list = programme::playlist(days, asked.channel, which, asked.root(), part)?;
                    let shown = moving(rendered(&list, asked), last)?;
                    if over { lasting(shown, now) } else { Some(shown) }
                }
            },
        },
    }
}

/// What is new of it for who asks for that and may be given it, else all.
fn rendered(list: &MediaPlaylist, asked: &Asked) -> String {
    let update = if asked.update { list.delta() } else { None };
    update.as_ref().unwrap_or(list).render()
}

/// What nothing is added to any more.
fn lasting(shown: Shown, now: Timestamp) -> Option<Shown> {
    match shown {
        Shown::Playlist(list) => {
            Some(Shown::Playlist(Playlist { until: now.checked_add(WHOLE_COUNTS).ok()?, ..list }))
        }
        ahead => Some(ahead),
    }
}

/// It counts while its last segment runs: the next version is there at the instant the next one begins.
fn moving(text: String, last: AirSegment) -> Option<Shown> {
    let (since, until) = (last.starts_at()?, AirSegment(last.0 + 1).starts_at()?);
    Some(Shown::Playlist(Playlist { text, since, until }))
}

/// From minute to minute, so that it has one date on all nodes.
fn main(text: String, now: Timestamp) -> Option<Shown> {
    let minute = MAIN_COUNTS.as_secs();
    let since = Timestamp::from_second(now.as_second().div_euclid(minute) * minute).ok()?;
    Some(Shown::Playlist(Playlist { text, since, until: since.checked_add(MAIN_COUNTS).ok()? }))
}
