//! Borders of datagrams, and the shipped configuration.

use crate::library::{self, Library};
use crate::line::{Place, Plans};
use crate::maker::{Maker, Tempo};
use crate::metrics::Metrics;
use crate::pace::Time;
use crate::sender::Cut;
use crate::{Config, Options};
use bytes::Bytes;
use multiplex::{Multiplexer, Rate, Service, slate};
use package::Slot;
use signing::Trust;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::sync_channel;
use std::time::Duration;
use telemetry::Telemetry;
use tokio::time::Instant;

const SHIPPED: &str = include_str!("../../../config/feed.toml");

#[test]
fn datagrams_of_two_senders_have_the_same_borders() {
    let rate = Rate::nearest(1_000_000).unwrap();
    let packets = rate.packets() as usize;
    assert_ne!(packets % 7, 0);
    let period = |number: u64| -> Bytes {
        (0..packets)
            .flat_map(|place| [number as u8, (place % 251) as u8].repeat(94))
            .collect::<Vec<_>>()
            .into()
    };
    let (mut early, mut late) = (Cut::new(rate), Cut::new(rate));
    let mut whole = Vec::new();
    for number in 100..110 {
        let datagrams = early.period(number, &period(number));
        for datagram in &datagrams {
            assert_eq!(datagram.bytes.len(), 7 * 188);
            assert_eq!((number * packets as u64 + u64::from(datagram.place) + 1) % 7, 0);
            whole.extend_from_slice(&datagram.bytes);
        }
        // The other one starts later, and misses a period.
        if number >= 103 && number != 106 {
            let others = late.period(number, &period(number));
            let same = datagrams.len() - others.len();
            assert!(same <= 1 && (same == 0 || number == 103 || number == 107));
            assert_eq!(others, datagrams[same..]);
        }
    }
    let all: Vec<u8> = (100..110).flat_map(|number| period(number).to_vec()).collect();
    let skipped = all.len() - all.len() / 188 * 188;
    assert_eq!(skipped, 0);
    let from = all.windows(whole.len()).step_by(188).position(|part| part == whole);
    assert!(from.is_some_and(|packets| packets < 7));
}

/// By the wall clock nothing was made for an hour where that was set back by one, or what is on an hour later; and it was sent by a time
/// of its own, too late or an hour later.
#[test]
fn a_wall_clock_that_is_set_takes_nothing_off_the_air() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().display().to_string();
    let rate = Rate::nearest(1_000_000).unwrap();
    let wall = Duration::from_secs(1_788_226_290);
    let hour = Duration::from_secs(3_600);
    for set_to in [wall + hour, wall - hour] {
        let open = || library::open(&place, None, None).unwrap();
        let telemetry = Telemetry::new("test");
        let service = Service {
            transport_stream: 1,
            network: 1,
            service: 1,
            name: "x".into(),
            provider: "x".into(),
            language: *b"chi",
            country: *b"CHN",
            utc_offset_minutes: 480,
        };
        let time = Time::new(Instant::now(), wall);
        let maker = Maker {
            time: time.clone(),
            plans: Plans::new(
                Place::parse(&place).unwrap(),
                Trust::parse("", Path::new("keys.toml")).unwrap(),
                "junior".parse().unwrap(),
                Slot::S0,
                rate,
            ),
            papers: open().0,
            library: Library::new(open()),
            multiplexer: Multiplexer::new(rate, service, 2),
            slate: Arc::new(slate(256, 144)),
            behind: 2,
            metrics: Metrics::register(&telemetry),
            telemetry,
        };
        // As the sender does with each period.
        time.correct(Instant::now(), set_to);
        let first = u64::try_from(wall.as_millis()).unwrap() / grid::SEGMENT_MS + 1;
        let (_stop, stopped) = sync_channel(1);
        let mut made = Vec::new();
        maker.run(first, &Tempo::Live(stopped), |period| {
            made.push(period.number);
            false
        });
        assert_eq!(made, [first]);
    }
}

#[test]
fn the_shipped_file_says_every_default() {
    let shipped: Options = settings::parse(SHIPPED, Path::new("config/feed.toml")).unwrap();
    // Keys that have no default are commented out in it.
    let said: Vec<&str> = SHIPPED.lines().map(|line| line.trim_start_matches(['#', ' '])).collect();
    for key in [
        "channel",
        "plan",
        "plan_token",
        "keys",
        "from",
        "cacert",
        "to",
        "passphrase",
        "rate",
        "rung",
        "delay",
        "name",
        "provider",
        "service_id",
        "transport_stream_id",
        "network_id",
        "language",
        "country",
        "admin",
        "log",
        "log_format",
    ] {
        assert!(said.iter().any(|line| line.starts_with(&format!("{key} = "))), "{key}");
    }
    let error = Config::resolve(&Options { keys: None, ..shipped }).unwrap_err();
    assert!(error.to_string().contains("`keys` is missing"), "{error}");
}
