//! What prunes, lists of threads and totals ask.
//!
//! A batch that removes something locks its thread's row first. Its other statements then see what
//! puts stored that the lock waited for.

use super::page::{RECORD, columns, uuids};
use super::schema::Schema;
use super::statement::{Parameters, array, from_end};
use crate::contract::call::MetadataFilter;
use crate::contract::statement::{Statement, Value};
use crate::format::CHECKSUM_BYTES;
use crate::format::terms::Term;
use crate::format::values::hash::Hash;
use crate::operations::ask::{Checkpoints, RecordKey, ThreadsAfter};

/// The key of a record `r` in its thread.
const KEY: &str = "r.checkpoint_ns, r.checkpoint_id, r.task_id, r.idx";

/// The order of records, the one with the greatest key first.
const DESCENDING: &str = "r.checkpoint_ns DESC, r.checkpoint_id DESC, r.task_id DESC, r.idx DESC";

/// The newest checkpoint of the root namespace of a thread `t`; of a thread without one, of any
/// namespace.
fn newest(schema: &Schema, column: &str) -> String {
    let one = |condition: &str| {
        format!(
            "(SELECT c.{column} FROM {schema}.lg_records c WHERE c.thread_key = t.thread_key \
             AND {condition}c.task_id = '' ORDER BY c.checkpoint_id DESC LIMIT 1)"
        )
    };
    format!("coalesce({}, {})", one("c.checkpoint_ns = '' AND "), one(""))
}

/// The condition that a checkpoint is of one of these runs.
fn is_of_run(run_id: &str, runs: &[String], parameters: &mut Parameters) -> String {
    let runs = parameters.bind(array(runs.iter().map(String::as_str)), "text");
    format!("{run_id} = ANY ({runs}::text[])")
}

/// The condition that the key of a record `r` is greater or less than this one.
fn is(sign: char, key: Option<&RecordKey>, parameters: &mut Parameters) -> String {
    let Some((ns, id, task_id, idx)) = key else {
        return "true".to_owned();
    };
    let values = [parameters.text(ns), parameters.text(id), parameters.text(task_id)];
    format!("({KEY}) {sign} ({}, {})", values.join(", "), parameters.integer(*idx))
}

/// The condition that a thread has these checkpoints.
pub(super) fn has_checkpoints(
    schema: &Schema,
    key: &str,
    of: &Checkpoints,
    parameters: &mut Parameters,
) -> String {
    let of = parameters.text(&format!("{}/{}", of.count, of.newest));
    format!(
        "(SELECT count(*) || '/' || coalesce(max(c.checkpoint_id), '') \
         FROM {schema}.lg_records c WHERE c.thread_key = {key} AND c.task_id = '') = {of}"
    )
}

pub(super) fn lock(schema: &Schema, thread_key: i64) -> Statement {
    let mut parameters = Parameters::default();
    let key = parameters.integer(thread_key);
    parameters.statement(format!(
        "SELECT thread_key FROM {schema}.lg_threads WHERE thread_key = {key} FOR UPDATE"
    ))
}

/// Answers `Ask::Outline`.
pub(super) fn outline(
    schema: &Schema,
    thread_id: &str,
    runs: &[String],
    before: Option<&RecordKey>,
    count: u64,
) -> Statement {
    let mut parameters = Parameters::default();
    let thread = parameters.text(thread_id);
    let before = is('<', before, &mut parameters);
    let is_of_run = is_of_run("r.run_id", runs, &mut parameters);
    let count = parameters.integer(count as i64);
    let of_checkpoint = |column: &str| format!("CASE WHEN r.task_id = '' THEN {column} END");
    parameters.statement(format!(
        "SELECT t.thread_key, t.generation, {KEY}, \
         CASE WHEN r.task_id = '' THEN r.parent_checkpoint_id ELSE r.channel END, {}, {}, {}, {} \
         FROM {schema}.lg_threads t CROSS JOIN LATERAL (SELECT r.* FROM {schema}.lg_records r \
         WHERE r.thread_key = t.thread_key AND {before} ORDER BY {DESCENDING} LIMIT {count}) r \
         WHERE t.thread_id = {thread} ORDER BY {DESCENDING}",
        of_checkpoint("coalesce(r.channels, '')"),
        of_checkpoint(&from_end("r", 2 * CHECKSUM_BYTES, CHECKSUM_BYTES)),
        of_checkpoint("r.created_at"),
        of_checkpoint(&format!("coalesce({is_of_run}, false)::int::bigint")),
    ))
}

/// Answers `Ask::Checkpoints`.
pub(super) fn find_checkpoints(
    schema: &Schema,
    thread_key: i64,
    places: &[(String, String)],
) -> Statement {
    let mut parameters = Parameters::default();
    let key = parameters.integer(thread_key);
    let [spaces, ids] = bind_places(places, &mut parameters);
    parameters.statement(format!(
        "SELECT r.thread_key, t.generation, t.thread_id, r.checkpoint_ns, r.checkpoint_id, \
         r.parent_checkpoint_id, r.created_at, r.metadata, r.envelope, coalesce(r.channels, '') \
         FROM {schema}.lg_threads t \
         CROSS JOIN unnest({spaces}::text[], {ids}::text[]) p (ns, id) \
         CROSS JOIN LATERAL (SELECT r.* FROM {schema}.lg_records r \
         WHERE r.thread_key = t.thread_key AND r.checkpoint_ns = p.ns AND r.checkpoint_id = p.id \
         AND r.task_id = '' AND r.idx = 0 OFFSET 0) r WHERE t.thread_key = {key}"
    ))
}

fn bind_places(places: &[(String, String)], parameters: &mut Parameters) -> [String; 2] {
    let spaces = array(places.iter().map(|(ns, _)| ns.as_str()));
    let ids = array(places.iter().map(|(_, id)| id.as_str()));
    [parameters.bind(spaces, "text"), parameters.bind(ids, "text")]
}

/// Answers `Ask::Records`.
pub(super) fn records(
    schema: &Schema,
    thread_key: i64,
    last: Option<&RecordKey>,
    count: u64,
) -> Statement {
    let mut parameters = Parameters::default();
    let key = parameters.integer(thread_key);
    let after = is('>', last, &mut parameters);
    let count = parameters.integer(count as i64);
    let columns = columns();
    parameters.statement(format!(
        "SELECT {columns} FROM (SELECT t.thread_id, t.generation, s.* FROM {schema}.lg_threads t \
         CROSS JOIN LATERAL (SELECT {RECORD} FROM {schema}.lg_records r \
         WHERE r.thread_key = t.thread_key AND {after} ORDER BY {KEY} LIMIT {count}) s \
         WHERE t.thread_key = {key}) r ORDER BY {KEY}"
    ))
}

/// Answers `Ask::RemoveRecords`.
pub(super) fn remove_records(
    schema: &Schema,
    thread_key: i64,
    of: &Checkpoints,
    places: &[(String, String)],
) -> Vec<Statement> {
    let mut parameters = Parameters::default();
    let key = parameters.integer(thread_key);
    let condition = has_checkpoints(schema, &key, of, &mut parameters);
    let [spaces, ids] = bind_places(places, &mut parameters);
    let remove = parameters.statement(format!(
        "WITH g AS MATERIALIZED (SELECT t.thread_key FROM {schema}.lg_threads t \
         WHERE t.thread_key = {key} AND {condition}), \
         d AS (DELETE FROM {schema}.lg_records x WHERE x.ctid IN (SELECT r.place FROM g \
         CROSS JOIN unnest({spaces}::text[], {ids}::text[]) p (ns, id) \
         CROSS JOIN LATERAL (SELECT r.ctid AS place FROM {schema}.lg_records r \
         WHERE r.thread_key = g.thread_key AND r.checkpoint_ns = p.ns \
         AND r.checkpoint_id = p.id OFFSET 0) r)) \
         UPDATE {schema}.lg_threads t SET generation = t.generation + 1 + (t.generation & 1) \
         FROM g WHERE t.thread_key = g.thread_key"
    ));
    let mut parameters = Parameters::default();
    let key = parameters.integer(thread_key);
    let look = parameters.statement(format!(
        "SELECT t.generation, (SELECT count(*) FROM {schema}.lg_records c \
         WHERE c.thread_key = t.thread_key AND c.task_id = ''), \
         (SELECT max(c.checkpoint_id) FROM {schema}.lg_records c \
         WHERE c.thread_key = t.thread_key AND c.task_id = '') \
         FROM {schema}.lg_threads t WHERE t.thread_key = {key}"
    ));
    vec![lock(schema, thread_key), remove, look]
}

/// Answers `Ask::ChunkSizes`.
pub(super) fn chunk_sizes(
    schema: &Schema,
    thread_key: i64,
    last: Option<Hash>,
    count: u64,
) -> Statement {
    let mut parameters = Parameters::default();
    let key = parameters.integer(thread_key);
    let last = last.map_or_else(Vec::new, |hash| hash.as_bytes().to_vec());
    let last = parameters.bind(Value::Blob(last), "bytea");
    let count = parameters.integer(count as i64);
    parameters.statement(format!(
        "SELECT hash, octet_length(data)::bigint FROM {schema}.lg_chunks \
         WHERE thread_key = {key} AND hash > {last} ORDER BY hash LIMIT {count}"
    ))
}

/// The checksums of the records of a thread, in their order.
pub(super) fn checksums(schema: &Schema, key: &str) -> String {
    let checksum = from_end("r", CHECKSUM_BYTES, CHECKSUM_BYTES);
    format!(
        "(SELECT coalesce(string_agg(upper(encode({checksum}, 'hex')), '' ORDER BY {KEY}), '') \
         FROM {schema}.lg_records r WHERE r.thread_key = {key})"
    )
}

/// Answers `Ask::RemoveChunks`.
pub(super) fn remove_chunks(
    schema: &Schema,
    thread_key: i64,
    (from, to): (i64, i64),
    digest: &str,
    hashes: &[Hash],
) -> Vec<Statement> {
    let mut parameters = Parameters::default();
    let key = parameters.integer(thread_key);
    let from = parameters.integer(from);
    let to = parameters.integer(to);
    let digest = parameters.text(digest);
    let packed = hashes.iter().flat_map(|hash| hash.as_bytes()).copied().collect();
    let packed = parameters.bind(Value::Blob(packed), "bytea");
    let checksums = checksums(schema, "t.thread_key");
    let remove = parameters.statement(format!(
        "WITH g AS MATERIALIZED (SELECT t.thread_key FROM {schema}.lg_threads t \
         WHERE t.thread_key = {key} AND t.generation IN ({from}, {to}) \
         AND {checksums} = {digest}), \
         d AS (DELETE FROM {schema}.lg_chunks x WHERE x.ctid IN (SELECT c.place FROM g \
         CROSS JOIN generate_series(0, octet_length({packed}) / 20 - 1) i \
         CROSS JOIN LATERAL (SELECT c.ctid AS place FROM {schema}.lg_chunks c \
         WHERE c.thread_key = g.thread_key \
         AND c.hash = substring({packed} FROM i * 20 + 1 FOR 20) OFFSET 0) c)) \
         UPDATE {schema}.lg_threads t SET generation = {to} \
         FROM g WHERE t.thread_key = g.thread_key"
    ));
    let mut parameters = Parameters::default();
    let key = parameters.integer(thread_key);
    let look = parameters
        .statement(format!("SELECT generation FROM {schema}.lg_threads WHERE thread_key = {key}"));
    vec![lock(schema, thread_key), remove, look]
}

/// Answers `Ask::FindThread`.
pub(super) fn find_thread(
    schema: &Schema,
    after: i64,
    (thread_id, idle): (Option<&str>, Option<&str>),
    runs: &[String],
) -> Statement {
    let mut parameters = Parameters::default();
    let mut conditions = vec![format!("t.thread_key > {}", parameters.integer(after))];
    if let Some(thread_id) = thread_id {
        conditions.push(format!("t.thread_id = {}", parameters.text(thread_id)));
    }
    if let Some(ts) = idle {
        let newest = newest(schema, "created_at");
        conditions.push(format!("{newest} < {}", parameters.text(ts)));
    }
    if !runs.is_empty() {
        let is_of_run = is_of_run("c.run_id", runs, &mut parameters);
        conditions.push(format!(
            "EXISTS (SELECT FROM {schema}.lg_records c WHERE c.thread_key = t.thread_key \
             AND c.task_id = '' AND {is_of_run})"
        ));
    }
    parameters.statement(format!(
        "SELECT t.thread_key, t.thread_id, t.generation FROM {schema}.lg_threads t WHERE {} \
         ORDER BY t.thread_key LIMIT 1",
        conditions.join(" AND ")
    ))
}

/// Answers `Ask::ListThreads`.
pub(super) fn list_threads(
    schema: &Schema,
    (idle_since, id_prefix): (Option<&str>, Option<&str>),
    filter: &[MetadataFilter],
    after: Option<&ThreadsAfter>,
    count: u64,
) -> Statement {
    let mut parameters = Parameters::default();
    let mut of_thread = "true".to_owned();
    if let Some(prefix) = id_prefix {
        of_thread = format!("starts_with(t.thread_id, {})", parameters.text(prefix));
    }
    let mut conditions = vec!["n.checkpoint_id IS NOT NULL".to_owned()];
    if let Some(ThreadsAfter { checkpoint_id, thread_id }) = after {
        let id = parameters.text(checkpoint_id);
        let thread = parameters.text(thread_id);
        conditions.push(format!("(n.checkpoint_id, n.thread_id) < ({id}, {thread})"));
    }
    let needs_row = idle_since.is_some() || !filter.is_empty();
    if let Some(ts) = idle_since {
        conditions.push(format!("c.created_at < {}", parameters.text(ts)));
    }
    if !filter.is_empty() {
        let terms = filter.iter().map(|filter| Term::of_filter(&filter.key, &filter.json));
        let terms = parameters.bind(uuids(&terms.collect::<Vec<_>>()), "text");
        conditions.push(format!("c.terms @> {terms}::uuid[]"));
    }
    let count = parameters.integer(count as i64);
    // Of several namespaces with the same id the root's is the first.
    let row = |of: &str| {
        format!(
            "CROSS JOIN LATERAL (SELECT x.created_at, x.metadata, x.terms \
             FROM {schema}.lg_records x WHERE x.thread_key = {of}.thread_key \
             AND x.checkpoint_id = {of}.checkpoint_id AND x.task_id = '' \
             AND (x.checkpoint_ns = '' OR NOT EXISTS (SELECT FROM {schema}.lg_records y \
             WHERE y.thread_key = {of}.thread_key AND y.checkpoint_ns = '' AND y.task_id = '')) \
             ORDER BY x.checkpoint_ns LIMIT 1) c"
        )
    };
    let selected = if needs_row { row("n") } else { String::new() };
    let newest = newest(schema, "checkpoint_id");
    parameters.statement(format!(
        "WITH n AS MATERIALIZED (SELECT t.thread_key, t.thread_id, {newest} AS checkpoint_id \
         FROM {schema}.lg_threads t WHERE {of_thread}), \
         p AS MATERIALIZED (SELECT n.thread_key, n.thread_id, n.checkpoint_id FROM n {selected} \
         WHERE {} ORDER BY n.checkpoint_id DESC, n.thread_id DESC LIMIT {count}) \
         SELECT p.thread_id, p.checkpoint_id, c.created_at, c.metadata, k.namespaces, \
         k.checkpoints, k.writes FROM p {} CROSS JOIN LATERAL (\
         SELECT count(DISTINCT x.checkpoint_ns) AS namespaces, \
         count(*) FILTER (WHERE x.task_id = '') AS checkpoints, \
         count(*) FILTER (WHERE x.task_id <> '') AS writes FROM {schema}.lg_records x \
         WHERE x.thread_key = p.thread_key) k \
         ORDER BY p.checkpoint_id DESC, p.thread_id DESC",
        conditions.join(" AND "),
        row("p"),
    ))
}

/// Answers `Ask::Totals`.
pub(super) fn totals(schema: &Schema, thread_id: Option<&str>) -> Statement {
    let mut parameters = Parameters::default();
    let (mut of_thread, mut of_table) = ("true".to_owned(), "true".to_owned());
    if let Some(thread_id) = thread_id {
        of_thread = format!("t.thread_id = {}", parameters.text(thread_id));
        of_table = format!(
            "x.thread_key = (SELECT t.thread_key FROM {schema}.lg_threads t WHERE {of_thread})"
        );
    }
    parameters.statement(format!(
        "SELECT (SELECT count(*) FROM {schema}.lg_threads t WHERE {of_thread}), r.*, c.* FROM (\
         SELECT count(*) FILTER (WHERE x.task_id = ''), count(*) FILTER (WHERE x.task_id <> ''), \
         coalesce(sum(octet_length(x.envelope) \
         + coalesce(octet_length(x.metadata), 0)), 0)::bigint \
         FROM {schema}.lg_records x WHERE {of_table}) r, \
         (SELECT count(*), coalesce(sum(octet_length(x.data)), 0)::bigint \
         FROM {schema}.lg_chunks x WHERE {of_table}) c"
    ))
}

/// Answers `Ask::LeaseSweep`.
pub(super) fn lease_sweep(schema: &Schema, times: [i64; 3]) -> Statement {
    let mut parameters = Parameters::default();
    let [now, until, never] = times.map(|time| parameters.integer(time));
    parameters.statement(format!(
        "UPDATE {schema}.lg_sweeps SET leased_until = {until} \
         WHERE leased_until <= {now} OR leased_until > {never} RETURNING leased_until"
    ))
}
