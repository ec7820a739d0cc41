//! One of LangGraph's methods under way, on any store: its next asks, and what it makes of the
//! answers.

use super::{
    copy_thread, delete_thread, delta_history, diff, export, list, prune, put, put_writes, threads,
    vacuum, verify,
};
use crate::contract::call::Call;
use crate::contract::error::Error;
use crate::contract::outcome::Outcome;
use crate::contract::progress::Expected;
use crate::contract::statement::RowSet;
use crate::operations::ask::Step;

/// More rounds than any method of one checkpoint needs: twice the levels that a value can have, and
/// some more.
const ROUNDS_MAX: usize = 256;
/// More rounds than a method needs that goes through a thread of a million records.
const THREAD_ROUNDS_MAX: usize = 9_000;

/// One method under way.
#[derive(Debug)]
pub(crate) struct Method {
    state: State,
    rounds: usize,
}

#[expect(
    clippy::large_enum_variant,
    reason = "one at a time is under way, and it is moved a few times"
)]
#[derive(Debug)]
enum State {
    List(list::List),
    Put(put::Put),
    PutWrites(put_writes::PutWrites),
    DeleteThread(delete_thread::DeleteThread),
    DeltaHistory(delta_history::DeltaHistory),
    Prune(prune::Prune),
    CopyThread(copy_thread::CopyThread),
    Threads(threads::Threads),
    Stats(threads::Totals),
    Verify(verify::Verify),
    Vacuum(vacuum::Vacuum),
    Export(export::Export),
    Diff(diff::Diff),
}

/// A call that has started.
#[expect(
    clippy::large_enum_variant,
    reason = "one at a time is under way, and it is moved a few times"
)]
#[derive(Debug)]
pub(crate) enum Begun {
    /// The store sets itself up.
    Setup,
    /// The store sends the rows that wait in it.
    Flush,
    /// A method, and its first step.
    Method(Method, Step),
}

impl Method {
    /// Starts a call. Bad input is refused here.
    pub(crate) fn start(call: Call) -> Result<Begun, Error> {
        let (state, step) = match call {
            Call::Setup => return Ok(Begun::Setup),
            Call::Flush => return Ok(Begun::Flush),
            Call::GetTuple(call) => {
                list::List::start_get_tuple(&call).map(|(s, p)| (State::List(s), p))
            }
            Call::List(call) => list::List::start(call).map(|(s, p)| (State::List(s), p)),
            Call::Put(call) => put::Put::start(call).map(|(s, p)| (State::Put(s), p)),
            Call::PutWrites(call) => {
                put_writes::PutWrites::start(call).map(|(s, p)| (State::PutWrites(s), p))
            }
            Call::DeleteThread(config) => delete_thread::DeleteThread::start(&config)
                .map(|(s, p)| (State::DeleteThread(s), p)),
            Call::DeltaChannelHistory(call) => {
                delta_history::DeltaHistory::start(call).map(|(s, p)| (State::DeltaHistory(s), p))
            }
            Call::Prune(call) => prune::Prune::start(call).map(|(s, p)| (State::Prune(s), p)),
            Call::CopyThread(call) => {
                copy_thread::CopyThread::start(&call).map(|(s, p)| (State::CopyThread(s), p))
            }
            Call::Threads(call) => {
                threads::Threads::start(call).map(|(s, p)| (State::Threads(s), p))
            }
            Call::Verify(call) => verify::Verify::start(call).map(|(s, p)| (State::Verify(s), p)),
            Call::Vacuum(call) => vacuum::Vacuum::start(call).map(|(s, p)| (State::Vacuum(s), p)),
            Call::Export(call) => export::Export::start(call).map(|(s, p)| (State::Export(s), p)),
            Call::Diff(call) => diff::Diff::start(&call).map(|(s, p)| (State::Diff(s), p)),
            Call::Stats(thread) => {
                threads::Totals::start(&thread).map(|(s, p)| (State::Stats(s), p))
            }
        }?;
        Ok(Begun::Method(Self { state, rounds: 0 }, step))
    }

    /// The outcome, if it can be predicted before the last ask is answered.
    pub(crate) fn expected(&self) -> Result<Option<Expected>, Error> {
        match &self.state {
            State::Put(put) => put.expected(),
            State::PutWrites(_) => Ok(Some(Expected::Certain(Outcome::WritesStored))),
            State::List(_)
            | State::DeleteThread(_)
            | State::DeltaHistory(_)
            | State::Prune(_)
            | State::CopyThread(_)
            | State::Threads(_)
            | State::Verify(_)
            | State::Vacuum(_)
            | State::Export(_)
            | State::Diff(_)
            | State::Stats(_) => Ok(None),
        }
    }

    /// Takes one row set per ask and returns the next step.
    pub(crate) fn advance(&mut self, sets: &[RowSet]) -> Result<Step, Error> {
        self.rounds += 1;
        let rounds_max = match self.state {
            State::Prune(_)
            | State::DeleteThread(_)
            | State::CopyThread(_)
            | State::Verify(_)
            | State::Export(_) => THREAD_ROUNDS_MAX,
            _ => ROUNDS_MAX,
        };
        if self.rounds >= rounds_max {
            return Err(Error::corrupt(
                "endless-value",
                format!("a call has not ended after {rounds_max} rounds; restore the store"),
            ));
        }
        match &mut self.state {
            State::List(list) => list.advance(sets),
            State::Put(put) => put.advance(sets),
            State::PutWrites(put_writes) => put_writes.advance(),
            State::DeleteThread(delete_thread) => delete_thread.advance(sets),
            State::DeltaHistory(history) => history.advance(sets),
            State::Prune(prune) => prune.advance(sets),
            State::CopyThread(copy) => copy.advance(sets),
            State::Threads(threads) => threads.advance(sets),
            State::Stats(totals) => totals.advance(sets),
            State::Verify(verify) => verify.advance(sets),
            State::Vacuum(vacuum) => vacuum.advance(sets),
            State::Export(export) => export.advance(sets),
            State::Diff(diff) => diff.advance(sets),
        }
    }
}
