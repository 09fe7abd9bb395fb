//! PNG: a picture out of a file, and pictures into one. What a folder of them is, is told in [`crate::image::data`].
//!
//! | in the file | read as |
//! | --- | --- |
//! | grey of 1, 2, 4 or 8 bits | grey; fewer bits are spread over 0 to 255 |
//! | RGB of 8 bits; a palette | RGB, a palette of greys too |
//! | an alpha channel or a transparent colour | left out where every pixel is opaque, else refused |
//! | 16 bits, an animation | refused |
//! | interlaced | as if it were not |
//! | gamma, colour profile, resolution, text | ignored: the numbers are those of the file |
//!
//! What comes after the end of the picture is not read. Checksums are compared, all of them.

use super::images::Shape;
use crate::data::sniff::not_text;
use crate::error::{Error, Kind, Result};
use crate::memory::available;
use crate::pages::numbers::{bytes as shown_bytes, counted};
use png::{
    BitDepth, ColorType, Compression, DecodeOptions, Decoder, DecodingError, Encoder, Filter, Limits, Transformations,
};
use std::io::Cursor;

/// How a PNG begins.
pub const SIGNATURE: &[u8] = b"\x89PNG\r\n\x1a\n";

/// The most pixels of a picture, so that a header that lies is refused before anything is made: 8192 × 8192.
const MOST: u64 = 1 << 26;

/// The most that one byte of DEFLATE becomes: 258 bytes for two bits.
const MOST_UNPACKED: u64 = 1032;

/// Room for the decoder beside the picture itself: rows, and chunks that are no pixels.
const BESIDE: usize = 1 << 20;

/// Reads a picture: its size, and its values (H, W, C); `source` names it in messages.
///
/// # Errors
/// [`Kind::BadInput`] if it is no PNG, breaks off, fails a checksum, declares a size that no such file can have, or is of a kind that
/// the table above refuses.
pub fn parse(bytes: &[u8], source: &str) -> Result<(Shape, Vec<u8>)> {
    if !bytes.starts_with(SIGNATURE) {
        let cause = picture(bytes).or_else(|| not_text(bytes).map(|kind| kind.what));
        return Err(bad(source, "this is no PNG")
            .cause(cause.map_or("it does not begin as one".to_owned(), |what| format!("it is {what}")))
            .help("save the picture as PNG"));
    }
    let mut options = DecodeOptions::default();
    options.set_ignore_adler32(false);
    options.set_skip_ancillary_crc_failures(false);
    // Neither is used, and both may unpack to more than the picture.
    options.set_ignore_text_chunk(true);
    options.set_ignore_iccp_chunk(true);
    let mut decoder = Decoder::new_with_options(Cursor::new(bytes), options);
    decoder.set_transformations(Transformations::EXPAND);
    let header = decoder.read_header_info().map_err(|error| broken(&error, source))?;
    if header.bit_depth == BitDepth::Sixteen {
        return Err(bad(source, "it has 16 bits a channel")
            .cause("a picture's values are 0 to 255")
            .help("reduce it to 8 bits: in ImageMagick -depth 8"));
    }
    let (width, height) = (u64::from(header.width), u64::from(header.height));
    let bits = header.color_type.samples() as u64 * header.bit_depth as u64;
    let stored = width.saturating_mul(height).saturating_mul(bits) / 8;
    if stored > bytes.len() as u64 * MOST_UNPACKED {
        return Err(bad(source, format!("it declares {height} × {width} pixels, more than it can hold"))
            .cause(format!("the file has {}", shown_bytes(bytes.len() as u64)))
            .help("save the picture again"));
    }
    // What the system has free takes longer to ask for than a small picture to read.
    let free = if width.saturating_mul(height) < 1 << 20 { None } else { available() };
    let most = MOST.min(free.unwrap_or(u64::MAX) / 8);
    if width.saturating_mul(height) > most {
        return Err(bad(source, format!("a picture of {height} × {width} pixels is too large"))
            .cause(format!("it may have {}", counted(most, "pixel")))
            .help("cut it into smaller ones, or shrink it"));
    }
    // Of a palette three channels come out, or four.
    decoder.set_limits(Limits { bytes: (width * height * 4) as usize + BESIDE });
    let mut reader = decoder.read_info().map_err(|error| broken(&error, source))?;
    let frames = reader.info().animation_control().map_or(1, |animation| animation.num_frames);
    if frames > 1 {
        return Err(
            bad(source, format!("it is an animation of {frames} pictures")).help("save each as a PNG of its own")
        );
    }
    if reader.info().palette.as_ref().is_some_and(|palette| !palette.len().is_multiple_of(3)) {
        return Err(bad(source, "its palette is no whole number of colours").help("save the picture again"));
    }
    let size = reader.output_buffer_size().ok_or_else(|| broken(&DecodingError::LimitsExceeded, source))?;
    let mut values = vec![0; size];
    reader.next_frame(&mut values).map_err(|error| broken(&error, source))?;
    let (colour, _) = reader.output_color_type();
    // Up to the end, where the last checksums are.
    reader.finish().map_err(|error| broken(&error, source))?;
    let (channels, values) = match colour {
        ColorType::Grayscale => (1, values),
        ColorType::Rgb => (3, values),
        ColorType::GrayscaleAlpha => (1, opaque::<2>(&values, width, source)?),
        ColorType::Rgba => (3, opaque::<4>(&values, width, source)?),
        ColorType::Indexed => return Err(bad(source, "its palette is missing").help("save the picture again")),
    };
    Ok((Shape { height: height as usize, width: width as usize, channels }, values))
}

/// Pixels of N channels without the last, where that is opaque everywhere.
fn opaque<const N: usize>(pixels: &[u8], width: u64, source: &str) -> Result<Vec<u8>> {
    let (pixels, _) = pixels.as_chunks::<N>();
    if let Some(at) = pixels.iter().position(|pixel| pixel[N - 1] != 255) {
        let (row, column) = (at as u64 / width, at as u64 % width);
        return Err(bad(source, "it is transparent")
            .cause(format!("the pixel in row {row}, column {column} has an alpha of {}, not 255", pixels[at][N - 1]))
            .help("lay it on a background: in ImageMagick -background white -alpha remove -alpha off"));
    }
    Ok(pixels.iter().flat_map(|pixel| &pixel[..N - 1]).copied().collect())
}

/// A picture as the bytes of a PNG; the same bytes for the same picture.
///
/// # Shapes
/// `values` (H, W, C), C 1 or 3
///
/// # Errors
/// [`Kind::Usage`] if no PNG is so large.
///
/// # Panics
/// If the values are not those of one picture of this shape.
#[track_caller]
pub fn write(values: &[u8], shape: Shape) -> Result<Vec<u8>> {
    write_grid(&[values], shape, 1, 0, 1)
}

/// Columns and rows of the pixels of the grid that [`write_grid`] makes of so many pictures.
///
/// # Errors
/// As [`write_grid`].
///
/// # Panics
/// If `columns` or `scale` is 0.
#[track_caller]
pub fn grid_size(images: usize, shape: Shape, columns: usize, gap: usize, scale: usize) -> Result<(usize, usize)> {
    assert!(columns > 0 && scale > 0, "a grid of {columns} columns, each pixel {scale} wide");
    let Shape { height, width, channels } = shape;
    let (columns, rows) = (columns.min(images), images.div_ceil(columns));
    let side = |count: usize, of: usize| -> Option<usize> {
        let pictures = count.checked_mul(of.checked_mul(scale)?)?;
        pictures.checked_add(count.saturating_sub(1).checked_mul(gap)?)
    };
    let free = available().unwrap_or(isize::MAX as u64) as u128 / 2;
    let size = side(columns, width).zip(side(rows, height)).filter(|&(across, down)| {
        let fits = |side: usize| u32::try_from(side).is_ok_and(|side| (1..=i32::MAX as u32).contains(&side));
        fits(across) && fits(down) && across as u128 * down as u128 * channels as u128 <= free
    });
    size.ok_or_else(|| {
        Error::new(Kind::Usage, format!("{} of {shape} make no PNG", counted(images as u64, "picture")))
            .cause(format!("{columns} in a row, each pixel {scale} wide, with {gap} between them"))
            .help("draw some, but fewer or smaller")
    })
}

/// Pictures of one size side by side in rows of `columns`, as the bytes of a PNG: `gap` grey pixels between them, each of their pixels
/// a square of `scale`. What is left of the last row is grey. The same bytes for the same pictures.
///
/// # Shapes
/// each of `images` (H, W, C), C 1 or 3
///
/// # Errors
/// [`Kind::Usage`] if there are no pictures or the grid is larger than a PNG or than the memory that is free.
///
/// # Panics
/// If `columns` or `scale` is 0, or a picture is not of this shape.
#[track_caller]
pub fn write_grid(images: &[&[u8]], shape: Shape, columns: usize, gap: usize, scale: usize) -> Result<Vec<u8>> {
    /// Neither black nor white pictures run into it.
    const BETWEEN: u8 = 128;
    assert!(images.iter().all(|image| image.len() == shape.values()), "each picture is {shape}");
    let Shape { height, width, channels } = shape;
    let (across, down) = grid_size(images.len(), shape, columns, gap, scale)?;
    let columns = columns.min(images.len());
    let mut grid = vec![BETWEEN; across * down * channels];
    for (i, image) in images.iter().enumerate() {
        let (top, left) = (i / columns * (height * scale + gap), i % columns * (width * scale + gap));
        for (y, row) in image.chunks_exact(width * channels).enumerate() {
            let wide: Vec<u8> = row
                .chunks_exact(channels)
                .flat_map(|pixel| std::iter::repeat_n(pixel, scale))
                .flatten()
                .copied()
                .collect();
            for line in top + y * scale..top + (y + 1) * scale {
                grid[(line * across + left) * channels..][..wide.len()].copy_from_slice(&wide);
            }
        }
    }
    encode(&grid, across as u32, down as u32, channels)
}

fn encode(values: &[u8], width: u32, height: u32, channels: usize) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut encoder = Encoder::new(&mut bytes, width, height);
    encoder.set_color(if channels == 1 { ColorType::Grayscale } else { ColorType::Rgb });
    encoder.set_depth(BitDepth::Eight);
    encoder.set_compression(Compression::Balanced);
    encoder.set_filter(Filter::Adaptive);
    let failed = |error| Error::new(Kind::Failed, "cannot make a PNG").cause(error);
    let mut writer = encoder.write_header().map_err(failed)?;
    writer.write_image_data(values).map_err(failed)?;
    writer.finish().map_err(failed)?;
    Ok(bytes)
}

fn bad(source: &str, what: impl std::fmt::Display) -> Error {
    Error::new(Kind::BadInput, format!("{source}: {what}"))
}

fn broken(error: &DecodingError, source: &str) -> Error {
    let what = match error {
        DecodingError::IoError(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => "the PNG breaks off",
        _ => "the PNG is broken",
    };
    bad(source, what).cause(error).help("save the picture again")
}

/// Other formats of pictures, by their beginnings.
fn picture(bytes: &[u8]) -> Option<&'static str> {
    let beginnings: [(&[u8], &str); 5] =
        [(b"\xff\xd8\xff", "a JPEG"), (b"GIF8", "a GIF"), (b"BM", "a BMP"), (b"II*\0", "a TIFF"), (b"MM\0*", "a TIFF")];
    let webp = bytes.starts_with(b"RIFF") && bytes.get(8..12) == Some(b"WEBP");
    let known = beginnings.iter().find(|(begins, _)| bytes.starts_with(begins)).map(|&(_, what)| what);
    known.or(webp.then_some("a WebP"))
}

#[cfg(test)]
#[path = "png_tests.rs"]
mod tests;
