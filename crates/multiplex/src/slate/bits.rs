//! Bits as H.264 writes them (ITU-T H.264 7.2, 9.1).

/// A payload in the making.
#[derive(Debug, Default)]
pub(super) struct Bits {
    bytes: Vec<u8>,
    /// Bits used of the last byte; 0: all of it, or there is none.
    used: u32,
}

impl Bits {
    /// The lower `count` bits of `value`, at most 32.
    pub(super) fn u(&mut self, count: u32, value: u32) -> &mut Self {
        for bit in (0..count).rev() {
            if self.used == 0 {
                self.bytes.push(0);
            }
            if let Some(last) = self.bytes.last_mut() {
                *last |= ((value >> bit & 1) as u8) << (7 - self.used);
            }
            self.used = (self.used + 1) % 8;
        }
        self
    }

    /// Exp-Golomb; `value` below 2³² − 1.
    pub(super) fn ue(&mut self, value: u32) -> &mut Self {
        let code = value + 1;
        let length = 32 - code.leading_zeros();
        self.u(length - 1, 0).u(length, code)
    }

    /// Signed Exp-Golomb.
    pub(super) fn se(&mut self, value: i32) -> &mut Self {
        let code = value.unsigned_abs() * 2;
        self.ue(if value > 0 { code - 1 } else { code })
    }

    /// Closed by its stop bit (7.3.2.11), with what keeps start codes from appearing inside (7.4.1.1).
    pub(super) fn escaped(mut self) -> Vec<u8> {
        self.u(1, 1);
        let mut escaped = Vec::with_capacity(self.bytes.len() + 4);
        let mut zeros = 0;
        for byte in self.bytes {
            if zeros == 2 && byte <= 3 {
                escaped.push(3);
                zeros = 0;
            }
            zeros = if byte == 0 { zeros + 1 } else { 0 };
            escaped.push(byte);
        }
        escaped
    }
}

#[cfg(test)]
mod tests {
    use super::Bits;

    #[test]
    fn codes_are_those_of_the_standard() {
        let mut bits = Bits::default();
        // Table 9-2: 1, 010, 011, 00100; table 9-3: 1 is 010, -1 is 011.
        bits.ue(0).ue(1).ue(2).ue(3).se(1).se(-1);
        // 1010 0110 | 0100 0100 | 11, stop bit
        assert_eq!(bits.escaped(), [0b1010_0110, 0b0100_0100, 0b1110_0000]);
        let mut bits = Bits::default();
        bits.u(24, 1).u(16, 0);
        assert_eq!(bits.escaped(), [0, 0, 3, 1, 0, 0, 0x80]);
    }
}
