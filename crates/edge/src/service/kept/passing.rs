//! Long bodies that go from the disk straight to one client, and when they do not.

use super::*;
use crate::fill::{Landed, Role};
use crate::outcome::FillOutcome;
use crate::response::EdgeBody;
use http_body_util::BodyExt;

async fn over_a_long_body(disk: &Path) -> Scene {
    over(disk, &long_body()).await
}

/// A new process over a disk that has `body` under `/x`, of whose files the system has nothing in memory.
async fn over(disk: &Path, body: &[u8]) -> Scene {
    let before = scene(disk, [fresh().body(body.to_vec())]);
    before.load("/x").await;
    stop(before).await;
    for file in std::fs::read_dir(disk).unwrap() {
        let file = std::fs::File::open(file.unwrap().path()).unwrap();
        file.sync_all().unwrap();
        rustix::fs::fadvise(&file, 0, None, rustix::fs::Advice::DontNeed).unwrap();
    }
    scene(disk, [])
}

/// A process that has put a long body under `/x`, and something behind it, and has ended.
async fn put_before(disk: &Path) {
    let before = scene(disk, [fresh().body(long_body()), fresh().body("behind it")]);
    before.load("/x").await;
    before.load("/y").await;
    stop(before).await;
}

fn is_held(scene: &Scene) -> bool {
    scene.edge.memory.holds(&key_of(&scene.edge, &scene.asked("GET", "/x", &[])))
}

#[tokio::test]
async fn a_long_body_is_kept_in_memory_when_it_is_asked_for_again() {
    let disk = tempfile::tempdir().unwrap();
    local(async {
        let scene = over_a_long_body(disk.path()).await;
        for (held, from) in [(false, "disk"), (true, "disk"), (true, "ttl")] {
            let answer = scene.ask("/x", &[]).await;
            assert!(field(&answer, "cache-status").contains(from), "{:?}", answer.headers());
            assert_eq!(field(&answer, "content-length"), "600000");
            assert_eq!(read(answer.into_body()).await.unwrap(), long_body());
            settle(&scene).await;
            assert_eq!(is_held(&scene), held);
        }
        assert_eq!(scene.upstream.count(), 0);
    })
    .await;
}

#[tokio::test]
async fn parts_and_heads_of_it_are_not_passed_on() {
    let disk = tempfile::tempdir().unwrap();
    let body = long_body();
    local(async {
        let scene = over_a_long_body(disk.path()).await;
        let answer = scene.ask_by("HEAD", "/x", &[]).await;
        assert_eq!((answer.status(), field(&answer, "content-length")), (StatusCode::OK, "600000"));
        assert!(field(&answer, "cache-status").ends_with("detail=disk"), "{:?}", answer.headers());
        settle(&scene).await;
        assert!(!is_held(&scene), "its body is nobody's");
        let answer = scene.ask("/x", &[("range", "bytes=300000-300009")]).await;
        assert_eq!(answer.status(), StatusCode::PARTIAL_CONTENT);
        assert_eq!(read(answer.into_body()).await.unwrap(), body[300_000..300_010]);
        assert_eq!(scene.edge.metrics.fills(FillOutcome::PassedOn), 0);
        assert_eq!(scene.ask("/x", &[("if-none-match", "\"v1\"")]).await.status(), StatusCode::NOT_MODIFIED);
    })
    .await;
}

#[tokio::test]
async fn a_head_of_what_is_stale_on_the_disk_is_asked_about_and_brings_no_body() {
    let disk = tempfile::tempdir().unwrap();
    local(async {
        let stale = Reply::new(200).header("cache-control", "max-age=0").header("etag", "\"v1\"");
        let before = scene(disk.path(), [stale.body(long_body())]);
        before.load("/x").await;
        stop(before).await;
        let says = Reply::new(200).header("cache-control", "max-age=60").header("etag", "\"v1\"");
        let after = scene(disk.path(), [says.header("content-length", "600000").header("x-a", "2")]);
        for asked in [1, 1] {
            let answer = after.ask_by("HEAD", "/x", &[]).await;
            assert_eq!((answer.status(), field(&answer, "x-a")), (StatusCode::OK, "2"));
            assert_eq!((after.upstream.count(), is_held(&after)), (asked, false));
            assert!(after.edge.disk.as_ref().unwrap().is_settled().await);
        }
        assert_eq!(read(after.ask("/x", &[]).await.into_body()).await.unwrap(), long_body());
    })
    .await;
}

/// As many as came while a slow disk looked were read for at once, and took more than the process may have.
#[tokio::test]
async fn attack_63_what_is_looked_for_on_a_disk_counts_against_memory() {
    let disk = tempfile::tempdir().unwrap();
    local(async {
        let scene = over_a_long_body(disk.path()).await;
        let asked = scene.asked("GET", "/x", &[]);
        let (key, tier) = (key_of(&scene.edge, &asked), scene.edge.disk.as_ref().unwrap());
        let mut looking = std::pin::pin!(fill::pass_on(&scene.edge, &asked, &key, tier));
        let mut promised = Vec::new();
        let found = std::future::poll_fn(|cx| {
            let polled = looking.as_mut().poll(cx);
            if polled.is_pending() {
                promised.push(scene.edge.overload.promised());
            }
            polled
        });
        assert!(matches!(found.await, Ok(Some(_))));
        // Where the system has it in memory after all, nobody has waited.
        assert!(promised.iter().all(|&bytes| bytes == 5 * BLOCK as u64 / 2), "{promised:?}");
        assert_eq!(scene.edge.overload.promised(), 0);
        // Of its first blocks what has come is its own; what fills no packet goes with the next ones, into the same memory.
        let mut body = scene.ask("/x", &[]).await.into_body();
        for to_come in [3 * BLOCK / 2, BLOCK / 2 + serve::PACKET] {
            body.frame().await.unwrap().unwrap();
            assert!(scene.edge.overload.promised() <= to_come as u64, "{}", scene.edge.overload.promised());
        }
        read(body).await.unwrap();
        assert_eq!(scene.edge.overload.promised(), 0);
    })
    .await;
}

#[tokio::test]
async fn a_herd_reads_it_from_the_disk_twice_at_most() {
    let disk = tempfile::tempdir().unwrap();
    local(async {
        let scene = Rc::new(over_a_long_body(disk.path()).await);
        let clients: Vec<_> = (0..100).map(|_| scene.start("/x")).collect();
        for client in clients {
            assert_eq!(client.await.unwrap(), (StatusCode::OK, Ok(long_body().into())));
        }
        let fills = |outcome| scene.edge.metrics.fills(outcome);
        assert_eq!((fills(FillOutcome::PassedOn), fills(FillOutcome::Loaded)), (1, 1));
        assert_eq!(scene.upstream.count(), 0);
    })
    .await;
}

#[tokio::test]
async fn a_client_that_leaves_in_the_middle_changes_nothing() {
    let disk = tempfile::tempdir().unwrap();
    local(async {
        let scene = over_a_long_body(disk.path()).await;
        let mut body = scene.ask("/x", &[]).await.into_body();
        let first = body.frame().await.unwrap().unwrap().into_data().unwrap();
        assert_eq!(first.len(), BLOCK);
        drop(body);
        assert_eq!(read(scene.ask("/x", &[]).await.into_body()).await.unwrap(), long_body());
        assert_eq!(scene.upstream.count(), 0);
    })
    .await;
}

#[tokio::test]
async fn a_turn_fills_packets_and_the_next_begins_with_the_rest() {
    let rest = 2 * BLOCK - 8 * serve::PACKET;
    let long = 2 * BLOCK + BLOCK / 2 + 1;
    assert_eq!(pieces_of(long).await, [BLOCK, BLOCK - rest, rest, BLOCK / 2 + 1]);
}

#[tokio::test]
async fn a_short_end_goes_with_the_turn_before_it() {
    assert_eq!(pieces_of(2 * BLOCK + BLOCK / 2).await, [BLOCK, BLOCK, BLOCK / 2]);
}

/// Lengths of what a body of `length` bytes is given in.
async fn pieces_of(length: usize) -> Vec<usize> {
    let disk = tempfile::tempdir().unwrap();
    local(async {
        let body = bytes(length);
        let scene = over(disk.path(), &body).await;
        let mut answer = scene.ask("/x", &[]).await.into_body();
        let (mut lengths, mut all) = (vec![], vec![]);
        while let Some(frame) = answer.frame().await {
            let piece = frame.unwrap().into_data().unwrap();
            lengths.push(piece.len());
            all.extend_from_slice(&piece);
        }
        assert_eq!(all, body);
        lengths
    })
    .await
}

/// A client that has got the first block of `/x`, and the rest of it.
async fn begun(scene: &Scene) -> (Bytes, EdgeBody) {
    let mut body = scene.ask("/x", &[]).await.into_body();
    let first = body.frame().await.unwrap().unwrap().into_data().unwrap();
    assert_eq!(first.len(), BLOCK);
    (first, body)
}

#[tokio::test]
async fn a_client_goes_on_when_the_disk_gives_up_what_it_reads() {
    // Once round the log it is written again, since somebody has asked for it; after a second round it is not there any more.
    for (passing, asked_again) in [(40, 0), (60, 1)] {
        let disk = tempfile::tempdir().unwrap();
        local(async {
            let scene = over_a_long_body(disk.path()).await;
            let (first, rest) = begun(&scene).await;
            let other = Bytes::from(vec![1; 1_500_000]);
            for number in 0..passing {
                scene.upstream.then(fresh().body(other.clone()));
                scene.load(&format!("/passing/{number}")).await;
                assert!(scene.edge.disk.as_ref().unwrap().is_settled().await);
            }
            scene.upstream.then(fresh().body(long_body()));
            assert_eq!([first, read(rest).await.unwrap()].concat(), long_body(), "{passing}");
            assert_eq!(scene.upstream.count(), passing + asked_again);
        })
        .await;
    }
}

/// On another core, who waits for a load may go on before its task has ended.
#[tokio::test]
async fn a_client_goes_on_behind_loads_of_others_that_come_to_nothing() {
    let disk = tempfile::tempdir().unwrap();
    local(async {
        let scene = over_a_long_body(disk.path()).await;
        let (first, rest) = begun(&scene).await;
        damage(disk.path());
        let key = key_of(&scene.edge, &scene.asked("GET", "/x", &[]));
        let begin = || match scene.edge.flights.join(&key, Instant::now(), || None::<()>) {
            Ok(Role::Lead(_, guard)) => guard,
            _ => panic!("what has come to nothing is not joined"),
        };
        scene.upstream.then(fresh().body(long_body()));
        let mut load = begin();
        let rest = tokio::task::spawn_local(read(rest));
        for others in [1, 0] {
            while load.flight().followers() == 0 {
                tokio::task::yield_now().await;
            }
            load.land(Landed::NotLoaded);
            if others > 0 {
                load = begin();
            }
        }
        assert_eq!([first, rest.await.unwrap().unwrap()].concat(), long_body());
        assert_eq!(scene.upstream.count(), 1);
        drop(load);
    })
    .await;
}

#[tokio::test]
async fn what_an_order_meant_is_not_mended_into_the_cache() {
    for mode in [Mode::Hard, Mode::Soft] {
        let disk = tempfile::tempdir().unwrap();
        local(async {
            put_before(disk.path()).await;
            let after = scene(disk.path(), [fresh().header("x-a", "2").body(long_body())]);
            let (first, rest) = begun(&after).await;
            after.edge.disk.as_ref().unwrap().order(What::Url("http://a/x".parse().unwrap()), mode);
            damage(disk.path());
            assert_eq!([first, read(rest).await.unwrap()].concat(), long_body());
            assert!(!after.upstream.questions()[0].headers.contains_key("range"), "as by who asks now");
            settle(&after).await;
            assert_eq!(field(&after.ask("/x", &[]).await, "x-a"), "2", "{mode:?}");
        })
        .await;
    }
}

/// `upstream_rate` bounds questions, not the rest of what was begun.
#[tokio::test]
async fn a_client_goes_on_when_the_disk_gives_up_however_many_ask() {
    let disk = tempfile::tempdir().unwrap();
    local(async {
        put_before(disk.path()).await;
        let options = Options {
            disk: Some(vec![disk.path().to_owned()]),
            disk_size: Some(vec![ByteCount::mib(64)]),
            upstream_rate: Some(1),
            ..Options::default()
        };
        let after = Scene::over(options, []);
        after.upstream.follow(|_| fresh().body(long_body()));
        let (first, rest) = begun(&after).await;
        let url = "http://a/x".parse().unwrap();
        after.edge.disk.as_ref().unwrap().order(What::Url(url), Mode::Hard);
        damage(disk.path());
        for number in 0.. {
            if after.ask(&format!("/other/{number}"), &[]).await.status() == StatusCode::SERVICE_UNAVAILABLE {
                break;
            }
        }
        assert_eq!([first, read(rest).await.unwrap()].concat(), long_body());
        settle(&after).await;
    })
    .await;
}
