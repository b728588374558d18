//! Slides of chunks into slides of the lesson. Pure.

use super::look::Look;
use serde::{Deserialize, Serialize};

/// As [`super::watch`] has it, for looks, which are blurred. More cautious than there: a slide shown twice costs 40 kB,
/// one that is left out is missed. On the sample lesson writing changes 14 blocks at most, another slide 43.
const CHANGED: u32 = 10;
const LARGE: usize = 18;

/// What is known of a slide beside its picture.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Slide {
    /// Shown from this millisecond of the lesson on.
    pub at_ms: u64,
    /// The first of its chunk, which may be what was shown already.
    pub opens: bool,
    /// What it looked like.
    pub look: Look,
}

/// Tells which slides of chunks, in the lesson's order, are slides of the lesson.
#[derive(Debug, Default)]
pub struct Merger {
    shown: Option<Look>,
}

impl Merger {
    /// Whether the next one is shown; not when it opens a chunk and looks like the one before.
    pub fn keeps(&mut self, slide: &Slide) -> bool {
        let again = slide.opens
            && self.shown.as_ref().is_some_and(|shown| shown.differing(&slide.look, CHANGED) < LARGE);
        if !again {
            self.shown = Some(slide.look.clone());
        }
        !again
    }
}

#[cfg(test)]
mod tests {
    use super::super::look::{BLOCKS, Luma};
    use super::*;

    fn slide(grey: u8, opens: bool, moving: bool) -> Slide {
        let rows = [[grey; 160]; 90];
        let luma = Luma::of(rows.iter().map(<[u8; 160]>::as_slice));
        Slide { at_ms: 0, opens, look: Look::new(&luma, &[moving; BLOCKS]) }
    }

    #[test]
    fn a_chunk_that_opens_with_what_was_shown_adds_nothing() {
        let mut merger = Merger::default();
        for (slide, kept, case) in [
            (slide(10, true, false), true, "the lesson's first"),
            (slide(10, true, false), false, "the next chunk, the same slide"),
            (slide(200, true, false), true, "changed at the boundary"),
            (slide(200, false, false), true, "within a chunk the watch decides"),
            (slide(10, true, true), false, "only what moves differs"),
        ] {
            assert_eq!(merger.keeps(&slide), kept, "{case}");
        }
    }
}
