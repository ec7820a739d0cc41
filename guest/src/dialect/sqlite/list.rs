//! A page of checkpoints, and their writes.

use super::text;
use crate::call::MetadataFilter;
use crate::statement::{Statement, Value};

/// Which checkpoints a page has.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Page<'a> {
    pub(crate) thread_id: Option<&'a str>,
    pub(crate) checkpoint_ns: Option<&'a str>,
    pub(crate) checkpoint_id: Option<&'a str>,
    /// Only ids that sort before this one.
    pub(crate) before: Option<&'a str>,
    pub(crate) filter: &'a [MetadataFilter],
    /// Only what comes after this one in the order of the list: checkpoint id, thread key,
    /// namespace.
    pub(crate) after: Option<(&'a str, i64, &'a str)>,
    /// At most so many.
    pub(crate) count: i64,
}

/// The checkpoints of a page, newest first.
pub(crate) fn page(page: &Page<'_>) -> Statement {
    Selection::of(page).statement(|selection| {
        format!(
            "SELECT t.thread_key, t.generation, t.thread_id, c.checkpoint_ns, c.checkpoint_id, \
             c.parent_checkpoint_id, c.created_at, CAST(c.metadata AS BLOB), c.envelope \
             {selection}"
        )
    })
}

/// The writes of the checkpoints of a page, each checkpoint's in their order.
pub(crate) fn page_writes(page: &Page<'_>) -> Statement {
    Selection::of(page).statement(|selection| {
        format!(
            "WITH page (thread_key, checkpoint_ns, checkpoint_id) AS (\
             SELECT c.thread_key, c.checkpoint_ns, c.checkpoint_id {selection}) \
             SELECT w.thread_key, w.checkpoint_ns, w.checkpoint_id, w.task_id, w.idx, \
             w.task_path, w.channel, w.envelope FROM page p CROSS JOIN lg_writes w \
             ON w.thread_key = p.thread_key AND w.checkpoint_ns = p.checkpoint_ns \
             AND w.checkpoint_id = p.checkpoint_id \
             ORDER BY w.task_path, w.task_id, w.idx"
        )
    })
}

/// The conditions of a page and what they bind, added together.
#[derive(Default)]
struct Selection {
    conditions: Vec<String>,
    parameters: Vec<Value>,
    limit: String,
}

impl Selection {
    fn of(page: &Page<'_>) -> Self {
        let mut selection = Self::default();
        selection.equal("t.thread_id", page.thread_id);
        selection.equal("c.checkpoint_ns", page.checkpoint_ns);
        selection.equal("c.checkpoint_id", page.checkpoint_id);
        if let Some(before) = page.before {
            let before = selection.bind(text(before));
            selection.conditions.push(format!("c.checkpoint_id < {before}"));
        }
        if let Some((checkpoint_id, thread_key, checkpoint_ns)) = page.after {
            let id = selection.bind(text(checkpoint_id));
            let key = selection.bind(Value::Integer(thread_key));
            let ns = selection.bind(text(checkpoint_ns));
            // The first condition says nothing new; it is the one an index serves.
            selection.conditions.push(format!("c.checkpoint_id <= {id}"));
            selection.conditions.push(format!(
                "(c.checkpoint_id, c.thread_key, c.checkpoint_ns) < ({id}, {key}, {ns})"
            ));
        }
        for filter in page.filter {
            selection.metadata(filter);
        }
        // A subquery, since SQLite may plan anew for each value of a limit that is bound as it is.
        let count = selection.bind(Value::Integer(page.count));
        selection.limit = format!("(SELECT {count})");
        selection
    }

    fn equal(&mut self, column: &str, value: Option<&str>) {
        if let Some(value) = value {
            let value = self.bind(text(value));
            self.conditions.push(format!("{column} = {value}"));
        }
    }

    /// The key is compared as text and not as a path, so dots and quotes in it mean themselves.
    /// Numbers are equal by value, everything else by type and JSON text.
    fn metadata(&mut self, filter: &MetadataFilter) {
        let key = self.bind(text(&filter.key));
        let json = self.bind(text(&filter.json));
        self.conditions.push(format!(
            "EXISTS (SELECT 1 FROM json_each(\
             CASE WHEN typeof(c.metadata) = 'text' THEN c.metadata ELSE '{{}}' END) e \
             WHERE e.key = {key} AND e.value IS json_extract({json}, '$') \
             AND replace(e.type, 'real', 'integer') \
             = replace(json_type({json}), 'real', 'integer'))"
        ));
    }

    /// Binds a value and gives its name in the text.
    fn bind(&mut self, value: Value) -> String {
        self.parameters.push(value);
        format!("?{}", self.parameters.len())
    }

    fn statement(self, text: impl FnOnce(&str) -> String) -> Statement {
        let Self { conditions, parameters, limit } = self;
        let condition = match conditions.as_slice() {
            [] => String::new(),
            conditions => format!(" WHERE {}", conditions.join(" AND ")),
        };
        let selection = format!(
            "FROM lg_checkpoints c JOIN lg_threads t ON t.thread_key = c.thread_key{condition} \
             ORDER BY c.checkpoint_id DESC, c.thread_key DESC, c.checkpoint_ns DESC LIMIT {limit}"
        );
        Statement { text: text(&selection), parameters: vec![parameters] }
    }
}
