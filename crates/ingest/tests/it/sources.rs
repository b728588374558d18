//! Everything teachers have: each becomes whole segments at a rate of the grid.

use crate::clip::{AAC, Bench, H264, pictures, tone};
use crate::lesson::{Published, ingest, ingest_bytes};
use package::Slot;

/// What a source must become.
struct Becomes {
    rate: u32,
    segments: u32,
    top: Slot,
}

fn made(name: &str, options: &str, becomes: &Becomes) -> Published {
    let bench = Bench::new();
    let published = ingest(&bench, &bench.clip(name, options));
    let manifest = published.manifest();
    assert_eq!(manifest.frame_rate.per_second(), becomes.rate, "{name}");
    assert_eq!(manifest.segments.0, becomes.segments, "{name}");
    assert_eq!(published.top(), package::Rendition::Video(becomes.top), "{name}");
    // Slots above the source stand for the highest rung it fills.
    for rung in &manifest.video {
        assert_eq!(rung.alias_of, (rung.slot > becomes.top).then_some(becomes.top), "{name} {}", rung.slot);
    }
    published
}

macro_rules! sources {
    ($($test:ident: $name:literal, $options:expr => $rate:literal, $segments:literal, $top:ident;)*) => {$(
        #[test]
        fn $test() {
            made($name, &$options, &Becomes { rate: $rate, segments: $segments, top: Slot::$top });
        }
    )*};
}

fn clip(size: &str, rate: &str, seconds: &str, rest: &str) -> String {
    format!("{} {} {rest}", pictures(size, rate, seconds), tone(seconds))
}

sources! {
    film_at_24: "a.mp4", clip("320x180", "24", "5", &format!("{H264} {AAC}")) => 25, 2, S0;
    film_at_23_976: "a.mkv", clip("320x180", "24000/1001", "3", &format!("{H264} {AAC}")) => 25, 1, S0;
    camera_at_29_97: "a.mov", clip("416x234", "30000/1001", "4", &format!("{H264} {AAC}")) => 30, 1, S1;
    screen_at_30: "a.mp4", clip("320x180", "30", "4.8", &format!("{H264} {AAC}")) => 30, 1, S0;
    sport_at_50: "a.mp4", clip("320x180", "50", "5", &format!("{H264} {AAC}")) => 50, 2, S0;
    phone_at_60: "a.mp4", clip("320x180", "60", "2", &format!("{H264} {AAC}")) => 60, 1, S0;
    slow_at_10: "a.mp4", clip("320x180", "10", "2", &format!("{H264} {AAC}")) => 25, 1, S0;
    variable_rate: "a.mkv", clip("320x180", "30", "6",
        &format!("-vf select='not(mod(n\\,3))+lt(n\\,40)' -vsync vfr {H264} {AAC}")) => 30, 2, S0;
    transport_stream: "a.ts", clip("320x180", "25", "3", &format!("{H264} {AAC}")) => 25, 1, S0;
    hevc: "a.mp4", clip("320x180", "25", "2", &format!("-c:v libx265 -preset ultrafast -x265-params log-level=none {AAC}")) => 25, 1, S0;
    hevc_ten_bit: "a.mkv", clip("320x180", "25", "2",
        &format!("-c:v libx265 -preset ultrafast -pix_fmt yuv420p10le -x265-params log-level=none {AAC}")) => 25, 1, S0;
    mpeg_2_in_ts: "a.ts", clip("352x288", "25", "2", "-c:v mpeg2video -b:v 2M -c:a mp2") => 25, 1, S1;
    vp9_and_opus: "a.webm", clip("320x180", "25", "2", "-c:v libvpx-vp9 -deadline realtime -cpu-used 8 -c:a libopus") => 25, 1, S0;
    vp8_and_vorbis: "a.webm", clip("320x180", "25", "2", "-c:v libvpx -deadline realtime -c:a libvorbis") => 25, 1, S0;
    av1: "a.mp4", clip("320x180", "25", "1", &format!("-c:v libsvtav1 -preset 12 {AAC}")) => 25, 1, S0;
    mpeg_4_and_mp3: "a.mp4", clip("320x180", "25", "2", "-c:v mpeg4 -q:v 4 -c:a libmp3lame") => 25, 1, S0;
    a_first_sound_of_a_kind_that_is_not_accepted: "a.mkv", clip("320x180", "25", "2",
        &format!("{H264} -map 0:v -map 1:a -map 1:a -c:a:0 dca -strict -2 -c:a:1 aac")) => 25, 1, S0;
    prores_and_pcm: "a.mov", clip("320x180", "25", "1", "-c:v prores_ks -c:a pcm_s16le") => 25, 1, S0;
    full_chroma: "a.mkv", clip("320x180", "25", "2", &format!("-c:v libx264 -preset ultrafast -pix_fmt yuv444p {AAC}")) => 25, 1, S0;
    full_range: "a.mp4", clip("320x180", "25", "2",
        &format!("-vf scale=out_range=full -c:v libx264 -preset ultrafast -pix_fmt yuvj420p -color_range pc {AAC}")) => 25, 1, S0;
    odd_size: "a.mkv", clip("321x181", "25", "2", &format!("-c:v libx264 -preset ultrafast -pix_fmt yuv444p {AAC}")) => 25, 1, S0;
    thumbnail: "a.mp4", clip("96x64", "25", "2", &format!("{H264} {AAC}")) => 25, 1, S0;
    mono: "a.mp4", clip("320x180", "25", "2", &format!("{H264} {AAC} -ac 1 -ar 22050")) => 25, 1, S0;
    surround: "a.mp4", clip("320x180", "25", "2", &format!("{H264} -c:a aac -ac 6")) => 25, 1, S0;
    surround_ac3: "a.ts", clip("320x180", "25", "2", &format!("{H264} -c:a ac3 -ac 6")) => 25, 1, S0;
    exactly_one_segment: "a.mp4", clip("320x180", "25", "4.8", &format!("{H264} {AAC}")) => 25, 1, S0;
    one_picture_more: "a.mp4", clip("320x180", "25", "4.84", &format!("{H264} {AAC}")) => 25, 2, S0;
    interlaced: "a.ts", clip("352x288", "50", "3",
        "-vf tinterlace=interleave_top,fieldorder=tff -c:v mpeg2video -flags +ilme+ildct -b:v 3M -c:a mp2") => 25, 1, S1;
    sound_longer: "a.mp4", format!("{} {} {H264} {AAC}", pictures("320x180", 25, 2), tone(7)) => 25, 2, S0;
    sound_shorter: "a.mp4", format!("{} {} {H264} {AAC}", pictures("320x180", 25, 6), tone(1)) => 25, 2, S0;
    all_slots_of_full_hd: "a.mp4", clip("1920x1080", "25", "1", &format!("{H264} {AAC}")) => 25, 1, S5;
    fragmented: "a.mp4", clip("320x180", "25", "2", &format!("-movflags +frag_keyframe+empty_moov -g 10 {H264} {AAC}")) => 25, 1, S0;
    high_dynamic_range: "a.mp4", clip("640x360", "25", "1",
        &format!("-c:v libx265 -preset ultrafast -pix_fmt yuv420p10le \
                  -x265-params log-level=none:colorprim=bt2020:transfer=arib-std-b67:colormatrix=bt2020nc {AAC}")) => 25, 1, S2;
}

#[test]
fn without_sound_there_is_silence() {
    let bench = Bench::new();
    let file = bench.clip("a.mp4", &format!("{} {H264} -an", pictures("320x180", 25, 2)));
    let published = ingest(&bench, &file);
    assert!(published.said.contains("there is no sound"), "{}", published.said);
    let samples = published.samples(package::Rendition::Audio(package::AudioSlot::Hi));
    assert_eq!(samples.len(), 230_400);
    assert!(samples.iter().all(|sample| sample.abs() < 8));
}

/// Packets that FFmpeg had read to learn about the streams went to the one decoder of sound, whosesoever they were: a lesson
/// in two languages began with both, cut into each other, and a cover was damage.
#[test]
fn other_sound_tracks_and_a_cover_are_left_out_from_the_first_packet_on() {
    let bench = Bench::new();
    let cover = bench.clip("cover.jpg", "-f lavfi -i color=s=64x64 -frames:v 1");
    let (media, silence) = (pictures("320x180", 25, 2), "-f lavfi -i anullsrc=r=48000:d=2");
    // The one that is played speaks, or the other would be taken: what is of the other is a hole.
    let two =
        format!("{media} {silence} {} -map 0 -map 2 -map 1 {H264} {AAC} -disposition:a:0 default", tone(2));
    let covered = format!(
        "{media} {silence} -i {} -map 0 -map 1 -map 2 {H264} {AAC} -c:v:1 mjpeg -disposition:v:1 attached_pic",
        cover.display()
    );
    for (name, options, speaks) in [("two.mkv", two, true), ("covered.mp4", covered, false)] {
        let published = ingest(&bench, &bench.clip(name, &options));
        for wrong in ["damaged", "overlaps"] {
            assert!(!published.said.contains(wrong), "{name}: {}", published.said);
        }
        let samples = published.samples(package::Rendition::Audio(package::AudioSlot::Hi));
        // Of two seconds, without what an encoder makes of their ends.
        let mut heard =
            samples[4_800..90_000].chunks(480).map(|part| part.iter().any(|sample| sample.abs() >= 8));
        assert!(heard.all(|is_heard| is_heard == speaks), "{name}: another track is heard");
    }
}

#[test]
fn the_smallest_rung_stays_small_whatever_it_shows() {
    // The worst there is: noise at the highest rate, and a loud hiss. The check is in every ingest (Apple 9.21).
    let bench = Bench::new();
    let noise = "-f lavfi -i color=gray:s=256x144:r=60:d=10,noise=alls=100:allf=t -f lavfi -i anoisesrc=a=0.9:r=48000:d=10";
    let published =
        ingest(&bench, &bench.clip("a.mp4", &format!("{noise} {H264} -crf 20 -c:a pcm_s16le -f mov")));
    assert_eq!(published.manifest().segments.0, 3);
}

#[test]
fn two_resolutions_in_one_stream_become_one_lesson() {
    let bench = Bench::new();
    let small = bench.clip("1.ts", &clip("320x180", "25", "2", &format!("{H264} {AAC}")));
    let large = bench.clip("2.ts", &clip("640x480", "25", "2", &format!("{H264} {AAC}")));
    let both = [std::fs::read(small).unwrap(), std::fs::read(large).unwrap()].concat();
    assert_eq!(ingest_bytes(&bench, "both.ts", both).manifest().segments.0, 1);
}

#[test]
fn damage_in_the_middle_is_told_and_survived() {
    let bench = Bench::new();
    let file = bench.plain("a.mp4", 8);
    let mut bytes = std::fs::read(&file).unwrap();
    let middle = bytes.len() / 3;
    bytes[middle..middle + 3_000].fill(0x55);
    std::fs::write(&file, bytes).unwrap();
    let published = ingest(&bench, &file);
    assert_eq!(published.manifest().segments.0, 2);
    assert!(published.said.contains("the file is damaged"), "{}", published.said);
}

/// Recorders whose power fails leave zeros, and some that go on writing set room aside: the file was refused as a fault of ours.
#[test]
fn zeros_in_a_transport_stream_and_behind_it_are_passed_over() {
    let bench = Bench::new();
    let whole =
        std::fs::read(bench.clip("a.ts", &clip("320x180", "25", "8", &format!("{H264} {AAC}")))).unwrap();
    let (zeros, half) = (vec![0; 400_000], whole.len() / 2);
    for (name, parts) in [
        ("within.ts", [&whole[..half], zeros.as_slice(), &whole[half..]]),
        ("behind.ts", [whole.as_slice(), zeros.as_slice(), zeros.as_slice()]),
    ] {
        let published = ingest_bytes(&bench, name, parts.concat());
        assert_eq!(published.manifest().segments.0, 2, "{name}");
        assert!(published.said.contains("unreadable stretch"), "{name}: {}", published.said);
    }
}

/// A recorder that crashed leaves parts, the last of them torn: the teacher has no other.
#[test]
fn a_recording_that_breaks_off_is_a_lesson_as_far_as_it_goes() {
    let bench = Bench::new();
    let options = format!(
        "{} {} {H264} -g 50 {AAC} -movflags frag_keyframe+empty_moov",
        pictures("320x180", 25, 12),
        tone(12)
    );
    let whole = std::fs::read(bench.clip("whole.mp4", &options)).unwrap();
    let parts: Vec<_> =
        whole.windows(4).enumerate().filter(|(_, kind)| kind == b"mdat").map(|(at, _)| at).collect();
    // Of the fourth two seconds a thousand bytes came, or not even all of what it consists of.
    for end in [parts[3] + 1_000, parts[3] - 100] {
        let published = ingest_bytes(&bench, "crashed.mp4", &whole[..end]);
        assert_eq!(published.manifest().segments.0, 2, "six seconds");
        assert!(published.said.contains("breaks off (录制中断)"), "{}", published.said);
    }
}

/// Recorders write a track for each socket (camera, teacher, classroom), and the first may be one that nothing is plugged in.
#[test]
fn a_sound_track_on_which_somebody_speaks_is_taken_before_a_silent_one() {
    let bench = Bench::new();
    let silence = "-f lavfi -i anullsrc=r=48000:d=5";
    let inputs = format!("{} {silence} {}", pictures("320x180", 25, 5), tone(5));
    let file = bench.clip(
        "tracks.mov",
        &format!("{inputs} -map 0 -map 1 -map 2 -map 1 {H264} -c:a pcm_s16le -ac 1 -disposition:a default"),
    );
    let published = ingest(&bench, &file);
    assert!(published.said.contains("3 sound tracks"), "{}", published.said);
    assert!(published.said.contains("number 2 is used"), "{}", published.said);
    let samples = published.samples(package::Rendition::Audio(package::AudioSlot::Hi));
    assert!(samples.iter().any(|sample| sample.abs() > 1_000));
}

#[test]
fn what_begins_late_is_told_and_stays_where_it_was_recorded() {
    let bench = Bench::new();
    let late = format!("{} -itsoffset 3 {} {H264} {AAC}", pictures("320x180", 25, 8), tone(5));
    let said = ingest(&bench, &bench.clip("sound.mkv", &late)).said;
    assert!(said.contains("the sound begins 3.0 s late"), "{said}");
    let late = format!("{} -itsoffset 3 {} -map 1 -map 0 {H264} {AAC}", tone(8), pictures("320x180", 25, 5));
    let said = ingest(&bench, &bench.clip("pictures.mkv", &late)).said;
    assert!(said.contains("the pictures begin 3.0 s late"), "{said}");
}

#[test]
fn a_clock_that_jumps_is_mended() {
    let bench = Bench::new();
    let options = clip("320x180", "25", "3", &format!("{H264} {AAC}"));
    let first = bench.clip("1.ts", &options);
    let later = bench.clip("2.ts", &format!("{options} -output_ts_offset 5000"));
    let both = [std::fs::read(first).unwrap(), std::fs::read(later).unwrap()].concat();
    let published = ingest_bytes(&bench, "both.ts", both);
    assert_eq!(published.manifest().segments.0, 2);
    assert!(published.said.contains("clock jumps"), "{}", published.said);
}

/// FFmpeg has numbers of its own for headers of sound that make no sense: the file was refused as a fault of ours.
#[test]
fn sound_that_becomes_another_codec_is_damage() {
    let bench = Bench::new();
    let part = |name: &str, sound: &str| {
        let file = bench.clip(name, &clip("320x180", "25", "3", &format!("{H264} {sound}")));
        std::fs::read(file).unwrap()
    };
    let aac = part("1.ts", AAC);
    for (name, first, second) in [
        ("mp2.ts", &aac, &part("2.ts", "-c:a mp2 -output_ts_offset 3")),
        ("ac3.ts", &part("3.ts", "-c:a ac3"), &aac),
    ] {
        let published = ingest_bytes(&bench, name, [first.as_slice(), second.as_slice()].concat());
        assert_eq!(published.manifest().segments.0, 2, "{name}");
        assert!(published.said.contains("undecodable packet"), "{name}: {}", published.said);
    }
}

/// An opening of some seconds in front of a lesson, as `cat` joins them: the clock goes back by less than it takes to call
/// it a jump, and as much was lost of the lesson.
#[test]
fn what_is_joined_behind_a_short_opening_is_all_there() {
    let bench = Bench::new();
    let part = |name: &str, seconds: &str| {
        let file = bench.clip(name, &clip("320x180", "25", seconds, &format!("{H264} {AAC}")));
        std::fs::read(file).unwrap()
    };
    let published = ingest_bytes(&bench, "both.ts", [part("1.ts", "5"), part("2.ts", "6")].concat());
    assert_eq!(published.manifest().segments.0, 3);
    for wrong in ["overlaps", "damaged"] {
        assert!(!published.said.contains(wrong), "{}", published.said);
    }
    assert!(published.said.contains("clock jumps 1 time;"), "{}", published.said);
}

/// Half of the lesson was missing without a word.
#[test]
fn a_part_in_streams_of_its_own_is_told() {
    let bench = Bench::new();
    let part = |name: &str, more: &str| {
        let file = bench.clip(name, &clip("320x180", "25", "3", &format!("{H264} {AAC} {more}")));
        std::fs::read(file).unwrap()
    };
    let other = part("2.ts", "-mpegts_start_pid 512 -output_ts_offset 3");
    let published = ingest_bytes(&bench, "both.ts", [part("1.ts", ""), other].concat());
    assert!(published.said.contains("2 picture tracks"), "{}", published.said);
}

/// A lesson of six seconds became one of three hours with a picture that stood still, or was refused as cut off or too long.
#[test]
fn wrong_time_stamps_make_no_lesson_of_hours() {
    let bench = Bench::new();
    let usual = bench.clip("a.mp4", &clip("320x180", "25", "6", &format!("{H264} -bf 2 {AAC}")));
    for (name, of, frames, hours) in [
        ("p.mp4", "v", 1, "10800/TB"),
        ("p.mkv", "v", 1, "10800000"),
        ("s.mkv", "a", 1, "10800000"),
        ("some.mkv", "v", 5, "10800000"),
        ("long.mkv", "v", 1, "36000000"),
        ("long-s.mkv", "a", 3, "36000000"),
    ] {
        let is_wrong = format!("gte(N\\,60)*lt(N\\,{})", 60 + frames);
        let stamp = format!("-bsf:{of} setts=pts='if({is_wrong}\\,PTS+{hours}\\,PTS)'");
        let file = bench.clip(name, &format!("-i {} -c copy {stamp}", usual.display()));
        let published = ingest(&bench, &file);
        assert_eq!(published.manifest().segments.0, 2, "{name}");
        // FFmpeg's own guess may miss behind several.
        let wrong = if frames == 1 {
            "1 time stamp in the file is wrong"
        } else {
            "time stamps in the file are wrong"
        };
        assert!(published.said.contains(wrong), "{name}: {}", published.said);
    }
}
