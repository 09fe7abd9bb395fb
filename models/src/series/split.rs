//! A series cut by position into what is trained on, what is chosen on, and what is reported.
//!
//! In time order and without shuffling: the future must not help to predict the past.

use std::ops::Range;

use serde::Serialize;

use crate::error::{Error, Kind, Result};
use crate::pages::numbers::given;

/// Three ranges of positions, one after the other, that cover a series.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Split {
    /// What parameters are fitted on.
    pub train: Range<usize>,
    /// What choices such as the order are made on; may be empty.
    pub validation: Range<usize>,
    /// What is reported, once; may be empty.
    pub test: Range<usize>,
}

impl Split {
    /// The last `test` of `values` positions to test on, the `validation` before them to choose on, the rest to train on.
    ///
    /// # Errors
    /// If nothing is left to train on.
    pub fn by_count(values: usize, validation: usize, test: usize) -> Result<Split> {
        let held_out = validation.checked_add(test).filter(|held_out| *held_out < values);
        let Some(held_out) = held_out else {
            return Err(Error::new(Kind::BadInput, format!("cannot hold out {validation} and {test} values"))
                .cause(format!("the series has {values}, and some must be left to train on"))
                .help("hold out fewer, or give a longer series"));
        };
        let (end, test_start) = (values - held_out, values - test);
        Ok(Split { train: 0..end, validation: end..test_start, test: test_start..values })
    }

    /// As [`Split::by_count`], with shares of all values, each rounded to the nearest count.
    ///
    /// # Errors
    /// If a share is negative or not a number, or nothing is left to train on.
    pub fn by_share(values: usize, validation: f64, test: f64) -> Result<Split> {
        if !(validation >= 0.0 && test >= 0.0 && validation + test < 1.0) {
            return Err(Error::new(
                Kind::Usage,
                format!("cannot hold out shares of {} and {}", given(validation), given(test)),
            )
            .cause("shares are at least 0 and together less than 1")
            .help("0.1 for validation and 0.1 for test leave 80 % to train on"));
        }
        let count = |share: f64| (share * values as f64).round() as usize;
        Split::by_count(values, count(validation), count(test))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_follow_each_other_and_cover_the_series() {
        let split = Split::by_count(309, 20, 30).unwrap();
        assert_eq!((split.train, split.validation, split.test), (0..259, 259..279, 279..309));
        let split = Split::by_share(10, 0.0, 0.25).unwrap();
        assert_eq!((split.train, split.validation, split.test), (0..7, 7..7, 7..10));
    }

    #[test]
    fn holding_out_everything_is_refused() {
        assert!(Split::by_count(10, 4, 6).is_err() && Split::by_count(10, usize::MAX, 6).is_err());
        assert!(Split::by_share(10, 0.5, 0.5).is_err() && Split::by_share(10, f64::NAN, 0.1).is_err());
        assert!(Split::by_share(1, 0.4, 0.4).is_ok() && Split::by_share(2, 0.49, 0.49).is_err());
    }
}
