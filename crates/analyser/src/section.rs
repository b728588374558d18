//! Sections out of packets (2.4.4.1), and their checksum.

/// The longest section there is.
const MAX_SECTION: usize = 4_096;

/// The sections of one PID.
#[derive(Debug, Default)]
pub(crate) struct Sections {
    open: Vec<u8>,
}

impl Sections {
    /// The sections that end in this packet.
    pub(crate) fn packet(&mut self, start: bool, payload: &[u8]) -> Vec<Vec<u8>> {
        let mut whole = Vec::new();
        if !start {
            if !self.open.is_empty() {
                self.open.extend_from_slice(payload);
                self.close(&mut whole);
            }
            return whole;
        }
        let pointer = usize::from(payload[0]);
        let Some((end, rest)) = payload[1..].split_at_checked(pointer) else {
            self.open.clear();
            return whole;
        };
        if !self.open.is_empty() {
            self.open.extend_from_slice(end);
            self.close(&mut whole);
        }
        self.open = rest.to_vec();
        self.close(&mut whole);
        whole
    }

    /// Takes whole sections off the front; stuffing ends the packet.
    fn close(&mut self, whole: &mut Vec<Vec<u8>>) {
        loop {
            if self.open.first().is_none_or(|&table| table == 0xff) {
                return self.open.clear();
            }
            let Some(length) =
                self.open.get(1..3).map(|told| usize::from(told[0] & 0x0f) << 8 | usize::from(told[1]))
            else {
                return;
            };
            if length + 3 > MAX_SECTION {
                return self.open.clear();
            }
            if self.open.len() < length + 3 {
                return;
            }
            let rest = self.open.split_off(length + 3);
            whole.push(std::mem::replace(&mut self.open, rest));
        }
    }
}

/// CRC-32/MPEG-2, by table (annex A).
pub(crate) fn remainder(bytes: &[u8]) -> u32 {
    const TABLE: [u32; 256] = {
        let mut table = [0; 256];
        let mut byte = 0;
        while byte < 256 {
            let mut value = (byte as u32) << 24;
            let mut bit = 0;
            while bit < 8 {
                value = if value >> 31 == 1 { value << 1 ^ 0x04c1_1db7 } else { value << 1 };
                bit += 1;
            }
            table[byte] = value;
            byte += 1;
        }
        table
    };
    bytes.iter().fold(u32::MAX, |sum, byte| sum << 8 ^ TABLE[usize::from((sum >> 24) as u8 ^ byte)])
}
