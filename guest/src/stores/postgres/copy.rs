//! What a copy of a thread asks.

use super::chunks::{hash_at, positions};
use super::lifecycle::checksums;
use super::put::{Packed, part};
use super::schema::Schema;
use super::statement::{Parameters, array, from_end, integers};
use crate::contract::statement::{Statement, Value};
use crate::format::CHECKSUM_BYTES;
use crate::format::values::hash::Hash;
use crate::operations::ask::CopiedRecord;

/// Answers `Ask::BeginCopy`.
///
/// A key comes from the identity of `lg_threads`, for which a row has to be made: the role may have
/// no right to its sequence. The row is gone before anyone can see it, and its id is longer than
/// any that a caller may use.
pub(super) fn begin_copy(schema: &Schema, source: &str, target: &str) -> Vec<Statement> {
    let of_target = |text: &dyn Fn(&str) -> String| {
        let mut parameters = Parameters::default();
        let target = parameters.text(target);
        parameters.statement(text(&target))
    };
    let left = of_target(&|target| {
        format!(
            "WITH c AS (DELETE FROM {schema}.lg_copies WHERE thread_id = {target} \
             RETURNING thread_key) \
             INSERT INTO {schema}.lg_deleted (thread_key) SELECT c.thread_key FROM c \
             ON CONFLICT DO NOTHING"
        )
    });
    let reserved = |target: &str| format!("repeat(' ', 1024) || {target}");
    let make = of_target(&|target| {
        format!("INSERT INTO {schema}.lg_threads (thread_id) VALUES ({})", reserved(target))
    });
    let note = {
        let mut parameters = Parameters::default();
        let target = parameters.text(target);
        let source = parameters.text(source);
        parameters.statement(format!(
            "INSERT INTO {schema}.lg_copies (thread_key, thread_id) \
             SELECT t.thread_key, {target} FROM {schema}.lg_threads t WHERE t.thread_id = {} \
             AND NOT EXISTS (SELECT FROM {schema}.lg_threads WHERE thread_id = {target}) \
             AND EXISTS (SELECT FROM {schema}.lg_threads WHERE thread_id = {source}) \
             ON CONFLICT (thread_id) DO UPDATE SET thread_key = excluded.thread_key",
            reserved(&target)
        ))
    };
    let unmake = of_target(&|target| {
        format!("DELETE FROM {schema}.lg_threads WHERE thread_id = {}", reserved(target))
    });
    let look = {
        let mut parameters = Parameters::default();
        let target = parameters.text(target);
        let source = parameters.text(source);
        parameters.statement(format!(
            "SELECT t.thread_key, t.generation, \
             EXISTS (SELECT FROM {schema}.lg_threads x WHERE x.thread_id = {target})::int::bigint, \
             (SELECT c.thread_key FROM {schema}.lg_copies c WHERE c.thread_id = {target}) \
             FROM {schema}.lg_threads t WHERE t.thread_id = {source}"
        ))
    };
    let lock = of_target(&|target| lock(schema, "thread_id", target));
    // The reserved id makes copies that begin at once wait for each other.
    vec![make, lock, left, note, unmake, look]
}

/// Answers `Ask::State`.
pub(super) fn state(schema: &Schema, thread_key: i64) -> Statement {
    let mut parameters = Parameters::default();
    let key = parameters.integer(thread_key);
    let checksums = checksums(schema, &key);
    parameters.statement(format!(
        "SELECT {checksums}, count(*), coalesce(max(c.checkpoint_id), '') \
         FROM {schema}.lg_records c WHERE c.thread_key = {key} AND c.task_id = ''"
    ))
}

/// Answers `Ask::CopyRecords`.
pub(super) fn copy_records(
    schema: &Schema,
    from: i64,
    to: i64,
    records: &[CopiedRecord],
) -> Statement {
    let mut parameters = Parameters::default();
    let (from, to) = (parameters.integer(from), parameters.integer(to));
    let (mut envelopes, mut checksums) = (Packed::default(), Packed::default());
    for CopiedRecord { checksum, envelope, .. } in records {
        envelopes.push(envelope);
        checksums.push(checksum);
    }
    let keys = || records.iter().map(|record| &record.key);
    let spaces = parameters.bind(array(keys().map(|key| key.0.as_str())), "text");
    let ids = parameters.bind(array(keys().map(|key| key.1.as_str())), "text");
    let tasks = parameters.bind(array(keys().map(|key| key.2.as_str())), "text");
    let places = parameters.bind(integers(keys().map(|key| key.3)), "text");
    let [envelopes, envelope_places] = envelopes.bind(&mut parameters);
    let [checksums, checksum_places] = checksums.bind(&mut parameters);
    parameters.statement(format!(
        "WITH g AS MATERIALIZED ({}) \
         INSERT INTO {schema}.lg_records (thread_key, envelope, checkpoint_ns, checkpoint_id, \
         task_id, idx, parent_checkpoint_id, created_at, channels, metadata, terms, run_id, \
         task_path, channel, refs) SELECT {to}, {}, r.checkpoint_ns, r.checkpoint_id, r.task_id, \
         r.idx, r.parent_checkpoint_id, r.created_at, r.channels, r.metadata, r.terms, r.run_id, \
         r.task_path, r.channel, r.refs FROM unnest({spaces}::text[], {ids}::text[], \
         {tasks}::text[], {places}::bigint[], {envelope_places}::bigint[], \
         {checksum_places}::bigint[]) u (ns, id, task, idx, e, c) CROSS JOIN g \
         CROSS JOIN LATERAL (SELECT x.* FROM {schema}.lg_records x \
         WHERE x.thread_key = {from} AND x.checkpoint_ns = u.ns AND x.checkpoint_id = u.id \
         AND x.task_id = u.task AND x.idx = u.idx OFFSET 0) r WHERE {} = {} \
         ON CONFLICT DO NOTHING",
        lock(schema, "thread_key", &to),
        part(&envelopes, "u.e"),
        from_end("r", CHECKSUM_BYTES, CHECKSUM_BYTES),
        part(&checksums, "u.c"),
    ))
}

/// Answers `Ask::CopyChunks`.
pub(super) fn copy_chunks(schema: &Schema, from: i64, to: i64, hashes: &[Hash]) -> Vec<Statement> {
    let packed: Vec<u8> = hashes.iter().flat_map(|hash| hash.as_bytes()).copied().collect();
    let found = |key: &str, packed: &str| {
        format!(
            "(SELECT {} AS hash FROM {} p) w CROSS JOIN LATERAL (SELECT c.hash, c.data, c.refs \
             FROM {schema}.lg_chunks c WHERE c.thread_key = {key} AND c.hash = w.hash LIMIT 1) k",
            hash_at(packed, "p.i"),
            positions(packed)
        )
    };
    let mut parameters = Parameters::default();
    let source = parameters.integer(from);
    let target = parameters.integer(to);
    let bound = parameters.bind(Value::Blob(packed.clone()), "bytea");
    let copy = parameters.statement(format!(
        "WITH g AS MATERIALIZED ({}) \
         INSERT INTO {schema}.lg_chunks (thread_key, hash, data, refs) \
         SELECT {target}, k.hash, k.data, k.refs FROM g CROSS JOIN {} ON CONFLICT DO NOTHING",
        lock(schema, "thread_key", &target),
        found(&source, &bound)
    ));
    let mut parameters = Parameters::default();
    let target = parameters.integer(to);
    let bound = parameters.bind(Value::Blob(packed), "bytea");
    let count = parameters.statement(format!(
        "SELECT count(*), coalesce(sum(octet_length(k.data)), 0)::bigint FROM {}",
        found(&target, &bound)
    ));
    vec![copy, count]
}

/// Locks the row of a copy under way. What another copy to the same thread removes is then all that
/// this one has stored.
fn lock(schema: &Schema, column: &str, value: &str) -> String {
    format!("SELECT thread_key FROM {schema}.lg_copies WHERE {column} = {value} FOR UPDATE")
}

/// Answers `Ask::EndCopy`.
pub(super) fn end_copy(
    schema: &Schema,
    (from, generation, to): (i64, i64, i64),
    target: &str,
    records: i64,
) -> Vec<Statement> {
    let mut parameters = Parameters::default();
    let key = parameters.integer(to);
    let lock = parameters.statement(lock(schema, "thread_key", &key));
    let mut parameters = Parameters::default();
    let key = parameters.integer(to);
    let id = parameters.text(target);
    let from = parameters.integer(from);
    let generation = parameters.integer(generation);
    let records = parameters.integer(records);
    let insert = parameters.statement(format!(
        "INSERT INTO {schema}.lg_threads (thread_key, thread_id, generation) \
         OVERRIDING SYSTEM VALUE SELECT {key}, {id}, 0 \
         WHERE EXISTS (SELECT FROM {schema}.lg_copies WHERE thread_key = {key}) \
         AND EXISTS (SELECT FROM {schema}.lg_threads WHERE thread_key = {from} \
         AND generation = {generation}) \
         AND (SELECT count(*) FROM {schema}.lg_records WHERE thread_key = {key}) = {records} \
         ON CONFLICT DO NOTHING"
    ));
    let mut parameters = Parameters::default();
    let key = parameters.integer(to);
    let forget = parameters.statement(format!(
        "DELETE FROM {schema}.lg_copies WHERE thread_key = {key} \
         AND EXISTS (SELECT FROM {schema}.lg_threads WHERE thread_key = {key})"
    ));
    let mut parameters = Parameters::default();
    let key = parameters.integer(to);
    let id = parameters.text(target);
    let look = parameters.statement(format!(
        "SELECT EXISTS (SELECT FROM {schema}.lg_threads WHERE thread_key = {key})::int::bigint, \
         EXISTS (SELECT FROM {schema}.lg_threads WHERE thread_id = {id})::int::bigint, \
         EXISTS (SELECT FROM {schema}.lg_copies WHERE thread_key = {key})::int::bigint"
    ));
    vec![lock, insert, forget, look]
}
