//! The roots of an AR model's characteristic polynomial: whether it is stationary, and at which periods it swings.
//!
//! Roots here are those of `λ^k − φ_1 λ^{k−1} − … − φ_k`, which a forecast's modes multiply with at every step: inside the
//! unit circle they die out. (statsmodels lists their inverses `1 / λ`, which must lie outside.)

use std::f64::consts::TAU;
use std::fmt;

use num_complex::Complex64;
use serde::Serialize;

use super::ar::Ar;

/// One characteristic root `λ = ρ e^{iω}`: a mode of the forecast that goes as `ρ^h cos(ω h)`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Root {
    /// The real part.
    pub re: f64,
    /// The imaginary part; the conjugate root is listed as well.
    pub im: f64,
}

impl Root {
    /// The distance from zero, `ρ`: what a mode is multiplied with in a step.
    pub fn modulus(&self) -> f64 {
        self.re.hypot(self.im)
    }

    /// The steps `2π / |ω|` of one swing; none for a positive real root, 2 for a negative one.
    pub fn period(&self) -> Option<f64> {
        let angle = self.im.atan2(self.re).abs();
        (angle > 0.0).then(|| TAU / angle)
    }
}

/// The warning that a model is not stationary: its forecasts do not settle down.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct NotStationary {
    /// The root of largest modulus.
    pub root: Root,
}

impl fmt::Display for NotStationary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (root, modulus) = (self.root, self.root.modulus());
        write!(f, "the fitted model is not stationary: its root {:.6}", root.re)?;
        if root.im != 0.0 {
            write!(f, " ± {:.6}i", root.im.abs())?;
        }
        write!(f, " has modulus {modulus:.6}, not below 1; ")?;
        let swings = match root.period() {
            Some(period) => format!(", swinging with a period of {period:.4} steps"),
            None => String::new(),
        };
        if modulus > 1.0 + UNIT {
            let percent = 100.0 * (modulus - 1.0);
            write!(
                f,
                "forecasts grow without bound, by {percent:.3} % a step in the end{swings}, and so do their intervals"
            )
        } else {
            write!(f, "forecasts never return to a mean{swings}, and their intervals widen without bound")
        }
    }
}

/// How near to 1 a modulus counts as 1: roots of a polynomial with rounded coefficients are not exact.
const UNIT: f64 = 1e-9;

impl Ar {
    /// The `k` characteristic roots, largest modulus first, conjugates side by side, the one above the real axis first.
    pub fn roots(&self) -> Vec<Root> {
        let mut ascending: Vec<f64> = self.coefficients.iter().rev().map(|phi| -phi).collect();
        ascending.push(1.0);
        let mut roots = polynomial_roots(&ascending);
        roots.sort_by(|a, b| {
            b.modulus().total_cmp(&a.modulus()).then(b.re.total_cmp(&a.re)).then(b.im.total_cmp(&a.im))
        });
        roots
    }

    /// Whether every root lies inside the unit circle, by more than rounding.
    pub fn is_stationary(&self) -> bool {
        self.stationarity_warning().is_none()
    }

    /// The warning to show beside a model that is not stationary.
    pub fn stationarity_warning(&self) -> Option<NotStationary> {
        let root = *self.roots().first()?;
        (root.modulus() > 1.0 - UNIT).then_some(NotStationary { root })
    }

    /// The periods of the pairs of complex roots in steps, with the modulus of each, slowest to die out first.
    pub fn periods(&self) -> Vec<(f64, f64)> {
        let upper = |root: &Root| root.im > 0.0;
        self.roots().iter().filter(|root| upper(root)).filter_map(|r| Some((r.period()?, r.modulus()))).collect()
    }
}

/// All roots of `Σ a_i z^i` with real coefficients, `a` ascending and its last not zero, by Aberth's method.
///
/// Every root is a simultaneous Newton step on the polynomial divided by the other roots' factors, until its value is
/// rounding; beyond the unit circle the reversed polynomial is evaluated, so that no power overflows.
///
/// Source: Aberth, *Iteration methods for finding all zeros of a polynomial simultaneously* (1973); Bini (1996).
fn polynomial_roots(ascending: &[f64]) -> Vec<Root> {
    // Zero roots are exact and would be the hardest to converge to.
    let zeros = ascending.iter().take_while(|a| **a == 0.0).count();
    let a = &ascending[zeros..];
    let degree = a.len() - 1;
    let mut z: Vec<Complex64> = starting_points(a);
    let mut open: Vec<usize> = (0..degree).collect();
    for _ in 0..500 {
        open.retain(|&i| {
            let (ratio, settled) = newton_ratio(a, z[i]);
            let repulsion: Complex64 = (0..degree).filter(|&j| j != i).map(|j| (z[i] - z[j]).inv()).sum();
            let step = ratio / (1.0 - ratio * repulsion);
            if step.is_finite() {
                z[i] -= step;
            }
            !settled && step.norm() > 0.5 * f64::EPSILON * z[i].norm()
        });
        if open.is_empty() {
            break;
        }
    }
    let mut roots = vec![Root { re: 0.0, im: 0.0 }; zeros];
    roots.extend(conjugate_pairs(z));
    roots
}

/// Points on circles whose radii have the size of the roots: the slopes of the upper hull of `(i, ln |a_i|)`.
fn starting_points(a: &[f64]) -> Vec<Complex64> {
    let log = |i: usize| a[i].abs().ln();
    let mut hull: Vec<usize> = Vec::new();
    for i in (0..a.len()).filter(|&i| a[i] != 0.0) {
        while let [.., p, q] = hull[..] {
            let above_chord = (log(q) - log(p)) * (i - p) as f64 > (log(i) - log(p)) * (q - p) as f64;
            if above_chord {
                break;
            }
            hull.pop();
        }
        hull.push(i);
    }
    let mut points = Vec::with_capacity(a.len() - 1);
    for edge in hull.windows(2) {
        let count = edge[1] - edge[0];
        let radius = ((log(edge[0]) - log(edge[1])) / count as f64).exp();
        // 0.7: no starting point on the real axis, where iterates of a real polynomial would be caught.
        points.extend((0..count).map(|j| Complex64::from_polar(radius, TAU * j as f64 / count as f64 + 0.7)));
    }
    points
}

/// Newton's step `p(z) / p'(z)`, and whether `p(z)` is no larger than the rounding of its own evaluation.
fn newton_ratio(a: &[f64], z: Complex64) -> (Complex64, bool) {
    let degree = (a.len() - 1) as f64;
    let inside = z.norm() <= 1.0;
    let at = if inside { z } else { z.inv() };
    let (mut value, mut slope, mut bound) = (Complex64::ZERO, Complex64::ZERO, 0.0);
    let mut horner = |a: &f64| {
        slope = slope * at + value;
        value = value * at + a;
        bound = bound * at.norm() + a.abs();
    };
    if inside {
        a.iter().rev().for_each(&mut horner);
    } else {
        a.iter().for_each(&mut horner);
    }
    let settled = value.norm() <= 2.0 * f64::EPSILON * bound;
    let ratio = if inside {
        value / slope
    } else {
        // p(z) = zⁿ q(1/z): p / p' = z / (n − (1/z) q'(1/z) / q(1/z)), written so that q = 0 divides nothing.
        z * value / (degree * value - at * slope)
    };
    (if ratio.is_finite() { ratio } else { Complex64::ZERO }, settled)
}

/// Makes exact conjugates of what should be: each root is real if no other is nearer to its conjugate than itself.
fn conjugate_pairs(mut z: Vec<Complex64>) -> Vec<Root> {
    z.sort_by(|a, b| a.im.abs().total_cmp(&b.im.abs()));
    let mut roots = Vec::with_capacity(z.len());
    while let Some(root) = z.pop() {
        let distance = |other: &Complex64| (other - root.conj()).norm();
        let nearest = (0..z.len()).min_by(|&i, &j| distance(&z[i]).total_cmp(&distance(&z[j])));
        match nearest.filter(|&i| distance(&z[i]) < distance(&root)) {
            Some(i) => {
                let other = z.remove(i);
                let (re, im) = (0.5 * (root.re + other.re), 0.5 * (root.im - other.im).abs());
                roots.extend([Root { re, im }, Root { re, im: -im }]);
            }
            None => roots.push(Root { re: root.re, im: 0.0 }),
        }
    }
    roots
}

#[cfg(test)]
mod tests {
    use super::*;
    use approx::assert_relative_eq;
    use proptest::prelude::*;

    fn ar(coefficients: &[f64]) -> Ar {
        Ar { constant: 0.0, coefficients: coefficients.to_vec(), variance: 1.0 }
    }

    /// `φ` from roots: `λ^k − Σ φ_i λ^{k−i} = Π (λ − λ_i)`.
    fn expand(roots: &[Root]) -> Vec<f64> {
        let mut descending = vec![Complex64::ONE];
        for root in roots {
            descending.push(Complex64::ZERO);
            for i in (1..descending.len()).rev() {
                let shifted = descending[i - 1] * Complex64::new(root.re, root.im);
                descending[i] -= shifted;
            }
        }
        descending[1..].iter().map(|a| -a.re).collect()
    }

    /// What expanding the roots misses of the coefficients, in units of the rounding of the expansion.
    fn mismatch(phi: &[f64]) -> f64 {
        let roots = ar(phi).roots();
        assert_eq!(roots.len(), phi.len());
        let size = roots.iter().fold(f64::EPSILON, |size, root| size * (1.0 + root.modulus()));
        expand(&roots).iter().zip(phi).map(|(expanded, phi)| (expanded - phi).abs() / size).fold(0.0, f64::max)
    }

    proptest! {
        #[test]
        fn roots_expand_back_to_the_coefficients(phi in proptest::collection::vec(-3.0..3.0f64, 1..33)) {
            prop_assert!(mismatch(&phi) < 50.0);
        }
    }

    #[test]
    fn coefficients_of_very_different_size_and_zeros_expand_back() {
        for phi in [&[0.0, 0.0, 0.0][..], &[0.5, 0.0], &[1e-8, 1e8, 1e-3], &[0.0, 0.0, 0.0, 0.9], &[1e6, -1e-6], &[2.5]]
        {
            assert!(mismatch(phi) < 50.0, "{phi:?}: {}", mismatch(phi));
        }
    }

    #[test]
    fn a_double_root_is_found_to_half_the_digits() {
        let roots = ar(&[1.0, -0.25]).roots(); // (λ − ½)²
        roots.iter().for_each(|root| assert_relative_eq!(root.modulus(), 0.5, max_relative = 1e-7));
    }

    #[test]
    fn warnings_name_the_root_and_its_effect() {
        assert!(ar(&[0.5]).is_stationary() && ar(&[1.39, -0.69]).is_stationary());
        let text = |phi: &[f64]| ar(phi).stationarity_warning().expect("a warning").to_string();
        let walk = text(&[1.0]);
        assert!(
            walk.contains("root 1.000000 has modulus 1.000000") && walk.contains("never return to a mean"),
            "{walk}"
        );
        let growing = text(&[1.5, -1.0404]);
        assert!(growing.contains("± ") && growing.contains("by 2.000 % a step"), "{growing}");
        let alternating = text(&[-1.1]);
        assert!(
            alternating.contains("root -1.100000") && alternating.contains("period of 2.0000 steps"),
            "{alternating}"
        );
    }
}
