//! A sound to look at: what [`crate::pages::spectrogram`] draws, computed from its samples.

use super::spectrum::ShortTime;
use super::wav::{RATES, Sound, parse};
use crate::error::Result;
use crate::pages::spectrogram::sound_picture;

/// Columns of a picture, however long the sound is.
const COLUMNS: usize = 720;

/// Frames that are looked at in a column at most: what a picture of an hour costs is bounded.
const FRAMES: usize = 16;

/// What no frequency is drawn quieter than, in decibels of full scale.
const QUIETEST: f64 = -120.0;

/// The sound as a PNG of 720 × 272 pixels: the waveform above, below it the spectrogram from 0 Hz at the bottom to half the rate at the top.
/// The same bytes for the same sound.
///
/// A column is the time of 1/720 of the sound; frames are 32 ms under a Hann window, the powers of those in one column averaged.
///
/// # Errors
/// [`Failed`](crate::error::Kind::Failed) if the PNG cannot be made.
pub fn picture(sound: &Sound) -> Result<Vec<u8>> {
    let Sound { rate, samples } = sound;
    let window = 4 * ((*rate).min(*RATES.end()) as usize / 125).max(1);
    let short = ShortTime::new(window, window);
    let mut work = short.work();
    let place = |column: usize| (column as u128 * samples.len() as u128 / COLUMNS as u128) as usize;
    let (mut envelope, mut decibels) = (Vec::with_capacity(COLUMNS), Vec::with_capacity(COLUMNS * short.bins()));
    let mut powers = vec![0.0; short.bins()];
    for column in 0..COLUMNS {
        let begin = place(column);
        let end = place(column + 1).max(begin + 1).min(samples.len());
        let span = samples.get(begin..end).unwrap_or_default();
        let (low, high) = span.iter().fold((i16::MAX, i16::MIN), |(low, high), &x| (low.min(x), high.max(x)));
        let (low, high) = if span.is_empty() { (0, 0) } else { (low, high) };
        envelope.push((f32::from(low), f32::from(high)));
        let count = span.len().div_ceil(window / 2).clamp(1, FRAMES);
        powers.fill(0.0);
        for i in 0..count {
            let centre = begin + (2 * i + 1) * span.len() / (2 * count);
            let magnitudes = short.magnitudes(samples, centre, &mut work);
            powers.iter_mut().zip(magnitudes).for_each(|(power, x)| *power += x * x / count as f64);
        }
        let scale = 20.0 * libm::log10(short.gain());
        decibels.extend(powers.iter().map(|&power| (10.0 * libm::log10(power) - scale).max(QUIETEST) as f32));
    }
    sound_picture(&envelope, &decibels)
}

/// The picture of a WAV.
///
/// # Errors
/// As [`parse`] and [`picture`].
pub fn of_file(wav: &[u8]) -> Result<Vec<u8>> {
    picture(&parse(wav, "a sound")?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audio::librosa::fixture;
    use crate::audio::wav::encode;
    use crate::image::png;
    use std::time::{Duration, Instant};

    /// Of each column of the spectrogram the row that is brightest.
    fn brightest(png: &[u8]) -> Vec<usize> {
        let (shape, values) = png::parse(png, "x.png").unwrap();
        assert_eq!((shape.height, shape.width, shape.channels), (272, 720, 3));
        let light = |row: usize, column: usize| {
            let pixel = &values[(row * 720 + column) * 3..][..3];
            30 * u32::from(pixel[0]) + 59 * u32::from(pixel[1]) + 11 * u32::from(pixel[2])
        };
        (0..720).map(|column| (80..272).max_by_key(|&row| light(row, column)).unwrap()).collect()
    }

    #[test]
    fn a_chirp_rises_from_the_bottom_to_the_top() {
        let sound = Sound { rate: 8000, samples: fixture().samples() };
        let rows = brightest(&of_file(&encode(&sound)).unwrap());
        // It sounds from sample 1500 to 5500 of 7821, and rises from 100 to 3900 Hz.
        for share in [0.1, 0.3, 0.5, 0.7, 0.9] {
            let column = ((1500.0 + 4000.0 * share) / 7821.0 * 720.0) as usize;
            let expected = 271.0 - 191.0 * (100.0 + 3800.0 * share) / 4000.0;
            assert!((rows[column] as f64 - expected).abs() < 6.0, "{share}: row {}, not {expected}", rows[column]);
        }
    }

    #[test]
    fn a_sound_of_any_length_and_rate_has_a_picture_soon() {
        for (rate, count) in [(8000, 0), (8000, 1), (8000, 500), (0, 10), (384_000, 3000), (44_100, 20_000_000)] {
            let start = Instant::now();
            let samples = (0..count).map(|i: usize| (i % 200) as i16 * 90).collect();
            let png = picture(&Sound { rate, samples }).unwrap();
            assert_eq!(brightest(&png).len(), 720);
            assert!(start.elapsed() < Duration::from_secs(20), "{count}: {:?}", start.elapsed());
        }
    }
}
