//! The day on one page, to be printed and hung up.

use super::{channels, escaped};
use crate::file::grades_text;
use crate::plan::Plan;
use std::fmt::Write;

/// Letters as large as the reader has chosen; on a phone the columns share what there is, and long addresses break.
/// A day that needs several sheets has its columns named on each.
const STYLE: &str = "\
body{font:.9rem/1.5 'Noto Sans CJK SC','Microsoft YaHei',sans-serif;margin:1.5em;color:#111;overflow-wrap:anywhere}\
h1{font-size:1.5em;margin:0}h2{font-size:1.1em;margin:1.2em 0 .3em;break-after:avoid}\
table{border-collapse:collapse;width:100%}td,th{border:1px solid #999;padding:.2em .5em;text-align:left}\
th{overflow-wrap:normal}td:first-child{width:7em;overflow-wrap:normal}.lesson td{font-weight:bold}\
tr,section{break-inside:avoid}ul{padding-left:1.2em}small{color:#444}\
@media screen and (max-width:40em){body{margin:.6em}td,th{padding:.2em .3em}td:first-child{width:3.5em}\
th small,td small{display:none}}@media print{body{margin:0}}";

/// The guide of one channel or of all, as a page in Chinese and English.
pub fn html(plan: &Plan, channel: Option<&str>) -> String {
    let mut out = String::new();
    let date = plan.date.strftime("%Y年%-m月%-d日");
    // Writing into a string cannot fail.
    let _ = write!(
        out,
        "<!doctype html>\n<html lang=\"zh-CN\">\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width\">\n\
         <title>{date} 课程表 Timetable</title>\n<style>{STYLE}</style>\n<h1>{date} 课程表 <small>Timetable {}</small></h1>\n\
         <small>时区 Time zone: {} · 第 {} 版 Edition {}</small>\n",
        plan.date, plan.zone, plan.edition, plan.edition
    );
    for channel in channels(&[plan], channel) {
        let grades = match grades_text(&channel.grades) {
            none if none.is_empty() => String::new(),
            grades => format!(" <small>年级 Grades {grades}</small>"),
        };
        let _ = write!(
            out,
            "<section>\n<h2>{}{grades}</h2>\n<table>\n\
             <thead><tr><th>时间 <small>Time</small><th>节目 <small>Programme</small><th>学科 <small>Subject</small>\
             <th>类型 <small>Kind</small><tbody>\n",
            escaped(&channel.title)
        );
        for entry in plan.guide(channel) {
            let time = |moment| plan.zone.local(moment).strftime("%H:%M").to_string();
            let class = if entry.kind.shows_lesson() { " class=lesson" } else { "" };
            let _ = writeln!(
                out,
                "<tr{class}><td>{}–<wbr>{}<td>{}<td>{}<td>{} <small>{}</small>",
                time(entry.start),
                time(entry.end),
                escaped(entry.title),
                escaped(entry.subject.unwrap_or("")),
                entry.kind.name(),
                entry.kind.as_str().replace('_', " "),
            );
        }
        out.push_str("</table>\n</section>\n");
    }
    if !plan.documents.is_empty() {
        out.push_str("<section>\n<h2>用眼时长依据 <small>Where limits come from</small></h2>\n<ul>\n");
        for document in &plan.documents {
            let _ = writeln!(
                out,
                "<li>{}，{} {} <small>{}</small>",
                escaped(&document.authority),
                escaped(&document.title),
                document.issued,
                escaped(&document.source)
            );
        }
        out.push_str("</ul>\n</section>\n");
    }
    out.push_str("</html>\n");
    out
}
