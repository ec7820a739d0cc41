//! What a store of this package has, checkpoint by checkpoint.

use langgraph_checkpoint_host::{Export, Exported, Lifecycle, Threads};

use crate::failure::Result;
use crate::opened::Opened;
use crate::threads::{PAGE_MAX, precise};

/// Some ids of threads, the one with the newest checkpoint first.
#[derive(Default)]
pub(super) struct Ids {
    pub(super) ids: Vec<String>,
    /// For the next ones; `None` after the last.
    pub(super) next: Option<Vec<u8>>,
}

impl Ids {
    /// The first ids, or the next ones.
    pub(super) async fn of(source: &Opened<'_>, resume: Option<Vec<u8>>) -> Result<Self> {
        let limit = Some(precise(PAGE_MAX));
        let page = source.threads(Threads { limit, resume, ..Threads::default() }).await?;
        let ids = page.threads.into_iter().map(|thread| thread.thread_id).collect();
        Ok(Self { ids, next: page.next })
    }
}

/// The checkpoints of a thread, by namespace and checkpoint. One is held at a time.
pub(super) struct Checkpoints<'a> {
    source: &'a Opened<'a>,
    thread: &'a str,
    resume: Option<Vec<u8>>,
}

impl<'a> Checkpoints<'a> {
    pub(super) fn of(source: &'a Opened<'a>, thread: &'a str) -> Self {
        Self { source, thread, resume: None }
    }

    /// What is stored of the next one; `None` after the last.
    pub(super) async fn next(&mut self) -> Result<Option<Exported>> {
        let call = Export { thread: self.thread.into(), resume: self.resume.take() };
        let exported = self.source.export(call).await?;
        self.resume = exported.as_ref().map(|exported| exported.next.clone());
        Ok(exported)
    }
}
