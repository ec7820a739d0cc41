//! A hybrid logical clock: it orders the rows of a store that is only appended to.
//!
//! A revision is later than every revision that this store has given or seen, whatever the host's
//! clock says. Otherwise it is close to the time.

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::contract::http::Moment;

/// The lowest bits of a revision, below its microseconds. They are random, so that two writers
/// rarely draw the same revision.
const DRAWN_BITS: u32 = 10;

/// The clock of one store.
#[derive(Debug, Default)]
pub(crate) struct Clock {
    last: i64,
}

impl Clock {
    /// The next revision.
    pub(crate) fn next(&mut self, at: Moment) -> i64 {
        let drawn = at.entropy & ((1 << DRAWN_BITS) - 1);
        let now = i64::try_from((at.now << DRAWN_BITS) | drawn).unwrap_or(i64::MAX - 1);
        self.last = now.max(self.last.saturating_add(1));
        self.last
    }

    /// The first revision of a time. Unlike `next` it takes nothing from the clock.
    pub(crate) fn at(now: u64) -> i64 {
        i64::try_from(now << DRAWN_BITS).unwrap_or(i64::MAX - 1)
    }

    /// Notes a revision that was seen.
    pub(crate) fn observe(&mut self, revision: i64) {
        self.last = self.last.max(revision);
    }
}

/// The time of a revision, in microseconds since 1970.
pub(crate) fn microseconds(revision: i64) -> u64 {
    (revision >> DRAWN_BITS).unsigned_abs()
}

/// A time in microseconds since 1970, as ISO 8601 text for the service.
pub(crate) fn datetime(microseconds: u64) -> String {
    OffsetDateTime::from_unix_timestamp_nanos(i128::from(microseconds) * 1000)
        .ok()
        .and_then(|time| time.format(&Rfc3339).ok())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(now: u64, entropy: u64) -> Moment {
        Moment { now, entropy }
    }

    #[test]
    fn a_revision_is_later_than_all_seen_even_where_the_clock_lags() {
        let mut clock = Clock::default();
        let first = clock.next(at(1_000, 5));
        assert_eq!(microseconds(first), 1_000);
        let second = clock.next(at(900, 7));
        assert!(second > first);
        clock.observe(second + 5_000_000);
        assert!(clock.next(at(1_001, 0)) > second + 5_000_000);
        assert!(clock.next(at(u64::MAX, 0)) > 0);
    }

    #[test]
    fn a_time_is_iso_8601_in_utc() {
        assert_eq!(datetime(1_795_250_000_123_456), "2026-11-21T08:33:20.123456Z");
        assert_eq!(datetime(0), "1970-01-01T00:00:00Z");
    }
}
