//! The size of a JPEG picture.

use super::Nonsense;
use super::bits::Cursor;

/// Columns and rows, from the frame header (ITU-T T.81 B.2.2).
pub(crate) fn size(bytes: &[u8]) -> Result<(u32, u32), Nonsense> {
    let mut cursor = Cursor::of(bytes);
    if cursor.u16()? != 0xffd8 {
        return Err(Nonsense::new("no JPEG"));
    }
    loop {
        let marker = cursor.u16()?;
        match marker {
            0xffff => {}
            0xffc0..=0xffcf if !matches!(marker, 0xffc4 | 0xffc8 | 0xffcc) => {
                cursor.take(3)?;
                let rows = cursor.u16()?;
                return Ok((u32::from(cursor.u16()?), u32::from(rows)));
            }
            0xff01..=0xfffe => {
                let length = usize::from(cursor.u16()?);
                cursor.take(length.saturating_sub(2))?;
            }
            _ => return Err(Nonsense::new(format!("marker {marker:#06x}"))),
        }
    }
}
