//! One call on the log: turns what a method asks into requests, and the responses into answers.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use super::clock::microseconds;
use super::copying::Copying;
use super::failure::{self, Class, Failure};
use super::frames::Table;
use super::ingest::{Broken, ingest};
use super::memory::Shared;
use super::query::{self, Query};
use super::resolve::{CheckpointKey, Seen, encoding};
use super::row::{CHECKPOINT, CHUNK, LogRow, hash_text};
use super::send::Sender;
use crate::contract::error::Error;
use crate::contract::outcome::Outcome;
use crate::contract::statement::{RowSet, Value};
use crate::format::values::hash::Hash;
use crate::operations::ask::{Ask, LOOKED_AT, Step};
use crate::operations::method::Method;

/// The first pause of a read that waits for rows, in milliseconds.
const VISIBILITY_PAUSE_MS: u32 = 100;
/// The longest such pause.
const VISIBILITY_PAUSE_MS_MAX: u32 = 5_000;

/// In microseconds. If a thread has rows younger than this, its missing rows count as late; if all
/// are older, they count as gone.
const LATE_MAX: u64 = 10 * 60 * 1_000_000;

/// The most chunks asked for at once. At 16 KiB each they fill a quarter of what a result may hold.
const CHUNKS_MAX: usize = 1000;

/// A call under way.
#[derive(Debug)]
pub(super) struct Call {
    pub(super) sender: Sender,
    pub(super) shared: Shared,
    /// The threads of this call. A thread's key is its position here.
    threads: Vec<String>,
    /// The newest tombstone of each thread at the time its rows were read.
    cuts: BTreeMap<String, i64>,
    /// Chunks at hand, by thread and hash.
    chunks: BTreeMap<(String, String), Vec<u8>>,
    /// Whether chunks stay at hand after the ask that they were read for.
    keeps_chunks: bool,
    /// Whether this call has already waited for missing chunks.
    waited: bool,
    /// The copy that this call makes.
    pub(super) copying: Option<Copying>,
    /// The newest revision read of each thread.
    newest: BTreeMap<String, i64>,
    /// The checkpoints of laid rows that were pruned elsewhere, and up to which revision.
    pruned: RefCell<BTreeMap<CheckpointKey, i64>>,
    /// Whether rows of this call may be in the store.
    pub(super) sent: Cell<bool>,
}

/// Runs a method to its end.
pub(super) async fn run(
    sender: Sender,
    shared: Shared,
    thread_id: Option<String>,
    method: Method,
    step: Step,
) -> Result<Outcome, Error> {
    go_on(Call::new(sender, shared, thread_id), method, step).await
}

/// Runs the rest of a method.
pub(super) async fn go_on(
    mut call: Call,
    mut method: Method,
    mut step: Step,
) -> Result<Outcome, Error> {
    loop {
        let asks = match step {
            Step::Done(outcome) => return Ok(outcome),
            Step::Ask(asks) => asks,
        };
        let mut sets = Vec::with_capacity(asks.len());
        for ask in asks {
            sets.push(RowSet { rows: call.answer(ask).await? });
        }
        step = method.advance(&sets).map_err(|error| call.after(error))?;
    }
}

/// The rows of a row set.
pub(super) type Rows = Vec<Vec<Value>>;

impl Call {
    /// A call; on this thread if it is about one thread.
    pub(super) fn new(sender: Sender, shared: Shared, thread_id: Option<String>) -> Self {
        let threads = thread_id.into_iter().collect();
        let (cuts, chunks, newest) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        let sent = Cell::new(false);
        Self {
            sender,
            shared,
            threads,
            cuts,
            chunks,
            keeps_chunks: true,
            waited: false,
            copying: None,
            newest,
            pruned: RefCell::default(),
            sent,
        }
    }

    pub(super) async fn answer(&mut self, ask: Ask) -> Result<Rows, Error> {
        let answered = self.try_answer(ask).await;
        answered.map_err(|error| self.after(error))
    }

    async fn try_answer(&mut self, ask: Ask) -> Result<Rows, Error> {
        match &ask {
            Ask::Page(page) => self.until_shown(page.thread_id.as_deref()).await?,
            Ask::Channels { thread_id, .. } | Ask::Ancestors { thread_id, .. } => {
                self.until_shown(Some(thread_id)).await?;
            }
            // Reads of these kinds follow a page. Writes need no such wait.
            _ => {}
        }
        match ask {
            Ask::Page(page) => self.page(page).await,
            Ask::Writes { channel, checkpoints } => self.sends(channel, checkpoints).await,
            Ask::Chunks { thread_key, hashes, .. } => self.gather(thread_key, &hashes).await,
            Ask::Threads { keys } => self.threads_there(keys).await,
            Ask::Channels { thread_id, checkpoint_ns, channels } => {
                self.channels(&thread_id, &checkpoint_ns, channels).await
            }
            Ask::Ancestors { thread_id, checkpoint_ns, checkpoint_id, channels } => {
                let channels = channels.into_iter().map(|(channel, _)| channel).collect();
                self.ancestors(&thread_id, &checkpoint_ns, checkpoint_id, channels).await
            }
            Ask::Put(checkpoint) => self.put(checkpoint).await,
            Ask::PutWrites(writes) => self.put_writes(writes).await,
            Ask::DeleteThread { thread_id } => self.delete_thread(&thread_id).await,
            ask => self.about_threads(ask).await,
        }
    }

    /// Answers what only calls about whole threads ask. Each ask has the time of a call.
    async fn about_threads(&mut self, ask: Ask) -> Result<Rows, Error> {
        self.sender.begin();
        // A thread's chunks may be more than fit in memory, and each is asked for once.
        self.chunks.clear();
        self.keeps_chunks = false;
        match ask {
            Ask::Outline { thread_id, runs, before, count } => {
                self.outline(&thread_id, &runs, before, count).await
            }
            Ask::Checkpoints { thread_key, places } => self.checkpoints(thread_key, places).await,
            Ask::Records { thread_key, after, count } => {
                self.records(thread_key, after, count).await
            }
            Ask::RemoveRecords { thread_key, of, places } => {
                self.remove_records(thread_key, &of, places).await
            }
            Ask::RemoveThread { thread_key, of } => self.remove_thread(thread_key, &of).await,
            // What is hidden stays until the table's retention.
            Ask::SweepDeleted => Ok(Rows::new()),
            Ask::BeginCopy { source, target } => self.begin_copy(&source, &target).await,
            Ask::State { thread_key } => self.state(thread_key).await,
            Ask::CopyRecords { to, records, .. } => self.copy_records(to, records),
            Ask::CopyChunks { from, to, hashes } => self.copy_chunks(from, to, hashes).await,
            Ask::EndCopy { from, generation, to, records, .. } => {
                self.end_copy((from, generation, to), records).await
            }
            Ask::FindThread { after: (_, after), thread_id, idle, runs } => {
                self.find_thread(after, thread_id, idle, runs).await
            }
            Ask::ListThreads { idle_since, id_prefix, filter, after, count } => {
                self.list_threads(idle_since, id_prefix, filter, after, count).await
            }
            Ask::Totals { thread_id } => self.totals(thread_id).await,
            Ask::LeaseSweep { .. } => Err(Error::invalid(
                "unsupported-call",
                "a store of Kusto has no leases; let one process alone call expire",
            )),
            Ask::CheckFile { .. } | Ask::CheckIndexes => Ok(Rows::new()),
            Ask::Pages | Ask::GiveBackPages { .. } => {
                Err(Error::invalid("unsupported-call", "only files of SQLite can be vacuumed"))
            }
            // The other asks are answered above. A prune without a generation sweeps no chunks.
            _ => Err(Error::protocol(
                "unexpected-need",
                "a call asked a store of Kusto to remove chunks, which is a defect; please report \
                 it",
            )),
        }
    }

    /// Notes that rows of this call may be in the store.
    pub(super) fn has_sent(&self) {
        self.sent.set(true);
    }

    /// An error of this call. After rows were sent, it says that something may be stored.
    pub(super) fn after(&self, error: Error) -> Error {
        if self.sent.get() { error.after_sending() } else { error }
    }

    /// The key of a thread in this call.
    pub(super) fn key(&mut self, thread_id: &str) -> i64 {
        let position = self.threads.iter().position(|known| known == thread_id);
        let position = position.unwrap_or_else(|| {
            self.threads.push(thread_id.to_owned());
            self.threads.len() - 1
        });
        position as i64
    }

    /// The thread with this key. Fails with `foreign-known` if there is none.
    pub(super) fn thread_of(&self, key: i64) -> Result<String, Error> {
        let position = usize::try_from(key).ok();
        position.and_then(|position| self.threads.get(position)).cloned().ok_or_else(|| {
            Error::protocol("foreign-known", "the known of a call is another store's; pass none")
        })
    }

    /// Runs a query and returns its tables. `doing` says in words what the call is doing, for
    /// errors. The query also asks which of the sent rows show by now.
    pub(super) async fn query(
        &self,
        doing: &str,
        query: Query,
        thread_id: Option<&str>,
    ) -> Result<Vec<Table>, Error> {
        let tables = self.look(query, thread_id).await?;
        tables.map_err(|failure| failure.error(doing, self.sent.get()))
    }

    /// Like `query`, but returns `None` if the result is too large.
    pub(super) async fn try_query(
        &self,
        doing: &str,
        query: Query,
        thread_id: Option<&str>,
    ) -> Result<Option<Vec<Table>>, Error> {
        match self.look(query, thread_id).await? {
            Ok(tables) => Ok(Some(tables)),
            Err(Failure { class: Class::ResultTooLarge, .. }) => Ok(None),
            Err(failure) => Err(failure.error(doing, self.sent.get())),
        }
    }

    /// Sends a query that reads one thread, or all, and notes which of the sent rows it shows. Take
    /// the laid rows before this call: not every part of a query sees the same moment.
    pub(super) async fn look(
        &self,
        query: Query,
        thread_id: Option<&str>,
    ) -> Result<Result<Vec<Table>, Failure>, Error> {
        let (threads, revs) = self.shared.borrow().unshown(thread_id);
        if revs.is_empty() {
            return self.sender.query(&query).await;
        }
        let query = query.and_shown(&self.sender.options.table, threads, revs);
        let ended = self.sender.query(&query).await?;
        let Ok(mut tables) = ended else { return Ok(ended) };
        let mut memory = self.shared.borrow_mut();
        for record in tables.pop().iter().flat_map(Table::records) {
            let text = |column| record.text(column).map(str::to_owned);
            let place = (text("thread_id")?, text("checkpoint_ns")?, text("checkpoint_id")?);
            let hidden = record.integer("hidden")?;
            memory.pruned(&place, hidden);
            self.pruned.borrow_mut().insert(place, hidden);
        }
        for record in tables.pop().iter().flat_map(Table::records) {
            let (rev, rows) = (record.integer("rev")?, record.integer("rows")?);
            memory.shown(record.text("thread_id")?, rev, rows);
        }
        Ok(Ok(tables))
    }

    /// Waits until the store shows the sent rows of which only a mark is kept.
    async fn until_shown(&self, thread_id: Option<&str>) -> Result<(), Error> {
        let mut patience = Patience::of(&self.sender);
        let since = self.sender.options.dropped_before(self.sender.io.now());
        self.shared.borrow_mut().expire(since);
        loop {
            if thread_id.is_none() {
                self.look_for_marked().await?;
            }
            let marked = self.shared.borrow().marked(thread_id);
            let Some(first) = marked.first() else { return Ok(()) };
            // This query also shows a deletion, after which no row needs to show.
            let query = query::cut(&self.sender.options.table, first);
            self.cut_of("waiting for what was stored", first, query).await?;
            if self.shared.borrow().marked(Some(first)).is_empty() {
                continue;
            }
            if !patience.wait(&self.sender).await? {
                return Err(failure::stale(&format!("what was stored in thread {first}")));
            }
        }
    }

    /// Asks for all sent rows in one query, as long as each such query shows more of them. One by
    /// one they would take a query for each thread.
    async fn look_for_marked(&self) -> Result<(), Error> {
        let mut before = usize::MAX;
        loop {
            let marked = self.shared.borrow().marked(None).len();
            if marked < 2 || marked >= before {
                return Ok(());
            }
            before = marked;
            let tables = self.look(Query::empty(), None).await?;
            tables.map_err(|failure| failure.error("waiting for what was stored", false))?;
        }
    }

    /// Fails with `store-stale` if missing rows of a thread may be late. Succeeds if the thread has
    /// had no new rows for long: then they are gone, and the caller reports that.
    pub(super) fn lacks(&self, thread_id: &str, what: &str) -> Result<(), Error> {
        let newest = self.newest.get(thread_id).copied().unwrap_or_default();
        if self.is_young(newest) { Err(failure::stale(what)) } else { Ok(()) }
    }

    /// Whether rows stored before this revision may still be late.
    pub(super) fn is_young(&self, rev: i64) -> bool {
        microseconds(rev).saturating_add(LATE_MAX) >= self.sender.io.now()
    }

    /// Notes the newest revision that was read of a thread.
    pub(super) fn note_newest(&mut self, thread_id: &str, rev: i64) {
        let newest = self.newest.entry(thread_id.to_owned()).or_default();
        *newest = rev.max(*newest);
    }

    /// Ingests rows, and lays them over the results of later queries. `before` says whether a part
    /// of the call is stored already.
    pub(super) async fn ingest(
        &self,
        doing: &str,
        rows: Vec<LogRow>,
        before: bool,
    ) -> Result<(), Error> {
        match ingest(&self.sender, &self.shared, &rows).await {
            Ok(Ok(())) => {
                self.has_sent();
                self.shared.borrow_mut().lay(rows, None);
                Ok(())
            }
            Ok(Err(Broken { failure, partly })) => {
                Err(failure.error(doing, before || partly || self.sent.get()))
            }
            Err(error) => Err(error.after_sending()),
        }
    }

    /// Keeps the chunks in a query's table, and notes that they are stored.
    pub(super) fn keep(&mut self, table: &Table) -> Result<(), Error> {
        let mut learned: BTreeMap<String, (i64, Vec<String>)> = BTreeMap::new();
        for record in table.records() {
            let (thread_id, hash) = (record.text("thread_id")?, record.text("hash")?);
            let encoding = encoding(record)?;
            let Some(data) = encoding.decode(record.text("data")?) else { continue };
            let rev = record.integer("rev")?;
            let (since, hashes) =
                learned.entry(thread_id.to_owned()).or_insert_with(|| (rev, Vec::new()));
            *since = rev.min(*since);
            hashes.push(hash.to_owned());
            self.chunks.insert((thread_id.to_owned(), hash.to_owned()), data);
        }
        let mut memory = self.shared.borrow_mut();
        for (thread_id, (since, hashes)) in learned {
            memory.clock.observe(since);
            memory.learn(&thread_id, None, since, hashes.into_iter());
        }
        Ok(())
    }

    /// Answers `Ask::Chunks`: with chunks at hand, laid chunks, and chunks of the store. Waits once
    /// for missing chunks.
    pub(super) async fn gather(&mut self, thread_key: i64, hashes: &[Hash]) -> Result<Rows, Error> {
        let thread_id = self.thread_of(thread_key)?;
        let texts: Vec<String> = hashes.iter().map(hash_text).collect();
        let laid = self.laid();
        for row in laid.iter().filter(|row| row.kind == CHUNK && row.thread_id == thread_id) {
            if let Some(data) = row.bytes() {
                self.chunks.insert((thread_id.clone(), row.hash.clone()), data);
            }
        }
        let mut patience = Patience::of(&self.sender);
        loop {
            self.fetch(&thread_id, self.lacking(&thread_id, &texts)).await?;
            if self.lacking(&thread_id, &texts).is_empty() {
                break;
            }
            if self.waited || !patience.wait(&self.sender).await? {
                self.waited = true;
                self.lacks(&thread_id, &format!("parts of values of thread {thread_id}"))?;
                break;
            }
        }
        let row = |(position, hash): (usize, String)| {
            let data = self.chunks.get(&(thread_id.clone(), hash))?;
            Some(vec![Value::Integer(position as i64), Value::Blob(data.clone())])
        };
        let rows = texts.into_iter().enumerate().filter_map(row).collect();
        if !self.keeps_chunks {
            self.chunks.clear();
        }
        Ok(rows)
    }

    /// The hashes whose chunks are not at hand.
    fn lacking(&self, thread_id: &str, hashes: &[String]) -> Vec<String> {
        let lacks =
            |hash: &&String| !self.chunks.contains_key(&(thread_id.to_owned(), (*hash).clone()));
        hashes.iter().filter(lacks).cloned().collect()
    }

    async fn fetch(&mut self, thread_id: &str, hashes: Vec<String>) -> Result<(), Error> {
        let table = self.sender.options.table.clone();
        let mut groups: Vec<Vec<String>> =
            hashes.chunks(CHUNKS_MAX).map(<[String]>::to_vec).collect();
        while let Some(group) = groups.pop() {
            let query = query::chunks(&table, thread_id, group.clone());
            match self.try_query("reading chunks", query, Some(thread_id)).await? {
                Some(tables) => tables.iter().try_for_each(|table| self.keep(table))?,
                None if group.len() > 1 => {
                    let (left, right) = group.split_at(group.len() / 2);
                    groups.extend([left.to_vec(), right.to_vec()]);
                }
                None => {
                    return Err(Error::corrupt(
                        "oversized-chunk",
                        "a chunk is larger than a result may be; restore the table",
                    ));
                }
            }
        }
        Ok(())
    }

    /// Answers `Ask::Channels`.
    async fn channels(
        &mut self,
        thread_id: &str,
        checkpoint_ns: &str,
        names: Vec<String>,
    ) -> Result<Rows, Error> {
        let mut looked_at: BTreeSet<String> = BTreeSet::new();
        let mut found: BTreeSet<String> = BTreeSet::new();
        for row in self.laid_checkpoints(thread_id, checkpoint_ns) {
            looked_at.insert(row.checkpoint_id.clone());
            found.extend(row.channels.iter().cloned());
        }
        if !names.iter().all(|name| found.contains(name)) {
            let count = LOOKED_AT as i64 + 1;
            let table = &self.sender.options.table;
            let query = query::channels(table, thread_id, checkpoint_ns, count);
            for table in self.query("looking for channels", query, Some(thread_id)).await? {
                for record in table.records() {
                    looked_at.insert(record.text("checkpoint_id")?.to_owned());
                    found.extend(record.texts("channels")?);
                }
            }
        }
        let all = looked_at.len() > LOOKED_AT;
        let is = |name: &String| all || found.contains(name);
        Ok(names.into_iter().filter(is).map(|name| vec![Value::Text(name)]).collect())
    }

    /// Notes a thread's newest tombstone at the time its rows are read.
    pub(super) fn note_cut(&mut self, thread_id: &str, cut: i64) {
        self.cuts.insert(thread_id.to_owned(), cut);
    }

    /// Answers `Ask::Threads`: the threads that have no newer tombstone than when they were read.
    async fn threads_there(&mut self, keys: Vec<i64>) -> Result<Rows, Error> {
        let mut there = Vec::new();
        for key in keys {
            let thread_id = self.thread_of(key)?;
            let query = query::cut(&self.sender.options.table, &thread_id);
            let cut = self.cut_of("looking for a thread", &thread_id, query).await?;
            let read = self.cuts.get(&thread_id).copied().unwrap_or(cut);
            if cut <= read {
                there.push(vec![Value::Integer(key), Value::Integer(read)]);
            }
        }
        Ok(there)
    }

    /// Lays rows over what queries have shown, without those that were pruned elsewhere.
    pub(super) fn lay_over(&self, seen: &mut Seen, laid: Vec<Rc<LogRow>>) {
        for (place, hidden) in self.pruned.borrow().iter() {
            seen.hide(place.clone(), *hidden);
        }
        seen.lay(laid.into_iter());
    }

    /// Whether a laid row was pruned elsewhere.
    pub(super) fn is_pruned(&self, row: &LogRow) -> bool {
        let pruned = self.pruned.borrow();
        !row.waits && pruned.get(&row.place()).is_some_and(|hidden| row.rev <= *hidden)
    }

    /// The laid rows: those that queries may not show yet.
    pub(super) fn laid(&self) -> Vec<Rc<LogRow>> {
        self.shared.borrow().laid()
    }

    /// The laid rows of a namespace's checkpoints that no laid tombstone hides.
    fn laid_checkpoints(&self, thread_id: &str, checkpoint_ns: &str) -> Vec<Rc<LogRow>> {
        let laid = self.laid();
        let cut = newest_tombstone(&laid, thread_id);
        let is = |row: &&Rc<LogRow>| {
            row.kind == CHECKPOINT
                && row.thread_id == thread_id
                && row.checkpoint_ns == checkpoint_ns
                && (row.waits || row.rev > cut)
        };
        laid.iter().filter(is).cloned().collect()
    }
}

/// The revision of the newest tombstone of a whole thread among rows; 0 if there is none.
pub(super) fn newest_tombstone(rows: &[Rc<LogRow>], thread_id: &str) -> i64 {
    let of_thread = rows.iter().filter(|row| row.hides_a_thread() && row.thread_id == thread_id);
    of_thread.map(|row| row.rev).max().unwrap_or_default()
}

/// Ingests the rows that wait in a store.
pub(super) async fn flush(sender: Sender, shared: Shared) -> Result<(), Error> {
    Call::new(sender, shared, None).flush("ingesting rows that waited").await
}

/// How long a read waits for rows that do not show yet: at most the visibility timeout, and at most
/// three quarters of the time left, so that it can look again.
pub(super) struct Patience {
    until: u64,
    pause: u32,
}

impl Patience {
    pub(super) fn of(sender: &Sender) -> Self {
        let now = sender.io.now();
        let most = sender.deadline.saturating_sub(now) / 4 * 3;
        let until = now.saturating_add(sender.options.visibility_timeout.min(most));
        Self { until, pause: VISIBILITY_PAUSE_MS }
    }

    /// Waits, longer each time. Returns false if there is no time left.
    pub(super) async fn wait(&mut self, sender: &Sender) -> Result<bool, Error> {
        let left = self.until.saturating_sub(sender.io.now()) / 1000;
        if left == 0 {
            return Ok(false);
        }
        let pause = self.pause.min(u32::try_from(left).unwrap_or(u32::MAX));
        sender.io.wait(pause).await?;
        self.pause = self.pause.saturating_mul(2).min(VISIBILITY_PAUSE_MS_MAX);
        Ok(true)
    }
}

#[cfg(test)]
mod tests;
