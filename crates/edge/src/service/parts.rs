//! Parts of responses through the whole edge: RFC 9110 §14, §15.3.7, RFC 9111 §3.3, §3.4.

mod blocks;
mod joined;
mod said;

use super::tests::*;
use crate::edge::Shared;
use crate::options::{Config, Options};
use crate::store::BLOCK_SIZE;
use crate::upstream::{Dial, GroupOptions, ServerOptions};
use bytes::Bytes;
use http::StatusCode;
use std::rc::Rc;
use telemetry::Telemetry;
use testkit::upstream::{Reply, Upstream};
use units::ByteCount;

pub(super) const BLOCK: usize = BLOCK_SIZE as usize;

/// The byte at each place of every representation here.
pub(super) fn bytes_at(range: std::ops::Range<usize>) -> Bytes {
    range.map(|at| u8::try_from(at % 251).unwrap()).collect()
}

pub(super) fn leak(text: String) -> &'static str {
    Box::leak(text.into_boxed_str())
}

/// A 206 with the bytes `range` of `length`.
fn part_of(range: std::ops::Range<usize>, length: usize, etag: &'static str) -> Reply {
    part_head(&range, length).header("etag", etag).body(bytes_at(range))
}

fn part_head(range: &std::ops::Range<usize>, length: usize) -> Reply {
    Reply::new(206)
        .header("cache-control", "max-age=60")
        .header("content-range", leak(format!("bytes {}-{}/{length}", range.start, range.end - 1)))
}

impl Scene {
    /// Memory gives up a block of it, which nobody has found out.
    fn evict_block(&self, target: &str, index: u64) {
        let key = super::key_of(&self.edge, &self.asked("GET", target, &[]));
        let sparse = self.edge.memory.sparse(&key).expect("in blocks");
        self.edge.memory.remove(&sparse.block_key(index));
    }
}

pub(super) async fn asks(scene: &Scene, range: &str) -> (u16, String, Result<Bytes, ()>) {
    let answer = scene.ask("/x", &[("range", range)]).await;
    let (status, says) = (answer.status().as_u16(), field(&answer, "content-range").to_owned());
    (status, says, read(answer.into_body()).await)
}

pub(super) fn asked_ranges(scene: &Scene) -> Vec<String> {
    let questions = scene.upstream.questions();
    questions
        .iter()
        .map(|asked| asked.headers.get("range").map_or("", |range| range.to_str().unwrap()).to_owned())
        .collect()
}
