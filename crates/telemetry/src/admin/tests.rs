use super::*;
use crate::Check;
use http_body_util::BodyExt;
use tokio::io::AsyncWriteExt;

async fn ask(path: &str, telemetry: &Telemetry) -> (StatusCode, String) {
    let response = answer(&Method::GET, path, telemetry);
    let status = response.status();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    (status, String::from_utf8(body.to_vec()).unwrap())
}

#[tokio::test]
async fn readiness_says_why_not() {
    let telemetry = Telemetry::new("test");
    assert_eq!(ask("/readyz", &telemetry).await.0, StatusCode::SERVICE_UNAVAILABLE);
    telemetry.readiness.fail(Check::Upstream, "refused");
    let (status, body) = ask("/readyz", &telemetry).await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(body, "upstream: not ok: refused\n");
    assert_eq!(ask("/healthz", &telemetry).await.0, StatusCode::OK);
}

#[tokio::test]
async fn a_node_stands_aside_and_comes_back() {
    let telemetry = Telemetry::new("test");
    telemetry.readiness.pass(Check::Listening);
    assert_eq!(tell("/out-of-service", &telemetry).await.unwrap().status(), StatusCode::OK);
    let (status, body) = ask("/readyz", &telemetry).await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(body.contains("in_service: not ok"), "{body}");
    tell("/in-service", &telemetry).await.unwrap();
    assert_eq!(ask("/readyz", &telemetry).await.0, StatusCode::OK);
    assert_eq!(ask("/in-service", &telemetry).await.0, StatusCode::METHOD_NOT_ALLOWED);
    // It was answered with 200, and the process that took over served on.
    assert!(!telemetry.readiness.give_away());
    let refused = tell("/out-of-service", &telemetry).await.unwrap();
    assert_eq!(refused.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(refused.headers()[header::CONNECTION], "close");
    assert_eq!(ask("/readyz", &telemetry).await.0, StatusCode::OK);
}

/// Sixty-four who asked and read nothing held every place: no scraper, no order and no operator came in any more.
#[tokio::test(start_paused = true)]
async fn who_takes_nothing_of_an_answer_gives_its_place_back() {
    let telemetry = Telemetry::new("test");
    let (ours, mut theirs) = tokio::io::duplex(64);
    theirs.write_all(b"GET /metrics HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n").await.unwrap();
    let began = tokio::time::Instant::now();
    let ended = tokio::time::timeout(STALL * 2, connection(ours, &Hosts::default(), &telemetry)).await;
    assert!(ended.is_ok() && began.elapsed() >= STALL, "{:?}", began.elapsed());
}

#[tokio::test]
async fn an_order_is_answered_by_whoever_takes_it() {
    let telemetry = Telemetry::new("test");
    let told = tell("/reload", &telemetry).await.unwrap();
    assert_eq!(told.status(), StatusCode::CONFLICT, "nobody listens yet");
    let (told, _) = tokio::join!(
        async {
            // After the main loop has begun to listen.
            tokio::task::yield_now().await;
            tell("/reload", &telemetry).await.unwrap()
        },
        async {
            let told = telemetry.orders.next().await;
            assert_eq!(told.order, Order::Reload);
            told.answer.give(Err("CONFIG_VALUE: no".to_owned()));
        }
    );
    assert_eq!(told.status(), StatusCode::CONFLICT);
    assert!(tell("/metrics", &telemetry).await.is_none());
}

#[tokio::test]
async fn files_are_read_and_nothing_else() {
    let telemetry = Telemetry::new("test");
    telemetry.pages.file("/", "text/html; charset=utf-8", b"<p>");
    telemetry.pages.route("/status.json", || b"{}".to_vec());
    for (path, media_type, body) in
        [("/", "text/html; charset=utf-8", "<p>"), ("/status.json", "application/json", "{}")]
    {
        let response = answer(&Method::GET, path, &telemetry);
        assert_eq!(response.headers()[header::CONTENT_TYPE], media_type);
        let policy = response.headers()[header::CONTENT_SECURITY_POLICY].to_str().unwrap();
        assert!(policy.starts_with("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
        assert_eq!(ask(path, &telemetry).await, (StatusCode::OK, body.to_owned()));
        for method in [Method::POST, Method::PUT, Method::DELETE, Method::OPTIONS, Method::PATCH] {
            let response = answer(&method, path, &telemetry);
            assert_eq!(response.status(), StatusCode::METHOD_NOT_ALLOWED, "{method}");
            assert_eq!(response.headers()[header::ALLOW], "GET, HEAD");
        }
        assert!(tell(path, &telemetry).await.is_none());
    }
    assert_eq!(answer(&Method::GET, "/drain", &telemetry).headers()[header::ALLOW], "POST");
}

#[test]
fn an_order_of_a_page_is_told_from_a_programs() {
    for (fields, page) in [
        (&[][..], false),
        (&[("host", "a"), ("user-agent", "curl")], false),
        (&[("origin", "https://elsewhere.example")], true),
        (&[("origin", "null")], true),
        (&[("sec-fetch-site", "cross-site")], true),
    ] {
        let headers = fields
            .iter()
            .map(|&(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)));
        assert_eq!(comes_from_a_page(&headers.collect()), page, "{fields:?}");
    }
}

#[tokio::test]
async fn metrics_name_the_build() {
    let telemetry = Telemetry::new("test");
    let (status, body) = ask("/metrics", &telemetry).await;
    assert_eq!(status, StatusCode::OK);
    let build = format!("airclass_build_info{{service=\"test\",version=\"{}\"}} 1\n", settings::version());
    assert!(body.contains(&build), "{body}");
    assert!(body.contains("process_resident_memory_bytes"), "{body}");
    assert!(!body.contains("airclass_check{"), "none was made yet");
    telemetry.readiness.pass(Check::Listening);
    telemetry.readiness.fail(Check::Store, "gone");
    let body = ask("/metrics", &telemetry).await.1;
    for line in ["airclass_check{check=\"listening\"} 1\n", "airclass_check{check=\"store\"} 0\n"] {
        assert!(body.contains(line), "{line}: {body}");
    }
}

#[tokio::test]
async fn who_asks_by_a_name_that_is_not_ours_is_told_nothing() {
    let telemetry = Telemetry::new("test");
    telemetry.readiness.pass(Check::Listening);
    let hosts = Hosts::new(&["edge-1.example".to_owned()]).unwrap();
    let admin = Admin::start(([127, 0, 0, 1], 0).into(), hosts, telemetry.clone()).unwrap();
    let ask = async |method: &str, path: &str, host: &str| {
        let stream = tokio::net::TcpStream::connect(admin.address()).await.unwrap();
        let (mut sender, connection) =
            hyper::client::conn::http1::handshake::<_, Full<Bytes>>(TokioIo::new(stream)).await.unwrap();
        tokio::spawn(connection);
        let request = Request::builder().method(method).uri(path).header(header::HOST, host);
        let response = sender.send_request(request.body(Full::default()).unwrap()).await.unwrap();
        let status = response.status().as_u16();
        let body = response.into_body().collect().await.unwrap().to_bytes();
        (status, String::from_utf8(body.to_vec()).unwrap())
    };
    let address = admin.address().to_string();
    for host in [address.as_str(), "localhost", "edge-1.example"] {
        assert_eq!(ask("GET", "/readyz", host).await.0, 200, "{host}");
    }
    for (method, path) in [("GET", "/metrics"), ("GET", "/"), ("POST", "/out-of-service"), ("POST", "/drain")]
    {
        let (status, body) = ask(method, path, "rebound.example:9101").await;
        assert!(
            status == 421 && body.contains("`admin_hosts`") && !body.contains("rebound"),
            "{path}: {body}"
        );
    }
    assert!(telemetry.readiness.is_ready(), "no order was obeyed");
    admin.stop();
}

#[test]
fn a_socket_that_is_taken_over_is_kept_only_where_it_is_wanted() {
    let at = |address: &str| address.parse::<SocketAddr>().unwrap();
    let before = Admin::bind(at("127.0.0.1:0")).unwrap();
    let address = before.local_addr().unwrap();
    let adopt = |wanted| {
        let socket = Some(before.try_clone().unwrap().into());
        Admin::adopt(socket, wanted).unwrap().local_addr().unwrap()
    };
    assert_eq!([adopt(address), adopt(at("127.0.0.1:0"))], [address; 2]);
    assert_eq!(adopt(at("127.0.0.2:0")).ip(), at("127.0.0.2:0").ip());
    let other = Admin::bind(at("127.0.0.1:0")).unwrap();
    let taken = Admin::adopt(Some(before.into()), other.local_addr().unwrap()).unwrap_err();
    assert_eq!(taken.code(), "LISTEN_TAKEN", "another port is asked for, and not passed over");
}

#[test]
fn a_socket_that_is_taken_over_is_kept_where_it_is_in_the_way_of_the_one_that_is_wanted() {
    let at = |address: &str, port| SocketAddr::new(address.parse().unwrap(), port);
    for (before, wanted) in [("0.0.0.0", "127.0.0.1"), ("127.0.0.1", "0.0.0.0")] {
        let socket = Admin::bind(at(before, 0)).unwrap();
        let address = socket.local_addr().unwrap();
        let kept = Admin::adopt(Some(socket.into()), at(wanted, address.port())).unwrap();
        assert_eq!(kept.local_addr().unwrap(), address, "{before} {wanted}");
    }
}
