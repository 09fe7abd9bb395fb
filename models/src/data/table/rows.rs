//! The rows of a CSV file with their true line numbers, and whether there is a gap before one. What is in a cell is not judged here.

use super::cell::delimiter;
use crate::error::{Error, Kind, Result};
use csv::{ByteRecord, Reader, ReaderBuilder, Trim};

/// A line of the file that holds cells.
pub(crate) struct Row {
    /// Its number in the file, from 1.
    pub line: usize,
    /// Whether the line before it is empty: between values, a gap.
    pub after_blank: bool,
    pub cells: ByteRecord,
}

/// The rows of a file, one after the other, none kept.
pub(crate) struct Rows<'a> {
    source: &'a str,
    bytes: &'a [u8],
    reader: Reader<&'a [u8]>,
    /// The line of the first `counted` bytes' end.
    line: usize,
    counted: usize,
}

impl<'a> Rows<'a> {
    /// Of a file that `source` names in messages.
    pub fn of(bytes: &'a [u8], source: &'a str) -> Self {
        let reader = ReaderBuilder::new()
            .delimiter(delimiter(bytes))
            .has_headers(false)
            .flexible(true) // rows of another length get our own message
            .trim(Trim::All)
            .from_reader(bytes);
        Rows { source, bytes, reader, line: 1, counted: 0 }
    }

    /// The next row; none at the end.
    ///
    /// # Errors
    /// [`Kind::BadInput`] where the reader gives up.
    pub fn next(&mut self) -> Result<Option<Row>> {
        let mut cells = ByteRecord::new();
        let more = self.reader.read_byte_record(&mut cells).map_err(|error| {
            Error::new(Kind::BadInput, format!("{}: the CSV cannot be read", self.source)).cause(error)
        })?;
        if !more {
            return Ok(None);
        }
        // The reader skips empty lines silently and gives the position before them.
        let is_end = |byte: &&u8| matches!(**byte, b'\n' | b'\r');
        let before = cells.position().expect("a record that was read has a position").byte() as usize;
        let start = before + self.bytes[before..].iter().take_while(is_end).count();
        let ends = self.bytes[..start].iter().rev().take_while(is_end).count();
        self.line += line_ends(&self.bytes[self.counted..start]);
        self.counted = start;
        let after_blank = line_ends(&self.bytes[start - ends..start]) > 1;
        Ok(Some(Row { line: self.line, after_blank, cells }))
    }
}

/// The number of line ends in a piece of a file: LF, CRLF or CR.
fn line_ends(bytes: &[u8]) -> usize {
    let ends = |i: usize| bytes[i] == b'\n' || bytes[i] == b'\r' && bytes.get(i + 1) != Some(&b'\n');
    (0..bytes.len()).filter(|i| ends(*i)).count()
}
