//! The walk from a checkpoint to its ancestors.

use super::statement::{is_of_channel, text};
use crate::contract::statement::{Statement, Value};
use crate::format::CHECKSUM_BYTES;
use crate::format::json;
use crate::format::write::mark;
use crate::operations::ask::{KNOWN, LINK, SEED, WRITE};

/// The condition that a checkpoint `c` has a value of the channel `?4`. `?5` is the name as JSON.
/// JSON that has the name contains `?5` as text, unless it has escapes; so most ancestors need not
/// be parsed. Text that is not JSON counts as no channels: it is damaged, which the ancestor's link
/// shows.
const FOUND: &str = "((instr(c.channels, ?5) > 0 OR instr(c.channels, '\\') > 0) \
     AND EXISTS (SELECT 1 FROM json_each(iif(json_valid(c.channels), c.channels, '[]')) e \
     WHERE e.value = ?4))";

/// For each channel the nearest ancestor with a value of it, and the writes to it of all ancestors
/// up to that one: the farthest ancestor's first, and each ancestor's in their order. The rows are
/// those of `Ask::Ancestors`.
///
/// The first column says which columns follow. The second is the number of steps from the target's
/// parent. If a checkpoint is its own ancestor, it appears again with more steps. From the ancestor
/// `?6` on, rows are left out, and the row of `KNOWN` has their checksums.
///
/// The walk relies on `parent_checkpoint_id` and `channels`. Damage in them must not lead to an
/// older value. So the rows of `LINK` have, for the target and each ancestor passed, these columns
/// and the part of the envelope that proves them.
///
/// The walk remembers one place, replaces it after twice as many steps as before, and ends when it
/// comes back to it. So a circle of parents ends the walk without a search through all places
/// passed.
#[inline(never)]
pub(super) fn ancestors(
    thread_id: &str,
    checkpoint_ns: &str,
    checkpoint_id: Option<&str>,
    channels: &[(String, Option<String>)],
) -> Statement {
    let row = |(channel, known): &(String, Option<String>)| {
        let array = json::array_of_strings(std::iter::once(channel.as_str()));
        vec![
            text(thread_id),
            text(checkpoint_ns),
            checkpoint_id.map_or(Value::Null, text),
            text(channel),
            text(array.trim_start_matches('[').trim_end_matches(']')),
            known.as_deref().map_or(Value::Null, text),
            Value::Blob(mark(channel).to_vec()),
        ]
    };
    let checksums = checksums();
    let is_of_channel = is_of_channel("w", "?4", "?7");
    Statement {
        text: format!(
            "WITH RECURSIVE target (place, thread_key, parent, generation) AS (\
             SELECT c.rowid, c.thread_key, c.parent_checkpoint_id, t.generation \
             FROM lg_threads t \
             CROSS JOIN lg_records c ON c.thread_key = t.thread_key \
             WHERE t.thread_id = ?1 AND c.checkpoint_ns = ?2 AND c.task_id = '' \
             AND (?3 IS NULL OR c.checkpoint_id = ?3) \
             ORDER BY c.checkpoint_id DESC LIMIT 1), \
             ancestors (steps, place, thread_key, checkpoint_id, parent, found, mark, lap, known) \
             AS (\
             SELECT 0, c.rowid, c.thread_key, c.checkpoint_id, c.parent_checkpoint_id, {FOUND}, \
             c.rowid, 1, c.checkpoint_id IS ?6 \
             FROM target g CROSS JOIN lg_records c ON c.thread_key = g.thread_key \
             AND c.checkpoint_ns = ?2 AND c.checkpoint_id = g.parent AND c.task_id = '' \
             UNION ALL \
             SELECT a.steps + 1, c.rowid, c.thread_key, c.checkpoint_id, \
             c.parent_checkpoint_id, {FOUND}, \
             iif(a.steps + 1 = a.lap, c.rowid, a.mark), \
             iif(a.steps + 1 = a.lap, a.lap * 2, a.lap), a.known OR c.checkpoint_id IS ?6 \
             FROM ancestors a CROSS JOIN lg_records c ON c.thread_key = a.thread_key \
             AND c.checkpoint_ns = ?2 AND c.checkpoint_id = a.parent AND c.task_id = '' \
             WHERE NOT a.found AND c.rowid <> a.mark) \
             SELECT {SEED} AS part, a.steps AS steps, c.thread_key, a.found AS idx, \
             ?4 AS task_id, c.checkpoint_ns, c.checkpoint_id, \
             c.parent_checkpoint_id AS task_path, c.created_at, CAST(c.metadata AS BLOB), \
             c.envelope, ifnull(c.channels, '') \
             FROM ancestors a CROSS JOIN lg_records c ON c.rowid = a.place \
             WHERE a.found AND NOT a.known \
             UNION ALL \
             SELECT {WRITE}, a.steps, w.thread_key, w.idx, w.task_id, w.checkpoint_ns, \
             w.checkpoint_id, w.task_path, w.channel, w.envelope, NULL, NULL \
             FROM ancestors a CROSS JOIN lg_records w ON w.thread_key = a.thread_key \
             AND w.checkpoint_ns = ?2 AND w.checkpoint_id = a.checkpoint_id \
             AND w.task_id <> '' AND {is_of_channel} WHERE NOT a.known \
             UNION ALL \
             SELECT {KNOWN}, 0, 0, (SELECT ifnull(max(a.known), 0) FROM ancestors a), ?4, \
             {checksums}, NULL, NULL, NULL, NULL, NULL, NULL WHERE ?6 IS NOT NULL \
             UNION ALL \
             SELECT {LINK}, p.steps, c.thread_key, (SELECT g.generation FROM target g), ?4, \
             c.checkpoint_ns, c.checkpoint_id, \
             c.parent_checkpoint_id, ifnull(c.channels, ''), \
             substr(c.envelope, -{CHECKSUM_BYTES} * 2, {CHECKSUM_BYTES}), NULL, NULL \
             FROM (SELECT -1 AS steps, g.place FROM target g UNION ALL SELECT a.steps, a.place \
             FROM ancestors a WHERE NOT a.found AND NOT a.known) p \
             CROSS JOIN lg_records c ON c.rowid = p.place \
             ORDER BY part, steps DESC, task_path, task_id, idx"
        ),
        parameters: channels.iter().map(row).collect(),
    }
}

/// The expression for the checksums of the rows that are left out.
fn checksums() -> String {
    format!(
        "(SELECT ifnull((SELECT hex(substr(c.envelope, -{CHECKSUM_BYTES})) FROM ancestors a \
         CROSS JOIN lg_records c ON c.rowid = a.place WHERE a.found AND a.known), '') \
         || '/' || ifnull(group_concat(w.checksum, ''), '') FROM (\
         SELECT hex(substr(w.envelope, -{CHECKSUM_BYTES})) AS checksum \
         FROM ancestors a CROSS JOIN lg_records w ON w.thread_key = a.thread_key \
         AND w.checkpoint_ns = ?2 AND w.checkpoint_id = a.checkpoint_id AND w.channel = ?4 \
         WHERE a.known ORDER BY a.steps DESC, w.task_path, w.task_id, w.idx) w)"
    )
}
