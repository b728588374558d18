//! The words by which nodes know each other.
//!
//! They keep plans and what is not open yet among nodes. One is a word of at least 16 characters; a file has one a line, and
//! `#` begins a comment. To change them, add the new one as the last line everywhere, then make it the first, then take the
//! old one out.

use http::{HeaderMap, HeaderValue, header};
use package::Digest;
use settings::SettingsError;
use std::path::{Path, PathBuf};

/// Below this a word can be guessed.
const LEAST_CHARACTERS: usize = 16;
const MOST_CHARACTERS: usize = 256;
/// Each costs a comparison.
const MOST_TOKENS: usize = 16;
/// The largest file read.
const MAX_FILE_BYTES: u64 = 16 << 10;

/// Words that are believed. None: nobody is a node.
#[derive(Debug, Clone, Default)]
pub struct Tokens {
    /// As a field says it.
    shown: Option<HeaderValue>,
    believed: Vec<Digest>,
}

impl Tokens {
    /// Reads a file's text.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut tokens = Self::default();
        for (number, line) in text.lines().enumerate() {
            let word = line.split('#').next().unwrap_or_default().trim();
            if word.is_empty() {
                continue;
            }
            let plain = word.bytes().all(|byte| byte.is_ascii_graphic());
            if !plain || !(LEAST_CHARACTERS..=MOST_CHARACTERS).contains(&word.len()) {
                let line = number + 1;
                return Err(format!(
                    "line {line} is no word of {LEAST_CHARACTERS} to {MOST_CHARACTERS} characters; `openssl rand -hex 32` makes one"
                ));
            }
            if tokens.shown.is_none() {
                let mut shown = HeaderValue::try_from(format!("Bearer {word}")).expect("graphic characters");
                shown.set_sensitive(true);
                tokens.shown = Some(shown);
            }
            tokens.believed.push(Digest::of(word.as_bytes()));
        }
        match tokens.believed.len() {
            0 => Err("has no word; `openssl rand -hex 32` makes one".to_owned()),
            1..=MOST_TOKENS => Ok(tokens),
            _ => Err(format!("has more than {MOST_TOKENS} words")),
        }
    }

    /// What this node says `Authorization` to be towards others; `None` where it has no word.
    pub fn shown(&self) -> Option<&HeaderValue> {
        self.shown.as_ref()
    }

    /// Whether a request with these fields comes from a node. Takes as long for a word that is nearly right as for one that
    /// is all wrong.
    pub fn accept(&self, headers: &HeaderMap) -> bool {
        let Some(said) = headers.get(header::AUTHORIZATION).map(HeaderValue::as_bytes) else { return false };
        let Some((scheme, word)) = said.split_at_checked(7) else { return false };
        if !scheme.eq_ignore_ascii_case(b"bearer ") || word.len() > MOST_CHARACTERS {
            return false;
        }
        let given = Digest::of(word.trim_ascii());
        self.believed.iter().fold(false, |known, believed| known | same(&given, believed))
    }
}

/// Every byte is looked at, whatever the first ones are.
fn same(one: &Digest, other: &Digest) -> bool {
    one.0.iter().zip(&other.0).fold(0, |differs, (a, b)| differs | (a ^ b)) == 0
}

/// Words in a file that may change at work.
#[derive(Debug, Clone)]
pub struct TokenFile {
    path: PathBuf,
    text: String,
    tokens: Tokens,
}

impl TokenFile {
    /// Reads them.
    ///
    /// # Errors
    /// When the file cannot be read, or has no words.
    pub fn read(path: &Path) -> Result<Self, SettingsError> {
        let unreadable = |source| SettingsError::Unreadable { path: path.to_owned(), source };
        let text = settings::followed_text(path, MAX_FILE_BYTES).map_err(unreadable)?;
        let tokens = Tokens::parse(&text).map_err(|problem| {
            SettingsError::value("plan.tokens", format!("{}: {problem}", path.display()))
        })?;
        Ok(Self { path: path.to_owned(), text, tokens })
    }

    /// Where they are.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// As last read.
    pub fn tokens(&self) -> &Tokens {
        &self.tokens
    }

    /// Looks again; gives them when they have changed. A file that cannot be used changes nothing.
    pub(crate) fn again(&mut self) -> Option<&Tokens> {
        let text = match settings::followed_text(&self.path, MAX_FILE_BYTES) {
            Ok(text) if text == self.text => return None,
            Ok(text) => text,
            Err(error) => {
                tracing::warn!(path = %self.path.display(), %error, "tokens stay as they were");
                return None;
            }
        };
        match Tokens::parse(&text) {
            Ok(tokens) => {
                tracing::info!(path = %self.path.display(), "tokens read again");
                (self.text, self.tokens) = (text, tokens);
                Some(&self.tokens)
            }
            Err(problem) => {
                tracing::warn!(path = %self.path.display(), problem, "tokens stay as they were");
                None
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn says(value: &str) -> HeaderMap {
        HeaderMap::from_iter([(header::AUTHORIZATION, HeaderValue::from_str(value).unwrap())])
    }

    #[test]
    fn the_first_is_shown_and_all_are_believed() {
        let tokens =
            Tokens::parse("# nodes\nnew-new-new-new-new\n\nold-old-old-old-old # until June\n").unwrap();
        assert_eq!(tokens.shown().unwrap(), "Bearer new-new-new-new-new");
        for (field, known) in [
            ("Bearer new-new-new-new-new", true),
            ("bearer old-old-old-old-old", true),
            ("Bearer old-old-old-old-ol", false),
            ("Bearer old-old-old-old-old#", false),
            ("Basic new-new-new-new-new", false),
            ("Bearer", false),
            ("Bearer ", false),
            ("", false),
        ] {
            assert_eq!(tokens.accept(&says(field)), known, "{field}");
        }
        assert!(!tokens.accept(&HeaderMap::new()));
        assert!(!Tokens::default().accept(&says("Bearer ")), "nobody is a node without a word");
    }

    #[test]
    fn files_that_say_what_cannot_be() {
        for text in ["", "# nothing\n", "short\n", "with a space in the middle\n", &"密".repeat(20)] {
            assert!(Tokens::parse(text).is_err(), "{text:?}");
        }
        assert!(Tokens::parse(&"a-word-that-is-long-enough\n".repeat(17)).is_err());
    }

    #[test]
    fn a_file_that_goes_bad_changes_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tokens");
        std::fs::write(&path, "one-one-one-one-one\n").unwrap();
        let mut file = TokenFile::read(&path).unwrap();
        assert!(file.again().is_none());
        std::fs::write(&path, "bad\n").unwrap();
        assert!(file.again().is_none());
        assert!(file.tokens().accept(&says("Bearer one-one-one-one-one")));
        std::fs::write(&path, "two-two-two-two-two\n").unwrap();
        assert!(file.again().unwrap().accept(&says("Bearer two-two-two-two-two")));
    }
}
