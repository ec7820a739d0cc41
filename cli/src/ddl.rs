//! `sql`: the statements that prepare a schema of PostgreSQL.

use langgraph_checkpoint_guest::{
    Answer, Call, Need, PostgresOperation, PostgresOptions, Progress, RowSet, Store, StoreOptions,
    Value,
};
use langgraph_checkpoint_host::Error;

use crate::arguments::Sql;
use crate::failure::{Ended, Failure, Result};
use crate::output::write;

/// `sql`.
pub(crate) fn print(arguments: &Sql) -> Result<Ended> {
    if arguments.stores != ["postgres"] {
        return Err(Failure::usage("name the store: postgres"));
    }
    write(&script(&arguments.schema).map_err(Error::from)?)?;
    Ok(Ended::Done)
}

/// The SQL that makes a schema and its tables, as one transaction: that of the planner's own setup.
/// It may be run again.
fn script(schema: &str) -> std::result::Result<String, langgraph_checkpoint_guest::Error> {
    let options = PostgresOptions { schema: schema.to_owned() };
    let Store::Postgres(store) = Store::open(StoreOptions::Postgres(options))? else {
        return Ok(String::new());
    };
    let (mut setup, _) = PostgresOperation::start(&store, Call::Setup)?;
    // What a setup asks a database first: its version and encoding, whether schema and table exist.
    let none = Value::Integer(0);
    let text = Value::Text("UTF8".to_owned());
    let new = vec![Value::Integer(130_000), text, none.clone(), none.clone(), none];
    let made = setup.advance(Answer::Sql(vec![RowSet { rows: vec![new] }]))?;
    let Progress::Need(Need::Sql(batch)) = made else {
        return Ok(String::new());
    };
    let mut script = "BEGIN;\n".to_owned();
    for statement in &batch.statements {
        for values in &statement.parameters {
            script.push_str(&bound(&statement.text, values));
            script.push_str(";\n");
        }
    }
    Ok(script + "COMMIT;\n")
}

/// A statement with its parameters, which are integers. A quoted name may look like one.
fn bound(text: &str, values: &[Value]) -> String {
    let mut bound = String::new();
    for (at, part) in text.split('"').enumerate() {
        if at > 0 {
            bound.push('"');
        }
        let mut part = part.to_owned();
        let is_quoted = at % 2 == 1;
        // From the last one, so that $1 is not taken for the begin of $10.
        for (place, value) in values.iter().enumerate().rev().filter(|_| !is_quoted) {
            if let Value::Integer(integer) = value {
                part = part.replace(&format!("${}", place + 1), &integer.to_string());
            }
        }
        bound.push_str(&part);
    }
    bound
}
