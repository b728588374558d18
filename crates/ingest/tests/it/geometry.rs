//! Where the picture lies: turned, widened, between bars, woven from fields.

use crate::clip::{AAC, Bench, H264, tone};
use crate::lesson::{Published, ingest};
use package::{Rendition, Slot};

/// A white picture with a dark top left quarter.
fn marked(size: &str) -> String {
    format!("-f lavfi -i color=white:s={size}:r=25:d=1,drawbox=w=iw/2:h=ih/2:t=fill:c=black {}", tone(1))
}

/// Whether the samples at these parts of the picture (in hundredths) are dark.
fn dark<const N: usize>(published: &Published, slot: Slot, at: [(usize, usize); N]) -> [bool; N] {
    let (width, height) = (slot.width() as usize, slot.height() as usize);
    let grey = published.grey(Rendition::Video(slot));
    at.map(|(x, y)| grey[y * height / 100 * width + x * width / 100] < 80)
}

const QUARTERS: [(usize, usize); 4] = [(40, 25), (60, 25), (40, 75), (60, 75)];

#[test]
fn every_way_a_phone_is_held() {
    // ISO/IEC 14496-12 6.2.2: a point moves to x' = a x + c y, y' = b x + d y.
    for ([a, b, c, d], dark_quarters) in [
        ([1, 0, 0, 1], [true, false, false, false]),
        ([0, 1, -1, 0], [false, true, false, false]),
        ([-1, 0, 0, -1], [false, false, false, true]),
        ([0, -1, 1, 0], [false, false, true, false]),
        ([-1, 0, 0, 1], [false, true, false, false]),
        ([1, 0, 0, -1], [false, false, true, false]),
        ([0, 1, 1, 0], [true, false, false, false]),
        ([0, -1, -1, 0], [false, false, false, true]),
    ] {
        let bench = Bench::new();
        let plain = bench.clip("a.mp4", &format!("{} {H264} -an", marked("320x320")));
        let mut bytes = std::fs::read(&plain).unwrap();
        let tkhd = bytes.windows(4).position(|four| four == b"tkhd").unwrap() + 4 + 40;
        for (place, value) in [(0, a), (1, b), (3, c), (4, d)] {
            let fixed = (value * 65_536i32).to_be_bytes();
            bytes[tkhd + place * 4..][..4].copy_from_slice(&fixed);
        }
        std::fs::write(&plain, bytes).unwrap();
        let published = ingest(&bench, &plain);
        assert_eq!(dark(&published, Slot::S0, QUARTERS), dark_quarters, "{:?}", [a, b, c, d]);
    }
}

#[test]
fn anamorphic_pal_is_widened_to_the_whole_slot() {
    let bench = Bench::new();
    let options = format!("{} -vf setsar=64/45 {H264} {AAC}", marked("720x576"));
    let published = ingest(&bench, &bench.clip("a.mp4", &options));
    assert_eq!(published.top(), Rendition::Video(Slot::S3));
    // No bars: the edges are white (right) and the mark fills a quarter.
    assert_eq!(
        dark(&published, Slot::S3, [(2, 25), (48, 48), (52, 48), (98, 98)]),
        [true, true, false, false]
    );
}

#[test]
fn four_by_three_lies_between_bars() {
    let bench = Bench::new();
    let published = ingest(&bench, &bench.clip("a.mp4", &format!("{} {H264} {AAC}", marked("640x480"))));
    assert_eq!(published.top(), Rendition::Video(Slot::S2));
    let at = [(5, 75), (95, 75), (20, 25), (20, 75), (80, 75)];
    assert_eq!(dark(&published, Slot::S2, at), [true, true, true, false, false]);
    assert_eq!(dark(&published, Slot::S0, at), [true, true, true, false, false]);
}

#[test]
fn two_fields_become_one_picture_without_combs() {
    let bench = Bench::new();
    // A bar that moves 8 samples a field: woven fields would show it as a comb.
    let bar = "-f lavfi -i color=black:s=352x288:r=50:d=2,geq=lum='if(between(X-mod(8*N,300),0,40),235,16)':cb=128:cr=128";
    let options = format!(
        "{bar} {} -vf tinterlace=interleave_top,setfield=tff -c:v mpeg2video -flags +ilme+ildct -b:v 6M -c:a mp2",
        tone(2)
    );
    let published = ingest(&bench, &bench.clip("a.ts", &options));
    let (width, height) = (256, 144);
    let grey = published.grey(Rendition::Video(Slot::S0));
    let picture = &grey[20 * width * height..][..width * height];
    let at = |x: usize, y: usize| i32::from(picture[y * width + x]);
    // Rows of a comb differ from both neighbours in the same direction.
    let comb = |x: usize, y: usize| {
        let (up, down) = (at(x, y) - at(x, y - 1), at(x, y) - at(x, y + 1));
        up.signum() == down.signum() && up.abs().min(down.abs()) > 40
    };
    let combs =
        (10..height - 10).flat_map(|y| (0..width).map(move |x| (x, y))).filter(|&(x, y)| comb(x, y)).count();
    assert!(combs < 20, "{combs} samples in combs");
}

#[test]
fn full_range_becomes_limited_range() {
    let bench = Bench::new();
    let options = format!(
        "-f lavfi -i color=white:s=320x180:r=25:d=1 {} -vf scale=out_range=full,format=yuvj420p -c:v libx264 -preset ultrafast -color_range pc {AAC}",
        tone(1)
    );
    let published = ingest(&bench, &bench.clip("a.mp4", &options));
    let path = published.joined(Rendition::Video(Slot::S0)).to_str().unwrap();
    let raw =
        crate::clip::ffmpeg(["-i", path, "-frames:v", "1", "-f", "rawvideo", "-pix_fmt", "yuv420p", "-"]);
    let white = raw[256 * 72 + 128];
    assert!((233..=237).contains(&white), "{white}");
}
