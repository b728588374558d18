//! A line against raw answers, under a clock that stands still.

use super::*;
use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio::task::LocalSet;
use tokio::time::sleep;

/// What connections do, one after the other: each answers its questions in turn and closes behind the last.
#[derive(Default)]
pub(crate) struct Script {
    connections: RefCell<VecDeque<Vec<Vec<Step>>>>,
    questions: RefCell<Vec<String>>,
    opened: Cell<usize>,
}

#[derive(Clone)]
pub(crate) enum Step {
    Send(String),
    Wait(Duration),
}

impl Script {
    pub(super) fn dial(self: &Rc<Self>) -> io::Result<DuplexStream> {
        let answers = self.connections.borrow_mut().pop_front().ok_or(io::ErrorKind::ConnectionRefused)?;
        self.opened.set(self.opened.get() + 1);
        let (mut ours, theirs) = tokio::io::duplex(64 * 1_024);
        let script = Rc::clone(self);
        drop(tokio::task::spawn_local(async move {
            for answer in answers {
                let mut question = Vec::new();
                while !question.ends_with(b"\r\n\r\n") {
                    match ours.read_u8().await {
                        Ok(byte) => question.push(byte),
                        Err(_) => return,
                    }
                }
                script.questions.borrow_mut().push(String::from_utf8(question).unwrap());
                for step in answer {
                    match step {
                        Step::Send(text) => ours.write_all(text.as_bytes()).await.unwrap_or_default(),
                        Step::Wait(time) => sleep(time).await,
                    }
                }
            }
        }));
        Ok(theirs)
    }
}

fn send(text: &str) -> Step {
    Step::Send(text.to_owned())
}

fn ok(body: &str) -> Vec<Step> {
    vec![send(&format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len()))]
}

/// Asks as often as there are classes, and gives what came, how often it connected, and the questions.
fn ask(
    connections: Vec<Vec<Vec<Step>>>,
    classes: &[Class],
) -> (Vec<Result<Answer, Failure>>, usize, Vec<String>) {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    let script = Rc::new(Script { connections: RefCell::new(connections.into()), ..Script::default() });
    let meter = Rc::<Meter>::default();
    let host = HeaderValue::from_static("lessons.example");
    let mut line =
        Line { dial: Dial::Script(Rc::clone(&script)), host, meter: Rc::clone(&meter), kept: None };
    let answers = LocalSet::new().block_on(&runtime, async {
        let mut answers = Vec::new();
        for &class in classes {
            let path = "/a?b=c".parse().unwrap();
            answers.push(line.get(Ask { path: &path, range: None, class }).await);
            // A server that closes is heard before the next question.
            sleep(Duration::from_millis(1)).await;
        }
        answers
    });
    let counted: u64 = answers.iter().map(|got| got.as_ref().map_or_else(|f| f.bytes, |a| a.bytes)).sum();
    assert_eq!(meter.take().bytes, counted);
    let questions = script.questions.borrow().clone();
    (answers, script.opened.get(), questions)
}

fn kinds(answers: &[Result<Answer, Failure>]) -> Vec<Option<ErrorKind>> {
    answers.iter().map(|answer| answer.as_ref().err().map(|failure| failure.kind)).collect()
}

#[test]
fn a_connection_is_kept_and_media_is_not() {
    let chunked = vec![
        send(
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nCache-Status: p; hit\r\nCache-Status: e; fwd=miss; collapsed\r\n\r\n",
        ),
        send("3\r\nabc\r\n"),
        send("2\r\nde\r\n0\r\n\r\n"),
    ];
    let (answers, opened, questions) = ask(vec![vec![ok("#EXTM3U"), chunked]], &[Class::Main, Class::Media]);
    let answers: Vec<_> = answers.into_iter().map(Result::unwrap).collect();
    assert_eq!((opened, &*answers[0].text, answers[0].bytes), (1, &b"#EXTM3U"[..], 7));
    assert_eq!((answers[1].bytes, answers[1].text.len(), answers[1].cache), (5, 0, CacheResult::Joined));
    assert!(questions[0].starts_with("GET /a?b=c HTTP/1.1\r\nhost: lessons.example\r\n"), "{}", questions[0]);
    assert!(questions[0].contains("accept-encoding: gzip") && !questions[1].contains("accept-encoding"));
}

#[test]
fn a_connection_that_was_closed_while_quiet_is_no_error() {
    let (answers, opened, _) = ask(vec![vec![ok("a")], vec![ok("b")]], &[Class::Media; 2]);
    assert_eq!((kinds(&answers), opened), (vec![None, None], 2));
}

#[test]
fn a_connection_that_ends_under_a_question_is_tried_anew_once() {
    // It takes the second question and closes without a word.
    let (answers, opened, _) = ask(vec![vec![ok("a"), vec![]], vec![vec![]]], &[Class::Media; 2]);
    assert_eq!((kinds(&answers), opened), (vec![None, Some(ErrorKind::Closed)], 2));
}

#[test]
fn what_goes_wrong_has_a_name() {
    let whole = "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n";
    let long = Duration::from_secs(1_000);
    for (kind, connections) in [
        (ErrorKind::Connect, vec![]),
        (ErrorKind::Closed, vec![vec![vec![]]]),
        (ErrorKind::Protocol, vec![vec![vec![send("ICY 200 OK\r\n\r\n")]]]),
        (ErrorKind::Truncated, vec![vec![vec![send(whole), send("1234")]]]),
        (ErrorKind::HeadTimeout, vec![vec![vec![Step::Wait(long)]]]),
        (ErrorKind::BodyTimeout, vec![vec![vec![send(whole), send("1234"), Step::Wait(long)]]]),
    ] {
        let (answers, ..) = ask(connections, &[Class::Media]);
        assert_eq!(kinds(&answers), [Some(kind)]);
    }
}

#[test]
fn a_status_is_an_answer() {
    let put_off =
        vec![send("HTTP/1.1 503 Service Unavailable\r\nRetry-After: 7\r\nContent-Length: 2\r\n\r\nno")];
    let (answers, ..) = ask(vec![vec![put_off]], &[Class::Main]);
    let answer = answers[0].as_ref().unwrap();
    assert_eq!((answer.status.as_u16(), answer.retry_after), (503, Some(Duration::from_secs(7))));
}

#[test]
fn a_part_is_asked_for_as_a_range() {
    let meter = Rc::default();
    let host = HeaderValue::from_static("a");
    let line = Line { dial: Dial::Script(Rc::default()), host, meter, kept: None };
    let range = Some(hls::ByteRange { length: 100, offset: 50 });
    let path = "/a".parse().unwrap();
    let request = line.request(Ask { path: &path, range, class: Class::Media });
    assert_eq!(request.headers()[header::RANGE], "bytes=50-149");
}
