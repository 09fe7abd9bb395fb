//! Tests of `column.rs`: what spreadsheets write is read, and everything else is refused with its place.

use super::*;

fn parse(text: &str, wanted: Option<&str>) -> Result<Column> {
    Column::parse(text.as_bytes(), "data.csv", wanted, Header::Detect)
}

fn values(text: &str, wanted: Option<&str>) -> Vec<f64> {
    parse(text, wanted).unwrap_or_else(|error| panic!("{error}")).values
}

fn complaint(text: &str, wanted: Option<&str>) -> String {
    let error = parse(text, wanted).expect_err("this file is broken");
    assert_eq!(error.kind, Kind::BadInput);
    assert!(!error.help.is_empty(), "an error says what to do: {error}");
    error.to_string()
}

#[track_caller]
fn assert_says(text: &str, wanted: Option<&str>, parts: &[&str]) {
    let said = complaint(text, wanted);
    for part in parts {
        assert!(said.contains(part), "{part:?} is missing in:\n{said}");
    }
}

#[test]
fn a_column_is_found_by_name_whatever_its_case_and_by_number() {
    let text = "\"YEAR\",\"SUNACTIVITY\"\n1700,5\n1701,11\n";
    for wanted in ["SUNACTIVITY", "sunactivity", "2"] {
        let column = parse(text, Some(wanted)).unwrap();
        assert_eq!((column.name.as_str(), column.values), ("SUNACTIVITY", vec![5.0, 11.0]));
    }
    assert_eq!(values("2,1\n5,6\n7,8\n", Some("2")), [1.0, 6.0, 8.0]);
    let named = |text: &str, wanted: &str| Column::parse(text.as_bytes(), "data.csv", Some(wanted), Header::Present);
    assert_eq!(named("2,1\n5,6\n7,8\n", "#2").unwrap().values, [6.0, 8.0], "a number for certain");
    assert_eq!(named("1,2\n5,6\n7,8\n", "2").unwrap().values, [6.0, 8.0], "name and number mean the same");
    assert_eq!(named("x,X\n5,6\n", "X").unwrap().values, [6.0], "the name as it is written");
}

#[test]
fn a_column_that_could_be_two_is_refused_with_the_way_to_say_which() {
    assert_says("a,3,c\n1,2,3\n", Some("3"), &["which column is \"3\"", "the name of column 2 and the number", "#2"]);
    assert_says("x,x\n1,2\n", Some("x"), &["columns 1 and 2 have this name", "--column '#1'"]);
    assert_says("Abc,ABC\n1,2\n", Some("abc"), &["columns 1 and 2 have this name"]);
}

#[test]
fn a_first_line_that_could_be_either_is_refused_with_the_setting_that_decides() {
    for unclear in ["0\n1.5\n2.5\n", "0,1\n1.5,2\n2.5,3\n", "2001,2002,2003\n5,9,1\n"] {
        assert_says(unclear, Some("1"), &["may be values or the names", "--header present", "data.header"]);
        let read = |header| Column::parse(unclear.as_bytes(), "data.csv", Some("#1"), header).unwrap().values.len();
        assert_eq!(read(Header::Absent), read(Header::Present) + 1);
    }
    // What pandas writes by default: an index without a name, and the column `0`.
    let series: String = (0..100).map(|t| format!("{t},{t}.5\n")).collect();
    let column = parse(&format!(",0\n{series}"), Some("2")).unwrap();
    assert_eq!((column.name.as_str(), column.values.len(), column.values[0]), ("0", 100, 0.5));
}

#[test]
fn what_was_taken_is_told_and_times_that_do_not_follow() {
    let notes = |text: &str| parse(text, Some("x")).unwrap().notes;
    let taken = "data.csv: column 2 of 2, \"x\", named in line 1: 2 values, the first 5, the last 6.5";
    assert_eq!(notes("t,x\n1,5\n2,6.5\n"), [taken]);
    let jump = notes("date,x\n2001-01-01,1\n2001-01-02,2\n2001-01-02,3\n2001-01-01,4\n");
    assert!(jump.iter().any(|note| note.contains("\"date\" steps back in line 5")), "{jump:?}");
    assert!(jump.iter().any(|note| note.contains("\"date\" repeats in line 4")), "{jump:?}");
    assert!(parse("1\n2\n", None).unwrap().notes[0].contains("the first line holds values"));
}

#[test]
fn files_that_are_no_csv_are_refused_by_the_name_of_what_they_are() {
    for (text, says) in [
        ("[1, 2, 3]", "the file is JSON"),
        ("{\"x\": [1]}", "the file is JSON"),
        ("<!DOCTYPE html>", "HTML"),
        ("# made by hand\nx\n1\n", "comment"),
        ("1 2 3\n4 5 6\n", "separated by blanks"),
        ("t x\n1  5.5\n2  6\n", "separated by blanks"),
        ("n,x\n\"a,1\nb,2\nc,3\n", "a quote opened in line 2 is never closed"),
        ("n,x\n\"a,1\nb,2\nc\",3\n", "opened in line 2 is closed in line 4"),
    ] {
        assert_says(text, Some("x"), &[says]);
    }
    let gzip = Column::parse(b"\x1f\x8b\x08\0", "data.csv", None, Header::Detect).unwrap_err();
    assert!(gzip.what.contains("gzip-compressed"), "{gzip}");
    assert_says("n,x\na,1\n\nb,2\n", Some("x"), &["line 3, column \"x\" holds", "the cell is empty"]);
}

#[test]
fn separators_line_ends_marks_and_blanks_are_understood() {
    for text in [
        "a,b\n1,2\n3,4\n",
        "a;b\r\n1;2\r\n3;4",
        "a\tb\n1\t2\n3\t4\n\n",
        "\u{feff}a, b\n1 , 2\n3,4\r\n\r\n",
        "\n\na,b\n1,2\n3,4",
    ] {
        assert_eq!(values(text, Some("b")), [2.0, 4.0], "{text:?}");
    }
    assert_eq!(values("date;x\n2001-01-01;-1e-3\n2001-02-01;+.5\n", Some("x")), [-1e-3, 0.5]);
    assert_eq!(values("name,x\n\"a, b\",1\n\"c\nd\",2\n", Some("x")), [1.0, 2.0]);
}

#[test]
fn a_header_is_told_from_values() {
    assert_eq!(values("1\n2\n", None), [1.0, 2.0]);
    assert_eq!(values("x\n1\n2\n", None), [1.0, 2.0]);
    assert_eq!(values("2001-01-01,5\n2001-02-01,6\n", Some("2")), [5.0, 6.0]);
    assert_eq!(values("country,2001,2002\nAustria,5,6\n", Some("2002")), [6.0]);
    let forced = Column::parse(b"1\n2\n3\n", "data.csv", None, Header::Present).unwrap();
    assert_eq!((forced.name.as_str(), forced.values), ("1", vec![2.0, 3.0]));
    assert!(Column::parse(b"x\n1\n", "data.csv", None, Header::Absent).is_err());
}

#[test]
fn a_missing_column_lists_the_others_and_guesses() {
    let text = "YEAR,SUNACTIVITY\n1700,5\n";
    assert_says(
        text,
        Some("SUNACTIVTY"),
        &["no column \"SUNACTIVTY\"", "YEAR, SUNACTIVITY", "did you mean \"SUNACTIVITY\"?"],
    );
    assert_says(text, Some("3"), &["no column \"3\"", "from 1 to 2"]);
    assert_says(text, None, &["which column?", "YEAR, SUNACTIVITY"]);
    assert_says("1,2\n3,4\n", Some("x"), &["2 columns and no header"]);
}

#[test]
fn a_cell_that_is_no_finite_number_is_named_with_line_and_column() {
    assert_says("t,x\n1,2\n2,abc\n", Some("x"), &["line 3, column \"x\" holds", "\"abc\" is not a number"]);
    assert_says("t,x\n1,2\n2,\n3,4\n", Some("x"), &["line 3, column \"x\" holds", "the cell is empty", "gap"]);
    assert_says("t,x\n1,2\n2,NA\n", Some("x"), &["line 3", "\"NA\" marks a gap"]);
    assert_says("x\n1\n\n2\n", None, &["line 3, column \"x\" holds", "the cell is empty"]);
    assert_says("x\r1\r2\r\rz\r", None, &["line 4, column \"x\" holds", "the cell is empty"]);
    assert_says("x\r\n1\r\n\r\n\r\n2\r\n", None, &["line 4, column \"x\" holds", "the cell is empty"]);
    for value in ["NaN", "inf", "-Infinity", "1e999"] {
        assert_says(&format!("x\n1\n{value}\n"), None, &["line 3", value, "is not finite"]);
    }
    assert_says("n,x\n\"a\nb\",1\n\"c\",z\n", Some("x"), &["line 4", "\"z\" is not a number"]);
}

#[test]
fn decimal_commas_and_thousands_are_said_by_name() {
    assert_says("t;x\n1;2,5\n2;3,5\n", Some("x"), &["line 2", "\"2,5\" has a decimal comma", "decimal points"]);
    assert_says("x\n2,5\n3,5\n", None, &["line 2 has 2 cells", "decimal commas"]);
    assert_says("t,x\n1,2,5\n", Some("x"), &["line 2 has 3 cells", "decimal commas"]);
    assert_says("x\n\"1,234.5\"\n", None, &["\"1,234.5\" has separators between its digits"]);
}

#[test]
fn rows_of_different_length_are_refused_with_their_line() {
    assert_says("a,b\n1,2\n3\n4,5\n", Some("a"), &["line 3 has 1 cell", "line 1 has 2"]);
    assert_says("a,b\n1,2\n3,4,5\n", Some("a"), &["line 3 has 3 cells"]);
}

#[test]
fn empty_files_and_other_encodings_are_refused() {
    assert_says("", None, &["the file is empty"]);
    assert_says("\n\r\n", None, &["the file is empty"]);
    assert_says("x\n", None, &["no values below the header"]);
    let utf16 = Column::parse(b"\xff\xfex\0\n\0", "data.csv", None, Header::Detect).unwrap_err();
    assert!(utf16.to_string().contains("UTF-16"));
    let latin = Column::parse(b"stra\xdfe,x\n1,2\n", "data.csv", Some("x"), Header::Detect).unwrap();
    assert_eq!(latin.values, [2.0], "only the column asked for has to make sense");
}

#[test]
fn a_file_that_is_not_there_is_an_error_with_its_path() {
    let error = Column::read(Path::new("no/such/file.csv"), None, Header::Detect).unwrap_err();
    assert!(error.kind == Kind::BadInput && error.what.contains("no/such/file.csv") && !error.cause.is_empty());
}
