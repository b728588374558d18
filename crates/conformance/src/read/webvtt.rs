//! WebVTT: the header, X-TIMESTAMP-MAP, cues.

/// What a text says.
#[derive(Debug, Clone, Default)]
pub(crate) struct Text {
    /// It begins with WEBVTT.
    pub(crate) has_signature: bool,
    /// Milliseconds of LOCAL, 90 kHz ticks of MPEGTS.
    pub(crate) map: Option<(u64, u64)>,
    /// An X-TIMESTAMP-MAP is there and cannot be read.
    pub(crate) broken_map: bool,
    pub(crate) cues: Vec<Cue>,
    /// Lines with `-->` that are no timing.
    pub(crate) broken: Vec<usize>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Cue {
    pub(crate) line: usize,
    pub(crate) start_ms: u64,
    pub(crate) end_ms: u64,
    pub(crate) text: String,
}

/// Cues of one text that are read.
const MAX_CUES: usize = 100_000;

pub(crate) fn read(text: &str) -> Text {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut found = Text::default();
    let mut lines = text.lines().enumerate().peekable();
    if let Some((_, first)) = lines.next() {
        let after = first.strip_prefix("WEBVTT");
        found.has_signature = after.is_some_and(|rest| rest.is_empty() || rest.starts_with([' ', '\t']));
    }
    // The header block ends at the first empty line (HLS puts the map into it).
    while let Some((_, line)) = lines.next_if(|(_, line)| !line.trim().is_empty() && !line.contains("-->")) {
        if let Some(map) = line.strip_prefix("X-TIMESTAMP-MAP=") {
            found.map = timestamp_map(map);
            found.broken_map = found.map.is_none();
        }
    }
    while let Some((number, line)) = lines.next() {
        let Some((start, rest)) = line.split_once("-->") else { continue };
        let end = rest.split_whitespace().next().unwrap_or_default();
        let mut text = String::new();
        while let Some((_, line)) = lines.next_if(|(_, line)| !line.trim().is_empty()) {
            if !text.is_empty() {
                text.push('\n');
            }
            text.push_str(line);
        }
        match (milliseconds(start.trim()), milliseconds(end)) {
            (Some(start_ms), Some(end_ms)) if found.cues.len() < MAX_CUES => {
                found.cues.push(Cue { line: number + 1, start_ms, end_ms, text });
            }
            _ => found.broken.push(number + 1),
        }
    }
    found
}

/// `LOCAL:00:00:00.000,MPEGTS:900000`, in either order.
fn timestamp_map(text: &str) -> Option<(u64, u64)> {
    let (mut local, mut ticks) = (None, None);
    for part in text.split(',') {
        match part.trim().split_once(':')? {
            ("LOCAL", time) => local = Some(milliseconds(time)?),
            ("MPEGTS", count) => ticks = Some(count.parse().ok()?),
            _ => {}
        }
    }
    local.zip(ticks)
}

/// `[hh:]mm:ss.mmm`
pub(crate) fn milliseconds(text: &str) -> Option<u64> {
    let (clock, fraction) = text.split_once('.')?;
    if fraction.len() != 3 || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let parts: Vec<u64> = clock.split(':').map(|part| part.parse().ok()).collect::<Option<_>>()?;
    let (hours, minutes, seconds) = match parts[..] {
        [minutes, seconds] => (0, minutes, seconds),
        [hours, minutes, seconds] => (hours, minutes, seconds),
        _ => return None,
    };
    if minutes > 59 || seconds > 59 || hours > 1_000_000 {
        return None;
    }
    Some(((hours * 60 + minutes) * 60 + seconds) * 1_000 + fraction.parse::<u64>().ok()?)
}
