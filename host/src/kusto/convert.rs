//! The generated types of `checkpointer` from and to the guest's, field by field.

use std::borrow::Cow;

use langgraph_checkpoint_guest as guest;

use super::wit;
use crate::error::{Error, Fault, StoreFault};

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

/// A put; nothing where a value is not whole.
pub(crate) fn put(put: guest::Put) -> Option<wit::PutCall> {
    let value = |entry: guest::ChannelValue<guest::NewValue>| match entry.value {
        guest::NewValue::Whole(payload) => {
            Some(wit::ChannelValue { channel: entry.channel, value: payload.into() })
        }
        guest::NewValue::Edited(_) | guest::NewValue::Unchanged => None,
    };
    let values = put.checkpoint.channel_values.into_iter().map(value);
    Some(wit::PutCall {
        config: put.config.into(),
        checkpoint: wit::Checkpoint {
            id: put.checkpoint.id.into(),
            v: put.checkpoint.v,
            ts: put.checkpoint.ts,
            channel_versions: all(put.checkpoint.channel_versions),
            channel_values: values.collect::<Option<_>>()?,
            rest: put.checkpoint.rest.into(),
        },
        metadata: put.metadata.into(),
        new_versions: put.new_versions,
    })
}

impl From<guest::PutWrites> for wit::PutWritesCall {
    fn from(put_writes: guest::PutWrites) -> Self {
        let write = |write: guest::NewWrite| wit::NewWrite {
            channel: write.channel,
            value: write.value.into(),
        };
        Self {
            config: put_writes.config.into(),
            writes: put_writes.writes.into_iter().map(write).collect(),
            task_id: put_writes.task_id.into(),
            task_path: put_writes.task_path,
        }
    }
}

impl From<guest::List> for wit::ListCall {
    fn from(list: guest::List) -> Self {
        let filter = |filter: guest::MetadataFilter| wit::MetadataFilter {
            key: filter.key,
            json: filter.json,
        };
        Self {
            config: list.config.into(),
            limit: list.limit,
            before: list.before.into(),
            filter: list.filter.into_iter().map(filter).collect(),
            resume: list.resume,
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

impl From<wit::ChannelValue> for guest::ChannelValue {
    fn from(entry: wit::ChannelValue) -> Self {
        Self { channel: entry.channel, value: entry.value.into() }
    }
}

impl From<wit::PendingWrite> for guest::PendingWrite {
    fn from(write: wit::PendingWrite) -> Self {
        Self { task_id: write.task_id, channel: write.channel, value: write.value.into() }
    }
}

impl From<wit::CheckpointTuple> for guest::CheckpointTuple {
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

/// A page: its tuples, and what the next one resumes with.
pub(crate) type Page = (Vec<guest::CheckpointTuple>, Option<Vec<u8>>);

impl From<wit::Page> for Page {
    fn from(page: wit::Page) -> Self {
        (all(page.tuples), page.next)
    }
}

impl From<wit::StoredCheckpoint> for guest::StoredCheckpoint {
    fn from(stored: wit::StoredCheckpoint) -> Self {
        Self {
            thread_id: stored.thread_id,
            checkpoint_ns: stored.checkpoint_ns,
            checkpoint_id: stored.checkpoint_id,
            known: Vec::new(),
            values: Vec::new(),
        }
    }
}

impl From<wit::ChannelHistory> for guest::ChannelHistory {
    fn from(history: wit::ChannelHistory) -> Self {
        Self {
            channel: history.channel,
            writes: all(history.writes),
            seed: history.seed.map(Into::into),
            ..Self::default()
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
            wit::Error::Storage(store) | wit::Error::Unavailable(store) => {
                Self::Unavailable(store.into())
            }
            wit::Error::Denied(store) => Self::Denied(store.into()),
        }
    }
}
