//! What several test suites share: drivers of the guest on real SQLite and on a Kusto, transcripts
//! and their runner, the reference model, what a shim does with what it knows.

pub mod caller;
pub mod editor;
pub mod kusto;
pub mod model;
pub mod native;
pub mod transcript;
