//! Reads the source tree for the checks of `tests/tidy/habits.rs`: which files there are, and what in them is code, what text.
//! It knows enough of Rust to tell comments and strings from code, and no more.

use std::fs;
use std::path::{Path, PathBuf};

/// A text file of the tree.
pub struct Source {
    /// From the root, with `/` on every system.
    pub path: String,
    /// What it holds.
    pub text: String,
}

impl Source {
    /// The comment `//! …` that a file begins with.
    pub fn opening(&self) -> String {
        let lines = self.text.lines().take_while(|line| line.starts_with("//!"));
        lines.map(|line| line.trim_start_matches("//!").trim()).collect::<Vec<_>>().join(" ")
    }

    /// The code of a Rust file: comments and the insides of strings and characters are blanked, line breaks are kept.
    pub fn code(&self) -> String {
        code_of(&self.text)
    }
}

/// Every text file of the tree that git would not ignore.
pub fn all() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).expect("the root is two folders up");
    let ignore = fs::read_to_string(root.join(".gitignore")).expect(".gitignore");
    let ignored: Vec<&str> = ignore.lines().map(|line| line.trim_matches('/')).collect();
    let is_ignored = |name: &str| name == ".git" || ignored.iter().any(|pattern| matches(pattern, name));
    let mut files = Vec::new();
    let mut open: Vec<PathBuf> = vec![root.to_owned()];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(&folder).expect("a folder of the tree") {
            let path = entry.expect("an entry").path();
            if is_ignored(&path.file_name().expect("a name").to_string_lossy()) {
                continue;
            }
            if path.is_dir() {
                open.push(path);
            } else if let Ok(text) = String::from_utf8(fs::read(&path).expect("a file of the tree")) {
                let from_root = path.strip_prefix(root).expect("below the root");
                let parts: Vec<_> = from_root.iter().map(|part| part.to_string_lossy()).collect();
                files.push(Source { path: parts.join("/"), text });
            }
        }
    }
    files.sort_by(|a, b| a.path.cmp(&b.path));
    files
}

/// A pattern of `.gitignore` without folders: a name, or `*.ending`.
fn matches(pattern: &str, name: &str) -> bool {
    pattern.strip_prefix('*').map_or(pattern == name, |ending| name.ends_with(ending))
}

fn code_of(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let starts = |i: usize, what: &str| what.chars().enumerate().all(|(k, c)| chars.get(i + k) == Some(&c));
    // How far it is from i to after the next `what`, or to the end.
    let until = |i: usize, what: &str| {
        let rest = chars.len() - i;
        (0..rest).find(|&k| starts(i + k, what)).map_or(rest, |k| k + what.chars().count())
    };
    let mut code = String::new();
    let mut i = 0;
    while i < chars.len() {
        let word_before = i > 0 && (chars[i - 1].is_alphanumeric() || chars[i - 1] == '_');
        let hashes = chars[i..].iter().skip(1).take_while(|&&c| c == '#').count();
        let blank = if starts(i, "//") {
            chars[i..].iter().take_while(|&&c| c != '\n').count()
        } else if starts(i, "/*") {
            block_comment(&chars[i..])
        } else if chars[i] == 'r' && !word_before && chars.get(i + 1 + hashes) == Some(&'"') {
            let end = format!("\"{}", "#".repeat(hashes));
            2 + hashes + until(i + 2 + hashes, &end)
        } else if chars[i] == '"' {
            escaped(&chars[i..], '"')
        } else if chars[i] == '\'' && (chars.get(i + 1) == Some(&'\\') || chars.get(i + 2) == Some(&'\'')) {
            escaped(&chars[i..], '\'') // not the ' of a lifetime
        } else {
            0
        };
        let skipped = &chars[i..i + blank];
        code.extend(skipped.iter().map(|&c| if c == '\n' { '\n' } else { ' ' }));
        i += blank;
        if blank == 0 {
            code.push(chars[i]);
            i += 1;
        }
    }
    code
}

/// The length of a block comment, which may hold others.
fn block_comment(chars: &[char]) -> usize {
    let (mut depth, mut i) = (0, 0);
    while i + 1 < chars.len() {
        match (chars[i], chars[i + 1]) {
            ('/', '*') => (depth, i) = (depth + 1, i + 2),
            ('*', '/') if depth == 1 => return i + 2,
            ('*', '/') => (depth, i) = (depth - 1, i + 2),
            _ => i += 1,
        }
    }
    chars.len()
}

/// The length of a string or character that begins with `quote`.
fn escaped(chars: &[char], quote: char) -> usize {
    let mut i = 1;
    while i < chars.len() && chars[i] != quote {
        i += if chars[i] == '\\' { 2 } else { 1 };
    }
    (i + 1).min(chars.len())
}

/// The positions of a word in code: not as a part of a longer word.
pub fn words<'c>(code: &'c str, word: &'c str) -> impl Iterator<Item = usize> + 'c {
    let is_word = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
    code.match_indices(word)
        .map(|(at, _)| at)
        .filter(move |&at| !is_word(code[..at].chars().next_back()) && !is_word(code[at + word.len()..].chars().next()))
}

/// The number of a line, from 1, of a position in a text.
pub fn line_of(text: &str, at: usize) -> usize {
    text[..at].matches('\n').count() + 1
}

#[test]
fn comments_strings_and_characters_are_not_code_and_lifetimes_are() {
    let code = |text: &str| code_of(text).split_whitespace().collect::<Vec<_>>().join(" ");
    assert_eq!(code("a // b\nc /* d /* e */ f */ g"), "a c g");
    assert_eq!(code(r#"a("b \" c", 'd', '\'', "e")"#), "a( , , , )");
    assert_eq!(code("a(r#\"b \" c\"#) d"), "a( ) d");
    assert_eq!(code("fn a<'b>(c: &'b str) {}"), "fn a<'b>(c: &'b str) {}");
    assert_eq!(words("unsafe_code unsafe {", "unsafe").collect::<Vec<_>>(), [12]);
}
