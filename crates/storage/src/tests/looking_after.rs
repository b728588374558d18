//! Signing, rolling back, deleting, verifying, collecting: told one by one, and at random against a model.

use super::*;
use package::LessonId;
use package::resource::{Resource, ResourceDescription, ResourceFile};
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use signing::SigningKey;
use std::time::{Duration, SystemTime};

on_both! {
    a_lesson_goes_back_and_forth_and_comes_back_when_deleted;
    what_nobody_needs_goes_when_it_is_old;
    who_publishes_and_who_removes_take_turns;
    a_signature_lies_beside_the_manifest;
    a_package_is_read_back;
    units_of_unfinished_lessons_go_when_they_are_old;
    files_that_no_resource_lists_go_when_they_are_old;
    any_sequence_of_changes_leaves_what_lessons_need;
}

const DAY: Duration = Duration::from_secs(24 * 60 * 60);
const GRACE: Duration = Duration::from_secs(7 * 24 * 60 * 60);

#[expect(clippy::disallowed_methods, reason = "stamps of the store are real ones")]
fn in_days(days: u32) -> SystemTime {
    SystemTime::now() + DAY * days
}

async fn collected(store: &Store, now: SystemTime) -> (Left, Vec<Removed>) {
    let mut removed = Vec::new();
    let how = Collect { grace: GRACE, dry_run: false, now };
    let left = collect(store, &how, &mut |thing| removed.push(thing)).await.unwrap();
    (left, removed)
}

fn kinds(removed: &[Removed], kind: Kind) -> usize {
    removed.iter().filter(|thing| thing.kind == kind).count()
}

async fn titles(store: &Store) -> Vec<String> {
    listed(store).await.lessons().map(|lesson| lesson.title.clone()).collect()
}

async fn a_lesson_goes_back_and_forth_and_comes_back_when_deleted(site: Site) {
    let store = site.new_store().await;
    let maths: LessonId = "maths".parse().unwrap();
    let (old, new) = (made("old"), made("new"));
    assert_eq!(roll_back(&store, &maths, None).await.unwrap_err().code(), "LESSON_MISSING");
    assert_eq!(delete(&store, &maths).await.unwrap_err().code(), "LESSON_MISSING");
    publish_as(&store, &old, "maths", "数学").await.unwrap();
    assert_eq!(roll_back(&store, &maths, None).await.unwrap_err().code(), "LESSON_NO_EARLIER");
    publish_as(&store, &new, "maths", "数学").await.unwrap();

    let (old, new) = (old.sealed.id(), new.sealed.id());
    for (from, to) in [(new, old), (old, new), (new, old)] {
        let done = roll_back(&store, &maths, None).await.unwrap();
        assert_eq!(done, RolledBack { from: Some(from), to });
        assert_eq!(seen(&store, "maths").await, Some(to));
        assert!(listed(&store).await.lesson(&maths).is_some());
    }
    let never = made("never").sealed.id();
    assert_eq!(roll_back(&store, &maths, Some(never)).await.unwrap_err().code(), "LESSON_NEVER_WAS");
    roll_back(&store, &maths, Some(new)).await.unwrap();

    delete(&store, &maths).await.unwrap();
    assert_eq!(seen(&store, "maths").await, None);
    assert!(titles(&store).await.is_empty());
    delete(&store, &maths).await.unwrap();
    let back = roll_back(&store, &maths, None).await.unwrap();
    assert_eq!(back, RolledBack { from: None, to: new });
    assert_eq!(titles(&store).await, ["数学"]);
    assert_eq!(seen(&store, "maths").await, Some(new));
}

async fn what_nobody_needs_goes_when_it_is_old(site: Site) {
    let store = site.new_store().await;
    let (old, new, half) = (made("old"), made("new"), made("half"));
    publish_as(&store, &old, "maths", "旧").await.unwrap();
    publish_as(&store, &new, "maths", "新").await.unwrap();
    publish_as(&store, &old, "physics", "物理").await.unwrap();
    publish_until(&store, &half, "art", "美术", 3).await.unwrap_err();

    let (left, removed) = collected(&store, in_days(6)).await;
    assert_eq!((left, removed.len()), (Left { needed: 2, young: 1, busy: 0 }, 0), "{removed:?}");
    let how = Collect { grace: GRACE, dry_run: true, now: in_days(8) };
    let mut would = Vec::new();
    collect(&store, &how, &mut |thing| would.push(thing)).await.unwrap();
    let (left, removed) = collected(&store, in_days(8)).await;
    assert_eq!(would, removed, "a dry run says what is done");
    assert_eq!(left, Left { needed: 2, young: 0, busy: 0 });
    // The upload that never ended, and the catalogues before the last.
    assert_eq!(kinds(&removed, Kind::Package), 1);
    assert!(kinds(&removed, Kind::Shard) >= 1);
    assert_eq!(store.packages().await.unwrap().len(), 2);
    assert_eq!(seen(&store, "maths").await, Some(new.sealed.id()));
    assert_eq!(seen(&store, "physics").await, Some(old.sealed.id()));
    assert_eq!(listed(&store).await.lessons().count(), 2);

    delete(&store, &"physics".parse().unwrap()).await.unwrap();
    let (left, _) = collected(&store, in_days(6)).await;
    assert_eq!(left, Left { needed: 2, young: 0, busy: 0 }, "a deleted lesson can be brought back");
    let (_, removed) = collected(&store, in_days(8)).await;
    assert_eq!(kinds(&removed, Kind::Package), 1);
    assert_eq!(kinds(&removed, Kind::History), 1);
    // The record named the old package or the new one, whichever was published last under that key.
    assert_eq!(kinds(&removed, Kind::Record), 1);
    assert!(store.list(Some(&old.sealed.id().folder())).try_collect::<Vec<_>>().await.unwrap().is_empty());
    assert_eq!(seen(&store, "maths").await, Some(new.sealed.id()));
    let error = roll_back(&store, &"maths".parse().unwrap(), None).await.unwrap_err();
    assert_eq!(error.code(), "PACKAGE_MISSING");
    // And again from the start: nothing stands in the way.
    publish_as(&store, &old, "physics", "物理").await.unwrap();
    assert_eq!(seen(&store, "physics").await, Some(old.sealed.id()));
}

async fn who_publishes_and_who_removes_take_turns(site: Site) {
    let store = site.new_store().await;
    let unneeded = made("unneeded");
    publish_until(&store, &unneeded, "maths", "数学", unneeded.objects.len() + 1).await.unwrap_err();
    let id = unneeded.sealed.id();
    // Somebody is at it, or was since we began to look who needs what.
    assert!(store.begin_removing(id, in_days(0)).await.unwrap().is_none());
    let publishing = store.begin_publishing(id).await.unwrap();
    if store.directory().is_some() {
        assert!(store.begin_removing(id, in_days(8)).await.unwrap().is_none());
    }
    drop(publishing);
    let removing = store.begin_removing(id, in_days(8)).await.unwrap().unwrap();
    // A second remover waits its turn as well. It took the other's word in a bucket for its own once, and took it away.
    let soon = in_days(0) + std::time::Duration::from_secs(30 * 60);
    assert!(store.begin_removing(id, soon).await.unwrap().is_none());
    let waits = tokio::spawn({
        let store = store.clone();
        async move { publish_as(&store, &made("unneeded"), "maths", "数学").await }
    });
    tokio::task::yield_now().await;
    store.remove_folder(&id.folder()).await.unwrap();
    removing.end(&store).await.unwrap();
    waits.await.unwrap().unwrap();
    assert_eq!(seen(&store, "maths").await, Some(id));
    let (left, _) = collected(&store, in_days(8)).await;
    assert_eq!(left, Left { needed: 1, young: 0, busy: 0 });
}

async fn a_signature_lies_beside_the_manifest(site: Site) {
    let store = site.new_store().await;
    let made = made("a");
    let (one, two) = (SigningKey::generate().unwrap(), SigningKey::generate().unwrap());
    let lesson = lesson("maths", &made, "数学");
    let signature = Some(one.sign(made.sealed.bytes()));
    let publication = Publication { package: &made.sealed, lesson: &lesson, ingest: None, signature };
    publish(&store, publication, &made, |_| ControlFlow::Continue(())).await.unwrap();
    let id = made.sealed.id();
    assert!(sign(&store, id, two.sign(made.sealed.bytes())).await.unwrap());
    assert!(!sign(&store, id, two.sign(made.sealed.bytes())).await.unwrap());
    let found = signatures(&store, id).await.unwrap();
    let signers: Vec<_> = found.iter().map(|signature| signature.key_id).collect();
    assert_eq!(signers, [one.id(), two.id()]);
    for (key, signature) in [&one, &two].iter().zip(found.iter()) {
        assert!(key.public().verifies(made.sealed.bytes(), signature));
    }
    assert_eq!(seen(&store, "maths").await, Some(id), "a signature does not change the name");
    // What is no paper of signatures is none, and is replaced.
    store.put(&id.signatures(), Bytes::from_static(b"{")).await.unwrap();
    assert!(signatures(&store, id).await.unwrap().is_empty());
    assert!(sign(&store, id, one.sign(made.sealed.bytes())).await.unwrap());
}

async fn a_package_is_read_back(site: Site) {
    let store = site.new_store().await;
    let made = made("a");
    publish_as(&store, &made, "maths", "数学").await.unwrap();
    let id = made.sealed.id();
    let mut bytes = 0;
    let verified = verify(&store, id, |read| bytes += read).await.unwrap();
    assert!(verified.problems.is_empty(), "{:?}", verified.problems);
    assert_eq!(verified.objects, made.objects.len());
    assert_eq!((verified.bytes, bytes), (made.sealed.manifest().total_bytes(), verified.bytes));

    let object = |path: &str| id.object(&ObjectPath::parse(path).unwrap());
    let altered = object("s1/00000.m4s");
    let whole = store.get(&altered, 1 << 20).await.unwrap().unwrap().bytes;
    store.put(&altered, Bytes::from(vec![0; whole.len()])).await.unwrap();
    store.put(&object("s1/00001.m4s"), Bytes::from_static(b"short")).await.unwrap();
    store.delete(&object("s1/init.mp4")).await.unwrap();
    store.put(&object("s1/stray.m4s"), Bytes::from_static(b"x")).await.unwrap();
    let verified = verify(&store, id, |_| {}).await.unwrap();
    let problems: Vec<_> = verified.problems.iter().map(ToString::to_string).collect();
    assert_eq!(problems.len(), 4, "{problems:?}");
    for said in [
        "s1/00000.m4s is not what the manifest says",
        "s1/00001.m4s has 5 bytes instead of",
        "s1/init.mp4 is missing",
        "s1/stray.m4s is not in the manifest",
    ] {
        assert!(problems.iter().any(|problem| problem.contains(said)), "{said}: {problems:?}");
    }
    store.delete(&id.manifest()).await.unwrap();
    let verified = verify(&store, id, |_| {}).await.unwrap();
    assert!(matches!(verified.problems[..], [Problem::NotWhole(NotWhole::NoManifest)]));
}

async fn units_of_unfinished_lessons_go_when_they_are_old(site: Site) {
    let store = site.new_store().await;
    let unit = StorePath::parse("work/0123456789abcdef0123456789abcdef01234567/o/s1/00000.m4s").unwrap();
    store.put_immutable(&unit, Bytes::from_static(b"a segment")).await.unwrap();
    let (_, removed) = collected(&store, in_days(6)).await;
    assert_eq!(removed, []);
    let now = in_days(0) + DAY / 2;
    let impatient = Collect { grace: Duration::ZERO, dry_run: false, now };
    collect(&store, &impatient, &mut |thing| panic!("{thing:?}")).await.unwrap();
    let (_, removed) = collected(&store, in_days(8)).await;
    assert_eq!(kinds(&removed, Kind::Work), 1);
    assert_eq!(store.head(&unit).await.unwrap(), None);
}

#[derive(Debug, Clone)]
enum Action {
    /// Lesson, package, and after how many words of progress the publisher is killed.
    Publish(usize, usize, usize),
    RollBack(usize),
    Delete(usize),
    /// Within the grace period of all that was done so far, or after it.
    Collect(bool),
}

const LESSONS: usize = 3;
const PACKAGES: usize = 3;
/// More words of progress than a publisher of ours says.
const TO_THE_END: usize = 64;

async fn files_that_no_resource_lists_go_when_they_are_old(site: Site) {
    let store = site.new_store().await;
    let about = |title: &str| {
        let text = format!("title = \"{title}\"\nkind = \"textbook\"\nprovider = \"a\"\nlicence = \"b\"\n");
        ResourceDescription::parse(&text, "a.toml".as_ref()).unwrap()
    };
    let publish = async |bytes: &'static [u8]| {
        let file = ResourceFile::of("a.pdf", bytes).unwrap();
        let resource = Resource::new("maths".parse().unwrap(), about("数学"), vec![file.clone()]).unwrap();
        publish_resource(&store, &resource, [(file.path.clone(), bytes.into())]).await.unwrap();
        file.path
    };
    let old = publish(b"%PDF-old").await;
    let new = publish(b"%PDF-new").await;
    let is_there = async |path| store.get(path, 100).await.unwrap().is_some();
    let (_, removed) = collected(&store, in_days(6)).await;
    assert_eq!(kinds(&removed, Kind::Resource), 0, "somebody may be fetching it");
    let (_, removed) = collected(&store, in_days(8)).await;
    assert_eq!(kinds(&removed, Kind::Resource), 1);
    assert!(!is_there(&old).await && is_there(&new).await);
    // Listed again, it is there again; and it is young.
    assert_eq!(publish(b"%PDF-old").await, old);
    assert!(is_there(&old).await);
    remove_resource(&store, &"maths".parse().unwrap()).await.unwrap();
    let (_, removed) = collected(&store, in_days(8)).await;
    assert_eq!(kinds(&removed, Kind::Resource), 2);
}

fn action() -> impl Strategy<Value = Action> {
    let told = prop_oneof![3 => Just(TO_THE_END), 1 => 1..16_usize];
    prop_oneof![
        5 => (0..LESSONS, 0..PACKAGES, told).prop_map(|(lesson, package, told)| Action::Publish(lesson, package, told)),
        2 => (0..LESSONS).prop_map(Action::RollBack),
        2 => (0..LESSONS).prop_map(Action::Delete),
        2 => any::<bool>().prop_map(Action::Collect),
    ]
}

/// What a student must see of each lesson.
#[derive(Default)]
struct Model {
    visible: [Option<PackageId>; LESSONS],
}

async fn any_sequence_of_changes_leaves_what_lessons_need(site: Site) {
    // The bucket is a process over a socket: fewer, to end in the same time.
    let cases = if site.server.is_some() { 6 } else { 48 };
    let config = ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() };
    let runtime = tokio::runtime::Handle::current();
    let packages: Vec<Made> = (0..PACKAGES).map(|number| made(&number.to_string())).collect();
    let run = || {
        TestRunner::new(config).run(&prop::collection::vec(action(), 1..14), |actions| {
            runtime.block_on(async {
                let store = site.new_store().await;
                let mut model = Model::default();
                for action in &actions {
                    act(&store, &packages, &mut model, action).await;
                    for (lesson, visible) in model.visible.iter().enumerate() {
                        // `seen` reads every object of it.
                        assert_eq!(
                            seen(&store, &format!("l{lesson}")).await,
                            *visible,
                            "{action:?} of {actions:?}"
                        );
                    }
                    let listed = listed(&store).await;
                    for lesson in listed.lessons() {
                        let number: usize = lesson.lesson.as_str()[1..].parse().unwrap();
                        assert!(model.visible[number].is_some(), "{action:?} of {actions:?}");
                    }
                }
            });
            Ok(())
        })
    };
    tokio::task::block_in_place(run).unwrap();
}

async fn act(store: &Store, packages: &[Made], model: &mut Model, action: &Action) {
    match *action {
        Action::Publish(lesson, number, told) => {
            let made = &packages[number];
            let ended = publish_until(store, made, &format!("l{lesson}"), "t", told).await;
            // Killed behind the pointer, it is visible all the same.
            let swapped = told >= made.objects.len() + 4;
            if ended.is_ok() || swapped {
                model.visible[lesson] = Some(made.sealed.id());
            }
            if ended.is_err() && swapped {
                publish_until(store, made, &format!("l{lesson}"), "t", TO_THE_END).await.unwrap();
            }
        }
        Action::RollBack(lesson) => {
            match roll_back(store, &format!("l{lesson}").parse().unwrap(), None).await {
                Ok(done) => {
                    assert_eq!(done.from, model.visible[lesson]);
                    model.visible[lesson] = Some(done.to);
                }
                Err(error) => {
                    let codes =
                        ["LESSON_MISSING", "LESSON_NO_EARLIER", "LESSON_UNDESCRIBED", "PACKAGE_MISSING"];
                    assert!(codes.contains(&error.code()), "{error}");
                }
            }
        }
        Action::Delete(lesson) => match delete(store, &format!("l{lesson}").parse().unwrap()).await {
            Ok(()) => model.visible[lesson] = None,
            Err(error) => {
                assert_eq!(error.code(), "LESSON_MISSING");
                assert_eq!(model.visible[lesson], None);
            }
        },
        Action::Collect(is_late) => {
            let (_, removed) = collected(store, in_days(if is_late { 8 } else { 6 })).await;
            let packages = kinds(&removed, Kind::Package);
            assert!(is_late || packages == 0, "{removed:?}");
            let there = store.packages().await.unwrap();
            for visible in model.visible.iter().flatten() {
                assert!(there.contains(visible));
            }
        }
    }
}
