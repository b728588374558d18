use super::*;
use http_body_util::BodyExt;

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
    assert!(body.contains("airclass_build_info{service=\"test\""), "{body}");
    assert!(body.contains("process_resident_memory_bytes"), "{body}");
}
