//! A disk store whose process is killed while it writes, opened again, and every byte of it compared.
//!
//! The child says on its standard output what it is about to do, a line each: `p KEY VERSION` puts, `r KEY` removes, `f`:
//! all before is on the disk. So its parent knows, when the pipe has ended, what may be there: the last state
//! before the last `f`, or any after it.

use bytes::Bytes;
use diskstore::{BLOCK, DiskConfig, Disks, Object};
use std::io::{self, BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};

/// Keys that are written over and over.
const KEYS: u64 = 150;
/// The longest body, in blocks.
const MOST_BLOCKS: u64 = 6;
/// Lines after which the child is killed: from its first breath to some rounds of the log.
const MOST_LINES: u64 = 500;

/// What some kills came to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Toll {
    /// Processes killed.
    pub kills: u32,
    /// Objects found and compared after a kill, over all kills.
    pub objects: u64,
    /// Their blocks.
    pub blocks: u64,
    /// Objects with a byte that was never put there, or that had been removed or replaced for good. Must be 0.
    pub wrong: u64,
    /// Blocks that were refused by their sum. Not served; after a kill alone there should be none.
    pub refused: u64,
}

/// The store of all these.
fn config(directory: &Path) -> DiskConfig {
    DiskConfig { directory: directory.to_owned(), size: DiskConfig::LEAST_SIZE }
}

/// Numbers without end from `seed` (SplitMix64).
pub fn numbers(seed: u64) -> impl Iterator<Item = u64> {
    let mut state = seed;
    std::iter::repeat_with(move || {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    })
}

fn name(key: u64) -> Bytes {
    Bytes::from(format!("http://origin.example/lessons/{key}/segment.m4s"))
}

/// Bytes of the body of `version`: between nothing and the longest.
fn length(version: u64) -> usize {
    let longest = MOST_BLOCKS * BLOCK as u64;
    // Most are small, as in life.
    let most = numbers(version).next().map_or(longest, |kind| if kind % 8 == 0 { longest } else { 40_000 });
    usize::try_from(numbers(!version).next().unwrap_or_default() % (most + 1)).unwrap_or(BLOCK)
}

/// Block `number` of `version` under `key`.
fn block(key: u64, version: u64, number: usize) -> Bytes {
    let length = (length(version) - number * BLOCK).min(BLOCK);
    let words = numbers(version ^ (key << 48) ^ ((number as u64) << 40));
    let mut bytes: Vec<u8> = words.take(length.div_ceil(8)).flat_map(u64::to_le_bytes).collect();
    bytes.truncate(length);
    Bytes::from(bytes)
}

fn blocks(version: u64) -> usize {
    length(version).div_ceil(BLOCK)
}

/// Puts, extends, removes and flushes for ever. The child's part: it ends by being killed.
///
/// # Errors
/// When the store cannot be opened or nobody reads the lines any more.
pub fn write_until_killed(directory: &Path, seed: u64) -> io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    let disks = Disks::open(&[config(directory)], |_| false, |_| {})?;
    let mut out = io::stdout().lock();
    // Whatever stands on this line already is not ours.
    writeln!(out)?;
    let mut chance = numbers(seed);
    let mut below = move |most: u64| chance.next().unwrap_or_default() % most;
    for count in 1.. {
        let (key, version) = (below(KEYS), (seed << 32) | count);
        let whole = |part: fn(usize) -> bool| -> Vec<(u32, Bytes)> {
            let numbers = (0..blocks(version)).filter(|&number| part(number));
            numbers
                .map(|number| (u32::try_from(number).unwrap_or_default(), block(key, version, number)))
                .collect()
        };
        let object = |blocks| Object {
            head: Bytes::copy_from_slice(&version.to_le_bytes()),
            length: Some(length(version) as u64),
            blocks,
        };
        match below(24) {
            0 | 1 => {
                writeln!(out, "r {key}")?;
                disks.remove(&name(key));
            }
            2..6 => {
                writeln!(out, "p {key} {version}")?;
                if let Some(generation) = disks.put(&name(key), object(whole(|number| number % 2 == 1))) {
                    disks.extend(&name(key), generation, whole(|number| number % 2 == 0));
                }
            }
            6 if runtime.block_on(disks.flush()) => writeln!(out, "f")?,
            _ => {
                writeln!(out, "p {key} {version}")?;
                disks.put(&name(key), object(whole(|_| true)));
            }
        }
    }
    Ok(())
}

/// Kills `kills` children that write to the store in `directory`, and compares what is there after each. `child` makes the
/// command that calls [`write_until_killed`].
///
/// # Errors
/// When a child cannot be started or the store not be opened.
pub fn kill(directory: &Path, kills: u32, mut child: impl FnMut(u64) -> Command) -> io::Result<Toll> {
    let mut toll = Toll::default();
    let mut allowed: Vec<Vec<Option<u64>>> = vec![vec![None]; usize::try_from(KEYS).unwrap_or_default()];
    for round in 1..=u64::from(kills) {
        run_and_kill(child(round), numbers(round).next().unwrap_or_default() % MOST_LINES, &mut allowed)?;
        toll.kills += 1;
        let runtime = tokio::runtime::Builder::new_current_thread().build()?;
        let disks = Disks::open(&[config(directory)], |_| false, |_| {})?;
        for (key, allowed) in (0..).zip(&mut allowed) {
            let found = runtime.block_on(check(&disks, key, allowed, &mut toll));
            *allowed = vec![found];
        }
    }
    Ok(toll)
}

/// Lets the child run until it has said so many lines, kills it, and takes in what it had said.
fn run_and_kill(mut command: Command, lines: u64, allowed: &mut [Vec<Option<u64>>]) -> io::Result<()> {
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn()?;
    let said = child.stdout.take().ok_or(io::ErrorKind::BrokenPipe)?;
    let mut left = lines;
    for line in BufReader::new(said).lines() {
        let line = line?;
        let mut words = line.split(' ');
        let (word, key) = (words.next(), words.next().and_then(|key| key.parse::<usize>().ok()));
        let states = key.and_then(|key| allowed.get_mut(key));
        match (word, states, words.next().and_then(|version| version.parse().ok())) {
            (Some("p"), Some(states), Some(version)) => states.push(Some(version)),
            (Some("r"), Some(states), None) => states.push(None),
            (Some("f"), None, None) => {
                allowed.iter_mut().for_each(|states| drop(states.drain(..states.len() - 1)))
            }
            _ => continue,
        }
        if left == 0 {
            child.kill()?;
        }
        left = left.saturating_sub(1);
    }
    child.wait().map(drop)
}

/// Compares what is under `key`; gives the version that is there.
async fn check(disks: &Disks, key: u64, allowed: &[Option<u64>], toll: &mut Toll) -> Option<u64> {
    let stored = disks.look_up(&name(key)).await?;
    let version = stored.head().first_chunk().map(|bytes| u64::from_le_bytes(*bytes));
    toll.objects += 1;
    let version = version.filter(|_| allowed.contains(&version));
    let Some(version) = version.filter(|&version| stored.length() == Some(length(version) as u64)) else {
        toll.wrong += 1;
        return None;
    };
    for number in stored.blocks() {
        match stored.read(vec![number]).await.as_deref() {
            Ok([bytes]) => {
                toll.blocks += 1;
                toll.wrong +=
                    u64::from(*bytes != block(key, version, usize::try_from(number).unwrap_or_default()));
            }
            _ => toll.refused += 1,
        }
    }
    Some(version)
}
