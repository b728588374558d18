//! From shares of what there is to a level. Takes `now`; reads no clock and no machine.

use serve::Level;
use std::time::Duration;
use telemetry::Label;
use tokio::time::Instant;

/// What can run out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reason {
    /// Computing time.
    Cpu,
    /// What may be sent a second, where that is limited.
    Bandwidth,
    /// Memory beside the RAM tier.
    Memory,
    /// The kernel's memory for what connections have not sent or read yet.
    Sockets,
    /// Client connections.
    Connections,
    /// Disks of the disk tier.
    Disk,
}

impl Label for Reason {
    const ALL: &'static [Self] =
        &[Self::Cpu, Self::Bandwidth, Self::Memory, Self::Sockets, Self::Connections, Self::Disk];

    fn as_str(self) -> &'static str {
        match self {
            Self::Cpu => "cpu",
            Self::Bandwidth => "bandwidth",
            Self::Memory => "memory",
            Self::Sockets => "sockets",
            Self::Connections => "connections",
            Self::Disk => "disk",
        }
    }

    fn index(self) -> usize {
        self as usize
    }
}

/// One look at the machine: for each [`Reason`] the share that is used, 0 to 1 (or above).
pub(crate) type Samples = [f64; REASONS];

const REASONS: usize = Reason::ALL.len();

/// From which share on each level above calm holds.
const ENTER: [(f64, Level); 3] = [(0.75, Level::Busy), (0.85, Level::High), (0.95, Level::Critical)];
/// So much below the share by which it was entered a level is left again.
const SLACK: f64 = 0.1;
/// For so long, so that who was refused and comes back does not find the door swinging.
const HOLD: Duration = Duration::from_secs(10);
/// Weight of the newest second of what is a rate or a queue. Stocks (memory, connections) are what they are.
const NEWEST: f64 = 0.5;

/// Judges one look after the other.
#[derive(Debug, Default)]
pub(crate) struct Judge {
    level: Level,
    shares: Samples,
    /// Since when a lower level would do.
    relieved: Option<Instant>,
}

impl Judge {
    /// As last judged.
    pub(crate) fn level(&self) -> Level {
        self.level
    }

    /// What is used of it, smoothed.
    pub(crate) fn share(&self, reason: Reason) -> f64 {
        self.shares[reason.index()]
    }

    /// What is used most.
    pub(crate) fn worst(&self) -> Reason {
        let by_share = |a: &&Reason, b: &&Reason| self.share(**a).total_cmp(&self.share(**b));
        Reason::ALL.iter().max_by(by_share).copied().unwrap_or(Reason::Cpu)
    }

    /// Up at once, down by one level when that has been enough for a while.
    pub(crate) fn judge(&mut self, now: Instant, samples: &Samples) -> Level {
        for &reason in Reason::ALL {
            let (share, sample) = (&mut self.shares[reason.index()], samples[reason.index()]);
            *share = match reason {
                Reason::Cpu | Reason::Bandwidth | Reason::Disk => NEWEST * sample + (1.0 - NEWEST) * *share,
                Reason::Memory | Reason::Sockets | Reason::Connections => sample,
            };
        }
        let share = self.share(self.worst());
        let wanted = level_of(share);
        if wanted >= self.level || level_of(share + SLACK) >= self.level {
            self.level = self.level.max(wanted);
            self.relieved = None;
        } else if now.duration_since(*self.relieved.get_or_insert(now)) >= HOLD {
            self.level = Level::ALL[self.level as usize - 1];
            self.relieved = Some(now);
        }
        self.level
    }
}

fn level_of(share: f64) -> Level {
    ENTER.iter().rev().find(|(enter, _)| share >= *enter).map_or(Level::Calm, |(_, level)| *level)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn memory(share: f64) -> Samples {
        let mut samples = Samples::default();
        samples[Reason::Memory.index()] = share;
        samples
    }

    #[test]
    fn up_at_once_and_down_step_by_step() {
        let start = Instant::now();
        let mut judge = Judge::default();
        assert_eq!(judge.judge(start, &memory(0.74)), Level::Calm);
        assert_eq!(judge.judge(start, &memory(0.75)), Level::Busy);
        assert_eq!(judge.judge(start, &memory(0.99)), Level::Critical);
        assert_eq!(judge.worst(), Reason::Memory);
        let mut levels = Vec::new();
        for second in 0..45 {
            levels.push(judge.judge(start + SECOND * second, &memory(0.2)));
        }
        levels.dedup();
        assert_eq!(levels, [Level::Critical, Level::High, Level::Busy, Level::Calm]);
    }

    #[test]
    fn a_share_at_the_edge_does_not_swing_the_door() {
        let start = Instant::now();
        let mut judge = Judge::default();
        judge.judge(start, &memory(0.96));
        for second in 0..100 {
            let share = if second % 2 == 0 { 0.94 } else { 0.86 };
            assert_eq!(judge.judge(start + SECOND * second, &memory(share)), Level::Critical);
        }
        // Relief that does not last is none.
        for second in 100..200 {
            let share = if second % 9 == 0 { 0.95 } else { 0.5 };
            assert_eq!(judge.judge(start + SECOND * second, &memory(share)), Level::Critical);
        }
    }

    #[test]
    fn a_second_of_full_speed_is_no_overload() {
        let start = Instant::now();
        let mut judge = Judge::default();
        let mut cpu = Samples::default();
        cpu[Reason::Cpu.index()] = 1.0;
        assert_eq!(judge.judge(start, &cpu), Level::Calm);
        assert_eq!(judge.judge(start + SECOND, &cpu), Level::Busy);
        for second in 2..6 {
            judge.judge(start + SECOND * second, &cpu);
        }
        assert_eq!(judge.level(), Level::Critical);
    }
}
