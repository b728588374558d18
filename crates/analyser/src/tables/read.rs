//! Fields of tables: never beyond the end, whatever they tell.

use crate::report::EventSeen;

/// Bytes from the front.
pub(super) struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    /// What stands between the first `head` bytes of a section and its checksum.
    pub(super) fn of_table(section: &'a [u8], head: usize) -> Option<Self> {
        section.get(head..section.len().checked_sub(4)?).map(Self)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    pub(super) fn u8(&mut self) -> Option<u8> {
        Some(self.take(1)?[0])
    }

    pub(super) fn u16(&mut self) -> Option<u16> {
        let bytes = self.take(2)?;
        Some(u16::from(bytes[0]) << 8 | u16::from(bytes[1]))
    }

    /// A descriptor's tag and content.
    fn descriptor(&mut self) -> Option<(u8, &'a [u8])> {
        let (tag, length) = (self.u8()?, self.u8()?);
        Some((tag, self.take(length.into())?))
    }

    fn counted(&mut self) -> Option<&'a [u8]> {
        let length = self.u8()?;
        self.take(length.into())
    }
}

/// Provider and name out of a service's descriptors.
pub(super) fn service(descriptors: &[u8]) -> Option<(String, String)> {
    let mut reader = Reader(descriptors);
    while let Some((tag, content)) = reader.descriptor() {
        if tag == 0x48 {
            let mut content = Reader(content);
            content.u8()?;
            return Some((text(content.counted()?), text(content.counted()?)));
        }
    }
    None
}

/// One event of a guide.
pub(super) struct Event {
    pub(super) running: bool,
    pub(super) seen: EventSeen,
}

impl Event {
    /// `None`: it ends too early or tells no time.
    pub(super) fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let id = reader.u16()?;
        let start_s = utc(reader.take(5)?)?;
        let duration_s = clock(reader.take(3)?)?;
        let status = reader.u16()?;
        let mut descriptors = Reader(reader.take(usize::from(status & 0xfff))?);
        let (mut title, mut more) = (String::new(), String::new());
        while let Some((tag, content)) = descriptors.descriptor() {
            if tag == 0x4d {
                let mut content = Reader(content);
                content.take(3)?;
                title = text(content.counted()?);
                more = text(content.counted()?);
            }
        }
        let seen = EventSeen { id, start_s, duration_s, title, text: more };
        Some(Self { running: status >> 13 == 4, seen })
    }
}

/// Text in UTF-8, or in a table of its own that is read as ASCII (EN 300 468 annex A).
fn text(bytes: &[u8]) -> String {
    match bytes.split_first() {
        Some((0x15, rest)) => String::from_utf8_lossy(rest).into_owned(),
        _ => bytes.iter().map(|&byte| if byte.is_ascii() { char::from(byte) } else { '?' }).collect(),
    }
}

/// Modified Julian date and digits, as seconds since 1970 (annex C).
pub(super) fn utc(bytes: &[u8]) -> Option<u64> {
    let [high, low, rest @ ..] = bytes else { return None };
    let days = u64::from(u16::from_be_bytes([*high, *low])).checked_sub(40_587)?;
    Some(days * 86_400 + clock(rest)?)
}

fn clock(bytes: &[u8]) -> Option<u64> {
    let digits = |byte: u8| {
        let (tens, ones) = (byte >> 4, byte & 0xf);
        (tens < 10 && ones < 10).then_some(u64::from(tens * 10 + ones))
    };
    let [hours, minutes, seconds] = bytes else { return None };
    Some(digits(*hours)? * 3_600 + digits(*minutes)? * 60 + digits(*seconds)?)
}
