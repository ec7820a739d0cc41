//! Shared by several test suites: drivers of the guest on real SQLite and on a Kusto, transcripts
//! and their runner, the reference model, and an editor that puts edits as a shim does.

pub mod caller;
pub mod editor;
pub mod kusto;
pub mod model;
pub mod native;
pub mod transcript;
