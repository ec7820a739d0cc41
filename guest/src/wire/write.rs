//! Writes needs, outcomes and refusals as bytes.

use std::convert::Infallible;

use rmp::encode::{self, ByteBuf, ValueWriteError};

use crate::contract::call::{ChannelVersion, Payload, Version};
use crate::contract::difference::{ChannelDifference, Difference, PartSize};
use crate::contract::error::Error;
use crate::contract::http::{Authorization, HttpRequest};
use crate::contract::lifecycle::{Problem, Stats, ThreadSummary, Verified, Work};
use crate::contract::outcome::{
    ChannelHistory, CheckpointTuple, Exported, FoundCheckpoint, Outcome, Page, PendingWrite,
    PlacedWrite, SharedPayload, Span, StoredCheckpoint, TupleValue,
};
use crate::contract::progress::{Expected, Need};
use crate::contract::statement::{Access, Batch, Value};
use crate::contract::status::{Status, Waiting};
#[cfg(feature = "kusto")]
use crate::stores::kusto::connection::{ClientSecret, Connection, Login};
#[cfg(feature = "kusto")]
use crate::stores::kusto::token::Token;

/// The extension type of text that begins with a byte order mark, which decoders tend to drop.
const MARKED_TEXT: i8 = 1;

/// The bytes written so far.
pub(super) struct Writer(ByteBuf);

/// Writing to memory cannot fail.
fn written<T>(result: Result<T, ValueWriteError<Infallible>>) {
    match result {
        Ok(_) => {}
        Err(
            ValueWriteError::InvalidMarkerWrite(never) | ValueWriteError::InvalidDataWrite(never),
        ) => match never {},
    }
}

/// A length in 32 bits, which the component's own memory does not exceed.
fn length(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

impl Writer {
    /// A writer with room for this many bytes: growing step by step would copy them each time.
    pub(super) fn with_capacity(bytes: usize) -> Self {
        Self(ByteBuf::with_capacity(bytes))
    }

    pub(super) fn into_bytes(self) -> Vec<u8> {
        self.0.into_vec()
    }

    pub(super) fn array(&mut self, fields: usize) {
        written(encode::write_array_len(&mut self.0, length(fields)));
    }

    pub(super) fn list<T>(&mut self, elements: &[T], mut write: impl FnMut(&mut Self, &T)) {
        self.array(elements.len());
        for element in elements {
            write(self, element);
        }
    }

    pub(super) fn nil(&mut self) {
        let Ok(()) = encode::write_nil(&mut self.0);
    }

    fn bool(&mut self, value: bool) {
        let Ok(()) = encode::write_bool(&mut self.0, value);
    }

    pub(super) fn number(&mut self, number: u32) {
        written(encode::write_uint(&mut self.0, number.into()));
    }

    pub(super) fn real(&mut self, real: f64) {
        written(encode::write_f64(&mut self.0, real));
    }

    pub(super) fn text(&mut self, text: &str) {
        if text.starts_with('\u{feff}') {
            written(encode::write_ext_meta(&mut self.0, length(text.len()), MARKED_TEXT));
            self.0.as_mut_vec().extend_from_slice(text.as_bytes());
        } else {
            written(encode::write_str(&mut self.0, text));
        }
    }

    pub(super) fn bytes(&mut self, bytes: &[u8]) {
        written(encode::write_bin(&mut self.0, bytes));
    }

    pub(super) fn optional<T>(&mut self, value: Option<&T>, write: impl FnOnce(&mut Self, &T)) {
        match value {
            Some(value) => write(self, value),
            None => self.nil(),
        }
    }

    #[inline(never)]
    pub(super) fn value(&mut self, value: &Value) {
        match value {
            Value::Null => self.nil(),
            // Always in 64 bits, by which the reader tells it from a double.
            Value::Integer(integer) => written(encode::write_i64(&mut self.0, *integer)),
            Value::Real(real) => self.real(*real),
            Value::Text(text) => self.text(text),
            Value::Blob(blob) => self.bytes(blob),
        }
    }

    pub(super) fn payload(&mut self, Payload { kind, bytes }: &Payload) {
        self.array(2);
        self.text(kind);
        self.bytes(bytes);
    }

    #[inline(never)]
    fn tuple(&mut self, tuple: &CheckpointTuple<TupleValue>) {
        self.tuple_of(tuple, Self::tuple_value);
    }

    fn tuple_of<V>(&mut self, tuple: &CheckpointTuple<V>, write: fn(&mut Self, &V)) {
        self.array(12);
        self.text(&tuple.thread_id);
        self.text(&tuple.checkpoint_ns);
        self.text(&tuple.checkpoint_id);
        self.optional(tuple.parent_checkpoint_id.as_ref(), |writer, id| writer.text(id));
        self.real(tuple.v);
        self.text(&tuple.ts);
        self.list(&tuple.channel_versions, Self::version);
        self.list(&tuple.channel_values, |writer, value| {
            writer.array(2);
            writer.text(&value.channel);
            write(writer, &value.value);
        });
        self.payload(&tuple.rest);
        self.payload(&tuple.metadata);
        self.list(&tuple.pending_writes, Self::pending_write);
        self.optional(tuple.pending_sends.as_ref(), |writer, sends| {
            writer.list(sends, Self::payload);
        });
    }

    pub(super) fn version(&mut self, ChannelVersion { channel, version }: &ChannelVersion) {
        self.array(2);
        self.text(channel);
        self.version_alone(version);
    }

    fn version_alone(&mut self, version: &Version) {
        match version {
            Version::Number(number) => self.real(*number),
            Version::Text(text) => self.text(text),
        }
    }

    fn tuple_value(&mut self, value: &TupleValue) {
        match value {
            TupleValue::Unchanged => self.nil(),
            TupleValue::Whole(payload) => self.payload(payload),
            TupleValue::Shared(SharedPayload { kind, spans }) => {
                self.array(2);
                self.text(kind);
                self.list(spans, |writer, Span { begin, end }| {
                    writer.array(2);
                    writer.number(*begin);
                    writer.number(*end);
                });
            }
        }
    }

    fn pending_write(&mut self, write: &PendingWrite) {
        self.array(3);
        self.text(&write.task_id);
        self.text(&write.channel);
        self.payload(&write.value);
    }
}

impl Writer {
    /// Writes the state of an operation that needs an answer.
    pub(super) fn need(
        &mut self,
        operation: u32,
        need: &Need,
        expected: Option<&Expected>,
        text: impl FnMut(&str, &mut Self),
    ) {
        match need {
            Need::Sql(batch) => {
                self.array(5);
                self.number(0);
                self.number(operation);
                self.batch(batch, text);
                match expected {
                    Some(Expected::Certain(outcome) | Expected::WithRows(outcome)) => {
                        self.outcome(outcome);
                    }
                    Some(Expected::Answered) => self.bool(true),
                    None => self.nil(),
                }
            }
            Need::Http(request) => {
                self.array(9);
                self.number(4);
                self.number(operation);
                self.request(request);
            }
            Need::Wait(milliseconds) => {
                self.array(3);
                self.number(5);
                self.number(operation);
                self.number(*milliseconds);
            }
        }
    }

    /// Writes the state of an operation that ends as soon as its batch is answered.
    pub(super) fn last(
        &mut self,
        batch: &Batch,
        outcome: &Outcome,
        text: impl FnMut(&str, &mut Self),
    ) {
        self.array(4);
        self.number(3);
        self.batch(batch, text);
        self.outcome(outcome);
    }

    /// Writes the seven fields of a request.
    fn request(&mut self, request: &HttpRequest) {
        self.text(&request.method);
        self.text(&request.url);
        self.list(&request.headers, |writer, (name, value)| {
            writer.array(2);
            writer.text(name);
            writer.text(value);
        });
        self.bytes(&request.body);
        self.number(match request.authorization {
            Authorization::None => 0,
            Authorization::Token => 1,
            Authorization::FreshToken => 2,
        });
        self.number(request.timeout_ms);
        self.real(request.response_bytes_max as f64);
    }

    /// Writes the number of a store that was opened.
    pub(super) fn opened(&mut self, store: u32) {
        self.array(2);
        self.number(0);
        self.number(store);
    }

    /// Writes that a function succeeded.
    pub(super) fn done(&mut self) {
        self.array(1);
        self.number(0);
    }

    /// Writes how calls that were made together ended.
    pub(super) fn all_done(&mut self, ended: &[Result<Outcome, Error>]) {
        self.array(2);
        self.number(6);
        self.list(ended, |writer, one| match one {
            Ok(outcome) => writer.end(outcome),
            Err(error) => writer.refusal(error),
        });
    }

    /// Writes the status of a store.
    pub(super) fn status(&mut self, status: &Status) {
        self.array(5);
        self.number(0);
        self.optional(status.flush_due.as_ref(), |writer, due| writer.real(*due as f64));
        let Waiting { checkpoints, writes, threads } = status.waiting;
        self.list(&[checkpoints, writes, threads], |writer, count| writer.number(*count));
        self.list(&status.unshown, |writer, call| {
            writer.array(3);
            writer.text(&call.thread_id);
            writer.value(&Value::Integer(call.rev));
            writer.number(call.rows);
        });
        self.optional(status.warning.as_ref(), |writer, warning| writer.text(warning));
    }

    #[inline(never)]
    fn batch(&mut self, batch: &Batch, mut text: impl FnMut(&str, &mut Self)) {
        self.number(match batch.access {
            Access::Read => 0,
            Access::Write => 1,
        });
        self.list(&batch.statements, |writer, statement| {
            writer.array(2);
            text(&statement.text, writer);
            writer.list(&statement.parameters, |writer, row| writer.list(row, Self::value));
        });
    }

    /// Writes the end of an operation.
    pub(super) fn end(&mut self, outcome: &Outcome) {
        self.array(2);
        self.number(1);
        self.outcome(outcome);
    }

    #[inline(never)]
    fn outcome(&mut self, outcome: &Outcome) {
        match outcome {
            Outcome::Ready(None) => case(self, 0, 0),
            Outcome::Ready(Some(warning)) => {
                case(self, 0, 1);
                self.text(warning);
            }
            Outcome::Found(None) => case(self, 1, 0),
            Outcome::Found(Some(found)) => write_found(self, found),
            Outcome::Page(page) => write_page(self, page),
            Outcome::Stored(stored) => write_stored(self, stored),
            Outcome::Stale(known) => {
                case(self, 4, 1);
                self.bytes(known);
            }
            Outcome::WritesStored => case(self, 5, 0),
            Outcome::Deleted => case(self, 6, 0),
            Outcome::History(histories) => {
                case(self, 7, 1);
                self.list(histories, write_history);
            }
            Outcome::Worked(work) => write_work(self, work),
            Outcome::Threads(page) => {
                case(self, 9, 2);
                self.list(&page.threads, write_thread);
                self.optional(page.next.as_ref(), |writer, next| writer.bytes(next));
            }
            Outcome::Stats(stats) => write_stats(self, stats),
            Outcome::Verified(verified) => write_verified(self, verified),
            Outcome::Exported(None) => case(self, 12, 0),
            Outcome::Exported(Some(exported)) => write_exported(self, exported),
            Outcome::Differences(None) => case(self, 13, 0),
            Outcome::Differences(Some(difference)) => write_difference(self, difference),
        }
    }

    /// Writes why an operation was refused or failed.
    #[inline(never)]
    pub(super) fn refusal(&mut self, error: &Error) {
        let (tag, maybe_stored) = match error {
            Error::InvalidInput(_) => ("invalid-input", false),
            Error::Corrupt(_) => ("corrupt", false),
            Error::UnsupportedFormat(_) => ("unsupported-format", false),
            Error::Protocol(_) => ("protocol", false),
            Error::Storage(store) => ("storage", store.maybe_stored),
            Error::Unavailable(store) => ("unavailable", store.maybe_stored),
            Error::Denied(store) => ("denied", store.maybe_stored),
        };
        self.array(5);
        self.number(2);
        self.text(tag);
        self.text(error.code());
        self.text(&error.fault().message);
        self.bool(maybe_stored);
    }
}

#[cfg(feature = "kusto")]
impl Writer {
    /// Writes what a connection string says.
    pub(super) fn connection(&mut self, connection: &Connection) {
        self.array(4);
        self.number(0);
        self.text(&connection.cluster_uri);
        self.optional(connection.database.as_ref(), |writer, name| writer.text(name));
        match &connection.login {
            Login::Unspecified => self.nil(),
            Login::Token(token) => self.list(&[token], |writer, text| writer.text(text)),
            Login::ClientSecret(ClientSecret { tenant, client_id, secret }) => {
                self.list(&[tenant, client_id, secret], |writer, text| writer.text(text));
            }
        }
    }

    /// Writes a request for a token.
    pub(super) fn token_request(&mut self, request: &HttpRequest) {
        self.array(8);
        self.number(0);
        self.request(request);
    }

    /// Writes a token and when it expires.
    pub(super) fn token(&mut self, token: &Token) {
        self.array(3);
        self.number(0);
        self.text(&token.value);
        self.real(token.expires_at as f64);
    }
}

pub(super) fn case(writer: &mut Writer, case: u32, fields: usize) {
    writer.array(1 + fields);
    writer.number(case);
}

#[inline(never)]
fn write_found(writer: &mut Writer, found: &FoundCheckpoint) {
    case(writer, 1, 3);
    writer.tuple(&found.tuple);
    writer.bytes(&found.known);
    writer.list(&found.bases, |writer, base| {
        writer.array(2);
        writer.text(&base.channel);
        writer.list(&base.lengths, |writer, length| writer.number(*length));
    });
}

#[inline(never)]
fn write_page(writer: &mut Writer, page: &Page) {
    case(writer, 2, 3);
    writer.list(&page.tuples, Writer::tuple);
    writer.bytes(&page.shared);
    writer.optional(page.next.as_ref(), |writer, next| writer.bytes(next));
}

#[inline(never)]
fn write_stored(writer: &mut Writer, stored: &StoredCheckpoint) {
    case(writer, 3, 5);
    writer.text(&stored.thread_id);
    writer.text(&stored.checkpoint_ns);
    writer.text(&stored.checkpoint_id);
    writer.bytes(&stored.known);
    writer.list(&stored.values, |writer, value| {
        writer.array(2);
        writer.text(&value.channel);
        writer.bool(value.editable);
    });
}

fn write_work(writer: &mut Writer, work: &Work) {
    case(writer, 8, 6);
    for count in [work.threads, work.checkpoints, work.writes, work.chunks, work.bytes] {
        writer.real(count as f64);
    }
    writer.optional(work.next.as_ref(), |writer, next| writer.bytes(next));
}

fn write_thread(writer: &mut Writer, thread: &ThreadSummary) {
    writer.array(7);
    writer.text(&thread.thread_id);
    writer.text(&thread.checkpoint_id);
    writer.text(&thread.ts);
    writer.payload(&thread.metadata);
    for count in [thread.namespaces, thread.checkpoints, thread.writes] {
        writer.real(count as f64);
    }
}

fn write_verified(writer: &mut Writer, verified: &Verified) {
    case(writer, 11, 7);
    let Verified { threads, checkpoints, writes, chunks, bytes, .. } = *verified;
    for count in [threads, checkpoints, writes, chunks, bytes] {
        writer.real(count as f64);
    }
    writer.list(&verified.problems, |writer, Problem { thread_id, code, message }| {
        writer.array(3);
        writer.text(thread_id);
        writer.text(code);
        writer.text(message);
    });
    writer.optional(verified.next.as_ref(), |writer, next| writer.bytes(next));
}

fn write_exported(writer: &mut Writer, exported: &Exported) {
    case(writer, 12, 6);
    writer.text(&exported.thread_id);
    writer.text(&exported.checkpoint_ns);
    writer.text(&exported.checkpoint_id);
    writer.optional(exported.checkpoint.as_ref(), |writer, tuple| {
        writer.tuple_of(tuple, Writer::payload);
    });
    writer.list(&exported.writes, |writer, write| {
        let PlacedWrite { task_id, task_path, idx, channel, value } = write;
        writer.array(5);
        writer.text(task_id);
        writer.text(task_path);
        writer.real(*idx as f64);
        writer.text(channel);
        writer.payload(value);
    });
    writer.bytes(&exported.next);
}

fn write_difference(writer: &mut Writer, difference: &Difference) {
    case(writer, 13, 3);
    writer.optional(difference.before.as_ref(), |writer, id| writer.text(id));
    writer.list(&difference.channels, write_channel);
    writer.list(&difference.writes, |writer, write| {
        writer.array(3);
        writer.text(&write.task_id);
        writer.text(&write.channel);
        write_part(writer, &write.value);
    });
}

fn write_channel(writer: &mut Writer, channel: &ChannelDifference) {
    writer.array(6);
    writer.text(&channel.channel);
    for version in [&channel.version_before, &channel.version_after] {
        writer.optional(version.as_ref(), Writer::version_alone);
    }
    for part in [&channel.before, &channel.after] {
        writer.optional(part.as_ref(), write_part);
    }
    writer.optional(channel.elements.as_ref(), |writer, elements| {
        writer.list(elements, |writer, element| {
            writer.array(3);
            writer.optional(element.place.as_ref(), |writer, place| writer.number(*place));
            for part in [&element.before, &element.after] {
                writer.optional(part.as_ref(), write_part);
            }
        });
    });
}

fn write_part(writer: &mut Writer, part: &PartSize) {
    writer.array(2);
    writer.real(part.bytes as f64);
    writer.optional(part.value.as_ref(), Writer::payload);
}

fn write_stats(writer: &mut Writer, stats: &Stats) {
    case(writer, 10, 6);
    let Stats { threads, checkpoints, writes, record_bytes, chunks, chunk_bytes } = *stats;
    for count in [threads, checkpoints, writes, record_bytes, chunks, chunk_bytes] {
        writer.real(count as f64);
    }
}

#[inline(never)]
fn write_history(writer: &mut Writer, history: &ChannelHistory) {
    writer.array(5);
    writer.text(&history.channel);
    writer.bool(history.goes_on);
    writer.list(&history.writes, Writer::pending_write);
    writer.optional(history.seed.as_ref(), Writer::payload);
    writer.optional(history.known.as_ref(), |writer, known| writer.bytes(known));
}
