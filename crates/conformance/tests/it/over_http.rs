//! What only a server can do wrong.

use crate::good::package;
use crate::server::{Habits, Server};
use conformance::{Http, HttpOptions, Options, Report, Url, check};

fn ask(habits: Habits, options: Options) -> Report {
    let server = Server::start(package(), habits);
    let url = Url::parse(&format!("http://{}/main.m3u8", server.address)).unwrap();
    check(&Http::new(&HttpOptions::default()).unwrap(), &url, options, &|_, _| {}).unwrap()
}

#[test]
fn a_good_package_is_good_over_http_too() {
    let report = ask(Habits::default(), Options::default());
    assert!(report.is_conformant(), "{report}");
    for rule in ["Apple 8.18", "Apple 10.1", "Apple 10.4"] {
        assert!(report.checked.contains(&rule) && !report.breaks(rule), "{report}");
    }
}

#[test]
fn what_a_server_does_wrong_is_found_by_its_number() {
    let plain_playlists = Habits { plain_playlists: true, ..Habits::default() };
    let redirects = Habits { redirects: true, ..Habits::default() };
    let wrong_types = Habits { wrong_types: true, ..Habits::default() };
    for (rule, habits) in
        [("Apple 10.1", plain_playlists), ("Apple 8.18", redirects), ("Apple 10.4", wrong_types)]
    {
        let report = ask(habits, Options::default());
        assert!(report.breaks(rule), "{rule}\n{report}");
        let musts: Vec<_> = report.of(conformance::Severity::Must).map(|finding| finding.rule).collect();
        assert!(musts.iter().all(|found| *found == rule), "{musts:?}");
    }
}

#[test]
fn ranges_may_be_answered_with_the_whole() {
    let report = ask(Habits { no_ranges: true, ..Habits::default() }, Options::default());
    assert!(report.is_conformant(), "{report}");
}

#[test]
fn a_sample_opens_a_part_and_knows_every_length() {
    let report = ask(Habits::default(), Options { sample: 2, live: None });
    assert!(report.is_conformant(), "{report}");
    assert!(
        report.volume.opened < report.volume.segments && report.checked.contains(&"Apple 1.27"),
        "{report}"
    );
}

#[test]
fn an_address_without_a_playlist_is_refused() {
    let server = Server::start(package(), Habits::default());
    let http = Http::new(&HttpOptions::default()).unwrap();
    for (path, says) in [("none.m3u8", "is not there"), ("manifest.json", "no playlist")] {
        let url = Url::parse(&format!("http://{}/{path}", server.address)).unwrap();
        let error = check(&http, &url, Options::default(), &|_, _| {}).unwrap_err();
        assert!(error.to_string().contains(says), "{error}");
    }
}
