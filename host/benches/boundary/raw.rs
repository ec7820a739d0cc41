//! The floor: rusqlite on the caller's thread, one row of one table, the same bytes.

use std::path::Path;
use std::time::{Duration, Instant};

use rusqlite::{Connection, params};

use crate::states::{self, APPENDED};
use crate::subject::{NEW_THREAD, Subject, THREAD, id};

const INSERT: &str = "INSERT INTO raw (thread_id, checkpoint_id, parent, metadata, state) \
                      VALUES (?1, ?2, ?3, ?4, ?5)";

/// A table of states. An append inserts only the appended messages.
pub(crate) struct Raw {
    connection: Connection,
    state: Vec<String>,
    next: usize,
}

impl Raw {
    pub(crate) fn open(path: &Path, messages: usize) -> Self {
        let connection = Connection::open(path).unwrap();
        connection.pragma_update(None, "journal_mode", "wal").unwrap();
        connection.pragma_update(None, "synchronous", "NORMAL").unwrap();
        connection
            .execute_batch(
                "CREATE TABLE raw (thread_id TEXT NOT NULL, checkpoint_id TEXT NOT NULL, \
                 parent TEXT, metadata TEXT NOT NULL, state BLOB NOT NULL, \
                 UNIQUE (thread_id, checkpoint_id))",
            )
            .unwrap();
        let state = states::messages(0, messages);
        let raw = Self { connection, state, next: messages };
        raw.insert(THREAD, &id(0), &states::list(&raw.state));
        raw
    }

    fn insert(&self, thread: &str, checkpoint: &str, state: &[u8]) -> Duration {
        let begin = Instant::now();
        let mut insert = self.connection.prepare_cached(INSERT).unwrap();
        insert.execute(params![thread, checkpoint, id(0), states::METADATA, state]).unwrap();
        begin.elapsed()
    }

    fn append(&mut self) -> Duration {
        let fresh = states::messages(self.next, APPENDED);
        self.next += APPENDED;
        self.insert(THREAD, &id(self.next), fresh.join(",").as_bytes())
    }
}

impl Subject for Raw {
    fn append_edit(&mut self) -> Duration {
        self.append()
    }

    fn append_whole(&mut self) -> Duration {
        self.append()
    }

    fn put_new(&mut self) -> Duration {
        let state = states::list(&self.state);
        let took = self.insert(NEW_THREAD, &id(0), &state);
        self.connection.execute("DELETE FROM raw WHERE thread_id = ?1", [NEW_THREAD]).unwrap();
        took
    }

    fn get(&mut self) -> Duration {
        let begin = Instant::now();
        let mut select = self
            .connection
            .prepare_cached(
                "SELECT metadata, state FROM raw WHERE thread_id = ?1 AND checkpoint_id = ?2",
            )
            .unwrap();
        let row = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?));
        let found: (String, Vec<u8>) = select.query_row([THREAD, &id(0)], row).unwrap();
        let took = begin.elapsed();
        assert!(!found.1.is_empty());
        took
    }
}
