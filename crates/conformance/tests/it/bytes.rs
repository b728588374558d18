//! Finding and changing things in boxes and texts.

use std::collections::BTreeMap;

/// A package in memory: object by path.
pub(crate) type Package = BTreeMap<String, Vec<u8>>;

/// Where the first box of type `kind` begins that is a child, at any depth, of the boxes in `bytes`.
pub(crate) fn find(bytes: &[u8], kind: &[u8; 4]) -> usize {
    bytes.windows(4).position(|four| four == kind).expect("the box is there") - 4
}

/// The length of the box at `at`.
pub(crate) fn length(bytes: &[u8], at: usize) -> usize {
    u32::from_be_bytes(bytes[at..at + 4].try_into().expect("four bytes")) as usize
}

/// Adds `by` to the length of the box at `at`.
pub(crate) fn grow(bytes: &mut [u8], at: usize, by: i64) {
    let new = (length(bytes, at) as i64 + by) as u32;
    bytes[at..at + 4].copy_from_slice(&new.to_be_bytes());
}

/// A box.
pub(crate) fn atom(kind: &[u8; 4], body: &[u8]) -> Vec<u8> {
    let mut bytes = (body.len() as u32 + 8).to_be_bytes().to_vec();
    bytes.extend(kind);
    bytes.extend(body);
    bytes
}

/// Replaces text in an object, which must be there.
pub(crate) fn replace(package: &mut Package, path: &str, from: &str, to: &str) {
    let object = package.get_mut(path).unwrap_or_else(|| panic!("{path} is there"));
    let text = String::from_utf8(object.clone()).expect("a text");
    assert!(text.contains(from), "{path} has no `{from}`:\n{text}");
    *object = text.replacen(from, to, 1).into_bytes();
}

/// Replaces text in all playlists whose names end with `name`.
pub(crate) fn replace_in_all(package: &mut Package, name: &str, from: &str, to: &str) {
    for (_, object) in package.iter_mut().filter(|(path, _)| path.ends_with(name)) {
        *object = String::from_utf8(object.clone()).expect("a text").replace(from, to).into_bytes();
    }
}

/// Takes the attribute `name` out of every line that begins with `tag`.
pub(crate) fn without(package: &mut Package, path: &str, tag: &str, name: &str) {
    let text = String::from_utf8(package[path].clone()).expect("a text");
    let line = |line: &str| match line.starts_with(tag).then(|| attribute(line, name)).flatten() {
        Some((start, end)) => format!("{}{}", &line[..start], &line[end..]),
        None => line.to_owned(),
    };
    let changed: Vec<_> = text.lines().map(line).collect();
    let changed = changed.join("\n") + "\n";
    assert_ne!(changed, text, "{path}: no {name} on {tag}");
    package.insert(path.to_owned(), changed.into_bytes());
}

/// `,NAME=value` or `NAME=value,` in a line.
fn attribute(line: &str, name: &str) -> Option<(usize, usize)> {
    let start = line.find(&format!(",{name}=")).or_else(|| line.find(&format!(":{name}=")))?;
    let first = line[start..].starts_with(':');
    let (mut end, mut quoted) = (line.len(), false);
    for (at, c) in line[start + 1..].char_indices() {
        match c {
            '"' => quoted = !quoted,
            ',' if !quoted => {
                end = start + 1 + at;
                break;
            }
            _ => {}
        }
    }
    Some(if first { (start + 1, (end + 1).min(line.len())) } else { (start, end) })
}
