//! Tests of the layered configuration.

use serde::Deserialize;

use super::*;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Run {
    name: String,
    steps: u64,
    tied: bool,
    limit: Option<f64>,
    dilations: Vec<usize>,
    optimizer: Optimizer,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Optimizer {
    learning_rate: f64,
    kind: Algorithm,
    clip: Option<f64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Algorithm {
    Adam,
    Sgd,
}

impl Default for Run {
    fn default() -> Self {
        let optimizer = Optimizer::default();
        Run { name: "gru".into(), steps: 100, tied: false, limit: None, dilations: vec![1, 2], optimizer }
    }
}

impl Default for Optimizer {
    fn default() -> Self {
        Optimizer { learning_rate: 1e-3, kind: Algorithm::Adam, clip: None }
    }
}

fn layers() -> Layers<Run> {
    Layers::new(&Run::default()).unwrap()
}

fn text(toml: &str) -> Result<Layers<Run>> {
    layers().text(Path::new("run.toml"), toml)
}

fn variables(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(k, v)| (k.to_string(), v.to_string())).collect()
}

#[test]
fn no_layer_gives_the_defaults() {
    assert_eq!(layers().finish().unwrap(), Run::default());
}

#[test]
fn flag_beats_environment_beats_file_beats_default() {
    let file = text("steps = 1\nname = \"file\"\ntied = true\n").unwrap();
    let environment = file.environment(variables(&[("AUTOREG_STEPS", "2"), ("AUTOREG_NAME", "env")]), &[]).unwrap();
    let all = environment.set("steps=3").unwrap();
    let run = all.finish().unwrap();
    assert_eq!((run.steps, run.name.as_str(), run.tied), (3, "env", true));
    assert_eq!(all.origin("tied"), Some(&Origin::File("run.toml".into(), 3)));
    assert_eq!(all.origin("optimizer.learning_rate"), None);
}

#[test]
fn dotted_keys_reach_into_groups_from_every_layer() {
    let run = text("[optimizer]\nkind = \"sgd\"\n").unwrap();
    let run = run.environment(variables(&[("AUTOREG_OPTIMIZER__CLIP", "1.0"), ("PATH", "/bin")]), &[]).unwrap();
    let run = run.set("optimizer.learning_rate = 2e-3").unwrap().finish().unwrap();
    assert_eq!(run.optimizer, Optimizer { learning_rate: 2e-3, kind: Algorithm::Sgd, clip: Some(1.0) });
}

#[test]
fn a_text_is_read_as_the_type_of_its_key() {
    let run =
        layers().set("name=42").unwrap().set("optimizer.learning_rate=1").unwrap().set("dilations=[1, 4]").unwrap();
    let run = run.set("optimizer.kind=sgd").unwrap().set("limit=0.5").unwrap().finish().unwrap();
    assert_eq!((run.name.as_str(), run.optimizer.learning_rate, &run.dilations[..]), ("42", 1.0, &[1, 4][..]));
    assert_eq!((run.optimizer.kind, run.limit), (Algorithm::Sgd, Some(0.5)));
}

#[test]
fn an_unknown_key_of_a_file_names_its_line_and_a_likely_key() {
    let error = text("steps = 1\n\n[optimizer]\n# comment\nlearning_rat = 0.1\n").unwrap_err();
    assert_eq!(error.kind, Kind::Usage);
    assert_eq!(error.what, "run.toml, line 5: unknown key `optimizer.learning_rat`");
    assert_eq!(error.help, "did you mean `optimizer.learning_rate`?");
}

#[test]
fn a_key_in_the_wrong_group_is_found_in_the_right_one() {
    let error = layers().set("learning_rate=0.1").unwrap_err();
    assert_eq!(error.help, "did you mean `optimizer.learning_rate`?");
}

#[test]
fn a_key_without_a_default_is_guessed_too() {
    let error = layers().set("optimizer.clipp=1.0").unwrap_err();
    assert_eq!(error.help, "did you mean `optimizer.clip`?");
}

#[test]
fn a_key_like_no_other_lists_the_known_ones() {
    let error = layers().set("zzz=1").unwrap_err();
    assert!(error.help.starts_with("known keys: name, steps, tied, limit"), "{error}");
}

#[test]
fn a_value_of_the_wrong_type_names_key_value_and_origin() {
    let error = text("steps = \"many\"").unwrap_err();
    assert_eq!(error.kind, Kind::Usage);
    assert_eq!(error.what, "run.toml, line 1: `steps` cannot be \"many\"");
    let error = layers().environment(variables(&[("AUTOREG_STEPS", "-1")]), &[]).unwrap_err();
    assert_eq!(error.what, "environment variable AUTOREG_STEPS: `steps` cannot be -1");
    let error = layers().set("optimizer.kind=adamm").unwrap_err();
    assert!(error.cause.contains("adam"), "{error}");
}

#[test]
fn a_value_that_is_none_of_a_choice_is_told_the_choice() {
    for value in ["3", "[1]", "true", "1e308", "\"\"", "SGD"] {
        let error = layers().set(&format!("optimizer.kind={value}")).unwrap_err();
        assert!(error.cause.contains("`adam` or `sgd` is wanted"), "{value}: {error}");
    }
    assert_eq!(layers().set("optimizer.kind=sgdd").unwrap_err().help, "did you mean `sgd`?");
    let many = text("limit = \"many\"").unwrap_err();
    assert_eq!(many.cause, "a number is wanted, not the text \"many\"");
    let number = layers().set("name=x").unwrap().set("dilations=[1, 1e308]").unwrap_err();
    assert_eq!(number.cause, "a whole number from 0 is wanted, not the number 1e308");
    // A word of a choice that has keys of its own.
    #[derive(Clone, Debug, Serialize, Deserialize)]
    #[serde(rename_all = "lowercase")]
    enum Vocabulary {
        Bytes,
        Pairs { size: usize, merged: usize },
    }
    #[derive(Clone, Debug, Serialize, Deserialize)]
    struct Data {
        vocabulary: Vocabulary,
    }
    let data = Layers::new(&Data { vocabulary: Vocabulary::Bytes }).unwrap();
    let error = data.clone().set("vocabulary=pairs").unwrap_err();
    assert_eq!(error.help, "write { pairs = { size = …, merged = … } }");
    assert!(data.set("vocabulary={ pairs = { size = 3, merged = 4 } }").is_ok());
}

#[test]
fn a_group_is_no_value_and_a_value_no_group() {
    assert_eq!(layers().set("optimizer=3").unwrap_err().kind, Kind::Usage);
    assert_eq!(layers().set("steps.x=3").unwrap_err().kind, Kind::Usage);
}

#[test]
fn a_group_changes_the_keys_it_names_and_no_others_in_every_layer() {
    let mut defaults = Run::default();
    defaults.optimizer.clip = Some(2.0);
    let start = || Layers::new(&defaults).unwrap();
    let expected = Optimizer { learning_rate: 0.5, clip: Some(2.0), kind: Algorithm::Adam };
    let flag = start().set("optimizer={ learning_rate = 0.5 }").unwrap();
    let file = start().text(Path::new("run.toml"), "optimizer = { learning_rate = 0.5 }").unwrap();
    let environment = variables(&[("AUTOREG_OPTIMIZER", "{ learning_rate = 0.5 }")]);
    for layers in [flag, file, start().environment(environment, &[]).unwrap()] {
        assert_eq!(layers.finish().unwrap().optimizer, expected);
        assert!(layers.origin("optimizer.learning_rate").is_some() && layers.origin("optimizer.clip").is_none());
    }
    let empty = start().text(Path::new("run.toml"), "steps = 3\n[optimizer]\n").unwrap().finish().unwrap();
    assert_eq!((empty.steps, empty.optimizer.clip), (3, Some(2.0)), "an empty group changes nothing");
    let error = start().set("optimizer={ learning_rat = 0.5 }").unwrap_err();
    assert_eq!(error.help, "did you mean `optimizer.learning_rate`?");
}

#[test]
fn keys_and_values_of_any_depth_and_length_are_refused_and_not_followed() {
    let deep = vec!["a"; 50_000].join(".");
    for key in [deep.clone(), format!("optimizer.{deep}"), ".".repeat(50_000)] {
        let error = layers().set(&format!("{key}=1")).unwrap_err();
        assert_eq!(error.kind, Kind::Usage);
        assert!(error.what.contains("parts"), "{error}");
    }
    let nested = format!("steps={}{}", "[".repeat(50_000), "]".repeat(50_000));
    assert!(layers().set(&nested).unwrap_err().what.len() < 400);
    let long = layers().set(&format!("steps={}", "9".repeat(100_000))).unwrap_err();
    assert!(long.to_string().len() < 1000, "{long}");
    for file in [format!("{deep} = 1"), format!("[{deep}]\n"), format!("a = {}", "[".repeat(50_000))] {
        assert!(text(&file).is_err());
    }
}

#[test]
fn a_number_beyond_those_of_toml_is_told_the_largest() {
    let error = layers().set("steps=18446744073709551615").unwrap_err();
    assert_eq!(error.cause, "a whole number is at most 9223372036854775807");
}

#[test]
fn a_file_may_begin_with_a_byte_order_mark_and_not_be_endless() {
    assert_eq!(text("\u{feff}steps = 7").unwrap().finish().unwrap().steps, 7);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("long.toml");
    std::fs::write(&path, "#".repeat(1 << 21)).unwrap();
    assert!(layers().file(&path).unwrap_err().what.contains("longer than"));
    std::fs::write(&path, b"steps = 1 # \xff").unwrap();
    assert_eq!(layers().file(&path).unwrap_err().cause, "it is not UTF-8 at byte 12");
}

#[test]
fn what_is_not_toml_is_a_bad_file_with_its_line() {
    let error = text("steps = 1\nname = = 2\n").unwrap_err();
    assert_eq!(error.kind, Kind::BadInput);
    assert!(error.what.contains("run.toml, line 2"), "{error}");
    let error = text("steps = 1\nsteps = 2\n").unwrap_err();
    assert!(error.what.contains("line 2"), "{error}");
}

#[test]
fn an_assignment_without_equals_sign_says_so() {
    assert!(layers().set("steps").unwrap_err().what.contains("no `=`"));
}

#[test]
fn reserved_variables_are_passed_over_and_unknown_ones_are_not() {
    let set = variables(&[("AUTOREG_LOG", "debug")]);
    assert!(layers().environment(set.clone(), &["AUTOREG_LOG"]).is_ok());
    assert_eq!(layers().environment(set.clone(), &[]).unwrap_err().kind, Kind::Usage);
    let error = layers().environment(set, &["AUTOREG_LOGS"]).unwrap_err();
    assert_eq!(error.help, "did you mean AUTOREG_LOGS?");
    // Neither a value that is wrong nor a key is taken for one of them.
    let optimizer = |name: &str, value: &str| {
        layers().environment(variables(&[(name, value)]), &["AUTOREG_OPTIMIZER_KIND"]).unwrap_err()
    };
    assert_eq!(optimizer("AUTOREG_OPTIMIZER__KIND", "sgdd").help, "did you mean `sgd`?");
    assert!(optimizer("AUTOREG_OPTIMIZER__KINT", "sgd").help.contains("AUTOREG_OPTIMIZER__KIND?"));
}

#[test]
fn the_written_configuration_reads_back_as_itself() {
    let run = Run { limit: Some(0.1 + 0.2), name: "a \"b\" \n c".into(), ..Run::default() };
    let read = text(&to_toml(&run).unwrap()).unwrap().finish().unwrap();
    assert_eq!(read, run);
    let rows = rows(&run).unwrap();
    assert!(rows.contains(&("optimizer.learning_rate".into(), "0.001".into())), "{rows:?}");
}
