//! Lessons on their way into a store: kill points, races, objects that are not what they should be.

use super::*;
use tokio::runtime::Handle;

on_both! {
    a_published_lesson_is_whole_and_listed;
    stopped_anywhere_shows_the_old_lesson_or_the_new_one_and_running_again_completes_it;
    a_first_lesson_is_invisible_until_its_pointer;
    a_corrected_title_keeps_the_package_and_the_way_back_is_a_swap;
    altered_or_missing_objects_are_not_published;
    publishers_at_the_same_time_lose_no_lesson;
    two_publishers_of_one_lesson_leave_one_of_the_two;
    a_lesson_deleted_while_it_is_published_is_gone_everywhere;
    who_may_not_publish_any_more_takes_no_lesson_from_who_did;
    a_list_that_has_no_room_is_told_and_can_still_be_read;
}

/// A longer one was written, and then nothing could be published, nor deleted, nor shown.
async fn a_list_that_has_no_room_is_told_and_can_still_be_read(site: Site) {
    let store = site.new_store().await;
    let first = made("a");
    publish_as(&store, &first, "maths", "").await.unwrap();
    let mut long = lesson("maths", &first, "");
    long.listed.licence = Some(String::new());
    crate::publish::catalogue::list(&store, &long).await.unwrap();
    let room = MAX_CATALOGUE_BYTES - shard_bytes(&store).await;
    long.listed.licence = Some("x".repeat(room));
    crate::publish::catalogue::list(&store, &long).await.unwrap();
    assert_eq!(shard_bytes(&store).await, MAX_CATALOGUE_BYTES);

    let second = made("b");
    let full = publish_as(&store, &second, "physics", "物理").await.unwrap_err();
    assert_eq!((full.code(), full.blame()), ("CATALOGUE_FULL", faults::Blame::Input));
    // Before all of it is uploaded, not at the last step.
    assert_eq!(store.packages().await.unwrap(), [first.sealed.id()]);
    assert_eq!(seen(&store, "physics").await, None);
    point(&store, &lesson("physics", &first, "物理")).await.unwrap_err();
    assert_eq!(seen(&store, "physics").await, None);
    assert_eq!(shard_bytes(&store).await, MAX_CATALOGUE_BYTES);
    delete(&store, &"maths".parse().unwrap()).await.unwrap();
    publish_as(&store, &second, "physics", "物理").await.unwrap();
    let titles: Vec<_> = listed(&store).await.lessons().map(|lesson| lesson.title.clone()).collect();
    assert_eq!(titles, ["物理"]);
}

/// How long the only shard is.
async fn shard_bytes(store: &Store) -> usize {
    let version = store.get(&version_path(), MAX_CATALOGUE_BYTES).await.unwrap().unwrap();
    let version = CatalogueVersion::parse(&version.bytes).unwrap();
    usize::try_from(store.head(&version.shards[0].path).await.unwrap().unwrap().bytes).unwrap()
}

async fn a_published_lesson_is_whole_and_listed(site: Site) {
    let store = site.new_store().await;
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

async fn stopped_anywhere_shows_the_old_lesson_or_the_new_one_and_running_again_completes_it(site: Site) {
    let (old, new) = (made("old"), made("new"));
    // Every object and every step is a place to stop.
    for told in 1..=new.objects.len() + 5 {
        let store = site.new_store().await;
        publish_as(&store, &old, "maths", "旧").await.unwrap();
        let stopped = publish_until(&store, &new, "maths", "新", told).await;
        assert!(matches!(stopped, Err(PublishError::Stopped)), "{told}");
        // The upload that was going on when the power went.
        let half = store.directory().map(|root| root.join(format!("p/{}/s1/00001.m4s#77", new.sealed.id())));
        if let Some(half) = &half {
            fs::create_dir_all(half.parent().unwrap()).unwrap();
            fs::write(half, b"hal").unwrap();
        }

        let visible = seen(&store, "maths").await.unwrap();
        let swapped = told >= new.objects.len() + 5;
        assert_eq!(visible, if swapped { new.sealed.id() } else { old.sealed.id() }, "{told}");
        let titles: Vec<_> = listed(&store).await.lessons().map(|lesson| lesson.title.clone()).collect();
        assert_eq!(titles, ["旧"], "{told}");

        let published = publish_as(&store, &new, "maths", "新").await.unwrap();
        if let Some(half) = half {
            assert!(published.swept >= 1, "{told}");
            assert!(!half.exists());
        }
        assert_eq!(seen(&store, "maths").await, Some(new.sealed.id()), "{told}");
        let titles: Vec<_> = listed(&store).await.lessons().map(|lesson| lesson.title.clone()).collect();
        assert_eq!(titles, ["新"], "{told}");
    }
}

async fn a_first_lesson_is_invisible_until_its_pointer(site: Site) {
    let new = made("new");
    for told in 1..new.objects.len() + 5 {
        let store = site.new_store().await;
        publish_until(&store, &new, "maths", "新", told).await.unwrap_err();
        assert_eq!(seen(&store, "maths").await, None, "{told}");
    }
}

/// A worker whose job had gone to another one while it uploaded put its own package in the place of that one's.
async fn who_may_not_publish_any_more_takes_no_lesson_from_who_did(site: Site) {
    let (mine, others) = (made("mine"), made("others"));
    // The other one publishes before the last look, and between that and the swap.
    for before in [1, 2] {
        let store = site.new_store().await;
        publish_as(&store, &made("old"), "maths", "旧").await.unwrap();
        let lesson = lesson("maths", &mine, "我");
        let publication =
            Publication { package: &mine.sealed, lesson: &lesson, ingest: None, signature: None };
        let mut asked = 0;
        let published = publish(&store, publication, &mine, |at| {
            asked += usize::from(at.step == Step::Record);
            let is_held = asked <= before;
            if at.step == Step::Record && asked == before {
                let other = publish_as(&store, &others, "maths", "他");
                tokio::task::block_in_place(|| Handle::current().block_on(other)).unwrap();
            }
            if is_held { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        });
        assert!(matches!(published.await, Err(PublishError::Stopped)), "{before}");
        assert_eq!(seen(&store, "maths").await, Some(others.sealed.id()));
        let history = crate::publish::history::read(&store, &"maths".parse().unwrap()).await.unwrap();
        assert_eq!(history.entries.last().unwrap().package, Some(others.sealed.id()));
        let titles: Vec<_> = listed(&store).await.lessons().map(|lesson| lesson.title.clone()).collect();
        assert_eq!(titles, ["他"]);
    }
}

async fn a_corrected_title_keeps_the_package_and_the_way_back_is_a_swap(site: Site) {
    let store = site.new_store().await;
    let (old, new) = (made("old"), made("new"));
    publish_as(&store, &old, "maths", "数雪").await.unwrap();
    publish_as(&store, &new, "maths", "数学").await.unwrap();
    point(&store, &lesson("maths", &old, "数学")).await.unwrap();
    assert_eq!(seen(&store, "maths").await, Some(old.sealed.id()));
    let unknown = lesson("maths", &made("never"), "数学");
    assert_eq!(point(&store, &unknown).await.unwrap_err().code(), "PACKAGE_MISSING");
    assert_eq!(seen(&store, "maths").await, Some(old.sealed.id()));
}

async fn altered_or_missing_objects_are_not_published(site: Site) {
    let store = site.new_store().await;
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

async fn publishers_at_the_same_time_lose_no_lesson(site: Site) {
    let store = site.new_store().await;
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

/// Publishes `made` as `maths`; as soon as `step` is done, `meanwhile` happens.
async fn publish_with(store: &Store, made: &Made, title: &str, step: Step, meanwhile: impl Future + Send) {
    let lesson = lesson("maths", made, title);
    let publication = Publication { package: &made.sealed, lesson: &lesson, ingest: None, signature: None };
    let mut meanwhile = Some(Box::pin(meanwhile));
    let published = publish(store, publication, made, |at| {
        if at.step == step
            && let Some(meanwhile) = meanwhile.take()
        {
            let runtime = tokio::runtime::Handle::current();
            tokio::task::block_in_place(|| runtime.block_on(meanwhile));
        }
        ControlFlow::Continue(())
    });
    published.await.unwrap();
}

/// The description was one's, the pointer the other's, and the catalogue whoever's came last.
async fn two_publishers_of_one_lesson_leave_one_of_the_two(site: Site) {
    let (slow, quick) = (made("slow"), made("quick"));
    for (step, last) in [(Step::Record, "慢"), (Step::Description, "快"), (Step::Pointer, "快")] {
        let store = site.new_store().await;
        let meanwhile = async { publish_as(&store, &quick, "maths", "快").await.unwrap() };
        publish_with(&store, &slow, "慢", step, meanwhile).await;

        let package = if last == "快" { quick.sealed.id() } else { slow.sealed.id() };
        let shelved = store.lesson(&"maths".parse().unwrap()).await.unwrap().unwrap();
        assert_eq!(seen(&store, "maths").await, Some(package), "{step:?}");
        assert_eq!(shelved.description.map(|lesson| lesson.package), Some(package), "{step:?}");
        assert_eq!(shelved.history.current(), Some(package), "{step:?}");
        let titles: Vec<_> = listed(&store).await.lessons().map(|lesson| lesson.title.clone()).collect();
        assert_eq!(titles, [last], "{step:?}");
    }
}

/// The list named a lesson that was not there.
async fn a_lesson_deleted_while_it_is_published_is_gone_everywhere(site: Site) {
    let (old, new) = (made("old"), made("new"));
    let maths: LessonId = "maths".parse().unwrap();
    for step in [Step::Description, Step::Pointer] {
        let store = site.new_store().await;
        publish_as(&store, &old, "maths", "旧").await.unwrap();
        let meanwhile = async { delete(&store, &maths).await.unwrap() };
        publish_with(&store, &new, "新", step, meanwhile).await;

        let shelved = store.lesson(&maths).await.unwrap().unwrap();
        assert_eq!((shelved.package, shelved.description), (None, None), "{step:?}");
        assert_eq!(listed(&store).await.lessons().count(), 0, "{step:?}");
        assert_eq!(shelved.history.current(), None, "{step:?}");
        let back = roll_back(&store, &maths, None).await.unwrap();
        assert_eq!(
            (back.to, seen(&store, "maths").await),
            (new.sealed.id(), Some(new.sealed.id())),
            "{step:?}"
        );
    }
}

#[tokio::test]
async fn a_package_is_published_from_a_folder() {
    let (folder, store) = directory_store();
    let made = made("a");
    let staging = folder.path().join(".staging");
    for (path, bytes) in &made.objects {
        let file = staging.join(path.as_str());
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, bytes).unwrap();
    }
    let lesson = lesson("maths", &made, "t");
    let publication = Publication { package: &made.sealed, lesson: &lesson, ingest: None, signature: None };
    publish(&store, publication, &StagedDirectory(staging), |_| ControlFlow::Continue(())).await.unwrap();
    assert_eq!(seen(&store, "maths").await, Some(made.sealed.id()));
}

#[tokio::test]
async fn leftovers_are_kept_while_somebody_uploads() {
    let (folder, store) = directory_store();
    let upload = folder.path().join("catalogue/version.json#1");
    fs::create_dir_all(upload.parent().unwrap()).unwrap();
    fs::write(&upload, b"in flight").unwrap();
    let uploading = directory(&store).lock_shared(crate::directory::lock::Lock::Uploads).await.unwrap();
    assert_eq!(publish_as(&store, &made("a"), "maths", "t").await.unwrap().swept, 0);
    assert!(upload.exists());
    drop(uploading);
    assert_eq!(publish_as(&store, &made("a"), "maths", "t").await.unwrap().swept, 1);
    assert!(!upload.exists());
}

/// The disk was still busy with the uploads of a publisher that had given up, and the next one cleared them away as
/// leftovers, together with its own of the same names: `STORE_NOT_WRITABLE`.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn uploads_of_a_publisher_that_gave_up_do_not_disturb_the_next() {
    let (_folder, store) = directory_store();
    for round in 0..40 {
        let mut made = made(&format!("{round}"));
        let init = Rendition::Video(Slot::S1).init();
        let whole = made.objects.insert(init.clone(), Bytes::from_static(b"something else")).unwrap();
        assert_eq!(publish_as(&store, &made, "maths", "t").await.unwrap_err().code(), "PACKAGE_ALTERED");
        made.objects.insert(init, whole);
        publish_as(&store, &made, "maths", "t").await.unwrap();
        assert_eq!(seen(&store, "maths").await, Some(made.sealed.id()));
    }
}
