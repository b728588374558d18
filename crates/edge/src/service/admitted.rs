//! New sessions of planned lessons through the whole edge: who comes in when, and what never waits.

use super::tests::*;
use super::*;
use crate::admission::AdmissionOptions;
use crate::options::{Config, Options};
use crate::policy::Release;
use crate::upstream::Dial;
use crate::{edge::Shared, response::EdgeBody};
use dayplan::{Clock, Followed, Plans, Tokens};
use serve::{Level, Scheme, Standing};
use settings::SettingsError;
use std::time::Duration;
use telemetry::Telemetry;
use testkit::plans::{self as sample, moment, package};
use testkit::upstream::{Reply, Upstream};
use timetable::plan::AdmissionSlot;
use timetable::{Band, Class, Kind, Plan};

const WORD: &str = "nodes-nodes-nodes-nodes";
/// Before an examination, open from 08:30, its slot from 08:40 to 08:42.
const EXAM: &str = "/lessons/maths-9/main.m3u8";
/// Open from 09:10, for others.
const USUAL: &str = "/lessons/maths-7/main.m3u8";

fn slots(soft: bool) -> Vec<AdmissionSlot> {
    let slot = |grade: u8, class, after_s, window_s| AdmissionSlot {
        place: "hubei".parse().unwrap(),
        class,
        band: Band::Junior,
        grades: vec![grade.try_into().unwrap()],
        after_s,
        window_s,
        term_start: None,
        soft,
    };
    vec![slot(9, Class::Exam, 600, 120), slot(7, Class::Usual, 0, 0)]
}

/// An edge of a school in Wuhan at this moment, where `rate` may begin a second.
fn scene(now: &str, rate: u32, soft: bool) -> Scene {
    let mut plan = sample::plan();
    plan.slots = slots(soft);
    plan.lessons[0].grades = vec![7.try_into().unwrap()];
    plan.lessons[0].exam = false;
    following(&[plan], now, rate)
}

/// The same, by these plans.
fn following(days: &[Plan], now: &str, rate: u32) -> Scene {
    let followed = |plan: &Plan| {
        let envelope = sample::envelope(plan);
        let accepted = timetable::accept(&envelope, &sample::trust(), plan.date, None, plan.valid_from);
        Arc::new(Followed { accepted: accepted.unwrap(), envelope })
    };
    let plans = Plans::new(Clock::at(moment(now)), Tokens::parse(WORD).unwrap());
    plans.replace(days.iter().map(followed).collect());
    let options = AdmissionOptions {
        place: Some("hubei/wuhan/no-1".into()),
        rate: Some(rate),
        ..AdmissionOptions::default()
    };
    let admission = crate::admission::AdmissionConfig::resolve(&options, true).unwrap();
    let options = Options { upstream: Some(vec!["http://origin".to_owned()]), ..Options::default() };
    let config: Result<_, SettingsError> = Config::resolve(&options);
    let config = Config { admission, ..config.unwrap() };
    let pointer = || Reply::new(200).header("cache-control", "max-age=3600").body("#EXTM3U\n");
    let upstream = Upstream::new((0..40).map(|_| pointer()));
    let release = Release::new(plans, &["a".to_owned()]);
    let shared = Shared::following(config, release, &Telemetry::new("test"));
    Scene { edge: Rc::new(shared.dialling(Dial::Scripted(Rc::clone(&upstream)))), upstream }
}

/// A request from its very beginning, over a connection of this standing.
async fn on(scene: &Scene, standing: &Standing, target: &str, fields: &[(&str, &str)]) -> Answer {
    let peer = Peer {
        address: ([127, 0, 0, 1], 1).into(),
        scheme: Scheme::Http,
        to_https: None,
        standing: standing.clone(),
        interim: None,
        takes_ready: false,
    };
    scene.call(scene.asked("GET", target, fields), &peer).await
}

/// Over a new connection, by a player.
async fn call(scene: &Scene, target: &str) -> (u16, serde_json::Value) {
    let answer = on(scene, &Standing::default(), target, &[("accept", "application/json")]).await;
    let status = answer.status().as_u16();
    (status, said(answer.into_body()).await)
}

async fn said(body: EdgeBody) -> serde_json::Value {
    serde_json::from_slice(&read(body).await.unwrap()).unwrap_or_default()
}

/// So much time, with the looks at the machine that it has.
async fn pass(scene: &Scene, seconds: u64) {
    for _ in 0..seconds {
        tokio::time::advance(SECOND).await;
        scene.edge.door.look(scene.edge.overload.level());
    }
}

#[tokio::test(start_paused = true)]
async fn a_new_session_waits_for_its_slot_and_playback_does_not() {
    local(async {
        let scene = scene("08:35:00", 0, false);
        let (status, waiting) = call(&scene, EXAM).await;
        assert_eq!((status, &waiting["error"]), (503, &"waiting".into()));
        assert_eq!(waiting["slot_opens"], "2026-09-01T00:40:00Z");
        assert_eq!((&waiting["soft"], &waiting["channel"]), (&false.into(), &"初中".into()));
        let wait_s = waiting["wait_s"].as_u64().unwrap();
        assert!((300..=420).contains(&wait_s), "{wait_s}");
        // Not soft: nobody goes on. The other pointers are doors to the same room.
        for target in [
            "/lessons/maths-9/main.m3u8?continue=1",
            "/lessons/maths-9/audio.m3u8",
            "/lessons/maths-9/ts.m3u8",
            // As an origin reads it.
            "/lessons/%6Daths-9/main.m3u8",
        ] {
            assert_eq!(call(&scene, target).await.0, 503, "{target}");
        }
        let media = format!("/p/{}/s0/00000.m4s", package(1));
        for path in ["/lessons/maths-9/lesson.json", &media, "/lessons/other/main.m3u8", "/"] {
            assert_eq!(call(&scene, path).await.0, 200, "{path}");
        }
        // Who has got media over this connection plays.
        let playing = Standing::default();
        on(&scene, &playing, &media, &[]).await;
        assert_eq!(on(&scene, &playing, EXAM, &[]).await.status(), 200);
        // A node fills as ever.
        let word = format!("Bearer {WORD}");
        let filled = on(&scene, &Standing::default(), EXAM, &[("authorization", &word)]).await;
        assert_eq!(filled.status(), 200);
        tokio::time::advance(Duration::from_secs(300)).await;
        assert_eq!(call(&scene, EXAM).await.0, 200);
    })
    .await;
}

/// A lesson of last week was answered 503 until midnight, on the day before television showed it again.
#[tokio::test(start_paused = true)]
async fn what_tomorrow_shows_again_has_no_slot_today() {
    local(async {
        let mut tomorrow = sample::plan_of("2026-09-02");
        tomorrow.slots = slots(false);
        for lesson in &mut tomorrow.lessons {
            (lesson.kind, lesson.release) = (Kind::Replay, moment("2026-09-02T00:00:00+08:00"));
        }
        let scene = following(&[tomorrow.clone()], "08:35:00", 0);
        assert_eq!(call(&scene, EXAM).await.0, 200);
        // And it takes no slot away from a lesson that is shown for the first time today, and again tomorrow.
        let mut today = sample::plan();
        today.slots = slots(false);
        let scene = following(&[today, tomorrow.clone()], "08:35:00", 0);
        assert_eq!(call(&scene, EXAM).await.0, 503);
        // Nor on the day itself, in the first minutes of which no slot had opened yet.
        let scene = following(&[tomorrow], "2026-09-02T00:05:00+08:00", 0);
        assert_eq!(call(&scene, EXAM).await.0, 200);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn before_a_soft_slot_who_wants_goes_on_while_there_is_room() {
    local(async {
        let scene = scene("08:35:00", 2, true);
        pass(&scene, 1).await;
        assert_eq!(call(&scene, EXAM).await.1["soft"], true);
        let anyway = "/lessons/maths-9/main.m3u8?continue=1";
        let mut got = Vec::new();
        for _ in 0..4 {
            got.push(call(&scene, anyway).await.0);
        }
        assert_eq!(got, [200, 200, 503, 503]);
        pass(&scene, 1).await;
        assert_eq!(call(&scene, anyway).await.0, 200);
        scene.edge.overload.press(Level::Critical);
        pass(&scene, 1).await;
        pass(&scene, 1).await;
        let _ = (call(&scene, anyway).await, call(&scene, anyway).await);
        assert_eq!(call(&scene, anyway).await.0, 503);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_ticket_keeps_the_place_and_a_forged_one_is_none() {
    local(async {
        let scene = scene("08:45:00", 1, false);
        pass(&scene, 1).await;
        assert_eq!(call(&scene, EXAM).await.0, 200);
        let mut tickets = Vec::new();
        for ahead in 1..=3 {
            let (status, waiting) = call(&scene, EXAM).await;
            assert_eq!((status, &waiting["ahead"]), (503, &ahead.into()));
            tickets.push(waiting["ticket"].as_str().unwrap().to_owned());
        }
        let bring = |ticket: &str| format!("{EXAM}?ticket={ticket}");
        // Who asks again has the same place, in the query or in a field.
        let (_, again) = call(&scene, &bring(&tickets[2])).await;
        assert_eq!((&again["ahead"], &again["ticket"]), (&3.into(), &tickets[2].as_str().into()));
        let fields = [("airclass-ticket", tickets[2].as_str()), ("accept", "application/json")];
        let answer = on(&scene, &Standing::default(), EXAM, &fields).await;
        assert_eq!(field(&answer, "cache-control"), "public, max-age=1, must-revalidate");
        assert_eq!(field(&answer, "vary"), "Accept, Airclass-Ticket");
        assert_eq!(field(&answer, "cache-status"), "airclass; detail=waiting");
        assert!(field(&answer, "retry-after").parse::<u64>().unwrap() >= 3);
        assert_eq!(said(answer.into_body()).await["ahead"], 3);
        // Somebody wants to be before the first.
        let forged = tickets[2].replacen(".2.", ".0.", 1);
        assert_ne!(forged, tickets[2]);
        let (status, last) = call(&scene, &bring(&forged)).await;
        assert_eq!((status, &last["ahead"]), (503, &4.into()));
        pass(&scene, 3).await;
        for ticket in &tickets {
            assert_eq!(call(&scene, &bring(ticket)).await.0, 200);
        }
        assert_eq!(call(&scene, EXAM).await.0, 503, "behind the forger");
        // And none of it was known to key or upstream.
        let questions = scene.upstream.questions();
        assert_eq!(questions.len(), 1);
        assert!(!questions[0].headers.contains_key("airclass-ticket"));
        assert_eq!(questions[0].target.to_string(), EXAM);
    })
    .await;
}

/// The link of one whose turn had come stood in a class's chat, and let a whole school in at once.
#[tokio::test(start_paused = true)]
async fn a_ticket_that_is_passed_on_lets_in_a_few_and_who_plays_needs_none() {
    local(async {
        let scene = scene("08:45:00", 1, false);
        pass(&scene, 1).await;
        let mut link = String::new();
        for _ in 0..50 {
            let (_, waiting) = call(&scene, EXAM).await;
            if let Some(ticket) = waiting["ticket"].as_str().filter(|_| link.is_empty()) {
                link = format!("{EXAM}?ticket={ticket}");
            }
        }
        pass(&scene, 2).await;
        let playing = Standing::default();
        assert_eq!(on(&scene, &playing, &link, &[]).await.status(), 200);
        on(&scene, &playing, "/1.m4s", &[]).await;
        let mut told = Vec::new();
        for _ in 0..100 {
            told.push(call(&scene, &link).await);
        }
        let inside = told.iter().filter(|(status, _)| *status == 200).count();
        assert!((2..=20).contains(&inside), "{inside}");
        // The others are told a place of their own.
        let (status, last) = told.pop().unwrap();
        assert_eq!((status, &last["error"]), (503, &"waiting".into()));
        assert!(
            last["ahead"].as_u64() > Some(50) && !link.ends_with(last["ticket"].as_str().unwrap()),
            "{last}"
        );
        // Who plays goes on, and begins anew on the connection that it has.
        assert_eq!(on(&scene, &playing, &link, &[]).await.status(), 200);
        assert_eq!(call(&scene, "/2.m4s").await.0, 200);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn those_before_an_examination_go_first_and_under_pressure_alone() {
    local(async {
        let scene = scene("09:15:00", 4, false);
        scene.edge.overload.press(Level::High);
        pass(&scene, 2).await;
        // Warm, so that nothing cold is put off.
        let playing = Standing::default();
        on(&scene, &playing, "/1.m4s", &[]).await;
        for target in [EXAM, USUAL] {
            read(on(&scene, &playing, target, &[]).await.into_body()).await.unwrap();
        }
        let (status, waiting) = call(&scene, USUAL).await;
        assert_eq!(status, 503);
        let ticket = format!("{USUAL}?ticket={}", waiting["ticket"].as_str().unwrap());
        // Half the rate.
        pass(&scene, 1).await;
        let mut got = Vec::new();
        for _ in 0..6 {
            got.push(call(&scene, EXAM).await.0);
        }
        let inside = got.iter().filter(|status| **status == 200).count();
        assert!((2..=4).contains(&inside) && got[0] == 200 && got[5] == 503, "{got:?}");
        pass(&scene, 5).await;
        assert_eq!(call(&scene, &ticket).await.0, 503, "as long as it is pressed");
        scene.edge.overload.press(Level::Calm);
        pass(&scene, 2).await;
        assert_eq!(call(&scene, &ticket).await.0, 200);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_person_gets_a_page_that_comes_back() {
    local(async {
        let scene = scene("08:35:00", 0, true);
        let answer = on(&scene, &Standing::default(), EXAM, &[("accept", "text/html,*/*;q=0.8")]).await;
        assert_eq!(answer.status(), 503);
        assert_eq!(field(&answer, "content-type"), "text/html; charset=utf-8");
        let page = String::from_utf8(read(answer.into_body()).await.unwrap().to_vec()).unwrap();
        for part in ["课 maths-9", "9月1日 08:40", "电视频道“初中”", "continue=1", "http-equiv=\"refresh\""]
        {
            assert!(page.contains(part), "{part}: {page}");
        }
    })
    .await;
}
