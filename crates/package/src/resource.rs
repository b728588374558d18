//! 课本和资料: textbooks, sets of sound and sheets to be taken home, and where apps are had. Files lie under names of their own
//! SHA-256 (`r/<sha256>.<kind>`), so they never change and a download goes on where it was, on whatever node.

use crate::digest::Digest;
use crate::layout::LessonId;
use crate::lesson::{Grade, Stage};
use crate::manifest::json;
use crate::media_type::MediaType;
use crate::path::StorePath;
use serde::{Deserialize, Serialize};
use settings::SettingsError;
use std::path::Path;

/// The largest file: a textbook with its pictures as printed has some 50 MB, a set of sound four times that.
pub const MAX_FILE_BYTES: u64 = 512 << 20;
/// The longest list that is read: some 20,000 resources.
pub const MAX_RESOURCES_BYTES: usize = 8 << 20;
/// The most resources of a list.
pub const MAX_RESOURCES: usize = 20_000;
/// The most files of one: a set of sound has one a text.
pub const MAX_FILES: usize = 500;
/// The longest text of one field, in characters.
const MAX_TEXT: usize = 200;

/// What kind of thing it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ResourceKind {
    /// 课本.
    #[serde(alias = "课本")]
    Textbook,
    /// 音频, such as texts read aloud.
    #[serde(alias = "音频")]
    Audio,
    /// 资料: sheets, papers.
    #[serde(alias = "资料")]
    Document,
    /// 应用: a link.
    #[serde(alias = "应用")]
    App,
}

/// What is written beside the files, in TOML.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ResourceDescription {
    /// What the list shows.
    pub title: String,
    /// What it is.
    pub kind: ResourceKind,
    /// 学段.
    #[serde(default)]
    pub stage: Stage,
    /// 年级.
    pub grade: Option<Grade>,
    /// 学科.
    pub subject: Option<String>,
    /// 版本.
    pub edition: Option<String>,
    /// 册次.
    pub volume: Option<String>,
    /// Who provides it.
    pub provider: String,
    /// Under which terms it may be used.
    pub licence: String,
    /// Of an app: where it is had.
    pub link: Option<String>,
}

/// One file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResourceFile {
    /// `r/<sha256>.<kind>`.
    pub path: StorePath,
    /// What it is saved as.
    pub name: String,
    /// Its length.
    pub bytes: u64,
    /// What proves it.
    pub sha256: Digest,
}

/// One resource, as the list has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resource {
    /// Its name.
    pub resource: LessonId,
    /// What is said about it.
    #[serde(flatten)]
    pub about: ResourceDescription,
    /// Its files; none of an app.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<ResourceFile>,
}

/// All of them: `resources/index.json`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Resources {
    /// Rises by one with every change.
    pub version: u64,
    /// By stage, grade, subject and name.
    pub resources: Vec<Resource>,
}

/// Why something is no resource.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidResource {
    /// A file of a kind that is not offered, or that is not what its name says.
    #[error(
        "`{0}` is none of .pdf, .mp3 and .zip, or does not begin as one; give the file itself under its right name"
    )]
    File(String),
    /// Larger than [`MAX_FILE_BYTES`], or empty.
    #[error("`{0}` is empty or larger than 512 MiB; divide it")]
    Size(String),
    /// An app with files, or anything else without.
    #[error("an app has a link and no files, everything else has 1 to {MAX_FILES} files and no link")]
    Form,
    /// More than [`MAX_RESOURCES`].
    #[error("there are {MAX_RESOURCES} resources already; remove some")]
    Full,
    /// Their list would be longer than [`MAX_RESOURCES_BYTES`], and nobody could read it any more.
    #[error("the list of resources has no room for it; remove some, or put files together in a .zip")]
    TooLong,
}

impl ResourceDescription {
    /// Reads what somebody wrote. `path` is for the error, which names file and line.
    ///
    /// # Errors
    /// When it is no TOML of this form, or a text or link cannot be one.
    pub fn parse(text: &str, path: &Path) -> Result<Self, SettingsError> {
        let told: Self = settings::parse(text, path)?;
        let texts = [
            ("title", Some(&told.title)),
            ("subject", told.subject.as_ref()),
            ("edition", told.edition.as_ref()),
            ("volume", told.volume.as_ref()),
            ("provider", Some(&told.provider)),
            ("licence", Some(&told.licence)),
        ];
        let plain = |text: &str| {
            !text.trim().is_empty() && text.chars().count() <= MAX_TEXT && !text.chars().any(char::is_control)
        };
        if let Some((key, _)) = texts.into_iter().find(|(_, text)| text.is_some_and(|text| !plain(text))) {
            let problem = format!("must be 1 to {MAX_TEXT} characters without control characters");
            return Err(SettingsError::value(key, problem));
        }
        if told.link.as_deref().is_some_and(|link| !is_link(link)) {
            return Err(SettingsError::value(
                "link",
                "must be https://… without blanks, quotes, `<` and `>`",
            ));
        }
        Ok(told)
    }
}

/// An address that a page may lead to.
pub(crate) fn is_link(link: &str) -> bool {
    let odd = |c: char| c.is_whitespace() || c.is_control() || "\"'<>".contains(c);
    link.starts_with("https://") && link.len() <= MAX_TEXT && !link.contains(odd)
}

impl ResourceFile {
    /// What `bytes` are, whose file is called `name`.
    ///
    /// # Errors
    /// When they are not what the name says, or too many.
    pub fn of(name: &str, bytes: &[u8]) -> Result<Self, InvalidResource> {
        let extension =
            name.rsplit_once('.').map(|(_, extension)| extension.to_ascii_lowercase()).unwrap_or_default();
        let begins = match MediaType::of_extension(&extension) {
            Some(MediaType::Pdf) => bytes.starts_with(b"%PDF-"),
            Some(MediaType::Mp3) => bytes.starts_with(b"ID3") || matches!(bytes, [0xff, 0xe0..=0xff, ..]),
            Some(MediaType::Zip) => bytes.starts_with(b"PK\x03\x04"),
            _ => false,
        };
        if bytes.is_empty() || bytes.len() as u64 > MAX_FILE_BYTES {
            return Err(InvalidResource::Size(name.to_owned()));
        }
        let plain =
            !name.is_empty() && name.chars().count() <= MAX_TEXT && !name.chars().any(char::is_control);
        if !begins || !plain {
            return Err(InvalidResource::File(name.to_owned()));
        }
        let sha256 = Digest::of(bytes);
        let path = StorePath::known(format!("r/{sha256}.{extension}"));
        Ok(Self { path, name: name.to_owned(), bytes: bytes.len() as u64, sha256 })
    }
}

impl Resource {
    /// One of these files.
    ///
    /// # Errors
    /// [`InvalidResource::Form`].
    pub fn new(
        resource: LessonId,
        about: ResourceDescription,
        files: Vec<ResourceFile>,
    ) -> Result<Self, InvalidResource> {
        let is_app = about.kind == ResourceKind::App;
        let fits = if is_app { files.is_empty() } else { (1..=MAX_FILES).contains(&files.len()) };
        if !fits || is_app != about.link.is_some() {
            return Err(InvalidResource::Form);
        }
        Ok(Self { resource, about, files })
    }

    /// Of all files.
    pub fn bytes(&self) -> u64 {
        self.files.iter().map(|file| file.bytes).sum()
    }
}

impl Resources {
    /// Reads the list.
    ///
    /// # Errors
    /// When it is no such JSON.
    pub fn parse(bytes: &[u8]) -> Result<Self, serde_json::Error> {
        serde_json::from_slice(bytes)
    }

    /// As it is stored.
    pub fn to_bytes(&self) -> Vec<u8> {
        json(self)
    }

    /// Adds a resource, or puts it in place of the one of its name; whether anything changed.
    ///
    /// # Errors
    /// [`InvalidResource::Full`] and [`InvalidResource::TooLong`]; the list is then as it was.
    pub fn upsert(&mut self, resource: Resource) -> Result<bool, InvalidResource> {
        if self.resources.contains(&resource) {
            return Ok(false);
        }
        let others = self.resources.iter().filter(|other| other.resource != resource.resource);
        let mut next = Self { version: self.version + 1, resources: others.cloned().collect() };
        if next.resources.len() >= MAX_RESOURCES {
            return Err(InvalidResource::Full);
        }
        next.resources.push(resource);
        next.resources.sort_by(|a, b| place(a).cmp(&place(b)));
        if next.to_bytes().len() > MAX_RESOURCES_BYTES {
            return Err(InvalidResource::TooLong);
        }
        *self = next;
        Ok(true)
    }

    /// Takes one out; whether it was there.
    pub fn remove(&mut self, resource: &LessonId) -> bool {
        let before = self.resources.len();
        self.resources.retain(|other| other.resource != *resource);
        let was_there = self.resources.len() < before;
        self.version += u64::from(was_there);
        was_there
    }
}

/// In which order they are listed.
fn place(resource: &Resource) -> impl Ord + '_ {
    let about = &resource.about;
    (about.stage, about.grade, about.subject.as_deref(), about.kind, resource.resource.as_str())
}

/// `resources/index.json`.
pub fn resources_path() -> StorePath {
    StorePath::known("resources/index.json".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn about(more: &str) -> Result<ResourceDescription, String> {
        let text =
            format!("title = \"数学 三年级 上册\"\nprovider = \"人教社\"\nlicence = \"供教学使用\"\n{more}");
        ResourceDescription::parse(&text, Path::new("book.toml")).map_err(|error| error.to_string())
    }

    #[test]
    fn a_file_is_what_its_name_says_and_lies_under_its_own_sum() {
        let book = ResourceFile::of("数学 三上.PDF", b"%PDF-1.7 ...").unwrap();
        assert_eq!(book.path.as_str(), format!("r/{}.pdf", Digest::of(b"%PDF-1.7 ...")));
        assert_eq!((book.name.as_str(), book.bytes), ("数学 三上.PDF", 12));
        assert!(
            ResourceFile::of("text.mp3", b"ID3\x04").is_ok()
                && ResourceFile::of("t.mp3", &[0xff, 0xfb, 0]).is_ok()
        );
        for (name, bytes) in [
            ("a.pdf", &b"MZ\x90"[..]),
            ("a.exe", b"MZ\x90"),
            ("pdf", b"%PDF-"),
            ("a\n.pdf", b"%PDF-"),
            ("a.html", b"<script>"),
        ] {
            assert!(matches!(ResourceFile::of(name, bytes), Err(InvalidResource::File(_))), "{name}");
        }
        assert!(matches!(ResourceFile::of("a.pdf", b""), Err(InvalidResource::Size(_))));
    }

    #[test]
    fn where_it_comes_from_and_its_terms_must_be_said() {
        let told = about("kind = \"课本\"\ngrade = \"三年级\"\nstage = \"primary\"\n").unwrap();
        assert_eq!((told.kind, told.grade.map(Grade::year)), (ResourceKind::Textbook, Some(3)));
        for (more, words) in [
            ("", "missing field `kind`"),
            ("kind = \"film\"\n", "unknown variant `film`"),
            ("kind = \"app\"\nlink = \"http://a\"\n", "`link` must be https://"),
            ("kind = \"app\"\nlink = \"https://a/\\\"x\"\n", "`link` must be https://"),
            ("kind = \"app\"\nsubject = \"\"\n", "`subject` must be 1 to 200"),
        ] {
            let error = about(more).unwrap_err();
            assert!(error.contains(words), "{more}: {error}");
        }
        let bare = ResourceDescription::parse("title = \"x\"\nkind = \"app\"\n", Path::new("x")).unwrap_err();
        assert!(bare.to_string().contains("provider"), "{bare}");
    }

    #[test]
    fn a_list_has_each_name_once_and_its_version_rises_with_changes_only() {
        let file = ResourceFile::of("a.pdf", b"%PDF-1").unwrap();
        let id = |name: &str| name.parse::<LessonId>().unwrap();
        let book = Resource::new(
            id("maths-3a"),
            about("kind = \"textbook\"\ngrade = 3").unwrap(),
            vec![file.clone()],
        )
        .unwrap();
        let app = Resource::new(id("app"), about("kind = \"app\"\nlink = \"https://a/\"").unwrap(), vec![])
            .unwrap();
        let mut list = Resources::default();
        assert_eq!(list.upsert(book.clone()), Ok(true));
        assert_eq!(list.upsert(book.clone()), Ok(false));
        assert_eq!(list.upsert(app.clone()), Ok(true));
        let corrected = Resource { about: about("kind = \"textbook\"\ngrade = 4").unwrap(), ..book };
        assert_eq!(list.upsert(corrected), Ok(true));
        assert_eq!((list.version, list.resources.len()), (3, 2));
        assert_eq!(Resources::parse(&list.to_bytes()).unwrap(), list);
        assert!(list.remove(&id("app")) && !list.remove(&id("app")));
        assert_eq!(list.version, 4);
        for (kind, files) in [
            ("app\"\nlink = \"https://a/", vec![file.clone()]),
            ("app", vec![]),
            ("audio", vec![]),
            ("audio\"\nlink = \"https://a/", vec![file]),
        ] {
            let about = about(&format!("kind = \"{kind}\"")).unwrap();
            assert_eq!(Resource::new(id("x"), about, files), Err(InvalidResource::Form), "{kind}");
        }
    }

    /// It was written all the same, and then nothing could be added to it, taken out of it, or shown of it.
    #[test]
    fn a_list_does_not_grow_longer_than_it_is_read() {
        let file = ResourceFile::of(&format!("{}.pdf", "课".repeat(196)), b"%PDF-1.7").unwrap();
        let id = |number: usize| format!("book-{number}").parse::<LessonId>().unwrap();
        let book = |number| {
            let about = about("kind = \"textbook\"").unwrap();
            Resource::new(id(number), about, vec![file.clone(); MAX_FILES]).unwrap()
        };
        let mut list = Resources::default();
        let added = (0..).find(|&number| list.upsert(book(number)) != Ok(true)).unwrap();
        assert_eq!(list.upsert(book(added)), Err(InvalidResource::TooLong));
        assert!(list.to_bytes().len() <= MAX_RESOURCES_BYTES);
        assert_eq!((list.version, list.resources.len()), (added as u64, added));
        assert!(list.remove(&id(0)));
        assert_eq!(list.upsert(book(added)), Ok(true));
    }
}
