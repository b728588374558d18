//! The whole origin over real connections, on a store in a temporary folder.

mod pages;
mod troubles;

use crate::{Options, Started, start};
use bytes::Bytes;
use http::header::{self, HeaderMap, HeaderName};
use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Empty};
use hyper_util::rt::TokioIo;
use std::collections::BTreeMap;
use std::fs;
use std::io::Read;
use std::net::SocketAddr;
use std::path::PathBuf;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const PACKAGE: &str = "0123456789abcdef0123456789abcdef01234567";

/// An origin at work, with a lesson in its store.
struct Site {
    started: Started,
    folder: TempDir,
    runtime: tokio::runtime::Runtime,
}

impl Site {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("store");
        for (path, bytes) in lesson() {
            let file = root.join(path);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, bytes).unwrap();
        }
        let started = start(&options(root.to_str().unwrap())).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        Self { started, folder, runtime }
    }

    fn store(&self) -> PathBuf {
        self.folder.path().join("store")
    }

    fn address(&self) -> SocketAddr {
        self.started.running.addresses()[0]
    }

    fn ask(&self, method: Method, path: &str, fields: &[(&str, &str)]) -> Response<Bytes> {
        self.runtime.block_on(ask(self.address(), method, path, fields)).unwrap()
    }

    fn get(&self, path: &str, fields: &[(&str, &str)]) -> Response<Bytes> {
        self.ask(Method::GET, path, fields)
    }

    /// Sends bytes that no client library would, and gives what comes back.
    fn raw(&self, request: &str) -> String {
        self.runtime.block_on(async {
            let mut stream = TcpStream::connect(self.address()).await.unwrap();
            stream.write_all(request.as_bytes()).await.unwrap();
            let mut answer = Vec::new();
            // A connection that is cut is an answer as well.
            let _ = stream.read_to_end(&mut answer).await;
            String::from_utf8_lossy(&answer).into_owned()
        })
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        self.started.running.drain();
    }
}

fn options(store: &str) -> Options {
    let free: SocketAddr = "127.0.0.1:0".parse().unwrap();
    let serve = serve::Options {
        // The test reads and writes more than an origin.
        no_sandbox: Some(true),
        listen: Some(vec![free]),
        admin: Some(free),
        cores: Some(1),
        ..serve::Options::default()
    };
    Options { store: Some(store.to_owned()), serve, ..Options::default() }
}

/// What lies in the store.
fn lesson() -> BTreeMap<String, Vec<u8>> {
    let mut objects = BTreeMap::new();
    let mut put = |path: String, bytes: Vec<u8>| objects.insert(path, bytes);
    put(format!("p/{PACKAGE}/main.m3u8"), playlist());
    put(format!("p/{PACKAGE}/s2/index.m3u8"), playlist());
    put(format!("p/{PACKAGE}/s2/init.mp4"), segment(900));
    put(format!("p/{PACKAGE}/s2/00000.m4s"), segment(1_100_000));
    put(format!("p/{PACKAGE}/manifest.json"), b"{}\n".to_vec());
    put("lessons/maths/main.m3u8".into(), playlist());
    put("lessons/maths/lesson.json".into(), b"{\"title\":\"\"}\n".to_vec());
    put("catalogue/version.json".into(), b"{\"version\":1,\"shards\":[]}\n".to_vec());
    put("catalogue/primary-3-0a1b2c3d.json".into(), "[{\"title\":\"数学\"}]\n".repeat(100).into_bytes());
    put("ingests/0123.json".into(), b"{\"package\":\"secret\"}\n".to_vec());
    put(".airclass-swap.lock".into(), Vec::new());
    put("lessons/maths/main.m3u8#1".into(), b"half".to_vec());
    objects
}

fn playlist() -> Vec<u8> {
    let uris = (0..250).map(|number| format!("{number:05}.m4s\n"));
    uris.map(|uri| format!("#EXTINF:4.800,\n{uri}")).collect::<String>().into_bytes()
}

fn segment(length: usize) -> Vec<u8> {
    (0..length).map(|n| (n * 31 % 251) as u8).collect()
}

async fn ask(
    address: SocketAddr,
    method: Method,
    path: &str,
    fields: &[(&str, &str)],
) -> Result<Response<Bytes>, hyper::Error> {
    let stream = TcpStream::connect(address).await.unwrap();
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    let connection = tokio::spawn(connection);
    let mut request = Request::builder().method(method).uri(path).header(header::HOST, "localhost");
    for (name, value) in fields {
        request = request.header(*name, *value);
    }
    let response = sender.send_request(request.body(Empty::<Bytes>::new()).unwrap()).await?;
    let (head, body) = response.into_parts();
    let body = body.collect().await?.to_bytes();
    connection.abort();
    Ok(Response::from_parts(head, body))
}

fn field(headers: &HeaderMap, name: HeaderName) -> &str {
    headers.get(name).map_or("", |value| value.to_str().unwrap())
}

fn gunzipped(bytes: &[u8]) -> Vec<u8> {
    let mut plain = Vec::new();
    flate2::read::GzDecoder::new(bytes).read_to_end(&mut plain).unwrap();
    plain
}

const FOR_EVER: &str = "public, max-age=31536000, immutable";
const BRIEFLY: &str = "public, max-age=5, stale-while-revalidate=30, stale-if-error=86400";

#[test]
fn every_class_has_its_headers() {
    let site = Site::new();
    let package = |object: &str| format!("/p/{PACKAGE}/{object}");
    let (playlist, json) = ("application/vnd.apple.mpegurl", "application/json");
    for (path, media_type, caching, vary) in [
        (package("main.m3u8"), playlist, FOR_EVER, "Accept-Encoding"),
        (package("manifest.json"), json, FOR_EVER, ""),
        (package("s2/init.mp4"), "video/mp4", FOR_EVER, ""),
        (package("s2/00000.m4s"), "video/iso.segment", FOR_EVER, ""),
        ("/lessons/maths/main.m3u8".into(), playlist, BRIEFLY, "Accept-Encoding"),
        ("/lessons/maths/lesson.json".into(), json, BRIEFLY, ""),
        ("/catalogue/version.json".into(), json, BRIEFLY, ""),
        ("/catalogue/primary-3-0a1b2c3d.json".into(), json, FOR_EVER, "Accept-Encoding"),
        (
            "/".into(),
            "text/html; charset=utf-8",
            "public, max-age=5, stale-if-error=86400",
            "Accept-Encoding",
        ),
    ] {
        let response = site.get(&path, &[]);
        let headers = response.headers();
        assert_eq!(response.status(), StatusCode::OK, "{path}");
        assert_eq!(field(headers, header::CONTENT_TYPE), media_type, "{path}");
        assert_eq!(field(headers, header::CACHE_CONTROL), caching, "{path}");
        assert_eq!(field(headers, header::VARY), vary, "{path}");
        assert_eq!(field(headers, header::ACCEPT_RANGES), "bytes", "{path}");
        assert_eq!(field(headers, header::X_CONTENT_TYPE_OPTIONS), "nosniff", "{path}");
        assert_eq!(field(headers, header::ACCESS_CONTROL_ALLOW_ORIGIN), "*", "{path}");
        assert_eq!(field(headers, header::CONTENT_LENGTH), response.body().len().to_string(), "{path}");
        let etag = field(headers, header::ETAG);
        assert!(etag.starts_with('"') && etag.len() > 10, "{path}: {etag}");
        assert_eq!(headers.contains_key(header::LAST_MODIFIED), path != "/", "{path}");
        assert!(headers.contains_key(header::DATE), "{path}");
        if path != "/" {
            let stored = fs::read(site.store().join(&path[1..])).unwrap();
            assert_eq!(response.body(), &stored, "{path}");
        }
    }
}

#[test]
fn the_players_files_are_served_for_ever() {
    let site = Site::new();
    // All but the service worker, whose address stays and whose bytes change.
    let hashed = |path: &String| path.ends_with(".js") && !path.ends_with("/worker.js");
    let paths: Vec<_> = player::asset_paths().filter(hashed).collect();
    assert!(!paths.is_empty());
    let worker = site.get("/worker.js", &[]);
    assert_eq!(worker.status(), StatusCode::OK);
    assert_ne!(field(worker.headers(), header::CACHE_CONTROL), FOR_EVER);
    for path in paths {
        let plain = site.get(&path, &[]);
        assert_eq!(plain.status(), StatusCode::OK, "{path}");
        assert_eq!(field(plain.headers(), header::CACHE_CONTROL), FOR_EVER, "{path}");
        let gzip = site.get(&path, &[("accept-encoding", "gzip, br")]);
        if player::asset(&path).unwrap().gzip.is_none() {
            assert_eq!(gzip.body(), plain.body(), "{path}");
            continue;
        }
        assert_eq!(field(gzip.headers(), header::CONTENT_ENCODING), "gzip", "{path}");
        assert_eq!(&gunzipped(gzip.body()), plain.body(), "{path}");
        assert_ne!(gzip.headers()[header::ETAG], plain.headers()[header::ETAG], "{path}");
    }
    assert_eq!(site.get("/assets/none-00000000.js", &[]).status(), StatusCode::NOT_FOUND);
}

#[test]
fn head_says_what_get_says() {
    let site = Site::new();
    for path in [
        "/",
        "/lessons/maths/main.m3u8",
        "/lessons/none/main.m3u8",
        "/p//x",
        &format!("/p/{PACKAGE}/s2/00000.m4s"),
    ] {
        for fields in [&[][..], &[("accept-encoding", "gzip")], &[("accept", "text/html")]] {
            let (get, head) = (site.get(path, fields), site.ask(Method::HEAD, path, fields));
            assert_eq!(get.status(), head.status(), "{path}");
            assert!(head.body().is_empty() && !get.body().is_empty(), "{path}");
            let without_date = |response: &Response<Bytes>| {
                let mut headers = response.headers().clone();
                headers.remove(header::DATE);
                headers
            };
            assert_eq!(without_date(&get), without_date(&head), "{path}");
        }
    }
    // Only GET knows ranges (RFC 9110 §14.2).
    let path = format!("/p/{PACKAGE}/s2/00000.m4s");
    assert_eq!(site.ask(Method::HEAD, &path, &[("range", "bytes=0-9")]).status(), StatusCode::OK);
}

#[test]
fn what_the_client_has_is_not_sent_again() {
    let site = Site::new();
    for path in ["/", "/lessons/maths/main.m3u8", &format!("/p/{PACKAGE}/s2/00000.m4s")] {
        for coding in ["identity", "gzip"] {
            let first = site.get(path, &[("accept-encoding", coding)]);
            let etag = field(first.headers(), header::ETAG);
            let weak = format!("\"other\", W/{etag}");
            for condition in [etag, &weak, "*"] {
                let again = site.get(path, &[("accept-encoding", coding), ("if-none-match", condition)]);
                assert_eq!(again.status(), StatusCode::NOT_MODIFIED, "{path} {condition}");
                assert!(again.body().is_empty());
                // RFC 9110 §15.4.5
                for name in
                    [header::ETAG, header::CACHE_CONTROL, header::VARY, header::ACCESS_CONTROL_ALLOW_ORIGIN]
                {
                    assert_eq!(again.headers().get(&name), first.headers().get(&name), "{path} {name}");
                }
                for name in [header::CONTENT_ENCODING, header::CONTENT_LENGTH, header::CONTENT_TYPE] {
                    assert!(!again.headers().contains_key(&name), "{path} {name}");
                }
            }
            let other = site.get(path, &[("accept-encoding", coding), ("if-none-match", "\"other\"")]);
            assert_eq!(other.status(), StatusCode::OK);
        }
    }
    let path = "/lessons/maths/main.m3u8";
    let first = site.get(path, &[]);
    let modified = field(first.headers(), header::LAST_MODIFIED);
    assert_eq!(site.get(path, &[("if-modified-since", modified)]).status(), StatusCode::NOT_MODIFIED);
    let long_ago = "Sun, 06 Nov 1994 08:49:37 GMT";
    assert_eq!(site.get(path, &[("if-modified-since", long_ago)]).status(), StatusCode::OK);
    assert_eq!(
        site.get(path, &[("if-unmodified-since", long_ago)]).status(),
        StatusCode::PRECONDITION_FAILED
    );
    assert_eq!(site.get(path, &[("if-match", "\"other\"")]).status(), StatusCode::PRECONDITION_FAILED);
    assert_eq!(site.get(path, &[("if-match", "*")]).status(), StatusCode::OK);
}

#[test]
fn a_part_is_a_part_of_the_same_bytes() {
    let site = Site::new();
    let path = format!("/p/{PACKAGE}/s2/00000.m4s");
    let whole = site.get(&path, &[]);
    let (etag, modified) =
        (field(whole.headers(), header::ETAG), field(whole.headers(), header::LAST_MODIFIED));
    let length = whole.body().len();
    for (range, part) in [
        ("bytes=0-0", 0..1),
        ("bytes=262140-262150", 262_140..262_151),
        ("bytes=100000-", 100_000..length),
        ("bytes=-7", length - 7..length),
        ("bytes=5-99999999", 5..length),
        ("bytes=0-9,10-19", 0..20),
    ] {
        let response = site.get(&path, &[("range", range)]);
        assert_eq!(response.status(), StatusCode::PARTIAL_CONTENT, "{range}");
        assert_eq!(response.body(), &whole.body()[part.clone()], "{range}");
        let content_range = format!("bytes {}-{}/{length}", part.start, part.end - 1);
        assert_eq!(field(response.headers(), header::CONTENT_RANGE), content_range);
        assert_eq!(field(response.headers(), header::CONTENT_LENGTH), part.len().to_string());
        assert_eq!(field(response.headers(), header::ETAG), etag);
        assert_eq!(field(response.headers(), header::CACHE_CONTROL), FOR_EVER);
    }
    for (range, if_range, status) in [
        ("bytes=0-9", etag, StatusCode::PARTIAL_CONTENT),
        ("bytes=0-9", "\"other\"", StatusCode::OK),
        ("bytes=0-9", &format!("W/{etag}"), StatusCode::OK),
        ("bytes=0-9", "Sun, 06 Nov 1994 08:49:37 GMT", StatusCode::OK),
        ("bytes=9-0", etag, StatusCode::OK),
        ("bytes=0-9,5000-5009", etag, StatusCode::OK),
        ("lines=0-9", etag, StatusCode::OK),
        ("bytes=99999999-", etag, StatusCode::RANGE_NOT_SATISFIABLE),
    ] {
        let response = site.get(&path, &[("range", range), ("if-range", if_range)]);
        assert_eq!(response.status(), status, "{range} {if_range} ({modified})");
        if status == StatusCode::RANGE_NOT_SATISFIABLE {
            assert_eq!(field(response.headers(), header::CONTENT_RANGE), format!("bytes */{length}"));
        }
    }
    // "You have it" comes before the range (RFC 9110 §13.2.2).
    let has = site.get(&path, &[("range", "bytes=0-9"), ("if-none-match", etag)]);
    assert_eq!(has.status(), StatusCode::NOT_MODIFIED);
}

#[test]
fn playlists_are_gzip_encoded_where_accepted() {
    // Apple 10.1
    let site = Site::new();
    for path in
        ["/lessons/maths/main.m3u8", &format!("/p/{PACKAGE}/main.m3u8"), "/catalogue/primary-3-0a1b2c3d.json"]
    {
        let plain = site.get(path, &[]);
        let gzip = site.get(path, &[("accept-encoding", "gzip, deflate, br")]);
        assert_eq!(field(gzip.headers(), header::CONTENT_ENCODING), "gzip", "{path}");
        assert_eq!(field(gzip.headers(), header::VARY), "Accept-Encoding", "{path}");
        assert!(gzip.body().len() * 3 < plain.body().len(), "{path}");
        assert_eq!(&gunzipped(gzip.body()), plain.body(), "{path}");
        assert_ne!(gzip.headers()[header::ETAG], plain.headers()[header::ETAG], "{path}");
        let part = site.get(path, &[("accept-encoding", "gzip"), ("range", "bytes=2-9")]);
        assert_eq!(part.body(), &gzip.body()[2..10], "a part of the encoded form: {path}");
        let refused = site.get(path, &[("accept-encoding", "gzip;q=0, *")]);
        assert!(!refused.headers().contains_key(header::CONTENT_ENCODING), "{path}");
    }
    let segment = site.get(&format!("/p/{PACKAGE}/s2/00000.m4s"), &[("accept-encoding", "gzip")]);
    assert!(!segment.headers().contains_key(header::CONTENT_ENCODING), "media is compressed already");
}

#[test]
fn a_pointer_that_was_swapped_is_seen_at_once() {
    let site = Site::new();
    let path = "/lessons/maths/main.m3u8";
    let gzip = [("accept-encoding", "gzip")];
    let (plain, encoded) = (site.get(path, &[]), site.get(path, &gzip));
    // Same length, and perhaps the same tick of the file system's clock.
    let swapped = String::from_utf8(playlist()).unwrap().replace("00000.m4s", "99999.m4s");
    fs::write(site.store().join("new"), &swapped).unwrap();
    fs::rename(site.store().join("new"), site.store().join(&path[1..])).unwrap();
    let (new_plain, new_encoded) = (site.get(path, &[]), site.get(path, &gzip));
    assert_eq!(new_plain.body(), swapped.as_bytes());
    assert_eq!(gunzipped(new_encoded.body()), swapped.as_bytes());
    assert_ne!(plain.headers()[header::ETAG], new_plain.headers()[header::ETAG]);
    assert_ne!(encoded.headers()[header::ETAG], new_encoded.headers()[header::ETAG]);
}

#[test]
fn other_sites_pages_may_play() {
    let site = Site::new();
    for path in ["/lessons/maths/main.m3u8", "/anything", "/p/../x"] {
        let fields = [
            ("origin", "https://school.example"),
            ("access-control-request-method", "GET"),
            ("access-control-request-headers", "range"),
        ];
        let response = site.ask(Method::OPTIONS, path, &fields);
        assert_eq!(response.status(), StatusCode::NO_CONTENT, "{path}");
        assert_eq!(field(response.headers(), header::ACCESS_CONTROL_ALLOW_ORIGIN), "*");
        assert!(field(response.headers(), header::ACCESS_CONTROL_ALLOW_METHODS).contains("GET"));
        assert!(field(response.headers(), header::ACCESS_CONTROL_ALLOW_HEADERS).contains("Range"));
        assert_eq!(field(response.headers(), header::ALLOW), "GET, HEAD, OPTIONS");
    }
    let response = site.get("/lessons/maths/main.m3u8", &[("origin", "https://school.example")]);
    assert!(field(response.headers(), header::ACCESS_CONTROL_EXPOSE_HEADERS).contains("Content-Range"));
    // A player must be able to read that there is none.
    let missing = site.get("/lessons/none/main.m3u8", &[("origin", "https://school.example")]);
    assert_eq!(field(missing.headers(), header::ACCESS_CONTROL_ALLOW_ORIGIN), "*");
}

#[test]
fn what_happens_is_counted() {
    let site = Site::new();
    let path = format!("/p/{PACKAGE}/s2/00000.m4s");
    site.get(&path, &[]);
    site.get(&path, &[("range", "bytes=0-99")]);
    site.get("/lessons/none/main.m3u8", &[]);
    site.get("/nothing", &[]);
    let metrics =
        site.runtime.block_on(ask(site.started.admin.address(), Method::GET, "/metrics", &[])).unwrap();
    let metrics = std::str::from_utf8(metrics.body()).unwrap();
    for line in [
        "origin_requests_total{class=\"package\",status=\"200\"} 1",
        "origin_requests_total{class=\"package\",status=\"206\"} 1",
        "origin_requests_total{class=\"lesson\",status=\"404\"} 1",
        "origin_requests_total{class=\"other\",status=\"404\"} 1",
        "origin_response_bytes_total{class=\"package\"} 1100100",
        "origin_request_seconds_count 4",
        "origin_store_errors_total 0",
    ] {
        assert!(metrics.lines().any(|known| known == line), "{line} is not in\n{metrics}");
    }
}
