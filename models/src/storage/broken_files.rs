//! The catalogue of broken checkpoint files: each is named, made here, and must be refused with a typed error that says
//! which file, which tensor and what is wrong, at once.

use std::path::Path;
use std::time::{Duration, Instant};

use super::checkpoint::Checkpoint;
use crate::error::Kind;

/// A whole file: the length of the header (its true one where `None`), the header, the data.
fn file(claimed: Option<u64>, header: &str, data: usize) -> Vec<u8> {
    let mut bytes = claimed.unwrap_or(header.len() as u64).to_le_bytes().to_vec();
    bytes.extend(header.as_bytes());
    bytes.resize(bytes.len() + data, 0);
    bytes
}

const METADATA: &str = r#""__metadata__":{"autoreg.format":"1","autoreg.config":"{\"model\":\"gru\"}"}"#;

/// A file with good metadata and these entries.
fn entries(entries: &str, data: usize) -> Vec<u8> {
    file(None, &format!("{{{METADATA},{entries}}}"), data)
}

/// A file of one good tensor and this metadata.
fn metadata(metadata: &str) -> Vec<u8> {
    file(None, &format!(r#"{{"__metadata__":{metadata},"w":{{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}}}"#), 4)
}

/// Name, file, and what the error must say.
fn catalogue() -> Vec<(&'static str, Vec<u8>, &'static str)> {
    let deep = format!("{{{METADATA},\"w\":{}", "[".repeat(100_000));
    let rank = |n: usize| format!(r#""w":{{"dtype":"U8","shape":[{}],"data_offsets":[0,1]}}"#, vec!["1"; n].join(","));
    vec![
        ("an empty file", vec![], "0 bytes"),
        ("seven bytes", vec![0; 7], "7 bytes"),
        ("a header of 2^63 bytes", file(Some(1 << 63), "", 0), "claims 9223372036854775808 bytes"),
        ("a header of 2^64 − 1 bytes", file(Some(u64::MAX), "{}", 0), "claims 18446744073709551615 bytes"),
        ("a header longer than the file", file(Some(3), "{}", 0), "claims 3 bytes at byte 0, but only 2"),
        ("a header that is not UTF-8", [&file(Some(2), "", 0)[..], &[b'{', 0xff]].concat(), "not UTF-8 at byte 9"),
        ("a header of no bytes", file(Some(0), "", 4), "header"),
        ("a picture", b"\x89PNG\r\n\x1a\n0000000000000000".to_vec(), "claims"),
        ("JSON that breaks off", entries(r#""w":{"dtype":"F32""#, 0), "at byte"),
        ("JSON nested 100,000 deep", file(None, &deep, 0), "`w`"),
        ("a list for a header", file(None, "[1]", 0), "object with one entry per tensor"),
        ("something after the header's object", file(None, "{} {}", 0), "trailing characters"),
        (
            "a name twice",
            entries(
                r#""w":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"w":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}"#,
                2,
            ),
            "the name `w` occurs twice",
        ),
        ("metadata twice", file(None, &format!("{{{METADATA},{METADATA}}}"), 0), "`__metadata__` occurs twice"),
        ("a metadata key twice", metadata(r#"{"a":"1","a":"2"}"#), "the key `a` occurs twice"),
        (
            "a field twice",
            entries(r#""w":{"dtype":"U8","dtype":"U8","shape":[1],"data_offsets":[0,1]}"#, 1),
            "`dtype` is there twice",
        ),
        (
            "an unknown field",
            entries(r#""w":{"dtype":"U8","shape":[1],"data_offsets":[0,1],"x":1}"#, 1),
            "there is no key `x`",
        ),
        ("a missing field", entries(r#""w":{"dtype":"U8","shape":[1]}"#, 1), "`data_offsets` is missing"),
        ("an empty name", entries(r#""":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}"#, 1), "the name is empty"),
        (
            "an unknown type",
            entries(r#""w":{"dtype":"F31","shape":[1],"data_offsets":[0,4]}"#, 4),
            "tensor `w`: unknown data type `F31`",
        ),
        (
            "a name that is longer than a name",
            entries(&format!(r#""{}":{{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}"#, "n".repeat(100_000)), 1),
            "… (100000 bytes)`: the name is longer",
        ),
        (
            "more tensors than any model has",
            entries(
                &(0..100_001)
                    .map(|i| format!(r#""{i}":{{"dtype":"U8","shape":[0],"data_offsets":[0,0]}}"#))
                    .collect::<Vec<_>>()
                    .join(","),
                0,
            ),
            "more than 100000 tensors",
        ),
        (
            "three quarter bytes",
            entries(r#""w":{"dtype":"F4","shape":[3],"data_offsets":[0,1]}"#, 1),
            "ends within a byte",
        ),
        ("rank 9", entries(&rank(9), 1), "tensor `w`: rank 9"),
        ("rank 10,000", entries(&rank(10_000), 1), "tensor `w`: rank 10000"),
        (
            "a negative axis",
            entries(r#""w":{"dtype":"U8","shape":[-1],"data_offsets":[0,1]}"#, 1),
            "`w`: a whole number from 0 is wanted, not the number -1",
        ),
        (
            "half an axis",
            entries(r#""w":{"dtype":"U8","shape":[0.5],"data_offsets":[0,1]}"#, 1),
            "`w`: a whole number from 0 is wanted, not the number 0.5",
        ),
        (
            "a shape of 2^64 elements",
            entries(r#""w":{"dtype":"U8","shape":[4294967296,4294967296],"data_offsets":[0,0]}"#, 0),
            "more elements than can be counted",
        ),
        (
            "a shape of 2^63 × 8 bytes",
            entries(r#""w":{"dtype":"F64","shape":[9223372036854775808],"data_offsets":[0,0]}"#, 0),
            "more elements than can be counted",
        ),
        (
            "offsets that overflow",
            entries(r#""w":{"dtype":"U8","shape":[1],"data_offsets":[18446744073709551615,18446744073709551615]}"#, 1),
            "tensor `w`: ends at byte 18446744073709551615",
        ),
        (
            "offsets beyond 2^64",
            entries(r#""w":{"dtype":"U8","shape":[1],"data_offsets":[0,18446744073709551616]}"#, 1),
            "`w`: a whole number from 0 is wanted, not the number 1.8446744073709552e19",
        ),
        ("three offsets", entries(r#""w":{"dtype":"U8","shape":[1],"data_offsets":[0,1,2]}"#, 1), "`w`:"),
        (
            "offsets that run backwards",
            entries(r#""w":{"dtype":"U8","shape":[1],"data_offsets":[1,0]}"#, 1),
            "before it begins",
        ),
        (
            "a tensor beyond the end",
            entries(r#""w":{"dtype":"U8","shape":[9],"data_offsets":[0,9]}"#, 1),
            "tensor `w`: ends at byte 9 of the data, which has 1",
        ),
        (
            "too few bytes for the shape",
            entries(r#""w":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}"#, 4),
            "shape [2] of F32 needs 8 bytes, the offsets give 4",
        ),
        (
            "too many bytes for the shape",
            entries(r#""w":{"dtype":"F32","shape":[1],"data_offsets":[0,8]}"#, 8),
            "needs 4 bytes",
        ),
        (
            "tensors that overlap",
            entries(
                r#""a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"b":{"dtype":"U8","shape":[2],"data_offsets":[1,3]}"#,
                3,
            ),
            "tensor `b`: begins at byte 1 of the data, inside `a`",
        ),
        (
            "two tensors in one place",
            entries(
                r#""a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"b":{"dtype":"U8","shape":[2],"data_offsets":[0,2]}"#,
                2,
            ),
            "inside `a`",
        ),
        (
            "a gap between tensors",
            entries(
                r#""a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"b":{"dtype":"U8","shape":[1],"data_offsets":[2,3]}"#,
                3,
            ),
            "tensor `b`: begins at byte 2 of the data, leaving a gap from 1",
        ),
        (
            "bytes after the last tensor",
            entries(r#""a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}"#, 2),
            "fill 1 bytes, but 2 follow",
        ),
        (
            "a NaN",
            [entries(r#""w":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}"#, 4), f32::NAN.to_le_bytes().to_vec()]
                .concat(),
            "tensor `w` is not finite at [1]",
        ),
        (
            "an infinity",
            [
                entries(r#""w":{"dtype":"F64","shape":[1],"data_offsets":[0,8]}"#, 0),
                f64::INFINITY.to_le_bytes().to_vec(),
            ]
            .concat(),
            "tensor `w` is not finite at [0]",
        ),
        (
            "no metadata",
            file(None, r#"{"w":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}"#, 1),
            "no `autoreg.format`",
        ),
        (
            "metadata that are no strings",
            metadata(r#"{"autoreg.format":1}"#),
            "`__metadata__`: a text is wanted, not the number 1",
        ),
        ("no configuration", metadata(r#"{"autoreg.format":"1"}"#), "no `autoreg.config`"),
        (
            "a configuration that is no JSON",
            metadata(r#"{"autoreg.format":"1","autoreg.config":"gru"}"#),
            "expected value",
        ),
        (
            "a vocabulary that is no JSON",
            metadata(r#"{"autoreg.format":"1","autoreg.config":"{}","autoreg.vocabulary":"abc"}"#),
            "expected value",
        ),
        (
            "progress without a step",
            metadata(r#"{"autoreg.format":"1","autoreg.config":"{}","autoreg.training":"{}"}"#),
            "`step` is missing",
        ),
        ("a format of the future", metadata(r#"{"autoreg.format":"2","autoreg.config":"{}"}"#), "version 2"),
    ]
}

#[test]
fn every_broken_file_is_refused_by_name_at_once() {
    let folder = tempfile::tempdir().unwrap();
    for (name, bytes, wanted) in catalogue() {
        let path = folder.path().join("broken.safetensors");
        std::fs::write(&path, bytes).unwrap();
        let start = Instant::now();
        let error = Checkpoint::load(&path).expect_err(name);
        let took = start.elapsed();
        assert_eq!(error.kind, Kind::BadInput, "{name}: {error}");
        assert!(error.what.contains("broken.safetensors"), "{name}: {error}");
        assert!(error.cause.contains(wanted), "{name}: {error}");
        // Milliseconds on a quiet machine; what must not happen is work in proportion to a claimed size.
        assert!(took < Duration::from_millis(500), "{name}: {took:?}");
    }
}

#[test]
fn the_same_file_without_a_fault_loads() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("good.safetensors");
    std::fs::write(&path, entries(r#""w":{"dtype":"F32","shape":[2,1],"data_offsets":[0,8]}"#, 8)).unwrap();
    assert_eq!(Checkpoint::load(&path).unwrap().tensors[0].shape, [2, 1]);
}

#[test]
fn a_valid_file_cut_anywhere_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("cut.safetensors");
    let whole = entries(r#""w":{"dtype":"F32","shape":[2,1],"data_offsets":[0,8]}"#, 8);
    for cut in 0..whole.len() {
        std::fs::write(&path, &whole[..cut]).unwrap();
        assert_eq!(Checkpoint::load(&path).unwrap_err().kind, Kind::BadInput, "cut at {cut}");
    }
}

#[test]
fn a_missing_file_and_a_folder_are_bad_input() {
    let folder = tempfile::tempdir().unwrap();
    for path in [folder.path(), Path::new("/nowhere/x.safetensors")] {
        assert_eq!(Checkpoint::load(path).unwrap_err().kind, Kind::BadInput);
    }
}
