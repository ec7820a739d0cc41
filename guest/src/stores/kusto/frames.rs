//! Reads the service's responses: frames of a query (v2), tables of a command (v1), and errors.

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::Value;

use crate::contract::error::Error;

/// A table of a response: the names of its columns, and its rows.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Table {
    columns: Vec<String>,
    rows: Vec<Vec<Value>>,
}

/// One row of a table, read by the names of columns.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Record<'a> {
    table: &'a Table,
    row: &'a [Value],
}

/// The content of a response with a good status.
#[derive(Debug, PartialEq)]
pub(crate) enum Tables {
    /// All tables.
    Whole(Vec<Table>),
    /// The service gave up in the middle, for this reason.
    Failed(Refusal),
}

/// A response with a good status that does not have Kusto's shape, or is incomplete.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Unreadable;

/// An error as the service reports it.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Refusal {
    /// The code, such as `BadRequest_EntityNotFound`; the inner one if there are two.
    pub(crate) code: String,
    /// The service's type of the error.
    pub(crate) kind: String,
    /// Whether trying again is useless; `None` if the service does not say.
    pub(crate) permanent: Option<bool>,
}

#[derive(Deserialize)]
#[serde(tag = "FrameType")]
enum Frame {
    DataTable {
        #[serde(rename = "TableKind")]
        table_kind: String,
        #[serde(rename = "Columns", default)]
        columns: Vec<Column>,
        #[serde(rename = "Rows", default)]
        rows: Vec<Value>,
    },
    DataSetCompletion {
        #[serde(rename = "HasErrors", default)]
        has_errors: bool,
        #[serde(rename = "Cancelled", default)]
        cancelled: bool,
        #[serde(rename = "OneApiErrors", default)]
        errors: Option<Vec<Value>>,
    },
    #[serde(other)]
    Other,
}

#[derive(Deserialize)]
struct Column {
    #[serde(rename = "ColumnName")]
    name: String,
}

#[derive(Deserialize)]
struct V1 {
    #[serde(rename = "Tables")]
    tables: Vec<V1Table>,
}

#[derive(Deserialize)]
struct V1Table {
    #[serde(rename = "Columns", default)]
    columns: Vec<Column>,
    #[serde(rename = "Rows", default)]
    rows: Vec<Value>,
}

/// The primary results in a query's frames. There must be `expected` of them, because a missing one
/// would read as a table without rows.
pub(crate) fn frames(body: &[u8], expected: usize) -> Result<Tables, Unreadable> {
    let frames: Vec<Frame> = serde_json::from_slice(body).map_err(|_| Unreadable)?;
    let mut tables = Vec::new();
    let mut completed = false;
    for frame in frames {
        match frame {
            Frame::DataTable { table_kind, columns, rows } if table_kind == "PrimaryResult" => {
                match table(columns, rows)? {
                    Ok(table) => tables.push(table),
                    Err(refusal) => return Ok(Tables::Failed(refusal)),
                }
            }
            Frame::DataSetCompletion { has_errors, cancelled, errors } => {
                let refusal = errors.iter().flatten().next().map(refusal_of);
                if has_errors || cancelled || refusal.is_some() {
                    return Ok(Tables::Failed(refusal.unwrap_or_default()));
                }
                completed = true;
            }
            Frame::DataTable { .. } | Frame::Other => {}
        }
    }
    // A body that is cut off is not valid JSON; one without an end frame is incomplete as well.
    let is_whole = completed && tables.len() == expected;
    if is_whole { Ok(Tables::Whole(tables)) } else { Err(Unreadable) }
}

/// The tables of the response to a command.
pub(crate) fn tables(body: &[u8]) -> Result<Tables, Unreadable> {
    let V1 { tables } = serde_json::from_slice(body).map_err(|_| Unreadable)?;
    let mut whole = Vec::with_capacity(tables.len());
    for V1Table { columns, rows } in tables {
        match table(columns, rows)? {
            Ok(table) => whole.push(table),
            Err(refusal) => return Ok(Tables::Failed(refusal)),
        }
    }
    Ok(Tables::Whole(whole))
}

/// The tables of the response to a stream. Versions of the service differ in what they add to the
/// status, so an unknown shape counts as no tables. A body that is not JSON is not from the
/// service.
pub(crate) fn ingested(body: &[u8]) -> Result<Tables, Unreadable> {
    let is_empty = body.trim_ascii().is_empty();
    if !is_empty && serde_json::from_slice::<IgnoredAny>(body).is_err() {
        return Err(Unreadable);
    }
    Ok(tables(body).unwrap_or(Tables::Whole(Vec::new())))
}

/// The error in the body of a response with a bad status; empty if there is none.
pub(crate) fn refusal(body: &[u8]) -> Refusal {
    serde_json::from_slice::<Value>(body).map(|body| refusal_of(&body)).unwrap_or_default()
}

fn refusal_of(value: &Value) -> Refusal {
    let error = value.get("error").unwrap_or(value);
    let text = |value: &Value, key: &str| {
        value.get(key).and_then(Value::as_str).unwrap_or_default().to_owned()
    };
    let mut code = text(error, "code");
    if let Some(inner) = error.get("innererror") {
        let inner = text(inner, "code");
        if !inner.is_empty() {
            code = inner;
        }
    }
    // Some failures, such as a result that is too large, are named only in a message.
    let message = format!("{} {}", text(error, "message"), text(error, "@message"));
    for named in NAMED_IN_MESSAGES {
        if message.contains(named) {
            code = (*named).to_owned();
        }
    }
    Refusal {
        code: code.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '_').take(80).collect(),
        kind: text(error, "@type"),
        permanent: error.get("@permanent").and_then(Value::as_bool),
    }
}

/// Failures that are recognized by their names in messages.
const NAMED_IN_MESSAGES: &[&str] = &[
    "E_QUERY_RESULT_SET_TOO_LARGE",
    "E_RUNAWAY_QUERY",
    "StreamingIngestionPolicyNotEnabled",
    "StreamingIngestionDisabledForCluster",
    "Stream_InputStreamTooLarge",
];

/// A table, or the error among its rows.
fn table(columns: Vec<Column>, rows: Vec<Value>) -> Result<Result<Table, Refusal>, Unreadable> {
    let mut table = Table { columns: columns.into_iter().map(|c| c.name).collect(), rows: vec![] };
    for row in rows {
        match row {
            Value::Array(cells) if cells.len() == table.columns.len() => table.rows.push(cells),
            Value::Object(object) => {
                let errors = object.get("OneApiErrors").and_then(Value::as_array);
                let first = errors.and_then(|errors| errors.first());
                return Ok(Err(first.map(refusal_of).unwrap_or_default()));
            }
            _ => return Err(Unreadable),
        }
    }
    Ok(Ok(table))
}

impl Table {
    /// The rows.
    pub(crate) fn records(&self) -> impl Iterator<Item = Record<'_>> {
        self.rows.iter().map(|row| Record { table: self, row })
    }
}

impl<'a> Record<'a> {
    fn cell(&self, column: &'static str) -> Option<&'a Value> {
        let at = self.table.columns.iter().position(|name| name == column)?;
        self.row.get(at)
    }

    /// The text in a column. Null is empty text, as everywhere in Kusto.
    pub(crate) fn text(&self, column: &'static str) -> Result<&'a str, Error> {
        match self.cell(column) {
            Some(Value::String(text)) => Ok(text),
            Some(Value::Null) => Ok(""),
            _ => Err(unexpected(column, "text")),
        }
    }

    /// The integer in a column; `None` if it is null.
    pub(crate) fn optional_integer(&self, column: &'static str) -> Result<Option<i64>, Error> {
        match self.cell(column) {
            Some(Value::Null) => Ok(None),
            Some(Value::Number(number)) => {
                number.as_i64().map(Some).ok_or_else(|| unexpected(column, "an integer"))
            }
            // A long may come as text, because not every reader of JSON keeps 64 bits.
            Some(Value::String(text)) => {
                text.parse().map(Some).map_err(|_| unexpected(column, "an integer"))
            }
            _ => Err(unexpected(column, "an integer")),
        }
    }

    /// The integer in a column. Null is an error.
    pub(crate) fn integer(&self, column: &'static str) -> Result<i64, Error> {
        self.optional_integer(column)?.ok_or_else(|| unexpected(column, "an integer"))
    }

    /// The list of texts in a column, which the service returns as JSON or as JSON text. Empty if
    /// it is missing or null.
    pub(crate) fn texts(&self, column: &'static str) -> Result<Vec<String>, Error> {
        let read = |value: &Value| serde_json::from_value::<Vec<String>>(value.clone()).ok();
        let texts = match self.cell(column) {
            None | Some(Value::Null) => Some(Vec::new()),
            Some(Value::String(text)) if text.is_empty() => Some(Vec::new()),
            Some(Value::String(text)) => serde_json::from_str(text).ok(),
            Some(value) => read(value),
        };
        texts.ok_or_else(|| unexpected(column, "a list of texts"))
    }
}

fn unexpected(column: &str, expected: &str) -> Error {
    Error::corrupt(
        "unexpected-column",
        format!("column {column} of the log is not {expected}; restore the table"),
    )
}
