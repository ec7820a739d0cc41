//! The planner's calls as bytes: the interface `wire` of `wit/planner/wire.wit`, which documents
//! their shapes.
//!
//! It is for hosts where passing a list of bytes costs almost nothing, and passing each field,
//! variant and text has a cost. This module decides nothing.

#[cfg(feature = "kusto")]
mod kusto;
mod read;
#[cfg(feature = "takeover")]
mod takeover;
mod write;

use std::collections::BTreeMap;

use crate::contract::call::Call;
use crate::contract::error::Error;
use crate::contract::http::Moment;
use crate::contract::outcome::Outcome;
use crate::contract::progress::{Answer, Expected, Need, Progress};
use crate::contract::status::UnshownCall;
use crate::format::read::decode;
#[cfg(feature = "kusto")]
use crate::stores::kusto::TaskProgress;
use crate::stores::{Operation, Store, StoreOptions};

use read::{Start, malformed};
use write::Writer;

/// At most this many statement texts get a number. Others are sent whole each time. Without
/// numbers, a superstep takes 5 to 6 % longer in JavaScript.
const TEXTS_MAX: u32 = 256;

/// Most answers have at most this many bytes beyond those of their call.
const ROOM_BYTES: usize = 1024;

/// For a call of at least this many bytes, memory is reserved in one step.
const LARGE_BYTES: usize = 1 << 22;

/// About how many bytes are reserved for each byte of a large call.
const BYTES_FOR_EACH: usize = 6;

/// About how many bytes a write takes beside its value.
const WRITE_BYTES: usize = 1024;

/// The stores of one caller, and the operations on them that are under way.
#[derive(Debug, Default)]
pub struct Wire {
    stores: BTreeMap<u32, Store>,
    operations: BTreeMap<u32, Running>,
    /// The number that was given last, to a store or an operation.
    last: u32,
    texts: Texts,
}

/// An operation, or several calls that were made together.
#[cfg_attr(
    feature = "kusto",
    expect(clippy::large_enum_variant, reason = "each is moved a few times, and few are kept")
)]
#[derive(Debug)]
enum Running {
    One(Operation),
    #[cfg(feature = "kusto")]
    Together(crate::stores::kusto::Task<Ended>),
}

/// How calls that were made together ended, in their order.
type Ended = Vec<Result<Outcome, Error>>;

impl Wire {
    /// Opens a store. Returns `[0, store]`, or a refusal.
    pub fn open(&mut self, options: &[u8]) -> Vec<u8> {
        let mut writer = Writer::with_capacity(ROOM_BYTES);
        let opened = decode::<StoreOptions>(options).ok_or_else(|| malformed("store's options"));
        match opened.and_then(Store::open) {
            Ok(store) => {
                let number = self.next();
                self.stores.insert(number, store);
                writer.opened(number);
            }
            Err(error) => writer.refusal(&error),
        }
        writer.into_bytes()
    }

    /// Forgets a store, and what it keeps in memory.
    pub fn close(&mut self, store: u32) {
        self.stores.remove(&store);
    }

    /// Starts a call. Returns its state. `at` is a moment, or empty for a store of SQL.
    pub fn start(&mut self, store: u32, call: &[u8], at: &[u8]) -> Vec<u8> {
        // A statement holds about the bytes of its call, and an id several times.
        let bytes = call.len() + ROOM_BYTES;
        make_room(bytes.saturating_mul(BYTES_FOR_EACH));
        let mut writer = Writer::with_capacity(bytes);
        let started = self.start_call(store, call, at);
        self.write_state(started, &mut writer);
        writer.into_bytes()
    }

    #[inline(never)]
    fn start_call(&self, store: u32, call: &[u8], at: &[u8]) -> Result<State, Error> {
        let at = moment(at)?;
        let store = self.stores.get(&store).ok_or_else(no_store)?;
        match decode::<Start>(call).ok_or_else(|| malformed("call"))? {
            Start::One(call) => {
                if let Call::PutWrites(writes) = &call {
                    make_room(writes.writes.len().saturating_mul(WRITE_BYTES));
                }
                let (operation, progress) = store.start(call, at)?;
                Ok(State::of(operation, progress))
            }
            Start::Together(calls) => start_together(store, calls, at),
        }
    }

    /// Gives an answer to an operation. Returns its state.
    #[inline(never)]
    pub fn advance(&mut self, operation: u32, answer: &[u8], at: &[u8]) -> Vec<u8> {
        make_room(answer.len().saturating_mul(BYTES_FOR_EACH));
        let running = self.operations.remove(&operation).ok_or_else(Error::ended_operation);
        let state = running.and_then(|running| {
            let answer = decode::<Answer>(answer).ok_or_else(|| malformed("answer"))?;
            let at = moment(at)?;
            match running {
                Running::One(mut operation) => {
                    let progress = operation.advance(answer, at)?;
                    Ok(State::of(operation, progress))
                }
                #[cfg(feature = "kusto")]
                Running::Together(mut task) => {
                    let progress = task.advance(answer, at)?;
                    Ok(State::of_together(task, progress))
                }
            }
        });
        let mut writer = Writer::with_capacity(ROOM_BYTES);
        self.write_state(state, &mut writer);
        writer.into_bytes()
    }

    /// Forgets an operation that will not be advanced again.
    pub fn end(&mut self, operation: u32) {
        self.operations.remove(&operation);
    }

    /// Returns what a host must act on between calls, or a refusal.
    pub fn status(&self, store: u32) -> Vec<u8> {
        let mut writer = Writer::with_capacity(ROOM_BYTES);
        match self.stores.get(&store) {
            Some(store) => writer.status(&store.status()),
            None => writer.refusal(&no_store()),
        }
        writer.into_bytes()
    }

    /// Names calls that another instance made, as `status` lists them but with `rows` as a double.
    /// Returns `[0]`, or a refusal.
    pub fn await_shown(&self, store: u32, calls: &[u8]) -> Vec<u8> {
        let mut writer = Writer::with_capacity(ROOM_BYTES);
        let calls = decode::<Vec<UnshownCall>>(calls).ok_or_else(|| malformed("list of calls"));
        let awaited = calls.and_then(|calls| {
            self.stores.get(&store).ok_or_else(no_store)?.await_shown(calls);
            Ok(())
        });
        match awaited {
            Ok(()) => writer.done(),
            Err(error) => writer.refusal(&error),
        }
        writer.into_bytes()
    }

    /// Answers a question about the login of a Kusto cluster, or refuses. It needs no store.
    pub fn login(&self, question: &[u8]) -> Vec<u8> {
        let mut writer = Writer::with_capacity(ROOM_BYTES);
        if let Err(error) = login(question, &mut writer) {
            writer = Writer::with_capacity(ROOM_BYTES);
            writer.refusal(&error);
        }
        writer.into_bytes()
    }

    /// Answers a question about a stock database in a store, or refuses.
    pub fn takeover(&self, store: u32, question: &[u8]) -> Vec<u8> {
        make_room(question.len().saturating_mul(2));
        let mut writer = Writer::with_capacity(question.len() + ROOM_BYTES);
        let store = self.stores.get(&store).ok_or_else(no_store);
        if let Err(error) = store.and_then(|store| takeover(store, question, &mut writer)) {
            writer = Writer::with_capacity(ROOM_BYTES);
            writer.refusal(&error);
        }
        writer.into_bytes()
    }

    /// Writes the state of an operation, and keeps the operation if it goes on.
    fn write_state(&mut self, state: Result<State, Error>, writer: &mut Writer) {
        let written = state.and_then(|state| self.try_write_state(state, writer));
        if let Err(error) = written {
            writer.refusal(&error);
        }
    }

    fn try_write_state(&mut self, state: State, writer: &mut Writer) -> Result<(), Error> {
        let (running, need) = match state {
            State::Done(outcome) => {
                writer.end(&outcome);
                return Ok(());
            }
            State::AllDone(ended) => {
                writer.all_done(&ended);
                return Ok(());
            }
            State::Needs(running, need) => (running, need),
        };
        let expected = match &running {
            Running::One(operation) => operation.expected()?,
            #[cfg(feature = "kusto")]
            Running::Together(_) => None,
        };
        let text = |text: &str, writer: &mut Writer| self.texts.write(text, writer);
        if let (Need::Sql(batch), Some(Expected::Certain(outcome))) = (&need, &expected) {
            writer.last(batch, outcome, text);
            return Ok(());
        }
        let next = self.last.wrapping_add(1);
        writer.need(next, &need, expected.as_ref(), text);
        let number = self.next();
        self.operations.insert(number, running);
        Ok(())
    }

    fn next(&mut self) -> u32 {
        self.last = self.last.wrapping_add(1);
        self.last
    }
}

/// The state of an operation, as the host gets it.
#[expect(
    clippy::large_enum_variant,
    reason = "one at a time is written, and it is moved a few times"
)]
enum State {
    Needs(Running, Need),
    Done(Outcome),
    #[cfg_attr(not(feature = "kusto"), expect(dead_code, reason = "Kusto has such operations"))]
    AllDone(Ended),
}

impl State {
    fn of(operation: Operation, progress: Progress) -> Self {
        match progress {
            Progress::Need(need) => Self::Needs(Running::One(operation), need),
            Progress::Done(outcome) => Self::Done(outcome),
        }
    }

    #[cfg(feature = "kusto")]
    fn of_together(task: crate::stores::kusto::Task<Ended>, progress: TaskProgress<Ended>) -> Self {
        match progress {
            TaskProgress::Need(need) => Self::Needs(Running::Together(task), need),
            TaskProgress::Done(ended) => Self::AllDone(ended),
        }
    }
}

fn start_together(store: &Store, calls: Vec<Call>, at: Moment) -> Result<State, Error> {
    match store {
        #[cfg(feature = "kusto")]
        Store::Kusto(store) => {
            let (task, progress) = store.start_together(calls, at)?;
            Ok(State::of_together(task, progress))
        }
        _ => {
            let _ = (calls, at);
            Err(Error::protocol(
                "no-joint-calls",
                "calls of a store of SQL share a transaction by themselves; begin each one alone",
            ))
        }
    }
}

#[cfg(feature = "kusto")]
fn login(question: &[u8], writer: &mut Writer) -> Result<(), Error> {
    kusto::login(question, writer)
}

#[cfg(not(feature = "kusto"))]
fn login(_: &[u8], _: &mut Writer) -> Result<(), Error> {
    Err(Error::protocol("store-not-included", "this planner is built without Kusto; use the other"))
}

#[cfg(feature = "takeover")]
fn takeover(store: &Store, question: &[u8], writer: &mut Writer) -> Result<(), Error> {
    takeover::answer(store, question, writer)
}

#[cfg(not(feature = "takeover"))]
fn takeover(_: &Store, _: &[u8], _: &mut Writer) -> Result<(), Error> {
    let message = "this planner is built without what takes databases over; use PostgreSQL's";
    Err(Error::protocol("store-not-included", message))
}

/// The host's moment. A host of SQL passes none, which gives zeros.
fn moment(at: &[u8]) -> Result<Moment, Error> {
    if at.is_empty() {
        return Ok(Moment::default());
    }
    decode(at).ok_or_else(|| malformed("moment"))
}

/// The texts that have a number.
#[derive(Debug, Default)]
struct Texts {
    count: u32,
    /// By length. Few texts have the same length, and comparing texts that begin alike takes longer
    /// than most of what an operation does.
    by_length: BTreeMap<usize, Vec<(String, u32)>>,
}

impl Texts {
    /// Writes the number of a statement's text. The first time it writes the text itself, which
    /// thereby gets the next number.
    fn write(&mut self, text: &str, writer: &mut Writer) {
        let alike = self.by_length.entry(text.len()).or_default();
        if let Some((_, number)) = alike.iter().find(|(known, _)| known == text) {
            return writer.number(*number);
        }
        if self.count < TEXTS_MAX {
            alike.push((text.to_owned(), self.count));
            self.count += 1;
        }
        writer.text(text);
    }
}

/// Reserves memory and returns it to the allocator. Otherwise the allocator asks the host for
/// little more than a page at a time, thousands of times for a large call, and a script engine may
/// collect garbage at each of those steps.
fn make_room(bytes: usize) {
    if bytes < LARGE_BYTES {
        return;
    }
    let mut room: Vec<u8> = Vec::new();
    // If there is not that much memory, the call itself may need less.
    if room.try_reserve_exact(bytes).is_ok() {
        std::hint::black_box(&room);
    }
}

fn no_store() -> Error {
    Error::protocol("unknown-store", "no store of this number is open; open one first")
}
