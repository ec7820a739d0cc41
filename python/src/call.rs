//! A call of a saver's method, made of Python's arguments and ready to run without Python.

use std::sync::{Mutex, PoisonError};

#[cfg(compiled)]
use langgraph_checkpoint_host::KustoCheckpointer;
use langgraph_checkpoint_host::{Checkpoint, Config, Error, Id, List, Put, PutWrites};
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::arguments;
use crate::errors::invalid;
use crate::memory::Remembering;
use crate::outcome::Outcome;

/// A call that a store can run once.
#[pyclass(frozen, module = "langgraph_checkpoint_wasm._core")]
pub(crate) struct Call(Mutex<Option<Planned>>);

/// The host's method and its arguments.
pub(crate) enum Planned {
    Setup,
    Flush,
    GetTuple(Config),
    List(List),
    Put(Put),
    PutWrites(PutWrites),
    DeleteThread(Config),
    DeltaChannelHistory(Config, Vec<String>),
}

/// A checkpointer of any store.
pub(crate) enum Checkpoints {
    Sqlite(Box<Remembering>),
    #[cfg(compiled)]
    Kusto(Box<KustoCheckpointer>),
}

impl Planned {
    /// Runs the call on a checkpointer.
    pub(crate) async fn run(self, checkpoints: &Checkpoints) -> Result<Outcome, Error> {
        match checkpoints {
            Checkpoints::Sqlite(store) => self.run_on_sqlite(store).await,
            #[cfg(compiled)]
            Checkpoints::Kusto(checkpointer) => self.run_on_kusto(checkpointer).await,
        }
    }

    async fn run_on_sqlite(self, store: &Remembering) -> Result<Outcome, Error> {
        let checkpointer = &store.checkpointer;
        Ok(match self {
            Self::Setup => done(checkpointer.setup().await)?,
            // Nothing waits in it.
            Self::Flush => Outcome::Done,
            Self::GetTuple(config) => Outcome::Found(store.get_tuple(config).await?),
            Self::List(list) => Outcome::Page(checkpointer.page(list).await?),
            Self::Put(put) => Outcome::Stored(store.put(put).await?),
            Self::PutWrites(writes) => done(checkpointer.put_writes(writes).await)?,
            Self::DeleteThread(thread) => done(store.delete_thread(thread).await)?,
            Self::DeltaChannelHistory(config, channels) => {
                Outcome::Histories(checkpointer.get_delta_channel_history(config, channels).await?)
            }
        })
    }

    #[cfg(compiled)]
    async fn run_on_kusto(self, checkpointer: &KustoCheckpointer) -> Result<Outcome, Error> {
        Ok(match self {
            Self::Setup => done(checkpointer.setup().await)?,
            Self::Flush => done(checkpointer.flush().await)?,
            Self::GetTuple(config) => Outcome::Found(checkpointer.get_tuple(config).await?),
            Self::List(list) => Outcome::Page(checkpointer.page(list).await?),
            Self::Put(put) => Outcome::Stored(checkpointer.put(put).await?),
            Self::PutWrites(writes) => done(checkpointer.put_writes(writes).await)?,
            Self::DeleteThread(thread) => done(checkpointer.delete_thread(thread).await)?,
            Self::DeltaChannelHistory(config, channels) => {
                Outcome::Histories(checkpointer.get_delta_channel_history(config, channels).await?)
            }
        })
    }
}

fn done(ended: Result<(), Error>) -> Result<Outcome, Error> {
    ended.map(|()| Outcome::Done)
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
    fn get_tuple(config: &Bound<'_, PyAny>) -> PyResult<Self> {
        Ok(Self::of(Planned::GetTuple(arguments::config(config)?)))
    }

    #[staticmethod]
    fn list(
        config: &Bound<'_, PyAny>,
        before: &Bound<'_, PyAny>,
        conditions: &Bound<'_, PyAny>,
        limit: Option<f64>,
        resume: Option<Vec<u8>>,
    ) -> PyResult<Self> {
        Ok(Self::of(Planned::List(List {
            config: arguments::config(config)?,
            limit,
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
    ) -> PyResult<Self> {
        Ok(Self::of(Planned::Put(Put {
            config: arguments::config(config)?,
            checkpoint: Checkpoint {
                id: arguments::id("checkpoint[\"id\"]", id)?,
                v,
                ts: arguments::name("checkpoint[\"ts\"]", ts)?,
                channel_versions: arguments::versions(channel_versions)?,
                channel_values: arguments::values(channel_values)?,
                rest: arguments::payload(rest)?,
            },
            metadata: arguments::payload(metadata)?,
            new_versions: arguments::names("the name of a channel", new_versions)?,
            known: None,
        })))
    }

    #[staticmethod]
    fn put_writes(
        config: &Bound<'_, PyAny>,
        writes: &Bound<'_, PyAny>,
        task_id: &Bound<'_, PyAny>,
        task_path: &Bound<'_, PyAny>,
    ) -> PyResult<Self> {
        let task_id: Id = arguments::id("task_id", task_id)?;
        Ok(Self::of(Planned::PutWrites(PutWrites {
            config: arguments::config(config)?,
            writes: arguments::writes(writes)?,
            task_id,
            task_path: arguments::name("task_path", task_path)?,
        })))
    }

    #[staticmethod]
    fn delete_thread(thread_id: &Bound<'_, PyAny>) -> PyResult<Self> {
        Ok(Self::of(Planned::DeleteThread(arguments::thread(thread_id)?)))
    }

    #[staticmethod]
    fn get_delta_channel_history(
        config: &Bound<'_, PyAny>,
        channels: &Bound<'_, PyAny>,
    ) -> PyResult<Self> {
        let config = arguments::config(config)?;
        let channels = arguments::names("the name of a channel", channels)?;
        Ok(Self::of(Planned::DeltaChannelHistory(config, channels)))
    }
}
