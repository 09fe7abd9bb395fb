//! What a CSV file is as a whole, before its cells are read: refusals of what would be read as something else, and whether its first
//! line names the columns.

use csv::ByteRecord;

use super::cell::{delimiter, names_columns};
use crate::data::sniff::not_text;
use crate::error::{Error, Kind, Result};

/// Refuses files that are no CSV, by the name of what they are, and quotes that are never closed; `wanted` says what to write instead.
///
/// # Errors
/// [`Kind::BadInput`] with the line and what to do.
pub(crate) fn check(bytes: &[u8], source: &str, wanted: &str) -> Result<()> {
    let delimiter = delimiter(bytes);
    let bad = |what: String, help: &str| Err(Error::new(Kind::BadInput, format!("{source}: {what}")).help(help));
    if let Some(kind) = not_text(bytes) {
        return bad(format!("the file is {}", kind.what), kind.help);
    }
    let lines = || bytes.split(|byte| matches!(byte, b'\n' | b'\r')).map(<[u8]>::trim_ascii);
    let filled = || lines().filter(|line| !line.is_empty());
    let Some(first) = filled().next() else { return Ok(()) };
    if matches!(first[0], b'{' | b'[') {
        return bad("the file is JSON, not CSV".into(), wanted);
    }
    if first[0] == b'<' && first.get(1).is_some_and(|byte| byte.is_ascii_alphabetic() || b"!?".contains(byte)) {
        return bad("the file is HTML or XML, not CSV".into(), wanted);
    }
    if first[0] == b'#' {
        let cause = "a comment begins in the first line; comments are not part of CSV, and are not skipped";
        return bad(cause.into(), "remove the lines that begin with #, or the # before the names of the columns");
    }
    let rest: Vec<&[u8]> = filled().skip(1).take(20).collect();
    let several =
        |line: &[u8]| !line.contains(&delimiter) && String::from_utf8_lossy(line).split_whitespace().count() > 1;
    if !rest.is_empty() && several(first) && rest.iter().all(|line| several(line) && numbers(line)) {
        return bad("the columns are separated by blanks".into(), "separate them by commas, semicolons or tabs");
    }
    match unclosed_quote(bytes, delimiter) {
        Some((line, Some(end))) => bad(
            format!("a quote opened in line {line} is closed in line {end}, and swallows the lines between"),
            "close the quote, or remove it",
        ),
        Some((line, None)) => bad(format!("a quote opened in line {line} is never closed"), "close it, or remove it"),
        None => Ok(()),
    }
}

/// Whether a line is numbers with nothing but blanks between them.
fn numbers(line: &[u8]) -> bool {
    String::from_utf8_lossy(line).split_whitespace().all(|cell| cell.parse::<f64>().is_ok())
}

/// The first quoted cell that is not what was meant: never closed (no end), or over lines that look like rows themselves.
fn unclosed_quote(bytes: &[u8], delimiter: u8) -> Option<(usize, Option<usize>)> {
    let width = bytes.split(|byte| *byte == b'\n').find(|line| !line.trim_ascii().is_empty())?;
    let width = width.iter().filter(|byte| **byte == delimiter).count();
    let (mut line, mut begins, mut at) = (1, true, 0);
    while at < bytes.len() {
        if !(begins && bytes[at] == b'"') {
            let byte = bytes[at];
            line += usize::from(byte == b'\n');
            begins = byte == delimiter || byte == b'\n' || byte == b'\r' || begins && matches!(byte, b' ' | b'\t');
            at += 1;
            continue;
        }
        let (start, from) = (line, at + 1);
        at = from;
        loop {
            match bytes.get(at) {
                None => return Some((start, None)),
                Some(b'"') if bytes.get(at + 1) == Some(&b'"') => at += 1,
                Some(b'"') => break,
                Some(b'\n') => line += 1,
                Some(_) => {}
            }
            at += 1;
        }
        // Whole lines inside the quotes, with as many separators as a row has.
        let mut inside = bytes[from..at].split(|byte| *byte == b'\n').skip(1);
        let rows = inside
            .any(|row| !row.trim_ascii().is_empty() && row.iter().filter(|byte| **byte == delimiter).count() == width);
        if rows && (width > 0 || line > start) {
            return Some((start, Some(line)));
        }
        (begins, at) = (false, at + 1);
    }
    None
}

/// What the first line of a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum First {
    /// It names the columns.
    Names,
    /// It holds values.
    Values,
    /// It may be either.
    Unclear,
}

/// Tells the names of columns from values, by the line after.
///
/// Text is a name. A line of numbers is values, unless it is what programs write above columns that have no name: `0`, `0,1,2`,
/// `,0`, or a row of years.
pub(crate) fn first_line(first: &ByteRecord, second: Option<&ByteRecord>) -> First {
    if names_columns(first, second) {
        return First::Names;
    }
    let filled: Vec<&[u8]> = first.iter().skip_while(|cell| cell.is_empty()).collect();
    let (Some(numbers), unnamed) = (counting(&filled), first.len() - filled.len()) else {
        // `country,2001,2002`: years beside a word that is above a word.
        let word = |cell: &&[u8]| std::str::from_utf8(cell).is_ok_and(|text| text.parse::<f64>().is_err());
        let after = filled.iter().skip_while(|cell| word(cell)).copied().collect::<Vec<_>>();
        let below: Vec<&[u8]> =
            second.map_or(Vec::new(), |second| second.iter().skip(first.len() - after.len()).collect());
        let years = after.len() > 1 && counting(&after).is_some() && counting(&below).is_none();
        return if years { First::Unclear } else { First::Values };
    };
    let below = |i: usize| second.and_then(|second| second.get(i)).filter(|cell| !cell.is_empty());
    match (unnamed, numbers) {
        // `,0`: the index that pandas writes has no name.
        (1, 0) if below(0).is_some() => First::Names,
        (1.., _) => First::Unclear,
        (0, 0) => {
            // An index that goes on by one is the first of the values.
            let goes_on = first.len() > 1 && below(0).is_some_and(|cell| cell == b"1");
            if goes_on { First::Values } else { First::Unclear }
        }
        (0, _) if first.len() > 2 => {
            let second: Vec<&[u8]> = second.map_or(Vec::new(), |second| second.iter().collect());
            if counting(&second).is_some() { First::Values } else { First::Unclear }
        }
        (0, _) => First::Values,
    }
}

/// The first of whole numbers that count up by one.
fn counting(cells: &[&[u8]]) -> Option<u64> {
    let whole = |cell: &&[u8]| std::str::from_utf8(cell).ok()?.parse::<u64>().ok();
    let numbers: Vec<u64> = cells.iter().map(whole).collect::<Option<_>>()?;
    let counts = numbers.windows(2).all(|pair| Some(pair[1]) == pair[0].checked_add(1));
    numbers.first().copied().filter(|_| counts)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn first(text: &str) -> First {
        let record = |line: &str| ByteRecord::from(line.split(',').collect::<Vec<_>>());
        let (first, second) = text.split_once('\n').unwrap();
        first_line(&record(first), Some(&record(second)))
    }

    #[test]
    fn what_pandas_writes_above_columns_without_names_is_no_value_in_silence() {
        assert_eq!(first(",0\n0,1.5"), First::Names, "Series.to_csv()");
        assert_eq!(first(",0,1\n2001-01-01,1.5,2"), First::Names, "DataFrame.to_csv()");
        assert_eq!(first("0\n1.5"), First::Unclear, "Series.to_csv(index=False)");
        assert_eq!(first("0,1\n1.5,2"), First::Unclear, "DataFrame.to_csv(index=False)");
        assert_eq!(first("2001,2002,2003\n5,9,1"), First::Unclear, "years as names");
        assert_eq!(first("country,2001,2002\nAustria,5,9"), First::Unclear, "years as names beside a word");
    }

    #[test]
    fn numbers_that_are_values_are_taken_as_values() {
        for values in ["1\n2", "1.5\n2", "0.0\n1", "0,1.5\n1,2.5", "0,1\n1,7", "1,2\n3,4", "5,6,7\n8,9,10", "2,1\n5,6"]
        {
            assert_eq!(first(values), First::Values, "{values:?}");
        }
        assert_eq!(first("x\n1"), First::Names);
    }
}
