//! What the day plan calls things, for the log.

use crate::policy::Release;
use accesslog::{Named, Names};
use dayplan::Plans;
use std::collections::HashMap;
use tokio::sync::watch;

/// Lessons and packages of the plans that are followed, by their names in paths. Made anew with each plan.
pub(crate) struct Lessons {
    plans: Option<(Plans, watch::Receiver<u64>)>,
    known: HashMap<String, Named>,
    nobody: Named,
}

impl Lessons {
    pub(crate) fn of(release: &Release) -> Self {
        let plans = release.plans().map(|plans| {
            let mut changes = plans.changes();
            changes.mark_changed();
            (plans.clone(), changes)
        });
        Self { plans, known: HashMap::new(), nobody: Named::default() }
    }
}

impl Names for Lessons {
    fn named(&mut self, path: &str) -> &Named {
        let Some((plans, changes)) = &mut self.plans else { return &self.nobody };
        if changes.has_changed().unwrap_or(false) {
            changes.mark_unchanged();
            self.known.clear();
            for plan in plans.snapshot().plans() {
                for lesson in &plan.lessons {
                    let slot = plan.zone.local(lesson.release).strftime("%H:%M").to_string();
                    let named = Named { lesson: lesson.lesson.to_string(), slot };
                    if let Some(media) = &lesson.media {
                        self.known.insert(media.package.to_string(), named.clone());
                    }
                    self.known.insert(named.lesson.clone(), named);
                }
            }
        }
        let mut words = path.split('/').skip(1);
        match (words.next(), words.next()) {
            (Some("lessons" | "p"), Some(word)) => self.known.get(word).unwrap_or(&self.nobody),
            _ => &self.nobody,
        }
    }
}
