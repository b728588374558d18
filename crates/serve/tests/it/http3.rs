//! HTTP/3, by a client that is not ours (h3), by one that may write anything into QUIC's streams, and by bare UDP.

mod abuse;
mod client;
mod requests;
mod transport;
