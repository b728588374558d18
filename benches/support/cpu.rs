//! CPU time of processes, from the kernel's scheduler.

use anyhow::{Context, Result, ensure};
use std::time::Duration;

/// What all threads of `pids` have run so far, user and system, to the nanosecond.
///
/// `/proc/PID/task/*/schedstat` and not `/proc/PID/stat`: the latter counts ticks of 4 ms by looking who happens to run
/// when the tick comes, which flatters programs that sleep often.
///
/// # Errors
/// When a process is gone, or the kernel keeps no scheduler statistics.
pub(crate) fn spent(pids: &[u32]) -> Result<Duration> {
    let mut nanoseconds = 0;
    for pid in pids {
        let tasks = format!("/proc/{pid}/task");
        for task in std::fs::read_dir(&tasks).with_context(|| format!("cannot read {tasks}"))? {
            let file = task?.path().join("schedstat");
            let text =
                std::fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))?;
            nanoseconds += ran(&text).with_context(|| format!("{} is not understood", file.display()))?;
        }
    }
    ensure!(nanoseconds > 0, "the kernel keeps no scheduler statistics (CONFIG_SCHED_INFO)");
    Ok(Duration::from_nanos(nanoseconds))
}

/// The first number of `schedstat`: nanoseconds on a CPU.
fn ran(schedstat: &str) -> Option<u64> {
    schedstat.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_number_counts() {
        assert_eq!(ran("2876555 17 3\n"), Some(2_876_555));
        assert_eq!(ran(""), None);
    }
}
