//! What tests share: scripted upstreams, generated clips, fake stores.
