//! What prunes, lists of threads and totals ask.

use super::list::{Conditions, columns};
use super::statement::{once, text};
use crate::contract::call::MetadataFilter;
use crate::contract::statement::{Statement, Value};
use crate::format::CHECKSUM_BYTES;
use crate::format::json;
use crate::format::values::hash::Hash;
use crate::operations::ask::{Checkpoints, RecordKey, ThreadsAfter};

/// The key of a record `r` in its thread.
const KEY: &str = "r.checkpoint_ns, r.checkpoint_id, r.task_id, r.idx";

/// The order of records, the one with the greatest key first.
const DESCENDING: &str = "r.checkpoint_ns DESC, r.checkpoint_id DESC, r.task_id DESC, r.idx DESC";

/// The id and the time of the newest checkpoint of the root namespace of a thread `t`; of a thread
/// without one, of any namespace.
fn newest(column: &str) -> String {
    format!(
        "coalesce((SELECT c.{column} FROM lg_records c WHERE c.thread_key = t.thread_key \
         AND c.checkpoint_ns = '' AND c.task_id = '' ORDER BY c.checkpoint_id DESC LIMIT 1), \
         (SELECT c.{column} FROM lg_records c WHERE c.thread_key = t.thread_key \
         AND c.task_id = '' ORDER BY c.checkpoint_id DESC LIMIT 1))"
    )
}

/// Whether a checkpoint is of one of the runs in a JSON array, 0 or 1.
fn is_of_run(run_id: &str, runs: &str) -> String {
    format!("ifnull({run_id} IN (SELECT e.value FROM json_each({runs}) e), 0)")
}

/// The condition that the thread `?1` has the checkpoints `?2`, a count, a slash and the newest id.
pub(super) const HAS_CHECKPOINTS: &str = "(\
     SELECT count(*) || '/' || ifnull(max(c.checkpoint_id), '') FROM lg_records c \
     WHERE c.thread_key = ?1 AND c.task_id = '') = ?2";

pub(super) fn checkpoints(of: &Checkpoints) -> Value {
    Value::Text(format!("{}/{}", of.count, of.newest))
}

fn after(key: Option<&RecordKey>) -> [Value; 4] {
    let start = (String::new(), String::new(), String::new(), i64::MIN);
    let (ns, id, task_id, idx) = key.unwrap_or(&start);
    [text(ns), text(id), text(task_id), Value::Integer(*idx)]
}

/// Answers `Ask::Outline`.
#[inline(never)]
pub(super) fn outline(
    thread_id: &str,
    runs: &[String],
    before: Option<&RecordKey>,
    count: u64,
) -> Statement {
    let mut parameters = vec![text(thread_id)];
    parameters.extend(match before {
        Some(_) => after(before),
        // Bytes sort after all texts.
        None => [Value::Blob(Vec::new()), Value::Null, Value::Null, Value::Null],
    });
    parameters.push(Value::Integer(count as i64));
    parameters.push(Value::Text(json::array_of_strings(runs.iter().map(String::as_str))));
    let link = format!("substr(r.envelope, -{CHECKSUM_BYTES} * 2, {CHECKSUM_BYTES})");
    let of_checkpoint = |column: &str| format!("CASE WHEN r.task_id = '' THEN {column} END");
    once(
        &format!(
            "SELECT t.thread_key, t.generation, {KEY}, \
             iif(r.task_id = '', r.parent_checkpoint_id, r.channel), {}, {}, {}, {} \
             FROM lg_threads t CROSS JOIN lg_records r ON r.thread_key = t.thread_key \
             WHERE t.thread_id = ?1 AND ({KEY}) < (?2, ?3, ?4, ?5) ORDER BY {DESCENDING} \
             LIMIT (SELECT ?6)",
            of_checkpoint("ifnull(r.channels, '')"),
            of_checkpoint(&link),
            of_checkpoint("r.created_at"),
            of_checkpoint(&is_of_run("r.run_id", "?7")),
        ),
        parameters,
    )
}

/// Answers `Ask::Checkpoints`.
#[inline(never)]
pub(super) fn find_checkpoints(thread_key: i64, places: Vec<(String, String)>) -> Statement {
    let row = |(ns, id)| vec![Value::Integer(thread_key), Value::Text(ns), Value::Text(id)];
    Statement {
        text: "SELECT r.thread_key, t.generation, t.thread_id, r.checkpoint_ns, r.checkpoint_id, \
               r.parent_checkpoint_id, r.created_at, CAST(r.metadata AS BLOB), r.envelope, \
               ifnull(r.channels, '') FROM lg_threads t \
               CROSS JOIN lg_records r ON r.thread_key = t.thread_key \
               WHERE t.thread_key = ?1 AND r.checkpoint_ns = ?2 AND r.checkpoint_id = ?3 \
               AND r.task_id = '' AND r.idx = 0"
            .to_owned(),
        parameters: places.into_iter().map(row).collect(),
    }
}

/// Answers `Ask::Records`.
#[inline(never)]
pub(super) fn records(thread_key: i64, last: Option<&RecordKey>, count: u64) -> Statement {
    let columns = columns();
    let mut parameters = vec![Value::Integer(thread_key)];
    parameters.extend(after(last));
    parameters.push(Value::Integer(count as i64));
    once(
        &format!(
            "{columns} FROM lg_threads t CROSS JOIN lg_records r ON r.thread_key = t.thread_key \
             WHERE t.thread_key = ?1 AND ({KEY}) > (?2, ?3, ?4, ?5) ORDER BY {KEY} \
             LIMIT (SELECT ?6)"
        ),
        parameters,
    )
}

/// Answers `Ask::RemoveRecords`.
#[inline(never)]
pub(super) fn remove_records(
    thread_key: i64,
    of: &Checkpoints,
    places: &[(String, String)],
) -> Vec<Statement> {
    let key = Value::Integer(thread_key);
    let pairs = places.iter().map(|(ns, id)| json::array_of_strings([&**ns, id].into_iter()));
    let pairs = format!("[{}]", pairs.collect::<Vec<_>>().join(","));
    vec![
        once(
            &format!(
                "UPDATE lg_threads SET generation = generation + 1 + (generation & 1) \
                 WHERE thread_key = ?1 AND {HAS_CHECKPOINTS}"
            ),
            vec![key.clone(), checkpoints(of)],
        ),
        once(
            &format!(
                "DELETE FROM lg_records WHERE rowid IN (SELECT r.rowid FROM json_each(?3) d \
                 CROSS JOIN lg_records r ON r.thread_key = ?1 \
                 AND r.checkpoint_ns = d.value ->> 0 AND r.checkpoint_id = d.value ->> 1) \
                 AND {HAS_CHECKPOINTS}"
            ),
            vec![key.clone(), checkpoints(of), Value::Text(pairs)],
        ),
        once(
            "SELECT t.generation, count(c.checkpoint_id), max(c.checkpoint_id) FROM lg_threads t \
             LEFT JOIN lg_records c ON c.thread_key = t.thread_key AND c.task_id = '' \
             WHERE t.thread_key = ?1 GROUP BY t.thread_key",
            vec![key],
        ),
    ]
}

/// Answers `Ask::ChunkSizes`.
#[inline(never)]
pub(super) fn chunk_sizes(thread_key: i64, last: Option<Hash>, count: u64) -> Statement {
    let last = last.map_or_else(Vec::new, |hash| hash.as_bytes().to_vec());
    once(
        "SELECT hash, length(data) FROM lg_chunks WHERE thread_key = ?1 AND hash > ?2 \
         ORDER BY hash LIMIT (SELECT ?3)",
        vec![Value::Integer(thread_key), Value::Blob(last), Value::Integer(count as i64)],
    )
}

/// The checksums of the records of the thread `?1`, in their order.
pub(super) fn checksums() -> String {
    format!(
        "(SELECT ifnull(group_concat(c.checksum, ''), '') FROM (\
         SELECT hex(substr(r.envelope, -{CHECKSUM_BYTES})) AS checksum FROM lg_records r \
         WHERE r.thread_key = ?1 ORDER BY {KEY}) c)"
    )
}

/// Answers `Ask::RemoveChunks`.
#[inline(never)]
pub(super) fn remove_chunks(
    thread_key: i64,
    from: i64,
    to: i64,
    digest: &str,
    hashes: &[Hash],
) -> Vec<Statement> {
    let key = Value::Integer(thread_key);
    let packed = hashes.iter().flat_map(|hash| hash.as_bytes()).copied().collect();
    let is_unchanged = format!("{} = ?2", checksums());
    vec![
        once(
            &format!(
                "UPDATE lg_threads SET generation = ?3 \
                 WHERE thread_key = ?1 AND generation = ?4 AND {is_unchanged}"
            ),
            vec![key.clone(), text(digest), Value::Integer(to), Value::Integer(from)],
        ),
        once(
            &format!(
                "WITH RECURSIVE wanted (at) AS (\
                 SELECT 1 UNION ALL SELECT at + 20 FROM wanted WHERE at + 20 <= length(?3)) \
                 DELETE FROM lg_chunks WHERE rowid IN (SELECT c.rowid FROM wanted \
                 CROSS JOIN lg_chunks c ON c.thread_key = ?1 AND c.hash = substr(?3, at, 20)) \
                 AND {is_unchanged} \
                 AND EXISTS (SELECT 1 FROM lg_threads WHERE thread_key = ?1 AND generation = ?4)"
            ),
            vec![key.clone(), text(digest), Value::Blob(packed), Value::Integer(to)],
        ),
        once("SELECT generation FROM lg_threads WHERE thread_key = ?1", vec![key]),
    ]
}

/// Answers `Ask::FindThread`.
#[inline(never)]
pub(super) fn find_thread(
    after: i64,
    thread_id: Option<&str>,
    idle: Option<&str>,
    runs: &[String],
) -> Statement {
    let mut conditions = Conditions::default();
    let after = conditions.bind(Value::Integer(after));
    conditions.texts.push(format!("t.thread_key > {after}"));
    if let Some(thread_id) = thread_id {
        let thread_id = conditions.bind(text(thread_id));
        conditions.texts.push(format!("t.thread_id = {thread_id}"));
    }
    if let Some(ts) = idle {
        let ts = conditions.bind(text(ts));
        conditions.texts.push(format!("{} < {ts}", newest("created_at")));
    }
    if !runs.is_empty() {
        let runs = json::array_of_strings(runs.iter().map(String::as_str));
        let runs = conditions.bind(Value::Text(runs));
        conditions.texts.push(format!(
            "EXISTS (SELECT 1 FROM lg_records c WHERE c.thread_key = t.thread_key \
             AND c.task_id = '' AND {})",
            is_of_run("c.run_id", &runs)
        ));
    }
    let Conditions { texts, parameters } = conditions;
    once(
        &format!(
            "SELECT t.thread_key, t.thread_id, t.generation FROM lg_threads t WHERE {} \
             ORDER BY t.thread_key LIMIT 1",
            texts.join(" AND ")
        ),
        parameters,
    )
}

/// Answers `Ask::ListThreads`.
///
/// The newest ids come from the index alone. Only the threads of the page are counted.
#[inline(never)]
pub(super) fn list_threads(
    idle_since: Option<&str>,
    id_prefix: Option<&str>,
    filter: &[MetadataFilter],
    after: Option<&ThreadsAfter>,
    count: u64,
) -> Statement {
    let mut conditions = Conditions::default();
    let mut of_thread = String::new();
    if let Some(prefix) = id_prefix {
        let prefix = conditions.bind(text(prefix));
        of_thread = format!(" WHERE substr(t.thread_id, 1, length({prefix})) = {prefix}");
    }
    conditions.texts.push("n.checkpoint_id IS NOT NULL".to_owned());
    if let Some(ThreadsAfter { checkpoint_id, thread_id }) = after {
        let id = conditions.bind(text(checkpoint_id));
        let thread = conditions.bind(text(thread_id));
        conditions.texts.push(format!("(n.checkpoint_id, n.thread_id) < ({id}, {thread})"));
    }
    let needs_row = idle_since.is_some() || !filter.is_empty();
    if let Some(ts) = idle_since {
        let ts = conditions.bind(text(ts));
        conditions.texts.push(format!("c.created_at < {ts}"));
    }
    conditions.metadata(filter);
    let count = conditions.bind(Value::Integer(count as i64));
    // Of several namespaces with the same id the root's is the first.
    let row = |of: &str| {
        format!(
            "CROSS JOIN lg_records c ON c.rowid = (SELECT x.rowid FROM lg_records x \
             WHERE x.thread_key = {of}.thread_key AND x.checkpoint_id = {of}.checkpoint_id \
             AND x.task_id = '' AND x.checkpoint_ns = coalesce(\
             (SELECT '' WHERE EXISTS (SELECT 1 FROM lg_records y \
             WHERE y.thread_key = {of}.thread_key AND y.checkpoint_ns = '' AND y.task_id = '')), \
             x.checkpoint_ns) LIMIT 1)"
        )
    };
    let selected = if needs_row { row("n") } else { String::new() };
    let number =
        |what: &str| format!("(SELECT {what} FROM lg_records x WHERE x.thread_key = p.thread_key)");
    let newest = newest("checkpoint_id");
    let Conditions { texts, parameters } = conditions;
    once(
        &format!(
            "WITH n AS MATERIALIZED (SELECT t.thread_key, t.thread_id, {newest} AS checkpoint_id \
             FROM lg_threads t{of_thread}), \
             p AS MATERIALIZED (SELECT n.thread_key, n.thread_id, n.checkpoint_id \
             FROM n {selected} WHERE {} ORDER BY n.checkpoint_id DESC, n.thread_id DESC \
             LIMIT (SELECT {count})) \
             SELECT p.thread_id, p.checkpoint_id, c.created_at, CAST(c.metadata AS BLOB), \
             {}, {}, {} FROM p {} ORDER BY p.checkpoint_id DESC, p.thread_id DESC",
            texts.join(" AND "),
            number("count(DISTINCT x.checkpoint_ns)"),
            number("count(*) FILTER (WHERE x.task_id = '')"),
            number("count(*) FILTER (WHERE x.task_id <> '')"),
            row("p"),
        ),
        parameters,
    )
}

/// Answers `Ask::Totals`.
#[inline(never)]
pub(super) fn totals(thread_id: Option<&str>) -> Statement {
    let (of_thread, of_table, parameters) = match thread_id {
        None => ("", "", vec![Vec::new()]),
        Some(thread_id) => (
            " WHERE t.thread_id = ?1",
            " WHERE x.thread_key = (SELECT t.thread_key FROM lg_threads t WHERE t.thread_id = ?1)",
            vec![vec![text(thread_id)]],
        ),
    };
    Statement {
        text: format!(
            "SELECT (SELECT count(*) FROM lg_threads t{of_thread}), r.*, c.* FROM (\
             SELECT count(*) FILTER (WHERE x.task_id = ''), \
             count(*) FILTER (WHERE x.task_id <> ''), \
             ifnull(sum(length(x.envelope) + ifnull(length(CAST(x.metadata AS BLOB)), 0)), 0) \
             FROM lg_records x{of_table}) r, \
             (SELECT count(*), ifnull(sum(length(x.data)), 0) FROM lg_chunks x{of_table}) c"
        ),
        parameters,
    }
}
