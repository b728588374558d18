//! What an edge has sent is in its accounts, across a restart and a kill, and is billed.

use jiff::Timestamp;
use journeys::client::{ask, connect, get};
use journeys::raw::Loose;
use journeys::{Airclass, airclass};
use std::path::Path;
use std::time::Duration;

const BODY: usize = 300_000;
/// So near its end a month is none to be billed as this one.
const LAST_OF_A_MONTH: Duration = Duration::from_secs(180);
/// Between two looks.
const PAUSE: Duration = Duration::from_millis(100);

/// Waits for the end of a month that is about to be over in China: what is sent in it would be billed in the next.
fn no_month_ends_soon() {
    let month = |moment| timetable::Zone::CHINA.local(moment).date().first_of_month();
    while month(Timestamp::now()) != month(Timestamp::now() + LAST_OF_A_MONTH) {
        std::thread::park_timeout(PAUSE);
    }
}

fn edge(upstream: std::net::SocketAddr, folder: &Path) -> Airclass {
    let folder = folder.to_str().expect("scratch folders have plain names");
    let identity = ["--owner", "bofei", "--province", "hubei", "--carrier", "dianxin", "--site", "wuhan-1"];
    Airclass::edge(upstream, &[&identity[..], &["--accounts", folder, "--commit", "1Mbit/s"]].concat())
}

#[tokio::test]
async fn what_is_sent_is_billed_once_whatever_becomes_of_the_process() {
    no_month_ends_soon();
    let folder = tempfile::tempdir().unwrap();
    let origin = Loose::start(|_| {
        let head = format!("HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\nContent-Length: {BODY}\r\n\r\n");
        [head.as_bytes(), &vec![b'x'; BODY][..]].concat()
    });
    let mut first = edge(origin.address, folder.path());
    for _ in 0..3 {
        assert_eq!(get(first.address(), "/a", &[]).await.body.len(), BODY);
    }
    let metrics = get(first.admin, "/metrics", &[]).await.body;
    let metrics = String::from_utf8_lossy(&metrics).into_owned();
    let node = r#"airclass_node_info{carrier="dianxin",owner="bofei",province="hubei",site="wuhan-1"} 1"#;
    assert!(metrics.contains(node), "{metrics}");
    first.terminate();
    first.wait();
    // The next one is killed: what it has not written down is the minute that was not over.
    let second = edge(origin.address, folder.path());
    assert_eq!(get(second.address(), "/a", &[]).await.body.len(), BODY);
    drop(second);
    let accounts = folder.path().to_str().unwrap();
    let commit = ["--commit", "1Mbit/s"];
    let said = airclass(&[&["node", "bill", "--accounts", accounts, "--json"][..], &commit].concat());
    assert_eq!(said.code(), Some(0), "{}", said.stderr);
    let bill: serde_json::Value = serde_json::from_str(&said.stdout).unwrap();
    let line = &bill["lines"][0];
    let sent = line["ipv4_bytes"].as_u64().unwrap() as usize;
    // Three answers, and no more than their heads and what the second process has written beside them.
    assert!((3 * BODY..5 * BODY).contains(&sent), "{bill}");
    assert_eq!((line["ipv6_bytes"].as_u64(), line["level_bps"].as_u64()), (Some(0), Some(1_000_000)));
    let csv = airclass(&["node", "bill", "--accounts", accounts, "--csv", "-"]).stdout;
    assert!(csv.starts_with("begins,owner,province,carrier,family,bytes,bits_per_second,known\n"));
    let text = airclass(&[&["node", "bill", "--accounts", accounts][..], &commit].concat()).stdout;
    assert!(text.contains("bofei hubei dianxin") && text.contains("above 1.00"), "{text}");
    let nothing = airclass(&["node", "bill", "--accounts", accounts, "--month", "2001-01"]);
    assert!(
        nothing.stderr.starts_with("ACCOUNTS_EMPTY: ") && nothing.code() == Some(2),
        "{}",
        nothing.stderr
    );
}

/// A stop waited for the folder for ever.
#[test]
fn a_folder_that_hangs_holds_up_no_stop() {
    let folder = tempfile::tempdir().unwrap();
    // The month's file, and the next one's for who runs this at the end of one: who opens it waits for a writer.
    let today = jiff::tz::TimeZone::UTC.to_datetime(Timestamp::now()).date();
    for days in [0, 40, -20] {
        let month = today.first_of_month().saturating_add(jiff::Span::new().days(days)).strftime("%Y-%m");
        let hangs = folder.path().join(format!("accounts-{month}.log"));
        assert!(std::process::Command::new("mkfifo").arg(&hangs).status().unwrap().success());
    }
    let origin = Loose::start(|_| b"HTTP/1.1 204 No Content\r\n\r\n".to_vec());
    let mut edge = edge(origin.address, folder.path());
    // It says where it listens before it listens for signals.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let reload = async || ask(&mut connect(edge.admin).await, "POST", "/reload", &[]).await;
    while runtime.block_on(reload()).status == 409 {}
    edge.terminate();
    assert!(edge.wait().success(), "{}", edge.log());
    while !edge.log().contains("has not taken the last minutes") {
        std::thread::yield_now();
    }
}
