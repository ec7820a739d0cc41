//! The commands that change what is stored: `copy`, `prune`, `expire`, `delete`, `vacuum`.

use std::collections::BTreeSet;
use std::time::Duration;

use langgraph_checkpoint_guest::Access;
use langgraph_checkpoint_host::{CopyThread, Keep, Lifecycle, Pruned, Work};
use serde_json::{Value, json};

use crate::arguments::{Copy, Delete, Expire, Keeping, Prune, Removing, Store, Vacuum, count_of};
use crate::failure::{Ended, Failure, Result};
use crate::opened::Opened;
use crate::output::{print, show_progress, size_of};
use crate::threads::precise;
use crate::{terminal, time};

/// `copy`.
pub(crate) async fn copy(arguments: Copy) -> Result<Ended> {
    let Copy { store, source, target, latest } = arguments;
    let opened = Opened::open(&store, Access::Write).await?;
    let call = CopyThread { source: source.into(), target: target.into(), latest_only: latest };
    let done = opened.copy_thread(call).await?;
    report(Some(done), store.json)
}

/// `prune`.
pub(crate) async fn prune(arguments: Prune) -> Result<Ended> {
    let Prune { store, threads, keeping, removing } = arguments;
    let keep = keep_of(&keeping)?;
    let question = format!("Prune {} threads?", threads.len());
    let done = remove(&store, &removing, &question, named(threads), keep, None).await?;
    report(done, store.json)
}

/// `expire`.
pub(crate) async fn expire(arguments: Expire) -> Result<Ended> {
    let Expire { store, idle_for, limit, keeping, removing } = arguments;
    let idle_for = duration_of(idle_for.as_deref().unwrap_or_default())?;
    let limit = limit.map(|text| count_of("--limit", &text)).transpose()?;
    let keep = keep_of(&keeping)?;
    let idle = Pruned::Idle(time::ago(idle_for));
    let done = remove(&store, &removing, "Prune the idle threads?", idle, keep, limit).await?;
    report(done, store.json)
}

/// `delete`.
pub(crate) async fn delete(arguments: Delete) -> Result<Ended> {
    let Delete { store, threads, removing } = arguments;
    let question = format!("Delete {} threads?", threads.len());
    let count = threads.iter().collect::<BTreeSet<_>>().len() as u64;
    let keep = Keep::Nothing;
    let Some(done) = remove(&store, &removing, &question, named(threads), keep, None).await? else {
        return Ok(Ended::Incomplete);
    };
    let missing = count.saturating_sub(done.threads);
    report(Some(done), store.json)?;
    if missing > 0 {
        eprintln!("{missing} of the threads did not exist");
        return Ok(Ended::Incomplete);
    }
    Ok(Ended::Done)
}

fn named(threads: Vec<String>) -> Pruned {
    Pruned::Threads(threads.into_iter().map(Into::into).collect())
}

/// `vacuum`.
pub(crate) async fn vacuum(arguments: Vacuum) -> Result<Ended> {
    let Vacuum { store, pages } = arguments;
    let pages = pages.map(|text| count_of("--pages", &text)).transpose()?;
    let opened = Opened::open(&store, Access::Write).await?;
    let mut call = langgraph_checkpoint_host::Vacuum { pages: pages.map(precise), resume: None };
    let done = loop {
        let work = opened.vacuum(call.clone()).await?;
        if work.next.is_none() {
            break work;
        }
        call.resume = work.next;
    };
    let bytes = |work: &Work| json!({ "bytes": work.bytes });
    print(&[done], store.json, bytes, &[("given back", |row| size_of(row.bytes).into())])?;
    Ok(Ended::Done)
}

/// Removes what may be removed. `None` if the answer to the question is no.
async fn remove(
    store: &Store,
    removing: &Removing,
    question: &str,
    pruned: Pruned,
    keep: Keep,
    limit: Option<u64>,
) -> Result<Option<Work>> {
    let dry_run = removing.dry_run;
    if !removing.yes && !dry_run && !is_meant(question)? {
        return Ok(None);
    }
    let opened = Opened::open(store, if dry_run { Access::Read } else { Access::Write }).await?;
    let limit = limit.map(precise);
    let mut call = langgraph_checkpoint_host::Prune {
        pruned,
        keep,
        limit,
        dry_run,
        lease: None,
        resume: None,
    };
    loop {
        let work = opened.prune(call.clone()).await?;
        show_progress(work.threads, work.checkpoints);
        if work.next.is_none() {
            return Ok(Some(work));
        }
        call.resume = work.next;
    }
}

/// Asks at a terminal. Elsewhere the answer has to be in the command: `--yes`.
fn is_meant(question: &str) -> Result<bool> {
    if !terminal::is_there() {
        return Err(Failure::usage("this removes data: add --yes"));
    }
    terminal::is_answered_yes(question)
}

fn keep_of(keeping: &Keeping) -> Result<Keep> {
    let Keeping { strategy, keep_last, newer_than } = keeping;
    let keep_last = keep_last.as_ref().map(|text| count_of("--keep-last", text)).transpose()?;
    let newer_than = newer_than.as_ref().map(|text| time::of("--newer-than", text)).transpose()?;
    match (strategy.as_str(), keep_last, newer_than) {
        ("keep_latest", None, None) => Ok(Keep::Latest),
        ("keep_latest", None, Some(time)) => Ok(Keep::NewerThan(time)),
        ("keep_latest", Some(count), None) => match u32::try_from(count) {
            Ok(count) => Ok(Keep::Last(count)),
            Err(_) => Err(Failure::usage("--keep-last is not a whole number, at least 1")),
        },
        ("keep_latest", Some(_), Some(_)) => {
            Err(Failure::usage("--keep-last and --newer-than exclude each other"))
        }
        ("delete" | "delete_all", None, None) => Ok(Keep::Nothing),
        ("delete" | "delete_all", _, _) => {
            Err(Failure::usage("--keep-last and --newer-than are for the strategy keep_latest"))
        }
        _ => Err(Failure::usage("--strategy is not keep_latest or delete")),
    }
}

fn duration_of(text: &str) -> Result<Duration> {
    let digits = text.trim_end_matches(['m', 'h', 'd']);
    let unit = text.get(digits.len()..).unwrap_or_default();
    let seconds = match unit {
        "m" => 60,
        "h" => 3_600,
        "d" => 86_400,
        _ => 0,
    };
    let is_a_count =
        (1..=9).contains(&digits.len()) && digits.bytes().all(|it| it.is_ascii_digit());
    match digits.parse::<u64>() {
        Ok(count) if is_a_count && seconds > 0 => Ok(Duration::from_secs(count * seconds)),
        _ => Err(Failure::usage("--idle-for takes a duration: 90m, 12h, 30d")),
    }
}

fn report(done: Option<Work>, json: bool) -> Result<Ended> {
    let Some(done) = done else {
        return Ok(Ended::Incomplete);
    };
    print(
        &[done],
        json,
        whole,
        &[
            ("threads", |row| row.threads.into()),
            ("checkpoints", |row| row.checkpoints.into()),
            ("writes", |row| row.writes.into()),
            ("chunks", |row| row.chunks.into()),
            ("in chunks", |row| size_of(row.bytes).into()),
        ],
    )?;
    Ok(Ended::Done)
}

fn whole(done: &Work) -> Value {
    json!({
        "threads": done.threads,
        "checkpoints": done.checkpoints,
        "writes": done.writes,
        "chunks": done.chunks,
        "bytes": done.bytes,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_is_a_count_with_its_unit() {
        assert_eq!(duration_of("90m").unwrap(), Duration::from_secs(5_400));
        assert_eq!(duration_of("12h").unwrap(), Duration::from_secs(43_200));
        assert_eq!(duration_of("30d").unwrap(), Duration::from_secs(2_592_000));
        for wrong in ["", "d", "30", "30dd", "30s", "-1d", "1.5h", "1234567890d"] {
            assert!(duration_of(wrong).is_err(), "{wrong}");
        }
    }
}
