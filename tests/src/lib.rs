//! Tests across hosts.
