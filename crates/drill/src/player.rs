//! One player, from the multivariant playlist to the last segment.
//!
//! `main playlist → rung → (playlist → init → segments) of picture ∥ sound → buffer → screen`, as hls.js does it: each
//! track over a connection of its own, the buffer filled up to a length ahead and then kept there.

mod seat;
#[cfg(test)]
mod tests;
mod track;

pub(crate) use seat::{Seat, Seats};

use crate::abr::Throughput;
use crate::fetch::{Answer, Ask, Fetch};
use crate::ladder::{Ladder, Rung};
use crate::outcome::{CacheResult, ErrorKind, Hold};
use crate::playback::Track;
use crate::retry::{self, Class, Verdict};
use crate::shelf::Shelf;
use crate::speed::Speed;
use crate::tally::{Name, Names, Tally, millis};
use http::uri::PathAndQuery;
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;
use telemetry::Label;
use tokio::time::{Instant, sleep};

/// How all players of a drill behave.
#[derive(Debug, Clone)]
pub(crate) struct Manners {
    pub(crate) speed: Speed,
    /// Media kept ahead of the position.
    pub(crate) ahead: Duration,
    /// Media each player watches.
    pub(crate) watch: Duration,
    pub(crate) start: StartRung,
    /// No rung with more lines.
    pub(crate) max_height: u32,
    /// How long a player that is put off comes back.
    pub(crate) patience: Duration,
}

/// Where a player starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum StartRung {
    /// As our page does: a picture at once on every line.
    Lowest,
    /// The worst for the nodes.
    Highest,
    /// What a line of so many bits a second carries.
    Line(u64),
}

/// What the players of a thread share.
pub(crate) struct World {
    pub(crate) manners: Manners,
    pub(crate) shelf: Shelf,
    pub(crate) tally: RefCell<Tally>,
    pub(crate) names: Arc<Names>,
    pub(crate) seats: Seats,
}

/// Who a player is.
pub(crate) struct Viewer {
    /// Its bell and node.
    pub(crate) group: usize,
    /// Of the multivariant playlist.
    pub(crate) path: PathAndQuery,
    /// Decodes AV1.
    pub(crate) av1: bool,
}

/// A player that has come to nothing; why stands in the tally.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct GaveUp;

/// The first guess of the line, before the first segment has measured it: our page's, bits a second.
const FIRST_GUESS: u64 = 400_000;

/// Comes, watches, and goes. Dropped at any time, it has counted what it has seen.
pub(crate) async fn watch<F: Fetch>(world: Rc<World>, viewer: Viewer, mut lines: [F; 2]) {
    let seat = Seat::take(&world, viewer.group);
    let watched = async {
        let [first, second] = &mut lines;
        let ladder = main_playlist(&seat, &viewer.path, first).await?;
        let player = Player::new(&seat, ladder, viewer.av1);
        tokio::try_join!(player.track(Track::Picture, first), player.track(Track::Sound, second))?;
        sleep(seat.rest()).await;
        Ok::<(), GaveUp>(())
    };
    match watched.await {
        Ok(()) => seat.finished(),
        Err(GaveUp) => seat.gave_up(),
    }
}

/// A player that knows what it may choose from.
struct Player<'a> {
    seat: &'a Seat,
    ladder: Rc<Ladder>,
    av1: bool,
    /// The rungs that are no higher than it wants.
    offered: usize,
    /// The rung of the segment that was fetched last.
    current: Cell<usize>,
    line: RefCell<Throughput>,
}

impl<'a> Player<'a> {
    fn new(seat: &'a Seat, ladder: Rc<Ladder>, av1: bool) -> Self {
        let manners = &seat.world().manners;
        let rungs = ladder.rungs(av1);
        let offered = Rung::up_to(rungs, manners.max_height);
        let guess = match manners.start {
            StartRung::Line(bits) => bits,
            StartRung::Lowest | StartRung::Highest => manners.speed.rate(FIRST_GUESS),
        };
        let current = match manners.start {
            StartRung::Lowest => 0,
            StartRung::Highest => offered - 1,
            StartRung::Line(bits) => {
                let carried = |rung: &Rung| manners.speed.rate(rung.bandwidth) <= bits;
                rungs[..offered].iter().rposition(carried).unwrap_or(0)
            }
        };
        Self {
            seat,
            av1,
            offered,
            current: Cell::new(current),
            line: RefCell::new(Throughput::new(guess)),
            ladder,
        }
    }

    fn rungs(&self) -> &[Rung] {
        &self.ladder.rungs(self.av1)[..self.offered]
    }
}

/// Fetches the multivariant playlist.
async fn main_playlist<F: Fetch>(
    seat: &Seat,
    path: &PathAndQuery,
    line: &mut F,
) -> Result<Rc<Ladder>, GaveUp> {
    let name = seat.world().names.of("playlists");
    let answer = fetch(seat, line, Ask { path, range: None, class: Class::Main }, name).await?;
    let ladder = seat.world().shelf.ladder(path, answer);
    ladder.map_err(|kind| seat.fails(kind))
}

/// Asks until there is an answer to use, as often and as patiently as a player does.
async fn fetch<F: Fetch>(seat: &Seat, line: &mut F, ask: Ask<'_>, name: Name) -> Result<Answer, GaveUp> {
    let begun = Instant::now();
    let mut tries = 0;
    loop {
        seat.count(|group| group.requests += 1);
        let (kind, told) = match line.get(ask).await {
            Err(failure) => {
                seat.count(|group| group.received(name, failure.bytes));
                (failure.kind, None)
            }
            Ok(answer) => {
                let cache: CacheResult = answer.cache;
                seat.count(|group| group.received(name, answer.bytes));
                match retry::judge(answer.status, answer.retry_after, seat.has_started()) {
                    Verdict::Good => {
                        seat.count(|group| group.cache[cache.index()] += 1);
                        return Ok(answer);
                    }
                    Verdict::Held(hold, wait) => {
                        put_off(seat, hold, wait, begun).await?;
                        continue;
                    }
                    Verdict::Bad(kind) => (kind, answer.retry_after),
                }
            }
        };
        tries += 1;
        seat.count(|group| group.error(kind));
        let Some(wait) = retry::wait(ask.class, kind, tries, told) else { return Err(GaveUp) };
        seat.count(|group| group.retries += 1);
        sleep(wait).await;
    }
}

/// Comes back later, if it still wants to. Being put off is no part of starting up: that begins anew.
async fn put_off(seat: &Seat, hold: Hold, wait: Duration, begun: Instant) -> Result<(), GaveUp> {
    seat.count(|group| group.holds[hold.index()] += 1);
    if begun.elapsed() + wait > seat.world().manners.patience {
        return Err(seat.fails(ErrorKind::Patience));
    }
    sleep(wait).await;
    seat.begin_again();
    Ok(())
}

impl World {
    pub(crate) fn new(manners: Manners, groups: usize, names: Arc<Names>) -> Rc<Self> {
        Rc::new(Self {
            manners,
            shelf: Shelf::default(),
            tally: RefCell::new(Tally::new(groups)),
            names,
            seats: Seats::default(),
        })
    }
}

/// How long a player has been put off, to be counted once it is let in or goes.
fn held(arrived: Instant, begun: Instant) -> Option<u32> {
    (begun > arrived).then(|| millis(begun - arrived))
}
