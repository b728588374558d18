//! For the fuzz target: any bytes as a record and as a footer.

use crate::{checksum, footer, record};
use bytes::Bytes;

/// Reads `bytes` as they are, and once more with a sum and a length that hold, so that what lies behind them is reached.
/// What is read is written and read again; with a bit changed it is not read.
///
/// # Panics
/// When that gives something else: a bug.
pub fn record(bytes: &[u8]) {
    read_record(bytes);
    record::apparent(bytes);
    record::apparent_context(bytes);
    read_footer(bytes);
    if bytes.len() >= record::HEADER {
        let mut sound = bytes.to_vec();
        sound[8..12].copy_from_slice(&record::MAGIC.to_le_bytes());
        sound[16..20].copy_from_slice(&u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_le_bytes());
        let sum = checksum::sum(&sound[8..]);
        sound[..8].copy_from_slice(&sum.to_le_bytes());
        read_record(&sound);
    }
    read_footer(&footer::sound(bytes));
}

fn read_record(bytes: &[u8]) {
    let Some(front) = record::parse(&Bytes::copy_from_slice(bytes)) else { return };
    let blocks = front.length as usize - front.front as usize;
    let again = record::encode(front.context, &front.content, blocks);
    let read = record::parse(&Bytes::from(again)).expect("what was written can be read");
    assert_eq!((read.context, read.content), (front.context, front.content));
    let front = &bytes[..front.front as usize];
    assert_eq!(record::parse(&Bytes::from(flipped(front))), None);
}

/// With one bit changed, which one is for the bytes to say.
fn flipped(bytes: &[u8]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    let places = (bytes.len() * 8).max(1) as u64;
    let place = checksum::sum(&bytes) % places;
    if let Some(byte) = usize::try_from(place / 8).ok().and_then(|at| bytes.get_mut(at)) {
        *byte ^= 1 << (place % 8);
    }
    bytes
}

fn read_footer(bytes: &[u8]) {
    let store = footer::store(bytes).unwrap_or_default();
    let Some((sequence, contents)) = footer::parse(bytes, store) else { return };
    let again = footer::encode(store, sequence, &contents);
    // Padding stands before it, and says nothing.
    let bare = &again[again.len() - footer::bare(contents.len())..];
    assert_eq!(footer::parse(&flipped(bare), store), None);
    assert_eq!(footer::parse(&again, store), Some((sequence, contents)));
}
