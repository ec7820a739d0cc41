/**
 * Python's datetimes as dates. A datetime has microseconds and an offset, or no offset at all; a
 * date has neither. So a date of which this would lose something remembers the text that it was
 * made of, and is written as that again.
 */
/** The ids of `datetime.datetime`, in a record and in an extension. */
export const DATETIME = ["datetime", "datetime"] as const;
export const FROM_ISO_FORMAT = "fromisoformat";

interface Origin {
  readonly text: string;
  /** The date's time when it was made. */
  readonly time: number;
}

const origins = new WeakMap<Date, Origin>();

const DAY = String.raw`(\d{4})-(\d\d)-(\d\d)`;
const TIME = String.raw`(\d\d):(\d\d):(\d\d)(?:\.(\d{6}))?`;
const OFFSET = String.raw`([+-])(\d\d):(\d\d)(?::(\d\d)(?:\.\d{6})?)?`;

/** What `datetime.isoformat` gives. */
const ISO = new RegExp(`^${DAY}T${TIME}(?:${OFFSET})?$`);

const UTC = "+00:00";

const MINUTE_MS = 60_000;

/**
 * The date of a datetime's text, to the millisecond before it. A text without an offset is taken
 * for UTC. Undefined for other texts.
 */
export function dateOfPython(text: string): Date | undefined {
  const parts = ISO.exec(text);
  if (parts === null) return undefined;
  const [year, month, day, hour, minute, second, micros = 0] = parts.slice(1, 8).map(toNumber);
  const date = new Date(0);
  date.setUTCFullYear(Number(year), Number(month) - 1, Number(day));
  date.setUTCHours(Number(hour), Number(minute), Number(second), Math.floor(micros / 1000));
  // A day or hour that does not exist would have been carried over.
  if (date.toISOString().slice(0, 19) !== text.slice(0, 19)) return undefined;
  date.setTime(date.getTime() - offsetMs(parts));
  const isWhole = text.endsWith(UTC) && Number(micros) % 1000 === 0;
  if (!isWhole) origins.set(date, { text, time: date.getTime() });
  return date;
}

/** The record of a date that was a datetime and has not been changed; undefined for others. */
export function datetimeRecord(date: Date): Record<string, unknown> | undefined {
  const origin = origins.get(date);
  if (origin === undefined || origin.time !== date.getTime()) return undefined;
  return {
    lc: 2,
    type: "constructor",
    id: [...DATETIME],
    method: FROM_ISO_FORMAT,
    args: [origin.text],
    kwargs: {},
  };
}

function toNumber(digits: string | undefined): number {
  return Number(digits ?? 0);
}

function offsetMs(parts: readonly (string | undefined)[]): number {
  const [sign, hours, minutes, seconds] = parts.slice(8);
  const ms = (toNumber(hours) * 60 + toNumber(minutes)) * MINUTE_MS + toNumber(seconds) * 1000;
  return sign === "-" ? -ms : ms;
}
