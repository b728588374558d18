//! The page that plays a lesson, built by npm and embedded.
