//! Serves packages, pointers, the catalogue and the player from a store.
//!
//! A request's journey: `routes → object | list | player → encode → response (conditional, range) → body`. What cannot be
//! answered goes to `refusal`; what the day plan keeps shut is answered by `plan`, before anything is looked for. The path alone decides what a request is and how its answer may be cached, before
//! anything is read. Nothing here knows that edges exist: it is a plain, correct HTTP server of files whose names say
//! whether they ever change.

mod body;
mod caching;
mod clock;
mod encode;
mod front;
mod list;
mod metrics;
mod object;
mod options;
mod plan;
mod player;
mod refusal;
mod response;
mod routes;
mod server;
mod stand_in;
mod unfollowed;

pub use options::{Config, Options};
pub use routes::addresses;
pub use server::{Started, check, run, start};

#[cfg(test)]
mod tests;
