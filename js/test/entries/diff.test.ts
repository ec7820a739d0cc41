// `diff` of the saver and of the program: what a superstep changed.

import { join } from "node:path";

import { SqliteSaver } from "../../src/entries/sqlite.js";
import { checkpoint, config, metadata } from "../support/checkpoints.js";
import { temporaryFolder } from "../support/temporary.js";
import { run } from "./import/program.js";

let store: string;

/** A text that is long enough for a chunk of its own. */
const text = (name: string) => name.padEnd(200, ".");

beforeEach(async () => {
  store = join(temporaryFolder(), "checkpoints.db");
  const saver = SqliteSaver.fromConnString(store);
  const messages = ["a", "b", "c"].map(text);
  const [first, second] = [
    { ...checkpoint(1, { messages, old: 1 }), channel_versions: { messages: 1, old: 1 } },
    {
      ...checkpoint(2, { messages: [messages[0], text("B"), messages[2], text("d")], new: true }),
      channel_versions: { messages: 2, new: 2 },
    },
  ] as const;
  await saver.put(config("t"), first, metadata(0));
  await saver.putWrites(config("t", first.id), [["messages", "d"]], "task-1");
  await saver.put(config("t", first.id), second, metadata(1));
  saver.close();
});

test("a_saver_says_which_channels_elements_and_writes_differ", async () => {
  const saver = SqliteSaver.fromConnString(store);
  onTestFinished(() => saver.close());
  const at = config("t", checkpoint(2).id);
  const part = { bytes: 202 };
  expect(await saver.diff(at)).toEqual({
    before: checkpoint(1).id,
    channels: [
      {
        channel: "messages",
        versionBefore: 1,
        versionAfter: 2,
        before: { bytes: 610 },
        after: { bytes: 813 },
        elements: [
          { place: 1, before: part, after: part },
          { place: 3, before: undefined, after: part },
        ],
      },
      { channel: "new", versionAfter: 2, after: { bytes: 4 } },
      { channel: "old", versionBefore: 1, before: { bytes: 1 } },
    ],
    writes: [{ taskId: "task-1", channel: "messages", value: { bytes: 3 } }],
  });
  const withValues = await saver.diff(at, { before: checkpoint(1).id, values: true });
  const [messages, added, removed] = withValues?.channels ?? [];
  expect(messages?.elements?.map(({ before, after }) => [before?.value, after?.value])).toEqual([
    [text("b"), text("B")],
    [undefined, text("d")],
  ]);
  expect([added?.after?.value, removed?.before?.value]).toEqual([true, 1]);
  expect(withValues?.writes[0]?.value.value).toBe("d");
  expect(await saver.diff(config("t", "nobody"))).toBeUndefined();
  await expect(saver.diff(config("t"))).rejects.toMatchObject({ code: "missing-id" });
  await expect(saver.diff(at, { value: true } as never)).rejects.toThrow("value");
});

test("the_program_prints_a_table_and_values_only_if_asked", () => {
  const id = checkpoint(2).id;
  const { status, stdout } = run("diff", store, "t", id);
  expect(status).toBe(0);
  expect(stdout).toBe(
    [
      "what       channel   place   version  before  after",
      "changed    messages          1 -> 2   610 B   813 B",
      "  changed  messages  1                202 B   202 B",
      "  added    messages  3                        202 B",
      "added      new                -> 2            4 B",
      "removed    old               1 ->     1 B",
      "write      messages  task-1                   3 B",
      "",
    ].join("\n"),
  );
  expect(stdout).not.toContain("B...");
  const shown = run("diff", store, "t", id, checkpoint(1).id, "--values").stdout;
  expect(shown).toMatch(/ {2}changed +messages +1 +202 B +202 B +B\.{50}/);
  const [line, ...more] = run("diff", store, "t", id, "--values", "--json").stdout.split("\n");
  expect(more).toEqual([""]);
  expect(JSON.parse(String(line)).channels[1].after).toEqual({ bytes: 4, value: true });
});

test("a_checkpoint_that_is_not_stored_has_an_exit_code_of_its_own", () => {
  const { status, stdout, stderr } = run("diff", store, "t", "nobody");
  expect([status, stdout]).toEqual([1, ""]);
  expect(stderr).toBe("thread t lacks one of the two checkpoints\n");
  expect(run("diff", store, "t").status).toBe(2);
});
