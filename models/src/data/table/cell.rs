//! What one cell of a CSV file holds, and what the cells of its first lines say about separator and header.
//!
//! It judges text; files stand in `layout.rs`, columns are a family's.

use csv::ByteRecord;

/// The content of a cell.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Cell {
    /// A finite number.
    Number(f64),
    /// Nothing, or one of the marks that programs write for nothing.
    Missing,
    /// NaN, or a number beyond the range of 64 bits.
    NotFinite,
    /// Digits with a comma where the point should be.
    DecimalComma,
    /// Digits in groups of three.
    Thousands,
    /// Anything else.
    Text,
}

impl Cell {
    pub(crate) fn of(text: &str) -> Cell {
        let text = text.trim();
        match text.parse::<f64>() {
            Ok(value) if value.is_finite() => return Cell::Number(value),
            Ok(_) => return Cell::NotFinite,
            Err(_) => {}
        }
        if matches!(text, "" | "-" | "." | "?" | "NA" | "N/A" | "#N/A" | "n/a" | "na" | "null" | "NULL" | "None") {
            return Cell::Missing;
        }
        let separates = |c| matches!(c, ',' | '.' | '\'' | ' ' | '\u{a0}' | '\u{202f}');
        let numeric = |text: &str| text.parse::<f64>().is_ok_and(f64::is_finite);
        if text.matches(',').count() == 1 && !text.contains('.') && numeric(&text.replace(',', ".")) {
            Cell::DecimalComma
        } else if numeric(&text.replace(separates, "")) {
            Cell::Thousands
        } else {
            Cell::Text
        }
    }

    /// What is wrong with a cell that is no finite number, and what to do.
    pub(crate) fn complaint(self, text: &str) -> (String, &'static str) {
        match self {
            Cell::Number(_) => unreachable!("a finite number is no complaint"),
            Cell::Missing if text.is_empty() => {
                ("the cell is empty".into(), "fill the gap or remove the line; gaps are not filled by guessing")
            }
            Cell::Missing => {
                (format!("{text:?} marks a gap"), "fill the gap or remove the line; gaps are not filled by guessing")
            }
            Cell::NotFinite => (format!("{text:?} is not finite"), "replace or remove the value"),
            Cell::DecimalComma => {
                // `1,000` may be one, or a thousand.
                let digits = text.rsplit(',').next().is_some_and(|digits| digits.len() == 3);
                let or = if digits { ", or one between thousands" } else { "" };
                (
                    format!("{text:?} has a decimal comma{or}"),
                    "write decimal points, and nothing between thousands, in every line of the file",
                )
            }
            Cell::Thousands => {
                (format!("{text:?} has separators between its digits"), "write numbers without thousands separators")
            }
            Cell::Text if text.trim_start().starts_with('#') => (
                format!("{text:?} is a comment; comments are not part of CSV, and are not skipped"),
                "remove the lines that begin with #",
            ),
            Cell::Text => (
                format!("{text:?} is not a number"),
                "choose a column of numbers; if this line names the columns, say --header present (`data.header`)",
            ),
        }
    }
}

/// The separator of a file: the first of tab, `;` and `,` that every one of its first lines has, equally often.
///
/// Failing that the one that is most frequent. A comma comes last, as it also stands inside numbers.
pub(crate) fn delimiter(bytes: &[u8]) -> u8 {
    const CANDIDATES: [u8; 3] = [b'\t', b';', b','];
    let lines: Vec<[usize; 3]> = bytes
        .split(|byte| *byte == b'\n')
        .filter(|line| !line.trim_ascii().is_empty())
        .take(20)
        .map(|line| {
            let mut quoted = false;
            let mut counts = [0; 3];
            for byte in line {
                quoted ^= *byte == b'"';
                if let Some(i) = CANDIDATES.iter().position(|candidate| candidate == byte && !quoted) {
                    counts[i] += 1;
                }
            }
            counts
        })
        .collect();
    let steady = |i: usize| lines.first().is_some_and(|first| first[i] > 0 && lines.iter().all(|l| l[i] == first[i]));
    let total = |i: usize| lines.iter().map(|line| line[i]).sum::<usize>();
    let best = (0..3).find(|i| steady(*i)).or_else(|| (0..3).rev().max_by_key(|i| total(*i)).filter(|i| total(*i) > 0));
    CANDIDATES[best.unwrap_or(2)]
}

/// Whether a first line names the columns: all its cells are text, or one is text above a number.
pub(crate) fn names_columns(first: &ByteRecord, second: Option<&ByteRecord>) -> bool {
    let cell = |bytes: &[u8]| Cell::of(&String::from_utf8_lossy(bytes));
    let is_text = |bytes: &[u8]| cell(bytes) == Cell::Text;
    let above_number =
        |second: &ByteRecord| first.iter().zip(second).any(|(a, b)| is_text(a) && matches!(cell(b), Cell::Number(_)));
    first.iter().all(is_text) || second.is_some_and(above_number)
}

/// Whether a row with more cells than `width` looks like numbers that were split at their decimal commas.
pub(crate) fn decimal_comma_split(row: &ByteRecord, width: usize) -> bool {
    let whole = |cell: &[u8]| cell.iter().all(|byte| byte.is_ascii_digit() || *byte == b'-');
    row.len() > width && row.iter().all(whole)
}
