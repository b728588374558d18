//! Who was answered what: in one log without addresses, in another with them and sealed.

use journeys::client::{ask, connect, get};
use journeys::process::metric;
use journeys::raw::Loose;
use journeys::{Airclass, airclass};
use std::io::Read;
use std::path::{Path, PathBuf};

fn files(folder: &Path, end: &str) -> Vec<PathBuf> {
    let all = std::fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path());
    let mut named: Vec<_> = all.filter(|path| path.to_string_lossy().ends_with(end)).collect();
    named.sort();
    named
}

/// Whether all files are under their last names, by which they are summed.
fn are_finished(folder: &Path) -> bool {
    [".log", ".open"].iter().all(|end| files(folder, end).is_empty())
}

fn origin() -> Loose {
    Loose::start(|_| {
        b"HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\nContent-Type: video/iso.segment\r\nContent-Length: 5\r\n\r\nhello"
            .to_vec()
    })
}

#[tokio::test]
async fn every_answer_is_written_down_and_addresses_only_under_seal() {
    let (scratch, origin) = (tempfile::tempdir().unwrap(), origin());
    let folder = scratch.path().join("log");
    std::fs::create_dir(&folder).unwrap();
    let keys = airclass(&["node", "log-key"]).stdout;
    let public = keys.split('"').nth(1).unwrap().to_owned();
    let key = scratch.path().join("key");
    std::fs::write(&key, keys).unwrap();
    let mut edge = Airclass::edge(
        origin.address,
        &["--access-log", folder.to_str().unwrap(), "--access-log-seal-to", &public],
    );
    let path = "/p/0123abc/s2/00001.m4s?token=secret";
    for cache in ["miss", "hit"] {
        let answer = get(edge.address(), path, &[("user-agent", "journey")]).await;
        assert_eq!(&answer.body[..], b"hello", "{cache}");
    }
    edge.terminate();
    edge.wait();
    // What there was no time to zip, on a busy machine all of it, the next process zips.
    let next = Airclass::edge(
        origin.address,
        &["--access-log", folder.to_str().unwrap(), "--access-log-seal-to", &public],
    );
    while !are_finished(&folder) {
        std::thread::yield_now();
    }
    drop(next);
    // More than one where they are turned over just now.
    let mut analysis = String::new();
    for zipped in files(&folder, ".log.gz") {
        flate2::read::GzDecoder::new(std::fs::File::open(zipped).unwrap())
            .read_to_string(&mut analysis)
            .unwrap();
    }
    let lines: Vec<serde_json::Value> =
        analysis.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    // An answer is written down once it is over, which its client may know sooner than the core that gave it.
    let mut caches: Vec<_> = lines.iter().map(|line| line["cache"].as_str().unwrap()).collect();
    caches.sort_unstable();
    assert_eq!(caches, ["hit", "miss"]);
    for line in &lines {
        assert_eq!(
            (line["client_ip"].as_str(), line["rung"].as_str()),
            (Some("127.0.0.0"), Some("s2")),
            "{line}"
        );
        assert_eq!(
            (line["body_bytes_sent"].as_u64(), line["whole"].as_bool()),
            (Some(5), Some(true)),
            "{line}"
        );
    }
    assert!(!analysis.contains("127.0.0.1") && !analysis.contains("secret"), "{analysis}");
    let sealed = files(&folder, ".sealed");
    let mut opened = String::new();
    for one in &sealed {
        let told = airclass(&["node", "unseal", "--key", key.to_str().unwrap(), one.to_str().unwrap()]);
        assert_eq!(told.code(), Some(0), "{}", told.stderr);
        opened += &told.stdout;
    }
    assert_eq!(opened.matches("\"client_ip\":\"127.0.0.1\"").count(), 2, "{opened}");
    assert!(opened.contains("token=secret"));
    let sums = std::process::Command::new("sha256sum")
        .args(["--check", "--strict", "SHA256SUMS"])
        .current_dir(&folder)
        .output()
        .unwrap();
    assert!(sums.status.success(), "{sums:?}");
    let other = airclass(&["node", "unseal", "--key", public.as_str(), sealed[0].to_str().unwrap()]);
    assert!(other.stderr.starts_with("LOG_UNREADABLE: "), "{}", other.stderr);
}

/// Nobody heard a signal while what was open was closed, and that had no end where a folder hangs.
#[test]
fn a_signal_while_the_log_is_closed_ends_the_process_at_once() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    for again in [false, true] {
        let (scratch, origin) = (tempfile::tempdir().unwrap(), origin());
        // What was left behind cannot even be opened: a pipe into which nobody writes.
        let hangs = scratch.path().join("access-20260301T000000000Z-ffffffff.log");
        assert!(std::process::Command::new("mkfifo").arg(&hangs).status().unwrap().success());
        let mut edge = Airclass::edge(origin.address, &["--access-log", scratch.path().to_str().unwrap()]);
        // It says where it listens before it listens for signals.
        let reload = async || ask(&mut connect(edge.admin).await, "POST", "/reload", &[]).await;
        while runtime.block_on(reload()).status == 409 {}
        edge.terminate();
        while !edge.log().contains("\"stopped\"") {
            std::thread::yield_now();
        }
        if again {
            edge.terminate();
        }
        let code = edge.wait().code();
        assert_eq!(code, Some(if again { 130 } else { 0 }), "{}", edge.log());
        let says = if again { "ended at another signal" } else { "has not taken the last lines" };
        while !edge.log().contains(says) {
            std::thread::yield_now();
        }
    }
}

#[tokio::test]
async fn a_log_that_cannot_be_written_stops_nobody() {
    let (scratch, origin) = (tempfile::tempdir().unwrap(), origin());
    let folder = scratch.path().join("log");
    std::fs::create_dir(&folder).unwrap();
    let edge = Airclass::edge(origin.address, &["--access-log", folder.to_str().unwrap()]);
    std::fs::remove_dir_all(&folder).unwrap();
    let lost = || metric(edge.admin, "access_log_lost_lines_total{reason=\"disk\"}");
    // Until the writer has tried once: twenty times a second.
    while lost() == 0.0 {
        assert_eq!(&get(edge.address(), "/a", &[]).await.body[..], b"hello");
    }
    assert_eq!(&get(edge.address(), "/a", &[]).await.body[..], b"hello");
}
