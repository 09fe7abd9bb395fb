//! What holds of every family at the boundary: flags of another family, kinds of model that nobody knows, data that are several files.

use crate::series::Sunspots;
use crate::tiny_model::{Files, TEXT};
use crate::{assert_code, assert_error, autoreg, stdout, with_model};
use serde_json::Value;

#[test]
fn a_flag_of_another_family_is_a_usage_error_that_names_both() {
    let files = Files::new();
    let data = files.write("text.txt", TEXT);
    let output = with_model("eval", &files.checkpoint, &["--data", &data, "--horizons", "3"]);
    assert_error(&output, 2, &["--horizons is for a model of a series", "this is a model of text"]);
    assert_error(&with_model("forecast", &files.checkpoint, &[]), 2, &["holds a model of text", "a model of a series"]);
    let sunspots = Sunspots::new();
    let run = sunspots.train("ar", &["--lags", "2"]);
    assert_error(&with_model("generate", &run, &["--top-k", "3"]), 2, &["--top-k", "symbol of an alphabet"]);
    assert_error(&with_model("graph", &run, &[]), 2, &["linear model", "no graph"]);
    // Under the family's heading, and with its defaults, in the help that all families share.
    let help = autoreg(["eval", "--help"]);
    let (_, series) = stdout(&help).split_once("Series:").expect("the heading of the family");
    assert!(series.contains("--horizons"), "{series}");
}

#[test]
fn a_kind_of_model_that_no_family_knows_is_of_a_newer_version_or_of_another_program() {
    let files = Files::new();
    let mut checkpoint = crate::tiny_model::checkpoint_of(&crate::tiny_model::model(
        models::text::vocabulary::VocabularyKind::Characters,
    ));
    checkpoint.config = serde_json::json!({ "model": "diffusion" });
    let path = files.path("diffusion.safetensors");
    checkpoint.save(&models::storage::atomic::SystemDisk, &path).unwrap();
    for subcommand in ["generate", "check", "graph", "forecast"] {
        let says = ["diffusion.safetensors", "kind `diffusion`", "newer version or of another program", "gru, lstm"];
        assert_error(&with_model(subcommand, &path, &[]), 5, &says);
    }
}

#[test]
fn a_folder_of_files_is_data_and_its_folders_are_the_parts() {
    let files = Files::new();
    for (name, text) in
        [("train/a.txt", TEXT.repeat(3)), ("train/b.txt", TEXT.repeat(2)), ("validation/a.txt", TEXT.into())]
    {
        let path = files.path("texts").join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    let (data, run) = (files.path("texts"), files.path("run"));
    let (data, folder) = (data.to_str().unwrap(), run.to_str().unwrap());
    let tiny = ["model.hidden=12", "model.embedding=6", "data.batch=2", "data.window=8"];
    let mut arguments = vec!["train", "text", "--data", data, "--out-dir", folder, "--steps", "4"];
    tiny.iter().for_each(|setting| arguments.extend(["--set", setting]));
    assert_code(&autoreg(&arguments), 0);
    let symbols = TEXT.chars().count();
    for (split, times) in [("all", 6), ("train", 5), ("validation", 1)] {
        let output = with_model("eval", &run, &["--data", data, "--split", split, "--json"]);
        assert_code(&output, 0);
        let result: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(result["symbols"], symbols * times, "{split}");
    }
    let test = with_model("eval", &run, &["--data", data, "--split", "test"]);
    assert_error(&test, 5, &["the test part is empty", "no file is for it"]);
    std::fs::write(files.path("texts/train/b.txt"), TEXT.repeat(4)).unwrap();
    assert_error(&with_model("resume", &run, &["--steps", "8"]), 5, &["texts", "not the data of this run"]);
}

#[test]
fn a_gpt_goes_through_every_command_and_no_other_network_takes_its_settings() {
    let files = Files::new();
    let (data, run) = (files.write("text.txt", TEXT.repeat(4)), files.path("gpt"));
    let folder = run.to_str().unwrap();
    let tiny = ["width=8", "layers=2", "heads=2", "key_heads=1", "context=16", "positions=rotary"];
    let tiny: Vec<String> = tiny.iter().map(|setting| format!("model.{setting}")).collect();
    let train = |more: &[&str]| {
        let mut arguments = vec!["train", "text", "--data", &data, "--out-dir", folder, "--steps", "4"];
        tiny.iter().for_each(|setting| arguments.extend(["--set", setting]));
        arguments.extend(["--set", "data.batch=2", "--set", "data.window=16"]);
        autoreg(arguments.iter().chain(more))
    };
    assert_error(&train(&[]), 2, &["unknown key `model.width`"]);
    assert_error(&train(&["--model", "gpt", "--set", "model.heads=3"]), 2, &["`model.heads` is 3", "divide"]);
    // What is wrong is told of the network that was meant, and a name that no network has with those that there are.
    let narrow = ["--model", "gpt", "--set", "model.hidden=4"];
    assert_error(&train(&narrow), 2, &["unknown key `model.hidden`"]);
    let in_a_file = files.write("gpt.toml", "[model]\nmodel = \"gpt\"\nhead = 4\n");
    assert_error(&train(&["--config", &in_a_file]), 2, &["gpt.toml, line 3", "did you mean `model.heads`"]);
    let none = autoreg(["train", "text", "--data", &data, "--out-dir", folder, "--model", "transformer"]);
    assert_error(&none, 2, &["--model", "gru, lstm, gpt"]);
    assert_error(&train(&["--model", "gpt", "--set", "data.window=17"]), 2, &["`data.window` is 17", "model.context"]);
    assert_code(&train(&["--model", "gpt"]), 0);
    assert_code(&autoreg(["resume", folder, "--steps", "6"]), 0);
    for (subcommand, more) in [
        ("eval", &["--data", &data][..]),
        ("check", &["--length", "40"]),
        ("inspect", &[]),
        ("graph", &["-o", files.path("graph.svg").to_str().unwrap()]),
    ] {
        assert_code(&with_model(subcommand, &run, more), 0);
    }
    // Beyond the context.
    let drawn = with_model("generate", &run, &["-n", "50", "--seed", "1"]);
    assert_eq!(stdout(&drawn).chars().count(), 50);
}
