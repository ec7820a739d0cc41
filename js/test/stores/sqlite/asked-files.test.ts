// The system may fail to report on the database's files.

import type * as Fs from "node:fs";
import { mkdirSync, renameSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { SqliteSaver } from "../../../src/entries/sqlite.js";
import { checkpoint, config, idOf, ids, metadata } from "../../support/checkpoints.js";
import { temporaryFolder } from "../../support/temporary.js";

vi.mock("node:fs", async (original) => {
  const fs = await original<typeof Fs>();
  return { ...fs, statSync: vi.fn(fs.statSync) };
});

/** A saver with a checkpoint, on a file in a folder of its own. */
async function begun() {
  const folder = join(temporaryFolder(), "inner");
  mkdirSync(folder);
  const saver = SqliteSaver.fromConnString(join(folder, "checkpoints.db"));
  onTestFinished(() => saver.close());
  await put(saver, 1);
  return { folder, saver };
}

function put(saver: SqliteSaver, n: number) {
  return saver.put(config("t"), checkpoint(n, { n }), metadata(n), { n });
}

test.each(["EACCES", "EPERM", "ESTALE"])("files_that_%s_hides_are_not_replaced", async (code) => {
  const { saver } = await begun();
  const hidden = () => {
    throw Object.assign(new Error(code), { code });
  };
  onTestFinished(() => {
    vi.mocked(statSync).mockReset();
  });
  vi.mocked(statSync).mockImplementation(hidden);
  await Promise.all([put(saver, 2), saver.putWrites(config("t", idOf(1)), [["n", 1]], "task")]);
  expect(await ids(saver.list(config("t")))).toEqual([idOf(2), idOf(1)]);
});

test.each([
  ["a_file", (folder: string) => writeFileSync(folder, "")],
  ["a_link_to_itself", (folder: string) => symlinkSync(folder, folder)],
])("a_put_whose_folder_has_become_%s_is_not_acknowledged", async (_, make) => {
  const { folder, saver } = await begun();
  renameSync(folder, `${folder}-before`);
  make(folder);
  const replaced = { code: "storage-replaced" };
  await expect(put(saver, 2)).rejects.toMatchObject(replaced);
  await expect(saver.getTuple(config("t"))).rejects.toMatchObject(replaced);
});

test("of_a_folder_that_does_not_change_only_the_folder_is_asked", async () => {
  const { folder, saver } = await begun();
  await new Promise((resolve) => setTimeout(resolve, 3_100));
  await put(saver, 2);
  vi.mocked(statSync).mockClear();
  await put(saver, 3);
  await saver.getTuple(config("t"));
  expect(vi.mocked(statSync).mock.calls.map(([path]) => path)).toEqual([folder, folder, folder]);
});

test("of_a_database_in_memory_nothing_is_asked", async () => {
  vi.mocked(statSync).mockClear();
  const saver = SqliteSaver.fromConnString(":memory:");
  await put(saver, 1);
  saver.close();
  expect(statSync).not.toHaveBeenCalled();
});
