//! The commands that read everything: `du`, `verify`.

use langgraph_checkpoint_guest::Access;
use langgraph_checkpoint_host::{Lifecycle, Problem, Stats, Verified, Verify};
use serde_json::{Value, json};

use crate::arguments::OneOrAll;
use crate::failure::{Ended, Result};
use crate::opened::Opened;
use crate::output::{print, print_json, show_progress, size_of, write_words};
use crate::threads::not_found;

/// `du`.
pub(crate) async fn du(arguments: OneOrAll) -> Result<Ended> {
    let OneOrAll { store, thread } = arguments;
    let opened = Opened::open(&store, Access::Read).await?;
    let stats = opened.stats(thread.as_deref()).await?;
    print(
        &[stats],
        store.json,
        whole,
        &[
            ("threads", |row| row.threads.into()),
            ("checkpoints", |row| row.checkpoints.into()),
            ("writes", |row| row.writes.into()),
            ("records", |row| size_of(row.record_bytes).into()),
            ("chunks", |row| row.chunks.into()),
            ("in chunks", |row| size_of(row.chunk_bytes).into()),
        ],
    )?;
    match thread {
        Some(thread) if stats.threads == 0 => Ok(not_found(&thread)),
        _ => Ok(Ended::Done),
    }
}

fn whole(stats: &Stats) -> Value {
    json!({
        "threads": stats.threads,
        "checkpoints": stats.checkpoints,
        "writes": stats.writes,
        "recordBytes": stats.record_bytes,
        "chunks": stats.chunks,
        "chunkBytes": stats.chunk_bytes,
    })
}

/// `verify`.
pub(crate) async fn verify(arguments: OneOrAll) -> Result<Ended> {
    let OneOrAll { store, thread } = arguments;
    let opened = Opened::open(&store, Access::Read).await?;
    let id = thread.as_deref().map(Into::into).unwrap_or_default();
    let mut call = Verify { thread: id, resume: None };
    let mut problems: Vec<Problem> = Vec::new();
    let read = loop {
        let mut read = opened.verify(call.clone()).await?;
        problems.append(&mut read.problems);
        show_progress(read.threads, read.checkpoints);
        if read.next.is_none() {
            break read;
        }
        call.resume = read.next;
    };
    let read = Verified { problems, ..read };
    if store.json {
        print_json(&found(&read), true)?;
    } else {
        print(
            std::slice::from_ref(&read),
            false,
            found,
            &[
                ("threads", |row| row.threads.into()),
                ("checkpoints", |row| row.checkpoints.into()),
                ("writes", |row| row.writes.into()),
                ("chunks", |row| row.chunks.into()),
                ("in chunks", |row| size_of(row.bytes).into()),
                ("problems", |row| row.problems.len().into()),
            ],
        )?;
        let lines = read.problems.iter();
        write_words(&lines.map(|it| format!("{}: {}\n", it.code, it.message)).collect::<String>())?;
    }
    match thread {
        Some(thread) if read.threads == 0 => Ok(not_found(&thread)),
        _ if read.problems.is_empty() => Ok(Ended::Done),
        _ => Ok(Ended::Incomplete),
    }
}

fn found(read: &Verified) -> Value {
    let problem =
        |it: &Problem| json!({ "threadId": it.thread_id, "code": it.code, "message": it.message });
    json!({
        "threads": read.threads,
        "checkpoints": read.checkpoints,
        "writes": read.writes,
        "chunks": read.chunks,
        "bytes": read.bytes,
        "problems": read.problems.iter().map(problem).collect::<Value>(),
    })
}
