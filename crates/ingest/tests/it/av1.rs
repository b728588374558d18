//! AV1 beside H.264, and what a lesson's own needs change.

use crate::clip::{AAC, Bench, H264, pictures, tone};
use crate::lesson::{Made, ingest_with, ladder, program};
use package::{Codec, Rendition, Slot};

#[test]
fn av1_rungs_lie_on_the_same_grid_and_say_what_they_are() {
    let bench = Bench::new();
    let config = bench.path("ladder.toml");
    std::fs::write(&config, ladder(Made::Shipped)).unwrap();
    let clip = bench.clip("a.mp4", &format!("{} {} {H264} {AAC}", pictures("960x540", 25, 4), tone(4)));
    // The check of every package looks at boxes, decode times and key pictures of all rungs.
    let published = ingest_with(&bench, &clip, &config);
    let rungs = &published.manifest().video;
    let av1: Vec<_> = rungs.iter().filter(|rung| rung.slot.codec() == Codec::Av1).collect();
    let real: Vec<Slot> = av1.iter().filter(|rung| rung.alias_of.is_none()).map(|rung| rung.slot).collect();
    assert_eq!(real, [Slot::A2, Slot::A3]);
    for rung in &av1 {
        assert!(rung.codecs.starts_with("av01.0.0") && rung.codecs.ends_with("M.08"), "{}", rung.codecs);
        let twin = rungs.iter().find(|twin| twin.slot == rung.slot.in_h264()).unwrap();
        assert!(rung.average_bps < twin.average_bps, "{}: {rung:?} {twin:?}", rung.slot);
    }
    let bytes = |published: &crate::lesson::Published| {
        published.read(&format!("{}/00000.m4s", Rendition::Video(Slot::A2)))
    };
    let first = bytes(&published);
    let again = Bench::new();
    let published = ingest_with(&again, &clip, &config);
    assert_eq!(bytes(&published), first, "the same source and recipe make the same bytes");
}

#[test]
fn a_parameter_that_svt_av1_does_not_know_is_refused() {
    let bench = Bench::new();
    let config = bench.path("ladder.toml");
    std::fs::write(&config, ladder(Made::Shipped).replace("\"scm=", "\"scn=")).unwrap();
    let clip = bench.clip("a.mp4", &format!("{} {H264}", pictures("640x360", 25, 1)));
    let output = program(&bench, &[&clip]).arg("--config").arg(&config).output().unwrap();
    assert_ne!(output.status.code(), Some(0));
}

#[test]
fn slides_that_stand_have_fewer_pictures_in_the_small_rungs() {
    let bench = Bench::new();
    let config = bench.path("ladder.toml");
    // AV1 has all pictures in every size, and costs most of the time.
    let without = ladder(Made::Shipped).replacen("[av1]\nenabled = true", "[av1]\nenabled = false", 1);
    std::fs::write(&config, without).unwrap();
    for (name, source, thinned, rate) in [
        ("still.mp4", "-f lavfi -i smptehdbars=s=640x360:r=25:d=10", [4, 2, 1], "6.250"),
        ("film.mp4", "-f lavfi -i mandelbrot=s=640x360:r=25:end_pts=250", [1, 1, 1], "25.000"),
    ] {
        let clip = bench.clip(name, &format!("{source} -t 10 {H264}"));
        let published = ingest_with(&bench, &clip, &config);
        let rungs: Vec<u32> = published.manifest().video.iter().map(|rung| rung.thinning).collect();
        assert_eq!(rungs[..3], thinned, "{name}");
        let main = String::from_utf8(published.read("main.m3u8")).unwrap();
        let s0 = main.lines().find(|line| line.contains("RESOLUTION=256x144")).unwrap();
        assert!(s0.contains(&format!("FRAME-RATE={rate}")), "{name}: {s0}");
    }
}
