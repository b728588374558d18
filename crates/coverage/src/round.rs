//! Numbers made coarse: random rounding, as statistical offices round small counts.

use aws_lc_rs::hmac;
use std::fmt;

/// What the rounding is drawn from. Secret, and the same for as long as numbers are published: asked twice, a number is
/// rounded the same way, so nobody gets nearer to it by asking often.
pub struct NoiseKey(hmac::Key);

/// Not 64 hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a noise key is 64 hexadecimal digits; make one with `openssl rand -hex 32`")]
pub struct InvalidNoiseKey;

impl NoiseKey {
    /// Of 32 bytes.
    pub fn new(secret: &[u8; 32]) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, secret))
    }

    /// Reads one from a file's text.
    ///
    /// # Errors
    /// When it is none.
    pub fn parse(text: &str) -> Result<Self, InvalidNoiseKey> {
        let text = text.trim();
        if text.len() != 64 || !text.is_ascii() {
            return Err(InvalidNoiseKey);
        }
        let mut secret = [0; 32];
        for (place, byte) in secret.iter_mut().enumerate() {
            let digits = &text[2 * place..2 * place + 2];
            *byte = u8::from_str_radix(digits, 16).map_err(|_| InvalidNoiseKey)?;
        }
        Ok(Self::new(&secret))
    }

    /// `count` to a multiple of `base` next to it: to the upper one as often as `count` is near to it, so that sums come out
    /// right on average. `cell` says which number it is.
    pub(crate) fn round(&self, count: u32, base: u32, cell: &str) -> u32 {
        let (below, rest) = (count - count % base, count % base);
        let tag = hmac::sign(&self.0, cell.as_bytes());
        let draw = tag.as_ref().iter().take(8).fold(0_u64, |draw, byte| draw << 8 | u64::from(*byte));
        // 0 to base - 1, all as likely: 2⁶⁴ is large beside any base.
        let draw = u32::try_from(draw % u64::from(base)).unwrap_or_default();
        if draw < rest { below.saturating_add(base) } else { below }
    }
}

impl fmt::Debug for NoiseKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("NoiseKey")
    }
}
