//! WAVs of every kind that is read, and every way in which one is refused. The files are built here, byte by byte, or by `hound`.

use super::super::riff::EXTENSIBLE;
use super::*;
use crate::error::Kind;
use hound::{SampleFormat, WavSpec, WavWriter};
use std::time::{Duration, Instant};

fn chunk(name: &[u8; 4], body: &[u8]) -> Vec<u8> {
    let padding = &[0][..body.len() % 2];
    [&name[..], &(body.len() as u32).to_le_bytes(), body, padding].concat()
}

/// What the chunk `fmt ` holds at least.
fn format(tag: u16, channels: u16, rate: u32, bits: u16) -> Vec<u8> {
    let frame = (u32::from(channels) * u32::from(bits) / 8) as u16;
    let bytes = rate.wrapping_mul(frame.into());
    let words = |words: &[u16]| words.iter().flat_map(|word| word.to_le_bytes()).collect::<Vec<_>>();
    [words(&[tag, channels]), rate.to_le_bytes().to_vec(), bytes.to_le_bytes().to_vec(), words(&[frame, bits])].concat()
}

/// A format that names its kind in a GUID, with so many bits of a sample in use.
fn extensible(tag: u16, channels: u16, bits: u16, valid: u16) -> Vec<u8> {
    let further = [22_u16.to_le_bytes(), valid.to_le_bytes(), [0; 2], [0; 2], tag.to_le_bytes()].concat();
    [format(EXTENSIBLE, channels, 8000, bits), further, b"\0\0\0\0\x10\0\x80\0\0\xaa\0\x38\x9b\x71".to_vec()].concat()
}

fn riff(chunks: &[Vec<u8>]) -> Vec<u8> {
    let body = chunks.concat();
    [b"RIFF", &(body.len() as u32 + 4).to_le_bytes()[..], b"WAVE", &body].concat()
}

/// A file of this format and these bytes of samples.
fn file(format: &[u8], data: &[u8]) -> Vec<u8> {
    riff(&[chunk(b"fmt ", format), chunk(b"data", data)])
}

fn bytes<const N: usize>(values: impl IntoIterator<Item = [u8; N]>) -> Vec<u8> {
    values.into_iter().flatten().collect()
}

fn floats(values: &[f32]) -> Vec<u8> {
    bytes(values.iter().map(|x| x.to_le_bytes()))
}

#[test]
fn samples_of_every_width_are_read_at_their_loudness() {
    let read = |format: &[u8], data: &[u8]| parse(&file(format, data), "x.wav").unwrap().samples;
    let of_16 = [0_i16, 1, -1, 32_767, -32_768];
    assert_eq!(read(&format(PCM, 1, 8000, 16), &bytes(of_16.map(i16::to_le_bytes))), of_16);
    assert_eq!(read(&format(PCM, 1, 8000, 8), &[0, 127, 128, 129, 255]), [-32_768, -256, 0, 256, 32_512]);
    let of_24 = [0, 127, 128, -127, -129, 0x7f_ffff, -0x80_0000, 1000 * 256].map(i32::to_le_bytes);
    let data = bytes(of_24.map(|[a, b, c, _]| [a, b, c]));
    let expected = [0, 0, 1, 0, -1, 32_767, -32_768, 1000];
    assert_eq!(read(&format(PCM, 1, 8000, 24), &data), expected);
    let of_32 = [0, 0x7fff, 0x8000, -0x7fff, -0x8001, i32::MAX, i32::MIN, 1000 << 16].map(i32::to_le_bytes);
    assert_eq!(read(&format(PCM, 1, 8000, 32), &bytes(of_32)), expected);
    let of_float = [0.0, 0.4 / 32_768.0, 0.6 / 32_768.0, 1.0, -1.0, 7.5, -1e30, 0.5, f32::MIN_POSITIVE];
    assert_eq!(
        read(&format(FLOAT, 1, 8000, 32), &floats(&of_float)),
        [0, 0, 1, 32_767, -32_768, 32_767, -32_768, 16_384, 0]
    );
}

#[test]
fn channels_are_averaged_and_rounded_once() {
    let data = |samples: &[i16]| bytes(samples.iter().map(|x| x.to_le_bytes()));
    let read =
        |channels, samples: &[i16]| parse(&file(&format(PCM, channels, 44_100, 16), &data(samples)), "x.wav").unwrap();
    assert_eq!(read(2, &[1, 2, -1, -2, 30_000, 32_767]), Sound { rate: 44_100, samples: vec![2, -2, 31_384] });
    assert_eq!(read(8, &[8, 0, 0, 0, 0, 0, 0, -4]).samples, [1]);
    let stereo = file(&format(FLOAT, 2, 8000, 32), &floats(&[0.25, 0.75, 9.0, -1.0]));
    assert_eq!(parse(&stereo, "x.wav").unwrap().samples, [16_384, -1]);
}

#[test]
fn extensible_formats_further_chunks_and_wrong_lengths_of_the_whole_are_read_through() {
    let two = bytes([100_i16, -100].map(i16::to_le_bytes));
    let expected = [100, -100];
    let list = chunk(b"LIST", b"an odd length");
    let fact = chunk(b"fact", &[0; 12]);
    let read = |bytes: &[u8]| parse(bytes, "x.wav").unwrap().samples;
    assert_eq!(read(&file(&extensible(PCM, 1, 16, 16), &two)), expected);
    assert_eq!(read(&file(&extensible(FLOAT, 1, 32, 32), &floats(&[0.5]))), [16_384]);
    // 20 bits in use of 24 stand at the top of them.
    assert_eq!(read(&file(&extensible(PCM, 1, 24, 20), &[0, 0x34, 0x12])), [0x1234]);
    let fmt = chunk(b"fmt ", &[format(PCM, 1, 8000, 16), vec![0, 0]].concat());
    let data = chunk(b"data", &two);
    for chunks in [
        vec![list.clone(), fmt.clone(), list.clone(), fact.clone(), data.clone()],
        vec![fmt.clone(), data.clone(), list.clone()],
        vec![fmt.clone(), data.clone(), b"rubbish at the end".to_vec()],
        vec![fmt.clone(), chunk(b"fmt ", &format(PCM, 1, 8000, 16)), data.clone(), data.clone()],
    ] {
        let mut bytes = riff(&chunks);
        assert_eq!(read(&bytes), expected, "{chunks:?}");
        for length in [0, 1, u32::MAX] {
            bytes[4..8].copy_from_slice(&length.to_le_bytes());
            assert_eq!(read(&bytes), expected, "{length}");
        }
    }
}

#[test]
fn what_another_program_wrote_is_read_and_what_is_written_is_read_by_another() {
    let samples: Vec<i16> = (0..1000_i32).map(|i| (i * i % 65_521 - 32_768) as i16).collect();
    let sound = Sound { rate: 11_025, samples: samples.clone() };
    let ours = encode(&sound);
    let mut theirs = Cursor::new(Vec::new());
    let spec = WavSpec { channels: 1, sample_rate: 11_025, bits_per_sample: 16, sample_format: SampleFormat::Int };
    let mut writer = WavWriter::new(&mut theirs, spec).unwrap();
    samples.iter().for_each(|&x| writer.write_sample(x).unwrap());
    writer.finalize().unwrap();
    assert!(may_be(&ours) && ours == theirs.into_inner(), "hound writes the same file");
    assert_eq!(parse(&ours, "x.wav").unwrap(), sound);
    let read: Vec<i16> = WavReader::new(&ours[..]).unwrap().into_samples().map(hound::Result::unwrap).collect();
    assert_eq!(read, samples);
    assert_eq!(ours[..HEADER], header(11_025, 1000));
    // The longest file: 4 GiB less one byte, and no number in it overflows.
    let longest = header(384_000, LONGEST);
    assert_eq!(u32::from_le_bytes(longest[4..8].try_into().unwrap()), u32::MAX - 1);
    assert_eq!(u32::from_le_bytes(longest[40..].try_into().unwrap()), 2 * LONGEST);
}

#[test]
#[should_panic(expected = "a WAV holds 2147483629 samples")]
fn a_header_of_more_samples_than_a_wav_holds_is_a_mistake() {
    header(8000, LONGEST + 1);
}

#[test]
fn every_sound_that_cannot_be_read_is_refused_by_name_at_once() {
    let right = format(PCM, 1, 8000, 16);
    let good = file(&right, &[1, 2, 3, 4]);
    let of = |tag, channels, rate, bits| file(&format(tag, channels, rate, bits), &[0; 48]);
    let claims = |length: u32| {
        let mut bytes = good.clone();
        bytes[40..44].copy_from_slice(&length.to_le_bytes());
        bytes
    };
    let frame_of = |frame: u16| {
        let mut format = right.clone();
        format[12..14].copy_from_slice(&frame.to_le_bytes());
        file(&format, &[0; 48])
    };
    let begins = |begin: &[u8]| [begin, &good[begin.len()..]].concat();
    let list = chunk(b"LIST", &[0; 8]);
    let long_list = {
        let mut list = list.clone();
        list[4..8].copy_from_slice(&u32::MAX.to_le_bytes());
        riff(&[chunk(b"fmt ", &right), list, chunk(b"data", &[0; 4])])
    };
    let nan = file(&format(FLOAT, 1, 8000, 32), &floats(&[0.5, f32::NAN]));
    let infinite = file(&format(FLOAT, 2, 8000, 32), &floats(&[0.0, 0.0, 0.5, f32::NEG_INFINITY]));
    let other_guid = {
        let mut format = extensible(PCM, 1, 16, 16);
        format[39] ^= 1;
        file(&format, &[0; 4])
    };
    let catalogue: Vec<(&str, Vec<u8>, &str)> = vec![
        ("nothing", vec![], "no WAV"),
        ("an MP3", b"ID3\x03\0".to_vec(), "it is an MP3"),
        ("a FLAC", b"fLaC\0\0\0\x22".to_vec(), "it is a FLAC"),
        ("an Ogg", b"OggS\0\x02".to_vec(), "it is an Ogg"),
        ("an MP4", b"\0\0\0\x20ftypM4A ".to_vec(), "it is an MP4"),
        ("an AIFF", b"FORM\0\0\0\0AIFF".to_vec(), "it is an AIFF"),
        ("a WebP", b"RIFF\0\0\0\0WEBPVP8 ".to_vec(), "a RIFF of another kind"),
        ("a picture", b"\x89PNG\r\n\x1a\n".to_vec(), "it is a PNG picture"),
        ("gzip", b"\x1f\x8b\x08\0".to_vec(), "gzip"),
        ("text", b"1,2,3\n".to_vec(), "does not begin as one"),
        ("an RF64", begins(b"RF64"), "an RF64"),
        ("a big-endian WAV", begins(b"RIFX"), "big-endian"),
        ("a beginning alone", good[..12].to_vec(), "before its samples"),
        ("cut in a chunk's name", good[..15].to_vec(), "before its samples"),
        ("cut in its format", good[..30].to_vec(), "\"fmt \" has 16 bytes, and 10 are there"),
        ("cut before its samples", good[..36].to_vec(), "before its samples"),
        ("cut in its samples", good[..good.len() - 1].to_vec(), "\"data\" has 4 bytes, and 3 are there"),
        ("a length that lies", claims(1 << 31), "has 2,147,483,648 bytes, and 4 are there"),
        ("what went through a pipe", claims(u32::MAX), "written into a pipe"),
        ("a chunk before its samples that lies", long_list, "\"LIST\" has 4,294,967,295 bytes"),
        ("no format", riff(&[chunk(b"data", &[0; 4])]), "no chunk \"fmt \""),
        ("a format behind its samples", riff(&[chunk(b"data", &[0; 4]), chunk(b"fmt ", &right)]), "no chunk \"fmt \""),
        ("a format of 14 bytes", file(&right[..14], &[0; 4]), "14 bytes of at least 16"),
        ("an extensible format of 18 bytes", of(EXTENSIBLE, 1, 8000, 16), "has 40 bytes"),
        ("an extensible format of another kind", other_guid, "number 0xfffe"),
        ("no samples", file(&right, &[]), "no samples"),
        ("half a sample", file(&right, &[0; 5]), "5 bytes are no whole number"),
        ("half a frame", file(&format(PCM, 2, 8000, 16), &[0; 6]), "a frame is 4 bytes"),
        ("A-law", of(6, 1, 8000, 8), "A-law"),
        ("μ-law", of(7, 1, 8000, 8), "μ-law"),
        ("ADPCM", of(2, 1, 8000, 4), "ADPCM of Microsoft"),
        ("another ADPCM", of(0x11, 1, 8000, 4), "ADPCM of IMA"),
        ("MP3 in a WAV", of(0x55, 2, 44_100, 0), "MP3"),
        ("MP3 in an extensible WAV", file(&extensible(0x55, 1, 16, 16), &[0; 4]), "MP3"),
        ("an unknown codec", of(0x1234, 1, 8000, 16), "number 0x1234"),
        ("no channels", of(PCM, 0, 8000, 16), "0 channels"),
        ("9 channels", of(PCM, 9, 8000, 16), "9 channels"),
        ("255 channels", of(PCM, 255, 8000, 16), "255 channels"),
        ("65535 channels", of(PCM, 65_535, 8000, 16), "65535 channels"),
        ("a rate of 0", of(PCM, 1, 0, 16), "0 samples per second"),
        ("a rate of 999", of(PCM, 1, 999, 16), "999 samples per second"),
        ("a rate beyond all measure", of(PCM, 8, u32::MAX, 16), "4,294,967,295 samples per second"),
        ("no bits", of(PCM, 1, 8000, 0), "0-bit integers"),
        ("12 bits", of(PCM, 1, 8000, 12), "12-bit integers"),
        ("64 bits", of(PCM, 1, 8000, 64), "64-bit integers"),
        ("double precision", of(FLOAT, 1, 8000, 64), "64-bit float"),
        ("floats of 16 bits", of(FLOAT, 1, 8000, 16), "16-bit float"),
        ("frames of no bytes", frame_of(0), "contradicts itself"),
        ("frames of too many bytes", frame_of(4), "contradicts itself"),
        ("what is no number", nan, "sample 1 is no number (NaN)"),
        ("what is infinite", infinite, "sample 1 of channel 1 is infinite"),
    ];
    for (name, bytes, says) in catalogue {
        let start = Instant::now();
        let error = parse(&bytes, "x.wav").expect_err(name);
        assert!(error.kind == Kind::BadInput && error.what.starts_with("x.wav: "), "{name}: {error}");
        assert!(error.to_string().contains(says) && !error.help.is_empty(), "{name}: {error}");
        assert!(start.elapsed() < Duration::from_millis(100), "{name}: {:?}", start.elapsed());
    }
    assert!(!may_be(b"RIFF\0\0\0\0WEBP") && !may_be(b"RIFF") && may_be(&begins(b"RF64")));
}
