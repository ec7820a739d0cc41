//! Ingests rows: packs them into requests under the size limit, and streams them or ingests them
//! inline.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;

use super::failure::{Class, Failure};
use super::memory::Shared;
use super::options::IngestMode;
use super::query::tombstones;
use super::row::{LogRow, TOMBSTONE, WRITE};
use super::send::Sender;
use crate::contract::error::Error;

/// The most bytes of rows in one request. The service's documents disagree on its limit; 4 MB is
/// the least that they state.
const REQUEST_BYTES_MAX: usize = 3_500_000;

/// How long rows are ingested inline after streaming was found to be off, in microseconds.
const INLINE_TIME: u64 = 15 * 60 * 1_000_000;

/// Why rows were not ingested, and whether a part of them may have been.
pub(crate) struct Broken {
    pub(crate) failure: Failure,
    pub(crate) partly: bool,
}

/// Ingests rows in order, in as few requests as possible. Tombstones must come without other rows.
pub(crate) async fn ingest(
    sender: &Sender,
    shared: &Shared,
    rows: &[LogRow],
) -> Result<Result<(), Broken>, Error> {
    let log = &sender.options.table;
    let is_tombstone = rows.first().is_some_and(|row| row.kind == TOMBSTONE);
    let table = if is_tombstone { tombstones(log) } else { log.clone() };
    let lines = lines_of(rows)?;
    let mut at = 0;
    let mut most = REQUEST_BYTES_MAX;
    // An earlier attempt of a request that was then too large may have taken effect.
    let mut maybe_done = false;
    while at < lines.len() {
        let rest = rows.get(at..).unwrap_or_default();
        let count = fitting(rest, lines.get(at..).unwrap_or_default(), most);
        let batch = lines.get(at..at + count).unwrap_or_default();
        match one(sender, shared, &table, batch).await? {
            Ok(()) => at += count,
            Err(failure) if failure.class == Class::TooLarge && count > together(rest) => {
                maybe_done |= failure.maybe_done;
                most = (batch.iter().map(String::len).sum::<usize>() / 2).max(1);
            }
            Err(failure) => return Ok(Err(Broken { failure, partly: at > 0 || maybe_done })),
        }
    }
    Ok(Ok(()))
}

/// Ingests rows of the log in one request, so that all of them show or none. Returns whether they
/// fit in one; if not, none is ingested.
pub(crate) async fn ingest_at_once(
    sender: &Sender,
    shared: &Shared,
    rows: &[LogRow],
) -> Result<Result<bool, Broken>, Error> {
    let lines = lines_of(rows)?;
    if lines.is_empty() {
        return Ok(Ok(true));
    }
    if lines.iter().map(|line| line.len() + 1).sum::<usize>() > REQUEST_BYTES_MAX {
        return Ok(Ok(false));
    }
    Ok(match one(sender, shared, &sender.options.table, &lines).await? {
        Ok(()) => Ok(true),
        Err(failure) if failure.class == Class::TooLarge => Ok(false),
        Err(failure) => Err(Broken { failure, partly: false }),
    })
}

fn lines_of(rows: &[LogRow]) -> Result<Vec<String>, Error> {
    rows.iter().map(LogRow::line).collect()
}

/// How many of the rows fit in `most` bytes; at least the first group that must stay together.
fn fitting(rows: &[LogRow], lines: &[String], most: usize) -> usize {
    let mut bytes = 0;
    let mut count = 0;
    while let Some(rest) = rows.get(count..).filter(|rest| !rest.is_empty()) {
        let group = together(rest);
        let own = lines.get(count..count + group).unwrap_or_default();
        bytes += own.iter().map(|line| line.len() + 1).sum::<usize>();
        if count > 0 && bytes > most {
            break;
        }
        count += group;
    }
    count
}

/// How many of the first rows must be in one request: all writes of one call, because LangGraph
/// takes a task with some of its writes for one that has made them all.
fn together(rows: &[LogRow]) -> usize {
    let Some(first) = rows.first().filter(|row| row.kind == WRITE) else {
        return rows.len().min(1);
    };
    let same = |row: &&LogRow| {
        row.kind == WRITE
            && (row.rev, &row.thread_id, &row.task_id)
                == (first.rev, &first.thread_id, &first.task_id)
    };
    rows.iter().take_while(same).count()
}

async fn one(
    sender: &Sender,
    shared: &Shared,
    table: &str,
    lines: &[String],
) -> Result<Result<(), Failure>, Error> {
    let mode = sender.options.ingest_mode;
    let inline = match mode {
        IngestMode::Inline => true,
        IngestMode::Streaming => false,
        IngestMode::Auto => shared.borrow().inline_until > sender.io.now(),
    };
    if inline {
        return put_inline(sender, table, lines).await;
    }
    match sender.stream(table, packed(lines)?).await? {
        Err(Failure { class: Class::StreamingOff, maybe_done, .. }) if mode == IngestMode::Auto => {
            shared.borrow_mut().streaming_is_off(sender.io.now().saturating_add(INLINE_TIME));
            let ended = put_inline(sender, table, lines).await?;
            Ok(ended.map_err(|failure| Failure {
                maybe_done: maybe_done || failure.maybe_done,
                ..failure
            }))
        }
        ended => Ok(ended),
    }
}

async fn put_inline(
    sender: &Sender,
    table: &str,
    lines: &[String],
) -> Result<Result<(), Failure>, Error> {
    let text = inline_command(table, sender.options.mapping(table), lines);
    Ok(sender.command(&text).await?.map(|_| ()))
}

/// The command that ingests lines of JSON. The lines come last and hold no line breaks, so nothing
/// in them can be read as a part of the command.
pub(crate) fn inline_command(table: &str, mapping: &str, lines: &[String]) -> String {
    format!(
        ".ingest inline into table ['{table}'] with (format=\"multijson\", \
         ingestionMappingReference=\"{mapping}\") <|\n{}",
        lines.join("\n")
    )
}

fn packed(lines: &[String]) -> Result<Vec<u8>, Error> {
    let failed =
        |error| Error::protocol("encoding-failed", format!("cannot pack the rows: {error}"));
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    for line in lines {
        encoder.write_all(line.as_bytes()).map_err(failed)?;
        encoder.write_all(b"\n").map_err(failed)?;
    }
    encoder.finish().map_err(failed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(kind: &str, rev: i64, task_id: &str) -> LogRow {
        let row = LogRow::new(kind, "thread", rev, String::new(), 0);
        LogRow { task_id: task_id.to_owned(), ..row }
    }

    fn requests(rows: &[LogRow], most: usize) -> Vec<usize> {
        let lines = vec!["x".repeat(9); rows.len()];
        let mut counts = Vec::new();
        let mut at = 0;
        while at < rows.len() {
            counts.push(fitting(&rows[at..], &lines[at..], most));
            at += counts.last().unwrap();
        }
        counts
    }

    #[test]
    fn the_writes_of_a_call_are_never_divided_among_requests() {
        let mut rows = vec![row("chunk", 1, ""), row("chunk", 1, "")];
        rows.extend((0..5).map(|_| row(WRITE, 1, "a")));
        rows.extend((0..2).map(|_| row(WRITE, 2, "a")));
        rows.push(row("checkpoint", 3, ""));
        assert_eq!(requests(&rows, 1_000), [10]);
        assert_eq!(requests(&rows, 70), [7, 3]);
        assert_eq!(requests(&rows, 60), [2, 5, 3]);
        assert_eq!(requests(&rows, 10), [1, 1, 5, 2, 1]);
        assert_eq!(requests(&rows, 0), [1, 1, 5, 2, 1]);
    }
}
