//! No op goes without a gradient check: the names that `src/ops` records are compared with those that `gradcheck::cases` has.
//!
//! Not the checks themselves; they run in `src/gradcheck.rs`.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use autograd::gradcheck;

/// The text of every Rust file of the calculus.
fn calculus() -> Vec<String> {
    let mut texts = Vec::new();
    let mut open: Vec<PathBuf> = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src/ops")];
    while let Some(path) = open.pop() {
        if path.is_dir() {
            let inside = fs::read_dir(path).expect("a folder of the calculus");
            open.extend(inside.map(|entry| entry.expect("an entry").path()));
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            texts.push(fs::read_to_string(path).expect("a file of the calculus"));
        }
    }
    texts
}

/// What follows each use of a function: `door(` as a word of its own.
fn calls<'t>(text: &'t str, door: &'t str) -> impl Iterator<Item = &'t str> {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let alone = move |at: usize| !text[..at].ends_with(is_word);
    let uses = text.match_indices(door).filter(move |&(at, _)| alone(at));
    uses.filter_map(move |(at, _)| text[at + door.len()..].strip_prefix('(').map(str::trim_start))
}

/// The functions that record ops under a name they are given: the engine's own, and those of the calculus with a parameter `op`.
fn doors(texts: &[String]) -> BTreeSet<&str> {
    let mut doors = BTreeSet::from(["from_op", "from_op_many"]);
    for text in texts {
        for (at, _) in text.match_indices("op: &'static str") {
            let before = &text[..at];
            let name = before.rfind("fn ").map(|start| &before[start + 3..]).expect("a parameter of a function");
            doors.insert(name.split(['(', '<']).next().expect("a name"));
        }
    }
    doors
}

/// The strings that follow the names of doors: `from_op("mul", …)` gives mul.
fn recorded_names(text: &str, doors: &BTreeSet<&str>) -> Vec<String> {
    let named = doors.iter().flat_map(|door| calls(text, door)).filter_map(|after| after.strip_prefix('"'));
    named.map(|text| text.split('"').next().expect("a string").to_owned()).collect()
}

#[test]
fn every_op_has_a_gradient_check_named_after_it() {
    let cases: Vec<gradcheck::Case> = gradcheck::cases();
    let checked: BTreeSet<&str> = cases.iter().map(|case| case.op).collect();
    let texts = calculus();
    let doors = doors(&texts);
    let recorded: BTreeSet<String> = texts.iter().flat_map(|text| recorded_names(text, &doors)).collect();
    assert!(recorded.len() >= 30, "the search for ops has gone blind: it found {recorded:?}");
    let without: Vec<&String> = recorded.iter().filter(|op| !checked.contains(op.as_str())).collect();
    assert!(without.is_empty(), "ops without a gradient check: {without:?}");
    // What the checks record and no file names would be an op that the search misses.
    let seen: BTreeSet<&str> = cases.iter().flat_map(|case| case.recorded_ops()).collect();
    let missed: Vec<&str> = seen.into_iter().filter(|op| *op != "leaf" && !recorded.contains(*op)).collect();
    assert!(missed.is_empty(), "ops that the search did not find: {missed:?}");
}
