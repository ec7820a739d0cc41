//! `getDeltaChannelHistory`.
//!
//! 1. Read, in one state of the store, for each channel the nearest ancestor with a value, and
//!    the writes to it of the ancestors up to that one: one statement, however long the walk.
//! 2. Read the chunks, level by level.
//!
//! As in `list`, everything is read once more where a chunk is missing.

use std::collections::{BTreeMap, BTreeSet};

use super::set;
use super::tuples::{Gathers, StoredWrite, Trouble, place};
use crate::ask::{Ask, SEED, Step};
use crate::call;
use crate::config;
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

/// What the ancestors have of one channel.
#[derive(Debug, Default)]
struct Walk {
    seed: Option<Seed>,
    /// The farthest ancestor's first, with how many steps from the target's parent it is.
    writes: Vec<(i64, StoredWrite)>,
    /// Each ancestor's fewest steps, by its id. A circle of parents brings it up again.
    nearest: BTreeMap<String, i64>,
}

/// The value at the nearest ancestor that has one.
#[derive(Debug)]
struct Seed {
    thread_key: i64,
    checkpoint_id: String,
    value: StoredValue,
}

impl DeltaHistory {
    #[inline(never)]
    pub(super) fn start(call: call::DeltaChannelHistory) -> Result<(Self, Step), Error> {
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
        let step = if thread_id.is_none() || history.channels.is_empty() {
            history.done()?
        } else {
            history.walk()
        };
        Ok((history, step))
    }

    #[inline(never)]
    pub(super) fn advance(&mut self, sets: &[RowSet]) -> Result<Step, Error> {
        match self.stage {
            Stage::Walks => {
                for mut row in rows(set(sets, 0)?, "lg_checkpoints") {
                    let part = row.integer("part")?;
                    let steps = row.integer("steps")?;
                    match part {
                        SEED => self.seed(row)?,
                        _ => self.write(steps, row.of("lg_writes"))?,
                    }
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

    fn walk(&mut self) -> Step {
        self.stage = Stage::Walks;
        Step::ask(Ask::Ancestors {
            thread_id: self.thread_id.clone(),
            checkpoint_ns: self.checkpoint_ns.clone(),
            checkpoint_id: self.checkpoint_id.clone(),
            channels: self.channels.clone(),
        })
    }

    fn write(&mut self, steps: i64, row: Row<'_>) -> Result<(), Error> {
        let write = StoredWrite::from_row(row)?;
        self.gathers.want(write.thread_key, &write.value);
        if !self.walks.contains_key(&write.channel) {
            self.walks.insert(write.channel.clone(), Walk::default());
        }
        if let Some(walk) = self.walks.get_mut(&write.channel) {
            // The rows come with ever fewer steps.
            match walk.nearest.get_mut(&write.checkpoint_id) {
                Some(nearest) => *nearest = steps,
                None => {
                    walk.nearest.insert(write.checkpoint_id.clone(), steps);
                }
            }
            walk.writes.push((steps, write));
        }
        Ok(())
    }

    fn seed(&mut self, mut row: Row<'_>) -> Result<(), Error> {
        let thread_key = row.integer("thread_key")?;
        row.integer("found")?;
        let channel = row.text("channel")?;
        row.text("checkpoint_ns")?;
        let checkpoint_id = row.text("checkpoint_id")?;
        let parent_checkpoint_id = row.optional_text("parent_checkpoint_id")?;
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
        let walk = self.walks.entry(channel.to_owned()).or_default();
        walk.seed = Some(Seed { thread_key, checkpoint_id, value: stored.value });
        Ok(())
    }

    fn done(&mut self) -> Result<Step, Error> {
        match self.histories() {
            Ok(histories) => Ok(Step::Done(Outcome::History(histories))),
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
            let writes = walk
                .writes
                .iter()
                .filter(|(steps, write)| walk.nearest.get(&write.checkpoint_id) == Some(steps))
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
