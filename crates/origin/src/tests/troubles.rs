//! What is refused, not there, or cannot be given.

use super::*;

#[test]
fn nothing_but_what_is_published_can_be_read() {
    let site = Site::new();
    fs::write(site.folder.path().join("outside.json"), b"secret").unwrap();
    for target in [
        "/ingests/0123.json",
        "/.airclass-swap.lock",
        "/lessons/maths/main.m3u8%231",
        "/p/../../outside.json",
        "/p/../ingests/0123.json",
        "/p/%2e%2e/ingests/0123.json",
        "/p/%2e%2e%2fingests%2f0123.json",
        "/p/..%5cingests%5c0123.json",
        "/p\\..\\ingests\\0123.json",
        "//ingests/0123.json",
        "/p//../ingests/0123.json",
        "/lessons/..;/ingests/0123.json",
        "/p/%00/../../ingests/0123.json",
        "/%c0%ae%c0%ae/outside.json",
        "/assets/../ingests/0123.json",
        "ingests/0123.json",
        "http://origin/ingests/0123.json",
        "http://origin/p/../ingests/0123.json",
    ] {
        for method in ["GET", "HEAD"] {
            let answer =
                site.raw(&format!("{method} {target} HTTP/1.1\r\nHost: origin\r\nConnection: close\r\n\r\n"));
            let status = answer.split(' ').nth(1).unwrap_or_default();
            assert!(matches!(status, "400" | "404"), "{target}: {answer}");
            assert!(!answer.contains("secret") && !answer.contains("half"), "{target}: {answer}");
        }
    }
}

#[test]
fn what_is_not_there_is_said_in_words_for_whoever_asks() {
    let site = Site::new();
    for path in [
        "/lessons/none/main.m3u8".to_owned(),
        format!("/p/{PACKAGE}/s9/00000.m4s"),
        format!("/p/{PACKAGE}/s2"),
        "/catalogue/none-00000000.json".to_owned(),
        "/elsewhere".to_owned(),
    ] {
        let player = site.get(&path, &[("accept", "*/*")]);
        assert_eq!(player.status(), StatusCode::NOT_FOUND, "{path}");
        assert_eq!(field(player.headers(), header::CACHE_CONTROL), "public, max-age=2", "{path}");
        assert_eq!(field(player.headers(), header::CONTENT_TYPE), "text/plain; charset=utf-8");
        assert_eq!(player.body(), "not found: nothing is published at this path\n");
        let browser = site.get(&path, &[("accept", "text/html,*/*;q=0.8")]);
        let page = std::str::from_utf8(browser.body()).unwrap();
        assert_eq!(field(browser.headers(), header::CONTENT_TYPE), "text/html; charset=utf-8");
        assert_eq!(field(browser.headers(), header::VARY), "Accept");
        assert!(page.contains("lang=\"zh-CN\"") && page.find("没有找到") < page.find("not found"), "{page}");
        assert!(
            page.contains("<title>没有找到</title>") && page.contains("<h1>没有找到</h1>\n<p>课程可能"),
            "{page}"
        );
    }
}

#[test]
fn this_server_only_reads() {
    let site = Site::new();
    for method in [Method::POST, Method::PUT, Method::DELETE, Method::PATCH, Method::TRACE] {
        let response = site.ask(method.clone(), "/lessons/maths/main.m3u8", &[]);
        assert_eq!(response.status(), StatusCode::METHOD_NOT_ALLOWED, "{method}");
        assert_eq!(field(response.headers(), header::ALLOW), "GET, HEAD, OPTIONS", "{method}");
    }
}

#[test]
fn a_store_that_fails_is_no_missing_lesson() {
    let site = Site::new();
    // A link to itself: it is there, and even root cannot open it.
    let broken = format!("p/{PACKAGE}/s2/00001.m4s");
    std::os::unix::fs::symlink("00001.m4s", site.store().join(&broken)).unwrap();
    let unavailable = |path: &str| {
        let response = site.get(path, &[]);
        assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE, "{path}");
        assert_eq!(field(response.headers(), header::RETRY_AFTER), "2");
        assert_eq!(field(response.headers(), header::CACHE_CONTROL), "no-store");
    };
    unavailable(&format!("/{broken}"));
    // It opens, has a length, and gives no byte: a 200 would begin and be cut.
    let ill = format!("p/{PACKAGE}/s2/00009.m4s");
    std::os::unix::fs::symlink("/sys/class/net/lo/speed", site.store().join(&ill)).unwrap();
    assert!(fs::read("/sys/class/net/lo/speed").is_err());
    unavailable(&format!("/{ill}"));
    assert_eq!(site.get("/lessons/maths/main.m3u8", &[]).status(), StatusCode::OK);
    // The disk is gone, and with it every lesson: not "there is none", which caches would believe.
    fs::rename(site.store(), site.folder.path().join("gone")).unwrap();
    unavailable("/lessons/maths/main.m3u8");
    fs::create_dir(site.store()).unwrap();
    unavailable("/lessons/maths/main.m3u8");
    assert_eq!(site.get("/", &[]).status(), StatusCode::OK, "the page needs no store");
    fs::remove_dir(site.store()).unwrap();
    fs::rename(site.folder.path().join("gone"), site.store()).unwrap();
    assert_eq!(site.get("/lessons/maths/main.m3u8", &[]).status(), StatusCode::OK);
}

#[test]
fn an_object_cut_short_is_never_taken_for_whole() {
    let site = Site::new();
    let path = format!("p/{PACKAGE}/s2/00002.m4s");
    // Larger than all buffers between us and the client, which reads nothing at first.
    let length = 64 << 20;
    let file = fs::File::create(site.store().join(&path)).unwrap();
    file.set_len(length).unwrap();
    let (head, received) = site.runtime.block_on(async {
        let mut stream = TcpStream::connect(site.address()).await.unwrap();
        let request = format!("GET /{path} HTTP/1.1\r\nHost: origin\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut head = vec![0; 4_096];
        let read = stream.read(&mut head).await.unwrap();
        file.set_len(1_000).unwrap();
        let mut rest = Vec::new();
        let _ = stream.read_to_end(&mut rest).await;
        (String::from_utf8_lossy(&head[..read]).into_owned(), read + rest.len())
    });
    assert!(head.contains(&format!("content-length: {length}\r\n")), "{head}");
    assert!((received as u64) < length, "{received}");
}

#[test]
fn an_origin_that_cannot_start_says_why() {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().to_str().unwrap();
    let code = |options: Options| start(&options).err().map(|fault| fault.code());
    assert_eq!(code(Options::default()), Some("CONFIG_VALUE"));
    assert_eq!(code(options("/nowhere/at/all")), Some("STORE_NOT_THERE"));
    assert_eq!(code(options("ftp://lessons")), Some("STORE_UNSUPPORTED"));
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let mut busy = options(store);
    busy.serve.listen = Some(vec![taken.local_addr().unwrap()]);
    assert_eq!(code(busy), Some("LISTEN_TAKEN"));
}
