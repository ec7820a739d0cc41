// What the demo shows.

const COLUMNS = 88;
const SPEAKERS = { human: "you", ai: "agent", tool: "tool" };

function shortened(text, columns) {
  if (text.length <= columns) return text;
  const size = ` ... ${text.length} characters`;
  return text.slice(0, columns - size.length) + size;
}

function line(message, columns) {
  const [call] = message.tool_calls ?? [];
  const said = call === undefined ? message.text : `-> ${call.name}(${JSON.stringify(call.args)})`;
  return shortened(said, columns);
}

/** The last message of a state. */
export function messageLine({ messages = [] }, columns) {
  const last = messages.at(-1);
  return last === undefined ? "" : line(last, columns);
}

/** What was said, a line a message. */
export function printSaid(messages) {
  for (const message of messages) {
    console.log(`  ${(SPEAKERS[message.getType()] ?? "").padEnd(5)} | ${line(message, COLUMNS)}`);
  }
}

/** A line a checkpoint. */
export function printHistory(history) {
  for (const { config, metadata, next, values } of history) {
    const id = config.configurable.checkpoint_id.slice(0, 13);
    const step = String(metadata.step).padStart(2);
    const place = next.length === 0 ? "(end)" : `-> ${next.join(", ")}`;
    const source = metadata.source.padEnd(5);
    const said = messageLine(values, COLUMNS - 42);
    console.log(`    ${id}  step ${step}  ${source}  ${place.padEnd(13)} ${said}`);
  }
}

/** What the thread takes, against what its checkpoints hold. */
export async function printStorage({ checkpointer, size }, thread) {
  let checkpoints = 0;
  let bytes = 0;
  for await (const { checkpoint } of checkpointer.list(thread)) {
    checkpoints += 1;
    bytes += JSON.stringify(checkpoint).length;
  }
  const stored = await size();
  const kilobytes = (count) => `${Math.round(count / 1000)} KB`;
  console.log(
    `\n  ${checkpoints} checkpoints hold ${kilobytes(bytes)} of state; ` +
      `${stored.what} ${kilobytes(stored.bytes)}.`,
  );
}
