//! By which way an answer came, for whoever debugs.

use http::response::Parts;

/// How the server was found that gave an answer. Stands among the extensions of its head.
///
/// That a body went on from another server is known only once its head is out: `edge_broken_bodies_total` counts it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Way {
    /// The first that was asked gave it.
    #[default]
    Direct,
    /// One that was asked after another had failed.
    Retried,
    /// One that was asked beside another that was slow, and was quicker.
    Hedged,
    /// A neighbour had it.
    Peer,
}

impl Way {
    /// Of an answer.
    pub(crate) fn of(head: &Parts) -> Self {
        head.extensions.get().copied().unwrap_or_default()
    }

    /// As Cache-Status says it; nothing where there is nothing to say.
    pub(crate) const fn detail(self) -> Option<&'static str> {
        match self {
            Self::Direct => None,
            Self::Retried => Some("retried"),
            Self::Hedged => Some("hedged"),
            Self::Peer => Some("peer"),
        }
    }

    /// Notes it on an answer.
    pub(super) fn note(self, head: &mut Parts) {
        if self != Self::Direct {
            head.extensions.insert(self);
        }
    }
}
