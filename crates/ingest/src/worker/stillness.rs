//! Whether a worker stands still: its threads wait for each other, and no limit on processor time will ever be met.

use std::time::Duration;

/// How often its processor time is looked at, at most.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Since when nothing has been heard of a worker and it has used no processor time.
#[derive(Debug, Default)]
pub(super) struct Stillness {
    /// After the worker's start.
    since: Duration,
    looked: Duration,
    /// As the kernel counts it.
    cpu: u64,
}

impl Stillness {
    /// Something came from it or went to it.
    pub(super) fn heard(&mut self, now: Duration) {
        self.since = now;
    }

    /// How long it has stood still by `now`; `cpu` tells the processor time it has used, and is asked once a second.
    pub(super) fn lasts(&mut self, now: Duration, cpu: impl FnOnce() -> u64) -> Duration {
        if now.saturating_sub(self.looked) >= LOOK_EVERY {
            self.looked = now;
            let cpu = cpu();
            if std::mem::replace(&mut self.cpu, cpu) != cpu {
                self.since = now;
            }
        }
        now.saturating_sub(self.since)
    }
}

/// Processor time of all threads of a process by its `/proc/PID/stat`, in the kernel's ticks (proc_pid_stat(5): `utime` and
/// `stime`); 0 where the text says none.
pub(super) fn ticks(stat: &str) -> u64 {
    // The name before may hold anything, parentheses and spaces too.
    let fields = stat.rsplit_once(')').map_or("", |(_, fields)| fields).split_ascii_whitespace();
    fields.skip(11).take(2).filter_map(|field| field.parse::<u64>().ok()).fold(0, u64::saturating_add)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_stands_still_when_neither_words_nor_processor_time_come() {
        let second = Duration::from_secs;
        let mut stillness = Stillness::default();
        for (now, cpu, heard, still, case) in [
            (1, 10, false, 0, "it starts"),
            (2, 10, false, 1, "nothing"),
            (5, 10, true, 0, "a word"),
            (8, 10, false, 3, "nothing again"),
            (9, 11, false, 0, "it works"),
            (70, 11, false, 61, "threads that wait for each other"),
        ] {
            if heard {
                stillness.heard(second(now));
            }
            assert_eq!(stillness.lasts(second(now), || cpu), second(still), "{case}");
        }
        // Between two looks nobody asks.
        assert_eq!(
            stillness.lasts(Duration::from_millis(70_500), || panic!("asked")),
            Duration::from_millis(61_500)
        );
    }

    #[test]
    fn processor_time_is_found_behind_any_name() {
        let rest = "S 1 2 3 0 -1 4194560 9 0 0 0 120 34 0 0 20 0 5 0 100";
        for (stat, expected) in [
            (format!("7 (exe) {rest}"), 154),
            (format!("7 (a) b) () {rest}"), 154),
            ("7 (exe) S 1".to_owned(), 0),
            (String::new(), 0),
            (format!("7 (exe) {rest}").replace("120", &u64::MAX.to_string()), u64::MAX),
        ] {
            assert_eq!(ticks(&stat), expected, "{stat}");
        }
    }
}
