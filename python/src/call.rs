//! A call of a saver's method, made of Python's arguments and ready to run without Python.

use std::sync::{Arc, Mutex, PoisonError};

use langgraph_checkpoint_host::{
    Checkpoint, Checkpointer, Config, CopyThread, DeltaChannelHistory, Diff, Error, GetTuple, Id,
    Lease, Lifecycle, List, NewValue, PostgresStorage, Prune, Put, PutWrites, SqliteStorage,
    StorageAdapter, Threads, Vacuum, Verify,
};
#[cfg(compiled)]
use langgraph_checkpoint_host::{CheckpointTuple, FoundCheckpoint, KustoCheckpointer, TupleValue};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::arguments;
use crate::errors::{invalid, raised};
use crate::interpreter::attached;
use crate::outcome::Outcome;
use crate::track::{Entry, Histories, Memory, Remembering, serialized};

/// A call that a store can run once.
#[pyclass(frozen, module = "langgraph_checkpoint_wasm._core")]
pub(crate) struct Call(Mutex<Option<Planned>>);

/// The host's method and its arguments.
pub(crate) enum Planned {
    Setup,
    Flush,
    /// What is remembered is for the values that are unchanged.
    GetTuple(GetTuple, Py<Memory>, Option<Arc<Entry>>),
    List(List),
    Put(Box<Put>, Remembering),
    PutWrites(PutWrites),
    DeleteThread(Config, Py<Memory>),
    /// What is remembered is for the histories that go on from it.
    DeltaChannelHistory(DeltaChannelHistory, Py<Memory>, Option<Arc<Histories>>),
    Prune(Prune),
    CopyThread(CopyThread),
    Threads(Threads),
    /// Of this thread, or of all.
    Stats(Option<String>),
    Verify(Verify),
    Vacuum(Vacuum),
    Diff(Diff),
}

/// A checkpointer of any store.
pub(crate) enum Checkpoints {
    Sqlite(Box<Checkpointer<SqliteStorage>>),
    Postgres(Box<Checkpointer<PostgresStorage>>),
    #[cfg(compiled)]
    Kusto(Box<KustoCheckpointer>),
}

impl Planned {
    /// Runs the call on a checkpointer.
    pub(crate) async fn run(self, checkpoints: &Checkpoints) -> Result<Outcome, Failure> {
        match checkpoints {
            Checkpoints::Sqlite(checkpointer) => self.run_on_sql(checkpointer).await,
            Checkpoints::Postgres(checkpointer) => self.run_on_sql(checkpointer).await,
            #[cfg(compiled)]
            Checkpoints::Kusto(checkpointer) => self.run_on_kusto(checkpointer).await,
        }
    }

    async fn run_on_sql(
        self,
        checkpointer: &Checkpointer<impl StorageAdapter>,
    ) -> Result<Outcome, Failure> {
        Ok(match self {
            Self::Setup => done(checkpointer.setup().await)?,
            // Nothing waits in it.
            Self::Flush => Outcome::Done,
            Self::GetTuple(get_tuple, memory, before) => {
                Outcome::Found(checkpointer.find(get_tuple).await?, memory, before)
            }
            Self::List(list) => Outcome::Page(checkpointer.page(list).await?),
            Self::Put(new, remembering) => put(checkpointer, *new, remembering).await?,
            Self::PutWrites(writes) => done(checkpointer.put_writes(writes).await)?,
            Self::DeleteThread(thread, memory) => {
                checkpointer.delete_thread(thread.clone()).await?;
                memory.get().forget(&thread);
                Outcome::Done
            }
            Self::DeltaChannelHistory(call, memory, before) => {
                let config = call.config.clone();
                let found = checkpointer.find_histories(call).await?;
                Outcome::Histories(found, config, memory, before)
            }
            Self::Vacuum(vacuum) => Outcome::Worked(checkpointer.vacuum(vacuum).await?),
            planned => planned.run_on_threads(checkpointer).await?,
        })
    }

    #[cfg(compiled)]
    async fn run_on_kusto(self, checkpointer: &KustoCheckpointer) -> Result<Outcome, Failure> {
        Ok(match self {
            Self::Setup => done(checkpointer.setup().await)?,
            Self::Flush => done(checkpointer.flush().await)?,
            Self::GetTuple(get_tuple, memory, _) => {
                let tuple = checkpointer.get_tuple(get_tuple.config).await?;
                Outcome::Found(tuple.and_then(found), memory, None)
            }
            Self::List(list) => Outcome::Page(checkpointer.page(list).await?),
            Self::Put(put, remembering) => {
                Outcome::Stored(checkpointer.put(*put).await?, remembering)
            }
            Self::PutWrites(writes) => done(checkpointer.put_writes(writes).await)?,
            Self::DeleteThread(thread, _) => done(checkpointer.delete_thread(thread).await)?,
            Self::DeltaChannelHistory(call, memory, _) => {
                let DeltaChannelHistory { config, channels, .. } = call;
                let found =
                    checkpointer.get_delta_channel_history(config.clone(), channels).await?;
                Outcome::Histories(found, config, memory, None)
            }
            Self::Vacuum(_) => {
                let message = "only files of SQLite can be vacuumed";
                let refused = attached(|py| invalid(py, "unsupported-call", message));
                // Without an interpreter nobody waits for the outcome.
                refused.map_or(Ok(Outcome::Done), |refused| Err(Failure::Python(refused)))?
            }
            planned => planned.run_on_threads(checkpointer).await?,
        })
    }

    /// Runs a call about whole threads.
    async fn run_on_threads(self, checkpointer: &impl Lifecycle) -> Result<Outcome, Failure> {
        Ok(match self {
            Self::Prune(prune) => Outcome::Worked(checkpointer.prune(prune).await?),
            Self::CopyThread(copy) => Outcome::Worked(checkpointer.copy_thread(copy).await?),
            Self::Threads(threads) => Outcome::Threads(checkpointer.threads(threads).await?),
            Self::Verify(verify) => Outcome::Verified(checkpointer.verify(verify).await?),
            Self::Diff(diff) => Outcome::Differences(checkpointer.diff(diff).await?),
            Self::Stats(thread) => Outcome::Stats(checkpointer.stats(thread.as_deref()).await?),
            // The others are run above.
            _ => Outcome::Done,
        })
    }
}

fn done(ended: Result<(), Error>) -> Result<Outcome, Error> {
    ended.map(|()| Outcome::Done)
}

/// A tuple of a store of which nothing is remembered.
#[cfg(compiled)]
fn found(tuple: CheckpointTuple) -> Option<FoundCheckpoint> {
    let tuple = tuple.map_values(|value| Some(TupleValue::Whole(value)))?;
    Some(FoundCheckpoint { tuple, known: Vec::new(), bases: Vec::new() })
}

/// Why a call failed.
pub(crate) enum Failure {
    Host(Error),
    /// A serializer failed.
    Python(PyErr),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Host(error)
    }
}

impl From<PyErr> for Failure {
    fn from(error: PyErr) -> Self {
        Self::Python(error)
    }
}

impl Failure {
    /// The exception.
    pub(crate) fn raised(self, py: Python<'_>) -> PyErr {
        match self {
            Self::Host(error) => raised(py, &error),
            Self::Python(error) => error,
        }
    }
}

/// Stores a checkpoint; once more with whole values if what is remembered is no longer stored.
async fn put(
    checkpointer: &Checkpointer<impl StorageAdapter>,
    put: Put,
    remembering: Remembering,
) -> Result<Outcome, Failure> {
    let values = &put.checkpoint.channel_values;
    let is_whole = values.iter().all(|entry| matches!(entry.value, NewValue::Whole(_)));
    let again = (!is_whole).then(|| put.clone());
    let stored = match (checkpointer.put(put).await, again) {
        (Err(error), Some(mut put)) if error.code() == "stale-known" => {
            let values = put.checkpoint.channel_values;
            put.checkpoint.channel_values =
                attached(|py| remembering.whole(py, values)).ok_or(error)??;
            put.known = None;
            checkpointer.put(put).await
        }
        (stored, _) => stored,
    };
    Ok(Outcome::Stored(stored?, remembering))
}

impl Call {
    /// Takes what there is to run.
    pub(crate) fn take(&self, py: Python<'_>) -> PyResult<Planned> {
        let planned = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        planned.ok_or_else(|| invalid(py, "invalid-argument", "a call can run only once"))
    }

    fn of(planned: Planned) -> Self {
        Self(Mutex::new(Some(planned)))
    }
}

#[pymethods]
impl Call {
    #[staticmethod]
    fn setup() -> Self {
        Self::of(Planned::Setup)
    }

    #[staticmethod]
    fn flush() -> Self {
        Self::of(Planned::Flush)
    }

    #[staticmethod]
    fn get_tuple(config: &Bound<'_, PyAny>, memory: &Bound<'_, Memory>) -> PyResult<Self> {
        let config = arguments::config(config)?;
        let before = memory.get().of(&config).filter(|entry| entry.is_complete());
        let known = before.as_ref().map(|entry| entry.known().to_vec());
        let get_tuple = GetTuple { config, known };
        Ok(Self::of(Planned::GetTuple(get_tuple, memory.clone().unbind(), before)))
    }

    #[staticmethod]
    fn list(
        config: &Bound<'_, PyAny>,
        before: &Bound<'_, PyAny>,
        conditions: &Bound<'_, PyAny>,
        limit: &Bound<'_, PyAny>,
        resume: Option<Vec<u8>>,
    ) -> PyResult<Self> {
        Ok(Self::of(Planned::List(List {
            config: arguments::config(config)?,
            limit: arguments::limit(limit)?,
            before: arguments::config(before)?.checkpoint_id,
            filter: arguments::conditions(conditions)?,
            resume,
        })))
    }

    #[staticmethod]
    #[expect(clippy::too_many_arguments, reason = "one for each part of a checkpoint")]
    fn put(
        config: &Bound<'_, PyAny>,
        id: &Bound<'_, PyAny>,
        v: f64,
        ts: &Bound<'_, PyAny>,
        channel_versions: &Bound<'_, PyAny>,
        channel_values: &Bound<'_, PyDict>,
        rest: &Bound<'_, PyAny>,
        metadata: &Bound<'_, PyAny>,
        new_versions: &Bound<'_, PyAny>,
        memory: &Bound<'_, Memory>,
        dump: &Bound<'_, PyAny>,
    ) -> PyResult<Self> {
        let py = config.py();
        let config = arguments::config(config)?;
        let before = memory.get().of(&config);
        let (channel_values, remembering) =
            Remembering::write(channel_values, before.as_deref(), memory, dump)?;
        let put = Put {
            config,
            checkpoint: Checkpoint {
                id: arguments::id("checkpoint[\"id\"]", id)?,
                v,
                ts: arguments::name("checkpoint[\"ts\"]", ts)?,
                channel_versions: arguments::versions(channel_versions)?,
                channel_values,
                rest: serialized(intern!(py, "checkpoint").as_any(), rest, memory.get(), dump)?,
            },
            metadata: arguments::payload(metadata)?,
            new_versions: arguments::names("the name of a channel", new_versions)?,
            // The saver has merged the config's into the metadata.
            run_id: Id::Absent,
            known: before.map(|before| before.known().to_vec()),
        };
        Ok(Self::of(Planned::Put(Box::new(put), remembering)))
    }

    #[staticmethod]
    fn put_writes(
        config: &Bound<'_, PyAny>,
        writes: &Bound<'_, PyAny>,
        task_id: &Bound<'_, PyAny>,
        task_path: &Bound<'_, PyAny>,
        memory: &Bound<'_, Memory>,
        dump: &Bound<'_, PyAny>,
    ) -> PyResult<Self> {
        let task_id: Id = arguments::id("task_id", task_id)?;
        Ok(Self::of(Planned::PutWrites(PutWrites {
            config: arguments::config(config)?,
            writes: arguments::writes(writes, |channel, value| {
                serialized(channel, value, memory.get(), dump)
            })?,
            task_id,
            task_path: arguments::name("task_path", task_path)?,
        })))
    }

    #[staticmethod]
    fn delete_thread(thread_id: &Bound<'_, PyAny>, memory: &Bound<'_, Memory>) -> PyResult<Self> {
        let thread = arguments::thread(thread_id)?;
        Ok(Self::of(Planned::DeleteThread(thread, memory.clone().unbind())))
    }

    /// `pruned` is `("threads", ids)`, `("idle", time)` or `("runs", ids)`; `keep` is the name of a
    /// rule and its count or time; `lease` is the time and the length in milliseconds.
    #[staticmethod]
    fn prune(
        pruned: (String, Bound<'_, PyAny>),
        keep: (String, Bound<'_, PyAny>),
        limit: &Bound<'_, PyAny>,
        dry_run: bool,
        lease: Option<(f64, f64)>,
        resume: Option<Vec<u8>>,
    ) -> PyResult<Self> {
        Ok(Self::of(Planned::Prune(Prune {
            pruned: arguments::pruned(&pruned.0, &pruned.1)?,
            keep: arguments::keep(&keep.0, &keep.1)?,
            limit: arguments::limit(limit)?,
            dry_run,
            lease: lease.map(|(now_ms, length_ms)| Lease { now_ms, length_ms }),
            resume,
        })))
    }

    #[staticmethod]
    fn copy_thread(
        source: &Bound<'_, PyAny>,
        target: &Bound<'_, PyAny>,
        latest_only: bool,
    ) -> PyResult<Self> {
        let source = arguments::id("the source's thread_id", source)?;
        let target = arguments::id("the target's thread_id", target)?;
        Ok(Self::of(Planned::CopyThread(CopyThread { source, target, latest_only })))
    }

    #[staticmethod]
    fn threads(
        limit: &Bound<'_, PyAny>,
        idle_since: Option<String>,
        id_prefix: &Bound<'_, PyAny>,
        conditions: &Bound<'_, PyAny>,
        resume: Option<Vec<u8>>,
    ) -> PyResult<Self> {
        let prefix = (!id_prefix.is_none()).then(|| arguments::name("id_prefix", id_prefix));
        Ok(Self::of(Planned::Threads(Threads {
            limit: arguments::limit(limit)?,
            idle_since,
            id_prefix: prefix.transpose()?,
            filter: arguments::conditions(conditions)?,
            resume,
        })))
    }

    #[staticmethod]
    fn stats(thread_id: &Bound<'_, PyAny>) -> PyResult<Self> {
        Ok(Self::of(Planned::Stats(match arguments::id("thread_id", thread_id)? {
            Id::Text(thread_id) => Some(thread_id),
            Id::Absent => None,
            Id::Number(_) | Id::Unsupported(_) => {
                return Err(invalid(
                    thread_id.py(),
                    "invalid-id",
                    "thread_id has to be text, or None for all threads",
                ));
            }
        })))
    }

    #[staticmethod]
    fn verify(thread_id: &Bound<'_, PyAny>, resume: Option<Vec<u8>>) -> PyResult<Self> {
        let thread = arguments::id("thread_id", thread_id)?;
        Ok(Self::of(Planned::Verify(Verify { thread, resume })))
    }

    #[staticmethod]
    fn vacuum(pages: &Bound<'_, PyAny>, resume: Option<Vec<u8>>) -> PyResult<Self> {
        let pages = arguments::limit(pages)?;
        Ok(Self::of(Planned::Vacuum(Vacuum { pages, resume })))
    }

    #[staticmethod]
    fn diff(config: &Bound<'_, PyAny>, before: &Bound<'_, PyAny>, values: bool) -> PyResult<Self> {
        let config = arguments::config(config)?;
        let before = arguments::id("before", before)?;
        Ok(Self::of(Planned::Diff(Diff { config, before, values })))
    }

    #[staticmethod]
    fn get_delta_channel_history(
        config: &Bound<'_, PyAny>,
        channels: &Bound<'_, PyAny>,
        memory: &Bound<'_, Memory>,
    ) -> PyResult<Self> {
        let config = arguments::config(config)?;
        let channels = arguments::names("the name of a channel", channels)?;
        let before = memory.get().histories_of(&config);
        let known = before.as_ref().map(|before| before.known_of(&channels)).unwrap_or_default();
        let call = DeltaChannelHistory { config, channels, known };
        Ok(Self::of(Planned::DeltaChannelHistory(call, memory.clone().unbind(), before)))
    }
}
