//! A player's seat: what it sees, and what it will have counted when it leaves.

use super::{GaveUp, World, held};
use crate::outcome::ErrorKind;
use crate::playback::{Playback, Room, Screen, Track};
use crate::tally::{Group, Screens};
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;
use tokio::time::Instant;

/// The seats of a thread, so that all screens can be looked at together.
#[derive(Default)]
pub(crate) struct Seats {
    taken: RefCell<Vec<Option<Rc<RefCell<Playback>>>>>,
    free: RefCell<Vec<usize>>,
}

impl Seats {
    /// What is on the screens now.
    pub(crate) fn look(&self, now: Instant) -> Screens {
        let mut screens = Screens::default();
        for playback in self.taken.borrow().iter().flatten() {
            let mut playback = playback.borrow_mut();
            playback.settle(now);
            match playback.screen() {
                Screen::Starting => screens.starting += 1,
                Screen::Playing => screens.playing += 1,
                Screen::Waiting => screens.waiting += 1,
                Screen::Over => {}
            }
        }
        screens
    }
}

/// One player's. Dropping it counts what was seen.
pub(crate) struct Seat {
    world: Rc<World>,
    place: usize,
    group: usize,
    playback: Rc<RefCell<Playback>>,
    arrived: Instant,
    /// When it was last let in: what a start is measured from.
    begun: Cell<Instant>,
}

impl Seat {
    pub(crate) fn take(world: &Rc<World>, group: usize) -> Self {
        let now = Instant::now();
        let playback = Rc::new(RefCell::new(Playback::new(now, world.manners.speed)));
        let seats = &world.seats;
        let mut taken = seats.taken.borrow_mut();
        let place = seats.free.borrow_mut().pop().unwrap_or_else(|| {
            taken.push(None);
            taken.len() - 1
        });
        taken[place] = Some(Rc::clone(&playback));
        world.tally.borrow_mut().groups[group].arrived += 1;
        Self { world: Rc::clone(world), place, group, playback, arrived: now, begun: Cell::new(now) }
    }

    pub(super) fn world(&self) -> &World {
        &self.world
    }

    /// Counts something in this player's group.
    pub(super) fn count(&self, what: impl FnOnce(&mut Group)) {
        what(&mut self.world.tally.borrow_mut().groups[self.group]);
    }

    /// Counts why this player comes to nothing.
    pub(super) fn fails(&self, kind: ErrorKind) -> GaveUp {
        self.count(|group| group.error(kind));
        GaveUp
    }

    pub(super) fn begin_again(&self) {
        self.begun.set(Instant::now());
    }

    pub(super) fn has_started(&self) -> bool {
        self.playback.borrow().started().is_some()
    }

    pub(super) fn append(&self, track: Track, duration: Duration) {
        self.playback.borrow_mut().append(track, Instant::now(), duration);
    }

    pub(super) fn finish(&self, track: Track) {
        self.playback.borrow_mut().finish(track, Instant::now());
    }

    /// Whether `track` should download on.
    pub(super) fn room(&self, track: Track) -> Room {
        let manners = &self.world.manners;
        self.playback.borrow_mut().room(track, Instant::now(), manners.ahead, manners.watch)
    }

    /// What of `track` lies before the position, by the clock on the wall; `None` while nothing plays.
    pub(super) fn ahead(&self, track: Track) -> Option<Duration> {
        let now = Instant::now();
        let mut playback = self.playback.borrow_mut();
        playback.settle(now);
        let playing = playback.screen() == Screen::Playing;
        playing.then(|| self.world.manners.speed.wall(playback.ahead(track, now)))
    }

    /// How long until all that is there has been shown.
    pub(super) fn rest(&self) -> Duration {
        self.playback.borrow().rest(Instant::now())
    }

    pub(super) fn finished(&self) {
        self.count(|group| group.finished += 1);
    }

    pub(super) fn gave_up(&self) {
        self.count(|group| group.gave_up += 1);
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let now = Instant::now();
        let mut playback = self.playback.borrow_mut();
        playback.settle(now);
        let begun = self.begun.get();
        let held = held(self.arrived, begun);
        self.count(|group| {
            group.leave(&playback, begun, now);
            group.held_ms.extend(held);
        });
        self.world.seats.taken.borrow_mut()[self.place] = None;
        self.world.seats.free.borrow_mut().push(self.place);
    }
}
