//! The guest's types under the names that they have in `wit/`, for generated bindings: `with` of
//! `wit_bindgen::generate!` and of `wasmtime::component::bindgen!` names these modules.

/// `langgraph:checkpoint/types`.
pub mod types {
    use crate::contract::call;
    pub use crate::contract::call::{
        ChannelValue, ChannelVersion, Config, CopyThread, Diff, Export, Id, Keep, Lease,
        List as ListCall, MetadataFilter, NewWrite, Payload, Prune, Pruned,
        PutWrites as PutWritesCall, Threads as ThreadsCall, Verify, Version,
    };
    pub use crate::contract::difference::{
        ChannelDifference, Difference, ElementDifference, PartSize, WriteSize,
    };
    pub use crate::contract::error::{Error, Fault, StoreFault};
    pub use crate::contract::lifecycle::{
        Problem, Stats, ThreadSummary, ThreadsPage, Verified, Work,
    };
    pub use crate::contract::outcome::{CheckpointTuple, Exported, PendingWrite, PlacedWrite};
    pub use crate::contract::statement::{Access, Batch, RowSet, Statement, Value};
    pub use crate::contract::whole::{ChannelHistory, Page, PutCall, StoredCheckpoint};

    /// A checkpoint whose values are whole.
    pub type Checkpoint = call::Checkpoint<Payload>;
}

/// `langgraph:checkpoint-planner/planner-types`.
pub mod planner_types {
    use crate::contract::call::ChannelValue;
    pub use crate::contract::call::{
        Call, ChannelVersion, Checkpoint as NewCheckpoint, Config, CopyThread, DeltaChannelHistory,
        Diff, Export, GetTuple, Id, KeptElements, List as ListCall, NewValue, Payload, Prune, Put,
        PutWrites as PutWritesCall, Run, Threads as ThreadsCall, Vacuum, Verify, Version,
    };
    pub use crate::contract::difference::Difference;
    pub use crate::contract::error::{Error, Fault, StoreFault};
    pub use crate::contract::http::{Authorization, HttpAnswer, HttpRequest, HttpResponse, Moment};
    pub use crate::contract::lifecycle::{Stats, ThreadsPage, Verified, Work};
    use crate::contract::outcome::CheckpointTuple;
    pub use crate::contract::outcome::{
        Base, ChannelHistory as PlannedHistory, Exported, FoundCheckpoint, KnownValue, Outcome,
        Page as PlannedPage, PendingWrite, SharedPayload, Span,
        StoredCheckpoint as PlannedCheckpoint, TupleValue,
    };
    pub use crate::contract::progress::{Answer, Need, Progress};
    pub use crate::contract::statement::{Batch, RowSet};

    /// A channel and the value to store.
    pub type NewChannelValue = ChannelValue<NewValue>;
    /// A channel and its value as stored.
    pub type TupleChannelValue = ChannelValue<TupleValue>;
    /// A checkpoint as stored.
    pub type PlannedTuple = CheckpointTuple<TupleValue>;
}

/// `langgraph:checkpoint-kusto/connection-types`.
#[cfg(feature = "kusto")]
pub mod connection_types {
    pub use crate::contract::status::UnshownCall;
    pub use crate::stores::kusto::connection::{ClientSecret, Connection, Login};
    pub use crate::stores::kusto::{ConnectOptions, IngestMode};
}
