// Finds where a JSON text ends among other bytes, without checking it: the parser does that.

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;

/**
 * Whether a JSON text that begins with this byte shows its own end: a string, a list or a map. A
 * number does not.
 */
export function endsItself(first: number | undefined): boolean {
  return first === QUOTE || opens(first);
}

/**
 * The index after the JSON text that begins at `begin`, at most `end`. A text that does not show
 * its own end stops before a comma or a closing bracket.
 */
export function extentOf(bytes: Uint8Array, begin: number, end: number): number {
  let depth = 0;
  for (let at = begin; at < end; at += 1) {
    const byte = bytes[at];
    if (byte === QUOTE) {
      at = closingQuote(bytes, at + 1, end);
      if (depth === 0) return Math.min(at + 1, end);
    } else if (opens(byte)) {
      depth += 1;
    } else if (closes(byte)) {
      if (depth === 0) return at;
      depth -= 1;
      if (depth === 0) return at + 1;
    } else if (byte === COMMA && depth === 0) {
      return at;
    }
  }
  return end;
}

/** The index of the quote that ends a string, or at least `end`. */
function closingQuote(bytes: Uint8Array, begin: number, end: number): number {
  let at = begin;
  while (at < end && bytes[at] !== QUOTE) at += bytes[at] === BACKSLASH ? 2 : 1;
  return at;
}

function opens(byte: number | undefined): boolean {
  return byte === 0x5b || byte === 0x7b;
}

function closes(byte: number | undefined): boolean {
  return byte === 0x5d || byte === 0x7d;
}
