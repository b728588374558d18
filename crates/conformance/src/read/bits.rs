//! Bytes and bits, big-endian.

use super::Nonsense;

/// Reads fields off the front of bytes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cursor<'a> {
    rest: &'a [u8],
}

impl<'a> Cursor<'a> {
    pub(crate) fn of(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    pub(crate) fn rest(&self) -> &'a [u8] {
        self.rest
    }

    pub(crate) fn take(&mut self, count: usize) -> Result<&'a [u8], Nonsense> {
        let (head, rest) =
            self.rest.split_at_checked(count).ok_or_else(|| Nonsense::new("it ends in a field"))?;
        self.rest = rest;
        Ok(head)
    }

    /// Up to eight bytes as a number.
    pub(crate) fn number(&mut self, bytes: usize) -> Result<u64, Nonsense> {
        Ok(self.take(bytes)?.iter().fold(0, |number, byte| number << 8 | u64::from(*byte)))
    }

    pub(crate) fn u8(&mut self) -> Result<u8, Nonsense> {
        Ok(self.number(1)? as u8)
    }

    pub(crate) fn u16(&mut self) -> Result<u16, Nonsense> {
        Ok(self.number(2)? as u16)
    }

    pub(crate) fn u32(&mut self) -> Result<u32, Nonsense> {
        Ok(self.number(4)? as u32)
    }

    /// Version and flags of a full box.
    pub(crate) fn full(&mut self) -> Result<(u8, u32), Nonsense> {
        Ok((self.u8()?, self.number(3)? as u32))
    }
}

/// Reads bits off the front of bytes.
#[derive(Debug, Clone)]
pub(crate) struct Bits<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Bits<'a> {
    pub(crate) fn of(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    pub(crate) fn bit(&mut self) -> Result<u32, Nonsense> {
        let byte = self.bytes.get(self.at / 8).ok_or_else(|| Nonsense::new("it ends in a bit field"))?;
        let bit = byte >> (7 - self.at % 8) & 1;
        self.at += 1;
        Ok(u32::from(bit))
    }

    pub(crate) fn flag(&mut self) -> Result<bool, Nonsense> {
        Ok(self.bit()? == 1)
    }

    /// Up to 32 bits.
    pub(crate) fn bits(&mut self, count: u32) -> Result<u32, Nonsense> {
        (0..count).try_fold(0, |number: u32, _| Ok(number << 1 | self.bit()?))
    }

    /// Unsigned Exp-Golomb (H.264 9.1).
    pub(crate) fn ue(&mut self) -> Result<u32, Nonsense> {
        let mut zeros = 0;
        while !self.flag()? {
            zeros += 1;
            if zeros > 31 {
                return Err(Nonsense::new("an Exp-Golomb code of more than 32 bits"));
            }
        }
        Ok(((1u64 << zeros) - 1 + u64::from(self.bits(zeros)?)) as u32)
    }

    /// Signed Exp-Golomb.
    pub(crate) fn se(&mut self) -> Result<i32, Nonsense> {
        let code = i64::from(self.ue()?);
        Ok((if code % 2 == 1 { (code + 1) / 2 } else { -code / 2 }) as i32)
    }

    /// Bits read so far.
    pub(crate) fn position(&self) -> usize {
        self.at
    }
}
