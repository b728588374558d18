//! A report on a terminal: Chinese, then English, and a line drawn of blocks.

use super::{Figures, Part, Quantiles, Report};
use std::collections::BTreeMap;
use std::fmt::{self, Display, Formatter};

/// Columns of the drawn line.
const COLUMNS: usize = 60;
/// Columns of the names in front.
const NAMES: usize = 24;

impl Display for Report {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let total = &self.total;
        let ended = if self.interrupted { "，提前结束 ended early" } else { "" };
        row(
            f,
            "演练 drill",
            format_args!("{} · {:.1} s · ×{}{ended}", self.began, self.lasted_s, self.speed),
        )?;
        row(
            f,
            "播放器 players",
            format_args!(
                "{} / {} 到场 arrived · {} 起播 started · {} 看完 finished · {} 放弃 gave up",
                total.arrived, self.players, total.started, total.finished, total.gave_up
            ),
        )?;
        row(f, "起播时间 start-up", Times(total.startup))?;
        row(f, "卡顿 rebuffering", Stalls(total))?;
        row(f, "错误 errors", format_args!("{}{}", self.errors(), Counts(&total.errors)))?;
        if !total.holds.is_empty() {
            row(f, "被要求稍候 put off", format_args!("{}{}", Times(total.held), Counts(&total.holds)))?;
        }
        row(
            f,
            "请求 requests",
            format_args!(
                "{} · {} 连接 connections · {} 重试 retries",
                total.requests, total.connections, total.retries
            ),
        )?;
        row(
            f,
            "带宽 bandwidth",
            format_args!(
                "平均 mean {} · 峰值 peak {} (1 s) {} (5 s) · {}",
                Bits(total.rate.mean),
                Bits(total.rate.peak_1s),
                Bits(total.rate.peak_5s),
                Bytes(total.bytes)
            ),
        )?;
        let bytes: Vec<u64> = self.seconds.iter().map(|second| second.bytes).collect();
        row(f, "每秒 each second", sparkline(&bytes, COLUMNS))?;
        let waiting: Vec<u64> = self.seconds.iter().map(|second| second.screens.waiting).collect();
        if waiting.iter().any(|&players| players > 0) {
            row(f, "卡顿人数 waiting", sparkline(&waiting, COLUMNS))?;
        }
        let renditions: Vec<String> =
            self.renditions.iter().map(|amount| format!("{} {}", amount.name, Bytes(amount.bytes))).collect();
        row(f, "各档流量 renditions", renditions.join(" · "))?;
        row(f, "缓存 cache", Counts(&total.cache))?;
        if let Some(taken) = self.downloads {
            row(
                f,
                "下载 downloads",
                format_args!(
                    "{} · {} 完成 finished · {} 被要求稍候 put off · {} 失败 failed",
                    Bytes(taken.bytes),
                    taken.finished,
                    taken.put_off,
                    taken.failed
                ),
            )?;
        }
        if let Some(origin) = self.origin {
            match origin.bytes() {
                Some(bytes) if origin.alive_before => row(f, "源站发出 origin sent", Bytes(bytes))?,
                Some(_) => row(f, "源站发出 origin sent", "0 B，源站未运行 the origin is down")?,
                None => row(
                    f,
                    "源站发出 origin sent",
                    "未知，演练中源站停止 unknown: it went down or came up meanwhile",
                )?,
            }
        }
        let own = &self.swarm;
        let cores = own.cpu_s / self.lasted_s.max(0.001);
        row(
            f,
            "演练自身 the drill",
            format_args!(
                "{} 线程 threads · {:.1} s CPU ({cores:.2} 核 cores) · 最迟 latest {} ms",
                own.threads, own.cpu_s, own.late_ms
            ),
        )?;
        parts(f, "各节点 nodes", &self.nodes)?;
        if self.bells.len() > 1 {
            parts(f, "各铃声 bells", &self.bells)?;
        }
        Ok(())
    }
}

fn parts(f: &mut Formatter<'_>, title: &str, parts: &[Part]) -> fmt::Result {
    writeln!(f, "{title}")?;
    for Part { name, figures } in parts {
        row(
            f,
            &format!("  {name}"),
            format_args!(
                "{} · {} · {} · 错误 errors {} · {}",
                figures.arrived,
                Times(figures.startup),
                Stalls(figures),
                figures.errors.values().sum::<u64>(),
                Bits(figures.rate.mean),
            ),
        )?;
    }
    Ok(())
}

fn row(f: &mut Formatter<'_>, name: &str, value: impl Display) -> fmt::Result {
    let width: usize = name.chars().map(|c| if c.is_ascii() { 1 } else { 2 }).sum();
    writeln!(f, "{name}{:pad$}  {value}", "", pad = NAMES.saturating_sub(width))
}

struct Times(Option<Quantiles>);

impl Display for Times {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self.0 {
            None => f.write_str("—"),
            Some(times) => {
                write!(f, "p50 {} ms, p95 {} ms, p99 {} ms, ", times.p50_ms, times.p95_ms, times.p99_ms)?;
                write!(f, "最长 longest {} ms", times.most_ms)
            }
        }
    }
}

struct Stalls<'a>(&'a Figures);

impl Display for Stalls<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let rebuffers = &self.0.rebuffers;
        write!(f, "卡顿 rebuffers {}", rebuffers.count)?;
        if rebuffers.count > 0 {
            write!(
                f,
                " ({} 人 players, {:.1} s, {:.4} %)",
                rebuffers.players,
                rebuffers.stalled_s,
                rebuffers.ratio * 100.0
            )?;
        }
        Ok(())
    }
}

struct Counts<'a>(&'a BTreeMap<&'static str, u64>);

impl Display for Counts<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|(name, count)| write!(f, " {name}={count}"))
    }
}

/// Bits a second, base 1000, with two digits behind the point.
pub(super) struct Bits(pub(super) u64);

impl Display for Bits {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        scaled(f, self.0, "bit/s")
    }
}

/// Bytes, base 1000.
pub(super) struct Bytes(pub(super) u64);

impl Display for Bytes {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        scaled(f, self.0, "B")
    }
}

fn scaled(f: &mut Formatter<'_>, value: u64, unit: &str) -> fmt::Result {
    for (scale, prefix) in [(1_000_000_000_000, "T"), (1_000_000_000, "G"), (1_000_000, "M"), (1_000, "k")] {
        if value >= scale {
            return write!(f, "{:.2} {prefix}{unit}", value as f64 / scale as f64);
        }
    }
    write!(f, "{value} {unit}")
}

/// `values` as a line of blocks, at most `columns` wide: each block shows the highest value of its part.
pub(crate) fn sparkline(values: &[u64], columns: usize) -> String {
    const BLOCKS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    let part = values.len().div_ceil(columns.max(1)).max(1);
    let highest = values.iter().copied().max().unwrap_or(0).max(1);
    let block = |part: &[u64]| {
        let value = part.iter().copied().max().unwrap_or(0);
        BLOCKS[usize::try_from(u128::from(value) * 7 / u128::from(highest)).unwrap_or(0)]
    };
    values.chunks(part).map(block).collect()
}

#[cfg(test)]
mod tests {
    use super::super::tests::sample;
    use super::*;

    #[test]
    fn a_line_shows_the_highest_of_each_part() {
        assert_eq!(sparkline(&[0, 1, 2, 3, 4, 5, 6, 7], 8), "▁▂▃▄▅▆▇█");
        assert_eq!(sparkline(&[0, 7, 3, 0], 2), "█▄");
        assert_eq!(sparkline(&[], 8), "");
        assert_eq!(sparkline(&[0, u64::MAX], 8), "▁█");
    }

    #[test]
    fn everything_that_was_found_is_said() {
        let text = sample().to_string();
        for said in [
            "起播时间 start-up",
            "1000 / 1000",
            "upstream=3",
            "waiting_room=40",
            "fill=40 hit=19960",
            "s2 1.20 GB",
            "源站未运行",
            "http://10.0.0.2:8080",
            "09:10 <b>",
            "rebuffers 2 (2 人 players, 1.0 s, 0.0250 %)",
        ] {
            assert!(text.contains(said), "{said} is not in\n{text}");
        }
    }
}
