//! Stores threads in the tables of LangGraph's own savers, one after the other.

use langgraph_checkpoint_guest::takeover::NewStockRows;

use super::report::Report;
use super::stored::Checkpoints;
use super::tables::{Comparison, Tables};
use crate::failure::Result;
use crate::opened::Opened;

/// What a target has of a thread.
enum State {
    Missing,
    Present,
    Conflicting,
}

/// Stores what is stored of a thread, unless the target has something else under its id.
pub(super) async fn give_back(
    source: &Opened<'_>,
    id: &str,
    target: &Tables,
    report: &mut Report,
) -> Result<()> {
    match state_of(source, id, target, report).await? {
        State::Present => {
            report.present += 1;
            return Ok(());
        }
        State::Conflicting => {
            report.conflicting += 1;
            report.findings.problem(
                id,
                "conflicting-thread",
                "the target has something else under the thread's id, and it was left alone; \
                 delete it there, or copy the thread to another id, and export again",
            );
            return Ok(());
        }
        State::Missing => report.exported += 1,
    }
    let mut checkpoints = Checkpoints::of(source, id);
    while let Some(exported) = checkpoints.next().await? {
        let mut rows = target.rows(&exported);
        tell(report, id, &rows);
        if !target.store_values(&rows).await? {
            rows.checkpoint = None;
            let message = format!(
                "checkpoint {} has another value than a fork of it at one channel and version, \
                 and savers for PostgreSQL have room for one; it was left out",
                exported.checkpoint_id
            );
            report.findings.problem(id, "shared-by-forks", &message);
        }
        target.store(&rows).await?;
        report.checkpoints += u64::from(rows.checkpoint.is_some());
        report.writes += rows.writes.len() as u64;
    }
    Ok(())
}

/// What the target has of a thread. It is the same thread if all the checkpoints that both have are
/// the same, and the writes of the newest ones. If it went on in the target, the target has
/// everything.
async fn state_of(
    source: &Opened<'_>,
    id: &str,
    target: &Tables,
    report: &mut Report,
) -> Result<State> {
    let (stored, stored_writes) = target.stored(id).await?;
    if stored == 0 && stored_writes == 0 {
        return Ok(State::Missing);
    }
    let (mut found, mut writes) = (Comparison::default(), Comparison::default());
    // Different writes of the newest checkpoint of a namespace. An older one may have what was
    // asked before: a task that asks again replaces its question.
    let mut newest = (String::new(), 0);
    let mut told = Vec::new();
    let mut checkpoints = Checkpoints::of(source, id);
    while let Some(exported) = checkpoints.next().await? {
        let rows = target.rows(&exported);
        found.add(&target.compare_checkpoint(&rows).await?);
        let beside = target.compare_writes(&rows).await?;
        writes.missing += beside.missing;
        let namespace = exported.checkpoint_ns;
        if newest.0 != namespace {
            writes.different += newest.1;
            newest = (namespace, beside.different);
        } else if exported.checkpoint.is_some() {
            newest.1 = beside.different;
        } else {
            newest.1 += beside.different;
        }
        let NewStockRows { notes, problems, .. } = rows;
        told.push(NewStockRows { notes, problems, ..NewStockRows::default() });
    }
    writes.different += newest.1;
    let went_on = stored > found.same;
    if found.different > 0 || (found.same == 0 && stored > 0) {
        return Ok(State::Conflicting);
    }
    if found.missing == 0 && (went_on || writes.missing + writes.different == 0) {
        for rows in &told {
            tell(report, id, rows);
        }
        return Ok(State::Present);
    }
    Ok(if went_on || writes.different > 0 { State::Conflicting } else { State::Missing })
}

fn tell(report: &mut Report, id: &str, rows: &NewStockRows) {
    for note in &rows.notes {
        report.findings.note(id, note.code, &note.message);
    }
    for problem in &rows.problems {
        report.findings.problem(id, problem.code, &problem.message);
    }
}
