//! Whatever is asked of an origin that changes and fails: each answer is of one version, right in every byte, and no staler than it
//! may be; and none stays out.

use super::asking::Asking;
use super::parts::BLOCK;
use super::tests::*;
use crate::options::Options;
use ::purge::{Mode, What};
use bytes::Bytes;
use proptest::prelude::*;
use proptest::test_runner::TestCaseError;
use std::cell::{Cell, RefCell};
use std::ops::Range;
use std::rc::Rc;
use std::sync::LazyLock;
use std::time::Duration;
use testkit::upstream::{Question, Reply};
use tokio::time::Instant;
use units::Span;

/// Of what the origin has, the fields and for how long after a change what was before it may be answered.
const KINDS: [(&str, u64); 9] = [
    ("max-age=2", 2),
    ("max-age=1, stale-while-revalidate=4", 5),
    ("max-age=30", 30),
    ("no-cache", 0),
    ("no-store", 0),
    ("private, max-age=30", 0),
    ("max-age=1, must-revalidate", 1),
    ("max-age=100, s-maxage=1", 1),
    ("max-age=3, stale-if-error=20", 3),
];
/// With `stale-if-error`, while the origin fails.
const IF_ERROR: Duration = Duration::from_secs(20);
const SIZES: [usize; 6] = [0, 1, 5_000, BLOCK, BLOCK + 1, 3 * BLOCK + 17];
/// The longest wait before an answer's head: who joins a question waits for its answer, which was made before.
const LONGEST_WAIT: Duration = Duration::from_millis(400);

/// How versions are told apart, by object.
#[derive(Debug, Clone, Copy)]
enum Validator {
    Strong,
    Weak,
    Date,
    None,
}

/// Which of [`SIZES`] an object has, and what tells its versions apart.
type Kind = (usize, Validator);

/// How the origin answers once.
#[derive(Debug, Clone, Copy)]
enum Manner {
    Well,
    AfterWait(Duration),
    /// With a pause in the middle of the body.
    WithPause(Duration),
    WithoutLength,
    WithoutRange,
    /// Half of what was asked for.
    Short,
    /// Broken off after this share of it, in hundredths.
    Cut(usize),
    Unavailable,
}

/// Where a range begins and ends, in thousandths of what there is, and by how many bytes beside it.
type Place = (usize, usize);

#[derive(Debug, Clone)]
enum Event {
    Ask {
        object: usize,
        range: Option<(Place, Place)>,
        method: &'static str,
        condition: Option<u64>,
        leaves: bool,
    },
    /// The origin has another version.
    Change(usize),
    /// A client changes it.
    Post(usize),
    /// The operator has it forgotten.
    Purge(usize, Mode),
    /// Memory lets go of a block of it, or of all where it is not held in blocks.
    Evict(usize, u64),
    Wait(Duration),
}

#[derive(Debug, Clone)]
struct Object {
    control: &'static str,
    allowed: Duration,
    size: usize,
    validator: Validator,
    /// When each version came.
    since: Vec<Instant>,
    /// The oldest that may be answered: what a POST has made, once its answer was there, or what was there at a purge.
    least: u64,
}

/// What the origin has.
struct World {
    objects: RefCell<Vec<Object>>,
    manners: Vec<Manner>,
    asked: Cell<usize>,
    /// Whether its answers may fail or break off.
    fails: bool,
}

/// Nothing in it comes twice. Each version begins at another place of it, so that a byte of another is another nearly everywhere.
static BYTES: LazyLock<Bytes> = LazyLock::new(|| {
    let mut mixed = 20_200_217_u32;
    std::iter::repeat_with(|| {
        // Marsaglia's xorshift.
        mixed ^= mixed << 13;
        mixed ^= mixed >> 17;
        mixed ^= mixed << 5;
        mixed.to_le_bytes()[0]
    })
    .take(4 * BLOCK)
    .collect()
});

fn bytes_of(version: u64, range: Range<usize>) -> Bytes {
    let begins = usize::try_from(version).unwrap() * 97;
    BYTES.slice(begins + range.start..begins + range.end)
}

impl Object {
    fn version(&self) -> u64 {
        self.since.len() as u64 - 1
    }

    fn length(&self, version: u64) -> usize {
        if self.size < 2 { self.size } else { self.size + usize::try_from(version % 7).unwrap() }
    }

    fn etag(&self, version: u64) -> Option<String> {
        match self.validator {
            Validator::Strong => Some(format!("\"{version}\"")),
            Validator::Weak => Some(format!("W/\"{version}\"")),
            Validator::Date | Validator::None => None,
        }
    }

    fn date(version: u64) -> String {
        // 2020-02-17 08:00 and so many minutes.
        format!("Mon, 17 Feb 2020 {:02}:{:02}:00 GMT", 8 + version / 60, version % 60)
    }

    fn described(&self, status: u16, version: u64) -> Reply {
        let mut reply = Reply::new(status).header("x-version", version.to_string());
        if !self.control.is_empty() {
            reply = reply.header("cache-control", self.control);
        }
        if let Some(etag) = self.etag(version) {
            reply = reply.header("etag", etag);
        }
        match self.validator {
            Validator::Date => reply.header("last-modified", Self::date(version)),
            _ => reply,
        }
    }
}

impl World {
    fn new(kinds: &[Kind], manners: Vec<Manner>, fails: bool) -> Self {
        let object = |(number, &(size, validator)): (usize, &Kind)| {
            let (control, seconds) = KINDS[number];
            let allowed = Duration::from_secs(seconds);
            Object { control, allowed, size: SIZES[size], validator, since: vec![Instant::now()], least: 0 }
        };
        let objects = RefCell::new(kinds.iter().enumerate().map(object).collect());
        Self { objects, manners, asked: Cell::new(0), fails }
    }

    fn change(&self, object: usize) -> u64 {
        let object = &mut self.objects.borrow_mut()[object];
        object.since.push(Instant::now());
        object.version()
    }

    /// What the origin answers.
    fn answer(&self, question: &Question) -> Reply {
        let number: usize = question.target.path().trim_start_matches('/').parse().unwrap();
        if question.method == "POST" {
            let version = self.change(number);
            return Reply::new(200).header("x-version", version.to_string()).body("ok");
        }
        let turn = self.asked.replace(self.asked.get() + 1);
        let manner = self.manners[turn % self.manners.len()];
        let object = self.objects.borrow()[number].clone();
        let version = object.version();
        let (length, etag) = (object.length(version), object.etag(version));
        let says = |name: &str| question.headers.get(name).map(|value| value.to_str().unwrap().to_owned());
        let is_date = matches!(object.validator, Validator::Date);
        let date = is_date.then(|| Object::date(version));
        if let Manner::Unavailable = manner {
            return Reply::new(503).body("busy");
        }
        let is_same =
            says("if-none-match").is_some_and(|said| etag.is_some_and(|etag| weakly(&said) == weakly(&etag)));
        if is_same || (says("if-modified-since").is_some() && says("if-modified-since") == date) {
            return object.described(304, version);
        }
        let range = says("range").filter(|_| !matches!(manner, Manner::WithoutRange));
        let strong = object.etag(version).filter(|etag| !etag.starts_with("W/")).or(date);
        let range = range.filter(|_| says("if-range").is_none_or(|said| Some(said) == strong));
        let (mut reply, place) = match range.map(|said| place_of(&said, length)) {
            None => (object.described(200, version), 0..length),
            Some(None) => {
                return object
                    .described(416, version)
                    .header("content-range", format!("bytes */{length}"))
                    .body("");
            }
            Some(Some(mut place)) => {
                if matches!(manner, Manner::Short) && place.len() > 1 {
                    place.end = place.start + place.len() / 2;
                }
                let said = format!("bytes {}-{}/{length}", place.start, place.end - 1);
                (object.described(206, version).header("content-range", said), place)
            }
        };
        if let Manner::AfterWait(wait) = manner {
            reply = reply.after(wait);
        }
        let body = bytes_of(version, place.clone());
        if !matches!(manner, Manner::WithoutLength) {
            reply = reply.header("content-length", place.len().to_string());
        }
        match manner {
            Manner::WithPause(pause) => {
                let half = body.len() / 2;
                reply.data(body.slice(..half)).pause(pause).data(body.slice(half..))
            }
            Manner::Cut(share) => reply.data(body.slice(..body.len() * share / 100)).cut(),
            _ => reply.data(body),
        }
    }
}

fn weakly(etag: &str) -> &str {
    etag.trim_start_matches("W/")
}

/// The bytes that a single range means; `None`: none of these.
fn place_of(said: &str, length: usize) -> Option<Range<usize>> {
    let (from, to) = said.strip_prefix("bytes=").unwrap().split_once('-').unwrap();
    if from.is_empty() {
        let last = to.parse::<usize>().unwrap().min(length);
        return (last > 0).then(|| length - last..length);
    }
    let from = from.parse().unwrap();
    let end = to.parse::<usize>().map_or(length, |to| (to + 1).min(length));
    (from < length).then_some(from..end)
}

/// One client.
struct Client {
    scene: Rc<Scene>,
    world: Rc<World>,
}

impl Client {
    async fn ask(
        self,
        number: usize,
        range: Option<(Place, Place)>,
        method: &'static str,
        condition: Option<u64>,
        leaves: bool,
    ) -> Result<(), TestCaseError> {
        let Self { scene, world } = self;
        let asked_at = Instant::now();
        let before = world.objects.borrow()[number].clone();
        // Where nothing tells versions apart, an answer to HEAD is good enough to bring an older one up to date (RFC 9111 §4.3.5).
        let method = if matches!(before.validator, Validator::None) { "GET" } else { method };
        let length = before.length(before.version());
        let at = |(thousandths, more): Place| length * thousandths / 1_000 + more;
        let range = range.map(|(from, to)| {
            let (from, to) = (at(from), at(to));
            if from <= to { format!("bytes={from}-{to}") } else { format!("bytes=-{to}") }
        });
        let known = condition.and_then(|ago| before.etag(before.version().saturating_sub(ago)));
        let mut fields = Vec::new();
        fields.extend(range.as_deref().map(|range| ("range", range)));
        fields.extend(known.as_deref().map(|etag| ("if-none-match", etag)));
        let answer = scene.ask_by(method, &format!("/{number}"), &fields).await;
        let status = answer.status().as_u16();
        let says = |name| field(&answer, name).to_owned();
        let (version, content_range, etag) = (says("x-version"), says("content-range"), says("etag"));
        let said = format!("{method} /{number} {fields:?}: {status} {:?}", answer.headers());
        if leaves {
            return Ok(());
        }
        let body = read(answer.into_body()).await;
        let now = world.objects.borrow()[number].clone();
        let changed = now.version() != before.version();
        let version = match status {
            200 | 206 => version.parse::<u64>().unwrap(),
            304 => {
                prop_assert_eq!(known.as_deref().map(weakly), Some(weakly(&etag)), "{}", said);
                weakly(&etag).trim_matches('"').parse().unwrap()
            }
            416 => return Ok(()),
            _ => {
                prop_assert!(world.fails || changed, "{}", said);
                return Ok(());
            }
        };
        // No answer is older than a change that its client has seen answered, nor staler than its fields allow.
        prop_assert!(version >= before.least, "{}: version {}, not {} or later", said, version, before.least);
        if let Some(&then) = now.since.get(usize::try_from(version).unwrap() + 1) {
            let if_error =
                if world.fails && before.control.contains("if-error") { IF_ERROR } else { Duration::ZERO };
            let late = asked_at.saturating_duration_since(then);
            prop_assert!(
                late <= before.allowed + if_error + LONGEST_WAIT,
                "{}: superseded {:?} before",
                said,
                late
            );
        }
        let length = now.length(version);
        let place = match status {
            206 => {
                let (place, of) = content_range.strip_prefix("bytes ").unwrap().split_once('/').unwrap();
                prop_assert_eq!(of.parse(), Ok(length), "{}", said);
                let (from, to) = place.split_once('-').unwrap();
                let place = from.parse().unwrap()..to.parse::<usize>().unwrap() + 1;
                let meant = range.as_deref().and_then(|range| place_of(range, length));
                prop_assert!(
                    world.fails || meant.as_ref() == Some(&place),
                    "{}: meant was {:?}",
                    said,
                    meant
                );
                place
            }
            _ => 0..length,
        };
        let gone = version != now.version();
        match body {
            Ok(bytes) if method == "HEAD" || status == 304 => prop_assert!(bytes.is_empty(), "{}", said),
            Ok(bytes) => prop_assert!(bytes == bytes_of(version, place), "{}: other bytes", said),
            // What is missing of an older version, nobody has any more.
            Err(()) => prop_assert!(world.fails || gone, "{}: broken off", said),
        }
        Ok(())
    }

    async fn post(self, number: usize) -> Result<(), TestCaseError> {
        let asked = self.scene.asked("POST", &format!("/{number}"), &[]);
        let answer = super::change(Rc::clone(&self.scene.edge), asked, None).await;
        if answer.status() == 200 {
            let version = field(&answer, "x-version").parse().unwrap();
            let object = &mut self.world.objects.borrow_mut()[number];
            object.least = object.least.max(version);
        }
        Ok(())
    }
}

fn happens(
    events: Vec<Event>,
    kinds: &[Kind],
    manners: Vec<Manner>,
    fails: bool,
) -> Result<(), TestCaseError> {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    runtime.block_on(local(async {
        let world = Rc::new(World::new(kinds, manners, fails));
        let options = Options { stale_on_error: Some(Span(Duration::ZERO)), ..Options::default() };
        let scene = Rc::new(Scene::over(options, []));
        let origin = Rc::clone(&world);
        scene.upstream.follow(move |question| origin.answer(question));
        let client = || Client { scene: Rc::clone(&scene), world: Rc::clone(&world) };
        let mut asked = Asking::default();
        for event in events {
            match event {
                Event::Wait(wait) => tokio::time::sleep(wait).await,
                Event::Change(object) => drop(world.change(object)),
                Event::Purge(object, mode) => {
                    let what = What::Url(format!("http://a/{object}").parse().unwrap());
                    scene.purge(what, mode);
                    let object = &mut world.objects.borrow_mut()[object];
                    // What is only stale may be used as its fields allow.
                    if mode == Mode::Hard || !object.control.contains("stale-") {
                        object.least = object.least.max(object.version());
                    }
                }
                Event::Evict(object, block) => {
                    let key = super::key_of(&scene.edge, &scene.asked("GET", &format!("/{object}"), &[]));
                    match scene.edge.memory.sparse(&key) {
                        Some(sparse) => scene.edge.memory.remove(&sparse.block_key(block)),
                        None => scene.edge.memory.remove(&key),
                    }
                }
                Event::Post(object) => asked.begin(client().post(object)),
                Event::Ask { object, range, method, condition, leaves } => {
                    let answer = client().ask(object, range, method, condition, leaves);
                    asked.begin(answer);
                }
            }
        }
        asked.all().await
    }))
}

fn place() -> impl Strategy<Value = Place> {
    (0..=1_000_usize, prop_oneof![Just(0), Just(1), Just(7), Just(2_000)])
}

fn event() -> impl Strategy<Value = Event> {
    let object = 0..KINDS.len();
    let range = proptest::option::weighted(0.5, (place(), place()));
    let method = prop_oneof![12 => Just("GET"), 1 => Just("HEAD")];
    let condition = proptest::option::weighted(0.2, 0..2_u64);
    let ask = (object.clone(), range, method, condition, proptest::bool::weighted(0.05));
    prop_oneof![
        16 => ask.prop_map(|(object, range, method, condition, leaves)| Event::Ask { object, range, method, condition, leaves }),
        2 => object.clone().prop_map(Event::Change),
        1 => object.clone().prop_map(Event::Post),
        1 => (object.clone(), prop_oneof![Just(Mode::Hard), Just(Mode::Soft)]).prop_map(|(object, mode)| Event::Purge(object, mode)),
        2 => (object, 0..4_u64).prop_map(|(object, block)| Event::Evict(object, block)),
        6 => prop_oneof![Just(1_u64), Just(50), Just(400), Just(1_100), Just(5_000)].prop_map(|ms| Event::Wait(Duration::from_millis(ms))),
    ]
}

fn kinds() -> impl Strategy<Value = Vec<Kind>> {
    let validator = prop_oneof![
        3 => Just(Validator::Strong), 1 => Just(Validator::Weak), 1 => Just(Validator::Date), 1 => Just(Validator::None),
    ];
    proptest::collection::vec((0..SIZES.len(), validator), KINDS.len())
}

fn well() -> impl Strategy<Value = Manner> {
    let wait = || prop_oneof![Just(1_u64), Just(100), Just(400)].prop_map(Duration::from_millis);
    prop_oneof![
        4 => Just(Manner::Well),
        2 => wait().prop_map(Manner::AfterWait),
        2 => wait().prop_map(Manner::WithPause),
        1 => Just(Manner::WithoutLength),
    ]
}

fn badly() -> impl Strategy<Value = Manner> {
    prop_oneof![
        4 => well(),
        1 => Just(Manner::WithoutRange),
        1 => Just(Manner::Short),
        1 => (0..100_usize).prop_map(Manner::Cut),
        1 => Just(Manner::Unavailable),
    ]
}

/// All that happens, what the origin has, and how it answers.
fn course(
    manner: impl Strategy<Value = Manner>,
) -> impl Strategy<Value = (Vec<Event>, Vec<Kind>, Vec<Manner>)> {
    use proptest::collection::vec;
    (vec(event(), 1..80), kinds(), vec(manner, 1..12))
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: ProptestConfig::default().cases / 4,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn an_origin_that_changes_is_answered_for_as_it_is((events, kinds, manners) in course(well())) {
        happens(events, &kinds, manners, false)?;
    }

    #[test]
    fn an_origin_that_fails_besides_makes_no_answer_wrong((events, kinds, manners) in course(badly())) {
        happens(events, &kinds, manners, true)?;
    }
}
