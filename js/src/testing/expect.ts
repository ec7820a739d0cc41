// `expect` as LangGraph's suite uses it, in any test runner or without one.

import {
  ASYMMETRIC_MATCHERS_OBJECT,
  chai,
  GLOBAL_EXPECT,
  JestAsymmetricMatchers,
  JestChaiExpect,
  setState,
} from "@vitest/expect";

/** An assertion: `expect(actual).toEqual(expected)`. */
export type Expect = (
  actual: unknown,
  message?: string,
) => { toBe(expected: unknown): void; toStrictEqual(expected: unknown): void };

let made: Expect | undefined;

/** Makes `expect` once. If the runner has one of the same kind, its state is not touched. */
export function portableExpect(): Expect {
  if (made !== undefined) return made;
  chai.use(JestChaiExpect);
  chai.use(JestAsymmetricMatchers);
  const expect = (actual: unknown, message?: string) => chai.expect(actual, message);
  const globals = globalThis as Record<symbol, unknown>;
  Object.defineProperties(expect, ownProperties(chai.expect));
  Object.assign(expect, globals[ASYMMETRIC_MATCHERS_OBJECT], { soft: expect });
  const state = { assertionCalls: 0, isExpectingAssertions: false, expectedAssertionsNumber: null };
  Reflect.apply(setState, undefined, [state, expect]);
  globals[GLOBAL_EXPECT] ??= expect;
  made = expect as unknown as Expect;
  return made;
}

/**
 * The properties of a function, enumerable or not, as `arrayContaining`, without those that every
 * function has.
 */
function ownProperties(from: object): PropertyDescriptorMap {
  const { length, name, prototype, ...others } = Object.getOwnPropertyDescriptors(from) as Record<
    string,
    PropertyDescriptor
  >;
  return others;
}
