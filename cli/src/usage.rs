//! How to use the program.

use std::collections::BTreeSet;

/// A command: its name and arguments, and what it does.
type Usage = (&'static str, &'static str);

const COMMANDS: &[Usage] = &[
    (
        "threads STORE [--limit N] [--after NEXT] [--prefix TEXT] [--idle-since TIME]\n         \
         [--meta KEY=VALUE]...",
        "lists threads, the one with the newest checkpoint first",
    ),
    (
        "namespaces STORE THREAD",
        "lists the namespaces of a thread, the root's and those of subgraphs; reads the thread",
    ),
    (
        "history STORE THREAD [--ns NAMESPACE] [--limit N] [--before CHECKPOINT]",
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
    (
        "delete-runs STORE RUN... [--dry-run] [--yes]",
        "removes the checkpoints of runs, in all threads",
    ),
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

/// What each option means, with the name of its value.
const OPTIONS: &[(&str, &str, &str)] = &[
    ("limit", "N", "at most N; threads, history: 100 if left out"),
    ("after", "NEXT", "goes on where a list ended, which said NEXT"),
    ("before", "CHECKPOINT", "the checkpoints before this one"),
    ("prefix", "TEXT", "threads whose id begins with TEXT"),
    ("idle-since", "TIME", "threads whose newest checkpoint is older: 2026-01-31, 30d"),
    ("meta", "KEY=VALUE", "threads whose newest checkpoint has this in its metadata"),
    ("ns", "NAMESPACE", "a subgraph's namespace; the root's if left out"),
    ("values", "", "shows values, too"),
    ("latest", "", "the latest state alone"),
    ("strategy", "delete", "keeps nothing"),
    ("keep-last", "N", "keeps the N newest checkpoints of each namespace"),
    ("newer-than", "TIME", "keeps the checkpoints since then: 2026-01-31, 30d"),
    ("idle-for", "DURATION", "threads that nobody has used for so long: 90m, 12h, 30d"),
    ("pages", "N", "at most N pages"),
    ("verify", "", "compares all bytes afterwards"),
    ("layout", "js|python", "the tables of LangGraph.js, or of Python's LangGraph"),
    ("jsonl", "", "writes lines of JSON"),
    ("thread", "ID", "this thread alone; may be given several times"),
    ("dry-run", "", "says what would be done, and changes nothing"),
    ("yes", "", "does not ask"),
    ("source-schema", "NAME", "the schema of SOURCE in PostgreSQL; public if left out"),
    ("schema", "NAME", "the schema in PostgreSQL; public if left out"),
    ("json", "", "prints a line of JSON for each row"),
];

const STORE: &str = "\
STORE is a file of SQLite; or a postgresql:// address, with --schema NAME; or Kusto's
https://CLUSTER/DATABASE, with --table NAME, which has no vacuum; no export goes there.
--json prints for programs. COMMAND --help shows a command's options.
Exit codes: 0 done, 1 not found or incomplete, 2 wrong usage, 3 failed.
";

/// The program and its version.
pub(crate) const VERSION: &str = concat!("langgraph-checkpoint-wasm ", env!("CARGO_PKG_VERSION"));

/// How to use all commands.
pub(crate) fn of_all() -> String {
    let lines = COMMANDS.iter().map(|(usage, does)| format!("  {usage}\n      {does}\n"));
    let lines: String = lines.collect();
    format!("usage: langgraph-checkpoint-wasm COMMAND\n{lines}\n{STORE}")
}

/// How to use a command; `None` if there is none of this name.
pub(crate) fn of(name: &str) -> Option<String> {
    let (usage, does) = named(name)?;
    let options = usage.split("--").skip(1);
    let option = |text| str::split(text, |sign: char| !sign.is_ascii_lowercase() && sign != '-');
    let mut names: Vec<&str> = options.filter_map(|text| option(text).next()).collect();
    if name != "sql" {
        names.extend(["schema", "json"]);
    }
    let mut seen = BTreeSet::new();
    names.retain(|name| seen.insert(*name));
    let line = |name: &&str| {
        let &(_, value, means) = OPTIONS.iter().find(|(option, ..)| option == name)?;
        Some(format!("  {:<22}{means}\n", format!("--{name} {value}")))
    };
    let lines: String = names.iter().filter_map(line).collect();
    Some(format!("usage: langgraph-checkpoint-wasm {usage}\n      {does}\n{lines}"))
}

/// Where to look.
pub(crate) fn hint(name: &str) -> String {
    let command = named(name).map_or_else(String::new, |_| format!("{name} "));
    format!("try: langgraph-checkpoint-wasm {command}--help")
}

fn named(name: &str) -> Option<&'static Usage> {
    COMMANDS.iter().find(|(usage, _)| usage.split(' ').next() == Some(name))
}
