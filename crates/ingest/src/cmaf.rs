//! CMAF boxes (ISO/IEC 23000-19 over 14496-12), what the muxer wrote, checked by other eyes and put into
//! its place. Pure.

mod boxes;
mod fragment;
mod init;
mod obu;
mod place;
mod stills;

pub use boxes::{BoxError, Boxes, Reader};
pub use fragment::{Coding, Fragment, FragmentError};
pub use init::{Init, InitError, Media};
pub use place::place;
pub use stills::{Still, stills};
