//! What deletions of whole threads ask.
//!
//! A deleted thread is cut off first: its row goes from `lg_threads`, and its key to `lg_deleted`.
//! Nobody finds it then. Its records and chunks go in batches.

use super::lifecycle::{has_checkpoints, lock};
use super::schema::Schema;
use super::statement::Parameters;
use crate::contract::statement::Statement;
use crate::operations::ask::{Checkpoints, SWEPT_MAX};

/// Answers `Ask::DeleteThread`.
///
/// The second statement sees what puts stored that the first one waited for. It deletes only what
/// the first has locked, which `xmax` tells: a thread that was made between them stays.
pub(super) fn delete_thread(schema: &Schema, thread_id: &str) -> Vec<Statement> {
    let mut lock = Parameters::default();
    let thread = lock.text(thread_id);
    let lock = lock.statement(format!(
        "SELECT thread_key FROM {schema}.lg_threads WHERE thread_id = {thread} FOR UPDATE"
    ));
    let mut parameters = Parameters::default();
    let thread = parameters.text(thread_id);
    let condition =
        format!("t.thread_id = {thread} AND t.xmax = pg_current_xact_id_if_assigned()::xid");
    vec![lock, parameters.statement(cut_off(schema, &condition))]
}

/// Answers `Ask::RemoveThread`.
pub(super) fn remove_thread(schema: &Schema, thread_key: i64, of: &Checkpoints) -> Vec<Statement> {
    let mut parameters = Parameters::default();
    let key = parameters.integer(thread_key);
    let has_checkpoints = has_checkpoints(schema, &key, of, &mut parameters);
    let condition = format!("t.thread_key = {key} AND {has_checkpoints}");
    let remove = parameters.statement(cut_off(schema, &condition));
    let mut parameters = Parameters::default();
    let key = parameters.integer(thread_key);
    let look = parameters.statement(format!(
        "SELECT 1::bigint WHERE NOT EXISTS (SELECT FROM {schema}.lg_threads \
         WHERE thread_key = {key})"
    ));
    vec![lock(schema, thread_key), remove, look]
}

fn cut_off(schema: &Schema, condition: &str) -> String {
    format!(
        "WITH g AS MATERIALIZED (SELECT t.thread_key FROM {schema}.lg_threads t \
         WHERE {condition}), \
         d AS (INSERT INTO {schema}.lg_deleted (thread_key) SELECT g.thread_key FROM g \
         ON CONFLICT DO NOTHING) \
         DELETE FROM {schema}.lg_threads x USING g WHERE x.thread_key = g.thread_key"
    )
}

/// Answers `Ask::SweepDeleted`: of the thread with the least key, which it locks.
///
/// A thread that is there is never swept, whatever a damaged `lg_deleted` says.
pub(super) fn sweep_deleted(schema: &Schema) -> Vec<Statement> {
    let is_gone =
        format!("NOT EXISTS (SELECT FROM {schema}.lg_threads t WHERE t.thread_key = d.thread_key)");
    let rest = |table: &str, order: &str| {
        format!(
            "DELETE FROM {schema}.{table} x WHERE x.ctid = ANY (ARRAY(SELECT r.place FROM g \
             CROSS JOIN LATERAL (SELECT r.ctid AS place FROM {schema}.{table} r \
             WHERE r.thread_key = g.thread_key ORDER BY {order} LIMIT {SWEPT_MAX}) r))"
        )
    };
    let has_none = |table: &str| {
        format!("NOT EXISTS (SELECT FROM {schema}.{table} x WHERE x.thread_key = d.thread_key)")
    };
    let statements = [
        format!(
            "WITH g AS MATERIALIZED (SELECT d.thread_key FROM {schema}.lg_deleted d \
             WHERE {is_gone} ORDER BY d.thread_key LIMIT 1 FOR UPDATE OF d), r AS ({}) {}",
            rest("lg_records", "r.checkpoint_ns, r.checkpoint_id, r.task_id, r.idx"),
            rest("lg_chunks", "r.hash"),
        ),
        format!(
            "DELETE FROM {schema}.lg_deleted d WHERE {} AND {}",
            has_none("lg_records"),
            has_none("lg_chunks"),
        ),
        format!("SELECT 1::bigint FROM {schema}.lg_deleted d WHERE {is_gone} LIMIT 1"),
    ];
    statements.into_iter().map(|text| Parameters::default().statement(text)).collect()
}
