//! Rows as a store would give them, with envelopes that fit the columns beside them.

use arbitrary::{Arbitrary, Result, Unstructured};
use langgraph_checkpoint_guest::fuzzing::seal;
use langgraph_checkpoint_guest::{RowSet, Statement, Value};

use crate::forge::{Forge, array, float, integer, string};

/// Ids that meet each other again.
pub const IDS: [&str; 5] = ["a", "b", "c", "", "__pregel_tasks"];

/// What a statement's rows are made as.
#[derive(Arbitrary, Debug, Clone, Copy)]
enum Kind {
    Checkpoints,
    Writes,
    Ancestors,
    Text,
    Integers,
    Anything,
}

/// An answer to one statement.
pub fn row_set(u: &mut Unstructured<'_>, forge: &mut Forge, to: &Statement) -> Result<RowSet> {
    if let [row] = to.parameters.as_slice()
        && let [Value::Integer(_), Value::Blob(hashes)] = row.as_slice()
        && !u.ratio(1, 16)?
    {
        return chunks(u, forge, hashes);
    }
    let kind: Kind = u.arbitrary()?;
    let count = u.int_in_range(0..=3)?;
    let mut rows = Vec::with_capacity(count);
    for _ in 0..count {
        let mut row = match kind {
            Kind::Checkpoints => checkpoint(u, forge)?,
            Kind::Writes => write(u, forge)?,
            Kind::Ancestors => ancestor(u, forge)?,
            Kind::Text => vec![text(id(u)?)],
            Kind::Integers => vec![Value::Integer(u.arbitrary()?), Value::Integer(u.arbitrary()?)],
            Kind::Anything => {
                let columns = u.int_in_range(0..=9)?;
                (0..columns).map(|_| value(u)).collect::<Result<_>>()?
            }
        };
        match u.int_in_range(0..=15)? {
            14 => row.truncate(u.int_in_range(0..=8)?),
            15 if !row.is_empty() => {
                let column = u.choose_index(row.len())?;
                row[column] = value(u)?;
            }
            _ => {}
        }
        rows.push(row);
    }
    Ok(RowSet { rows })
}

/// The chunks that were asked for, but not always all of them.
fn chunks(u: &mut Unstructured<'_>, forge: &Forge, hashes: &[u8]) -> Result<RowSet> {
    let mut rows = Vec::new();
    for hash in hashes.chunks(20) {
        let data = <[u8; 20]>::try_from(hash).ok().and_then(|hash| forge.chunks.get(&hash));
        if let Some(data) = data
            && !u.ratio(1, 64)?
        {
            rows.push(vec![Value::Blob(hash.to_vec()), Value::Blob(data.clone())]);
        }
    }
    Ok(RowSet { rows })
}

fn checkpoint(u: &mut Unstructured<'_>, forge: &mut Forge) -> Result<Vec<Value>> {
    let parent = if u.arbitrary()? { Some(id(u)?) } else { None };
    let columns = (id(u)?, parent, "ts", &b"{}"[..]);
    let envelope = checkpoint_envelope(u, forge, columns)?;
    Ok(vec![
        key(u)?,
        Value::Integer(0),
        text(id(u)?),
        text(id(u)?),
        text(columns.0),
        parent.map_or(Value::Null, text),
        text(columns.2),
        Value::Blob(columns.3.to_vec()),
        Value::Blob(envelope),
    ])
}

fn ancestor(u: &mut Unstructured<'_>, forge: &mut Forge) -> Result<Vec<Value>> {
    let parent = if u.arbitrary()? { Some(id(u)?) } else { None };
    let columns = (id(u)?, parent, "ts", &b"{}"[..]);
    let mut row = vec![
        text(id(u)?),
        if u.arbitrary()? { text(id(u)?) } else { Value::Null },
        key(u)?,
        text(columns.0),
        parent.map_or(Value::Null, text),
        Value::Integer(u.int_in_range(0..=1)?),
    ];
    row.extend([
        text(columns.2),
        Value::Blob(columns.3.to_vec()),
        Value::Blob(checkpoint_envelope(u, forge, columns)?),
    ]);
    Ok(row)
}

fn write(u: &mut Unstructured<'_>, forge: &mut Forge) -> Result<Vec<Value>> {
    let (checkpoint_id, task_id, channel) = (id(u)?, id(u)?, id(u)?);
    let idx: i64 = u.int_in_range(-4..=3)?;
    let mut envelope = Vec::new();
    array(&mut envelope, 2);
    integer(&mut envelope, 1);
    forge.value(u, &mut envelope)?;
    let columns: [&[u8]; 5] = [
        checkpoint_id.as_bytes(),
        task_id.as_bytes(),
        &idx.to_le_bytes(),
        b"path",
        channel.as_bytes(),
    ];
    Ok(vec![
        key(u)?,
        text(id(u)?),
        text(checkpoint_id),
        text(task_id),
        Value::Integer(idx),
        text("path"),
        text(channel),
        Value::Blob(seal(envelope, &columns)),
    ])
}

/// A sealed envelope for these columns: id, parent, time, metadata.
fn checkpoint_envelope(
    u: &mut Unstructured<'_>,
    forge: &mut Forge,
    (id_column, parent, created_at, metadata): (&str, Option<&str>, &str, &[u8]),
) -> Result<Vec<u8>> {
    let mut envelope = Vec::new();
    array(&mut envelope, 6);
    integer(&mut envelope, u.choose(&[1, 1, 1, 1, 1, 1, 1, 2]).copied()?);
    match u.int_in_range(0..=3)? {
        0 => float(&mut envelope, u.arbitrary()?),
        v => integer(&mut envelope, v + 1),
    }
    string(&mut envelope, "json");
    forge.value(u, &mut envelope)?;
    let versions = u.int_in_range(0..=2)?;
    array(&mut envelope, versions);
    for _ in 0..versions {
        array(&mut envelope, 2);
        string(&mut envelope, id(u)?);
        match u.int_in_range(0..=2)? {
            0 => float(&mut envelope, u.arbitrary()?),
            1 => integer(&mut envelope, u.arbitrary()?),
            _ => string(&mut envelope, id(u)?),
        }
    }
    let values = u.int_in_range(0..=3)?;
    array(&mut envelope, values);
    for _ in 0..values {
        array(&mut envelope, 2);
        string(&mut envelope, id(u)?);
        forge.value(u, &mut envelope)?;
    }
    let has_parent: &[u8] = if parent.is_some() { b"parent" } else { b"" };
    let columns: [&[u8]; 5] = [
        id_column.as_bytes(),
        has_parent,
        parent.unwrap_or_default().as_bytes(),
        created_at.as_bytes(),
        metadata,
    ];
    Ok(seal(envelope, &columns))
}

/// Any value.
fn value(u: &mut Unstructured<'_>) -> Result<Value> {
    Ok(match u.int_in_range(0..=5)? {
        0 => Value::Null,
        1 => Value::Integer(u.arbitrary()?),
        2 => Value::Real(u.arbitrary()?),
        3 => Value::Text(u.arbitrary()?),
        4 => text(id(u)?),
        _ => Value::Blob(u.arbitrary()?),
    })
}

/// Threads are few, so that their chunks meet.
fn key(u: &mut Unstructured<'_>) -> Result<Value> {
    Ok(Value::Integer(u.int_in_range(0..=1)?))
}

/// One of the ids.
pub fn id(u: &mut Unstructured<'_>) -> Result<&'static str> {
    u.choose(&IDS).copied()
}

fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}
