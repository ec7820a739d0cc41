//! A stock database, opened to be read only.

use langgraph_checkpoint_guest::stores::StockStatements;
use langgraph_checkpoint_guest::takeover::{Note, StockRows, Takeover, shared_by_forks, takeover};
use langgraph_checkpoint_guest::{Access, Batch, RowSet, Value};
use langgraph_checkpoint_host::{Error, StorageAdapter};

use crate::failure::Result;
use crate::sql::{Confined, statement};

/// Which checkpoint: its thread, namespace and id.
#[derive(Clone)]
pub(super) struct Address {
    pub(super) thread: String,
    pub(super) namespace: String,
    pub(super) id: String,
}

/// A database of LangGraph's own savers.
pub(super) struct Source {
    storage: Confined,
    statements: StockStatements,
}

impl Source {
    /// Opens a database and finds its stock tables. Fails with `no-stock-tables`.
    pub(super) async fn open(location: &str, schema: &str) -> Result<Self> {
        let storage = Confined::existing(location, schema, Access::Read)?;
        let store = storage.planner()?;
        let find = store.find_stock_tables().map_err(Error::from)?;
        let tables = storage.read(find).await?;
        let statements = store.stock_statements(&tables).map_err(Error::from)?;
        Ok(Self { storage, statements })
    }

    /// The ids of the threads, in order; `None` for one that is not text.
    pub(super) async fn threads(&self) -> Result<Vec<Option<String>>> {
        let found = self.storage.read(statement(&self.statements.threads, &[])).await?;
        let id = |row: &Vec<Value>| match row.first() {
            Some(Value::Text(id)) => Some(id.clone()),
            _ => None,
        };
        Ok(found.rows.iter().map(id).collect())
    }

    /// The checkpoints of a thread, in the order to take them over.
    pub(super) async fn checkpoints(&self, thread: &str) -> Result<Vec<Address>> {
        let call = statement(&self.statements.checkpoints, &[thread]);
        let found = self.storage.read(call).await?;
        let address = |row: &Vec<Value>| Address {
            thread: thread.to_owned(),
            namespace: text(row, 0),
            id: text(row, 1),
        };
        Ok(found.rows.iter().map(address).collect())
    }

    /// What is stored of a checkpoint as calls, and how many bytes it has. The inner error says why
    /// it cannot be taken apart.
    pub(super) async fn takeover(
        &self,
        address: &Address,
    ) -> Result<(std::result::Result<Takeover, Error>, u64)> {
        let Address { thread, namespace, id } = address;
        let StockStatements { checkpoint, writes, values, .. } = &self.statements;
        let texts = [Some(checkpoint), Some(writes), values.as_ref()];
        let statements = texts.into_iter().flatten();
        let statements = statements.map(|text| statement(text, &[thread, namespace, id])).collect();
        let sets = self.storage.run(Batch { access: Access::Read, statements }).await;
        let mut sets = sets.map_err(Error::from)?.into_iter();
        let mut next = || sets.next().unwrap_or_default();
        let rows = StockRows {
            thread_id: thread.clone(),
            checkpoint_ns: namespace.clone(),
            checkpoint_id: id.clone(),
            checkpoint: next(),
            writes: next(),
            values: next(),
        };
        let bytes = [&rows.checkpoint, &rows.writes, &rows.values].into_iter().map(bytes_of).sum();
        Ok((takeover(&rows).map_err(Error::from), bytes))
    }

    /// What to tell about values that forks of a thread share.
    pub(super) async fn shared(&self, thread: &str) -> Result<Vec<Note>> {
        let Some(shared) = &self.statements.shared else {
            return Ok(Vec::new());
        };
        let rows = self.storage.read(statement(shared, &[thread])).await?;
        Ok(shared_by_forks(&rows).map_err(Error::from)?)
    }
}

/// A text. SQLite keeps ids as it was given them: an older saver may have bound a number.
fn text(row: &[Value], at: usize) -> String {
    match row.get(at) {
        Some(Value::Text(text)) => text.clone(),
        Some(Value::Integer(integer)) => integer.to_string(),
        Some(Value::Real(real)) => real.to_string(),
        Some(Value::Null | Value::Blob(_)) | None => String::new(),
    }
}

fn bytes_of(set: &RowSet) -> u64 {
    let size = |value: &Value| match value {
        Value::Blob(bytes) => bytes.len() as u64,
        _ => 0,
    };
    set.rows.iter().flatten().map(size).sum()
}
