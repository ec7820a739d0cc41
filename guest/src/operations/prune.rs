//! `prune`, `deleteForRuns` and `expire`: one thread in each call.
//!
//! 0. Lease the sweep, if the call is one of several processes that sweep.
//! 1. Find the next thread, if the caller does not name it.
//! 2. Plan what is kept (`plan`).
//! 3. Remove the records of the others, in batches. Each is removed only if the thread still has
//!    the checkpoints that the plan is about; else plan again. Each makes the generation the next
//!    odd one.
//! 4. Mark the chunks that the remaining records refer to (`marks`).
//! 5. Read the hashes of all chunks, and remove those that are not marked, in batches. Each is
//!    removed only if the thread still has exactly the records that were marked; else mark again.
//!    The last makes the generation even.
//!
//! A crash leaves chunks that nothing refers to, and an odd generation. The next prune of the
//! thread removes them. A thread that the caller names is swept even if its generation is even: a
//! write that was replaced, or a put that was cut short, leaves chunks too. Puts go on meanwhile:
//! the generation makes those that rely on a removed chunk start over.
//!
//! A thread that goes as a whole is deleted as `deleteThread` does.
//!
//! Where a store has no generation, it keeps chunks until its retention, and steps 4 and 5 are left
//! out.

use std::collections::BTreeSet;

use super::list;
use super::marks::Marks;
use super::plan::{Place, Plan, Rule};
use super::row::{rows, set};
use super::sweep::{Next, Sweep};
use super::threads::stats;
use super::tuples::Attempts;
use crate::contract::call::{Id, Keep, Lease, Prune as Call, Pruned};
use crate::contract::config;
use crate::contract::error::Error;
use crate::contract::lifecycle::{Stats, Work};
use crate::contract::outcome::Outcome;
use crate::contract::statement::RowSet;
use crate::format::{FORMAT, decode, encode};
use crate::operations::ask::{Ask, Checkpoints, Step};

/// At most this many records are removed in one transaction.
const RECORDS_MAX: u64 = 500;

/// A prune under way.
#[derive(Debug)]
pub(super) struct Prune {
    which: Which,
    keep: Keep,
    dry_run: bool,
    /// The position in the caller's list after this thread, or the key of the last thread found.
    cursor: i64,
    /// The id of the last thread found.
    last: String,
    /// How many threads may still be pruned; `None` for all.
    remaining: Option<u64>,
    /// Whether a search has found a thread: another may follow.
    has_found: bool,
    work: Work,
    /// The work of the calls before this one.
    before: Work,
    attempts: Attempts,
    /// Whether the thread that the caller names is deleted even if it is written to meanwhile.
    insists: bool,
    /// When the lease ends, in milliseconds since 1970; `None` without one.
    until: Option<i64>,
    stage: Stage,
}

/// `Pruned` with its ids as text.
#[derive(Debug)]
enum Which {
    Threads(Vec<String>),
    Idle(String),
    Runs(Vec<String>),
}

#[derive(Debug)]
enum Stage {
    Lease,
    Find,
    Plan(Box<Plan>),
    /// The checkpoints that go, the next ones last.
    Remove(Box<Plan>, Vec<Place>),
    /// The totals of a thread that goes as a whole.
    Totals(Box<Plan>),
    Delete(Box<Plan>, Stats),
    /// Whether a thread was deleted before.
    SweepDeleted(bool),
    Mark(Box<Marks>),
    Sweep(Box<Sweep>),
}

/// How far a prune has come, as a host carries it: format, cursor and id, threads left, when the
/// lease ends, and the counts of `Work`.
type Resume = (u8, (i64, String), Option<u64>, Option<i64>, (u64, u64, u64, u64, u64));

impl Prune {
    #[inline(never)]
    pub(super) fn start(call: Call) -> Result<(Self, Step), Error> {
        if call.keep == Keep::Last(0) {
            return Err(Error::invalid(
                "invalid-keep",
                "0 checkpoints would be kept; keep at least 1, or delete the thread",
            ));
        }
        let lease = call.lease.map(|lease| times(lease, call.dry_run)).transpose()?;
        let mut prune = Self {
            remaining: call.limit.map(list::limit).transpose()?,
            which: Which::of(call.pruned)?,
            keep: call.keep,
            dry_run: call.dry_run,
            cursor: 0,
            last: String::new(),
            has_found: false,
            work: Work::default(),
            before: Work::default(),
            attempts: Attempts::default(),
            insists: false,
            until: None,
            stage: Stage::Find,
        };
        if let Keep::NewerThan(ts) = &prune.keep {
            config::time("the time to keep from", ts)?;
        }
        if let Some(bytes) = call.resume {
            let Some((FORMAT, (cursor, last), remaining, until, counts)) = decode::<Resume>(&bytes)
            else {
                return Err(Error::protocol(
                    "foreign-resume",
                    "resume was not made by a prune of this version; start it anew",
                ));
            };
            (prune.cursor, prune.last) = (cursor, last);
            prune.remaining = remaining;
            let (threads, checkpoints, writes, chunks, bytes) = counts;
            let work = Work { threads, checkpoints, writes, chunks, bytes, next: None };
            prune.work = work.clone();
            prune.before = work.clone();
            prune.until = until;
            if until.zip(lease).is_some_and(|(until, (now, _))| now >= until) {
                // The next sweep goes on. It may be another process's.
                return Ok((prune, Step::Done(Outcome::Worked(work))));
            }
        } else if let Some((now, until)) = lease {
            prune.until = Some(until);
            prune.stage = Stage::Lease;
            // Clocks may differ by less than a lease's length.
            let never = until + (until - now);
            return Ok((prune, Step::ask(Ask::LeaseSweep { now, until, never })));
        }
        let step = prune.next_thread()?;
        Ok((prune, step))
    }

    #[inline(never)]
    pub(super) fn advance(&mut self, sets: &[RowSet]) -> Result<Step, Error> {
        let answer = set(sets, 0)?;
        match std::mem::replace(&mut self.stage, Stage::Find) {
            Stage::Lease if answer.rows.is_empty() => {
                Ok(Step::Done(Outcome::Worked(Work::default())))
            }
            Stage::Lease => self.next_thread(),
            Stage::Find => match rows(answer, "lg_threads").next() {
                None => self.absent(),
                Some(mut row) => {
                    self.has_found = true;
                    self.cursor = row.integer("thread_key")?;
                    row.text("thread_id")?.clone_into(&mut self.last);
                    Ok(self.plan(self.last.clone()))
                }
            },
            Stage::Plan(mut plan) => match plan.advance(answer)? {
                Some(step) => {
                    self.stage = Stage::Plan(plan);
                    Ok(step)
                }
                None => self.planned(plan),
            },
            Stage::Remove(plan, doomed) => self.removed(plan, doomed, answer),
            Stage::Totals(plan) => self.counted(plan, answer),
            Stage::Delete(plan, stats) => {
                if answer.rows.is_empty() && !self.insists {
                    self.again(&plan.outline.thread_id)?;
                    // A thread that is found must still be one that is sought.
                    self.insists = matches!(self.which, Which::Threads(_));
                    return Ok(self.plan(plan.outline.thread_id));
                }
                self.count_all(&stats);
                self.swept(set(sets, 1)?, true)
            }
            Stage::SweepDeleted(is_pruned) => self.swept(answer, is_pruned),
            Stage::Mark(mut marks) => match marks.advance(answer, &mut |_| {})? {
                Some(step) => {
                    self.stage = Stage::Mark(marks);
                    Ok(step)
                }
                None if marks.is_outdated() => {
                    if !self.attempts.may_go_on() {
                        return self.done(self.work != self.before);
                    }
                    Ok(self.mark(marks.again()))
                }
                None => {
                    let sweep = Sweep::of(marks, self.dry_run);
                    let step = sweep.start();
                    self.stage = Stage::Sweep(Box::new(sweep));
                    Ok(step)
                }
            },
            Stage::Sweep(mut sweep) => match sweep.advance(answer, &mut self.work)? {
                Next::Step(step) => {
                    self.stage = Stage::Sweep(sweep);
                    Ok(step)
                }
                Next::MarkAgain { generation } => {
                    if !self.attempts.may_go_on() {
                        // The chunks stay until the next prune.
                        return self.done(self.work != self.before);
                    }
                    let marks = sweep.into_marks();
                    let (thread_id, key) = (marks.thread_id().to_owned(), marks.thread_key());
                    Ok(self.mark(Marks::of(thread_id, (key, generation), BTreeSet::new())))
                }
                Next::Done => self.done(self.work != self.before),
            },
        }
    }

    /// Begins with the next thread.
    fn next_thread(&mut self) -> Result<Step, Error> {
        if self.remaining == Some(0) {
            return self.done(false);
        }
        let (idle, runs) = match &self.which {
            Which::Threads(ids) => {
                let next = usize::try_from(self.cursor).ok().and_then(|at| ids.get(at));
                let Some(thread_id) = next.cloned() else {
                    return self.done(false);
                };
                self.cursor += 1;
                return Ok(self.plan(thread_id));
            }
            Which::Runs(ids) if ids.is_empty() => return self.done(false),
            Which::Idle(ts) => (Some(ts.clone()), Vec::new()),
            Which::Runs(ids) => (None, ids.clone()),
        };
        self.stage = Stage::Find;
        Ok(Step::ask(Ask::FindThread {
            after: (self.cursor, self.last.clone()),
            thread_id: None,
            idle,
            runs,
        }))
    }

    fn plan(&mut self, thread_id: String) -> Step {
        let (rule, runs) = match &self.which {
            Which::Runs(ids) => (Rule::NotOfRuns, ids.clone()),
            Which::Threads(_) | Which::Idle(_) => (Rule::Keep(self.keep.clone()), Vec::new()),
        };
        let plan = Plan::of(thread_id, rule, runs);
        let step = plan.start();
        self.stage = Stage::Plan(Box::new(plan));
        step
    }

    /// Goes on with a plan that is ready.
    fn planned(&mut self, plan: Box<Plan>) -> Result<Step, Error> {
        let Some(thread_key) = plan.outline.thread_key else {
            return self.absent();
        };
        if let Which::Idle(ts) = &self.which
            && !plan.outline.is_idle(ts)
        {
            // It was written to since it was found.
            return self.done(false);
        }
        if self.keep == Keep::Nothing && !matches!(self.which, Which::Runs(_)) {
            let thread_id = plan.outline.thread_id.clone();
            self.stage = Stage::Totals(plan);
            return Ok(Step::ask(Ask::Totals { thread_id: Some(thread_id) }));
        }
        let doomed = plan.doomed();
        let is_named = matches!(self.which, Which::Threads(_));
        let is_swept = plan.outline.generation.is_none_or(|generation| generation % 2 == 0);
        if doomed.is_empty() && is_swept && !is_named {
            return self.done(false);
        }
        if !self.dry_run && !doomed.is_empty() {
            return Ok(self.remove(plan, doomed));
        }
        for (ns, id) in &doomed {
            self.count(&plan, ns, id);
        }
        let Some(generation) = plan.outline.generation else {
            return self.done(self.work != self.before);
        };
        let thread_id = plan.outline.thread_id.clone();
        let without = doomed.into_iter().collect();
        Ok(self.mark(Marks::of(thread_id, (thread_key, generation), without)))
    }

    /// Asks for the removal of the next checkpoints.
    fn remove(&mut self, plan: Box<Plan>, doomed: Vec<Place>) -> Step {
        let places = next_of(&plan, &doomed);
        let step = Step::ask(Ask::RemoveRecords {
            thread_key: plan.outline.thread_key.unwrap_or_default(),
            of: plan.outline.checkpoints(),
            places: doomed.get(doomed.len() - places..).unwrap_or_default().to_vec(),
        });
        self.stage = Stage::Remove(plan, doomed);
        step
    }

    /// Takes the answer to a removal.
    fn removed(
        &mut self,
        mut plan: Box<Plan>,
        mut doomed: Vec<Place>,
        answer: &RowSet,
    ) -> Result<Step, Error> {
        let Some(mut row) = rows(answer, "lg_threads").next() else {
            // The thread was deleted.
            return self.done(true);
        };
        let generation = row.optional_integer("generation")?;
        let count = row.integer("checkpoints")?;
        let newest = row.optional_text("newest")?.unwrap_or_default().to_owned();
        let gone = doomed.split_off(doomed.len() - next_of(&plan, &doomed));
        let (mut checkpoints, mut writes) = (0, 0);
        for (ns, id) in &gone {
            let seen = plan.outline.remove(ns, id).unwrap_or_default();
            checkpoints += u64::from(seen.is_stored);
            writes += seen.writes;
        }
        if plan.outline.checkpoints() != (Checkpoints { count, newest }) {
            self.again(&plan.outline.thread_id)?;
            return Ok(self.plan(plan.outline.thread_id));
        }
        self.work.checkpoints += checkpoints;
        self.work.writes += writes;
        if !doomed.is_empty() {
            return Ok(self.remove(plan, doomed));
        }
        let Some(generation) = generation else {
            return self.done(true);
        };
        let thread_key = plan.outline.thread_key.unwrap_or_default();
        let (thread_id, key) = (plan.outline.thread_id, (thread_key, generation));
        Ok(self.mark(Marks::of(thread_id, key, BTreeSet::new())))
    }

    /// Takes the totals of a thread that goes as a whole.
    fn counted(&mut self, plan: Box<Plan>, answer: &RowSet) -> Result<Step, Error> {
        let stats = stats(answer)?;
        if self.dry_run {
            self.count_all(&stats);
            return self.done(true);
        }
        let remove = if self.insists {
            Ask::DeleteThread { thread_id: plan.outline.thread_id.clone() }
        } else {
            Ask::RemoveThread {
                thread_key: plan.outline.thread_key.unwrap_or_default(),
                of: plan.outline.checkpoints(),
            }
        };
        self.stage = Stage::Delete(plan, stats);
        Ok(Step::Ask(vec![remove, Ask::SweepDeleted]))
    }

    /// Goes on until nothing is left of threads that were deleted.
    fn swept(&mut self, rest: &RowSet, is_pruned: bool) -> Result<Step, Error> {
        if rest.rows.is_empty() {
            return self.done(is_pruned);
        }
        self.stage = Stage::SweepDeleted(is_pruned);
        Ok(Step::ask(Ask::SweepDeleted))
    }

    /// Ends with a thread that is not there. What a deletion that was cut short has left goes all
    /// the same.
    fn absent(&mut self) -> Result<Step, Error> {
        let deletes = self.keep == Keep::Nothing && !matches!(self.which, Which::Runs(_));
        if self.dry_run || !deletes {
            return self.done(false);
        }
        self.stage = Stage::SweepDeleted(false);
        Ok(Step::ask(Ask::SweepDeleted))
    }

    fn count_all(&mut self, stats: &Stats) {
        self.work.checkpoints += stats.checkpoints;
        self.work.writes += stats.writes;
        self.work.chunks += stats.chunks;
        self.work.bytes += stats.chunk_bytes;
    }

    fn mark(&mut self, marks: Marks) -> Step {
        let step = marks.start();
        self.stage = Stage::Mark(Box::new(marks));
        step
    }

    fn count(&mut self, plan: &Plan, ns: &str, id: &str) {
        if let Some(seen) = plan.outline.get(ns, id) {
            self.work.checkpoints += u64::from(seen.is_stored);
            self.work.writes += seen.writes;
        }
    }

    /// Counts one more attempt.
    fn again(&mut self, thread_id: &str) -> Result<(), Error> {
        if self.attempts.may_go_on() {
            return Ok(());
        }
        let has_removed = !self.dry_run && self.work != self.before;
        Err(Error::thread_in_use(&format!("thread {thread_id}"), "pruned", has_removed))
    }

    /// Ends with this thread. `is_pruned` says whether something was removed of it.
    fn done(&mut self, is_pruned: bool) -> Result<Step, Error> {
        if is_pruned {
            self.work.threads += 1;
            self.remaining = self.remaining.map(|remaining| remaining.saturating_sub(1));
        }
        let Work { threads, checkpoints, writes, chunks, bytes, .. } = self.work;
        let is_more = match &self.which {
            Which::Threads(ids) => (self.cursor as usize) < ids.len(),
            // The thread before the end is found by a search that finds none.
            Which::Idle(_) | Which::Runs(_) => self.has_found,
        };
        let counts = (threads, checkpoints, writes, chunks, bytes);
        let at = (self.cursor, &self.last);
        let next = (is_more && self.remaining != Some(0))
            .then(|| encode(&(FORMAT, at, self.remaining, self.until, counts)));
        let next = next.transpose()?;
        Ok(Step::Done(Outcome::Worked(Work { next, ..self.work.clone() })))
    }
}

/// The time of a lease's call, and its end, in milliseconds since 1970.
fn times(Lease { now_ms, length_ms }: Lease, dry_run: bool) -> Result<(i64, i64), Error> {
    /// The latest time of a `Date`.
    const TIME_MAX: f64 = 8.64e15;
    let is_time = |time: f64| (0.0..=TIME_MAX).contains(&time);
    if !is_time(now_ms) || !is_time(length_ms) || length_ms < 1.0 || dry_run {
        return Err(Error::invalid(
            "invalid-lease",
            "the lease of a sweep is not of a time since 1970 and at least a millisecond, or the \
             sweep is a dry run; pass times in milliseconds, or no lease",
        ));
    }
    Ok((now_ms as i64, (now_ms + length_ms) as i64))
}

impl Which {
    /// Refuses ids and times that are not acceptable.
    fn of(pruned: Pruned) -> Result<Self, Error> {
        let ids = |name, ids: &[Id]| -> Result<Vec<String>, Error> {
            let ids = ids.iter().map(|id| config::required(name, id));
            let mut ids: Vec<_> = ids.collect::<Result<_, _>>()?;
            // A dry run would count what is named twice twice.
            let mut seen = BTreeSet::new();
            ids.retain(|id| seen.insert(id.clone()));
            Ok(ids)
        };
        Ok(match pruned {
            Pruned::Threads(given) => Self::Threads(ids("thread_id", &given)?),
            Pruned::Runs(given) => Self::Runs(ids("run_id", &given)?),
            Pruned::Idle(ts) => {
                config::time("the time since which threads are idle", &ts)?;
                Self::Idle(ts)
            }
        })
    }
}

/// How many of these checkpoints, from the end, are removed in the next transaction.
fn next_of(plan: &Plan, doomed: &[Place]) -> usize {
    let mut records = 0;
    let fits = |(ns, id): &&Place| {
        records += 1 + plan.outline.get(ns, id).map_or(0, |seen| seen.writes);
        records <= RECORDS_MAX
    };
    doomed.iter().rev().take_while(fits).count().max(1).min(doomed.len())
}
