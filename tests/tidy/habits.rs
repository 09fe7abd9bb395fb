//! The habits that a reader of this code relies on, held by reading the source tree: what every file begins with and how long it
//! grows, which way dependencies point, where `unsafe` lives. That no op goes without a gradient check needs the engine itself,
//! and is held by `autograd/tests/checked_ops.rs`.

mod dependencies;
mod layers;
mod source;

use source::{Source, line_of, words};

/// Lines that one sitting can read. A longer file says why in its `//!`, in a sentence with the words "longer than".
const LONG: usize = 300;

fn rust() -> Vec<Source> {
    source::all().into_iter().filter(|file| file.path.ends_with(".rs")).collect()
}

/// Rust files of the libraries and of the program, without tests, examples and benches.
fn is_shipped(path: &str) -> bool {
    ["autograd/src/", "models/src/", "src/"].iter().any(|folder| path.starts_with(folder))
}

#[track_caller]
fn none(findings: Vec<String>, rule: &str) {
    assert!(findings.is_empty(), "{rule}:\n  {}", findings.join("\n  "));
}

#[test]
fn every_file_begins_by_saying_what_it_is() {
    let silent = rust().into_iter().filter(|file| file.opening().len() < 20);
    none(silent.map(|file| file.path).collect(), "each file begins with `//!` saying what it is and is not");
}

#[test]
fn a_file_longer_than_one_sitting_says_why() {
    let long = rust().into_iter().filter(|file| file.text.lines().count() > LONG);
    let silent = long.filter(|file| !file.opening().contains("longer than"));
    let told = silent.map(|file| format!("{}: {} lines", file.path, file.text.lines().count()));
    none(told.collect(), "split it, or say in its `//!` why it is longer than 300 lines");
}

#[test]
fn files_are_named_after_what_they_hold() {
    let empty = ["utils", "util", "helpers", "helper", "common", "misc", "base", "manager"];
    let parts = |path: &str| path.trim_end_matches(".rs").split('/').map(str::to_owned).collect::<Vec<_>>();
    let badly = rust().into_iter().filter(|file| parts(&file.path).iter().any(|part| empty.contains(&part.as_str())));
    none(badly.map(|file| file.path).collect(), "a name says what is inside");
}

#[test]
fn unsafe_code_lives_in_the_kernels_alone_and_says_why_it_is_sound() {
    let mut found = Vec::new();
    for file in rust() {
        let code = file.code();
        for at in words(&code, "unsafe") {
            let line = line_of(&code, at);
            let place = format!("{}:{line}", file.path);
            // One function runs before `main`, and its attribute has to say that it may; what it does is safe code.
            let before_main = file.path == "src/terminal/closed.rs" && code[..at].ends_with("#[ctor(");
            if !before_main && !file.path.starts_with("autograd/src/kernels/") {
                found.push(format!("{place}: outside autograd/src/kernels"));
            } else if !is_explained(&file.text, line, &code[at..]) {
                found.push(format!("{place}: no `// SAFETY:` before it"));
            }
        }
    }
    none(found, "unsafe code");
}

/// Whether the `unsafe` of this line asks something of its caller (`unsafe fn`, in a signature or a type), or `// SAFETY:`
/// stands on the line or above it, with nothing but comments, attributes and the beginning of the statement between.
fn is_explained(text: &str, line: usize, code: &str) -> bool {
    let after = code["unsafe".len()..].trim_start();
    if after.starts_with("fn") || after.starts_with("extern") || after.starts_with("trait") {
        return true;
    }
    let lines: Vec<&str> = text.lines().collect();
    let near = (line.saturating_sub(6)..line).rev();
    near.map(|i| lines[i]).any(|line| line.contains("SAFETY:"))
}

#[test]
fn libraries_do_not_print_or_exit_and_nothing_is_left_unwritten() {
    let everywhere = ["todo!", "unimplemented!", "dbg!"];
    let in_libraries = ["println!", "print!", "eprintln!", "eprint!", "process::exit", "process::abort"];
    let mut found = Vec::new();
    for file in rust() {
        let code = file.code();
        let is_library = is_shipped(&file.path) && !file.path.starts_with("src/");
        let forbidden = everywhere.iter().chain(in_libraries.iter().filter(|_| is_library));
        for what in forbidden {
            let word = what.trim_end_matches('!');
            let uses = words(&code, word).filter(|&at| code[at..].starts_with(what));
            found.extend(uses.map(|at| format!("{}:{}: {what}", file.path, line_of(&code, at))));
        }
    }
    none(found, "not here");
}

#[test]
fn no_test_is_switched_off() {
    let mut found = Vec::new();
    for file in rust() {
        let code = file.code();
        let off = code.match_indices("#[ignore").map(|(at, _)| format!("{}:{}", file.path, line_of(&code, at)));
        found.extend(off);
    }
    none(found, "a test that does not run holds nothing");
}

#[test]
fn ops_are_recorded_in_the_calculus_alone() {
    let mut found = Vec::new();
    let is_elsewhere =
        |path: &str| is_shipped(path) && !path.starts_with("autograd/src/ops/") && !path.ends_with("tests.rs");
    for file in rust().into_iter().filter(|file| is_elsewhere(&file.path)) {
        let code = file.code();
        let code = code.split("#[cfg(test)]").next().expect("the part before the tests");
        let uses = words(code, "from_op").chain(words(code, "from_op_many"));
        let doors = file.path == "autograd/src/tensor.rs";
        found.extend(uses.filter(|_| !doors).map(|at| format!("{}:{}", file.path, line_of(code, at))));
    }
    none(found, "an op elsewhere would escape the gradient checks");
}

#[test]
fn text_holds_no_path_of_one_machine_and_no_mark_of_a_merge() {
    let roots = ["home", "root", "tmp", "Users", "work"].map(|name| format!("/{name}/"));
    let marks = ["<<<<<<<", "=======", ">>>>>>>"];
    let mut found = Vec::new();
    for file in source::all() {
        for (i, line) in file.text.lines().enumerate() {
            // An absolute path begins after something that is no part of a path.
            let begins = |at: usize| !line[..at].ends_with(|c: char| c.is_alphanumeric() || "._-/}~$*".contains(c));
            let machine = roots.iter().any(|root| line.match_indices(root.as_str()).any(|(at, _)| begins(at)));
            let merge = marks.iter().any(|mark| line == *mark || line.starts_with(&format!("{mark} ")));
            if machine || merge {
                found.push(format!("{}:{}: {}", file.path, i + 1, line.trim()));
            }
        }
    }
    none(found, "paths of a machine and marks of a merge");
}

#[test]
fn every_test_that_a_page_names_exists() {
    let files = source::all();
    let mut missing = Vec::new();
    let mut architecture = 0; // named by lines that read: held by `path::test`
    for page in files.iter().filter(|file| file.path.starts_with("docs/") && file.path.ends_with(".md")) {
        let text = page.text.split_whitespace().collect::<Vec<_>>().join(" "); // a line may end between the words
        let mut before = "";
        for span in text.split('`') {
            let (path, test) = span.split_once("::").unwrap_or((span, ""));
            let invariant = page.path == "docs/architecture.md" && before.ends_with("held by ");
            architecture += usize::from(invariant);
            let exists = |file: &&Source| words(&file.text, test).any(|at| file.text[..at].ends_with("fn "));
            let named = path.ends_with(".rs") && path.contains('/') && !test.is_empty();
            if (invariant && !named) || (named && files.iter().find(|file| file.path == path).filter(exists).is_none())
            {
                missing.push(format!("{}: {span}", page.path));
            }
            before = span;
        }
    }
    none(missing, "pages name tests that do not exist");
    if files.iter().any(|file| file.path == "docs/architecture.md") {
        assert!(architecture > 0, "docs/architecture.md names no test: lines read held by `path::test`");
    }
}
