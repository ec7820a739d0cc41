//! `getDeltaChannelHistory`.
//!
//! 1. Read, in one state of the store, for each channel the ancestors up to the nearest one with
//!    a value, and their writes to it: two statements, however long the walk.
//! 2. Read the chunks, level by level.
//!
//! As in `list`, everything is read once more where a chunk is missing.

use std::collections::{BTreeMap, BTreeSet};

use super::tuples::{Gathers, StoredWrite, Trouble, place};
use super::{Progress, set};
use crate::call;
use crate::config;
use crate::dialect::sqlite;
use crate::error::Error;
use crate::format::checkpoint::{CheckpointColumns, CheckpointEnvelope, StoredValue};
use crate::outcome::{ChannelHistory, Outcome};
use crate::row::{Row, rows};
use crate::statement::RowSet;

/// The histories of some channels.
#[derive(Debug)]
pub(super) struct DeltaHistory {
    thread_id: String,
    checkpoint_ns: String,
    checkpoint_id: Option<String>,
    channels: Vec<String>,
    walks: BTreeMap<String, Walk>,
    gathers: Gathers,
    stage: Stage,
    again: bool,
}

/// Which answer comes next.
#[derive(Debug)]
enum Stage {
    Walks,
    Chunks,
}

/// The ancestors of one channel.
#[derive(Debug, Default)]
struct Walk {
    /// The target's parent.
    begin: Option<String>,
    /// Each ancestor's parent.
    parents: BTreeMap<String, Option<String>>,
    seed: Option<Seed>,
    writes: Vec<StoredWrite>,
}

/// The value at the nearest ancestor that has one.
#[derive(Debug)]
struct Seed {
    thread_key: i64,
    checkpoint_id: String,
    value: StoredValue,
}

impl DeltaHistory {
    pub(super) fn start(call: call::DeltaChannelHistory) -> Result<(Self, Progress), Error> {
        let thread_id = config::optional_thread_id(&call.config)?;
        let mut seen = BTreeSet::new();
        let mut channels = call.channels;
        channels.retain(|channel| seen.insert(channel.clone()));
        let mut history = Self {
            checkpoint_ns: config::optional_checkpoint_ns(&call.config)?.unwrap_or_default(),
            checkpoint_id: config::checkpoint_id(&call.config)?,
            channels,
            walks: BTreeMap::new(),
            gathers: Gathers::default(),
            stage: Stage::Walks,
            again: false,
            thread_id: thread_id.clone().unwrap_or_default(),
        };
        let progress = if thread_id.is_none() || history.channels.is_empty() {
            history.done()?
        } else {
            history.walk()
        };
        Ok((history, progress))
    }

    pub(super) fn advance(&mut self, sets: &[RowSet]) -> Result<Progress, Error> {
        match self.stage {
            Stage::Walks => {
                for row in rows(set(sets, 0)?, "lg_checkpoints") {
                    self.ancestor(row)?;
                }
                for write in StoredWrite::read(set(sets, 1)?)? {
                    self.gathers.want(write.thread_key, &write.value);
                    self.walks.entry(write.channel.clone()).or_default().writes.push(write);
                }
                self.stage = Stage::Chunks;
            }
            Stage::Chunks => self.gathers.take(sets)?,
        }
        match self.gathers.round() {
            Some(round) => Ok(round),
            None => self.done(),
        }
    }

    fn walk(&mut self) -> Progress {
        self.stage = Stage::Walks;
        let id = self.checkpoint_id.as_deref();
        let (thread_id, ns) = (&self.thread_id, &self.checkpoint_ns);
        Progress::read(vec![
            sqlite::ancestors(thread_id, ns, id, &self.channels),
            sqlite::ancestors_writes(thread_id, ns, id, &self.channels),
        ])
    }

    fn ancestor(&mut self, mut row: Row<'_>) -> Result<(), Error> {
        let channel = row.text("channel")?;
        let begin = row.optional_text("parent of the target")?;
        let thread_key = row.integer("thread_key")?;
        let checkpoint_id = row.text("checkpoint_id")?;
        let parent_checkpoint_id = row.optional_text("parent_checkpoint_id")?;
        let found = row.integer("found")? != 0;
        let walk = self.walks.entry(channel.to_owned()).or_default();
        walk.begin = begin.map(str::to_owned);
        walk.parents.insert(checkpoint_id.to_owned(), parent_checkpoint_id.map(str::to_owned));
        if !found {
            return Ok(());
        }
        let columns = CheckpointColumns {
            checkpoint_id,
            parent_checkpoint_id,
            created_at: row.text("created_at")?,
            metadata: row.blob("metadata")?,
        };
        let here = || place(&self.thread_id, &self.checkpoint_ns, checkpoint_id);
        let envelope = CheckpointEnvelope::open(row.blob("envelope")?, columns, &here)?;
        let Some(stored) = envelope.values.into_iter().find(|stored| stored.channel == channel)
        else {
            return Err(Error::corrupt(
                "damaged-envelope",
                format!(
                    "{} has no value of channel {channel}, as its row says; restore it",
                    here()
                ),
            ));
        };
        self.gathers.want(thread_key, &stored.value);
        let checkpoint_id = checkpoint_id.to_owned();
        walk.seed = Some(Seed { thread_key, checkpoint_id, value: stored.value });
        Ok(())
    }

    fn done(&mut self) -> Result<Progress, Error> {
        match self.histories() {
            Ok(histories) => Ok(Progress::Done(Outcome::History(histories))),
            Err(Trouble::Missing(_)) if !self.again => {
                self.again = true;
                self.walks = BTreeMap::new();
                self.gathers = Gathers::default();
                Ok(self.walk())
            }
            Err(Trouble::Missing(error) | Trouble::Final(error)) => Err(error),
        }
    }

    fn histories(&self) -> Result<Vec<ChannelHistory>, Trouble> {
        let empty = Walk::default();
        let history = |channel: &String| {
            let walk = self.walks.get(channel).unwrap_or(&empty);
            let order = walk.order();
            let mut writes: Vec<_> = walk
                .writes
                .iter()
                .filter_map(|write| Some((*order.get(write.checkpoint_id.as_str())?, write)))
                .collect();
            // Stable: the writes of one ancestor keep their order.
            writes.sort_by_key(|(steps_back, _)| std::cmp::Reverse(*steps_back));
            let writes = writes
                .into_iter()
                .map(|(_, write)| write.pending(&self.gathers, &self.thread_id))
                .collect::<Result<_, _>>()?;
            let seed = walk.seed.as_ref().map(|seed| {
                self.gathers.join(seed.thread_key, &seed.value).map_err(|loss| {
                    let here = place(&self.thread_id, &self.checkpoint_ns, &seed.checkpoint_id);
                    loss.at(|| format!("channel {channel} of {here}"))
                })
            });
            Ok(ChannelHistory { channel: channel.clone(), writes, seed: seed.transpose()? })
        };
        self.channels.iter().map(history).collect()
    }
}

impl Walk {
    /// How many steps back from the target's parent each ancestor is.
    fn order(&self) -> BTreeMap<&str, usize> {
        let mut order = BTreeMap::new();
        let mut next = self.begin.as_deref();
        while let Some(checkpoint_id) = next {
            let Some(parent) = self.parents.get(checkpoint_id) else {
                break;
            };
            if order.contains_key(checkpoint_id) {
                break;
            }
            order.insert(checkpoint_id, order.len());
            next = parent.as_deref();
        }
        order
    }
}
