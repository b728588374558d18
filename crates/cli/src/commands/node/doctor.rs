//! `doctor`: whether a machine can be a node, tried out.
//!
//! `filling → the edge's own checks → descriptors → disks → control`. Nothing is assumed to be well that was not tried; filling
//! comes first, because an edge that was asked nothing yet does not know whether its upstream is there.

use crate::clock;
use agent::{Home, Local, Trouble};
use clap::Args;
use faults::{AnyFault, Blame, Fault, say};
use http::StatusCode;
use jiff::Timestamp;
use package::Digest;
use serde::Serialize;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use tokio::time::Instant;
use units::ByteCount;

/// A bell of a node with 7,000 students, each with two connections, and what it fetches.
const LEAST_DESCRIPTORS: u64 = 16_384;
/// Written to each disk, and read back.
const TRIED: usize = 32 << 20;
/// Lines of `/readyz` that the doctor's own word decides, or that are meant to be so.
const LEFT_OUT: [&str; 3] = ["burn_in", "in_service", "maintenance"];

/// What `doctor` is told.
#[derive(Debug, Args)]
pub(crate) struct Doctor {
    /// The edge's admin listener
    #[arg(long, env = "AIRCLASS_NODE_EDGE", value_name = "ADDRESS", default_value = "127.0.0.1:9101")]
    edge: SocketAddr,
    /// A folder on a disk that the edge uses; once for each. 32 MiB are written there, and taken away again
    #[arg(long = "disk", value_name = "DIR")]
    disks: Vec<PathBuf>,
    /// What a disk must write and read a second
    #[arg(long, value_name = "SIZE", default_value = "50MiB")]
    least_disk: ByteCount,
    /// The node's folder, to try whether the control is there and knows it
    #[arg(long, env = "AIRCLASS_NODE_HOME", value_name = "DIR")]
    home: Option<PathBuf>,
    /// Where the edge listens in plain HTTP, to try whether it fills; without it that counts as not well
    #[arg(long, env = "AIRCLASS_DOCTOR_LISTEN", value_name = "ADDRESS")]
    listen: Option<SocketAddr>,
    /// What is asked for there, twice: a path that its upstream has
    #[arg(long, env = "AIRCLASS_DOCTOR_PATH", value_name = "PATH", default_value = "/")]
    path: String,
    /// Of which host it is asked, where the edge's groups are for hosts [default: as --listen says]
    #[arg(long, env = "AIRCLASS_DOCTOR_HOST", value_name = "HOST")]
    host: Option<String>,
    /// Write what was found here; the edge's owner.burn_in reads it
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// What was found.
#[derive(Serialize)]
struct Paper {
    passed: bool,
    at: Timestamp,
    findings: Vec<Finding>,
}

/// One thing.
#[derive(Serialize)]
struct Finding {
    check: String,
    well: bool,
    says: String,
}

/// Why it is no node yet.
#[derive(Debug, thiserror::Error)]
enum DoctorFault {
    #[error("{0} of {1} checks are not well; their lines say why")]
    NotWell(usize, usize),
    #[error("{}: {source}", path.display())]
    Out { path: PathBuf, source: io::Error },
    #[error("the system gives no runtime: {0}")]
    System(#[from] io::Error),
}

impl Fault for DoctorFault {
    fn code(&self) -> &'static str {
        match self {
            Self::NotWell(..) => "NODE_NOT_WELL",
            Self::Out { .. } => "NODE_FILE",
            Self::System(_) => "NODE_SYSTEM",
        }
    }

    fn blame(&self) -> Blame {
        match self {
            Self::Out { .. } => Blame::Input,
            Self::NotWell(..) | Self::System(_) => Blame::Ours,
        }
    }
}

/// `airclass node doctor`
pub(super) fn doctor(options: &Doctor) -> Result<(), AnyFault> {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(DoctorFault::System)?;
    let findings = runtime.block_on(examine(options));
    for Finding { check, well, says } in &findings {
        say!("{}  {check}: {says}", if *well { "ok " } else { "BAD" });
    }
    let (bad, of) = (findings.iter().filter(|finding| !finding.well).count(), findings.len());
    if let Some(out) = &options.out {
        let at = Timestamp::try_from(clock::now()).unwrap_or_default();
        let paper = serde_json::to_vec_pretty(&Paper { passed: bad == 0, at, findings }).unwrap_or_default();
        fs::write(out, paper).map_err(|source| DoctorFault::Out { path: out.clone(), source })?;
    }
    if bad == 0 { Ok(()) } else { Err(DoctorFault::NotWell(bad, of).into()) }
}

async fn examine(options: &Doctor) -> Vec<Finding> {
    let filled = match options.listen {
        Some(listen) => {
            let host = options.host.clone().unwrap_or_else(|| listen.to_string());
            fill(Local::new(listen), &host, &options.path).await
        }
        None => Err("was not tried; give --listen, where the edge listens in plain HTTP".to_owned()),
    };
    let mut findings = edge(Local::new(options.edge)).await;
    findings.push(found("filling", filled));
    findings.push(found("descriptors", descriptors()));
    for disk in &options.disks {
        let tried = try_disk(disk, options.least_disk);
        findings.push(found(&format!("disk {}", disk.display()), tried));
    }
    if let Some(home) = &options.home {
        findings.push(found("control", control(home).await));
    }
    findings
}

fn found(check: &str, end: Result<String, String>) -> Finding {
    let (well, says) = match end {
        Ok(says) => (true, says),
        Err(says) => (false, says),
    };
    Finding { check: check.to_owned(), well, says }
}

/// Whether the edge is there, and what it says of itself: clock, upstream, plan, listeners.
async fn edge(local: Local) -> Vec<Finding> {
    let text = match local.get("/readyz").await {
        Ok((_, text)) => String::from_utf8_lossy(&text).into_owned(),
        Err(unheard) => {
            let why = format!("{} does not answer: {}; start airclass edge", local.address(), unheard.0);
            return vec![found("edge", Err(why))];
        }
    };
    let line = |line: &str| {
        let (check, says) = line.split_once(": ")?;
        let end = match says.strip_prefix("not ok: ") {
            Some(why) => Err(why.to_owned()),
            None => Ok(says.to_owned()),
        };
        (!LEFT_OUT.contains(&check)).then(|| found(check, end))
    };
    text.lines().filter_map(line).collect()
}

fn descriptors() -> Result<String, String> {
    let limits = fs::read_to_string("/proc/self/limits").map_err(|error| error.to_string())?;
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files")).unwrap_or_default();
    let hard: u64 = line.split_whitespace().nth(1).and_then(|hard| hard.parse().ok()).unwrap_or(u64::MAX);
    match hard >= LEAST_DESCRIPTORS {
        true => Ok(format!("{hard} may be open")),
        false => {
            Err(format!("{hard} may be open; a bell takes {LEAST_DESCRIPTORS}: LimitNOFILE of the unit"))
        }
    }
}

/// Writes, sees that it is on the disk, reads back, compares, and takes it away.
fn try_disk(folder: &Path, least: ByteCount) -> Result<String, String> {
    let path = folder.join(".airclass-doctor");
    let tried = write_and_read(&path);
    let _ = fs::remove_file(&path);
    let (writes, reads) = tried.map_err(|error| error.to_string())?;
    let says = format!("writes {writes} MB/s, reads {reads} MB/s");
    if writes.min(reads) * 1_000_000 < least.0 {
        Err(format!("{says}; at least {least}/s is wanted"))
    } else {
        Ok(says)
    }
}

fn write_and_read(path: &Path) -> io::Result<(u64, u64)> {
    // Bytes that no disk can make fewer.
    let mut block = Digest::of(path.as_os_str().as_encoded_bytes());
    let mut bytes = Vec::with_capacity(TRIED);
    while bytes.len() < TRIED {
        block = Digest::of(&block.0);
        bytes.extend_from_slice(&block.0);
    }
    let speed = |since: Instant| (TRIED as f64 / since.elapsed().as_secs_f64().max(1e-6) / 1e6) as u64;
    let began = Instant::now();
    let mut file = File::create(path)?;
    file.write_all(&bytes)?;
    file.sync_all()?;
    let writes = speed(began);
    drop(file);
    let began = Instant::now();
    let mut read = Vec::with_capacity(TRIED);
    File::open(path)?.read_to_end(&mut read)?;
    let reads = speed(began);
    if read != bytes {
        return Err(io::Error::other("gives back other bytes than were written: take it out"));
    }
    Ok((writes, reads))
}

/// Whether the control answers, and takes this node for one.
async fn control(home: &Path) -> Result<String, String> {
    let home = Home::new(home.to_owned());
    let state = home.state().map_err(|error| error.to_string())?;
    let control = home.control(&state.control).map_err(|error| error.to_string())?;
    // A body that nobody has: who is no node is told so first.
    let asked = control.line().get(&format!("/v1/bodies/{}", Digest([0; 32]))).await;
    match asked {
        Err(Trouble::Refused { refused, .. }) if refused == fleet::Refusal::NotFound.as_str() => {
            Ok(format!("knows {}, certificate until {}", state.node, state.until))
        }
        Ok(_) => Ok(format!("knows {}", state.node)),
        Err(trouble) => Err(trouble.to_string()),
    }
}

/// Whether what the upstream has is here after it was asked for once.
async fn fill(local: Local, host: &str, path: &str) -> Result<String, String> {
    let (mut is_kept, mut why) = (false, String::new());
    for turn in ["", " the second time"] {
        let answer = local.get_of(host, path).await;
        let answer = answer.map_err(|unheard| format!("{path}{turn}: {}", unheard.0))?;
        let status = answer.headers().get("cache-status").and_then(|value| value.to_str().ok());
        let said = Said::of(status.unwrap_or_default());
        judge(answer.status(), &said).map_err(|what| format!("{path}{turn} is answered {what}"))?;
        is_kept |= said.is_kept;
        // Who comes behind it is not told why again.
        why.push_str(&said.why());
    }
    match is_kept {
        true => Ok(format!("{path} came through, and is kept")),
        false => Err(format!("{path} comes through, and is not kept{why}; --path is something that may be")),
    }
}

/// What an edge says of its answer in Cache-Status.
#[derive(Debug, PartialEq, Eq)]
struct Said {
    is_kept: bool,
    detail: Option<String>,
}

impl Said {
    /// Of the last cache of `status` (RFC 9211 §2), which is the edge that was asked.
    fn of(status: &str) -> Self {
        let own = status.rsplit(',').next().unwrap_or_default();
        let mut parameters = own.split(';').skip(1).map(str::trim);
        let is_kept = parameters.clone().any(|parameter| matches!(parameter, "hit" | "stored"));
        let detail = parameters.find_map(|parameter| parameter.strip_prefix("detail="));
        Self { is_kept, detail: detail.map(str::to_owned) }
    }

    fn why(&self) -> String {
        self.detail.as_ref().map(|detail| format!(" ({detail})")).unwrap_or_default()
    }
}

/// What is wrong with an answer, and what to do.
fn judge(status: StatusCode, said: &Said) -> Result<(), String> {
    let what_to_do = match status.as_u16() {
        200 => return Ok(()),
        421 => "no group is for this host; give --host",
        502..=504 => "what is wrong with its upstream stands in the edge's log",
        _ => "--path is something that the upstream has",
    };
    Err(format!("{status}{}; {what_to_do}", said.why()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A node of which each question went on to its upstream filled well, and one whose upstream was away was sent to look for a path.
    #[test]
    fn what_is_said_of_an_answer_tells_whether_it_is_kept_and_what_to_do() {
        for (status, says, is_kept, judged) in [
            (200, "airclass; fwd=uri-miss; stored; ttl=60", true, None),
            (200, "airclass; hit; ttl=60", true, None),
            (200, "airclass; fwd=uri-miss; detail=response-no-store", false, None),
            // Its upstream has it.
            (200, "parent; hit; ttl=9, airclass; fwd=bypass", false, None),
            (200, "", false, None),
            (404, "airclass; fwd=uri-miss; stored; ttl=1", true, Some("404 Not Found; --path is")),
            (
                421,
                "airclass; detail=unknown-host",
                false,
                Some("421 Misdirected Request (unknown-host); no group"),
            ),
            (
                504,
                "airclass; fwd=uri-miss; detail=resolve",
                false,
                Some("504 Gateway Timeout (resolve); what is wrong with its upstream"),
            ),
        ] {
            let said = Said::of(says);
            assert_eq!(said.is_kept, is_kept, "{says}");
            let ended = judge(StatusCode::from_u16(status).unwrap(), &said).err();
            let fits = ended.as_deref().zip(judged).is_none_or(|(ended, begins)| ended.starts_with(begins));
            assert!(ended.is_some() == judged.is_some() && fits, "{ended:?}");
        }
    }
}
