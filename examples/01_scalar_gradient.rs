//! The gradient of one scalar function three ways: by hand, by a tape of numbers, by the engine. No network yet.
//!
//! `cargo run --release --example 01_scalar_gradient`; the text beside it is `docs/book/01-reverse-mode.md`.

use autograd::Tensor;

/// `f(x, y) = (x·y + sin x)·y`.
fn f(x: f64, y: f64) -> f64 {
    (x * y + x.sin()) * y
}

/// The derivatives that a person writes down: `∂f/∂x = (y + cos x)·y`, `∂f/∂y = 2xy + sin x`.
fn by_hand(x: f64, y: f64) -> [f64; 2] {
    [(y + x.cos()) * y, 2.0 * x * y + x.sin()]
}

/// The same by reverse mode with nothing but numbers: first the values in order, then their adjoints `v̄ = ∂f/∂v` in reverse.
fn by_tape(x: f64, y: f64) -> [f64; 2] {
    let product = x * y;
    let sine = x.sin();
    let sum = product + sine;
    // f = sum·y
    let (mut x_bar, mut y_bar) = (0.0, 0.0);
    let f_bar = 1.0;
    let sum_bar = f_bar * y;
    y_bar += f_bar * sum;
    let (product_bar, sine_bar) = (sum_bar, sum_bar);
    x_bar += sine_bar * x.cos();
    x_bar += product_bar * y; // x is used twice, so its adjoint has two parts
    y_bar += product_bar * x;
    [x_bar, y_bar]
}

/// The same by the engine, which records the four operations and sweeps back through them.
fn by_engine(x: f64, y: f64) -> [f64; 2] {
    let (x, y) = (Tensor::scalar(x).tracked(), Tensor::scalar(y).tracked());
    let f = (&x * &y + x.sin()) * &y;
    let gradients = f.backward();
    [&x, &y].map(|leaf| gradients.of(leaf).expect("f depends on both").sum())
}

/// Two evaluations per input: what differences measure, good to about ten digits.
fn by_differences(x: f64, y: f64) -> [f64; 2] {
    let h = 1e-5;
    [(f(x + h, y) - f(x - h, y)) / (2.0 * h), (f(x, y + h) - f(x, y - h)) / (2.0 * h)]
}

fn main() {
    let (x, y) = (0.7, -1.3);
    println!("f(x, y) = (x·y + sin x)·y at x = {x}, y = {y}: {:.12}\n", f(x, y));
    println!("{:<14} {:>18} {:>18}", "", "∂f/∂x", "∂f/∂y");
    let ways: [(&str, [f64; 2]); 4] = [
        ("by hand", by_hand(x, y)),
        ("by tape", by_tape(x, y)),
        ("by engine", by_engine(x, y)),
        ("by differences", by_differences(x, y)),
    ];
    for (name, [dx, dy]) in ways {
        println!("{name:<14} {dx:>18.14} {dy:>18.14}");
        assert!((dx - ways[0].1[0]).abs() < 1e-9 && (dy - ways[0].1[1]).abs() < 1e-9, "{name} disagrees");
    }
    println!("\nThe first three agree to rounding; differences lose the last digits, which is why they only check.");
}
