//! The filter graphs in FFmpeg's language. Pure.

use crate::ffmpeg::{Colour, PictureShape};
use crate::plan::{Display, Orientation};
use crate::sound::{Gain, Sides};
use package::Slot;
use serde::{Deserialize, Serialize};

/// Which filters this FFmpeg has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Toolbox {
    /// zimg: scales three times as fast as swscale, and the only way from HDR to SDR (with `tonemap`).
    pub zscale: bool,
    /// Compresses brightness that BT.709 cannot show.
    pub tonemap: bool,
}

impl Toolbox {
    /// The scaler's name, part of the recipe: another one gives other bytes.
    pub fn scaler(self) -> &'static str {
        if self.zscale { "zscale" } else { "scale" }
    }
}

/// The graph from decoded pictures of `shape` to the pictures of `slots` (ascending, at least one).
///
/// The picture is brought upright, progressive, into BT.709 and onto the canvas of the largest slot once; the smaller
/// ones are scaled from larger ones, not from the source: two steps down where there are two, so that no picture is
/// scaled more than three times and 2:1, the sharpest ratio, is the usual one.
pub fn pictures(shape: &PictureShape, orientation: Orientation, slots: &[Slot], toolbox: Toolbox) -> String {
    let mut spec = format!("[in]{}", canvas(shape, orientation, slots, toolbox).join(","));
    for (index, slot) in slots.iter().enumerate().rev() {
        let children: Vec<usize> = (0..index).filter(|&child| parent(child, slots.len()) == index).collect();
        if index + 1 < slots.len() {
            spec.push_str(&format!("[c{index}]{}", scale(*slot, toolbox)));
        }
        match children.as_slice() {
            [] => spec.push_str(&format!("[out{index}]")),
            children => {
                let outlets: String = children.iter().map(|child| format!("[c{child}]")).collect();
                spec.push_str(&format!(",split={}[out{index}]{outlets}", children.len() + 1));
            }
        }
        if index > 0 {
            spec.push(';');
        }
    }
    spec
}

/// Two rungs up, or one where there are not two.
fn parent(child: usize, rungs: usize) -> usize {
    (child + 2).min(rungs - 1)
}

fn scale(slot: Slot, toolbox: Toolbox) -> String {
    let (width, height) = (slot.width(), slot.height());
    match toolbox.zscale {
        true => format!("zscale=w={width}:h={height}:filter=bicubic"),
        false => format!("scale=w={width}:h={height}:flags={SWSCALE}"),
    }
}

/// Sharp, and the same bytes on every processor.
const SWSCALE: &str = "bicubic+accurate_rnd+bitexact";

fn canvas(shape: &PictureShape, orientation: Orientation, slots: &[Slot], toolbox: Toolbox) -> Vec<String> {
    let top = slots.last().copied().unwrap_or(Slot::S0);
    let display = Display::of(shape.width, shape.height, shape.sample_aspect, orientation);
    let placed = display.place(top.width(), top.height());
    let mut chain = Vec::new();
    if shape.interlaced {
        // One picture a frame, not a field: 25 a second stay 25. Frames marked progressive pass untouched.
        chain.push("bwdif=mode=send_frame:parity=auto:deint=interlaced".to_owned());
    }
    chain.extend(orientation.filters().iter().map(|&filter| filter.to_owned()));
    let toned = shape.colour.is_high_dynamic_range() && toolbox.zscale && toolbox.tonemap;
    if toned {
        chain.extend(tone_down(shape.colour));
    }
    let (matrix, range) = match toned {
        true => ("bt709", "limited"),
        false => (matrix(shape), if shape.colour.full_range { "full" } else { "limited" }),
    };
    // Does nothing where size, format and colour are right already.
    chain.push(format!(
        "scale=w={}:h={}:flags={SWSCALE}:in_color_matrix={matrix}:in_range={range}:out_color_matrix=bt709:out_range=limited",
        placed.width, placed.height
    ));
    chain.push("format=yuv420p".to_owned());
    if (placed.width, placed.height) != (top.width(), top.height()) {
        chain.push(format!("pad={}:{}:{}:{}:black", top.width(), top.height(), placed.left, placed.top));
    }
    chain.push("setsar=1".to_owned());
    chain.push(
        "setparams=field_mode=prog:range=limited:color_primaries=bt709:color_trc=bt709:colorspace=bt709"
            .to_owned(),
    );
    chain
}

/// PQ or HLG in BT.2020 to BT.709: linear light, smaller gamut, compressed highlights.
fn tone_down(colour: Colour) -> [String; 5] {
    let transfer = if colour.transfer == 18 { "arib-std-b67" } else { "smpte2084" };
    let range = if colour.full_range { "full" } else { "limited" };
    [
        format!("zscale=tin={transfer}:min=2020_ncl:pin=2020:rin={range}:t=linear:npl=100"),
        "format=gbrpf32le".to_owned(),
        "zscale=p=709".to_owned(),
        "tonemap=tonemap=hable:desat=0".to_owned(),
        "zscale=t=709:m=709:r=limited,format=yuv420p".to_owned(),
    ]
}

/// What the numbers mean, in swscale's words. Untold: BT.709 for high definition, BT.601 below, as every player takes it.
fn matrix(shape: &PictureShape) -> &'static str {
    match shape.colour.matrix {
        1 => "bt709",
        4..=6 => "bt601",
        7 => "smpte240m",
        9 | 10 => "bt2020",
        _ if shape.width.min(shape.height) >= 720 => "bt709",
        _ => "bt601",
    }
}

/// The graph from decoded sound to what the encoders get: planar float at 48 kHz, stereo to `[out0]` and mono to
/// `[out1]`, in encoder frames, with `sides` and `gain`.
pub fn sound(sides: Sides, gain: Gain) -> String {
    let mut chain = converted();
    if let Some(filter) = sides.filter() {
        chain.push_str(&format!(",{filter}"));
    }
    if gain.db != 0.0 {
        chain.push_str(&format!(",volume=volume={}dB:precision=float", gain.db));
    }
    if let Some(limit) = gain.limit {
        chain.push_str(&limiter(limit));
    }
    format!(
        "{chain},asplit=2[stereo][both];[both]pan=mono|c0=0.5*c0+0.5*c1,aformat=sample_fmts=fltp:channel_layouts=mono,\
         asetnsamples=n={frame}:p=0[out1];[stereo]asetnsamples=n={frame}:p=0[out0]",
        frame = grid::AAC_FRAME,
    )
}

/// The graph from decoded sound to what is measured before the gain is known: planar float stereo at 48 kHz.
pub fn listening() -> String {
    format!("{},asetnsamples=n=4800:p=0[out0]", converted())
}

/// Planar float stereo at 48 kHz; sample `n` out is time `n`/48,000.
///
/// Sound that starts later gets silence in front, sound from before 0 is cut. The time stamps that arrive here are those
/// of [`crate::sound::Clock`]: smooth, but for true steps. So the resampler may follow them closely: from a sample's
/// length on it stretches, by at most 4 in a thousand (`max_soft_comp`), and what is more than 4 ms off is a step, to be
/// filled with silence or cut at once (`min_hard_comp`). FFmpeg's own defaults let sound drift by 100 ms before
/// it jumps. `swr_flags=res`: a resampler that is made only when it has to stretch forgets where it was.
fn converted() -> String {
    format!(
        "[in]aresample={rate}:async=1:first_pts=0:min_comp=0.00002:max_soft_comp=0.004:comp_duration=1:\
         min_hard_comp=0.004:swr_flags=res,aformat=sample_fmts=fltp:sample_rates={rate}:channel_layouts=stereo",
        rate = grid::AUDIO_RATE,
    )
}

/// Holds peaks below `limit` dBTP: 5 ms ahead, let go within 50 ms, no make-up. At four times the rate, so that
/// peaks between samples are seen.
fn limiter(limit: f64) -> String {
    let rate = grid::AUDIO_RATE;
    format!(
        ",aresample={over},alimiter=limit={level:.6}:attack=5:release=50:level=disabled:latency=1,aresample={rate},\
         aformat=sample_fmts=fltp:sample_rates={rate}:channel_layouts=stereo",
        over = rate * 4,
        level = 10f64.powf(limit / 20.0),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOOLS: Toolbox = Toolbox { zscale: true, tonemap: true };

    fn shape(width: u32, height: u32) -> PictureShape {
        PictureShape {
            width,
            height,
            format: 0,
            sample_aspect: (1, 1),
            interlaced: false,
            colour: Colour { full_range: false, matrix: 1, transfer: 1, primaries: 1 },
        }
    }

    #[test]
    fn every_rung_has_one_outlet_and_a_parent_above() {
        for count in 1..=6 {
            let spec = pictures(&shape(1920, 1080), Orientation::Upright, &Slot::H264[..count], TOOLS);
            for index in 0..count {
                assert_eq!(spec.matches(&format!("[out{index}]")).count(), 1, "{spec}");
                let links = spec.matches(&format!("[c{index}]")).count();
                assert_eq!(links, if index + 1 < count { 2 } else { 0 }, "{spec}");
            }
        }
    }

    #[test]
    fn only_what_a_source_needs_is_in_the_chain() {
        let plain = canvas(&shape(1920, 1080), Orientation::Upright, &Slot::H264, TOOLS).join(",");
        for absent in ["bwdif", "transpose", "tonemap", "pad="] {
            assert!(!plain.contains(absent), "{plain}");
        }
        let mut phone = shape(1920, 1080);
        phone.colour = Colour { full_range: false, matrix: 9, transfer: 18, primaries: 9 };
        let phone = canvas(&phone, Orientation::Clockwise, &Slot::H264, TOOLS).join(",");
        for present in ["transpose=clock", "arib-std-b67", "scale=w=608:h=1080", "pad=1920:1080:656:0:black"]
        {
            assert!(phone.contains(present), "{present} in {phone}");
        }
        let mut disc = shape(720, 576);
        (disc.interlaced, disc.sample_aspect, disc.colour.matrix) = (true, (64, 45), 5);
        let disc = canvas(&disc, Orientation::Upright, &Slot::H264[..4], TOOLS).join(",");
        for present in ["bwdif", "scale=w=960:h=540", "in_color_matrix=bt601"] {
            assert!(disc.contains(present), "{present} in {disc}");
        }
    }
}
