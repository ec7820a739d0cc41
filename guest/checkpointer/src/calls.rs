//! The interfaces `checkpointer` and `lifecycle` in terms of `run`, one function for each call.
//! Both components that export them use this file.

use langgraph_checkpoint_guest::wit::types;
use langgraph_checkpoint_guest::{
    Call, Config, CopyThread, DeltaChannelHistory, Diff, Difference, Error, Export, Exported,
    Fault, GetTuple, Id, List, Outcome, Prune, Put, PutWrites, Stats, Threads, ThreadsPage,
    Verified, Verify, Work,
};

use crate::generated::exports::langgraph::checkpoint::checkpointer::Guest;
use crate::generated::exports::langgraph::checkpoint::lifecycle::Guest as Lifecycle;
use crate::{CACHE, Checkpointer, run};

impl Guest for Checkpointer {
    fn put(call: types::PutCall) -> Result<types::StoredCheckpoint, Error> {
        let mut put = Put::from(call);
        put.known = CACHE.with_borrow_mut(|cache| cache.of(&put.config).cloned());
        match run(Call::Put(put))? {
            Outcome::Stored(stored) => {
                remember(&stored.thread_id, &stored.checkpoint_ns, &stored.known);
                Ok(stored.into())
            }
            _ => Err(other_outcome()),
        }
    }

    fn put_writes(call: PutWrites) -> Result<(), Error> {
        match run(Call::PutWrites(call))? {
            Outcome::WritesStored => Ok(()),
            _ => Err(other_outcome()),
        }
    }

    fn get_tuple(config: Config) -> Result<Option<types::CheckpointTuple>, Error> {
        match run(Call::GetTuple(GetTuple { config, known: None }))? {
            Outcome::Found(None) => Ok(None),
            Outcome::Found(Some(found)) => {
                let tuple = found.tuple.resolve(&[]).ok_or_else(other_outcome)?;
                remember(&tuple.thread_id, &tuple.checkpoint_ns, &found.known);
                Ok(Some(tuple))
            }
            _ => Err(other_outcome()),
        }
    }

    fn list(call: List) -> Result<types::Page, Error> {
        match run(Call::List(call))? {
            Outcome::Page(page) => types::Page::of(page).ok_or_else(other_outcome),
            _ => Err(other_outcome()),
        }
    }

    fn delete_thread(thread: Config) -> Result<(), Error> {
        CACHE.with_borrow_mut(|cache| cache.forget_thread(&thread));
        match run(Call::DeleteThread(thread))? {
            Outcome::Deleted => Ok(()),
            _ => Err(other_outcome()),
        }
    }

    fn get_delta_channel_history(
        config: Config,
        channels: Vec<String>,
    ) -> Result<Vec<types::ChannelHistory>, Error> {
        let call = DeltaChannelHistory { config, channels, known: Vec::new() };
        match run(Call::DeltaChannelHistory(call))? {
            Outcome::History(histories) => Ok(histories.into_iter().map(Into::into).collect()),
            _ => Err(other_outcome()),
        }
    }
}

impl Lifecycle for Checkpointer {
    fn prune(call: Prune) -> Result<Work, Error> {
        match run(Call::Prune(call))? {
            Outcome::Worked(work) => Ok(work),
            _ => Err(other_outcome()),
        }
    }

    fn copy_thread(call: CopyThread) -> Result<Work, Error> {
        match run(Call::CopyThread(call))? {
            Outcome::Worked(work) => Ok(work),
            _ => Err(other_outcome()),
        }
    }

    fn threads(call: Threads) -> Result<ThreadsPage, Error> {
        match run(Call::Threads(call))? {
            Outcome::Threads(page) => Ok(page),
            _ => Err(other_outcome()),
        }
    }

    fn stats(thread: Id) -> Result<Stats, Error> {
        match run(Call::Stats(thread))? {
            Outcome::Stats(stats) => Ok(stats),
            _ => Err(other_outcome()),
        }
    }

    fn verify(call: Verify) -> Result<Verified, Error> {
        match run(Call::Verify(call))? {
            Outcome::Verified(verified) => Ok(verified),
            _ => Err(other_outcome()),
        }
    }

    fn export(call: Export) -> Result<Option<Exported>, Error> {
        match run(Call::Export(call))? {
            Outcome::Exported(exported) => Ok(exported),
            _ => Err(other_outcome()),
        }
    }

    fn diff(call: Diff) -> Result<Option<Difference>, Error> {
        match run(Call::Diff(call))? {
            Outcome::Differences(difference) => Ok(difference),
            _ => Err(other_outcome()),
        }
    }
}

fn remember(thread_id: &str, checkpoint_ns: &str, known: &[u8]) {
    CACHE.with_borrow_mut(|cache| cache.remember(thread_id, checkpoint_ns, known.to_vec(), 1));
}

fn other_outcome() -> Error {
    Error::Protocol(Fault {
        code: "wrong-outcome".to_owned(),
        message: "an operation ended in an outcome of another call, which is a defect".to_owned(),
    })
}
