// What this package's types name of WebAssembly, for programs that are compiled without the types
// of browsers or of Node.js. With those they are one.

declare global {
  namespace WebAssembly {
    interface Module {}
    interface Instance {}
  }
}

export {};
