//! The configuration as a start would find it, without starting: every part of it is read by itself, so that all that is wrong is
//! told at once, and then the whole.

use crate::accounts::NodeConfig;
use crate::admission::AdmissionConfig;
use crate::options::{self, Config, Options};
use crate::overload;
use crate::owner::OwnerConfig;
use crate::policy::Policies;
use crate::prefill::FillConfig;
use crate::purge::PurgeConfig;
use crate::upstream::Upstreams;
use dayplan::{Place, PlanConfig};
use diskstore::DiskConfig;
use faults::Findings;
use feedback::Support;
use rustix::fs::{Access, access};
use settings::SettingsError;
use std::slice;
use units::ByteCount;

/// Reads what `options` name and finds what a start would refuse. Binds, writes and gives up nothing.
pub fn check(options: &Options) -> Findings {
    let mut findings = Findings::default();
    findings.take(telemetry::check(&options.log).map_err(|problem| SettingsError::value("log", problem)));
    let groups = options.group.as_deref().unwrap_or_default();
    let simple = options.upstream.as_deref().unwrap_or_default();
    let named = groups.iter().map(|group| Upstreams::resolve(&[], slice::from_ref(group)));
    for group in named.chain((!simple.is_empty()).then(|| Upstreams::resolve(simple, &[]))) {
        findings.take(group);
    }
    findings.take(Policies::resolve(&options.cache, options::STALE_ON_ERROR, groups));
    findings.take(PurgeConfig::resolve(&options.purge));
    findings.take(AdmissionConfig::resolve(&options.admission, options.plan.keys.is_some()));
    findings.take(OwnerConfig::resolve(&options.owner));
    findings.take(NodeConfig::resolve(&options.node));
    findings.take(Support::resolve(&options.support));
    findings.take(accesslog::Config::resolve(&options.access_log));
    for disk in findings.take(options::disks(options)).into_iter().flatten() {
        note_room(&disk, &mut findings);
        note_store(&disk, &mut findings);
    }
    findings.take(FillConfig::resolve(&options.fill, options::ram(options), false));
    findings.take(options::folder("coverage", options.coverage.as_deref()));
    findings.take(options::folder("feedback", options.feedback.as_deref()));
    if let Some(Some(plan)) = findings.take(PlanConfig::resolve(&options.plan)) {
        note_plan(&plan, &mut findings);
    }
    let ram = options::ram(options);
    if let Some(problem) = overload::too_little_memory(options.memory_cap, ram) {
        findings.note(problem);
    }
    // What parts ask of each other, and those that have no part of their own above.
    findings.take(Config::resolve(options));
    for disk in options.disk.iter().flatten().filter(|disk| !disk.is_dir()) {
        let disk = disk.display();
        findings.note(format!(
            "`disk` names {disk}, which is no folder now; an edge serves without it until it is"
        ));
    }
    note_unwritable(options, &mut findings);
    findings.count(groups.len() + usize::from(!simple.is_empty()), "group");
    if let Some(serve) = findings.take(options::listeners(&options.serve)) {
        serve::check(&serve, &mut findings);
    }
    findings
}

/// Room that a disk has not got is no fault either: it is tried again, and the edge serves without it meanwhile. Whether it is free
/// is not asked: the cache of before may have it.
fn note_room(disk: &DiskConfig, findings: &mut Findings) {
    let Ok(there) = rustix::fs::statvfs(&disk.directory) else { return };
    let all = there.f_blocks.saturating_mul(there.f_frsize);
    if disk.size > all {
        let (directory, size, all) = (disk.directory.display(), ByteCount(disk.size), ByteCount(all));
        findings.note(format!(
            "`disk_size` gives {directory} {size}, and its file system has {all}; an edge serves without it"
        ));
    }
}

/// What another program, or another version of this one, has left there is no fault: an edge serves without it. Who goes back to the
/// version of before is to know it beforehand.
fn note_store(disk: &DiskConfig, findings: &mut Findings) {
    if let Err(error) = diskstore::look_into(&disk.directory) {
        let directory = disk.directory.display();
        findings.note(format!("`disk` names {directory}: {error}; an edge serves without it"));
    }
}

/// A place of plans that is not there is no fault: a start waits for it, with what it has kept.
fn note_plan(plan: &PlanConfig, findings: &mut Findings) {
    let Place::Path(path) = &plan.place else { return };
    let folder = if path.is_dir() { Access::EXEC_OK } else { Access::empty() };
    if !path.exists() {
        let path = path.display();
        findings.note(format!(
            "`plan.source` names {path}, which is not there now; no plan is followed until it is"
        ));
    } else if let Err(error) = access(path, Access::READ_OK | folder) {
        let path = path.display();
        findings.note(format!(
            "`plan.source` names {path}: {error} for this user; no plan is followed until it can be read"
        ));
    }
}

/// A folder of somebody else's is no fault either: a start serves, and loses what was to be written. It is tried as the user who
/// checks, so that root finds none.
fn note_unwritable(options: &Options, findings: &mut Findings) {
    let folders = [
        ("coverage", &options.coverage),
        ("feedback", &options.feedback),
        ("node.accounts", &options.node.accounts),
        ("access_log.dir", &options.access_log.dir),
        ("plan.state", &options.plan.state),
    ];
    let named = folders.into_iter().filter_map(|(key, folder)| Some((key, folder.as_ref()?)));
    let disks = options.disk.iter().flatten().map(|disk| ("disk", disk));
    for (key, folder) in named.chain(disks).filter(|(_, folder)| folder.is_dir()) {
        if let Err(error) = access(folder, Access::WRITE_OK | Access::EXEC_OK) {
            let folder = folder.display();
            findings.note(format!(
                "`{key}` names {folder}: {error} for this user; nothing is written there until it belongs to whom the edge runs as"
            ));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::{self, Permissions};
    use std::os::unix::fs::PermissionsExt;

    /// Root may write anywhere: this thread gives that up.
    fn as_anybody() {
        use rustix::thread::{CapabilitySet, capabilities, set_capabilities};
        let mut own = capabilities(None).unwrap();
        let over = CapabilitySet::DAC_OVERRIDE | CapabilitySet::DAC_READ_SEARCH;
        own.permitted.remove(over);
        own.effective.remove(over);
        set_capabilities(None, own).unwrap();
    }

    /// A folder that was made by hand for the service and left to root: `--check` found nothing, and the edge wrote nothing.
    #[test]
    fn a_folder_of_somebody_elses_is_noted() {
        let folder = tempfile::tempdir().unwrap();
        let named = |name: &str| {
            let path = folder.path().join(name);
            fs::create_dir_all(&path).unwrap();
            path
        };
        let mut options = Options {
            upstream: Some(vec!["http://127.0.0.1:1".to_owned()]),
            feedback: Some(named("feedback")),
            ..Options::default()
        };
        options.access_log.dir = Some(named("log"));
        as_anybody();
        assert_eq!(check(&options).notes(), [""; 0]);
        for name in ["feedback", "log"] {
            fs::set_permissions(named(name), Permissions::from_mode(0o555)).unwrap();
        }
        let findings = check(&options);
        let [feedback, log] = findings.notes() else { panic!("{:?}", findings.notes()) };
        assert!(feedback.starts_with("`feedback` names /") && feedback.contains("denied"), "{feedback}");
        assert!(log.starts_with("`access_log.dir` names /"), "{log}");
        let faults: Vec<_> = findings.into_faults().iter().map(ToString::to_string).collect();
        assert_eq!(faults, [""; 0]);
    }

    /// They passed for well, and the edge that was started with them had no disk, or nobody watched over its memory.
    #[test]
    fn what_no_machine_has_is_noted() {
        let folder = tempfile::tempdir().unwrap();
        let eib = ByteCount(1 << 60);
        let disk = DiskConfig::LEAST_SIZE;
        for (ram, size, notes) in [
            (options::RAM, ByteCount(disk), &[][..]),
            (eib, ByteCount(disk), &["`ram` is"]),
            (options::RAM, eib, &["`disk_size` gives"]),
        ] {
            let options = Options {
                upstream: Some(vec!["http://a".to_owned()]),
                ram: Some(ram),
                memory_cap: Some(ByteCount::mib(4_096)).filter(|_| ram == options::RAM),
                disk: Some(vec![folder.path().to_owned()]),
                disk_size: Some(vec![size]),
                ..Options::default()
            };
            let findings = check(&options);
            let told = findings.notes();
            let fits = told.iter().zip(notes).all(|(note, begins)| note.starts_with(begins));
            assert!(told.len() == notes.len() && fits, "{told:?}");
            assert!(findings.into_faults().is_empty());
        }
    }

    /// Who went back to an older version was told that all is well, and had no disk.
    #[test]
    fn a_disk_that_another_version_has_written_is_noted() {
        let newer = [&[0; 8], &b"airclass"[..], &[2, 0, 0, 0], &[0; 492]].concat();
        for (store, note) in [
            (None, None),
            (Some(&b""[..]), None),
            (Some(&newer), Some("it has format version 2")),
            (Some(b"somebody's letters"), Some("is not a cache's")),
        ] {
            let folder = tempfile::tempdir().unwrap();
            if let Some(store) = store {
                std::fs::write(folder.path().join("store"), store).unwrap();
            }
            let options = Options {
                upstream: Some(vec!["http://a".to_owned()]),
                disk: Some(vec![folder.path().to_owned()]),
                disk_size: Some(vec![ByteCount(DiskConfig::LEAST_SIZE)]),
                ..Options::default()
            };
            let findings = check(&options);
            let told = findings.notes();
            let fits = told.iter().zip(note).all(|(told, says)| told.contains(says));
            assert!(told.len() == usize::from(note.is_some()) && fits, "{told:?}");
        }
    }
}
