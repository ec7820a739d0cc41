//! The outline of a thread: its checkpoints and writes without their envelopes. It says what hangs
//! together, and is small enough to hold for a whole thread.

use std::collections::{BTreeMap, BTreeSet};

use super::row::rows;
use super::tuples::checkpoint_in_words;
use crate::contract::error::Error;
use crate::contract::statement::RowSet;
use crate::format::checkpoint::LinkColumns;
use crate::format::json;
use crate::operations::ask::{Ask, Checkpoints, RecordKey, Step};

/// The records of a page.
const PAGE_RECORDS: u64 = 4096;

/// The number of a channel's name in its outline.
pub(super) type Name = u32;

/// A thread's checkpoints by namespace and id.
#[derive(Debug, Default)]
pub(super) struct Outline {
    pub(super) thread_id: String,
    /// The thread's key; `None` if the thread does not exist.
    pub(super) thread_key: Option<i64>,
    /// `None` if the store keeps the chunks of a thread that stays.
    pub(super) generation: Option<i64>,
    pub(super) namespaces: BTreeMap<String, BTreeMap<String, Seen>>,
    names: BTreeMap<String, Name>,
    last: Option<RecordKey>,
    /// The runs whose checkpoints are marked.
    runs: Vec<String>,
}

/// A checkpoint, or the place of one that has writes and is not stored.
#[derive(Debug, Default)]
pub(super) struct Seen {
    pub(super) is_stored: bool,
    pub(super) parent: Option<String>,
    pub(super) created_at: String,
    /// The channels with a value.
    pub(super) channels: BTreeSet<Name>,
    /// The channels with a pending write.
    pub(super) written: BTreeSet<Name>,
    /// The number of pending writes.
    pub(super) writes: u64,
    /// Whether it belongs to one of the runs.
    pub(super) is_of_run: bool,
}

impl Outline {
    pub(super) fn of(thread_id: String, runs: Vec<String>) -> Self {
        Self { thread_id, runs, ..Self::default() }
    }

    /// The read of the next page. Checkpoints are read before their ancestors: what was stored of
    /// an ancestor before a checkpoint is seen with it.
    pub(super) fn page(&self) -> Step {
        Step::ask(Ask::Outline {
            thread_id: self.thread_id.clone(),
            runs: self.runs.clone(),
            before: self.last.clone(),
            count: PAGE_RECORDS,
        })
    }

    /// Takes a page. Returns whether it was the last one.
    #[inline(never)]
    pub(super) fn take(&mut self, set: &RowSet) -> Result<bool, Error> {
        for mut row in rows(set, "lg_records") {
            self.thread_key = Some(row.integer("thread_key")?);
            self.generation = row.optional_integer("generation")?;
            let ns = row.text("checkpoint_ns")?;
            let id = row.text("checkpoint_id")?;
            let task_id = row.text("task_id")?;
            let idx = row.integer("idx")?;
            self.last = Some((ns.to_owned(), id.to_owned(), task_id.to_owned(), idx));
            if task_id.is_empty() {
                let parent = row.optional_text("parent_checkpoint_id")?;
                let channels = row.text("channels")?;
                let link = row.blob("envelope")?;
                let columns = LinkColumns {
                    thread_id: &self.thread_id,
                    checkpoint_ns: ns,
                    checkpoint_id: id,
                    parent_checkpoint_id: parent,
                };
                let strings = json::strings(channels).filter(|_| columns.is(channels, link));
                let Some(strings) = strings else {
                    return Err(columns.damaged(&checkpoint_in_words(&self.thread_id, ns, id)));
                };
                let created_at = row.text("created_at")?.to_owned();
                let is_of_run = row.integer("is_of_run")? != 0;
                let channels = strings.iter().map(|channel| self.name(channel)).collect();
                let seen = self.seen(ns, id);
                seen.is_stored = true;
                seen.parent = parent.map(str::to_owned);
                seen.channels = channels;
                seen.created_at = created_at;
                seen.is_of_run = is_of_run;
            } else {
                let name = self.name(row.text("channel")?);
                let seen = self.seen(ns, id);
                seen.written.insert(name);
                seen.writes += 1;
            }
        }
        Ok((set.rows.len() as u64) < PAGE_RECORDS)
    }

    /// The number of a name.
    pub(super) fn name(&mut self, channel: &str) -> Name {
        if let Some(name) = self.names.get(channel) {
            return *name;
        }
        let name = self.names.len() as Name;
        self.names.insert(channel.to_owned(), name);
        name
    }

    /// The number of a name that is in the outline.
    pub(super) fn number(&self, channel: &str) -> Option<Name> {
        self.names.get(channel).copied()
    }

    /// Whether a checkpoint has a pending write to this channel.
    pub(super) fn has_writes_to(&self, seen: &Seen, channel: &str) -> bool {
        self.number(channel).is_some_and(|name| seen.written.contains(&name))
    }

    /// The place of a checkpoint; `None` if nothing is stored there.
    pub(super) fn get(&self, ns: &str, id: &str) -> Option<&Seen> {
        self.namespaces.get(ns)?.get(id)
    }

    /// Whether this checkpoint is stored.
    pub(super) fn has(&self, ns: &str, id: &str) -> bool {
        self.get(ns, id).is_some_and(|seen| seen.is_stored)
    }

    /// How many checkpoints there are, and the newest one's id.
    pub(super) fn checkpoints(&self) -> Checkpoints {
        let places = self.namespaces.values().flatten();
        let mut all = Checkpoints::default();
        for (id, _) in places.filter(|(_, seen)| seen.is_stored) {
            all.count += 1;
            if *id > all.newest {
                all.newest.clone_from(id);
            }
        }
        all
    }

    /// Whether every checkpoint was put before this time.
    pub(super) fn is_idle(&self, ts: &str) -> bool {
        let places = self.namespaces.values().flat_map(BTreeMap::values);
        places.filter(|seen| seen.is_stored).all(|seen| seen.created_at.as_str() < ts)
    }

    /// Takes the place of a checkpoint out.
    pub(super) fn remove(&mut self, ns: &str, id: &str) -> Option<Seen> {
        self.namespaces.get_mut(ns)?.remove(id)
    }

    fn seen(&mut self, ns: &str, id: &str) -> &mut Seen {
        let namespace = self.namespaces.entry(ns.to_owned()).or_default();
        namespace.entry(id.to_owned()).or_default()
    }
}
