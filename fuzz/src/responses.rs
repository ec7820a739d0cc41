//! Responses of a Kusto service: valid with any content, broken, refused, missing.

use arbitrary::{Result, Unstructured};
use langgraph_checkpoint_guest::{HttpAnswer, HttpRequest, HttpResponse};
use serde_json::{Value, json};

use crate::calls;

/// Columns that queries and commands return.
const COLUMNS: &[&str] = &[
    "thread_id",
    "checkpoint_ns",
    "checkpoint_id",
    "parent_checkpoint_id",
    "task_id",
    "task_path",
    "idx",
    "channel",
    "channels",
    "refs",
    "hash",
    "encoding",
    "data",
    "part",
    "parts",
    "rev",
    "row_id",
    "cut",
    "name",
    "rows",
    "format",
    "ColumnName",
    "ColumnType",
    "Name",
    "Policy",
];

/// Error codes with a meaning, and one without.
const CODES: &[&str] = &[
    "BadRequest_StreamingIngestionPolicyNotEnabled",
    "Stream_InputStreamTooLarge",
    "E_QUERY_RESULT_SET_TOO_LARGE",
    "General_ThrottledIngestion",
    "SEM0100",
    "Forbidden",
    "else",
];

/// An answer to a request.
pub fn answer(u: &mut Unstructured<'_>, request: &HttpRequest) -> Result<HttpAnswer> {
    if u.ratio(1, 32)? {
        return Ok(HttpAnswer::Failed(calls::text(u)?));
    }
    if u.ratio(1, 64)? {
        return Ok(HttpAnswer::TooLarge);
    }
    if u.ratio(1, 6)? {
        let status = *u.choose(&[200, 204, 302, 400, 401, 403, 404, 413, 429, 500, 503])?;
        let headers = vec![("retry-after".to_owned(), calls::text(u)?)];
        let body = if u.arbitrary()? { u.arbitrary()? } else { error(u)?.to_string().into() };
        return Ok(HttpAnswer::Response(HttpResponse { status, headers, body }));
    }
    let mut tables = Vec::new();
    for _ in 0..u.int_in_range(0..=4)? {
        tables.push(table(u)?);
    }
    let body = if request.url.ends_with("/v2/rest/query") {
        let mut completion = json!({ "FrameType": "DataSetCompletion", "HasErrors": false });
        if u.ratio(1, 16)? {
            completion["HasErrors"] = true.into();
            completion["OneApiErrors"] = json!([error(u)?]);
        }
        tables.push(completion);
        Value::Array(tables)
    } else {
        json!({ "Tables": tables })
    };
    let mut body = body.to_string().into_bytes();
    if u.ratio(1, 32)? {
        body.truncate(u.choose_index(body.len().max(1))?);
    }
    Ok(HttpAnswer::Response(HttpResponse { status: 200, headers: Vec::new(), body }))
}

fn table(u: &mut Unstructured<'_>) -> Result<Value> {
    let columns: Vec<_> = COLUMNS.iter().map(|name| json!({ "ColumnName": name })).collect();
    let mut rows = Vec::new();
    for _ in 0..u.int_in_range(0..=3)? {
        let mut row = Vec::new();
        for column in COLUMNS {
            row.push(cell(u, column)?);
        }
        rows.push(Value::Array(row));
    }
    Ok(json!({
        "FrameType": "DataTable", "TableKind": "PrimaryResult", "Columns": columns, "Rows": rows,
    }))
}

/// A cell; most often of the column's type.
fn cell(u: &mut Unstructured<'_>, column: &str) -> Result<Value> {
    if u.ratio(1, 64)? {
        return Ok(u.choose(&[Value::Null, Value::Bool(true)])?.clone());
    }
    Ok(match column {
        "part" => u.int_in_range(0..=1)?.into(),
        "parts" => u.int_in_range(1..=2)?.into(),
        "idx" | "rev" | "cut" | "rows" | "format" => match u.arbitrary()? {
            true => u.int_in_range(-4..=4_i64)?.into(),
            false => u.arbitrary::<i64>()?.into(),
        },
        "encoding" => (*u.choose(&["text", "base64"])?).into(),
        "channels" | "refs" => json!([calls::text(u)?]),
        "data" => match u.arbitrary()? {
            true => json!({
                "ts": "", "parent": null, "metadata": "{}", "metadata_encoding": "text",
                "envelope": calls::text(u)?,
            })
            .to_string()
            .into(),
            false => calls::text(u)?.into(),
        },
        _ => calls::text(u)?.into(),
    })
}

fn error(u: &mut Unstructured<'_>) -> Result<Value> {
    let code = *u.choose(CODES)?;
    let permanent: Option<bool> = u.arbitrary()?;
    Ok(json!({ "error": { "code": code, "message": calls::text(u)?, "@permanent": permanent } }))
}
