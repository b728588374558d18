//! A machine of its own inside of this one: a bare Debian that runs systemd, with its own files, processes, users' names and network.

use crate::debian;
use crate::process::Finished;
use std::fs;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use tempfile::TempDir;

/// The longest wait for systemd. A bound, not a pace.
const LOOKS: u32 = 1_800;
const LOOK: Duration = Duration::from_millis(100);
/// What the machine does before it is one: its own mounts, then systemd in the place of this shell.
const BEGIN: &str = r#"
set -e
root=$1
mount --make-rprivate /
mount --bind "$root" "$root"
mount -t proc proc "$root/proc"
mount -t sysfs -o ro sysfs "$root/sys"
for folder in run tmp dev; do mount -t tmpfs tmpfs "$root/$folder"; done
for device in null zero full random urandom tty; do
  touch "$root/dev/$device"
  mount --bind "/dev/$device" "$root/dev/$device"
done
mkdir "$root/dev/pts" "$root/dev/shm"
mount -t devpts -o newinstance,ptmxmode=0666,mode=620 devpts "$root/dev/pts"
ln -s pts/ptmx "$root/dev/ptmx"
if [ -e /sys/fs/cgroup/cgroup.controllers ]; then
  mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup"
else
  mount -t tmpfs cgroup "$root/sys/fs/cgroup"
  mkdir "$root/sys/fs/cgroup/unified" "$root/sys/fs/cgroup/systemd"
  mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup/unified" || rmdir "$root/sys/fs/cgroup/unified"
  mount -t cgroup -o none,name=systemd,xattr cgroup "$root/sys/fs/cgroup/systemd"
fi
cd "$root"
mkdir -p old
pivot_root . old
umount -l /old
exec env -i container=test PATH=/usr/sbin:/usr/bin:/sbin:/bin /lib/systemd/systemd --system systemd.unit=multi-user.target
"#;

/// The machine; it ends when this is dropped.
#[derive(Debug)]
pub struct Machine {
    holder: Child,
    init: u32,
    root: TempDir,
    groups: Vec<PathBuf>,
    link: String,
    /// Its address.
    pub address: Ipv4Addr,
    /// This machine's address on the line between the two.
    pub ours: Ipv4Addr,
}

impl Machine {
    /// Starts one with `packages` beside the essential ones.
    ///
    /// # Errors
    /// Why there can be none here: no root, no namespaces, no cgroups, no Debian.
    pub fn start(packages: &[&str]) -> Result<Self, String> {
        let root = TempDir::new().map_err(|error| error.to_string())?;
        debian::bare(root.path(), packages)?;
        let id = std::process::id();
        // 198.18.0.0/15 is for trials (RFC 2544); a network of four addresses for each process that tries.
        let network = 0xc612_0000 | ((id & 0x7fff) << 2);
        let (ours, address) = (Ipv4Addr::from(network + 1), Ipv4Addr::from(network + 2));
        let configuration = format!("[Match]\nName=eth0\n[Network]\nAddress={address}/30\n");
        fs::write(root.path().join("etc/systemd/network/eth0.network"), configuration)
            .map_err(|error| error.to_string())?;
        let groups = groups(id)?;
        let join: String =
            groups.iter().map(|group| format!("echo $$ > {}/cgroup.procs; ", group.display())).collect();
        let holder = Command::new("sh")
            .arg("-ec")
            .arg(format!("{join} exec setpriv --pdeathsig KILL unshare --cgroup --mount --pid --net --uts --ipc --fork --kill-child sh -c \"$0\" sh \"$1\""))
            .args([BEGIN, path(root.path())])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        let holder = holder.map_err(|error| error.to_string())?;
        let link = format!("act{id}");
        let mut machine = Self { holder, init: 0, root, groups, link, address, ours };
        machine.boot()?;
        machine.connect()?;
        Ok(machine)
    }

    /// Waits until systemd has started everything.
    fn boot(&mut self) -> Result<(), String> {
        let children = format!("/proc/{0}/task/{0}/children", self.holder.id());
        let mut says = String::new();
        for _ in 0..LOOKS {
            if let Ok(Some(ended)) = self.holder.try_wait() {
                return Err(format!("namespaces are not to be had: {ended}"));
            }
            let children = fs::read_to_string(&children).unwrap_or_default();
            self.init = children.split_whitespace().next().and_then(|id| id.parse().ok()).unwrap_or(0);
            if self.init != 0 {
                says = self.run(&["systemctl", "is-system-running"]).stdout;
                if matches!(says.trim(), "running" | "degraded") {
                    return Ok(());
                }
            }
            std::thread::park_timeout(LOOK);
        }
        Err(format!("systemd does not come up: {says}"))
    }

    /// Lays a line between this machine and that one.
    fn connect(&self) -> Result<(), String> {
        let init = self.init.to_string();
        let inside = ["nsenter", "--net", "--target", &init, "ip"];
        let ours = format!("{}/30", self.ours);
        let link = &self.link;
        for words in [
            &["ip", "link", "add", link, "type", "veth", "peer", "name", "eth0", "netns", &init][..],
            &["ip", "address", "add", &ours, "dev", link],
            &["ip", "link", "set", link, "up"],
            &[&inside[..], &["link", "set", "lo", "up"]].concat(),
            &[&inside[..], &["link", "set", "eth0", "up"]].concat(),
        ] {
            let done = output(words);
            if done.code() != Some(0) {
                return Err(format!("{words:?}: {}", done.stderr));
            }
        }
        Ok(())
    }

    /// Its files.
    pub fn path(&self, path: &str) -> PathBuf {
        self.root.path().join(path.trim_start_matches('/'))
    }

    /// Runs a program there to its end, as root, with nobody to answer questions.
    pub fn run(&self, words: &[&str]) -> Finished {
        let init = self.init.to_string();
        let inside = ["nsenter", "--all", "--root", "--wd=/", "--target", &init];
        output(&[&inside[..], words].concat())
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        // The machine dies with who holds it; of processes that are gone the groups are empty.
        let _ = self.holder.kill();
        let _ = self.holder.wait();
        let _ = output(&["ip", "link", "delete", &self.link]);
        for _ in 0..LOOKS {
            self.groups.retain(|group| group.exists() && clear(group).is_err());
            if self.groups.is_empty() {
                break;
            }
            std::thread::park_timeout(LOOK);
        }
    }
}

/// Groups of processes for it, one in each hierarchy that systemd uses.
fn groups(id: u32) -> Result<Vec<PathBuf>, String> {
    let all = Path::new("/sys/fs/cgroup");
    let hierarchies = match all.join("cgroup.controllers").exists() {
        true => vec![all.to_owned()],
        false => vec![all.join("systemd"), all.join("unified")],
    };
    let made = hierarchies.into_iter().filter(|one| one.join("cgroup.procs").exists());
    let made: Vec<_> = made.map(|one| one.join(format!("airclass-test-{id}"))).collect();
    for group in &made {
        fs::create_dir_all(group).map_err(|error| format!("{}: {error}", group.display()))?;
    }
    if made.is_empty() { Err("there are no cgroups".to_owned()) } else { Ok(made) }
}

/// Removes a group and those below it.
fn clear(group: &Path) -> std::io::Result<()> {
    for inside in fs::read_dir(group)? {
        let inside = inside?.path();
        if inside.is_dir() {
            clear(&inside)?;
        }
    }
    fs::remove_dir(group)
}

fn path(path: &Path) -> &str {
    path.to_str().expect("scratch folders have plain names")
}

fn output(words: &[&str]) -> Finished {
    let (program, arguments) = words.split_first().expect("a command has a name");
    let done = Command::new(program)
        .args(arguments)
        .env_clear()
        .env("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin")
        .env("LC_ALL", "C")
        .stdin(Stdio::null())
        .output();
    Finished::of(done.expect("the program is there"))
}
