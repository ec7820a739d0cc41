//! What an export has done, for people and for programs.

use serde_json::{Value, json};

use crate::findings::Findings;

/// What an export has done.
#[derive(Default)]
pub(super) struct Report {
    /// How many threads the source has.
    pub(super) found: u64,
    /// How many were stored, at least in part.
    pub(super) exported: u64,
    /// How many the target had already.
    pub(super) present: u64,
    /// How many were left alone, because the target has something else.
    pub(super) conflicting: u64,
    /// Checkpoints that were stored.
    pub(super) checkpoints: u64,
    /// Writes that were stored.
    pub(super) writes: u64,
    /// What was found on the way.
    pub(super) findings: Findings,
}

impl Report {
    /// The report in words.
    pub(super) fn to_text(&self) -> String {
        let Self { found, exported, present, conflicting, checkpoints, writes, findings } = self;
        format!(
            "{found} threads: {exported} exported, {present} there already, {conflicting} left \
             alone\n{checkpoints} checkpoints and {writes} writes stored\n{}",
            findings.to_text(),
        )
    }

    pub(super) fn to_json(&self) -> Value {
        let [notes, problems] = self.findings.to_json();
        json!({
            "threads": {
                "found": self.found,
                "exported": self.exported,
                "present": self.present,
                "conflicting": self.conflicting,
            },
            "stored": { "checkpoints": self.checkpoints, "writes": self.writes },
            "notes": notes,
            "problems": problems,
        })
    }
}
