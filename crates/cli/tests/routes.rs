//! Watching takes no account: there is no check-in, no login and no upload by students behind any address of origin and edge.
//!
//! Addresses, methods and papers are those of the servers' own routers, so that a new one is asked here, too.

use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use testkit::plans::{KEY, entry, envelope, plan};

/// What somebody might send who is asked who he is.
const PERSONAL: &str =
    r#"{"name":"小明","class":"三年二班","phone":"13800138000","photo":"data:image/png;base64,AAAA"}"#;
/// What such addresses are called elsewhere.
const ELSEWHERE: [&str; 12] = [
    "/login",
    "/signin",
    "/register",
    "/user",
    "/account",
    "/session",
    "/checkin",
    "/attendance",
    "/homework",
    "/upload",
    "/api/login",
    "/oauth/authorize",
];
/// Methods by which a client asks for something and gives nothing.
const ASKING: [&str; 3] = ["GET", "HEAD", "OPTIONS"];

struct Answer {
    status: u16,
    head: String,
}

fn ask(address: SocketAddr, method: &str, path: &str) -> Answer {
    let body = if ASKING.contains(&method) { "" } else { PERSONAL };
    let length = body.len();
    let request = format!(
        "{method} {path} HTTP/1.1\r\nHost: lessons.example\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{body}"
    );
    let mut stream = TcpStream::connect(address).expect("it listens");
    stream.write_all(request.as_bytes()).expect("it reads");
    let mut answer = Vec::new();
    // A server that refuses may close before it has read all.
    let _ = stream.read_to_end(&mut answer);
    let text = String::from_utf8_lossy(&answer);
    let head = text.split("\r\n\r\n").next().unwrap_or_default().to_ascii_lowercase();
    let status = head.split(' ').nth(1).and_then(|code| code.parse().ok());
    Answer { status: status.unwrap_or_else(|| panic!("{method} {path}: {head:?}")), head }
}

fn options<T: serde::de::DeserializeOwned>(text: &str) -> T {
    settings::parse(text, Path::new("test.toml")).expect("a test's options")
}

#[test]
fn no_address_takes_a_check_in_a_login_or_an_upload() {
    let scratch = tempfile::tempdir().expect("a scratch folder");
    let path = |name: &str| scratch.path().join(name).to_str().expect("a plain name").to_owned();
    for folder in ["store", "counts", "reports", "plans"] {
        fs::create_dir(path(folder)).expect("a scratch folder");
    }
    fs::write(path("keys.toml"), entry(&KEY)).expect("a scratch folder");
    fs::write(path("plans/2026-09-01.json"), envelope(&plan())).expect("a scratch folder");
    let serve =
        "[serve]\nlisten = [\"127.0.0.1:0\"]\nadmin = \"127.0.0.1:0\"\nno_sandbox = true\ncores = 1\n";
    let origin =
        origin::start(&options(&format!("store = \"{}\"\n{serve}", path("store")))).expect("an origin");
    let upstream = origin.running.addresses()[0];
    let told = format!(
        "upstream = [\"http://{upstream}\"]\ncoverage = \"{}\"\nfeedback = \"{}\"\nram = \"16MiB\"\n\
         shed = false\n[plan]\nkeys = \"{}\"\nsource = \"{}\"\n{serve}",
        path("counts"),
        path("reports"),
        path("keys.toml"),
        path("plans")
    );
    let config = edge::Config::resolve(&options(&told)).expect("an edge's options");
    let edge = edge::EdgeServer::start(config).expect("an edge");

    let papers = edge::Paper::ALL.map(edge::Paper::path);
    let mut paths = origin::addresses();
    paths.extend(papers.iter().chain(&ELSEWHERE).map(|&path| path.to_owned()));
    let mut asked = 0;
    for (who, address) in [("origin", upstream), ("edge", edge.addresses()[0])] {
        for path in &paths {
            for method in edge::METHODS {
                let Answer { status, head } = ask(address, method, path);
                let what = format!("{method} {path} of the {who}: {head}");
                for field in ["set-cookie", "www-authenticate", "proxy-authenticate"] {
                    assert!(!head.contains(field), "{what}");
                }
                assert!(![401, 402, 407, 511].contains(&status), "{what}");
                if ASKING.contains(&method) {
                    continue;
                }
                // The papers are read, and what tells of a person is in neither.
                let is_paper =
                    who == "edge" && papers.contains(&path.as_str()) && edge::Paper::METHOD == method;
                assert_eq!(status, if is_paper { 400 } else { 405 }, "{what}");
                asked += 1;
            }
        }
        for path in ELSEWHERE {
            assert_eq!(ask(address, "GET", path).status, 404, "{path} of the {who}");
        }
    }
    assert!(asked > 500, "{asked}");
    // Nothing of what was sent was kept.
    for folder in ["store", "counts", "reports"] {
        assert_eq!(fs::read_dir(path(folder)).expect("a folder").count(), 0, "{folder}");
    }
    edge.stop();
}
