//! Times, as ISO 8601 in UTC with milliseconds: `2026-01-31T12:00:00.000Z`.

use std::num::NonZeroU8;
use std::time::{Duration, SystemTime};

use time::format_description::well_known::iso8601::{Config, EncodedConfig, TimePrecision};
use time::format_description::well_known::{Iso8601, Rfc3339};
use time::{OffsetDateTime, UtcOffset};

use crate::failure::{Failure, Result};

const MILLISECONDS: Iso8601<{ PRECISION }> = Iso8601;
const PRECISION: EncodedConfig = Config::DEFAULT
    .set_time_precision(TimePrecision::Second { decimal_digits: NonZeroU8::new(3) })
    .encode();

/// A time with its offset; a date, which means its begin in UTC; or a duration before now.
pub(crate) fn of(option: &str, text: &str) -> Result<String> {
    if let Some(duration) = read_duration(text) {
        return Ok(ago(duration));
    }
    let time = parse(text).and_then(written);
    time.ok_or_else(|| {
        Failure::Usage(format!("{option} is not a time: 2026-01-31, 2026-01-31T12:00:00Z, 30d"))
    })
}

/// A duration.
pub(crate) fn duration(option: &str, text: &str) -> Result<Duration> {
    read_duration(text)
        .ok_or_else(|| Failure::Usage(format!("{option} takes a duration: 90m, 12h, 30d")))
}

/// The time so long ago; 1970 if that was before.
pub(crate) fn ago(duration: Duration) -> String {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let then = i128::try_from(now.saturating_sub(duration).as_nanos()).unwrap_or_default();
    let time = OffsetDateTime::from_unix_timestamp_nanos(then).ok();
    time.and_then(written).unwrap_or_default()
}

fn parse(text: &str) -> Option<OffsetDateTime> {
    let is_date = !text.contains(['T', 't']);
    let whole = if is_date { format!("{text}T00:00:00Z") } else { text.to_owned() };
    // The library also takes other characters before the time, and a leap second.
    let has_t = whole.get(10..11)?.eq_ignore_ascii_case("t");
    let is_leap = whole.get(17..19)? == "60";
    OffsetDateTime::parse(&whole, &Rfc3339).ok().filter(|_| has_t && !is_leap)
}

fn read_duration(text: &str) -> Option<Duration> {
    let digits = text.trim_end_matches(['m', 'h', 'd']);
    let seconds = match text.get(digits.len()..)? {
        "m" => 60,
        "h" => 3_600,
        "d" => 86_400,
        _ => return None,
    };
    let is_a_count =
        (1..=9).contains(&digits.len()) && digits.bytes().all(|it| it.is_ascii_digit());
    digits.parse::<u64>().ok().filter(|_| is_a_count).map(|it| Duration::from_secs(it * seconds))
}

/// A time as text; `None` if its year in UTC does not have four digits.
fn written(time: OffsetDateTime) -> Option<String> {
    time.checked_to_offset(UtcOffset::UTC)?.format(&MILLISECONDS).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn utc(text: &str) -> Option<String> {
        of("--time", text).ok()
    }

    #[test]
    fn dates_and_times_with_their_offsets_are_read() {
        for (text, time) in [
            ("1970-01-01", "1970-01-01T00:00:00.000Z"),
            ("2000-02-29", "2000-02-29T00:00:00.000Z"),
            ("2024-12-31T23:59:59Z", "2024-12-31T23:59:59.000Z"),
            ("2024-12-31T23:59:59.98765-01:00", "2025-01-01T00:59:59.987Z"),
            ("2024-03-01T00:30:00.5+05:30", "2024-02-29T19:00:00.500Z"),
            ("1900-03-01", "1900-03-01T00:00:00.000Z"),
            ("0001-01-01", "0001-01-01T00:00:00.000Z"),
            ("9999-12-31T23:59:59.999Z", "9999-12-31T23:59:59.999Z"),
        ] {
            assert_eq!(utc(text).as_deref(), Some(time), "{text}");
        }
    }

    #[test]
    fn a_duration_is_a_count_with_its_unit() {
        for (text, seconds) in [("90m", 5_400), ("12h", 43_200), ("30d", 2_592_000)] {
            assert_eq!(read_duration(text), Some(Duration::from_secs(seconds)), "{text}");
        }
        for wrong in ["", "d", "30", "30dd", "30s", "-1d", "1.5h", "1234567890d"] {
            assert_eq!(read_duration(wrong), None, "{wrong}");
        }
        assert!(utc("30d") < utc("29d"));
    }

    #[test]
    fn everything_else_is_refused() {
        for text in [
            "",
            "yesterday",
            "2023-02-29",
            "1900-02-29",
            "2024-00-01",
            "2024-13-01",
            "2024-1-1",
            "2024-01-01T12:00:00",
            "2024-01-01T24:00:00Z",
            "2024-01-01T12:00Z",
            "2024-01-01T12:00:00.Z",
            "2024-01-01T12:00:00+1",
            "2024-01-01T12:00:00\u{e9}",
            "+024-01-01",
            "9999-12-31T23:59:59-01:00",
        ] {
            assert_eq!(utc(text), None, "{text}");
        }
    }
}
