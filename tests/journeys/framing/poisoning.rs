//! Attacks 37 to 41: what one client sends must not stand in what another is given. The origin says back all it hears, and
//! lets anybody keep it.

use crate::{Scene, get};
use journeys::raw::{Answered, Heard, Loose, exchange, exchange_only};

/// An edge before an origin that reflects requests in answers that may be kept. Nothing below `/api/me` may.
fn scene() -> Scene {
    Scene::before(Loose::start(|request| {
        let text = format!("{}{}", request.raw_text(), request.echo());
        let control = if request.target.starts_with("/api/me") { "private" } else { "max-age=60" };
        let length = text.len();
        format!("HTTP/1.1 200 OK\r\nCache-Control: {control}\r\nContent-Length: {length}\r\n\r\n{text}")
            .into()
    }))
}

fn ask(scene: &Scene, payload: impl AsRef<[u8]>) -> Answered {
    exchange(scene.edge.address(), payload).remove(0)
}

/// What the origin heard of `target`.
fn heard(scene: &Scene, target: &str) -> Vec<Heard> {
    scene.origin.take().into_iter().filter(|request| request.target == target).collect()
}

#[test]
fn attack_37_fields_by_which_an_origin_could_be_made_to_answer_for_another_host() {
    let scene = scene();
    for (number, name) in [
        "X-Forwarded-Host",
        "X-Forwarded-Server",
        "X-Forwarded-Scheme",
        "X-Forwarded-Proto",
        "X-Forwarded-Port",
        "X-Forwarded-For",
        "X-Forwarded-Prefix",
        "X-Forwarded-Path",
        "X-Forwarded-Uri",
        "Forwarded",
        "X-Host",
        "X-Original-Host",
        "X-Original-URL",
        "X-Rewrite-URL",
        "X-HTTP-Host-Override",
        "X-Real-IP",
        "True-Client-IP",
    ]
    .iter()
    .enumerate()
    {
        let asked = |lines: &str| get(lines).replace("/x", &format!("/{number}"));
        let attacker = ask(&scene, asked(&format!("{name}: evil.example\r\n")));
        assert!(!attacker.body.contains("evil"), "{name}: {attacker:?}");
        let victim = ask(&scene, asked(""));
        assert!(victim.head.contains("; hit") && !victim.body.contains("evil"), "{name}: {victim:?}");
    }
}

#[test]
fn attack_38_a_body_on_get_changes_nothing_for_anybody() {
    let scene = scene();
    for (number, framing) in [
        "Content-Length: 9\r\n\r\nuser=evil",
        "Transfer-Encoding: chunked\r\n\r\n9\r\nuser=evil\r\n0\r\n\r\n",
    ]
    .iter()
    .enumerate()
    {
        let target = format!("/{number}");
        let fat = format!("GET {target} HTTP/1.1\r\nHost: a\r\nContent-Type: text/plain\r\n{framing}");
        let attacker = ask(&scene, fat);
        assert!(!attacker.body.contains("evil"), "{attacker:?}");
        let victim = ask(&scene, format!("GET {target} HTTP/1.1\r\nHost: a\r\n\r\n"));
        assert!(victim.head.contains("; hit"), "{victim:?}");
        let requests = heard(&scene, &target);
        assert_eq!(requests.len(), 1);
        for name in ["content-length", "transfer-encoding", "content-type"] {
            assert!(requests[0].values(name).is_empty(), "{requests:?}");
        }
    }
}

#[test]
fn attack_39_a_method_is_the_one_of_the_request_line() {
    let scene = scene();
    for (number, name) in ["X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"].iter().enumerate()
    {
        let target = format!("/{number}");
        for (method, other) in [("GET", "POST"), ("POST", "DELETE")] {
            let length = if method == "POST" { "Content-Length: 0\r\n" } else { "" };
            let request = format!(
                "{method} {target} HTTP/1.1\r\nHost: lessons.example\r\n{length}{name}: {other}\r\n\r\n"
            );
            let answered = ask(&scene, request);
            assert!(!answered.body.contains(other), "{answered:?}");
            let requests = heard(&scene, &target);
            assert_eq!((requests.len(), requests[0].method.as_str()), (1, method));
        }
    }
}

#[test]
fn attack_40_paths_that_could_mean_the_same_are_neither_merged_nor_changed() {
    let scene = scene();
    let paths = [
        "/a", "/a/", "/A", "/a;x", "/a;x=1", "/a%2f", "/a%2F", "/a%3b", "/a/.", "/a/./", "/a/..", "/a/../a",
        "//a", "/a//", "/a%00", "/a%252f", "/..%2fa", "/a%5c", "/a?", "/a?x",
    ];
    for path in paths {
        let payload = format!("GET {path} HTTP/1.1\r\nHost: lessons.example\r\n\r\n");
        let answered = ask(&scene, &payload);
        assert!(
            !answered.head.contains("; hit") && answered.body.contains(&format!("GET {path} ")),
            "{answered:?}"
        );
        assert!(ask(&scene, &payload).head.contains("; hit"), "{path}");
        assert_eq!(heard(&scene, path).len(), 1, "{path}");
    }
    // What no path may hold is refused, or goes as it is.
    for path in ["/a\\b", "/\\evil.example/", "/a b"] {
        let payload = format!("GET {path} HTTP/1.1\r\nHost: lessons.example\r\nConnection: close\r\n\r\n");
        let text = exchange_only(scene.edge.address(), payload.as_bytes());
        let targets: Vec<_> = scene.origin.take().into_iter().map(|request| request.target).collect();
        let refused = text.starts_with(b"HTTP/1.1 400") && targets.is_empty();
        assert!(refused || targets == [path], "{path}: {targets:?}");
    }
}

#[test]
fn attack_41_an_ending_that_looks_like_media_makes_nothing_public() {
    let scene = scene();
    for path in ["/api/me/x.ts", "/api/me;x.m4s", "/api/me%2fx.ts", "/api/me%00.ts", "/api/me?x.m4s"] {
        let asked = |cookie: &str| format!("GET {path} HTTP/1.1\r\nHost: a\r\nCookie: {cookie}\r\n\r\n");
        assert!(ask(&scene, asked("victim")).body.contains("victim"), "{path}");
        let attacker = ask(&scene, asked("attacker"));
        assert!(!attacker.head.contains("; hit") && !attacker.body.contains("victim"), "{attacker:?}");
    }
}
