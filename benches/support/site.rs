//! The store, the plan and the nodes of a bell: one origin, its edges, and lessons that players can play.

use crate::process::Process;
use crate::{clock, metrics};
use anyhow::{Context, Result, ensure};
use jiff::{SignedDuration, Timestamp};
use package::Grade;
use serde_json::Value;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;
use testkit::packages::{Made, playable};
use testkit::plans::{KEY, entry, envelope, fill, lesson, plan};
use timetable::Plan;
use timetable::plan::{AdmissionSlot, Fill, Media, PlannedLesson};

/// What players call the edges.
pub(crate) const HOST: &str = "lessons.example";
/// Of each: 192 s.
const SEGMENTS: u32 = 40;
/// Of a picture segment and a sound segment: 100 kbit/s each, so that the network of one machine is not what is measured.
const BYTES: usize = 60_000;
/// More than all lessons together.
const RAM: &str = "256MiB";
/// The nodes' word.
const WORD: &str = "nodes-nodes-nodes-nodes";
/// The longest that a node may take to come up or to answer.
const PATIENCE: Duration = Duration::from_secs(20);

/// What all nodes have in common.
pub(crate) struct Site {
    pub(crate) program: PathBuf,
    folder: PathBuf,
    /// From the wall clock to the morning of the plan.
    offset: SignedDuration,
    lessons: Vec<Lesson>,
}

/// A lesson of the bell, of one grade, whose name it has.
struct Lesson {
    grade: u8,
    exam: bool,
    made: Made,
}

/// A running node.
pub(crate) struct Node {
    _process: Process,
    pub(crate) address: SocketAddr,
    admin: SocketAddr,
}

impl Site {
    /// A store with a lesson for each of `grades`; `exam` says which are before an examination.
    pub(crate) fn new(program: PathBuf, folder: &Path, grades: &[u8], exam: &[u8]) -> Result<Self> {
        std::fs::write(folder.join("keys.toml"), entry(&KEY))?;
        std::fs::write(folder.join("words"), format!("{WORD}\n"))?;
        let lesson = |&grade: &u8| {
            let made = playable(&name(grade), SEGMENTS, BYTES);
            made.publish(&folder.join("store"), &name(grade));
            Lesson { grade, exam: exam.contains(&grade), made }
        };
        let lessons = grades.iter().map(lesson).collect();
        let offset = testkit::plans::moment("06:00:00").duration_since(wall());
        Ok(Self { program, folder: folder.to_owned(), offset, lessons })
    }

    /// What it is where the nodes live.
    pub(crate) fn now(&self) -> Timestamp {
        wall() + self.offset
    }

    /// A time of the plan's day.
    pub(crate) fn moment(&self, time: &str) -> Result<Timestamp> {
        Ok(format!("2026-09-01T{time}+08:00").parse()?)
    }

    pub(crate) fn wait_until(&self, moment: Timestamp) {
        clock::pause(Duration::try_from(moment.duration_since(self.now())).unwrap_or_default());
    }

    /// Where the lesson of a grade begins.
    pub(crate) fn pointer(grade: u8) -> String {
        format!("/lessons/{}/main.m3u8", name(grade))
    }

    /// Has the day's plan published with this bell; where it lies.
    pub(crate) fn publish(
        &self,
        edition: u64,
        bell: Timestamp,
        slots: Vec<AdmissionSlot>,
    ) -> Result<PathBuf> {
        let mut day =
            Plan { edition, slots, lessons: vec![], clips: vec![], fill: vec![], channels: vec![], ..plan() };
        for Lesson { grade: number, exam, made } in &self.lessons {
            let media = Media::of(&made.sealed);
            day.fill.push(Fill { until: bell, ..fill(&media, bell) });
            let planned = lesson(&name(*number), bell, media);
            day.lessons.push(PlannedLesson { grades: vec![grade(*number)?], exam: *exam, ..planned });
        }
        day.fill.sort_by_key(|fill| fill.package);
        let place = self.folder.join("store/plans/2026-09-01.json");
        std::fs::create_dir_all(self.folder.join("store/plans"))?;
        std::fs::write(place.with_extension("new"), envelope(&day))?;
        std::fs::rename(place.with_extension("new"), &place)?;
        Ok(place)
    }

    pub(crate) fn origin(&self) -> Result<Node> {
        let mut command = Command::new(&self.program);
        command.arg("origin").arg("--store").arg(self.folder.join("store"));
        self.start(command, "origin")
    }

    pub(crate) fn edge(&self, upstream: &Node, name: &str, more: &[&str]) -> Result<Node> {
        let mut command = Command::new(&self.program);
        command.args(["edge", "--upstream", &format!("http://{}", upstream.address)]);
        command.args(["--name", name, "--ram", RAM, "--fill-rate", "4Gbit/s"]).args(more);
        self.start(command, name)
    }

    fn start(&self, mut command: Command, name: &str) -> Result<Node> {
        let (address, admin) = (free_address()?, free_address()?);
        command.args(["--listen", &address.to_string(), "--admin", &admin.to_string()]);
        command.arg("--plan-keys").arg(self.folder.join("keys.toml"));
        command.arg("--plan-tokens").arg(self.folder.join("words"));
        command.args(["--plan-host", HOST, &format!("--clock-offset={}", self.offset)]);
        let log = self.folder.join(format!("{name}.log"));
        let mut process = Process::start(command, &log)?;
        let up = clock::wait_until(PATIENCE, || TcpStream::connect(address).is_ok());
        process.check(&log)?;
        ensure!(up, "{name} does not listen within {PATIENCE:?}");
        Ok(Node { _process: process, address, admin })
    }

    /// Whether everything is on the edge.
    pub(crate) fn is_covered(&self, edge: &Node) -> bool {
        let said =
            metrics::ask(edge.admin, "/fill").ok().and_then(|text| serde_json::from_str::<Value>(&text).ok());
        let bells = said.as_ref().and_then(|said| said["bells"].as_array());
        bells.is_some_and(|bells| {
            !bells.is_empty()
                && bells.iter().all(|bell| bell["covered"] == true && bell["lessons"] == self.lessons.len())
        })
    }
}

impl Node {
    /// A metric by its name and labels.
    pub(crate) fn metric(&self, name: &str) -> Result<f64> {
        metrics::value(self.admin, name)
    }
}

/// What a grade's lesson is called.
fn name(grade: u8) -> String {
    format!("g{grade:02}")
}

/// A school year.
pub(crate) fn grade(number: u8) -> Result<Grade> {
    number.try_into().ok().with_context(|| format!("there is no grade {number}"))
}

/// The wall clock.
fn wall() -> Timestamp {
    Timestamp::now()
}

/// An address that nobody listens on.
fn free_address() -> Result<SocketAddr> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?)
}
