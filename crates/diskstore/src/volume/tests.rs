//! The store against a map: random operations, every kind of fault, and whatever comes back compared byte by byte.

mod faults;
mod flips;
mod keyed;
mod lost;
mod model;
mod power;
mod resize;
mod room;

use super::*;
use crate::media::simulated::SimulatedDisk;
use crate::volume::{Begin, Object, OpenError};
use bytes::Bytes;

/// Small enough that a few operations go round the log: records up to 2 KiB, blocks up to 1 KiB.
const SMALL: Geometry = Geometry { size: 8 * 8_192, region: 8_192 };
/// Large enough that nothing has to be given up.
const LARGE: Geometry = Geometry { size: 64 * 65_536, region: 65_536 };

/// No two new stores are alike.
static STORES: AtomicU64 = AtomicU64::new(1);

fn open_with(
    disk: &SimulatedDisk,
    geometry: Geometry,
    counters: &Arc<Counters>,
) -> Result<Volume, OpenError> {
    let begin = Begin { identity: (STORES.fetch_add(1, Ordering::Relaxed), 0x5ec7e7), anew: false };
    let wanted: Wanted = Arc::new(|key| key.first().is_some_and(|first| first % 4 == 0));
    Volume::open(disk, geometry, begin, wanted, Arc::clone(counters))
}

fn open(disk: &SimulatedDisk, geometry: Geometry) -> Volume {
    open_with(disk, geometry, &Arc::default()).expect("a sound disk opens")
}

/// The bytes of block `number` of version `generation` under `key`: no two alike.
fn content(key: u8, generation: u64, number: u32, length: usize) -> Bytes {
    let seed = [&[key][..], &generation.to_le_bytes(), &number.to_le_bytes()].concat();
    let mut state = checksum::sum(&seed) | 1;
    let next = std::iter::repeat_with(|| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()[0]
    });
    next.take(length).collect()
}

fn name(key: u8) -> Bytes {
    Bytes::from(vec![key; 1 + usize::from(key) * 3])
}

fn object(head: &'static [u8], blocks: Vec<(u32, Bytes)>) -> Object {
    Object { head: Bytes::from_static(head), length: None, blocks }
}

/// Puts one block under `key` and gives its bytes.
fn put(volume: &Volume, key: u8, length: usize) -> Bytes {
    let generation = volume.next_generation();
    let bytes = content(key, generation, 0, length);
    volume.put(name(key), generation, object(b"head", vec![(0, bytes.clone())])).expect("it can be put");
    bytes
}

/// The first block under `key`; `None` when the object is not there or not whole.
fn get(volume: &Volume, key: u8) -> Option<Bytes> {
    let located = volume.look_up(&name(key), Reading::Waits).ok()??;
    volume.read_block(&located, 0, Reading::Waits).ok()
}
