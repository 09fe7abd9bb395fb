//! The compressed file: whose bits they are, how many symbols, and checksums. `docs/file-formats.md` says the same for a reader with
//! another program.
//!
//! ```text
//! magic "\x8AARZ" · version u8 · form u8 · fingerprint of the model u64 · sequences · symbols of each · CRC-32 of the symbols u32 ·
//! bytes of the bits · the bits · CRC-32 of all before it u32
//! ```
//!
//! Fixed numbers are little-endian; the three others are LEB128, seven bits a byte, the lowest first. Magic and last checksum are those of
//! every version, so that damage is told from a newer version.

use crate::error::{Error, Kind, Result};
use crate::pages::numbers::{counted, grouped};

/// How a compressed file begins.
pub const MAGIC: [u8; 4] = *b"\x8AARZ";

/// The version that this code writes, and the newest it reads.
pub const VERSION: u8 = 1;

/// What the codes were a file of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Form {
    /// A text.
    Text = 0,
    /// A picture in PNG.
    Png = 1,
    /// Pictures in IDX.
    Idx = 2,
    /// Pictures in IDX, whose white was 1.
    IdxOfOnes = 3,
    /// A sound in WAV.
    Wav = 4,
}

impl Form {
    /// All of them.
    pub const ALL: [Form; 5] = [Form::Text, Form::Png, Form::Idx, Form::IdxOfOnes, Form::Wav];

    /// What such a file holds.
    pub fn what(self) -> &'static str {
        match self {
            Form::Text => "a text",
            Form::Png => "a picture",
            Form::Idx | Form::IdxOfOnes => "pictures",
            Form::Wav => "a sound",
        }
    }

    /// Whether it is of many sequences.
    fn is_of_many(self) -> bool {
        matches!(self, Form::Idx | Form::IdxOfOnes)
    }
}

/// What stands before the bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// What the codes were a file of.
    pub form: Form,
    /// The fingerprint of the model.
    pub identity: u64,
    /// How many sequences.
    pub sequences: u64,
    /// How many symbols each has.
    pub length: u64,
    /// CRC-32 of all labels and codes.
    pub checksum: u32,
}

/// A file that is whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct File<'b> {
    /// What stands before the bits.
    pub header: Header,
    /// The bits.
    pub payload: &'b [u8],
}

impl File<'_> {
    /// Refuses a file of another form.
    ///
    /// # Errors
    /// [`Kind::BadInput`] with what it holds.
    pub fn is_of(&self, forms: &[Form], name: &str) -> Result<()> {
        if forms.contains(&self.header.form) {
            return Ok(());
        }
        Err(Error::new(Kind::BadInput, format!("{name} holds {}", self.header.form.what()))
            .cause(format!("this model compresses {}", forms[0].what()))
            .help("name the run or the checkpoint that compressed it"))
    }
}

/// Symbols that need no byte, and symbols for each byte of the bits: more are taken for a header that would have its reader loop without end.
/// A model that is so sure that it needs fewer bits gets zeros behind them.
const FREE: u64 = 1 << 20;
const PER_BYTE: u64 = 1 << 10;

/// Writes a file.
pub fn write(header: &Header, mut payload: Vec<u8>) -> Vec<u8> {
    let symbols = header.sequences.saturating_mul(header.length);
    let least = symbols.saturating_sub(FREE).div_ceil(PER_BYTE) as usize;
    payload.resize(payload.len().max(least), 0);
    let mut bytes = MAGIC.to_vec();
    bytes.extend([VERSION, header.form as u8]);
    bytes.extend(header.identity.to_le_bytes());
    put(&mut bytes, header.sequences);
    put(&mut bytes, header.length);
    bytes.extend(header.checksum.to_le_bytes());
    put(&mut bytes, payload.len() as u64);
    bytes.extend(payload);
    let checksum = crc32fast::hash(&bytes);
    bytes.extend(checksum.to_le_bytes());
    bytes
}

/// LEB128.
fn put(bytes: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        bytes.push(number as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
}

/// The numbers of a header, one after another.
struct Numbers<'b>(&'b [u8]);

impl<'b> Numbers<'b> {
    fn take(&mut self, count: usize) -> Option<&'b [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    fn fixed<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.take(N)?.try_into().ok()
    }

    /// LEB128 of at most 64 bits.
    fn number(&mut self) -> Option<u64> {
        let mut number = 0_u64;
        for place in 0..10 {
            let [byte] = self.fixed()?;
            let part = u64::from(byte & 0x7f);
            let shifted = part << (7 * place);
            if shifted >> (7 * place) != part {
                return None;
            }
            number |= shifted;
            if byte < 0x80 {
                return Some(number);
            }
        }
        None
    }
}

/// Reads a file; `name` is its name in messages. Nothing is made of what it declares.
///
/// # Errors
/// [`Kind::BadInput`] if it is no such file, breaks off, is damaged, is of a newer version, or declares what no such file holds.
pub fn read<'b>(bytes: &'b [u8], name: &str) -> Result<File<'b>> {
    let bad = |what: String| Error::new(Kind::BadInput, what);
    if !bytes.starts_with(&MAGIC) {
        let cause = if bytes.is_empty() { "it is empty" } else { "it does not begin as one" };
        return Err(bad(format!("{name} is no file that `autoreg compress` wrote")).cause(cause));
    }
    let mut rest = Numbers(bytes);
    let parts = parts(&mut rest);
    let (declared, follow) =
        (parts.as_ref().map(|parts| parts.payload.saturating_add(CHECKSUM as u64)), rest.0.len() as u64);
    if !is_summed(bytes) {
        // What breaks off has another checksum as well, and so has a header that was damaged, which can declare anything.
        let (what, cause) = match declared {
            Some(declared) if declared <= follow => {
                ("is damaged", "its checksum is not that of its content".to_owned())
            }
            Some(declared) => {
                let cause =
                    format!("after its header {} should follow, and {} do", counted(declared, "byte"), grouped(follow));
                ("breaks off, or is damaged", cause)
            }
            None => ("breaks off, or is damaged", "it ends within its header".to_owned()),
        };
        return Err(bad(format!("{name} {what}")).cause(cause).help("fetch it again, or compress the original again"));
    }
    let version = bytes[MAGIC.len()..].first().copied().unwrap_or_default();
    if version != VERSION {
        return Err(bad(format!("{name} has version {version} of the format"))
            .cause(format!("this autoreg reads version {VERSION}"))
            .help("use a newer autoreg"));
    }
    let contradicts = |cause: String| Err(bad(format!("{name} contradicts itself")).cause(cause));
    let Some(Parts { form, identity, sequences, length, checksum, payload }) = parts else {
        return contradicts("its header is none".to_owned());
    };
    let left = rest.0.len() - CHECKSUM.min(rest.0.len());
    if payload != left as u64 {
        return contradicts(format!(
            "it declares {} of bits, and has {}",
            counted(payload, "byte"),
            counted(left as u64, "byte")
        ));
    }
    let Some(form) = Form::ALL.into_iter().find(|known| *known as u8 == form) else {
        return contradicts(format!("what it is a file of, {form}, nobody knows"));
    };
    if sequences == 0 || (sequences > 1 && (length == 0 || !form.is_of_many())) {
        return contradicts(format!(
            "it holds {}, and declares {} of {}",
            form.what(),
            counted(sequences, "sequence"),
            counted(length, "symbol")
        ));
    }
    let most = FREE + PER_BYTE.saturating_mul(payload);
    match sequences.checked_mul(length) {
        Some(symbols) if symbols <= most && usize::try_from(symbols).is_ok() => {}
        _ => {
            return contradicts(format!(
                "it declares {} of {}, and its {} hold at most {} symbols",
                counted(sequences, "sequence"),
                counted(length, "symbol"),
                counted(payload, "byte"),
                grouped(most)
            ));
        }
    }
    let header = Header { form, identity, sequences, length, checksum };
    Ok(File { header, payload: &rest.0[..left] })
}

/// Bytes of the checksum at the end.
const CHECKSUM: usize = 4;

/// Whether the last four bytes are the checksum of those before.
fn is_summed(bytes: &[u8]) -> bool {
    bytes
        .split_last_chunk::<CHECKSUM>()
        .is_some_and(|(content, sum)| crc32fast::hash(content) == u32::from_le_bytes(*sum))
}

/// The numbers of a header as they stand there.
struct Parts {
    form: u8,
    identity: u64,
    sequences: u64,
    length: u64,
    checksum: u32,
    payload: u64,
}

fn parts(rest: &mut Numbers) -> Option<Parts> {
    rest.take(MAGIC.len() + 1)?;
    let [form] = rest.fixed()?;
    Some(Parts {
        form,
        identity: u64::from_le_bytes(rest.fixed()?),
        sequences: rest.number()?,
        length: rest.number()?,
        checksum: u32::from_le_bytes(rest.fixed()?),
        payload: rest.number()?,
    })
}

#[cfg(test)]
#[path = "format_tests.rs"]
mod tests;
