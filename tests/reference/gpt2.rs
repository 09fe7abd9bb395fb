//! A tiny GPT-2 that the library transformers wrote (`tests/fixtures/write_gpt2.py`): its logits, the codes of texts of every kind, and
//! what it goes on with, greedily.

use super::fixture::{Comparison, Fixture, path};
use autograd::no_grad;
use autograd::random::Streams;
use models::sampling::{Generator, Options, Sampler};
use models::text::gpt::Gpt;
use models::text::gpt2::{Files, tokenizer};
use models::text::network::Network;
use models::text::saved::TextModel;
use models::text::vocabulary::Vocabulary;
use serde_json::Value;

fn model() -> TextModel<Gpt<f32>> {
    let files = Files::of(&path("gpt2")).expect("GPT-2's files");
    let read = files.checkpoint().and_then(|checkpoint| TextModel::from_checkpoint(&checkpoint));
    read.unwrap_or_else(|error| panic!("{error}"))
}

fn text(name: &str) -> String {
    std::fs::read_to_string(path("gpt2").join(name)).expect("a text")
}

fn expected() -> Value {
    serde_json::from_str(&text("texts.json")).expect("JSON")
}

fn codes(value: &Value) -> Vec<u32> {
    serde_json::from_value(value.clone()).expect("codes")
}

#[test]
fn the_logits_of_a_gpt_2_are_those_of_the_library_transformers() {
    let theirs = Fixture::read(path("gpt2/logits.safetensors"));
    let (symbols, shape) = theirs.symbols("input.symbols");
    let TextModel { model, .. } = model();
    let ours = no_grad(|| model.forward(&symbols, shape[0], None));
    let mut compare = Comparison::default();
    compare.close::<f32>("logits", &ours.value().to_owned(), &theirs.array("output.logits"));
    compare.finish("gpt2");
}

#[test]
fn texts_of_every_kind_have_the_codes_of_the_library_transformers_from_either_form_of_the_vocabulary() {
    let of_one = model().vocabulary;
    let of_two = tokenizer::parse_pair(&text("vocab.json"), &text("merges.txt"), ["vocab.json", "merges.txt"]).unwrap();
    let stored = Vocabulary::from_json(&of_one.to_json()).unwrap();
    for vocabulary in [of_one, of_two, stored] {
        for one in expected()["texts"].as_array().expect("texts") {
            let text = one["text"].as_str().expect("a text");
            let ours = vocabulary.encode(text).unwrap();
            assert_eq!(ours, codes(&one["codes"]), "{text:?}");
            assert_eq!(vocabulary.decode(&ours).unwrap(), text.as_bytes());
        }
    }
}

#[test]
fn a_gpt_2_goes_on_from_a_prompt_as_the_library_transformers_does() {
    let (TextModel { model, vocabulary }, expected) = (model(), expected());
    let prompt = vocabulary.encode(expected["prompt"].as_str().expect("a prompt")).unwrap();
    let theirs = codes(&expected["greedy"]);
    assert_eq!(prompt.len() + theirs.len(), model.config.context);
    let decoder = Network::decoder(&model);
    let greedy = Sampler::new(Options { temperature: 0.0, ..Options::default() }).unwrap();
    let ours: Vec<u32> =
        Generator::new(&decoder, &prompt, greedy, Streams::new(0).stream("sampling")).take(theirs.len()).collect();
    assert_eq!(ours, theirs);
}
