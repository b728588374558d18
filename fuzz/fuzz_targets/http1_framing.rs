//! Bytes of an HTTP/1 connection: whatever they are, they are judged alike in one piece and in many, and what is let
//! through is never both counted and chunked.

#![no_main]

use framing::{Bounds, Fault, Messages};
use libfuzzer_sys::fuzz_target;

fn judge<'a>(mut messages: Messages, pieces: impl Iterator<Item = &'a [u8]>) -> Result<bool, Fault> {
    for piece in pieces {
        messages.follow(piece).map_err(|violation| {
            assert!(violation.at < piece.len());
            violation.fault
        })?;
    }
    Ok(messages.is_within_body())
}

fuzz_target!(|input: (&[u8], u8)| {
    let (bytes, size) = input;
    let size = usize::from(size).max(1);
    let bounds = Bounds { head: 1_024 };
    for make in [
        || Messages::requests(Bounds { head: 1_024 }),
        || {
            let mut messages = Messages::responses(Bounds { head: 1_024 });
            messages.expect();
            messages
        },
    ] {
        let whole = judge(make(), std::iter::once(bytes));
        assert_eq!(judge(make(), bytes.chunks(size)), whole);
    }
    let head = bytes.windows(4).position(|four| four == b"\r\n\r\n").map(|end| &bytes[..end]);
    if let Some(head) = head {
        let lower = head.to_ascii_lowercase();
        let has = |name: &[u8]| lower.windows(name.len()).any(|window| window == name);
        if !head.starts_with(b"\r\n") && has(b"\r\ncontent-length:") && has(b"\r\ntransfer-encoding:") {
            assert!(judge(Messages::requests(bounds), std::iter::once(&bytes[..head.len() + 4])).is_err());
        }
    }
});
