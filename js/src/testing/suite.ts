// Turns a suite written with `describe`, `it` and hooks into a list of tests for any runner.

import type { StorageSaver } from "../stores/storage-saver.js";
import { portableExpect } from "./expect.js";

/** A saver under test. */
export interface OpenedSaver {
  readonly saver: StorageSaver;
  close(): Promise<void>;
}

/** A test. It passes if `run` resolves. */
export interface AdapterTest {
  readonly name: string;
  run(): Promise<void>;
}

type Step = () => unknown;

/** One `describe`, or the suite itself. */
class Group {
  readonly path: readonly Group[];
  readonly beforeAll: Step[] = [];
  readonly afterAll: Step[] = [];
  readonly beforeEach: Step[] = [];
  readonly afterEach: Step[] = [];
  readonly name: string;

  constructor(parent: Group | undefined, name: string) {
    this.path = [...(parent?.path ?? []), this];
    this.name = name;
  }
}

interface Collected {
  readonly group: Group;
  readonly name: string;
  readonly body: Step;
}

/** Calls a function that declares tests, and returns them in order. */
export function testsIn(declare: () => void): AdapterTest[] {
  const collected: Collected[] = [];
  withGlobals(globalsFor(collected), declare);
  const entered: Group[] = [];
  return collected.map(({ group, name, body }, index) => ({
    name: [...group.path.map((each) => each.name), name].filter(Boolean).join(" > "),
    run: async () => {
      const restore = setGlobals({ expect: portableExpect() });
      try {
        await leave(entered, (each) => !group.path.includes(each));
        await enter(entered, group);
        await runTest(group, body);
      } finally {
        const after = collected.slice(index + 1);
        await leave(entered, (each) => !after.some((test) => test.group.path.includes(each)));
        restore();
      }
    },
  }));
}

/** The globals that a suite uses. */
function globalsFor(collected: Collected[]): Record<string, unknown> {
  let current = new Group(undefined, "");
  const describe = (name: string, declare: Step) => {
    const outer = current;
    current = new Group(outer, name);
    try {
      declare();
    } finally {
      current = outer;
    }
  };
  const it = (name: string, body: Step) => {
    collected.push({ group: current, name, body });
  };
  const skip = (name: string) => {
    throw new Error(`the suite skips "${name}", which it must not`);
  };
  return {
    describe: Object.assign(describe, { each: eachOf(describe) }),
    it: Object.assign(it, { each: eachOf(it), skip }),
    beforeAll: (step: Step) => current.beforeAll.push(step),
    afterAll: (step: Step) => current.afterAll.push(step),
    beforeEach: (step: Step) => current.beforeEach.push(step),
    afterEach: (step: Step) => current.afterEach.push(step),
  };
}

/**
 * `each`: declares once for every case. `%s` or `$key` in a name is replaced by a part of the case.
 */
function eachOf(declare: (name: string, body: Step) => void) {
  return (cases: readonly unknown[]) => (name: string, body: (...values: unknown[]) => unknown) => {
    for (const value of cases) {
      const values = Array.isArray(value) ? value : [value];
      const shown = name
        .replace("%s", () => String(values[0]))
        .replace(/\$(\w+)/g, (_, key: string) => String((value as Record<string, unknown>)[key]));
      declare(shown, () => body(...values));
    }
  };
}

async function runTest(group: Group, body: Step): Promise<void> {
  try {
    for (const { beforeEach } of group.path) for (const step of beforeEach) await step();
    await body();
  } finally {
    for (const { afterEach } of group.path.toReversed()) {
      for (const step of afterEach.toReversed()) await step();
    }
  }
}

async function enter(entered: Group[], group: Group): Promise<void> {
  for (const each of group.path) {
    if (entered.includes(each)) continue;
    entered.push(each);
    for (const step of each.beforeAll) await step();
  }
}

async function leave(entered: Group[], done: (group: Group) => boolean): Promise<void> {
  for (let last = entered.at(-1); last !== undefined && done(last); last = entered.at(-1)) {
    entered.pop();
    for (const step of last.afterAll.toReversed()) await step();
  }
}

function withGlobals(values: Record<string, unknown>, run: () => void): void {
  const restore = setGlobals(values);
  try {
    run();
  } finally {
    restore();
  }
}

/** Sets globals, and returns a function that restores those the runner had. */
function setGlobals(values: Record<string, unknown>): () => void {
  const before = Object.keys(values).map((name) => {
    return [name, Object.getOwnPropertyDescriptor(globalThis, name)] as const;
  });
  for (const [name, value] of Object.entries(values)) {
    Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });
  }
  return () => {
    for (const [name, descriptor] of before) {
      if (descriptor === undefined) Reflect.deleteProperty(globalThis, name);
      else Object.defineProperty(globalThis, name, descriptor);
    }
  };
}
