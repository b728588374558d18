//! What this process may have of the machine at most: the machine's own figures, or its control groups' where they allow less.

use std::path::{Path, PathBuf};

/// Bytes of memory; `None` where nothing can be read.
pub(super) fn memory() -> Option<f64> {
    memory_below(Path::new("/"))
}

/// CPU seconds a second; `None`: as many as there are cores.
pub(super) fn cpu() -> Option<f64> {
    cpu_below(Path::new("/"))
}

fn memory_below(root: &Path) -> Option<f64> {
    let total = read(&root.join("proc/meminfo")).as_deref().and_then(total_memory);
    let groups = files(root, "memory", "memory.max", "memory.limit_in_bytes");
    // `max`, or in version 1 a number beyond all memory, where there is no limit.
    let limits = groups.iter().filter_map(|file| read(file)?.trim().parse().ok());
    limits.chain(total).min_by(f64::total_cmp)
}

fn cpu_below(root: &Path) -> Option<f64> {
    let groups = files(root, "cpu", "cpu.max", "cpu.max");
    groups.iter().filter_map(|file| cpu_quota(&read(file)?)).min_by(f64::total_cmp)
}

/// Where a controller's limit of this process may stand: in each of its groups, from its own to the one above all. `new` is the
/// file's name in control groups of version 2, `old` in those of version 1.
///
/// A container may see its own group as the topmost and still be told the whole path: what is not there is passed over.
fn files(root: &Path, controller: &str, new: &str, old: &str) -> Vec<PathBuf> {
    let text = read(&root.join("proc/self/cgroup")).unwrap_or_default();
    let mounted = root.join("sys/fs/cgroup");
    let groups = text.lines().filter_map(|line| {
        // `0::/a/b` or `4:cpu,cpuacct:/a/b`
        let (controllers, path) = line.split_once(':')?.1.split_once(':')?;
        let (at, file) = match controllers {
            "" => (mounted.clone(), new),
            _ if controllers.split(',').any(|name| name == controller) => (mounted.join(controller), old),
            _ => return None,
        };
        let path = Path::new(path.trim_start_matches('/')).to_path_buf();
        let below: Vec<_> = path.ancestors().map(|group| at.join(group).join(file)).collect();
        Some(below)
    });
    groups.flatten().collect()
}

fn read(path: &Path) -> Option<String> {
    std::fs::read_to_string(path).ok()
}

/// `max 100000` or `150000 100000`: microseconds in a period, and the period.
fn cpu_quota(text: &str) -> Option<f64> {
    let mut words = text.split_whitespace();
    let (quota, period): (f64, f64) = (words.next()?.parse().ok()?, words.next()?.parse().ok()?);
    (quota > 0.0 && period > 0.0).then(|| quota / period)
}

/// `MemTotal: 8000000 kB`, in bytes.
fn total_memory(text: &str) -> Option<f64> {
    let kib: f64 = text.strip_prefix("MemTotal:")?.split_whitespace().next()?.parse().ok()?;
    Some(kib * 1_024.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A machine of 8,000,000 kB whose process is in these groups, of which some have limits.
    fn machine(groups: &str, limits: &[(&str, &str)]) -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        let files = [("proc/meminfo", "MemTotal:  8000000 kB\n"), ("proc/self/cgroup", groups)];
        for (path, text) in files.iter().chain(limits) {
            let path = root.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        root
    }

    #[test]
    fn the_least_of_the_machine_s_memory_and_all_groups_holds() {
        const TOTAL: f64 = 8_192_000_000.0;
        let unit = "0::/system.slice/airclass-edge.service\n";
        for (groups, limits, least) in [
            ("", &[][..], TOTAL),
            (unit, &[], TOTAL),
            (unit, &[("sys/fs/cgroup/system.slice/airclass-edge.service/memory.max", "7000\n")], 7_000.0),
            (
                unit,
                &[
                    ("sys/fs/cgroup/system.slice/airclass-edge.service/memory.max", "max\n"),
                    ("sys/fs/cgroup/system.slice/memory.max", "6000\n"),
                ],
                6_000.0,
            ),
            // A container that is told its path from outside.
            ("0::/docker/1\n", &[("sys/fs/cgroup/memory.max", "5000\n")], 5_000.0),
            (
                "5:cpu,cpuacct:/x\n4:memory:/a/b\n0::/\n",
                &[("sys/fs/cgroup/memory/a/memory.limit_in_bytes", "4000\n")],
                4_000.0,
            ),
            (
                "4:memory:/\n",
                &[("sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n")],
                TOTAL,
            ),
            ("nonsense\n4:\n", &[("sys/fs/cgroup/memory.max", "-\n")], TOTAL),
        ] {
            let root = machine(groups, limits);
            let found = memory_below(root.path()).unwrap();
            assert!((found - least).abs() < 0.5, "{groups}: {found}");
        }
        assert_eq!(memory_below(tempfile::tempdir().unwrap().path()), None);
    }

    #[test]
    fn a_group_s_computing_time_is_found_like_its_memory() {
        let unit = "0::/system.slice/airclass-edge.service\n";
        let root = machine(
            unit,
            &[
                ("sys/fs/cgroup/system.slice/airclass-edge.service/cpu.max", "max 100000\n"),
                ("sys/fs/cgroup/system.slice/cpu.max", "150000 100000\n"),
            ],
        );
        assert_eq!(cpu_below(root.path()), Some(1.5));
        assert_eq!(cpu_below(machine(unit, &[]).path()), None);
        for nonsense in ["", "a", "0 0", "max 100000"] {
            assert_eq!((cpu_quota(nonsense), total_memory(nonsense)), (None, None));
        }
    }
}
