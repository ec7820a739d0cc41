//! `getDeltaChannelHistory`.
//!
//! 1. Read, in one state of the store, the nearest ancestor with a value of each channel, and the
//!    writes to the channel of the ancestors up to that one. This is one statement, however long
//!    the walk.
//! 2. Read the chunks, level by level.
//!
//! If a known history begins at one of the ancestors, the checksums of the rows from there back are
//! compared with the known ones. If they are equal, only what comes after that ancestor is read;
//! else everything is read.
//!
//! As in `getTuple`, the operation starts over if a chunk is missing and the thread was deleted or
//! pruned meanwhile.

use std::collections::{BTreeMap, BTreeSet};

use super::tuples::{Attempts, Gathers, StoredWrite, Trouble, checkpoint_in_words, generations};
use super::{page, set};
use crate::contract::call;
use crate::contract::config;
use crate::contract::error::Error;
use crate::contract::outcome::{ChannelHistory, Outcome};
use crate::contract::statement::RowSet;
use crate::format::checkpoint::{CheckpointColumns, CheckpointEnvelope, LinkColumns, StoredValue};
use crate::format::checksum_text;
use crate::format::known_history::KnownHistory;
use crate::operations::ask::{Ask, KNOWN, LINK, SEED, Step};
use crate::operations::row::{Row, rows};

/// The number of a write's columns before its envelope.
const WRITE_ENVELOPE: usize = 7;

/// The histories of some channels.
#[derive(Debug)]
pub(super) struct DeltaHistory {
    thread_id: String,
    checkpoint_ns: String,
    checkpoint_id: Option<String>,
    channels: Vec<String>,
    known: BTreeMap<String, KnownHistory>,
    walks: BTreeMap<String, Walk>,
    /// The thread's generation at the walk; `None` if the store does not say it.
    generation: Option<i64>,
    gathers: Gathers,
    stage: Stage,
    attempts: Attempts,
}

/// Which answer comes next.
#[derive(Debug)]
enum Stage {
    Walks,
    Chunks,
    Threads,
}

/// What a walk over the ancestors has found of one channel.
#[derive(Debug, Default)]
struct Walk {
    seed: Option<Seed>,
    /// The writes with the number of steps from the target's parent, the farthest ancestor's first.
    writes: Vec<(i64, StoredWrite)>,
    /// The ancestor whose writes are being read, with those read so far.
    ancestor: Option<Ancestor>,
    /// The fewest steps to each ancestor, by its id. In a circle of parents an ancestor appears
    /// again with more steps.
    nearest: BTreeMap<String, i64>,
    /// The ancestor of the last write.
    last: Option<String>,
    /// Whether an ancestor appeared with different steps: there is a circle of parents.
    circles: bool,
    /// Whether the writes continue the known history.
    goes_on: bool,
    /// Two texts: the checksums of the known history, or of the seed followed by a slash; and the
    /// checksums of the writes.
    checksums: (Option<String>, String),
}

/// The steps to an ancestor, its id, and the tasks and places of its writes.
type Ancestor = (i64, String, BTreeSet<(String, i64)>);

/// The value at the nearest ancestor that has one.
#[derive(Debug)]
struct Seed {
    thread_key: i64,
    checkpoint_id: String,
    value: StoredValue,
}

impl Walk {
    /// Whether a write is acceptable after those before it: it belongs to the ancestor at its
    /// number of steps, its place is not taken, and it has no more steps than the one before it.
    fn is_next(&mut self, steps: i64, write: &StoredWrite) -> bool {
        let (_, task_id, idx) = write.order();
        let place = (task_id.to_owned(), idx);
        match &mut self.ancestor {
            Some((at, id, places)) if *at == steps => {
                *id == write.checkpoint_id && places.insert(place)
            }
            Some((at, ..)) if *at < steps => false,
            ancestor => {
                *ancestor = Some((steps, write.checkpoint_id.clone(), BTreeSet::from([place])));
                true
            }
        }
    }
}

impl DeltaHistory {
    #[inline(never)]
    pub(super) fn start(call: call::DeltaChannelHistory) -> Result<(Self, Step), Error> {
        let thread_id = config::optional_thread_id(&call.config)?;
        let mut seen = BTreeSet::new();
        let mut channels = call.channels;
        channels.retain(|channel| seen.insert(channel.clone()));
        let checkpoint_ns = config::optional_checkpoint_ns(&call.config)?.unwrap_or_default();
        let mut known = BTreeMap::new();
        for bytes in &call.known {
            let thread_id = thread_id.as_deref().unwrap_or_default();
            let history = KnownHistory::from_bytes(bytes, thread_id, &checkpoint_ns)?;
            known.insert(history.channel.clone(), history);
        }
        let mut history = Self {
            checkpoint_ns,
            checkpoint_id: config::checkpoint_id(&call.config)?,
            channels,
            known,
            walks: BTreeMap::new(),
            generation: None,
            gathers: Gathers::default(),
            stage: Stage::Walks,
            attempts: Attempts::default(),
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
                let mut holds = true;
                for mut row in rows(set(sets, 0)?, "lg_checkpoints") {
                    let part = row.integer("part")?;
                    let steps = row.integer("steps")?;
                    match part {
                        SEED => self.seed(row)?,
                        KNOWN => holds &= self.goes_on(row)?,
                        LINK => self.check_link(row)?,
                        _ => self.write(steps, row.of("lg_writes"))?,
                    }
                }
                if !holds {
                    self.known = BTreeMap::new();
                    return Ok(self.walk_again());
                }
                self.stage = Stage::Chunks;
            }
            Stage::Chunks => self.gathers.take(sets)?,
            Stage::Threads => {
                let there = generations(set(sets, 0)?)?;
                let is_as_it_was = |key| {
                    let now = there.get(&key);
                    now.is_some_and(|now| self.generation.is_none_or(|then| then == *now))
                };
                if !self.gathers.threads().all(is_as_it_was) {
                    self.attempts.next()?;
                    return Ok(self.walk_again());
                }
                return match self.histories() {
                    Ok(histories) => Ok(Step::Done(Outcome::History(histories))),
                    Err(Trouble::Missing(error) | Trouble::Final(error)) => Err(error),
                };
            }
        }
        match self.gathers.round() {
            Some(round) => Ok(round),
            None => self.done(),
        }
    }

    fn walk_again(&mut self) -> Step {
        self.walks = BTreeMap::new();
        self.gathers = Gathers::default();
        self.walk()
    }

    fn walk(&mut self) -> Step {
        self.stage = Stage::Walks;
        let known = |channel: &String| {
            let ancestor = self.known.get(channel).map(|known| known.checkpoint_id.clone());
            (channel.clone(), ancestor)
        };
        Step::ask(Ask::Ancestors {
            thread_id: self.thread_id.clone(),
            checkpoint_ns: self.checkpoint_ns.clone(),
            checkpoint_id: self.checkpoint_id.clone(),
            channels: self.channels.iter().map(known).collect(),
        })
    }

    /// Takes a `KNOWN` row. Returns whether the known history still holds; also true if the walk
    /// did not meet its ancestor.
    fn goes_on(&mut self, mut row: Row<'_>) -> Result<bool, Error> {
        row.integer("thread_key")?;
        let is_met = row.integer("known")? != 0;
        let channel = row.text("channel")?;
        let checksums = row.text("checksums")?;
        if !is_met {
            return Ok(true);
        }
        let walk = self.walks.entry(channel.to_owned()).or_default();
        walk.goes_on = true;
        walk.checksums.0 = Some(checksums.to_owned());
        Ok(self.known.get(channel).is_some_and(|known| known.has(checksums)))
    }

    /// Takes a `LINK` row. Refuses an ancestor whose columns are not those it was stored with.
    fn check_link(&mut self, mut row: Row<'_>) -> Result<(), Error> {
        row.integer("thread_key")?;
        self.generation = Some(row.integer("generation")?);
        row.text("channel")?;
        let columns = LinkColumns {
            thread_id: &self.thread_id,
            checkpoint_ns: row.text("checkpoint_ns")?,
            checkpoint_id: row.text("checkpoint_id")?,
            parent_checkpoint_id: row.optional_text("parent_checkpoint_id")?,
        };
        let channels = row.text("channels")?;
        if columns.is(channels, row.blob("envelope")?) {
            return Ok(());
        }
        let here =
            checkpoint_in_words(&self.thread_id, columns.checkpoint_ns, columns.checkpoint_id);
        Err(columns.damaged(&here))
    }

    fn write(&mut self, steps: i64, row: Row<'_>) -> Result<(), Error> {
        let checksum = checksum_text(row.blob_ahead(WRITE_ENVELOPE));
        let write = StoredWrite::from_row(row, &self.thread_id)?;
        if write.checkpoint_ns != self.checkpoint_ns {
            return Err(page::misplaced_write(&write));
        }
        if !self.channels.contains(&write.channel) {
            return Ok(());
        }
        self.gathers.want(write.thread_key, &write.value);
        if !self.walks.contains_key(&write.channel) {
            self.walks.insert(write.channel.clone(), Walk::default());
        }
        if let Some(walk) = self.walks.get_mut(&write.channel) {
            if !walk.is_next(steps, &write) {
                return Err(page::misplaced_write(&write));
            }
            match walk.nearest.get_mut(&write.checkpoint_id) {
                Some(nearest) => {
                    walk.circles |= *nearest != steps;
                    *nearest = steps;
                }
                None => {
                    walk.nearest.insert(write.checkpoint_id.clone(), steps);
                }
            }
            walk.checksums.1 += &checksum;
            walk.last = Some(write.checkpoint_id.clone());
            walk.writes.push((steps, write));
        }
        Ok(())
    }

    fn seed(&mut self, mut row: Row<'_>) -> Result<(), Error> {
        let thread_key = row.integer("thread_key")?;
        row.integer("found")?;
        let channel = row.text("channel")?;
        let link = LinkColumns {
            thread_id: &self.thread_id,
            checkpoint_ns: row.text("checkpoint_ns")?,
            checkpoint_id: row.text("checkpoint_id")?,
            parent_checkpoint_id: row.optional_text("parent_checkpoint_id")?,
        };
        let (created_at, metadata) = (row.text("created_at")?, row.blob("metadata")?);
        let sealed = row.blob("envelope")?;
        let channels = row.optional_text("channels")?;
        let columns = CheckpointColumns { link, channels, created_at, metadata };
        let checkpoint_id = link.checkpoint_id;
        let here = || checkpoint_in_words(&self.thread_id, &self.checkpoint_ns, checkpoint_id);
        let envelope = CheckpointEnvelope::open(sealed, columns, &here)?;
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
        if walk.seed.as_ref().is_some_and(|seed| seed.checkpoint_id != checkpoint_id) {
            let here = checkpoint_in_words(&self.thread_id, &self.checkpoint_ns, &checkpoint_id);
            return Err(page::misplaced(&here));
        }
        walk.checksums.0 = Some(checksum_text(sealed) + "/");
        walk.seed = Some(Seed { thread_key, checkpoint_id, value: stored.value });
        Ok(())
    }

    fn done(&mut self) -> Result<Step, Error> {
        match self.histories() {
            Ok(histories) => Ok(Step::Done(Outcome::History(histories))),
            Err(Trouble::Missing(_)) => {
                self.stage = Stage::Threads;
                Ok(Step::ask(Ask::Threads { keys: self.gathers.threads().collect() }))
            }
            Err(Trouble::Final(error)) => Err(error),
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
                    let here = checkpoint_in_words(
                        &self.thread_id,
                        &self.checkpoint_ns,
                        &seed.checkpoint_id,
                    );
                    loss.at(|| format!("channel {channel} of {here}"))
                })
            });
            let known = self.known_now(channel, walk).map_err(Trouble::Final)?;
            let (channel, seed, goes_on) = (channel.clone(), seed.transpose()?, walk.goes_on);
            Ok(ChannelHistory { channel, goes_on, writes, seed, known })
        };
        self.channels.iter().map(history).collect()
    }

    /// The `known` of a walk's history; `None` if there is nothing to go on from. Also `None` in a
    /// circle of parents, because there the rows before an ancestor depend on how often the walk
    /// passed it.
    fn known_now(&self, channel: &str, walk: &Walk) -> Result<Option<Vec<u8>>, Error> {
        let seed = walk.seed.as_ref().map(|seed| &seed.checkpoint_id);
        let known = self.known.get(channel).filter(|_| walk.goes_on);
        let before = known.map(|known| &known.checkpoint_id).or(seed);
        let nearest = walk.last.as_ref().or(before).filter(|_| !walk.circles);
        let (before, writes) = &walk.checksums;
        let checksums = before.as_deref().unwrap_or("/").to_owned() + writes;
        let bytes = |id: &String| {
            let known = KnownHistory::new(channel, id, &checksums);
            known.to_bytes(&self.thread_id, &self.checkpoint_ns)
        };
        nearest.map(bytes).transpose()
    }
}
