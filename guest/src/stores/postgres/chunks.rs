//! The chunks below others, found along `refs`.

use super::schema::Schema;
use super::statement::Parameters;
use crate::contract::statement::{Statement, Value};
use crate::format::values::hash::{HASH_BYTES, Hash};

/// A condition that always holds, and that PostgreSQL takes for a rare one.
///
/// It cannot know how many rows a walk along `refs` has: it takes each `generate_series` for a
/// thousand. So the plan looks so expensive that it is compiled, which takes a second for a read of
/// a millisecond. With these conditions every step looks as if it had one row, and each chunk is
/// found by its key.
pub(super) fn rare(integer: &str) -> String {
    format!("{integer} + 0 = 0 + {integer}")
}

/// The positions of the hashes in the column or parameter `refs`, as the rows of `i`.
pub(super) fn positions(refs: &str) -> String {
    format!(
        "(SELECT i FROM generate_series(0, octet_length({refs}) / {HASH_BYTES} - 1) i \
         WHERE {} AND i + 1 = 1 + i)",
        rare("i")
    )
}

/// The expression for a hash in `refs`.
pub(super) fn hash_at(refs: &str, position: &str) -> String {
    format!("substring({refs} FROM {position} * {HASH_BYTES} + 1 FOR {HASH_BYTES})")
}

/// Common table expressions: `f` has every chunk at or below the rows of `roots` (thread key and
/// hash) once, without its data.
///
/// `LIMIT 1` keeps the planner from joining whole tables, whatever it knows of them.
pub(super) fn below(schema: &Schema, roots: &str) -> String {
    let chunk = |key: &str, hash: &str| {
        format!(
            "CROSS JOIN LATERAL (SELECT k.refs, octet_length(k.data) AS bytes \
             FROM {schema}.lg_chunks k WHERE k.thread_key = {key} AND k.hash = {hash} LIMIT 1) c"
        )
    };
    format!(
        "f (thread_key, hash, refs, bytes) AS (\
         SELECT w.thread_key, w.hash, c.refs, c.bytes FROM {roots} w {} \
         UNION \
         SELECT n.thread_key, n.hash, c.refs, c.bytes FROM (\
         SELECT f.thread_key, {} AS hash FROM f CROSS JOIN LATERAL {} p \
         WHERE f.refs IS NOT NULL OFFSET 0) n {})",
        chunk("w.thread_key", "w.hash"),
        hash_at("f.refs", "p.i"),
        positions("f.refs"),
        chunk("n.thread_key", "n.hash"),
    )
}

/// The chunks with these hashes, and those below them if `to_the_end`: thread key, hash, data.
pub(super) fn find(
    schema: &Schema,
    thread_key: i64,
    hashes: &[Hash],
    to_the_end: bool,
) -> Statement {
    let mut parameters = Parameters::default();
    let key = parameters.integer(thread_key);
    let packed = hashes.iter().flat_map(|hash| hash.as_bytes()).copied().collect();
    let packed = parameters.bind(Value::Blob(packed), "bytea");
    let roots = format!(
        "w AS MATERIALIZED (SELECT {key} AS thread_key, {} AS hash FROM {} p)",
        hash_at(&packed, "p.i"),
        positions(&packed)
    );
    let (with, from) = if to_the_end {
        (format!("WITH RECURSIVE {roots}, {}", below(schema, "w")), "f")
    } else {
        (format!("WITH {roots}"), "w")
    };
    parameters.statement(format!(
        "{with} SELECT x.thread_key, x.hash, k.data FROM {from} x \
         CROSS JOIN LATERAL (SELECT c.data FROM {schema}.lg_chunks c \
         WHERE c.thread_key = x.thread_key AND c.hash = x.hash LIMIT 1) k"
    ))
}
