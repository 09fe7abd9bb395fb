//! What the name of a recording says of it: labels by a pattern, `{digit}_{speaker}_{index}.wav`, and parts of the data by conditions on
//! labels, `index<5`.
//!
//! A label is one or more characters other than `/`, as few as make the whole name fit. A pattern without `/` is one of the name of the file alone, one
//! with `/` of its path from the folder of the data.

use crate::error::{Error, Kind, Result};
use std::collections::{BTreeMap, BTreeSet};

/// The labels of a recording, by their names.
pub type Named = BTreeMap<String, String>;

/// A pattern of names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern {
    text: String,
    pieces: Vec<Piece>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Text(String),
    Label(String),
}

/// No name that is longer is compared with a pattern: what it takes grows with the square of the length.
const LONGEST_NAME: usize = 1024;

impl Pattern {
    /// Understands a pattern.
    ///
    /// # Errors
    /// [`Kind::Usage`] saying what of it is none.
    pub fn parse(text: &str) -> Result<Self> {
        let wrong = |cause: String| {
            Err(Error::new(Kind::Usage, format!("`data.pattern` cannot be {text:?}"))
                .cause(cause)
                .help("write the name of a label in braces, as {digit}_{speaker}_{index}.wav"))
        };
        let mut pieces: Vec<Piece> = Vec::new();
        let mut rest = text;
        while !rest.is_empty() {
            let end = rest.find(['{', '}']).unwrap_or(rest.len());
            if end > 0 {
                pieces.push(Piece::Text(rest[..end].to_owned()));
                rest = &rest[end..];
                continue;
            }
            let Some((label, after)) = rest.strip_prefix('{').and_then(|rest| rest.split_once('}')) else {
                return wrong("a brace has no other".to_owned());
            };
            let letter = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
            if label.is_empty() || !label.chars().all(letter) {
                return wrong(format!("{{{label}}}: the name of a label is lower-case letters, digits and _"));
            }
            if pieces.contains(&Piece::Label(label.to_owned())) {
                return wrong(format!("{{{label}}} stands twice"));
            }
            if let Some(Piece::Label(before)) = pieces.last() {
                return wrong(format!("nothing parts {{{before}}} from {{{label}}}"));
            }
            pieces.push(Piece::Label(label.to_owned()));
            rest = after;
        }
        match pieces.iter().any(|piece| matches!(piece, Piece::Label(_))) {
            true => Ok(Pattern { text: text.to_owned(), pieces }),
            false => wrong("it names no label".to_owned()),
        }
    }

    /// The names of its labels, in their order.
    pub fn labels(&self) -> impl Iterator<Item = &str> {
        self.pieces.iter().filter_map(|piece| match piece {
            Piece::Label(label) => Some(label.as_str()),
            Piece::Text(_) => None,
        })
    }

    /// What the name of a file says.
    ///
    /// # Errors
    /// [`Kind::BadInput`] naming the file, if its name is none of the pattern.
    pub fn read(&self, name: &str) -> Result<Named> {
        let own = match self.text.contains('/') {
            true => name,
            false => name.rsplit('/').next().unwrap_or(name),
        };
        let mut found = Vec::new();
        if own.len() <= LONGEST_NAME && matches(&self.pieces, own, &mut found, &mut BTreeSet::new()) {
            return Ok(self.labels().map(str::to_owned).zip(found.into_iter().map(str::to_owned)).collect());
        }
        Err(Error::new(Kind::BadInput, format!("{name} has no name of the pattern {:?}", self.text))
            .cause("every recording has the labels that `data.pattern` names")
            .help("change the pattern, or choose files that have it: `data.files`"))
    }
}

/// Whether the pieces make up the name; the labels, if so. `failed`: how many pieces were left, and how many bytes, where they did not.
fn matches<'n>(
    pieces: &[Piece],
    name: &'n str,
    found: &mut Vec<&'n str>,
    failed: &mut BTreeSet<(usize, usize)>,
) -> bool {
    match pieces {
        [] => name.is_empty(),
        [Piece::Text(text), rest @ ..] => {
            name.strip_prefix(text.as_str()).is_some_and(|name| matches(rest, name, found, failed))
        }
        [Piece::Label(_), rest @ ..] => {
            let left = (pieces.len(), name.len());
            if failed.contains(&left) {
                return false;
            }
            let ends = name.char_indices().map(|(at, c)| at + c.len_utf8());
            for end in ends.take_while(|&end| !name[..end].ends_with('/')) {
                found.push(&name[..end]);
                if matches(rest, &name[end..], found, failed) {
                    return true;
                }
                found.pop();
            }
            failed.insert(left);
            false
        }
    }
}

/// Which recordings: those for which all conditions hold, `index<5, speaker=theo`.
#[derive(Clone, Debug, PartialEq)]
pub struct Where {
    key: &'static str,
    conditions: Vec<(String, Comparison, String)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Comparison {
    AtMost,
    AtLeast,
    Not,
    Less,
    More,
    Is,
}

/// As they are written; those of two characters first.
const COMPARISONS: [(&str, Comparison); 6] = [
    ("<=", Comparison::AtMost),
    (">=", Comparison::AtLeast),
    ("!=", Comparison::Not),
    ("<", Comparison::Less),
    (">", Comparison::More),
    ("=", Comparison::Is),
];

impl Where {
    /// Understands conditions on these labels; `key` is the setting that they are of.
    ///
    /// # Errors
    /// [`Kind::Usage`] saying what of them is none.
    pub fn parse(key: &'static str, text: &str, labels: &[&str]) -> Result<Self> {
        let wrong = |cause: String| {
            Error::new(Kind::Usage, format!("`data.{key}` cannot be {text:?}"))
                .cause(cause)
                .help("write a label of `data.pattern`, one of = != < <= > >=, and a value: index<5; several with commas between")
        };
        let one = |condition: &str| {
            let found = COMPARISONS.iter().filter_map(|(sign, how)| Some((condition.find(sign)?, *sign, *how)));
            // The first that stands there; of two at one place the longer.
            let first = found.min_by_key(|(at, sign, _)| (*at, usize::MAX - sign.len()));
            let (at, sign, how) = first.ok_or_else(|| wrong(format!("{condition:?} compares nothing")))?;
            let (label, value) = (condition[..at].trim(), condition[at + sign.len()..].trim());
            if !labels.contains(&label) {
                let known = if labels.is_empty() { "none".to_owned() } else { labels.join(", ") };
                return Err(wrong(format!("there is no label {label:?}; the pattern names {known}")));
            }
            if value.starts_with('=') {
                return Err(wrong(format!("{condition:?}: equal is written with one =")));
            }
            if !matches!(how, Comparison::Is | Comparison::Not) && number(value).is_none() {
                return Err(wrong(format!("{value:?} is no number")));
            }
            Ok((label.to_owned(), how, value.to_owned()))
        };
        Ok(Where { key, conditions: text.split(',').map(one).collect::<Result<_>>()? })
    }

    /// Whether they hold for a recording of these labels.
    ///
    /// # Errors
    /// [`Kind::BadInput`] if a label that is compared by size is no number.
    pub fn holds(&self, labels: &Named) -> Result<bool> {
        for (label, how, value) in &self.conditions {
            let found = labels.get(label).map_or("", String::as_str);
            let equal = found == value || number(found).is_some_and(|x| number(value) == Some(x));
            let holds = match (how, number(found).zip(number(value))) {
                (Comparison::Is, _) => equal,
                (Comparison::Not, _) => !equal,
                (Comparison::Less, Some((x, y))) => x < y,
                (Comparison::AtMost, Some((x, y))) => x <= y,
                (Comparison::More, Some((x, y))) => x > y,
                (Comparison::AtLeast, Some((x, y))) => x >= y,
                (_, None) => {
                    let what = format!("`data.{}` compares `{label}` by size, and a recording has {found:?}", self.key);
                    return Err(Error::new(Kind::BadInput, what).help("compare it by = or !="));
                }
            };
            if !holds {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

/// A finite number.
fn number(text: &str) -> Option<f64> {
    text.parse().ok().filter(|x: &f64| x.is_finite())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(pattern: &str, name: &str) -> Option<Vec<String>> {
        let pattern = Pattern::parse(pattern).unwrap();
        let found = pattern.read(name).ok()?;
        Some(pattern.labels().map(|label| found[label].clone()).collect())
    }

    #[test]
    fn a_name_gives_the_labels_of_its_pattern() {
        let some = |labels: &[&str]| Some(labels.iter().map(|&label| label.to_owned()).collect::<Vec<_>>());
        let digits = "{digit}_{speaker}_{index}.wav";
        assert_eq!(named(digits, "7_theo_12.wav"), some(&["7", "theo", "12"]));
        assert_eq!(named(digits, "a/b/7_theo_12.wav"), some(&["7", "theo", "12"]));
        // As few characters as make the whole fit.
        assert_eq!(named(digits, "7_van_gogh_12.wav"), some(&["7", "van", "gogh_12"]));
        assert_eq!(named("{speaker}/{index}.wav", "ä.b/1.wav"), some(&["ä.b", "1"]));
        assert_eq!(named("{speaker}-{index}.wav", "a-b/1.wav"), None);
        for other in ["7_theo.wav", "7_theo_12.flac", "__.wav", "7__12.wav", ""] {
            assert_eq!(named(digits, other), None, "{other}");
        }
    }

    #[test]
    fn what_is_no_pattern_is_refused_with_its_reason() {
        for (text, says) in [
            ("", "no label"),
            ("a.wav", "no label"),
            ("{a", "brace"),
            ("a}", "brace"),
            ("{}", "lower-case"),
            ("{A}", "lower-case"),
            ("{a}{b}", "nothing parts"),
            ("{a}_{a}", "twice"),
        ] {
            let error = Pattern::parse(text).unwrap_err();
            assert!(error.kind == Kind::Usage && error.cause.contains(says), "{text}: {error}");
        }
    }

    #[test]
    fn a_name_that_goes_back_and_forth_is_compared_in_no_time() {
        let begun = std::time::Instant::now();
        assert_eq!(named("{a}_{b}_{c}_{d}.wav", &"_".repeat(LONGEST_NAME)), None);
        assert!(begun.elapsed().as_secs() < 5);
    }

    #[test]
    fn conditions_compare_numbers_by_size_and_words_by_letters() {
        let labels = Named::from([("index".to_owned(), "05".to_owned()), ("speaker".to_owned(), "theo".to_owned())]);
        let holds = |text: &str| Where::parse("test_where", text, &["index", "speaker"]).unwrap().holds(&labels);
        for text in ["index<6", "index<=5", "index = 5", "index>4", "index>=5", "index!=4", "speaker=theo,index<9"] {
            assert!(holds(text).unwrap(), "{text}");
        }
        for text in ["index<5", "index!=5", "speaker!=theo", "speaker=theo,index>9", "speaker=Theo"] {
            assert!(!holds(text).unwrap(), "{text}");
        }
        assert!(holds("speaker<5").unwrap_err().what.contains("by size"));
        for (text, says) in [
            ("index", "compares nothing"),
            ("pitch=3", "no label"),
            ("index==3", "one ="),
            ("index<x", "no number"),
            ("", "compares nothing"),
        ] {
            let error = Where::parse("test_where", text, &["index", "speaker"]).unwrap_err();
            assert!(error.kind == Kind::Usage && error.cause.contains(says), "{text}: {error}");
        }
    }
}
