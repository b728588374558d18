//! `airclass-ingest status`: what waits, who works, what was set aside and why.

use super::QueueUsage;
use super::options::Status;
use faults::{AnyFault, say};
use queue::{Change, Clock, Entry, JobKey, Moment, Policy, Queue, State, System};
use serde_json::{Value, json};
use std::process::ExitCode;

/// States, in the order of the report.
const STATES: [&str; 4] = ["running", "waiting", "retrying", "set-aside"];
/// Digits of a key that are shown.
const SHOWN: usize = 12;

/// Runs it.
pub fn run(options: &Status) -> ExitCode {
    match begin(options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => fault.report(),
    }
}

fn begin(options: &Status) -> Result<(), AnyFault> {
    let queue = super::find(options.at.queue.as_deref(), Policy::default())?;
    if let Some(start) = &options.retry {
        let key = find(&*queue, start)?;
        return told(queue.retry(&key)?, &key, "runs again");
    }
    if let Some(start) = &options.remove {
        let key = find(&*queue, start)?;
        return told(queue.remove(&key)?, &key, "is taken out");
    }
    let (entries, done, now) = (queue.list()?, queue.done()?.len(), System.now());
    let text = if options.json { as_json(&entries, done).to_string() } else { as_text(&entries, done, now) };
    say!("{text}");
    Ok(())
}

fn find(queue: &dyn Queue, start: &str) -> Result<JobKey, AnyFault> {
    let keys: Vec<JobKey> = queue.list()?.iter().map(Entry::key).collect();
    let mut fit = keys.into_iter().filter(|key| key.to_string().starts_with(start));
    match (fit.next(), fit.next()) {
        (Some(key), None) => Ok(key),
        (None, _) => Err(QueueUsage::NoKey(start.to_owned()).into()),
        (Some(_), Some(_)) => Err(QueueUsage::ManyKeys(start.to_owned()).into()),
    }
}

fn told(change: Change, key: &JobKey, what: &str) -> Result<(), AnyFault> {
    let key = key.to_string();
    match change {
        Change::Made => say!("{} {what}", &key[..SHOWN]),
        Change::Unknown => return Err(QueueUsage::NoKey(key).into()),
        Change::NotNow(state) => return Err(QueueUsage::NotNow(state).into()),
    }
    Ok(())
}

fn as_text(entries: &[Entry], done: usize, now: Moment) -> String {
    let count = |state: &str| entries.iter().filter(|entry| entry.state.as_str() == state).count();
    let counts: Vec<String> = STATES.iter().map(|state| format!("{} {state}", count(state))).collect();
    let mut text = format!("{}, {done} done in 30 days", counts.join(", "));
    for entry in entries {
        let key = entry.key().to_string();
        let what = match &entry.state {
            State::Running { worker, since, heard, .. } => {
                format!("{worker}, for {}, heard of {} ago", age(now, *since), age(now, *heard))
            }
            State::Waiting { not_before: Some(then) } => format!("again in {}", age(*then, now)),
            State::SetAside { since } => format!("for {}", age(now, *since)),
            _ => format!("for {}", age(now, entry.added)),
        };
        text.push_str(&format!(
            "\n{}  {:9}  {:9}  {}  try {}, {what}",
            &key[..SHOWN],
            entry.state.as_str(),
            entry.job.priority.as_str(),
            entry.job.lesson,
            entry.tries
        ));
        if let Some(reason) = &entry.fault {
            text.push_str(&format!("\n              {}: {}", reason.code, reason.text));
        }
    }
    text
}

/// `{"counts":{…},"jobs":[{key, lesson, source, store, priority, airs_at, state, tries, added, …}]}`. Fields may be added.
fn as_json(entries: &[Entry], done: usize) -> Value {
    let mut counts: serde_json::Map<String, Value> = STATES
        .iter()
        .map(|state| {
            let count = entries.iter().filter(|entry| entry.state.as_str() == *state).count();
            ((*state).to_owned(), json!(count))
        })
        .collect();
    counts.insert("done".to_owned(), json!(done));
    let jobs: Vec<Value> = entries.iter().map(job).collect();
    json!({ "counts": counts, "jobs": jobs })
}

fn job(entry: &Entry) -> Value {
    let mut value = json!({
        "key": entry.key().to_string(), "lesson": entry.job.lesson, "source": entry.job.source,
        "store": entry.job.store, "priority": entry.job.priority, "airs_at": entry.job.airs_at.map(time),
        "state": entry.state.as_str(), "tries": entry.tries, "added": time(entry.added),
    });
    match &entry.state {
        State::Running { worker, since, heard, .. } => {
            value["worker"] = json!(worker);
            value["since"] = json!(time(*since));
            value["heard"] = json!(time(*heard));
        }
        State::Waiting { not_before: Some(then) } => value["not_before"] = json!(time(*then)),
        State::SetAside { since } => value["since"] = json!(time(*since)),
        _ => {}
    }
    if let Some(reason) = &entry.fault {
        value["code"] = json!(reason.code);
        value["text"] = json!(reason.text);
    }
    value
}

/// RFC 3339, UTC.
fn time(at: Moment) -> String {
    let millis = i64::try_from(at.0).unwrap_or(i64::MAX);
    jiff::Timestamp::from_millisecond(millis).map_or_else(|_| at.0.to_string(), |time| time.to_string())
}

/// `45 s`, `12 min`, `3 h`, `2 d`.
fn age(later: Moment, earlier: Moment) -> String {
    match later.since(earlier).as_secs() {
        seconds @ 0..60 => format!("{seconds} s"),
        seconds @ 60..3_600 => format!("{} min", seconds / 60),
        seconds @ 3_600..86_400 => format!("{} h", seconds / 3_600),
        seconds => format!("{} d", seconds / 86_400),
    }
}
