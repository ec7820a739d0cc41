type Class = abstract new (...args: never) => object;

/**
 * Makes `instanceof` true of the instances of other copies of error classes: a program may hold
 * this package twice, as a module and as CommonJS, or in two places of `node_modules`. Their names
 * are those given here, whatever a minifier calls the classes.
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
        // A class that extends this one inherits the test, and not the mark.
        if (this !== shared) return Function.prototype[Symbol.hasInstance].call(this, value);
        return typeof value === "object" && value !== null && mark in value;
      },
    });
  }
}
