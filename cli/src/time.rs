//! Times, as ISO 8601 in UTC with milliseconds: `2026-01-31T12:00:00.000Z`.

use std::time::{Duration, SystemTime};

use crate::failure::{Failure, Result};

/// A time with its offset, or a date, which means its begin in UTC.
pub(crate) fn of(option: &str, text: &str) -> Result<String> {
    let wrong =
        || Failure::Usage(format!("{option} is not a time: 2026-01-31, 2026-01-31T12:00:00Z"));
    let milliseconds = parse(text).ok_or_else(wrong)?;
    written(milliseconds).ok_or_else(wrong)
}

/// The time so long ago; 1970 if that was before.
pub(crate) fn ago(duration: Duration) -> String {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let then = i64::try_from(now.saturating_sub(duration).as_millis()).unwrap_or(i64::MAX);
    written(then).unwrap_or_default()
}

const DAY: i64 = 86_400_000;

/// Milliseconds since 1970.
fn parse(text: &str) -> Option<i64> {
    let (date, time) = match text.split_once(['T', 't']) {
        Some((date, time)) => (date, Some(time)),
        None => (text, None),
    };
    let [year, month, day] = numbers(date, '-', [4, 2, 2])?;
    let days = (1..=days_in(year, month)?).contains(&day).then(|| days_since(year, month, day))?;
    let Some(time) = time else {
        return Some(days * DAY);
    };
    let offset_at = time.find(['Z', 'z', '+', '-'])?;
    let (clock, offset) = time.split_at_checked(offset_at)?;
    let (clock, fraction) = clock.split_once('.').unwrap_or((clock, "0"));
    let [hour, minute, second] = numbers(clock, ':', [2, 2, 2])?;
    let is_fraction = !fraction.is_empty() && fraction.bytes().all(|it| it.is_ascii_digit());
    if hour > 23 || minute > 59 || second > 59 || !is_fraction {
        return None;
    }
    let thousandths: String = fraction.chars().chain("00".chars()).take(3).collect();
    let minutes = hour * 60 + minute - offset_minutes(offset)?;
    Some(days * DAY + minutes * 60_000 + second * 1_000 + thousandths.parse::<i64>().ok()?)
}

fn offset_minutes(offset: &str) -> Option<i64> {
    if offset.eq_ignore_ascii_case("z") {
        return Some(0);
    }
    let sign = if offset.starts_with('-') { -1 } else { 1 };
    let [hours, minutes] = numbers(offset.get(1..)?, ':', [2, 2])?;
    (hours <= 23 && minutes <= 59).then_some(sign * (hours * 60 + minutes))
}

/// Numbers with these counts of digits.
fn numbers<const N: usize>(text: &str, separator: char, digits: [usize; N]) -> Option<[i64; N]> {
    let mut parts = text.split(separator);
    let mut numbers = [0; N];
    for (number, digits) in numbers.iter_mut().zip(digits) {
        let part = parts.next().filter(|part| part.len() == digits)?;
        *number = part.parse().ok().filter(|_| part.bytes().all(|it| it.is_ascii_digit()))?;
    }
    parts.next().is_none().then_some(numbers)
}

fn days_in(year: i64, month: i64) -> Option<i64> {
    let next = if month == 12 { (year + 1, 1) } else { (year, month + 1) };
    let days = days_since(next.0, next.1, 1) - days_since(year, month, 1);
    (1..=12).contains(&month).then_some(days)
}

/// Days since 1970 in the Gregorian calendar. A year is counted from March, so that a leap day is
/// its last.
fn days_since(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let since_march = (month + 9) % 12;
    let leap_days = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    year * 365 + leap_days + (since_march * 153 + 2) / 5 + day - 719_469
}

/// A time as text; `None` if its year does not have four digits.
fn written(milliseconds: i64) -> Option<String> {
    let (days, rest) = (milliseconds.div_euclid(DAY), milliseconds.rem_euclid(DAY));
    if !(days_since(0, 1, 1)..days_since(10_000, 1, 1)).contains(&days) {
        return None;
    }
    // A year has at most 366 days: after 1970 this is never too late, and before by less than six.
    let guess = days.div_euclid(366) + 1970 - 6;
    let year = (guess..).take_while(|year| days_since(*year, 1, 1) <= days).last()?;
    let month = (1..=12).take_while(|month| days_since(year, *month, 1) <= days).last()?;
    let day = days - days_since(year, month, 1) + 1;
    let (seconds, thousandths) = (rest / 1_000, rest % 1_000);
    let [hour, minute, second] = [seconds / 3_600, seconds / 60 % 60, seconds % 60];
    Some(format!(
        "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{thousandths:03}Z"
    ))
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
