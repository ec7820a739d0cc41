//! `putWrites`: one round, none for no writes. A crash before the commit leaves nothing.
//!
//! The writes stand alone: whether their checkpoint is stored makes no difference.

use std::collections::BTreeSet;

use super::Progress;
use crate::call;
use crate::config::{self, TASK_PATH_BYTES_MAX};
use crate::dialect::sqlite::{self, WriteRow};
use crate::error::Error;
use crate::format::checkpoint::StoredValue;
use crate::format::write::{WriteColumns, seal};
use crate::outcome::Outcome;
use crate::value::build::{Builder, Chunk};
use crate::write::place;

/// Nothing to remember.
#[derive(Debug)]
pub(super) struct PutWrites;

impl PutWrites {
    pub(super) fn start(call: call::PutWrites) -> Result<(Self, Progress), Error> {
        let address = config::address(&call.config)?;
        let Some(checkpoint_id) = config::checkpoint_id(&call.config)? else {
            return Err(Error::invalid(
                "missing-checkpoint-id",
                "config.configurable has no checkpoint_id to put writes to; pass the id of the \
                 checkpoint they belong to",
            ));
        };
        let task_id = config::required("task_id", &call.task_id)?;
        config::plain("task_path", &call.task_path, TASK_PATH_BYTES_MAX)?;
        for write in &call.writes {
            config::plain("the channel of a write", &write.channel, config::ID_BYTES_MAX)?;
        }
        if call.writes.is_empty() {
            return Ok((Self, Progress::Done(Outcome::WritesStored)));
        }

        let none = BTreeSet::new();
        let builder = Builder::new(&none);
        let mut chunks: Vec<Chunk> = Vec::new();
        let mut rows: [Vec<WriteRow<'_>>; 2] = [Vec::new(), Vec::new()];
        for (position, write) in call.writes.iter().enumerate() {
            let built = builder.value(&write.value.kind, &write.value.bytes)?;
            chunks.extend(built.fresh);
            let place = place(&write.channel, position);
            let columns = WriteColumns {
                checkpoint_id: &checkpoint_id,
                task_id: &task_id,
                idx: place.idx,
                task_path: &call.task_path,
                channel: &write.channel,
            };
            let value = StoredValue { kind: write.value.kind.clone(), piece: built.piece };
            let [keeping, replacing] = &mut rows;
            let rows = if place.replaces { replacing } else { keeping };
            rows.push(WriteRow {
                task_id: &task_id,
                idx: place.idx,
                task_path: &call.task_path,
                channel: &write.channel,
                envelope: seal(value, columns)?,
            });
        }

        let thread_id = &address.thread_id;
        let mut statements = vec![sqlite::insert_thread(thread_id)];
        if !chunks.is_empty() {
            statements.push(sqlite::insert_chunks(thread_id, None, &once_each(chunks)));
        }
        for (rows, replaces) in rows.into_iter().zip([false, true]) {
            if !rows.is_empty() {
                statements.push(sqlite::insert_writes(
                    thread_id,
                    &address.checkpoint_ns,
                    &checkpoint_id,
                    replaces,
                    rows.into_iter(),
                ));
            }
        }
        Ok((Self, Progress::write(statements)))
    }

    pub(super) fn advance(&mut self) -> Result<Progress, Error> {
        Ok(Progress::Done(Outcome::WritesStored))
    }
}

/// The chunks, each one once.
pub(super) fn once_each(chunks: Vec<Chunk>) -> Vec<Chunk> {
    let mut seen = BTreeSet::new();
    chunks.into_iter().filter(|chunk| seen.insert(chunk.hash)).collect()
}
