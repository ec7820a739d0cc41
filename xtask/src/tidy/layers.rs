//! The layers of each source folder: imports point downward, and no files import each other in a
//! circle.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::imports::{Import, imports};
use super::text::SourceFile;

/// A folder of sources. A module is a file in it, a folder in it, or both of one name.
struct Sources {
    folder: &'static str,
    /// The modules from the top layer down: a module imports only from itself and from the layers
    /// below. Empty if the folder has no layers.
    layers: &'static [&'static [&'static str]],
    layers_max: usize,
}

const MODULES_MAX: usize = 10;

const SOURCES: &[Sources] = &[
    Sources {
        folder: "guest/src/",
        layers: &[
            &["lib"],
            &["fuzzing", "wire", "wit"],
            &["stores", "takeover"],
            &["operations"],
            &["cache", "format"],
            &["contract"],
        ],
        layers_max: 6,
    },
    Sources {
        folder: "js/src/",
        layers: &[
            &["entries", "testing"],
            &["stores"],
            &["langgraph"],
            &["changes"],
            &["options", "planner", "serde"],
            &["errors"],
            &["platform"],
        ],
        layers_max: 7,
    },
    Sources { folder: "cli/src/", layers: &[], layers_max: 0 },
    Sources { folder: "host/src/", layers: &[], layers_max: 0 },
    Sources { folder: "python/src/", layers: &[], layers_max: 0 },
    Sources { folder: "xtask/src/", layers: &[], layers_max: 0 },
];

/// Returns everything that is wrong with the layers.
pub(super) fn complaints(files: &[SourceFile]) -> Vec<String> {
    SOURCES.iter().flat_map(|sources| sources.complaints(files)).collect()
}

/// The imports of each file, by its path within its folder.
type Edges<'a> = BTreeMap<&'a str, Vec<Import>>;

impl Sources {
    fn complaints(&self, files: &[SourceFile]) -> Vec<String> {
        let within = |file| Some((self.within(file)?, file));
        let inside: BTreeMap<&str, &SourceFile> = files.iter().filter_map(within).collect();
        let paths: BTreeSet<&str> = inside.keys().copied().collect();
        let edges: Edges<'_> =
            inside.iter().map(|(path, file)| (*path, imports(file, path, &paths))).collect();
        let mut complaints = self.circle(&edges).into_iter().collect::<Vec<_>>();
        if !self.layers.is_empty() {
            complaints.extend(self.size());
            complaints.extend(self.unlisted(&paths));
            complaints.extend(self.upward(&edges));
        }
        complaints
    }

    /// The path within the folder, of a source file there that is more than tests.
    fn within<'a>(&self, file: &'a SourceFile) -> Option<&'a str> {
        let path = file.path().strip_prefix(self.folder)?;
        let tests = path.rsplit('/').next() == Some("tests.rs");
        (file.has_extension(&["rs", "ts"]) && !tests).then_some(path)
    }

    /// Complains of too many modules or layers.
    fn size(&self) -> Option<String> {
        let (modules, layers) = (self.layers.iter().copied().flatten().count(), self.layers.len());
        (modules > MODULES_MAX || layers > self.layers_max).then(|| {
            format!(
                "{}: {modules} modules on {layers} layers, at most {MODULES_MAX} on {}",
                self.folder, self.layers_max
            )
        })
    }

    /// Complains of modules that are not in the list, or only there.
    fn unlisted(&self, paths: &BTreeSet<&str>) -> Vec<String> {
        let found: BTreeSet<&str> = paths.iter().map(|path| module(path)).collect();
        let listed: BTreeSet<&str> = self.layers.iter().copied().flatten().copied().collect();
        let differing = found.symmetric_difference(&listed);
        differing
            .map(|module| {
                format!("{}{module}: list the modules that exist in SOURCES", self.folder)
            })
            .collect()
    }

    fn layer(&self, path: &str) -> Option<usize> {
        self.layers.iter().position(|modules| modules.contains(&module(path)))
    }

    /// Complains of imports that do not point downward.
    fn upward(&self, edges: &Edges<'_>) -> Vec<String> {
        let mut complaints = Vec::new();
        for (path, imports) in edges {
            for Import { line, target } in imports {
                let (from, to) = (module(path), module(target));
                if from != to && self.layer(target) <= self.layer(path) {
                    let folder = self.folder;
                    complaints.push(format!(
                        "{folder}{path}:{line}: {to} is not below {from}: import downward"
                    ));
                }
            }
        }
        complaints
    }

    /// Returns the first file that imports itself through others, with the shortest way.
    fn circle(&self, edges: &Edges<'_>) -> Option<String> {
        let way = edges.keys().find_map(|path| way_back(path, edges))?;
        let (first, line) = (way.first()?, way.get(1)?.1);
        let folder = self.folder;
        let names: Vec<&str> = way.iter().map(|(path, _)| *path).collect();
        let names = names.join(" -> ");
        Some(format!("{folder}{}:{line}: files import each other in a circle: {names}", first.0))
    }
}

/// The shortest way from a file by its imports to itself, each step with the line that takes it.
fn way_back<'a>(path: &'a str, edges: &'a Edges<'_>) -> Option<Vec<(&'a str, usize)>> {
    let mut seen = BTreeSet::new();
    let mut ways = VecDeque::from([vec![(path, 0)]]);
    while let Some(way) = ways.pop_front() {
        let (last, _) = way.last()?;
        for Import { line, target } in edges.get(last).into_iter().flatten() {
            let longer = [way.as_slice(), &[(target.as_str(), *line)]].concat();
            if target == path {
                return Some(longer);
            }
            if seen.insert(target.as_str()) {
                ways.push_back(longer);
            }
        }
    }
    None
}

fn module(path: &str) -> &str {
    path.split(['/', '.']).next().unwrap_or(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAMPLE: Sources =
        Sources { folder: "x/src/", layers: &[&["a", "b"], &["c"]], layers_max: 2 };

    fn complaints_about(files: &[(&str, &str)]) -> Vec<String> {
        let file = |(path, text): &(&str, &str)| {
            SourceFile::new(format!("x/src/{path}"), (*text).to_owned())
        };
        SAMPLE.complaints(&files.iter().map(file).collect::<Vec<_>>())
    }

    #[test]
    fn imports_within_a_module_and_downward_are_tidy() {
        let script = "import { d } from \"../c/d.js\";\nimport { e } from \"./e.js\";";
        let files = [("a/d.ts", script), ("a/e.ts", ""), ("b.ts", ""), ("c/d.ts", "")];
        assert_eq!(complaints_about(&files), [""; 0]);
        let files = [("a.rs", "use crate::c::X;"), ("b.rs", "use super::c;"), ("c.rs", "")];
        assert_eq!(complaints_about(&files), [""; 0]);
    }

    #[test]
    fn imports_upward_and_from_the_same_layer_are_reported_with_their_line() {
        let up = "import x from \"y\";\nimport type { A } from \"../a/d.js\";";
        let reported = complaints_about(&[("a/d.ts", ""), ("b.ts", ""), ("c/d.ts", up)]);
        assert_eq!(reported, ["x/src/c/d.ts:2: a is not below c: import downward"]);
        let files = [("a.rs", ""), ("b/d.rs", "use crate::a::X;"), ("b.rs", ""), ("c.rs", "")];
        let beside = complaints_about(&files);
        assert_eq!(beside, ["x/src/b/d.rs:1: a is not below b: import downward"]);
    }

    #[test]
    fn modules_that_are_not_listed_or_not_there_are_reported() {
        let reported = complaints_about(&[("a.rs", ""), ("c.rs", ""), ("cellar/d.rs", "")]);
        let modules = ["b", "cellar"];
        assert_eq!(
            reported,
            modules.map(|it| format!("x/src/{it}: list the modules that exist in SOURCES"))
        );
    }

    #[test]
    fn too_many_modules_or_layers_are_reported() {
        assert_eq!(SAMPLE.size(), None);
        assert!(Sources { layers_max: 1, ..SAMPLE }.size().is_some());
        let modules: &[&[&str]] = &[&["a"; MODULES_MAX], &["b"]];
        assert!(Sources { layers: modules, ..SAMPLE }.size().is_some());
    }

    #[test]
    fn a_circle_of_files_is_reported_with_its_way() {
        let [a, b, c] =
            ["b", "c", "a"].map(|to| format!("export type {{ X }} from \"./{to}.js\";"));
        let mut files = vec![("a/a.ts", &*a), ("a/b.ts", &*b), ("b.ts", ""), ("c.ts", "")];
        assert_eq!(complaints_about(&files), [""; 0]);
        files.push(("a/c.ts", &c));
        let way = "a/a.ts -> a/b.ts -> a/c.ts -> a/a.ts";
        let reported = complaints_about(&files);
        assert_eq!(
            reported,
            [format!("x/src/a/a.ts:1: files import each other in a circle: {way}")]
        );
        let rust = [
            ("a.rs", "mod d;\n\nuse d::X;"),
            ("a/d.rs", "use super::Y;"),
            ("a/tests.rs", "use super::*;"),
            ("b.rs", ""),
            ("c.rs", ""),
        ];
        let reported = complaints_about(&rust);
        let way = "a.rs -> a/d.rs -> a.rs";
        assert_eq!(reported, [format!("x/src/a.rs:3: files import each other in a circle: {way}")]);
    }
}
