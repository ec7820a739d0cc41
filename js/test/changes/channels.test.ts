// A saver also remembers which channels of a namespace have a value. It must not rely on that.

import { describe, expect, test } from "vitest";

import { SqliteSaver } from "../../src/entries/sqlite.js";
import { checkpoint, config, idOf, metadata } from "../support/checkpoints.js";
import { expectSameRows, freshOn } from "../support/twins.js";

type Versions = Record<string, number>;

function open(cacheBytes: number | undefined) {
  const saver = SqliteSaver.fromConnString(":memory:", { cacheBytes });
  const put = (
    on: SqliteSaver,
    number: number,
    values: Record<string, unknown>,
    versions: Versions,
    news: Versions,
  ) => on.put(config("t"), checkpoint(number, values, versions), metadata(number), news);
  const channelsOf = async (number: number) => {
    const tuple = await freshOn(saver).getTuple(config("t", idOf(number)));
    return Object.keys(tuple?.checkpoint.channel_values ?? {});
  };
  return { saver, put, channelsOf };
}

describe("channels that are known to be stored", () => {
  test.each([[undefined], [3000]])(
    "are_asked_for_again_after_the_thread_was_made_anew_with_cacheBytes_%s",
    async (cacheBytes) => {
      const run = async (bytes: number | undefined) => {
        const { saver, put, channelsOf } = open(bytes);
        await put(saver, 1, { a: "x".repeat(5000) }, { a: 1 }, { a: 1 });
        const other = freshOn(saver);
        await other.deleteThread("t");
        await put(other, 2, { a: "theirs" }, { a: 1 }, { a: 1 });
        await put(saver, 3, { a: "y".repeat(5000), b: 1 }, { a: 1, b: 1 }, {});
        return { saver, channels: await channelsOf(3) };
      };
      const [remembering, forgetting] = [await run(cacheBytes), await run(0)];
      expect(remembering.channels).toEqual(["a"]);
      expect(forgetting.channels).toEqual(["a"]);
      expectSameRows(remembering.saver, forgetting.saver);
    },
  );

  test("are_not_those_of_a_checkpoint_that_was_replaced", async () => {
    const run = async (bytes: number | undefined) => {
      const { saver, put, channelsOf } = open(bytes);
      await put(saver, 1, { a: 1 }, { a: 1 }, { a: 1 });
      await put(saver, 1, {}, {}, {});
      await put(saver, 2, { a: 1 }, { a: 1 }, {});
      return channelsOf(2);
    };
    expect(await run(undefined)).toEqual([]);
    expect(await run(0)).toEqual([]);
  });
});
