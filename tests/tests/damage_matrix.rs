//! Every column of every table, damaged in every way. A call gives the right result, a typed error,
//! or less than was stored, which ARCHITECTURE.md lists. It never gives anything else.

use std::collections::BTreeSet;
use std::path::Path;

use langgraph_checkpoint_guest::{CheckpointTuple, Error, Outcome, PendingWrite};
use langgraph_checkpoint_tests::caller::Caller;
use langgraph_checkpoint_tests::native::Native;
use langgraph_checkpoint_tests::transcript;
use rusqlite::Connection;
use rusqlite::types::Value as Stored;
use serde_json::{Value, json};

/// The result of each call after each damage. The first line names the calls. `=` is the right
/// result, `-` less than was stored, anything else the code of an error; for several flips, all
/// results that occurred.
const EXPECTED: &str = include_str!("damage_matrix/expected.txt");

/// A row to damage: its table, and conditions that find it, a similar row of another thread, and a
/// similar row of its own thread.
struct Target {
    name: &'static str,
    table: &'static str,
    row: &'static str,
    other: Option<&'static str>,
    near: Option<&'static str>,
    columns: &'static [&'static str],
}

const CHECKPOINT: &[&str] = &[
    "thread_key",
    "checkpoint_ns",
    "checkpoint_id",
    "task_id",
    "idx",
    "parent_checkpoint_id",
    "created_at",
    "channels",
    "metadata",
    "run_id",
    "envelope",
];

const WRITE: &[&str] = &[
    "thread_key",
    "checkpoint_ns",
    "checkpoint_id",
    "task_id",
    "idx",
    "task_path",
    "channel",
    "envelope",
];

const TARGETS: &[Target] = &[
    Target {
        name: "format",
        table: "lg_format",
        row: "1",
        other: None,
        near: None,
        columns: &["format"],
    },
    Target {
        name: "deleted",
        table: "lg_deleted",
        row: "1",
        other: None,
        near: None,
        columns: &["thread_key", "has_rest"],
    },
    Target {
        name: "thread",
        table: "lg_threads",
        row: "thread_id = 'thread-1'",
        other: Some("thread_id = 'thread-2'"),
        near: None,
        columns: &["thread_key", "thread_id", "generation"],
    },
    Target {
        name: "latest",
        table: "lg_records",
        row: "thread_key = 1 AND checkpoint_ns = '' AND checkpoint_id = 'c3' AND task_id = ''",
        other: Some(
            "thread_key = 2 AND checkpoint_ns = '' AND checkpoint_id = 'c3' AND task_id = ''",
        ),
        near: Some(
            "thread_key = 1 AND checkpoint_ns = '' AND checkpoint_id = 'c2' AND task_id = ''",
        ),
        columns: CHECKPOINT,
    },
    Target {
        name: "passed",
        table: "lg_records",
        row: "thread_key = 1 AND checkpoint_ns = '' AND checkpoint_id = 'c2' AND task_id = ''",
        other: Some(
            "thread_key = 2 AND checkpoint_ns = '' AND checkpoint_id = 'c2' AND task_id = ''",
        ),
        near: Some(
            "thread_key = 1 AND checkpoint_ns = '' AND checkpoint_id = 'c1' AND task_id = ''",
        ),
        columns: CHECKPOINT,
    },
    Target {
        name: "seed",
        table: "lg_records",
        row: "thread_key = 1 AND checkpoint_ns = '' AND checkpoint_id = 'c1' AND task_id = ''",
        other: Some(
            "thread_key = 2 AND checkpoint_ns = '' AND checkpoint_id = 'c1' AND task_id = ''",
        ),
        near: Some(
            "thread_key = 1 AND checkpoint_ns = 'child' AND checkpoint_id = 'c1' AND task_id = ''",
        ),
        columns: CHECKPOINT,
    },
    Target {
        name: "pending",
        table: "lg_records",
        row: "thread_key = 1 AND checkpoint_id = 'c3' AND task_id = 'task-1' AND idx = 0",
        other: Some("thread_key = 2 AND checkpoint_id = 'c3' AND task_id = 'task-1' AND idx = 0"),
        near: Some("thread_key = 1 AND checkpoint_id = 'c3' AND task_id = 'task-1' AND idx = 1"),
        columns: WRITE,
    },
    Target {
        name: "passed write",
        table: "lg_records",
        row: "thread_key = 1 AND checkpoint_id = 'c2' AND task_id = 'task-1' AND idx = 0",
        other: Some("thread_key = 2 AND checkpoint_id = 'c2' AND task_id = 'task-1' AND idx = 0"),
        near: Some("thread_key = 1 AND checkpoint_id = 'c1' AND task_id = 'task-1' AND idx = 0"),
        columns: WRITE,
    },
    Target {
        name: "chunk",
        table: "lg_chunks",
        row: "thread_key = 1 AND instr(data, 'first of thread-1 in '''':') > 0",
        other: Some("thread_key = 2 AND instr(data, 'first of thread-2 in '''':') > 0"),
        near: Some("thread_key = 1 AND instr(data, 'second of thread-1 in '''':') > 0"),
        columns: &["thread_key", "hash", "data"],
    },
];

/// The calls after each damage.
fn calls() -> Vec<(&'static str, Value)> {
    let get = |thread: &str, ns: &str| {
        let config = json!({ "thread_id": thread, "checkpoint_ns": ns });
        json!({ "name": "get_tuple", "config": config })
    };
    let history = |thread: &str| {
        json!({
            "name": "get_delta_channel_history",
            "config": { "thread_id": thread }, "channels": ["messages"],
        })
    };
    vec![
        ("get 1", get("thread-1", "")),
        ("get 1 child", get("thread-1", "child")),
        ("get 2", get("thread-2", "")),
        ("list", json!({ "name": "list", "config": {} })),
        ("history 1", history("thread-1")),
        ("history 2", history("thread-2")),
        ("put 1", put("thread-1", "", 4)),
    ]
}

/// A checkpoint of a thread. The first has the messages, the others one value for each step.
fn put(thread: &str, ns: &str, step: usize) -> Value {
    let long = "a text that is long enough to be a chunk of its own, ".repeat(3);
    let mut values = json!({ "count": format!("{step} of {thread} in '{ns}'") });
    if step == 1 {
        let text = |at: &str| format!("{at} of {thread} in '{ns}': {long}");
        values["messages"] = json!([text("first"), text("second")]);
    }
    let channels: Vec<_> = values.as_object().unwrap().keys().cloned().collect();
    json!({
        "name": "put",
        "config": {
            "thread_id": thread, "checkpoint_ns": ns,
            "checkpoint_id": (step > 1).then(|| format!("c{}", step - 1)),
        },
        "checkpoint": {
            "id": format!("c{step}"), "v": 4, "ts": format!("at {step} of {thread} in '{ns}'"),
            "channel_values": values,
            "channel_versions": { "count": step, "messages": 1 }, "versions_seen": {},
        },
        "metadata": { "step": step, "thread": thread }, "new_versions": channels,
    })
}

/// Makes two similar threads: three checkpoints, one in another namespace, and two writes of a task
/// to each.
fn make(path: &Path) {
    let mut native = Native::new(Connection::open(path).unwrap()).unwrap();
    for thread in ["thread-1", "thread-2"] {
        for (ns, steps) in [("", 3), ("child", 1)] {
            for step in 1..=steps {
                native.call(transcript::call(&put(thread, ns, step))).unwrap();
                if ns.is_empty() {
                    let text = format!("written to {step} of {thread}");
                    let writes = json!({
                        "name": "put_writes",
                        "config": { "thread_id": thread, "checkpoint_id": format!("c{step}") },
                        "writes": [["messages", [text]], ["count", step]],
                        "task_id": "task-1", "task_path": "path",
                    });
                    native.call(transcript::call(&writes)).unwrap();
                }
            }
        }
    }
}

/// A store to damage.
struct Bench {
    folder: tempfile::TempDir,
    right: Vec<Outcome>,
    all: Vec<CheckpointTuple>,
}

impl Bench {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        make(&folder.path().join("whole.sqlite"));
        let mut bench = Self { folder, right: Vec::new(), all: Vec::new() };
        let given = bench.after(&|_| {});
        bench.right = given.into_iter().map(Result::unwrap).collect();
        bench.all = bench.right.iter().flat_map(tuples).collect();
        bench
    }

    /// The outcomes of the calls on a damaged copy, and of a get after the put.
    fn after(&self, damage: &dyn Fn(&Connection)) -> Vec<Result<Outcome, Error>> {
        let path = self.folder.path().join("damaged.sqlite");
        std::fs::copy(self.folder.path().join("whole.sqlite"), &path).unwrap();
        let connection = Connection::open(&path).unwrap();
        damage(&connection);
        let mut native = match Native::new(connection) {
            Ok(native) => native,
            Err(error) => return calls().iter().map(|_| Err(error.clone())).collect(),
        };
        let mut given: Vec<_> =
            calls().iter().map(|(_, call)| native.call(transcript::call(call))).collect();
        // A get returns what was put.
        if given.last().is_some_and(Result::is_ok) {
            let get = json!({
                "name": "get_tuple",
                "config": { "thread_id": "thread-1", "checkpoint_id": "c4" },
            });
            given.pop();
            given.push(native.call(transcript::call(&get)));
        }
        given
    }

    /// The result of each call: `=` right, `-` less than was stored, or the error's code.
    fn verdicts(&self, damage: &dyn Fn(&Connection)) -> Vec<String> {
        let given = self.after(damage);
        let verdict = |(given, right): (Result<Outcome, Error>, &Outcome)| match given {
            Err(Error::Corrupt(fault) | Error::UnsupportedFormat(fault)) => fault.code.to_owned(),
            Err(error) => panic!("damage is no fault of {error:?}"),
            Ok(given) if without_known(&given) == without_known(right) => "=".to_owned(),
            Ok(given) if self.is_less(&given, right) => "-".to_owned(),
            Ok(_) => "WRONG".to_owned(),
        };
        given.into_iter().zip(&self.right).map(verdict).collect()
    }

    fn is_less(&self, given: &Outcome, right: &Outcome) -> bool {
        if let (Outcome::History(given), Outcome::History(right)) = (given, right) {
            let pairs = given.iter().zip(right);
            return pairs.into_iter().all(|(given, right)| {
                let ends_early = right.writes.ends_with(&given.writes);
                let lacks_some = is_part(&given.writes, &right.writes);
                (given.seed.is_none() && ends_early) || (given.seed == right.seed && lacks_some)
            });
        }
        tuples(given).iter().all(|tuple| {
            self.all.iter().any(|right| {
                let bare = |tuple: &CheckpointTuple| CheckpointTuple {
                    pending_writes: Vec::new(),
                    ..tuple.clone()
                };
                bare(tuple) == bare(right) && is_part(&tuple.pending_writes, &right.pending_writes)
            })
        })
    }
}

fn is_part(part: &[PendingWrite], whole: &[PendingWrite]) -> bool {
    let mut rest = whole.iter();
    part.iter().all(|write| rest.any(|other| other == write))
}

fn tuples(outcome: &Outcome) -> Vec<CheckpointTuple> {
    match outcome {
        Outcome::Page(page) => transcript::tuples(page.clone()),
        Outcome::Found(Some(found)) => vec![found.tuple.clone().resolve(&[]).unwrap()],
        _ => Vec::new(),
    }
}

/// An outcome as a caller sees it.
fn without_known(outcome: &Outcome) -> Value {
    transcript::gives(Ok(vec![outcome.clone()]))
}

fn value(connection: &Connection, target: &Target, row: &str, column: &str) -> (i64, Stored) {
    let sql = format!("SELECT rowid, {column} FROM {} WHERE {row} LIMIT 1", target.table);
    connection.query_row(&sql, [], |row| Ok((row.get(0)?, row.get(1)?))).unwrap()
}

/// Sets a column; replaces a row that conflicts.
fn set(connection: &Connection, target: &Target, rowid: i64, column: &str, value: &Stored) {
    let sql = format!("UPDATE OR REPLACE {} SET {column} = ?1 WHERE rowid = {rowid}", target.table);
    connection.execute(&sql, [value]).unwrap();
}

/// The value with one bit changed; for a short value, once for every byte.
fn flipped(value: &Stored) -> Vec<Stored> {
    const STEP: usize = 13;
    let bytes = |bytes: &[u8]| -> Vec<Vec<u8>> {
        let step = if bytes.len() > 64 { STEP } else { 1 };
        let flip = |at: usize| {
            let mut flipped = bytes.to_vec();
            flipped[at] ^= 1;
            flipped
        };
        (0..bytes.len()).step_by(step).map(flip).collect()
    };
    match value {
        Stored::Null => vec![Stored::Text("x".to_owned())],
        Stored::Integer(integer) => {
            [0, 1, 20].map(|bit| Stored::Integer(integer ^ (1 << bit))).into()
        }
        Stored::Real(real) => vec![Stored::Real(-real)],
        Stored::Text(text) if text.is_empty() => vec![Stored::Text("x".to_owned())],
        Stored::Text(text) => {
            let texts = bytes(text.as_bytes()).into_iter();
            texts.map(|text| Stored::Text(String::from_utf8(text).unwrap())).collect()
        }
        Stored::Blob(blob) => bytes(blob).into_iter().map(Stored::Blob).collect(),
    }
}

/// One line of the table: the results of all damages of one kind.
fn line(name: &str, verdicts: &[Vec<String>]) -> String {
    let of_call = |at: usize| {
        let seen: BTreeSet<&str> = verdicts.iter().map(|verdict| verdict[at].as_str()).collect();
        seen.into_iter().collect::<Vec<_>>().join("/")
    };
    let of_calls: Vec<_> = (0..calls().len()).map(of_call).collect();
    format!("{name}: {}\n", of_calls.join(", "))
}

fn lines(bench: &Bench, target: &Target) -> String {
    let mut lines = String::new();
    let Target { name, table, row, other, near, columns } = target;
    for column in *columns {
        let connection = Connection::open(bench.folder.path().join("whole.sqlite")).unwrap();
        let (rowid, whole) = value(&connection, target, row, column);
        let flips = flipped(&whole);
        let flip = |flip: &Stored| bench.verdicts(&|on| set(on, target, rowid, column, flip));
        lines +=
            &line(&format!("{name} {column} flipped"), &flips.iter().map(flip).collect::<Vec<_>>());
        for (which, found) in [("another thread's", other), ("its neighbour's", near)] {
            let Some(found) = found else { continue };
            let (its, there) = value(&connection, target, found, column);
            if there == whole {
                continue;
            }
            let swap = bench.verdicts(&|on| {
                let aside = match whole {
                    Stored::Blob(_) => Stored::Blob(vec![0]),
                    Stored::Integer(_) => Stored::Integer(-999),
                    _ => Stored::Text("aside".to_owned()),
                };
                set(on, target, rowid, column, &aside);
                set(on, target, its, column, &whole);
                set(on, target, rowid, column, &there);
            });
            lines += &line(&format!("{name} {column} swapped with {which}"), &[swap]);
            let moved = bench.verdicts(&|on| set(on, target, rowid, column, &there));
            lines += &line(&format!("{name} {column} made {which}"), &[moved]);
        }
    }
    let delete = format!("DELETE FROM {table} WHERE {row}");
    let deleted = bench.verdicts(&|on| {
        on.execute(&delete, []).unwrap();
    });
    lines += &line(&format!("{name} deleted"), &[deleted]);
    lines
}

#[test]
fn every_damage_gives_what_the_table_says() {
    let bench = Bench::new();
    let names: Vec<_> = calls().iter().map(|(name, _)| *name).collect();
    let mut found = format!("{}\n", names.join(", "));
    for target in TARGETS {
        found += &lines(&bench, target);
    }
    let task = bench.verdicts(&|on| {
        let sql = "DELETE FROM lg_records WHERE thread_key = 1 AND checkpoint_id = 'c3' \
                   AND task_id = 'task-1'";
        on.execute(sql, []).unwrap();
    });
    found += &line("all writes of a task deleted", &[task]);
    if std::env::var_os("BLESS").is_some() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/damage_matrix/expected.txt");
        std::fs::write(path, &found).unwrap();
        return;
    }
    assert!(!found.contains("WRONG"), "{found}");
    assert!(found == EXPECTED, "the table differs; run with BLESS=1 and read the diff:\n{found}");
}
