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
fn a_group_is_no_value_and_a_value_no_group() {
    assert_eq!(layers().set("optimizer=3").unwrap_err().kind, Kind::Usage);
    assert_eq!(layers().set("steps.x=3").unwrap_err().kind, Kind::Usage);
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
    assert_eq!(layers().environment(set, &[]).unwrap_err().kind, Kind::Usage);
}

#[test]
fn the_written_configuration_reads_back_as_itself() {
    let run = Run { limit: Some(0.1 + 0.2), name: "a \"b\" \n c".into(), ..Run::default() };
    let read = text(&to_toml(&run).unwrap()).unwrap().finish().unwrap();
    assert_eq!(read, run);
    let rows = rows(&run).unwrap();
    assert!(rows.contains(&("optimizer.learning_rate".into(), "0.001".into())), "{rows:?}");
}
