//! Tests of whole folders of GPT-2's files: the one that the library transformers wrote (`tests/fixtures/gpt2`), as it is and damaged.
//! That its logits and codes are those of the library is held by `tests/reference/gpt2.rs`.

use super::*;
use crate::storage::atomic::SystemDisk;
use crate::storage::data_type::DataType;
use crate::storage::safetensors_file::{SafetensorsFile, StoredTensor, write_file};
use crate::text::gpt::Gpt;
use crate::text::saved::TextModel;
use std::collections::BTreeMap;
use std::fs;
use tempfile::TempDir;

/// A copy of the fixture.
struct Copy(TempDir);

impl Copy {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures/gpt2");
        for name in [CONFIG, TENSORS, TOKENIZER, VOCABULARY, MERGES] {
            fs::copy(fixture.join(name), folder.path().join(name)).unwrap();
        }
        Copy(folder)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn load(&self) -> Result<Checkpoint> {
        Files::of(self.0.path()).expect("a folder of such files").checkpoint()
    }

    /// Changes the tensors.
    fn tensors(&self, change: impl FnOnce(&mut Vec<StoredTensor>)) -> &Self {
        let mut tensors = SafetensorsFile::open(&self.path(TENSORS)).unwrap().read_all().unwrap();
        change(&mut tensors);
        write_file(&SystemDisk, &self.path(TENSORS), &tensors.iter().collect::<Vec<_>>(), &BTreeMap::new()).unwrap();
        self
    }

    /// Changes a text.
    fn text(&self, name: &str, from: &str, to: &str) -> &Self {
        let text = fs::read_to_string(self.path(name)).unwrap();
        assert!(text.contains(from));
        fs::write(self.path(name), text.replacen(from, to, 1)).unwrap();
        self
    }

    #[track_caller]
    fn refused(&self, says: &[&str]) {
        let error = self.load().expect_err("a fault");
        assert_eq!(error.kind, Kind::BadInput, "{error}");
        let told = error.to_string();
        assert!(says.iter().all(|words| told.contains(words)) && !error.help.is_empty(), "{says:?} in: {told}");
    }
}

fn find<'t>(tensors: &'t mut [StoredTensor], name: &str) -> &'t mut StoredTensor {
    tensors.iter_mut().find(|tensor| tensor.name == format!("{PREFIX}{name}")).expect("a tensor of the fixture")
}

const PREFIX: &str = "transformer.";

#[test]
fn the_same_model_comes_with_and_without_prefix_masks_output_layer_and_either_vocabulary() {
    let wanted = Copy::new().load().unwrap();
    assert_eq!(wanted.prefix, PREFIX);
    TextModel::<Gpt<f32>>::from_checkpoint(&wanted).unwrap();
    let copy = Copy::new();
    copy.tensors(|tensors| tensors.iter_mut().for_each(|tensor| tensor.name = tensor.name.replace(PREFIX, "")));
    fs::remove_file(copy.path(TOKENIZER)).unwrap();
    let plain = copy.load().unwrap();
    assert_eq!(
        (&plain.tensors, &plain.config, &plain.vocabulary),
        (&wanted.tensors, &wanted.config, &wanted.vocabulary)
    );
    assert_eq!(plain.prefix, "");
    let copy = Copy::new();
    copy.tensors(|tensors| {
        let head = StoredTensor { name: HEAD.to_owned(), ..find(tensors, "wte.weight").clone() };
        let mask = StoredTensor::new(format!("{PREFIX}h.1.attn.bias"), &[1, 1, 2, 2], &[1_u8, 0, 1, 1]);
        let masked = StoredTensor::new(format!("{PREFIX}h.1.attn.masked_bias"), &[], &[-1e4_f32]);
        tensors.extend([head, mask, masked]);
    });
    assert_eq!(copy.load().unwrap().tensors, wanted.tensors);
}

const HEAD: &str = "lm_head.weight";

#[test]
fn half_floats_are_read_as_they_are() {
    let copy = Copy::new();
    copy.tensors(|tensors| {
        for tensor in tensors {
            let upper = |weight: f32| ((weight.to_bits() >> 16) as u16).to_le_bytes();
            tensor.bytes = tensor.elements::<f32>().unwrap().into_iter().flat_map(upper).collect();
            tensor.data_type = DataType::Bf16;
        }
    });
    let read = copy.load().unwrap();
    TextModel::<Gpt<f32>>::from_checkpoint(&read).unwrap();
    let whole = Copy::new().load().unwrap();
    for (half, whole) in read.tensors.iter().zip(&whole.tensors) {
        assert_eq!((&half.name, &half.shape), (&whole.name, &whole.shape));
        let cut = |weight: f64| f64::from(f32::from_bits((weight as f32).to_bits() & 0xffff_0000));
        let wanted: Vec<f64> = whole.reals().unwrap().into_iter().map(cut).collect();
        assert_eq!(half.reals().unwrap(), wanted, "{}", half.name);
    }
}

#[test]
fn tensors_that_are_not_the_models_are_named_as_the_file_names_them() {
    let changed = |change: &dyn Fn(&mut Vec<StoredTensor>), says: &[&str]| {
        Copy::new().tensors(|tensors| change(tensors)).refused(&[says, &["model.safetensors"]].concat());
    };
    changed(
        &|t| t.retain(|t| !t.name.ends_with("h.1.mlp.c_fc.bias")),
        &["missing: `h.1.mlp.c_fc.bias`", "the sizes in config.json"],
    );
    changed(
        &|t| t.push(StoredTensor::new("h.2.ln_1.weight", &[1], &[1.0_f32])),
        &["not known to the model: `h.2.ln_1.weight`"],
    );
    changed(
        &|t| find(t, "h.0.attn.c_attn.weight").shape.reverse(),
        &["`h.0.attn.c_attn.weight` is [48, 16], not [16, 48], but its transpose"],
    );
    changed(&|t| find(t, "wpe.weight").shape = vec![12, 32], &["`wpe.weight` is [12, 32], not [24, 16]"]);
    changed(
        &|t| {
            let narrow = find(t, "wpe.weight");
            *narrow = StoredTensor::new(narrow.name.clone(), &[24, 16], &[1_u8; 384]);
        },
        &["tensor `transformer.wpe.weight` holds U8, not F32, F64, F16 or BF16"],
    );
    changed(
        &|t| {
            let mut head = StoredTensor { name: HEAD.to_owned(), ..find(t, "wte.weight").clone() };
            head.bytes[0] ^= 1;
            t.push(head);
        },
        &["`lm_head.weight` is another than `wte.weight`"],
    );
    let copy = Copy::new();
    let mut bytes = fs::read(copy.path(TENSORS)).unwrap();
    let end = bytes.len() - 4;
    bytes[end..].copy_from_slice(&f32::NAN.to_le_bytes());
    fs::write(copy.path(TENSORS), bytes).unwrap();
    copy.refused(&["is not finite", "another copy"]);
}

#[test]
fn files_that_contradict_one_another_or_are_not_there_are_refused_by_name() {
    Copy::new().text(CONFIG, "\"n_layer\": 2", "\"n_layer\": 3").refused(&["missing: `h.2.ln_1.weight`"]);
    Copy::new().text(CONFIG, "\"n_layer\": 2", "\"n_layer\": 1").refused(&["not known to the model: `h.1."]);
    Copy::new().text(CONFIG, "\"n_layer\": 2", "\"n_layer\": 1000000000000000000").refused(&["`n_layer` is 10000"]);
    Copy::new().text(CONFIG, "\"n_embd\": 16", "\"n_embd\": 32").refused(&["`wte.weight` is [384, 16], not [384, 32]"]);
    Copy::new().text(CONFIG, "\"n_head\": 2", "\"n_head\": 3").refused(&["`n_head` is 3; it must divide `n_embd`, 16"]);
    // A table of more rows than there are tokens: whatever stands for the last ones?
    Copy::new()
        .text(CONFIG, "\"vocab_size\": 384", "\"vocab_size\": 400")
        .refused(&["tokenizer.json contradicts config.json", "tokenizer.json has 384 tokens, and `vocab_size` is 400"]);
    for (name, says) in [(CONFIG, "has no config.json"), (TENSORS, "has no model.safetensors")] {
        let copy = Copy::new();
        fs::remove_file(copy.path(name)).unwrap();
        copy.refused(&[says]);
    }
    let copy = Copy::new();
    fs::remove_file(copy.path(TOKENIZER)).unwrap();
    fs::remove_file(copy.path(MERGES)).unwrap();
    copy.refused(&["has no merges.txt"]);
    fs::remove_file(copy.path(VOCABULARY)).unwrap();
    copy.refused(&["has no tokenizer.json"]);
    assert!(Files::of(&copy.path(CONFIG)).is_none() && Files::of(&copy.path("nothing")).is_none());
    fs::write(copy.path("latest"), "step-000001.safetensors\n").unwrap();
    assert!(Files::of(copy.0.path()).is_none(), "a run is a run");
}

#[test]
fn a_file_cut_anywhere_is_refused_and_a_flipped_bit_never_panics() {
    for name in [CONFIG, TENSORS, TOKENIZER] {
        let copy = Copy::new();
        let whole = fs::read(copy.path(name)).unwrap();
        let content = whole.trim_ascii_end().len();
        for i in 0..40 {
            fs::write(copy.path(name), &whole[..content * i / 40]).unwrap();
            copy.refused(&[name]);
            let mut flipped = whole.clone();
            flipped[content * i / 40 + i % 8] ^= 1 << (i % 8);
            fs::write(copy.path(name), flipped).unwrap();
            if let Ok(checkpoint) = copy.load() {
                let _ = TextModel::<Gpt<f32>>::from_checkpoint(&checkpoint);
            }
        }
    }
}
