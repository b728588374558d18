//! Memory of processes, from the kernel's page tables.

use anyhow::{Context, Result};

/// Proportional set size of `pids` together in bytes: what is theirs alone, and their share of what they share. The
/// resident set would count a page that two nginx workers share twice.
///
/// # Errors
/// When a process is gone.
pub(crate) fn proportional(pids: &[u32]) -> Result<u64> {
    pids.iter().try_fold(0, |sum, pid| {
        let file = format!("/proc/{pid}/smaps_rollup");
        let text = std::fs::read_to_string(&file).with_context(|| format!("cannot read {file}"))?;
        Ok(sum + bytes_in(&text, "Pss:").with_context(|| format!("{file} has no Pss"))?)
    })
}

/// Resident set size of one process in bytes: cheap enough to be asked for many times a second.
///
/// # Errors
/// When it is gone.
pub(crate) fn resident(pid: u32) -> Result<u64> {
    let file = format!("/proc/{pid}/status");
    let text = std::fs::read_to_string(&file).with_context(|| format!("cannot read {file}"))?;
    bytes_in(&text, "VmRSS:").with_context(|| format!("{file} has no VmRSS"))
}

/// The line of that name, in bytes.
fn bytes_in(text: &str, name: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib * 1_024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pss_and_not_its_parts() {
        let rollup =
            "55d-7ff ---p 00000000 00:00 0 [rollup]\nRss:  900 kB\nPss:   812 kB\nPss_Dirty:  700 kB\n";
        assert_eq!(bytes_in(rollup, "Pss:"), Some(812 * 1_024));
        assert_eq!(bytes_in("Rss: 1 kB\n", "Pss:"), None);
    }
}
