//! `gradcheck` and `doctor`: the subcommands that need no file.

use crate::{assert_code, assert_error, autoreg, stdout};
use serde_json::Value;

#[test]
fn gradcheck_shows_every_case_of_the_operations_named_with_its_worst_element() {
    let output = autoreg(["gradcheck", "tanh", "mul"]);
    assert_code(&output, 0);
    let lines: Vec<&str> = stdout(&output).lines().collect();
    let case = |op: &str| lines.iter().find(|line| line.starts_with(op)).expect(op);
    for op in ["tanh", "mul"] {
        assert!(case(op).contains("  ok  ") && case(op).contains("∂out["), "{}", case(op));
    }
    assert!(!stdout(&output).contains("matmul"));
    assert!(lines.last().unwrap().contains("within 1e-6"));
}

#[test]
fn an_unknown_operation_is_a_usage_error_with_a_guess() {
    assert_error(&autoreg(["gradcheck", "matmull"]), 2, &["matmull", "did you mean `matmul`?"]);
    assert_error(&autoreg(["gradcheck", "zzz"]), 2, &["zzz", "--list"]);
    let list = autoreg(["gradcheck", "--list"]);
    assert_code(&list, 0);
    assert!(stdout(&list).lines().any(|line| line == "matmul" || line.starts_with("matmul (")));
}

#[test]
fn doctor_gives_the_limits_that_the_comparison_of_engines_reads() {
    let output = autoreg(["doctor", "--json", "--threads", "2"]);
    assert_code(&output, 0);
    let found: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&found["threads"], &found["version"]), (&2.into(), &env!("CARGO_PKG_VERSION").into()));
    let rate =
        |value: &Value| value.as_f64().filter(|rate| *rate > 0.0).unwrap_or_else(|| panic!("{value} in {found}"));
    rate(&found["fma_gflops"]);
    rate(&found["gemm_gflops_one_thread"]);
    let sets = found["read_bandwidth"].as_array().unwrap();
    let sizes: Vec<u64> = sets.iter().map(|set| set["bytes"].as_u64().unwrap()).collect();
    assert!(sizes.len() > 3 && sizes.is_sorted());
    sets.iter().for_each(|set| assert!(rate(&set["gb_per_second"]) > 0.0));
    assert!(found["memory_bytes"].as_u64().unwrap() > 1 << 20);
    assert!(!found["cpu"].as_str().unwrap().is_empty());
}

#[test]
fn the_instruction_set_can_be_asked_for_and_a_wrong_one_is_a_usage_error() {
    let found: Value =
        serde_json::from_slice(&autoreg(["doctor", "--json", "--threads", "1", "--isa", "portable"]).stdout).unwrap();
    assert_eq!(found["isa"], "portable");
    let available = found["isa_available"].as_array().unwrap();
    assert!(available.contains(&"portable".into()));
    assert_error(&autoreg(["gradcheck", "tanh", "--isa", "mmx"]), 2, &["--isa", "mmx", "portable"]);
    let missing = ["avx512", "avx2", "neon"].into_iter().find(|name| !available.contains(&(*name).into()));
    assert_error(
        &autoreg(["gradcheck", "tanh", "--isa", missing.expect("no machine has all")]),
        2,
        &["this machine has no"],
    );
}
