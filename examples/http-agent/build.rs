//! Makes the linker leave out its adapter for WASI 0.1. This component needs none, and the adapter
//! would replace the interfaces of WASI 0.2.0, which more hosts have, by newer ones.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    if std::env::var("CARGO_CFG_TARGET_ARCH").is_ok_and(|arch| arch == "wasm32") {
        println!("cargo::rustc-link-arg-cdylib=--wasi-adapter=none");
    }
}
