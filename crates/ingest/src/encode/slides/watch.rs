//! When a slide changed: a large change that lasts, outside of what always moves. Pure.
//!
//! A lesson's picture is cut into 144 blocks. A block that changed in a third of the last looks is *restless* (the
//! camera in its corner, a film that is shown) and not asked. A slide is new when enough of the other blocks differ from
//! the slide shown last, and stood still for two looks, 1.6 s: after a fade, not in it. Pen strokes are too thin for
//! their blocks to count as changed.

use super::look::{BLOCKS, Blocks, Look, Luma};
use std::collections::VecDeque;

/// A block moves when its samples change by more than this from look to look, of 255.
const MOVED: u32 = 6;
/// A block shows something else when it differs by more than this, of 255. Text differs by 20 and more from plain ground,
/// strokes of a pen mostly by less than 14.
const CHANGED: u32 = 16;
/// Blocks that make a slide another one: 9 % of the picture, two lines of text. On the sample lesson writing on a slide
/// changes 8 at most, another slide of the same make 30.
const LARGE: usize = 13;
/// Blocks that may move while a slide stands: a pointer, a hand.
const FEW: usize = 3;
/// Looks that a slide must have stood: 1.6 s.
const STOOD: u32 = 2;
/// Looks that are remembered to tell what is restless: 6.4 s.
const REMEMBERED: usize = 8;
/// Looks from one slide to the next at least, 4.8 s: a bound of 13 pictures a minute.
const APART: u32 = 6;
/// Looks after which the first picture of a chunk is taken as it is: 3.2 s.
const PATIENCE: u32 = 4;
/// Looks after which a picture that never stands still, and is another by now, is taken as it is: 30 s.
const FILM: u32 = 38;

/// Sees one look after another.
#[derive(Debug, Default)]
pub(super) struct Watch {
    before: Option<Luma>,
    moves: VecDeque<Blocks>,
    /// The look since which the picture stands.
    since: u32,
    /// The slide shown last, and from which look on.
    shown: Option<(Luma, u32)>,
}

impl Watch {
    /// Sees look `number`, counted from 0. When it shows a new slide: the look since which that stands.
    pub(super) fn see(&mut self, number: u32, luma: &Luma) -> Option<u32> {
        self.remember(number, luma);
        let stands = number - self.since >= STOOD;
        let Some((shown, from)) = &self.shown else {
            // The first one counts from the beginning, whenever it came to rest.
            if stands || number >= PATIENCE {
                self.shown = Some((luma.clone(), 0));
                return Some(0);
            }
            return None;
        };
        let earliest = from + APART;
        if number < earliest {
            return None;
        }
        let changed = luma.differing(shown, CHANGED);
        let anywhere = changed.iter().filter(|&&changed| changed).count();
        let new = stands && outside(&changed, &self.restless()) >= LARGE;
        let film = number >= from + FILM && anywhere >= LARGE && is_film(&self.restless());
        if !new && !film {
            return None;
        }
        let at = if new { self.since.max(earliest) } else { number };
        self.shown = Some((luma.clone(), at));
        Some(at)
    }

    /// What is kept with a slide that was just found on `luma`.
    pub(super) fn look(&self, luma: &Luma) -> Look {
        Look::new(luma, &self.restless())
    }

    fn remember(&mut self, number: u32, luma: &Luma) {
        if let Some(before) = &self.before {
            let moved = luma.differing(before, MOVED);
            if self.moves.len() == REMEMBERED {
                self.moves.pop_front();
            }
            self.moves.push_back(moved);
            if outside(&moved, &self.restless()) > FEW {
                self.since = number;
            }
        }
        self.before = Some(luma.clone());
    }

    /// Blocks that moved in a third of the remembered looks; twice at least, so that a change is no unrest.
    fn restless(&self) -> Blocks {
        let mut restless = [false; BLOCKS];
        for (block, restless) in restless.iter_mut().enumerate() {
            let moves = self.moves.iter().filter(|moved| moved[block]).count();
            *restless = moves >= 2 && moves * 3 >= self.moves.len();
        }
        restless
    }
}

fn outside(blocks: &Blocks, restless: &Blocks) -> usize {
    blocks.iter().zip(restless).filter(|&(&block, &restless)| block && !restless).count()
}

/// More than a quarter of the picture never rests.
fn is_film(restless: &Blocks) -> bool {
    restless.iter().filter(|&&restless| restless).count() * 4 > BLOCKS
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a look shows, as bands of grey: enough to tell changes apart.
    #[derive(Clone, Copy)]
    enum Shows {
        /// A slide of its own grey.
        Slide(u8),
        /// A slide, and a camera in the corner at the given moment.
        Camera(u8, u8),
        /// A slide with a thin stroke through it.
        Stroke(u8),
        /// Everything moves.
        Film(u8),
    }

    fn luma(shows: Shows) -> Luma {
        let mut rows = vec![[0_u8; 160]; 90];
        let (Shows::Slide(grey) | Shows::Camera(grey, _) | Shows::Stroke(grey) | Shows::Film(grey)) = shows;
        for (at, row) in rows.iter_mut().enumerate() {
            row.fill(grey);
            match shows {
                Shows::Camera(_, moment) if at < 30 => row[120..].fill(moment.wrapping_mul(97)),
                Shows::Stroke(_) if at == 44 => row.fill(grey ^ 0x7f),
                _ => {}
            }
        }
        Luma::of(rows.iter().map(<[u8; 160]>::as_slice))
    }

    fn found(looks: &[Shows]) -> Vec<u32> {
        let mut watch = Watch::default();
        (0..).zip(looks).filter_map(|(number, &shows)| watch.see(number, &luma(shows))).collect()
    }

    fn times(count: u8, shows: impl Fn(u8) -> Shows) -> Vec<Shows> {
        (0..count).map(shows).collect()
    }

    #[test]
    fn a_slide_is_found_when_it_changed_largely_and_for_good() {
        use Shows::{Camera, Film, Slide, Stroke};
        for (looks, want, case) in [
            (times(20, |_| Slide(50)), vec![0], "one slide"),
            ([times(10, |_| Slide(50)), times(10, |_| Slide(200))].concat(), vec![0, 10], "it changes"),
            (
                [times(20, |at| Camera(50, at)), times(20, |at| Camera(200, at))].concat(),
                vec![0, 20],
                "beside a camera",
            ),
            ([times(10, |_| Slide(50)), times(10, |_| Stroke(50))].concat(), vec![0], "a stroke of a pen"),
            (
                [times(10, |_| Slide(50)), times(1, |_| Slide(200)), times(10, |_| Slide(50))].concat(),
                vec![0],
                "a flash",
            ),
            (
                [times(10, |_| Slide(50)), times(5, |at| Slide(60 + at * 30)), times(16, |_| Slide(200))]
                    .concat(),
                vec![0, 11],
                "a fade: from within it on, once it is done",
            ),
            (
                [times(3, |_| Slide(50)), times(20, |_| Slide(200))].concat(),
                vec![0, 6],
                "never more often than every 4.8 s",
            ),
            (times(100, |at| Film(at.wrapping_mul(89))), vec![0, 38, 76], "a film: a picture each 30 s"),
            (times(3, |at| Film(at.wrapping_mul(89))), vec![], "too short to know"),
        ] {
            assert_eq!(found(&looks), want, "{case}");
        }
    }
}
