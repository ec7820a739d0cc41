// The WebAssembly types that this package's types mention, for programs that are compiled without
// the types of browsers or Node.js. They merge with those if present.

declare global {
  namespace WebAssembly {
    interface Module {}
    interface Instance {}
  }
}

export {};
