//! Walking boxes and reading big-endian fields, never beyond the end.

/// A four-letter box type.
pub(super) type Kind = [u8; 4];

/// Bytes that are no sequence of whole boxes.
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

/// The boxes in a row of bytes: type and content of each.
#[derive(Debug, Clone)]
pub struct Boxes<'a>(&'a [u8]);

impl<'a> Boxes<'a> {
    /// Over `bytes`.
    pub fn of(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// The content of the first box of type `kind`.
    ///
    /// # Errors
    /// When there is none, or a box before it makes no sense.
    pub fn first(&self, kind: &Kind) -> Result<&'a [u8], BoxError> {
        for item in self.clone() {
            let (found, content) = item?;
            if found == *kind {
                return Ok(content);
            }
        }
        Err(BoxError::Missing(*kind))
    }

    /// The content of the box at the end of `path`, each inside the one before.
    ///
    /// # Errors
    /// When one is missing or makes no sense.
    pub fn at(&self, path: &[&Kind]) -> Result<&'a [u8], BoxError> {
        let mut content = self.0;
        for kind in path {
            content = Boxes::of(content).first(kind)?;
        }
        Ok(content)
    }

    /// How many boxes of type `kind` there are.
    ///
    /// # Errors
    /// When a box makes no sense.
    pub fn how_many(&self, kind: &Kind) -> Result<usize, BoxError> {
        self.clone().try_fold(0, |count, item| Ok(count + usize::from(item?.0 == *kind)))
    }
}

impl<'a> Iterator for Boxes<'a> {
    type Item = Result<(Kind, &'a [u8]), BoxError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let result = split(self.0);
        match result {
            Ok((kind, content, rest)) => {
                self.0 = rest;
                Some(Ok((kind, content)))
            }
            Err(error) => {
                self.0 = &[];
                Some(Err(error))
            }
        }
    }
}

/// The first box: type, content, what follows. Sizes of 64 bits are read, a size of 0 reaches to the end.
fn split(bytes: &[u8]) -> Result<(Kind, &[u8], &[u8]), BoxError> {
    let mut reader = Reader::of(bytes);
    let short = reader.u32()?;
    let kind = reader.array::<4>()?;
    let (size, header) = match short {
        0 => (bytes.len() as u64, 8),
        1 => (reader.u64()?, 16),
        size => (u64::from(size), 8),
    };
    let misfit = BoxError::Size { kind, size };
    let Ok(end) = usize::try_from(size) else { return Err(misfit) };
    if end < header || end > bytes.len() {
        return Err(misfit);
    }
    Ok((kind, &bytes[header..end], &bytes[end..]))
}

/// Fields in order.
#[derive(Debug, Clone)]
pub struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    /// Over `bytes`.
    pub fn of(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// The next `count` bytes.
    ///
    /// # Errors
    /// When there are fewer.
    pub fn bytes(&mut self, count: usize) -> Result<&'a [u8], BoxError> {
        let (taken, rest) = self.0.split_at_checked(count).ok_or(BoxError::Short)?;
        self.0 = rest;
        Ok(taken)
    }

    /// The next `N` bytes.
    ///
    /// # Errors
    /// When there are fewer.
    pub fn array<const N: usize>(&mut self) -> Result<[u8; N], BoxError> {
        let (taken, rest) = self.0.split_first_chunk::<N>().ok_or(BoxError::Short)?;
        self.0 = rest;
        Ok(*taken)
    }

    /// One byte.
    ///
    /// # Errors
    /// At the end.
    pub fn u8(&mut self) -> Result<u8, BoxError> {
        self.array().map(|[byte]| byte)
    }

    /// Two bytes.
    ///
    /// # Errors
    /// At the end.
    pub fn u16(&mut self) -> Result<u16, BoxError> {
        self.array().map(u16::from_be_bytes)
    }

    /// Four bytes.
    ///
    /// # Errors
    /// At the end.
    pub fn u32(&mut self) -> Result<u32, BoxError> {
        self.array().map(u32::from_be_bytes)
    }

    /// Eight bytes.
    ///
    /// # Errors
    /// At the end.
    pub fn u64(&mut self) -> Result<u64, BoxError> {
        self.array().map(u64::from_be_bytes)
    }

    /// Version and flags of a full box.
    ///
    /// # Errors
    /// At the end.
    pub fn full_box(&mut self) -> Result<(u8, u32), BoxError> {
        let word = self.u32()?;
        Ok((u8::try_from(word >> 24).unwrap_or(0), word & 0x00ff_ffff))
    }

    /// What is left.
    pub fn rest(&self) -> &'a [u8] {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn boxes_never_reach_beyond_what_holds_them() {
        for (bytes, kinds) in [
            (&b"\0\0\0\x08free"[..], Ok(vec![*b"free"])),
            (b"\0\0\0\x08free\0\0\0\x09mdatx", Ok(vec![*b"free", *b"mdat"])),
            (b"\0\0\0\0mdatxyz", Ok(vec![*b"mdat"])),
            (b"\0\0\0\x01mdat\0\0\0\0\0\0\0\x11x", Ok(vec![*b"mdat"])),
            (b"\0\0\0\x09free", Err(BoxError::Size { kind: *b"free", size: 9 })),
            (b"\0\0\0\x07free", Err(BoxError::Size { kind: *b"free", size: 7 })),
            (
                b"\0\0\0\x01mdat\xff\xff\xff\xff\xff\xff\xff\xff",
                Err(BoxError::Size { kind: *b"mdat", size: u64::MAX }),
            ),
            (b"\0\0\0", Err(BoxError::Short)),
        ] {
            let got: Result<Vec<Kind>, BoxError> =
                Boxes::of(bytes).map(|item| item.map(|(kind, _)| kind)).collect();
            assert_eq!(got, kinds, "{bytes:?}");
        }
    }
}
