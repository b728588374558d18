use super::*;
use fleet::zero_rating::{Manifest, SignedManifest};
use fleet::{Kind, Order, Secret, Target};
use signing::SigningKey;
use std::path::Path;
use std::pin::pin;
use std::task::{Context, Waker};
use telemetry::Telemetry;
use testkit::nats::NatsServer;

/// A control in `state`, whose records are in `store` or there.
async fn desk(state: &Path, store: Option<&str>) -> Desk {
    let authority =
        Authority::load(state).or_else(|_| Authority::make(state, clock::now())).expect("a folder of ours");
    let store = Store::open(store, state).await.unwrap();
    let metrics = Metrics::register(&Telemetry::new("control"));
    Desk::open(authority, store, (Vec::new(), Duration::from_secs(3_600)), metrics).await.unwrap()
}

fn person() -> Person {
    "telecom/zhang".parse().unwrap()
}

/// What carriers count as free, in its first edition.
fn free() -> Bytes {
    let nodes = Nodes { now: None, nodes: Vec::new() };
    let manifest = Manifest::next(None, &nodes, &[], clock::now()).unwrap();
    serde_json::to_vec(&SignedManifest::by(&manifest, &SigningKey::generate().unwrap())).unwrap().into()
}

/// It was gone with the orders of its month, and carriers were told that there is no such thing.
#[tokio::test]
async fn what_carriers_count_as_free_is_there_however_many_orders_come_after_it() {
    let folder = tempfile::tempdir().unwrap();
    let (first, text) = (desk(folder.path(), None).await, free());
    first.zero_rate(person(), text.clone()).await.unwrap();
    for number in 0..4_096 {
        std::fs::write(folder.path().join(format!("bodies/{number}")), "order").unwrap();
    }
    first.keep_body(Bytes::from_static(b"another")).await.unwrap();
    assert_eq!(std::fs::read_dir(folder.path().join("bodies")).unwrap().count(), 4_097);
    drop(first);
    let again = desk(folder.path(), None).await;
    let (_, digest) = again.zero_rating().unwrap();
    assert_eq!(again.zero_rating_text(digest).await, Ok(text));
}

#[tokio::test]
async fn what_a_shared_store_lets_go_and_carriers_ask_for_is_given_to_it_anew() {
    let (server, folder) = (NatsServer::start(), tempfile::tempdir().unwrap());
    let address = server.address("east");
    let (first, text) = (desk(folder.path(), Some(&address)).await, free());
    first.zero_rate(person(), text.clone()).await.unwrap();
    let (_, digest) = first.zero_rating().unwrap();
    assert_eq!(first.zero_rating_text(digest).await, Ok(text.clone()));
    // As after a month.
    let client = async_nats::connect(address.strip_suffix("/east").unwrap()).await.unwrap();
    let bodies = async_nats::jetstream::new(client).get_stream("airclass-east-bodies").await.unwrap();
    bodies.purge().await.unwrap();
    let another = desk(folder.path(), Some(&address)).await;
    assert_eq!(another.zero_rating_text(digest).await, Err(Refusal::NotFound));
    first.keep_anew(clock::now()).await;
    assert_eq!(another.zero_rating_text(digest).await, Ok(text));
}

/// A report at this second of a node's clock.
fn report(second: i64) -> Bytes {
    let at = Timestamp::from_second(second).unwrap();
    serde_json::to_vec(&serde_json::json!({ "at": at, "heard": second, "ready": true })).unwrap().into()
}

/// Whatever it said after its clock was set right was older than what was known, and it was silent until the control was started anew.
#[tokio::test]
async fn a_node_whose_clock_was_ahead_is_heard() {
    let (server, folder) = (NatsServer::start(), tempfile::tempdir().unwrap());
    let address = server.address("east");
    let (one, other) = (desk(folder.path(), Some(&address)).await, desk(folder.path(), Some(&address)).await);
    let node: NodeName = "hubei/dianxin/acme/a/1".parse().unwrap();
    let heard = |desk: &Desk| desk.reports().get(&node).map(|(_, report)| report.heard);
    let mut position = 0;
    for second in [2_000_000_000, 1_800_000_000, 1_800_000_010] {
        one.report(node.clone(), report(second)).await.unwrap();
        other.hear(&mut position).await.unwrap();
        let second = u64::try_from(second).unwrap();
        assert_eq!((heard(&one), heard(&other)), (Some(second), Some(second)));
    }
    // What another control tells of late is no news.
    one.store.tell(&node, report(1_800_000_001)).await.unwrap();
    other.hear(&mut position).await.unwrap();
    assert_eq!(heard(&other), Some(1_800_000_010));
}

/// It stood in the records, and no node heard of it before the next record.
#[tokio::test]
async fn an_order_counts_whose_sender_has_gone_before_it_was_written() {
    let folder = tempfile::tempdir().unwrap();
    let desk = desk(folder.path(), None).await;
    {
        let drain = Order { kind: Kind::Drain, to: Target::default() };
        let ordering = pin!(desk.order(person(), &drain));
        assert!(ordering.poll(&mut Context::from_waker(Waker::noop())).is_pending());
    }
    while desk.store.read_after(0).await.unwrap().is_empty() {
        tokio::task::yield_now().await;
    }
    let mut changed = desk.changed.subscribe();
    tokio::select! { () = desk.follow() => {}, changed = changed.changed() => changed.unwrap() }
    assert_eq!(desk.registry().end().0, 1);
}

/// An order that got the number of one that was lost with the copy counted as obeyed, and no node that had heard the lost one heard it.
#[tokio::test(start_paused = true)]
async fn nodes_that_have_heard_more_than_an_older_copy_holds_go_back_to_where_it_ends() {
    let folder = tempfile::tempdir().unwrap();
    let records = folder.path().join("records.jsonl");
    let first = desk(folder.path(), None).await;
    let node: NodeName = "hubei/dianxin/acme/a/1".parse().unwrap();
    let (token, key) = (Secret::new(Digest::of(b"authority")).unwrap().id(), Digest::of(b"key"));
    let enrolled = Event::Enrolled { token, node: node.clone(), key, until: Timestamp::MAX };
    let enrolled = first.record(|()| Sender::Node(node.clone()), |_| Ok((Some(enrolled.clone()), ()))).await;
    assert_eq!(enrolled, Ok(((), 1)));
    let copy = std::fs::read(&records).unwrap();
    let give =
        async |desk: &Desk, kind: Kind| desk.order(person(), &Order { kind, to: Target::default() }).await;
    assert_eq!((give(&first, Kind::Drain).await, give(&first, Kind::Undrain).await), (Ok(2), Ok(3)));
    let lost = [1, 2, 3].map(|number| first.registry().hash_of(number));
    drop(first);
    std::fs::write(&records, copy).unwrap();

    let restored = desk(folder.path(), None).await;
    let report = |heard: u64, hash: Option<Digest>| {
        serde_json::json!({ "at": clock::now(), "heard": heard, "hash": hash, "ready": true }).to_string()
    };
    restored.report(node.clone(), report(3, None).into()).await.unwrap();
    let caller =
        Caller { identity: Identity::Node(node.clone()), key, counts: (Timestamp::MIN, Timestamp::MAX) };
    let told = restored.orders(Some(&caller), 3, None).await.unwrap();
    assert_eq!((told.orders.len(), told.up_to), (0, 1));
    assert_eq!(give(&restored, Kind::Drain).await, Ok(2));
    assert_eq!(restored.acknowledged(2).unwrap().waiting, std::slice::from_ref(&node));
    let numbers = async |desk: &Desk, heard: u64, hash: Option<Digest>| {
        let told = desk.orders(Some(&caller), heard, hash).await.unwrap();
        (told.orders.iter().map(|order| order.number).collect::<Vec<_>>(), told.up_to, told.hash)
    };
    let ours = [1, 2].map(|number| restored.registry().hash_of(number));
    for (heard, hash, told) in [
        (1, None, (vec![2], 2, ours[1])),
        (1, ours[0], (vec![2], 2, ours[1])),
        // One that does not know that it is to go back is told again.
        (3, None, (vec![], 1, None)),
        (3, lost[2], (vec![], 1, None)),
        (2, lost[1], (vec![], 0, None)),
    ] {
        assert_eq!(numbers(&restored, heard, hash).await, told, "{heard}");
    }
    restored.report(node.clone(), report(2, lost[1]).into()).await.unwrap();
    assert_eq!(restored.acknowledged(2).unwrap().waiting, std::slice::from_ref(&node));
    restored.report(node.clone(), report(2, ours[1]).into()).await.unwrap();
    assert_eq!(restored.acknowledged(2).unwrap().done, std::slice::from_ref(&node));
    drop(restored);
    // Started once more, it knows by the hash alone what another control's number was.
    let again = desk(folder.path(), None).await;
    assert_eq!(numbers(&again, 2, lost[1]).await, (vec![], 0, None));
    assert_eq!(numbers(&again, 1, ours[0]).await, (vec![2], 2, ours[1]));
}

/// The key of a certificate that the records have lost is written down before the next one takes its place: the answer may be lost.
#[tokio::test]
async fn a_node_whose_last_renewal_is_not_in_the_records_can_renew_and_ask_again() {
    let folder = tempfile::tempdir().unwrap();
    let desk = desk(folder.path(), None).await;
    let node: NodeName = "hubei/dianxin/acme/a/1".parse().unwrap();
    let (token, key) = (Secret::new(Digest::of(b"authority")).unwrap().id(), Digest::of(b"key"));
    let enrolled = Event::Enrolled { token, node: node.clone(), key, until: Timestamp::MAX };
    let enrolled = desk.record(|()| Sender::Node(node.clone()), |_| Ok((Some(enrolled.clone()), ()))).await;
    assert_eq!(enrolled, Ok(((), 1)));
    let later = clock::now() + SignedDuration::from_hours(24);
    let (identity, lost) = (Identity::Node(node.clone()), Digest::of(b"renewed"));
    let caller = Caller { identity, key: lost, counts: (later, Timestamp::MAX) };
    let request = rcgen::CertificateParams::new(Vec::<String>::new()).unwrap();
    let request = request.serialize_request(&rcgen::KeyPair::generate().unwrap()).unwrap().pem().unwrap();
    for _ in 0..2 {
        assert_eq!(desk.renew(Some(&caller), &request).await.map(|papers| papers.node), Ok(node.clone()));
    }
    assert_eq!(desk.registry().end().0, 4, "the lost one, and each of the two");
    assert!(desk.registry().admit(&node, &lost, None).is_ok());
    let old = Caller { key, counts: (Timestamp::MIN, Timestamp::MAX), ..caller };
    assert_eq!(desk.node(Some(&old)), Err(Refusal::OldCertificate));
}
