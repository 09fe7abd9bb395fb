//! Tests of reading and writing safetensors files, against the `safetensors` crate.

use super::*;
use crate::storage::atomic::SystemDisk;

fn sample() -> Vec<StoredTensor> {
    vec![
        StoredTensor::new("w", &[2, 3], &[1.5f32, -0.0, f32::MIN_POSITIVE, 3.0, f32::MAX, 1e-45]),
        StoredTensor::new("flags", &[3], &[1u8, 0, 255]),
        StoredTensor::new("exact", &[], &[std::f64::consts::PI]),
        StoredTensor::new("count", &[1], &[u64::MAX]),
        StoredTensor::new("signed", &[1], &[i64::MIN]),
        StoredTensor::new("small", &[2], &[u32::MAX, 7]),
        StoredTensor::new::<f32>("empty", &[0, 4], &[]),
    ]
}

fn write(path: &Path, tensors: &[StoredTensor], metadata: &BTreeMap<String, String>) -> Result<()> {
    write_file(&SystemDisk, path, &tensors.iter().collect::<Vec<_>>(), metadata)
}

#[test]
fn every_type_comes_back_bit_for_bit() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.safetensors");
    let metadata = BTreeMap::from([("k".to_owned(), "ü \"quoted\"".to_owned())]);
    write(&path, &sample(), &metadata).unwrap();
    let mut file = SafetensorsFile::open(&path).unwrap();
    assert_eq!(file.header().metadata, metadata);
    let mut found = file.read_all().unwrap();
    let mut wanted = sample();
    found.sort_by(|a, b| a.name.cmp(&b.name));
    wanted.sort_by(|a, b| a.name.cmp(&b.name));
    assert_eq!(found, wanted);
}

#[test]
fn the_safetensors_crate_reads_what_we_write_and_every_tensor_is_aligned() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.safetensors");
    write(&path, &sample(), &BTreeMap::new()).unwrap();
    let bytes = std::fs::read(&path).unwrap();
    let theirs = safetensors::SafeTensors::deserialize(&bytes).unwrap();
    for tensor in sample() {
        let view = theirs.tensor(&tensor.name).unwrap();
        assert_eq!((view.shape(), view.data()), (&tensor.shape[..], &tensor.bytes[..]));
        let offset = view.data().as_ptr() as usize - bytes.as_ptr() as usize;
        assert!(tensor.is_empty() || offset.is_multiple_of(tensor.data_type.bits() / 8), "{}", tensor.name);
    }
}

#[test]
fn we_read_what_the_safetensors_crate_writes() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.safetensors");
    let values = [1.0f32, 2.0];
    let tensor = StoredTensor::new("w", &[2], &values);
    let view = safetensors::tensor::TensorView::new(Dtype::F32, vec![2], &tensor.bytes).unwrap();
    std::fs::write(&path, safetensors::serialize([("w", view)], None).unwrap()).unwrap();
    let read = SafetensorsFile::open(&path).unwrap().read_all().unwrap();
    assert_eq!(read[0].elements::<f32>().unwrap(), values);
}

#[test]
fn the_same_tensors_give_the_same_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let metadata: BTreeMap<String, String> = (0..20).map(|i| (format!("key{i}"), i.to_string())).collect();
    let [a, b] = ["a", "b"].map(|name| {
        let path = folder.path().join(name);
        write(&path, &sample(), &metadata).unwrap();
        std::fs::read(path).unwrap()
    });
    assert_eq!(a, b);
}

#[test]
fn a_non_finite_weight_is_named_with_its_index_when_read_and_refused_when_written() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.safetensors");
    let poisoned = StoredTensor::new("head.weight", &[2, 2], &[0.0f32, 1.0, f32::NAN, 1.0]);
    let refused = write(&path, std::slice::from_ref(&poisoned), &BTreeMap::new()).unwrap_err();
    assert_eq!(refused.kind, Kind::Diverged);
    let view = safetensors::tensor::TensorView::new(Dtype::F32, vec![2, 2], &poisoned.bytes).unwrap();
    std::fs::write(&path, safetensors::serialize([("head.weight", view)], None).unwrap()).unwrap();
    let error = SafetensorsFile::open(&path).unwrap().read_all().unwrap_err();
    assert_eq!(error.kind, Kind::BadInput);
    assert!(error.cause.contains("`head.weight` is not finite at [1, 0]"), "{error}");
}

#[test]
fn a_name_that_occurs_twice_is_not_written() {
    let folder = tempfile::tempdir().unwrap();
    let twice = [StoredTensor::new("w", &[1], &[1u8]), StoredTensor::new("w", &[1], &[2u8])];
    let path = folder.path().join("x.safetensors");
    assert_eq!(write(&path, &twice, &BTreeMap::new()).unwrap_err().kind, Kind::Failed);
    assert!(!path.exists());
}

#[test]
fn integers_are_not_taken_for_reals() {
    let error = StoredTensor::new("n", &[1], &[1u64]).reals().unwrap_err();
    assert!(error.what.contains("`n` holds U64, not F32, F64, F16 or BF16"), "{error}");
}
