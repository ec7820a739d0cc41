//! The world of a built component, read from its bytes.

use std::fmt;

use anyhow::{Context, Result, bail};
use wasmparser::{Encoding, Parser, Payload};

/// An interface of types without functions: importing it gives a component no access to anything.
pub(crate) const TYPES: &str = "langgraph:checkpoint/types@";

/// The names a component imports and exports.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct World {
    imports: Vec<String>,
    exports: Vec<String>,
}

impl World {
    /// Reads the component's own sections, not those of nested components.
    pub(crate) fn decode(bytes: &[u8]) -> Result<Self> {
        let mut world = World::default();
        let mut depth = 0_usize;
        for payload in Parser::new(0).parse_all(bytes) {
            match payload.context("not a WebAssembly binary")? {
                Payload::Version { encoding, .. } => {
                    if depth == 0 && encoding != Encoding::Component {
                        bail!("a core module, where a component is expected");
                    }
                    depth += 1;
                }
                Payload::End(_) => depth = depth.saturating_sub(1),
                Payload::ComponentImportSection(section) if depth == 1 => {
                    for import in section {
                        world.imports.push(import?.name.name.to_owned());
                    }
                }
                Payload::ComponentExportSection(section) if depth == 1 => {
                    for export in section {
                        world.exports.push(export?.name.name.to_owned());
                    }
                }
                _ => {}
            }
        }
        Ok(world)
    }

    /// Fails on an import without one of these prefixes, and if nothing is exported.
    pub(crate) fn require_imports(&self, allowed: &[&str]) -> Result<()> {
        let others = self.imports.iter().map(String::as_str);
        let others = others.filter(|name| !allowed.iter().any(|begin| name.starts_with(begin)));
        let others = others.collect::<Vec<_>>();
        if !others.is_empty() {
            bail!("the component imports what it may not: {}", others.join(", "));
        }
        if self.exports.is_empty() {
            bail!("the component exports nothing");
        }
        Ok(())
    }
}

/// The core module of a component. Fails if it does not have exactly one.
pub(crate) fn core_module(component: &[u8]) -> Result<&[u8]> {
    let mut modules = Vec::new();
    for payload in Parser::new(0).parse_all(component) {
        if let Payload::ModuleSection { unchecked_range, .. } = payload? {
            modules.push(unchecked_range);
        }
    }
    match modules.as_slice() {
        [range] => {
            let range = usize::try_from(range.start)?..usize::try_from(range.end)?;
            component.get(range).context("the component ends early")
        }
        _ => bail!("the component has {} core modules, not one", modules.len()),
    }
}

impl fmt::Display for World {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("world {")?;
        for name in &self.imports {
            write!(formatter, " import {name};")?;
        }
        for name in &self.exports {
            write!(formatter, " export {name};")?;
        }
        formatter.write_str(" }")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const COMPONENT: &[u8] = b"\0asm\x0d\0\x01\0";
    const MODULE: &[u8] = b"\0asm\x01\0\0\0";

    /// A component with `(import "a:b/c" (instance (type 0)))` and no export.
    fn importing() -> Vec<u8> {
        let mut bytes = COMPONENT.to_vec();
        bytes.extend(b"\x07\x03\x01\x42\x00");
        bytes.extend(b"\x0a\x0a\x01\x00\x05a:b/c\x05\x00");
        bytes
    }

    #[test]
    fn an_import_is_refused_by_name() {
        let world = World::decode(&importing()).unwrap();
        assert_eq!(world.to_string(), "world { import a:b/c; }");
        let error = world.require_imports(&["a:b/d", "b:"]).unwrap_err();
        assert!(error.to_string().ends_with("may not: a:b/c"), "{error}");
    }

    #[test]
    fn an_import_that_is_allowed_by_its_beginning_is_not_refused() {
        let mut world = World::decode(&importing()).unwrap();
        world.exports.push("a:b/e".to_owned());
        world.require_imports(&["a:b/"]).unwrap();
        assert!(world.require_imports(&[]).is_err());
    }

    #[test]
    fn imports_of_nested_modules_are_not_the_component_s() {
        let mut bytes = COMPONENT.to_vec();
        // a core module of one import section: (import "m" "n" (func (type 0)))
        let mut module = MODULE.to_vec();
        module.extend(b"\x01\x04\x01\x60\x00\x00\x02\x07\x01\x01m\x01n\x00\x00");
        bytes.push(1);
        bytes.push(u8::try_from(module.len()).unwrap());
        bytes.extend(module);
        assert_eq!(World::decode(&bytes).unwrap(), World::default());
    }

    #[test]
    fn a_core_module_is_refused() {
        assert!(World::decode(MODULE).unwrap_err().to_string().contains("core module"));
    }

    #[test]
    fn nothing_exported_is_refused() {
        let world = World::decode(COMPONENT).unwrap();
        assert!(world.require_imports(&[]).unwrap_err().to_string().contains("exports nothing"));
    }

    #[test]
    fn damaged_bytes_are_refused() {
        assert!(World::decode(b"not wasm").is_err());
        assert!(World::decode(&importing()[..20]).is_err());
    }
}
