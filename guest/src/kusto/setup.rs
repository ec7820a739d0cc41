//! `setup`: is everything there that `provision.kql` makes? What is missing is named, with the
//! command that mends it.

use super::failure::{Class, Failure};
use super::frames::Table;
use super::ingest::MAPPING;
use super::memory::Shared;
use super::options::IngestMode;
use super::query;
use super::send::Sender;
use crate::error::{Error, Fault, StoreFault};
use crate::format::{FORMAT, newer};
use crate::outcome::Outcome;

const DOING: &str = "checking the store";

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

/// Checks the table, its mapping and its policy.
pub(super) async fn check(sender: &Sender, shared: &Shared) -> Result<Outcome, Error> {
    let table = sender.options.table.clone();
    let schema = tables(sender.query(&query::schema(&table)).await?)?;
    columns(&table, &schema)?;
    for found in tables(sender.query(&query::format(&table)).await?)? {
        for record in found.records() {
            let format = record.optional_integer("format")?.unwrap_or_default();
            if format > i64::from(FORMAT) {
                return Err(newer(format.unsigned_abs(), "the table"));
            }
        }
    }
    let command = format!(".show table ['{table}'] ingestion json mappings");
    let mappings = tables(sender.command(&command).await?)?;
    if !any(&mappings, "Name", |name| name == MAPPING)? {
        return Err(missing(format!(
            "table {table} has no ingestion mapping {MAPPING}; run provision.kql, whose command \
             `.create-or-alter table {table} ingestion json mapping` makes it"
        )));
    }
    if sender.options.ingest_mode == IngestMode::Inline {
        return Ok(Outcome::Ready);
    }
    let command = format!(".show table ['{table}'] policy streamingingestion");
    let policies = tables(sender.command(&command).await?)?;
    let on = |policy: &str| {
        let policy = policy.trim();
        !policy.is_empty() && policy != "null" && !policy.replace(' ', "").contains(OFF)
    };
    if any(&policies, "Policy", on)? {
        return Ok(Outcome::Ready);
    }
    if sender.options.ingest_mode == IngestMode::Streaming {
        return Err(missing(format!(
            "table {table} takes no streams; run `.alter table {table} policy \
             streamingingestion enable`, or use the ingest mode auto or inline"
        )));
    }
    // Its database may have the policy: the first stream tells, and falls back by itself.
    shared.borrow_mut().inline_until = 0;
    Ok(Outcome::Ready)
}

/// What a policy says that is there and off.
const OFF: &str = "\"IsEnabled\":false";

fn tables(ended: Result<Vec<Table>, Failure>) -> Result<Vec<Table>, Error> {
    ended.map_err(|failure| match failure.class {
        Class::Missing => missing(
            "the table is not there, or this identity may not see it; run provision.kql, and \
             grant Database Viewer and Database Ingestor as it shows"
                .to_owned(),
        ),
        _ => failure.error(DOING, false),
    })
}

fn columns(table: &str, schema: &[Table]) -> Result<(), Error> {
    let mut found = Vec::new();
    for record in schema.iter().flat_map(Table::records) {
        found.push((record.text("ColumnName")?, record.text("ColumnType")?));
    }
    let lacking: Vec<_> = COLUMNS
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

fn missing(message: String) -> Error {
    Error::Denied(StoreFault {
        fault: Fault { code: "store-not-provisioned", message },
        maybe_stored: false,
    })
}
