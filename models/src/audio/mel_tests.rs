//! Filter banks and log-mel frames beside librosa's, and settings that make none.

use super::*;
use crate::audio::librosa::{fixture, settings};

#[test]
fn the_filter_bank_is_librosas() {
    let fixture = fixture();
    for (name, settings, rate) in settings() {
        let (expected, shape) = fixture.floats(&format!("{name}.bank"));
        let bank = settings.bank(rate).unwrap();
        assert_eq!(shape, [bank.len(), settings.window / 2 + 1]);
        let largest = expected.iter().copied().fold(0.0, f32::max);
        for (band, (row, (first, weights))) in expected.chunks_exact(shape[1]).zip(&bank).enumerate() {
            for (k, &theirs) in row.iter().enumerate() {
                let ours = k.checked_sub(*first).and_then(|k| weights.get(k)).copied().unwrap_or(0.0);
                assert!((ours - f64::from(theirs)).abs() <= 1e-6 * f64::from(largest), "{name}, band {band}, bin {k}");
            }
        }
    }
}

#[test]
fn log_mel_frames_are_librosas() {
    let (fixture, mut compared) = (fixture(), 0);
    let samples = fixture.samples();
    for (name, settings, rate) in settings() {
        let (expected, shape) = fixture.floats(&format!("{name}.log_mel"));
        let mel = Mel::new(&settings, rate).unwrap();
        let values = mel.log_mel(&samples);
        assert_eq!(shape, [1 + samples.len() / settings.hop, settings.bands]);
        assert_eq!(values.len(), expected.len());
        for (i, (ours, theirs)) in values.iter().zip(&expected).enumerate() {
            let (frame, band) = (i / settings.bands, i % settings.bands);
            assert!((ours - theirs).abs() < 1e-5, "{name}, frame {frame}, band {band}: {ours}, librosa {theirs}");
            compared += usize::from(f64::from(*theirs) > settings.floor.ln() + 0.1);
        }
    }
    assert!(compared > 3000, "most values are above the floor: {compared}");
}

#[test]
fn silence_is_the_floor_and_a_sound_of_any_length_has_its_frames() {
    let mel = Mel::new(&MelSettings::default(), 8000).unwrap();
    for count in [0, 1, 63, 64, 65, 128, 1000] {
        let values = mel.log_mel(&vec![0; count]);
        assert_eq!(values.len(), (1 + count / 64) * 40);
        assert!(values.iter().all(|&x| x == 1e-5_f64.ln() as f32));
    }
}

#[test]
fn settings_that_make_no_frames_are_refused_by_name() {
    let right = MelSettings::default;
    let catalogue = [
        (MelSettings { window: 1, ..right() }, "window = 1"),
        (MelSettings { window: 65_537, ..right() }, "window = 65537"),
        (MelSettings { window: usize::MAX, hop: 1, ..right() }, "window"),
        (MelSettings { hop: 0, ..right() }, "hop = 0"),
        (MelSettings { hop: 257, ..right() }, "hop = 257"),
        (MelSettings { bands: 0, ..right() }, "bands = 0"),
        (MelSettings { bands: 513, ..right() }, "bands = 513"),
        (MelSettings { floor: 0.0, ..right() }, "floor = 0"),
        (MelSettings { floor: f64::NAN, ..right() }, "floor = NaN"),
        (MelSettings { lowest: -1.0, ..right() }, "lowest = -1"),
        (MelSettings { lowest: f64::NAN, ..right() }, "lowest = NaN"),
        (MelSettings { lowest: 500.0, highest: 500.0, ..right() }, "highest = 500"),
        (MelSettings { highest: 4000.5, ..right() }, "highest = 4000.5"),
        (MelSettings { highest: f64::INFINITY, ..right() }, "highest = inf"),
        (MelSettings { bands: 160, ..right() }, "mel band 0, from 0.0 to 29.1 Hz"),
    ];
    for (settings, says) in catalogue {
        let error = settings.check(8000).expect_err(says);
        assert!(error.kind == Kind::Usage && error.to_string().contains(says), "{says}: {error}");
    }
    for rate in [1_000, 8_000, 48_000] {
        MelSettings { bands: 8, ..right() }.check(rate).unwrap();
    }
    assert!(toml::from_str::<MelSettings>("windows = 3").is_err());
    assert_eq!(toml::from_str::<MelSettings>("hop = 80").unwrap(), MelSettings { hop: 80, ..right() });
}
