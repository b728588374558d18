//! Origins that send the whole to who asks for a part (RFC 9110 §14.2), and what that costs them (attack 53).

use super::parts::{BLOCK, asks, bytes_at, leak};
use super::tests::*;
use crate::store::BLOCK_SIZE;
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
        let other = tokio::task::spawn_local(async move { asks(&own, "bytes=3000000-3000009").await.2 });
        assert_eq!(asks(&scene, "bytes=0-0").await.0, 206);
        assert_eq!(other.await.unwrap(), Ok(bytes_at(3_000_000..3_000_010)));
        tokio::time::sleep(SECOND).await;
        let cost = fetched() - before;
        assert!((3_000_010..3_000_010 + BLOCK_SIZE / 2).contains(&cost), "{cost} bytes");
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
async fn what_is_no_longer_than_a_run_is_kept_when_a_byte_of_it_is_asked_for_again() {
    local(async {
        for (blocks, times) in [(2, 1), (3, 2), (16, 2)] {
            let scene = Scene::new([whole_of(blocks), whole_of(blocks)]);
            for time in 1..=times {
                let before = scene.edge.metrics.fill_bytes.get();
                asks(&scene, "bytes=0-0").await.2.unwrap();
                tokio::time::sleep(SECOND).await;
                let cost = scene.edge.metrics.fill_bytes.get() - before;
                assert!(time == 2 || cost <= 2 * BLOCK_SIZE, "{blocks} blocks: {cost} bytes");
            }
            assert!(field(&scene.ask("/x", &[]).await, "cache-status").starts_with("airclass; hit"));
            assert_eq!(scene.upstream.count(), times);
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
            // Who asks again has his part, and it is kept.
            assert_eq!(asks(&scene, range).await.0, 206);
            assert_eq!(scene.upstream.count(), 2);
        }
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn attack_53_the_middle_of_a_body_costs_an_origin_without_ranges_all_of_it_once() {
    local(async {
        let scene = Scene::new([whole_of(60), whole_of(60), whole_of(60), whole_of(60), whole_of(60)]);
        let range = "bytes=9000000-9000009";
        drop(scene.ask("/x", &[("range", range)]).await);
        for _ in 0..4 {
            tokio::time::sleep(SECOND).await;
            assert_eq!(asks(&scene, range).await.2, Ok(bytes_at(9_000_000..9_000_010)));
        }
        let cost = scene.edge.metrics.fill_bytes.get();
        assert!((60..=62).contains(&(cost / BLOCK_SIZE)), "{cost} bytes");
        assert_eq!(scene.upstream.count(), 2);
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
