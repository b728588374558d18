//! What is asked for.

use crate::payload;
use crate::upstream;
use bytes::Bytes;

/// An object, or a part of one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Question {
    pub(crate) path: String,
    /// Where in the payload it begins.
    from: usize,
    /// Bytes of the whole object.
    object: usize,
    /// First and last byte, if not the whole is asked for.
    pub(crate) range: Option<(usize, usize)>,
}

impl Question {
    /// The whole of the origin's object of that length and name.
    pub(crate) fn whole(object: usize, name: &str) -> Self {
        Self { path: upstream::path(object, name), from: 0, object, range: None }
    }

    /// The whole of an object that begins elsewhere in the payload, so that it cannot be taken for another.
    pub(crate) fn whole_from(from: usize, object: usize, name: &str) -> Self {
        Self { path: upstream::path_from(from, object, name), from, object, range: None }
    }

    /// The same object from byte `first` to byte `last`, both included.
    pub(crate) fn part(&self, first: usize, last: usize) -> Self {
        Self { range: Some((first, last)), ..self.clone() }
    }

    /// The whole of what this is a part of.
    pub(crate) fn of_whole(&self) -> Self {
        Self { range: None, ..self.clone() }
    }

    /// What must be answered.
    pub(crate) fn expected(&self) -> Bytes {
        let whole = payload::of(payload::MOST).slice(self.from..self.from + self.object);
        match self.range {
            None => whole,
            Some((first, last)) => whole.slice(first..=last),
        }
    }

    /// Bytes of the answer's body.
    pub(crate) fn length(&self) -> usize {
        self.range.map_or(self.object, |(first, last)| last - first + 1)
    }

    /// The answer's status.
    pub(crate) fn status(&self) -> u16 {
        if self.range.is_some() { 206 } else { 200 }
    }

    /// The field that asks for a part.
    pub(crate) fn range_field(&self) -> Option<String> {
        self.range.map(|(first, last)| format!("bytes={first}-{last}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_is_as_long_as_it_says() {
        let whole = Question::whole(1_000, "a");
        let part = whole.part(10, 19);
        assert_eq!((whole.length(), whole.status(), whole.range_field()), (1_000, 200, None));
        assert_eq!((part.length(), part.status()), (10, 206));
        assert_eq!(part.range_field().as_deref(), Some("bytes=10-19"));
        assert_eq!(part.expected(), whole.expected().slice(10..20));
    }
}
