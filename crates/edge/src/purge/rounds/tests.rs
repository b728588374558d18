//! Orders beside disks that are away, that come back, and that are slow. The clock goes on: disks have threads of their own.

use super::writing::WRITE_AGAIN;
use super::*;
use crate::edge::Shared;
use crate::key::CacheKey;
use crate::options::{Config, Options};
use crate::purge::{WAITING, look_on_disks};
use crate::store::{Blocks, Body, Object};
use ::purge::{Order, What};
use futures_util::FutureExt;
use http::{HeaderMap, StatusCode};
use httpcache::freshness::{Freshness, StaleUse};
use jiff::Timestamp;
use std::path::Path;
use std::pin::pin;
use telemetry::Telemetry;
use tokio::sync::{mpsc, oneshot};
use units::ByteCount;

/// More steps than two rounds of two small disks take.
const STEPS: usize = 600;

/// The disks, and the rounds on them.
fn over(disks: &[&Path]) -> (Arc<DiskTier>, Rounds) {
    let options = Options {
        upstream: Some(vec!["http://a".to_owned()]),
        disk: Some(disks.iter().map(|&disk| disk.to_owned()).collect()),
        disk_size: Some(vec![ByteCount::mib(64)]),
        ..Options::default()
    };
    let telemetry = Telemetry::new("test");
    let shared = Shared::new(Config::resolve(&options).unwrap(), &telemetry);
    let (_, settings) = watch::channel(shared.settings.clone());
    let disk = shared.disk.clone().unwrap();
    let metrics = Arc::new(PurgeMetrics::register(&telemetry));
    (Arc::clone(&disk), Rounds::new(disk, settings, metrics, TOLD_WITHIN))
}

fn key(target: &str) -> CacheKey {
    CacheKey::primary("http", "a", target)
}

fn put(disk: &DiskTier, targets: &[String]) {
    let stale = StaleUse::default();
    let freshness =
        Freshness { initial_age: Duration::ZERO, lifetime: Duration::from_secs(60), stale, immutable: false };
    for target in targets {
        let body = Body::Complete(Arc::new(Blocks::default()));
        let object = Object::new(StatusCode::OK, HeaderMap::new(), freshness, Instant::now(), body);
        disk.put(&key(target), &object);
    }
}

fn below(prefix: &str) -> Vec<String> {
    (0..40).map(|number| format!("{prefix}{number}")).collect()
}

fn holding(disk: &DiskTier, targets: &[String]) -> usize {
    targets.iter().filter(|target| disk.may_hold(&key(target))).count()
}

/// Two disks between them hold `targets`. One is there, and what is given brings the other one back.
fn one_of_two(room: &Path, targets: &[String]) -> (Arc<DiskTier>, Rounds, impl FnOnce() + use<>) {
    let [one, other, away] = ["one", "other", "away"].map(|name| room.join(name));
    std::fs::create_dir(&one).unwrap();
    std::fs::create_dir(&other).unwrap();
    let (before, _) = over(&[&one, &other]);
    put(&before, targets);
    before.close();
    assert_eq!(before.objects().iter().sum::<u64>(), targets.len() as u64);
    drop(before);
    std::fs::rename(&other, &away).unwrap();
    let (disk, rounds) = over(&[&one, &other]);
    // The threads before it may hold its lock for a moment.
    while disk.openings()[0].is_none() {
        std::thread::yield_now();
    }
    (disk, rounds, move || std::fs::rename(&away, &other).unwrap())
}

/// How many of them somebody who asks is given.
async fn giving(disk: &DiskTier, rounds: &Rounds, targets: &[String]) -> usize {
    let groups = Arc::clone(&rounds.settings.borrow().groups);
    let mut given = 0;
    for target in targets {
        given += usize::from(disk.load(&key(target), &groups).await.is_some());
    }
    given
}

/// Gives an order about everything below `prefix`, as memory does when it has carried it out.
async fn order(disk: &DiskTier, rounds: &mut Rounds, prefix: &str) -> oneshot::Receiver<Report> {
    give(disk, rounds, What::Prefix(format!("http://a{prefix}").parse().unwrap()), Vec::new()).await
}

/// The same of any order, and by these keys.
async fn give(
    disk: &DiskTier,
    rounds: &mut Rounds,
    what: What,
    keys: Vec<CacheKey>,
) -> oneshot::Receiver<Report> {
    let given = Order::new(what, Mode::Hard, None, Timestamp::UNIX_EPOCH, Duration::from_secs(60)).unwrap();
    let number = disk.order(given.what.clone(), given.mode);
    let (answer, told) = oneshot::channel();
    let asker = Asker { answer, given_at: given.made_at, began: Instant::now() };
    let standing = Some(OnDisk { number, mode: given.mode, keys });
    let done = CarriedOut { report: Report::new(given.id, given.mode), standing };
    rounds.take_on(vec![(done, asker)]).await;
    told
}

async fn steps(rounds: &mut Rounds, count: usize) {
    for _ in 0..count {
        rounds.step().await;
    }
}

/// Until every order has met everything.
async fn end(rounds: &mut Rounds) {
    while !rounds.orders.is_empty() {
        rounds.step().await;
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn while_a_disk_is_away_the_others_are_looked_through_once_and_it_when_it_is_back() {
    let room = tempfile::tempdir().unwrap();
    let (meant, rest) = (below("/meant/"), below("/rest/"));
    let (disk, mut rounds, back) = one_of_two(room.path(), &[&meant[..], &rest].concat());
    let _told = order(&disk, &mut rounds, "/meant/").await;
    steps(&mut rounds, STEPS).await;
    let looks = disk.looks();
    assert!(rounds.orders.values().all(|order| order.courses[0].is_through()));
    steps(&mut rounds, STEPS).await;
    assert_eq!(disk.looks(), looks, "nothing is looked for where a round has met nothing");
    assert!(disk.standing_orders().len() == 1 && rounds.pause() > Duration::ZERO);
    back();
    end(&mut rounds).await;
    assert_eq!((holding(&disk, &meant), holding(&disk, &rest)), (0, 40));
}

#[tokio::test]
async fn an_order_for_a_url_needs_no_round_of_the_disks_that_are_there_beside_one_that_is_away() {
    let room = tempfile::tempdir().unwrap();
    let (disk, mut rounds, back) = one_of_two(room.path(), &below("/rest/"));
    let (here, there): (Vec<_>, Vec<_>) =
        below("/rest/").into_iter().partition(|target| disk.may_hold(&key(target)));
    let mut told = Vec::new();
    for target in [&here[0], &there[0]] {
        let what = What::Url(format!("http://a{target}").parse().unwrap());
        told.push(give(&disk, &mut rounds, what, vec![key(target)]).await);
    }
    assert_eq!(holding(&disk, &here), here.len() - 1);
    let looks = disk.looks();
    steps(&mut rounds, STEPS).await;
    assert_eq!((disk.looks(), rounds.orders.len()), (looks, 2));
    back();
    end(&mut rounds).await;
    assert_eq!((holding(&disk, &here), holding(&disk, &there)), (here.len() - 1, there.len() - 1));
    assert_eq!(told.remove(0).await.unwrap().removed.disk, 1);
}

#[tokio::test]
async fn orders_that_stand_no_more_are_not_remembered_while_no_disk_is_there() {
    let room = tempfile::tempdir().unwrap();
    let (disk, mut rounds) = over(&[&room.path().join("away")]);
    for number in 0..3_000 {
        disk.order(What::Prefix(format!("http://a/{number}/").parse().unwrap()), Mode::Hard);
        if number % 500 == 0 {
            rounds.step().await;
        }
    }
    rounds.step().await;
    assert_eq!(rounds.orders.len(), disk.standing_orders().len());
}

#[tokio::test]
async fn more_orders_than_can_stand_while_a_disk_is_away_cost_what_lies_on_that_one_alone() {
    let room = tempfile::tempdir().unwrap();
    let (disk, mut rounds, back) = one_of_two(room.path(), &below("/rest/"));
    let (here, there): (Vec<_>, Vec<_>) =
        below("/rest/").into_iter().partition(|target| disk.may_hold(&key(target)));
    for number in 0..1_200 {
        disk.order(What::Prefix(format!("http://a/{number}/").parse().unwrap()), Mode::Hard);
        if number % 600 == 599 {
            steps(&mut rounds, STEPS).await;
        }
    }
    assert_eq!(giving(&disk, &rounds, &here).await, here.len());
    back();
    end(&mut rounds).await;
    assert_eq!(giving(&disk, &rounds, &here).await, here.len());
    assert_eq!(giving(&disk, &rounds, &there).await, 0, "nobody remembers all that was meant there");
    assert!(!here.is_empty() && !there.is_empty());
}

/// Where records begin in the data of a disk that nothing was given up on.
fn records(disk: &Path) -> Vec<u64> {
    let data = std::fs::read(disk.join("data")).unwrap();
    let (units, _) = data.as_chunks::<512>();
    (0..).zip(units).filter(|(_, unit)| unit[8..12] == *b"ACR1").map(|(number, _)| number * 512).collect()
}

#[tokio::test]
async fn while_a_disk_is_away_the_others_write_orders_down_when_they_have_changed_and_no_oftener() {
    let room = tempfile::tempdir().unwrap();
    let (disk, mut rounds, back) = one_of_two(room.path(), &below("/rest/"));
    let _told = order(&disk, &mut rounds, "/meant/").await;
    steps(&mut rounds, STEPS).await;
    let writes = disk.writes();
    for _ in 0..3 {
        tokio::time::pause();
        tokio::time::advance(WRITE_AGAIN).await;
        tokio::time::resume();
        rounds.step().await;
    }
    assert_eq!(disk.writes(), writes);
    let _told = order(&disk, &mut rounds, "/other/").await;
    assert_eq!(disk.writes(), writes + 1);
    back();
    end(&mut rounds).await;
}

/// There was no step between two orders that came one behind the other, so that none of them met anything.
#[tokio::test]
async fn a_storm_of_orders_leaves_the_walk_its_turns() {
    let room = tempfile::tempdir().unwrap();
    let (disk, mut rounds) = over(&[room.path()]);
    let meant = below("/meant/");
    put(&disk, &meant);
    let _told = order(&disk, &mut rounds, "/meant/").await;
    let (storm, to_disks) = mpsc::channel(STEPS * WAITING);
    let what = What::Url("http://a/none".parse().unwrap());
    let given = Order::new(what, Mode::Hard, None, Timestamp::UNIX_EPOCH, Duration::from_secs(60)).unwrap();
    while storm.capacity() > 0 {
        let asker = Asker { answer: oneshot::channel().0, given_at: given.made_at, began: Instant::now() };
        let done = CarriedOut { report: Report::new(given.id, given.mode), standing: None };
        storm.try_send((done, asker)).unwrap();
    }
    drop(storm);
    look_on_disks(to_disks, rounds).await;
    assert_eq!(holding(&disk, &meant), 0);
}

/// A part of the disk in which something cannot be read counted as not seen, and the order went round for ever.
#[tokio::test]
async fn an_order_ends_beside_what_cannot_be_read() {
    let room = tempfile::tempdir().unwrap();
    let (disk, mut rounds) = over(&[room.path()]);
    let meant = ["/meant/1".to_owned()];
    put(&disk, &[&below("/rest/")[..], &meant].concat());
    assert!(disk.is_settled().await);
    // What is behind the end of a file cannot be read; nothing is written there before it is given up.
    let last = *records(room.path()).last().unwrap();
    std::fs::File::options().write(true).open(room.path().join("data")).unwrap().set_len(last).unwrap();
    let told = order(&disk, &mut rounds, "/meant/").await;
    steps(&mut rounds, STEPS).await;
    assert!(rounds.orders.is_empty());
    assert_eq!(told.await.unwrap().removed.disk, 0, "of what is lost nobody knows that it was meant");
    assert_eq!((holding(&disk, &meant), holding(&disk, &below("/rest/"))), (0, 40));
}

/// What is put before an order may come into the index when the walk has been through its part: an order whose note is late was
/// dropped in the middle of a round, and what it had not met stayed for ever.
#[tokio::test]
async fn a_round_counts_when_the_order_is_written_down_behind_what_was_put_before() {
    let room = tempfile::tempdir().unwrap();
    let (disk, mut rounds) = over(&[room.path()]);
    let (go, going) = std::sync::mpsc::sync_channel(1);
    let mut held = pin!(disk.hold(0, going));
    assert!(held.as_mut().now_or_never().is_none());
    let meant = ["/meant/1".to_owned()];
    put(&disk, &meant);
    // The disk takes longer than anybody waits.
    tokio::time::pause();
    let told = order(&disk, &mut rounds, "/meant/").await;
    for _ in 1..Walk::PARTS {
        rounds.step().await;
    }
    assert!(!told.await.unwrap().lasting);
    tokio::time::resume();
    drop(go);
    held.await;
    // Behind what was late; until then it hangs.
    while !disk.is_settled().await {
        tokio::task::yield_now().await;
    }
    assert_eq!(holding(&disk, &meant), 1);
    end(&mut rounds).await;
    assert_eq!(holding(&disk, &meant), 0);
}
