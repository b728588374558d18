//! Languages: their tags, and what they call themselves.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// A language by its tag (RFC 5646), in the usual spelling: `zh-CN`, `zh-Hans`, `en`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Language(String);

/// Not a language tag.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no language tag; write one such as zh-CN or en")]
pub struct InvalidLanguage(pub String);

/// The longest tag; RFC 5646 §4.4.1 asks for room for 35 characters.
const MAX_TAG: usize = 35;

impl Language {
    /// As written: `zh-CN`.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What its speakers call it, for menus; the tag itself where we do not know.
    ///
    /// The languages of China's schools, and those taught there.
    pub fn native_name(&self) -> &str {
        let (language, rest) = self.0.split_once('-').unwrap_or((&self.0, ""));
        let has = |part: &str| rest.split('-').any(|other| other == part);
        match language {
            "zh" | "cmn" if has("Hant") || has("TW") || has("HK") || has("MO") => "繁體中文",
            "zh" | "cmn" if has("Hans") || has("CN") || has("SG") => "简体中文",
            "zh" | "cmn" => "中文",
            "yue" => "粵語",
            "bo" => "བོད་སྐད་",
            "ug" => "ئۇيغۇرچە",
            "mn" if has("Cyrl") => "Монгол",
            "mn" => "ᠮᠣᠩᠭᠣᠯ",
            "kk" if has("CN") || has("Arab") => "قازاقشا",
            "kk" => "Қазақша",
            "ky" => "Кыргызча",
            "ko" => "한국어",
            "za" => "Vahcuengh",
            "ii" => "ꆈꌠꉙ",
            "en" => "English",
            "ja" => "日本語",
            "ru" => "Русский",
            "fr" => "Français",
            "de" => "Deutsch",
            "es" => "Español",
            "pt" => "Português",
            "it" => "Italiano",
            "ar" => "العربية",
            "vi" => "Tiếng Việt",
            "th" => "ไทย",
            "id" => "Bahasa Indonesia",
            _ => &self.0,
        }
    }
}

impl FromStr for Language {
    type Err = InvalidLanguage;

    /// Takes any case and writes the usual one (RFC 5646 §2.1.1): languages small, scripts with a capital, regions in
    /// capitals. So two spellings are not two languages.
    fn from_str(text: &str) -> Result<Self, InvalidLanguage> {
        if !is_language(text) {
            return Err(InvalidLanguage(text.chars().take(MAX_TAG).collect()));
        }
        let mut parts = text.split('-');
        let mut tag = parts.next().unwrap_or_default().to_ascii_lowercase();
        // Behind a single letter (an extension) everything is small.
        let mut extension = false;
        for part in parts {
            extension |= part.len() == 1;
            tag.push('-');
            match part.len() {
                2 if !extension => tag.push_str(&part.to_ascii_uppercase()),
                4 if !extension && part.bytes().all(|byte| byte.is_ascii_alphabetic()) => {
                    let part = part.to_ascii_lowercase();
                    tag.push_str(&part[..1].to_ascii_uppercase());
                    tag.push_str(&part[1..]);
                }
                _ => tag.push_str(&part.to_ascii_lowercase()),
            }
        }
        Ok(Self(tag))
    }
}

impl TryFrom<String> for Language {
    type Error = InvalidLanguage;

    fn try_from(text: String) -> Result<Self, InvalidLanguage> {
        text.parse()
    }
}

impl From<Language> for String {
    fn from(language: Language) -> String {
        language.0
    }
}

impl fmt::Display for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// RFC 5646 in shape: letters first, then parts of letters and digits.
pub(crate) fn is_language(text: &str) -> bool {
    let mut parts = text.split('-');
    text.len() <= MAX_TAG
        && parts.next().is_some_and(|first| {
            (2..=8).contains(&first.len()) && first.bytes().all(|byte| byte.is_ascii_alphabetic())
        })
        && parts.all(|part| {
            (1..=8).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_alphanumeric())
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_written_in_one_way() {
        for (text, tag) in [
            ("zh-CN", "zh-CN"),
            ("ZH-cn", "zh-CN"),
            ("zh-hans-cn", "zh-Hans-CN"),
            ("EN", "en"),
            ("es-419", "es-419"),
            ("en-u-CA-gregory", "en-u-ca-gregory"),
            ("de-1996", "de-1996"),
        ] {
            assert_eq!(text.parse::<Language>().unwrap().as_str(), tag);
        }
        for text in ["", "z", "zh_CN", "-zh", "zh-", "中文", "a1", "zh-CN/..", &"a-".repeat(20)] {
            assert!(text.parse::<Language>().is_err(), "{text}");
        }
    }

    #[test]
    fn languages_call_themselves() {
        for (tag, name) in [
            ("zh-CN", "简体中文"),
            ("zh-Hant", "繁體中文"),
            ("zh", "中文"),
            ("en-GB", "English"),
            ("bo", "བོད་སྐད་"),
            ("tlh", "tlh"),
        ] {
            assert_eq!(tag.parse::<Language>().unwrap().native_name(), name, "{tag}");
        }
    }
}
