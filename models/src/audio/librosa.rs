//! What librosa made of a sound, for tests: reads `tests/fixtures/sound`, which the script beside it wrote.

use super::mel::MelSettings;
use crate::storage::safetensors_file::{SafetensorsFile, StoredTensor};
use std::path::Path;

/// The tensors of the file.
pub(super) struct Fixture(Vec<StoredTensor>);

/// Reads the file.
pub(super) fn fixture() -> Fixture {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/sound/sound.safetensors");
    Fixture(SafetensorsFile::open(&file).and_then(|mut open| open.read_all()).expect("a committed file"))
}

/// The settings of each pair of a bank and its log-mel frames, as the script has them, and the rate.
pub(super) fn settings() -> [(&'static str, MelSettings, u32); 2] {
    let other = MelSettings { window: 500, hop: 125, bands: 24, lowest: 80.0, highest: 7600.0, floor: 1e-3 };
    [("speech", MelSettings::default(), 8000), ("other", other, 16_000)]
}

impl Fixture {
    fn tensor(&self, name: &str) -> &StoredTensor {
        self.0.iter().find(|tensor| tensor.name == name).unwrap_or_else(|| panic!("no tensor {name}"))
    }

    /// The sound, 8000 Hz.
    pub fn samples(&self) -> Vec<i16> {
        let (samples, _) = self.tensor("samples").bytes.as_chunks::<2>();
        samples.iter().map(|&sample| i16::from_le_bytes(sample)).collect()
    }

    pub fn integers(&self, name: &str) -> Vec<i64> {
        self.tensor(name).elements().expect("of this type")
    }

    pub fn floats(&self, name: &str) -> (Vec<f32>, &[usize]) {
        let tensor = self.tensor(name);
        (tensor.elements().expect("of this type"), &tensor.shape)
    }
}
