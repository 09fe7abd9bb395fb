//! What a WAV says of itself, compared with what there is: its chunks, its format, where its samples lie. The samples are read in
//! [`super::wav`].

use super::wav::{LONGEST, MOST_CHANNELS, RATES};
use crate::error::{Error, Kind, Result};
use crate::pages::numbers::grouped;
use std::fmt::Display;

/// Samples as integers.
pub(super) const PCM: u16 = 1;
/// Samples as floating-point numbers.
pub(super) const FLOAT: u16 = 3;
/// The format is named further behind.
pub(super) const EXTENSIBLE: u16 = 0xfffe;

/// What follows the number of the format in a GUID of `WAVE_FORMAT_EXTENSIBLE`.
const GUID: [u8; 14] = *b"\0\0\0\0\x10\0\x80\0\0\xaa\0\x38\x9b\x71";

/// What the chunk `fmt ` says.
#[derive(Clone, Copy, Debug)]
pub(super) struct Format {
    /// PCM or FLOAT.
    pub tag: u16,
    pub channels: u16,
    pub rate: u32,
    pub bits: u16,
}

impl Format {
    /// Bytes of a frame: a sample of each channel.
    pub fn frame(self) -> u32 {
        u32::from(self.channels) * u32::from(self.bits / 8)
    }
}

/// The format and the bytes of the samples: whole frames, all of them there.
pub(super) fn chunks<'b>(bytes: &'b [u8], path: &str) -> Result<(Format, &'b [u8])> {
    let (mut rest, mut format) = (bytes.get(12..).unwrap_or_default(), None);
    while let Some((head, there)) = rest.split_at_checked(8) {
        let (name, length) = (&head[..4], u32_at(head, 4));
        let body = there.get(..length as usize);
        match (name, body) {
            (b"data", _) => {
                let Some(format) = format else {
                    return Err(bad(path, "nothing says what its samples are")
                        .cause("there is no chunk \"fmt \" before its data")
                        .help(AGAIN));
                };
                return Ok((format, samples(format, length, there, path)?));
            }
            (_, None) => return Err(breaks_off(path, name, length, there.len())),
            (b"fmt ", Some(body)) => format = Some(read_format(body, path)?),
            _ => {}
        }
        // A chunk of odd length is followed by a byte that belongs to none.
        rest = there.get(length as usize + length as usize % 2..).unwrap_or_default();
    }
    Err(bad(path, "it breaks off").cause("it ends before its samples, the chunk \"data\"").help(AGAIN))
}

/// The first bytes of what is there, if they are whole frames.
fn samples<'b>(format: Format, length: u32, there: &'b [u8], path: &str) -> Result<&'b [u8]> {
    let frame = format.frame();
    let Some(data) = there.get(..length as usize) else {
        // What is written into a pipe never learns how long it became.
        let piped = length >= u32::MAX - 64;
        let error = breaks_off(path, b"data", length, there.len());
        return Err(if piped { error.help("it was written into a pipe, write it into a file") } else { error });
    };
    if length == 0 {
        return Err(bad(path, "it holds no samples").help("give a sound that is not empty"));
    }
    if !length.is_multiple_of(frame) {
        let cause =
            format!("a frame is {frame} bytes, and {} bytes are no whole number of them", grouped(length.into()));
        return Err(bad(path, "its last frame is cut").cause(cause).help(AGAIN));
    }
    if length / frame > LONGEST {
        return Err(bad(path, format!("{} samples are too many", grouped((length / frame).into())))
            .cause(format!("there may be {}", grouped(LONGEST.into())))
            .help("cut it"));
    }
    Ok(data)
}

fn read_format(body: &[u8], path: &str) -> Result<Format> {
    if body.len() < 16 {
        return Err(bad(path, "its format is cut")
            .cause(format!("the chunk \"fmt \" has {} bytes of at least 16", body.len()))
            .help(AGAIN));
    }
    let [mut tag, channels, frame, bits] = [0, 2, 12, 14].map(|at| u16_at(body, at));
    let rate = u32_at(body, 4);
    if tag == EXTENSIBLE {
        let Some(guid) = body.get(24..40) else {
            return Err(bad(path, "its format is cut").cause("an extensible format has 40 bytes").help(AGAIN));
        };
        tag = if guid[2..] == GUID { u16_at(guid, 0) } else { EXTENSIBLE };
    }
    if ![PCM, FLOAT].contains(&tag) {
        return Err(bad(path, format!("it is compressed: {}", codec(tag)))
            .cause("samples are read as they are, integers or 32-bit float")
            .help(CONVERT));
    }
    if !(1..=MOST_CHANNELS).contains(&channels) {
        return Err(bad(path, format!("it has {channels} channels"))
            .cause(format!("1 to {MOST_CHANNELS} are read"))
            .help("mix it down to one"));
    }
    if !RATES.contains(&rate) {
        return Err(bad(path, format!("it has {} samples per second", grouped(rate.into())))
            .cause(format!("{} to {} are read", grouped(u64::from(*RATES.start())), grouped(u64::from(*RATES.end()))))
            .help(AGAIN));
    }
    let known: &[u16] = if tag == FLOAT { &[32] } else { &[8, 16, 24, 32] };
    if !known.contains(&bits) {
        let what = if tag == FLOAT { "-bit float" } else { "-bit integers" };
        return Err(bad(path, format!("its samples are {bits}{what}"))
            .cause("integers of 8, 16, 24 and 32 bits are read, and 32-bit float")
            .help(CONVERT));
    }
    let format = Format { tag, channels, rate, bits };
    if u32::from(frame) != format.frame() {
        return Err(bad(path, "its format contradicts itself")
            .cause(format!("{channels} × {bits} bits make frames of {} bytes, not {frame}", format.frame()))
            .help(AGAIN));
    }
    Ok(format)
}

pub(super) const CONVERT: &str = "save it as a WAV of 16 bits: ffmpeg -i SOUND -c:a pcm_s16le OUT.wav";
const AGAIN: &str = "save the sound again";

fn u16_at(bytes: &[u8], at: usize) -> u16 {
    u16::from_le_bytes([bytes[at], bytes[at + 1]])
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from(u16_at(bytes, at)) | u32::from(u16_at(bytes, at + 2)) << 16
}

pub(super) fn bad(path: &str, what: impl Display) -> Error {
    Error::new(Kind::BadInput, format!("{path}: {what}"))
}

pub(super) fn broken(error: &hound::Error, path: &str) -> Error {
    bad(path, "the WAV is broken").cause(error).help(AGAIN)
}

fn breaks_off(path: &str, chunk: &[u8], length: u32, there: usize) -> Error {
    let name = String::from_utf8_lossy(chunk);
    let (length, there) = (grouped(length.into()), grouped(there as u64));
    bad(path, "it breaks off")
        .cause(format!("its chunk {name:?} has {length} bytes, and {there} are there"))
        .help(AGAIN)
}

/// How samples are compressed, by the number that RIFF gave it.
fn codec(tag: u16) -> String {
    let name = match tag {
        0x0002 => "ADPCM of Microsoft",
        0x0006 => "A-law",
        0x0007 => "μ-law",
        0x0011 => "ADPCM of IMA",
        0x0031 => "GSM 6.10",
        0x0050 => "MPEG",
        0x0055 => "MP3",
        0x00ff => "AAC",
        0x0161 => "Windows Media",
        0xf1ac => "FLAC",
        _ => return format!("by the codec of number {tag:#06x}"),
    };
    name.to_owned()
}

/// Other formats of sound, by their beginnings.
pub(super) fn sound(bytes: &[u8]) -> Option<&'static str> {
    let beginnings: [(&[u8], &str); 8] = [
        (b"fLaC", "a FLAC"),
        (b"OggS", "an Ogg"),
        (b"ID3", "an MP3"),
        (b"\xff\xfb", "an MP3"),
        (b"FORM", "an AIFF"),
        (b".snd", "an AU"),
        (b"caff", "a CAF"),
        (b"RIFF", "a RIFF of another kind"),
    ];
    let known = beginnings.iter().find(|(begins, _)| bytes.starts_with(begins)).map(|&(_, what)| what);
    known.or((bytes.get(4..8) == Some(b"ftyp")).then_some("an MP4"))
}
