use super::*;
use crate::layout::PackageId;
use crate::lesson::{DEFAULT_LANGUAGE, Lesson};
use proptest::prelude::*;
use std::collections::BTreeSet;

fn lesson(name: &str, stage: Stage, grade: Option<u8>, title: &str) -> Listed {
    Listed {
        lesson: name.parse().unwrap(),
        duration_ms: 120_000,
        title: title.to_owned(),
        stage,
        grade: grade.map(|grade| grade.try_into().unwrap()),
        subject: Some("数学".to_owned()),
        edition: None,
        volume: None,
        unit: None,
        syllabus: None,
        canonical: false,
        section: None,
        teacher: None,
        language: DEFAULT_LANGUAGE.to_owned(),
        provider: None,
        licence: None,
    }
}

fn stored_and_read(catalogue: &Catalogue) -> Catalogue {
    let rendered = catalogue.render();
    let version = Version::parse(&rendered.version).unwrap();
    Catalogue::assemble(&version, rendered.shards.iter().map(|(_, bytes)| bytes)).unwrap()
}

#[test]
fn a_shard_that_could_not_be_read_again_is_told_before_it_is_stored() {
    let mut catalogue = Catalogue::default();
    let long = |licence| Listed { licence: Some(licence), ..lesson("a", Stage::Primary, Some(3), "A") };
    catalogue.upsert(long(String::new()));
    let room = MAX_CATALOGUE_BYTES - catalogue.render().shards[0].1.len();
    catalogue.upsert(long("x".repeat(room)));
    catalogue.render().check().unwrap();
    catalogue.upsert(lesson("b", Stage::Primary, Some(4), "B"));
    catalogue.render().check().unwrap();
    catalogue.upsert(lesson("c", Stage::Primary, Some(3), "C"));
    let NoRoom { path, bytes } = catalogue.render().check().unwrap_err();
    assert!(
        path.as_str().starts_with("catalogue/primary-3-") && bytes > MAX_CATALOGUE_BYTES,
        "{path} {bytes}"
    );
}

#[test]
fn lessons_lie_in_shards_by_stage_and_grade() {
    let mut catalogue = Catalogue::default();
    assert!(catalogue.upsert(lesson("b", Stage::Primary, Some(3), "B")));
    assert!(catalogue.upsert(lesson("a", Stage::Primary, Some(3), "A")));
    assert!(catalogue.upsert(lesson("c", Stage::Other, None, "C")));
    let version = Version::parse(&catalogue.render().version).unwrap();
    assert_eq!(version.version, 3);
    let shards: Vec<_> =
        version.shards.iter().map(|s| (s.stage, s.grade.map(Grade::year), s.lessons)).collect();
    assert_eq!(shards, [(Stage::Primary, Some(3), 2), (Stage::Other, None, 1)]);
    assert!(version.shards[0].path.as_str().starts_with("catalogue/primary-3-"));
    assert!(version.shards[1].path.as_str().starts_with("catalogue/other-"));
    assert_eq!(stored_and_read(&catalogue), catalogue);
}

#[test]
fn nothing_in_it_names_a_package() {
    let mut catalogue = Catalogue::default();
    let listed = lesson("a", Stage::Primary, Some(3), "A");
    let published = Lesson { package: PackageId::of(b"A"), listed };
    let package = published.package.to_string();
    catalogue.upsert(published.clone());
    let rendered = catalogue.render();
    let files = rendered.shards.iter().map(|(_, bytes)| bytes).chain([&rendered.version]);
    let texts: Vec<_> = files.map(|bytes| String::from_utf8(bytes.clone()).unwrap()).collect();
    assert!(texts.iter().all(|text| !text.contains(&package)), "{texts:?}");
    // What older releases have written is read, and names none from the next change on.
    let old = crate::manifest::json(&[published]);
    let path = shard_path("", Stage::Primary, Some(3.try_into().unwrap()), &old);
    let entry = ShardEntry { path, stage: Stage::Primary, grade: None, lessons: 1, search: None };
    let version = Version { version: 1, sections: None, shards: vec![entry] };
    let read = Catalogue::assemble(&version, [old]).unwrap();
    assert!(read.lesson(&"a".parse().unwrap()).is_some());
}

#[test]
fn publishing_again_makes_no_new_version() {
    let mut catalogue = Catalogue::default();
    catalogue.upsert(lesson("a", Stage::Junior, Some(7), "A"));
    let before = catalogue.render();
    assert!(!catalogue.upsert(lesson("a", Stage::Junior, Some(7), "A")));
    assert_eq!(catalogue.render(), before);
}

#[test]
fn a_lesson_that_moves_leaves_its_old_shard() {
    let mut catalogue = Catalogue::default();
    catalogue.upsert(lesson("a", Stage::Junior, Some(7), "A"));
    assert!(catalogue.upsert(lesson("a", Stage::Junior, Some(8), "A")));
    assert_eq!(catalogue.lessons().count(), 1);
    assert_eq!(catalogue.render().shards.len(), 1);
    assert!(catalogue.remove(&"a".parse().unwrap()));
    assert!(!catalogue.remove(&"a".parse().unwrap()));
    assert_eq!((catalogue.version(), catalogue.lessons().count()), (3, 0));
}

#[test]
fn an_altered_shard_is_refused() {
    let mut catalogue = Catalogue::default();
    catalogue.upsert(lesson("a", Stage::Senior, Some(10), "A"));
    let rendered = catalogue.render();
    let version = Version::parse(&rendered.version).unwrap();
    let altered = String::from_utf8(rendered.shards[0].1.clone()).unwrap().replace("\"A\"", "\"B\"");
    let error = Catalogue::assemble(&version, [altered]).unwrap_err();
    assert!(matches!(error, CatalogueError::Altered(_)), "{error}");
}

proptest! {
    /// Random work against a plain map.
    #[test]
    fn a_catalogue_is_a_map(work in prop::collection::vec((0u8..6, 0u8..4, prop::option::of(1u8..4), any::<bool>()), 0..40)) {
        let mut catalogue = Catalogue::default();
        let mut map = BTreeMap::new();
        for (name, title, grade, keep) in work {
            let lesson = lesson(&format!("l{name}"), Stage::Primary, grade, &format!("t{title}"));
            if keep {
                let changed = map.insert(lesson.lesson.clone(), lesson.clone()) != Some(lesson.clone());
                prop_assert_eq!(catalogue.upsert(lesson), changed);
            } else {
                prop_assert_eq!(catalogue.remove(&lesson.lesson), map.remove(&lesson.lesson).is_some());
            }
            catalogue = stored_and_read(&catalogue);
        }
        let mut lessons: Vec<_> = catalogue.lessons().cloned().collect();
        lessons.sort_by(|a, b| a.lesson.cmp(&b.lesson));
        prop_assert_eq!(lessons, map.into_values().collect::<Vec<_>>());
    }

    #[test]
    fn arbitrary_bytes_never_panic(bytes: Vec<u8>) {
        let _ = Version::parse(&bytes);
        let _ = Lesson::parse(&bytes);
    }
}

#[test]
fn a_line_has_the_five_keys_of_the_national_catalogue() {
    let mut catalogue = Catalogue::default();
    let mut senior = lesson("a", Stage::Senior, Some(10), "A");
    senior.edition = Some("人教版".to_owned());
    senior.volume = Some("上册".to_owned());
    catalogue.upsert(senior);
    let (path, bytes) = catalogue.render().shards.remove(0);
    assert!(path.as_str().starts_with("catalogue/senior-10-"));
    let lines: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
    let tags = serde_json::json!({ "zxxxd": "高中", "zxxnj": "高一", "zxxxk": "数学", "zxxbb": "人教版", "zxxcc": "上册" });
    assert_eq!(lines[0]["tags"], tags);
}

#[test]
fn one_lesson_is_shown_for_a_place_in_the_syllabus() {
    let placed = |name: &str, edition: &str, canonical| {
        let mut lesson = lesson(name, Stage::Primary, Some(3), name);
        lesson.syllabus = Some("8.1".to_owned());
        lesson.edition = Some(edition.to_owned());
        lesson.canonical = canonical;
        lesson
    };
    let mut catalogue = Catalogue::default();
    for lesson in
        [placed("a", "E", false), placed("b", "E", true), placed("c", "E", false), placed("d", "F", false)]
    {
        catalogue.upsert(lesson);
    }
    catalogue.upsert(lesson("e", Stage::Primary, Some(3), "no place"));
    let (_, bytes) = catalogue.render().shards.remove(0);
    let lines: Vec<serde_json::Value> = serde_json::from_slice(&bytes).unwrap();
    let beside: Vec<_> = lines.iter().map(|line| line["beside"].as_str()).collect();
    assert_eq!(beside, [Some("b"), None, Some("b"), None, None]);
    let all: Vec<_> = catalogue.lessons().cloned().collect();
    let shown: Vec<_> = by_place(&all)
        .into_iter()
        .map(|(lesson, beside)| (lesson.lesson.to_string(), beside.len()))
        .collect();
    assert_eq!(shown, [("b".to_owned(), 2), ("d".to_owned(), 0), ("e".to_owned(), 0)]);
}

#[test]
fn a_version_names_all_its_files_and_keeps_the_sections_that_were_published() {
    let mut catalogue = Catalogue::default();
    catalogue.upsert(lesson("a", Stage::Primary, Some(3), "A"));
    let rendered = catalogue.render();
    let version = Version::parse(&rendered.version).unwrap();
    let named: BTreeSet<_> = version.files().collect();
    let stored: BTreeSet<_> = rendered.shards.iter().chain(&rendered.beside).map(|(path, _)| path).collect();
    assert_eq!(named, stored);
    assert!(version.with_sections(&Sections::shipped()).is_none());
    let mut own = Sections::shipped();
    own.editions.truncate(1);
    let (version, path, _) = version.with_sections(&own).unwrap();
    assert_eq!(version.version, 2);
    let shards = rendered.shards.iter().map(|(_, bytes)| bytes);
    let mut next = Catalogue::assemble(&version, shards).unwrap();
    next.upsert(lesson("b", Stage::Primary, Some(3), "B"));
    assert_eq!(Version::parse(&next.render().version).unwrap().sections, Some(path));
}
