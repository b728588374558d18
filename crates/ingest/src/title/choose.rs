//! From a few tries to what a rung spends. Pure.

use super::activity::Content;
use super::recipe::Recipe;
use crate::plan::{Ladder, Spend};
use crate::title::Tried;
use package::Slot;
use serde::{Deserialize, Serialize};

/// What a rung of this lesson gets, and why.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Chosen {
    /// The rung.
    pub slot: Slot,
    /// What it spends.
    pub spend: Spend,
    /// What decided.
    pub reason: Reason,
    /// Structural similarity to be expected; `None` without a search.
    pub ssim: Option<f64>,
    /// The same of the worst twentieth of writing; `None` without a search, or where nothing is written.
    pub text: Option<f64>,
}

/// What decided about a rung's quality.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// The ladder's own: no search.
    Usual,
    /// Worse would be too unlike the original as a whole.
    Picture,
    /// Worse would be too hard to read.
    Text,
    /// The worst that the recipe allows is good enough.
    Worst,
    /// The best that the recipe allows is not good enough, and it stays with that.
    Best,
}

/// What each of `slots` spends on a lesson of `content`, from what was `tried`.
///
/// Film is not searched: what moves hides what is lost, and its grain would have any number of bits spent on it for a
/// likeness that nobody sees. It gets the ladder's quality and cap.
pub fn choose(slots: &[Slot], ladder: &Ladder, content: Content, tried: &[Tried]) -> Vec<Chosen> {
    slots
        .iter()
        .map(|&slot| {
            let usual = ladder.usual(slot);
            let tries: Vec<&Tried> = tried.iter().filter(|tried| tried.slot == slot).collect();
            let found = match content {
                Content::Film => None,
                Content::Still | Content::Camera => worst_good_enough(&tries, slot, ladder),
            };
            let thinning = thinning(slot, &ladder.title, content);
            match found {
                None => {
                    let spend = Spend { thinning, ..usual };
                    Chosen { slot, spend, reason: Reason::Usual, ssim: None, text: None }
                }
                Some(Found { crf, reason, ssim, text }) => {
                    Chosen { slot, spend: Spend { crf, thinning }, reason, ssim: Some(ssim), text }
                }
            }
        })
        .collect()
}

/// How many pictures `slot` leaves out in a lesson of `content`: every n-th is shown.
pub fn thinning(slot: Slot, recipe: &Recipe, content: Content) -> u32 {
    let thinned = match content {
        Content::Still => recipe.still,
        Content::Camera => recipe.camera,
        Content::Film => return 1,
    };
    match slot {
        Slot::S0 => thinned.s0,
        Slot::S1 => thinned.s1,
        _ => 1,
    }
}

struct Found {
    crf: f64,
    reason: Reason,
    ssim: f64,
    text: Option<f64>,
}

/// The highest CRF of the rung's range that keeps both targets; `None` with fewer than two tries.
fn worst_good_enough(tries: &[&Tried], slot: Slot, ladder: &Ladder) -> Option<Found> {
    let ([best, worst], step) = ladder.range(slot);
    let ssim = Curve::through(tries.iter().map(|tried| (tried.crf, tried.ssim)))?;
    let text = Curve::through(tries.iter().filter_map(|tried| Some((tried.crf, tried.text?))));
    let keep = ladder.h264(slot).keep;
    let by_ssim = ssim.reaches(keep.ssim);
    let by_text = text.as_ref().map_or(f64::INFINITY, |text| text.reaches(keep.text));
    let (highest, reason) =
        if by_text < by_ssim { (by_text, Reason::Text) } else { (by_ssim, Reason::Picture) };
    // Towards better: a step back from what is exactly good enough.
    let stepped = (highest / step).floor() * step;
    let (crf, reason) = if stepped >= worst {
        (worst, Reason::Worst)
    } else if highest < best {
        (best, Reason::Best)
    } else {
        (stepped.max(best), reason)
    };
    Some(Found { crf, reason, ssim: ssim.at(crf), text: text.map(|text| text.at(crf)) })
}

/// Likeness over CRF: what is lost grows by the same factor with every step, so its logarithm is a straight line.
struct Curve {
    /// CRF and logarithm of what is lost, by CRF.
    points: Vec<(f64, f64)>,
}

/// Nothing is ever quite lossless: keeps the logarithm finite.
const LEAST_LOSS: f64 = 1e-6;
/// A curve that falls less than this with a step of CRF says nothing about where it ends.
const LEAST_SLOPE: f64 = 1e-3;

impl Curve {
    /// Through at least two points of different CRF.
    fn through(points: impl Iterator<Item = (f64, f64)>) -> Option<Self> {
        let mut points: Vec<(f64, f64)> =
            points.map(|(crf, likeness)| (crf, (1.0 - likeness).max(LEAST_LOSS).ln())).collect();
        points.sort_by(|a, b| a.0.total_cmp(&b.0));
        points.dedup_by(|a, b| a.0 == b.0);
        (points.len() >= 2).then_some(Self { points })
    }

    /// The neighbours between which `inside` first holds for the upper one, or the last two; and their slope.
    fn piece(&self, inside: impl Fn(&(f64, f64)) -> bool) -> ((f64, f64), f64) {
        let last = self.points.len() - 1;
        let upper = (1..last).find(|&at| inside(&self.points[at])).unwrap_or(last);
        let (from, to) = (self.points[upper - 1], self.points[upper]);
        (from, ((to.1 - from.1) / (to.0 - from.0)).max(LEAST_SLOPE))
    }

    /// The CRF at which likeness falls to `target`; beyond the points as between the nearest two.
    fn reaches(&self, target: f64) -> f64 {
        let loss = (1.0 - target).max(LEAST_LOSS).ln();
        let ((crf, at), slope) = self.piece(|point| point.1 >= loss);
        crf + (loss - at) / slope
    }

    /// Likeness at `crf`.
    fn at(&self, crf: f64) -> f64 {
        let ((from, at), slope) = self.piece(|point| point.0 >= crf);
        1.0 - (at + (crf - from) * slope).exp().min(1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Keep;

    fn tried(slot: Slot, crf: f64, ssim: f64, text: Option<f64>) -> Tried {
        Tried { slot, crf, bits_per_second: 100_000, ssim, text }
    }

    /// A ladder whose targets and range are these, whatever is shipped.
    fn ladder() -> Ladder {
        let mut ladder = Ladder::shipped().unwrap();
        ladder.video.s3.keep = Keep { ssim: 0.996, text: 0.95 };
        ladder.video.s3.range = [20.0, 32.0];
        ladder.video.s3.crf = 23.0;
        ladder.av1.a3.range = [30, 60];
        ladder
    }

    #[test]
    fn the_worst_quality_that_keeps_both_targets_is_chosen() {
        // What is lost doubles every 4 steps of CRF.
        for ((ssim, text), crf, reason, case) in [
            ((0.998, Some(0.99)), 28.0, Reason::Picture, "0.004 is lost four steps further"),
            ((0.998, Some(0.96)), 25.0, Reason::Text, "writing becomes hard to read first: 0.05 at 25.3"),
            ((0.996, Some(0.99)), 24.0, Reason::Picture, "just good enough"),
            ((0.990, Some(0.99)), 20.0, Reason::Best, "the best is not enough"),
            ((0.9995, None), 32.0, Reason::Worst, "nothing is written, and little is lost"),
            ((0.9985, Some(0.999)), 29.5, Reason::Picture, "in half steps, towards better"),
        ] {
            let later = |likeness: f64| 1.0 - (1.0 - likeness) * 2.0;
            let tries = [
                tried(Slot::S3, 24.0, ssim, text),
                tried(Slot::S3, 28.0, later(ssim), text.map(later)),
                tried(Slot::S4, 24.0, 0.5, None),
            ];
            let chosen = choose(&[Slot::S3], &ladder(), Content::Camera, &tries);
            assert_eq!((chosen[0].spend.crf, chosen[0].reason), (crf, reason), "{case}");
        }
    }

    #[test]
    fn av1_moves_in_whole_steps() {
        let tries = [tried(Slot::A3, 40.0, 0.998, None), tried(Slot::A3, 50.0, 0.995, None)];
        let chosen = choose(&[Slot::A3], &ladder(), Content::Still, &tries);
        assert_eq!(chosen[0].spend.crf, 47.0);
        assert!(chosen[0].ssim.unwrap() >= 0.996);
    }

    #[test]
    fn without_two_tries_and_on_film_it_stays_with_the_ladder() {
        let two = [tried(Slot::S3, 24.0, 0.99, None), tried(Slot::S3, 28.0, 0.98, None)];
        for (tries, content) in [(&two[..1], Content::Still), (&[], Content::Camera), (&two, Content::Film)] {
            let chosen = choose(&[Slot::S3], &ladder(), content, tries);
            assert_eq!((chosen[0].spend.crf, chosen[0].reason), (23.0, Reason::Usual), "{content:?}");
        }
    }

    #[test]
    fn tries_that_contradict_each_other_end_within_the_range() {
        // The worse quality came out more like the original: measured on noise.
        let tries = [tried(Slot::S3, 24.0, 0.9955, None), tried(Slot::S3, 28.0, 0.9956, None)];
        let chosen = choose(&[Slot::S3], &ladder(), Content::Still, &tries);
        assert!((20.0..=32.0).contains(&chosen[0].spend.crf), "{chosen:?}");
    }

    #[test]
    fn only_the_small_rungs_leave_pictures_out_and_never_of_film() {
        let recipe = ladder().title;
        for slot in Slot::ALL {
            assert_eq!(thinning(slot, &recipe, Content::Film), 1);
            if !matches!(slot, Slot::S0 | Slot::S1) {
                assert_eq!(thinning(slot, &recipe, Content::Still), 1);
            }
        }
        assert_eq!(thinning(Slot::S0, &recipe, Content::Still), recipe.still.s0);
    }
}
