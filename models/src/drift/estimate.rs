//! Means and how far they can be trusted: sums that are added to one number at a time.

use serde::Serialize;

/// A mean and its standard error.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Estimate {
    /// x̄.
    pub mean: f64,
    /// `s/√n`, s² the variance of the n numbers with n − 1 below the bar; no number where there is one alone. Prefixes that overlap are taken for
    /// independent: then it is too small.
    pub standard_error: f64,
}

/// Count, mean and sum of squares around it of the numbers so far.
///
/// Source: Welford, "Note on a Method for Calculating Corrected Sums of Squares and Products", 1962.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Moments {
    count: usize,
    mean: f64,
    squares: f64,
}

impl Moments {
    pub(super) fn add(&mut self, x: f64) {
        self.count += 1;
        let before = x - self.mean;
        self.mean += before / self.count as f64;
        self.squares += before * (x - self.mean);
    }

    pub(super) fn count(&self) -> usize {
        self.count
    }

    pub(super) fn estimate(&self) -> Estimate {
        let n = self.count as f64;
        Estimate { mean: self.mean, standard_error: (self.squares / (n - 1.0) / n).sqrt() }
    }

    /// The root of the mean, with the standard error that it has to first order: `se(x̄) / 2√x̄`.
    pub(super) fn root(&self) -> Estimate {
        let Estimate { mean, standard_error } = self.estimate();
        Estimate { mean: mean.sqrt(), standard_error: standard_error / (2.0 * mean.sqrt()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use approx::assert_relative_eq;

    #[test]
    fn means_and_errors_are_those_of_the_formulas() {
        let xs = [3.0, 1.0, 4.0, 1.0, 5.0];
        let mut moments = Moments::default();
        xs.iter().for_each(|&x| moments.add(x));
        let squares: f64 = xs.iter().map(|x| (x - 2.8f64).powi(2)).sum();
        let Estimate { mean, standard_error } = moments.estimate();
        assert_relative_eq!(mean, 2.8, epsilon = 1e-14);
        assert_relative_eq!(standard_error, (squares / 4.0 / 5.0).sqrt(), epsilon = 1e-14);
        assert_relative_eq!(moments.root().mean, 2.8f64.sqrt(), epsilon = 1e-14);
        assert_relative_eq!(moments.root().standard_error, standard_error / 2.0 / 2.8f64.sqrt(), epsilon = 1e-14);
    }

    #[test]
    fn of_one_number_nothing_says_how_far_it_can_be_trusted() {
        let mut moments = Moments::default();
        moments.add(2.0);
        assert!(moments.estimate().mean == 2.0 && moments.estimate().standard_error.is_nan());
    }
}
