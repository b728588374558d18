//! Segments through the remuxer and back through a receiver.

mod made;
mod reader;

use crate::{RemuxError, Remuxer, START_90KHZ, Tracks};
use made::{PPS, Sample, audio_init, item, picture, segment, video_init, video_init_with};
use proptest::prelude::*;
use reader::Reader;

/// 4.8 s in ticks of pictures and of sound.
const SEGMENT: (u64, u64) = (432_000, 230_400);

/// Pictures at 25 a second as x264 orders them: I, then P before two B pictures that are shown before it.
fn pictures(bytes: impl Fn(usize) -> usize) -> Vec<Sample> {
    let offsets = [0, 7_200, -3_600, -3_600];
    let sample = |index: usize| {
        // The first is shown first; from then on every third is shown two later than decoded.
        let offset = if index == 0 { 0 } else { offsets[(index - 1) % 3 + 1] };
        (3_600, offset, picture(if index == 0 { 0x65 } else { 0x41 }, bytes(index)))
    };
    (0..120).map(sample).collect()
}

fn sound(bytes: impl Fn(usize) -> usize) -> Vec<Sample> {
    (0..225).map(|index| (1_024, 0, vec![7; bytes(index)])).collect()
}

fn remuxer() -> Remuxer {
    Remuxer::new(&video_init(), &audio_init()).unwrap()
}

#[test]
fn a_receiver_gets_every_picture_and_every_sound_frame_at_its_time() {
    let pictures = pictures(|index| if index == 0 { 70_000 } else { index * 37 % 900 });
    let sound = sound(|index| 60 + index % 90);
    let (mut remuxer, mut reader) = (remuxer(), Reader::default());
    let mut last_clock = None;
    for number in 0..3 {
        let (video, audio) = (number * SEGMENT.0, number * SEGMENT.1);
        let bytes = remuxer.segment(&segment(video, &pictures), &segment(audio, &sound)).unwrap();
        let held = reader.read(&bytes);
        assert_eq!(held.video.len(), pictures.len());
        for (index, (pes, sample)) in held.video.iter().zip(&pictures).enumerate() {
            // Two pictures are reordered: 80 ms.
            let decoded = START_90KHZ + video + index as u64 * 3_600;
            assert_eq!(pes.decoded, decoded - 7_200);
            assert_eq!(pes.shown, decoded.checked_add_signed(sample.1.into()).unwrap());
            assert_eq!(pes.random_access, index == 0);
            assert_eq!(pes.payload[..6], *b"\0\0\0\x01\x09\xf0");
            assert!(pes.payload.ends_with(&[&[0, 0, 1][..], &sample.2[4..]].concat()));
            let sets = [b"\0\0\0\x01", made::SPS, b"\0\0\0\x01", made::PPS].concat();
            assert_eq!(pes.payload[6..].starts_with(&sets), index == 0);
        }
        let frames: Vec<u8> = held.audio.iter().flat_map(|pes| pes.payload.clone()).collect();
        assert_eq!(frames.len(), sound.iter().map(|sample| sample.2.len() + 7).sum::<usize>());
        let mut shown = START_90KHZ + number * SEGMENT.0;
        for pes in &held.audio {
            assert_eq!((pes.shown, pes.decoded), (shown, shown));
            let mut rest = &pes.payload[..];
            while let [0xff, 0xf1, _, high, middle, low, ..] = rest {
                let length = u32::from_be_bytes([0, high & 3, *middle, *low]) >> 5;
                rest = &rest[length as usize..];
                shown += 1_920;
            }
            assert!(rest.is_empty());
        }
        // 100 ms from one to the next, also over the boundary; never after what it is the clock of.
        for clock in held.clock {
            assert!(
                last_clock.is_none_or(|last| clock > last && clock - last <= 9_000),
                "{last_clock:?} {clock}"
            );
            last_clock = Some(clock);
        }
        assert!(last_clock.unwrap() < held.video.last().unwrap().decoded);
    }
}

#[test]
fn slow_pictures_still_carry_a_clock() {
    for (rate, sizes) in [(5, 40), (5, 900), (8, 100), (2, 150)] {
        let duration = 90_000 / rate;
        let count = SEGMENT.0 / u64::from(duration);
        let pictures: Vec<Sample> = (0..count)
            .map(|index| (duration, 0, picture(if index == 0 { 0x65 } else { 0x41 }, sizes)))
            .collect();
        let (mut remuxer, mut reader) = (remuxer(), Reader::default());
        let mut clocks = Vec::new();
        for number in 0..2 {
            let video = segment(number * u64::from(duration) * count, &pictures);
            let audio = segment(number * SEGMENT.1, &sound(|_| 85));
            clocks.extend(reader.read(&remuxer.segment(&video, &audio).unwrap()).clock);
        }
        for pair in clocks.windows(2) {
            assert!(pair[1] > pair[0] && pair[1] - pair[0] <= 9_000, "{rate} a second: {pair:?}");
        }
    }
}

#[test]
fn access_units_come_by_themselves_too() {
    let tracks = Tracks::new(&video_init(), &audio_init()).unwrap();
    let made = pictures(|index| index);
    let pictures = tracks.pictures(&segment(SEGMENT.0, &made)).unwrap();
    assert_eq!(pictures.len(), 120);
    assert!(pictures[0].idr && pictures[1..].iter().all(|picture| !picture.idr));
    for (index, (picture, sample)) in pictures.iter().zip(&made).enumerate() {
        assert_eq!(picture.decoded, SEGMENT.0 + index as u64 * 3_600);
        assert_eq!(picture.shown, picture.decoded.checked_add_signed(sample.1.into()).unwrap());
        assert!(picture.bytes.ends_with(&sample.2[4..]));
    }
    let frames = tracks.sound(&segment(SEGMENT.1, &sound(|_| 85))).unwrap();
    assert!(frames.iter().zip(0..).all(|(frame, index)| frame.shown == SEGMENT.0 + index * 1_920));
    assert!(frames.iter().all(|frame| frame.bytes.len() == 92));
}

#[test]
fn the_same_in_gives_the_same_out() {
    let (video, audio) = (segment(0, &pictures(|_| 500)), segment(0, &sound(|_| 85)));
    assert_eq!(remuxer().segment(&video, &audio), remuxer().segment(&video, &audio));
}

#[test]
fn what_does_not_belong_together_is_refused() {
    let (video, audio) = (segment(0, &pictures(|_| 9)), segment(0, &sound(|_| 9)));
    let late = segment(SEGMENT.0, &pictures(|_| 9));
    let early = segment(0, &[(3_600, -7_201, picture(0x65, 9))]);
    let long = segment(0, &[(1_024, 0, vec![0; 8_185])]);
    let torn = segment(0, &[(3_600, 0, vec![0, 0, 0, 9, 1])]);
    for (video, audio, want) in [
        (&late, &audio, RemuxError::Apart { video: SEGMENT.0, audio: 0 }),
        (&early, &audio, RemuxError::ShownTooEarly(0)),
        (&torn, &audio, RemuxError::NalUnits(0)),
        (&video, &long, RemuxError::FrameTooLong(8_192)),
        (&video, &segment(0, &[]), RemuxError::Empty),
        (&Vec::new(), &audio, RemuxError::Empty),
    ] {
        assert_eq!(remuxer().segment(video, audio), Err(want));
    }
    for (video, audio) in [(audio_init(), audio_init()), (video_init(), video_init())] {
        assert!(matches!(Remuxer::new(&video, &audio), Err(RemuxError::SampleEntry { .. })));
    }
}

/// A segment of 64 MiB could be written out thousands of times over.
#[test]
fn what_lies_in_several_samples_is_refused() {
    let sample = picture(0x65, 400);
    let [one, duration] = [1_u32, 3_600].map(u32::to_be_bytes);
    let length = u32::try_from(sample.len()).unwrap().to_be_bytes();
    // The offset of the data, duration and size; two runs of one sample.
    let run = |offset: u32| {
        item(b"trun", &[&[0, 0, 3, 1][..], &one, &offset.to_be_bytes(), &duration, &length].concat())
    };
    let moof = |offset| {
        let head = [item(b"tfhd", &[0, 2, 0, 0, 0, 0, 0, 1]), item(b"tfdt", &[0; 8])].concat();
        item(b"moof", &item(b"traf", &[head, run(offset), run(offset)].concat()))
    };
    let offset = u32::try_from(moof(0).len() + 8).unwrap();
    let video = [moof(offset), item(b"mdat", &sample)].concat();
    let audio = segment(0, &sound(|_| 9));
    assert_eq!(remuxer().segment(&video, &audio), Err(RemuxError::Overlapping(2 * sample.len())));
}

#[test]
fn more_parameter_sets_than_any_encoder_writes_are_refused() {
    let large = [PPS, &[7; 5_000]].concat();
    let refused = RemuxError::Configuration("more parameter sets than any encoder writes");
    assert_eq!(Remuxer::new(&video_init_with(&large), &audio_init()).map(drop), Err(refused));
}

proptest! {
    #[test]
    fn any_sizes_come_through(
        video in prop::collection::vec(0_usize..2_000, 1..60),
        audio in prop::collection::vec(0_usize..700, 1..60),
    ) {
        let pictures: Vec<Sample> = video.iter().map(|&bytes| (3_600, 0, picture(0x65, bytes))).collect();
        let sound: Vec<Sample> = audio.iter().map(|&bytes| (1_024, 0, vec![3; bytes])).collect();
        let bytes = remuxer().segment(&segment(0, &pictures), &segment(0, &sound)).unwrap();
        let held = Reader::default().read(&bytes);
        prop_assert_eq!(held.video.len(), pictures.len());
        for (pes, sample) in held.video.iter().zip(&pictures) {
            prop_assert!(pes.payload.ends_with(&sample.2[4..]));
        }
        let frames: usize = held.audio.iter().map(|pes| pes.payload.len()).sum();
        prop_assert_eq!(frames, audio.iter().map(|bytes| bytes + 7).sum::<usize>());
    }

    #[test]
    fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = Remuxer::new(&bytes, &bytes);
        let _ = remuxer().segment(&bytes, &bytes);
    }

    #[test]
    fn no_scratch_makes_it_panic(which in 0..4_usize, at in any::<prop::sample::Index>(), by in any::<u8>()) {
        let mut parts =
            [video_init(), audio_init(), segment(0, &pictures(|_| 20)), segment(0, &sound(|_| 20))];
        let place = at.index(parts[which].len());
        parts[which][place] = by;
        let [video_init, audio_init, video, audio] = parts;
        if let Ok(mut remuxer) = Remuxer::new(&video_init, &audio_init)
            && let Ok(bytes) = remuxer.segment(&video, &audio)
        {
            prop_assert!(bytes.len().is_multiple_of(188));
        }
    }
}
