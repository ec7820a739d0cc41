//! The planner's calls as bytes: `packed` of `wit/planner.wit`, where their shapes are.
//!
//! A host in which a list of bytes crosses for next to nothing, and every field, variant and text
//! of its own costs, enters here. Nothing is decided in this module.

mod read;
mod write;

use std::collections::BTreeMap;

use crate::contract::call::Call;
use crate::contract::error::Error;
use crate::format::read::decode;
use crate::operations::{Answer, Expected, Operation, Progress};

use read::PackedAnswer;
use write::Writer;

/// Statements have so many texts at most that are numbered; the others cross whole each time.
const TEXTS_MAX: u32 = 256;

/// What most answers hold beside what their call holds.
const ROOM_BYTES: usize = 1024;

/// From so many bytes on a call's memory is taken in one step.
const LARGE_BYTES: usize = 1 << 22;

/// About how many bytes are taken for each byte of a call that is large.
const BYTES_FOR_EACH: usize = 6;

/// About how many bytes a write takes beside its value.
const WRITE_BYTES: usize = 1024;

/// The operations of one caller that are under way.
#[derive(Debug, Default)]
pub struct Packed {
    operations: BTreeMap<u32, Operation>,
    last: u32,
    texts: Texts,
}

impl Packed {
    /// Begins packed calls; gives the list of where they stand, packed.
    pub fn start(&mut self, calls: &[impl AsRef<[u8]>]) -> Vec<u8> {
        // A statement holds about what its call does, and an id a few times.
        let bytes: usize = calls.iter().map(|call| call.as_ref().len() + ROOM_BYTES).sum();
        make_room(bytes.saturating_mul(BYTES_FOR_EACH));
        let mut writer = Writer::with_capacity(bytes);
        writer.array(calls.len());
        for call in calls {
            self.start_one(call.as_ref(), &mut writer);
        }
        writer.into_bytes()
    }

    #[inline(never)]
    fn start_one(&mut self, call: &[u8], writer: &mut Writer) {
        let started = match decode::<Call>(call) {
            Some(call) => {
                if let Call::PutWrites(writes) = &call {
                    make_room(writes.writes.len().saturating_mul(WRITE_BYTES));
                }
                Operation::start(call)
            }
            None => Err(malformed("call")),
        };
        self.tell(started, writer);
    }

    /// Gives packed row sets to an operation; gives where it stands, packed.
    #[inline(never)]
    pub fn advance(&mut self, operation: u32, row_sets: &[u8]) -> Vec<u8> {
        make_room(row_sets.len().saturating_mul(BYTES_FOR_EACH));
        let progress = match self.operations.remove(&operation) {
            Some(mut operation) => match decode::<PackedAnswer>(row_sets) {
                Some(PackedAnswer(sets)) => {
                    operation.advance(Answer::Sql(sets)).map(|progress| (operation, progress))
                }
                None => Err(malformed("list of row sets")),
            },
            None => Err(Error::protocol(
                "ended-operation",
                "an operation was advanced after its end; start another one",
            )),
        };
        let mut writer = Writer::with_capacity(ROOM_BYTES);
        self.tell(progress, &mut writer);
        writer.into_bytes()
    }

    /// Forgets an operation that is not to be advanced any more.
    pub fn end(&mut self, operation: u32) {
        self.operations.remove(&operation);
    }

    /// Says where an operation stands, and keeps it if it goes on.
    fn tell(&mut self, stands: Result<(Operation, Progress), Error>, writer: &mut Writer) {
        let told = stands.and_then(|(operation, progress)| match progress {
            Progress::Done(outcome) => {
                writer.end(&outcome);
                Ok(())
            }
            Progress::Need(need) => {
                let expected = operation.expected()?;
                let text = |text: &str, writer: &mut Writer| self.texts.write(text, writer);
                if let Some(Expected::Certain(outcome)) = &expected {
                    writer.last(&need, outcome, text);
                    return Ok(());
                }
                self.last = self.last.wrapping_add(1);
                writer.need(self.last, &need, expected.as_ref(), text);
                self.operations.insert(self.last, operation);
                Ok(())
            }
        });
        if let Err(error) = told {
            writer.refusal(&error);
        }
    }
}

/// The texts that are numbered.
#[derive(Debug, Default)]
struct Texts {
    count: u32,
    /// By their lengths: texts of one length are few, and to compare texts that begin alike takes
    /// longer than most of what an operation does.
    by_length: BTreeMap<usize, Vec<(String, u32)>>,
}

impl Texts {
    /// Writes the number by which both sides know a statement's text; at its first time the text
    /// itself, which thereby gets the next.
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
    Error::protocol("malformed-bytes", format!("a packed {what} has not the shape of one"))
}
