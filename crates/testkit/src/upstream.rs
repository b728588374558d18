//! An upstream that answers by a script.
//!
//! Works inside a `LocalSet` with tokio's clock paused: every wait in the script is a wait of that clock, so a test of
//! minutes runs in no time and always the same.

use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response, StatusCode, Uri};
use http_body::{Body, Frame};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::convert::Infallible;
use std::fmt;
use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::DuplexStream;
use tokio::time::Sleep;

/// Room in a connection's pipe, each way.
const PIPE: usize = 64 * 1_024;

/// One answer.
#[derive(Debug, Default)]
pub struct Reply {
    reads: Reads,
    wait: Duration,
    status: StatusCode,
    headers: HeaderMap,
    body: VecDeque<Step>,
}

/// What becomes of a question's body.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Reads {
    /// It is dropped, which ends the connection if there is much of it.
    #[default]
    Drops,
    All,
    Meanwhile,
    Nothing,
}

/// What a body does next.
#[derive(Debug)]
enum Step {
    Data(Bytes),
    Wait(Duration),
    Cut,
}

impl Reply {
    /// An answer without a body.
    pub fn new(status: u16) -> Self {
        let status = StatusCode::from_u16(status).expect("a test's status code");
        Self { status, ..Self::default() }
    }

    /// Adds a field.
    #[must_use]
    pub fn header(mut self, name: &'static str, value: impl AsRef<str>) -> Self {
        let value = http::HeaderValue::from_str(value.as_ref()).expect("a test's field");
        self.headers.append(name, value);
        self
    }

    /// Reads the question's body to its end first.
    #[must_use]
    pub fn after_reading(self) -> Self {
        Self { reads: Reads::All, ..self }
    }

    /// Reads the question's body while it answers.
    #[must_use]
    pub fn while_reading(self) -> Self {
        Self { reads: Reads::Meanwhile, ..self }
    }

    /// Never reads the question's body, and leaves the connection open.
    #[must_use]
    pub fn without_reading(self) -> Self {
        Self { reads: Reads::Nothing, ..self }
    }

    /// Waits before the header section.
    #[must_use]
    pub fn after(mut self, wait: Duration) -> Self {
        self.wait = wait;
        self
    }

    /// Sends these bytes next.
    #[must_use]
    pub fn data(mut self, bytes: impl Into<Bytes>) -> Self {
        self.body.push_back(Step::Data(bytes.into()));
        self
    }

    /// Waits before what comes next.
    #[must_use]
    pub fn pause(mut self, wait: Duration) -> Self {
        self.body.push_back(Step::Wait(wait));
        self
    }

    /// Breaks the connection here.
    #[must_use]
    pub fn cut(mut self) -> Self {
        self.body.push_back(Step::Cut);
        self
    }

    /// A whole answer of a stated length.
    #[must_use]
    pub fn body(self, bytes: impl Into<Bytes>) -> Self {
        let bytes = bytes.into();
        let mut reply = self;
        reply.headers.insert(http::header::CONTENT_LENGTH, bytes.len().into());
        reply.data(bytes)
    }
}

/// What was asked.
#[derive(Debug, Clone)]
pub struct Question {
    /// Its method.
    pub method: Method,
    /// Its target.
    pub target: Uri,
    /// Its fields.
    pub headers: HeaderMap,
}

/// What is answered to a question.
struct Rule(Box<dyn Fn(&Question) -> Reply>);

impl fmt::Debug for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Rule")
    }
}

/// A scripted upstream. Replies are given in order; beyond the last, every question gets what a rule says, or 599.
#[derive(Debug, Default)]
pub struct Upstream {
    replies: RefCell<VecDeque<Reply>>,
    rule: RefCell<Option<Rule>>,
    questions: RefCell<Vec<Question>>,
    down: Cell<Option<io::ErrorKind>>,
    silent: Cell<bool>,
    /// How long connecting takes.
    far: Cell<Duration>,
    /// How long connections are kept; unset: for one question.
    kept_for: Cell<Option<Duration>>,
    /// How many have been made.
    connections: Cell<usize>,
}

impl Upstream {
    /// With a script.
    pub fn new(replies: impl IntoIterator<Item = Reply>) -> Rc<Self> {
        Rc::new(Self { replies: RefCell::new(replies.into_iter().collect()), ..Self::default() })
    }

    /// Adds to the script.
    pub fn then(&self, reply: Reply) {
        self.replies.borrow_mut().push_back(reply);
    }

    /// Answers by a rule from now on, whatever is left of the script.
    pub fn follow(&self, rule: impl Fn(&Question) -> Reply + 'static) {
        self.replies.borrow_mut().clear();
        *self.rule.borrow_mut() = Some(Rule(Box::new(rule)));
    }

    /// From now on nobody can connect; existing connections stay.
    pub fn go_down(&self, kind: io::ErrorKind) {
        self.down.set(Some(kind));
    }

    /// From now on connecting takes for ever.
    pub fn fall_silent(&self) {
        self.silent.set(true);
    }

    /// From now on connecting takes so long.
    pub fn be_far(&self, away: Duration) {
        self.far.set(away);
    }

    /// From now on connecting is possible again.
    pub fn come_back(&self) {
        self.down.set(None);
        self.silent.set(false);
    }

    /// From now on connections are kept for so long, whatever is asked on them meanwhile.
    pub fn keep_connections(&self, time: Duration) {
        self.kept_for.set(Some(time));
    }

    /// How many connections have been made so far.
    pub fn connections(&self) -> usize {
        self.connections.get()
    }

    /// Everything asked so far.
    pub fn questions(&self) -> Vec<Question> {
        self.questions.borrow().clone()
    }

    /// How much was asked so far.
    pub fn count(&self) -> usize {
        self.questions.borrow().len()
    }

    /// Opens a connection. One question a connection, but for [`keep_connections`]: whoever asks again connects again, and so
    /// meets [`go_down`].
    ///
    /// [`keep_connections`]: Self::keep_connections
    /// [`go_down`]: Self::go_down
    ///
    /// # Errors
    /// What [`go_down`](Self::go_down) said.
    pub async fn dial(self: Rc<Self>) -> io::Result<DuplexStream> {
        if self.silent.get() {
            std::future::pending::<()>().await;
        }
        tokio::time::sleep(self.far.get()).await;
        if let Some(kind) = self.down.get() {
            return Err(kind.into());
        }
        self.connections.set(self.connections.get() + 1);
        let kept_for = self.kept_for.get();
        let (ours, theirs) = tokio::io::duplex(PIPE);
        drop(tokio::task::spawn_local(async move {
            let service = service_fn(move |request: Request<Incoming>| {
                let upstream = Rc::clone(&self);
                async move { Ok::<_, Infallible>(upstream.answer(request).await) }
            });
            // A cut body ends the connection with an error, as it should.
            let connection = http1::Builder::new()
                .keep_alive(kept_for.is_some())
                // It would be the wall clock's, as it was up to a second ago: where a second ends meanwhile, an answer is one older.
                .auto_date_header(false)
                .serve_connection(TokioIo::new(ours), service);
            let _ = tokio::time::timeout(kept_for.unwrap_or(Duration::MAX), connection).await;
        }));
        Ok(theirs)
    }

    async fn answer(&self, request: Request<Incoming>) -> Response<ScriptedBody> {
        let (head, body) = request.into_parts();
        let question = Question { method: head.method, target: head.uri, headers: head.headers };
        let next = self.replies.borrow_mut().pop_front();
        let by_rule =
            || self.rule.borrow().as_ref().map_or_else(|| Reply::new(599), |rule| rule.0(&question));
        let reply = next.unwrap_or_else(by_rule);
        self.questions.borrow_mut().push(question);
        match reply.reads {
            Reads::Drops => drop(body),
            Reads::All => read(body).await,
            Reads::Meanwhile => drop(tokio::task::spawn_local(read(body))),
            Reads::Nothing => drop(tokio::task::spawn_local(async move {
                let _body = body;
                std::future::pending::<()>().await;
            })),
        }
        tokio::time::sleep(reply.wait).await;
        let mut response = Response::new(ScriptedBody { steps: reply.body, waiting: None });
        *response.status_mut() = reply.status;
        *response.headers_mut() = reply.headers;
        response
    }
}

/// Reads a question's body to its end.
async fn read(mut body: Incoming) {
    while let Some(Ok(_)) = poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await {}
}

struct ScriptedBody {
    steps: VecDeque<Step>,
    waiting: Option<Pin<Box<Sleep>>>,
}

impl Body for ScriptedBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        let this = self.get_mut();
        loop {
            if let Some(waiting) = &mut this.waiting {
                if waiting.as_mut().poll(cx).is_pending() {
                    return Poll::Pending;
                }
                this.waiting = None;
            }
            match this.steps.pop_front() {
                None => return Poll::Ready(None),
                Some(Step::Data(bytes)) => return Poll::Ready(Some(Ok(Frame::data(bytes)))),
                Some(Step::Wait(wait)) => this.waiting = Some(Box::pin(tokio::time::sleep(wait))),
                Some(Step::Cut) => return Poll::Ready(Some(Err(io::ErrorKind::ConnectionReset.into()))),
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.steps.is_empty() && self.waiting.is_none()
    }
}
