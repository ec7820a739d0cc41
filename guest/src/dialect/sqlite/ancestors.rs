//! The walk from a checkpoint to its ancestors.

use super::text;
use crate::statement::{Statement, Value};

/// From the target's parent up to and including the nearest ancestor that has a value of the
/// channel `?4`. `UNION` keeps each ancestor once, so that a cycle of parents ends the walk.
const ANCESTORS: &str = "WITH RECURSIVE target (thread_key, parent) AS (\
     SELECT c.thread_key, c.parent_checkpoint_id FROM lg_threads t \
     JOIN lg_checkpoints c ON c.thread_key = t.thread_key \
     WHERE t.thread_id = ?1 AND c.checkpoint_ns = ?2 AND (?3 IS NULL OR c.checkpoint_id = ?3) \
     ORDER BY c.checkpoint_id DESC LIMIT 1), \
     ancestors (thread_key, checkpoint_id, parent, found) AS (\
     SELECT c.thread_key, c.checkpoint_id, c.parent_checkpoint_id, \
     EXISTS (SELECT 1 FROM json_each(c.channels) e WHERE e.value = ?4) \
     FROM target g JOIN lg_checkpoints c ON c.thread_key = g.thread_key \
     AND c.checkpoint_ns = ?2 AND c.checkpoint_id = g.parent \
     UNION \
     SELECT c.thread_key, c.checkpoint_id, c.parent_checkpoint_id, \
     EXISTS (SELECT 1 FROM json_each(c.channels) e WHERE e.value = ?4) \
     FROM ancestors a JOIN lg_checkpoints c ON c.thread_key = a.thread_key \
     AND c.checkpoint_ns = ?2 AND c.checkpoint_id = a.parent \
     WHERE NOT a.found) ";

/// For each channel the ancestors, in no order: channel, the target's parent, thread key,
/// ancestor, its parent, whether it has a value, and if so what its envelope needs.
pub(crate) fn ancestors(
    thread_id: &str,
    checkpoint_ns: &str,
    checkpoint_id: Option<&str>,
    channels: &[String],
) -> Statement {
    Statement {
        text: format!(
            "{ANCESTORS}SELECT ?4, (SELECT parent FROM target), a.thread_key, a.checkpoint_id, \
             a.parent, a.found, c.created_at, CAST(c.metadata AS BLOB), c.envelope \
             FROM ancestors a LEFT JOIN lg_checkpoints c ON a.found \
             AND c.thread_key = a.thread_key \
             AND c.checkpoint_ns = ?2 AND c.checkpoint_id = a.checkpoint_id"
        ),
        parameters: parameters(thread_id, checkpoint_ns, checkpoint_id, channels),
    }
}

/// For each channel the writes to it that its ancestors have; those of one ancestor are in
/// their order.
pub(crate) fn ancestors_writes(
    thread_id: &str,
    checkpoint_ns: &str,
    checkpoint_id: Option<&str>,
    channels: &[String],
) -> Statement {
    Statement {
        text: format!(
            "{ANCESTORS}SELECT w.thread_key, w.idx, w.task_id, w.checkpoint_ns, \
             w.checkpoint_id, w.task_path, w.channel, w.envelope \
             FROM ancestors a JOIN lg_writes w ON w.thread_key = a.thread_key \
             AND w.checkpoint_ns = ?2 AND w.checkpoint_id = a.checkpoint_id AND w.channel = ?4 \
             ORDER BY w.task_path, w.task_id, w.idx"
        ),
        parameters: parameters(thread_id, checkpoint_ns, checkpoint_id, channels),
    }
}

fn parameters(
    thread_id: &str,
    checkpoint_ns: &str,
    checkpoint_id: Option<&str>,
    channels: &[String],
) -> Vec<Vec<Value>> {
    let row = |channel: &String| {
        vec![
            text(thread_id),
            text(checkpoint_ns),
            checkpoint_id.map_or(Value::Null, text),
            text(channel),
        ]
    };
    channels.iter().map(row).collect()
}
