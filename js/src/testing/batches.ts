// Tests the rules of batches on an adapter directly.

import type { SqlParameter, SqlValue, Statement, StorageAdapter } from "../planner/adapter.js";
import { portableExpect } from "./expect.js";
import type { AdapterTest, OpenedSaver } from "./suite.js";

type Check = (adapter: StorageAdapter, expect: ReturnType<typeof portableExpect>) => Promise<void>;

const CREATE = once("CREATE TABLE IF NOT EXISTS lg_kit (k INTEGER PRIMARY KEY, v)");
const DROP = once("DROP TABLE IF EXISTS lg_kit");
const INSERT = "INSERT INTO lg_kit (k, v) VALUES (?1, ?2)";

const CHECKS: Record<string, Check> = {
  async values_come_back_as_they_were(adapter, expect) {
    const bytes = Uint8Array.from({ length: 256 }, (_, byte) => byte);
    const numbers = [7n, -3n, 2n ** 53n - 1n];
    const texts = ["", "a\u{1f600}b 'quoted' \"twice\" ?1"];
    const values = [null, ...numbers, ...texts, bytes];
    const rows = values.map((value, index): SqlParameter[] => [BigInt(index), value]);
    await adapter.run({ access: "write", statements: [{ text: INSERT, parameters: rows }] });
    const found = await read(adapter, "SELECT v, typeof(v) FROM lg_kit ORDER BY k");
    expect(found.map(([value = null]) => plain(value))).toStrictEqual(values.map(plain));
    // A driver with a single type of numbers binds integers as reals.
    const types = found.map(([, type]) => (type === "integer" ? "real" : type));
    const expected = [numbers.map(() => "real"), texts.map(() => "text")].flat();
    expect(types).toStrictEqual(["null", ...expected, "blob"]);
  },

  async a_text_with_a_zero_is_bound_whole(adapter, expect) {
    const parameters = [[1n, "before\0after"]];
    await adapter.run({ access: "write", statements: [{ text: INSERT, parameters }] });
    // Some drivers end the texts they read at a zero. No column of this package has one.
    const [found] = await read(adapter, "SELECT length(CAST(v AS BLOB)) FROM lg_kit");
    expect(found?.map(plain)).toStrictEqual([12]);
  },

  async each_statement_has_a_row_set_with_the_rows_of_all_its_runs(adapter, expect) {
    const parameters = [1n, 2n, 3n].map((key) => [key, `row ${key}`]);
    const returning = { text: `${INSERT} RETURNING v, k`, parameters };
    const statements = [once("SELECT k FROM lg_kit"), returning, once("SELECT k FROM lg_kit")];
    const answer = await adapter.run({ access: "write", statements });
    const rows = answer.map((set) => set.rows.map((row) => row.map(plain)));
    expect(rows).toStrictEqual([
      [],
      [
        ["row 1", 1],
        ["row 2", 2],
        ["row 3", 3],
      ],
      [[1], [2], [3]],
    ]);
  },

  async a_batch_that_fails_leaves_nothing(adapter, expect) {
    const parameters = [
      [1n, "one"],
      [2n, "two"],
      [1n, "one again"],
    ];
    const failing = { access: "write", statements: [{ text: INSERT, parameters }] } as const;
    expect(await failure(adapter, failing)).toBe(true);
    const other = [once("INSERT INTO lg_kit (k, v) VALUES (3, 3)"), once("SELECT x FROM lg_none")];
    expect(await failure(adapter, { access: "write", statements: other })).toBe(true);
    expect(await read(adapter, "SELECT k FROM lg_kit")).toStrictEqual([]);
  },

  async a_failing_batch_beside_others_fails_alone(adapter, expect) {
    const write = async (key: bigint) => {
      await adapter.run({ access: "write", statements: [row(key)] });
    };
    const settled = await Promise.allSettled([write(1n), write(1n), write(2n)]);
    expect(settled.map(({ status }) => status)).toStrictEqual([
      "fulfilled",
      "rejected",
      "fulfilled",
    ]);
    expect((await read(adapter, "SELECT k FROM lg_kit ORDER BY k")).map(keyOf)).toStrictEqual([
      1, 2,
    ]);
  },

  async a_read_sees_every_write_called_before(adapter, expect) {
    const writes = [1n, 2n, 3n].map((key) => {
      return adapter.run({ access: "write", statements: [row(key)] });
    });
    const found = await read(adapter, "SELECT k FROM lg_kit ORDER BY k");
    await Promise.all(writes);
    expect(found.map(keyOf)).toStrictEqual([1, 2, 3]);
  },

  async a_value_of_a_megabyte_is_kept(adapter, expect) {
    const bytes = Uint8Array.from({ length: 1024 * 1024 }, (_, at) => at % 251);
    const parameters = [[1n, bytes]];
    await adapter.run({ access: "write", statements: [{ text: INSERT, parameters }] });
    const [found] = await read(adapter, "SELECT v FROM lg_kit");
    const back = found?.[0];
    expect(back instanceof Uint8Array && back.length === bytes.length).toBe(true);
    expect(back instanceof Uint8Array && back.every((byte, at) => byte === at % 251)).toBe(true);
  },
};

/** The tests of batches. */
export function batchTests(open: () => Promise<OpenedSaver>): AdapterTest[] {
  return Object.entries(CHECKS).map(([name, check]) => ({
    name,
    run: async () => {
      const { saver, close } = await open();
      const { adapter } = saver;
      try {
        await adapter.run({ access: "write", statements: [DROP, CREATE] });
        await check(adapter, portableExpect());
        await adapter.run({ access: "write", statements: [DROP] });
      } finally {
        await close();
      }
    },
  }));
}

/** The rows of a query. */
export async function read(adapter: StorageAdapter, text: string): Promise<SqlValue[][]> {
  const [found] = await adapter.run({ access: "read", statements: [once(text)] });
  return found?.rows ?? [];
}

function once(text: string): Statement {
  return { text, parameters: [[]] };
}

function row(key: bigint): Statement {
  return { text: INSERT, parameters: [[key, "x"]] };
}

async function failure(adapter: StorageAdapter, batch: Parameters<StorageAdapter["run"]>[0]) {
  try {
    await adapter.run(batch);
    return false;
  } catch {
    return true;
  }
}

function keyOf([key]: readonly SqlValue[]): unknown {
  return plain(key ?? null);
}

/** Integers as numbers and bytes as a list, which is the same for every driver. */
function plain(value: SqlValue): unknown {
  if (typeof value === "bigint") return Number(value);
  return value instanceof Uint8Array ? Array.from(value) : value;
}
