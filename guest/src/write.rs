//! Pending writes: where each has its place, and which of two at one place stays.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

/// The channel of the tasks that `Send` makes. Checkpoints with `v` under 4 keep its writes with
/// their parent instead of in their own values.
pub(crate) const TASKS: &str = "__pregel_tasks";

/// The first `v` whose checkpoints hold their own tasks.
pub(crate) const V_WITH_TASKS: f64 = 4.0;

/// The place of a special channel's write: the same one in every call, so that a later write
/// finds the earlier one.
fn special(channel: &str) -> Option<i64> {
    match channel {
        "__error__" => Some(-1),
        "__scheduled__" => Some(-2),
        "__interrupt__" => Some(-3),
        "__resume__" => Some(-4),
        _ => None,
    }
}

/// Where a write goes, and what happens where one is already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    /// The place.
    pub(crate) idx: i64,
    /// Whether the write replaces the one at its place; otherwise the one that is there stays.
    pub(crate) replaces: bool,
}

/// The place of the write at `position` in its call.
pub(crate) fn place(channel: &str, position: usize) -> Place {
    match special(channel) {
        Some(idx) => Place { idx, replaces: true },
        None => Place { idx: position as i64, replaces: false },
    }
}

/// The places of the writes of one call, as runs of the first and the last place of each.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub(crate) struct Places(pub(crate) Vec<(i64, i64)>);

impl Places {
    /// Of a call whose writes have these places. Places that would make too many runs are left
    /// out, since each of the writes holds them: a graph's calls have one run or two.
    pub(crate) fn of(places: impl Iterator<Item = i64>) -> Self {
        const RUNS_MAX: usize = 16;
        let mut runs: Vec<(i64, i64)> = Vec::new();
        for place in places.collect::<BTreeSet<_>>() {
            let count = runs.len();
            match runs.last_mut() {
                Some((_, last)) if *last + 1 == place => *last = place,
                _ if count == RUNS_MAX => break,
                _ => runs.push((place, place)),
            }
        }
        Self(runs)
    }
}

/// A task some of whose writes are missing: of each task id, place, and places of the call.
///
/// A call stores all of its writes, and a place that has a write keeps one for as long as its
/// thread is there: so where there is one write of a call, each of its places has some write of the
/// task. A store that shows a call's writes bit by bit waits for the others.
pub(crate) fn incomplete<'a>(
    writes: impl Iterator<Item = (&'a str, i64, &'a Places)>,
) -> Option<&'a str> {
    let mut tasks: BTreeMap<&str, (BTreeSet<i64>, BTreeSet<(i64, i64)>)> = BTreeMap::new();
    for (task_id, idx, Places(runs)) in writes {
        let (taken, of_calls) = tasks.entry(task_id).or_default();
        taken.insert(idx);
        of_calls.extend(runs);
    }
    let lacks = |(taken, runs): &(BTreeSet<i64>, BTreeSet<(i64, i64)>)| {
        runs.iter().any(|(first, last)| {
            // A run that ends before it begins is none that a call made.
            first > last
                || taken.range(first..=last).count() as i128
                    != i128::from(*last) - i128::from(*first) + 1
        })
    };
    tasks.into_iter().find(|(_, task)| lacks(task)).map(|(task_id, _)| task_id)
}
