//! The generated types, and their conversions from and to the guest's, field by field. No other
//! file names them but `component.rs`, which calls them.

use std::borrow::Cow;

use langgraph_checkpoint_guest as guest;

use crate::error::{Error, Fault, StoreFault};

#[allow(
    missing_docs,
    unreachable_pub,
    clippy::all,
    reason = "generated from wit/planner.wit, where the documentation is"
)]
mod generated {
    wasmtime::component::bindgen!({
        path: "wit",
        world: "planner",
        exports: { default: async },
    });
}

pub(crate) use generated::Planner;
pub(crate) use generated::PlannerPre;
pub(crate) use generated::exports::langgraph::checkpoint::operations as wit;

fn all<A, B: From<A>>(list: Vec<A>) -> Vec<B> {
    list.into_iter().map(B::from).collect()
}

// ---- to the component -------------------------------------------------------------------

impl From<guest::Id> for wit::Id {
    fn from(id: guest::Id) -> Self {
        match id {
            guest::Id::Absent => Self::Absent,
            guest::Id::Text(text) => Self::Text(text),
            guest::Id::Number(number) => Self::Number(number),
            guest::Id::Unsupported(name) => Self::Unsupported(name),
        }
    }
}

impl From<guest::Config> for wit::Config {
    fn from(config: guest::Config) -> Self {
        Self {
            thread_id: config.thread_id.into(),
            checkpoint_ns: config.checkpoint_ns.into(),
            checkpoint_id: config.checkpoint_id.into(),
            thread_ts: config.thread_ts.into(),
        }
    }
}

impl From<guest::Payload> for wit::Payload {
    fn from(payload: guest::Payload) -> Self {
        Self { kind: payload.kind, bytes: payload.bytes }
    }
}

impl From<guest::ChannelVersion> for wit::ChannelVersion {
    fn from(entry: guest::ChannelVersion) -> Self {
        let version = match entry.version {
            guest::Version::Number(number) => wit::Version::Number(number),
            guest::Version::Text(text) => wit::Version::Text(text),
        };
        Self { channel: entry.channel, version }
    }
}

impl From<guest::ChannelValue<guest::NewValue>> for wit::NewChannelValue {
    fn from(entry: guest::ChannelValue<guest::NewValue>) -> Self {
        let value = match entry.value {
            guest::NewValue::Whole(payload) => wit::NewValue::Whole(payload.into()),
            guest::NewValue::Edited(runs) => wit::NewValue::Edited(all(runs)),
            guest::NewValue::Unchanged => wit::NewValue::Unchanged,
        };
        Self { channel: entry.channel, value }
    }
}

impl From<guest::Run> for wit::Run {
    fn from(run: guest::Run) -> Self {
        match run {
            guest::Run::Kept { first, count } => Self::Kept(wit::KeptElements { first, count }),
            guest::Run::Fresh(bytes) => Self::Fresh(bytes),
        }
    }
}

impl From<guest::NewWrite> for wit::NewWrite {
    fn from(write: guest::NewWrite) -> Self {
        Self { channel: write.channel, value: write.value.into() }
    }
}

impl From<guest::MetadataFilter> for wit::MetadataFilter {
    fn from(filter: guest::MetadataFilter) -> Self {
        Self { key: filter.key, json: filter.json }
    }
}

impl From<guest::Put> for wit::PutCall {
    fn from(put: guest::Put) -> Self {
        Self {
            config: put.config.into(),
            checkpoint: wit::Checkpoint {
                id: put.checkpoint.id.into(),
                v: put.checkpoint.v,
                ts: put.checkpoint.ts,
                channel_versions: all(put.checkpoint.channel_versions),
                channel_values: all(put.checkpoint.channel_values),
                rest: put.checkpoint.rest.into(),
            },
            metadata: put.metadata.into(),
            new_versions: put.new_versions,
            known: put.known,
        }
    }
}

impl From<guest::GetTuple> for wit::GetTupleCall {
    fn from(call: guest::GetTuple) -> Self {
        Self { config: call.config.into(), known: call.known }
    }
}

impl From<guest::List> for wit::ListCall {
    fn from(list: guest::List) -> Self {
        Self {
            config: list.config.into(),
            limit: list.limit,
            before: list.before.into(),
            filter: all(list.filter),
            resume: list.resume,
        }
    }
}

impl From<guest::PutWrites> for wit::PutWritesCall {
    fn from(put_writes: guest::PutWrites) -> Self {
        Self {
            config: put_writes.config.into(),
            writes: all(put_writes.writes),
            task_id: put_writes.task_id.into(),
            task_path: put_writes.task_path,
        }
    }
}

impl From<guest::DeltaChannelHistory> for wit::DeltaChannelHistoryCall {
    fn from(history: guest::DeltaChannelHistory) -> Self {
        Self { config: history.config.into(), channels: history.channels, known: history.known }
    }
}

impl From<guest::Value> for wit::Value {
    fn from(value: guest::Value) -> Self {
        match value {
            guest::Value::Null => Self::Null,
            guest::Value::Integer(integer) => Self::Integer(integer),
            guest::Value::Real(real) => Self::Real(real),
            guest::Value::Text(text) => Self::Text(text),
            guest::Value::Blob(bytes) => Self::Blob(bytes),
        }
    }
}

impl From<guest::RowSet> for wit::RowSet {
    fn from(set: guest::RowSet) -> Self {
        Self { rows: set.rows.into_iter().map(all).collect() }
    }
}

impl From<guest::Answer> for wit::Answer {
    fn from(answer: guest::Answer) -> Self {
        match answer {
            guest::Answer::Sql(sets) => Self::Sql(all(sets)),
        }
    }
}

// ---- from the component -----------------------------------------------------------------

impl From<wit::Payload> for guest::Payload {
    fn from(payload: wit::Payload) -> Self {
        Self { kind: payload.kind, bytes: payload.bytes }
    }
}

impl From<wit::ChannelVersion> for guest::ChannelVersion {
    fn from(entry: wit::ChannelVersion) -> Self {
        let version = match entry.version {
            wit::Version::Number(number) => guest::Version::Number(number),
            wit::Version::Text(text) => guest::Version::Text(text),
        };
        Self { channel: entry.channel, version }
    }
}

impl From<wit::TupleChannelValue> for guest::ChannelValue<guest::TupleValue> {
    fn from(entry: wit::TupleChannelValue) -> Self {
        let value = match entry.value {
            wit::TupleValue::Whole(payload) => guest::TupleValue::Whole(payload.into()),
            wit::TupleValue::Shared(shared) => guest::TupleValue::Shared {
                kind: shared.kind,
                spans: shared.spans.into_iter().map(|span| span.begin..span.end).collect(),
            },
            wit::TupleValue::Unchanged => guest::TupleValue::Unchanged,
        };
        Self { channel: entry.channel, value }
    }
}

impl From<wit::KnownValue> for guest::KnownValue {
    fn from(value: wit::KnownValue) -> Self {
        Self { channel: value.channel, editable: value.editable }
    }
}

impl From<wit::Base> for guest::Base {
    fn from(base: wit::Base) -> Self {
        Self { channel: base.channel, lengths: base.lengths }
    }
}

impl From<wit::FoundCheckpoint> for guest::FoundCheckpoint {
    fn from(found: wit::FoundCheckpoint) -> Self {
        Self { tuple: found.tuple.into(), known: found.known, bases: all(found.bases) }
    }
}

impl From<wit::PendingWrite> for guest::PendingWrite {
    fn from(write: wit::PendingWrite) -> Self {
        Self { task_id: write.task_id, channel: write.channel, value: write.value.into() }
    }
}

impl From<wit::CheckpointTuple> for guest::CheckpointTuple<guest::TupleValue> {
    fn from(tuple: wit::CheckpointTuple) -> Self {
        Self {
            thread_id: tuple.thread_id,
            checkpoint_ns: tuple.checkpoint_ns,
            checkpoint_id: tuple.checkpoint_id,
            parent_checkpoint_id: tuple.parent_checkpoint_id,
            v: tuple.v,
            ts: tuple.ts,
            channel_versions: all(tuple.channel_versions),
            channel_values: all(tuple.channel_values),
            rest: tuple.rest.into(),
            metadata: tuple.metadata.into(),
            pending_writes: all(tuple.pending_writes),
            pending_sends: tuple.pending_sends.map(all),
        }
    }
}

impl From<wit::ChannelHistory> for guest::ChannelHistory {
    fn from(history: wit::ChannelHistory) -> Self {
        Self {
            channel: history.channel,
            goes_on: history.goes_on,
            writes: all(history.writes),
            seed: history.seed.map(Into::into),
            known: history.known,
        }
    }
}

impl From<wit::Value> for guest::Value {
    fn from(value: wit::Value) -> Self {
        match value {
            wit::Value::Null => Self::Null,
            wit::Value::Integer(integer) => Self::Integer(integer),
            wit::Value::Real(real) => Self::Real(real),
            wit::Value::Text(text) => Self::Text(text),
            wit::Value::Blob(bytes) => Self::Blob(bytes),
        }
    }
}

impl From<wit::Statement> for guest::Statement {
    fn from(statement: wit::Statement) -> Self {
        let parameters = statement.parameters.into_iter().map(all).collect();
        Self { text: statement.text, parameters }
    }
}

impl From<wit::Batch> for guest::Batch {
    fn from(batch: wit::Batch) -> Self {
        let access = match batch.access {
            wit::Access::Read => guest::Access::Read,
            wit::Access::Write => guest::Access::Write,
        };
        Self { access, statements: all(batch.statements) }
    }
}

impl From<wit::Outcome> for guest::Outcome {
    fn from(outcome: wit::Outcome) -> Self {
        match outcome {
            wit::Outcome::Ready => Self::Ready,
            wit::Outcome::Found(found) => Self::Found(found.map(Into::into)),
            wit::Outcome::Page(page) => Self::Page(guest::Page {
                tuples: all(page.tuples),
                shared: page.shared,
                next: page.next,
            }),
            wit::Outcome::Stored(stored) => Self::Stored(guest::StoredCheckpoint {
                thread_id: stored.thread_id,
                checkpoint_ns: stored.checkpoint_ns,
                checkpoint_id: stored.checkpoint_id,
                known: stored.known,
                values: all(stored.values),
            }),
            wit::Outcome::Stale(known) => Self::Stale(known),
            wit::Outcome::WritesStored => Self::WritesStored,
            wit::Outcome::Deleted => Self::Deleted,
            wit::Outcome::History(histories) => Self::History(all(histories)),
        }
    }
}

impl From<wit::Progress> for guest::Progress {
    fn from(progress: wit::Progress) -> Self {
        match progress {
            wit::Progress::Need(wit::Need::Sql(batch)) => {
                Self::Need(guest::Need::Sql(batch.into()))
            }
            wit::Progress::Done(outcome) => Self::Done(outcome.into()),
        }
    }
}

impl From<wit::StoreFault> for StoreFault {
    fn from(store: wit::StoreFault) -> Self {
        let fault = Fault { code: Cow::Owned(store.code), message: store.message };
        Self { fault, maybe_stored: store.maybe_stored }
    }
}

impl From<wit::Error> for Error {
    fn from(error: wit::Error) -> Self {
        let fault =
            |fault: wit::Fault| Fault { code: Cow::Owned(fault.code), message: fault.message };
        match error {
            wit::Error::InvalidInput(invalid) => Self::InvalidInput(fault(invalid)),
            wit::Error::Corrupt(corrupt) => Self::Corrupt(fault(corrupt)),
            wit::Error::UnsupportedFormat(format) => Self::UnsupportedFormat(fault(format)),
            wit::Error::Protocol(protocol) => Self::Protocol(fault(protocol)),
            wit::Error::Unavailable(store) => Self::Unavailable(store.into()),
            wit::Error::Denied(store) => Self::Denied(store.into()),
        }
    }
}
