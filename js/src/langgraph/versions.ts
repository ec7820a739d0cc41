// Channel versions as Python's savers count them.

import { InvalidInputError } from "../errors.js";

/** 32 digits, a point, and a random fraction. */
const PYTHON_VERSION = /^\d{32}(?=\.|$)/;

const DIGITS = 32;
const FRACTION_LENGTH = 16;

/**
 * The version after one that is text, as Python's savers count. All of them have the same number of
 * digits, so they sort as text. Throws `invalid-channel-version` for other texts.
 */
export function nextTextVersion(current: string): string {
  const [digits] = PYTHON_VERSION.exec(current) ?? [];
  if (digits === undefined) {
    throw new InvalidInputError(
      "invalid-channel-version",
      "a channel's version is text, but not 32 digits and a fraction as Python's savers write; " +
        "override getNextVersion to count such versions",
    );
  }
  const next = String(BigInt(digits) + 1n).padStart(DIGITS, "0");
  return `${next}.${String(Math.random()).padStart(FRACTION_LENGTH, "0")}`;
}
