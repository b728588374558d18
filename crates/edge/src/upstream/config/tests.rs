use super::*;

fn upstreams(text: &str) -> Result<Upstreams, String> {
    #[derive(serde::Deserialize)]
    struct File {
        #[serde(default)]
        upstream: Vec<String>,
        #[serde(default)]
        group: Vec<GroupOptions>,
    }
    let file: File =
        settings::parse(text, std::path::Path::new("edge.toml")).map_err(|error| error.to_string())?;
    Upstreams::resolve(&file.upstream, &file.group).map_err(|error| error.to_string())
}

#[test]
fn a_list_of_urls_is_one_tier() {
    let upstreams = upstreams("upstream = [\"http://a\", \"http://b:81\"]").unwrap();
    assert_eq!(upstreams.names(), "default: a b:81");
    assert_eq!(upstreams.groups[0].tiers.len(), 1);
}

#[test]
fn a_group_says_where_and_the_rest_has_defaults() {
    let upstreams = upstreams(
        "upstream = [\"http://rest\"]
        [[group]]
        name = \"lessons\"
        hosts = [\"lessons.example\"]
        tiers = [[\"http://p1\", { url = \"http://p2\", weight = 2, name = \"second\" }], [\"http://origin\"]]
        peers = [\"http://neighbour\"]
        [[group]]
        name = \"live\"
        paths = [\"/live/\"]
        tiers = [[\"http://live\"]]
        retry_percent = 0
        hedge = false
        health_path = \"/healthz\"",
    )
    .unwrap();
    assert_eq!(upstreams.names(), "lessons: p1 second origin; live: live; default: rest");
    let [lessons, live, rest] = &upstreams.groups[..] else { panic!("three groups") };
    assert!(matches!(lessons.host, HostHeader::Client) && matches!(live.host, HostHeader::Upstream));
    assert!(matches!(rest.host, HostHeader::Upstream));
    assert_eq!((lessons.tiers[0][1].weight, lessons.retry_percent, lessons.hedge), (2, 20, true));
    assert_eq!((live.retry_percent, live.hedge, live.check.is_some()), (0, false, true));
}

#[test]
fn what_cannot_be_is_named_with_its_key_and_group() {
    let group = |more: &str| format!("[[group]]\nname = \"g\"\ntiers = [[\"http://a\"]]\n{more}");
    let tiers = |tiers: &str| format!("[[group]]\nname = \"g\"\ntiers = {tiers}");
    for (text, key, says) in [
        (String::new(), "upstream", "is missing"),
        ("upstream = [\"ftp://a\"]".into(), "upstream", "ftp://a"),
        ("upstream = [\"http://a\", \"http://a:80\"]".into(), "upstream", "twice"),
        ("[[group]]\nname = \"a b\"\ntiers = [[\"http://a\"]]".into(), "group.name", "a b"),
        (format!("{}{}", group("paths = [\"/x\"]\n"), group("paths = [\"/y\"]\n")), "group.name", "twice"),
        (tiers("[]"), "group.tiers", "\"g\""),
        (tiers("[[]]"), "group.tiers", "\"g\""),
        (tiers("[[\"http://a\"], [\"http://a\"]]"), "group.tiers", "twice"),
        (tiers("[[{ url = \"http://a\", weight = 0 }]]"), "group.tiers", "weight 0"),
        (tiers("[[{ url = \"http://a/b\" }]]"), "group.tiers", "path"),
        (group("hosts = [\"a:80\"]"), "group.hosts", "a:80"),
        (group("paths = [\"live\"]"), "group.paths", "live"),
        (group("host_header = \"a b\""), "group.host_header", "a b"),
        (group("health_interval = \"5s\""), "group.health_interval", "health_path"),
        (group("health_path = \"healthz\""), "group.health_path", "healthz"),
        (group("health_path = \"/h\"\nhealth_interval = \"1ms\""), "group.health_interval", "100ms"),
        (group("retry_percent = 101"), "group.retry_percent", "100"),
        (group("ca = \"/nowhere\""), "group.ca", "https"),
        (format!("{}\nca = \"/nowhere/ca.pem\"", tiers("[[\"https://a\"]]")), "group.ca", "/nowhere/ca.pem"),
        (format!("{}\ncert = \"/nowhere/c.pem\"", tiers("[[\"https://a\"]]")), "group.cert", "both"),
        (format!("{}\nserver_name = \"a b\"", tiers("[[\"https://a\"]]")), "group.server_name", "a b"),
    ] {
        let error = upstreams(&text).unwrap_err();
        assert!(error.starts_with(&format!("`{key}` ")) && error.contains(says), "{text}\n{error}");
    }
    for text in [tiers("[[1]]"), tiers("[[{ uri = \"http://a\" }]]"), group("hedging = true")] {
        assert!(upstreams(&text).unwrap_err().starts_with("edge.toml:"), "{text}");
    }
    let clash = format!("{}\n[[group]]\nname = \"h\"\ntiers = [[\"http://a\"]]", group(""));
    assert!(upstreams(&clash).unwrap_err().contains("\"g\" and of \"h\""));
}

#[test]
fn the_example_in_the_shipped_file_is_one() {
    let shipped = include_str!("../../../../../config/edge.toml");
    let (_, example) = shipped.split_once("# [[group]]\n").unwrap();
    // Keys stand behind one `#`; sentences begin with a capital letter or go on in the middle of one.
    let is_key = |line: &&str| {
        line.split_once(" = ")
            .is_some_and(|(key, _)| key.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'))
    };
    let lines = example.lines().filter_map(|line| line.strip_prefix("# "));
    let keys =
        lines.filter(|line| is_key(line) || line.starts_with("  [") || ["]", "[group.cache]"].contains(line));
    // Files that are not on every machine.
    let here =
        keys.filter(|line| !["ca ", "cert ", "key ", "server_name "].iter().any(|key| line.starts_with(key)));
    let text = format!("[[group]]\n{}", here.collect::<Vec<_>>().join("\n").replace("https:", "http:"));
    assert_eq!(
        upstreams(&text).unwrap().names(),
        "lessons: parent-1.example parent-2 origin.example",
        "{text}"
    );
}
