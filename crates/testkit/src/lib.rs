//! What tests share. A dev-dependency only.
//!
//! [`upstream`]: an HTTP server that answers by a script, over streams in memory, so that a paused clock decides when.
//! [`http2`]: an HTTP/2 client that writes every byte itself, and a table of what the protocol asks.
//! [`s3`]: an S3 server process. [`nats`]: a NATS server with JetStream.
//! [`kills`]: a disk store whose process is killed again and again.
//! [`plans`]: day plans. [`packages`]: packages that no encoder made. [`loopback`]: an address of one's own.

pub mod http2;
pub mod kills;
pub mod loopback;
pub mod nats;
pub mod packages;
pub mod plans;
pub mod s3;
pub mod upstream;
