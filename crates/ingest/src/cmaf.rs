//! CMAF boxes (ISO/IEC 23000-19 over 14496-12), read-only: what the muxer wrote, checked by other eyes. Pure.

mod boxes;
mod fragment;
mod init;

pub use boxes::{BoxError, Boxes, Reader};
pub use fragment::{Fragment, FragmentError};
pub use init::{Init, InitError, Media};
