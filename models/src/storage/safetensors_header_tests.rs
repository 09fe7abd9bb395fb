//! Tests of the header parser; the catalogue of broken files is in `broken_files.rs`.

use super::*;
use proptest::prelude::*;

fn file(json: &str, data: usize) -> Vec<u8> {
    let mut bytes = (json.len() as u64).to_le_bytes().to_vec();
    bytes.extend(json.as_bytes());
    bytes.resize(bytes.len() + data, 0);
    bytes
}

fn read(bytes: &[u8]) -> Result<Header, String> {
    read_header(&mut &bytes[..], bytes.len() as u64)
}

const VALID: &str = r#"{"__metadata__":{"autoreg.format":"1"},"b":{"dtype":"U8","shape":[3],"data_offsets":[24,27]},"a.weight":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]}}  "#;

#[test]
fn a_valid_header_gives_the_tensors_in_the_order_of_their_bytes() {
    let header = read(&file(VALID, 27)).unwrap();
    let names: Vec<&str> = header.entries.iter().map(|e| e.name.as_str()).collect();
    assert_eq!(names, ["a.weight", "b"]);
    assert_eq!(header.entries[0].shape, [2, 3]);
    assert_eq!(header.metadata["autoreg.format"], "1");
}

#[test]
fn a_json_error_names_the_byte_of_the_file() {
    let error = read(&file(r#"{"a":!}"#, 0)).unwrap_err();
    assert!(error.contains("at byte 13 of the file"), "{error}");
}

#[test]
fn our_verdict_on_valid_files_is_that_of_the_safetensors_crate() {
    let bytes = file(VALID, 27);
    let theirs = safetensors::SafeTensors::deserialize(&bytes).unwrap();
    for entry in read(&bytes).unwrap().entries {
        assert_eq!(theirs.tensor(&entry.name).unwrap().shape(), entry.shape);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever passes is consistent: ranks, products and offsets hold.
    #[test]
    fn a_mutated_header_never_panics_and_what_passes_is_consistent(
        changes in prop::collection::vec((0usize..200, any::<u8>()), 0..6),
        cut in prop::option::of(0usize..200),
    ) {
        let mut bytes = file(VALID, 27);
        for (at, byte) in changes {
            let length = bytes.len();
            bytes[at % length] = byte;
        }
        if let Some(cut) = cut {
            bytes.truncate(cut);
        }
        if let Ok(header) = read(&bytes) {
            for entry in header.entries {
                let elements: usize = entry.shape.iter().product();
                prop_assert!(entry.shape.len() <= MAX_RANK);
                prop_assert_eq!(entry.data_type.bytes_of(elements as u64).unwrap(), entry.end - entry.begin);
                prop_assert!(entry.end <= bytes.len() as u64);
            }
        }
    }

    #[test]
    fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
        let _ = read(&bytes);
    }
}
