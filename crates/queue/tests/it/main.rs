//! Queues as their callers see them: the same tests against a file and against a NATS server, a model, and kills.

#![expect(clippy::unwrap_used, reason = "a helper that cannot go on fails the test that called it")]

mod both;
mod crash;
mod model;
mod stage;
