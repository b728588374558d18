//! The object store a lesson is published to.
