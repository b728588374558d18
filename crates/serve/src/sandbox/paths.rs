//! Which paths may be opened at work (Landlock), and that no port is bound any more.

use super::Sandbox;
use landlock::{
    ABI, Access, AccessFs, AccessNet, BitFlags, CompatLevel, Compatible, LandlockStatus, PathBeneath, PathFd,
    Ruleset, RulesetAttr, RulesetCreated, RulesetCreatedAttr, RulesetError, RulesetStatus,
};
use std::fs::File;
use std::path::{Path, PathBuf};

/// The newest that we know: on an older kernel, what that one knows.
const KNOWN: ABI = ABI::V6;

/// Links that are followed from one path: more than anybody has, as many as a kernel takes.
const MOST_LINKS: usize = 40;

/// Where the machine's own configuration is.
const ETC: &str = "/etc";
/// What of it the C library reads to look up a host name. Who manages the network keeps it elsewhere, as a rule somewhere below
/// `/run`, and a link here.
const LOOK_UP: &[&str] = &["resolv.conf", "nsswitch.conf", "hosts"];

/// What the C library reads to look up a host name, what the trusted authorities stand in, and what metrics and overload
/// rules are read from. All of it is everybody's to read.
const SYSTEM: &[&str] = &[
    ETC,
    "/usr",
    "/lib",
    "/lib64",
    "/run/systemd/resolve",
    "/proc/self",
    "/proc/stat",
    "/proc/meminfo",
    "/proc/loadavg",
    "/proc/pressure",
    "/proc/sys/net",
    "/sys/fs/cgroup",
    "/sys/devices/system/cpu",
    "/dev/urandom",
];

/// Restricts this thread and all that it starts. Gives the version of the kernel's interface.
pub(super) fn restrict(sandbox: &Sandbox) -> Result<String, String> {
    restrict_under(sandbox, Path::new(ETC))
}

/// The same where the machine's configuration is in `etc`.
fn restrict_under(sandbox: &Sandbox, etc: &Path) -> Result<String, String> {
    let status =
        rules(sandbox, etc).and_then(RulesetCreated::restrict_self).map_err(|error| error.to_string())?;
    if status.ruleset == RulesetStatus::NotEnforced {
        return Err("this kernel has none, or was started without it".to_owned());
    }
    // Said to be closed is not closed: tried once.
    if File::open("/").is_ok() {
        return Err("the root folder can still be listed".to_owned());
    }
    Ok(match status.landlock {
        LandlockStatus::Available { effective_abi, .. } => (effective_abi as i32).to_string(),
        _ => String::new(),
    })
}

fn rules(sandbox: &Sandbox, etc: &Path) -> Result<RulesetCreated, RulesetError> {
    let read = AccessFs::from_read(KNOWN) & !AccessFs::Execute;
    let write = read | AccessFs::from_write(KNOWN);
    let mut rules = Ruleset::default()
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(AccessFs::from_all(KNOWN))?
        // Everything that is listened on is bound; upstreams may be anywhere, so connecting stays open.
        .handle_access(AccessNet::BindTcp)?
        .create()?;
    for path in SYSTEM {
        // None of it is replaced, and the folder of some is the whole of `/proc`.
        if let Ok(open) = PathFd::new(path) {
            let access = if Path::new(path).is_dir() { read } else { read & AccessFs::from_file(KNOWN) };
            rules = rules.add_rule(PathBeneath::new(&open, access))?;
            // Never closed. A rule stands on an inode, and `/proc` makes another one for a name that the kernel has forgotten
            // for want of memory: as long as somebody has it open it does not.
            std::mem::forget(open);
        }
    }
    for path in &sandbox.reads {
        rules = allow(rules, path, read)?;
    }
    let look_up = LOOK_UP.iter().map(|name| etc.join(name));
    for target in sandbox.reads.iter().cloned().chain(look_up).flat_map(|path| targets(&path)) {
        rules = allow(rules, &target, read)?;
    }
    for folder in &sandbox.writes {
        rules = allow(rules, folder, write)?;
    }
    for disk in sandbox.disks.iter().filter(|disk| !disk.is_dir()) {
        // A rule holds for what is there now: a mount covers it, and Landlock does not ask what is covered.
        tracing::warn!(
            disk = %disk.display(),
            "is not there; once it is mounted, restart this process, which may not open it otherwise"
        );
    }
    Ok(rules)
}

/// Allows what is at `path`. A file is replaced by another of its name, so it is its folder that may be opened.
fn allow(
    rules: RulesetCreated,
    path: &Path,
    access: BitFlags<AccessFs>,
) -> Result<RulesetCreated, RulesetError> {
    let folder = if path.is_dir() { Some(path) } else { path.parent() };
    let folder = folder.and_then(|folder| folder.canonicalize().ok());
    // Never the whole file system, whatever is configured: there, the file as it is. What is not there cannot be opened anyhow.
    let (path, access) = match folder {
        Some(folder) if folder != Path::new("/") => (folder, access),
        _ if path.is_file() => (path.to_owned(), access & AccessFs::from_file(KNOWN)),
        _ => return Ok(rules),
    };
    match PathFd::new(path) {
        Ok(open) => rules.add_rule(PathBeneath::new(open, access)),
        Err(_) => Ok(rules),
    }
}

/// The folders that links lead to, from the file at `path`, from its own folder, and from those of what they lead to. Who renews
/// a file behind a link leaves the old one where it is, puts another beside it, and turns the link round
/// (`live/cert.pem -> ../archive/cert2.pem`, `current -> v2`). A folder is read as it is: beside what a link to it leads to is
/// nothing of ours.
fn targets(path: &Path) -> Vec<PathBuf> {
    let mut folders = Vec::new();
    if path.is_dir() {
        return folders;
    }
    let mut links: Vec<_> = path.ancestors().take(2).map(Path::to_path_buf).collect();
    while let Some(link) = links.pop().filter(|_| folders.len() < MOST_LINKS) {
        let (Some(folder), Ok(target)) = (link.parent(), link.read_link()) else { continue };
        let target = folder.join(target);
        if let Some(folder) = target.parent() {
            links.push(folder.to_path_buf());
            folders.push(folder.to_path_buf());
        }
        links.push(target);
    }
    folders
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::{create_dir_all, remove_file, write};
    use std::os::unix::fs::symlink;
    use std::sync::mpsc::sync_channel;

    /// Which of `paths` a thread that may read `reads` can open once `change` has been made by somebody who is not held.
    fn opens<const N: usize>(reads: &[&Path], change: impl FnOnce(), paths: [&Path; N]) -> [bool; N] {
        opens_under(Path::new(ETC), reads, change, paths)
    }

    /// The same where the machine's configuration is in `etc`.
    fn opens_under<const N: usize>(
        etc: &Path,
        reads: &[&Path],
        change: impl FnOnce(),
        paths: [&Path; N],
    ) -> [bool; N] {
        let sandbox =
            Sandbox { reads: reads.iter().map(|path| path.to_path_buf()).collect(), ..Sandbox::default() };
        std::thread::scope(|scope| {
            let ((held, is_held), (changed, is_changed)) = (sync_channel(1), sync_channel(1));
            let reader = scope.spawn(move || {
                restrict_under(&sandbox, etc).expect("this kernel has Landlock");
                held.send(()).unwrap();
                is_changed.recv().unwrap();
                paths.map(|path| File::open(path).is_ok())
            });
            is_held.recv().unwrap();
            change();
            changed.send(()).unwrap();
            reader.join().unwrap()
        })
    }

    #[test]
    fn a_certificate_behind_a_link_can_be_renewed() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        ["live/a", "archive/a", "tls/v1", "etc", "elsewhere"]
            .iter()
            .for_each(|name| create_dir_all(at(name)).unwrap());
        for file in ["archive/a/cert1.pem", "tls/v1/cert.pem", "elsewhere/secret"] {
            write(at(file), file).unwrap();
        }
        let (link, current) = (at("live/a/cert.pem"), at("tls/current"));
        symlink("../../archive/a/cert1.pem", &link).unwrap();
        symlink("v1", &current).unwrap();
        let renew = || {
            write(at("archive/a/cert2.pem"), "2").unwrap();
            remove_file(&link).unwrap();
            symlink("../../archive/a/cert2.pem", &link).unwrap();
            create_dir_all(at("tls/v2")).unwrap();
            write(at("tls/v2/cert.pem"), "2").unwrap();
            remove_file(&current).unwrap();
            symlink("v2", &current).unwrap();
        };
        let under_current = current.join("cert.pem");
        // A link to what lies under another one.
        let far = at("etc/cert.pem");
        symlink(&under_current, &far).unwrap();
        let secret = at("elsewhere/secret");
        assert_eq!(opens(&[&far], || {}, [&far, &link, &secret]), [true, false, false]);
        let found = opens(&[&link, &far], renew, [&link, &far, &under_current, &secret]);
        assert_eq!(found, [true, true, true, false]);
    }

    #[test]
    fn a_folder_behind_a_link_is_open_and_nothing_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        ["etc", "data/conf"].iter().for_each(|name| create_dir_all(at(name)).unwrap());
        ["data/conf/edge.toml", "data/secret"].iter().for_each(|name| write(at(name), name).unwrap());
        let conf = at("etc/airclass");
        symlink("../data/conf", &conf).unwrap();
        let (file, secret) = (conf.join("edge.toml"), at("data/secret"));
        assert_eq!(opens(&[&conf], || {}, [&file, &secret]), [true, false]);
        let mut sandbox = Sandbox::default();
        sandbox.reads_configuration(&file);
        let reads: Vec<_> = sandbox.reads.iter().map(PathBuf::as_path).collect();
        assert_eq!(opens(&reads, || {}, [&file, &secret]), [true, false]);
    }

    #[test]
    fn names_are_looked_up_where_who_manages_the_network_keeps_the_resolvers() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        ["etc", "run/resolvconf", "elsewhere"].iter().for_each(|name| create_dir_all(at(name)).unwrap());
        let (resolvers, link, secret) =
            (at("run/resolvconf/resolv.conf"), at("etc/resolv.conf"), at("elsewhere/secret"));
        [&resolvers, &secret].iter().for_each(|file| write(file, "nameserver 192.0.2.1").unwrap());
        symlink("../run/resolvconf/resolv.conf", &link).unwrap();
        // The machine has been given another address by now.
        let renew = || {
            remove_file(&resolvers).unwrap();
            write(&resolvers, "nameserver 198.51.100.1").unwrap();
        };
        assert_eq!(opens_under(&at("etc"), &[], renew, [&link, &secret]), [true, false]);
    }

    #[test]
    fn of_other_processes_nothing_is_read() {
        let paths = ["/proc/stat", "/proc/self/limits", "/dev/urandom", "/proc/1/status", "/dev/null"];
        let paths = paths.map(Path::new);
        assert_eq!(opens(&[], || {}, paths), [true, true, true, false, false]);
    }

    #[test]
    fn what_is_read_of_proc_stays_known_to_the_kernel() {
        opens(&[], || {}, []);
        let held: Vec<_> = std::fs::read_dir("/proc/self/fd")
            .unwrap()
            .filter_map(|descriptor| descriptor.ok()?.path().read_link().ok())
            .collect();
        for path in SYSTEM.iter().map(Path::new).filter(|path| path.exists()) {
            assert!(held.contains(&path.canonicalize().unwrap()), "{} is not among {held:?}", path.display());
        }
    }

    #[test]
    fn the_root_is_never_open_whichever_way_it_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let (here, secret) = (folder.path().join("cert.pem"), folder.path().join("secret"));
        write(&secret, "").unwrap();
        // Its target's folder is the root, by as many steps up as there are and more.
        symlink("../".repeat(16) + "nowhere.pem", &here).unwrap();
        let dots = Path::new("/proc/../nowhere.pem");
        let file = Path::new("/nowhere.pem");
        let reads = [here.as_path(), dots, file, Path::new("/")];
        assert_eq!(opens(&reads[1..], || {}, [&secret]), [false]);
        assert_eq!(opens(&reads, || {}, [Path::new("/root/.profile"), &secret]), [false, true]);
    }
}
