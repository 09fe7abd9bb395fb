//! Whether the lines of a series follow each other in time, where a column says when they are: warnings and no refusals. A model
//! counts lines, so a gap or a step back in time is a step like any other to it.

/// The column of times of a file, as far as it was read.
pub(super) struct Times {
    name: String,
    /// Line, seconds, and months where the time is a date.
    read: Vec<Moment>,
}

/// When a line is.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Moment {
    line: usize,
    /// Of a date and time; a plain number as it is.
    seconds: f64,
    /// Months since year 0 and the day, of a date without a time.
    month: Option<(i64, i64)>,
}

/// Names under which a column of plain numbers is one of times.
const NAMES: [&str; 11] =
    ["year", "years", "date", "time", "t", "index", "month", "day", "week", "timestamp", "datetime"];

impl Times {
    /// A column with this name and first cell; none where they are no times.
    pub(super) fn begin(name: &str, cell: &[u8]) -> Option<Times> {
        let is_date = date(std::str::from_utf8(cell).ok()?.trim()).is_some();
        let named = NAMES.contains(&name.trim().to_lowercase().as_str());
        (is_date || named).then(|| Times { name: name.to_owned(), read: Vec::new() })
    }

    /// Reads the cell of a line; `None` where it is no time, and the column none of times.
    pub(super) fn read(mut self, line: usize, cell: &[u8]) -> Option<Times> {
        let text = std::str::from_utf8(cell).ok()?.trim();
        let moment = match date(text) {
            Some((seconds, month)) => Moment { line, seconds, month },
            None => Moment { line, seconds: text.parse().ok().filter(|x: &f64| x.is_finite())?, month: None },
        };
        self.read.push(moment);
        Some(self)
    }

    /// What does not follow: a step back, a repeat, a step that is not the usual one.
    pub(super) fn warnings(&self) -> Vec<String> {
        let times = self.numbers();
        let steps: Vec<(usize, f64)> = times
            .windows(2)
            .zip(&self.read[1.min(self.read.len())..])
            .map(|(pair, at)| (at.line, pair[1] - pair[0]))
            .collect();
        let usual = usual(steps.iter().map(|step| step.1).collect());
        let falls = usual < 0.0;
        let mut warnings = Vec::new();
        let mut warn = |what: &str, odd: &dyn Fn(f64) -> bool| {
            let lines: Vec<usize> = steps.iter().filter(|step| odd(step.1)).map(|step| step.0).collect();
            if let Some(first) = lines.first() {
                let more = if lines.len() > 1 { format!(", and {} more", lines.len() - 1) } else { String::new() };
                warnings.push(format!("warning: column {:?} {what} in line {first}{more}", self.name));
            }
        };
        if falls {
            warn("runs backwards in time: the newest line should be the last; it does so", &|step| step < 0.0);
            return warnings;
        }
        warn("steps back", &|step| step < 0.0);
        warn("repeats", &|step| step == 0.0);
        // A calendar of working days has steps of several lengths; where nine of ten are one, another is a gap.
        let same = |step: f64| (step - usual).abs() <= 1e-6 * usual.abs();
        let alike = steps.iter().filter(|step| same(step.1)).count();
        if usual > 0.0 && alike * 10 >= steps.len() * 9 {
            warn("jumps", &|step| step > 0.0 && !same(step));
        }
        warnings
    }

    /// In months where every line is a date of the same day of its month, else in seconds.
    fn numbers(&self) -> Vec<f64> {
        let months: Option<Vec<(i64, i64)>> = self.read.iter().map(|moment| moment.month).collect();
        match months {
            Some(months) if months.windows(2).all(|pair| pair[0].1 == pair[1].1) => {
                months.iter().map(|month| month.0 as f64).collect()
            }
            _ => self.read.iter().map(|moment| moment.seconds).collect(),
        }
    }
}

/// The middle step.
fn usual(mut steps: Vec<f64>) -> f64 {
    steps.sort_by(f64::total_cmp);
    steps.get(steps.len() / 2).copied().unwrap_or(0.0)
}

/// Seconds of a date as ISO 8601 writes it (`2001-03-05`, `2001-03`, `2001/03/05`, each with a time or without), and its month
/// and day where there is no time.
fn date(text: &str) -> Option<(f64, Option<(i64, i64)>)> {
    let (day, time) = match text.split_once(['T', ' ']) {
        Some((day, time)) => (day, Some(time)),
        None => (text, None),
    };
    let parts: Vec<i64> = day
        .split(['-', '/'])
        .map(|part| part.parse().ok().filter(|_| part.bytes().all(|b| b.is_ascii_digit())))
        .collect::<Option<_>>()?;
    let (year, month, day) = match parts[..] {
        [year, month] => (year, month, 1),
        [year, month, day] => (year, month, day),
        _ => return None,
    };
    if !(1000..=9999).contains(&year) || !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    let seconds = time.map_or(Some(0.0), clock)?;
    let whole = (time.is_none()).then_some((year * 12 + month, day));
    Some((days(year, month, day) as f64 * 86_400.0 + seconds, whole))
}

/// Seconds of `12:30`, `12:30:15.5`, with `Z` or an offset behind it or not.
fn clock(text: &str) -> Option<f64> {
    let text = text.trim().trim_end_matches('Z');
    let (text, offset) = match text.rfind(['+', '-']) {
        Some(at) => (&text[..at], Some((&text[at..at + 1], &text[at + 1..]))),
        None => (text, None),
    };
    let seconds = |text: &str| -> Option<f64> {
        let mut sum = 0.0;
        for (part, unit) in text.split(':').zip([3600.0, 60.0, 1.0]) {
            sum += part.parse::<f64>().ok().filter(|x| (0.0..100.0).contains(x))? * unit;
        }
        Some(sum)
    };
    let shift = offset.map_or(Some(0.0), |(sign, text)| Some(seconds(text)? * if sign == "+" { 1.0 } else { -1.0 }))?;
    Some(seconds(text)? - shift)
}

/// Days since 1 March of year 0 in the Gregorian calendar, whose leap day then ends the year.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    365 * year + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5 + day - 1
}

#[cfg(test)]
mod tests {
    use super::*;

    fn warnings(name: &str, cells: &[&str]) -> Vec<String> {
        let mut times = Times::begin(name, cells[0].as_bytes());
        for (i, cell) in cells.iter().enumerate() {
            times = times.and_then(|times| times.read(i + 2, cell.as_bytes()));
        }
        times.map_or(vec!["no times".into()], |times| times.warnings())
    }

    #[test]
    fn lines_that_follow_each_other_are_not_warned_of() {
        let days: Vec<String> = (1..=28).map(|day| format!("2001-02-{day:02}")).collect();
        let days: Vec<&str> = days.iter().map(String::as_str).chain(["2001-03-01"]).collect();
        assert!(warnings("when", &days).is_empty(), "the calendar is the Gregorian");
        assert!(warnings("when", &["2000-02-28", "2000-02-29", "2000-03-01", "2000-03-02"]).is_empty());
        assert!(warnings("m", &["2001-01-01", "2001-02-01", "2001-03-01", "2001-04-01"]).is_empty(), "months");
        assert!(warnings("year", &["1700", "1701", "1702"]).is_empty());
        assert!(warnings("h", &["2001-01-01 23:00", "2001-01-02T00:00", "2001-01-02 01:00"]).is_empty());
        // Working days: two of ten steps are over a week-end.
        let weeks = ["2024-01-01", "2024-01-02", "2024-01-03", "2024-01-04", "2024-01-05", "2024-01-08", "2024-01-09"];
        assert!(warnings("day", &weeks).is_empty());
    }

    #[test]
    fn steps_back_repeats_and_jumps_are_told_by_name_and_line() {
        let year = |year: i32| year.to_string();
        let years = |odd: &[i32]| -> Vec<String> { (1700..1712).chain(odd.iter().copied()).map(year).collect() };
        let told = |cells: &[String]| warnings("year", &cells.iter().map(String::as_str).collect::<Vec<_>>());
        assert_eq!(told(&years(&[1715])), ["warning: column \"year\" jumps in line 14"]);
        assert_eq!(told(&years(&[1711])), ["warning: column \"year\" repeats in line 14"]);
        assert_eq!(told(&years(&[1700, 1701])), ["warning: column \"year\" steps back in line 14"]);
        let back: Vec<String> = (1700..1712).rev().map(year).collect();
        assert!(told(&back)[0].contains("runs backwards in time"), "{:?}", told(&back));
        assert_eq!(warnings("x", &["5", "3"]), ["no times"], "any other number may do what it likes");
    }
}
