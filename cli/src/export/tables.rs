//! Tables of LangGraph's own savers that threads are exported to.

use langgraph_checkpoint_guest::stores::{StockInsert, StockInserts};
use langgraph_checkpoint_guest::takeover::{Layout, NewStockRows, stock_rows};
use langgraph_checkpoint_guest::{Access, Batch, Language, RowSet, Statement, Value};
use langgraph_checkpoint_host::{Error, Exported, StorageAdapter, Synchronous};

use crate::failure::Result;
use crate::sql::{Confined, statement};

/// How rows compare with those that are stored.
#[derive(Default)]
pub(super) struct Comparison {
    /// How many are stored, and the same.
    pub(super) same: u64,
    pub(super) different: u64,
    pub(super) missing: u64,
}

impl Comparison {
    /// Counts the rows of another comparison, too.
    pub(super) fn add(&mut self, other: &Self) {
        self.same += other.same;
        self.different += other.different;
        self.missing += other.missing;
    }
}

/// Stock tables, opened to write.
pub(super) struct Tables {
    storage: Confined,
    inserts: StockInserts,
    layout: Layout,
}

impl Tables {
    /// Opens a file or a schema, and makes missing tables. Fails with `other-stock-tables` if they
    /// are another saver's.
    pub(super) async fn open(location: &str, schema: &str, language: Language) -> Result<Self> {
        let storage = Confined::open(location, schema, Access::Write, Synchronous::Normal)?;
        let planner = storage.planner()?;
        let find = planner.find_stock_tables().map_err(Error::from)?;
        let found = storage.read(find).await?;
        let inserts = planner.stock_inserts(&found, language).map_err(Error::from)?;
        let layout = Layout { language, has_values_beside: planner.has_stock_values_beside() };
        let statements: Vec<_> = inserts.create.iter().map(|text| statement(text, &[])).collect();
        if !statements.is_empty() {
            let batch = Batch { access: Access::Write, statements };
            storage.run(batch).await.map_err(Error::from)?;
        }
        Ok(Self { storage, inserts, layout })
    }

    /// The rows for what is stored of a checkpoint.
    pub(super) fn rows(&self, exported: &Exported) -> NewStockRows {
        stock_rows(self.layout, exported)
    }

    /// How many checkpoints and writes of a thread are there.
    pub(super) async fn stored(&self, thread: &str) -> Result<(u64, u64)> {
        let found = self.storage.read(statement(&self.inserts.stored, &[thread])).await?;
        let count = |at| match found.rows.first().and_then(|row| row.get(at)) {
            Some(&Value::Integer(count)) => u64::try_from(count).unwrap_or_default(),
            _ => 0,
        };
        Ok((count(0), count(1)))
    }

    /// Compares the row of a checkpoint with the one that is there.
    pub(super) async fn compare_checkpoint(&self, rows: &NewStockRows) -> Result<Comparison> {
        self.compare(&self.inserts.checkpoint, rows.checkpoint.as_slice()).await
    }

    /// Compares the rows of writes with those that are there.
    pub(super) async fn compare_writes(&self, rows: &NewStockRows) -> Result<Comparison> {
        self.compare(&self.inserts.write, &rows.writes).await
    }

    /// Stores the values beside a checkpoint. Whether they are what is stored then: a value of the
    /// same channel and version stays.
    pub(super) async fn store_values(&self, rows: &NewStockRows) -> Result<bool> {
        let Some(StockInsert { insert, same }) = &self.inserts.value else {
            return Ok(true);
        };
        let values = rows.values.as_slice();
        let mut sets = self.run(Access::Write, [(insert, values), (same, values)]).await?;
        let stored = sets.pop().unwrap_or_default();
        Ok(stored.rows.iter().all(|row| is_same(row)))
    }

    /// Stores a checkpoint and writes. Rows of the same keys stay.
    pub(super) async fn store(&self, rows: &NewStockRows) -> Result<()> {
        let StockInserts { checkpoint, write, .. } = &self.inserts;
        let checkpoint = (&checkpoint.insert, rows.checkpoint.as_slice());
        self.run(Access::Write, [checkpoint, (&write.insert, &rows.writes)]).await?;
        Ok(())
    }

    async fn compare(&self, insert: &StockInsert, rows: &[Vec<Value>]) -> Result<Comparison> {
        let mut sets = self.run(Access::Read, [(&insert.same, rows)]).await?;
        let stored = sets.pop().unwrap_or_default().rows;
        let same = stored.iter().filter(|row| is_same(row)).count();
        Ok(Comparison {
            same: same as u64,
            different: (stored.len() - same) as u64,
            missing: rows.len().saturating_sub(stored.len()) as u64,
        })
    }

    /// Runs statements for rows of parameters. One without rows is not run.
    async fn run<const N: usize>(
        &self,
        access: Access,
        given: [(&String, &[Vec<Value>]); N],
    ) -> Result<Vec<RowSet>> {
        let given = given.into_iter().filter(|(_, rows)| !rows.is_empty());
        let statements = given
            .map(|(text, rows)| Statement { text: text.clone(), parameters: rows.to_vec() })
            .collect::<Vec<_>>();
        if statements.is_empty() {
            return Ok(Vec::new());
        }
        let batch = Batch { access, statements };
        Ok(self.storage.run(batch).await.map_err(Error::from)?)
    }
}

/// Whether the stored row is the same.
fn is_same(row: &[Value]) -> bool {
    matches!(row, [Value::Integer(1)])
}
