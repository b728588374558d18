//! Over scripted servers, with the clock paused.

use super::*;
use crate::prefill::tests::{Scene, local};
use diskstore::Pinned;
use testkit::packages::made;
use testkit::upstream::{Reply, Upstream};
use tokio::time::advance;

fn page(body: &'static str) -> Reply {
    Reply::new(200).header("cache-control", "public, max-age=5, stale-if-error=86400").body(body)
}

fn list(version: &str, paths: &[&str]) -> Reply {
    let paths = paths.iter().map(|path| (*path).to_owned()).collect();
    let bytes = package::Front { version: version.to_owned(), paths }.to_bytes();
    Reply::new(200).header("cache-control", "public, max-age=5").body(bytes)
}

/// A front over a parent with this script, and the servers.
fn over(parent: Vec<Reply>) -> (Front, Rc<[Rc<Upstream>]>) {
    let scene = Scene::new(made("a", 1, 1_000), parent, vec![]);
    (Front::new(Rc::new(scene.porter)), scene.servers)
}

#[tokio::test(start_paused = true)]
async fn what_the_list_names_is_here_and_stays_when_the_origin_is_gone() {
    local(async {
        let paths = ["/", "/catalogue/version.json"];
        let script = vec![list("1", &paths), page("home"), page("catalogue"), list("1", &paths)];
        let (mut front, servers) = over(script);
        assert!(front.round().await);
        assert_eq!(front.standing(), Standing { wanted: 2, held: 2 });
        assert_eq!(servers[0].count(), 3, "what has one form is fetched once");
        advance(LOOK_EVERY).await;
        assert!(front.round().await);
        assert_eq!(servers[0].count(), 4, "the list alone, for nothing has changed");
        for server in servers.iter() {
            server.go_down(std::io::ErrorKind::ConnectionRefused);
        }
        advance(AGAIN_AFTER * 20).await;
        assert!(!front.round().await);
        assert_eq!(front.standing(), Standing { wanted: 2, held: 2 });
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_changed_list_is_followed_and_what_left_it_is_let_go() {
    local(async {
        let first = [list("1", &["/", "/old.js"]), page("home"), page("old")];
        let second = [list("2", &["/", "/new.js"]), page("home"), page("new")];
        let (mut front, _) = over(first.into_iter().chain(second).collect());
        assert!(front.round().await && front.is_here("/old.js"));
        advance(LOOK_EVERY).await;
        assert!(front.round().await);
        assert_eq!(front.standing(), Standing { wanted: 2, held: 2 });
        assert!(front.is_here("/new.js") && !front.is_here("/old.js"));
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn what_an_order_took_away_comes_again() {
    local(async {
        let (mut front, servers) =
            over(vec![list("1", &["/"]), page("home"), list("1", &["/"]), page("again")]);
        assert!(front.round().await);
        let edge = front.porter.edge();
        front.keys("/").iter().for_each(|(_, key)| edge.remove(key));
        assert!(!front.is_here("/"));
        advance(LOOK_EVERY).await;
        assert!(front.round().await && front.is_here("/"));
        assert_eq!(servers[0].count(), 4);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn what_an_order_takes_away_while_it_is_brought_is_not_put_back() {
    local(async {
        let second = Duration::from_secs(1);
        let slow = Reply::new(200).header("cache-control", "max-age=5").header("content-length", "3");
        let slow = slow.data("o").pause(second).data("ld");
        // In the other form it is asked for after the order.
        let (mut front, servers) = over(vec![list("1", &["/"]), slow, page("new")]);
        let edge = front.porter.edge();
        let purge = async {
            tokio::time::sleep(second / 2).await;
            let primary = front_key(&edge);
            edge.flights.forget(&primary, || edge.remove(&primary));
        };
        let (all, ()) = tokio::join!(front.round(), purge);
        assert!(!all, "the first form is still due");
        let asked = question("a", "/", None).unwrap();
        let Found::Fresh(object) = look(&edge, &asked, &front_key(&edge), Instant::now()).found else {
            panic!("it is here")
        };
        assert_eq!((object.body.length(), servers[0].count()), (Some(3), 3));
        let Body::Complete(blocks) = &object.body else { panic!("all of it") };
        assert_eq!(blocks.blocks().concat(), b"new");
    })
    .await;
}

fn front_key(edge: &crate::edge::Edge) -> CacheKey {
    key_of(edge, &question("a", "/", None).unwrap())
}

#[tokio::test(start_paused = true)]
async fn what_an_order_takes_away_before_it_is_pinned_is_not_put_back() {
    local(async {
        let (mut front, _) = over(vec![list("1", &["/"]), page("home")]);
        assert!(front.round().await);
        let edge = front.porter.edge();
        let primary = front_key(&edge);
        let asked = question("a", "/", None).unwrap();
        let watch = front.porter.watch(|host| question(host, "/", None));
        let Found::Fresh(object) = look(&edge, &asked, &primary, Instant::now()).found else {
            panic!("it is here")
        };
        edge.flights.forget(&primary, || edge.remove(&primary));
        let kept = edge.keep_until(&primary, &primary, &object, until(edge.clock.now()), &watch).await;
        assert_eq!(kept, Pinned::NotThere);
        assert!(crate::fill::store_as(&edge, &asked, &primary, &object, &watch).is_none());
        assert!(!front.is_here("/") && edge.memory.get(&primary).is_none());
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn an_address_that_leads_nowhere_is_not_waited_for_and_an_upstream_without_a_list_is_as_any() {
    local(async {
        let nothing = || Reply::new(404).header("cache-control", "max-age=2").body("");
        let (mut front, _) = over(vec![list("1", &["/", "/gone"]), page("home"), nothing(), nothing()]);
        assert!(front.round().await);
        assert_eq!(front.standing(), Standing { wanted: 1, held: 1 });
        for strange in [nothing(), page("<html>"), list("1", &["/p/0123/main.m3u8"])] {
            let (mut front, servers) = over(vec![strange]);
            assert!(front.round().await);
            assert_eq!((front.standing(), servers[0].count()), (Standing::default(), 1));
        }
    })
    .await;
}

#[test]
fn pins_end_on_few_moments_and_never_early() {
    let at = |seconds| UNIX_EPOCH + Duration::from_secs(seconds);
    let ends: BTreeSet<_> = (0..24).map(|hour| until(at(1_000_000_800 + hour * 3_600))).collect();
    assert!(ends.len() <= 5, "{ends:?}");
    assert!((0..24).all(|hour| until(at(hour * 3_600)) >= at(hour * 3_600) + KEPT));
}
