//! Tones made by a rule, as recordings: what a small model can learn in seconds, and what can be told of what it makes.
//!
//! A tone of pitch f is `Σ_h a^h sin(2π h f t + φ_h)`, h = 1 to 3, a = ½, at loudness that rises in 10 ms and falls with a time of 150 ms; phases,
//! loudness and a little noise are drawn. So the pitch of a sound is known, and can be found in it by its spectrum.

use super::spectrum::ShortTime;
use super::wav::Sound;
use autograd::random::Stream;
use rand::RngExt;
use rand_distr::StandardNormal;
use std::f64::consts::TAU;

/// Samples per second.
pub const RATE: u32 = 4000;

/// Name and frequency in Hz of every tone: a pentatonic scale from A.
pub const PITCHES: [(&str, f64); 5] = [("a", 220.0), ("c", 261.63), ("d", 293.66), ("e", 329.63), ("g", 392.0)];

/// Samples of a tone: a third of a second.
pub const LENGTH: usize = RATE as usize / 3;

/// Overtones, the fundamental among them.
const PARTIALS: usize = 3;

/// A tone of this frequency.
pub fn tone(frequency: f64, stream: &mut Stream) -> Sound {
    let phases: Vec<f64> = (0..PARTIALS).map(|_| stream.random_range(0.0..TAU)).collect();
    let loud: f64 = stream.random_range(0.3..0.6);
    let sample = |n: usize| {
        let time = n as f64 / f64::from(RATE);
        let partial =
            |(h, phase): (usize, &f64)| libm::sin(TAU * (h + 1) as f64 * frequency * time + phase) / f64::from(1 << h);
        let envelope = (time / 0.01).min(1.0) * libm::exp(-time / 0.15);
        let noise: f64 = stream.sample(StandardNormal);
        let x = loud * envelope * phases.iter().enumerate().map(partial).sum::<f64>() / 1.75 + 0.002 * noise;
        (x * 32_767.0).round().clamp(-32_768.0, 32_767.0) as i16
    };
    Sound { rate: RATE, samples: (0..LENGTH).map(sample).collect() }
}

/// Which of [`PITCHES`] a sound of this rate has: that at whose first partials its spectrum is strongest. `None` for silence.
pub fn heard(samples: &[i16]) -> Option<usize> {
    const WINDOW: usize = 512;
    let short = ShortTime::new(WINDOW, WINDOW / 4);
    let mut sums = vec![0.0; short.bins()];
    short.each(samples, |magnitudes| sums.iter_mut().zip(magnitudes).for_each(|(sum, x)| *sum += x));
    if sums.iter().all(|&sum| sum < 1e-9) {
        return None;
    }
    // Between two bins the magnitude is a line between theirs.
    let at = |frequency: f64| {
        let place = frequency * WINDOW as f64 / f64::from(RATE);
        let (below, share) = (place as usize, place.fract());
        sums[below] * (1.0 - share) + sums[below + 1] * share
    };
    let strength = |(_, frequency): &(&str, f64)| -> f64 { (1..=PARTIALS).map(|h| at(h as f64 * frequency)).sum() };
    (0..PITCHES.len()).max_by(|&i, &j| strength(&PITCHES[i]).total_cmp(&strength(&PITCHES[j])))
}

#[cfg(test)]
mod tests {
    use super::*;
    use autograd::random::Streams;

    #[test]
    fn every_tone_is_heard_as_what_it_is() {
        let mut stream = Streams::new(3).stream("tones");
        for (i, (name, frequency)) in PITCHES.iter().enumerate() {
            for _ in 0..20 {
                assert_eq!(heard(&tone(*frequency, &mut stream).samples), Some(i), "{name}");
            }
        }
        assert_eq!(heard(&[0; LENGTH]), None);
    }
}
