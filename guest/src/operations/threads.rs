//! `threads` and `stats`: what is stored, without reading a state. One round each.

use super::row::{rows, set};
use crate::contract::call::{Id, Payload, Threads as Call};
use crate::contract::config;
use crate::contract::error::Error;
use crate::contract::lifecycle::{Stats, ThreadSummary, ThreadsPage};
use crate::contract::outcome::Outcome;
use crate::contract::statement::RowSet;
use crate::format::{FORMAT, decode, encode, json};
use crate::operations::ask::{Ask, Step, ThreadsAfter};
use crate::operations::list;

/// The threads of a page, if the caller does not say.
const PAGE_THREADS: u64 = 100;
/// The most threads of a page.
const PAGE_THREADS_MAX: u64 = 1000;

/// A page of threads under way.
#[derive(Debug)]
pub(super) struct Threads {
    count: u64,
}

/// Where the next page begins, as a host carries it: format, and the last thread's checkpoint id
/// and id.
type Resume = (u8, String, String);

impl Threads {
    #[inline(never)]
    pub(super) fn start(call: Call) -> Result<(Self, Step), Error> {
        let limit = call.limit.map(list::limit).transpose()?;
        let count = limit.unwrap_or(PAGE_THREADS).min(PAGE_THREADS_MAX);
        list::check_filter(&call.filter)?;
        if let Some(ts) = &call.idle_since {
            config::time("the time since which threads are idle", ts)?;
        }
        if let Some(prefix) = &call.id_prefix {
            config::plain("the prefix of ids", prefix, config::ID_BYTES_MAX)?;
        }
        let after = match call.resume {
            None => None,
            Some(bytes) => match decode::<Resume>(&bytes) {
                Some((FORMAT, checkpoint_id, thread_id)) => {
                    Some(ThreadsAfter { checkpoint_id, thread_id })
                }
                _ => {
                    return Err(Error::protocol(
                        "foreign-resume",
                        "resume was not made by a list of threads of this version; start it anew",
                    ));
                }
            },
        };
        let threads = Self { count };
        if count == 0 {
            return Ok((threads, Step::Done(Outcome::Threads(ThreadsPage::default()))));
        }
        let step = Step::ask(Ask::ListThreads {
            idle_since: call.idle_since,
            id_prefix: call.id_prefix,
            filter: call.filter,
            after,
            count,
        });
        Ok((threads, step))
    }

    #[inline(never)]
    pub(super) fn advance(&mut self, sets: &[RowSet]) -> Result<Step, Error> {
        let mut threads = Vec::new();
        for mut row in rows(set(sets, 0)?, "lg_threads") {
            let thread_id = row.text("thread_id")?.to_owned();
            let checkpoint_id = row.text("checkpoint_id")?.to_owned();
            let ts = row.text("created_at")?.to_owned();
            let bytes = row.blob("metadata")?.to_vec();
            // The tag is in the envelope, which is not read. JSON is what every language writes.
            let kind = if json::is_value(&bytes) { "json" } else { "bytes" }.to_owned();
            let count = |number: i64| number.unsigned_abs();
            threads.push(ThreadSummary {
                thread_id,
                checkpoint_id,
                ts,
                metadata: Payload { kind, bytes },
                namespaces: count(row.integer("namespaces")?),
                checkpoints: count(row.integer("checkpoints")?),
                writes: count(row.integer("writes")?),
            });
        }
        let is_full = threads.len() as u64 == self.count;
        let resume = |last: &ThreadSummary| encode(&(FORMAT, &last.checkpoint_id, &last.thread_id));
        let next = threads.last().filter(|_| is_full).map(resume).transpose()?;
        Ok(Step::Done(Outcome::Threads(ThreadsPage { threads, next })))
    }
}

/// The totals of a thread or of the store, under way.
#[derive(Debug)]
pub(super) struct Totals;

impl Totals {
    #[inline(never)]
    pub(super) fn start(thread: &Id) -> Result<(Self, Step), Error> {
        let thread_id = config::text("thread_id", thread)?;
        Ok((Self, Step::ask(Ask::Totals { thread_id })))
    }

    pub(super) fn advance(&mut self, sets: &[RowSet]) -> Result<Step, Error> {
        Ok(Step::Done(Outcome::Stats(stats(set(sets, 0)?)?)))
    }
}

/// The row of `Ask::Totals`.
pub(super) fn stats(set: &RowSet) -> Result<Stats, Error> {
    let Some(mut row) = rows(set, "lg_records").next() else {
        return Ok(Stats::default());
    };
    let mut count = |column| row.integer(column).map(i64::unsigned_abs);
    Ok(Stats {
        threads: count("threads")?,
        checkpoints: count("checkpoints")?,
        writes: count("writes")?,
        record_bytes: count("record_bytes")?,
        chunks: count("chunks")?,
        chunk_bytes: count("chunk_bytes")?,
    })
}
