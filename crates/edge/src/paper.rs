//! What devices may tell this node: three papers of closed forms, and nothing else. All else that is sent goes on to the upstream, which is
//! whose business it is.

use http::Method;

/// A paper that is read here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Paper {
    /// A word about what a class has seen ([`coverage::Word`]).
    Coverage,
    /// A report of a page ([`feedback::Report`]).
    Feedback,
    /// How lines are, as pages see it (CMCD's event mode); `quality`.
    Quality,
}

impl Paper {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Coverage, Self::Feedback, Self::Quality];
    /// How each is sent.
    pub const METHOD: Method = Method::POST;

    /// Where it is sent to.
    pub const fn path(self) -> &'static str {
        match self {
            Self::Coverage => "/coverage",
            Self::Feedback => "/feedback",
            Self::Quality => "/cmcd",
        }
    }

    /// Which one this is, if any.
    pub(crate) fn of(method: &Method, path: &str) -> Option<Self> {
        (*method == Self::METHOD).then(|| Self::ALL.into_iter().find(|paper| paper.path() == path))?
    }
}
