//! CMAF made by hand, the smallest that says everything.

/// One sample: duration, composition offset, bytes.
pub(crate) type Sample = (u32, i32, Vec<u8>);

pub(crate) fn item(kind: &[u8; 4], content: &[u8]) -> Vec<u8> {
    let size = u32::try_from(content.len() + 8).unwrap();
    [&size.to_be_bytes()[..], kind, content].concat()
}

fn track(timescale: u32, entry: &[u8]) -> Vec<u8> {
    let mdhd = [&[0; 12][..], &timescale.to_be_bytes(), &[0; 8]].concat();
    let stsd = item(b"stsd", &[&[0, 0, 0, 0, 0, 0, 0, 1][..], entry].concat());
    let media = [item(b"mdhd", &mdhd), item(b"minf", &item(b"stbl", &stsd))].concat();
    let trex = item(b"trex", &[&[0; 11][..], &[1], &[0; 12]].concat());
    let moov = [item(b"trak", &item(b"mdia", &media)), item(b"mvex", &trex)].concat();
    [item(b"ftyp", b"cmfc\0\0\0\0iso6"), item(b"moov", &moov)].concat()
}

/// x264's, High, 1280x720: two pictures are reordered.
pub(crate) const SPS: &[u8] =
    b"\x67\x64\x00\x1f\xac\xd9\x40\x50\x05\xbb\x01\x10\x00\x00\x03\x00\x10\x00\x00\x03\x03\x20\xf1\x83\x19\x60";
pub(crate) const PPS: &[u8] = b"\x68\xeb\xe3\xcb\x22\xc0";

pub(crate) fn video_init() -> Vec<u8> {
    video_init_with(PPS)
}

/// With another picture parameter set.
pub(crate) fn video_init_with(pps: &[u8]) -> Vec<u8> {
    let length = u16::try_from(pps.len()).unwrap().to_be_bytes();
    let sets = [&[0xe1, 0, 26][..], SPS, &[1], &length, pps].concat();
    let config = item(b"avcC", &[&[1, 0x64, 0, 0x1f, 0xff][..], &sets].concat());
    track(90_000, &item(b"avc1", &[&[0; 78][..], &config].concat()))
}

pub(crate) fn audio_init() -> Vec<u8> {
    let specific = [0x05, 2, 0x11, 0x90];
    let decoder = [&[0x04, 17, 0x40][..], &[0; 12], &specific].concat();
    let stream = [&[0x03, 22, 0, 1, 0][..], &decoder].concat();
    let esds = item(b"esds", &[&[0; 4][..], &stream].concat());
    track(48_000, &item(b"mp4a", &[&[0; 28][..], &esds].concat()))
}

/// One `moof` and `mdat` that begin at `decoded`.
pub(crate) fn segment(decoded: u64, samples: &[Sample]) -> Vec<u8> {
    let tfhd = item(b"tfhd", &[0, 2, 0, 0, 0, 0, 0, 1]);
    let tfdt = item(b"tfdt", &[&[1, 0, 0, 0][..], &decoded.to_be_bytes()].concat());
    let trun = |offset: u32| {
        let mut run = vec![1, 0, 0x0b, 1];
        run.extend_from_slice(&u32::try_from(samples.len()).unwrap().to_be_bytes());
        run.extend_from_slice(&offset.to_be_bytes());
        for (duration, shift, data) in samples {
            run.extend_from_slice(&duration.to_be_bytes());
            run.extend_from_slice(&u32::try_from(data.len()).unwrap().to_be_bytes());
            run.extend_from_slice(&shift.to_be_bytes());
        }
        item(b"trun", &run)
    };
    let moof = |offset| item(b"moof", &item(b"traf", &[tfhd.clone(), tfdt.clone(), trun(offset)].concat()));
    let length = u32::try_from(moof(0).len() + 8).unwrap();
    let data: Vec<u8> = samples.iter().flat_map(|sample| sample.2.clone()).collect();
    [moof(length), item(b"mdat", &data)].concat()
}

/// A picture of one NAL unit of `kind` with `bytes` bytes.
pub(crate) fn picture(kind: u8, bytes: usize) -> Vec<u8> {
    let length = u32::try_from(bytes + 1).unwrap();
    let mut sample = length.to_be_bytes().to_vec();
    sample.push(kind);
    sample.extend((0..bytes).map(|at| u8::try_from(at % 251).unwrap() | 1));
    sample
}
