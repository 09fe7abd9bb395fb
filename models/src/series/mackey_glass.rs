//! The Mackey-Glass series, a chaotic delay equation: the standard test of predictors that are not linear.
//!
//! It makes the series and the regression problem everybody reports on, with its linear floor; it trains nothing.

use super::ar::mean_square;
use super::qr::Triangle;

/// `dx/dt = 0.2 x(t−17) / (1 + x(t−17)^10) − 0.1 x`, `x(0) = 1.2` and 0 before: its values at `t = 0, 1, …, count − 1`.
///
/// Classical Runge-Kutta with step 0.1. The delayed value stands on the grid at both ends of a step; in its middle, where
/// the second and third slopes are taken, it is the mean of the two.
///
/// Source: Mackey and Glass, *Oscillation and chaos in physiological control systems*, Science 197 (1977).
pub fn mackey_glass(count: usize) -> Vec<f64> {
    const STEPS_PER_UNIT: usize = 10;
    const STEP: f64 = 0.1;
    const DELAY: usize = 17 * STEPS_PER_UNIT;
    let slope = |x: f64, delayed: f64| 0.2 * delayed / (1.0 + delayed.powi(10)) - 0.1 * x;
    let mut grid = vec![0.0; DELAY]; // the past before t = 0
    grid.push(1.2);
    for i in 0..count.saturating_sub(1) * STEPS_PER_UNIT {
        let (x, start, end) = (grid[i + DELAY], grid[i], grid[i + 1]);
        let middle = 0.5 * (start + end);
        let k1 = slope(x, start);
        let k2 = slope(x + 0.5 * STEP * k1, middle);
        let k3 = slope(x + 0.5 * STEP * k2, middle);
        let k4 = slope(x + STEP * k3, end);
        grid.push(x + STEP / 6.0 * (k1 + 2.0 * k2 + 2.0 * k3 + k4));
    }
    grid[DELAY..].iter().step_by(STEPS_PER_UNIT).take(count).copied().collect()
}

/// One example of the standard problem: from `x(t−18), x(t−12), x(t−6), x(t)` to `x(t+6)`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Example {
    /// The four earlier values, oldest first.
    pub inputs: [f64; 4],
    /// The value six units ahead.
    pub target: f64,
}

/// The standard problem, `t = 118 … 1117`: the first 500 examples to train on, the last 500 to test on.
pub fn examples() -> (Vec<Example>, Vec<Example>) {
    let x = mackey_glass(1124);
    let example = |t: usize| Example { inputs: [x[t - 18], x[t - 12], x[t - 6], x[t]], target: x[t + 6] };
    ((118..618).map(example).collect(), (618..1118).map(example).collect())
}

/// The affine map of least squares, `ŷ = w_0 + Σ w_i x_i`, of some examples: the floor of a neural model.
pub fn linear_weights(examples: &[Example]) -> [f64; 5] {
    let triangle = Triangle::of_rows(examples.len(), 6, |rows, block| {
        let n = rows.len();
        for (i, example) in examples[rows].iter().enumerate() {
            block[i] = 1.0;
            example.inputs.iter().zip(1..).for_each(|(x, j)| block[j * n + i] = *x);
            block[5 * n + i] = example.target;
        }
    });
    triangle.solve(5).try_into().expect("five columns give five weights")
}

/// Root mean square error of a predictor on examples.
pub fn rmse(examples: &[Example], predict: impl Fn(&[f64; 4]) -> f64) -> f64 {
    let (predictions, targets): (Vec<f64>, Vec<f64>) = examples.iter().map(|e| (predict(&e.inputs), e.target)).unzip();
    mean_square(&predictions, &targets).sqrt()
}

/// [`rmse`] over the standard deviation of the targets: 1 for predicting their mean.
pub fn nrmse(examples: &[Example], predict: impl Fn(&[f64; 4]) -> f64) -> f64 {
    let mean = examples.iter().map(|e| e.target).sum::<f64>() / examples.len() as f64;
    rmse(examples, predict) / rmse(examples, |_| mean)
}

#[cfg(test)]
mod tests {
    use super::*;
    use approx::assert_abs_diff_eq;

    #[test]
    fn the_first_values_are_the_published_ones() {
        let x = mackey_glass(5);
        for (x, expected) in x.iter().zip([1.2, 1.085805, 0.982477, 0.888982, 0.804384]) {
            assert_abs_diff_eq!(*x, expected, epsilon = 5e-7);
        }
        // Nothing but decay reaches the first 17 units: x(t) = 1.2 exp(−t / 10).
        assert_abs_diff_eq!(x[4], 1.2 * (-0.4f64).exp(), epsilon = 1e-6);
    }

    #[test]
    fn the_linear_floor_and_persistence_have_their_known_errors() {
        let (train, test) = examples();
        let w = linear_weights(&train);
        let linear = |x: &[f64; 4]| x.iter().zip(&w[1..]).fold(w[0], |sum, (x, w)| sum + x * w);
        assert_abs_diff_eq!(rmse(&test, linear), 0.09830, epsilon = 5e-6);
        assert_abs_diff_eq!(nrmse(&test, linear), 0.4325, epsilon = 5e-5);
        assert_abs_diff_eq!(nrmse(&test, |x| x[3]), 0.8129, epsilon = 5e-5);
    }
}
