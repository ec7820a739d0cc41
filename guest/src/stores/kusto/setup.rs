//! `setup`: checks that everything that `provision.kql` makes exists. An error names what is
//! missing and the command that makes it.

mod retention;
mod show;

use self::show::{DOING, missing, show, tables};
use super::failure::Class;
use super::frames::Table;
use super::memory::Shared;
use super::options::IngestMode;
use super::query;
use super::send::Sender;
use crate::contract::error::Error;
use crate::contract::outcome::Outcome;
use crate::format::{FORMAT, newer};

/// The columns of the table and their types.
const COLUMNS: &[(&str, &str)] = &[
    ("kind", "string"),
    ("thread_id", "string"),
    ("checkpoint_ns", "string"),
    ("checkpoint_id", "string"),
    ("parent_checkpoint_id", "string"),
    ("task_id", "string"),
    ("task_path", "string"),
    ("idx", "long"),
    ("channel", "string"),
    ("hash", "string"),
    ("refs", "dynamic"),
    ("channels", "dynamic"),
    ("metadata", "dynamic"),
    ("source", "string"),
    ("step", "long"),
    ("run_id", "string"),
    ("state", "dynamic"),
    ("encoding", "string"),
    ("data", "string"),
    ("part", "int"),
    ("parts", "int"),
    ("created_at", "datetime"),
    ("rev", "long"),
    ("row_id", "string"),
    ("format", "int"),
];

/// The columns of the table of tombstones, and their types.
const TOMBSTONE_COLUMNS: &[(&str, &str)] = &[
    ("thread_id", "string"),
    ("checkpoint_ns", "string"),
    ("checkpoint_id", "string"),
    ("created_at", "datetime"),
    ("rev", "long"),
    ("row_id", "string"),
    ("format", "int"),
];

/// Checks the tables, their mappings and policies, and the roles.
pub(super) async fn check(sender: &Sender, shared: &Shared) -> Result<Outcome, Error> {
    let log = sender.options.table.clone();
    let tombstones = query::tombstones(&log);
    for (table, expected) in [(&log, COLUMNS), (&tombstones, TOMBSTONE_COLUMNS)] {
        columns(table, expected, &tables(sender.query(&query::schema(table)).await?)?)?;
    }
    for found in tables(sender.query(&query::format(&log)).await?)? {
        for record in found.records() {
            let format = record.optional_integer("format")?.unwrap_or_default();
            if format > i64::from(FORMAT) {
                return Err(newer(format.unsigned_abs(), "the table"));
            }
        }
    }
    for table in [&log, &tombstones] {
        let mappings = show(sender, &format!("table ['{table}'] ingestion json mappings")).await?;
        let mapping = sender.options.mapping(table);
        if !any(&mappings, "Name", |name| name == mapping)? {
            return Err(missing(format!(
                "table {table} has no ingestion mapping {mapping}; run provision.kql, whose \
                 command `.create-or-alter table {table} ingestion json mapping` makes it"
            )));
        }
    }
    retention::check(sender, &log, &tombstones).await?;
    roles(sender, &log).await?;
    if sender.options.ingest_mode != IngestMode::Inline {
        for table in [&log, &tombstones] {
            streams(sender, shared, table).await?;
        }
    }
    Ok(Outcome::Ready(None))
}

/// Checks that this identity may ingest, and may remove rows if `admin` is set.
async fn roles(sender: &Sender, table: &str) -> Result<(), Error> {
    // This command needs the role of an ingestor. Its other failures do not matter: a cluster may
    // have no streaming at all.
    let ended = sender.show(".clear database cache streamingingestion schema").await?;
    let matters = |class| {
        let passing = matches!(class, Class::Transient | Class::Unreadable | Class::Throttled(_));
        passing || matches!(class, Class::Forbidden | Class::Unauthorized)
    };
    if let Err(failure) = ended
        && matters(failure.class)
    {
        return Err(failure.error(DOING, false));
    }
    if sender.options.admin {
        let ended = sender.show(&query::would_delete(table)).await?;
        ended.map_err(|failure| failure.admin().error(DOING, false))?;
    }
    Ok(())
}

/// Checks that a table has streaming ingestion on, if the options need it.
async fn streams(sender: &Sender, shared: &Shared, table: &str) -> Result<(), Error> {
    let policies = show(sender, &format!("table ['{table}'] policy streamingingestion")).await?;
    let on = |policy: &str| {
        let policy = policy.trim();
        !policy.is_empty() && policy != "null" && !policy.replace(' ', "").contains(OFF)
    };
    if any(&policies, "Policy", on)? {
        return Ok(());
    }
    if sender.options.ingest_mode == IngestMode::Streaming {
        return Err(missing(format!(
            "table {table} has streaming ingestion off; run `.alter table {table} policy \
             streamingingestion enable`, or use the ingest mode auto or inline"
        )));
    }
    // Its database may have the policy. The first stream shows whether it does, and falls back by
    // itself.
    shared.borrow_mut().inline_until = 0;
    Ok(())
}

/// The text in a policy that is set and off.
const OFF: &str = "\"IsEnabled\":false";

fn columns(table: &str, expected: &[(&str, &str)], schema: &[Table]) -> Result<(), Error> {
    let mut found = Vec::new();
    for record in schema.iter().flat_map(Table::records) {
        found.push((record.text("ColumnName")?, record.text("ColumnType")?));
    }
    let lacking: Vec<_> = expected
        .iter()
        .filter(|column| !found.contains(column))
        .map(|(name, kind)| format!("{name}:{kind}"))
        .collect();
    if lacking.is_empty() {
        return Ok(());
    }
    let lacking = lacking.join(", ");
    Err(missing(format!(
        "table {table} lacks columns, or has them of another type; run provision.kql, or \
         `.alter-merge table {table} ({lacking})`"
    )))
}

fn any(tables: &[Table], column: &'static str, is: impl Fn(&str) -> bool) -> Result<bool, Error> {
    for record in tables.iter().flat_map(Table::records) {
        if is(record.text(column)?) {
            return Ok(true);
        }
    }
    Ok(false)
}
