//! One call on the log: what a method asks, turned into requests, and answered.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use super::failure::{Class, Failure};
use super::frames::Table;
use super::ingest::{Broken, ingest};
use super::memory::Shared;
use super::query::{self, Query};
use super::resolve::encoding;
use super::row::{CHECKPOINT, CHUNK, LogRow, TOMBSTONE, hash_text};
use super::send::Sender;
use crate::ask::{Ask, LOOKED_AT, Step};
use crate::error::Error;
use crate::operation::method::Method;
use crate::outcome::Outcome;
use crate::statement::{RowSet, Value};
use crate::value::hash::Hash;

/// The first pause of a read for rows that do not show yet, in milliseconds.
pub(super) const VISIBILITY_PAUSE_MS: u32 = 100;
/// The longest one.
pub(super) const VISIBILITY_PAUSE_MS_MAX: u32 = 5_000;

/// The most chunks asked for at once: at 16 KiB each, a fifth of what a result may hold.
const CHUNKS_MAX: usize = 1000;

/// A call under way.
#[derive(Debug)]
pub(super) struct Call {
    pub(super) sender: Sender,
    pub(super) shared: Shared,
    /// The threads that rows were about; a thread's key is its place.
    threads: Vec<String>,
    /// The newest tombstone of each thread that was read, when that was.
    cuts: BTreeMap<String, i64>,
    /// Chunks that came unasked, by thread and hash.
    chunks: BTreeMap<(String, String), Vec<u8>>,
    /// Whether chunks that do not show were waited for.
    waited: bool,
}

/// Runs a method to its end.
pub(super) async fn run(
    sender: Sender,
    shared: Shared,
    thread_id: Option<String>,
    mut method: Method,
    mut step: Step,
) -> Result<Outcome, Error> {
    let threads = thread_id.into_iter().collect();
    let (cuts, chunks) = (BTreeMap::new(), BTreeMap::new());
    let mut call = Call { sender, shared, threads, cuts, chunks, waited: false };
    loop {
        let asks = match step {
            Step::Done(outcome) => return Ok(outcome),
            Step::Ask(asks) => asks,
        };
        let mut sets = Vec::with_capacity(asks.len());
        for ask in asks {
            sets.push(RowSet { rows: call.answer(ask).await? });
        }
        step = method.advance(&sets)?;
    }
}

/// The rows of a row set.
pub(super) type Rows = Vec<Vec<Value>>;

impl Call {
    async fn answer(&mut self, ask: Ask) -> Result<Rows, Error> {
        match ask {
            Ask::Page(page) => self.page(page).await,
            Ask::Writes { channel, checkpoints } => self.sends(channel, checkpoints).await,
            Ask::Chunks { thread_key, hashes } => self.gather(thread_key, &hashes).await,
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
        }
    }

    /// The key of a thread in this call.
    pub(super) fn key(&mut self, thread_id: &str) -> i64 {
        let place = self.threads.iter().position(|known| known == thread_id);
        let place = place.unwrap_or_else(|| {
            self.threads.push(thread_id.to_owned());
            self.threads.len() - 1
        });
        place as i64
    }

    /// The thread of a key.
    pub(super) fn thread_of(&self, key: i64) -> Result<String, Error> {
        let place = usize::try_from(key).ok();
        place.and_then(|place| self.threads.get(place)).cloned().ok_or_else(|| {
            Error::protocol("foreign-known", "the known of a call is of another store; pass none")
        })
    }

    /// The tables of a query; `doing` says what failed where it does.
    pub(super) async fn query(&self, doing: &str, query: &Query) -> Result<Vec<Table>, Error> {
        let tables = self.sender.query(query).await?;
        tables.map_err(|failure| failure.error(doing, false))
    }

    /// As `query`; nothing where the result is too large.
    pub(super) async fn try_query(
        &self,
        doing: &str,
        query: &Query,
    ) -> Result<Option<Vec<Table>>, Error> {
        match self.sender.query(query).await? {
            Ok(tables) => Ok(Some(tables)),
            Err(Failure { class: Class::ResultTooLarge, .. }) => Ok(None),
            Err(failure) => Err(failure.error(doing, false)),
        }
    }

    /// Ingests rows, and lays them over what queries give.
    pub(super) async fn ingest(
        &self,
        doing: &str,
        rows: Vec<LogRow>,
        before: bool,
    ) -> Result<(), Error> {
        match ingest(&self.sender, &self.shared, &rows).await? {
            Ok(()) => {
                self.shared.borrow_mut().lay(rows, self.sender.io.now(), false);
                Ok(())
            }
            Err(Broken { failure, partly }) => Err(failure.error(doing, before || partly)),
        }
    }

    /// Keeps the chunks of a query's table, and notes that they are stored.
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

    /// The chunks with these hashes: those at hand, those laid, and those the store has. Chunks
    /// that do not show are waited for, once.
    async fn gather(&mut self, thread_key: i64, hashes: &[Hash]) -> Result<Rows, Error> {
        let thread_id = self.thread_of(thread_key)?;
        let texts: Vec<String> = hashes.iter().map(hash_text).collect();
        let laid = self.laid();
        for row in laid.iter().filter(|row| row.kind == CHUNK && row.thread_id == thread_id) {
            if let Some(data) = row.bytes() {
                self.chunks.insert((thread_id.clone(), row.hash.clone()), data);
            }
        }
        let begin = self.sender.io.now();
        let mut pause = VISIBILITY_PAUSE_MS;
        loop {
            self.fetch(&thread_id, self.lacking(&thread_id, &texts)).await?;
            let waits = self.sender.options.visibility_timeout;
            let late = self.sender.io.now().saturating_sub(begin) >= waits;
            if self.lacking(&thread_id, &texts).is_empty() || late || self.waited {
                break;
            }
            self.sender.io.wait(pause).await?;
            pause = pause.saturating_mul(2).min(VISIBILITY_PAUSE_MS_MAX);
        }
        if !self.lacking(&thread_id, &texts).is_empty() {
            self.waited = true;
        }
        let row = |(place, hash): (usize, String)| {
            let data = self.chunks.get(&(thread_id.clone(), hash))?;
            Some(vec![Value::Integer(place as i64), Value::Blob(data.clone())])
        };
        Ok(texts.into_iter().enumerate().filter_map(row).collect())
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
            match self.try_query("reading chunks", &query).await? {
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

    /// Those of the channels that have a stored value; all of them where there are more checkpoints
    /// than are looked at.
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
            for table in self.query("looking for channels", &query).await? {
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

    /// Notes the newest tombstone of a thread whose rows are read.
    pub(super) fn note_cut(&mut self, thread_id: &str, cut: i64) {
        self.cuts.insert(thread_id.to_owned(), cut);
    }

    /// The keys of the threads that have no newer tombstone than when they were read.
    async fn threads_there(&mut self, keys: Vec<i64>) -> Result<Rows, Error> {
        let mut there = Vec::new();
        for key in keys {
            let thread_id = self.thread_of(key)?;
            let query = query::cut(&self.sender.options.table, &thread_id);
            let cut = self.cut_of("looking for a thread", &thread_id, &query, false).await?;
            if self.cuts.get(&thread_id).is_none_or(|read| cut <= *read) {
                there.push(vec![Value::Integer(key)]);
            }
        }
        Ok(there)
    }

    /// The rows that may not show yet.
    pub(super) fn laid(&self) -> Vec<Rc<LogRow>> {
        self.shared.borrow_mut().laid(self.sender.io.now())
    }

    /// The rows of checkpoints in a namespace that may not show yet and are not hidden.
    fn laid_checkpoints(&self, thread_id: &str, checkpoint_ns: &str) -> Vec<Rc<LogRow>> {
        let laid = self.laid();
        let cut = newest_tombstone(&laid, thread_id);
        let is = |row: &&Rc<LogRow>| {
            row.kind == CHECKPOINT
                && row.thread_id == thread_id
                && row.checkpoint_ns == checkpoint_ns
                && row.rev > cut
        };
        laid.iter().filter(is).cloned().collect()
    }
}

/// The newest tombstone of a thread among rows, 0 for none.
pub(super) fn newest_tombstone(rows: &[Rc<LogRow>], thread_id: &str) -> i64 {
    let of_thread = rows.iter().filter(|row| row.kind == TOMBSTONE && row.thread_id == thread_id);
    of_thread.map(|row| row.rev).max().unwrap_or_default()
}

/// Ingests what waits in a store.
pub(super) async fn flush(sender: Sender, shared: Shared) -> Result<(), Error> {
    let (threads, cuts, chunks) = (Vec::new(), BTreeMap::new(), BTreeMap::new());
    let mut call = Call { sender, shared, threads, cuts, chunks, waited: false };
    call.flush("ingesting rows that waited").await
}
