//! The stock writes of a checkpoint as calls, one for each task.

use std::collections::BTreeMap;

use super::stock::{Note, StockRows};
use crate::contract::call::{Config, Id, NewWrite, Payload, PutWrites};
use crate::contract::error::Error;
use crate::format::places::{Place, place};
use crate::operations::row::rows;

/// A place further than this is not kept: to reach it, the call would have to fill those before it.
const PLACES_MAX: usize = 4096;

/// The writes of one task.
#[derive(Debug, Default)]
struct Task {
    path: String,
    /// Writes to special channels, one for each, and whether it was stored at its channel's place.
    special: Vec<(bool, NewWrite)>,
    /// Other writes, by their places.
    regular: BTreeMap<usize, NewWrite>,
    /// Other writes whose places no call can name.
    unplaced: Vec<NewWrite>,
}

/// The calls, in the order of the tasks' ids.
pub(super) fn calls(stock: &StockRows, notes: &mut Vec<Note>) -> Result<Vec<PutWrites>, Error> {
    let mut tasks: BTreeMap<String, Task> = BTreeMap::new();
    let mut found = Found::default();
    for mut row in rows(&stock.writes, "writes") {
        let task = tasks.entry(row.text("task_id")?.to_owned()).or_default();
        let path = row.text("task_path")?;
        if !path.is_empty() {
            path.clone_into(&mut task.path);
        }
        let idx = row.integer("idx")?;
        let channel = row.text("channel")?.to_owned();
        let kind = row.text("type")?.to_owned();
        let value = Payload { kind, bytes: row.blob("value")?.to_vec() };
        task.add(idx, NewWrite { channel, value }, &mut found);
    }
    let text = |text: &str| Id::Text(text.to_owned());
    let call = |(task_id, task): (String, Task)| PutWrites {
        config: Config {
            thread_id: text(&stock.thread_id),
            checkpoint_ns: text(&stock.checkpoint_ns),
            checkpoint_id: text(&stock.checkpoint_id),
            thread_ts: Id::Absent,
        },
        task_path: task.path.clone(),
        task_id: Id::Text(task_id),
        writes: task.in_order(&mut found),
    };
    let calls = tasks.into_iter().map(call).collect();
    found.note(notes);
    Ok(calls)
}

impl Task {
    /// Adds a write that is stored at `idx`. Rows come by ascending `idx`.
    fn add(&mut self, idx: i64, write: NewWrite, found: &mut Found) {
        let Place { idx: own, replaces } = place(&write.channel, 0);
        if replaces {
            let is_placed = idx == own;
            found.positional += usize::from(!is_placed);
            match self.special.iter_mut().find(|(_, before)| before.channel == write.channel) {
                None => self.special.push((is_placed, write)),
                Some(before) => {
                    found.repeated += 1;
                    // One at its place comes first, and is of a newer version.
                    if !before.0 {
                        *before = (is_placed, write);
                    }
                }
            }
            return;
        }
        match usize::try_from(idx) {
            Ok(at) if at < PLACES_MAX => {
                self.regular.insert(at, write);
            }
            _ => self.unplaced.push(write),
        }
    }

    /// The writes of the call that stores each one at its place.
    ///
    /// A call's positions are its places, except those of special writes. So these fill the
    /// positions that no other write has, the last one repeatedly: it replaces itself.
    fn in_order(self, found: &mut Found) -> Vec<NewWrite> {
        let Self { special, regular, unplaced, .. } = self;
        let mut left = special.into_iter().map(|(_, write)| write);
        let last_special = left.clone().next_back();
        let mut writes = Vec::new();
        for (at, write) in regular {
            while writes.len() < at {
                let Some(filler) = left.next().or_else(|| last_special.clone()) else {
                    found.moved += 1;
                    break;
                };
                writes.push(filler);
            }
            writes.push(write);
        }
        found.moved += unplaced.len();
        writes.extend(unplaced);
        writes.extend(left);
        writes
    }
}

/// How often something was found that the report names.
#[derive(Debug, Default)]
struct Found {
    positional: usize,
    repeated: usize,
    moved: usize,
}

impl Found {
    fn note(&self, notes: &mut Vec<Note>) {
        let mut note = |count: usize, code: &'static str, what: &str| {
            if count > 0 {
                notes.push(Note { code, message: format!("{count} {what}") });
            }
        };
        note(
            self.positional,
            "positional-special-writes",
            "writes to special channels were stored by their position, as before version 1.0.3 of \
             LangGraph.js's saver; each now has its channel's place",
        );
        note(
            self.repeated,
            "repeated-special-writes",
            "writes to special channels were left out, because the same task has a newer one to \
             the same channel",
        );
        note(
            self.moved,
            "moved-writes",
            "writes have another place than in the stock database, in the same order",
        );
    }
}
