//! A report as one page: no script, no font, nothing to fetch.

use super::chart::{Curve, columns, over_time};
use super::text::{Bits, Bytes};
use super::{Figures, Part, Quantiles, Report};
use std::fmt::{self, Write};

const STYLE: &str = "\
    body{font:15px/1.5 system-ui,'Noto Sans CJK SC','Microsoft YaHei',sans-serif;margin:2em auto;max-width:62em;padding:0 1em;\
    color:#1c2430;background:#fff}h1{font-size:1.5em}h2{font-size:1.1em;margin-top:2em}small{color:#667;font-weight:400}\
    .cards{display:flex;flex-wrap:wrap;gap:.8em}.card{border:1px solid #d8dee8;border-radius:8px;padding:.6em 1em;min-width:9em}\
    .card b{display:block;font-size:1.4em}.card.bad b{color:#b3261e}table{border-collapse:collapse;width:100%}\
    th,td{border-bottom:1px solid #e4e8ef;padding:.3em .6em;text-align:right;white-space:nowrap}th:first-child,td:first-child{text-align:left}\
    svg{width:100%;height:auto}svg text{font-size:11px;fill:#667}svg line{stroke:#e4e8ef}polyline{fill:none;stroke-width:1.5}\
    .bits,.playing{stroke:#1f6feb}.starting{stroke:#9a6700}.waiting{stroke:#b3261e}.bar{fill:#1f6feb}\
    .key span{margin-right:1.2em}.key .playing{color:#1f6feb}.key .starting{color:#9a6700}.key .waiting{color:#b3261e}\
    @media(prefers-color-scheme:dark){body{background:#12161c;color:#dde3ea}.card,th,td{border-color:#333c48}svg line{stroke:#333c48}}";

impl Report {
    /// The page.
    pub(crate) fn page(&self) -> String {
        let mut html = String::with_capacity(64 * 1_024);
        self.write(&mut html).expect("writing to a String does not fail");
        html
    }

    fn write(&self, html: &mut String) -> fmt::Result {
        write!(
            html,
            "<!doctype html><html lang=\"zh-CN\"><meta charset=\"utf-8\">\
             <meta name=\"viewport\" content=\"width=device-width\"><title>上课铃演练 · Drill {}</title>\
             <style>{STYLE}</style><h1>上课铃演练 <small>Drill report</small></h1><p>{} · {:.1} s · ×{}{}</p>",
            escaped(&self.began),
            escaped(&self.began),
            self.lasted_s,
            self.speed,
            if self.interrupted { " · 提前结束 ended early" } else { "" },
        )?;
        self.cards(html)?;
        self.charts(html)?;
        self.table(html, "各节点", "nodes", &self.nodes)?;
        self.table(html, "各铃声", "bells", &self.bells)?;
        self.lists(html)?;
        html.push_str("</html>\n");
        Ok(())
    }

    fn cards(&self, html: &mut String) -> fmt::Result {
        let total = &self.total;
        html.push_str("<div class=\"cards\">");
        let mut card = |title: &str, english: &str, value: String, bad: bool| {
            let class = if bad { "card bad" } else { "card" };
            write!(
                html,
                "<div class=\"{class}\">{title} <small>{english}</small><b>{}</b></div>",
                escaped(&value)
            )
        };
        card(
            "起播",
            "started",
            format!("{} / {}", total.started, self.players),
            total.started < self.players,
        )?;
        card("起播时间 p95", "start-up", time(total.startup, |times| times.p95_ms), false)?;
        card("卡顿", "rebuffers", total.rebuffers.count.to_string(), total.rebuffers.count > 0)?;
        card(
            "卡顿比例",
            "rebuffer ratio",
            format!("{:.4} %", total.rebuffers.ratio * 100.0),
            total.rebuffers.count > 0,
        )?;
        card("错误", "errors", self.errors().to_string(), self.errors() > 0)?;
        card("平均带宽", "mean", Bits(total.rate.mean).to_string(), false)?;
        card("峰值 5 s", "peak", Bits(total.rate.peak_5s).to_string(), false)?;
        card("流量", "bytes", Bytes(total.bytes).to_string(), false)?;
        if let Some(origin) = self.origin {
            let bytes = origin.bytes().map_or("?".to_owned(), |bytes| Bytes(bytes).to_string());
            card("源站发出", "origin sent", bytes, false)?;
        }
        html.push_str("</div>");
        Ok(())
    }

    fn charts(&self, html: &mut String) -> fmt::Result {
        let of = |value: fn(&super::Second) -> u64| self.seconds.iter().map(value).collect::<Vec<_>>();
        let bits = of(|second| second.bytes.saturating_mul(8));
        let chart = over_time(&[Curve { class: "bits", values: &bits }], |value| Bits(value).to_string());
        write!(html, "<h2>带宽 <small>bandwidth</small></h2>{chart}")?;
        let playing = of(|second| second.screens.playing);
        let starting = of(|second| second.screens.starting);
        let waiting = of(|second| second.screens.waiting);
        let curves = [
            Curve { class: "playing", values: &playing },
            Curve { class: "starting", values: &starting },
            Curve { class: "waiting", values: &waiting },
        ];
        write!(
            html,
            "<h2>播放器 <small>players</small></h2><p class=\"key\"><span class=\"playing\">播放 playing</span>\
             <span class=\"starting\">起播中 starting</span><span class=\"waiting\">卡顿 waiting</span></p>{}",
            over_time(&curves, |value| value.to_string())
        )?;
        let name = |within: Option<u32>| match within {
            Some(ms) if ms < 1_000 => format!("{ms} ms"),
            Some(ms) => format!("{} s", f64::from(ms) / 1e3),
            None => "> 30 s".to_owned(),
        };
        let bars: Vec<_> =
            self.startups.iter().map(|bucket| (name(bucket.within_ms), bucket.players)).collect();
        write!(html, "<h2>起播时间分布 <small>start-up times, up to</small></h2>{}", columns(&bars))
    }

    fn table(&self, html: &mut String, title: &str, english: &str, parts: &[Part]) -> fmt::Result {
        write!(
            html,
            "<h2>{title} <small>{english}</small></h2><table><tr><th></th><th>到场<br><small>arrived</small></th>\
             <th>起播<br><small>started</small></th><th>p50</th><th>p95</th><th>p99</th><th>卡顿<br><small>rebuffers</small></th>\
             <th>稍候<br><small>put off</small></th><th>错误<br><small>errors</small></th><th>放弃<br><small>gave up</small></th>\
             <th>平均<br><small>mean</small></th><th>峰值 5 s<br><small>peak</small></th></tr>"
        )?;
        for Part { name, figures } in parts {
            let Figures { startup, .. } = *figures;
            write!(
                html,
                "<tr><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td>\
                 <td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>",
                escaped(name),
                figures.arrived,
                figures.started,
                time(startup, |times| times.p50_ms),
                time(startup, |times| times.p95_ms),
                time(startup, |times| times.p99_ms),
                figures.rebuffers.count,
                figures.holds.values().sum::<u64>(),
                figures.errors.values().sum::<u64>(),
                figures.gave_up,
                Bits(figures.rate.mean),
                Bits(figures.rate.peak_5s),
            )?;
        }
        html.push_str("</table>");
        Ok(())
    }

    fn lists(&self, html: &mut String) -> fmt::Result {
        let total = &self.total;
        let renditions =
            self.renditions.iter().map(|amount| (&*amount.name, Bytes(amount.bytes).to_string()));
        list(html, "各档流量", "bytes by rendition", renditions)?;
        let counts = |counts: &std::collections::BTreeMap<&'static str, u64>| {
            counts.iter().map(|(&name, count)| (name, count.to_string())).collect::<Vec<_>>()
        };
        list(html, "缓存", "Cache-Status of the nodes", counts(&total.cache).into_iter())?;
        list(html, "错误", "errors by kind", counts(&total.errors).into_iter())?;
        list(html, "被要求稍候", "put off", counts(&total.holds).into_iter())?;
        let own = &self.swarm;
        write!(
            html,
            "<p><small>演练自身用 {} 线程、{:.1} s CPU，秒表最迟 {} ms。The drill itself used {} threads and {:.1} s of CPU; \
             its own clock was at most {} ms late.</small></p>",
            own.threads, own.cpu_s, own.late_ms, own.threads, own.cpu_s, own.late_ms
        )
    }
}

fn list<'a>(
    html: &mut String,
    title: &str,
    english: &str,
    rows: impl Iterator<Item = (&'a str, String)>,
) -> fmt::Result {
    let mut rows = rows.peekable();
    if rows.peek().is_none() {
        return Ok(());
    }
    write!(html, "<h2>{title} <small>{english}</small></h2><table>")?;
    for (name, value) in rows {
        write!(html, "<tr><td>{}</td><td>{}</td></tr>", escaped(name), escaped(&value))?;
    }
    html.push_str("</table>");
    Ok(())
}

fn time(times: Option<Quantiles>, which: impl Fn(Quantiles) -> u32) -> String {
    times.map_or("—".to_owned(), |times| format!("{} ms", which(times)))
}

/// Text between tags.
pub(super) fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            c => safe.push(c),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::super::tests::sample;

    #[test]
    fn a_page_needs_nothing_and_believes_no_name() {
        let page = sample().page();
        for foreign in ["<script", "src=", "href=", "@import", "url(", "09:10 <b>"] {
            assert!(!page.contains(foreign), "{foreign}");
        }
        for said in ["上课铃演练", "09:10 &lt;b&gt;", "http://10.0.0.1:8080", "waiting_room", "upstream"]
        {
            assert!(page.contains(said), "{said}");
        }
        assert_eq!(page.matches("<svg").count(), page.matches("</svg>").count());
        assert_eq!(page.matches("<table").count(), page.matches("</table>").count());
    }
}
