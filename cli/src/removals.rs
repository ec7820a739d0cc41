//! The commands that change what is stored: `copy`, `prune`, `expire`, `delete`,
//! `delete-runs`, `vacuum`.

use langgraph_checkpoint_guest::Access;
use langgraph_checkpoint_host::{CopyThread, Id, Keep, Lifecycle, Pruned, Work};
use serde_json::{Value, json};

use crate::arguments::{
    Copy, Delete, DeleteRuns, Expire, Keeping, Prune, Removing, Store, Vacuum, count_of,
};
use crate::failure::{Ended, Failure, Result};
use crate::opened::Opened;
use crate::output::{self, print, show_progress, size_of};
use crate::threads::precise;
use crate::{terminal, time};

/// `copy`.
pub(crate) async fn copy(arguments: Copy) -> Result<Ended> {
    let Copy { store, source, target, latest } = arguments;
    let opened = Opened::open(&store, Access::Write).await?;
    let call = CopyThread { source: source.into(), target: target.into(), latest_only: latest };
    let done = opened.copy_thread(call).await?;
    report(done, store.json)
}

/// `prune`.
pub(crate) async fn prune(arguments: Prune) -> Result<Ended> {
    let Prune { store, threads, keeping, removing } = arguments;
    let keep = keep_of(&keeping)?;
    let question = format!("Prune {} threads?", threads.len());
    let pruned = Pruned::Threads(ids(&threads));
    remove(&store, &removing, &question, pruned, keep, None).await
}

/// `expire`.
pub(crate) async fn expire(arguments: Expire) -> Result<Ended> {
    let Expire { store, idle_for, limit, keeping, removing } = arguments;
    let idle_for = time::duration("--idle-for", idle_for.as_deref().unwrap_or_default())?;
    let limit = limit.map(|text| count_of("--limit", &text)).transpose()?;
    let keep = keep_of(&keeping)?;
    let idle = Pruned::Idle(time::ago(idle_for));
    let question = "Prune the idle threads?";
    remove(&store, &removing, question, idle, keep, limit).await
}

/// `delete`.
pub(crate) async fn delete(arguments: Delete) -> Result<Ended> {
    let Delete { store, threads, removing } = arguments;
    let question = format!("Delete {} threads?", threads.len());
    let pruned = Pruned::Threads(ids(&threads));
    remove(&store, &removing, &question, pruned, Keep::Nothing, None).await
}

/// `delete-runs`.
pub(crate) async fn delete_runs(arguments: DeleteRuns) -> Result<Ended> {
    let DeleteRuns { store, runs, removing } = arguments;
    let question = format!("Remove the checkpoints of {} runs?", runs.len());
    let pruned = Pruned::Runs(ids(&runs));
    remove(&store, &removing, &question, pruned, Keep::Latest, None).await
}

fn ids(texts: &[String]) -> Vec<Id> {
    texts.iter().map(|text| text.as_str().into()).collect()
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

/// Removes what may be removed, and says what of the named threads and runs is not there.
async fn remove(
    store: &Store,
    removing: &Removing,
    question: &str,
    pruned: Pruned,
    keep: Keep,
    limit: Option<u64>,
) -> Result<Ended> {
    let dry_run = removing.dry_run;
    if !removing.yes && !dry_run && !is_meant(question)? {
        return Ok(Ended::Incomplete);
    }
    let opened = Opened::open(store, if dry_run { Access::Read } else { Access::Write }).await?;
    let missing = missing_of(&opened, &pruned).await?;
    let is_of_runs = matches!(pruned, Pruned::Runs(_));
    let limit = limit.map(precise);
    let mut call = langgraph_checkpoint_host::Prune {
        pruned,
        keep,
        limit,
        dry_run,
        lease: None,
        resume: None,
    };
    let done = loop {
        let work = opened.prune(call.clone()).await?;
        show_progress(work.threads, work.checkpoints);
        if work.next.is_none() {
            break work;
        }
        call.resume = work.next;
    };
    let is_nothing = is_of_runs && done.threads == 0;
    report(done, store.json)?;
    for thread in &missing {
        output::say(&format!("thread {thread} does not exist"));
    }
    if is_nothing {
        output::say("there is nothing of these runs to remove");
    }
    Ok(if missing.is_empty() && !is_nothing { Ended::Done } else { Ended::Incomplete })
}

/// The named threads that do not exist.
async fn missing_of(opened: &Opened<'_>, pruned: &Pruned) -> Result<Vec<String>> {
    let mut missing = Vec::new();
    let Pruned::Threads(ids) = pruned else { return Ok(missing) };
    for id in ids {
        if let Id::Text(id) = id
            && opened.stats(Some(id)).await?.threads == 0
            && !missing.contains(id)
        {
            missing.push(id.clone());
        }
    }
    Ok(missing)
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

fn report(done: Work, json: bool) -> Result<Ended> {
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
