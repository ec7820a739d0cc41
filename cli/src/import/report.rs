//! What an import has done, for people and for programs.

use serde_json::{Value, json};

use crate::findings::Findings;
use crate::output::size_of;

/// What an import has done.
#[derive(Default)]
pub(super) struct Report {
    /// How many threads the source has.
    pub(super) found: usize,
    /// How many were stored, at least in part. In a dry run: that would be.
    pub(super) imported: u64,
    /// How many the target had already, equal.
    pub(super) present: u64,
    /// How many were left alone, because the target has something else.
    pub(super) conflicting: u64,
    /// Checkpoints that were stored.
    pub(super) checkpoints: u64,
    /// Tasks whose writes were stored.
    pub(super) tasks: u64,
    /// Bytes of the checkpoints and writes that were read.
    pub(super) bytes_read: u64,
    /// Checkpoints that were compared.
    pub(super) compared: u64,
    /// How many of them differ.
    pub(super) different: u64,
    /// What was found on the way.
    pub(super) findings: Findings,
}

impl Report {
    /// The report in words.
    pub(super) fn to_text(&self, dry_run: bool, verify: bool) -> String {
        let would = if dry_run { "would be " } else { "" };
        let mut text = format!(
            "{} threads: {} {would}imported, {} there already, {} left alone\n\
             {} checkpoints and the writes of {} tasks {would}stored, of {} read\n",
            self.found,
            self.imported,
            self.present,
            self.conflicting,
            self.checkpoints,
            self.tasks,
            size_of(self.bytes_read),
        );
        if verify {
            let (compared, different) = (self.compared, self.different);
            text += &format!("{compared} checkpoints compared, {different} differ\n");
        }
        text + &self.findings.to_text()
    }

    pub(super) fn to_json(&self) -> Value {
        let [notes, problems] = self.findings.to_json();
        json!({
            "threads": {
                "found": self.found,
                "imported": self.imported,
                "present": self.present,
                "conflicting": self.conflicting,
            },
            "stored": { "checkpoints": self.checkpoints, "tasks": self.tasks },
            "bytesRead": self.bytes_read,
            "notes": notes,
            "problems": problems,
        })
    }
}
