//! The calls about whole threads, which are the same on every store.

use std::future::Future;

use langgraph_checkpoint_guest::{
    Call, CopyThread, Diff, Difference, Export, Exported, Id, Outcome, Prune, Stats, Threads,
    ThreadsPage, Verified, Verify, Work,
};

use crate::error::Error;

/// The calls about whole threads, for operators. Other calls run meanwhile.
pub trait Lifecycle: Sync {
    /// Runs one of these calls.
    #[doc(hidden)]
    fn run_on_threads(&self, call: Call) -> impl Future<Output = Result<Outcome, Error>> + Send;

    /// Removes the older checkpoints of threads: those of the threads that `Prune::pruned` names,
    /// of idle threads, or of runs. Kept checkpoints read as before. The values that nothing else
    /// needs go too; on Kusto, chunks and rows stay until the table's retention.
    ///
    /// One call prunes at most one thread. While `Work::next` is given, pass it as
    /// `Prune::resume` of the next call; `Work` counts all of them together.
    fn prune(&self, prune: Prune) -> impl Future<Output = Result<Work, Error>> + Send {
        async move {
            match self.run_on_threads(Call::Prune(prune)).await? {
                Outcome::Worked(work) => Ok(work),
                _ => Err(Error::other_outcome()),
            }
        }
    }

    /// The same until nothing is left to do.
    fn prune_all(&self, mut prune: Prune) -> impl Future<Output = Result<Work, Error>> + Send {
        async move {
            loop {
                let work = self.prune(prune.clone()).await?;
                if work.next.is_none() {
                    return Ok(work);
                }
                prune.resume = work.next;
            }
        }
    }

    /// Copies a thread: all its namespaces, checkpoints and pending writes, with their ids. The
    /// copy shares nothing with its source. A target that exists is refused with
    /// `existing-thread`, a source that does not with `missing-thread`.
    fn copy_thread(&self, copy: CopyThread) -> impl Future<Output = Result<Work, Error>> + Send {
        async move {
            match self.run_on_threads(Call::CopyThread(copy)).await? {
                Outcome::Worked(work) => Ok(work),
                _ => Err(Error::other_outcome()),
            }
        }
    }

    /// Returns a page of threads, the one with the newest checkpoint first. No state is read.
    fn threads(&self, call: Threads) -> impl Future<Output = Result<ThreadsPage, Error>> + Send {
        async move {
            match self.run_on_threads(Call::Threads(call)).await? {
                Outcome::Threads(page) => Ok(page),
                _ => Err(Error::other_outcome()),
            }
        }
    }

    /// Counts what is stored of a thread, or of all threads, without what the store adds. On Kusto,
    /// the bytes of records are those of their data in the table.
    fn stats(&self, thread_id: Option<&str>) -> impl Future<Output = Result<Stats, Error>> + Send {
        let thread = thread_id.map(Id::from).unwrap_or_default();
        async move {
            match self.run_on_threads(Call::Stats(thread)).await? {
                Outcome::Stats(stats) => Ok(stats),
                _ => Err(Error::other_outcome()),
            }
        }
    }

    /// Reads everything of a thread, or of all, and names what is damaged, in as many calls as
    /// there are threads. While `Verified::next` is given, pass it as `Verify::resume` of the next
    /// call. The counts are of all calls together, the problems of one. If all threads are read,
    /// the last call lets SQLite check its file, too.
    fn verify(&self, verify: Verify) -> impl Future<Output = Result<Verified, Error>> + Send {
        async move {
            match self.run_on_threads(Call::Verify(verify)).await? {
                Outcome::Verified(verified) => Ok(verified),
                _ => Err(Error::other_outcome()),
            }
        }
    }

    /// Reads what is stored of one checkpoint, of this thread or of all; `None` after the last one.
    /// Pass `Exported::next` as `Export::resume` of the next call.
    fn export(
        &self,
        export: Export,
    ) -> impl Future<Output = Result<Option<Exported>, Error>> + Send {
        async move {
            match self.run_on_threads(Call::Export(export)).await? {
                Outcome::Exported(exported) => Ok(exported),
                _ => Err(Error::other_outcome()),
            }
        }
    }

    /// Compares a checkpoint with an earlier one, by hashes: what both have is not read. `None` if
    /// one of them is not stored.
    fn diff(&self, diff: Diff) -> impl Future<Output = Result<Option<Difference>, Error>> + Send {
        async move {
            match self.run_on_threads(Call::Diff(diff)).await? {
                Outcome::Differences(difference) => Ok(difference),
                _ => Err(Error::other_outcome()),
            }
        }
    }
}
