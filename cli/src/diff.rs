//! `diff`: what differs between two checkpoints.

use langgraph_checkpoint_guest::Access;
use langgraph_checkpoint_host::{
    ChannelDifference, Difference, ElementDifference, Lifecycle, PartSize, Version, WriteSize,
};
use serde_json::{Map, Value, json};

use crate::arguments::Diff;
use crate::data;
use crate::failure::{Ended, Result};
use crate::opened::Opened;
use crate::output::{Column, print, print_json, say, size_of};
use crate::threads::{config_of, number_or_text};

/// `diff`.
pub(crate) async fn run(arguments: Diff) -> Result<Ended> {
    let Diff { store, thread, checkpoint, before, ns, values } = arguments;
    let opened = Opened::open(&store, Access::Read).await?;
    let config = config_of(&thread, &ns, Some(&checkpoint));
    let before = before.map(Into::into).unwrap_or_default();
    let call = langgraph_checkpoint_host::Diff { config, before, values };
    let Some(found) = opened.diff(call).await? else {
        say(&format!("thread {thread} lacks one of the two checkpoints"));
        return Ok(Ended::Incomplete);
    };
    if store.json {
        print_json(&whole(&found), true)?;
    } else {
        let mut columns = columns();
        if !values {
            columns.pop();
        }
        print(&rows(&found), false, |_| Value::Null, &columns)?;
    }
    Ok(Ended::Done)
}

/// A line of the table.
#[derive(Default)]
struct Row<'a> {
    what: String,
    channel: &'a str,
    /// The place of an element, or the task of a write.
    place: String,
    version: String,
    before: Option<&'a PartSize>,
    after: Option<&'a PartSize>,
}

/// The columns. The last one is for values.
fn columns<'a>() -> Vec<Column<Row<'a>>> {
    vec![
        ("what", |row| row.what.as_str().into()),
        ("channel", |row| row.channel.into()),
        ("place", |row| row.place.as_str().into()),
        ("version", |row| row.version.as_str().into()),
        ("before", |row| size(row.before)),
        ("after", |row| size(row.after)),
        ("value", |row| match row.after.or(row.before).and_then(value) {
            None | Some(Value::Null) => "".into(),
            Some(value) => value,
        }),
    ]
}

fn size(part: Option<&PartSize>) -> Value {
    part.map_or_else(String::new, |part| size_of(part.bytes)).into()
}

fn value(part: &PartSize) -> Option<Value> {
    part.value.as_ref().map(data::shown)
}

fn rows(found: &Difference) -> Vec<Row<'_>> {
    let channels = found.channels.iter().flat_map(|found| {
        let inside = found.elements.iter().flatten().map(|element| element_row(found, element));
        std::iter::once(channel_row(found)).chain(inside)
    });
    let writes = found.writes.iter().map(|WriteSize { task_id, channel, value }| Row {
        what: "write".to_owned(),
        channel,
        place: task_id.clone(),
        after: Some(value),
        ..Row::default()
    });
    channels.chain(writes).collect()
}

fn channel_row(found: &ChannelDifference) -> Row<'_> {
    let ChannelDifference { channel, version_before, version_after, before, after, elements } =
        found;
    let (before, after) = (before.as_ref(), after.as_ref());
    let has_no_value = before.is_none() && after.is_none();
    let is_same = has_no_value || elements.as_ref().is_some_and(Vec::is_empty);
    let text = |version: &Option<Version>| match version {
        Some(Version::Text(text)) => text.clone(),
        Some(number) => data::compact(&number_or_text(number)),
        None => String::new(),
    };
    let version = if version_before == version_after {
        String::new()
    } else {
        format!("{} -> {}", text(version_before), text(version_after))
    };
    Row {
        what: if is_same { "same value" } else { change(before, after) }.to_owned(),
        channel,
        version,
        before,
        after,
        ..Row::default()
    }
}

fn element_row<'a>(channel: &'a ChannelDifference, element: &'a ElementDifference) -> Row<'a> {
    let (before, after) = (element.before.as_ref(), element.after.as_ref());
    Row {
        what: format!("  {}", change(before, after)),
        channel: &channel.channel,
        place: element.place.map_or_else(|| "?".to_owned(), |place| place.to_string()),
        before,
        after,
        ..Row::default()
    }
}

fn change(before: Option<&PartSize>, after: Option<&PartSize>) -> &'static str {
    match (before, after) {
        (None, _) => "added",
        (_, None) => "removed",
        _ => "changed",
    }
}

/// The difference as one object. What is not there has no key.
fn whole(found: &Difference) -> Value {
    let channels = found.channels.iter().map(|channel| {
        let elements = channel.elements.as_ref().map(|all| all.iter().map(element).collect());
        object([
            ("channel", Some(channel.channel.as_str().into())),
            ("versionBefore", channel.version_before.as_ref().map(number_or_text)),
            ("versionAfter", channel.version_after.as_ref().map(number_or_text)),
            ("before", channel.before.as_ref().map(part)),
            ("after", channel.after.as_ref().map(part)),
            ("elements", elements),
        ])
    });
    let writes = found.writes.iter().map(|WriteSize { task_id, channel, value }| {
        json!({ "taskId": task_id, "channel": channel, "value": part(value) })
    });
    object([
        ("before", found.before.as_deref().map(Value::from)),
        ("channels", Some(channels.collect())),
        ("writes", Some(writes.collect())),
    ])
}

fn element(element: &ElementDifference) -> Value {
    object([
        ("place", element.place.map(Value::from)),
        ("before", element.before.as_ref().map(part)),
        ("after", element.after.as_ref().map(part)),
    ])
}

fn part(part: &PartSize) -> Value {
    object([("bytes", Some(part.bytes.into())), ("value", value(part))])
}

fn object<const N: usize>(members: [(&str, Option<Value>); N]) -> Value {
    let members = members.into_iter();
    let members = members.filter_map(|(name, value)| Some((name.to_owned(), value?)));
    members.collect::<Map<_, _>>().into()
}
