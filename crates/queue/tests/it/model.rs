//! Random operations on a queue in a file, opened anew between any two of them, against a plain list.

use crate::stage::{Hands, job};
use proptest::prelude::*;
use queue::{
    Added, Claim, Clock, Ended, Ending, Hold, Local, Moment, Policy, Priority, Queue, Reason, Repeat,
};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

const POLICY: Policy = Policy { lease: Duration::from_secs(60), tries: 2, back_off: Duration::from_secs(30) };
const START: u64 = 1_790_000_000_000;

#[derive(Debug, Clone)]
enum Step {
    Add { name: u8, priority: u8 },
    Claim,
    Beat { claim: usize },
    End { claim: usize, how: u8 },
    Pass { seconds: u64 },
    Retry { name: u8 },
    Remove { name: u8 },
    Reopen,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => (0..6u8, 0..3u8).prop_map(|(name, priority)| Step::Add { name, priority }),
        4 => Just(Step::Claim),
        1 => (0..4usize).prop_map(|claim| Step::Beat { claim }),
        3 => (0..4usize, 0..4u8).prop_map(|(claim, how)| Step::End { claim, how }),
        2 => (1..100u64).prop_map(|seconds| Step::Pass { seconds }),
        1 => (0..6u8).prop_map(|name| Step::Retry { name }),
        1 => (0..6u8).prop_map(|name| Step::Remove { name }),
        1 => Just(Step::Reopen),
    ]
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Is {
    Waiting(u64),
    Running { until: u64, claim: usize },
    Aside,
}

/// A job as the model has it.
#[derive(Debug, Clone)]
struct Line {
    name: u8,
    priority: u8,
    arrived: usize,
    tries: u32,
    is: Is,
}

/// The rules once more, over a list.
#[derive(Default)]
struct Model {
    lines: Vec<Line>,
    arrivals: usize,
    now: u64,
}

impl Model {
    fn line(&mut self, name: u8) -> Option<&mut Line> {
        self.lines.iter_mut().find(|line| line.name == name)
    }

    fn claimed(&mut self, claim: usize) -> Option<&mut Line> {
        self.lines.iter_mut().find(|line| matches!(line.is, Is::Running { claim: by, .. } if by == claim))
    }

    fn lapse(&mut self) {
        for line in &mut self.lines {
            if matches!(line.is, Is::Running { until, .. } if until <= self.now) {
                line.is = if line.tries >= POLICY.tries { Is::Aside } else { Is::Waiting(0) };
            }
        }
    }

    fn next(&mut self, claim: usize) -> Option<u8> {
        self.lapse();
        let now = self.now;
        let ready = self.lines.iter_mut().filter(|line| matches!(line.is, Is::Waiting(then) if then <= now));
        let line = ready.min_by_key(|line| (line.priority, line.arrived))?;
        line.tries += 1;
        line.is = Is::Running { until: now + 60_000, claim };
        Some(line.name)
    }
}

fn named(name: u8) -> String {
    format!("lesson-{name}")
}

fn play(steps: Vec<Step>) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("queue");
    let clock = Arc::new(Hands(AtomicU64::new(START)));
    let open = || Local::open(&path, POLICY, Arc::clone(&clock) as Arc<dyn Clock>).unwrap();
    let mut queue = open();
    let mut model = Model { now: START, ..Model::default() };
    let mut claims: Vec<Claim> = Vec::new();
    for step in steps {
        match step {
            Step::Add { name, priority } => {
                let wanted = job(&named(name), Priority::ALL[usize::from(priority)]);
                let added = queue.add(&[wanted], Repeat::Allowed).unwrap().remove(0);
                let arrived = model.arrivals;
                let expected = match model.line(name) {
                    None => {
                        model.arrivals += 1;
                        model.lines.push(Line { name, priority, arrived, tries: 0, is: Is::Waiting(0) });
                        "new"
                    }
                    Some(line) => match line.is {
                        Is::Waiting(_) if priority < line.priority => {
                            line.priority = priority;
                            "raised"
                        }
                        Is::Waiting(_) => "waiting",
                        Is::Running { .. } => "running",
                        Is::Aside => "aside",
                    },
                };
                let added = match added {
                    Added::New => "new",
                    Added::Raised => "raised",
                    Added::Waiting => "waiting",
                    Added::Running => "running",
                    Added::SetAside(_) => "aside",
                    Added::Done => "done",
                };
                assert_eq!(added, expected);
            }
            Step::Claim => {
                let claim = queue.claim("w", Duration::ZERO).unwrap();
                let expected = model.next(claims.len()).map(named);
                assert_eq!(claim.as_ref().map(|claim| claim.entry.job.lesson.to_string()), expected);
                claims.extend(claim);
            }
            Step::Beat { claim } if !claims.is_empty() => {
                let index = claim % claims.len();
                let hold = queue.beat(&claims[index]).unwrap();
                let until = model.now + 60_000;
                let line = model.claimed(index);
                assert_eq!(hold == Hold::Held, line.is_some());
                if let Some(line) = line {
                    line.is = Is::Running { until, claim: index };
                }
            }
            Step::End { claim, how } if !claims.is_empty() => {
                let index = claim % claims.len();
                let reason = || Reason::new("CODE", "text");
                let ending =
                    [Ending::Done, Ending::GivenBack, Ending::Refused(reason()), Ending::Failed(reason())]
                        [usize::from(how)]
                    .clone();
                let ended = queue.end(&claims[index], ending).unwrap();
                let now = model.now;
                let Some(line) = model.claimed(index) else {
                    assert!(ended.is_err());
                    continue;
                };
                let (expected, is) = match how {
                    0 => (Ended::Done, None),
                    1 => {
                        line.tries -= 1;
                        (Ended::GivenBack, Some(Is::Waiting(0)))
                    }
                    3 if line.tries < POLICY.tries => {
                        let then = now + 30_000;
                        (Ended::Later(Moment(then)), Some(Is::Waiting(then)))
                    }
                    _ => (Ended::SetAside, Some(Is::Aside)),
                };
                assert_eq!(ended, Ok(expected));
                let name = line.name;
                match is {
                    Some(is) => line.is = is,
                    None => model.lines.retain(|line| line.name != name),
                }
            }
            Step::Beat { .. } | Step::End { .. } => {}
            Step::Pass { seconds } => {
                model.now += seconds * 1_000;
                clock.0.store(model.now, Ordering::SeqCst);
            }
            Step::Retry { name } => {
                // Priorities are no part of a key.
                queue.retry(&job(&named(name), Priority::New).key()).unwrap();
                if let Some(line) = model.line(name) {
                    match line.is {
                        Is::Aside => (line.tries, line.is) = (0, Is::Waiting(0)),
                        Is::Waiting(_) => line.is = Is::Waiting(0),
                        Is::Running { .. } => {}
                    }
                }
            }
            Step::Remove { name } => {
                queue.remove(&job(&named(name), Priority::New).key()).unwrap();
                model.lines.retain(|line| line.name != name || matches!(line.is, Is::Running { .. }));
            }
            Step::Reopen => {
                drop(queue);
                queue = open();
            }
        }
        let mut there: Vec<_> = queue
            .list()
            .unwrap()
            .iter()
            .map(|entry| (entry.job.lesson.to_string(), entry.tries, entry.state.as_str()))
            .collect();
        there.sort();
        let state = |is| match is {
            Is::Waiting(0) => "waiting",
            Is::Waiting(_) => "retrying",
            Is::Running { .. } => "running",
            Is::Aside => "set-aside",
        };
        let mut expected: Vec<_> =
            model.lines.iter().map(|line| (named(line.name), line.tries, state(line.is))).collect();
        expected.sort();
        assert_eq!(there, expected);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_file_does_what_a_list_would(steps in prop::collection::vec(step(), 1..40)) {
        play(steps);
    }
}
