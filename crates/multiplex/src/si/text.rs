//! Text in tables (EN 300 468 annex A).

/// Says that UTF-8 follows (table A.3).
const UTF_8: u8 = 0x15;

/// `text` in at most `most` bytes, cut between characters. Plain ASCII needs no mark and is understood by every receiver;
/// control characters, some of which mean emphasis to receivers, become spaces.
pub(super) fn text(text: &str, most: usize) -> Vec<u8> {
    let ascii = text.is_ascii();
    let mut coded = if ascii || most == 0 { Vec::new() } else { vec![UTF_8] };
    for letter in text.chars() {
        let letter = if letter.is_control() { ' ' } else { letter };
        let mut bytes = [0; 4];
        let bytes = letter.encode_utf8(&mut bytes).as_bytes();
        if coded.len() + bytes.len() > most {
            break;
        }
        coded.extend_from_slice(bytes);
    }
    coded
}
