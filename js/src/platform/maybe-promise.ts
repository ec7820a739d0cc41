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

/**
 * What is made of all of these, without waiting when all is there. Where more than one fails, one
 * failure is told, and none is a rejection that nobody handles.
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

/** For a promise whose failure another failure hides. */
export function ignoreFailure(promise: Promise<unknown>): void {
  promise.catch(() => undefined);
}
