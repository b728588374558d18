//! A shared HTTP cache in front of any origin.
