//! What the edge holds: `object` (a stored response), `body` (its bytes), `growing` (bytes still coming), `memory`
//! (the RAM tier).

pub(crate) mod body;
pub(crate) mod growing;
pub(crate) mod memory;
pub(crate) mod object;
mod wait_list;

pub(crate) use body::{Blocks, Body, Reader};
pub(crate) use growing::{Growing, GrowingWriter};
pub(crate) use memory::{Entry, Memory};
pub(crate) use object::Object;
