//! `ls` and `show`.

use super::fault::PackageFault;
use super::text::{bytes, length, moment, say, table};
use super::{List, Show};
use ::package::catalogue::Listed;
use ::package::{LessonId, Manifest, PackageId};
use faults::AnyFault;
use futures_util::{StreamExt, TryStreamExt, stream};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use storage::{Packaged, PublishError, Shelved, Store};

/// Manifests read at the same time; each may have some hundred kilobytes.
const MANIFESTS_IN_FLIGHT: usize = 8;

/// `airclass package ls`
pub(super) fn ls(options: &List) -> Result<(), AnyFault> {
    let (runtime, store) = options.place.open()?;
    let lessons = runtime.block_on(store.lessons())?;
    let packages: Vec<Entry> = runtime
        .block_on(async {
            let ids = store.packages().await?;
            let entries = stream::iter(ids).map(|id| entry(&store, &lessons, id));
            entries.buffered(MANIFESTS_IN_FLIGHT).try_collect().await
        })
        .map_err(|error: PublishError| AnyFault::from(error))?;
    if options.json {
        let lessons: Vec<_> = lessons.iter().map(lesson_json).collect();
        let packages: Vec<_> = packages.iter().map(Entry::json).collect();
        say(&json!({"lessons": lessons, "packages": packages}).to_string());
        return Ok(());
    }
    let rows: Vec<_> = lessons
        .iter()
        .map(|lesson| {
            let said = said(lesson);
            [
                lesson.lesson.to_string(),
                lesson.package.map_or_else(|| "deleted".to_owned(), |package| package.to_string()),
                said.map_or_else(String::new, |said| length(said.duration_ms)),
                lesson.history.entries.last().map_or_else(String::new, |last| moment(last.since_s)),
                said.map_or_else(String::new, |said| said.title.clone()),
            ]
        })
        .collect();
    table(["LESSON", "PACKAGE", "LENGTH", "SINCE", "TITLE"], &rows);
    say("");
    let rows: Vec<_> = packages
        .iter()
        .map(|entry| {
            [
                entry.package.to_string(),
                entry.objects.to_string(),
                bytes(entry.bytes),
                entry.signers.len().to_string(),
                if entry.is_whole { entry.users() } else { "(not whole)".to_owned() },
            ]
        })
        .collect();
    table(["PACKAGE", "OBJECTS", "SIZE", "SIGNED", "LESSONS"], &rows);
    Ok(())
}

/// What the list says of one package; its manifest is not kept.
struct Entry {
    package: PackageId,
    is_whole: bool,
    objects: usize,
    bytes: u64,
    signers: Vec<String>,
    /// Lessons that are it, and lessons that were.
    now: Vec<String>,
    earlier: Vec<String>,
}

async fn entry(store: &Store, lessons: &[Shelved], package: PackageId) -> Result<Entry, PublishError> {
    let found = store.package(package).await?;
    let manifest = found.manifest.as_ref().ok().map(|sealed| sealed.manifest());
    let (now, earlier) = users(lessons, package);
    Ok(Entry {
        package,
        is_whole: manifest.is_some(),
        objects: manifest.map_or(0, |manifest| manifest.objects.len()),
        bytes: manifest.map_or(0, Manifest::total_bytes),
        signers: signers(&found),
        now,
        earlier,
    })
}

impl Entry {
    fn users(&self) -> String {
        let was = self.earlier.iter().map(|lesson| format!("({lesson})"));
        self.now.iter().cloned().chain(was).collect::<Vec<_>>().join(" ")
    }

    fn json(&self) -> Value {
        json!({
            "package": self.package, "whole": self.is_whole, "objects": self.objects, "bytes": self.bytes,
            "signers": self.signers, "lessons": self.now, "earlier": self.earlier,
        })
    }
}

fn signers(found: &Packaged) -> Vec<String> {
    found.signatures.iter().map(|signature| signature.key_id.to_string()).collect()
}

/// The lessons that are `package`, and those that were.
fn users(lessons: &[Shelved], package: PackageId) -> (Vec<String>, Vec<String>) {
    let is = |lesson: &&Shelved| lesson.package == Some(package);
    let was = |lesson: &&Shelved| !is(lesson) && lesson.history.packages().any(|was| was == package);
    let names = |lessons: Vec<&Shelved>| lessons.iter().map(|lesson| lesson.lesson.to_string()).collect();
    (names(lessons.iter().filter(is).collect()), names(lessons.iter().filter(was).collect()))
}

/// `airclass package show`
pub(super) fn show(options: &Show) -> Result<(), AnyFault> {
    let (runtime, store) = options.place.open()?;
    if let Ok(package) = options.name.parse::<PackageId>() {
        let found = runtime.block_on(store.package(package))?;
        let lessons = runtime.block_on(store.lessons())?;
        let known = runtime.block_on(store.packages())?.contains(&package);
        return if known { show_package(options, &found, &lessons) } else { Err(unknown(options)) };
    }
    let lesson: LessonId = options.name.parse().map_err(|_| unknown(options))?;
    let lesson = runtime.block_on(store.lesson(&lesson))?.ok_or_else(|| unknown(options))?;
    show_lesson(options, &lesson);
    Ok(())
}

fn unknown(options: &Show) -> AnyFault {
    PackageFault::Unknown(options.name.clone()).into()
}

fn show_package(options: &Show, found: &Packaged, lessons: &[Shelved]) -> Result<(), AnyFault> {
    let package = found.package;
    let sealed = match &found.manifest {
        Ok(sealed) => sealed,
        Err(problem) => return Err(PackageFault::NotWhole { package, problem: problem.to_string() }.into()),
    };
    let manifest = sealed.manifest();
    let (now, earlier) = users(lessons, package);
    if options.json {
        let folders: Vec<_> = folders(manifest)
            .into_iter()
            .map(|(folder, objects, bytes)| json!({"folder": folder, "objects": objects, "bytes": bytes}))
            .collect();
        let text = json!({
            "package": package, "duration_ms": manifest.duration_ms(), "bytes": manifest.total_bytes(),
            "objects": manifest.objects.len(), "recipe": manifest.recipe, "source": manifest.source,
            "video": manifest.video, "audio": manifest.audio, "folders": folders, "signers": signers(found),
            "lessons": now, "earlier": earlier,
        });
        say(&text.to_string());
        return Ok(());
    }
    say(&format!("package   {package}"));
    say(&format!("length    {}, {} segments", length(manifest.duration_ms()), manifest.segments.0));
    say(&format!("size      {}, {} objects", bytes(manifest.total_bytes()), manifest.objects.len()));
    say(&format!("recipe    {}, {}", manifest.recipe.name, manifest.recipe.ffmpeg));
    say(&format!("source    {}, {}", bytes(manifest.source.bytes), manifest.source.sha256));
    let nobody = |names: Vec<String>| if names.is_empty() { "nobody".to_owned() } else { names.join(", ") };
    say(&format!("signed by {}", nobody(signers(found))));
    say(&format!("lessons   {}", nobody(now)));
    say(&format!("earlier   {}", nobody(earlier)));
    say("");
    let kilobits = |bps: u64| format!("{} kbit/s", bps.div_ceil(1_000));
    let pictures = manifest.video.iter().map(|rung| {
        let size = format!("{}x{}", rung.width, rung.height);
        let alias = rung.alias_of.map_or_else(String::new, |slot| format!("is {slot}"));
        [
            rung.slot.to_string(),
            size,
            rung.codecs.clone(),
            kilobits(rung.average_bps),
            kilobits(rung.peak_bps),
            alias,
        ]
    });
    let sounds = manifest.audio.iter().map(|sound| {
        let channels = format!("{} channels", sound.channels);
        let name = format!("audio/{}", sound.slot.as_str());
        [
            name,
            channels,
            sound.codecs.clone(),
            kilobits(sound.average_bps),
            kilobits(sound.peak_bps),
            String::new(),
        ]
    });
    let rows: Vec<_> = pictures.chain(sounds).collect();
    table(["RENDITION", "SIZE", "CODEC", "AVERAGE", "PEAK", ""], &rows);
    say("");
    let rows: Vec<_> = folders(manifest)
        .into_iter()
        .map(|(folder, objects, sum)| [folder, objects.to_string(), bytes(sum)])
        .collect();
    table(["FOLDER", "OBJECTS", "SIZE"], &rows);
    Ok(())
}

/// Objects and bytes of each folder of a package, in order.
fn folders(manifest: &Manifest) -> Vec<(String, usize, u64)> {
    let folder = |path: &str| path.rsplit_once('/').map_or(".", |(folder, _)| folder).to_owned();
    let names: BTreeSet<_> = manifest.objects.iter().map(|object| folder(object.path.as_str())).collect();
    let sums = names.into_iter().map(|name| {
        let objects = || manifest.objects.iter().filter(|object| folder(object.path.as_str()) == name);
        let (count, bytes) = (objects().count(), objects().map(|object| object.bytes).sum());
        (name, count, bytes)
    });
    sums.collect()
}

fn show_lesson(options: &Show, lesson: &Shelved) {
    if options.json {
        say(&lesson_json(lesson).to_string());
        return;
    }
    let said = said(lesson);
    say(&format!("lesson    {}", lesson.lesson));
    say(&format!("title     {}", said.map_or("", |said| &said.title)));
    say(&format!(
        "package   {}",
        lesson.package.map_or_else(|| "none: it is deleted".to_owned(), |id| id.to_string())
    ));
    say("");
    let rows: Vec<_> = lesson
        .history
        .entries
        .iter()
        .rev()
        .map(|entry| {
            let package = entry.package.map_or_else(|| "deleted".to_owned(), |package| package.to_string());
            [moment(entry.since_s), package]
        })
        .collect();
    table(["SINCE", "PACKAGE"], &rows);
}

/// What is said about it, or was when it was deleted.
fn said(lesson: &Shelved) -> Option<&Listed> {
    lesson.description.as_ref().or(lesson.history.deleted.as_ref()).map(|description| &description.listed)
}

fn lesson_json(lesson: &Shelved) -> Value {
    json!({
        "lesson": lesson.lesson, "package": lesson.package, "description": lesson.description,
        "history": lesson.history.entries,
    })
}
