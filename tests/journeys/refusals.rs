//! Bad input ends in exit status 2 and one line, `CODE: what is wrong, what to do`.

use journeys::process::run_in;
use journeys::{Airclass, Finished, airclass, project};

fn refused(arguments: &[&str], code: &str, says: &str) {
    let Finished { status, stderr, .. } = airclass(arguments);
    let line = stderr.lines().last().unwrap_or_default();
    assert_eq!(status.code(), Some(2), "{arguments:?}: {stderr}");
    assert!(line.starts_with(&format!("{code}: ")), "{arguments:?}: {line}");
    assert!(line.contains(says), "{arguments:?}: {line}");
    assert!(!stderr.contains("panicked"), "{stderr}");
}

#[test]
fn a_configuration_that_cannot_be_is_refused_by_file_line_and_key() {
    let scratch = tempfile::tempdir().unwrap();
    let file = scratch.path().join("edge.toml");
    let path = file.to_str().unwrap();
    for (text, code, says) in [
        ("upstream = \"http://a\"\nlissten = 1\n", "CONFIG_INVALID", "edge.toml:2: unknown field `lissten`"),
        (
            "upstream = \"http://a\"\n[serve]\nports = 1\n",
            "CONFIG_INVALID",
            "edge.toml:3: unknown field `ports`",
        ),
        ("upstream = \"http://a\"\nram = \"2\"\n", "CONFIG_INVALID", "edge.toml:2:"),
        ("upstream = \n", "CONFIG_INVALID", "edge.toml:1:"),
        (
            "[serve]\nadmin = \"here\"\n",
            "CONFIG_INVALID",
            "edge.toml:2: invalid socket address syntax; write an",
        ),
        ("ram = \"2GiB\"\n", "CONFIG_VALUE", "`upstream` is missing"),
        ("upstream = \"https:///\"\n", "CONFIG_VALUE", "`upstream`"),
    ] {
        std::fs::write(&file, text).unwrap();
        refused(&["edge", "--config", path], code, says);
    }
    refused(&["edge", "--config", "/nowhere/edge.toml"], "CONFIG_UNREADABLE", "/nowhere/edge.toml");
    refused(&["edge", "--upstream", "http://a", "--log", "no=such=level"], "CONFIG_VALUE", "`log`");
}

#[test]
fn flags_and_variables_that_are_not_understood_are_one_line() {
    for (arguments, says) in [
        (
            &["edge", "--listen", "x"][..],
            "'--listen <ADDR>' (or AIRCLASS_LISTEN): invalid socket address syntax; write an address",
        ),
        (
            &["edge", "--listen", "unix:/run/edge.sock"],
            "invalid socket address syntax; a unix socket has a table of its own: [[serve.listener]] with",
        ),
        (&["edge", "--lissten", "x"], "'--lissten' found; tip: a similar argument exists: '--listen'; see"),
        (
            &["edge", "--cores", "two"],
            "digit found in string; write a whole number; see `airclass edge --help`",
        ),
        (&["edge", "--ram"], "a value is required for '--ram <SIZE>' (or AIRCLASS_RAM)"),
        (
            &["package", "verify"],
            "not provided: --store <URL>; <PACKAGE|--all>; see `airclass package verify",
        ),
    ] {
        refused(arguments, "USAGE", says);
        assert_eq!(airclass(arguments).stderr.lines().count(), 1);
    }
    let said = run_in(&[("AIRCLASS_ADMIN", "here".to_owned())], "airclass", &["edge"]);
    assert!(said.code() == Some(2) && said.stderr.starts_with("USAGE: "), "{said:?}");
    assert!(said.stderr.contains("'--admin <ADDR>' (or AIRCLASS_ADMIN)"), "{said:?}");
    // Help is none of it.
    for (arguments, code) in
        [(&["--help"][..], 0), (&["edge", "--help"], 0), (&["--version"], 0), (&["node"], 2)]
    {
        let Finished { status, stdout, stderr } = airclass(arguments);
        let text = format!("{stdout}{stderr}");
        assert!(
            status.code() == Some(code) && text.contains("airclass") && !text.contains("USAGE"),
            "{text}"
        );
    }
}

#[test]
fn a_taken_port_is_named() {
    let holder = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = holder.local_addr().unwrap().to_string();
    let edge = ["edge", "--upstream", "http://127.0.0.1:1"];
    refused(&[&edge[..], &["--listen", &taken, "--admin", "127.0.0.1:0"]].concat(), "LISTEN_TAKEN", &taken);
    refused(&[&edge[..], &["--listen", "127.0.0.1:0", "--admin", &taken]].concat(), "LISTEN_TAKEN", &taken);
    // Also by one of our own: SO_REUSEPORT must not let two edges share a port unawares.
    let first = Airclass::edge("127.0.0.1:1".parse().unwrap(), &[]);
    let taken = first.address().to_string();
    refused(&[&edge[..], &["--listen", &taken, "--admin", "127.0.0.1:0"]].concat(), "LISTEN_TAKEN", &taken);
}

#[test]
fn a_store_that_is_not_there_is_refused() {
    refused(
        &["origin", "--store", "/nowhere/store", "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0"],
        "STORE_NOT_THERE",
        "/nowhere/store",
    );
}

#[test]
fn an_unknown_command_is_named_and_ingest_is_found() {
    refused(&["nonsense"], "COMMAND_UNKNOWN", "airclass nonsense");
    let help = airclass(&["ingest", "--help"]);
    assert!(help.status.success(), "{help:?}");
    assert!(help.stdout.contains("sample"), "{}", help.stdout);
}

#[test]
fn the_shipped_configurations_start_their_services() {
    let config = |name: &str| project().join("config").join(name).to_str().unwrap().to_owned();
    let store = tempfile::tempdir().unwrap();
    let store = store.path().to_str().unwrap();
    let edges = project().join("deploy/kubernetes/edges.toml");
    for file in [&config("edge.toml"), edges.to_str().unwrap()] {
        Airclass::start(&["edge", "--config", file, "--listen", "127.0.0.1:0"]);
    }
    Airclass::start(&[
        "origin",
        "--config",
        &config("origin.toml"),
        "--store",
        store,
        "--listen",
        "127.0.0.1:0",
    ]);
}
