//! The short-time spectrum: how loud each frequency is around each of many times.
//!
//! `X_t(k) = Σ_n w(n)·x(t·hop + n − N/2)·e^(−2πi·k·n/N)`, k = 0 … N/2, with w the periodic Hann window `½ − ½·cos(2πn/N)`, and zeros beside
//! the sound: frame t is centred on sample t·hop, and a sound of n samples has `1 + n / hop` frames. Samples are in units of full scale, −1 to
//! 1. Everything is in double precision; the transform is `realfft`'s, without the instruction sets of one machine.
//!
//! Source: as `librosa.stft` with `center=True, pad_mode="constant"`.

use realfft::num_complex::Complex;
use realfft::{RealFftPlanner, RealToComplex};
use std::f64::consts::TAU;
use std::sync::Arc;

/// A transform of one length, planned once.
#[derive(Clone)]
pub struct ShortTime {
    window: Vec<f64>,
    hop: usize,
    transform: Arc<dyn RealToComplex<f64>>,
}

/// What a transform writes into, kept for its memory alone.
#[derive(Clone, Debug)]
pub struct Work {
    windowed: Vec<f64>,
    spectrum: Vec<Complex<f64>>,
    scratch: Vec<Complex<f64>>,
    magnitudes: Vec<f64>,
}

/// Frames of a sound of so many samples: one centred on the first sample, and one each `hop` from there.
pub fn frames(samples: usize, hop: usize) -> usize {
    1 + samples / hop
}

impl ShortTime {
    /// Frames of `window` samples, `hop` apart.
    ///
    /// # Panics
    /// If either is 0.
    #[track_caller]
    pub fn new(window: usize, hop: usize) -> Self {
        assert!(window > 0 && hop > 0, "frames of {window} samples, {hop} apart");
        let hann = |n: usize| 0.5 - 0.5 * libm::cos(TAU * n as f64 / window as f64);
        let transform = RealFftPlanner::new().plan_fft_forward(window);
        ShortTime { window: (0..window).map(hann).collect(), hop, transform }
    }

    /// Samples from one frame to the next.
    pub fn hop(&self) -> usize {
        self.hop
    }

    /// Frequencies, 0 and half the rate among them: `N/2 + 1`.
    pub fn bins(&self) -> usize {
        self.window.len() / 2 + 1
    }

    /// The sum of the window: a constant of 1 has this magnitude at frequency 0, a tone of amplitude 1 half of it at its own.
    pub fn gain(&self) -> f64 {
        self.window.iter().sum()
    }

    /// Memory for [`ShortTime::magnitudes`].
    pub fn work(&self) -> Work {
        let zero = Complex::new(0.0, 0.0);
        Work {
            windowed: vec![0.0; self.window.len()],
            spectrum: vec![zero; self.bins()],
            scratch: vec![zero; self.transform.get_scratch_len()],
            magnitudes: vec![0.0; self.bins()],
        }
    }

    /// `|X(k)|` of the frame that is centred on a sample, which may lie beside the sound.
    ///
    /// # Shapes
    /// `samples` (n) → (bins)
    ///
    /// # Panics
    /// If the memory is that of another window.
    #[track_caller]
    pub fn magnitudes<'w>(&self, samples: &[i16], centre: usize, work: &'w mut Work) -> &'w [f64] {
        let Work { windowed, spectrum, scratch, magnitudes } = work;
        let half = self.window.len() / 2;
        for (n, (x, w)) in windowed.iter_mut().zip(&self.window).enumerate() {
            let sample = (centre + n).checked_sub(half).and_then(|at| samples.get(at));
            *x = w * f64::from(sample.copied().unwrap_or(0)) / 32_768.0;
        }
        self.transform.process_with_scratch(windowed, spectrum, scratch).expect("memory for this window");
        for (magnitude, x) in magnitudes.iter_mut().zip(spectrum) {
            // The square root is exact to the last bit everywhere; `hypot` is not.
            *magnitude = (x.re * x.re + x.im * x.im).sqrt();
        }
        magnitudes
    }

    /// Gives the magnitudes of each frame of a sound, one after the other.
    pub fn each(&self, samples: &[i16], mut take: impl FnMut(&[f64])) {
        let mut work = self.work();
        for frame in 0..frames(samples.len(), self.hop) {
            take(self.magnitudes(samples, frame * self.hop, &mut work));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn magnitudes_are_those_of_the_sum_that_defines_them() {
        for window in [2, 3, 7, 16, 30] {
            let samples: Vec<i16> = (0..40).map(|i| ((i * i * 1237) % 60_000 - 30_000) as i16).collect();
            let (short, hop) = (ShortTime::new(window, 5), 5);
            let mut frame = 0;
            short.each(&samples, |magnitudes| {
                assert_eq!(magnitudes.len(), window / 2 + 1);
                for (k, magnitude) in magnitudes.iter().enumerate() {
                    let (mut re, mut im) = (0.0, 0.0);
                    for n in 0..window {
                        let at = (frame * hop + n) as isize - (window / 2) as isize;
                        let x = usize::try_from(at).ok().and_then(|at| samples.get(at)).map_or(0.0, |&x| f64::from(x));
                        let angle = TAU * n as f64 / window as f64;
                        let x = x / 32_768.0 * (0.5 - 0.5 * angle.cos());
                        re += x * (k as f64 * angle).cos();
                        im -= x * (k as f64 * angle).sin();
                    }
                    assert!((magnitude - re.hypot(im)).abs() < 1e-12, "window {window}, frame {frame}, bin {k}");
                }
                frame += 1;
            });
            assert_eq!(frame, 9);
        }
    }

    #[test]
    fn a_tone_has_half_its_amplitude_times_the_gain_at_its_frequency() {
        let samples: Vec<i16> = (0..256).map(|i| (16_384.0 * (TAU * i as f64 / 8.0).sin()).round() as i16).collect();
        let short = ShortTime::new(64, 16);
        let mut work = short.work();
        let magnitudes = short.magnitudes(&samples, 128, &mut work);
        assert!((magnitudes[8] / short.gain() - 0.25).abs() < 1e-4, "{magnitudes:?}");
        assert!(magnitudes[12] / short.gain() < 1e-4);
    }
}
