//! A sound to look at, as PNG: its waveform above, its spectrogram below, low frequencies at the bottom.
//!
//! Here is how it is drawn. What it is drawn from, a column for each moment, is computed where sounds are known; nothing here knows files or
//! rates.

use super::canvas::{COLORS, GRID};
use crate::error::{Error, Kind, Result};
use plotters::style::RGBColor;
use png::{BitDepth, ColorType, Compression, Encoder, Filter};
use std::f32::consts::TAU;

/// The most columns of a picture.
pub const MOST_COLUMNS: usize = 1200;

/// Rows of the waveform, of the ground below it, and of the spectrogram.
const ROWS: [usize; 3] = [72, 8, 192];

/// What is so many decibels below the loudest is black.
const RANGE: f32 = 70.0;

type Pixel = [u8; 3];

/// The colour of a loudness from 0 to 1, by Green's helix from black to white: perceived intensity `0.30·R + 0.59·G + 0.11·B` is the number
/// itself, so equal steps look equal, and a print without colour shows the same.
///
/// `λ + a·(−0.14861·cos φ + 1.78277·sin φ, −0.29227·cos φ − 0.90649·sin φ, 1.97294·cos φ)`, `a = λ(1 − λ)/2`, `φ = 2π(s/3 + r·λ)`, s 0 and
/// r ½: from blue through purple to orange.
///
/// Source: Green, "A colour scheme for the display of astronomical intensity images", 2011, equation 2.
fn colour(x: f32) -> Pixel {
    let x = x.clamp(0.0, 1.0);
    let (amplitude, angle) = (x * (1.0 - x) / 2.0, TAU * (START / 3.0 + TURNS * x));
    let (sin, cos) = (libm::sinf(angle), libm::cosf(angle));
    let channels = [-0.14861 * cos + 1.78277 * sin, -0.29227 * cos - 0.90649 * sin, 1.97294 * cos];
    channels.map(|channel| ((x + amplitude * channel).clamp(0.0, 1.0) * 255.0).round() as u8)
}

/// Where the helix begins, and how often it turns.
const START: f32 = 0.0;
const TURNS: f32 = 0.5;

/// The picture of a sound, `columns` wide: what lies between the lowest and the highest sample of each moment, as high as the farthest of them
/// from 0 allows; and below it the loudness of each frequency, black from 70 dB below the loudest.
///
/// # Shapes
/// `envelope` (columns), `decibels` (columns, bins), low frequencies first
///
/// # Errors
/// [`Kind::Failed`] if the PNG cannot be made.
///
/// # Panics
/// If there are no columns or more than [`MOST_COLUMNS`], or not as many loudnesses for each.
#[track_caller]
pub fn sound_picture(envelope: &[(f32, f32)], decibels: &[f32]) -> Result<Vec<u8>> {
    let columns = envelope.len();
    assert!((1..=MOST_COLUMNS).contains(&columns), "a picture of {columns} columns");
    let bins = decibels.len() / columns;
    assert!(bins > 0 && decibels.len() == columns * bins, "{} loudnesses in {columns} columns", decibels.len());
    let height: usize = ROWS.iter().sum();
    let mut pixels: Vec<Pixel> = vec![[255; 3]; columns * height];
    let (waveform, spectrogram) = pixels.split_at_mut(columns * (ROWS[0] + ROWS[1]));
    draw_waveform(envelope, &mut waveform[..columns * ROWS[0]]);
    draw_spectrogram(decibels, bins, spectrogram);
    encode(pixels.as_flattened(), columns, height)
}

fn draw_waveform(envelope: &[(f32, f32)], pixels: &mut [Pixel]) {
    let (columns, middle) = (envelope.len(), (ROWS[0] - 1) as f32 / 2.0);
    let farthest = envelope.iter().map(|(low, high)| low.abs().max(high.abs())).fold(f32::MIN_POSITIVE, f32::max);
    let row = |x: f32| (middle - x / farthest * middle).round().clamp(0.0, 2.0 * middle) as usize;
    pixels[columns * row(0.0)..][..columns].fill(of(GRID));
    let mut before = envelope[0];
    for (column, &(low, high)) in envelope.iter().enumerate() {
        // Up to where the column before ends: a steep line has no gaps.
        for row in row(high.max(before.0))..=row(low.min(before.1)) {
            pixels[row * columns + column] = of(COLORS[0]);
        }
        before = (low, high);
    }
}

fn draw_spectrogram(decibels: &[f32], bins: usize, pixels: &mut [Pixel]) {
    let columns = decibels.len() / bins;
    let loudest = decibels.iter().copied().filter(|x| x.is_finite()).fold(f32::MIN, f32::max);
    let scaled = |x: f32| 1.0 + (x - loudest) / RANGE;
    for (row, line) in pixels.chunks_exact_mut(columns).enumerate() {
        // The place of the row among the bins, from the bottom.
        let place = (ROWS[2] - 1 - row) as f32 * (bins - 1) as f32 / (ROWS[2] - 1) as f32;
        for (pixel, column) in line.iter_mut().zip(decibels.chunks_exact(bins)) {
            *pixel = colour(scaled(loudness(column, place)));
        }
    }
}

/// Of more bins than rows the loudest around a place, so that no tone is lost; of fewer a line between two.
fn loudness(column: &[f32], place: f32) -> f32 {
    let reach = (column.len() - 1) as f32 / (ROWS[2] - 1) as f32 / 2.0;
    if reach > 0.5 {
        let (first, last) = ((place - reach).ceil().max(0.0) as usize, (place + reach).floor() as usize);
        return column[first..=last.min(column.len() - 1)].iter().copied().fold(f32::MIN, f32::max);
    }
    let (below, share) = (place.floor() as usize, place.fract());
    column[below] + share * (column[(below + 1).min(column.len() - 1)] - column[below])
}

fn of(RGBColor(red, green, blue): RGBColor) -> Pixel {
    [red, green, blue]
}

/// A picture of three bytes a pixel as a PNG, row after row.
///
/// # Errors
/// [`Kind::Failed`] if the PNG cannot be made.
pub fn encode(values: &[u8], width: usize, height: usize) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut encoder = Encoder::new(&mut bytes, width as u32, height as u32);
    encoder.set_color(ColorType::Rgb);
    encoder.set_depth(BitDepth::Eight);
    encoder.set_compression(Compression::Balanced);
    encoder.set_filter(Filter::Adaptive);
    let failed = |error| Error::new(Kind::Failed, "cannot draw a sound").cause(error);
    let mut writer = encoder.write_header().map_err(failed)?;
    writer.write_image_data(values).map_err(failed)?;
    writer.finish().map_err(failed)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The picture's pixels, row by row.
    fn drawn(envelope: &[(f32, f32)], decibels: &[f32]) -> Vec<Vec<Pixel>> {
        let png = sound_picture(envelope, decibels).unwrap();
        let mut reader = png::Decoder::new(std::io::Cursor::new(png)).read_info().unwrap();
        let mut values = vec![0; reader.output_buffer_size().unwrap()];
        let info = reader.next_frame(&mut values).unwrap();
        assert_eq!((info.width as usize, info.height), (envelope.len(), 272));
        let (pixels, _) = values.as_chunks::<3>();
        pixels.chunks_exact(envelope.len()).map(<[Pixel]>::to_vec).collect()
    }

    fn intensity([red, green, blue]: Pixel) -> f32 {
        (0.30 * f32::from(red) + 0.59 * f32::from(green) + 0.11 * f32::from(blue)) / 255.0
    }

    #[test]
    fn equal_steps_of_loudness_are_equal_steps_of_intensity() {
        for i in 0..=100 {
            let x = i as f32 / 100.0;
            assert!((intensity(colour(x)) - x).abs() < 0.02, "{x}: {:?}", colour(x));
        }
        assert_eq!([colour(-1.0), colour(0.0), colour(1.0), colour(9.0)], [[0; 3], [0; 3], [255; 3], [255; 3]]);
        assert_eq!(colour(f32::NAN), [0; 3], "what is no loudness is black");
    }

    #[test]
    fn a_tone_is_a_line_at_the_height_of_its_frequency_and_no_narrow_one_is_lost() {
        for bins in [2, 33, 129, 192, 193, 257, 705] {
            for tone in [0, bins / 3, bins - 1] {
                let column: Vec<f32> = (0..bins).map(|bin| if bin == tone { -10.0 } else { -95.0 }).collect();
                let rows = drawn(&[(-0.5, 0.5); 4], &column.repeat(4));
                let brightness: Vec<f32> = rows[80..].iter().map(|row| intensity(row[2])).collect();
                let (brightest, _) = brightness.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1)).unwrap();
                let expected = 191.0 - tone as f32 * 191.0 / (bins - 1) as f32;
                assert!((brightest as f32 - expected).abs() <= 1.5, "{bins} bins, {tone}: row {brightest}");
                assert!(brightness[brightest] > 0.6, "{bins} bins, {tone}: {}", brightness[brightest]);
            }
        }
    }

    #[test]
    fn the_waveform_fills_its_height_and_lies_where_its_samples_lie() {
        let rows = drawn(&[(0.0, 0.0), (-0.25, 0.25), (0.25, 0.25), (-0.125, -0.125)], &[-50.0; 8]);
        let inked = |column: usize| (0..72).filter(|&row| rows[row][column] == of(COLORS[0])).collect::<Vec<_>>();
        assert_eq!((inked(1).len(), inked(2)), (72, vec![0]));
        assert!(inked(0).len() == 1 && (35..=36).contains(&inked(0)[0]), "{:?}", inked(0));
        // Three quarters down, and joined to the column before.
        assert_eq!(inked(3), (0..=53).collect::<Vec<_>>());
        assert!(rows[73..79].iter().flatten().all(|&pixel| pixel == [255; 3]), "white between both");
    }

    #[test]
    fn silence_and_what_is_not_finite_is_drawn_without_a_panic() {
        for value in [f32::NEG_INFINITY, f32::NAN, 0.0, f32::MAX, f32::MIN] {
            drawn(&[(0.0, 0.0); 3], &[value; 9]);
            drawn(&[(value, value); 3], &[value, 0.0, 1.0]);
        }
    }
}
