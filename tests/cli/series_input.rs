//! Files that hold no usable series, and settings that make no sense: each a clear error with its place, none a panic.

use crate::series::Sunspots;
use crate::{assert_code, assert_error, autoreg, stderr, with_model};

#[test]
fn bad_series_are_named_with_their_place_and_end_with_code_5() {
    let sunspots = Sunspots::new();
    let good: String = (0..40).map(|t| format!("{t},{}\n", (t * 7) % 11)).collect();
    let constant: String = (0..40).map(|t| format!("{t},3\n")).collect();
    let replaced = |cell: &str| format!("t,x\n{}", good.replacen("5,2\n", &format!("5,{cell}\n"), 1));
    for (name, content, column, says) in [
        ("column", format!("t,x\n{good}"), "y", &["no column \"y\"", "t, x"][..]),
        ("text", replaced("many"), "x", &["line 7", "\"x\"", "many"]),
        ("gap", replaced(""), "x", &["line 7", "empty"]),
        ("nan", replaced("NaN"), "x", &["line 7", "NaN"]),
        ("infinite", replaced("inf"), "x", &["line 7", "inf"]),
        ("ragged", format!("t,x\n{good}3\n"), "x", &["line 42", "cells"]),
        ("empty", String::new(), "x", &["empty"]),
        ("header", "t,x\n".into(), "x", &["below the header"]),
        ("short", "t,x\n1,2\n2,3\n3,5\n".into(), "x", &["cannot fit"]),
        ("constant", format!("t,x\n{constant}"), "x", &["constant"]),
    ] {
        let path = sunspots.path(name);
        std::fs::write(&path, content).unwrap();
        for model in ["ar", "neural-ar"] {
            let run = sunspots.path("never");
            let output = autoreg([
                "train",
                "series",
                "--data",
                path.to_str().unwrap(),
                "--column",
                column,
                "--lags",
                "2",
                "--model",
                model,
                "--out-dir",
                run.to_str().unwrap(),
            ]);
            assert_error(&output, 5, says);
            assert!(!run.exists(), "{name}: a run folder was left");
        }
    }
    let missing = autoreg(["train", "series", "--data", "no-such-file.csv"]);
    assert_error(&missing, 5, &["no-such-file.csv"]);
}

#[test]
fn what_a_spreadsheet_writes_is_read() {
    let sunspots = Sunspots::new();
    let rows: String = (0..40).map(|t| format!("{t};{}\r\n", (t * 7) % 11)).collect();
    let path = sunspots.path("spreadsheet.csv");
    std::fs::write(&path, format!("\u{feff}t;x\r\n{rows}")).unwrap();
    let run = sunspots.path("run");
    let arguments = ["train", "series", "--data", path.to_str().unwrap(), "--column", "x", "--lags", "2", "--out-dir"];
    assert_code(&autoreg(arguments.iter().copied().chain([run.to_str().unwrap()])), 0);
}

#[test]
fn a_first_line_that_could_be_either_is_read_by_every_command_as_it_is_told() {
    let sunspots = Sunspots::new();
    let run = sunspots.train("ar", &["--lags", "2"]);
    // Numbers alone: the first line may be values, or columns that somebody numbered.
    let rows: String = (0..40).map(|t| format!("{t},{}\n", (t * 7) % 11)).collect();
    let path = sunspots.path("numbers.csv");
    std::fs::write(&path, format!("0,1\n{rows}")).unwrap();
    for (subcommand, more) in [("eval", &["--horizons", "1"][..]), ("forecast", &["-n", "2"])] {
        let with = |header: &[&str]| {
            let data = ["--data", path.to_str().unwrap(), "--column", "#2"];
            with_model(subcommand, &run, &[&data[..], more, header].concat())
        };
        assert_error(&with(&[]), 5, &["--header present or --header absent"]);
        let (present, absent) = (with(&["--header", "present"]), with(&["--header", "absent"]));
        assert_code(&present, 0);
        assert_code(&absent, 0);
        assert!(stderr(&present).contains("40 values") && stderr(&absent).contains("41 values"), "{}", stderr(&absent));
        assert_error(&with(&["--header", "maybe"]), 2, &["detect, present or absent"]);
    }
}

#[test]
fn settings_that_make_no_sense_are_usage_errors() {
    let sunspots = Sunspots::new();
    for (more, says) in [
        (&["--lags", "0"][..], "model.lags"),
        (&["--lags", "-3"], "model.lags"),
        (&["--lags", "many"], "model.lags"),
        (&["--lags", "99999999999999"], "model.lags"),
        (&["--stride", "0"], "model.stride"),
        (&["--method", "guess"], "model.method"),
        (&["--stride", "2", "--method", "burg"], "model.stride"),
        (&["--test", "-1"], "data.test"),
        (&["--test", "0.5", "--validation", "1.5"], "data.validation"),
        (&["--set", "model.hiden=3"], "model.hidden"),
        (&["--model", "arma"], "model.model"),
    ] {
        assert_error(&sunspots.training(&sunspots.path("never"), more), 2, &[says]);
    }
    assert_error(&sunspots.training(&sunspots.path("never"), &["--lags", "200"]), 5, &["at most"]);
    let run = sunspots.train("ar", &["--lags", "2"]);
    assert_error(&with_model("forecast", &run, &["-o", "forecast.png"]), 2, &[".svg", ".csv"]);
    assert_error(&with_model("graph", &run, &[]), 2, &["linear"]);
}
