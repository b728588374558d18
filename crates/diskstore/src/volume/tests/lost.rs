//! Objects that cannot be read: what a walk or a look-up that comes by them makes of that.

use super::*;
use crate::media::simulated::Faults;
use crate::record::UNIT;
use std::io::ErrorKind;

/// The sector in which an object's record begins can be read no more.
fn break_sector_of(disk: &SimulatedDisk, volume: &Volume, key: u8) -> Faults {
    let slot = volume.index.get(fingerprint(volume.hash(&name(key)))).unwrap();
    let place = Place { region: slot.region, sequence: 0, offset: slot.offset() };
    let from = volume.position(place);
    let faults = Faults { unreadable: Some((from, from + u64::from(UNIT))), ..Faults::default() };
    disk.set_faults(faults);
    faults
}

/// What a walk over all of it comes by: keys in order, and how many are lost.
fn walked(volume: &Volume) -> (Vec<Bytes>, usize) {
    let prints: Vec<u64> = (0..crate::index::SHARDS).flat_map(|part| volume.in_part(part)).collect();
    let fronts = volume.fronts(&prints);
    assert!(!fronts.failed || fronts.read.is_empty());
    let mut keys: Vec<Bytes> = fronts.read.into_iter().map(|front| front.key).collect();
    keys.sort_unstable();
    (keys, fronts.lost)
}

#[test]
fn what_a_walk_cannot_read_is_gone_for_good_and_the_rest_is_there() {
    for is_damaged in [false, true] {
        let (disk, counters) = (SimulatedDisk::default(), Arc::default());
        let volume = open_with(&disk, LARGE, &counters).unwrap();
        put(&volume, 1, 100);
        let rest = [2, 3].map(|key| put(&volume, key, 100));
        put(&volume, 1, 200);
        let (from, _) = break_sector_of(&disk, &volume, 1).unreadable.unwrap();
        let at = usize::try_from(from).unwrap() + 100;
        if is_damaged {
            disk.set_faults(Faults::default());
            disk.flip("data", at, 1);
        }
        assert_eq!(walked(&volume), (vec![name(2), name(3)], 1));
        let counted = (counters.read_errors.value(), counters.checksum_failures.value());
        assert_eq!(counted, if is_damaged { (0, 1) } else { (1, 0) });
        assert_eq!(walked(&volume), (vec![name(2), name(3)], 0));
        volume.flush().unwrap();
        drop(volume);
        // Whatever came over the sector: neither it nor what it had replaced is shown.
        disk.set_faults(Faults::default());
        if is_damaged {
            disk.flip("data", at, 1);
        }
        let volume = open(&disk, LARGE);
        assert_eq!(
            [1, 2, 3].map(|key| get(&volume, key)),
            [None, Some(rest[0].clone()), Some(rest[1].clone())]
        );
    }
}

#[test]
fn what_is_put_in_place_of_what_could_not_be_read_stays() {
    let disk = SimulatedDisk::default();
    let volume = open(&disk, LARGE);
    for key in [1, 2] {
        put(&volume, key, 100);
        break_sector_of(&disk, &volume, key);
        assert_eq!(walked(&volume).1, 1);
        disk.set_faults(Faults::default());
    }
    let before = put(&volume, 1, 200);
    volume.flush().unwrap();
    let after = put(&volume, 2, 200);
    volume.flush().unwrap();
    drop(volume);
    let volume = open(&disk, LARGE);
    assert_eq!([1, 2].map(|key| get(&volume, key)), [Some(before), Some(after)]);
}

#[test]
fn a_disk_that_takes_no_writes_either_loses_nothing_by_a_walk() {
    let disk = SimulatedDisk::default();
    let volume = open(&disk, LARGE);
    let bytes = put(&volume, 1, 100);
    volume.flush().unwrap();
    let faults = break_sector_of(&disk, &volume, 1);
    disk.set_faults(Faults { writes_fail: Some((0, ErrorKind::Other)), ..faults });
    assert_eq!(walked(&volume).1, 1);
    assert!(volume.flush().is_err() && volume.flush_rest().is_err(), "it is still to be written down");
    disk.set_faults(Faults::default());
    drop(volume);
    assert_eq!(get(&open(&disk, LARGE), 1), Some(bytes));
}

/// Each look-up read it again, and waited for as long as the disk takes to say that it cannot.
#[test]
fn what_a_look_up_cannot_read_is_read_once_and_gone_for_good() {
    let (disk, counters) = (SimulatedDisk::default(), Arc::default());
    let volume = open_with(&disk, LARGE, &counters).unwrap();
    put(&volume, 1, 100);
    let other = put(&volume, 2, 100);
    put(&volume, 1, 200);
    break_sector_of(&disk, &volume, 1);
    let look_up = || volume.look_up(&name(1), Reading::Waits).map(|found| found.is_some());
    assert!(matches!(look_up(), Err(crate::ReadError::Io(_))));
    assert!(matches!(look_up(), Ok(false)));
    assert_eq!((counters.read_errors.value(), get(&volume, 2).as_ref()), (1, Some(&other)));
    volume.flush().unwrap();
    drop(volume);
    disk.set_faults(Faults::default());
    let volume = open(&disk, LARGE);
    assert_eq!([1, 2].map(|key| get(&volume, key)), [None, Some(other)]);
}

#[test]
fn an_object_one_of_whose_blocks_cannot_be_read_is_given_up() {
    let (disk, counters) = (SimulatedDisk::default(), Arc::default());
    let volume = open_with(&disk, LARGE, &counters).unwrap();
    put(&volume, 1, 100);
    let faults = break_sector_of(&disk, &volume, 1);
    disk.set_faults(Faults::default());
    // Its front lies in another record by now than its first block.
    let generation = volume.look_up(&name(1), Reading::Waits).unwrap().unwrap().front.generation;
    volume.extend(&name(1), generation, vec![(1, content(1, generation, 1, 100))]).unwrap();
    disk.set_faults(faults);
    assert_eq!((get(&volume, 1), get(&volume, 1)), (None, None));
    assert_eq!(counters.read_errors.value(), 1);
    volume.flush().unwrap();
    drop(volume);
    disk.set_faults(Faults::default());
    assert_eq!(get(&open(&disk, LARGE), 1), None);
}

/// The disk was only read for a while, for a write that had not failed.
#[test]
fn what_cannot_be_read_is_not_there_to_be_pinned() {
    let disk = SimulatedDisk::default();
    let volume = open(&disk, LARGE);
    put(&volume, 1, 100);
    break_sector_of(&disk, &volume, 1);
    assert_eq!(volume.pin(&name(1), crate::pin::Until(u16::MAX)).unwrap(), crate::pin::Pinned::NotThere);
}
