//! A page of checkpoints, and their writes.

use super::statement::text;
use crate::contract::call::MetadataFilter;
use crate::contract::statement::{Statement, Value};
use crate::format::json::{NEGATIVE_ZERO, date_record, is_zero};
use crate::operations::ask::{After, CHECKPOINT, Page, WRITE};

/// The columns of a record `r` of a thread `t`. The first says which columns follow: for
/// `CHECKPOINT` those of a checkpoint, for `WRITE` those of every statement on writes. A
/// checkpoint's idx is always 0; another idx is damage, and the row is neither.
pub(super) fn columns() -> String {
    const IS_CHECKPOINT: &str = "r.task_id = ''";
    format!(
        "SELECT iif({IS_CHECKPOINT}, iif(r.idx = 0, {CHECKPOINT}, -1), {WRITE}) AS part, \
         r.thread_key, \
         iif({IS_CHECKPOINT}, t.generation, r.idx) AS idx, \
         iif({IS_CHECKPOINT}, t.thread_id, r.task_id) AS task_id, \
         r.checkpoint_ns, r.checkpoint_id, \
         iif({IS_CHECKPOINT}, r.parent_checkpoint_id, r.task_path) AS task_path, \
         iif({IS_CHECKPOINT}, r.created_at, r.channel), \
         iif({IS_CHECKPOINT}, CAST(r.metadata AS BLOB), r.envelope), \
         iif({IS_CHECKPOINT}, r.envelope, NULL), iif({IS_CHECKPOINT}, ifnull(r.channels, ''), NULL)"
    )
}

/// The checkpoints of a page, newest first, and their writes.
///
/// It is one statement, so that the page's selection is evaluated once.
#[inline(never)]
pub(super) fn page(page: &Page) -> Statement {
    if let Some(one) = one(page) {
        return one;
    }
    let Selection { text, parameters } = Selection::of(page);
    let columns = columns();
    Statement {
        text: format!(
            "WITH page AS MATERIALIZED ({text}) {columns} \
             FROM page p CROSS JOIN lg_records r ON r.thread_key = p.thread_key \
             AND r.checkpoint_ns = p.checkpoint_ns AND r.checkpoint_id = p.checkpoint_id \
             CROSS JOIN lg_threads t ON t.thread_key = p.thread_key \
             ORDER BY r.checkpoint_id DESC, r.thread_key DESC, r.checkpoint_ns DESC"
        ),
        parameters: vec![parameters],
    }
}

/// The same for one checkpoint, the latest or a named one, as `getTuple` asks for it: all its
/// records are next to each other. `None` if the page asks for something else.
#[inline(never)]
fn one(page: &Page) -> Option<Statement> {
    let (Some(thread_id), Some(ns)) = (&page.thread_id, &page.checkpoint_ns) else {
        return None;
    };
    if page.count != 1 || page.before.is_some() || page.after.is_some() || !page.filter.is_empty() {
        return None;
    }
    let mut parameters = vec![text(thread_id), text(ns)];
    parameters.extend(page.checkpoint_id.as_deref().map(text));
    let id = match &page.checkpoint_id {
        Some(_) => "?3",
        None => {
            "(SELECT c.checkpoint_id FROM lg_records c WHERE c.thread_key = t.thread_key \
             AND c.checkpoint_ns = ?2 AND c.task_id = '' ORDER BY c.checkpoint_id DESC LIMIT 1)"
        }
    };
    let columns = columns();
    Some(Statement {
        text: format!(
            "{columns} FROM lg_threads t CROSS JOIN lg_records r ON r.thread_key = t.thread_key \
             WHERE t.thread_id = ?1 AND r.checkpoint_ns = ?2 AND r.checkpoint_id = {id}"
        ),
        parameters: vec![parameters],
    })
}

/// The query that selects the checkpoints of a page, and what it binds.
struct Selection {
    text: String,
    parameters: Vec<Value>,
}

/// The conditions of a page and what they bind.
#[derive(Default)]
pub(super) struct Conditions {
    pub(super) texts: Vec<String>,
    pub(super) parameters: Vec<Value>,
}

impl Selection {
    fn of(page: &Page) -> Self {
        let mut conditions = Conditions::default();
        conditions.texts.push("c.task_id = ''".to_owned());
        conditions.equal("t.thread_id", page.thread_id.as_deref());
        conditions.equal("c.checkpoint_ns", page.checkpoint_ns.as_deref());
        conditions.equal("c.checkpoint_id", page.checkpoint_id.as_deref());
        if let Some(before) = &page.before {
            let before = conditions.bind(text(before));
            conditions.texts.push(format!("c.checkpoint_id < {before}"));
        }
        if let Some(After { checkpoint_id, thread_key, checkpoint_ns, .. }) = &page.after {
            let id = conditions.bind(text(checkpoint_id));
            let key = conditions.bind(Value::Integer(*thread_key));
            let ns = conditions.bind(text(checkpoint_ns));
            // Implied by the next condition, but an index serves it.
            conditions.texts.push(format!("c.checkpoint_id <= {id}"));
            conditions.texts.push(format!(
                "(c.checkpoint_id, c.thread_key, c.checkpoint_ns) < ({id}, {key}, {ns})"
            ));
        }
        conditions.metadata(&page.filter);
        // A subquery, because SQLite may plan again for each value of a limit that is bound
        // directly.
        let count = conditions.bind(Value::Integer(page.count as i64));
        let Conditions { texts, parameters } = conditions;
        let from = match (&page.thread_id, page.filter.as_slice()) {
            (Some(_), _) => "lg_threads t CROSS JOIN lg_records c ON c.thread_key = t.thread_key",
            // The index has all columns that this needs.
            (None, []) => "lg_records c",
            // Every row is read, which is fastest in the order they are stored.
            (None, _) => "lg_records c NOT INDEXED",
        };
        let condition = texts.join(" AND ");
        let text = format!(
            "SELECT c.thread_key, c.checkpoint_ns, c.checkpoint_id FROM {from} WHERE {condition} \
             ORDER BY c.checkpoint_id DESC, c.thread_key DESC, c.checkpoint_ns DESC \
             LIMIT (SELECT {count})"
        );
        Self { text, parameters }
    }
}

impl Conditions {
    fn equal(&mut self, column: &str, value: Option<&str>) {
        if let Some(value) = value {
            let value = self.bind(text(value));
            self.texts.push(format!("{column} = {value}"));
        }
    }

    /// The conditions on the metadata of a checkpoint `c`.
    pub(super) fn metadata(&mut self, filters: &[MetadataFilter]) {
        let mut likely = Vec::new();
        let mut exact = Vec::new();
        for filter in filters {
            let key = self.bind(text(&filter.key));
            let is_zero = is_zero(&filter.json);
            let json = self.bind(text(if is_zero { "0" } else { &filter.json }));
            if is_literal_text(&filter.json) {
                likely.push((filter.json.len(), format!("instr(c.metadata, {json}) > 0")));
            }
            let record =
                is_zero.then(|| NEGATIVE_ZERO.to_owned()).or_else(|| date_record(&filter.json));
            let record = record.map(|record| self.bind(text(&record)));
            exact.push(equals(&key, &json, record.as_deref()));
        }
        // A long text, such as an id, is in fewer rows than a short one, so it is checked first.
        likely.sort_by_key(|(length, _)| std::cmp::Reverse(*length));
        let likely: Vec<_> = likely.into_iter().map(|(_, text)| text).collect();
        if !likely.is_empty() {
            self.texts.push(format!("({} OR instr(c.metadata, '\\') > 0)", likely.join(" AND ")));
        }
        self.texts.append(&mut exact);
    }

    /// Binds a value and returns its parameter's name.
    pub(super) fn bind(&mut self, value: Value) -> String {
        self.parameters.push(value);
        format!("?{}", self.parameters.len())
    }
}

/// The condition that the metadata's `key` equals `json`. The key is compared as text, not as a
/// path, so dots and quotes in it mean themselves. Numbers are equal by value, everything else by
/// type and JSON text. Zeros of either sign are equal, and so are a date and its text: `record` is
/// what the serializer writes for it.
fn equals(key: &str, json: &str, record: Option<&str>) -> String {
    let or_record = record.map_or_else(String::new, |record| format!(" OR e.value = {record}"));
    format!(
        "EXISTS (SELECT 1 FROM json_each(\
         CASE WHEN typeof(c.metadata) = 'text' AND json_valid(c.metadata) THEN c.metadata \
         ELSE '{{}}' END) e \
         WHERE e.key = {key} AND (e.value IS json_extract({json}, '$') \
         AND replace(e.type, 'real', 'integer') = replace(json_type({json}), 'real', 'integer')\
         {or_record}))"
    )
}

/// Whether a JSON value is a string without escapes. JSON that has this string contains it as text,
/// unless that JSON has escapes. Searching for the text is much cheaper than parsing, which most
/// rows are spared.
fn is_literal_text(json: &str) -> bool {
    json.starts_with('"') && !json.contains('\\')
}
