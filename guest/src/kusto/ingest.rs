//! Rows on their way into the table: packed under the limits, streamed or put inline.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;

use super::failure::{Class, Failure};
use super::memory::Shared;
use super::options::IngestMode;
use super::row::LogRow;
use super::send::Sender;
use crate::error::Error;

/// The mapping that `provision.kql` makes.
pub(crate) const MAPPING: &str = "lg_json_v1";

/// The most bytes of rows in one request. The documents of the service disagree on its limit;
/// 4 MB is the least they say.
const REQUEST_BYTES_MAX: usize = 3_500_000;

/// For how long rows go inline after streaming was found to be off, in microseconds.
const INLINE_TIME: u64 = 15 * 60 * 1_000_000;

/// Why rows were not ingested, and whether requests before the one that failed were.
pub(crate) struct Broken {
    pub(crate) failure: Failure,
    pub(crate) partly: bool,
}

/// Ingests rows, in order, in as few requests as they fit in.
pub(crate) async fn ingest(
    sender: &Sender,
    shared: &Shared,
    rows: &[LogRow],
) -> Result<Result<(), Broken>, Error> {
    let lines = rows.iter().map(LogRow::line).collect::<Result<Vec<_>, _>>()?;
    let mut at = 0;
    let mut most = REQUEST_BYTES_MAX;
    // An attempt before the one that was too large may have taken effect.
    let mut maybe_done = false;
    while at < lines.len() {
        let count = fitting(lines.get(at..).unwrap_or_default(), most);
        let batch = lines.get(at..at + count).unwrap_or_default();
        match one(sender, shared, batch).await? {
            Ok(()) => at += count,
            Err(failure) if failure.class == Class::TooLarge && count > 1 => {
                maybe_done |= failure.maybe_done;
                most = (batch.iter().map(String::len).sum::<usize>() / 2).max(1);
            }
            Err(failure) => return Ok(Err(Broken { failure, partly: at > 0 || maybe_done })),
        }
    }
    Ok(Ok(()))
}

/// How many of the lines fit in so many bytes; at least one.
fn fitting(lines: &[String], most: usize) -> usize {
    let mut bytes = 0;
    let fits = lines.iter().take_while(|line| {
        bytes += line.len() + 1;
        bytes <= most
    });
    fits.count().max(1)
}

async fn one(
    sender: &Sender,
    shared: &Shared,
    lines: &[String],
) -> Result<Result<(), Failure>, Error> {
    let mode = sender.options.ingest_mode;
    let inline = match mode {
        IngestMode::Inline => true,
        IngestMode::Streaming => false,
        IngestMode::Auto => shared.borrow().inline_until > sender.io.now(),
    };
    if inline {
        return put_inline(sender, lines).await;
    }
    match sender.stream(packed(lines)?).await? {
        Err(Failure { class: Class::StreamingOff, maybe_done, .. }) if mode == IngestMode::Auto => {
            shared.borrow_mut().streaming_is_off(sender.io.now().saturating_add(INLINE_TIME));
            let ended = put_inline(sender, lines).await?;
            Ok(ended.map_err(|failure| Failure {
                maybe_done: maybe_done || failure.maybe_done,
                ..failure
            }))
        }
        ended => Ok(ended),
    }
}

async fn put_inline(sender: &Sender, lines: &[String]) -> Result<Result<(), Failure>, Error> {
    let text = inline_command(&sender.options.table, lines);
    Ok(sender.command(&text).await?.map(|_| ()))
}

/// The command that ingests lines of JSON. They end it, so nothing in them can be taken for a
/// part of the command, and none of them holds a line break.
pub(crate) fn inline_command(table: &str, lines: &[String]) -> String {
    format!(
        ".ingest inline into table ['{table}'] with (format=\"multijson\", \
         ingestionMappingReference=\"{MAPPING}\") <|\n{}",
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
