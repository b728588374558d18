//! Listeners, connections, time-outs, graceful shutdown; one runtime a core.
