//! One of a player's two tracks: its playlists, init segments and segments, one after the other over one connection.

use super::{GaveUp, Player, fetch};
use crate::abr::{self, Moment, STARVATION};
use crate::fetch::{Ask, Fetch};
use crate::ladder::Rendition;
use crate::media::{At, Media, Segment};
use crate::outcome::ErrorKind;
use crate::playback::{Room, Track};
use crate::retry::Class;
use http::uri::PathAndQuery;
use std::collections::VecDeque;
use std::rc::Rc;
use tokio::time::{Instant, sleep, sleep_until};

/// What a track has of its renditions.
#[derive(Default)]
struct Lists {
    /// By the rendition's place.
    known: Vec<Option<List>>,
    /// Init segments it has fetched, the latest last.
    inits: VecDeque<PathAndQuery>,
}

/// A media playlist that was fetched.
#[derive(Clone)]
struct List {
    media: Rc<Media>,
    /// When a live one is to be asked for again.
    again: Instant,
}

/// Init segments kept: more than rungs, so that going back to one costs nothing, and not all of a channel's day.
const INITS: usize = 16;

impl Player<'_> {
    /// Keeps the track's buffer filled until all is there that will be watched.
    pub(super) async fn track<F: Fetch>(&self, track: Track, line: &mut F) -> Result<(), GaveUp> {
        let mut lists = Lists::default();
        let mut next = None;
        while self.has_room(track).await {
            let Some(place) = self.choose(track) else { break };
            let list = match lists.get(place) {
                Some(list) => list,
                None => self.load(&mut lists, track, place, line).await?,
            };
            let number = *next.get_or_insert_with(|| list.media.begin());
            match list.media.at(number) {
                // A player goes over it; nothing is downloaded.
                At::Here(segment) if segment.gap => {
                    self.seat.append(track, segment.duration);
                    next = Some(number + 1);
                }
                At::Here(segment) => {
                    self.segment(&mut lists, track, place, &list.media, segment, line).await?;
                    next = Some(number + 1);
                }
                At::Later => {
                    sleep_until(list.again).await;
                    self.load(&mut lists, track, place, line).await?;
                }
                At::Gone => {
                    self.seat.count(|group| group.error(ErrorKind::Behind));
                    next = Some(self.load(&mut lists, track, place, line).await?.media.begin());
                }
                At::End => break,
            }
        }
        self.seat.finish(track);
        Ok(())
    }

    /// Waits until more may be downloaded. False when nothing more will be watched.
    async fn has_room(&self, track: Track) -> bool {
        loop {
            match self.seat.room(track) {
                Room::Now => return true,
                Room::In(wait) => sleep(wait).await,
                Room::Never => return false,
            }
        }
    }

    /// The rendition of the next segment. `None` when there is no such track.
    fn choose(&self, track: Track) -> Option<usize> {
        let current = self.current.get();
        match track {
            Track::Sound => self.rungs()[current].sound,
            Track::Picture => Some(current),
        }
    }

    /// Looks which rung the next picture should have, once one has been measured.
    fn measure(&self, bytes: u64, took: std::time::Duration, segment: &Segment) {
        let speed = self.seat.world().manners.speed;
        let mut line = self.line.borrow_mut();
        line.sample(bytes, took);
        let moment = Moment {
            current: self.current.get(),
            estimate: line.estimate(),
            ahead: self.seat.ahead(Track::Picture).unwrap_or(STARVATION),
            segment: speed.wall(segment.duration),
        };
        // A ladder has six rungs.
        let rates: Vec<u64> = self.rungs().iter().map(|rung| speed.rate(rung.bandwidth)).collect();
        self.current.set(abr::choose(&rates, moment));
    }

    fn rendition(&self, track: Track, place: usize) -> &Rendition {
        match track {
            Track::Picture => &self.rungs()[place].picture,
            Track::Sound => &self.ladder.sounds[place],
        }
    }

    /// Fetches a media playlist, for the first time or again.
    async fn load<F: Fetch>(
        &self,
        lists: &mut Lists,
        track: Track,
        place: usize,
        line: &mut F,
    ) -> Result<List, GaveUp> {
        let world = self.seat.world();
        let path = &self.rendition(track, place).path;
        let asked = Instant::now();
        let ask = Ask { path, range: None, class: Class::Playlist };
        let answer = fetch(self.seat, line, ask, world.names.of("playlists")).await?;
        let media = world.shelf.media(path, answer);
        let media = media.map_err(|kind| self.seat.fails(kind))?;
        let changed = lists.get(place).is_none_or(|known| !Rc::ptr_eq(&known.media, &media));
        let again = asked + world.manners.speed.wall(media.again(changed));
        Ok(lists.put(place, List { media, again }))
    }

    /// Fetches a segment, and in front of it its init segment if that is a new one.
    async fn segment<F: Fetch>(
        &self,
        lists: &mut Lists,
        track: Track,
        place: usize,
        media: &Media,
        segment: &Segment,
        line: &mut F,
    ) -> Result<(), GaveUp> {
        let name = self.seat.world().names.of(&self.rendition(track, place).name);
        if let Some(init) = media.init(segment)
            && !lists.inits.contains(init)
        {
            let ask = Ask { path: init, range: None, class: Class::Media };
            fetch(self.seat, line, ask, name).await?;
            lists.inits.push_back(init.clone());
            if lists.inits.len() > INITS {
                lists.inits.pop_front();
            }
        }
        let ask = Ask { path: &segment.path, range: segment.range, class: Class::Media };
        let answer = fetch(self.seat, line, ask, name).await?;
        self.seat.append(track, segment.duration);
        if track == Track::Picture {
            self.measure(answer.bytes, answer.took, segment);
        }
        Ok(())
    }
}

impl Lists {
    fn get(&self, place: usize) -> Option<List> {
        self.known.get(place).cloned().flatten()
    }

    fn put(&mut self, place: usize, list: List) -> List {
        if self.known.len() <= place {
            self.known.resize(place + 1, None);
        }
        self.known[place] = Some(list.clone());
        list
    }
}
