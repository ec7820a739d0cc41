// A step that needs no waiting is taken at once, in the caller's own turn of the event loop:
// this is what keeps calls in order and lets the writes of one turn share a commit.

/** A value, or the promise of one. */
export type Eventually<T> = T | Promise<T>;

/** Whether a value is to be waited for. */
export function isPending<T>(value: Eventually<T>): value is Promise<T> {
  return value instanceof Promise;
}

/** Goes on with a value: at once when it is there, else when it comes. */
export function whenReady<T, R>(
  value: Eventually<T>,
  next: (value: T) => Eventually<R>,
): Eventually<R> {
  return isPending(value) ? value.then(next) : next(value);
}

/** All values, without waiting when all are there. */
export function allReady<T>(values: readonly Eventually<T>[]): Eventually<T[]> {
  const ready: T[] = [];
  for (const value of values) {
    if (isPending(value)) return Promise.all(values);
    ready.push(value);
  }
  return ready;
}

/** Both values, without waiting when both are there. No failure goes unnoticed. */
export function bothReady<A, B>(one: Eventually<A>, other: Eventually<B>): Eventually<[A, B]> {
  return isPending(one) || isPending(other) ? Promise.all([one, other]) : [one, other];
}
