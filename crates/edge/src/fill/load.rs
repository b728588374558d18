//! The task that brings something from the disk into memory, once for all who want it.

use super::flight::{Guard, Landed};
use crate::edge::Edge;
use crate::outcome::FillOutcome;
use crate::store::{Entry, Loaded};
use std::rc::Rc;
use std::sync::Arc;

/// Loads what the fill is listed under. A body that came whole is verified whole before anybody sees its first byte, so
/// what is damaged is a miss and never half an answer.
pub(crate) async fn load(edge: Rc<Edge>, guard: Guard) {
    let loaded = match &edge.disk {
        Some(disk) => disk.load(guard.key()).await,
        None => None,
    };
    let landed = match loaded {
        Some(Loaded::Object(object)) => {
            edge.metrics.filled(FillOutcome::Loaded);
            guard.store(|| edge.memory.insert(guard.key().clone(), Entry::Object(Arc::clone(&object))));
            Landed::Loaded(object)
        }
        Some(Loaded::Varies(variants)) => {
            guard.store(|| edge.memory.put_back(guard.key(), &variants));
            Landed::NotLoaded
        }
        None => Landed::NotLoaded,
    };
    guard.land(landed);
}
