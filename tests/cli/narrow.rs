//! Weights rounded to fewer bits: a model that draws in the bits in which it scores, on any number of threads and by every instruction set,
//! and says what rounding costs.

use crate::tiny_runs::TINY_RUNS;
use crate::{assert_code, assert_error, stdout, with_model};
use serde_json::Value;

#[test]
fn rounded_models_draw_the_same_by_every_instruction_set_and_say_what_rounding_costs() {
    for run in TINY_RUNS.iter().filter(|run| run.family != "series") {
        let folder = tempfile::tempdir().unwrap();
        let (model, data) = (run.train(folder.path()), folder.path().join("data"));
        std::fs::rename(run.write_data(folder.path()), &data).unwrap();
        let data = data.to_str().unwrap();
        let scored = |weights: &str| {
            let output = with_model("eval", &model, &["--data", data, "--json", "--weights", weights]);
            assert_code(&output, 0);
            serde_json::from_str::<Value>(stdout(&output)).unwrap()
        };
        let full = scored("f32");
        assert_eq!(full["weights"], Value::Null);
        let key = if run.has_next() { "nats_per_symbol" } else { "nats_per_symbol_at_most" };
        let nats = full[key].as_f64().unwrap();
        for (weights, most) in [("bf16", 0.02), ("int8", 0.05)] {
            let narrow = scored(weights);
            assert_eq!((&narrow["weights"], narrow[format!("{key}_f32")].as_f64()), (&weights.into(), Some(nats)));
            let cost = (narrow[key].as_f64().unwrap() - nats).abs();
            assert!(cost > 0.0 && cost < most, "{} in {weights}: {cost} nats", run.model);
            let said = with_model("eval", &model, &["--data", data, "--weights", weights]);
            assert!(stdout(&said).contains(&format!("rounded to {weights}")), "{}", stdout(&said));

            let out = folder.path().join("drawn");
            let length: &[&str] = if run.family == "audio" { &["--seconds", "0.01"] } else { &["-n", "12"] };
            let drawn = |more: &[&str]| {
                let out = out.with_extension(run.outputs[0].2);
                let arguments = [&["-o", out.to_str().unwrap(), "--weights", weights], length, more].concat();
                assert_code(&with_model("generate", &model, &arguments), 0);
                std::fs::read(out).unwrap()
            };
            let expected = drawn(&[]);
            for more in [&["--threads", "3"][..], &["--isa", "portable"]] {
                assert!(drawn(more) == expected, "{} {weights} {more:?}", run.model);
            }
            // The parallel pass of the rounded weights, where there is one around the loop.
            if run.family != "audio" && run.has_next() {
                assert!(drawn(&["--decode", "jacobi"]) == expected, "{} {weights}: jacobi", run.model);
            }
        }
    }
}

#[test]
fn a_series_keeps_its_weights_in_double_precision() {
    for run in TINY_RUNS.iter().filter(|run| run.family == "series") {
        let folder = tempfile::tempdir().unwrap();
        let model = run.train(folder.path());
        let output = with_model("generate", &model, &["--weights", "int8"]);
        assert_error(&output, 2, &["--weights int8", "a model of a series"]);
    }
}
