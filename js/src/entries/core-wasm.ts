// The types of this package's `.wasm` files: what an import of them gives in Workers, and an
// `import source` in Node.js. Other tools give what they make of such files.

import "../platform/web-assembly.js";

declare const module: WebAssembly.Module;
export default module;
