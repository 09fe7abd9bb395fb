//! Numbers as people read them, on pages and on the terminal alike: counts, times, sizes.

/// A count with its thousands set apart: `1,234,567`.
pub fn grouped(count: u64) -> String {
    let digits = count.to_string();
    let mut out = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// A count and what it counts: `1 value`, `2 values`.
pub fn counted(count: u64, what: &str) -> String {
    format!("{} {what}{}", grouped(count), if count == 1 { "" } else { "s" })
}

/// A time in seconds as a person says it: `48 s`, `9 min 30 s`, `2 h 05 min`.
pub fn duration(seconds: f64) -> String {
    match seconds.max(0.0).round() as u64 {
        s if s < 60 => format!("{s} s"),
        s if s < 3600 => format!("{} min {:02} s", s / 60, s % 60),
        s => format!("{} h {:02} min", s / 3600, s / 60 % 60),
    }
}

/// A number to so many significant digits: `0.00123`, `1234.5`, and `1.23e-9` where plain decimals would be mostly zeros.
pub fn digits(x: f64, most: usize) -> String {
    let scientific = format!("{x:.*e}", most.saturating_sub(1));
    let exponent = scientific.split_once('e').and_then(|(_, exponent)| exponent.parse::<i32>().ok());
    match exponent {
        Some(exponent @ -4..=15) => {
            let decimals = usize::try_from(most as i32 - 1 - exponent).unwrap_or(0);
            decimals_of(x, decimals)
        }
        Some(_) => scientific,
        None => {
            if x.is_nan() {
                "–".to_owned()
            } else {
                x.to_string()
            }
        }
    }
}

/// A number with all the digits that it was given with and no others: `0.1`, and `1e308` where plain decimals would be mostly zeros.
pub fn given(x: f64) -> String {
    let plain = x == 0.0 || !x.is_finite() || (1e-5..1e16).contains(&x.abs());
    if plain { x.to_string() } else { format!("{x:e}") }
}

/// A number with so many decimals; what rounds to zero has no sign, and what is no number is a dash.
pub fn decimals(x: f64, count: usize) -> String {
    if x.is_nan() { "–".to_owned() } else { decimals_of(x, count) }
}

fn decimals_of(x: f64, count: usize) -> String {
    let text = format!("{x:.count$}");
    let zero = text.bytes().all(|byte| matches!(byte, b'-' | b'0' | b'.'));
    if zero { text.trim_start_matches('-').to_owned() } else { text }
}

/// A number of bytes in the largest unit that leaves it at least one: `1.5 GiB`.
pub fn bytes(count: u64) -> String {
    let (mut size, mut unit) = (count as f64, "B");
    for larger in ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"] {
        if size < 1024.0 {
            break;
        }
        (size, unit) = (size / 1024.0, larger);
    }
    if unit == "B" { format!("{count} B") } else { format!("{size:.1} {unit}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_times_and_sizes_read_well() {
        assert_eq!([0, 999, 1000, 1_234_567].map(grouped), ["0", "999", "1,000", "1,234,567"]);
        assert_eq!([0, 1, 2000].map(|count| counted(count, "value")), ["0 values", "1 value", "2,000 values"]);
        assert_eq!([48.2, 59.4, 59.6, 570.0].map(duration), ["48 s", "59 s", "1 min 00 s", "9 min 30 s"]);
        assert_eq!([7500.0, 100_000.0, -1.0, f64::NAN].map(duration), ["2 h 05 min", "27 h 46 min", "0 s", "0 s"]);
        assert_eq!([-0.00001, -0.5, f64::NAN].map(|x| decimals(x, 3)), ["0.000", "-0.500", "–"]);
        let numbers = [0.0, 1.0, 1234.5678, -0.001_234_56, 1.234_56e-9, 1e300, f64::NAN, f64::INFINITY];
        let shown = ["0.000", "1.000", "1235", "-0.001235", "1.235e-9", "1.000e300", "–", "inf"];
        assert_eq!(numbers.map(|x| digits(x, 4)), shown);
        let numbers = [0.0, 0.1, -12.5, 1e15, 1e16, 1e308, -2.5e-7, f64::INFINITY];
        let shown = ["0", "0.1", "-12.5", "1000000000000000", "1e16", "1e308", "-2.5e-7", "inf"];
        assert_eq!(numbers.map(given), shown);
        assert_eq!([0, 1023, 1024, 3 << 29].map(bytes), ["0 B", "1023 B", "1.0 KiB", "1.5 GiB"]);
    }
}
