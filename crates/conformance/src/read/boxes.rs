//! ISO base media boxes.

use super::Nonsense;
use super::bits::Cursor;

/// One box.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Atom<'a> {
    pub(crate) kind: [u8; 4],
    /// Where its header begins, in the bytes that were walked.
    pub(crate) offset: usize,
    /// Header and content.
    pub(crate) size: usize,
    /// Where its content begins.
    pub(crate) data: usize,
    pub(crate) body: &'a [u8],
}

impl Atom<'_> {
    pub(crate) fn name(&self) -> String {
        self.kind.escape_ascii().to_string()
    }
}

/// Boxes of one level that are read; a file of ours has a dozen.
const MAX_BOXES: usize = 100_000;

/// The boxes in `bytes`, one after the other, up to the end.
pub(crate) fn walk(bytes: &[u8]) -> Result<Vec<Atom<'_>>, Nonsense> {
    let mut atoms = walk_part(bytes)?;
    let end = atoms.last().map_or(0, |last| last.offset.saturating_add(last.size));
    match atoms.pop() {
        Some(last) if end > bytes.len() => {
            Err(Nonsense::new(format!("box {} at {} says {} bytes", last.name(), last.offset, last.size)))
        }
        last => {
            atoms.extend(last);
            Ok(atoms)
        }
    }
}

/// The same of a part of a file: the last box may reach beyond it.
pub(crate) fn walk_part(bytes: &[u8]) -> Result<Vec<Atom<'_>>, Nonsense> {
    let mut atoms = Vec::new();
    let mut offset = 0;
    while offset < bytes.len() {
        if atoms.len() == MAX_BOXES {
            return Err(Nonsense::new(format!("more than {MAX_BOXES} boxes")));
        }
        let here = &bytes[offset..];
        let atom = first(here, offset)?;
        offset = offset.saturating_add(atom.size);
        atoms.push(atom);
    }
    Ok(atoms)
}

fn first(bytes: &[u8], offset: usize) -> Result<Atom<'_>, Nonsense> {
    let mut cursor = Cursor::of(bytes);
    let short = |_| Nonsense::new(format!("{} stray bytes at {offset}", bytes.len()));
    let size = u64::from(cursor.u32().map_err(short)?);
    let mut kind = [0; 4];
    kind.copy_from_slice(cursor.take(4).map_err(short)?);
    let size = match size {
        0 => bytes.len() as u64,
        1 => cursor.number(8).map_err(short)?,
        size => size,
    };
    let header = bytes.len() - cursor.rest().len();
    let wrong = || Nonsense::new(format!("box {} at {offset} says {size} bytes", kind.escape_ascii()));
    let size = usize::try_from(size).map_err(|_| wrong())?;
    let body = bytes.get(header..size.min(bytes.len())).ok_or_else(wrong)?;
    Ok(Atom { kind, offset, size, data: offset + header, body })
}

/// The first box of a kind.
pub(crate) fn find<'a>(bytes: &'a [u8], kind: &[u8; 4]) -> Result<Option<Atom<'a>>, Nonsense> {
    Ok(walk(bytes)?.into_iter().find(|atom| &atom.kind == kind))
}

/// The content of the first box of a kind, which has to be there.
pub(crate) fn need<'a>(bytes: &'a [u8], kind: &[u8; 4]) -> Result<&'a [u8], Nonsense> {
    find(bytes, kind)?
        .map(|atom| atom.body)
        .ok_or_else(|| Nonsense::new(format!("no box {}", kind.escape_ascii())))
}
