//! The frames of an HTTP/3 stream (RFC 9114 §7.1) on their way to h3: what may pass, how large it may be.
//!
//! h3 keeps a frame until all of it has come, of whatever type and length. Here a header section has a bound and passes
//! as one piece, bodies pass as they come, and what has no meaning is dropped byte for byte. Takes bytes, gives bytes.

use super::section::{self, Kind};
use crate::connection::Abuse;
use bytes::{Buf, Bytes, BytesMut};
use h3::error::Code;

/// Types of frames (RFC 9114 §7.2).
mod kind {
    pub(super) const DATA: u64 = 0x0;
    pub(super) const HEADERS: u64 = 0x1;
    pub(super) const CANCEL_PUSH: u64 = 0x3;
    pub(super) const SETTINGS: u64 = 0x4;
    pub(super) const PUSH_PROMISE: u64 = 0x5;
    pub(super) const GOAWAY: u64 = 0x7;
    pub(super) const MAX_PUSH_ID: u64 = 0xd;
    /// How urgent a request is (RFC 9218 §7.2).
    pub(super) const PRIORITY_UPDATE: u64 = 0xf0700;
    /// All that have a meaning somewhere, and those of HTTP/2 that must not be seen at all (RFC 9114 §7.2.8).
    pub(super) const KNOWN: [u64; 11] =
        [DATA, HEADERS, 0x2, CANCEL_PUSH, SETTINGS, PUSH_PROMISE, 0x6, GOAWAY, 0x8, 0x9, MAX_PUSH_ID];
}

/// Types of streams of one direction (RFC 9114 §6.2, RFC 9204 §4.2).
mod one_way {
    pub(super) const CONTROL: u64 = 0x0;
    pub(super) const PUSH: u64 = 0x1;
    pub(super) const ENCODER: u64 = 0x2;
    pub(super) const DECODER: u64 = 0x3;
}

/// All that a client may say of the table that we do not have: that it is empty (RFC 9204 §4.3.1).
const NO_TABLE: u8 = 0x20;
/// Largest frame on a control stream: a dozen settings are a hundred bytes.
const MAX_CONTROL_FRAME: u64 = 1_024;

/// What a client has done wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wrong {
    /// A request that means nothing, or could mean two things: its stream ends (RFC 9114 §4.1.2).
    Malformed,
    /// A header section beyond the bound.
    TooLarge,
    /// What no HTTP/3 client sends: the connection ends.
    Protocol(Code),
    /// Something costly: counted, and the connection ends when it is too much.
    Costly(Abuse),
}

/// What kind of stream it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stream {
    /// A request; how many header sections have come: the request's, then its trailers.
    Request {
        sections: u8,
    },
    /// Of one direction, its type not yet known.
    Unknown,
    /// The largest push that it allows, if it has said so.
    Control {
        max_push: Option<u64>,
    },
    /// QPACK's, of which h3 reads the type and no further.
    Encoder,
    Decoder,
    /// Any other: likewise.
    Other,
}

/// Where in the stream we are.
#[derive(Debug)]
enum At {
    /// In a frame's head, or in a stream's type.
    Head,
    /// In a frame that is kept until it is whole: so much is missing; how long its head is, where it is a header section.
    Whole { missing: usize, section: Option<usize> },
    /// In a body: so much of the frame is left.
    Body(u64),
    /// In something that is dropped.
    Nothing(u64),
}

/// Walks over one stream.
#[derive(Debug)]
pub(super) struct Frames {
    stream: Stream,
    at: At,
    /// The head, or the frame, that is not whole yet.
    part: BytesMut,
    /// Most bytes of a header section.
    limit: usize,
}

impl Frames {
    /// At the beginning of a request's stream. `limit` is for its header section.
    pub(super) fn of_request(limit: usize) -> Self {
        Self { stream: Stream::Request { sections: 0 }, at: At::Head, part: BytesMut::new(), limit }
    }

    /// At the beginning of a stream of one direction.
    pub(super) fn of_one_direction() -> Self {
        Self { stream: Stream::Unknown, at: At::Head, part: BytesMut::new(), limit: 0 }
    }

    /// The next piece that h3 may see, from what has come; `None` when nothing of it is left to look at.
    ///
    /// # Errors
    /// What is wrong. After [`Wrong::Costly`] it may go on.
    pub(super) fn next(&mut self, input: &mut Bytes) -> Result<Option<Bytes>, Wrong> {
        loop {
            if let At::Whole { missing: 0, section } = self.at {
                return self.whole(section).map(Some);
            }
            if input.is_empty() {
                return Ok(None);
            }
            if self.is_of_qpack() {
                self.drop_instructions(input)?;
                continue;
            }
            match &mut self.at {
                At::Whole { missing, .. } => {
                    let taken = (*missing).min(input.len());
                    self.part.extend_from_slice(&input.split_to(taken));
                    *missing -= taken;
                }
                At::Nothing(left) => {
                    let passed = (*left).min(input.len() as u64);
                    input.advance(passed as usize);
                    *left -= passed;
                    if *left == 0 {
                        self.at = At::Head;
                    }
                }
                At::Body(left) => {
                    let passed = (*left).min(input.len() as u64);
                    *left -= passed;
                    if *left == 0 {
                        self.at = At::Head;
                    }
                    return Ok(Some(input.split_to(passed as usize)));
                }
                At::Head if self.stream == Stream::Other => return Ok(Some(input.split_to(input.len()))),
                At::Head => {
                    self.part.extend_from_slice(&input.split_to(1));
                    if let Some(piece) = self.head()? {
                        return Ok(Some(piece));
                    }
                }
            }
        }
    }

    /// Whether the stream may end here. To h3 a DATA frame that is cut short is the end of a body, behind which it fails.
    ///
    /// # Errors
    /// [`Wrong::Protocol`] within a frame (RFC 9114 §7.1), and for QPACK's streams, which never end (RFC 9204 §4.2). A stream
    /// that has no type yet may end (RFC 9114 §6.2).
    pub(super) fn end(&self) -> Result<(), Wrong> {
        if self.is_of_qpack() {
            return Err(Wrong::Protocol(Code::H3_CLOSED_CRITICAL_STREAM));
        }
        let has_frames = matches!(self.stream, Stream::Request { .. } | Stream::Control { .. });
        let is_within = !matches!(self.at, At::Head) || !self.part.is_empty();
        if has_frames && is_within { Err(Wrong::Protocol(Code::H3_FRAME_ERROR)) } else { Ok(()) }
    }

    fn drop_instructions(&self, input: &mut Bytes) -> Result<(), Wrong> {
        if self.stream == Stream::Encoder && input.iter().any(|byte| *byte != NO_TABLE) {
            return Err(Wrong::Protocol(Code::QPACK_ENCODER_STREAM_ERROR));
        }
        input.clear();
        Ok(())
    }

    /// Whether it is one that nobody but us goes on reading.
    pub(super) fn is_of_qpack(&self) -> bool {
        matches!(self.stream, Stream::Encoder | Stream::Decoder)
    }

    /// Passes a frame that is whole; a header section only where it has one meaning, and a limit of pushes only where it does not
    /// take back another (RFC 9114 §7.2.7).
    fn whole(&mut self, section: Option<usize>) -> Result<Bytes, Wrong> {
        self.at = At::Head;
        let frame = self.part.split().freeze();
        if let (Some(begins), Stream::Request { sections }) = (section, &mut self.stream) {
            let kind = if *sections == 0 { Kind::Request } else { Kind::Trailers };
            *sections += 1;
            section::check(&frame[begins..], kind)?;
        }
        if let (Some(limit), Stream::Control { max_push }) = (push_limit(&frame), &mut self.stream)
            && max_push.replace(limit).is_some_and(|before| limit < before)
        {
            return Err(Wrong::Protocol(Code::H3_ID_ERROR));
        }
        Ok(frame)
    }

    /// Looks at what there is of a head; gives it when it may pass.
    fn head(&mut self) -> Result<Option<Bytes>, Wrong> {
        let Some((first, length)) = varint(&self.part) else { return Ok(None) };
        if self.stream == Stream::Unknown {
            self.stream = match first {
                one_way::CONTROL => Stream::Control { max_push: None },
                // A client's to take, not to send (RFC 9114 §6.2.2).
                one_way::PUSH => return Err(Wrong::Protocol(Code::H3_STREAM_CREATION_ERROR)),
                one_way::ENCODER => Stream::Encoder,
                one_way::DECODER => Stream::Decoder,
                _ => Stream::Other,
            };
            return Ok(Some(self.part.split().freeze()));
        }
        let Some((size, more)) = varint(&self.part[length..]) else { return Ok(None) };
        let begins = length + more;
        match (self.stream, first) {
            (Stream::Request { sections: 1 }, kind::DATA) if size > 0 => {
                self.at = At::Body(size);
                Ok(Some(self.part.split().freeze()))
            }
            // To h3 it would be the end of the body.
            (Stream::Request { sections: 1 }, kind::DATA) => self.drop_frame(0, Abuse::EmptyData),
            (Stream::Request { sections: 0 | 1 }, kind::HEADERS) => {
                let size = usize::try_from(size).ok().filter(|size| *size <= self.limit);
                self.at = At::Whole { missing: size.ok_or(Wrong::TooLarge)?, section: Some(begins) };
                Ok(None)
            }
            // Of a push that nobody has promised (RFC 9114 §7.2.3).
            (Stream::Control { .. }, kind::CANCEL_PUSH) => Err(Wrong::Protocol(Code::H3_ID_ERROR)),
            // They say nothing to a server that pushes nothing, and that ends its connections itself.
            (Stream::Control { .. }, kind::GOAWAY | kind::MAX_PUSH_ID) if size <= MAX_CONTROL_FRAME => {
                self.at = At::Whole { missing: size as usize, section: None };
                Err(Wrong::Costly(Abuse::Unknown))
            }
            (Stream::Control { .. }, kind::SETTINGS) if size <= MAX_CONTROL_FRAME => {
                self.at = At::Whole { missing: size as usize, section: None };
                Ok(None)
            }
            // Browsers say it of each request; we answer all alike.
            (Stream::Control { .. }, kind::PRIORITY_UPDATE) => self.drop_frame(size, Abuse::Priorities),
            (_, first) if kind::KNOWN.contains(&first) => Err(Wrong::Protocol(Code::H3_FRAME_UNEXPECTED)),
            // It must have no meaning (RFC 9114 §9).
            _ => self.drop_frame(size, Abuse::Unknown),
        }
    }

    fn drop_frame(&mut self, size: u64, cost: Abuse) -> Result<Option<Bytes>, Wrong> {
        self.part.clear();
        self.at = if size == 0 { At::Head } else { At::Nothing(size) };
        Err(Wrong::Costly(cost))
    }
}

/// What MAX_PUSH_ID says; `None` of any other frame.
fn push_limit(frame: &[u8]) -> Option<u64> {
    let (kind, length) = varint(frame)?;
    let (_, more) = varint(&frame[length..])?;
    (kind == kind::MAX_PUSH_ID).then(|| varint(&frame[length + more..]))?.map(|(limit, _)| limit)
}

/// All that h3 would see of a request's stream that comes in pieces of so many bytes, until something is wrong, and whether
/// it would see the stream's end. For the fuzzer.
pub fn http3_request(stream: &[u8], piece: usize, limit: usize) -> (Vec<u8>, bool) {
    let (mut frames, mut passed) = (Frames::of_request(limit), Vec::new());
    for piece in stream.chunks(piece.max(1)) {
        let mut input = Bytes::copy_from_slice(piece);
        loop {
            match frames.next(&mut input) {
                Ok(Some(piece)) => passed.extend_from_slice(&piece),
                Ok(None) => break,
                Err(Wrong::Costly(_)) => {}
                Err(_) => return (passed, false),
            }
        }
    }
    let ends = frames.end().is_ok();
    (passed, ends)
}

/// An integer and its length (RFC 9000 §16); `None` while it is not whole.
fn varint(bytes: &[u8]) -> Option<(u64, usize)> {
    let first = *bytes.first()?;
    let length = 1 << (first >> 6);
    let rest = bytes.get(1..length)?;
    let value = rest.iter().fold(u64::from(first & 0x3f), |value, byte| value << 8 | u64::from(*byte));
    Some((value, length))
}

/// The head of a DATA frame for so many bytes.
pub(super) fn data_head(length: usize) -> Bytes {
    let length = length as u64;
    let mut head = vec![kind::DATA as u8];
    match length {
        0..=0x3f => head.push(length as u8),
        0x40..=0x3fff => head.extend((length as u16 | 0x4000).to_be_bytes()),
        0x4000..=0x3fff_ffff => head.extend((length as u32 | 0x8000_0000).to_be_bytes()),
        _ => head.extend((length | 0xc000_0000_0000_0000).to_be_bytes()),
    }
    head.into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// `:method GET`, `:scheme https`, `:path /`, `:authority a`, all from the static table.
    const GET: &[u8] = &[0, 0, 0xd1, 0xd7, 0xc1, 0x50, 1, b'a'];

    fn frame(kind: u8, payload: &[u8]) -> Vec<u8> {
        [&[kind, payload.len() as u8], payload].concat()
    }

    /// All that passes, and what ends it.
    fn walk(mut frames: Frames, pieces: &[&[u8]]) -> (Vec<u8>, Vec<Wrong>) {
        let (mut passed, mut wrongs) = (Vec::new(), Vec::new());
        for piece in pieces {
            let mut input = Bytes::copy_from_slice(piece);
            loop {
                match frames.next(&mut input) {
                    Ok(Some(piece)) => passed.extend_from_slice(&piece),
                    Ok(None) => break,
                    Err(wrong) => {
                        wrongs.push(wrong);
                        if !matches!(wrong, Wrong::Costly(_)) {
                            return (passed, wrongs);
                        }
                    }
                }
            }
        }
        (passed, wrongs)
    }

    fn request(bytes: &[u8]) -> (Vec<u8>, Vec<Wrong>) {
        walk(Frames::of_request(64), &[bytes])
    }

    #[test]
    fn a_request_passes_and_what_has_no_meaning_does_not() {
        let whole = [frame(1, GET), frame(0, b"body"), frame(1, &[0, 0, 0x21, b'x', 1, b'y'])].concat();
        assert_eq!(request(&whole), (whole.clone(), vec![]));
        let greased =
            [frame(0x21, b"grease"), frame(1, GET), frame(0x3f, b""), frame(0, b""), frame(0, b"a")].concat();
        let costs = [Abuse::Unknown, Abuse::Unknown, Abuse::EmptyData].map(Wrong::Costly).to_vec();
        assert_eq!(request(&greased), ([frame(1, GET), frame(0, b"a")].concat(), costs));
    }

    #[test]
    fn frames_out_of_place_end_the_connection() {
        let unexpected = vec![Wrong::Protocol(Code::H3_FRAME_UNEXPECTED)];
        for bytes in [
            // DATA before HEADERS, anything behind trailers, and what belongs elsewhere.
            frame(0, b"a"),
            [frame(1, GET), frame(1, &[0, 0]), frame(0, b"a")].concat(),
            [frame(1, GET), frame(1, &[0, 0]), frame(1, &[0, 0])].concat(),
            frame(4, &[]),
            frame(5, &[0]),
            frame(7, &[0]),
            frame(2, &[0; 5]),
            frame(9, &[0; 5]),
        ] {
            assert_eq!(request(&bytes).1, unexpected, "{bytes:?}");
        }
        for bytes in [frame(0, b"a"), frame(1, GET), frame(8, &[0; 4])] {
            let control = [&[0][..], &frame(4, &[]), &bytes].concat();
            assert_eq!(walk(Frames::of_one_direction(), &[&control]).1, unexpected, "{bytes:?}");
        }
    }

    #[test]
    fn a_stream_that_ends_within_a_frame_does_not_end_for_h3() {
        let post = [frame(1, GET), frame(0, b"body"), frame(0x21, b"grease"), frame(0, b"more")].concat();
        let ends: Vec<usize> = (0..=post.len()).filter(|end| http3_request(&post[..*end], 3, 64).1).collect();
        assert_eq!(ends, [0, 10, 16, 24, 30]);
        // Not even before the first byte of a body; nor a control stream, though one that has said nothing may.
        let end = |mut frames: Frames, bytes: &'static [u8]| {
            let mut input = Bytes::from_static(bytes);
            while let Ok(Some(_)) = frames.next(&mut input) {}
            frames.end()
        };
        let cut = Err(Wrong::Protocol(Code::H3_FRAME_ERROR));
        assert_eq!(end(Frames::of_request(64), &[1, 2, 0, 0, 0, 5]), cut);
        let closed = Err(Wrong::Protocol(Code::H3_CLOSED_CRITICAL_STREAM));
        for (bytes, expected) in [
            (&[0, 4, 1][..], cut),
            (&[0, 4], cut),
            (&[0, 4, 0], Ok(())),
            (&[0x40], Ok(())),
            (&[0x21, 9], Ok(())),
            (&[2], closed),
            (&[3], closed),
        ] {
            assert_eq!(end(Frames::of_one_direction(), bytes), expected, "{bytes:?}");
        }
    }

    #[test]
    fn attack_31_nothing_is_kept_beyond_its_bound() {
        // 2^62 bytes of header section, of settings, and of nothing.
        let huge = [0xff; 8];
        assert_eq!(request(&[&[1][..], &huge].concat()).1, [Wrong::TooLarge]);
        assert_eq!(request(&[&[1][..], &[65]].concat()).1, []);
        assert_eq!(request(&[1, 0x40, 65]).1, [Wrong::TooLarge]);
        let control = [&[0, 4][..], &huge].concat();
        let refused = walk(Frames::of_one_direction(), &[&control]).1;
        assert_eq!(refused, [Wrong::Protocol(Code::H3_FRAME_UNEXPECTED)]);
        let mut frames = Frames::of_request(64);
        let mut input = Bytes::from([&[0x21][..], &huge, &[0; 100_000]].concat());
        assert_eq!(frames.next(&mut input), Err(Wrong::Costly(Abuse::Unknown)));
        assert_eq!((frames.next(&mut input), frames.part.capacity() < 1_000), (Ok(None), true));
    }

    #[test]
    fn other_streams_pass_as_they_are() {
        let other = [0x21, 0x3f, 0xe1, 0x1f, 0, 1, 2, 3];
        assert_eq!(walk(Frames::of_one_direction(), &[&other]), (other.to_vec(), vec![]));
    }

    #[test]
    fn streams_of_one_direction_keep_to_their_types() {
        let walk = |bytes: &[u8]| walk(Frames::of_one_direction(), &[bytes]);
        // Of QPACK's h3 sees the types.
        assert_eq!(walk(&[2, NO_TABLE, NO_TABLE]), (vec![2], vec![]));
        assert_eq!(walk(&[3, 0x41, 0x81]), (vec![3], vec![]));
        let table = Wrong::Protocol(Code::QPACK_ENCODER_STREAM_ERROR);
        // A table of four kilobytes, and something in it.
        assert_eq!(walk(&[2, 0x3f, 0xe1, 0x1f]).1, [table]);
        assert_eq!(walk(&[2, 0xc1, 1, b'/']).1, [table]);
        assert_eq!(walk(&[1, 0]).1, [Wrong::Protocol(Code::H3_STREAM_CREATION_ERROR)]);
        let control = |frames: &[Vec<u8>]| walk(&[&[0][..], &frame(4, &[]), &frames.concat()].concat()).1;
        let (costs, id) = (Wrong::Costly(Abuse::Unknown), Wrong::Protocol(Code::H3_ID_ERROR));
        assert_eq!(control(&[frame(0xd, &[1]), frame(0xd, &[1]), frame(0xd, &[2])]), [costs; 3]);
        assert_eq!(control(&[frame(0xd, &[2]), frame(0xd, &[1])]), [costs, costs, id]);
        assert_eq!(control(&[frame(3, &[0])]), [id]);
    }

    #[test]
    fn heads_of_bodies_are_the_shortest() {
        for (length, bytes) in
            [(5, 2), (0x3f, 2), (0x40, 3), (0x3fff, 3), (0x4000, 5), (0x3fff_ffff, 5), (0x4000_0000, 9)]
        {
            let head = data_head(length);
            assert_eq!((head.len(), varint(&head[1..])), (bytes, Some((length as u64, bytes - 1))));
        }
    }

    proptest! {
        /// However the bytes are cut, the same passes and the same is wrong.
        #[test]
        fn cuts_change_nothing(bytes in prop::collection::vec(prop_oneof![0u8..10, any::<u8>()], 0..200)) {
            let single: Vec<&[u8]> = bytes.chunks(1).collect();
            for new in [|| Frames::of_request(64), Frames::of_one_direction] {
                prop_assert_eq!(walk(new(), &[&bytes]), walk(new(), &single));
            }
        }
    }
}
