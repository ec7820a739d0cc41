//! What several test suites share: a driver of the guest on real SQLite, transcripts and their
//! runner, the reference model, what a shim does with what it knows.

pub mod editor;
pub mod model;
pub mod native;
pub mod transcript;
