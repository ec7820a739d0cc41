//! `list`, and `getTuple`: a tuple is a page of one.
//!
//! 1. Read the checkpoints and their writes, in one state of the store.
//! 2. Only for checkpoints with `v` under 4: read their parents' sends.
//! 3. Read the chunks, level by level. Checkpoints that would make the page too large are left to
//!    the next one. The envelopes say how large a page is, except what is below long spines; that
//!    is known after the first level.
//!
//! Each round reads its own state of the store, so a thread may be deleted or pruned after the
//! first. If chunks of a thread are missing, the store is asked whether the thread still exists and
//! has the generation it had; the same is asked with the sends. A deleted thread's key is never
//! given again. So tuples of a deleted thread are left out of the page, and a `getTuple` starts
//! over. Both start over if something was removed from a thread. If nothing was, a missing chunk is
//! an error.

use super::sizes::Sizes;
use super::tuples::{
    Attempts, Gathers, StoredCheckpoint, StoredWrite, Trouble, by_checkpoint, generations,
};
use super::{page, set};
use std::collections::{BTreeMap, BTreeSet};

use crate::contract::call::{self, MetadataFilter};
use crate::contract::config;
use crate::contract::error::Error;
use crate::contract::outcome::{CheckpointTuple, FoundCheckpoint, Outcome, Page, TupleValue};
use crate::contract::statement::RowSet;
use crate::format::json;
use crate::format::known::Known;
use crate::format::places::{TASKS, V_WITH_TASKS};
use crate::format::values::shared::Shared;
use crate::format::{FORMAT, decode, encode};
use crate::operations::ask::{self, After, Ask, CHECKPOINT, Step, WRITE};
use crate::operations::row::rows;

/// The most tuples of a page: enough to share most chunks among them, few enough to hold at once.
const PAGE_TUPLES_MAX: u64 = 32;

/// The most bytes of a page, where bytes that tuples share count once. A larger tuple is a page of
/// its own. A page is in memory a few times until it is handed over.
const PAGE_BYTES_MAX: u64 = 8 << 20;

/// The most conditions of one list. Each is a part of one statement, and an agent's host may limit
/// the size of statements.
const FILTERS_MAX: usize = 16;

/// A `list` or `getTuple` under way.
#[derive(Debug)]
pub(super) struct List {
    selection: Selection,
    one: bool,
    /// What the caller of `getTuple` already has.
    known: Option<Known>,
    stage: Stage,
    attempts: Attempts,
    checkpoints: Vec<StoredCheckpoint>,
    /// How many checkpoints the store returned, including those whose thread was deleted since.
    given: usize,
    /// The last checkpoint of the page, from which the next page goes on.
    last: Option<After>,
    /// Whether checkpoints were left to the next page.
    cut: bool,
    /// Whether the page's size has been checked after the first level of chunks.
    fits: bool,
    writes: Vec<StoredWrite>,
    sends: Vec<StoredWrite>,
    gathers: Gathers,
}

/// Which answer comes next.
#[derive(Debug)]
enum Stage {
    Page,
    Sends,
    Chunks,
    Threads,
}

/// Which checkpoints.
#[derive(Debug, Default)]
struct Selection {
    page: ask::Page,
    /// How many tuples are still wanted, including this page's; `None` for all.
    remaining: Option<u64>,
}

/// Where the next page begins, as a host carries it: format; the last tuple's checkpoint id, thread
/// key, thread id and namespace; and how many tuples are still wanted.
type Resume = (u8, String, i64, String, String, Option<u64>);

impl List {
    #[inline(never)]
    pub(super) fn start_get_tuple(call: &call::GetTuple) -> Result<(Self, Step), Error> {
        let config = &call.config;
        let checkpoint_ns = config::optional_checkpoint_ns(config)?.unwrap_or_default();
        let page = ask::Page {
            thread_id: config::optional_thread_id(config)?,
            checkpoint_ns: Some(checkpoint_ns),
            checkpoint_id: config::checkpoint_id(config)?,
            ..ask::Page::default()
        };
        let selection = Selection { page, remaining: Some(1) };
        let Some(thread_id) = &selection.page.thread_id else {
            return Ok((Self::new(selection, true), Step::Done(Outcome::Found(None))));
        };
        let known = match (&call.known, &selection.page.checkpoint_ns) {
            (Some(bytes), Some(ns)) => Some(Known::from_bytes(bytes, thread_id, ns)?),
            _ => None,
        };
        let mut list = Self { known, ..Self::new(selection, true) };
        let step = list.page();
        Ok((list, step))
    }

    #[inline(never)]
    pub(super) fn start(call: call::List) -> Result<(Self, Step), Error> {
        check_filter(&call.filter)?;
        let limit = call.limit.map(limit).transpose()?;
        let (after, remaining) = match call.resume {
            None => (None, limit),
            Some(bytes) => match decode::<Resume>(&bytes) {
                Some((FORMAT, checkpoint_id, thread_key, thread_id, ns, remaining)) => {
                    let checkpoint_ns = ns;
                    let after = After { checkpoint_id, thread_key, thread_id, checkpoint_ns };
                    (Some(after), remaining)
                }
                _ => {
                    return Err(Error::protocol(
                        "foreign-resume",
                        "the resume of a list is not this planner's; pass the next of a page",
                    ));
                }
            },
        };
        let page = ask::Page {
            thread_id: config::optional_thread_id(&call.config)?,
            checkpoint_ns: config::optional_checkpoint_ns(&call.config)?,
            checkpoint_id: config::checkpoint_id(&call.config)?,
            before: config::text("before.checkpoint_id", &call.before)?
                .filter(|before| !before.is_empty()),
            filter: call.filter,
            after,
            ..ask::Page::default()
        };
        let selection = Selection { page, remaining };
        let mut list = Self::new(selection, false);
        let step = match list.selection.count() {
            0 => Step::Done(list.page_outcome(Vec::new(), Vec::new())?),
            _ => list.page(),
        };
        Ok((list, step))
    }

    fn new(selection: Selection, one: bool) -> Self {
        Self {
            selection,
            one,
            known: None,
            stage: Stage::Page,
            attempts: Attempts::default(),
            checkpoints: Vec::new(),
            given: 0,
            last: None,
            cut: false,
            fits: false,
            writes: Vec::new(),
            sends: Vec::new(),
            gathers: Gathers::default(),
        }
    }

    #[inline(never)]
    pub(super) fn advance(&mut self, sets: &[RowSet]) -> Result<Step, Error> {
        match self.stage {
            Stage::Page => {
                self.take_page(set(sets, 0)?)?;
                match self.sends() {
                    Some(step) => Ok(step),
                    None => {
                        self.cut();
                        self.chunks()
                    }
                }
            }
            Stage::Sends => {
                let there = generations(set(sets, 1)?)?;
                if self.leave_out_but(&there) && self.one || self.is_pruned(&there) {
                    return self.again();
                }
                self.sends = StoredWrite::read(set(sets, 0)?, &self.checkpoints)?;
                let parents = self.checkpoints.iter().filter_map(sends_key).collect();
                page::check_writes(&parents, &self.sends)?;
                self.cut();
                self.chunks()
            }
            Stage::Chunks => {
                self.gathers.take(sets)?;
                if !std::mem::replace(&mut self.fits, true) && self.cut() {
                    self.gathers = Gathers::default();
                    return self.chunks();
                }
                self.next_chunks()
            }
            Stage::Threads => {
                let there = generations(set(sets, 0)?)?;
                match (self.leave_out_but(&there), self.one) {
                    (true, true) => self.again(),
                    _ if self.is_pruned(&there) => self.again(),
                    (true, false) => self.end(),
                    (false, _) => match self.ended() {
                        Ok(outcome) => Ok(Step::Done(outcome)),
                        Err(Trouble::Missing(error) | Trouble::Final(error)) => Err(error),
                    },
                }
            }
        }
    }

    /// Drops the checkpoints and writes of threads that are not in `there`. Returns whether
    /// checkpoints were dropped.
    fn leave_out_but(&mut self, there: &BTreeMap<i64, i64>) -> bool {
        let count = self.checkpoints.len();
        self.checkpoints.retain(|checkpoint| there.contains_key(&checkpoint.thread_key));
        self.writes.retain(|write| there.contains_key(&write.thread_key));
        self.checkpoints.len() < count
    }

    /// Whether something was removed from a thread of the page since it was read.
    fn is_pruned(&self, there: &BTreeMap<i64, i64>) -> bool {
        let is = |checkpoint: &StoredCheckpoint| {
            let now = there.get(&checkpoint.thread_key);
            now.is_some_and(|generation| *generation != checkpoint.generation)
        };
        self.checkpoints.iter().any(is)
    }

    fn again(&mut self) -> Result<Step, Error> {
        self.attempts.next()?;
        (self.cut, self.fits) = (false, false);
        self.sends = Vec::new();
        self.gathers = Gathers::default();
        Ok(self.page())
    }

    /// Asks which of the page's threads still exist, and their generations.
    fn threads(&self) -> Ask {
        let keys: BTreeSet<i64> =
            self.checkpoints.iter().map(|checkpoint| checkpoint.thread_key).collect();
        Ask::Threads { keys: keys.into_iter().collect() }
    }

    fn page(&mut self) -> Step {
        self.stage = Stage::Page;
        let mut page = self.selection.page();
        if let Some(known) = &self.known {
            page.have = known.hashes().into_iter().collect();
            page.values = known.refs();
        }
        Step::ask(Ask::Page(page))
    }

    fn take_page(&mut self, set: &RowSet) -> Result<(), Error> {
        self.checkpoints = Vec::new();
        self.writes = Vec::new();
        let mut writes = Vec::new();
        for mut row in rows(set, "lg_checkpoints") {
            match row.integer("part")? {
                CHECKPOINT => self.checkpoints.push(StoredCheckpoint::from_row(row)?),
                WRITE => writes.push(row.of("lg_writes")),
                _ => {
                    return Err(Error::corrupt(
                        "unexpected-column",
                        "column idx of lg_records is not that of a checkpoint; restore the store",
                    ));
                }
            }
        }
        // There may be writes of a checkpoint that is not stored.
        let writes = if self.checkpoints.is_empty() { Vec::new() } else { writes };
        for row in writes {
            self.writes.push(StoredWrite::of_one(row, &self.checkpoints)?);
        }
        page::check(&self.selection.page, &self.checkpoints, &self.writes)?;
        // Sorted here, because a store would sort whole rows.
        self.writes.sort_by(|left, right| left.order().cmp(&right.order()));
        self.given = self.checkpoints.len();
        self.last = self.checkpoints.last().map(after);
        Ok(())
    }

    /// Leaves checkpoints to the next page if this one would be too large. Returns whether any were
    /// left.
    fn cut(&mut self) -> bool {
        // One tuple is a page however large it is, so a `getTuple` counts nothing.
        if self.checkpoints.len() < 2 {
            return false;
        }
        let mut sizes = Sizes::new(&self.gathers);
        let mut bytes = 0_u64;
        let writes = by_checkpoint(&self.writes);
        let sends = by_checkpoint(&self.sends);
        let fits = |checkpoint: &&StoredCheckpoint| {
            let own = writes.get(&checkpoint.key()).into_iter().flatten();
            let parents = sends_key(checkpoint).and_then(|key| sends.get(&key));
            let writes: Vec<_> = own.chain(parents.into_iter().flatten()).copied().collect();
            bytes = bytes.saturating_add(sizes.add(checkpoint, &writes));
            bytes <= PAGE_BYTES_MAX
        };
        let count = self.checkpoints.iter().take_while(fits).count().max(1);
        if count >= self.checkpoints.len() {
            return false;
        }
        self.checkpoints.truncate(count);
        let kept: BTreeSet<_> = self.checkpoints.iter().map(StoredCheckpoint::key).collect();
        self.writes.retain(|write| kept.contains(&write.key()));
        let kept: BTreeSet<_> = self.checkpoints.iter().filter_map(sends_key).collect();
        self.sends.retain(|send| kept.contains(&send.key()));
        self.last = self.checkpoints.last().map(after);
        self.cut = true;
        true
    }

    /// The read of the sends that older checkpoints left with their parents; `None` if no
    /// checkpoint is that old.
    fn sends(&mut self) -> Option<Step> {
        let parents: Vec<_> = self.checkpoints.iter().filter_map(sends_key).collect();
        if parents.is_empty() {
            return None;
        }
        self.stage = Stage::Sends;
        let checkpoints =
            parents.into_iter().map(|(key, ns, id)| (key, ns.to_owned(), id.to_owned()));
        let checkpoints = checkpoints.collect();
        let writes = Ask::Writes { channel: TASKS, checkpoints };
        Some(Step::Ask(vec![writes, self.threads()]))
    }

    fn chunks(&mut self) -> Result<Step, Error> {
        self.stage = Stage::Chunks;
        for checkpoint in &self.checkpoints {
            checkpoint.want(self.known.as_ref(), &mut self.gathers);
        }
        for write in self.writes.iter().chain(&self.sends) {
            self.gathers.want(write.thread_key, &write.value);
        }
        self.next_chunks()
    }

    fn next_chunks(&mut self) -> Result<Step, Error> {
        if let Some(round) = self.gathers.round() {
            return Ok(round);
        }
        self.end()
    }

    fn end(&mut self) -> Result<Step, Error> {
        match self.ended() {
            Ok(outcome) => Ok(Step::Done(outcome)),
            Err(Trouble::Missing(_)) => {
                self.stage = Stage::Threads;
                Ok(Step::ask(self.threads()))
            }
            Err(Trouble::Final(error)) => Err(error),
        }
    }

    fn ended(&self) -> Result<Outcome, Trouble> {
        if self.one { self.found() } else { self.tuples() }
    }

    /// The one checkpoint, if it is there.
    fn found(&self) -> Result<Outcome, Trouble> {
        let Some(checkpoint) = self.checkpoints.first() else {
            return Ok(Outcome::Found(None));
        };
        let writes: Vec<_> = self.writes.iter().collect();
        let sends: Vec<_> = self.sends.iter().collect();
        let sends = sends_key(checkpoint).map(|_| sends.as_slice());
        let known = self.known.as_ref();
        let tuple = checkpoint.tuple(&self.gathers, &writes, sends, known, None)?;
        let (known, bases) = checkpoint.known(known, &self.gathers)?;
        let known = known.to_bytes()?;
        Ok(Outcome::Found(Some(FoundCheckpoint { tuple, known, bases })))
    }

    fn tuples(&self) -> Result<Outcome, Trouble> {
        let writes = by_checkpoint(&self.writes);
        let sends = by_checkpoint(&self.sends);
        let mut shared = Shared::default();
        let mut tuples = Vec::with_capacity(self.checkpoints.len());
        for checkpoint in &self.checkpoints {
            let own = writes.get(&checkpoint.key()).map(Vec::as_slice).unwrap_or_default();
            let parents = sends_key(checkpoint)
                .map(|key| sends.get(&key).map(Vec::as_slice).unwrap_or_default());
            let shared = Some(&mut shared);
            tuples.push(checkpoint.tuple(&self.gathers, own, parents, None, shared)?);
        }
        Ok(self.page_outcome(tuples, shared.into_bytes())?)
    }

    fn page_outcome(
        &self,
        tuples: Vec<CheckpointTuple<TupleValue>>,
        shared: Vec<u8>,
    ) -> Result<Outcome, Error> {
        let full = self.cut || self.given as u64 == self.selection.count();
        let count = tuples.len() as u64;
        let remaining = self.selection.remaining.map(|remaining| remaining.saturating_sub(count));
        let next = match &self.last {
            Some(After { checkpoint_id, thread_key, thread_id, checkpoint_ns })
                if full && remaining != Some(0) =>
            {
                let (id, ns) = (checkpoint_id, checkpoint_ns);
                Some(encode(&(FORMAT, id, thread_key, thread_id, ns, remaining))?)
            }
            _ => None,
        };
        Ok(Outcome::Page(Page { tuples, shared, next }))
    }
}

impl Selection {
    fn count(&self) -> u64 {
        self.remaining.unwrap_or(PAGE_TUPLES_MAX).min(PAGE_TUPLES_MAX)
    }

    fn page(&self) -> ask::Page {
        ask::Page { count: self.count(), ..self.page.clone() }
    }
}

/// The position after a checkpoint.
fn after(checkpoint: &StoredCheckpoint) -> After {
    After {
        checkpoint_id: checkpoint.checkpoint_id.clone(),
        thread_key: checkpoint.thread_key,
        thread_id: checkpoint.thread_id.clone(),
        checkpoint_ns: checkpoint.checkpoint_ns.clone(),
    }
}

/// The parent whose writes hold a checkpoint's sends; `None` if `v` is not under 4 or there is no
/// parent.
fn sends_key(checkpoint: &StoredCheckpoint) -> Option<(i64, &str, &str)> {
    let parent = checkpoint.parent_checkpoint_id.as_deref()?;
    (checkpoint.envelope.v < V_WITH_TASKS).then_some((
        checkpoint.thread_key,
        &checkpoint.checkpoint_ns,
        parent,
    ))
}

/// Refuses a filter with too many conditions, or one that is not JSON.
pub(super) fn check_filter(filter: &[MetadataFilter]) -> Result<(), Error> {
    if filter.len() > FILTERS_MAX {
        return Err(Error::invalid(
            "oversized-filter",
            format!(
                "the filter has {} keys; at most {FILTERS_MAX} are looked at: leave some out",
                filter.len()
            ),
        ));
    }
    match filter.iter().find(|filter| !json::is_value(filter.json.as_bytes())) {
        None => Ok(()),
        Some(MetadataFilter { key, .. }) => Err(Error::invalid(
            "invalid-filter",
            format!("the filter on metadata key {key} is not a JSON value"),
        )),
    }
}

/// A limit as a count. Fails with `invalid-limit` if it is negative or not a number.
pub(super) fn limit(limit: f64) -> Result<u64, Error> {
    if limit.is_nan() || limit < 0.0 {
        return Err(Error::invalid(
            "invalid-limit",
            "the limit of a list is negative or not a number; pass a count, or no limit for all",
        ));
    }
    // A resume holds the count as a signed integer of 64 bits.
    Ok((limit as u64).min(i64::MAX as u64))
}
