//! Races, kill points, and stores that refuse.

use crate::*;
use bytes::Bytes;
use faults::Fault;
use futures_util::TryStreamExt;
use grid::{FrameRate, SegmentCount};
use package::catalogue::{Catalogue, Version as CatalogueVersion, version_path};
use package::ingest::IngestKey;
use package::layout::{audio_playlist, main_playlist};
use package::manifest::{AudioRendition, Object, Recipe, Source, VideoRung};
use package::{
    AudioSlot, Description, Digest, Lesson, Manifest, ObjectPath, PackageId, Rendition, Sealed, Slot,
    StorePath,
};
use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::Path;
use std::{fs, io};
use tempfile::TempDir;

/// A package in memory: what an ingest leaves behind.
struct Made {
    sealed: Sealed,
    objects: BTreeMap<ObjectPath, Bytes>,
}

impl Staged for Made {
    async fn read(&self, object: &ObjectPath) -> io::Result<Bytes> {
        self.objects.get(object).cloned().ok_or_else(|| io::ErrorKind::NotFound.into())
    }
}

/// Two segments of one rung; `flavour` makes the bytes, and so the package, another.
fn made(flavour: &str) -> Made {
    let segments = SegmentCount(2);
    let rung = VideoRung {
        slot: Slot::S1,
        width: 416,
        height: 234,
        codecs: "avc1.64001f".into(),
        peak_bps: 1,
        average_bps: 1,
        audio: AudioSlot::Hi,
        alias_of: None,
        thinning: 1,
        spending: None,
    };
    let audio = AudioRendition {
        slot: AudioSlot::Hi,
        codecs: "mp4a.40.2".into(),
        channels: 2,
        peak_bps: 1,
        average_bps: 1,
    };
    let mut objects = BTreeMap::new();
    let variant = hls::Variant { uri: "s1/index.m3u8".into(), bandwidth: 1, ..hls::Variant::default() };
    let main = hls::MultivariantPlaylist::new(vec![variant], Vec::new()).render();
    objects.insert(main_playlist(), Bytes::from(main.clone()));
    objects.insert(audio_playlist(), Bytes::from(main));
    for rendition in [Rendition::Video(Slot::S1), Rendition::Audio(AudioSlot::Hi)] {
        let bytes = |what: &str| Bytes::from(format!("{flavour} {rendition} {what}"));
        objects.insert(rendition.init(), bytes("init"));
        objects.insert(rendition.playlist(), bytes("playlist"));
        if let Rendition::Video(_) = rendition {
            objects.insert(rendition.iframes(), bytes("pictures"));
        }
        for number in segments.numbers() {
            objects.insert(rendition.segment(number), bytes(&format!("segment {}", number.0)));
        }
    }
    let listed = objects.iter().map(|(path, bytes)| Object {
        path: path.clone(),
        bytes: bytes.len() as u64,
        sha256: Digest::of(bytes),
        media_type: path.media_type().unwrap(),
    });
    let recipe = Recipe { name: "test".into(), sha256: Digest::of(b""), ffmpeg: "none".into() };
    let source = Source { sha256: Digest::of(flavour.as_bytes()), bytes: 1 };
    let manifest = Manifest {
        video: vec![rung],
        audio: vec![audio],
        objects: listed.collect(),
        ..Manifest::new(recipe, source, segments, FrameRate::Fps25)
    };
    Made { sealed: manifest.seal().unwrap(), objects }
}

fn lesson(name: &str, made: &Made, title: &str) -> Lesson {
    let description = Description { title: Some(title.to_owned()), ..Description::default() };
    Lesson::new(name.parse().unwrap(), made.sealed.id(), made.sealed.manifest(), &description, "stem")
}

fn store() -> (TempDir, Store) {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path().to_str().unwrap()).unwrap();
    (folder, store)
}

async fn publish_as(store: &Store, made: &Made, name: &str, title: &str) -> Result<Published, PublishError> {
    publish_until(store, made, name, title, usize::MAX).await
}

/// Stops when the caller has been told `told` times.
async fn publish_until(
    store: &Store,
    made: &Made,
    name: &str,
    title: &str,
    told: usize,
) -> Result<Published, PublishError> {
    let lesson = lesson(name, made, title);
    let ingest = Some(IngestKey::of(&Digest::of(b"s"), &Digest::of(b"r"), "f"));
    let mut left = told;
    publish(store, Publication { package: &made.sealed, lesson: &lesson, ingest }, made, |_| {
        left = left.saturating_sub(1);
        if left == 0 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    })
    .await
}

/// What a student's player gets: the package behind the pointer, if every object it may ask for is there whole.
async fn seen(store: &Store, name: &str) -> Option<PackageId> {
    let lesson: package::LessonId = name.parse().unwrap();
    let pointer = store.get(&lesson.pointer(), 1 << 20).await.unwrap()?;
    let playlist = hls::MultivariantPlaylist::parse(std::str::from_utf8(&pointer.bytes).unwrap()).unwrap();
    let id: PackageId = playlist.variants[0].uri.split('/').nth(3).unwrap().parse().unwrap();
    let manifest = store.get(&id.manifest(), 1 << 20).await.unwrap().expect("a pointer points to a manifest");
    let sealed = Manifest::parse(&manifest.bytes).unwrap();
    assert_eq!(sealed.id(), id);
    for object in &sealed.manifest().objects {
        let found = store.get(&id.object(&object.path), 1 << 20).await.unwrap();
        let found = found.expect("an object of a visible package is there");
        assert_eq!(Digest::of(&found.bytes), object.sha256, "{}", object.path);
    }
    Some(id)
}

async fn listed(store: &Store) -> Catalogue {
    let Some(version) = store.get(&version_path(), 1 << 20).await.unwrap() else {
        return Catalogue::default();
    };
    let version = CatalogueVersion::parse(&version.bytes).unwrap();
    let mut shards = Vec::new();
    for entry in &version.shards {
        shards.push(store.get(&entry.path, 1 << 20).await.unwrap().expect("a listed shard is there").bytes);
    }
    Catalogue::assemble(&version, shards).unwrap()
}

#[tokio::test]
async fn a_published_lesson_is_whole_and_listed() {
    let (_folder, store) = store();
    let made = made("a");
    let published = publish_as(&store, &made, "maths", "数学").await.unwrap();
    assert_eq!(published, Published { uploaded: made.objects.len(), swept: 0 });
    assert_eq!(seen(&store, "maths").await, Some(made.sealed.id()));
    let catalogue = listed(&store).await;
    assert_eq!(catalogue.lessons().map(|l| l.title.as_str()).collect::<Vec<_>>(), ["数学"]);
    // Again: nothing to do, nothing changes.
    assert_eq!(publish_as(&store, &made, "maths", "数学").await.unwrap().uploaded, 0);
    assert_eq!(listed(&store).await, catalogue);
}

#[tokio::test]
async fn stopped_anywhere_shows_the_old_lesson_or_the_new_one_and_running_again_completes_it() {
    let (old, new) = (made("old"), made("new"));
    // Every object and every step is a place to stop.
    for told in 1..=new.objects.len() + 4 {
        let (folder, store) = store();
        publish_as(&store, &old, "maths", "旧").await.unwrap();
        let stopped = publish_until(&store, &new, "maths", "新", told).await;
        assert!(matches!(stopped, Err(PublishError::Stopped)), "{told}");
        // The upload that was going on when the power went.
        let half = folder.path().join(format!("p/{}/s1/00001.m4s#77", new.sealed.id()));
        fs::create_dir_all(half.parent().unwrap()).unwrap();
        fs::write(&half, b"hal").unwrap();

        let visible = seen(&store, "maths").await.unwrap();
        let swapped = told >= new.objects.len() + 4;
        assert_eq!(visible, if swapped { new.sealed.id() } else { old.sealed.id() }, "{told}");
        let titles: Vec<_> = listed(&store).await.lessons().map(|lesson| lesson.title.clone()).collect();
        assert_eq!(titles, ["旧"], "{told}");

        let published = publish_as(&store, &new, "maths", "新").await.unwrap();
        assert!(published.swept >= 1, "{told}");
        assert!(!half.exists());
        assert_eq!(seen(&store, "maths").await, Some(new.sealed.id()), "{told}");
        let titles: Vec<_> = listed(&store).await.lessons().map(|lesson| lesson.title.clone()).collect();
        assert_eq!(titles, ["新"], "{told}");
    }
}

#[tokio::test]
async fn a_first_lesson_is_invisible_until_its_pointer() {
    let new = made("new");
    for told in 1..new.objects.len() + 4 {
        let (_folder, store) = store();
        publish_until(&store, &new, "maths", "新", told).await.unwrap_err();
        assert_eq!(seen(&store, "maths").await, None, "{told}");
    }
}

#[tokio::test]
async fn a_corrected_title_keeps_the_package_and_the_way_back_is_a_swap() {
    let (_folder, store) = store();
    let (old, new) = (made("old"), made("new"));
    publish_as(&store, &old, "maths", "数雪").await.unwrap();
    publish_as(&store, &new, "maths", "数学").await.unwrap();
    point(&store, &lesson("maths", &old, "数学")).await.unwrap();
    assert_eq!(seen(&store, "maths").await, Some(old.sealed.id()));
    let unknown = lesson("maths", &made("never"), "数学");
    assert_eq!(point(&store, &unknown).await.unwrap_err().code(), "PACKAGE_MISSING");
    assert_eq!(seen(&store, "maths").await, Some(old.sealed.id()));
}

#[tokio::test]
async fn altered_or_missing_objects_are_not_published() {
    let (_folder, store) = store();
    let mut made = made("a");
    let init = Rendition::Video(Slot::S1).init();
    let whole = made.objects.insert(init.clone(), Bytes::from_static(b"something else")).unwrap();
    assert_eq!(publish_as(&store, &made, "maths", "t").await.unwrap_err().code(), "PACKAGE_ALTERED");
    made.objects.remove(&init);
    assert_eq!(publish_as(&store, &made, "maths", "t").await.unwrap_err().code(), "PACKAGE_UNREADABLE");
    assert_eq!(seen(&store, "maths").await, None);
    made.objects.insert(init, whole);
    publish_as(&store, &made, "maths", "t").await.unwrap();
}

#[tokio::test]
async fn a_package_is_published_from_a_folder() {
    let (folder, store) = store();
    let made = made("a");
    let staging = folder.path().join(".staging");
    for (path, bytes) in &made.objects {
        let file = staging.join(path.as_str());
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, bytes).unwrap();
    }
    let lesson = lesson("maths", &made, "t");
    let publication = Publication { package: &made.sealed, lesson: &lesson, ingest: None };
    publish(&store, publication, &StagedDirectory(staging), |_| ControlFlow::Continue(())).await.unwrap();
    assert_eq!(seen(&store, "maths").await, Some(made.sealed.id()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_swaps_from_one_version_one_is_done() {
    let (_folder, store) = store();
    let path = StorePath::parse("lessons/a/main.m3u8").unwrap();
    let mut expected = None;
    for round in 0..20 {
        let racers = (0..2).map(|racer| {
            let (store, path, expected) = (store.clone(), path.clone(), expected.clone());
            tokio::spawn(async move {
                let new = Bytes::from(format!("{round} {racer}"));
                store.swap(&path, expected.as_ref(), new).await.unwrap()
            })
        });
        let mut done = Vec::new();
        let mut conflicts = Vec::new();
        for racer in racers.collect::<Vec<_>>() {
            match racer.await.unwrap() {
                Swapped::Done(version) => done.push(version),
                Swapped::Conflict(current) => conflicts.push(current.unwrap()),
            }
        }
        assert_eq!(done.len(), 1, "{round}");
        assert_eq!(conflicts, done, "{round}");
        expected = done.pop();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn publishers_at_the_same_time_lose_no_lesson() {
    let (_folder, store) = store();
    let publishers: Vec<_> = (0..6)
        .map(|number| {
            let store = store.clone();
            // Two of each package: the same objects are written twice at the same time.
            let made = made(&format!("{}", number / 2));
            tokio::spawn(async move { publish_as(&store, &made, &format!("l{number}"), "t").await.unwrap() })
        })
        .collect();
    for publisher in publishers {
        publisher.await.unwrap();
    }
    assert_eq!(listed(&store).await.lessons().count(), 6);
    for number in 0..6 {
        let package = made(&format!("{}", number / 2)).sealed.id();
        assert_eq!(seen(&store, &format!("l{number}")).await, Some(package));
    }
}

#[tokio::test]
async fn leftovers_are_kept_while_somebody_uploads() {
    let (folder, store) = store();
    let upload = folder.path().join("catalogue/version.json#1");
    fs::create_dir_all(upload.parent().unwrap()).unwrap();
    fs::write(&upload, b"in flight").unwrap();
    let uploading = store.lock_shared(crate::lock::Lock::Uploads).await.unwrap();
    assert_eq!(publish_as(&store, &made("a"), "maths", "t").await.unwrap().swept, 0);
    assert!(upload.exists());
    drop(uploading);
    assert_eq!(publish_as(&store, &made("a"), "maths", "t").await.unwrap().swept, 1);
    assert!(!upload.exists());
}

#[tokio::test]
async fn objects_are_read_in_blocks_and_in_parts() {
    let (folder, store) = store();
    let path = StorePath::parse("p/x/s0/00000.m4s").unwrap();
    let bytes: Bytes = (0..READ_BLOCK * 2 + 7).map(|n| (n % 251) as u8).collect::<Vec<_>>().into();
    assert!(store.put_immutable(&path, bytes.clone()).await.unwrap());
    assert!(!store.put_immutable(&path, bytes.clone()).await.unwrap());
    assert_eq!(store.get(&path, 1 << 20).await.unwrap().unwrap().bytes, bytes);
    for range in [0..bytes.len(), 5..6, 0..0, READ_BLOCK - 1..READ_BLOCK + 1, bytes.len() - 1..bytes.len()] {
        let reading = store.read(&path).await.unwrap().unwrap();
        assert_eq!(reading.meta().bytes, bytes.len() as u64);
        let blocks: Vec<_> =
            reading.stream(range.start as u64..range.end as u64).try_collect().await.unwrap();
        assert!(blocks.iter().all(|block| block.len() <= READ_BLOCK));
        assert_eq!(blocks.concat(), bytes[range.clone()], "{range:?}");
    }
    assert_eq!(store.get(&path, 10).await.unwrap_err().code(), "STORE_OBJECT_TOO_LARGE");
    // Cut short behind our back.
    let reading = store.read(&path).await.unwrap().unwrap();
    fs::OpenOptions::new().write(true).open(folder.path().join(path.as_str())).unwrap().set_len(10).unwrap();
    let cut = reading.stream(0..bytes.len() as u64).try_collect::<Vec<_>>().await.unwrap_err();
    assert_eq!(cut.code(), "STORE_OBJECT_TRUNCATED");
}

#[tokio::test]
async fn what_is_not_there_is_no_error() {
    let (folder, store) = store();
    fs::write(folder.path().join("plain"), b"a file").unwrap();
    fs::create_dir_all(folder.path().join("p/folder")).unwrap();
    for path in ["p/none/main.m3u8", "plain/below", "p/folder", "p"] {
        let path = StorePath::parse(path).unwrap();
        assert_eq!(store.head(&path).await.unwrap(), None, "{path}");
        assert!(store.read(&path).await.unwrap().is_none(), "{path}");
        assert_eq!(store.get(&path, 10).await.unwrap(), None, "{path}");
    }
}

#[tokio::test]
async fn lists_show_objects_only() {
    let (folder, store) = store();
    for file in ["p/a/main.m3u8", "p/a/main.m3u8#1", ".airclass-swap.lock", "lessons/l/main.m3u8"] {
        let file = folder.path().join(file);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, b"x").unwrap();
    }
    let all: Vec<_> = store.list(None).map_ok(|(path, _)| path.to_string()).try_collect().await.unwrap();
    let all: std::collections::BTreeSet<_> = all.into_iter().collect();
    assert_eq!(all.iter().map(String::as_str).collect::<Vec<_>>(), ["lessons/l/main.m3u8", "p/a/main.m3u8"]);
    let folder = StorePath::parse("p").unwrap();
    let below: Vec<_> = store.list(Some(&folder)).try_collect().await.unwrap();
    assert_eq!(below.len(), 1);
}

#[tokio::test]
async fn a_store_that_cannot_be_written_says_so() {
    // A file where the folder should be stops even root.
    let (folder, store) = store();
    fs::write(folder.path().join("p"), b"in the way").unwrap();
    let error = publish_as(&store, &made("a"), "maths", "t").await.unwrap_err();
    assert_eq!(error.code(), "STORE_NOT_WRITABLE");
    assert_eq!(error.blame(), faults::Blame::Input);

    let below_a_file = folder.path().join("p/store");
    assert_eq!(Store::create(below_a_file.to_str().unwrap()).unwrap_err().code(), "STORE_NOT_WRITABLE");
    // The kernel lets nobody make files there.
    assert_eq!(Store::open("/proc").unwrap().check_writable().unwrap_err().code(), "STORE_NOT_WRITABLE");
}

#[tokio::test]
async fn a_store_is_made_only_when_asked() {
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("a/b");
    let address = missing.to_str().unwrap();
    assert_eq!(Store::open(address).unwrap_err().code(), "STORE_NOT_THERE");
    assert!(!missing.exists());
    let store = Store::create(address).unwrap();
    store.check_readable().await.unwrap();
    assert_eq!(fs::read_dir(&missing).unwrap().count(), 0, "a probe leaves nothing");
    fs::rename(&missing, folder.path().join("a/mounted")).unwrap();
    assert_eq!(store.check_readable().await.unwrap_err().code(), "STORE_NOT_THERE");
    // The mount point of a disk that is gone.
    fs::create_dir(&missing).unwrap();
    let unmounted = store.check_readable().await.unwrap_err();
    assert!(unmounted.to_string().contains("is its disk mounted?"), "{unmounted}");
    // Another copy in its place is as good.
    fs::create_dir(missing.join("p")).unwrap();
    store.check_readable().await.unwrap();
    assert_eq!(
        Store::open(Path::new("/etc/passwd").to_str().unwrap()).unwrap_err().code(),
        "STORE_NOT_THERE"
    );
}
