//! The day plan through the whole edge: what is shut, what opens, and how what it names is looked after.

use super::tests::*;
use super::*;
use crate::options::{Config, Options};
use crate::policy::Release;
use crate::upstream::Dial;
use crate::{edge::Shared, response::EdgeBody};
use bytes::Bytes;
use dayplan::{Clock, Followed, Plans, Tokens};
use std::io::ErrorKind;
use std::time::Duration;
use telemetry::Telemetry;
use testkit::plans::{self as sample, moment, package};
use testkit::upstream::{Reply, Upstream};

const WORD: &str = "nodes-nodes-nodes-nodes";
const POINTER: &str = "/lessons/maths-9/main.m3u8";

fn followed(plan: &timetable::Plan) -> Arc<Followed> {
    let envelope = sample::envelope(plan);
    let accepted = timetable::accept(&envelope, &sample::trust(), plan.date, None, plan.valid_from).unwrap();
    Arc::new(Followed { accepted, envelope })
}

/// An edge that follows the sample's plan, at this moment of its day.
fn scene(now: &str, replies: impl IntoIterator<Item = Reply>) -> Scene {
    let plans = Plans::new(Clock::at(moment(now)), Tokens::parse(WORD).unwrap());
    plans.replace(vec![followed(&sample::plan())]);
    let options = Options { upstream: Some(vec!["http://origin".to_owned()]), ..Options::default() };
    let upstream = Upstream::new(replies);
    let release = Release::new(plans, &["a".to_owned()]);
    let shared = Shared::following(Config::resolve(&options).unwrap(), release, &Telemetry::new("test"));
    Scene { edge: Rc::new(shared.dialling(Dial::Scripted(Rc::clone(&upstream)))), upstream }
}

/// A request from its very beginning.
async fn call(scene: &Scene, method: &str, target: &str, fields: &[(&str, &str)]) -> Answer {
    let mut asked = scene.asked(method, target, fields);
    match scene.edge.release.judge(&mut asked) {
        Some(said) => response::said(&scene.edge, said, &asked.method),
        None => scene.answer(asked).await,
    }
}

async fn text(body: EdgeBody) -> String {
    String::from_utf8(read(body).await.unwrap().to_vec()).unwrap()
}

fn pointer() -> Reply {
    Reply::new(200)
        .header("cache-control", "public, max-age=5, stale-while-revalidate=30, stale-if-error=86400")
        .body("#EXTM3U\n")
}

#[tokio::test(start_paused = true)]
async fn everything_of_a_lesson_is_shut_before_its_instant_and_open_after_it() {
    local(async {
        let paths = [
            POINTER.to_owned(),
            "/lessons/maths-9/lesson.json".to_owned(),
            format!("/p/{}/s0/00000.m4s", package(1)),
            format!("/p/{}/manifest.json", package(1)),
        ];
        let scene = scene("08:29:00", paths.iter().map(|_| pointer()));
        let word = format!("Bearer {WORD}");
        for path in &paths {
            // Filled by night.
            let filled = call(&scene, "GET", path, &[("authorization", &word)]).await;
            assert_eq!(filled.status(), 200);
            read(filled.into_body()).await.unwrap();
        }
        tokio::time::advance(Duration::from_millis(59_500)).await;
        scene.upstream.go_down(ErrorKind::ConnectionRefused);
        for path in &paths {
            for (method, fields) in [
                ("GET", &[][..]),
                ("HEAD", &[]),
                ("GET", &[("range", "bytes=0-0")]),
                ("GET", &[("if-none-match", "*")]),
                ("GET", &[("cache-control", "only-if-cached")]),
                ("GET", &[("authorization", "Bearer wrong-wrong-wrong-wrong")]),
                ("POST", &[]),
            ] {
                let shut = call(&scene, method, path, fields).await;
                assert_eq!(shut.status(), 403, "{method} {path} {fields:?}");
                let wait: u64 = field(&shut, "retry-after").parse().unwrap();
                assert!((1..=12).contains(&wait), "{wait}");
                assert_eq!(field(&shut, "cache-control"), "no-store");
                assert!(!shut.headers().contains_key("etag") && !shut.headers().contains_key("age"));
            }
        }
        tokio::time::advance(Duration::from_millis(500)).await;
        for path in &paths {
            let open = call(&scene, "GET", path, &[]).await;
            assert_eq!(open.status(), 200, "{path}");
            read(open.into_body()).await.unwrap();
        }
        // The other lesson is shut until its own.
        assert_eq!(call(&scene, "GET", "/lessons/maths-7/main.m3u8", &[]).await.status(), 403);
        assert_eq!(call(&scene, "OPTIONS", "/lessons/maths-7/main.m3u8", &[]).await.status(), 504);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn what_is_not_planned_is_as_ever() {
    local(async {
        let scene = scene("00:00:00", [pointer(), fresh().body("x")]);
        assert_eq!(call(&scene, "GET", "/lessons/other/main.m3u8", &[]).await.status(), 200);
        let asked = &scene.upstream.questions()[0];
        assert!(!asked.headers.contains_key("authorization"), "the word is for what the plan names");
        // Somebody else's word goes on to his origin.
        call(&scene, "GET", "/x", &[("authorization", "Bearer his-own")]).await;
        assert_eq!(scene.upstream.questions()[1].headers["authorization"], "Bearer his-own");
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_pointer_that_was_filled_by_night_is_answered_with_at_once() {
    local(async {
        let newer = Reply::new(200).header("cache-control", "public, max-age=5").body("#EXTM3U\n# newer\n");
        let scene = scene("08:30:00", [pointer(), newer.after(SECOND * 10)]);
        read(call(&scene, "GET", POINTER, &[]).await.into_body()).await.unwrap();
        tokio::time::advance(SECOND * 3_600 * 8).await;
        let before = Instant::now();
        for _ in 0..3 {
            let answer = call(&scene, "GET", POINTER, &[]).await;
            assert_eq!(
                (answer.status().as_u16(), text(answer.into_body()).await),
                (200, "#EXTM3U\n".to_owned())
            );
        }
        assert_eq!(before.elapsed(), Duration::ZERO, "nobody waits for the origin");
        assert_eq!(scene.upstream.count(), 1, "and one question is on its way");
        tokio::time::sleep(SECOND * 11).await;
        assert_eq!(scene.upstream.count(), 2);
        let word = &scene.upstream.questions()[1].headers["authorization"];
        assert_eq!(word, &format!("Bearer {WORD}"), "whatever the time is there");
        let answer = call(&scene, "GET", POINTER, &[]).await;
        assert_eq!(text(answer.into_body()).await, "#EXTM3U\n# newer\n");
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn an_upstream_that_says_no_does_not_shut_what_is_open_here() {
    local(async {
        let no = || Reply::new(403).header("cache-control", "public, max-age=30").body("not open yet");
        let scene = scene("08:30:00", [pointer(), no(), no(), no()]);
        read(call(&scene, "GET", POINTER, &[]).await.into_body()).await.unwrap();
        tokio::time::advance(SECOND * 60).await;
        for _ in 0..3 {
            assert_eq!(call(&scene, "GET", POINTER, &[]).await.status(), 200);
            tokio::time::sleep(SECOND).await;
        }
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn plans_go_down_the_tiers_to_nodes_alone() {
    local(async {
        let scene = scene("07:00:00", []);
        let path = "/timetable/plans/2026-09-01.json";
        let denied = call(&scene, "GET", path, &[]).await;
        assert_eq!(denied.status(), 401);
        assert!(!text(denied.into_body()).await.contains("maths"));
        let word = format!("Bearer {WORD}");
        let plan = call(&scene, "GET", path, &[("authorization", &word)]).await;
        assert_eq!(plan.status(), 200);
        let (tag, clock) = (field(&plan, "etag").to_owned(), field(&plan, "airclass-clock").to_owned());
        assert_eq!(clock, moment("07:00:00").as_millisecond().to_string());
        assert_eq!(field(&plan, "cache-control"), "private, no-store");
        let sent = read(plan.into_body()).await.unwrap();
        assert_eq!(sent, followed(&sample::plan()).envelope);
        let same = call(&scene, "GET", path, &[("authorization", &word), ("if-none-match", &tag)]).await;
        assert_eq!((same.status().as_u16(), read(same.into_body()).await.unwrap()), (304, Bytes::new()));
        assert_eq!(scene.upstream.count(), 0, "with what is followed here, whoever is gone further up");
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn channels_are_made_here_and_go_on_without_an_upstream() {
    local(async {
        let scene = scene("08:29:59", []);
        scene.upstream.go_down(ErrorKind::ConnectionRefused);
        let last = async |scene: &Scene| {
            let answer = call(scene, "GET", "/channels/junior/s0.m3u8", &[]).await;
            assert_eq!(answer.status(), 200);
            assert_eq!(field(&answer, "cache-status"), "airclass; detail=on_air");
            text(answer.into_body()).await.trim_end().rsplit('\n').next().unwrap().to_owned()
        };
        assert!(last(&scene).await.starts_with(&format!("../../p/{}/", package(11))), "the slate");
        let ahead = call(&scene, "GET", "/channels/junior/programmes/2026-09-01/maths-9/s0.m3u8", &[]).await;
        assert_eq!(
            (ahead.status().as_u16(), field(&ahead, "cache-status")),
            (403, "airclass; detail=not_yet")
        );
        tokio::time::advance(SECOND).await;
        assert_eq!(last(&scene).await, format!("../../p/{}/s0/00000.m4s", package(1)));
        let head = call(&scene, "HEAD", "/channels/junior/main.m3u8", &[]).await;
        assert_eq!(
            (head.status().as_u16(), field(&head, "content-type")),
            (200, "application/vnd.apple.mpegurl")
        );
        assert_eq!(scene.upstream.count(), 0);
        // A channel that no plan knows is the upstream's.
        assert_eq!(call(&scene, "GET", "/channels/other/s0.m3u8", &[]).await.status(), 504);
    })
    .await;
}
