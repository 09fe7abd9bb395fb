//! What every layer owes, held for all of them: PyTorch's names and shapes, a gradient for every parameter, gradients that agree
//! with differences, and an initial distribution that is the documented one.
//!
//! A layer is a line of [`layers`]; `tests/tidy` finds one that has none. Not the place for what is true of one layer alone (that
//! a fused sequence equals its composed form): that stands beside the layer. The list makes the file longer than one sitting; each line is
//! read by itself.

use autograd::Tensor;
use autograd::nn::{
    CausalConv1d, Conv2d, DiagonalBiLstm, DiagonalLstm, Embedding, Gru, LayerNorm, Linear, Lstm, Mask, MaskedConv2d,
    Module, RmsNorm, RowLstm, SelfAttention,
};
use autograd::random::{Stream, Streams};
use autograd::{Convolution, Heads};
use ndarray::ArrayD;
use std::f64::consts::TAU;

/// What a parameter is drawn from before training.
#[derive(Clone, Copy, Debug)]
enum Initial {
    /// U(−bound, bound).
    Uniform(f64),
    /// N(0, std²).
    Normal(f64),
    /// Always this.
    Constant(f64),
}
use Initial::{Constant, Normal, Uniform};

/// A parameter as PyTorch's `state_dict` has it, and what it begins as.
type Parameter = (&'static str, &'static [usize], Initial);

/// A layer, whichever it is.
type AnyModule = Box<dyn Module<f64>>;

/// Makes a layer.
type Make = dyn Fn(&mut Stream) -> AnyModule;

/// What is added to an element of a parameter: parameter, element, amount. None for the layer as it was made.
type Change = Option<(usize, usize, f64)>;

/// `⟨seed, forward(x)⟩` of a layer with one element changed, and that layer.
type Score = dyn Fn(&Tensor<f64>, Change) -> (Tensor<f64>, AnyModule);

/// A layer in f64, as the checks see it.
struct Layer {
    /// The name of its type.
    name: &'static str,
    /// What it must own, in order.
    parameters: &'static [Parameter],
    new: Box<Make>,
    score: Box<Score>,
    /// The shape of x; (0) for a layer that reads symbols.
    input: &'static [usize],
}

/// A layer: its type's name, its parameters in order, the shape of its input, how it is made, and what it gives.
fn layer<M: Module<f64> + 'static>(
    name: &'static str,
    parameters: &'static [Parameter],
    input: &'static [usize],
    new: impl Fn(&mut Stream) -> M + Copy + 'static,
    forward: impl Fn(&M, &Tensor<f64>) -> Tensor<f64> + 'static,
) -> Layer {
    let score = move |x: &Tensor<f64>, change: Change| {
        let mut module = new(&mut Streams::new(1).stream("init"));
        if let Some((parameter, element, amount)) = change {
            module.parameters_mut()[parameter].1.values_mut()[element] += amount;
        }
        let z = forward(&module, x);
        let seed = Tensor::new(wave(z.shape(), 0.3));
        ((&z * &seed).sum(), Box::new(module) as AnyModule)
    };
    let new = move |stream: &mut Stream| Box::new(new(stream)) as AnyModule;
    Layer { name, parameters, new: Box::new(new), score: Box::new(score), input }
}

/// Every layer. Sizes are such that no two axes can be mistaken for each other.
fn layers() -> Vec<Layer> {
    // 1/√4 and 1/√3 are the documented bounds: PyTorch's of in = 4, and of H = 3.
    const LINEAR: Initial = Uniform(0.5);
    const RECURRENT: Initial = Uniform(0.577_350_269_189_625_8);
    const POINT: Initial = Uniform(std::f64::consts::FRAC_1_SQRT_2);
    const PAIR: Initial = Uniform(0.408_248_290_463_863);
    vec![
        layer(
            "Linear",
            &[("weight", &[3, 4], LINEAR), ("bias", &[3], LINEAR)],
            &[2, 4],
            |stream| Linear::new(4, 3, stream),
            |linear, x| linear.forward(x),
        ),
        layer(
            "Embedding",
            &[("weight", &[3, 4], Normal(1.0))],
            &[0],
            |stream| Embedding::new(3, 4, stream),
            |embedding, _| embedding.forward(&[2, 0, 2, 1], &[2, 2]),
        ),
        layer(
            "LayerNorm",
            &[("weight", &[5], Constant(1.0)), ("bias", &[5], Constant(0.0))],
            &[2, 5],
            |_| LayerNorm::new(5),
            |norm, x| norm.forward(x),
        ),
        layer(
            "SelfAttention",
            &[
                ("qkv.weight", &[8, 4], LINEAR),
                ("qkv.bias", &[8], LINEAR),
                ("proj.weight", &[4, 4], LINEAR),
                ("proj.bias", &[4], LINEAR),
            ],
            &[2, 3, 4],
            |stream| SelfAttention {
                qkv: Linear::new(4, 8, stream),
                proj: Linear::new(4, 4, stream),
                heads: Heads { queries: 2, keys: 1, width: 2 },
                causal: true,
                rotary: Some(100.0),
            },
            |attention, x| attention.forward(x),
        ),
        layer("RmsNorm", &[("weight", &[5], Constant(1.0))], &[2, 5], |_| RmsNorm::new(5), |norm, x| norm.forward(x)),
        // 1/√(2 · 2 · 3) and 1/√(2 · 3); of a masked layer's 3 × 5 places, 2 · 7 inputs are seen.
        layer(
            "Conv2d",
            &[
                ("weight", &[3, 2, 2, 3], Uniform(0.288_675_134_594_812_9)),
                ("bias", &[3], Uniform(0.288_675_134_594_812_9)),
            ],
            &[2, 2, 4, 5],
            |stream| Conv2d::new(2, 3, [2, 3], Convolution::default().padded([1, 0], [1, 1]), stream),
            |conv, x| conv.forward(x),
        ),
        layer(
            "MaskedConv2d",
            &[
                ("weight", &[4, 2, 3, 5], Uniform(0.267_261_241_912_424_4)),
                ("bias", &[4], Uniform(0.267_261_241_912_424_4)),
            ],
            &[2, 2, 3, 4],
            |stream| MaskedConv2d::new(Mask::A, [2, 4], [3, 5], 1, stream),
            |conv, x| conv.forward(x),
        ),
        layer(
            "CausalConv1d",
            &[("weight", &[4, 2, 3], Uniform(0.408_248_290_463_863)), ("bias", &[4], Uniform(0.408_248_290_463_863))],
            &[2, 2, 7],
            |stream| CausalConv1d::new(2, 4, 3, 2, stream),
            |conv, x| conv.forward(x),
        ),
        layer(
            "Gru",
            &[
                ("weight_ih_l0", &[9, 2], RECURRENT),
                ("weight_hh_l0", &[9, 3], RECURRENT),
                ("bias_ih_l0", &[9], RECURRENT),
                ("bias_hh_l0", &[9], RECURRENT),
                ("weight_ih_l1", &[9, 3], RECURRENT),
                ("weight_hh_l1", &[9, 3], RECURRENT),
                ("bias_ih_l1", &[9], RECURRENT),
                ("bias_hh_l1", &[9], RECURRENT),
            ],
            &[2, 4, 2],
            |stream| Gru::new(2, 3, 2, 0.0, stream),
            |gru, x| gru.forward(x, None, None).0,
        ),
        layer(
            "Lstm",
            &[
                ("weight_ih_l0", &[12, 2], RECURRENT),
                ("weight_hh_l0", &[12, 3], RECURRENT),
                ("bias_ih_l0", &[12], RECURRENT),
                ("bias_hh_l0", &[12], RECURRENT),
                ("weight_ih_l1", &[12, 3], RECURRENT),
                ("weight_hh_l1", &[12, 3], RECURRENT),
                ("bias_ih_l1", &[12], RECURRENT),
                ("bias_hh_l1", &[12], RECURRENT),
            ],
            &[2, 4, 2],
            |stream| Lstm::new(2, 3, 2, 0.0, stream),
            |lstm, x| lstm.forward(x, None, None).0,
        ),
        // 1/√(2 · 2) of the places under the mask, 1/√(3 · 3) of the state; below 1/√2 and 1/√(3 · 2).
        layer(
            "RowLstm",
            &[
                ("input_to_state.weight", &[12, 2, 1, 3], LINEAR),
                ("input_to_state.bias", &[12], LINEAR),
                ("weight_hh", &[12, 3, 3], Uniform(0.333_333_333_333_333_3)),
            ],
            &[2, 2, 3, 4],
            |stream| RowLstm::new([2, 3], 3, 1, stream),
            |lstm, x| lstm.forward(x),
        ),
        layer(
            "DiagonalLstm",
            &[
                ("input_to_state.weight", &[12, 2, 1, 1], POINT),
                ("input_to_state.bias", &[12], POINT),
                ("weight_hh", &[12, 3, 2], PAIR),
            ],
            &[2, 2, 3, 4],
            |stream| DiagonalLstm::new([2, 3], true, 1, stream),
            |lstm, x| lstm.forward(x),
        ),
        layer(
            "DiagonalBiLstm",
            &[
                ("left.input_to_state.weight", &[12, 2, 1, 1], POINT),
                ("left.input_to_state.bias", &[12], POINT),
                ("left.weight_hh", &[12, 3, 2], PAIR),
                ("right.input_to_state.weight", &[12, 2, 1, 1], POINT),
                ("right.input_to_state.bias", &[12], POINT),
                ("right.weight_hh", &[12, 3, 2], PAIR),
            ],
            &[2, 2, 3, 4],
            |stream| DiagonalBiLstm::new([2, 3], 1, stream),
            |lstm, x| lstm.forward(x),
        ),
    ]
}

/// Numbers without a pattern that a sum would cancel.
fn wave(shape: &[usize], phase: f64) -> ArrayD<f64> {
    let len = shape.iter().product();
    let values = (0..len).map(|i| (1.7 * i as f64 + phase).sin() + 0.3 * (0.9 * i as f64).cos()).collect();
    ArrayD::from_shape_vec(shape, values).expect("as many as the shape has")
}

#[test]
fn parameters_have_the_names_shapes_and_order_of_pytorchs_state_dict() {
    for layer in layers() {
        let module = (layer.new)(&mut Streams::new(1).stream("init"));
        let found: Vec<(String, Vec<usize>)> =
            module.parameters().into_iter().map(|(name, param)| (name, param.shape().to_vec())).collect();
        let expected: Vec<_> =
            layer.parameters.iter().map(|(name, shape, _)| (name.to_string(), shape.to_vec())).collect();
        assert_eq!(found, expected, "{}", layer.name);
    }
}

#[test]
fn every_parameter_and_the_input_get_a_gradient_that_is_not_zero() {
    for layer in layers() {
        let x = Tensor::new(wave(layer.input, 0.0)).tracked();
        let (score, module) = (layer.score)(&x, None);
        let gradients = score.backward();
        for (name, param) in module.parameters() {
            let gradient = gradients.of(param).unwrap_or_else(|| panic!("{}.{name} has no gradient", layer.name));
            assert!(gradient.iter().any(|&g| g != 0.0), "{}.{name}: its gradient is zero", layer.name);
        }
        assert!(layer.input == [0] || gradients.of(&x).is_some(), "{}: x has no gradient", layer.name);
    }
}

/// Five-point differences of one number, as `gradcheck` takes them.
fn differences(f: impl Fn(f64) -> f64) -> f64 {
    let h = 1e-3;
    (8.0 * (f(h) - f(-h)) - (f(2.0 * h) - f(-2.0 * h))) / (12.0 * h)
}

#[test]
fn gradients_of_every_parameter_and_of_the_input_agree_with_differences() {
    let agree = |analytic: f64, numeric: f64, what: &dyn Fn() -> String| {
        let error = (analytic - numeric).abs() / analytic.abs().max(numeric.abs()).max(0.01);
        assert!(error <= 1e-6, "{}: {analytic:+.9e} by the rules, {numeric:+.9e} by differences", what());
    };
    for layer in layers() {
        let values = wave(layer.input, 0.0);
        let x = Tensor::new(values.clone()).tracked();
        let (score, module) = (layer.score)(&x, None);
        let gradients = score.backward();
        for (k, (name, param)) in module.parameters().into_iter().enumerate() {
            for (i, &analytic) in gradients.of(param).expect("the test before").iter().enumerate() {
                let numeric = differences(|change| (layer.score)(&x, Some((k, i, change))).0.item());
                agree(analytic, numeric, &|| format!("{}.{name}[{i}]", layer.name));
            }
        }
        for (i, &analytic) in gradients.of(&x).into_iter().flatten().enumerate() {
            let moved = |change: f64| {
                let mut values = values.clone();
                values.as_slice_mut().expect("row-major")[i] += change;
                (layer.score)(&Tensor::new(values), None).0.item()
            };
            agree(analytic, differences(moved), &|| format!("{}: x[{i}]", layer.name));
        }
    }
}

/// The largest distance of the empirical distribution of `xs` from the distribution function `f`, times √n.
///
/// Source: Kolmogorov, 1933; above 2.23 in one case of 10,000.
fn kolmogorov(mut xs: Vec<f64>, f: impl Fn(f64) -> f64) -> f64 {
    xs.sort_by(f64::total_cmp);
    let n = xs.len() as f64;
    let distance = |(i, &x): (usize, &f64)| (f(x) - i as f64 / n).abs().max((f(x) - (i + 1) as f64 / n).abs());
    xs.iter().enumerate().map(distance).fold(0.0, f64::max) * n.sqrt()
}

/// Φ, by the trapezoidal rule for its density from −8: exact to 10⁻⁶, which no sample here can tell from none.
fn normal_distribution(x: f64) -> f64 {
    const STEPS: i32 = 400;
    let h = (x + 8.0) / f64::from(STEPS);
    let density = |i: i32| (-0.5 * (f64::from(i) * h - 8.0).powi(2)).exp() / TAU.sqrt();
    h * ((1..STEPS).map(density).sum::<f64>() + 0.5 * (density(0) + density(STEPS)))
}

#[test]
fn parameters_begin_with_the_documented_distribution() {
    for layer in layers() {
        let mut stream = Streams::new(2).stream("init");
        let made: Vec<_> = (0..3000).map(|_| (layer.new)(&mut stream)).collect();
        for (k, (name, _, initial)) in layer.parameters.iter().enumerate() {
            let all = made.iter().flat_map(|module| module.parameters()[k].1.values().to_vec());
            let xs: Vec<f64> = all.collect();
            let (far, what) = match *initial {
                Constant(c) => {
                    assert!(xs.iter().all(|&x| x == c), "{}.{name} is not always {c}", layer.name);
                    continue;
                }
                Uniform(bound) => (kolmogorov(xs, |x| ((x / bound + 1.0) / 2.0).clamp(0.0, 1.0)), "uniform"),
                Normal(std) => (kolmogorov(xs, |x| normal_distribution(x / std)), "normal"),
            };
            assert!(far < 2.23, "{}.{name} is not {initial:?}: {far:.2} from {what}", layer.name);
        }
    }
}
