//! Which way dependencies point: `src → models → autograd`, and inside `autograd` `nn, optim → ops → graph, tensor → kernels`.

use super::source::{self, line_of, words};
use super::{none, rust};

/// The parts of `autograd` and the ones that each may use. `scalar` and the kernels know each other's traits, tensors and the
/// graph are one idea in two files, and `ops` and `gradcheck` meet in the list of checks.
const ALLOWED: &[(&str, &[&str])] = &[
    ("kernels", &["scalar"]),
    ("scalar", &["kernels"]),
    ("shape", &["passes", "scalar", "kernels"]),
    ("passes", &["shape", "scalar", "kernels"]),
    ("random", &["kernels", "scalar"]),
    ("tensor", &["graph", "passes", "shape", "scalar", "kernels"]),
    ("graph", &["tensor", "passes", "shape", "scalar", "kernels"]),
    ("ops", &["gradcheck", "tensor", "graph", "random", "passes", "shape", "scalar", "kernels"]),
    ("gradcheck", &["ops", "tensor", "graph", "random", "shape", "scalar", "kernels"]),
    ("nn", &["ops", "gradcheck", "tensor", "graph", "random", "shape", "scalar", "kernels"]),
    ("optim", &["nn", "ops", "tensor", "graph", "random", "shape", "scalar", "kernels"]),
];

/// What `autograd/src/lib.rs` re-exports, and the part that each comes from.
fn part_of(name: &str) -> &str {
    match name {
        "Tensor" | "Value" => "tensor",
        "Gradients" | "Id" | "Node" | "Slot" | "no_grad" => "graph",
        "Scalar" => "scalar",
        "Store" => "kernels",
        "Convolution" | "LstmOutput" | "Wavefront" => "ops",
        "module" => "nn",
        other => other,
    }
}

/// The names that follow `crate::` in code, those of a group `crate::{…}` each.
fn from_crate(code: &str) -> Vec<(usize, String)> {
    let mut names = Vec::new();
    let first_word = |text: &str| text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>();
    for (at, _) in code.match_indices("crate::") {
        let rest = &code[at + "crate::".len()..];
        let Some(group) = rest.strip_prefix('{') else {
            names.push((at, first_word(rest)));
            continue;
        };
        let mut depth = 1;
        let mut begins = true;
        for (i, c) in group.char_indices() {
            match c {
                '{' => depth += 1,
                '}' => depth -= 1,
                ',' => begins = depth == 1,
                _ if begins && !c.is_whitespace() => {
                    names.push((at, first_word(&group[i..])));
                    begins = false;
                }
                _ => {}
            }
            if depth == 0 {
                break;
            }
        }
    }
    names
}

#[test]
fn dependencies_inside_the_engine_point_one_way() {
    let mut found = Vec::new();
    for file in rust() {
        let Some(inside) = file.path.strip_prefix("autograd/src/") else { continue };
        let part = inside.split('/').next().expect("a name").trim_end_matches(".rs");
        if part == "lib" {
            continue;
        }
        let allowed = ALLOWED.iter().find(|(of, _)| *of == part);
        let (_, allowed) = allowed.unwrap_or_else(|| panic!("{}: say in ALLOWED what it may use", file.path));
        let code = file.code();
        for (at, name) in from_crate(&code) {
            let used = part_of(&name);
            if used != part && !allowed.contains(&used) {
                found.push(format!("{}:{}: {part} uses {name} of {used}", file.path, line_of(&code, at)));
            }
        }
    }
    none(found, "nn, optim → ops → graph, tensor → kernels");
}

#[test]
fn the_engine_knows_no_models_and_neither_knows_the_program() {
    let mut found = Vec::new();
    for file in source::all() {
        let knows = |crates: &[&str]| {
            let code = if file.path.ends_with(".rs") { file.code() } else { file.text.clone() };
            let used = crates.iter().filter(|name| words(&code, name).next().is_some());
            used.map(|name| name.to_string()).collect::<Vec<_>>()
        };
        let uses = match file.path.as_str() {
            "autograd/Cargo.toml" => knows(&["autoreg-models", "models.workspace"]),
            "models/Cargo.toml" => knows(&["autoreg.workspace"]),
            path if path.starts_with("autograd/") && path.ends_with(".rs") => knows(&["models", "autoreg"]),
            path if path.starts_with("models/") && path.ends_with(".rs") => knows(&["autoreg"]),
            _ => continue,
        };
        found.extend(uses.into_iter().map(|name| format!("{} uses {name}", file.path)));
    }
    none(found, "src → models → autograd");
}

/// The rooms of the program and the ones that each may use.
const ROOMS: &[(&str, &[&str])] =
    &[("commands", &["families", "terminal"]), ("families", &["terminal"]), ("terminal", &[])];

#[test]
fn dependencies_inside_the_program_point_one_way() {
    let mut found = Vec::new();
    for file in rust() {
        let Some(inside) = file.path.strip_prefix("src/") else { continue };
        let Some((room, allowed)) = ROOMS.iter().find(|(room, _)| inside.starts_with(&format!("{room}/"))) else {
            continue;
        };
        let code = file.code();
        let used = from_crate(&code).into_iter().filter(|(_, name)| name != room && !allowed.contains(&name.as_str()));
        found.extend(used.map(|(at, name)| format!("{}:{}: {room} uses {name}", file.path, line_of(&code, at))));
    }
    none(found, "commands → families → terminal");
}

/// The families: each is a folder of `models/src` and a file of `src/families` of one name.
fn families() -> Vec<String> {
    let files = source::all();
    let is_folder = |name: &str| files.iter().any(|file| file.path == format!("models/src/{name}/mod.rs"));
    let named = files.iter().filter_map(|file| file.path.strip_prefix("src/families/")?.strip_suffix(".rs"));
    let families: Vec<String> =
        named.filter(|name| *name != "training" && is_folder(name)).map(str::to_owned).collect();
    assert!(families.len() >= 2, "the search for families has gone blind: it found {families:?}");
    families
}

#[test]
fn commands_name_no_family() {
    let (files, families) = (source::all(), families());
    let mut found = Vec::new();
    for file in files.iter().filter(|file| file.path.starts_with("src/commands/")) {
        let code = file.code();
        for family in &families {
            let module = format!("families::{family}");
            let uses = code.match_indices(&module).map(|(at, _)| at);
            found.extend(uses.map(|at| format!("{}:{}: {family}", file.path, line_of(&code, at))));
            for kind in ["Task", "Config", "Model"] {
                let name = format!("{}{}{kind}", family[..1].to_uppercase(), &family[1..]);
                found.extend(words(&code, &name).map(|at| format!("{}:{}: {name}", file.path, line_of(&code, at))));
            }
        }
    }
    none(found, "a subcommand meets families through the traits of src/families/mod.rs alone");
}

#[test]
fn the_rooms_that_serve_every_family_name_none() {
    let rooms = ["configuration", "data", "pages", "storage", "training"];
    let named = families();
    let mut found = Vec::new();
    for file in rust() {
        let Some(inside) = file.path.strip_prefix("models/src/") else { continue };
        if !rooms.iter().any(|room| inside.starts_with(&format!("{room}/"))) {
            continue;
        }
        let code = file.code();
        let families = from_crate(&code).into_iter().filter(|(_, name)| named.contains(name));
        found.extend(families.map(|(at, name)| format!("{}:{}: {name}", file.path, line_of(&code, at))));
    }
    none(found, "what serves every family knows none");
}
