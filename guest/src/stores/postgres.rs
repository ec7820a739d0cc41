//! SQL for PostgreSQL 13 and later. Only this module has it.
//!
//! Each ask is one statement, and so is its own transaction, except a deletion. A page brings the
//! chunks of its values, so that a read is one round trip.
//!
//! No function puts a caller's value into a statement's text: values are bound. The schema's name,
//! which is an option of the store, is quoted.

mod agents;
mod ancestors;
mod chunks;
mod copy;
mod deletions;
mod lifecycle;
mod page;
mod put;
mod schema;
mod setup;
mod statement;
#[cfg(feature = "takeover")]
mod stock;

use std::collections::{BTreeMap, VecDeque};

pub use agents::AgentStatements;
use schema::Schema;
use setup::Setup;
use statement::{Parameters, array, integers};

use super::sql::{Dialect, SetupStep};
use crate::contract::error::Error;
use crate::contract::statement::{Access, Batch, RowSet, Statement, Value};
use crate::format::values::hash::Hash;
use crate::format::write::mark;
use crate::operations::ask::{Ask, LOOKED_AT};
use crate::operations::row::rows;

/// How a store of PostgreSQL is used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PostgresOptions {
    /// The schema that has the tables. It is made if it is missing.
    pub schema: String,
}

/// A store of PostgreSQL.
#[derive(Clone, Debug)]
pub struct Postgres {
    schema: Schema,
}

impl Postgres {
    /// A store with these options, which are checked.
    pub fn open(options: &PostgresOptions) -> Result<Self, Error> {
        Ok(Self { schema: Schema::new(&options.schema)? })
    }

    /// Every statement that an agent's calls run here once the tables are there.
    pub fn agent_statements(&self) -> Result<AgentStatements, Error> {
        let mut dialect = self.dialect();
        let mut statements = vec![self.schema.read_format()];
        for ask in agents::asks()? {
            statements.extend(dialect.statements(ask)?.1);
        }
        Ok(AgentStatements::new(self.schema.look(), &statements))
    }

    /// The dialect of one operation.
    pub(super) fn dialect(&self) -> PostgresDialect {
        let schema = self.schema.clone();
        PostgresDialect { schema, chunks: BTreeMap::new(), asked: VecDeque::new() }
    }
}

/// PostgreSQL's dialect, for one operation.
#[derive(Debug)]
pub(super) struct PostgresDialect {
    schema: Schema,
    /// The chunks that came with a page or with others, by thread key.
    chunks: BTreeMap<(i64, Hash), Vec<u8>>,
    /// The asks that have not been answered.
    asked: VecDeque<Asked>,
}

/// What an answer depends on.
#[derive(Debug)]
enum Asked {
    Page,
    Chunks { thread_key: i64, hashes: Vec<Hash> },
    Other,
}

impl Dialect for PostgresDialect {
    type Setup = Setup;

    fn start_setup(&self) -> (Setup, Batch) {
        Setup::start(&self.schema)
    }

    fn advance_setup(&self, setup: &mut Setup, sets: &[RowSet]) -> Result<SetupStep, Error> {
        setup.advance(&self.schema, sets)
    }

    #[expect(clippy::too_many_lines, reason = "there is an arm for each ask")]
    fn statements(&mut self, ask: Ask) -> Result<(Access, Vec<Statement>), Error> {
        let schema = &self.schema;
        let read = |statement| (Access::Read, vec![statement]);
        let mut asked = Asked::Other;
        let statements = match ask {
            Ask::Page(selected) => {
                asked = Asked::Page;
                read(page::page(schema, &selected))
            }
            Ask::Writes { channel, checkpoints } => {
                read(find_writes(schema, channel, &checkpoints))
            }
            Ask::Chunks { thread_key, hashes, to_the_end } => {
                let at_hand = |hash: &&Hash| !self.chunks.contains_key(&(thread_key, **hash));
                let missing: Vec<Hash> = hashes.iter().filter(at_hand).copied().collect();
                asked = Asked::Chunks { thread_key, hashes };
                let find = chunks::find(schema, thread_key, &missing, to_the_end);
                (Access::Read, if missing.is_empty() { Vec::new() } else { vec![find] })
            }
            Ask::Threads { keys } => read(find_threads(schema, &keys)),
            Ask::Channels { thread_id, checkpoint_ns, channels } => {
                read(find_channels(schema, &thread_id, &checkpoint_ns, &channels))
            }
            Ask::Ancestors { thread_id, checkpoint_ns, checkpoint_id, channels } => {
                let id = checkpoint_id.as_deref();
                read(ancestors::ancestors(schema, (&thread_id, &checkpoint_ns, id), &channels))
            }
            Ask::Put(checkpoint) => (Access::Write, vec![put::put(schema, checkpoint)?]),
            Ask::PutWrites(writes) => (Access::Write, vec![put::put_writes(schema, &writes)?]),
            Ask::DeleteThread { thread_id } => {
                (Access::Write, deletions::delete_thread(schema, &thread_id))
            }
            Ask::Outline { thread_id, runs, before, count } => {
                read(lifecycle::outline(schema, &thread_id, &runs, before.as_ref(), count))
            }
            Ask::Checkpoints { thread_key, places } => {
                read(lifecycle::find_checkpoints(schema, thread_key, &places))
            }
            Ask::Records { thread_key, after, count } => {
                read(lifecycle::records(schema, thread_key, after.as_ref(), count))
            }
            Ask::RemoveRecords { thread_key, of, places } => {
                (Access::Write, lifecycle::remove_records(schema, thread_key, &of, &places))
            }
            Ask::RemoveThread { thread_key, of } => {
                (Access::Write, deletions::remove_thread(schema, thread_key, &of))
            }
            Ask::SweepDeleted => (Access::Write, deletions::sweep_deleted(schema)),
            Ask::BeginCopy { source, target } => {
                (Access::Write, copy::begin_copy(schema, &source, &target))
            }
            Ask::State { thread_key } => read(copy::state(schema, thread_key)),
            Ask::CopyRecords { from, to, records } => {
                (Access::Write, vec![copy::copy_records(schema, from, to, &records)])
            }
            Ask::CopyChunks { from, to, hashes } => {
                (Access::Write, copy::copy_chunks(schema, from, to, &hashes))
            }
            Ask::EndCopy { from, generation, to, target, records } => {
                let keys = (from, generation, to);
                (Access::Write, copy::end_copy(schema, keys, &target, records))
            }
            Ask::ChunkSizes { thread_key, after, count } => {
                read(lifecycle::chunk_sizes(schema, thread_key, after, count))
            }
            Ask::RemoveChunks { thread_key, from, to, digest, hashes } => {
                let range = (from, to);
                let remove = lifecycle::remove_chunks(schema, thread_key, range, &digest, &hashes);
                (Access::Write, remove)
            }
            Ask::FindThread { after: (after, _), thread_id, idle, runs } => {
                let (thread_id, idle) = (thread_id.as_deref(), idle.as_deref());
                read(lifecycle::find_thread(schema, after, (thread_id, idle), &runs))
            }
            Ask::ListThreads { idle_since, id_prefix, filter, after, count } => {
                let which = (idle_since.as_deref(), id_prefix.as_deref());
                read(lifecycle::list_threads(schema, which, &filter, after.as_ref(), count))
            }
            Ask::Totals { thread_id } => read(lifecycle::totals(schema, thread_id.as_deref())),
            Ask::LeaseSweep { now, until, never } => {
                (Access::Write, vec![lifecycle::lease_sweep(schema, [now, until, never])])
            }
            // A server has its own checks (`amcheck`).
            Ask::CheckFile { .. } | Ask::CheckIndexes => (Access::Read, Vec::new()),
            Ask::Pages | Ask::GiveBackPages { .. } => {
                return Err(Error::invalid(
                    "unsupported-call",
                    "PostgreSQL's autovacuum makes free space available again; only VACUUM FULL or \
                     pg_repack give it back",
                ));
            }
        };
        self.asked.push_back(asked);
        Ok(statements)
    }

    fn answers(&mut self, counts: &[usize], sets: Vec<RowSet>) -> Result<Vec<RowSet>, Error> {
        let mut sets = sets.into_iter();
        let mut answers = Vec::with_capacity(counts.len());
        for count in counts {
            let last = sets.by_ref().take(*count).last().unwrap_or_default();
            answers.push(match self.asked.pop_front() {
                Some(Asked::Page) => {
                    self.chunks.clear();
                    let (page, chunks) = page::divided(last);
                    self.keep(&chunks)?;
                    page
                }
                Some(Asked::Chunks { thread_key, hashes }) => {
                    self.keep(&last)?;
                    self.chunks_at_hand(thread_key, &hashes)
                }
                Some(Asked::Other) | None => last,
            });
        }
        Ok(answers)
    }
}

impl PostgresDialect {
    /// Keeps chunks for later asks.
    fn keep(&mut self, set: &RowSet) -> Result<(), Error> {
        for mut row in rows(set, "lg_chunks") {
            let thread_key = row.integer("thread_key")?;
            let hash = row.blob("hash")?;
            let data = row.blob("data")?;
            // A key of another length is damage, which shows as a missing chunk.
            if let Some(hash) = Hash::from_slice(hash) {
                self.chunks.insert((thread_key, hash), data.to_vec());
            }
        }
        Ok(())
    }

    /// The answer to `Ask::Chunks`.
    fn chunks_at_hand(&self, thread_key: i64, hashes: &[Hash]) -> RowSet {
        let row = |(place, hash): (usize, &Hash)| {
            let data = self.chunks.get(&(thread_key, *hash))?;
            Some(vec![Value::Integer(place as i64), Value::Blob(data.clone())])
        };
        RowSet { rows: hashes.iter().enumerate().filter_map(row).collect() }
    }
}

/// The threads with these keys that exist. A key is never given again, so they are the same
/// threads.
fn find_threads(schema: &Schema, keys: &[i64]) -> Statement {
    let mut parameters = Parameters::default();
    let keys = parameters.bind(integers(keys.iter().copied()), "text");
    let text = format!(
        "SELECT thread_key, generation FROM {schema}.lg_threads \
         WHERE thread_key = ANY ({keys}::bigint[])"
    );
    parameters.statement(text)
}

/// The channels with a stored value in the namespace's first `LOOKED_AT` checkpoints; all channels
/// if there are more checkpoints.
fn find_channels(
    schema: &Schema,
    thread_id: &str,
    checkpoint_ns: &str,
    channels: &[String],
) -> Statement {
    let mut parameters = Parameters::default();
    let thread = parameters.text(thread_id);
    let ns = parameters.text(checkpoint_ns);
    let names = parameters.bind(array(channels.iter().map(String::as_str)), "text");
    let quoted: Vec<_> = channels.iter().map(|channel| statement::element(channel)).collect();
    let quoted = parameters.bind(array(quoted.iter().map(String::as_str)), "text");
    let has = statement::has_channel("f", "n.element");
    parameters.statement(format!(
        "WITH first AS MATERIALIZED (SELECT c.channels FROM {schema}.lg_threads t \
         CROSS JOIN LATERAL (SELECT r.channels FROM {schema}.lg_records r \
         WHERE r.thread_key = t.thread_key AND r.checkpoint_ns = {ns} AND r.task_id = '' \
         ORDER BY r.checkpoint_id LIMIT {LOOKED_AT} + 1) c WHERE t.thread_id = {thread}) \
         SELECT n.name FROM unnest({names}::text[], {quoted}::text[]) n (name, element) \
         WHERE (SELECT count(*) FROM first) > {LOOKED_AT} \
         OR EXISTS (SELECT FROM first f WHERE {has})"
    ))
}

/// The writes to one channel of each of the checkpoints.
fn find_writes(schema: &Schema, channel: &str, checkpoints: &[(i64, String, String)]) -> Statement {
    let mut parameters = Parameters::default();
    let keys = parameters.bind(integers(checkpoints.iter().map(|(key, ..)| *key)), "text");
    let spaces = array(checkpoints.iter().map(|(_, ns, _)| ns.as_str()));
    let spaces = parameters.bind(spaces, "text");
    let ids = parameters.bind(array(checkpoints.iter().map(|(.., id)| id.as_str())), "text");
    let channel_name = parameters.text(channel);
    let mark = parameters.bind(Value::Blob(mark(channel).to_vec()), "bytea");
    let is_of_channel = statement::is_of_channel("r", &channel_name, &mark);
    parameters.statement(format!(
        "SELECT w.thread_key, w.idx, w.task_id, w.checkpoint_ns, w.checkpoint_id, w.task_path, \
         w.channel, w.envelope \
         FROM unnest({keys}::bigint[], {spaces}::text[], {ids}::text[]) WITH ORDINALITY \
         a (thread_key, checkpoint_ns, checkpoint_id, place) \
         CROSS JOIN LATERAL (SELECT r.thread_key, r.idx, r.task_id, r.checkpoint_ns, \
         r.checkpoint_id, r.task_path, r.channel, r.envelope FROM {schema}.lg_records r \
         WHERE r.thread_key = a.thread_key AND r.checkpoint_ns = a.checkpoint_ns \
         AND r.checkpoint_id = a.checkpoint_id AND r.task_id <> '' AND {is_of_channel} OFFSET 0) w \
         ORDER BY a.place, w.task_path, w.task_id, w.idx"
    ))
}
