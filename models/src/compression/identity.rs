//! How a compressed file knows its model again: a hash of what decides about every probability. It finds slips, not forgers.

use autograd::nn::Module;
use autograd::random::fnv_1a;
use serde_json::Value;

/// FNV-1a of the JSON of a checkpoint's configuration, newline, that of its vocabulary, where it has one, newline; keys in ascending order.
pub fn described(config: &Value, vocabulary: Option<&Value>) -> u64 {
    fnv_1a(format!("{config}\n{}\n", vocabulary.map(Value::to_string).unwrap_or_default()).as_bytes())
}

/// FNV-1a of a line for what is [`described`], its hash in sixteen hexadecimal digits, and one for each parameter: name, NUL, axes, NUL, hash
/// of its bytes (32-bit floats, little-endian) likewise, newline. Of a checkpoint with averaged weights, those.
pub fn identity(described: u64, model: &impl Module<f32>) -> u64 {
    let mut lines = format!("{described:016x}\n");
    for (name, parameter) in model.parameters() {
        let bytes: Vec<u8> = parameter.values().iter().flat_map(|value| value.to_le_bytes()).collect();
        let axes: Vec<String> = parameter.shape().iter().map(usize::to_string).collect();
        lines += &format!("{name}\0{}\0{:016x}\n", axes.join(","), fnv_1a(&bytes));
    }
    fnv_1a(lines.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::language_model::{Config, LanguageModel};
    use autograd::random::Streams;

    #[test]
    fn another_weight_configuration_or_vocabulary_is_another_model() {
        let config = Config { symbols: 4, embedding: 2, hidden: 3, ..Config::default() };
        let model = LanguageModel::<f32>::new(&config, &mut Streams::new(1).stream("init"));
        let json = serde_json::to_value(&config).unwrap();
        let vocabulary = serde_json::json!({"kind": "bytes"});
        let whole = described(&json, Some(&vocabulary));
        let own = identity(whole, &model);
        assert_eq!(own, identity(whole, &model.clone()));
        let mut other = model.clone();
        let weight = &mut other.head.weight.values_mut()[0];
        *weight = f32::from_bits(weight.to_bits() ^ 1);
        let mut layers = json.clone();
        layers["layers"] = 2.into();
        for another in [
            identity(whole, &other),
            identity(described(&layers, Some(&vocabulary)), &model),
            identity(described(&json, None), &model),
        ] {
            assert_ne!(another, own);
        }
    }
}
