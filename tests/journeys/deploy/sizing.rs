//! The arithmetic of deploy/README.md, done anew from what it says it assumes.

use journeys::project;
use std::collections::BTreeMap;

type Rows = BTreeMap<String, Vec<String>>;

/// The rows of the table whose head begins with `| head`.
fn table(text: &str, head: &str) -> Rows {
    let mut lines = text.lines().skip_while(|line| !line.starts_with(&format!("| {head}")));
    let cells = |line: &str| -> Vec<String> {
        line.trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect()
    };
    assert!(lines.next().is_some(), "no table {head:?}");
    let rows = lines.skip(1).take_while(|line| line.starts_with('|'));
    rows.map(|line| (cells(line)[0].clone(), cells(line)[1..].to_vec())).collect()
}

fn number(text: &str) -> f64 {
    text.replace(',', "").parse().unwrap_or_else(|_| panic!("{text:?} is no number"))
}

#[test]
fn what_is_needed_follows_from_what_is_assumed() {
    let text = std::fs::read_to_string(project().join("deploy/README.md")).unwrap();
    let assumed = table(&text, "assumed");
    let given = |name: &str| number(&assumed.get(name).unwrap_or_else(|| panic!("no {name}"))[0]);
    let rows = table(&text, "| one box");
    let row = |name: &str| rows.get(name).unwrap_or_else(|| panic!("no {name}"));
    let (rate, fill) = (given("a student is sent, Mbit/s"), given("filling an edge, Mbit/s"));
    let mut checked = 1;
    for (column, students) in row("students at once").iter().enumerate() {
        let students = number(students);
        let edges = (students / given("students an edge")).ceil();
        let each = (students / edges).ceil();
        let egress = each * rate / 1_000.0;
        let requests = each * given("requests a segment") / given("a segment, s");
        let connections = each * given("connections a student");
        let fan = given("edges a parent");
        let parents = if edges > fan { (edges / fan).ceil() } else { 0.0 };
        let filled = if parents > 0.0 { parents } else { edges };
        let cores =
            egress / 8.0 * given("CPU a GB over TLS 1.3, s") + requests * given("CPU a request, µs") / 1e6;
        for (name, wanted) in [
            ("egress, Gbit/s", students * rate / 1_000.0),
            ("edges", edges),
            ("students an edge", each),
            ("egress an edge, Gbit/s", egress),
            ("requests an edge, a second", requests),
            ("connections an edge", connections),
            ("memory for connections, MiB", connections * given("memory a busy connection, KiB") / 1_024.0),
            ("cores at work an edge", cores),
            ("parents", parents),
            ("origin in the night, Gbit/s", filled * fill / 1_000.0),
            ("a parent in the night, Gbit/s", (edges / parents).ceil() * fill / 1_000.0),
            ("reports to the control, a second", edges / given("a report each, s")),
        ] {
            let says = &row(name)[column];
            checked += 1;
            if says == "-" {
                assert!(!wanted.is_finite(), "{name}: {wanted}");
                continue;
            }
            // As many digits as it is written with.
            let digits = says.split_once('.').map_or(0, |(_, digits)| digits.len());
            let wanted: f64 = format!("{wanted:.digits$}").parse().unwrap();
            assert!(
                (number(says) - wanted).abs() < 1e-9,
                "{name}, column {column}: {says}, and it is {wanted}"
            );
        }
    }
    assert_eq!(checked, 1 + 4 * 12);
    assert_eq!(rows.len(), 13, "a row that nobody computes");
    // What is said in words.
    let night = given("a day's lessons, all renditions, GB") * 8_000.0 / fill / 60.0;
    assert!(text.contains(&format!("take {night:.0} minutes")), "{night}");
    let (samples, left_out) = (30 * 288, 30 * 288 / 20);
    assert!(text.contains(&format!("leaves out {left_out} samples")) && left_out / 12 == 36, "{samples}");
}
