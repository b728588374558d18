//! Walking boxes (ISO/IEC 14496-12 4.2) and reading big-endian fields, never beyond the end.

type Kind = [u8; 4];

/// Bytes that are no row of whole boxes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BoxError {
    /// A box says it is longer than what holds it, or shorter than its header.
    #[error("a box `{}` of {size} bytes does not fit", .kind.escape_ascii())]
    Size {
        /// Its type.
        kind: Kind,
        /// What it says.
        size: u64,
    },
    /// Bytes too few for a header or a field.
    #[error("the data ends in the middle of a field")]
    Short,
    /// A box that has to be there is not.
    #[error("there is no box `{}`", .0.escape_ascii())]
    Missing(Kind),
}

/// One box where it lies.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Box<'a> {
    pub(crate) kind: Kind,
    /// Of its header, from the start of what is walked.
    pub(crate) at: usize,
    pub(crate) content: &'a [u8],
}

/// The boxes in a row of bytes.
#[derive(Debug, Clone)]
pub(crate) struct Boxes<'a> {
    rest: &'a [u8],
    at: usize,
}

impl<'a> Boxes<'a> {
    pub(crate) fn of(bytes: &'a [u8]) -> Self {
        Self { rest: bytes, at: 0 }
    }

    /// The content of the first box of type `kind`.
    pub(crate) fn first(&self, kind: &Kind) -> Result<&'a [u8], BoxError> {
        for item in self.clone() {
            let item = item?;
            if item.kind == *kind {
                return Ok(item.content);
            }
        }
        Err(BoxError::Missing(*kind))
    }

    /// The content of the box at the end of `path`, each inside the one before.
    pub(crate) fn at(&self, path: &[&Kind]) -> Result<&'a [u8], BoxError> {
        let mut content = self.rest;
        for kind in path {
            content = Boxes::of(content).first(kind)?;
        }
        Ok(content)
    }

    /// The first box: sizes of 64 bits are read, a size of 0 reaches to the end.
    fn split(&self) -> Result<(Box<'a>, &'a [u8]), BoxError> {
        let mut reader = Reader::of(self.rest);
        let short = reader.u32()?;
        let kind = reader.array()?;
        let (size, header) = match short {
            0 => (self.rest.len() as u64, 8),
            1 => (reader.u64()?, 16),
            size => (u64::from(size), 8),
        };
        let misfit = BoxError::Size { kind, size };
        let Ok(end) = usize::try_from(size) else { return Err(misfit) };
        if end < header || end > self.rest.len() {
            return Err(misfit);
        }
        Ok((Box { kind, at: self.at, content: &self.rest[header..end] }, &self.rest[end..]))
    }
}

impl<'a> Iterator for Boxes<'a> {
    type Item = Result<Box<'a>, BoxError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let item = self.split().map(|(item, rest)| {
            self.at += self.rest.len() - rest.len();
            self.rest = rest;
            item
        });
        if item.is_err() {
            self.rest = &[];
        }
        Some(item)
    }
}

/// Fields in order.
#[derive(Debug, Clone)]
pub(crate) struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    pub(crate) fn of(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    pub(crate) fn bytes(&mut self, count: usize) -> Result<&'a [u8], BoxError> {
        let (taken, rest) = self.0.split_at_checked(count).ok_or(BoxError::Short)?;
        self.0 = rest;
        Ok(taken)
    }

    pub(crate) fn array<const N: usize>(&mut self) -> Result<[u8; N], BoxError> {
        let (taken, rest) = self.0.split_first_chunk::<N>().ok_or(BoxError::Short)?;
        self.0 = rest;
        Ok(*taken)
    }

    pub(crate) fn u8(&mut self) -> Result<u8, BoxError> {
        self.array().map(|[byte]| byte)
    }

    pub(crate) fn u16(&mut self) -> Result<u16, BoxError> {
        self.array().map(u16::from_be_bytes)
    }

    pub(crate) fn u32(&mut self) -> Result<u32, BoxError> {
        self.array().map(u32::from_be_bytes)
    }

    pub(crate) fn u64(&mut self) -> Result<u64, BoxError> {
        self.array().map(u64::from_be_bytes)
    }

    /// Version and flags of a full box.
    pub(crate) fn full_box(&mut self) -> Result<(u8, u32), BoxError> {
        let [version, flags @ ..] = self.array::<4>()?;
        Ok((version, flags.iter().fold(0, |flags, byte| flags << 8 | u32::from(*byte))))
    }

    pub(crate) fn rest(&self) -> &'a [u8] {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn boxes_never_reach_beyond_what_holds_them() {
        for (bytes, want) in [
            (&b"\0\0\0\x08free"[..], Ok(vec![(*b"free", 0)])),
            (b"\0\0\0\x08free\0\0\0\x09mdatx", Ok(vec![(*b"free", 0), (*b"mdat", 8)])),
            (b"\0\0\0\0mdatxyz", Ok(vec![(*b"mdat", 0)])),
            (b"\0\0\0\x01mdat\0\0\0\0\0\0\0\x11x", Ok(vec![(*b"mdat", 0)])),
            (b"\0\0\0\x09free", Err(BoxError::Size { kind: *b"free", size: 9 })),
            (b"\0\0\0\x07free", Err(BoxError::Size { kind: *b"free", size: 7 })),
            (b"\0\0\0", Err(BoxError::Short)),
        ] {
            let got: Result<Vec<_>, _> =
                Boxes::of(bytes).map(|item| item.map(|item| (item.kind, item.at))).collect();
            assert_eq!(got, want, "{bytes:?}");
        }
    }
}
