// What two values have in common beyond being equal.

import { isDeepStrictEqual, types } from "node:util";

/**
 * Expects two values to be alike in all that a program could tell, and to share no object: the
 * same prototypes, properties in the same order, and the same object in two places where that is
 * so in the other.
 */
export function expectAlike(actual: unknown, expected: unknown): void {
  const pairs = new Map<object, object>();
  const compare = (one: unknown, other: unknown, path: string): void => {
    if (!isObject(one) || !isObject(other)) {
      if (!Object.is(one, other)) expect.fail(`${path} is not the same`);
      return;
    }
    if (pairs.has(one) || pairs.has(other)) {
      if (pairs.get(one) !== other) expect.fail(`${path} is another object`);
      return;
    }
    if (one === other) expect.fail(`${path} is shared`);
    pairs.set(one, other);
    pairs.set(other, one);
    if (Object.getPrototypeOf(one) !== Object.getPrototypeOf(other)) {
      expect.fail(`${path} has another prototype`);
    }
    if (Object.isExtensible(one) !== Object.isExtensible(other)) expect.fail(`${path} is sealed`);
    expect(keysOf(one), path).toEqual(keysOf(other));
    for (const key of Reflect.ownKeys(one)) {
      const [here, there] = [one, other].map((object) => {
        return Object.getOwnPropertyDescriptor(object, key) ?? {};
      });
      compare(here?.value, there?.value, `${path}.${String(key)}`);
      expect({ ...here, value: 0 }, path).toEqual({ ...there, value: 0 });
    }
    if (types.isMap(one) && types.isMap(other)) compare([...one], [...other], `${path}()`);
    if (types.isSet(one) && types.isSet(other)) compare([...one], [...other], `${path}()`);
  };
  compare(actual, expected, "value");
  if (!isDeepStrictEqual(actual, expected)) expect.fail("the values are not equal");
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}

function keysOf(value: object): string[] {
  return Reflect.ownKeys(value).map(String);
}
