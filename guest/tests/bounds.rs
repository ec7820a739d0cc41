//! Limits of one call: a call that exceeds one is refused before the first statement.

use langgraph_checkpoint_guest::{Access, Batch, Moment, Store};
use langgraph_checkpoint_guest::{Call, Config, Error, List, MetadataFilter, Need, Progress};
use rusqlite::Connection;

fn list(filters: usize) -> Result<Progress, Error> {
    let filter = MetadataFilter { key: "source".to_owned(), json: "\"loop\"".to_owned() };
    let config = Config { thread_id: "thread-1".into(), ..Config::default() };
    let call = List { config, filter: vec![filter; filters], ..List::default() };
    Store::Sqlite.start(Call::List(call), Moment::default()).map(|(_, progress)| progress)
}

fn batch(progress: Progress) -> Batch {
    match progress {
        Progress::Need(Need::Sql(batch)) => batch,
        other => panic!("{other:?}"),
    }
}

#[test]
fn sqlite_takes_the_largest_filter() {
    let connection = Connection::open_in_memory().unwrap();
    let (mut setup, found) = Store::Sqlite.start(Call::Setup, Moment::default()).unwrap();
    let none = vec![Default::default(); batch(found).statements.len()];
    let create = batch(
        setup
            .advance(
                langgraph_checkpoint_guest::Answer::Sql(none),
                langgraph_checkpoint_guest::Moment::default(),
            )
            .unwrap(),
    );
    assert_eq!(create.access, Access::Write);
    for statement in create.statements.iter().filter(|statement| statement.text.contains("CREATE"))
    {
        connection.execute(&statement.text, []).unwrap();
    }
    for statement in batch(list(16).unwrap()).statements {
        connection.prepare(&statement.text).unwrap();
    }
}

#[test]
fn a_larger_filter_is_refused() {
    assert_eq!(list(17).unwrap_err().code(), "oversized-filter");
}
