//! `export`: stores threads as LangGraph's own savers do, or as lines of JSON.

mod give_back;
mod lines;
mod report;
mod stored;
mod tables;

use std::collections::BTreeSet;
use std::io::IsTerminal;
use std::path::Path;

use langgraph_checkpoint_guest::{Access, Language};
use langgraph_checkpoint_host::{Error, Lifecycle, Threads};

use self::give_back::give_back;
use self::lines::Lines;
use self::report::Report;
use self::stored::Ids;
use self::tables::Tables;
use crate::arguments::{Export, Store};
use crate::failure::{Ended, Failure, Result};
use crate::opened::Opened;
use crate::sql::is_postgres;
use crate::{data, output, terminal};

/// The standard output as a target.
const STDOUT: &str = "-";

/// Where threads are exported to.
enum Target {
    Lines(Lines),
    Tables(Box<Tables>),
}

/// `export`.
pub(crate) async fn run(arguments: Export) -> Result<Ended> {
    let Export { source, target, layout, jsonl, thread: named, json, yes, .. } = arguments;
    let language = match layout.as_str() {
        "js" => Language::JavaScript,
        "python" => Language::Python,
        _ => return Err(Failure::usage("--layout takes js or python")),
    };
    if target == STDOUT && !jsonl {
        return Err(Failure::usage("only --jsonl goes to -"));
    }
    if jsonl && target != STDOUT {
        lines::check(&target)?;
    }
    if !yes && !is_meant(&target, jsonl)? {
        return Ok(Ended::Incomplete);
    }
    let (schema, table) = (arguments.source_schema, arguments.table);
    let store = Store { location: source, json, schema, table };
    let source = Opened::open(&store, Access::Read).await?;
    // No target is made for what is no store.
    let nothing = Threads { limit: Some(0.0), ..Threads::default() };
    source.threads(nothing).await?;
    let mut to = if jsonl {
        Target::Lines(Lines::to((target != STDOUT).then_some(target.as_str()))?)
    } else {
        Target::Tables(Box::new(Tables::open(&target, &arguments.schema, language).await?))
    };
    let report = export(&source, named, &mut to).await?;
    if let Target::Lines(lines) = to {
        lines.finish()?;
    }
    let text = if json { data::line(&report.to_json()) } else { report.to_text() };
    if target == STDOUT {
        output::say(text.trim_end());
    } else {
        output::write_words(&text)?;
    }
    Ok(if report.findings.is_complete() { Ended::Done } else { Ended::Incomplete })
}

/// Asks at a terminal before something that exists is written to. A file of lines is replaced.
fn is_meant(target: &str, jsonl: bool) -> Result<bool> {
    let is_there = is_postgres(target) || Path::new(target).exists();
    if target == STDOUT || !is_there {
        return Ok(true);
    }
    match (terminal::is_there(), jsonl) {
        (true, true) => terminal::is_answered_yes("TARGET exists. Replace it?"),
        (true, false) => terminal::is_answered_yes("TARGET exists. Add the threads to it?"),
        (false, true) => Err(Failure::usage("TARGET exists: add --yes to replace it")),
        (false, false) => Ok(true),
    }
}

/// Exports the named threads, or all, one after the other. One that is missing or damaged is
/// reported, and the others are exported.
async fn export(source: &Opened<'_>, mut named: Vec<String>, to: &mut Target) -> Result<Report> {
    let mut report = Report::default();
    let mut seen = BTreeSet::new();
    named.retain(|id| seen.insert(id.clone()));
    let (count, mut some) = if named.is_empty() {
        (source.stats(None).await?.threads, Ids::of(source, None).await?)
    } else {
        (named.len() as u64, Ids { ids: named, next: None })
    };
    loop {
        for id in &some.ids {
            report.found += 1;
            let is_missing = seen.contains(id) && source.stats(Some(id)).await?.threads == 0;
            let exported = match to {
                _ if is_missing => {
                    report.findings.problem(id, "missing-thread", "the thread does not exist");
                    Ok(())
                }
                Target::Lines(lines) => lines.add(source, id, &mut report).await,
                Target::Tables(tables) => give_back(source, id, tables, &mut report).await,
            };
            match exported {
                Err(Failure::Store(Error::Corrupt(fault))) => {
                    report.findings.problem(id, &fault.code, &fault.message);
                }
                exported => exported?,
            }
            show_progress(report.found, count);
        }
        if some.next.is_none() {
            return Ok(report);
        }
        some = Ids::of(source, some.next).await?;
    }
}

/// Shows at a terminal how many threads are done.
fn show_progress(done: u64, of: u64) {
    if std::io::stderr().is_terminal() {
        let end = if done == of { "\n" } else { "" };
        eprint!("\r{done} of {of} threads exported{end}");
    }
}
