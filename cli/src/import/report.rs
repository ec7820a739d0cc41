//! What an import has done, for people and for programs.

use serde_json::{Value, json};

use crate::output::size_of;

/// At most this many threads of a note or a problem are named. The others are counted.
const NAMED_MAX: usize = 20;

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
    /// What was stored in an older or ambiguous way.
    pub(super) notes: Vec<Found>,
    /// What was not imported, and why.
    pub(super) problems: Vec<Found>,
}

/// Something found in several checkpoints.
pub(super) struct Found {
    code: String,
    message: String,
    count: u64,
    /// Some of their threads.
    threads: Vec<String>,
}

impl Report {
    /// Whether everything in the source is in the target.
    pub(super) fn is_complete(&self) -> bool {
        self.problems.is_empty()
    }

    /// Adds a note about a checkpoint of a thread.
    pub(super) fn note(&mut self, thread: &str, code: &str, message: &str) {
        add(&mut self.notes, thread, code, message);
    }

    /// Adds a problem with a thread or a checkpoint.
    pub(super) fn problem(&mut self, thread: &str, code: &str, message: &str) {
        add(&mut self.problems, thread, code, message);
    }

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
        text += &self.notes.iter().map(|found| found.to_text("note")).collect::<String>();
        text + &self.problems.iter().map(|found| found.to_text("problem")).collect::<String>()
    }

    pub(super) fn to_json(&self) -> Value {
        json!({
            "threads": {
                "found": self.found,
                "imported": self.imported,
                "present": self.present,
                "conflicting": self.conflicting,
            },
            "stored": { "checkpoints": self.checkpoints, "tasks": self.tasks },
            "bytesRead": self.bytes_read,
            "notes": self.notes.iter().map(Found::to_json).collect::<Value>(),
            "problems": self.problems.iter().map(Found::to_json).collect::<Value>(),
        })
    }
}

impl Found {
    fn to_text(&self, kind: &str) -> String {
        let Self { code, message, count, threads } = self;
        let threads = threads.iter().map(|thread| Value::from(thread.as_str()).to_string());
        let threads = threads.collect::<Vec<_>>().join(", ");
        format!("{kind} {code}, {count} times, first: {message}\n  threads: {threads}\n")
    }

    fn to_json(&self) -> Value {
        let Self { code, message, count, threads } = self;
        json!({ "code": code, "message": message, "count": count, "threads": threads })
    }
}

fn add(list: &mut Vec<Found>, thread: &str, code: &str, message: &str) {
    let at = list.iter().position(|found| found.code == code).unwrap_or_else(|| {
        let (code, message) = (code.to_owned(), message.to_owned());
        list.push(Found { code, message, count: 0, threads: Vec::new() });
        list.len() - 1
    });
    let Some(Found { count, threads, .. }) = list.get_mut(at) else { return };
    *count += 1;
    if threads.len() < NAMED_MAX && !threads.iter().any(|named| named == thread) {
        threads.push(thread.to_owned());
    }
}
