use super::*;
use crate::sample::{grade, lesson_id};
use crate::{Kind, Rule};
use encoding_rs::GB18030;
use jiff::civil::date;
use proptest::prelude::*;

fn read(name: &str, bytes: &[u8]) -> Result<Timetable, Vec<String>> {
    let file = Given { name, bytes };
    Timetable::read(file, &Shipped::default(), |named| match named {
        "day.csv" => Ok(("day.csv".into(), SHEET.as_bytes().to_vec())),
        _ => Err(format!("cannot read {named}")),
    })
    .map_err(|findings| findings.iter().map(ToString::to_string).collect())
}

const SHEET: &str = "日期,开始,分钟,年级,学科,课题,课程编号,类型,备注\n\
    2026/9/1,08:30,20,七年级,数学,\"有理数, 一\",maths-7,课程,x\n\
    \n\
    2026年9月1日,8：50,5分钟,初一,,,eyes,眼保健操,\n";

#[test]
fn a_sheet_is_read_in_all_the_encodings_of_spreadsheets() {
    let tabs = SHEET.replace("\"有理数, 一\"", "有理数， 一").replace(',', "\t");
    let utf16: Vec<u8> =
        [0xfeff_u16].into_iter().chain(SHEET.encode_utf16()).flat_map(u16::to_le_bytes).collect();
    for (what, bytes) in [
        ("UTF-8", SHEET.as_bytes().to_vec()),
        ("UTF-8 with mark", [b"\xef\xbb\xbf", SHEET.as_bytes()].concat()),
        ("GBK", GB18030.encode(SHEET).0.into_owned()),
        ("UTF-16", utf16),
        ("tabs", tabs.into_bytes()),
        ("lines as in Windows", SHEET.replace('\n', "\r\n").into_bytes()),
    ] {
        let timetable = read("day.csv", &bytes).unwrap_or_else(|findings| panic!("{what}: {findings:?}"));
        let [lesson, eyes] = &timetable.items[..] else { panic!("{what}: {:?}", timetable.items) };
        assert_eq!((lesson.start, lesson.length, lesson.kind), (30_600, 1_200, Kind::Lesson), "{what}");
        assert_eq!((lesson.date, &lesson.grades[..]), (date(2026, 9, 1), &[grade(7)][..]), "{what}");
        assert_eq!(lesson.lesson, Some(lesson_id("maths-7")), "{what}");
        assert!(lesson.title.as_deref().unwrap().starts_with("有理数"), "{what}");
        assert_eq!((eyes.kind, eyes.length, eyes.spot.line), (Kind::EyeExercise, 300, 4), "{what}");
        assert_eq!((lesson.id.as_str(), eyes.id.as_str()), ("maths-7", "eye_exercise-0850-7"), "{what}");
    }
}

#[test]
fn english_headings_say_the_same() {
    let sheet = "Date,Start,End,Grade,Lesson,Channel\n2026-09-01,08:30,08:50,7-9,maths,junior\n";
    let timetable = read("day.csv", sheet.as_bytes()).unwrap();
    assert_eq!(timetable.items[0].length, 1_200);
    assert_eq!(timetable.items[0].grades.len(), 3);
    assert_eq!(timetable.channels[0].id.as_str(), "junior");
}

#[test]
fn toml_and_a_sheet_beside_it_make_one_timetable() {
    let text = "date = \"2026-09-01\"\nitems = \"day.csv\"\nitem = [\n  { start = \"09:10\", minutes = 20, grades = [7, \"初二\"], lesson = \"maths-8\" },\n]\n\
        [[channel]]\nid = \"g7\"\ntitle = \"七年级\"\ngrades = 7\n[[policy]]\nplace = [\"hubei\", \"湖南\"]\nadmit_after_minutes = 15\n";
    let timetable = read("day.toml", text.as_bytes()).unwrap();
    let lines: Vec<_> = timetable.items.iter().map(|item| item.spot.to_string()).collect();
    assert_eq!(lines, ["day.toml:4", "day.csv:2", "day.csv:4"]);
    assert_eq!(timetable.items[0].grades, [grade(7), grade(8)]);
    assert_eq!(timetable.rulings.len(), 2);
    assert_eq!(timetable.channels[0].spot.line, 7);
    // The other way to write an item.
    let tables = "date = \"2026-09-01\"\n\n[[item]]\nstart = \"09:10\"\nminutes = 20\ngrades = 7\nlesson = \"maths-7\"\n";
    let timetable = read("day.toml", tables.as_bytes()).unwrap();
    assert_eq!(timetable.items[0].spot.line, 4);
}

#[test]
fn what_cannot_be_read_is_told_with_its_line_and_a_way_out() {
    let items = |fields: &str| format!("date = \"2026-09-01\"\nitem = [\n  {{ {fields} }},\n]\n");
    let good = "start = \"08:30\", minutes = 20, grades = 7";
    for (file, text, told) in [
        (
            "d.toml",
            items("start = \"8.30\", minutes = 20, grades = 7"),
            "d.toml:3: syntax: `8.30` is no start, write a time such as 08:30",
        ),
        (
            "d.toml",
            items("minutes = 20, grades = 7"),
            "d.toml:3: syntax: `start` is missing, write when it begins",
        ),
        (
            "d.toml",
            items("start = \"08:30\", grades = 7"),
            "d.toml:3: syntax: `minutes` is missing, write how long it lasts, or its end",
        ),
        (
            "d.toml",
            items("start = \"08:30\", end = \"08:30\", grades = 7"),
            "ends at 08:30 and begins at 08:30, write a later end",
        ),
        ("d.toml", items(&format!("{good}, end = \"09:00\"")), "end and minutes say different things"),
        (
            "d.toml",
            items(&format!("{good}, teacher = \"x\"")),
            "`teacher` is nothing an item has, write id, date",
        ),
        ("d.toml", items(&format!("{good}, lesson = \"A b\"")), "`A b` is no lesson, write 1 to 64 of a-z"),
        (
            "d.toml",
            items(&format!("{good}, kind = \"party\"")),
            "`party` is no kind, write lesson (课程), replay",
        ),
        ("d.toml", items(&format!("{good}, title = \"\"")), "`` is no title"),
        ("d.toml", items(&format!("{good}, title = 1.5")), "`title` is a table or a fraction"),
        (
            "d.toml",
            items("start = \"08:30\", minutes = 20, grades = 13"),
            "`13` is no grades, write grades such as",
        ),
        ("d.toml", items(good).replace("date = \"2026-09-01\"\n", ""), "d.toml:2: syntax: `date` is missing"),
        ("d.toml", "dates = 1\n".into(), "d.toml:1: syntax: unknown field `dates`"),
        ("d.toml", "\nzone = \"Mars\"\n".into(), "d.toml:2: syntax: `Mars` is no zone"),
        (
            "d.toml",
            "bells = [\"x\"]\n".into(),
            "d.toml:1: syntax: `[\"x\"]` cannot be read, write times such as 08:30",
        ),
        (
            "d.toml",
            "fill = { from = \"07:00\", until = \"00:00\" }\n".into(),
            "write a later time such as 07:00",
        ),
        ("d.toml", "items = \"none.csv\"\n".into(), "d.toml:1: syntax: cannot read none.csv"),
        (
            "d.toml",
            "[[policy]]\nplace = \"atlantis\"\n".into(),
            "d.toml:2: syntax: `atlantis` cannot be read, write nation",
        ),
        (
            "d.toml",
            "[[policy]]\nplace = \"hubei\"\ngrades = \"x\"\n".into(),
            "d.toml:3: syntax: `x` cannot be read, write grades",
        ),
        ("d.csv", "a,b\n1,2\n".into(), "d.csv:1: syntax: no column is `start`, name the columns by id, date"),
        ("d.csv", "start,grade,年级\n".into(), "d.csv:1: syntax: two columns are `grades`"),
        ("d.csv", "".into(), "d.csv:1: syntax: has no headings"),
        (
            "d.csv",
            "date,start,minutes,grade\n2026-09-01,late,20,7\n".into(),
            "d.csv:2: syntax: `late` is no start",
        ),
        ("d.csv", "start,minutes,grade\n08:30,20,7\n".into(), "d.csv:2: syntax: `date` is missing"),
    ] {
        let findings = read(file, text.as_bytes()).unwrap_err();
        assert!(findings.iter().any(|finding| finding.contains(told)), "{text}: {findings:#?}");
    }
    assert!(read("d.csv", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR").unwrap_err()[0].contains("no text in UTF-8"));
    assert!(read("d.toml", b"\xff").unwrap_err()[0].contains("no TOML"));
}

#[test]
fn all_mistakes_are_told_at_once() {
    let sheet = "date,start,minutes,grade\n,08:30,20,7\n2026-09-01,late,x,13\n2026-09-01,08:30,20,7\n";
    assert_eq!(read("d.csv", sheet.as_bytes()).unwrap_err().len(), 4);
}

#[test]
fn a_sheet_may_say_above_its_headings_what_it_is() {
    let title = "某某学校 2026年9月1日 课表,,,,\n制表：教务处\n\n";
    for separator in [",", ";", "\t"] {
        let sheet = "日期,开始,分钟,年级,课程编号\n2026-09-01,下午2:30,20,七年级,a\n";
        let read = read("d.csv", (title.to_owned() + sheet).replace(',', separator).as_bytes());
        let timetable = read.unwrap_or_else(|found| panic!("{found:?}"));
        assert_eq!((timetable.items.len(), timetable.items[0].start), (1, 52_200), "{separator}");
    }
    let found = read("d.csv", format!("{title}a,b\n1,2\n").as_bytes()).unwrap_err();
    assert!(found[0].starts_with("d.csv:1: syntax: no column is `start`"), "{found:?}");
    let found = read("d.csv", "x\n".repeat(9).as_bytes()).unwrap_err();
    assert_eq!(found.len(), 1, "{found:?}");
}

#[test]
fn a_day_that_is_none_is_told_once_and_not_again_for_each_item() {
    let items = "item = [\n{ start = \"08:30\", minutes = 20, grades = 7, lesson = \"a\" },\n{ start = \"09:10\", minutes = 20, grades = 7, lesson = \"b\" },\n]\n";
    for (day, shown) in [("\"2026-02-30\"", "2026-02-30"), ("20260901", "20260901"), ("9.5", "9.5")] {
        let found = read("d.toml", format!("date = {day}\n{items}").as_bytes()).unwrap_err();
        let expected = format!("d.toml:1: syntax: `{shown}` cannot be read, write a day such as 2026-09-01");
        assert_eq!(found, [expected], "{day}");
    }
}

#[test]
fn a_day_may_stand_without_quotation_marks_as_toml_has_them() {
    let text =
        "date = 2026-09-01\nitem = [\n{ start = 08:30:00, minutes = 20, grades = 7, lesson = \"a\" },\n]\n";
    let timetable = read("d.toml", text.as_bytes()).unwrap();
    assert_eq!((timetable.items[0].date, timetable.items[0].start), (date(2026, 9, 1), 30_600));
}

/// A school's own sheet had eleven things wrong with it in four rows.
#[test]
fn a_sheet_as_schools_have_it_is_read() {
    let sheet = "XX中学 第14周 课程表,,,,,,\n日期,节次,时间,年级,学科,课程编号,类型\n\
        2026年12月7日（周一）,第1节,08:30-08:50,七年级,数学,maths,\n,第2节,９：１０—９：３０,七年级,英语,english,\n\
        午休,,,,,,\n,第3节,下午2:30-2:50,七年级,物理,physics,\n\n2026/12/8 星期二,,,,,,\n日期,节次,时间,年级,学科,课程编号,类型\n\
        ,第1节,08:30～08:50,七年级,数学,maths,回放\n注：以上时间如有调整，另行通知,,,,,,\n,,,,,,制表：教务处\n";
    let told = |sheet: &str| {
        let found = read("d.csv", sheet.as_bytes()).unwrap_err();
        found.iter().map(|one| one.split(", write").next().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let stray = told(sheet);
    assert!(
        stray.contains(&"d.csv:12: syntax: `制表：教务处` is no kind".to_owned()),
        "what stands in a field: {stray:?}"
    );
    let sheet = sheet.replace(",,,,,,制表：教务处\n", "");
    let timetable = read("d.csv", sheet.as_bytes()).unwrap();
    let items: Vec<_> =
        timetable.items.iter().map(|item| (item.date.day(), item.start / 60, item.length / 60)).collect();
    assert_eq!(items, [(7, 510, 20), (7, 550, 20), (7, 870, 20), (8, 510, 20)]);
    // What is said twice is said alike, and a wrong day of the week is a slip.
    let both = "日期,起止时间,结束,年级,课程编号\n2026-12-07,08:30-08:50,08:50,7,maths\n";
    assert!(read("d.csv", both.as_bytes()).is_ok());
    assert_eq!(
        told(&both.replace(",08:50,7", ",08:55,7")),
        ["d.csv:2: syntax: end and start say different ends, leave one of them out"]
    );
    assert_eq!(told(&both.replace("12-07", "12-07 周二")), ["d.csv:2: syntax: `2026-12-07 周二` is no date"]);
}

#[test]
fn one_name_is_for_one_item() {
    let sheet = "date,start,minutes,grade,lesson,kind\n2026-09-01,08:30,20,7,maths,\n2026-09-01,09:30,20,7,maths,\n\
        2026-09-01,19:00,20,7,maths,replay\n2026-09-02,08:30,20,7,maths,\n";
    let findings = read("d.csv", sheet.as_bytes()).unwrap_err();
    assert_eq!(findings.len(), 1);
    assert!(
        findings[0].starts_with("d.csv:3: duplicate: `maths` is on line 2 already, say kind"),
        "{findings:?}"
    );
    // A row for each grade is one lesson for both.
    let rows = "date,start,minutes,grade,lesson\n2026-09-01,08:30,20,七年级,maths\n2026-09-01,08:30,20,八年级,maths\n";
    assert_eq!(
        read("d.csv", rows.as_bytes()).unwrap_err(),
        ["d.csv:3: duplicate: `maths` is on line 2 already, write one item for grades 7-8"]
    );
    // A beginning that cannot be read is one mistake.
    let unread = read("d.csv", b"date,start,grade\n2026-09-01,first,7\n").unwrap_err();
    assert_eq!(unread, ["d.csv:2: syntax: `first` is no start, write a time such as 08:30"]);
}

#[test]
fn the_shipped_limits_are_whole() {
    let shipped = Shipped::built_in();
    assert_eq!((shipped.documents.len(), shipped.rulings.len() > 10), (8, true));
    let mut findings = Vec::new();
    crate::Policies::new(&shipped.rulings, &shipped.documents).check(&mut findings);
    assert_eq!(findings, []);
    for ruling in &shipped.rulings {
        assert!(ruling.document.is_some(), "{}", ruling.spot);
    }
    assert!(Shipped::read("l.toml", b"[[limit]]\nplace = 1\n").is_err());
}

#[test]
fn the_example_is_read() {
    let text = include_bytes!("../../../../config/timetable.toml");
    let timetable =
        Timetable::read(Given { name: "config/timetable.toml", bytes: text }, &Shipped::built_in(), |_| {
            Err(String::new())
        })
        .unwrap();
    assert_eq!((timetable.days().len(), timetable.channels.len()), (1, 12));
    assert!(timetable.items.len() > 80);
    let errors: Vec<_> = crate::check(&timetable, None)
        .into_iter()
        .filter(|finding| finding.weight == crate::Weight::Error)
        .map(|finding| finding.to_string())
        .collect();
    assert_eq!(errors, [""; 0]);
    // Somebody's stricter limit is told and stops nothing.
    assert!(crate::check(&timetable, None).iter().any(|finding| finding.rule == Rule::DayTotal));
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = read("d.csv", &bytes);
        let _ = read("d.toml", &bytes);
    }

    #[test]
    fn any_cells_are_read_or_refused(cells in prop::collection::vec("[0-9:年/ -]{0,12}|[一-九]年级|\\PC{0,6}", 0..24)) {
        let mut sheet = String::from("date,start,minutes,grade,kind,lesson\n");
        for row in cells.chunks(6) {
            sheet.push_str(&row.join(","));
            sheet.push('\n');
        }
        let _ = read("d.csv", sheet.as_bytes());
    }
}
