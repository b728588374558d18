//! Every request that we can think of, bent in every way that we can think of: what the origin reads is what the edge
//! read, or the edge read nothing. The words are our own; the ways are those by which servers have been set against
//! each other.

use crate::{HIDDEN, Scene};
use journeys::raw::{Heard, exchange};

/// Requests to bend. `|` marks where something may be put in, and is left out.
const STEMS: [&str; 4] = [
    "GET| |/x|?q| |HTTP/1.1|\r\n|Host|:| lessons.example|\r\n|X-A|:| b|\r\n|\r\n",
    "POST /x HTTP/1.1\r\n|Host: lessons.example\r\n|Content-Length|:| |BODYLEN|\r\n|\r\n|BODY",
    "POST /x HTTP/1.1\r\n|Host: lessons.example\r\n|Transfer-Encoding|:| |chunked|\r\n|\r\n|CHUNKLEN|\r\n|BODY|\r\n|0|\r\n|\r\n",
    "PUT http://lessons.example|/x HTTP/1.1\r\n|Host: lessons.example|\r\n|Content-Length: 0|\r\n|\r\n",
];

/// What is put in.
const BITS: [&[u8]; 46] = [
    b" ",
    b"\t",
    b"\r",
    b"\n",
    b"\r\n",
    b"\0",
    b"\x0b",
    b"\x0c",
    b"\x1f",
    b"\x7f",
    b"\x80",
    b"\x85",
    b"\xa0",
    b"\xff",
    b",",
    b";",
    b":",
    b"=",
    b"#",
    b"%0d%0a",
    b"\\",
    b"\"",
    b"'",
    b"@",
    b"/",
    b"?",
    b"0",
    b"1",
    b"+",
    b"-",
    b"0x",
    b"_",
    b"\r\n ",
    b"\r\n\t",
    b"\r\r\n",
    b"\n\n",
    b"\r\n\r\n",
    b" HTTP/1.1",
    b" HTTP/1.0",
    b"Content-Length: 0\r\n",
    b"Content-Length: 1\r\n",
    b"Transfer-Encoding: chunked\r\n",
    b"Transfer-Encoding: identity\r\n",
    b"Connection: Content-Length\r\n",
    b"Connection: close, Transfer-Encoding\r\n",
    b";a=\r",
];

fn fill_in(text: &str) -> Vec<u8> {
    text.replace("BODYLEN", &HIDDEN.len().to_string())
        .replace("CHUNKLEN", &format!("{:x}", HIDDEN.len()))
        .replace("BODY", HIDDEN)
        .into_bytes()
}

/// Each stem with each bit at each mark, or with the piece behind the mark left out or doubled.
fn mutations() -> Vec<Vec<u8>> {
    let mut all = Vec::new();
    for stem in STEMS {
        let pieces: Vec<Vec<u8>> = stem.split('|').map(fill_in).collect();
        for at in 0..pieces.len() {
            let before = || pieces[..at].concat();
            for bit in BITS {
                all.push([&before()[..], bit, &pieces[at..].concat()].concat());
            }
            all.push([&before()[..], &pieces[at + 1..].concat()].concat());
            all.push([&before()[..], &pieces[at], &pieces[at..].concat()].concat());
        }
    }
    all
}

/// What goes upstream has one meaning, whoever reads it.
fn has_one_meaning(heard: &Heard) -> bool {
    let lines = String::from_utf8_lossy(&heard.raw).replace("\r\n", "");
    let lengths = heard.values("content-length").len();
    let codings = heard.values("transfer-encoding");
    !lines.contains(['\r', '\n', '\0'])
        && heard.values("host").len() == 1
        && lengths + codings.len() <= 1
        && codings.iter().all(|coding| *coding == "chunked")
        && heard.fields.iter().all(|(name, _)| !name.is_empty() && !name.contains(' '))
}

/// Scenes at once: some mutations announce a body that never comes, and wait for the edge to lose patience.
const SCENES: usize = 6;

#[test]
fn attacks_01_to_26_bent_in_every_way() {
    let all = mutations();
    let counts: Vec<(usize, usize)> = std::thread::scope(|scope| {
        let runs: Vec<_> = (0..SCENES)
            .map(|first| {
                let mine = all.iter().skip(first).step_by(SCENES);
                scope.spawn(move || {
                    let scene = Scene::impatient();
                    mine.map(|payload| judge(&scene, payload))
                        .fold((0, 0), |sum, count| (sum.0 + count.0, sum.1 + count.1))
                })
            })
            .collect();
        runs.into_iter().map(|run| run.join().expect("every payload is judged alike")).collect()
    });
    let forwarded: usize = counts.iter().map(|count| count.0).sum();
    let refused: usize = counts.iter().map(|count| count.1).sum();
    // Were all refused, the rest would be shown by nothing.
    assert!(forwarded > 100 && refused > 1_000, "{forwarded} {refused}");
}

/// How many requests of a payload were forwarded, and how many refused.
fn judge(scene: &Scene, payload: &[u8]) -> (usize, usize) {
    let (mut forwarded, mut refused) = (0, 0);
    let shown = String::from_utf8_lossy(payload).into_owned();
    let answers = exchange(scene.edge.address(), payload);
    let heard = scene.origin.take();
    let mut left = heard.iter();
    for (at, answer) in answers.iter().enumerate() {
        if answer.status == 200 {
            let echo = left.next().unwrap_or_else(|| panic!("who answered {answer:?}: {shown:?}")).echo();
            assert_eq!(answer.body, echo, "{shown:?}");
            forwarded += 1;
        } else {
            assert!(matches!(answer.status, 400 | 414 | 417 | 431 | 501), "{answer:?}: {shown:?}");
            assert!(at + 1 == answers.len() || answer.status == 501, "{answers:?}: {shown:?}");
            refused += 1;
        }
    }
    assert_eq!(left.next(), None, "heard and not answered: {shown:?}");
    assert!(heard.iter().all(has_one_meaning), "{shown:?}: {heard:?}");
    (forwarded, refused)
}
