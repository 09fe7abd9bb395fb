//! Numbers without end, names that a terminal obeys, data that are not what they seem, through the binary: told with an exit code
//! before anything is made, or taken as they were meant.

use crate::series::Sunspots;
use crate::tiny_model::{Files, TEXT, model};
use crate::tiny_runs::TINY_RUNS;
use crate::{assert_code, assert_error, autoreg, stderr, stdout, with_model};
use assert_cmd::Command;
use models::text::vocabulary::VocabularyKind;
use std::path::Path;
use std::process::Output;

/// Runs the binary in a folder, with more in its environment and on its stdin.
fn autoreg_in(folder: &Path, environment: &[(&str, &str)], arguments: &[&str], stdin: &[u8]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_autoreg"));
    command.args(arguments).env_remove("AUTOREG_THREADS").current_dir(folder).write_stdin(stdin);
    environment.iter().for_each(|(name, value)| _ = command.env(name, value));
    command.output().expect("the binary runs")
}

/// Trains the smallest model of text there is; `more` are further arguments.
fn train(folder: &Path, data: &str, run: &str, more: &[&str]) -> Output {
    let tiny = ["model.hidden=12", "model.embedding=6", "data.batch=2", "data.window=8"];
    let mut arguments = vec!["train", "text", "--data", data, "--out-dir", run, "--steps", "4"];
    tiny.iter().for_each(|setting| arguments.extend(["--set", setting]));
    arguments.extend(more);
    autoreg_in(folder, &[], &arguments, b"")
}

#[test]
fn threads_are_bounded_by_flag_and_by_both_variables() {
    let here = Path::new(".");
    let run = |environment: &[(&str, &str)], more: &[&str]| {
        autoreg_in(here, environment, &[&["gradcheck", "tanh"], more].concat(), b"")
    };
    assert_error(&run(&[("RAYON_NUM_THREADS", "10000")], &[]), 2, &["RAYON_NUM_THREADS", "10000 threads", "at most"]);
    assert_error(&run(&[("RAYON_NUM_THREADS", "all")], &[]), 2, &["RAYON_NUM_THREADS", "all"]);
    assert_code(&run(&[("RAYON_NUM_THREADS", "2")], &[]), 0);
    assert_code(&run(&[("RAYON_NUM_THREADS", "10000")], &["--threads", "2"]), 0);
    assert_error(&run(&[("AUTOREG_THREDS", "2")], &[]), 2, &["AUTOREG_THREDS", "did you mean AUTOREG_THREADS?"]);
}

#[test]
fn numbers_without_end_are_usage_errors_and_leave_no_run() {
    let files = Files::new();
    let data = files.write("text.txt", TEXT.repeat(8));
    let run = files.path("run");
    for (setting, says) in [
        ("data.batch=1000000000000000000", "of memory"),
        ("model.hidden=65536", "of memory"),
        ("model.layers=65536", "`model.layers` is 65536; it must be from 1 to 1000"),
        ("data.vocabulary.byte_pairs.size=262145", "262144"),
        ("training.optimizer.learning_rate=inf", "learning_rate` is inf; it must be above 0 and at most 1e30"),
        ("training.seed=18446744073709551615", "at most 9223372036854775807"),
        ("data.path=elsewhere", "--data and --set data.path"),
        ("model.symbols=5", "`model.symbols` is 5"),
    ] {
        assert_error(&train(files.folder.path(), &data, run.to_str().unwrap(), &["--set", setting]), 2, &[says]);
    }
    let deep = vec!["a"; 50_000].join(".") + "=1";
    assert_error(&train(files.folder.path(), &data, run.to_str().unwrap(), &["--set", &deep]), 2, &["50000 parts"]);
    assert!(!run.exists());

    let sunspots = Sunspots::new();
    let ar = sunspots.train("ar", &["--lags", "2"]);
    let csv = sunspots.path("sunspots.csv");
    for (horizons, code) in [("1000000000000000", 2), ("18446744073709551615", 2), ("-1", 2), ("1000000", 0)] {
        let output =
            with_model("eval", &ar, &["--data", csv.to_str().unwrap(), "--column", "1", "--horizons", horizons]);
        assert_code(&output, code);
    }
    let first = with_model("forecast", &ar, &["-n", "3", "--first", "18446744073709551615"]);
    assert_error(&first, 2, &["--first"]);
}

#[test]
fn pictures_and_sounds_without_end_are_usage_errors_before_one_is_drawn() {
    for run in TINY_RUNS.iter().filter(|run| run.outputs.iter().any(|output| matches!(output.2, "png" | "wav"))) {
        let folder = tempfile::tempdir().unwrap();
        let path = run.train(folder.path());
        for count in ["18446744073709551615", "1000000000000"] {
            let output = with_model("generate", &path, &["-n", count]);
            assert_code(&output, 2);
            let told = stderr(&output);
            assert!(told.contains("of memory") || told.contains("more than a WAV holds"), "{told}");
            assert!(output.stdout.is_empty());
        }
        let tall = with_model("generate", &path, &["-n", "20000000", "--scale", "64", "--columns", "1"]);
        assert_code(&tall, 2);
        assert!(
            ["make no PNG", "of memory", "--scale is for"].iter().any(|word| stderr(&tall).contains(word)),
            "{}",
            stderr(&tall)
        );
    }
}

#[test]
fn a_wrong_value_in_a_variable_is_told_by_the_variable_and_what_it_may_be() {
    let files = Files::new();
    files.write("text.txt", TEXT.repeat(8));
    for (name, value, says) in [
        ("AUTOREG_MODEL__HIDDEN", "many", "a whole number from 0 is wanted, not the text \"many\""),
        ("AUTOREG_MODEL__HIDDEN", "1e308", "cannot be 1e308"),
        ("AUTOREG_DATA__VOCABULARY", "byte_pairs", "write { byte_pairs = { size = … } }"),
        ("AUTOREG_TRAINING__OPTIMIZER__RULE", "[1]", "`adam`, `adamw` or `sgd` is wanted"),
        ("AUTOREG_MODEL__HIDEN", "3", "did you mean AUTOREG_MODEL__HIDDEN?"),
    ] {
        let arguments = ["train", "text", "--data", "text.txt", "--out-dir", "never"];
        let output = autoreg_in(files.folder.path(), &[(name, value)], &arguments, b"");
        assert_error(&output, 2, &[&format!("environment variable {name}"), says]);
        assert!(!stderr(&output).contains("AUTOREG_ISA"), "{}", stderr(&output));
    }
    assert!(!files.path("never").exists());
}

#[cfg(target_os = "linux")]
#[test]
fn threads_that_the_system_refuses_are_an_error_and_no_panic() {
    let binary = env!("CARGO_BIN_EXE_autoreg");
    let limited = |arguments: &str| {
        let line = format!("ulimit -v 300000; exec '{binary}' {arguments}");
        std::process::Command::new("sh").args(["-c", &line]).output().unwrap()
    };
    // The stack of each thread is 2 MiB of address space: not so many fit.
    let most = std::thread::available_parallelism().map_or(1, usize::from) * 16;
    let output = limited(&format!("doctor --threads {}", most.min(1024)));
    let told = stderr(&output);
    assert!(!told.contains("panicked") && !told.contains("internal"), "{told}");
    assert!(matches!(output.status.code(), Some(1 | 2)), "{told}");
    assert!(told.contains("cannot start") || told.contains("of memory"), "{told}");
}

#[test]
fn a_prompt_is_bytes_from_a_flag_a_file_or_stdin() {
    let files = Files::of(&model(VocabularyKind::Bytes));
    let checkpoint = files.checkpoint.to_str().unwrap();
    let prompt: &[u8] = b"\xff\xfe any \x00 bytes\n";
    let path = files.write("prompt", prompt);
    let generate = |more: &[&str], stdin: &[u8]| {
        autoreg_in(Path::new("."), &[], &[&["generate", checkpoint, "-n", "20"], more].concat(), stdin)
    };
    let from_file = generate(&["--prompt-file", &path, "--echo"], b"");
    assert_eq!((from_file.status.code(), &from_file.stdout[..prompt.len()]), (Some(0), prompt));
    assert_eq!(generate(&["--prompt-file", "-", "--echo"], prompt).stdout, from_file.stdout);
    let given = generate(&["--prompt", "the c"], b"").stdout;
    assert_eq!(generate(&["--prompt-file", "-"], b"the c").stdout, given);
    assert_error(&generate(&["--prompt-file", "-", "-p", "x"], b""), 2, &["--prompt"]);
    assert_error(&generate(&["--prompt-file", "no/such/file"], b""), 5, &["no/such/file"]);
    if cfg!(target_os = "linux") {
        assert_error(&generate(&["--prompt-file", "/dev/zero"], b""), 5, &["/dev/zero", "longer than 256.0 MiB"]);
    }
}

#[test]
fn without_a_prompt_a_text_begins_as_eval_scores_one_and_on_request_on_a_fresh_line() {
    let files = Files::new();
    let generate = |more: &[&str]| {
        let output = with_model("generate", &files.checkpoint, &[&["-n", "60", "--seed", "3"], more].concat());
        assert_code(&output, 0);
        stdout(&output).to_owned()
    };
    assert_eq!(generate(&["--fresh-line"]), generate(&["-p", "\n"]));
    assert_ne!(generate(&[]), generate(&["--fresh-line"]));
    // Of many first symbols, the most frequent is the one that the empty state makes most likely.
    let text = model(VocabularyKind::Characters);
    let decoder = models::text::decoder::Decoder::new(&text.model);
    use models::autoregressive::Autoregressive;
    let start = decoder.start();
    let logits = &decoder.next(&start).logits;
    let best = (0..logits.len()).max_by(|&a, &b| logits[a].total_cmp(&logits[b])).unwrap();
    let greedy = with_model("generate", &files.checkpoint, &["-n", "1", "--greedy"]);
    assert_eq!(greedy.stdout, text.vocabulary.symbol_bytes(best as u32));
    let both = with_model("generate", &files.checkpoint, &["--fresh-line", "-p", "x"]);
    assert_error(&both, 2, &["--fresh-line"]);
}

#[test]
fn a_byte_order_mark_is_dropped_and_said_and_utf_16_is_named() {
    let files = Files::new();
    let text = TEXT.repeat(8);
    files.write("marked.txt", format!("\u{feff}{text}"));
    files.write("plain.txt", &text);
    let marked = train(files.folder.path(), "marked.txt", "marked", &[]);
    assert_code(&marked, 0);
    assert!(
        stderr(&marked).contains("marked.txt: the byte-order mark at the beginning is dropped"),
        "{}",
        stderr(&marked)
    );
    assert_code(&train(files.folder.path(), "plain.txt", "plain", &[]), 0);
    let parameters = |run: &str| {
        let checkpoint =
            models::storage::run_files::resolve(&files.path(run), models::storage::run_files::Which::Latest);
        models::storage::checkpoint::Checkpoint::load(&checkpoint.unwrap()).unwrap().tensors
    };
    assert_eq!(parameters("marked"), parameters("plain"), "the mark is no symbol");
    let wide: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    files.write("wide.txt", &wide);
    files.write("wide_marked.txt", [b"\xff\xfe", &wide[..]].concat());
    files.write("packed.txt", b"\x1f\x8b\x08\0\0\0\0");
    for (name, says) in [("wide.txt", "UTF-16 without"), ("wide_marked.txt", "UTF-16"), ("packed.txt", "gzip")] {
        assert_error(&train(files.folder.path(), name, "never", &[]), 5, &[name, says]);
    }
    assert!(!files.path("never").exists());
}

#[test]
fn a_run_finds_its_data_from_any_folder_and_says_when_it_is_done() {
    let files = Files::new();
    files.write("text.txt", TEXT.repeat(8));
    assert_code(&train(files.folder.path(), "text.txt", "run", &[]), 0);
    let run = files.path("run");
    let resume = |folder: &Path, arguments: &[&str]| autoreg_in(folder, &[], &[&["resume"], arguments].concat(), b"");
    let done = resume(&run, &["."]);
    assert_code(&done, 0);
    assert!(stderr(&done).contains("all 4 steps are done; a larger --steps goes further"), "{}", stderr(&done));
    assert_code(&resume(&run, &[".", "--steps", "6"]), 0);
    std::fs::rename(files.path("text.txt"), files.path("moved.txt")).unwrap();
    assert_error(&resume(&run, &["."]), 5, &["text.txt", "no such file", "--data names"]);
    assert_code(&resume(&run, &[".", "--steps", "7", "--data", "../moved.txt"]), 0);
    assert_code(&resume(files.folder.path(), &["run", "--steps", "8"]), 0);
}

#[cfg(target_os = "linux")]
#[test]
fn names_that_are_no_text_are_refused_and_those_that_a_terminal_obeys_are_written_out() {
    use std::os::unix::ffi::OsStrExt;
    let files = Files::new();
    let name = std::ffi::OsStr::from_bytes(b"caf\xe9.txt");
    std::fs::write(files.path("x").with_file_name(name), TEXT.repeat(8)).unwrap();
    let run = files.path("run");
    let output = autoreg([
        "train".as_ref(),
        "text".as_ref(),
        "--data".as_ref(),
        files.path("x").with_file_name(name).as_os_str(),
        "--out-dir".as_ref(),
        run.as_os_str(),
    ]);
    assert_error(&output, 2, &["is not Unicode", "rename"]);
    assert!(!run.exists());

    let argument = autoreg(["generate", "x", "--\u{1b}[31m"]);
    assert_code(&argument, 2);
    assert!(!argument.stderr.contains(&0x1b), "{}", stderr(&argument));
    let hostile = files.path("a\u{1b}[31mred\nerror: forged");
    std::fs::write(&hostile, "").unwrap();
    for arguments in
        [vec!["train", "text", "--data"], vec!["inspect"], vec!["check"], vec!["train", "series", "--data"]]
    {
        let output = autoreg(arguments.iter().copied().chain([hostile.to_str().unwrap()]));
        assert_code(&output, 5);
        assert!(stderr(&output).contains(r"a\u{1b}[31mred\nerror: forged"), "{}", stderr(&output));
        assert!(!output.stderr.contains(&0x1b) && !output.stdout.contains(&0x1b));
    }
}

#[test]
fn a_series_is_fitted_on_all_its_values_with_as_many_lags_as_it_can_bear() {
    let sunspots = Sunspots::new();
    let run = |name: &str, values: &[f64], more: &[&str]| {
        let csv = sunspots.path(&format!("{name}.csv"));
        std::fs::write(&csv, values.iter().map(|x| format!("{x}\n")).collect::<String>()).unwrap();
        let (csv, run) = (csv.to_str().unwrap().to_owned(), sunspots.path(name));
        let arguments = ["train", "series", "--data", &csv, "--out-dir", run.to_str().unwrap()];
        (autoreg(arguments.iter().chain(more)), run, csv)
    };
    let short: Vec<f64> = (1..=12).map(|t| f64::from((t * 7) % 5)).collect();
    let (output, ..) = run("short", &short, &[]);
    assert_code(&output, 0);
    for word in ["12 values to train on", "AR(0)", "column 1 of 1", "the first 2, the last 4"] {
        assert!(stderr(&output).contains(word), "`{word}` is not in: {}", stderr(&output));
    }
    // x_t = 1.5 x_{t−1} − 0.7 x_{t−2} + 3, exactly.
    let mut exact = vec![1.0, 100.0];
    (2..60).for_each(|t| exact.push(1.5 * exact[t - 1] - 0.7 * exact[t - 2] + 3.0));
    let (output, folder, csv) = run("exact", &exact, &["--lags", "2"]);
    assert_code(&output, 0);
    assert!(stderr(&output).contains("exactly, up to rounding"), "{}", stderr(&output));
    assert!(!stdout(&output).contains("log-likelihood"), "{}", stdout(&output));
    let evaluated = with_model("eval", &folder, &["--data", &csv]);
    assert!(!stdout(&evaluated).contains("NaN") && stdout(&evaluated).contains("–"), "{}", stdout(&evaluated));
    // At any scale as many digits are seen.
    let small: Vec<f64> = models::series::sunspots::YEARLY.iter().map(|x| x * 1e-11).collect();
    let (output, ..) = run("small", &small, &["--lags", "2"]);
    assert!(stdout(&output).contains("1.391805248") && stdout(&output).contains("e-10"), "{}", stdout(&output));
}
