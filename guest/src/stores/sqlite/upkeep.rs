//! What sweeps and vacuums ask.

use super::statement::once;
use crate::contract::statement::{Statement, Value};

/// Answers `Ask::LeaseSweep`.
pub(super) fn lease_sweep(now: i64, until: i64, never: i64) -> Statement {
    once(
        "UPDATE lg_sweeps SET leased_until = ?2 WHERE leased_until <= ?1 OR leased_until > ?3 \
         RETURNING leased_until",
        [now, until, never].map(Value::Integer).to_vec(),
    )
}

/// Answers `Ask::Pages`.
pub(super) fn pages() -> Statement {
    once(
        "SELECT v.auto_vacuum, s.page_size, c.page_count, f.freelist_count \
         FROM pragma_auto_vacuum v, pragma_page_size s, pragma_page_count c, \
         pragma_freelist_count f",
        vec![],
    )
}

/// Answers `Ask::CheckFile`. Of the two checks of SQLite, Cloudflare's runtimes allow this one
/// alone. It takes each tree by itself.
pub(super) fn check_file(count: u64) -> Statement {
    once(&format!("PRAGMA quick_check({count})"), vec![])
}

/// Answers `Ask::CheckIndexes`: what `quick_check` leaves out.
pub(super) fn check_indexes() -> Statement {
    let counts = ["lg_threads", "lg_records", "lg_chunks"].map(|table| {
        format!(
            "SELECT '{table}' AS name, (SELECT count(*) FROM {table} NOT INDEXED) AS stored, \
             (SELECT count(*) FROM {table} INDEXED BY sqlite_autoindex_{table}_1) AS found"
        )
    });
    once(&format!("SELECT * FROM ({}) WHERE stored <> found", counts.join(" UNION ALL ")), vec![])
}

/// Answers `Ask::GiveBackPages`. A run of the first statement gives one page back, because some
/// drivers run a statement without columns to its first row alone.
pub(super) fn give_back_pages(count: u64) -> Vec<Statement> {
    let runs = vec![Vec::new(); usize::try_from(count).unwrap_or_default()];
    vec![Statement { text: "PRAGMA incremental_vacuum(1)".to_owned(), parameters: runs }, pages()]
}
