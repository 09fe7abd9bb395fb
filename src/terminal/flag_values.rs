//! What clap says of a value that a flag does not take, as every other error is told: the flag, what was given, what may be.
//!
//! clap passes on what Rust says ("invalid digit found in string", "0 is not in 1..=1024"), which is no answer to a person. What it says
//! of flags that there are not, and of words of which some are known, is its own and good.

use clap::error::{ContextKind, ErrorKind};
use models::error::{Error, Kind};
use std::error::Error as _;

/// The error of a value that no flag takes; none for what else clap has to say.
pub fn refusal(told: &clap::Error) -> Option<Error> {
    if told.kind() != ErrorKind::ValueValidation {
        return None;
    }
    let named = |context| told.get(context).map(ToString::to_string);
    let flag = named(ContextKind::InvalidArg)?;
    // `--steps <N>`: what stands behind it names the value.
    let flag = flag.split(' ').next().unwrap_or_default().to_owned();
    let value = named(ContextKind::InvalidValue)?;
    let cause = match told.source() {
        Some(why) if why.is::<humantime::DurationError>() => "a time is wanted: `90s`, `10m`, `1h 30m`".to_owned(),
        Some(why) => in_words(&why.to_string(), &value),
        None => String::new(),
    };
    Some(Error::new(Kind::Usage, format!("{flag} cannot be `{value}`")).cause(cause))
}

/// What Rust says of a text that is no number.
fn in_words(why: &str, value: &str) -> String {
    if let Some((least, most)) = why.split_once(" is not in ").and_then(|(_, range)| range.split_once("..")) {
        // Of a bound that is the type's own nobody has thought.
        let most = most.trim_start_matches('=');
        let open = most.parse::<i128>().is_ok_and(|most| most >= i128::from(u32::MAX) && most & (most + 1) == 0);
        return match most.is_empty() || open {
            true => format!("a whole number from {least} is wanted"),
            false => format!("a whole number from {least} to {most} is wanted"),
        };
    }
    match why {
        // Where a negative one would be read, none is asked for.
        "invalid digit found in string" if value.parse::<i128>().is_ok() => "a whole number from 0 is wanted",
        "invalid digit found in string" | "cannot parse integer from empty string" => "a whole number is wanted",
        "number too large to fit in target type" => "a smaller number is wanted",
        "number too small to fit in target type" => "a larger number is wanted",
        "invalid float literal" | "cannot parse float from empty string" => "a number is wanted",
        other => other,
    }
    .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::{Arg, Command, value_parser};

    fn told(flag: Arg, value: &str) -> String {
        let command = Command::new("a").arg(flag.long("flag").value_name("N").allow_hyphen_values(true));
        let error = command.try_get_matches_from(["a", "--flag", value]).unwrap_err();
        refusal(&error).map_or_else(|| format!("clap: {error}"), |error| error.to_string())
    }

    #[test]
    fn a_value_that_a_flag_does_not_take_is_told_by_flag_value_and_what_may_be() {
        let flag = || Arg::new("flag");
        let whole = || flag().value_parser(value_parser!(u64));
        let few = || flag().value_parser(value_parser!(u16).range(1..=1024));
        let number = || flag().value_parser(value_parser!(f64));
        let time = || flag().value_parser(humantime::parse_duration);
        for (flag, value, cause) in [
            (whole(), "many", "a whole number is wanted"),
            (whole(), "-1", "a whole number from 0 is wanted"),
            (whole(), "1.5", "a whole number is wanted"),
            (whole(), "18446744073709551616", "a smaller number is wanted"),
            (few(), "0", "a whole number from 1 to 1024 is wanted"),
            (few(), "99999", "a whole number from 1 to 1024 is wanted"),
            (flag().value_parser(value_parser!(u64).range(2..)), "1", "a whole number from 2 is wanted"),
            (number(), "warm", "a number is wanted"),
            (time(), "soon", "a time is wanted: `90s`, `10m`, `1h 30m`"),
            (time(), "10", "a time is wanted: `90s`, `10m`, `1h 30m`"),
        ] {
            assert_eq!(told(flag, value), format!("error: --flag cannot be `{value}`\ncause: {cause}"));
        }
        let word = told(flag().value_parser(["train", "test"]), "tset");
        assert!(word.starts_with("clap: ") && word.contains("'test'"), "clap's own is better: {word}");
    }
}
