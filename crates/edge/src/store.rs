//! What the edge holds: `object` (a stored response), `body` (its bytes), `growing` (bytes still coming), `memory`
//! (the RAM tier),
//! `variants` (what stands at a URL whose response varies).

pub(crate) mod body;
pub(crate) mod growing;
pub(crate) mod memory;
pub(crate) mod object;
mod variants;
mod wait_list;

pub(crate) use body::{Blocks, Body, Reader};
pub(crate) use growing::{Growing, GrowingWriter};
pub(crate) use memory::{Entry, Memory};
pub(crate) use object::Object;
#[cfg(test)]
pub(crate) use variants::MAX_VARIANTS;
pub(crate) use variants::Variants;
