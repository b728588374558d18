//! A node's certificate before, at and after its end.

use crate::ministry::{Ministry, Node, text};
use crate::{LOOKS, PATIENCE, PAUSE, obeyed, refused};
use agent::{Home, Trouble};
use jiff::Timestamp;
use std::path::Path;

/// Before its end by a third of its life, a certificate of 45 days is that old.
const LONG_AGO_S: i64 = 100 * 86_400;

/// Waits until `said` holds.
fn until(what: &str, said: impl Fn() -> bool) {
    for _ in 0..LOOKS {
        if said() {
            return;
        }
        std::thread::park_timeout(PAUSE);
    }
    panic!("not within three minutes: {what}");
}

/// Whether the control knows who asks with the papers of `home`, or why not.
fn asks(ministry: &Ministry, home: &Path) -> Result<(), Trouble> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let control = Home::new(home.to_owned()).control(&ministry.url()).unwrap();
    // A node may ask for it, and it is nowhere: an answer without a wait.
    let nothing = format!("/v1/bodies/{}", "0".repeat(64));
    match runtime.block_on(async { control.line().get(&nothing).await }) {
        Err(Trouble::Refused { refused, .. }) if refused == "not_found" => Ok(()),
        Err(trouble) => Err(trouble),
        Ok(found) => panic!("{found:?}"),
    }
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        std::fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
    }
}

/// Lets the agent, which does not run now, find a certificate of which less than a third is left.
fn grown_old(node: &Node) {
    let state = node.folder.join("home/state.json");
    let mut kept: serde_json::Value = serde_json::from_slice(&std::fs::read(&state).unwrap()).unwrap();
    let since: Timestamp = kept["since"].as_str().unwrap().parse().unwrap();
    let long_ago = Timestamp::from_second(since.as_second() - LONG_AGO_S).unwrap();
    kept["since"] = long_ago.to_string().into();
    std::fs::write(&state, kept.to_string()).unwrap();
}

fn renewals(node: &Node, outcome: &str) -> f64 {
    let name = format!("airclass_node_renewals_total{{outcome=\"{outcome}\"}} ");
    let said = node.agent_says("/metrics");
    let count = said.lines().find_map(|line| line.strip_prefix(&name));
    count.map_or(0.0, |count| count.parse().unwrap())
}

#[test]
fn a_certificate_is_renewed_before_its_end_and_the_old_one_counts_no_more() {
    let ministry = Ministry::new(None);
    let mut node = ministry.node("wuhan-1");
    let (home, old) = (node.folder.join("home"), node.folder.join("old"));
    let read = |name: &str| std::fs::read_to_string(home.join(name)).unwrap();
    obeyed(&ministry.purge(&["--wait", PATIENCE]), 1);
    assert!(asks(&ministry, &home).is_ok());

    node.agent = None;
    copy(&home, &old);
    let before = (read("node.key"), read("node.pem"));
    grown_old(&node);
    node.follow();
    until("another certificate", || renewals(&node, "renewed") == 1.0);
    assert!(before.0 != read("node.key") && before.1 != read("node.pem"), "another key, too");
    assert!(!home.join("next.key").exists());
    // The old pair counts until the new one is used, which is at once.
    until(
        "the old certificate's end",
        || matches!(asks(&ministry, &old), Err(Trouble::Refused { refused, .. }) if refused == "old_certificate"),
    );
    assert!(asks(&ministry, &home).is_ok());
    obeyed(&ministry.purge(&["--wait", PATIENCE]), 1);
    let kept = Home::new(home.clone()).state().unwrap();
    let expiry = format!("airclass_node_certificate_expiry_timestamp_seconds {}", kept.until.as_second());
    assert!(node.agent_says("/metrics").contains(&expiry), "{}", node.agent_says("/metrics"));
    let records = ministry.ask("edu-li", &["records", "--key", &ministry.records]);
    assert!(records.stdout.contains("wuhan-1/1  {\"renewed\""), "{records:?}");

    // Agent and control start anew with what they have kept; only the new pair is of use.
    node.follow();
    obeyed(&ministry.purge(&["--wait", PATIENCE]), 1);
    assert!(node.agent_says("/readyz").contains("certificate: ok"), "{}", node.agent_says("/readyz"));
    assert!(node.agent_says("/metrics").contains("airclass_node_certificate_late 0\n"));
}

#[test]
fn a_renewal_that_fails_is_said_and_tried_again() {
    let mut ministry = Ministry::new(None);
    let mut node = ministry.node("wuhan-1");
    obeyed(&ministry.purge(&["--wait", PATIENCE]), 1);
    node.agent = None;
    grown_old(&node);
    ministry.control = None;
    node.follow();
    until("a renewal that fails", || renewals(&node, "failed") >= 1.0);
    until("a line about it", || {
        node.agent_log().contains("the certificate is not renewed; it is tried again")
    });
    assert!(node.agent_says("/readyz").contains("certificate: ok"), "what it has counts on");
    node.fetches();
    assert!(!node.fetches(), "students are served");
    ministry.open();
    until("another certificate", || renewals(&node, "renewed") >= 1.0);
    obeyed(&ministry.purge(&["--wait", PATIENCE]), 1);
}

#[test]
fn a_certificate_that_has_run_out_is_nobodys_and_the_node_enrols_anew() {
    let ministry = Ministry::with(&["--certificates", "10s"]);
    let path = |name: &str| ministry.folder.path().join(name);
    let (home, folder) = (path("node/home"), path("node"));
    std::fs::create_dir_all(&folder).unwrap();
    assert_eq!(ministry.enrol(&home, &ministry.token("wuhan-1"), &[]).code(), Some(0));
    until("the certificate's end", || matches!(asks(&ministry, &home), Err(Trouble::Untrusted(_))));
    std::fs::write(folder.join("keys.toml"), testkit::plans::entry(&testkit::plans::KEY)).unwrap();
    let edge = ministry.edge(None, &folder);
    let mut node =
        Node { name: "hubei/dianxin/acme/wuhan-1/1".to_owned(), edge, agent: None, folder, inside: None };
    node.follow();
    until("a word about it", || node.agent_says("/readyz").contains("certificate: not ok: it has run out"));
    until("a line about it", || node.agent_log().contains("the certificate has run out"));
    until("a renewal that fails", || renewals(&node, "failed") >= 1.0);
    until("that it is late", || node.agent_says("/metrics").contains("airclass_node_certificate_late 1\n"));
    // There is no way back but a token, and another folder, so that nothing of worth is written over.
    refused(
        &ministry.enrol(&home, &ministry.token("wuhan-1"), &[]),
        "NODE_FILE: ",
        "has enrolled here already",
    );
    let again = ministry.enrol(&path("again"), &ministry.token("wuhan-1"), &[]);
    assert!(again.stdout.contains("hubei/dianxin/acme/wuhan-1/2"), "{again:?}");
    assert_eq!(ministry.ask("telecom-zhang", &["revoke", &node.name]).code(), Some(0));
    assert!(text(&home).ends_with("home"));
}
