// Reads a trace that recorder.c wrote.

const HEADER_BYTES = 32;
const KINDS = ["", "open", "write", "truncate", "sync-begin", "sync-end", "unlink", "rename"];
const STATUSES = ["done", "failed", "told"];

/** The records of a trace, in their order. The last one may be cut off by a kill. */
export function recordsIn(trace) {
  const records = [];
  for (let at = 0; at + HEADER_BYTES <= trace.length; ) {
    const length = trace.readUInt32LE(at + 24);
    const data = trace.subarray(at + HEADER_BYTES, at + HEADER_BYTES + length);
    if (data.length < length) break;
    records.push({
      kind: KINDS[trace.readUInt32LE(at)],
      /** A descriptor belongs to one process. */
      descriptor: `${trace.readUInt32LE(at + 4)}/${trace.readInt32LE(at + 12)}`,
      sync: `${trace.readUInt32LE(at + 4)}/${trace.readUInt32LE(at + 8)}`,
      offset: Number(trace.readBigInt64LE(at + 16)),
      status: STATUSES[trace.readUInt32LE(at + 28)],
      data,
    });
    at += HEADER_BYTES + length;
  }
  return records;
}
