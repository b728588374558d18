//! Races, kill points, and stores that refuse: the same tests on a directory and on a bucket of an S3 server process.

mod looking_after;
mod objects;
mod places;
mod publishing;

use crate::bucket::Bucket;
use crate::store::Place;
use crate::*;
use bytes::Bytes;
use faults::Fault;
use futures_util::TryStreamExt;
use grid::{FrameRate, SegmentCount};
use object_store::aws::AmazonS3Builder;
use object_store::path::Path as Key;
use package::catalogue::{Catalogue, MAX_CATALOGUE_BYTES, Version as CatalogueVersion, version_path};
use package::ingest::IngestKey;
use package::layout::{audio_playlist, main_playlist};
use package::manifest::{AudioRendition, Object, Recipe, Source, VideoRung};
use package::{
    AudioSlot, Description, Digest, Lesson, LessonId, Manifest, ObjectPath, PackageId, Rendition, Sealed,
    Slot, StorePath,
};
use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::{fs, io};
use tempfile::TempDir;
use testkit::s3::{S3Server, Tap};

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

fn directory(store: &Store) -> &crate::directory::Directory {
    match &store.place {
        crate::store::Place::Directory(directory) => directory,
        crate::store::Place::Bucket(_) => panic!("{store:?}"),
    }
}

fn directory_store() -> (TempDir, Store) {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path().to_str().unwrap()).unwrap();
    (folder, store)
}

/// A place where stores can be made, of either kind.
struct Site {
    folder: TempDir,
    server: Option<S3Server>,
    made: AtomicUsize,
}

impl Site {
    fn directory() -> Self {
        Self { folder: tempfile::tempdir().unwrap(), server: None, made: AtomicUsize::new(0) }
    }

    fn bucket() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let server = Some(S3Server::start(folder.path()));
        Self { folder, server, made: AtomicUsize::new(0) }
    }

    /// An empty store. Every second bucket is shared: the store is below a prefix of it.
    async fn new_store(&self) -> Store {
        let number = self.made.fetch_add(1, Ordering::Relaxed);
        match &self.server {
            None => Store::create(self.root(number).to_str().unwrap()).await.unwrap(),
            Some(server) => {
                let name = format!("lessons-{number}");
                server.make_bucket(&name);
                let bucket =
                    bucket(server, &name, if number.is_multiple_of(2) { "" } else { "north/primary" });
                bucket.create().await.unwrap();
                Store { place: Place::Bucket(bucket) }
            }
        }
    }

    /// The folder of the store made as the `number`th.
    fn root(&self, number: usize) -> PathBuf {
        match (&self.server, number % 2) {
            (None, _) => self.folder.path().join(format!("store-{number}")),
            (Some(server), 0) => server.bucket(&format!("lessons-{number}")),
            (Some(server), _) => server.bucket(&format!("lessons-{number}")).join("north/primary"),
        }
    }
}

fn bucket(server: &S3Server, name: &str, prefix: &str) -> Bucket {
    let address = format!("s3://{name}/{prefix}");
    Bucket::configured(builder(server), &address, name, &Key::from(prefix)).unwrap()
}

fn builder(server: &S3Server) -> AmazonS3Builder {
    AmazonS3Builder::new()
        .with_endpoint(&server.endpoint)
        .with_access_key_id(testkit::s3::ACCESS_KEY)
        .with_secret_access_key(testkit::s3::SECRET_KEY)
}

/// Each test twice: in a directory and in a bucket.
macro_rules! on_both {
    ($($test:ident;)*) => {
        mod in_a_directory {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $test() {
                super::$test(super::Site::directory()).await;
            })*
        }

        mod in_a_bucket {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $test() {
                super::$test(super::Site::bucket()).await;
            })*
        }
    };
}
use on_both;

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
    publish(
        store,
        Publication { package: &made.sealed, lesson: &lesson, ingest, signature: None },
        made,
        |_| {
            left = left.saturating_sub(1);
            if left == 0 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        },
    )
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
