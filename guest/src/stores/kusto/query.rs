//! KQL. The text of queries is here, and the conditions on metadata in `filter.rs`.
//!
//! No function puts a caller's value into a query: values are query parameters. Commands take no
//! parameters; the few values that they need go through `literal::quoted`.
//!
//! Queries return more rows than are needed: which of several rows counts is decided in
//! `resolve.rs`, also over rows that wait to be ingested.

pub(crate) mod threads;

use serde_json::{Map, Value, json};

use super::filter::Narrowing;
use super::literal::quoted;
use super::options::Options;
use super::parameter::{FILTERS_MAX, Parameter, Parameters};
use super::row::{CHECKPOINT, WRITE};
use crate::operations::ask::{After, Page};

/// How many levels of chunks are read with the rows that refer to them. A value of 100,000 elements
/// has fewer; deeper chunks take further requests.
const LEVELS: usize = 6;

/// A query and its parameters.
#[derive(Clone, Debug)]
pub(crate) struct Query {
    name: &'static str,
    parameters: Parameters,
    statements: Vec<String>,
}

impl Query {
    /// A query of these statements. `name` says what it is for, to people who look at the cluster.
    fn new(name: &'static str, parameters: Parameters, statements: &[String]) -> Self {
        Self { name, parameters, statements: statements.to_vec() }
    }

    /// A query without statements, to be extended with `and_shown`.
    pub(crate) fn empty() -> Self {
        Self::new("shown", Vec::new(), &[])
    }

    /// The same query with two more tables at the end: how many rows of the calls with these
    /// revisions show, and the checkpoints of their threads that were pruned since the first of
    /// them.
    pub(crate) fn and_shown(mut self, table: &str, threads: Vec<String>, revs: Vec<i64>) -> Self {
        let first = revs.iter().min().copied().unwrap_or_default();
        self.parameters.push(("p_first", Parameter::Long(first)));
        self.parameters.push(("p_sent_threads", Parameter::Texts(threads)));
        self.parameters.push(("p_sent", Parameter::Longs(revs)));
        self.statements.push(format!(
            "union (['{table}']\n\
             | where thread_id in (p_sent_threads) and rev in (p_sent)\n\
             | distinct thread_id, rev, row_id, part), (['{tombstones}']\n\
             | where thread_id in (p_sent_threads) and rev in (p_sent)\n\
             | distinct thread_id, rev, row_id)\n\
             | summarize rows = count() by thread_id, rev",
            tombstones = tombstones(table),
        ));
        self.statements.push(format!(
            "['{tombstones}']\n\
             | where thread_id in (p_sent_threads) and isnotempty(checkpoint_id) \
             and rev >= p_first\n\
             | summarize hidden = max(rev) by thread_id, checkpoint_ns, checkpoint_id",
            tombstones = tombstones(table),
        ));
        self
    }

    /// The number of tables that it returns: one for each statement that is not a `let`.
    pub(crate) fn tables(&self) -> usize {
        self.statements.iter().filter(|statement| !statement.starts_with("let ")).count()
    }

    fn text(&self) -> String {
        let declared: Vec<_> = self
            .parameters
            .iter()
            .map(|(name, parameter)| format!("{name}:{}", parameter.type_name()))
            .collect();
        let declaration = if declared.is_empty() {
            String::new()
        } else {
            format!("declare query_parameters({});\n", declared.join(", "))
        };
        let statements = self.statements.join(";\n");
        format!("// langgraph-checkpoint {} v1\n{declaration}{statements}", self.name)
    }

    /// The body of the request.
    ///
    /// It asks for strong consistency and no cached results, whatever the cluster's default is: an
    /// answer of a lagging node or of a cache would be older than what was stored.
    pub(crate) fn body(&self, options: &Options, milliseconds: u64) -> Vec<u8> {
        let parameters: Map<String, Value> = self
            .parameters
            .iter()
            .map(|(name, parameter)| ((*name).to_owned(), parameter.value()))
            .collect();
        let seconds = milliseconds.div_ceil(1000).clamp(1, 3600);
        let timeout = format!("{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60);
        let mut properties = json!({
            "servertimeout": timeout,
            "request_readonly": true,
            "query_results_cache_max_age": "00:00:00",
        });
        if options.says_consistency {
            properties["queryconsistency"] = json!("strongconsistency");
        }
        let body = json!({
            "db": options.database,
            "csl": self.text(),
            "properties": { "Options": properties, "Parameters": parameters },
        });
        body.to_string().into_bytes()
    }
}

/// The names of the parameters of each condition on metadata.
const FILTERS: [[&str; 3]; FILTERS_MAX] = [
    ["p_key0", "p_value0", "p_high0"],
    ["p_key1", "p_value1", "p_high1"],
    ["p_key2", "p_value2", "p_high2"],
    ["p_key3", "p_value3", "p_high3"],
    ["p_key4", "p_value4", "p_high4"],
    ["p_key5", "p_value5", "p_high5"],
    ["p_key6", "p_value6", "p_high6"],
    ["p_key7", "p_value7", "p_high7"],
];

/// The columns of a checkpoint or write that are read.
const ROW_COLUMNS: &str = "thread_id, checkpoint_ns, checkpoint_id, task_id, task_path, idx, \
     channel, refs, encoding, data, part, parts, rev, row_id";

/// A page: its checkpoints, their writes, the chunks of both unless `bare`, and the cut if the page
/// is of one thread. Chunks with the hashes `have` are left out.
///
/// The query first finds the ids of the page, using only the columns that decide which rows count,
/// and then reads the rest of those ids. If several threads or namespaces have the last id, all of
/// them are returned: they are next in order, and the caller takes as many as it asked for.
pub(crate) fn page(
    table: &str,
    page: &Page,
    narrow: &[Narrowing],
    have: Vec<String>,
    bare: bool,
) -> Query {
    let mut parameters = Vec::new();
    let log = Log::of(table, page.thread_id.as_deref(), &mut parameters);
    let namespace = match &page.checkpoint_ns {
        None => "",
        Some(namespace) => {
            parameters.push(("p_ns", Parameter::Text(namespace.clone())));
            " and checkpoint_ns == p_ns"
        }
    };
    let mut statements = log.statements.clone();
    let wanted = match &page.checkpoint_id {
        Some(id) => {
            parameters.push(("p_id", Parameter::Text(id.clone())));
            "checkpoint_id == p_id"
        }
        None => {
            statements.push(ids(page, &log, namespace, narrow, &mut parameters));
            "checkpoint_id in (Ids)"
        }
    };
    statements.push(format!(
        "let Rows = materialize(Log\n\
         | where {wanted}{namespace}{live}\n\
         | project ['kind'], {ROW_COLUMNS}, cut)",
        live = log.live,
    ));
    let of_kind = |kind| format!("Rows | where ['kind'] == \"{kind}\"");
    let mut results = vec![of_kind(CHECKPOINT), of_kind(WRITE)];
    if !bare {
        parameters.push(("p_have", Parameter::Texts(have)));
        if page.thread_id.is_none() {
            statements.push("let Threads = materialize(Rows | distinct thread_id)".to_owned());
        }
        statements.extend(levels("Rows", log.chunks, " and ref !in (p_have)"));
        results.push(chunks_of_levels());
    }
    if page.thread_id.is_some() {
        results.push("print cut = last_cut".to_owned());
    }
    statements.extend(results);
    Query::new("page", parameters, &statements)
}

/// The newest ids of a page. Conditions on metadata are applied to each checkpoint's newest
/// revision only.
fn ids(
    page: &Page,
    log: &Log,
    namespace: &str,
    narrow: &[Narrowing],
    parameters: &mut Parameters,
) -> String {
    let keys = keys(page, parameters);
    parameters.push(("p_count", Parameter::Long(i64::try_from(page.count).unwrap_or(i64::MAX))));
    let fits = if narrow.is_empty() {
        String::new()
    } else {
        format!(
            "\n| extend fits = {}\n\
             | summarize arg_max(rev, fits) by thread_id, checkpoint_ns, checkpoint_id\n\
             | where fits",
            conditions(narrow, parameters).join(" and "),
        )
    };
    format!(
        "let Ids = materialize(Log\n\
         | where ['kind'] == \"checkpoint\" and part == 0{namespace}{keys}{live}{fits}\n\
         | distinct checkpoint_id\n\
         | order by checkpoint_id desc\n\
         | take p_count)",
        live = log.live,
    )
}

/// The conditions on metadata.
fn conditions(narrow: &[Narrowing], parameters: &mut Parameters) -> Vec<String> {
    let named = narrow.iter().zip(FILTERS);
    named.map(|(narrowing, names)| narrowing.condition(names, parameters)).collect()
}

/// The conditions on where a page begins.
fn keys(page: &Page, parameters: &mut Parameters) -> String {
    let mut keys = String::new();
    if let Some(before) = &page.before {
        parameters.push(("p_before", Parameter::Text(before.clone())));
        keys.push_str(" and strcmp(checkpoint_id, p_before) < 0");
    }
    if let Some(After { checkpoint_id, thread_id, checkpoint_ns, .. }) = &page.after {
        parameters.push(("p_after_id", Parameter::Text(checkpoint_id.clone())));
        parameters.push(("p_after_thread", Parameter::Text(thread_id.clone())));
        parameters.push(("p_after_ns", Parameter::Text(checkpoint_ns.clone())));
        keys.push_str(
            " and (strcmp(checkpoint_id, p_after_id) < 0 or (checkpoint_id == p_after_id and \
             (strcmp(thread_id, p_after_thread) < 0 or (thread_id == p_after_thread and \
             strcmp(checkpoint_ns, p_after_ns) < 0))))",
        );
    }
    keys
}

/// The log of one thread or of all. `live` is the condition that no tombstone hides a checkpoint or
/// write, and adds the column `cut`; `chunks` is the condition that a chunk is of a page's threads.
struct Log {
    statements: Vec<String>,
    live: &'static str,
    chunks: &'static str,
}

impl Log {
    fn of(table: &str, thread_id: Option<&str>, parameters: &mut Parameters) -> Self {
        let tombstones = tombstones(table);
        match thread_id {
            Some(thread_id) => {
                parameters.push(("p_thread", Parameter::Text(thread_id.to_owned())));
                Self {
                    statements: vec![
                        format!("let Log = ['{table}'] | where thread_id == p_thread"),
                        format!(
                            "let last_cut = coalesce(toscalar(['{tombstones}'] \
                             | where thread_id == p_thread and isempty(checkpoint_id) \
                             | summarize max(rev)), long(0))"
                        ),
                        format!(
                            "let Hidden = ['{tombstones}'] | where thread_id == p_thread and \
                             isnotempty(checkpoint_id)\n\
                             | summarize hidden = max(rev) by checkpoint_ns, checkpoint_id"
                        ),
                    ],
                    live: " and rev > last_cut\n\
                           | lookup kind=leftouter Hidden on checkpoint_ns, checkpoint_id\n\
                           | where isnull(hidden) or rev > hidden\n| extend cut = last_cut",
                    chunks: "",
                }
            }
            None => Self {
                statements: vec![
                    format!("let Log = ['{table}']"),
                    format!(
                        "let Cuts = ['{tombstones}'] | where isempty(checkpoint_id)\n\
                         | summarize cut = max(rev) by thread_id"
                    ),
                    format!(
                        "let Hidden = ['{tombstones}'] | where isnotempty(checkpoint_id)\n\
                         | summarize hidden = max(rev) by thread_id, checkpoint_ns, checkpoint_id"
                    ),
                ],
                live: "\n| lookup kind=leftouter Cuts on thread_id\n\
                       | lookup kind=leftouter Hidden on thread_id, checkpoint_ns, checkpoint_id\n\
                       | extend cut = coalesce(cut, long(0))\n\
                       | where rev > cut and (isnull(hidden) or rev > hidden)",
                chunks: " and thread_id in (Threads)",
            },
        }
    }
}

/// The table of tombstones beside a log. It is small, so finding a thread's newest tombstone costs
/// the same however long the thread is.
pub(crate) fn tombstones(table: &str) -> String {
    format!("{table}_Tombstones")
}

/// Statements for the chunks that rows refer to, and the chunks that these refer to, level by
/// level.
fn levels(rows: &str, chunks: &str, condition: &str) -> Vec<String> {
    let mut statements = Vec::new();
    let mut above = rows.to_owned();
    for level in 1..=LEVELS {
        statements.push(format!(
            "let R{level} = {above} | mv-expand ref = refs to typeof(string)\n\
             | where isnotempty(ref){condition} | distinct ref"
        ));
        statements.push(format!(
            "let C{level} = materialize(Log\n\
             | where ['kind'] == \"chunk\"{chunks} and hash in (R{level})\n\
             | project thread_id, hash, refs, encoding, data, rev)"
        ));
        above = format!("C{level}");
    }
    statements
}

fn chunks_of_levels() -> String {
    let all: Vec<_> = (1..=LEVELS).map(|level| format!("C{level}")).collect();
    format!("union {} | project thread_id, hash, encoding, data, rev", all.join(", "))
}

/// The chunks of a thread with these hashes.
pub(crate) fn chunks(table: &str, thread_id: &str, hashes: Vec<String>) -> Query {
    Query::new(
        "chunks",
        vec![
            ("p_thread", Parameter::Text(thread_id.to_owned())),
            ("p_hashes", Parameter::Texts(hashes)),
        ],
        &[format!(
            "['{table}']\n\
             | where thread_id == p_thread and ['kind'] == \"chunk\" and hash in (p_hashes)\n\
             | project thread_id, hash, encoding, data, rev"
        )],
    )
}

/// The newest tombstone of a thread as a whole, and the newest one of any kind.
pub(crate) fn cut(table: &str, thread_id: &str) -> Query {
    Query::new(
        "cut",
        vec![("p_thread", Parameter::Text(thread_id.to_owned()))],
        &[format!(
            "['{tombstones}']\n| where thread_id == p_thread\n\
             | summarize cut = maxif(rev, isempty(checkpoint_id)), rev = max(rev)",
            tombstones = tombstones(table),
        )],
    )
}

/// For each of these threads that has a tombstone: the newest one of the whole thread, and the
/// newest one of any kind.
pub(crate) fn cuts(table: &str, threads: Vec<String>) -> Query {
    Query::new(
        "cuts",
        vec![("p_threads", Parameter::Texts(threads))],
        &[format!(
            "['{tombstones}']\n| where thread_id in (p_threads)\n\
             | summarize cut = maxif(rev, isempty(checkpoint_id)), rev = max(rev) by thread_id",
            tombstones = tombstones(table),
        )],
    )
}

/// The newest tombstone of a thread, and its newest row.
pub(crate) fn newest(table: &str, thread_id: &str) -> Query {
    let parameters = &mut vec![];
    let mut statements = Log::of(table, Some(thread_id), parameters).statements;
    statements.push("Log | summarize rev = max(rev) | extend cut = last_cut".to_owned());
    Query::new("newest", std::mem::take(parameters), &statements)
}

/// The number of rows of a thread's checkpoints that are newer than a revision.
pub(crate) fn newer(table: &str, thread_id: &str, rev: i64) -> Query {
    Query::new(
        "newer",
        vec![("p_thread", Parameter::Text(thread_id.to_owned())), ("p_rev", Parameter::Long(rev))],
        &[format!(
            "['{table}']\n\
             | where thread_id == p_thread and ['kind'] == \"checkpoint\" and rev > p_rev\n\
             | summarize rows = count()"
        )],
    )
}

/// The ids and channels of at most `count` checkpoints of a namespace.
pub(crate) fn channels(table: &str, thread_id: &str, checkpoint_ns: &str, count: i64) -> Query {
    let mut parameters = vec![
        ("p_ns", Parameter::Text(checkpoint_ns.to_owned())),
        ("p_count", Parameter::Long(count)),
    ];
    let log = Log::of(table, Some(thread_id), &mut parameters);
    let mut statements = log.statements;
    statements.push(format!(
        "Log\n\
         | where ['kind'] == \"checkpoint\" and checkpoint_ns == p_ns and part == 0{live}\n\
         | project checkpoint_id, channels\n\
         | take p_count",
        live = log.live
    ));
    Query::new("channels", parameters, &statements)
}

/// The writes to some checkpoints: to one channel, or to all.
pub(crate) fn writes(
    table: &str,
    thread_id: &str,
    checkpoint_ids: Vec<String>,
    channel: Option<&str>,
) -> Query {
    let mut parameters = vec![("p_ids", Parameter::Texts(checkpoint_ids))];
    let condition = match channel {
        None => "",
        Some(channel) => {
            parameters.push(("p_channel", Parameter::Text(channel.to_owned())));
            " and channel == p_channel"
        }
    };
    let log = Log::of(table, Some(thread_id), &mut parameters);
    let mut statements = log.statements;
    statements.push(format!(
        "Log\n\
         | where ['kind'] == \"write\" and checkpoint_id in (p_ids){condition}{live}\n\
         | project {ROW_COLUMNS}, cut",
        live = log.live
    ));
    Query::new("writes", parameters, &statements)
}

/// The checkpoints of a namespace with their parents and the names of their channels, and the
/// thread's cut. It includes checkpoints that a tombstone hides, to tell a deleted parent from one
/// that does not show yet.
pub(crate) fn chain(table: &str, thread_id: &str, checkpoint_ns: &str) -> Query {
    let mut parameters = vec![("p_ns", Parameter::Text(checkpoint_ns.to_owned()))];
    let log = Log::of(table, Some(thread_id), &mut parameters);
    let mut statements = log.statements;
    statements.push(
        "Log\n\
         | where ['kind'] == \"checkpoint\" and part == 0 and checkpoint_ns == p_ns\n\
         | summarize arg_max(rev, row_id, parent_checkpoint_id, channels) \
         by checkpoint_ns, checkpoint_id\n\
         | lookup kind=leftouter Hidden on checkpoint_ns, checkpoint_id\n\
         | project checkpoint_id, parent_checkpoint_id, channels, rev, row_id, hidden"
            .to_owned(),
    );
    statements.push("print cut = last_cut".to_owned());
    Query::new("chain", parameters, &statements)
}

/// Some checkpoints by their row ids, the writes to some channels of other checkpoints, and the
/// chunks of the writes.
pub(crate) fn members(
    table: &str,
    thread_id: &str,
    checkpoint_ns: &str,
    row_ids: Vec<String>,
    checkpoint_ids: Vec<String>,
    names: Vec<String>,
) -> Query {
    let mut parameters = vec![
        ("p_ns", Parameter::Text(checkpoint_ns.to_owned())),
        ("p_rows", Parameter::Texts(row_ids)),
        ("p_ids", Parameter::Texts(checkpoint_ids)),
        ("p_channels", Parameter::Texts(names)),
    ];
    let log = Log::of(table, Some(thread_id), &mut parameters);
    let mut statements = log.statements;
    statements.push(format!(
        "let Rows = materialize(Log\n\
         | where ['kind'] == \"checkpoint\" and row_id in (p_rows){live}\n\
         | project {ROW_COLUMNS}, cut)",
        live = log.live
    ));
    statements.push(format!(
        "let Writes = materialize(Log\n\
         | where ['kind'] == \"write\" and checkpoint_ns == p_ns and checkpoint_id in (p_ids) \
         and channel in (p_channels){live}\n\
         | project {ROW_COLUMNS}, cut)",
        live = log.live
    ));
    statements.extend(levels("Writes", log.chunks, ""));
    statements.extend(["Rows".to_owned(), "Writes".to_owned(), chunks_of_levels()]);
    Query::new("members", parameters, &statements)
}

/// The columns of a table and their types.
pub(crate) fn schema(table: &str) -> Query {
    Query::new(
        "setup",
        Vec::new(),
        &[format!("['{table}'] | getschema | project ColumnName, ColumnType")],
    )
}

/// The newest format in the table.
pub(crate) fn format(table: &str) -> Query {
    Query::new("setup", Vec::new(), &[format!("['{table}'] | summarize format = max(format)")])
}

/// The command that removes a thread's rows up to a revision; the chunks only if `chunks`.
pub(crate) fn delete(table: &str, thread_id: &str, rev: i64, chunks: bool) -> String {
    let kinds = if chunks { "" } else { " and ['kind'] != \"chunk\"" };
    let condition = format!("where thread_id == {} and rev <= {rev}{kinds}", quoted(thread_id));
    format!(".delete table ['{table}'] records <| ['{table}'] | {condition}")
}

/// The command that tells whether rows may be removed, and removes none.
pub(crate) fn would_delete(table: &str) -> String {
    format!(".delete table ['{table}'] records with (whatif=true) <| ['{table}'] | where rev < 0")
}

/// The command that removes a thread from the view of the latest checkpoints.
pub(crate) fn delete_from_view(view: &str, thread_id: &str, rev: i64) -> String {
    format!(
        ".delete materialized-view ['{view}'] records <| ['{view}'] | where thread_id == {} \
         and rev <= {rev}",
        quoted(thread_id)
    )
}
