//! Reading CMCD's keys: a dictionary of structured fields (RFC 8941) as far as they go, in fields or in a query.

use http::{HeaderMap, HeaderName};
use std::borrow::Cow;

/// The fields that a player's keys are spread over. Each key is in one; which, does not matter here.
pub(crate) const FIELDS: [HeaderName; 4] = [
    HeaderName::from_static("cmcd-object"),
    HeaderName::from_static("cmcd-request"),
    HeaderName::from_static("cmcd-status"),
    HeaderName::from_static("cmcd-session"),
];
/// The query's parameter that holds all keys instead.
const PARAMETER: &str = "CMCD=";
/// Longer texts are not read: all keys of a long session together are some 400 bytes.
const MAX_BYTES: usize = 2048;
/// Longer strings are none: names of sessions (CTA-5004: 64 characters), addresses of segments.
const MAX_STRING: usize = 64;

/// What one request tells. Numbers as the player claims them.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Told {
    /// `ot`: what is asked for.
    object: Option<Object>,
    /// `d`: how long what is asked for plays.
    pub(super) duration_ms: Option<u64>,
    /// `bl`: what is downloaded ahead.
    pub(super) buffer_ms: Option<u64>,
    /// `mtp`: the line as the player measured it.
    pub(super) throughput_kbps: Option<u64>,
    /// `bs`: it stood still for want of data since the last request.
    pub(super) starved: bool,
    /// `bsd`: and for so long.
    pub(super) starved_ms: Option<u64>,
    /// `msd`: from the wish to play to playing; once a session.
    pub(super) start_ms: Option<u64>,
    /// `com.airclass-alone`: no pictures are fetched beside this sound.
    pub(super) alone: bool,
    /// `sid`: the session's name.
    pub(super) session: Option<String>,
}

/// `ot`, as far as it matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Object {
    /// Pictures, alone or with their sound.
    Pictures,
    /// Sound, init segments, playlists, text.
    Other,
}

impl Told {
    /// What the fields say, else the query. `None` where nothing is told.
    pub(super) fn read(headers: &HeaderMap, query: Option<&str>) -> Option<Self> {
        let mut told = Self::default();
        let mut any = false;
        for text in FIELDS.iter().filter_map(|name| headers.get(name)?.to_str().ok()) {
            any = true;
            told.add(text);
        }
        if !any && let Some(text) = parameter(query?) {
            any = true;
            told.add(&text);
        }
        any.then_some(told)
    }

    pub(super) fn is_of_pictures(&self) -> bool {
        self.object == Some(Object::Pictures)
    }

    fn add(&mut self, text: &str) {
        if text.len() > MAX_BYTES {
            return;
        }
        for member in members(text) {
            let (key, value) = member.split_once('=').unwrap_or((member, "?1"));
            let value = value.trim();
            match key.trim() {
                "ot" => {
                    self.object =
                        Some(if matches!(value, "v" | "av") { Object::Pictures } else { Object::Other })
                }
                "d" => self.duration_ms = number(value),
                "bl" => self.buffer_ms = number(value),
                "mtp" => self.throughput_kbps = number(value),
                "bs" => self.starved = value == "?1",
                "bsd" => self.starved_ms = number(value),
                "msd" => self.start_ms = number(value),
                "com.airclass-alone" => self.alone = value == "?1",
                "sid" => self.session = string(value),
                _ => {}
            }
        }
    }
}

/// What stands between commas that are in no string.
pub(super) fn members(text: &str) -> impl Iterator<Item = &str> {
    let (mut quoted, mut escaped) = (false, false);
    text.split(move |c| {
        let ends = c == ',' && !quoted;
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            _ => {}
        }
        ends
    })
    .map(str::trim)
    .filter(|member| !member.is_empty())
}

/// A number, or the first of an inner list: `12300`, `(12300;v 800;a)`.
pub(super) fn number(value: &str) -> Option<u64> {
    let value = value.strip_prefix('(').unwrap_or(value).trim_start();
    let end = value.find(|c: char| !c.is_ascii_digit()).unwrap_or(value.len());
    value[..end].parse().ok()
}

pub(super) fn string(value: &str) -> Option<String> {
    let inner = value.strip_prefix('"')?.strip_suffix('"')?;
    (!inner.is_empty() && inner.len() <= MAX_STRING).then(|| inner.to_owned())
}

/// The value of the query's CMCD, with escapes undone.
fn parameter(query: &str) -> Option<Cow<'_, str>> {
    let value = query.split('&').find_map(|parameter| parameter.strip_prefix(PARAMETER))?;
    if value.len() > MAX_BYTES * 3 {
        return None;
    }
    if !value.contains('%') {
        return Some(Cow::Borrowed(value));
    }
    url::form_urlencoded::parse(format!("{PARAMETER}{value}").as_bytes())
        .next()
        .map(|(_, value)| Cow::Owned(value.into_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn told(text: &str) -> Told {
        let mut told = Told::default();
        told.add(text);
        told
    }

    #[test]
    fn both_editions_are_understood() {
        // CTA-5004: plain numbers; CTA-5004-A: inner lists with what each number is of.
        for text in ["bl=1200,mtp=500,bs,d=4800,ot=av", "bl=(1200;v 900;a), mtp=(500),bs=?1 ,d=4800,ot=av"] {
            let told = told(text);
            assert_eq!(
                (told.buffer_ms, told.throughput_kbps, told.duration_ms),
                (Some(1200), Some(500), Some(4800))
            );
            assert!(told.starved && told.is_of_pictures(), "{text}");
        }
        assert!(!told("bs=?0").starved);
    }

    #[test]
    fn commas_in_strings_part_nothing() {
        let told = told(r#"cid="a,bl=9\",d=7",sid="x,y",bl=3"#);
        assert_eq!((told.session.as_deref(), told.buffer_ms, told.duration_ms), (Some("x,y"), Some(3), None));
    }

    #[test]
    fn nonsense_tells_nothing() {
        for text in
            ["", ",,", "bl", "bl=", "bl=-3", "bl=(", "sid=abc", "sid=\"", "=4", "ot", &"x".repeat(5000)]
        {
            let told = told(text);
            assert_eq!((told.buffer_ms, told.session.as_deref()), (None, None), "{text:.20}");
        }
        assert_eq!(told(&format!("sid=\"{}\"", "a".repeat(65))).session, None);
        assert_eq!(Told::read(&HeaderMap::new(), Some("utm_x=1")), None);
        assert_eq!(Told::read(&HeaderMap::new(), None), None);
    }

    #[test]
    fn a_query_is_read_where_there_are_no_fields() {
        let query = Some("a=1&CMCD=bl%3D2000%2Csid%3D%22q%22");
        let told = Told::read(&HeaderMap::new(), query).unwrap();
        assert_eq!((told.buffer_ms, told.session.as_deref()), (Some(2000), Some("q")));
    }

    proptest! {
        #[test]
        fn any_text_is_read(text in "[-a-z0-9=,;()\"\\\\?%. ]{0,60}") {
            let _ = told(&text);
            let _ = Told::read(&HeaderMap::new(), Some(&format!("CMCD={text}")));
        }
    }
}
