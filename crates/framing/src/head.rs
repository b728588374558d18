//! The lines of a header section, as far as they say where the message ends.

use crate::Fault;

/// The largest number that no server takes for a negative one.
const MAX_LENGTH: u64 = i64::MAX.unsigned_abs();

/// What a header section has said so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Head {
    length: Option<u64>,
    chunked: bool,
    /// A response in a coding that nobody knows: it ends with its connection (RFC 9112 §6.3).
    closed: bool,
    /// HTTP/1.0, which knows no Transfer-Encoding (RFC 9112 §6.1).
    old: bool,
    /// Of a response.
    pub(crate) status: u16,
}

/// What follows a header section.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Follows {
    Nothing,
    Bytes(u64),
    Chunks,
}

impl Head {
    /// `METHOD SP target SP HTTP/1.x`, without its line end.
    pub(crate) fn request_line(&mut self, line: &[u8]) -> Result<(), Fault> {
        let target = line.strip_suffix(b" HTTP/1.1").or_else(|| {
            self.old = true;
            line.strip_suffix(b" HTTP/1.0")
        });
        let target = target.ok_or(Fault::StartLine)?;
        let method = memchr::memchr(b' ', target).ok_or(Fault::StartLine)?;
        let target = &target[method + 1..];
        if is_target(target) { Ok(()) } else { Err(Fault::Target) }
    }

    /// `HTTP/1.x SP NNN SP reason`, without its line end.
    pub(crate) fn status_line(&mut self, line: &[u8]) -> Result<(), Fault> {
        let rest = line.strip_prefix(b"HTTP/1.1 ").or_else(|| {
            self.old = true;
            line.strip_prefix(b"HTTP/1.0 ")
        });
        match rest {
            Some([a @ b'1'..=b'9', b @ b'0'..=b'9', c @ b'0'..=b'9']) => self.status = number(*a, *b, *c),
            // The reason may be missing, and many leave out the space before it, too (§4).
            Some([a @ b'1'..=b'9', b @ b'0'..=b'9', c @ b'0'..=b'9', b' ', ..]) => {
                self.status = number(*a, *b, *c);
            }
            _ => return Err(Fault::StartLine),
        }
        Ok(())
    }

    /// A field line, without its line end; only what frames the message is read.
    pub(crate) fn field(&mut self, line: &[u8]) -> Result<(), Fault> {
        match line[0] {
            b' ' | b'\t' => Err(Fault::Fold),
            b'c' | b'C' => match self.value_of(line, b"content-length") {
                Some(value) => self.content_length(value),
                None => Ok(()),
            },
            b't' | b'T' => match self.value_of(line, b"transfer-encoding") {
                Some(value) => self.transfer_encoding(value),
                None => Ok(()),
            },
            _ => Ok(()),
        }
    }

    /// The section is complete.
    pub(crate) fn end(&self) -> Result<Follows, Fault> {
        match (self.chunked, self.length) {
            (true, Some(_)) => Err(Fault::LengthAndEncoding),
            (true, None) if self.old => Err(Fault::TransferEncoding),
            _ if self.closed && (self.old || self.length.is_some()) => Err(Fault::TransferEncoding),
            (true, None) => Ok(Follows::Chunks),
            (false, None | Some(0)) => Ok(Follows::Nothing),
            (false, Some(length)) => Ok(Follows::Bytes(length)),
        }
    }

    /// The value of the field `name` (in lower case), when `line` is one. Of a response white space behind the name is no part of it, and
    /// goes no further (RFC 9112 §5.1).
    fn value_of<'a>(&self, line: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
        let (given, rest) = line.split_at_checked(name.len())?;
        let rest = if self.status == 0 { rest } else { trim(rest) };
        let value = rest.strip_prefix(b":")?;
        given.eq_ignore_ascii_case(name).then(|| trim(value))
    }

    fn content_length(&mut self, value: &[u8]) -> Result<(), Fault> {
        if self.length.is_some() || value.is_empty() {
            return Err(Fault::ContentLength);
        }
        let mut length = 0_u64;
        for byte in value {
            let digit = byte.is_ascii_digit().then(|| u64::from(byte - b'0')).ok_or(Fault::ContentLength)?;
            length = length
                .checked_mul(10)
                .and_then(|length| length.checked_add(digit))
                .filter(|length| *length <= MAX_LENGTH)
                .ok_or(Fault::ContentLength)?;
        }
        self.length = Some(length);
        Ok(())
    }

    /// `gzip, chunked` is legal, and nobody asks for it; what we do not decode we must not pass on as if we had. A word in
    /// a response that names no coding there is has coded nothing, and leaves one meaning: until the connection ends.
    fn transfer_encoding(&mut self, value: &[u8]) -> Result<(), Fault> {
        if self.status != 0 && !self.chunked && !self.closed && is_nonsense(value) {
            self.closed = true;
            return Ok(());
        }
        if self.chunked || self.closed || !value.eq_ignore_ascii_case(b"chunked") {
            return Err(Fault::TransferEncoding);
        }
        self.chunked = true;
        Ok(())
    }
}

/// Names of transfer codings (RFC 9112 §7), and what some take for the first of them.
const CODINGS: [&[u8]; 7] =
    [b"chunked", b"gzip", b"x-gzip", b"deflate", b"compress", b"x-compress", b"identity"];

/// A single word, with none of the codings' names in it.
fn is_nonsense(value: &[u8]) -> bool {
    let word = !value.is_empty() && value.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'-');
    let named = |coding: &[u8]| value.windows(coding.len()).any(|part| part.eq_ignore_ascii_case(coding));
    word && !CODINGS.iter().any(|coding| named(coding))
}

/// Whether a request's target is one to everybody who reads it. A space would be a second one to some, and none to others; `#` ends it
/// for those who cut it off.
pub fn is_target(target: &[u8]) -> bool {
    !target.is_empty() && target.iter().all(|byte| (0x21..=0x7e).contains(byte) && *byte != b'#')
}

/// Without optional white space (RFC 9110 §5.6.3): SP and HTAB, nothing else that some language calls white.
pub fn trim(value: &[u8]) -> &[u8] {
    let white = |byte: &u8| matches!(byte, b' ' | b'\t');
    let start = value.iter().position(|byte| !white(byte)).unwrap_or(value.len());
    let end = value.iter().rposition(|byte| !white(byte)).map_or(start, |last| last + 1);
    &value[start..end]
}

fn number(a: u8, b: u8, c: u8) -> u16 {
    let digit = |byte: u8| u16::from(byte - b'0');
    digit(a) * 100 + digit(b) * 10 + digit(c)
}
