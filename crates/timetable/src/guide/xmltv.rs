//! XMLTV, as receivers and head-ends read it.

use super::{channels, entries, escaped};
use crate::plan::Plan;
use jiff::Timestamp;
use std::fmt::Write;

/// The guide of some days, of one channel or of all, as XMLTV.
pub fn xmltv(plans: &[&Plan], channel: Option<&str>) -> String {
    let mut out =
        String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<!DOCTYPE tv SYSTEM \"xmltv.dtd\">\n");
    out.push_str("<tv generator-info-name=\"Airclass\">\n");
    let channels = channels(plans, channel);
    for channel in &channels {
        // Writing into a string cannot fail.
        let (id, title) = (escaped(channel.channel.as_str()), escaped(&channel.title));
        let _ = writeln!(
            out,
            "  <channel id=\"{id}\">\n    <display-name lang=\"zh\">{title}</display-name>\n  </channel>"
        );
    }
    for channel in channels {
        for (plan, entry) in entries(plans, channel) {
            let (start, stop) = (moment(plan, entry.start), moment(plan, entry.end));
            let id = escaped(channel.channel.as_str());
            let _ = writeln!(out, "  <programme start=\"{start}\" stop=\"{stop}\" channel=\"{id}\">");
            let _ = writeln!(out, "    <title lang=\"zh\">{}</title>", escaped(entry.title));
            if let Some(subject) = entry.subject {
                let _ = writeln!(out, "    <category lang=\"zh\">{}</category>", escaped(subject));
            }
            let _ = writeln!(out, "    <category lang=\"zh\">{}</category>", entry.kind.name());
            let _ = writeln!(out, "  </programme>");
        }
    }
    out.push_str("</tv>\n");
    out
}

/// `20260901083000 +0800`
fn moment(plan: &Plan, moment: Timestamp) -> String {
    let offset = plan.zone.offset_s();
    let (sign, minutes) = (if offset < 0 { '-' } else { '+' }, offset.abs() / 60);
    let local = plan.zone.local(moment).strftime("%Y%m%d%H%M%S");
    format!("{local} {sign}{:02}{:02}", minutes / 60, minutes % 60)
}
