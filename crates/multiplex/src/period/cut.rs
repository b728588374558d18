//! PES packets cut into the payloads of packets, a multiple of 16 of them.

use crate::rate::COUNTER;
use mpegts::PACKET_BYTES;

/// Behind the header of a packet.
const ROOM: usize = PACKET_BYTES - 4;
/// An adaptation field with flags and nothing else.
const FLAGS: usize = 2;

/// One PES packet and when it may come; times in ticks of 1/90,000 s after the period's start.
#[derive(Debug)]
pub(super) struct Unit {
    pub(super) bytes: Vec<u8>,
    /// Something can be decoded from here on: told in its first packet.
    pub(super) random_access: bool,
    /// Not sent before, unless there is no other way.
    pub(super) from: u64,
    /// All of it must have come by then.
    pub(super) due: u64,
}

/// A unit as payloads, in order.
#[derive(Debug)]
pub(super) struct Pieces<'a> {
    pub(super) unit: &'a Unit,
    pub(super) payloads: Vec<&'a [u8]>,
}

/// All `units`, in as few packets as a multiple of 16 allows: continuity counters have four bits, and the next period's
/// begin where this period's did. A packet with less payload is filled up in its adaptation field (2.4.3.5).
pub(super) fn cut(units: &[Unit]) -> Vec<Pieces<'_>> {
    let least = |unit: &Unit| {
        let flags = if unit.random_access { FLAGS } else { 0 };
        (unit.bytes.len() + flags).div_ceil(ROOM)
    };
    let mut counts: Vec<usize> = units.iter().map(least).collect();
    let total = counts.iter().sum::<usize>();
    let mut extra = total.next_multiple_of(COUNTER as usize) - total;
    // Even a single PES packet has more than 16 bytes: its header alone has 14, and what it carries has a few.
    while extra > 0 {
        let before = extra;
        for (count, unit) in counts.iter_mut().zip(units) {
            if extra > 0 && *count < unit.bytes.len() {
                *count += 1;
                extra -= 1;
            }
        }
        if extra == before {
            break;
        }
    }
    units.iter().zip(counts).map(|(unit, count)| Pieces { unit, payloads: pieces(unit, count) }).collect()
}

/// `count` parts of about the same length; the first leaves room for flags.
fn pieces(unit: &Unit, count: usize) -> Vec<&[u8]> {
    let mut payloads = Vec::with_capacity(count);
    let mut rest = &unit.bytes[..];
    for index in 0..count {
        let left = count - index;
        let take = if index == 0 && unit.random_access {
            (rest.len() / left).min(ROOM - FLAGS)
        } else {
            rest.len().div_ceil(left)
        };
        let (piece, behind) = rest.split_at(take);
        payloads.push(piece);
        rest = behind;
    }
    payloads
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn nothing_is_lost_and_the_count_is_even(
            lengths in prop::collection::vec((16_usize..2_000, any::<bool>()), 0..40),
        ) {
            let units: Vec<Unit> = lengths
                .iter()
                .map(|&(length, random_access)| Unit { bytes: vec![7; length], random_access, from: 0, due: 0 })
                .collect();
            let all = cut(&units);
            let count: usize = all.iter().map(|pieces| pieces.payloads.len()).sum();
            prop_assert_eq!(count % 16, 0);
            let least: usize = lengths.iter().map(|(length, _)| length.div_ceil(184)).sum();
            prop_assert!(count < least + lengths.len() + 16);
            for pieces in &all {
                let flags = if pieces.unit.random_access { 2 } else { 0 };
                prop_assert!(pieces.payloads[0].len() + flags <= 184);
                prop_assert!(pieces.payloads.iter().all(|piece| (1..=184).contains(&piece.len())));
                prop_assert_eq!(pieces.payloads.concat().len(), pieces.unit.bytes.len());
            }
        }
    }
}
