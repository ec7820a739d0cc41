//! The interface `checkpointer`, on the checkpointer of a tenant.

use std::future::Future;

use langgraph_checkpoint_guest::wit::types;
use langgraph_checkpoint_guest::{Error as Refusal, Fault, StoreFault};

use super::bindings::checkpointer::Host;
use super::failures;
use super::load::Brings;
use super::tenant::Tenant;
use crate::error::Error;
use crate::storage::StorageAdapter;

/// Whether a call that timed out may have stored something.
const WRITES: bool = true;
const READS: bool = false;

impl<S: StorageAdapter> Host for Tenant<S> {
    async fn put(&mut self, call: types::PutCall) -> Result<types::StoredCheckpoint, Refusal> {
        self.check(&call)?;
        let stored = self.within(WRITES, self.checkpointer.put(call.into())).await?;
        Ok(stored.into())
    }

    async fn put_writes(&mut self, call: types::PutWritesCall) -> Result<(), Refusal> {
        self.check(&call)?;
        self.within(WRITES, self.checkpointer.put_writes(call)).await
    }

    async fn get_tuple(
        &mut self,
        config: types::Config,
    ) -> Result<Option<types::CheckpointTuple>, Refusal> {
        self.check(&config)?;
        self.within(READS, self.checkpointer.get_tuple(config)).await
    }

    async fn list(&mut self, call: types::ListCall) -> Result<types::Page, Refusal> {
        self.check(&call)?;
        self.within(READS, self.checkpointer.page(call)).await
    }

    async fn delete_thread(&mut self, thread: types::Config) -> Result<(), Refusal> {
        self.check(&thread)?;
        self.within(WRITES, self.checkpointer.delete_thread(thread)).await
    }

    async fn get_delta_channel_history(
        &mut self,
        config: types::Config,
        channels: Vec<String>,
    ) -> Result<Vec<types::ChannelHistory>, Refusal> {
        self.check(&(&config, &channels))?;
        let history = self.checkpointer.get_delta_channel_history(config, channels);
        let histories = self.within(READS, history).await?;
        Ok(histories.into_iter().map(Into::into).collect())
    }
}

impl<S: StorageAdapter> Tenant<S> {
    /// Refuses a call whose arguments are larger than the limits.
    fn check(&self, call: &impl Brings) -> Result<(), Refusal> {
        let (load, limits) = (call.load(), self.limits);
        let (found, of, max) = if load.bytes > limits.call_bytes_max {
            (load.bytes, "bytes", limits.call_bytes_max)
        } else if load.elements > limits.call_elements_max {
            (load.elements, "elements of lists", limits.call_elements_max)
        } else {
            return Ok(());
        };
        Err(Refusal::InvalidInput(Fault {
            code: "call-too-large".to_owned(),
            message: format!("the call has {found} {of}; this host allows at most {max}"),
        }))
    }

    async fn within<T>(
        &self,
        writes: bool,
        call: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, Refusal> {
        match tokio::time::timeout(self.limits.time_limit, call).await {
            Ok(Ok(done)) => Ok(done),
            Ok(Err(error)) if writes => Err(failures::of_call(error)),
            Ok(Err(error)) => Err(stored_nothing(failures::of_call(error))),
            Err(_) => Err(Refusal::Unavailable(StoreFault {
                fault: Fault {
                    code: "call-timeout".to_owned(),
                    message: "the call took longer than this host allows; repeat it".to_owned(),
                },
                maybe_stored: writes,
            })),
        }
    }
}

/// The same error, saying that nothing was stored: for calls that only read.
fn stored_nothing(mut error: Refusal) -> Refusal {
    if let Refusal::Storage(fault) | Refusal::Unavailable(fault) | Refusal::Denied(fault) =
        &mut error
    {
        fault.maybe_stored = false;
    }
    error
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use langgraph_checkpoint_guest::Error as Refusal;

    use super::super::tenant::CallLimits;
    use super::*;
    use crate::error::{ComponentError, ComponentErrorKind};
    use crate::storage::sqlite::{SqliteOptions, SqliteStorage};
    use crate::storage::{StorageError, StorageErrorKind};
    use crate::{Batch, Checkpointer, Planner, RowSet};

    fn tenant(limits: CallLimits) -> Tenant<SqliteStorage> {
        let storage = SqliteStorage::in_memory(&SqliteOptions::default()).unwrap();
        Tenant::new(Arc::new(Checkpointer::new(Planner::native(), storage)), limits)
    }

    fn config(thread_id: String) -> types::Config {
        types::Config {
            thread_id: types::Id::Text(thread_id),
            checkpoint_ns: types::Id::Absent,
            checkpoint_id: types::Id::Text("c1".to_owned()),
            thread_ts: types::Id::Absent,
        }
    }

    fn payload() -> types::Payload {
        types::Payload { kind: "json".to_owned(), bytes: b"{}".to_vec() }
    }

    fn put(thread_id: String, new_versions: usize) -> types::PutCall {
        types::PutCall {
            config: config(thread_id),
            checkpoint: types::Checkpoint {
                id: types::Id::Text("c1".to_owned()),
                v: 4.0,
                ts: String::new(),
                channel_versions: Vec::new(),
                channel_values: Vec::new(),
                rest: payload(),
            },
            metadata: payload(),
            new_versions: vec![String::new(); new_versions],
            run_id: types::Id::Absent,
        }
    }

    fn put_writes(thread_id: String, writes: usize) -> types::PutWritesCall {
        let write = types::NewWrite { channel: String::new(), value: payload() };
        types::PutWritesCall {
            config: config(thread_id),
            writes: vec![write; writes],
            task_id: types::Id::Text("task".to_owned()),
            task_path: String::new(),
        }
    }

    fn list(thread_id: String, filters: usize) -> types::ListCall {
        let filter = types::MetadataFilter { key: String::new(), json: String::new() };
        types::ListCall {
            config: config(thread_id),
            limit: None,
            before: types::Id::Absent,
            filter: vec![filter; filters],
            resume: None,
        }
    }

    fn refused<T: std::fmt::Debug>(result: Result<T, Refusal>) {
        match result.unwrap_err() {
            Refusal::InvalidInput(fault) => assert_eq!(fault.code, "call-too-large"),
            other => panic!("{other:?}"),
        }
    }

    #[tokio::test]
    async fn every_call_counts_what_it_brings() {
        let limits = CallLimits { call_bytes_max: 1000, ..CallLimits::default() };
        let mut tenant = tenant(limits);
        let long = || "x".repeat(2000);
        refused(tenant.put(put(long(), 0)).await);
        refused(tenant.put_writes(put_writes(long(), 1)).await);
        refused(tenant.get_tuple(config(long())).await);
        refused(tenant.list(list(long(), 0)).await);
        refused(
            tenant
                .list(types::ListCall { resume: Some(vec![0; 2000]), ..list("t".into(), 0) })
                .await,
        );
        refused(tenant.delete_thread(config(long())).await);
        refused(tenant.get_delta_channel_history(config("t".into()), vec![long()]).await);
        tenant.put(put("t".to_owned(), 0)).await.unwrap();
        assert!(tenant.get_tuple(config("t".to_owned())).await.unwrap().is_some());
    }

    #[tokio::test]
    async fn every_element_of_a_call_counts() {
        let mut tenant = tenant(CallLimits::default());
        let many = 100_000;
        refused(tenant.put(put("t".to_owned(), many)).await);
        refused(tenant.put_writes(put_writes("t".to_owned(), many)).await);
        refused(tenant.list(list("t".to_owned(), many)).await);
        let channels = vec![String::new(); many];
        refused(tenant.get_delta_channel_history(config("t".to_owned()), channels).await);
    }

    /// A store that fails and claims that it may have stored something, or never answers.
    struct Odd(bool);

    impl StorageAdapter for Odd {
        async fn run(&self, _batch: Batch) -> Result<Vec<RowSet>, StorageError> {
            if self.0 {
                return std::future::pending().await;
            }
            Err(StorageError::new(StorageErrorKind::Failed, "odd").with_unknown_effect())
        }
    }

    #[tokio::test]
    async fn a_read_is_never_maybe_stored() {
        let limits = CallLimits { time_limit: Duration::from_millis(20), ..CallLimits::default() };
        for (stuck, code) in [(false, "storage-failed"), (true, "call-timeout")] {
            let checkpointer = Arc::new(Checkpointer::new(Planner::native(), Odd(stuck)));
            let mut tenant = Tenant::new(checkpointer, limits);
            let thread = || "t".to_owned();
            let history = tenant.get_delta_channel_history(config(thread()), vec![thread()]).await;
            for (error, maybe_stored) in [
                (tenant.put(put(thread(), 0)).await.unwrap_err(), true),
                (tenant.put_writes(put_writes(thread(), 1)).await.unwrap_err(), true),
                (tenant.delete_thread(config(thread())).await.unwrap_err(), true),
                (tenant.get_tuple(config(thread())).await.unwrap_err(), false),
                (tenant.list(list(thread(), 0)).await.unwrap_err(), false),
                (history.unwrap_err(), false),
            ] {
                let (Refusal::Storage(store) | Refusal::Unavailable(store)) = error else {
                    panic!("{error:?}");
                };
                assert_eq!((store.fault.code.as_str(), store.maybe_stored), (code, maybe_stored));
            }
        }
    }

    #[test]
    fn what_would_fail_again_is_denied() {
        let of = |kind| failures::of_call(Error::from(ComponentError::bare(kind, "why")));
        for kind in [
            ComponentErrorKind::AnswerLimit,
            ComponentErrorKind::MemoryLimit,
            ComponentErrorKind::Timeout,
            ComponentErrorKind::Unusable,
        ] {
            let denied = of(kind);
            assert!(matches!(&denied, Refusal::Denied(fault) if !fault.maybe_stored), "{denied:?}");
        }
        for kind in [
            ComponentErrorKind::Busy,
            ComponentErrorKind::HostMemory,
            ComponentErrorKind::RowsLost,
            ComponentErrorKind::Trap,
        ] {
            let unavailable = of(kind);
            assert!(
                matches!(&unavailable, Refusal::Unavailable(fault) if !fault.maybe_stored),
                "{unavailable:?}"
            );
        }
        let error = ComponentError::bare(ComponentErrorKind::Trap, "why").with_unknown_effect();
        let unknown = failures::of_call(Error::from(error));
        assert!(matches!(&unknown, Refusal::Unavailable(fault) if fault.maybe_stored));
    }
}
