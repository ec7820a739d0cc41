// The options of a browser's saver are checked before anything is fetched.

import { SqliteWasmSaver } from "../../../src/entries/sqlite-wasm.js";

test.each([
  [{ synchronous: "full" }, "unknown-option"],
  [{ busyDeadlineMs: Number.NaN }, "invalid-option"],
  [{ cacheBytes: -1 }, "invalid-option"],
  [{ onCall: {} }, "invalid-option"],
  [{ serde: {} }, "invalid-option"],
  [null, "invalid-option"],
])("the_options_%j_are_refused", async (options, code) => {
  const opening = SqliteWasmSaver.open({} as never, options as never);
  await expect(opening).rejects.toMatchObject({ name: "InvalidInputError", code });
});
