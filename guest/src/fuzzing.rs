//! What fuzz targets see of this crate. Each function calls the one it is named after; none decides
//! anything.

use std::collections::BTreeSet;
use std::ops::Range;

use crate::contract::call::{KeptElements, Run};
use crate::contract::error::Error;
use crate::format::checkpoint::{CheckpointColumns, CheckpointEnvelope, LinkColumns, NewEnvelope};
use crate::format::values::hash::{HASH_BYTES, Role};
use crate::format::values::piece::{Piece, Shape};
use crate::format::values::split::Split;
use crate::format::values::{base, build, hash, join, split};
use crate::format::write::{self, MARK_BYTES, WriteColumns, WriteEnvelope};
use crate::format::{CHECKSUM_BYTES, decode, encode};

/// A content hash as bytes.
pub type Hash = [u8; HASH_BYTES];

/// The parts of a container.
#[derive(Debug)]
pub struct Parts {
    /// The bytes before the first part.
    pub opening: Vec<u8>,
    /// The bytes after the last part.
    pub closing: &'static [u8],
    /// The bytes between two parts.
    pub separator: &'static [u8],
    /// The position of each part.
    pub ranges: Vec<Range<usize>>,
}

impl From<Split> for Parts {
    fn from(split: Split) -> Self {
        let Split { shape, ranges } = split;
        let opening = shape.opening(ranges.len() as u32).as_ref().to_vec();
        Self { opening, closing: shape.closing(), separator: shape.separator(), ranges }
    }
}

/// Whether the bytes are one JSON value.
pub fn is_json(bytes: &[u8]) -> bool {
    crate::format::json::is_value(bytes)
}

/// The parts of a container, by the serializer's tag; `None` if it is not one.
pub fn structure(kind: &str, bytes: &[u8]) -> Option<Parts> {
    split::structure(kind, bytes).map(Parts::from)
}

/// The parts of an entry of a JSON object; `None` if it is not one.
pub fn entry(bytes: &[u8]) -> Option<Parts> {
    split::entry(Shape::Object, bytes).map(Parts::from)
}

/// The parts of an entry of a MessagePack map; `None` if it is not one.
pub fn packed_entry(bytes: &[u8]) -> Option<Parts> {
    split::entry(Shape::PackedMap, bytes).map(Parts::from)
}

/// A value in pieces.
#[derive(Debug)]
pub struct Built {
    /// The piece, encoded.
    pub piece: Vec<u8>,
    /// The chunks that were not known.
    pub fresh: Vec<(Hash, Vec<u8>)>,
}

/// Builds a value, leaving out known chunks.
pub fn build(kind: &str, bytes: &[u8], known: &BTreeSet<Hash>) -> Result<Built, Error> {
    let known = known.iter().filter_map(|hash| hash::Hash::from_slice(hash));
    let known = known.collect();
    let builder = build::Builder::new(&known);
    raw_built(builder.value(kind, bytes)?)
}

/// A run of an edit, with numbers that a fuzzer draws.
#[derive(Clone, Copy, Debug)]
pub enum EditRun {
    /// Elements of the base; positions outside of it are adjusted.
    Kept {
        /// The first one.
        first: u16,
        /// The number of elements.
        count: u16,
    },
    /// New elements.
    Fresh {
        /// The number of elements.
        count: u16,
    },
}

/// A value that was edited.
#[derive(Debug)]
pub struct Edited {
    /// Its bytes, joined from those of the base and the new elements.
    pub bytes: Vec<u8>,
    /// What the edit builds if all chunks of the base are known.
    pub built: Built,
}

/// Edits a list or map; `None` for any other value.
pub fn edit(kind: &str, bytes: &[u8], runs: &[EditRun]) -> Option<Result<Edited, Error>> {
    let nothing = BTreeSet::new();
    let base = build::Builder::new(&nothing).value(kind, bytes).ok()?;
    let (Piece::Nested(sequence), Some(elements)) = (&base.piece, &base.base) else {
        return None;
    };
    let mut source = base::Source::of(sequence, elements)?;
    let mut nodes = join::Gather::of_nodes();
    source.levels.iter().flatten().for_each(|piece| nodes.want(piece));
    while !nodes.round().is_empty() {
        nodes.take(base.fresh.iter().map(|chunk| (chunk.hash, chunk.data.clone())).collect());
    }
    let mut pieces = nodes.elements(source.levels, source.below).ok()?;
    pieces.extend_from_slice(source.tail());

    let Split { shape, ranges } = split::structure(kind, bytes)?;
    let mut parts = Vec::new();
    let mut plan = Vec::new();
    for run in runs {
        match *run {
            EditRun::Kept { first, count } => {
                let first = usize::from(first) % (ranges.len() + 1);
                let kept = ranges.iter().skip(first).take(usize::from(count));
                let kept: Vec<_> = kept.map(|range| bytes[range.clone()].to_vec()).collect();
                plan.push(Run::Kept(KeptElements {
                    first: first as u32,
                    count: kept.len() as u32,
                }));
                parts.extend(kept);
            }
            EditRun::Fresh { count } => {
                let fresh: Vec<_> = (0..usize::from(count)).map(|at| element(shape, at)).collect();
                plan.push(Run::Fresh(fresh.join(shape.separator())));
                parts.extend(fresh);
            }
        }
    }
    if !source.suffices(&plan) {
        source = source.opened(pieces);
    }
    let opening = shape.opening(parts.len() as u32);
    let bytes = [opening.as_ref(), &parts.join(shape.separator()), shape.closing()].concat();
    let known = base.fresh.iter().map(|chunk| chunk.hash).collect();
    let edited = build::Builder::new(&known).edited(kind, &source, &plan);
    Some(edited.and_then(|edited| Ok(Edited { bytes, built: raw_built(edited)? })))
}

/// An element or entry for a list or map of this shape: a text that is longer for each position.
fn element(shape: Shape, at: usize) -> Vec<u8> {
    let text = format!("{at}{}", "x".repeat(at * 13));
    match shape {
        Shape::Plain | Shape::Array => format!("\"{text}\"").into_bytes(),
        Shape::Object => format!("\"k\":\"{text}\"").into_bytes(),
        Shape::PackedArray => encode(&text).unwrap_or_default(),
        Shape::PackedMap => [&[0xa1, b'k'], &*encode(&text).unwrap_or_default()].concat(),
    }
}

fn raw_built(built: build::Built) -> Result<Built, Error> {
    let fresh = built.fresh.into_iter().map(|chunk| (raw(&chunk.hash), chunk.data)).collect();
    Ok(Built { piece: encode(&built.piece)?, fresh })
}

/// The chunks of one piece.
#[derive(Debug)]
pub struct Gather {
    piece: Piece,
    gather: join::Gather,
}

impl Gather {
    /// The chunks of an encoded piece; `None` if the bytes are not one.
    pub fn of(piece: &[u8]) -> Option<Self> {
        let piece = decode(piece)?;
        let mut gather = join::Gather::default();
        gather.want(&piece);
        Some(Self { piece, gather })
    }

    /// The hashes to fetch.
    pub fn round(&self) -> Vec<Hash> {
        self.gather.round().iter().map(raw).collect()
    }

    /// Takes what was fetched.
    pub fn take(&mut self, chunks: Vec<(Hash, Vec<u8>)>) {
        let chunk = |(hash, data): (Hash, Vec<u8>)| Some((hash::Hash::from_slice(&hash)?, data));
        self.gather.take(chunks.into_iter().filter_map(chunk).collect());
    }

    /// The value's bytes.
    pub fn join(&self) -> Result<Vec<u8>, Error> {
        let joined = self.gather.join(&self.piece);
        joined.map_err(|loss| loss.error("a value"))
    }
}

/// The hash of a leaf.
pub fn leaf_hash(bytes: &[u8]) -> Hash {
    raw(&hash::Hash::of(Role::Leaf, bytes))
}

/// The hash of a node.
pub fn node_hash(bytes: &[u8]) -> Hash {
    raw(&hash::Hash::of(Role::Node, bytes))
}

/// The hash of a branch.
pub fn branch_hash(bytes: &[u8]) -> Hash {
    raw(&hash::Hash::of(Role::Branch, bytes))
}

/// The hash of a spine.
pub fn spine_hash(bytes: &[u8]) -> Hash {
    raw(&hash::Hash::of(Role::Spine, bytes))
}

/// Appends to an envelope the checksum over it and the columns beside it.
pub fn seal(envelope: Vec<u8>, columns: &[&[u8]]) -> Vec<u8> {
    crate::format::seal(envelope, columns)
}

/// Opens a checkpoint's envelope and seals what it held.
pub fn reseal_checkpoint(
    sealed: &[u8],
    [thread_id, checkpoint_ns, checkpoint_id, created_at]: [&str; 4],
    parent_checkpoint_id: Option<&str>,
    metadata: &[u8],
) -> Result<Vec<u8>, Error> {
    let link = LinkColumns { thread_id, checkpoint_ns, checkpoint_id, parent_checkpoint_id };
    let columns = CheckpointColumns { link, channels: None, created_at, metadata };
    let opened = CheckpointEnvelope::open(sealed, columns, &|| "an envelope".to_owned())?;
    let envelope = NewEnvelope {
        v: opened.v,
        metadata_kind: &opened.metadata_kind,
        rest: &opened.rest,
        versions: &opened.versions,
        values: opened.values.iter().map(|entry| (entry.channel.as_str(), &entry.value)).collect(),
    };
    envelope.seal(columns)
}

/// Opens a write's envelope and seals what it held.
pub fn reseal_write(
    sealed: &[u8],
    [thread_id, checkpoint_ns, checkpoint_id, task_id, task_path, channel]: [&str; 6],
    idx: i64,
) -> Result<Vec<u8>, Error> {
    let columns =
        WriteColumns { thread_id, checkpoint_ns, checkpoint_id, task_id, idx, task_path, channel };
    WriteEnvelope::open(sealed, columns, &|| "an envelope".to_owned())?.seal(columns)
}

/// The link of a checkpoint with these columns (thread, namespace, id, channels) and its parent.
pub fn link(
    [thread_id, checkpoint_ns, checkpoint_id, channels]: [&str; 4],
    parent_checkpoint_id: Option<&str>,
) -> [u8; CHECKSUM_BYTES] {
    LinkColumns { thread_id, checkpoint_ns, checkpoint_id, parent_checkpoint_id }.link(channels)
}

/// The mark of a channel.
pub fn mark(channel: &str) -> [u8; MARK_BYTES] {
    write::mark(channel)
}

/// Decodes what is known of a thread and encodes it again.
pub fn reencode_known(
    bytes: &[u8],
    thread_id: &str,
    checkpoint_ns: &str,
) -> Result<Vec<u8>, Error> {
    crate::format::known::Known::from_bytes(bytes, thread_id, checkpoint_ns)?.to_bytes()
}

fn raw(hash: &hash::Hash) -> Hash {
    let mut raw = Hash::default();
    raw.copy_from_slice(hash.as_bytes());
    raw
}
