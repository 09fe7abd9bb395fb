//! An op of your own: written in ten lines, checked in one, used to fit a line through data with outliers. No layer is needed.
//!
//! `cargo run --release --example 03_your_own_op`; the text beside it is `docs/book/03-gradient-checking.md`.

use autograd::gradcheck::{Case, real};
use autograd::nn::Param;
use autograd::optim::{Adam, Decay, Optimizer, Update};
use autograd::random::Streams;
use autograd::{Scalar, Tensor, module};
use rand::RngExt;

/// `z = ln cosh x`, a loss that is quadratic near zero and linear far away. `∂x = g ⊙ tanh x`. Saves x (shared, not copied).
///
/// Computed as `|x| + ln(1 + exp(−2|x|)) − ln 2`, which does not overflow.
#[track_caller]
fn ln_cosh<T: Scalar>(x: &Tensor<T>) -> Tensor<T> {
    let saved = x.value().clone();
    let f = |x: T| x.abs() + (T::of(-2.0) * x.abs()).exp().ln_1p() - T::of(std::f64::consts::LN_2);
    Tensor::from_op("ln_cosh", x.value().mapv(f), [x], move |g, [dx]| dx.add(|| g * saved.mapv(|x| x.tanh())))
}

/// The same with a mistake that is easy to make: the rule forgets the gradient that comes from above.
#[track_caller]
fn ln_cosh_wrong(x: &Tensor<f64>) -> Tensor<f64> {
    let saved = x.value().clone();
    Tensor::from_op("ln_cosh_wrong", x.value().mapv(|x| x.cosh().ln()), [x], move |_, [dx]| {
        dx.add(|| saved.mapv(f64::tanh))
    })
}

/// `y = a·x + b`.
struct Line<T> {
    a: Param<T>,
    b: Param<T>,
}

module!(Line { a, b });

fn fit(x: &Tensor<f64>, y: &Tensor<f64>, loss: impl Fn(&Tensor<f64>) -> Tensor<f64>) -> (f64, f64) {
    let zero = || Param::new(ndarray::arr1(&[0.0]).into_dyn());
    let mut line = Line { a: zero(), b: zero() };
    let mut adam = Adam::new(Decay::None);
    for _ in 0..800 {
        let residual = &(x * &*line.a) + &*line.b - y;
        let gradients = loss(&residual).mean().backward();
        adam.update(&mut line, &gradients, Update { learning_rate: 0.05, gradient_factor: 1.0 });
    }
    (line.a.values()[0], line.b.values()[0])
}

fn main() {
    // 1. Checked: every element of the Jacobian, over four memory layouts.
    let right = Case::new("ln_cosh", &[real(&[2, 3])], |x| ln_cosh(&x[0])).check();
    println!("{right}");
    assert!(right.passed());

    // 2. A mistake is named. A sum hides it (the gradient from above is 1); the full Jacobian does not.
    let wrong = Case::new("ln_cosh_wrong", &[real(&[2, 3])], |x| ln_cosh_wrong(&x[0])).check();
    println!("{wrong}");
    assert!(!wrong.passed());

    // 3. Used: thirty points on y = 2x − 1, every tenth thrown far off.
    let mut noise = Streams::new(7).stream("noise");
    let xs: Vec<f64> = (0..30).map(|i| f64::from(i) / 10.0).collect();
    let off = |i: usize| if i % 10 == 4 { 15.0 } else { 0.0 };
    let ys = xs.iter().enumerate().map(|(i, x)| 2.0 * x - 1.0 + off(i) + 0.2 * (noise.random::<f64>() - 0.5)).collect();
    let (x, y) = (Tensor::from_vec(xs, &[30]), Tensor::from_vec(ys, &[30]));
    let (a, b) = fit(&x, &y, |r| r * r);
    println!("\nleast squares   y = {a:.3}·x {b:+.3}   pulled up by the outliers");
    let (a, b) = fit(&x, &y, ln_cosh);
    println!("least ln cosh   y = {a:.3}·x {b:+.3}   near the line they were drawn from, 2·x −1");
    assert!((a - 2.0).abs() < 0.2 && (b + 1.0).abs() < 0.5);
}
