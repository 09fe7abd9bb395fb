//! Models of a series through the binary: the known figures of the sunspots to the last digit, forecasts, drawn values.

use crate::{assert_code, assert_error, autoreg, stderr, stdout, with_model};
use approx::assert_relative_eq;
use models::series::mackey_glass::mackey_glass;
use models::series::sunspots::{FIRST_YEAR, YEARLY};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Output;
use tempfile::TempDir;

/// A folder with the sunspots as a CSV file in it.
pub struct Sunspots {
    folder: TempDir,
    csv: String,
}

impl Sunspots {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let years = YEARLY.iter().enumerate().map(|(i, x)| format!("{},{x}\n", FIRST_YEAR + i));
        let path = folder.path().join("sunspots.csv");
        std::fs::write(&path, format!("year,sunspots\n{}", years.collect::<String>())).expect("a file");
        Sunspots { csv: path.to_str().expect("a Unicode name").to_owned(), folder }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Trains on the column `sunspots` and returns the run folder.
    #[track_caller]
    pub fn train(&self, name: &str, more: &[&str]) -> PathBuf {
        let run = self.path(name);
        assert_code(&self.training(&run, more), 0);
        run
    }

    pub fn training(&self, run: &Path, more: &[&str]) -> Output {
        let run = run.to_str().expect("a Unicode name");
        let arguments = ["train", "series", "--data", &self.csv, "--column", "sunspots", "--out-dir", run];
        autoreg(arguments.iter().chain(more))
    }

    fn evaluated(&self, run: &Path, more: &[&str]) -> Value {
        json(&with_model("eval", run, &[&["--data", &self.csv, "--json"], more].concat()))
    }
}

#[track_caller]
fn json(output: &Output) -> Value {
    assert_code(output, 0);
    serde_json::from_slice(&output.stdout).expect("one JSON object")
}

#[track_caller]
fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or_else(|| panic!("{value} is no number"))
}

const ALL: [&str; 4] = ["--validation", "0", "--test", "0"];

#[test]
fn the_table_of_the_sunspots_comes_out_of_inspect_and_eval_to_the_last_digit() {
    // c, φ_1; σ², log-likelihood, AIC, BIC: statsmodels 0.15, AutoReg(trend="c").
    let table = [
        ("1", [8.7869418373, 0.8237872492], [524.2300657837, -1401.3703875267, 2808.7407750534, 2819.9310744023]),
        ("2", [14.9071483366, 1.3918052478], [275.4363196486, -1298.0318458777, 2604.0636917554, 2618.9710827457]),
        ("9", [6.7430535917, 1.1649421971], [221.2257757418, -1235.5591284195, 2493.1182568391, 2533.8598640603]),
    ];
    let sunspots = Sunspots::new();
    for (lags, [constant, first], [variance, log_likelihood, aic, bic]) in table {
        let run = sunspots.train(lags, &[&["--lags", lags], &ALL[..]].concat());
        let inspected = json(&with_model("inspect", &run, &["--json"]));
        let evaluated = sunspots.evaluated(&run, &[]);
        for fit in [&inspected["linear"], &evaluated["fit"]] {
            for (key, expected) in [
                ("constant", constant),
                ("variance", variance),
                ("log_likelihood", log_likelihood),
                ("aic", aic),
                ("bic", bic),
            ] {
                assert_relative_eq!(number(&fit[key]), expected, max_relative = 1e-8);
            }
            assert_relative_eq!(number(&fit["coefficients"][0]), first, max_relative = 1e-8);
        }
        // The likelihood that eval computes step by step is the fit's own.
        let nats = number(&evaluated["nats_per_symbol"]) * number(&evaluated["symbols"]);
        assert_relative_eq!(-nats, log_likelihood, max_relative = 1e-8);
        let tensors = inspected["tensors"].as_array().expect("a list");
        let stored = tensors.iter().find(|tensor| tensor["name"] == "coefficients").expect("the tensor");
        assert_eq!(stored["values"], inspected["linear"]["coefficients"]);
    }
}

#[test]
fn bic_picks_nine_lags_and_exposure_bias_is_two_numbers() {
    let sunspots = Sunspots::new();
    let run = sunspots.train("auto", &["--lags", "auto", "--validation", "0", "--test", "30"]);
    let config = &json(&with_model("inspect", &run, &["--json"]))["autoreg"]["config"];
    assert_eq!(config["lags"], 9);
    let svg = sunspots.path("exposure.svg");
    let evaluated = sunspots.evaluated(&run, &["--split", "test", "-o", svg.to_str().unwrap()]);
    assert_relative_eq!(number(&evaluated["rmse"]), 16.1707, epsilon = 5e-5);
    assert_relative_eq!(number(&evaluated["free_running_rmse"]), 27.8047, epsilon = 5e-5);
    let horizons = evaluated["horizons"].as_array().expect("a list");
    assert_eq!(horizons.len(), 30);
    assert_eq!(horizons[0]["rmse"], evaluated["rmse"]);
    // One step ahead the closed form is σ of the fit.
    let variance = number(&evaluated["fit"]["variance"]);
    assert_relative_eq!(number(&horizons[0]["expected"]), variance.sqrt(), max_relative = 1e-12);
    let floors = evaluated["floors_rmse"].as_object().expect("an object");
    assert_eq!(floors.keys().map(String::as_str).collect::<Vec<_>>(), ["AR(2)", "mean", "persistence"]);
    assert!(std::fs::read_to_string(svg).unwrap().contains("steps ahead"));
    assert!(stdout(&with_model("eval", &run, &["--data", &sunspots.csv, "--split", "test"])).contains("27.8047"));
    assert_code(&with_model("check", &run, &[]), 0);
}

#[test]
fn a_forecast_is_a_picture_and_a_table_with_both_bands() {
    let sunspots = Sunspots::new();
    let run = sunspots.train("ar", &["--lags", "9", "--validation", "0", "--test", "30"]);
    let (svg, csv) = (sunspots.path("forecast.svg"), sunspots.path("forecast.csv"));
    let outputs = ["-o", svg.to_str().unwrap(), "-o", csv.to_str().unwrap()];
    let more = ["-n", "30", "--after", "validation", "--first", "1700", "--axis", "year"];
    assert_code(&with_model("forecast", &run, &[&outputs[..], &more].concat()), 0);
    let picture = std::fs::read_to_string(svg).unwrap();
    assert!(["<svg", "year", "80 %", "95 %", "1950"].iter().all(|word| picture.contains(word)));
    let table = std::fs::read_to_string(csv).unwrap();
    let rows: Vec<Vec<f64>> =
        table.lines().skip(1).map(|line| line.split(',').map(|cell| cell.parse().unwrap()).collect()).collect();
    assert_eq!((rows.len(), rows[0][0], rows[29][0]), (30, 1979.0, 2008.0));
    for row in &rows {
        let [mean, error, low_80, high_80, low_95, high_95] = row[1..] else { panic!("seven cells") };
        assert_relative_eq!(high_80 - mean, 1.281_551_565_544_600_4 * error, max_relative = 1e-9);
        assert_relative_eq!(mean - low_95, 1.959_963_984_540_054 * error, max_relative = 1e-9);
        assert!(low_95 < low_80 && high_80 < high_95);
    }
    let same = with_model("forecast", &run, &more);
    assert_eq!(stdout(&same), table, "without --output the table goes to stdout");
}

#[test]
fn drawn_values_are_a_csv_file_that_can_be_trained_on() {
    let sunspots = Sunspots::new();
    let run = sunspots.train("ar", &["--lags", "2"]);
    let csv = sunspots.path("drawn.csv");
    assert_code(&with_model("generate", &run, &["-n", "50", "-o", csv.to_str().unwrap(), "--seed", "3"]), 0);
    let drawn = std::fs::read_to_string(&csv).unwrap();
    assert!(drawn.starts_with("sunspots\n") && drawn.lines().count() == 51);
    assert_eq!(stdout(&with_model("generate", &run, &["-n", "50", "--seed", "3"])), drawn);
    let mean = with_model("generate", &run, &["-n", "1", "--greedy", "-p", "100,50"]);
    let next: f64 = stdout(&mean).lines().nth(1).unwrap().parse().unwrap();
    let linear = &json(&with_model("inspect", &run, &["--json"]))["linear"];
    let phi = &linear["coefficients"];
    let expected = number(&linear["constant"]) + 50.0 * number(&phi[0]) + 100.0 * number(&phi[1]);
    assert_relative_eq!(next, expected, max_relative = 1e-12);
    let again = sunspots.path("again");
    let arguments = ["train", "series", "--data", csv.to_str().unwrap(), "--lags", "1", "--out-dir"];
    assert_code(&autoreg(arguments.iter().copied().chain([again.to_str().unwrap()])), 0);
    assert_error(&with_model("generate", &run, &["-p", "1,two"]), 2, &["list of numbers"]);
}

#[test]
fn yule_walker_and_burg_are_methods_and_a_linear_run_has_nothing_to_resume() {
    let sunspots = Sunspots::new();
    for (method, first) in [("yule-walker", 1.3752269313), ("burg", 1.3920424069)] {
        let run = sunspots.train(method, &[&["--lags", "2", "--method", method], &ALL[..]].concat());
        let inspected = json(&with_model("inspect", &run, &["--json"]));
        assert_relative_eq!(number(&inspected["linear"]["coefficients"][0]), first, max_relative = 1e-8);
        assert_error(&with_model("resume", &run, &[]), 2, &["linear model"]);
    }
}

#[test]
fn a_neural_model_trains_resumes_and_is_used_like_every_other() {
    let sunspots = Sunspots::new();
    let settings = ["--model", "neural-ar", "--lags", "9", "--set", "model.hidden=8", "--eval-every", "20"];
    let whole = sunspots.train("whole", &[&settings[..], &["--steps", "40"]].concat());
    let part = sunspots.train("part", &[&settings[..], &["--steps", "20"]].concat());
    assert_code(&with_model("resume", &part, &["--steps", "40"]), 0);
    for file in ["config.toml", "metrics.jsonl", "latest", "best", "loss.svg", "index.html"] {
        assert!(whole.join(file).is_file(), "{file}");
    }
    let evaluated = sunspots.evaluated(&whole.join("latest"), &["--split", "validation"]);
    let metrics = std::fs::read_to_string(whole.join("metrics.jsonl")).unwrap();
    let last: Value = serde_json::from_str(metrics.lines().last().unwrap()).unwrap();
    assert_eq!(evaluated["nats_per_symbol"], last["validation"]);
    assert!(evaluated["floors"]["linear AR(9)"].is_f64() && evaluated["horizons"][0]["expected"].is_null());
    assert_code(&with_model("check", &whole, &[]), 0);
    let csv = with_model("forecast", &whole, &["-n", "5", "--futures", "50"]);
    assert_code(&csv, 0);
    assert_eq!(stdout(&csv).lines().count(), 6);
    assert_code(&with_model("generate", &whole, &["-n", "5"]), 0);
    assert_code(&with_model("graph", &whole, &[]), 0);
}

#[test]
fn lags_lie_apart_as_the_mackey_glass_problem_has_them() {
    // Four values six apart predict the one six ahead: x(t−18), x(t−12), x(t−6), x(t) and x(t+6), t = 118 … 1117.
    let folder = tempfile::tempdir().unwrap();
    let csv = folder.path().join("mackey-glass.csv");
    let lines = mackey_glass(1124).iter().enumerate().map(|(t, x)| format!("{t},{x}\n")).collect::<String>();
    std::fs::write(&csv, format!("t,x\n{lines}")).unwrap();
    let (csv, run) = (csv.to_str().unwrap(), folder.path().join("run"));
    let arguments = ["train", "series", "--data", csv, "--column", "x", "--lags", "4", "--stride", "6"];
    let parts = ["--set", "data.skip=100", "--validation", "0", "--test", "500", "--out-dir", run.to_str().unwrap()];
    assert_code(&autoreg(arguments.iter().chain(&parts)), 0);
    let evaluated = json(&with_model("eval", &run, &["--data", csv, "--split", "test", "--json"]));
    assert_eq!(evaluated["symbols"], 500);
    assert_relative_eq!(number(&evaluated["rmse"]), 0.09830, epsilon = 5e-6);
    assert_relative_eq!(number(&evaluated["nrmse"]), 0.4325, epsilon = 5e-5);
    let persistence = number(&evaluated["floors_rmse"]["persistence"]) * 0.4325 / 0.09830;
    assert_relative_eq!(persistence, 0.8129, epsilon = 1e-4);
}

#[test]
fn a_fit_that_is_not_stationary_is_told_with_its_root() {
    let sunspots = Sunspots::new();
    let csv = sunspots.path("growing.csv");
    let growing: String = (0..60).map(|t| format!("{}\n", 1.05_f64.powi(t) + f64::from(t % 3) * 0.01)).collect();
    std::fs::write(&csv, growing).unwrap();
    let run = sunspots.path("growing");
    let arguments = ["train", "series", "--data", csv.to_str().unwrap(), "--lags", "1", "--out-dir"];
    let output = autoreg(arguments.iter().copied().chain([run.to_str().unwrap()]));
    assert_code(&output, 0);
    for output in [output, with_model("forecast", &run, &["-n", "3"])] {
        assert!(stderr(&output).contains("not stationary: its root 1.0"), "{}", stderr(&output));
        assert!(stderr(&output).contains("grow without bound"), "{}", stderr(&output));
    }
}
