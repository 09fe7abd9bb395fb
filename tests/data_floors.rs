//! The classical floors of tiny-shakespeare against figures computed by another program. It needs data, so it runs only on request:
//!
//! `AUTOREG_DATA=folder cargo test --release --features data-tests --test data_floors`, with the text at `folder/text/tinyshakespeare.txt`.

use std::path::PathBuf;
use std::time::Instant;

use models::text::corpus::{Corpus, Split};
use models::text::floors::Floors;
use models::text::vocabulary::{Vocabulary, VocabularyKind};

fn tiny_shakespeare() -> Vec<u8> {
    let folder = std::env::var_os("AUTOREG_DATA").expect("AUTOREG_DATA names the folder of the data sets");
    std::fs::read(PathBuf::from(folder).join("text/tinyshakespeare.txt")).unwrap()
}

#[test]
fn the_floors_of_tiny_shakespeare_are_the_published_ones() {
    let text = tiny_shakespeare();
    let (vocabulary, corpus) = Corpus::learn(text, VocabularyKind::Characters, &Split::default()).unwrap();
    assert_eq!((vocabulary.size(), corpus.train.len(), corpus.validation.len()), (65, 1_003_854, 111_540));
    let began = Instant::now();
    let floors = Floors::measure(&corpus.train, &corpus.validation, vocabulary.size()).unwrap();
    eprintln!("{floors:?} in {:?}", began.elapsed());
    // Orders 5 and 6 as well as the uniform and the unigram: by a direct count in Python, float64.
    let expected = [4.17439, 3.34733, 2.48577, 2.04923, 1.77380, 1.66883, 1.69808, 1.77922];
    for ((name, nats), expected) in floors.iter().zip(expected) {
        assert!((nats - expected).abs() < 6e-6, "{name}: {nats}, not {expected}");
    }
    assert_eq!(floors.best().0, "markov_4");
}

#[test]
fn byte_pairs_of_tiny_shakespeare_give_the_text_back() {
    let text = tiny_shakespeare();
    let began = Instant::now();
    let vocabulary = Vocabulary::from_text(VocabularyKind::BytePairs { size: 1024 }, &text).unwrap();
    let learned = began.elapsed();
    let codes = vocabulary.encode(&text).unwrap();
    eprintln!("learned in {learned:?}, encoded in {:?}: {} codes", began.elapsed() - learned, codes.len());
    assert_eq!(vocabulary.size(), 1024);
    assert!(codes.len() * 2 < text.len());
    assert!(vocabulary.decode(&codes).unwrap() == text);
    let stored = Vocabulary::from_json(&vocabulary.to_json()).unwrap();
    assert!(stored.encode(&text).unwrap() == codes);
}
