//! No layer goes without the checks that every layer owes: each type of `autograd/src/nn` with parameters stands in the list of
//! `autograd/tests/layers.rs`.

use super::rust;
use super::source::Source;

/// Types that have parameters and are no layers of their own.
const PARTS: &[&str] = &[
    "Param",           // what layers own
    "Option",          // a layer that may be absent
    "Vec",             // a list of layers
    "RecurrentLayers", // what Gru and Lstm are made of
];

/// The types of a file that are modules: by the macro, or by hand.
fn modules(file: &Source) -> Vec<String> {
    let code = file.code();
    let first_word = |text: &str| -> String { text.chars().take_while(|c| c.is_alphanumeric()).collect() };
    let by_macro = code.match_indices("module!(").map(|(at, door)| &code[at + door.len()..]);
    let by_hand = code.match_indices("Module<T> for ").map(|(at, door)| &code[at + door.len()..]);
    by_macro.chain(by_hand).map(first_word).filter(|name| !name.is_empty()).collect()
}

#[test]
fn every_layer_stands_in_the_list_of_what_layers_owe() {
    let files = rust();
    let list = files.iter().find(|file| file.path == "autograd/tests/layers.rs").expect("the list of layers");
    let layers: Vec<String> =
        files.iter().filter(|file| file.path.starts_with("autograd/src/nn/")).flat_map(modules).collect();
    assert!(layers.len() >= 5, "the search for layers has gone blind: it found {layers:?}");
    let is_listed = |name: &String| list.text.contains(&format!("\"{name}\""));
    let missing = layers.into_iter().filter(|name| !PARTS.contains(&name.as_str()) && !is_listed(name));
    super::none(missing.collect(), "layers that are not in `layers()` of autograd/tests/layers.rs");
}
