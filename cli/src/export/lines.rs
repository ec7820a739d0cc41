//! Checkpoints as lines of JSON.

use std::fs::{self, File};
use std::io::{self, BufWriter, Read, Write};
use std::path::PathBuf;

use langgraph_checkpoint_host::{CheckpointTuple, Exported};
use serde_json::Value;

use super::report::Report;
use super::stored::Checkpoints;
use crate::failure::{Failure, Result};
use crate::opened::Opened;
use crate::threads::number_or_text;
use crate::{data, output};

/// How files of SQLite begin: databases, and their logs in both orders of bytes.
const SQLITE: [&[u8]; 3] = [b"SQLite format 3\0", b"\x37\x7f\x06\x82", b"\x37\x7f\x06\x83"];

/// Refuses what a file of lines must not replace: a database, which may be the source itself, and
/// what is no file.
pub(super) fn check(target: &str) -> Result<()> {
    let Ok(found) = fs::metadata(target) else {
        return Ok(());
    };
    if !found.is_file() {
        return Err(Failure::usage("TARGET is not a file: name another one, or -"));
    }
    let mut begin = Vec::new();
    File::open(target)
        .and_then(|file| file.take(16).read_to_end(&mut begin))
        .map_err(unwritable)?;
    if SQLITE.iter().any(|sign| begin.starts_with(sign)) {
        return Err(Failure::usage(
            "TARGET is a database, which lines do not replace: name another",
        ));
    }
    Ok(())
}

/// Where lines go: to a file, or to the standard output.
pub(super) struct Lines(Option<Writing>);

/// A file, which takes its name once it is complete.
struct Writing {
    file: BufWriter<File>,
    partial: PathBuf,
    target: PathBuf,
}

impl Lines {
    /// Begins a file of this name; without one, writes to the standard output.
    pub(super) fn to(target: Option<&str>) -> Result<Self> {
        let Some(target) = target else {
            return Ok(Self(None));
        };
        let partial = PathBuf::from(format!("{target}.partial"));
        let file = BufWriter::new(File::create(&partial).map_err(unwritable)?);
        Ok(Self(Some(Writing { file, partial, target: target.into() })))
    }

    /// Writes the lines of a thread.
    pub(super) async fn add(
        &mut self,
        source: &Opened<'_>,
        thread: &str,
        report: &mut Report,
    ) -> Result<()> {
        let mut checkpoints = Checkpoints::of(source, thread);
        while let Some(exported) = checkpoints.next().await? {
            let line = line_of(&exported);
            match &mut self.0 {
                Some(Writing { file, .. }) => {
                    file.write_all(line.as_bytes()).map_err(unwritable)?;
                }
                None => output::write(&line)?,
            }
            report.checkpoints += u64::from(exported.checkpoint.is_some());
            report.writes += exported.writes.len() as u64;
        }
        report.exported += 1;
        Ok(())
    }

    /// Ends the file, and names it.
    pub(super) fn finish(self) -> Result<()> {
        let Some(Writing { file, partial, target }) = self.0 else {
            return Ok(());
        };
        let file = file.into_inner().map_err(|error| unwritable(error.into_error()))?;
        file.sync_all().and_then(|()| fs::rename(partial, target)).map_err(unwritable)
    }
}

#[expect(clippy::needless_pass_by_value, reason = "for map_err")]
fn unwritable(error: io::Error) -> Failure {
    Failure::io("TARGET cannot be written", &error)
}

/// One line for what is stored of a checkpoint. Values are data; none is revived.
fn line_of(exported: &Exported) -> String {
    let Exported { thread_id, checkpoint_ns, checkpoint_id, checkpoint, writes, .. } = exported;
    let parent = checkpoint.as_ref().and_then(|it| it.parent_checkpoint_id.as_deref());
    let [mut fields, mut types, mut metadata] = ["null", "{}", "null"].map(str::to_owned);
    if let Some(checkpoint) = checkpoint {
        let values = checkpoint.channel_values.iter();
        fields = checkpoint_of(checkpoint);
        types = object(values.map(|it| (it.channel.as_str(), json(&it.value.kind))));
        metadata = data::whole(&checkpoint.metadata);
    }
    let writes = writes.iter().map(|write| {
        object([
            ("task_id", json(&write.task_id)),
            ("task_path", json(&write.task_path)),
            ("idx", write.idx.to_string()),
            ("channel", json(&write.channel)),
            ("type", json(&write.value.kind)),
            ("value", data::whole(&write.value)),
        ])
    });
    let line = object([
        ("thread_id", json(thread_id)),
        ("checkpoint_ns", json(checkpoint_ns)),
        ("checkpoint_id", json(checkpoint_id)),
        ("parent_checkpoint_id", parent.map_or_else(|| "null".to_owned(), json)),
        ("checkpoint", fields),
        ("types", types),
        ("metadata", metadata),
        ("writes", format!("[{}]", writes.collect::<Vec<_>>().join(","))),
    ]);
    line + "\n"
}

/// The checkpoint as LangGraph has it.
fn checkpoint_of(checkpoint: &CheckpointTuple) -> String {
    let CheckpointTuple { v, checkpoint_id, ts, channel_versions, channel_values, rest, .. } =
        checkpoint;
    let versions = channel_versions.iter();
    let versions = versions.map(|it| (it.channel.as_str(), compact(number_or_text(&it.version))));
    let values = channel_values.iter().map(|it| (it.channel.as_str(), data::whole(&it.value)));
    let fields = object([
        ("v", compact((*v).into())),
        ("id", json(checkpoint_id)),
        ("ts", json(ts)),
        ("channel_versions", object(versions)),
        ("channel_values", object(values)),
    ]);
    let rest = data::whole(rest);
    let others = rest.trim().strip_prefix('{').and_then(|rest| rest.strip_suffix('}'));
    match (others.unwrap_or_default().trim(), fields.strip_suffix('}')) {
        ("", _) | (_, None) => fields,
        (others, Some(fields)) => format!("{fields},{others}}}"),
    }
}

fn json(text: &str) -> String {
    compact(text.into())
}

fn compact(value: Value) -> String {
    data::compact(&value)
}

fn object<'a>(members: impl IntoIterator<Item = (&'a str, String)>) -> String {
    let members = members.into_iter().map(|(name, value)| format!("{}:{value}", json(name)));
    format!("{{{}}}", members.collect::<Vec<_>>().join(","))
}
