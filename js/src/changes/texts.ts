// Joins the texts of parts.

const encoder = new TextEncoder();

const COMMA = 0x2c;

/** Parts that are shorter than this on average are joined before they are encoded. */
const LONG = 256;

/** The bytes of `open`, the texts joined by commas, and `close`. */
export function encodeParts(open: string, texts: readonly string[], close: string): Uint8Array {
  const commas = Math.max(texts.length - 1, 0);
  const length = texts.reduce(
    (sum, text) => sum + text.length,
    open.length + commas + close.length,
  );
  const long = length > LONG * texts.length ? encodeAscii(open, texts, close, length) : undefined;
  return long ?? encoder.encode(`${open}${texts.join(",")}${close}`);
}

/** The same for ASCII texts, without joining them first; undefined if a character is not ASCII. */
function encodeAscii(
  open: string,
  texts: readonly string[],
  close: string,
  length: number,
): Uint8Array | undefined {
  const bytes = new Uint8Array(length);
  let at = 0;
  const add = (text: string) => {
    const { read, written } = encoder.encodeInto(text, bytes.subarray(at));
    at += written;
    return read === text.length;
  };
  if (!add(open)) return undefined;
  for (let index = 0; index < texts.length; index += 1) {
    if (index > 0) {
      bytes[at] = COMMA;
      at += 1;
    }
    if (!add(texts[index] ?? "")) return undefined;
  }
  return add(close) && at === length ? bytes : undefined;
}
