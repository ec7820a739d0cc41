//! What a store remembers between calls: its clock, what it knows of threads, and rows that queries
//! may not show yet.

mod found;
mod kept;
mod renew;

use crate::contract::status::{UnshownCall, Waiting};
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::rc::Rc;

use self::found::Found;
pub(crate) use self::found::Search;
use self::kept::{Kept, ROW_BYTES};
use super::clock::{Clock, microseconds};
use super::row::{CHECKPOINT, CheckpointKey, LogRow, TOMBSTONE, WRITE};

/// The most hashes remembered, of all threads together.
const HASHES_MAX: usize = 200_000;

/// The most bytes of rows that are kept after they are ingested and before a query shows them.
const LAID_BYTES_MAX: usize = 32 * 1024 * 1024;

/// A query asks for the rows of at most this many calls, whether they show.
const ASKED_MAX: usize = 2_000;

/// The memory of a store, shared by the calls on it.
pub(crate) type Shared = Rc<RefCell<Memory>>;

/// What a store remembers.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    pub(crate) clock: Clock,
    threads: BTreeMap<String, Thread>,
    uses: u64,
    /// The rows that are acknowledged and not ingested.
    unsent: Vec<(Unsent, Batch)>,
    kept: Kept,
    takes: u64,
    /// The rows that are ingested and were not shown yet, the oldest first.
    sent: VecDeque<Batch>,
    /// Threads whose last put ended stale, though its rows are in the store.
    stale: BTreeSet<String>,
    /// When rows may be streamed again, in microseconds since 1970.
    pub(crate) inline_until: u64,
    warned: bool,
    warning: Option<String>,
    pub(crate) found: Found,
}

/// What is known of a thread.
#[derive(Clone, Debug, Default)]
pub(crate) struct Thread {
    /// The revision of the newest tombstone, 0 if there is none; `None` if it was not looked for.
    pub(crate) cut: Option<i64>,
    /// The oldest revision of any chunk seen or sent.
    since: i64,
    /// The hashes of chunks that are in the store.
    stored: BTreeSet<String>,
    used: u64,
}

/// The rows of one call. They are laid over the results of queries until a query has shown all of
/// them, so that an acknowledged call is always read, however late the store shows it.
#[derive(Debug)]
struct Batch {
    thread_id: String,
    rev: i64,
    /// The number of its rows.
    count: usize,
    /// The rows; empty if there was no room for them. Then the batch is a mark: its thread is not
    /// read before a query shows the rows.
    rows: Vec<Rc<LogRow>>,
}

/// The state of rows that are acknowledged and not ingested.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Unsent {
    /// They wait, since this time in microseconds since 1970.
    Waiting(u64),
    /// They are being ingested: the time since which they waited, and the number of the take.
    Underway(u64, u64),
}

/// Rows that were taken to be ingested, and the number of the take.
#[derive(Debug)]
pub(crate) struct Taken {
    pub(crate) rows: Vec<Rc<LogRow>>,
    take: u64,
}

impl Memory {
    /// What is known of a thread; `None` if nothing is, or a chunk of it may be older than
    /// `age_max` microseconds.
    pub(crate) fn thread(&mut self, thread_id: &str, now: u64, age_max: u64) -> Option<&Thread> {
        self.uses += 1;
        let uses = self.uses;
        let old = |thread: &Thread| now.saturating_sub(microseconds(thread.since)) > age_max;
        if self.threads.get(thread_id).is_some_and(old) {
            self.threads.remove(thread_id);
        }
        let thread = self.threads.get_mut(thread_id)?;
        thread.used = uses;
        Some(thread)
    }

    /// Notes chunks of a thread that are in the store. `since` is the oldest revision among them;
    /// `cut` is the thread's newest tombstone if it was looked for.
    pub(crate) fn learn(
        &mut self,
        thread_id: &str,
        cut: Option<i64>,
        since: i64,
        hashes: impl Iterator<Item = String>,
    ) {
        self.uses += 1;
        let uses = self.uses;
        if cut.is_some() && self.threads.get(thread_id).is_some_and(|thread| thread.differs(cut)) {
            self.threads.remove(thread_id);
        }
        let new = || Thread { since, ..Thread::default() };
        let thread = self.threads.entry(thread_id.to_owned()).or_insert_with(new);
        thread.cut = cut.or(thread.cut);
        thread.since = thread.since.min(since);
        thread.used = uses;
        thread.stored.extend(hashes);
        self.evict(thread_id);
    }

    /// Forgets a thread.
    pub(crate) fn forget(&mut self, thread_id: &str) {
        self.threads.remove(thread_id);
    }

    fn evict(&mut self, keep: &str) {
        let mut count: usize = self.threads.values().map(|thread| thread.stored.len() + 16).sum();
        while count > HASHES_MAX {
            let others = self.threads.iter().filter(|(id, _)| id.as_str() != keep);
            let Some((oldest, thread)) = others.min_by_key(|(_, thread)| thread.used) else {
                // One thread has more than all may have: its chunks are sent again.
                self.threads.remove(keep);
                return;
            };
            count -= thread.stored.len() + 16;
            let oldest = oldest.clone();
            self.threads.remove(&oldest);
        }
    }

    /// Lays the rows of a call over the results of queries: rows that wait since this time, or with
    /// `None` rows that are ingested.
    pub(crate) fn lay(&mut self, rows: Vec<LogRow>, waiting: Option<u64>) {
        let Some(first) = rows.first() else { return };
        let (thread_id, rev, count) = (first.thread_id.clone(), first.rev, rows.len());
        let waits = waiting.is_some();
        let rows = rows.into_iter().map(|row| Rc::new(LogRow { waits, ..row })).collect();
        let batch = Batch { thread_id, rev, count, rows };
        if let Some(since) = waiting {
            self.unsent.push((Unsent::Waiting(since), batch));
            return;
        }
        self.sent.push_back(batch);
        self.make_room();
    }

    /// The rows that are laid over the results of queries.
    pub(crate) fn laid(&self) -> Vec<Rc<LogRow>> {
        let unsent = self.unsent.iter().map(|(_, batch)| batch);
        self.sent.iter().chain(unsent).flat_map(|batch| batch.rows.iter().map(Rc::clone)).collect()
    }

    /// Drops the oldest rows if all take too much room, and keeps a mark for each thread: its
    /// newest mark also covers the older ones.
    fn make_room(&mut self) {
        let mut bytes: usize = self.sent.iter().map(Batch::bytes).sum();
        if bytes <= LAID_BYTES_MAX {
            return;
        }
        for batch in &mut self.sent {
            if bytes <= LAID_BYTES_MAX {
                break;
            }
            bytes -= batch.bytes();
            batch.rows = Vec::new();
        }
        let mut newest: BTreeMap<String, i64> = BTreeMap::new();
        for mark in self.sent.iter().filter(|batch| batch.is_mark()) {
            let rev = newest.entry(mark.thread_id.clone()).or_default();
            *rev = mark.rev.max(*rev);
        }
        self.sent.retain(|batch| {
            !batch.is_mark() || newest.get(&batch.thread_id).is_some_and(|rev| *rev == batch.rev)
        });
    }

    /// The oldest batches that are ingested and not shown yet, of one thread or of all: their
    /// threads and revisions.
    pub(crate) fn unshown(&self, thread_id: Option<&str>) -> (Vec<String>, Vec<i64>) {
        let is = |batch: &&Batch| thread_id.is_none_or(|thread_id| batch.thread_id == thread_id);
        let asked: Vec<_> = self.sent.iter().filter(is).take(ASKED_MAX).collect();
        let threads: BTreeSet<_> = asked.iter().map(|batch| batch.thread_id.clone()).collect();
        (threads.into_iter().collect(), asked.iter().map(|batch| batch.rev).collect())
    }

    /// The calls whose rows are ingested and not shown yet.
    pub(crate) fn calls_unshown(&self) -> Vec<UnshownCall> {
        let call = |batch: &Batch| UnshownCall {
            thread_id: batch.thread_id.clone(),
            rev: batch.rev,
            rows: u32::try_from(batch.count).unwrap_or(u32::MAX),
        };
        self.sent.iter().map(call).collect()
    }

    /// Notes calls that another instance made. Their threads are not read before a query shows
    /// these calls.
    pub(crate) fn await_shown(&mut self, calls: Vec<UnshownCall>) {
        let sent = self.sent.iter().chain(self.unsent.iter().map(|(_, batch)| batch));
        let own: BTreeSet<_> = sent.map(|batch| (batch.thread_id.clone(), batch.rev)).collect();
        for UnshownCall { thread_id, rev, rows } in calls {
            self.clock.observe(rev);
            if !own.contains(&(thread_id.clone(), rev)) {
                let count = usize::try_from(rows).unwrap_or(usize::MAX);
                self.sent.push_back(Batch { thread_id, rev, count, rows: Vec::new() });
            }
        }
    }

    /// Forgets rows sent before `since`: the table may have dropped them, and no query would ever
    /// show them.
    pub(crate) fn expire(&mut self, since: u64) {
        self.sent.retain(|batch| microseconds(batch.rev) >= since);
    }

    /// How many calls are not shown yet; 0 unless there are enough to be worth a query of their
    /// own.
    pub(crate) fn much_unshown(&self) -> usize {
        let bytes: usize = self.sent.iter().map(Batch::bytes).sum();
        let is_much = self.sent.len() > ASKED_MAX || bytes > LAID_BYTES_MAX / 2;
        if is_much { self.sent.len() } else { 0 }
    }

    /// Notes that a query has shown `count` rows of a call.
    pub(crate) fn shown(&mut self, thread_id: &str, rev: i64, count: i64) {
        let all = |batch: &Batch| usize::try_from(count).is_ok_and(|count| count >= batch.count);
        self.sent.retain(|batch| !(batch.rev == rev && batch.thread_id == thread_id && all(batch)));
    }

    /// Drops the rows of a checkpoint that a tombstone in the store hides.
    pub(crate) fn pruned(&mut self, place: &CheckpointKey, hidden: i64) {
        for batch in &mut self.sent {
            if batch.rev <= hidden && batch.thread_id == place.0 {
                batch.rows.retain(|row| row.kind == TOMBSTONE || row.place() != *place);
            }
        }
    }

    /// Drops rows that a tombstone in the store hides. Somebody may remove them, and then no query
    /// would ever show them.
    pub(crate) fn hidden(&mut self, thread_id: &str, cut: i64) {
        self.sent.retain(|batch| batch.thread_id != thread_id || batch.rev > cut);
    }

    /// The threads with a mark: this one if it has one, or all. They must not be read before a
    /// query shows their rows.
    pub(crate) fn marked(&self, thread_id: Option<&str>) -> Vec<String> {
        let is = |batch: &&Batch| {
            batch.is_mark() && thread_id.is_none_or(|thread_id| batch.thread_id == thread_id)
        };
        self.sent.iter().filter(is).map(|batch| batch.thread_id.clone()).collect()
    }

    /// The number of rows that wait, and the bytes of their data.
    pub(crate) fn waiting(&self) -> (usize, usize) {
        let waits = |(state, _): &&(Unsent, Batch)| matches!(state, Unsent::Waiting(_));
        let rows = self.unsent.iter().filter(waits).flat_map(|(_, batch)| batch.rows.iter());
        rows.fold((0, 0), |(rows, bytes), row| (rows + 1, bytes + row.data.len()))
    }

    /// How much is acknowledged and not ingested: what waits, and what is being ingested.
    pub(crate) fn unsent(&self) -> Waiting {
        let mut threads = BTreeSet::new();
        let (mut checkpoints, mut writes) = (0, 0);
        for (_, batch) in &self.unsent {
            threads.insert(&batch.thread_id);
            for row in batch.rows.iter().filter(|row| row.part == 0) {
                checkpoints += u32::from(row.kind == CHECKPOINT);
                writes += u32::from(row.kind == WRITE);
            }
        }
        Waiting { checkpoints, writes, threads: u32::try_from(threads.len()).unwrap_or(u32::MAX) }
    }

    /// The time since which the oldest waiting row waits, in microseconds since 1970.
    pub(crate) fn waiting_since(&self) -> Option<u64> {
        let since = |(state, _): &(Unsent, Batch)| match state {
            Unsent::Waiting(since) => Some(*since),
            Unsent::Underway(..) => None,
        };
        self.unsent.iter().filter_map(since).min()
    }

    /// Takes the rows that wait, to ingest them.
    pub(crate) fn take_waiting(&mut self) -> Taken {
        self.takes += 1;
        let take = self.takes;
        let mut rows = Vec::new();
        for (state, batch) in &mut self.unsent {
            if let Unsent::Waiting(since) = *state {
                *state = Unsent::Underway(since, take);
                rows.extend(batch.rows.iter().map(Rc::clone));
            }
        }
        Taken { rows, take }
    }

    /// Notes what became of taken rows: they are ingested, or wait again.
    pub(crate) fn settle(&mut self, taken: &Taken, ingested: bool) {
        for (state, batch) in std::mem::take(&mut self.unsent) {
            match state {
                Unsent::Underway(_, take) if take == taken.take && ingested => {
                    self.sent.push_back(batch.ingested());
                }
                Unsent::Underway(since, take) if take == taken.take => {
                    self.unsent.push((Unsent::Waiting(since), batch));
                }
                state => self.unsent.push((state, batch)),
            }
        }
        self.make_room();
        self.make_room_for_chunks();
    }

    /// Notes that a put ended stale after its rows were ingested. The same put follows with whole
    /// values; if it fails, something is stored all the same.
    pub(crate) fn note_stale(&mut self, thread_id: &str) {
        self.stale.insert(thread_id.to_owned());
    }

    /// Whether the thread's last put ended so. Clears the note.
    pub(crate) fn take_stale(&mut self, thread_id: &str) -> bool {
        self.stale.remove(thread_id)
    }

    /// Drops a thread's rows that are older than its tombstone: rows that wait, and rows that no
    /// query has shown yet. The tombstone itself is laid.
    pub(crate) fn drop_older(&mut self, thread_id: &str, tombstone: i64) {
        let is_older = |batch: &Batch| batch.thread_id == thread_id && batch.rev < tombstone;
        self.sent.retain(|batch| !is_older(batch));
        // Also rows that are being ingested: they must not be sent again after the tombstone.
        self.unsent.retain(|(_, batch)| !is_older(batch));
        self.let_go(thread_id);
    }

    /// Notes that rows are ingested inline until then, and sets a warning the first time.
    pub(crate) fn streaming_is_off(&mut self, until: u64) {
        self.inline_until = until;
        if !self.warned {
            self.warned = true;
            self.warning = Some(
                "the cluster or the table has streaming ingestion off: rows are ingested inline, \
                 which is slow and meant for trying out; enable streaming ingestion, as \
                 provision.kql shows"
                    .to_owned(),
            );
        }
    }

    /// Takes the warning for the caller, if there is one.
    pub(crate) fn take_warning(&mut self) -> Option<String> {
        self.warning.take()
    }
}

impl Batch {
    fn is_mark(&self) -> bool {
        self.rows.is_empty()
    }

    fn bytes(&self) -> usize {
        self.rows.iter().map(|row| row.data.len() + ROW_BYTES).sum()
    }
}

impl Thread {
    /// Whether a chunk is in the store.
    pub(crate) fn has(&self, hash: &str) -> bool {
        self.stored.contains(hash)
    }

    /// The revision up to which any deletion of the thread is known.
    pub(crate) fn deleted_by(&self) -> i64 {
        self.cut.unwrap_or(self.since)
    }

    /// Whether the newest tombstone `cut` shows that the thread was deleted after this was learned.
    pub(crate) fn differs(&self, cut: Option<i64>) -> bool {
        match (self.cut, cut) {
            (Some(known), Some(cut)) => known != cut,
            // The tombstone was never looked for. It hides nothing that was sent after it.
            (None, Some(cut)) => cut > self.since,
            (_, None) => false,
        }
    }
}

#[cfg(test)]
mod tests;
