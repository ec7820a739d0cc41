use super::*;

fn complaints_about(path: &str, text: &str) -> Vec<(usize, String)> {
    let file = SourceFile::new(path.to_owned(), text.to_owned());
    complaints(&file).into_iter().map(|complaint| (complaint.line, complaint.what)).collect()
}

fn is_tidy(path: &str, text: &str) -> bool {
    complaints_about(path, text).is_empty()
}

#[test]
fn long_lines_and_long_files_are_reported() {
    let long = "x".repeat(COLUMNS_MAX + 1);
    assert!(is_tidy("host/src/a.rs", &long[1..]));
    assert_eq!(complaints_about("a.rs", &format!("\n{long}"))[0].0, 2);
    assert!(is_tidy("README.md", &long));
    assert!(is_tidy("a.rs", &"\n".repeat(LINES_MAX)));
    assert!(!is_tidy("a.rs", &"\n".repeat(LINES_MAX + 1)));
}

#[test]
fn what_is_not_ascii_is_reported_escaped() {
    let reported = complaints_about("a.wit", "// caf\u{e9}");
    assert_eq!(reported, [(1, "\\u{e9} is not ASCII: escape it".to_owned())]);
    assert!(is_tidy("README.md", "caf\u{e9}"));
}

#[test]
fn unfinished_work_is_reported() {
    for marker in MARKERS {
        assert!(!is_tidy("a.rs", &format!("// {marker}: later")), "{marker}");
    }
    assert!(is_tidy("a.rs", "let mastodon = TODOS;"));
}

#[test]
fn tests_left_out_are_reported() {
    assert!(!is_tidy("tests/src/a.rs", "    #[ignore]"));
    assert!(is_tidy("tests/src/a.rs", "    #[ignore = \"needs an hour\"]"));
    assert!(!is_tidy("js/test/a.test.ts", "describe.only(\"a\", () => {"));
    assert!(!is_tidy("js/test/a.test.ts", "it.skip(\"a\", () => {"));
    assert!(is_tidy("js/src/serde/a.ts", "pages.skip(2)"));
}

#[test]
fn empty_words_are_reported_in_prose_alone() {
    for word in WORDS {
        assert!(!is_tidy("a.rs", &format!("// It {word} works.")), "{word}");
        assert!(!is_tidy("README.md", &format!("It {word} works.")), "{word}");
        assert!(is_tidy("a.rs", &format!("let {word} = 1;")), "{word}");
    }
    assert!(is_tidy("README.md", "robustness"));
}

#[test]
fn paths_of_a_machine_are_reported_everywhere() {
    for path in MACHINE_PATHS {
        assert!(!is_tidy("deny.toml", &format!("a = \"{path}x\"")), "{path}");
        assert!(is_tidy("deny.toml", &format!("a = \"net{path}x\"")), "{path}");
    }
}

#[test]
fn panics_are_reported_outside_tests() {
    for panic in PANICS {
        let line = format!("fn a() {{ b{panic}) }}\n");
        assert!(!is_tidy("guest/src/a.rs", &line), "{panic}");
        assert!(is_tidy("guest/src/a.rs", &format!("// {line}")), "{panic}");
        assert!(is_tidy("guest/src/a/tests.rs", &line), "{panic}");
        assert!(is_tidy("guest/tests/a.rs", &line), "{panic}");
        let in_tests = format!("#[cfg(test)]\nmod tests {{\n    {line}}}\n");
        assert!(is_tidy("guest/src/a.rs", &in_tests), "{panic}");
        assert!(!is_tidy("guest/src/a.rs", &format!("{in_tests}{line}")), "{panic}");
    }
}

#[test]
fn the_guest_touches_nothing() {
    for path in IMPURE {
        assert!(!is_tidy("guest/src/a.rs", &format!("use {path};")), "{path}");
        assert!(is_tidy("host/src/a.rs", &format!("use {path};")), "{path}");
    }
}

#[test]
fn the_package_takes_its_timers_from_one_module() {
    for timer in TIMERS {
        let line = format!("  a({timer});");
        assert!(!is_tidy("js/src/stores/kusto/a.ts", &line), "{timer}");
        assert!(is_tidy("js/test/a.ts", &line), "{timer}");
        assert!(is_tidy(TIMERS_MODULE, &line), "{timer}");
    }
    assert!(is_tidy("js/src/serde/a.ts", "timers.setTimeout(timers.now); // not setTimeout"));
}

#[test]
fn a_lockfile_names_the_public_registry_or_none() {
    let line = |host: &str| format!("      \"resolved\": \"https://{host}/a/-/a-1.0.0.tgz\",");
    assert!(is_tidy("js/package-lock.json", &line("registry.npmjs.org")));
    assert!(!is_tidy("js/package-lock.json", &line("registry.example")));
}
