use super::*;

fn boxed(kind: &[u8; 4], content: &[u8]) -> Vec<u8> {
    let size = u32::try_from(content.len() + 8).unwrap();
    [&size.to_be_bytes(), kind.as_slice(), content].concat()
}

/// A segment of sound: `samples` frames of 2 bytes and `duration` ticks each, from `time`.
fn sound(time: u64, samples: u32, duration: u32) -> Vec<u8> {
    // tfhd: default duration and size.
    let tfhd = [0x0002_0018u32, 1, duration, 2].map(u32::to_be_bytes).concat();
    let tfdt = [&[1, 0, 0, 0], time.to_be_bytes().as_slice()].concat();
    let trun = [0u32, samples].map(u32::to_be_bytes).concat();
    let traf = [boxed(b"tfhd", &tfhd), boxed(b"tfdt", &tfdt), boxed(b"trun", &trun)].concat();
    let mfhd = boxed(b"mfhd", &[0; 8]);
    let moof = boxed(b"moof", &[mfhd, boxed(b"traf", &traf)].concat());
    [moof, boxed(b"mdat", &vec![0; samples as usize * 2])].concat()
}

/// A cutter that has its init section behind it.
fn begun() -> Cutter {
    Cutter { track: Track::sound(2), first: 0, next: 1 }
}

#[test]
fn what_lies_on_the_grid_passes() {
    let mut cutter = begun();
    for number in 1..4 {
        let cut = cutter.cut(sound(u64::from(number) * 230_400, 225, 1_024)).unwrap();
        assert_eq!((cut.number, cut.init), (SegmentNumber(number), None));
    }
}

#[test]
fn a_chunks_pieces_get_their_place_in_the_lesson() {
    let mut cutter = Cutter { track: Track::sound(2), first: 25, next: 26 };
    let cut = cutter.cut(sound(230_400, 225, 1_024)).unwrap();
    assert_eq!(cut.number, SegmentNumber(26));
    assert_eq!(Fragment::parse(&cut.segment, Coding::Aac).unwrap().decode_time, 26 * 230_400);
}

#[test]
fn what_does_not_is_refused() {
    let good = sound(230_400, 225, 1_024);
    let mut two = good.clone();
    two.extend_from_slice(&good);
    let mut long = good.clone();
    long.extend_from_slice(b"\0\0\0\x10free");
    for (bytes, case) in [
        (sound(0, 225, 1_024), "another time"),
        (sound(230_401, 225, 1_024), "a tick late"),
        (sound(230_400, 224, 1_024), "a frame short"),
        (sound(230_400, 226, 1_024), "a frame long"),
        (sound(230_400, 225, 1_023), "frames too short"),
        (two, "two fragments"),
        (long, "a box that does not fit"),
        (good[..good.len() - 1].to_vec(), "data cut off"),
        (boxed(b"mdat", &[0; 450]), "no moof"),
        (Vec::new(), "nothing"),
    ] {
        assert!(begun().cut(bytes).is_err(), "{case}");
    }
    assert_eq!(Cutter::new(Track::sound(2), SegmentNumber(0)).cut(good), Err(CutError::InitPlace(0)));
}

#[test]
fn a_segment_is_as_long_in_every_track() {
    for rate in [FrameRate::Fps25, FrameRate::Fps30, FrameRate::Fps50, FrameRate::Fps60] {
        let track = Track::video(rate, Slot::S3, 1);
        assert_eq!(track.segment_ticks * 1_000, u64::from(track.timescale) * SEGMENT_MS);
        assert_eq!(track.segment_ticks % u64::from(track.segment_samples), 0, "whole ticks a picture");
    }
    assert_eq!(Track::sound(1).segment_ticks, 230_400);
}
