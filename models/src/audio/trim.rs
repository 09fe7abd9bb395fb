//! Silence before and after a sound, by the loudness of frames of 93 ms.
//!
//! Source: librosa 0.11, `librosa.effects.trim`, whose frames are 2048 samples, 512 apart, at 22,050 Hz; here they are as long at every
//! rate.

use super::wav::Sound;
use std::ops::Range;

/// Samples of librosa's frames, how far they are apart, and the rate where they are so many.
const FRAME: (u64, u64, u64) = (2048, 512, 22_050);

/// What no frame counts as quieter than, as a mean square of full scale: −100 dB.
const FLOOR: f64 = 1e-10;

impl Sound {
    /// Where the sound lies: from the first to the last frame that is less than `below` decibels quieter than the loudest one.
    ///
    /// A frame is `round(rate · 2048 / 22050)` samples, `round(rate · 512 / 22050)` apart, centred on its place with zeros beside the sound;
    /// its loudness is `10·log₁₀ max(mean square, 10⁻¹⁰)` of full scale. A sound all of whose frames are as loud, silence too, is kept whole.
    pub fn trimmed(&self, below: f64) -> Range<usize> {
        let samples = &self.samples;
        if samples.is_empty() {
            return 0..0;
        }
        let scaled = |count: u64| ((u64::from(self.rate) * count + FRAME.2 / 2) / FRAME.2).max(1) as usize;
        let (frame, hop) = (scaled(FRAME.0), scaled(FRAME.1));
        let square = |&sample: &i16| u64::from(sample.unsigned_abs()).pow(2);
        let loudness = |i: usize| {
            let begin = (i * hop).saturating_sub(frame / 2).min(samples.len());
            let end = (i * hop + frame - frame / 2).min(samples.len());
            let sum: u64 = samples[begin..end].iter().map(square).sum();
            10.0 * libm::log10((sum as f64 / frame as f64 / f64::from(1 << 30)).max(FLOOR))
        };
        let frames = 1 + (samples.len() + frame / 2 * 2).saturating_sub(frame) / hop;
        let loudness: Vec<f64> = (0..frames).map(loudness).collect();
        let loudest = loudness.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let heard = |&loud: &f64| loud > loudest - below;
        let first = loudness.iter().position(heard).unwrap_or(0);
        let last = loudness.iter().rposition(heard).unwrap_or(frames - 1);
        (first * hop).min(samples.len())..((last + 1) * hop).min(samples.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audio::librosa::fixture;

    #[test]
    fn what_is_kept_is_what_librosa_keeps() {
        let fixture = fixture();
        let sound = Sound { rate: 8000, samples: fixture.samples() };
        let bounds = fixture.integers("trimmed");
        assert!(bounds.len() >= 15);
        for row in bounds.chunks_exact(3) {
            let expected = row[1] as usize..row[2] as usize;
            assert_eq!(sound.trimmed(row[0] as f64), expected, "{} dB", row[0]);
        }
        assert!(bounds[1] > 1000, "something is cut: {bounds:?}");
    }

    #[test]
    fn silence_and_a_sound_as_loud_everywhere_are_kept_whole() {
        for (sample, count) in [(0, 10_000), (3000, 10_000), (0, 1), (-32_768, 1), (0, 0)] {
            let sound = Sound { rate: 8000, samples: vec![sample; count] };
            assert_eq!(sound.trimmed(40.0), 0..count);
        }
        // With fewer decibels than none every frame is too quiet.
        assert_eq!(Sound { rate: 8000, samples: vec![5; 100] }.trimmed(-1.0), 0..100);
        assert_eq!(Sound { rate: 8000, samples: vec![5; 100] }.trimmed(f64::NAN), 0..100);
    }
}
