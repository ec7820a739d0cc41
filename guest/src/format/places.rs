//! The places of pending writes, and which of two writes at one place stays.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

/// The channel of the tasks that `Send` makes. For a checkpoint with `v` under 4, its writes are
/// stored with the parent and not among the checkpoint's values.
pub(crate) const TASKS: &str = "__pregel_tasks";

/// The first `v` whose checkpoints hold their own tasks.
pub(crate) const V_WITH_TASKS: f64 = 4.0;

/// The place of a special channel's write; `None` for other channels. It is the same in every call,
/// so that a later write replaces the earlier one.
fn special(channel: &str) -> Option<i64> {
    match channel {
        "__error__" => Some(-1),
        "__scheduled__" => Some(-2),
        "__interrupt__" => Some(-3),
        "__resume__" => Some(-4),
        _ => None,
    }
}

/// The place of a write, and what happens if the place is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    /// The place.
    pub(crate) idx: i64,
    /// Whether the write replaces the one at its place. If not, the stored one stays.
    pub(crate) replaces: bool,
}

/// The place of the write at `position` in its call.
pub(crate) fn place(channel: &str, position: usize) -> Place {
    match special(channel) {
        Some(idx) => Place { idx, replaces: true },
        None => Place { idx: position as i64, replaces: false },
    }
}

/// The places of the writes of one call, as runs: the first and the last place of each.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub(crate) struct Places(pub(crate) Vec<(i64, i64)>);

impl Places {
    /// The runs of a call whose writes have these places. At most 16 runs are kept, because each
    /// write of the call holds them; the calls of a graph have one run or two.
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

/// The places of a task that have a write, and the runs of its calls.
type Task = (BTreeSet<i64>, BTreeSet<(i64, i64)>);

/// Returns the id of a task that lacks some of its writes; `None` if there is no such task. Takes
/// each write's task id, place, and the places of its call.
///
/// A call stores all of its writes, and a place with a write keeps one for as long as the thread
/// exists. So if one write of a call is there, each place of that call has some write of the task.
/// A store that shows the writes of a call bit by bit waits for the others.
pub(crate) fn incomplete<'a>(
    writes: impl Iterator<Item = (&'a str, i64, &'a Places)>,
) -> Option<&'a str> {
    let mut tasks: BTreeMap<&str, Task> = BTreeMap::new();
    for (task_id, idx, Places(runs)) in writes {
        let (taken, of_calls) = tasks.entry(task_id).or_default();
        taken.insert(idx);
        of_calls.extend(runs);
    }
    let lacks = |(taken, runs): &Task| {
        runs.iter().any(|(first, last)| {
            // No call makes a run that ends before it begins.
            first > last
                || taken.range(first..=last).count() as i128
                    != i128::from(*last) - i128::from(*first) + 1
        })
    };
    tasks.into_iter().find(|(_, task)| lacks(task)).map(|(task_id, _)| task_id)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(channels: &[&str]) -> Places {
        let of_call = channels.iter().enumerate();
        Places::of(of_call.map(|(at, channel)| place(channel, at).idx))
    }

    #[test]
    fn places_are_runs() {
        assert_eq!(places(&["a", "b", "c"]).0, [(0, 2)]);
        assert_eq!(places(&["__interrupt__"]).0, [(-3, -3)]);
        assert_eq!(places(&["__resume__", "a", "__resume__", "b"]).0, [(-4, -4), (1, 1), (3, 3)]);
    }

    #[test]
    fn the_places_of_a_call_with_many_runs_are_few() {
        let channels = ["__resume__", "a"].repeat(10_000);
        assert_eq!(places(&channels).0.len(), 16);
    }

    #[test]
    fn a_task_is_complete_when_each_place_of_its_calls_has_some_write() {
        let first = places(&["__interrupt__", "a", "b"]);
        let second = places(&["__interrupt__"]);
        let third = places(&["x", "__resume__", "y", "z"]);
        // The second call replaced what the first one had at -3, the third found 2 taken.
        let rows =
            [(-3, &second), (1, &first), (2, &first), (0, &third), (-4, &third), (3, &third)];
        let of = |left_out: &[i64]| {
            let rows = rows.iter().filter(|(idx, _)| !left_out.contains(idx));
            incomplete(rows.map(|(idx, places)| ("task", *idx, *places))).is_some()
        };
        assert!(!of(&[]));
        for idx in rows.map(|(idx, _)| idx) {
            assert!(of(&[idx]), "{idx} is missed");
        }
        assert!(of(&[1, 2]) && of(&[0, 3]));
        assert!(!of(&[-4, -3, 0, 1, 2, 3]), "of a task without writes nothing is known");
    }

    #[test]
    fn what_no_call_made_is_no_task_that_is_complete() {
        for run in [(1, 0), (0, i64::MAX), (i64::MIN, i64::MAX)] {
            let places = Places(vec![run]);
            assert!(incomplete(std::iter::once(("task", 0, &places))).is_some(), "{run:?}");
        }
    }

    #[test]
    fn tasks_do_not_stand_in_for_each_other() {
        let places = places(&["a", "b"]);
        let rows = [("one", 0, &places), ("one", 1, &places), ("two", 0, &places)];
        assert_eq!(incomplete(rows.into_iter()), Some("two"));
    }
}
