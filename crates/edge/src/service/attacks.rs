//! Ranges that are meant to hurt: attacks 55 to 57 through the whole edge.

use super::parts::{asked_ranges, asks, bytes_at};
use super::tests::*;
use bytes::Bytes;
use testkit::upstream::Reply;

#[tokio::test(start_paused = true)]
async fn attack_55_ranges_in_reverse_are_one_part_or_the_whole() {
    local(async {
        let scene = Scene::new([fresh().body(bytes_at(0..1_000))]);
        for (range, status, length) in [
            ("bytes=900-909,0-9", 200, 1_000),
            ("bytes=20-29,10-19,0-9", 206, 30),
            ("bytes=999-999,998-998,997-997", 206, 3),
        ] {
            let (said, _, body) = asks(&scene, range).await;
            assert_eq!((said, body.map(|body| body.len())), (status, Ok(length)), "{range}");
        }
        // Cold, they are a question for the whole: once.
        assert_eq!(asked_ranges(&scene), [""]);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn attack_56_a_range_beyond_all_numbers() {
    local(async {
        let scene = Scene::new([fresh().body(bytes_at(0..1_000))]);
        scene.load("/x").await;
        for range in [
            "bytes=18446744073709551615-",
            "bytes=18446744073709551615-18446744073709551615",
            "bytes=18446744073709551616-",
            "bytes=99999999999999999999999999999999-",
        ] {
            let (said, says, _) = asks(&scene, range).await;
            assert_eq!((said, says.as_str()), (416, "bytes */1000"), "{range}");
        }
        for range in
            ["bytes=-18446744073709551615", "bytes=-18446744073709551616", "bytes=0-18446744073709551616"]
        {
            assert_eq!(asks(&scene, range).await.2, Ok(bytes_at(0..1_000)), "{range}");
        }
        assert_eq!(scene.upstream.count(), 1);
        // Cold, the origin says so.
        let refusal = Reply::new(416).header("content-range", "bytes */1000");
        let scene = Scene::new([refusal]);
        assert_eq!(asks(&scene, "bytes=18446744073709551615-").await.0, 416);
        assert_eq!(scene.upstream.count(), 1);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn attack_57_the_last_nothing_of_it() {
    local(async {
        let scene = Scene::new([fresh().body(bytes_at(0..1_000)), fresh().body("")]);
        scene.load("/x").await;
        for range in ["bytes=-0", "bytes=-00", "bytes=-0,-0"] {
            let (said, says, body) = asks(&scene, range).await;
            assert_eq!((said, says.as_str(), body), (416, "bytes */1000", Ok(Bytes::new())), "{range}");
        }
        // Of nothing, there is no last byte.
        let empty = scene.ask("/empty", &[("range", "bytes=-0")]).await;
        assert!(matches!(empty.status().as_u16(), 200 | 416), "{empty:?}", empty = empty.status());
        assert_eq!(scene.upstream.count(), 2);
    })
    .await;
}
