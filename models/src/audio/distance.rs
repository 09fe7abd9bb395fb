//! How far two sounds are apart to an ear: differences of their spectra in decibels, frame by frame.
//!
//! Phases do not count, and nothing is moved or stretched: the sounds have to lie upon each other. The longer one is compared as far as
//! the shorter one goes.

use super::mel::Mel;
use super::spectrum::{ShortTime, frames};

/// What no magnitude counts as less than: 100 dB below a constant of full scale.
const QUIETEST: f64 = 1e-5;

/// The log-spectral distance in decibels: `1/T Σ_t √(1/K Σ_k (20·log₁₀ A_t(k) − 20·log₁₀ B_t(k))²)`, the root mean square over frequencies,
/// averaged over frames. A and B are magnitudes over the sum of the window, at least 10⁻⁵ (−100 dB); frames are 32 ms, 8 ms apart. 0 where
/// both are empty.
///
/// # Panics
/// If the rate is less than 1000.
///
/// Source: Gray and Markel, "Distance Measures for Speech Processing", 1976, section II; averaged over frames as in Rabiner and
/// Juang, "Fundamentals of Speech Recognition", 1993, section 4.5.1.
#[track_caller]
pub fn log_spectral_distance(a: &[i16], b: &[i16], rate: u32) -> f64 {
    assert!(rate >= 1000, "a rate of {rate}");
    let hop = (rate / 125) as usize;
    let short = ShortTime::new(4 * hop, hop);
    let count = a.len().min(b.len());
    let (a, b, gain) = (&a[..count], &b[..count], short.gain());
    let (mut work_a, mut work_b, mut sum) = (short.work(), short.work(), 0.0);
    let decibels = |x: f64| 20.0 * libm::log10((x / gain).max(QUIETEST));
    for frame in 0..frames(count, hop) {
        let a = short.magnitudes(a, frame * hop, &mut work_a);
        let b = short.magnitudes(b, frame * hop, &mut work_b);
        let squares: f64 = a.iter().zip(b).map(|(&a, &b)| (decibels(a) - decibels(b)).powi(2)).sum();
        sum += (squares / short.bins() as f64).sqrt();
    }
    sum / frames(count, hop) as f64
}

/// The same of log-mel frames, in decibels: `1/T Σ_t √(1/B Σ_b (20/ln 10 · (a_t(b) − b_t(b)))²)`.
pub fn log_mel_distance(a: &[i16], b: &[i16], mel: &Mel) -> f64 {
    let count = a.len().min(b.len());
    let [a, b] = [a, b].map(|sound| mel.log_mel(&sound[..count]));
    let decibels = 20.0 / std::f64::consts::LN_10;
    let rows = a.chunks_exact(mel.bands()).zip(b.chunks_exact(mel.bands()));
    let distance = |(a, b): (&[f32], &[f32])| {
        let squares = a.iter().zip(b).map(|(&a, &b)| (decibels * (f64::from(a) - f64::from(b))).powi(2));
        (squares.sum::<f64>() / mel.bands() as f64).sqrt()
    };
    rows.map(distance).sum::<f64>() / frames(count, mel.hop()) as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audio::librosa::fixture;
    use crate::audio::mel::MelSettings;

    fn both(a: &[i16], b: &[i16]) -> [f64; 2] {
        let mel = Mel::new(&MelSettings::default(), 8000).unwrap();
        [log_spectral_distance(a, b, 8000), log_mel_distance(a, b, &mel)]
    }

    /// Loud at every frequency.
    fn noise(seed: u64) -> Vec<i16> {
        let mut state = seed;
        let mut next = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 49) as i16 - 16_384
        };
        (0..8000).map(|_| next() / 2 * 2).collect()
    }

    #[test]
    fn a_sound_is_no_distance_from_itself_and_half_as_loud_is_six_decibels() {
        let sound = fixture().samples();
        assert_eq!(both(&sound, &sound), [0.0, 0.0]);
        let loud = noise(1);
        let quiet: Vec<i16> = loud.iter().map(|x| x / 2).collect();
        for (distance, name) in both(&loud, &quiet).into_iter().zip(["spectral", "mel"]) {
            // Half of an even sample is exact.
            assert!((distance - 20.0 * 2f64.log10()).abs() < 1e-4, "{name}: {distance}");
        }
    }

    #[test]
    fn another_noise_is_farther_than_a_shift_of_loudness_and_silence_is_farthest() {
        let [spectral, mel] = both(&noise(1), &noise(2));
        // Two independent bins of noise: log-Rayleigh twice, √2 · 5.57 dB, and a little more for 0 Hz and half the rate, which have no phase;
        // bands average over several.
        assert!((spectral - 7.88).abs() < 0.3, "{spectral}");
        assert!((2.0..6.0).contains(&mel), "{mel}");
        let [silent, silent_mel] = both(&noise(1), &[0; 8000]);
        assert!(silent > 50.0 && silent_mel > 50.0, "{silent} {silent_mel}");
    }

    #[test]
    fn sounds_are_compared_as_far_as_the_shorter_one_goes() {
        let sound = noise(3);
        assert_eq!(both(&sound, &sound[..3000]), [0.0, 0.0]);
        assert_eq!(both(&[], &sound), [0.0, 0.0]);
        assert_eq!(both(&sound, &noise(4)), both(&noise(4), &sound));
    }
}
