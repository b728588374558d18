//! Metrics registry, logs, admin listener.
