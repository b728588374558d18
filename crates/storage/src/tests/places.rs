//! Stores that are not there, cannot be written, or are not what they were.

use super::*;

#[tokio::test]
async fn a_store_that_cannot_be_written_says_so() {
    // A file where the folder should be stops even root.
    let (folder, store) = directory_store();
    fs::write(folder.path().join("p"), b"in the way").unwrap();
    let error = publish_as(&store, &made("a"), "maths", "t").await.unwrap_err();
    assert_eq!(error.code(), "STORE_NOT_WRITABLE");
    assert_eq!(error.blame(), faults::Blame::Input);

    let below_a_file = folder.path().join("p/store");
    assert_eq!(Store::create(below_a_file.to_str().unwrap()).await.unwrap_err().code(), "STORE_NOT_WRITABLE");
    // The kernel lets nobody make files there.
    assert_eq!(
        Store::open("/proc").unwrap().check_writable().await.unwrap_err().code(),
        "STORE_NOT_WRITABLE"
    );
}

/// Who publishes by hand from a hardened shell (umask 027 or 077) had lessons and lists that no origin of another user could
/// read: 503 for all students, also for what had been published before.
#[tokio::test]
async fn what_is_published_is_as_readable_as_the_stores_folder() {
    use std::os::unix::fs::PermissionsExt;
    let private = rustix::fs::Mode::RWXG | rustix::fs::Mode::RWXO;
    for (folder_mode, file_mode) in [(0o755, 0o644), (0o750, 0o640), (0o700, 0o600)] {
        let folder = tempfile::tempdir().unwrap();
        let mode = fs::Permissions::from_mode(folder_mode);
        fs::set_permissions(folder.path(), mode).unwrap();
        rustix::process::umask(private);
        let store = Store::create(folder.path().to_str().unwrap()).await.unwrap();
        publish_as(&store, &made("a"), "maths", "t").await.unwrap();
        let mode_of =
            |path: &str| fs::metadata(folder.path().join(path)).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode_of("lessons/maths"), folder_mode);
        assert_eq!(mode_of("lessons/maths/main.m3u8"), file_mode);
        assert_eq!(mode_of(version_path().as_str()), file_mode);
    }
}

#[tokio::test]
async fn a_store_whose_folder_lists_and_whose_lists_cannot_be_opened_is_not_well() {
    let (folder, store) = directory_store();
    store.check_readable().await.unwrap();
    // A link to itself: what even root cannot open.
    let version = folder.path().join(version_path().as_str());
    fs::create_dir_all(version.parent().unwrap()).unwrap();
    std::os::unix::fs::symlink(&version, &version).unwrap();
    let error = store.check_readable().await.unwrap_err();
    assert!(error.to_string().contains("catalogue/version.json: "), "{error}");
}

#[test]
fn what_this_user_may_not_see_says_so_once_and_what_to_do() {
    let denied = || io::Error::from(io::ErrorKind::PermissionDenied);
    let object = StoreError::unreadable(&StorePath::parse("lessons/a/main.m3u8").unwrap(), denied());
    let store = StoreError::NotThere { store: "/srv/store".into(), source: denied() };
    for error in [object, store] {
        let said = error.to_string();
        assert_eq!(said.matches("ermission denied").count(), 1, "{said}");
        assert!(said.contains("readable for this user (chmod -R a+rX)"), "{said}");
    }
}

#[tokio::test]
async fn a_store_is_made_only_when_asked() {
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("a/b");
    let address = missing.to_str().unwrap();
    assert_eq!(Store::open(address).unwrap_err().code(), "STORE_NOT_THERE");
    assert!(!missing.exists());
    let store = Store::create(address).await.unwrap();
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

fn s3(server: &S3Server, builder: AmazonS3Builder, name: &str) -> Bucket {
    let address = format!("s3://{name}");
    Bucket::configured(builder.with_endpoint(&server.endpoint), &address, name, &Key::from("")).unwrap()
}

#[tokio::test]
async fn a_server_that_passes_over_conditions_is_no_store() {
    let folder = tempfile::tempdir().unwrap();
    let server = S3Server::without_conditions(folder.path());
    server.make_bucket("lessons");
    let bucket = s3(&server, AmazonS3Builder::new().with_skip_signature(true), "lessons");
    let error = bucket.create().await.unwrap_err();
    assert_eq!(error.code(), "STORE_NO_CONDITIONAL_PUT");
    assert!(error.to_string().contains("ignores conditions"), "{error}");
}

#[tokio::test]
async fn a_lost_bucket_is_an_error_and_never_an_answer() {
    let folder = tempfile::tempdir().unwrap();
    let mut server = S3Server::start(folder.path());
    server.make_bucket("lessons");
    let store = |bucket: Bucket| Store { place: Place::Bucket(bucket) };
    let path = StorePath::parse("lessons/a/main.m3u8").unwrap();

    // Nobody has published there: it may be the wrong one.
    let empty = store(bucket(&server, "lessons", ""));
    assert_eq!(empty.check_readable().await.unwrap_err().code(), "STORE_NOT_THERE");
    assert_eq!(empty.read(&path).await.unwrap_err().code(), "STORE_NOT_THERE");
    bucket(&server, "lessons", "").create().await.unwrap();
    bucket(&server, "lessons", "").create().await.unwrap();
    empty.check_readable().await.unwrap();
    assert!(empty.read(&path).await.unwrap().is_none());

    let wrong = store(bucket(&server, "lesons", ""));
    let stranger = builder(&server).with_secret_access_key("another");
    let stranger = store(s3(&server, stranger, "lessons"));
    let elsewhere = store(bucket(&server, "lessons", "south"));
    for (what, lost) in [("name", &wrong), ("key", &stranger), ("prefix", &elsewhere)] {
        assert_eq!(lost.check_readable().await.unwrap_err().code(), "STORE_NOT_THERE", "{what}");
        assert_eq!(lost.head(&path).await.unwrap_err().code(), "STORE_NOT_THERE", "{what}");
        assert_eq!(lost.get(&path, 9).await.unwrap_err().code(), "STORE_NOT_THERE", "{what}");
        assert_eq!(lost.read_range(&path, 0..1).await.unwrap_err().code(), "STORE_NOT_THERE", "{what}");
    }
    assert_eq!(stranger.check_writable().await.unwrap_err().code(), "STORE_NOT_WRITABLE");
    server.kill();
    let error = empty.get(&path, 9).await.unwrap_err();
    assert_eq!(error.code(), "STORE_NOT_THERE");
    assert!(error.to_string().contains("efused"), "{error}");
}

#[test]
fn settings_that_contradict_themselves_are_refused() {
    let new = AmazonS3Builder::new;
    for (builder, said) in [
        (new().with_endpoint("127.0.0.1:9000"), "no http:// or https:// URL"),
        (new().with_endpoint("http://127.0.0.1:9000"), "are not set"),
        (new().with_access_key_id("a"), "AWS_SECRET_ACCESS_KEY is not"),
        (new().with_secret_access_key("a"), "AWS_ACCESS_KEY_ID is not"),
    ] {
        let error = Bucket::configured(builder, "s3://lessons", "lessons", &Key::from("")).unwrap_err();
        assert_eq!(error.code(), "STORE_SETTINGS");
        assert!(error.to_string().contains(said), "{error}");
    }
}
