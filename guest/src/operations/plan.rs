//! What of a thread is kept, and what goes.
//!
//! A kept checkpoint keeps what reading it takes:
//! - its own writes;
//! - if `v` is under 4, its parent if that has sends: they are a part of the checkpoint;
//! - the ancestors that a delta channel is made of, back to the nearest value.
//!
//! Beside these stay writes whose checkpoint may still come: those newer than the newest checkpoint
//! of their namespace. The namespace of a subgraph's call, which has a `:`, goes with the root
//! checkpoint that its newest checkpoint names in `metadata.parents`.
//!
//! **Which channels are delta channels** no checkpoint says. A channel of a kept checkpoint that
//! has a version and no value is one in two cases: an ancestor from the nearest value on has writes
//! to it; or its version is that of the nearest value. A channel whose value LangGraph has removed
//! is in neither case: removing a value gives the channel a new version, and what was written to it
//! before became the value that was removed.

use std::collections::{BTreeMap, BTreeSet};

use super::outline::{Name, Outline, Seen};
use super::row::rows;
use super::tuples::StoredCheckpoint;
use crate::contract::call::{Keep, Version};
use crate::contract::error::Error;
use crate::contract::statement::RowSet;
use crate::format::json;
use crate::format::places::{TASKS, V_WITH_TASKS};
use crate::operations::ask::{Ask, Step};

/// At most this many envelopes are read at once.
const ENVELOPES_MAX: usize = 256;

/// A checkpoint's namespace and id.
pub(super) type Place = (String, String);

/// Which checkpoints are kept for their own sake.
#[derive(Clone, Debug)]
pub(super) enum Rule {
    Keep(Keep),
    /// All but those that the outline marks.
    NotOfRuns,
}

/// A plan in the making.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) outline: Outline,
    rule: Rule,
    /// The checkpoints that are kept for their own sake.
    kept: BTreeSet<Place>,
    facts: BTreeMap<Place, Facts>,
    /// The envelopes to read, the next ones last.
    wanted: Vec<Place>,
    stage: Stage,
}

#[derive(Clone, Copy, Debug)]
enum Stage {
    Outline,
    /// The envelopes of the kept checkpoints.
    Kept,
    /// The envelopes of ancestors with a value.
    Seeds,
    Ready,
}

/// What the envelope and the metadata of a checkpoint say.
#[derive(Debug)]
struct Facts {
    v: f64,
    versions: BTreeMap<Name, Version>,
    /// The root graph's checkpoint that a subgraph's belongs to.
    root: Option<String>,
}

impl Plan {
    pub(super) fn of(thread_id: String, rule: Rule, runs: Vec<String>) -> Self {
        Self {
            outline: Outline::of(thread_id, runs),
            rule,
            kept: BTreeSet::new(),
            facts: BTreeMap::new(),
            wanted: Vec::new(),
            stage: Stage::Outline,
        }
    }

    /// The first read.
    pub(super) fn start(&self) -> Step {
        self.outline.page()
    }

    /// Takes an answer. Returns the next read; `None` if the plan is ready.
    #[inline(never)]
    pub(super) fn advance(&mut self, set: &RowSet) -> Result<Option<Step>, Error> {
        if matches!(self.stage, Stage::Outline) {
            if !self.outline.take(set)? {
                return Ok(Some(self.outline.page()));
            }
            self.kept = self.kept_by_rule();
            self.wanted = self.kept.iter().cloned().collect();
            self.stage = Stage::Kept;
        } else {
            self.take(set)?;
        }
        if matches!(self.stage, Stage::Kept) && self.wanted.is_empty() {
            self.leave_calls_of_removed_roots();
            self.wanted = self.seeds().into_iter().collect();
            self.stage = Stage::Seeds;
        }
        if matches!(self.stage, Stage::Seeds) && self.wanted.is_empty() {
            self.stage = Stage::Ready;
        }
        Ok(self.round())
    }

    /// Everything that is stored and not kept.
    pub(super) fn doomed(&self) -> Vec<Place> {
        let kept = self.all_kept();
        let mut doomed = Vec::new();
        for (ns, places) in &self.outline.namespaces {
            let newest = places.iter().rfind(|(_, seen)| seen.is_stored).map(|(id, _)| id);
            for (id, seen) in places {
                let place = (ns.clone(), id.clone());
                let may_come = !seen.is_stored
                    && (matches!(self.rule, Rule::NotOfRuns)
                        || newest.is_none_or(|newest| id > newest));
                if !may_come && !kept.contains(&place) {
                    doomed.push(place);
                }
            }
        }
        doomed
    }

    /// The kept checkpoints, with those that reading them takes.
    pub(super) fn all_kept(&self) -> BTreeSet<Place> {
        let mut all = self.kept.clone();
        for place in &self.kept {
            self.needed(place, &mut |needed| {
                all.insert(needed);
            });
        }
        all
    }

    fn round(&mut self) -> Option<Step> {
        let thread_key = self.outline.thread_key?;
        if self.wanted.is_empty() {
            return None;
        }
        let places = self.wanted.split_off(self.wanted.len().saturating_sub(ENVELOPES_MAX));
        Some(Step::ask(Ask::Checkpoints { thread_key, places }))
    }

    fn take(&mut self, set: &RowSet) -> Result<(), Error> {
        for row in rows(set, "lg_records") {
            let stored = StoredCheckpoint::from_row(row)?;
            let root = match stored.envelope.metadata_kind.as_str() {
                "json" => root_of(&stored.metadata),
                _ => None,
            };
            let mut versions = BTreeMap::new();
            for version in stored.envelope.versions {
                versions.insert(self.outline.name(&version.channel), version.version);
            }
            let facts = Facts { v: stored.envelope.v, versions, root };
            self.facts.insert((stored.checkpoint_ns, stored.checkpoint_id), facts);
        }
        Ok(())
    }

    fn kept_by_rule(&self) -> BTreeSet<Place> {
        let mut kept = BTreeSet::new();
        for (ns, places) in &self.outline.namespaces {
            let stored = places.iter().rev().filter(|(_, seen)| seen.is_stored);
            let is_kept = |(age, seen): (usize, &Seen)| match &self.rule {
                Rule::Keep(Keep::Nothing) => false,
                Rule::Keep(Keep::Latest) => age == 0,
                Rule::Keep(Keep::Last(count)) => age < *count as usize,
                Rule::Keep(Keep::NewerThan(ts)) => age == 0 || seen.created_at >= *ts,
                Rule::NotOfRuns => !seen.is_of_run,
            };
            for (age, (id, seen)) in stored.enumerate() {
                if is_kept((age, seen)) {
                    kept.insert((ns.clone(), id.clone()));
                }
            }
        }
        kept
    }

    /// Drops the namespaces of subgraph calls whose root checkpoint goes.
    fn leave_calls_of_removed_roots(&mut self) {
        if matches!(self.rule, Rule::NotOfRuns) {
            return;
        }
        let goes = |ns: &String, places: &BTreeMap<String, Seen>| {
            let (newest, _) = places.iter().rfind(|(_, seen)| seen.is_stored)?;
            let root = self.facts.get(&(ns.clone(), newest.clone()))?.root.clone()?;
            let root = (String::new(), root);
            let is_left = self.outline.has("", &root.1) && !self.kept.contains(&root);
            (ns.contains(':') && is_left).then(|| ns.clone())
        };
        let namespaces = self.outline.namespaces.iter();
        let gone: BTreeSet<String> =
            namespaces.filter_map(|(ns, places)| goes(ns, places)).collect();
        self.kept.retain(|(ns, _)| !gone.contains(ns));
    }

    /// The ancestors whose envelopes tell whether a channel is a delta channel.
    fn seeds(&self) -> BTreeSet<Place> {
        let mut seeds = BTreeSet::new();
        for place in &self.kept {
            self.walk(place, &mut |ancestor, is_written, _| {
                let place = (place.0.clone(), ancestor.to_owned());
                if !is_written && !self.facts.contains_key(&place) {
                    seeds.insert(place);
                }
                false
            });
        }
        seeds
    }

    /// Calls `note` for each checkpoint that reading this one takes.
    fn needed(&self, place: &Place, note: &mut impl FnMut(Place)) {
        let (ns, id) = place;
        let Some(seen) = self.outline.get(ns, id) else { return };
        let Some(facts) = self.facts.get(place) else { return };
        if let Some(parent) = &seen.parent
            && facts.v < V_WITH_TASKS
            && let Some(before) = self.outline.get(ns, parent)
            && self.outline.has_writes_to(before, TASKS)
        {
            note((ns.clone(), parent.clone()));
        }
        let passed = self.walk(place, &mut |ancestor, is_written, channel| {
            let version_then = || {
                let facts = self.facts.get(&(ns.clone(), ancestor.to_owned()))?;
                facts.versions.get(&channel)
            };
            is_written || version_then() == facts.versions.get(&channel)
        });
        passed.into_iter().for_each(|ancestor| note((ns.clone(), ancestor)));
    }

    /// Walks from a checkpoint to its ancestors, for all channels without a value at once.
    /// `is_delta` is asked at the nearest value of a channel: the ancestor that has it, whether an
    /// ancestor from there on has writes to the channel, and the channel. Returns the ancestors up
    /// to the farthest one that a delta channel needs.
    fn walk(
        &self,
        place: &Place,
        is_delta: &mut impl FnMut(&str, bool, Name) -> bool,
    ) -> Vec<String> {
        let (ns, id) = place;
        let (Some(facts), Some(seen)) = (self.facts.get(place), self.outline.get(ns, id)) else {
            return Vec::new();
        };
        let tasks = self.outline.number(TASKS).filter(|_| facts.v < V_WITH_TASKS);
        let absent = |name: &&Name| !seen.channels.contains(name) && tasks != Some(**name);
        let mut open: BTreeMap<Name, bool> =
            facts.versions.keys().filter(absent).map(|name| (*name, false)).collect();
        let (mut passed, mut needed) = (Vec::new(), 0);
        let mut parent = seen.parent.as_deref();
        let ancestors_max = self.outline.namespaces.get(ns).map_or(0, BTreeMap::len);
        while let Some(ancestor) = parent.filter(|_| !open.is_empty()) {
            let Some(seen) = self.outline.get(ns, ancestor).filter(|seen| seen.is_stored) else {
                break;
            };
            // A circle of parents ends here.
            if passed.len() >= ancestors_max {
                break;
            }
            passed.push(ancestor.to_owned());
            open.retain(|channel, is_written| {
                *is_written |= seen.written.contains(channel);
                let is_seed = seen.channels.contains(channel);
                if is_seed && is_delta(ancestor, *is_written, *channel) {
                    needed = passed.len();
                }
                !is_seed
            });
            parent = seen.parent.as_deref();
        }
        if open.values().any(|is_written| *is_written) {
            needed = passed.len();
        }
        passed.truncate(needed);
        passed
    }
}

/// The id in `parents[""]` of metadata that is JSON.
fn root_of(metadata: &[u8]) -> Option<String> {
    let parents = json::member(std::str::from_utf8(metadata).ok()?, "parents")?;
    json::text(json::member(parents, "")?)
}
