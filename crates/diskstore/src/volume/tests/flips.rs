//! Attack 71: each kind of byte changed, one bit at a time. Everything is found; nothing wrong is ever given.

use super::*;
use crate::media::simulated::SimulatedDisk;

/// A store with a few regions full, one begun, removals among them.
fn filled() -> (SimulatedDisk, Vec<Option<Bytes>>) {
    let disk = SimulatedDisk::default();
    let volume = open(&disk, SMALL);
    let mut bodies: Vec<Option<Bytes>> = (0..30).map(|key| Some(put(&volume, key, 700))).collect();
    volume.note_removed([&name(29)[..]].into_iter()).unwrap();
    bodies[29] = None;
    (disk, bodies)
}

#[test]
fn attack_71_a_flipped_bit_anywhere_in_the_data_is_never_given() {
    let (disk, bodies) = filled();
    let whole = open(&disk, SMALL);
    let there: Vec<u8> = (0..30).filter(|&key| get(&whole, key).is_some()).collect();
    assert!(there.len() >= 20);
    drop(whole);
    let mut lost = 0;
    // Every 61st byte, each with another bit: fronts, keys, heads, tables, blocks, footers.
    for at in (0..disk.length("data")).step_by(61) {
        disk.flip("data", at, 1 << (at % 8));
        let counters = Arc::default();
        let volume = open_with(&disk, SMALL, &counters).unwrap();
        for &key in &there {
            match get(&volume, key) {
                Some(bytes) => {
                    assert!(Some(bytes) == bodies[usize::from(key)], "byte {at} flipped, key {key}")
                }
                None => lost += 1,
            }
        }
        drop(volume);
        disk.flip("data", at, 1 << (at % 8));
    }
    assert!(lost > 0, "some flips hit something");
}

#[test]
fn attack_71_a_flipped_bit_in_the_index_file_costs_a_region_at_most() {
    let (disk, bodies) = filled();
    let whole = ["store", "data"].map(|file| (file, disk.bytes(file)));
    // Both superblocks byte by byte, and of each region's sector what is written.
    let written = |at: &usize| at % 512 < 48;
    for at in (0..disk.length("store")).filter(written).step_by(3) {
        disk.flip("store", at, 1 << (at % 8));
        let volume = open(&disk, SMALL);
        for key in 0..30 {
            if let Some(bytes) = get(&volume, key) {
                assert!(Some(bytes) == bodies[usize::from(key)], "byte {at} flipped, key {key}");
            }
        }
        drop(volume);
        for (file, bytes) in &whole {
            disk.overwrite(file, bytes);
        }
    }
}

#[test]
fn attack_71_a_flip_under_an_open_store_is_counted_and_the_object_forgotten() {
    let disk = SimulatedDisk::default();
    let counters = Arc::default();
    let volume = open_with(&disk, LARGE, &counters).unwrap();
    let bytes = put(&volume, 3, 900);
    let at = disk.bytes("data").windows(bytes.len()).position(|window| window == bytes).unwrap();
    disk.flip("data", at + 450, 4);
    assert_eq!(get(&volume, 3), None);
    assert_eq!(counters.checksum_failures.value(), 1);
    assert!(volume.look_up(&name(3), Reading::Waits).unwrap().is_none());
    // In the front, and a record that another's place was overwritten with.
    put(&volume, 4, 900);
    let front = disk.bytes("data").windows(4).rposition(|window| window == b"head").unwrap();
    disk.flip("data", front, 1);
    assert!(volume.look_up(&name(4), Reading::Waits).unwrap().is_none());
    assert_eq!(counters.checksum_failures.value(), 2);
}

#[test]
fn a_whole_record_in_another_place_is_no_record() {
    let disk = SimulatedDisk::default();
    let volume = open(&disk, LARGE);
    put(&volume, 8, 400);
    let first = disk.bytes("data")[..1_024].to_vec();
    put(&volume, 8, 500);
    // A write that went to the wrong place: the older version lies where the newer one should.
    let mut bytes = disk.bytes("data");
    bytes.copy_within(..first.len(), first.len());
    disk.overwrite("data", &bytes);
    assert_eq!(get(&volume, 8), None);
    drop(volume);
    assert_ne!(get(&open(&disk, LARGE), 8).map(|bytes| bytes.len()), Some(500));
}

#[test]
fn attack_71_a_damaged_record_hides_what_it_replaced_or_removed_and_nothing_behind_it() {
    // Of the fields that say which record it is, those that nothing else can stand in for: the lap, the fingerprint.
    const ALONE: [std::ops::Range<usize>; 2] = [40..44, 56..64];
    let disk = SimulatedDisk::default();
    let volume = open(&disk, LARGE);
    put(&volume, 1, 300);
    put(&volume, 2, 300);
    let replaced = usize::try_from(volume.log().cursor()).unwrap();
    let new = put(&volume, 1, 200);
    let removed = usize::try_from(volume.log().cursor()).unwrap();
    volume.note_removed([&name(2)[..]].into_iter()).unwrap();
    let behind = put(&volume, 3, 300);
    drop(volume);
    for (from, length) in [(replaced, 96 + 4 + 4 + 28), (removed, 96 + 8)] {
        for at in (0..length).filter(|at| !ALONE.iter().any(|range| range.contains(at))) {
            // The list of a removal is its fingerprints.
            if from == removed && at >= 96 {
                continue;
            }
            disk.flip("data", from + at, 1 << (at % 8));
            let volume = open(&disk, LARGE);
            assert!(get(&volume, 1).is_none_or(|bytes| bytes == new), "byte {at} of the new version flipped");
            assert_eq!(get(&volume, 2), None, "byte {at} of {from} flipped");
            assert_eq!(get(&volume, 3).as_ref(), Some(&behind), "byte {at} of {from} flipped");
            drop(volume);
            disk.flip("data", from + at, 1 << (at % 8));
        }
    }
}

#[test]
fn attack_71_a_removal_that_seems_longer_than_it_is_removes_no_more_and_the_log_goes_on() {
    // Of the third byte of `front`, which then says more than the region holds, and of the second.
    for (byte, bit) in [(17, 1), (17, 16), (18, 1)] {
        let disk = SimulatedDisk::default();
        let volume = open(&disk, SMALL);
        put(&volume, 1, 300);
        let removed = usize::try_from(volume.log().cursor()).unwrap();
        volume.note_removed([&name(2)[..]].into_iter()).unwrap();
        let behind = put(&volume, 3, 300);
        drop(volume);
        disk.flip("data", removed + byte, bit);
        let volume = open(&disk, SMALL);
        assert_eq!(get(&volume, 3), Some(behind));
        let newest: Vec<_> = (10..60).map(|key| put(&volume, key, 700)).collect();
        drop(volume);
        assert_eq!(get(&open(&disk, SMALL), 59).as_ref(), newest.last());
    }
}
