//! What is reported.

use package::LessonId;
use serde::{Deserialize, Serialize};

/// The longest report, in bytes.
pub const MAX_REPORT_BYTES: usize = 1 << 10;
/// The longest name of a node.
const MAX_NODE: usize = 64;
/// Hexadecimal digits of the number that an answer has.
const TRACE_DIGITS: usize = 16;
/// What a page may have fetched.
const RUNGS: [&str; 13] =
    ["s0", "s1", "s2", "s3", "s4", "s5", "a2", "a3", "a4", "a5", "audio", "ts", "slides"];
/// Characters of a page's hash.
const BUILD_LETTERS: usize = 8;
/// A report that has waited on a device for longer is of no use: a month, in minutes.
const MAX_WAITED_MIN: u32 = 31 * 24 * 60;

/// What the reporter has chosen from the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// 打不开.
    Start,
    /// 总是卡.
    Stalls,
    /// 没有画面.
    Picture,
    /// 没有声音.
    Sound,
    /// 字幕或课件不对.
    Text,
    /// 不是这节课.
    Wrong,
    /// 页面有问题.
    Page,
    /// 资料下载不了.
    Download,
}

/// What the page itself knows to be wrong. Names label metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FaultSeen {
    /// Nothing that it knows of.
    #[default]
    None,
    /// It is not there.
    Missing,
    /// The node cannot answer now.
    Busy,
    /// Nothing answers.
    Unreachable,
    /// What came makes no sense.
    Damaged,
    /// It opens later, or others begin before.
    Waiting,
    /// The device cannot decode it.
    Decoder,
    /// The browser cannot play at all.
    Unsupported,
}

/// What plays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Engine {
    /// The page's own.
    #[serde(rename = "hls.js")]
    HlsJs,
    /// The system's.
    #[serde(rename = "native")]
    Native,
}

/// One report. Every word of it is from a closed list or a number that a node has made: there is no place for what people write.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Report {
    /// The reporter's choice.
    pub kind: Kind,
    /// What the page knows.
    #[serde(default)]
    pub fault: FaultSeen,
    /// The node that answered, by its name in Cache-Status.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node: Option<String>,
    /// The number of its answer (Airclass-Trace), by which its access log has the line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace: Option<String>,
    /// The status of that answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// What was fetched: `s2`, `a4`, `audio`, `ts`, `slides`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rung: Option<String>,
    /// Which lesson.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lesson: Option<LessonId>,
    /// Which page: the hash in its script's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub build: Option<String>,
    /// What plays.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub engine: Option<Engine>,
    /// How long it has waited on the device, in minutes.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub waited_min: u32,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
const fn is_zero(minutes: &u32) -> bool {
    *minutes == 0
}

/// Why bytes are no report. Names label metrics.
#[derive(Debug, thiserror::Error)]
pub enum InvalidReport {
    /// Longer than [`MAX_REPORT_BYTES`].
    #[error("longer than {MAX_REPORT_BYTES} bytes")]
    Long,
    /// Not JSON, not of this shape, or a word that is in no list.
    #[error(transparent)]
    Json(#[from] serde_json::Error),
    /// A word that looks like no name of ours.
    #[error("`{0}` is not of the form that it must have")]
    Word(&'static str),
}

impl Kind {
    /// As in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Stalls => "stalls",
            Self::Picture => "picture",
            Self::Sound => "sound",
            Self::Text => "text",
            Self::Wrong => "wrong",
            Self::Page => "page",
            Self::Download => "download",
        }
    }
}

impl FaultSeen {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::None,
        Self::Missing,
        Self::Busy,
        Self::Unreachable,
        Self::Damaged,
        Self::Waiting,
        Self::Decoder,
        Self::Unsupported,
    ];

    /// For metrics, as in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Missing => "missing",
            Self::Busy => "busy",
            Self::Unreachable => "unreachable",
            Self::Damaged => "damaged",
            Self::Waiting => "waiting",
            Self::Decoder => "decoder",
            Self::Unsupported => "unsupported",
        }
    }
}

impl Report {
    /// Reads one.
    ///
    /// # Errors
    /// See [`InvalidReport`].
    pub fn parse(bytes: &[u8]) -> Result<Self, InvalidReport> {
        if bytes.len() > MAX_REPORT_BYTES {
            return Err(InvalidReport::Long);
        }
        let report: Self = serde_json::from_slice(bytes)?;
        let told = |word: &Option<String>, fits: fn(&str) -> bool| word.as_deref().is_none_or(fits);
        let wrong = [
            ("node", told(&report.node, is_node)),
            ("trace", told(&report.trace, is_trace)),
            ("status", report.status.is_none_or(|status| status < 1_000)),
            ("rung", told(&report.rung, |rung| RUNGS.contains(&rung))),
            ("build", told(&report.build, is_build)),
            ("waited_min", report.waited_min <= MAX_WAITED_MIN),
        ];
        match wrong.into_iter().find(|(_, fits)| !fits) {
            Some((name, _)) => Err(InvalidReport::Word(name)),
            None => Ok(report),
        }
    }
}

fn is_node(word: &str) -> bool {
    let token = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    (1..=MAX_NODE).contains(&word.len()) && word.bytes().all(token)
}

fn is_trace(word: &str) -> bool {
    word.len() == TRACE_DIGITS && word.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

fn is_build(word: &str) -> bool {
    word.len() == BUILD_LETTERS && word.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
}
