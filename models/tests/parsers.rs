//! Every parser of what comes from outside, on inputs that were right and are changed at random: each is read or refused, without a
//! panic and without a wait. The changes are those of a seed; with `AUTOREG_FUZZ_EXECUTIONS=1000000` each parser is tried so often,
//! with `AUTOREG_FUZZ_SECONDS=600` for so long, from a new seed, and says how often it was. Optimized code panics on no sum
//! that overflows: `CARGO_PROFILE_RELEASE_DEBUG_ASSERTIONS=true` lets it.
//!
//! It is longer than one sitting: beside each parser stands what is right of its format, and all share the one fuzzer.

use autograd::random::{Stream, Streams};
use models::audio::condition::{Upsampling, parse_frames};
use models::audio::wav;
use models::compression::format::{self, Form};
use models::compression::identity::{described, identity};
use models::configuration::Layers;
use models::data::files::DataFiles;
use models::data::sniff::not_text;
use models::image::config::DataConfig;
use models::image::data::ImageData;
use models::image::idx::{self, Idx};
use models::image::png;
use models::series::column::{Column, Header};
use models::series::config::{Lags, ModelConfig, SeriesConfig};
use models::series::linear::LinearAr;
use models::series::neural_ar::{Architecture, Deviation, NeuralAr, Standardize};
use models::series::saved::SavedSeries;
use models::storage::atomic::SystemDisk;
use models::storage::checkpoint::Checkpoint;
use models::storage::safetensors_header::read_header;
use models::storage::{checksums, metrics};
use models::text::compression;
use models::text::config::TextConfig;
use models::text::gpt2;
use models::text::language_model::{Config, LanguageModel};
use models::text::saved::TextModel;
use models::text::vocabulary::{Vocabulary, VocabularyKind};
use rand::RngExt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::time::{Duration, Instant};

/// Inputs of each parser where no other number and no time is asked for.
const INPUTS: usize = 3000;

/// What a variable of the environment asks for.
fn asked(variable: &str) -> Option<u64> {
    let text = std::env::var(variable).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{variable}={text} is no whole number")))
}

/// What is spliced in: beginnings, ends and separators of the formats, and numbers at the edge.
const WORDS: [&[u8]; 24] = [
    b"\"",
    b"\n",
    b"\r\n",
    b",",
    b";",
    b"\t",
    b"{",
    b"}",
    b"[",
    b"]",
    b"=",
    b".",
    b"-",
    b"\0",
    b"\xff",
    b"\xef\xbb\xbf",
    b"nan",
    b"1e999",
    b"18446744073709551616",
    b"-1",
    b"\\u0000",
    b"'''",
    b"\"\"\"",
    b"#",
];

/// The input changed in one to four places.
fn changed(input: &[u8], random: &mut Stream) -> Vec<u8> {
    let mut bytes = input.to_vec();
    for _ in 0..random.random_range(1..=4) {
        let at = random.random_range(0..=bytes.len());
        let end = (at + random.random_range(0..=16)).min(bytes.len());
        match random.random_range(0..6) {
            0 => _ = bytes.splice(at..at, WORDS[random.random_range(0..WORDS.len())].iter().copied()),
            1 => _ = bytes.drain(at..end),
            2 => bytes.truncate(at),
            3 if at < bytes.len() => bytes[at] = random.random_range(0..=255),
            4 if at < bytes.len() => bytes[at] ^= 1 << random.random_range(0..8),
            _ => {
                let piece = bytes[at..end].to_vec();
                bytes.splice(at..at, piece.repeat(random.random_range(1..40)));
            }
        }
    }
    bytes
}

/// Changes the inputs and gives them to a parser, which says whether it took one.
fn fuzz(name: &str, seeds: &[&[u8]], parse: impl Fn(&[u8]) -> bool) {
    let (seconds, executions) = (asked("AUTOREG_FUZZ_SECONDS"), asked("AUTOREG_FUZZ_EXECUTIONS"));
    let by_default = seconds.is_none() && executions.is_none();
    let seed = if by_default { 1 } else { u64::from(std::process::id()) };
    let least = executions.map_or(if by_default { INPUTS } else { 0 }, |executions| executions as usize);
    let longest = Duration::from_secs(seconds.unwrap_or(0));
    let mut random = Streams::new(seed).stream(name);
    assert!(seeds.iter().all(|seed| parse(seed)), "{name}: an input that is right is refused");
    let (begin, mut tried, mut taken) = (Instant::now(), 0, 0);
    while tried < least || begin.elapsed() < longest {
        let input = changed(seeds[tried % seeds.len()], &mut random);
        let start = Instant::now();
        match catch_unwind(AssertUnwindSafe(|| parse(&input))) {
            Ok(took) => taken += usize::from(took),
            Err(_) => panic!("{name} panics, seed {seed}, input {tried}: {:?}", String::from_utf8_lossy(&input)),
        }
        assert!(start.elapsed() < Duration::from_secs(5), "{name} waits on {:?}", String::from_utf8_lossy(&input));
        tried += 1;
    }
    println!("{name}: {tried} executions, {taken} taken, seed {seed}, {:.0} s", begin.elapsed().as_secs_f64());
    // Changes that are all refused at the first byte would try nothing behind it.
    assert!(taken * 500 >= tried, "{name}: {taken} of {tried} were taken");
}

#[test]
fn a_configuration() {
    let seeds: [&[u8]; 3] = [
        b"[model]\nhidden = 12\nmodel = \"lstm\"\n[data]\nvocabulary = { byte_pairs = { size = 300 } }\n",
        b"training.steps = 5\n[training.optimizer]\nlearning_rate = 1e-3 # a comment\nschedule = 'cosine'\n",
        b"model.dropout = 0.5\ndata.path = \"\"\"a\nb\"\"\"\n",
    ];
    fuzz("configuration", &seeds, |input| {
        let text = String::from_utf8_lossy(input);
        let layers = || Layers::new(&TextConfig::<Config>::default()).unwrap();
        let _ = text.lines().try_fold(layers(), |layers, line| layers.set(line));
        layers().text(Path::new("run.toml"), &text).and_then(|layers| layers.finish()).is_ok()
    });
}

#[test]
fn a_configuration_of_a_series() {
    let seeds: [&[u8]; 2] = [
        b"[model]\nmodel = \"neural-ar\"\nlags = 3\nhidden = 8\n[data]\ncolumn = \"x\"\nheader = \"present\"\nvalidation = 0.1\n",
        b"model.model = 'ar'\nmodel.lags = 12\ntraining.steps = 5\n",
    ];
    fuzz("configuration of a series", &seeds, |input| {
        let text = String::from_utf8_lossy(input);
        let layers = Layers::new(&SeriesConfig::default()).unwrap();
        layers.text(Path::new("run.toml"), &text).and_then(|layers| layers.finish()).is_ok()
    });
}

#[test]
fn a_csv_file() {
    let seeds: [&[u8]; 5] = [
        b"year,x\n1700,5\n1701,11\n1702,16.5\n",
        b"\xef\xbb\xbfdate;\"x\"\r\n2001-01-01;1,5\r\n2001-02-01;-2e3\r\n",
        b",0\n0,1.5\n1,2.5\n",
        b"a\tx\n\"b\nc\"\t1\n\"d \"\"e\"\"\"\t2\n",
        b"x\n1\n2\n3\n",
    ];
    let numbers = |input: &[u8], wanted, header| Column::parse(input, "data.csv", wanted, header).ok();
    let seen = |input: &[u8]| {
        let _ = not_text(input);
        let read = [
            (Some("x"), Header::Detect),
            (None, Header::Absent),
            (Some("#2"), Header::Present),
            (Some("2"), Header::Detect),
        ]
        .map(|(wanted, header)| numbers(input, wanted, header));
        for column in read.iter().flatten() {
            assert!(!column.values.is_empty() || !column.notes.is_empty());
            assert!(column.values.iter().all(|x| x.is_finite()));
        }
        read.iter().any(Option::is_some)
    };
    let decimal_points: Vec<u8> = String::from_utf8_lossy(seeds[1]).replace("1,5", "1.5").into_bytes();
    fuzz("csv", &[seeds[0], &decimal_points, seeds[2], seeds[3], seeds[4]], seen);
}

#[test]
fn a_vocabulary() {
    let codes = (2..259).chain([0, 1]).map(|code| code.to_string()).collect::<Vec<_>>().join(",");
    let published = format!(
        r#"{{"kind": "byte_pairs", "merges": [[97, 98]], "cut": "nowhere", "special": ["<a>", "<b>"], "codes": [{codes}]}}"#
    );
    let seeds: [&[u8]; 4] = [
        published.as_bytes(),
        br#"{"kind": "characters", "characters": "\n !abc"}"#,
        br#"{"kind": "bytes"}"#,
        br#"{"kind": "byte_pairs", "merges": [[104, 101], [256, 32], [257, 257]]}"#,
    ];
    fuzz("vocabulary", &seeds, |input| {
        let Ok(vocabulary) = Vocabulary::from_json(&String::from_utf8_lossy(input)) else { return false };
        let again = Vocabulary::from_json(&vocabulary.to_json()).expect("what it wrote itself");
        assert_eq!(again.size(), vocabulary.size());
        (0..vocabulary.size() as u32).for_each(|code| _ = vocabulary.symbol_name(code));
        let _ = vocabulary.encode(input).map(|codes| vocabulary.decode(&codes).expect("its own codes"));
        true
    });
}

/// A text with what the fixture of GPT-2's files has under a name.
fn of_gpt2(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures/gpt2").join(name);
    std::fs::read_to_string(path).expect("a file of the fixture")
}

#[test]
fn a_configuration_of_gpt_2() {
    let text = of_gpt2("config.json");
    let short = r#"{"model_type":"gpt2","n_layer":2,"n_head":2,"n_embd":16,"n_ctx":24,"vocab_size":384}"#;
    fuzz("configuration of gpt-2", &[text.as_bytes(), short.as_bytes()], |input| {
        match gpt2::config::parse(&String::from_utf8_lossy(input), "config.json") {
            Ok(config) => config.symbols * config.layers * config.heads * config.context > 0,
            Err(error) => {
                assert!(error.what.starts_with("config.json ") && !error.help.is_empty(), "{error}");
                assert!(error.to_string().len() < 2000, "{} bytes of message", error.to_string().len());
                false
            }
        }
    });
}

/// A vocabulary that was read: its own codes come back, from its stored form as well.
fn reads(vocabulary: models::error::Result<Vocabulary>, text: &str) -> bool {
    match vocabulary {
        Ok(vocabulary) => {
            let codes = vocabulary.encode(text).expect("every text has codes");
            assert_eq!(vocabulary.decode(&codes).expect("its own codes"), text.as_bytes());
            let stored = Vocabulary::from_json(&vocabulary.to_json()).expect("what it wrote itself");
            assert_eq!(stored.encode(text).expect("every text has codes"), codes);
            true
        }
        Err(error) => {
            assert!(!error.help.is_empty() && error.to_string().len() < 2000, "{error}");
            false
        }
    }
}

#[test]
fn a_vocabulary_of_gpt_2() {
    let tokenizer = of_gpt2("tokenizer.json").split_whitespace().collect::<Vec<_>>().join(" ");
    let (vocab, merges) = (of_gpt2("vocab.json"), of_gpt2("merges.txt"));
    let text = "the summer's day\n\n  <|endoftext|>é";
    let lossy = |input: &[u8]| String::from_utf8_lossy(input).into_owned();
    fuzz("tokenizer.json", &[tokenizer.as_bytes()], |input| reads(gpt2::tokenizer::parse(&lossy(input), "it"), text));
    let paths = ["vocab.json", "merges.txt"];
    fuzz("vocab.json", &[vocab.as_bytes()], |input| {
        reads(gpt2::tokenizer::parse_pair(&lossy(input), &merges, paths), text)
    });
    fuzz("merges.txt", &[merges.as_bytes()], |input| {
        reads(gpt2::tokenizer::parse_pair(&vocab, &lossy(input), paths), text)
    });
}

#[test]
fn a_text_as_byte_pairs() {
    let seeds: [&[u8]; 2] = [b"the cat, the hat; don't 1234 there\n\n  then", "naïve — ¡más! 日本語 🙂\r\n".as_bytes()];
    let texts: Vec<String> = seeds.iter().map(|seed| String::from_utf8_lossy(seed).repeat(4)).collect();
    let of_others = Vocabulary::from_text(VocabularyKind::BytePairs { size: 290 }, texts.concat()).unwrap();
    fuzz("byte pairs", &seeds, |input| {
        let own = Vocabulary::from_text(VocabularyKind::BytePairs { size: 280 }, input);
        [own.as_ref().unwrap_or(&of_others), &of_others].iter().all(|vocabulary| {
            let Ok(codes) = vocabulary.encode(input) else { return false };
            assert_eq!(vocabulary.decode(&codes).unwrap(), input, "what went in comes out");
            true
        })
    });
}

#[test]
fn metrics_of_a_run() {
    let line = br#"{"step":1,"symbols":64,"loss":2.5,"learning_rate":0.002,"gradient_norm":0.4,"symbols_per_second":9.0,"seconds":0.1}"#;
    let second = String::from_utf8_lossy(line).replacen(":1,", ":2,", 1);
    let lines = [&line[..], b"\n", second.as_bytes(), b"\n"].concat();
    fuzz("metrics", &[&lines], |input| metrics::parse(Path::new("metrics.jsonl"), input).is_ok());
}

#[test]
fn the_header_of_a_safetensors_file() {
    let file = |header: &str| {
        let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
        bytes.extend_from_slice(header.as_bytes());
        bytes.extend([0; 8]);
        bytes
    };
    let one = file(r#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}"#);
    let two = file(
        r#"{"__metadata__":{"k":"v"},"a":{"dtype":"F32","shape":[1,1],"data_offsets":[0,4]},"b":{"dtype":"F32","shape":[],"data_offsets":[4,8]}}"#,
    );
    fuzz("safetensors", &[&one, &two], |input| read_header(&mut &*input, input.len() as u64).is_ok());
}

/// Packed as gzip stores what it does not compress: a change of the content is a change of the file.
fn stored(bytes: &[u8]) -> Vec<u8> {
    let length = bytes.len() as u16;
    let block = [&[1][..], &length.to_le_bytes(), &(!length).to_le_bytes(), bytes].concat();
    let header = b"\x1f\x8b\x08\x08\0\0\0\0\0\xffa name that nothing depends on\0";
    [&header[..], &block, &crc32fast::hash(bytes).to_le_bytes(), &(length as u32).to_le_bytes()].concat()
}

const GREY: &[u8] = b"\0\0\x08\x03\0\0\0\x02\0\0\0\x03\0\0\0\x04abcdefghijklmnopqrstuvwx";
const RGB: &[u8] = b"\0\0\x08\x04\0\0\0\x01\0\0\0\x02\0\0\0\x02\0\0\0\x03abcdefghijkl";
const LABELS: &[u8] = b"\0\0\x08\x01\0\0\0\x03\x02\0\x01";

#[test]
fn pictures_and_labels_in_idx() {
    fuzz("idx", &[GREY, RGB, LABELS, &stored(GREY), &stored(LABELS)], |input| match idx::parse(input, "digits") {
        Ok(Idx::Images(images)) => images.len() * images.shape().values() == images.values().len(),
        Ok(Idx::Labels(labels)) => !labels.is_empty(),
        Err(error) => {
            assert!(error.what.starts_with("digits: ") && !error.help.is_empty(), "{error}");
            false
        }
    });
}

/// The file with right checksums for its chunks, so that a change reaches what reads them.
fn with_checksums(png: &[u8]) -> Vec<u8> {
    let mut bytes = png.to_vec();
    let mut at = png::SIGNATURE.len();
    while let Some(length) = bytes.get(at..at + 4) {
        let length = u32::from_be_bytes([length[0], length[1], length[2], length[3]]) as usize;
        let end = at.saturating_add(8).saturating_add(length);
        let Some(body) = bytes.get(at + 4..end) else { break };
        let checksum = crc32fast::hash(body).to_be_bytes();
        let Some(place) = bytes.get_mut(end..end + 4) else { break };
        place.copy_from_slice(&checksum);
        at = end + 4;
    }
    bytes
}

#[test]
fn pictures_in_png() {
    let seeds: [&[u8]; 6] = [
        include_bytes!("fixtures/pictures/rgb_gamma.png"),
        include_bytes!("fixtures/pictures/grey_2_interlaced.png"),
        include_bytes!("fixtures/pictures/palette_4.png"),
        include_bytes!("fixtures/pictures/palette_4_interlaced.png"),
        include_bytes!("fixtures/pictures/rgb_alpha.png"),
        include_bytes!("fixtures/pictures/grey_alpha.png"),
    ];
    fuzz("png", &seeds, |input| {
        let read = |bytes: &[u8]| match png::parse(bytes, "a.png") {
            Ok((shape, values)) => {
                assert_eq!(shape.values(), values.len());
                true
            }
            Err(error) => {
                assert!(error.what.starts_with("a.png: ") && !error.help.is_empty(), "{error}");
                false
            }
        };
        read(input) | read(&with_checksums(input))
    });
}

#[test]
fn pictures_and_labels_together() {
    let config = DataConfig::default();
    let read = |pictures: &[u8], labels: &[u8]| {
        let mut data = DataFiles::in_memory("pictures", pictures);
        data.files.extend(DataFiles::in_memory("labels", labels).files);
        let Ok(read) = ImageData::of_files(&data, &config) else { return false };
        let labels =
            |labels: Option<&[u32]>| labels.is_none_or(|all| all.iter().all(|&x| (x as usize) < read.classes.len()));
        [&read.train, &read.validation, &read.test].iter().all(|part| labels(part.labels()))
    };
    let two = b"\0\0\x08\x01\0\0\0\x02\x02\x01";
    fuzz("labels", &[two], |input| read(GREY, input));
    fuzz("pictures", &[GREY, &stored(GREY)], |input| read(input, two));
}

/// A WAV of these 16 bytes of format, with a chunk of odd length before its samples.
fn wav_of(format: [u16; 8], data: &[u8]) -> Vec<u8> {
    let format: Vec<u8> = format.iter().flat_map(|word| word.to_le_bytes()).collect();
    let length = (data.len() as u32).to_le_bytes();
    [b"RIFF\xff\0\0\0WAVELIST\x03\0\0\0abc\0fmt \x10\0\0\0", &format[..], b"data", &length, data].concat()
}

#[test]
fn sounds_in_wav() {
    let samples: Vec<u8> = (0..96).map(|i| (i * 37) as u8).collect();
    let floats: Vec<u8> = (0..24).flat_map(|i| (i as f32 * 0.1 - 1.2).to_le_bytes()).collect();
    let seeds = [
        wav::encode(&wav::Sound { rate: 8000, samples: (0..40).map(|i| i * 800 - 16_000).collect() }),
        wav_of([1, 1, 8000, 0, 8000, 0, 1, 8], &samples),
        wav_of([1, 2, 44_100, 0, 0, 0, 4, 16], &samples),
        wav_of([1, 1, 8000, 0, 0, 0, 3, 24], &samples),
        wav_of([1, 8, 8000, 0, 0, 0, 32, 32], &samples),
        wav_of([3, 2, 8000, 0, 0, 0, 8, 32], &floats),
    ];
    fuzz("wav", &seeds.each_ref().map(Vec::as_slice), |input| match wav::parse(input, "a.wav") {
        Ok(sound) => {
            // A sample is at least a byte of the file: whatever that says, nothing larger was made.
            assert!(!sound.samples.is_empty() && sound.samples.capacity() <= input.len());
            assert!(wav::RATES.contains(&sound.rate));
            assert_eq!(wav::parse(&wav::encode(&sound), "again").unwrap(), sound);
            let kept = sound.trimmed(40.0);
            assert!(kept.start <= kept.end && kept.end <= sound.samples.len());
            true
        }
        Err(error) => {
            assert!(error.what.starts_with("a.wav: ") && !error.help.is_empty(), "{error}");
            false
        }
    });
}

#[test]
fn frames_of_features() {
    let seeds: [&[u8]; 3] =
        [b"pitch,loudness\n1,-2.5\n3e-3,4\n", b"\xef\xbb\xbf1\r\n2\r\n-3.25\r\n\r\n", b"\"a,\nb\",c,d\n\"1\",2,3\n"];
    fuzz("frames", &seeds, |input| match parse_frames(input, "a.csv") {
        Ok(frames) => {
            assert!(frames.bands > 0 && frames.values.len() == frames.count() * frames.bands);
            assert!(frames.values.iter().all(|x| x.is_finite()) && frames.values.len() <= input.len());
            let again = parse_frames(frames.to_csv().as_bytes(), "again").unwrap();
            assert_eq!(again.values, frames.values);
            let linear = frames.of_samples(3, 1, 20, Upsampling::Linear);
            assert!(linear.len() == 20 * frames.bands && linear.iter().all(|x| x.is_finite()));
            true
        }
        Err(error) => {
            assert!(error.what.starts_with("a.csv: ") && !error.help.is_empty(), "{error}");
            false
        }
    });
}

#[test]
fn a_compressed_file() {
    let vocabulary = Vocabulary::from_text(VocabularyKind::Characters, "hello, world").unwrap();
    let config = Config { symbols: vocabulary.size(), embedding: 1, hidden: 2, ..Config::default() };
    let model = LanguageModel::<f32>::new(&config, &mut Streams::new(1).stream("init"));
    let own = identity(described(&serde_json::json!({}), None), &model);
    let text = TextModel { model, vocabulary };
    let compressed = |input: &str| {
        let report = compression::compress(&text, own, input.as_bytes(), "hello", &mut |_, _| Ok(())).unwrap();
        report.compressed.bytes
    };
    let header = format::Header { form: Form::Idx, identity: own, sequences: 3, length: 40, checksum: 7 };
    let seeds = [compressed("hello"), compressed(&"hello, world".repeat(10)), format::write(&header, vec![1; 50])];
    fuzz("compressed file", &seeds.each_ref().map(Vec::as_slice), |input| {
        // The checksum at the end is made right, so that a change reaches what reads the rest.
        let mut summed = input.to_vec();
        if let Some((content, sum)) = summed.split_last_chunk_mut::<4>() {
            *sum = crc32fast::hash(content).to_le_bytes();
        }
        let read = |bytes: &[u8]| match format::read(bytes, "a.arz") {
            Ok(file) => {
                let symbols = file.header.sequences.checked_mul(file.header.length).expect("what was checked");
                assert!(symbols <= (1 << 20) + ((bytes.len() as u64) << 10) && file.payload.len() <= bytes.len());
                // A million symbols that a header claims are decoded, and take a second: here shorter ones will do.
                let restored =
                    (symbols < 10_000).then(|| compression::decompress(&text, own, &file, "a.arz", &mut |_, _| Ok(())));
                if let Some(Err(error)) = restored {
                    assert!(error.what.starts_with("a.arz ") || error.what.starts_with("a.arz:"), "{error}");
                }
                true
            }
            Err(error) => {
                assert!(error.what.starts_with("a.arz ") && !error.cause.is_empty(), "{error}");
                false
            }
        };
        read(input) | read(&summed)
    });
}

/// A model's file without its checksums, by which every change would be refused before it is looked at.
fn without_checksums(checkpoint: &Checkpoint, path: &Path) -> Vec<u8> {
    checkpoint.save(&SystemDisk, path).unwrap();
    let bytes = std::fs::read(path).unwrap();
    let (length, rest) = bytes.split_at(8);
    let (header, tensors) = rest.split_at(u64::from_le_bytes(length.try_into().unwrap()) as usize);
    let mut header: serde_json::Value = serde_json::from_slice(header).unwrap();
    let metadata = header["__metadata__"].as_object_mut().unwrap();
    [checksums::TENSORS_KEY, checksums::HEADER_KEY].iter().for_each(|key| _ = metadata.remove(*key));
    let header = header.to_string();
    [&(header.len() as u64).to_le_bytes(), header.as_bytes(), tensors].concat()
}

#[test]
fn a_file_of_a_model() {
    // Where there is a folder in memory, a million files take no disk.
    let shared = Path::new("/dev/shm");
    let folder = if shared.is_dir() { tempfile::tempdir_in(shared) } else { tempfile::tempdir() }.unwrap();
    let path = folder.path().join("model.safetensors");
    let vocabulary = Vocabulary::from_text(VocabularyKind::Characters, "hello").unwrap();
    let config = Config { symbols: 4, embedding: 1, hidden: 2, ..Config::default() };
    let model = LanguageModel::<f32>::new(&config, &mut Streams::new(1).stream("init"));
    let of_text = without_checksums(&TextModel::checkpoint_of(&model, &vocabulary).unwrap(), &path);
    let lags = ModelConfig { lags: Lags::Count(1), ..ModelConfig::default() };
    let linear = LinearAr::fit(&[1.0, 2.0, 1.5, 0.5, 1.0, 2.5, 1.25, 0.75, 1.0, 2.0], &lags).unwrap();
    let of_linear = without_checksums(&linear.to_checkpoint().unwrap(), &path);
    let architecture = Architecture { lags: 2, stride: 1, hidden: 2, layers: 1, deviation: Deviation::default() };
    let standardize = Standardize { mean: 1.0, std: 2.0 };
    let neural = NeuralAr::<f32>::new(&architecture, standardize, &mut Streams::new(1).stream("init"));
    let of_neural = without_checksums(&neural.to_checkpoint().unwrap(), &path);
    fuzz("file of a model", &[&of_text, &of_linear, &of_neural], |input| {
        std::fs::write(&path, input).unwrap();
        let Ok(checkpoint) = Checkpoint::load(&path) else { return false };
        let text = TextModel::<LanguageModel<f32>>::from_checkpoint(&checkpoint).is_ok();
        SavedSeries::from_checkpoint(&checkpoint).is_ok() || text
    });
}
