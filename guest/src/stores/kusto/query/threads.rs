//! Queries about whole threads. They read what the store shows: nothing is laid over them.

use super::{Log, Narrowing, Query, ROW_COLUMNS, conditions};
use crate::operations::ask::{RecordKey, ThreadsAfter};
use crate::stores::kusto::literal::quoted;
use crate::stores::kusto::parameter::{Parameter, Parameters};
use crate::stores::kusto::row::STAGED;

/// The records: checkpoints and writes, without their further parts.
const RECORDS: &str = "['kind'] in (\"checkpoint\", \"write\") and part == 0";
/// The columns of a record's key in its thread, and of the record among revisions.
const KEY: &str = "thread_id, checkpoint_ns, checkpoint_id, task_id, idx";
/// The ids of each thread's newest checkpoint: of the root namespace; of a thread without one, of
/// any namespace. Of a checkpoint the newest revision counts.
const NEWEST: &str = "let Newest = materialize(Live\n\
     | where isempty(task_id)\n\
     | summarize arg_max(rev, row_id) by thread_id, checkpoint_ns, checkpoint_id\n\
     | extend place = strcat(iff(isempty(checkpoint_ns), \"1\", \"0\"), checkpoint_id)\n\
     | summarize arg_max(place, checkpoint_id, row_id) by thread_id)";
/// The `ts` of a checkpoint, with which its data begins.
const TS: &str = "extract('^\\\\{\"ts\":\"([^\"]*)\"', 1, data)";

/// Where a page of records begins.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Beyond<'a> {
    /// After this key, in ascending order.
    After(Option<&'a RecordKey>),
    /// Before this key, in descending order.
    Before(Option<&'a RecordKey>),
}

/// A page of a thread's records: their keys in order, the rows of checkpoints, those of writes, and
/// the cut. There are rows of other records of the same checkpoint ids.
pub(crate) fn records(table: &str, thread_id: &str, beyond: Beyond<'_>, count: u64) -> Query {
    let mut parameters =
        vec![("p_count", Parameter::Long(i64::try_from(count).unwrap_or(i64::MAX)))];
    let (key, sign, order) = match beyond {
        Beyond::After(key) => (key, ">", "asc"),
        Beyond::Before(key) => (key, "<", "desc"),
    };
    let log = Log::of(table, Some(thread_id), &mut parameters);
    let condition = key.map_or_else(String::new, |key| passed(key, sign, &mut parameters));
    let mut statements = log.statements;
    let ordered: Vec<_> = ["checkpoint_ns", "checkpoint_id", "task_id", "idx"]
        .iter()
        .map(|column| format!("{column} {order}"))
        .collect();
    statements.push(format!(
        "let Keys = materialize(Log\n\
         | where {RECORDS}{condition}{live}\n\
         | distinct checkpoint_ns, checkpoint_id, task_id, idx\n\
         | order by {ordered}\n\
         | take p_count)",
        live = log.live,
        ordered = ordered.join(", "),
    ));
    statements.push("Keys".to_owned());
    statements.extend(["checkpoint", "write"].map(|kind| {
        format!(
            "Log\n\
             | where ['kind'] == \"{kind}\" and checkpoint_id in ((Keys | project checkpoint_id))\
             {live}\n\
             | project {ROW_COLUMNS}, cut",
            live = log.live,
        )
    }));
    statements.push("print cut = last_cut".to_owned());
    Query::new("records", parameters, &statements)
}

/// The condition that a record comes after a key in ascending (`>`) or descending (`<`) order.
fn passed((ns, id, task_id, idx): &RecordKey, sign: &str, parameters: &mut Parameters) -> String {
    parameters.push(("p_ns", Parameter::Text(ns.clone())));
    parameters.push(("p_id", Parameter::Text(id.clone())));
    parameters.push(("p_task", Parameter::Text(task_id.clone())));
    parameters.push(("p_idx", Parameter::Long(*idx)));
    format!(
        " and (strcmp(checkpoint_ns, p_ns) {sign} 0 or (checkpoint_ns == p_ns and \
         (strcmp(checkpoint_id, p_id) {sign} 0 or (checkpoint_id == p_id and \
         (strcmp(task_id, p_task) {sign} 0 or (task_id == p_task and idx {sign} p_idx))))))"
    )
}

/// The rows of the checkpoints with these ids, in all namespaces, and the cut.
pub(crate) fn checkpoints(table: &str, thread_id: &str, ids: Vec<String>) -> Query {
    let mut parameters = vec![("p_ids", Parameter::Texts(ids))];
    let log = Log::of(table, Some(thread_id), &mut parameters);
    let mut statements = log.statements;
    statements.push(format!(
        "Log\n\
         | where ['kind'] == \"checkpoint\" and checkpoint_id in (p_ids){live}\n\
         | project {ROW_COLUMNS}, cut",
        live = log.live,
    ));
    statements.push("print cut = last_cut".to_owned());
    Query::new("checkpoints", parameters, &statements)
}

/// One row: how many checkpoints and writes a thread has, the greatest id of a checkpoint, the
/// newest row, hidden or not, and the cut.
pub(crate) fn extent(table: &str, thread_id: &str) -> Query {
    let mut parameters = Vec::new();
    let log = Log::of(table, Some(thread_id), &mut parameters);
    let mut statements = log.statements;
    statements
        .push("let last_rev = coalesce(toscalar(Log | summarize max(rev)), long(0))".to_owned());
    statements.push(format!(
        "Log\n\
         | where {RECORDS}{live}\n\
         | distinct checkpoint_ns, checkpoint_id, task_id, idx\n\
         | summarize checkpoints = countif(isempty(task_id)), \
         writes = countif(isnotempty(task_id)), \
         newest = maxif(checkpoint_id, isempty(task_id))\n\
         | extend rev = last_rev, cut = last_cut",
        live = log.live,
    ));
    Query::new("extent", parameters, &statements)
}

/// What is stored of a thread, or of all: a table with the numbers of checkpoints and writes, one
/// with that of threads, one with the bytes of the records' data as the table holds it, one with
/// the number of chunks and their bytes.
pub(crate) fn totals(table: &str, thread_id: Option<&str>) -> Query {
    let mut parameters = Vec::new();
    let log = Log::of(table, thread_id, &mut parameters);
    let mut statements = log.statements;
    statements.push(format!(
        "let Live = materialize(Log\n\
         | where ['kind'] in (\"checkpoint\", \"write\"){live}\n\
         | project {KEY}, row_id, part, size = string_size(data))",
        live = log.live,
    ));
    statements.push(format!(
        "Live\n\
         | where part == 0\n\
         | distinct {KEY}\n\
         | summarize checkpoints = countif(isempty(task_id)), \
         writes = countif(isnotempty(task_id))"
    ));
    statements.push("Live | distinct thread_id | summarize threads = count()".to_owned());
    statements.push(
        "Live\n\
         | summarize size = max(size) by thread_id, row_id, part\n\
         | summarize record_bytes = sum(size)"
            .to_owned(),
    );
    let of_threads = match thread_id {
        Some(_) => " and rev > last_cut",
        None => {
            "\n| lookup kind=leftouter Cuts on thread_id\n\
             | where isnull(cut) or rev > cut"
        }
    };
    statements.push(format!(
        "Log\n\
         | where ['kind'] == \"chunk\"{of_threads}\n\
         | extend size = iff(encoding == \"base64\", strlen(data) / 4 * 3 - \
         iff(data endswith \"==\", 2, iff(data endswith \"=\", 1, 0)), string_size(data))\n\
         | summarize size = max(size) by thread_id, hash\n\
         | summarize chunks = count(), chunk_bytes = sum(size)"
    ));
    Query::new("totals", parameters, &statements)
}

/// Which threads a list has.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Listed<'a> {
    pub(crate) idle_since: Option<&'a str>,
    pub(crate) id_prefix: Option<&'a str>,
    pub(crate) after: Option<&'a ThreadsAfter>,
    pub(crate) count: u64,
}

/// A page of threads, the newest first: a table with their ids and those of their newest
/// checkpoints, one with the rows of these checkpoints, and one with the numbers of their
/// namespaces, checkpoints and writes. Conditions on metadata may let others pass.
pub(crate) fn list(table: &str, listed: Listed<'_>, narrow: &[Narrowing]) -> Query {
    let mut parameters =
        vec![("p_count", Parameter::Long(i64::try_from(listed.count).unwrap_or(i64::MAX)))];
    let prefix = match listed.id_prefix {
        Some(prefix) if !prefix.is_empty() => {
            parameters.push(("p_prefix", Parameter::Text(prefix.to_owned())));
            " and thread_id startswith_cs p_prefix"
        }
        _ => "",
    };
    let mut statements = live(table, prefix, &mut parameters);
    statements.push(NEWEST.to_owned());
    let mut chosen = Vec::new();
    if let Some(ThreadsAfter { checkpoint_id, thread_id }) = listed.after {
        parameters.push(("p_after_id", Parameter::Text(checkpoint_id.clone())));
        parameters.push(("p_after_thread", Parameter::Text(thread_id.clone())));
        chosen.push(
            "(strcmp(checkpoint_id, p_after_id) < 0 or (checkpoint_id == p_after_id and \
             strcmp(thread_id, p_after_thread) < 0))"
                .to_owned(),
        );
    }
    let mut fits = conditions(narrow, &mut parameters);
    if let Some(ts) = listed.idle_since {
        parameters.push(("p_idle", Parameter::Text(ts.to_owned())));
        fits.push(format!("strcmp({TS}, p_idle) < 0"));
    }
    if !fits.is_empty() {
        statements.push(fitting(&fits));
        chosen.push("row_id in (Fitting)".to_owned());
    }
    let chosen = if chosen.is_empty() {
        String::new()
    } else {
        format!("\n| where {}", chosen.join(" and "))
    };
    statements.push(format!(
        "let Page = materialize(Newest{chosen}\n\
         | order by checkpoint_id desc, thread_id desc\n\
         | take p_count)"
    ));
    statements.push("Page | project thread_id, checkpoint_id, row_id".to_owned());
    statements.push(format!(
        "Log\n\
         | where ['kind'] == \"checkpoint\" and row_id in ((Page | project row_id))\n\
         | project {ROW_COLUMNS}, cut = long(0)"
    ));
    statements.push(format!(
        "Live\n\
         | where thread_id in ((Page | project thread_id))\n\
         | distinct {KEY}\n\
         | summarize checkpoints = countif(isempty(task_id)), \
         writes = countif(isnotempty(task_id)) by thread_id, checkpoint_ns\n\
         | summarize namespaces = count(), checkpoints = sum(checkpoints), \
         writes = sum(writes) by thread_id"
    ));
    Query::new("threads", parameters, &statements)
}

/// Which threads a search finds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sought<'a> {
    pub(crate) thread_id: Option<&'a str>,
    /// Only threads whose id comes after this one.
    pub(crate) after: &'a str,
    pub(crate) idle: Option<&'a str>,
    pub(crate) runs: &'a [String],
    pub(crate) count: u64,
}

/// The first threads, in the order of their ids.
pub(crate) fn find(table: &str, sought: Sought<'_>) -> Query {
    let count = i64::try_from(sought.count).unwrap_or(i64::MAX);
    let mut parameters = vec![
        ("p_count", Parameter::Long(count)),
        ("p_after", Parameter::Text(sought.after.to_owned())),
    ];
    let mut condition = " and strcmp(thread_id, p_after) > 0".to_owned();
    if let Some(thread_id) = sought.thread_id {
        parameters.push(("p_thread", Parameter::Text(thread_id.to_owned())));
        condition.push_str(" and thread_id == p_thread");
    }
    let mut statements = live(table, &condition, &mut parameters);
    let mut chosen = String::new();
    if !sought.runs.is_empty() {
        parameters.push(("p_runs", Parameter::Texts(sought.runs.to_vec())));
        chosen.push_str("\n| where isempty(task_id) and run_id in (p_runs)");
    }
    if let Some(ts) = sought.idle {
        parameters.push(("p_idle", Parameter::Text(ts.to_owned())));
        statements.push(NEWEST.to_owned());
        statements.push(fitting(&[format!("strcmp({TS}, p_idle) < 0")]));
        statements
            .push("let Idle = Newest | where row_id in (Fitting) | project thread_id".to_owned());
        chosen.push_str("\n| where thread_id in (Idle)");
    }
    statements.push(format!(
        "Live{chosen}\n\
         | distinct thread_id\n\
         | order by thread_id asc\n\
         | take p_count"
    ));
    Query::new("find", parameters, &statements)
}

/// The command that appends the staged rows of a copy as what they are, if there are `count` of
/// them. `columns` are those of the table in their order, by which appended columns are told apart.
pub(crate) fn unstage(
    table: &str,
    thread_id: &str,
    rev: i64,
    count: usize,
    columns: &[String],
) -> String {
    let columns: Vec<_> = columns.iter().map(|name| format!("['{name}']")).collect();
    format!(
        ".append ['{table}'] <|\n\
         let Staged = ['{table}'] | where thread_id == {thread} and rev == {rev} \
         and ['kind'] startswith_cs \"{STAGED}\";\n\
         let found = toscalar(Staged | distinct row_id, part | summarize count());\n\
         Staged\n\
         | where found == {count}\n\
         | extend ['kind'] = substring(['kind'], {length}), row_id = substring(row_id, {length})\n\
         | project {columns}",
        thread = quoted(thread_id),
        length = STAGED.len(),
        columns = columns.join(", "),
    )
}

/// Statements for the records of all threads that fit a condition.
fn live(table: &str, condition: &str, parameters: &mut Parameters) -> Vec<String> {
    let log = Log::of(table, None, parameters);
    let mut statements = log.statements;
    statements.push(format!(
        "let Live = materialize(Log\n\
         | where {RECORDS}{condition}{live}\n\
         | project {KEY}, run_id, rev, row_id)",
        live = log.live,
    ));
    statements
}

/// The statement that names those of the newest checkpoints that fit.
fn fitting(fits: &[String]) -> String {
    format!(
        "let Fitting = Log\n\
         | where ['kind'] == \"checkpoint\" and part == 0 \
         and row_id in ((Newest | project row_id)) and {}\n\
         | project row_id",
        fits.join(" and ")
    )
}
