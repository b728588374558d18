//! Where frames begin in the bytes of an HTTP/2 connection (RFC 9113 §4.1). Keeps nothing of them but their heads.

/// A frame's head, as it stands on the wire:
///
/// ```text
/// length (24) | type (8) | flags (8) | reserved (1) | stream (31)
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Head {
    /// Bytes that follow.
    pub(super) length: u32,
    pub(super) kind: u8,
    pub(super) flags: u8,
}

/// Types of frames (RFC 9113 §6).
pub(super) mod kind {
    pub(in super::super) const DATA: u8 = 0;
    pub(in super::super) const HEADERS: u8 = 1;
    pub(in super::super) const PRIORITY: u8 = 2;
    pub(in super::super) const RST_STREAM: u8 = 3;
    pub(in super::super) const SETTINGS: u8 = 4;
    pub(in super::super) const PUSH_PROMISE: u8 = 5;
    pub(in super::super) const PING: u8 = 6;
    pub(in super::super) const WINDOW_UPDATE: u8 = 8;
    pub(in super::super) const CONTINUATION: u8 = 9;
}

/// END_STREAM on DATA and HEADERS; ACK on SETTINGS and PING.
pub(super) const END_OR_ACK: u8 = 1;

const HEAD: usize = 9;
/// What a client begins with (RFC 9113 §3.4). Whether it is one is for h2 to say.
pub(super) const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// Walks over a client's bytes, however they are cut.
#[derive(Debug)]
pub(super) struct Frames {
    /// Of the preface or of the frame that is passing.
    left: u32,
    head: [u8; HEAD],
    /// Bytes of `head` that have come.
    have: usize,
}

impl Frames {
    /// Before the preface.
    pub(super) fn begin() -> Self {
        Self { left: PREFACE.len() as u32, head: [0; HEAD], have: 0 }
    }

    /// Passes over `bytes`; `seen` hears of each head that is complete.
    pub(super) fn pass(&mut self, mut bytes: &[u8], mut seen: impl FnMut(Head)) {
        while !bytes.is_empty() {
            if self.left > 0 {
                let passing = bytes.len().min(self.left as usize);
                self.left -= passing as u32;
                bytes = &bytes[passing..];
                continue;
            }
            let taken = bytes.len().min(HEAD - self.have);
            self.head[self.have..self.have + taken].copy_from_slice(&bytes[..taken]);
            self.have += taken;
            bytes = &bytes[taken..];
            if self.have == HEAD {
                let [a, b, c, kind, flags, ..] = self.head;
                self.left = u32::from_be_bytes([0, a, b, c]);
                self.have = 0;
                seen(Head { length: self.left, kind, flags });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn heads(pieces: &[&[u8]]) -> Vec<Head> {
        let (mut frames, mut heads) = (Frames::begin(), Vec::new());
        for piece in pieces {
            frames.pass(piece, |head| heads.push(head));
        }
        heads
    }

    #[test]
    fn a_frame_behind_the_preface_is_seen() {
        let mut bytes = PREFACE.to_vec();
        bytes.extend([0, 0, 6, kind::SETTINGS, 0, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6]);
        bytes.extend([0, 0, 0, kind::SETTINGS, END_OR_ACK, 0, 0, 0, 0]);
        let settings = |length, flags| Head { length, kind: kind::SETTINGS, flags };
        assert_eq!(heads(&[&bytes]), [settings(6, 0), settings(0, END_OR_ACK)]);
    }

    proptest! {
        /// However the bytes are cut, the same frames are seen.
        #[test]
        fn cuts_change_nothing(bytes in prop::collection::vec(any::<u8>(), 0..300), cut in 0usize..300) {
            let cut = cut.min(bytes.len());
            prop_assert_eq!(heads(&[&bytes]), heads(&[&bytes[..cut], &bytes[cut..]]));
            let single: Vec<&[u8]> = bytes.chunks(1).collect();
            prop_assert_eq!(heads(&[&bytes]), heads(&single));
        }
    }
}
