//! The text of statements, by store.

pub(crate) mod sqlite;
