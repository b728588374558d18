//! What two plans of a day say differently, by what follows from it.
//!
//! What only fills the time between items is not told: it follows from the items.

mod sections;

use crate::plan::Plan;
use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt;

/// What an entry drives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Section {
    /// Which programme is when.
    Guide,
    /// When a pointer opens, and to what.
    Release,
    /// What nodes fetch.
    Fill,
    /// What load comes when.
    Forecast,
    /// Who is let in when.
    Slot,
    /// What channels send.
    Channel,
    /// Which limits hold.
    Policy,
}

/// An entry's fields, as text.
pub type Fields = BTreeMap<&'static str, String>;

/// One entry that is not the same.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Change {
    /// What it drives.
    pub section: Section,
    /// Its name there.
    pub entry: String,
    /// What was; nothing: it is new.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<Fields>,
    /// What is; nothing: it is gone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<Fields>,
}

/// Everything that differs, in order of sections and names.
pub fn diff(before: &Plan, after: &Plan) -> Vec<Change> {
    let mut changes = Vec::new();
    for (section, entries) in sections::SECTIONS {
        let (mut old, new) = (entries(before), entries(after));
        for (entry, fields) in new {
            let was = old.remove(&entry);
            if was.as_ref() != Some(&fields) {
                changes.push(Change { section, entry, before: was, after: Some(fields) });
            }
        }
        let gone = old.into_iter().map(|(entry, fields)| Change {
            section,
            entry,
            before: Some(fields),
            after: None,
        });
        changes.extend(gone);
    }
    changes.sort_by(|a, b| (a.section, &a.entry).cmp(&(b.section, &b.entry)));
    changes
}

impl Section {
    /// As files write it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Guide => "guide",
            Self::Release => "release",
            Self::Fill => "fill",
            Self::Forecast => "forecast",
            Self::Slot => "slot",
            Self::Channel => "channel",
            Self::Policy => "policy",
        }
    }
}

impl fmt::Display for Change {
    /// One line: `release  maths-7: release 2026-09-01T00:30:00Z → 2026-09-01T00:40:00Z`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:<8}  {}: ", self.section.as_str(), self.entry)?;
        let list = |fields: &Fields| {
            let fields: Vec<_> = fields.iter().map(|(name, value)| format!("{name} {value}")).collect();
            fields.join(", ")
        };
        match (&self.before, &self.after) {
            (None, Some(after)) => write!(f, "new, {}", list(after)),
            (Some(before), None) => write!(f, "gone, {}", list(before)),
            (None, None) => Ok(()),
            (Some(before), Some(after)) => {
                let mut names: Vec<_> = before.keys().chain(after.keys()).collect();
                names.sort();
                names.dedup();
                let changed =
                    names.into_iter().filter(|name| before.get(*name) != after.get(*name)).map(|name| {
                        let shown = |fields: &Fields| fields.get(name).map_or("–".to_owned(), Clone::clone);
                        format!("{name} {} → {}", shown(before), shown(after))
                    });
                f.write_str(&changed.collect::<Vec<_>>().join(", "))
            }
        }
    }
}

#[cfg(test)]
mod tests;
