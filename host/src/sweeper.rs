//! Sweeps of idle threads in the background.

use std::num::NonZeroU8;
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use langgraph_checkpoint_guest::{Keep, Lease, Prune, Pruned, Work};
use time::OffsetDateTime;
use time::format_description::well_known::Iso8601;
use time::format_description::well_known::iso8601::{Config, EncodedConfig, TimePrecision};
use tokio::task::AbortHandle;

use crate::checkpointer::Checkpointer;
use crate::error::Error;
use crate::lifecycle::Lifecycle;
use crate::storage::StorageAdapter;

/// How long after its start a sweeper sweeps for the first time, unless its interval is shorter.
const FIRST: Duration = Duration::from_secs(60);

/// ISO 8601 with three digits after the seconds.
const MILLISECONDS: Iso8601<{ PRECISION }> = Iso8601;
const PRECISION: EncodedConfig = Config::DEFAULT
    .set_time_precision(TimePrecision::Second { decimal_digits: NonZeroU8::new(3) })
    .encode();

/// Which idle threads expire by themselves, in the words of LangGraph's platform.
#[derive(Clone, Debug, PartialEq)]
pub struct Ttl {
    /// How long a thread is kept after its newest checkpoint.
    pub default_ttl: Duration,
    /// What stays of it then: nothing, by default.
    pub keep: Keep,
    /// How long it is from one sweep of a store to the next, by whichever process: all have to say
    /// the same. 5 minutes by default.
    pub sweep_interval: Duration,
    /// At most this many threads are pruned in one sweep. 1,000 by default.
    pub sweep_limit: u32,
}

impl Ttl {
    /// Deletes threads so long after their newest checkpoint.
    pub fn new(default_ttl: Duration) -> Self {
        Self {
            default_ttl,
            keep: Keep::Nothing,
            sweep_interval: Duration::from_secs(300),
            sweep_limit: 1000,
        }
    }

    /// Makes one sweep, unless another process has the right to, and returns what was removed.
    /// `now` is asked for the time again and again: a sweep ends when its interval is over.
    pub async fn sweep<S: StorageAdapter>(
        &self,
        checkpointer: &Checkpointer<S>,
        now: impl Fn() -> SystemTime + Send,
    ) -> Result<Work, Error> {
        let idle = Pruned::Idle(iso(now().checked_sub(self.default_ttl).unwrap_or(UNIX_EPOCH)));
        let mut prune = Prune {
            pruned: idle,
            keep: self.keep.clone(),
            limit: Some(f64::from(self.sweep_limit)),
            dry_run: false,
            lease: None,
            resume: None,
        };
        loop {
            prune.lease = Some(Lease {
                now_ms: since_1970(now()).as_secs_f64() * 1000.0,
                length_ms: self.sweep_interval.as_secs_f64() * 1000.0,
            });
            let work = checkpointer.prune(prune.clone()).await?;
            if work.next.is_none() {
                return Ok(work);
            }
            prune.resume = work.next;
        }
    }
}

/// Sweeps a store in the background until it is dropped, or the checkpointer is.
///
/// What fails is passed to the checkpointer's `on_warning`, once until a sweep succeeds.
///
/// ```no_run
/// use std::sync::Arc;
/// use std::time::Duration;
///
/// use langgraph_checkpoint_host::{Checkpointer, Planner, SqliteOptions, Sweeper, Ttl};
///
/// # async fn example() -> Result<(), langgraph_checkpoint_host::Error> {
/// let opened = Checkpointer::open_sqlite(Planner::native(), "c.db", SqliteOptions::default());
/// let checkpointer = Arc::new(opened.await?);
/// let month = Duration::from_secs(30 * 24 * 3600);
/// let sweeper = Sweeper::start(&checkpointer, Ttl::new(month))?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
#[must_use = "dropping it ends the sweeps"]
pub struct Sweeper {
    task: AbortHandle,
}

impl Sweeper {
    /// Starts a task on the current runtime of tokio, which must have timers. Fails with
    /// `invalid-ttl` for a time of less than a millisecond, or a limit of 0.
    pub fn start<S: StorageAdapter + 'static>(
        checkpointer: &Arc<Checkpointer<S>>,
        ttl: Ttl,
    ) -> Result<Self, Error> {
        let shortest = Duration::from_millis(1);
        let is_none = ttl.default_ttl < shortest || ttl.sweep_interval < shortest;
        if is_none || ttl.sweep_limit == 0 {
            return Err(Error::invalid(
                "invalid-ttl",
                "default_ttl or sweep_interval is less than a millisecond, or sweep_limit is 0",
            ));
        }
        let sweeps = sweeps(Arc::downgrade(checkpointer), ttl);
        Ok(Self { task: tokio::spawn(sweeps).abort_handle() })
    }
}

impl Drop for Sweeper {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn sweeps<S: StorageAdapter>(checkpointer: Weak<Checkpointer<S>>, ttl: Ttl) {
    let mut wait = ttl.sweep_interval.min(FIRST);
    let mut has_failed = false;
    loop {
        tokio::time::sleep(wait).await;
        wait = ttl.sweep_interval;
        let Some(checkpointer) = checkpointer.upgrade() else { return };
        // A clock that is set back during a sweep must not lengthen it.
        let (begun, from) = (Instant::now(), SystemTime::now());
        let swept = ttl.sweep(&checkpointer, || from + begun.elapsed()).await;
        if let Err(error) = &swept
            && !has_failed
        {
            let why = format!("a sweep of idle threads failed: {}: {error}", error.code());
            checkpointer.warn(&why);
        }
        has_failed = swept.is_err();
    }
}

fn since_1970(time: SystemTime) -> Duration {
    time.duration_since(UNIX_EPOCH).unwrap_or_default()
}

/// A time as ISO 8601 in UTC, with milliseconds.
fn iso(time: SystemTime) -> String {
    let nanoseconds = i128::try_from(since_1970(time).as_nanos()).unwrap_or(i128::MAX);
    OffsetDateTime::from_unix_timestamp_nanos(nanoseconds)
        .ok()
        .and_then(|time| time.format(&MILLISECONDS).ok())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_those_of_the_calendar() {
        for (seconds, expected) in [
            (0, "1970-01-01T00:00:00.000Z"),
            (951_782_399, "2000-02-28T23:59:59.000Z"),
            (951_782_400, "2000-02-29T00:00:00.000Z"),
            (1_798_761_600, "2027-01-01T00:00:00.000Z"),
            (4_107_542_400, "2100-03-01T00:00:00.000Z"),
        ] {
            assert_eq!(iso(UNIX_EPOCH + Duration::from_secs(seconds)), expected);
        }
        assert_eq!(iso(UNIX_EPOCH - Duration::from_secs(1)), "1970-01-01T00:00:00.000Z");
    }
}
