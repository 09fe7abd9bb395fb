//! A mixture of discretized logistics: levels as the parts of a real line under K bells.
//!
//! Level l of V stands for the part of the line around `2l/(V − 1) − 1` that is nearer to it than to any other level; the lowest level
//! takes the whole left tail, the highest the right one. With edges `e_l = (2l + 1)/(V − 1) − 1` between levels l and l + 1, and a
//! component of mean μ and scale s,
//!
//! `p(l) = σ(a) − σ(b)`, `a = (e_l − μ)/s`, `b = (e_(l−1) − μ)/s`; σ(a) = 1 of the highest level, σ(b) = 0 of the lowest.
//!
//! Differences of σ cancel where the bell is far away or wide, so this is computed as `ln p = ln σ(a) + ln σ(−b) + ln(1 − e^(b−a))`, which
//! is the same number: `σ(a) − σ(b) = σ(a) σ(−b) (1 − e^(b−a))`. Of the highest level the first term is 0, of the lowest the second, of
//! both the third. Probabilities of all levels sum to one, whatever the numbers of a network are.
//!
//! A symbol has 3K numbers: K logits of the components, K means, K logarithms of scales. A logarithm beyond ±[`bound`] counts as that
//! and gets no gradient: a bell narrower than an eighth of a level tells no levels apart any better, one that is a thousand times
//! as wide as the line is flat on it, and between the two nothing overflows.
//!
//! Source: Salimans et al., "PixelCNN++", 2017, section 2.1, with the lower bound of its program. The colours of a pixel come one after
//! another here, so means are no functions of the colours before.

use super::head::log_sigmoid;
use crate::distribution::{Categorical, Distribution, pick};
use autograd::kernels::log_sum_exp::{log_sum_exp, weights};
use autograd::{Scalar, Tensor};
use rand::{Rng, RngExt};

/// The largest logarithm of a scale, of V levels; the least is its negative: `ln 4(V − 1)`, that of an eighth of a level, and 7 at least, which is
/// that of 256 levels.
pub fn bound(levels: usize) -> f64 {
    (4.0 * (levels - 1) as f64).ln().max(7.0)
}

/// The mean `−ln p` of targets, recorded.
///
/// # Shapes
/// `rows` (N, 3K) · `targets` N levels below V, which is `levels` → ()
#[track_caller]
pub(super) fn loss<T: Scalar>(levels: usize, rows: &Tensor<T>, targets: &[u32]) -> Tensor<T> {
    let [n, k] = [targets.len(), rows.shape()[1] / 3];
    let bound = bound(levels);
    let part = |i: usize| rows.narrow(1, i * k, k);
    let (ln_weights, means, ln_scales) = (part(0).log_softmax(), part(1), part(2).clamp(T::of(-bound), T::of(bound)));
    let inverse = ln_scales.neg().exp();
    let column = |of: &dyn Fn(usize) -> f64| {
        Tensor::from_vec(targets.iter().map(|&level| T::of(of(level as usize))).collect(), &[n, 1])
    };
    let (lowest, highest) = (|level: usize| level == 0, |level: usize| level + 1 == levels);
    let unless = |is: bool| if is { 0.0 } else { 1.0 };
    let a = &(column(&|level| edge(level as f64, levels)) - &means) * &inverse;
    let b = &(&means - &column(&|level| edge(level as f64 - 1.0, levels))) * &inverse;
    let width = inverse.mul_scalar(T::of(2.0 / (levels - 1) as f64));
    let ln_p = &a.log_sigmoid() * &column(&|level| unless(highest(level)))
        + &b.log_sigmoid() * &column(&|level| unless(lowest(level)))
        + &width.log1mexp() * &column(&|level| unless(lowest(level) || highest(level)));
    (ln_weights + ln_p).logsumexp(&[1]).mean().neg()
}

/// The edge above a level; of level −1 the one below level 0.
fn edge(level: f64, levels: usize) -> f64 {
    (2.0 * level + 1.0) / (levels - 1) as f64 - 1.0
}

/// The distribution of one symbol.
#[derive(Clone, Debug, PartialEq)]
pub struct Logistics {
    levels: usize,
    /// The numbers of the network.
    row: Vec<f64>,
    components: Vec<Component>,
}

/// One bell.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Component {
    ln_weight: f64,
    mean: f64,
    /// 1/s.
    inverse: f64,
}

impl Component {
    /// `ln p` of a level times the weight.
    fn ln_p(&self, level: usize, levels: usize) -> f64 {
        let at = |level: f64| (edge(level, levels) - self.mean) * self.inverse;
        let (lowest, highest) = (level == 0, level + 1 == levels);
        let above = if highest { 0.0 } else { log_sigmoid(at(level as f64)) };
        let below = if lowest { 0.0 } else { log_sigmoid(-at(level as f64 - 1.0)) };
        let inside = if lowest || highest { 0.0 } else { log1mexp(2.0 / (levels - 1) as f64 * self.inverse) };
        self.ln_weight + above + below + inside
    }
}

/// `ln(1 − exp(−x))` of x > 0.
fn log1mexp(x: f64) -> f64 {
    if x < std::f64::consts::LN_2 { (-(-x).exp_m1()).ln() } else { (-(-x).exp()).ln_1p() }
}

impl Logistics {
    /// Of V levels, by the 3K numbers of a network.
    pub fn new<T: Scalar>(levels: usize, row: &[T]) -> Self {
        let row: Vec<f64> = row.iter().map(|x| x.as_f64()).collect();
        let k = row.len() / 3;
        let (logits, rest) = row.split_at(k);
        let (largest, ln_sum) = log_sum_exp(logits);
        let bound = bound(levels);
        let component = |i: usize| Component {
            ln_weight: logits[i] - largest - ln_sum,
            mean: rest[i],
            // Not the system's exponential: what is coded by one machine is decoded by another.
            inverse: libm::exp(-rest[k + i].clamp(-bound, bound)),
        };
        Logistics { levels, components: (0..k).map(component).collect(), row }
    }

    /// V.
    pub fn levels(&self) -> usize {
        self.levels
    }

    /// K.
    pub(crate) fn components(&self) -> usize {
        self.components.len()
    }

    /// The weights of the components up to their sum, in K places: of the network's numbers by kernels that have the same bits everywhere.
    pub(crate) fn weights(&self, out: &mut [f64]) {
        weights(&self.row[..self.components.len()], out);
    }

    /// `Σ w σ((e − μ)/s)`, the weight of all levels below one, by those of the components: the same bits on every machine.
    pub(crate) fn below(&self, level: usize, weights: &[f64]) -> f64 {
        let edge = edge(level as f64 - 1.0, self.levels);
        let of_one = |(component, weight): (&Component, &f64)| {
            weight / (1.0 + libm::exp((component.mean - edge) * component.inverse))
        };
        self.components.iter().zip(weights).map(of_one).sum()
    }

    /// `ln p` of every level, as logits.
    pub fn categorical(&self) -> Categorical<f64> {
        Categorical { logits: (0..self.levels as u32).map(|level| self.log_probability(level)).collect() }
    }
}

impl Distribution for Logistics {
    type Symbol = u32;

    fn log_probability(&self, level: u32) -> f64 {
        let ln_p = |component: &Component| component.ln_p(level as usize, self.levels);
        let largest = self.components.iter().map(ln_p).fold(f64::NEG_INFINITY, f64::max);
        if largest == f64::NEG_INFINITY {
            return largest;
        }
        largest + self.components.iter().map(|component| (ln_p(component) - largest).exp()).sum::<f64>().ln()
    }

    /// A component, a point of its line, and the level whose part that lies in.
    fn sample(&self, random: &mut impl Rng) -> u32 {
        let weights = self.components.iter().map(|component| component.ln_weight.exp());
        let Component { mean, inverse, .. } = self.components[pick(weights, random.random()) as usize];
        let u: f64 = random.random();
        let x = mean + (u / (1.0 - u)).ln() / inverse;
        let highest = (self.levels - 1) as f64;
        // From −∞, of u = 0, to the lowest level.
        ((x + 1.0) / 2.0 * highest).round().clamp(0.0, highest) as u32
    }

    fn entropy(&self) -> f64 {
        self.categorical().entropy()
    }

    fn parameters(&self) -> Vec<f64> {
        self.row.clone()
    }
}

#[cfg(test)]
#[path = "logistics_tests.rs"]
mod tests;
