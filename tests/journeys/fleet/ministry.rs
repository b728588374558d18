//! A ministry, its control and its nodes.

use super::PATH;
use journeys::net::Net;
use journeys::raw::Loose;
use journeys::{Airclass, Finished, airclass, client, program};
use std::fs::File;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use tempfile::TempDir;
use testkit::loopback;
use testkit::plans::{KEY, entry};

/// A program beside the edges, which has no listener of its own.
pub(crate) struct Beside(Child);

impl Beside {
    /// Its log goes to the file `log`.
    pub(crate) fn start(inside: Option<&[String; 2]>, arguments: &[&str], log: &Path) -> Self {
        let airclass = program("airclass");
        let mut command = match inside {
            None => Command::new(airclass),
            Some([enter, there]) => {
                let mut command = Command::new(enter);
                command.arg(there).arg(airclass);
                command
            }
        };
        let log = File::create(log).unwrap();
        let child = command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).spawn();
        Self(child.unwrap())
    }
}

impl Drop for Beside {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A control, a person of each role, and the keys that nodes obey.
pub(crate) struct Ministry {
    pub(crate) folder: TempDir,
    pub(crate) control: Option<Airclass>,
    pub(crate) listen: String,
    /// The address by which it is known.
    pub(crate) host: String,
    pub(crate) store: Option<String>,
    /// More options of the control.
    pub(crate) options: &'static [&'static str],
    pub(crate) records: String,
    /// Before which edges stand.
    pub(crate) upstream: SocketAddr,
    _origin: Loose,
}

/// An edge and its agent.
pub(crate) struct Node {
    pub(crate) name: String,
    pub(crate) edge: Airclass,
    pub(crate) agent: Option<Beside>,
    pub(crate) folder: PathBuf,
    /// What a command begins with that is to run where the node does.
    pub(crate) inside: Option<[String; 2]>,
}

pub(crate) fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// Asks until the control's store is there.
fn asked(ask: impl Fn() -> Finished) -> Finished {
    loop {
        let ended = ask();
        if !ended.stderr.contains("store_away") {
            break ended;
        }
    }
}

impl Ministry {
    pub(crate) fn new(store: Option<String>) -> Self {
        Self::at(store, &loopback::own().to_string())
    }

    /// One whose control is told more.
    pub(crate) fn with(options: &'static [&'static str]) -> Self {
        Self::found(None, &loopback::own().to_string(), options)
    }

    /// One that is reached at this address.
    pub(crate) fn at(store: Option<String>, host: &str) -> Self {
        Self::found(store, host, &[])
    }

    fn found(store: Option<String>, host: &str, options: &'static [&'static str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let state = folder.path().join("state");
        let made = airclass(&["control", "init", "--state", text(&state)]);
        assert_eq!(made.code(), Some(0), "{}", made.stderr);
        let records = made.stdout.lines().last().unwrap().rsplit(' ').next().unwrap().to_owned();
        for person in ["telecom/zhang", "edu/li"] {
            let out = folder.path().join(person.replace('/', "-"));
            let made = airclass(&["control", "person", person, "--state", text(&state), "--out", text(&out)]);
            assert_eq!(made.code(), Some(0), "{}", made.stderr);
        }
        KEY.write(&folder.path().join("operator.key")).unwrap();
        let origin = Loose::start(|_| {
            b"HTTP/1.1 200 OK\r\nCache-Control: max-age=600\r\nContent-Length: 1\r\n\r\nx".to_vec()
        });
        let listen = format!("{host}:0");
        let mut ministry = Self {
            folder,
            control: None,
            listen,
            host: host.to_owned(),
            store,
            options,
            upstream: origin.address,
            records,
            _origin: origin,
        };
        ministry.open();
        ministry
    }

    /// Starts the control, the second time where it was.
    pub(crate) fn open(&mut self) {
        let state = self.folder.path().join("state");
        let run = ["control", "run", "--state", text(&state), "--listen", &self.listen, "--name", &self.host];
        let mut arguments = run.to_vec();
        if let Some(store) = &self.store {
            arguments.extend(["--store", store]);
        }
        arguments.extend(self.options);
        let control = Airclass::start(&arguments);
        self.listen = control.address().to_string();
        self.control = Some(control);
    }

    pub(crate) fn url(&self) -> String {
        format!("https://{}", self.listen)
    }

    /// Once more where the store has not answered in time, as one that comes back does not, or a machine that is busy.
    pub(crate) fn ask(&self, person: &str, arguments: &[&str]) -> Finished {
        asked(|| self.ask_once(person, arguments))
    }

    fn ask_once(&self, person: &str, arguments: &[&str]) -> Finished {
        let person = self.folder.path().join(person);
        let (url, person) = (self.url(), text(&person).to_owned());
        airclass(&[&["control"], arguments, &["--control", &url, "--as", &person]].concat())
    }

    pub(crate) fn token(&self, site: &str) -> String {
        let place = ["--province", "hubei", "--carrier", "dianxin", "--owner", "acme", "--site", site];
        let made = self.ask("telecom-zhang", &[&["token"], &place[..]].concat());
        assert_eq!(made.code(), Some(0), "{}", made.stderr);
        made.stdout.trim().to_owned()
    }

    pub(crate) fn enrol(&self, home: &Path, token: &str, more: &[&str]) -> Finished {
        let url = self.url();
        let enrol = ["node", "enroll", "--control", &url, "--token", token, "--home", text(home)];
        asked(|| airclass(&[&enrol[..], more].concat()))
    }

    /// A node that has enrolled, its edge and its agent.
    pub(crate) fn node(&self, site: &str) -> Node {
        self.node_in(None, site)
    }

    /// The same, in a network of its own.
    pub(crate) fn node_in(&self, net: Option<&Net>, site: &str) -> Node {
        let folder = self.folder.path().join(site);
        std::fs::create_dir_all(folder.join("plans")).unwrap();
        std::fs::write(folder.join("keys.toml"), entry(&KEY)).unwrap();
        let keys = folder.join("keys.toml");
        let enrolled = self.enrol(&folder.join("home"), &self.token(site), &["--purge-keys", text(&keys)]);
        assert_eq!(enrolled.code(), Some(0), "{}", enrolled.stderr);
        assert!(enrolled.stdout.contains("province = \"hubei\""), "{}", enrolled.stdout);
        let name = enrolled.stdout.split(' ').nth(1).unwrap().to_owned();
        let edge = self.edge(net, &folder);
        let mut node = Node { name, edge, agent: None, folder, inside: net.map(Net::inside) };
        node.follow();
        node
    }

    pub(crate) fn edge(&self, net: Option<&Net>, folder: &Path) -> Airclass {
        let (keys, plans) = (folder.join("keys.toml"), folder.join("plans"));
        let (upstream, listen) = (
            format!("http://{}", self.upstream),
            format!("{}:0", net.map_or(Ipv4Addr::LOCALHOST, |net| net.address)),
        );
        let options = ["--purge-keys", text(&keys), "--plan-keys", text(&keys), "--plan", text(&plans)];
        Airclass::start_within(
            net,
            &[&["edge", "--upstream", &upstream, "--listen", &listen], &options[..]].concat(),
        )
    }

    pub(crate) fn purge(&self, more: &[&str]) -> Finished {
        asked(|| self.purge_once(more))
    }

    /// The same of a store that is away.
    pub(crate) fn purge_once(&self, more: &[&str]) -> Finished {
        let key = self.folder.path().join("operator.key");
        let purge = ["purge", "--key", text(&key), "--prefix", "http://lessons.example/"];
        self.ask_once("telecom-zhang", &[&purge[..], more].concat())
    }

    pub(crate) fn order(&self, number: u64) -> Finished {
        self.ask("edu-li", &["order", &number.to_string()])
    }
}

impl Node {
    pub(crate) fn follow(&mut self) {
        let (home, plans, keys) =
            (self.folder.join("home"), self.folder.join("plans"), self.folder.join("keys.toml"));
        let admin = self.edge.admin.to_string();
        // Of the one before.
        self.agent = None;
        self.agent = Some(Beside::start(
            self.inside.as_ref(),
            &[
                "node",
                "run",
                "--home",
                text(&home),
                "--edge",
                &admin,
                "--plans",
                text(&plans),
                "--purge-keys",
                text(&keys),
                "--address",
                "https://edge.example",
                "--ip",
                "192.0.2.7",
                "--admin",
                "127.0.0.1:0",
                // As tests ask everybody.
                "--admin-host",
                "lessons.example",
                "--log-format",
                "json",
            ],
            &self.folder.join("agent.log"),
        ));
    }

    /// What its agent has logged.
    pub(crate) fn agent_log(&self) -> String {
        std::fs::read_to_string(self.folder.join("agent.log")).unwrap()
    }

    /// Its agent's admin listener; `None` before it listens.
    pub(crate) fn agent_admin(&self) -> Option<SocketAddr> {
        let log = self.agent_log();
        let lines = log.lines().filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
        lines
            .filter(|line| line["fields"]["message"] == "admin listening")
            .find_map(|line| line["fields"]["address"].as_str()?.parse().ok())
    }

    /// What its agent's admin listener says; empty before it listens.
    pub(crate) fn agent_says(&self, path: &str) -> String {
        let Some(address) = self.agent_admin() else { return String::new() };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let answer = runtime.block_on(client::get(address, path, &[]));
        String::from_utf8(answer.body.to_vec()).unwrap()
    }

    /// Whether it had to ask its upstream.
    pub(crate) fn fetches(&self) -> bool {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let answer = runtime.block_on(client::get(self.edge.address(), PATH, &[]));
        assert_eq!(answer.status.as_u16(), 200);
        !answer.field("cache-status").starts_with("airclass; hit")
    }

    pub(crate) fn says(&self, path: &str) -> String {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let answer = runtime.block_on(client::get(self.edge.admin, path, &[]));
        String::from_utf8(answer.body.to_vec()).unwrap()
    }
}
