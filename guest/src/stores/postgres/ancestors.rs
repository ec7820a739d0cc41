//! The walk from a checkpoint to its ancestors.

use super::schema::Schema;
use super::statement::{Parameters, array, element, from_end, has_channel, is_of_channel};
use crate::contract::statement::{Statement, Value};
use crate::format::CHECKSUM_BYTES;
use crate::format::write::{MARK_BYTES, mark};
use crate::operations::ask::{KNOWN, LINK, SEED, WRITE};

/// The rows of `Ask::Ancestors` for the checkpoint at this address: thread id, namespace, and id,
/// or the newest one. The channels have the known ancestors from which on rows are left out.
///
/// The walk remembers one place, replaces it after twice as many steps as before, and ends when it
/// comes back to it. So a circle of parents ends the walk without a search through all places
/// passed.
#[inline(never)]
pub(super) fn ancestors(
    schema: &Schema,
    (thread_id, checkpoint_ns, checkpoint_id): (&str, &str, Option<&str>),
    channels: &[(String, Option<String>)],
) -> Statement {
    let mut parameters = Parameters::default();
    let thread = parameters.text(thread_id);
    let ns = parameters.text(checkpoint_ns);
    let target = match checkpoint_id {
        Some(id) => format!(" AND r.checkpoint_id = {}", parameters.text(id)),
        None => String::new(),
    };
    let asked = asked(channels, &mut parameters);
    let namespace = Namespace { schema, ns: &ns };
    let walk = walk(&namespace);
    let rows = rows(&namespace);
    parameters.statement(format!(
        "WITH RECURSIVE q AS MATERIALIZED ({asked}), \
         g AS MATERIALIZED (SELECT t.thread_key, t.generation, r.checkpoint_id, \
         r.parent_checkpoint_id AS parent \
         FROM {schema}.lg_threads t CROSS JOIN LATERAL (\
         SELECT r.checkpoint_id, r.parent_checkpoint_id FROM {schema}.lg_records r \
         WHERE r.thread_key = t.thread_key AND r.checkpoint_ns = {ns} AND r.task_id = ''{target} \
         ORDER BY r.checkpoint_id DESC LIMIT 1) r WHERE t.thread_id = {thread}), {walk}, \
         p AS (SELECT q.place, q.channel, -1::bigint AS steps, g.thread_key, g.checkpoint_id \
         FROM q CROSS JOIN g UNION ALL \
         SELECT a.place, a.channel, a.steps, a.thread_key, a.checkpoint_id FROM a \
         WHERE NOT a.found AND NOT a.known) \
         SELECT x.part, x.steps, x.thread_key, x.idx, x.task_id, x.checkpoint_ns, \
         x.checkpoint_id, x.task_path, x.channel, x.metadata, x.envelope, x.channels \
         FROM ({rows}) x \
         ORDER BY x.place, x.part, x.steps DESC, x.task_path COLLATE \"C\", \
         x.task_id COLLATE \"C\", x.idx"
    ))
}

/// A namespace: the expression for its name, and where its records are.
struct Namespace<'a> {
    schema: &'a Schema,
    ns: &'a str,
}

impl Namespace<'_> {
    /// Joins the checkpoint with this thread key and id.
    fn checkpoint(&self, alias: &str, key: &str, id: &str) -> String {
        let Self { schema, ns } = self;
        format!(
            "CROSS JOIN LATERAL (SELECT r.checkpoint_id, r.parent_checkpoint_id, r.channels, \
             r.created_at, r.metadata, r.envelope FROM {schema}.lg_records r \
             WHERE r.thread_key = {key} AND r.checkpoint_ns = {ns} AND r.checkpoint_id = {id} \
             AND r.task_id = '' OFFSET 0) {alias}"
        )
    }

    /// Joins the writes `w` of an ancestor `a`.
    fn writes(&self, condition: &str) -> String {
        let Self { schema, ns } = self;
        format!(
            "CROSS JOIN LATERAL (SELECT r.thread_key, r.idx, r.task_id, r.checkpoint_ns, \
             r.checkpoint_id, r.task_path, r.channel, r.envelope FROM {schema}.lg_records r \
             WHERE r.thread_key = a.thread_key AND r.checkpoint_ns = {ns} \
             AND r.checkpoint_id = a.checkpoint_id AND r.task_id <> '' AND {condition} OFFSET 0) w"
        )
    }
}

/// `a`, the ancestors of the target `g` for each channel `q`, up to the first with a value of it.
fn walk(namespace: &Namespace<'_>) -> String {
    let found = has_channel("c", "q.element");
    let found_next = has_channel("c", "a.element");
    let at_parent_of_target = namespace.checkpoint("c", "g.thread_key", "g.parent");
    let at_parent = namespace.checkpoint("c", "a.thread_key", "a.parent");
    format!(
        "a (place, channel, element, channel_mark, known_id, steps, thread_key, checkpoint_id, \
         parent, found, mark, lap, known) AS (\
         SELECT q.place, q.channel, q.element, q.channel_mark, q.known_id, 0::bigint, \
         g.thread_key, c.checkpoint_id, c.parent_checkpoint_id, coalesce({found}, false), \
         c.checkpoint_id, 1::bigint, c.checkpoint_id IS NOT DISTINCT FROM q.known_id \
         FROM q CROSS JOIN g {at_parent_of_target} \
         UNION ALL \
         SELECT a.place, a.channel, a.element, a.channel_mark, a.known_id, a.steps + 1, \
         a.thread_key, c.checkpoint_id, c.parent_checkpoint_id, coalesce({found_next}, false), \
         CASE WHEN a.steps + 1 = a.lap THEN c.checkpoint_id ELSE a.mark END, \
         CASE WHEN a.steps + 1 = a.lap THEN a.lap * 2 ELSE a.lap END, \
         a.known OR c.checkpoint_id IS NOT DISTINCT FROM a.known_id \
         FROM a {at_parent} WHERE NOT a.found AND c.checkpoint_id <> a.mark)"
    )
}

/// The rows of the answer, each with the place of its channel.
fn rows(namespace: &Namespace<'_>) -> String {
    let ns = namespace.ns;
    let at_ancestor = namespace.checkpoint("c", "a.thread_key", "a.checkpoint_id");
    let at_passed = namespace.checkpoint("c", "p.thread_key", "p.checkpoint_id");
    let writes = namespace.writes(&is_of_channel("r", "a.channel", "a.channel_mark"));
    let checksums = checksums(&at_ancestor, &namespace.writes("r.channel = a.channel"));
    let link = from_end("c", CHECKSUM_BYTES * 2, CHECKSUM_BYTES);
    format!(
        "SELECT a.place, {SEED}::bigint AS part, a.steps, a.thread_key, 1::bigint AS idx, \
         a.channel AS task_id, {ns} AS checkpoint_ns, c.checkpoint_id, \
         c.parent_checkpoint_id AS task_path, c.created_at AS channel, c.metadata, c.envelope, \
         coalesce(c.channels, '') AS channels FROM a {at_ancestor} WHERE a.found AND NOT a.known \
         UNION ALL \
         SELECT a.place, {WRITE}, a.steps, w.thread_key, w.idx, w.task_id, w.checkpoint_ns, \
         w.checkpoint_id, w.task_path, w.channel, w.envelope, NULL, NULL \
         FROM a {writes} WHERE NOT a.known \
         UNION ALL \
         SELECT q.place, {KNOWN}, 0, 0, \
         (SELECT coalesce(max(a.known::int), 0) FROM a WHERE a.place = q.place)::bigint, \
         q.channel, {checksums}, NULL, NULL, NULL, NULL, NULL, NULL FROM q \
         WHERE q.known_id IS NOT NULL \
         UNION ALL \
         SELECT p.place, {LINK}, p.steps, p.thread_key, (SELECT g.generation FROM g), p.channel, \
         {ns}, c.checkpoint_id, c.parent_checkpoint_id, coalesce(c.channels, ''), {link}, NULL, \
         NULL FROM p {at_passed}"
    )
}

/// The channels that are asked for, in their order.
fn asked(channels: &[(String, Option<String>)], parameters: &mut Parameters) -> String {
    let names = parameters.bind(array(channels.iter().map(|(name, _)| name.as_str())), "text");
    let elements: Vec<_> = channels.iter().map(|(name, _)| element(name)).collect();
    let elements = parameters.bind(array(elements.iter().map(String::as_str)), "text");
    // An empty text stands for no known ancestor: no id is empty.
    let known = channels.iter().map(|(_, known)| known.as_deref().unwrap_or_default());
    let known = parameters.bind(array(known), "text");
    let marks = channels.iter().flat_map(|(name, _)| mark(name)).collect();
    let marks = parameters.bind(Value::Blob(marks), "bytea");
    format!(
        "SELECT u.place, u.channel, u.element, nullif(u.known_id, '') AS known_id, \
         substring({marks} FROM (u.place::int - 1) * {MARK_BYTES} + 1 FOR {MARK_BYTES}) \
         AS channel_mark FROM unnest({names}::text[], {elements}::text[], {known}::text[]) \
         WITH ORDINALITY u (channel, element, known_id, place)"
    )
}

/// The expression for the checksums of the rows that are left out.
fn checksums(at_ancestor: &str, writes: &str) -> String {
    let checksum = |record: &str| {
        format!("upper(encode({}, 'hex'))", from_end(record, CHECKSUM_BYTES, CHECKSUM_BYTES))
    };
    format!(
        "coalesce((SELECT {} FROM a {at_ancestor} \
         WHERE a.place = q.place AND a.found AND a.known LIMIT 1), '') || '/' || \
         coalesce((SELECT string_agg({}, '' ORDER BY a.steps DESC, w.task_path, w.task_id, w.idx) \
         FROM a {writes} WHERE a.place = q.place AND a.known), '')",
        checksum("c"),
        checksum("w"),
    )
}
