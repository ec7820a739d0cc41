//! A store that takes no time: it records SQLite's answers and replays them. What is left to
//! measure is the planner and its boundary.

use std::collections::HashMap;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard};

use langgraph_checkpoint_host::{
    Batch, RowSet, SqliteOptions, SqliteStorage, StorageAdapter, StorageError,
};

/// The answers of one call after the other.
type Answers = Vec<Vec<RowSet>>;

/// The handle of a [`TapedStorage`].
#[derive(Clone, Default)]
pub(crate) struct Tape(Arc<Mutex<Reels>>);

#[derive(Default)]
struct Reels {
    recorded: HashMap<&'static str, Answers>,
    mode: Mode,
}

#[derive(Default)]
enum Mode {
    /// Asks SQLite.
    #[default]
    Off,
    /// Asks SQLite, and records its answers.
    Record(&'static str),
    /// Replays the recorded answers.
    Replay(VecDeque<Vec<RowSet>>),
}

impl Tape {
    /// From now on, replays the answers that were recorded after the first call of this.
    pub(crate) fn rewind(&self, step: &'static str) {
        let mut reels = self.reels();
        reels.mode = match reels.recorded.get(step) {
            Some(answers) => Mode::Replay(answers.iter().cloned().collect()),
            None => Mode::Record(step),
        };
    }

    /// From now on, SQLite answers.
    pub(crate) fn stop(&self) {
        self.reels().mode = Mode::Off;
    }

    fn reels(&self) -> MutexGuard<'_, Reels> {
        self.0.lock().unwrap()
    }
}

/// SQLite in memory, behind a tape.
pub(crate) struct TapedStorage {
    inner: SqliteStorage,
    tape: Tape,
}

impl TapedStorage {
    pub(crate) fn new(tape: Tape) -> Self {
        Self { inner: SqliteStorage::in_memory(&SqliteOptions::default()).unwrap(), tape }
    }
}

impl StorageAdapter for TapedStorage {
    async fn run(&self, batch: Batch) -> Result<Vec<RowSet>, StorageError> {
        if let Mode::Replay(answers) = &mut self.tape.reels().mode {
            return Ok(answers.pop_front().unwrap());
        }
        let answer = self.inner.run(batch).await?;
        let mut reels = self.tape.reels();
        if let Mode::Record(step) = reels.mode {
            reels.recorded.entry(step).or_default().push(answer.clone());
        }
        Ok(answer)
    }
}
