//! Bringing things here over scripted servers, with the clock paused.

use super::bring::{lead, question};
use super::ledger::What;
use super::*;
use crate::edge::Shared;
use crate::fill::{prove, store_as};
use crate::lookup::Found;
use crate::options::{Config, Options};
use crate::policy::Release;
use crate::service::{key_of, look};
use crate::store::Body;
use crate::upstream::{Dial, GroupOptions};
use dayplan::{Clock, Tokens};
use flate2::Compression;
use flate2::write::GzEncoder;
use std::io::Write;
use testkit::packages::{Made, made};
use testkit::plans::{fill as filled, lesson, moment, plan};
use testkit::upstream::{Reply, Upstream};
use timetable::Plan;
use timetable::plan::Media;
use tokio::task::LocalSet;
use units::ByteCount;

const WORD: &str = "nodes-nodes-nodes-nodes";

pub(super) struct Scene {
    pub(super) porter: Porter,
    ledger: Ledger,
    made: Made,
    /// A parent, and behind it an origin.
    pub(super) servers: Rc<[Rc<Upstream>]>,
    day: Plan,
}

impl Scene {
    pub(super) fn new(made: Made, parent: Vec<Reply>, origin: Vec<Reply>) -> Self {
        Self::with(made, parent, origin, |config| config.fill.ram = ByteCount::mib(64))
    }

    fn with(made: Made, parent: Vec<Reply>, origin: Vec<Reply>, change: impl FnOnce(&mut Config)) -> Self {
        let group = "name = \"g\"\ntiers = [[\"http://parent\"], [\"http://origin\"]]\nhosts = [\"a\"]\n";
        let group = settings::parse::<GroupOptions>(group, "test".as_ref()).unwrap();
        let mut config =
            Config::resolve(&Options { group: Some(vec![group]), ..Options::default() }).unwrap();
        change(&mut config);
        let telemetry = Telemetry::new("test");
        let plans = Plans::new(Clock::at(moment("01:00:00")), Tokens::parse(WORD).unwrap());
        let servers: Rc<[_]> = [parent, origin].into_iter().map(Upstream::new).collect();
        let shared = Shared::following(config, Release::new(plans.clone(), &["a".to_owned()]), &telemetry);
        let porter = Porter {
            service: EdgeService::new(shared.dialling(Dial::Each(Rc::clone(&servers)))),
            plans,
            hosts: ["a".to_owned()].into(),
            pace: RefCell::new(Pace::new(1 << 30, Instant::now())),
            metrics: Arc::new(FillMetrics::register(&telemetry)),
        };
        let media = Media::of(&made.sealed);
        let day = Plan {
            fill: vec![filled(&media, moment("08:30:00"))],
            lessons: vec![lesson("a", moment("08:30:00"), media)],
            clips: vec![],
            channels: vec![],
            ..plan()
        };
        let mut ledger = Ledger::new(None, jiff::Timestamp::MIN);
        ledger.follow([&day].into_iter(), moment("01:00:00"));
        Self { porter, ledger, made, servers, day }
    }

    /// The next thing of this kind.
    fn job(&mut self, is_it: impl Fn(&What) -> bool) -> Job {
        let next = || self.ledger.next(None, moment("01:00:00"), Instant::now());
        std::iter::from_fn(next).find(|job| is_it(&job.what)).unwrap()
    }

    async fn bring(&self, job: &Job) -> Result<Paper, Brought> {
        self.porter.bring(job, self.ledger.manifest(job.package)).await
    }

    fn segment(&mut self) -> Job {
        let manifest = self.made.sealed.manifest().clone();
        let at = manifest.objects.iter().position(|object| object.path.as_str() == "s1/00000.m4s").unwrap();
        let id = self.made.sealed.id();
        self.ledger.list(id, manifest);
        self.job(|what| *what == What::Object(u32::try_from(at).unwrap()))
    }

    fn asked(&self) -> [usize; 2] {
        [self.servers[0].count(), self.servers[1].count()]
    }
}

fn kept() -> Reply {
    Reply::new(200).header("cache-control", "public, max-age=31536000, immutable")
}

fn packed(plain: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(plain).unwrap();
    encoder.finish().unwrap()
}

fn segment_of(made: &Made) -> bytes::Bytes {
    made.objects[&"s1/00000.m4s".parse().unwrap()].clone()
}

pub(super) async fn local<T>(test: impl Future<Output = T>) -> T {
    LocalSet::new().run_until(test).await
}

#[tokio::test(start_paused = true)]
async fn a_text_is_brought_plain_and_packed_and_the_nodes_word_is_shown() {
    local(async {
        let made = made("a", 1, 1_000);
        let text = made.sealed.bytes().to_vec();
        let plain = kept().header("vary", "accept-encoding").body(text.clone());
        let gzip =
            kept().header("vary", "accept-encoding").header("content-encoding", "gzip").body(packed(&text));
        let mut scene = Scene::new(made, vec![plain, gzip], vec![]);
        let job = scene.job(|what| *what == What::Manifest);
        let paper = scene.bring(&job).await.unwrap();
        assert_eq!(paper.as_ref(), Some(scene.made.sealed.manifest()));
        assert_eq!(scene.asked(), [2, 0]);
        let questions = scene.servers[0].questions();
        assert!(questions.iter().all(|q| q.headers["authorization"] == format!("Bearer {WORD}").as_str()));
        assert!(scene.porter.has(&job, None));
        // What is here is not fetched again.
        assert!(scene.bring(&job).await.unwrap().is_some());
        assert_eq!(scene.asked(), [2, 0]);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_wrong_object_is_dropped_and_fetched_from_elsewhere() {
    local(async {
        let made = made("a", 1, 1_000);
        let right = segment_of(&made);
        let mut wrong = right.to_vec();
        wrong[500] ^= 1;
        let mut scene = Scene::new(made, vec![kept().body(wrong)], vec![kept().body(right)]);
        let job = scene.segment();
        assert_eq!(scene.bring(&job).await, Ok(None));
        assert_eq!(scene.asked(), [1, 1], "the parent was wrong, the origin right");
        assert!(scene.porter.has(&job, scene.ledger.manifest(job.package)));
    })
    .await;
}

/// It was fetched once more: by day minutes lie between the look and its turn.
#[tokio::test(start_paused = true)]
async fn what_a_client_has_had_fetched_before_its_turn_is_not_fetched_again() {
    local(async {
        let made = made("a", 1, 1_000);
        let right = segment_of(&made);
        let mut scene = Scene::new(made, vec![kept().body(right)], vec![]);
        let job = scene.segment();
        *scene.porter.pace.borrow_mut() = Pace::new(1_000, Instant::now() + SECOND);
        let edge = scene.porter.edge();
        let client = async {
            tokio::time::sleep(SECOND / 2).await;
            let path = format!("/p/{}/s1/00000.m4s", scene.made.sealed.id());
            let asked = question("a", &path, None).unwrap();
            let primary = key_of(&edge, &asked);
            let guard = lead(&edge, &primary).await.unwrap();
            prove(&edge, &asked, &primary, guard, None, async |_, _| true).await.unwrap();
        };
        let (brought, ()) = tokio::join!(scene.bring(&job), client);
        assert_eq!((brought, scene.asked()), (Ok(None), [1, 0]));
        assert!(scene.porter.has(&job, scene.ledger.manifest(job.package)));
    })
    .await;
}

/// Its sign-post stood there before it did, and stayed where it was not kept.
#[tokio::test(start_paused = true)]
async fn what_is_not_kept_under_another_host_leaves_no_sign_post_there() {
    local(async {
        let varied = kept().header("vary", "accept-encoding").body("x");
        let scene = Scene::new(made("a", 1, 1_000), vec![varied], vec![]);
        let edge = scene.porter.edge();
        let asked = question("a", "/x", None).unwrap();
        let primary = key_of(&edge, &asked);
        let guard = lead(&edge, &primary).await.unwrap();
        let (object, _) = prove(&edge, &asked, &primary, guard, None, async |_, _| true).await.unwrap();
        let other = question("b", "/x", None).unwrap();
        let elsewhere = key_of(&edge, &other);
        let watch = edge.flights.watch(vec![elsewhere.clone()]);
        edge.flights.forget(&elsewhere, || ());
        assert!(store_as(&edge, &other, &elsewhere, &object, &watch).is_none());
        assert!(!edge.memory.holds(&elsewhere));
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn what_is_wrong_everywhere_is_nowhere_here() {
    local(async {
        let made = made("a", 1, 1_000);
        let wrong = || kept().body("not this");
        let mut scene = Scene::new(made, vec![wrong()], vec![wrong()]);
        let job = scene.segment();
        assert_eq!(scene.bring(&job).await, Err(Brought::Wrong));
        assert!(!scene.porter.has(&job, scene.ledger.manifest(job.package)));
        let edge = scene.porter.service.edge();
        edge.memory.tend();
        assert_eq!(edge.metrics.memory_objects.get(), 0, "nobody can be given it");
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_server_that_says_no_or_is_gone_is_told_apart() {
    local(async {
        let no = Reply::new(403).header("cache-control", "max-age=30").body("not open yet");
        let mut scene = Scene::new(made("a", 1, 1_000), vec![no], vec![]);
        let job = scene.segment();
        assert_eq!(scene.bring(&job).await, Err(Brought::Status));
        for server in scene.servers.iter() {
            server.go_down(std::io::ErrorKind::ConnectionRefused);
        }
        assert_eq!(scene.bring(&job).await, Err(Brought::NoServer));
        assert!(!scene.porter.has(&job, scene.ledger.manifest(job.package)));
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn what_is_on_its_way_counts_against_memory() {
    local(async {
        let slow = kept().header("content-length", "1000").data(vec![7; 400]);
        let slow = slow.pause(SECOND).data(vec![7; 600]);
        let scene = Scene::new(made("a", 1, 1_000), vec![slow], vec![]);
        let edge = scene.porter.edge();
        let asked = question("a", "/x", None).unwrap();
        let primary = key_of(&edge, &asked);
        let guard = lead(&edge, &primary).await.unwrap();
        let promised = async {
            tokio::time::sleep(SECOND / 2).await;
            edge.overload.promised()
        };
        let proving = prove(&edge, &asked, &primary, guard, None, async |_, _| true);
        let (proved, promised) = tokio::join!(proving, promised);
        proved.unwrap();
        assert_eq!((promised, edge.overload.promised()), (600, 0));
    })
    .await;
}

/// What was looked at on a disk, by night and at each start, was nobody's until all of it was in memory.
#[tokio::test]
async fn what_is_read_from_a_disk_counts_against_memory() {
    local(async {
        let disk = tempfile::tempdir().unwrap();
        let on_disk = |config: &mut Config| {
            let (disk, disk_size) = (Some(vec![disk.path().to_owned()]), Some(vec![ByteCount::mib(64)]));
            config.disks = crate::options::disks(&Options { disk, disk_size, ..Options::default() }).unwrap();
        };
        // Of three blocks, which are read one after the other.
        let made = || made("a", 1, 600_000);
        let mut filling = Scene::with(made(), vec![kept().body(segment_of(&made()))], vec![], on_disk);
        let job = filling.segment();
        filling.bring(&job).await.unwrap();
        drop(filling);
        let mut scene = Scene::with(made(), vec![], vec![], on_disk);
        let mut job = scene.segment();
        job.reach = Reach::Anywhere;
        let edge = scene.porter.edge();
        let (mut bring, mut most) = (std::pin::pin!(scene.bring(&job)), 0);
        let brought = std::future::poll_fn(|cx| {
            let polled = bring.as_mut().poll(cx);
            most = most.max(edge.overload.promised());
            polled
        });
        assert_eq!(brought.await, Ok(None));
        assert!(most > 300_000, "{most}");
        assert_eq!(edge.overload.promised(), 0);
        assert_eq!(scene.asked(), [0, 0]);
    })
    .await;
}

/// A node threw it away before it had another; with the origin gone the lesson was gone, too.
#[tokio::test(start_paused = true)]
async fn a_pointer_of_another_edition_stays_until_the_plans_own_is_here() {
    local(async {
        let made = made("a", 1, 1_000);
        let pointer = |text: String| kept().header("vary", "accept-encoding").body(text);
        let own = made.pointer();
        let gzip = kept().header("vary", "accept-encoding").header("content-encoding", "gzip");
        let gzip = gzip.body(packed(own.as_bytes()));
        let replies = vec![pointer("#EXTM3U\n# another\n".into()), pointer(own.clone()), gzip];
        let mut scene = Scene::new(made, replies, vec![]);
        let edge = scene.porter.edge();
        let asked = question("a", "/lessons/a/main.m3u8", None).unwrap();
        let primary = key_of(&edge, &asked);
        let guard = lead(&edge, &primary).await.unwrap();
        prove(&edge, &asked, &primary, guard, None, async |_, _| true).await.unwrap();
        let here = || match look(&edge, &asked, &primary, Instant::now()).found {
            Found::Fresh(object) => match &object.body {
                Body::Complete(blocks) => String::from_utf8(blocks.blocks().concat()).unwrap(),
                body => panic!("{body:?}"),
            },
            found => panic!("{found:?}"),
        };
        let mut job = scene.job(|what| matches!(what, What::Pointer(_)));
        scene.servers.iter().for_each(|server| server.go_down(std::io::ErrorKind::ConnectionRefused));
        for (reach, trouble) in [(Reach::Here, Brought::Absent), (Reach::Anywhere, Brought::NoServer)] {
            job.reach = reach;
            assert_eq!(scene.bring(&job).await, Err(trouble));
            assert_eq!(here(), "#EXTM3U\n# another\n");
        }
        scene.servers[0].come_back();
        tokio::time::sleep(SECOND * 60).await;
        assert_eq!(scene.bring(&job).await, Ok(None));
        assert_eq!(here(), own);
    })
    .await;
}

const SECOND: Duration = Duration::from_secs(1);
/// Which segment takes its time.
const SLOW: &str = "s1/00000.m4s";

/// A server that has all of a package, of which one segment takes ten seconds.
fn has_all(question: &testkit::upstream::Question) -> Reply {
    let made = made("a", 1, 1_000);
    let (path, id) = (question.target.path(), made.sealed.id().to_string());
    let object = path.split_once(&format!("{id}/")).map(|(_, object)| object);
    match object {
        Some(SLOW) => {
            let bytes = segment_of(&made);
            let half = bytes.len() / 2;
            kept().data(bytes.slice(..half)).pause(SECOND * 10).data(bytes.slice(half..))
        }
        Some("manifest.json") => kept().body(made.sealed.bytes().to_vec()),
        Some(object) => match object.parse().ok().and_then(|object| made.objects.get(&object)) {
            Some(bytes) => kept().body(bytes.clone()),
            None => Reply::new(404).body(""),
        },
        // What leads there.
        None if path.starts_with("/lessons/") => kept().body(id),
        None => Reply::new(404).body(""),
    }
}

impl Scene {
    /// A process that fills by the day's plan, and by which it is told to end.
    fn begin(&self) -> (serve::DrainSender, tokio::task::JoinHandle<()>) {
        let (sender, drain) = Drain::pair();
        let told = Told::register(&Telemetry::new("test"));
        let hosts = Arc::clone(&self.porter.hosts);
        (sender, tokio::task::spawn_local(fill(self.porter.service.clone(), hosts, told, drain)))
    }

    /// The plans are those of its day.
    fn follow_its_day(&self) {
        let (day, envelope) = (&self.day, testkit::plans::envelope(&self.day));
        let accepted =
            timetable::accept(&envelope, &testkit::plans::trust(), day.date, None, day.valid_from).unwrap();
        self.porter.plans.replace(vec![Arc::new(dayplan::Followed { accepted, envelope })]);
    }

    /// How often something that ends so was asked for.
    fn asked_for(&self, end: &str) -> usize {
        let questions = self.servers.iter().flat_map(|server| server.questions());
        questions.filter(|question| question.target.path().ends_with(end)).count()
    }

    /// Lets time pass until something is so.
    async fn until(&self, is_so: impl Fn(&Self) -> bool) {
        for _ in 0..10_000 {
            if is_so(self) {
                return;
            }
            tokio::time::sleep(SECOND / 20).await;
        }
        panic!("it never came to that");
    }
}

/// A process that had given way went on through the night without its disks, beside the one that fills by the same plan.
#[tokio::test(start_paused = true)]
async fn a_process_that_gives_way_or_drains_fills_no_more_and_the_next_one_goes_on() {
    let ends: [fn(&serve::DrainSender); 2] = [serve::DrainSender::give_way, serve::DrainSender::begin];
    for end in ends {
        local(async {
            let mut scene = Scene::new(made("a", 1, 1_000), vec![], vec![]);
            scene.servers.iter().for_each(|server| server.follow(has_all));
            scene.follow_its_day();
            let job = scene.segment();
            let is_here = |scene: &Scene| scene.porter.has(&job, scene.ledger.manifest(job.package));

            let (sender, filling) = scene.begin();
            scene.until(|scene| scene.asked_for(SLOW) == 1).await;
            let began = Instant::now();
            end(&sender);
            filling.await.unwrap();
            assert_eq!(began.elapsed(), Duration::ZERO, "at once, in the middle of a body");
            let asked = scene.asked();
            tokio::time::sleep(SECOND * 300).await;
            assert_eq!(scene.asked(), asked, "nothing is asked for any more");
            assert!(!is_here(&scene), "half of it is nobody's");

            let papers = scene.asked_for("manifest.json");
            let (_sender, _filling) = scene.begin();
            scene.until(is_here).await;
            assert_eq!((scene.asked_for(SLOW), scene.asked_for("manifest.json")), (2, papers));
        })
        .await;
    }
}

/// A node whose memory was smaller than the day fetched all night what it could not keep.
#[tokio::test(start_paused = true)]
async fn what_there_is_no_room_for_is_not_fetched_again_and_again() {
    local(async {
        let room = |config: &mut Config| {
            (config.ram, config.fill.ram) = (ByteCount(512 << 10), ByteCount(256 << 10))
        };
        let scene = Scene::with(made("a", 60, 4_000), vec![], vec![], room);
        scene.servers.iter().for_each(|server| {
            server.follow(|question| {
                let made = made("a", 60, 4_000);
                let path = question.target.path();
                let id = made.sealed.id().to_string();
                match path.split_once(&format!("{id}/")).map(|(_, object)| object) {
                    Some("manifest.json") => kept().body(made.sealed.bytes().to_vec()),
                    Some(object) => kept().body(made.objects[&object.parse().unwrap()].clone()),
                    None => kept().body(id),
                }
            });
        });
        scene.follow_its_day();
        let (_sender, _filling) = scene.begin();
        tokio::time::sleep(SECOND * 60).await;
        let first = scene.asked().iter().sum::<usize>();
        assert!(first > 30, "{first}: what there is room for");
        tokio::time::sleep(SECOND * 3_600).await;
        let more = scene.asked().iter().sum::<usize>() - first;
        assert!(more <= 100, "{more} more in an hour");
    })
    .await;
}
