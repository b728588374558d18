//! From a bare Debian to a node that serves: one package, one token, no question.

use crate::packages::deb;
use agent::{Home, Trouble};
use fleet::wire::Orders;
use journeys::machine::Machine;
use journeys::{Airclass, Finished, airclass, client};
use std::net::SocketAddr;
use std::path::Path;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// Between two looks, and how many: a bound, not a pace.
const PAUSE: Duration = Duration::from_millis(100);
const LOOKS: u32 = 1_800;
/// The longest wait for a connection, where nobody says no.
const CONNECTS: Duration = Duration::from_secs(10);
/// What operators are promised.
const PROMISED: Duration = Duration::from_secs(600);

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// Who certifies nodes, on this machine's side of the line.
struct Ministry {
    folder: TempDir,
    url: String,
    control: Airclass,
}

impl Ministry {
    fn open(listen: &str, host: &str, upstream: &str) -> Self {
        let folder = TempDir::new().unwrap();
        let state = folder.path().join("state");
        let person = folder.path().join("zhang");
        for arguments in [
            &["init", "--state", text(&state)][..],
            &["person", "telecom/zhang", "--state", text(&state), "--out", text(&person)],
        ] {
            done(&airclass(&[&["control"], arguments].concat()));
        }
        let run = ["control", "run", "--state", text(&state), "--listen", listen, "--name", host];
        let control = Airclass::start(&[&run[..], &["--upstream", upstream]].concat());
        Self { url: format!("https://{}", control.address()), folder, control }
    }

    fn ask(&self, arguments: &[&str]) -> Finished {
        let person = self.folder.path().join("zhang");
        airclass(&[&["control"], arguments, &["--control", &self.url, "--as", text(&person)]].concat())
    }

    fn token(&self) -> String {
        let place = ["--province", "hubei", "--carrier", "dianxin", "--owner", "acme", "--site", "wuhan-1"];
        done(&self.ask(&[&["token"], &place[..]].concat())).trim().to_owned()
    }
}

fn done(finished: &Finished) -> String {
    assert_eq!(finished.code(), Some(0), "{finished:?}");
    finished.stdout.clone()
}

/// What the edge's admin listener says, which only the machine itself reaches. A bare Debian has no curl; bash has sockets.
fn admin(machine: &Machine, path: &str) -> String {
    let ask = format!(
        "exec 3<>/dev/tcp/127.0.0.1/9101 && printf 'GET {path} HTTP/1.1\\r\\nHost: localhost\\r\\nConnection: close\\r\\n\\r\\n' >&3 && cat <&3"
    );
    machine.run(&["bash", "-c", &ask]).stdout
}

fn get(address: SocketAddr, path: &str) -> Option<(u16, String)> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    std::net::TcpStream::connect_timeout(&address, CONNECTS).ok()?;
    let answer = runtime.block_on(client::get(address, path, &[]));
    Some((answer.status.as_u16(), answer.field("cache-status").to_owned()))
}

fn wait_for<T>(what: &str, machine: &Machine, mut look: impl FnMut() -> Option<T>) -> T {
    for _ in 0..LOOKS {
        if let Some(found) = look() {
            return found;
        }
        std::thread::park_timeout(PAUSE);
    }
    let journal = machine.run(&["journalctl", "--no-pager", "--output=cat", "--lines=80"]).stdout;
    panic!("no {what}; the machine's journal:\n{journal}");
}

/// What the control says to a node with these files: who is one is told that there is no such body.
fn asked(home: &Path, url: &str) -> Trouble {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let control = Home::new(home.to_owned()).control(url).unwrap();
    let told = runtime.block_on(control.line().look::<Orders>(&format!("/v1/bodies/{}", "0".repeat(64))));
    told.unwrap_err()
}

fn is_refused(trouble: &Trouble, why: &str) -> bool {
    matches!(trouble, Trouble::Refused { refused, .. } if refused == why)
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir(to).unwrap();
    for file in std::fs::read_dir(from).unwrap() {
        let path = file.unwrap().path();
        std::fs::copy(&path, to.join(path.file_name().unwrap())).unwrap();
    }
}

#[test]
fn a_bare_machine_serves_after_one_package_and_one_token() {
    let machine = match Machine::start(&["systemd"]) {
        Ok(machine) => machine,
        Err(why) => {
            // Nothing is proved then, and the log of the tests says so.
            println!(
                "NOT TRIED: a machine of its own cannot be had here (root and namespaces are needed): {why}"
            );
            return;
        }
    };
    let store = TempDir::new().unwrap();
    let at = format!("{}:0", machine.ours);
    let origin = Airclass::start(&["origin", "--store", text(store.path()), "--listen", &at]);
    let upstream = format!("http://{}", origin.address());
    let ministry = Ministry::open(&at, &machine.ours.to_string(), &upstream);
    let scratch = TempDir::new().unwrap();
    let package = deb(scratch.path(), "cli", "airclass");

    // What its installer does.
    #[expect(clippy::disallowed_methods, reason = "operators are promised a time")]
    let begun = Instant::now();
    std::fs::copy(&package, machine.path("/root/airclass.deb")).unwrap();
    done(&machine.run(&["dpkg", "--install", "/root/airclass.deb"]));
    let installed = begun.elapsed();
    let token = ministry.token();
    let address = format!("http://{}:8080", machine.address);
    let joined = machine.run(&["airclass-join", &ministry.url, &token, "--address", &address]);
    assert!(done(&joined).contains("hubei/dianxin/acme/wuhan-1/1"), "{joined:?}");
    let door = SocketAddr::from((machine.address, 8080));
    let first = wait_for("answer", &machine, || get(door, "/"));
    assert_eq!(first.0, 200, "{first:?}");
    wait_for("readiness", &machine, || admin(&machine, "/readyz").contains("burn_in: ok").then_some(()));
    let ready = begun.elapsed();
    println!("installed after {installed:.1?}, tried out and serving after {ready:.1?}");
    assert!(ready < PROMISED);
    let again = get(door, "/").unwrap();
    assert!(again.1.starts_with("airclass; hit"), "{again:?}");

    // It is known where it stands, and its services hold themselves and are held.
    let nodes = wait_for("report", &machine, || {
        let nodes = done(&ministry.ask(&["nodes", "--json"]));
        nodes.contains(&address).then_some(nodes)
    });
    assert!(nodes.contains("hubei/dianxin/acme/wuhan-1/1"), "{nodes}");
    let held =
        machine.run(&["journalctl", "--unit=airclass-edge", "--output=cat", "--no-pager", "--grep=sandbox"]);
    for kept in ["no_new_privileges", "capabilities", "system_calls"] {
        assert!(held.stdout.contains(kept), "{kept}: {held:?}");
    }
    assert!(
        !held.stdout.contains("not permitted"),
        "a unit refuses what a service needs to hold itself: {held:?}"
    );
    for unit in ["airclass-edge", "airclass-node"] {
        let shown = done(&machine.run(&["systemctl", "show", "--property=User,NRestarts,ActiveState", unit]));
        for line in ["User=airclass\n", "NRestarts=0\n", "ActiveState=active\n"] {
            assert!(shown.contains(line), "{unit}: {shown}");
        }
    }
    let keys = done(&machine.run(&["stat", "--format=%U %a", "/var/lib/airclass/node/node.key"]));
    assert_eq!(keys, "airclass 600\n");

    // The token is used up.
    let enrol = [
        "airclass",
        "node",
        "enroll",
        "--control",
        &ministry.url,
        "--token",
        &token,
        "--home",
        "/root/other",
    ];
    let second = machine.run(&enrol);
    assert!(second.code() == Some(2) && second.stderr.contains("token_used"), "{second:?}");

    // A certificate of the same name by another authority is nobody's.
    let forger = Ministry::open(&at, &machine.ours.to_string(), &upstream);
    let (home, forged) = (machine.path("/var/lib/airclass/node"), scratch.path().join("forged"));
    let theirs = forger.token();
    done(&airclass(&[
        "node",
        "enroll",
        "--control",
        &forger.url,
        "--token",
        &theirs,
        "--home",
        text(&forged),
    ]));
    assert!(is_refused(&asked(&forged, &forger.url), "not_found"), "it is a node of theirs");
    std::fs::copy(home.join("authority.pem"), forged.join("authority.pem")).unwrap();
    let stranger = asked(&forged, &ministry.url);
    assert!(matches!(stranger, Trouble::Untrusted(_)), "{stranger:?}");

    // Once it is revoked nothing is said to it any more; students who are there are served.
    let kept = scratch.path().join("kept");
    copy(&home, &kept);
    assert!(is_refused(&asked(&kept, &ministry.url), "not_found"), "it is one of ours");
    done(&ministry.ask(&["revoke", "hubei/dianxin/acme/wuhan-1/1"]));
    let revoked = asked(&kept, &ministry.url);
    assert!(is_refused(&revoked, "revoked"), "{revoked:?}");
    assert_eq!(get(door, "/").unwrap().0, 200);
    assert!(ministry.control.log().contains("revoked"), "the control says whom it refuses");

    // The same package over itself changes nothing that runs; taken away, it leaves what proves bills.
    done(&machine.run(&["dpkg", "--install", "/root/airclass.deb"]));
    assert_eq!(get(door, "/").unwrap().0, 200);
    done(&machine.run(&["dpkg", "--purge", "airclass"]));
    assert!(get(door, "/").is_none(), "nobody listens any more");
    assert!(machine.path("/var/lib/airclass/node/node.key").exists());
    assert!(!machine.path("/etc/airclass").exists());
}
