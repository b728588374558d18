//! Attribute lists: `NAME=value,NAME="quoted, with commas"` (RFC 8216bis §4.2).

use super::{ParseError, Problem, number};
use crate::{PictureRate, Resolution, Score};

/// The attributes of one tag, in order. An AttributeName appears once; of repeated ones the first counts.
pub(super) struct Attributes<'a> {
    tag: &'static str,
    line: usize,
    list: Vec<(&'a str, Value<'a>)>,
}

#[derive(Clone, Copy)]
enum Value<'a> {
    Quoted(&'a str),
    Bare(&'a str),
}

impl<'a> Attributes<'a> {
    pub(super) fn parse(tag: &'static str, line: usize, mut text: &'a str) -> Result<Self, ParseError> {
        let malformed = || Problem::Attributes(tag).at(line);
        let mut list = Vec::new();
        while !text.is_empty() {
            let (name, rest) = text.split_once('=').ok_or_else(malformed)?;
            let name = name.trim();
            if name.is_empty() || !name.bytes().all(is_name_byte) {
                return Err(malformed());
            }
            let (value, rest) = match rest.strip_prefix('"') {
                Some(quoted) => {
                    let (value, rest) = quoted.split_once('"').ok_or_else(malformed)?;
                    (Value::Quoted(value), rest)
                }
                None => {
                    let end = rest.find(',').unwrap_or(rest.len());
                    (Value::Bare(rest[..end].trim()), &rest[end..])
                }
            };
            list.push((name, value));
            text = match rest.strip_prefix(',') {
                Some(rest) => rest,
                None if rest.trim().is_empty() => "",
                None => return Err(malformed()),
            };
        }
        Ok(Self { tag, line, list })
    }

    /// A quoted-string.
    pub(super) fn quoted(&self, name: &'static str) -> Result<Option<&'a str>, ParseError> {
        match self.find(name) {
            None => Ok(None),
            Some(Value::Quoted(text)) => Ok(Some(text)),
            Some(Value::Bare(text)) => Err(Problem::value(name, text).at(self.line)),
        }
    }

    /// A decimal-integer.
    pub(super) fn integer(&self, name: &'static str) -> Result<Option<u64>, ParseError> {
        self.bare(name, number::integer)
    }

    /// An enumerated-string that is YES or NO; absent is NO.
    pub(super) fn yes(&self, name: &'static str) -> Result<bool, ParseError> {
        let read = |text: &str| match text {
            "YES" => Some(true),
            "NO" => Some(false),
            _ => None,
        };
        Ok(self.bare(name, read)?.unwrap_or(false))
    }

    /// A decimal-resolution.
    pub(super) fn resolution(&self, name: &'static str) -> Result<Option<Resolution>, ParseError> {
        self.bare(name, |text| {
            let (width, height) = text.split_once('x')?;
            let side = |text| number::integer(text).and_then(|side| u32::try_from(side).ok());
            Some(Resolution { width: side(width)?, height: side(height)? })
        })
    }

    /// A decimal-floating-point of pictures a second.
    pub(super) fn picture_rate(&self, name: &'static str) -> Result<Option<PictureRate>, ParseError> {
        self.bare(name, |text| {
            let thousandths = u32::try_from(number::thousandths(text)?).ok()?;
            Some(PictureRate { thousandths })
        })
    }

    /// A decimal-floating-point that ranks variants.
    pub(super) fn score(&self, name: &'static str) -> Result<Option<Score>, ParseError> {
        self.bare(name, |text| Some(Score { thousandths: number::thousandths(text)? }))
    }

    /// An enumerated-string read by `read`.
    pub(super) fn bare<T>(
        &self,
        name: &'static str,
        read: impl Fn(&str) -> Option<T>,
    ) -> Result<Option<T>, ParseError> {
        match self.find(name) {
            None => Ok(None),
            Some(Value::Bare(text)) => {
                read(text).map(Some).ok_or_else(|| Problem::value(name, text).at(self.line))
            }
            Some(Value::Quoted(text)) => Err(Problem::value(name, text).at(self.line)),
        }
    }

    /// Whether the attribute is there with that enumerated-string. A quoted-string is another thing (§4.4.6.2:
    /// CLOSED-CAPTIONS may be either).
    pub(super) fn is_enumerated(&self, name: &str, value: &str) -> bool {
        matches!(self.find(name), Some(Value::Bare(text)) if text == value)
    }

    /// `value`, or the error that says which attribute is not there.
    pub(super) fn required<T>(&self, name: &'static str, value: Option<T>) -> Result<T, ParseError> {
        value.ok_or_else(|| Problem::Attribute { tag: self.tag, attribute: name }.at(self.line))
    }

    /// Client attributes that are quoted-strings: `X-…` of EXT-X-DATERANGE (§4.4.5.1).
    pub(super) fn client(&self) -> impl Iterator<Item = (&'a str, &'a str)> {
        self.list.iter().filter_map(|&(name, value)| match value {
            Value::Quoted(text) if name.starts_with("X-") => Some((name, text)),
            _ => None,
        })
    }

    fn find(&self, name: &str) -> Option<Value<'a>> {
        self.list.iter().find(|(known, _)| *known == name).map(|&(_, value)| value)
    }
}

fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'-'
}
