//! Records that are written, read, and damaged.

use super::*;
use proptest::prelude::*;

fn content() -> impl Strategy<Value = Content> {
    let bytes = || prop::collection::vec(any::<u8>(), 0..40).prop_map(Bytes::from);
    let place = (any::<u16>(), any::<u32>(), any::<u32>());
    let entry = (place, 0..=u32::try_from(crate::BLOCK).unwrap(), any::<u64>());
    let table = prop::collection::btree_map(any::<u32>(), entry, 0..5);
    let object =
        (any::<u128>(), any::<u64>(), any::<u16>(), prop::option::of(0..u64::MAX), bytes(), bytes(), table);
    prop_oneof![
        object.prop_map(|(hash, generation, until, total, key, head, table)| {
            let entry = |(number, ((region, sequence, offset), length, sum))| Entry {
                number,
                place: Place { region, sequence, offset },
                length,
                sum,
            };
            let table = table.into_iter().map(entry).collect();
            Content::Object(ObjectFront { hash, generation, until: Until(until), total, key, head, table })
        }),
        prop::collection::vec(any::<u64>(), 0..9).prop_map(Content::Removals),
    ]
}

proptest! {
    #[test]
    fn what_is_written_is_read_and_no_bit_of_it_may_change(
        content in content(), store: u64, chain: u64, sequence: u32, offset: u32,
        epoch: u32, blocks in 0usize..2_000, at: prop::sample::Index, bit in 0u8..8,
    ) {
        let context = Context { store, chain, sequence, offset, epoch };
        let mut bytes = encode(context, &content, blocks);
        let front = parse(&Bytes::from(bytes.clone())).unwrap();
        prop_assert_eq!((front.context, &front.content), (context, &content));
        prop_assert_eq!(front.length as usize, padded(bytes.len() + blocks));
        let at = at.index(bytes.len());
        bytes[at] ^= 1 << bit;
        prop_assert_eq!(parse(&Bytes::from(bytes.clone())), None);
        bytes.truncate(at);
        prop_assert_eq!(parse(&Bytes::from(bytes)), None);
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        crate::fuzzing::record(&bytes);
    }
}
