//! The planner's calls as bytes: the interface `wire` of `wit/planner`, where their shapes are.
//!
//! A host enters here if a list of bytes crosses for next to nothing, and every field, variant and
//! text of its own costs. Nothing is decided in this module.

#[cfg(feature = "kusto")]
mod kusto;
mod read;
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

use write::Writer;

/// At most so many texts of statements get a number; the others cross whole each time.
const TEXTS_MAX: u32 = 256;

/// What most answers hold beside what their call holds.
const ROOM_BYTES: usize = 1024;

/// From so many bytes on a call's memory is taken in one step.
const LARGE_BYTES: usize = 1 << 22;

/// About how many bytes are taken for each byte of a call that is large.
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

/// What is under way.
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

/// How calls ended that were made together.
type Ended = Vec<Result<Outcome, Error>>;

/// What is to be begun.
#[expect(clippy::large_enum_variant, reason = "one at a time is begun")]
enum Start {
    One(Call),
    /// Calls of one thread that write.
    Together(Vec<Call>),
}

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

    /// Begins a call. Returns where it stands.
    pub fn start(&mut self, store: u32, call: &[u8], at: &[u8]) -> Vec<u8> {
        // A statement holds about what its call does, and an id a few times.
        let bytes = call.len() + ROOM_BYTES;
        make_room(bytes.saturating_mul(BYTES_FOR_EACH));
        let mut writer = Writer::with_capacity(bytes);
        let started = self.begin(store, call, at);
        self.tell(started, &mut writer);
        writer.into_bytes()
    }

    #[inline(never)]
    fn begin(&self, store: u32, call: &[u8], at: &[u8]) -> Result<Stand, Error> {
        let at = moment(at)?;
        let store = self.stores.get(&store).ok_or_else(no_store)?;
        match decode::<Start>(call).ok_or_else(|| malformed("call"))? {
            Start::One(call) => {
                if let Call::PutWrites(writes) = &call {
                    make_room(writes.writes.len().saturating_mul(WRITE_BYTES));
                }
                let (operation, progress) = store.start(call, at)?;
                Ok(Stand::of(operation, progress))
            }
            Start::Together(calls) => start_together(store, calls, at),
        }
    }

    /// Gives an answer to an operation. Returns where it stands.
    #[inline(never)]
    pub fn advance(&mut self, operation: u32, answer: &[u8], at: &[u8]) -> Vec<u8> {
        make_room(answer.len().saturating_mul(BYTES_FOR_EACH));
        let running = self.operations.remove(&operation).ok_or_else(Error::ended_operation);
        let stand = running.and_then(|running| {
            let answer = decode::<Answer>(answer).ok_or_else(|| malformed("answer"))?;
            let at = moment(at)?;
            match running {
                Running::One(mut operation) => {
                    let progress = operation.advance(answer, at)?;
                    Ok(Stand::of(operation, progress))
                }
                #[cfg(feature = "kusto")]
                Running::Together(mut task) => {
                    let progress = task.advance(answer, at)?;
                    Ok(Stand::of_together(task, progress))
                }
            }
        });
        let mut writer = Writer::with_capacity(ROOM_BYTES);
        self.tell(stand, &mut writer);
        writer.into_bytes()
    }

    /// Forgets an operation that is not to be advanced any more.
    pub fn end(&mut self, operation: u32) {
        self.operations.remove(&operation);
    }

    /// What a host does something about between calls.
    pub fn status(&self, store: u32) -> Vec<u8> {
        let mut writer = Writer::with_capacity(ROOM_BYTES);
        match self.stores.get(&store) {
            Some(store) => writer.status(&store.status()),
            None => writer.refusal(&no_store()),
        }
        writer.into_bytes()
    }

    /// Calls that another instance has made, in the shape of `status`. Returns `[0]`, or a refusal.
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

    /// Answers a question about a store's login, of which the store needs to know nothing.
    pub fn login(&self, question: &[u8]) -> Vec<u8> {
        let mut writer = Writer::with_capacity(ROOM_BYTES);
        if let Err(error) = login(question, &mut writer) {
            writer = Writer::with_capacity(ROOM_BYTES);
            writer.refusal(&error);
        }
        writer.into_bytes()
    }

    /// Says where an operation stands, and keeps it if it goes on.
    fn tell(&mut self, stand: Result<Stand, Error>, writer: &mut Writer) {
        let told = stand.and_then(|stand| self.tell_stand(stand, writer));
        if let Err(error) = told {
            writer.refusal(&error);
        }
    }

    fn tell_stand(&mut self, stand: Stand, writer: &mut Writer) -> Result<(), Error> {
        let (running, need) = match stand {
            Stand::Done(outcome) => {
                writer.end(&outcome);
                return Ok(());
            }
            Stand::AllDone(ended) => {
                writer.all_done(&ended);
                return Ok(());
            }
            Stand::Needs(running, need) => (running, need),
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

/// Where an operation stands.
#[expect(clippy::large_enum_variant, reason = "one at a time is told, and it is moved a few times")]
enum Stand {
    Needs(Running, Need),
    Done(Outcome),
    #[cfg_attr(not(feature = "kusto"), expect(dead_code, reason = "Kusto has such operations"))]
    AllDone(Ended),
}

impl Stand {
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

fn start_together(store: &Store, calls: Vec<Call>, at: Moment) -> Result<Stand, Error> {
    match store {
        #[cfg(feature = "kusto")]
        Store::Kusto(store) => {
            let (task, progress) = store.start_together(calls, at)?;
            Ok(Stand::of_together(task, progress))
        }
        Store::Sqlite => {
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

/// The host's moment; a host of SQL gives none.
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
    /// By their lengths: texts of one length are few, and to compare texts that begin alike takes
    /// longer than most of what an operation does.
    by_length: BTreeMap<usize, Vec<(String, u32)>>,
}

impl Texts {
    /// Writes the number by which both sides know a statement's text; the first time the text
    /// itself, which thereby gets the next number.
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

/// Takes memory and gives it back to the allocator, which asks the host for little more than a page
/// at a time. A script engine may collect its garbage at each of those steps, of which a large call
/// takes thousands.
fn make_room(bytes: usize) {
    if bytes < LARGE_BYTES {
        return;
    }
    let mut room: Vec<u8> = Vec::new();
    // Where there is not so much, the call itself may do with less.
    if room.try_reserve_exact(bytes).is_ok() {
        std::hint::black_box(&room);
    }
}

fn malformed(what: &str) -> Error {
    Error::protocol("malformed-bytes", format!("the bytes of a {what} have not its shape"))
}

fn no_store() -> Error {
    Error::protocol("unknown-store", "no store of this number is open; open one first")
}
