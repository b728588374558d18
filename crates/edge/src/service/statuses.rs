//! What Cache-Status says of what the upstream has answered (RFC 9211 §2.3), through the whole edge.

use super::tests::*;
use testkit::upstream::Reply;

/// This node's words to the answer of a GET for `/x`, with its status.
async fn says(scene: &Scene, fields: &[(&str, &str)]) -> (u16, String) {
    let answer = scene.ask("/x", fields).await;
    let said = (answer.status().as_u16(), field(&answer, "cache-status").to_owned());
    read(answer.into_body()).await.unwrap();
    said
}

#[tokio::test(start_paused = true)]
async fn a_status_that_the_client_does_not_get_is_told() {
    local(async {
        let fields = |reply: Reply| reply.header("cache-control", "max-age=60").header("etag", "\"v1\"");
        let whole = || fields(Reply::new(200)).body("0123456789");
        let part = || fields(Reply::new(206)).header("content-range", "bytes 0-9/10").body("0123456789");
        for (reply, asked, status, said) in [
            (whole(), &[][..], 200, "fwd=uri-miss; stored; ttl=60"),
            (whole(), &[("if-none-match", "\"v1\"")], 304, "fwd=uri-miss; fwd-status=200; stored; ttl=60"),
            (whole(), &[("if-match", "\"v2\"")], 412, "fwd=uri-miss; fwd-status=200; stored; ttl=60"),
            (whole(), &[("range", "bytes=0-3")], 206, "fwd=uri-miss; fwd-status=200; stored; ttl=60"),
            (part(), &[("range", "bytes=0-3")], 206, "fwd=uri-miss; stored; ttl=60"),
            (
                part(),
                &[("range", "bytes=0-3"), ("if-range", "\"v2\"")],
                200,
                "fwd=uri-miss; fwd-status=206; stored; ttl=60",
            ),
        ] {
            let expected = (status, format!("airclass; {said}"));
            assert_eq!(says(&Scene::new([reply]), asked).await, expected, "{asked:?}");
        }
    })
    .await;
}

/// Nothing was said of what had brought the blocks that were missing.
#[tokio::test(start_paused = true)]
async fn what_has_brought_missing_blocks_is_told_where_the_client_gets_another_status() {
    local(async {
        let of = |status| Reply::new(status).header("cache-control", "max-age=60").header("etag", "\"v1\"");
        let rest =
            || of(206).header("content-range", "bytes 262144-999999/1000000").body(vec![b'x'; 737_856]);
        let whole = || of(200).body(vec![b'x'; 1_000_000]);
        let first = || first_block("max-age=60");
        let (beginning, end) = ("bytes=0-9", "bytes=300000-");
        for (held, brings, range, status, said) in [
            ((beginning, first()), rest(), end, 206, "fwd=partial; stored; ttl=60"),
            ((end, rest()), whole(), beginning, 206, "fwd=partial; fwd-status=200; stored; ttl=60"),
            ((end, rest()), first(), "items=0-1", 200, "fwd=partial; fwd-status=206; stored; ttl=60"),
            // Its head goes out before the upstream has answered.
            ((beginning, first()), rest(), "items=0-1", 200, "fwd=partial; stored; ttl=60"),
        ] {
            let scene = Scene::new([held.1, brings]);
            assert_eq!(says(&scene, &[("range", held.0)]).await.0, 206);
            let expected = (status, format!("airclass; {said}"));
            assert_eq!(says(&scene, &[("range", range)]).await, expected, "{range} beside {}", held.0);
        }
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn an_error_that_something_stale_stands_in_for_is_told() {
    // RFC 5861 §4
    local(async {
        let kept = Reply::new(200).header("cache-control", "max-age=1, stale-if-error=60").body("x");
        let scene = Scene::new([kept, Reply::new(500)]);
        scene.load("/x").await;
        tokio::time::sleep(3 * SECOND).await;
        let told = "airclass; fwd=stale; fwd-status=500; ttl=-2; detail=stale-on-error";
        assert_eq!(says(&scene, &[]).await, (200, told.to_owned()));
        // What has not answered has no status.
        scene.upstream.go_down(std::io::ErrorKind::ConnectionRefused);
        let told = "airclass; fwd=stale; ttl=-2; detail=stale-on-error";
        assert_eq!(says(&scene, &[]).await, (200, told.to_owned()));
    })
    .await;
}
