//! The code of a class: made at random, given out by the teacher, typed by who wishes to be counted.

use aws_lc_rs::rand;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// Digits and capitals that nobody mistakes for others: no 0, 1, I, L, O. A prime number of them, so that the check finds
/// every wrong character and every two that were exchanged.
const ALPHABET: &[u8; 31] = b"23456789ABCDEFGHJKMNPQRSTUVWXYZ";
/// Characters, the last of which checks the others: 31⁹ codes, 2.6 × 10¹³, of which nobody guesses one in use.
const LENGTH: usize = 10;

/// A class that wishes to know what it has seen. Written as `23456-789A2`. Stands in no register: no school, grade, place or
/// teacher follows from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct ClassCode([u8; LENGTH]);

/// Not a code, or one with a slip of the finger.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidCode {
    /// Too short or too long.
    #[error("a class code has {LENGTH} letters and digits, such as 23456-789A2")]
    Length,
    /// A character that is in no code.
    #[error("`{0}` is in no class code; there is no 0, 1, I, L or O in them")]
    Character(char),
    /// The last character does not fit the others.
    #[error("this is no class code; one character is wrong, or two are exchanged")]
    Check,
}

impl ClassCode {
    /// A new one.
    ///
    /// # Errors
    /// When the system gives no random numbers.
    pub fn random() -> Result<Self, aws_lc_rs::error::Unspecified> {
        let mut code = [0; LENGTH];
        for place in &mut code[..LENGTH - 1] {
            *place = ALPHABET[usize::from(random_digit()?)];
        }
        code[LENGTH - 1] = ALPHABET[check(&code)];
        Ok(Self(code))
    }
}

/// 0 to 30, all as likely: what is left of a byte above the last multiple of 31 is thrown again.
fn random_digit() -> Result<u8, aws_lc_rs::error::Unspecified> {
    loop {
        let mut byte = [0];
        rand::fill(&mut byte)?;
        if byte[0] < 248 {
            return Ok(byte[0] % 31);
        }
    }
}

/// The last character's place in the alphabet: weights 1 to 9, modulo a prime.
fn check(code: &[u8; LENGTH]) -> usize {
    let value = |byte: &u8| ALPHABET.iter().position(|letter| letter == byte).unwrap_or_default();
    let sum: usize =
        code[..LENGTH - 1].iter().enumerate().map(|(place, byte)| (place + 1) * value(byte)).sum();
    sum % ALPHABET.len()
}

impl FromStr for ClassCode {
    type Err = InvalidCode;

    /// Small letters, blanks and hyphens are forgiven.
    fn from_str(text: &str) -> Result<Self, InvalidCode> {
        let mut code = [0; LENGTH];
        let mut length = 0;
        for character in text.chars().filter(|character| !matches!(character, '-' | ' ')) {
            let capital = character.to_ascii_uppercase();
            let known = u8::try_from(capital).ok().filter(|byte| ALPHABET.contains(byte));
            let place = code.get_mut(length).ok_or(InvalidCode::Length)?;
            *place = known.ok_or(InvalidCode::Character(character))?;
            length += 1;
        }
        match length {
            LENGTH if ALPHABET[check(&code)] == code[LENGTH - 1] => Ok(Self(code)),
            LENGTH => Err(InvalidCode::Check),
            _ => Err(InvalidCode::Length),
        }
    }
}

impl fmt::Display for ClassCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, byte) in self.0.iter().enumerate() {
            let hyphen = if place == LENGTH / 2 { "-" } else { "" };
            write!(f, "{hyphen}{}", char::from(*byte))?;
        }
        Ok(())
    }
}

impl From<ClassCode> for String {
    fn from(code: ClassCode) -> Self {
        code.to_string()
    }
}

impl TryFrom<String> for ClassCode {
    type Error = InvalidCode;

    fn try_from(text: String) -> Result<Self, InvalidCode> {
        text.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_read_as_written_and_forgive_how_people_type() {
        for _ in 0..100 {
            let code = ClassCode::random().unwrap();
            let written = code.to_string();
            assert_eq!(written.len(), LENGTH + 1);
            assert_eq!(written.parse(), Ok(code));
            assert_eq!(written.to_lowercase().replace('-', " ").parse(), Ok(code));
        }
    }

    #[test]
    fn every_wrong_character_and_every_exchange_is_found() {
        let code = ClassCode::random().unwrap().0;
        for place in 0..LENGTH {
            for &letter in ALPHABET {
                let mut other = code;
                other[place] = letter;
                let text = String::from_utf8(other.to_vec()).unwrap();
                assert_eq!(text.parse::<ClassCode>().is_ok(), other == code, "{text}");
            }
        }
        // Of neighbours before the last place; with the last one there is a chance of one in 31.
        for place in 0..LENGTH - 2 {
            let mut other = code;
            other.swap(place, place + 1);
            let text = String::from_utf8(other.to_vec()).unwrap();
            assert_eq!(text.parse::<ClassCode>().is_ok(), other == code, "{text}");
        }
    }

    #[test]
    fn what_is_no_code_is_told_why() {
        for (text, why) in [
            ("", InvalidCode::Length),
            ("23456", InvalidCode::Length),
            ("23456-789AB-CDEFG", InvalidCode::Length),
            ("2345O-789AB", InvalidCode::Character('O')),
            ("三年二班", InvalidCode::Character('三')),
        ] {
            assert_eq!(text.parse::<ClassCode>(), Err(why), "{text}");
        }
    }
}
