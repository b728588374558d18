//! The pages themselves: Simplified Chinese, English below it. All words that people wrote are escaped.

use package::catalogue::{Listed, ShardEntry, by_place, shard_name};
use package::resource::{Resource, Resources};
use package::{Grade, Sections, Stage};
use std::borrow::Cow;
use std::fmt::Write;
use units::ByteCount;

/// No script, no picture (browsers ask for an icon unless told that it is empty), nothing from elsewhere. The style is here because a page of 5 kB should need no second question.
const HEAD: &str = "<!doctype html>\n<html lang=\"zh-CN\">\n<head>\n<meta charset=\"utf-8\">\n\
    <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; media-src 'self'; img-src data:; base-uri 'none'; form-action 'none'\">\n\
    <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<meta name=\"referrer\" content=\"no-referrer\">\n\
    <meta name=\"color-scheme\" content=\"light dark\">\n<link rel=\"icon\" href=\"data:,\">\n\
    <style>body{font:1rem/1.6 'Noto Sans CJK SC','Microsoft YaHei',sans-serif;max-width:48em;margin:0 auto;padding:1em}\
    li{margin:.5em 0}li a,p>a:only-child{display:inline-block;padding:.6em 0}video{width:100%;background:#000}small{display:block}</style>\n";

/// Between two facts; no line begins with it.
const DOT: &str = "\u{a0}· ";

/// Stages and grades.
pub(super) fn home(shards: &[ShardEntry]) -> String {
    let mut out = begin("空中课堂 · 课程目录", "Airclass: all lessons");
    out.push_str("<p>不用登录。选年级，再选课。<small lang=\"en\">No account needed. Choose a grade, then a lesson.</small></p>\n");
    for stage in [Stage::Primary, Stage::Junior, Stage::Senior, Stage::Other] {
        let of_stage: Vec<_> = shards.iter().filter(|entry| entry.stage == stage).collect();
        if of_stage.is_empty() {
            continue;
        }
        let _ = write!(
            out,
            "<h2>{} <small lang=\"en\">{}</small></h2>\n<ul>\n",
            stage.name(),
            english_stage(stage)
        );
        for entry in of_stage {
            let _ = writeln!(
                out,
                "<li><a href=\"/list/{}\">{}</a>（{} 节）</li>",
                shard_name(entry.stage, entry.grade),
                grade_name(entry),
                entry.lessons
            );
        }
        out.push_str("</ul>\n");
    }
    out.push_str(
        "<p><a href=\"/list/resources\">课本和资料 <span lang=\"en\">Textbooks and files</span></a></p>\n",
    );
    if shards.is_empty() {
        out.push_str("<p>目录里还没有课程。<small lang=\"en\">There are no lessons yet.</small></p>\n");
    }
    end(out, "/")
}

/// A page of one shard's lessons; `None` behind the last.
pub(super) fn lessons(
    entry: &ShardEntry,
    lessons: &[Listed],
    page: usize,
    size: usize,
    sections: &Sections,
) -> Option<String> {
    let name = shard_name(entry.stage, entry.grade);
    let places = by_place(lessons);
    let pages = places.len().div_ceil(size).max(1);
    let shown = places.chunks(size).nth(page - 1)?;
    let mut out = begin(&format!("{}{} · 课程目录", entry.stage.name(), of_grade(entry)), "Lessons");
    if pages > 1 {
        let _ = writeln!(
            out,
            "<p>第 {page} 页，共 {pages} 页 <small lang=\"en\">Page {page} of {pages}</small></p>"
        );
    }
    out.push_str("<ul>\n");
    for (lesson, beside) in shown {
        let _ = write!(out, "<li>{}", line(&name, lesson, sections));
        if !beside.is_empty() {
            out.push_str("\n<ul aria-label=\"同一课的其他版本 Other lessons of this place\">\n");
            for other in beside {
                let _ = writeln!(out, "<li>{}</li>", line(&name, other, sections));
            }
            out.push_str("</ul>\n");
        }
        out.push_str("</li>\n");
    }
    out.push_str("</ul>\n");
    let link = |page: usize| if page == 1 { format!("/list/{name}") } else { format!("/list/{name}/{page}") };
    if page > 1 {
        let _ = writeln!(
            out,
            "<p><a href=\"{}\">上一页 <span lang=\"en\">Previous</span></a></p>",
            link(page - 1)
        );
    }
    if page < pages {
        let _ =
            writeln!(out, "<p><a href=\"{}\">下一页 <span lang=\"en\">Next</span></a></p>", link(page + 1));
    }
    Some(end(out, "/list/"))
}

/// Textbooks, sounds, sheets, apps: where they are had, how large they are, whose and under which terms.
pub(super) fn resources(list: &Resources) -> String {
    let mut out = begin("课本和资料", "Textbooks and files");
    out.push_str("<ul>\n");
    for Resource { about, files, .. } in &list.resources {
        let grade = about.grade.map_or("", Grade::name);
        let _ = write!(out, "<li>{}<small>{grade} ", escaped(&about.title));
        let told = [&about.subject, &about.edition, &about.volume];
        told.into_iter().flatten().for_each(|text| {
            let _ = write!(out, "{}{DOT}", escaped(text));
        });
        let _ =
            writeln!(out, "来源：{}{DOT}许可：{}</small>", escaped(&about.provider), escaped(&about.licence));
        if let Some(link) = &about.link {
            let _ = writeln!(out, "<a href=\"{}\" rel=\"noreferrer\">应用 App</a>", escaped(link));
        }
        for file in files {
            let name = escaped(&file.name);
            let size = ByteCount(file.bytes);
            let _ = writeln!(out, "<a href=\"/{}\" download=\"{name}\">{name}</a> {size}<br>", file.path);
            if file.path.as_str().ends_with(".mp3") {
                let _ = writeln!(
                    out,
                    "<audio controls preload=\"none\" src=\"/{}\" aria-label=\"{name}\"></audio><br>",
                    file.path
                );
            }
        }
        out.push_str("</li>\n");
    }
    out.push_str("</ul>\n");
    if list.resources.is_empty() {
        out.push_str("<p>还没有课本和资料。<small lang=\"en\">There are none yet.</small></p>\n");
    }
    end(out, "/list/")
}

/// One lesson.
pub(super) fn lesson(entry: &ShardEntry, lesson: &Listed) -> String {
    let id = &lesson.lesson;
    let mut out = begin(&escaped(&lesson.title), "Airclass");
    let _ = write!(
        out,
        "<video controls preload=\"none\" playsinline src=\"/lessons/{id}/main.m3u8\" aria-label=\"{}\"></video>\n\
         <p>{}</p>\n\
         <p>放不出来？请把<a href=\"/lessons/{id}/main.m3u8\">这个地址</a>交给能播放 HLS 的播放器，或者打开 JavaScript 用<a href=\"/#/lesson/{id}\">网页播放器</a>。\
         <small lang=\"en\">Not playing? Give <a href=\"/lessons/{id}/main.m3u8\">this address</a> to a player that knows HLS, or allow JavaScript and use <a href=\"/#/lesson/{id}\">our page</a>.</small></p>\n",
        escaped(&lesson.title),
        facts(lesson, None),
    );
    end(out, &format!("/list/{}", shard_name(entry.stage, entry.grade)))
}

fn line(shard: &str, lesson: &Listed, sections: &Sections) -> String {
    format!(
        "<a href=\"/list/{shard}/~{}\">{}</a><small>{}</small>",
        lesson.lesson,
        escaped(&lesson.title),
        facts(lesson, Some(sections))
    )
}

/// Where it is in the syllabus, who teaches, who provides it and under which terms.
fn facts(lesson: &Listed, sections: Option<&Sections>) -> String {
    let newest = sections.and_then(Sections::newest);
    let section = newest.zip(lesson.section.as_ref()).and_then(|(newest, id)| newest.section(id));
    // As the page with script says it: to the nearest, one at least.
    let minutes = lesson.duration_ms.saturating_add(30_000) / 60_000;
    let mut facts: Vec<Cow<'_, str>> = section.map(|section| escaped(&section.zh)).into_iter().collect();
    let told = [&lesson.subject, &lesson.edition, &lesson.volume, &lesson.unit, &lesson.syllabus];
    facts.extend(told.into_iter().flatten().map(|text| escaped(text)));
    if lesson.duration_ms > 0 {
        facts.push(format!("{} 分钟", minutes.max(1)).into());
    }
    let named = [("授课", &lesson.teacher), ("来源", &lesson.provider), ("许可", &lesson.licence)];
    facts.extend(
        named
            .into_iter()
            .filter_map(|(name, text)| text.as_ref().map(|text| format!("{name}：{}", escaped(text)).into())),
    );
    facts.join(DOT)
}

fn begin(title: &str, english: &str) -> String {
    format!(
        "{HEAD}<title>{title}</title>\n</head>\n<body>\n<main>\n<h1>{title} <small lang=\"en\">{english}</small></h1>\n"
    )
}

fn end(mut out: String, back: &str) -> String {
    let _ = write!(
        out,
        "</main>\n<footer><p><a href=\"{back}\">返回 <span lang=\"en\">Back</span></a></p>\n\
         <p>不用登录，不设 Cookie，不记录任何人。<small lang=\"en\">No account, no cookies, nobody is recorded.</small></p></footer>\n</body>\n</html>\n"
    );
    out
}

fn grade_name(entry: &ShardEntry) -> &'static str {
    entry.grade.map_or("全部", Grade::name)
}

fn of_grade(entry: &ShardEntry) -> &'static str {
    entry.grade.map_or("", Grade::name)
}

fn english_stage(stage: Stage) -> &'static str {
    match stage {
        Stage::Primary => "Primary school",
        Stage::Junior => "Junior high school",
        Stage::Senior => "Senior high school",
        Stage::Other => "Other",
    }
}

/// Text that can never become markup, in an element or an attribute in double quotes.
fn escaped(text: &str) -> Cow<'_, str> {
    if !text.contains(['&', '<', '>', '"', '\'']) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            _ => out.push(c),
        }
    }
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use package::catalogue::Catalogue;

    fn listed(count: usize) -> (ShardEntry, Vec<Listed>) {
        let mut catalogue = Catalogue::default();
        for n in 0..count {
            let line = serde_json::json!({
                "lesson": format!("l-{n:03}"), "duration_ms": 61_000, "title": "<b>\"分数\"</b>", "stage": "primary", "grade": 3,
                "subject": "数学", "syllabus": (n < 2).then_some("8.1"), "language": "zh-CN", "provider": "人教社 & Co",
                "licence": "CC0-1.0", "section": "read-aloud",
            });
            catalogue.upsert(serde_json::from_value::<Listed>(line).unwrap());
        }
        let version = package::catalogue::Version::parse(&catalogue.render().version).unwrap();
        (version.shards[0].clone(), catalogue.lessons().cloned().collect())
    }

    #[test]
    fn a_page_lists_a_hundred_places_and_leads_to_the_next() {
        let (entry, all) = listed(202);
        let page = |number| lessons(&entry, &all, number, 100, &Sections::shipped());
        let first = page(1).unwrap();
        assert!(first.contains("href=\"/list/primary-3/2\"") && !first.contains("上一页"));
        assert!(page(2).unwrap().contains("href=\"/list/primary-3\""));
        assert!(page(3).unwrap().contains("l-201") && page(4).is_none());
        // The second lesson of one place is below the first, and counts no line.
        assert!(first.find("~l-000").unwrap() < first.find("aria-label").unwrap());
        assert!(first.find("aria-label").unwrap() < first.find("~l-001").unwrap());
        assert!(first.contains("~l-100\"") && !first.contains("~l-101\""));
    }

    #[test]
    fn what_people_wrote_is_never_markup_and_its_source_and_terms_are_told() {
        let (entry, all) = listed(1);
        for page in [lessons(&entry, &all, 1, 100, &Sections::shipped()).unwrap(), lesson(&entry, &all[0])] {
            assert!(!page.contains("<b>") && page.contains("&lt;b&gt;&quot;分数&quot;"), "{page}");
            assert!(page.contains("来源：人教社 &amp; Co") && page.contains("许可：CC0-1.0"), "{page}");
        }
        // A section that the newest edition does not have goes on under another name.
        assert!(lessons(&entry, &all, 1, 100, &Sections::shipped()).unwrap().contains("课程教学"));
    }

    #[test]
    fn files_are_listed_with_whose_they_are() {
        let file = serde_json::json!({
            "path": format!("r/{}.pdf", "0a".repeat(32)), "name": "数学<1>.pdf", "bytes": 5_000_000, "sha256": "0a".repeat(32),
        });
        let list = serde_json::json!({ "version": 1, "resources": [{
            "resource": "m3", "title": "数学", "kind": "textbook", "grade": 3, "provider": "人教社 & Co", "licence": "供教学使用", "files": [file],
        }]});
        let page = resources(&serde_json::from_value(list).unwrap());
        assert!(
            page.contains("来源：人教社 &amp; Co\u{a0}· 许可：供教学使用")
                && page.contains("download=\"数学&lt;1&gt;.pdf\""),
            "{page}"
        );
        assert!(page.contains(&format!("href=\"/r/{}.pdf\"", "0a".repeat(32))));
    }

    #[test]
    fn nothing_is_published() {
        assert!(resources(&Resources::default()).contains("还没有课本和资料"));
        assert!(home(&[]).contains("目录里还没有课程"));
        assert!(
            lessons(&listed(1).0, &[], 1, 100, &Sections::shipped())
                .is_none_or(|page| !page.contains("<li>"))
        );
    }
}
