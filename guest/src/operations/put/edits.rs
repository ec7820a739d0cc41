//! Edits of a put: turns what is said in terms of a base into what the whole value would be.

use super::Put;
use crate::contract::call::{self, NewValue};
use crate::contract::error::Error;
use crate::format::checkpoint::StoredValue;
use crate::format::known::KnownValue;
use crate::format::values::build::{Builder, Built};

impl Put {
    /// The channels whose value refers to its base.
    pub(super) fn edits(&self) -> impl Iterator<Item = &call::ChannelValue<NewValue>> {
        let values = self.call.checkpoint.channel_values.iter();
        values.filter(|entry| !matches!(entry.value, NewValue::Whole(_)))
    }

    /// Refuses edits of values that are not known, and notes the nodes that the other edits need.
    #[inline(never)]
    pub(super) fn check_bases(&mut self) -> Result<(), Error> {
        let mut nodes = std::mem::take(&mut self.nodes);
        for entry in self.edits() {
            if self.known.is_none() {
                return Err(without_known(&entry.channel));
            }
            let base = self.base(&entry.channel);
            match &entry.value {
                NewValue::Edited(runs) => {
                    let source = base.and_then(KnownValue::source);
                    let source = source.ok_or_else(|| unknown_base(&entry.channel))?;
                    if !source.suffices(runs) {
                        source.levels.iter().flatten().for_each(|piece| nodes.want(piece));
                    }
                }
                NewValue::Unchanged if base.is_none() => return Err(unknown_base(&entry.channel)),
                NewValue::Unchanged | NewValue::Whole(_) => {}
            }
        }
        self.nodes = nodes;
        Ok(())
    }

    fn base(&self, channel: &str) -> Option<&KnownValue> {
        self.known.as_ref().and_then(|known| known.value(channel))
    }

    /// A channel's value: the serializer's tag, and what is built of the value. `None` if the nodes
    /// of its base are missing.
    #[inline(never)]
    pub(super) fn built(
        &self,
        builder: &Builder<'_>,
        entry: &call::ChannelValue<NewValue>,
    ) -> Result<Option<(String, Built)>, Error> {
        let runs = match &entry.value {
            NewValue::Whole(payload) => {
                let built = builder.value(&payload.kind, &payload.bytes)?;
                return Ok(Some((payload.kind.clone(), built)));
            }
            NewValue::Edited(runs) => Some(runs),
            NewValue::Unchanged => None,
        };
        let base = self.base(&entry.channel).ok_or_else(|| unknown_base(&entry.channel))?;
        let KnownValue { stored: StoredValue { kind, piece }, base: elements } = base;
        let Some(runs) = runs else {
            let (piece, base) = (piece.clone(), elements.clone());
            return Ok(Some((kind.clone(), Built { piece, fresh: Vec::new(), base })));
        };
        let mut source = base.source().ok_or_else(|| unknown_base(&entry.channel))?;
        if !source.suffices(runs) {
            let Ok(mut pieces) = self.nodes.elements(source.levels, source.below) else {
                return Ok(None);
            };
            pieces.extend_from_slice(source.tail());
            source = source.opened(pieces);
        }
        Ok(Some((kind.clone(), builder.edited(kind, &source, runs)?)))
    }
}

/// The error for an edit without `known`: only the caller knows which of a channel's values it
/// edits.
fn without_known(channel: &str) -> Error {
    Error::invalid(
        "edit-without-known",
        format!(
            "the value of channel {channel} refers to a base, and the put has no known; pass the \
             known of the outcome that gave the base, or the whole value"
        ),
    )
}

fn unknown_base(channel: &str) -> Error {
    Error::protocol(
        "unknown-base",
        format!(
            "the value of channel {channel} refers to a base that known does not have; pass the \
             known that the base belongs to, or the whole value"
        ),
    )
}
