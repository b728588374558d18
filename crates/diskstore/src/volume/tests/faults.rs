//! What is kept and given up, and what happens when the disk says no.

use super::*;
use crate::clock;
use crate::media::simulated::Faults;
use crate::pin::{Pinned, Until};
use crate::volume::{ReadError, WriteError};
use std::io::ErrorKind;
use std::time::Duration;

#[test]
fn partial_objects_grow_and_are_read_block_by_block() {
    let disk = SimulatedDisk::default();
    let volume = open(&disk, LARGE);
    let generation = volume.next_generation();
    let block = |number| (number, content(1, generation, number, 1_000));
    let partial = Object { length: Some(7_000), ..object(b"partial", vec![block(2), block(5)]) };
    volume.put(name(1), generation, partial).unwrap();
    volume.extend(&name(1), generation, vec![block(0), block(2)]).unwrap();
    assert!(matches!(volume.extend(&name(1), generation + 9, vec![block(1)]), Err(WriteError::Superseded)));
    for volume in [&volume, &{
        drop(volume.look_up(b"", Reading::Waits));
        volume.flush().unwrap();
        reopened(&disk)
    }] {
        let located = volume.look_up(&name(1), Reading::Waits).unwrap().unwrap();
        assert_eq!(located.front.total, Some(7_000));
        let there: Vec<_> = (0..8).filter(|&number| volume.has_block(&located.front, number)).collect();
        assert_eq!(there, [0, 2, 5]);
        for number in there {
            assert_eq!(volume.read_block(&located, number, Reading::Waits).unwrap(), block(number).1);
        }
        assert!(matches!(volume.read_block(&located, 1, Reading::Waits), Err(ReadError::Gone)));
    }
}

/// The same disk for a second reader, as after a kill: the first one's lock is not in the way.
fn reopened(disk: &SimulatedDisk) -> Volume {
    let copy = SimulatedDisk::default();
    for file in ["store", "data"] {
        copy.overwrite(file, &disk.bytes(file));
    }
    open(&copy, LARGE)
}

#[test]
fn a_new_head_leaves_the_body_where_it_is() {
    let disk = SimulatedDisk::default();
    let counters = Arc::default();
    let volume = open_with(&disk, LARGE, &counters).unwrap();
    let generation = volume.next_generation();
    let body = content(1, generation, 0, 1_024);
    volume.put(name(1), generation, object(b"old", vec![(0, body.clone())])).unwrap();
    let before = counters.written_bytes.value();
    volume.freshen(&name(1), generation, Bytes::from_static(b"new")).unwrap();
    assert_eq!(counters.written_bytes.value() - before, 512);
    let located = volume.look_up(&name(1), Reading::Waits).unwrap().unwrap();
    assert_eq!(
        (&located.front.head[..], volume.read_block(&located, 0, Reading::Waits).unwrap()),
        (&b"new"[..], body)
    );
}

const FOR_EVER: Until = Until(u16::MAX);

#[test]
fn what_is_asked_for_wanted_or_pinned_stays_and_the_rest_goes() {
    let disk = SimulatedDisk::default();
    let volume = open(&disk, SMALL);
    // 1 is asked for now and then, 2 is pinned, 4 is wanted by the RAM tier, 3 by nobody.
    let bodies: Vec<_> = (1..=4).map(|key| put(&volume, key, 300)).collect();
    assert_eq!(volume.pin(&name(2), FOR_EVER).unwrap(), Pinned::Kept);
    for round in 0..200 {
        put(&volume, 9 + (round % 8) * 2 + 1, 900);
        assert_eq!(get(&volume, 1).as_ref(), Some(&bodies[0]), "round {round}");
    }
    assert_eq!(
        [2, 3, 4].map(|key| get(&volume, key)),
        [Some(bodies[1].clone()), None, Some(bodies[3].clone())]
    );
    drop(volume);
    let volume = open(&disk, SMALL);
    assert_eq!(get(&volume, 2), Some(bodies[1].clone()), "a pin outlives the process");
}

#[test]
fn what_is_pinned_stays_is_bounded_and_does_not_stop_the_log() {
    let disk = SimulatedDisk::default();
    let counters = Arc::default();
    let volume = open_with(&disk, SMALL, &counters).unwrap();
    assert_eq!(volume.pin(&name(1), FOR_EVER).unwrap(), Pinned::NotThere);
    let mut kept = Vec::new();
    for key in 0..200 {
        let bytes = put(&volume, key, 1_000);
        match volume.pin(&name(key), FOR_EVER).unwrap() {
            Pinned::Kept => kept.push((key, bytes)),
            refused => assert_eq!(refused, Pinned::NoRoom),
        }
        assert!(volume.pinned_bytes() <= SMALL.size / 4);
    }
    assert!(kept.len() > 3 && counters.lost_pins.value() == 0, "{}", kept.len());
    drop(volume);
    let volume = open(&disk, SMALL);
    for key in 201..250 {
        put(&volume, key, 1_000);
    }
    assert!(kept.iter().all(|(key, bytes)| get(&volume, *key).as_ref() == Some(bytes)));
    // A newer version is pinned as well; what is let go makes room.
    let newer = put(&volume, kept[0].0, 900);
    assert_eq!(volume.pin(&name(kept[1].0), Until::default()).unwrap(), Pinned::Kept);
    for round in 0..150 {
        put(&volume, 201 + round % 49, 1_000);
    }
    assert_eq!(get(&volume, kept[0].0), Some(newer));
    assert_eq!(get(&volume, kept[1].0), None);
    assert_eq!(volume.pin(&name(249), FOR_EVER).unwrap(), Pinned::Kept);
}

#[test]
fn a_pin_that_has_ended_is_none() {
    let volume = open(&SimulatedDisk::default(), SMALL);
    put(&volume, 1, 1_000);
    assert_eq!(volume.pin(&name(1), Until(1)).unwrap(), Pinned::Kept);
    for key in 100..200 {
        put(&volume, key, 1_000);
    }
    assert_eq!((get(&volume, 1), volume.pinned_bytes()), (None, 0));
}

/// Its record had it still, so it was taken for no new one: pins went past their quarter of the disk, one end after another.
#[test]
fn a_pin_after_one_that_has_ended_is_a_new_one() {
    let geometry = Geometry { size: 32 * 8_192, region: 8_192 };
    let (volume, most) = (open(&SimulatedDisk::default(), geometry), geometry.size / 4);
    // Together a quarter more than may be pinned, by and by.
    for keys in [0..40, 40..80] {
        for key in keys {
            put(&volume, key, 1_000);
            assert_eq!(volume.pin(&name(key), Until(1)).unwrap(), Pinned::Kept);
        }
        volume.index.forget_ended_pins(clock::wall());
        assert_eq!(volume.pinned_bytes(), 0);
    }
    let answers: Vec<_> = (0..80).map(|key| volume.pin(&name(key), FOR_EVER).unwrap()).collect();
    assert!(answers.contains(&Pinned::Kept) && answers.contains(&Pinned::NoRoom), "{answers:?}");
    assert!(volume.pinned_bytes() <= most, "{} of {most}", volume.pinned_bytes());
}

/// It was said to be kept, for its record had that end already, and was let go with the rest.
#[test]
fn a_pin_that_a_clock_ahead_has_ended_can_be_set_again() {
    let volume = open(&SimulatedDisk::default(), SMALL);
    let bytes = put(&volume, 1, 1_000);
    let until = Until::of(clock::wall() + Duration::from_secs(86_400));
    assert_eq!(volume.pin(&name(1), until).unwrap(), Pinned::Kept);
    volume.index.forget_ended_pins(clock::wall() + Duration::from_secs(10 * 86_400));
    assert_eq!(volume.pin(&name(1), until).unwrap(), Pinned::Kept);
    for key in 100..200 {
        put(&volume, key, 1_000);
    }
    assert_eq!(get(&volume, 1), Some(bytes));
}

#[test]
fn attack_72_a_full_or_failing_disk_loses_what_it_was_given_and_nothing_else() {
    for kind in [ErrorKind::StorageFull, ErrorKind::Other] {
        let disk = SimulatedDisk::default();
        let volume = open(&disk, LARGE);
        let bytes = put(&volume, 1, 900);
        disk.set_faults(Faults { writes_fail: Some((1, kind)), ..Faults::default() });
        let failed = volume.put(name(2), volume.next_generation(), object(b"", vec![(0, bytes.clone())]));
        assert!(matches!(failed, Err(WriteError::Io(error)) if error.kind() == kind));
        assert_eq!((get(&volume, 1), get(&volume, 2)), (Some(bytes.clone()), None));
        disk.set_faults(Faults::default());
        let second = put(&volume, 2, 100);
        drop(volume);
        let volume = open(&disk, LARGE);
        assert_eq!((get(&volume, 1), get(&volume, 2)), (Some(bytes), Some(second)));
    }
}

#[test]
fn a_start_on_a_disk_that_cannot_be_read_forgets_nothing() {
    let disk = SimulatedDisk::default();
    let volume = open(&disk, LARGE);
    put(&volume, 6, 100);
    let newest = put(&volume, 6, 200);
    drop(volume);
    // Whichever read it is that fails.
    for after in 0..8 {
        disk.set_faults(Faults { reads_fail: Some(after), ..Faults::default() });
        if let Ok(volume) = open_with(&disk, LARGE, &Arc::default()) {
            disk.set_faults(Faults::default());
            assert_eq!(get(&volume, 6).as_ref(), Some(&newest), "read {after} fails");
        }
        disk.set_faults(Faults::default());
        assert_eq!(get(&open(&disk, LARGE), 6).as_ref(), Some(&newest), "read {after} failed before");
    }
}

#[test]
fn nothing_is_written_behind_a_footer() {
    let disk = SimulatedDisk::default();
    let volume = open(&disk, SMALL);
    put(&volume, 3, 400);
    let mut key = 10;
    while volume.log().cursor() < 7_000 {
        put(&volume, key, 400);
        key += 1;
    }
    disk.set_faults(Faults { syncs_fail: true, ..Faults::default() });
    let large = object(b"", vec![(0, Bytes::from(vec![1; 1_000]))]);
    assert!(matches!(volume.put(name(1), volume.next_generation(), large), Err(WriteError::Io(_))));
    // It would fit where the large one did not.
    let removed = volume.note_removed([&name(3)[..]].into_iter());
    drop(volume);
    disk.set_faults(Faults::default());
    assert!(removed.is_err() || get(&open(&disk, SMALL), 3).is_none(), "what is gone stays gone");
}

#[test]
fn what_is_too_large_is_said_and_harms_nothing() {
    let disk = SimulatedDisk::default();
    let volume = open(&disk, SMALL);
    let too_long = |object| volume.put(name(1), volume.next_generation(), object);
    let block = |number| (number, Bytes::from(vec![1; 1_000]));
    for object in [
        Object { head: Bytes::from(vec![0; 5_000]), ..Object::default() },
        Object { blocks: vec![(0, Bytes::from(vec![0; 1_025]))], ..Object::default() },
        Object { blocks: (0..40).map(block).collect(), ..Object::default() },
    ] {
        assert!(matches!(too_long(object), Err(WriteError::TooLarge)));
    }
    assert!(get(&volume, 1).is_none());
}
