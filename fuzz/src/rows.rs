//! Rows as a store would return them, with envelopes that fit the columns beside them.

use arbitrary::{Arbitrary, Result, Unstructured};
use langgraph_checkpoint_guest::fuzzing::{link, mark, seal};
use langgraph_checkpoint_guest::{RowSet, Statement, Value};

use crate::forge::{Forge, array, blob, float, integer, string};

/// A few ids, so that they repeat.
pub const IDS: [&str; 5] = ["a", "b", "c", "", "__pregel_tasks"];

/// The kind of rows that are made for a statement.
#[derive(Arbitrary, Debug, Clone, Copy)]
enum Kind {
    /// Checkpoints and their writes.
    Page,
    Writes,
    Ancestors,
    Text,
    /// Keys of threads, or a key and a generation.
    Integers,
    Anything,
}

/// The columns that identify a checkpoint's row, and its parent.
struct Place {
    thread_id: &'static str,
    checkpoint_ns: &'static str,
    checkpoint_id: &'static str,
    parent: Option<&'static str>,
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
            Kind::Page if u.ratio(1, 2)? => checkpoint(u, forge)?,
            Kind::Page => [vec![Value::Integer(1)], write(u, forge)?].concat(),
            Kind::Writes => write(u, forge)?,
            Kind::Ancestors => ancestor(u, forge)?,
            Kind::Text => vec![text(id(u)?)],
            Kind::Integers => vec![Value::Integer(u.arbitrary()?), Value::Integer(u.arbitrary()?)],
            Kind::Anything => {
                let columns = u.int_in_range(0..=12)?;
                (0..columns).map(|_| value(u)).collect::<Result<_>>()?
            }
        };
        match u.int_in_range(0..=15)? {
            14 => row.truncate(u.int_in_range(0..=11)?),
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

/// The chunks that were asked for; sometimes one is left out.
fn chunks(u: &mut Unstructured<'_>, forge: &Forge, hashes: &[u8]) -> Result<RowSet> {
    let mut rows = Vec::new();
    for (place, hash) in hashes.chunks(20).enumerate() {
        let data = <[u8; 20]>::try_from(hash).ok().and_then(|hash| forge.chunks.get(&hash));
        if let Some(data) = data
            && !u.ratio(1, 64)?
        {
            rows.push(vec![Value::Integer(place as i64), Value::Blob(data.clone())]);
        }
    }
    Ok(RowSet { rows })
}

fn checkpoint(u: &mut Unstructured<'_>, forge: &mut Forge) -> Result<Vec<Value>> {
    let place = place(u)?;
    let (envelope, channels) = checkpoint_envelope(u, forge, &place)?;
    Ok(vec![
        Value::Integer(0),
        key(u)?,
        Value::Integer(0),
        text(place.thread_id),
        text(place.checkpoint_ns),
        text(place.checkpoint_id),
        place.parent.map_or(Value::Null, text),
        text(CREATED_AT),
        Value::Blob(METADATA.to_vec()),
        Value::Blob(envelope),
        text(&channels),
    ])
}

fn ancestor(u: &mut Unstructured<'_>, forge: &mut Forge) -> Result<Vec<Value>> {
    let steps = Value::Integer(u.int_in_range(0..=3)?);
    let place = place(u)?;
    let part = u.int_in_range(0..=3)?;
    let mut row = vec![Value::Integer(part), steps];
    if part == 1 {
        row.extend(write(u, forge)?);
        return Ok(row);
    }
    let (envelope, channels) = checkpoint_envelope(u, forge, &place)?;
    row.extend([key(u)?, Value::Integer(u.int_in_range(0..=1)?), text(id(u)?)]);
    if part == 2 {
        row.push(text(if u.arbitrary()? { "/" } else { "0123456789ABCDEF/" }));
        return Ok(row);
    }
    let parent = place.parent.map_or(Value::Null, text);
    row.extend([text(place.checkpoint_ns), text(place.checkpoint_id), parent]);
    let names = [place.thread_id, place.checkpoint_ns, place.checkpoint_id, &channels];
    row.extend(match part {
        3 => vec![text(&channels), Value::Blob(link(names, place.parent).to_vec())],
        _ => vec![
            text(CREATED_AT),
            Value::Blob(METADATA.to_vec()),
            Value::Blob(envelope),
            text(&channels),
        ],
    });
    Ok(row)
}

fn write(u: &mut Unstructured<'_>, forge: &mut Forge) -> Result<Vec<Value>> {
    let Place { thread_id, checkpoint_ns, checkpoint_id, .. } = place(u)?;
    let (task_id, channel) = (id(u)?, id(u)?);
    let idx: i64 = u.int_in_range(0..=3)?;
    let mut envelope = Vec::new();
    array(&mut envelope, 4);
    integer(&mut envelope, 1);
    forge.value(u, &mut envelope)?;
    let runs = u.int_in_range(0..=2)?;
    array(&mut envelope, runs);
    for _ in 0..runs {
        array(&mut envelope, 2);
        integer(&mut envelope, idx.unsigned_abs());
        integer(&mut envelope, if u.arbitrary()? { idx.unsigned_abs() } else { u.arbitrary()? });
    }
    blob(&mut envelope, &mark(channel));
    let columns: [&[u8]; 7] = [
        thread_id.as_bytes(),
        checkpoint_ns.as_bytes(),
        checkpoint_id.as_bytes(),
        task_id.as_bytes(),
        &idx.to_le_bytes(),
        b"path",
        channel.as_bytes(),
    ];
    Ok(vec![
        key(u)?,
        Value::Integer(idx),
        text(task_id),
        text(checkpoint_ns),
        text(checkpoint_id),
        text("path"),
        text(channel),
        Value::Blob(seal(envelope, &columns)),
    ])
}

const CREATED_AT: &str = "ts";
const METADATA: &[u8] = b"{}";

fn place(u: &mut Unstructured<'_>) -> Result<Place> {
    Ok(Place {
        thread_id: id(u)?,
        checkpoint_ns: if u.ratio(3, 4)? { "" } else { id(u)? },
        checkpoint_id: id(u)?,
        parent: if u.arbitrary()? { Some(id(u)?) } else { None },
    })
}

/// A sealed envelope of a checkpoint at this place, and the names of its channels.
fn checkpoint_envelope(
    u: &mut Unstructured<'_>,
    forge: &mut Forge,
    place: &Place,
) -> Result<(Vec<u8>, String)> {
    let mut envelope = Vec::new();
    array(&mut envelope, 7);
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
    let mut channels = Vec::new();
    for _ in 0..values {
        array(&mut envelope, 2);
        channels.push(id(u)?);
        string(&mut envelope, channels.last().copied().unwrap_or_default());
        forge.value(u, &mut envelope)?;
    }
    let channels = serde_json::to_string(&channels).unwrap_or_default();
    let names = [place.thread_id, place.checkpoint_ns, place.checkpoint_id, &channels];
    blob(&mut envelope, &link(names, place.parent));
    let sealed = seal(envelope, &[CREATED_AT.as_bytes(), METADATA]);
    Ok((sealed, channels))
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

/// A thread's key. Threads are few, so that they share chunks.
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
