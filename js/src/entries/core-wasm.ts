// The types of this package's `.wasm` files, as Workers and Node.js's `import source` load them.
// Other tools may give another value.

import "../platform/web-assembly.js";

declare const module: WebAssembly.Module;
export default module;
