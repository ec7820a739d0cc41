//! Every statement that an agent's calls run on a schema, for a host that runs no others.

use std::collections::BTreeSet;

use crate::contract::call::{MetadataFilter, Payload};
use crate::contract::error::Error;
use crate::contract::statement::Statement;
use crate::format::checkpoint::{CheckpointColumns, LinkColumns, NewEnvelope, StoredValue};
use crate::format::places::Places;
use crate::format::values::build::Chunk;
use crate::format::values::hash::{Hash, Role};
use crate::format::values::piece::Piece;
use crate::format::write::{WriteColumns, WriteEnvelope};
use crate::operations::ask::{After, Ask, Guard, NewCheckpoint, NewWrite, NewWrites, Page};

/// The statements of the calls that an agent can make, those of the interface `checkpointer`, on a
/// schema whose tables are there.
///
/// They are a few hundred, whatever an agent passes: values are bound, also those of filters.
#[derive(Clone, Debug)]
pub struct AgentStatements {
    /// What a setup asks first. Its values name the schema.
    look: Statement,
    /// The hashes of the others' texts.
    texts: BTreeSet<[u8; 32]>,
}

impl AgentStatements {
    pub(super) fn new(look: Statement, others: &[Statement]) -> Self {
        Self { look, texts: others.iter().map(hash).collect() }
    }

    /// Whether a statement is one of them, with any values.
    pub fn contains(&self, statement: &Statement) -> bool {
        *statement == self.look || self.texts.contains(&hash(statement))
    }
}

fn hash(statement: &Statement) -> [u8; 32] {
    *blake3::hash(statement.text.as_bytes()).as_bytes()
}

/// An ask of an agent's calls for each text that its statements can have.
pub(super) fn asks() -> Result<Vec<Ask>, Error> {
    let mut asks = vec![
        Ask::Writes { channel: "", checkpoints: Vec::new() },
        Ask::Threads { keys: Vec::new() },
        Ask::Channels {
            thread_id: String::new(),
            checkpoint_ns: String::new(),
            channels: Vec::new(),
        },
        Ask::DeleteThread { thread_id: String::new() },
        Ask::SweepDeleted,
    ];
    for is_there in [false, true] {
        asks.push(Ask::Chunks { thread_key: 0, hashes: vec![chunk().hash], to_the_end: is_there });
        asks.push(Ask::Ancestors {
            thread_id: String::new(),
            checkpoint_ns: String::new(),
            checkpoint_id: is_there.then(String::new),
            channels: Vec::new(),
        });
    }
    asks.extend(choices(8).map(|has| Ask::Page(page(&has))));
    for has in choices(2) {
        asks.push(Ask::Put(checkpoint(&has)?));
    }
    for has in choices(3) {
        asks.push(Ask::PutWrites(writes(&has)?));
    }
    Ok(asks)
}

/// Every choice among this many things.
fn choices(count: u32) -> impl Iterator<Item = impl Fn(u32) -> bool> {
    (0..1_u32 << count).map(|choice| move |thing| choice >> thing & 1 == 1)
}

fn page(has: &impl Fn(u32) -> bool) -> Page {
    let text = |thing| has(thing).then(String::new);
    let filter = MetadataFilter { key: String::new(), json: String::new() };
    let after = After {
        checkpoint_id: String::new(),
        thread_key: 0,
        thread_id: String::new(),
        checkpoint_ns: String::new(),
    };
    Page {
        thread_id: text(0),
        checkpoint_ns: text(1),
        checkpoint_id: text(2),
        before: text(3),
        filter: if has(4) { vec![filter] } else { Vec::new() },
        after: has(5).then_some(after),
        count: if has(6) { 1 } else { 2 },
        have: Vec::new(),
        values: if has(7) { vec![Vec::new()] } else { Vec::new() },
    }
}

fn checkpoint(has: &impl Fn(u32) -> bool) -> Result<NewCheckpoint, Error> {
    const CHANNELS: &str = "[]";
    let link = LinkColumns {
        thread_id: "",
        checkpoint_ns: "",
        checkpoint_id: "",
        parent_checkpoint_id: None,
    };
    let columns =
        CheckpointColumns { link, channels: Some(CHANNELS), created_at: "", metadata: &[] };
    let envelope = NewEnvelope {
        v: 1.0,
        metadata_kind: "",
        rest: &nothing(),
        versions: &[],
        values: Vec::new(),
    };
    let guard = Guard { thread_key: 0, generation: 0, checkpoint_id: String::new() };
    Ok(NewCheckpoint {
        thread_id: String::new(),
        checkpoint_ns: String::new(),
        checkpoint_id: String::new(),
        parent_checkpoint_id: None,
        created_at: String::new(),
        channels: CHANNELS.to_owned(),
        metadata: Payload { kind: String::new(), bytes: Vec::new() },
        run_id: None,
        envelope: envelope.seal(columns)?,
        chunks: if has(0) { vec![chunk()] } else { Vec::new() },
        guard: has(1).then_some(guard),
    })
}

fn writes(has: &impl Fn(u32) -> bool) -> Result<NewWrites, Error> {
    let columns = WriteColumns {
        thread_id: "",
        checkpoint_ns: "",
        checkpoint_id: "",
        task_id: "",
        idx: 0,
        task_path: "",
        channel: "",
    };
    let write = || -> Result<NewWrite, Error> {
        let envelope = WriteEnvelope { value: nothing(), places: Places(Vec::new()) };
        Ok(NewWrite { idx: 0, channel: String::new(), envelope: envelope.seal(columns)? })
    };
    let if_has = |thing| has(thing).then(write).into_iter().collect::<Result<Vec<_>, _>>();
    Ok(NewWrites {
        thread_id: String::new(),
        checkpoint_ns: String::new(),
        checkpoint_id: String::new(),
        task_id: String::new(),
        task_path: String::new(),
        keeping: if_has(0)?,
        replacing: if_has(1)?,
        chunks: if has(2) { vec![chunk()] } else { Vec::new() },
    })
}

fn nothing() -> StoredValue {
    StoredValue { kind: String::new(), piece: Piece::Inline(Vec::new()) }
}

fn chunk() -> Chunk {
    Chunk { hash: Hash::of(Role::Leaf, &[]), role: Role::Leaf, data: Vec::new() }
}
