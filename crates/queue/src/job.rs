//! What is to be done, and what makes two jobs the same.

use crate::clock::Moment;
use package::{Description, Digest, Hasher, LessonId};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

/// One lesson to be made of one file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Job {
    /// The file, as every worker finds it: an absolute path, on a shared disk when workers are on several machines.
    pub source: PathBuf,
    /// SHA-256 of the file's bytes when it was added.
    pub content: Digest,
    /// The lesson it becomes.
    pub lesson: LessonId,
    /// What is said about it. Carried here and not by the name of a file, which might change before its turn.
    pub description: Description,
    /// Where it is published.
    pub store: String,
    /// The ladder's file; `None` for the one that is built in.
    pub ladder: Option<PathBuf>,
    /// The ladder's digest when it was added.
    pub recipe: Digest,
    /// How urgent it is.
    pub priority: Priority,
    /// When it is to be watched: within [`Priority::AirsNext`] the soonest is first.
    pub airs_at: Option<Moment>,
}

/// How urgent a job is. Declared from the most urgent to the least.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Priority {
    /// It is in the timetable soon.
    #[serde(rename = "next")]
    AirsNext,
    /// A lesson that is not there yet.
    #[serde(rename = "new")]
    New,
    /// A lesson that is there, to be made again with a better recipe.
    #[serde(rename = "re-encode")]
    ReEncode,
}

impl Priority {
    /// All, the most urgent first.
    pub const ALL: [Self; 3] = [Self::AirsNext, Self::New, Self::ReEncode];

    /// As on the command line and in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AirsNext => "next",
            Self::New => "new",
            Self::ReEncode => "re-encode",
        }
    }
}

impl fmt::Display for Priority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Not one of the three.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no priority; write next, new or re-encode")]
pub struct InvalidPriority(String);

impl FromStr for Priority {
    type Err = InvalidPriority;

    fn from_str(text: &str) -> Result<Self, InvalidPriority> {
        Self::ALL
            .into_iter()
            .find(|priority| priority.as_str() == text)
            .ok_or_else(|| InvalidPriority(text.chars().take(20).collect()))
    }
}

/// What makes two jobs the same: content, recipe, lesson, store and what is said about it. Not the file's name, and
/// not how urgent it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct JobKey(pub Digest);

impl fmt::Display for JobKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Job {
    /// The job's key.
    pub fn key(&self) -> JobKey {
        let mut hasher = Hasher::new();
        hasher.update(&self.content.0);
        hasher.update(&self.recipe.0);
        // Lengths first, so that no two lists of texts look alike.
        let description = serde_json::to_string(&self.description).expect("plain texts become JSON");
        for text in [self.lesson.as_str(), &self.store, &description] {
            hasher.update(&(text.len() as u64).to_be_bytes());
            hasher.update(text.as_bytes());
        }
        JobKey(hasher.finish())
    }

    /// Whether two jobs would write the same lesson. They must not run at the same time: the older might end last.
    pub fn same_lesson(&self, other: &Self) -> bool {
        self.lesson == other.lesson && self.store == other.store
    }

    /// Whether this is to run before what is the same in all but urgency.
    pub(crate) fn more_urgent_than(&self, other: &Self) -> bool {
        let urgency = |job: &Self| (job.priority, job.airs_at.map_or(u64::MAX, |at| at.0));
        urgency(self) < urgency(other)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn job() -> Job {
        Job {
            source: "/lessons/a.mp4".into(),
            content: Digest::of(b"a"),
            lesson: "a".parse().unwrap(),
            description: Description::default(),
            store: "/store".to_owned(),
            ladder: None,
            recipe: Digest::of(b"ladder"),
            priority: Priority::New,
            airs_at: None,
        }
    }

    #[test]
    fn a_key_is_what_is_made_and_not_where_it_lies_or_how_urgent_it_is() {
        let key = job().key();
        for same in [
            Job { source: "/elsewhere/b.mp4".into(), ..job() },
            Job { priority: Priority::AirsNext, airs_at: Some(Moment(1)), ..job() },
        ] {
            assert_eq!(same.key(), key);
        }
        for other in [
            Job { content: Digest::of(b"b"), ..job() },
            Job { recipe: Digest::of(b"other"), ..job() },
            Job { lesson: "b".parse().unwrap(), ..job() },
            Job { store: "/other".to_owned(), ..job() },
            Job {
                description: Description { title: Some("T".to_owned()), ..Description::default() },
                ..job()
            },
        ] {
            assert_ne!(other.key(), key);
        }
    }

    #[test]
    fn a_job_is_read_back_as_it_was_written() {
        let job = Job { airs_at: Some(Moment(1_790_000_000_000)), ..job() };
        let text = serde_json::to_string(&job).unwrap();
        assert_eq!(serde_json::from_str::<Job>(&text).unwrap(), job);
    }

    #[test]
    fn priorities_are_read_as_they_are_written() {
        for priority in Priority::ALL {
            assert_eq!(priority.as_str().parse(), Ok(priority));
        }
        assert!("urgent".parse::<Priority>().is_err());
    }
}
