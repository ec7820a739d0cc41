//! What a source file imports of its own folder: the files, with the lines that say so.

use std::collections::BTreeSet;

use super::text::{SourceFile, split_comment};

/// A file's import of another one of the same folder.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Import {
    /// Counted from 1.
    pub(super) line: usize,
    /// The path of the other file within the folder.
    pub(super) target: String,
}

/// The imports of a file whose path within the folder is `path`. `paths` are all files there.
pub(super) fn imports(file: &SourceFile, path: &str, paths: &BTreeSet<&str>) -> Vec<Import> {
    if file.has_extension(&["rs"]) { of_rust(file, path, paths) } else { of_script(file, path) }
}

/// Imports of types count, and so do exports from another file.
fn of_script(file: &SourceFile, path: &str) -> Vec<Import> {
    let import = |(line, text): (usize, &str)| {
        let code = split_comment(text).0;
        let starts = ["from \".", "import \".", "import(\"."];
        let (_, after) = starts.into_iter().find_map(|start| code.split_once(start))?;
        let (target, _) = after.split_once('"')?;
        let target = format!(".{target}");
        let mut steps: Vec<_> = path.split('/').collect();
        steps.pop();
        for step in target.split('/') {
            match step {
                "." => {}
                ".." => {
                    steps.pop()?;
                }
                step => steps.push(step),
            }
        }
        Some(Import { line, target: steps.join("/").strip_suffix(".js")?.to_owned() + ".ts" })
    };
    file.lines().filter_map(import).collect()
}

/// Every path that begins with `crate`, `self`, `super` or a module of this file counts, in `use`
/// as elsewhere. It leads to the innermost module that it names, even if that re-exports the rest.
fn of_rust(file: &SourceFile, path: &str, paths: &BTreeSet<&str>) -> Vec<Import> {
    let lines = file.shipped_code();
    let module = path.trim_end_matches(".rs");
    let own: Vec<_> = module.split('/').filter(|name| !["lib", "main"].contains(name)).collect();
    let children: Vec<_> = lines.iter().filter_map(|(_, line)| declared(line)).collect();
    let mut code = String::new();
    let mut starts = Vec::new();
    for (number, line) in &lines {
        starts.push((code.len(), *number));
        code.push_str(line);
        code.push('\n');
    }
    let mut imports = Vec::new();
    for (at, _) in code.match_indices("::") {
        let start = code[..at].trim_end_matches(is_of_name).len();
        let head = &code[start..at];
        let relative = ["crate", "self", "super"].contains(&head) || children.contains(&head);
        if !relative || code[..start].ends_with("::") {
            continue;
        }
        let line = starts.iter().rev().find(|(begin, _)| *begin <= start).map_or(0, |(_, it)| *it);
        let mut named = Vec::new();
        gather(&code[start..], &[], &mut named);
        for names in named {
            let target = innermost(&own, &names, paths);
            imports.extend(target.map(|target| Import { line, target: target.to_owned() }));
        }
    }
    imports.retain(|import| import.target != path);
    imports
}

/// The module that a line declares, if its text is in another file.
fn declared(line: &str) -> Option<&str> {
    let (before, name) = line.strip_suffix(';')?.split_once("mod ")?;
    let before = before.trim();
    (before.is_empty() || before.starts_with("pub")).then_some(name)
}

fn is_of_name(sign: char) -> bool {
    sign.is_alphanumeric() || sign == '_'
}

/// Adds the path that the code begins with, or the paths if it has braces. Returns what follows.
fn gather<'a>(code: &'a str, before: &[&'a str], paths: &mut Vec<Vec<&'a str>>) -> &'a str {
    let code = code.trim_start();
    if let Some(mut rest) = code.strip_prefix('{') {
        loop {
            let next = gather(rest, before, paths).trim_start_matches([',', '*']).trim_start();
            if next.starts_with('}') || next.len() == rest.len() {
                return next.strip_prefix('}').unwrap_or_default();
            }
            rest = next;
        }
    }
    let (name, rest) = code.split_at(code.find(|sign| !is_of_name(sign)).unwrap_or(code.len()));
    let path = [before, &[name]].concat();
    if let Some(rest) = rest.strip_prefix("::") {
        return gather(rest, &path, paths);
    }
    paths.push(path);
    // A name that is given follows the path.
    rest.strip_prefix(" as ").map_or(rest, |rest| rest.trim_start_matches(is_of_name))
}

/// The file of the innermost module on a path that a module names.
fn innermost<'a>(own: &[&str], names: &[&str], paths: &BTreeSet<&'a str>) -> Option<&'a str> {
    let mut module = own.to_vec();
    for name in names {
        match *name {
            "crate" => module.clear(),
            "self" => {}
            "super" => {
                module.pop();
            }
            name => module.push(name),
        }
    }
    while !module.is_empty() {
        if let Some(file) = paths.get(format!("{}.rs", module.join("/")).as_str()) {
            return Some(file);
        }
        module.pop();
    }
    ["lib.rs", "main.rs"].into_iter().find_map(|root| paths.get(root).copied())
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATHS: [&str; 5] = ["lib.rs", "a.rs", "a/b.rs", "a/b/c.rs", "d.rs"];

    fn of(path: &str, text: &str) -> Vec<(usize, String)> {
        let file = SourceFile::new(path.to_owned(), text.to_owned());
        let imports = imports(&file, path, &BTreeSet::from(PATHS));
        imports.into_iter().map(|import| (import.line, import.target)).collect()
    }

    fn targets(path: &str, text: &str) -> Vec<String> {
        of(path, text).into_iter().map(|(_, target)| target).collect()
    }

    #[test]
    fn every_branch_of_a_use_is_an_import() {
        let text =
            "\nuse crate::{\n    a::{self, b::{c::X as Y, Z}, *},\n    d,\n};\nuse std::d;\n";
        assert_eq!(targets("e.rs", text), ["a.rs", "a/b/c.rs", "a/b.rs", "a.rs", "d.rs"]);
        assert_eq!(of("e.rs", text)[0].0, 2);
    }

    #[test]
    fn paths_in_code_and_of_own_modules_are_imports() {
        assert_eq!(targets("a/b/c.rs", "f(super::super::x, super::y());"), ["a.rs", "a/b.rs"]);
        assert_eq!(targets("a.rs", "mod b;\nuse b::X;\nself::b::c::f();"), ["a/b.rs", "a/b/c.rs"]);
        assert_eq!(targets("d.rs", "crate::x::<u8>()"), ["lib.rs"]);
    }

    #[test]
    fn comments_tests_and_what_a_file_has_itself_are_no_imports() {
        let text = "//! crate::d::X\npub(crate) mod b;\n#[cfg(test)]\nmod tests {\n    \
                    use crate::d::X;\n}\nuse self::Own;\nuse serde::de::d::X;\n";
        assert_eq!(targets("a.rs", text), [""; 0]);
    }

    #[test]
    fn types_and_bare_imports_of_a_script_are_imports() {
        let text = "import type { A } from \"../x/a.js\";\nimport \"./b.js\";\n\
                    import c from \"c\";\n} from \"./d.js\"; // from \"./e.js\"";
        let expected = [(1, "x/a.ts"), (2, "y/b.ts"), (4, "y/d.ts")];
        assert_eq!(of("y/f.ts", text), expected.map(|(line, to)| (line, to.to_owned())));
    }
}
