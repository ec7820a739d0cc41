//! Generated types of `checkpointer` to the guest's and back, field by field. Both components
//! that export the interface have this file.

use langgraph_checkpoint_guest as guest;

use crate::wit;

pub(crate) fn all<A, B: From<A>>(list: Vec<A>) -> Vec<B> {
    list.into_iter().map(B::from).collect()
}

// ---- from a caller ----------------------------------------------------------------------

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

impl From<wit::ChannelVersion> for guest::ChannelVersion {
    fn from(entry: wit::ChannelVersion) -> Self {
        let version = match entry.version {
            wit::Version::Number(number) => guest::Version::Number(number),
            wit::Version::Text(text) => guest::Version::Text(text),
        };
        Self { channel: entry.channel, version }
    }
}

impl From<wit::ChannelValue> for guest::ChannelValue<guest::NewValue> {
    fn from(entry: wit::ChannelValue) -> Self {
        let value = guest::NewValue::Whole(entry.value.into());
        Self { channel: entry.channel, value }
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
            known: None,
        }
    }
}

impl From<wit::NewWrite> for guest::NewWrite {
    fn from(write: wit::NewWrite) -> Self {
        Self { channel: write.channel, value: write.value.into() }
    }
}

impl From<wit::PutWritesCall> for guest::PutWrites {
    fn from(put_writes: wit::PutWritesCall) -> Self {
        Self {
            config: put_writes.config.into(),
            writes: all(put_writes.writes),
            task_id: put_writes.task_id.into(),
            task_path: put_writes.task_path,
        }
    }
}

impl From<wit::MetadataFilter> for guest::MetadataFilter {
    fn from(filter: wit::MetadataFilter) -> Self {
        Self { key: filter.key, json: filter.json }
    }
}

impl From<wit::ListCall> for guest::List {
    fn from(list: wit::ListCall) -> Self {
        Self {
            config: list.config.into(),
            limit: list.limit,
            before: list.before.into(),
            filter: all(list.filter),
            resume: list.resume,
        }
    }
}

// ---- to a caller ------------------------------------------------------------------------

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

impl From<guest::ChannelValue> for wit::ChannelValue {
    fn from(entry: guest::ChannelValue) -> Self {
        Self { channel: entry.channel, value: entry.value.into() }
    }
}

impl From<guest::PendingWrite> for wit::PendingWrite {
    fn from(write: guest::PendingWrite) -> Self {
        Self { task_id: write.task_id, channel: write.channel, value: write.value.into() }
    }
}

impl From<guest::CheckpointTuple> for wit::CheckpointTuple {
    fn from(tuple: guest::CheckpointTuple) -> Self {
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

impl From<guest::ChannelHistory> for wit::ChannelHistory {
    fn from(history: guest::ChannelHistory) -> Self {
        Self {
            channel: history.channel,
            writes: all(history.writes),
            seed: history.seed.map(Into::into),
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
