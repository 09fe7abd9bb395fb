//! A sound at another rate: band-limited interpolation, so that what the new rate cannot hold does not come back as another tone.
//!
//! `y(t) = Σ_n x(n)·h(t − n)` with h a sinc under the window of Blackman and Harris, 256 samples of the lower rate long, cut off at 0.967 of
//! half of that rate. The sum is `rubato`'s, in double precision; here is what it leaves open: that nothing is shifted, exactly where
//! the rates have a small fraction (all usual ones do) and else by at most 1/8000 of a sample, and a length of `round(n · new / old)`.
//!
//! Source: Smith, "Digital Audio Resampling Home Page", <https://ccrma.stanford.edu/~jos/resample/>.

use super::wav::{LONGEST, RATES, Sound};
use crate::error::{Error, Kind, Result};
use crate::memory::available;
use crate::pages::numbers::{bytes, grouped};
use rubato::audioadapter_buffers::owned::InterleavedOwned;
use rubato::{
    Async, FixedAsync, Resampler, SincInterpolationParameters, SincInterpolationType, WindowFunction, calculate_cutoff,
};

/// Length of the filter in samples of the lower rate.
const LENGTH: usize = 256;

/// Points of the filter that are kept at most, 32 MiB. Where a fraction of two rates asks for more, it is interpolated by cubics.
const MOST_POINTS: usize = 1 << 22;

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
    let (p, q) = ((old / gcd(old, new)) as usize, (new / gcd(old, new)) as usize);
    // A filter for fewer samples than there are is as much longer.
    let longer = (old.div_ceil(new)) as usize;
    let length = LENGTH * longer;
    // The samples of the result lie a multiple of 1/q from those there are: a filter for each of these places is exact.
    let exact = length * q <= MOST_POINTS;
    let places = if exact { q } else { MOST_POINTS / length };
    let parameters = SincInterpolationParameters::new(length, WindowFunction::BlackmanHarris)
        .f_cutoff(calculate_cutoff(LENGTH, WindowFunction::BlackmanHarris))
        .oversampling_factor(places)
        .interpolation(if exact { SincInterpolationType::Nearest } else { SincInterpolationType::Cubic });
    let ratio = f64::from(new) / f64::from(old);
    let mut resampler = Async::<f64>::new_sinc(ratio, 1.0, &parameters, CHUNK, 1, FixedAsync::Input)
        .map_err(|error| error.to_string())?;
    // Sample k that it gives, counted from the silence that it begins with, lies at (k + 1)·p/q − length/2 + 1/places of what it is given.
    // Behind so many zeros the sound begins on one of them, to within 1/places where that is not 1/q.
    let least = 2 * longer + 2;
    let place = |before: usize| q as u64 * (length / 2 + before) as u64 - u64::from(exact);
    let fits = |&before: &usize| place(before).is_multiple_of(p as u64);
    let before = (least..least + p).find(fits).ok_or("no place fits")?;
    let first = (place(before) / p as u64) as usize - 1 - resampler.output_delay();
    let after = 4 * longer + 4;
    let mut input = Vec::with_capacity(before + samples.len() + after);
    input.resize(before, 0.0);
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
            let count = (old / 2) as usize;
            let there = tone(old, hertz, count).resampled(new).unwrap();
            assert_eq!(there.rate, new);
            let expected = tone(new, hertz, there.samples.len());
            // Where the filter reaches over an end, it meets silence.
            let edge = (150 * new).div_ceil(old.min(new)) as usize;
            let inner = edge..there.samples.len() - edge;
            let apart = inner.map(|i| (f64::from(there.samples[i]) - f64::from(expected.samples[i])).abs());
            let most = apart.fold(0.0, f64::max);
            // A shift of 1/8192 of a sample where the fraction is large, else rounding alone.
            let allowed = if (old, new) == (8_000, 7_999) { 7.0 } else { 2.0 };
            assert!(most <= allowed, "{old} → {new}: {most} of 20000");
        }
    }

    #[test]
    fn a_tone_that_the_new_rate_cannot_hold_is_gone() {
        for (old, new) in PAIRS.into_iter().filter(|(old, new)| f64::from(*new) < 0.9 * f64::from(*old)) {
            let there = tone(old, 0.55 * f64::from(new), (old / 2) as usize).resampled(new).unwrap();
            let inner = &there.samples[130..there.samples.len() - 130];
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
