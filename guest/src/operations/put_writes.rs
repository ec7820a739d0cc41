//! `putWrites`: one round, or none if there are no writes. A crash before the commit leaves
//! nothing.
//!
//! It makes no difference whether the checkpoint of the writes is stored.

use std::collections::BTreeSet;

use crate::contract::call;
use crate::contract::config::{self, Address, TASK_PATH_BYTES_MAX};
use crate::contract::error::Error;
use crate::contract::outcome::Outcome;
use crate::format::checkpoint::StoredValue;
use crate::format::places::{Places, place};
use crate::format::values::build::{Builder, Chunk};
use crate::format::write::{WriteColumns, WriteEnvelope};
use crate::operations::ask::{Ask, NewWrite, NewWrites, Step};

/// The operation has no state.
#[derive(Debug)]
pub(super) struct PutWrites;

impl PutWrites {
    #[inline(never)]
    pub(super) fn start(call: call::PutWrites) -> Result<(Self, Step), Error> {
        let address = config::address(&call.config)?;
        let Some(checkpoint_id) = config::checkpoint_id(&call.config)? else {
            return Err(Error::invalid(
                "missing-checkpoint-id",
                "the config names no checkpoint to put writes to; pass the checkpoint_id of the \
                 one that they belong to",
            ));
        };
        let task_id = config::required("task_id", &call.task_id)?;
        config::plain("task_path", &call.task_path, TASK_PATH_BYTES_MAX)?;
        for write in &call.writes {
            config::plain("the channel of a write", &write.channel, config::ID_BYTES_MAX)?;
        }
        if call.writes.is_empty() {
            return Ok((Self, Step::Done(Outcome::WritesStored)));
        }

        let none = BTreeSet::new();
        let builder = Builder::new(&none);
        let mut chunks: Vec<Chunk> = Vec::new();
        let (mut keeping, mut replacing) = (Vec::new(), Vec::new());
        let of_call = call.writes.iter().enumerate();
        let places = Places::of(of_call.map(|(at, write)| place(&write.channel, at).idx));
        for (position, write) in call.writes.iter().enumerate() {
            let built = builder.value(&write.value.kind, &write.value.bytes)?;
            chunks.extend(built.fresh);
            let place = place(&write.channel, position);
            let columns = WriteColumns {
                thread_id: &address.thread_id,
                checkpoint_ns: &address.checkpoint_ns,
                checkpoint_id: &checkpoint_id,
                task_id: &task_id,
                idx: place.idx,
                task_path: &call.task_path,
                channel: &write.channel,
            };
            let value = StoredValue { kind: write.value.kind.clone(), piece: built.piece };
            let envelope = WriteEnvelope { value, places: places.clone() }.seal(columns)?;
            let writes = if place.replaces { &mut replacing } else { &mut keeping };
            writes.push(NewWrite { idx: place.idx, channel: write.channel.clone(), envelope });
        }

        let Address { thread_id, checkpoint_ns } = address;
        let writes = NewWrites {
            thread_id,
            checkpoint_ns,
            checkpoint_id,
            task_id,
            task_path: call.task_path,
            keeping,
            replacing,
            chunks: once_each(chunks),
        };
        Ok((Self, Step::ask(Ask::PutWrites(writes))))
    }

    pub(super) fn advance(&mut self) -> Result<Step, Error> {
        Ok(Step::Done(Outcome::WritesStored))
    }
}

/// The chunks, each one once.
#[inline(never)]
pub(super) fn once_each(chunks: Vec<Chunk>) -> Vec<Chunk> {
    let mut seen = BTreeSet::new();
    chunks.into_iter().filter(|chunk| seen.insert(chunk.hash)).collect()
}
