// Values that may be promises. A step that need not wait runs at once, in the caller's turn of the
// event loop: that keeps calls in order and lets the writes of one turn share a commit.

/** A value, or the promise of one. */
export type Eventually<T> = T | Promise<T>;

/** Whether a value is a promise. */
export function isPending<T>(value: Eventually<T>): value is Promise<T> {
  return value instanceof Promise;
}

/** Calls `next` with a value: at once if it is there, else when it resolves. */
export function whenReady<T, R>(
  value: Eventually<T>,
  next: (value: T) => Eventually<R>,
): Eventually<R> {
  return isPending(value) ? value.then(next) : next(value);
}

/**
 * Makes a value of every source, without waiting if none is a promise. If several fail, one failure
 * is thrown, and the others cause no unhandled rejection.
 */
export function allReady<Source, T>(
  sources: readonly Source[],
  make: (source: Source, index: number) => Eventually<T>,
): Eventually<T[]> {
  const ready: T[] = [];
  const made: Eventually<T>[] = [];
  try {
    for (const [index, source] of sources.entries()) {
      const value = make(source, index);
      made.push(value);
      if (!isPending(value)) ready.push(value);
    }
  } catch (thrown) {
    for (const value of made) if (isPending(value)) ignoreFailure(value);
    throw thrown;
  }
  return ready.length === made.length ? ready : Promise.all(made);
}

/** The same for two of different kinds. */
export function bothReady<A, B>(
  one: () => Eventually<A>,
  other: () => Eventually<B>,
): Eventually<[A, B]> {
  const both = allReady<() => Eventually<A | B>, A | B>([one, other], (make) => make());
  return both as Eventually<[A, B]>;
}

/** Marks a rejection as handled, because another failure is reported in its place. */
export function ignoreFailure(promise: Promise<unknown>): void {
  promise.catch(() => undefined);
}
