//! A stock checkpoint as a put.

use super::fields::{Encoding, Member};
use super::stock::StockRows;
use crate::contract::call::{
    ChannelValue, ChannelVersion, Checkpoint, Config, Id, NewValue, Payload, Put,
};
use crate::contract::error::Error;
use crate::operations::row::{Row, rows};

/// The type of a value that the channel does not have at that version, in PostgreSQL.
const EMPTY: &str = "empty";

/// The put; `None` if the checkpoint is not stored.
pub(super) fn call(stock: &StockRows) -> Result<Option<Put>, Error> {
    let Some(mut row) = rows(&stock.checkpoint, "checkpoints").next() else {
        return Ok(None);
    };
    let parent = row.optional_text("parent_checkpoint_id")?.filter(|id| !id.is_empty());
    let kind = row.text("type")?;
    let bytes = row.blob("checkpoint")?;
    let metadata = row.blob("metadata")?;
    let Some(encoding) = Encoding::of(kind) else {
        return Err(refused(stock, kind));
    };
    let Some(members) = encoding.members(bytes) else {
        return Err(unreadable(stock, "is no object of its type, or has a name twice"));
    };
    let channel_values = channel_values(stock, encoding, &members)?;
    let new_versions = channel_values.iter().map(|entry| entry.channel.clone()).collect();
    let text = |text: &str| Id::Text(text.to_owned());
    Ok(Some(Put {
        config: Config {
            thread_id: text(&stock.thread_id),
            checkpoint_ns: text(&stock.checkpoint_ns),
            checkpoint_id: parent.map_or(Id::Absent, text),
            thread_ts: Id::Absent,
        },
        checkpoint: Checkpoint {
            id: text(&stock.checkpoint_id),
            v: number(stock, encoding, &members, "v")?,
            ts: member(&members, "ts")
                .and_then(|ts| encoding.text(ts.value))
                .ok_or_else(|| unreadable(stock, "has no time ts"))?,
            channel_versions: channel_versions(stock, encoding, &members)?,
            channel_values,
            rest: rest(encoding, &members),
        },
        metadata: Payload { kind: "json".to_owned(), bytes: metadata.to_vec() },
        new_versions,
        run_id: Id::Absent,
        known: None,
    }))
}

fn member<'a>(members: &'a [Member<'a>], name: &str) -> Option<&'a Member<'a>> {
    members.iter().find(|member| member.name == name)
}

fn number(
    stock: &StockRows,
    encoding: Encoding,
    members: &[Member<'_>],
    name: &str,
) -> Result<f64, Error> {
    let value = member(members, name).and_then(|member| encoding.number(member.value));
    value.ok_or_else(|| unreadable(stock, &format!("has no number {name}")))
}

/// The members of a member that is an object; none if it is missing or null.
fn inner<'a>(
    stock: &StockRows,
    encoding: Encoding,
    members: &'a [Member<'a>],
    name: &str,
) -> Result<Vec<Member<'a>>, Error> {
    match member(members, name) {
        Some(found) if !encoding.is_null(found.value) => {
            encoding.members(found.value).ok_or_else(|| {
                unreadable(stock, &format!("has {name} that are no object, or have a name twice"))
            })
        }
        _ => Ok(Vec::new()),
    }
}

fn channel_versions(
    stock: &StockRows,
    encoding: Encoding,
    members: &[Member<'_>],
) -> Result<Vec<ChannelVersion>, Error> {
    let versions = inner(stock, encoding, members, "channel_versions")?;
    let version = |Member { name, value, .. }: Member<'_>| {
        let version = encoding
            .version(value)
            .ok_or_else(|| unreadable(stock, "has a version that is neither a number nor text"))?;
        Ok(ChannelVersion { channel: name, version })
    };
    versions.into_iter().map(version).collect()
}

/// The values in the checkpoint, and those beside it, which win.
fn channel_values(
    stock: &StockRows,
    encoding: Encoding,
    members: &[Member<'_>],
) -> Result<Vec<ChannelValue<NewValue>>, Error> {
    let mut beside = Vec::new();
    for row in rows(&stock.values, "checkpoint_blobs") {
        beside.extend(value_beside(row)?);
    }
    let inside = inner(stock, encoding, members, "channel_values")?;
    let inside = inside.into_iter().filter(|member| {
        !beside.iter().any(|entry: &ChannelValue<NewValue>| entry.channel == member.name)
    });
    let value = |Member { name, value, .. }: Member<'_>| {
        let payload = Payload { kind: encoding.kind().to_owned(), bytes: value.to_vec() };
        ChannelValue { channel: name, value: NewValue::Whole(payload) }
    };
    let mut values: Vec<_> = inside.map(value).collect();
    values.append(&mut beside);
    Ok(values)
}

fn value_beside(mut row: Row<'_>) -> Result<Option<ChannelValue<NewValue>>, Error> {
    let channel = row.text("channel")?.to_owned();
    let kind = row.text("type")?.to_owned();
    let bytes = row.blob("blob")?.to_vec();
    let value = NewValue::Whole(Payload { kind, bytes });
    Ok(match &value {
        NewValue::Whole(payload) if payload.kind == EMPTY => None,
        _ => Some(ChannelValue { channel, value }),
    })
}

/// Every field that a put does not pass one by one, as one object.
fn rest(encoding: Encoding, members: &[Member<'_>]) -> Payload {
    const FIELDS: [&str; 5] = ["id", "v", "ts", "channel_versions", "channel_values"];
    let nothing_seen = encoding.nothing_seen();
    let missing = member(members, &nothing_seen.name).is_none().then_some(&nothing_seen);
    let others = members.iter().filter(|member| !FIELDS.contains(&member.name.as_str()));
    let bytes = encoding.object(missing.into_iter().chain(others));
    Payload { kind: encoding.kind().to_owned(), bytes }
}

/// The error for a type whose bytes are not taken apart.
fn refused(stock: &StockRows, kind: &str) -> Error {
    if kind.contains('+') {
        return Error::invalid(
            "encrypted-stock-checkpoint",
            format!(
                "checkpoint {} is encrypted as a whole, and cannot be taken apart without its \
                 key; copy the thread with a program that has the key",
                stock.checkpoint_id
            ),
        );
    }
    unreadable(stock, "has the type of another serializer than LangGraph's own")
}

fn unreadable(stock: &StockRows, what: &str) -> Error {
    Error::invalid(
        "unreadable-stock-checkpoint",
        format!(
            "checkpoint {} {what}; copy the thread with a program that can read it",
            stock.checkpoint_id
        ),
    )
}
