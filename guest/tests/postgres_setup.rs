//! The setup of PostgreSQL: what it makes of the server's settings.

use langgraph_checkpoint_guest::{
    Access, Answer, Batch, Call, Error, Moment, Need, Operation, Outcome, PostgresOptions,
    Progress, RowSet, Store, StoreOptions, Value,
};

/// A setup that has asked for the server's settings.
fn begun() -> Operation {
    let options = PostgresOptions { schema: "agents".to_owned() };
    let store = Store::open(StoreOptions::Postgres(options)).unwrap();
    let (operation, progress) = store.start(Call::Setup, Moment::default()).unwrap();
    assert_eq!(batch(progress).access, Access::Read);
    operation
}

fn batch(progress: Progress) -> Batch {
    match progress {
        Progress::Need(Need::Sql(batch)) => batch,
        other => panic!("{other:?} is no batch"),
    }
}

/// The answer of a server to the first batch.
fn settings(version: i64, encoding: &str, schema: bool, tables: bool) -> Answer {
    let row = vec![
        Value::Integer(version),
        Value::Text(encoding.to_owned()),
        Value::Integer(i64::from(schema)),
        Value::Integer(i64::from(tables)),
        Value::Integer(0),
    ];
    Answer::Sql(vec![RowSet { rows: vec![row] }])
}

fn advance(operation: &mut Operation, answer: Answer) -> Result<Progress, Error> {
    operation.advance(answer, Moment::default())
}

/// The texts of a batch that makes tables, and its answer with this format.
fn made(progress: Progress) -> (Vec<String>, Answer) {
    let batch = batch(progress);
    assert_eq!(batch.access, Access::Write);
    let mut sets = vec![RowSet::default(); batch.statements.len()];
    sets.last_mut().unwrap().rows.push(vec![Value::Integer(1)]);
    (batch.statements.into_iter().map(|statement| statement.text).collect(), Answer::Sql(sets))
}

#[test]
fn a_server_that_cannot_have_a_store_is_denied() {
    for (version, encoding, said) in
        [(120_017, "UTF8", "PostgreSQL 12"), (90_624, "UTF8", "9"), (150_000, "LATIN1", "LATIN1")]
    {
        let refused = advance(&mut begun(), settings(version, encoding, true, true)).unwrap_err();
        assert!(matches!(refused, Error::Denied(_)), "{refused:?}");
        assert_eq!(refused.code(), "unsupported-server");
        assert!(refused.to_string().contains(said), "{refused}");
    }
}

#[test]
fn a_setup_makes_nothing_where_the_tables_are() {
    let mut operation = begun();
    let next = advance(&mut operation, settings(130_000, "UTF8", true, true)).unwrap();
    let found = batch(next);
    assert_eq!((found.access, found.statements.len()), (Access::Read, 1));
    let format = RowSet { rows: vec![vec![Value::Integer(1)]] };
    let done = advance(&mut operation, Answer::Sql(vec![format])).unwrap();
    assert_eq!(done, Progress::Done(Outcome::Ready(None)));
}

#[test]
fn a_setup_makes_the_schema_only_if_it_is_missing() {
    for schema in [true, false] {
        let mut operation = begun();
        let next = advance(&mut operation, settings(180_000, "UTF8", schema, false)).unwrap();
        let (texts, answer) = made(next);
        assert_eq!(texts.iter().any(|text| text.starts_with("CREATE SCHEMA")), !schema);
        // Other setups wait from the first statement on.
        assert!(texts[0].contains("pg_advisory_xact_lock"));
        assert!(texts.iter().all(|text| !text.contains("CONCURRENTLY")));
        let done = advance(&mut operation, answer).unwrap();
        assert_eq!(done, Progress::Done(Outcome::Ready(None)));
    }
}
