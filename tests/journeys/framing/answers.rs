//! The other side: an origin, or who sits before it, that answers in a way that has two meanings. The edge as a client
//! is as strict: nothing of it is kept, and nobody else's request is answered with it.

use crate::{HIDDEN, Scene};
use journeys::raw::{Answered, LAST, Loose, exchange, exchange_only};

/// An edge before an origin that answers `/bad` with these bytes.
fn scene(bad: impl Into<Vec<u8>>) -> Scene {
    let bad = bad.into();
    let origin = Loose::start(move |request| match request.target.as_str() {
        "/bad" => bad.clone(),
        target => {
            let length = target.len();
            format!(
                "HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\nContent-Length: {length}\r\n\r\n{target}"
            )
            .into()
        }
    });
    Scene::before(origin)
}

fn ask(scene: &Scene, target: &str) -> Vec<Answered> {
    exchange(scene.edge.address(), format!("GET {target} HTTP/1.1\r\nHost: lessons.example\r\n\r\n"))
}

/// Asked twice, refused twice: not kept; and `/good` is answered as ever.
fn refused(bad: impl Into<Vec<u8>>) {
    let scene = scene(bad);
    let shown = || scene.edge.log();
    for _ in 0..2 {
        let answers = ask(&scene, "/bad");
        assert_eq!(answers[0].status, 502, "{answers:?} {}", shown());
        let good = ask(&scene, "/good");
        assert_eq!((good[0].status, good[0].body.as_str()), (200, "/good"), "{}", shown());
    }
    let targets = scene.origin.targets();
    assert!(targets.iter().filter(|target| *target == "/bad").count() >= 2, "{targets:?}");
}

const OK: &str = "HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\n";

#[test]
fn attacks_01_to_06_an_answer_with_two_lengths() {
    for lines in [
        "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n",
        "Content-Length: 5\r\nContent-Length: 5\r\n",
        "Content-Length: 5\r\nContent-Length: 6\r\n",
        "Content-Length: +5\r\n",
        "Transfer-Encoding: gzip, chunked\r\n",
        "Transfer-Encoding: xchunked\r\n",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
    ] {
        refused(format!("{OK}{lines}\r\n5\r\n01234\r\n0\r\n\r\n"));
    }
}

#[test]
fn attacks_13_to_17_an_answer_split_in_its_header_section() {
    for lines in [
        "X: a\nSet-Cookie: b\r\n",
        "X: a\rSet-Cookie: b\r\n",
        "X: a\0b\r\n",
        "X: a\r\n b\r\n",
        ": a\r\n",
        " : a\r\n",
        "X\r\n",
    ] {
        refused(format!("{OK}Content-Length: 5\r\n{lines}\r\n01234"));
    }
    for head in ["HTTP/2 200 OK", "HTTP/1.10 200 OK", "HTTP/1.1 20 OK", "200 OK", "ICY 200 OK"] {
        refused(format!("{head}\r\nContent-Length: 5\r\n\r\n01234"));
    }
}

/// What a proxy takes out (RFC 9112 §5.1). It says as much as without.
#[test]
fn attack_14_white_space_behind_the_name_of_an_answer_s_field_goes_no_further() {
    let scene = scene(format!("{OK}Content-Length : 5\r\nX \t: a\r\n\r\n01234"));
    let answer = &ask(&scene, "/bad")[0];
    assert!(
        answer.status == 200 && answer.body == "01234" && answer.head.contains("\r\nx: a\r\n"),
        "{answer:?}"
    );
    for lines in [
        "Content-Length: 5\r\nContent-Length : 6\r\n",
        "Content-Length : 5\r\nTransfer-Encoding: chunked\r\n",
        "Content-Length: 5\r\nTransfer-Encoding : chunked\r\n",
        "Transfer-Encoding : xchunked\r\n",
    ] {
        refused(format!("{OK}{lines}\r\n5\r\n01234\r\n0\r\n\r\n"));
    }
}

#[test]
fn attack_23_an_upgrade_that_nobody_asked_for() {
    refused(format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n{HIDDEN}"
    ));
}

#[test]
fn interim_answers_are_bounded() {
    let interim = "HTTP/1.1 102 Processing\r\n\r\n";
    refused(format!("{}{OK}Content-Length: 5\r\n\r\n01234", interim.repeat(1_000)));
    let scene = scene(format!("{}{OK}Content-Length: 5\r\n\r\n01234", interim.repeat(3)));
    assert_eq!(ask(&scene, "/bad")[0].body, "01234");
}

/// What an origin sends beyond its answer is not the answer to the next question.
#[test]
fn bytes_behind_an_answer_answer_nobody() {
    let poison = "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison";
    let scene = scene(format!("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nbad{poison}"));
    for round in 0..20 {
        assert_eq!(ask(&scene, "/bad")[0].body, "bad");
        let target = format!("/good/{round}");
        assert_eq!(ask(&scene, &target)[0].body, target);
    }
}

/// hyper's server cannot send hints, so they are left out; the answer behind them is whole, and kept without them.
#[test]
fn early_hints_are_left_out() {
    let hints = "HTTP/1.1 103 Early Hints\r\nLink: </evil.css>; rel=preload\r\nSet-Cookie: a=b\r\n\r\n";
    let scene = scene(format!("{hints}{hints}{OK}Content-Length: 5\r\n\r\n01234"));
    for hit in [false, true] {
        let bytes = exchange_only(
            scene.edge.address(),
            format!("{}{LAST}", "GET /bad HTTP/1.1\r\nHost: a\r\n\r\n").as_bytes(),
        );
        let text = String::from_utf8_lossy(&bytes);
        assert!(text.starts_with("HTTP/1.1 200 OK") && text.contains("01234"), "{text}");
        assert!(
            !text.contains("103") && !text.contains("evil") && !text.to_lowercase().contains("set-cookie"),
            "{text}"
        );
        assert_eq!(text.contains("; hit"), hit, "{text}");
    }
}
