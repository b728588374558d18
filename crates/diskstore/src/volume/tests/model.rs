//! Random operations compared with a map: what the store gives is what was put, or nothing.

use super::*;
use crate::media::simulated::Faults;
use crate::pin::Until;
use crate::volume::WriteError;
use proptest::prelude::*;
use proptest::strategy::Union;
use std::collections::{BTreeMap, BTreeSet};

const KEYS: u8 = 10;
const BLOCKS: u32 = 6;
const KINDS: [std::io::ErrorKind; 2] = [std::io::ErrorKind::StorageFull, std::io::ErrorKind::Other];

#[derive(Debug, Clone)]
enum Step {
    Put {
        key: u8,
        blocks: BTreeSet<u32>,
        length: usize,
    },
    Extend {
        key: u8,
        blocks: BTreeSet<u32>,
    },
    Freshen {
        key: u8,
    },
    Pin {
        key: u8,
        pinned: bool,
    },
    Remove {
        key: u8,
    },
    Get {
        key: u8,
    },
    Flush,
    /// The process ends, by itself or by a signal: what it wrote the kernel has.
    Reopen,
    CutPower {
        seed: u64,
    },
    Fail(Faults),
    Flip {
        file: bool,
        at: usize,
        bit: u8,
    },
}

fn steps(faults: bool, flips: bool) -> impl Strategy<Value = Vec<Step>> {
    let key = || 0..KEYS;
    let blocks = || prop::collection::btree_set(0..BLOCKS, 0..BLOCKS as usize);
    let failing = prop_oneof![
        (0u32..6, prop::sample::select(&KINDS[..]))
            .prop_map(|fault| Faults { writes_fail: Some(fault), ..Faults::default() }),
        (0u32..6).prop_map(|after| Faults { reads_fail: Some(after), ..Faults::default() }),
        Just(Faults { syncs_fail: true, ..Faults::default() }),
        (1usize..700).prop_map(|most| Faults { short_writes: Some(most), ..Faults::default() }),
        Just(Faults::default()),
        Just(Faults::default()),
    ];
    let usual = prop_oneof![
        12 => (key(), blocks(), 0usize..1_000)
            .prop_map(|(key, blocks, length)| Step::Put { key, blocks, length }),
        6 => (key(), blocks()).prop_map(|(key, blocks)| Step::Extend { key, blocks }),
        3 => key().prop_map(|key| Step::Freshen { key }),
        1 => (key(), any::<bool>()).prop_map(|(key, pinned)| Step::Pin { key, pinned }),
        3 => key().prop_map(|key| Step::Remove { key }),
        6 => key().prop_map(|key| Step::Get { key }),
        1 => Just(Step::Flush),
        2 => Just(Step::Reopen),
    ];
    let fault = prop_oneof![
        2 => any::<u64>().prop_map(|seed| Step::CutPower { seed }),
        4 => failing.prop_map(Step::Fail),
    ];
    let flip =
        (any::<bool>(), any::<usize>(), 0u8..8).prop_map(|(file, at, bit)| Step::Flip { file, at, bit });
    let all =
        [(34, usual.boxed()), (6 * u32::from(faults), fault.boxed()), (3 * u32::from(flips), flip.boxed())];
    let step = Union::new_weighted(all.into_iter().filter(|(weight, _)| *weight > 0).collect());
    prop::collection::vec(step, 1..150)
}

/// One state of a key: which version, under which head.
type Shown = Option<(u64, Bytes)>;

#[derive(Default)]
struct Known {
    /// Every version that was ever put: the length and the numbers of its blocks.
    versions: BTreeMap<u64, (usize, BTreeSet<u32>)>,
    /// Every state there ever was.
    ever: Vec<Shown>,
    /// The states that may be seen now. More than one where an operation failed half way.
    live: Vec<Shown>,
    /// The states that may be seen after a power cut.
    cut: Vec<Shown>,
}

impl Known {
    fn became(&mut self, shown: Shown, certain: bool) {
        if certain {
            self.live.clear();
        }
        self.live.push(shown.clone());
        self.cut.push(shown.clone());
        self.ever.push(shown);
    }
}

struct Model {
    disk: SimulatedDisk,
    geometry: Geometry,
    volume: Option<Volume>,
    counters: Arc<Counters>,
    keys: Vec<Known>,
    /// Nothing may be missing: the store is large and nothing has failed.
    strict: bool,
    /// A write failed at the place where the next one goes: what it left there may still count after the next start.
    torn: bool,
    /// Bits were changed: what is damaged may uncover what it had replaced, at this start or a later one.
    flipped: bool,
    heads: u64,
}

impl Model {
    fn new(geometry: Geometry, strict: bool) -> Self {
        let disk = SimulatedDisk::default();
        let counters = Arc::default();
        let volume = open_with(&disk, geometry, &counters).ok();
        let known = || Known { live: vec![None], cut: vec![None], ever: vec![None], ..Known::default() };
        let keys = (0..KEYS).map(|_| known()).collect();
        Self { disk, geometry, volume, counters, keys, strict, torn: false, flipped: false, heads: 0 }
    }

    fn run(mut self, steps: &[Step]) {
        for step in steps {
            self.step(step);
        }
        self.disk.set_faults(Faults::default());
        self.reopen();
        for key in 0..KEYS {
            self.check(key);
        }
        if self.strict {
            assert_eq!(self.counters.checksum_failures.value(), 0);
        }
    }

    fn step(&mut self, step: &Step) {
        if self.volume.is_none() {
            self.reopen();
        }
        let Some(volume) = &self.volume else { return self.set_faults(step) };
        match step {
            Step::Put { key, blocks, length } => {
                let generation = volume.next_generation();
                let known = &mut self.keys[usize::from(*key)];
                assert!(
                    known.versions.insert(generation, (*length, blocks.clone())).is_none(),
                    "numbers are new"
                );
                self.heads += 1;
                let head = Bytes::from(format!("head {}", self.heads));
                let blocks =
                    blocks.iter().map(|&number| (number, content(*key, generation, number, *length)));
                let object = Object { head: head.clone(), length: Some(7), blocks: blocks.collect() };
                let put = volume.put(name(*key), generation, object);
                known.became(Some((generation, head)), put.is_ok());
                self.torn = put.is_err();
            }
            Step::Extend { key, blocks } => {
                let known = &mut self.keys[usize::from(*key)];
                let [Some((generation, _))] = known.live[..] else { return };
                let Some((length, there)) = known.versions.get_mut(&generation) else { return };
                let more = blocks.iter().map(|&number| (number, content(*key, generation, number, *length)));
                match volume.extend(&name(*key), generation, more.collect()) {
                    Ok(()) => there.extend(blocks),
                    Err(WriteError::Superseded) => assert!(!self.strict),
                    Err(_) => self.torn = true,
                }
            }
            Step::Freshen { key } => {
                let known = &mut self.keys[usize::from(*key)];
                let [Some((generation, _))] = known.live[..] else { return };
                self.heads += 1;
                let head = Bytes::from(format!("head {}", self.heads));
                match volume.freshen(&name(*key), generation, head.clone()) {
                    Err(WriteError::Superseded) => assert!(!self.strict),
                    done => {
                        known.became(Some((generation, head)), done.is_ok());
                        self.torn |= done.is_err();
                    }
                }
            }
            Step::Pin { key, pinned } => {
                self.torn |= matches!(
                    volume.pin(&name(*key), Until(if *pinned { u16::MAX } else { 0 })),
                    Err(WriteError::Io(_))
                );
            }
            Step::Remove { key } => {
                volume.hide(&name(*key));
                let noted = volume.note_removed([&name(*key)[..]].into_iter());
                assert!(
                    volume.look_up(&name(*key), Reading::Waits).is_ok_and(|found| found.is_none()),
                    "gone at once"
                );
                self.keys[usize::from(*key)].became(None, noted.is_ok());
                self.torn |= noted.is_err();
            }
            Step::Get { key } => self.check(*key),
            Step::Flush => {
                if volume.flush().is_ok() {
                    self.settled();
                }
            }
            Step::Reopen => self.reopen(),
            Step::CutPower { seed } => {
                self.volume = None;
                let mut state = seed | 1;
                self.disk.cut_power(|below| {
                    state =
                        state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                    usize::try_from(state >> 33).unwrap() % below
                });
                for known in &mut self.keys {
                    known.live.clone_from(&known.cut);
                }
                self.reopen();
                (0..KEYS).for_each(|key| self.check(key));
            }
            Step::Fail(_) => self.set_faults(step),
            Step::Flip { file, at, bit } => {
                let file = if *file { "data" } else { "store" };
                let length = self.disk.length(file);
                self.disk.flip(file, at % length, 1 << bit);
                self.flipped = true;
            }
        }
    }

    fn set_faults(&self, step: &Step) {
        if let Step::Fail(faults) = step {
            self.disk.set_faults(*faults);
        }
    }

    fn settled(&mut self) {
        for known in &mut self.keys {
            known.cut.clone_from(&known.live);
        }
    }

    fn reopen(&mut self) {
        self.volume = None;
        match open_with(&self.disk, self.geometry, &self.counters) {
            Ok(volume) => self.volume = Some(volume),
            Err(error) => {
                assert!(!self.strict, "{error}");
                // Both copies of the superblock were hit: refused, and nothing is served.
                if matches!(error, OpenError::Foreign | OpenError::Version { .. }) {
                    self.disk.overwrite("store", &[0; 1_024]);
                }
            }
        }
    }

    fn check(&mut self, key: u8) {
        let Some(volume) = &self.volume else { return };
        let known = &mut self.keys[usize::from(key)];
        let Ok(found) = volume.look_up(&name(key), Reading::Waits) else { return assert!(!self.strict) };
        let Some(located) = found else {
            return assert!(!self.strict || known.live == [None], "{key} is lost");
        };
        let shown = Some((located.front.generation, located.front.head.clone()));
        let may_be = if self.flipped { &known.ever } else { &known.live };
        assert!(may_be.contains(&shown), "{key}: {shown:?} is none of {may_be:?}");
        let (length, there) = &known.versions[&located.front.generation];
        for number in 0..BLOCKS {
            match volume.read_block(&located, number, Reading::Waits) {
                Ok(bytes) => {
                    assert!(
                        bytes == content(key, located.front.generation, number, *length),
                        "{key}/{number}"
                    );
                }
                Err(error) => assert!(!self.strict || !there.contains(&number), "{key}/{number}: {error}"),
            }
        }
        if !self.torn && !self.flipped {
            known.live = vec![shown];
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 192, max_shrink_iters: 4_096, ..ProptestConfig::default() })]

    #[test]
    fn nothing_is_lost_where_there_is_room(steps in steps(false, false)) {
        Model::new(LARGE, true).run(&steps);
    }

    #[test]
    fn a_full_store_gives_what_was_put_or_nothing(steps in steps(false, false)) {
        Model::new(SMALL, false).run(&steps);
    }

    #[test]
    fn attack_70_and_72_whatever_fails_and_whenever_the_power_goes_no_byte_is_wrong(steps in steps(true, false)) {
        Model::new(SMALL, false).run(&steps);
    }

    #[test]
    fn attack_71_whichever_bits_flip_no_byte_is_wrong(steps in steps(true, true)) {
        Model::new(SMALL, false).run(&steps);
    }
}
