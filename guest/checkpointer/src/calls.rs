//! The interface `checkpointer`, in terms of `run`: one function a call. Both components that
//! export it have this file.

use langgraph_checkpoint_guest as guest;

use crate::convert::all;
use crate::known;
use crate::{Checkpointer, run, wit};

impl wit::Guest for Checkpointer {
    fn put(call: wit::PutCall) -> Result<wit::StoredCheckpoint, wit::Error> {
        let mut put = guest::Put::from(call);
        put.known = known::of(&put.config);
        match run(guest::Call::Put(put))? {
            guest::Outcome::Stored(stored) => {
                known::remember(&stored.thread_id, &stored.checkpoint_ns, stored.known);
                Ok(wit::StoredCheckpoint {
                    thread_id: stored.thread_id,
                    checkpoint_ns: stored.checkpoint_ns,
                    checkpoint_id: stored.checkpoint_id,
                })
            }
            _ => Err(other_outcome()),
        }
    }

    fn put_writes(call: wit::PutWritesCall) -> Result<(), wit::Error> {
        match run(guest::Call::PutWrites(call.into()))? {
            guest::Outcome::WritesStored => Ok(()),
            _ => Err(other_outcome()),
        }
    }

    fn get_tuple(config: wit::Config) -> Result<Option<wit::CheckpointTuple>, wit::Error> {
        let call = guest::GetTuple { config: config.into(), known: None };
        match run(guest::Call::GetTuple(call))? {
            guest::Outcome::Found(None) => Ok(None),
            guest::Outcome::Found(Some(found)) => {
                let tuple = found.tuple.resolve(&[]).ok_or_else(other_outcome)?;
                known::remember(&tuple.thread_id, &tuple.checkpoint_ns, found.known);
                Ok(Some(tuple.into()))
            }
            _ => Err(other_outcome()),
        }
    }

    fn list(call: wit::ListCall) -> Result<wit::Page, wit::Error> {
        match run(guest::Call::List(call.into()))? {
            guest::Outcome::Page(page) => {
                let whole = page.tuples.into_iter().map(|tuple| tuple.resolve(&page.shared));
                let tuples: Option<Vec<_>> = whole.collect();
                Ok(wit::Page { tuples: all(tuples.ok_or_else(other_outcome)?), next: page.next })
            }
            _ => Err(other_outcome()),
        }
    }

    fn delete_thread(thread: wit::Config) -> Result<(), wit::Error> {
        let config = guest::Config::from(thread);
        known::forget_thread(&config);
        match run(guest::Call::DeleteThread(config))? {
            guest::Outcome::Deleted => Ok(()),
            _ => Err(other_outcome()),
        }
    }

    fn get_delta_channel_history(
        config: wit::Config,
        channels: Vec<String>,
    ) -> Result<Vec<wit::ChannelHistory>, wit::Error> {
        let call =
            guest::DeltaChannelHistory { config: config.into(), channels, known: Vec::new() };
        match run(guest::Call::DeltaChannelHistory(call))? {
            guest::Outcome::History(histories) => Ok(all(histories)),
            _ => Err(other_outcome()),
        }
    }
}

fn other_outcome() -> wit::Error {
    wit::Error::Protocol(wit::Fault {
        code: "wrong-outcome".to_owned(),
        message: "an operation ended in what its call does not end in, which is a defect"
            .to_owned(),
    })
}
