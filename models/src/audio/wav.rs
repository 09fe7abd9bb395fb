//! WAV: a sound out of a file, and sounds into one.
//!
//! | in the file | read as |
//! | --- | --- |
//! | 16-bit integers | the samples |
//! | 8 bits, unsigned | `256·(x − 128)` |
//! | 24 or 32 bits | `x / 2⁸`, `x / 2¹⁶`, rounded to the nearest |
//! | 32-bit float | `32768·x`, rounded to the nearest; beyond −1 to 1 it is clipped |
//! | 2 to 8 channels | their mean, rounded once |
//! | `WAVE_FORMAT_EXTENSIBLE` | as the format it names; of a sample all bits that are stored |
//! | compressed (A-law, μ-law, ADPCM, MP3, …), RF64, big-endian | refused |
//! | further chunks: names, cue points, lengths | ignored |
//!
//! Here every length is compared with the file before anything is made of it; the samples of a file that agrees with itself are decoded by
//! `hound`, under a header of our own, so that none of the file's numbers reaches it unchecked.
//!
//! Source: "Multimedia Programming Interface and Data Specifications 1.0", IBM and Microsoft, 1991, for RIFF; Microsoft's documentation of
//! `WAVEFORMATEXTENSIBLE`.

use super::riff::{CONVERT, FLOAT, Format, PCM, bad, broken, chunks, sound};
use crate::data::sniff::not_text;
use crate::error::Result;
use hound::WavReader;
use std::io::{Cursor, Read};
use std::ops::RangeInclusive;

/// A sound of one channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sound {
    /// Samples per second, in Hz.
    pub rate: u32,
    /// The samples; ±32,768 is full scale.
    pub samples: Vec<i16>,
}

/// The samples that a file may have in a second: fewer are no sound, more has no converter.
pub const RATES: RangeInclusive<u32> = 1_000..=384_000;

/// The most channels that are averaged.
pub const MOST_CHANNELS: u16 = 8;

/// The most samples of 16 bits that a WAV can hold: its lengths are numbers of 32 bits.
pub const LONGEST: u32 = (u32::MAX - (HEADER as u32 - 8)) / 2;

/// The bytes before the samples of a file that is written here.
pub const HEADER: usize = 44;

/// Whether the bytes begin as a WAV does, of a kind that is read or of one that [`parse`] refuses by name.
pub fn may_be(bytes: &[u8]) -> bool {
    let begins = |magic: &[u8]| bytes.starts_with(magic);
    (begins(b"RIFF") || begins(b"RF64") || begins(b"RIFX")) && bytes.get(8..12) == Some(b"WAVE")
}

/// Reads a sound; `path` names the file in messages.
///
/// # Errors
/// [`BadInput`](crate::error::Kind::BadInput) if it is no WAV, breaks off, contradicts itself, is of a kind that the table above
/// refuses, or holds no sample or one that is no number.
pub fn parse(bytes: &[u8], path: &str) -> Result<Sound> {
    if !may_be(bytes) {
        let cause = sound(bytes).or_else(|| not_text(bytes).map(|kind| kind.what));
        return Err(bad(path, "this is no WAV")
            .cause(cause.map_or("it does not begin as one".to_owned(), |what| format!("it is {what}")))
            .help(CONVERT));
    }
    if !bytes.starts_with(b"RIFF") {
        let what = if bytes.starts_with(b"RF64") { "an RF64, a WAV beyond 4 GiB" } else { "a RIFX, a big-endian WAV" };
        return Err(bad(path, format!("it is {what}")).cause("those are not read").help(CONVERT));
    }
    let (format, data) = chunks(bytes, path)?;
    let header = header_of(format, data.len() as u32);
    let reader = WavReader::new(Cursor::new(header).chain(data)).map_err(|error| broken(&error, path))?;
    let samples = match format.tag {
        FLOAT => {
            let full = |x: f32| f64::from(x) * 32_768.0;
            frames(reader.into_samples::<f32>(), format, data, full, path)?
        }
        _ => {
            let unit = f64::from(1_u32 << format.bits.saturating_sub(16));
            let full = if format.bits == 8 { 256.0 } else { 1.0 / unit };
            frames(reader.into_samples::<i32>(), format, data, |x: i32| f64::from(x) * full, path)?
        }
    };
    Ok(Sound { rate: format.rate, samples })
}

/// Means of the channels, in units of 16 bits.
fn frames<S>(
    mut samples: impl Iterator<Item = hound::Result<S>>,
    format: Format,
    data: &[u8],
    full: impl Fn(S) -> f64,
    path: &str,
) -> Result<Vec<i16>> {
    let count = data.len() / format.frame() as usize;
    let mut read = Vec::with_capacity(count);
    for i in 0..count {
        let mut sum = 0.0;
        for channel in 0..format.channels {
            let sample = samples.next().transpose().map_err(|error| broken(&error, path))?;
            let x = sample.map_or(f64::NAN, &full);
            if !x.is_finite() {
                let which = if format.channels > 1 { format!(" of channel {channel}") } else { String::new() };
                let what = if x.is_nan() { "no number (NaN)" } else { "infinite" };
                return Err(bad(path, format!("sample {i}{which} is {what}")).help("mend what wrote it, or cut it out"));
            }
            sum += x.clamp(-32_768.0, 32_767.0);
        }
        read.push((sum / f64::from(format.channels)).round() as i16);
    }
    Ok(read)
}

/// What stands before so many samples of 16 bits in a file of one channel, so that it can be written while they are made.
///
/// # Panics
/// If there are more than [`LONGEST`].
#[track_caller]
pub fn header(rate: u32, samples: u32) -> [u8; HEADER] {
    assert!(samples <= LONGEST, "a WAV holds {LONGEST} samples, not {samples}");
    header_of(Format { tag: PCM, channels: 1, rate, bits: 16 }, 2 * samples)
}

/// The header of a file of so many bytes of samples.
fn header_of(format: Format, data: u32) -> [u8; HEADER] {
    let Format { tag, channels, rate, bits } = format;
    let mut bytes = *b"RIFF\0\0\0\0WAVEfmt \x10\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0data\0\0\0\0";
    // What is read may fill 4 GiB to the last byte; nobody reads this number.
    bytes[4..8].copy_from_slice(&data.saturating_add(HEADER as u32 - 8).to_le_bytes());
    bytes[20..22].copy_from_slice(&tag.to_le_bytes());
    bytes[22..24].copy_from_slice(&channels.to_le_bytes());
    bytes[24..28].copy_from_slice(&rate.to_le_bytes());
    bytes[28..32].copy_from_slice(&rate.saturating_mul(format.frame()).to_le_bytes());
    bytes[32..34].copy_from_slice(&(format.frame() as u16).to_le_bytes());
    bytes[34..36].copy_from_slice(&bits.to_le_bytes());
    bytes[40..44].copy_from_slice(&data.to_le_bytes());
    bytes
}

/// The sound as a file: one channel, 16 bits. The same bytes for the same sound.
///
/// # Panics
/// If there are more than [`LONGEST`] samples.
#[track_caller]
pub fn encode(sound: &Sound) -> Vec<u8> {
    let count = u32::try_from(sound.samples.len()).unwrap_or(u32::MAX);
    let mut bytes = Vec::with_capacity(HEADER + 2 * sound.samples.len());
    bytes.extend_from_slice(&header(sound.rate, count));
    bytes.extend(sound.samples.iter().flat_map(|sample| sample.to_le_bytes()));
    bytes
}

#[cfg(test)]
#[path = "wav_tests.rs"]
mod tests;
