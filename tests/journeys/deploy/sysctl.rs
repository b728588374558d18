//! The kernel's profile: lines that this kernel knows, each with a reason.

use journeys::project;
use std::path::Path;

#[test]
fn every_line_is_known_to_the_kernel_and_has_a_reason() {
    let profile = std::fs::read_to_string(project().join("deploy/sysctl/60-airclass.conf")).unwrap();
    // In a network of its own (a container's) a machine-wide key of the network is not shown.
    let whole = Path::new("/proc/sys/net/core/rmem_max").exists();
    let (mut reason, mut lines) = (false, 0);
    for line in profile.lines() {
        match line.split_once(" = ") {
            _ if line.starts_with('#') => reason = true,
            _ if line.is_empty() => reason = false,
            None => panic!("{line:?} is no KEY = VALUE"),
            Some((key, value)) => {
                assert!(reason, "{key} has no reason above it");
                assert!(!value.trim().is_empty(), "{key} has no value");
                lines += 1;
                // As systemd reads it: what begins with "-" may be missing.
                if !key.starts_with('-') && (whole || !key.starts_with("net.")) {
                    let path = Path::new("/proc/sys").join(key.replace('.', "/"));
                    assert!(path.exists(), "{key} is not known to this kernel");
                }
            }
        }
    }
    assert!(lines > 20, "{lines}");
}
