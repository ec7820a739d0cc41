//! `diff`: compares a checkpoint with an earlier one of its namespace, by hashes.
//!
//! 1. Find the thread.
//! 2. Read the checkpoint.
//! 3. Read the earlier one, and its writes.
//! 4. Read the spines of lists that differ, and level by level the nodes that only one of both has.
//!    A list of few small elements is one chunk.
//! 5. Only if values are asked for: read the chunks of what differs, level by level.
//! 6. Only if a chunk is missing: look whether the thread was deleted or pruned meanwhile, and then
//!    start over.

mod lists;

use std::collections::{BTreeMap, BTreeSet};

use super::found_thread::FoundThread;
use super::records::Records;
use super::row::set;
use super::tuples::{Attempts, Gathers, StoredCheckpoint, Trouble, chunks};
use crate::contract::call::{ChannelVersion, Diff as Call, Version};
use crate::contract::config::{self, Address};
use crate::contract::difference::{
    ChannelDifference, Difference, ElementDifference, PartSize, WriteSize,
};
use crate::contract::error::Error;
use crate::contract::outcome::Outcome;
use crate::contract::statement::RowSet;
use crate::format::checkpoint::StoredValue;
use crate::format::decode;
use crate::format::values::hash::{Hash, Role};
use crate::format::values::join::Loss;
use crate::format::values::piece::{Piece, Shape, Spine};
use crate::format::values::split;
use crate::operations::ask::{Ask, Step};
use lists::{Item, Lists};

/// A comparison under way.
#[derive(Debug)]
pub(super) struct Diff {
    call: Asked,
    thread: FoundThread,
    records: Records,
    after: Option<StoredCheckpoint>,
    before: Option<Records>,
    channels: Vec<Channel>,
    opened: Opened,
    gathers: Gathers,
    attempts: Attempts,
    stage: Stage,
}

/// What the caller asks.
#[derive(Debug)]
struct Asked {
    address: Address,
    id: String,
    /// The earlier checkpoint; `None` for the parent.
    before: Option<String>,
    values: bool,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Stage {
    Find,
    After,
    Before,
    Nodes,
    Values,
    Again,
}

/// A channel whose version or value differs.
#[derive(Debug)]
struct Channel {
    name: String,
    versions: (Option<Version>, Option<Version>),
    values: (Option<StoredValue>, Option<StoredValue>),
    elements: Elements,
}

/// The elements of a channel's value.
#[derive(Debug)]
enum Elements {
    /// Both values may be lists.
    Unknown,
    /// They are not, or too much differs.
    None,
    Lists(Lists),
    /// The values are equal.
    Equal,
}

/// Chunks that were read for their structure.
#[derive(Debug, Default)]
struct Opened {
    wanted: BTreeMap<Hash, Role>,
    data: BTreeMap<Hash, Vec<u8>>,
    damaged: BTreeSet<Hash>,
    missing: BTreeSet<Hash>,
}

impl Diff {
    #[inline(never)]
    pub(super) fn start(call: &Call) -> Result<(Self, Step), Error> {
        let Some(id) = config::checkpoint_id(&call.config)? else {
            return Err(Error::invalid(
                "missing-id",
                "checkpoint_id is missing or empty; name the checkpoint to compare",
            ));
        };
        let address = config::address(&call.config)?;
        let before = config::text("before.checkpoint_id", &call.before)?;
        let before = before.filter(|before| !before.is_empty());
        let mut diff = Self {
            call: Asked { address, id, before, values: call.values },
            thread: FoundThread::default(),
            records: Records::default(),
            after: None,
            before: None,
            channels: Vec::new(),
            opened: Opened::default(),
            gathers: Gathers::default(),
            attempts: Attempts::default(),
            stage: Stage::Find,
        };
        let step = diff.find(Stage::Find);
        Ok((diff, step))
    }

    #[inline(never)]
    pub(super) fn advance(&mut self, sets: &[RowSet]) -> Result<Step, Error> {
        match self.stage {
            Stage::Find => {
                let Some(thread) = FoundThread::of(set(sets, 0)?)? else {
                    return Ok(Step::Done(Outcome::Differences(None)));
                };
                self.thread = thread;
                Ok(self.read(Stage::After, self.call.id.clone()))
            }
            Stage::After => {
                self.records.take(set(sets, 0)?)?;
                let Some(after) = self.records.checkpoint.take() else {
                    return Ok(Step::Done(Outcome::Differences(None)));
                };
                let parent = after.parent_checkpoint_id.clone();
                let before = self.call.before.clone().or(parent);
                self.after = Some(after);
                match before {
                    Some(before) => Ok(self.read(Stage::Before, before)),
                    None => self.compare(),
                }
            }
            Stage::Before => {
                if self.records.take(set(sets, 0)?)? {
                    return Ok(Step::ask(self.records.ask()));
                }
                if self.records.checkpoint.is_none() {
                    return Ok(Step::Done(Outcome::Differences(None)));
                }
                self.before = Some(std::mem::take(&mut self.records));
                self.compare()
            }
            Stage::Nodes => {
                self.opened.take(set(sets, 0)?)?;
                self.nodes()
            }
            Stage::Values => {
                self.gathers.take(sets)?;
                self.values()
            }
            Stage::Again => {
                if FoundThread::of(set(sets, 0)?)?.as_ref() == Some(&self.thread) {
                    return match self.next() {
                        Ok(step) => Ok(step),
                        Err(Trouble::Missing(error) | Trouble::Final(error)) => Err(error),
                    };
                }
                self.attempts.next()?;
                (self.before, self.opened) = (None, Opened::default());
                self.gathers = Gathers::default();
                Ok(self.find(Stage::Find))
            }
        }
    }

    fn find(&mut self, stage: Stage) -> Step {
        self.stage = stage;
        FoundThread::ask(&self.call.address.thread_id)
    }

    fn read(&mut self, stage: Stage, id: String) -> Step {
        self.stage = stage;
        let Address { thread_id, checkpoint_ns } = &self.call.address;
        self.records = Records::at(self.thread.key, thread_id, (checkpoint_ns.clone(), id));
        Step::ask(self.records.ask())
    }

    /// Finds the channels that differ.
    fn compare(&mut self) -> Result<Step, Error> {
        let before = self.before.as_ref().and_then(|records| records.checkpoint.as_ref());
        self.channels = differing(before, self.after.as_ref());
        self.nodes()
    }

    fn nodes(&mut self) -> Result<Step, Error> {
        self.stage = Stage::Nodes;
        self.end_of_round()
    }

    fn values(&mut self) -> Result<Step, Error> {
        self.stage = Stage::Values;
        self.end_of_round()
    }

    fn end_of_round(&mut self) -> Result<Step, Error> {
        match self.next() {
            Ok(step) => Ok(step),
            Err(Trouble::Missing(_)) => Ok(self.find(Stage::Again)),
            Err(Trouble::Final(error)) => Err(error),
        }
    }

    /// The next read, or the end.
    fn next(&mut self) -> Result<Step, Trouble> {
        if self.stage != Stage::Values {
            if let Some(hashes) = self.open()? {
                let thread_key = self.thread.key;
                let ask = Ask::Chunks { thread_key, hashes, to_the_end: false };
                return Ok(Step::ask(ask));
            }
            if self.call.values {
                self.want();
                self.stage = Stage::Values;
            }
        }
        if let Some(round) = self.gathers.round() {
            return Ok(round);
        }
        Ok(Step::Done(Outcome::Differences(Some(self.difference()?))))
    }

    /// Compares the lists as far as their chunks are there. Returns the chunks to read; `None` if
    /// all is compared.
    fn open(&mut self) -> Result<Option<Vec<Hash>>, Trouble> {
        for channel in &mut self.channels {
            let here = || format!("channel {} of checkpoint {}", channel.name, self.call.id);
            let opened = &mut self.opened;
            if matches!(channel.elements, Elements::Unknown) {
                let compared = opened.lists(&channel.values);
                let Some(elements) = compared.map_err(|loss| loss.at(here))? else { continue };
                channel.elements = elements;
            }
            while let Elements::Lists(lists) = &mut channel.elements {
                let Some(nodes) = lists.nodes() else {
                    channel.elements = Elements::None;
                    break;
                };
                let mut is_read = true;
                for node in &nodes {
                    is_read &= opened.want(Role::Node, node.hash()).map_err(|l| l.at(here))?;
                }
                if nodes.is_empty() || !is_read {
                    break;
                }
                lists.open(|node| opened.pieces(node).map_err(|loss| loss.at(here)))?;
            }
        }
        let hashes: Vec<_> = self.opened.wanted.keys().copied().collect();
        Ok((!hashes.is_empty()).then_some(hashes))
    }

    /// Notes the chunks of everything that differs.
    fn want(&mut self) {
        let mut want = |piece: &Piece, kind: &str| {
            let value = StoredValue { kind: kind.to_owned(), piece: piece.clone() };
            self.gathers.want(self.thread.key, &value);
        };
        for Channel { values: (before, after), elements, .. } in &self.channels {
            if let Elements::Lists(lists) = elements {
                for (_, before, after) in lists.elements() {
                    before.into_iter().chain(after).for_each(|piece| want(piece, ""));
                }
            } else if !matches!(elements, Elements::Equal) {
                before.iter().chain(after).for_each(|value| want(&value.piece, &value.kind));
            }
        }
        for write in self.before.iter().flat_map(|records| &records.writes) {
            want(&write.value.piece, &write.value.kind);
        }
    }

    fn difference(&self) -> Result<Difference, Trouble> {
        let part = |kind: &str, piece: &Piece, reads: bool, what: &str| {
            let value = StoredValue { kind: kind.to_owned(), piece: piece.clone() };
            let value = (self.call.values && reads)
                .then(|| self.gathers.join(self.thread.key, &value))
                .transpose()
                .map_err(|loss| loss.at(|| format!("{what} of checkpoint {}", self.call.id)))?;
            Ok::<_, Trouble>(PartSize { bytes: piece.length(), value })
        };
        let mut channels = Vec::with_capacity(self.channels.len());
        for channel in &self.channels {
            let what = format!("channel {}", channel.name);
            let (old, new) = &channel.values;
            let is_whole = matches!(channel.elements, Elements::None | Elements::Unknown);
            let of = |value: &Option<StoredValue>| {
                let value = value.as_ref();
                value.map(|value| part(&value.kind, &value.piece, is_whole, &what)).transpose()
            };
            let kind = new.as_ref().map(|value| value.kind.as_str()).unwrap_or_default();
            let element = |(place, old, new): lists::Element<'_>| {
                let of = |piece: Option<&Piece>| {
                    piece.map(|piece| part(kind, piece, true, &what)).transpose()
                };
                Ok::<_, Trouble>(ElementDifference { place, before: of(old)?, after: of(new)? })
            };
            let elements = match &channel.elements {
                Elements::Unknown | Elements::None => None,
                Elements::Equal => Some(Vec::new()),
                Elements::Lists(lists) => {
                    Some(lists.elements().into_iter().map(element).collect::<Result<_, _>>()?)
                }
            };
            let (version_before, version_after) = channel.versions.clone();
            channels.push(ChannelDifference {
                channel: channel.name.clone(),
                version_before,
                version_after,
                before: of(old)?,
                after: of(new)?,
                elements,
            });
        }
        let writes = self.before.iter().flat_map(|records| &records.writes).map(|write| {
            let what = format!("a write of task {} to channel {}", write.task_id, write.channel);
            Ok(WriteSize {
                task_id: write.task_id.clone(),
                channel: write.channel.clone(),
                value: part(&write.value.kind, &write.value.piece, true, &what)?,
            })
        });
        let before = self.before.as_ref().and_then(|records| records.place.clone());
        Ok(Difference {
            before: before.map(|(_, id)| id),
            channels,
            writes: writes.collect::<Result<_, Trouble>>()?,
        })
    }
}

/// The channels whose version or value differs, by name.
fn differing(before: Option<&StoredCheckpoint>, after: Option<&StoredCheckpoint>) -> Vec<Channel> {
    let mut channels: BTreeMap<&str, Channel> = BTreeMap::new();
    fn channel<'a, 'b>(
        channels: &'b mut BTreeMap<&'a str, Channel>,
        name: &'a str,
    ) -> &'b mut Channel {
        channels.entry(name).or_insert_with(|| Channel {
            name: name.to_owned(),
            versions: (None, None),
            values: (None, None),
            elements: Elements::Unknown,
        })
    }
    for ChannelVersion { channel: name, version } in
        before.iter().flat_map(|found| &found.envelope.versions)
    {
        channel(&mut channels, name).versions.0 = Some(version.clone());
    }
    for ChannelVersion { channel: name, version } in
        after.iter().flat_map(|found| &found.envelope.versions)
    {
        channel(&mut channels, name).versions.1 = Some(version.clone());
    }
    for entry in before.iter().flat_map(|found| &found.envelope.values) {
        channel(&mut channels, &entry.channel).values.0 = Some(entry.value.clone());
    }
    for entry in after.iter().flat_map(|found| &found.envelope.values) {
        channel(&mut channels, &entry.channel).values.1 = Some(entry.value.clone());
    }
    let mut differing: Vec<_> = channels.into_values().collect();
    differing.retain(|channel| {
        channel.versions.0 != channel.versions.1 || channel.values.0 != channel.values.1
    });
    differing
}

impl Opened {
    /// Wants a chunk. Returns whether it is there.
    fn want(&mut self, role: Role, hash: Option<Hash>) -> Result<bool, Loss> {
        let hash = hash.ok_or(Loss::Length)?;
        if self.damaged.contains(&hash) {
            return Err(Loss::Damaged(hash));
        }
        if self.data.contains_key(&hash) {
            return Ok(true);
        }
        if self.missing.contains(&hash) {
            return Err(Loss::Missing(hash));
        }
        self.wanted.insert(hash, role);
        Ok(false)
    }

    fn take(&mut self, set: &RowSet) -> Result<(), Error> {
        let mut wanted = std::mem::take(&mut self.wanted);
        let asked: Vec<_> = wanted.keys().copied().collect();
        for (hash, data) in chunks(set, &asked)? {
            let Some(role) = wanted.remove(&hash) else { continue };
            if Hash::of(role, &data) == hash {
                self.data.insert(hash, data);
            } else {
                self.damaged.insert(hash);
            }
        }
        self.missing.extend(wanted.into_keys());
        Ok(())
    }

    fn read<T: crate::format::read::Read>(&self, hash: Hash) -> Result<T, Loss> {
        let data = self.data.get(&hash).ok_or(Loss::Missing(hash))?;
        decode(data).ok_or(Loss::Damaged(hash))
    }

    /// The pieces in a node.
    fn pieces(&self, node: &Piece) -> Result<Vec<Piece>, Loss> {
        self.read(node.hash().ok_or(Loss::Length)?)
    }

    /// What can be said of the elements of two values; `None` while chunks are missing that are
    /// being read.
    fn lists(
        &mut self,
        (before, after): &(Option<StoredValue>, Option<StoredValue>),
    ) -> Result<Option<Elements>, Loss> {
        let (Some(before), Some(after)) = (before, after) else {
            return Ok(Some(Elements::None));
        };
        if before == after {
            return Ok(Some(Elements::Equal));
        }
        if before.kind != after.kind {
            return Ok(Some(Elements::None));
        }
        let (old, new) = (self.list(before)?, self.list(after)?);
        let (Listed::Pieces(old, old_count), Listed::Pieces(new, new_count)) = (&old, &new) else {
            let is_none = matches!(old, Listed::Other) || matches!(new, Listed::Other);
            return Ok(is_none.then_some(Elements::None));
        };
        let lists = Lists::of((old.clone(), new.clone()), (*old_count, *new_count));
        Ok(Some(lists.map_or(Elements::None, Elements::Lists)))
    }

    fn list(&mut self, StoredValue { kind, piece }: &StoredValue) -> Result<Listed, Loss> {
        match piece {
            Piece::Inline(bytes) => Ok(Listed::of_bytes(kind, bytes)),
            Piece::Chunk(reference) => {
                if !self.want(Role::Leaf, Some(reference.hash))? {
                    return Ok(Listed::NotRead);
                }
                let data = self.data.get(&reference.hash);
                Ok(data.map_or(Listed::Other, |data| Listed::of_bytes(kind, data)))
            }
            Piece::Nested(sequence) if is_list(sequence.shape) => {
                let levels: Vec<Vec<Piece>> = match &sequence.spine {
                    Spine::Inline(levels) => levels.clone(),
                    Spine::Chunk(hash) => {
                        if !self.want(Role::Spine, Some(*hash))? {
                            return Ok(Listed::NotRead);
                        }
                        self.read(*hash)?
                    }
                };
                let above = levels.iter().enumerate().rev();
                let above = above.flat_map(|(level, nodes)| {
                    nodes.iter().map(move |piece| Item { level: level + 1, piece: piece.clone() })
                });
                let tail = sequence.tail.iter();
                let tail = tail.map(|piece| Item { level: 0, piece: piece.clone() });
                Ok(Listed::Pieces(above.chain(tail).collect(), sequence.elements))
            }
            _ => Ok(Listed::Other),
        }
    }
}

/// A value as a list.
enum Listed {
    /// Its pieces, and how many elements it has.
    Pieces(Vec<Item>, u32),
    /// Its chunk is being read.
    NotRead,
    /// It is none.
    Other,
}

impl Listed {
    fn of_bytes(kind: &str, bytes: &[u8]) -> Self {
        let Some(found) = split::structure(kind, bytes).filter(|found| is_list(found.shape)) else {
            return Self::Other;
        };
        let part = |range| {
            let bytes: &[u8] = bytes.get(range).unwrap_or_default();
            Item { level: 0, piece: Piece::Inline(bytes.to_vec()) }
        };
        let items: Vec<_> = found.ranges.into_iter().map(part).collect();
        let count = u32::try_from(items.len()).unwrap_or(u32::MAX);
        Self::Pieces(items, count)
    }
}

fn is_list(shape: Shape) -> bool {
    matches!(shape, Shape::Array | Shape::PackedArray)
}
