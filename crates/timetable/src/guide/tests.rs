use super::*;
use crate::compile::tests::{DAY, made, whole};

fn plan() -> Plan {
    made(
        &DAY.replace("title = \"有理数\"", "title = \"<有理数> & \\\"一\\\"; a, b\"")
            .replace("九年级", "九年级, \\\\ 初三"),
        &whole(),
    )
}

#[test]
fn xmltv_is_escaped_and_in_order() {
    let text = xmltv(&[&plan()], Some("g9"));
    insta::assert_snapshot!(text);
    assert!(!xmltv(&[&plan()], None).contains("&amp;amp;"));
    assert_eq!(xmltv(&[&plan()], Some("none")).matches("<programme").count(), 0);
}

#[test]
fn a_calendar_is_folded_and_escaped() {
    let text = ics(&[&plan()], Some("g9"));
    insta::assert_snapshot!(text.replace("\r\n", "\n"));
    for line in text.split_terminator("\r\n") {
        assert!(line.len() <= 75 && !line.contains('\n'), "{line}");
    }
    let mut out = String::new();
    ics::push(&mut out, &format!("SUMMARY:{}", "课".repeat(60)));
    assert_eq!(out.replace("\r\n ", ""), format!("SUMMARY:{}\r\n", "课".repeat(60)));
    assert!(out.split("\r\n").all(|line| line.len() <= 75), "{out}");
}

#[test]
fn days_follow_each_other_in_one_guide() {
    let today = plan();
    let mut tomorrow = plan();
    tomorrow.date = today.date.tomorrow().unwrap();
    tomorrow.first_segment.0 += grid::SEGMENTS_PER_DAY;
    let text = xmltv(&[&today, &tomorrow], Some("g9"));
    assert_eq!(text.matches("<channel ").count(), 1);
    assert!(
        text.contains("start=\"20260901083000 +0800\"") && text.contains("start=\"20260902083000 +0800\"")
    );
}

#[test]
fn the_public_guide_names_no_package() {
    let plan = plan();
    let text = String::from_utf8(Day::of(&plan, None).to_bytes()).unwrap();
    let day: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(day["channels"][2]["programmes"][0]["start"], "2026-09-01T00:30:00Z");
    assert_eq!(day["lessons"][2]["release"], "2026-09-01T00:30:00Z");
    for lesson in &plan.lessons {
        let package = lesson.media.as_ref().unwrap().package.to_string();
        for text in [&text, &xmltv(&[&plan], None), &ics(&[&plan], None), &html(&plan, None)] {
            assert!(!text.contains(&package));
        }
    }
}

#[test]
fn the_page_is_in_chinese_first_and_escaped() {
    let page = html(&plan(), Some("g9"));
    assert!(
        page.contains("<td>08:30–<wbr>08:50<td>&lt;有理数&gt; &amp; &quot;一&quot;; a, b<td>数学"),
        "{page}"
    );
    assert!(page.contains("2026年9月1日 课程表 <small>Timetable"), "{page}");
    // Off the grid by half a segment, and shown as it was written.
    assert!(page.contains("<td>09:15–"), "{page}");
}

#[test]
fn the_page_fits_a_phone_and_names_its_columns_on_each_sheet() {
    let page = html(&plan(), None);
    let style = page.split("<style>").nth(1).unwrap().split("</style>").next().unwrap();
    // Addresses of documents are longer than a phone is wide, and letters are as large as their reader's.
    assert!(style.contains("overflow-wrap:anywhere") && !style.contains("nowrap"), "{style}");
    assert!(!style.contains("px/") && style.contains("font:.9rem"), "{style}");
    assert_eq!(page.matches("<table>").count(), page.matches("<thead><tr><th>时间").count());
}
