//! The ratios of the times that criterion measured.

use std::collections::BTreeMap;
use std::time::Duration;

/// What is measured of a step on a state: one name per way of storing.
pub(crate) const RAW: &str = "rusqlite";
pub(crate) const NATIVE: &str = "native";
pub(crate) const COMPONENT: &str = "component";
pub(crate) const NATIVE_PLANNING: &str = "native planning";
pub(crate) const COMPONENT_PLANNING: &str = "component planning";

/// Fewer times than this are a test run, not a measurement.
const TIMES_MIN: usize = 20;

/// The times of all that was measured.
#[derive(Default)]
pub(crate) struct Times(BTreeMap<(usize, &'static str, &'static str), Vec<Duration>>);

impl Times {
    /// Records one time of a step on a state of this many messages.
    pub(crate) fn note(
        &mut self,
        messages: usize,
        step: &'static str,
        subject: &'static str,
        took: Duration,
    ) {
        self.0.entry((messages, step, subject)).or_default().push(took);
    }

    /// The median in microseconds; `None` without a measurement.
    pub(crate) fn median(
        &self,
        messages: usize,
        step: &'static str,
        subject: &'static str,
    ) -> Option<f64> {
        let mut times = self.0.get(&(messages, step, subject))?.clone();
        if times.len() < TIMES_MIN {
            return None;
        }
        times.sort_unstable();
        Some(times[times.len() / 2].as_secs_f64() * 1e6)
    }

    /// One line of the table; `None` if a part of it was not measured.
    pub(crate) fn line(&self, messages: usize, size: &str, step: &'static str) -> Option<String> {
        let median = |subject| self.median(messages, step, subject);
        let (raw, native, component) = (median(RAW)?, median(NATIVE)?, median(COMPONENT)?);
        let (inside, outside) = (median(NATIVE_PLANNING)?, median(COMPONENT_PLANNING)?);
        Some(format!(
            "{step:<16} {size:>7} {raw:>9.1} {native:>9.1} {component:>9.1} {:>9.2} {:>9.2} \
             {inside:>9.1} {outside:>9.1} {:>9.2}",
            component / native,
            component / raw,
            outside / inside,
        ))
    }
}

/// The table's head.
pub(crate) fn head() -> String {
    format!(
        "\nmedians in microseconds\n{:<16} {:>7} {:>9} {:>9} {:>9} {:>9} {:>9} {:>9} {:>9} {:>9}",
        "step",
        "state",
        RAW,
        NATIVE,
        COMPONENT,
        "/native",
        "/rusqlite",
        "planning:",
        COMPONENT,
        "/native",
    )
}
