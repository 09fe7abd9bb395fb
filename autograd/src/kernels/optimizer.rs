//! One step of SGD, Adam, AdamW and of an exponential moving average, each in one pass over its slices.
//!
//! These passes do little arithmetic and touch much memory, so everything that would need a pass of its own (the scale of clipped
//! gradients, weight decay) is folded in. Not the place for state, schedules or norms: those belong to who owns the parameters.
//! Formulas, and the order of their roundings, are PyTorch's (`torch.optim`, the `foreach=False` path).

use super::compiled::Compiled;
use super::math::dispatch::{Pass, dispatch};
use super::parallel::{CHUNK, MIN_PARALLEL, for_each};
use crate::Scalar;

/// One step of Adam or AdamW, everything in double precision.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Adam {
    /// α, the learning rate of this step.
    pub learning_rate: f64,
    /// β₁ and β₂.
    pub betas: (f64, f64),
    /// ε, added to the root.
    pub epsilon: f64,
    /// λ, see `decay`.
    pub weight_decay: f64,
    /// How λ enters.
    pub decay: Decay,
    /// t, the number of this step, counted from 1.
    pub step: u64,
    /// What the gradient is multiplied with first: 1, or the factor that clips its norm.
    pub gradient_scale: f64,
}

/// How weight decay enters a step of Adam.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decay {
    /// `g ← g + λ·w`: Adam.
    InGradient,
    /// `w ← w − α·λ·w`: AdamW. Source: Loshchilov & Hutter, "Decoupled Weight Decay Regularization", 2019, algorithm 2.
    Decoupled,
}

/// One step of SGD, everything in double precision.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sgd {
    /// α, the learning rate of this step.
    pub learning_rate: f64,
    /// μ, the momentum (dampening 0).
    pub momentum: f64,
    /// `w ← w − α·(g + μ·u)` instead of `w ← w − α·u`.
    pub nesterov: bool,
    /// λ: `g ← g + λ·w`.
    pub weight_decay: f64,
    /// What the gradient is multiplied with first.
    pub gradient_scale: f64,
}

/// The constants of [`Adam`] in the type of the parameters.
#[derive(Clone, Copy)]
struct AdamFactors<T> {
    shrink: T,
    decay: T,
    scale: T,
    one_minus_beta1: T,
    beta2: T,
    one_minus_beta2: T,
    root_correction: T,
    epsilon: T,
    minus_step_size: T,
}

impl Adam {
    fn factors<T: Scalar>(&self) -> AdamFactors<T> {
        let (beta1, beta2) = self.betas;
        let corrections = (1.0 - beta1.powf(self.step as f64), 1.0 - beta2.powf(self.step as f64));
        let decoupled = self.decay == Decay::Decoupled;
        AdamFactors {
            shrink: T::of(if decoupled { 1.0 - self.learning_rate * self.weight_decay } else { 1.0 }),
            decay: T::of(if decoupled { 0.0 } else { self.weight_decay }),
            scale: T::of(self.gradient_scale),
            one_minus_beta1: T::of(1.0 - beta1),
            beta2: T::of(beta2),
            one_minus_beta2: T::of(1.0 - beta2),
            root_correction: T::of(corrections.1.sqrt()),
            epsilon: T::of(self.epsilon),
            minus_step_size: T::of(-self.learning_rate / corrections.0),
        }
    }
}

/// `a + weight·(b − a)`, from the end that is nearer, as `torch.lerp`.
#[inline(always)]
fn lerp<T: Scalar>(a: T, b: T, weight: T) -> T {
    if weight < T::of(0.5) { a + weight * (b - a) } else { b - (b - a) * (T::one() - weight) }
}

struct AdamPass<'a, T> {
    f: AdamFactors<T>,
    w: &'a mut [T],
    g: &'a [T],
    m: &'a mut [T],
    v: &'a mut [T],
}

impl<T: Scalar> Pass for AdamPass<'_, T> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        let f = self.f;
        let state = self.m.iter_mut().zip(self.v);
        for ((w, &g), (m, v)) in self.w.iter_mut().zip(self.g).zip(state) {
            let shrunk = *w * f.shrink;
            let g = g * f.scale + shrunk * f.decay;
            *m = lerp(*m, g, f.one_minus_beta1);
            *v = *v * f.beta2 + f.one_minus_beta2 * g * g;
            let root = v.sqrt() / f.root_correction + f.epsilon;
            *w = shrunk + f.minus_step_size * *m / root;
        }
    }
}

/// `m ← m + (1 − β₁)(g − m)`, `v ← β₂ v + (1 − β₂) g²`, `w ← w − α/(1 − β₁ᵗ) · m / (√v / √(1 − β₂ᵗ) + ε)`, after `g ← scale · g` and
/// the weight decay.
///
/// # Shapes
/// `w` the parameters, `g` their gradient, `m` and `v` the averages of g and g², zeros before the first step: of one length
///
/// # Panics
/// If the lengths differ.
///
/// Source: Kingma & Ba, "Adam", 2015, algorithm 1, as `torch.optim.Adam` computes it.
pub fn adam<T: Scalar>(settings: &Adam, w: &mut [T], g: &[T], m: &mut [T], v: &mut [T]) {
    Compiled::adam(settings, w, g, m, v)
}

/// [`adam`], compiled for each type.
pub(in crate::kernels) fn adam_body<T: Scalar>(settings: &Adam, w: &mut [T], g: &[T], m: &mut [T], v: &mut [T]) {
    assert!([g.len(), m.len(), v.len()] == [w.len(); 3], "adam: lengths of parameters, gradient and averages");
    let f = settings.factors();
    let task = |(((w, g), m), v)| dispatch(AdamPass { f, w, g, m, v });
    if w.len() < MIN_PARALLEL {
        return task((((w, g), m), v));
    }
    let weights = w.chunks_mut(CHUNK).zip(g.chunks(CHUNK));
    for_each(true, weights.zip(m.chunks_mut(CHUNK)).zip(v.chunks_mut(CHUNK)), task);
}

struct SgdPass<'a, T> {
    scale: T,
    decay: T,
    learning_rate: T,
    w: &'a mut [T],
    g: &'a [T],
}

impl<T: Scalar> Pass for SgdPass<'_, T> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        for (w, &g) in self.w.iter_mut().zip(self.g) {
            let g = g * self.scale + *w * self.decay;
            *w -= self.learning_rate * g;
        }
    }
}

struct MomentumPass<'a, T> {
    step: SgdPass<'a, T>,
    momentum: T,
    nesterov: bool,
    u: &'a mut [T],
}

impl<T: Scalar> Pass for MomentumPass<'_, T> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        let SgdPass { scale, decay, learning_rate, w, g } = self.step;
        for ((w, &g), u) in w.iter_mut().zip(g).zip(self.u) {
            let g = g * scale + *w * decay;
            *u = self.momentum * *u + g;
            let d = if self.nesterov { g + self.momentum * *u } else { *u };
            *w -= learning_rate * d;
        }
    }
}

/// `w ← w − α·u` with `u ← μ·u + g`, after `g ← scale · g + λ·w`; with `nesterov`, `w ← w − α·(g + μ·u)`.
///
/// # Shapes
/// `w` the parameters, `g` their gradient, `u` the velocity (zeros before the first step; may be empty if μ = 0): of one length
///
/// # Panics
/// If the lengths differ.
///
/// Source: Sutskever et al., "On the importance of initialization and momentum in deep learning", 2013, as `torch.optim.SGD`
/// writes it (the learning rate outside the velocity).
pub fn sgd<T: Scalar>(settings: &Sgd, w: &mut [T], g: &[T], u: &mut [T]) {
    Compiled::sgd(settings, w, g, u)
}

/// [`sgd`], compiled for each type.
pub(in crate::kernels) fn sgd_body<T: Scalar>(settings: &Sgd, w: &mut [T], g: &[T], u: &mut [T]) {
    assert_eq!(w.len(), g.len(), "sgd: lengths of parameters and gradient");
    let (momentum, nesterov) = (T::of(settings.momentum), settings.nesterov);
    let (scale, decay) = (T::of(settings.gradient_scale), T::of(settings.weight_decay));
    let learning_rate = T::of(settings.learning_rate);
    let plain = |(w, g)| SgdPass { scale, decay, learning_rate, w, g };
    if settings.momentum == 0.0 {
        let task = |slices| dispatch(plain(slices));
        return match w.len() {
            0..MIN_PARALLEL => task((w, g)),
            _ => for_each(true, w.chunks_mut(CHUNK).zip(g.chunks(CHUNK)), task),
        };
    }
    assert_eq!(w.len(), u.len(), "sgd: lengths of parameters and velocity");
    let task = |(slices, u)| dispatch(MomentumPass { step: plain(slices), momentum, nesterov, u });
    match w.len() {
        0..MIN_PARALLEL => task(((w, g), u)),
        _ => for_each(true, w.chunks_mut(CHUNK).zip(g.chunks(CHUNK)).zip(u.chunks_mut(CHUNK)), task),
    }
}

struct Average<'a, T>(&'a mut [T], &'a [T], T);
impl<T: Scalar> Pass for Average<'_, T> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        for (average, &w) in self.0.iter_mut().zip(self.1) {
            *average = lerp(*average, w, self.2);
        }
    }
}

/// `a ← a + (1 − decay)(w − a)`: the exponential moving average of parameters.
///
/// # Panics
/// If the lengths differ.
pub fn moving_average<T: Scalar>(average: &mut [T], w: &[T], decay: f64) {
    Compiled::moving_average(average, w, decay)
}

/// [`moving_average`], compiled for each type.
pub(in crate::kernels) fn moving_average_body<T: Scalar>(average: &mut [T], w: &[T], decay: f64) {
    assert_eq!(average.len(), w.len(), "moving_average: lengths of average and parameters");
    let task = |(average, w)| dispatch(Average(average, w, T::of(1.0 - decay)));
    match w.len() {
        0..MIN_PARALLEL => task((average, w)),
        _ => for_each(true, average.chunks_mut(CHUNK).zip(w.chunks(CHUNK)), task),
    }
}

#[cfg(test)]
mod tests;
