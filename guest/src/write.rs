//! Pending writes: where each has its place, and which of two at one place stays.

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
