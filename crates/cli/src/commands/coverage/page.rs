//! A page for a teacher: bars a minute. One file, no script, nothing from elsewhere.

use coverage::{Cell, ClassCoverage, LessonCoverage};
use std::fmt::Write as _;

/// The page of one class and day.
pub(super) fn page(class: &ClassCoverage) -> String {
    let mut html = format!(
        r#"<!doctype html>
<html lang="zh-CN">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<meta name="referrer" content="no-referrer">
<title>班级学情 {code} {day}</title>
<style>
:root {{ color-scheme: light dark; font: 1rem/1.5 system-ui, "Noto Sans CJK SC", sans-serif }}
body {{ max-width: 60rem; margin: 2rem auto; padding: 0 1rem }}
figure {{ margin: 2rem 0 }}
ol {{ display: flex; align-items: end; gap: 2px; height: 8rem; margin: 0; padding: 0; list-style: none; border-bottom: 1px solid }}
li {{ flex: 1; background: #2b6cb0; min-height: 2px }}
li.few {{ background: #a0aec0 }}
li.back {{ box-shadow: inset 0 .5rem #dd6b20 }}
table {{ border-collapse: collapse; font-variant-numeric: tabular-nums }}
td, th {{ padding: .1rem .8rem; text-align: left; border-bottom: 1px solid #8884 }}
</style>
<h1>班级学情</h1>
<p>班级码 <b>{code}</b>，{day}。只有人数，没有名字：少于 5 人的不显示，其余数字随机取整到 5 的倍数。
<p lang="en">Class <b>{code}</b>, {day}. Numbers only, no names: fewer than 5 are not told, others are rounded at random to multiples of 5.
"#,
        code = class.class,
        day = class.day,
    );
    class.lessons.iter().for_each(|lesson| figure(&mut html, lesson));
    html.push_str("</html>\n");
    html
}

fn figure(html: &mut String, lesson: &LessonCoverage) {
    let began = lesson.began;
    let _ = write!(
        html,
        "<figure>\n<figcaption><h2>{}</h2><p>约 {began} 人开始看。橙色：有人回看的分钟。</figcaption>\n<ol aria-hidden=\"true\">",
        lesson.lesson
    );
    let cell = |cells: &[Cell], minute: usize| cells.get(minute).copied().unwrap_or(Cell::Few);
    let minutes = lesson.seen.len().max(lesson.again.len());
    for minute in 0..minutes {
        let seen = cell(&lesson.seen, minute);
        let class = match (seen, cell(&lesson.again, minute)) {
            (Cell::Few, _) => "few",
            (_, Cell::Few) => "",
            (_, _) => "back",
        };
        let _ = write!(html, "<li class=\"{class}\" style=\"height:{}%\">", percent(seen, began));
    }
    html.push_str("</ol>\n<details><summary>数字</summary><table><tr><th>分钟<th>看过<th>回看\n");
    for minute in 0..minutes {
        let (seen, again) = (cell(&lesson.seen, minute), cell(&lesson.again, minute));
        let _ = writeln!(html, "<tr><td>{}<td>{}<td>{}", minute + 1, word(seen), word(again));
    }
    html.push_str("</table></details>\n</figure>\n");
}

fn percent(cell: Cell, began: u32) -> u32 {
    match cell {
        Cell::Few => 3,
        Cell::About(count) => (100 * count / began.max(1)).min(95),
        Cell::NearlyAll => 100,
    }
}

fn word(cell: Cell) -> String {
    match cell {
        Cell::Few => "少于 5".to_owned(),
        Cell::About(count) => format!("约 {count}"),
        Cell::NearlyAll => "几乎全部".to_owned(),
    }
}
