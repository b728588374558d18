//! Single objects: written, read in parts, swapped, listed, removed.

use super::*;
use object_store::ObjectStoreExt;
use std::sync::mpsc::{SyncSender, sync_channel};

on_both! {
    of_many_swaps_from_one_version_one_is_done;
    what_is_not_there_is_no_error;
    a_version_of_what_changed_is_no_key;
    objects_are_read_in_blocks_and_in_parts;
    lists_show_what_is_below_a_folder;
    what_is_removed_is_gone_and_the_rest_is_not;
}

async fn of_many_swaps_from_one_version_one_is_done(site: Site) {
    let store = site.new_store().await;
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

async fn what_is_not_there_is_no_error(site: Site) {
    let store = site.new_store().await;
    if let Some(root) = store.directory() {
        fs::write(root.join("plain"), b"a file").unwrap();
        fs::create_dir_all(root.join("p/folder")).unwrap();
    }
    for path in ["p/none/main.m3u8", "plain/below", "p/folder", "p"] {
        let path = StorePath::parse(path).unwrap();
        assert_eq!(store.head(&path).await.unwrap(), None, "{path}");
        assert!(store.read(&path).await.unwrap().is_none(), "{path}");
        assert_eq!(store.get(&path, 10).await.unwrap(), None, "{path}");
    }
}

async fn objects_are_read_in_blocks_and_in_parts(site: Site) {
    let store = site.new_store().await;
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
        let looked = store.look(&path).await.unwrap().unwrap();
        assert_eq!(looked.meta().bytes, bytes.len() as u64);
        let blocks: Vec<_> = looked.stream(range.start as u64..range.end as u64).try_collect().await.unwrap();
        assert_eq!(blocks.concat(), bytes[range.clone()], "{range:?}");
    }
    assert_eq!(store.get(&path, 10).await.unwrap_err().code(), "STORE_OBJECT_TOO_LARGE");
    for range in [0..1, 7..300_000, 0..bytes.len(), bytes.len() - 1..bytes.len(), 5..5] {
        let part = store.read_range(&path, range.start as u64..range.end as u64).await.unwrap().unwrap();
        assert_eq!(part, bytes[range.clone()], "{range:?}");
    }
    let length = bytes.len() as u64;
    for range in [0..length + 1, length..length + 1, length + 5..length + 9] {
        let error = store.read_range(&path, range.clone()).await.unwrap_err();
        assert_eq!(error.code(), "STORE_OBJECT_TRUNCATED", "{range:?}");
    }
    let huge = store.read_range(&path, 0..MAX_RANGE_BYTES + 1).await.unwrap_err();
    assert_eq!(huge.code(), "STORE_OBJECT_TOO_LARGE");
    let none = StorePath::parse("p/x/none").unwrap();
    assert_eq!(store.read_range(&none, 0..1).await.unwrap(), None);
    assert_eq!(store.read_range(&none, 0..0).await.unwrap(), None);
}

async fn a_version_of_what_changed_is_no_key(site: Site) {
    let store = site.new_store().await;
    let path = StorePath::parse("lessons/a/lesson.json").unwrap();
    let first = match store.swap(&path, None, Bytes::from_static(b"1")).await.unwrap() {
        Swapped::Done(version) => version,
        conflict => panic!("{conflict:?}"),
    };
    assert_eq!(store.get(&path, 9).await.unwrap().unwrap().version, first);
    let Swapped::Done(second) = store.swap(&path, Some(&first), Bytes::from_static(b"2")).await.unwrap()
    else {
        panic!("nobody else is there")
    };
    for expected in [None, Some(&first)] {
        let conflict = store.swap(&path, expected, Bytes::from_static(b"3")).await.unwrap();
        assert_eq!(conflict, Swapped::Conflict(Some(second.clone())));
    }
    store.delete(&path).await.unwrap();
    assert_eq!(
        store.swap(&path, Some(&second), Bytes::from_static(b"4")).await.unwrap(),
        Swapped::Conflict(None)
    );
}

async fn lists_show_what_is_below_a_folder(site: Site) {
    let store = site.new_store().await;
    for path in ["p/a/main.m3u8", "p/a/s0/00000.m4s", "p/b/main.m3u8", "pp/c", "lessons/l/main.m3u8"] {
        store.put(&StorePath::parse(path).unwrap(), Bytes::from_static(b"x")).await.unwrap();
    }
    for (folder, expected) in [
        (None, &["lessons/l/main.m3u8", "p/a/main.m3u8", "p/a/s0/00000.m4s", "p/b/main.m3u8", "pp/c"][..]),
        (Some("p"), &["p/a/main.m3u8", "p/a/s0/00000.m4s", "p/b/main.m3u8"]),
        (Some("p/a"), &["p/a/main.m3u8", "p/a/s0/00000.m4s"]),
        (Some("none"), &[]),
    ] {
        let folder = folder.map(|folder| StorePath::parse(folder).unwrap());
        let listed = store.list(folder.as_ref()).map_ok(|(path, _)| path.to_string());
        let mut listed: Vec<_> = listed.try_collect().await.unwrap();
        listed.sort();
        assert_eq!(listed, expected, "{folder:?}");
    }
    let mut folders = store.folders(&StorePath::parse("p").unwrap()).await.unwrap();
    folders.sort();
    assert_eq!(folders, ["a", "b"]);
    assert!(store.folders(&StorePath::parse("none").unwrap()).await.unwrap().is_empty());
}

async fn what_is_removed_is_gone_and_the_rest_is_not(site: Site) {
    let store = site.new_store().await;
    let path = |text: &str| StorePath::parse(text).unwrap();
    for text in ["p/a/1", "p/a/b/2", "p/a/b/3", "p/ab/4"] {
        store.put_unsettled(&path(text), Bytes::from_static(b"x")).await.unwrap();
    }
    store.delete(&path("p/a/1")).await.unwrap();
    store.delete(&path("p/a/1")).await.unwrap();
    store.delete_all(vec![path("p/a/b/2"), path("p/a/never")]).await.unwrap();
    let left: Vec<_> = store.list(None).map_ok(|(path, _)| path.to_string()).try_collect().await.unwrap();
    assert_eq!(left.len(), 2, "{left:?}");
    for _ in 0..2 {
        store.remove_folder(&path("p/a")).await.unwrap();
    }
    let left: Vec<_> = store.list(None).map_ok(|(path, _)| path.to_string()).try_collect().await.unwrap();
    assert_eq!(left, ["p/ab/4"]);
}

/// A store in a bucket, and all that it asks the bucket.
struct Tapped {
    store: Store,
    tap: Tap,
    _server: S3Server,
    _folder: tempfile::TempDir,
}

impl Tapped {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let server = S3Server::start(folder.path());
        server.make_bucket("lessons");
        let tap = Tap::of(&server);
        let builder = builder(&server).with_endpoint(&tap.endpoint);
        let bucket = Bucket::configured(builder, "s3://lessons", "lessons", &Key::from("")).unwrap();
        Self { store: Store { place: Place::Bucket(bucket) }, tap, _server: server, _folder: folder }
    }
}

/// A bucket began to send all of an object to who wanted to know its length, and was cut off.
#[tokio::test]
async fn a_look_costs_no_bytes_of_the_object_and_a_part_only_its_own() {
    let Tapped { store, tap, .. } = &Tapped::new();
    let path = StorePath::parse("p/x/s0/00000.m4s").unwrap();
    let bytes = Bytes::from(vec![7; 8 << 20]);
    store.put(&path, bytes.clone()).await.unwrap();
    tap.take();
    let length = bytes.len() as u64;
    for (range, asked) in [
        (0..0, &["HEAD /lessons/p/x/s0/00000.m4s"][..]),
        (10..20, &["HEAD /lessons/p/x/s0/00000.m4s", "GET /lessons/p/x/s0/00000.m4s bytes=10-19"]),
        (0..length, &["HEAD /lessons/p/x/s0/00000.m4s", "GET /lessons/p/x/s0/00000.m4s"]),
    ] {
        let reading = store.look(&path).await.unwrap().unwrap();
        assert_eq!(reading.meta().bytes, length);
        let read: Vec<_> = reading.stream(range.clone()).try_collect().await.unwrap();
        assert_eq!(read.concat().len() as u64, range.end - range.start);
        let passed = tap.take();
        assert_eq!(passed.requests, asked, "{range:?}");
        assert!(passed.bytes < range.end - range.start + 4_096, "{range:?}: {}", passed.bytes);
    }
    // Another object in its place is not the one that was looked at.
    let reading = store.look(&path).await.unwrap().unwrap();
    store.put(&path, Bytes::from(vec![8; bytes.len()])).await.unwrap();
    let other = reading.stream(0..length).try_collect::<Vec<_>>().await.unwrap_err();
    assert_eq!(other.code(), "STORE_UNREADABLE");
    let none = StorePath::parse("p/x/none").unwrap();
    assert!(store.look(&none).await.is_err(), "nobody has said that this bucket is a store");
}

/// Has time stand still until this is dropped, whatever a machine takes for what happens meanwhile. A paused clock goes on by itself
/// where nothing is left to do but to wait, for a server too, unless something blocks.
fn time_stands_still() -> SyncSender<()> {
    tokio::time::pause();
    let (until, blocks) = sync_channel(0);
    drop(tokio::task::spawn_blocking(move || blocks.recv()));
    until
}

/// The mark was asked for twice.
#[tokio::test]
async fn what_is_not_in_a_bucket_costs_one_look_for_its_mark() {
    let Tapped { store, tap, .. } = &Tapped::new();
    let _still = time_stands_still();
    let Place::Bucket(bucket) = &store.place else { unreachable!("it is one") };
    bucket.create().await.unwrap();
    tap.take();
    assert!(store.look(&StorePath::parse("p/x/none").unwrap()).await.unwrap().is_none());
    store.check_absence().await.unwrap();
    assert_eq!(tap.take().requests, ["HEAD /lessons/p/x/none", "HEAD /lessons/.airclass-store"]);
}

/// Who asked for what is not there had the bucket asked twice, each time.
#[tokio::test]
async fn a_mark_that_was_seen_a_moment_ago_is_not_looked_for_again() {
    let Tapped { store, tap, .. } = &Tapped::new();
    let _still = time_stands_still();
    let Place::Bucket(bucket) = &store.place else { unreachable!("it is one") };
    bucket.create().await.unwrap();
    let none = StorePath::parse("p/x/none").unwrap();
    let asks = async |times: usize| {
        tap.take();
        for _ in 0..times {
            assert!(store.clone().look(&none).await.unwrap().is_none());
        }
        tap.take().requests.iter().filter(|request| request.ends_with(".airclass-store")).count()
    };
    assert_eq!(asks(3).await, 1);
    tokio::time::advance(crate::bucket::SEEN_FOR).await;
    assert_eq!(asks(3).await, 1);
    bucket.objects.delete(&Key::from(".airclass-store")).await.unwrap();
    assert_eq!(bucket.check_readable().await.unwrap_err().code(), "STORE_NOT_THERE");
    let error = store.look(&none).await.err().unwrap();
    assert_eq!(error.code(), "STORE_NOT_THERE", "whoever finds it gone tells the others");
}

#[tokio::test]
async fn a_file_cut_short_behind_our_back_is_an_error() {
    let (folder, store) = directory_store();
    let path = StorePath::parse("p/x/s0/00000.m4s").unwrap();
    let bytes = Bytes::from(vec![7; 100]);
    store.put(&path, bytes.clone()).await.unwrap();
    // Cut short behind our back.
    let reading = store.read(&path).await.unwrap().unwrap();
    fs::OpenOptions::new().write(true).open(folder.path().join(path.as_str())).unwrap().set_len(10).unwrap();
    let cut = reading.stream(0..bytes.len() as u64).try_collect::<Vec<_>>().await.unwrap_err();
    assert_eq!(cut.code(), "STORE_OBJECT_TRUNCATED");
}

#[tokio::test]
async fn lists_show_objects_only() {
    let (folder, store) = directory_store();
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
