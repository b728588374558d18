//! What an operator changes under students who are watching: the configuration, rightly and wrongly, the certificate, the
//! program itself. Two thousand requests a second go on meanwhile, over everything that the edge speaks, and none may fail.

use crate::cleanup::Workplace;
use crate::clock;
use crate::line::{Bar, Line};
use crate::options::Options;
use crate::peers::{self, Ports};
use crate::process::Process;
use crate::upstream::{self, Upstream};
use anyhow::{Context, Result, bail, ensure};
use journeys::client::{self, Certificate};
use journeys::load::{Tally, Target, ask_steadily};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::rc::Rc;
use std::time::Duration;

/// Requests a second.
const RATE: usize = 2_000;
/// How long, in seconds.
const SECONDS: (u64, u64) = (60, 10);
/// Small, so that it is requests that are many and not bytes.
const LENGTH: usize = 20_000;
/// Before anything changes: connections are made, the object is there.
const SETTLE: Duration = Duration::from_secs(1);
/// Between two changes.
const BETWEEN: Duration = Duration::from_millis(500);
/// For the old process to end what it has begun.
const GIVES_WAY_WITHIN: Duration = Duration::from_secs(40);

/// What is changed, by turns.
#[derive(Debug, Clone, Copy)]
enum Change {
    /// A configuration that is refused.
    Garbage,
    /// Rules of caching.
    Rules,
    /// Another certificate.
    Certificate,
    /// Another process takes the sockets over.
    Process,
}

impl Change {
    const ALL: [Self; 4] = [Self::Garbage, Self::Rules, Self::Certificate, Self::Process];

    const fn name(self) -> &'static str {
        match self {
            Self::Garbage => "configurations refused",
            Self::Rules => "new rules",
            Self::Certificate => "new certificates",
            Self::Process => "new processes",
        }
    }
}

pub(crate) fn measure(options: &Options, workplace: &Workplace) -> Result<Vec<Line>> {
    let folder = workplace.directory("reload-")?;
    let upstream = Upstream::start()?;
    let mut scene = Scene::start(options, folder.path(), &upstream)?;
    let span = Duration::from_secs(options.pick(SECONDS.0, SECONDS.1));
    let (target, tally) = (Rc::new(scene.target()), Rc::new(Tally::default()));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let asking = ask_steadily(target, Rc::clone(&tally), RATE);
    let changes = tokio::task::LocalSet::new().block_on(&runtime, async {
        tokio::select! {
            () = asking => bail!("nobody asks any more"),
            changes = scene.change_for(span) => changes,
        }
    })?;
    let (answered, failed) = (tally.answered.get(), tally.failed.borrow());
    for why in failed.iter().take(WORTH_TELLING) {
        eprintln!("bench: failed: {why}");
    }
    let done = Change::ALL.iter().enumerate().map(|(index, change)| {
        let count = changes.iter().filter(|&&made| made as usize == index).count();
        format!("{count} {}", change.name())
    });
    let seconds = span.as_secs();
    Ok(vec![
        Line::once(
            format!("{RATE} requests/s for {seconds} s while all changes: requests that failed"),
            "requests",
            failed.len() as f64,
            Some(Bar::Exactly(0.0)),
        )
        .note(format!(
            "HTTP/1.1 kept and not, HTTP/2, HTTP/3, TLS; meanwhile {}",
            done.collect::<Vec<_>>().join(", ")
        )),
        Line::once(
            format!("{RATE} requests/s for {seconds} s while all changes: answered whole"),
            "requests",
            answered as f64,
            None,
        ),
    ])
}

/// Failures that are printed.
const WORTH_TELLING: usize = 10;

struct Scene<'a> {
    folder: &'a Path,
    program: PathBuf,
    ports: Ports,
    certificates: [Rc<Certificate>; 2],
    /// The configuration without rules of caching.
    good: String,
    edge: Option<Process>,
}

impl<'a> Scene<'a> {
    fn start(options: &Options, folder: &'a Path, upstream: &Upstream) -> Result<Self> {
        let certificate = |name: &str| {
            let folder = folder.join(name);
            std::fs::create_dir(&folder).map(|()| Rc::new(Certificate::make(&folder)))
        };
        let ports = Ports::free()?;
        let path = |name: &str| folder.join(name);
        let good = format!(
            "upstream = \"http://{}\"\n[serve]\nlisten = [\"{}\"]\ntls_listen = [\"{}\"]\nhttp3 = true\nadmin = \"{}\"\n\
             admin_hosts = [\"lessons.example\"]\n\
             cert = {:?}\nkey = {:?}\nhandover = {:?}\n",
            upstream.address(),
            ports.plain,
            ports.tls,
            ports.admin,
            path("cert.pem"),
            path("key.pem"),
            path("handover"),
        );
        let program = peers::airclass::program(options)?;
        let certificates = [certificate("one")?, certificate("two")?];
        let mut scene = Self { folder, program, ports, certificates, good, edge: None };
        scene.show(0)?;
        scene.write(&scene.good)?;
        let (mut edge, log) = (scene.process()?, scene.log());
        peers::wait_for(&mut edge, &log, &[scene.ports.plain, scene.ports.tls])?;
        scene.edge = Some(edge);
        Ok(scene)
    }

    fn target(&self) -> Target {
        Target {
            plain: self.ports.plain,
            tls: self.ports.tls,
            certificates: self.certificates.to_vec(),
            path: upstream::path(LENGTH, "reload.m4s"),
            length: LENGTH,
        }
    }

    /// Changes one thing after the other; gives what, each as it had to be.
    async fn change_for(&mut self, span: Duration) -> Result<Vec<Change>> {
        let until = clock::now() + span;
        let mut made = Vec::new();
        tokio::time::sleep(SETTLE).await;
        for (round, change) in (0..).flat_map(|round| Change::ALL.map(|change| (round, change))) {
            if clock::now() >= until {
                break;
            }
            self.make(change, round).await.with_context(|| format!("{change:?}, round {round}"))?;
            made.push(change);
            tokio::time::sleep(BETWEEN).await;
        }
        Ok(made)
    }

    async fn make(&mut self, change: Change, round: usize) -> Result<()> {
        match change {
            Change::Garbage => {
                self.write(&self.good.replace("listen", "lissten"))?;
                self.order(409).await
            }
            Change::Rules => {
                self.write(&format!("{}[cache]\nnegative_ttl = \"{}s\"\n", self.good, round + 1))?;
                self.order(200).await
            }
            Change::Certificate => {
                self.show((round + 1) % self.certificates.len())?;
                self.order(200).await
            }
            Change::Process => {
                let new = self.process()?;
                let Some(mut old) = self.edge.replace(new) else { bail!("there is none") };
                let ended = tokio::task::spawn_blocking(move || old.wait(GIVES_WAY_WITHIN)).await??;
                ensure!(ended.success(), "the process before ended with {ended}");
                Ok(())
            }
        }
    }

    async fn order(&self, expected: u16) -> Result<()> {
        let answer = client::ask(&mut client::connect(self.ports.admin).await, "POST", "/reload", &[]).await;
        let said = String::from_utf8_lossy(&answer.body);
        ensure!(answer.status == expected, "answered {} to the wish to reload: {said}", answer.status);
        Ok(())
    }

    /// Puts a certificate where the edge looks for it.
    fn show(&self, which: usize) -> Result<()> {
        let certificate = &self.certificates[which];
        std::fs::copy(&certificate.cert, self.folder.join("cert.pem"))?;
        std::fs::copy(&certificate.key, self.folder.join("key.pem"))?;
        Ok(())
    }

    fn write(&self, text: &str) -> Result<()> {
        Ok(std::fs::write(self.folder.join("edge.toml"), text)?)
    }

    fn process(&self) -> Result<Process> {
        let mut command = Command::new(&self.program);
        command.arg("edge").arg("--config").arg(self.folder.join("edge.toml"));
        Process::start(command, &self.log())
    }

    fn log(&self) -> PathBuf {
        self.folder.join("output.log")
    }
}
