//! The configuration changes under questions that go on.

use super::*;
use crate::edge::Settings;
use crate::upstream::parent::Parent;
use std::sync::Arc;

/// The scene's edge by another configuration.
fn changed(edge: &Edge, keys: &str) -> Edge {
    let (now, groups) = (Arc::clone(&edge.config), Arc::clone(edge.upstream.groups()));
    edge.succeeded_by(Settings { config: now, groups }.succeeded_by(config(keys)))
}

fn parent(edge: &Edge, name: &str) -> Arc<Parent> {
    let parents = &edge.upstream.groups().parents;
    Arc::clone(parents.iter().find(|parent| &*parent.name == name).unwrap())
}

#[tokio::test(start_paused = true)]
async fn servers_that_have_not_changed_are_the_same_with_all_that_is_known_and_connected() {
    local(async {
        let scene = Scene::pair(Vec::new(), Vec::new());
        let edge = &scene.edge;
        for (keys, a_stays, b_stays) in [
            ("tiers = [[\"http://a\", \"http://b\"]]", true, true),
            ("tiers = [[\"http://b\", \"http://a\"]]\nretry_percent = 50", true, true),
            ("tiers = [[\"http://b\"], [\"http://a\", \"http://c\"]]\nhosts = [\"h\"]", true, true),
            ("tiers = [[{ url = \"http://a\", weight = 2 }, \"http://b\"]]", false, true),
            ("tiers = [[{ url = \"http://a2\", name = \"a\" }, \"http://b\"]]", false, true),
            // Another judges them now.
            ("tiers = [[\"http://a\", \"http://b\"]]\nhealth_path = \"/\"", false, false),
        ] {
            let next = changed(edge, keys);
            for (name, stays) in [("a", a_stays), ("b", b_stays)] {
                let (old, new) = (parent(edge, name), parent(&next, name));
                assert_eq!(Arc::ptr_eq(&old, &new), stays, "{name} of {keys}");
                let pools = (edge.upstream.pool(&old), next.upstream.pool(&new));
                assert_eq!(Rc::ptr_eq(pools.0, pools.1), stays, "{name} of {keys}");
            }
        }
        // What has not changed at all is the same group, with its budget.
        let same = changed(edge, "tiers = [[\"http://a\", \"http://b\"]]");
        assert!(Arc::ptr_eq(&edge.upstream.groups().groups[0], &same.upstream.groups().groups[0]));
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn plans_come_from_where_they_came_from_until_a_restart() {
    local(async {
        let from = |plans: Option<&str>, keys| {
            let mut config = config(keys);
            plans.inspect(|url| config.upstream.plans_from(url).unwrap());
            config
        };
        for begun in [Some("http://plans"), None] {
            let scripts = || [vec![ok("a")], vec![ok("plans"), ok("plans")], Vec::new(), Vec::new()];
            let scene = Scene::by(from(begun, "tiers = [[\"http://a\"]]"), scripts());
            let mut edge = scene.edge.clone();
            let headers = HeaderMap::new();
            let target = Uri::from_static("/x");
            let question = Question::get("h", &target, &headers);
            for (written, keys) in [
                (Some("http://others"), "tiers = [[\"http://a\"]]"),
                (None, "tiers = [[\"http://a\"], [\"http://b\"]]"),
            ] {
                let (now, groups) = (Arc::clone(&edge.config), Arc::clone(edge.upstream.groups()));
                let next = Settings { config: now, groups }.succeeded_by(from(written, keys));
                edge = edge.succeeded_by(next);
                let answer = edge.upstream.exchange_for_plan(question).await;
                assert_eq!(answer.map(|_| ()).err(), begun.is_none().then_some(UpstreamError::UnknownHost));
            }
            assert_eq!(scene.servers[1].count(), begun.map_or(0, |_| 2));
            // What requests find is what was written.
            assert!(edge.upstream.exchange(question, RequestBody::Empty).await.is_ok());
            assert_eq!(scene.servers[0].count(), 1);
        }
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn what_goes_on_ends_as_it_began_and_what_comes_then_goes_the_new_way() {
    local(async {
        let slow = Reply::new(200).data("0").pause(SECOND).data("1");
        let scene = Scene::new("tiers = [[\"http://a\"]]", [vec![slow], vec![ok("b")]]);
        let (headers, target) = (HeaderMap::new(), Uri::from_static("/x"));
        let question = Question::get("h", &target, &headers);
        let going_on = scene.edge.upstream.exchange(question, RequestBody::Empty).await.unwrap();
        let next = changed(&scene.edge, "tiers = [[\"http://b\"]]");
        let answer = next.upstream.exchange(question, RequestBody::Empty).await.unwrap();
        assert_eq!(answer.into_body().collect().await.unwrap().to_bytes(), "b");
        assert_eq!(going_on.into_body().collect().await.unwrap().to_bytes(), "01");
        assert_eq!(scene.counts(), [1, 1]);
        // Whether a server is up that is no more, nobody is told.
        let families = scene.telemetry.registry.gather();
        let up = families.iter().find(|family| family.name() == "edge_parent_up").unwrap();
        assert_eq!(up.get_metric().len(), 1);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_server_that_has_moved_is_not_shown_down_by_what_its_old_address_still_owes() {
    local(async {
        let scene = Scene::new("tiers = [[\"http://a\"]]", [Vec::new(), vec![ok("moved")]]);
        scene.servers[0].fall_silent();
        let (headers, target) = (HeaderMap::new(), Uri::from_static("/x"));
        let question = Question::get("h", &target, &headers);
        let ask = || scene.edge.upstream.exchange(question, RequestBody::Empty);
        let owed = async { tokio::join!(ask(), ask(), ask()) };
        let next = async { changed(&scene.edge, "tiers = [[{ url = \"http://a2\", name = \"a\" }]]") };
        let (owed, next) = tokio::join!(owed, next);
        assert!(owed.0.is_err() && owed.1.is_err() && owed.2.is_err());
        assert_eq!(scene.metric("edge_parent_requests_total", &["a", "unreached"]), 3.0);
        assert_eq!(scene.metric("edge_parent_up", &["a"]), 1.0);
        assert!(next.upstream.exchange(question, RequestBody::Empty).await.is_ok());
    })
    .await;
}
