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
    let has_all = writes_of(takeover).all(|write| stored_writes(tuple).any(|it| it == write));
    (!has_all).then_some(WRITES)
}

/// Whether a stored checkpoint has a write that these calls do not store.
pub(super) fn has_other_writes(takeover: &Takeover, tuple: &CheckpointTuple) -> bool {
    stored_writes(tuple).any(|write| writes_of(takeover).all(|it| it != write))
}

/// A write: its task, its channel and its value.
type Write<'a> = (Option<&'a str>, &'a str, &'a Payload);

fn stored_writes(tuple: &CheckpointTuple) -> impl Iterator<Item = Write<'_>> {
    let writes = tuple.pending_writes.iter();
    writes.map(|it| (Some(it.task_id.as_str()), it.channel.as_str(), &it.value))
}

fn writes_of(takeover: &Takeover) -> impl Iterator<Item = Write<'_>> {
    takeover.writes.iter().flat_map(|call| {
        let task = text_of(&call.task_id);
        call.writes.iter().map(move |it| (task, it.channel.as_str(), &it.value))
    })
}

fn differing_field(put: &Put, tuple: &CheckpointTuple) -> Option<&'static str> {
    let Put { config, checkpoint, metadata, .. } = put;
    #[expect(clippy::float_cmp, reason = "a version is kept exactly")]
    let is_same_version = checkpoint.v == tuple.v;
    let fields = [
        ("parent", text_of(&config.checkpoint_id) == tuple.parent_checkpoint_id.as_deref()),
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

fn text_of(id: &Id) -> Option<&str> {
    match id {
        Id::Text(text) => Some(text),
        _ => None,
    }
}
