//! The list without JavaScript, and what is there before any lesson.

use super::*;

#[test]
fn without_javascript_there_is_a_list_in_html() {
    let site = Site::new();
    let home = site.get("/list/", &[]);
    assert_eq!(home.status(), StatusCode::OK);
    assert_eq!(field(home.headers(), header::CONTENT_TYPE), "text/html; charset=utf-8");
    assert_eq!(field(home.headers(), header::CACHE_CONTROL), BRIEFLY);
    assert!(String::from_utf8_lossy(home.body()).contains("空中课堂"));
    assert_eq!(site.get("/list/primary-12", &[]).status(), StatusCode::NOT_FOUND);
}

#[test]
fn what_the_page_always_asks_for_is_there_before_anybody_has_published_a_timetable() {
    let site = Site::new();
    let limits = site.get("/timetable/limits.json", &[]);
    assert_eq!(limits.status(), StatusCode::OK);
    assert_eq!(field(limits.headers(), header::CACHE_CONTROL), BRIEFLY);
    assert!(String::from_utf8_lossy(limits.body()).contains("moe-2020-08-27"));
    assert_eq!(&site.get("/timetable/days.json", &[]).body()[..], b"{\"days\":[]}\n");
    assert_eq!(site.get("/timetable/2026-09-01.json", &[]).status(), StatusCode::NOT_FOUND);
    fs::create_dir_all(site.store().join("timetable")).unwrap();
    fs::write(site.store().join("timetable/limits.json"), "{}").unwrap();
    assert_eq!(&site.get("/timetable/limits.json", &[]).body()[..], b"{}");
}

#[test]
fn the_front_lists_all_that_comes_before_a_lesson_and_changes_with_it() {
    let site = Site::new();
    let put = |path: &str, text: &str| {
        let file = site.store().join(path);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
    };
    let front = || {
        let answer = site.get("/front.json", &[]);
        assert_eq!(answer.status(), StatusCode::OK);
        assert_eq!(field(answer.headers(), header::CACHE_CONTROL), BRIEFLY);
        package::Front::parse(answer.body()).unwrap()
    };
    let before = front();
    assert_eq!(before, front());
    for path in ["/", "/worker.js", "/catalogue/version.json", "/timetable/days.json", "/list/"] {
        assert!(before.paths.iter().any(|listed| listed == path), "{path}");
    }
    for path in &before.paths {
        assert_eq!(site.get(path, &[]).status(), StatusCode::OK, "{path}");
    }
    // Far enough ahead for whenever this runs.
    put("timetable/days.json", "{\"days\":[\"2020-09-01\",\"2120-09-02\"]}");
    let day = "{\"channels\":[{\"channel\":\"g9\"}],\"lessons\":[{\"lesson\":\"maths\",\"grades\":[9]}]}";
    put("timetable/2120-09-02.json", day);
    let after = front();
    assert_ne!(after.version, before.version);
    let has = |path: &str| after.paths.iter().any(|listed| listed == path);
    assert!(has("/timetable/2120-09-02.json") && has("/guide/g9.xml") && has("/guide/g9.ics"));
    assert!(!has("/timetable/2020-09-01.json"));
    // A guide that cannot be read hides nothing else.
    put("timetable/2120-09-02.json", "{");
    assert!(front().paths.iter().any(|listed| listed == "/catalogue/version.json"));
}
