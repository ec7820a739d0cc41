//! The generated types of what guests import, and their conversions from and to the guest
//! crate's, field by field.

use langgraph_checkpoint_guest as guest;

use crate::error::{ComponentErrorKind, Error, Fault, StoreFault};
use crate::storage::Stored;

#[allow(
    missing_docs,
    unreachable_pub,
    clippy::all,
    reason = "generated from wit/checkpointer.wit, where the documentation is"
)]
mod generated {
    wasmtime::component::bindgen!({
        path: "wit",
        inline: "
            package langgraph:host;

            world imports {
                import langgraph:checkpoint/checkpointer@0.1.0;
                import langgraph:checkpoint/storage@0.1.0;
            }
        ",
        world: "langgraph:host/imports",
        imports: { default: async },
    });
}

pub(super) use generated::langgraph::checkpoint::{checkpointer, storage};

use checkpointer as wit;

pub(super) fn all<A, B: From<A>>(list: Vec<A>) -> Vec<B> {
    list.into_iter().map(B::from).collect()
}

// ---- from a guest -----------------------------------------------------------------------

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
        Self { channel: entry.channel, value: guest::NewValue::Whole(entry.value.into()) }
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

impl From<wit::PutWritesCall> for guest::PutWrites {
    fn from(put_writes: wit::PutWritesCall) -> Self {
        let write = |write: wit::NewWrite| guest::NewWrite {
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

impl From<wit::ListCall> for guest::List {
    fn from(list: wit::ListCall) -> Self {
        let filter = |filter: wit::MetadataFilter| guest::MetadataFilter {
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

// ---- to a guest -------------------------------------------------------------------------

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

impl From<Fault> for wit::Fault {
    fn from(fault: Fault) -> Self {
        Self { code: fault.code.into_owned(), message: fault.message }
    }
}

impl From<StoreFault> for wit::StoreFault {
    fn from(store: StoreFault) -> Self {
        Self {
            code: store.fault.code.into_owned(),
            message: store.fault.message,
            maybe_stored: store.maybe_stored,
        }
    }
}

impl From<Error> for wit::Error {
    fn from(error: Error) -> Self {
        let (code, message) = (error.code().to_owned(), error.to_string());
        match error {
            Error::InvalidInput(fault) => Self::InvalidInput(fault.into()),
            Error::Corrupt(fault) => Self::Corrupt(fault.into()),
            Error::UnsupportedFormat(fault) => Self::UnsupportedFormat(fault.into()),
            Error::Protocol(fault) => Self::Protocol(fault.into()),
            Error::Unavailable(store) => Self::Unavailable(store.into()),
            Error::Denied(store) => Self::Denied(store.into()),
            Error::Storage(store) => {
                let maybe_stored = store.stored() == Stored::Unknown;
                Self::Storage(wit::StoreFault { code, message, maybe_stored })
            }
            Error::Component(component) => {
                let maybe_stored = component.stored() == Stored::Unknown;
                let fault = wit::StoreFault { code, message, maybe_stored };
                match component.kind() {
                    // These pass, or at least the next instance is another one.
                    ComponentErrorKind::Busy
                    | ComponentErrorKind::HostMemory
                    | ComponentErrorKind::RowsLost
                    | ComponentErrorKind::Trap => Self::Unavailable(fault),
                    // The same call needs the same again.
                    ComponentErrorKind::AnswerLimit
                    | ComponentErrorKind::MemoryLimit
                    | ComponentErrorKind::Timeout
                    | ComponentErrorKind::Unusable => Self::Denied(fault),
                }
            }
        }
    }
}
