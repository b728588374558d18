use super::*;
use jiff::Timestamp;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

const MBIT: u64 = 1_000_000;
const RATE: BitRate = BitRate(2 * MBIT);

fn now() -> Timestamp {
    Timestamp::from_second(1_788_220_800).unwrap()
}

fn candidate(node: &str, limit: u64) -> Candidate {
    Candidate {
        node: node.parse().unwrap(),
        address: format!("https://{}", node.replace('/', ".")),
        addresses: Vec::new(),
        limit: BitRate(limit),
        sends: BitRate(0),
        heard_at: now(),
        hash: crate::hash(&node.parse().unwrap()),
    }
}

fn near(province: &str, carrier: &str) -> Near {
    Near { province: province.parse().ok(), carrier: carrier.parse().ok() }
}

fn asks<'a>(near: Near, seed: &'a [u8], plays_at: Option<&'a NodeName>) -> Student<'a> {
    Student { near, seed, plays_at, rate: RATE }
}

#[test]
fn nearness_table() {
    let all = [
        "hubei/dianxin/a/x/1",
        "hunan/dianxin/a/x/1",
        "xinjiang/dianxin/a/x/1",
        "hubei/yidong/a/x/1",
        "guangdong/liantong/a/x/1",
    ];
    let roster = Roster::new(all.iter().map(|node| candidate(node, 1_000 * MBIT)).collect());
    for (near, first, rings) in [
        (near("hubei", "dianxin"), all[0], ["home", "beside", "carrier", "province", "any"]),
        (near("hunan", "dianxin"), all[1], ["home", "beside", "carrier", "any", "any"]),
        (near("hubei", "yidong"), all[3], ["home", "province", "any", "any", "any"]),
        (near("", ""), "", ["any"; 5]),
    ] {
        let loads = Loads::default();
        let chosen = choose(&roster, &loads, &asks(near.clone(), b"one", None), 8);
        assert_eq!(chosen.iter().map(|choice| choice.ring.as_str()).collect::<Vec<_>>(), rings, "{near:?}");
        assert!(first.is_empty() || chosen[0].candidate.node.to_string() == first);
    }
}

#[test]
fn a_full_node_is_not_named_but_who_plays_there_stays() {
    let (one, two) =
        (candidate("hubei/dianxin/a/x/1", 3 * MBIT), candidate("hunan/dianxin/a/x/1", 100 * MBIT));
    let (home, beside) = (one.node.clone(), two.node.clone());
    let roster = Roster::new(vec![one, two]);
    let mut loads = Loads::default();
    let first = |loads: &Loads, plays_at| {
        let chosen = choose(&roster, loads, &asks(near("hubei", "dianxin"), b"1", plays_at), 1);
        chosen.first().map(|choice| choice.candidate.node.clone())
    };
    assert_eq!(first(&loads, None), Some(home.clone()));
    loads.grant(&home, RATE, now());
    assert_eq!(first(&loads, None), Some(beside.clone()));
    assert_eq!(first(&loads, Some(&home)), Some(home.clone()));
    // What was promised is in a report by then.
    loads.settle(&roster, now() + crate::SETTLED);
    assert_eq!(first(&loads, None), Some(home));
    loads.grant(&beside, BitRate(99 * MBIT), now());
    loads.settle(&Roster::default(), now());
    assert_eq!(loads.of(&roster.0[1]), BitRate(0), "who is gone is forgotten");
}

/// What was granted then was never let go of, and each node was full for as long as the clock had been set back.
#[test]
fn a_clock_that_is_set_back_leaves_no_node_full() {
    let roster = Roster::new(vec![candidate("hubei/dianxin/a/x/1", 100 * MBIT)]);
    let (one, mut loads) = (&roster.0[0], Loads::default());
    loads.grant(&one.node, RATE, now());
    let before = now() - jiff::SignedDuration::from_hours(1);
    for second in 0..100 {
        let now = before + jiff::SignedDuration::from_secs(second);
        loads.grant(&one.node, RATE, now);
        loads.settle(&roster, now);
        let seconds = crate::SETTLED.as_secs().min(second.unsigned_abs() + 1);
        assert_eq!(loads.of(one), BitRate(RATE.0 * seconds), "{second}");
    }
}

/// Provinces, carriers and limits by chance.
fn sets() -> impl Strategy<Value = (Vec<(usize, usize, u64)>, u64)> {
    (prop::collection::vec((0..4_usize, 0..2_usize, 5..60_u64), 2..12), 0..u64::MAX)
}

/// 10,000 node sets. Students come until three quarters of all limits are promised; then a node leaves.
#[test]
fn limits_hold_and_few_move_in_ten_thousand_node_sets() {
    let provinces = ["hubei", "hunan", "jiangxi", "xinjiang"];
    let carriers = ["dianxin", "yidong"];
    let mut runner = TestRunner::new(Config { cases: 10_000, ..Config::default() });
    let checked = runner.run(&sets(), |(nodes, salt)| {
        let nodes: Vec<_> = nodes
            .iter()
            .enumerate()
            .map(|(number, (province, carrier, limit))| {
                let name = format!("{}/{}/a/x/{}", provinces[*province], carriers[*carrier], number + 1);
                candidate(&name, limit * MBIT)
            })
            .collect();
        let room: u64 = nodes.iter().map(|node| node.limit.0).sum();
        let students = room * 3 / 4 / RATE.0;
        let roster = Roster::new(nodes);
        let mut loads = Loads::default();
        let mut plays: Vec<(Near, u64, NodeName)> = Vec::new();
        for student in 0..students {
            let seed = student ^ salt;
            let near = near(provinces[(seed % 4) as usize], carriers[(seed / 4 % 2) as usize]);
            let chosen = choose(&roster, &loads, &asks(near.clone(), &seed.to_le_bytes(), None), 2);
            let node = &chosen.first().expect("there is room").candidate.node;
            loads.grant(node, RATE, now());
            plays.push((near, seed, node.clone()));
        }
        for node in roster.iter() {
            prop_assert!(loads.of(node).0 as f64 <= node.limit.0 as f64 * 1.05, "{node:?}");
        }
        // One goes. Its students move, the others stay, and no limit is broken.
        let gone = roster.0[(salt % roster.len() as u64) as usize].node.clone();
        let left = Roster::new(roster.iter().filter(|node| node.node != gone).cloned().collect());
        let (mut moved, mut others) = (0, 0);
        loads.settle(&left, now());
        for (near, seed, node) in &plays {
            let chosen = choose(&left, &loads, &asks(near.clone(), &seed.to_le_bytes(), Some(node)), 1);
            let Some(choice) = chosen.first() else { continue };
            if *node != gone {
                others += 1;
                moved += u64::from(choice.candidate.node != *node);
            } else {
                loads.grant(&choice.candidate.node, RATE, now());
            }
        }
        prop_assert!(moved * 10 <= others, "{moved} of {others} moved");
        for node in left.iter() {
            prop_assert!(loads.of(node).0 as f64 <= node.limit.0 as f64 * 1.05, "{node:?}");
        }
        Ok(())
    });
    checked.unwrap();
}

#[test]
fn without_memory_a_node_that_leaves_moves_its_own_students_only() {
    // As DNS asks: nobody says where he plays.
    let nodes: Vec<_> = (1..=12)
        .map(|n| candidate(&format!("hubei/dianxin/a/x/{n}"), (100 + n * 10) * 1_000 * MBIT))
        .collect();
    let room: u64 = nodes.iter().map(|node| node.limit.0).sum();
    let roster = Roster::new(nodes);
    let loads = Loads::default();
    let places = |roster: &Roster| -> Vec<String> {
        (0..4_000_u64)
            .map(|seed| {
                let seed = seed.to_le_bytes();
                let chosen = choose(roster, &loads, &asks(near("hubei", "dianxin"), &seed, None), 1);
                chosen[0].candidate.node.to_string()
            })
            .collect()
    };
    let before = places(&roster);
    // In proportion to limits, within chance.
    for node in roster.iter() {
        let count = before.iter().filter(|name| **name == node.node.to_string()).count() as f64;
        let due = 4_000.0 * node.limit.0 as f64 / room as f64;
        assert!((count - due).abs() < 5.0 * due.sqrt(), "{count} for {due}");
    }
    let gone = roster.0[5].node.to_string();
    let after =
        places(&Roster::new(roster.iter().filter(|node| node.node.to_string() != gone).cloned().collect()));
    let moved = before.iter().zip(&after).filter(|(one, other)| one != other).count();
    assert_eq!(moved, before.iter().filter(|name| **name == gone).count());
}
