//! The interface `checkpointer`, on the checkpointer of a tenant.

use std::future::Future;

use langgraph_checkpoint_guest as guest;

use super::bindings::checkpointer as wit;
use super::bindings::{all, put_bytes, put_writes_bytes};
use super::tenant::Tenant;
use crate::error::Error;
use crate::storage::StorageAdapter;

impl<S: StorageAdapter> wit::Host for Tenant<S> {
    async fn put(&mut self, call: wit::PutCall) -> Result<wit::StoredCheckpoint, wit::Error> {
        self.check_bytes(put_bytes(&call))?;
        let stored = self.within(self.checkpointer.put(call.into())).await?;
        Ok(wit::StoredCheckpoint {
            thread_id: stored.thread_id,
            checkpoint_ns: stored.checkpoint_ns,
            checkpoint_id: stored.checkpoint_id,
        })
    }

    async fn put_writes(&mut self, call: wit::PutWritesCall) -> Result<(), wit::Error> {
        self.check_bytes(put_writes_bytes(&call))?;
        self.within(self.checkpointer.put_writes(call.into())).await
    }

    async fn get_tuple(
        &mut self,
        config: wit::Config,
    ) -> Result<Option<wit::CheckpointTuple>, wit::Error> {
        let found = self.within(self.checkpointer.get_tuple(config.into())).await?;
        Ok(found.map(Into::into))
    }

    async fn list(&mut self, call: wit::ListCall) -> Result<wit::Page, wit::Error> {
        let list = guest::List::from(call);
        let (tuples, next) = self.within(self.checkpointer.page(list)).await?;
        Ok(wit::Page { tuples: all(tuples), next })
    }

    async fn delete_thread(&mut self, thread: wit::Config) -> Result<(), wit::Error> {
        self.within(self.checkpointer.delete_thread(thread.into())).await
    }

    async fn get_delta_channel_history(
        &mut self,
        config: wit::Config,
        channels: Vec<String>,
    ) -> Result<Vec<wit::ChannelHistory>, wit::Error> {
        let history = self.checkpointer.get_delta_channel_history(config.into(), channels);
        Ok(all(self.within(history).await?))
    }
}

impl<S: StorageAdapter> Tenant<S> {
    fn check_bytes(&self, bytes: usize) -> Result<(), wit::Error> {
        let max = self.limits.call_bytes_max;
        if bytes <= max {
            return Ok(());
        }
        Err(wit::Error::InvalidInput(wit::Fault {
            code: "call-too-large".to_owned(),
            message: format!("the call brings {bytes} bytes; this host takes at most {max}"),
        }))
    }

    async fn within<T>(
        &self,
        call: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, wit::Error> {
        match tokio::time::timeout(self.limits.time_limit, call).await {
            Ok(result) => Ok(result?),
            Err(_) => Err(wit::Error::Unavailable(wit::StoreFault {
                code: "call-timeout".to_owned(),
                message: "the call took longer than this host lets one take; make it again"
                    .to_owned(),
                maybe_stored: true,
            })),
        }
    }
}
