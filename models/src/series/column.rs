//! One column of numbers out of a CSV file: found by name or number, every value checked, every complaint with its line.
//!
//! What a spreadsheet writes is understood without options: `,` `;` or tab, quotes, a header or none, BOM, CRLF. Gaps are
//! an error and never filled: a lag would silently reach over them. What could be meant in two ways is refused, with the setting
//! that decides. How cells and files are judged stands in `data/table`, times in `dates.rs`.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::dates::Times;
use crate::data::sniff::without_mark;
use crate::data::table::cell::{self, Cell};
use crate::data::table::layout::{self, First};
use crate::data::table::rows::Rows;
use crate::error::{Error, Kind, Result};
use crate::pages::numbers::counted;

/// Whether the first line of a file names its columns.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Header {
    /// It does if all its cells are text, one is text above a number, or one is the name asked for; where that is not clear, the
    /// file is refused.
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
    /// What was taken, and what a person should look at: a line each.
    pub notes: Vec<String>,
}

impl Column {
    /// Reads a column of a file: by name, else by number from 1 (`#3` is a number for certain); `None` takes the only one.
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
        let mut table = Table::open(bytes, source, wanted, header)?;
        let column = table.find(wanted)?;
        let (values, warnings) = table.values(column)?;
        let (first, last) = (values.first().copied().unwrap_or(f64::NAN), values.last().copied().unwrap_or(f64::NAN));
        let named = match table.has_header {
            true => format!("{:?}, named in line {}", table.names[column], table.first_line),
            false => "without a name; the first line holds values".to_owned(),
        };
        let taken = format!(
            "{source}: column {} of {}, {named}: {}, the first {first}, the last {last}",
            column + 1,
            table.names.len(),
            counted(values.len() as u64, "value")
        );
        let notes = std::iter::once(taken).chain(warnings).collect();
        Ok(Column { values, name: table.names.swap_remove(column), notes })
    }
}

/// A file whose first lines are understood and whose rows are still to be read.
struct Table<'a> {
    source: &'a str,
    /// One name for each column; made up where there is no header.
    names: Vec<String>,
    has_header: bool,
    first_line: usize,
    rows: Rows<'a>,
}

impl<'a> Table<'a> {
    fn open(bytes: &'a [u8], source: &'a str, wanted: Option<&str>, header: Header) -> Result<Self> {
        let bad = |what: &str| Error::new(Kind::BadInput, format!("{source}: {what}"));
        let (bytes, _) = without_mark(bytes);
        layout::check(bytes, source, "write a column of numbers, a line each")?;
        let mut ahead = Rows::of(bytes, source);
        let Some(first) = ahead.next()? else {
            return Err(bad("the file is empty").help("give a CSV file with a column of numbers"));
        };
        let second = ahead.next()?;
        let has_header = match header {
            Header::Present => true,
            Header::Absent => false,
            Header::Detect => {
                let named = wanted.is_some_and(|wanted| {
                    number_in(wanted, first.cells.len()).is_none()
                        && first.cells.iter().any(|cell| same_name(&String::from_utf8_lossy(cell), wanted))
                });
                let looks = layout::first_line(&first.cells, second.as_ref().map(|row| &row.cells));
                if !named && looks == First::Unclear {
                    let cells: Vec<_> = first.cells.iter().map(String::from_utf8_lossy).collect();
                    return Err(bad("the first line may be values or the names of columns")
                        .cause(format!("it holds {}, as a program numbers columns that have no name", cells.join(",")))
                        .help("--header present or --header absent says which (`data.header`)"));
                }
                named || looks == First::Names
            }
        };
        if has_header && second.is_none() {
            return Err(bad("there are no values below the header").help(
                "give a file with numbers; if the first line holds values, say --header absent (`data.header`)",
            ));
        }
        let name = |(i, cell)| match has_header {
            true => String::from_utf8_lossy(cell).into_owned(),
            false => format!("column {}", i + 1),
        };
        let names = first.cells.iter().enumerate().map(name).collect();
        let mut rows = Rows::of(bytes, source);
        if has_header {
            rows.next()?;
        }
        Ok(Table { source, names, has_header, first_line: first.line, rows })
    }

    /// The index of the column that `wanted` means.
    fn find(&self, wanted: Option<&str>) -> Result<usize> {
        let listed = match self.has_header {
            true => {
                let shown =
                    |name: &String| if name.is_empty() { "one without a name".to_owned() } else { name.clone() };
                format!("the columns are {}", self.names.iter().map(shown).collect::<Vec<_>>().join(", "))
            }
            false => format!("there are {} and no header", counted(self.names.len() as u64, "column")),
        };
        let Some(wanted) = wanted else {
            return match self.names.len() {
                1 => Ok(0),
                _ => Err(Error::new(Kind::BadInput, format!("{}: which column?", self.source))
                    .cause(listed)
                    .help("--column says it, by name or by number from 1 (`data.column`)")),
            };
        };
        let number = |text: &str| number_in(text, self.names.len()).map(|number| number - 1);
        let by_number = number(wanted);
        if self.has_header {
            // The name as it is written; else in any case of letters.
            let like = |same: &dyn Fn(&str) -> bool| -> Vec<usize> {
                self.names.iter().enumerate().filter(|(_, name)| same(name)).map(|(i, _)| i).collect()
            };
            let exact = like(&|name| name == wanted.trim());
            let named = if exact.is_empty() { like(&|name| same_name(name, wanted)) } else { exact };
            let unclear = |cause: String| {
                let what = format!("{}: which column is {wanted:?}?", self.source);
                let help = format!("--column '#{}' takes it by its number", named[0] + 1);
                Err(Error::new(Kind::BadInput, what).cause(cause).help(help))
            };
            match (&named[..], by_number) {
                ([name], Some(number)) if *name != number => {
                    return unclear(format!("it is the name of column {} and the number of column {wanted}", name + 1));
                }
                ([name], _) => return Ok(*name),
                ([first, second, ..], _) => {
                    return unclear(format!("columns {} and {} have this name", first + 1, second + 1));
                }
                ([], _) => {}
            }
        }
        if let Some(found) = by_number.or_else(|| wanted.trim().strip_prefix('#').and_then(number)) {
            return Ok(found);
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

    /// Reads the rows that are left, and of each the cell of one column; also what there is to say about their times.
    fn values(&mut self, column: usize) -> Result<(Vec<f64>, Vec<String>)> {
        let (name, width) = (&self.names[column], self.names.len());
        let mut values = Vec::new();
        let mut times: Option<(usize, Times)> = None;
        while let Some(row) = self.rows.next()? {
            if row.cells.len() != width {
                let help = match cell::decimal_comma_split(&row.cells, width) {
                    true => "if the commas are decimal commas, write points, or separate columns by ;",
                    false => "give every line the same number of cells; quote cells that contain the separator",
                };
                let what =
                    format!("{}: line {} has {}", self.source, row.line, counted(row.cells.len() as u64, "cell"));
                return Err(Error::new(Kind::BadInput, what)
                    .cause(format!("line {} has {width}", self.first_line))
                    .help(help));
            }
            let text = String::from_utf8_lossy(&row.cells[column]);
            // An empty line between values is a gap, however many cells a line has.
            let gap = row.after_blank && !values.is_empty();
            let (line, text, cell) = match gap {
                true => (row.line - 1, "", Cell::Missing),
                false => (row.line, text.as_ref(), Cell::of(&text)),
            };
            if let Cell::Number(value) = cell {
                if values.is_empty() {
                    let begin = |(i, cell): (usize, &[u8])| Some((i, Times::begin(self.names.get(i)?, cell)?));
                    times = row.cells.iter().enumerate().filter(|(i, _)| *i != column).find_map(begin);
                }
                times = times.and_then(|(i, times)| Some((i, times.read(row.line, row.cells.get(i)?)?)));
                values.push(value);
                continue;
            }
            let (problem, help) = cell.complaint(text);
            let what = format!("{}: line {line}, column {name:?} holds no finite number", self.source);
            return Err(Error::new(Kind::BadInput, what).cause(problem).help(help));
        }
        Ok((values, times.map_or(Vec::new(), |(_, times)| times.warnings())))
    }
}

fn same_name(name: &str, wanted: &str) -> bool {
    name.to_lowercase() == wanted.trim().to_lowercase()
}

/// The number of a column from 1, if `wanted` is one.
fn number_in(wanted: &str, columns: usize) -> Option<usize> {
    wanted.trim().parse().ok().filter(|number| (1..=columns).contains(number))
}

#[cfg(test)]
#[path = "column_tests.rs"]
mod tests;
