//! What a lesson's own rates cost against a fixed ladder, for the manifest and the report. Pure.

use crate::plan::Plan;
use package::manifest::{Spending, VideoRung};
use package::{Codec, Slot};

/// Bits a second of Apple's fixed ladder for the sizes of ours (HLS Authoring Specification 1.25), smallest first.
pub const FIXED_LADDER: [u64; 6] = [145_000, 365_000, 730_000, 2_000_000, 3_000_000, 6_000_000];

/// Bits a second that the fixed ladder spends on pictures of `slot`'s size.
pub fn fixed_bps(slot: Slot) -> u64 {
    let place = Slot::H264.iter().position(|&h264| h264 == slot.in_h264());
    place.and_then(|place| FIXED_LADDER.get(place)).copied().unwrap_or(0)
}

/// What `slot` was given in `plan`; `None` where nothing was chosen for the lesson.
pub fn spending(plan: &Plan, slot: Slot) -> Option<Spending> {
    let chosen = plan.chosen.iter().find(|chosen| chosen.slot == slot)?;
    let scaled = |value: f64, by: f64| (value.max(0.0) * by).round() as u32;
    Some(Spending {
        crf_hundredths: scaled(chosen.spend.crf, 100.0),
        ssim_hundred_thousandths: chosen.ssim.map(|ssim| scaled(ssim.min(1.0), 100_000.0)),
        fixed_bps: Some(fixed_bps(slot)),
    })
}

/// Bits a second of all H.264 rungs together, and the same rungs of the fixed ladder.
pub fn against_fixed(rungs: &[VideoRung]) -> (u64, u64) {
    let made = rungs.iter().filter(|rung| rung.alias_of.is_none() && rung.slot.codec() == Codec::H264);
    made.fold((0, 0), |(spent, fixed), rung| (spent + rung.average_bps, fixed + fixed_bps(rung.slot)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Ladder;

    #[test]
    fn no_rung_may_cost_more_than_the_fixed_ladder() {
        let ladder = Ladder::shipped().unwrap();
        for slot in Slot::H264 {
            assert!(ladder.h264(slot).maxrate.0 < fixed_bps(slot), "{slot}");
        }
        for slot in Slot::AV1 {
            assert_eq!(fixed_bps(slot), fixed_bps(slot.in_h264()));
            assert!(ladder.av1(slot).maxrate.0 < ladder.h264(slot).maxrate.0, "{slot}");
        }
    }
}
