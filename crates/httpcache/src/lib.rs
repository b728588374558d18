//! RFC 9110, 9111 and 5861 as pure functions.
