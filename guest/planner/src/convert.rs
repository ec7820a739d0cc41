//! Generated types to the guest's and back, field by field.

use langgraph_checkpoint_guest as guest;

use crate::wit;

fn all<A, B: From<A>>(list: Vec<A>) -> Vec<B> {
    list.into_iter().map(B::from).collect()
}

impl From<wit::Id> for guest::Id {
    fn from(id: wit::Id) -> Self {
        match id {
            wit::Id::Absent => Self::Absent,
            wit::Id::Text(text) => Self::Text(text),
            wit::Id::Number(number) => Self::Number(number),
            wit::Id::Unsupported(name) => Self::Unsupported(name),
        }
    }
}

impl From<wit::Config> for guest::Config {
    fn from(config: wit::Config) -> Self {
        Self {
            thread_id: config.thread_id.into(),
            checkpoint_ns: config.checkpoint_ns.into(),
            checkpoint_id: config.checkpoint_id.into(),
            thread_ts: config.thread_ts.into(),
        }
    }
}

impl From<wit::Payload> for guest::Payload {
    fn from(payload: wit::Payload) -> Self {
        Self { kind: payload.kind, bytes: payload.bytes }
    }
}

impl From<guest::Payload> for wit::Payload {
    fn from(payload: guest::Payload) -> Self {
        Self { kind: payload.kind, bytes: payload.bytes }
    }
}

impl From<wit::Version> for guest::Version {
    fn from(version: wit::Version) -> Self {
        match version {
            wit::Version::Number(number) => Self::Number(number),
            wit::Version::Text(text) => Self::Text(text),
        }
    }
}

impl From<guest::Version> for wit::Version {
    fn from(version: guest::Version) -> Self {
        match version {
            guest::Version::Number(number) => Self::Number(number),
            guest::Version::Text(text) => Self::Text(text),
        }
    }
}

impl From<wit::ChannelVersion> for guest::ChannelVersion {
    fn from(entry: wit::ChannelVersion) -> Self {
        Self { channel: entry.channel, version: entry.version.into() }
    }
}

impl From<guest::ChannelVersion> for wit::ChannelVersion {
    fn from(entry: guest::ChannelVersion) -> Self {
        Self { channel: entry.channel, version: entry.version.into() }
    }
}

impl From<wit::NewChannelValue> for guest::ChannelValue<guest::NewValue> {
    fn from(entry: wit::NewChannelValue) -> Self {
        let value = match entry.value {
            wit::NewValue::Whole(payload) => guest::NewValue::Whole(payload.into()),
            wit::NewValue::Edited(runs) => guest::NewValue::Edited(all(runs)),
            wit::NewValue::Unchanged => guest::NewValue::Unchanged,
        };
        Self { channel: entry.channel, value }
    }
}

impl From<wit::Run> for guest::Run {
    fn from(run: wit::Run) -> Self {
        match run {
            wit::Run::Kept(kept) => Self::Kept { first: kept.first, count: kept.count },
            wit::Run::Fresh(bytes) => Self::Fresh(bytes),
        }
    }
}

impl From<guest::ChannelValue<guest::TupleValue>> for wit::TupleChannelValue {
    fn from(entry: guest::ChannelValue<guest::TupleValue>) -> Self {
        let value = match entry.value {
            guest::TupleValue::Whole(payload) => wit::TupleValue::Whole(payload.into()),
            guest::TupleValue::Shared { kind, spans } => {
                let span =
                    |span: std::ops::Range<u32>| wit::Span { begin: span.start, end: span.end };
                let spans = spans.into_iter().map(span).collect();
                wit::TupleValue::Shared(wit::SharedPayload { kind, spans })
            }
            guest::TupleValue::Unchanged => wit::TupleValue::Unchanged,
        };
        Self { channel: entry.channel, value }
    }
}

impl From<guest::KnownValue> for wit::KnownValue {
    fn from(value: guest::KnownValue) -> Self {
        Self { channel: value.channel, editable: value.editable }
    }
}

impl From<guest::Base> for wit::Base {
    fn from(base: guest::Base) -> Self {
        Self { channel: base.channel, lengths: base.lengths }
    }
}

impl From<wit::GetTupleCall> for guest::GetTuple {
    fn from(call: wit::GetTupleCall) -> Self {
        Self { config: call.config.into(), known: call.known }
    }
}

impl From<wit::ListCall> for guest::List {
    fn from(list: wit::ListCall) -> Self {
        Self {
            config: list.config.into(),
            limit: list.limit,
            before: list.before.into(),
            filter: list
                .filter
                .into_iter()
                .map(|filter| guest::MetadataFilter { key: filter.key, json: filter.json })
                .collect(),
            resume: list.resume,
        }
    }
}

impl From<wit::DeltaChannelHistoryCall> for guest::DeltaChannelHistory {
    fn from(history: wit::DeltaChannelHistoryCall) -> Self {
        Self { config: history.config.into(), channels: history.channels, known: history.known }
    }
}

impl From<wit::PutCall> for guest::Put {
    fn from(put: wit::PutCall) -> Self {
        Self {
            config: put.config.into(),
            checkpoint: guest::Checkpoint {
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

impl From<wit::PutWritesCall> for guest::PutWrites {
    fn from(put_writes: wit::PutWritesCall) -> Self {
        Self {
            config: put_writes.config.into(),
            writes: put_writes
                .writes
                .into_iter()
                .map(|write| guest::NewWrite { channel: write.channel, value: write.value.into() })
                .collect(),
            task_id: put_writes.task_id.into(),
            task_path: put_writes.task_path,
        }
    }
}

impl From<wit::Answer> for guest::Answer {
    fn from(answer: wit::Answer) -> Self {
        match answer {
            wit::Answer::Sql(sets) => Self::Sql(
                sets.into_iter()
                    .map(|set| guest::RowSet { rows: set.rows.into_iter().map(all).collect() })
                    .collect(),
            ),
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
            wit::Value::Blob(blob) => Self::Blob(blob),
        }
    }
}

impl From<guest::Value> for wit::Value {
    fn from(value: guest::Value) -> Self {
        match value {
            guest::Value::Null => Self::Null,
            guest::Value::Integer(integer) => Self::Integer(integer),
            guest::Value::Real(real) => Self::Real(real),
            guest::Value::Text(text) => Self::Text(text),
            guest::Value::Blob(blob) => Self::Blob(blob),
        }
    }
}

impl From<guest::Progress> for wit::Progress {
    fn from(progress: guest::Progress) -> Self {
        match progress {
            guest::Progress::Need(guest::Need::Sql(batch)) => {
                Self::Need(wit::Need::Sql(batch.into()))
            }
            guest::Progress::Done(outcome) => Self::Done(outcome.into()),
        }
    }
}

impl From<guest::Batch> for wit::Batch {
    fn from(batch: guest::Batch) -> Self {
        Self {
            access: match batch.access {
                guest::Access::Read => wit::Access::Read,
                guest::Access::Write => wit::Access::Write,
            },
            statements: batch
                .statements
                .into_iter()
                .map(|statement| wit::Statement {
                    text: statement.text,
                    parameters: statement.parameters.into_iter().map(all).collect(),
                })
                .collect(),
        }
    }
}

impl From<guest::Outcome> for wit::Outcome {
    fn from(outcome: guest::Outcome) -> Self {
        match outcome {
            guest::Outcome::Ready => Self::Ready,
            guest::Outcome::Found(found) => Self::Found(found.map(|found| wit::FoundCheckpoint {
                tuple: found.tuple.into(),
                known: found.known,
                bases: all(found.bases),
            })),
            guest::Outcome::Page(page) => Self::Page(wit::Page {
                tuples: all(page.tuples),
                shared: page.shared,
                next: page.next,
            }),
            guest::Outcome::Stored(stored) => Self::Stored(wit::StoredCheckpoint {
                thread_id: stored.thread_id,
                checkpoint_ns: stored.checkpoint_ns,
                checkpoint_id: stored.checkpoint_id,
                known: stored.known,
                values: all(stored.values),
            }),
            guest::Outcome::Stale(known) => Self::Stale(known),
            guest::Outcome::WritesStored => Self::WritesStored,
            guest::Outcome::Deleted => Self::Deleted,
            guest::Outcome::History(histories) => Self::History(all(histories)),
        }
    }
}

impl From<guest::CheckpointTuple<guest::TupleValue>> for wit::CheckpointTuple {
    fn from(tuple: guest::CheckpointTuple<guest::TupleValue>) -> Self {
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

impl From<guest::PendingWrite> for wit::PendingWrite {
    fn from(write: guest::PendingWrite) -> Self {
        Self { task_id: write.task_id, channel: write.channel, value: write.value.into() }
    }
}

impl From<guest::ChannelHistory> for wit::ChannelHistory {
    fn from(history: guest::ChannelHistory) -> Self {
        Self {
            channel: history.channel,
            goes_on: history.goes_on,
            writes: all(history.writes),
            seed: history.seed.map(Into::into),
            known: history.known,
        }
    }
}

impl From<guest::StoreFault> for wit::StoreFault {
    fn from(store: guest::StoreFault) -> Self {
        Self {
            code: store.fault.code.to_owned(),
            message: store.fault.message,
            maybe_stored: store.maybe_stored,
        }
    }
}

impl From<guest::Error> for wit::Error {
    fn from(error: guest::Error) -> Self {
        let fault =
            wit::Fault { code: error.code().to_owned(), message: error.fault().message.clone() };
        match error {
            guest::Error::InvalidInput(_) => Self::InvalidInput(fault),
            guest::Error::Corrupt(_) => Self::Corrupt(fault),
            guest::Error::UnsupportedFormat(_) => Self::UnsupportedFormat(fault),
            guest::Error::Unavailable(store) => Self::Unavailable(store.into()),
            guest::Error::Denied(store) => Self::Denied(store.into()),
            _ => Self::Protocol(fault),
        }
    }
}
