type Class = abstract new (...args: never) => object;

/**
 * Makes `instanceof` work across copies of this package. A program may hold it twice: as a module
 * and as CommonJS, or in two places of `node_modules`. Sets each class's `name` to the given one,
 * so that minifiers do not change it.
 */
export function sharedAmongCopies(classes: Record<string, Class>): void {
  for (const [name, shared] of Object.entries(classes)) {
    const mark = Symbol.for(`langgraph-checkpoint-wasm.${name}`);
    Object.defineProperties(shared.prototype, {
      [mark]: { value: true },
      name: { value: name, writable: true, configurable: true },
    });
    Object.defineProperty(shared, Symbol.hasInstance, {
      value(this: unknown, value: unknown): boolean {
        // A subclass inherits this test but has no mark of its own.
        if (this !== shared) return Function.prototype[Symbol.hasInstance].call(this, value);
        return typeof value === "object" && value !== null && mark in value;
      },
    });
  }
}
