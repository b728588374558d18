//! Serves packages, pointers, the catalogue and the player from a store.
