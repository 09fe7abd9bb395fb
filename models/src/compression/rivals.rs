//! What compressors reach that know no model, on what the model compressed: LZMA (that of xz and 7-zip, in lzip's frame, the smallest that
//! there is), PNG for pictures, FLAC for sounds. Each is the best setting of a library; none of their files is kept.

use flac_codec::encode::{FlacSampleWriter, Options};
use lzma_rust2::{LzipOptions, LzipWriter, LzmaOptions};
use png::{BitDepth, ColorType, Compression, Encoder, Filter};
use std::io::{Cursor, Write};

/// A compressor and the bytes that it makes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rival {
    /// Its name.
    pub name: &'static str,
    /// The bytes of its file.
    pub bytes: u64,
}

/// LZMA's options, those of `xz -9e`; the window is as long as what is to be found in it, as the match finder's tables grow with it.
fn options(bytes: usize) -> LzipOptions {
    let mut options = LzipOptions::with_preset(9);
    let lzma = &mut options.lzma_options;
    (lzma.nice_len, lzma.depth_limit) = (LzmaOptions::NICE_LEN_MAX, 512);
    lzma.dict_size = lzma.dict_size.min(u32::try_from(bytes).unwrap_or(u32::MAX)).max(1 << 12);
    options
}

/// `.lz` of bytes.
///
/// None where the library refuses.
pub fn lzma(bytes: &[u8]) -> Option<Rival> {
    let mut writer = LzipWriter::new(Vec::new(), options(bytes.len()));
    writer.write_all(bytes).ok()?;
    Some(Rival { name: "lzma", bytes: writer.finish().ok()?.len() as u64 })
}

/// One PNG of pictures below one another, without a frame for each. `bits` of a value: 8, or, of grey ones, 1, 2 or 4.
///
/// None where there is no such PNG.
pub fn png(values: &[u8], [width, colours]: [usize; 2], bits: usize) -> Option<Rival> {
    let depth = BitDepth::from_u8(bits as u8)?;
    let rows = values.len() / (width * colours);
    let (packed, filter) = match bits {
        8 => (values.to_vec(), Filter::Adaptive),
        // Filters are for bytes that are near each other; of packed bits they make noise.
        bits => (packed(values, width, bits), Filter::NoFilter),
    };
    let mut bytes = Vec::new();
    let mut encoder = Encoder::new(&mut bytes, u32::try_from(width).ok()?, u32::try_from(rows).ok()?);
    encoder.set_color(if colours == 1 { ColorType::Grayscale } else { ColorType::Rgb });
    encoder.set_depth(depth);
    encoder.set_compression(Compression::High);
    encoder.set_filter(filter);
    let mut writer = encoder.write_header().ok()?;
    writer.write_image_data(&packed).ok()?;
    writer.finish().ok()?;
    Some(Rival { name: "png", bytes: bytes.len() as u64 })
}

/// Levels of a few bits side by side in bytes, the first in the highest bits; a row begins with a byte of its own.
fn packed(levels: &[u8], width: usize, bits: usize) -> Vec<u8> {
    let byte =
        |levels: &[u8]| levels.iter().enumerate().fold(0, |byte, (i, level)| byte | level << (8 - bits * (i + 1)));
    levels.chunks(width).flat_map(|row| row.chunks(8 / bits).map(byte)).collect()
}

/// FLAC of samples of one channel and 16 bits.
///
/// None where there is no such FLAC.
pub fn flac(samples: &[i16], rate: u32) -> Option<Rival> {
    let mut file = Cursor::new(Vec::new());
    let options = Options::best().no_padding().no_seektable();
    let mut writer = FlacSampleWriter::new(&mut file, options, rate, 16, 1, Some(samples.len() as u64)).ok()?;
    writer.write(&samples.iter().map(|&sample| sample.into()).collect::<Vec<i32>>()).ok()?;
    writer.finalize().ok()?;
    Some(Rival { name: "flac", bytes: file.into_inner().len() as u64 })
}

#[cfg(test)]
mod tests {
    use super::*;
    use autograd::random::Streams;
    use rand::RngExt;
    use std::io::Read;

    fn noise(count: usize) -> Vec<i16> {
        let mut random = Streams::new(3).stream("noise");
        (0..count).map(|_| random.random()).collect()
    }

    #[test]
    fn lzma_is_a_whole_file_that_comes_back() {
        for bytes in [&b""[..], b"a", &b"the cat sat on the mat. ".repeat(50)] {
            let rival = lzma(bytes).unwrap();
            assert!(rival.bytes as usize <= 40 + bytes.len(), "{rival:?}");
        }
        let text = b"the cat sat on the mat. ".repeat(50);
        let mut writer = LzipWriter::new(Vec::new(), options(text.len()));
        writer.write_all(&text).unwrap();
        let file = writer.finish().unwrap();
        assert_eq!(lzma(&text).unwrap().bytes, file.len() as u64);
        let mut back = Vec::new();
        lzma_rust2::LzipReader::new(&file[..]).read_to_end(&mut back).unwrap();
        assert_eq!(back, text);
    }

    #[test]
    fn levels_are_packed_as_png_has_them() {
        assert_eq!(packed(&[1, 0, 1, 1, 0, 0, 0, 0, 1, 1, 1, 1], 6, 1), [0b1011_0000, 0b0011_1100]);
        assert_eq!(packed(&[3, 0, 1, 2, 2], 5, 2), [0b1100_0110, 0b1000_0000]);
        assert_eq!(packed(&[15, 1, 7], 3, 4), [0xf1, 0x70]);
        // Two pictures of noise, 40 × 40: a bit for each pixel, and the frame.
        let noise: Vec<u8> = noise(3200).into_iter().map(|x| (x & 1) as u8).collect();
        let bytes = png(&noise, [40, 1], 1).unwrap().bytes;
        assert!((400..600).contains(&bytes), "{bytes}");
        assert!(png(&noise[..1200], [20, 3], 8).is_some() && png(&noise, [40, 1], 8).is_some());
        assert!(png(&noise, [40, 1], 3).is_none());
    }

    #[test]
    fn flac_has_a_tone_in_a_fraction_of_its_bytes_and_noise_in_all_of_them() {
        let tone: Vec<i16> = (0..8000).map(|t| ((f64::from(t) * 0.05).sin() * 9000.0) as i16).collect();
        let (of_tone, of_noise) = (flac(&tone, 8000).unwrap().bytes, flac(&noise(8000), 8000).unwrap().bytes);
        assert!(of_tone < 8000 && (15_000..16_500).contains(&of_noise), "{of_tone} {of_noise}");
        assert!(flac(&tone[..1], 8000).is_some());
    }
}
