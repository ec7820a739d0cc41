//! A page of checkpoints, with their writes and the chunks of both.

use super::chunks::{below, hash_at, positions, rare};
use super::schema::Schema;
use super::statement::{Parameters, hash_lists};
use crate::contract::statement::{RowSet, Statement, Value};
use crate::format::terms::Term;
use crate::operations::ask::{After, CHECKPOINT, Page, WRITE};

/// Marks a row that is a chunk.
const CHUNK: i64 = 9;

/// The columns of a row.
const PART_AT: usize = 0;
const KEY_AT: usize = 1;
const NS_AT: usize = 4;
const ID_AT: usize = 5;
const HASH_AT: usize = 8;
const DATA_AT: usize = 9;

/// At most about this many bytes of chunks come with a page of several checkpoints. The operation
/// asks for the others, unless the page ends before them.
const PAGE_BYTES: i64 = 8 << 20;

/// The columns of a record `r` with its thread. The first says which columns follow: for
/// `CHECKPOINT` those of a checkpoint, for `WRITE` those of every statement on writes. A
/// checkpoint's idx is always 0; another idx is damage, and the row is neither.
pub(super) fn columns() -> String {
    const IS_CHECKPOINT: &str = "r.task_id = ''";
    let either = |checkpoint: &str, write: &str| {
        format!("CASE WHEN {IS_CHECKPOINT} THEN {checkpoint} ELSE {write} END")
    };
    let kind = format!("CASE WHEN r.idx = 0 THEN {CHECKPOINT} ELSE -1 END");
    [
        format!("({})::bigint", either(&kind, &WRITE.to_string())),
        "r.thread_key".to_owned(),
        either("r.generation", "r.idx"),
        either("r.thread_id", "r.task_id"),
        "r.checkpoint_ns, r.checkpoint_id".to_owned(),
        either("r.parent_checkpoint_id", "r.task_path"),
        either("r.created_at", "r.channel"),
        either("r.metadata", "r.envelope"),
        either("r.envelope", "NULL"),
        either("coalesce(r.channels, '')", "NULL"),
    ]
    .join(", ")
}

/// The checkpoints of a page, their writes, and the chunks of both.
#[inline(never)]
pub(super) fn page(schema: &Schema, page: &Page) -> Statement {
    let mut parameters = Parameters::default();
    let records = match one(schema, page, &mut parameters) {
        Some(records) => records,
        None => several(schema, page, &mut parameters),
    };
    let mut roots = format!(
        "SELECT DISTINCT r.thread_key, {} AS hash \
         FROM s r CROSS JOIN LATERAL unnest(r.refs) v (refs) CROSS JOIN LATERAL {} p \
         WHERE {} AND {}",
        hash_at("v.refs", "p.i"),
        positions("v.refs"),
        rare("r.thread_key"),
        rare("octet_length(v.refs)"),
    );
    if !page.values.is_empty() {
        let lists = hash_lists(page.values.iter().map(Vec::as_slice));
        let lists = parameters.bind(lists, "text");
        roots.push_str(&format!(" AND v.refs <> ALL ({lists}::bytea[])"));
    }
    // The chunks of one checkpoint are all wanted, however many they are.
    let (chunks, bound) = if page.count == 1 {
        ("f", String::new())
    } else {
        (
            "(SELECT f.thread_key, f.hash, f.bytes, \
             sum(f.bytes) OVER (ROWS UNBOUNDED PRECEDING) AS total FROM f)",
            format!(" WHERE x.total - x.bytes < {PAGE_BYTES}"),
        )
    };
    let below = below(schema, "w");
    let columns = columns();
    parameters.statement(format!(
        "WITH RECURSIVE {records}, w AS MATERIALIZED ({roots}), {below} \
         SELECT {columns} FROM s r UNION ALL \
         SELECT {CHUNK}, x.thread_key, NULL, NULL, NULL, NULL, NULL, NULL, x.hash, k.data, NULL \
         FROM {chunks} x CROSS JOIN LATERAL (SELECT c.data FROM {schema}.lg_chunks c \
         WHERE c.thread_key = x.thread_key AND c.hash = x.hash LIMIT 1) k{bound}"
    ))
}

/// The columns of `s` that are a record's.
pub(super) const RECORD: &str = "r.thread_key, r.idx, r.checkpoint_ns, r.checkpoint_id, r.task_id, \
     r.parent_checkpoint_id, r.created_at, r.channels, r.metadata, r.task_path, r.channel, \
     r.envelope, r.refs";

/// `s`, the records of one checkpoint, the latest or a named one, as `getTuple` asks for it: all
/// are next to each other. `None` if the page asks for something else.
fn one(schema: &Schema, page: &Page, parameters: &mut Parameters) -> Option<String> {
    let (Some(thread_id), Some(ns)) = (&page.thread_id, &page.checkpoint_ns) else {
        return None;
    };
    if page.count != 1 || page.before.is_some() || page.after.is_some() || !page.filter.is_empty() {
        return None;
    }
    let thread = parameters.text(thread_id);
    let ns = parameters.text(ns);
    let id = match &page.checkpoint_id {
        Some(id) => parameters.text(id),
        None => format!(
            "(SELECT c.checkpoint_id FROM {schema}.lg_records c \
             WHERE c.thread_key = t.thread_key AND c.checkpoint_ns = {ns} AND c.task_id = '' \
             ORDER BY c.checkpoint_id DESC LIMIT 1)"
        ),
    };
    Some(format!(
        "s AS MATERIALIZED (SELECT t.thread_id, t.generation, r.* FROM {schema}.lg_threads t \
         CROSS JOIN LATERAL (SELECT {RECORD} FROM {schema}.lg_records r \
         WHERE r.thread_key = t.thread_key AND r.checkpoint_ns = {ns} \
         AND r.checkpoint_id = {id} OFFSET 0) r WHERE t.thread_id = {thread})"
    ))
}

/// `s`, the records of the checkpoints of a page, after `page`, their keys.
fn several(schema: &Schema, page: &Page, parameters: &mut Parameters) -> String {
    let mut conditions = vec!["c.task_id = ''".to_owned()];
    if let Some(thread_id) = &page.thread_id {
        let thread = parameters.text(thread_id);
        conditions.push(format!(
            "c.thread_key = (SELECT t.thread_key FROM {schema}.lg_threads t \
             WHERE t.thread_id = {thread})"
        ));
    }
    if let Some(ns) = &page.checkpoint_ns {
        conditions.push(format!("c.checkpoint_ns = {}", parameters.text(ns)));
    }
    if let Some(id) = &page.checkpoint_id {
        conditions.push(format!("c.checkpoint_id = {}", parameters.text(id)));
    }
    if let Some(before) = &page.before {
        conditions.push(format!("c.checkpoint_id < {}", parameters.text(before)));
    }
    if let Some(After { checkpoint_id, thread_key, checkpoint_ns, .. }) = &page.after {
        let id = parameters.text(checkpoint_id);
        let key = parameters.integer(*thread_key);
        let ns = parameters.text(checkpoint_ns);
        // Implied by the next condition, but an index serves it.
        conditions.push(format!("c.checkpoint_id <= {id}"));
        conditions.push(format!(
            "(c.checkpoint_id, c.thread_key, c.checkpoint_ns) < ({id}, {key}, {ns})"
        ));
    }
    if !page.filter.is_empty() {
        let terms = page.filter.iter().map(|filter| Term::of_filter(&filter.key, &filter.json));
        let terms = parameters.bind(uuids(&terms.collect::<Vec<_>>()), "text");
        conditions.push(format!("c.terms @> {terms}::uuid[]"));
    }
    let count = parameters.integer(page.count as i64);
    let condition = conditions.join(" AND ");
    format!(
        "page AS MATERIALIZED (SELECT c.thread_key, c.checkpoint_ns, c.checkpoint_id \
         FROM {schema}.lg_records c WHERE {condition} \
         ORDER BY c.checkpoint_id DESC, c.thread_key DESC, c.checkpoint_ns DESC LIMIT {count}), \
         s AS MATERIALIZED (SELECT t.thread_id, t.generation, r.* FROM page p \
         CROSS JOIN LATERAL (SELECT x.thread_id, x.generation FROM {schema}.lg_threads x \
         WHERE x.thread_key = p.thread_key OFFSET 0) t \
         CROSS JOIN LATERAL (SELECT {RECORD} FROM {schema}.lg_records r \
         WHERE r.thread_key = p.thread_key AND r.checkpoint_ns = p.checkpoint_ns \
         AND r.checkpoint_id = p.checkpoint_id OFFSET 0) r)"
    )
}

/// Terms, to be bound as text and cast to `uuid[]`.
pub(super) fn uuids(terms: &[Term]) -> Value {
    let mut array = "{".to_owned();
    for term in terms {
        if array.len() > 1 {
            array.push(',');
        }
        term.as_bytes().iter().for_each(|byte| array.push_str(&format!("{byte:02x}")));
    }
    array.push('}');
    Value::Text(array)
}

/// The rows of a page, checkpoints newest first, and its chunks: thread key, hash and data.
pub(super) fn divided(set: RowSet) -> (RowSet, RowSet) {
    let is_chunk = |row: &Vec<Value>| row.get(PART_AT) == Some(&Value::Integer(CHUNK));
    let (chunks, mut page): (Vec<_>, Vec<_>) = set.rows.into_iter().partition(is_chunk);
    let chunk = |row: Vec<Value>| {
        let mut at = row.into_iter().enumerate();
        let mut take = |place| at.by_ref().find(|(index, _)| *index == place);
        [KEY_AT, HASH_AT, DATA_AT].into_iter().filter_map(|place| Some(take(place)?.1)).collect()
    };
    let chunks = RowSet { rows: chunks.into_iter().map(chunk).collect() };
    // The order of a union is PostgreSQL's choice.
    page.sort_by(|left, right| order(right).cmp(&order(left)));
    (RowSet { rows: page }, chunks)
}

/// What orders a page.
fn order(row: &[Value]) -> (&str, i64, &str) {
    let text = |at: usize| match row.get(at) {
        Some(Value::Text(text)) => text.as_str(),
        _ => "",
    };
    let key = match row.get(KEY_AT) {
        Some(Value::Integer(key)) => *key,
        _ => 0,
    };
    (text(ID_AT), key, text(NS_AT))
}
