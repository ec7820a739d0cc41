//! What a command that moves threads found on the way, for people and for programs.

use serde_json::{Value, json};

/// At most this many threads of a note or a problem are named. The others are counted.
const NAMED_MAX: usize = 20;

/// What was found, by code.
#[derive(Default)]
pub(crate) struct Findings {
    /// What was stored in an older or ambiguous way, or is stored otherwise.
    notes: Vec<Found>,
    /// What was left out, and why.
    problems: Vec<Found>,
}

/// Something found in several checkpoints.
struct Found {
    code: String,
    message: String,
    count: u64,
    /// Some of their threads.
    threads: Vec<String>,
}

impl Findings {
    /// Whether nothing was left out.
    pub(crate) fn is_complete(&self) -> bool {
        self.problems.is_empty()
    }

    /// Adds a note about a checkpoint of a thread.
    pub(crate) fn note(&mut self, thread: &str, code: &str, message: &str) {
        add(&mut self.notes, thread, code, message);
    }

    /// Adds a problem with a thread or a checkpoint.
    pub(crate) fn problem(&mut self, thread: &str, code: &str, message: &str) {
        add(&mut self.problems, thread, code, message);
    }

    /// The findings in words, two lines each.
    pub(crate) fn to_text(&self) -> String {
        let notes = self.notes.iter().map(|found| found.to_text("note"));
        notes.chain(self.problems.iter().map(|found| found.to_text("problem"))).collect()
    }

    /// The notes and the problems.
    pub(crate) fn to_json(&self) -> [Value; 2] {
        [&self.notes, &self.problems].map(|list| list.iter().map(Found::to_json).collect())
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
