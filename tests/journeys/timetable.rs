//! A timetable from a person's file to the signed plan that nodes follow, through the built program.

#![expect(clippy::unwrap_used, reason = "a test's unwrap is its assertion")]

use jiff::Timestamp;
use journeys::clock::WallClock;
use journeys::process::run_in;
use journeys::{Finished, airclass};
use package::layout::{self, Rendition};
use package::manifest::{AudioRendition, Manifest, Object, Recipe, Source, VideoRung};
use package::{AudioSlot, Digest, LessonId, Slot};
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

const DAY: &str = r#"date = "2126-09-02"
slate = "slate"
item = [
  { start = "08:30", minutes = 20, grades = [9, 12], lesson = "maths", title = "函数", subject = "数学" },
  { start = "08:50", minutes = 5, grades = [9, 12], kind = "eye_exercise" },
  { start = "09:10", minutes = 20, grades = 9, lesson = "physics", title = "浮力", subject = "物理" },
]
[[channel]]
id = "g9"
title = "九年级"
grades = 9
"#;

struct Scene {
    scratch: TempDir,
}

impl Scene {
    fn new() -> Self {
        let scene = Self { scratch: tempfile::tempdir().unwrap() };
        fs::create_dir(scene.path("store")).unwrap();
        assert_eq!(airclass(&["package", "keygen", "--out", &scene.text("key")]).code(), Some(0));
        scene.write(DAY);
        scene
    }

    /// With the recordings of all that the day shows.
    fn with_recordings() -> Self {
        let scene = Self::new();
        for (lesson, segments) in [("maths", 250), ("physics", 250), ("slate", 5)] {
            scene.publish(lesson, segments);
        }
        scene
    }

    fn path(&self, name: &str) -> PathBuf {
        self.scratch.path().join(name)
    }

    fn text(&self, name: &str) -> String {
        self.path(name).to_str().unwrap().to_owned()
    }

    fn write(&self, day: &str) {
        fs::write(self.path("day.toml"), day).unwrap();
    }

    fn run(&self, command: &str, more: &[&str]) -> Finished {
        airclass(&[&["timetable", command, &self.text("day.toml")], more].concat())
    }

    fn compile(&self, out: &str, more: &[&str]) -> Finished {
        let (key, out, store) = (self.text("key"), self.text(out), self.text("store"));
        let options = ["--key", key.as_str(), "--out", out.as_str(), "--store", store.as_str()];
        self.run("compile", &[&options[..], more].concat())
    }

    fn plan(&self, out: &str) -> (Vec<u8>, Value) {
        let bytes = fs::read(self.path(out).join("plans/2126-09-02.json")).unwrap();
        let signed: Value = serde_json::from_slice(&bytes).unwrap();
        let plan = serde_json::from_str(signed["plan"].as_str().unwrap()).unwrap();
        (bytes, plan)
    }

    /// Puts a lesson of so many segments into the store, as ingest would, with objects that nobody reads.
    fn publish(&self, lesson: &str, segments: u32) {
        let manifest = manifest(lesson, segments).seal().unwrap();
        let (store, lesson): (_, LessonId) = (self.path("store"), lesson.parse().unwrap());
        put(&store, manifest.id().manifest().as_str(), manifest.bytes());
        let pictures = manifest.id().object(&Rendition::Video(Slot::S0).iframes());
        let listed =
            |number: u32| format!("#EXTINF:4.800,\n#EXT-X-BYTERANGE:{}@0\n{number:05}.m4s\n", 900 + number);
        let head = "#EXTM3U\n#EXT-X-VERSION:5\n#EXT-X-TARGETDURATION:5\n#EXT-X-I-FRAMES-ONLY\n".to_owned();
        let list = (0..segments).fold(head, |list, number| list + &listed(number));
        put(&store, pictures.as_str(), list.as_bytes());
        let about = package::Lesson::new(
            lesson.clone(),
            manifest.id(),
            manifest.manifest(),
            &package::Description::default(),
            "stem",
        );
        put(&store, lesson.description().as_str(), &about.to_bytes());
        let pointer = format!(
            "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\n{}s0/index.m3u8\n",
            manifest.id().seen_from_lesson()
        );
        put(&store, lesson.pointer().as_str(), pointer.as_bytes());
    }
}

fn put(store: &Path, path: &str, bytes: &[u8]) {
    journeys::store::put(store, path, bytes);
}

fn manifest(name: &str, segments: u32) -> Manifest {
    let segments = grid::SegmentCount(segments);
    let sounds = AudioSlot::ALL.map(Rendition::Audio);
    let renditions = [Rendition::Video(Slot::S0)].into_iter().chain(sounds);
    let mut paths =
        vec![layout::main_playlist(), layout::audio_playlist(), Rendition::Video(Slot::S0).iframes()];
    for rendition in renditions {
        paths.extend([rendition.init(), rendition.playlist()]);
        paths.extend(segments.numbers().map(|number| rendition.segment(number)));
    }
    let object = |path: package::ObjectPath| Object {
        media_type: path.media_type().unwrap(),
        bytes: 1_000,
        sha256: Digest::of(path.as_str().as_bytes()),
        path,
    };
    let recipe = Recipe { name: "lesson".into(), sha256: Digest::of(b"recipe"), ffmpeg: "5.1.9".into() };
    let source = Source { sha256: Digest::of(name.as_bytes()), bytes: 1 };
    Manifest {
        video: vec![VideoRung {
            slot: Slot::S0,
            width: 256,
            height: 144,
            codecs: "avc1.64000c".into(),
            peak_bps: 100_000,
            average_bps: 60_000,
            audio: AudioSlot::Lo,
            alias_of: None,
            thinning: 1,
            spending: None,
        }],
        audio: AudioSlot::ALL
            .map(|slot| AudioRendition {
                slot,
                codecs: "mp4a.40.2".into(),
                channels: slot.channels(),
                peak_bps: 66_000,
                average_bps: 64_000,
            })
            .to_vec(),
        objects: paths.into_iter().map(object).collect(),
        ..Manifest::new(recipe, source, segments, grid::FrameRate::Fps25)
    }
}

#[test]
fn findings_are_told_with_line_rule_and_a_way_out() {
    let scene = Scene::new();
    let sound = scene.run("check", &[]);
    assert_eq!(sound.code(), Some(0), "{sound:?}");
    assert!(
        sound.stdout.contains("day.toml: days: 1, items: 3, channels: 1, notes: 0; nothing wrong"),
        "{sound:?}"
    );

    scene.write(&DAY.replace("09:10", "08:40"));
    let found = scene.run("check", &[]);
    assert_eq!(found.code(), Some(2), "{found:?}");
    let day = scene.text("day.toml");
    assert!(found.stdout.contains(&format!(
        "{day}:6: overlap: `physics` begins at 08:40 for grade 9 while `maths` (line 4)"
    )));
    assert!(found.stderr.starts_with("TIMETABLE_FINDINGS: "), "{found:?}");
    let json = scene.run("check", &["--json"]);
    let finding: Value = serde_json::from_str(json.stdout.lines().next().unwrap()).unwrap();
    assert_eq!((finding["error"].as_bool(), finding["line"].is_u64()), (Some(true), true));

    // What only a store can tell.
    scene.write(DAY);
    let stored = scene.run("check", &["--store", &scene.text("store")]);
    assert_eq!(stored.code(), Some(2));
    assert!(stored.stdout.contains(":4: not_stored: lesson `maths`"), "{stored:?}");
    for (arguments, code) in [
        (["timetable", "check", "/nowhere/day.toml"], "TIMETABLE_UNREADABLE: "),
        (["timetable", "check", &scene.text("key")], "TIMETABLE_FINDINGS: "),
    ] {
        let refused = airclass(&arguments);
        assert_eq!((refused.code(), refused.stderr.starts_with(code)), (Some(2), true), "{refused:?}");
    }
}

#[test]
fn the_example_has_nothing_wrong_and_makes_every_guide() {
    let example = journeys::project().join("config/timetable.toml");
    let example = example.to_str().unwrap();
    let checked = airclass(&["timetable", "check", example]);
    assert_eq!(checked.code(), Some(0), "{checked:?}");
    for (format, begins) in [
        ("xmltv", "<?xml version=\"1.0\""),
        ("ics", "BEGIN:VCALENDAR\r\n"),
        ("json", "{\"kind\":\"airclass-day/1\""),
        ("html", "<!doctype html>"),
    ] {
        let guide = airclass(&["timetable", "guide", example, "--format", format, "--channel", "g9"]);
        assert_eq!(guide.code(), Some(0), "{guide:?}");
        assert!(guide.stdout.starts_with(begins) && guide.stdout.contains("九年级数学"), "{format}");
    }
    let none = airclass(&["timetable", "guide", example, "--format", "ics", "--channel", "g13"]);
    assert_eq!((none.code(), none.stderr.starts_with("TIMETABLE_NOTHING: ")), (Some(2), true), "{none:?}");
}

/// Of two departments with one store, or two time zones, the second took the first's day away without a word: its lessons
/// were on no plan any more, and open to everybody.
#[test]
fn a_day_of_another_place_is_not_put_in_the_place_of_one_that_is_published() {
    let scene = Scene::new();
    for lesson in ["maths", "physics"] {
        scene.publish(lesson, 250);
    }
    scene.publish("slate", 5);
    assert_eq!(scene.compile("out", &[]).code(), Some(0));
    let (bytes, _) = scene.plan("out");
    for (head, who) in [
        ("place = \"xinjiang\"\n", "xinjiang by the clock of Asia/Shanghai"),
        ("zone = \"Asia/Urumqi\"\n", "nation by the clock of Asia/Urumqi"),
    ] {
        scene.write(&format!("{head}{DAY}"));
        let other = scene.compile("out", &[]);
        assert_eq!(other.code(), Some(2), "{other:?}");
        assert!(other.stderr.starts_with("PLAN_OTHER_PLACE: the plan of 2126-09-02"), "{other:?}");
        assert!(other.stderr.contains(who) && other.stderr.contains("--edition 2"), "{other:?}");
        assert_eq!(scene.plan("out").0, bytes);
    }
    // The same clock by another name, and who means it.
    scene.write(&format!("zone = \"+08:00\"\n{DAY}"));
    assert_eq!(scene.compile("out", &[]).code(), Some(0));
    scene.write(&format!("place = \"xinjiang\"\n{DAY}"));
    assert_eq!(scene.compile("out", &["--edition", "3"]).code(), Some(0));
    assert_eq!(scene.plan("out").1["place"].as_str(), Some("xinjiang"));
}

/// Who cancels a lesson that is not open yet does not mean that everybody may see it now.
#[test]
fn a_lesson_that_is_taken_out_before_its_bell_is_told_to_be_open() {
    let scene = Scene::new();
    for lesson in ["maths", "physics"] {
        scene.publish(lesson, 250);
    }
    scene.publish("slate", 5);
    let said = |out: &str| {
        let done = scene.compile(out, &[]);
        assert_eq!(done.code(), Some(0), "{done:?}");
        done.stdout.matches("note: `physics` is in the timetable of 2126-09-02 no more, and open").count()
    };
    let without: String =
        DAY.lines().filter(|line| !line.contains("physics")).map(|line| format!("{line}\n")).collect();
    assert_eq!(said("out"), 0);
    scene.write(&without);
    assert_eq!((said("out"), said("out")), (1, 0), "when it is taken out, and not again");
    // Deleted first, it is not open.
    scene.write(DAY);
    assert_eq!(said("out"), 0);
    let delete = airclass(&["package", "delete", "physics", "--store", &scene.text("store")]);
    assert_eq!(delete.code(), Some(0), "{delete:?}");
    scene.write(&without);
    assert_eq!(said("out"), 0);
}

#[test]
fn a_day_is_compiled_signed_and_changed_entry_by_entry() {
    let scene = Scene::new();
    scene.publish("maths", 250);
    scene.publish("slate", 5);
    let missing = scene.compile("out", &[]);
    assert_eq!(missing.code(), Some(2), "{missing:?}");
    assert!(missing.stderr.contains(":6: not_stored: lesson `physics`"), "{missing:?}");
    assert!(!scene.path("out/plans/2126-09-02.json").exists());

    // In the evening without it, at five with it.
    let evening = scene.compile("out", &["--allow-missing"]);
    assert_eq!(evening.code(), Some(0), "{evening:?}");
    assert!(
        evening.stdout.starts_with("2126-09-02: edition 1, 2 lessons (1 missing), 1 channels"),
        "{evening:?}"
    );
    fs::copy(scene.path("out/plans/2126-09-02.json"), scene.path("evening.json")).unwrap();
    scene.publish("physics", 250);
    assert_eq!(scene.compile("out", &[]).code(), Some(0));
    let (bytes, plan) = scene.plan("out");
    assert_eq!((plan["edition"].as_u64(), plan["lessons"][1]["lesson"].as_str()), (Some(2), Some("physics")));
    let diff = airclass(&[
        "timetable",
        "diff",
        &scene.text("evening.json"),
        &scene.text("out/plans/2126-09-02.json"),
    ]);
    let sections: Vec<_> = diff.stdout.lines().filter_map(|line| line.split_whitespace().next()).collect();
    assert_eq!(sections, ["release", "fill", "forecast", "channel", "2126-09-02:"], "{diff:?}");
    let json = airclass(&[
        "timetable",
        "diff",
        "--json",
        &scene.text("evening.json"),
        &scene.text("out/plans/2126-09-02.json"),
    ]);
    let json: Value = serde_json::from_str(&json.stdout).unwrap();
    assert_eq!(
        (json["editions"].to_string(), json["changes"].as_array().unwrap().len()),
        ("[1,2]".to_owned(), 4)
    );

    // Again: the very same bytes.
    let again = scene.compile("out", &[]);
    assert!(again.stdout.starts_with("2126-09-02: edition 2 (unchanged)"), "{again:?}");
    assert_eq!(scene.plan("out").0, bytes);
    let old = scene.compile("out", &["--edition", "2"]);
    assert_eq!((old.code(), old.stderr.starts_with("PLAN_EDITION: ")), (Some(2), true), "{old:?}");

    // What a channel's list of single pictures is made of.
    let pictures = &plan["lessons"][0]["media"]["pictures"];
    assert_eq!((pictures["slot"].as_str(), pictures["width"].as_u64()), (Some("s0"), Some(256)));
    let sizes: Vec<u64> = serde_json::from_value(pictures["bytes"].clone()).unwrap();
    assert_eq!((sizes.len(), sizes[249]), (250, 1_149));

    // The key's signature is over the plan's text.
    let signed = timetable::SignedPlan::parse(&bytes).unwrap();
    let key = signing::SigningKey::read(&scene.path("key")).unwrap();
    assert!(
        signed.signatures.iter().all(|signature| key.public().verifies(signed.plan.as_bytes(), signature))
    );
    // What lies beside it for the public names no package.
    let package = plan["lessons"][0]["media"]["package"].as_str().unwrap();
    for file in ["timetable/2126-09-02.json", "guide/g9.xml", "guide/g9.ics"] {
        let text = fs::read_to_string(scene.path("out").join(file)).unwrap();
        assert!(text.contains("浮力") && !text.contains(package), "{file}");
    }
    // Into the store, where origins find it; the lesson is another length than its item.
    let published = scene.compile("out", &["--publish"]);
    assert_eq!(published.code(), Some(0), "{published:?}");
    assert!(scene.path("store/plans/2126-09-02.json").exists());
    scene.publish("physics", 200);
    let short = scene.compile("out", &[]);
    assert!(short.stderr.contains(":6: wrong_length: lesson `physics` lasts 16:00"), "{short:?}");
    fs::write(scene.path("out/plans/2126-09-02.json"), &bytes[..bytes.len() / 2]).unwrap();
    scene.publish("physics", 250);
    let half = scene.compile("out", &[]);
    assert_eq!((half.code(), half.stderr.contains("PLAN_INVALID: ")), (Some(2), true), "{half:?}");
}

/// An editor who checked a change of a day that was out heard that nothing is wrong, and of what had begun when it was published.
#[test]
fn who_checks_a_change_of_a_published_day_hears_what_it_changes() {
    let scene = Scene::with_recordings();
    let store = scene.text("store");
    let check = |more: &[&str]| scene.run("check", &[&["--store", store.as_str()], more].concat());
    let first = check(&[]);
    assert!(!first.stdout.contains("published"), "{first:?}");
    assert_eq!(scene.compile("out", &["--publish"]).code(), Some(0));
    let same = check(&[]);
    assert!(same.stdout.starts_with("2126-09-02: edition 1 is published and says the same\n"), "{same:?}");
    scene.write(&DAY.replace("09:10", "09:20"));
    let moved = check(&[]);
    assert_eq!(moved.code(), Some(0), "{moved:?}");
    let told: Vec<_> = moved.stdout.lines().collect();
    assert_eq!(told[0], "2126-09-02: edition 1 is published, the next one would change");
    assert_eq!(told[1], "  guide     g9/physics: end 09:30:00 → 09:40:00, start 09:10:00 → 09:20:00");
    assert!(told[2].starts_with("  release   physics: ") && told[3].ends_with(" entries that follow"));
    // Nothing was written, and programs read findings alone.
    assert!(
        same.stdout == {
            scene.write(DAY);
            check(&[])
        }
        .stdout
    );
    assert_eq!(check(&["--json"]).stdout, "");
    // The plan of the day before cannot be read: it stopped the check, and what was asked for is another day.
    let plan = fs::read(scene.path("store/plans/2126-09-02.json")).unwrap();
    fs::write(scene.path("store/plans/2126-09-01.json"), &plan[1..]).unwrap();
    let beside = check(&[]);
    assert_eq!((beside.code(), &beside.stdout), (Some(0), &same.stdout), "{beside:?}");
    assert!(
        beside.stderr.contains("2126-09-01.json is no plan") && beside.stderr.starts_with("note: "),
        "{beside:?}"
    );
    fs::remove_file(scene.path("store/plans/2126-09-01.json")).unwrap();
    // What has begun is told with its line before anything is published.
    scene.write(DAY);
    assert_eq!(scene.compile("out", &["--publish"]).code(), Some(0));
    scene.write(&DAY.replace("09:10", "09:20"));
    let clock = WallClock::make();
    let ten: Timestamp = "2126-09-02T02:00:00Z".parse().unwrap();
    clock.set_ahead(ten.duration_since(Timestamp::now()).as_secs());
    let (day, store) = (scene.text("day.toml"), scene.text("store"));
    let late = run_in(&clock.environment(), "airclass", &["timetable", "check", &day, "--store", &store]);
    assert_eq!(late.code(), Some(2), "{late:?}");
    assert!(late.stdout.contains(":6: past: `physics` has been on channel `g9` since 09:10"), "{late:?}");
    scene.write(&format!("place = \"xinjiang\"\n{DAY}"));
    assert!(check(&[]).stderr.starts_with("PLAN_OTHER_PLACE: "));
}

/// Who published next week's days took today's programme from every receiver's guide.
#[test]
fn guides_hold_today_whatever_day_is_published_and_no_channel_that_is_gone() {
    let scene = Scene::with_recordings();
    assert_eq!(scene.compile("out", &[]).code(), Some(0));
    scene.write(&DAY.replace("2126-09-02", "2126-10-09").replace("g9", "g10"));
    assert_eq!(scene.compile("out", &[]).code(), Some(0));
    let guide = |channel: &str| fs::read_to_string(scene.path(&format!("out/guide/{channel}.xml")));
    assert!(guide("g9").unwrap().contains("start=\"21260902083000 +0800\""));
    assert!(guide("g10").unwrap().contains("start=\"21261009083000 +0800\""));
    // Its last day goes to another channel.
    scene.write(&DAY.replace("g9", "g10"));
    assert_eq!(scene.compile("out", &[]).code(), Some(0));
    assert!(guide("g9").is_err() && !scene.path("out/guide/g9.ics").exists());
    assert_eq!(guide("g10").unwrap().matches("<programme").count(), 6);
}

/// Each time that a term's file was compiled its days of before got another edition, of recordings that nobody was shown.
#[test]
fn a_day_that_is_over_stays_as_it_was_shown() {
    let scene = Scene::with_recordings();
    assert_eq!(scene.compile("out", &[]).code(), Some(0));
    let before = scene.plan("out").0;
    scene.publish("physics", 251);
    scene.write(&DAY.replace("函数", "二次函数"));
    let clock = WallClock::make();
    let next: Timestamp = "2126-09-02T16:00:01Z".parse().unwrap();
    let compile = |more: &[&str]| {
        clock.set_ahead(next.duration_since(Timestamp::now()).as_secs() + 60);
        let (day, key, out, store) =
            (scene.text("day.toml"), scene.text("key"), scene.text("out"), scene.text("store"));
        let all = ["timetable", "compile", &day, "--key", &key, "--out", &out, "--store", &store];
        run_in(&clock.environment(), "airclass", &[&all[..], more].concat())
    };
    let again = compile(&[]);
    assert_eq!(again.code(), Some(0), "{again:?}");
    assert!(again.stdout.contains("2126-09-02: edition 1 stays, the day is over"), "{again:?}");
    assert_eq!(scene.plan("out").0, before);
    // Who gives an edition means it.
    let meant = compile(&["--edition", "7"]);
    assert!(meant.stdout.contains("2126-09-02: edition 7, 2 lessons"), "{meant:?}");
}

#[test]
fn who_deletes_a_lesson_hears_which_days_still_show_it() {
    let scene = Scene::with_recordings();
    scene.publish("spare", 250);
    assert_eq!(scene.compile("out", &["--publish"]).code(), Some(0));
    // A day that is over is nobody's concern any more, and neither is a plan that cannot be read.
    let past = DAY.replace("2126-09-02", "2024-09-02");
    scene.write(&past);
    assert_eq!(scene.compile("out", &["--publish"]).code(), Some(0));
    let plan = fs::read(scene.path("store/plans/2126-09-02.json")).unwrap();
    fs::write(scene.path("store/plans/2126-09-03.json"), &plan[1..]).unwrap();
    // It keeps no other day from being published: each compile exited 2 behind its own plan.
    let other = scene.compile("out", &["--publish"]);
    assert_eq!(other.code(), Some(0), "{other:?}");
    assert!(other.stdout.contains("; the guides leave 2126-09-03 out"), "{other:?}");
    let delete = |lesson: &str| airclass(&["package", "delete", lesson, "--store", &scene.text("store")]);
    let shown = delete("physics");
    let note =
        "note: the plan of 2126-09-02 still shows it; take it out of that day's timetable and compile again";
    assert_eq!(shown.stdout.lines().skip(1).collect::<Vec<_>>(), [note], "{shown:?}");
    // What has begun stays in the plan: to take it out of the timetable would be refused.
    scene.publish("physics", 250);
    let clock = WallClock::make();
    let morning: Timestamp = "2126-09-02T09:15:00+08:00".parse().unwrap();
    clock.set_ahead(morning.as_second() - Timestamp::now().as_second());
    let store = scene.text("store");
    let begun =
        run_in(&clock.environment(), "airclass", &["package", "delete", "physics", "--store", &store]);
    let note = "note: it has begun on 2126-09-02 and stays on television; leave what has begun in that day's timetable";
    assert!(begun.stdout.contains(note), "{begun:?}");
    let spare = delete("spare");
    assert_eq!((spare.code(), spare.stdout.lines().count()), (Some(0), 1), "{spare:?}");
}

#[test]
fn a_forecast_says_what_a_bell_asks_for_and_what_is_missing() {
    let scene = Scene::new();
    for lesson in ["maths", "physics"] {
        scene.publish(lesson, 250);
    }
    scene.publish("slate", 5);
    assert_eq!(scene.compile("out", &[]).code(), Some(0));
    let assume = |capacity: &str| {
        let text = format!(
            "attendance = 1000\nmix = {{ s0 = 1000 }}\ncarriers = {{ dianxin = 1000 }}\n\
             pupils = [{{ region = \"hubei\", grades = [9], each = 1000000 }}]\n\
             [[node]]\nregion = \"hubei\"\ncarrier = \"dianxin\"\ncapacity = \"{capacity}\"\n"
        );
        fs::write(scene.path("assume.toml"), text).unwrap();
        scene.text("assume.toml")
    };
    let (plan, enough) = (scene.text("out/plans/2126-09-02.json"), assume("200Gbit/s"));
    let run = |more: &[&str]| {
        let file = scene.text("assume.toml");
        airclass(&[&["timetable", "forecast", &plan, "--assume", &file], more].concat())
    };
    let told = run(&["--json", "--strict"]);
    assert_eq!((told.code(), enough.is_empty()), (Some(0), false), "{told:?}");
    let told: Value = serde_json::from_str(&told.stdout).unwrap();
    // A million at 60 + 64 kbit/s.
    assert_eq!(told["bells"][0]["peak_bps"], 124_000_000_000_u64);
    assert_eq!(told["bells"][0]["shortages"], serde_json::json!([]));
    assume("100Gbit/s");
    let short = run(&["--strict"]);
    assert_eq!(short.code(), Some(1), "{short:?}");
    assert!(short.stdout.contains("湖北 dianxin: 124.0 asked for, 100.0 there"), "{short:?}");
    assert!(short.stderr.contains("FORECAST_SHORT: 2 bells"), "{short:?}");
    // A lesson that the store lacks asks for nothing yet, which is not to look like a quiet bell.
    assert!(!short.stdout.contains("not in the store"), "{short:?}");
    fs::remove_dir_all(scene.path("store/lessons/maths")).unwrap();
    let early = scene.compile("early", &["--allow-missing"]);
    assert_eq!(early.code(), Some(0), "{early:?}");
    let (plan, file) = (scene.text("early/plans/2126-09-02.json"), scene.text("assume.toml"));
    let early = airclass(&["timetable", "forecast", &plan, "--assume", &file]);
    assert!(
        early.stdout.contains("1 of 2 lessons was not in the store when this plan was made"),
        "{early:?}"
    );
    let early = airclass(&["timetable", "forecast", &plan, "--assume", &file, "--json"]);
    let early: Value = serde_json::from_str(&early.stdout).unwrap();
    assert_eq!(early["lessons_missing"], 1);
    // The shipped example is read, and no plan is told as such.
    let example = journeys::project().join("config/forecast.toml");
    let read = airclass(&["timetable", "forecast", &plan, "--assume", example.to_str().unwrap()]);
    assert_eq!(read.code(), Some(0), "{read:?}");
    fs::write(scene.path("assume.toml"), "mix = 1").unwrap();
    let wrong = run(&[]);
    assert_eq!(wrong.code(), Some(2), "{wrong:?}");
    assert!(wrong.stderr.contains("assume.toml:1:"), "{wrong:?}");
}
