//! What is remembered of the histories of delta channels.

use std::collections::HashMap;
use std::sync::Arc;

use langgraph_checkpoint_host::{ChannelHistory, Payload};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};

use super::tracked::{Serde, Tracked};

/// The memory of a write, without its value.
const WRITE_BYTES: usize = 200;

/// The histories of a namespace that were read last, by channel.
#[derive(Clone, Debug, Default)]
pub(crate) struct Histories(HashMap<String, Arc<History>>);

/// A history, with all of its writes.
#[derive(Debug)]
pub(super) struct History {
    /// For the planner: where it ends.
    known: Vec<u8>,
    /// Task and value of each, oldest first.
    writes: Vec<(String, Tracked)>,
    seed: Option<Tracked>,
}

impl Histories {
    /// For the planner: where the histories of these channels end.
    pub(crate) fn known_of(&self, channels: &[String]) -> Vec<Vec<u8>> {
        let known = |channel| self.0.get(channel).map(|history| history.known.clone());
        channels.iter().filter_map(known).collect()
    }

    pub(super) fn of_channel(&self, channel: &str) -> Option<&History> {
        self.0.get(channel).map(|history| &**history)
    }

    pub(super) fn insert(&mut self, channel: String, history: History) {
        self.0.insert(channel, Arc::new(history));
    }

    /// With the histories that were read since, which replace those of the same channels.
    pub(super) fn with(mut self, read: Self) -> Self {
        self.0.extend(read.0);
        self
    }

    /// About how much memory they keep.
    pub(super) fn bytes(&self) -> usize {
        self.0.values().map(|history| history.bytes()).sum()
    }
}

impl History {
    fn bytes(&self) -> usize {
        let writes = self.writes.iter().map(|(_, value)| WRITE_BYTES + value.bytes());
        let seed = self.seed.as_ref().map_or(0, Tracked::bytes);
        WRITE_BYTES + self.known.len() + seed + writes.sum::<usize>()
    }
}

/// A history as Python gets it, and what to remember of it. `begun` is what it goes on from.
pub(super) fn revived<'py>(
    py: Python<'py>,
    history: ChannelHistory,
    begun: Option<&History>,
    serde: &Serde<'_, 'py>,
) -> PyResult<(Bound<'py, PyDict>, Option<History>)> {
    let read = |payload: Payload| -> PyResult<_> {
        let value = (serde.load)(&payload)?;
        let tracked = Tracked::read(&value, payload, None, serde.splits);
        Ok((value, tracked))
    };
    let before = begun.iter().flat_map(|begun| &begun.writes);
    let before = before.map(|(task_id, value)| (task_id.clone(), value.revive(py, serde)));
    let after = history.writes.into_iter().map(|write| (write.task_id, read(write.value)));
    let mut writes = Vec::new();
    let list = PyList::empty(py);
    for (task_id, write) in before.chain(after) {
        let (value, tracked) = write?;
        list.append((&task_id, &history.channel, value))?;
        writes.push((task_id, tracked));
    }
    let seed = match (begun, history.seed) {
        (Some(begun), _) => begun.seed.as_ref().map(|seed| seed.revive(py, serde)),
        (None, seed) => seed.map(read),
    };
    let revived = PyDict::new(py);
    revived.set_item(intern!(py, "writes"), list)?;
    let seed = match seed.transpose()? {
        None => None,
        Some((value, tracked)) => {
            revived.set_item(intern!(py, "seed"), value)?;
            Some(tracked)
        }
    };
    Ok((revived, history.known.map(|known| History { known, writes, seed })))
}
