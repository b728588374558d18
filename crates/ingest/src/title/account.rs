//! What a lesson's own rates save, for the manifest and the report. Pure.

use super::activity::Content;
use super::choose::{Chosen, Reason};
use package::Slot;
use serde::{Deserialize, Serialize};

/// Bits a second of Apple's fixed ladder for the sizes of ours (HLS Authoring Specification 1.25), smallest first.
pub const FIXED_LADDER: [u64; 6] = [145_000, 365_000, 730_000, 2_000_000, 3_000_000, 6_000_000];

/// What was spent, rung by rung.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Account {
    /// What kind of lesson it is.
    pub content: Content,
    /// Every rung that was encoded.
    pub rungs: Vec<Line>,
    /// Bits a second of all H.264 rungs together, in thousandths of the same rungs of the fixed ladder.
    pub of_fixed_thousandths: u64,
}

/// One rung.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Line {
    /// Which.
    pub slot: Slot,
    /// Constant quality, in the scale of its encoder.
    pub crf: f64,
    /// Every n-th picture is shown.
    pub thinning: u32,
    /// What decided about the quality.
    pub reason: Reason,
    /// Structural similarity the search expects, in hundred-thousandths.
    pub ssim: Option<u32>,
    /// The same of the worst twentieth of writing.
    pub text: Option<u32>,
    /// Bits a second it took.
    pub bits_per_second: u64,
    /// Bits a second of the fixed ladder in that size.
    pub fixed_bits_per_second: u64,
}

impl Account {
    /// `chosen` and what each rung took in the end.
    pub fn new(content: Content, chosen: &[Chosen], took: impl Fn(Slot) -> u64) -> Self {
        let rungs: Vec<Line> = chosen.iter().map(|chosen| Line::new(chosen, took(chosen.slot))).collect();
        let h264 = || rungs.iter().filter(|line| line.slot == line.slot.in_h264());
        let spent: u64 = h264().map(|line| line.bits_per_second).sum();
        let fixed: u64 = h264().map(|line| line.fixed_bits_per_second).sum();
        Self { content, of_fixed_thousandths: (spent * 1_000).checked_div(fixed).unwrap_or(0), rungs }
    }
}

impl Line {
    fn new(chosen: &Chosen, bits_per_second: u64) -> Self {
        // Five digits: what is measured on a few segments says no more, and integers are the same text everywhere.
        let digits = |likeness: f64| (likeness.clamp(0.0, 1.0) * 100_000.0).round() as u32;
        Self {
            slot: chosen.slot,
            crf: chosen.spend.crf,
            thinning: chosen.spend.thinning,
            reason: chosen.reason,
            ssim: chosen.ssim.map(digits),
            text: chosen.text.map(digits),
            bits_per_second,
            fixed_bits_per_second: fixed(chosen.slot),
        }
    }
}

/// Bits a second of the fixed ladder for pictures of `slot`'s size.
fn fixed(slot: Slot) -> u64 {
    let place = Slot::H264.iter().position(|&h264| h264 == slot.in_h264());
    place.and_then(|place| FIXED_LADDER.get(place)).copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::{Ladder, Spend};

    #[test]
    fn what_is_saved_is_told_against_the_same_sizes_of_the_fixed_ladder() {
        let chosen = |slot: Slot| Chosen {
            slot,
            spend: Spend { crf: 27.5, thinning: 1 },
            reason: Reason::Picture,
            ssim: Some(0.996_234_9),
            text: None,
        };
        let account = Account::new(Content::Camera, &[Slot::S0, Slot::S1, Slot::A3].map(chosen), |slot| {
            if slot == Slot::A3 { 40_000 } else { 25_500 }
        });
        assert_eq!(
            account.of_fixed_thousandths, 100,
            "51 of 510 kbit/s; AV1 comes on top and is not counted"
        );
        assert_eq!(account.rungs[2].fixed_bits_per_second, 2_000_000);
        assert_eq!((account.rungs[0].ssim, account.rungs[0].text), (Some(99_623), None));
    }

    #[test]
    fn no_rung_may_cost_more_than_the_fixed_ladder() {
        let ladder = Ladder::shipped().unwrap();
        for slot in Slot::H264 {
            assert!(ladder.h264(slot).maxrate.0 < fixed(slot), "{slot}");
        }
        for slot in Slot::AV1 {
            assert!(ladder.av1(slot).maxrate.0 < ladder.h264(slot).maxrate.0, "{slot}");
        }
    }
}
