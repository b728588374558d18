use super::*;
use faults::Fault;

#[test]
fn the_shipped_ladder_is_valid_and_s0_stays_within_apples_limit() {
    let ladder = Ladder::shipped().unwrap();
    // Apple 9.21: at most 192 kbit/s with sound. A segment's worst case is its own rate and one full buffer;
    // boxes take about 16 bytes a picture and 8 a sound frame.
    let s0 = ladder.h264(Slot::S0);
    let worst = s0.maxrate.0 + s0.buffer_bits() * 1_000 / grid::SEGMENT_MS;
    let boxes = (288 * 16 + 225 * 8 + 400) * 8 * 1_000 / grid::SEGMENT_MS;
    let sound = ladder.sound(AudioSlot::Lo).0 * 11 / 10;
    assert!(worst + boxes + sound <= 192_000, "{worst} + {boxes} + {sound}");
    // No old phone decodes more.
    assert_eq!(s0.profile, Profile::Baseline);
}

#[test]
fn unknown_keys_and_impossible_values_are_refused_by_name() {
    for (from, to, said) in [
        ("[audio]", "colour = 1\n[audio]", "colour"),
        ("gop = \"4.8s\"", "gop = \"2s\"", "gop"),
        ("gop = \"4.8s\"", "gop = \"9.6s\"", "gop"),
        ("loudness = \"-18LUFS\"", "loudness = \"-6LUFS\"", "audio.loudness"),
        ("loudness = \"-18LUFS\"", "loudness = \"-18dB\"", "-18dB"),
        ("true_peak = \"-1dBTP\"", "true_peak = \"1dBTP\"", "audio.true_peak"),
        ("max_boost = \"15dB\"", "max_boost = \"-1dB\"", "audio.max_boost"),
        ("threads = 1", "threads = 0", "threads"),
        ("[video.s3]", "[video.s9]", "s9"),
        ("profile = \"baseline\"", "profile = \"basic\"", "basic"),
    ] {
        let text = SHIPPED.replacen(from, to, 1);
        assert_ne!(text, SHIPPED, "{from} is in the shipped ladder");
        let error = Ladder::parse(&text, Path::new("mine.toml")).unwrap_err();
        assert!(error.to_string().contains(said), "{to}: {error}");
        assert!(error.code().starts_with("CONFIG_"));
    }
}

#[test]
fn whatever_changes_bytes_changes_the_digest() {
    let ladder = Ladder::shipped().unwrap();
    let mut other = ladder.clone();
    other.video.s3.threads += 1;
    assert_ne!(ladder.digest("zscale"), other.digest("zscale"));
    assert_ne!(ladder.digest("zscale"), ladder.digest("scale"));
    assert_eq!(ladder.digest("zscale"), Ladder::shipped().unwrap().digest("zscale"));
}
