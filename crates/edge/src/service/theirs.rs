//! Whatever an origin makes for one client, or for those who ask alike, and however it changes its mind about that: nobody gets what
//! is another's, and each answer's fields are those of its bytes.

use super::asking::Asking;
use super::tests::*;
use crate::options::Options;
use crate::policy::{CacheOptions, ClientReload};
use ::purge::{Mode, What};
use proptest::prelude::*;
use proptest::test_runner::TestCaseError;
use std::cell::{Cell, RefCell};
use std::collections::HashSet;
use std::rc::Rc;
use std::time::Duration;
use testkit::upstream::{Question, Reply};

const CONTROLS: [&str; 11] = [
    "",
    "max-age=2",
    "max-age=60",
    "max-age=1, stale-while-revalidate=4",
    "max-age=1, stale-if-error=60",
    "public, max-age=60",
    "s-maxage=2",
    "no-cache",
    "max-age=60, must-revalidate",
    "private, max-age=60",
    "no-store",
];
const VARIES: [&str; 5] = ["", "x-band", "x-band, x-lang", "accept-language", "*"];
const STATUSES: [u16; 8] = [200, 200, 200, 200, 200, 302, 404, 500];
const OBJECTS: usize = 1;

/// What the origin says of an object for now.
#[derive(Debug, Clone, Copy)]
struct Kind {
    control: &'static str,
    vary: &'static str,
    status: u16,
    sets_cookie: bool,
    etag: bool,
}

/// Whoever asks: the values of what he sends, each absent where there is none.
#[derive(Debug, Clone, Default)]
struct Client(Vec<(&'static str, &'static str)>);

#[derive(Debug, Clone)]
enum Event {
    Ask { object: usize, method: &'static str, client: Client, range: bool, again: bool },
    Change(usize, Kind),
    Purge(usize),
    Evict(usize),
    Wait(Duration),
}

struct World {
    objects: RefCell<Vec<(u64, Kind)>>,
    waits: Vec<Duration>,
    ranges: bool,
    turn: Cell<usize>,
    serial: Cell<u64>,
    /// Serial numbers that somebody has been given.
    given: RefCell<HashSet<String>>,
}

/// What is made for a question: where a part is nobody's in particular it is `-`.
#[derive(Debug, PartialEq)]
struct Text {
    object: String,
    band: String,
    lang: String,
    language: String,
    user: String,
    serial: String,
}

impl Text {
    fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('.').map(str::to_owned);
        let mut next = || parts.next();
        let (object, _version) = (next()?, next()?);
        Some(Self { object, band: next()?, lang: next()?, language: next()?, user: next()?, serial: next()? })
    }
}

/// The first of a client's languages.
fn language_of(said: Option<&str>) -> &str {
    said.unwrap_or("zh").split([',', ';']).next().unwrap_or("zh")
}

impl Client {
    fn says(&self, name: &str) -> Option<&'static str> {
        self.0.iter().find(|(known, _)| *known == name).map(|(_, value)| *value)
    }

    fn user(&self) -> Option<&'static str> {
        self.says("authorization").or(self.says("cookie"))
    }
}

impl World {
    fn next(&self) -> u64 {
        self.serial.replace(self.serial.get() + 1)
    }

    /// What is made for who asks so.
    fn text(&self, object: usize, question: &Question) -> String {
        let (version, kind) = self.objects.borrow()[object];
        let says = |name: &str| question.headers.get(name).map(|value| value.to_str().unwrap().to_owned());
        let has = |word: &str| kind.control.contains(word);
        let differs = |name: &str| kind.vary.contains(name);
        let of = |name: &str| if differs(name) { says(name).unwrap_or("none".into()) } else { "-".into() };
        let (authorization, cookie) = (says("authorization"), says("cookie"));
        let fails = kind.status >= 500;
        let is_open = has("public") || has("s-maxage") || has("must-revalidate");
        let explicit = has("max-age") || has("s-maxage");
        let is_his = has("private")
            || kind.sets_cookie
            || (authorization.is_some() && !is_open)
            || (cookie.is_some() && !explicit && !fails);
        let user = match authorization.or(cookie) {
            _ if !is_his => "-".to_owned(),
            Some(user) => user,
            None => format!("anon{}", self.next()),
        };
        let once = kind.vary == "*" || (has("no-store") && !fails);
        let serial = if once { self.next().to_string() } else { "-".to_owned() };
        let language = match differs("accept-language") {
            true => language_of(says("accept-language").as_deref()).to_owned(),
            false => "-".to_owned(),
        };
        format!("{object}.{version}.{}.{}.{language}.{user}.{serial}", of("x-band"), of("x-lang"))
    }

    fn answer(&self, question: &Question) -> Reply {
        let object: usize = question.target.path().trim_start_matches('/').parse().unwrap();
        let wait = self.waits[self.turn.replace(self.turn.get() + 1) % self.waits.len()];
        if question.method == "POST" {
            self.objects.borrow_mut()[object].0 += 1;
        }
        let (_, kind) = self.objects.borrow()[object];
        let text = self.text(object, question);
        let etag = format!("\"{text}\"");
        let described = |status| {
            let mut reply = Reply::new(status).header("x-text", &text);
            for (name, value) in [("cache-control", kind.control), ("vary", kind.vary)] {
                if !value.is_empty() {
                    reply = reply.header(name, value);
                }
            }
            if kind.vary == "accept-language" {
                reply = reply.header("content-language", text.split('.').nth(4).unwrap());
            }
            if kind.sets_cookie {
                reply = reply.header("set-cookie", format!("who={text}"));
            }
            // Where nothing tells versions apart, an answer to HEAD is good enough to bring an older one up to date (RFC 9111 §4.3.5).
            if kind.etag || question.method == "HEAD" { reply.header("etag", &etag) } else { reply }
        };
        let says = |name: &str| question.headers.get(name).map(|value| value.to_str().unwrap());
        if question.method == "POST" {
            let reply = described(200).header("content-location", question.target.path());
            return reply.after(wait).body(text.clone());
        }
        if kind.status == 200 && kind.etag && says("if-none-match") == Some(&*etag) {
            return described(304).after(wait);
        }
        let applies = says("if-range").is_none_or(|tag| kind.etag && tag == etag);
        if kind.status == 200
            && self.ranges
            && applies
            && question.method == "GET"
            && let Some(last) = says("range").and_then(|range| range.strip_prefix("bytes=0-"))
        {
            let end = last.parse::<usize>().map_or(text.len(), |last| (last + 1).min(text.len()));
            let says = format!("bytes 0-{}/{}", end - 1, text.len());
            return described(206).header("content-range", says).after(wait).body(text[..end].to_owned());
        }
        let half = text.len() / 2;
        let reply = described(kind.status).header("content-length", text.len().to_string()).after(wait);
        reply.data(text[..half].to_owned()).pause(wait).data(text[half..].to_owned())
    }

    /// Whether what is in `text` may be given to this client.
    fn judge(&self, text: &str, object: usize, client: &Client, vary: &str) -> Result<(), String> {
        let made = Text::parse(text).ok_or("no text")?;
        let differs = |name: &str, part: &str| part != "-" && part != client.says(name).unwrap_or("none");
        let user = client.user();
        if made.object != object.to_string() {
            return Err("another's URL".to_owned());
        }
        if differs("x-band", &made.band) || differs("x-lang", &made.lang) {
            return Err(format!("another's variant, by {vary}"));
        }
        if made.language != "-" && made.language != language_of(client.says("accept-language")) {
            return Err("another's language".to_owned());
        }
        let is_anonymous = made.user.starts_with("anon");
        if made.user != "-" && !(if is_anonymous { user.is_none() } else { user == Some(&made.user) }) {
            return Err("another's".to_owned());
        }
        for once in [is_anonymous.then_some(&made.user), (made.serial != "-").then_some(&made.serial)] {
            if once.is_some_and(|once| !self.given.borrow_mut().insert(once.clone())) {
                return Err("given twice".to_owned());
            }
        }
        Ok(())
    }
}

async fn ask(
    scene: Rc<Scene>,
    world: Rc<World>,
    object: usize,
    method: &'static str,
    client: Client,
    range: bool,
    again: bool,
) -> Result<(), TestCaseError> {
    let target = format!("/{object}");
    let mut known = None;
    for _ in 0..if again { 2 } else { 1 } {
        let mut fields: Vec<(&str, &str)> = client.0.clone();
        let tag = known.take();
        fields.extend(tag.as_deref().map(|tag| ("if-none-match", tag)));
        fields.extend(range.then_some(("range", "bytes=0-3")));
        let answer = if method == "POST" {
            super::change(Rc::clone(&scene.edge), scene.asked(method, &target, &fields), None).await
        } else {
            scene.ask_by(method, &target, &fields).await
        };
        let status = answer.status().as_u16();
        let said = format!("{method} {target} {fields:?}: {status} {:?}", answer.headers());
        let text = field(&answer, "x-text").to_owned();
        let etag = field(&answer, "etag").to_owned();
        let cookie = field(&answer, "set-cookie").trim_start_matches("who=").to_owned();
        let vary = field(&answer, "vary").to_owned();
        let hit = field(&answer, "cache-status").contains("; hit");
        let body = read(answer.into_body()).await;
        if let Err(why) = world.judge(&text, object, &client, &vary) {
            prop_assert!(false, "{}: {}", why, said);
        }
        prop_assert!(cookie.is_empty() || (cookie == text && !hit), "a cookie of another answer: {}", said);
        prop_assert!(etag.is_empty() || etag == format!("\"{text}\""), "another's tag: {}", said);
        match (status, body) {
            (_, Err(())) => prop_assert!(false, "broken off: {}", said),
            (304, _) => prop_assert_eq!(Some(&*etag), tag.as_deref(), "{}", said),
            (_, Ok(body)) if method == "HEAD" => prop_assert!(body.is_empty(), "{}", said),
            (206, Ok(body)) => prop_assert_eq!(&body[..], &text.as_bytes()[..4], "{}", said),
            (_, Ok(body)) => prop_assert_eq!(&body[..], text.as_bytes(), "{}", said),
        }
        known = Some(etag).filter(|etag| !etag.is_empty());
    }
    Ok(())
}

fn happens(events: Vec<Event>, world: World, honours: bool) -> Result<(), TestCaseError> {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    runtime.block_on(local(async {
        let reload = if honours { ClientReload::Honour } else { ClientReload::Ignore };
        let cache = CacheOptions { client_reload: Some(reload), ..CacheOptions::default() };
        let scene = Rc::new(Scene::over(Options { cache, ..Options::default() }, []));
        let world = Rc::new(world);
        let origin = Rc::clone(&world);
        scene.upstream.follow(move |question| origin.answer(question));
        let mut asked = Asking::default();
        for event in events {
            match event {
                Event::Wait(wait) => tokio::time::sleep(wait).await,
                Event::Change(object, kind) => {
                    let object = &mut world.objects.borrow_mut()[object];
                    *object = (object.0 + 1, kind);
                }
                Event::Purge(object) => {
                    drop(scene.purge(What::Url(format!("http://a/{object}").parse().unwrap()), Mode::Soft));
                }
                Event::Evict(object) => {
                    let key = super::key_of(&scene.edge, &scene.asked("GET", &format!("/{object}"), &[]));
                    scene.edge.memory.remove(&key);
                }
                Event::Ask { object, method, client, range, again } => {
                    let one = ask(Rc::clone(&scene), Rc::clone(&world), object, method, client, range, again);
                    asked.begin(one);
                }
            }
        }
        asked.all().await
    }))
}

fn one_of(words: &'static [&'static str]) -> impl Strategy<Value = &'static str> {
    proptest::sample::select(words)
}

fn kind() -> impl Strategy<Value = Kind> {
    let status = proptest::sample::select(&STATUSES[..]);
    let parts = (one_of(&CONTROLS), one_of(&VARIES), status, proptest::bool::weighted(0.1), any::<bool>());
    parts.prop_map(|(control, vary, status, sets_cookie, etag)| Kind {
        control,
        vary,
        status,
        sets_cookie,
        etag,
    })
}

fn client() -> impl Strategy<Value = Client> {
    let field = |name, share, values| {
        proptest::option::weighted(share, one_of(values))
            .prop_map(move |value| value.map(|value| (name, value)))
    };
    let fields = (
        field("x-band", 0.7, &["1", "2"]),
        field("x-lang", 0.5, &["a", "b"]),
        field("accept-language", 0.7, &["zh", "en", "zh,en;q=0.5", "en,zh;q=0.5"]),
        field("authorization", 0.15, &["A", "B"]),
        field("cookie", 0.15, &["C", "D"]),
        field("cache-control", 0.15, &["no-cache", "no-store", "max-age=1", "max-stale"]),
    );
    fields.prop_map(|(a, b, c, d, e, f)| Client([a, b, c, d, e, f].into_iter().flatten().collect()))
}

fn event() -> impl Strategy<Value = Event> {
    let method = prop_oneof![16 => Just("GET"), 2 => Just("HEAD"), 1 => Just("POST")];
    let asks = (0..OBJECTS, method, client(), proptest::bool::weighted(0.2), proptest::bool::weighted(0.3));
    let wait = prop_oneof![Just(1_u64), Just(50), Just(400), Just(1_100), Just(3_000)];
    prop_oneof![
        16 => asks.prop_map(|(object, method, client, range, again)| {
            let range = range && method == "GET";
            Event::Ask { object, method, client, range, again: again && method == "GET" }
        }),
        2 => (0..OBJECTS, kind()).prop_map(|(object, kind)| Event::Change(object, kind)),
        1 => (0..OBJECTS).prop_map(Event::Purge),
        1 => (0..OBJECTS).prop_map(Event::Evict),
        6 => wait.prop_map(|ms| Event::Wait(Duration::from_millis(ms))),
    ]
}

fn world() -> impl Strategy<Value = World> {
    let waits = proptest::collection::vec(
        prop_oneof![Just(0_u64), Just(1), Just(100), Just(600)].prop_map(Duration::from_millis),
        1..8,
    );
    (proptest::collection::vec(kind(), OBJECTS), waits, any::<bool>()).prop_map(|(kinds, waits, ranges)| {
        World {
            objects: RefCell::new(kinds.into_iter().map(|kind| (0, kind)).collect()),
            waits,
            ranges,
            turn: Cell::default(),
            serial: Cell::default(),
            given: RefCell::default(),
        }
    })
}

impl std::fmt::Debug for World {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?}, waits {:?}, ranges {}", self.objects.borrow(), self.waits, self.ranges)
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: ProptestConfig::default().cases / 4,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn nobody_gets_what_is_another_s(
        (events, world, honours) in (proptest::collection::vec(event(), 1..80), world(), any::<bool>()),
    ) {
        happens(events, world, honours)?;
    }
}
