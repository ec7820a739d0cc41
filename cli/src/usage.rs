//! How to use the program.

/// A command: its name and arguments, and what it does.
type Usage = (&'static str, &'static str);

const COMMANDS: &[Usage] = &[
    (
        "threads STORE [--limit N] [--prefix TEXT] [--idle-since TIME] [--meta KEY=VALUE]...",
        "lists threads, the one with the newest checkpoint first",
    ),
    (
        "history STORE THREAD [--ns NAMESPACE] [--limit N]",
        "lists the checkpoints of a thread, newest first",
    ),
    (
        "show STORE THREAD [CHECKPOINT] [--ns NAMESPACE]",
        "prints a checkpoint, or the newest one, as data",
    ),
    (
        "diff STORE THREAD CHECKPOINT [BEFORE] [--ns NAMESPACE] [--values]",
        "shows what a superstep changed: compares a checkpoint with its parent, or with BEFORE",
    ),
    ("du STORE [THREAD]", "counts what is stored, of a thread or of all"),
    ("verify STORE [THREAD]", "reads everything, and names what is damaged"),
    ("copy STORE THREAD NEW-THREAD [--latest]", "copies a thread, or its latest state alone"),
    (
        "prune STORE THREAD... [--strategy delete | --keep-last N | --newer-than TIME] [--dry-run] \
         [--yes]",
        "removes the older checkpoints of threads; keeps the latest if nothing else is said",
    ),
    (
        "expire STORE --idle-for DURATION [--limit N] [--strategy delete | --keep-last N | \
         --newer-than TIME] [--dry-run] [--yes]",
        "prunes the threads that nobody has used for so long: 90m, 12h, 30d",
    ),
    ("delete STORE THREAD... [--dry-run] [--yes]", "deletes threads"),
    ("vacuum STORE [--pages N]", "gives free pages of a SQLite file back to the file system"),
    (
        "import SOURCE TARGET [--dry-run] [--verify] [--json] [--yes]\n         \
         [--source-schema NAME] [--schema NAME]",
        "stores the threads of LangGraph's own savers: files of SQLite, or postgresql:// \
         addresses.\n      SOURCE is only read. Run it again if it was interrupted",
    ),
    (
        "export SOURCE TARGET [--layout js|python] [--jsonl] [--thread ID]... [--yes]\n         \
         [--source-schema NAME] [--schema NAME]",
        "stores threads in tables of LangGraph's own savers, JavaScript's or Python's; with \
         --jsonl\n      as lines of JSON, in a file or on - (the standard output)",
    ),
    (
        "sql postgres [--schema NAME]",
        "prints the SQL that prepares a PostgreSQL database, for savers that may not create",
    ),
];

const STORE: &str = "\
STORE is a file of SQLite; or a postgresql:// address, with --schema NAME; or Kusto's
https://CLUSTER/DATABASE, with --table NAME, which has no vacuum; no export goes there.
--json prints for programs.
Exit codes: 0 done, 1 not found or incomplete, 2 wrong usage, 3 failed.
";

/// How to use a command; all of them if there is none of this name.
pub(crate) fn of(name: &str) -> String {
    let is_named = |(usage, _): &&Usage| usage.split(' ').next() == Some(name);
    let named: Vec<&Usage> = COMMANDS.iter().filter(is_named).collect();
    let shown = if named.is_empty() { COMMANDS.iter().collect() } else { named };
    let lines = shown.iter().map(|(usage, does)| format!("  {usage}\n      {does}\n"));
    let lines: String = lines.collect();
    format!("usage: langgraph-checkpoint-wasm COMMAND\n{lines}\n{STORE}")
}
