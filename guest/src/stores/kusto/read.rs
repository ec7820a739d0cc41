//! Reading: pages, the sends of older checkpoints, the ancestors of a checkpoint.

use std::collections::{BTreeMap, BTreeSet};

use super::call::{Call, Patience, Rows, newest_tombstone};
use super::clock::Clock;
use super::failure;
use super::filter::{Narrowing, matches, narrowing};
use super::query;
use super::resolve::{CheckpointKey, Late, Seen, Whole};
use super::row::{CHECKPOINT, CheckpointData, Encoding, LogRow, WRITE, hash_text};
use crate::contract::error::Error;
use crate::contract::statement::Value;
use crate::operations::ask::{self, After, Page, SEED};

/// How many checkpoints a query asks for if conditions may drop some.
const FILTERED_ROWS: u64 = 64;

/// A checkpoint of a page.
struct Found {
    key: CheckpointKey,
    data: CheckpointData,
}

impl Call {
    /// Answers `Ask::Page`.
    pub(super) async fn page(&mut self, page: Page) -> Result<Rows, Error> {
        let mut asked = page.clone();
        let narrow = narrowing(&page.filter);
        if page.filter.len() > narrow.len() {
            asked.count = page.count.max(FILTERED_ROWS);
        }
        let mut found: Vec<Found> = Vec::new();
        let mut writes = BTreeMap::new();
        let mut seen;
        loop {
            seen = self.ask_page(&asked, &narrow).await?;
            let checkpoints = seen.seen.checkpoints();
            writes.extend(seen.seen.writes());
            let last = seen.full.then(|| seen.last.clone()).flatten();
            for (key, whole) in checkpoints {
                let beyond = last.as_ref().is_some_and(|last| order(&key) < order(last));
                if beyond || !selects(&asked, &key) {
                    continue;
                }
                let data = data_of(&whole)?;
                if json_of(&data).is_some_and(|text| matches(text, &page.filter))
                    || page.filter.is_empty()
                {
                    found.push(Found { key, data });
                }
            }
            match last {
                Some((thread_id, checkpoint_ns, checkpoint_id))
                    if (found.len() as u64) < page.count =>
                {
                    let thread_key = 0;
                    asked.after =
                        Some(After { checkpoint_id, thread_key, thread_id, checkpoint_ns });
                }
                _ => break,
            }
        }
        found.sort_by(|a, b| order(&b.key).cmp(&order(&a.key)));
        found.truncate(usize::try_from(page.count).unwrap_or(usize::MAX));
        self.remember_cut(page.thread_id.as_deref(), &seen.seen);
        self.unseen_writes(&found, &seen.shown, &mut writes).await?;
        let mut rows = Vec::new();
        for Found { key, data, .. } in &found {
            let cut = seen.seen.cut_of(&key.0);
            self.note_cut(&key.0, cut);
            rows.push(self.checkpoint_row(ask::CHECKPOINT, key, data, cut)?);
        }
        for Found { key, .. } in &found {
            for write in writes.get(key).into_iter().flatten() {
                let mut row = vec![Value::Integer(ask::WRITE)];
                row.extend(self.write_row(write)?);
                rows.push(row);
            }
        }
        Ok(rows)
    }

    /// One query for a page, repeated while the store shows only some parts of a row, or some
    /// writes of a call: a page must not look as if the others did not exist.
    async fn ask_page(&mut self, page: &Page, narrow: &[Narrowing]) -> Result<Answered, Error> {
        let mut patience = Patience::of(&self.sender);
        loop {
            let answered = self.ask_page_once(page, narrow).await?;
            let Some(Late { thread_id, what, is_row }) = answered.seen.late() else {
                return Ok(answered);
            };
            if !patience.wait(&self.sender).await? {
                self.lacks(&thread_id, &format!("all of {what}"))?;
                if !is_row {
                    // The operation reports which write is missing.
                    return Ok(answered);
                }
                let message = format!("parts of {what} are missing; restore the table");
                return Err(Error::corrupt("incomplete-row", message));
            }
        }
    }

    /// One query for a page. If the result is too large it asks again without the chunks.
    async fn ask_page_once(
        &mut self,
        page: &Page,
        narrow: &[Narrowing],
    ) -> Result<Answered, Error> {
        let have: Vec<_> = page.have.iter().map(hash_text).collect();
        let table = self.sender.options.table.clone();
        let query = query::page(&table, page, narrow, have.clone(), false);
        let laid = self.laid();
        let thread_id = page.thread_id.as_deref();
        let tables = match self.try_query("reading checkpoints", query, thread_id).await? {
            Some(tables) => tables,
            None => {
                let bare = query::page(&table, page, narrow, have, true);
                self.query("reading checkpoints", bare, thread_id).await?
            }
        };
        let mut seen = Seen::default();
        let mut rest = tables.as_slice();
        if let [checkpoints, writes, others @ ..] = rest {
            seen.take(checkpoints, CHECKPOINT)?;
            seen.take(writes, WRITE)?;
            rest = others;
        }
        if let (Some(thread_id), [others @ .., cut]) = (&page.thread_id, rest) {
            for record in cut.records() {
                seen.cut(thread_id, record.integer("cut")?);
            }
            rest = others;
        }
        let shown: BTreeSet<CheckpointKey> = seen.checkpoints().into_keys().collect();
        rest.iter().try_for_each(|chunks| self.keep(chunks))?;
        self.observe(&seen);
        self.lay_over(&mut seen, laid);
        let full = shown.len() as u64 >= page.count;
        let last = shown.iter().min_by(|a, b| order(a).cmp(&order(b))).cloned();
        Ok(Answered { seen, shown, full, last })
    }

    /// Reads the writes of checkpoints that the store does not show yet, because it may already
    /// show their writes.
    async fn unseen_writes(
        &mut self,
        found: &[Found],
        shown: &BTreeSet<CheckpointKey>,
        writes: &mut BTreeMap<CheckpointKey, Vec<Whole>>,
    ) -> Result<(), Error> {
        let mut unseen: BTreeMap<&str, Vec<String>> = BTreeMap::new();
        for Found { key: (thread_id, ns, id), .. } in found {
            if !shown.contains(&(thread_id.clone(), ns.clone(), id.clone())) {
                unseen.entry(thread_id).or_default().push(id.clone());
            }
        }
        for (thread_id, ids) in unseen {
            let found = self.writes_of(thread_id, ids, None).await?;
            // For other checkpoints this has only writes that are laid, so they are left out.
            writes.extend(found.into_iter().filter(|(key, _)| !shown.contains(key)));
        }
        Ok(())
    }

    async fn writes_of(
        &mut self,
        thread_id: &str,
        checkpoint_ids: Vec<String>,
        channel: Option<&str>,
    ) -> Result<BTreeMap<CheckpointKey, Vec<Whole>>, Error> {
        let table = self.sender.options.table.clone();
        let query = query::writes(&table, thread_id, checkpoint_ids, channel);
        let mut seen = Seen::default();
        let laid = self.laid();
        for table in self.query("reading writes", query, Some(thread_id)).await? {
            seen.take(&table, WRITE)?;
        }
        self.lay_over(&mut seen, laid);
        Ok(seen.writes())
    }

    /// Answers `Ask::Writes`.
    pub(super) async fn sends(
        &mut self,
        channel: &str,
        checkpoints: Vec<(i64, String, String)>,
    ) -> Result<Rows, Error> {
        let mut ids: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (thread_key, _, id) in &checkpoints {
            ids.entry(self.thread_of(*thread_key)?).or_default().push(id.clone());
        }
        let mut writes = BTreeMap::new();
        for (thread_id, ids) in ids {
            writes.extend(self.writes_of(&thread_id, ids, Some(channel)).await?);
        }
        let mut rows = Vec::new();
        for (thread_key, ns, id) in checkpoints {
            let key = (self.thread_of(thread_key)?, ns, id);
            for write in writes.get(&key).into_iter().flatten() {
                if write.row.channel == channel {
                    rows.push(self.write_row(write)?);
                }
            }
        }
        Ok(rows)
    }

    /// Answers `Ask::Ancestors`. It waits for missing rows that may be late, because a history must
    /// not look as if it began later. It cannot notice that a task lacks writes to other channels.
    pub(super) async fn ancestors(
        &mut self,
        thread_id: &str,
        checkpoint_ns: &str,
        checkpoint_id: Option<String>,
        channels: Vec<String>,
    ) -> Result<Rows, Error> {
        let mut patience = Patience::of(&self.sender);
        loop {
            let id = checkpoint_id.as_ref();
            let found = self.ancestors_once(thread_id, checkpoint_ns, id, &channels).await?;
            let Late { what, is_row, .. } = match found {
                Ok(rows) => return Ok(rows),
                Err(late) => late,
            };
            if !patience.wait(&self.sender).await? {
                if !is_row {
                    return Err(failure::stale(&what));
                }
                self.lacks(thread_id, &what)?;
                let message = format!("parts of {what} are missing; restore the table");
                return Err(Error::corrupt("incomplete-row", message));
            }
        }
    }

    /// One attempt at `ancestors`: its rows, or what is late.
    async fn ancestors_once(
        &mut self,
        thread_id: &str,
        checkpoint_ns: &str,
        checkpoint_id: Option<&String>,
        channels: &[String],
    ) -> Result<Result<Rows, Late>, Error> {
        let chain = self.chain(thread_id, checkpoint_ns).await?;
        self.note_cut(thread_id, chain.cut);
        let target = match checkpoint_id {
            Some(id) => chain.links.get(id),
            None => chain.links.last_key_value().map(|(_, link)| link),
        };
        let walks: Vec<Walk> =
            channels.iter().map(|channel| Walk::of(&chain, target, channel)).collect();
        // A parent is stored before its child, so a missing parent of a young child may be late. A
        // parent that is gone ends the walk.
        let lacking = walks.iter().filter_map(|walk| walk.lacks.as_ref());
        if let Some((id, _)) = lacking.clone().find(|(_, child)| self.is_young(*child)) {
            let what = format!("checkpoint {id} of thread {thread_id}");
            return Ok(Err(Late { thread_id: thread_id.to_owned(), what, is_row: false }));
        }
        let (rows, ids): (BTreeSet<_>, BTreeSet<_>) = (
            walks
                .iter()
                .filter_map(|walk| walk.seed.as_ref().map(|(row, _)| row.clone()))
                .collect(),
            walks.iter().flat_map(|walk| walk.passed.iter().cloned()).collect(),
        );
        if ids.is_empty() {
            return Ok(Ok(Vec::new()));
        }
        let query = query::members(
            &self.sender.options.table,
            thread_id,
            checkpoint_ns,
            rows.into_iter().collect(),
            ids.into_iter().collect(),
            channels.to_vec(),
        );
        let laid = self.laid();
        let tables = self.query("reading a history", query, Some(thread_id)).await?;
        let mut seen = Seen::default();
        seen.cut(thread_id, chain.cut);
        if let [checkpoints, writes, chunks @ ..] = tables.as_slice() {
            seen.take(checkpoints, CHECKPOINT)?;
            seen.take(writes, WRITE)?;
            chunks.iter().try_for_each(|chunks| self.keep(chunks))?;
        }
        self.observe(&seen);
        self.lay_over(&mut seen, laid);
        if let Some(late) = seen.late_row() {
            return Ok(Err(late));
        }
        self.history_rows(thread_id, checkpoint_ns, walks.iter().zip(channels), &seen)
    }

    /// The rows of the walks, or the chosen checkpoint that is missing.
    fn history_rows<'a>(
        &mut self,
        thread_id: &str,
        checkpoint_ns: &str,
        walks: impl Iterator<Item = (&'a Walk, &'a String)>,
        seen: &Seen,
    ) -> Result<Result<Rows, Late>, Error> {
        let (checkpoints, writes) = (seen.checkpoints(), seen.writes());
        let mut answer = Vec::new();
        for (walk, channel) in walks {
            let key_of = |id: &String| (thread_id.to_owned(), checkpoint_ns.to_owned(), id.clone());
            let seed = walk.seed.as_ref().map(|(_, id)| key_of(id));
            if let Some(key) = seed {
                let Some(whole) = checkpoints.get(&key) else {
                    let what = format!("checkpoint {} of thread {thread_id}", key.2);
                    return Ok(Err(Late { thread_id: thread_id.to_owned(), what, is_row: true }));
                };
                let steps = walk.passed.len() as i64 - 1;
                answer.push(self.seed_row(steps, channel, &key, &data_of(whole)?)?);
            }
            for (steps, id) in walk.passed.iter().enumerate().rev() {
                for write in writes.get(&key_of(id)).into_iter().flatten() {
                    if write.row.channel == *channel {
                        let mut row =
                            vec![Value::Integer(ask::WRITE), Value::Integer(steps as i64)];
                        row.extend(self.write_row(write)?);
                        answer.push(row);
                    }
                }
            }
        }
        Ok(Ok(answer))
    }

    /// Reads the checkpoints of a namespace by id.
    async fn chain(&mut self, thread_id: &str, checkpoint_ns: &str) -> Result<Chain, Error> {
        let query = query::chain(&self.sender.options.table, thread_id, checkpoint_ns);
        let laid = self.laid();
        let tables = self.query("reading a history", query, Some(thread_id)).await?;
        let mut chain = Chain::default();
        if let [_, cut] = tables.as_slice() {
            for record in cut.records() {
                chain.cut = record.integer("cut")?;
            }
        }
        chain.cut = chain.cut.max(newest_tombstone(&laid, thread_id));
        for record in tables.first().into_iter().flat_map(|table| table.records()) {
            let rev = record.integer("rev")?;
            let hidden = record.optional_integer("hidden")?.unwrap_or_default();
            self.note_newest(thread_id, rev);
            chain.add(
                record.text("checkpoint_id")?,
                record.text("parent_checkpoint_id")?,
                record.texts("channels")?,
                (rev, record.text("row_id")?),
                rev > chain.cut.max(hidden),
            );
        }
        for row in laid {
            let LogRow { checkpoint_id, parent_checkpoint_id, channels, rev, row_id, .. } = &*row;
            let here = row.thread_id == thread_id && row.checkpoint_ns == checkpoint_ns;
            if here && row.kind == CHECKPOINT && row.part == 0 && !self.is_pruned(&row) {
                let (channels, live) = (channels.clone(), row.waits || *rev > chain.cut);
                chain.add(checkpoint_id, parent_checkpoint_id, channels, (*rev, row_id), live);
            }
        }
        Ok(chain)
    }

    pub(super) fn checkpoint_row(
        &mut self,
        part: i64,
        key: &CheckpointKey,
        data: &CheckpointData,
        cut: i64,
    ) -> Result<Vec<Value>, Error> {
        let (thread_id, checkpoint_ns, checkpoint_id) = key;
        let mut row = vec![
            Value::Integer(part),
            Value::Integer(self.key(thread_id)),
            Value::Integer(cut),
            Value::Text(thread_id.clone()),
            Value::Text(checkpoint_ns.clone()),
            Value::Text(checkpoint_id.clone()),
        ];
        row.extend(columns(data, checkpoint_id)?);
        Ok(row)
    }

    fn seed_row(
        &mut self,
        steps: i64,
        channel: &str,
        key: &CheckpointKey,
        data: &CheckpointData,
    ) -> Result<Vec<Value>, Error> {
        let (thread_id, checkpoint_ns, checkpoint_id) = key;
        let mut row = vec![
            Value::Integer(SEED),
            Value::Integer(steps),
            Value::Integer(self.key(thread_id)),
            Value::Integer(1),
            Value::Text(channel.to_owned()),
            Value::Text(checkpoint_ns.clone()),
            Value::Text(checkpoint_id.clone()),
        ];
        row.extend(columns(data, checkpoint_id)?);
        Ok(row)
    }

    fn write_row(&mut self, write: &Whole) -> Result<Vec<Value>, Error> {
        let row = &write.row;
        let envelope = row.encoding.decode(&write.data).ok_or_else(|| {
            damaged(&format!("the write of task {} to {}", row.task_id, row.checkpoint_id))
        })?;
        Ok(vec![
            Value::Integer(self.key(&row.thread_id)),
            Value::Integer(row.idx),
            Value::Text(row.task_id.clone()),
            Value::Text(row.checkpoint_ns.clone()),
            Value::Text(row.checkpoint_id.clone()),
            Value::Text(row.task_path.clone()),
            Value::Text(row.channel.clone()),
            Value::Blob(envelope),
        ])
    }

    /// Notes the newest revisions that the store shows.
    pub(super) fn observe(&mut self, seen: &Seen) {
        for (thread_id, rev) in seen.newest() {
            self.shared.borrow_mut().clock.observe(rev);
            self.note_newest(thread_id, rev);
        }
    }

    /// Notes the cut of the page's thread, if it is about one.
    fn remember_cut(&mut self, thread_id: Option<&str>, seen: &Seen) {
        if let Some(thread_id) = thread_id {
            let cut = seen.cut_of(thread_id);
            let since = Clock::at(self.sender.io.now());
            let mut memory = self.shared.borrow_mut();
            memory.learn(thread_id, Some(cut), since, std::iter::empty());
        }
    }
}

/// The result of a query for a page, with the laid rows over it.
struct Answered {
    seen: Seen,
    /// The checkpoints that the store itself showed.
    shown: BTreeSet<CheckpointKey>,
    /// Whether there may be more checkpoints.
    full: bool,
    /// The last checkpoint that the store showed.
    last: Option<CheckpointKey>,
}

/// The checkpoints of a namespace by id, with their parents.
#[derive(Default)]
struct Chain {
    links: BTreeMap<String, Link>,
    /// The checkpoints that a tombstone hides.
    hidden: BTreeSet<String>,
    cut: i64,
}

struct Link {
    parent: Option<String>,
    channels: Vec<String>,
    order: (i64, String),
}

impl Chain {
    fn add(
        &mut self,
        id: &str,
        parent: &str,
        channels: Vec<String>,
        (rev, row_id): (i64, &str),
        is_live: bool,
    ) {
        if !is_live {
            self.hidden.insert(id.to_owned());
            return;
        }
        let order = (rev, row_id.to_owned());
        if self.links.get(id).is_none_or(|link| link.order < order) {
            let parent = Some(parent).filter(|parent| !parent.is_empty()).map(str::to_owned);
            self.links.insert(id.to_owned(), Link { parent, channels, order });
        }
    }
}

/// The ancestors on the way to the nearest one with a value of a channel, which is included.
#[derive(Default)]
struct Walk {
    passed: Vec<String>,
    /// The row id and the id of the ancestor with the value.
    seed: Option<(String, String)>,
    /// A parent that does not show and is not hidden by a tombstone, and its child's revision.
    lacks: Option<(String, i64)>,
}

impl Walk {
    fn of(chain: &Chain, target: Option<&Link>, channel: &str) -> Self {
        let mut walk = Self::default();
        let mut been = BTreeSet::new();
        let mut child = target;
        while let Some((link, id)) = child.and_then(|link| Some((link, link.parent.as_ref()?))) {
            let Some(parent) = chain.links.get(id) else {
                walk.lacks = (!chain.hidden.contains(id)).then(|| (id.clone(), link.order.0));
                break;
            };
            // A circle of parents ends the walk.
            if !been.insert(id) {
                break;
            }
            walk.passed.push(id.clone());
            if parent.channels.iter().any(|name| name == channel) {
                walk.seed = Some((parent.order.1.clone(), id.clone()));
                break;
            }
            child = Some(parent);
        }
        walk
    }
}

/// What orders a list, ascending: a page has it in reverse.
fn order(key: &CheckpointKey) -> (&str, &str, &str) {
    let (thread_id, checkpoint_ns, checkpoint_id) = key;
    (checkpoint_id, thread_id, checkpoint_ns)
}

/// Whether a page may have the checkpoint with this key. The query checks this too, but not for
/// laid rows.
fn selects(page: &Page, key: &CheckpointKey) -> bool {
    let (thread_id, checkpoint_ns, checkpoint_id) = key;
    let is = |wanted: &Option<String>, value: &String| {
        wanted.as_ref().is_none_or(|wanted| wanted == value)
    };
    let before = page.before.as_ref().is_none_or(|before| checkpoint_id < before);
    let after = page.after.as_ref().is_none_or(|after| {
        order(key) < (&after.checkpoint_id, &after.thread_id, &after.checkpoint_ns)
    });
    is(&page.thread_id, thread_id)
        && is(&page.checkpoint_ns, checkpoint_ns)
        && is(&page.checkpoint_id, checkpoint_id)
        && before
        && after
}

pub(super) fn data_of(whole: &Whole) -> Result<CheckpointData, Error> {
    let id = &whole.row.checkpoint_id;
    serde_json::from_str(&whole.data).map_err(|_| damaged(&format!("checkpoint {id}")))
}

/// The metadata if it is JSON.
pub(super) fn json_of(data: &CheckpointData) -> Option<&str> {
    (data.metadata_encoding == Encoding::Text).then_some(data.metadata.as_str())
}

/// The columns parent, created_at, metadata, envelope and channels. Channels are null: this store
/// does not keep them beside the envelope.
fn columns(data: &CheckpointData, checkpoint_id: &str) -> Result<[Value; 5], Error> {
    let damaged = || damaged(&format!("checkpoint {checkpoint_id}"));
    let metadata = data.metadata_encoding.decode(&data.metadata).ok_or_else(damaged)?;
    let envelope = Encoding::Base64.decode(&data.envelope).ok_or_else(damaged)?;
    Ok([
        data.parent.clone().map_or(Value::Null, Value::Text),
        Value::Text(data.ts.clone()),
        Value::Blob(metadata),
        Value::Blob(envelope),
        Value::Null,
    ])
}

fn damaged(what: &str) -> Error {
    Error::corrupt(
        "damaged-row",
        format!("the data of {what} is not as it was ingested; restore the table"),
    )
}
