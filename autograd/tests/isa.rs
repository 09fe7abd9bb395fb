//! Forcing an instruction set, in a process of its own: every kernel gives the same bits with each set of this machine.

use autograd::Tensor;
use autograd::kernels::gemm::{Matrix, Store, gemm};
use autograd::kernels::isa::Isa;
use autograd::kernels::packed::{Direction, Packed};
use autograd::nn::{Gru, LayerNorm, Lstm, Module};
use autograd::optim::{Adam, Decay, Optimizer, Update};
use autograd::random::Streams;
use std::sync::{Mutex, PoisonError};

/// What is forced is forced for the whole process: one test at a time.
static FORCING: Mutex<()> = Mutex::new(());

/// Numbers in [−1, 1) from a small generator: the same on every machine.
fn values(n: usize, seed: u32) -> Vec<f32> {
    let mut state = seed.wrapping_mul(2_654_435_761).wrapping_add(1);
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as f32 / (1 << 23) as f32 - 1.0
    };
    (0..n).map(|_| next()).collect()
}

/// Products of every kind: in place, panel by panel, in chunks, packed, of one row.
fn products() -> Vec<f32> {
    let mut all = Vec::new();
    for (m, k, n) in [(3, 70, 50), (40, 300, 600), (150, 520, 90), (33, 64, 33)] {
        let (a, b) = (values(m * k, 1), values(k * n, 2));
        let mut c = vec![0.0; m * n];
        let (straight, across) = (Matrix::new(&b, k, n), Matrix::new(&b, n, k).t());
        for b in [straight, across] {
            gemm(Matrix::new(&a, m, k), b, Store::Overwrite, &mut c);
            gemm(Matrix::new(&a, k, m).t(), b, Store::Accumulate, &mut c);
            all.extend_from_slice(&c);
            let packed = Packed::new(b);
            packed.product(Matrix::new(&a, m, k), Store::Accumulate, &mut c, n);
            packed.row(&a[..k], Store::Accumulate, Direction::Backward, &mut c[..n]);
            all.extend_from_slice(&c);
        }
    }
    all
}

/// Two training steps of a small model with both recurrent layers and a normalisation: its parameters afterwards.
fn training() -> Vec<f32> {
    let mut stream = Streams::new(3).stream("init");
    let mut gru = Gru::<f32>::new(20, 24, 2, 0.0, &mut stream);
    let mut lstm = Lstm::<f32>::new(24, 18, 1, 0.0, &mut stream);
    let mut norm = LayerNorm::<f32>::new(18);
    let x = Tensor::from_vec(values(5 * 7 * 20, 4), &[5, 7, 20]);
    let (mut adams, mut all) = ([(); 3].map(|()| Adam::new(Decay::None)), Vec::new());
    for _ in 0..2 {
        let z = norm.forward(&lstm.forward(&gru.forward(&x, None, None).0, None, None).0);
        let loss = z.reshape(&[35, 18]).cross_entropy(&(0..35).map(|i| i % 18).collect::<Vec<u32>>());
        all.push(loss.item());
        let gradients = loss.backward();
        let update = Update { learning_rate: 0.01, gradient_factor: 0.5 };
        adams[0].update(&mut gru, &gradients, update);
        adams[1].update(&mut lstm, &gradients, update);
        adams[2].update(&mut norm, &gradients, update);
    }
    for (_, parameter) in gru.parameters().into_iter().chain(lstm.parameters()).chain(norm.parameters()) {
        all.extend(parameter.to_vec());
    }
    all
}

/// FNV-1a of the bits.
fn digest(xs: &[f32]) -> u64 {
    let bytes = xs.iter().flat_map(|x| x.to_bits().to_le_bytes());
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

#[test]
fn a_forced_instruction_set_is_in_use_and_changes_no_bit_of_products_or_of_training() {
    let _alone = FORCING.lock().unwrap_or_else(PoisonError::into_inner);
    Isa::Portable.force().expect("every machine has it");
    assert_eq!(Isa::in_use(), Isa::Portable);
    let wanted = (products(), training());
    // To be compared between machines, with `--nocapture`: a program cannot run on two of them.
    println!("bits: products {:016x}, training {:016x}", digest(&wanted.0), digest(&wanted.1));
    for isa in Isa::available() {
        isa.force().expect("it is available");
        assert_eq!(Isa::in_use(), isa);
        let found = (products(), training());
        assert!(found.0 == wanted.0, "products with {isa} differ from the portable ones");
        assert!(found.1 == wanted.1, "training with {isa} differs from the portable one");
    }
}

#[test]
fn what_was_packed_with_one_set_is_used_with_it_whatever_is_forced_afterwards() {
    let _alone = FORCING.lock().unwrap_or_else(PoisonError::into_inner);
    let (m, k, n) = (9, 40, 130);
    let (a, b) = (values(m * k, 5), values(k * n, 6));
    let mut wanted = vec![0.0; m * n];
    gemm(Matrix::new(&a, m, k), Matrix::new(&b, k, n), Store::Overwrite, &mut wanted);
    for first in Isa::available() {
        first.force().expect("it is available");
        let packed = Packed::new(Matrix::new(&b, k, n));
        for then in Isa::available() {
            then.force().expect("it is available");
            let mut c = vec![0.0; m * n];
            packed.product(Matrix::new(&a, m, k), Store::Overwrite, &mut c, n);
            assert_eq!(c, wanted, "packed with {first}, used with {then}");
        }
    }
}
