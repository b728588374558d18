use super::*;
use faults::Fault;
use std::fs;

const SRT: &str = "1\n00:00:01,000 --> 00:00:02,000\nHello\n";

fn said(papers: &Papers) -> Vec<(String, String)> {
    papers.subtitles.iter().map(|track| (track.language.to_string(), track.cues[0].text.clone())).collect()
}

#[test]
fn what_was_given_counts_before_what_lies_beside_and_that_before_what_is_within() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let write = |name: &str, text: &str| fs::write(at(name), SRT.replace("Hello", text)).unwrap();
    write("lesson.srt", "beside, spoken");
    write("lesson.en.srt", "beside, en");
    write("other.en.srt", "another lesson's");
    write("mine.srt", "given, en");
    let given = [SubtitleFile { path: at("mine.srt"), language: Some("en".parse().unwrap()) }];
    let mut papers = Papers::beside(&at("lesson.mp4"), &given, &Description::default()).unwrap();
    let track = |tag: &str| Track::new(tag.parse().unwrap(), papers.subtitles[0].cues.clone());
    let within = [track("en"), track("fr")];
    papers.within(within, Vec::new());
    let expected = [("en", "given, en"), ("zh-CN", "beside, spoken"), ("fr", "given, en")];
    assert_eq!(said(&papers), expected.map(|(tag, text)| (tag.to_owned(), text.to_owned())));
}

#[test]
fn a_lesson_alone_has_the_key_of_its_media() {
    let folder = tempfile::tempdir().unwrap();
    let source = folder.path().join("lesson.mp4");
    let digest = |about: &Description| Papers::beside(&source, &[], about).unwrap().digest();
    assert_eq!(digest(&Description::default()), None);
    let english = Description { language: Some("en".into()), ..Description::default() };
    let in_english = digest(&english);
    assert!(in_english.is_some());
    fs::write(folder.path().join("lesson.chapters.txt"), "00:00 one\n").unwrap();
    assert!(digest(&english).is_some_and(|digest| Some(digest) != in_english));
}

#[test]
fn a_mistake_is_told_with_file_and_line() {
    let folder = tempfile::tempdir().unwrap();
    let source = folder.path().join("lesson.mp4");
    let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
    let fault = |given: &[SubtitleFile]| Papers::beside(&source, given, &Description::default()).unwrap_err();
    write("lesson.srt", "1\n00:00:01,000 --> soon\nHello\n");
    let line = fault(&[]).to_string();
    assert!(line.contains("lesson.srt:2: `00:00:01,000 --> soon` is no time line"), "{line}");
    assert_eq!(fault(&[]).code(), "SUBTITLES_MALFORMED");
    write("lesson.srt", SRT);
    write("lesson.chapters.txt", "00:10 one\nzwei\n");
    assert!(fault(&[]).to_string().contains("lesson.chapters.txt:2: `zwei` does not start with"));
    write("lesson.chapters.txt", "00:10 one\n");
    let missing = SubtitleFile { path: folder.path().join("none.srt"), language: None };
    assert_eq!(fault(&[missing]).code(), "SUBTITLES_UNREADABLE");
    let other = SubtitleFile { path: folder.path().join("lesson.sub"), language: None };
    assert_eq!(fault(&[other]).code(), "SUBTITLES_FORMAT");
}
