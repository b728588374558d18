//! What operators read: what is wrong, and the first thing to do.

use super::{Alarm, Detail};

/// In both languages.
pub(super) struct Words {
    pub(super) zh: &'static str,
    pub(super) en: &'static str,
    pub(super) do_zh: &'static str,
    pub(super) do_en: &'static str,
}

const fn words(zh: &'static str, en: &'static str, do_zh: &'static str, do_en: &'static str) -> Words {
    Words { zh, en, do_zh, do_en }
}

/// Why a check of `/readyz` fails: the reason is the program's own, with what the check is about before it.
pub(super) fn check(name: &str, why: &str) -> Detail {
    let zh = match name {
        "listening" => "端口没有在监听",
        "store" => "存储没有应答",
        "upstream" => "没有一个上级应答",
        "not_draining" => "正在退出",
        "clock" => "不能确认时间",
        "plan" => "不知道今天的课表计划",
        "in_service" => "已被停止服务",
        "maintenance" => "节点主人正在维护",
        "burn_in" => "还没有通过试机",
        "certificate" => "节点在控制台的证书无效",
        _ => return why.to_owned().into(),
    };
    Detail { zh: format!("{zh}（{why}）"), en: why.to_owned() }
}

/// An upstream's group.
pub(super) fn group(name: &str) -> Detail {
    if name.is_empty() {
        return Detail::default();
    }
    Detail { zh: format!("组 {name}"), en: format!("group {name}") }
}

/// How a disk is.
pub(super) fn disk(state: &str) -> Detail {
    let zh = match state {
        "read_only" => "只读",
        "offline" => "离线",
        other => other,
    };
    Detail { zh: zh.to_owned(), en: state.to_owned() }
}

/// Minutes that have gone by, or are left.
pub(super) fn minutes(count: f64) -> Detail {
    Detail { zh: format!("{count:.0} 分钟"), en: format!("{count:.0} min") }
}

/// In a second.
pub(super) fn each_second(rate: f64) -> Detail {
    Detail { zh: format!("每秒 {rate:.0} 次"), en: format!("{rate:.0} / s") }
}

/// The level of pressure, and of what it comes.
pub(super) fn pressure(level: u64, worst: Option<(&str, f64)>) -> Detail {
    let level = format!("{level} / 3");
    let Some((reason, share)) = worst else { return level.into() };
    let zh = match reason {
        "cpu" => "处理器",
        "bandwidth" => "带宽",
        "memory" => "内存",
        "sockets" => "套接字",
        "connections" => "连接",
        "disk" => "磁盘",
        other => other,
    };
    let percent = 100.0 * share;
    Detail { zh: format!("{level}；{zh} {percent:.0} %"), en: format!("{level}; {reason} {percent:.0} %") }
}

impl Alarm {
    pub(super) const fn words(self) -> Words {
        match self {
            Self::NotReady => words(
                "节点未就绪，不应接收新流量",
                "Not ready: this node should not be given traffic",
                "按原因处理；确认调度已把学生引到别的节点。",
                "Look after the reason; see that students are sent to other nodes.",
            ),
            Self::BellNotCovered => words(
                "开课内容没有备齐",
                "Lessons of a bell are not all here",
                "看预取是否暂停、磁盘是否已满；离上课不到一小时就不要改动，缺的会在点播时合并回源。",
                "See whether the fill is paused or the disk full; within an hour of the bell leave it: what is missing is fetched once when asked for.",
            ),
            Self::SlowerThanRealtime => words(
                "分片送达慢于播放，学生画面会停",
                "Segments arrive slower than they play: pictures stand still",
                "看出口带宽和压力；请调度减少本节点的新会话。",
                "Look at egress and pressure; have fewer new sessions sent here.",
            ),
            Self::HealthMisses => words(
                "请求遇到节点或上级故障",
                "Requests meet trouble of this node or its upstreams",
                "先看上级是否可用，再看压力等级。",
                "Look at the upstreams first, then at the pressure.",
            ),
            Self::OverloadHigh => words(
                "节点压力高，新会话被推迟",
                "Under pressure: new sessions are put off",
                "看是哪一项用满了；正在上课的不受影响，请调度把新会话引到别处。",
                "See what is used up; lessons that play go on. Have new sessions sent elsewhere.",
            ),
            Self::EgressNearCapacity => words(
                "出口带宽接近上限",
                "Egress is near what may be sent",
                "请调度分流，或与节点主人商量提高上限。",
                "Have sessions sent elsewhere, or ask the owner for a higher limit.",
            ),
            Self::ClockOff => words(
                "时钟不准，新课可能不会按时开放",
                "The clock is off: lessons may not open in time",
                "检查 chrony 或 NTP；时钟恢复后会自动继续。",
                "Look at chrony or NTP; once the clock is right all goes on by itself.",
            ),
            Self::PlanRefused => words(
                "发布的课表计划被拒绝",
                "The published day plan is refused",
                "看拒绝原因（签名、版次、日期），修正后重新发布。",
                "See why (signature, edition, date), and publish a right one.",
            ),
            Self::PlanNotHeard => words(
                "很久没有取到课表计划",
                "The day plan's source has not answered for long",
                "检查到计划来源的网络；已取得的计划继续有效。",
                "Look at the way to the plan's source; the plan that is here stays in force.",
            ),
            Self::ParentDown => words(
                "上级不可用",
                "An upstream is down",
                "看那台服务器和到它的线路；同级的其他服务器正在代替它。",
                "Look at that server and the line to it; others of its tier stand in.",
            ),
            Self::DiskNotWell => words(
                "缓存盘异常",
                "A cache disk is not well",
                "看节点日志里这块盘的那一行（没有空间、只读、版本不符）、dmesg 和 SMART；不必停服务。换盘并挂载后，要重启 airclass-edge（或启动另一个 airclass-edge@ 接替）才会使用新盘。",
                "See its line in the node's log (no room, read-only, another version), dmesg and SMART; service goes on. Once another disk is mounted restart airclass-edge, or start the other airclass-edge@.",
            ),
            Self::ChecksumFailures => words(
                "从缓存盘读到错误数据，已丢弃并重新获取",
                "A disk gave wrong bytes; they were thrown away and fetched anew",
                "再次出现就换盘。",
                "Replace the disk when it happens again.",
            ),
            Self::CertificateEndsSoon => words(
                "证书即将到期",
                "A certificate ends soon",
                "换上新证书后 POST /reload；不需要重启。",
                "Put the new one in place and POST /reload; no restart is needed.",
            ),
            Self::OriginOverasked => words(
                "同样的内容重复回源",
                "The same things are fetched again and again",
                "缓存太小或有效期太短：看淘汰数，增加内存或磁盘。",
                "The cache is too small or lifetimes too short: see evictions, give it more memory or disk.",
            ),
            Self::FreeHoursShort => words(
                "本月 95 计费的免费时长将用完",
                "The month's free time above the billed level is nearly used up",
                "之后超过计费线的流量会抬高账单；需要时降低上限。",
                "What is sent above the level from here on is billed; lower the limit where that matters.",
            ),
            Self::AccountsNotWritten => words(
                "流量记账写不下去",
                "What is sent cannot be written down",
                "看记账目录的空间和权限；最多在内存里保留一天。",
                "See room and rights of the accounts' folder; a day is kept in memory at most.",
            ),
            Self::AccessLogLosing => words(
                "访问日志丢行",
                "The access log loses lines",
                "看日志盘的空间和速度；服务不受影响。",
                "See room and speed of the log's disk; service is not touched.",
            ),
            Self::AbuseRising => words(
                "攻击性连接增多，已被终止",
                "Abusive connections are ended in numbers",
                "不影响学生；持续时请上报安全。",
                "Students do not notice; report it when it goes on.",
            ),
        }
    }
}
