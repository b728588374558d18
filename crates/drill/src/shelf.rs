//! Playlists that have been read: thousands of players get the same one, and one reading serves them all.
//!
//! Every player asks for every playlist it needs, and looks at all its bytes; only when they are the same as last time is the
//! reading not repeated.

use crate::fetch::Answer;
use crate::ladder::Ladder;
use crate::media::Media;
use crate::outcome::ErrorKind;
use bytes::Bytes;
use flate2::read::GzDecoder;
use hls::MAX_PLAYLIST_BYTES;
use http::uri::PathAndQuery;
use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::HashMap;
use std::io::Read;
use std::rc::Rc;

/// Addresses remembered. A morning has a few hundred playlists; beyond the limit all are forgotten and read again.
const MOST: usize = 4_096;

/// One thread's.
#[derive(Default)]
pub(crate) struct Shelf {
    mains: RefCell<Row<Ladder>>,
    lists: RefCell<Row<Media>>,
}

type Row<T> = HashMap<PathAndQuery, (Bytes, Rc<T>)>;

impl Shelf {
    /// The multivariant playlist at `path`.
    ///
    /// # Errors
    /// When it cannot be read.
    pub(crate) fn ladder(&self, path: &PathAndQuery, answer: Answer) -> Result<Rc<Ladder>, ErrorKind> {
        take(&self.mains, path, answer, Ladder::parse)
    }

    /// The media playlist at `path`. The same as last time is the same `Rc`.
    ///
    /// # Errors
    /// When it cannot be read.
    pub(crate) fn media(&self, path: &PathAndQuery, answer: Answer) -> Result<Rc<Media>, ErrorKind> {
        take(&self.lists, path, answer, Media::parse)
    }
}

fn take<T>(
    row: &RefCell<Row<T>>,
    path: &PathAndQuery,
    answer: Answer,
    parse: impl Fn(&PathAndQuery, &str) -> Result<T, ErrorKind>,
) -> Result<Rc<T>, ErrorKind> {
    let mut row = row.borrow_mut();
    if let Some((bytes, known)) = row.get(path)
        && *bytes == answer.text
    {
        return Ok(Rc::clone(known));
    }
    let text = if answer.gzip { Cow::Owned(inflate(&answer.text)?) } else { Cow::Borrowed(&*answer.text) };
    let text = std::str::from_utf8(&text).map_err(|_| ErrorKind::Playlist)?;
    let read = Rc::new(parse(path, text)?);
    if row.len() >= MOST {
        row.clear();
    }
    row.insert(path.clone(), (answer.text, Rc::clone(&read)));
    Ok(read)
}

fn inflate(bytes: &[u8]) -> Result<Vec<u8>, ErrorKind> {
    let mut text = Vec::new();
    let mut most = GzDecoder::new(bytes).take(MAX_PLAYLIST_BYTES as u64 + 1);
    most.read_to_end(&mut text).map_err(|_| ErrorKind::Playlist)?;
    if text.len() > MAX_PLAYLIST_BYTES { Err(ErrorKind::Playlist) } else { Ok(text) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ladder::tests::MAIN;
    use flate2::Compression;
    use flate2::write::GzEncoder;
    use std::io::Write;

    fn gzip(text: &str) -> Answer {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(text.as_bytes()).unwrap();
        Answer { text: encoder.finish().unwrap().into(), gzip: true, ..Answer::default() }
    }

    fn plain(text: &str) -> Answer {
        Answer { text: text.to_owned().into(), ..Answer::default() }
    }

    #[test]
    fn what_has_not_changed_is_not_read_again() {
        let (shelf, path) = (Shelf::default(), "/main.m3u8".parse().unwrap());
        let first = shelf.ladder(&path, gzip(MAIN)).unwrap();
        assert!(Rc::ptr_eq(&first, &shelf.ladder(&path, gzip(MAIN)).unwrap()));
        let other = shelf.ladder(&path, plain(&MAIN.replace("a4", "a5"))).unwrap();
        assert!(!Rc::ptr_eq(&first, &other));
        assert_eq!(&*other.rungs(true)[1].picture.name, "a5");
    }

    #[test]
    fn what_cannot_be_read_is_an_error_each_time() {
        let (shelf, path) = (Shelf::default(), "/s0.m3u8".parse().unwrap());
        for _ in 0..2 {
            assert_eq!(shelf.media(&path, plain("no")).unwrap_err(), ErrorKind::Playlist);
            let cut = Answer { gzip: true, ..plain("no") };
            assert_eq!(shelf.media(&path, cut).unwrap_err(), ErrorKind::Playlist);
        }
        let bomb = gzip(&" ".repeat(MAX_PLAYLIST_BYTES + 1));
        assert_eq!(shelf.media(&path, bomb).unwrap_err(), ErrorKind::Playlist);
    }
}
