//! exp, tanh and sigmoid against `f64`, at the edges of the format, and across instruction sets.

use super::dispatch::{Isa, dispatch_to};
use super::*;

type OnSlice = fn(&mut [f32]);
type Exact = fn(f64) -> f64;

fn sigmoid64(x: f64) -> f64 {
    <f64 as Math>::sigmoid_lane(x)
}

/// Every 1009th float (a prime, so all patterns of low bits occur): negative and positive, subnormal, infinite and NaN.
fn dense_grid() -> Vec<f32> {
    let edges =
        [0.0, -0.0, f32::INFINITY, f32::NEG_INFINITY, f32::NAN, f32::MAX, f32::MIN, f32::MIN_POSITIVE, 1e-45, -1e-45];
    let thresholds =
        [88.722_83, 88.722_84, 89.0, -87.336_54, -87.336_55, -103.972_08, -103.972_09, -104.0, 40.0, -40.0, 9.01, 0.5];
    (0..=u32::MAX).step_by(1009).map(f32::from_bits).chain(edges).chain(thresholds).collect()
}

/// Distance from the exact value in units of the last place of its rounding, as Muller's handbook counts.
fn ulps(got: f32, exact: f64) -> f64 {
    let rounded = exact as f32;
    if got == rounded || (got.is_nan() && exact.is_nan()) {
        // Also the only way to agree on infinity.
        return if rounded.is_finite() { ((f64::from(got) - exact) / ulp(rounded)).abs() } else { 0.0 };
    }
    if rounded.is_infinite() || !got.is_finite() {
        return f64::INFINITY;
    }
    ((f64::from(got) - exact) / ulp(rounded)).abs()
}

fn ulp(x: f32) -> f64 {
    let x = x.abs().min(f32::MAX);
    let below = f32::from_bits(x.to_bits().max(1) - 1);
    let above = f32::from_bits(x.to_bits() + 1);
    if above.is_finite() { f64::from(above) - f64::from(x) } else { f64::from(x) - f64::from(below) }
}

fn worst(on_slice: OnSlice, exact: Exact, xs: &[f32]) -> (f64, f32) {
    let mut ys = xs.to_vec();
    on_slice(&mut ys);
    let errors = xs.iter().zip(&ys).map(|(&x, &y)| (ulps(y, exact(f64::from(x))), x));
    errors.fold((0.0, 0.0), |worst, this| if this.0 > worst.0 { this } else { worst })
}

#[test]
fn the_stated_error_bounds_hold_on_a_dense_grid_of_all_floats() {
    let grid = dense_grid();
    let functions: [(&str, OnSlice, Exact, f64); 3] = [
        ("exp", f32::exp_slice, f64::exp, 1.1),
        ("sigmoid", f32::sigmoid_slice, sigmoid64, 2.5),
        ("tanh", f32::tanh_slice, f64::tanh, 2.5),
    ];
    for (name, on_slice, exact, bound) in functions {
        let (error, at) = worst(on_slice, exact, &grid);
        assert!(error <= bound, "{name}: {error} ULP at {at:e}");
    }
}

#[test]
fn every_instruction_set_gives_the_same_bits() {
    let grid = dense_grid();
    let on = |isa| {
        let (mut e, mut t, mut s) = (grid.clone(), grid.clone(), grid.clone());
        dispatch_to(isa, Exp(&mut e));
        dispatch_to(isa, Tanh(&mut t));
        dispatch_to(isa, Sigmoid(&mut s));
        // A NaN is a NaN: IEEE 754 leaves its payload open.
        [e, t, s].concat().into_iter().map(|x| if x.is_nan() { u32::MAX } else { x.to_bits() }).collect::<Vec<_>>()
    };
    let portable = on(Isa::Portable);
    for isa in Isa::available() {
        assert!(on(isa) == portable, "{isa:?} differs from the portable path");
    }
}

#[test]
fn one_element_at_a_time_gives_the_same_bits_as_slices_of_any_length() {
    let xs: Vec<f32> = (-40..40).map(|i| i as f32 * 0.37).collect();
    for length in 0..xs.len() {
        let mut ys = xs[..length].to_vec();
        f32::exp_slice(&mut ys);
        assert_eq!(ys, xs[..length].iter().map(|&x| f32::exp_lane(x)).collect::<Vec<_>>());
    }
}

#[test]
fn tanh_is_odd_and_within_one_and_sigmoid_within_zero_and_one() {
    for x in dense_grid().into_iter().filter(|x| !x.is_nan()) {
        let t = f32::tanh_lane(x);
        assert_eq!(t.to_bits(), (-f32::tanh_lane(-x)).to_bits(), "tanh is not odd at {x:e}");
        assert!(t.abs() <= 1.0, "tanh({x:e}) = {t}");
        let s = f32::sigmoid_lane(x);
        assert!((0.0..=1.0).contains(&s), "sigmoid({x:e}) = {s}");
    }
}

#[test]
fn zeros_infinities_and_nan_are_exact() {
    let (zero, inf) = (0.0f32, f32::INFINITY);
    assert_eq!([f32::exp_lane(-inf), f32::exp_lane(-zero), f32::exp_lane(inf)], [0.0, 1.0, inf]);
    assert_eq!([f32::sigmoid_lane(-inf), f32::sigmoid_lane(zero), f32::sigmoid_lane(inf)], [0.0, 0.5, 1.0]);
    assert_eq!([f32::tanh_lane(-inf), f32::tanh_lane(inf)], [-1.0, 1.0]);
    assert_eq!([f32::tanh_lane(zero).to_bits(), f32::tanh_lane(-zero).to_bits()], [zero.to_bits(), (-zero).to_bits()]);
    assert!(
        f32::exp_lane(f32::NAN).is_nan() && f32::tanh_lane(f32::NAN).is_nan() && f32::sigmoid_lane(f32::NAN).is_nan()
    );
}

#[test]
fn double_precision_sigmoid_neither_overflows_nor_cancels() {
    assert_eq!([-800.0, 0.0, 800.0].map(f64::sigmoid_lane), [0.0, 0.5, 1.0]);
    let small = f64::sigmoid_lane(-700.0);
    assert!((small / (-700.0f64).exp() - 1.0).abs() < 1e-15);
}
