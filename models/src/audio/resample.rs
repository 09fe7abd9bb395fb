//! A sound at another rate: band-limited interpolation, so that what the new rate cannot hold does not come back as another tone.
//!
//! `y(t) = Σ_n x(n)·h(t − n)` with h a sinc under the window of Blackman and Harris, 256 zero crossings long at the lower of the two rates,
//! cut off at 0.969 of half of it. The sum is `rubato`'s, in double precision; here is what it leaves open: no shift, to the fraction of a
//! sample, and a length of `round(n · new / old)`.
//!
//! Source: Smith, "Digital Audio Resampling Home Page", <https://ccrma.stanford.edu/~jos/resample/>.

use super::wav::{LONGEST, RATES, Sound};
use crate::error::{Error, Kind, Result};
use crate::memory::available;
use crate::pages::numbers::{bytes, grouped};
use rubato::audioadapter_buffers::owned::InterleavedOwned;
use rubato::{Async, FixedAsync, Resampler, SincInterpolationParameters, WindowFunction, calculate_cutoff};

/// Length of the filter in samples of the lower rate.
const CROSSINGS: usize = 256;

/// Points of the filter between two zero crossings that are computed; between these it is interpolated by cubics.
const BETWEEN: usize = 128;

/// Samples at a time.
const CHUNK: usize = 1024;

impl Sound {
    /// The same sound at another rate: sample i of it is the sound at the time `i / rate`. The same samples for the same sound.
    ///
    /// # Errors
    /// [`Kind::Usage`] if the rate is outside of [`RATES`], or the sound would be longer than a WAV or than the memory that is free.
    pub fn resampled(&self, rate: u32) -> Result<Sound> {
        let (old, new) = (u128::from(self.rate), u128::from(rate));
        let refused = |cause: String| {
            let what = format!("cannot bring a sound from {} to {rate} samples per second", self.rate);
            Error::new(Kind::Usage, what).cause(cause)
        };
        if !RATES.contains(&rate) || !RATES.contains(&self.rate) {
            let (least, most) = (grouped((*RATES.start()).into()), grouped((*RATES.end()).into()));
            return Err(
                refused(format!("rates are from {least} to {most}")).help("choose a usual rate: 8000, 16000, 44100")
            );
        }
        if rate == self.rate {
            return Ok(self.clone());
        }
        let count = (self.samples.len() as u128 * new + old / 2) / old;
        let needs = (self.samples.len() as u128 + count) * 2 * size_of::<f64>() as u128;
        // What the system has free takes longer to ask for than a short sound to bring there.
        let free = if needs < 1 << 26 { None } else { available() };
        if count > u128::from(LONGEST) || needs > u128::from(free.unwrap_or(u64::MAX)) {
            let needs = bytes(needs.min(u64::MAX.into()) as u64);
            return Err(refused(format!("it would be {count} samples, and take {needs} of memory")).help("cut it"));
        }
        let samples = interpolated(&self.samples, self.rate, rate, count as usize).map_err(refused)?;
        Ok(Sound { rate, samples })
    }
}

/// `count` samples at the new rate.
fn interpolated(samples: &[i16], old: u32, new: u32, count: usize) -> std::result::Result<Vec<i16>, String> {
    let (ratio, step) = (f64::from(new) / f64::from(old), f64::from(old) / f64::from(new));
    // A filter for fewer samples than there are is as much longer, and as much smoother.
    let longer = step.max(1.0).ceil() as usize;
    let length = CROSSINGS * longer;
    let parameters = SincInterpolationParameters::new(length, WindowFunction::BlackmanHarris)
        .f_cutoff(calculate_cutoff(CROSSINGS, WindowFunction::BlackmanHarris))
        .oversampling_factor((BETWEEN / longer).max(4));
    let mut resampler = Async::<f64>::new_sinc(ratio, 1.0, &parameters, CHUNK, 1, FixedAsync::Input)
        .map_err(|error| error.to_string())?;
    // The filter's middle meets the first sample between two samples of the result; so many zeros before the sound, and it meets it on one.
    let whole = (old / gcd(old, new)) as usize;
    let before = (whole - length / 2 % whole) % whole;
    let first = ((length / 2 + before) as f64 * ratio).round() as usize - resampler.output_delay();
    let after = 4 * longer + 4;
    let mut input = vec![0.0; before];
    input.reserve(samples.len() + after);
    input.extend(samples.iter().map(|&sample| f64::from(sample)));
    input.resize(input.len() + after, 0.0);
    let input_length = input.len();
    let input = InterleavedOwned::new_from(input, 1, input_length).map_err(|error| error.to_string())?;
    let output = resampler.process_all(&input, input_length, None).map_err(|error| error.to_string())?.take_data();
    let rounded = |&x: &f64| x.round().clamp(-32_768.0, 32_767.0) as i16;
    Ok(output.iter().skip(first).take(count).map(rounded).collect())
}

fn gcd(a: u32, b: u32) -> u32 {
    if b == 0 { a } else { gcd(b, a % b) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::f64::consts::TAU;

    fn tone(rate: u32, hertz: f64, count: usize) -> Sound {
        let at = |i: usize| (20_000.0 * (TAU * hertz * i as f64 / f64::from(rate) + 0.5).sin()).round() as i16;
        Sound { rate, samples: (0..count).map(at).collect() }
    }

    /// The rates of most sounds, a fraction in lowest terms that is large, and both ends.
    const PAIRS: [(u32, u32); 10] = [
        (44_100, 8_000),
        (48_000, 8_000),
        (8_000, 16_000),
        (16_000, 8_000),
        (8_000, 44_100),
        (22_050, 8_000),
        (11_025, 8_001),
        (8_000, 7_999),
        (96_000, 1_000),
        (384_000, 8_000),
    ];

    #[test]
    fn a_tone_that_both_rates_hold_stays_that_tone_at_its_time_and_loudness() {
        for (old, new) in PAIRS {
            let hertz = 0.4 * f64::from(old.min(new));
            let count = (old / 4) as usize;
            let there = tone(old, hertz, count).resampled(new).unwrap();
            assert_eq!(there.rate, new);
            let expected = tone(new, hertz, there.samples.len());
            // Where the filter reaches over an end, it meets silence.
            let edge = (150 * new).div_ceil(old.min(new)) as usize;
            let inner = edge..there.samples.len() - edge;
            let apart = inner.map(|i| (f64::from(there.samples[i]) - f64::from(expected.samples[i])).abs());
            let most = apart.fold(0.0, f64::max);
            assert!(most <= 3.0, "{old} → {new}: {most} of 20000");
        }
    }

    #[test]
    fn a_tone_that_the_new_rate_cannot_hold_is_gone() {
        for (old, new) in PAIRS.into_iter().filter(|(old, new)| f64::from(*new) < 0.9 * f64::from(*old)) {
            let there = tone(old, 0.55 * f64::from(new), (old / 4) as usize).resampled(new).unwrap();
            let inner = &there.samples[150..there.samples.len() - 150];
            let loudest = inner.iter().map(|x| x.unsigned_abs()).max().unwrap();
            // 60 dB below 20,000.
            assert!(loudest <= 20, "{old} → {new}: {loudest} of 20000");
        }
    }

    #[test]
    fn the_length_is_that_of_the_same_time() {
        for (old, new) in PAIRS {
            for count in [0, 1, 2, 99, 1023, 1024, 1025, 5000] {
                let there = tone(old, 100.0, count).resampled(new).unwrap();
                let exact = count as f64 * f64::from(new) / f64::from(old);
                assert_eq!(there.samples.len(), (exact + 0.5).floor() as usize, "{count}: {old} → {new}");
            }
        }
    }

    #[test]
    fn a_sound_at_its_own_rate_is_itself_and_a_rate_beyond_all_measure_is_refused() {
        let sound = tone(8_000, 440.0, 100);
        assert_eq!(sound.resampled(8_000).unwrap(), sound);
        for rate in [0, 999, 384_001, u32::MAX] {
            let error = sound.resampled(rate).unwrap_err();
            assert!(error.kind == Kind::Usage && error.cause.contains("1,000 to 384,000"), "{error}");
        }
        assert!(Sound { rate: 0, samples: vec![1] }.resampled(8_000).is_err());
    }
}
