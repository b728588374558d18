//! Making room: what is worth keeping goes over to the next region, whatever fails and whenever the power goes.

use super::*;
use crate::media::simulated::Faults;
use crate::pin::{Pinned, Until};
use std::io::ErrorKind;

const FOR_EVER: Until = Until(u16::MAX);

/// One with something pinned in its first region, and the bytes of that.
fn with_pin(disk: &SimulatedDisk, counters: &Arc<Counters>) -> (Volume, Bytes) {
    let volume = open_with(disk, SMALL, counters).expect("a sound disk opens");
    let bytes = put(&volume, 2, 700);
    assert_eq!(volume.pin(&name(2), FOR_EVER).unwrap(), Pinned::Kept);
    volume.flush().unwrap();
    (volume, bytes)
}

/// Puts something that nobody asks for again; whether it could be put.
fn fill(volume: &Volume, round: u8) -> bool {
    let (key, generation) = (5 + (round % 120) * 2, volume.next_generation());
    let body = content(key, generation, 0, 900);
    volume.put(name(key), generation, object(b"head", vec![(0, body)])).is_ok()
}

/// It had been written again, not to the disk, and the region that had it was free there.
#[test]
fn attack_70_a_power_cut_behind_a_region_s_end_takes_nothing_that_was_pinned() {
    for more in 0..10 {
        let (disk, counters) = (SimulatedDisk::default(), Arc::<Counters>::default());
        let (volume, bytes) = with_pin(&disk, &counters);
        let mut round = 0;
        while counters.kept.value() == 0 {
            assert!(fill(&volume, round));
            round += 1;
        }
        (0..more).for_each(|round| assert!(fill(&volume, round)));
        drop(volume);
        // Nothing arrives that has not.
        disk.cut_power(|below| below - 1);
        assert_eq!(get(&open(&disk, SMALL), 2), Some(bytes), "{more} later");
    }
}

/// Where room could not be made once, it was made when there was no place left for what was to be kept.
#[test]
fn attack_72_a_write_that_fails_costs_nothing_that_is_pinned() {
    let mut failed = 0;
    // Each write of each put about the time when the first region is given up.
    for (at, after) in (20..70).flat_map(|at| (1..8).map(move |after| (at, after))) {
        let (disk, counters) = (SimulatedDisk::default(), Arc::<Counters>::default());
        let (volume, bytes) = with_pin(&disk, &counters);
        for round in 0..at + 20 {
            if round == at {
                let writes_fail = Some((after, ErrorKind::Other));
                disk.set_faults(Faults { writes_fail, ..Faults::default() });
            }
            failed += u32::from(!fill(&volume, round));
            disk.set_faults(Faults::default());
        }
        assert_eq!((get(&volume, 2), counters.lost_pins.value()), (Some(bytes), 0), "{at} {after}");
    }
    assert!(failed > 30, "{failed}");
}

/// What memory forgets and the disk does not, nobody would have removed.
#[test]
fn what_memory_has_forgotten_the_disk_forgets_with_the_next_barrier() {
    let of_writes = |after| {
        let writes_fail = Some((after, ErrorKind::Other));
        Faults { writes_fail, ..Faults::default() }
    };
    let of_syncs = Faults { syncs_fail: true, ..Faults::default() };
    for faults in (0..10).map(of_writes).chain([of_syncs]) {
        for rounds in [4, 20, 40, 60, 80] {
            let disk = SimulatedDisk::default();
            let volume = open(&disk, SMALL);
            (0..rounds).for_each(|round| assert!(fill(&volume, round)));
            disk.set_faults(faults);
            (0..12).for_each(|round| {
                fill(&volume, rounds + round);
            });
            disk.set_faults(Faults::default());
            volume.flush().unwrap();
            let there = |volume: &Volume| (0..=u8::MAX).filter(|&key| get(volume, key).is_some()).collect();
            let before: Vec<u8> = there(&volume);
            drop(volume);
            let behind: Vec<u8> = there(&open(&disk, SMALL));
            assert!(
                behind.iter().all(|key| before.contains(key)),
                "{faults:?} {rounds}: {before:?} {behind:?}"
            );
        }
    }
}

/// The next barrier held, and what had been removed or replaced came back with the power.
#[test]
fn attack_72_what_a_barrier_has_lost_is_not_there_because_the_next_one_holds() {
    for rounds in 0..40 {
        let disk = SimulatedDisk::default();
        let volume = open(&disk, SMALL);
        let [old, _] = [1, 3].map(|key| put(&volume, key, 300));
        (0..rounds).for_each(|round| assert!(fill(&volume, round)));
        volume.flush().unwrap();
        put(&volume, 1, 200);
        volume.hide(&name(3));
        volume.note_removed([&name(3)[..]].into_iter()).unwrap();
        disk.set_faults(Faults { syncs_fail: true, syncs_lose: true, ..Faults::default() });
        assert!(volume.flush().is_err());
        disk.set_faults(Faults::default());
        volume.flush().unwrap();
        drop(volume);
        disk.cut_power(|below| below - 1);
        let volume = open(&disk, SMALL);
        assert!(get(&volume, 1) != Some(old) && get(&volume, 3).is_none(), "{rounds}");
    }
}

/// One with something that the RAM tier has in its first region, and so much behind it; gives the version and the body of that.
fn with_wanted(disk: &SimulatedDisk, rounds: u8) -> (Volume, u64, Bytes) {
    let volume = open(disk, SMALL);
    let generation = volume.next_generation();
    let body = content(4, generation, 0, 700);
    volume.put(name(4), generation, object(b"head", vec![(0, body.clone())])).unwrap();
    (0..rounds).for_each(|round| assert!(fill(&volume, round)));
    (volume, generation, body)
}

/// Its body once it has got a new head.
fn under_a_new_head(volume: &Volume, generation: u64) -> Option<Bytes> {
    volume.freshen(&name(4), generation, Bytes::from(vec![7; 600])).unwrap();
    get(volume, 4)
}

/// Its own write had made room, and moved it; it was written with the places that it had before, which were gone.
#[test]
fn a_new_head_leaves_the_body_where_it_is_also_where_that_has_just_been_moved() {
    for rounds in 0..120 {
        let (volume, generation, body) = with_wanted(&SimulatedDisk::default(), rounds);
        assert_eq!(under_a_new_head(&volume, generation), Some(body), "{rounds}");
    }
}

/// The same where the room was owed since a write had failed.
#[test]
fn a_new_head_leaves_the_body_where_it_is_also_where_that_was_owed_a_move() {
    for (at, after) in (20..60).flat_map(|at| (1..6).map(move |after| (at, after))) {
        let disk = SimulatedDisk::default();
        let (volume, generation, body) = with_wanted(&disk, at);
        let writes_fail = Some((after, ErrorKind::Other));
        disk.set_faults(Faults { writes_fail, ..Faults::default() });
        fill(&volume, at);
        disk.set_faults(Faults::default());
        assert_eq!(under_a_new_head(&volume, generation), Some(body), "{at} {after}");
    }
}
