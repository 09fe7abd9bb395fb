//! One column of numbers out of a CSV file: found by name or number, every value checked, every complaint with its line.
//!
//! What a spreadsheet writes is understood without options: `,` `;` or tab, quotes, a header or none, BOM, CRLF. Gaps are
//! an error and never filled: a lag would silently reach over them. How cells are judged stands in `cell.rs`.

use std::path::Path;

use csv::{ByteRecord, ReaderBuilder, Trim};
use serde::{Deserialize, Serialize};

use super::cell::{self, Cell};
use crate::error::{Error, Kind, Result};

/// Whether the first line of a file names its columns.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Header {
    /// It does if all its cells are text, or if one is text above a number.
    #[default]
    Detect,
    /// It does.
    Present,
    /// It does not.
    Absent,
}

/// A series read from a file.
#[derive(Clone, Debug, PartialEq)]
pub struct Column {
    /// Its name in the header, or `column 2` where there is none.
    pub name: String,
    /// Its values, all finite, in the order of the lines.
    pub values: Vec<f64>,
}

impl Column {
    /// Reads a column of a file: by name, else by number from 1; `None` takes the only one.
    ///
    /// # Errors
    /// If the file cannot be read or is empty, the column does not exist, or one of its cells is no finite number; the
    /// message names line and column and what to do.
    pub fn read(path: &Path, wanted: Option<&str>, header: Header) -> Result<Column> {
        let bytes = std::fs::read(path).map_err(|error| {
            Error::new(Kind::BadInput, format!("cannot read {}", path.display()))
                .cause(error)
                .help("give the path of a CSV file")
        })?;
        Column::parse(&bytes, &path.display().to_string(), wanted, header)
    }

    /// As [`Column::read`], of bytes already in memory; `source` names them in messages.
    ///
    /// # Errors
    /// As [`Column::read`].
    pub fn parse(bytes: &[u8], source: &str, wanted: Option<&str>, header: Header) -> Result<Column> {
        let table = Table::open(bytes, source, header)?;
        let column = table.find(wanted)?;
        let name = table.names[column].clone();
        let values = table.values(column)?;
        Ok(Column { name, values })
    }
}

fn is_line_end(byte: u8) -> bool {
    matches!(byte, b'\n' | b'\r')
}

/// The number of line ends in a piece of a file: LF, CRLF or CR.
fn line_ends(bytes: &[u8]) -> usize {
    let ends = |i: usize| bytes[i] == b'\n' || bytes[i] == b'\r' && bytes.get(i + 1) != Some(&b'\n');
    (0..bytes.len()).filter(|i| ends(*i)).count()
}

/// A line of the file that holds cells, with its number from 1.
struct Row {
    line: usize,
    cells: ByteRecord,
}

struct Table<'a> {
    source: &'a str,
    names: Vec<String>,
    rows: Vec<Row>,
    has_header: bool,
    /// The first empty line between rows; in a file of one column it is a gap.
    blank: Option<usize>,
}

impl<'a> Table<'a> {
    fn open(bytes: &[u8], source: &'a str, header: Header) -> Result<Self> {
        let bad = |what: String| Error::new(Kind::BadInput, format!("{source}: {what}"));
        if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
            return Err(bad("the file is UTF-16".into()).help("save it as UTF-8 CSV"));
        }
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        let mut reader = ReaderBuilder::new()
            .delimiter(cell::delimiter(bytes))
            .has_headers(false)
            .flexible(true) // the lengths of rows are checked below, with a better message
            .trim(Trim::All)
            .from_reader(bytes);
        let (mut rows, mut blank): (Vec<Row>, _) = (Vec::new(), None);
        let (mut line, mut counted) = (1, 0);
        let mut cells = ByteRecord::new();
        while reader.read_byte_record(&mut cells).map_err(|error| bad("the CSV cannot be read".into()).cause(error))? {
            // The reader skips empty lines silently and gives the position before them.
            let before = cells.position().expect("a record that was read has a position").byte() as usize;
            let start = before + bytes[before..].iter().take_while(|byte| is_line_end(**byte)).count();
            let gap = bytes[..start].iter().rev().take_while(|byte| is_line_end(**byte)).count();
            line += line_ends(&bytes[counted..start]);
            counted = start;
            if !rows.is_empty() && line_ends(&bytes[start - gap..start]) > 1 {
                blank.get_or_insert(line - 1);
            }
            rows.push(Row { line, cells: cells.clone() });
        }
        let Some(first) = rows.first() else {
            return Err(bad("the file is empty".into()).help("give a CSV file with a column of numbers"));
        };
        let has_header = match header {
            Header::Present => true,
            Header::Absent => false,
            Header::Detect => cell::names_columns(&first.cells, rows.get(1).map(|row| &row.cells)),
        };
        let width = first.cells.len();
        let numbered = (1..=width).map(|number| format!("column {number}"));
        let names = match has_header {
            true => first.cells.iter().map(|name| String::from_utf8_lossy(name).into_owned()).collect(),
            false => numbered.collect(),
        };
        if let Some(row) = rows.iter().find(|row| row.cells.len() != width) {
            let help = match rows.iter().any(|row| cell::decimal_comma_split(&row.cells, width)) {
                true => "if the commas are decimal commas, write points, or separate columns by ;",
                false => "give every line the same number of cells; quote cells that contain the separator",
            };
            return Err(bad(format!("line {} has {} cells", row.line, row.cells.len()))
                .cause(format!("line {} has {width}", first.line))
                .help(help));
        }
        if has_header {
            rows.remove(0);
        }
        if rows.is_empty() {
            return Err(bad("there are no values below the header".into())
                .help("give a file with numbers; if the first line holds values, say that there is no header"));
        }
        Ok(Table { source, names, rows, has_header, blank })
    }

    /// The index of the column that `wanted` means.
    fn find(&self, wanted: Option<&str>) -> Result<usize> {
        let listed = match self.has_header {
            true => format!("the columns are {}", self.names.join(", ")),
            false => format!("there are {} columns and no header", self.names.len()),
        };
        let Some(wanted) = wanted.map(str::trim) else {
            return match self.names.len() {
                1 => Ok(0),
                _ => Err(Error::new(Kind::BadInput, format!("{}: which column?", self.source))
                    .cause(listed)
                    .help("name one, or give its number from 1")),
            };
        };
        if self.has_header {
            let exact = self.names.iter().position(|name| name == wanted);
            let lower = wanted.to_lowercase();
            if let Some(found) = exact.or_else(|| self.names.iter().position(|name| name.to_lowercase() == lower)) {
                return Ok(found);
            }
        }
        if let Ok(number) = wanted.parse::<usize>() {
            if (1..=self.names.len()).contains(&number) {
                return Ok(number - 1);
            }
        }
        let similarity = |name: &str| strsim::jaro_winkler(&name.to_lowercase(), &wanted.to_lowercase());
        let nearest = self.names.iter().max_by(|a, b| similarity(a).total_cmp(&similarity(b)));
        Err(Error::new(Kind::BadInput, format!("{}: there is no column {wanted:?}", self.source)).cause(listed).help(
            match nearest.filter(|name| self.has_header && similarity(name) > 0.7) {
                Some(name) => format!("did you mean {name:?}?"),
                None => format!("name one, or give a number from 1 to {}", self.names.len()),
            },
        ))
    }

    fn values(&self, column: usize) -> Result<Vec<f64>> {
        let name = &self.names[column];
        let mut values = Vec::with_capacity(self.rows.len());
        for row in &self.rows {
            let blank = self.blank.filter(|line| self.names.len() == 1 && *line < row.line);
            let text = String::from_utf8_lossy(&row.cells[column]);
            let problem = match (blank, Cell::of(&text)) {
                (Some(_), _) => Cell::Missing,
                (None, Cell::Number(value)) => {
                    values.push(value);
                    continue;
                }
                (None, problem) => problem,
            };
            let shown = if blank.is_some() { "" } else { &text };
            let line = blank.unwrap_or(row.line);
            let (cause, help) = problem.complaint(shown);
            return Err(Error::new(Kind::BadInput, format!("{}: line {line}, column {name:?}: {cause}", self.source))
                .cause(format!("value {} of the series would be no finite number", values.len() + 1))
                .help(help));
        }
        Ok(values)
    }
}

#[cfg(test)]
#[path = "column_tests.rs"]
mod tests;
