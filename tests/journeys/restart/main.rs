//! What changes under students who are watching: the configuration, the certificate, the program itself. Nobody's request
//! may fail. `AIRCLASS_LOAD=2000` asks two thousand times a second.

#![expect(clippy::unwrap_used, reason = "a test's unwrap is its assertion")]

mod changed;
mod gone;
mod taken_over;

use journeys::Airclass;
use journeys::client::{self, Certificate};
use journeys::load::{Tally, Target, ask_steadily, pace};
use journeys::process::{Signal, program};
use journeys::store::{pattern, put, segment};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Command, Stdio};
use std::rc::Rc;
use tempfile::TempDir;

const LENGTH: usize = 20_000;
/// More than is on its way at once.
const LARGE: usize = 8_000_000;

struct Scene {
    folder: TempDir,
    origin: Airclass,
    edge: Option<Airclass>,
    target: Rc<Target>,
    tally: Rc<Tally>,
}

fn scene() -> Scene {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("store");
    put(&store, &segment(0), &pattern(LENGTH));
    let certificate = Certificate::make(folder.path());
    let origin = Airclass::origin(&store);
    configure(folder.path(), origin.address(), "");
    let edge = start(folder.path());
    // What the certificate will be changed for.
    let other = folder.path().join("other");
    std::fs::create_dir(&other).unwrap();
    let certificates = vec![Rc::new(certificate), Rc::new(Certificate::make(&other))];
    let target = Target {
        plain: edge.addresses[0],
        tls: edge.addresses[1],
        certificates,
        path: format!("/{}", segment(0)),
        length: LENGTH,
    };
    Scene { folder, origin, edge: Some(edge), target: Rc::new(target), tally: Rc::default() }
}

/// Any port of an address that is this process's alone: some edges end and are started again at the same.
fn any_port() -> SocketAddr {
    (testkit::loopback::own(), 0).into()
}

fn configure(folder: &Path, upstream: SocketAddr, more: &str) {
    let line = |key: &str, file: &str| format!("{key} = {:?}\n", folder.join(file));
    std::fs::create_dir_all(folder.join("disk")).unwrap();
    let disk = format!("disk = [{:?}]\ndisk_size = [\"64MiB\"]\n", folder.join("disk"));
    let text = [
        format!("upstream = \"http://{upstream}\"\n{disk}[serve]\n"),
        format!("listen = [\"{0}\"]\ntls_listen = [\"{0}\"]\nhttp3 = true\n", any_port()),
        line("cert", "cert.pem") + &line("key", "key.pem") + &line("handover", "handover"),
        more.to_owned(),
    ];
    std::fs::write(folder.join("edge.toml"), text.concat()).unwrap();
}

fn start(folder: &Path) -> Airclass {
    Airclass::start(&["edge", "--config", folder.join("edge.toml").to_str().unwrap()])
}

impl Scene {
    /// Runs `meanwhile` under load, and then for as many requests again.
    fn under_load(&self, meanwhile: impl AsyncFnOnce(&Self)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        tokio::task::LocalSet::new().block_on(&runtime, async {
            let asking = ask_steadily(Rc::clone(&self.target), Rc::clone(&self.tally), pace());
            let change = async {
                self.answered(100).await;
                meanwhile(self).await;
                self.answered(self.tally.answered.get() + 200).await;
            };
            tokio::select! { () = asking => {}, () = change => {} }
        });
        let failed = self.tally.failed.borrow();
        assert!(failed.is_empty(), "{} of {}: {failed:#?}", failed.len(), self.tally.answered.get());
    }

    async fn answered(&self, count: usize) {
        while self.tally.answered.get() < count && self.tally.failed.borrow().is_empty() {
            tokio::task::yield_now().await;
        }
    }

    async fn order(&self, path: &str) -> (u16, String) {
        let admin = self.edge.as_ref().unwrap().admin;
        loop {
            let answer = client::ask(&mut client::connect(admin).await, "POST", path, &[]).await;
            let said = String::from_utf8_lossy(&answer.body).into_owned();
            // It says where it listens before it listens for orders.
            if said != "this process takes no orders\n" {
                break (answer.status.as_u16(), said);
            }
        }
    }
}

/// Groups and rules of caching, too, all at once; what is refused changes nothing of them.
#[test]
fn groups_and_rules_change_under_load() {
    let scene = scene();
    let config = scene.folder.path().join("edge.toml");
    let good = std::fs::read_to_string(&config).unwrap();
    let store = scene.folder.path().join("other-store");
    put(&store, &segment(7), &pattern(1_000));
    let other = Airclass::origin(&store);
    let group = format!(
        "[[group]]\nname = \"other\"\nhosts = [\"other.example\"]\ntiers = [[\"http://{}\"]]\n",
        other.address()
    );
    let edge = scene.edge.as_ref().unwrap().address();
    let statuses = async || {
        let mut statuses = Vec::new();
        for number in [7, 8] {
            let head = format!(
                "GET /{} HTTP/1.1\r\nHost: other.example\r\nConnection: close\r\n\r\n",
                segment(number)
            );
            let answered =
                tokio::task::spawn_blocking(move || journeys::raw::exchange_only(edge, head.as_bytes()))
                    .await;
            let bytes = answered.unwrap();
            statuses.push(String::from_utf8_lossy(&bytes[9..12]).into_owned());
        }
        statuses
    };
    scene.under_load(async |scene| {
        assert_eq!(statuses().await, ["404", "404"]);
        // The wrong group beside a right rule: neither comes into force.
        let wrong =
            format!("{good}[cache]\nnegative_ttl = \"9s\"\n{}", group.replace("http://", "gopher://"));
        std::fs::write(&config, wrong).unwrap();
        let (status, said) = scene.order("/reload").await;
        assert!(
            status == 409 && said.contains("group.tiers") && said.lines().count() == 1,
            "{status} {said}"
        );
        for _ in 0..3 {
            std::fs::write(&config, format!("{good}[cache]\nnegative_ttl = \"0s\"\n{group}")).unwrap();
            let (status, said) = scene.order("/reload").await;
            assert_eq!((status, said.contains("restart")), (200, false), "{said}");
            while statuses().await != ["200", "404"] {
                tokio::task::yield_now().await;
            }
            std::fs::write(&config, &good).unwrap();
            let (status, said) = scene.order("/reload").await;
            assert!(status == 200 && said.contains("group") && said.contains("cache.negative_ttl"), "{said}");
            // What was kept of the group's is not its any more: the key says whose it is.
            while statuses().await != ["404", "404"] {
                tokio::task::yield_now().await;
            }
        }
    });
}

/// Two sites of one node, the one by rules of its own.
#[test]
fn rules_of_one_site_change_under_load() {
    let scene = scene();
    let config = scene.folder.path().join("edge.toml");
    let good = std::fs::read_to_string(&config).unwrap();
    let origin = scene.origin.address();
    let group =
        format!("[[group]]\nname = \"own\"\nhosts = [\"own.example\"]\ntiers = [[\"http://{origin}\"]]\n");
    let edge = scene.edge.as_ref().unwrap().address();
    let asked = std::cell::Cell::new(0);
    // Whether to each site a parameter means nothing, of URLs that nobody has asked for before.
    let ignored = async || {
        asked.set(asked.get() + 1);
        let mut ignored = Vec::new();
        for host in ["own.example", "lessons.example"] {
            let mut last = String::new();
            for more in ["", "&t=1"] {
                let path = format!("/{}?n={}{more}", segment(0), asked.get());
                let mut question = client::request("GET", &path, &[]);
                question.headers_mut().insert("host", host.parse().unwrap());
                let sent = client::connect(edge).await.send_request(question).await.unwrap();
                let answer = client::read(sent).await;
                assert_eq!(answer.status, 200);
                last = answer.field("cache-status").to_owned();
            }
            ignored.push(last.contains("; hit"));
        }
        ignored
    };
    scene.under_load(async |scene| {
        for (own, expected) in [
            ("[group.cache]\nignore_query = [\"t\"]\n", [true, false]),
            ("", [false, false]),
            ("stale_on_error = \"1h\"\n[group.cache]\nignore_query = [\"t*\"]\n", [true, false]),
        ] {
            std::fs::write(&config, format!("{good}{group}{own}")).unwrap();
            let (status, said) = scene.order("/reload").await;
            assert_eq!((status, said.contains("restart")), (200, false), "{said}");
            // Cores change over one by one.
            while ignored().await != expected {
                tokio::task::yield_now().await;
            }
        }
        // What cannot be of one site changes nothing of any.
        let wrong = format!("{good}{group}[group.cache]\nignore_query = [\"a=b\"]\n");
        std::fs::write(&config, wrong).unwrap();
        let (status, said) = scene.order("/reload").await;
        assert!(
            status == 409 && said.contains("`group.cache` of \"own\": `ignore_query`"),
            "{status} {said}"
        );
        assert_eq!(ignored().await, [true, false]);
    });
}

#[test]
fn attack_74_a_configuration_that_is_garbage_changes_nothing() {
    let scene = scene();
    let config = scene.folder.path().join("edge.toml");
    let good = std::fs::read_to_string(&config).unwrap();
    scene.under_load(async |scene| {
        for (text, why) in [
            ("\0garbage", "CONFIG_INVALID"),
            (&good.replace("listen", "lissten"), "lissten"),
            (&format!("{good}[serve.limits]\nidle_timeout = \"0s\"\n"), "idle_timeout"),
            (&good.replace("cert.pem", "nowhere.pem"), "TLS_FILE"),
            (&format!("{good}[log]\nlog = \"edge=\"\n").replace("edge=", "=[=,"), "`log`"),
        ] {
            std::fs::write(&config, text).unwrap();
            let (status, said) = scene.order("/reload").await;
            assert!(status == 409 && said.contains(why) && said.lines().count() == 1, "{status} {said}");
        }
        std::fs::write(&config, format!("ram = \"2GiB\"\n{good}[serve.limits]\nidle_timeout = \"9s\"\n"))
            .unwrap();
        let (status, said) = scene.order("/reload").await;
        assert_eq!(status, 200, "{said}");
        assert_eq!(said, "in force: serve.limits.idle_timeout; only a restart brings into force ram\n");
    });
}

/// The file is a pipe: it opens for both sides at once, and the process starts for as long as nothing is written.
#[test]
fn a_reload_that_is_asked_for_during_the_start_comes_after_it() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("edge.toml");
    assert!(Command::new("mkfifo").arg(&config).status().unwrap().success());
    let mut edge = Command::new(program("airclass"))
        .args(["edge", "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--config"])
        .arg(&config)
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut pipe = std::fs::OpenOptions::new().write(true).open(&config).unwrap();
    let pid = edge.id().to_string();
    assert!(Command::new("kill").args(["-HUP", &pid]).status().unwrap().success());
    pipe.write_all(b"upstream = \"http://127.0.0.1:1\"\n").unwrap();
    drop(pipe);
    let mut log = BufReader::new(edge.stderr.take().unwrap()).lines().map(Result::unwrap);
    assert!(log.any(|line| line.contains("listening listen=")));
    // It is up, and reads again; of what is no file nothing comes a second time, and it would wait for it for ever.
    assert!(log.any(|line| line.contains("edge.toml: is no regular file")));
    edge.kill().unwrap();
    edge.wait().unwrap();
}

#[test]
fn a_path_that_is_new_to_the_sandbox_asks_for_a_restart() {
    let (scene, elsewhere) = (scene(), tempfile::tempdir().unwrap());
    Certificate::make(elsewhere.path());
    let config = scene.folder.path().join("edge.toml");
    let text = std::fs::read_to_string(&config).unwrap();
    let here = scene.folder.path().to_str().unwrap();
    let there = elsewhere.path().to_str().unwrap();
    let moved = ["cert.pem", "key.pem"]
        .iter()
        .fold(text, |text, file| text.replace(&format!("{here}/{file}"), &format!("{there}/{file}")));
    std::fs::write(&config, moved).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (status, said) = runtime.block_on(scene.order("/reload"));
    assert!(status == 409 && said.contains("TLS_FILE") && said.contains("restart: a process"), "{said}");
}

#[test]
fn a_new_certificate_under_load() {
    let scene = scene();
    scene.under_load(async |scene| {
        for round in 0..6 {
            let from = if round % 2 == 0 { "other" } else { "first" };
            let (folder, keep) = (scene.folder.path(), scene.folder.path().join("first"));
            for file in ["cert.pem", "key.pem"] {
                std::fs::create_dir_all(&keep).unwrap();
                if round == 0 {
                    std::fs::copy(folder.join(file), keep.join(file)).unwrap();
                }
                std::fs::copy(folder.join(from).join(file), folder.join(file)).unwrap();
            }
            assert_eq!(scene.order("/reload").await.0, 200);
        }
        // By signal it is the same.
        scene.edge.as_ref().unwrap().signal(Signal::HUP);
    });
}

/// A renewal asks for a reload while somebody's configuration is half written.
#[test]
fn a_new_certificate_is_found_also_behind_a_reload_that_is_refused() {
    let scene = scene();
    let (edge, folder) = (scene.edge.as_ref().unwrap(), scene.folder.path());
    let config = folder.join("edge.toml");
    let good = std::fs::read_to_string(&config).unwrap();
    for file in ["cert.pem", "key.pem"] {
        std::fs::copy(folder.join("other").join(file), folder.join(file)).unwrap();
    }
    std::fs::write(&config, format!("{good}oops = ")).unwrap();
    edge.signal(Signal::HUP);
    let says = |words: &str| {
        while !edge.log().contains(words) {
            std::thread::yield_now();
        }
    };
    says("CONFIG_INVALID");
    // Within ten seconds.
    says("certificates and ticket keys read again");
}

#[test]
fn a_process_that_is_ending_still_answers_orders() {
    let mut scene = scene();
    put(&scene.folder.path().join("store"), &segment(1), &pattern(LARGE));
    // An answer that nobody takes keeps it.
    let mut reader = TcpStream::connect(scene.target.plain).unwrap();
    let head = format!("GET /{} HTTP/1.1\r\nHost: a\r\n\r\n", segment(1));
    reader.write_all(head.as_bytes()).unwrap();
    reader.read_exact(&mut [0; 1_000]).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        assert_eq!(scene.order("/drain").await.0, 200);
        // Whoever comes now is to go elsewhere, and not to wait for a process that would have taken over.
        while TcpStream::connect(scene.target.plain).is_ok() {
            tokio::task::yield_now().await;
        }
        let (status, said) = scene.order("/reload").await;
        assert_eq!((status, said.as_str()), (409, "stopping: the process is ending\n"));
        assert_eq!(scene.order("/drain").await.0, 200);
    });
    drop(reader);
    assert!(scene.edge.as_mut().unwrap().wait().success());
}

/// Everything that a thread says of itself in `/proc`.
fn threads(edge: &Airclass) -> Vec<String> {
    let tasks = std::fs::read_dir(format!("/proc/{}/task", edge.id())).unwrap();
    let said: Vec<_> = tasks
        // One that has ended meanwhile says nothing.
        .filter_map(|task| std::fs::read_to_string(task.unwrap().path().join("status")).ok())
        .collect();
    assert!(!said.is_empty());
    said
}

#[test]
fn a_service_that_listens_has_given_up_what_it_does_not_need() {
    let scene = scene();
    let edge = scene.edge.as_ref().unwrap();
    for thread in threads(edge) {
        assert!(thread.contains("Seccomp:\t2"), "{thread}");
    }
    let log = edge.log();
    let line = log.lines().find(|line| line.contains("\"sandbox\"")).unwrap();
    assert!(line.contains("system_calls"), "{line}");
    // What a reload reads can still be read.
    scene.under_load(async |scene| {
        let (status, said) = scene.order("/reload").await;
        assert_eq!((status, said.as_str()), (200, "nothing has changed\n"));
    });
}

#[test]
fn a_service_that_was_started_as_root_becomes_another_user() {
    let folder = tempfile::tempdir().unwrap();
    put(folder.path(), &segment(0), &pattern(LENGTH));
    let origin = Airclass::origin(folder.path());
    let ours = std::fs::metadata("/proc/self").unwrap();
    if std::os::unix::fs::MetadataExt::uid(&ours) != 0 {
        // Only root can become somebody.
        return;
    }
    let edge = Airclass::edge(origin.address(), &["--user", "nobody"]);
    for thread in threads(&edge) {
        let user = thread.lines().find(|line| line.starts_with("Uid:")).unwrap();
        let ids: Vec<_> = user.split_whitespace().skip(1).collect();
        assert!(ids.iter().all(|id| *id == ids[0] && *id != "0"), "{user}");
        assert!(thread.contains("CapEff:\t0000000000000000"), "{thread}");
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let answer = runtime.block_on(client::get(edge.address(), &format!("/{}", segment(0)), &[]));
    assert_eq!(answer.body.len(), LENGTH);
}
