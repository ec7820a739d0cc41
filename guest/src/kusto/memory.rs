//! What a store remembers between calls: its clock, what it knows of threads, and rows that may
//! not show yet.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::rc::Rc;

use super::clock::{Clock, microseconds};
use super::row::LogRow;

/// For how long a row that was ingested is still laid over what queries give, in microseconds.
/// The service shows rows at once, by its documents; this is a margin and no wait.
const GRACE: u64 = 10_000_000;

/// The most hashes remembered, of all threads together.
const HASHES_MAX: usize = 200_000;

/// The memory of a store, shared by the calls on it.
pub(crate) type Shared = Rc<RefCell<Memory>>;

/// What a store remembers.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    pub(crate) clock: Clock,
    threads: BTreeMap<String, Thread>,
    uses: u64,
    rows: VecDeque<Laid>,
    /// Threads whose last put ended stale, though its rows are in the store.
    stale: BTreeSet<String>,
    /// When rows may be streamed again, in microseconds since 1970.
    pub(crate) inline_until: u64,
    warned: bool,
    warning: Option<String>,
}

/// What is known of a thread.
#[derive(Clone, Debug, Default)]
pub(crate) struct Thread {
    /// The newest tombstone, where one was looked for: 0 for none.
    pub(crate) cut: Option<i64>,
    /// The oldest revision of any chunk seen or sent.
    since: i64,
    /// Chunks that are in the store.
    stored: BTreeSet<String>,
    used: u64,
}

/// A row laid over what queries give.
#[derive(Debug)]
struct Laid {
    row: Rc<LogRow>,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Acknowledged and not ingested: since when it waits.
    Waiting(u64),
    /// On its way: since when it waits.
    Underway(u64),
    /// Ingested: when.
    Ingested(u64),
}

impl Memory {
    /// What is known of a thread, as long as no chunk of it is older than `age_max`.
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

    /// Notes chunks of a thread that are in the store, the oldest of them of revision `since`,
    /// and the thread's cut where it was looked for.
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
                // One thread with as many: it is sent again as a whole one day.
                self.threads.remove(keep);
                return;
            };
            count -= thread.stored.len() + 16;
            let oldest = oldest.clone();
            self.threads.remove(&oldest);
        }
    }

    /// Lays rows over what queries give: rows that wait, or that were ingested.
    pub(crate) fn lay(&mut self, rows: Vec<LogRow>, now: u64, waiting: bool) {
        let state = if waiting { State::Waiting(now) } else { State::Ingested(now) };
        self.rows.extend(rows.into_iter().map(|row| Laid { row: Rc::new(row), state }));
    }

    /// The rows laid over what queries give; those that show by now are dropped.
    pub(crate) fn laid(&mut self, now: u64) -> Vec<Rc<LogRow>> {
        self.rows.retain(
            |laid| !matches!(laid.state, State::Ingested(at) if at.saturating_add(GRACE) < now),
        );
        self.rows.iter().map(|laid| Rc::clone(&laid.row)).collect()
    }

    /// How many rows wait, and how many bytes their data has.
    pub(crate) fn waiting(&self) -> (usize, usize) {
        let waiting = self.rows.iter().filter(|laid| matches!(laid.state, State::Waiting(_)));
        waiting.fold((0, 0), |(rows, bytes), laid| (rows + 1, bytes + laid.row.data.len()))
    }

    /// Since when the first of them waits.
    pub(crate) fn waiting_since(&self) -> Option<u64> {
        let since = |laid: &Laid| match laid.state {
            State::Waiting(since) => Some(since),
            State::Underway(_) | State::Ingested(_) => None,
        };
        self.rows.iter().filter_map(since).min()
    }

    /// Takes the rows that wait, to ingest them.
    pub(crate) fn take_waiting(&mut self) -> Vec<Rc<LogRow>> {
        let mut taken = Vec::new();
        for laid in &mut self.rows {
            if let State::Waiting(since) = laid.state {
                laid.state = State::Underway(since);
                taken.push(Rc::clone(&laid.row));
            }
        }
        taken
    }

    /// What became of rows that were taken.
    pub(crate) fn settle(&mut self, taken: &[Rc<LogRow>], ingested: Option<u64>) {
        for laid in &mut self.rows {
            let State::Underway(since) = laid.state else { continue };
            if taken.iter().any(|row| Rc::ptr_eq(row, &laid.row)) {
                laid.state = ingested.map_or(State::Waiting(since), State::Ingested);
            }
        }
    }

    /// Notes that a put ended stale after its rows were ingested: the same put, whole, follows, and
    /// where that fails something is stored all the same.
    pub(crate) fn note_stale(&mut self, thread_id: &str) {
        self.stale.insert(thread_id.to_owned());
    }

    /// Whether the thread's last put ended so.
    pub(crate) fn take_stale(&mut self, thread_id: &str) -> bool {
        self.stale.remove(thread_id)
    }

    /// Drops the rows of a thread that wait and are older than its tombstone.
    pub(crate) fn drop_waiting(&mut self, thread_id: &str, tombstone: i64) {
        let waits = |laid: &Laid| matches!(laid.state, State::Waiting(_));
        let is_hidden = |row: &LogRow| row.thread_id == thread_id && row.rev < tombstone;
        self.rows.retain(|laid| !(waits(laid) && is_hidden(&laid.row)));
    }

    /// Notes that rows go inline until then, and warns of it once.
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

    /// What the caller should be warned of, once.
    pub(crate) fn take_warning(&mut self) -> Option<String> {
        self.warning.take()
    }
}

impl Thread {
    /// Whether a chunk is in the store.
    pub(crate) fn has(&self, hash: &str) -> bool {
        self.stored.contains(hash)
    }

    /// Whether the thread was deleted since what is known of it was learned.
    pub(crate) fn differs(&self, cut: Option<i64>) -> bool {
        match (self.cut, cut) {
            (Some(known), Some(cut)) => known != cut,
            // Never looked for: what was sent after it is not hidden by it.
            (None, Some(cut)) => cut > self.since,
            (_, None) => false,
        }
    }
}
