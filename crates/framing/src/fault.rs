//! What is wrong with a message.

/// Why a message has no single meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Fault {
    /// A line that does not end with CR LF (RFC 9112 §2.2 lets a recipient accept it; servers differ).
    BareLf,
    /// More empty lines before a message than §2.2 asks a server to ignore.
    EmptyLines,
    /// A line or a section longer than its bound.
    TooLong,
    /// A target with bytes that are no URI's, or with a fragment (§3.2).
    Target,
    /// No start line of HTTP/1.0 or HTTP/1.1 (§3, §4).
    StartLine,
    /// A line that begins with white space (§2.2, §5.2).
    Fold,
    /// Content-Length that is no number, or stands twice, even twice the same (§6.3).
    ContentLength,
    /// Transfer-Encoding that is not `chunked` alone, stands twice, or in HTTP/1.0 (§6.1).
    TransferEncoding,
    /// Content-Length and Transfer-Encoding (§6.3).
    LengthAndEncoding,
    /// A chunk that does not begin with its size or does not end after it (§7.1).
    Chunk,
    /// A field in a trailer section that belongs into a header section (§7.1.2, RFC 9110 §6.5.1).
    Trailer,
    /// More interim responses than anybody needs.
    Interim,
    /// 101, which was not asked for.
    Switch,
}

impl Fault {
    /// Each of them.
    pub const ALL: [Self; 13] = [
        Self::BareLf,
        Self::EmptyLines,
        Self::TooLong,
        Self::Target,
        Self::StartLine,
        Self::Fold,
        Self::ContentLength,
        Self::TransferEncoding,
        Self::LengthAndEncoding,
        Self::Chunk,
        Self::Trailer,
        Self::Interim,
        Self::Switch,
    ];

    /// For metrics and logs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::BareLf => "bare_lf",
            Self::EmptyLines => "empty_lines",
            Self::TooLong => "too_long",
            Self::Target => "target",
            Self::StartLine => "start_line",
            Self::Fold => "fold",
            Self::ContentLength => "content_length",
            Self::TransferEncoding => "transfer_encoding",
            Self::LengthAndEncoding => "length_and_encoding",
            Self::Chunk => "chunk",
            Self::Trailer => "trailer",
            Self::Interim => "interim",
            Self::Switch => "switch",
        }
    }
}

/// A fault and where it was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Violation {
    /// What is wrong.
    pub fault: Fault,
    /// Index in the bytes last given. Nothing before it is wrong, and nothing before it ends the section.
    pub at: usize,
    /// Whether it is a body's, and not a header section's.
    pub within_body: bool,
}
