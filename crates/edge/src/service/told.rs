//! What players tell of themselves, through the whole edge.

use super::tests::*;
use super::*;

fn hit(answer: &Answer) -> bool {
    field(answer, "cache-status").contains("; hit")
}

#[tokio::test(start_paused = true)]
async fn what_players_tell_splits_nothing_and_stays_here() {
    // CTA-5004: fields and query of each request differ; attack 42.
    local(async {
        let scene = Scene::new([fresh().body("x")]);
        scene.load("/p/x/s0/00001.m4s").await;
        for (target, told) in [
            ("/p/x/s0/00001.m4s", &[("cmcd-session", "sid=\"a\"")][..]),
            ("/p/x/s0/00001.m4s", &[("cmcd-session", "sid=\"b\""), ("cmcd-request", "bl=(100;v)")]),
            ("/p/x/s0/00001.m4s?CMCD=bl%3D100", &[]),
        ] {
            assert!(hit(&scene.ask(target, told).await), "{target}");
        }
        let scene = Scene::new([fresh().body("x")]);
        scene.ask("/p/x/s0/00001.m4s?CMCD=sid%3D%22a%22", &[("cmcd-session", "sid=\"a\"")]).await;
        let asked = scene.upstream.questions();
        assert_eq!(asked[0].target, "/p/x/s0/00001.m4s");
        assert!(asked[0].headers.keys().all(|name| !name.as_str().starts_with("cmcd")));
    })
    .await;
}
