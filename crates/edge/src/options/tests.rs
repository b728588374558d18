use super::*;

fn with_upstream(url: &str) -> Options {
    Options { upstream: Some(vec![url.to_owned()]), ..Options::default() }
}

#[test]
fn an_upstream_is_all_it_takes() {
    let config = Config::resolve(&with_upstream("http://127.0.0.1:8090")).unwrap();
    assert_eq!(config.serve.listeners, [serve::Listener::plain(LISTEN, false)]);
    assert_eq!(config.ram, half_of_memory(None).map_or(RAM, |half| half.min(RAM)));
}

/// In a container of 512 MiB it was 1 GiB: the kernel ended the process before the cache was full.
#[test]
fn the_ram_tier_leaves_as_much_as_it_takes() {
    let ram_of = |ram: Option<u64>, cap| {
        let memory_cap = Some(ByteCount::mib(cap));
        let options = Options { ram: ram.map(ByteCount::mib), memory_cap, ..with_upstream("http://a") };
        Config::resolve(&options).map(|config| config.ram)
    };
    for (given, cap, expected) in [
        (None, 8_192, RAM),
        (None, 2_048, RAM),
        (None, 460, ByteCount::mib(230)),
        (None, 230, ByteCount::mib(115)),
        (Some(300), 460, ByteCount::mib(300)),
    ] {
        assert_eq!(ram_of(given, cap).unwrap(), expected, "{given:?} of {cap}");
    }
    // The least is not enough for an edge.
    assert!(ram_of(None, 20).unwrap_err().to_string().contains("`memory_cap` is 20"));
}

#[test]
fn disks_have_a_size_each_or_one_for_all() {
    let with = |disks: &[&str], sizes: &[u64]| {
        let disk = Some(disks.iter().map(PathBuf::from).collect());
        let disk_size = Some(sizes.iter().map(|&gib| ByteCount(gib << 30)).collect());
        Config::resolve(&Options { disk, disk_size, ..with_upstream("http://a") })
    };
    let sizes = |disks: &[&str], sizes: &[u64]| -> Vec<u64> {
        with(disks, sizes).unwrap().disks.iter().map(|disk| disk.size >> 30).collect()
    };
    assert_eq!(sizes(&["/a", "/b"], &[1]), [1, 1]);
    assert_eq!(sizes(&["/a", "/b"], &[1, 2]), [1, 2]);
    for (disks, given, key) in [
        (&["/a"][..], &[][..], "disk_size"),
        (&["/a", "/b", "/c"], &[1, 2], "disk_size"),
        (&[], &[1], "disk_size"),
        (&["/a"], &[0], "disk_size"),
        (&["/a", "/a"], &[1], "disk"),
    ] {
        let error = with(disks, given).unwrap_err().to_string();
        assert!(error.contains(&format!("`{key}`")), "{error}");
    }
}

#[test]
fn keys_of_orders_can_be_read_again() {
    // With a relative path the sandbox did not let them be read again.
    let here = std::env::current_dir().unwrap();
    let folder = tempfile::tempdir_in(&here).unwrap();
    let path = folder.path().join("keys.toml");
    let key = signing::SigningKey::generate().unwrap();
    let text = format!("[[key]]\nid = \"{}\"\npublic = \"{}\"\n", key.id(), key.public());
    std::fs::write(&path, text).unwrap();
    let keys = Some(path.strip_prefix(&here).unwrap().to_owned());
    let purge = PurgeOptions { keys, ..PurgeOptions::default() };
    let options = Options { purge, ..with_upstream("http://a") };
    assert!(Config::resolve(&options).unwrap().serve.sandbox.reads.contains(&path));
}

#[test]
fn what_cannot_be_is_named() {
    for (options, key) in [
        (Options::default(), "upstream"),
        (with_upstream("ftp://a"), "upstream"),
        (with_upstream("127.0.0.1:8090"), "upstream"),
        (Options { ram: Some(ByteCount::mib(1)), ..with_upstream("http://a") }, "ram"),
        (Options { name: Some("a b".into()), ..with_upstream("http://a") }, "name"),
        (Options { body_timeout: Some(Span::secs(0)), ..with_upstream("http://a") }, "body_timeout"),
        (Options { upstream_connections: Some(0), ..with_upstream("http://a") }, "upstream_connections"),
        (Options { client_burst: Some(Span::secs(0)), ..with_upstream("http://a") }, "client_burst"),
        (
            Options { client_rate: Some(2), client_rate_refused: Some(1), ..with_upstream("http://a") },
            "client_rate_refused",
        ),
    ] {
        let error = Config::resolve(&options).unwrap_err().to_string();
        assert!(error.contains(&format!("`{key}`")), "{error}");
    }
}
