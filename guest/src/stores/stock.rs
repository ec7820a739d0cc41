//! The statements that read what LangGraph's own savers have stored, and those of an export, which
//! write the same.

use std::collections::BTreeSet;

use crate::contract::error::Error;
use crate::contract::statement::RowSet;
use crate::operations::row::rows;

/// The texts of the statements that read a stock database, with their parameters and columns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StockStatements {
    /// No parameters. The id of each thread, in order.
    pub threads: String,
    /// The thread. The namespace and id of each checkpoint that is stored or has writes, in the
    /// order to take them over: the last one is stored.
    pub checkpoints: String,
    /// The thread, namespace and id. The row: parent, type, checkpoint, metadata.
    pub checkpoint: String,
    /// The same. The writes: task, its path, place, channel, type, value. By task and place.
    pub writes: String,
    /// The same. The values beside the checkpoint: channel, type, value. `None` if there are none.
    pub values: Option<String>,
    /// The thread. Values that forks share: namespace, channel, version. `None` if forks share
    /// none.
    pub shared: Option<String>,
}

/// The texts of the statements that write a stock database. A row's parameters are those of
/// `takeover::NewStockRows`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StockInserts {
    /// No parameters. Make missing tables.
    pub create: Vec<String>,
    /// The thread. One row: how many checkpoints and writes it has.
    pub stored: String,
    /// Checkpoints.
    pub checkpoint: StockInsert,
    /// Values beside checkpoints; `None` if there are none.
    pub value: Option<StockInsert>,
    /// Writes.
    pub write: StockInsert,
}

/// How a row is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StockInsert {
    /// Stores the row. One with the same key stays.
    pub insert: String,
    /// With the same parameters: 1 if the stored row is the same, 0 if it differs; no row if none
    /// is stored.
    pub same: String,
}

/// The tables of a stock database, with their columns.
#[derive(Debug)]
pub(super) struct StockTables(BTreeSet<(String, String)>);

impl StockTables {
    /// Whether a table is there and has this column.
    pub(super) fn has(&self, table: &str, column: &str) -> bool {
        self.0.contains(&(table.to_owned(), column.to_owned()))
    }

    /// Whether none is there.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The tables in the rows of a statement that finds them.
    pub(super) fn of(found: &RowSet) -> Result<Self, Error> {
        let mut tables = BTreeSet::new();
        for mut row in rows(found, "tables") {
            tables.insert((row.text("table")?.to_owned(), row.text("column")?.to_owned()));
        }
        Ok(Self(tables))
    }
}

/// The error for a database whose stock tables are another saver's.
pub(super) fn other_stock_tables() -> Error {
    Error::invalid(
        "other-stock-tables",
        "the target has tables of these names that are of another language's saver, of an older \
         version, or of another program; name an empty database or schema, or open this one with \
         the newest version of the saver first",
    )
}

/// The error for a database without stock tables.
pub(super) fn no_stock_tables() -> Error {
    Error::invalid(
        "no-stock-tables",
        "the source has no tables of LangGraph's own savers; name the database that they store in",
    )
}
