//! Origins that send the whole to who asks for a part (RFC 9110 §14.2), and what that costs them (attack 53).

use super::parts::{BLOCK, asks, bytes_at, leak};
use super::tests::*;
use crate::store::BLOCK_SIZE;
use http::StatusCode;
use http_body_util::BodyExt;
use std::rc::Rc;
use testkit::upstream::Reply;

/// The whole of `blocks` blocks, one each 10 ms, whatever part was asked for.
fn whole_of(blocks: usize) -> Reply {
    let head = fresh().header("content-length", leak((blocks * BLOCK).to_string()));
    (0..blocks).fold(head, |reply, at| reply.data(bytes_at(at * BLOCK..(at + 1) * BLOCK)).pause(SECOND / 100))
}

#[tokio::test(start_paused = true)]
async fn attack_53_an_origin_that_knows_no_ranges_sends_no_more_than_is_read() {
    local(async {
        let scene = Rc::new(Scene::new([whole_of(60), whole_of(60), whole_of(60), whole_of(60)]));
        let fetched = || scene.edge.metrics.fill_bytes.get();
        for (range, end) in [("bytes=0-0", 1), ("bytes=200000-200009", 200_010)] {
            let before = fetched();
            assert_eq!(asks(&scene, range).await.0, 206);
            tokio::time::sleep(SECOND).await;
            let cost = fetched() - before;
            assert!((end..=end + BLOCK_SIZE / 2).contains(&cost), "{range}: {cost} bytes");
        }
        // Of two who want other parts of it at once each gets what it wants, and no more comes.
        let before = fetched();
        let own = Rc::clone(&scene);
        let other = tokio::task::spawn_local(async move { asks(&own, "bytes=400000-400009").await.2 });
        assert_eq!(asks(&scene, "bytes=0-0").await.0, 206);
        assert_eq!(other.await.unwrap(), Ok(bytes_at(400_000..400_010)));
        tokio::time::sleep(SECOND).await;
        let cost = fetched() - before;
        assert!((400_010..400_010 + BLOCK_SIZE / 2).contains(&cost), "{cost} bytes");
        assert_eq!(scene.upstream.count(), 3);
        // Who wants the whole has it beside them, and it is kept.
        let own = Rc::clone(&scene);
        let whole = tokio::task::spawn_local(async move { read(own.ask("/x", &[]).await.into_body()).await });
        assert_eq!(asks(&scene, "bytes=5-5").await.0, 206);
        assert_eq!(whole.await.unwrap().map(|body| body.len()), Ok(60 * BLOCK));
        assert_eq!(asks(&scene, "bytes=5-5").await.0, 206);
        assert_eq!(scene.upstream.count(), 4);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn attack_53_who_reads_a_byte_has_its_turn_before_more_is_read() {
    local(async {
        let head = fresh().header("content-length", leak((60 * BLOCK).to_string()));
        let at_once = (0..60 * 8).fold(head, |reply, _| reply.data(vec![0; BLOCK / 8]));
        let scene = Scene::new([at_once]);
        assert_eq!(asks(&scene, "bytes=0-0").await.0, 206);
        tokio::time::sleep(SECOND).await;
        let fetched = scene.edge.metrics.fill_bytes.get();
        assert!(fetched <= 2 * BLOCK_SIZE, "{} kB", fetched / 1_024);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn attack_53_a_crowd_that_wants_a_byte_each_has_no_more_sent_than_one() {
    local(async {
        let scene = Rc::new(Scene::new([whole_of(60)]));
        let ask = || {
            let scene = Rc::clone(&scene);
            // An answer that is held and not read is as good as read.
            tokio::task::spawn_local(async move { scene.ask("/x", &[("range", "bytes=0-0")]).await })
        };
        let crowd: Vec<_> = (0..100).map(|_| ask()).collect();
        let mut answers = Vec::new();
        for answer in crowd {
            answers.push(answer.await.unwrap());
        }
        tokio::time::sleep(SECOND).await;
        let fetched = scene.edge.metrics.fill_bytes.get();
        assert!((1..=BLOCK_SIZE / 2).contains(&fetched), "{fetched} bytes");
        assert_eq!(scene.upstream.count(), 1);
        for answer in answers {
            assert_eq!(read(answer.into_body()).await, Ok(bytes_at(0..1)));
        }
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn attack_53_no_number_of_questions_costs_more_than_two_blocks_each() {
    local(async {
        let (near, middle, last) = ("bytes=0-0", "bytes=600000-600009", "bytes=-1");
        // How long it is, what is asked for by turns, and when all of it is there.
        for (blocks, ranges, kept_after) in [
            (2, &[near][..], Some(2)),
            (3, &[near], Some(4)),
            (4, &[near, middle], Some(4)),
            (12, &[near], None),
            (12, &["bytes=500000-500009"], None),
            (12, &[middle], None),
            (12, &[last], None),
            (12, &[middle, last], None),
            (12, &[near, near, near, middle], None),
        ] {
            let most = kept_after.unwrap_or(16);
            let scene = Scene::new(std::iter::repeat_with(|| whole_of(blocks)).take(most));
            let mut taken = 0;
            for range in ranges.iter().cycle().take(most) {
                let answer = scene.ask("/x", &[("range", range)]).await;
                // Who is given all of it, as by the origin, leaves.
                match answer.status() {
                    StatusCode::PARTIAL_CONTENT => {
                        taken += read(answer.into_body()).await.unwrap().len() as u64;
                    }
                    _ => drop(answer),
                }
                tokio::time::sleep(SECOND).await;
            }
            let (cost, what) =
                (scene.edge.metrics.fill_bytes.get() - taken, format!("{ranges:?} of {blocks}"));
            assert!(cost <= 2 * most as u64 * BLOCK_SIZE, "{what}: {cost} bytes");
            assert_eq!(scene.upstream.count(), most, "{what}");
            if kept_after.is_some() {
                let answer = scene.ask("/x", &[]).await;
                assert!(field(&answer, "cache-status").starts_with("airclass; hit"), "{what}");
            }
        }
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn attack_53_a_byte_far_into_a_cold_body_is_had_as_its_origin_has_it() {
    local(async {
        for range in ["bytes=-1", "bytes=9000000-9000009"] {
            let scene = Scene::new([whole_of(60), whole_of(60)]);
            let answer = scene.ask("/x", &[("range", range)]).await;
            assert_eq!((answer.status().as_u16(), field(&answer, "content-range")), (200, ""), "{range}");
            drop(answer);
            tokio::time::sleep(SECOND).await;
            let cost = scene.edge.metrics.fill_bytes.get();
            assert!(cost <= 2 * BLOCK_SIZE, "{range}: {cost} bytes");
            // Who takes it has had it kept.
            assert_eq!(asks(&scene, range).await.0, 200);
            assert_eq!((asks(&scene, range).await.0, scene.upstream.count()), (206, 2), "{range}");
        }
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn attack_53_who_is_given_the_whole_for_a_byte_sets_the_pace_at_which_it_comes() {
    local(async {
        let scene = Rc::new(Scene::new([whole_of(60)]));
        let fetched = || scene.edge.metrics.fill_bytes.get() / BLOCK_SIZE;
        let idle = scene.ask("/x", &[("range", "bytes=-1")]).await;
        tokio::time::sleep(SECOND).await;
        assert!(fetched() <= 2, "{} blocks", fetched());
        // Who comes beside it waits for it no longer than it reads itself.
        let mut reading = scene.ask("/x", &[]).await.into_body();
        for taken in 1..=5 {
            while fetched() < taken {
                assert!(reading.frame().await.unwrap().is_ok());
            }
            tokio::time::sleep(SECOND).await;
            assert!(fetched() <= taken + 2, "{} blocks for {taken}", fetched());
        }
        // The idle one has had its own.
        drop(reading);
        tokio::time::sleep(SECOND).await;
        assert!(fetched() <= 8, "{} blocks", fetched());
        assert_eq!(read(idle.into_body()).await.map(|body| body.len()), Ok(60 * BLOCK));
        assert_eq!((asks(&scene, "bytes=-1").await.0, scene.upstream.count()), (206, 1));
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn attack_53_who_is_given_the_whole_for_a_byte_and_leaves_has_no_more_of_it_sent() {
    local(async {
        let scene = Rc::new(Scene::new([whole_of(60)]));
        let idle = scene.ask("/x", &[("range", "bytes=-1")]).await;
        tokio::time::sleep(SECOND).await;
        drop(idle);
        tokio::time::sleep(SECOND).await;
        assert!(scene.edge.metrics.fill_bytes.get() <= 2 * BLOCK_SIZE);
        assert_eq!(scene.edge.metrics.fills_in_flight.get(), 0);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn attack_63_a_part_of_something_long_counts_against_memory_as_what_comes_for_it() {
    local(async {
        let scene = Rc::new(Scene::new([whole_of(60)]));
        let promised = || scene.edge.overload.promised() / BLOCK_SIZE;
        let part = scene.ask("/x", &[("range", "bytes=200000-600000")]).await;
        assert_eq!(part.status().as_u16(), 206);
        assert!(promised() <= 2, "{} blocks", promised());
        // Others want all of it.
        let whole = scene.start("/x");
        tokio::time::sleep(SECOND / 20).await;
        assert!((50..60).contains(&promised()), "{} blocks", promised());
        assert_eq!(whole.await.unwrap().1.map(|body| body.len()), Ok(60 * BLOCK));
        tokio::time::sleep(SECOND).await;
        assert_eq!(scene.edge.overload.promised(), 0);
        drop(part);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_client_that_leaves_ends_no_fill_of_the_whole_however_it_has_asked_for_that() {
    local(async {
        for range in ["bytes=0-", "bytes=0-9,9000000-9000009", "items=1-2"] {
            let scene = Scene::new([whole_of(60)]);
            drop(scene.ask("/x", &[("range", range)]).await);
            tokio::time::sleep(SECOND).await;
            let answer = scene.ask("/x", &[]).await;
            assert!(field(&answer, "cache-status").starts_with("airclass; hit"), "{range}");
        }
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn attack_63_what_nobody_keeps_or_states_counts_against_memory_while_it_comes() {
    local(async {
        let halves = |head: Reply| head.data(vec![7; 2 * BLOCK]).pause(SECOND).data(vec![7; 2 * BLOCK]);
        let stated = |head: Reply| halves(head.header("content-length", (4 * BLOCK).to_string()));
        let unstated = fresh().data(vec![7; 9]).pause(SECOND).data(vec![7; 4 * BLOCK - 9]);
        let replies = [stated(Reply::new(500)), stated(fresh()), unstated];
        let scene = Rc::new(Scene::new(replies));
        let promised = || scene.edge.overload.promised() / BLOCK_SIZE;
        // An error that is handed to who waits, what is kept, and what is as long as that for all that is known.
        for (path, at_least) in [("/failed", 2), ("/kept", 2), ("/unstated", 0)] {
            let client = scene.start(path);
            tokio::time::sleep(SECOND / 2).await;
            assert!(promised() >= at_least && scene.edge.overload.promised() > 0, "{path}: {}", promised());
            assert_eq!(client.await.unwrap().1.map(|body| body.len()), Ok(4 * BLOCK), "{path}");
            tokio::time::sleep(SECOND).await;
            assert_eq!(scene.edge.overload.promised(), 0, "{path}");
        }
    })
    .await;
}
