//! `import`: takes over what LangGraph's own savers have stored.

mod compare;
mod report;
mod source;
mod takeover;
mod target;

use std::io::IsTerminal;
use std::path::Path;

use serde_json::{Map, Value, json};

use self::report::Report;
use self::source::Source;
use self::takeover::Threads;
use self::target::Target;
use crate::arguments::Import;
use crate::failure::{Ended, Result};
use crate::output::{print_json, size_of, write_words};
use crate::sql::is_postgres;
use crate::{kusto, terminal};

/// `import`.
pub(crate) async fn run(arguments: Import) -> Result<Ended> {
    let Import { target, dry_run, verify, json, yes, .. } = &arguments;
    if !yes && !dry_run && !is_meant(target)? {
        return Ok(Ended::Incomplete);
    }
    let report = take_over(&arguments).await?;
    if *json {
        print_json(&whole(&report, &arguments), true)?;
    } else {
        write_words(&report.to_text(*dry_run, *verify))?;
    }
    Ok(if report.findings.is_complete() { Ended::Done } else { Ended::Incomplete })
}

async fn take_over(arguments: &Import) -> Result<Report> {
    let Import { source, dry_run, verify, source_schema, .. } = arguments;
    let source = Source::open(source, source_schema).await?;
    let mut threads = Threads::of(&source).await?;
    let count = threads.ids.len();
    let target = Target::open(arguments).await?;
    let what = if *dry_run { "read" } else { "imported" };
    threads.store(&target, &progress(what, count)).await?;
    if *verify && !dry_run {
        threads.verify(&target, &progress("compared", count)).await?;
    }
    Ok(threads.report)
}

/// Asks at a terminal before a database that exists is written to.
fn is_meant(target: &str) -> Result<bool> {
    let is_there = is_postgres(target) || kusto::is_address(target) || Path::new(target).exists();
    if !terminal::is_there() || !is_there {
        return Ok(true);
    }
    terminal::is_answered_yes("TARGET exists. Add the threads to it?")
}

/// Shows at a terminal how far it is: how many threads are done, and how many bytes were read.
fn progress(what: &'static str, of: usize) -> impl Fn(usize, &Report) {
    move |done, report| {
        if std::io::stderr().is_terminal() {
            let end = if done == of { "\n" } else { "" };
            eprint!("\r{done} of {of} threads {what}, {}{end}", size_of(report.bytes_read));
        }
    }
}

/// The report as one object. An address of PostgreSQL may have a password, and is left out.
fn whole(report: &Report, arguments: &Import) -> Value {
    let mut whole = Map::new();
    for (name, location) in [("source", &arguments.source), ("target", &arguments.target)] {
        if !is_postgres(location) {
            whole.insert(name.to_owned(), location.as_str().into());
        }
    }
    whole.insert("dryRun".to_owned(), arguments.dry_run.into());
    if let Value::Object(rest) = report.to_json() {
        whole.extend(rest);
    }
    if arguments.verify {
        let (checkpoints, different) = (report.compared, report.different);
        let verified = json!({ "checkpoints": checkpoints, "different": different });
        whole.insert("verified".to_owned(), verified);
    }
    whole.into()
}
