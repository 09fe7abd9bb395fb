//! Tests of functions of one element: NaN, limits at huge and infinite elements, no overflow and no cancellation.

use super::*;

const INF: f64 = f64::INFINITY;
const NAN: f64 = f64::NAN;

#[test]
fn softplus_does_not_overflow() {
    let z = Tensor::from_vec(vec![-1e4_f32, 0.0, 1e4], &[3]).softplus().to_vec();
    assert_eq!(z, [0.0, std::f32::consts::LN_2, 1e4]);
}

#[test]
fn nan_gives_nan() {
    let x = Tensor::scalar(f64::NAN);
    for z in [x.exp(), x.tanh(), x.sigmoid(), x.relu(), x.ln(), x.sqrt(), x.abs(), x.powi(2), x.sin(), x.cos()] {
        assert!(z.item().is_nan());
    }
    assert!(
        [x.softplus(), x.silu(), x.gelu(), x.gelu_tanh(), x.log_sigmoid(), x.clamp(0.0, 1.0)]
            .iter()
            .all(|z| z.item().is_nan())
    );
}

type Function<T> = fn(&Tensor<T>) -> Tensor<T>;

/// (f(x), f'(x)).
fn at<T: Scalar>(f: Function<T>, x: T) -> (T, T) {
    let x = Tensor::scalar(x).tracked();
    let z = f(&x);
    (z.item(), z.backward().of(&x).unwrap().sum())
}

fn assert_limits<T: Scalar>() {
    let [zero, one, inf] = [T::zero(), T::one(), T::infinity()];
    let huge = [T::of(1e19), T::of(1e20), T::of(1e38), T::max_value(), inf];
    for x in huge {
        // As x → −∞, and as x → ∞.
        type Limits<T> = (&'static str, Function<T>, (T, T), (T, T));
        let functions: [Limits<T>; 10] = [
            ("exp", Tensor::exp, (zero, zero), (inf, inf)),
            ("tanh", Tensor::tanh, (-one, zero), (one, zero)),
            ("sigmoid", Tensor::sigmoid, (zero, zero), (one, zero)),
            ("relu", Tensor::relu, (zero, zero), (x, one)),
            ("softplus", Tensor::softplus, (zero, zero), (x, one)),
            ("silu", Tensor::silu, (zero, zero), (x, one)),
            ("gelu", Tensor::gelu, (zero, zero), (x, one)),
            ("gelu_tanh", Tensor::gelu_tanh, (zero, zero), (x, one)),
            ("abs", Tensor::abs, (x, -one), (x, one)),
            ("clamp", |x| x.clamp(T::of(-2.0), T::of(3.0)), (T::of(-2.0), zero), (T::of(3.0), zero)),
        ];
        for (name, f, left, right) in functions {
            assert_eq!((at(f, -x), at(f, x)), (left, right), "{name}(±{x:e})");
        }
    }
    let tiny = T::of(1e-30);
    for f in [Tensor::silu as Function<T>, Tensor::gelu, Tensor::gelu_tanh] {
        let half = T::of(0.5);
        assert_eq!((at(f, tiny), at(f, -tiny)), ((half * tiny, half), (-half * tiny, half)));
    }
    assert_eq!((at(Tensor::ln, zero), at(Tensor::ln, -zero)), ((-inf, inf), (-inf, -inf)));
    assert_eq!(
        (at(Tensor::ln, inf), at(Tensor::sqrt, inf), at(Tensor::sqrt, zero)),
        ((inf, zero), (inf, zero), (zero, inf))
    );
    assert_eq!((at(Tensor::abs, zero).1, at(Tensor::abs, -zero).1), (zero, zero));
    assert_eq!((at(|x| x.powi(0), inf), at(|x| x.powi(1), inf)), ((one, zero), (inf, one)));
    assert_eq!((at(|x| x.powi(-1), zero), at(|x| x.powi(-1), -inf)), ((inf, -inf), (zero, zero)));
    assert_eq!(at(|x| x.powi(i32::MIN), one), (one, T::of(f64::from(i32::MIN))));
    assert_eq!(at(|x| x.powi(i32::MIN), T::of(-2.0)), (zero, zero));
    for f in [Tensor::ln as Function<T>, Tensor::sqrt, Tensor::sin, Tensor::cos] {
        assert!(at(f, -inf).0.is_nan());
    }
}

#[test]
fn functions_and_derivatives_have_their_limits_at_huge_tiny_and_infinite_elements() {
    assert_limits::<f32>();
    assert_limits::<f64>();
}

#[test]
#[should_panic(expected = "clamp: bounds 2 and 1 of a tensor of shape [3]")]
fn bounds_that_leave_nothing_are_refused() {
    Tensor::<f32>::zeros(&[3]).clamp(2.0, 1.0);
}

/// `f` and its derivative at each of the points.
fn at_each<const N: usize>(points: [f64; N], f: Function<f64>) -> [[f64; N]; 2] {
    let pairs = points.map(|x| at(f, x));
    [pairs.map(|pair| pair.0), pairs.map(|pair| pair.1)]
}

#[test]
fn log1mexp_neither_overflows_nor_cancels() {
    let [z, d] = at_each([1e-300, 1e-20, 0.5, 0.693, 0.694, 40.0, 1000.0, INF], Tensor::log1mexp);
    // Of tiny x it is ln x, of large ones −exp(−x); in between both forms are exact to a few units in the last place.
    let expected = [1e-300_f64.ln(), 1e-20_f64.ln(), (1.0 - (-0.5_f64).exp()).ln()];
    z[..3].iter().zip(expected).for_each(|(z, e)| approx::assert_relative_eq!(*z, e, max_relative = 1e-14));
    assert!(z[3] < z[4] && (z[4] - z[3] - 0.001).abs() < 1e-5, "the two forms meet at ln 2: {z:?}");
    approx::assert_relative_eq!(z[5], -(-40.0_f64).exp(), max_relative = 1e-14);
    assert_eq!((z[6], z[7], d[7]), (0.0, 0.0, 0.0));
    approx::assert_relative_eq!(d[1], 1e20, max_relative = 1e-14);
    let [z, d] = at_each([0.0, -1.0, NAN], Tensor::log1mexp);
    assert!(z[0] == -INF && d[0] == INF && z[1].is_nan() && z[2].is_nan(), "{z:?} {d:?}");
}

#[test]
fn log_sigmoid_neither_overflows_nor_cancels() {
    let [z, d] = at_each([-INF, -1000.0, -40.0, 0.0, 40.0, 1000.0, INF, NAN], Tensor::log_sigmoid);
    assert_eq!(z[..4], [-INF, -1000.0, -40.0, -std::f64::consts::LN_2]);
    approx::assert_relative_eq!(z[4], -(-40.0f64).exp(), max_relative = 1e-15);
    assert!(z[5] == 0.0 && z[6] == 0.0 && z[7].is_nan());
    assert_eq!([d[0], d[1], d[3], d[5], d[6]], [1.0, 1.0, 0.5, 0.0, 0.0]);
    assert!(d[7].is_nan());
}
