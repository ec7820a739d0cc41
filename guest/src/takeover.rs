//! Takes over what LangGraph's own savers have stored: rows of a stock database in, calls out; and
//! gives it back: what is stored in, rows out (`export`).
//!
//! A host runs the statements of `stores::StockStatements` on the stock database, which only read,
//! and passes on the rows of one checkpoint at a time. No value is decoded: a channel's value is a
//! slice of what was stored, with the type tag of the whole.
//!
//! What different versions store in different ways is decided here:
//!
//! - The columns decide a checkpoint's thread, namespace, id and parent, not the fields inside it.
//! - Writes to special channels go to their own places. LangGraph.js before 1.0.3 had stored them
//!   by their position. Of several to one channel by one task, the newest stays.
//! - A write without `task_path` has the path `""`. A task has one path.
//! - `v` stays. A checkpoint with `v` under 4 keeps its sends as writes of its parent.
//! - Metadata is JSON. LangGraph.js stores what its serializer gave, Python plain JSON.
//! - In PostgreSQL, Python has texts, numbers, booleans and nulls in the checkpoint, and every
//!   other value in a table of its own, which wins if a channel has both.
//! - A value that is encrypted stays as it is. An encrypted checkpoint cannot be taken apart.

mod checkpoint;
mod export;
mod fields;
mod stock;
mod writes;

pub use export::{Layout, stock_rows};
pub use stock::{NewStockRows, Note, StockRows, Takeover};

use crate::contract::error::Error;
use crate::contract::statement::RowSet;
use crate::operations::row::rows;

/// What to tell about values that forks share, given the rows of `StockStatements::shared`.
///
/// LangGraph.js counts versions alike on each fork, and its saver on PostgreSQL keeps one value for
/// each channel and version: the one that was stored first.
pub fn shared_by_forks(shared: &RowSet) -> Result<Vec<Note>, Error> {
    let mut notes = Vec::new();
    for mut row in rows(shared, "checkpoints") {
        let checkpoint_ns = row.text("checkpoint_ns")?;
        let (channel, version) = (row.text("channel")?, row.text("version")?);
        notes.push(Note {
            code: "shared-by-forks",
            message: format!(
                "several forks in namespace \"{checkpoint_ns}\" have written channel {channel} at \
                 version {version}, of which the source has only the first one's value"
            ),
        });
    }
    Ok(notes)
}

/// The calls for these rows. Fails if they cannot be taken apart: with
/// `encrypted-stock-checkpoint`, or with `unreadable-stock-checkpoint` for another serializer's or
/// damaged bytes.
pub fn takeover(rows: &StockRows) -> Result<Takeover, Error> {
    let mut notes = Vec::new();
    let writes = writes::calls(rows, &mut notes)?;
    let put = checkpoint::call(rows)?;
    if is_a_number_from_javascript(&rows.thread_id) {
        notes.push(Note {
            code: "numeric-thread-id",
            message: "the thread's id looks like a whole number that LangGraph.js has bound as a \
                      double, such as 5.0 for 5; the id is kept"
                .to_owned(),
        });
    }
    Ok(Takeover { writes, put, notes })
}

/// Whether an id is a whole number with `.0`: what becomes of a number in a column of text.
fn is_a_number_from_javascript(id: &str) -> bool {
    id.strip_suffix(".0").is_some_and(|digits| {
        let digits = digits.strip_prefix('-').unwrap_or(digits);
        !digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_digit())
    })
}

#[cfg(test)]
mod tests;
