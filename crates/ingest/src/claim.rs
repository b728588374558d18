//! Who is working on what, when several processes or machines make one lesson.
//!
//! A claim saves work and guards nothing: results are the same bytes whoever made them, and what is written is written
//! whole. So two who do the same unit are a waste and no fault, and a claim may be judged by what it looks like from
//! here: its holder on this machine is dead, or it stood still for longer than a living holder's ever does. No clock of
//! another machine is believed.

use crate::clock::Stopwatch;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::fs;
use std::time::Duration;

/// How often a holder shows that it lives.
pub const BEAT_EVERY: Duration = Duration::from_secs(5);
/// A claim that stood still for this long is abandoned: several beats may be late on a busy store.
const ABANDONED_AFTER: Duration = Duration::from_secs(45);

/// A process, told from every other there ever was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// The running system: a number the kernel makes at every start.
    boot: String,
    /// The process.
    process: u32,
    /// When it began, in the kernel's ticks: process numbers come again.
    began: String,
}

/// A unit is being worked on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claim {
    /// By whom; `None` when its last holder let go of it.
    pub holder: Option<Holder>,
    /// Goes up as long as the holder lives.
    pub beat: u64,
}

/// What a claim means to somebody who would like to do the unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Nobody holds it.
    Free,
    /// Somebody is at it.
    Held,
}

impl Holder {
    /// This process.
    pub fn me() -> Self {
        let process = std::process::id();
        let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
        Self { boot: boot.trim().to_owned(), process, began: began(process).unwrap_or_default() }
    }

    /// Whether it surely ended: it ran on this very system, and there is no such process any more.
    fn is_dead(&self, me: &Self) -> bool {
        self.boot == me.boot && began(self.process).as_deref() != Some(self.began.as_str())
    }
}

/// Field 22 of `/proc/<process>/stat` (proc(5)), counted from behind the name, which may hold anything.
fn began(process: u32) -> Option<String> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    let (_, fields) = stat.rsplit_once(')')?;
    fields.split_whitespace().nth(19).map(str::to_owned)
}

/// Remembers claims of others, to see which of them stand still.
#[derive(Debug, Default)]
pub struct Onlooker {
    seen: HashMap<String, (Claim, Stopwatch)>,
}

impl Onlooker {
    /// What the claim on `unit` means to `me` now.
    pub fn judge(&mut self, unit: &str, claim: &Claim, me: &Holder) -> Standing {
        let still = match self.seen.get(unit) {
            Some((before, since)) if before == claim => since.elapsed(),
            _ => {
                self.seen.insert(unit.to_owned(), (claim.clone(), Stopwatch::start()));
                Duration::ZERO
            }
        };
        judge(claim, me, still)
    }
}

fn judge(claim: &Claim, me: &Holder, still: Duration) -> Standing {
    match &claim.holder {
        None => Standing::Free,
        Some(holder) if holder.is_dead(me) || still >= ABANDONED_AFTER => Standing::Free,
        Some(_) => Standing::Held,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_living_hold_a_claim() {
        let me = Holder::me();
        let elsewhere = Holder { boot: "another".to_owned(), ..me.clone() };
        let dead = Holder { began: "0".to_owned(), ..me.clone() };
        let none = Duration::ZERO;
        for (holder, still, standing, case) in [
            (None, none, Standing::Free, "let go"),
            (Some(me.clone()), none, Standing::Held, "another thread of this process"),
            (Some(dead), none, Standing::Free, "a process of this machine that ended"),
            (Some(elsewhere.clone()), none, Standing::Held, "another machine"),
            (Some(elsewhere.clone()), ABANDONED_AFTER - BEAT_EVERY, Standing::Held, "some beats late"),
            (Some(elsewhere), ABANDONED_AFTER, Standing::Free, "standing still"),
        ] {
            assert_eq!(judge(&Claim { holder, beat: 3 }, &me, still), standing, "{case}");
        }
    }
}
