//! Sites of one node with rules of their own: two hosts through the whole edge, and the rules changed at work.

use super::tests::*;
use super::*;
use crate::edge::Settings;
use crate::options::{Config, Options};
use ::purge::{Mode, What};
use http::StatusCode;
use std::time::Duration;
use testkit::upstream::Reply;

const NODE: &str = "[cache]\nnegative_ttl = \"5s\"\nheuristic_ttl = \"1h\"\n";
const OPEN: &str = "[[group]]\nname = \"open\"\nhosts = [\"open\"]\ntiers = [[\"http://open\"]]\n";
const OWN: &str = "[[group]]\nname = \"own\"\nhosts = [\"own\"]\ntiers = [[\"http://own\"]]\n";

/// The configuration of two sites, of which the second has these keys of its own.
fn two_sites(own: &str) -> Options {
    settings::parse(&format!("{NODE}{OPEN}{OWN}{own}"), "edge.toml".as_ref()).unwrap()
}

/// Both sites, the one without rules of its own first.
const SITES: [&str; 2] = ["open", "own"];

impl Scene {
    fn of_two_sites(own: &str, replies: impl IntoIterator<Item = Reply>) -> Self {
        Self::over(two_sites(own), replies)
    }

    /// The same core after its configuration has changed at work.
    fn changed(self, own: &str) -> Self {
        let (config, groups) = (Arc::clone(&self.edge.config), Arc::clone(self.edge.upstream.groups()));
        let next = Config::resolve(&two_sites(own)).unwrap();
        let next = self.edge.succeeded_by(Settings { config, groups }.succeeded_by(next));
        Self { edge: Rc::new(next), ..self }
    }

    fn asked_of(&self, site: &str, method: &str, target: &str, fields: &[(&str, &str)]) -> Box<Asked> {
        Box::new(Asked { host: site.to_owned(), ..*self.asked(method, target, fields) })
    }

    async fn ask_of(&self, site: &str, target: &str, fields: &[(&str, &str)]) -> Answer {
        self.answer(self.asked_of(site, "GET", target, fields)).await
    }

    /// Has it stored for both, as far as it may be.
    async fn load_both(&self, target: &str) {
        for site in SITES {
            read(self.ask_of(site, target, &[]).await.into_body()).await.unwrap();
        }
    }

    /// Which site has it.
    async fn hits(&self, target: &str, fields: &[(&str, &str)]) -> [bool; 2] {
        let mut hits = [false; 2];
        for (site, hit) in SITES.into_iter().zip(&mut hits) {
            let answer = self.ask_of(site, target, fields).await;
            *hit = field(&answer, "cache-status").contains("; hit");
            read(answer.into_body()).await.unwrap();
        }
        hits
    }
}

/// Keys of one site; what both answer, to what; what is asked then, with which fields, after how many seconds; who has it.
type Case<'a> = (&'a str, fn() -> Reply, &'a str, &'a str, &'a [(&'a str, &'a str)], u64, [bool; 2]);

#[tokio::test(start_paused = true)]
async fn a_site_has_rules_of_its_own_and_the_other_those_of_the_node() {
    local(async {
        let missing = || Reply::new(404);
        let guessed = || Reply::new(200).header("last-modified", "Thu, 01 Jan 2026 00:00:00 GMT");
        let kept_404 = || Reply::new(404).header("cache-control", "max-age=100");
        let told = || Reply::new(200).header("cache-control", "no-store").header("own-control", "max-age=60");
        let cookie = || fresh().header("set-cookie", "theme=dark");
        let aged = || fresh().header("age", "x");
        let none: &[(&str, &str)] = &[];
        let reload: &[(&str, &str)] = &[("cache-control", "no-cache")];
        let table: &[Case] = &[
            ("negative_ttl = \"20s\"", missing, "/x", "/x", none, 10, [false, true]),
            ("negative_ttl = \"0s\"", missing, "/x", "/x", none, 1, [true, false]),
            ("error_ttl = \"10s\"", kept_404, "/x", "/x", none, 30, [true, false]),
            ("heuristic_ttl = \"0s\"", guessed, "/x", "/x", none, 1, [true, false]),
            ("control_fields = [\"own-control\"]", told, "/x", "/x", none, 1, [false, true]),
            ("set_cookie = \"store\"", cookie, "/x", "/x", none, 1, [false, true]),
            ("unreadable_age = \"stale\"", aged, "/x", "/x", none, 1, [true, false]),
            ("client_reload = \"honour\"", fresh, "/x", "/x", reload, 1, [true, false]),
            ("ignore_query = [\"t\"]", fresh, "/x", "/x?t=1", none, 1, [false, true]),
            // What a site says stands in place of what the node says, not beside it.
            ("ignore_query = [\"t\"]", fresh, "/x", "/x?utm_a=1", none, 1, [true, false]),
            ("sort_query = false", fresh, "/x?a=1&b=2", "/x?b=2&a=1", none, 1, [true, false]),
        ];
        for (own, reply, first, again, fields, later, hits) in table {
            let scene = Scene::of_two_sites(&format!("[group.cache]\n{own}"), (0..4).map(|_| reply()));
            scene.load_both(first).await;
            tokio::time::advance(Duration::from_secs(*later)).await;
            assert_eq!(scene.hits(again, fields).await, *hits, "{own}, {again}");
        }
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_site_says_how_long_what_is_stale_stands_in_for_its_servers() {
    local(async {
        let short = || Reply::new(200).header("cache-control", "max-age=1");
        let scene = Scene::of_two_sites(
            "stale_on_error = \"0s\"",
            [short(), short(), Reply::new(503), Reply::new(503)],
        );
        scene.load_both("/x").await;
        tokio::time::advance(SECOND * 10).await;
        let said = [scene.ask_of("open", "/x", &[]).await, scene.ask_of("own", "/x", &[]).await];
        assert_eq!(said.map(|answer| answer.status()), [StatusCode::OK, StatusCode::SERVICE_UNAVAILABLE]);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn an_error_of_one_request_says_nothing_in_the_fields_that_a_site_is_told_by() {
    local(async {
        let told =
            || Reply::new(200).header("own-control", "max-age=60").header("cache-control", "max-age=60");
        let replies = (0..2).map(|_| told().header("etag", "\"v1\"").body("x"));
        let scene = Scene::of_two_sites("[group.cache]\ncontrol_fields = [\"own-control\"]", replies);
        scene.load_both("/x").await;
        // To the other site it is a field as any.
        for (site, says) in SITES.into_iter().zip(["max-age=60", ""]) {
            let answer = scene.ask_of(site, "/x", &[("range", "bytes=5-")]).await;
            assert_eq!(
                (answer.status(), field(&answer, "own-control")),
                (StatusCode::RANGE_NOT_SATISFIABLE, says)
            );
        }
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn what_changes_a_url_is_read_by_the_rules_of_its_site() {
    local(async {
        let replies = || [fresh(), fresh(), Reply::new(204), Reply::new(204), fresh(), fresh()];
        let scene = Scene::of_two_sites("[group.cache]\nignore_query = [\"t\"]", replies());
        scene.load_both("/x").await;
        for site in SITES {
            change(Rc::clone(&scene.edge), scene.asked_of(site, "DELETE", "/x?t=1", &[]), None).await;
        }
        // For the one it is another URL, for the other the same.
        assert_eq!(scene.hits("/x", &[]).await, [true, false]);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn an_order_for_a_url_is_read_by_the_rules_of_its_site() {
    local(async {
        let scene = Scene::of_two_sites("[group.cache]\nignore_query = [\"t\"]", (0..4).map(|_| fresh()));
        scene.load_both("/x").await;
        for site in SITES {
            scene.purge(What::Url(format!("http://{site}/x?t=1").parse().unwrap()), Mode::Hard);
        }
        assert_eq!(scene.hits("/x", &[]).await, [true, false]);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn rules_of_a_site_change_at_work() {
    local(async {
        let missing = || (0..12).map(|_| Reply::new(404));
        let own = |ttl: &str| format!("[group.cache]\nnegative_ttl = \"{ttl}\"");
        let scene = Scene::of_two_sites(&own("20s"), missing());
        scene.load_both("/1").await;
        // What is kept is kept for as long as was said when it came.
        let scene = scene.changed("");
        scene.load_both("/2").await;
        tokio::time::advance(SECOND * 10).await;
        assert_eq!(scene.hits("/1", &[]).await, [false, true]);
        assert_eq!(scene.hits("/2", &[]).await, [false, false]);
        let scene = scene.changed(&own("30s"));
        scene.load_both("/3").await;
        tokio::time::advance(SECOND * 25).await;
        assert_eq!(scene.hits("/3", &[]).await, [false, true]);
    })
    .await;
}
