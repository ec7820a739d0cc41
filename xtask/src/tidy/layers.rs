//! The layers of `js/src`: imports point downward, and no files import each other in a circle.

use std::collections::{BTreeMap, BTreeSet};

use super::Complaint;
use super::text::{SourceFile, split_comment};

const SOURCE: &str = "js/src/";

/// From the top down: a layer imports only from itself and from those after it.
const LAYERS: &[&str] = &[
    "entries",
    "testing",
    "stores",
    "langgraph",
    "changes",
    "serde",
    "planner",
    "options.ts",
    "errors.ts",
    "platform",
];

/// Complains of imports that go up, and of layers that are not in the list.
pub(super) fn upward(file: &SourceFile) -> Vec<Complaint> {
    let Some(path) = in_source(file) else {
        return Vec::new();
    };
    let Some(own) = depth(path) else {
        let what = format!("{} is not a layer of js/src: see LAYERS in xtask", layer(path));
        return vec![Complaint { line: 0, what }];
    };
    let upward = |(line, target): (usize, String)| {
        let above = depth(&target).is_none_or(|depth| depth < own);
        above.then(|| Complaint {
            line,
            what: format!("{} is above {}: import downward", layer(&target), layer(path)),
        })
    };
    imports(file, path).into_iter().filter_map(upward).collect()
}

/// Returns a file that imports itself through others, if there is one.
pub(super) fn circle(files: &[SourceFile]) -> Option<String> {
    let edges: BTreeMap<&str, Vec<String>> = files
        .iter()
        .filter_map(|file| in_source(file).map(|path| (path, file)))
        .map(|(path, file)| (path, imports(file, path).into_iter().map(|(_, to)| to).collect()))
        .collect();
    edges.keys().find(|path| reaches_itself(path, &edges)).map(|path| (*path).to_owned())
}

fn reaches_itself(path: &str, edges: &BTreeMap<&str, Vec<String>>) -> bool {
    let mut seen = BTreeSet::new();
    let mut open = vec![path];
    while let Some(file) = open.pop() {
        for target in edges.get(file).into_iter().flatten() {
            if target == path {
                return true;
            }
            if seen.insert(target.as_str()) {
                open.push(target);
            }
        }
    }
    false
}

/// The path of a source file within `js/src`; `None` for other files.
fn in_source(file: &SourceFile) -> Option<&str> {
    file.path().strip_prefix(SOURCE).filter(|path| path.ends_with(".ts"))
}

fn layer(path: &str) -> &str {
    path.split('/').next().unwrap_or(path)
}

fn depth(path: &str) -> Option<usize> {
    LAYERS.iter().position(|name| *name == layer(path))
}

/// The files of `js/src` that a file imports, with the lines of the imports.
fn imports(file: &SourceFile, path: &str) -> Vec<(usize, String)> {
    let folder: Vec<_> = path.split('/').collect();
    let folder = &folder[..folder.len() - 1];
    let import = |(line, text): (usize, &str)| {
        let (_, after) = split_comment(text).0.split_once("from \".")?;
        let (target, _) = after.split_once('"')?;
        let target = format!(".{target}");
        let mut steps = folder.to_vec();
        for step in target.split('/') {
            match step {
                "." => {}
                ".." => {
                    steps.pop()?;
                }
                step => steps.push(step),
            }
        }
        Some((line, steps.join("/").strip_suffix(".js")?.to_owned() + ".ts"))
    };
    file.lines().filter_map(import).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str, text: &str) -> SourceFile {
        SourceFile::new(path.to_owned(), text.to_owned())
    }

    #[test]
    fn an_import_from_a_layer_above_is_reported() {
        let down = "import { a } from \"../planner/a.js\";\nimport b from \"./b.js\";\n";
        assert!(upward(&file("js/src/serde/a.ts", down)).is_empty());
        let up = "\nimport { a } from \"../../entries/sqlite.js\";";
        let reported = upward(&file("js/src/stores/sqlite/a.ts", up));
        assert_eq!(reported[0].line, 2);
        assert_eq!(upward(&file("js/src/cellar/a.ts", "")).len(), 1);
        assert!(upward(&file("js/test/a.ts", up)).is_empty());
    }

    #[test]
    fn a_circle_of_files_is_reported() {
        let [a, b, c] = ["b", "c", "a"].map(|to| format!("export {{ x }} from \"./{to}.js\";"));
        let mut files = vec![file("js/src/serde/a.ts", &a), file("js/src/serde/b.ts", &b)];
        assert_eq!(circle(&files), None);
        files.push(file("js/src/serde/c.ts", &c));
        assert_eq!(circle(&files).as_deref(), Some("serde/a.ts"));
    }
}
