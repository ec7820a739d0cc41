//! Compares what a takeover stores with what is stored, byte by byte.

use langgraph_checkpoint_guest::takeover::Takeover;
use langgraph_checkpoint_host::{ChannelValue, CheckpointTuple, Id, NewValue, Payload, Put};

/// The difference of a checkpoint that has all fields, but lacks writes.
pub(super) const WRITES: &str = "pending writes";

/// What a stored checkpoint lacks or has otherwise than these calls store it: a field of the
/// checkpoint, or [`WRITES`] if all fields are the same. It may have more writes. `None` if there
/// is no difference.
pub(super) fn difference(takeover: &Takeover, tuple: &CheckpointTuple) -> Option<&'static str> {
    if let Some(field) = takeover.put.as_ref().and_then(|put| differing_field(put, tuple)) {
        return Some(field);
    }
    let is_stored = |task: &Id, channel: &str, value: &Payload| {
        let stored = tuple.pending_writes.iter();
        stored.into_iter().any(|write| {
            *task == Id::Text(write.task_id.clone())
                && write.channel == channel
                && write.value == *value
        })
    };
    let has_all = takeover.writes.iter().all(|task| {
        let writes = task.writes.iter();
        writes.into_iter().all(|write| is_stored(&task.task_id, &write.channel, &write.value))
    });
    (!has_all).then_some(WRITES)
}

fn differing_field(put: &Put, tuple: &CheckpointTuple) -> Option<&'static str> {
    let Put { config, checkpoint, metadata, .. } = put;
    let parent = match &config.checkpoint_id {
        Id::Text(id) => Some(id),
        _ => None,
    };
    #[expect(clippy::float_cmp, reason = "a version is kept exactly")]
    let is_same_version = checkpoint.v == tuple.v;
    let fields = [
        ("parent", parent == tuple.parent_checkpoint_id.as_ref()),
        ("v", is_same_version),
        ("ts", checkpoint.ts == tuple.ts),
        ("channel_versions", checkpoint.channel_versions == tuple.channel_versions),
        ("channel_values", has_same_values(put, tuple)),
        ("other fields", checkpoint.rest == tuple.rest),
        ("metadata", *metadata == tuple.metadata),
    ];
    fields.into_iter().find(|(_, is_same)| !is_same).map(|(field, _)| field)
}

fn has_same_values(put: &Put, tuple: &CheckpointTuple) -> bool {
    let values = &put.checkpoint.channel_values;
    let is_same = |(one, stored): (&ChannelValue<NewValue>, &ChannelValue)| {
        let is_whole = matches!(&one.value, NewValue::Whole(value) if *value == stored.value);
        one.channel == stored.channel && is_whole
    };
    values.len() == tuple.channel_values.len()
        && values.iter().zip(&tuple.channel_values).all(is_same)
}
