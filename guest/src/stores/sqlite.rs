//! SQL for SQLite 3.38 and later. Only this module has SQL in it.
//!
//! No function puts a caller's value into a statement's text: values are bound.

mod ancestors;
mod copy;
mod deletions;
mod lifecycle;
mod list;
mod put;
mod schema;
mod setup;
mod statement;
#[cfg(feature = "takeover")]
pub(super) mod stock;
mod upkeep;

use ancestors::ancestors;
use list::page;
use put::{put, put_writes};
use setup::Setup;
use statement::{is_of_channel, once, text};

use super::sql::{Dialect, SetupStep, last_of_each};
use crate::contract::error::Error;
use crate::contract::statement::{Access, Batch, RowSet, Statement, Value};
use crate::format::json;
use crate::format::values::hash::Hash;
use crate::format::write::mark;
use crate::operations::ask::{Ask, LOOKED_AT};

/// SQLite's dialect.
#[derive(Debug)]
pub(super) struct Sqlite;

impl Dialect for Sqlite {
    type Setup = Setup;

    fn start_setup(&self) -> (Setup, Batch) {
        Setup::start()
    }

    fn advance_setup(&self, setup: &mut Setup, sets: &[RowSet]) -> Result<SetupStep, Error> {
        setup.advance(sets)
    }

    fn answers(&mut self, counts: &[usize], sets: Vec<RowSet>) -> Result<Vec<RowSet>, Error> {
        Ok(last_of_each(counts, sets))
    }

    fn statements(&mut self, ask: Ask) -> Result<(Access, Vec<Statement>), Error> {
        let read = |statement| (Access::Read, vec![statement]);
        let write = |statements| (Access::Write, statements);
        Ok(match ask {
            Ask::Page(selected) => read(page(&selected)),
            Ask::Writes { channel, checkpoints } => read(find_writes(channel, checkpoints)),
            Ask::Chunks { thread_key, hashes, .. } => read(find_chunks(thread_key, &hashes)),
            Ask::Threads { keys } => read(find_threads(keys)),
            Ask::Channels { thread_id, checkpoint_ns, channels } => {
                read(find_channels(&thread_id, &checkpoint_ns, &channels))
            }
            Ask::Ancestors { thread_id, checkpoint_ns, checkpoint_id, channels } => {
                let id = checkpoint_id.as_deref();
                read(ancestors(&thread_id, &checkpoint_ns, id, &channels))
            }
            Ask::Put(checkpoint) => write(put(checkpoint)),
            Ask::PutWrites(writes) => write(put_writes(writes)),
            Ask::DeleteThread { thread_id } => write(deletions::delete_thread(&thread_id)),
            Ask::Outline { thread_id, runs, before, count } => {
                read(lifecycle::outline(&thread_id, &runs, before.as_ref(), count))
            }
            Ask::Checkpoints { thread_key, places } => {
                read(lifecycle::find_checkpoints(thread_key, places))
            }
            Ask::Records { thread_key, after, count } => {
                read(lifecycle::records(thread_key, after.as_ref(), count))
            }
            Ask::RemoveRecords { thread_key, of, places } => {
                write(lifecycle::remove_records(thread_key, &of, &places))
            }
            Ask::RemoveThread { thread_key, of } => {
                write(deletions::remove_thread(thread_key, &of))
            }
            Ask::SweepDeleted => write(deletions::sweep_deleted()),
            Ask::BeginCopy { source, target } => write(copy::begin_copy(&source, &target)),
            Ask::State { thread_key } => read(copy::state(thread_key)),
            Ask::CopyRecords { from, to, records } => {
                write(vec![copy::copy_records(from, to, records)])
            }
            Ask::CopyChunks { from, to, hashes } => write(copy::copy_chunks(from, to, &hashes)),
            Ask::EndCopy { from, generation, to, target, records } => {
                write(copy::end_copy((from, generation, to), &target, records))
            }
            Ask::ChunkSizes { thread_key, after, count } => {
                read(lifecycle::chunk_sizes(thread_key, after, count))
            }
            Ask::RemoveChunks { thread_key, from, to, digest, hashes } => {
                write(lifecycle::remove_chunks(thread_key, from, to, &digest, &hashes))
            }
            Ask::FindThread { after: (after, _), thread_id, idle, runs } => {
                let (thread_id, idle) = (thread_id.as_deref(), idle.as_deref());
                read(lifecycle::find_thread(after, thread_id, idle, &runs))
            }
            Ask::ListThreads { idle_since, id_prefix, filter, after, count } => {
                read(lifecycle::list_threads(
                    idle_since.as_deref(),
                    id_prefix.as_deref(),
                    &filter,
                    after.as_ref(),
                    count,
                ))
            }
            Ask::Totals { thread_id } => read(lifecycle::totals(thread_id.as_deref())),
            Ask::LeaseSweep { now, until, never } => {
                write(vec![upkeep::lease_sweep(now, until, never)])
            }
            Ask::Pages => read(upkeep::pages()),
            Ask::CheckFile { count } => read(upkeep::check_file(count)),
            Ask::CheckIndexes => read(upkeep::check_indexes()),
            Ask::GiveBackPages { count } => write(upkeep::give_back_pages(count)),
        })
    }
}

/// The threads with these keys that exist. A key is never given again, so they are the same
/// threads.
#[inline(never)]
fn find_threads(keys: Vec<i64>) -> Statement {
    Statement {
        text: "SELECT thread_key, generation FROM lg_threads WHERE thread_key = ?1".to_owned(),
        parameters: keys.into_iter().map(|key| vec![Value::Integer(key)]).collect(),
    }
}

/// The channels with a stored value in the namespace's first `LOOKED_AT` checkpoints; all channels
/// if there are more checkpoints.
#[inline(never)]
fn find_channels(thread_id: &str, checkpoint_ns: &str, channels: &[String]) -> Statement {
    let names = json::array_of_strings(channels.iter().map(String::as_str));
    once(
        &format!(
            "WITH first AS MATERIALIZED (SELECT c.channels FROM lg_threads t \
             CROSS JOIN lg_records c ON c.thread_key = t.thread_key \
             WHERE t.thread_id = ?1 AND c.checkpoint_ns = ?2 AND c.task_id = '' \
             ORDER BY c.checkpoint_id LIMIT {LOOKED_AT} + 1) \
             SELECT n.value FROM json_each(?3) n \
             WHERE (SELECT count(f.channels) FROM first f) > {LOOKED_AT} OR EXISTS (\
             SELECT 1 FROM first f CROSS JOIN \
             json_each(iif(json_valid(f.channels), f.channels, '[]')) e WHERE e.value = n.value)"
        ),
        vec![text(thread_id), text(checkpoint_ns), Value::Text(names)],
    )
}

/// The chunks with these hashes: for each one found, its position in `hashes` and its data.
#[inline(never)]
fn find_chunks(thread_key: i64, hashes: &[Hash]) -> Statement {
    // One parameter holds all hashes, one after the other. Binding it once is much cheaper than one
    // run of the statement for each of thousands of chunks. A position is cheaper to return than a
    // hash.
    let mut packed = Vec::new();
    for hash in hashes {
        packed.extend_from_slice(hash.as_bytes());
    }
    once(
        "WITH RECURSIVE wanted (at) AS (\
         SELECT 1 UNION ALL SELECT at + 20 FROM wanted WHERE at + 20 <= length(?2)) \
         SELECT (at - 1) / 20, c.data FROM wanted \
         CROSS JOIN lg_chunks c ON c.thread_key = ?1 AND c.hash = substr(?2, at, 20)",
        vec![Value::Integer(thread_key), Value::Blob(packed)],
    )
}

/// The writes to one channel of one checkpoint, for each of the checkpoints.
#[inline(never)]
fn find_writes(channel: &str, checkpoints: Vec<(i64, String, String)>) -> Statement {
    let row = |(thread_key, checkpoint_ns, checkpoint_id)| {
        vec![
            Value::Integer(thread_key),
            Value::Text(checkpoint_ns),
            Value::Text(checkpoint_id),
            text(channel),
            Value::Blob(mark(channel).to_vec()),
        ]
    };
    let is_of_channel = is_of_channel("w", "?4", "?5");
    Statement {
        text: format!(
            "SELECT w.thread_key, w.idx, w.task_id, w.checkpoint_ns, w.checkpoint_id, \
             w.task_path, w.channel, w.envelope FROM lg_records w \
             WHERE w.thread_key = ?1 AND w.checkpoint_ns = ?2 AND w.checkpoint_id = ?3 \
             AND w.task_id <> '' AND {is_of_channel} ORDER BY w.task_path, w.task_id, w.idx"
        ),
        parameters: checkpoints.into_iter().map(row).collect(),
    }
}
