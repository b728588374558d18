//! Whether an encoded header section (RFC 9204 §4.5) has one meaning: pseudo-header fields first, each once, and only
//! those of a request (RFC 9114 §4.3). h3 decodes it afterwards and would take the last of several.
//!
//! Nothing is decoded here. A name is an index of the static table, or written out, plainly or in Huffman's code, in which
//! each name has one form.

use super::frames::Wrong;
use h3::error::Code;

/// What a header section belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A request.
    Request,
    /// The end of a request's body.
    Trailers,
}

/// Fields of a section. http's map has a bound of its own, at which it gives up.
const MAX_FIELDS: usize = 512;

/// The pseudo-header fields of a request, by their bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Pseudo {
    Method = 1,
    Scheme = 2,
    Authority = 4,
    Path = 8,
}

/// What a field's name says as far as this matters.
enum Name {
    Pseudo(Pseudo),
    /// One that no request has: `:status`, an empty one, a path with a fragment, or none at all.
    Foreign,
    Ordinary,
}

impl Name {
    /// A pseudo-header field is there or not, and never empty; a path has no fragment (RFC 9114 §4.3.1), which h3 would drop.
    fn with(self, value: Text<'_>) -> Self {
        match self {
            Self::Pseudo(_) if value.bytes.is_empty() => Self::Foreign,
            Self::Pseudo(Pseudo::Path) if value.has_fragment() => Self::Foreign,
            name => name,
        }
    }
}

/// A string as it stands in a section: in Huffman's code, or plain.
#[derive(Clone, Copy)]
struct Text<'a> {
    bytes: &'a [u8],
    coded: bool,
}

impl Text<'_> {
    fn has_fragment(self) -> bool {
        if self.coded { coded_hash(self.bytes) } else { self.bytes.contains(&b'#') }
    }
}

/// Looks at one section.
///
/// # Errors
/// [`Wrong::Malformed`] for what a request must not have, [`Wrong::Protocol`] for what is no section of ours.
pub(super) fn check(section: &[u8], kind: Kind) -> Result<(), Wrong> {
    let mut fields = Fields(section);
    fields.prefix().ok_or(UNDECODABLE)?;
    let (mut seen, mut ordinary) = (0, kind == Kind::Trailers);
    let mut count = 0;
    while !fields.0.is_empty() {
        count += 1;
        if count > MAX_FIELDS {
            return Err(Wrong::TooLarge);
        }
        match fields.field().ok_or(UNDECODABLE)? {
            Name::Ordinary => ordinary = true,
            Name::Pseudo(pseudo) if !ordinary && seen & pseudo as u8 == 0 => seen |= pseudo as u8,
            Name::Pseudo(_) | Name::Foreign => return Err(Wrong::Malformed),
        }
    }
    Ok(())
}

/// We have no dynamic table, so nothing may refer to it.
const UNDECODABLE: Wrong = Wrong::Protocol(Code::QPACK_DECOMPRESSION_FAILED);

/// The field lines that are left.
struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    /// Required Insert Count, which is 0, and a base that says nothing then (RFC 9204 §4.5.1).
    fn prefix(&mut self) -> Option<()> {
        (self.integer(8)? == 0).then_some(())?;
        self.integer(7).map(|_| ())
    }

    /// One field line (RFC 9204 §4.5.2 to §4.5.6).
    fn field(&mut self) -> Option<Name> {
        let first = *self.0.first()?;
        match first {
            // Indexed, static.
            _ if first & 0b1100_0000 == 0b1100_0000 => indexed(self.integer(6)?),
            // Literal with the name of a static entry.
            _ if first & 0b1101_0000 == 0b0101_0000 => {
                let name = indexed(self.integer(4)?)?;
                Some(name.with(self.string(7)?))
            }
            // Literal with a literal name.
            _ if first & 0b1110_0000 == 0b0010_0000 => {
                let name = written(self.string(3)?);
                Some(name.with(self.string(7)?))
            }
            _ => None,
        }
    }

    /// An integer with a prefix of so many bits (RFC 7541 §5.1).
    fn integer(&mut self, bits: u32) -> Option<usize> {
        let mask = (1_u32 << bits) - 1;
        let mut value = u32::from(self.byte()?) & mask;
        if value < mask {
            return Some(value as usize);
        }
        // Three bytes more are two megabytes, more than any section.
        for shift in [0, 7, 14] {
            let byte = u32::from(self.byte()?);
            value += (byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Some(value as usize);
            }
        }
        None
    }

    /// A string whose length has a prefix of so many bits, behind one that says whether it is coded.
    fn string(&mut self, bits: u32) -> Option<Text<'a>> {
        let coded = self.0.first()? >> bits & 1 == 1;
        let length = self.integer(bits)?;
        let (bytes, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(Text { bytes, coded })
    }

    fn byte(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }
}

/// Names by their place in the static table (RFC 9204 appendix A).
fn indexed(index: usize) -> Option<Name> {
    Some(match index {
        0 => Name::Pseudo(Pseudo::Authority),
        1 => Name::Pseudo(Pseudo::Path),
        15..=21 => Name::Pseudo(Pseudo::Method),
        22 | 23 => Name::Pseudo(Pseudo::Scheme),
        24..=28 | 63..=71 => Name::Foreign,
        2..=98 => Name::Ordinary,
        _ => return None,
    })
}

/// Names that are written out.
fn written(Text { bytes: name, coded }: Text<'_>) -> Name {
    /// `:` in seven bits.
    const COLON: u8 = 0b101_1100;
    let is_pseudo = match name.first() {
        Some(first) if coded => first >> 1 == COLON,
        Some(first) => *first == b':',
        None => false,
    };
    if !is_pseudo {
        return Name::Ordinary;
    }
    let known = [
        (":method", Pseudo::Method),
        (":scheme", Pseudo::Scheme),
        (":authority", Pseudo::Authority),
        (":path", Pseudo::Path),
    ];
    let same = |text: &str| if coded { huffman(text) == name } else { text.as_bytes() == name };
    known.into_iter().find(|(text, _)| same(text)).map_or(Name::Foreign, |(_, pseudo)| Name::Pseudo(pseudo))
}

/// The letters of those four names in Huffman's code (RFC 7541 appendix B).
fn huffman(text: &str) -> Vec<u8> {
    let (mut bits, mut length, mut bytes) = (0_u32, 0, Vec::new());
    for letter in text.bytes() {
        let (code, width) = match letter {
            b'a' => (0x3, 5),
            b'c' => (0x4, 5),
            b'd' => (0x24, 6),
            b'e' => (0x5, 5),
            b'h' => (0x27, 6),
            b'i' => (0x6, 5),
            b'm' => (0x29, 6),
            b'o' => (0x7, 5),
            b'p' => (0x2b, 6),
            b'r' => (0x2c, 6),
            b's' => (0x8, 5),
            b't' => (0x9, 5),
            b'u' => (0x2d, 6),
            b'y' => (0x7a, 7),
            _ => (0x5c, 7),
        };
        bits = bits << width | code;
        length += width;
        while length >= 8 {
            length -= 8;
            bytes.push((bits >> length) as u8);
            bits &= (1 << length) - 1;
        }
    }
    if length > 0 {
        // What is left of the last byte is ones.
        bytes.push((bits << (8 - length)) as u8 | 0xff >> length);
    }
    bytes
}

/// Where the codes of each length end (RFC 7541 appendix B). Those of one length follow one another, and the next longer ones
/// them: how long the code at the front is follows from where it lies.
const ENDS: [(u32, u32); 21] = [
    (5, 0xa),
    (6, 0x2e),
    (7, 0x7c),
    (8, 0xfe),
    (10, 0x3fd),
    (11, 0x7fd),
    (12, 0xffc),
    (13, 0x1ffe),
    (14, 0x3ffe),
    (15, 0x7fff),
    (19, 0x7_fff3),
    (20, 0xf_ffee),
    (21, 0x1f_ffe9),
    (22, 0x3f_ffec),
    (23, 0x7f_fff5),
    (24, 0xff_fff6),
    (25, 0x1ff_fff0),
    (26, 0x3ff_ffef),
    (27, 0x7ff_fff1),
    (28, 0xfff_ffff),
    (30, 0x4000_0000),
];

/// Whether `#` is in a string in Huffman's code. What is no code is h3's to refuse.
fn coded_hash(bytes: &[u8]) -> bool {
    const HASH: (u32, u32) = (12, 0xffa);
    // It begins with nine ones, of which there are so many in a row in few others: nearly all paths are not walked over.
    if !bytes.windows(2).any(|pair| pair[0].trailing_ones() + pair[1].leading_ones() >= 9) {
        return false;
    }
    let (mut waiting, mut length) = (0_u64, 0);
    let mut bytes = bytes.iter();
    loop {
        while length <= 32
            && let Some(byte) = bytes.next()
        {
            waiting = waiting << 8 | u64::from(*byte);
            length += 8;
        }
        // The next bits, with ones behind the last as where a string ends.
        let next = |bits| {
            let lacking = u32::saturating_sub(bits, length);
            let ones = (1_u64 << lacking) - 1;
            ((waiting << lacking | ones) >> (length + lacking - bits)) as u32 & ((1 << bits) - 1)
        };
        let Some((bits, _)) = ENDS.into_iter().find(|(bits, end)| next(*bits) < *end) else { return false };
        if bits > length {
            return false;
        }
        if (bits, next(bits)) == HASH {
            return true;
        }
        length -= bits;
        waiting &= (1 << length) - 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The prefix, and lines of the static table by their index.
    fn section(lines: &[&[u8]]) -> Vec<u8> {
        [&[0, 0][..], &lines.concat()].concat()
    }

    const METHOD: &[u8] = &[0xd1];
    const SCHEME: &[u8] = &[0xd7];
    const PATH: &[u8] = &[0xc1];
    const AUTHORITY: &[u8] = &[0x50, 1, b'a'];
    const FIELD: &[u8] = &[0x23, b'x', b'-', b'y', 1, b'z'];

    fn literal(name: &[u8], coded: bool, value: &[u8]) -> Vec<u8> {
        let flag = if coded { 0b0010_1000 } else { 0b0010_0000 };
        let length =
            if name.len() < 7 { vec![flag | name.len() as u8] } else { vec![flag | 7, name.len() as u8 - 7] };
        [&length, name, &[value.len() as u8], value].concat()
    }

    #[test]
    fn pseudo_fields_come_first_and_once() {
        let fine = |lines: &[&[u8]]| check(&section(lines), Kind::Request);
        assert_eq!(fine(&[METHOD, SCHEME, PATH, AUTHORITY, FIELD, FIELD]), Ok(()));
        assert_eq!(fine(&[&literal(b":path", false, b"/"), METHOD, FIELD]), Ok(()));
        assert_eq!(fine(&[&literal(&huffman(":authority"), true, b"a"), METHOD]), Ok(()));
        for lines in [
            &[METHOD, METHOD][..],
            &[METHOD, SCHEME, PATH, PATH],
            &[METHOD, FIELD, SCHEME],
            // `:status`, indexed and as a name.
            &[METHOD, &[0xd9]],
            &[METHOD, &[0x5f, 9, 3, b'2', b'0', b'0']],
            &[PATH, &literal(b":path", false, b"/other")],
            &[PATH, &literal(&huffman(":path"), true, b"/other")],
            &[&literal(b":protocol", false, b"websocket")],
            &[&literal(b":", false, b"")],
            &[&literal(b":path", false, b"")],
            &[METHOD, &[0x51, 0]],
            // `/a#b`, plain and in Huffman's code.
            &[METHOD, &literal(b":path", false, b"/a#b")],
            &[METHOD, &[0x51, 4, b'/', b'a', b'#', b'b']],
            &[METHOD, &[0x51, 0x84, 0x60, 0x7f, 0xf5, 0x1f]],
        ] {
            assert_eq!(fine(lines), Err(Wrong::Malformed), "{lines:?}");
        }
    }

    #[test]
    fn trailers_have_none() {
        assert_eq!(check(&section(&[FIELD]), Kind::Trailers), Ok(()));
        assert_eq!(check(&section(&[FIELD, PATH]), Kind::Trailers), Err(Wrong::Malformed));
    }

    #[test]
    fn what_is_no_section_of_ours_is_refused() {
        for bytes in [
            &[][..],
            &[0],
            // Waits for the dynamic table, or refers to it.
            &[2, 0, 0x80],
            &[0, 0, 0x80],
            &[0, 0, 0x40, 1, b'a'],
            &[0, 0, 0x10],
            &[0, 0, 0x00],
            // Beyond the table, and beyond the end.
            &[0, 0, 0xff, 36],
            &[0, 0, 0x50, 9, b'a'],
            &[0, 0, 0x50, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff],
        ] {
            assert_eq!(check(bytes, Kind::Request), Err(UNDECODABLE), "{bytes:?}");
        }
        assert_eq!(check(&section(&[&FIELD.repeat(513)]), Kind::Request), Err(Wrong::TooLarge));
    }

    #[test]
    fn names_in_huffmans_code_have_one_form() {
        assert_eq!(huffman(":path"), [0xb9, 0x58, 0xd3, 0x3f]);
        assert_eq!(huffman(":authority"), [0xb8, 0x3b, 0x53, 0x39, 0xec, 0x32, 0x7d, 0x7f]);
    }

    #[test]
    fn the_lengths_of_codes_are_those_of_a_whole_tree() {
        // Each length's codes begin where those of the one before end: the number of letters, the end of a string among them.
        let (mut from, mut before, mut letters) = (0, 0, 0);
        for (bits, end) in ENDS {
            from <<= bits - before;
            letters += end - from;
            (from, before) = (end, bits);
        }
        assert_eq!((letters, from), (257, 1 << 30));
    }

    proptest! {
        #[test]
        fn a_hash_is_seen_wherever_it_stands(letters in prop::collection::vec((0..ENDS.len(), any::<u32>()), 0..40)) {
            let codes = letters.into_iter().map(|(which, number)| {
                let (bits, end) = ENDS[which];
                let begin = which.checked_sub(1).map_or(0, |before| ENDS[before].1 << (bits - ENDS[before].0));
                // The last of all is no letter.
                (bits, begin + number % (end - begin - u32::from(bits == 30)))
            });
            let codes: Vec<_> = codes.collect();
            let all: String = codes.iter().map(|(bits, code)| format!("{code:0>width$b}", width = *bits as usize)).collect();
            let bytes = all.as_bytes().chunks(8).map(|bits| {
                bits.iter().chain(&[b'1'; 8]).take(8).fold(0, |byte, bit| byte << 1 | (bit - b'0'))
            });
            prop_assert_eq!(coded_hash(&bytes.collect::<Vec<u8>>()), codes.contains(&(12, 0xffa)));
        }

        #[test]
        fn no_bytes_are_too_much(bytes in prop::collection::vec(any::<u8>(), 0..100)) {
            let _ = check(&bytes, Kind::Request);
        }
    }
}
