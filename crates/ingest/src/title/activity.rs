//! What happens on the screen, segment by segment, and what kind of lesson that makes. Pure.

use super::glance::{Glance, Luma, SQUARES};
use grid::FrameRate;
use serde::{Deserialize, Serialize};

/// A glance every so many milliseconds: a hand that writes is seen, and twenty minutes cost a second.
const GLANCE_EVERY_MS: u32 = 200;
/// More squares than this part moving at once (in thousandths) is a change of slide or scene, not movement.
const CHANGE: u32 = 450;
/// Up to this part moving, only strokes and a pointer do.
const STILL: u32 = 25;
/// Up to this part moving, a camera in a corner does; above, it is film.
const CAMERA: u32 = 350;
/// Of all segments so many (in thousandths) may be livelier than what the lesson is called.
const EXCEPTIONS: usize = 50;

/// What happens in one segment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Activity {
    /// How much there is to see: mean difference of neighbours, in sixteenths.
    pub detail: u32,
    /// Mean difference from one glance to the next, changes left out, in sixteenths.
    pub motion: u32,
    /// The part of the screen that usually moves, in thousandths.
    pub moving: u32,
    /// Changes of slide or scene.
    pub changes: u32,
}

/// A kind of lesson, or of segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Content {
    /// Slides that stand; strokes and a pointer at most.
    Still,
    /// Slides, and a camera in a corner.
    Camera,
    /// The whole screen moves.
    Film,
}

impl Activity {
    /// What kind of segment it is.
    pub fn content(self) -> Content {
        match self.moving {
            moving if moving <= STILL => Content::Still,
            moving if moving <= CAMERA => Content::Camera,
            _ => Content::Film,
        }
    }

    /// What it costs to encode, roughly: only good for comparing segments of a lesson.
    pub fn cost(self) -> u32 {
        // What moves is paid for in every picture, what is there and what is new once.
        self.detail * (1 + self.changes) + self.motion * 8
    }
}

impl Content {
    /// What kind of lesson these segments make: the liveliest that more than a few of them are. Without any it is film:
    /// nothing is known, so nothing is saved.
    pub fn of(segments: &[Activity]) -> Self {
        let mut kinds: Vec<Self> = segments.iter().map(|segment| segment.content()).collect();
        kinds.sort_unstable();
        let exceptions = kinds.len() * EXCEPTIONS / 1_000;
        kinds.len().checked_sub(1 + exceptions).and_then(|at| kinds.get(at)).copied().unwrap_or(Self::Film)
    }

    /// As configuration and reports spell it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Still => "still",
            Self::Camera => "camera",
            Self::Film => "film",
        }
    }
}

/// Watches a lesson from beginning to end.
#[derive(Debug)]
pub struct Watch {
    /// Slots from glance to glance.
    every: u64,
    per_segment: u64,
    next: u64,
    before: Option<Glance>,
    /// The last glance differed greatly from the one before it.
    restless: bool,
    now: Segment,
    done: Vec<Activity>,
}

/// What was seen of the segment that is being watched.
#[derive(Debug, Default)]
struct Segment {
    glances: u32,
    detail: u32,
    motion: u32,
    changes: u32,
    /// Squares that moved, of each pair of glances without a change.
    moved: Vec<u32>,
}

impl Watch {
    /// A lesson at `rate`.
    pub fn new(rate: FrameRate) -> Self {
        Self {
            every: u64::from((rate.per_second() * GLANCE_EVERY_MS / 1_000).max(1)),
            per_segment: u64::from(rate.per_segment()),
            next: 0,
            before: None,
            restless: false,
            now: Segment::default(),
            done: Vec::new(),
        }
    }

    /// Whether the picture from `slot` on is worth a glance; the others need not be looked at.
    pub fn wants(&self, slot: u64) -> bool {
        slot >= self.next
    }

    /// Looks at the picture that is shown from `slot` on.
    pub fn look(&mut self, slot: u64, luma: &Luma<'_>) {
        if !self.wants(slot) {
            return;
        }
        // Segments that passed meanwhile showed what was there before.
        let segment = slot / self.per_segment;
        while (self.done.len() as u64) < segment {
            self.end_segment();
        }
        self.next = (slot / self.every + 1) * self.every;
        let glance = Glance::at(luma);
        self.now.glances += 1;
        self.now.detail += glance.detail();
        if let Some(before) = &self.before {
            let difference = glance.differs(before);
            let part = difference.moved * 1_000 / SQUARES as u32;
            // One great difference is a change; one after another is film.
            if part > CHANGE && !self.restless {
                self.now.changes += 1;
            } else {
                self.now.motion += difference.mean;
                self.now.moved.push(part);
            }
            self.restless = part > CHANGE;
        }
        self.before = Some(glance);
    }

    /// What happened in each segment; the lesson has `segments` of them.
    pub fn finish(mut self, segments: u32) -> Vec<Activity> {
        while self.done.len() < segments as usize {
            self.end_segment();
        }
        self.done.truncate(segments as usize);
        self.done
    }

    fn end_segment(&mut self) {
        let Segment { glances, detail, motion, changes, mut moved } = std::mem::take(&mut self.now);
        moved.sort_unstable();
        let held = self.before.as_ref().map_or(0, Glance::detail);
        let pairs = u32::try_from(moved.len()).unwrap_or(u32::MAX);
        self.done.push(Activity {
            detail: detail.checked_div(glances).unwrap_or(held),
            motion: motion.checked_div(pairs).unwrap_or(0),
            // Three of four glances show no more than this.
            moving: moved.get(moved.len() * 3 / 4).copied().unwrap_or(0),
            changes,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WIDTH: usize = 256;
    const HEIGHT: usize = 144;

    /// Watches two segments at 25 pictures a second; `sample` is brightness at (x, y, slot).
    fn watch(sample: impl Fn(usize, usize, u64) -> u8) -> Vec<Activity> {
        let mut watch = Watch::new(FrameRate::Fps25);
        for slot in 0..240 {
            if watch.wants(slot) {
                let bytes: Vec<u8> =
                    (0..WIDTH * HEIGHT).map(|at| sample(at % WIDTH, at / WIDTH, slot)).collect();
                let luma = Luma {
                    bytes: &bytes,
                    stride: WIDTH,
                    step: 1,
                    offset: 0,
                    depth: 8,
                    shift: 0,
                    width: WIDTH,
                    height: HEIGHT,
                };
                watch.look(slot, &luma);
            }
        }
        watch.finish(2)
    }

    fn slide(x: usize, y: usize, number: u64) -> u8 {
        if (x + y * 3 + number as usize * 5).is_multiple_of(7) && y > 40 {
            20
        } else {
            225 - number as u8 * 60
        }
    }

    #[test]
    fn lessons_are_told_apart_by_what_moves() {
        type Sample = Box<dyn Fn(usize, usize, u64) -> u8>;
        let cases: [(Sample, Content, u32, &str); 5] =
            [
                (Box::new(|x, y, _| slide(x, y, 0)), Content::Still, 0, "a slide that stands"),
                (
                    Box::new(|x, y, slot| slide(x, y, slot / 60 % 2)),
                    Content::Still,
                    3,
                    "slides that follow each other",
                ),
                (
                    Box::new(|x, y, slot| if y == 30 && x < slot as usize { 10 } else { slide(x, y, 0) }),
                    Content::Still,
                    0,
                    "a line that is drawn",
                ),
                (
                    Box::new(|x, y, slot| {
                        if x > 190 && y > 95 { (slot as usize * 9 + x * 3) as u8 } else { slide(x, y, 0) }
                    }),
                    Content::Camera,
                    0,
                    "a camera in a corner",
                ),
                (Box::new(|x, y, slot| (slot as usize * 9 + x * 3 + y) as u8), Content::Film, 0, "film"),
            ];
        for (sample, content, changes, case) in cases {
            let segments = watch(sample);
            assert_eq!(Content::of(&segments), content, "{case}: {segments:?}");
            let found: u32 = segments.iter().map(|segment| segment.changes).sum();
            assert!(content == Content::Film || found == changes, "{case}: {segments:?}");
        }
    }

    #[test]
    fn one_slide_held_over_many_segments_is_still() {
        let mut watch = Watch::new(FrameRate::Fps30);
        let bytes = vec![200; 64];
        let luma =
            Luma { bytes: &bytes, stride: 8, step: 1, offset: 0, depth: 8, shift: 0, width: 8, height: 8 };
        watch.look(0, &luma);
        assert_eq!(watch.finish(5), vec![Activity::default(); 5]);
    }

    #[test]
    fn a_few_lively_segments_do_not_make_a_film() {
        let still = Activity::default();
        let film = Activity { moving: 900, ..still };
        for (films, of, content) in [(0, 0, Content::Film), (1, 20, Content::Still), (2, 20, Content::Film)] {
            let segments: Vec<Activity> = (0..of).map(|at| if at < films { film } else { still }).collect();
            assert_eq!(Content::of(&segments), content, "{films} of {of}");
        }
    }
}
