use super::*;
use proptest::prelude::*;
use std::time::Duration;

const WHOLE: &str = r#"{"kind":"stalls","fault":"busy","node":"wuhan-1","trace":"0123456789abcdef","status":503,"rung":"s2","lesson":"maths-9","build":"C3W676FP","engine":"hls.js","waited_min":12}"#;

#[test]
fn a_report_is_read_and_kept_as_it_is() {
    let report = Report::parse(WHOLE.as_bytes()).unwrap();
    assert_eq!(serde_json::to_string(&report).unwrap(), WHOLE);
    let now = "2026-09-01T00:31:42.5Z".parse().unwrap();
    let entry = Entry::new(ReportId::draw(7), now, report);
    assert_eq!(entry.at.to_string(), "2026-09-01T00:31:00Z");
    let line = String::from_utf8(entry.to_line()).unwrap();
    assert!(line.len() <= MAX_ENTRY_BYTES && line.ends_with("}\n"));
    assert_eq!(Entry::parse(line.trim_end()), Some(entry));
    assert_eq!(Entry::parse(&line[..line.len() / 2]), None);
    assert!(Report::parse(br#"{"kind":"page"}"#).is_ok());
}

#[test]
fn there_is_no_place_for_what_people_write() {
    for body in [
        "",
        "{}",
        r#"{"kind":"other"}"#,
        r#"{"kind":"page","text":"我叫小明"}"#,
        r#"{"kind":"page","node":"小明"}"#,
        r#"{"kind":"page","node":"a b"}"#,
        r#"{"kind":"page","trace":"0123456789ABCDEF"}"#,
        r#"{"kind":"page","trace":"0123"}"#,
        r#"{"kind":"page","rung":"my name is"}"#,
        r#"{"kind":"page","build":"13800138000"}"#,
        r#"{"kind":"page","lesson":"../x"}"#,
        r#"{"kind":"page","fault":"sad"}"#,
        r#"{"kind":"page","status":1000}"#,
        r#"{"kind":"page","waited_min":99999999}"#,
        r#"{"kind":"page","engine":"mine"}"#,
    ] {
        assert!(Report::parse(body.as_bytes()).is_err(), "{body}");
    }
    let long = format!(r#"{{"kind":"page"{}}}"#, " ".repeat(MAX_REPORT_BYTES));
    assert!(matches!(Report::parse(long.as_bytes()), Err(InvalidReport::Long)));
}

#[test]
fn numbers_are_read_as_they_are_told_over_the_telephone() {
    let id = ReportId::draw(0x0123_4567_89ab_cdef);
    let told = id.to_string();
    assert_eq!(told.len(), 8);
    assert_eq!(told.parse(), Ok(id));
    assert_eq!(told.to_lowercase().replace('-', " ").parse(), Ok(id));
    for wrong in ["", "AAA-AAAA", "222-222", "222-22222", "三年级"] {
        assert!(wrong.parse::<ReportId>().is_err(), "{wrong}");
    }
}

#[test]
fn a_crowd_is_heard_and_a_flood_is_not() {
    let mut pace = Pace::default();
    let at = Duration::from_secs(1_000);
    assert_eq!((0..10_000).filter(|_| pace.takes(at)).count(), 200);
    assert!(!pace.takes(at + Duration::from_secs(1)));
    assert!(pace.takes(at + Duration::from_secs(4)));
    assert_eq!((0..10_000).filter(|_| pace.takes(at + Duration::from_secs(3_600))).count(), 200);
}

#[test]
fn whom_to_ask_is_said_in_two_languages_and_is_never_markup() {
    let resolve = |phone: Option<&str>, page: Option<&str>| {
        Support::resolve(&SupportOptions { phone: phone.map(str::to_owned), page: page.map(str::to_owned) })
    };
    let both = resolve(Some("027-1234 5678"), Some("https://help.example/")).unwrap();
    assert_eq!(
        both.text(),
        "需要帮助：电话 027-1234 5678，网页 https://help.example/。\nHelp: telephone 027-1234 5678, https://help.example/\n"
    );
    assert!(
        both.html().contains("href=\"tel:02712345678\"")
            && both.html().contains("href=\"https://help.example/\"")
    );
    assert_eq!(both.to_json(), b"{\"phone\":\"027-1234 5678\",\"page\":\"https://help.example/\"}\n");
    let nobody = resolve(None, None).unwrap();
    assert!(nobody.text().is_empty() && nobody.html().is_empty() && nobody.to_json() == b"{}\n");
    for (phone, page, key) in [
        (Some(""), None, "support.phone"),
        (Some("call me"), None, "support.phone"),
        (None, Some("help.example"), "support.page"),
        (None, Some("javascript:alert(1)"), "support.page"),
        (None, Some("https://a/\"><script>"), "support.page"),
    ] {
        assert!(resolve(phone, page).unwrap_err().to_string().contains(key), "{phone:?} {page:?}");
    }
}

proptest! {
    #[test]
    fn nothing_panics(bytes in prop::collection::vec(any::<u8>(), 0..300), text in ".{0,40}", random in any::<u64>()) {
        let _ = Report::parse(&bytes);
        let _ = text.parse::<ReportId>();
        let _ = Entry::parse(&text);
        let id = ReportId::draw(random);
        prop_assert_eq!(id.to_string().parse::<ReportId>(), Ok(id));
    }
}
