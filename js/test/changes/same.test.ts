// A value that cannot be proven unchanged is written again, and stored again only if its text
// differs.

import { write } from "../../src/changes/diff.js";
import { type Tracked, TrackedParts, TrackedWhole } from "../../src/changes/value.js";
import { rowsIn } from "../support/rows.js";
import { quietSerde, Twins } from "../support/twins.js";

const serde = quietSerde();

async function written(value: unknown, tracked?: Tracked, bytesMax?: number) {
  const before = tracked && { tracked, editable: true };
  return write(serde, value, before, false, bytesMax);
}

const bytes = (length: number) => Uint8Array.from({ length }, (_, index) => index * 7);

const kinds: [string, () => Record<string, unknown>, (part: Record<string, unknown>) => void][] = [
  ["bytes", () => ({ data: bytes(5000) }), ({ data }) => Reflect.set(Object(data), 4321, 1)],
  ["a Date", () => ({ at: new Date(5) }), ({ at }) => Object(at).setTime(6)],
  ["a Map", () => ({ map: new Map([["k", [1]]]) }), ({ map }) => Object(map).get("k").push(2)],
  ["numbers", () => ({ xs: Float32Array.of(1, 2) }), ({ xs }) => Reflect.set(Object(xs), 0, 3)],
];

describe.each(kinds)("a part with %s", (_, make, change) => {
  const kept = (first: number, count: number) => ({ tag: "kept", val: { first, count } });

  test("is_kept_in_a_list_that_grows_at_either_end", async () => {
    const list = [make(), make(), "text"];
    const first = await written(list);
    expect((await written([...list], first.tracked)).value).toEqual({ tag: "unchanged" });
    const fresh = (part: string) => ({ tag: "fresh", val: new TextEncoder().encode(part) });
    expect((await written([...list, 1], first.tracked)).value).toEqual({
      tag: "edited",
      val: [kept(0, 3), fresh("1")],
    });
    expect((await written([1, ...list], first.tracked)).value).toEqual({
      tag: "edited",
      val: [fresh("1"), kept(0, 3)],
    });
  });

  test("is_kept_in_a_map_under_its_key_alone", async () => {
    const first = await written({ a: make(), b: make(), c: 1 });
    const again = await written({ a: make(), b: make(), c: 2 }, first.tracked);
    expect(again.value).toMatchObject({ tag: "edited", val: [kept(0, 2), { tag: "fresh" }] });
    const renamed = await written({ d: make(), e: make() }, first.tracked);
    expect(renamed.value).toMatchObject({ tag: "whole" });
  });

  test("is_stored_anew_once_it_is_changed_in_place", async () => {
    const twins = new Twins();
    const list = [make(), make(), make()];
    await twins.put({ list });
    await twins.put({ list: [...list, 1] });
    if (list[1] !== undefined) change(list[1]);
    await twins.put({ list: [...list, 1] });
    const tuple = await twins.expectSame();
    expect(tuple?.checkpoint.channel_values).toEqual({ list: [...list, 1] });
  });
});

test("a_value_that_is_written_as_a_whole_in_the_same_bytes_is_unchanged", async () => {
  for (const make of [() => new Map([["k", 1]]), () => bytes(10), () => new Date(5)]) {
    const first = await written(make());
    expect(first.tracked).toBeInstanceOf(TrackedWhole);
    expect((await written(make(), first.tracked)).value).toEqual({ tag: "unchanged" });
    const other = await written([make()], first.tracked);
    expect(other.value).toMatchObject({ tag: "whole" });
  }
});

test("bytes_that_are_unchanged_add_no_row_but_the_checkpoints", async () => {
  const twins = new Twins();
  const list = [{ data: bytes(200_000) }];
  await twins.put({ list });
  const before = rowsIn(twins.remembering.db);
  await twins.put({ list: [...list, "more"] });
  const after = rowsIn(twins.remembering.db);
  const size = (rows: typeof before) =>
    JSON.stringify(rows, (_, value) => (value instanceof Uint8Array ? value.length : value)).length;
  expect(size(after) - size(before)).toBeLessThan(4_000);
  await twins.expectSame();
});

describe("many numbers", () => {
  const numbers = () => Array.from({ length: 1536 }, (_, index) => index / 7);

  test("are_proven_unchanged_and_seen_to_change", async () => {
    const list = [numbers(), { embedding: numbers() }];
    const first = await written(list);
    if (!(first.tracked instanceof TrackedParts)) throw new TypeError("no list");
    const { fingerprints } = first.tracked;
    expect(fingerprints.prefix(list, 2)).toBe(2);
    const changes: [string, (xs: unknown[]) => void][] = [
      ["another number", (xs) => xs.splice(5, 1, 0.5)],
      ["-0", (xs) => xs.splice(0, 1, -0)],
      ["text", (xs) => xs.splice(5, 1, "5")],
      ["undefined", (xs) => Reflect.deleteProperty(xs, 5)],
      ["one more", (xs) => xs.push(1)],
      ["one less", (xs) => xs.pop()],
      ["a toJSON", (xs) => Object.assign(xs, { toJSON: () => 1 })],
    ];
    for (const [what, change] of changes) {
      const [changed, untouched] = [numbers(), numbers()];
      change(changed);
      expect([what, fingerprints.isProven(0, changed)]).toEqual([what, false]);
      expect(fingerprints.isProven(1, { embedding: changed })).toBe(false);
      expect(fingerprints.isProven(1, { embedding: untouched })).toBe(true);
    }
  });

  test("come_back_from_memory_as_they_are_read", async () => {
    const twins = new Twins();
    const list = [numbers(), { deep: [numbers(), Array(20).fill(-0), Array(20).fill(1n)] }];
    await twins.put({ list, flat: numbers() });
    const tuple = await twins.expectSame();
    expect(tuple?.checkpoint.channel_values).toEqual({ list, flat: numbers() });
    await twins.put({ ...tuple?.checkpoint.channel_values, more: 1 });
    await twins.expectSame();
  });
});

describe("a value whose parts take more memory than there is", () => {
  const maps = Array.from({ length: 2000 }, (_, id) => ({ id, name: `name ${id}` }));

  test("is_written_as_a_whole_in_the_same_bytes", async () => {
    const parts = await written(maps);
    const first = await written(maps.slice(0, 10));
    for (const [before, bytesMax] of [
      [undefined, 100_000],
      [first.tracked, 100_000],
      [undefined, 0],
    ] as const) {
      const whole = await written(maps, before, bytesMax);
      expect(whole.tracked).toBeInstanceOf(TrackedWhole);
      expect(whole.value).toEqual(parts.value);
    }
  });

  test("is_put_and_read_like_any_other", async () => {
    const twins = new Twins({ cacheBytes: 100_000 });
    for (const list of [maps.slice(0, 3), maps, [...maps, 1], maps.slice(0, 5)]) {
      await twins.put({ list, small: { a: 1 } });
      const tuple = await twins.expectSame();
      expect(tuple?.checkpoint.channel_values.list).toEqual(list);
    }
  });
});
