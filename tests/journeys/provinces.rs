//! Two provinces' origins behind one edge: one dies, is marked, and nothing else notices.

use journeys::client::get;
use journeys::process::Signal;
use journeys::store::put;
use journeys::{Airclass, client};
use std::time::Duration;
use tokio::time::Instant;

/// The longest wait until a server that died is known to be down: two checks, and a slow machine.
const PATIENCE: Duration = Duration::from_secs(120);
/// Between two checks, and the longest that each may take: a living server may stand still for as long on a busy machine.
const CHECKED: &str = "5s";
/// Between two looks.
const PAUSE: Duration = Duration::from_millis(100);

async fn of(edge: &Airclass, province: &str, path: &str) -> client::Answer {
    let request = http::Request::get(path).header("host", format!("{province}.example"));
    let request = request.body(http_body_util::Empty::new()).expect("a request");
    let mut connection = client::connect(edge.address()).await;
    client::read(connection.send_request(request).await.expect("an answer")).await
}

async fn standing(edge: &Airclass) -> serde_json::Value {
    let answer = get(edge.address(), "/resources/health.json", &[]).await;
    assert_eq!((answer.status.as_u16(), answer.field("content-type")), (200, "application/json"));
    serde_json::from_slice(&answer.body).expect("JSON")
}

#[tokio::test]
async fn one_provinces_origin_dies_and_all_else_is_untouched() {
    let scratch = tempfile::tempdir().expect("a scratch folder");
    let mut origins = ["hubei", "henan"].map(|province| {
        let store = scratch.path().join(province);
        put(&store, "lessons/a/main.m3u8", province.as_bytes());
        put(&store, "lessons/b/main.m3u8", province.as_bytes());
        Airclass::origin(&store)
    });
    let group = |name: &str, origin: &Airclass| {
        format!(
            "[[group]]\nname = \"{name}\"\nhosts = [\"{name}.example\"]\ntiers = [[\"http://{}\"]]\n\
             health_path = \"/resources/index.json\"\nhealth_interval = \"{CHECKED}\"\n",
            origin.address()
        )
    };
    let config = scratch.path().join("edge.toml");
    std::fs::write(&config, group("hubei", &origins[0]) + &group("henan", &origins[1])).expect("a file");
    let edge = Airclass::start(&[
        "edge",
        "--config",
        config.to_str().expect("a plain name"),
        "--listen",
        "127.0.0.1:0",
    ]);
    for province in ["hubei", "henan"] {
        let answer = of(&edge, province, "/lessons/a/main.m3u8").await;
        assert_eq!((answer.status.as_u16(), &answer.body[..]), (200, province.as_bytes()));
    }
    assert_eq!(standing(&edge).await["groups"], serde_json::json!({ "hubei": "up", "henan": "up" }));

    origins[0].signal(Signal::KILL);
    origins[0].wait();
    let until = Instant::now() + PATIENCE;
    while standing(&edge).await["groups"]["hubei"] != "down" {
        assert!(Instant::now() < until, "nobody has noticed");
        tokio::time::sleep(PAUSE).await;
    }
    assert_eq!(standing(&edge).await["groups"]["henan"], "up");
    // What the edge holds of the dead one it goes on giving; the other province's is all there, also what was never asked for.
    assert_eq!(of(&edge, "hubei", "/lessons/a/main.m3u8").await.status.as_u16(), 200);
    assert_eq!(of(&edge, "hubei", "/lessons/b/main.m3u8").await.status.as_u16(), 504);
    for path in ["/lessons/a/main.m3u8", "/lessons/b/main.m3u8"] {
        assert_eq!(of(&edge, "henan", path).await.status.as_u16(), 200, "{path}");
    }
}
