//! What people say about a lesson: title, stage, subject. May be corrected without touching the package.

use crate::catalogue::Listed;
use crate::language::{Language, is_language};
use crate::layout::{LessonId, PackageId};
use crate::manifest::{Manifest, json};
use crate::sections::SectionId;
use serde::de::{self, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use settings::SettingsError;
use std::fmt;
use std::path::Path;
use std::str::FromStr;

/// The longest text of one field, in characters.
const MAX_TEXT: usize = 200;
/// The largest `lesson.json` read.
pub const MAX_LESSON_BYTES: usize = 64 << 10;
/// RFC 5646, where nothing else is said.
pub const DEFAULT_LANGUAGE: &str = "zh-CN";

/// Stage of school.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Stage {
    /// 小学.
    #[serde(alias = "小学")]
    Primary,
    /// 初中.
    #[serde(alias = "初中")]
    Junior,
    /// 高中.
    #[serde(alias = "高中")]
    Senior,
    /// Anything else; also what says nothing.
    #[default]
    #[serde(alias = "其他")]
    Other,
}

/// Year of school, 1 to 12 through all stages. Written as that number; read from it or from its Chinese name: 三年级,
/// 初一, 高三.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(into = "u8")]
pub struct Grade(u8);

/// Not 1 to 12 and not the name of one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no grade; write 1 to 12 (7 is the first of junior, 10 of senior school) or a name such as 三年级 or 高一"
)]
pub struct InvalidGrade(pub String);

/// What a teacher writes beside a file, in TOML. Everything may be left out.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Description {
    /// What the list shows. Left out: the file's name.
    pub title: Option<String>,
    /// 学段.
    pub stage: Stage,
    /// 年级.
    pub grade: Option<Grade>,
    /// 学科.
    pub subject: Option<String>,
    /// 版本.
    pub edition: Option<String>,
    /// 册次.
    pub volume: Option<String>,
    /// 单元.
    pub unit: Option<String>,
    /// The place in the volume, as the syllabus has it: `3.2`, 第5课.
    pub syllabus: Option<String>,
    /// Where several lessons have one place in the syllabus, this is the one that is shown first.
    pub canonical: bool,
    /// 板块: the section of the home page, a name of `catalogue/sections-….json`. Left out: lessons of a subject are in the
    /// one for courses.
    pub section: Option<SectionId>,
    /// Who teaches.
    pub teacher: Option<String>,
    /// Language of the sound, RFC 5646. Left out: [`DEFAULT_LANGUAGE`].
    pub language: Option<String>,
    /// Who provides it.
    pub provider: Option<String>,
    /// Under which terms it may be used.
    pub licence: Option<String>,
}

/// What `lesson.json` says: the line of the list, and which package it is now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lesson {
    /// The package it is now.
    pub package: PackageId,
    /// What the list says.
    #[serde(flatten)]
    pub listed: Listed,
}

impl Description {
    /// Reads what a teacher wrote. `path` is for the error, which names file and line.
    ///
    /// # Errors
    /// When it is no TOML, has an unknown key, or a text is empty, longer than 200 characters or holds control
    /// characters.
    pub fn parse(text: &str, path: &Path) -> Result<Self, SettingsError> {
        let description: Self = settings::parse(text, path)?;
        description.check()?;
        Ok(description)
    }

    /// Language of the sound: what was told, or [`DEFAULT_LANGUAGE`].
    pub fn spoken(&self) -> Language {
        let told = self.language.as_deref().and_then(|tag| tag.parse().ok());
        told.unwrap_or_else(|| DEFAULT_LANGUAGE.parse().expect("a tag"))
    }

    fn check(&self) -> Result<(), SettingsError> {
        let texts = [
            ("title", &self.title),
            ("subject", &self.subject),
            ("edition", &self.edition),
            ("volume", &self.volume),
            ("unit", &self.unit),
            ("syllabus", &self.syllabus),
            ("teacher", &self.teacher),
            ("provider", &self.provider),
            ("licence", &self.licence),
        ];
        for (key, text) in texts {
            if text.as_deref().is_some_and(|text| !is_plain(text)) {
                let problem = format!("must be 1 to {MAX_TEXT} characters without control characters");
                return Err(SettingsError::value(key, problem));
            }
        }
        if self.language.as_deref().is_some_and(|language| !is_language(language)) {
            return Err(SettingsError::value("language", "must be a language tag such as zh-CN or en"));
        }
        Ok(())
    }
}

impl Lesson {
    /// What is said about `lesson`, now that it is `package`. `stem` is the title where none was given.
    pub fn new(
        lesson: LessonId,
        package: PackageId,
        manifest: &Manifest,
        description: &Description,
        stem: &str,
    ) -> Self {
        let told = description.clone();
        let listed = Listed {
            title: told.title.unwrap_or_else(|| plain(stem).unwrap_or_else(|| lesson.to_string())),
            lesson,
            duration_ms: manifest.duration_ms(),
            stage: told.stage,
            grade: told.grade,
            subject: told.subject,
            edition: told.edition,
            volume: told.volume,
            unit: told.unit,
            syllabus: told.syllabus,
            canonical: told.canonical,
            section: told.section,
            teacher: told.teacher,
            language: told.language.unwrap_or_else(|| DEFAULT_LANGUAGE.to_owned()),
            provider: told.provider,
            licence: told.licence,
        };
        Self { package, listed }
    }

    /// `lesson.json`.
    pub fn to_bytes(&self) -> Vec<u8> {
        json(self)
    }

    /// Reads `lesson.json`; keys of later releases are passed over.
    ///
    /// # Errors
    /// When it is no such JSON.
    pub fn parse(bytes: &[u8]) -> Result<Self, serde_json::Error> {
        serde_json::from_slice(bytes)
    }
}

impl Stage {
    /// As in TOML, JSON and names of shards.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Primary => "primary",
            Self::Junior => "junior",
            Self::Senior => "senior",
            Self::Other => "other",
        }
    }

    /// 学段, as schools say it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Primary => "小学",
            Self::Junior => "初中",
            Self::Senior => "高中",
            Self::Other => "其他",
        }
    }
}

impl Grade {
    /// 1 to 12.
    pub const fn year(self) -> u8 {
        self.0
    }

    /// As schools say it: 三年级, 九年级, 高一.
    pub const fn name(self) -> &'static str {
        let [long, short] = GRADES[self.0 as usize - 1];
        if self.0 > 9 { short } else { long }
    }
}

/// Two names a year: through all stages, and within the stage.
const GRADES: [[&str; 2]; 12] = [
    ["一年级", "小一"],
    ["二年级", "小二"],
    ["三年级", "小三"],
    ["四年级", "小四"],
    ["五年级", "小五"],
    ["六年级", "小六"],
    ["七年级", "初一"],
    ["八年级", "初二"],
    ["九年级", "初三"],
    ["十年级", "高一"],
    ["十一年级", "高二"],
    ["十二年级", "高三"],
];

impl TryFrom<u8> for Grade {
    type Error = InvalidGrade;

    fn try_from(year: u8) -> Result<Self, InvalidGrade> {
        if (1..=12).contains(&year) { Ok(Self(year)) } else { Err(InvalidGrade(year.to_string())) }
    }
}

impl FromStr for Grade {
    type Err = InvalidGrade;

    fn from_str(text: &str) -> Result<Self, InvalidGrade> {
        let named = (1..).zip(GRADES).find(|(_, names)| names.contains(&text)).map(|(year, _)| year);
        let year = named.or_else(|| text.strip_suffix("年级").unwrap_or(text).parse().ok());
        let invalid = || InvalidGrade(text.chars().take(20).collect());
        year.and_then(|year: u8| Self::try_from(year).ok()).ok_or_else(invalid)
    }
}

impl<'de> Deserialize<'de> for Grade {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct NumberOrName;

        impl Visitor<'_> for NumberOrName {
            type Value = Grade;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a grade: 1 to 12, or a name such as 三年级 or 高一")
            }

            fn visit_u64<E: de::Error>(self, year: u64) -> Result<Grade, E> {
                self.visit_str(&year.to_string())
            }

            fn visit_i64<E: de::Error>(self, year: i64) -> Result<Grade, E> {
                self.visit_str(&year.to_string())
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Grade, E> {
                text.parse().map_err(E::custom)
            }
        }

        deserializer.deserialize_any(NumberOrName)
    }
}

impl From<Grade> for u8 {
    fn from(grade: Grade) -> u8 {
        grade.0
    }
}

fn is_plain(text: &str) -> bool {
    !text.trim().is_empty() && text.chars().count() <= MAX_TEXT && !text.chars().any(char::is_control)
}

/// What of a file's name can be a title.
fn plain(stem: &str) -> Option<String> {
    let text: String = stem.chars().filter(|c| !c.is_control()).take(MAX_TEXT).collect();
    is_plain(&text).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Description, String> {
        Description::parse(text, Path::new("lesson.toml")).map_err(|error| error.to_string())
    }

    #[test]
    fn a_teachers_file_is_read() {
        let description = parse(
            "title = \"第5课 孔乙己\"\nstage = \"junior\"\ngrade = 9\nsubject = \"语文\"\nedition = \"人教版\"\n\
             volume = \"下册\"\nlanguage = \"zh-CN\"\n",
        )
        .unwrap();
        assert_eq!(description.title.as_deref(), Some("第5课 孔乙己"));
        assert_eq!((description.stage, description.grade), (Stage::Junior, Some(Grade(9))));
        assert_eq!(parse(""), Ok(Description::default()));
    }

    #[test]
    fn grades_and_stages_are_read_as_schools_write_them() {
        for (text, year) in
            [("3", 3), ("\"3\"", 3), ("\"三年级\"", 3), ("\"初一\"", 7), ("\"九年级\"", 9), ("\"高三\"", 12)]
        {
            let grade = parse(&format!("grade = {text}")).unwrap().grade;
            assert_eq!(grade.map(Grade::year), Some(year), "{text}");
        }
        assert_eq!(parse("stage = \"小学\"").unwrap().stage, Stage::Primary);
        assert_eq!(serde_json::to_string(&(Stage::Senior, Grade(10))).unwrap(), "[\"senior\",10]");
    }

    #[test]
    fn a_mistake_is_named() {
        for (text, words) in [
            ("titel = \"x\"\n", "lesson.toml:1: unknown field `titel`"),
            ("\ngrade = 13\n", "lesson.toml:2: `13` is no grade"),
            ("grade = -1\n", "`-1` is no grade"),
            ("grade = \"大一\"\n", "`大一` is no grade"),
            ("stage = \"kindergarten\"\n", "unknown variant `kindergarten`"),
            ("title = \"\"\n", "`title` must be 1 to 200 characters"),
            ("teacher = \"a\\nb\"\n", "`teacher` must be"),
            ("language = \"chinese language\"\n", "`language` must be a language tag"),
            ("title = 5\n", "lesson.toml:1:"),
        ] {
            let error = parse(text).unwrap_err();
            assert!(error.contains(words), "{text}: {error}");
        }
    }
}
