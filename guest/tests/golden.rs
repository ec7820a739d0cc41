//! The statements of each call, for people to read. `tests/goldens/sqlite/NAME.json` has a call and
//! the calls before it; `NAME.txt` has the statements of every round with their parameters. Each
//! statement is also run on SQLite. `tests/goldens/postgres/NAME.txt` has the statements of the
//! same call on PostgreSQL, up to the first one whose rows the call needs to go on.
//!
//! The goldens show how a call asks; the transcripts show what it returns. After a change run with
//! `BLESS=1` and read the diff.

use langgraph_checkpoint_guest::{
    Access, Answer, Batch, Call, Moment, Need, Outcome, PostgresOptions, Progress, RowSet, Store,
    StoreOptions, Value,
};
use langgraph_checkpoint_tests::{caller::Caller, native::Native, transcript};
use std::fmt::Write as _;
use std::path::Path;

/// At most this many bytes of a blob are shown.
const SHOWN_BYTES_MAX: usize = 24;

#[test]
fn every_call_asks_for_the_statements_of_its_golden_file() {
    check_all("sqlite", show);
}

#[test]
fn every_call_asks_postgresql_for_the_statements_of_its_golden_file() {
    check_all("postgres", show_postgres);
}

/// Compares what `show` makes of each golden call with the file of that name in a folder.
fn check_all(folder: &str, show: fn(&serde_json::Value) -> String) {
    let goldens = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/goldens");
    let mut count = 0;
    for entry in std::fs::read_dir(goldens.join("sqlite")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "json") {
            continue;
        }
        let file: serde_json::Value =
            serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
        let shown = show(&file);
        let name = Path::new(path.file_stem().unwrap()).with_extension("txt");
        let golden = goldens.join(folder).join(name);
        if std::env::var_os("BLESS").is_some() {
            std::fs::write(&golden, shown).unwrap();
        } else {
            let expected = std::fs::read_to_string(&golden).unwrap();
            assert!(
                shown == expected,
                "{} differs; run with BLESS=1 and read the diff. It is:\n{shown}",
                golden.display()
            );
        }
        count += 1;
    }
    assert!(count >= 10, "the golden files are there");
}

fn show(file: &serde_json::Value) -> String {
    let (mut native, call) = prepared(file);
    let mut shown = String::new();
    let (mut operation, mut progress) = Store::Sqlite.start(call, Moment::default()).unwrap();
    for round in 1.. {
        let Progress::Need(Need::Sql(batch)) = progress else {
            break;
        };
        show_batch(&mut shown, round, &batch, '?');
        progress = operation.advance(Answer::Sql(native.run(&batch)), Moment::default()).unwrap();
    }
    shown
}

fn show_postgres(file: &serde_json::Value) -> String {
    let (_, call) = prepared(file);
    let is_setup = call == Call::Setup;
    let is_of_agents = !matches!(
        call,
        Call::Prune(_)
            | Call::CopyThread(_)
            | Call::Threads(_)
            | Call::Stats(_)
            | Call::Diff(_)
            | Call::Export(_)
            | Call::Flush
    );
    let options = PostgresOptions { schema: "agents".to_owned() };
    let store = Store::open(StoreOptions::Postgres(options)).unwrap();
    let Store::Postgres(postgres) = &store else { panic!("{store:?}") };
    let planned = postgres.agent_statements().unwrap();
    let (mut operation, progress) = store.start(call, Moment::default()).unwrap();
    let mut shown = String::new();
    let Progress::Need(Need::Sql(batch)) = progress else { panic!("a call has a batch") };
    assert_eq!(batch.statements.iter().all(|one| planned.contains(one)), is_of_agents);
    show_batch(&mut shown, 1, &batch, '$');
    if is_setup {
        // PostgreSQL 15 in UTF-8, without the schema and without any tables.
        let settings = vec![
            Value::Integer(150_000),
            Value::Text("UTF8".to_owned()),
            Value::Integer(0),
            Value::Integer(0),
            Value::Integer(0),
        ];
        let answer = Answer::Sql(vec![RowSet { rows: vec![settings] }]);
        let progress = operation.advance(answer, Moment::default()).unwrap();
        let Progress::Need(Need::Sql(batch)) = progress else { panic!("the tables are made") };
        show_batch(&mut shown, 2, &batch, '$');
    }
    shown
}

/// A database after the calls before a golden's call, and that call.
fn prepared(file: &serde_json::Value) -> (Native, Call) {
    let mut native = Native::in_memory();
    let mut known = None;
    for before in file["before"].as_array().into_iter().flatten() {
        known = known_of(&native.call(transcript::call(before)).unwrap()).or(known);
    }
    let mut call = if file["call"]["name"] == "setup" {
        native = Native::new(rusqlite::Connection::open_in_memory().unwrap()).unwrap();
        native.connection().execute_batch(DROP).unwrap();
        Call::Setup
    } else {
        transcript::call(&file["call"])
    };
    match &mut call {
        Call::Put(put) if file["knows"] == true => put.known = known,
        _ => {}
    }
    (native, call)
}

/// Removes what `Native` has set up.
const DROP: &str = "DROP VIEW lg_history; DROP VIEW lg_checkpoints; DROP VIEW lg_writes; \
     DROP TABLE lg_format; DROP TABLE lg_threads; DROP TABLE lg_deleted; DROP TABLE lg_copies; \
     DROP TABLE lg_sweeps; DROP TABLE lg_records; DROP TABLE lg_chunks";

/// `sigil` begins the name of a parameter.
fn show_batch(shown: &mut String, round: usize, batch: &Batch, sigil: char) {
    let access = match batch.access {
        Access::Read => "read",
        Access::Write => "write",
    };
    writeln!(shown, "round {round}, {access}\n").unwrap();
    for statement in &batch.statements {
        writeln!(shown, "    {}", statement.text).unwrap();
        for (run, parameters) in statement.parameters.iter().enumerate() {
            if statement.parameters.len() > 1 {
                writeln!(shown, "        run {}", run + 1).unwrap();
            }
            for (index, value) in parameters.iter().enumerate() {
                let name = format!("{sigil}{}", index + 1);
                writeln!(shown, "        {name} = {}", show_value(value)).unwrap();
            }
        }
        shown.push('\n');
    }
}

fn show_value(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Integer(integer) => format!("integer {integer}"),
        Value::Real(real) => format!("real {real}"),
        Value::Text(text) => format!("text {text:?}"),
        Value::Blob(blob) => {
            let hex = blob.iter().take(SHOWN_BYTES_MAX).map(|byte| format!("{byte:02x}"));
            let rest = if blob.len() > SHOWN_BYTES_MAX { "..." } else { "" };
            format!("blob of {} bytes {}{rest}", blob.len(), hex.collect::<String>())
        }
    }
}

fn known_of(outcome: &Outcome) -> Option<Vec<u8>> {
    match outcome {
        Outcome::Stored(stored) => Some(stored.known.clone()),
        _ => None,
    }
}
