// Compares values more strictly than by equality.

import { isDeepStrictEqual, types } from "node:util";

/**
 * Expects two values to be indistinguishable but to share no object: the same prototypes, the same
 * properties in the same order, and the same object in two places if the other has that.
 */
export function expectAlike(actual: unknown, expected: unknown): void {
  const difference = differenceOf(actual, expected, "value", new Map());
  if (difference !== undefined) expect.fail(difference);
  if (!isDeepStrictEqual(actual, expected)) expect.fail("the values are not equal");
}

function differenceOf(
  one: unknown,
  other: unknown,
  path: string,
  pairs: Map<object, object>,
): string | undefined {
  if (!isObject(one) || !isObject(other)) {
    return Object.is(one, other) ? undefined : `${path} is not the same`;
  }
  if (pairs.has(one) || pairs.has(other)) {
    return pairs.get(one) === other ? undefined : `${path} is another object`;
  }
  if (one === other) return `${path} is shared`;
  pairs.set(one, other);
  pairs.set(other, one);
  if (Object.getPrototypeOf(one) !== Object.getPrototypeOf(other)) {
    return `${path} has another prototype`;
  }
  const keys = Reflect.ownKeys(one);
  const otherKeys = Reflect.ownKeys(other);
  if (keys.length !== otherKeys.length || keys.some((key, at) => key !== otherKeys[at])) {
    return `${path} has other properties`;
  }
  for (const key of keys) {
    const [here, there] = [one, other].map((object) =>
      Reflect.getOwnPropertyDescriptor(object, key),
    );
    const place = `${path}.${String(key)}`;
    if (attributesOf(here) !== attributesOf(there)) return `${place} is defined elsewise`;
    const difference = differenceOf(here?.value, there?.value, place, pairs);
    if (difference !== undefined) return difference;
  }
  const isHeld =
    (types.isMap(one) && types.isMap(other)) || (types.isSet(one) && types.isSet(other));
  return isHeld ? differenceOf([...one], [...other], `${path}()`, pairs) : undefined;
}

function attributesOf(property: PropertyDescriptor | undefined): string {
  const { writable, enumerable, configurable, get, set } = property ?? {};
  return [writable, enumerable, configurable, get === undefined, set === undefined].join();
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}
