//! What may lie in the directory when a store is opened.

use super::*;
use crate::media::Folder;
use crate::superblock::{SECTOR, Superblock};
use crate::volume::recover;

#[test]
fn a_larger_size_keeps_everything_and_a_smaller_one_begins_empty() {
    let disk = SimulatedDisk::default();
    let bytes = put(&open(&disk, SMALL), 1, 800);
    let larger = Geometry { size: SMALL.size * 2, ..SMALL };
    assert_eq!(get(&open(&disk, larger), 1), Some(bytes));
    let volume = open(&disk, SMALL);
    assert_eq!(get(&volume, 1), None);
    let bytes = put(&volume, 1, 700);
    drop(volume);
    // Another cut for new stores does not concern one that is there.
    let other = Geometry { region: 16_384, ..SMALL };
    assert_eq!(get(&open(&disk, other), 1), Some(bytes));
}

#[test]
fn a_store_of_small_regions_on_a_disk_that_has_become_very_large_goes_on() {
    let there = Superblock { region: 16 << 20, count: 64, epoch: 1, store: 2, secret: 3 };
    let grown = recover::resized(there, Geometry::of(2 << 40)).unwrap();
    assert_eq!((grown.region, grown.count), (16 << 20, u16::MAX));
}

#[test]
fn a_directory_has_one_user() {
    let disk = SimulatedDisk::default();
    let volume = open(&disk, SMALL);
    assert!(matches!(open_with(&disk, SMALL, &Arc::default()), Err(OpenError::Locked)));
    drop(volume);
    assert!(open_with(&disk, SMALL, &Arc::default()).is_ok());
}

#[test]
fn another_version_and_another_programs_file_are_refused_and_left_alone() {
    let disk = SimulatedDisk::default();
    drop(open(&disk, SMALL));
    let mut newer = disk.bytes("store");
    for copy in [0, SECTOR] {
        newer[copy + 16] = 2;
    }
    disk.overwrite("store", &newer);
    let error = open_with(&disk, SMALL, &Arc::default()).unwrap_err();
    assert!(error.to_string().starts_with("it has format version 2, this program reads 1"), "{error}");
    assert_eq!(disk.bytes("store"), newer);
    let disk = SimulatedDisk::default();
    disk.open("store").unwrap();
    disk.overwrite("store", b"somebody's letters");
    assert!(matches!(open_with(&disk, SMALL, &Arc::default()), Err(OpenError::Foreign)));
}

#[test]
fn a_size_that_holds_no_regions_is_said() {
    let tiny = Geometry { size: 20_000, region: 8_192 };
    let error = open_with(&SimulatedDisk::default(), tiny, &Arc::default()).unwrap_err();
    assert!(matches!(error, OpenError::TooSmall { size: 20_000 }));
    assert_eq!(Geometry::of(64 << 20), Geometry { size: 64 << 20, region: 16 << 20 });
    assert_eq!(Geometry::of(1 << 40).count(), 1_024);
    assert!(Geometry::of(64 << 40).count() > 60_000);
}
