// In Workers an import of a file of WebAssembly gives the compiled module.

declare module "*.wasm" {
  const module: WebAssembly.Module;
  export default module;
}
