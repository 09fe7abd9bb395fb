//! Log-mel frames: a sound as the loudness of a few bands, as wide as an ear tells frequencies apart.
//!
//! `m_t(b) = ln max(Σ_k F(b, k)·|X_t(k)|, floor)`, X the short-time spectrum of [`super::spectrum`]: *magnitudes*, not their squares.
//! F are triangles between frequencies that are equally far apart in mel, each of area 1 over Hz (`2 / (f_(b+2) − f_b)` high). Mel is that of
//! Slaney: `3f/200` below 1000 Hz, `15 + 27·ln(f/1000)/ln 6.4` from there.
//!
//! Source: librosa 0.11, `librosa.filters.mel` (`htk=False, norm="slaney"`), and
//! `librosa.feature.melspectrogram` with `center=True, pad_mode="constant", power=1`; Slaney, "Auditory Toolbox", 1998.

use super::spectrum::{ShortTime, frames};
use crate::error::{Error, Kind, Result};
use crate::pages::numbers::given;
use serde::{Deserialize, Serialize};

/// The numbers of log-mel frames. The defaults are for speech of 8000 Hz.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MelSettings {
    /// Samples of a frame.
    pub window: usize,
    /// Samples from one frame to the next.
    pub hop: usize,
    /// Bands.
    pub bands: usize,
    /// Where the lowest band begins, in Hz.
    pub lowest: f64,
    /// Where the highest band ends, in Hz; 0 for half the rate.
    pub highest: f64,
    /// What no band counts as less than.
    pub floor: f64,
}

impl Default for MelSettings {
    fn default() -> Self {
        MelSettings { window: 256, hop: 64, bands: 40, lowest: 0.0, highest: 0.0, floor: 1e-5 }
    }
}

/// The largest window, and the most bands.
const MOST: (usize, usize) = (65_536, 512);

/// `3f/200` below 1000 Hz, `15 + 27·ln(f/1000)/ln 6.4` from there.
fn mel(hertz: f64) -> f64 {
    if hertz < 1000.0 { 3.0 * hertz / 200.0 } else { 15.0 + 27.0 * libm::log(hertz / 1000.0) / libm::log(6.4) }
}

/// The inverse of [`mel`].
fn hertz(mel: f64) -> f64 {
    if mel < 15.0 { 200.0 * mel / 3.0 } else { 1000.0 * libm::exp((mel - 15.0) * libm::log(6.4) / 27.0) }
}

impl MelSettings {
    /// Where the highest band ends, in Hz.
    fn end(&self, rate: u32) -> f64 {
        if self.highest == 0.0 { f64::from(rate) / 2.0 } else { self.highest }
    }

    /// Whether there are such frames of a sound of this rate.
    ///
    /// # Errors
    /// [`Kind::Usage`] if a number is out of its bounds, or a band is so narrow that no frequency of the window lies in it.
    pub fn check(&self, rate: u32) -> Result<()> {
        self.bank(rate).map(|_| ())
    }

    /// F, band by band: its first bin, and its weights from there.
    fn bank(&self, rate: u32) -> Result<Vec<(usize, Vec<f64>)>> {
        let MelSettings { window, hop, bands, lowest, highest, floor } = *self;
        let refused = |what: String, cause: &str| Err(Error::new(Kind::Usage, what).cause(cause));
        if !(2..=MOST.0).contains(&window) {
            return refused(format!("window = {window}"), "a frame has 2 to 65,536 samples");
        }
        if !(1..=window).contains(&hop) {
            return refused(format!("hop = {hop}"), "a frame begins 1 sample to one window after the last");
        }
        if !(1..=MOST.1).contains(&bands) {
            return refused(format!("bands = {bands}"), "there are 1 to 512");
        }
        if !(floor.is_finite() && floor > 0.0) {
            return refused(format!("floor = {}", given(floor)), "a logarithm is of more than 0");
        }
        let end = self.end(rate);
        if !(lowest >= 0.0 && lowest < end && end <= f64::from(rate) / 2.0) {
            let cause = format!("at {rate} samples per second frequencies are 0 to {} Hz", f64::from(rate) / 2.0);
            return refused(format!("bands from lowest = {} to highest = {}", given(lowest), given(highest)), &cause);
        }
        let (from, to) = (mel(lowest), mel(end));
        let corner = |i: usize| hertz(from + (to - from) * i as f64 / (bands + 1) as f64);
        let frequency = |k: usize| k as f64 * f64::from(rate) / window as f64;
        let mut bank = Vec::with_capacity(bands);
        for band in 0..bands {
            let [low, middle, high] = [band, band + 1, band + 2].map(corner);
            let height = 2.0 / (high - low);
            let weight = |k: usize| {
                let (rises, falls) = ((frequency(k) - low) / (middle - low), (high - frequency(k)) / (high - middle));
                height * rises.min(falls).max(0.0)
            };
            let first = (0..=window / 2).find(|&k| weight(k) > 0.0);
            let Some(first) = first else {
                let what = format!("no frequency lies in mel band {band}, from {low:.1} to {high:.1} Hz");
                let apart = f64::from(rate) / window as f64;
                return Err(Error::new(Kind::Usage, what)
                    .cause(format!("a window of {window} samples tells frequencies {apart:.1} Hz apart"))
                    .help("choose fewer bands, or a longer window"));
            };
            let weights = (first..=window / 2).map(weight).take_while(|&weight| weight > 0.0).collect();
            bank.push((first, weights));
        }
        Ok(bank)
    }
}

/// Log-mel frames of sounds of one rate, planned once.
#[derive(Clone)]
pub struct Mel {
    short: ShortTime,
    bank: Vec<(usize, Vec<f64>)>,
    floor: f64,
}

impl Mel {
    /// Prepares windows and bands.
    ///
    /// # Errors
    /// As [`MelSettings::check`].
    pub fn new(settings: &MelSettings, rate: u32) -> Result<Self> {
        let bank = settings.bank(rate)?;
        Ok(Mel { short: ShortTime::new(settings.window, settings.hop), bank, floor: settings.floor })
    }

    /// Samples from one frame to the next.
    pub fn hop(&self) -> usize {
        self.short.hop()
    }

    /// Bands.
    pub fn bands(&self) -> usize {
        self.bank.len()
    }

    /// `m_t(b)`, in nats of magnitude, frame by frame.
    ///
    /// # Shapes
    /// `samples` (n) → (1 + n / hop, bands)
    pub fn log_mel(&self, samples: &[i16]) -> Vec<f32> {
        let mut values = Vec::with_capacity(frames(samples.len(), self.hop()) * self.bands());
        self.short.each(samples, |magnitudes| {
            values.extend(self.bank.iter().map(|(first, weights)| {
                let loud: f64 = weights.iter().zip(&magnitudes[*first..]).map(|(w, x)| w * x).sum();
                libm::log(loud.max(self.floor)) as f32
            }));
        });
        values
    }
}

#[cfg(test)]
#[path = "mel_tests.rs"]
mod tests;
