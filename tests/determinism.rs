//! Same seed, same bits: what training, generation and scoring compute does not depend on the number of threads.
//!
//! The models are large enough that every kernel they pass through shares its work among threads.

use autograd::Scalar;
use autograd::kernels::parallel::MIN_PARALLEL;
use autograd::nn::Module;
use autograd::optim::{Adam, Decay, Optimizer, Update, clip_factor, norm};
use autograd::random::Streams;
use models::autoregressive::Autoregressive;
use models::sampling::{Generator, Options, Sampler};
use models::text::decoder::Decoder;
use models::text::language_model::{CellKind, Config, LanguageModel};
use rand::RngExt;
use rayon::ThreadPoolBuilder;

/// What `f` gives when rayon has 1, 2, 3 and 8 threads.
fn with_threads<R: Send>(f: impl Fn() -> R + Sync) -> Vec<(usize, R)> {
    let run = |threads| {
        let pool = ThreadPoolBuilder::new().num_threads(threads).build().expect("a pool");
        (threads, pool.install(&f))
    };
    [1, 2, 3, 8].map(run).into()
}

/// What a computation gave, under its name and as bits.
type Named = (String, Vec<u64>);

/// Everything a training step computed.
type Trace = Vec<Named>;

fn bits<T: Scalar>(numbers: &[T]) -> Vec<u64> {
    numbers.iter().map(|x| x.as_f64().to_bits()).collect()
}

/// Three steps of clipped AdamW with dropout, from one seed: losses, every gradient and the parameters after the last.
fn train<T: Scalar>(config: &Config, batch: usize, time: usize) -> Trace {
    let streams = Streams::new(17);
    let mut model = LanguageModel::<T>::new(config, &mut streams.stream("init"));
    let (mut data, mut dropout) = (streams.stream("data"), streams.stream("dropout"));
    let mut optimizer = Adam::new(Decay::Matrices(0.1));
    let mut carry = None;
    let mut trace = Trace::new();
    for step in 1..=3 {
        let mut draw = || (0..batch * time).map(|_| data.random_range(0..config.symbols as u32)).collect::<Vec<u32>>();
        let (symbols, targets) = (draw(), draw());
        let (logits, last) = model.forward(&symbols, batch, carry.as_ref(), Some(&mut dropout));
        carry = Some(last.detach());
        let loss = logits.cross_entropy(&targets);
        let gradients = loss.backward();
        let norm = norm(&model, &gradients);
        trace.push((format!("loss and norm of step {step}"), vec![bits(&[loss.item()])[0], norm.to_bits()]));
        for (name, param) in model.parameters() {
            let gradient: Vec<T> =
                gradients.of(param).expect("every parameter has a gradient").iter().copied().collect();
            trace.push((format!("gradient of {name} in step {step}"), bits(&gradient)));
        }
        let gradient_factor = clip_factor(norm, 0.1);
        optimizer.update(&mut model, &gradients, Update { learning_rate: 1e-2, gradient_factor });
    }
    for (name, param) in model.parameters() {
        trace.push((format!("{name} after step 3"), bits(param.values())));
    }
    trace
}

fn the_same_with_any_number_of_threads(traces: Vec<(usize, Trace)>) {
    let (_, alone) = &traces[0];
    for (threads, trace) in &traces[1..] {
        let differ = |((name, a), (_, b)): (&Named, &Named)| (a != b).then(|| name.clone());
        let differing: Vec<String> = alone.iter().zip(trace).filter_map(differ).collect();
        assert!(differing.is_empty(), "with {threads} threads these differ from one thread: {differing:#?}");
    }
}

fn config(model: CellKind, layers: usize, symbols: usize) -> Config {
    let (dropout, embedding_dropout, weight_dropout) = (0.25, 0.1, 0.2);
    Config { model, symbols, embedding: 96, hidden: 192, layers, dropout, embedding_dropout, weight_dropout }
}

#[test]
fn three_training_steps_of_a_gru_give_the_same_bits_with_any_number_of_threads() {
    the_same_with_any_number_of_threads(with_threads(|| train::<f32>(&config(CellKind::Gru, 2, 65), 8, 16)));
    the_same_with_any_number_of_threads(with_threads(|| train::<f64>(&config(CellKind::Gru, 1, 65), 3, 16)));
}

#[test]
fn three_training_steps_of_an_lstm_give_the_same_bits_with_any_number_of_threads() {
    the_same_with_any_number_of_threads(with_threads(|| train::<f32>(&config(CellKind::Lstm, 2, 65), 8, 16)));
    the_same_with_any_number_of_threads(with_threads(|| train::<f64>(&config(CellKind::Lstm, 1, 65), 3, 16)));
}

#[test]
fn a_batch_smaller_than_the_threads_and_a_large_alphabet_give_the_same_bits() {
    let (batch, time, symbols) = (3, 24, 1000);
    assert!(batch * time * symbols > MIN_PARALLEL, "large enough that the rows of logits are shared among threads");
    let config = Config { embedding_dropout: 0.0, ..config(CellKind::Gru, 1, symbols) };
    the_same_with_any_number_of_threads(with_threads(|| train::<f32>(&config, batch, time)));
    // fewer symbols than positions: the table is projected instead of the vectors
    let config = Config { embedding_dropout: 0.0, ..self::config(CellKind::Lstm, 1, 65) };
    the_same_with_any_number_of_threads(with_threads(|| train::<f32>(&config, batch, time)));
}

#[test]
fn generation_gives_the_same_symbols_and_logits_with_any_number_of_threads() {
    for kind in [CellKind::Gru, CellKind::Lstm] {
        // 330 units: a team of threads, and shares that no number of threads divides evenly
        let config = Config { hidden: 330, ..config(kind, 2, 65) };
        let generated = with_threads(|| {
            let model = LanguageModel::<f32>::new(&config, &mut Streams::new(5).stream("init"));
            let decoder = Decoder::new(&model);
            let options = Options { temperature: 0.9, top_p: Some(0.95), ..Options::default() };
            let sampler = Sampler::new(options).expect("sensible options");
            let random = Streams::new(6).stream("sampling");
            let symbols: Vec<u32> = Generator::new(&decoder, &[3, 1, 4], sampler, random).take(60).collect();
            let mut state = decoder.start();
            let logits = symbols.iter().flat_map(|&symbol| {
                decoder.step(&mut state, symbol);
                bits(&decoder.next(&state).logits)
            });
            let logits: Vec<u64> = logits.collect();
            (symbols, logits)
        });
        for (threads, output) in &generated[1..] {
            assert!(*output == generated[0].1, "{kind:?}: {threads} threads give other symbols or logits than one");
        }
    }
}

#[test]
fn scoring_in_blocks_side_by_side_and_by_steps_gives_the_same_bits_with_any_number_of_threads() {
    for kind in [CellKind::Gru, CellKind::Lstm] {
        let config = Config { hidden: 330, ..config(kind, 2, 1000) };
        let text: Vec<u32> = (0..700).map(|t| (t * t + t / 3) % 1000).collect();
        let scored = with_threads(|| {
            let model = LanguageModel::<f32>::new(&config, &mut Streams::new(5).stream("init"));
            let decoder = Decoder::new(&model);
            let mut state = decoder.start();
            let blocks = decoder.nats(&mut state, &text);
            let many = decoder.nats_of_many(&[&text[..90], &text, &text[..1]]);
            let mut states = [state, decoder.start()];
            decoder.step_many(&mut states, &[3, 999]);
            let logits = states.iter().flat_map(|state| bits(&decoder.next(state).logits)).collect::<Vec<u64>>();
            (bits(&blocks), many.iter().map(|nats| bits(nats)).collect::<Vec<_>>(), logits)
        });
        for (threads, output) in &scored {
            assert!(*output == scored[0].1, "{kind:?}: {threads} threads give other numbers than one");
            assert!(output.1[1] == output.0, "{kind:?}: side by side differs from alone");
        }
    }
}
