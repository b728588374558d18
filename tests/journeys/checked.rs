//! `--check` says whether a service would start as it is configured, and starts nothing.

#![expect(clippy::unwrap_used, reason = "a test's unwrap is its assertion")]

use journeys::client::Certificate;
use journeys::{Airclass, Finished, airclass, project};
use std::fs;
use std::path::Path;

/// A configuration without a fault, all of whose files are in `folder`.
fn sound(folder: &Path) -> String {
    Certificate::make(folder);
    for made in ["disk", "reports", "plans"] {
        fs::create_dir(folder.join(made)).unwrap();
    }
    let key = signing::SigningKey::generate().unwrap();
    let trusted = format!("[[key]]\nid = \"{}\"\npublic = \"{}\"\n", key.id(), key.public());
    fs::write(folder.join("trusted.toml"), trusted).unwrap();
    fs::write(folder.join("tickets"), "0".repeat(64)).unwrap();
    let text = r#"
disk = ["DIR/disk"]
disk_size = ["1GiB"]
feedback = "DIR/reports"

[[group]]
name = "lessons"
hosts = ["lessons.example"]
tiers = [["http://127.0.0.1:1"]]

[[group]]
name = "others"
tiers = [["http://127.0.0.1:2"]]

[purge]
keys = "DIR/trusted.toml"

[plan]
keys = "DIR/trusted.toml"
source = "DIR/plans"

[serve]
listen = ["127.0.0.1:8080"]
admin = "127.0.0.1:9101"
tls_listen = ["127.0.0.1:8443"]
http3 = true
cert = "DIR/cert.pem"
key = "DIR/key.pem"
ticket_keys = "DIR/tickets"
handover = "DIR/handover"

[[serve.listener]]
address = "unix:DIR/edge.sock"
"#;
    text.replace("DIR", folder.to_str().unwrap())
}

fn check(file: &Path, text: &str) -> Finished {
    fs::write(file, text).unwrap();
    airclass(&["edge", "--check", "--config", file.to_str().unwrap()])
}

/// What lies in a folder, and in those in it.
fn listed(folder: &Path) -> Vec<String> {
    let mut all = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            all.extend(listed(&path));
        }
        all.push(path.display().to_string());
    }
    all.sort();
    all
}

#[test]
fn every_fault_of_a_configuration_is_a_line_with_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let good = sound(folder.path());
    let file = folder.path().join("edge.toml");
    let told = check(&file, &good);
    assert_eq!(told.stdout, "configuration ok: 2 groups, 1 certificate, 3 listeners\n", "{told:?}");
    assert!(told.code() == Some(0) && told.stderr.is_empty(), "{told:?}");

    fs::write(at("half.pem"), "-----BEGIN CERTIFICATE-----\n").unwrap();
    let other = folder.path().join("other");
    fs::create_dir(&other).unwrap();
    Certificate::make(&other);
    let (cert, key) = (at("cert.pem"), at("key.pem"));
    // What is there instead of what was sound, and each line that is said.
    for (was, is, lines) in [
        ("disk_size = [\"1GiB\"]", "disk_sise = 1", &["CONFIG_INVALID: .*edge.toml:3: unknown field"][..]),
        (&cert, &at("gone.pem"), &["TLS_FILE: .*gone.pem: .*give a file with certificates"]),
        (&cert, &at("half.pem"), &["TLS_FILE: .*half.pem: "]),
        (&key, &at("other/key.pem"), &["TLS_MISMATCH: .*cert.pem and its key: .*give a"]),
        (&at("tickets"), &cert, &["TLS_FILE: .*cert.pem: .*one to four keys"]),
        (&at("trusted.toml"), &at("gone.toml"), &["CONFIG_.*gone.toml"]),
        (
            &at("reports"),
            &at("gone"),
            &["CONFIG_VALUE: `feedback` names .*gone, which is no folder; create it"],
        ),
        ("disk_size = [\"1GiB\"]", "", &["CONFIG_VALUE: `disk_size` is given 0 times for 1 disks"]),
        ("\"1GiB\"", "\"1MiB\"", &["CONFIG_VALUE: `disk_size` is 1"]),
        (
            "name = \"others\"",
            "name = \"lessons\"",
            &["CONFIG_VALUE: `group.name` \"lessons\" stands there twice"],
        ),
        ("http://127.0.0.1:2", "127.0.0.1:2", &["CONFIG_VALUE: `group.*\"others\""]),
        ("127.0.0.1:8443", "0.0.0.0:8080", &["LISTEN_TAKEN: cannot listen on 0.0.0.0:8080"]),
        ("127.0.0.1:9101", "127.0.0.1:8080", &["LISTEN_TAKEN: cannot listen on 127.0.0.1:8080"]),
        (&at("edge.sock"), &at("gone/edge.sock"), &["LISTEN_FAILED: cannot listen on unix:.*gone/edge.sock"]),
        (&at("edge.sock"), &cert, &["LISTEN_FAILED: cannot listen on unix:.*cert.pem"]),
        (&at("handover"), &at("gone/handover"), &["HANDOVER_PATH: handover at .*create its folder"]),
        (
            "admin =",
            "user = \"nobody-of-this-name\"\nadmin =",
            &["SANDBOX_USER: `user`: nobody-of-this-name"],
        ),
        (
            "[[serve.listener]]",
            "[[serve.listener]]\naddress = \"127.0.0.1:0\"\ncongestion = \"none-such\"\n[[serve.listener]]",
            &["LISTEN_TUNING: `congestion` of listener 127.0.0.1:0: .*this kernel has"],
        ),
        // Several at once, in the order of the file's tables.
        (
            "[serve]",
            "[owner]\nmaintenance = [\"soon\"]\n[log]\nlog = \"loud\"\n[node]\nowner = \"a\"\n[serve]\nuser = \"nobody-of-this-name\"",
            &[
                "CONFIG_VALUE: `log` ",
                "CONFIG_VALUE: `owner.maintenance`",
                "CONFIG_VALUE: `node.",
                "SANDBOX_USER: ",
            ],
        ),
    ] {
        let broken = good.replace(was, is);
        assert_ne!(broken, good, "{was}");
        let told = check(&file, &broken);
        assert_eq!(told.code(), Some(2), "{was} -> {is}: {told:?}");
        assert!(told.stdout.is_empty() && !told.stderr.contains("panicked"), "{told:?}");
        let said: Vec<_> = told.stderr.lines().collect();
        assert_eq!(said.len(), lines.len(), "{was} -> {is}: {said:#?}");
        for (said, line) in said.iter().zip(lines) {
            assert!(has_in_order(said, line), "{said:?} is not {line:?}");
        }
    }
}

/// Whether `line` begins with the first of what stands between `.*` and has the rest behind it.
fn has_in_order(line: &str, parts: &str) -> bool {
    let mut parts = parts.split(".*");
    let Some(mut rest) = line.strip_prefix(parts.next().unwrap_or_default()) else { return false };
    parts.all(|part| match rest.split_once(part) {
        Some((_, behind)) => {
            rest = behind;
            true
        }
        None => false,
    })
}

#[test]
fn what_a_start_puts_up_with_is_noted_and_stops_nobody() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("edge.toml");
    let text = sound(folder.path());
    fs::remove_dir(folder.path().join("disk")).unwrap();
    let source = folder.path().join("gone.json");
    let told = check(&file, &text.replace("source = \"", &format!("source = \"{}\" #", source.display())));
    assert!(told.code() == Some(0) && told.stdout.starts_with("configuration ok"), "{told:?}");
    let notes: Vec<_> = told.stderr.lines().collect();
    assert_eq!(notes.len(), 2, "{notes:?}");
    assert!(
        notes[0].starts_with("note: `plan.source` names ") && notes[1].starts_with("note: `disk` names ")
    );
}

#[test]
fn a_running_edge_is_not_in_the_way_and_nothing_of_it_is_touched() {
    let folder = tempfile::tempdir().unwrap();
    let text = sound(folder.path());
    let file = folder.path().join("edge.toml");
    let running = Airclass::edge("127.0.0.1:1".parse().unwrap(), &[]);
    let taken = text
        .replace("127.0.0.1:8080", &running.address().to_string())
        .replace("127.0.0.1:9101", &running.admin.to_string());
    fs::write(&file, "").unwrap();
    let before = listed(folder.path());
    let told = check(&file, &taken);
    assert_eq!(told.code(), Some(0), "{told:?}");
    assert_eq!(listed(folder.path()), before);
}

#[test]
fn shipped_configurations_are_sound_and_origin_and_steer_are_checked_too() {
    let config = |name: &str| project().join("config").join(name).to_str().unwrap().to_owned();
    let (store, folder) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let store = store.path().to_str().unwrap();
    let (nodes, missing) = (folder.path().join("nodes.json"), folder.path().join("missing.json"));
    fs::write(&nodes, "{\"nodes\":[]}").unwrap();
    let [nodes, missing] = [&nodes, &missing].map(|path| path.to_str().unwrap());
    let (edge, origin, steer) = (config("edge.toml"), config("origin.toml"), config("steer.toml"));
    for (arguments, says) in [
        (&["edge", "--config", &edge][..], "configuration ok: 1 group, 0 certificates, 1 listener\n"),
        (
            &["origin", "--config", &origin, "--store", store],
            "configuration ok: 0 certificates, 1 listener\n",
        ),
        (&["steer", "--config", &steer, "--nodes", nodes], "configuration ok: 0 certificates, 1 listener\n"),
    ] {
        let told = airclass(&[arguments, &["--check"]].concat());
        assert!(told.code() == Some(0) && told.stdout == says, "{arguments:?}: {told:?}");
    }
    for (arguments, says) in [
        (&["origin", "--store", "/nowhere/store"][..], "STORE_NOT_THERE: "),
        (&["steer"], "CONFIG_VALUE: `control` is missing"),
        (&["steer", "--nodes", missing], "CONFIG_VALUE: `nodes`"),
        (&["steer", "--nodes", nodes, "--user", "nobody-of-this-name"], "SANDBOX_USER: "),
        (&["edge"], "CONFIG_VALUE: `upstream` is missing"),
    ] {
        let told = airclass(&[arguments, &["--check"]].concat());
        assert!(told.code() == Some(2) && told.stderr.starts_with(says), "{arguments:?}: {told:?}");
    }
}
