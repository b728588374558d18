//! Attack 70: a power cut took a record and left some behind it. The next run writes over the gap; what lay behind it stays gone.

use super::*;

/// What the disk holds at these bytes is as it was `before`.
fn take(disk: &SimulatedDisk, before: &[u8], bytes: std::ops::Range<usize>) {
    let mut now = disk.bytes("data");
    now[bytes.clone()].copy_from_slice(&before[bytes]);
    disk.overwrite("data", &now);
}

fn cursor(volume: &Volume) -> usize {
    usize::try_from(volume.log().cursor()).unwrap()
}

#[test]
fn attack_70_nothing_of_an_earlier_run_comes_back_behind_a_damaged_record() {
    let disk = SimulatedDisk::default();
    let volume = open(&disk, LARGE);
    let shown = put(&volume, 1, 300);
    let (gap, before) = (cursor(&volume), disk.bytes("data"));
    put(&volume, 2, 300);
    let torn = cursor(&volume);
    put(&volume, 3, 900);
    let left = put(&volume, 1, 200);
    drop(volume);
    // The second record did not arrive; of the third the first sector, with the head in it cut; the fourth did.
    take(&disk, &before, gap..torn);
    disk.flip("data", torn + 100, 1);
    let volume = open(&disk, LARGE);
    assert_eq!(get(&volume, 1).as_ref(), Some(&shown));
    let behind = put(&volume, 4, 300);
    assert_eq!(cursor(&volume), torn, "it fills the gap");
    drop(volume);
    let volume = open(&disk, LARGE);
    assert_ne!(get(&volume, 1), Some(left));
    assert_eq!((get(&volume, 1), get(&volume, 4)), (Some(shown), Some(behind)));
}

#[test]
fn attack_70_what_a_second_run_writes_again_is_not_what_the_first_one_wrote() {
    let disk = SimulatedDisk::default();
    let volume = open(&disk, LARGE);
    let shown = put(&volume, 1, 300);
    let (gap, before) = (cursor(&volume), disk.bytes("data"));
    volume.note_removed([&name(2)[..]].into_iter()).unwrap();
    let behind = cursor(&volume);
    put(&volume, 1, 200);
    drop(volume);
    take(&disk, &before, gap..behind);
    let volume = open(&disk, LARGE);
    assert_eq!(get(&volume, 1).as_ref(), Some(&shown));
    volume.note_removed([&name(2)[..]].into_iter()).unwrap();
    drop(volume);
    assert_eq!(get(&open(&disk, LARGE), 1), Some(shown));
}
