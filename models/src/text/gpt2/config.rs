//! `config.json` of GPT-2's files. What changes what a model computes is read or refused; the rest (dropout in training, dates, what its
//! heads are for) is passed over.

use crate::error::{Error, Kind, Result};
use crate::pages::numbers::given;
use crate::refusals;
use crate::storage::regular::shortened;
use crate::text::bpe::MAX_SYMBOLS;
use crate::text::gpt::{GptConfig, Positions};
use crate::text::network::{MOST, MOST_LAYERS};
use serde::Deserialize;
use serde_json::Value;

/// The keys that say what is computed.
#[derive(Deserialize)]
struct Published {
    vocab_size: usize,
    n_layer: usize,
    n_head: usize,
    n_embd: usize,
    n_positions: Option<usize>,
    /// The older name.
    n_ctx: Option<usize>,
    n_inner: Option<usize>,
    #[serde(default = "gelu_new")]
    activation_function: String,
    #[serde(default = "epsilon")]
    layer_norm_epsilon: f64,
    #[serde(default = "yes")]
    scale_attn_weights: bool,
    #[serde(default)]
    scale_attn_by_inverse_layer_idx: bool,
    #[serde(default)]
    add_cross_attention: bool,
    #[serde(default = "yes")]
    tie_word_embeddings: bool,
}

fn gelu_new() -> String {
    "gelu_new".to_owned()
}

fn epsilon() -> f64 {
    EPSILON
}

fn yes() -> bool {
    true
}

/// Added to a variance; a GPT of ours has no other.
const EPSILON: f64 = 1e-5;

/// The tanh form of GELU, under each of its names.
const GELU_TANH: [&str; 3] = ["gelu_new", "gelu_pytorch_tanh", "gelu_fast"];

/// The configuration of a GPT that computes what `text`, the content of the file shown as `path`, says.
///
/// # Errors
/// [`Kind::BadInput`] naming the key, for another kind of model, for what our GPT does not compute and for sizes that make no network.
pub fn parse(text: &str, path: &str) -> Result<GptConfig> {
    let bad = |cause: String| {
        Error::new(Kind::BadInput, format!("{path} is no configuration of a GPT that autoreg computes"))
            .cause(shortened(&cause, 400))
            .help("GPT-2 is read: its sizes, learned positions, biases, the tanh form of GELU, one table for input and output")
    };
    let value: Value = serde_json::from_str(text).map_err(|error| bad(error.to_string()))?;
    match value.get("model_type").and_then(Value::as_str) {
        Some("gpt2") => {}
        Some(other) => return Err(bad(format!("`model_type` is {:?}, not \"gpt2\"", shortened(other, 40)))),
        None => return Err(bad("it has no text `model_type`".to_owned())),
    }
    let published: Published = refusals::read(&value).map_err(bad)?;
    let Published { vocab_size, n_layer, n_head, n_embd, .. } = published;
    let Some(n_positions) = published.n_positions.or(published.n_ctx) else {
        return Err(bad("`n_positions` is missing".to_owned()));
    };
    let sizes = [
        ("vocab_size", vocab_size, MAX_SYMBOLS),
        ("n_layer", n_layer, MOST_LAYERS),
        ("n_head", n_head, MOST),
        ("n_embd", n_embd, MOST),
        ("n_positions", n_positions, MOST),
    ];
    if let Some((key, size, most)) = sizes.into_iter().find(|(_, size, most)| !(1..=*most).contains(size)) {
        return Err(bad(format!("`{key}` is {size}; it must be from 1 to {most}")));
    }
    if !n_embd.is_multiple_of(n_head) {
        return Err(bad(format!("`n_head` is {n_head}; it must divide `n_embd`, {n_embd}")));
    }
    if published.n_ctx.is_some_and(|n_ctx| n_ctx != n_positions) {
        return Err(bad(format!(
            "`n_ctx` is {}, and `n_positions` {n_positions}",
            published.n_ctx.unwrap_or_default()
        )));
    }
    if published.n_inner.is_some_and(|n_inner| n_inner != 4 * n_embd) {
        let n_inner = published.n_inner.unwrap_or_default();
        return Err(bad(format!("`n_inner` is {n_inner}; it must be four times `n_embd`, {}", 4 * n_embd)));
    }
    let activation = &published.activation_function;
    if !GELU_TANH.contains(&activation.as_str()) {
        return Err(bad(format!("`activation_function` is {:?}, not \"gelu_new\"", shortened(activation, 40))));
    }
    if published.layer_norm_epsilon != EPSILON {
        let epsilon = given(published.layer_norm_epsilon);
        return Err(bad(format!("`layer_norm_epsilon` is {epsilon}, not {}", given(EPSILON))));
    }
    let flags = [
        ("scale_attn_weights", published.scale_attn_weights, true),
        ("scale_attn_by_inverse_layer_idx", published.scale_attn_by_inverse_layer_idx, false),
        ("add_cross_attention", published.add_cross_attention, false),
        ("tie_word_embeddings", published.tie_word_embeddings, true),
    ];
    if let Some((key, is, _)) = flags.into_iter().find(|(_, is, wanted)| is != wanted) {
        return Err(bad(format!("`{key}` is {is}, not {}", !is)));
    }
    Ok(GptConfig {
        symbols: vocab_size,
        layers: n_layer,
        heads: n_head,
        key_heads: n_head,
        width: n_embd,
        context: n_positions,
        positions: Positions::Learned,
        bias: true,
        ..GptConfig::default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn small() -> Value {
        json!({"model_type": "gpt2", "vocab_size": 50257, "n_layer": 12, "n_head": 12, "n_embd": 768, "n_positions": 1024,
            "n_ctx": 1024, "activation_function": "gelu_new", "layer_norm_epsilon": 1e-5, "resid_pdrop": 0.1})
    }

    fn refused(key: &str, value: Value) -> String {
        let mut config = small();
        config[key] = value;
        let error = parse(&config.to_string(), "config.json").unwrap_err();
        assert!(error.kind == Kind::BadInput && error.what.starts_with("config.json ") && !error.help.is_empty());
        error.cause
    }

    #[test]
    fn the_published_configuration_of_the_smallest_gpt_2_is_one_of_ours() {
        let config = parse(&small().to_string(), "config.json").unwrap();
        let GptConfig { symbols, layers, heads, key_heads, width, context, positions, bias, .. } = config;
        assert_eq!([symbols, layers, heads, key_heads, width, context], [50257, 12, 12, 12, 768, 1024]);
        assert_eq!((positions, bias), (Positions::Learned, true));
        let mut older = small();
        older.as_object_mut().unwrap().remove("n_positions");
        assert_eq!(parse(&older.to_string(), "config.json").unwrap(), config);
    }

    #[test]
    fn what_our_gpt_does_not_compute_is_refused_by_its_key() {
        for (key, value, says) in [
            ("model_type", json!("llama"), "\"llama\""),
            ("model_type", json!(2), "no text `model_type`"),
            ("activation_function", json!("relu"), "\"relu\", not \"gelu_new\""),
            ("layer_norm_epsilon", json!(1e-6), "`layer_norm_epsilon` is 1e-6, not 0.00001"),
            ("n_head", json!(7), "`n_head` is 7; it must divide `n_embd`, 768"),
            ("n_inner", json!(1024), "`n_inner` is 1024; it must be four times `n_embd`, 3072"),
            ("n_ctx", json!(512), "`n_ctx` is 512, and `n_positions` 1024"),
            ("scale_attn_weights", json!(false), "`scale_attn_weights` is false, not true"),
            ("scale_attn_by_inverse_layer_idx", json!(true), "`scale_attn_by_inverse_layer_idx` is true, not false"),
            ("tie_word_embeddings", json!(false), "`tie_word_embeddings` is false, not true"),
            ("add_cross_attention", json!(true), "`add_cross_attention` is true, not false"),
        ] {
            let cause = refused(key, value);
            assert!(cause.contains(says), "{key}: {cause}");
        }
    }

    #[test]
    fn sizes_that_make_no_network_are_refused_before_anything_is_made_of_them() {
        for (value, says) in [
            (json!(0), "is 0; it must be from 1 to"),
            (json!(1_000_000_000_000_000_000_u64), "is 1000000000000000000; it must be from 1 to"),
            (json!(1e30), "a whole number from 0 is wanted"),
            (json!(-1), "a whole number from 0 is wanted"),
            (json!("12"), "a whole number from 0 is wanted"),
            (json!(null), "a whole number from 0 is wanted"),
        ] {
            for key in ["vocab_size", "n_layer", "n_head", "n_embd"] {
                let cause = refused(key, value.clone());
                assert!(cause.contains(&format!("`{key}`")) && cause.contains(says), "{key}: {cause}");
            }
        }
        assert!(refused("n_positions", json!(1u64 << 40)).contains("`n_positions` is 1099511627776"));
        for text in ["", "{", "[]", "3", &"[".repeat(100_000)] {
            assert_eq!(parse(text, "config.json").unwrap_err().kind, Kind::BadInput);
        }
    }
}
