//! Gradient checking: the Jacobian that a rule computes against the one that differences measure, in f64.
//!
//! Numeric derivatives are the five-point central difference `(8(f₊₁ − f₋₁) − (f₊₂ − f₋₂)) / 12h`, whose error is of order
//! `h⁴`: with `h = 10⁻³ max(1, |x|)` it is good to about ten digits.
//! Source: Fornberg, "Generation of finite difference formulas", 1988, table 1.

mod case;

use crate::{Tensor, no_grad, ops};
use ndarray::{ArrayD, Axis, Slice};
use std::fmt;

pub use case::{Case, Input, away_from_zero, distinct, positive, real};

/// Largest relative error of an element that passes: `|a − n| / max(|a|, |n|, 0.01)`.
pub const TOLERANCE: f64 = 1e-6;

/// The worst element of a checked Jacobian, and whether it is good enough.
#[derive(Clone, Debug)]
pub struct Report {
    /// What was checked: an op and its variant, or the name the caller gave.
    pub name: String,
    /// How many elements of Jacobians were compared.
    pub elements: usize,
    /// The element with the largest relative error; none when there was nothing to compare.
    pub worst: Option<Element>,
}

/// One element `∂ output[o] / ∂ input[i]` of a Jacobian.
#[derive(Clone, Debug)]
pub struct Element {
    /// Which input of the function.
    pub input: usize,
    /// The element's index in that input.
    pub index: Vec<usize>,
    /// The output element's index.
    pub output: Vec<usize>,
    /// The memory layout in which the inputs were given.
    pub layout: &'static str,
    /// What the backward pass computed.
    pub analytic: f64,
    /// What differences measured.
    pub numeric: f64,
}

impl Element {
    /// `|a − n| / max(|a|, |n|, 0.01)`; infinite when either is not finite.
    pub fn relative_error(&self) -> f64 {
        let error = (self.analytic - self.numeric).abs() / self.analytic.abs().max(self.numeric.abs()).max(0.01);
        if error.is_nan() { f64::INFINITY } else { error }
    }
}

impl Report {
    /// Whether every element is within [`TOLERANCE`].
    pub fn passed(&self) -> bool {
        self.worst.as_ref().is_none_or(|worst| worst.relative_error() <= TOLERANCE)
    }

    fn include(&mut self, element: Element) {
        self.elements += 1;
        if self.worst.as_ref().is_none_or(|worst| element.relative_error() > worst.relative_error()) {
            self.worst = Some(element);
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verdict = if self.passed() { "ok" } else { "WRONG" };
        write!(f, "{}: {verdict}, {} elements", self.name, self.elements)?;
        if let Some(worst) = &self.worst {
            write!(
                f,
                "; worst ∂out{:?}/∂input {}{:?} ({}): analytic {:+.9e}, numeric {:+.9e}, relative error {:.1e}",
                worst.output,
                worst.input,
                worst.index,
                worst.layout,
                worst.analytic,
                worst.numeric,
                worst.relative_error()
            )?;
        }
        Ok(())
    }
}

/// Checks the full Jacobian of `f` at `inputs`, every element of every output against every element of every input.
///
/// ```
/// use autograd::{Tensor, gradcheck::gradcheck};
/// let x = ndarray::arr1(&[0.3, -1.2]).into_dyn();
/// let report = gradcheck("x·tanh x", |x| &x[0] * &x[0].tanh(), &[x]);
/// assert!(report.passed(), "{report}");
/// ```
pub fn gradcheck(name: &str, f: impl Fn(&[Tensor<f64>]) -> Tensor<f64>, inputs: &[ArrayD<f64>]) -> Report {
    let mut report = Report { name: name.to_string(), elements: 0, worst: None };
    check(&f, inputs, Layout::RowMajor, &mut report);
    report
}

/// How the inputs of a check lie in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Layout {
    RowMajor,
    Transposed,
    Sliced,
    Broadcast,
}

impl Layout {
    const ALL: [Layout; 4] = [Layout::RowMajor, Layout::Transposed, Layout::Sliced, Layout::Broadcast];

    fn name(self) -> &'static str {
        match self {
            Layout::RowMajor => "row-major",
            Layout::Transposed => "transposed",
            Layout::Sliced => "sliced",
            Layout::Broadcast => "broadcast",
        }
    }

    /// The leaf that holds `x` in this layout; for `Broadcast`, its first row, from which `present` makes the whole.
    fn leaf(self, x: &ArrayD<f64>) -> Tensor<f64> {
        let array = match self {
            Layout::RowMajor => x.clone(),
            Layout::Transposed => x.t().as_standard_layout().into_owned().reversed_axes(),
            Layout::Sliced => {
                let mut wide = ArrayD::from_elem(x.shape().iter().map(|n| 2 * n + 1).collect::<Vec<_>>(), f64::NAN);
                for axis in 0..x.ndim() {
                    wide.slice_axis_inplace(Axis(axis), Slice::new(1, None, 2));
                }
                wide.assign(x);
                wide
            }
            Layout::Broadcast if x.ndim() > 0 && !x.is_empty() => x.slice_axis(Axis(0), Slice::from(0..1)).to_owned(),
            Layout::Broadcast => x.clone(),
        };
        Tensor::new(array).tracked()
    }

    fn present(self, leaf: &Tensor<f64>, shape: &[usize]) -> Tensor<f64> {
        if self == Layout::Broadcast { leaf.broadcast_to(shape) } else { leaf.clone() }
    }
}

fn check(f: &dyn Fn(&[Tensor<f64>]) -> Tensor<f64>, inputs: &[ArrayD<f64>], layout: Layout, report: &mut Report) {
    let leaves: Vec<Tensor<f64>> = inputs.iter().map(|x| layout.leaf(x)).collect();
    let apply = |leaves: &[Tensor<f64>]| {
        let x: Vec<_> = leaves.iter().zip(inputs).map(|(leaf, x)| layout.present(leaf, x.shape())).collect();
        f(&x)
    };
    let outputs = no_grad(|| apply(&leaves));
    let seeds = outputs.value().len();
    let analytic: Vec<_> = (0..seeds)
        .map(|o| {
            let mut seed = ArrayD::zeros(outputs.shape());
            *seed.iter_mut().nth(o).expect("an output element") = 1.0;
            apply(&leaves).backward_with(seed)
        })
        .collect();
    for (input, leaf) in leaves.iter().enumerate() {
        for (i, (index, &x)) in leaf.value().indexed_iter().enumerate() {
            let h = 1e-3 * x.abs().max(1.0);
            let at = |step: f64| {
                let mut moved = leaves.clone();
                let mut value = leaf.value().to_owned();
                *value.iter_mut().nth(i).expect("an input element") += step;
                moved[input] = Tensor::new(value);
                no_grad(|| apply(&moved)).to_vec()
            };
            let (p1, m1, p2, m2) = (at(h), at(-h), at(2.0 * h), at(-2.0 * h));
            for (o, (output, _)) in outputs.value().indexed_iter().enumerate() {
                let gradient = analytic[o].of(leaf);
                use ndarray::Dimension;
                report.include(Element {
                    input,
                    index: index.as_array_view().to_vec(),
                    output: output.as_array_view().to_vec(),
                    layout: layout.name(),
                    analytic: gradient.map_or(0.0, |g| *g.iter().nth(i).expect("an element of the gradient")),
                    numeric: (8.0 * (p1[o] - m1[o]) - (p2[o] - m2[o])) / (12.0 * h),
                });
            }
        }
    }
}

/// The standing checks of every op of the engine.
pub fn cases() -> Vec<Case> {
    ops::cases()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_op_passes_its_gradient_check() {
        let failed: Vec<String> = cases()
            .iter()
            .map(Case::check)
            .filter(|report| !report.passed())
            .map(|report| report.to_string())
            .collect();
        assert!(failed.is_empty(), "{}", failed.join("\n"));
    }

    #[test]
    fn every_case_records_the_op_it_is_named_after() {
        for case in cases() {
            assert!(case.recorded_ops().contains(case.op), "the case {} {} does not use it", case.op, case.variant);
        }
    }

    #[test]
    fn a_wrong_rule_is_found_and_its_worst_element_named() {
        let wrong = |x: &[Tensor<f64>]| {
            let value = x[0].value().mapv(|x| x * x);
            let saved = x[0].value().clone();
            Tensor::from_op("wrong_square", value, [&x[0]], move |g, [dx]| {
                dx.add(|| {
                    let mut d = g * saved.mapv(|x| 2.0 * x);
                    d[[1, 0]] *= 1.001;
                    d
                })
            })
        };
        let report = gradcheck("wrong_square", wrong, &[ndarray::arr2(&[[1.0, 2.0], [3.0, 4.0]]).into_dyn()]);
        let worst = report.worst.clone().unwrap();
        assert!(!report.passed());
        assert_eq!((worst.input, worst.index, worst.output), (0, vec![1, 0], vec![1, 0]));
        assert!(report.to_string().contains("WRONG"));
    }

    #[test]
    fn a_lost_gradient_is_found() {
        let lossy = |x: &[Tensor<f64>]| Tensor::from_op("lossy", x[0].value().mapv(f64::exp), [&x[0]], |_, [_]| {});
        assert!(!gradcheck("lossy", lossy, &[ndarray::arr1(&[0.5]).into_dyn()]).passed());
    }
}
