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
    }
    findings.take(FillConfig::resolve(&options.fill, options.ram.unwrap_or(options::RAM), false));
    findings.take(options::folder("coverage", options.coverage.as_deref()));
    findings.take(options::folder("feedback", options.feedback.as_deref()));
    if let Some(Some(plan)) = findings.take(PlanConfig::resolve(&options.plan)) {
        note_plan(&plan, &mut findings);
    }
    let ram = options.ram.unwrap_or(options::RAM);
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

/// A place of plans that is not there is no fault: a start waits for it, with what it has kept.
fn note_plan(plan: &PlanConfig, findings: &mut Findings) {
    if let Place::Path(path) = &plan.place
        && !path.exists()
    {
        let path = path.display();
        findings.note(format!(
            "`plan.source` names {path}, which is not there now; no plan is followed until it is"
        ));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
}
