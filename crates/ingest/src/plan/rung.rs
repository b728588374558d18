//! One rung: what its encoder is opened with. Pure.

use crate::ffmpeg::VideoSettings;
use crate::plan::{Ladder, Spend};
use grid::FrameRate;
use package::{Codec, Slot};
use serde::{Deserialize, Serialize};

/// One encoder of pictures.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rung {
    /// Its place.
    pub slot: Slot,
    /// How it is encoded.
    pub settings: VideoSettings,
}

impl Rung {
    /// The rung in `slot` for a lesson of `rate`, spending what `spend` says.
    pub fn new(slot: Slot, ladder: &Ladder, rate: FrameRate, spend: Spend) -> Self {
        // A whole number of pictures at every rate of the grid: the ladder checked that.
        let gop_ms = u32::try_from(ladder.gop.0.as_millis()).unwrap_or(4_800);
        let thinning = thinned(rate, gop_ms, spend.thinning);
        let gop = rate.per_second() * gop_ms / 1_000 / thinning;
        let (options, threads) = match slot.codec() {
            Codec::H264 => x264(slot, ladder, gop, spend.crf),
            Codec::Av1 => svt_av1(slot, ladder, spend.crf),
        };
        Self {
            slot,
            settings: VideoSettings {
                codec: slot.codec(),
                width: slot.width(),
                height: slot.height(),
                rate: rate.per_second(),
                thinning,
                gop,
                threads,
                options: options.into_iter().map(|(name, value)| (name.to_owned(), value)).collect(),
            },
        }
    }

    /// Every n-th picture of the lesson is shown; 1: all.
    pub fn thinning(&self) -> u32 {
        self.settings.thinning
    }

    /// Pictures a second, in thousandths, as FRAME-RATE has them.
    pub fn thousandths(&self) -> u32 {
        self.settings.rate * 1_000 / self.settings.thinning
    }
}

/// The most that `wanted` of 25 or 30 pictures a second can be thinned at `rate`, so that a GOP stays whole. At 50 and
/// 60 twice as many are left out.
fn thinned(rate: FrameRate, gop_ms: u32, wanted: u32) -> u32 {
    let pictures = rate.per_second() * gop_ms / 1_000;
    let doubled = if wanted > 1 && rate.per_second() > 30 { wanted * 2 } else { wanted };
    (1..=doubled.max(1)).rev().find(|&by| pictures.is_multiple_of(by)).unwrap_or(1)
}

type Options = Vec<(&'static str, String)>;

fn x264(slot: Slot, ladder: &Ladder, gop: u32, crf: f64) -> (Options, u32) {
    let recipe = ladder.h264(slot);
    // keyint = min-keyint and no scene cuts: an IDR at every GOP and nowhere else, so all rungs cut alike. Closed GOPs,
    // a constant rate, and headers that fit together when a lesson is encoded in pieces.
    let grid = format!("keyint={gop}:min-keyint={gop}:scenecut=0:open-gop=0:force-cfr=1:stitchable=1");
    let mut options = vec![
        ("preset", recipe.preset.as_str().to_owned()),
        ("profile", recipe.profile.as_str().to_owned()),
        ("crf", crf.to_string()),
        ("maxrate", recipe.maxrate.0.to_string()),
        ("bufsize", recipe.buffer_bits().to_string()),
        ("forced-idr", "1".to_owned()),
        ("x264-params", grid),
    ];
    if let Some(tune) = recipe.tune.as_str() {
        options.push(("tune", tune.to_owned()));
    }
    (options, recipe.threads)
}

fn svt_av1(slot: Slot, ladder: &Ladder, crf: f64) -> (Options, u32) {
    let recipe = ladder.av1(slot);
    // Key frames where gop_size says and nowhere else: no scene changes, refresh by closed GOPs. `lp` fixes the threads
    // and `pin` leaves them to the system.
    let own = format!("scd=0:irefresh-type=2:lp={}:pin=0:{}", recipe.threads, recipe.parameters);
    let options = vec![
        ("preset", recipe.preset.to_string()),
        ("crf", crf.to_string()),
        ("maxrate", recipe.maxrate.0.to_string()),
        ("bufsize", recipe.buffer_bits().to_string()),
        ("svtav1-params", own.trim_end_matches(':').to_owned()),
    ];
    (options, recipe.threads)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thinning_leaves_whole_gops_and_about_the_same_rate_everywhere() {
        for (rate, gop_ms, wanted, thinning) in [
            (FrameRate::Fps25, 4_800, 1, 1),
            (FrameRate::Fps25, 4_800, 4, 4),
            (FrameRate::Fps30, 4_800, 4, 4),
            (FrameRate::Fps50, 4_800, 4, 8),
            (FrameRate::Fps60, 4_800, 2, 4),
            (FrameRate::Fps50, 4_800, 1, 1),
            (FrameRate::Fps25, 4_800, 7, 6),
            (FrameRate::Fps25, 1_600, 3, 2),
        ] {
            assert_eq!(thinned(rate, gop_ms, wanted), thinning, "{rate:?} {gop_ms} {wanted}");
        }
    }

    #[test]
    fn a_thinned_rung_has_fewer_pictures_in_each_gop_and_says_its_rate() {
        let ladder = Ladder::shipped().unwrap();
        let rung = Rung::new(Slot::S0, &ladder, FrameRate::Fps25, Spend { crf: 26.0, thinning: 4 });
        assert_eq!((rung.settings.gop, rung.thinning(), rung.thousandths()), (30, 4, 6_250));
        let grid = rung.settings.options.iter().find(|(name, _)| name == "x264-params").unwrap();
        assert!(grid.1.starts_with("keyint=30:min-keyint=30:"), "{}", grid.1);
    }

    #[test]
    fn av1_has_its_own_options_and_the_same_gop() {
        let ladder = Ladder::shipped().unwrap();
        let rung = Rung::new(Slot::A5, &ladder, FrameRate::Fps25, Spend { crf: 40.0, thinning: 1 });
        assert_eq!((rung.settings.codec, rung.settings.gop), (Codec::Av1, 120));
        assert!(rung.settings.options.iter().any(|(name, value)| name == "crf" && value == "40"));
    }
}
