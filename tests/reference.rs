//! The numbers are PyTorch's: language models, optimizers and single ops against fixtures that a committed script wrote
//! (`tests/fixtures/write_reference.py`). f64 to 10⁻¹⁰ and f32 to 10⁻⁵, measured as `|a − b| / max(1, |b|)` of each number.

#[path = "reference/fixture.rs"]
mod fixture;
#[path = "reference/gpt2.rs"]
mod gpt2;
#[path = "reference/gpts.rs"]
mod gpts;
#[path = "reference/images.rs"]
mod images;
#[path = "reference/sounds.rs"]
mod sounds;
#[path = "reference/state_dict.rs"]
mod state_dict;

use autograd::nn::{Module, RmsNorm};
use autograd::optim::{Adam, Decay, Optimizer, Sgd, Update, clip_factor, norm};
use autograd::random::Streams;
use autograd::{Gradients, Tensor};
use fixture::{Comparison, Fixture, Precision};
use models::text::language_model::{Carry, CellKind, Config, LanguageModel};
use ndarray::{ArrayD, arr0};

/// A language model of a fixture with the batch it was run on.
struct Case<T> {
    fixture: Fixture,
    model: LanguageModel<T>,
    symbols: Vec<u32>,
    targets: Vec<u32>,
    batch: usize,
    start: Carry<T>,
}

impl<T: Precision> Case<T> {
    fn read(kind: CellKind, layers: usize) -> Self {
        let stem = if kind == CellKind::Gru { "gru" } else { "lstm" };
        let fixture = Fixture::of::<T>(&format!("{stem}_{layers}"));
        let ((symbols, shape), (targets, _)) = (fixture.symbols("input.symbols"), fixture.symbols("input.targets"));
        let batch = shape[0];
        let (embedding, head) = (fixture.array::<T>("embedding.weight"), fixture.array::<T>("head.weight"));
        let config = Config {
            model: kind,
            symbols: embedding.shape()[0],
            embedding: embedding.shape()[1],
            hidden: head.shape()[1],
            layers,
            ..Config::default()
        };
        let mut model = LanguageModel::new(&config, &mut Streams::new(0).stream("init"));
        fixture.load("", &mut model);
        let state = |name: &str| Tensor::new(fixture.array::<T>(name)).tracked();
        let start = Carry { hidden: state("input.h0"), cell: (kind == CellKind::Lstm).then(|| state("input.c0")) };
        Case { model, symbols, targets, batch, start, fixture }
    }

    fn loss(&self) -> Tensor<T> {
        let (logits, _) = self.model.forward(&self.symbols, self.batch, Some(&self.start), None);
        logits.cross_entropy(&self.targets)
    }

    fn compare_forward_and_gradients(&self, compare: &mut Comparison) {
        let theirs = |name: &str| self.fixture.array::<T>(name);
        let (logits, last) = self.model.forward(&self.symbols, self.batch, Some(&self.start), None);
        let loss = logits.clone().cross_entropy(&self.targets);
        let gradients = loss.backward();
        let mut value = |name: &str, ours: &Tensor<T>| compare.close(name, &ours.value().to_owned(), &theirs(name));
        value("output.logits", &logits);
        value("output.loss", &loss);
        value("output.h_n", &last.hidden);
        last.cell.iter().for_each(|cell| value("output.c_n", cell));
        let mut gradient = |name: &str, leaf: &Tensor<T>| {
            let name = format!("grad.{name}");
            let ours = gradients.of(leaf).unwrap_or_else(|| panic!("no {name}"));
            compare.close(&name, ours, &theirs(&name));
        };
        self.model.parameters().into_iter().for_each(|(name, param)| gradient(&name, param));
        gradient("h0", &self.start.hidden);
        self.start.cell.iter().for_each(|cell| gradient("c0", cell));
    }

    /// Five steps on the same batch, the parameters compared after each that the fixture keeps.
    fn compare_steps(&self, name: &str, mut optimizer: impl Optimizer<T>, clip: Option<f64>, compare: &mut Comparison) {
        let mut case = Case::<T>::read(self.model.config.model, self.model.config.layers);
        let (mut losses, mut norms) = (Vec::new(), Vec::new());
        for step in 1..=5 {
            let loss = case.loss();
            let gradients: Gradients<T> = loss.backward();
            let norm = norm(&case.model, &gradients);
            let gradient_factor = clip.map_or(1.0, |largest| clip_factor(norm, largest));
            optimizer.update(&mut case.model, &gradients, Update { learning_rate: 1e-2, gradient_factor });
            losses.push(loss.item());
            norms.push(T::of(norm));
            for (parameter, param) in case.model.parameters() {
                let name = format!("{name}.{step}.{parameter}");
                if step == 5 || self.fixture.names().any(|kept| kept == name) {
                    compare.close(&name, &param.value().to_owned(), &self.fixture.array(&name));
                }
            }
        }
        let mut numbers = |of: &str, ours: Vec<T>| {
            let name = format!("{name}.{of}");
            compare.close(&name, &ArrayD::from_shape_vec(vec![5], ours).expect("five"), &self.fixture.array(&name));
        };
        numbers("losses", losses);
        if clip.is_some() {
            numbers("norms", norms);
        }
    }
}

fn language_model<T: Precision>(kind: CellKind) {
    for layers in [1, 2] {
        let case = Case::<T>::read(kind, layers);
        let mut compare = Comparison::default();
        case.compare_forward_and_gradients(&mut compare);
        compare.finish(&format!("{kind:?} × {layers}, {}", T::NAME));
    }
}

fn optimizers<T: Precision>(kind: CellKind) {
    for layers in [1, 2] {
        let case = Case::<T>::read(kind, layers);
        let mut compare = Comparison::default();
        case.compare_steps("adam", Adam::new(Decay::None), None, &mut compare);
        case.compare_steps("adamw", Adam::new(Decay::Matrices(0.1)), Some(1.0), &mut compare);
        case.compare_steps("sgd", Sgd::new(0.9), None, &mut compare);
        compare.finish(&format!("steps of {kind:?} × {layers}, {}", T::NAME));
    }
}

#[test]
fn a_gru_language_model_gives_pytorchs_logits_loss_states_and_every_gradient() {
    language_model::<f64>(CellKind::Gru);
    language_model::<f32>(CellKind::Gru);
}

#[test]
fn an_lstm_language_model_gives_pytorchs_logits_loss_states_and_every_gradient() {
    language_model::<f64>(CellKind::Lstm);
    language_model::<f32>(CellKind::Lstm);
}

#[test]
fn five_steps_of_adam_of_clipped_adamw_and_of_sgd_with_momentum_move_a_gru_as_pytorch_does() {
    optimizers::<f64>(CellKind::Gru);
    optimizers::<f32>(CellKind::Gru);
}

#[test]
fn five_steps_of_adam_of_clipped_adamw_and_of_sgd_with_momentum_move_an_lstm_as_pytorch_does() {
    optimizers::<f64>(CellKind::Lstm);
    optimizers::<f32>(CellKind::Lstm);
}

/// An op as a function of its differentiable arguments, in the fixture's order.
type Op<T> = Box<dyn Fn(&[Tensor<T>]) -> Tensor<T>>;

/// The ops of a fixture: name, arguments' names, and the engine's own.
type Ops<T> = Vec<(&'static str, Vec<&'static str>, Op<T>)>;

fn ops<T: Precision>(fixture: &Fixture) -> Ops<T> {
    let (targets, (symbols, leading)) =
        (fixture.symbols("cross_entropy.targets").0, fixture.symbols("embedding.symbols"));
    let leading = leading.to_vec();
    let layer_norm = |x: &[Tensor<T>]| x[0].layer_norm(&x[1], &x[2], T::of(1e-5));
    let layer_norm_plain = |x: &[Tensor<T>]| {
        let channels = &x[0].shape()[1..];
        x[0].layer_norm(&Tensor::ones(channels), &Tensor::zeros(channels), T::of(1e-5))
    };
    vec![
        ("layer_norm", vec!["input", "weight", "bias"], Box::new(layer_norm)),
        ("layer_norm_plain", vec!["input"], Box::new(layer_norm_plain)),
        ("log_softmax", vec!["input"], Box::new(|x| x[0].log_softmax())),
        ("softmax", vec!["input"], Box::new(|x| x[0].softmax())),
        ("cross_entropy", vec!["input"], Box::new(move |x| x[0].clone().cross_entropy(&targets))),
        ("gelu_erf", vec!["input"], Box::new(|x| x[0].gelu())),
        ("gelu_tanh", vec!["input"], Box::new(|x| x[0].gelu_tanh())),
        ("softplus", vec!["input"], Box::new(|x| x[0].softplus())),
        ("embedding", vec!["weight"], Box::new(move |x| x[0].embedding(&symbols, &leading))),
    ]
}

fn further_ops<T: Precision>(_: &Fixture) -> Ops<T> {
    let gt = |x: &Tensor<T>, c: f64| x.gt(&Tensor::scalar(T::of(c)));
    let le = |x: &Tensor<T>, c: f64| x.le(&Tensor::scalar(T::of(c)));
    let reversed_parts = |x: &[Tensor<T>]| {
        let parts = x[0].chunk(3, 2);
        Tensor::cat(&parts.iter().rev().collect::<Vec<_>>(), 2)
    };
    let rms_norm_default = |x: &[Tensor<T>]| RmsNorm::new(4).forward(&x[0]);
    let einsum = |subscripts| -> Op<T> { Box::new(move |x| Tensor::einsum(subscripts, &x[0], &x[1])) };
    vec![
        ("where", vec!["input", "other"], Box::new(move |x| x[0].where_else(&gt(&x[0], 0.1), &x[1]))),
        ("masked_fill", vec!["input"], Box::new(move |x| x[0].masked_fill(&le(&x[0], 0.0), T::of(-2.0)))),
        ("var_0", vec!["input"], Box::new(|x| x[0].var(&[0, 2], 0))),
        ("var_1", vec!["input"], Box::new(|x| x[0].var(&[0, 2], 1))),
        ("std_0", vec!["input"], Box::new(|x| x[0].std(&[0, 2], 0))),
        ("std_1", vec!["input"], Box::new(|x| x[0].std(&[0, 2], 1))),
        ("logsumexp", vec!["input"], Box::new(|x| x[0].logsumexp(&[0, 2]))),
        ("logsigmoid", vec!["input"], Box::new(|x| x[0].log_sigmoid())),
        ("max_dim", vec!["input"], Box::new(|x| x[0].max_axis(1))),
        ("min_dim", vec!["input"], Box::new(|x| x[0].min_axis(0))),
        ("max_all", vec!["input"], Box::new(|x| x[0].max())),
        ("min_all", vec!["input"], Box::new(|x| x[0].min())),
        ("cumsum", vec!["input"], Box::new(|x| x[0].cumsum(1))),
        ("flip", vec!["input"], Box::new(|x| x[0].flip(&[0, 2]))),
        ("chunk", vec!["input"], Box::new(reversed_parts)),
        ("index_select", vec!["input"], Box::new(|x| x[0].index_select(1, &[2, 0, 2, 2]))),
        ("einsum btnd,bsnd->bnts", vec!["input", "other"], einsum("btnd,bsnd->bnts")),
        ("einsum ijk,lk->l", vec!["input", "other"], einsum("ijk,lk->l")),
        ("einsum ij,ik->kj", vec!["input", "other"], einsum("ij,ik->kj")),
        ("rms_norm", vec!["input", "weight"], Box::new(|x| x[0].rms_norm(&x[1], T::of(1e-5)))),
        ("rms_norm_default", vec!["input"], Box::new(rms_norm_default)),
    ]
}

fn single_ops<T: Precision>(file: &str, ops: impl Fn(&Fixture) -> Ops<T>) {
    let fixture = Fixture::of::<T>(file);
    let mut compare = Comparison::default();
    for (op, arguments, apply) in ops(&fixture) {
        let theirs = |name: &str| fixture.array::<T>(&format!("{op}.{name}"));
        let leaves: Vec<Tensor<T>> = arguments.iter().map(|name| Tensor::new(theirs(name)).tracked()).collect();
        let output = apply(&leaves);
        compare.close(op, &output.value().to_owned(), &theirs("output"));
        let gradients = output.backward_with(theirs("upstream"));
        for (name, leaf) in arguments.iter().zip(&leaves) {
            let ours = gradients.of(leaf).unwrap_or_else(|| panic!("{op}: no gradient of {name}"));
            compare.close(&format!("∂{op}/∂{name}"), ours, &theirs(&format!("grad.{name}")));
        }
    }
    compare.finish(&format!("{file}, {}", T::NAME));
}

#[test]
fn single_ops_give_pytorchs_outputs_and_gradients() {
    single_ops::<f64>("ops", ops);
    single_ops::<f32>("ops", ops);
    single_ops::<f64>("further_ops", further_ops);
    single_ops::<f32>("further_ops", further_ops);
}

#[test]
fn positions_of_equal_maxima_and_minima_are_pytorchs() {
    let fixture = Fixture::of::<f32>("further_ops");
    let ties = Tensor::new(fixture.array::<f32>("ties"));
    for (name, ours) in [("ties.argmax", ties.argmax(1)), ("ties.argmin", ties.argmin(0))] {
        let (theirs, shape) = fixture.symbols(name);
        assert_eq!(ours.shape(), shape);
        assert!(ours.iter().zip(theirs).all(|(&ours, theirs)| ours == theirs as usize), "{name}: {ours:?}");
    }
}

#[test]
fn a_difference_just_above_the_tolerance_is_found() {
    let one = arr0(1.0_f64).into_dyn();
    let compare = |ours: f64| {
        let mut compare = Comparison::default();
        compare.close("one", &arr0(ours).into_dyn(), &one);
        std::panic::catch_unwind(|| compare.finish("one")).is_ok()
    };
    assert!(compare(1.0 + 0.9e-10));
    assert!(!compare(1.0 + 1.1e-10));
    assert!(!compare(f64::NAN));
}
