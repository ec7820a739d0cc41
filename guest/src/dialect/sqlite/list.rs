//! A page of checkpoints, and their writes.

use super::text;
use crate::ask::{After, CHECKPOINT, Page, WRITE};
use crate::call::MetadataFilter;
use crate::statement::{Statement, Value};

/// The checkpoints of a page, newest first, then their writes, each checkpoint's in their order.
///
/// One statement, so that what selects the page is evaluated once. The first column says which
/// columns follow: at `CHECKPOINT` a checkpoint's, else those of every statement on writes.
pub(super) fn page(page: &Page) -> Statement {
    let Selection { text, parameters } = Selection::of(page);
    Statement {
        text: format!(
            "WITH page AS MATERIALIZED ({text}) \
             SELECT {CHECKPOINT} AS part, t.thread_key AS thread_key, t.generation AS idx, \
             t.thread_id AS task_id, c.checkpoint_ns AS checkpoint_ns, \
             c.checkpoint_id AS checkpoint_id, c.parent_checkpoint_id AS task_path, \
             c.created_at, CAST(c.metadata AS BLOB), c.envelope \
             FROM page p CROSS JOIN lg_checkpoints c ON c.rowid = p.place \
             CROSS JOIN lg_threads t ON t.thread_key = p.thread_key \
             UNION ALL \
             SELECT {WRITE}, w.thread_key, w.idx, w.task_id, w.checkpoint_ns, w.checkpoint_id, \
             w.task_path, w.channel, w.envelope, NULL FROM page p CROSS JOIN lg_writes w \
             ON w.thread_key = p.thread_key AND w.checkpoint_ns = p.checkpoint_ns \
             AND w.checkpoint_id = p.checkpoint_id \
             ORDER BY part, checkpoint_id DESC, thread_key DESC, checkpoint_ns DESC, \
             task_path, task_id, idx"
        ),
        parameters: vec![parameters],
    }
}

/// What selects the checkpoints of a page, and what it binds.
struct Selection {
    text: String,
    parameters: Vec<Value>,
}

/// The conditions of a page and what they bind, added together.
#[derive(Default)]
struct Conditions {
    texts: Vec<String>,
    parameters: Vec<Value>,
}

impl Selection {
    fn of(page: &Page) -> Self {
        let mut conditions = Conditions::default();
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
            // The first condition says nothing new; it is the one an index serves.
            conditions.texts.push(format!("c.checkpoint_id <= {id}"));
            conditions.texts.push(format!(
                "(c.checkpoint_id, c.thread_key, c.checkpoint_ns) < ({id}, {key}, {ns})"
            ));
        }
        conditions.metadata(&page.filter);
        // A subquery, since SQLite may plan anew for each value of a limit that is bound as it is.
        let count = conditions.bind(Value::Integer(page.count as i64));
        let Conditions { texts, parameters } = conditions;
        let from = match (&page.thread_id, page.filter.as_slice()) {
            (Some(_), _) => {
                "lg_threads t CROSS JOIN lg_checkpoints c ON c.thread_key = t.thread_key"
            }
            // The keys alone are in an index.
            (None, []) => "lg_checkpoints c",
            // Every row is looked at, which is quickest in the order they are stored.
            (None, _) => "lg_checkpoints c NOT INDEXED",
        };
        let condition = match texts.as_slice() {
            [] => String::new(),
            texts => format!(" WHERE {}", texts.join(" AND ")),
        };
        let text = format!(
            "SELECT c.rowid AS place, c.thread_key, c.checkpoint_ns, c.checkpoint_id \
             FROM {from}{condition} \
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

    fn metadata(&mut self, filters: &[MetadataFilter]) {
        let mut likely = Vec::new();
        let mut exact = Vec::new();
        for filter in filters {
            let key = self.bind(text(&filter.key));
            let json = self.bind(text(&filter.json));
            if is_literal_text(&filter.json) {
                likely.push((filter.json.len(), format!("instr(c.metadata, {json}) > 0")));
            }
            exact.push(equals(&key, &json));
        }
        // A long text, such as an id, is in fewer rows than a short one.
        likely.sort_by_key(|(length, _)| std::cmp::Reverse(*length));
        let likely: Vec<_> = likely.into_iter().map(|(_, text)| text).collect();
        if !likely.is_empty() {
            self.texts.push(format!("({} OR instr(c.metadata, '\\') > 0)", likely.join(" AND ")));
        }
        self.texts.append(&mut exact);
    }

    /// Binds a value and gives its name in the text.
    fn bind(&mut self, value: Value) -> String {
        self.parameters.push(value);
        format!("?{}", self.parameters.len())
    }
}

/// The key is compared as text and not as a path, so dots and quotes in it mean themselves.
/// Numbers are equal by value, everything else by type and JSON text.
fn equals(key: &str, json: &str) -> String {
    format!(
        "EXISTS (SELECT 1 FROM json_each(\
         CASE WHEN typeof(c.metadata) = 'text' THEN c.metadata ELSE '{{}}' END) e \
         WHERE e.key = {key} AND e.value IS json_extract({json}, '$') \
         AND replace(e.type, 'real', 'integer') = replace(json_type({json}), 'real', 'integer'))"
    )
}

/// Whether a JSON value is text that any JSON with it must hold as it stands, unless there are
/// escapes in that. Looking for it is much cheaper than reading the JSON, which most rows are
/// spared then.
fn is_literal_text(json: &str) -> bool {
    json.starts_with('"') && !json.contains('\\')
}
